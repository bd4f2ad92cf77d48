"""Nothing that pytest shows or writes has a secret that the suite knows, with and without slots."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_runs import run_checks

pytestmark = pytest.mark.slow

SECRET = "hush-hush"
SHOW = ("--junit-xml=junit.xml", "-o", "junit_family=xunit1", "-rA", "-v")
KNOWN = """
import os, subprocess, warnings

def test_it(
    app_config, record_property, record_testsuite_property, record_xml_attribute, subtests
):
    secret = app_config["mail.password"]
    BODY
"""
PLACES = {
    "a warning": "warnings.warn(f'it is {secret}')",
    "a warning of the engine's": "subprocess.Popen(['sh', '-c', f'sleep 30; : {secret}'])",
    "a subtest's name": "with subtests.test(secret): pass",
    "an argument of a subtest that fails": "with subtests.test(p=secret): assert 0",
    "output of a subtest": "with subtests.test('s'): print(secret); assert 0",
    "a property": "record_property('p', [secret])",
    "an attribute": "record_xml_attribute('p', secret)",
    "a property of the suite": "record_testsuite_property('p', secret)",
}


@pytest.mark.parametrize("slots", [0, 2])
@pytest.mark.parametrize("body", PLACES.values(), ids=PLACES)
def test_what_is_shown_has_no_secret(tmp_path: Path, body: str, slots: int) -> None:
    (tmp_path / "yakei.toml").write_text('[app]\nconfig = "settings.ini"\n', encoding="utf-8")
    (tmp_path / "settings.ini").write_text(f"[mail]\npassword = {SECRET}\n", encoding="utf-8")
    ended = run_checks(tmp_path, KNOWN.replace("BODY", body), f"--yakei-slots={slots}", *SHOW)
    written = [tmp_path / name for name in ("output.txt", "report.json", "junit.xml")]
    shown = [each.name for each in written if SECRET in each.read_text(encoding="utf-8")]

    assert "test_it" in ended.outcomes
    assert shown == []


@pytest.mark.parametrize("slots", [0, 2])
def test_a_suite_that_asks_for_nothing_is_shown_as_it_is(tmp_path: Path, slots: int) -> None:
    checks = """
import warnings
def test_it(record_property, record_testsuite_property, record_xml_attribute):
    warnings.warn("password=open-sesame")
    record_property("p", "password=open-sesame")
    record_testsuite_property("p", "password=open-sesame")
    record_xml_attribute("p", "password=open-sesame")
"""
    ended = run_checks(tmp_path, checks, f"--yakei-slots={slots}", *SHOW)
    junit = (tmp_path / "junit.xml").read_text(encoding="utf-8")

    assert "password=open-sesame" in ended.output
    assert junit.count("password=open-sesame") == 3


FOUND_BY_ANOTHER = """
import pathlib, time
here = pathlib.Path(__file__).parent

def test_learns(app_config): (here / "learnt").touch()

def test_shows():
    while not (here / "learnt").exists(): time.sleep(0.01)
    time.sleep(0.3)  # its worker has told the parent, which looks each 50 ms
    print((here / "settings.ini").read_text())
    assert 0, (here / "settings.ini").read_text()
"""


def test_what_one_worker_has_learnt_no_other_ones_report_shows(tmp_path: Path) -> None:
    (tmp_path / "yakei.toml").write_text('[app]\nconfig = "settings.ini"\n', encoding="utf-8")
    (tmp_path / "settings.ini").write_text(f"[mail]\npassword = {SECRET}\n", encoding="utf-8")
    ended = run_checks(tmp_path, FOUND_BY_ANOTHER, "--yakei-slots=2", *SHOW)
    written = [tmp_path / name for name in ("output.txt", "report.json", "junit.xml")]
    shown = [each.name for each in written if SECRET in each.read_text(encoding="utf-8")]

    assert ended.outcomes == {"test_learns": "passed", "test_shows": "failed"}
    assert shown == []
