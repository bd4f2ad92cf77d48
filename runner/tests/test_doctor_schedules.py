"""Which line of a crontab calls `yakei run` for this configuration, and which line to add."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from yakei.doctor.calls import calls_in
from yakei.doctor.schedules import crontab_line


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Give the configuration of one of two applications."""
    for name in ("shop", "blog"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "yakei.toml").touch()
        (tmp_path / name / "nightly.toml").touch()
    return tmp_path / "shop" / "yakei.toml"


def is_called(line: str, configuration: Path) -> bool:
    """Return whether a line calls it, with the folders of the two put in."""
    folder = configuration.parent
    text = line.format(shop=folder, blog=folder.with_name("blog"))
    return any(call.may_be_for(configuration) for call in calls_in(text))


@pytest.mark.parametrize(
    "line",
    [
        "*/5 * * * * cd {shop} && exec .venv/bin/yakei run",
        "*/5 * * * * root cd {shop}; /usr/bin/yakei run --log /var/log/yakei.log",
        "*/5 * * * * cd {shop} && python -m yakei run",
        "*/5 * * * * yakei run -c {shop}/yakei.toml",
        "*/5 * * * * cd / && yakei run --config={shop}/yakei.toml",
        "*/5 * * * * cd {shop}/monitors && yakei run monitors",
        "*/5 * * * * sh -c 'cd {shop} && yakei run'",
        "*/5 * * * * cd {shop} && setlock -n /run/lock/shop yakei run",
        "*/5 * * * * cd {shop} && yakei exec -- yakei run",
        "*/5 * * * * cd $APP && yakei run",
        "*/5 * * * * cd {shop} && yakei run | logger -t 'it''s",
        "[Service]\nWorkingDirectory={shop}\nExecStart=/usr/bin/yakei run",
    ],
)
def test_a_line_that_calls_it_is_found(shop: Path, line: str) -> None:
    (shop.parent / "monitors").mkdir()

    assert is_called(line, shop)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("*/5 * * * * cd {blog} && yakei run", id="of another application"),
        pytest.param("*/5 * * * * cd {shop} && yakei run -c nightly.toml", id="of another file"),
        pytest.param("*/5 * * * * yakei run -c {blog}/yakei.toml", id="of another path"),
        pytest.param("*/5 * * * * cd {shop} && yakei exec -- backup run", id="another command"),
        pytest.param("*/5 * * * * cd {shop} && yakei status && make run", id="status"),
        pytest.param("*/5 * * * * cd {shop} && echo yakei; run", id="two commands"),
        pytest.param("*/5 * * * * cd {shop} && my-yakei run", id="another program"),
        pytest.param("# */5 * * * * cd {shop} && yakei run", id="switched off"),
        pytest.param("*/5 * * * * cd /no/such/folder && yakei run", id="nowhere"),
    ],
)
def test_a_line_that_does_something_else_is_not(shop: Path, line: str) -> None:
    assert not is_called(line, shop)


@pytest.mark.parametrize(
    ("interval", "fields"),
    [
        ({"seconds": 30}, "* * * * *"),
        ({"minutes": 1}, "* * * * *"),
        ({"minutes": 5}, "*/5 * * * *"),
        ({"minutes": 7}, "*/6 * * * *"),
        ({"minutes": 45}, "*/30 * * * *"),
        ({"hours": 1}, "0 * * * *"),
        ({"minutes": 90}, "0 * * * *"),
        ({"hours": 2}, "0 */2 * * *"),
        ({"hours": 7}, "0 */6 * * *"),
        ({"days": 1}, "0 0 * * *"),
        ({"days": 7}, "0 0 * * 0"),
    ],
)
def test_the_line_to_add_is_regular_and_not_rarer_than_the_interval(
    shop: Path, interval: dict[str, float], fields: str
) -> None:
    assert crontab_line(shop, timedelta(**interval)).startswith(f"{fields} cd {shop.parent} && ")
