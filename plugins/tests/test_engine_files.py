"""What a worker has written is read by its parent: of very much the beginning and the end."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from pytest_yakei.engine.files import MOST_TEXT, Files, shortened


@pytest.fixture
def files() -> Iterator[Files]:
    """The files of a worker whose output is captured."""
    files = Files.create(capturing=True)
    yield files
    files.close()


def test_nothing_written_is_no_output(files: Files) -> None:
    assert files.captured() == {}
    assert files.written() == 0


def test_each_stream_is_told_by_itself(files: Files) -> None:
    assert files.out is not None
    os.write(files.out, "größer".encode())

    assert files.captured() == {"stdout": "größer"}
    assert files.written() == 8


def test_what_is_written_past_the_capture_counts_as_well(files: Files) -> None:
    """As by a program that a check starts where it has suspended the capture."""
    os.write(files.words, b"x" * 100)

    assert files.written() == 100


def test_of_very_much_output_it_is_said_how_much_is_left_out(files: Files) -> None:
    assert files.err is not None
    os.write(files.err, b"begin" + b"x" * (20 * MOST_TEXT) + b"end")
    text = files.captured()["stderr"]

    assert text.startswith("begin")
    assert text.endswith("end")
    assert f"\n[… {19 * MOST_TEXT + 8} characters left out …]\n" in text
    assert len(text) < MOST_TEXT + 100


def test_a_long_text_is_cut_in_the_same_way() -> None:
    text = shortened("begin" + "x" * (2 * MOST_TEXT) + "end")

    assert f"\n[… {MOST_TEXT + 8} characters left out …]\n" in text
    assert (text[:5], text[-3:]) == ("begin", "end")


def test_of_endless_last_words_the_last_are_kept(files: Files) -> None:
    os.write(files.words, b"x" * MOST_TEXT + b"Fatal Python error")

    assert files.last_words().endswith("Fatal Python error")
    assert " characters left out …]\n" in files.last_words()
