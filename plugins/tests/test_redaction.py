"""Secrets are taken out of every text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import NamedTuple

import pytest

from yakei_shared.redaction import REDACTED, Redactor, looks_secret


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("postgres://app:S3cr3t@db01/app", id="the password of a URL"),
        pytest.param("postgres://app:p@S3cr3t/x@db01/app", id="one with an @ and a /"),
        pytest.param("mysql+pymysql://u:S3cr3t@h:3306/q?charset=utf8", id="a SQLAlchemy URL"),
        pytest.param("redis://:S3cr3t@cache", id="a URL without a user"),
        pytest.param("host=db password=S3cr3t dbname=app", id="a libpq DSN"),
        pytest.param("mysqldump --password=S3cr3t app", id="an option"),
        pytest.param("mysqldump --password S3cr3t app", id="an option's next word"),
        pytest.param("{'password': 'S3cr3t'}", id="a dictionary's repr"),
        pytest.param('{"api_key": "S3cr3t"}', id="JSON"),
        pytest.param("DB_PASSWORD=S3cr3t", id="an environment variable"),
        pytest.param("https://hooks.slack.com/services/T0/B0/S3cr3t", id="a Slack webhook"),
        pytest.param("Authorization: Bearer S3cr3tS3cr3t", id="a header"),
        pytest.param("xoxb-S3cr3t-1234", id="a Slack token"),
        pytest.param("GET /v1?page=2&key=S3cr3t&x=1", id="a key in a query string"),
        pytest.param("-----BEGIN RSA PRIVATE KEY-----\nS3cr3t\n", id="a private key"),
    ],
)
def test_what_is_shaped_like_a_secret_is_taken_out_unlearned(text: str) -> None:
    redacted = Redactor().redact(text)

    assert "S3cr3t" not in redacted
    assert REDACTED in redacted


@pytest.mark.parametrize(
    "text",
    [
        "queue analyze_page: 1396 rows (limit: below 1000)",
        "connection refused at 127.0.0.1:5432",
        "https://wiki.example.com/ops/queue-lag",
        "token: none found",
        "http://status.example.com:8080/users/@bob",
        "12:30:05 the secretary said hello",
    ],
)
def test_an_innocent_text_stays_as_it_is(text: str) -> None:
    assert Redactor().redact(text) == text


def test_a_learned_secret_is_found_however_it_is_written() -> None:
    redactor = Redactor()
    redactor.learn('p"ä s/s')

    written = ['p"ä s/s', "p%22%C3%A4%20s%2Fs", json.dumps('p"ä s/s')]

    assert all(redactor.redact(f"x {text} y") != f"x {text} y" for text in written[:2])
    assert redactor.redact("p%22%C3%A4%20s%2Fs") == REDACTED


def test_settings_teach_their_secrets_by_name_and_by_url() -> None:
    redactor = Redactor()
    redactor.learn_settings(
        {"database": {"url": "postgres://u:fromurl@h/d"}, "mail": [{"smtp_password": "byname"}]}
    )

    assert redactor.redact("fromurl and byname") == f"{REDACTED} and {REDACTED}"


class Deeper:
    """Settings as classes, which an application may nest."""

    api_key = "of-a-class"


@dataclass(slots=True)
class Slotted:
    """Settings as objects without a dictionary."""

    password: str = "of-a-slot"


class Declared:
    """A value that says itself that it is secret, as pydantic's SecretStr."""

    def get_secret_value(self) -> str:  # noqa: D102 - pydantic's name
        return "as-declared"


class Pair(NamedTuple):
    """Settings as a tuple with names."""

    user: str
    password: str


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        pytest.param(Deeper, "of-a-class", id="a class"),
        pytest.param(Deeper(), "of-a-class", id="an object of it"),
        pytest.param(Slotted(), "of-a-slot", id="slots"),
        pytest.param(SimpleNamespace(db=SimpleNamespace(password="below")), "below", id="levels"),
        pytest.param(Declared(), "as-declared", id="a declared secret"),
        pytest.param(Pair("u", "of-a-pair"), "of-a-pair", id="a named tuple"),
        pytest.param([{"url": "mysql://u:p@deep/er@h/d"}], "p@deep/er", id="a URL in a list"),
    ],
)
def test_a_settings_module_teaches_what_is_further_down(value: object, secret: str) -> None:
    module = ModuleType("settings")
    module.__dict__["DATABASE"] = value
    redactor = Redactor()

    redactor.learn_settings(module)

    assert redactor.redact(f"x {secret} y") == f"x {REDACTED} y"


