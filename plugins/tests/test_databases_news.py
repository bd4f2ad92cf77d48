"""What one check found out about a resource that is down, the others know for a while."""

from __future__ import annotations

import time

import pytest

from pytest_yakei.databases.news import News
from pytest_yakei.errors import ResourceUnavailable

DOWN = ResourceUnavailable("database main", "connection refused")
NOON = 43_200.0


def set_clock(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let it be so many seconds after noon."""
    monkeypatch.setattr(time, "monotonic", lambda: NOON + seconds)


@pytest.fixture
def news(monkeypatch: pytest.MonkeyPatch) -> News:
    """At noon it was found out that the database is down."""
    news = News()
    set_clock(monkeypatch, 0)
    news.tell(DOWN)
    return news


@pytest.mark.parametrize(("seconds", "reason"), [(0, DOWN.reason), (29, DOWN.reason), (31, None)])
def test_a_resource_that_was_down_is_tried_again_after_half_a_minute(
    news: News, monkeypatch: pytest.MonkeyPatch, seconds: float, reason: str | None
) -> None:
    """Some come back within a run."""
    set_clock(monkeypatch, seconds)
    known = news.of(DOWN.resource)

    assert (known and known.reason) == reason


def test_a_resource_that_is_found_down_again_is_so_for_another_half_minute(
    news: News, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, 31)
    news.tell(DOWN)
    set_clock(monkeypatch, 60)

    assert news.of(DOWN.resource) is not None


def test_of_other_resources_nothing_is_known(news: News) -> None:
    assert news.of("database other") is None
