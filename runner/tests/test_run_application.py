"""Checks read the application's own settings, and are ordinary pytest for its developers."""

from __future__ import annotations

import json
import subprocess

import pytest
from receivers import MailServer
from repository import FAILING, PASSING, READY_MADE, YAKEI, Repository, mail_table

pytestmark = pytest.mark.slow  # each starts whole runs


READS_SETTINGS = """
    def test_limit(app_config):
        assert int(app_config["queue.limit"]) == 1000
"""


SETTINGS = {
    "settings.toml": "[queue]\nlimit = 1000\n",
    "settings.json": json.dumps({"queue": {"limit": 1000}}),
    "settings.ini": "[queue]\nlimit = 1000\n",
    "settings.yaml": "queue:\n  limit: 1000\n",
}


@pytest.mark.parametrize("name", SETTINGS)
def test_checks_read_the_applications_own_settings(repository: Repository, name: str) -> None:
    repository.write(name, SETTINGS[name])
    repository.configure(f'[app]\nconfig = "{name}"')
    repository.check("limit", READS_SETTINGS)

    ran = repository.run()

    assert (ran.code, ran.stdout) == (0, "")


def test_missing_settings_are_an_alert_here_and_a_skip_in_plain_pytest(
    repository: Repository,
) -> None:
    repository.configure()
    repository.check("limit", READS_SETTINGS)

    ran = repository.run()
    plain = pytest_in(repository)

    assert ran.code == 75
    assert "app.config: missing" in ran.stdout
    assert plain.returncode == 0
    assert "1 skipped" in plain.stdout


LOUD = """
    import warnings
    print("loaded")
    warnings.warn("deprecated")
    webhook = "http://127.0.0.1:9/hook"
"""


def test_settings_that_print_or_end_the_process_leave_a_run_as_it_is(
    repository: Repository,
) -> None:
    """The runner itself imports them, where one of its own settings refers to them."""
    repository.configure(
        """
        [app]
        config = "python:settings_of_a_test"
        [notify.hook]
        kind = "webhook"
        url = "app:webhook"
        """
    )
    repository.check("index", PASSING)
    repository.write("settings_of_a_test.py", LOUD)
    loud = repository.run()
    repository.write("settings_of_a_test.py", "import os\nos._exit(0)\n")
    ends = repository.run()

    assert (loud.code, loud.stdout, loud.stderr) == (0, "", "")
    assert ends.code == 2
    assert "importing settings_of_a_test raised SystemExit" in ends.stdout


def test_a_host_that_does_not_declare_a_section_does_not_collect_its_checks(
    repository: Repository,
) -> None:
    repository.check("slony", (READY_MADE / "test_slony.py").read_text())
    repository.check("index", PASSING)

    ran = repository.run("-p")

    assert (ran.code, "slony" in ran.stdout) == (0, False)
    assert "1 check, all passed" in ran.stdout


def test_plain_pytest_is_ordinary(repository: Repository, mail: MailServer) -> None:
    """No lock, no mail and no state: a developer looks at one check."""
    repository.configure(mail_table(mail))
    repository.check("crawler", FAILING)

    plain = pytest_in(repository, "-k", "crawler")

    assert plain.returncode == 1
    assert "1 failed" in plain.stdout
    assert (mail.mails, repository.state.exists()) == ([], False)


def test_smoke_checks_run_in_ci_without_a_runner(repository: Repository) -> None:
    repository.check("index", PASSING)
    repository.check("web", "import pytest\n\n@pytest.mark.smoke\ndef test_web(): pass")

    plain = pytest_in(repository, "-m", "smoke", "--strict-markers")

    assert (plain.returncode, "1 passed, 1 deselected" in plain.stdout) == (0, True)


def pytest_in(repository: Repository, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run plain pytest as a developer does."""
    command = [str(YAKEI.with_name("pytest")), "-p", "no:cacheprovider", "monitors", *arguments]
    return subprocess.run(
        command, cwd=repository.folder, check=False, capture_output=True, text=True
    )
