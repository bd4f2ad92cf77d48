"""Finds checks that Python has forgotten: another of the same name stands further down."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

_DEFINED = re.compile(r"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)", re.MULTILINE)

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Shadowed(NamedTuple):
    """A check, or a class of checks, that nobody can call any more."""

    name: str
    """As in an id, with its classes: `TestQueue::test_depth`."""
    line: int
    by: int
    """The line of the one that took its name."""


def shadowed(source: str, is_check: Callable[[str], bool]) -> list[Shadowed]:
    """Return what is defined twice in one body of a module; what an `if` chooses from is not.

    Args:
        source: the module's text.
        is_check: whether pytest would collect what has this name.
    """
    times = Counter(_DEFINED.findall(source))
    if not any(count > 1 and is_check(name) for name, count in times.items()):
        return []  # as nearly always: nothing has to be parsed
    return list(_in(ast.parse(source).body, "", is_check))


def _in(body: list[ast.stmt], place: str, is_check: Callable[[str], bool]) -> Iterator[Shadowed]:
    known: dict[str, _Definition] = {}
    for found in body:
        if not isinstance(found, _Definition):
            continue
        earlier = known.get(found.name)
        if earlier and is_check(found.name) and not _goes_on_from(earlier, found):
            yield Shadowed(place + found.name, earlier.lineno, found.lineno)
        known[found.name] = found
    for each in known.values():
        if isinstance(each, ast.ClassDef):
            yield from _in(each.body, f"{place}{each.name}::", is_check)


def _goes_on_from(earlier: _Definition, found: _Definition) -> bool:
    """Return whether both are one thing: a property and its setter, or several overloads."""
    parts = [part for each in found.decorator_list for part in ast.walk(each)]
    is_setter = any(isinstance(part, ast.Name) and part.id == found.name for part in parts)
    overloads = [ast.unparse(each).rpartition(".")[2] for each in earlier.decorator_list]
    return is_setter or "overload" in overloads
