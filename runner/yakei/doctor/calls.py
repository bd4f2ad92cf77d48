"""Reads a crontab or a unit: which of its lines call `yakei run`, and for which configuration."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from yakei_shared.configuration import find_configuration

_COMMENT = ("#", ";")
"""Begins a comment: the first in a crontab, both in a unit."""
_ENDS = set("();<>|&")
"""A word of nothing but these ends a command of the shell."""
_DIRECTORY = re.compile(r"^\s*WorkingDirectory\s*=\s*-?(.+?)\s*$", re.MULTILINE)
_CONFIG = re.compile(r"(?:-c|--config=)(.+)")
_NOT_FOR_US = re.compile(r"[$`*?%]")
"""What only the shell, or systemd, can make a path of."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of `yakei run`."""

    folder: str
    """Where it is called; empty where that is not said."""
    config: str
    """What it names with -c; empty when it finds the configuration itself."""

    def may_be_for(self, configuration: Path) -> bool:
        """Return whether it uses this configuration, as far as can be seen from here."""
        named = str(Path(self.folder or Path.home(), self.config)) if self.config else ""
        if _NOT_FOR_US.search(named or self.folder):
            return True
        found: Path | None = None
        with suppress(OSError):
            found = Path(named) if named else find_configuration(Path(self.folder or Path.home()))
            return found is not None and found.samefile(configuration)
        return found == configuration


def calls_in(text: str) -> Iterator[Call]:
    """Yield the calls in a crontab's or a unit's text, but for those that are switched off."""
    said = _DIRECTORY.search(text)
    folder = said[1].strip("\"'") if said else ""
    for line in text.splitlines():
        if "yakei" in line and not line.strip().startswith(_COMMENT):
            yield from _calls(_words(line), folder)


def _calls(words: Sequence[str], folder: str) -> Iterator[Call]:
    """Yield the calls among the words of a command line, which may change its folder before."""
    for number, word in enumerate(words):
        following = list(takewhile(_is_argument, words[number + 1 :]))
        if word == "cd" and following:
            folder = str(Path(folder, following[-1]))
        elif " " in word:  # sh -c '…'
            yield from _calls(_words(word), folder)
        elif Path(word.partition("=")[2] or word).name == "yakei" and following[:1] == ["run"]:
            yield Call(folder=folder, config=_config(following))


def _is_argument(word: str) -> bool:
    return not set(word) <= _ENDS


def _config(arguments: Sequence[str]) -> str:
    for number, argument in enumerate(arguments):
        if argument in {"-c", "--config"}:
            return "".join(arguments[number + 1 : number + 2])
        if match := _CONFIG.fullmatch(argument):
            return match[1]
    return ""


def _words(line: str) -> list[str]:
    """Return a line as the shell reads it; where its quotes do not close, at its spaces."""
    reader = shlex.shlex(line, posix=True, punctuation_chars=True)
    reader.whitespace_split = True
    reader.commenters = ""
    try:
        return list(reader)
    except ValueError:
        return line.split()
