"""Gives messages to any program, on its standard input."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal

from yakei.notifiers.document import document
from yakei.notifiers.expected import refuse_no_time
from yakei.notifiers.programs import hand_over
from yakei.words import clean, one_line

if TYPE_CHECKING:
    from yakei.message import Message


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The keys of `[notify.NAME]` with `kind = "command"`."""

    command: tuple[str, ...] = field(metadata={"visible": True})
    """The program and its arguments; no shell reads them, and everybody can see them with `ps`."""
    input: Literal["text", "json"] = "text"
    """What it reads: subject and text, or the document that a webhook gets."""
    timeout: timedelta = timedelta(seconds=10)
    """After which it is killed, with all that it started."""

    def __post_init__(self) -> None:
        if not self.command:
            raise ValueError('command: expected a program, such as ["/usr/local/bin/page", "ops"]')
        if any("\0" in part for part in self.command):
            raise ValueError("command: expected no NUL character in it")
        refuse_no_time(self.timeout)


@dataclass(frozen=True)
class Command:
    """Starts the program once for each message; its exit code 0 takes the message."""

    name: str
    settings: Settings

    def notify(self, message: Message) -> None:
        """Run the program, and return when it has exited with 0.

        Raises:
            DeliveryError: it could not be started, exited with another code, or took too long.
        """
        hand_over(
            self.settings.command,
            self._given(message).encode(),
            self.settings.timeout.total_seconds(),
            name=one_line(PurePath(self.settings.command[0]).name),
            environment={
                "YAKEI_SUBJECT": one_line(message.subject),
                "YAKEI_SEVERITY": message.severity.value,
                "YAKEI_RUN": one_line(message.run_id),
                "YAKEI_HOST": one_line(message.host),
            },
        )

    def _given(self, message: Message) -> str:
        if self.settings.input == "json":
            return json.dumps(document(message)) + "\n"
        return f"{one_line(message.subject)}\n\n{clean(message.body).rstrip()}\n"


def notifier(name: str, settings: Settings) -> Command:
    """Return the channel of `[notify.NAME]`; nothing is run yet."""
    return Command(name, settings)
