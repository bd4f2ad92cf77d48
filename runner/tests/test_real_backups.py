"""An export folder of real pg_dump output, and what goes wrong in it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from real import Told, Watch, watch
from servers import requirements
from servers.postgres import PostgresServer
from servers.processes import private_folder

pytestmark = pytest.mark.server
__all__ = ["watch"]

MEMBERS = ("app", "blog", "wiki")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EVERY = 12 * HOUR
NEWEST = 2 * HOUR
NO_RIGHTS = "setpriv --bounding-set=-all --inh-caps=-all"
"""Root without its rights is a user to whom others' files are closed."""


@pytest.fixture(scope="module")
def dumped(postgres: PostgresServer) -> Mapping[str, bytes]:
    """What pg_dump makes of three databases."""
    program = requirements.program("pg_dump", what="pg_dump", package="postgresql-client")
    address = ["-h", postgres.host, "-p", str(postgres.port), "-U", postgres.superuser]
    made = {}
    for member in MEMBERS:
        name = postgres.create_database(member)
        rows = "select i, md5(i::text) as hash from generate_series(1, 5000) i"
        postgres.execute(f"create table pages as {rows}", database=name)
        command = [program, "--format=custom", *address, name]
        made[member] = subprocess.run(command, capture_output=True, check=True).stdout
    return made


@dataclass(frozen=True)
class Export:
    """The folder that the export writes to, two dumps a day of each member."""

    folder: Path
    dumped: Mapping[str, bytes]

    def dump(
        self, member: str, age: timedelta, content: bytes | None = None, *, suffix: str = ".dump"
    ) -> Path:
        """Write a dump as it was made so long ago; the time in its name is a local one."""
        at = datetime.now().astimezone() - age
        path = self.folder / f"{member}_{at:%Y%m%d%H%M%S}{suffix}"
        path.write_bytes(self.dumped.get(member, b"PGDMP") if content is None else content)
        os.utime(path, (at.timestamp(), at.timestamp()))
        return path

    def fill(self, *, newest: timedelta = NEWEST, number: int = 14) -> None:
        """Write a week of dumps of every member."""
        for member in MEMBERS:
            for index in range(number):
                self.dump(member, newest + EVERY * index)

    def of(self, member: str) -> list[Path]:
        """Return the dumps of a member, the newest first."""
        return sorted(self.folder.glob(f"{member}_*"), reverse=True)

    def configuration(self, more: str = "") -> str:
        """Return the folder's table."""
        return f"""
[backups.export]
kind = "dumps"
path = "{self.folder}"
members = ["app", "blog", "wiki"]
max_age = "13h"
retention = "7d"
interval = "12h"
runbook = "https://wiki.example.com/ops/backup"
{more}
"""


@pytest.fixture
def export(dumped: Mapping[str, bytes]) -> Iterator[Export]:
    """A folder with a week of dumps, where also others may come."""
    with private_folder(None) as folder:
        made = Export(folder / "export", dumped)
        made.folder.mkdir(mode=0o750)
        made.fill()
        yield made


def first_run(watch: Watch, export: Export) -> None:
    """Have the folder watched, and see that all is well."""
    watch.use("backups", configuration=export.configuration())
    told = watch.run()
    assert told.is_silent, told.everything
    assert "passed" in told.outcomes["test_newest_backups_can_be_read[export]"]


def test_retention_that_deletes_while_a_dump_is_written_is_silent(
    watch: Watch, export: Export
) -> None:
    """The folder's total shrinks: two old dumps of each go, and the new ones are half-written."""
    shutil.rmtree(export.folder)
    export.folder.mkdir()
    export.fill(newest=NEWEST + EVERY - 2 * HOUR, number=15)
    first_run(watch, export)
    for member in MEMBERS:
        export.of(member)[-1].unlink()
        export.dump(member, timedelta(), export.dumped[member][:3000])

    assert watch.run().is_silent


def test_a_dump_that_vanished_too_early_is_told_with_what_to_do(
    watch: Watch, export: Export
) -> None:
    first_run(watch, export)
    gone = export.of("blog")[5]
    kept = gone.rename(export.folder.parent / "kept")

    told = watch.run()
    kept.rename(gone)

    assert told.bad == {"failed test_nothing_is_lost[export]"}
    assert (
        told.subject == "[CRIT] app01 backup export: blog: lost 1 before the time (retention 7 d)"
    )
    assert f"{gone.name}: 2 d 14 h old" in told.screen
    assert "who deletes in it?" in told.screen
    assert watch.run().is_silent


def test_a_member_without_a_fresh_dump_is_the_only_one_named(watch: Watch, export: Export) -> None:
    for late in export.of("wiki")[:1]:
        late.unlink()
    watch.use("backups", configuration=export.configuration())

    told = watch.run()
    export.dump("wiki", HOUR)

    assert told.bad == {"failed test_every_member_is_fresh[export]"}
    subject = "[CRIT] app01 backup export: wiki: last backup 14 h ago (limit 13 h)"
    assert told.subject == subject
    assert "app_" not in told.everything
    assert watch.run().is_silent


