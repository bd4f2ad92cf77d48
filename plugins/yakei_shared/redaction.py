"""Keeps secrets out of every text that leaves the process."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from yakei_shared.leaves import leaves

REDACTED = "[redacted]"

_OUR_WORDS = frozenset(
    {"checks", "event", "kind", "nodeid", "not_due", "outcome", "severity", "status", "timeouts"}
)
"""Where a document holds words of ours: a password may be `test` or `passed`."""
_SHORTEST = 4
"""A shorter secret is not searched for: it would black out innocent words."""
_UNMISTAKABLE = 8
"""Characters from which on a secret is searched for inside words too."""
_TELLING_LINE = 16
"""Characters of a line of a key that nobody would write by chance."""

_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?$|_pwd$|^pwd$|secret|token|api_?key|access_?key|private_?key"
    r"|credential|webhook|^salt$|signing_?key|encryption_?key",
    re.IGNORECASE,
)
_KEY_NAME = re.compile(r"(^|[_.-])(key|auth|pat|psk)$", re.IGNORECASE)
_KEY = re.compile(
    r"(?!(?:[a-z]+\d{0,4}|\d{1,4})(?:[_./-](?:[a-z]+\d{0,4}|\d{1,4}))+$)"
    r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9+=_][A-Za-z0-9+/=_.~-]{15,}(?<!\.\w\w\w)",
    re.ASCII,
)
"""What such a name stands for when it is a secret: neither words in a row nor a file's path."""
_URL_START = r"\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s/:@'\"]*:"
_UNENCODED = r"(?!\d{1,5}/)(?:(?!://)[^\s'\"?])+"
"""A password may hold an @ and a / that somebody forgot to encode; a port, and then a path with an
@ in it, is none, and the next URL begins anew."""
_URL_PASSWORDS = (
    re.compile(rf"{_URL_START}([^\s/'\"]+)@"),
    re.compile(rf"{_URL_START}({_UNENCODED})@"),
)
_WEB_PATH = re.compile(r"https?://[^\s/]+(/\S{8,})$", re.IGNORECASE)
"""Path and query of a URL that is a secret as a whole, as a webhook is."""
_SHAPES = (
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\Z)", re.DOTALL),
        REDACTED,
    ),
    (
        re.compile(
            r"([?&](?:key|sig|signature|auth|sas|x-amz-[a-z-]+)=)[^&\s'\")]+", re.IGNORECASE
        ),
        rf"\1{REDACTED}",
    ),
    (re.compile(rf"({_URL_START})(?:{_UNENCODED}|[^\s/'\"]+)(@)"), rf"\1{REDACTED}\2"),
    (re.compile(r"(hooks\.slack(?:-gov)?\.com/)[^\s'\"<>|]+"), rf"\1{REDACTED}"),
    (re.compile(r"(hc-ping\.com/)[^\s'\"<>|]+"), rf"\1{REDACTED}"),
    (re.compile(r"\bxox[a-z]-[A-Za-z0-9-]+"), REDACTED),
    (re.compile(r"(\b(?:Bearer|Basic) )[A-Za-z0-9+/=._~-]{8,}"), rf"\1{REDACTED}"),
    (
        re.compile(
            r"((?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key)"
            r"[\w-]*[\"']?\s*(?:=|:(?=\s*[\"'])|\s=>)\s*[\"']?)(?!\[redacted\])[^\s\"'&,;)}\]]+",
            re.IGNORECASE,
        ),
        rf"\1{REDACTED}",
    ),
    (re.compile(r"(--?(?:password|passwd|token|secret)[ =])(?!\[redacted\])\S+"), rf"\1{REDACTED}"),
)


def _pattern(secret: str) -> str:
    """Return the expression that finds a secret; a word as short as `test` only as a word."""
    if len(secret) < _UNMISTAKABLE and secret.isalnum():
        return rf"(?<![A-Za-z0-9_]){re.escape(secret)}(?![A-Za-z0-9_])"
    return re.escape(secret)


def looks_secret(name: str) -> bool:
    """Return whether a setting of this name holds a secret, judging by the name alone."""
    return bool(_SECRET_NAME.search(name))


class Redactor:
    """Knows the secrets met so far, and the shapes that secrets have."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._known: re.Pattern[str] | None = None

    def __repr__(self) -> str:
        return f"<Redactor of {len(self._secrets)} secrets>"

    @property
    def knows_secrets(self) -> bool:
        """Whether it has met any."""
        return bool(self._secrets)

    def learn(self, secret: object) -> None:
        """Remember a secret, also as it looks percent-encoded or escaped inside quotes."""
        text = str(secret)
        if len(text.strip()) < _SHORTEST:
            return
        escaped = text.encode("unicode_escape").decode()
        lines = text.splitlines() if "\n" in text.strip() else []
        self._secrets |= {line.strip() for line in lines if len(line.strip()) >= _TELLING_LINE}
        if path := _WEB_PATH.match(text.strip()):  # libraries' errors show it without its host
            self._secrets.add(path[1])
        self._secrets |= {text, text.strip(), quote(text, safe=""), unquote(text), escaped}
        self._known = None

    def learn_url(self, text: str) -> None:
        """Remember the password of a URL, wherever in the text the URL stands."""
        for pattern in _URL_PASSWORDS:
            for password in pattern.findall(text):
                self.learn(password)

    def learn_settings(self, settings: object) -> None:
        """Remember all that looks secret in nested settings: by its key's name, or as a URL."""
        for name, value in leaves(settings):
            if isinstance(value, str):
                self.learn_url(value)
            named = looks_secret(name) and not isinstance(value, bool | float)
            text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
            if named or (_KEY_NAME.search(name) and _KEY.fullmatch(text)):
                self.learn(text)

    def redact(self, text: str) -> str:
        """Return the text without any known secret and without anything shaped like one."""
        if self._secrets:
            if self._known is None:
                longest_first = sorted(self._secrets, key=len, reverse=True)
                self._known = re.compile("|".join(map(_pattern, longest_first)))
            text = self._known.sub(REDACTED, text)
        for shape, replacement in _SHAPES:
            text = shape.sub(replacement, text)
        return text

    def redact_values(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Return a document of ours redacted: its keys, ids and outcomes are our own words.

        Ids hold no secret: those of parameters are cleaned when they are made. A check's memory is
        its own, keys included.
        """
        own = {key: self.redact_all(value) for key, value in facts.items() if key == "memory"}
        ours = {key: value for key, value in facts.items() if key in _OUR_WORDS}
        rest = facts.keys() - own.keys() - ours.keys()
        redacted = {key: self._redact_value(facts[key]) for key in facts if key in rest}
        return {key: (own | ours | redacted)[key] for key in facts}

    def _redact_value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, Mapping):
            return self.redact_values(value)
        if isinstance(value, list | tuple):
            return [self._redact_value(item) for item in value]
        return value

    def redact_all(self, value: object) -> object:
        """Return a JSON-like value with every text in it redacted, keys included."""
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, Mapping):
            return {self.redact(str(key)): self.redact_all(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.redact_all(item) for item in value]
        return value
