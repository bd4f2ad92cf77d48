"""What a fork shares that a worker must have to itself: capture files, temporary folders, hooks."""

from __future__ import annotations

import _thread
import faulthandler
import gc
import os
import signal
from io import FileIO
from pathlib import Path
from typing import Any

import pytest
from _pytest.capture import CaptureManager, EncodedFile, MultiCapture, SysCapture

from pytest_yakei.engine.files import Files
from pytest_yakei.engine.keeper import DUMP_SIGNAL

REPORTING = (
    "pytest_runtest_logstart",
    "pytest_runtest_logreport",
    "pytest_runtest_logfinish",
    "pytest_warning_recorded",
)
"""The hooks that other plugins hear in the parent, where each result is told once."""


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
    _renew_capture(config, files)
    if folder:
        _renew_temporary_folder(config, Path(folder))
    gc.enable()


def _answer_dump_signal(words: int) -> None:
    """Have faulthandler write where we are: when we crash, and when the keeper asks.

    A check may block all signals, in its own thread; so a thread of no other use hears this one.
    """
    faulthandler.enable(words, all_threads=True)
    faulthandler.register(DUMP_SIGNAL, words, all_threads=True)
    others = signal.valid_signals() - {DUMP_SIGNAL}
    before = signal.pthread_sigmask(signal.SIG_SETMASK, others)
    never = _thread.allocate_lock()
    never.acquire()
    _thread.start_new_thread(never.acquire, ())  # not `threading`: no check shall see it
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _renew_capture(config: pytest.Config, files: Files) -> None:
    """Capture into files of our own: the parent's have one read and write position for all."""
    manager: CaptureManager | None = config.pluginmanager.get_plugin("capturemanager")
    capture = getattr(manager, "_global_capturing", None)
    if files.out is None or files.err is None or not isinstance(capture, MultiCapture):
        return
    streams: tuple[Any, Any] = (capture.out, capture.err)  # FDCaptures: see `capturing`
    for stream, descriptor in zip(streams, (files.out, files.err), strict=True):
        stream.tmpfile = EncodedFile(
            FileIO(descriptor, "rb+"),
            encoding="utf-8",
            errors="replace",
            newline="",
            write_through=True,
        )
        os.dup2(files.words, stream.targetfd_save, inheritable=False)
        stream.syscapture = _suspended(stream)


def _suspended(stream: Any) -> SysCapture:
    """Return a capture of the Python-level stream, as it is between two phases."""
    capture = SysCapture(stream.targetfd, stream.tmpfile)
    capture.start()
    capture.suspend()
    return capture


def capturing(config: pytest.Config) -> bool:
    """Return whether pytest captures into files, as it does unless told otherwise."""
    return bool(config.getoption("capture") == "fd")


def _renew_temporary_folder(config: pytest.Config, temporary: Path) -> None:
    """Give `tmp_path` a base of its own, below that of the session."""
    temporary.mkdir(mode=0o700)
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