@pytest.mark.parametrize(
    ("content", "check", "fact"),
    [
        pytest.param(b"", "test_backups_are_whole", "0 bytes", id="empty"),
        pytest.param(
            b"<html>" * 20_000, "test_backups_are_whole", "begins like no dump", id="no dump"
        ),
        pytest.param(
            b"PGDMP", "test_backups_have_not_shrunk", "0 % of usual (limit 50 %)", id="too small"
        ),
    ],
)
def test_a_bad_new_dump_is_told_and_may_be_cleared_away(
    watch: Watch, export: Export, content: bytes, check: str, fact: str
) -> None:
    """The one before it is young enough, so that nothing is late."""
    first_run(watch, export)
    bad = export.dump("blog", HOUR / 2, content)

    told = watch.run()
    bad.unlink()

    assert told.bad == {f"failed {check}[export]"}
    assert fact in told.subject
    assert "Do        1. is the disk full?" in told.screen
    assert watch.run().is_silent


def test_a_dump_cut_short_is_found_by_its_end_and_by_reading_it(
    watch: Watch, export: Export
) -> None:
    """Its head is good, its list of contents too, and it is no less than half of the usual."""
    newest = export.of("app")[0]
    whole = newest.read_bytes()
    rewrite(newest, whole[: len(whole) * 4 // 5])
    watch.use("backups", configuration=export.configuration())

    told = watch.run()
    rewrite(newest, whole)

    assert told.bad == {
        "failed test_every_member_is_fresh[export]",
        "failed test_newest_backups_can_be_read[export]",
        "failed test_nothing_is_left_over[export]",
    }
    assert "app: last backup 14 h ago (limit 13 h)" in told.screen
    assert "could not read from input file: end of file" in told.body
    assert watch.run().is_silent


def rewrite(path: Path, content: bytes) -> None:
    """Change a file's content, and not its times."""
    known = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(known.st_atime_ns, known.st_mtime_ns))


def test_a_damaged_middle_is_found_by_the_daily_reading_only(watch: Watch, export: Export) -> None:
    newest = export.of("wiki")[0]
    whole = newest.read_bytes()
    middle = len(whole) // 2
    rewrite(newest, whole[:middle] + bytes(64) + whole[middle + 64 :])
    watch.use("backups", configuration=export.configuration())

    told = watch.run()

    assert told.bad == {"failed test_newest_backups_can_be_read[export]"}
    assert told.subject == f"[CRIT] app01 backup export: {newest.name}: cannot be restored"
    assert "Do        1. try the one before it" in told.screen
    assert "test_newest_backups_can_be_read[export]" not in watch.run().outcomes


def test_a_dump_of_the_future_is_told_as_such(watch: Watch, export: Export) -> None:
    first_run(watch, export)
    early = export.dump("wiki", -2 * DAY)

    told = watch.run()

    assert told.bad == {"failed test_every_member_is_fresh[export]"}
    assert f"{early.name}: dated 1 d 23 h in the future" in told.screen


def test_three_ways_to_have_no_folder_are_told_apart(watch: Watch, export: Export) -> None:
    """Missing, empty, and closed to us."""
    watch.use("backups", configuration=export.configuration())
    elsewhere = export.folder.rename(export.folder.parent / "elsewhere")
    missing = anew(watch)
    export.folder.mkdir()
    empty = anew(watch)
    export.folder.rmdir()
    elsewhere.rename(export.folder)
    os.chown(export.folder, 65534, 65534)
    export.folder.chmod(0o700)
    closed = anew(watch, through=NO_RIGHTS)

    assert f"backup export: {export.folder} does not exist" in missing.screen
    assert f"{export.folder} is empty" in empty.screen
    assert f"backups in {export.folder}: cannot tell: Permission denied" in closed.screen
    assert "the mode is 0700 of uid 65534" in closed.screen
    assert missing.bad == empty.bad == {"failed test_every_member_is_fresh[export]"}


def anew(watch: Watch, through: str = "") -> Told:
    """Run without anything remembered."""
    shutil.rmtree(watch.repository.state, ignore_errors=True)
    return watch.run(through=through)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_names_in_the_zone_of_another_machine_are_understood(
    watch: Watch, export: Export, zone: str
) -> None:
    """The export writes its own local time, and we run in that of cron."""
    shutil.rmtree(export.folder)
    export.folder.mkdir()
    for member in MEMBERS:
        for index in range(14):
            rename_in(zone, export.dump(member, NEWEST + EVERY * index))
    watch.use("backups", configuration=export.configuration(f'zone = "{zone}"'))

    told = watch.run(environment={"TZ": "UTC"})

    assert told.is_silent, told.everything


def rename_in(zone: str, path: Path) -> None:
    """Give a dump the name that it has where clocks show another time."""
    at = datetime.fromtimestamp(path.stat().st_mtime, ZoneInfo(zone))
    member = path.name.partition("_")[0]
    path.rename(path.with_name(f"{member}_{at:%Y%m%d%H%M%S}.dump"))


def test_a_folder_with_five_thousand_files_is_judged_quickly(watch: Watch, export: Export) -> None:
    """One of many, whose dumps were taken too often and are kept for ever."""
    for number in range(5000):
        export.dump("shop", timedelta(minutes=2) * number, b"PGDMP")
    watch.use("backups", configuration=export.configuration('ignore = ["shop*"]'))
    first, second = watch.run(), watch.run()

    assert first.is_silent
    assert second.is_silent, second.everything


def test_a_deploy_looks_at_the_smoke_checks_only(watch: Watch, export: Export) -> None:
    watch.use("backups", configuration=export.configuration())

    ended = watch.pytest("monitors", "-m", "smoke")

    assert "1 passed, 8 deselected" in ended.stdout
    assert not watch.repository.state.exists()
