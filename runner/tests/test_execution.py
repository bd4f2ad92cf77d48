"""Whatever a check does to its process, the runner learns what happened and the others run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from servers.processes import wait_gone

from yakei.execution.endings import Ending
from yakei.execution.leaving import Terminated, terminating
from yakei.execution.plan import Plan, pytest_environment
from yakei.execution.processes import Deadline
from yakei.execution.suite import SuiteRun, run_suite
from yakei.report import combine, read_attempt
from yakei.results import CheckResult, Outcome, ProblemKind

pytestmark = pytest.mark.slow

STUCK_IN_C = "import collections, itertools; collections.deque(itertools.repeat(0), maxlen=0)"
"""Never returns to where Python looks for signals."""
WAKES_BY_A_SIGNAL = """
    import ctypes, signal
    def test_a():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM, signal.SIGTERM])
        ctypes.PyDLL(None).sleep(86)
"""
"""Sleeps in C, as a driver does that waits for its server, and hears nothing of its timeout."""
IGNORES_SIGTERM = "['setsid', 'sh', '-c', 'trap \"\" TERM; echo $$; while :; do sleep 81; done']"

Suite = Callable[..., Plan]


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Writes a file of checks and plans its run."""

    def write(text: str, *, seconds: float = 50, timeout: float = 20) -> Plan:
        (tmp_path / "monitors").mkdir(exist_ok=True)
        (tmp_path / "monitors" / "test_it.py").write_text(dedent(text))
        (tmp_path / "yakei.toml").write_text('[run]\nmonitors = ["monitors"]\n')
        return Plan(
            folder=tmp_path / "run",
            root=tmp_path,
            configuration=tmp_path / "yakei.toml",
            paths=("monitors",),
            timeout=timeout,
            grace=0.5,
            deadline=Deadline.after(timedelta(seconds=seconds)),
        )

    return write


def reported(run: SuiteRun) -> dict[str, str]:
    """Return the outcomes that pytest's journal has, by the checks' names."""
    events = [event for each in run.attempts for event in each.events]
    tests = [event["test"] for event in events if event["event"] == "finished"]
    return {test["nodeid"].rpartition("::")[2]: test["outcome"] for test in tests}


def overrides(run: SuiteRun) -> dict[str, tuple[Outcome, str]]:
    """Return the outcomes and facts that only the runner could see, by the checks' names."""
    return {each.id.rpartition("::")[2]: (each.outcome, each.fact) for each in run.overrides}


def override(run: SuiteRun) -> CheckResult:
    """Return the only result that pytest could not report."""
    assert len(run.overrides) == 1
    return run.overrides[0]


def kinds(run: SuiteRun) -> list[ProblemKind]:
    return [problem.kind for problem in run.problems]


def test_a_suite_that_passes_needs_one_process_and_has_no_problems(suite: Suite) -> None:
    run = run_suite(suite("def test_a(): pass\ndef test_b(): pass"))

    assert [(each.ending, each.exit_code) for each in run.attempts] == [(Ending.BY_ITSELF, 0)]
    assert reported(run) == {"test_a": "passed", "test_b": "passed"}
    assert (run.overrides, run.problems) == ((), ())


def test_a_failure_comes_with_pytests_report_and_output(suite: Suite) -> None:
    run = run_suite(suite("def test_a():\n    print('seen')\n    assert 1 == 2"))
    (attempt,) = run.attempts

    assert attempt.report
    assert attempt.report["tests"][1]["outcome"] == "failed"
    assert "assert 1 == 2" in attempt.output
    assert (run.overrides, run.problems) == ((), ())


