"""Gives the runner's tests the throw-away servers, receivers and a repository."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from operators import operator
from repository import mail, repository, slack, told
from servers.fixtures import (
    closed_port,
    mariadb,
    mariadb_data,
    new_mariadb,
    new_postgres,
    new_slony_cluster,
    postgres,
    postgres_data,
    silent_port,
    slony_cluster,
    slony_data,
)
from slack_talks import talk

__all__ = [
    "closed_port",
    "mail",
    "mariadb",
    "mariadb_data",
    "new_mariadb",
    "new_postgres",
    "new_slony_cluster",
    "operator",
    "postgres",
    "postgres_data",
    "repository",
    "silent_port",
    "slack",
    "slony_cluster",
    "slony_data",
    "talk",
    "told",
]


@pytest.fixture(autouse=True, scope="session")
def _signals_are_heard() -> Iterator[None]:
    """Let the programs under test hear what these tests ignore, under nohup or in a background."""
    before = {each: signal.getsignal(each) for each in (signal.SIGHUP, signal.SIGINT)}
    ignored = [each for each, handler in before.items() if handler is signal.SIG_IGN]
    for each in ignored:  # what is ignored stays so in programs; what is caught does not
        signal.signal(each, lambda *_: None)
    yield
    for each in ignored:
        signal.signal(each, signal.SIG_IGN)
