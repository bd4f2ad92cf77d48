"""What `[pidfiles.NAME]` may say, and what a pid file itself may hold."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_yakei.errors import CannotTell
from pytest_yakei.probes.pidfiles.content import parse, read
from pytest_yakei.probes.pidfiles.settings import Settings
from pytest_yakei.probes.processes import LARGEST_PID

POSTMASTER = "4711\n/var/lib/pg\n1262304000\n5433\n/run/pg\n{host}\n  5432001    196608\nready\n"


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        pytest.param({}, "program: missing", id="nobody"),
        pytest.param({"program": "httpd", "port": 0}, "port: expected 1 to 65535", id="no port"),
        pytest.param({"program": "a", "port": 1, "socket": Path("s")}, "socket: ", id="two places"),
        pytest.param({"program": "a", "answer": "http"}, "answer: nothing is asked", id="nowhere"),
        pytest.param({"command": "("}, "command: not a regular expression", id="expression"),
    ],
)
def test_settings_that_judge_nothing_are_refused(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Settings(path=Path("httpd.pid"), **settings)


def test_a_postmaster_file_says_by_itself_whose_it_is() -> None:
    settings = Settings(path=Path("/var/lib/pg/postmaster.pid"))

    assert settings.program_name == "postgres"
    assert settings.working_directory == Path("/var/lib/pg")


def test_a_program_may_be_given_with_its_folder() -> None:
    assert Settings(path=Path("a.pid"), program="/usr/sbin/httpd").program_name == "httpd"


@pytest.mark.parametrize("text", ["42", "42\n", " 42 \n", "0042\n", "42\nand more\n"])
def test_the_first_line_is_the_pid(text: str) -> None:
    content = parse(text, is_postmaster=False)

    assert content
    assert content.pid == 42


@given(st.text())
def test_no_text_is_taken_for_an_impossible_pid(text: str) -> None:
    for is_postmaster in (False, True):
        content = parse(text, is_postmaster=is_postmaster)

        assert content is None or 0 < content.pid <= LARGEST_PID


@given(st.lists(st.text(), max_size=8))
def test_no_postmaster_file_is_too_broken_to_be_read(lines: list[str]) -> None:
    content = parse("\n".join(["42", *lines]), is_postmaster=True)

    assert content
    assert content.pid == 42


@pytest.mark.parametrize(
    ("host", "address"),
    [
        pytest.param("*", ("127.0.0.1", 5433), id="all addresses"),
        pytest.param("::", ("::1", 5433), id="all IPv6 addresses"),
        pytest.param("db01", ("db01", 5433), id="one address"),
        pytest.param("", Path("/run/pg/.s.PGSQL.5433"), id="its socket only"),
    ],
)
def test_a_postmaster_file_says_where_it_listens(host: str, address: object) -> None:
    content = parse(POSTMASTER.format(host=host), is_postmaster=True)

    assert content
    assert content.address == address
    assert content.started == datetime(2010, 1, 1, tzinfo=UTC)
    assert content.data_directory == Path("/var/lib/pg")


def test_a_negative_pid_is_a_postgresql_in_single_user_mode() -> None:
    content = parse("-42\n/var/lib/pg\n1262304000\n", is_postmaster=True)

    assert content
    assert (content.pid, content.is_stand_alone) == (42, True)


def test_reading_leaves_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "httpd.pid"
    path.write_text("42\n")
    os.utime(path, (0, 0))

    reading = read(path)

    assert reading
    assert (reading.text, reading.owner) == ("42\n", os.getuid())
    assert path.stat().st_atime == 0


def test_a_file_that_is_none_is_not_opened(tmp_path: Path) -> None:
    """To open a named pipe could set its writer free."""
    os.mkfifo(tmp_path / "httpd.pid")

    with pytest.raises(CannotTell, match="is not a regular file"):
        read(tmp_path / "httpd.pid")
