"""Services run, and their pid files name them and nobody else."""

import pytest


@pytest.mark.smoke
def test_service_is_running_and_its_pid_file_is_its_own(pidfile):
    """The service answers, and neither a start nor a stop would take another process for it."""
    problems = pidfile.problems()

    assert not problems, str(problems)


@pytest.mark.severity("warning")
def test_running_service_has_a_valid_pid_file(pidfile):
    """Stop, reload and log rotation find the running service by its pid file."""
    unrecorded = pidfile.unrecorded()

    assert not unrecorded, str(unrecorded)


@pytest.mark.only_with("cleared_at_boot")
@pytest.mark.every("1d", at="09:00")
@pytest.mark.severity("warning")
def test_pid_file_is_cleared_by_a_reboot(pidfile):
    """At worst a reboot puts a stale pid file right, where the configuration says that it does."""
    left = pidfile.left_by_a_reboot()

    assert not left, str(left)
