"""Checks what a cycle would need, and says what to do; nothing is judged, nobody is told."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from yakei.doctor.finding import Finding, ill, mistake, well
from yakei.doctor.schedules import calls_yakei, crontab_line, sendmail
from yakei.doctor.trial import try_checks
from yakei.host import host_name
from yakei.lock import Busy, Lock, LockError
from yakei.message import Message
from yakei.notifiers import Notifier
from yakei.notifiers.attempts import try_once
from yakei.results import Severity
from yakei.settings import RunnerSettings, read_settings, usable_settings
from yakei.store import StateError, Store
from yakei_shared.configuration import Configuration, load_configuration, locate_configuration
from yakei_shared.errors import ConfigurationError

_ROOM = 1 << 20
"""Bytes that a state can be asked to take: more than any usual run writes."""


def examine(config: Path | None, *, send: bool) -> Iterator[Finding]:
    """Yield what was found, one thing after another.

    Args:
        config: the configuration file; None looks for it from here upwards.
        send: whether to send a test message through every channel.

    Raises:
        ConfigurationError: there is no configuration that could be read; or, after all the rest
            was looked at, it has mistakes.
    """
    configuration = load_configuration(locate_configuration(config))
    yield well("configuration", f"{configuration.path}")
    found = list(map(mistake, _runners_mistakes(configuration)))
    redact = configuration.redactor.redact
    yield from (replace(finding, text=redact(finding.text)) for finding in found)
    settings = usable_settings(configuration.path) if found else read_settings(configuration)
    known = {finding.what for finding in found}
    for finding in _all(settings, send=send):
        # What the runner and the plugin both read is said once.
        if finding.what not in known or not (finding.mistake or finding.text.startswith("from ")):
            yield replace(finding, text=settings.configuration.redactor.redact(finding.text))
            found.append(finding)
            known.add(finding.what)
    if mistakes := [finding.what for finding in found if finding.mistake]:
        problem = f"cannot be used as it is: {', '.join(dict.fromkeys(mistakes))}"
        raise ConfigurationError(configuration.path, "", redact(problem))


def _runners_mistakes(configuration: Configuration) -> Iterator[ConfigurationError]:
    """Yield the first mistake of each of the runner's tables, and of each notifier."""
    known: set[str] = set()
    for tables in (*_parts(configuration.tables), configuration.tables):
        part = Configuration(configuration.path, tables, redactor=configuration.redactor)
        try:
            read_settings(part)
        except ConfigurationError as error:
            # Routes name notifiers, so a part without one says nothing about them.
            if str(error) not in known and not (known and error.key.startswith("routes")):
                known.add(str(error))
                yield error


def _parts(tables: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    common = {"app": tables["app"]} if "app" in tables else {}
    for name in ("run", "alerts", "heartbeat"):
        if name in tables:
            yield {**common, name: tables[name]}
    notifiers = tables.get("notify")
    if isinstance(notifiers, Mapping):
        for name, table in notifiers.items():
            yield {**common, "notify": {name: table}}


def _all(settings: RunnerSettings, *, send: bool) -> Iterator[Finding]:
    for key, reference in sorted(settings.configuration.resolver.origins.items()):
        yield well(key, f"from {reference}")
    yield from try_checks(settings).findings
    yield from _state(settings)
    if settings.run.log:
        yield _log(settings.run.log)
    yield _schedule(settings)
    yield from (_channel(notifier, settings, send=send) for notifier in settings.notifiers)
    if not settings.notifiers:
        yield _last_resort()
    if settings.heartbeat:
        yield well("heartbeat", "configured; every whole run calls it")


def _state(settings: RunnerSettings) -> Iterator[Finding]:
    """Look at the state and its lock; make nothing that another user's run could not use."""
    folder = settings.run.state
    if not os.access(folder, os.F_OK):
        yield _can_be_made("state", folder)
        return
    owner = folder.stat().st_uid
    if owner != os.geteuid():
        names = f"{folder} belongs to {_user(owner)} and you are {_user(os.geteuid())}"
        yield ill("state", f"{names}: call `yakei doctor` as the user whose crontab calls Yakei")
        return
    yield _store(settings)
    yield _lock(folder / "lock")


def _can_be_made(what: str, path: Path) -> Finding:
    place = next(parent for parent in path.parents if os.access(parent, os.F_OK))
    if os.access(place, os.W_OK | os.X_OK):
        return well(what, f"{path} is not there yet; a run makes it")
    problem = f"{path} cannot be made: {_user(os.geteuid())} may not write to {place}"
    return ill(what, f"{problem}; make it for the user whose crontab calls Yakei")


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _store(settings: RunnerSettings) -> Finding:
    folder = settings.run.state
    try:
        with Store.open(folder, configuration=settings.configuration.path) as store:
            last = store.load().last_complete
            note = store.note
            store.look_for_room(_ROOM, lock=True)
    except StateError as error:
        return ill("state", str(error))
    if note:
        return ill("state", note)
    since = f"last complete run {last.at.astimezone():%Y-%m-%d %H:%M %z}" if last else "no run yet"
    return well("state", f"{folder}; {since}")


def _lock(path: Path) -> Finding:
    try:
        lock = Lock(path).acquire("alert")
    except LockError as error:
        return ill("lock", str(error))
    if isinstance(lock, Busy):
        return well("lock", lock.text)
    lock.release()
    return well("lock", f"{path} is free")


def _log(path: Path) -> Finding:
    if not path.parent.is_dir():
        return ill("log", f"{path} cannot be written: make the folder {path.parent}")
    place = path if path.exists() else path.parent
    if os.access(place, os.W_OK):
        return well("log", f"{path}")
    return ill("log", f"{path} cannot be written by {_user(os.geteuid())}")


def _schedule(settings: RunnerSettings) -> Finding:
    place = calls_yakei(settings.configuration.path)
    if place:
        return well("crontab", f"{place} calls yakei run")
    line = crontab_line(settings.configuration.path, settings.run.interval)
    return ill(
        "crontab",
        f"nothing calls yakei run for this configuration; put this into `crontab -e`:\n{line}",
    )


def _last_resort() -> Finding:
    if sendmail():
        return well("channels", "no [notify.NAME]: what `yakei run` prints is mailed by cron")
    problem = "no [notify.NAME], and no sendmail by which cron could mail: nobody would hear"
    return ill("channels", f"{problem}; configure [notify.email] or [notify.slack]")


def _obstacle(notifier: Notifier) -> str:
    """Return why a channel cannot work on this machine, without trying it."""
    from yakei.notifiers.email import Email

    if isinstance(notifier, Email) and notifier.settings.smtp is None and not sendmail():
        return "there is no sendmail on this machine; install one, or set smtp"
    return ""


def _channel(notifier: Notifier, settings: RunnerSettings, *, send: bool) -> Finding:
    what = f"channel {notifier.name}"
    if obstacle := _obstacle(notifier):
        return ill(what, obstacle)
    if not send:
        return well(what, "configured; `yakei doctor --send` sends a test message")
    host = host_name(settings.run)
    message = Message(
        subject=f"[TEST] {host} yakei: test message",
        body=f"This is a test: alerts from {host} arrive here.\nNothing is wrong.\n",
        severity=Severity.WARNING,
        run_id="test",
        created=datetime.now(UTC),
        host=host,
    )
    if error := try_once(notifier, message):
        return ill(what, f"the test message was not taken: {error}")
    return well(what, "took a test message")
