"""What the configuration says of loudness: `[alerts]`, and the `[[maintenance]]` windows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta, tzinfo

from yakei.incidents.policy import Maintenance
from yakei.incidents.windows import Window, parse_window
from yakei_shared.configuration import Configuration
from yakei_shared.errors import ConfigurationError
from yakei_shared.thresholds import Threshold, parse_threshold


@dataclass(frozen=True, kw_only=True)
class AlertSettings:
    """`[alerts]`: when an incident is told, and told again."""

    failure_threshold: int | str = 1
    """A number of runs in a row, or `3 of 5`."""
    recover_after: int = 1
    reminder_interval: timedelta = timedelta(hours=1)
    recovery: bool = False
    quiet_hours: str | tuple[str, ...] | None = None
    time_zone: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no run can reach, and hours and zones that are none."""
        for key in ("threshold", "quiet", "zone"):
            getattr(self, key)
        if self.recover_after < 1:
            raise ValueError("recover_after: expected at least 1 passing run")

    @property
    def threshold(self) -> Threshold:
        """How many runs have to fail before anybody is told."""
        try:
            return parse_threshold(self.failure_threshold)
        except ValueError as error:
            raise ValueError(f"failure_threshold: {error}") from None

    @property
    def quiet(self) -> tuple[Window, ...]:
        """The hours in which warnings wait."""
        return windows(self.quiet_hours, "quiet_hours") if self.quiet_hours is not None else ()

    @property
    def zone(self) -> tzinfo | None:
        """Where the people are; None is the zone of this host."""
        return zone_named(self.time_zone)


@dataclass(frozen=True, kw_only=True)
class MaintenanceSettings:
    """One of `[[maintenance]]`: hours that come again, in which what it names is quiet."""

    when: str | tuple[str, ...]
    reason: str
    check: str = "*"
    """A pattern of ids, labels and resources."""
    time_zone: str | None = None

    def __post_init__(self) -> None:
        """Refuse hours and zones that are none."""
        _ = self.maintenance

    @property
    def maintenance(self) -> Maintenance:
        """The windows, as the decision wants them."""
        return Maintenance(
            windows=windows(self.when, "when"),
            reason=self.reason,
            pattern=self.check,
            zone=zone_named(self.time_zone),
        )


def read_maintenance(configuration: Configuration) -> Iterable[Maintenance]:
    """Give the maintenance windows, in the file's order.

    Raises:
        ConfigurationError: one of them cannot be used.
    """
    tables = configuration.tables.get("maintenance", [])
    if not isinstance(tables, list):
        problem = "expected tables [[maintenance]]"
        raise ConfigurationError(configuration.path, "maintenance", problem)
    for number, table in enumerate(tables):
        settings = configuration.build(MaintenanceSettings, table, f"maintenance[{number}]")
        yield settings.maintenance


def windows(written: str | tuple[str, ...], key: str) -> tuple[Window, ...]:
    """Return the windows that one text or several name.

    Raises:
        ValueError: one of them is none, or there are none.
    """
    texts = (written,) if isinstance(written, str) else written
    if not texts:
        raise ValueError(f'{key}: expected hours such as "23:00-07:00", got none')
    try:
        return tuple(map(parse_window, texts))
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None


def zone_named(name: str | None) -> tzinfo | None:
    """Return a time zone by its name; None for none.

    Raises:
        ValueError: this machine knows no such zone.
    """
    if name is None:
        return None
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        import difflib  # only for a mistake

        near = difflib.get_close_matches(name, available_timezones(), n=1)
        advice = f"did you mean {near[0]}?" if near else 'expected a name such as "Europe/Berlin"'
        raise ValueError(f'time_zone: no zone "{name}"; {advice}') from None
