"""Database drivers that wait for ever, without any timeout of their own, are ended in time."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from engine_runs import PLUGINS, Run, command, started
from servers import requirements
from servers.mariadb import MariaDBServer
from servers.postgres import PostgresServer
from servers.processes import wait_until

pytestmark = [pytest.mark.server, pytest.mark.timeout(60)]

CONNECT = {
    "new_postgres": "import psycopg2; connection = psycopg2.connect({url!r})",
    "new_mariadb": (
        "import pymysql; connection = pymysql.connect(host={host!r}, port={port}, user='root')"
    ),
}
QUERY = """
import pathlib, pytest, time

def test_query():
    {connect}
    cursor = connection.cursor()
    cursor.execute("select 1")
    pathlib.Path("connected").touch()
    while not pathlib.Path("frozen").exists():
        time.sleep(0.01)
    cursor.execute("select 2")

@pytest.mark.parametrize("number", range(10))
def test_well(number): pass
"""


@pytest.mark.parametrize("server", CONNECT)
def test_a_query_on_a_frozen_server_is_ended(
    server: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    start: Callable[[], PostgresServer | MariaDBServer] = request.getfixturevalue(server)
    frozen = start()
    connect = CONNECT[server].format(url=frozen.url(), host=frozen.host, port=frozen.port)
    (tmp_path / "test_it.py").write_text(QUERY.format(connect=connect), encoding="utf-8")
    with started(tmp_path, "--yakei-slots=4", "--timeout=3") as process:
        wait_until((tmp_path / "connected").exists, "the check's connection")
        frozen.freeze()
        try:
            (tmp_path / "frozen").touch()
            process.wait(15)
        finally:
            frozen.thaw()
    ended = Run.read(tmp_path, process.returncode)

    assert ended.outcomes.pop("test_query") == "failed"
    assert "imeout" in ended.output or "timed out after 3 s" in ended.output
    assert [outcome for name, outcome in ended.outcomes.items() if "well" in name] == [
        "passed"
    ] * 10
    assert ended.tests["test_query"]["call"]["duration"] < 5


BLACK_HOLE = """
import psycopg2, pymysql, pytest, requests

def test_libpq(): psycopg2.connect(host="127.0.0.1", port=5999)
def test_pymysql(): pymysql.connect(host="127.0.0.1", port=5999, connect_timeout=1000)
def test_requests(): requests.get("http://127.0.0.1:5999/", timeout=None)

@pytest.mark.parametrize("number", range(10))
def test_well(number): pass
"""
DROP = """
ip link set lo up
{nft} add table inet hole
{nft} 'add chain inet hole input {{ type filter hook input priority 0; }}'
{nft} add rule inet hole input tcp dport 5999 drop
exec "$@"
"""


def test_a_host_that_swallows_every_packet_is_given_up(tmp_path: Path) -> None:
    nft = requirements.program("nft", what="nftables", package="nftables")
    (tmp_path / "test_it.py").write_text(BLACK_HOLE, encoding="utf-8")
    pytest_ = command(tmp_path, "--yakei-slots=4", "--timeout=1")
    ended = subprocess.run(
        ["unshare", "--net", "sh", "-ec", DROP.format(nft=nft), "sh", *pytest_],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(PLUGINS)},
        capture_output=True,
        timeout=30,
        check=False,
    )
    outcomes = Run.read(tmp_path, ended.returncode, ended.stdout.decode()).outcomes

    assert {name: outcomes.pop(name) for name in list(outcomes) if "well" not in name} == {
        "test_libpq": "failed",
        "test_pymysql": "failed",
        "test_requests": "failed",
    }
    assert list(outcomes.values()) == ["passed"] * 10
