"""End to end, with blocks that are really executed: recorded, gated, accepted, and the history shown.

Asserts what noise cannot upset: modes, labels, files; and that twice the work is slower.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf import cli
from pytest_ethrex_perf.baseline import store

if TYPE_CHECKING:
    from pytest_ethrex_perf.records.result import BlockResult
    from tests.conftest import Bench

BLOCK = "hoodi:9000001"
OPTIONS = (
    "--ethrex-cache-dir=bundled",
    "--ethrex-repeat=3",
    "--ethrex-looks=6",
    "--ethrex-json=results.json",
)
SLOWED = "embedded --extra-work 100"
UNCHANGED = "embedded --extra-work 0"  # the same work by another command line: another program
NO_ARCHIVE = ("--ethrex-archive-size=0", "--ethrex-invocations=2")


def gate(bench: Bench, program: str, *arguments: str) -> BlockResult:
    bench.gate(f"--ethrex-replay={program}", *OPTIONS, *arguments, block=BLOCK)
    (block,) = bench.results().blocks
    assert block.error is None
    return block


def test_a_baseline_lives(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(bench.path)
    recorded = gate(bench, "embedded", "--ethrex-update-baseline", "--ethrex-invocations=2")
    assert recorded.recorded is not None
    assert recorded.recorded.startswith("new baseline: session ")
    (file,) = store.files(bench.path / "baselines")
    assert file.name.startswith("embedded-")

    # beside the baseline's own program: one pair is enough to see how it is done
    unchanged = gate(bench, UNCHANGED, "--ethrex-time-budget=1ms")
    slowed = gate(bench, SLOWED)
    for block in (unchanged, slowed):
        assert block.mode == "interleaved"
        assert block.base is not None
        assert block.base.label.endswith("(archive)")
    assert (slowed.metrics[0].decision.estimate or 0) > 0.1
    (opcodes,) = (row for row in slowed.rows if row.name == "opcodes")
    assert opcodes.change == pytest.approx(1.0, abs=0.001)
    accepted = bench.path / "slowed.json"
    (bench.path / "results.json").rename(accepted)

    for program in (UNCHANGED, SLOWED):
        alone = gate(bench, program, *NO_ARCHIVE)
        assert alone.mode == "stored"
        assert any("the stored sessions decide alone" in note for note in alone.notes)

    assert cli.main(["baseline", "accept", str(accepted), "--reason", "twice the work, and meant"]) == 0
    own = gate(bench, SLOWED, *NO_ARCHIVE)
    assert "head is the stored baseline's own program: no change is expected" in own.notes

    capsys.readouterr()
    assert cli.main(["baseline", "show", BLOCK]) == 0
    shown = capsys.readouterr().out
    assert "hoodi/9000001 · embedded · exec · 3 repeats" in shown
    assert ": first recording" in shown
    assert ": twice the work, and meant" in shown
    assert all(session.id in shown for session in store.load(file).sessions())
    assert cli.main(["baseline", "verify", "--cache-dir", "bundled"]) == 0
