"""A copy of the runner looks, to what runs in it, like a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.processes import wait_until

from yakei.execution.copied import Copy, Module, Spare
from yakei.execution.processes import read_process

SHOW = """
import gc, json, os, signal, sys
main = sys.modules["__main__"]
print(json.dumps({
    "argv": sys.argv,
    "path": sys.path,
    "umask": os.umask(0),
    "garbage": (gc.isenabled(), gc.get_threshold()),
    "name": __name__,
    "spec": main.__spec__.name,
    "folder": os.getcwd(),
    "given": os.environ.get("GIVEN"),
    "hidden": os.environ.get("HIDDEN"),
    "leader": os.getsid(0) == os.getpid(),
    "signals": [str(signal.getsignal(number)) for number in (2, 15, 1)],
    "streams": [(each.encoding, each.errors, each.fileno()) for each in
                (sys.stdin, sys.stdout, sys.stderr)],
    "ours": [name for name in sys.modules if name.partition(".")[0] == "yakei"],
    "open": len([each for each in os.listdir("/proc/self/fd") if int(each) > 2]),
}))
sys.exit(7)
"""
START = """
import os, sys
from pathlib import Path
from yakei.execution.copied import Copy, Module
from yakei.execution.family import Family
from yakei.execution.leaving import terminating

held = open("/dev/null")
folder = Path(sys.argv[1])
roots = [str(folder / "lib"), *filter(None, [os.environ.get("PYTHONPATH")])]
environment = {"GIVEN": "yes", "PATH": os.environ["PATH"], "PYTHONPATH": ":".join(roots)}
command = [sys.executable, "-m", "show", "--one", "two"]
if sys.argv[2] == "copy":
    command = Module(copy=Copy(), name="show", arguments=command[3:], roots=roots[:1])
with (folder / "said").open("wb") as said, terminating():
    family = Family(command, output=said.fileno(), folder=folder, environment=environment)
    with family:
        while family.poll() is None:
            family.wait(1)
        print(family.final_code)
"""


def shown(folder: Path, way: str) -> tuple[str, dict[str, object]]:
    """Return exit code and view of a module that is run this way."""
    (folder / "show.py").write_text(SHOW, encoding="utf-8")
    roots = os.pathsep.join(str(Path(__file__).parents[2] / name) for name in ("runner", "plugins"))
    ran = subprocess.run(
        [sys.executable, "-c", START, str(folder), way],
        env=os.environ | {"PYTHONPATH": roots, "HIDDEN": "yes"},
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.strip(), json.loads((folder / "said").read_text())


def test_a_copy_shows_what_a_process_of_its_own_shows(tmp_path: Path) -> None:
    code, copied = shown(tmp_path, "copy")

    assert code == "7"
    assert (code, copied) == shown(tmp_path, "process")


@pytest.fixture
def spare() -> Iterator[Spare]:
    """A copy of this process, which waits."""
    spare = Spare(tuple)
    yield spare
    spare.close()


def test_a_copy_is_given_once(spare: Spare) -> None:
    first = spare.take()

    assert first is not None
    first.discard()
    assert spare.take() is None


def test_a_copy_that_was_killed_while_it_waited_is_not_taken(spare: Spare) -> None:
    copy = spare._ready
    assert copy is not None
    os.kill(copy.pid, signal.SIGKILL)
    wait_until(lambda: copy.poll() is not None, "the copy is dead")

    assert spare.take() is None


def test_a_copy_that_is_not_needed_is_gone() -> None:
    spare = Spare(tuple)
    copy = spare._ready
    assert copy is not None

    spare.close()

    assert read_process(copy.pid) is None


def test_a_copy_that_does_not_take_its_order_holds_nobody(spare: Spare, tmp_path: Path) -> None:
    copy = spare.take()
    assert copy is not None
    os.kill(copy.pid, signal.SIGSTOP)
    module = Module(copy=copy, name="show", arguments=["x" * (1 << 22)], roots=[])

    copy.run(module, output=1, folder=tmp_path, environment={})

    assert copy.poll() is None
    copy.discard()


def test_a_copy_that_was_late_takes_a_long_order_too(tmp_path: Path) -> None:
    """An order has all of the environment, which may be larger than a socket's buffer."""
    (tmp_path / "show.py").write_text("import os\nprint(len(os.environ['LONG']))", encoding="utf-8")
    copy = Copy(tuple)
    os.kill(copy.pid, signal.SIGSTOP)
    module = Module(copy=copy, name="show", arguments=[], roots=[])
    with (tmp_path / "output").open("wb") as file:
        copy.run(
            module, output=file.fileno(), folder=tmp_path, environment={"LONG": "x" * (1 << 22)}
        )
    os.kill(copy.pid, signal.SIGCONT)
    wait_until(lambda: copy.poll() is not None, "the copy has ended")

    assert (tmp_path / "output").read_text() == f"{1 << 22}\n"


def test_a_copy_ends_with_its_process(tmp_path: Path) -> None:
    script = (
        "import time\nfrom yakei.execution.copied import Copy\n"
        "print(Copy(lambda: time.sleep(60)).pid, flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.kill()

    wait_until(lambda: read_process(pid) is None, "the copy is gone")


def test_a_copy_of_a_process_without_standard_streams_takes_its_order(tmp_path: Path) -> None:
    (tmp_path / "show.py").write_text(SHOW, encoding="utf-8")
    script = START.replace("print(family.final_code)", "sys.exit(family.final_code)")
    shell = f"exec {sys.executable} -c '{script}' {tmp_path} copy <&- >&- 2>&-"

    ran = subprocess.run(["sh", "-c", shell], check=False)

    assert ran.returncode == 7
    assert json.loads((tmp_path / "said").read_text())["argv"][1:] == ["--one", "two"]
