"""Queues on real databases, from a full table to a frozen server, as those on call see them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from real import Watch, watch
from servers.mariadb import MariaDBServer
from servers.postgres import PostgresServer

pytestmark = pytest.mark.server
__all__ = ["watch"]

PASSWORD = "S3cr3tW0rd"
QUEUES = ("updater", "analyze_page", "set_page_info", "analyze_keyword")
CONFIRM = 'confirm_after = "1s"'


@dataclass(frozen=True)
class Shop:
    """An application's database with four queues, and a role that may only read them."""

    server: PostgresServer
    database: str
    user: str

    @classmethod
    def on(cls, server: PostgresServer) -> Shop:
        """Create it on a server."""
        shop = cls(server, server.create_database("shop"), server.create_user("watcher", PASSWORD))
        for queue in QUEUES:
            shop.create(queue)
        return shop

    def do(self, sql: str) -> None:
        """Run SQL as the application does."""
        self.server.execute(sql, database=self.database)

    def create(self, table: str) -> None:
        """Create a queue that the role may read; the table is written as in SQL."""
        self.do(f"create table {table} (id serial, created_at timestamptz default now())")
        self.do(f'grant select on {table} to "{self.user}"')

    def fill(self, table: str, rows: int, age: int = 1) -> None:
        """Put rows in that are so many seconds old."""
        self.do(
            f"insert into {table} (created_at) "
            f"select now() - interval '{age} s' from generate_series(1, {rows})"
        )

    @property
    def url(self) -> str:
        """Where the role connects to."""
        return self.server.url(self.database, user=self.user, password=PASSWORD)

    @property
    def configuration(self) -> str:
        """The database and its four queues."""
        return databases(main=self.url) + "".join(queue(name) for name in QUEUES)


def databases(**urls: str) -> str:
    """Return the table of databases."""
    return "[databases]\n" + "".join(f'{name} = "{url}"\n' for name, url in urls.items())


def queue(name: str, table: str = "", database: str = "main", more: str = "") -> str:
    """Return the table of a queue with the usual limits."""
    return f"""
[queues.{name}]
database = "{database}"
table = "{table or name}"
max_depth = 1000
max_age = "5m"
age_column = "created_at"
runbook = "https://wiki.example.com/ops/queue-lag"
{more}
"""


@pytest.fixture
def shop(postgres: PostgresServer) -> Shop:
    return Shop.on(postgres)


@pytest.fixture
def own_shop(new_postgres: Callable[..., PostgresServer]) -> Shop:
    """On a server that the test may break."""
    return Shop.on(new_postgres())


def test_a_queue_at_its_limit_is_the_only_one_that_is_told(watch: Watch, shop: Shop) -> None:
    watch.use("queues", configuration=shop.configuration)
    assert watch.run().is_silent
    for name, rows in zip(QUEUES, (10, 1396, 3, 0), strict=True):
        shop.fill(name, rows)

    told = watch.run()

    assert (told.code, told.printed) == (1, "")
    assert told.bad == {"failed test_depth[analyze_page]"}
    assert told.subject == "[CRIT] app01 queue analyze_page: waiting: 1396 rows (limit: below 1000)"
    assert "Changed   waiting: 1396 rows now, was 0 at" in told.screen
    assert "Do        1. are the consumers alive?" in told.screen
    assert not {"updater", "set_page_info", "analyze_keyword"} & set(told.everything.split())


def test_silence_returns_with_the_rows_gone(watch: Watch, shop: Shop) -> None:
    watch.use("queues", configuration=shop.configuration)
    shop.fill("updater", 1000, age=301)
    first, second = watch.run(), watch.run()
    shop.do("delete from updater")

    assert first.bad == {"failed test_depth[updater]", "failed test_oldest_row[updater]"}
    assert (second.code, second.mails, second.posts) == (1, (), ())
    assert watch.run().is_silent


def test_a_stopped_database_is_one_message(watch: Watch, own_shop: Shop) -> None:
    """With host and port, without the password, and with a count of what waits for it."""
    watch.use("queues", configuration=own_shop.configuration, run=CONFIRM)
    own_shop.server.stop()

    told = watch.run()
    own_shop.server.start()

    place = f"127.0.0.1:{own_shop.server.port}"
    assert told.code == 1
    assert {each.partition(" test_")[0] for each in told.bad} == {"not judged"}
    assert told.subject.startswith(f"[CRIT] app01 database main: connection refused at {place}")
    assert f"connection refused at {place}; 8 checks not judged" in told.screen
    assert PASSWORD not in told.everything + watch.repository.everything_kept()
    assert watch.run().is_silent


