"""`yakei doctor --routes` says who would hear about each check."""

from __future__ import annotations

from pathlib import Path

import pytest
from doctors import doctor, failures, healthy, well_equipped
from repository import FAILING, Repository

pytestmark = pytest.mark.slow

CHANNELS = """
[notify.slack]
webhook = "https://hooks.slack.com/services/T0/B0/S3cr3tOfSlack"

[notify.email]
to = ["ops@example.com"]
smtp = "smtp://127.0.0.1:9"
"""
SOFT = """
    import pytest

    @pytest.mark.severity("warning")
    @pytest.mark.owner("dba")
    def test_disk():
        assert True
"""
CRAWLER = "monitors/test_crawler.py::test_crawler_keeps_up"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    return well_equipped(tmp_path / "bin")


@pytest.fixture
def suite(repository: Repository) -> Repository:
    healthy(repository).check("crawler", FAILING)
    repository.check("disk", SOFT)
    return repository


def test_without_routes_everybody_hears_everything(suite: Repository, programs: Path) -> None:
    suite.configure(CHANNELS)
    ran = doctor(suite, programs, "--routes")

    assert (ran.code, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == [
        f"{CRAWLER}  owner search-team",
        "  always    slack, email",
        "monitors/test_disk.py::test_disk  owner dba",
        "  warning   slack, email",
        "monitors/test_index.py::test_index_is_fresh  no owner",
        "  always    slack, email",
        "the run itself: crash, nothing collected, a check that vanished, …",
        "  always    slack, email",
    ]


def test_routes_are_followed_by_owner_and_severity(suite: Repository, programs: Path) -> None:
    route = '[[routes]]\nowner = "search-team"\nseverity = "critical"\nnotify = ["slack"]\n'
    suite.configure(CHANNELS + route)
    said = doctor(suite, programs, "--routes").stdout

    assert f"{CRAWLER}  owner search-team\n  critical  slack\n  warning   slack, email\n" in said


@pytest.mark.parametrize(
    ("route", "finding"),
    [
        ('owner = "db"', "no check has owner db; did you mean dba?"),
        (
            'check = "monitors/test_disk.py"',
            "no check matches monitors/test_disk.py; did you mean 'monitors/test_disk.py*'?",
        ),
        ('owner = "nobody-like-this"', "no check has owner nobody-like-this"),
    ],
)
def test_what_a_route_names_and_no_check_has_is_a_finding(
    suite: Repository, programs: Path, route: str, finding: str
) -> None:
    first = '[[routes]]\nowner = "dba"\nnotify = ["email"]\n'
    suite.configure(f'{CHANNELS}{first}[[routes]]\n{route}\nnotify = ["email"]\n')
    ran = doctor(suite, programs, "--routes")

    assert (ran.code, failures(ran)) == (1, [f"route 2: {finding}"])


def test_where_nobody_is_configured_it_says_so(suite: Repository, programs: Path) -> None:
    said = doctor(suite, programs, "--routes").stdout

    assert "  always    nobody but who reads cron's mail: no [notify.NAME]\n" in said


def test_checks_that_cannot_be_collected_are_not_passed_over(
    suite: Repository, programs: Path
) -> None:
    suite.check("broken", "import no_such_module\n")
    ran = doctor(suite, programs, "--routes")

    assert (ran.code, failures(ran)) == (1, ["checks: they cannot all be collected"])
    assert CRAWLER in ran.stdout


def test_a_configuration_that_cannot_be_used_is_one_line(suite: Repository, programs: Path) -> None:
    suite.configure(CHANNELS + '[[routes]]\nowner = "dba"\nnotify = ["pager"]\n')
    ran = doctor(suite, programs, "--routes")

    assert (ran.code, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
    assert "routes[0].notify: no [notify.pager]; configured: slack, email" in ran.stderr
