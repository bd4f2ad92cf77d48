"""Who may import whom."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "yakei": ROOT / "runner/yakei",
    "pytest_yakei": ROOT / "plugins/pytest_yakei",
    "yakei_shared": ROOT / "plugins/yakei_shared",
    "monitors": ROOT / "monitors",
}
FORBIDDEN = {
    "yakei": {"pytest_yakei", "monitors", "pytest", "psycopg2", "pymysql"},
    "pytest_yakei": {"yakei", "monitors"},
    "yakei_shared": {"yakei", "pytest_yakei", "monitors", "pytest"},
    "monitors": {"yakei", "monitors", "yakei_shared"},
}
PURE = {
    "results",
    "words",
    "patterns",
    "routes",
    "exit_codes",
    "summary",
    "pace",
    "report",
    "incidents",
    "message",
}
"""The runner's core: no I/O, time is an argument."""
IMPURE = {"os", "socket", "subprocess", "sqlite3", "requests", "smtplib", "shutil", "tempfile"}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_none_that_it_must_not_know(package: str) -> None:
    files = sorted(PACKAGES[package].rglob("*.py"))
    wrong = [
        f"{file.relative_to(ROOT)}: {name}"
        for file in files
        for name in imports(file)
        if name.partition(".")[0] in FORBIDDEN[package]
    ]

    assert files
    assert not wrong


@pytest.mark.parametrize("module", sorted(PURE))
def test_the_pure_core_imports_only_the_pure_core(module: str) -> None:
    files = [*PACKAGES["yakei"].glob(f"{module}.py"), *PACKAGES["yakei"].glob(f"{module}/*.py")]
    names = {name for file in files for name in imports(file)}
    ours = {name.split(".")[1] for name in names if name.startswith("yakei.")}

    assert files
    assert ours <= PURE
    assert not {name.partition(".")[0] for name in names} & IMPURE


def test_only_the_cycle_knows_everyone_and_only_the_command_line_prints() -> None:
    package = PACKAGES["yakei"]
    runner = {path.relative_to(package).as_posix(): path for path in package.rglob("*.py")}
    know_the_cycle = {name for name, path in runner.items() if "yakei.cycle" in set(imports(path))}
    text = {name: path.read_text(encoding="utf-8") for name, path in runner.items()}

    assert know_the_cycle == {"cli.py"}
    assert {name for name in text if "print(" in text[name]} == {"cli.py"}
