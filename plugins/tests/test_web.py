"""The `http` fixture's session cannot be used without a timeout."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from pytest_yakei import web


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda http, url: http.get(url), id="none given"),
        pytest.param(lambda http, url: http.get(url, timeout=None), id="None given"),
        pytest.param(lambda http, url: http.get(url, timeout=(None, None)), id="a pair of None"),
        pytest.param(
            lambda http, url: http.send(requests.Request("GET", url).prepare()), id="send"
        ),
    ],
)
def test_a_silent_server_is_given_up(
    use: Callable[[web.Session, str], object], silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "READ_SECONDS", 0.1)

    with web.Session() as http, pytest.raises(requests.ReadTimeout):
        use(http, f"http://127.0.0.1:{silent_port}/")
