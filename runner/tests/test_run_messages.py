"""What people are told: once, to the point, by every channel, without what could harm it."""

from __future__ import annotations

import pytest
from receivers import SILENCE, MailServer, Reply, Sendmail, WebServer
from repository import FAILING, PASSING, Repository, mail_table, slack_table, slack_texts, subjects

pytestmark = pytest.mark.slow  # each starts whole runs


def test_one_of_four_that_fails_is_one_message(repository: Repository, mail: MailServer) -> None:
    repository.configure(mail_table(mail))
    repository.check("crawler", FAILING)
    for name in ("index", "tape", "web"):
        repository.check(name, PASSING)

    ran = repository.run()

    assert (ran.code, len(mail.mails)) == (1, 1)
    assert "4 checks: 1 failed, 3 passed" in mail.mails[0].text


def test_a_mail_says_all_on_its_first_screen(repository: Repository, mail: MailServer) -> None:
    repository.configure(mail_table(mail))
    repository.check("crawler", FAILING)

    repository.run()

    (received,) = mail.mails
    subject = received.message["Subject"]
    screen = "\n".join(received.text.splitlines()[:20])
    assert subject == "[CRIT] app01 crawler keeps up: waiting: 1396 rows (limit: below 1000)"
    assert len(subject) <= 78
    assert screen.startswith("crawler keeps up: waiting: 1396 rows (limit: below 1000). First seen")
    assert "Claim     The crawler takes pages off its queue within five minutes." in screen
    assert "Owner     search-team" in screen
    assert "Runbook   https://wiki.example.com/ops/queue-lag" in screen
    assert "Reproduce pytest monitors/test_crawler.py::test_crawler_keeps_up" in screen


def test_a_mail_has_the_headers_of_a_mail(repository: Repository, mail: MailServer) -> None:
    repository.configure(mail_table(mail))
    repository.check("crawler", FAILING)

    repository.run()

    (received,) = mail.mails
    headers = received.message
    assert (headers["From"], headers["To"]) == ("yakei@example.com", "ops@example.com")
    assert headers["Date"]
    assert headers["Message-ID"].endswith("@example.com>")
    assert headers["Content-Type"] == 'text/plain; charset="utf-8"'


def test_slack_gets_one_post_in_which_nothing_has_a_meaning(
    repository: Repository, slack: WebServer
) -> None:
    repository.configure(slack_table(slack))
    repository.check("web", "def test_web():\n    assert not '<!channel> & 1396 < 1000'")

    ran = repository.run()

    (request,) = slack.requests
    assert ran.code == 1
    assert "&lt;!channel&gt; &amp; 1396 &lt; 1000" in request.json["text"]
    assert "<!channel>" not in request.body.decode()


def test_japanese_names_and_new_lines_are_readable_and_add_no_header(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail))
    repository.check(
        "queue",
        '''
        import pytest

        @pytest.mark.parametrize("name", ["検索\\r\\nBcc: all@example.com"])
        def test_待ち行列(name):
            """検索の待ち行列が短い。"""
            assert False, "滞留 1396 件\\r\\nBcc: all@example.com"
    ''',
    )

    repository.run()

    (received,) = mail.mails
    assert "滞留 1396 件" in received.message["Subject"]
    assert received.message["Bcc"] is None
    assert received.recipients == ["ops@example.com"]
    assert "検索の待ち行列が短い。" in received.text


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


def test_recovery_is_silent_by_default_and_a_new_failure_is_told_at_once(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail))
    for value in ("1396", "212", "1402"):
        repository.check("crawler", FAILING.replace("1396", value))
        repository.run()

    assert len(mail.mails) == 2
    assert "1402 rows" in subjects(mail)[1]
    assert "Last failed 20" in mail.mails[1].text


def test_a_value_that_moves_is_no_new_failure(repository: Repository, mail: MailServer) -> None:
    repository.configure(mail_table(mail))
    for value in ("1396", "1402", "1391"):
        repository.check("crawler", FAILING.replace("1396", value))
        repository.run()

    assert len(mail.mails) == 1


def test_a_second_failure_is_told_at_once_beside_the_first(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail))
    repository.check("crawler", FAILING)
    repository.run()
    repository.check("web", "def test_web():\n    assert not 'the door is open'")
    repository.run()
    repository.check("crawler", FAILING.replace("1396", "212"))

    repository.run()

    assert len(mail.mails) == 2
    assert "2 failing, 1 new - web:" in subjects(mail)[1]
    assert "NEW     web:" in mail.mails[1].text


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


