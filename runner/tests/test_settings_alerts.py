"""What `[alerts]`, `[[routes]]` and `[[maintenance]]` say, and what they must not say."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from yakei.incidents.policy import Policy
from yakei.incidents.windows import Window
from yakei.routes import Way
from yakei.settings import RunnerSettings, read_settings, usable_settings
from yakei_shared.configuration import load_configuration
from yakei_shared.errors import ConfigurationError

CHANNELS = """
[notify.slack]
webhook = "https://hooks.slack.com/services/T0/B0/x"
[notify.email]
to = ["ops@example.com"]
[[routes]]
owner = "db"
notify = ["slack"]
"""


def read(folder: Path, text: str) -> RunnerSettings:
    file = folder / "yakei.toml"
    file.write_text(text, encoding="utf-8")
    return read_settings(load_configuration(file))


def policy(folder: Path, text: str) -> Policy:
    return read(folder, text).policy


def test_without_a_word_the_policy_is_that_of_the_contract(tmp_path: Path) -> None:
    assert policy(tmp_path, "") == Policy()


@pytest.mark.parametrize(
    ("written", "expected"),
    [("3", (3, None)), ('"3 of 5"', (3, 5)), ('"2"', (2, None))],
)
def test_a_threshold_is_a_number_or_a_part(
    tmp_path: Path, written: str, expected: tuple[int, int | None]
) -> None:
    read_policy = policy(tmp_path, f"[alerts]\nfailure_threshold = {written}")

    assert (read_policy.failure_threshold, read_policy.failure_window) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('"23:00-07:00"', (Window(1380, 1860),)),
        (
            '["mon-fri 23:00-07:00", "sun 00:00-24:00"]',
            (Window(1380, 1860, frozenset(range(5))), Window(0, 1440, frozenset({6}))),
        ),
    ],
    ids=["one window", "several"],
)
def test_quiet_hours_may_be_several(
    tmp_path: Path, written: str, expected: tuple[Window, ...]
) -> None:
    assert policy(tmp_path, f"[alerts]\nquiet_hours = {written}").quiet_hours == expected


def test_a_zone_is_where_the_people_are(tmp_path: Path) -> None:
    assert policy(tmp_path, '[alerts]\ntime_zone = "Asia/Tokyo"').zone == ZoneInfo("Asia/Tokyo")


def test_maintenance_says_when_why_and_for_what(tmp_path: Path) -> None:
    table = """
        [[maintenance]]
        check = "monitors/test_backups.py*"
        when = ["sun 01:00-05:00"]
        reason = "vacuum"
        time_zone = "Europe/Berlin"
    """
    (window,) = policy(tmp_path, table).maintenance

    assert (window.pattern, window.reason) == ("monitors/test_backups.py*", "vacuum")
    assert (window.windows, window.zone) == (
        (Window(60, 300, frozenset({6})),),
        ZoneInfo("Europe/Berlin"),
    )


def test_a_notifier_may_say_for_itself_whether_it_wants_recoveries(tmp_path: Path) -> None:
    text = CHANNELS.replace("[notify.email]", "[notify.email]\nrecovery = true")
    read_policy = policy(tmp_path, text)

    assert [read_policy.wants_recovery(name) for name in ("slack", "email")] == [False, True]


def test_a_route_may_wait_and_one_may_be_for_the_rest(tmp_path: Path) -> None:
    routes = """
        [[routes]]
        default = true
        notify = ["email"]
        [[routes]]
        marker = "shop"
        severity = "critical"
        after = "30m"
        notify = ["slack"]
    """
    routing = read(tmp_path, CHANNELS + routes).routing
    ways = routing.ways(owner=None, severity="critical", check="x", markers=["shop"])

    later = Way(notify=("slack",), after=timedelta(minutes=30))
    assert ways == (Way(notify=("email",)), later)


def test_the_suite_has_an_owner(tmp_path: Path) -> None:
    assert policy(tmp_path, '[run]\nowner = "db"').owner == "db"


REST = '[[routes]]\nnotify = ["email"]\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[alerts]\nfailure_threshold = "6 of 5"', "failure_threshold: expected a window of"),
        ("[alerts]\nfailure_threshold = 0", "failure_threshold: expected at least 1"),
        ("[alerts]\nfailure_threshold = 1.5", "alerts.failure_threshold: expected a whole"),
        ("[alerts]\nrecover_after = 0", "recover_after: expected at least 1"),
        ("[alerts]\nquiet_hours = []", "quiet_hours: expected hours such as"),
        ('[alerts]\nquiet_hours = "fry 01:00-02:00"', "quiet_hours: expected days among mon"),
        ('[alerts]\nquiet_hours = "07:00-07:00"', 'all day is "00:00-24:00"'),
        ('[alerts]\ntime_zone = "Asia/Tokio"', "did you mean Asia/Tokyo?"),
        ('[alerts]\ntime_zone = "../../etc/passwd"', "time_zone: no zone"),
        ('[maintenance]\nwhen = "01:00-02:00"', "maintenance: expected tables"),
        ('[[maintenance]]\nwhen = "01:00-02:00"', "maintenance[0].reason: missing"),
        ('[[maintenance]]\nreason = "x"', "maintenance[0].when: missing"),
        ('[[maintenance]]\nreason = "x"\nwhen = "now"', "maintenance[0].when: expected hours"),
        (f'{CHANNELS}[queues.q]\nowner = "web"', 'queues.q.owner: owner "web" leads nowhere'),
        (f'{CHANNELS}[queues.q]\nowner = "web"', "expected one of db, or a route with default"),
        (f'{CHANNELS}[run]\nowner = "web"', "run.owner: owner"),
        (f"{CHANNELS}{REST}{REST}default = true", "routes[2].default: never used"),
        (CHANNELS.replace("webhook", 'recovery = "yes"\nwebhook'), "slack.recovery: expected true"),
        (CHANNELS.replace('"slack"]', '"pager"]'), "routes[0].notify: no [notify.pager]"),
        (CHANNELS.replace("owner", "ownr"), "did you mean owner?"),
        (CHANNELS + 'after = "0s"', "routes[0].after: expected a time longer"),
    ],
)
def test_a_mistake_says_the_key_and_what_was_expected(
    tmp_path: Path, text: str, problem: str
) -> None:
    with pytest.raises(ConfigurationError) as error:
        read(tmp_path, text)

    assert problem in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param('[queues.q]\nowner = "db"', id="an owner with a route"),
        pytest.param(f'{REST}[queues.q]\nowner = "web"', id="a route for everything"),
        pytest.param(
            '[[routes]]\ncheck = "*"\nnotify = ["email"]\n[queues.q]\nowner = "web"',
            id="a route that its checks may fit",
        ),
        pytest.param("[queues.q]\n[databases]\nowner = 'postgresql://h/owner'", id="no owner"),
    ],
)
def test_an_owner_that_may_lead_somewhere_is_no_mistake(tmp_path: Path, more: str) -> None:
    assert read(tmp_path, CHANNELS + more).routes


MISTAKES = {
    "an unknown key": "[run]\nintervall = '1m'\nSTATE\n[alerts]\nrecovry = true\nRECOVERY",
    "a value": "[run]\nslots = 0\nSTATE\n[alerts]\nfailure_threshold = 0\nRECOVERY",
    "a key in quotes": "[run]\n'a.b' = 1\nSTATE\n[alerts]\n'a[0]' = 1\nRECOVERY",
    "the application": (
        "[app]\nconfig = 'gone.toml'\n[run]\nhost = 'app:host'\nSTATE\n"
        "[alerts]\nquiet_hours = ['app:quiet']\nRECOVERY"
    ),
    "no application": (
        "[run]\nhost = 'app:host'\nSTATE\n[alerts]\nrecover_after = 'app:it'\nRECOVERY"
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_what_stands_beside_a_mistake_holds(tmp_path: Path, mistake: str) -> None:
    file = tmp_path / "yakei.toml"
    keys = {"STATE": "state = 'elsewhere'", "RECOVERY": "recovery = true"}
    file.write_text(mistake.replace("STATE", keys["STATE"]).replace("RECOVERY", keys["RECOVERY"]))
    with pytest.raises(ConfigurationError):
        read_settings(load_configuration(file))
    usable = usable_settings(file)

    assert (usable.run.state, usable.alerts.recovery) == (tmp_path / "elsewhere", True)


@pytest.mark.parametrize("written", ["run = 3", "[run.more]\nx = 1\n[alerts.more]\nx = 1"])
def test_where_nothing_can_be_used_there_are_the_defaults(tmp_path: Path, written: str) -> None:
    file = tmp_path / "yakei.toml"
    file.write_text(written)

    assert usable_settings(file).run.state == tmp_path / ".yakei"