@pytest.mark.parametrize(
    ("death", "fact"),
    [
        pytest.param("os._exit(7)", "process exited with 7", id="exits"),
        pytest.param("os._exit(0)", "process exited with 0", id="pretends success"),
        pytest.param("pytest.exit(returncode=0)", "process exited with 0", id="ends pytest"),
        pytest.param("os.abort()", "process died by SIGABRT", id="aborts"),
        pytest.param("ctypes.string_at(0)", "process died by SIGSEGV", id="segfaults"),
        pytest.param("os.kill(os.getpid(), 9)", "process died by SIGKILL", id="killed"),
    ],
)
def test_a_check_that_ends_its_process_is_crashed_and_the_others_run(
    suite: Suite, death: str, fact: str
) -> None:
    run = run_suite(
        suite(f"""
            import ctypes, os, pytest
            def test_a(): pass
            def test_b(): {death}
            def test_c(): assert False
        """)
    )

    assert reported(run) == {"test_a": "passed", "test_c": "failed"}
    assert overrides(run) == {"test_b": (Outcome.CRASHED, f"{fact} while this check ran")}
    assert (len(run.attempts), kinds(run)) == (2, [])


def test_a_segfault_shows_where_it_happened(suite: Suite) -> None:
    run = run_suite(suite("import ctypes\ndef test_a(): ctypes.string_at(0)"))

    assert override(run).output.startswith("Fatal Python error: Segmentation fault")
    assert "in test_a" in override(run).output


def test_every_check_may_crash(suite: Suite) -> None:
    run = run_suite(suite("import os\ndef test_a(): os._exit(1)\ndef test_b(): os._exit(2)"))

    assert [each.outcome for each in run.overrides] == [Outcome.CRASHED, Outcome.CRASHED]
    assert (len(run.attempts), kinds(run)) == (2, [])


def test_a_check_that_sleeps_is_ended_inside_its_process(suite: Suite) -> None:
    """pytest-timeout can interrupt it, so nothing has to be started again."""
    run = run_suite(
        suite("import time\ndef test_a(): time.sleep(82)\ndef test_b(): pass", timeout=0.5)
    )

    assert reported(run) == {"test_a": "failed", "test_b": "passed"}
    assert len(run.attempts) == 1


def test_a_check_stuck_in_c_is_a_timeout_with_its_stack_and_the_others_run(suite: Suite) -> None:
    run = run_suite(suite(f"def test_a():\n    {STUCK_IN_C}\ndef test_b(): pass", timeout=0.5))

    assert reported(run) == {"test_b": "passed"}
    assert override(run).outcome is Outcome.TIMEOUT
    assert override(run).fact == "timed out after 0.5 s; its process had to be ended"
    assert "in test_a" in override(run).output


def test_a_check_stuck_in_libpq_is_a_timeout_with_its_stack(suite: Suite, silent_port: int) -> None:
    connect = f"import psycopg2; psycopg2.connect(host='127.0.0.1', port={silent_port})"
    run = run_suite(suite(f"def test_a():\n    {connect}", timeout=0.5))

    assert override(run).outcome is Outcome.TIMEOUT
    assert "in test_a" in override(run).output


@pytest.mark.parametrize("seconds", [50, 3], ids=["timeout", "deadline"])
def test_a_check_that_the_asking_for_its_stack_wakes_has_not_passed(
    suite: Suite, seconds: float
) -> None:
    """Nor does pytest's own report count, which may be written before the process is ended."""
    run = run_suite(suite(WAKES_BY_A_SIGNAL, seconds=seconds, timeout=0.5 if seconds > 9 else 60))
    (attempt,) = run.attempts
    told = combine([read_attempt(attempt.report, attempt.events)], overrides=run.overrides)

    assert [each.outcome for each in told.results] == [Outcome.TIMEOUT]
    assert "in test_a" in override(run).output


def test_a_stopped_process_is_a_timeout_too(suite: Suite) -> None:
    run = run_suite(
        suite("import os\ndef test_a(): os.kill(os.getpid(), 19)\ndef test_b(): pass", timeout=0.5)
    )

    assert override(run).outcome is Outcome.TIMEOUT
    assert reported(run) == {"test_b": "passed"}


