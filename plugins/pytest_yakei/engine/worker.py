"""A worker: runs one check after another, and reports each phase to the parent as it ends."""

from __future__ import annotations

import os
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from _pytest.subtests import failed_subtests_key

from pytest_yakei.descriptors import DescriptorLostError
from pytest_yakei.engine import leaving, linux, properties
from pytest_yakei.engine.changes import (
    Surroundings,
    closed_streams,
    end_processes,
    still_living,
)
from pytest_yakei.engine.exit_codes import LOST_WIRE, STRAY
from pytest_yakei.engine.offers import NONE, Offer, Offers
from pytest_yakei.engine.replay import identity_of
from pytest_yakei.engine.resources import needs_key
from pytest_yakei.engine.setup_state import AskingSetupState, suspended_timeout
from pytest_yakei.engine.watching import Watch
from pytest_yakei.engine.wire import Teller
from pytest_yakei.priority import lowered_key
from pytest_yakei.suite import suite_key

_NEWS = 0.01
"""Seconds; quick checks are told together, so often that nobody sees a difference."""


@dataclass
class OwnTurn:
    """One check's turn, as its own worker knows it; what the parent knows is `slot.Turn`."""

    item: pytest.Item
    keywords: int
    is_asked: bool = False
    following: Offer | None = None
    last: dict[str, Any] | None = None
    """The report of its teardown, told when nothing can change it any more."""


