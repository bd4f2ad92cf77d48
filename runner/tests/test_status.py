"""`yakei status` says what the last runs have left: failing, known, or nothing."""

from __future__ import annotations

import re

from repository import FAILING, PASSING, Repository

KNOWN = """
    import pytest

    @pytest.mark.known_issue("SHOP-12", until="2099-12-31")
    def test_import():
        assert False, "the import is slow"
"""
WARNED = """
    import pytest

    @pytest.mark.severity("warning")
    def test_disk():
        assert False, "8 % are free"
"""
CLOCK = r"\d\d:\d\d [+-]\d{4}"


def status(repository: Repository) -> list[str]:
    """Return the lines of `yakei status`, which must succeed."""
    ran = repository.call("status")
    assert (ran.code, ran.stderr) == (0, "")
    return ran.stdout.splitlines()


def test_before_the_first_run_nothing_is_known_and_nothing_is_made(
    repository: Repository,
) -> None:
    assert status(repository) == ["there has been no complete run yet"]
    assert not repository.state.exists()


def test_nothing_is_failing(repository: Repository) -> None:
    repository.check("index", PASSING)
    repository.run()
    said = status(repository)

    assert said[0] == "nothing is failing"
    assert re.fullmatch(rf"last complete run {CLOCK}, \S+ m?s ago: 1 check.*", said[1])


def test_a_failing_check_is_named_with_its_fact_and_since_when(repository: Repository) -> None:
    repository.check("crawler", FAILING)
    repository.run()
    repository.run()
    first, last = status(repository)

    assert re.fullmatch(
        rf"\[CRIT\] .*crawler.*: waiting: 1396 rows \(limit: below 1000\); since {CLOCK}, 2 runs",
        first,
    )
    assert "1 failed" in last


def test_the_worst_comes_first(repository: Repository) -> None:
    repository.check("a_disk", WARNED)
    repository.check("crawler", FAILING)
    repository.run()

    assert [line[:6] for line in status(repository)[:2]] == ["[CRIT]", "[WARN]"]


def test_a_known_issue_is_said_to_be_one(repository: Repository) -> None:
    repository.check("import", KNOWN)
    repository.run()
    (first, _) = status(repository)

    assert ": the import is slow (known issue); since " in first


def test_what_was_mended_is_gone(repository: Repository) -> None:
    repository.check("crawler", FAILING)
    repository.run()
    repository.check("crawler", PASSING.replace("index_is_fresh", "crawler_keeps_up"))
    repository.run()

    assert status(repository)[0] == "nothing is failing"


def test_a_state_that_had_to_be_rebuilt_is_said(repository: Repository) -> None:
    repository.check("index", PASSING)
    repository.run()
    (repository.state / "state.sqlite3").write_text("rubbish" * 1000)
    said = status(repository)

    assert said[0].startswith("state had to be rebuilt: ")
    assert said[1] == "there has been no complete run yet"


def test_without_a_configuration_it_says_how_to_get_one(repository: Repository) -> None:
    (repository.folder / "yakei.toml").unlink()
    ran = repository.call("status")

    assert (ran.code, ran.stdout) == (2, "")
    assert "no yakei.toml from here upwards; `yakei init` writes one" in ran.stderr
