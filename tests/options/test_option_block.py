"""--ethrex-block: what is collected, and what is refused."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench


def collected(bench: Bench, *arguments: str) -> list[str]:
    result = bench.run("--collect-only", "-q", *arguments)
    assert result.ret == pytest.ExitCode.OK, result.stdout.str()
    return [line for line in result.outlines if "::" in line]


def test_a_number_is_a_block_of_mainnet_with_one_item_a_metric(bench: Bench) -> None:
    assert collected(bench, "--ethrex-block", "24443168") == ["ethrex-block::mainnet/24443168::exec"]
    assert collected(bench, "--ethrex-block", "24443168", "--ethrex-metrics=exec,prep") == [
        "ethrex-block::mainnet/24443168::exec",
        "ethrex-block::mainnet/24443168::prep",
    ]


@pytest.mark.parametrize(
    ("specs", "blocks"),
    [
        (["hoodi:1265656"], ["hoodi/1265656"]),
        (["hoodi/1265656"], ["hoodi/1265656"]),
        (["1,2 , hoodi:3"], ["mainnet/1", "mainnet/2", "hoodi/3"]),
        (["24443160..24443162"], ["mainnet/24443160", "mainnet/24443161", "mainnet/24443162"]),
        (["hoodi:5..6"], ["hoodi/5", "hoodi/6"]),
        (["24_443_168"], ["mainnet/24443168"]),
        (["1", "2", "1"], ["mainnet/1", "mainnet/2"]),
        (["workload:keccak"], ["workload/keccak,gas=30M,seed=0"]),
        (
            ["workload:sload-cold, txs=2K, slots=5,1", "workload/mulmod,gas=30M"],
            ["workload/sload-cold,txs=2K,seed=0,slots=5", "mainnet/1", "workload/mulmod,gas=30M,seed=0"],
        ),
    ],
)
def test_specs_name_blocks_in_order_each_once(bench: Bench, specs: list[str], blocks: list[str]) -> None:
    options = [f"--ethrex-block={spec}" for spec in specs]
    assert collected(bench, *options) == [f"ethrex-block::{block}::exec" for block in blocks]


@pytest.mark.parametrize(
    "spec", ["", "x", "12x", "-1", "5..4", "1..2..3", ":5", "main net:5", "1,,2", "99999999999999999999"]
)
def test_a_bad_spec_is_a_usage_error_that_shows_the_form(bench: Bench, spec: str) -> None:
    result = bench.run(f"--ethrex-block={spec}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: bad block spec *the form is N, NETWORK:N (or NETWORK/N), A..B, workload:NAME, or a comma*"]
    )


def test_only_the_blocks_run_when_no_path_is_given(bench: Bench) -> None:
    bench.pytester.makepyfile(test_other="raise RuntimeError('imported')")
    assert collected(bench, "--ethrex-block=1") == ["ethrex-block::mainnet/1::exec"]


def test_blocks_and_tests_run_when_a_path_is_given(bench: Bench) -> None:
    path = bench.pytester.makepyfile(test_other="def test_it(): pass")
    assert collected(bench, "--ethrex-block=1", str(path)) == [
        "test_other.py::test_it",
        "ethrex-block::mainnet/1::exec",
    ]


def test_testpaths_are_left_out_as_well(bench: Bench) -> None:
    bench.pytester.makeini("[pytest]\ntestpaths = checks")
    bench.pytester.mkdir("checks").joinpath("test_other.py").write_text("raise RuntimeError('imported')")
    assert collected(bench, "--ethrex-block=1") == ["ethrex-block::mainnet/1::exec"]


def test_all_is_what_the_settings_file_lists(bench: Bench) -> None:
    (bench.path / "ethrex-perf.toml").write_text('blocks = [24443168, "hoodi:1265656"]\n')
    assert collected(bench, "--ethrex-block=all") == [
        "ethrex-block::mainnet/24443168::exec",
        "ethrex-block::hoodi/1265656::exec",
    ]


def test_all_without_a_list_says_how_to_write_one(bench: Bench) -> None:
    result = bench.run("--ethrex-block=all")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*no blocks are listed in ethrex-perf.toml: add a line like blocks = *24443168*"]
    )


def test_four_blocks_get_the_mean_over_them_as_an_item(bench: Bench) -> None:
    base = bench.program("base")
    assert collected(bench, "--ethrex-block=1..4", f"--ethrex-base={base}")[-1] == "ethrex-block::all::exec"
    assert len(collected(bench, "--ethrex-block=1..3", f"--ethrex-base={base}")) == 3


# --- workloads ----------------------------------------------------------------------------------------------

KECCAK = "workload/keccak,gas=30M,seed=0"


def test_base_makes_a_workload_once_and_both_sides_replay_its_file(bench: Bench) -> None:
    base, head = bench.program("base"), bench.program("head", exec_ms=90, extra="0x01")
    result = bench.compare(head, base, "--ethrex-json=results.json", block="workload:keccak")
    result.stdout.fnmatch_lines([f"regression: {KECCAK} exec is *", f"*--ethrex-block={KECCAK}*"])
    (block,) = bench.results().blocks
    assert (block.block, block.cache and block.cache.workload) == (KECCAK, "keccak,gas=30M,seed=0")
    assert block.notes[0].startswith(f"the block was made by {base} (sha256 ")
    made, *replayed = (call["argv"] for call in bench.calls(base))
    assert "--cached" not in made
    folder = "replay_cache/workload-keccak-gas30M-seed0"
    for argv in (*replayed, *(call["argv"] for call in bench.calls(head))):
        assert argv[:4] == ["custom", "block", "--tx", "keccak"]
        assert argv[argv.index("--cached") :][1:3] == ["--cache-dir", str(bench.path / folder)]


def test_a_baseline_of_a_workload_is_compared_with_by_its_own_block(bench: Bench) -> None:
    program = bench.program("program")
    bench.record(program, block="workload:keccak")
    bench.record(program, block="workload:keccak,gas=20M")
    folders = sorted(path.name for path in (bench.path / "baselines" / "workload").iterdir())
    assert folders == ["keccak-gas20M-seed0", "keccak-gas30M-seed0"]
    result = bench.gate(
        f"--ethrex-replay={bench.program('other', extra='0x02')}",
        "--ethrex-repeat=3",
        "--ethrex-archive-size=0",
        block="workload:keccak",
    )
    result.assert_outcomes(passed=1)
    result = bench.gate(f"--ethrex-replay={program}", "--ethrex-repeat=3", block="workload:keccak,seed=1")
    result.stdout.fnmatch_lines(["*there is no baseline of workload/keccak,gas=30M,seed=1*"])


def test_a_workload_that_was_made_otherwise_is_not_compared_with_the_baseline(bench: Bench) -> None:
    bench.record(bench.program("program"), block="workload:keccak")
    (folder,) = (bench.path / "replay_cache").glob("workload-*")
    for file in folder.iterdir():
        file.unlink()
    other = bench.program("other", extra="0x02")
    result = bench.gate(
        f"--ethrex-replay={other}", "--ethrex-repeat=3", "--ethrex-archive-size=0", block="workload:keccak"
    )
    result.stdout.fnmatch_lines(["*it was recorded with block hash 0x*, the cache file now holds 0x*"])


def test_a_workload_of_another_program_is_replayed_by_its_archived_base_first(bench: Bench) -> None:
    program = bench.program("program")
    bench.record(program, block="workload:keccak")
    (folder,) = (bench.path / "replay_cache").glob("workload-*")
    for file in folder.iterdir():
        file.unlink()
    other = bench.program("other", extra="0x02")
    result = bench.gate(f"--ethrex-replay={other}", "--ethrex-repeat=3", block="workload:keccak")
    result.assert_outcomes(passed=1)  # made anew by the archived program: the same block
    result.stdout.fnmatch_lines(["*the block was made by *(archive) (sha256 *"])


def test_markers_and_the_settings_file_name_workloads(bench: Bench) -> None:
    bench.configure("""
        blocks = ["workload:keccak", "workload:mulmod,txs=9"]
        [block."workload:keccak"]
        margin = "2%"
    """)
    assert collected(bench, "--ethrex-block=all") == [
        f"ethrex-block::{KECCAK}::exec",
        "ethrex-block::workload/mulmod,txs=9,seed=0::exec",
    ]
    bench.pytester.makepyfile(
        test_marked="""
        import pytest

        @pytest.mark.ethrex_block("workload:keccak", "workload:keccak,seed=1")
        def test_it(ethrex_block):
            assert ethrex_block.result.block.startswith("workload/keccak")
        """
    )
    base, head = bench.program("base"), bench.program("head")
    options = (f"--ethrex-replay={head}", f"--ethrex-base={base}", "--ethrex-json=results.json")
    bench.run(*options).assert_outcomes(passed=2)
    first, second = bench.results().blocks
    assert [first.block, second.block] == [KECCAK, "workload/keccak,gas=30M,seed=1"]
    assert [block.metrics[0].rules.margin for block in (first, second)] == [0.02, 0.01]


def test_all_is_every_workload_that_the_program_knows(bench: Bench) -> None:
    names = [
        line.removeprefix("ethrex-block::workload/").partition(",")[0]
        for line in collected(
            bench, "--ethrex-block=workload:all", f"--ethrex-replay={bench.program('program')}"
        )
        if "::workload/" in line
    ]
    assert names == [
        *("eth-transfer", "erc20-transfer", "uniswap-v2-swap", "contract-deploy", "keccak", "mulmod"),
        *("ecrecover", "sstore-fresh", "sload-cold"),
    ]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("workload:kecak", "*there is no workload 'kecak': did you mean 'keccak'[?]"),
        ("workload:keccak,mulmod", "*'mulmod' is a workload: write workload:mulmod"),
        ("workload:keccak,gass=3", "*there is no parameter 'gass': did you mean 'gas'[?]"),
    ],
)
def test_a_bad_workload_is_one_line_with_what_was_meant(bench: Bench, spec: str, reason: str) -> None:
    assert fnmatch(bench.refuse(f"--ethrex-block={spec}"), f"bad block spec {reason}")


def test_a_program_that_is_too_old_for_workloads_is_an_error_that_names_the_commit(bench: Bench) -> None:
    old = bench.program("old", behaviour="no custom")
    result = bench.compare(bench.program("head"), old, block="workload:keccak")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"{KECCAK}: it can't be made: ethrex-replay older than d5999b86*"])
    result = bench.compare(old, bench.program("head"), block="workload:keccak")
    result.stdout.fnmatch_lines([f"{KECCAK}: ethrex-replay older than d5999b86*"])


def test_other_work_than_the_files_is_an_error(bench: Bench) -> None:
    head = bench.program("head", behaviour="other txs")
    result = bench.compare(head, bench.program("base"), block="workload:keccak")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*443 transactions*its report says 442*: this was other work*"])


def test_the_bundled_cache_takes_no_workloads(bench: Bench) -> None:
    result = bench.compare(
        bench.program("head"),
        bench.program("base"),
        "--ethrex-cache-dir=bundled",
        block="workload:keccak",
    )
    result.stdout.fnmatch_lines([f"{KECCAK}: the cache directory `bundled` has a block of its own alone*"])


def test_the_fixture_that_replays_takes_a_workload(bench: Bench) -> None:
    bench.pytester.makepyfile(
        test_replay="""
        def test_it(ethrex_replay):
            invocation = ethrex_replay("workload:keccak,txs=442", repeat=3)
            assert (invocation.gas, invocation.txs) == (37_500_000, 442)
        """
    )
    bench.run(f"--ethrex-replay={bench.program('program')}").assert_outcomes(passed=1)
