"""The rows about a database: many checks that each ask one PostgreSQL for one value."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from stage import ROOT, Row, Spent, compare, in_slots, spend

sys.path[:0] = [str(ROOT / "plugins"), str(ROOT / "plugins/tests")]

if TYPE_CHECKING:
    from servers.postgres import PostgresServer

CHECK_PGSQL = "/usr/lib/nagios/plugins/check_pgsql"
SERVERS = Path("/usr/lib/postgresql")
COUNT = 500
SLOTS = 32
ROUNDS = 3

CHECKS = f"""
import pytest
@pytest.mark.parametrize("number", range({COUNT}))
def test_answers(database, number):
    assert database("main").scalar("select 1") == 1
"""


def sql(folder: Path, _: str) -> Iterator[Row]:
    """500 SQL checks on one PostgreSQL: wall, and the connections that it took."""
    if not any(SERVERS.glob("*/bin/postgres")):
        print("  the PostgreSQL server is missing: apt-get install postgresql")
        return
    with _server() as server:
        (folder / "test_it.py").write_text(CHECKS, encoding="utf-8")
        place = f'[databases.main]\nurl = "{server.url()}"\n'
        (folder / "yakei.toml").write_text(place, encoding="utf-8")
        configured = f"--yakei-config={folder / 'yakei.toml'}"
        ways = {"slots": lambda: spend(in_slots(folder, SLOTS, configured)), **_others(server)}
        slow = {name: ways.pop(name) for name in list(ways) if "check_postgres" in name}
        taken = compare(ways, ROUNDS)
        used = _connections(server, ways["slots"])
        taken |= compare(slow, 1)  # half a minute each
    for name, goal in (("xargs -P32 check_pgsql", 0.5), ("xargs -P32 check_postgres", 0.05)):
        if name in taken:
            shown = (f"{taken['slots']:.2f} s", f"{name}: {taken[name]:.2f} s")
            yield Row("500 SQL checks, wall", *shown, taken["slots"] / taken[name], goal)
    yield Row("connections opened for them", str(used), f"slots: {SLOTS}", used / SLOTS, 1.0)


def _others(server: PostgresServer) -> dict[str, Callable[[], Spent]]:
    """Return the programs that people would use instead, as far as they are installed."""
    host, port = server.host, server.port
    pgsql = f"{CHECK_PGSQL} -H {host} -P {port} -d postgres -l postgres -q 'select 1'"
    perl = (
        "check_postgres --action=custom_query --query='select 1 as result' --critical=2"
        f" --host={host} --port={port} --db=postgres --dbuser=postgres"
    )
    known = {
        "check_pgsql": (CHECK_PGSQL, "monitoring-plugins-standard", pgsql),
        "check_postgres": ("check_postgres", "check-postgres", perl),
    }
    found: dict[str, Callable[[], Spent]] = {}
    for name, (program, package, command) in known.items():
        if shutil.which(program) is None:
            print(f"  {name} is missing: apt-get install --no-install-recommends {package}")
            continue
        # No shell between: each check is one start of the program, and nothing else.
        line = ["sh", "-c", f"seq {COUNT} | xargs -P{SLOTS} -I% {command} >/dev/null"]
        found[f"xargs -P{SLOTS} {name}"] = partial(spend, line)
    return found


def _connections(server: PostgresServer, run: Callable[[], Spent]) -> int:
    """Return how many connections a run opens, by the server's own log."""

    def opened() -> int:
        text = server.log.read_text(encoding="utf-8", errors="replace")
        return text.count("connection authorized")

    before = opened()
    run()
    return opened() - before


@contextmanager
def _server() -> Iterator[PostgresServer]:
    from servers import requirements
    from servers.postgres import cluster_template, postgres_server

    programs = requirements.postgresql_programs()
    with (
        cluster_template(programs) as template,
        postgres_server(template, programs, log_connections="on") as server,
    ):
        yield server
