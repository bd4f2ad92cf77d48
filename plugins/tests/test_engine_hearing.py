"""What the parent makes of what a worker says when it was not to say it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_yakei.engine.hearing import Hearing


@pytest.fixture
def hearing() -> Hearing:
    """What hears the slots of a session without checks."""
    session: Any = SimpleNamespace(config=SimpleNamespace(stash=pytest.Stash()), items=[])
    nobody: Any = None
    return Hearing(session, nobody, nobody, nobody)


def idle(*messages: tuple[Any, ...]) -> Any:
    """Return a slot whose worker has no check any more, and says this."""
    reports = SimpleNamespace(arrived=lambda: (list(messages), True))
    return SimpleNamespace(name="worker-1", turn=None, reason="", reports=reports)


def test_a_report_after_the_last_check_is_nobodys(hearing: Hearing) -> None:
    """A subtest reports itself, be it in a thread that its check has left behind."""
    assert hearing.hear(idle(("report", {"when": "call"})))


@pytest.mark.parametrize("message", [("gossip", "s3cret"), ("changed", ["s3cret"])], ids=str)
def test_a_word_that_nobody_expects_is_named_and_ends_the_session(
    hearing: Hearing, message: tuple[Any, ...]
) -> None:
    with pytest.raises(RuntimeError, match=f"^'{message[0]}' of worker-1 was not") as mistake:
        hearing.hear(idle(message))

    assert "s3cret" not in str(mistake.value)
