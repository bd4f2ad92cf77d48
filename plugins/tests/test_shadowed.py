"""Which checks another of the same name hides."""

from __future__ import annotations

import pytest

from pytest_yakei.shadowed import Shadowed, shadowed

HIDDEN = {
    "a function": ("def test_a(): pass\ndef test_a(): pass", Shadowed("test_a", 1, 2)),
    "a coroutine": ("async def test_a(): pass\ndef test_a(): pass", Shadowed("test_a", 1, 2)),
    "a method": (
        "class TestA:\n    def test_b(self): pass\n    def test_b(self): pass",
        Shadowed("TestA::test_b", 2, 3),
    ),
    "a class": ("class TestA: pass\n\nclass TestA: pass", Shadowed("TestA", 1, 3)),
    "below a decorator": (
        "import pytest\ndef test_a(): pass\n@pytest.mark.slow\ndef test_a(): pass",
        Shadowed("test_a", 2, 4),
    ),
}
ALL_SEEN = {
    "one of each": "def test_a(): pass\ndef test_b(): pass",
    "one of each class": "class TestA:\n def test_b(self): 0\nclass TestB:\n def test_b(self): 0",
    "what an if chooses from": "if 1:\n def test_a(): pass\nelse:\n def test_a(): pass",
    "a property and its setter": (
        "class TestA:\n @property\n def test_b(self): 0\n @test_b.setter\n def test_b(self, to): 0"
    ),
    "overloads": (
        "import typing\n@typing.overload\ndef test_a(n: int): ...\ndef test_a(n): return n"
    ),
    "what is no check": "def depth(): pass\ndef depth(): pass",
    "a function inside of others": (
        "def test_a():\n def test_c(): 0\ndef test_b():\n def test_c(): 0"
    ),
}


def is_check(name: str) -> bool:
    return name.startswith(("test", "Test"))


@pytest.mark.parametrize(("source", "told"), HIDDEN.values(), ids=HIDDEN)
def test_what_is_hidden_is_named_with_both_lines(source: str, told: Shadowed) -> None:
    assert shadowed(source, is_check) == [told]


@pytest.mark.parametrize("source", ALL_SEEN.values(), ids=ALL_SEEN)
def test_what_pytest_sees_is_not(source: str) -> None:
    assert shadowed(source, is_check) == []


def test_of_three_two_are_hidden() -> None:
    assert shadowed("def test_a(): 0\n" * 3, is_check) == [
        Shadowed("test_a", 1, 2),
        Shadowed("test_a", 2, 3),
    ]
