"""What every kind of backup promises to the checks, and what the checks ask of every kind."""

from __future__ import annotations

import ast
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest
from backup_sets import FIVE_MINUTE_RULES, HOUR, Run

from pytest_yakei.findings import Findings
from pytest_yakei.probes.backups import KINDS

RULES = (*FIVE_MINUTE_RULES, "unrestorable", "unmergeable")
CHECKS = Path(__file__).parents[2] / "monitors" / "test_backups.py"


def run_of(kind: str, folder: Path) -> Run:
    member = "db00/home" if kind == "btrfs" else "app"
    return Run(kind, {"path": folder, "members": (member,), "max_age": 13 * HOUR})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rule", RULES)
def test_every_kind_answers_every_question_with_findings(
    tmp_path: Path, kind: str, rule: str
) -> None:
    probe = run_of(kind, tmp_path / "missing").probe({})

    assert isinstance(getattr(probe, rule)(), Findings)


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_folder_is_one_finding_of_one_rule(tmp_path: Path, kind: str) -> None:
    run = run_of(kind, tmp_path / "missing")

    assert [rule for rule in RULES if run.ask(rule)] == ["late_members"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_list_of_members_is_refused(tmp_path: Path, kind: str) -> None:
    run = run_of(kind, tmp_path)
    run.settings["members"] = ()

    with pytest.raises(ValueError, match=r"^members: 0 members configured"):
        run.probe({})


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_is_explained(kind: str) -> None:
    source = Path(str(import_module(KINDS[kind]).__file__)).read_text()
    body = next(
        node.body
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and node.name == "Settings"
    )
    following = pairwise(body)
    keys = [after for node, after in following if isinstance(node, ast.AnnAssign)]

    assert keys
    assert all(isinstance(after, ast.Expr) for after in keys)


def test_each_rule_is_asked_by_one_check() -> None:
    tree = ast.parse(CHECKS.read_text())
    asked = [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "backup"
    ]

    assert sorted(asked) == sorted(RULES)