@dataclass
class Worker:
    """What the worker's process does; `run` ends it."""

    session: pytest.Session
    teller: Teller = field(init=False)
    offers: Offers = field(init=False)
    """Both are this process's own: see `equip`."""
    turn: OwnTurn | None = field(default=None, init=False)
    _pid: int = field(default=0, init=False)
    _at_start: Surroundings = field(init=False)

    def __post_init__(self) -> None:
        """Prepare what is the same in all workers: they are forked from here."""
        self._state = AskingSetupState(self._follower)
        self.session._setupstate = self._state  # noqa: SLF001 - see AskingSetupState
        self.watch = Watch(self)
        self.session.config.pluginmanager.register(self.watch, "yakei-worker")
        self._share_secrets()
        properties.send(self.session.config, self.note)

    def equip(self, teller: Teller, offers: Offers) -> None:
        """Take what is this process's own."""
        self.teller, self.offers = teller, offers
        self._pid = linux.own_pid()
        self._at_start = self.watch.before = Surroundings.now()

    def run(self, offer: Offer) -> None:
        """Run this check, and then each that the parent assigns, until it assigns none."""
        try:
            following: Offer | None = offer
            while following is not None:
                following = self._take_turn(following)
            self._leave()
        except DescriptorLostError:
            os._exit(LOST_WIRE)
        except (BrokenPipeError, ConnectionError):  # the parent is gone, or has given us up
            os._exit(0)

    def note(self, *message: Any) -> None:
        """Keep a message for the parent, who is not woken by each of them.

        A child that a check has forked, and that comes back from it, speaks for nobody: it would
        judge the check, and all that follow, in the name of its parent.
        """
        self._end_stray()
        self.teller.note(*message)

    def _is_stray(self) -> bool:
        """Whether this is not the worker, but a child that a check has forked."""
        return linux.own_pid() != self._pid

    def _end_stray(self) -> None:
        if self._is_stray():
            os._exit(STRAY)

    def _take_turn(self, offer: Offer) -> Offer | None:
        items = self.session.items
        item = items[offer.check]
        turn = self.turn = OwnTurn(item, len(item.keywords))
        nextitem = None if offer.hint == NONE else items[offer.hint]
        try:
            self.session.config.hook.pytest_runtest_protocol(item=item, nextitem=nextitem)
            if not turn.is_asked:  # another plugin has run the check in a way of its own
                self._follower()
        except (DescriptorLostError, ConnectionError):
            raise
        except pytest.exit.Exception as error:
            self._clear()
            self._give_up("exit", error.msg, error.returncode)
        except KeyboardInterrupt as error:
            self._clear()
            self._give_up("interrupt", str(error))
        except BaseException:  # noqa: BLE001 - whatever it is, only this check shall pay for it
            self._give_up("broken", traceback.format_exc())
        retires = self.finish(turn)
        return None if retires else turn.following

    def finish(self, turn: OwnTurn) -> bool:
        """Clean up, and tell that a turn is over; return whether this process is spoilt by it."""
        self._end_stray()
        retires = self._clean_up(turn)
        self._make_room(turn.following)
        follower = NONE if turn.following is None else turn.following.check
        subtests = self.session.config.stash.get(failed_subtests_key, None)
        failed = subtests[identity_of(turn.item)] if subtests else 0
        self.note("done", turn.last, failed, retires, follower, *self._session_ends())
        self.teller.send(after=_NEWS)
        self.turn = None
        return retires

    def _follower(self) -> pytest.Item | None:
        """Return the check that the parent assigns after this one; it is asked once.

        In a child that a plugin forks to run a check in, no other one follows.
        """
        turn = self.turn
        if turn is None or self._is_stray():
            return None
        if not turn.is_asked:
            turn.is_asked = True
            if any(self._session_ends()):
                return None
            offer = self.offers.claim(wait=False)
            if offer is None:
                self._tell("next")
                with suspended_timeout():
                    offer = self.offers.claim(wait=True)
            turn.following = None if offer is None or offer.check == NONE else offer
        return None if turn.following is None else self.session.items[turn.following.check]

    def _clean_up(self, turn: OwnTurn) -> bool:
        """End and name what the check has left; return whether this process is spoilt by it."""
        at_call, closed = self.watch.at_call, closed_streams(self.session.config)
        now = Surroundings.now()
        # Of one that was skipped, or whose setup failed, only the processes count: what else is
        # new may be due to a fixture that others use.
        processes = now.processes_since(at_call or self.watch.before)
        at_call = at_call or now
        changed = [*now.changed_since(at_call, self._at_start), *closed]
        threads = now.threads_since(at_call)
        if processes:
            end_processes(set(processes))
            self.note("left", list(processes.items()), [])
        if changed:
            self.note("changed", changed)
        is_lowered = self.session.config.stash.get(lowered_key, False)
        retires = bool(changed or threads or is_lowered)
        if retires:
            self._take_down_rest(turn)
        # An event loop of a wider scope ends its threads with itself.
        if living := still_living(threads):
            self.note("left", [], [each.name for each in living])
        self.watch.before = now
        return retires

    def _make_room(self, following: Offer | None) -> None:
        """End the connections that the next check does not need, and others may."""
        config = self.session.config
        needs = config.stash.get(needs_key, None)
        if needs is not None and following is not None:
            with suppress(OSError):  # it has closed our descriptors: the wire finds that out, too
                config.stash[suite_key].connections.make_room(needs.databases(following.check))

    def _take_down_rest(self, turn: OwnTurn) -> None:
        """Take down what other checks might have used; an error of it is this check's."""
        call = pytest.CallInfo.from_call(self._state.clear, when="teardown", reraise=None)
        if call.excinfo is None:
            return
        hook = turn.item.ihook
        with suppress(AttributeError):  # pytest-json-report's, which is there during a turn only
            turn.item._json_report_extra = {"teardown": {}}  # type: ignore[attr-defined]  # noqa: SLF001 - as the plugin itself does
        report = hook.pytest_runtest_makereport(item=turn.item, call=call)
        if turn.last is None or turn.last["outcome"] == "passed":
            turn.last = None  # one that is worse takes its place
            self.watch.pytest_runtest_logreport(report)

    def _share_secrets(self) -> None:
        """Tell the parent each secret we meet: it may have to show what we wrote last."""
        suite = self.session.config.stash.get(suite_key, None)
        if suite is None:
            return
        learn = suite.redactor.learn

        def learn_and_tell(secret: object) -> None:
            learn(secret)
            self.note("secret", str(secret))

        suite.redactor.learn = learn_and_tell  # type: ignore[method-assign]  # of this process only

    def _clear(self) -> None:
        """Take everything down, as pytest does at the end of a session that was cut short."""
        self._end_stray()
        with suppress(BaseException):  # pytest, too, reports the first reason only
            self._state.clear()

    def _session_ends(self) -> tuple[str, str]:
        """Return why a check, or a plugin, wants the session to fail or to stop."""
        fail, stop = self.session.shouldfail, self.session.shouldstop
        return (str(fail) if fail else "", str(stop) if stop else "")

    def _tell(self, *message: Any) -> None:
        """Send the parent a message, after all that was noted for it."""
        self.note(*message)
        self.teller.send()

    def _give_up(self, *message: Any) -> None:
        """Tell the parent why this process cannot go on, and end it."""
        self._tell(*message)
        leaving.save_coverage()
        os._exit(0)

    def _leave(self) -> None:
        leaving.close_all(self.session.config)
        self.teller.send()
        os._exit(0)
