"""The application's own settings, in the format that the application keeps them in."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from yakei_shared import settings_module
from yakei_shared.application import AppConfig, load_application
from yakei_shared.errors import ConfigurationError, MissingConfigurationError

FORMATS = {
    "settings.toml": '[database]\nurl = "sqlite:///a.db"\n',
    "settings.yaml": "database:\n  url: sqlite:///a.db\n",
    "settings.json": '{"database": {"url": "sqlite:///a.db"}}',
    "settings.ini": "[database]\nurl = sqlite:///a.db\n",
    "dotted.json": '{"database.url": "sqlite:///a.db"}',
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_dotted_path_leads_to_a_setting_in_every_format(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(FORMATS[name], encoding="utf-8")

    settings = load_application(name, tmp_path, "yakei.toml")

    assert settings["database.url"] == "sqlite:///a.db"
    assert "database.nope" not in settings


def test_an_env_file_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text('# local\nexport URL="sqlite:///a.db"\n', encoding="utf-8")

    assert load_application(".env", tmp_path, "yakei.toml")["URL"] == "sqlite:///a.db"


def test_an_ini_value_with_a_percent_sign_is_taken_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "a.ini").write_text("[db]\nurl = postgres://u:a%40b@h\n", encoding="utf-8")

    assert load_application("a.ini", tmp_path, "yakei.toml")["db.url"] == "postgres://u:a%40b@h"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Path]:
    """Give a folder with a settings module; what it puts into the interpreter is taken out."""
    (tmp_path / "shop_of_a_test").mkdir()
    (tmp_path / "shop_of_a_test/__init__.py").touch()
    (tmp_path / "shop_of_a_test/settings.py").write_text(
        'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "a.db"}}\n'
        "class Production:\n    DEPTH = 12\n",
        encoding="utf-8",
    )
    path = list(sys.path)
    yield tmp_path
    sys.path[:] = path
    for name in [name for name in sys.modules if name.startswith("shop_of_a_test")]:
        del sys.modules[name]


def test_a_settings_module_is_imported(shop: Path) -> None:
    settings = load_application("python:shop_of_a_test.settings", shop, "yakei.toml")

    assert settings["DATABASES.default.NAME"] == "a.db"


@pytest.mark.parametrize("separator", [".", ":"])
def test_an_object_of_a_module_is_taken(shop: Path, separator: str) -> None:
    dotted = f"python:shop_of_a_test.settings{separator}Production"

    assert load_application(dotted, shop, "yakei.toml")["DEPTH"] == 12


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ("python:shop_of_a_test.nope", "cannot find"),
        ("python:no_such_package.settings", "cannot import"),
        ("settings.xml", "expected one of .toml"),
    ],
)
def test_settings_that_cannot_be_had_are_one_clear_line(
    shop: Path, config: str, problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=rf"yakei\.toml: app\.config: .*{problem}"):
        load_application(config, shop, "yakei.toml")


def test_a_module_that_raises_says_which_and_what(shop: Path) -> None:
    (shop / "shop_of_a_test/broken.py").write_text("1 / 0\n", encoding="utf-8")

    with pytest.raises(ConfigurationError, match="broken raised ZeroDivisionError"):
        load_application("python:shop_of_a_test.broken", shop, "yakei.toml")


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        pytest.param("import sys; sys.exit(0)", "raised SystemExit: 0", id="exits"),
        pytest.param("import os; os._exit(0)", "raised SystemExit: 0", id="ends the process"),
        pytest.param(
            "import time; time.sleep(80)", "raised TimeoutError: it had not ended", id="hangs"
        ),
    ],
)
def test_a_module_cannot_end_or_hold_who_asks_for_settings(
    shop: Path, monkeypatch: pytest.MonkeyPatch, code: str, problem: str
) -> None:
    """Or a run would be silent, with 0, for what has judged nothing."""
    monkeypatch.setattr(settings_module, "_LONGEST_IMPORT", 0.2)
    monkeypatch.setattr(signal, "getitimer", lambda _: (0.0, 0.0))  # this test has a timeout, too
    (shop / "shop_of_a_test/broken.py").write_text(f"{code}\n", encoding="utf-8")
    leave = os._exit

    with pytest.raises(ConfigurationError, match=f"broken {problem}"):
        load_application("python:shop_of_a_test.broken", shop, "yakei.toml")

    assert os._exit is leave


def test_a_child_that_the_settings_fork_may_end(shop: Path) -> None:
    code = "import os\npid = os.fork()\nif not pid: os._exit(3)\nstatus = os.waitpid(pid, 0)[1]\n"
    (shop / "shop_of_a_test/forks.py").write_text(code, encoding="utf-8")
    settings = load_application("python:shop_of_a_test.forks", shop, "yakei.toml")

    assert os.waitstatus_to_exitcode(settings["status"]) == 3


def test_a_missing_file_is_told_apart_from_a_broken_one(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("= 1", encoding="utf-8")

    with pytest.raises(MissingConfigurationError, match=r"nope\.toml do not exist"):
        load_application("nope.toml", tmp_path, "yakei.toml")
    with pytest.raises(ConfigurationError, match=r"broken\.toml: does not parse"):
        load_application("broken.toml", tmp_path, "yakei.toml")


def test_a_missing_setting_says_where_it_looked_and_what_is_near() -> None:
    settings = AppConfig({"database": {"url": "x"}}, "production.toml")

    with pytest.raises(KeyError) as raised:
        settings["database.ur"]

    assert str(raised.value) == (
        'production.toml has no setting "database.ur": no ur under database; did you mean url?'
    )


def test_its_repr_shows_no_value() -> None:
    assert "hush" not in repr(AppConfig({"password": "hush"}, "production.toml"))
