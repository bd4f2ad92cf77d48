"""What people do about an alert, and what they hear after it: whole runs, and real mail."""

from __future__ import annotations

import json

import pytest
from receivers import MailServer
from repository import FAILING, PASSING, Repository, mail_table, subjects

pytestmark = pytest.mark.slow  # each starts whole runs

EVERY_RUN = 'reminder_interval = "0s"\n'
RECOVERED = FAILING.replace("1396", "212")
TUNNEL = """
    import pytest

    def test_tunnel():
        assert not 'the tunnel is down'

    @pytest.mark.depends_on("test_tunnel")
    def test_replication():
        assert not 'no answer from db02'
"""


def failing(repository: Repository, mail: MailServer, alerts: str = EVERY_RUN) -> None:
    """Let a check fail, and people hear of it."""
    repository.configure(mail_table(mail), alerts=alerts)
    repository.check("crawler", FAILING)
    repository.run()


def first_id(repository: Repository) -> str:
    """Return the id of the incident that `yakei status` names first."""
    found = json.loads(repository.call("status", "--json").stdout)
    return str(found["failing"][0]["id"])


def silence(repository: Repository, pattern: str) -> str:
    """Silence what fits for an hour, and return the silence's id."""
    said = repository.call("silence", pattern, "--for", "1h", "--reason", "moving srv01")
    return said.stdout.split()[1].rstrip(":")


def test_a_silenced_check_is_quiet_and_costs_no_exit_code(
    repository: Repository, mail: MailServer
) -> None:
    failing(repository, mail)
    silence(repository, "*test_crawler*")
    ran = repository.run()

    assert (ran.code, ran.silent, len(mail.mails)) == (0, True, 1)


def test_what_still_fails_when_its_silence_is_ended_is_told_again(
    repository: Repository, mail: MailServer
) -> None:
    failing(repository, mail)
    number = silence(repository, "*test_crawler*")
    repository.run()
    repository.call("unsilence", number)
    ran = repository.run()

    assert (ran.code, len(mail.mails)) == (1, 2)


def test_a_recovery_inside_a_silence_is_told_once_to_whoever_was_told(
    repository: Repository, mail: MailServer
) -> None:
    failing(repository, mail, alerts="recovery = true")
    silence(repository, "*test_crawler*")
    repository.check("crawler", RECOVERED)
    for _ in range(2):
        repository.run()

    assert len(mail.mails) == 2
    assert "[OK]" in subjects(mail)[1]


def test_an_acknowledged_incident_has_no_reminders_until_it_recovers(
    repository: Repository, mail: MailServer
) -> None:
    failing(repository, mail)
    repository.call("ack", first_id(repository), "--reason", "restarting the consumers")
    acknowledged = repository.run()
    for text in (RECOVERED, FAILING):
        repository.check("crawler", text)
        again = repository.run()

    assert (acknowledged.code, again.code, len(mail.mails)) == (0, 1, 2)


def test_one_cause_is_one_message_that_names_what_waits_for_it(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail))
    repository.check("net", TUNNEL)
    ran = repository.run()

    assert (ran.code, len(mail.mails)) == (1, 1)
    assert subjects(mail)[0].startswith("[CRIT] app01 tunnel: ")
    assert "replication" in mail.mails[0].message.get_body(("plain",)).get_content()


def test_what_fails_on_when_its_cause_is_over_is_told_at_once(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail))
    repository.check("net", TUNNEL)
    repository.run()
    repository.check("net", TUNNEL.replace("assert not 'the tunnel is down'", "pass"))
    repository.run()

    assert len(mail.mails) == 2
    assert "replication: " in subjects(mail)[1]


def test_a_check_that_is_taken_out_is_missed_until_somebody_acknowledges_it(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail), alerts=EVERY_RUN)
    repository.check("index", PASSING)
    gone = repository.check("crawler", RECOVERED)
    repository.run()
    gone.unlink()
    missed = [repository.run().code for _ in range(2)]
    repository.call("ack", first_id(repository), "--reason", "no crawler any more")

    assert (missed, len(mail.mails)) == ([3, 3], 2)
    assert [repository.run().code for _ in range(2)] == [0, 0]
    assert len(mail.mails) == 2


def test_a_renamed_check_is_removed_and_has_not_recovered(
    repository: Repository, mail: MailServer
) -> None:
    failing(repository, mail, alerts="recovery = true")
    repository.check("crawler", RECOVERED.replace("keeps_up", "is_quick"))
    repository.run()
    (over,) = (
        each
        for each in json.loads(repository.call("incidents", "--all", "--json").stdout)["incidents"]
        if each["key"].endswith("keeps_up")
    )

    assert over["ending"] == "removed"
    assert not any("[OK]" in each for each in subjects(mail))
