"""--ethrex-baselines: where stored baselines are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from tests.conftest import Bench


def test_baselines_are_written_there_and_read_from_there(bench: Bench) -> None:
    program = bench.program("head")
    bench.record(program, "--ethrex-baselines=kept/here", "--ethrex-invocations=6").assert_outcomes(passed=1)
    (file,) = (bench.path / "kept" / "here" / "mainnet" / "24443168").glob("ethrex-*.json")
    assert not (bench.path / "baselines").exists()
    options = (f"--ethrex-replay={program}", "--ethrex-repeat=3", "--ethrex-invocations=6")
    bench.gate(*options, f"--ethrex-baselines={file.parents[2]}").assert_outcomes(passed=1)
    result = bench.gate(*options)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [f"there is no baseline of mainnet/24443168 for ethrex on * in {bench.path}/*"]
    )


def test_a_directory_named_in_the_settings_file_is_beside_that_file(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.configure("baselines = 'kept'\n")
    program = bench.path / bench.program("head")
    monkeypatch.chdir(bench.pytester.mkdir("below"))
    bench.record(str(program), f"--rootdir={bench.path}").assert_outcomes(passed=1)
    assert list((bench.path / "kept").rglob("ethrex-*.json"))
