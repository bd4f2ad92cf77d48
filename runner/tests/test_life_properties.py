"""Whole lives with a real state file and channels that fail: who is to hear of what does."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from histories import CHANNELS, HISTORIES, ROUTES, Life, Moment, lives
from hypothesis import given, settings
from hypothesis import strategies as st

from yakei.delivery import deliver
from yakei.incidents.remembered import State
from yakei.message import Message, RunFacts, compose
from yakei.notifiers import DeliveryError
from yakei.routes import Routing
from yakei.store import Run, Store
from yakei.telling import heard_by

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]  # lives through thousands of runs

ROUTING = Routing(routes=ROUTES, notifiers=CHANNELS)
OUTAGES = st.lists(st.sets(st.sampled_from(CHANNELS)), max_size=30)
"""Which channels fail in each run; all work when the list has ended."""
MEMORY = "/dev/shm"
"""A disk would take longer to write each run than all the rest."""
SOME = settings(HISTORIES, max_examples=HISTORIES.max_examples // 2)
"""Each run of each life is written, delivered and read again."""


@dataclass
class Channel:
    """A notifier that fails while it is down."""

    name: str
    is_down: bool = False
    taken: list[Message] = field(default_factory=list)

    def notify(self, message: Message) -> None:
        """Take a message, or refuse it."""
        if self.is_down:
            raise DeliveryError("down")
        self.taken.append(message)

    def has_told_of(self, key: str, since: int) -> bool:
        """Return whether it has taken what this run, or a later one, has told of an incident."""
        return any(
            int(message.run_id) >= since and key in {item.key for item in message.items}
            for message in self.taken
        )


@dataclass
class Night:
    """The channels, the state, and how many runs have been written and told."""

    store: Store
    channels: dict[str, Channel]
    runs: int = 0

    def live(self, moment: Moment, down: set[str]) -> None:
        """Write a run and tell of it, while some of the channels are down."""
        for name, channel in self.channels.items():
            channel.is_down = name in down
        self.runs += 1
        run = Run(id=str(self.runs), started=moment.now, ended=moment.now)
        self.store.record(run, moment.decision, self._outbox(moment, run.id))
        self.deliver(moment)

    def deliver(self, moment: Moment, later: timedelta = timedelta()) -> None:
        """Deliver what waits."""
        deliver(self.store, [*self.channels.values()], moment.now + later)

    def _outbox(self, moment: Moment, run: str) -> Iterator[tuple[str, Message]]:
        facts = RunFacts(host="app01", run_id=run)
        for name in self.channels:
            heard = heard_by(name, moment.decision)
            message = compose(heard.notices, heard.report, facts, moment.now)
            if message:
                yield name, message


def nights(life: Life, outages: Sequence[set[str]], night: Night) -> Iterator[Moment]:
    """Live through a life, and yield each run after it was told."""
    for number, moment in enumerate(life.moments(routing=ROUTING)):
        night.live(moment, outages[number] if number < len(outages) else set())
        yield moment


@contextmanager
def beginning() -> Iterator[Night]:
    """Give a night with three channels and a state of its own."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder, Store.open(Path(folder)) as store:
        yield Night(store, {name: Channel(name) for name in CHANNELS})


@SOME
@given(lives, OUTAGES)
def test_what_is_due_is_heard_by_whom_it_is_for_once_their_channel_works(
    life: Life, outages: list[set[str]]
) -> None:
    """A later message about the same may stand for an earlier one that nobody has taken."""
    with beginning() as night:
        moments = [*nights(life, outages, night)]
        for channel in night.channels.values():
            channel.is_down = False
        for last in moments[-1:]:
            night.deliver(last, later=timedelta(hours=2))

        for run, moment in enumerate(moments, start=1):
            for notice in moment.decision.notices:
                for name in notice.to:
                    assert night.channels[name].has_told_of(notice.incident.key, run)


@SOME
@given(lives, OUTAGES)
def test_no_channel_takes_a_message_twice(life: Life, outages: list[set[str]]) -> None:
    with beginning() as night:
        for _ in nights(life, outages, night):
            for channel in night.channels.values():
                told = [(each.run_id, each.subject, each.body) for each in channel.taken]

                assert len(set(told)) == len(told)


@SOME
@given(lives)
def test_what_is_remembered_is_what_was_decided(life: Life) -> None:
    """All of it, but for what people say, which only they write."""
    with beginning() as night:
        for moment in nights(life, [], night):
            assert _of_runs(night.store.load()) == _of_runs(moment.decision.state)


def _of_runs(state: State) -> State:
    known = {key: replace(each, id="", acknowledged=None) for key, each in state.incidents.items()}
    return replace(state, silences=(), acknowledgements=(), incidents=known, last_failed={})
