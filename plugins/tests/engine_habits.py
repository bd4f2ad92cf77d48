"""Checks with the habits of pytest's users: run with and without slots, they must look the same."""

# ruff: noqa: D102, PT009, PT022, T201, TRY301 - the habits that people have are the case itself
from __future__ import annotations

import asyncio
import logging
import os
import sys
import unittest
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

log = logging.getLogger("habits")


@pytest.fixture(scope="session")
def session_thing() -> Iterator[list[str]]:
    yield ["made once in a process"]


@pytest.fixture(scope="module", params=["one", "two"])
def parametrized(request: pytest.FixtureRequest) -> Iterator[str]:
    yield f"module {request.param}"


@pytest.fixture
def chatty() -> Iterator[int]:
    print("set up")
    log.warning("set up")
    yield 1
    print("torn down")
    print("to stderr", file=sys.stderr)


@pytest.fixture
def broken_setup() -> None:
    raise RuntimeError("the setup fails")


@pytest.fixture
def broken_teardown() -> Iterator[None]:
    yield
    raise RuntimeError("the teardown fails")


def setup_module() -> None:
    os.environ["HABIT"] = "set"


def teardown_module() -> None:
    del os.environ["HABIT"]


def test_passes(session_thing: list[str]) -> None:
    assert os.environ["HABIT"] == "set"


def test_fails(chatty: int) -> None:
    print("in the check")
    os.write(2, b"past Python\n")
    log.error("logged")
    assert chatty == 2, "the reason"


def test_raises() -> None:
    try:
        raise KeyError("first")
    except KeyError as error:
        raise ValueError("second") from error


def test_errs(broken_setup: None) -> None: ...


def test_errs_late(broken_teardown: None) -> None: ...


def test_fails_and_errs_late(broken_teardown: None) -> None:
    raise AssertionError("and then the teardown fails")


@pytest.mark.skip(reason="not today")
def test_is_skipped() -> None: ...


def test_skips_itself() -> None:
    pytest.skip("changed its mind")


@pytest.mark.xfail(reason="known")
def test_is_expected_to_fail() -> None:
    assert not "a"


@pytest.mark.xfail(reason="known")
def test_passes_unexpectedly() -> None: ...


@pytest.mark.xfail(strict=True, reason="known")
def test_passes_though_it_must_not() -> None: ...


@pytest.mark.parametrize("number", [1, 2, 3])
def test_is_parametrized(number: int) -> None:
    assert number != 2


def test_uses_a_parametrized_fixture(parametrized: str) -> None:
    assert parametrized.startswith("module")


def test_uses_it_too(parametrized: str) -> None:
    print(parametrized)


def test_has_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    assert [each.name for each in tmp_path.iterdir()] == ["other"]


def test_makes_a_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    assert tmp_path_factory.mktemp("made").is_dir()


def test_reads_its_log(caplog: pytest.LogCaptureFixture) -> None:
    log.warning("seen")
    assert caplog.messages == ["seen"]


def test_reads_its_output(capfd: pytest.CaptureFixture[str]) -> None:
    os.write(1, b"raw\n")
    assert capfd.readouterr().out == "raw\n"


def test_reads_its_python_output(capsys: pytest.CaptureFixture[str]) -> None:
    print("said")
    assert capsys.readouterr().out == "said\n"
    print("left")
    raise AssertionError


def test_patches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HABIT", "patched")
    monkeypatch.chdir(tmp_path)
    assert Path.cwd() == tmp_path


def test_warns() -> None:
    warnings.warn("be careful", DeprecationWarning, stacklevel=1)


@pytest.mark.filterwarnings("error")
def test_takes_warnings_as_errors() -> None:
    warnings.warn("be careful", UserWarning, stacklevel=1)


def test_has_subtests(subtests: pytest.Subtests) -> None:
    for number in range(3):
        with subtests.test("sub", number=number):
            assert number != 1


def test_has_well_subtests(subtests: pytest.Subtests) -> None:
    with subtests.test("sub"):
        pass


def test_records(record_property: object, record_testsuite_property: object) -> None:
    record_property("key", ("a", 1))


def test_says_nothing_but_dies_well() -> None:
    pytest.fail("in few words", pytrace=False)


def test_exits() -> None:
    sys.exit(3)


def test_runs_a_loop() -> None:
    asyncio.run(asyncio.sleep(0))


@pytest.fixture(scope="class")
def shared() -> Iterator[None]:
    yield


@pytest.mark.usefixtures("shared")
class TestClass:
    """Has a fixture of its own."""

    def test_first(self) -> None: ...

    def test_second(self) -> None:
        raise LookupError


class TestUnittest(unittest.TestCase):
    """Comes from another time."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.made = True

    def test_passes(self) -> None:
        self.assertTrue(self.made)

    def test_fails(self) -> None:
        self.assertEqual(1, 2)

    def test_skips(self) -> None:
        self.skipTest("unittest's way")

    def test_subtests(self) -> None:
        for number in range(3):
            with self.subTest(number=number):
                self.assertNotEqual(number, 2)


def documented() -> int:
    """Return three.

    >>> documented()
    4
    """
    return 3
