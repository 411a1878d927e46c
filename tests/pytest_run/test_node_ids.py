"""Ids of ours name no file: they are shown whole, wherever below the rootdir pytest was started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench

ID = "ethrex-block::mainnet/24443168::exec"


@pytest.fixture
def below(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Options of a failing gate, for a folder below that of pytest.ini."""
    head, base = bench.program("head", exec_ms=70), bench.program("base")
    (bench.path / "pytest.ini").write_text("[pytest]\n")
    (bench.path / "test_other.py").write_text("def test_it(): assert 0\n")
    (bench.path / "sub").mkdir()
    monkeypatch.chdir(bench.path / "sub")
    programs = (f"--ethrex-replay={bench.path / head}", f"--ethrex-base={bench.path / base}")
    return [*programs, f"--ethrex-cache-dir={bench.path / 'replay_cache'}"]


def test_no_way_from_here_to_the_rootdir_is_put_before_them(bench: Bench, below: list[str]) -> None:
    result = bench.gate(*below, "../test_other.py")
    result.assert_outcomes(failed=2)
    lines = ["../test_other.py F*", "ethrex-block F*", "FAILED ../test_other.py::test_it - *"]
    result.stdout.fnmatch_lines([*lines, f"FAILED {ID} - regression: exec +*"])


def test_with_v_a_line_is_the_id(bench: Bench, below: list[str]) -> None:
    bench.gate(*below, "-v").stdout.fnmatch_lines([f"{ID} FAILED*"])


def test_what_failed_last_is_found_from_elsewhere(
    bench: Bench, below: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.gate(*below, "--ethrex-metrics=exec,prep")
    monkeypatch.chdir(bench.path)
    result = bench.gate(*below, "--ethrex-metrics=exec,prep", "--lf")
    result.assert_outcomes(failed=1, deselected=1)
    result.stdout.fnmatch_lines([f"FAILED {ID} - *"])