def test_a_frozen_database_is_one_message_in_time(watch: Watch, own_shop: Shop) -> None:
    watch.use("queues", configuration=own_shop.configuration)
    assert watch.run().is_silent
    own_shop.server.freeze()

    told = watch.run()
    own_shop.server.thaw()

    assert "timed out after 5 s" in told.subject
    assert "8 checks not judged" in told.screen
    assert watch.run().is_silent


def test_a_database_that_never_answers_leaves_the_others_judged(
    watch: Watch, shop: Shop, silent_port: int
) -> None:
    mute = f"postgresql://watcher:{PASSWORD}@127.0.0.1:{silent_port}/shop"
    text = databases(main=shop.url, mute=mute) + queue("updater") + queue("crawl", database="mute")
    watch.use("queues", configuration=text)
    shop.fill("updater", 1000)

    told = watch.run()

    assert {"failed test_depth[updater]", "not judged test_depth[crawl]"} <= told.bad
    assert f"database mute: timed out after 5 s at 127.0.0.1:{silent_port}" in told.screen
    assert "waiting: 1000 rows (limit: below 1000)" in told.screen


def test_a_missing_table_is_told_and_the_others_are_judged(watch: Watch, shop: Shop) -> None:
    watch.use("queues", configuration=shop.configuration)
    shop.do("drop table analyze_keyword")

    told = watch.run()

    assert told.bad == {
        "not judged test_depth[analyze_keyword]",
        "not judged test_oldest_row[analyze_keyword]",
    }
    assert "queue analyze_keyword: table missing" in told.subject
    assert "2 checks not judged" in told.screen


def test_a_missing_right_is_told_with_the_role(watch: Watch, shop: Shop) -> None:
    watch.use("queues", configuration=databases(main=shop.url) + queue("updater"))
    shop.do(f'revoke select on updater from "{shop.user}"')

    told = watch.run()

    assert f"permission denied for table updater, as user {shop.user}" in told.screen
    assert "2 checks not judged" in told.screen


@pytest.mark.parametrize(
    ("in_sql", "in_settings"),
    [
        pytest.param('"Order"', "Order", id="upper case"),
        pytest.param('"select"', "select", id="a reserved word"),
        pytest.param('"order items-2"', "order items-2", id="a blank and a dash"),
        pytest.param("crawler.pages", "crawler.pages", id="a schema"),
        pytest.param('"Crawler"."Page"', "Crawler.Page", id="a schema in upper case"),
    ],
)
def test_a_table_is_found_by_its_own_name(
    watch: Watch, shop: Shop, in_sql: str, in_settings: str
) -> None:
    if "." in in_sql:
        schema = in_sql.partition(".")[0]
        shop.do(f'create schema {schema}; grant usage on schema {schema} to "{shop.user}"')
    shop.create(in_sql)
    shop.fill(in_sql, 1000)
    watch.use("queues", configuration=databases(main=shop.url) + queue("named", in_settings))

    assert watch.run().bad == {"failed test_depth[named]"}


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "UTC"])
@pytest.mark.parametrize("kind", ["timestamp", "timestamptz"])
def test_ages_are_right_in_whatever_zones_we_and_the_server_are(
    watch: Watch, shop: Shop, zone: str, kind: str
) -> None:
    """A time without a zone is one of the role's session, which is the server's."""
    shop.do(f"alter database \"{shop.database}\" set timezone = 'Europe/Berlin'")
    shop.do(f"create table late (created_at {kind}); create table young (created_at {kind})")
    shop.do("insert into late select now() - interval '301 s'")
    shop.do("insert into young select now() - interval '200 s'")
    shop.do(f'grant select on late, young to "{shop.user}"')
    watch.use("queues", configuration=databases(main=shop.url) + queue("late") + queue("young"))

    told = watch.run(environment={"TZ": zone})

    assert told.bad == {"failed test_oldest_row[late]"}
    assert "oldest row: 5 min" in told.subject


def test_mariadb_is_watched_as_well(watch: Watch, mariadb: MariaDBServer) -> None:
    """Its session may be in another zone than this machine and this process."""
    name, user = mariadb.create_database("queue"), mariadb.create_user("watcher", PASSWORD)
    for table, kind in (("`Order`", "datetime"), ("crawl", "timestamp")):
        mariadb.execute(f"create table {table} (created_at {kind} default now())", database=name)
        mariadb.execute(f"insert into {table} values (now() - interval 301 second)", database=name)
    mariadb.execute(f"grant select on `{name}`.* to `{user}`@'%'")
    url = mariadb.url(name, user=user, password=PASSWORD)
    entries = queue("orders", "Order") + queue("crawl")
    watch.use("queues", configuration=databases(main=url) + entries)

    told = watch.run(environment={"TZ": "Asia/Tokyo"})

    assert told.bad == {"failed test_oldest_row[orders]", "failed test_oldest_row[crawl]"}
    assert "oldest row: 5 min" in told.screen


