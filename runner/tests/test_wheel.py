"""The wheel has all that a user needs and nothing else, and works where only it is installed."""

from __future__ import annotations

import sqlite3
import sys
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from environments import SOURCE, Environment, call, new_environment

import yakei

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

OURS = ("pytest_yakei", "engine", "databases", "queues", "probes", "yakei_shared", "yakei")
"""The folders of our packages that a queue's check comes by."""
QUEUE = """
[run]
confirm_after = "0s"
host = "app01"

[databases]
main = "sqlite:///app.sqlite3"

[queues.jobs]
database = "main"
table = "jobs"
max_depth = 2
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this source tree; what builds it is in the development environment."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder]
    ran = call([*build, SOURCE], folder=folder)
    assert ran.returncode == 0, ran.stdout
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel and what it asks for."""
    environment = new_environment(tmp_path_factory.mktemp("installed") / "venv")
    environment.install(wheel)
    return environment


@pytest.fixture
def app(tmp_path: Path, installed: Environment) -> Path:
    """A new repository with one row too many in its queue, after `yakei init queues`."""
    folder = tmp_path / "app"
    folder.mkdir()
    assert call([installed.yakei, "init", "queues"], folder=folder).returncode == 0
    folder.joinpath("yakei.toml").write_text(QUEUE)
    sql(folder, "create table jobs (id integer primary key); insert into jobs values (1), (2)")
    return folder


def sql(app: Path, script: str) -> None:
    with closing(sqlite3.connect(app / "app.sqlite3")) as database:
        database.executescript(script)


def names(wheel: Path) -> list[str]:
    return zipfile.ZipFile(wheel).namelist()


def test_it_holds_the_three_packages_and_nothing_else(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in names(wheel)}

    assert tops == {
        "pytest_yakei",
        "yakei_shared",
        "yakei",
        f"yakei-{yakei.__version__}.dist-info",
    }


def test_it_holds_no_tests_and_no_rubbish(wheel: Path) -> None:
    ours = [name for name in names(wheel) if ".dist-info/" not in name]
    others = [name for name in ours if not name.endswith((".py", "/py.typed"))]
    tests = [name for name in ours if Path(name).name.startswith(("test_", "conftest"))]

    assert others == ["yakei/starter/yakei.toml"]
    assert {str(Path(name).parent) for name in tests} == {"yakei/starter/monitors"}


def test_it_holds_every_ready_made_check(wheel: Path) -> None:
    carried = {Path(name).name for name in names(wheel) if "/starter/monitors/" in name}

    assert carried == {file.name for file in SOURCE.glob("monitors/*.py")}


def test_its_entry_points_are_the_program_and_the_plugin_by_its_modules_name(wheel: Path) -> None:
    (name,) = [name for name in names(wheel) if name.endswith("/entry_points.txt")]
    text = zipfile.ZipFile(wheel).read(name).decode()

    assert text.split() == [
        *("[console_scripts]", "yakei", "=", "yakei.cli:main"),
        *("[pytest11]", "pytest_yakei.plugin", "=", "pytest_yakei.plugin"),
    ]


def test_it_says_its_version(installed: Environment, tmp_path: Path) -> None:
    ran = call([installed.python, "-m", "yakei", "--version"], folder=tmp_path)

    assert (ran.returncode, ran.stdout) == (0, f"yakei {yakei.__version__}\n")


def test_plain_pytest_shows_the_queue(installed: Environment, app: Path) -> None:
    ran = call([installed.python, "-m", "pytest", "monitors"], folder=app)

    assert ran.returncode == 1
    assert "AssertionError: waiting: 2 rows (limit: below 2)" in ran.stdout


def test_a_run_tells_the_queue_and_the_next_is_silent_once_it_is_mended(
    installed: Environment, app: Path
) -> None:
    failing = call([installed.yakei, "run"], folder=app)
    sql(app, "delete from jobs")
    mended = call([installed.yakei, "run"], folder=app)

    assert failing.returncode == 75
    assert failing.stdout.startswith("[CRIT] app01 queue jobs: waiting: 2 rows (limit: below 2)\n")
    assert (mended.returncode, mended.stdout) == (0, "")


@pytest.mark.parametrize("way", ["run", "-m"])
def test_of_our_own_modules_pytest_rewrites_the_canary_alone(
    installed: Environment, app: Path, tmp_path: Path, way: str
) -> None:
    """What it rewrites it keeps beside the source, and where it may not, does again in each run."""
    kept = tmp_path / "kept"
    commands = {"run": [installed.yakei, "run"], "-m": [installed.python, "-m", "yakei", "run"]}

    call(commands[way], folder=app, PYTHONPYCACHEPREFIX=str(kept))

    rewritten = {file.relative_to(kept).parts[-2:] for file in kept.rglob("*-pytest-*.pyc")}
    ours = [name for folder, name in rewritten if folder in OURS]
    assert [name.partition(".")[0] for name in ours] == ["canary"]
    (output,) = app.glob(".yakei/runs/*/run-1-output.txt")
    assert "cannot be rewritten" not in output.read_text()


def test_the_starter_of_a_wheel_has_all_checks(installed: Environment, tmp_path: Path) -> None:
    ran = call([installed.yakei, "init"], folder=tmp_path)
    written = {file.name for file in tmp_path.glob("monitors/*")}

    assert ran.returncode == 0
    assert written == {file.name for file in SOURCE.glob("monitors/*.py")}