def test_the_deadline_keeps_what_is_done_and_names_the_rest(suite: Suite) -> None:
    begun = time.monotonic()
    text = "import time\ndef test_a(): pass\ndef test_b(): time.sleep(83)\ndef test_c(): pass"
    run = run_suite(suite(text, seconds=2))

    assert time.monotonic() - begun < 4
    assert reported(run) == {"test_a": "passed"}
    found = overrides(run)
    assert found["test_b"][0] is Outcome.TIMEOUT
    assert found["test_b"][1].endswith(" when the deadline of 2 s ended the run")
    assert found["test_c"] == (Outcome.NOT_JUDGED, "the deadline of 2 s came before its turn")


def test_the_deadline_is_a_problem_that_names_the_running_check(suite: Suite) -> None:
    run = run_suite(suite("import time\ndef test_a(): time.sleep(84)", seconds=2))
    (problem,) = run.problems

    assert problem.kind is ProblemKind.DEADLINE
    assert problem.text.startswith(
        "the deadline of 2 s ended the run when 0 of 1 checks had ended; "
        "monitors/test_it.py::test_a had run for "
    )


def test_an_import_that_takes_half_the_deadline_says_where(suite: Suite) -> None:
    run = run_suite(suite("import time\ntime.sleep(85)\ndef test_a(): pass", seconds=8))
    (problem,) = run.problems
    first, *stack = problem.text.splitlines()

    assert problem.kind is ProblemKind.COLLECTION
    assert first.startswith("monitors/test_it.py is not checked: importing it had not ended after ")
    assert any("test_it.py" in line for line in stack)


def test_the_deadline_in_many_slow_imports_says_where(suite: Suite, tmp_path: Path) -> None:
    plan = suite("def test_a(): pass", seconds=3)
    for number in range(4):
        (tmp_path / f"monitors/test_slow_{number}.py").write_text("import time; time.sleep(1.2)")
    problem = run_suite(plan).problems[-1]

    assert problem.kind is ProblemKind.DEADLINE
    assert problem.text.startswith(
        "the deadline of 3 s ended the run while pytest was still collecting monitors/test_slow_"
    )


def test_a_child_that_ignores_sigterm_does_not_outlive_the_deadline(
    suite: Suite, tmp_path: Path
) -> None:
    child = f"subprocess.Popen({IGNORES_SIGTERM}, stdout=open('child', 'w')).wait()"
    begun = time.monotonic()
    run = run_suite(suite(f"import subprocess\ndef test_a(): {child}", seconds=2))

    assert time.monotonic() - begun < 4.5
    assert kinds(run) == [ProblemKind.DEADLINE]
    wait_gone(int((tmp_path / "child").read_text()))


def test_orphans_are_ended_and_named_with_their_check(suite: Suite, tmp_path: Path) -> None:
    orphan = f"subprocess.Popen({IGNORES_SIGTERM}, stdout=subprocess.PIPE).stdout.readline()"
    run = run_suite(suite(f"import subprocess\ndef test_a(): {orphan}"))
    (problem,) = run.problems
    survivors = run.attempts[0].left_behind

    assert problem.kind is ProblemKind.SURVIVORS
    assert ", started by monitors/test_it.py::test_a" in problem.text.splitlines()[1]
    assert survivors[0].command.startswith("sh -c trap")
    assert not any(Path(f"/proc/{each.pid}").exists() for each in survivors)


def test_what_ends_with_its_parent_is_no_orphan(suite: Suite) -> None:
    child = "subprocess.Popen(['cat'], stdin=subprocess.PIPE)"
    run = run_suite(suite(f"import subprocess\nkept = []\ndef test_a(): kept.append({child})"))

    assert run.problems == ()


def test_a_thread_that_does_not_end_is_ended_with_all_results(suite: Suite) -> None:
    text = """
        import threading
        def test_a(): threading.Thread(target=threading.Event().wait).start()
    """
    run = run_suite(suite(text))

    assert reported(run) == {"test_a": "passed"}
    assert run.attempts[0].ending is Ending.LINGERED
    assert [problem.text.partition("\n")[0] for problem in run.problems] == [
        "pytest had judged everything and did not end: a thread is still running"
    ]


