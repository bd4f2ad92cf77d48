"""Says who holds a lock or what a left flag means, and what to do about it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pytest_yakei.probes.lockfiles.kernel import Holder, Holding
from pytest_yakei.probes.processes import at


def lock_lines(path: Path, found: Holding) -> list[str]:
    """Return who holds a lock, one line each, and the steps to take."""
    waiting = [f"{found.waiting} more wait for it."] if found.waiting else []
    pids = [str(holder.process.pid) for holder in found.holders if holder.process]
    shown = ",".join(pids) or "ITS_PID"
    return [
        *(f"{path} is held by {_described(holder)}" for holder in found.holders),
        *waiting,
        "",
        "Do NOT    remove the file: the next job would lock a new one and run beside this one.",
        f"Do        1. what does it wait for?   ps -o pid,stat,wchan:20,etime,args -p {shown}",
        f"          2. only if it hangs:          kill {shown.replace(',', ' ')}",
        "          3. the lock goes with the last process that has it; next run is green",
    ]


def flag_lines(path: Path, lock: Path | None, set_at: datetime) -> list[str]:
    """Return since when a flag is set, why that is wrong, and the steps to take."""
    idle = [f"{lock} is not held: the job that set the flag has ended without it."] if lock else []
    check = f"does its job really not run?   fuser -v {lock or path}"
    return [
        f"{path} was set {at(set_at)}.",
        *idle,
        "",
        f"Do        1. {check}",
        f"          2. rm {path}",
    ]


def _described(holder: Holder) -> str:
    process, lock = holder.process, holder.lock
    if process is None:
        who = f"pid {lock.pid}" if lock.pid > 0 else "a process"
        return f"{who} that this user cannot see ({lock.kind_name} lock)"
    who = f"pid {process.pid}: {process.command_line}"
    known = f"user {process.user}, started {at(process.started)}, state {process.stat.state}"
    heir = (
        f"; inherited from pid {lock.pid}, which has it no longer" if holder.has_inherited else ""
    )
    return f"{who} ({known}; {lock.kind_name} lock{heir})"
