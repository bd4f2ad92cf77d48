"""Takes secrets out of pytest's reports and logs: no terminal, file or message shows them."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

import pytest

from pytest_yakei.suite import Suite
from yakei_shared.redaction import Redactor

_DEEPEST = 12
"""pytest nests its representation of a failure less deep; a cycle must not hang us."""
_LONGEST = 1536 * 1024
"""Characters of one text: looking for secrets in what a runaway check printed takes seconds for
each 10 MB, and a megabyte of output shall still be whole in the log."""
_LONGEST_OF_PASSED = 64 * 1024
"""The same when the phase passed: nobody is shown it."""


class _Discreet(logging.Formatter):
    """Formats as a handler's formatter did, and shows no secret that the suite knows by then."""

    def __init__(self, handler: logging.StreamHandler[Any], suite: Suite) -> None:
        super().__init__()
        self._handler = handler
        self._usual = handler.formatter or logging.Formatter()
        self._suite = suite

    def format(self, record: logging.LogRecord) -> str:
        text = self._usual.format(record)
        is_read = getattr(self._handler.stream, "name", "") != os.devnull
        if is_read and (self._suite.asked or self._suite.in_runner):
            text = self._suite.redactor.redact(abridged(text))
        return text


def redact_logs(config: pytest.Config, suite: Suite) -> None:
    """Replace every secret in what pytest logs to the terminal and into a file, if it does."""
    plugin = config.pluginmanager.get_plugin("logging-plugin")
    if plugin is None:
        return
    handlers = [plugin.log_file_handler]  # without a file it may be given one, by set_log_path()
    if not isinstance(plugin.log_cli_handler, logging.NullHandler):
        handlers.append(plugin.log_cli_handler)
    for each in handlers:
        each.setFormatter(_Discreet(each, suite))


def redact_report(report: pytest.TestReport | pytest.CollectReport, redactor: Redactor) -> None:
    """Replace every secret in a report: its traceback, captured output and JSON extras.

    The middle of a text that is too long to be searched is left out.
    """
    longest = _LONGEST_OF_PASSED if report.passed else _LONGEST

    def clean(text: str) -> str:
        return redactor.redact(abridged(text, longest))

    if report.longrepr is not None:
        report.longrepr = _cleaned(report.longrepr, clean, _DEEPEST)
    report.sections = [(name, clean(text)) for name, text in report.sections]
    extra = getattr(report, "_json_report_extra", None)
    if isinstance(extra, dict):
        ours = extra.get("metadata", {}).get("yakei", {})
        words = {key: ours[key] for key in ("outcome", "severity") if key in ours}
        if ours.get("memory"):  # the check's own document, keys included
            words["memory"] = redactor.redact_all(ours["memory"])
        extra.update(_cleaned(extra, clean, _DEEPEST))
        if words:  # a password may be `failed`
            extra["metadata"]["yakei"].update(words)


def abridged(text: str, longest: int = _LONGEST) -> str:
    """Return the text, of a long one the first third and the last two: errors come at the end.

    It is cut between lines where there are any, so that no half of a secret is left.
    """
    if len(text) <= longest:
        return text
    head, tail = text[: longest // 3], text[-2 * longest // 3 :]
    head = head[: head.rfind("\n", len(head) // 2) + 1] or f"{head}\n"
    tail = tail[tail.find("\n", 0, len(tail) // 2) + 1 :]
    left_out = len(text) - len(head) - len(tail)
    return f"{head}… {left_out:,} characters are left out here …\n{tail}"


def _cleaned(value: Any, clean: Callable[[str], str], depth: int) -> Any:
    """Return pytest's nested representation with each text in it cleaned, in place."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {key: _cleaned(item, clean, depth) for key, item in value.items()}
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return clean("\n".join(value)).split("\n")  # the lines of one text
    if isinstance(value, list):
        return [_cleaned(item, clean, depth) for item in value]
    if isinstance(value, tuple):
        return tuple(_cleaned(item, clean, depth) for item in value)
    if depth and hasattr(value, "__dict__"):
        for name, item in vars(value).items():
            if isinstance(item, str | list | tuple) or hasattr(item, "__dict__"):
                object.__setattr__(value, name, _cleaned(item, clean, depth - 1))
    return value
