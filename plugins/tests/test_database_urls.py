"""Every spelling of a database's place that applications use is understood."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_yakei.databases import check_target, secrets_of
from pytest_yakei.databases.urls import Target, file_of, parse

LOGIN = {"host": "db01", "user": "app", "password": "p@ss/wörd", "database": "shop"}


@pytest.mark.parametrize(
    ("url", "kind", "parameters"),
    [
        pytest.param("postgresql:///app", "postgresql", {"database": "app"}, id="libpq defaults"),
        pytest.param(
            "postgres://app:p%40ss%2Fw%C3%B6rd@db01/shop", "postgresql", LOGIN, id="encoded"
        ),
        pytest.param(
            "postgres://app:p@ss@db01/shop", "postgresql", {**LOGIN, "password": "p@ss"}, id="@"
        ),
        pytest.param(
            "postgres://app:p/ss@db01/shop", "postgresql", {**LOGIN, "password": "p/ss"}, id="/"
        ),
        pytest.param(
            "postgresql+psycopg2://db01:5433/shop?sslmode=require",
            "postgresql",
            {"host": "db01", "port": "5433", "database": "shop", "sslmode": "require"},
            id="SQLAlchemy",
        ),
        pytest.param(
            "postgresql:///?service=shop", "postgresql", {"service": "shop"}, id="libpq service"
        ),
        pytest.param(
            "postgresql://%2Frun%2Fpostgresql/shop",
            "postgresql",
            {"host": "/run/postgresql", "database": "shop"},
            id="socket as a host",
        ),
        pytest.param(
            "postgresql://a:1,b:2/shop?target_session_attrs=any",
            "postgresql",
            {"host": "a,b", "port": "1,2", "database": "shop", "target_session_attrs": "any"},
            id="several hosts",
        ),
        pytest.param(
            "postgresql://[::1]:5433/shop",
            "postgresql",
            {"host": "::1", "port": "5433", "database": "shop"},
            id="IPv6",
        ),
        pytest.param(
            r"host=db01 dbname='my shop' password = 'it\'s'",
            "postgresql",
            {"host": "db01", "database": "my shop", "password": "it's"},
            id="libpq key words",
        ),
        pytest.param(
            "mysql+pymysql://app@db01:3307/shop?charset=utf8mb4",
            "mysql",
            {
                "host": "db01",
                "port": "3307",
                "user": "app",
                "database": "shop",
                "charset": "utf8mb4",
            },
            id="MySQL",
        ),
        pytest.param("mariadb://db01/", "mysql", {"host": "db01"}, id="MariaDB"),
        pytest.param(
            "mysql://?read_default_file=~/.my.cnf",
            "mysql",
            {"read_default_file": "~/.my.cnf"},
            id="option file",
        ),
        pytest.param(
            "sqlite:///var/app.db", "sqlite", {"database": "var/app.db"}, id="SQLite, relative"
        ),
        pytest.param(
            "sqlite:////var/app.db", "sqlite", {"database": "/var/app.db"}, id="SQLite, absolute"
        ),
    ],
)
def test_a_url_names_a_place(url: str, kind: str, parameters: dict[str, str]) -> None:
    target = parse(url)

    assert (target.kind, dict(target.parameters)) == (kind, parameters)


@pytest.mark.parametrize(
    ("mapping", "kind", "parameters"),
    [
        pytest.param(
            {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": "shop",
                "HOST": "",
                "PORT": 5433,
                "CONN_MAX_AGE": 60,
                "OPTIONS": {"sslmode": "require", "pool": True},
            },
            "postgresql",
            {"database": "shop", "port": 5433, "sslmode": "require", "pool": True},
            id="Django on PostgreSQL",
        ),
        pytest.param(
            {"ENGINE": "django.db.backends.mysql", "NAME": "shop", "HOST": "/run/mysqld.sock"},
            "mysql",
            {"database": "shop", "unix_socket": "/run/mysqld.sock"},
            id="Django on a socket",
        ),
        pytest.param(
            {"ENGINE": "mysql.connector.django", "NAME": "shop", "USER": "app"},
            "mysql",
            {"database": "shop", "user": "app"},
            id="MySQL's own engine for Django",
        ),
        pytest.param(
            {"ENGINE": "django.db.backends.sqlite3", "NAME": Path("/var/app.db")},
            "sqlite",
            {"database": "/var/app.db"},
            id="Django on SQLite",
        ),
        pytest.param(
            {"url": "postgresql://app@db01/shop", "password": "x", "pool_size": 5, "port": ""},
            "postgresql",
            {"host": "db01", "user": "app", "database": "shop", "password": "x"},
            id="URL and password apart",
        ),
        pytest.param(
            {"drivername": "postgresql+asyncpg", "username": "app", "dbname": "shop"},
            "postgresql",
            {"user": "app", "database": "shop"},
            id="SQLAlchemy's parts",
        ),
        pytest.param(
            {"adapter": "mysql2", "database": "shop", "passwd": "x", "socket": "/run/s"},
            "mysql",
            {"database": "shop", "password": "x", "unix_socket": "/run/s"},
            id="other names",
        ),
    ],
)
def test_a_mapping_names_a_place(
    mapping: Mapping[str, Any], kind: str, parameters: dict[str, Any]
) -> None:
    target = parse(mapping)

    assert (target.kind, dict(target.parameters)) == (kind, parameters)


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ("mongodb://u:s3cret@h/db", 'sqlite:///…, got "mongodb"'),
        ("s3cret", "what is given is no URL"),
        ("postgresql://u:s3cret@h:port/db", "where the port is a number"),
        ("sqlite://", "a file's path"),
        ("sqlite:///:memory:", "a file's path"),
        ({"HOST": "h", "PASSWORD": "s3cret"}, "or a driver's name"),
        (5432, "or a table, got int"),
    ],
)
def test_what_names_no_place_is_told_without_its_password(wrong: Any, problem: str) -> None:
    with pytest.raises(ValueError, match="expected") as failure:
        check_target(wrong)

    assert str(failure.value).endswith(problem)
    assert "s3cret" not in str(failure.value)


def test_a_relative_file_starts_at_the_base(tmp_path: Path) -> None:
    relative, absolute = parse("sqlite:///var/app.db"), parse("sqlite:////srv/app.db")

    assert file_of(relative, tmp_path) == tmp_path / "var/app.db"
    assert file_of(absolute, tmp_path) == Path("/srv/app.db")


def test_a_target_shows_no_parameters() -> None:
    target = Target(kind="mysql", parameters={"password": "s3cret"})

    assert repr(target) == "Target(kind='mysql')"


@pytest.mark.parametrize(
    ("target", "secrets"),
    [
        ("postgresql://u:p%40ss@h/db", ["p%40ss", "p@ss"]),
        ("postgresql://u:p@ss@h/db", ["p@ss"]),
        ("postgresql://h/db?user=u&password=s3cret&sslpassword=other", ["s3cret", "other"]),
        ("host=h password='it\\'s' user=u", ["it's"]),
        ("mongodb://u:s3cret@h/db", ["s3cret"]),
        ("broken url://u:s3cret@h/db", ["s3cret"]),
        ({"HOST": "h", "PASSWORD": "s3cret", "OPTIONS": {"passwd": 1234}}, ["s3cret", "1234"]),
        ({"url": "mysql://u:s3cret@h/db"}, ["s3cret"]),
        ("postgresql://u@h/db", []),
        ("sqlite:///app.db", []),
        (None, []),
    ],
)
def test_passwords_are_found_as_written_and_as_decoded(target: object, secrets: list[str]) -> None:
    assert secrets_of(target) == secrets


@given(st.text(max_size=40))
def test_any_text_names_a_place_or_is_refused(text: str) -> None:
    try:
        target = parse(text)
    except ValueError:
        return

    assert target.kind in {"postgresql", "mysql", "sqlite"}


@given(st.text(min_size=1), st.sampled_from(["postgresql", "mysql"]))
def test_any_encoded_password_arrives_whole(password: str, scheme: str) -> None:
    url = f"{scheme}://u:{quote(password, safe='')}@h/db"

    assert parse(url).get("password") == password
    assert password in secrets_of(url)
