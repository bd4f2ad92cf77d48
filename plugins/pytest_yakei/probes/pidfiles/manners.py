"""What the programs that we know do with a pid file that is not theirs."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_yakei.probes.pidfiles.settings import Settings

_APACHE = frozenset({"httpd", "apache2"})
_POSTGRES = frozenset({"postgres", "postmaster"})


@dataclass(frozen=True, kw_only=True)
class Manners:
    """How one program starts, stops and trusts its pid file.

    Attributes:
        start: the command that starts it.
        refusal: what a start does when the file names a live process.
        illegible: what a start does when the file names none.
        signals: the commands that signal whom the file names, as a subject has room for them.
        forbidden: the same commands in full.
        unrecorded: what follows when it runs and the file does not name it.
        repair: the command, `{pid}` in it, that makes the file right while it runs, or "".
        is_known: whether all this is known, or supposed.
    """

    start: str
    refusal: str
    illegible: str
    signals: str
    forbidden: str
    unrecorded: str
    repair: str
    is_known: bool = True


def manners_of(settings: Settings, name: str) -> Manners:
    """Return the manners of a service's program; a configured start command replaces its own.

    Apache's are those of `ap_signal_server`, PostgreSQL's those of `CreateLockFile` and
    `RecheckDataDirLockFile`, each seen with the real program.
    """
    program = settings.program_name
    if program in _APACHE:
        return _apache(settings, settings.start or f"{program} -k start")
    if program in _POSTGRES:
        own = f"pg_ctl -D {settings.working_directory or 'DATA_DIRECTORY'} start"
        return _postgres(settings.start or own)
    return _other(settings, program or name)


def _apache(settings: Settings, start: str) -> Manners:
    program = settings.program_name
    return Manners(
        start=start,
        refusal=f'"{program} -k start" would print "already running", exit 0 and start nothing.',
        illegible=f'"{program} -k start" would end with AH00058 and exit 1.',
        signals="graceful/stop",
        forbidden=f"{program} -k stop, restart or graceful",
        unrecorded="graceful and stop do not reach it, nor does the reload of a log rotation.",
        repair=f"echo {{pid}} > {settings.path}",
    )


def _postgres(start: str) -> Manners:
    return Manners(
        start=start,
        refusal='PostgreSQL would end with: lock file "postmaster.pid" already exists. '
        '"pg_ctl status" says "server is running": that is not so.',
        illegible='PostgreSQL would end with: lock file "postmaster.pid" is empty, or: bogus data.',
        signals="reload/stop",
        forbidden="pg_ctl stop, restart or reload",
        unrecorded="PostgreSQL reads this file every minute and shuts down at once "
        "when it no longer finds itself there.",
        repair="",
    )


def _other(settings: Settings, program: str) -> Manners:
    return Manners(
        start=settings.start or f"start {program}",
        refusal="A start that asks only whether the pid is alive would refuse.",
        illegible="A start that reads the file may refuse.",
        signals="reload/stop",
        forbidden=f"stop, restart or reload {program}",
        unrecorded="Stop, reload and log rotation go by this file and miss it.",
        repair=f"echo {{pid}} > {settings.path}",
        is_known=False,
    )
