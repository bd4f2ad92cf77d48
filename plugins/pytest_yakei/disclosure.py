"""Takes secrets out of all that pytest shows: no terminal, file or message has them."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from _pytest.junitxml import xml_key
from _pytest.subtests import SubtestReport

from pytest_yakei.suite import Suite
from yakei_shared.redaction import Redactor

_DEEPEST = 12
"""pytest nests its representation of a failure less deep; a cycle must not hang us."""
_LONGEST = 1536 * 1024
"""Characters of one text: looking for secrets in what a runaway check printed takes seconds for
each 10 MB, and a megabyte of output shall still be whole in the log."""
_IDENTITY = {"classname", "name", "file", "line"}
"""Attributes in a JUnit file that say which check it is."""
_LONGEST_OF_PASSED = 64 * 1024
"""The same when the phase passed: nobody is shown it."""


class Discretion:
    """Takes secrets out of all that pytest shows besides the phases of checks."""

    def __init__(self, config: pytest.Config, suite: Suite) -> None:
        self._config = config
        self._suite = suite

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Have nothing secret in logs that are shown or written while checks run."""
        plugin = self._config.pluginmanager.get_plugin("logging-plugin")
        if plugin is not None:
            # Without a file the one may be given one later, by set_log_path().
            for handler in (plugin.log_file_handler, plugin.log_cli_handler):
                self._make_discreet(handler)

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """Have nothing secret in a warning, whoever gives it."""
        if not self._suite.keeps_secrets:
            return
        text = str(warning_message.message)
        clean = self._suite.redactor.redact(abridged(text))
        if clean != text:
            warning_message.message = warning_of(warning_message.category, clean)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Have nothing secret in a subtest, or in what a check has put into the JUnit file.

        pytest adds a subtest's output and arguments at the end, and a check's attributes are
        written with its teardown.
        """
        if not self._suite.keeps_secrets:
            return
        redactor = self._suite.redactor
        if isinstance(report, SubtestReport):
            redact_report(report, redactor)
        if xml := self._config.stash.get(xml_key, None):
            for reporter in xml.node_reporters.values():
                own = reporter.attrs.keys() - _IDENTITY
                reporter.attrs |= {name: redactor.redact(reporter.attrs[name]) for name in own}

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Have nothing secret in what the JUnit file says of the whole suite."""
        xml = self._config.stash.get(xml_key, None)
        if xml is not None and self._suite.keeps_secrets:
            redact = self._suite.redactor.redact
            known = xml.global_properties
            known[:] = [(name, redact(value)) for name, value in known]

    def _make_discreet(self, handler: logging.Handler) -> None:
        """Have a handler's formatter, which other plugins may ask for its own, show no secret."""
        formatter = handler.formatter
        if formatter is None:
            return
        usual = formatter.format

        def discreet(record: logging.LogRecord) -> str:
            text = usual(record)
            is_read = getattr(getattr(handler, "stream", None), "name", "") != os.devnull
            if is_read and self._suite.keeps_secrets:
                text = self._suite.redactor.redact(abridged(text))
            return text

        formatter.format = discreet  # type: ignore[method-assign]  # of this one alone


def warning_of(category: type[Warning], text: str) -> Warning:
    """Return a warning of this class that says this."""
    try:
        return category(text)
    except TypeError:  # it wants more than a text
        return UserWarning(text)


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
    if isinstance(report, pytest.TestReport):
        told = report.user_properties
        report.user_properties = [(name, _shown(value, clean)) for name, value in told]
    if isinstance(report, SubtestReport):
        context = report.context
        report.context = replace(
            context,
            msg=context.msg and clean(context.msg),
            kwargs={name: _shown(value, clean) for name, value in context.kwargs.items()},
        )
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


def _shown(value: Any, clean: Callable[[str], str]) -> Any:
    """Return a value as it is, unless its text has a secret in it."""
    text = str(value)
    cleaned = clean(text)
    if cleaned == text:
        return value
    is_plain = isinstance(value, dict | list | tuple)
    return _cleaned(value, clean, 0) if is_plain else cleaned


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
