"""A mistake in the configuration is one clear line, told through the channels that still work."""

from __future__ import annotations

from pathlib import Path

import pytest
from receivers import MailServer
from repository import FAILING, PASSING, Repository, mail_table, subjects

pytestmark = pytest.mark.slow  # each starts whole runs

MISTAKES = [
    pytest.param("[runn]\nhost = 'x'", "runn: unknown key; did you mean run?", id="table"),
    pytest.param(
        "[run]\ntimout = '3s'", "run.timout: unknown key; did you mean timeout?", id="run"
    ),
    pytest.param("[run]\ntimeout = 30", "run.timeout: expected a duration", id="run type"),
    pytest.param("[run]\nslots = 'many'", "run.slots: expected a whole number", id="run slots"),
    pytest.param("[run]\nmonitors = 'x'", "run.monitors: expected a list", id="run monitors"),
    pytest.param("[run]\ndeadline = '0s'", "run.deadline: expected a time longer", id="deadline"),
    pytest.param("[run]\nlog = '~nobody9/x'", "run.log: expected a path", id="no such user"),
    pytest.param("[run]\nhost = 'file:~nobody9/x'", "run.host: expected a path", id="nor there"),
    pytest.param("[alerts]\nrecovry = true", "alerts.recovry: unknown key; did you", id="alerts"),
    pytest.param("[alerts]\nrecovery = 'yes'", "alerts.recovery: expected true", id="alerts type"),
    pytest.param("[alerts]\nquiet_hours = '23-7'", "quiet_hours: expected hours", id="quiet hours"),
    pytest.param("[alerts]\nfailure_threshold = 0", "expected at least 1", id="threshold"),
    pytest.param("[notify.pager]\nx = 1", "notify.pager.kind: missing", id="kind of notifier"),
    pytest.param("[notify.slack]\nwebhok = 'x'", "did you mean webhook?", id="notifier"),
    pytest.param("[notify.slack]", "notify.slack.webhook: missing", id="notifier's key"),
    pytest.param(
        "[notify.slack]\nwebhook = 'env:NO_SUCH_NAME'",
        "notify.slack.webhook: the environment variable NO_SUCH_NAME is not set",
        id="a secret that is not set",
    ),
    pytest.param("[notify]\nslack = 3", "notify.slack: expected a table", id="notifier type"),
    pytest.param(
        "[[routes]]\nnotify = ['pager']", "no [notify.pager]; configured: email", id="route"
    ),
    pytest.param("[[routes]]\nowners = 'db'", "did you mean owner?", id="route's key"),
    pytest.param("[routes]\nowner = 'db'", "routes: expected tables [[routes]]", id="one route"),
    pytest.param("[heartbeat]\nurl = 'x'", "heartbeat.url: ", id="heartbeat"),
    pytest.param("[databases]\nmain = 3", "databases.main: expected a URL", id="database"),
    pytest.param("[databases]\nmain = 'oracle://h/x'", "databases.main:", id="kind of database"),
    pytest.param("[databases.main]\nmax_conections = 2", "did you mean max_con", id="its key"),
    pytest.param(
        "[databases.main]\nurl = 'sqlite:///x'\nmax_connections = 0",
        "databases.main.max_connections: expected at least 1",
        id="no connections",
    ),
    pytest.param(
        "[resources.db01]\nmax_concurent = 3", "did you mean max_concurrent?", id="resource"
    ),
    pytest.param("[resources.db01]\nmax_concurrent = 0", "expected at least 1", id="no checks"),
    pytest.param(
        "[databases]\nmain = 'app:database.url'", "app.config: missing", id="no application"
    ),
    pytest.param(
        "[databases]\nmain = 'sqlite:///x'\n"
        "[queues.q]\ndatabase = 'mian'\ntable = 'q'\nmax_depth = 9",
        "queues.q.database: no database mian in [databases]; configured: main",
        id="unknown database",
    ),
    pytest.param("[queues]", "queues: 0 queues configured", id="nothing watched"),
    pytest.param("[queues.q]\ntabel = 'q'", "queues.q.tabel: unknown key", id="queue"),
    pytest.param(
        "[queues.q]\ndatabase = 'm'\ntable = 'q'\nmax_depth = 'abc'",
        "queues.q.max_depth: expected a whole number",
        id="limit",
    ),
    pytest.param("[queues.q]\ndatabase = 'm'\nowner = 3", "queues.q.owner: expected", id="owner"),
    pytest.param("[queues]\ntable = 'q'", "is a name missing in [queues]?", id="no name"),
    pytest.param("[backups.b]\nkind = 'tape'", "backups.b.kind: expected one of", id="backup"),
    pytest.param("[pidfiles.p]\npid = 3", "pidfiles.p.pid: unknown key", id="pid file"),
    pytest.param("[lockfiles.l]\npath = 3", "lockfiles.l.path: expected a path", id="lock file"),
    pytest.param("[slony.s]\nmax_lag = '5'", "slony.s", id="slony"),
    pytest.param("[database_locks.d]\nx = 1", "database_locks.d.x: unknown key", id="locks"),
    pytest.param("this is no TOML", "does not parse", id="syntax"),
]


