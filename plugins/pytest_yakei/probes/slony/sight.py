"""Looks at a node's lock, at the backend or process that it names, and at slon's signs of life."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from pytest_yakei.errors import CannotTell
from pytest_yakei.probes.processes import Process, look
from pytest_yakei.probes.slony.catalog import Catalog

LISTENER = "slon.local_listen"
"""What slon, since 2.1, calls the connection that takes the lock; without the cluster's name."""
_SAME_START = timedelta(seconds=3)
"""A process is a little older than its session; /proc knows starts by the boot time's second."""

_HOLDER = "select nl_backendpid from @.sl_nodelock where nl_conncnt = 0 and nl_nodeid = %s"
# PostgreSQL before version 10 has no column backend_type.
_BACKENDS = f"""
    select a.pid, a.datname, a.usename, coalesce(a.application_name, ''),
           to_jsonb(a) ->> 'backend_type', a.backend_start, a.state_change,
           a.datname = current_database() and a.application_name = '{LISTENER}'
      from pg_catalog.pg_stat_activity a
     where a.pid = %s or (a.datname = current_database() and a.application_name = '{LISTENER}')
     order by a.backend_start"""  # noqa: S608 - a constant of ours
_TIMES = "select now(), pg_postmaster_start_time()"
_COMPONENT = "select co_connection_pid, co_starttime from @.sl_components where co_actor = %s"
# Times of sl_components come from the clock of slon's host, which may be ahead of this one.
_LAST_WORK = """
    select least(max(co_starttime), now()) from @.sl_components
     where co_actor in ('local_listen', 'local_sync')"""
_LAST_EVENT = "select max(ev_timestamp) from @.sl_event where ev_origin = %s"
_OURSELVES = """
    select pid, backend_start from pg_catalog.pg_stat_activity where pid = pg_backend_pid()"""


@dataclass(frozen=True)
class Backend:
    """A process of the PostgreSQL server, as pg_stat_activity shows it.

    Attributes:
        kind: `client backend`, or an auxiliary process such as `background writer`.
        started: None only for a backend that is just about to start.
        active: when it last began or ended a statement.
        is_listener: whether it calls itself slon's connection, in this database.
    """

    pid: int
    database: str | None
    user: str | None
    application: str
    kind: str | None
    started: datetime | None
    active: datetime | None
    is_listener: bool


@dataclass(frozen=True)
class Component:
    """What slon's monitor thread last wrote about the connection that takes the lock."""

    connection: int
    seen: datetime


@dataclass(frozen=True, kw_only=True)
class Blocker:
    """The operating system's process that has the pid in the lock.

    Attributes:
        can_be_asked: whether the server runs on this host, where we see its processes.
        process: None if there is none, or none that can be seen.
        bars: whether the server may signal it: then slon takes it for the lock's living owner.
    """

    can_be_asked: bool = False
    process: Process | None = None
    bars: bool = False


@dataclass(frozen=True, kw_only=True)
class Sight:
    """All that one look at a node's lock has found; every time is the server's.

    Attributes:
        holder: the pid in the row (this node, connection 0); None if there is no such row.
        backend: who has that pid now among the server's own processes.
        listeners: all connections to this database that look like slon's.
        last_work: when slon last reported that it did something.
        last_event: the newest event that this node has made.
    """

    node: int
    now: datetime
    server_started: datetime
    holder: int | None
    backend: Backend | None = None
    listeners: tuple[Backend, ...] = ()
    component: Component | None = None
    last_work: datetime | None = None
    last_event: datetime | None = None
    blocker: Blocker = Blocker()


def take_sight(catalog: Catalog) -> Sight:
    """Look at the lock once.

    Raises:
        CannotTell: the schema or a right is missing.
    """
    node = catalog.node
    catalog.demand_sight_of_sessions()
    held = catalog.ask(_HOLDER, "sl_nodelock", params=[node])
    holder = held[0][0] if held else None
    rows = catalog.database.rows(_BACKENDS, [holder])
    backends = [Backend(*row) for row in rows]
    backend = next((one for one in backends if one.pid == holder), None)
    now, server_started = catalog.database.row(_TIMES)
    return Sight(
        node=node,
        now=now,
        server_started=server_started,
        holder=holder,
        backend=backend,
        listeners=tuple(one for one in backends if one.is_listener),
        component=_component(catalog),
        last_work=_only(catalog.ask(_LAST_WORK, "sl_components")),
        last_event=_only(catalog.ask(_LAST_EVENT, "sl_event", params=[node])),
        blocker=_blocker(catalog, holder) if holder is not None and not backend else Blocker(),
    )


def _only(rows: list[tuple[datetime | None, ...]]) -> datetime | None:
    return rows[0][0] if rows else None


def _component(catalog: Catalog) -> Component | None:
    rows = catalog.ask(_COMPONENT, "sl_components", params=["local_listen"])
    return Component(*rows[0]) if rows else None


def _blocker(catalog: Catalog, pid: int) -> Blocker:
    """Look in /proc for a process that is no backend: what slon's `kill(pid, 0)` would find.

    The kill is made by the server, so it fails for processes of other users, and slon then takes
    the lock for stale.
    """
    server = _our_backend(catalog)
    if server is None:
        return Blocker()
    try:
        process = look(pid)
    except CannotTell:
        return Blocker()
    may_signal = process is not None and (server.user_id == 0 or server.user_id in process.uids)
    return Blocker(can_be_asked=True, process=process, bars=may_signal)


def _our_backend(catalog: Catalog) -> Process | None:
    """Return the server's process of our own session, if it can be seen on this host.

    An address tells nothing: behind a loopback port may be a tunnel or a container. That a
    process with our backend's pid began when our session did leaves no doubt.
    """
    pid, began = catalog.database.row(_OURSELVES)
    process = None
    with suppress(CannotTell):
        process = look(pid)
    if process is None or began is None or abs(process.started - began) > _SAME_START:
        return None
    return process
