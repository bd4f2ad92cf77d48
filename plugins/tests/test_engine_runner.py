"""What the runner sees of a run in slots: the journal, the records, the secrets, the ends."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from engine_runs import Run, processes_of, run, run_checks, started
from servers.processes import wait_until

pytestmark = pytest.mark.slow

CONFIGURATION = """
[app]
config = "settings.ini"

[databases]
main = "sqlite:///main.db"
away = "sqlite:///nowhere/there.db"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a configuration, settings and a database."""
    (tmp_path / "yakei.toml").write_text(CONFIGURATION, encoding="utf-8")
    (tmp_path / "settings.ini").write_text("[mail]\npassword = hush-hush\n", encoding="utf-8")
    (tmp_path / "main.db").touch()
    return tmp_path


Judge = Callable[..., tuple[Run, list[dict[str, Any]]]]


@pytest.fixture
def judge(folder: Path) -> Judge:
    """Run checks as the runner does; return the run and its journal."""

    def judge_(checks: str, *options: str) -> tuple[Run, list[dict[str, Any]]]:
        journal = folder / f"journal{len(options)}.jsonl"
        runner = ("--yakei-run", f"--yakei-journal={journal}", "--timeout=1")
        ended = run_checks(folder, checks, *runner, *options)
        events = [json.loads(line) for line in journal.read_text().splitlines()]
        return ended, [event for event in events if event["event"] != "collecting"]

    return judge_


RECORDS = """
import pytest

def test_measures(measure, memory):
    \"\"\"The claim.\"\"\"
    memory["seen"] = 1
    measure("waiting", 1396, unit="rows").below(1000)

@pytest.mark.owner("ops")
def test_away(database):
    database("away").scalar("select 1")

def test_near(database):
    assert database("main").scalar("select 1") == 1

def test_skips():
    pytest.skip("no need")
"""


def test_the_records_are_those_of_pytests_own_loop(judge: Judge) -> None:
    plain, _ = judge(RECORDS)
    slotted, _ = judge(RECORDS, "--yakei-slots=2")

    assert slotted.told("test_measures")["fact"] == "waiting: 1396 rows (limit: below 1000)"
    assert slotted.told("test_away")["outcome"] == "not judged"
    theirs = dict.fromkeys(("started", "waited", "worker"))
    for name in plain.tests:
        assert {**slotted.told(name), **theirs} == {**plain.told(name), **theirs}


THREE = """
import os, pytest, time
@pytest.mark.parametrize("number", range(2))
def test_quick(number): time.sleep(0.2)
def test_dies(): os._exit(1)
"""


def test_each_check_tells_its_worker_and_how_long_it_waited(judge: Judge) -> None:
    ended, events = judge(THREE, "--yakei-slots=1")
    first, second, dies = (ended.told(name) for name in ended.tests)

    assert [each["worker"] for each in (first, second, dies)] == ["worker-1"] * 3
    assert 0 <= first["waited"] < 0.2 <= second["waited"] < dies["waited"]
    begun = [event["worker"] for event in events if event["event"] == "started"]
    assert begun == ["worker-1"] * 3


def test_a_new_worker_has_a_name_of_its_own(judge: Judge) -> None:
    ended, _ = judge(THREE + "\ndef test_later(): pass", "--yakei-slots=1")

    assert ended.told("test_later")["worker"] == "worker-2"


def test_the_canary_takes_no_slot_of_its_own(judge: Judge) -> None:
    _, events = judge("def test_it(): pass", "--yakei-slots=16")

    assert [event["worker"] for event in events if event["event"] == "started"] == ["worker-1"]


def test_a_canary_that_hangs_keeps_no_check_waiting_behind_it(judge: Judge, folder: Path) -> None:
    conftest = """
import time
def pytest_runtest_setup(item):
    if item.nodeid == "yakei::canary":
        time.sleep(1000)
"""
    (folder / "conftest.py").write_text(conftest, encoding="utf-8")
    _, events = judge("def test_it(): pass", "--yakei-slots=16")

    told = [event["event"] for event in events]
    assert told.index("finished") < told.index("canary")


def test_the_journal_tells_the_run_as_it_goes(judge: Judge) -> None:
    _, events = judge("def test_a(): pass\ndef test_b(): pass", "--yakei-slots=1")

    names = [event["event"] for event in events]
    assert names[:2] == ["session", "collected"]
    assert names[2:] == ["canary", *["started", "finished"] * 2, "end"]


def test_the_journal_knows_what_runs_at_once(judge: Judge) -> None:
    checks = "import time\n" + "\n".join(f"def test_{n}(): time.sleep(0.3)" for n in range(2))
    _, events = judge(checks, "--yakei-slots=2")

    names = [event["event"] for event in events if event["event"] != "canary"]
    assert names[2:4] == ["started", "started"]


def test_a_killed_check_is_finished_in_the_journal(judge: Judge) -> None:
    checks = "import os\ndef test_dies(measure):\n    measure('n', 1)\n    os._exit(3)"
    ended, events = judge(checks, "--yakei-slots=1")
    (finished,) = (event["test"] for event in events if event["event"] == "finished")

    assert finished == ended.tests["test_dies"]
    assert ended.told("test_dies")["fact"] == "its process exited with 3"


def test_what_was_left_is_a_problem_of_the_run(judge: Judge) -> None:
    checks = "import subprocess\ndef test_it(): subprocess.Popen(['sleep', '100'])"
    _, events = judge(checks, "--yakei-slots=1")
    (problem,) = (event for event in events if event["event"] == "problem")

    assert problem["kind"] == "survivors"
    assert "sleep 100" in problem["text"]


def test_a_secret_that_only_the_lost_worker_knew_is_not_shown(judge: Judge, folder: Path) -> None:
    checks = """