@pytest.mark.parametrize(("mistake", "line"), MISTAKES)
def test_a_mistake_is_one_clear_line(
    repository: Repository, mail: MailServer, mistake: str, line: str
) -> None:
    """It says the file, the key and what was expected, within the channels' first lines."""
    repository.write("yakei.toml", f"{mistake}\n{mail_table(mail)}")
    repository.check("index", PASSING)

    ran = repository.run()

    told = ran.stdout + "".join(each.text for each in mail.mails)
    first = told.split("\r\n")[0] if mail.mails else told
    assert ran.code == 2
    assert line in " ".join(first.split())
    assert str(repository.folder / "yakei.toml") in first
    assert "Traceback" not in told + ran.stderr


@pytest.mark.parametrize(
    ("mistake", "through_mail"),
    [
        pytest.param("[notify.slack]\nwebhook = 'env:NO_SUCH_NAME'", True, id="another channel"),
        pytest.param("[alerts]\nrecovery = 'yes'", True, id="alerts"),
        pytest.param("this is no TOML", False, id="no channel can be read"),
    ],
)
def test_a_mistake_is_told_through_the_channels_that_still_work(
    repository: Repository, mail: MailServer, mistake: str, through_mail: bool
) -> None:
    repository.write("yakei.toml", f"{mistake}\n{mail_table(mail)}")

    ran = repository.run()

    assert ran.code == 2
    assert bool(mail.mails) == through_mail
    assert bool(ran.stdout) != through_mail


def test_a_mistake_is_told_once_and_another_one_once(
    repository: Repository, mail: MailServer
) -> None:
    repository.configure(mail_table(mail) + "[queues.q]\ntabel = 'q'\n")
    repository.check("index", PASSING)
    codes = [repository.run().code for _ in range(3)]
    repository.configure(mail_table(mail), alerts="recovry = true")

    codes += [repository.run().code for _ in range(2)]

    assert codes == [2] * 5
    assert len(mail.mails) == 2


def test_what_stands_beside_a_mistake_holds(repository: Repository, mail: MailServer) -> None:
    """In another state than its own, a run would know no incident, and deliver nothing late."""
    repository.configure(mail_table(mail), run='state = "elsewhere"\nslots = 0\nintervall = "1m"')
    repository.check("index", PASSING)

    assert repository.run().code == 2
    assert subjects(mail)[0].startswith("[CRIT] app01 monitor: NOT RUNNING")
    assert (repository.folder / "elsewhere/state.sqlite3").exists()
    assert not repository.state.exists()


