"""Says who would hear about each check, and which routes fit none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from yakei.doctor.finding import Finding, ill
from yakei.doctor.trial import CollectedCheck, try_checks
from yakei.nearness import nearest_name, nearest_pattern
from yakei.patterns import matches
from yakei.results import Severity
from yakei.routes import STDOUT, Route, Routing, Way
from yakei.settings import read_settings
from yakei.words import how_long
from yakei_shared.configuration import load_configuration, locate_configuration

_RUN = CollectedCheck(id="run:crash", owner=None, severity=Severity.CRITICAL, markers=())
"""Stands for what is wrong with the run itself."""
_NOBODY = "nobody but who reads cron's mail: no [notify.NAME]"


@dataclass(frozen=True, kw_only=True)
class Hearers:
    """Who would hear about what, and what is not well about the routes."""

    lines: tuple[str, ...]
    findings: tuple[Finding, ...]


def examine_routes(config: Path | None) -> Hearers:
    """Return who would hear about each check of the suite.

    Args:
        config: the configuration file; None looks for it from here upwards.

    Raises:
        ConfigurationError: there is no configuration that could be used.
    """
    settings = read_settings(load_configuration(locate_configuration(config)))
    trial = try_checks(settings)
    failures = [each for each in trial.findings if not each.well and each.what == "checks"]
    if trial.checks:
        failures += _unused(settings.routes, trial.checks)
    redact = settings.configuration.redactor.redact
    lines = (redact(line) for line in _lines(settings.routing, trial.checks))
    return Hearers(lines=tuple(lines), findings=tuple(failures))


def _lines(routing: Routing, checks: Sequence[CollectedCheck]) -> Iterator[str]:
    for check in checks:
        yield f"{check.id}  {f'owner {check.owner}' if check.owner else 'no owner'}"
        yield from _of(routing, check)
    yield "the run itself: crash, nothing collected, a check that vanished, …"
    yield from _of(routing, _RUN)


def _of(routing: Routing, check: CollectedCheck) -> Iterator[str]:
    critical, warning = (
        _said(
            routing.ways(
                owner=check.owner, severity=severity, check=check.id, markers=check.markers
            )
        )
        for severity in (Severity.CRITICAL, Severity.WARNING)
    )
    if check.severity is Severity.WARNING or critical == warning:
        word = "warning" if check.severity is Severity.WARNING else "always"
        yield f"  {word:<8}  {warning}"
        return
    yield f"  critical  {critical}"
    yield f"  warning   {warning}"


def _said(found: Iterable[Way]) -> str:
    parts = (
        f"after {how_long(each.after)} also {', '.join(each.notify)}"
        if each.after
        else ", ".join(each.notify).replace(STDOUT, _NOBODY)
        for each in found
    )
    return "; ".join(parts)


def _unused(routes: Iterable[Route], checks: Sequence[CollectedCheck]) -> Iterator[Finding]:
    """Yield what routes name and no check has: a slip of the pen, or a check that went."""
    owners = {each.owner for each in checks if each.owner}
    ids = [each.id for each in checks]
    markers = {marker for each in checks for marker in each.markers}
    for number, route in enumerate(routes, 1):
        what = f"route {number}"
        if route.owner and route.owner not in owners:
            yield ill(what, f"no check has owner {route.owner}{nearest_name(route.owner, owners)}")
        if route.check and not matches(route.check, ids):
            yield ill(what, f"no check matches {route.check}{nearest_pattern(route.check, ids)}")
        if route.marker and route.marker not in markers:
            near = nearest_name(route.marker, markers)
            yield ill(what, f"no check has marker {route.marker}{near}")