import os
def test_it(app_config):
    print("it is", app_config["mail.password"])
    os._exit(1)
"""
    ended, _ = judge(checks, "--yakei-slots=1")
    texts = [path.read_text() for path in folder.glob("*.json*")]

    assert "it is [redacted]" in ended.output
    assert "hush-hush" not in ended.output + "".join(texts)


def test_one_connection_serves_all_checks_of_a_slot(folder: Path) -> None:
    checks = """
import os, pytest
@pytest.mark.parametrize("number", range(20))
def test_it(database, number, record_property):
    record_property("made", f"{os.getpid()} {id(database('main'))}")
"""
    ended = run_checks(folder, checks, "--yakei-slots=2")
    made = {str(test["user_properties"]) for test in ended.tests.values()}

    assert len(ended.outcomes) == 20
    assert len(made) <= 2


def test_a_parent_that_is_killed_takes_everything_with_it(folder: Path) -> None:
    marker = f"yakei-orphan-{os.getpid()}"
    checks = f"""
import pathlib, subprocess
def test_it():
    child = subprocess.Popen(["setsid", "sh", "-c", "sleep 100 # {marker}"])
    pathlib.Path("is-running").touch()
    child.wait()
"""
    (folder / "test_it.py").write_text(checks, encoding="utf-8")
    with started(folder, "--yakei-slots=1") as process:
        wait_until((folder / "is-running").exists, "the check to run")
        process.send_signal(signal.SIGKILL)
        process.wait()

        wait_until(lambda: not processes_of(marker), "the end of all", deadline=5)


def test_an_interrupted_session_ends_at_once_and_leaves_nothing(folder: Path) -> None:
    checks = "import pathlib, time\ndef test_it():\n pathlib.Path('on').touch()\n time.sleep(100)"
    (folder / "test_it.py").write_text(checks, encoding="utf-8")
    with started(folder, "--yakei-slots=1") as process:
        wait_until((folder / "on").exists, "the check to run")
        process.send_signal(signal.SIGINT)

        assert process.wait(5) == 2
    assert not processes_of(str(folder))


def test_a_check_that_hangs_keeps_none_waiting_behind_it(folder: Path) -> None:
    """The follower that its worker was offered in advance is taken back."""
    checks = """
import pytest, time
@pytest.mark.parametrize("number", range(40))
def test_quick(number): pass
def test_hangs(): time.sleep(4)
@pytest.mark.parametrize("number", range(40))
def test_next(number): pass
"""
    (folder / "test_it.py").write_text(checks, encoding="utf-8")
    ended = run(folder, "--yakei-slots=2", "-v")
    lines = [line for line in ended.output.splitlines() if "::test_" in line]

    assert "test_hangs" in lines[-1]
    assert len(lines) == 81


def test_a_plugin_that_fails_costs_one_check(folder: Path) -> None:
    conftest = """
def pytest_runtest_setup(item):
    pass
def pytest_runtest_logstart(nodeid): pass
def pytest_runtest_makereport(item, call):
    if item.name == "test_bad" and call.when == "call":
        raise RuntimeError("the plugin is broken")
"""
    (folder / "conftest.py").write_text(conftest, encoding="utf-8")
    checks = "def test_bad(): pass\ndef test_good(): pass"
    ended = run_checks(folder, checks, "--yakei-slots=1")

    assert ended.outcomes == {"test_bad": "failed", "test_good": "passed"}
    assert "the plugin is broken" in ended.output


def test_no_slots_is_pytests_own_loop(folder: Path) -> None:
    checks = f"import os\ndef test_it(): assert os.getppid() == {os.getpid()}"

    assert run_checks(folder, checks).outcomes == {"test_it": "passed"}


def test_a_negative_number_of_slots_is_refused(folder: Path) -> None:
    ended = run_checks(folder, "def test_it(): pass", "--yakei-slots=-1")

    assert ended.exit_code == 4
    assert "--yakei-slots=-1: expected a number of checks, or 0" in ended.output


def test_a_nursery_that_is_killed_is_started_anew(folder: Path) -> None:
    checks = """
import os, pytest, signal
from pathlib import Path

def parent(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])

def test_kills_it():
    os.kill(parent(os.getppid()), signal.SIGKILL)

@pytest.mark.parametrize("number", range(5))
def test_dies(number):
    os._exit(number)
"""
    ended = run_checks(folder, checks, "--yakei-slots=1")

    assert ended.outcomes["test_kills_it"] == "passed"
    assert sorted(ended.outcomes.values()) == ["failed"] * 5 + ["passed"]


@pytest.mark.parametrize("statement", ["pytest.exit('enough')", "raise KeyboardInterrupt"])
def test_in_the_runner_no_check_ends_the_session_of_the_others(
    judge: Judge, statement: str
) -> None:
    ended, _ = judge(
        f"import pytest\ndef test_quits():\n    {statement}\ndef test_well(): pass",
        "--yakei-slots=1",
    )

    assert ended.told("test_quits")["fact"].startswith("wanted to end the whole session")
    assert ended.outcomes["test_well"] == "passed"
