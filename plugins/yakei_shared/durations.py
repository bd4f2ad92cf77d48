"""Durations as people write and read them: `90s`, `1h30m` in a file, `6 min 40 s` in a message."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_WRITTEN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")
_READ = (("d", 86400), ("h", 3600), ("min", 60))


def parse_duration(text: str) -> timedelta:
    """Return the duration that a text such as `90s`, `5m`, `1h30m` or `7d` names.

    Raises:
        ValueError: the text is no duration; a bare number has no unit and is none either.
    """
    match = _WRITTEN.fullmatch(text.strip())
    if not text.strip() or not match:
        raise ValueError(f'expected a duration such as "90s", "5m", "1h30m" or "7d", got "{text}"')
    amounts = zip(_UNITS.values(), match.groups(default="0"), strict=True)
    try:
        return timedelta(seconds=sum(size * float(amount) for size, amount in amounts))
    except OverflowError:
        raise ValueError(f'expected a duration of a human scale, got "{text}"') from None


def format_duration(duration: timedelta | float) -> str:
    """Return a duration in its two largest units: `3 d 2 h`, `6 min 40 s`, `0.5 s`.

    Args:
        duration: a timedelta, or seconds.
    """
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
    if seconds < 0:
        return f"-{format_duration(-seconds)}"
    if seconds < 10:  # noqa: PLR2004 - below ten seconds a tenth still tells something
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    rest, parts = round(seconds), []
    for unit, size in _READ:
        amount, rest = divmod(rest, size)
        parts.append((amount, unit))
    parts.append((rest, "s"))
    first = next(i for i, (amount, _) in enumerate(parts) if amount)
    return " ".join(f"{amount} {unit}" for amount, unit in parts[first : first + 2] if amount)
