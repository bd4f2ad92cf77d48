"""Resolves `app:`, `env:` and `file:` references, and remembers where each value came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from yakei_shared.application import AppConfig
from yakei_shared.errors import ConfigurationError, MissingConfigurationError
from yakei_shared.redaction import Redactor, looks_secret

SCHEMES = ("app:", "env:", "file:")


class Resolver:
    """Turns the values of one configuration file into what they refer to.

    A reference that cannot be resolved is an error that names it, never an empty string.
    """

    def __init__(
        self,
        source: Path,
        *,
        application: Callable[[], AppConfig],
        environment: Mapping[str, str],
        redactor: Redactor,
    ) -> None:
        self._source = source
        self._application = application
        self._environment = environment
        self._redactor = redactor
        self.origins: dict[str, str] = {}
        """For each key that was a reference: the reference."""

    def resolve(self, value: object, key: str, *, secret: bool = False) -> object:
        """Return the value itself, or what it refers to.

        Args:
            value: as the file has it.
            key: its dotted path in the file, for errors and origins.
            secret: whether the value must never be shown.

        Raises:
            ConfigurationError: the reference leads nowhere, or to nothing.
        """
        resolved = value
        if isinstance(value, str) and value.startswith(SCHEMES):
            scheme, _, name = value.partition(":")
            resolved = {"app": self._app, "env": self._env, "file": self._file}[scheme](name, key)
            self.origins[key] = value
            secret = secret or looks_secret(name.rpartition("/")[2])
        if secret or looks_secret(key.rpartition(".")[2]):
            self._redactor.learn(resolved)
        self._redactor.learn_settings(resolved)
        return resolved

    def _app(self, name: str, key: str) -> object:
        try:
            value = self._application()[name]
        except KeyError as error:
            raise ConfigurationError(self._source, key, str(error)) from None
        if value is None or value == "":
            problem = f"app:{name} is empty in {self._application().source}"
            raise ConfigurationError(self._source, key, problem)
        return value

    def _env(self, name: str, key: str) -> str:
        value = self._environment.get(name, "").strip()
        if not value:
            state = "empty" if name in self._environment else "not set"
            problem = f"the environment variable {name} is {state} (env:{name})"
            raise MissingConfigurationError(self._source, key, problem)
        return value

    def _file(self, name: str, key: str) -> str:
        try:
            path = self._source.parent / Path(name).expanduser()
        except RuntimeError:
            problem = f"expected a path, got file:{name}: there is no such user here"
            raise ConfigurationError(self._source, key, problem) from None
        try:
            value = path.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            problem = f"{path} does not exist (file:{name})"
            raise MissingConfigurationError(self._source, key, problem) from None
        except OSError as error:
            problem = f"cannot read {path}: {error.strerror} (file:{name})"
            raise ConfigurationError(self._source, key, problem) from None
        except UnicodeDecodeError:
            problem = f"{path} is not UTF-8 text (file:{name})"
            raise ConfigurationError(self._source, key, problem) from None
        if not value:
            raise ConfigurationError(self._source, key, f"{path} is empty (file:{name})")
        return value
