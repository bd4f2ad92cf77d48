"""What is remembered between runs, and that a state or log which cannot be used stops no run."""

from __future__ import annotations

import json
import sqlite3
import stat
import subprocess
from contextlib import closing

import pytest
from receivers import MailServer, WebServer, healthchecks_server
from repository import FAILING, PASSING, YAKEI, Repository, mail_table

pytestmark = pytest.mark.slow  # each starts whole runs

COUNTS = """
    def test_counts(memory):
        memory["runs"] = memory.get("runs", 0) + 1
        assert memory["runs"] < 3, f"run {memory['runs']}"
"""


def test_memory_is_kept_between_runs(repository: Repository) -> None:
    repository.check("counts", COUNTS)

    codes = [repository.run("--no-notify").code for _ in range(3)]

    assert codes == [0, 0, 1]


def test_memory_of_a_check_that_is_confirmed_counts_once(repository: Repository) -> None:
    repository.configure(run='confirm_after = "1s"')
    repository.check("counts", COUNTS.replace("< 3", "< 2"))

    told = [repository.run("--no-notify") for _ in range(2)]

    assert [each.code for each in told] == [0, 1]
    assert "run 2" in told[1].stdout


def test_plain_pytest_reads_the_memory_and_writes_nothing(repository: Repository) -> None:
    repository.check("counts", COUNTS)
    for _ in range(2):
        repository.run()
    before = repository.everything_kept()
    command = [str(YAKEI.with_name("pytest")), "-p", "no:cacheprovider", "monitors"]

    for _ in range(2):
        ended = subprocess.run(
            command, cwd=repository.folder, check=False, capture_output=True, text=True
        )

        assert "run 3" in ended.stdout
    assert repository.everything_kept() == before


def test_a_daily_check_is_not_run_again(repository: Repository) -> None:
    repository.check("index", PASSING)
    repository.check(
        "deep",
        """
        import pathlib
        import pytest

        @pytest.mark.every("1d")
        def test_deep():
            with pathlib.Path(__file__).with_name("runs").open("a") as file:
                file.write("x")
    """,
    )

    codes = [repository.run().code for _ in range(3)]

    assert codes == [0, 0, 0]
    assert (repository.monitors / "runs").read_text() == "x"


def test_a_daily_check_that_fails_goes_on_failing_between_its_runs(
    repository: Repository, mail: MailServer
) -> None:
    """It is not forgotten, though it is not due."""
    repository.configure(mail_table(mail))
    repository.check(
        "deep", 'import pytest\n\n@pytest.mark.every("1d")\ndef test_deep():\n    assert False'
    )
    repository.run()

    again = repository.run()
    status = repository.call("status")

    assert (again.stdout, len(mail.mails)) == ("", 1)
    assert "[CRIT] deep: assert False" in status.stdout


def test_a_part_of_the_suite_closes_nothing_and_misses_nobody(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail), alerts="recovery = true")
    repository.check("crawler", FAILING)
    repository.check("index", PASSING)
    repository.run()

    parts = [
        repository.run("-k", "index"),
        repository.run("-m", "not nothing", "monitors/test_index.py"),
        repository.run("monitors/test_index.py::test_index_is_fresh"),
    ]
    whole = repository.run()

    assert [each.code for each in parts] == [0, 0, 0]
    assert whole.code == 1
    assert len(mail.mails) == 1


def test_status_says_what_is_failing(repository: Repository) -> None:
    repository.check("crawler", FAILING)
    repository.run()

    status = repository.call("status")

    assert "[CRIT] crawler keeps up: waiting: 1396 rows" in status.stdout
    assert "last complete run" in status.stdout


def test_the_state_is_nobody_elses_to_read(repository: Repository) -> None:
    repository.check("crawler", FAILING)

    repository.run()

    folders = [repository.state, *(each for each in repository.state.rglob("*") if each.is_dir())]
    files = [each for each in repository.state.rglob("*") if each.is_file()]
    assert {stat.S_IMODE(each.stat().st_mode) for each in folders} == {0o700}
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}


def test_the_log_has_each_run_as_cronlog_wrote_it(repository: Repository, mail: MailServer) -> None:
    repository.configure(mail_table(mail), run='log = "run.log"')
    repository.check("crawler", FAILING.replace("1396", "212"))
    repository.run()
    repository.check("crawler", FAILING)

    repository.run()

    first, second = (repository.folder / "run.log").read_text().split("-" * 78 + "\n")[1:]
    assert first.startswith("app01 starting: yakei run\n")
    assert first.endswith("command exited with code:0\n")
    assert second.endswith("command exited with code:1\n")
    assert "1396 rows" not in first
    assert "212" not in mail.mails[0].text.partition("-----")[2]


def test_the_watcher_hears_the_begin_and_the_end(repository: Repository) -> None:
    repository.check("crawler", FAILING)
    with healthchecks_server() as watcher:
        repository.configure(heartbeat_table(watcher))

        ran = repository.run()

    paths = [request.path.partition("?")[0] for request in watcher.requests]
    assert paths == ["/ping/watched/start", f"/ping/watched/{ran.code}"]


def test_the_watcher_hears_of_the_end_after_the_state_is_saved(repository: Repository) -> None:
    repository.check("index", PASSING)
    remembered = []
    with healthchecks_server() as watcher:
        ask = watcher.reply_to

        def look(request: object) -> object:
            with closing(sqlite3.connect(repository.state / "state.sqlite3")) as connection:
                remembered.append(connection.execute("select count(*) from runs").fetchone()[0])
            return ask(request)

        watcher.reply_to = look
        repository.configure(heartbeat_table(watcher))

        repository.run()

    assert remembered == [0, 1]


def test_a_watcher_that_is_away_stops_nothing(repository: Repository, closed_port: int) -> None:
    repository.configure(
        f'[heartbeat]\nurl = "http://127.0.0.1:{closed_port}/ping/watched"', run='log = "run.log"'
    )
    repository.check("index", PASSING)

    ran = repository.run()

    assert (ran.code, ran.stdout, ran.stderr) == (0, "", "")
    assert "heartbeat failed" in (repository.folder / "run.log").read_text()


def test_a_part_of_the_suite_is_no_heartbeat(repository: Repository) -> None:
    repository.check("index", PASSING)
    with healthchecks_server() as watcher:
        repository.configure(heartbeat_table(watcher))

        repository.run("-k", "index")

    assert watcher.requests == []


def heartbeat_table(watcher: WebServer) -> str:
    return f'[heartbeat]\nurl = "{watcher.address}/ping/watched"\n'


def test_the_runs_own_files_are_thrown_away_in_time(repository: Repository) -> None:
    repository.check("index", PASSING)
    runs = repository.state / "runs"
    for number in range(30):
        (runs / f"20200101-0000{number:02}-1").mkdir(parents=True, mode=0o700)

    repository.run()

    kept = sorted(each.name for each in runs.iterdir())
    assert len(kept) == 20
    assert "20200101-000029-1" in kept


def test_the_journal_of_a_run_is_whole_json(repository: Repository) -> None:
    repository.check("crawler", FAILING)

    repository.run()

    (journal,) = repository.state.glob("runs/*/run.jsonl")
    events = [json.loads(line)["event"] for line in journal.read_text().splitlines()]
    kept = [each for each in events if each not in {"collecting", "canary"}]
    assert kept == ["session", "collected", "started", "finished", "end"]
    assert events.count("canary") == 1
