"""Remembers also while the state cannot be written: elsewhere, until it can be again.

Otherwise every run on a full disk would tell what the run before has told, and what a channel did
not take would be lost.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from yakei.incidents import Decision
from yakei.incidents.remembered import State
from yakei.message import Message, Queued
from yakei.store import Run, Spoken, StateError, Store, makeshift
from yakei.store.retention import Retention

_NEVER = datetime.min.replace(tzinfo=UTC)
_LEAST = 1 << 16
"""Bytes that a run writes at the least, with SQLite's journal of them."""
_ROOM = 2
"""As much room as what stands in takes: SQLite keeps what it changes in a journal, too."""


class LastingStore:
    """A state folder's store, with another one that stands in for it.

    Every method raises StateError when neither can be used now.
    """

    def __init__(self, folder: Path, configuration: Path, retention: Retention) -> None:
        self._folder, self._configuration = folder, configuration
        self._own: Store | None = None
        self._standing_in: Store | None = None
        self._problem = ""
        """Why our own store cannot be used."""
        try:
            self._own = Store.open(folder, configuration=configuration, retention=retention)
        except StateError as error:
            self._problem = str(error)
        with suppress(StateError):
            place = makeshift.existing(folder)
            self._standing_in = Store.open(place, configuration=configuration) if place else None
        self._goes_on = False
        """Whether the runs before have gone on elsewhere."""
        self._foreseen = False
        """Whether the problem was there to see before this run was to be written, and so told."""
        self._used = self._own

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        for store in (self._own, self._standing_in):
            if store:
                store.close()

    @property
    def note(self) -> str:
        """What people are to be told about the state itself; empty when all is well.

        It says the same in each run in which the state cannot be written.
        """
        if self._problem:
            place = makeshift.existing(self._folder)
            kept = f"; what happens meanwhile is kept in {place}" if place else ""
            own = self._own.note if self._own and not self._foreseen else ""
            return "; ".join(filter(None, [own, self._problem + kept]))
        return self._own.note if self._own else ""

    def load(self) -> State:
        """Return what is remembered, wherever that was."""
        own, last = self._load_own(), self._load_elsewhere()
        self._goes_on = (last.last_run or _NEVER) > (own.last_run or _NEVER)
        if self._own:
            self._problem = self._look(self._own)
        self._foreseen = bool(self._problem)
        if self._problem:
            # Without our own, nothing at all can be remembered: that is told instead.
            with suppress(StateError) if self._own else nullcontext():
                self._stand_in()
        elif self._standing_in and self._goes_on:
            self._problem = self._standing_in.note
        if not self._goes_on:
            return own
        # People can speak only where it is read that they have: to the state's own file.
        return replace(last, silences=own.silences, acknowledgements=own.acknowledgements)

    def _load_own(self) -> State:
        try:
            return self._own.load() if self._own else State()
        except StateError as error:
            self._problem, self._own, self._used = str(error), None, None
            return State()

    def _load_elsewhere(self) -> State:
        try:
            return self._standing_in.load() if self._standing_in else State()
        except StateError:  # it is damaged, or not ours to read: what it knew is told again
            return State()

    def _look(self, own: Store) -> str:
        """Return why our own store cannot be written, as far as it can be known before."""
        try:
            size = max(_LEAST, _ROOM * makeshift.size(self._folder))
            # Whoever holds the lock now has the time of the run to let go, if it was free before.
            own.look_for_room(size, lock=self._goes_on)
        except StateError as error:
            return str(error)
        return ""

    @property
    def elsewhere(self) -> Path | None:
        """Where the runs before have gone on, if they have."""
        return makeshift.existing(self._folder) if self._goes_on else None

    def spoken(self) -> Spoken:
        """Return the silences and acknowledgements as they are now."""
        return self._own.spoken() if self._own else Spoken()

    def record(self, run: Run, decision: Decision, outbox: Iterable[tuple[str, Message]]) -> None:
        """Write a run and the messages that are due, all or nothing: elsewhere if need be."""
        messages = tuple(outbox)
        if self._own:
            try:
                outgoing = (*self._carried(), *messages)
                self._own.record(run, decision, outgoing, self.elsewhere)
            except StateError as error:
                self._problem = str(error)
            else:
                self._used = self._own
                self._come_back()
                return
        self._used = self._stand_in()
        self._used.record(run, decision, messages)
        self._used.remark("" if self._foreseen else self._problem)

    def pending(self, notifier: str, /) -> Sequence[Queued]:
        """Return what waits for a notifier, oldest first: id, message, created, past attempts."""
        return self._there.pending(notifier)

    def waited_for(self) -> Sequence[str]:
        """Return the names of the notifiers that anything waits for."""
        return self._there.waited_for()

    def mark_delivered(
        self, rows: Sequence[int], at: datetime, memory: Mapping[str, Any] | None = None, /
    ) -> None:
        """Keep that a notifier has taken messages, in one step with delivery's memory if given."""
        self._there.mark_delivered(rows, at, memory)

    def mark_failed(
        self, rows: Sequence[int], error: str, memory: Mapping[str, Any] | None = None, /
    ) -> None:
        """Keep that a notifier was tried in vain; the messages go on waiting."""
        self._there.mark_failed(rows, error, memory)

    def delivery_memory(self) -> Mapping[str, Any]:
        """Return the JSON document that delivery last kept, `{}` at first."""
        return self._there.delivery_memory()

    def keep_delivery_memory(self, memory: Mapping[str, Any], /) -> None:
        """Keep a small JSON document for the next run's delivery."""
        self._there.keep_delivery_memory(memory)

    @property
    def _there(self) -> Store:
        """Where the run was recorded."""
        return self._used or self._stand_in()

    def _carried(self) -> Sequence[tuple[str, Message]]:
        """Return what waits where the runs before have gone on."""
        with suppress(StateError):
            if self._standing_in and self._goes_on:
                return self._standing_in.undelivered()
        return ()

    def _stand_in(self) -> Store:
        if self._standing_in is None:
            for place in makeshift.places(self._folder):
                with suppress(StateError):  # as on a full one
                    self._standing_in = Store.open(place, configuration=self._configuration)
                    break
            else:
                raise StateError(self._problem)  # our own is what has to be mended
        return self._standing_in

    def _come_back(self) -> None:
        """Throw away what stood in: all that is in it is in our own state by now."""
        if self._standing_in:
            self._standing_in.close()
            place = makeshift.existing(self._folder)
            if place:
                shutil.rmtree(place, ignore_errors=True)
                with suppress(OSError):  # others of our states may be in it
                    place.parent.rmdir()
            self._standing_in = None
