"""Says what is the matter with slon or its lock, and what to do about it at night."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pytest_yakei.probes.processes import at, printable
from pytest_yakei.probes.slony.sight import Backend, Sight
from pytest_yakei.probes.slony.verdicts import Verdict, silence_of, slon_of
from yakei_shared.durations import format_duration

START = "start slon; it exits 0 even when refused: check its log for FATAL"
LAG_STEPS = (
    "is slon awake on both nodes?   the lock's check tells, and: pgrep -af slon",
    "what does it wait for?   the last lines of slon's log on the subscriber",
    "does a long transaction hold it up?   select * from pg_stat_activity order by xact_start",
)
_FAR = "only the database's host can tell, and this is another one."
_WHERE_SLON_MAY_RUN = "pgrep -af slon      (on each host that may run it)"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A look at the lock that found something wrong, with what else a reader needs.

    Attributes:
        schema: the cluster's schema, quoted.
        literal: its name as a text constant of SQL.
        effect: what has become of the subscribers; "" if that is not known.
        held: when slon was last seen with the lock, and the pid of its connection then.
    """

    verdict: Verdict
    sight: Sight
    max_silence: timedelta
    schema: str
    literal: str
    effect: str = ""
    held: tuple[datetime, int] | None = None

    @property
    def slon(self) -> Backend | None:
        """Slon's connection."""
        return slon_of(self.sight)


def text_of(case: Case) -> str:
    """Return the finding: the fact for the subject, what was seen, and the steps to take."""
    lines = [_fact(case), _row(case), *_explained(case)]
    lines += [case.effect] if case.effect else []
    changes = _changes(case)
    lines += ["", f"Changed   {'; '.join(changes)}."] if changes else [""]
    return "\n".join([*lines, *numbered(_steps(case))])


def numbered(steps: Sequence[str]) -> list[str]:
    """Return steps to take, below one heading; a step may have several lines."""
    lines = []
    for number, step in enumerate(steps, start=1):
        first, *rest = step.splitlines()
        head = "Do        " if number == 1 else " " * 10
        lines += [f"{head}{number}. {first}", *(f"{' ' * 15}{line}" for line in rest)]
    return lines


def _fact(case: Case) -> str:
    """Return the first line, which is short enough for a subject."""
    node = case.sight.node
    if case.verdict is Verdict.POISONED:
        again = "cannot start again" if case.slon else "cannot start"
        return f"node {node} lock is poisoned, slon {again}"
    if case.verdict is Verdict.UNLOCKED:
        return f"slon of node {node} runs without its lock"
    if case.verdict is Verdict.SILENT and case.slon:
        silence = format_duration(silence_of(case.sight, case.slon))
        return f"slon of node {node} is silent for {silence} (limit: {_limit(case)})"
    if case.verdict is Verdict.DOUBTFUL:
        return f"slon not running on node {node}; its lock may refuse a start"
    harmless = "" if case.sight.holder is None else " (leftover lock is harmless)"
    return f"slon not running on node {node}{harmless}"


def _limit(case: Case) -> str:
    return format_duration(case.max_silence)


def _row(case: Case) -> str:
    """Return what the lock holds, and who that is."""
    node, holder = case.sight.node, case.sight.holder
    if holder is None:
        return f"sl_nodelock has no row (node {node}, conn 0)."
    return f"sl_nodelock (node {node}, conn 0) holds pid {holder}{_who(case.sight)}."


def _who(sight: Sight) -> str:
    if sight.backend:
        return f" = {_described(sight.backend)}"
    process = sight.blocker.process
    if process:
        command = f'"{process.command_line}", user {process.user}'
        return f" = {command}, started {at(process.started)}, not a slon backend"
    if sight.blocker.can_be_asked:
        return ": there is no such process"
    return ": no backend of the server has it"


def _described(backend: Backend) -> str:
    if not backend.database:
        return f"{backend.kind or 'an auxiliary process'} of the PostgreSQL server"
    name = f'"{printable(backend.application)}"' if backend.application else "without a name"
    return f"a connection {name}, user {backend.user}, to database {backend.database}"


def _explained(case: Case) -> list[str]:
    """Return what follows from the lock."""
    node = case.sight.node
    running = f"slon of node {node} {'runs still' if case.slon else 'does not run'}."
    if case.verdict is Verdict.POISONED:
        return [f"{running} The next one refuses to start as long as that pid is alive."]
    if case.verdict is Verdict.UNLOCKED and case.slon:
        return [f"Its connection has pid {case.slon.pid}. A second slon could start beside it."]
    if case.verdict is Verdict.SILENT:
        return ["It keeps its connections and asks nothing: stopped (kill -STOP), or hanging."]
    if case.verdict is Verdict.DOUBTFUL:
        return ["A process of the server's user with that pid makes slon refuse to start;", _FAR]
    return [_harmless(case.sight)]


def _harmless(sight: Sight) -> str:
    if sight.holder is None:
        return f"No slon of node {sight.node} is connected."
    if sight.blocker.process:
        return "The server may not signal that process, so the row is harmless: slon removes it."
    return "The row is left over and harmless: a stop leaves it, and slon removes it at its start."


def _changes(case: Case) -> list[str]:
    """Return what has happened since slon was last seen with its lock."""
    sight, changes = case.sight, []
    if case.held:
        when, pid = case.held
        changes.append(f"{at(when)} slon held it, pid {pid}")
    if case.slon is None and (signs := [*filter(None, (sight.last_work, sight.last_event))]):
        changes.append(f"{at(max(signs))} last sign of slon")
    if case.held is None or sight.server_started > case.held[0]:
        changes.append(f"{at(sight.server_started)} PostgreSQL started")
    return changes


def _steps(case: Case) -> list[str]:
    if case.verdict is Verdict.POISONED:
        again = [START] if case.slon is None else []
        return [f"be sure that no second slon runs:   {_WHERE_SLON_MAY_RUN}", _delete(case), *again]
    if case.verdict is Verdict.UNLOCKED:
        return [f"how many slons run?   {_WHERE_SLON_MAY_RUN}", "stop them all", START]
    if case.verdict is Verdict.SILENT:
        stat = "ps -o pid,stat,wchan:20,etime,args -C slon"
        return [f"is it stopped (state T)?   {stat}", "kill -CONT its pid; otherwise restart slon"]
    if case.verdict is Verdict.DOUBTFUL:
        ask = f"ps -o pid,user,lstart,args -p {case.sight.holder}   (on the database's host)"
        only_if = f"if that is a process of the server's user:\n{_delete(case)}"
        return [f"be sure that no second slon runs:   {_WHERE_SLON_MAY_RUN}", ask, only_if, START]
    return [
        "why did it end? see its log",
        f"be sure that none runs:   {_WHERE_SLON_MAY_RUN}",
        START,
    ]


def _delete(case: Case) -> str:
    """Return the statement that takes the row away: this node's daemon lock, nothing else."""
    node = f"{case.schema}.getLocalNodeId({case.literal})"
    return "\n".join(
        [
            f"DELETE FROM {case.schema}.sl_nodelock",  # noqa: S608 - for people to read
            f"WHERE nl_nodeid = {node} AND nl_conncnt = 0;",
        ]
    )
