"""What the application has put off for later is worked off in time."""

import pytest


@pytest.mark.only_with("max_depth")
def test_depth(queue, measure):
    """The queue is short enough to be worked off in time."""
    waiting = measure("waiting", queue.depth(), unit="rows")

    with queue.explained():
        waiting.below(queue.max_depth)


@pytest.mark.only_with("max_age")
def test_oldest_row(queue, measure):
    """No row waits in the queue for too long."""
    age = measure("oldest row", queue.oldest_row())

    with queue.explained():
        age.below(queue.max_age)


@pytest.mark.only_with("max_stall")
def test_progress(queue, measure):
    """Rows leave the queue, as long as there are any."""
    stalled = measure("stalled", queue.stalled())

    with queue.explained():
        stalled.below(queue.max_stall)
