"""What people ask and say between runs: status, incidents, history, silence, unsilence, ack."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yakei.request import Result

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - has no public name

Answer = Callable[[argparse.Namespace], "Result"]


def add_commands(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Add the commands; each sets `answer`, which takes the options and returns what to print."""

    def add(name: str, module: str, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, parents=[common], help=text)
        command.set_defaults(answer=_answer(module, name))
        return command

    _reading(add)
    _speaking(add)


def _reading(add: Callable[[str, str, str], argparse.ArgumentParser]) -> None:
    status = add("status", "status", "what is failing now")
    incidents = add("incidents", "incidents", "what was: opened, closed, who was told")
    history = add("history", "history", "how a check and its measures went")
    history.add_argument("check", metavar="CHECK", help="its id, or a part of it that no other has")
    for command in (incidents, history):
        command.add_argument("--since", metavar="D", help="how far back: 90m, 24h, 30d")
    incidents.add_argument("--all", action="store_true", help="all that is kept")
    for command in (status, incidents, history):
        command.add_argument("--json", action="store_true", help="for programs: docs/operating.md")


def _speaking(add: Callable[[str, str, str], argparse.ArgumentParser]) -> None:
    # What is missing is said by the command, in a line that says what to write.
    silence = add("silence", "silences", "keep matching checks quiet until a time")
    silence.add_argument("pattern", metavar="PATTERN", help="of checks' ids, with * and ?")
    silence.add_argument("--for", dest="duration", metavar="D", help="how long: 90m, 2h, 7d")
    silence.add_argument("--anyway", action="store_true", help="also when nothing known matches")
    unsilence = add("unsilence", "silences", "end a silence before its time")
    unsilence.add_argument("silence", metavar="ID", help="as yakei status lists it")
    ack = add("ack", "acknowledging", "no more reminders of an incident until it recovers")
    ack.add_argument("incident", metavar="INCIDENT", help="its id, or a pattern that only it fits")
    for command in (silence, ack):
        command.add_argument("--reason", metavar="TEXT", help="why")
    for command in (silence, unsilence, ack):
        command.add_argument(
            "--by", metavar="NAME", help="who says so; by default who is logged in"
        )


def _answer(module: str, name: str) -> Answer:
    """Return a command's function; its module is imported when it is called, not for `run`."""

    def answer(options: argparse.Namespace) -> Result:
        function: Answer = getattr(import_module(f"yakei.commands.{module}"), name)
        return function(options)

    return answer
