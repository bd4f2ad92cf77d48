"""The `http` fixture: a requests session that cannot be used without a timeout."""

from __future__ import annotations

from typing import Any

import requests

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
"""Between two bytes, as requests counts it; the check's own timeout bounds the whole."""


class Session(requests.Session):
    """A `requests.Session` in which a missing or empty timeout becomes the default one."""

    def __init__(self) -> None:
        super().__init__()
        self.headers["User-Agent"] = "yakei"

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a request, as requests does, with a timeout in any case: every request ends here."""
        given = kwargs.get("timeout")
        connect, read = given if isinstance(given, tuple) else (given, given)
        kwargs["timeout"] = (connect or CONNECT_SECONDS, read or READ_SECONDS)
        return super().send(request, **kwargs)
