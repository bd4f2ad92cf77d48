"""Reads the last run in a log as cronlog writes it: dashes, `HOST starting: …`, an exit code."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pytest_yakei.errors import CannotTell
from pytest_yakei.probes.backups.listing import cannot_read, open_untouched
from pytest_yakei.probes.backups.moments import coarse, from_local
from yakei_shared.durations import format_duration

TAIL = 1 << 20
"""Bytes of the log that are looked at: a run of several hosts writes some hundred lines."""
SEPARATOR = re.compile(r"^-{70,}$", re.MULTILINE)
STAMPED = re.compile(r"\[(?P<stamp>[^\]]{19,40})\] ?(?P<text>.*)")
CTIME = re.compile(r"\w{3} (\w{3}) +(\d+) (\d\d:\d\d:\d\d) (\d{4})")
"""`Sat Jan  9 03:05:02 2010`: always English, whatever the locale."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
END = re.compile(r"(?:command exited with code:(?P<code>\d+)|command died with signal:\d+)$")
QUOTED = 5
"""How many of the last lines a message shows."""


@dataclass(frozen=True)
class Line:
    """A line without its timestamp, and the time if it had one."""

    text: str
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class LoggedRun:
    """The last run in the log."""

    lines: Sequence[Line]
    written: datetime
    """When the log was last written to."""

    @property
    def is_over(self) -> bool:
        """Return whether the run has its last line."""
        return bool(self.lines) and bool(END.search(self.lines[-1].text))

    @property
    def failed(self) -> bool:
        """Return whether the run ended with another code than 0, or by a signal."""
        end = END.search(self.lines[-1].text) if self.lines else None
        return bool(end) and (end is None or end["code"] != "0")

    @property
    def started(self) -> datetime:
        """Return the first time in the run, or when the log was written."""
        return next((line.at for line in self.lines if line.at), self.written)

    def quote(self) -> str:
        """Return the last lines, indented."""
        return "\n".join(f"  {line.text}" for line in self.lines[-QUOTED:])

    def count(self, words: str) -> int:
        """Return in how many lines these words are."""
        return sum(words in line.text for line in self.lines)


def read_last_run(log: Path, zone: str) -> LoggedRun | None:
    """Return the last run in the log, or in its rotated predecessor if the log is new or gone.

    Raises:
        CannotTell: the log cannot be read.
        FileNotFoundError: there is no log.
    """
    found = False
    for path in (log, log.with_name(f"{log.name}.1"), log.with_name(f"{log.name}.1.gz")):
        try:
            text, written = _tail(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise CannotTell(cannot_read(path, error)) from None
        found = True
        if text.strip():
            return LoggedRun(lines=_last_block(text, zone), written=written)
    if not found:
        raise FileNotFoundError(log)
    return None


def _tail(path: Path) -> tuple[str, datetime]:
    """Return the end of a log, and when it was written."""
    with open_untouched(path) as descriptor, open(descriptor, "rb", closefd=False) as file:
        if path.suffix == ".gz":
            content = gzip.decompress(file.read())[-TAIL:]
        else:
            file.seek(max(0, path.stat().st_size - TAIL))
            content = file.read()
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return content.decode(errors="replace"), written


def _last_block(text: str, zone: str) -> list[Line]:
    """Return the lines after the last separator."""
    block = SEPARATOR.split(text)[-1]
    return [_line(line, zone) for line in block.splitlines() if line.strip()]


def _line(text: str, zone: str) -> Line:
    """Return a line, without its timestamp if it has one."""
    stamped = STAMPED.fullmatch(text)
    moment = _moment(stamped["stamp"], zone) if stamped else None
    return Line(stamped["text"], moment) if stamped and moment else Line(text)


def _moment(stamp: str, zone: str) -> datetime | None:
    """Return the time of a stamp, cronlog's or ISO 8601; None if it is neither."""
    if found := CTIME.fullmatch(stamp):
        month, day, clock, year = found.groups()
        number = MONTHS.index(month) + 1 if month in MONTHS else 0
        stamp = f"{year}-{number:02}-{int(day):02} {clock}"
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else from_local(moment, zone)


def log_findings(
    run: LoggedRun,
    *,
    members: int,
    max_locked: timedelta,
    longest_run: timedelta,
    running: bool | None,
    now: datetime,
) -> Iterator[str]:
    """Yield what the last run in the log says went wrong.

    Args:
        run: the last run.
        members: how many backups it must have completed.
        max_locked: how long a database may be locked.
        longest_run: how long a run may take.
        running: whether the backup's lock is held; None if it is not known.
        now: the time to judge by.
    """
    if run.is_over:
        yield from run_problems(run, members)
    else:
        yield from _unfinished(run, longest_run, running=running, now=now)
    yield from lock_problems(run, max_locked, now)


def _unfinished(
    run: LoggedRun, longest: timedelta, *, running: bool | None, now: datetime
) -> Iterator[str]:
    """Yield that a run without a last line has died, or takes too long."""
    since = now - run.started
    if running is False:
        yield f"last run: died without a last line, lock free\n{run.quote()}"
    elif since > longest:
        yield f"last run: not over after {coarse(since)} (limit {coarse(longest)})\n{run.quote()}"


def run_problems(run: LoggedRun, members: int) -> Iterator[str]:
    """Yield what a run that is over says about itself: its code, its members, its snapshots."""
    if run.failed:
        yield f"last run: {run.lines[-1].text}\n{run.quote()}"
        return
    done = run.count("backup completed successfully")
    if done < members:
        yield f"last run: {done} of {members} backups completed, and exit code 0\n{run.quote()}"
    made, removed = run.count("creating snapshot"), run.count("successfully removed")
    if made > removed:
        yield f"last run: {made} snapshots made, {removed} removed\n  left over? lvs on each host"


def lock_problems(run: LoggedRun, limit: timedelta, now: datetime) -> Iterator[str]:
    """Yield database locks that were held for too long, or never released."""
    held: Line | None = None
    for line in run.lines:
        if "issuing unlock statement" in line.text:
            if held and held.at and line.at and line.at - held.at > limit:
                seconds = f"{(line.at - held.at).total_seconds():.0f} s"
                yield f"database lock held {seconds} (limit {format_duration(limit)})"
            held = None
        elif "issuing lock statement" in line.text:
            held = line
    if held is None:
        return
    since = now - held.at if held.at else None
    if run.is_over or (since and since > limit):
        age = f", issued {coarse(since)} ago" if since else ""
        yield f"database lock: no unlock in the last run{age}\n  the server's show processlist?"
