"""A message reaches somebody, whatever one channel makes of it."""

from __future__ import annotations

import pytest
from receivers import SILENCE, MailServer, Reply, Sendmail, WebServer
from repository import FAILING, Repository, mail_table, slack_table, slack_texts, subjects

pytestmark = pytest.mark.slow  # each starts whole runs


def test_a_warning_of_slack_to_wait_is_heeded(repository: Repository, slack: WebServer) -> None:
    repository.configure(slack_table(slack))
    repository.check("crawler", FAILING)
    slack.script = [Reply(429, "rate_limited", {"Retry-After": "1"})]

    ran = repository.run()

    assert (ran.code, ran.stdout, len(slack.requests)) == (1, "", 2)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Reply(200, "not ok"), id="200 that is not ok"),
        pytest.param(Reply(404, "no_service"), id="404"),
        pytest.param(Reply(429, "rate_limited", {"Retry-After": "3600"}), id="429 for an hour"),
        pytest.param(Reply(500, "oops"), id="500"),
        pytest.param(Reply(manner="drop"), id="a broken connection"),
        pytest.param(SILENCE, id="silence"),
    ],
)
def test_what_slack_does_not_take_goes_by_mail(
    repository: Repository, mail: MailServer, slack: WebServer, answer: Reply
) -> None:
    repository.configure(mail_table(mail) + slack_table(slack, 'timeout = "2s"'))
    repository.check("crawler", FAILING)
    slack.script = [answer] * 3

    ran = repository.run()

    assert (ran.code, ran.stdout) == (1, "")
    assert "1396 rows" in subjects(mail)[0]
    assert "slack failed" in subjects(mail)[1]


@pytest.mark.parametrize("answer", [Reply(500, "oops"), Reply(200, "not ok")], ids=["500", "200"])
def test_without_another_channel_the_message_is_on_stdout(
    repository: Repository, slack: WebServer, answer: Reply
) -> None:
    repository.configure(slack_table(slack))
    repository.check("crawler", FAILING)
    slack.script = [answer] * 3

    ran = repository.run()

    assert ran.code == 75
    assert "[CRIT] app01 crawler keeps up: waiting: 1396 rows" in ran.stdout
    assert f"slack failed: answered {answer.status}" in ran.stdout


def test_an_undelivered_message_is_tried_again_by_the_next_run(
    repository: Repository, slack: WebServer
) -> None:
    repository.configure(slack_table(slack))
    repository.check("crawler", FAILING)
    slack.script = [Reply(500, "oops")] * 2

    ran = [repository.run() for _ in range(4)]

    assert [each.code for each in ran] == [75, 75, 1, 1]
    assert len(slack.requests) == 3


def test_all_channels_down_is_stdout_and_75(
    repository: Repository, mail: MailServer, slack: WebServer
) -> None:
    repository.configure(mail_table(mail) + slack_table(slack))
    repository.check("crawler", FAILING)
    slack.script = [Reply(500)] * 3
    mail.data_reply = "451 4.3.0 later"

    ran = repository.run()

    assert ran.code == 75
    assert "email failed" in ran.stdout
    assert "slack failed" in ran.stdout


def test_a_missing_sendmail_is_stdout_and_75(repository: Repository) -> None:
    repository.configure('[notify.email]\nto = ["ops@example.com"]')
    repository.check("crawler", FAILING)

    ran = repository.run(environment={"PATH": str(repository.folder)})

    assert ran.code == 75
    assert "1396 rows" in ran.stdout
    assert "no sendmail on PATH" in ran.stdout


def test_without_a_server_the_mail_goes_through_sendmail(repository: Repository) -> None:
    repository.configure('[notify.email]\nto = ["ops@example.com"]')
    repository.check("crawler", FAILING)
    sendmail = Sendmail.install(repository.folder)

    ran = repository.run(environment={"PATH": f"{repository.folder}:/usr/bin:/bin"})

    assert (ran.code, ran.stdout) == (1, "")
    assert "1396 rows" in sendmail.mail.message["Subject"]


def test_routes_lead_to_the_channel_of_the_owner(
    repository: Repository, mail: MailServer, slack: WebServer
) -> None:
    routes = """
        [[routes]]
        owner = "search-team"
        notify = ["slack"]

        [[routes]]
        check = "monitors/test_web.py*"
        notify = ["email"]
    """
    channels = mail_table(mail) + slack_table(slack)
    repository.configure(channels + routes.replace("        ", ""))
    repository.check("crawler", FAILING)
    repository.check("web", "def test_web():\n    assert not 'the door is open'")

    ran = repository.run()

    assert ran.code == 1
    assert ["the door is open" in each for each in subjects(mail)] == [True]
    assert ["1396 rows" in each for each in slack_texts(slack)] == [True]


def test_all_that_goes_to_one_channel_is_one_message(
    repository: Repository, mail: MailServer, slack: WebServer
) -> None:
    routes = """
[[routes]]
owner = "search-team"
notify = ["slack", "email"]

[[routes]]
default = true
notify = ["slack"]
"""
    repository.configure(mail_table(mail) + slack_table(slack) + routes)
    repository.check("crawler", FAILING)
    repository.check("web", "def test_web():\n    assert not 'the door is open'")

    repository.run()

    (posted,) = slack_texts(slack)
    assert "2 failing, 2 new" in posted
    assert ["2 failing" in each for each in subjects(mail)] == [False]


def test_an_owner_that_leads_nowhere_is_told_and_its_check_judged(
    repository: Repository, mail: MailServer
) -> None:
    routes = '[[routes]]\nowner = "db"\nnotify = ["email"]\n'
    repository.configure(mail_table(mail) + routes)
    repository.check("crawler", FAILING.replace("1396", "12"))

    codes = [repository.run().code for _ in range(2)]

    assert codes == [0, 0]
    assert ["owner search-team leads nowhere" in each for each in subjects(mail)] == [True]


def test_a_terminal_that_knows_ascii_only_costs_no_message(repository: Repository) -> None:
    repository.check("queue", "def test_待ち行列():\n    assert not '滞留 1396 件'")

    ran = repository.run(environment={"PYTHONIOENCODING": "ascii"})

    assert (ran.code, ran.stderr) == (75, "")
    assert "1396" in ran.stdout


def test_what_waits_for_a_channel_whose_secret_is_missing_waits_on(
    repository: Repository, mail: MailServer, slack: WebServer
) -> None:
    """As in a run by hand, or before the secrets are there at boot: its table is still there."""
    repository.configure(mail_table(mail) + '[notify.slack]\nwebhook = "env:HOOK"\n')
    repository.check("crawler", FAILING)
    secrets = {"HOOK": f"{slack.address}/services/T0/B0/x"}
    slack.script = [Reply(500, "oops")] * 3
    first = repository.run(environment=secrets)
    without = repository.run()
    refused = len(slack_texts(slack))
    again = repository.run(environment=secrets)

    assert (first.code, without.code, again.code) == (1, 2, 1)
    assert any("1396 rows" in each for each in slack_texts(slack)[refused:])
    assert not any("not configured any more" in each.text for each in mail.mails)
