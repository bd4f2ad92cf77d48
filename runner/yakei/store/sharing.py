"""Keeps apart the suites of several configurations that use one state, and says that they do."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from yakei.store.statefile import damage_named

SHARED = (
    "it is used by {} as well; nothing of theirs is closed, but give each configuration a state of"
    " its own: [run] state"
)
"""What people are told of it; in place of `{}`, whose configurations the others are."""

_USED = "configurations"
"""The fact that has the number of each configuration's last run."""
_TOLD = "neighbours"
"""The fact that has the configurations of which people were told that they share the state."""


@damage_named()
def read_population(connection: sqlite3.Connection, configuration: str) -> tuple[str, ...]:
    """Return the checks that a configuration's last complete run knew, in its order."""
    rows = connection.execute("select configuration, check_id from population order by rowid")
    checks = rows.fetchall()
    ours = _ours({owner for owner, _ in checks}, configuration, _used(connection))
    return tuple(dict.fromkeys(check for owner, check in checks if owner in ours))


@damage_named()
def write_population(
    connection: sqlite3.Connection, configuration: str, population: tuple[str, ...]
) -> None:
    """Keep the checks of a configuration; what another one's suite holds stays as it is."""
    rows = connection.execute("select distinct configuration from population")
    ours = _ours({owner for (owner,) in rows}, configuration, _used(connection))
    rows = connection.execute("select configuration, check_id from population order by rowid")
    found = [row for row in rows if row[0] in ours]
    wanted = [(configuration, check) for check in population]
    if found == wanted:  # it changes with a release, not with a run
        return
    connection.executemany(
        "delete from population where configuration = ?", ((owner,) for owner in ours)
    )
    connection.executemany(
        "insert or ignore into population (configuration, check_id) values (?, ?)", wanted
    )


@damage_named()
def neighbours(connection: sqlite3.Connection, configuration: str) -> tuple[str, ...]:
    """Return the configurations that have used this state since ours did, and were not told yet.

    One that does not come back, such as that of the release before, is no neighbour.
    """
    used = _used(connection)
    told = _fact(connection, _TOLD, [])
    last = used.get(configuration)
    others = (each for each, number in used.items() if last is not None and number > last)
    return tuple(sorted(each for each in others if each not in told and _is_there(each)))


@damage_named()
def use(connection: sqlite3.Connection, configuration: str, run: int, *, complete: bool) -> None:
    """Keep that a configuration has used the state, and that people know of its neighbours."""
    if not configuration:
        return
    used = _used(connection)
    others = neighbours(connection, configuration)
    told = {*_fact(connection, _TOLD, []), *others, *((configuration,) if others else ())}
    if complete or configuration in used:  # what it took over, it has taken over by then
        _keep(connection, _USED, {**_existing(used), configuration: run})
    _keep(connection, _TOLD, sorted(_existing(dict.fromkeys(told, 0))))


def _existing(used: Mapping[str, int]) -> dict[str, int]:
    return {each: run for each, run in used.items() if _is_there(each)}


def _ours(known: Iterable[str], configuration: str, used: Mapping[str, int]) -> set[str]:
    """Return the configurations whose suite is ours.

    That of a file which is gone was renamed or moved with it. A new release of an application
    brings a file of the same name in another folder, while the old one is still there; from the
    moment on that both go on being used, they are two.
    """
    moved = configuration not in used

    def is_ours(other: str) -> bool:
        same_name = Path(other).name == Path(configuration).name
        return other in {"", configuration} or (moved and same_name) or not _is_there(other)

    return {configuration, *filter(is_ours, known)}


def _is_there(configuration: str) -> bool:
    """Return whether a file is there, or may be: another user's is not for us to look at."""
    try:
        Path(configuration).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _used(connection: sqlite3.Connection) -> dict[str, int]:
    return dict(_fact(connection, _USED, {}))


def _fact(connection: sqlite3.Connection, name: str, otherwise: Any) -> Any:
    row = connection.execute("select document from facts where name = ?", (name,)).fetchone()
    return json.loads(row[0]) if row else otherwise


def _keep(connection: sqlite3.Connection, name: str, value: object) -> None:
    connection.execute("replace into facts values (?, ?)", (name, json.dumps(value)))
