"""The gate explains, for real: a program with one slower function, and the embedded program."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.config.options import OPTIONS
from pytest_ethrex_perf.gate import explanation
from pytest_ethrex_perf.gate.explanation import Effort, effort
from pytest_ethrex_perf.profile import record, stacks
from pytest_ethrex_perf.records.measurement import Invocation, Usage
from tests.conftest import PROFILE

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.profile.perf import Perf
    from tests.conftest import Bench

SLOW = "ethrex_trie::Node::encode"
S = 10**9
FORBIDDEN = """#!/bin/sh
[ "$1" = --version ] && echo "perf version 6.1.1" && exit
echo "No permission to enable cpu-clock:u event." >&2
exit 255
"""


@pytest.fixture(autouse=True)
def sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough to see what these programs do; a user's profile is finer."""
    monkeypatch.setattr(explanation, "SAMPLED_S", 0.4)


def test_a_red_build_names_the_slower_function_first_with_its_ms(
    bench: Bench, perf: Perf, toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert perf
    monkeypatch.setitem(OPTIONS, "profile", PROFILE)
    unit = "--unit 20000"
    result = bench.compare(
        f"{toy} {unit} --slow 900",  # anybody may disturb the times that the verdict is of
        f"{toy} {unit}",
        *("--ethrex-repeat=4", "--ethrex-looks=6,12,24", "--ethrex-json=results.json", "--ethrex-report=out"),
    )
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines([r"    change +± +base +head  function", rf" +\+[0-9.]+ .* {SLOW}  ←"])
    (block,) = bench.results().blocks
    assert block.explanation is not None
    first = block.explanation.functions[0]
    assert first.name == SLOW
    assert first.change_ms == pytest.approx(9 * first.base_ms, rel=0.6)  # base has few samples of it
    folder = bench.path / "out" / "mainnet-24443168"
    for side in ("base", "head"):
        read, other = stacks.read(folder / f"{side}.folded")
        assert other == 0
        assert {"exec", "prep", "cache-io"} <= {stacks.phase_of(frames) for frames in read}


def test_30_percent_of_a_function_are_found_whatever_the_verdict(bench: Bench, perf: Perf, toy: Path) -> None:
    assert perf
    short = ("--ethrex-repeat=3", "--ethrex-looks=6", "--ethrex-json=results.json")
    unit = "--unit 200000"
    bench.compare(f"{toy} {unit} --slow 30", f"{toy} {unit}", "--ethrex-profile=always", *short)
    (block,) = bench.results().blocks
    assert block.explanation is not None
    first = block.explanation.functions[0]
    assert first.name == SLOW
    assert first.change_ms == pytest.approx(0.3 * first.base_ms, abs=4 * first.error_ms)
    assert block.profile is not None
    parts = {title: {part.name for part in parts} for title, parts in block.profile.parts.items()}
    assert {"SLOAD", "STATICCALL"} <= parts["opcode"]
    assert "ethrex_blockchain" in parts["crate"]


def test_a_stored_baseline_explains_with_the_stacks_that_it_kept(bench: Bench, perf: Perf, toy: Path) -> None:
    assert perf
    alone = ("--ethrex-profile=always", "--ethrex-archive-size=0", "--ethrex-repeat=3")
    bench.record(f"{toy} --unit 100000", *alone).assert_outcomes(passed=1)
    arguments = (*alone, "--ethrex-invocations=2", "--ethrex-json=results.json")
    bench.gate(f"--ethrex-replay={toy} --unit 100000 --slow 100", *arguments)
    (block,) = bench.results().blocks
    assert block.mode == "stored"
    assert block.explanation is not None
    first = block.explanation.functions[0]
    assert first.name == SLOW
    assert first.change_ms == pytest.approx(first.base_ms, rel=0.3)


def test_the_embedded_program_is_explained_too(
    bench: Bench, perf: Perf, monkeypatch: pytest.MonkeyPatch, interpreter: set[str]
) -> None:
    assert perf
    monkeypatch.setattr(record, "INVOCATIONS", 1)
    monkeypatch.setattr(explanation, "LEAST_REPEATS", 2)
    monkeypatch.setattr(explanation, "MOST_REPEATS", 2)
    short = (
        "--ethrex-repeat=2",
        "--ethrex-looks=6",
        "--ethrex-cache-dir=bundled",
        "--ethrex-time-budget=1ms",
    )
    head = "embedded --extra-work 100"
    result = bench.compare(
        head,
        "embedded",
        "--ethrex-profile=always",
        "--ethrex-json=results.json",
        *short,
        block="hoodi:9000001",
    )
    assert "not profiled" not in result.stdout.str()
    (block,) = bench.results().blocks
    assert block.explanation is not None
    slower = {function.name for function in block.explanation.functions if function.change_ms > 0}
    assert slower & interpreter, "of one invocation, another may be a little slower still"


def test_what_a_worker_of_xdist_finds_out_meets_in_the_controller(
    bench: Bench, perf: Perf, toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert perf
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    unit = "--unit 10000"
    result = bench.pytester.runpytest_subprocess(
        *("-n1", "-p", "no:hypothesispytest", "--ethrex-block=24443168", "--ethrex-profile=always"),
        *(f"--ethrex-replay={toy} {unit} --slow 900", f"--ethrex-base={toy} {unit}", "--ethrex-repeat=3"),
        *("--ethrex-looks=6", "--ethrex-time-budget=1ms", "--ethrex-json=results.json"),
    )
    result.stdout.fnmatch_lines(["written: ethrex-perf-profile/mainnet-24443168 (folded stacks, *)"])
    (block,) = bench.results().blocks
    assert block.explanation is not None
    assert block.explanation.functions[0].name == SLOW


def test_a_program_that_crashes_under_the_profiler_is_a_note(bench: Bench, perf: Perf) -> None:
    assert perf
    head, base = bench.program("head", exec_ms=69, behaviour={"7": "killed"}), bench.program("base")
    short = ("--ethrex-repeat=3", "--ethrex-looks=6", "--ethrex-profile=on-regression")
    result = bench.compare(head, base, *short)
    result.assert_outcomes(failed=1)
    told = " ".join(result.stdout.str().split())
    assert "note: not profiled: " in told
    assert (bench.path / "ethrex-perf-logs" / "mainnet-24443168-profile-trial.log").exists()


def test_a_perf_that_may_not_record_is_one_note(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.cache(1)
    tools = bench.path / "tools"
    tools.mkdir()
    (tools / "perf").write_text(FORBIDDEN)
    (tools / "perf").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    head, base = bench.program("head", exec_ms=69), bench.program("base")
    short = ("--ethrex-repeat=3", "--ethrex-looks=6", "--ethrex-profile=on-regression")
    result = bench.compare(head, base, *short, block="24443168,1")
    result.assert_outcomes(failed=2)
    assert result.stdout.str().count("not profiled: perf is not permitted") == 1


# --- how much is profiled --------------------------------------------------------------------------------


def lasting(exec_s: float, *, prep_s: float = 1e-9, loading_s: float = 0.0, repeat: int = 5) -> Invocation:
    return Invocation(
        started="2026-02-18T08:00:00+00:00",
        wall_ns=round((loading_s + repeat * (prep_s + exec_s)) * S),
        prep_ns=(round(prep_s * S),) * repeat,
        exec_ns=(round(exec_s * S),) * repeat,
        gas=1,
        txs=1,
        usage=Usage(user_ns=0, system_ns=0, max_rss_kib=None, voluntary_switches=0, involuntary_switches=0),
    )


@pytest.mark.parametrize(
    ("invocation", "limit_s", "planned"),
    [
        (lasting(0.05), 300, Effort(4, 8, 3.2)),
        (lasting(0.001), 300, Effort(4, 60, 0.48)),
        (lasting(0.5), 300, Effort(4, 5, 20)),
        (lasting(7, prep_s=1), 300, Effort(3, 2, 96)),
        (lasting(7, prep_s=1, loading_s=20), 300, Effort(1, 3, 88)),
        (lasting(7, prep_s=1, loading_s=60), 300, None),
        (lasting(7, prep_s=1, loading_s=60), 3600, Effort(4, 5, 800)),
        (lasting(0.06), 0.001, None),
    ],
)
def test_slow_blocks_are_repeated_less_so_that_the_time_lasts(
    invocation: Invocation, limit_s: float, planned: Effort | None
) -> None:
    found = effort([invocation], sides=2, drop=1, limit_s=limit_s, invocations=4)
    assert (found and replace(found, lasts_s=round(found.lasts_s, 3))) == planned


def test_the_short_recording_that_comes_first_is_in_the_time() -> None:
    slow = lasting(7, prep_s=1)
    assert effort([slow], sides=2, drop=1, limit_s=300, invocations=4, trial=2) == Effort(2, 2, 80)
