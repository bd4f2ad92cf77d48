"""One run at a time, with setlock and flock(1) as equals, and the truth about who holds it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from servers.processes import wait_gone, wait_until
from servers.requirements import program

from yakei.execution.processes import Deadline, command_line, read_process
from yakei.lock import Busy, Held, Lock, LockError

HOLD = """\
import sys
from pathlib import Path
from yakei.lock import Lock
held = Lock(Path(sys.argv[1])).acquire()
held.follow(Path(sys.argv[2]) if sys.argv[2] else None)
print("held", flush=True)
sys.stdin.read()
"""

SLEEP_UNINTERRUPTIBLY = """\
import os, sys
from pathlib import Path
from yakei.lock import Lock
held = Lock(Path(sys.argv[1])).acquire()
redirect = [(os.POSIX_SPAWN_OPEN, 0, sys.argv[2], os.O_RDONLY, 0)]
os.posix_spawn("/bin/true", ["true"], os.environ, file_actions=redirect)
"""
"""The parent of a vfork is in state D until its child, which waits for a FIFO's writer, goes on."""

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "monitor.lock"


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts programs and ends them after the test, stopped ones too."""
    processes: list[subprocess.Popen[bytes]] = []

    def start_one(*command: str | Path) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        pipe = subprocess.PIPE
        processes.append(
            subprocess.Popen(
                command, stdin=pipe, stdout=pipe, env=environment, start_new_session=True
            )
        )
        return processes[-1]

    yield start_one
    for process in processes:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def hold(start: Start, path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """Has another run of ours take the lock."""

    def hold_it(journal: Path | str = "") -> subprocess.Popen[bytes]:
        process = start(sys.executable, "-c", HOLD, path, journal)
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        return process

    return hold_it


def take(path: Path) -> Held:
    """Return the lock, which must be free."""
    held = Lock(path).acquire()
    assert isinstance(held, Held)
    return held


def busy(path: Path) -> Busy:
    """Return who holds the lock, which must be held."""
    answer = Lock(path).acquire()
    assert isinstance(answer, Busy)
    return answer


def is_free(path: Path) -> bool:
    """Tell whether anybody could take the lock."""
    answer = Lock(path).acquire()
    if isinstance(answer, Held):
        answer.release()
    return isinstance(answer, Held)


def await_locked(path: Path) -> None:
    """Return when another program has locked the file."""
    wait_until(lambda: path.exists() and not is_free(path), f"a lock on {path}")


def write_journal(path: Path, *events: dict[str, object]) -> None:
    path.write_text("".join(json.dumps(event) + "\n" for event in events))


def test_a_free_lock_is_taken_and_given_back(path: Path) -> None:
    with take(path):
        assert not is_free(path)

    assert is_free(path)


def test_the_file_is_made_for_its_owner_alone(path: Path) -> None:
    take(path).release()

    assert path.stat().st_mode & 0o777 == 0o600


def test_the_file_says_who_holds_it(path: Path) -> None:
    with take(path) as held:
        held.follow(path.with_suffix(".jsonl"))
        note = json.loads(path.read_text())

    assert (note["pid"], note["journal"]) == (os.getpid(), str(path.with_suffix(".jsonl")))
    assert datetime.fromisoformat(note["started"]).tzinfo == UTC
    assert note["host"] == os.uname().nodename


def test_somebodys_data_is_locked_and_not_written(path: Path) -> None:
    path.write_text("root:x:0:0\n")
    take(path).release()

    assert path.read_text() == "root:x:0:0\n"


def test_a_note_of_a_dead_process_is_ignored(path: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    note = {"pid": dead.pid, "started": "2010-01-09T03:05:00+00:00", "host": "x", "journal": None}
    path.write_text(json.dumps(note) + "\n")

    with take(path):
        assert json.loads(path.read_text())["pid"] == os.getpid()


def test_a_removed_file_is_made_anew(path: Path) -> None:
    """A cleaner of /tmp may take the file away while it is held; the next lock is a real one."""
    with take(path):
        path.unlink()
        with take(path):
            assert not is_free(path)


def test_children_do_not_keep_the_lock(path: Path, start: Start) -> None:
    with take(path):
        start("sleep", "60")

    assert is_free(path)


def test_the_lock_of_a_killed_run_is_free(path: Path, hold: Start) -> None:
    holder = hold()
    holder.kill()
    holder.wait()

    assert is_free(path)


def test_waiting_ends_when_the_lock_is_free(path: Path) -> None:
    lock, deadline = Lock(path), Deadline.after(timedelta(seconds=30))
    with ThreadPoolExecutor() as waiter, take(path) as held:
        answer = waiter.submit(lock.acquire, on_busy="wait", deadline=deadline)
        with pytest.raises(TimeoutError):
            answer.result(timeout=0.3)
        held.release()

        assert isinstance(answer.result(), Held)


def test_waiting_ends_at_the_deadline(path: Path, hold: Start) -> None:
    hold()
    begun = time.monotonic()
    answer = Lock(path).acquire(
        on_busy="wait", deadline=Deadline.after(timedelta(milliseconds=200))
    )

    assert isinstance(answer, Busy)
    assert 0.2 <= time.monotonic() - begun < 5


def test_the_holder_is_named_with_pid_command_and_age(path: Path, hold: Start) -> None:
    holder = hold()
    first, command, *_ = busy(path).text.splitlines()

    assert first.startswith(f"{path} is held by pid {holder.pid} for ")
    assert command.startswith(f"Command   {sys.executable} -c import sys")


def test_the_holders_running_check_is_named(path: Path, tmp_path: Path, hold: Start) -> None:
    journal = tmp_path / "run.jsonl"
    write_journal(
        journal,
        {"event": "session"},
        {"event": "collected", "checks": ["a", "b", "c", "d", "e"], "not_due": []},
        {"event": "finished", "test": {"nodeid": "a", "outcome": "passed"}},
        {"event": "finished", "test": {"nodeid": "b", "outcome": "failed"}},
        {"event": "started", "nodeid": "c", "at": time.time() - 652},
    )
    hold(journal)
    text = busy(path).text

    assert "\nNow       c for 10 min 52 s\n" in text
    assert "\nDone      1 passed, 1 failed, 2 not judged\n" in text


def test_a_stopped_holder_is_said_to_be_stopped(path: Path, hold: Start) -> None:
    holder = hold()
    holder.send_signal(signal.SIGSTOP)
    wait_until(lambda: getattr(read_process(holder.pid), "state", "") == "T", "state T")

    assert "State     stopped (state T): nothing goes on until kill -CONT" in busy(path).text


def test_a_holder_in_uninterruptible_sleep_is_said_to_be(
    path: Path, tmp_path: Path, start: Start
) -> None:
    os.mkfifo(tmp_path / "fifo")
    holder = start(sys.executable, "-c", SLEEP_UNINTERRUPTIBLY, path, tmp_path / "fifo")
    wait_until(lambda: getattr(read_process(holder.pid), "state", "") == "D", "state D")
    await_locked(path)

    assert "State     in uninterruptible sleep (state D), which even KILL" in busy(path).text


def test_a_note_is_not_believed_when_another_holds_the_lock(path: Path, start: Start) -> None:
    """The note of an earlier run is still there; its pid may even be alive."""
    note = {"pid": os.getpid(), "started": "2010-01-09T03:05:00+00:00", "journal": None}
    path.write_text(json.dumps(note) + "\n")
    holder = start("flock", "--no-fork", path, "sleep", "60")
    await_locked(path)

    assert f"is held by pid {holder.pid} for " in busy(path).text


def test_a_note_is_not_believed_when_it_is_older_than_the_process(path: Path, start: Start) -> None:
    """The holder has only got the pid of the run that wrote the note."""
    holder = start("flock", "--no-fork", path, "sleep", "60")
    await_locked(path)
    note = {"pid": holder.pid, "started": "2010-01-09T03:05:00+00:00", "journal": None}
    path.write_text(json.dumps(note) + "\n")
    found = busy(path).holder

    assert found
    assert found.age < 60


def test_a_child_that_inherited_the_lock_is_found(path: Path, start: Start) -> None:
    """The process that /proc/locks names is dead: only the open files tell who has it."""
    parent = start("flock", path, "sh", "-c", "sleep 67 & echo $!; exit 0")
    assert parent.stdout
    child = int(parent.stdout.readline())
    parent.wait()
    wait_until(lambda: command_line(child) == "sleep 67", "the shell's child to be that")
    holder = busy(path).holder
    os.kill(child, signal.SIGKILL)
    wait_gone(child)

    assert holder
    assert (holder.pid, holder.command) == (child, "sleep 67")


def test_a_holder_that_cannot_be_found_is_said_to_be_unknown(tmp_path: Path) -> None:
    text = Busy(path=tmp_path / "lock", holder=None).text

    assert text.startswith(f"{tmp_path}/lock is locked by an unknown process\n")
    assert f"fuser -v {tmp_path}/lock" in text


@pytest.mark.server
def test_a_holder_outside_of_our_pid_namespace_is_unknown(path: Path) -> None:
    script = "from yakei.lock import Lock; from pathlib import Path; import sys;"
    look = f"{script} print(Lock(Path(sys.argv[1])).acquire().holder)"
    unshare = [program("unshare", what="unshare", package="util-linux"), "-pf", "--mount-proc"]
    with take(path):
        seen = subprocess.run(
            [*unshare, sys.executable, "-c", look, path],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            check=True,
        )

    assert seen.stdout == b"None\n"


def test_flock_sees_our_lock(path: Path) -> None:
    with take(path):
        answer = subprocess.run(["flock", "-n", "-E", "75", path, "true"], check=False)

    assert answer.returncode == 75


def test_we_see_the_lock_of_flock(path: Path, start: Start) -> None:
    start("flock", path, "sleep", "60")
    await_locked(path)

    assert busy(path).holder


@pytest.mark.server
def test_setlock_sees_our_lock(path: Path) -> None:
    setlock = program("setlock", what="setlock", package="daemontools")
    with take(path):
        answer = subprocess.run([setlock, "-nX", path, "true"], check=False, capture_output=True)

    assert answer.returncode == 111
    assert b"temporary failure" in answer.stderr


@pytest.mark.server
def test_we_see_the_lock_of_setlock(path: Path, start: Start) -> None:
    setlock = program("setlock", what="setlock", package="daemontools")
    holder = start(setlock, "-nX", path, "sleep", "68")
    await_locked(path)

    assert f"is held by pid {holder.pid} for " in busy(path).text
    assert "\nCommand   sleep 68\n" in busy(path).text


def test_a_lock_by_lockf_is_another_lock(path: Path) -> None:
    """As for setlock: fcntl(2) locks and flock(2) locks do not see each other."""
    with path.open("w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)

        assert is_free(path)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        pytest.param("missing/lock", "its folder does not exist", id="in a missing folder"),
        pytest.param(".", "it is a folder", id="a folder"),
        pytest.param("fifo", "it is no ordinary file", id="a fifo"),
        pytest.param("file/lock", "a part of its path is no folder", id="below a file"),
    ],
)
def test_a_path_that_cannot_be_a_lock_is_an_error_of_one_line(
    tmp_path: Path, name: str, why: str
) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "file").touch()
    with pytest.raises(LockError) as error:
        Lock(tmp_path / name).acquire()

    assert str(error.value).startswith(f"lock {tmp_path / name}: {why}")
    assert "\n" not in str(error.value)


def test_a_lock_of_another_user_is_an_error_of_one_line(tmp_path: Path) -> None:
    """Run without root's rights, which would open any file."""
    path = tmp_path / "lock"
    path.touch(mode=0o000)
    look = (
        "from yakei.lock import Lock, LockError; from pathlib import Path; import sys\n"
        "try: Lock(Path(sys.argv[1])).acquire()\n"
        "except LockError as error: print(error)"
    )
    drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.getuid() == 0 else []
    said = subprocess.run(
        [*drop, sys.executable, "-c", look, path],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )

    assert said.stdout.startswith(f"lock {path}: no permission: ")
