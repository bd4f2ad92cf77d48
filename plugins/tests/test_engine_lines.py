"""What checks log comes to the parent line by line, whatever happens to a process that writes."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from pytest_yakei.engine.lines import Line, Lines

FIRST, SECOND = (Line("test_it.py::test_it", 1, "call", text) for text in ("one\nline", "\x1e é"))


@pytest.fixture
def lines() -> Iterator[Lines]:
    lines = Lines()
    yield lines
    lines.close()


def test_each_line_is_read_once_and_whole(lines: Lines) -> None:
    lines.write(FIRST)
    lines.write(SECOND)

    assert lines.read() == [FIRST, SECOND]
    assert lines.read() == []


def test_a_line_of_which_a_part_is_there_is_read_when_it_is_whole(lines: Lines) -> None:
    lines.write(FIRST)
    whole = os.pread(descriptor := lines._file.checked(), 1000, 0)
    lines.read()
    os.write(descriptor, whole[:9])

    assert lines.read() == []
    os.write(descriptor, whole[9:])
    assert lines.read() == [FIRST]


def test_a_process_that_was_killed_while_it_wrote_costs_no_other_line(lines: Lines) -> None:
    lines.write(FIRST)
    os.write(lines._file.checked(), b'\x1e["test_it.py::test_it", 1, "ca')
    lines.write(SECOND)

    assert lines.read() == [FIRST, SECOND]


def test_what_was_read_takes_no_memory_any_more(lines: Lines) -> None:
    for _ in range(40):
        lines.write(FIRST._replace(text="x" * 100_000))
        lines.read()

    assert os.fstat(lines._file.checked()).st_blocks * 512 < 1 << 21
