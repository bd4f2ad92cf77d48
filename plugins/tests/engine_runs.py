"""Runs pytest on a folder of checks, with and without slots, and reads what it left."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from yakei_shared.canary import CANARY

PLUGINS = Path(__file__).parents[1]
ENDING = 60.0
"""Seconds after which a pytest that hangs is ended: the test then fails."""


@dataclass(frozen=True)
class Run:
    """One finished pytest."""

    folder: Path
    exit_code: int
    output: str
    seconds: float
    report: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path, exit_code: int, output: str = "", seconds: float = 0.0) -> Run:
        """Read what a pytest has left in its folder."""
        report = folder / "report.json"
        document = json.loads(report.read_text()) if report.exists() else {}
        written = folder / "output.txt"
        text = written.read_text(errors="replace") if written.exists() else output
        return cls(folder, exit_code, text, seconds, document)

    @property
    def tests(self) -> dict[str, dict[str, Any]]:
        """The entries of the JSON report by the check's name, without the file."""
        entries = (each for each in self.report.get("tests", ()) if each["nodeid"] != CANARY)
        return {each["nodeid"].partition("::")[2]: each for each in entries}

    @property
    def outcomes(self) -> dict[str, str]:
        """The outcome of each check by its name."""
        return {name: each["outcome"] for name, each in self.tests.items()}

    def told(self, name: str) -> dict[str, Any]:
        """Return what the runner reads about a check."""
        return dict(self.tests[name]["metadata"]["yakei"])

    def junit(self) -> list[tuple[str, str]]:
        """Return the properties and test cases of the JUnit file, comparable between two runs."""
        root = ET.parse(self.folder / "junit.xml").getroot()
        cases = [(str(case.get("name")), _comparable(case)) for case in root.iter("testcase")]
        properties = [("", _comparable(each)) for each in root.iterfind("testsuite/properties")]
        return sorted(cases + properties)


def beside_others() -> dict[str, str]:
    """Return the environment of a pytest that also loads plugins which users have beside ours.

    They are apart from ours, as every pytest here would load them.
    """
    others = Path(sys.prefix) / "others"
    if not others.is_dir():
        pytest.fail(
            "no pytest-asyncio, pytest-xdist and anyio: run script/setup dev", pytrace=False
        )
    return {"PYTHONPATH": f"{PLUGINS}{os.pathsep}{others}"}


def command(folder: Path, *options: str) -> list[str]:
    """Return the command line of pytest on a folder, with reports in it."""
    report = ("--json-report", f"--json-report-file={folder / 'report.json'}")
    alone = ("-p", "no:cacheprovider", "-c", os.devnull, f"--rootdir={folder}")
    engine = ("-p", "pytest_yakei.plugin", "-p", "pytest_yakei.engine.plugin")
    return [sys.executable, "-m", "pytest", *alone, *engine, *report, *options]


@contextmanager
def started(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Yield a pytest that runs; what is left of it is killed at the end."""
    with started_command(folder, command(folder, *options)) as process:
        yield process


@contextmanager
def started_command(
    folder: Path, words: Sequence[str], environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Yield any command that runs a pytest on a folder."""
    with (folder / "output.txt").open("w") as output:
        process = subprocess.Popen(
            words,
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(PLUGINS), **(environment or {})},
            start_new_session=True,
            text=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def run(folder: Path, *options: str) -> Run:
    """Run pytest on a folder to its end."""
    return run_command(folder, command(folder, *options))


def run_command(
    folder: Path, words: Sequence[str], environment: Mapping[str, str] | None = None
) -> Run:
    """Run a command that runs pytest on a folder to its end."""
    (folder / "report.json").unlink(missing_ok=True)
    began = time.monotonic()
    with started_command(folder, words, environment) as process:
        code = process.wait(ENDING)
    return Run.read(folder, code, seconds=time.monotonic() - began)


def run_checks(folder: Path, checks: str, *options: str) -> Run:
    """Write checks to a file and run them."""
    (folder / "test_it.py").write_text(checks, encoding="utf-8")
    return run(folder, *options)


def run_both(
    folder: Path,
    checks: str,
    options: Sequence[str],
    environment: Mapping[str, str] | None = None,
    *,
    slots: int = 1,
) -> tuple[Run, Run]:
    """Run the checks in pytest's own loop and in slots, at the same time."""
    same = {**(environment or {}), "PYTHONHASHSEED": "0"}  # the order of sets in messages
    with ExitStack() as stack:
        runs = []
        for name, count in (("habits0", 0), ("habits1", slots)):
            (folder / name).mkdir(exist_ok=True)
            (folder / name / "test_it.py").write_text(checks, encoding="utf-8")
            words = command(folder / name, f"--yakei-slots={count}", *options)
            process = stack.enter_context(started_command(folder / name, words, same))
            runs.append((folder / name, process))
        codes = [process.wait(ENDING) for _, process in runs]
    plain, slotted = (Run.read(where, code) for (where, _), code in zip(runs, codes, strict=True))
    return plain, slotted


def output_of(run: Run) -> list[str]:
    """Return what pytest printed, without what two runs never share."""
    lines = re.sub(r"habits\d", "habits", comparable(run.output)).splitlines()
    return [re.sub(r"=+ (.*TIME) =+", r"\1", line) for line in lines]


def processes_of(marker: str) -> list[int]:
    """Return the pids of living processes whose command line or environment has the marker."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if marker.encode() in text:
            found.append(int(entry.name))
    return found


def comparable(text: str) -> str:
    """Return the text without what differs between any two runs."""
    base = r"(/tmp/[^\s'\"]*?|(\.\./)+)pytest-\d+/(worker-\d+/)?((\w+/)?habits\d+/)?"
    text = re.sub(base, "BASE/", text)
    text = re.sub(r"0x[0-9a-f]+", "ADDRESS", text)
    return re.sub(r"\b\d+\.\d+s\b", "TIME", text)


def _comparable(case: ET.Element) -> str:
    for element in case.iter():
        element.attrib.pop("time", None)
    return comparable(ET.tostring(case, encoding="unicode"))
