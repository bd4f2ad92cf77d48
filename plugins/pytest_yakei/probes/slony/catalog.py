"""Asks a node about its cluster: the cluster's own schema, and who is connected."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from pytest_yakei.databases import Cause, Database, QueryFailed
from pytest_yakei.errors import CannotTell

READ_BY_US = ("sl_nodelock", "sl_components", "sl_event", "sl_confirm", "sl_status", "sl_subscribe")

_RELATIONS = """
    select c.relname
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where n.nspname = %s and c.relname like 'sl\\_%%' and c.relkind in ('r', 'v')"""
_CLUSTERS = """
    select n.nspname
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where c.relname = 'sl_nodelock' order by 1"""
# Before PostgreSQL 10 there is no such role, and only a superuser sees other users' sessions.
_MAY_SEE_SESSIONS = """
    select current_setting('is_superuser') = 'on' or exists (
           select 1 from pg_catalog.pg_roles
            where rolname = 'pg_read_all_stats' and pg_has_role(oid, 'USAGE')), current_user"""
_NO_NODE = -1
"""What getLocalNodeId() returns where slonik has made no node yet."""


class Catalog:
    """One node's database; `@` in a statement stands for the cluster's schema, quoted."""

    def __init__(self, database: Database, cluster: str) -> None:
        self.database = database
        self.schema = f"_{cluster}"
        self.quoted = database.quote(self.schema)

    @property
    def literal(self) -> str:
        """The schema's name as a text constant of SQL."""
        return "'{}'".format(self.schema.replace("'", "''"))

    @cached_property
    def relations(self) -> frozenset[str]:
        """The cluster's tables and views here; Slony-I before 2.1 has no sl_components.

        Raises:
            CannotTell: the database knows no such cluster.
        """
        found = frozenset(name for (name,) in self.database.rows(_RELATIONS, [self.schema]))
        if "sl_nodelock" in found:
            return found
        others = [name for (name,) in self.database.rows(_CLUSTERS)]
        there = ", ".join(others) or "none"
        raise CannotTell(
            f'no Slony-I schema "{self.schema}" in {self.database.where}\n'
            f"Clusters' schemas there: {there}. Their names are told apart by upper case too.\n"
            "Is the node uninstalled, the database another one, or `cluster` misspelt?"
        )

    @cached_property
    def node(self) -> int:
        """The number of this node.

        Raises:
            CannotTell: there is no such cluster here, or this is no node of it yet.
        """
        found = self.ask(f"select @.getLocalNodeId({self.literal})", "sl_nodelock")
        number: int | None = found[0][0]
        if number is None or number == _NO_NODE:
            raise CannotTell(
                f"{self.database.where} has the schema {self.quoted} and is no node of the cluster"
                "\nIt becomes one by slonik's `init cluster` or `store node`."
            )
        return number

    def ask(self, sql: str, *needed: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a statement, or none where a relation that it needs is missing.

        Raises:
            CannotTell: the schema is missing, or we lack a right: then it says what to grant.
        """
        if not self.relations.issuperset(needed):
            return []
        try:
            return self.database.rows(sql.replace("@", self.quoted), params)
        except QueryFailed as failure:
            if failure.cause is not Cause.DENIED:
                raise
            raise CannotTell(f"{failure}\n{self._grants()}") from None

    def demand_sight_of_sessions(self) -> None:
        """Raise unless we may see what other users' sessions do.

        Without that right PostgreSQL shows NULL where it would show a living slon.

        Raises:
            CannotTell: the right is missing.
        """
        may_see, user = self.database.row(_MAY_SEE_SESSIONS)
        if not may_see:
            raise CannotTell(
                f"needs pg_monitor: user {user} sees nothing of other users' sessions in "
                f'{self.database.where}\nDo        grant pg_monitor to "{user}"'
            )

    def _grants(self) -> str:
        (user,) = self.database.row("select current_user")
        tables = ", ".join(f"{self.quoted}.{name}" for name in READ_BY_US if name in self.relations)
        return (
            f'Do        grant usage on schema {self.quoted} to "{user}";\n'
            f'          grant select on {tables} to "{user}"'
        )
