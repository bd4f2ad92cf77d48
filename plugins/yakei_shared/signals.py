"""What a signal is called."""

from __future__ import annotations

import signal


def signal_name(number: int) -> str:
    """Return a signal's name, such as SIGSEGV; `signal 40` for one that has none."""
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
