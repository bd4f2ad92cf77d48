"""What becomes of the state when files, disks and processes fail."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from stored import NEWS, RUN, record, rows
from suites import NIGHT, POLICY, depth, failed, passed, run

from yakei.incidents import decide
from yakei.store import StateError, Store
from yakei_shared.history import STATE_FILE, read_memories

KILLED_AT_ANY_TIME = """
import sys
from dataclasses import replace
from pathlib import Path
from suites import NIGHT, depth, POLICY, run
from stored import NEWS, RUN
from yakei.incidents import decide
from yakei.store import Store

checks = [f"m.py::test_{number}" for number in range(40)]
with Store.open(Path(sys.argv[1])) as store:
    print("ready", flush=True)
    for count in range(100_000):
        results = [depth(1396, check, memory={"count": count}) for check in checks]
        decision = decide(store.load(), run(*results), POLICY, NIGHT)
        store.record(RUN._replace(id=str(count)), decision, [("email", NEWS), ("slack", NEWS)])
"""
RECORD_AS_ROBBED_ROOT = """
import sys
from pathlib import Path
from yakei.store import StateError, Store
try:
    Store.open(Path(sys.argv[1])).load()
except StateError as error:
    print(error)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with Store.open(folder) as opened:
        yield opened


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)


def run_python(script: str, folder: Path, *before: str, **options: Any) -> subprocess.Popen[str]:
    """Start a script that can import what we can, perhaps under another program."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [*before, sys.executable, "-c", script, str(folder)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, **options)


def test_a_state_that_another_process_does_not_let_go_is_said_in_one_line(store: Store) -> None:
    decision = decide(store.load(), run(failed()), POLICY, NIGHT)
    with closing(sqlite3.connect(store._path)) as other:
        other.execute("begin exclusive")

        with pytest.raises(StateError, match="another process has been writing to it for 5 s"):
            store.record(RUN, decision, ())


def test_a_folder_that_is_a_file_is_said_in_one_line(folder: Path) -> None:
    folder.write_text("")

    with pytest.raises(StateError, match=r"state .*: (File exists|Not a directory)"):
        Store.open(folder)


@pytest.mark.server
@pytest.mark.parametrize("mode", [0o500, 0o000])
def test_a_folder_that_may_not_be_written_is_said_in_one_line(folder: Path, mode: int) -> None:
    folder.mkdir()
    folder.chmod(mode)

    with run_python(
        RECORD_AS_ROBBED_ROOT, folder, "setpriv", "--bounding-set=-all", "--inh-caps=-all"
    ) as process:
        said = process.communicate(timeout=20)[0]

    assert said == f"state {folder / STATE_FILE}: Permission denied\n"


@pytest.mark.server
def test_a_full_disk_is_said_in_one_line_and_breaks_nothing(tiny_disk: Path) -> None:
    with Store.open(tiny_disk / "state") as store:
        first = record(store, run(failed()))
        (tiny_disk / "filler").write_bytes(b"." * ((os.statvfs(tiny_disk).f_bavail - 3) * 4096))
        many = run(*(depth(1396, f"m.py::test_{number}") for number in range(500)))

        with pytest.raises(StateError, match="the disk is full; make room there"):
            record(store, many, ("email", NEWS))

        assert store.load() == first.state
        (tiny_disk / "filler").unlink()
        record(store, run(passed()))


@pytest.mark.server
def test_a_disk_that_is_full_from_the_start_is_said_in_one_line(tiny_disk: Path) -> None:
    (tiny_disk / "filler").write_bytes(b"." * (os.statvfs(tiny_disk).f_bavail * 4096))

    with pytest.raises(StateError, match=r"(?i)disk is full|no space left"):
        Store.open(tiny_disk / "state")


@pytest.mark.parametrize("chance", range(8))
def test_of_a_run_that_is_killed_all_or_nothing_is_there(folder: Path, chance: int) -> None:
    process = run_python(KILLED_AT_ANY_TIME, folder)
    with process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.05 + random.Random(chance).random() / 4)
        process.send_signal(signal.SIGKILL)

    with Store.open(folder) as store:
        state = store.load()
        count = rows(folder, "select count(*) from runs")[0][0]

        assert store.note == ""
        assert rows(folder, "select count(*) from outcomes") == [(40 * count,)]
        assert rows(folder, "select count(*) from notifications") == [(2 * count,)]
        assert {each["count"] for each in read_memories(folder).values()} <= {count - 1}
        assert {each.runs for each in state.incidents.values()} <= {count}
