"""With pytest's live log, what checks in slots log is printed whole, once and under their ids."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from engine_logs import ALL_AT_ONCE, CHECKS, EVERYTHING, spoken
from engine_runs import Run, output_of, run_both, run_checks, started
from servers.processes import wait_until

pytestmark = pytest.mark.slow

LIVE = "--log-cli-level=DEBUG"


def printed(run: Run) -> list[str]:
    """Return the lines; where the share stands after a child's line, its parent cannot know."""
    return [re.sub(r" +\[", " [", line) for line in output_of(run)]


@pytest.mark.parametrize(
    "options",
    [
        (LIVE,),
        ("-o", "log_cli=true"),
        (LIVE, "--color=yes", "--log-auto-indent=true"),
        ("--log-cli-level=INFO", "--log-cli-format=%(levelname)s|%(message)s", "-vv"),
        ("-o", "log_cli=1", "--log-level=INFO", "-q", "-o", "console_output_style=count"),
    ],
    ids=" ".join,
)
def test_in_one_slot_live_logs_are_those_of_pytests_own_loop(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    plain, slotted = run_both(tmp_path, CHECKS, options)

    assert "live log call" in slotted.output
    assert printed(slotted) == printed(plain)


def blocks(run: Run) -> dict[str, str]:
    """Return what was printed under the id of each check, without the share that was done."""
    told = "\n".join(output_of(run)).partition("collected")[2].partition("\n====")[0]
    told = re.sub(r" *\[ *\d+%\]", "", told)
    pieces = re.split(r"^test_it\.py::([\w\[\]]+) ", told, flags=re.MULTILINE)[1:]
    found: dict[str, str] = {}
    for name, text in zip(pieces[::2], pieces[1::2], strict=True):
        found[name] = f"{found.get(name, '')}{text}".strip("\n")
    return found


def words(run: Run) -> dict[str, list[str]]:
    """Return the same without headlines: on a busy machine a result comes later than its log."""
    return {
        name: [word for line in text.splitlines() if line[:3] != "---" for word in line.split()]
        for name, text in blocks(run).items()
    }


def test_in_many_slots_each_check_has_the_same_lines_under_its_id(tmp_path: Path) -> None:
    checks = CHECKS.replace('scope="module"', 'scope="function"')  # else one for each process
    plain, slotted = run_both(tmp_path, checks, (LIVE,), slots=4)

    assert words(slotted) == words(plain)
    assert len(words(plain)) == 12


def test_what_checks_and_their_processes_log_at_once_never_shares_a_line(tmp_path: Path) -> None:
    ended = run_checks(tmp_path, ALL_AT_ONCE, LIVE, "--yakei-slots=4")
    told = blocks(ended)

    assert set(ended.outcomes.values()) == {"passed"}
    assert len(told) == 8
    for name, text in told.items():
        assert {n: sorted(said) for n, said in spoken(text.splitlines()).items()} == {
            name[-2]: EVERYTHING
        }


WAITS = """
import logging, pathlib, time
log = logging.getLogger("habit")

def wait_for(name):
    while not pathlib.Path(name).exists():
        time.sleep(0.01)

def test_long():
    log.warning("step one")
    wait_for("go-on")
    log.warning("step two")
    log.warning("step three")

def test_other():
    wait_for("be-quick")
    log.warning("quick")
"""
AS_THEY_COME = r"""
test_it.py::test_long $
-+ live log call -+
WARNING  habit:test_it.py:10 step one

test_it.py::test_other $
-+ live log call -+
WARNING  habit:test_it.py:17 quick
PASSED +\[ 50%\]
test_it.py::test_long $
-+ live log call -+
WARNING  habit:test_it.py:12 step two
WARNING  habit:test_it.py:13 step three
PASSED +\[100%\]
"""


def test_a_check_that_takes_its_time_shows_what_it_has_logged_so_far(tmp_path: Path) -> None:
    """Its id is printed again when another's result has come between."""
    (tmp_path / "test_it.py").write_text(WAITS, encoding="utf-8")
    output = tmp_path / "output.txt"
    with started(tmp_path, LIVE, "--yakei-slots=2") as process:
        wait_until(lambda: "step one" in output.read_text(), "the first line")
        (tmp_path / "be-quick").touch()
        wait_until(lambda: "PASSED" in output.read_text(), "the other's result")
        (tmp_path / "go-on").touch()
        process.wait()

    assert re.search(AS_THEY_COME, output.read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    "end",
    [
        pytest.param("os._exit(3)", id="exits"),
        pytest.param("re.match('(a*)*b', 'a' * 99)", id="hangs in C"),
        pytest.param("os.closerange(3, 99)", id="closes our descriptors"),
    ],
)
def test_what_a_lost_check_has_logged_is_printed_once(tmp_path: Path, end: str) -> None:
    checks = f"""
import logging, os, re
log = logging.getLogger("habit")
def test_it():
    log.warning("its last words")
    {end}
def test_other(): log.warning("goes on")
"""
    ended = run_checks(tmp_path, checks, LIVE, "--yakei-slots=1", "--timeout=0.5")
    told = ended.output.partition("\n====")[0]

    assert ended.outcomes == {"test_it": "failed", "test_other": "passed"}
    assert told.count("its last words") == 1
    assert told.count("goes on") == 1


def test_lines_are_printed_when_the_session_is_interrupted(tmp_path: Path) -> None:
    checks = "import logging\ndef test_it():\n logging.warning('then')\n raise KeyboardInterrupt"
    ended = run_checks(tmp_path, checks, LIVE, "--yakei-slots=1")

    assert ended.exit_code == 2
    assert ended.output.count("WARNING  root:test_it.py:3 then") == 1


def test_a_check_that_logs_very_much_does_not_keep_the_terminal(tmp_path: Path) -> None:
    checks = "import logging\ndef test_it():\n for _ in range(3000): logging.info('x' * 999)"
    ended = run_checks(tmp_path, checks, LIVE, "--yakei-slots=1")

    assert 1000 < ended.output.count("INFO ") < 1100
    assert "more than 1 MiB, of which the rest is not printed live" in ended.output


SECRET = """
import logging
def test_it(app_config):
    logging.warning("it is %s", app_config["mail.password"])
"""


def with_a_secret(folder: Path) -> None:
    (folder / "yakei.toml").write_text('[app]\nconfig = "settings.ini"\n', encoding="utf-8")
    (folder / "settings.ini").write_text("[mail]\npassword = hush-hush\n", encoding="utf-8")


@pytest.mark.parametrize("slots", [0, 1])
def test_live_logs_and_the_log_file_show_no_secret(tmp_path: Path, slots: int) -> None:
    with_a_secret(tmp_path)
    ended = run_checks(tmp_path, SECRET, LIVE, f"--yakei-slots={slots}", "--log-file=log.txt")
    texts = ended.output + (tmp_path / "log.txt").read_text()

    assert texts.count("it is [redacted]") == 2
    assert "hush-hush" not in texts


@pytest.mark.parametrize("slots", [0, 1])
def test_a_log_file_that_the_suite_chooses_later_shows_no_secret(
    tmp_path: Path, slots: int
) -> None:
    with_a_secret(tmp_path)
    (tmp_path / "conftest.py").write_text(
        "def pytest_runtest_setup(item):\n"
        "    logging = item.config.pluginmanager.get_plugin('logging-plugin')\n"
        "    logging.set_log_path('log.txt')\n",
        encoding="utf-8",
    )
    run_checks(tmp_path, SECRET, f"--yakei-slots={slots}")
    text = (tmp_path / "log.txt").read_text()

    assert text.count("it is [redacted]") == 1
    assert "hush-hush" not in text


@pytest.mark.parametrize("slots", [0, 1])
def test_pytests_formatters_are_still_there_for_other_plugins(tmp_path: Path, slots: int) -> None:
    checks = """
def test_it(request):
    logging = request.config.pluginmanager.get_plugin("logging-plugin")
    logging.log_cli_handler.formatter.add_color_level(35, "green")
    assert logging.log_file_handler.formatter._fmt == "%(message)s!"
"""
    options = ("-o", "log_file_format=%(message)s!", f"--yakei-slots={slots}")
    ended = run_checks(tmp_path, checks, LIVE, "--color=yes", *options)

    assert ended.outcomes == {"test_it": "passed"}
