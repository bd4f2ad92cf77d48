"""What one cycle has with it: settings, state, log, deadline, and a folder for its output."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from yakei.asked_paths import OutsideError, below
from yakei.execution.plan import Plan
from yakei.execution.processes import Deadline
from yakei.host import host_name
from yakei.incidents.policy import Policy
from yakei.incidents.remembered import State
from yakei.incidents.troubles import is_complete
from yakei.judging import judge
from yakei.lock import Busy, Held, Lock, LockError
from yakei.pace import SLOW_KEY, slow_suite
from yakei.request import Request
from yakei.results import Problem, ProblemKind, RunReport
from yakei.run_folder import for_us_alone, make_run_folder
from yakei.runlog import RunLog
from yakei.settings import RunnerSettings
from yakei.store import Run, StateError
from yakei.store.lasting import LastingStore
from yakei.store.retention import MEGABYTE, Retention

if TYPE_CHECKING:
    from yakei.heartbeat import Ping  # with it, all that speaks HTTP: not every run does

_LONGEST_TELLING = 15.0


@dataclass(kw_only=True)
class SetOut:
    """A cycle that has begun."""

    settings: RunnerSettings
    request: Request
    run_id: str
    begun: datetime
    folder: Path
    log: RunLog
    store: LastingStore | None
    state: State
    deadline: Deadline
    troubles: list[Problem] = field(default_factory=list)
    """What is wrong with the state, the lock or the heartbeat."""
    ping: Ping | None = None
    """The start, as the outside watcher is being told of it."""
    clock: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """How long the cycle has been under way."""
        return time.monotonic() - self.clock

    @cached_property
    def host(self) -> str:
        """This host's name, as messages say it."""
        return host_name(self.settings.run)

    @property
    def log_place(self) -> str:
        """Where the full text of this run is."""
        path = self.request.log or self.settings.run.log
        return str(path) if path and not self.log.problem else str(self.folder)

    @property
    def policy(self) -> Policy:
        """How loud to be."""
        return self.settings.policy

    def problems(self) -> tuple[Problem, ...]:
        """Return what is wrong with the cycle's own means."""
        log = [self.log.problem] if self.log.problem else []
        return (*self.troubles, *log)

    def finished(self, now: datetime) -> Run:
        """Return the run as it is remembered."""
        return Run(id=self.run_id, started=self.begun, ended=now)

    def acquire(self, stack: ExitStack) -> Held | Busy | None:
        """Return the lock, or who has it.

        None means that its file cannot be used: that is told, and the checks run all the same.
        """
        path = self.request.lock or self.settings.run.state / "lock"
        try:
            lock = Lock(path).acquire(self.request.on_busy, self.deadline)
        except LockError as error:
            self.troubles.append(Problem(kind=ProblemKind.STATE, text=str(error)))
            return None
        if isinstance(lock, Busy):
            return lock
        if self.request.on_busy == "wait":
            self.begun = datetime.now(UTC)  # what it waited is not the suite's time
            self._recall()
        return stack.enter_context(lock)

    def _recall(self) -> None:
        """Take in what the run that was waited for has remembered."""
        try:
            self.state = self.store.load() if self.store else self.state
        except StateError as error:
            self.troubles.append(Problem(kind=ProblemKind.STATE, text=str(error)))

    def listen(self) -> None:
        """Take in the silences and acknowledgements that people have made during the run."""
        try:
            said = self.store.spoken() if self.store else None
        except StateError as error:
            self.troubles.append(Problem(kind=ProblemKind.STATE, text=str(error)))
            return
        if said:
            self.state = replace(
                self.state, silences=said.silences, acknowledgements=said.acknowledgements
            )

    def judge(self, lock: Held | None) -> RunReport:
        """Have the suite judged."""
        run = self.settings.run
        try:
            paths = below(self.settings.root, self.request.paths or map(str, run.monitors))
        except OutsideError as error:
            problem = Problem(kind=ProblemKind.CONFIGURATION, text=str(error))
            return RunReport(problems=(problem,), partial=True)
        plan = Plan(
            folder=self.folder,
            root=self.settings.root,
            deadline=self.deadline.keeping(self._for_telling),
            configuration=self.settings.configuration.path,
            paths=paths,
            keyword=self.request.keyword,
            markers=self.request.markers,
            timeout=run.timeout.total_seconds(),
            slots=run.slots,
            all=self.request.all,
            elsewhere=self.store.elsewhere if self.store else None,
            spare=self.request.spare,
            watch=self.request.watch,
        )
        if lock:
            lock.follow(plan.journal)
        begun = time.monotonic()
        try:
            with for_us_alone():
                partial = self.request.partial
                report = judge(plan, confirm_after=run.confirm_after, partial=partial, log=self.log)
                return self._timed(report, timedelta(seconds=time.monotonic() - begun))
        except OSError as error:
            text = f"the checks could not be run: {error}"
            return RunReport(problems=(Problem(kind=ProblemKind.CRASH, text=text),))

    @property
    def _for_telling(self) -> float:
        """Seconds of the deadline that the checks must leave for deciding, telling and heartbeat.

        A slow channel gives up after ten; a short deadline must leave the checks most of it.
        """
        return min(_LONGEST_TELLING, self.deadline.length.total_seconds() / 10)

    def _timed(self, report: RunReport, took: timedelta) -> RunReport:
        """Return the report with what is to be said about the time, if the run is a usual one."""
        if self.request.all or not is_complete(report):
            return report
        known = SLOW_KEY in self.state.incidents
        slow = slow_suite(report.results, took, self.settings.run.interval, known=known)
        return replace(report, problems=(*report.problems, *slow))

    def say_that_it_begins(self) -> None:
        """Tell the outside watcher; a watcher that cannot be reached, or is slow, stops nothing."""
        if self.settings.heartbeat and not self.request.partial:
            self.ping = self.settings.heartbeat.start(self.run_id)

    def say_that_it_ended(self, code: int, text: str) -> None:
        """Tell the outside watcher that a whole cycle is done."""
        if self.ping:  # the watcher must not hear of the start after the end
            self._note(self.ping.note())
        if self.settings.heartbeat and not self.request.partial:
            self._note(self.settings.heartbeat.finish(code, text, self.run_id))

    def _note(self, problem: str | None) -> None:
        if problem:
            self.log.write(f"heartbeat: {problem}\n")


