"""The README's crontab line under the real cron: who hears what, and when nobody does."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from crond import Cron, running_cron
from receivers import MailServer, WebServer
from repository import READY_MADE, YAKEI, Repository, mail_table, slack_table, slack_texts, subjects
from servers.processes import wait_until

from yakei.store import Store

pytestmark = [pytest.mark.server, pytest.mark.slow]

CRONTAB = "*/5 * * * * cd {folder} && exec .venv/bin/yakei run"
QUEUE = """
[databases]
crawler = "sqlite:///crawler.sqlite3"

[queues.analyze_page]
database = "crawler"
table = "analyze_page"
max_depth = 1000
"""
SUBJECT = "[CRIT] app01 queue analyze_page: waiting: 1396 rows (limit: below 1000)"
FULL_QUEUE = """
create table analyze_page (id integer primary key);
with recursive row(id) as (select 1 union all select id + 1 from row where id < 1396)
insert into analyze_page select id from row;
"""


@pytest.fixture
def crawler(repository: Repository) -> Repository:
    """A repository with 1396 rows in a queue, and `yakei` installed in its `.venv`."""
    repository.configure(QUEUE)
    shutil.copy(READY_MADE / "test_queues.py", repository.monitors)
    repository.folder.joinpath(".venv").symlink_to(YAKEI.parents[1])
    sql(repository, FULL_QUEUE)
    return repository


@pytest.fixture
def cron(crawler: Repository, tmp_path: Path) -> Iterator[Cron]:
    """Cron with the README's line, its clock a hundred times as fast."""
    folder = tmp_path / "cron"
    folder.mkdir()
    with running_cron(folder, CRONTAB.format(folder=crawler.folder)) as running:
        yield running


def sql(repository: Repository, script: str) -> None:
    with closing(sqlite3.connect(repository.folder / "crawler.sqlite3")) as database:
        database.executescript(script)


def runs(repository: Repository) -> list[Path]:
    """Return the folders of the runs that there have been."""
    return sorted(repository.state.glob("runs/*"))


def is_well(repository: Repository) -> bool:
    with Store.open(repository.state) as store:
        return not store.load().incidents


def await_runs(repository: Repository, number: int) -> None:
    """Return when so many more runs have begun."""
    wanted = len(runs(repository)) + number
    wait_until(lambda: len(runs(repository)) >= wanted, f"{number} more runs by cron")


def test_the_line_is_the_readmes() -> None:
    readme = (READY_MADE.parent / "README.md").read_text()

    assert CRONTAB.format(folder="/srv/shop") in readme


def test_without_a_channel_cron_mails_it_once_and_nothing_after_the_mending(
    crawler: Repository, cron: Cron
) -> None:
    wait_until(lambda: cron.mails, "a mail by cron")
    await_runs(crawler, 2)
    sql(crawler, "delete from analyze_page")
    wait_until(lambda: is_well(crawler), "a run that finds it mended")
    await_runs(crawler, 2)

    (mail,) = cron.mails
    assert mail["Subject"].endswith("&& exec .venv/bin/yakei run (failed)")
    assert mail.get_content().startswith(f"{SUBJECT}\n\n")


def test_what_the_channels_took_is_not_mailed_by_cron(
    crawler: Repository, mail: MailServer, slack: WebServer, tmp_path: Path
) -> None:
    crawler.configure(QUEUE + mail_table(mail) + slack_table(slack))
    with running_cron(tmp_path, CRONTAB.format(folder=crawler.folder)) as cron:
        wait_until(lambda: mail.mails and slack.requests, "both messages")
        sql(crawler, "delete from analyze_page")
        wait_until(lambda: runs(crawler) and is_well(crawler), "a run that finds it mended")
        await_runs(crawler, 2)

    assert [each.strip() for each in subjects(mail)] == [SUBJECT]
    assert len(slack_texts(slack)) == 1
    assert SUBJECT in slack_texts(slack)[0]
    assert not cron.mails
