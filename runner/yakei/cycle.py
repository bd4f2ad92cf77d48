"""The story of one cycle: lock, judge, decide, remember, tell, heartbeat."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO

from yakei.exit_codes import ExitCode, exit_code
from yakei.incidents import busy, decide
from yakei.incidents.remembered import Reason
from yakei.lock import Busy
from yakei.request import Request, Result
from yakei.results import Problem, ProblemKind, RunReport
from yakei.setting_out import SetOut, set_out
from yakei.settings import read_settings, usable_settings
from yakei.telling import shown, told
from yakei_shared.configuration import load_configuration, locate_configuration
from yakei_shared.errors import ConfigurationError


def run_cycle(request: Request) -> Result:
    """Run the suite once, and tell whoever must hear of it.

    Raises:
        ConfigurationError: there is no configuration at all, so nobody can be told.
        Terminated: under `terminating()`, when this process was told to end; nobody is told.
    """
    path = locate_configuration(request.config)
    with ExitStack() as stack:
        try:
            with _unheard():
                settings = read_settings(load_configuration(path))
        except ConfigurationError as error:
            if not path.exists():  # named wrongly: nobody to tell, and nowhere to remember it
                raise
            started = set_out(usable_settings(path), request, stack)
            return _conclude(started, _broken_configuration(error))
        started = set_out(settings, request, stack)
        lock = started.acquire(stack)
        if isinstance(lock, Busy):
            return _busy(started, lock)
        started.say_that_it_begins()
        return _conclude(started, started.judge(lock))


@contextmanager
def _unheard() -> Iterator[None]:
    """Have nobody hear what a module of settings prints when it is imported: cron would mail it."""
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        yield


def _broken_configuration(error: ConfigurationError) -> RunReport:
    problem = Problem(kind=ProblemKind.CONFIGURATION, text=str(error))
    return RunReport(problems=(problem,))


def _busy(started: SetOut, lock: Busy) -> Result:
    """Tell who holds the lock, unless it was asked to be silent about that."""
    if started.request.on_busy == "skip":
        return Result(exit_code=ExitCode.WELL)
    started.listen()
    now = datetime.now(UTC)
    decision = busy(started.state, lock.text, started.policy, now)
    delivery = told(started, decision, now)
    started.log.write(f"{lock.text}\n")
    started.log.end(ExitCode.BUSY)
    return Result(exit_code=ExitCode.BUSY, text=delivery.last_resort())


def _conclude(started: SetOut, report: RunReport) -> Result:
    """Decide, remember and tell; last of all, say that a whole cycle has finished."""
    started.listen()
    report = replace(report, problems=(*report.problems, *started.problems()))
    now = datetime.now(UTC)
    decision = decide(started.state, report, started.policy, now)
    delivery = told(started, decision, now)
    worth_hearing = any(each.reason is not Reason.RECOVERED for each in decision.notices)
    wrong = decision.failing or decision.broken or delivery.failures or worth_hearing
    code = exit_code(
        report.problems,
        failing=decision.failing,
        broken=decision.broken,
        undelivered=bool(wrong) and delivery.undelivered and started.request.notify,
    )
    text = delivery.last_resort() + shown(started, decision)
    started.log.end(code)
    started.say_that_it_ended(code, text)
    return Result(exit_code=code, text=text)
