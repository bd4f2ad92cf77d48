"""script/demo and its like on a fresh clone: what they show, and that they leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from environments import call, clone
from servers.processes import private_folder, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

TOOLS = ("sh", "dirname", "basename", "id", "grep", "cat")
"""What script/test needs before it finds that something is missing."""
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups") if not os.getuid() else ()
CRAWLER = "example/state/crawler.pid"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which nothing has been called yet, below a folder with a space in its name."""
    return clone(tmp_path_factory.mktemp("demo") / "a clone")


def demo(folder: Path) -> subprocess.CompletedProcess[str]:
    """Call the clone's script/demo from another folder."""
    return call([folder / "script/demo"], folder=Path("/"))


def processes_in(folder: Path) -> list[str]:
    """Return the command lines of the processes that work in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.joinpath("cwd").readlink().is_relative_to(folder):
                found.append(process.joinpath("cmdline").read_text())
        except OSError:
            continue  # it has ended
    return found


@pytest.fixture(scope="module")
def shown(fresh: Path) -> list[str]:
    """What three calls show, one after the other."""
    return [demo(fresh).stdout for _ in range(3)]


def test_the_first_call_shows_the_queue(shown: list[str]) -> None:
    assert "\n[CRIT] app01: 2 failing, 2 new - queue analyze_page: waiting: 1396 rows" in shown[0]
    assert "demo: exit code 75: that message would have been mailed by cron" in shown[0]


def test_the_second_shows_what_is_different(shown: list[str]) -> None:
    assert "\nNEW     backup export: wiki" in shown[1]
    assert "\nOK      queue analyze_page: was: waiting: 1396 rows (limit: below 1000)" in shown[1]


def test_the_third_finds_all_well(shown: list[str]) -> None:
    assert ", all passed (" in shown[2]
    assert "demo: exit code 0: all is well again" in shown[2]


def test_only_the_first_call_installs_anything(shown: list[str]) -> None:
    assert ["setup: " in each for each in shown] == [True, False, False]


def test_it_leaves_no_process_behind(fresh: Path, shown: list[str]) -> None:
    assert not processes_in(fresh)
    assert not (fresh / CRAWLER).exists()


@pytest.fixture
def started(fresh: Path, shown: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A script/demo whose crawler runs, in a session of its own as on a terminal."""
    with subprocess.Popen(
        [fresh / "script/demo"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        wait_until((fresh / CRAWLER).exists, "the crawler")
        yield process


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP])
def test_told_to_end_it_ends_its_crawler(
    fresh: Path, started: subprocess.Popen[bytes], ending: signal.Signals
) -> None:
    started.send_signal(ending)

    assert started.wait(30) == 128 + ending
    assert not processes_in(fresh)


def test_ctrl_c_ends_its_crawler(fresh: Path, started: subprocess.Popen[bytes]) -> None:
    """The whole group gets it; what a shell has put into the background ignores it."""
    os.killpg(started.pid, signal.SIGINT)

    assert started.wait(30) in {130, -signal.SIGINT}
    assert not processes_in(fresh)


def test_setup_again_installs_nothing(fresh: Path, shown: list[str]) -> None:
    ran = call([fresh / "script/setup"])

    assert (ran.returncode, ran.stdout) == (0, "")


def test_setup_leaves_nothing_to_compile_to_those_who_may_not_write_there(
    fresh: Path, shown: list[str]
) -> None:
    tag = sys.implementation.cache_tag
    for source in (fresh / "runner/yakei").rglob("*.py"):
        assert (source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc").exists()


def test_a_clone_that_was_moved_is_installed_anew(fresh: Path, shown: list[str]) -> None:
    moved = fresh.rename(fresh.with_name("moved"))
    try:
        ran = call([moved / "script/setup"])
        version = call([moved / ".venv/bin/yakei", "--version"])
    finally:
        moved.rename(fresh)

    assert "setup: installing Yakei" in ran.stdout
    assert version.returncode == 0


def test_a_python_that_is_none_is_said(tmp_path: Path) -> None:
    ran = call([clone(tmp_path) / "script/setup"], PYTHON="/bin/false")

    assert ran.returncode == 1
    assert ran.stdout == (
        "setup: /bin/false is no Python 3.11 or newer; name one with PYTHON=/path/to/python3\n"
    )


def test_without_root_and_sudo_it_says_what_root_has_to_install() -> None:
    with private_folder(None) as folder:
        programs = folder / "bin"
        programs.mkdir()
        for tool in TOOLS:
            programs.joinpath(tool).symlink_to(f"/bin/{tool}")
        for missing in ("dpkg-query", "apt-get"):
            programs.joinpath(missing).symlink_to("/bin/false")
        script = clone(folder / "clone") / "script/test"
        ran = call([*NOBODY, "env", f"PATH={programs}", script])

    assert ran.returncode == 1
    assert "\ntest:     apt-get install postgresql " in ran.stdout
