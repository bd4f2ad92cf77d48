"""Gives the runner's tests the throw-away servers, receivers and a repository."""

from __future__ import annotations

from hearing import signals_are_heard
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
    "signals_are_heard",
    "silent_port",
    "slack",
    "slony_cluster",
    "slony_data",
    "talk",
    "told",
]