def test_a_plugin_that_holds_up_the_end_is_not_called_a_thread(
    suite: Suite, tmp_path: Path
) -> None:
    plan = suite("def test_a(): pass")
    (tmp_path / "conftest.py").write_text(
        "import time\ndef pytest_terminal_summary(): time.sleep(60)\n"
    )
    run = run_suite(plan)

    (problem,) = run.problems
    assert problem.text.startswith("pytest had judged everything and did not end\n")
    assert 'conftest.py", line 2 in pytest_terminal_summary' in problem.text


def test_a_file_that_does_not_import_leaves_the_others_judged(suite: Suite, tmp_path: Path) -> None:
    plan = suite("def test_a(): pass")
    (tmp_path / "monitors" / "test_broken.py").write_text("import no_such_module\n")
    run = run_suite(plan)

    assert reported(run) == {"test_a": "passed"}
    assert "no_such_module" in json.dumps(run.attempts[0].events)


def test_a_conftest_that_does_not_import_is_a_collection_problem(
    suite: Suite, tmp_path: Path
) -> None:
    plan = suite("def test_a(): pass")
    (tmp_path / "monitors" / "conftest.py").write_text("syntax error\n")
    (problem,) = run_suite(plan).problems

    assert problem.kind is ProblemKind.COLLECTION
    assert "conftest.py" in problem.text.splitlines()[0]
    assert "SyntaxError" in problem.text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"paths": ("nowhere",)}, "not found: nowhere", id="a path"),
        pytest.param(
            {"extra": ("--no-such",)}, "unrecognized arguments: --no-such", id="an option"
        ),
    ],
)
def test_a_wrong_argument_is_a_configuration_problem(
    suite: Suite, change: dict[str, Any], words: str
) -> None:
    (problem,) = run_suite(replace(suite(""), **change)).problems

    assert problem.kind is ProblemKind.CONFIGURATION
    assert problem.text.splitlines()[0].startswith("pytest could not start: ")
    assert words in problem.text.splitlines()[0]


def test_a_wrong_configuration_is_told_by_the_plugin_alone(suite: Suite, tmp_path: Path) -> None:
    plan = suite("def test_a(): pass")
    (tmp_path / "yakei.toml").write_text("[queues.mail]\nno_such_key = 1\n")
    run = run_suite(plan)

    assert [each["kind"] for each in run.attempts[0].events if "kind" in each] == ["configuration"]
    assert run.problems == ()


def test_an_empty_folder_is_a_problem(suite: Suite) -> None:
    assert kinds(run_suite(suite(""))) == [ProblemKind.NOTHING_COLLECTED]


def test_a_death_before_any_check_is_a_problem(suite: Suite, tmp_path: Path) -> None:
    plan = suite("def test_a(): pass")
    (tmp_path / "conftest.py").write_text("import os\nos._exit(0)")
    (problem,) = run_suite(plan).problems

    assert problem.kind is ProblemKind.CRASH
    assert problem.text == (
        "pytest exited with 0 before any check ran and wrote no report;"
        " it had not begun to collect: is it a conftest.py?"
    )


def test_an_error_inside_pytest_is_a_problem_that_names_it(suite: Suite, tmp_path: Path) -> None:
    plan = suite("def test_a(): pass")
    (tmp_path / "conftest.py").write_text("def pytest_collection_finish(): raise ValueError('x')")
    problem = run_suite(plan).problems[0]

    assert problem.kind is ProblemKind.CRASH
    assert problem.text.splitlines()[0] == "pytest exited with 3 after 0 of 1 checks: ValueError: x"


def test_a_death_between_two_checks_is_a_problem_and_the_rest_runs(
    suite: Suite, tmp_path: Path
) -> None:
    plan = suite("def test_a(): pass\ndef test_b(): pass")
    (tmp_path / "conftest.py").write_text(
        "import os, pytest\n"
        "@pytest.hookimpl(trylast=True)\n"
        "def pytest_runtest_logfinish(nodeid):\n"
        "    if nodeid.endswith('test_a'): os._exit(9)\n"
    )
    run = run_suite(plan)

    assert reported(run) == {"test_a": "passed", "test_b": "passed"}
    assert [problem.text.splitlines()[0] for problem in run.problems] == [
        "pytest exited with 9 after 1 of 2 checks and wrote no report"
    ]


