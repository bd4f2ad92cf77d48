"""The command line: the only place that prints and exits."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing, suppress
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import yakei
from yakei.commands import Answer, add_commands
from yakei.execution.leaving import Terminated, leave, terminating
from yakei.exit_codes import ExitCode
from yakei_shared.errors import ConfigurationError

if TYPE_CHECKING:
    from datetime import timedelta

    from yakei.commands import Commands
    from yakei.doctor.finding import Finding
    from yakei.execution.copied import Spare
    from yakei.request import Request

SIGNALLED = 128
"""What a shell adds to the number of the signal that ended a command."""

EPILOG = """\
exit codes of run: 0 all is well, 1 a check is failing, 2 bad usage or configuration, 3 the run is
broken, 75 no channel took the message (it is on stdout), 111 another run holds the lock,
124 the deadline ended it, 143/130 ended by SIGTERM/SIGINT
"""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # None when cron's job has closed it
            stream.reconfigure(errors="backslashreplace")  # an ASCII locale must cost no message
    if arguments is None:  # whoever calls us may ignore it, and no child's end could be learnt
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    given = sys.argv[1:] if arguments is None else arguments
    options = parser(given[0] if given else "").parse_args(given)
    options.alone = arguments is None
    command: Callable[[argparse.Namespace], int] = getattr(options, "command", _answer)
    try:
        if options.verbose:
            from yakei_shared.configuration import find_configuration

            found = options.config or find_configuration(Path.cwd()) or "none"
            print(f"yakei: configuration {found}", file=sys.stderr)
        with terminating():
            code = command(options)
    except ConfigurationError as error:
        print(f"yakei: {error}", file=sys.stderr)
        code = ExitCode.USAGE
    except Terminated as ended:
        code = SIGNALLED + ended.signum
    except BrokenPipeError:  # the reader of our text has gone; there is nobody left to tell
        code = ExitCode.UNDELIVERED
    except Exception:  # noqa: BLE001 - a mistake of ours must not look like a failing check
        import traceback

        from yakei_shared.redaction import Redactor

        print(Redactor().redact(traceback.format_exc()), file=sys.stderr, end="")
        code = ExitCode.BROKEN
    _let_go_of_stdout()
    if options.alone:
        leave(code)
    sys.exit(code)


def _let_go_of_stdout() -> None:
    """Write what is still to be written; who cannot be told by stdout is told by stderr."""
    try:
        print(end="", flush=True)
    except OSError as error:
        # At its exit Python would try once more, and change the exit code.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if not isinstance(error, BrokenPipeError):  # `yakei status | head` is no mishap
            print(f"yakei: stdout cannot be written: {error.strerror}", file=sys.stderr)


def parser(command: str = "") -> argparse.ArgumentParser:
    """Return the parser of the whole command line; of `run`, which cron calls, of that alone."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("-c", "--config", type=Path, metavar="FILE", help="the configuration file")
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
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    _add_run(commands, common)
    if command != "run":
        for add in (_add_exec, _add_doctor, _add_init, add_commands):
            add(commands, common)
    return top


def _add_run(commands: Commands, common: argparse.ArgumentParser) -> None:
    run = commands.add_parser("run", parents=[common], help="one cycle: what cron calls")
    run.set_defaults(command=_run)
    run.add_argument("paths", nargs="*", metavar="PATH", help="default: [run] monitors")
    run.add_argument("-k", dest="keyword", default="", metavar="EXPRESSION", help="as in pytest")
    run.add_argument("-m", dest="markers", default="", metavar="MARKERS", help="as in pytest")
    run.add_argument("--all", action="store_true", help="also what is not due yet (`every`)")
    _add_wrapping(run)
    run.add_argument("--on-busy", choices=["alert", "skip", "wait"], default="alert")
    run.add_argument("--no-notify", action="store_true", help="the message goes to stdout only")
    run.add_argument("-p", "--print-always", action="store_true", help="print also when all passed")


def _add_exec(commands: Commands, common: argparse.ArgumentParser) -> None:
    text = "the same silence, lock, deadline and notifications around any command"
    run = commands.add_parser("exec", parents=[common], help=text)
    run.set_defaults(command=_exec)
    _add_wrapping(run)
    run.add_argument("--on-busy", choices=["alert", "skip", "wait"], default="alert")
    run.add_argument("--timestamp", nargs="?", const="iso", choices=["iso", "ctime"])
    run.add_argument("argv", nargs="+", metavar="CMD", help="after --, with its arguments")


