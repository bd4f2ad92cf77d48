"""Reading backups from end to end: real dumps of a real server, whole and damaged."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from backup_sets import HOUR, NOW, dump_run, touch
from servers.postgres import PostgresServer
from servers.requirements import program

from pytest_yakei.probes.backups.formats import Format, has_end, recognise
from pytest_yakei.probes.backups.readers import Unreadable
from pytest_yakei.probes.backups.verification import verify

TIMEOUT = timedelta(seconds=20)


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> Iterator[str]:
    """The URL of a database with some data, of which random numbers do not compress to nothing."""
    name = postgres.create_database("backed_up")
    postgres.execute(
        "create table page as select md5(random()::text) from generate_series(1, 9000)",
        database=name,
    )
    postgres.execute("create table empty_one (n int)", database=name)
    yield postgres.url(name)
    postgres.execute(f'drop database "{name}" with (force)')


@pytest.fixture
def export(tmp_path: Path, database: str) -> Callable[..., Path]:
    """Runs the real pg_dump: `export("-Fc")`."""

    def run(*options: str, name: str = "app_20260120110000.dump") -> Path:
        pg_dump = program("pg_dump", what="pg_dump", package="postgresql-client")
        subprocess.run([pg_dump, *options, "-f", tmp_path / name, database], check=True)
        return tmp_path / name

    return run


def cut(path: Path, percent: int) -> Path:
    """Keep the first part of a file only."""
    os.truncate(path, path.stat().st_size * percent // 100)
    return path


def flip(path: Path) -> None:
    """Change one byte in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.server
@pytest.mark.parametrize("options", [["-Fc"], ["-Fc", "-Z0"], ["-Fp"], ["-Ft"], ["-Fd"]])
def test_a_whole_dump_is_read_without_complaint(
    export: Callable[..., Path], options: list[str]
) -> None:
    path = export(*options)

    verify(path, TIMEOUT, is_folder=path.is_dir())


@pytest.mark.server
@pytest.mark.parametrize("options", [["-Fc"], ["-Fc", "-Z0"], ["-Fp"], ["-Ft"]])
@pytest.mark.parametrize("percent", [10, 40, 95])
def test_half_a_dump_is_damaged(
    export: Callable[..., Path], options: list[str], percent: int
) -> None:
    """A tar on which pg_restore would spin for ever is ended by tar before."""
    path = cut(export(*options), percent)

    with pytest.raises(Unreadable):
        verify(path, TIMEOUT)


@pytest.mark.server
def test_a_flipped_byte_in_an_archive_is_found(export: Callable[..., Path]) -> None:
    path = export("-Fc")
    flip(path)

    with pytest.raises(Unreadable):
        verify(path, TIMEOUT)


@pytest.mark.server
def test_a_folder_that_lacks_a_file_is_damaged(export: Callable[..., Path]) -> None:
    path = export("-Fd")
    next(path.glob("*.dat.gz")).unlink()

    with pytest.raises(Unreadable):
        verify(path, TIMEOUT, is_folder=True)


@pytest.mark.server
@pytest.mark.parametrize("options", ["-Fc", "-Fc -Z0", "-Fc -s", "-Fc -a", "-Fp"])
def test_the_last_bytes_tell_whole_dumps_from_halves(
    export: Callable[..., Path], options: str
) -> None:
    path = export(*options.split())
    found = recognise(path, is_folder=False)

    assert has_end(path, found) is True
    assert has_end(cut(path, 70), found) is False


@pytest.mark.server
def test_the_newest_real_dump_that_was_cut_short_cannot_be_restored(
    tmp_path: Path, export: Callable[..., Path]
) -> None:
    path = touch(cut(export("-Fc"), 40), NOW - HOUR)

    found = dump_run(tmp_path).ask("unrestorable")

    assert found.startswith(f"{path.name}: cannot be restored\n  pg_restore: ")
    assert "could not read from input file: end of file" in found


@pytest.mark.server
def test_real_dumps_of_all_formats_are_good_in_every_run(
    tmp_path: Path, export: Callable[..., Path]
) -> None:
    for suffix, option in ((".dump", "-Fc"), (".sql", "-Fp"), (".tar", "-Ft"), ("", "-Fd")):
        path = export(option, name=f"app_20260120110000{suffix}")
        for file in [*path.glob("*"), path]:
            touch(file, NOW - HOUR)
    run = dump_run(tmp_path)

    assert run.everything() == []
    assert run.ask("unrestorable") == ""


@pytest.mark.server
def test_a_folder_without_its_table_of_contents_is_unfinished(
    tmp_path: Path, export: Callable[..., Path]
) -> None:
    path = export("-Fd", name="app_20260120090000")
    (path / "toc.dat").unlink()
    for file in [*path.glob("*"), path]:
        touch(file, NOW - 3 * HOUR)

    assert "no toc.dat: pg_dump writes it last" in dump_run(tmp_path).ask("leftovers")


@pytest.mark.server
@pytest.mark.parametrize("compress", ["gzip", "zstd", "xz"])
def test_a_dump_that_died_before_it_was_compressed_is_found(
    export: Callable[..., Path], compress: str
) -> None:
    """The file itself is whole: the compressing program saw a proper end."""
    whole, half = export("-Fp", name="whole.sql"), cut(export("-Fp", name="half.sql"), 60)
    compressor = program(compress, what=compress, package=compress)
    subprocess.run([compressor, "-q", whole, half], check=True)
    suffix = {"gzip": ".gz", "zstd": ".zst", "xz": ".xz"}[compress]

    verify(whole.with_suffix(f".sql{suffix}"), TIMEOUT)
    with pytest.raises(Unreadable, match="last comment is missing"):
        verify(half.with_suffix(f".sql{suffix}"), TIMEOUT)


@pytest.mark.server
def test_a_format_is_told_by_content_and_not_by_name(
    tmp_path: Path, export: Callable[..., Path]
) -> None:
    shutil.move(export("-Ft", name="x"), tmp_path / "app.dump")

    assert recognise(tmp_path / "app.dump", is_folder=False) is Format.TAR
