"""The process that forks all workers is started anew when it is killed, but not for ever."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import pytest

from pytest_yakei.engine.nursery import Nursery, Prepared


def work(descriptors: Sequence[int], facts: Any) -> NoReturn:
    """Do nothing in a forked process."""
    os._exit(0)


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    nursery = Nursery(lambda: Prepared(work, rehearse=lambda: None))
    nursery.start()
    yield nursery
    nursery.end()


def kill_and_revive(nursery: Nursery) -> None:
    os.kill(nursery.pid, signal.SIGKILL)
    nursery.revive(lambda: None)


def test_a_nursery_has_three_lives(nursery: Nursery) -> None:
    """Whatever kills it so often would kill it for ever."""
    for _ in range(2):
        kill_and_revive(nursery)
        assert nursery.is_living()

    with pytest.raises(RuntimeError, match="that forks those in which checks run was killed"):
        kill_and_revive(nursery)
