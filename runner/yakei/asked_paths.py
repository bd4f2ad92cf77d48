"""What the command line asks to run, as pytest is to find it: below the root of the checks' ids."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


class OutsideError(Exception):
    """A path has no place below the root, so what is in it would have no id of its own."""


def below(root: Path, asked: Iterable[str]) -> tuple[str, ...]:
    """Return the files, folders and ids of checks that were asked for, absolute and below the root.

    pytest names a check outside of its root by what is left of its path. `test_a.py::test_disk`
    then is another check's id, which would answer for it in a second look or in an incident.

    Args:
        root: the folder that the ids begin in.
        asked: as people write them, from the working directory or absolute; links are followed
            where one does not lead below the root as it is written.

    Raises:
        OutsideError: one of them is somewhere else; the text says what is expected.
    """
    return tuple(_below(root, each) for each in asked)


def _below(root: Path, asked: str) -> str:
    file, *check = asked.split("::", 1)
    path = Path(file).absolute()
    if ".." in path.parts or not path.is_relative_to(root):
        real, real_root = path.resolve(), root.resolve()
        if not real.is_relative_to(real_root):
            raise OutsideError(
                f"{asked} cannot be run: expected a path in {root}, the folder of the"
                " configuration and its monitors; another folder belongs into [run] monitors"
            )
        path = root / real.relative_to(real_root)
    return "::".join((str(path), *check))
