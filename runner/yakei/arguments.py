"""What can be said on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import yakei
from yakei.commands import add_commands

if TYPE_CHECKING:
    from datetime import timedelta

    from yakei.commands import Commands

EPILOG = """\
exit codes of run: 0 all is well, 1 a check is failing, 2 bad usage or configuration, 3 the run is
broken, 75 no channel took the message (it is on stdout), 111 another run holds the lock,
124 the deadline ended it, 143/130 ended by SIGTERM/SIGINT
"""


def parser(command: str = "") -> argparse.ArgumentParser:
    """Return the parser of the whole command line; of `run`, which cron calls, of that alone."""
    common = argparse.ArgumentParser(add_help=False)
    _add_config(common, default=argparse.SUPPRESS)  # what was said before the command stands
    common.add_argument(
        "-v", "--verbose", action="store_true", help="say which configuration is used"
    )
    common.add_argument("--version", action="version", version=f"yakei {yakei.__version__}")
    common.add_argument("-q", "--quiet", action="store_true", help="say less on a terminal")
    top = argparse.ArgumentParser(
        prog="yakei",
        description="Continuous monitoring: ordinary pytest checks, silent while all is well.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"yakei {yakei.__version__}")
    _add_config(top)
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    _add_run(commands, common)
    if command != "run":
        for add in (_add_exec, _add_doctor, _add_init, add_commands):
            add(commands, common)
    return top


def _add_config(to: argparse.ArgumentParser, default: str | None = None) -> None:
    text = "the configuration file"
    to.add_argument("-c", "--config", type=Path, metavar="FILE", default=default, help=text)


def _add_run(commands: Commands, common: argparse.ArgumentParser) -> None:
    run = commands.add_parser("run", parents=[common], help="one cycle: what cron calls")
    run.set_defaults(command="run")
    run.add_argument("paths", nargs="*", metavar="PATH", help="default: [run] monitors")
    run.add_argument("-k", dest="keyword", default="", metavar="EXPRESSION", help="as in pytest")
    run.add_argument("-m", dest="markers", default="", metavar="MARKERS", help="as in pytest")
    run.add_argument("--all", action="store_true", help="also what is not due yet (`every`)")
    _add_wrapping(run)
    run.add_argument(
        "--no-notify",
        action="store_true",
        help="the message goes to stdout; the next run tells the channels",
    )
    run.add_argument("-p", "--print-always", action="store_true", help="print also when all passed")


def _add_exec(commands: Commands, common: argparse.ArgumentParser) -> None:
    text = "the same silence, lock, deadline and notifications around any command"
    run = commands.add_parser("exec", parents=[common], help=text)
    run.set_defaults(command="exec")
    _add_wrapping(run)
    run.add_argument(
        "--timestamp",
        nargs="?",
        const="iso",
        choices=["iso", "ctime"],
        help="the time before each line of the log",
    )
    run.add_argument("argv", nargs="+", metavar="CMD", help="after --, with its arguments")


def _add_wrapping(run: argparse.ArgumentParser) -> None:
    run.add_argument("--lock", type=Path, metavar="F", help="one run at a time; setlock's file")
    run.add_argument(
        "--on-busy",
        choices=["alert", "skip", "wait"],
        default="alert",
        help="while another run holds it: tell, leave silently, or wait",
    )
    run.add_argument("--deadline", type=_duration, metavar="D", help="for the whole: 90s, 4m")
    run.add_argument("--log", type=Path, metavar="F", help="append what was run and what it said")


def _add_doctor(commands: Commands, common: argparse.ArgumentParser) -> None:
    text = "check the configuration, every secret, resource and channel"
    doctor = commands.add_parser("doctor", parents=[common], help=text)
    doctor.set_defaults(command="doctor")
    doctor.add_argument("--send", action="store_true", help="really send a test message")
    doctor.add_argument("--routes", action="store_true", help="say who would hear of each check")


def _add_init(commands: Commands, common: argparse.ArgumentParser) -> None:
    text = "write a starter yakei.toml and chosen checks into this repository"
    init = commands.add_parser("init", parents=[common], help=text)
    init.set_defaults(command="init")
    init.add_argument("checks", nargs="*", metavar="CHECK", help="such as queues; default: all")


def _duration(text: str) -> timedelta:
    from yakei_shared.durations import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
