"""What the program prints of a workload, as ethrex-replay's sources (d5999b86) say, and what of it counts."""

from __future__ import annotations

import pytest

from pytest_ethrex_perf.config.block_specs import parse_blocks
from pytest_ethrex_perf.records.block import Work
from pytest_ethrex_perf.replay import failure
from pytest_ethrex_perf.replay.output import CustomReport, parse
from tests.replay.test_output import finished

(BLOCK,) = parse_blocks(["workload:keccak,gas=10M"])
STATISTICS = "\n".join(
    f"  {name:<8} {value:>8}"
    for name, value in (
        *(("min:", "170.00ms"), ("max:", "174.00ms"), ("mean:", "172.00ms"), ("median:", "172.00ms")),
        *(("stddev:", "2.00ms"), ("p95:", "174.00ms"), ("p99:", "174.00ms")),
    )
)
TOTAL = "1 block(s), 10 transaction(s), 9934290 total gas"
LINES = [
    "INFO ethrex_replay::cli: Loading custom block from cache cache_custom_keccak_seed0_blocks1.json",
    "INFO ethrex_replay::cli: --- Run 1/2 ---",
    "INFO ethrex_replay::cli: Preparing Storage for execution without zkVM",
    "INFO ethrex_replay::cli: Storage preparation finished in 170.00ms",
    "INFO ethrex_replay::cli: Executing block 1 on local-devnet",
    "INFO ethrex_replay::cli: --- Run 2/2 ---",
    "INFO ethrex_replay::cli: === Profiling Results (2 runs) ===",
    f"INFO ethrex_replay::cli: Preparation:\n{STATISTICS}",
    f"INFO ethrex_replay::cli: Execution (add_block_pipeline):\n{STATISTICS}",
    "INFO ethrex_replay::cli: Individual runs:",
    "INFO ethrex_replay::profiling:   # 1: prep=170.00ms exec=174.00ms total=344.00ms",
    "INFO ethrex_replay::profiling:   # 2: prep=174.00ms exec=170.00ms total=344.00ms",
    "INFO ethrex_replay::report: [local-devnet] Block: 1, Gas: 9934290, #Txs: 10, Execution Time: 00s 172ms",
    f"INFO ethrex_replay::cli: Custom workload 'keccak' (seed 0): {TOTAL}",
]
PRINTED = "".join(f"2026-06-18T02:42:01.805036Z  {line}\n" for line in LINES)


def reason(printed: str, work: Work | None = Work(9_934_290, 10), repeat: int = 2) -> str | None:  # noqa: B008 - immutable
    read = parse(printed)
    return failure.of_measurement(
        finished(printed), read, block=BLOCK, repeat=repeat, timeout=None, work=work
    )


def test_a_replayed_workload_counts() -> None:
    assert parse(PRINTED).custom == CustomReport("keccak", 0, 1, 10, 9_934_290)
    assert reason(PRINTED) is None


@pytest.mark.parametrize("network", ["LocalDevnet", '"LocalDevnet"', "Network::LocalDevnet", "local_devnet"])
def test_the_devnet_may_be_spelled_otherwise(network: str) -> None:
    assert reason(PRINTED.replace("[local-devnet]", f"[{network}]")) is None


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            "devnet] Block: 1,",
            "devnet] Block: 2,",
            "the program replayed local-devnet/2 instead",
        ),
        ("[local-devnet]", "[hoodi]", "the program replayed hoodi/1 instead"),
        ("'keccak' (seed 0)", "'keccak' (seed 1)", "replayed 1 block(s) of keccak with seed 1"),
        ("'keccak' (seed 0)", "'mulmod' (seed 0)", "replayed 1 block(s) of mulmod with seed 0"),
        ("1 block(s), 10 tr", "2 block(s), 10 tr", "replayed 2 block(s) of keccak"),
        ("1 block(s), 10 tr", "1 block(s), 11 tr", "11 transactions and 9934290 gas; its report says 10 and"),
        ("9934290", "9934291", "and the cache file's block has 9934290 gas and 10: this was other work"),
        ("Custom workload", "Other workload", "ends early (exit code 0): no line of its workload"),
        (
            "Execution Time: 00s 172ms",
            "Execution Error: Invalid Block",
            "the block was not executed correctly (exit code 0): Execution Error: Invalid Block",
        ),
    ],
)
def test_anything_else_is_an_error(before: str, after: str, said: str) -> None:
    assert before in PRINTED
    assert said in (reason(PRINTED.replace(before, after)) or "")


def test_an_output_cut_off_anywhere_is_never_a_success() -> None:
    assert all(reason(PRINTED[:end]) for end in range(len(PRINTED)))


@pytest.mark.parametrize(
    "stderr",
    [
        "error: unexpected argument '--no-zkvm' found\n\nUsage: ethrex-replay custom block …\n",
        "error: unexpected argument '--gas-target' found\n",
        "error: invalid value 'keccak' for '--tx <TX>'\n  [possible values: eth-transfer, erc20-transfer]\n",
        "error: unrecognized subcommand 'custom'\n",
    ],
)
def test_a_program_that_is_too_old_is_told_from_other_wrong_usage(stderr: str) -> None:
    said = failure.of_measurement(
        finished("", stderr, 2), parse(""), block=BLOCK, repeat=2, timeout=None, work=None
    )
    assert said is not None
    assert said.startswith("ethrex-replay older than d5999b86 (2026) has no workloads")
    other = finished("", "error: something else\n", 2)
    said = failure.of_measurement(other, parse(""), block=BLOCK, repeat=2, timeout=None, work=None)
    assert said == "the program failed with exit code 2: error: something else"