def test_a_known_issue_is_quiet_while_it_fails_and_told_when_it_passes(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail))
    known = 'import pytest\n\n@pytest.mark.known_issue("SHOP-7")\ndef test_old():\n    assert '
    repository.check("old", known + "False")
    failing = repository.run()
    quiet = list(mail.mails)
    repository.check("old", known + "True")

    passing = [repository.run() for _ in range(2)]

    assert (failing.code, quiet) == (0, [])
    assert [each.code for each in passing] == [0, 0]
    assert ["SHOP-7" in each for each in subjects(mail)] == [True]


def test_a_known_issue_whose_date_has_come_is_told(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail))
    repository.check(
        "old",
        """
        import pytest

        @pytest.mark.known_issue("SHOP-7", until="2026-01-31")
        def test_old():
            assert False
    """,
    )

    ran = repository.run()

    assert ran.code == 1
    assert "SHOP-7 ended 2026-01-31" in mail.mails[0].text


def test_a_warning_waits_in_quiet_hours_and_a_critical_does_not(
    repository: Repository, mail: MailServer
) -> None:
    all_day = 'quiet_hours = "00:00-23:59"'
    repository.configure(mail_table(mail), alerts=all_day)
    repository.check(
        "disk",
        """
        import pytest

        @pytest.mark.severity("warning")
        def test_disk():
            assert not "80 % full"
    """,
    )
    quiet = repository.run(), list(mail.mails)
    repository.check("crawler", FAILING)
    repository.run()
    repository.configure(mail_table(mail))

    repository.run()

    assert (quiet[0].code, quiet[0].stdout, quiet[1]) == (1, "", [])
    assert [each.split()[0] for each in subjects(mail)] == ["[CRIT]", "[WARN]"]


def test_a_threshold_keeps_the_first_failures_quiet(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail), alerts="failure_threshold = 3")
    repository.check("crawler", FAILING)

    told = [(repository.run().code, len(mail.mails)) for _ in range(4)]

    assert told == [(1, 0), (1, 0), (1, 1), (1, 1)]


def test_a_resource_that_is_down_is_one_message(
    repository: Repository, mail: MailServer, closed_port: int
) -> None:
    url = f"postgresql://app:S3cr3tWord@127.0.0.1:{closed_port}/queue"
    repository.configure(f'{mail_table(mail)}\n[databases]\nmain = "{url}"')
    repository.check(
        "four",
        """
        import pytest

        @pytest.mark.parametrize("number", range(4))
        def test_four(database, number):
            database("main").scalar("select 1")
    """,
    )
    repository.check("index", PASSING)

    ran = repository.run()

    (received,) = mail.mails
    assert (ran.code, ran.stdout) == (1, "")
    assert "database main" in received.message["Subject"]
    assert f"127.0.0.1:{closed_port}; 4 checks not judged" in received.text.splitlines()[0]
    assert "S3cr3tWord" not in received.text


def test_a_megabyte_of_output_is_a_short_message_and_whole_in_the_log(
    repository: Repository, mail: MailServer, slack: WebServer
) -> None:
    repository.configure(mail_table(mail) + slack_table(slack), run='log = "run.log"')
    repository.check(
        "loud",
        """
        def test_loud():
            for number in range(10_000):
                print(f"{number:05d} " + "x" * 94)
            assert False
    """,
    )

    ran = repository.run()

    blocks = slack.requests[0].json["blocks"]
    assert ran.code == 1
    assert len(mail.mails[0].raw) <= 64_000
    assert max(len(block["text"]["text"]) for block in blocks) <= 3000
    log = (repository.folder / "run.log").read_text()
    assert "00000 xxx" in log
    assert "09999 xxx" in log


@pytest.mark.parametrize("verdict", ["assert True", "assert False", "pytest.fail('x' * 10**8)"])
def test_a_hundred_megabytes_of_output_do_not_hold_a_run_up(
    repository: Repository, verdict: str
) -> None:
    repository.check(
        "loud",
        f"""
        import pytest

        def test_loud():
            for _ in range(100):
                print(("x" * 99 + "\\n") * 10_000)
            {verdict}
    """,
    )

    ran = repository.run("--no-notify")

    kept = sum(file.stat().st_size for file in repository.state.rglob("*") if file.is_file())
    assert ran.code == ("True" not in verdict)
    assert ran.seconds < 20
    assert len(ran.stdout) < 100_000
    assert kept < 20_000_000


def test_a_terminal_that_knows_ascii_only_costs_no_message(repository: Repository) -> None:
    repository.check("queue", "def test_待ち行列():\n    assert not '滞留 1396 件'")

    ran = repository.run(environment={"PYTHONIOENCODING": "ascii"})

    assert (ran.code, ran.stderr) == (75, "")
    assert "1396" in ran.stdout
