"""No secret leaves the process: not by a message, the log, stdout, the state or an argument."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from receivers import TOKEN, MailServer, Reply, Request, WebServer
from repository import (
    Repository,
    bot_table,
    cron_environment,
    hook_table,
    mail_table,
    slack_table,
)
from servers.processes import wait_until

pytestmark = pytest.mark.slow  # each starts whole runs

SECRETS = {
    "a password in a URL": "Ur1Passw0rd",
    "a password of the application": "AppPassw0rd",
    "a token of the application": "t0kenOfTheApp",
    "a webhook's path": "SlackSecretPath",
    "a password as an option": "0ptionPassw0rd",
    "an environment's value": "EnvPassw0rd",
    "a file's value": "F1lePassw0rd",
    "a watcher's address": "11112222-watched",
    "a bot's token": TOKEN,
    "another webhook's path": "H00kSecretPath",
    "a webhook's token": "H00kT0kenSecret",
    "an address of Apprise": "AppriseSecretPath",
    "a program's own token": "PagerT0kenSecret",
}
SETTINGS = f"""
[database]
url = "postgresql://app:{SECRETS["a password in a URL"]}@127.0.0.1:1/shop"
password = "{SECRETS["a password of the application"]}"

[service]
api_token = "{SECRETS["a token of the application"]}"
"""
LEAKS = """
    import logging, sys

    def leak(word):
        print(word)
        print(word, file=sys.stderr)
        logging.getLogger("app").error("%s", word)
        raise RuntimeError(f"cannot use {word}")

    def test_settings(app_config):
        everything = {
            "url": app_config["database.url"],
            "words": [app_config["database.password"], app_config["service.api_token"]],
        }
        leak(" ".join([everything["url"], *everything["words"]]))

    def test_shapes():
        leak("--password=0ptionPassw0rd https://hooks.slack.com/services/T/B/SlackSecretPath")

    def test_unreachable(database):
        database("main").scalar("select 1")

    def test_references(database):
        import pathlib
        words = ["F1lePassw0rd", "EnvPassw0rd", pathlib.Path("yakei.toml").read_text()]
        assert words == [], words

    @__import__("pytest").mark.parametrize("name", ["Ur1Passw0rd"])
    def test_name(app_config, name, measure, memory):
        app_config["database.url"]
        memory["AppPassw0rd"] = "AppPassw0rd"
        measure("AppPassw0rd", 7, unit="AppPassw0rd").below(3)
"""


PAGER = """#!/bin/sh
cat > told
echo "no, $PAGER_TOKEN is not welcome" >&2
exit 1
"""


def others(server: WebServer) -> str:
    """Return the tables of the kinds that refuse, each of them with what it was given."""
    any_url = f"json{server.address[4:]}/{SECRETS['an address of Apprise']}"
    return f"""
{bot_table(server)}
{hook_table(server)}
token = "H00kT0kenSecret"

[notify.pager]
kind = "command"
command = ["./pager"]

[notify.any]
kind = "apprise"
urls = ["{any_url}"]
"""


@pytest.fixture
def echo() -> Iterator[WebServer]:
    """Give a server that refuses everything, and repeats what it was told."""

    def opinion(request: Request) -> Reply:
        said = f"{request.path} {request.headers.get('Authorization')}"
        return Reply(403, json.dumps({"ok": False, "error": said}))

    with WebServer(opinion) as server:
        yield server


@pytest.fixture
def leaky(
    repository: Repository, mail: MailServer, slack: WebServer, echo: WebServer
) -> Repository:
    """Give a repository whose checks do their worst, with every channel there is."""
    login = mail_table(mail).replace("127.0.0.1", "user:F1lePassw0rd@127.0.0.1")
    login_url = login.splitlines()[-1].partition('"')[2].strip('"')
    repository.write("smtp.txt", login_url)
    other = login.replace(login_url, "file:smtp.txt").replace(
        "[notify.email]", '[notify.other]\nkind = "email"'
    )
    repository.write("settings.toml", SETTINGS)
    repository.write("pager", PAGER).chmod(0o755)
    repository.configure(
        f"""
{mail_table(mail)}
{slack_table(slack)}
{other}
{others(echo)}

[app]
config = "settings.toml"

[databases]
main = "app:database.url"
env = "env:DATABASE_URL"

