"""What `ethrex-perf init` sees of a checkout."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pytest_ethrex_perf.commands import surroundings
from pytest_ethrex_perf.records.block import BlockId

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(surroundings, "measure_spread", lambda: 0.004)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))


def crate(folder: Path, name: str, workspace: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Cargo.toml").write_text(f'{workspace}\n[package]\nname = "{name}"\nversion = "0.1.0"\n')


def engine(root: Path) -> Path:
    """A checkout like ethrex's."""
    root.mkdir(parents=True)
    (root / "Cargo.toml").write_text('[workspace]\nmembers = ["cmd/ethrex", "crates/*", "../outside", 7]\n')
    crate(root / "cmd/ethrex", "ethrex")
    crate(root / "crates/common", "ethrex-common")
    crate(root / "crates/vm", "ethrex-vm")
    return root


def look(root: Path) -> surroundings.Surroundings:
    return surroundings.look(root, os.environ)


def caches(folder: Path, *numbers: int, network: str = "mainnet") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        (folder / f"cache_{network}_{number}.json").write_text("x" * number)


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    seen = look(tmp_path)
    assert (seen.in_git, seen.packages, seen.harness, seen.caches) == (False, {}, None, None)
    assert not seen.has_program
    assert not seen.is_engine


def test_a_checkout_of_the_engine_has_crates_and_the_program_beside_it(tmp_path: Path) -> None:
    root = engine(tmp_path / "ethrex")
    assert look(root).is_engine
    assert look(root).harness is None
    crate(tmp_path / "ethrex-replay", "ethrex-replay")
    seen = look(root)
    assert seen.harness == Path("../ethrex-replay")
    assert seen.packages == {
        "ethrex": Path("cmd/ethrex"),
        "ethrex-common": Path("crates/common"),
        "ethrex-vm": Path("crates/vm"),
    }


def test_a_checkout_of_the_program_needs_no_other(tmp_path: Path) -> None:
    crate(tmp_path, "ethrex-replay", "[workspace]")
    seen = look(tmp_path)
    assert seen.has_program
    assert not seen.is_engine


@pytest.mark.parametrize(
    "manifest", ["", "[", "[workspace]\nmembers = 3", "package = 1", "a = " + "[" * 5000]
)
def test_a_manifest_of_another_form_is_none(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "Cargo.toml").write_text(manifest)
    assert look(tmp_path).packages == {}


def test_the_folder_with_the_most_block_caches_is_taken(tmp_path: Path) -> None:
    caches(tmp_path / "replay_cache", *range(10, 60, 10))
    caches(tmp_path / "old", 1, 2)
    caches(tmp_path / "target/deep", *range(100, 130))  # a build's
    found = look(tmp_path).caches
    assert found is not None
    assert (found.folder, found.count, found.tracked) == (Path("replay_cache"), 5, False)
    assert [block.number for block in found.blocks] == [10, 20, 40, 50]  # from the smallest to the largest


def test_caches_in_git_are_known_as_such(tmp_path: Path) -> None:
    caches(tmp_path / "fixtures", 1, network="hoodi")
    for words in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True, capture_output=True)
    found = look(tmp_path).caches
    assert found is not None
    assert (found.blocks, found.tracked) == ((BlockId("hoodi", 1),), True)


def test_caches_of_the_program_beside_the_engine_are_seen(tmp_path: Path) -> None:
    root = engine(tmp_path / "ethrex")
    crate(tmp_path / "ethrex-replay", "ethrex-replay")
    caches(tmp_path / "ethrex-replay/replay_cache", 7)
    found = look(root).caches
    assert found is not None
    assert (found.folder, found.tracked) == (Path("../ethrex-replay/replay_cache"), False)


def test_other_names_are_no_caches(tmp_path: Path) -> None:
    for name in (
        "cache_mainnet_x.json",
        "cache_mainnet_1.json.gz",
        f"cache_mainnet_{2**64}.json",
        "cache_1.json",
    ):
        (tmp_path / name).write_text("")
    (tmp_path / "cache_mainnet_1.json").mkdir()
    assert look(tmp_path).caches is None


def test_this_repository_has_a_block_that_ships_with_it() -> None:
    found = look(ROOT).caches
    assert found is not None
    assert found.blocks == (BlockId("hoodi", 9000001),)
