"""On a terminal, a run shows what runs now and for how long, how far it is, and what failed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from repository import FAILING, PASSING, Repository, cron_environment
from servers.processes import wait_until
from terminals import Terminal, modes, on_terminal

from yakei.columns import columns, fitted

slow = pytest.mark.slow  # starts whole runs
GATED = """
    import pathlib, pytest, time

    @pytest.mark.parametrize("name", ["one", "two", "three"])
    def test_gated(name):
        while not pathlib.Path(name).exists():
            time.sleep(0.02)
"""


@contextmanager
def running(
    repository: Repository, *options: str, size: tuple[int, int] = (100, 24), **environment: str
) -> Iterator[Terminal]:
    """Give a run of the repository on a terminal."""
    with on_terminal(
        repository.command("run", *options),
        repository.folder,
        cron_environment({"TERM": "xterm", "LC_ALL": "C.UTF-8", **environment}),
        columns=size[0],
        rows=size[1],
    ) as terminal:
        yield terminal


@pytest.fixture
def gated(repository: Repository) -> Repository:
    """A suite whose checks end when a test lets them."""
    repository.configure(run="slots = 3")
    repository.check("gated", GATED)
    return repository


def let_go(repository: Repository, *names: str) -> None:
    for name in names:
        (repository.folder / name).touch()


@slow
def test_what_runs_now_is_shown_with_its_age(gated: Repository) -> None:
    with running(gated) as terminal:
        terminal.wait_for(lambda: len(terminal.lines) == 4 and "     2 s" in terminal.lines[1])

        assert re.fullmatch(r"0 of 3 checks, \d+ s", terminal.lines[0])
        rows = [re.sub(r"\d+ s", "N s", row) for row in terminal.lines[1:]]
        assert sorted(rows) == [
            f"       N s  monitors/test_gated.py::test_gated[{name}]"
            for name in ("one", "three", "two")
        ]
        let_go(gated, "two")
        terminal.wait_for_text("1 of 3 checks, ")
        assert not any("two" in line for line in terminal.lines)
        let_go(gated, "one", "three")
        assert terminal.wait() == 0
    assert re.fullmatch(r"3 checks, all passed in \d+(\.\d)? s", terminal.lines[0])
    assert len(terminal.lines) == 1


@slow
def test_a_failure_is_shown_as_it_comes_and_stays(gated: Repository) -> None:
    gated.check("crawler", FAILING)
    with running(gated, "--no-notify") as terminal:
        terminal.wait_for_text("1 of 4 checks, 1 not well")
        assert terminal.lines[0].startswith(
            "failed     monitors/test_crawler.py::test_crawler_keeps_up  waiting: 1396 rows"
        )
        let_go(gated, "one", "two", "three")
        terminal.wait()

    assert terminal.lines[0].startswith("failed     monitors/test_crawler.py")
    assert not any(" of 4 checks" in line for line in terminal.lines)


@slow
def test_the_second_look_is_shown_with_what_it_finds(repository: Repository) -> None:
    repository.configure(run='confirm_after = "1s"')
    repository.check(
        "blip",
        """
        import pathlib

        def test_blip():
            once = pathlib.Path("once")
            if not once.exists():
                once.touch()
                raise AssertionError("not yet")
    """,
    )
    with running(repository) as terminal:
        terminal.wait_for_text("1 check not well: once more after 1 s")

        assert terminal.wait() == 0
    assert [line.split()[0] for line in terminal.lines] == ["failed", "passed", "1"]


@slow
def test_a_check_that_kills_its_process_is_shown_too(repository: Repository) -> None:
    repository.check("dies", "import os\ndef test_dies(): os._exit(7)\ndef test_later(): pass")
    with running(repository, "--no-notify") as terminal:
        terminal.wait()

    assert terminal.lines[0].startswith("crashed    monitors/test_dies.py::test_dies")
    assert "process exited with 7" in " ".join(terminal.lines)


@slow
@pytest.mark.parametrize("size", [(40, 24), (200, 50), (20, 3), (12, 1), (100, 5)])
def test_a_resize_leaves_nothing_behind(gated: Repository, size: tuple[int, int]) -> None:
    with running(gated) as terminal:
        terminal.wait_for(lambda: len(terminal.lines) == 4)
        terminal.resize(*size)
        let_go(gated, "two")
        terminal.wait_for(lambda: any(line.startswith("1 of 3 ") for line in terminal.lines))
        assert sum(" of 3 " in line for line in terminal.lines) == 1
        let_go(gated, "one", "three")
        terminal.wait()

    assert not any(" of 3 " in line for line in terminal.lines)


@slow
def test_a_narrow_terminal_shows_short_lines(gated: Repository) -> None:
    with running(gated, size=(24, 10)) as terminal:
        terminal.wait_for(lambda: len(terminal.lines) == 4)

        assert all(len(line) < 24 for line in terminal.lines)
        assert terminal.lines[1].endswith("…")
        let_go(gated, "one", "two", "three")
        terminal.wait()


@slow
def test_a_low_terminal_counts_what_it_has_no_room_for(gated: Repository) -> None:
    with running(gated, size=(80, 4)) as terminal:
        terminal.wait_for_text("and 2 more")

        assert len(terminal.lines) == 3
        let_go(gated, "one", "two", "three")
        terminal.wait()


@slow
def test_no_color_is_heard(repository: Repository) -> None:
    repository.check("crawler", FAILING)
    with running(repository, "--no-notify", NO_COLOR="1") as plain:
        plain.wait()
    with running(repository, "--no-notify") as coloured:
        coloured.wait()

    assert b"\x1b[31m" in coloured.raw
    assert not re.search(rb"\x1b\[\d*m", plain.raw)


@slow
@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_can_only_write_on_gets_a_line_per_check(
    repository: Repository, term: str
) -> None:
    repository.check("index", PASSING)
    with running(repository, TERM=term) as terminal:
        terminal.wait()

    assert terminal.lines[0] == "[1/1] passed     monitors/test_index.py::test_index_is_fresh"
    assert b"\x1b" not in terminal.raw


@slow
def test_there_too_what_a_check_says_cannot_command_the_terminal(repository: Repository) -> None:
    evil = 'def test_bad():\n    assert False, "evil \\x1b]0;title\\x07"\n'
    repository.check("bad", evil)
    repository.configure(run='confirm_after = "1s"')
    with running(repository, TERM="dumb") as terminal:
        terminal.wait()

    assert b"\x1b" not in terminal.raw
    assert [each[:5] for each in terminal.lines[:2]] == ["[1/1]", "[1/1]"]


@slow
def test_an_interrupt_leaves_the_terminal_as_it_was(gated: Repository) -> None:
    with running(gated) as terminal:
        before = modes(terminal.controller)
        terminal.wait_for(lambda: len(terminal.lines) == 4)
        terminal.type(b"\x03")

        assert terminal.wait() == 130
        assert modes(terminal.controller) == before
    assert terminal.lines in ([], ["^C"])
    assert b"\x1b[?" not in terminal.raw  # no mode was set, so none has to be restored


@slow
@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_a_stopped_terminal_does_not_stop_the_run(gated: Repository, term: str) -> None:
    """Ctrl-S: that nobody reads must not keep what hangs from being ended, told and remembered."""
    gated.configure(run='slots = 3\ndeadline = "3s"')
    with running(gated, "--no-notify", TERM=term) as terminal:
        if term == "dumb":
            let_go(gated, "two")
        terminal.wait_for(lambda: len(terminal.lines) == (1 if term == "dumb" else 4))
        terminal.type(b"\x13")
        wait_until(lambda: "[CRIT]" in gated.call("status").stdout, "the run is remembered")
        terminal.type(b"\x11")

        assert terminal.wait() == 124


@slow
def test_a_terminal_that_goes_away_ends_the_run_as_usual(gated: Repository) -> None:
    with running(gated) as terminal:
        terminal.wait_for(lambda: len(terminal.lines) == 4)

    assert terminal.process.returncode in {129, 143}  # HUP; TERM is the test's own


@pytest.mark.parametrize(
    ("text", "room", "shown"),
    [
        pytest.param("abcdef", 6, "abcdef", id="just fits"),
        pytest.param("abcdef", 5, "abcd…", id="too long"),
        pytest.param("夜警が走る", 10, "夜警が走る", id="wide characters fit"),
        pytest.param("夜警が走る", 8, "夜警が…", id="wide characters are not halved"),
        pytest.param("e\u0301tat", 4, "e\u0301tat", id="an accent of its own"),
        pytest.param("abc", 1, "…", id="hardly any room"),
        pytest.param("abc", 0, "", id="no room"),
        pytest.param("abc", -3, "", id="less than none"),
    ],
)
def test_a_line_fits_into_the_terminal(text: str, room: int, shown: str) -> None:
    assert fitted(text, room) == shown
    assert columns(shown) <= max(room, 0)


@slow
def test_what_a_check_says_cannot_steer_the_terminal(repository: Repository) -> None:
    repository.check("rude", r"def test_rude(): assert False, 'a\x1b[2J\x1b]0;b\x07c\r\x9b1Ad'")
    with running(repository, "--no-notify", NO_COLOR="1") as terminal:
        terminal.wait()

    assert terminal.lines[0] == "failed     monitors/test_rude.py::test_rude  ac 1Ad"
    assert b"\x1b[2J" not in terminal.raw
