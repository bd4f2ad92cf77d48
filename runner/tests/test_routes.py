"""Who hears about which check, now and later."""

from __future__ import annotations

from typing import Any

import pytest
from suites import BACKUP, QUEUE, minutes

from yakei.results import Severity
from yakei.routes import About, Route, Routing, Way

CHANNELS = ("slack", "email", "pager")


def to(*notify: str, **conditions: Any) -> Route:
    return Route(notify=notify, **conditions)


DB, SLONY = to("slack", owner="db"), to("email", check="monitors/test_queues.py*")
CRITICAL = to("pager", severity="critical")
DEFAULT = to("email", default=True)
LATER, LATEST = to("pager", after=minutes(30)), to("email", "pager", after=minutes(60))


@pytest.mark.parametrize(
    ("routes", "about", "expected"),
    [
        pytest.param([], {}, "slack email pager", id="without routes everybody hears"),
        pytest.param([DB], {"owner": "db"}, "slack", id="by owner"),
        pytest.param([DB], {"owner": "web"}, "slack email pager", id="who fits nothing: everybody"),
        pytest.param([DB], {}, "slack email pager", id="no owner: everybody"),
        pytest.param([DB, DEFAULT], {"owner": "web"}, "email", id="the default route"),
        pytest.param([DB, DEFAULT], {"owner": "db"}, "slack", id="the default is for the rest"),
        pytest.param([DEFAULT, DB], {"owner": "db"}, "slack", id="wherever the default stands"),
        pytest.param([SLONY], {}, "email", id="by path"),
        pytest.param([SLONY, DB], {"owner": "db"}, "slack email", id="all routes that fit"),
        pytest.param([to("email", check=QUEUE)], {}, "email", id="brackets are literal"),
        pytest.param([to("email", marker="smoke")], {"markers": ["smoke"]}, "email", id="marker"),
        pytest.param(
            [to("email", marker="smoke")], {}, "slack email pager", id="without the marker"
        ),
        pytest.param([CRITICAL, DEFAULT], {"severity": "warning"}, "email", id="by severity"),
        pytest.param(
            [to("email", default=True, severity="warning")],
            {},
            "slack email pager",
            id="a default with a condition that does not hold",
        ),
        pytest.param(
            [to("slack", owner="db", severity="critical")],
            {"owner": "db", "severity": "warning"},
            "slack email pager",
            id="all that a route names must fit",
        ),
        pytest.param([LATER], {}, "slack email pager", id="who waits is no answer for now"),
        pytest.param(
            [DB, LATER], {"owner": "db"}, "slack, pager 30", id="escalation joins after a while"
        ),
        pytest.param(
            [DB, LATEST, LATER],
            {"owner": "db"},
            "slack, pager 30, email 60",
            id="several escalations, each name once",
        ),
        pytest.param(
            [DB, to("pager", after=minutes(30), severity="critical")],
            {"owner": "db", "severity": "warning"},
            "slack",
            id="an escalation has its conditions too",
        ),
    ],
)
def test_the_ways_of_a_notification(
    routes: list[Route], about: dict[str, Any], expected: str
) -> None:
    routing = Routing(routes=tuple(routes), notifiers=CHANNELS)
    asked = {"owner": None, "severity": Severity.CRITICAL, "check": QUEUE, **about}

    assert routing.ways(**asked) == tuple(map(way, expected.split(", ")))


def way(text: str) -> Way:
    *names, last = text.split()
    if last.isdigit():
        return Way(notify=tuple(names), after=minutes(int(last)))
    return Way(notify=(*names, last))


def test_where_no_notifier_is_configured_stdout_is_told() -> None:
    ways = Routing().ways(owner=None, severity=Severity.WARNING, check=QUEUE)

    assert ways == (Way(notify=("-",)),)


def test_a_resource_goes_where_each_of_its_checks_would() -> None:
    routing = Routing(routes=(DB, to("email", owner="web")), notifiers=CHANNELS)
    about = About(owners=("db", "web"), severity=Severity.CRITICAL, checks=(QUEUE, BACKUP))

    assert routing.ways_of(about) == (Way(notify=("slack", "email")),)


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        pytest.param([], False, id="without routes everybody hears"),
        pytest.param([DB], True, id="routes go by owner, and this one is forgotten"),
        pytest.param([DB, DEFAULT], False, id="a default route takes it"),
        pytest.param([DB, to("email")], False, id="a route without conditions takes it"),
        pytest.param([CRITICAL], False, id="no route goes by owner"),
        pytest.param([DB, CRITICAL], False, id="one fits when it is critical"),
        pytest.param([DB, SLONY], False, id="one fits by its path"),
        pytest.param([DB, to("email", check="x")], True, id="none fits by its path"),
        pytest.param([DB, LATER], True, id="who waits does not hear at first"),
        pytest.param([to("email", owner="web")], False, id="its own route takes it"),
    ],
)
def test_an_owner_that_leads_nowhere(routes: list[Route], *, expected: bool) -> None:
    routing = Routing(routes=tuple(routes), notifiers=CHANNELS)
    about = About(owners=("web",), severity=Severity.WARNING, checks=(QUEUE,))

    assert routing.is_dead_end(about) is expected


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        pytest.param([], False, id="without routes"),
        pytest.param([DB], True, id="only another owner's"),
        pytest.param([DB, SLONY], False, id="its checks may have that path"),
        pytest.param([DB, DEFAULT], False, id="a default"),
        pytest.param([CRITICAL], False, id="no route goes by owner"),
    ],
)
def test_what_the_file_alone_says_of_an_owner(routes: list[Route], *, expected: bool) -> None:
    routing = Routing(routes=tuple(routes), notifiers=CHANNELS)

    assert routing.never_leads_anywhere("web") is expected


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"notify": ()}, "notify: expected the name"),
        ({"notify": ("slack",), "after": minutes(0)}, "after: expected a time longer"),
        ({"notify": ("slack",), "after": minutes(5), "default": True}, "default route cannot"),
    ],
)
def test_a_route_that_leads_nowhere_is_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Route(**fields)
