"""The test tree mirrors the package: who looks for a module's tests finds them by its name."""

from __future__ import annotations

from pathlib import Path

from pytest_ethrex_perf.config.options import OPTIONS

TESTS = Path(__file__).parent
ROOT = TESTS.parent
PACKAGE = ROOT / "pytest_ethrex_perf"
ROOMS = {path.parent.name: path.parent for path in PACKAGE.glob("*/__init__.py")}

# what is tested in these folders lies across the rooms, or outside the package
FOLDERS = {
    "benchmarks": ROOT / "benchmarks",
    "ci": None,  # action.yml, the workflows of `ethrex-perf init`, and the page that documents them
    "docs": None,  # pages that are run
    "example": None,  # a repository that declares its own gate
    "faults": None,  # what goes wrong, by its kind
    "options": None,  # a file an option, see below
    "tools": ROOT / "tools",
    "recorded": None,  # files that the releases before have written
}
OF_PYTEST = {"help"}  # options of pytest in which ours are seen


def _of_no_module(folder: Path, modules: Path) -> list[str]:
    """Test files in `folder` that are named neither as a module in `modules` nor as an aspect of one."""
    names = {path.stem for path in modules.glob("*.py")}
    return [
        str(path.relative_to(ROOT))
        for path in sorted(folder.glob("test_*.py"))
        if not any(f"{path.stem}_".startswith(f"test_{name}_") for name in names)
    ]


def test_every_folder_is_a_room() -> None:
    folders = {path.parent.relative_to(TESTS).parts[0] for path in TESTS.glob("*/**/*.py")}
    assert folders - {*ROOMS, *FOLDERS} == set()


def test_every_test_file_is_named_as_the_module_that_it_tests() -> None:
    mirrored = {"": PACKAGE, **ROOMS, **{name: folder for name, folder in FOLDERS.items() if folder}}
    strangers = [file for name, modules in mirrored.items() for file in _of_no_module(TESTS / name, modules)]
    assert set(strangers) == {"tests/test_mirror.py", "tests/test_public_api.py"}


def test_every_room_has_tests() -> None:
    assert [room for room in ROOMS if not list((TESTS / room).glob("test_*.py"))] == []


def test_every_option_has_a_file_of_tests() -> None:
    files = {path.stem.removeprefix("test_option_") for path in (TESTS / "options").glob("test_*.py")}
    assert files - OF_PYTEST == set(OPTIONS)
