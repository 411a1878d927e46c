"""`ethrex-perf init`: what it writes, where, and what it leaves alone."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pytest_ethrex_perf import cli
from pytest_ethrex_perf.commands import surroundings
from pytest_ethrex_perf.host import files
from tests.commands.desk import Ran
from tests.commands.test_surroundings import engine

ROOT = Path(__file__).parents[2]
FILES = ["ethrex-perf.toml", "tests/perf/test_blocks.py"]
WORKFLOWS = [
    ".github/workflows/ethrex-perf-comment.yml",
    ".github/workflows/ethrex-perf-nightly.yml",
    ".github/workflows/ethrex-perf.yml",
]


class Folder:
    """A folder in which `ethrex-perf init` is called."""

    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path = path
        self._capsys = capsys

    def git(self, *words: str) -> None:
        subprocess.run(["git", "-C", str(self.path), *words], check=True, capture_output=True)

    def init(self, *words: str) -> Ran:
        code = cli.main(("init", *words))
        return Ran(code, *self._capsys.readouterr())

    def files(self) -> dict[str, str]:
        """Every file but git's own, by its name."""
        return {
            str(file.relative_to(self.path)): file.read_text()
            for file in sorted(self.path.rglob("*"))
            if file.is_file() and ".git" not in file.relative_to(self.path).parts
        }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Folder:
    """An empty one; the machine is always the same."""
    path = tmp_path / "empty"
    path.mkdir()
    monkeypatch.chdir(path)
    monkeypatch.setattr(surroundings, "measure_spread", lambda: 0.004)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    return Folder(path, capsys)


def test_an_empty_folder_gets_settings_and_an_example(folder: Folder) -> None:
    ran = folder.init()
    assert ran.code == 0
    assert sorted(folder.files()) == FILES
    assert "the same work varies by 0.4 % here now" in ran.out
    assert "no git repository" in ran.out


def test_a_repository_gets_lines_of_gitignore_and_workflows_too(folder: Folder) -> None:
    folder.git("init", "-q")
    (folder.path / ".gitignore").write_text("/target\nethrex-perf-logs")
    assert folder.init("--github").code == 0
    assert sorted(folder.files()) == sorted([*FILES, *WORKFLOWS, ".gitignore"])
    assert folder.files()[".gitignore"] == (
        "/target\nethrex-perf-logs\nreplay_cache/\nethrex-perf-profile/\nethrex-perf-results/\n"
    )


def test_a_second_run_has_nothing_to_do(folder: Folder) -> None:
    folder.git("init", "-q")
    folder.init("--github")
    before = folder.files()
    ran = folder.init("--github")
    assert (ran.code, folder.files()) == (0, before)
    assert ran.out.count("as it should be: ") == len(before)


def test_what_was_changed_is_left_as_it_is_and_the_difference_is_shown(folder: Folder) -> None:
    folder.init()
    file = folder.path / "ethrex-perf.toml"
    mine = file.read_text().replace("blocks = [24443168]", "blocks = [1, 2]")
    file.write_text(mine)
    ran = folder.init()
    assert (ran.code, file.read_text()) == (1, mine)
    assert "left as it is:   ethrex-perf.toml, which differs from what is proposed:" in ran.out
    assert "    -blocks = [1, 2]\n    +blocks = [24443168]\n" in ran.out
    assert "  ethrex-perf init --dry-run | patch -p1\n" in ran.out


def test_a_dry_run_writes_nothing_and_is_a_patch_that_does(folder: Folder) -> None:
    folder.git("init", "-q")
    ran = folder.init("--github", "--dry-run")
    assert (ran.code, folder.files()) == (0, {})
    subprocess.run(["git", "apply", "-"], input=ran.out, text=True, check=True, cwd=folder.path)
    patched = folder.files()
    assert folder.init("--github").code == 0
    assert folder.files() == patched


def test_a_dry_run_says_by_its_exit_code_that_something_differs(folder: Folder) -> None:
    (folder.path / "ethrex-perf.toml").write_text("blocks = [1]")
    ran = folder.init("--dry-run")
    assert ran.code == 1
    assert "-blocks = [1]\n\\ No newline at end of file\n" in ran.out


def test_a_cargo_workspace_gets_a_build_of_its_own(folder: Folder, tmp_path: Path) -> None:
    engine(tmp_path / "ethrex")
    ran = folder.init(str(tmp_path / "ethrex"))
    assert "its revisions are built with ethrex-replay, which is not beside it" in ran.out
    assert "  git clone https://github.com/lambdaclass/ethrex-replay ../ethrex-replay\n" in ran.out
    assert "\n[build.harness]\n" in (tmp_path / "ethrex/ethrex-perf.toml").read_text()


def test_this_repository_keeps_the_settings_that_it_has(folder: Folder) -> None:
    for name in ("ethrex-perf.toml", ".gitignore", "pytest_ethrex_perf/embedded/blocks"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (folder.path / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, folder.path / name)
    folder.git("init", "-q")
    folder.git("add", ".")
    ran = folder.init("--github")
    assert ran.code == 1
    assert folder.files()["ethrex-perf.toml"] == (ROOT / "ethrex-perf.toml").read_text()
    assert folder.files()[".gitignore"] == (ROOT / ".gitignore").read_text() + "ethrex-perf-results/\n"
    assert '@pytest.mark.ethrex_block("hoodi:9000001")' in folder.files()["tests/perf/test_blocks.py"]
    assert '    -replay = "embedded"\n' in ran.out


def test_another_directory_may_be_named(folder: Folder, tmp_path: Path) -> None:
    assert folder.init(str(tmp_path / "none")).err.endswith("none: there is no such directory\n")
    (tmp_path / "other").mkdir()
    assert folder.init(str(tmp_path / "other")).code == 0
    assert (tmp_path / "other/ethrex-perf.toml").exists()
    assert folder.files() == {}


def test_workflows_belong_to_the_top_of_a_repository(folder: Folder) -> None:
    folder.git("init", "-q")
    (folder.path / "crate").mkdir()
    ran = folder.init("crate", "--github")
    assert (ran.code, folder.files()) == (2, {})
    assert ran.err == (
        "ethrex-perf: --github: workflows belong to the top of a repository: "
        f"ethrex-perf init --github {folder.path}\n"
    )


def test_a_file_that_can_not_be_written_is_said_and_the_others_are(folder: Folder) -> None:
    (folder.path / "tests").write_text("a file")
    ran = folder.init()
    assert ran.code == 1
    assert "not written:     tests/perf/test_blocks.py: Not a directory" in ran.out
    assert sorted(folder.files()) == ["ethrex-perf.toml", "tests"]


def test_a_folder_that_may_not_be_written_to_is_said(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(files, "replace", refuse)  # root may write anywhere
    ran = folder.init()
    assert (ran.code, folder.files()) == (1, {})
    assert ran.out.count("not written: ") == ran.out.count("Permission denied") == 2


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(folder: Folder) -> None:
    os.mkfifo(folder.path / "ethrex-perf.toml")
    ran = folder.init()
    assert (ran.code, ran.err) == (
        1,
        "ethrex-perf: ethrex-perf.toml: can't be read: it is a named pipe, not a file\n",
    )
