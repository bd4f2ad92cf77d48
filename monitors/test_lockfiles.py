"""Jobs give their locks back, and leave no flags behind."""

import pytest


@pytest.mark.only_with("max_held")
def test_lock_is_not_held_for_too_long(lockfile, measure):
    """No job holds its lock for longer than it may."""
    held = measure("held", lockfile.held())

    with lockfile.explained():
        held.below(lockfile.max_held)


@pytest.mark.only_with("max_age")
@pytest.mark.severity("warning")
def test_flag_is_not_left_behind(lockfile, measure):
    """A job that has ended took its flag with it."""
    age = measure("age", lockfile.age())

    with lockfile.explained():
        age.below(lockfile.max_age)
