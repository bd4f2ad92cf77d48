"""Checks that log in every way, and what each of them must be seen to have logged."""

from __future__ import annotations

import re
from collections.abc import Iterable

CHECKS = r"""
import logging, os, threading
import pytest

log = logging.getLogger("habit")
log.setLevel(logging.DEBUG)

@pytest.fixture(scope="module")
def wide():
    log.info("module up")
    yield
    log.info("module down")

@pytest.fixture
def thing():
    log.warning("thing up")
    yield
    log.error("thing down")

def test_0(thing):
    log.debug("first")
    log.critical("last")

def test_1(): pass

def test_2(wide): log.info("two\nlines and\r an \x1b[1mescape\x1b[0m, é \ud800 \x1e")

def test_3(thing):
    log.warning("then it fails")
    assert 0

@pytest.fixture
def late():
    yield
    log.info("only in teardown")

def test_4(late): pass

def test_5(subtests):
    for number in range(3):
        with subtests.test(number=number):
            log.info("in %d", number)
            assert number != 1
    log.info("after them")

def test_6():
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("it happened")

def test_7():
    thread = threading.Thread(target=log.info, args=("in a thread",))
    thread.start()
    thread.join()

def test_8():
    child = os.fork()
    if not child:
        log.info("in a child")
        os._exit(0)
    os.waitpid(child, 0)

def test_9(caplog, capsys):
    with caplog.at_level(logging.ERROR):
        log.info("%s", caplog.messages)
    print("printed")

def test_10():
    log.info("before it skips")
    pytest.skip("not now")

def test_11(wide, thing): log.warning("the last")
"""


ALL_AT_ONCE = """
import logging, multiprocessing, threading
import pytest

log = logging.getLogger("habit")

def speak(number, who):
    for line in range(40):
        log.warning("%s of %s: %s", line, who, str(number) * (1 + 1100 * (line % 9)))

@pytest.mark.parametrize("number", range(8))
def test_it(number):
    speakers = [
        kind(target=speak, args=(number, who))
        for kind, who in (
            (multiprocessing.get_context("fork").Process, "child"),
            (threading.Thread, "thread"),
            (threading.Thread, "other thread"),
        )
    ]
    for each in speakers:
        each.start()
    speak(number, "check")
    for each in speakers:
        each.join()
"""
SPOKEN = re.compile(r"^WARNING .*? (\d+) of ([\w ]+): (\d+)$")


def spoken(lines: Iterable[str]) -> dict[str, list[str]]:
    """Return who said what, by the check's number; nothing may stand beside it in a line."""
    found: dict[str, list[str]] = {}
    for line in lines:
        if match := SPOKEN.match(line):
            text = match[3]
            assert text == text[0] * (1 + 1100 * (int(match[1]) % 9))
            found.setdefault(text[0], []).append(f"{match[2]} {match[1]}")
    return found


EVERYTHING = sorted(
    f"{who} {line}" for who in ("check", "thread", "other thread", "child") for line in range(40)
)
