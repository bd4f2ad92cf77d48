"""The servers as pytest fixtures: shared ones to look at, own ones to break."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from servers import requirements
from servers.mariadb import MariaDBServer, mariadb_server, mariadb_template
from servers.postgres import PostgresServer, cluster_template, postgres_server
from servers.slony import SlonyCluster, running_cluster
from servers.sockets import refusing_port, silent_listener

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


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A loopback port that accepts connections and never says a word."""
    with silent_listener() as port:
        yield port


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A loopback port that refuses connections."""
    with refusing_port() as port:
        yield port


@pytest.fixture(scope="session")
def postgres_data() -> Iterator[Path]:
    """What the PostgreSQL servers are copied from."""
    with cluster_template(requirements.postgresql_programs()) as folder:
        yield folder


@pytest.fixture(scope="session")
def postgres(postgres_data: Path) -> Iterator[PostgresServer]:
    """The PostgreSQL server that all tests share: leave it as you found it."""
    with postgres_server(postgres_data, requirements.postgresql_programs()) as server:
        yield server


@pytest.fixture
def new_postgres(postgres_data: Path) -> Iterator[Callable[..., PostgresServer]]:
    """Starts a PostgreSQL server for one test: `new_postgres(max_connections=5)`."""
    programs = requirements.postgresql_programs()
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(
            postgres_server(postgres_data, programs, **settings)
        )


@pytest.fixture(scope="session")
def mariadb_data() -> Iterator[Path]:
    """What the MariaDB servers are copied from."""
    with mariadb_template() as folder:
        yield folder


@pytest.fixture(scope="session")
def mariadb(mariadb_data: Path) -> Iterator[MariaDBServer]:
    """The MariaDB server that all tests share: leave it as you found it."""
    with mariadb_server(mariadb_data) as server:
        yield server


@pytest.fixture
def new_mariadb(mariadb_data: Path) -> Iterator[Callable[..., MariaDBServer]]:
    """Starts a MariaDB server for one test: `new_mariadb("--server-id=2", "--log-bin=bin")`."""
    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(mariadb_server(mariadb_data, *options))


@pytest.fixture(scope="session")
def slony_data() -> Iterator[Path]:
    """What the PostgreSQL servers of Slony clusters are copied from: a version that it supports."""
    with cluster_template(requirements.postgresql_programs(slony=True)) as folder:
        yield folder


def _clusters(stack: ExitStack, data: Path) -> Callable[[str], SlonyCluster]:
    programs = requirements.postgresql_programs(slony=True)
    server = stack.enter_context(postgres_server(data, programs))
    made: dict[str, SlonyCluster] = {}

    def cluster(name: str = "main") -> SlonyCluster:
        if name not in made:
            made[name] = stack.enter_context(running_cluster(name, server))
        return made[name]

    return cluster


@pytest.fixture(scope="module")
def slony_cluster(slony_data: Path) -> Iterator[Callable[[str], SlonyCluster]]:
    """Gives the module's Slony cluster of a name, with both slons: `slony_cluster("MyCluster")`.

    All clusters of a module are on one PostgreSQL server. Put right what a test has broken, or
    use `new_slony_cluster`.
    """
    with ExitStack() as stack:
        yield _clusters(stack, slony_data)


@pytest.fixture
def new_slony_cluster(slony_data: Path) -> Iterator[Callable[[str], SlonyCluster]]:
    """Gives a Slony cluster for one test, on a PostgreSQL server of its own."""
    with ExitStack() as stack:
        yield _clusters(stack, slony_data)
