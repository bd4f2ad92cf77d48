"""Habits with fixtures, classes and unittest, and each of their finalizers said aloud."""

# ruff: noqa: D102, PT009, PT021, T201 - the habits that people have are the case itself
from __future__ import annotations

import sys
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="package")
def of_package() -> Iterator[str]:
    print("package up")
    yield "package"
    print("package down")


@pytest.fixture(scope="session", params=["a", "b"])
def of_session(request: pytest.FixtureRequest) -> Iterator[str]:
    print(f"session {request.param} up")
    yield request.param
    print(f"session {request.param} down")


@pytest.fixture(autouse=True)
def around(request: pytest.FixtureRequest) -> Iterator[None]:
    print(f"before {request.node.name}")
    yield
    print(f"after {request.node.name}")


@pytest.fixture
def finalized(request: pytest.FixtureRequest) -> str:
    request.addfinalizer(lambda: print("first added, last called"))
    request.addfinalizer(lambda: print("last added, first called"))
    return str(request.node.nodeid.rpartition("/")[2])


@pytest.fixture
def doubled(request: pytest.FixtureRequest) -> int:
    return int(request.param) * 2


@pytest.fixture
def maker() -> Iterator[Any]:
    made: list[int] = []
    yield lambda: made.append(len(made)) or made
    print(f"made {len(made)}")


def test_has_a_package_fixture(of_package: str) -> None: ...


def test_has_each_of_the_session(of_session: str, of_package: str) -> None: ...


def test_fails_for_one_of_the_session(of_session: str) -> None:
    assert of_session == "a"


def test_has_finalizers(finalized: str) -> None:
    print(finalized)


@pytest.mark.parametrize("doubled", [1, 2], indirect=True)
def test_is_parametrized_indirectly(doubled: int) -> None:
    assert doubled == 2


@pytest.mark.parametrize("text", ["new\nline", "\x1b[31m", "日本", "", "a::b", "[x]", "\x00"])
def test_has_an_odd_name(text: str) -> None:
    assert text == "日本"


@pytest.mark.parametrize("value", [pytest.param(1, marks=pytest.mark.xfail), 2], ids=str)
@pytest.mark.parametrize("other", [None, 1.5])
def test_is_parametrized_twice(value: int, other: float | None) -> None:
    assert value == 2


def test_asks_late(request: pytest.FixtureRequest) -> None:
    assert request.getfixturevalue("of_package") == "package"
    assert request.getfixturevalue("maker")()


def test_asks_for_what_is_not_there(no_such_fixture: None) -> None: ...


def test_asks_late_for_what_is_not_there(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("no_such_fixture")


@pytest.mark.usefixtures("maker", "finalized")
def test_only_uses_them() -> None: ...


@pytest.mark.skipif(sys.platform == "linux", reason="only elsewhere")
def test_is_skipped_here() -> None: ...


def test_needs_a_module() -> None:
    pytest.importorskip("no_such_module_anywhere", reason="is not installed")


@pytest.mark.xfail(raises=ValueError)
def test_fails_in_another_way_than_expected() -> None:
    raise TypeError("not a ValueError")


@pytest.mark.xfail(run=False, reason="would crash")
def test_is_not_run() -> None: ...


@pytest.mark.xfail(raises=ZeroDivisionError, strict=True)
def test_fails_as_expected() -> None:
    raise ZeroDivisionError


def test_expects_failure_itself() -> None:
    pytest.xfail("since today")


def test_raises_a_group() -> None:
    raise ExceptionGroup("both", [ValueError("one"), TypeError("two")])


def test_has_a_helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "helping.py").write_text("def check(x):\n    assert x == 3, 'in a helper'\n")
    monkeypatch.syspath_prepend(tmp_path)
    import helping

    helping.check(2)


def test_patches_what_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.no_such_name", 1)


class TestXunit:
    """As nose and unittest taught it."""

    @classmethod
    def setup_class(cls) -> None:
        print("class up")

    @classmethod
    def teardown_class(cls) -> None:
        print("class down")

    def setup_method(self) -> None:
        print("method up")

    def teardown_method(self) -> None:
        print("method down")

    @pytest.fixture(scope="class")
    def own(self) -> Iterator[int]:
        print("own up")
        yield 1
        print("own down")

    def test_first(self, own: int) -> None:
        assert own == 2

    def test_second(self, own: int) -> None: ...

    class TestNested:
        """A class in a class."""

        def test_inner(self) -> None: ...


class TestCleanups(unittest.IsolatedAsyncioTestCase):
    """Cleans up at each level."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.addClassCleanup(print, "class cleaned")

    def setUp(self) -> None:
        self.addCleanup(print, "test cleaned")

    def tearDown(self) -> None:
        print("torn down")

    def test_passes(self) -> None: ...

    async def test_is_async(self) -> None:
        self.addAsyncCleanup(self.cleaned)
        self.assertEqual(1, 2)

    async def cleaned(self) -> None:
        print("async cleaned")

    @unittest.expectedFailure
    def test_is_expected_to_fail(self) -> None:
        self.fail("as expected")

    @unittest.expectedFailure
    def test_passes_unexpectedly(self) -> None: ...

    @unittest.skip("not now")
    def test_is_skipped(self) -> None: ...


class TestBrokenClass(unittest.TestCase):
    """Cannot be set up."""

    @classmethod
    def setUpClass(cls) -> None:
        raise OSError("no class")

    def test_never_runs(self) -> None: ...