def _add_wrapping(run: argparse.ArgumentParser) -> None:
    run.add_argument("--lock", type=Path, metavar="F", help="one run at a time; setlock's file")
    run.add_argument("--deadline", type=_duration, metavar="D", help="for the whole: 90s, 4m")
    run.add_argument("--log", type=Path, metavar="F", help="append what was run and what it said")


def _add_doctor(commands: Commands, common: argparse.ArgumentParser) -> None:
    text = "check the configuration, every secret, resource and channel"
    doctor = commands.add_parser("doctor", parents=[common], help=text)
    doctor.set_defaults(command=_doctor)
    doctor.add_argument("--send", action="store_true", help="really send a test message")
    doctor.add_argument("--routes", action="store_true", help="say who would hear of each check")


def _add_init(commands: Commands, common: argparse.ArgumentParser) -> None:
    text = "write a starter yakei.toml and chosen checks into this repository"
    init = commands.add_parser("init", parents=[common], help=text)
    init.set_defaults(command=_init)
    init.add_argument("checks", nargs="*", metavar="CHECK", help="such as queues; default: all")


def _duration(text: str) -> timedelta:
    from yakei_shared.durations import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _run(options: argparse.Namespace) -> int:
    with ExitStack() as stack:
        spare = None
        if options.alone:
            gc.disable()  # a cycle is short, and what it leaves ends with it
            import_module("yakei_shared.configuration")  # both sides need it: once is enough
            from yakei.execution.copied import Spare, import_pytest

            # Before the rest: pytest is imported there while we read what there is to do.
            spare = stack.enter_context(closing(Spare(import_pytest)))
        from yakei.cycle import run_cycle

        result = run_cycle(_request(options, stack, spare))
    return _tell(result.exit_code, result.text, result.complaint)


def _request(options: argparse.Namespace, stack: ExitStack, spare: Spare | None) -> Request:
    """Return what is asked of the cycle; what it shows on a terminal is closed with the stack."""
    from yakei.request import Request

    on_terminal = sys.stdout is not None and sys.stdout.isatty() and not options.quiet
    watch = None
    if on_terminal:
        from yakei.progress import on_terminal as shown_on  # most runs are cron's

        watch = stack.enter_context(closing(shown_on(sys.stdout, os.environ, print)))
    return Request(
        config=options.config,
        paths=tuple(options.paths),
        keyword=options.keyword,
        markers=options.markers,
        all=options.all,
        lock=options.lock,
        deadline=options.deadline,
        on_busy=options.on_busy,
        notify=not options.no_notify,
        print_always=options.print_always or on_terminal,
        log=options.log,
        spare=spare,
        watch=watch,
    )


def _exec(options: argparse.Namespace) -> int:
    from yakei.runlog import Stamp
    from yakei.wrapping import ExecRequest, run_wrapped

    result = run_wrapped(
        ExecRequest(
            command=options.argv,
            config=options.config,
            lock=options.lock,
            on_busy=options.on_busy,
            deadline=options.deadline,
            log=options.log,
            stamp=Stamp(options.timestamp or "none"),
        )
    )
    return _tell(result.exit_code, result.text, result.complaint)


def _doctor(options: argparse.Namespace) -> int:
    from yakei.doctor import examine
    from yakei.doctor.routes import examine_routes

    healthy = True
    findings: Iterable[Finding] = examine(options.config, send=options.send)
    if options.routes:
        hearers = examine_routes(options.config)
        print(*hearers.lines, sep="\n")
        findings = hearers.findings
    for finding in findings:
        healthy = healthy and finding.well
        if not (options.quiet and finding.well):
            print(finding)
    return ExitCode.WELL if healthy else ExitCode.FAILING


def _answer(options: argparse.Namespace) -> int:
    answer: Answer = options.answer
    result = answer(options)
    return _tell(result.exit_code, result.text, result.complaint)


def _init(options: argparse.Namespace) -> int:
    from yakei.starter import write_starter

    for line in write_starter(Path.cwd(), options.checks, config=options.config):
        print(line)
    return ExitCode.WELL


def _tell(code: int, text: str, complaint: str) -> int:
    if text:
        with suppress(OSError):  # said when stdout is let go of; the code is that of the run
            print(text, end="" if text.endswith("\n") else "\n")
    if complaint:
        print(f"yakei: {complaint}", file=sys.stderr)
    return code
