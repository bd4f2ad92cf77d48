"""Asks PostgreSQL who waits for a lock, who holds one and idles, and what was left prepared."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from pytest_yakei.databases import Database
from pytest_yakei.errors import CannotTell
from pytest_yakei.probes.database_locks.sessions import (
    Case,
    Session,
    duration,
    hidden,
    roots,
    wait,
)
from pytest_yakei.probes.database_locks.statements import head
from yakei_shared.durations import format_duration

_SEES_ALL = "select pg_has_role(current_user, 'pg_read_all_stats', 'usage'), current_user"
_ACTIVITY = """
select pid, usename, application_name, state, backend_type, query,
       coalesce(datname = current_database(), false),
       extract(epoch from clock_timestamp() - state_change),
       extract(epoch from clock_timestamp() - xact_start)
from pg_stat_activity where pid <> pg_backend_pid()
"""
_WAITS = """
select l.pid, l.locktype, l.mode, l.relation::regclass::text, pg_blocking_pids(l.pid),
       extract(epoch from clock_timestamp()
                          - coalesce((to_jsonb(l) ->> 'waitstart')::timestamptz, a.state_change))
from pg_locks l join pg_stat_activity a on a.pid = l.pid
where not l.granted and a.pid <> pg_backend_pid() and a.datname = current_database()
"""
"""Before version 14 there is no waitstart, and the start of the statement has to do."""
_PREPARED = """
select gid, owner, extract(epoch from clock_timestamp() - prepared)
from pg_prepared_xacts where database = current_database()
"""
_COUNT = "select count(*) from pg_locks where pid is distinct from pg_backend_pid()"
_SETTLE = """\
1. ask the transaction manager whether it still knows the transaction
          2. as it has decided:  commit prepared 'NAME'  or  rollback prepared 'NAME'"""


class _Activity(NamedTuple):
    pid: int
    user: str | None
    application: str | None
    state: str | None
    kind: str | None
    query: str | None
    is_here: bool
    age: Any
    transaction_age: Any


class PostgresLocks:
    """The sessions of the database that the connection is in; those of others are not judged."""

    look = "select * from pg_stat_activity where pid in ({pids})"
    cancel = "select pg_cancel_backend({pid})"
    end = "select pg_terminate_backend({pid})"

    def __init__(self, database: Database, *, advisory: bool) -> None:
        self._database = database
        self._advisory = advisory

    def waits(self) -> list[Case]:
        """Return the clients that wait for a lock, with those at the root of it."""
        sessions = self._sessions
        rows = self._database.rows(_WAITS)
        blocked_by = {row[0]: row[4] for row in rows}
        return [
            wait(
                sessions[pid],
                duration(waited),
                _lock(kind, mode, relation),
                roots(pid, blocked_by),
                sessions,
            )
            for pid, kind, mode, relation, _, waited in rows
            if pid in sessions and sessions[pid].is_client
            if self._advisory or kind != "advisory"
        ]

    def metadata_waits(self) -> list[Case]:
        """Return nothing: PostgreSQL's waits for a table are among all others."""
        return []

    def idle(self) -> list[Case]:
        """Return the clients whose transaction is open while they do nothing."""
        return [
            Case(age=session.age, text=str(session), query=session.query, pids=(session.pid,))
            for session, _ in self._clients()
            if session.state.startswith("idle in transaction")
        ]

    def transactions(self) -> list[Case]:
        """Return the clients that are in a transaction, busy or not."""
        return [
            Case(
                age=age,
                text=f"{session}, in a transaction for {format_duration(age)}",
                query=session.query,
                pids=(session.pid,),
            )
            for session, row in self._clients()
            if row.transaction_age is not None
            for age in [duration(row.transaction_age)]
        ]

    def prepared(self) -> list[Case]:
        """Return the transactions that were prepared for a two-phase commit and left so."""
        return [
            Case(
                age=duration(age),
                text=f"transaction '{name}' of user {owner}, prepared",
                advice=_SETTLE,
            )
            for name, owner, age in self._database.rows(_PREPARED)
        ]

    def write_stops(self) -> list[Case]:
        """Return nothing: PostgreSQL has no lock that stops every write."""
        return []

    def count(self) -> int:
        """Return how many locks the whole server's sessions hold or wait for, but for ours."""
        return int(self._database.scalar(_COUNT))

    @cached_property
    def _activity(self) -> list[_Activity]:
        sees_all, user = self._database.row(_SEES_ALL)
        if not sees_all:
            grant = f"needs pg_monitor: grant pg_monitor to {self._database.quote(user)}"
            raise hidden(self._database, grant)
        return [_Activity(*row) for row in self._database.rows(_ACTIVITY)]

    @cached_property
    def _sessions(self) -> dict[int, Session]:
        return {row.pid: _session(row) for row in self._activity}

    def _clients(self) -> list[tuple[Session, _Activity]]:
        """Return the clients of this database.

        Raises:
            CannotTell: one of them does not tell its state.
        """
        clients = [(self._sessions[row.pid], row) for row in self._activity if row.is_here]
        clients = [(session, row) for session, row in clients if session.is_client]
        if mute := [str(row.pid) for _, row in clients if row.state == "disabled"]:
            raise CannotTell(f"track_activities is off for pid {', '.join(mute)}")
        return clients


def _session(row: _Activity) -> Session:
    is_client = row.kind == "client backend"
    whose = [f"user {row.user}"] if row.user else []
    application = [f"application {row.application}"] if row.application else []
    return Session(
        pid=row.pid,
        who=", ".join([*([] if is_client else [str(row.kind)]), *whose, *application]),
        state=row.state or "at work",
        age=duration(row.age),
        query=head(row.query, is_mysql=False),
        is_client=is_client,
    )


def _lock(kind: str, mode: str, relation: str | None) -> str:
    """Return what a session waits for; a row that was changed is its transaction's lock."""
    words = {
        "relation": f"table {relation}",
        "tuple": f"a row of {relation}",
        "transactionid": "a row that another transaction has changed",
        "advisory": "an advisory lock",
    }
    return f"{words.get(kind, kind)} ({mode})"
