"""What pytest is asked to do: one run's plan, and the command line and environment it becomes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yakei
from yakei.execution.copied import Spare
from yakei.execution.processes import Deadline

_IMPORT = 30.0
_UNITTEST_RETURNS = "It is deprecated to return a value that is not None from a test case"
"""What unittest says of the same, also of a coroutine that it does not wait for."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to run, where, and for how long."""

    folder: Path
    """The run's own folder, for the journal, reports and outputs; made when there is none."""
    root: Path
    """Where the checks' ids begin: pytest's rootdir and working directory."""
    deadline: Deadline
    configuration: Path | None = None
    paths: tuple[str, ...] = ()
    """Files, folders or ids of checks, relative to `root` or absolute."""
    keyword: str = ""
    """pytest's -k."""
    markers: str = ""
    """pytest's -m."""
    timeout: float = 30.0
    """Seconds that one check may take, unless it has a limit of its own."""
    grace: float = 3.0
    """Seconds after its timeout when a check is taken to be stuck where Python cannot reach it."""
    slots: int = 1
    """Checks under way at once; one alone runs in pytest's own loop."""
    only: tuple[str, ...] = ()
    """The ids of those checks in `paths` that are to run; empty is all of them."""
    name: str = "run"
    """Tells the files of a confirmation from those of the run it confirms."""
    all: bool = False
    """Also the checks whose time has not come (`every`)."""
    elsewhere: Path | None = None
    """Where the last runs were remembered, while the state could not be written."""
    extra: tuple[str, ...] = ()
    """More arguments for pytest."""
    spare: Spare | None = None
    """A copy of this process that pytest may run in, made when it was nothing but the runner."""
    watch: Callable[[Iterable[Mapping[str, Any]]], None] | None = None
    """Takes the journal's events as they come."""

    @property
    def import_timeout(self) -> float:
        """Seconds that one file may take to be imported, so that the others are judged after it.

        As long as a check, or half a minute: it may import the whole application.
        """
        return min(max(self.timeout, _IMPORT), self.deadline.length.total_seconds() / 2)

    @property
    def journal(self) -> Path:
        """The journal of all processes of this run, which grows while they run."""
        return self.folder / f"{self.name}.jsonl"

    @property
    def chosen(self) -> Path:
        """Where `only` is written for pytest: a command line would not hold thousands of ids."""
        return self.folder / f"{self.name}.json"

    def once_more(self, ids: tuple[str, ...]) -> Plan:
        """Return the plan of the second look: only these checks, of the files that are there still.

        By their files, and not by their ids: for one id that pytest does not find any more, as of a
        check that is named after what is there, it runs none of the others.
        """
        files = dict.fromkeys(each.partition("::")[0] for each in ids)
        there = (each for each in files if os.path.exists(self.root / each))  # noqa: PTH110 - a folder that cannot be read raises nothing
        paths = tuple(dict.fromkeys(path for each in there for path in self._asked_by(each)))
        return replace(self, name="confirm", paths=paths, keyword="", markers="", only=ids)

    def _asked_by(self, file: str) -> tuple[str, ...]:
        """Return what pytest can be asked for a file by: it takes no path with a bracket in it."""
        before, bracket, _ = file.partition("[")
        asked = before.rpartition("/")[0] if bracket else file
        return (asked,) if asked else self.paths

    def file(self, number: int, kind: str) -> Path:
        """Return where process `number` of this run writes its `report.json`, `output.txt`, …."""
        return self.folder / f"{self.name}-{number}-{kind}"


def pytest_arguments(plan: Plan, number: int) -> list[str]:
    """Return the arguments of pytest for process `number` of a run, counted from 1."""
    return [
        # By the names of their entry points: with others, pytest refuses to load them twice.
        *("-p", "timeout", "-p", "pytest_jsonreport", "-p", "pytest_yakei.plugin"),
        # An application's own options (-x, -n, --cov, -m, …) would judge less than is promised.
        *("-p", "no:cacheprovider", "-o", "addopts="),
        *("-q", "--color=no", "--tb=short", f"--rootdir={plan.root}"),
        *("--continue-on-collection-errors", "--maxfail=0"),
        # Nor shall a limit of its own for the whole session: the deadline is ours.
        *("-o", "session_timeout="),
        # A check that returns what it should have asserted passes whatever it returns.
        *("-W", "error::pytest.PytestReturnNotNoneWarning"),
        *("-W", f"error:{_UNITTEST_RETURNS}:DeprecationWarning"),
        f"--timeout={plan.timeout:g}",
        "--timeout-method=signal",
        "--json-report",
        f"--json-report-file={plan.file(number, 'report.json')}",
        *("--json-report-omit", "collectors", "keywords", "log", "warnings"),
        "--yakei-run",
        f"--yakei-journal={plan.journal}",
        f"--yakei-stacks={plan.file(number, 'stacks.txt')}",
        *([f"--yakei-config={plan.configuration}"] if plan.configuration else []),
        *([f"--yakei-slots={plan.slots}"] if plan.slots > 1 else []),
        *([f"--yakei-elsewhere={plan.elsewhere}"] if plan.elsewhere else []),
        *(["--yakei-all"] if plan.all else []),
        *([f"--yakei-only={plan.chosen}"] if plan.only else []),
        *(["--yakei-resume"] if number > 1 else []),
        *(["-k", plan.keyword] if plan.keyword else []),
        *(["-m", plan.markers] if plan.markers else []),
        *plan.extra,
        *plan.paths,
    ]


def pytest_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which pytest finds the same packages as this process.

    Installed ones it finds by itself; those of a clone are put on PYTHONPATH.
    """
    environment = {**inherited}
    environment.pop("PYTEST_ADDOPTS", None)  # see pytest_arguments
    if roots := source_roots():
        environment["PYTHONPATH"] = os.pathsep.join(
            [*roots, *filter(None, [inherited.get("PYTHONPATH")])]
        )
    return environment


def source_roots() -> list[str]:
    """Return the folders of our packages in a clone; of an installed copy there are none."""
    source = Path(yakei.__file__).resolve().parents[1]
    if source.name in {"site-packages", "dist-packages"}:
        return []
    return [str(root) for root in (source, source.parent / "plugins") if root.is_dir()]
