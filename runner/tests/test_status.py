"""`yakei status` says what the last runs have left: failing, known, waiting, or nothing."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from operators import FRESH, LATE, Operator, a_bad_night, ago, happened, name_of, news
from repository import FAILING, PASSING, Repository
from spoken import SILENCE
from stored import record
from suites import BACKUP, QUEUE, WARNED, blocked, depth, failed, passed, run, warned

from yakei.incidents.remembered import Acknowledgement
from yakei.results import KnownIssue
from yakei.store import Store
from yakei.store.speaking import add_acknowledgement, add_silence

CLOCK = r"(?:[\d-]{10} )?\d\d:\d\d"


def lines(operator: Operator) -> list[str]:
    """Return the lines of `yakei status`, which must succeed."""
    ran = operator("status", COLUMNS="120")
    assert (ran.code, ran.stderr) == (0, "")
    return ran.stdout.splitlines()


def seen(operator: Operator) -> dict[str, object]:
    """Return the document of `yakei status --json`."""
    found: dict[str, object] = json.loads(operator("status", "--json").stdout)
    return found


def test_before_the_first_run_nothing_is_known_and_nothing_is_made(
    repository: Repository, operator: Operator
) -> None:
    assert lines(operator) == ["there has been no complete run yet"]
    assert not repository.state.exists()


def test_nothing_is_failing(repository: Repository, operator: Operator) -> None:
    happened(repository, (ago(minutes=2), run(passed(), FRESH)))
    said = lines(operator)

    assert said[0] == "nothing is failing"
    assert re.fullmatch(
        rf"last complete run {CLOCK} \+0000, 2 min ago: 2 checks, all passed", said[1]
    )


def test_a_failing_check_is_told_with_all_that_is_known_of_it(
    repository: Repository, operator: Operator
) -> None:
    a_bad_night(repository)
    said = lines(operator)

    assert said[0] == "[CRIT] backup export: newest backup is 26 h old (limit 13 h)"
    since = rf"{CLOCK} \+0000 \(2 h\), 3 runs"
    assert re.fullmatch(rf"       {name_of(repository, BACKUP)}, since {since}", said[1])
    assert re.fullmatch(rf"       told email {CLOCK}, {CLOCK}, {CLOCK}", said[2])
    assert "worst 2210 at" in said[4]


def test_the_worst_comes_first(repository: Repository, operator: Operator) -> None:
    happened(repository, (ago(hours=2), WARNED), (ago(hours=1), run(warned(), LATE)))

    assert [each[:6] for each in lines(operator) if each[0] == "["] == ["[CRIT]", "[WARN]"]


def test_a_known_issue_is_said_to_be_one(repository: Repository, operator: Operator) -> None:
    issue = KnownIssue(reference="SHOP-12", until="2099-12-31")
    happened(repository, (ago(hours=1), run(failed(known_issue=issue))))

    assert "       known issue: nobody is told" in lines(operator)


def test_a_resource_names_no_check_that_it_blocks_as_failing(
    repository: Repository, operator: Operator
) -> None:
    happened(repository, (ago(hours=1), run(blocked(), blocked(BACKUP))))

    assert lines(operator)[0].startswith("[CRIT] database main: connection refused at db01:5432; 2")


def test_what_was_mended_is_gone(repository: Repository, operator: Operator) -> None:
    happened(repository, (ago(hours=2), run(depth(1396))), (ago(hours=1), run(depth(10))))

    assert lines(operator)[0] == "nothing is failing"


def test_silences_in_force_are_said_with_the_incident_and_by_themselves(
    repository: Repository, operator: Operator
) -> None:
    a_bad_night(repository)
    over = replace(SILENCE, until=ago(minutes=1))
    for each in (over, replace(SILENCE, until=ago(days=-2))):
        add_silence(repository.state, each)
    said = lines(operator)

    until = rf"until {CLOCK} \+0000 by ops: moving srv01"
    assert re.fullmatch(rf"       silenced {until}", said[2])
    assert re.fullmatch(
        rf"  2  monitors/test_backups.py\* {until}", said[said.index("silences:") + 1]
    )
    assert "  1  " not in "\n".join(said)


def test_who_acknowledged_is_said(repository: Repository, operator: Operator) -> None:
    a_bad_night(repository)
    name = name_of(repository, BACKUP)
    said = Acknowledgement(incident=name, reason="on it", by="dba", at=ago(minutes=5))
    add_acknowledgement(repository.state, said)

    assert re.fullmatch(rf"       acknowledged by dba {CLOCK}: on it", lines(operator)[2])


def test_what_waits_is_said_with_its_channel_and_error(
    repository: Repository, operator: Operator
) -> None:
    with Store.open(repository.state) as store:
        record(store, run(LATE), ("slack", news(BACKUP, ago(hours=1))), at=ago(hours=1))
        store.mark_failed([store.pending("slack")[0].id], "Slack answered 503")
    said = lines(operator)

    assert re.fullmatch(
        rf"       slack waits since {CLOCK}, 1 attempt: Slack answered 503", said[2]
    )
    late = rf"  slack  1 message since {CLOCK} \(60 min\): Slack answered 503"
    assert re.fullmatch(late, said[said.index("waiting:") + 1])


def test_it_fits_a_terminal_and_cuts_nothing(repository: Repository, operator: Operator) -> None:
    long = failed(fact=" ".join(["a fact that goes on"] * 20), label="queue analyze_page")
    happened(repository, (ago(hours=1), run(long)))
    ran = operator("status", COLUMNS="60")

    assert max(map(len, ran.stdout.splitlines())) <= 60
    assert ran.stdout.count("goes") == 20


def test_terminal_escapes_in_what_checks_say_are_neutralised(
    repository: Repository, operator: Operator
) -> None:
    nasty = failed(fact="\x1b]0;owned\x07\x1b[31mred\r\nnext", label="\x1b[2Jqueue")
    happened(repository, (ago(hours=1), run(nasty)))

    assert lines(operator)[0] == "[CRIT] queue: red next"


def test_programs_read_a_document_of_a_version(repository: Repository, operator: Operator) -> None:
    a_bad_night(repository)
    add_silence(repository.state, replace(SILENCE, until=ago(days=-2)))
    found = seen(operator)

    assert found["version"] == 1
    assert {*found} == {
        *("version", "at", "failing", "silences", "waiting", "note"),
        *("last_complete", "last_run", "pace"),
    }
    failing = found["failing"]
    assert isinstance(failing, list)
    assert [each["key"] for each in failing] == [BACKUP, QUEUE]
    assert failing[0]["silence"]["reason"] == "moving srv01"
    assert [each["notifier"] for each in failing[1]["deliveries"]] == ["email"]


def test_before_the_first_run_there_is_a_document_too(operator: Operator) -> None:
    found = seen(operator)

    assert (found["failing"], found["last_complete"]) == ([], None)


def test_secrets_of_the_configuration_are_not_shown(
    repository: Repository, operator: Operator
) -> None:
    repository.configure('[databases]\nmain = "postgresql://app:S3cr3tPass@db/shop"\n')
    happened(
        repository, (ago(hours=1), run(failed(fact="no answer: postgresql://a:S3cr3tPass@db")))
    )

    for arguments in ((), ("--json",)):
        assert "S3cr3tPass" not in operator("status", *arguments).stdout


def test_a_damaged_state_is_said_and_left_for_the_next_run(
    repository: Repository, operator: Operator
) -> None:
    happened(repository, (ago(hours=1), run(passed())))
    (repository.state / "state.sqlite3").write_text("rubbish" * 1000)
    ran = operator("status")

    assert (ran.code, ran.stdout) == (2, "")
    assert "; the next run sets it aside, and begins a new one" in ran.stderr
    assert not list(repository.state.glob("*.corrupt"))


def test_without_a_configuration_it_says_how_to_get_one(
    repository: Repository, operator: Operator
) -> None:
    (repository.folder / "yakei.toml").unlink()
    ran = operator("status")

    assert (ran.code, ran.stdout) == (2, "")
    assert "no yakei.toml from here upwards; `yakei init` writes one" in ran.stderr


@pytest.mark.slow
def test_it_says_what_a_real_run_has_left(repository: Repository) -> None:
    repository.check("crawler", FAILING)
    repository.check("index", PASSING)
    repository.run()
    ran = repository.call("status")

    assert ran.stdout.startswith(
        "[CRIT] crawler keeps up: waiting: 1396 rows (limit: below 1000)\n"
    )
    assert " ago: 2 checks: 1 failed, 1 passed\n" in ran.stdout


def test_how_long_it_took_and_what_took_longest_is_said(
    repository: Repository, operator: Operator
) -> None:
    slow = replace(passed("m.py::test_slow"), duration=1.0)
    quick = replace(passed("m.py::test_quick"), duration=0.1)
    happened(repository, (ago(hours=2), run(slow, quick)), (ago(hours=1), run(slow, quick)))

    took, *slowest = lines(operator)[-3:]

    assert re.fullmatch(r"it took \S+ m?s of 5 min \(\d+ %\); slowest:", took)
    assert slowest == [
        "       1 s  m.py::test_slow, usually 1 s",
        "     0.1 s  m.py::test_quick, usually 0.1 s",
    ]
