"""What the benchmarks share: suites to run, commands to time side by side, the machine's name."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = os.pathsep.join(str(ROOT / name) for name in ("plugins", "runner"))
PYTHON = sys.executable
HANGING = """
import pytest, time
@pytest.mark.parametrize("number", range(500))
def test_waits(number):
    time.sleep(1000 if number % 20 == {which} else 0.1)
"""
"""Of 500 checks, each twentieth hangs; none does where `which` is -1."""


@dataclass(frozen=True)
class Spent:
    """Seconds that a command took: on the clock, and on the processors, children included."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    work: str
    ours: str
    theirs: str
    ratio: float
    goal: float

    def __str__(self) -> str:
        verdict = "yes" if self.ratio <= self.goal else "**no**"
        ratio, goal = f"{self.ratio:.2f}", f"{self.goal:g}"
        return f"| {self.work} | {self.ours} | {self.theirs} | {ratio} | {goal} | {verdict} |"


def pytest_command(folder: Path, *options: str, python: str = PYTHON) -> list[str]:
    """Return the command line of a pytest with our plugin, and without any configuration."""
    alone = ("-q", "-p", "no:cacheprovider", "-c", os.devnull, f"--rootdir={folder}")
    return [python, "-m", "pytest", "-p", "pytest_yakei.plugin", *alone, *options, str(folder)]


def in_slots(folder: Path, slots: int, *options: str) -> list[str]:
    """Return the command line of a pytest that runs in slots."""
    engine = ("-p", "pytest_yakei.engine.plugin", f"--yakei-slots={slots}")
    return pytest_command(folder, *engine, *options)


def environment(first: Path | None = None) -> dict[str, str]:
    """Return the environment of all that is measured: our sources, compiled once as ever.

    Args:
        first: a folder of modules that come before ours.
    """
    folders = [str(first), SOURCES] if first else [SOURCES]
    found = os.environ | {"PYTHONPATH": os.pathsep.join(folders)}
    found.pop("PYTHONDONTWRITEBYTECODE", None)
    return found


def spend(
    command: Sequence[str],
    *,
    expected: int = 0,
    folder: Path | None = None,
    first: Path | None = None,
) -> Spent:
    """Run a command, in a folder, and return what it took.

    Raises:
        RuntimeError: it ended with another exit code than expected; a failure is no benchmark.
    """
    began = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(first),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output = process.stdout.read() if process.stdout else b""
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = code = os.waitstatus_to_exitcode(status)
    if code != expected:
        tail = output.decode(errors="replace")[-1000:]
        raise RuntimeError(f"{' '.join(command)[:200]} ended with {code}:\n{tail}")
    return Spent(wall, usage.ru_utime + usage.ru_stime)


def compare(
    commands: Mapping[str, Callable[[], Spent]], rounds: int, part: str = "wall"
) -> dict[str, float]:
    """Run the commands in turn, so that a busy minute of the machine hits all of them alike.

    Returns:
        The median of each.
    """
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, run in commands.items():
            taken[name].append(getattr(run(), part))
    return {name: statistics.median(values) for name, values in taken.items()}


@contextmanager
def slow_server(pause: float) -> Iterator[int]:
    """Run a server whose answers take `pause` seconds; yield its port."""
    command = [PYTHON, str(Path(__file__).with_name("slow_server.py")), str(pause)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield int(process.stdout.readline() if process.stdout else 0)
        finally:
            process.kill()


def machine() -> str:
    """Name the machine, as far as it matters."""
    cpus = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in cpus if "model name" in line), "?")
    count = len(os.sched_getaffinity(0))
    release = f"Linux {platform.release()}, Python {platform.python_version()}"
    return f"{count} processors ({model}), {release}"
