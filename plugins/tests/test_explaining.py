"""What is added to a failed claim, and what stays as it was."""

from __future__ import annotations

import traceback

import pytest

from pytest_yakei.explaining import explaining


def claim(*, holds: bool) -> None:
    if not holds:
        raise AssertionError("waiting: 1396 rows")


def test_the_lines_follow_the_claim_at_its_own_place() -> None:
    with pytest.raises(AssertionError) as failure, explaining(lambda: "Do        1. look"):
        claim(holds=False)

    assert str(failure.value) == "waiting: 1396 rows\nDo        1. look"
    shown = [frame.name for frame in traceback.extract_tb(failure.value.__traceback__)]
    assert shown == ["test_the_lines_follow_the_claim_at_its_own_place", "claim"]


class OwnWordsError(AssertionError):
    """An error as libraries of assertions have them."""

    def __str__(self) -> str:
        return "in words of its own"


def test_an_error_that_writes_its_own_text_is_explained_too() -> None:
    with pytest.raises(AssertionError) as failure, explaining(lambda: "Do        1. look"):
        raise OwnWordsError

    assert str(failure.value) == "in words of its own\nDo        1. look"


def test_nothing_is_looked_up_for_a_claim_that_holds() -> None:
    asked: list[str] = []
    with explaining(lambda: asked.append("asked") or ""):
        claim(holds=True)

    assert not asked


def test_another_error_is_left_alone() -> None:
    with pytest.raises(OSError, match=r"^no such file$"), explaining(lambda: "more"):
        raise OSError("no such file")
