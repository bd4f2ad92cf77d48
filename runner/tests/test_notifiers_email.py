"""The e-mail channel, against an SMTP server and a sendmail."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta
from pathlib import Path

import pytest
from receivers import (
    Certificate,
    MailServer,
    Sendmail,
    a_message,
    stubborn_server,
)

from yakei.notifiers import DeliveryError
from yakei.notifiers.email import Email, Settings, notifier
from yakei.notifiers.letter import compose

OPS = ("ops@example.com",)
SENDER = "yakei@example.com"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate.make(tmp_path_factory.mktemp("certificate"))


def email_by(
    port: int, *, scheme: str = "smtp", login: str = "", more: str = "", timeout: float = 10
) -> Email:
    return notifier(
        "email",
        Settings(
            to=("ops@example.com", "Bob <bob@example.com>"),
            sender="yakei@example.com",
            smtp=f"{scheme}://{login}127.0.0.1:{port}{more}",
            timeout=timedelta(seconds=timeout),
        ),
    )


def failure_of(email: Email) -> DeliveryError:
    with pytest.raises(DeliveryError) as failure:
        email.notify(a_message())
    return failure.value


# What arrives


def test_a_mail_has_the_headers_that_people_and_programs_look_for() -> None:
    with MailServer() as server:
        email_by(server.port).notify(a_message())

    mail = server.mails[0].message
    assert mail["Subject"] == "[CRIT] app01 queue analyze_page: 1396 waiting (limit 1000)"
    assert (mail["From"], mail["To"]) == (
        "yakei@example.com",
        "ops@example.com, Bob <bob@example.com>",
    )
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Yakei-Run"] == "20100118-0305-4711"
    assert mail["Date"].datetime.tzinfo
    assert mail["Message-ID"].endswith("@example.com>")
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


def test_every_recipient_gets_the_same_mail() -> None:
    with MailServer() as server:
        email_by(server.port).notify(a_message())

    assert [mail.recipients for mail in server.mails] == [["ops@example.com", "bob@example.com"]]


def test_the_body_arrives_as_it_was_written() -> None:
    body = "1396 < 1000\n.\n.hidden dot\n\tChanged   03:00  212\n" + "x" * 3_000 + "\n夜警 ✓\n"
    with MailServer() as server:
        email_by(server.port).notify(a_message(body=body))

    assert server.mails[0].text.replace("\r\n", "\n") == body


def test_a_subject_in_japanese_with_a_newline_is_one_header() -> None:
    subject = "[CRIT] 待ち行列が長すぎます: 1396 件\r\nBcc: victim@example.com"
    with MailServer() as server:
        email_by(server.port).notify(a_message(subject=subject))

    (mail,) = server.mails
    assert mail.message["Subject"] == " ".join(subject.split())
    assert mail.message["Bcc"] is None
    assert b"\nBcc" not in mail.raw


@pytest.mark.parametrize("body", ["x" * 5_000, "夜" * 5_000, "a\x1b[31m\udc80\r" * 500])
def test_no_line_is_longer_than_mail_allows(body: str) -> None:
    """RFC 5322, 2.1.1: 998 characters, and 8 bits only where the server offers them."""
    with MailServer() as server:
        email_by(server.port).notify(a_message(subject=body, body=body))

    raw = server.mails[0].raw
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert raw.isascii()


# Encryption and login


def test_a_login_over_starttls_sends_the_mail_encrypted(certificate: Certificate) -> None:
    server = MailServer(login=("ops", "p@ss/w0rd"), encryption="starttls", certificate=certificate)
    with server:
        more = f"?starttls=1&cafile={certificate.path}"
        email_by(server.port, login="ops:p%40ss%2Fw0rd@", more=more).notify(a_message())

    (mail,) = server.mails
    assert (mail.encrypted, mail.user) == (True, "ops")


def test_smtps_is_encrypted_from_the_first_byte(certificate: Certificate) -> None:
    with MailServer(encryption="tls", certificate=certificate) as server:
        more = f"?cafile={certificate.path}"
        email_by(server.port, scheme="smtps", more=more).notify(a_message())

    assert server.mails[0].encrypted


@pytest.mark.parametrize(("scheme", "encryption"), [("smtp", "starttls"), ("smtps", "tls")])
def test_a_server_that_nobody_vouches_for_gets_no_password(
    certificate: Certificate, scheme: str, encryption: str
) -> None:
    server = MailServer(login=("ops", "s3cr3t"), encryption=encryption, certificate=certificate)  # type: ignore[arg-type]  # the parametrized words
    with server:
        more = "?starttls=1" if scheme == "smtp" else ""
        failure = failure_of(email_by(server.port, scheme=scheme, login="ops:s3cr3t@", more=more))

    assert "certificate is not trusted" in str(failure)
    assert server.mails == []


def test_starttls_that_is_not_offered_is_no_reason_to_go_on_in_clear() -> None:
    with MailServer() as server:
        failure = failure_of(email_by(server.port, more="?starttls=1"))

    assert str(failure) == "the server does not offer STARTTLS"
    assert server.mails == []


def test_a_wrong_password_is_permanent_and_not_repeated() -> None:
    with MailServer(login=("ops", "right")) as server:
        failure = failure_of(email_by(server.port, login="ops:wr0ng-s3cr3t@"))

    assert str(failure) == "answered 535 to the user and password"
    assert failure.permanent


# Refusals


@pytest.mark.parametrize(
    ("reply", "permanent"),
    [("550 5.1.1 no such user", True), ("450 4.2.0 mailbox busy, try later", False)],
)
def test_when_every_recipient_is_refused_nothing_was_delivered(reply: str, permanent: bool) -> None:
    refused = dict.fromkeys(("ops@example.com", "bob@example.com"), reply)
    with MailServer(refused=refused) as server:
        failure = failure_of(email_by(server.port))

    assert f"refused every recipient: ops@example.com: {reply}" in str(failure)
    assert (failure.permanent, failure.delivered) == (permanent, False)


def test_when_one_recipient_is_refused_the_others_have_it_and_the_refusal_is_said() -> None:
    with MailServer(refused={"bob@example.com": "550 5.1.1 no such user"}) as server:
        failure = failure_of(email_by(server.port))

    assert failure.delivered
    assert str(failure) == "refused 1 of the recipients: bob@example.com: 550 5.1.1 no such user"
    assert server.mails[0].recipients == ["ops@example.com"]


@pytest.mark.parametrize(
    ("reply", "permanent"),
    [("552 5.3.4 message too big", True), ("451 4.3.0 local error", False)],
)
def test_a_mail_that_is_refused_is_not_delivered(reply: str, permanent: bool) -> None:
    with MailServer(data_reply=reply) as server:
        failure = failure_of(email_by(server.port))

    assert (str(failure), failure.permanent) == (f"answered {reply}", permanent)


def test_a_server_that_is_not_available_says_so() -> None:
    with stubborn_server(b"421 4.3.2 service not available\r\n", then="close") as port:
        failure = failure_of(email_by(port))

    assert str(failure) == "answered 421 4.3.2 service not available"


@pytest.mark.parametrize("moment", ["before the mail", "after the mail", "after taking it"])
def test_a_connection_that_breaks_without_an_answer_is_no_delivery(moment: str) -> None:
    """After the final dot it may be one: then the mail comes twice, with the same Message-ID."""
    with MailServer(drop=moment) as server:  # type: ignore[arg-type]  # the parametrized words
        failure = failure_of(email_by(server.port))

    assert "closed the connection" in str(failure) or "connection reset" in str(failure)
    assert not failure.permanent


def test_a_mail_that_was_taken_without_an_answer_is_recognised_when_it_comes_again() -> None:
    with MailServer(drop="after taking it") as server:
        failure_of(email_by(server.port))
        server.drop = ""
        email_by(server.port).notify(a_message(body="Late by 5 min: …"))

    first, again = (mail.message["Message-ID"] for mail in server.mails)
    assert first == again


def test_a_server_that_never_answers_to_the_mail_is_given_up_in_time() -> None:
    with MailServer(silent=True) as server:
        assert str(failure_of(email_by(server.port, timeout=0.5))) == "no answer within 0.5 s"


def test_a_login_that_is_refused_for_now_is_tried_again() -> None:
    with MailServer(login=("ops", "right"), login_reply="454 4.7.0 try later") as server:
        failure = failure_of(email_by(server.port, login="ops:wr0ng-s3cr3t@"))

    assert (str(failure), failure.permanent) == ("answered 454 to the user and password", False)


def test_a_closed_port_is_said(closed_port: int) -> None:
    assert str(failure_of(email_by(closed_port))) == "connection refused"


@pytest.mark.parametrize("then", ["silence", "trickle"])
def test_a_slow_server_is_given_up_in_time(then: str) -> None:
    started = time.monotonic()
    with stubborn_server(then=then) as port:  # type: ignore[arg-type]  # the parametrized words
        failure = failure_of(email_by(port, timeout=0.2))

    assert str(failure) == "no answer within 0.2 s"
    assert time.monotonic() - started < 5


# sendmail


@pytest.fixture
def by_sendmail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Email:
    monkeypatch.setenv("PATH", f"{tmp_path}")
    settings = Settings(to=OPS, sender="yakei@example.com", timeout=timedelta(seconds=10))
    return notifier("email", settings)


def test_without_smtp_the_local_sendmail_reads_the_recipients_from_the_mail(
    tmp_path: Path, by_sendmail: Email
) -> None:
    sendmail = Sendmail.install(tmp_path)
    by_sendmail.notify(a_message())

    assert sendmail.arguments == "-t -i"
    assert sendmail.mail.message["To"] == "ops@example.com"
    assert b"\r\n" not in sendmail.mail.raw


def test_a_sendmail_that_fails_is_said_with_its_words(tmp_path: Path, by_sendmail: Email) -> None:
    Sendmail.install(tmp_path, "echo 'queue: read-only file system' >&2; exit 75")
    failure = failure_of(by_sendmail)

    assert str(failure) == "sendmail exited with 75: queue: read-only file system"
    assert not failure.permanent


def test_a_sendmail_that_knows_no_such_user_is_permanent(
    tmp_path: Path, by_sendmail: Email
) -> None:
    Sendmail.install(tmp_path, "exit 67")

    assert failure_of(by_sendmail).permanent


def test_a_sendmail_that_is_killed_is_no_delivery(tmp_path: Path, by_sendmail: Email) -> None:
    Sendmail.install(tmp_path, "kill -9 $$")

    assert str(failure_of(by_sendmail)) == "sendmail died by SIGKILL"


def test_a_missing_sendmail_says_what_to_do(by_sendmail: Email) -> None:
    assert "install one, or set smtp" in str(failure_of(by_sendmail))


def test_a_sendmail_that_hangs_is_ended_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Sendmail.install(tmp_path, "/bin/sleep 60 & echo $! > ${0%/*}/child; wait")
    monkeypatch.setenv("PATH", f"{tmp_path}")
    settings = Settings(to=OPS, timeout=timedelta(seconds=1))

    assert "has not ended within 1 s" in str(failure_of(notifier("email", settings)))
    child = int((tmp_path / "child").read_text())
    assert not Path(f"/proc/{child}/cmdline").exists() or not is_running(child)


def is_running(pid: int) -> bool:
    """A killed process whose parent has not asked for its status is a zombie, and not running."""
    return ") Z " not in Path(f"/proc/{pid}/stat").read_text()


def test_a_sendmail_that_delivers_in_the_background_is_not_waited_for(
    tmp_path: Path, by_sendmail: Email
) -> None:
    Sendmail.install(tmp_path, "/bin/sleep 60 & echo $! > ${0%/*}/child; exit 0")
    started = time.monotonic()
    by_sendmail.notify(a_message())
    os.kill(int((tmp_path / "child").read_text()), signal.SIGKILL)

    assert time.monotonic() - started < 5


# Settings


@pytest.mark.parametrize(
    "address",
    [
        "ops@example.com\nBcc: victim@example.com",
        "ops@example.com, victim@example.com",
        "ops@",
        "ops at example.com",
        "opsé@example.com",
        "",
    ],
)
def test_what_is_not_one_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"^to: expected an address"):
        Settings(to=(address,))
    with pytest.raises(ValueError, match=r"^from: expected an address"):
        Settings(to=OPS, sender=address)


@pytest.mark.parametrize("address", ["root", "ops@localhost", "当番 <ops@example.com>"])
def test_local_users_and_names_are_addresses_too(address: str) -> None:
    mail = compose(a_message(), SENDER, (address,))

    assert str(mail["To"]) == address


def test_no_recipient_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="to: expected at least one"):
        Settings(to=())


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mail.example.com:587", "expected smtp://"),
        ("https://mail.example.com", "expected smtp://"),
        ("smtp://ops:s3cr3t/x@mail.example.com", "expected smtp://"),
        ("smtp://ops:s3cr3t#x@mail.example.com", "expected smtp://"),
        ("smtp://mail.example.com:s3cr3t", "expected smtp://"),
        ("smtp://ops:s3cr3té@mail.example.com", "ASCII"),
        ("smtp://ops@mail.example.com", "expected a user and a password"),
        ("smtp://mail.example.com?startls=1", "starttls, got startls"),
        ("smtp://mail.example.com?starttls=yes", "expected starttls=1 or starttls=0"),
        ("smtp://mail.example.com?cafile=/nowhere/ca.pem", "absolute path of a file"),
        ("smtp://ops:s3cr3t@mail.example.com", "does not travel in clear"),
    ],
)
def test_an_smtp_url_that_cannot_be_used_is_refused_without_the_password(
    url: str, expected: str
) -> None:
    with pytest.raises(ValueError, match=r"^smtp: expected") as refusal:
        Settings(to=OPS, smtp=url)

    assert expected in str(refusal.value)
    assert "s3cr3t" not in str(refusal.value)


def test_a_password_in_clear_is_possible_for_who_asks_for_it() -> None:
    assert Settings(to=OPS, smtp="smtp://ops:secret@mail.example.com?starttls=0")