def test_what_was_judged_counts_when_pytest_cannot_be_started_again(suite: Suite) -> None:
    plan = suite("import os\ndef test_a(): assert 0\ndef test_b(): os._exit(3)\ndef test_c(): pass")
    plan.file(2, "output.txt").mkdir(parents=True)
    run = run_suite(plan)

    outcomes = {name: outcome for name, (outcome, _) in overrides(run).items()}
    assert reported(run) == {"test_a": "failed"}
    assert outcomes == {"test_b": Outcome.CRASHED, "test_c": Outcome.NOT_JUDGED}
    assert "pytest could not be started again: [Errno 21]" in run.problems[-1].text


def test_an_option_of_the_application_that_stops_early_does_not_stop_us(
    suite: Suite, tmp_path: Path
) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -x\n")
    run = run_suite(suite("def test_a(): assert False\ndef test_b(): pass"))

    assert reported(run) == {"test_a": "failed", "test_b": "passed"}


def test_only_what_was_asked_for_runs(suite: Suite) -> None:
    run = run_suite(replace(suite("def test_a(): pass\ndef test_b(): pass"), keyword="test_b"))

    assert reported(run) == {"test_b": "passed"}


def test_a_second_look_runs_only_the_checks_it_is_given(suite: Suite) -> None:
    text = """
        import pytest
        @pytest.mark.parametrize("path", ["/a::b", "c d"])
        def test_a(path): assert False
    """
    plan = suite(text)
    run_suite(plan)
    again = run_suite(plan.once_more(("monitors/test_it.py::test_a[/a::b]",)))

    assert reported(again) == {"b]": "failed"}
    assert plan.journal.read_bytes().count(b'"finished"') == 2


def test_sigterm_ends_the_children(suite: Suite, tmp_path: Path) -> None:
    """The check itself has it sent to us."""
    text = """
        import os, time
        def test_a():
            open("pid", "w").write(str(os.getpid()))
            os.kill(os.getppid(), 15)
            time.sleep(86)
    """
    with pytest.raises(Terminated) as ended, terminating():
        run_suite(suite(text))

    assert ended.value.signum == signal.SIGTERM
    wait_gone(int((tmp_path / "pid").read_text()))


def test_it_works_from_cron(suite: Suite, tmp_path: Path) -> None:
    """With cron's environment, another working directory, and no open stdin, stdout or stderr."""
    suite("def test_a(): pass")
    script = f"""
        import sys; sys.path[:0] = {sys.path!r}
        from datetime import timedelta
        from pathlib import Path
        from yakei.execution.suite import run_suite
        from yakei.execution.plan import Plan
        from yakei.execution.processes import Deadline
        root = Path({str(tmp_path)!r})
        run = run_suite(Plan(folder=root / "run", root=root, paths=("monitors",),
            configuration=root / "yakei.toml", deadline=Deadline.after(timedelta(seconds=50))))
        (root / "seen").write_text(str([each.exit_code for each in run.attempts]))
    """
    (tmp_path / "script.py").write_text(dedent(script))
    command = f"exec env -i PATH=/usr/bin:/bin {sys.executable} {tmp_path}/script.py <&- >&- 2>&-"
    subprocess.run(["sh", "-c", command], cwd="/", check=True)

    assert (tmp_path / "seen").read_text() == "[0]"


def test_a_clone_is_put_on_the_path_of_pytest() -> None:
    environment = pytest_environment({"PYTHONPATH": "/somewhere"})
    root = Path(__file__).parents[2]

    assert environment["PYTHONPATH"].split(os.pathsep) == [
        f"{root}/runner",
        f"{root}/plugins",
        "/somewhere",
    ]


def test_the_journal_tells_at_once_what_runs_now(suite: Suite, tmp_path: Path) -> None:
    """The check waits until it has read about itself."""
    text = """
        import time
        def test_a():
            while '"event": "started"' not in open("run/run.jsonl").read(): pass
    """

    assert reported(run_suite(suite(text))) == {"test_a": "passed"}
