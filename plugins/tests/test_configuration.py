"""The configuration file: each mistake ends in one line that names file, key and expectation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest

from yakei_shared.configuration import Configuration, find_configuration, load_configuration
from yakei_shared.errors import ConfigurationError
from yakei_shared.limits import Limit

Write = Callable[..., Configuration]


@dataclass(frozen=True, kw_only=True)
class ThingSettings:
    """Has one field of each type that settings may have."""

    path: Path
    depth: Limit[int] | None = None
    age: Limit[timedelta] | None = None
    members: tuple[str, ...] = ()
    ratio: float = 0.5
    strict: bool = False
    mode: Literal["fast", "deep"] = "fast"
    key: str = field(default="", repr=False, metadata={"secret": True})

    def __post_init__(self) -> None:
        if self.ratio > 1:
            raise ValueError("ratio: expected at most 1")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_(text: str, **environment: str) -> Configuration:
        path = tmp_path / "yakei.toml"
        path.write_text(text, encoding="utf-8")
        loaded = load_configuration(path)
        return Configuration(path, loaded.tables, environment=environment)

    return write_


def build(configuration: Configuration) -> ThingSettings:
    return configuration.build(ThingSettings, configuration.tables["thing"], "thing")


def test_every_type_of_setting_is_read(write: Write, tmp_path: Path) -> None:
    settings = build(
        write(
            '[thing]\npath = "data"\ndepth = { warning = 800, critical = 1000 }\nage = "5m"\n'
            'members = ["a", "b"]\nratio = 1\nstrict = true\nmode = "deep"\n'
        )
    )

    assert settings == ThingSettings(
        path=tmp_path / "data",
        depth=Limit(1000, 800),
        age=Limit(timedelta(minutes=5)),
        members=("a", "b"),
        ratio=1,
        strict=True,
        mode="deep",
    )


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        pytest.param("dept = 1", "thing.dept: unknown key; did you mean depth?", id="a typo"),
        pytest.param('depth = "abc"', 'thing.depth: expected a whole number, got "abc"', id="text"),
        pytest.param("depth = true", "thing.depth: expected a whole number, got True", id="a bool"),
        pytest.param("depth = { warning = 1 }", "got no critical", id="half a limit"),
        pytest.param("depth = { crit = 1, critical = 2 }", "got crit", id="a limit's typo"),
        pytest.param("age = 5", 'such as "90s"', id="a duration without a unit"),
        pytest.param('age = "5 minutes"', 'got "5 minutes"', id="a duration in prose"),
        pytest.param('members = "app"', 'expected a list, got "app"', id="one for a list"),
        pytest.param("members = [1]", "expected text, got 1", id="a list of something else"),
        pytest.param('mode = "slow"', "expected one of fast, deep", id="no such choice"),
        pytest.param("ratio = 2", "thing.ratio: expected at most 1", id="impossible"),
        pytest.param('key = "env:NOPE"', "variable NOPE is not set (env:NOPE)", id="no secret"),
        pytest.param('key = "env:BLANK"', "variable BLANK is empty", id="an empty secret"),
        pytest.param('key = "file:nope"', "nope does not exist (file:nope)", id="no secret file"),
        pytest.param('key = "app:a.b"', "app.config: missing", id="no application"),
    ],
)
def test_a_mistake_is_one_line_with_the_key(write: Write, line: str, problem: str) -> None:
    configuration = write(f'[thing]\npath = "x"\n{line}\n', BLANK=" ")

    with pytest.raises(ConfigurationError) as raised:
        build(configuration)

    assert problem in str(raised.value)
    assert str(raised.value).startswith(str(configuration.path))
    assert "\n" not in str(raised.value)


def test_a_missing_key_is_named(write: Write) -> None:
    with pytest.raises(ConfigurationError, match=r"thing\.path: missing"):
        build(write("[thing]\n"))


def test_a_wrong_secret_is_not_shown(write: Write) -> None:
    with pytest.raises(ConfigurationError) as raised:
        build(write('[thing]\npath = "x"\nkey = 12345678\n'))

    assert "12345678" not in str(raised.value)


def test_numbers_may_come_from_the_environment(write: Write) -> None:
    configuration = write('[thing]\npath = "x"\ndepth = "env:DEPTH"\n', DEPTH="12")

    assert build(configuration).depth == Limit(12)
    assert configuration.resolver.origins == {"thing.depth": "env:DEPTH"}


def test_a_secret_is_learned_wherever_it_comes_from(write: Write, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-a-file\n", encoding="utf-8")
    configuration = write('[thing]\npath = "x"\nkey = "file:key"\n')

    settings = build(configuration)

    assert settings.key == "from-a-file"
    assert "from-a-file" not in configuration.redactor.redact("x from-a-file") + repr(settings)


def test_a_file_that_does_not_parse_says_line_and_column(write: Write) -> None:
    with pytest.raises(ConfigurationError, match=r"yakei\.toml: does not parse: .*line 2"):
        write("[run]\nstate = \n")


def test_what_a_file_holds_is_not_shown_when_it_is_wrong(write: Write, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("open-sesame", encoding="utf-8")

    with pytest.raises(ConfigurationError) as mistake:
        _ = write('[run]\nslots = "file:key"\n').run

    assert str(mistake.value).endswith("run.slots: expected a whole number (from file:key)")


def test_a_section_that_is_present_and_empty_is_a_mistake(write: Write) -> None:
    with pytest.raises(ConfigurationError, match="0 queues configured"):
        write("[queues]\n").entries("queues")


@pytest.mark.parametrize(
    "line", ['deadline = "0s"', "slots = 0", "monitors = []", 'state = "postgresql://h/d"']
)
def test_impossible_run_settings_are_refused(write: Write, line: str) -> None:
    with pytest.raises(ConfigurationError, match=line.partition(" ")[0]):
        _ = write(f"[run]\n{line}\n").run


def test_paths_are_relative_to_the_file(write: Write, tmp_path: Path) -> None:
    run = write('[run]\nstate = "var/state"\n').run

    assert run.state == tmp_path / "var/state"
    assert run.monitors == (tmp_path / "monitors",)


def test_the_nearest_file_upwards_is_found(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.yakei.run]\n", encoding="utf-8")
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/pyproject.toml").write_text("[project]\n", encoding="utf-8")

    assert find_configuration(tmp_path / "a/b") == tmp_path / "pyproject.toml"


@pytest.mark.parametrize(
    ("line", "ours"),
    [
        ("[tool.yakei]", True),
        ("[[tool.yakei.routes]]", True),
        ('[ tool . "yakei".run ]', True),
        ("[tool.yakei-other]", False),
        ("[tool.yakei_other.run]", False),
        ("# [tool.yakei] is in yakei.toml", False),
    ],
)
def test_another_tool_whose_name_begins_like_ours_is_no_configuration(
    tmp_path: Path, line: str, ours: bool
) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[project]\n{line}\n", encoding="utf-8")

    assert bool(find_configuration(tmp_path)) == ours


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ('keep = "12h"', "run.keep: expected at least 1d"),
        ("max_size_mb = 0", "run.max_size_mb: expected at least 1"),
    ],
)
def test_what_is_kept_has_a_least_measure(write: Write, keys: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        _ = write(f"[run]\n{keys}\n").run


def test_a_pyproject_table_is_read_like_the_file(tmp_path: Path) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_text('[tool.yakei.run]\nhost = "app01"\n', encoding="utf-8")

    assert load_configuration(project).run.host == "app01"
