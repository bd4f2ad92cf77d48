"""Shows the head of somebody's statement without the data in it."""

from __future__ import annotations

import re

SHOWN = 100
"""Characters: enough to find the place in the application's source."""

_COMMENT = r"/\*.*?(?:\*/|$)|--[^\n]*"
_NUMBER = r"(?<![\w$])(?:0x[0-9a-f]+|\d[\w.]*)"
_TEXT = r"'(?:[^']|'')*(?:'|$)"
_POSTGRES = re.compile(
    rf'(?P<name>"(?:[^"]|"")*(?:"|$))|(?P<data>\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|$)'
    rf"|(?:\b[ebxn])?{_TEXT}|{_NUMBER})|(?P<comment>{_COMMENT})",
    re.DOTALL | re.IGNORECASE,
)
_MYSQL = re.compile(
    rf'(?P<name>`(?:[^`]|``)*(?:`|$))|(?P<data>(?:\b[xbn])?{_TEXT}|"(?:[^"]|"")*(?:"|$)|{_NUMBER})'
    rf"|(?P<comment>{_COMMENT}|#[^\n]*)",
    re.DOTALL | re.IGNORECASE,
)


def head(sql: str | bytes | None, *, is_mysql: bool) -> str:
    """Return the beginning of a statement, with `?` for every text and number in it.

    Comments go too. Of a statement with a backslash nothing is shown from the first quote on:
    whether a backslash keeps a quote from ending a text depends on the settings of its session.
    """
    text = sql.decode(errors="replace") if isinstance(sql, bytes) else sql or ""
    is_cut = "\\" in text
    if is_cut:
        text = re.split(r"['\"$\\]", text, maxsplit=1)[0]
    pattern = _MYSQL if is_mysql else _POSTGRES
    shown = " ".join(pattern.sub(_without_data, text).split())
    if len(shown) > SHOWN:
        return f"{shown[:SHOWN]}…"
    return f"{shown} …" if is_cut else shown


def _without_data(match: re.Match[str]) -> str:
    if match["name"]:
        return match[0]
    return " " if match["comment"] else "?"
