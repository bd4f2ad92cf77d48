"""Walks nested settings down to their plain values, whatever they are made of."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

_DEEPEST = 12
"""Levels; settings are nested less deep, and the objects of a library are not settings."""
_MOST = 20_000
"""Values that are looked at: a settings module may hold an engine, and that holds the world."""
_PLAIN = (str, int, float, bytes)
Named = tuple[str, object]


def leaves(settings: object) -> Iterator[Named]:
    """Yield the name and the value of every text, number and byte string in nested settings.

    Mappings, lists, tuples, modules, classes and objects of an application, dataclasses and
    pydantic's models are looked into, the first level of whatever it is; no property of an object
    further down is called. A value that its author calls a secret (`get_secret_value`) is yielded
    by the name `secret`.
    """
    seen: set[int] = set()
    level: list[Named] = [("", settings)]
    kept = []  # an id is one object's for as long as the object lives
    for depth in range(_DEEPEST):
        below: list[Named] = []
        for name, value in level:
            if issubclass(type(value), _PLAIN):  # an object may lie about its class, or raise
                yield name, value
            elif value is not None and id(value) not in seen and len(seen) < _MOST:
                seen.add(id(value))
                kept.append(value)
                with suppress(Exception):  # the application's code may raise anything
                    below += _members(name, value, is_top=not depth)
        level = below


def _members(name: str, value: object, *, is_top: bool) -> Iterable[Named]:
    """Return what a container, or an object that holds settings, consists of."""
    if isinstance(value, Mapping):
        return [(str(key), item) for key, item in value.items()]
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return list(value._asdict().items())
    if isinstance(value, list | tuple | set | frozenset):
        return [(name, item) for item in value]
    if hasattr(value, "get_secret_value") and not isinstance(value, type):
        return [("secret", value.get_secret_value())]
    if is_top and (isinstance(value, types.ModuleType) or _holds_settings(value)):
        return [(key, _got(value, key)) for key in dir(value) if key[:1] != "_"]
    return _attributes(value).items() if _holds_settings(value) else ()


def _got(value: object, key: str) -> object:
    with suppress(Exception):  # a property is the application's code
        return getattr(value, key)
    return None


def _holds_settings(value: object) -> bool:
    """Return whether an object may be settings: not a module, nor one of Python's own kinds."""
    if isinstance(value, types.ModuleType):
        return False
    kind = value if isinstance(value, type) else type(value)
    own = kind.__module__.partition(".")[0] not in sys.stdlib_module_names
    return isinstance(value, types.SimpleNamespace) or own


def _attributes(value: object) -> dict[str, object]:
    """Return an object's public attributes without calling any code of it, its class's first."""
    kind = value if isinstance(value, type) else type(value)
    found: dict[str, object] = {}
    for base in reversed(kind.__mro__[:-1]):
        found |= vars(base)
    if not isinstance(value, type):
        slots = [key for key, item in found.items() if type(item) is types.MemberDescriptorType]
        found |= {key: _got(value, key) for key in slots} | getattr(value, "__dict__", {})
    return {key: item for key, item in found.items() if key[:1] != "_"}
