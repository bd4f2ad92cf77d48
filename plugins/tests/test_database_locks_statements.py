"""A message shows what a session was at, and nothing of the data that it was at it with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_yakei.probes.database_locks.statements import SHOWN, head


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("select * from t1 where id = 42", "select * from t1 where id = ?"),
        ("update t set a='it''s', b=-1.5e3", "update t set a=?, b=-?"),
        ("select $1, $2", "select $1, $2"),
        ("select E'x', x'ff', b'1', N'n'", "select ?, ?, ?, ?"),
        ("do $$ secret $$", "do ?"),
        ("do $f$ it's $x$ $f$ language x", "do ? language x"),
        ('select "it\'s" from "2024" where a = \'s\'', 'select "it\'s" from "2024" where a = ?'),
        ("select 1 -- secret\n, 2", "select ? , ?"),
        ("select /* secret */ 2", "select ?"),
        ("select 'cut sho", "select ?"),
        ("select /* cut sho", "select"),
        ("alter role x password 'pw'", "alter role x password ?"),
        ("  select\n\t1  ", "select ?"),
        (None, ""),
    ],
)
def test_postgresqls_texts_and_numbers_are_left_out(sql: str | None, shown: str) -> None:
    assert head(sql, is_mysql=False) == shown


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ('select "secret", `a"b` from t', 'select ?, `a"b` from t'),
        ("select 1 # secret\n, 0xff", "select ? , ?"),
        (b"insert into t values ('a', 1)", "insert into t values (?, ?)"),
    ],
)
def test_mysqls_texts_and_numbers_are_left_out(sql: str | bytes, shown: str) -> None:
    assert head(sql, is_mysql=True) == shown


@pytest.mark.parametrize("is_mysql", [True, False])
@pytest.mark.parametrize(
    "sql", [r"select a from t where b = 'it\'s' and c = 'd'", r"select a from t where b = 'c:\'"]
)
def test_with_a_backslash_nothing_is_shown_from_the_first_quote_on(
    sql: str, *, is_mysql: bool
) -> None:
    assert head(sql, is_mysql=is_mysql) == "select a from t where b = …"


def test_a_long_statement_is_cut() -> None:
    assert head("select a" * 50, is_mysql=False) == ("select a" * 50)[:SHOWN] + "…"


@given(st.text(), st.booleans())
def test_no_text_of_any_kind_gets_through(data: str, is_mysql: bool) -> None:
    secret = "XYZZY" + data.replace("'", "''").replace("\x00", "")

    assert "XYZZY" not in head(f"select a from t where b = '{secret}' and c = 1", is_mysql=is_mysql)
