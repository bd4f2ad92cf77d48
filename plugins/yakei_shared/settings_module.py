"""Imports settings that are a Python module, and lets its code do no more than that."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from yakei_shared.errors import ConfigurationError

_LONGEST_IMPORT = 30.0
"""Seconds that the module of the settings may take to be imported, with all that it imports."""


def import_settings(dotted: str, base: Path, asked_by: str) -> object:
    """Import `shop.settings`, or take the object `shop.config.production` out of its module.

    Args:
        dotted: the module's name, with the object's after a dot or a colon.
        base: the folder that is put first into `sys.path`.
        asked_by: the configuration file, for the text of an error.

    Raises:
        ConfigurationError: there is none, or importing it raises, exits, or does not end.
    """
    if str(base) not in sys.path:
        sys.path.insert(0, str(base))
    module, _, attributes = dotted.partition(":")
    while True:
        try:
            with _contained():
                found: object = importlib.import_module(module)
            break
        except ModuleNotFoundError as error:
            known, _, last = module.rpartition(".")
            if error.name is None or not f"{module}.".startswith(f"{error.name}.") or not known:
                problem = f"cannot import {dotted}: {error} (looked in {base} and sys.path)"
                raise ConfigurationError(asked_by, "app.config", problem) from error
            module, attributes = known, f"{last}.{attributes}".strip(".")
        except (Exception, SystemExit) as error:  # the application's code may raise anything
            problem = f"importing {module} raised {type(error).__name__}: {error}"
            raise ConfigurationError(asked_by, "app.config", problem) from error
    for name in filter(None, attributes.split(".")):
        if not hasattr(found, name):
            problem = f"cannot find {dotted}: {module} has no {attributes}"
            raise ConfigurationError(asked_by, "app.config", problem)
        found = getattr(found, name)
    return found


@contextmanager
def _contained() -> Iterator[None]:
    """Let the application's code neither end this process nor hold it for ever.

    A run that ends with 0 because its settings did so would be silent, and nothing judged.
    """
    us, leave = os.getpid(), os._exit

    def refuse(status: int) -> NoReturn:
        if os.getpid() != us:  # a child that the settings have forked
            leave(status)
        raise SystemExit(status)

    def give_up(_: int, __: object) -> NoReturn:
        raise TimeoutError(f"it had not ended after {_LONGEST_IMPORT:g} s")

    # A timer that runs already is a check's timeout, which does the same.
    is_ours = not signal.getitimer(signal.ITIMER_REAL)[0]
    is_ours = is_ours and threading.current_thread() is threading.main_thread()
    os._exit = refuse
    if is_ours:
        before = signal.signal(signal.SIGALRM, give_up)
        signal.setitimer(signal.ITIMER_REAL, _LONGEST_IMPORT)
    try:
        yield
    finally:
        os._exit = leave
        if is_ours:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
