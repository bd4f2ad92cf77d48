"""The programs that read backups: ended in time, at the lowest priority, and not always there."""

from __future__ import annotations

import gzip
import os
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from backup_sets import dump_run, dumps

from pytest_yakei.errors import CannotTell
from pytest_yakei.probes.backups.readers import Unreadable
from pytest_yakei.probes.backups.verification import verify

TIMEOUT = timedelta(seconds=20)


def test_a_damaged_gzip_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "site.tar.gz"
    path.write_bytes(gzip.compress(os.urandom(20_000))[:-9] + b"wrong end")

    with pytest.raises(Unreadable, match="gzip: "):
        verify(path, TIMEOUT)


def test_a_tar_archive_without_its_end_is_found_in_its_compression(tmp_path: Path) -> None:
    """GNU tar reads an archive that ends between two files without a word."""
    (tmp_path / "file").write_bytes(os.urandom(5120))
    subprocess.run(["tar", "-cf", "a.tar", "file"], cwd=tmp_path, check=True)
    archive = (tmp_path / "a.tar").read_bytes()[: 512 + 5120]
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(archive))
    (tmp_path / "a.tar").write_bytes(archive)

    for name in ("a.tar", "a.tar.gz"):
        with pytest.raises(Unreadable, match="cut short"):
            verify(tmp_path / name, TIMEOUT)


def fake_program(folder: Path, name: str, script: str) -> None:
    """Put a program of this name first on a PATH."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_program_that_never_ends_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_program(tmp_path, "pg_restore", "exec sleep 600")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    path = dumps(tmp_path, number=1)[0]

    with pytest.raises(Unreadable, match=r"pg_restore did not end within 0\.2 s"):
        verify(path, timedelta(seconds=0.2))


def test_a_missing_program_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = dumps(tmp_path, number=1)[0]
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CannotTell, match="pg_restore is not installed: sudo apt-get install"):
        verify(path, TIMEOUT)


def test_a_dump_of_a_newer_server_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    says = "pg_restore: error: unsupported version (1.99) in file header"
    fake_program(tmp_path, "pg_restore", f"echo '{says}' >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    path = dumps(tmp_path, number=1)[0]

    with pytest.raises(CannotTell, match="install the client of the server's version"):
        verify(path, TIMEOUT)


def test_reading_a_backup_leaves_its_access_time_and_has_the_lowest_priority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = tmp_path / "asked"
    fake_program(tmp_path, "pg_restore", f"cat >/dev/null; {{ nice; ionice; }} >{asked}")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    path = dumps(tmp_path, number=1)[0]
    os.utime(path, (0, path.stat().st_mtime))

    verify(path, TIMEOUT)

    assert asked.read_text().split() == ["19", "idle"]
    assert path.stat().st_atime == 0


def test_the_five_minute_run_starts_no_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dumps(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))

    assert dump_run(tmp_path).everything() == []
