"""The exceptions for a configuration that cannot be used."""

from __future__ import annotations


class ConfigurationError(Exception):
    """A setting cannot be used; its text is one line that says file, key and what was expected.

    The text is meant for people: it is printed as it is, without a traceback, and never holds a
    secret's value.
    """

    def __init__(self, source: object, key: str, problem: str) -> None:
        """Say where (`source` is a file's path), which key, and what is wrong or expected."""
        where = f"{source}: {key}" if key else str(source)
        super().__init__(" ".join(f"{where}: {problem}".split()))
        self.source = str(source)
        self.key = key
        self.problem = problem


class MissingConfigurationError(ConfigurationError):
    """Something is not configured on this machine: a file, a variable or a section is not there.

    The runner stops on it as on every other mistake; plain `pytest` skips the check that asks.
    """
