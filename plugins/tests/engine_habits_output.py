"""Habits with output, logging, warnings, subtests, properties and temporary folders."""

# ruff: noqa: LOG015, T201, TRY301 - the habits that people have are the case itself
from __future__ import annotations

import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

log = logging.getLogger("habits.output")
Record = Callable[[str, object], None]


@pytest.fixture
def logs_always() -> Iterator[None]:
    log.warning("in setup")
    yield
    log.error("in teardown")


def test_logs_in_each_phase(logs_always: None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="habits.output")
    log.debug("in call")
    assert [each.message for each in caplog.get_records("setup")] == ["in setup"]
    assert caplog.record_tuples == []


def test_logs_below_the_level(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        log.info("seen")
    log.info("not seen")
    assert caplog.text == ""


def test_logs_wrongly() -> None:
    log.warning("%d", "no number")


def test_logs_an_exception() -> None:
    try:
        raise LookupError("lost")
    except LookupError:
        logging.exception("it happened")
    raise AssertionError


def test_reads_bytes(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    os.write(1, b"\xff\x00")
    assert capfdbinary.readouterr().out == b"\xff\x00"
    os.write(2, b"left in the fixture")
    raise AssertionError


def test_reads_python_bytes(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    print("é")
    assert capsysbinary.readouterr().out == b"?"


def test_looks_away(capfd: pytest.CaptureFixture[str]) -> None:
    print("before")
    with capfd.disabled():
        pass
    print("after")
    raise AssertionError


def test_reads_and_tees(capteesys: pytest.CaptureFixture[str]) -> None:
    print("both ways")
    assert capteesys.readouterr().out == "one way"


def test_speaks_through_a_child() -> None:
    subprocess.run(["sh", "-c", "echo out; echo err >&2"], check=True)
    raise AssertionError


def test_writes_what_is_no_text() -> None:
    os.write(1, b"\xff\xfe\x80 bytes\r\n")
    print("\ud800".encode("utf-8", "surrogatepass"))
    print("\x1b[31mred\x1b[0m \x00 null")
    raise AssertionError


def test_writes_without_a_newline() -> None:
    sys.stdout.write("no newline")
    sys.stderr.write("none here")
    raise AssertionError


def test_writes_much() -> None:
    print("x" * 100_000)
    raise AssertionError


def test_closes_stdout() -> None:
    sys.stdout.write("then it closes")
    sys.stdout.flush()
    os.close(os.dup(1))
    raise AssertionError


def test_reads_input() -> None:
    input("what? ")


def test_catches_warnings(recwarn: pytest.WarningsRecorder) -> None:
    warnings.warn("caught", UserWarning, stacklevel=1)
    assert len(recwarn) == 2


def test_expects_a_warning() -> None:
    with pytest.warns(DeprecationWarning, match="never"):
        warnings.warn("another", UserWarning, stacklevel=1)


class OwnWarning(UserWarning):
    """Wants two arguments."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} and {two}")


def test_warns_in_its_own_way() -> None:
    warnings.warn(OwnWarning("one", "two"), stacklevel=1)
    warnings.warn("in the future", FutureWarning, stacklevel=1)


@pytest.fixture
def warns_late() -> Iterator[None]:
    warnings.warn("in setup", ResourceWarning, stacklevel=1)
    yield
    warnings.warn("in teardown", RuntimeWarning, stacklevel=1)


def test_warns_in_each_phase(warns_late: None) -> None: ...


def test_raises_where_nobody_hears_it() -> None:
    class Mute:
        def __del__(self) -> None:
            raise ValueError("unraisable")

    Mute()


def test_raises_in_a_thread() -> None:
    import threading

    thread = threading.Thread(target=lambda: 1 / 0, name="worker")
    thread.start()
    thread.join()


def test_has_subtests_that_speak(subtests: pytest.Subtests) -> None:
    for number in range(4):
        with subtests.test(f"part {number}", value=[number]):
            print(f"in {number}")
            log.warning("in %d", number)
            if number == 1:
                pytest.skip("not this one")
            if number == 2:
                pytest.xfail("known")
            assert number != 3
    print("after them")


def test_fails_after_its_subtests(subtests: pytest.Subtests) -> None:
    with subtests.test("well"):
        pass
    with subtests.test("ill"):
        raise OSError("in a subtest")
    raise AssertionError("and itself")


def test_records_more(
    record_property: Record, record_xml_attribute: Record, record_testsuite_property: Record
) -> None:
    record_property("words", ["one", 2, None])
    record_property("number", 1.5)
    record_xml_attribute("owner", "ops")
    record_testsuite_property("host", "app01")
    pytest.fail("recorded", pytrace=False)


def test_uses_the_old_folder(tmpdir: os.PathLike[str]) -> None:
    print(Path(tmpdir).name)
    raise AssertionError


def test_asks_for_two_folders(tmp_path_factory: pytest.TempPathFactory) -> None:
    assert [tmp_path_factory.mktemp("some").name for _ in range(2)] == ["some0", "some1"]


def test_looks_at_itself(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> None:
    print(request.node.name, request.node.path.name, pytestconfig.rootpath == Path.cwd())
    print(sorted(mark.name for mark in request.node.iter_markers()))
    print(os.environ["PYTEST_CURRENT_TEST"])
    raise AssertionError


def test_compares_what_is_long() -> None:
    assert {"a": [1, 2, 3], "b": "x" * 200} == {"a": [1, 2, 4], "b": "x" * 199}


def test_returns_something() -> int:
    return 3