def test_a_mistake_that_was_mended_is_over(repository: Repository, mail: MailServer) -> None:
    repository.check("index", PASSING)
    repository.configure(mail_table(mail), alerts="recovry = true")
    broken = repository.run()
    repository.configure(mail_table(mail))

    mended = repository.run()
    status = repository.call("status")

    assert (broken.code, mended.code, len(mail.mails)) == (2, 0, 1)
    assert "nothing is failing" in status.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["--no-such-option"],
        ["--deadline", "soon"],
        ["--on-busy", "panic"],
        ["-c", "missing/yakei.toml"],
    ],
    ids=" ".join,
)
def test_bad_usage_is_two_and_on_stderr(repository: Repository, arguments: list[str]) -> None:
    ran = repository.run(*arguments)

    assert (ran.code, ran.stdout) == (2, "")
    assert arguments[-1] in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (repository.folder / "missing").exists()


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_the_file_may_be_named_before_the_command_or_after_it(
    repository: Repository, before: bool
) -> None:
    named, command = ["-c", "missing/yakei.toml"], ["status"]
    ran = repository.call(*(named + command if before else command + named))

    assert ran.code == 2
    assert f"{repository.folder}/missing/yakei.toml: cannot be read: " in ran.stderr


def test_no_configuration_at_all_says_how_to_get_one(
    tmp_path: Path, repository: Repository
) -> None:
    ran = repository.run(cwd=tmp_path)

    assert (ran.code, ran.stdout) == (2, "")
    assert "no yakei.toml from here upwards; `yakei init` writes one" in ran.stderr


def test_the_configuration_may_stand_in_pyproject(repository: Repository) -> None:
    (repository.folder / "yakei.toml").unlink()
    repository.write("pyproject.toml", '[tool.yakei.run]\nhost = "web02"\nconfirm_after = "0s"')
    repository.check("crawler", FAILING)

    ran = repository.run(cwd=repository.monitors)

    assert ran.code == 75
    assert ran.stdout.startswith("[CRIT] web02 crawler keeps up")


@pytest.mark.parametrize(
    ("marker", "told"),
    [
        ('every("daily")', "marker every: "),
        ("every()", "marker every: "),
        ('every("1d", at="25:00")', "marker every: hour must be in 0..23"),
        ("every(3600)", 'marker every: expected a duration such as "1d", got 3600'),
        ('every("0s")', "marker every: expected a duration such as \"1d\", got '0s'"),
        ('timeout("30s")', "marker timeout: expected a number of seconds above 0, got '30s'"),
        ("timeout(0)", "marker timeout: expected a number of seconds above 0, got 0"),
        ('timeout(float("inf"))', "marker timeout: expected a number of seconds above 0, got inf"),
        ('severity("major")', 'marker severity: expected "critical" or "warning", got \'major\''),
        ("owner()", "marker owner: "),
        ('failure_threshold("3 of 2")', "marker failure_threshold: expected a window of"),
        ('known_issue("SHOP-7", until="31.1.2027")', "marker known_issue: Invalid isoformat"),
    ],
)
def test_a_mistake_in_a_marker_is_told_and_costs_only_its_check(
    repository: Repository, mail: MailServer, marker: str, told: str
) -> None:
    repository.configure(mail_table(mail))
    repository.check("index", PASSING)
    repository.check("daily", f"import pytest\n\n@pytest.mark.{marker}\ndef test_daily(): pass")

    codes = [repository.run().code for _ in range(2)]

    assert codes == [3, 3]
    assert f"monitors/test_daily.py::test_daily is not checked: {told}" in mail.mails[0].text
    assert "1 check, all passed" in mail.mails[0].text


def test_a_fixture_that_does_not_exist_is_named(repository: Repository) -> None:
    repository.check("index", "def test_it(databse): pass")

    ran = repository.run("--no-notify")

    assert ran.code == 1
    assert "cannot tell: there is no fixture 'databse'" in ran.stdout
