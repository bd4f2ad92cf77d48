"""MySQL 8 keeps its locks elsewhere than MariaDB: judged by recorded answers."""

from __future__ import annotations

from typing import Any

from pytest_yakei.probes.database_locks import statements_of_mysql as ask
from pytest_yakei.probes.database_locks.mysql import MySQLLocks

UPDATE = "update orders set note = 'top secret' where id = 1"


class Recorded:
    """A database that answers as MySQL 8.0 does: there is no such server on a Debian machine."""

    where = "main (db01:3306/shop)"

    def __init__(self, answers: dict[str, list[tuple[Any, ...]]]) -> None:
        self._answers = {"select version()": [("8.0.36",)], **answers}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what was recorded for the statement."""
        return self._answers[sql]

    def scalar(self, sql: str) -> Any:
        """Return the one value that was."""
        return self._answers[sql][0][0]


MYSQL_8 = Recorded(
    {
        ask.TRANSACTIONS: [("9021", 12, 95, 90, 1), ("9020", 11, 130, None, 1)],
        ask.SESSIONS: [
            (11, "batch", "10.0.0.5:40112", "Sleep", 120, "", None),
            (12, "web", "10.0.0.6:51820", "Query", 90, "updating", UPDATE),
            (13, "root", "localhost", "Sleep", 40, "", None),
            (14, "web", "10.0.0.6:51822", "Query", 38, "Waiting for global read lock", UPDATE),
            (5, "event_scheduler", "localhost", "Daemon", 9999, "Waiting on empty queue", None),
            (6, "repl", "10.0.0.7:33070", "Binlog Dump GTID", 9999, "Source has sent", None),
            (7, "system user", "", "Connect", 50, "Waiting for global read lock", None),
        ],
        ask.BLOCKERS_OF_MYSQL_8: [("9021", "9020", "X,REC_NOT_GAP", "`shop`.`orders`")],
        ask.READ_LOCKS_OF_MYSQL_8: [(13, 40, "GLOBAL SHARED")],
    }
)


def test_mysql_8_tells_row_waits_in_its_performance_schema() -> None:
    (case,) = MySQLLocks(MYSQL_8, advisory=True).waits()  # type: ignore[arg-type]  # recorded

    assert case.text == (
        "pid 12 (user web from 10.0.0.6) waits 1 min 30 s for a row of `shop`.`orders` "
        "(X,REC_NOT_GAP)"
    )
    assert case.blockers == ("pid 11 (user batch from 10.0.0.5) idle in transaction for 2 min",)


def test_mysql_8_tells_who_holds_the_global_read_lock() -> None:
    """The server's own threads, such as a replica's, are nobody's sessions."""
    cases = MySQLLocks(MYSQL_8, advisory=True).write_stops()  # type: ignore[arg-type]  # recorded

    assert [case.text for case in cases] == [
        "pid 13 (user root from localhost) holds the global read lock (GLOBAL SHARED) for 40 s",
        "pid 14 (user web from 10.0.0.6) Waiting for global read lock for 38 s",
    ]
    assert [case.pids for case in cases] == [(13,), (13,)]
