"""Whole runs through every kind of channel."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from receivers import (
    SILENCE,
    MailServer,
    Reply,
    Request,
    SlackApi,
    WebServer,
    api_server,
    json_server,
)
from repository import (
    FAILING,
    PASSING,
    Repository,
    bot_table,
    hook_table,
    mail_table,
    slack_table,
    subjects,
)

pytestmark = pytest.mark.slow  # each starts whole runs

STORM = """
    import pytest

    @pytest.mark.parametrize("number", range(500))
    def test_queue(number):
        assert number < 0
"""
SCREEN = 45
"""Lines that are seen without scrolling."""


@pytest.fixture
def workspace() -> SlackApi:
    return SlackApi()


@pytest.fixture
def api(workspace: SlackApi) -> Iterator[WebServer]:
    with api_server(workspace) as server:
        yield server


@pytest.fixture
def hook() -> Iterator[WebServer]:
    with json_server() as server:
        yield server


def test_an_incident_s_life_is_one_post_with_its_thread(
    repository: Repository, workspace: SlackApi, api: WebServer
) -> None:
    alerts = 'recovery = true\nreminder_interval = "0s"'
    repository.configure(bot_table(api), alerts=alerts)
    repository.check("crawler", FAILING)
    codes = [repository.run().code for _ in range(2)]
    repository.check("crawler", FAILING.replace("1396", "12"))
    codes.append(repository.run().code)

    (post,) = workspace.posts
    states = [reply.text.splitlines()[0] for reply in workspace.replies(post)]
    assert codes == [1, 1, 0]
    assert "1396 rows" in post.text
    assert post.shown.startswith(":white_check_mark:")
    assert ["1396 rows" in states[0], "[OK]" in states[1]] == [True, True]


def test_a_post_turns_green_though_recoveries_are_not_told(
    repository: Repository, workspace: SlackApi, api: WebServer
) -> None:
    repository.configure(bot_table(api))
    repository.check("crawler", FAILING)
    repository.run()
    repository.check("crawler", FAILING.replace("1396", "12"))

    assert repository.run().silent
    (post,) = workspace.messages
    assert post.shown.startswith(":white_check_mark:")


def test_a_run_that_is_killed_between_two_calls_repeats_the_first_once(
    repository: Repository, workspace: SlackApi, api: WebServer
) -> None:
    repository.configure(bot_table(api), alerts='reminder_interval = "0s"')
    repository.check("crawler", FAILING)
    repository.run()
    repository.check("web", "def test_web():\n    assert not 'the door is open'")
    begun: list[subprocess.Popen[bytes]] = []

    def kill_after_the_post(request: Request) -> Reply:
        reply = workspace(request)
        if "thread_ts" not in request.json:
            begun[0].kill()
        return reply

    api.opinion = kill_after_the_post
    with repository.started() as process:
        begun.append(process)
        process.wait(30)
    api.opinion = workspace
    codes = [repository.run().code for _ in range(2)]

    assert codes == [1, 1]
    assert len(workspace.posts) == 3
    assert [len(workspace.replies(post)) for post in workspace.posts] == [2, 0, 1]


def test_a_webhook_gets_the_document(repository: Repository, hook: WebServer) -> None:
    repository.configure(hook_table(hook))
    repository.check("crawler", FAILING)
    ran = repository.run()

    (request,) = hook.requests
    (incident,) = request.json["incidents"]
    assert (ran.code, ran.stdout) == (1, "")
    assert (request.json["version"], request.json["host"]) == (1, "app01")
    assert (incident["reason"], incident["owner"]) == ("new", "search-team")


def test_a_command_gets_the_message(repository: Repository) -> None:
    table = '[notify.page]\nkind = "command"\ncommand = ["/bin/sh", "-c", "cat > told"]\n'
    repository.configure(table)
    repository.check("crawler", FAILING)
    ran = repository.run()

    assert (ran.code, ran.stdout) == (1, "")
    assert "1396 rows" in (repository.folder / "told").read_text()


def test_apprise_gets_the_message(repository: Repository, hook: WebServer) -> None:
    hook.script = [Reply(200, "")]
    url = f"json{hook.address[4:]}/AppriseSecret"
    repository.configure(f'[notify.any]\nkind = "apprise"\nurls = ["{url}"]\n')
    repository.check("crawler", FAILING)
    ran = repository.run()

    assert (ran.code, ran.stdout, ran.stderr) == (1, "", "")
    assert "1396 rows" in hook.requests[0].json["title"]


def test_a_program_s_arguments_take_no_secret(repository: Repository) -> None:
    table = 'kind = "command"\ncommand = ["page", "env:PAGER_TOKEN"]'
    repository.configure(f"[notify.page]\n{table}\n")
    repository.check("index", PASSING)
    ran = repository.run(environment={"PAGER_TOKEN": "PagerT0kenSecret"})

    assert ran.code == 2
    assert "notify.page.command: expected no reference" in ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("urls", "said"),
    [
        ('["nope://AppriseSecret"]', "notify.any: urls[0]: expected a URL that Apprise"),
        ('["env:NOWHERE"]', "notify.any.urls[0]: the environment variable NOWHERE is not set"),
        ('"json://AppriseSecret"', "notify.any.urls: expected a list"),
        ("[]", "notify.any.urls: expected at least one"),
    ],
)
def test_a_mistake_in_apprise_s_table_is_one_clear_line(
    repository: Repository, urls: str, said: str
) -> None:
    repository.configure(f'[notify.any]\nkind = "apprise"\nurls = {urls}\n')
    repository.check("index", PASSING)
    ran = repository.run()

    assert ran.code == 2
    assert said in ran.stdout + ran.stderr
    assert "AppriseSecret" not in ran.stdout + ran.stderr


# A storm


@dataclass
class Receivers:
    """A receiver of each kind."""

    mail: MailServer
    slack: WebServer
    api: WebServer
    hook: WebServer

    def tables(self) -> str:
        """Return the tables of all of them, and of a program."""
        page = '[notify.page]\nkind = "command"\ncommand = ["/bin/sh", "-c", "cat >> told"]\n'
        own = mail_table(self.mail), slack_table(self.slack), bot_table(self.api)
        return "".join([*own, hook_table(self.hook), page])


@pytest.fixture
def all_of_them(mail: MailServer, slack: WebServer, api: WebServer, hook: WebServer) -> Receivers:
    return Receivers(mail, slack, api, hook)


def test_a_storm_is_one_message_of_one_screen_in_every_channel(
    repository: Repository, workspace: SlackApi, all_of_them: Receivers
) -> None:
    repository.configure(all_of_them.tables())
    repository.check("storm", STORM)
    ran = repository.run()

    (told,), (posted,) = all_of_them.mail.mails, all_of_them.slack.requests
    (hooked,), (post,) = all_of_them.hook.requests, workspace.posts
    paged = (repository.folder / "told").read_text()
    screens = [told.text, hooked.json["text"], paged.partition("\n\n")[2]]
    assert (ran.code, ran.stdout) == (1, "")
    assert [
        "500 checks: 500 failed" in "\n".join(one.splitlines()[:SCREEN]) for one in screens
    ] == [True] * 3
    assert paged.count("500 failing, 500 new") == 1
    assert len(told.raw) < 64_000
    assert len(posted.json["blocks"]) <= 50
    assert len(post.shown.splitlines()) < SCREEN + 10
    assert len(workspace.replies(post)) == 1


# Slow and quick


def test_a_channel_that_takes_ten_seconds_delays_no_other(
    repository: Repository, slack: WebServer, hook: WebServer
) -> None:
    repository.configure(slack_table(slack, 'timeout = "10s"') + hook_table(hook))
    repository.check("crawler", FAILING)
    slack.script = [SILENCE]
    arrived: list[float] = []
    hook.opinion = lambda _: arrived.append(time.monotonic()) or Reply(200)  # type: ignore[func-returns-value]  # None is what it is
    begun = time.monotonic()
    ran = repository.run()

    assert ran.code == 1
    assert arrived[0] - begun < 5
    assert ran.seconds > 10


# Waiting


def test_a_channel_that_asked_to_wait_is_left_alone_by_the_next_run(
    repository: Repository, hook: WebServer, mail: MailServer
) -> None:
    repository.configure(hook_table(hook) + mail_table(mail))
    repository.check("crawler", FAILING)
    hook.script = [Reply(429, "", {"Retry-After": "600"})]
    codes = [repository.run().code for _ in range(2)]

    assert codes == [1, 1]
    assert len(hook.requests) == 1
    assert "hook failed: answered 429" in subjects(mail)[1]


def test_what_has_waited_for_long_comes_as_one(
    repository: Repository, hook: WebServer, mail: MailServer
) -> None:
    repository.configure(hook_table(hook) + mail_table(mail))
    hook.opinion = lambda _: Reply(500)
    for number in range(10):
        repository.check(f"queue{number}", f"def test_queue{number}():\n    assert not 'long'")
        repository.run()
    hook.opinion = lambda _: Reply(200)
    before = len(hook.requests)
    repository.check("queue10", "def test_queue10():\n    assert not 'long'")
    repository.run()

    (caught_up,) = hook.requests[before:]
    assert "11 late messages" in caught_up.json["subject"]
    assert len(caught_up.json["incidents"]) == 11


# The doctor


def test_the_doctor_sends_through_every_kind(
    repository: Repository, workspace: SlackApi, api: WebServer, hook: WebServer
) -> None:
    url = f"json{hook.address[4:]}/x"
    page = ["/bin/sh", "-c", f"exec {shlex.quote(sys.executable)} -c 'import sys; sys.exit(3)'"]
    repository.configure(
        f"{bot_table(api)}{hook_table(hook)}"
        f'[notify.page]\nkind = "command"\ncommand = {json.dumps(page)}\n'
        f'[notify.any]\nkind = "apprise"\nurls = ["{url}"]\n'
    )
    hook.opinion = lambda _: Reply(200)
    repository.check("index", PASSING)
    ran = repository.call("doctor", "--send")

    said = [line.split(maxsplit=1) for line in ran.stdout.splitlines() if "channel " in line]
    assert [word for word, _ in said] == ["ok", "ok", "FAIL", "ok"]
    assert "sh exited with 3" in ran.stdout
    assert "[TEST] app01" in workspace.posts[0].text
