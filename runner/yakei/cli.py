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

from yakei.arguments import parser
from yakei.commands import Answer
from yakei.execution.leaving import Terminated, leave, terminating
from yakei.exit_codes import ExitCode
from yakei_shared.errors import ConfigurationError

if TYPE_CHECKING:
    from yakei.doctor.finding import Finding
    from yakei.execution.copied import Spare
    from yakei.request import Request

SIGNALLED = 128
"""What a shell adds to the number of the signal that ended a command."""


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
    command = _COMMANDS.get(getattr(options, "command", ""), _answer)
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

        watch = stack.enter_context(closing(shown_on(sys.stdout, os.environ)))
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


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": _run,
    "exec": _exec,
    "doctor": _doctor,
    "init": _init,
}
"""The others ask or say something, and set `answer`: see `yakei.commands`."""
