"""What `yakei run PATH` is asked for lies below the root, or is refused in a clear line."""

from __future__ import annotations

from pathlib import Path

import pytest
from receivers import MailServer
from repository import FAILING, Repository, mail_table, the_mail

from yakei.asked_paths import OutsideError, below


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root, which is the working directory, and `link`, which leads to it."""
    (tmp_path / "app/monitors").mkdir(parents=True)
    (tmp_path / "link").symlink_to("app")
    monkeypatch.chdir(tmp_path / "app")
    return tmp_path / "app"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("monitors/test_it.py", "monitors/test_it.py"),
        ("monitors/../monitors/test_it.py", "monitors/test_it.py"),
        ("monitors/test_it.py::test_a[../b]", "monitors/test_it.py::test_a[../b]"),
        ("../link/monitors", "monitors"),
        (".", "."),
    ],
)
def test_a_path_is_found_below_the_root(root: Path, asked: str, found: str) -> None:
    assert below(root, [asked]) == (str(root / found),)


def test_a_link_below_the_root_is_kept_wherever_it_leads(root: Path, tmp_path: Path) -> None:
    """As the ids are by the link's name, too."""
    (tmp_path / "elsewhere").mkdir()
    (root / "more").symlink_to(tmp_path / "elsewhere")

    assert below(root, ["more/test_it.py"]) == (str(root / "more/test_it.py"),)


def test_a_root_that_is_named_by_a_link_keeps_its_name(root: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"

    assert below(link, [str(root / "monitors")]) == (str(link / "monitors"),)


@pytest.mark.parametrize("asked", ["..", "../other/test_it.py", "/nowhere/test_it.py::test_a"])
def test_any_other_place_is_refused_with_what_is_expected(root: Path, asked: str) -> None:
    with pytest.raises(OutsideError) as refusal:
        below(root, [asked])

    assert str(refusal.value).startswith(f"{asked} cannot be run: expected a path in {root}, ")


@pytest.mark.slow
def test_a_file_outside_is_a_mistake_that_is_told_and_no_other_file_is_taken_for_it(
    repository: Repository, mail: MailServer
) -> None:
    """A file of the same name in the root once passed for it in the second look."""
    repository.configure(mail_table(mail), run='confirm_after = "0.1s"')
    repository.write("test_twin.py", "def test_it(): pass")
    outside = repository.folder.parent / "outside"
    outside.mkdir()
    (outside / "test_twin.py").write_text(FAILING)

    ran = repository.run(str(outside / "test_twin.py"))

    assert ran.code == 2
    assert f"{outside}/test_twin.py cannot be run: expected a path in" in the_mail(mail)
