"""A rehearsal: a check of nobody's goes through pytest once before the workers are forked.

What pytest, pluggy and Python make on first use is then made once, and shared by all workers.
Nobody else hears of it, and nothing of the session is other than before.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType

import pluggy
import pytest
from _pytest.fixtures import FuncFixtureInfo
from _pytest.main import FSHookProxy

from pytest_yakei.engine import renewal
from pytest_yakei.engine.brief import may_be_brief
from pytest_yakei.engine.files import Files
from pytest_yakei.engine.offers import Offers
from pytest_yakei.engine.wire import Teller, pair
from pytest_yakei.engine.worker import OwnTurn, Worker

_TIMES = 2
"""More save no more memory; CPython 3.11 specialises code that has run a few times."""
_CURRENT = "PYTEST_CURRENT_TEST"
_LAST = ("last_type", "last_value", "last_traceback", "last_exc")
"""What pytest sets in `os.environ` and in `sys` when it runs a check."""


class _Rehearsed(pytest.Function):
    """The check, which does nothing: no collector, fixture or mark belongs to it."""

    listeners: pluggy.HookRelay

    @property
    def ihook(self) -> pluggy.HookRelay:
        """Those plugins hear of it that are pytest's own, or the worker's."""
        return self.listeners


def rehearse(worker: Worker) -> None:
    """Run a check that does nothing as a worker does, if that can be kept to ourselves.

    Raises:
        RuntimeError: it has failed, and the session knows.
    """
    config, failed = worker.session.config, worker.session.testsfailed
    if not _is_private(config):
        return
    theirs, ours = pair()
    files = Files.create(capturing=renewal.capturing(config))
    renewal.capture_into(config, files)
    worker.equip(Teller(ours, files.draft), Offers())
    with theirs, ours, _unchanged():
        for _ in range(_TIMES):
            item = _item(worker)
            worker.turn = turn = OwnTurn(item, len(item.keywords), is_asked=True)
            item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
            worker.finish(turn)
    worker.offers.close()
    for descriptor in (files.words, files.draft):
        os.close(descriptor)
    if worker.session.testsfailed != failed:
        raise RuntimeError("a check that does nothing fails: the checks begin without a rehearsal")
    gc.freeze()  # what was made stays


def _item(worker: Worker) -> _Rehearsed:
    manager = worker.session.config.pluginmanager
    others = {each for each in manager.get_plugins() if not _is_ours(each, worker)}
    item: _Rehearsed = _Rehearsed.from_parent(
        worker.session,
        name="rehearsal",
        callobj=lambda: None,
        fixtureinfo=FuncFixtureInfo((), (), [], {}),
    )
    item.listeners = FSHookProxy(manager, others)  # type: ignore[assignment]  # as pytest does, too
    return item


def _is_ours(plugin: object, worker: Worker) -> bool:
    name = plugin.__name__ if isinstance(plugin, ModuleType) else type(plugin).__module__
    return plugin is worker.watch or name.partition(".")[0] == "_pytest"


def _is_private(config: pytest.Config) -> bool:
    """Return whether no plugin is told of all hooks that are called, or writes all reports."""
    untouched = pluggy.PluginManager("yakei")
    calls = config.pluginmanager._inner_hookexec  # noqa: SLF001 - add_hookcall_monitoring replaces it
    return calls is untouched._inner_hookexec and may_be_brief(config)  # noqa: SLF001 - see above


@contextmanager
def _unchanged() -> Iterator[None]:
    """Put back what pytest leaves changed in `os.environ` and `sys`."""
    current = os.environ.get(_CURRENT)
    last = {name: getattr(sys, name) for name in _LAST if hasattr(sys, name)}
    yield
    if current is not None:
        os.environ[_CURRENT] = current
    for name in _LAST:
        with suppress(AttributeError):
            delattr(sys, name)
    for name, value in last.items():
        setattr(sys, name, value)
