"""A private Slony-I cluster: two nodes, one replicated table, two slon daemons."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from servers import processes, requirements
from servers.postgres import ACCOUNT, PostgresServer

TABLE = "orders"
NODES = (1, 2)
"""Node 1 is the origin of the set, node 2 its subscriber."""
SLON_OPTIONS = ("-s", "1000", "-t", "2000", "-d", "1")
"""A SYNC every one to two seconds instead of two to ten."""
REPLICATION_DEADLINE = 60.0
"""Seconds for the first subscription, which takes two or three."""


class SlonyCluster:
    """Two nodes on one PostgreSQL server, and their slons."""

    def __init__(self, name: str, server: PostgresServer, folder: Path) -> None:
        self.name = name
        self.schema = f"_{name}"
        self.server = server
        self._folder = folder
        self._slons: dict[int, subprocess.Popen[bytes]] = {}
        self._databases = {node: server.create_database(f"node{node}") for node in NODES}

    def database(self, node: int) -> str:
        """Return the name of a node's database."""
        return self._databases[node]

    def url(self, node: int) -> str:
        """Return the `postgresql://` URL of a node."""
        return self.server.url(self.database(node))

    def conninfo(self, node: int) -> str:
        """Return how slon and slonik spell the address of a node."""
        server = self.server
        place = f"host={server.host} port={server.port} dbname={self.database(node)}"
        return f"{place} user={server.superuser}"

    def log(self, node: int) -> Path:
        """Return the log file of a node's slon."""
        return self._folder / f"slon{node}.log"

    def execute(self, node: int, sql: str, params: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Run SQL in a node's database as the superuser."""
        return self.server.execute(sql, params, database=self.database(node))

    def slonik(self, script: str) -> str:
        """Run slonik commands with the cluster's preamble and return what it said."""
        program = requirements.program("slonik", what="Slony-I", package="slony1-2-bin")
        nodes = [f"node {node} admin conninfo = '{self.conninfo(node)}';" for node in NODES]
        preamble = "\n".join([f"cluster name = {self.name};", *nodes])
        return processes.run(
            [program], user=processes.account(ACCOUNT), given=f"{preamble}\n{script}\n"
        )

    def start_slon(self, node: int) -> None:
        """Start a node's slon (a watchdog and its worker); it may still end by itself."""
        command = [
            requirements.program("slon", what="Slony-I", package="slony1-2-bin"),
            *SLON_OPTIONS,
            self.name,
            self.conninfo(node),
        ]
        self._slons[node] = processes.start(
            command, log=self.log(node), user=processes.account(ACCOUNT)
        )

    def slon(self, node: int) -> subprocess.Popen[bytes]:
        """Return the process of a node's slon: the watchdog; its one child is the worker."""
        return self._slons[node]

    def stop_slon(self, node: int, how: signal.Signals = signal.SIGTERM) -> None:
        """End a node's slon as an operator does; its row in sl_nodelock stays behind."""
        slon = self._slons.pop(node)
        workers = processes.children(slon.pid)
        processes.stop(slon, how)
        for worker in workers:
            processes.wait_gone(worker)

    def kill_slon(self, node: int) -> None:
        """End a node's slon as a crash does: watchdog and worker by SIGKILL."""
        slon = self._slons.pop(node)
        workers = processes.children(slon.pid)
        processes.send(slon.pid, signal.SIGSTOP)  # so that it starts no new worker
        for worker in workers:
            processes.send(worker, signal.SIGKILL)
        slon.kill()
        slon.wait(processes.STOP_DEADLINE)
        for worker in workers:
            processes.wait_gone(worker)

    def freeze_slon(self, node: int) -> None:
        """Make a node's slon hang with its connections open."""
        processes.freeze(self._slons[node].pid)

    def thaw_slon(self, node: int) -> None:
        """Let it go on after `freeze_slon`."""
        processes.thaw(self._slons[node].pid)

    def stop(self) -> None:
        """End all slons that run."""
        for node in list(self._slons):
            self.stop_slon(node)

    def insert(self, note: str = "") -> None:
        """Write a row into the replicated table, at the origin."""
        self.execute(1, f"insert into {TABLE} (note) values (%s)", (note,))

    def rows(self, node: int) -> int:
        """Return the number of rows of the replicated table on a node."""
        count: int = self.execute(node, f"select count(*) from {TABLE}")[0][0]
        return count

    def wait_replicated(self) -> None:
        """Return when the subscriber has as many rows as the origin."""
        processes.wait_until(
            lambda: self.rows(1) == self.rows(2), f"replication, see {self.log(2)}"
        )

    def set_up(self) -> None:
        """Create the cluster, start both slons, subscribe, and wait for a first row."""
        table = f"create table {TABLE} (id serial primary key, note text, at timestamptz"
        for node in NODES:
            self.execute(node, f"{table} default now())")
        self.slonik(self._creation())
        for node in NODES:
            self.start_slon(node)
        self.slonik(
            "subscribe set (id = 1, provider = 1, receiver = 2, forward = yes);\n"
            "wait for event (origin = 1, confirmed = 2, wait on = 1, timeout = 60);"
        )
        self.insert("the first")
        processes.wait_until(
            lambda: self.rows(2) == 1, "first row replicated", deadline=REPLICATION_DEADLINE
        )

    def _creation(self) -> str:
        one, two = self.conninfo(1), self.conninfo(2)
        return f"""
            init cluster (id = 1, comment = 'origin');
            create set (id = 1, origin = 1, comment = 'all');
            set add table (set id = 1, origin = 1, id = 1,
                           fully qualified name = 'public.{TABLE}', comment = '{TABLE}');
            set add sequence (set id = 1, origin = 1, id = 1,
                              fully qualified name = 'public.{TABLE}_id_seq');
            store node (id = 2, event node = 1, comment = 'subscriber');
            store path (server = 1, client = 2, conninfo = '{one}');
            store path (server = 2, client = 1, conninfo = '{two}');
        """


@contextmanager
def running_cluster(name: str, server: PostgresServer) -> Iterator[SlonyCluster]:
    """Yield a cluster that replicates, on a server whose PostgreSQL has Slony's module."""
    with processes.private_folder(processes.account(ACCOUNT)) as folder:
        cluster = SlonyCluster(name, server, folder)
        try:
            cluster.set_up()
            yield cluster
        finally:
            cluster.stop()
