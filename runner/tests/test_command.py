"""Any command, run as cronlog runs it, without its holes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from servers.processes import wait_gone

from yakei.command import CommandResult, run_command
from yakei.execution.leaving import Terminated, terminating
from yakei.execution.processes import Deadline
from yakei.results import ProblemKind
from yakei.runlog import RunLog, Stamp

pytestmark = pytest.mark.slow


def run(*command: str, log: Path | None = None, seconds: float | None = None) -> CommandResult:
    """Run a command on a host called app01."""
    deadline = None if seconds is None else Deadline.after(timedelta(seconds=seconds))
    with RunLog(log) as opened:
        return run_command(command, log=opened, host="app01", deadline=deadline)


def kinds(result: CommandResult) -> list[ProblemKind]:
    return [problem.kind for problem in result.problems]


def test_both_outputs_come_in_order_between_cronlogs_two_lines() -> None:
    result = run("sh", "-c", "echo a; echo b >&2; echo c; exit 3")

    assert result.exit_code == 3
    assert result.output == (
        "app01 starting: sh -c echo a; echo b >&2; echo c; exit 3\n"
        "a\nb\nc\ncommand exited with code:3\n"
    )


def test_the_log_holds_the_same(tmp_path: Path) -> None:
    result = run("echo", "hello", log=tmp_path / "log")

    assert (tmp_path / "log").read_text() == f"{'-' * 78}\n{result.output}"


def test_lines_are_stamped_when_asked(tmp_path: Path) -> None:
    with RunLog(None, stamp=Stamp.ISO) as log:
        result = run_command(["echo", "hello"], log=log, host="app01")

    assert [line[0] for line in result.output.splitlines()] == ["[", "[", "["]


def test_a_death_by_signal_is_128_and_its_number() -> None:
    """For cronlog that was a success."""
    result = run("sh", "-c", "kill -KILL $$")

    assert result.exit_code == 137
    assert result.output.endswith("\ncommand died with signal:9\n")


@pytest.mark.parametrize(
    ("command", "why"),
    [
        pytest.param("/no/such/program", "No such file or directory", id="missing"),
        pytest.param("/etc/passwd", "Permission denied", id="not executable"),
    ],
)
def test_what_cannot_be_started_is_127(command: str, why: str) -> None:
    result = run(command, "x")

    assert result.exit_code == 127
    assert f"\nfailed to execute command: {command}: {why}\n" in result.output


def test_a_script_without_its_first_line_is_run_by_the_shell(tmp_path: Path) -> None:
    script = tmp_path / "backup.sh"
    script.write_text("echo $1\n")
    script.chmod(0o755)

    assert "\nhello\n" in run(str(script), "hello").output


@pytest.mark.parametrize(
    ("argument", "line"),
    [
        pytest.param("echo a | tr a b", "b", id="a pipeline is the shell's"),
        pytest.param("X=1 env", "X=1", id="an assignment is the shell's"),
        pytest.param("echo a  b", "a b", id="plain words are split"),
    ],
)
def test_a_single_argument_is_read_as_cronlog_does(argument: str, line: str) -> None:
    assert line in run(argument).output.splitlines()


def test_a_last_line_without_its_end_is_completed() -> None:
    assert run("printf", "partial").output.endswith("\npartial\ncommand exited with code:0\n")


def test_bytes_that_are_no_utf8_do_no_harm() -> None:
    result = run("printf", r"\377\303\251\n")

    assert "\n\N{REPLACEMENT CHARACTER}é\n" in result.output


def test_the_command_reads_our_stdin(tmp_path: Path) -> None:
    (tmp_path / "input").write_text("given\n")
    script = (
        "from yakei.command import run_command; from yakei.runlog import RunLog\n"
        "print(run_command(['cat'], log=RunLog(None), host='app01').output)"
    )
    with (tmp_path / "input").open() as stdin:
        said = subprocess.run(
            [sys.executable, "-c", script],
            stdin=stdin,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
        )

    assert b"\ngiven\n" in said.stdout


def test_an_orphan_that_holds_the_output_is_ended_and_named() -> None:
    begun = time.monotonic()
    program = "sleep 71 & until grep -q sleep /proc/$!/comm; do :; done; echo $!"
    result = run("sh", "-c", program)
    orphan = int(result.output.splitlines()[1])

    wait_gone(orphan)
    assert time.monotonic() - begun < 10
    assert result.exit_code == 0
    assert [problem.text for problem in result.problems] == [
        f"the command left 1 process running, now ended\npid {orphan}: sleep 71"
    ]


def test_an_orphan_with_a_session_of_its_own_that_ignores_sigterm_is_ended() -> None:
    result = run("sh", "-c", "setsid sh -c \"trap '' TERM; echo ready; sleep 72\" & exit 4")

    assert result.exit_code == 4
    assert kinds(result) == [ProblemKind.SURVIVORS]


def test_what_an_orphan_writes_meanwhile_is_kept() -> None:
    """It waits for the end of the command, and then writes."""
    result = run("sh", "-c", "(while kill -0 $$ 2>/dev/null; do :; done; echo late) & exit 0")

    assert "\nlate\n" in result.output
    assert kinds(result) == []


def test_a_daemon_that_let_go_of_everything_is_left_alone(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    daemon = f"setsid sh -c 'echo $$ >{pid}; exec sleep 73' >/dev/null 2>&1 </dev/null &"
    result = run("sh", "-c", f"{daemon} until test -s {pid}; do :; done")
    os.kill(int(pid.read_text()), signal.SIGKILL)
    os.waitpid(int(pid.read_text()), 0)

    assert (result.exit_code, result.problems) == (0, ())


def test_the_deadline_ends_everything_in_time() -> None:
    begun = time.monotonic()
    result = run("sh", "-c", "trap '' TERM; echo begun; sleep 74; sleep 74", seconds=1)

    assert time.monotonic() - begun < 3
    assert result.exit_code == 124
    assert result.output.endswith("\nbegun\ncommand died with signal:9\n")
    assert [problem.text for problem in result.problems] == [
        "the deadline of 1 s ended the command"
    ]


def test_a_command_that_is_silent_after_closing_its_output_is_waited_for() -> None:
    result = run("sh", "-c", "exec >&- 2>&-; sleep 0.3; exit 5")

    assert (result.exit_code, result.problems) == (5, ())


def test_much_output_is_whole_in_the_log_and_short_in_memory(tmp_path: Path) -> None:
    """A hundred megabytes, then the line that matters."""
    script = "yes 'a line of the usual length' | head -c 100000000; echo; echo end"
    result = run("sh", "-c", script, log=tmp_path / "log")

    assert len(result.output) < 150_000
    assert "characters are left out here" in result.output
    assert result.output.splitlines()[-2] == "end"
    assert (tmp_path / "log").stat().st_size > 100_000_000


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    result = run("sh", "-c", "head -c 20000000 /dev/zero | tr '\\0' x")

    assert len(result.output) < 150_000


def test_a_log_that_cannot_be_written_is_told_and_the_command_runs(tmp_path: Path) -> None:
    result = run("echo", "hello", log=tmp_path / "missing" / "log")

    assert "\nhello\n" in result.output
    assert kinds(result) == [ProblemKind.LOG]


def test_sigterm_ends_the_command(tmp_path: Path) -> None:
    """The command itself has it sent to us."""
    script = f"echo $$ >{tmp_path}/pid; kill -TERM $PPID; exec sleep 75"
    with pytest.raises(Terminated) as ended, terminating():
        run("sh", "-c", script)

    assert ended.value.signum == signal.SIGTERM
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()
