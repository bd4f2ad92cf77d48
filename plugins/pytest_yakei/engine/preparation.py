"""What the nursery prepares once, and what the process of each worker then does."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import NoReturn

import pytest

from pytest_yakei.engine import renewal, sockets
from pytest_yakei.engine.files import Files
from pytest_yakei.engine.keeper import keep
from pytest_yakei.engine.nursery import Prepared, in_child
from pytest_yakei.engine.offers import Offer, Offers
from pytest_yakei.engine.wire import Teller
from pytest_yakei.engine.worker import Worker
from pytest_yakei.records import worker_key

_MANY = 8
"""Workers for which a rehearsal pays: it takes 7 ms, and saves each 0.7 ms and 60 pages."""


def preparation(session: pytest.Session, count: int) -> Callable[[], Prepared]:
    """Return what the nursery does first: what all workers need, done once.

    Args:
        session: whose checks are run.
        count: how many workers there may be at once.
    """

    def prepare() -> Prepared:
        renewal.mute(session.config, session)
        worker = Worker(session)

        def work(descriptors: Sequence[int], facts: tuple[str, str, tuple[int, int]]) -> NoReturn:
            keepers, reports, offers, *rest = descriptors
            files = Files(*rest)
            name, folder, first = facts

            def run() -> None:
                session.config.stash[worker_key] = name
                renewal.renew(session.config, files, folder)
                worker.equip(Teller(sockets.opened(reports), files.draft), Offers(offers))
                worker.run(Offer(*first))

            keep(sockets.opened(keepers), lambda: in_child(run))

        def rehearse() -> None:
            if min(count, len(session.items)) >= _MANY:
                from pytest_yakei.engine.rehearsal import rehearse

                rehearse(worker)

        gc.freeze()  # what a child does not touch stays shared with us
        return Prepared(work, rehearse)

    return prepare
