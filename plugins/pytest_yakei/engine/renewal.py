"""What a fork shares that a worker must have to itself: capture files, temporary folders, hooks."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # has no stubs; quicker than `signal`
import _thread
import faulthandler
import gc
import os
from pathlib import Path
from typing import Any

import pytest
from _pytest.capture import CaptureManager, MultiCapture

from pytest_yakei.engine.departure import DUMP_SIGNAL
from pytest_yakei.engine.files import Files

REPORTING = (
    "pytest_runtest_logstart",
    "pytest_runtest_logreport",
    "pytest_runtest_logfinish",
    "pytest_warning_recorded",
)
"""The hooks that other plugins hear in the parent, where each result is told once."""

_OTHER_SIGNALS = frozenset(_signal.valid_signals()) - {DUMP_SIGNAL}


def renew(config: pytest.Config, files: Files, folder: str) -> None:
    """Make this process, just forked, independent of its parent and of its siblings.

    Args:
        config: the session's.
        files: this worker's own.
        folder: where its temporary folders are to be; empty when no check asks for them.
    """
    os.dup2(files.words, 1)
    os.dup2(files.words, 2)
    _answer_dump_signal(files.words)
    capture_into(config, files)
    for stream in _streams(config):
        os.dup2(files.words, stream.targetfd_save, inheritable=False)
    if folder:
        _renew_temporary_folder(config, Path(folder))
    gc.enable()


def _answer_dump_signal(words: int) -> None:
    """Have faulthandler write where we are: when we crash, and when the parent asks.

    A check may block all signals, in its own thread; so a thread of no other use hears this one.
    """
    faulthandler.enable(words, all_threads=True)
    faulthandler.register(DUMP_SIGNAL, words, all_threads=True)
    before = _signal.pthread_sigmask(_signal.SIG_SETMASK, _OTHER_SIGNALS)
    never = _thread.allocate_lock()
    never.acquire()
    _thread.start_new_thread(never.acquire, ())  # not `threading`: no check shall see it
    _signal.pthread_sigmask(_signal.SIG_SETMASK, before)


def capture_into(config: pytest.Config, files: Files) -> None:
    """Capture into files of our own: the parent's have one read and write position for all.

    They take the numbers of the parent's, so that pytest's objects for these serve us as they are:
    what is made anew in each worker is paid for in each of them.
    """
    for stream, descriptor in zip(_streams(config), (files.out, files.err), strict=False):
        if descriptor is not None:
            os.dup2(descriptor, stream.tmpfile.fileno(), inheritable=False)
            os.close(descriptor)


def _streams(config: pytest.Config) -> tuple[Any, ...]:
    """Return pytest's own objects for standard output and error, if it captures into files."""
    manager: CaptureManager | None = config.pluginmanager.get_plugin("capturemanager")
    capture = getattr(manager, "_global_capturing", None)
    if not capturing(config) or not isinstance(capture, MultiCapture):
        return ()
    return capture.out, capture.err  # FDCaptures: see `capturing`


def capturing(config: pytest.Config) -> bool:
    """Return whether pytest captures into files, as it does unless told otherwise."""
    return bool(config.getoption("capture") == "fd")


def _renew_temporary_folder(config: pytest.Config, temporary: Path) -> None:
    """Give `tmp_path` a base of its own, below that of the session."""
    temporary.mkdir(mode=0o700, parents=True)  # a check may have removed those above it
    factory = config._tmp_path_factory  # type: ignore[attr-defined]  # noqa: SLF001 - has no setter
    if factory._basetemp is not None:  # noqa: SLF001 - see above
        factory._basetemp = temporary  # noqa: SLF001 - see above


def prepare_temporary_folder(config: pytest.Config, items: list[pytest.Item]) -> Path | None:
    """Make the session's base in the parent, if a check asks for it by name; return it."""
    asking = {"tmp_path", "tmp_path_factory", "tmpdir", "tmpdir_factory", "pytester"}
    factory = getattr(config, "_tmp_path_factory", None)
    if factory and any(asking.intersection(getattr(i, "fixturenames", ())) for i in items):
        base: Path = factory.getbasetemp()
        return base
    return None


def mute(config: pytest.Config, session: pytest.Session) -> None:
    """Take the reporting hooks from every plugin but the session, which counts failures."""
    for name in REPORTING:
        hook = getattr(config.hook, name)
        for plugin in {impl.plugin for impl in hook.get_hookimpls()} - {session}:
            hook._remove_plugin(plugin)  # noqa: SLF001 - unregistering would take its fixtures too
