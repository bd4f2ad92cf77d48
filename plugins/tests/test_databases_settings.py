"""`[databases]`: a URL, or a table with a URL and what may be asked of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from pytest_yakei.databases.settings import ConfiguredDatabase, read_database
from yakei_shared.configuration import Configuration, load_configuration
from yakei_shared.errors import ConfigurationError

Read = Callable[..., ConfiguredDatabase]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read the database `main` of a configuration file."""

    def read_(text: str, **environment: str) -> ConfiguredDatabase:
        path = tmp_path / "yakei.toml"
        path.write_text(text, encoding="utf-8")
        tables = load_configuration(path).tables
        return read_database(Configuration(path, tables, environment=environment), "main")

    return read_


def test_a_url_alone_has_the_usual_allowance(read: Read) -> None:
    found = read('[databases]\nmain = "postgresql://u@db01/app"')

    assert found.max_connections == 8
    assert found.timeouts.connect == timedelta(seconds=5)


def test_a_table_says_how_much_may_be_asked(read: Read) -> None:
    found = read(
        '[databases.main]\nurl = "env:URL"\nmax_connections = 2\n'
        'connect_timeout = "1s"\nstatement_timeout = "2m"\n',
        URL="postgresql://u@db01/app",
    )

    assert found.target.get("host") == "db01"
    assert found.max_connections == 2
    assert (found.timeouts.connect, found.timeouts.statement) == (
        timedelta(seconds=1),
        timedelta(minutes=2),
    )


def test_a_file_has_no_limit_of_its_own(read: Read) -> None:
    assert read('[databases]\nmain = "sqlite:///main.db"').max_connections is None
    assert read('[databases.main]\nurl = "sqlite:///x"\nmax_connections = 3').max_connections == 3


def test_a_table_may_take_a_whole_entry_of_the_application(read: Read, tmp_path: Path) -> None:
    settings = "[DATABASES.default]\nENGINE = 'django.db.backends.postgresql'\nHOST = 'db01'\n"
    (tmp_path / "settings.toml").write_text(settings, encoding="utf-8")
    found = read(
        '[app]\nconfig = "settings.toml"\n'
        '[databases.main]\nurl = "app:DATABASES.default"\nuser = "yakei"\nmax_connections = 1\n'
    )

    assert (found.target.kind, found.target.get("host")) == ("postgresql", "db01")
    assert found.target.get("user") == "yakei"


def test_an_applications_own_pool_is_not_ours(read: Read, tmp_path: Path) -> None:
    settings = "[database]\nurl = 'postgresql://u@db01/app'\nmax_connections = 99\n"
    (tmp_path / "settings.toml").write_text(settings, encoding="utf-8")
    found = read('[app]\nconfig = "settings.toml"\n[databases]\nmain = "app:database"\n')

    assert found.max_connections == 8


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        pytest.param("", "expected postgresql://", id="empty"),
        pytest.param("url = 3", "no URL", id="a number"),
        pytest.param("url = 'env:NO_SUCH'", "NO_SUCH is not set", id="reference"),
        pytest.param("url = 'sqlite:///x'\nmax_conns = 2", "unknown key", id="unknown key"),
        pytest.param("url = 'sqlite:///x'\nmax_connections = '2'", "whole number", id="type"),
        pytest.param("url = 'sqlite:///x'\nconnect_timeout = '0s'", "longer than", id="no time"),
    ],
)
def test_a_mistake_says_which_key(read: Read, table: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem) as raised:
        read(f"[databases.main]\n{table}\n")

    assert raised.value.key.startswith("databases.main")
