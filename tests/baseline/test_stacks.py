from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.baseline import stacks as stored_stacks
from pytest_ethrex_perf.errors import MeasurementError, UsageError
from pytest_ethrex_perf.profile import analyses, stacks
from tests.profile import samples as made

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.profile.stacks import Profile

PROFILE = made.profile(
    [("cache-io", 0, "main", ("a",)), *made.executing({"a": [3, 1, 2, 0], "b": [9, 9, 9, 9]})]
)


def large() -> Profile:
    """A few thousand stacks, some seen often."""
    source = random.Random(1)  # noqa: S311 - nothing secret
    names = [f"ethrex_crate{i}::module::function_{i}" for i in range(300)]
    return made.profile(
        ("exec", 1 + i % 4, "main", tuple(source.choices(names, k=20)))
        for i in range(3000)
        for _ in range(9 if i % 50 == 0 else 1)
    )


def test_a_profile_lies_beside_its_baseline_and_reads_back(tmp_path: Path) -> None:
    baseline = tmp_path / "mainnet" / "24443168" / "ethrex-amd-32c-4f1d.json"
    told = stored_stacks.save(baseline, PROFILE)
    assert stored_stacks.path(baseline).name == "ethrex-amd-32c-4f1d.stacks.json.gz"
    assert told == "1 KiB of stacks in ethrex-amd-32c-4f1d.stacks.json.gz"
    assert stored_stacks.load(baseline) == PROFILE
    assert stacks.read(stored_stacks.path(baseline)) == (PROFILE.folded(), 0)


def test_the_same_profile_is_the_same_file(tmp_path: Path) -> None:
    stored_stacks.save(tmp_path / "a.json", PROFILE)
    stored_stacks.save(tmp_path / "b.json", PROFILE)
    assert (
        stored_stacks.path(tmp_path / "a.json").read_bytes()
        == stored_stacks.path(tmp_path / "b.json").read_bytes()
    )


def test_only_the_baselines_own_program_is_explained_with_it(tmp_path: Path) -> None:
    baseline = tmp_path / "a.json"
    assert stored_stacks.load(baseline) is None
    stored_stacks.save(baseline, PROFILE)
    assert stored_stacks.load(baseline, program_sha256="a" * 64) == PROFILE
    assert stored_stacks.load(baseline, program_sha256="b" * 64) is None
    stored_stacks.remove(baseline)
    stored_stacks.remove(baseline)
    assert stored_stacks.load(baseline) is None


def test_a_large_profile_is_cut_to_the_limit_and_keeps_its_self_times(tmp_path: Path) -> None:
    profile = large()
    told = stored_stacks.save(tmp_path / "a.json", profile, limit=32 * 1024)
    assert stored_stacks.path(tmp_path / "a.json").stat().st_size <= 32 * 1024
    assert "of the rarest only the leaf, to stay below 32 KiB" in told
    kept = stored_stacks.load(tmp_path / "a.json")
    assert kept is not None
    assert analyses.self_time(kept.folded()) == analyses.self_time(profile.folded())
    assert kept.samples == profile.samples
    # what was seen often is still whole
    whole = {frames for frames, count in profile.folded().items() if count >= 9}
    assert whole <= set(kept.folded())


def test_a_profile_that_cannot_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match=r"leaves alone do not fit into 0\.5 KiB"):
        stored_stacks.save(tmp_path / "a.json", large(), limit=512)
    assert list(tmp_path.iterdir()) == []


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    stored_stacks.path(tmp_path / "a.json").write_bytes(b"\x1f\x8bnonsense")
    with pytest.raises(UsageError, match=r"a\.stacks\.json\.gz: can't be read"):
        stored_stacks.load(tmp_path / "a.json")
