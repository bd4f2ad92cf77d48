"""Nobody keeps the sessions of a database waiting: `[database_locks.NAME]`."""

import pytest


def test_nobody_waits_long_for_a_lock(database_locks, measure):
    """Nobody waits long for a lock that somebody else holds."""
    waited = measure("lock wait", database_locks.longest_wait())

    with database_locks.explained():
        waited.below(database_locks.max_wait)


def test_nobody_waits_long_for_a_table_definition(database_locks, measure):
    """No table is out of reach because its definition is to be changed."""
    waited = measure("metadata lock wait", database_locks.longest_metadata_wait())

    with database_locks.explained():
        waited.below(database_locks.settings.max_metadata_wait)


def test_no_session_idles_in_a_transaction(database_locks, measure):
    """No session leaves its transaction open and does nothing."""
    idle = measure("idle in transaction", database_locks.longest_idle())

    with database_locks.explained():
        idle.below(database_locks.settings.max_idle_in_transaction)


@pytest.mark.only_with("max_transaction")
def test_no_transaction_runs_long(database_locks, measure):
    """No transaction takes longer than the configuration allows."""
    age = measure("transaction", database_locks.longest_transaction())

    with database_locks.explained():
        age.below(database_locks.settings.max_transaction)


def test_no_prepared_transaction_is_left(database_locks, measure):
    """No transaction was prepared for a two-phase commit and then forgotten."""
    age = measure("prepared transaction", database_locks.oldest_prepared())

    with database_locks.explained():
        age.below(database_locks.settings.max_prepared)


def test_writes_are_not_stopped(database_locks, measure):
    """No backup keeps every write of the server waiting."""
    stopped = measure("writes stopped", database_locks.longest_write_stop())

    with database_locks.explained():
        stopped.below(database_locks.settings.max_global_read_lock)


@pytest.mark.only_with("max_locks")
def test_locks_are_not_too_many(database_locks, measure):
    """The sessions hold no more locks than the configuration allows."""
    locks = measure("locks", database_locks.count())

    locks.below(database_locks.settings.max_locks)
