"""`yakei doctor` reads the configuration, collects the checks and tries what they need."""

from __future__ import annotations

from pathlib import Path

import pytest
from doctors import QUEUE, SECRET, doctor, failures, healthy, well_equipped, with_queue
from receivers import WebServer
from repository import Repository

pytestmark = pytest.mark.slow


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    return well_equipped(tmp_path / "bin")


@pytest.fixture
def well(repository: Repository) -> Repository:
    return healthy(repository)


@pytest.fixture
def queues(repository: Repository) -> Repository:
    return with_queue(repository)


def test_where_all_is_well_it_says_so_and_what_it_saw(well: Repository, programs: Path) -> None:
    ran = doctor(well, programs)

    assert (ran.code, ran.stderr, failures(ran)) == (0, "", [])
    assert ran.stdout.splitlines() == [
        f"ok    configuration: {well.folder}/yakei.toml",
        "ok    checks: 1 collected",
        f"ok    state: {well.state} is not there yet; a run makes it",
        "ok    crontab: crontab -l calls yakei run",
        "ok    channels: no [notify.NAME]: what `yakei run` prints is mailed by cron",
    ]


def test_it_makes_nothing_before_the_first_run(well: Repository, programs: Path) -> None:
    """Called by root, it would leave a state that the crontab's user cannot write."""
    doctor(well, programs)

    assert not well.state.exists()


def test_after_a_run_it_says_when_the_last_was(well: Repository, programs: Path) -> None:
    well.run()
    ran = doctor(well, programs)

    assert f"ok    state: {well.state}; last complete run 20" in ran.stdout
    assert f"ok    lock: {well.state}/lock is free\n" in ran.stdout


def test_without_a_configuration_it_is_2_and_says_how_to_get_one(
    well: Repository, programs: Path
) -> None:
    (well.folder / "yakei.toml").unlink()
    ran = doctor(well, programs)

    assert (ran.code, ran.stdout) == (2, "")
    assert "`yakei init` writes one" in ran.stderr


def test_every_mistake_is_listed_and_the_rest_is_looked_at(
    queues: Repository, programs: Path
) -> None:
    queues.configure(
        QUEUE.replace("max_depth", "max_dept")
        + "[notify.slack]\nwebhook = 'env:NOT_THERE'\n[notify.email]\nto = []\n",
        alerts='recoveri = "true"',
    )
    ran = doctor(queues, programs)

    assert ran.code == 2
    assert [line.partition(":")[0] for line in failures(ran)] == [
        "alerts.recoveri",
        "notify.slack.webhook",
        "notify.email.to",
        "queues.jobs.max_dept",
    ]
    assert "ok    database main: " in ran.stdout
    assert "cannot be used as it is: alerts.recoveri, notify.slack.webhook, " in ran.stderr


def test_a_missing_secret_is_named(well: Repository, programs: Path) -> None:
    well.configure("[notify.slack]\nwebhook = 'env:SLACK_WEBHOOK_URL'\n")
    ran = doctor(well, programs)

    assert len(failures(ran)) == 1
    assert failures(ran)[0].startswith(
        "notify.slack.webhook: the environment variable SLACK_WEBHOOK_URL is not set"
    )


def test_a_secret_that_is_there_is_said_by_its_reference(
    well: Repository, programs: Path, slack: WebServer
) -> None:
    well.configure("[notify.slack]\nwebhook = 'env:SLACK_WEBHOOK_URL'\n")
    url = f"{slack.address}/services/T0/B0/{SECRET}"
    ran = doctor(well, programs, SLACK_WEBHOOK_URL=url)

    assert "ok    notify.slack.webhook: from env:SLACK_WEBHOOK_URL\n" in ran.stdout
    assert SECRET not in ran.stdout + ran.stderr


def test_an_unknown_section_is_a_mistake(well: Repository, programs: Path) -> None:
    well.configure("[ques.jobs]\nmax_depth = 1\n")
    ran = doctor(well, programs)

    assert (ran.code, failures(ran)) == (2, ["ques: unknown key; did you mean queues?"])


def test_a_database_that_nobody_named_is_a_mistake(queues: Repository, programs: Path) -> None:
    queues.configure(QUEUE.replace('"main"', '"man"'))
    ran = doctor(queues, programs)

    assert ran.code == 2
    assert failures(ran) == [
        "queues.jobs.database: no database man in [databases]; configured: main"
    ]


