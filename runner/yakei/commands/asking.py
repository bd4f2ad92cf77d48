"""Opens what a command asks: the configuration and its state, as they are now."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from yakei.exit_codes import ExitCode
from yakei.request import Result
from yakei.store import StateError
from yakei.store.viewing import View
from yakei.words import one_line
from yakei_shared.configuration import Configuration, load_configuration, locate_configuration
from yakei_shared.durations import parse_duration
from yakei_shared.errors import ConfigurationError

SHAPE = 1
"""The version of the JSON documents: it grows when a key goes or changes its meaning."""
_LISTED = 10
"""Candidates that are named when it is not clear which one is meant."""


class RefusedError(Exception):
    """What was asked cannot be done; the text is one line that says what to write instead."""


def refusing(answer: Callable[[], Result]) -> Result:
    """Return an answer, or the line that says why there is none."""
    try:
        return answer()
    except RefusedError as refusal:
        return Result(exit_code=ExitCode.USAGE, complaint=str(refusal))


@contextmanager
def state_of(configuration: Configuration) -> Iterator[View]:
    """Give the state of a configuration.

    Raises:
        ConfigurationError: it cannot be read, or not be written in the block.
    """
    try:
        with View(configuration.run.state) as view:
            yield view
    except StateError as error:
        raise ConfigurationError(configuration.path, "run.state", str(error)) from None


def configuration_of(config: Path | None) -> Configuration:
    """Return the configuration that a command goes by.

    Raises:
        ConfigurationError: there is none, or it cannot be read.
    """
    return load_configuration(locate_configuration(config))


def printed(configuration: Configuration, lines: Iterable[str]) -> Result:
    """Return lines as a command's answer, without secrets."""
    text = "\n".join(lines) + "\n"
    return Result(exit_code=ExitCode.WELL, text=configuration.redactor.redact(text))


def document(configuration: Configuration, content: Mapping[str, Any]) -> Result:
    """Return a JSON document as a command's answer, without secrets; in ASCII for any locale."""
    clean = configuration.redactor.redact_all({"version": SHAPE, **content})
    return Result(exit_code=ExitCode.WELL, text=json.dumps(clean, indent=2) + "\n")


def duration(text: str, option: str) -> timedelta:
    """Return the duration that an option gives.

    Raises:
        RefusedError: it is none, or no time at all.
    """
    try:
        found = parse_duration(text)
    except ValueError as error:
        raise RefusedError(f"{option}: {error}") from None
    if not found:
        raise RefusedError(f"{option}: expected a time longer than nothing")
    return found


def text_of(value: str | None, missing: str) -> str:
    """Return what an option says in one line.

    Raises:
        RefusedError: it says nothing; `missing` is the line that says what to write.
    """
    said = one_line(value or "")
    if not said:
        raise RefusedError(missing)
    return said


def listed(candidates: Iterable[str]) -> str:
    """Return candidates in one line, the first of them when there are many."""
    found = list(candidates)
    more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    return ", ".join(found[:_LISTED]) + more