def set_out(settings: RunnerSettings, request: Request, stack: ExitStack) -> SetOut:
    """Return a cycle that has begun; what is missing for it becomes a problem that is told."""
    now = datetime.now(UTC)
    deadline = Deadline.after(request.deadline or settings.run.deadline)
    made = make_run_folder(settings.run.state, now)
    redact = settings.configuration.redactor.redact
    log = stack.enter_context(RunLog(request.log or settings.run.log, redact=redact))
    store, state, note = _open(settings, stack)
    troubles = [
        Problem(kind=ProblemKind.STATE, text=text) for text in (note or made.complaint,) if text
    ]
    log.begin(host_name(settings.run), ["yakei", "run", *request.paths])
    log.write(f"run {made.run_id}\n")
    return SetOut(
        settings=settings,
        request=request,
        run_id=made.run_id,
        begun=now,
        folder=made.path,
        log=log,
        store=store,
        state=state,
        deadline=deadline,
        troubles=troubles,
    )


def _open(settings: RunnerSettings, stack: ExitStack) -> tuple[LastingStore | None, State, str]:
    """Return the store, what it remembers, and what people must know about it."""
    run, configuration = settings.run, settings.configuration.path
    retention = Retention(keep=run.keep, max_size=run.max_size_mb * MEGABYTE)
    store = stack.enter_context(LastingStore(run.state, configuration, retention))
    try:
        state = store.load()
    except StateError as error:
        return None, State(), str(error)
    return store, state, store.note