def test_a_folder_of_checks_that_is_not_there_is_a_mistake(
    queues: Repository, programs: Path
) -> None:
    queues.configure(QUEUE, run='monitors = ["monitor"]')
    ran = doctor(queues, programs)

    assert ran.code == 2
    assert failures(ran)[0] == (
        f"run.monitors: {queues.folder}/monitor does not exist; "
        "name the folder of the checks, or call `yakei init`"
    )
    assert "ok    database main: " in ran.stdout


def test_a_file_that_does_not_import_is_shown(well: Repository, programs: Path) -> None:
    well.check("broken", "import no_such_module\n")
    ran = doctor(well, programs)

    assert (ran.code, failures(ran)) == (1, ["checks: they cannot all be collected"])
    assert "No module named 'no_such_module'" in ran.stdout


def test_a_file_that_hangs_is_given_up_with_what_it_started(
    well: Repository, programs: Path
) -> None:
    well.configure(run='deadline = "2s"')
    well.check("stuck", "import subprocess\nsubprocess.run(['sleep', '600'])\n")
    ran = doctor(well, programs)

    assert (ran.code, ran.seconds < 20) == (1, True)
    assert failures(ran) == ["checks: to collect them and to try what they need took over 2 s"]


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_database_that_is_down_is_said_without_its_password(
    well: Repository, programs: Path, closed_port: int, scheme: str
) -> None:
    url = f"{scheme}://monitor:{SECRET}@127.0.0.1:{closed_port}/shop"
    well.configure(f'[databases]\nmain = "{url}"\n')
    ran = doctor(well, programs)

    assert (ran.code, len(failures(ran))) == (1, 1)
    assert failures(ran)[0].startswith("database main: ")
    assert "refused" in failures(ran)[0]
    assert SECRET not in ran.stdout + ran.stderr


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_database_that_hangs_does_not_hang_it(
    well: Repository, programs: Path, silent_port: int, scheme: str
) -> None:
    well.configure(f'[databases]\nmain = "{scheme}://monitor:x@127.0.0.1:{silent_port}/shop"\n')
    ran = doctor(well, programs)

    assert (ran.code, ran.seconds < 30) == (1, True)
    assert [line.partition(": ")[0] for line in failures(ran)] == ["database main"]


def test_databases_that_no_check_uses_are_listed(queues: Repository, programs: Path) -> None:
    queues.write(
        "settings.toml",
        f"""
        [database]
        url = "sqlite:///app.sqlite3"
        replica = "postgresql://app:{SECRET}@db02/shop"
        [web]
        home = "https://shop.example.com/"
        """,
    )
    configured = QUEUE.replace('"sqlite:///app.sqlite3"', '"app:database.url"')
    spare = '[databases]\nspare = "sqlite:///app.sqlite3"'
    queues.configure('[app]\nconfig = "settings.toml"\n' + configured.replace("[databases]", spare))
    ran = doctor(queues, programs)

    assert ran.code == 0
    assert "ok    application's databases: no check uses database.replica; " in ran.stdout
    assert "app.sqlite3) answers; no check uses it\n" in ran.stdout
    assert SECRET not in ran.stdout


def test_a_database_that_only_a_check_of_ones_own_uses_is_used(
    queues: Repository, programs: Path
) -> None:
    queues.check("own", "def test_it(database): database('main').scalar('select 1')\n")
    queues.configure(QUEUE.partition("[queues")[0])
    ran = doctor(queues, programs)

    assert ran.code == 0
    assert "no check uses it" not in ran.stdout


def test_settings_of_the_application_that_are_missing_are_a_mistake(
    well: Repository, programs: Path
) -> None:
    well.configure('[app]\nconfig = "nowhere.toml"\n')
    ran = doctor(well, programs)

    assert ran.code == 2
    assert failures(ran)[0].startswith("app.config: the application's settings ")


def test_settings_of_the_application_that_do_not_parse_are_named(
    well: Repository, programs: Path
) -> None:
    (well.folder / "settings.toml").write_text("main = = 1")
    well.configure(
        '[app]\nconfig = "settings.toml"\n[databases]\nmain = "app:main"\n'
        '[queues.jobs]\ndatabase = "main"\ntable = "jobs"\nmax_depth = 1\n'
    )
    ran = doctor(well, programs)

    assert ran.code == 2
    assert failures(ran)[0].startswith(f"{well.folder}/settings.toml: does not parse: ")
