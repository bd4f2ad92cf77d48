"""An operator who calls `yakei` in a repository, and a state in which something has happened."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import chdir
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from repository import Ran, Repository
from stored import NEWS, record
from suites import BACKUP, QUEUE, depth, failed, passed, run

from yakei.cli import main
from yakei.message import Message
from yakei.results import RunReport
from yakei.store import Store
from yakei.store.viewing import View

Operator = Callable[..., Ran]
LATE = failed(BACKUP, fact="newest backup is 26 h old (limit 13 h)", label="backup export")
FRESH = passed(BACKUP)


def ago(**past: float) -> datetime:
    """Return the time that was so long ago, or the time that will be."""
    return datetime.now(UTC).replace(microsecond=0) - timedelta(**past)


def news(key: str, at: datetime) -> Message:
    """Return a message about one incident."""
    return replace(NEWS, keys=(key,), created=at)


def happened(repository: Repository, *reports: tuple[datetime, RunReport]) -> None:
    """Record runs in the state of a repository; each tells the channel `email` of all that fails.

    The channel takes each message a minute later.
    """
    with Store.open(repository.state, configuration=repository.folder / "yakei.toml") as store:
        for at, report in reports:
            keys = [each.id for each in report.results if each.fact]
            record(store, report, *(("email", news(key, at)) for key in keys), at=at)
            for waiting in store.pending("email"):
                store.mark_delivered([waiting.id], at + timedelta(minutes=1))


def a_bad_night(repository: Repository) -> None:
    """Record a backup that is late, and a queue that was long and is long again."""
    happened(
        repository,
        (ago(hours=3), run(depth(10), FRESH)),
        (ago(hours=2), run(depth(1396), LATE)),
        (ago(hours=1), run(depth(10), LATE)),
        (ago(minutes=30), run(depth(2210), LATE)),
    )


@pytest.fixture
def operator(repository: Repository, capsys: pytest.CaptureFixture[str]) -> Operator:
    """Give what calls a command of `yakei` in the repository.

    Its lines are wide enough for times with their dates, which they have after midnight.
    """

    def call(*arguments: str, **environment: str) -> Ran:
        with chdir(repository.folder), pytest.MonkeyPatch.context() as patch:
            for name, value in {"TZ": "UTC", "COLUMNS": "120", **environment}.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main(arguments)
        said = capsys.readouterr()
        return Ran(_code(ended.value), said.out, said.err, 0.0)

    return call


def _code(ended: SystemExit) -> int:
    return ended.code if isinstance(ended.code, int) else int(bool(ended.code))


def name_of(repository: Repository, key: str = QUEUE) -> str:
    """Return the name of the open incident of a key."""
    with View(repository.state) as view:
        return view.state(repository.folder / "yakei.toml").incidents[key].id
