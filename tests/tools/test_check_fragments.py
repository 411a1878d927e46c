from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tools import check_fragments

if TYPE_CHECKING:
    from pathlib import Path


def git(*arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


def commit(root: Path, file: str) -> None:
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(file)
    git("add", ".")
    git("commit", "-m", file)


@pytest.fixture
def branch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A branch that has just left main."""
    monkeypatch.chdir(tmp_path)
    git("init", "-b", "main")
    commit(tmp_path, "README.md")
    git("checkout", "-b", "topic")
    return tmp_path


def test_a_change_of_the_package_brings_a_fragment(branch: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commit(branch, "docs/page.md")
    assert check_fragments.main(["origin/main", "main"]) == 0
    commit(branch, "pytest_ethrex_perf/gate/run.py")
    assert check_fragments.main(["origin/main", "main"]) == 1
    assert "changelog: pytest_ethrex_perf/gate/run.py and 0 more changed since" in capsys.readouterr().out
    commit(branch, "changelog.d/+faster.changed.md")
    assert check_fragments.main(["origin/main", "main"]) == 0


def test_what_is_not_committed_yet_counts(branch: Path) -> None:
    commit(branch, "pytest_ethrex_perf/gate/run.py")
    (branch / "changelog.d").mkdir()
    (branch / "changelog.d" / "+faster.changed.md").write_text("Faster.")
    assert check_fragments.main(["main"]) == 0


@pytest.mark.parametrize("bases", [["origin/main"], ["topic"]])
def test_without_a_base_there_is_nothing_to_compare_with(
    branch: Path, bases: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    commit(branch, "pytest_ethrex_perf/gate/run.py")
    assert check_fragments.main(bases) == 0
    assert capsys.readouterr().out == f"changelog: none of {bases[0]} to compare with\n"
