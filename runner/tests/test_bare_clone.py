"""A clone works where only what Yakei depends on is installed, and beside an installed copy."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from environments import Environment, call, clone, dependencies, new_environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CHECKS = ["-m", "pytest", "monitors", "-q", "--yakei-config", "example/yakei.toml"]
RUN = ["-m", "yakei", "run", "-c", "example/yakei.toml"]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with what Yakei depends on, and without Yakei."""
    environment = new_environment(tmp_path_factory.mktemp("bare") / "venv")
    environment.install(*dependencies())
    return environment


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A clone whose example application has its first day: a queue is too long."""
    folder = clone(tmp_path / "a clone")
    assert call([sys.executable, "example/day.py"], folder=folder).returncode == 0
    return folder


def test_yakei_is_not_installed_there(bare: Environment, tmp_path: Path) -> None:
    ran = call([bare.python, "-c", "import yakei"], folder=tmp_path)

    assert "No module named 'yakei'" in ran.stdout


def test_plain_pytest_finds_the_plugin_through_conftest(bare: Environment, copy: Path) -> None:
    ran = call([bare.python, *CHECKS], folder=copy)

    assert "AssertionError: waiting: 1396 rows (limit: below 1000)" in ran.stdout
    assert "example/yakei.toml" in ran.stdout


def test_the_runner_starts_pytest_with_the_clones_packages(bare: Environment, copy: Path) -> None:
    ran = call([bare.python, *RUN], folder=copy, PYTHONPATH="runner:plugins")

    assert ran.returncode == 75
    assert "queue analyze_page: waiting: 1396 rows (limit: below 1000)" in ran.stdout


def test_the_runner_finds_them_from_another_folder_too(
    bare: Environment, copy: Path, tmp_path: Path
) -> None:
    paths = f"{copy}/runner:{copy}/plugins"
    run = [*RUN[:-1], copy / "example/yakei.toml"]
    ran = call([bare.python, *run], folder=tmp_path, PYTHONPATH=paths)

    assert "queue analyze_page: waiting: 1396 rows (limit: below 1000)" in ran.stdout


def test_a_clone_beside_an_installed_copy_registers_the_plugin_once(copy: Path) -> None:
    """Otherwise pytest stops with "Plugin already registered under a different name"."""
    ran = call([sys.executable, *CHECKS], folder=copy)

    assert "already registered" not in ran.stdout
    assert "AssertionError: waiting: 1396 rows (limit: below 1000)" in ran.stdout
