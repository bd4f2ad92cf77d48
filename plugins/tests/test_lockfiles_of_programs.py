"""Locks as real programs, users, containers and file systems make them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bystanders import run_as_nobody, run_python, running
from servers import requirements
from servers.processes import private_folder, run, wait_until

from pytest_yakei.probes.lockfiles.kernel import holding

pytestmark = pytest.mark.server

SAY_HOLDERS = """
import sys
from pathlib import Path
from pytest_yakei.errors import CannotTell
from pytest_yakei.probes.lockfiles.kernel import holding
from pytest_yakei.probes.lockfiles.texts import lock_lines
path = Path(sys.argv[1])
try:
    found = holding(path)
    print("held" if found.holders else "free", *lock_lines(path, found), sep=chr(10))
except CannotTell as error:
    print("cannot tell:", error)
"""
CONTAINER = ("unshare", "-pf", "--mount-proc")


@contextmanager
def setlock(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Have setlock hold a lock for a `sleep`."""
    program = requirements.program("setlock", what="setlock", package="daemontools")
    with running([program, "-nX", path, "sleep", "600"]) as process:
        wait_until(lambda: path.exists() and holding(path).holders, "the lock")
        yield process


def test_setlock_is_seen(tmp_path: Path) -> None:
    with setlock(tmp_path / "l") as process:
        (holder,) = holding(tmp_path / "l").holders

    assert holder.process
    assert holder.process.pid == process.pid


def test_looking_never_makes_setlock_fail(tmp_path: Path) -> None:
    """It takes and frees the lock while we look at it all the time."""
    path = tmp_path / "l"
    path.touch()
    loop = f"for i in $(seq 200); do setlock -nX {path} true || exit; done"
    with subprocess.Popen(["sh", "-c", loop], stderr=subprocess.PIPE) as jobs:
        while jobs.poll() is None:
            holding(path)

    assert jobs.returncode == 0


def test_setlock_gets_a_lock_that_we_call_free(tmp_path: Path) -> None:
    with setlock(tmp_path / "l"):
        assert holding(tmp_path / "l").holders

    assert not holding(tmp_path / "l").holders
    run(["setlock", "-nX", tmp_path / "l", "true"])


def test_another_users_holder_is_named() -> None:
    with private_folder(None) as folder, setlock(folder / "l") as process:
        said = run_as_nobody(SAY_HOLDERS, folder, folder / "l")

    assert f"is held by pid {process.pid}: sleep 600 (user root" in said


def test_a_hidden_holder_still_holds() -> None:
    remount = 'mount -t proc -o hidepid=2 proc /proc && exec "$@"'
    hidden = ["unshare", "-m", "sh", "-c", remount, "sh"]

    with private_folder(None) as folder, setlock(folder / "l") as process:
        said = run_as_nobody(SAY_HOLDERS, folder, folder / "l", through=hidden)

    assert said.startswith("held")
    assert f"is held by pid {process.pid} that this user cannot see" in said


def test_a_container_cannot_tell_about_a_lock_outside(tmp_path: Path) -> None:
    with setlock(tmp_path / "l"):
        said = run_python(SAY_HOLDERS, tmp_path / "l", through=CONTAINER)

    assert said.startswith("cannot tell: nobody in this container holds")


def test_a_container_sees_its_own_locks(tmp_path: Path) -> None:
    inside = [*CONTAINER, "setlock", "-nX", tmp_path / "l"]

    said = run_python(SAY_HOLDERS, tmp_path / "l", through=inside)

    assert said.startswith("held")


def test_a_container_sees_the_lock_of_one_of_its_own_that_has_ended(tmp_path: Path) -> None:
    """Its list has no such lock; the heir's descriptor has it."""
    script = 'setlock -nX "$0" sh -c "sleep 600 &"; exec "$@"'
    inside = [*CONTAINER, "--kill-child", "sh", "-c", script, tmp_path / "l"]

    said = run_python(SAY_HOLDERS, tmp_path / "l", through=inside)

    assert said.startswith("held")
    assert ": sleep 600 (user root" in said


def btrfs(folder: Path) -> Path:
    image, point = folder / "image", folder / "mounted"
    point.mkdir()
    run(["truncate", "-s", "128M", image])
    run([requirements.program("mkfs.btrfs", what="btrfs", package="btrfs-progs"), "-q", image])
    run(["mount", "-o", "loop", image, point])
    run(["btrfs", "subvolume", "create", point / "volume"])
    return point / "volume"


def overlay(folder: Path) -> Path:
    point = folder / "mounted"
    below, above, work = (folder / name for name in ("below", "above", "work"))
    for made in (point, below, above, work):
        made.mkdir()
    (below / "l").touch()
    options = f"lowerdir={below},upperdir={above},workdir={work}"
    run(["mount", "-t", "overlay", "overlay", "-o", options, point])
    return point


@pytest.mark.parametrize("mount", [btrfs, overlay])
def test_a_lock_is_found_where_stat_has_other_numbers_than_the_kernel(
    tmp_path: Path, mount: Callable[[Path], Path]
) -> None:
    if mount is overlay:  # an overlay cannot lie on another one, as in a container
        run(["mount", "-t", "tmpfs", "tmpfs", tmp_path])
    folder = mount(tmp_path)
    try:
        with setlock(folder / "l") as process:
            (holder,) = holding(folder / "l").holders
        assert holder.process
        assert holder.process.pid == process.pid
    finally:
        run(["umount", tmp_path / "mounted"])
        if mount is overlay:
            run(["umount", tmp_path])
