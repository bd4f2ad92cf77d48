"""The secrets in what a database's setting says, so that they can be kept out of every text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from pytest_yakei.databases.urls import CONNINFO, URL

SECRET_KEY = re.compile(r"pass(wd|word|phrase)?$|password|secret|pwd$", re.IGNORECASE)
"""Keys of URLs, of libpq, of PyMySQL and of Django whose values are secret."""
USERINFO = re.compile(r"://[^:@/?]*:(.+)@", re.DOTALL)
"""The password of a URL that is malformed elsewhere."""


def secrets_of(target: object) -> list[str]:
    """Return the passwords in a database's URL or mapping, as written and as decoded.

    It also takes what `connect` refuses, since that too ends up in messages.
    """
    return [secret for secret in dict.fromkeys(_secrets(target)) if secret]


def _secrets(target: object) -> Iterator[str]:
    if isinstance(target, Mapping):
        for key, value in target.items():
            yield from _of_entry(str(key), value)
    elif isinstance(target, str):
        yield from _of_text(target)


def _of_entry(key: str, value: Any) -> Iterator[str]:
    if SECRET_KEY.search(key) and isinstance(value, (str, int)):
        yield str(value)
    else:
        yield from _secrets(value)


def _of_text(text: str) -> Iterator[str]:
    url = URL.fullmatch(text.strip())
    written = url["password"] if url else next(iter(USERINFO.findall(text)), None)
    for password in filter(None, [written]):
        yield password
        yield unquote(password)
    for key, value in parse_qsl((url["query"] or "") if url else ""):
        if SECRET_KEY.search(key):
            yield value
    for key, quoted, plain in CONNINFO.findall("" if url else text):
        if SECRET_KEY.search(key):
            yield re.sub(r"\\(.)", r"\1", quoted or plain)
