"""What people are told: once, to the point, by every channel, without what could harm it."""

from __future__ import annotations

import pytest
from receivers import MailServer, WebServer
from repository import FAILING, PASSING, Repository, mail_table, slack_table

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
    text = headers.get_body(("plain",))
    assert text
    assert text["Content-Type"] == 'text/plain; charset="utf-8"'


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
