"""`yakei init` writes what a beginner edits, and touches nothing that is there already."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from repository import READY_MADE, YAKEI, cron_environment

NAMES = sorted(file.stem.removeprefix("test_") for file in READY_MADE.glob("test_*.py"))
EXAMPLE = re.compile(r"^#(?=[\[a-z_])", re.MULTILINE)
"""What switches an example off; a `#` and a space begin an explanation."""
NOT_ROOT = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.getuid() == 0 else []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "app"
    made.mkdir()
    return made


def call(
    folder: Path, *arguments: str, prefix: list[str] | None = None, **environment: str
) -> tuple[int, str, str]:
    """Return the exit code and both outputs of `yakei`."""
    ran = subprocess.run(
        [*(prefix or []), YAKEI, *arguments],
        cwd=folder,
        env=cron_environment(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return ran.returncode, ran.stdout, ran.stderr


def test_it_writes_the_configuration_and_every_ready_made_check(folder: Path) -> None:
    code, said, complaint = call(folder, "init")

    assert (code, complaint) == (0, "")
    assert f"wrote    {folder}/yakei.toml\n" in said
    assert {file.name for file in folder.glob("monitors/*")} == {f"test_{n}.py" for n in NAMES}


def test_it_writes_the_named_checks_only(folder: Path) -> None:
    call(folder, "init", "queues", "pidfiles", "queues")
    written = sorted(file.name for file in folder.glob("monitors/*"))

    assert written == ["test_pidfiles.py", "test_queues.py"]


def test_what_is_there_is_kept(folder: Path) -> None:
    (folder / "monitors").mkdir()
    ours = [folder / "yakei.toml", folder / "monitors/test_queues.py"]
    for file in ours:
        file.write_text("# ours\n")
    _, said, _ = call(folder, "init", "queues")

    assert [file.read_text() for file in ours] == ["# ours\n"] * 2
    assert said.startswith("".join(f"kept     {file} (it was there already)\n" for file in ours))


def test_a_configuration_in_pyproject_is_kept_in_force(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool.yakei.run]\n")
    _, said, _ = call(folder, "init")

    assert f"kept     {folder}/pyproject.toml (it has [tool.yakei])\n" in said
    assert not (folder / "yakei.toml").exists()


def test_an_unknown_name_is_one_clear_line_and_nothing_is_written(folder: Path) -> None:
    code, said, complaint = call(folder, "init", "queues", "ques")

    assert (code, said, list(folder.iterdir())) == (2, "", [])
    assert complaint == (
        "yakei: yakei init: ques: no ready-made checks of this name; "
        f"there are: {', '.join(NAMES)}\n"
    )


def test_a_file_in_the_folders_place_is_said(folder: Path) -> None:
    (folder / "monitors").write_text("")
    code, _, complaint = call(folder, "init", "queues")

    assert code == 2
    assert complaint == (
        f"yakei: {folder}/monitors/test_queues.py: cannot be written: "
        f"{folder}/monitors is no folder\n"
    )


@pytest.mark.server
def test_a_folder_that_may_not_be_written_is_said(folder: Path) -> None:
    folder.chmod(0o555)
    code, _, complaint = call(folder, "init", prefix=NOT_ROOT)

    assert code == 2
    assert complaint == f"yakei: {folder}/yakei.toml: cannot be written: Permission denied\n"


def test_the_starter_alone_is_a_valid_configuration(folder: Path) -> None:
    call(folder, "init", "queues")
    code, said, complaint = call(folder, "doctor")

    assert (code, complaint) == (1, "")
    assert "FAIL  checks: 0 collected; " in said


def test_every_example_of_the_starter_is_valid_as_it_stands(folder: Path) -> None:
    """What its author says there must be true when a beginner takes a `#` away."""
    call(folder, "init")
    starter = folder / "yakei.toml"
    starter.write_text(EXAMPLE.sub("", starter.read_text()))
    (folder / "config").mkdir()
    (folder / "config/production.toml").write_text("[database]\nurl = 'sqlite:///app.sqlite3'\n")
    with closing(sqlite3.connect(folder / "app.sqlite3")) as database:
        database.execute("create table jobs (created_at text)")
    code, said, complaint = call(
        folder,
        "doctor",
        SLACK_WEBHOOK_URL="https://hooks.slack.com/services/T0/B0/secret",
        HEARTBEAT_URL="https://hc-ping.com/5bfd0e4c-0000-4000-8000-000000000000",
    )

    assert (code in {0, 1}, complaint) == (True, "")
    failures = [line.partition(":")[0] for line in said.splitlines() if line.startswith("FAIL")]
    # This machine may have no sendmail, and no crontab that calls this folder's checks.
    assert set(failures) <= {"FAIL  crontab", "FAIL  channel email"}


def test_all_of_the_starter_is_an_example_but_for_the_run(folder: Path) -> None:
    """So that the test above has seen every table there is."""
    call(folder, "init")
    starter = (folder / "yakei.toml").read_text()
    sections = set(re.findall(r"^#?\[+(\w+)", starter, re.MULTILINE))

    assert sections == {
        *("app", "run", "alerts", "notify", "routes", "heartbeat", "databases"),
        *NAMES,
    }


def test_another_name_can_be_given_to_the_configuration(folder: Path) -> None:
    code, said, complaint = call(folder, "init", "queues", "-c", "watch/nightly.toml")

    assert (code, complaint) == (0, "")
    assert f"wrote    {folder}/watch/nightly.toml\n" in said
    assert f"wrote    {folder}/watch/monitors/test_queues.py\n" in said
    assert "try it with: yakei doctor -c nightly.toml; yakei run -c nightly.toml\n" in said


def test_a_project_without_our_table_is_not_taken_for_a_configuration(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool.yakei-other]\nkey = 1\n")
    named = call(folder, "init", "-c", "pyproject.toml")
    found = call(folder, "init")

    assert (named[0], named[1]) == (2, "")
    assert "pyproject.toml: has no [tool.yakei]; write it, or name another file" in named[2]
    assert f"wrote    {folder}/yakei.toml\n" in found[1]
