"""The ready-made checks of queues through a whole run: the application, its database, the mail."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from receivers import MailServer
from repository import READY_MADE, Repository, mail_table, subjects
from servers.postgres import PostgresServer

pytestmark = pytest.mark.slow  # each starts whole runs

DEPTHS = {"updater": 10, "analyze_page": 1396, "set_page_info": 3, "analyze_keyword": 0}
LIMIT = "max_depth = 1000"


def configure(
    repository: Repository, mail: MailServer, url: str = "sqlite:///queues.sqlite3", **more: str
) -> None:
    """Watch the four queues, each with a limit of 1000 unless `more` names another."""
    tables = "".join(
        f'[queues.{name}]\ndatabase = "queue"\ntable = "{name}"\n{more.get(name, LIMIT)}\n'
        for name in DEPTHS
    )
    databases = f'[databases]\nqueue = "{url}"\n'
    repository.configure(mail_table(mail) + databases + tables)
    repository.check("queues", (READY_MADE / "test_queues.py").read_text())


def fill(repository: Repository, **depths: int) -> None:
    """Make the queues anew, with so many rows in each."""
    file = repository.folder / "queues.sqlite3"
    file.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as connection, connection:
        for name, depth in depths.items():
            connection.execute(f"create table {name} (id integer primary key, created_at text)")
            rows = ((str(datetime.now(UTC)),) for _ in range(depth))
            connection.executemany(f"insert into {name} (created_at) values (?)", rows)


def test_the_queue_that_is_too_long_is_named_and_no_other(
    repository: Repository, mail: MailServer
) -> None:
    configure(repository, mail)
    fill(repository, **DEPTHS)

    ran = repository.run()

    (received,) = mail.mails
    top = "\n".join([received.message["Subject"], *received.text.splitlines()[:15]])
    assert (ran.code, ran.stdout) == (1, "")
    assert all(word in top for word in ("analyze_page", "1396", "1000"))
    assert not any(f"queue {name}" in top for name in DEPTHS if name != "analyze_page")
    assert len(received.message["Subject"]) <= 78


@pytest.mark.parametrize(("depth", "code"), [(999, 0), (1000, 1), (1001, 1)])
def test_the_limit_is_strict(
    repository: Repository, mail: MailServer, depth: int, code: int
) -> None:
    configure(repository, mail)
    fill(repository, **{**DEPTHS, "analyze_page": depth})

    assert repository.run().code == code


def test_a_missing_table_is_no_empty_queue_and_the_others_are_judged(
    repository: Repository, mail: MailServer
) -> None:
    configure(repository, mail)
    fill(repository, **{name: 1 for name in DEPTHS if name != "analyze_keyword"})

    ran = repository.run()

    assert ran.code == 1
    assert "analyze_keyword" in subjects(mail)[0]
    assert "no such table" in mail.mails[0].text or "missing" in mail.mails[0].text


def test_two_queues_over_the_limit_are_one_message(
    repository: Repository, mail: MailServer
) -> None:
    configure(repository, mail, updater="max_depth = 50")
    fill(repository, **{**DEPTHS, "updater": 60})

    ran = repository.run()

    (received,) = mail.mails
    assert (ran.code, "2 failing, 2 new" in received.message["Subject"]) == (1, True)
    assert "60" in received.text
    assert "below 50" in received.text
    assert "1396" in received.text


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        pytest.param("select null", "no value", id="NULL"),
        pytest.param("select 1 where 1 = 0", "no row", id="no row"),
        pytest.param("select 1 union select 2", "2 rows", id="two rows"),
        pytest.param("select '1396'", "1396", id="text"),
    ],
)
def test_a_statement_of_ones_own_has_to_give_one_number(
    repository: Repository, mail: MailServer, sql: str, told: str
) -> None:
    fill(repository)
    repository.configure(f"""
{mail_table(mail)}
[databases]
queue = "sqlite:///queues.sqlite3"

[queues.own]
database = "queue"
sql = "{sql}"
max_depth = 1000
""")
    repository.check("queues", (READY_MADE / "test_queues.py").read_text())

    ran = repository.run()

    assert ran.code == 1
    assert told in mail.mails[0].text


@pytest.mark.parametrize(
    ("age", "code", "told"),
    [
        (timedelta(seconds=280), 0, ""),
        (timedelta(seconds=301), 1, "oldest row: 5 min "),
        (-timedelta(hours=2), 1, "clock"),
    ],
    ids=["young", "old", "future"],
)
def test_the_oldest_row_has_an_age(
    repository: Repository, mail: MailServer, age: timedelta, code: int, told: str
) -> None:
    with_age = f'{LIMIT}\nmax_age = "5m"\nage_column = "created_at"'
    configure(repository, mail, analyze_page=with_age)
    fill(repository, **{**DEPTHS, "analyze_page": 0})
    with closing(sqlite3.connect(repository.folder / "queues.sqlite3")) as connection, connection:
        at = str(datetime.now(UTC) - age)
        connection.execute("insert into analyze_page (created_at) values (?)", (at,))

    ran = repository.run()

    assert ran.code == code
    assert told in "".join(each.text for each in mail.mails)


def test_a_later_failure_says_what_it_was_before(repository: Repository, mail: MailServer) -> None:
    configure(repository, mail)
    codes = []
    for depth in (900, 980, 995, 1396):
        fill(repository, **{**DEPTHS, "analyze_page": depth})
        codes.append(repository.run().code)

    assert codes == [0, 0, 0, 1]
    assert "1396 rows now, was 995 at" in mail.mails[0].text


def test_a_database_that_is_down_is_one_cause_for_all_its_queues(
    repository: Repository, mail: MailServer, closed_port: int
) -> None:
    configure(repository, mail, f"postgresql://app:S3cr3tWord@127.0.0.1:{closed_port}/queue")

    ran = repository.run()

    (received,) = mail.mails
    assert (ran.code, "database queue" in received.message["Subject"]) == (1, True)
    assert f"127.0.0.1:{closed_port}" in received.text
    assert "4 checks not judged" in received.text
    assert "S3cr3tWord" not in received.text


@pytest.mark.server
def test_a_real_server_is_judged_and_its_end_is_one_cause(
    repository: Repository, mail: MailServer, new_postgres: Callable[[], PostgresServer]
) -> None:
    server = new_postgres()
    for name, depth in DEPTHS.items():
        server.execute(f"create table {name} as select generate_series(1, {depth}) as id")
    configure(repository, mail, server.url())

    over = repository.run()
    server.stop()
    down = repository.run()

    assert (over.code, down.code) == (1, 1)
    assert "1396 rows" in subjects(mail)[0]
    assert "database queue" in subjects(mail)[1]
    assert "4 checks not judged" in mail.mails[1].text


@pytest.mark.server
def test_a_real_server_that_stops_answering_ends_in_time(
    repository: Repository, mail: MailServer, new_postgres: Callable[[], PostgresServer]
) -> None:
    server = new_postgres()
    for name in DEPTHS:
        server.execute(f"create table {name} (id integer)")
    configure(repository, mail, server.url())
    well = repository.run()
    server.freeze()
    try:
        frozen = repository.run("--deadline", "40s")
    finally:
        server.thaw()

    assert (well.code, frozen.code, frozen.seconds < 42) == (0, 1, True)
    assert "database queue" in subjects(mail)[0]
