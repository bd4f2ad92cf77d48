"""Checks a table of the configuration against a dataclass, and builds the settings from it."""

from __future__ import annotations

import dataclasses
import os
import types
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from yakei_shared.durations import parse_duration
from yakei_shared.errors import ConfigurationError
from yakei_shared.limits import Limit
from yakei_shared.references import SCHEMES, Resolver

S = TypeVar("S")


def key_of(field: dataclasses.Field[Any]) -> str:
    """Return the key that a field has in the file: its own name unless `metadata["key"]` says."""
    return str(field.metadata.get("key", field.name))


def refuse_unknown(found: Iterable[str], known: Iterable[str], source: object, prefix: str) -> None:
    """Raise for the first key that nobody knows, with the nearest right spelling."""
    choices = sorted(known)
    for key in found:
        if key not in choices:
            import difflib  # only for a mistake

            near = difflib.get_close_matches(key, choices, n=1)
            advice = f"did you mean {near[0]}?" if near else f"known: {', '.join(choices)}"
            raise ConfigurationError(source, f"{prefix}{key}", f"unknown key; {advice}")


class Schema:
    """Builds settings out of tables of one configuration file."""

    def __init__(self, source: Path, resolver: Resolver) -> None:
        self._source = source
        self._resolver = resolver

    def build(self, cls: type[S], table: object, prefix: str) -> S:
        """Return an instance of a settings dataclass.

        Args:
            cls: a dataclass; its fields' types say what is expected.
            table: the table as TOML gave it.
            prefix: the table's dotted path, such as `queues.analyze_page`.

        Raises:
            ConfigurationError: an unknown or missing key, a wrong type, an impossible value.
        """
        if not isinstance(table, Mapping):
            raise ConfigurationError(self._source, prefix, f"expected a table, got {_shown(table)}")
        fields = dataclasses.fields(cls)  # type: ignore[arg-type]  # S is always a dataclass
        refuse_unknown(table, map(key_of, fields), self._source, f"{prefix}.")
        hints = get_type_hints(cls)
        values: dict[str, Any] = {}
        for field in fields:
            key = f"{prefix}.{key_of(field)}"
            if key_of(field) in table:
                secret = bool(field.metadata.get("secret"))
                raw = table[key_of(field)]
                if field.metadata.get("visible"):
                    self._refuse_references(raw, key)
                values[field.name] = self.value(raw, hints[field.name], key, secret=secret)
            elif field.default is field.default_factory is dataclasses.MISSING:
                raise ConfigurationError(self._source, key, "missing; it has no default")
        try:
            return cls(**values)
        except ValueError as error:
            key, _, problem = str(error).partition(": ")
            if key in map(key_of, fields):
                raise ConfigurationError(self._source, f"{prefix}.{key}", problem) from None
            raise ConfigurationError(self._source, prefix, str(error)) from None

    def _refuse_references(self, raw: object, key: str) -> None:
        """Refuse what could be a secret in a place that other users of this host can see."""
        for each in raw if isinstance(raw, list) else [raw]:
            if isinstance(each, str) and each.startswith(SCHEMES):
                problem = f'expected no reference such as "{each}": every user of this host sees it'
                raise ConfigurationError(self._source, key, problem)

    def value(self, raw: object, hint: Any, key: str, *, secret: bool = False) -> Any:
        """Return one value, its reference resolved and its type as the hint wants it."""
        resolved = self._resolver.resolve(raw, key, secret=secret)
        referred = isinstance(raw, str) and raw.startswith(SCHEMES)
        if isinstance(resolved, list):
            items = enumerate(resolved)
            resolved = [self._resolver.resolve(v, f"{key}[{i}]", secret=secret) for i, v in items]
        try:
            return self._convert(resolved, hint, as_text=referred)
        except ValueError as error:
            hidden = secret or (referred and str(raw).startswith("file:"))
            shown = str(error).partition(", got ")[0] if hidden else str(error)
            origin = f" (from {raw})" if referred else ""
            raise ConfigurationError(self._source, key, f"{shown}{origin}") from None

    def _convert(self, value: object, hint: Any, *, as_text: bool) -> Any:
        """Convert to the hinted type; text from outside (`as_text`) may spell numbers."""
        origin, arguments = get_origin(hint), get_args(hint)
        if origin in {Union, types.UnionType}:
            return self._convert_union(value, arguments, as_text=as_text)
        if origin is Literal:
            if value not in arguments:
                raise ValueError(f"expected one of {', '.join(map(str, arguments))}, {_got(value)}")
            return value
        if origin is Limit:
            return self._convert_limit(value, arguments[0], as_text=as_text)
        if origin is tuple:
            return self._convert_list(value, arguments[0], as_text=as_text)
        if origin is dict or hint in {Any, object}:
            return value
        return self._scalar(hint)(value, as_text)

    def _convert_union(self, value: object, hints: tuple[Any, ...], *, as_text: bool) -> Any:
        problems = []
        for hint in hints:
            if hint is type(None):
                continue
            try:
                return self._convert(value, hint, as_text=as_text)
            except ValueError as error:
                problems.append(str(error))
        raise ValueError(problems[0])

    def _convert_limit(self, value: object, hint: Any, *, as_text: bool) -> Limit[Any]:
        if not isinstance(value, Mapping):
            return Limit(self._convert(value, hint, as_text=as_text))
        if unknown := sorted(value.keys() - {"warning", "critical"}):
            raise ValueError(f"expected the keys warning and critical, got {unknown[0]}")
        if "critical" not in value:
            raise ValueError("expected a number or { warning = …, critical = … }, got no critical")
        sides = {side: self._convert(item, hint, as_text=as_text) for side, item in value.items()}
        return Limit(**sides)

    def _convert_list(self, value: object, hint: Any, *, as_text: bool) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise ValueError(f"expected a list, {_got(value)}")
        return tuple(self._convert(item, hint, as_text=as_text) for item in value)

    def _scalar(self, hint: Any) -> Callable[[object, bool], Any]:
        if hint is Path:
            return lambda value, _: self._path(_text(value, "a path"))
        return _SCALARS[hint]

    def _path(self, written: str) -> Path:
        """Return a path relative to the file, without `..`, so that it reads well in messages."""
        try:
            return Path(os.path.normpath(self._source.parent / Path(written).expanduser()))
        except RuntimeError:
            problem = f'expected a path, got "{written}": there is no such user here'
            raise ValueError(problem) from None