class Hostile:
    """An object that wants nobody to look at it."""

    def __getattribute__(self, name: str) -> object:
        raise RuntimeError("not ready yet")


def test_settings_that_go_in_circles_or_resist_do_not_stop_the_run() -> None:
    circle: dict[str, object] = {"password": "in-a-circle", "hostile": Hostile()}
    circle["again"] = circle
    redactor = Redactor()

    redactor.learn_settings({"resists": Hostile(), "circle": circle})

    assert redactor.redact("in-a-circle") == REDACTED


def test_a_number_and_each_line_of_a_key_are_secrets_too() -> None:
    redactor = Redactor()
    lines = "MIIEpAIBAAKCAQEA7\nq2cW9xkL0pZsD3vTb"
    redactor.learn_settings({"password": 48151623, "private_key": lines})

    redacted = redactor.redact("login with 48151623; " + lines.splitlines()[1])

    assert redacted == f"login with {REDACTED}; {REDACTED}"


@pytest.mark.parametrize("name", ["key", "stripe_key", "license-key", "auth", "STRIPE_KEY"])
def test_a_key_that_no_word_is_like_is_a_secret(name: str) -> None:
    redactor = Redactor()
    redactor.learn_settings({"billing": {name: "sk_live_4eC39HqLyjWDarjt"}})

    assert redactor.redact("said sk_live_4eC39HqLyjWDarjt") == f"said {REDACTED}"


def test_a_key_of_bytes_is_one_too() -> None:
    redactor = Redactor()
    redactor.learn_settings({"fernet": {"key": b"8cozhW9kSi5poZ6TWFuMCpbHLGnrvEmZ"}})

    assert "8cozhW9k" not in redactor.redact("said 8cozhW9kSi5poZ6TWFuMCpbHLGnrvEmZ")


@pytest.mark.parametrize(
    "value",
    [
        "updated_at",
        "user:profile:version2",
        "/etc/ssl/private/server2.key",
        "certificates/server2.pem",
        "primary_key_of_the_table",
        "analyze_page_2024_01",
        "order_items.v2.high",
        "shop-cache-prefix-v2",
        "certs/shop2024/serverkey",
        "2026112712000000",
    ],
)
def test_a_key_of_another_kind_is_none(value: str) -> None:
    redactor = Redactor()
    redactor.learn_settings({"key": value})

    assert redactor.redact(f"said {value}") == f"said {value}"


def test_a_common_word_is_a_secret_only_as_a_word() -> None:
    redactor = Redactor()
    redactor.learn("test")

    assert redactor.redact("monitors/test_it.py: test") == f"monitors/test_it.py: {REDACTED}"


def test_the_words_of_a_document_of_ours_stay() -> None:
    redactor = Redactor()
    redactor.learn("failed")

    document = {"outcome": "failed", "fact": "login failed"}
    assert redactor.redact_values(document) == {"outcome": "failed", "fact": f"login {REDACTED}"}


def test_a_very_short_secret_does_not_black_out_innocent_words() -> None:
    redactor = Redactor()
    redactor.learn("app")

    assert redactor.redact("the app is up") == "the app is up"


@pytest.mark.parametrize("name", ["password", "DB_PASSWORD", "secret_key", "apiKey", "webhook"])
def test_a_name_tells_that_its_value_is_secret(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize("name", ["path", "passenger", "max_depth", "url", "keyword"])
def test_an_innocent_name_tells_nothing(name: str) -> None:
    assert not looks_secret(name)


def test_nested_values_are_redacted_with_their_keys() -> None:
    redactor = Redactor()
    redactor.learn("hush-hush")

    assert redactor.redact_all({"hush-hush": ["a hush-hush", 3]}) == {
        REDACTED: [f"a {REDACTED}", 3]
    }


def test_the_path_of_a_secret_url_is_a_secret_by_itself() -> None:
    """As in requests' errors, which name host and path apart."""
    redactor = Redactor()
    redactor.learn_settings({"pager": {"webhook": "https://pager.example.com/hooks/Leopard88?t=1"}})

    assert redactor.redact("Max retries exceeded with url: /hooks/Leopard88?t=1 (Caused by") == (
        f"Max retries exceeded with url: {REDACTED} (Caused by"
    )
