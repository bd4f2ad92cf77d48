"""A Slony-I node: its slon runs and could start again, and its subscribers follow."""

import pytest


def test_slon_holds_its_lock(slony):
    """The node's slon runs, is awake, and would not be refused its lock at its next start."""
    faults = slony.faults()

    assert not faults, str(faults)


def test_every_subscriber_follows(slony, measure):
    """Every subscriber has what was written at its origin some minutes ago."""
    lags = [measure(name, lag) for name, lag in slony.lags().items()]
    lost = slony.lost_subscribers()

    assert not lost, str(lost)
    with slony.explained():
        for lag in lags:
            lag.below(slony.max_lag)


@pytest.mark.only_with("log")
def test_log_tells_of_no_duplicate_key(slony):
    """No line of slon's log says that it was refused its lock, or met a key twice."""
    refused = slony.refused_starts()

    assert not refused, str(refused)


@pytest.mark.only_with("log")
@pytest.mark.severity("warning")
def test_log_tells_of_no_fatal_end(slony):
    """No line of slon's log says that it, or a thread of it, gave up."""
    ended = slony.fatal_ends()

    assert not ended, str(ended)
