"""Reads the application's own settings, in the format that the application keeps them in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from yakei_shared.errors import ConfigurationError, MissingConfigurationError

_MISSING = object()


class AppConfig:
    """The application's settings, asked for by dotted path: `app_config["database.url"]`.

    Attributes:
        source: the file, or `python:module`, that the settings came from.
        settings: the settings as the format gives them: a mapping, a module or an object.
    """

    def __init__(self, settings: object, source: str) -> None:
        self.settings = settings
        self.source = source

    def __repr__(self) -> str:
        return f"<AppConfig from {self.source}>"

    def __getitem__(self, path: str) -> Any:
        """Return the value at a dotted path.

        Raises:
            KeyError: no such setting; the text says where it looked and what is there.
        """
        __tracebackhide__ = True  # pytest then shows the line of the check, and no settings
        value: object = self.settings
        walked: list[str] = []
        for step in _steps(value, path):
            found = _look_up(value, step)
            if found is _MISSING:
                raise MissingSettingError(self.source, path, ".".join(walked), step, value)
            value = found
            walked.append(step)
        return value

    def __contains__(self, path: object) -> bool:
        try:
            self[str(path)]
        except KeyError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(_keys(self.settings))

    def get(self, path: str, default: object = None) -> Any:
        """Return the value at a dotted path, or the default where there is none."""
        try:
            return self[path]
        except KeyError:
            return default


class MissingSettingError(KeyError):
    """The application's settings have no such key."""

    def __init__(self, source: str, path: str, walked: str, step: str, there: object) -> None:
        super().__init__(path)
        keys = _keys(there)
        import difflib  # only for a mistake

        near = difflib.get_close_matches(step, keys, n=1)
        advice = (
            f"did you mean {near[0]}?" if near else f"there: {', '.join(keys[:12]) or 'nothing'}"
        )
        place = f" under {walked}" if walked else ""
        self.text = f'{source} has no setting "{path}": no {step}{place}; {advice}'

    def __str__(self) -> str:
        return self.text


def load_application(config: str, base: Path, asked_by: str) -> AppConfig:
    """Return the settings that `[app] config` names.

    Args:
        config: a file (.toml .yaml .json .ini .env) or `python:module` or `python:module.object`.
        base: the folder that a relative path, or the module, is looked for in.
        asked_by: the configuration file, for the text of an error.

    Raises:
        ConfigurationError: the settings cannot be read.
    """
    if config.startswith("python:"):
        from yakei_shared.settings_module import import_settings

        return AppConfig(import_settings(config.removeprefix("python:"), base, asked_by), config)
    path = base / config
    reader = _READERS.get(path.suffix.lower() or path.name)
    if reader is None:
        expected = f"one of {' '.join(_READERS)} or python:module"
        raise ConfigurationError(asked_by, "app.config", f'expected {expected}, got "{config}"')
    try:
        return AppConfig(reader(path), config)
    except FileNotFoundError:
        problem = f"the application's settings {path} do not exist"
        raise MissingConfigurationError(asked_by, "app.config", problem) from None
    except OSError as error:
        problem = f"cannot read the application's settings {path}: {error.strerror}"
        raise ConfigurationError(asked_by, "app.config", problem) from None
    except ModuleNotFoundError as error:
        extra = {"yaml": "yaml", "dotenv": "dotenv"}.get(error.name or "", error.name)
        problem = f'reading {config} needs the extra: pip install "yakei[{extra}]"'
        raise ConfigurationError(asked_by, "app.config", problem) from None
    except ValueError as error:
        raise ConfigurationError(path, "", f"does not parse: {error}") from None


def _read_toml(path: Path) -> object:
    import tomllib

    return tomllib.loads(path.read_text(encoding="utf-8"))


def _read_json(path: Path) -> object:
    return json.loads(path.read_text(encoding="utf-8"))


def _read_yaml(path: Path) -> object:
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(error) from None


def _read_ini(path: Path) -> object:
    """Return {section: {key: text}}; a value that does not interpolate is taken as it stands."""
    import configparser

    parser = configparser.ConfigParser()
    try:
        parser.read_string(path.read_text(encoding="utf-8"), source=path.name)
    except configparser.Error as error:
        raise ValueError(error) from None

    def value(section: str, key: str) -> str:
        try:
            return parser.get(section, key)
        except configparser.InterpolationError:
            return parser.get(section, key, raw=True)

    return {name: {key: value(name, key) for key in parser[name]} for name in parser.sections()}


def _read_env(path: Path) -> object:
    import dotenv

    with path.open(encoding="utf-8") as lines:
        return dict(dotenv.dotenv_values(stream=lines))


_READERS: dict[str, Callable[[Path], object]] = {
    ".toml": _read_toml,
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
    ".json": _read_json,
    ".ini": _read_ini,
    ".cfg": _read_ini,
    ".env": _read_env,
}


def _steps(settings: object, path: str) -> list[str]:
    """Split a dotted path, unless the settings have it as one key (`.env`, flat JSON)."""
    return [path] if _look_up(settings, path) is not _MISSING else path.split(".")


def _look_up(value: object, step: str) -> object:
    if isinstance(value, Mapping):
        return value.get(step, _MISSING)
    if isinstance(value, list | tuple):
        in_range = step.isdecimal() and int(step) < len(value)
        return value[int(step)] if in_range else _MISSING
    if isinstance(value, str | int | float | None):
        return _MISSING
    return getattr(value, step, _MISSING)


def _keys(value: object) -> list[str]:
    if isinstance(value, Mapping):
        return [str(key) for key in value]
    if isinstance(value, list | tuple):
        return [str(index) for index in range(len(value))]
    if isinstance(value, str | int | float | None):
        return []
    return [name for name in dir(value) if not name.startswith("_")]
