"""Writes frozen dataclasses as JSON documents, and reads them back by their annotations."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_document(value: Any) -> Any:
    """Return a value as JSON knows it; a field at its default is left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = ((name, getattr(value, name), default) for name, default in _fields(type(value)))
        return {name: to_document(each) for name, each, default in fields if each != default}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [to_document(each) for each in value]
    if isinstance(value, AbstractSet):
        return sorted(value)
    if isinstance(value, Mapping):
        return {key: to_document(each) for key, each in value.items()}
    return value


def from_document(cls: type[T], document: Any) -> T:
    """Return the dataclass that a document was written from; what is missing has its default.

    Raises:
        TypeError, ValueError, KeyError: the document is none of this class.
    """
    if not isinstance(document, dict):
        raise TypeError(f"expected the document of a {cls.__name__}, got {type(document).__name__}")
    kind: Any = cls
    hints = _hints(kind)
    found = {
        name: read_value(hints[name], each) for name, each in document.items() if name in hints
    }
    return cls(**found)


def read_value(hint: Any, value: Any) -> Any:
    """Return the value of an annotated type that JSON was written from.

    Raises:
        TypeError, ValueError, KeyError: it is none.
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        chosen = next(each for each in arguments if each is not type(None))
        return None if value is None else read_value(chosen, value)
    if origin in {tuple, frozenset} or (origin is Mapping and arguments[1] is not Any):
        return _many(origin, arguments, value)
    if dataclasses.is_dataclass(hint):
        return from_document(hint if isinstance(hint, type) else type(hint), value)
    if hint is datetime:
        return datetime.fromisoformat(value)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint(value)
    return _plain(hint, value)


def _many(origin: Any, arguments: tuple[Any, ...], value: Any) -> Any:
    if origin is Mapping:
        return {key: read_value(arguments[1], each) for key, each in value.items()}
    return origin(read_value(arguments[0], each) for each in value)


def _plain(hint: Any, value: Any) -> Any:
    """Return a string or number of the annotated type; anything else is damage."""
    kind = get_origin(hint) or hint
    allowed = (int, float) if kind is float else kind
    if isinstance(allowed, type | tuple) and not isinstance(value, allowed):
        raise TypeError(f"expected {kind.__name__}, got {type(value).__name__}")
    return value


@cache
def _hints(cls: Any) -> dict[str, Any]:
    return get_type_hints(cls)


@cache
def _fields(cls: Any) -> tuple[tuple[str, Any], ...]:
    return tuple((each.name, each.default) for each in dataclasses.fields(cls))
