"""Every configured set of backups is fresh, whole, as large as usual, and can be restored."""

import pytest


@pytest.mark.smoke
def test_every_member_is_fresh(backup):
    """Every member has a good backup that is young enough to restore from."""
    late = backup.late_members()

    assert not late, str(late)


def test_backups_are_whole(backup):
    """No newest backup is empty, lacks a part, or is something else than a backup."""
    damaged = backup.damaged_sets()

    assert not damaged, str(damaged)


def test_backups_have_not_shrunk(backup):
    """No newest backup is far smaller than is usual for its member."""
    shrunk = backup.shrunk()

    assert not shrunk, str(shrunk)


def test_nothing_is_lost(backup):
    """No backup has gone, or become less, before its retention was over."""
    losses = backup.losses()

    assert not losses, str(losses)


@pytest.mark.only_with("log")
def test_last_run_ended_well(backup):
    """The log of the last run tells of no failure, and of no database locked for long."""
    problems = backup.log_problems()

    assert not problems, str(problems)


@pytest.mark.severity("warning")
def test_backups_have_not_exploded(backup):
    """No newest backup is far larger than is usual for its member."""
    grown = backup.grown()

    assert not grown, str(grown)


@pytest.mark.severity("warning")
def test_retention_works(backup):
    """Old backups are deleted in time, and not before."""
    problems = backup.retention_problems()

    assert not problems, str(problems)


@pytest.mark.severity("warning")
def test_nothing_is_left_over(backup):
    """No run is stuck or has died half-way, and nothing unknown is being backed up."""
    leftovers = backup.leftovers()

    assert not leftovers, str(leftovers)


@pytest.mark.every("1d", at="04:00")
@pytest.mark.low_priority
@pytest.mark.timeout(4 * 3600)  # reads the newest backups from end to end
def test_newest_backups_can_be_read(backup):
    """The newest backup of every member can be read from its first byte to its last."""
    unrestorable = backup.unrestorable()

    assert not unrestorable, str(unrestorable)


@pytest.mark.every("7d", at="05:00")
@pytest.mark.low_priority
@pytest.mark.timeout(12 * 3600)  # reads a month of increments from end to end
def test_increments_add_up(backup):
    """The full backup and all increments since add up to the volume as it was backed up last."""
    unmergeable = backup.unmergeable()

    assert not unmergeable, str(unmergeable)