def _text(value: object, expected: str = "text") -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"expected {expected}, {_got(value)}")
    return value


def _integer(value: object, as_text: bool) -> int:  # noqa: FBT001 - a converter's signature
    if as_text and isinstance(value, str) and value.strip().lstrip("-").isdecimal():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"expected a whole number, {_got(value)}")
    return value


def _number(value: object, as_text: bool) -> float:  # noqa: FBT001 - a converter's signature
    if as_text and isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            pass
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"expected a number, {_got(value)}")
    return value


def _boolean(value: object, as_text: bool) -> bool:  # noqa: FBT001 - a converter's signature
    if as_text and isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, {_got(value)}")
    return value


def _duration(value: object, _: bool) -> timedelta:  # noqa: FBT001 - a converter's signature
    if not isinstance(value, str):
        raise ValueError(f'expected a duration such as "90s", "5m" or "7d", {_got(value)}')
    return parse_duration(value)


_SCALARS: dict[Any, Callable[[object, bool], Any]] = {
    str: lambda value, _: _text(value),
    int: _integer,
    float: _number,
    bool: _boolean,
    timedelta: _duration,
}


def _got(value: object) -> str:
    return f"got {_shown(value)}"


def _shown(value: object) -> str:
    """Return a value as an error may show it: text quoted, and a long one cut."""
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return f"{text[:37]}…" if len(text) > 40 else text  # noqa: PLR2004 - a line's room
