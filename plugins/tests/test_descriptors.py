"""Nothing of ours is ever written into a file that a check has opened under our number."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_yakei.databases.allotment import Allotment
from pytest_yakei.databases.news import News
from pytest_yakei.descriptors import Descriptor, DescriptorLostError
from pytest_yakei.errors import ResourceUnavailable


def number_of(name: str) -> int:
    """Return the descriptor of our file in memory that is called so."""
    (number,) = (
        int(each.name)
        for each in Path("/proc/self/fd").iterdir()
        if each.is_symlink() and str(each.readlink()).startswith(f"/memfd:{name} ")
    )
    return number


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[int]:
    """A check's own file."""
    with (tmp_path / "theirs").open("wb") as file:
        yield file.fileno()


def test_a_descriptor_that_was_closed_is_not_used() -> None:
    number = os.memfd_create("ours")
    descriptor = Descriptor(number)
    assert descriptor.checked() == number
    os.close(number)

    with pytest.raises(DescriptorLostError, match="closed a descriptor that was not its own"):
        descriptor.checked()


def test_a_number_that_is_another_files_by_now_is_not_used(theirs: int) -> None:
    number = os.memfd_create("ours")
    descriptor = Descriptor(number)
    os.dup2(theirs, number)

    with pytest.raises(DescriptorLostError):
        descriptor.checked()
    os.close(number)


def test_news_are_not_written_into_a_checks_file(theirs: int) -> None:
    news = News()
    news.share()
    number = number_of("yakei-news")
    os.dup2(theirs, number)
    news.tell(ResourceUnavailable("database main", "it is down"))

    assert os.fstat(theirs).st_size == 0
    assert news.of("database main") is not None  # this process knows all the same
    os.close(number)


def test_no_place_is_taken_in_a_checks_file(theirs: int) -> None:
    """A lock there could be one that the application goes by."""
    allotment = Allotment({"main": 1})
    number = number_of("yakei-places")
    os.dup2(theirs, number)

    with pytest.raises(DescriptorLostError):
        allotment.take("main")
    os.close(number)