[heartbeat]
url = "{slack.address}/ping/{SECRETS["a watcher's address"]}"
""",
        run='log = "run.log"',
    )
    repository.check("leaks", LEAKS)
    return repository


ENVIRONMENT = {
    "DATABASE_URL": "mysql://app:EnvPassw0rd@127.0.0.1:1/shop",
    "PAGER_TOKEN": SECRETS["a program's own token"],
}


def received(mail: MailServer, *servers: WebServer) -> str:
    """Return all that came over the wire, but for where the requests went to."""
    posted = [request.body.decode() for server in servers for request in server.requests]
    return "\n".join([each.raw.decode() + each.text for each in mail.mails] + posted)


@pytest.mark.parametrize("options", [[], ["-p"], ["--no-notify"]], ids=["cron", "-p", "no-notify"])
def test_no_secret_is_told_logged_printed_or_kept(
    leaky: Repository, mail: MailServer, slack: WebServer, echo: WebServer, options: list[str]
) -> None:
    ran = leaky.run(*options, environment=ENVIRONMENT)
    kinds = {"bot", "hook", "pager", "any"}

    log = (leaky.folder / "run.log").read_text()
    everything = {
        "messages": received(mail, slack, echo),
        "stdout": ran.stdout + ran.stderr,
        "log": log,
        "state": leaky.everything_kept(),
    }
    found = [
        (place, kind)
        for place, text in everything.items()
        for kind, secret in SECRETS.items()
        if secret in text
    ]
    assert found == []
    assert ran.code in {1, 75}
    assert "[redacted]" in log
    tried = {name for name in kinds if f"yakei: {name} failed" in everything["messages"]}
    assert tried == (set() if "--no-notify" in options else kinds)


def test_local_variables_show_no_secret(leaky: Repository) -> None:
    """The application asks for `--showlocals` in its own options, or a developer sets it."""
    leaky.write(
        "monitors/conftest.py", "def pytest_configure(config): config.option.showlocals = True"
    )

    leaky.run(environment=ENVIRONMENT)

    log = (leaky.folder / "run.log").read_text()
    assert "everything = " in log
    assert [kind for kind, secret in SECRETS.items() if secret in log] == []


def test_no_process_has_a_secret_among_its_arguments(leaky: Repository) -> None:
    leaky.check(
        "a_waiting",
        f"""
        import pathlib, time

        def test_waiting():
            folder = pathlib.Path({str(leaky.folder)!r})
            folder.joinpath("waiting").touch()
            while not folder.joinpath("go").exists():
                time.sleep(0.02)
    """,
    )
    with leaky.started(environment=ENVIRONMENT) as process:
        wait_until(leaky.folder.joinpath("waiting").exists, "the first check has begun")
        seen = command_lines()
        leaky.let_go()
        while process.poll() is None:
            seen |= command_lines()

    everything = "\n".join(seen)
    assert "yakei: keeper of a worker" in everything
    assert [kind for kind, secret in SECRETS.items() if secret in everything] == []


def command_lines() -> set[str]:
    """Return what every process of this machine was started with."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found.add(
                (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            )
        except OSError:
            continue  # it has ended
    return found


MISTAKES: dict[str, Callable[[str], str]] = {
    "an unknown key beside it": lambda text: (
        text
        + '[notify.slack2]\nkind = "slack"\nwebhok = "https://hooks.slack.com/services/T/B/SlackSecretPath"\n'
    ),
    "a wrong type": lambda text: text.replace("[heartbeat]\n", "[heartbeat]\ntimeout = 3\n"),
    "an address without a scheme": lambda text: text.replace('url = "http://', 'url = "htp//'),
    "a database that is none": lambda text: (
        text + '[databases.x]\nurl = "oracle://a:Ur1Passw0rd@h/x"\n'
    ),
    "a line that does not parse": lambda text: text + 'x = "AppPassw0rd" "Ur1Passw0rd"\n',
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_configuration_shows_no_secret(
    leaky: Repository, mail: MailServer, slack: WebServer, mistake: str
) -> None:
    file = leaky.folder / "yakei.toml"
    file.write_text(MISTAKES[mistake](file.read_text()))

    ran = leaky.run(environment=ENVIRONMENT)

    text = (
        ran.stdout
        + ran.stderr
        + received(mail, slack)
        + ((leaky.folder / "run.log").read_text() if (leaky.folder / "run.log").exists() else "")
    )
    assert ran.code == 2
    assert "yakei.toml" in text
    assert [kind for kind, secret in SECRETS.items() if secret in text] == []


def test_what_children_inherit_is_the_environment_of_cron(repository: Repository) -> None:
    """Nothing that the runner knows is handed on that way."""
    repository.check(
        "environment",
        """
        import os

        def test_environment():
            usual = {"PATH", "HOME", "PWD", "SHLVL", "_", "PYTHONPATH", "LC_CTYPE"}
            extra = set(os.environ) - usual
            assert extra == {"PYTEST_CURRENT_TEST", "PYTEST_VERSION"}, extra
    """,
    )

    ran = repository.run()

    assert (ran.code, ran.stdout) == (0, "")
    assert "YAKEI" not in "".join(cron_environment(None))
    assert os.environ.get("DATABASE_URL") is None
