"""Writes a starter configuration and the ready-made checks; from then on they are the user's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from yakei_shared.configuration import FILE_NAME, find_configuration, load_configuration
from yakei_shared.errors import ConfigurationError

_HERE = Path(__file__).parent
_PROJECT = "pyproject.toml"


def ready_made() -> dict[str, Path]:
    """Return the ready-made files of checks by their short names, such as `queues`.

    A wheel carries them beside this module; a clone and an editable install have them in
    `monitors/` at the top.
    """
    for folder in (_HERE / "monitors", _HERE.parents[2] / "monitors"):
        if folder.is_dir():
            files = sorted(folder.glob("test_*.py"))
            return {file.stem.removeprefix("test_"): file for file in files}
    return {}


def write_starter(
    folder: Path, names: Sequence[str], *, config: Path | None = None
) -> Iterator[str]:
    """Write `yakei.toml` and the chosen checks into a folder; yield a line about each file.

    A file that is there already is left as it is.

    Args:
        folder: the repository.
        names: of ready-made checks; all of them when there is none.
        config: the configuration file, when it is to be another one; the checks go beside it.

    Raises:
        ConfigurationError: there is no such check, or the folder cannot be written.
    """
    files = ready_made()
    if unknown := sorted(set(names) - files.keys()):
        problem = f"no ready-made checks of this name; there are: {', '.join(files)}"
        raise ConfigurationError("yakei init", unknown[0], problem)
    target = config.absolute() if config else _usual(folder)
    if target.name != _PROJECT:
        yield _write(target, (_HERE / FILE_NAME).read_text(encoding="utf-8"))
    elif load_configuration(target).tables:
        yield f"kept     {target} (it has [tool.yakei])"
    else:
        raise ConfigurationError(target, "", "has no [tool.yakei]; write it, or name another file")
    for name in dict.fromkeys(names) or files:
        text = files[name].read_text(encoding="utf-8")
        yield _write(target.parent / "monitors" / files[name].name, text)
    option = f" -c {target.name}" if target.name not in {FILE_NAME, _PROJECT} else ""
    trial = f"yakei doctor{option}; {'' if option else 'pytest monitors; '}yakei run{option}"
    yield f"next: edit {target.name}, then try it with: {trial}"
    yield "keep the state folder .yakei out of version control"


def _usual(folder: Path) -> Path:
    """Return the configuration that a folder has, or is to have."""
    known = find_configuration(folder)
    return known if known and known.parent == folder else folder / FILE_NAME


def _write(path: Path, text: str) -> str:
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        if path.parent.is_dir():
            return f"kept     {path} (it was there already)"
        problem = f"cannot be written: {path.parent} is no folder"
        raise ConfigurationError(path, "", problem) from None
    except OSError as error:
        raise ConfigurationError(path, "", f"cannot be written: {error.strerror}") from None
    return f"wrote    {path}"
