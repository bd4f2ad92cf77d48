"""Says what was: incidents with their end, how long they lasted, and who was told when."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from yakei.commands.account import Account, accounts
from yakei.commands.asking import (
    configuration_of,
    document,
    duration,
    printed,
    refusing,
    state_of,
)
from yakei.commands.layout import Paper
from yakei.request import Result
from yakei.words import counted

_SINCE = "7d"
"""How far back by default: a week, as those on call change."""


def incidents(options: argparse.Namespace) -> Result:
    """Return the answer of `yakei incidents`.

    Raises:
        ConfigurationError: there is no configuration, or its state cannot be read.
    """
    return refusing(lambda: _incidents(options))


def _incidents(options: argparse.Namespace) -> Result:
    configuration = configuration_of(options.config)
    now = datetime.now(UTC)
    back = duration(options.since or _SINCE, "--since")
    since = None if options.all else now - back
    with state_of(configuration) as view:
        found = accounts(view, since, view.state(configuration.path), now)
    if options.json:
        content = {
            "at": now.isoformat(),
            "since": since.isoformat() if since else None,
            "incidents": [each.document() for each in found],
        }
        return document(configuration, content)
    reach = "" if options.all else f" in the last {options.since or _SINCE}"
    return printed(configuration, _lines(found, reach, Paper.of_stdout(), now))


def _lines(found: Sequence[Account], reach: str, paper: Paper, now: datetime) -> Iterator[str]:
    """Yield the newest first: that is what is asked for, and what a terminal shows first."""
    for account in reversed(found):
        yield from account.lines(paper, now)
    still_open = sum(not each.past.closed for each in found)
    more = f", {still_open} of them open" if still_open else ""
    yield f"{counted(len(found), 'incident')}{reach}{more}" if found else f"no incident{reach}"
