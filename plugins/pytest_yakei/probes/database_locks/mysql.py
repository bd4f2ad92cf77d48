"""Asks MySQL or MariaDB who waits for a row, a definition, or the right to write at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import Any, NamedTuple

from pytest_yakei.databases import Cause, Database, QueryFailed
from pytest_yakei.probes.database_locks import statements_of_mysql as ask
from pytest_yakei.probes.database_locks.sessions import (
    Case,
    Session,
    described,
    duration,
    hidden,
    roots,
    wait,
)
from pytest_yakei.probes.database_locks.statements import head
from yakei_shared.durations import format_duration

_WRITES_WAIT = {
    "Waiting for global read lock",
    "Waiting for backup lock",
    "Waiting for commit lock",
}
_DEFINITION_WAIT = (" metadata lock", "Waiting for table flush")
_TABLE_WAIT = {"Waiting for table level lock", "Waiting for table lock"}
_ADVISORY_WAIT = {"User lock"}
_OWN_USERS = {"system user", "event_scheduler"}
_OWN_COMMANDS = {"Binlog Dump", "Binlog Dump GTID", "Daemon", "Slave_IO", "Slave_SQL"}
_HIDDEN = (
    "show full processlist: who idles and was there before?\n"
    "          MariaDB tells it from then on:  install soname 'metadata_lock_info'"
)
_SETTLE = "xa recover,  and as the transaction manager has decided:  xa commit  or  xa rollback"
_SUSPECTS = 2
_MYSQL_8 = 8


class _Transaction(NamedTuple):
    number: Any
    pid: int
    age: Any
    waited: Any
    locked_rows: int


class MySQLLocks:
    """The sessions of the whole server."""

    look = "select * from information_schema.processlist where id in ({pids})"
    cancel = "kill query {pid}"
    end = "kill {pid}"

    def __init__(self, database: Database, *, advisory: bool) -> None:
        self._database = database
        self._advisory = advisory

    def waits(self) -> list[Case]:
        """Return the clients that wait for rows, tables, or locks that the application names."""
        states = _TABLE_WAIT | _ADVISORY_WAIT if self._advisory else _TABLE_WAIT
        others = [session for session in self._clients() if session.state in states]
        return [*self._row_waits(), *(_waiting(session, advice=_HIDDEN) for session in others)]

    def metadata_waits(self) -> list[Case]:
        """Return the clients that wait for a definition, and the open transactions that may use it.

        Every later statement on the table waits behind the first one that wants to change it.
        """
        waiting = [s for s in self._clients() if s.state.endswith(_DEFINITION_WAIT)]
        ages = {row.pid: duration(row.age) for row in self._transactions}
        open_ = [s for s in self._clients() if s.pid in ages and s not in waiting]
        suspects = sorted(open_, key=lambda s: ages[s.pid], reverse=True)[:_SUSPECTS]
        return [_waiting(session, suspects, advice=_HIDDEN) for session in waiting]

    def idle(self) -> list[Case]:
        """Return the clients whose transaction is open while they do nothing."""
        threads = {row.pid for row in self._transactions}
        return [
            Case(age=session.age, text=str(session), pids=(session.pid,))
            for session in self._clients()
            if session.pid in threads and session.state == "idle in transaction"
        ]

    def transactions(self) -> list[Case]:
        """Return the clients that are in a transaction of InnoDB, busy or not."""
        sessions = {session.pid: session for session in self._clients()}
        return [
            Case(
                age=age,
                text=f"{sessions[row.pid]}, in a transaction for {format_duration(age)}",
                query=sessions[row.pid].query,
                pids=(row.pid,),
            )
            for row in self._transactions
            if row.pid in sessions
            for age in [duration(row.age)]
        ]

    def prepared(self) -> list[Case]:
        """Return the transactions without a session: prepared by XA, and left so."""
        return [
            Case(
                age=duration(row.age),
                text=f"transaction {row.number}, without a session",
                advice=_SETTLE,
            )
            for row in self._transactions
            if not row.pid
        ]

    def write_stops(self) -> list[Case]:
        """Return who holds the global read lock, where that is visible, and the writes behind it.

        `flush tables with read lock` itself counts while it waits for a long statement: all writes
        wait behind it already.
        """
        held = self._read_locks()
        holders = [self._sessions[pid] for pid, _, _ in held if pid in self._sessions]
        waiting = [s for s in self._clients() if s.state in _WRITES_WAIT and s not in holders]
        return [
            *(self._holding(*row) for row in held if row[0] in self._sessions),
            *(_waiting(session, holders, advice=_HIDDEN) for session in waiting),
        ]

    def count(self) -> int:
        """Return how many rows InnoDB's transactions have locked."""
        return sum(int(row.locked_rows) for row in self._transactions)

    @cached_property
    def _transactions(self) -> list[_Transaction]:
        """The transactions of others.

        Raises:
            ResourceUnavailable: we lack the right; the list of sessions would then just be shorter.
        """
        try:
            return [_Transaction(*row) for row in self._database.rows(ask.TRANSACTIONS)]
        except QueryFailed as failure:
            if failure.cause is not Cause.DENIED:
                raise
        user = self._database.scalar("select current_user()")
        raise hidden(self._database, f"needs PROCESS: grant process on *.* to {user}")

    @cached_property
    def _sessions(self) -> dict[int, Session]:
        threads = {row.pid for row in self._transactions}  # first: it demands the right
        return {row[0]: _session(row, threads) for row in self._database.rows(ask.SESSIONS)}

    def _clients(self) -> list[Session]:
        return [session for session in self._sessions.values() if session.is_client]

    @cached_property
    def _is_mysql_8(self) -> bool:
        version = str(self._database.scalar("select version()"))
        return "mariadb" not in version.lower() and int(version.partition(".")[0]) >= _MYSQL_8

    def _row_waits(self) -> list[Case]:
        waiting = [row for row in self._transactions if row.waited is not None]
        sessions = self._sessions
        blocked_by, locks = self._blockers() if waiting else ({}, {})
        return [
            wait(
                sessions[row.pid],
                duration(row.waited),
                locks.get(row.pid, "a row"),
                roots(row.pid, blocked_by),
                sessions,
            )
            for row in waiting
            if row.pid in sessions and sessions[row.pid].is_client
        ]

    def _blockers(self) -> tuple[dict[int, list[int]], dict[int, str]]:
        """Return who is right before each that waits for a row, and what it waits for."""
        threads = {str(row.number): row.pid for row in self._transactions}
        blocked_by: dict[int, list[int]] = defaultdict(list)
        locks: dict[int, str] = {}
        rows = self._database.rows(ask.BLOCKERS_OF_MYSQL_8 if self._is_mysql_8 else ask.BLOCKERS)
        for waiter, blocker, mode, table in rows:
            if {str(waiter), str(blocker)} <= threads.keys():
                blocked_by[threads[str(waiter)]].append(threads[str(blocker)])
                locks[threads[str(waiter)]] = f"a row of {table} ({mode})"
        return blocked_by, locks

    def _read_locks(self) -> list[tuple[Any, ...]]:
        _ = self._transactions  # demands the right to see them all
        if self._is_mysql_8:
            return self._database.rows(ask.READ_LOCKS_OF_MYSQL_8)
        if not self._database.scalar(ask.HAS_LOCK_INFO):
            return []
        return self._database.rows(ask.READ_LOCKS)

    def _holding(self, pid: int, seconds: Any, mode: str) -> Case:
        age, session = duration(seconds), self._sessions[pid]
        return Case(
            age=age,
            text=f"{session.name} holds the global read lock ({mode}) for {format_duration(age)}",
            query=session.query,
            pids=(pid,),
        )


def _waiting(session: Session, before: Iterable[Session] = (), *, advice: str) -> Case:
    """Return a session that waits as its state says; who it waits for may not be visible."""
    there = tuple(before)
    return Case(
        age=session.age,
        text=str(session),
        query=session.query,
        blockers=tuple(map(described, there)),
        pids=tuple(blocker.pid for blocker in there),
        advice=advice,
    )


def _session(row: tuple[Any, ...], threads: set[int]) -> Session:
    pid, user, host, command, seconds, state, info = row
    asleep = "idle in transaction" if pid in threads else "idle"
    return Session(
        pid=pid,
        who=f"user {user} from {str(host).rpartition(':')[0] or host}",
        state=asleep if command == "Sleep" else str(state or command),
        age=duration(seconds),
        query=head(info, is_mysql=True),
        is_client=user not in _OWN_USERS and command not in _OWN_COMMANDS,
    )
