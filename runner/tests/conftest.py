"""Gives the runner's tests the throw-away servers."""

from __future__ import annotations

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

__all__ = [
    "closed_port",
    "mariadb",
    "mariadb_data",
    "new_mariadb",
    "new_postgres",
    "new_slony_cluster",
    "postgres",
    "postgres_data",
    "silent_port",
    "slony_cluster",
    "slony_data",
]