@pytest.fixture
def spelled(shop: Shop, tmp_path: Path) -> Callable[[str], str]:
    """Writes what a way to name the shop's database needs, and gives what the table says."""
    home, server = tmp_path / "home", shop.server
    home.mkdir()
    line = f"{server.host}:{server.port}:{shop.database}:{shop.user}:{PASSWORD}\n"
    (home / ".pgpass").write_text(line)
    (home / ".pgpass").chmod(0o600)
    places = {"host": server.host, "port": str(server.port), "dbname": shop.database}
    service = "".join(f"{key}={value}\n" for key, value in {**places, "user": shop.user}.items())
    (home / ".pg_service.conf").write_text(f"[shop]\n{service}")
    address = f"{server.host}:{server.port}/{shop.database}"
    ways = {
        "pgpass": f'"postgresql://{shop.user}@{address}"',
        "an empty password and pgpass": f'"postgresql://{shop.user}:@{address}"',
        "socket": f'"postgresql:///{shop.database}?host={server.socket_directory}'
        f'&port={server.port}&user={shop.user}"',
        "sqlalchemy": f'"postgresql+psycopg2://{shop.user}:{PASSWORD}@{address}"',
        "service": '"service=shop"',
        "service URL": '"postgresql:///?service=shop"',
        "key words": f"\"host={server.host} port={server.port} dbname='{shop.database}' "
        f'user={shop.user} password={PASSWORD}"',
        "django": '"app:DATABASES.default"',
        "table": f'{{ driver = "postgres", host = "{server.host}", port = {server.port}, '
        f'user = "{shop.user}", password = "{PASSWORD}", database = "{shop.database}" }}',
    }
    return ways.__getitem__


@pytest.mark.parametrize(
    "way",
    [
        "pgpass",
        "an empty password and pgpass",
        "socket",
        "sqlalchemy",
        "service",
        "service URL",
        "key words",
        "django",
        "table",
    ],
)
def test_a_database_is_named_as_the_application_names_it(
    watch: Watch, shop: Shop, spelled: Callable[[str], str], tmp_path: Path, way: str
) -> None:
    watch.repository.write("shop/settings.py", django_settings(shop))
    app = '[app]\nconfig = "python:shop.settings"\n' if way == "django" else ""
    text = f"{app}[databases]\nmain = {spelled(way)}\n" + queue("updater")
    watch.use("queues", configuration=text)
    shop.fill("updater", 1396)

    told = watch.run(environment={"HOME": str(tmp_path / "home")})

    assert told.bad == {"failed test_depth[updater]"}
    assert PASSWORD not in told.everything + watch.repository.everything_kept()


def django_settings(shop: Shop) -> str:
    """Return the settings module of an application."""
    return f"""
        SECRET_KEY = "{PASSWORD}"
        DATABASES = {{
            "default": {{
                "ENGINE": "django.db.backends.postgresql",
                "NAME": "{shop.database}",
                "USER": "{shop.user}",
                "PASSWORD": "{PASSWORD}",
                "HOST": "{shop.server.host}",
                "PORT": "{shop.server.port}",
                "CONN_MAX_AGE": 600,
                "OPTIONS": {{"sslmode": "prefer"}},
            }}
        }}
    """


def test_a_developer_sees_ordinary_pytest_and_changes_nothing(watch: Watch, shop: Shop) -> None:
    watch.use("queues", configuration=shop.configuration)
    assert watch.run().is_silent
    before = contents(watch.repository.folder)
    shop.fill("analyze_page", 1396)

    ended = watch.pytest("monitors", "-k", "analyze_page")

    assert "waiting: 1396 rows (limit: below 1000)" in ended.stdout
    assert "1 failed, 1 passed, 6 deselected" in ended.stdout
    assert ended.returncode == 1
    assert contents(watch.repository.folder) == before


def contents(folder: Path) -> dict[str, bytes]:
    """Return the content of every file below a folder."""
    paths = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
    return {str(path): path.read_bytes() for path in paths}


def test_a_developer_reads_what_the_runner_remembers(watch: Watch, shop: Shop) -> None:
    """A queue that stands still is seen to, because the runner saw the same row before."""
    stall = 'max_stall = "1s"\nprogress_column = "id"\n'
    watch.use("queues", configuration=databases(main=shop.url) + queue("updater", more=stall))
    shop.fill("updater", 3)
    assert watch.run().is_silent
    shop.do("select pg_sleep(1.1)")

    ended = watch.pytest("monitors", "-k", "progress")

    assert "stalled: 1." in ended.stdout
    assert ended.returncode == 1
