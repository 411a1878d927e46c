from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ethrex_perf.embedded import pipeline, program
from pytest_ethrex_perf.embedded.bundled import BLOCK, bundled_dir
from pytest_ethrex_perf.embedded.trie import keccak256
from pytest_ethrex_perf.records import rlp
from pytest_ethrex_perf.replay import output
from tests.embedded.embedded_runs import Ran, run, tiny_content, tiny_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


NUMBER = 9_000_100
URL = f"https://hoodi.etherscan.io/block/{NUMBER}"
TIME = r"\d+\.\d\d(?:ns|µs|ms|s)"
MS = r"\d+\.\d\d ms"
METRIC = [
    rf"INFO ethrex_blockchain: \[METRIC\] BLOCK {NUMBER} \| 0\.\d+ Ggas/s \| {MS} \| 4 txs \| 0 Mgas \(0%\)",
    r"INFO ethrex_blockchain:   \|- validate: +\d+\.\d\d ms  \( ?\d+%\)",
    r"INFO ethrex_blockchain:   \|- exec: +\d+\.\d\d ms  \(\d+%\) << BOTTLENECK",
    r"INFO ethrex_blockchain:   \|- merkle: +\d+\.\d\d ms  \( ?\d+%\)",
    r"INFO ethrex_blockchain:   `- store: +\d+\.\d\d ms  \( ?\d+%\)",
]
RUN = [
    "INFO ethrex_replay: Preparing Storage for execution without zkVM",
    rf"INFO ethrex_replay: Storage preparation finished in {TIME}",
    f"INFO ethrex_replay: Executing block {NUMBER} on hoodi",
    *METRIC,
]
STATS = [
    *(rf"  {name}: +{TIME}" for name in ("min", "max", "mean", "median")),
    r"  stddev: +\d+\.\d\dms",
    *(rf"  {name}: +{TIME}" for name in ("p95", "p99")),
]
GETTING = f"INFO ethrex_replay: Getting block {NUMBER} data from cache"
OPCODES = (
    r"INFO pytest_ethrex_perf::embedded: Opcodes executed: (\d+) per repeat "
    r"\(\1 of the block, 0 of --extra-work\)"
)
REPORT = (
    rf"INFO ethrex_replay: \[hoodi\] Block: {NUMBER}, Gas: \d+, #Txs: 4, "
    rf"Execution Time: \d\ds \d{{3}}ms \| {URL}"
)


@pytest.fixture
def tiny() -> Any:
    return tiny_content()


@pytest.fixture
def replay(tmp_path: Path) -> Callable[..., Ran]:
    return functools.partial(run, tmp_path)


def assert_lines(ran: Ran, patterns: list[str]) -> None:
    assert len(ran.messages) == len(patterns), ran.out
    for line, pattern in zip(ran.messages, patterns, strict=True):
        assert re.fullmatch(pattern, line), (pattern, line)


def assert_execution_error(ran: Ran, error: str) -> None:
    """As ethrex-replay: rc 0, the report line says it, no statistics."""
    assert ran.code == 0
    assert ran.messages[-1].startswith(f"ERROR ethrex_replay: [hoodi] Block: {NUMBER}, Gas: ")
    assert f", #Txs: 4, Execution Error: {error} | {URL}" in ran.messages[-1]
    assert "Profiling Results" not in ran.out
    assert "Execution Time" not in ran.out


def test_one_repeat_prints_the_single_run_form(tiny: Any, replay: Callable[..., Ran]) -> None:
    ran = replay(tiny)
    assert (ran.code, ran.err) == (0, "")
    single = rf"INFO ethrex_replay: add_block_pipeline execution time: {TIME}"
    assert_lines(ran, [GETTING, *RUN, single, OPCODES, REPORT])


def test_more_repeats_print_runs_and_statistics(tiny: Any, replay: Callable[..., Ran]) -> None:
    ran = replay(tiny, "--repeat", "2")
    assert (ran.code, ran.err) == (0, "")
    assert_lines(
        ran,
        [
            GETTING,
            *("INFO ethrex_replay: --- Run 1/2 ---", *RUN),
            *("INFO ethrex_replay: --- Run 2/2 ---", *RUN),
            r"INFO ethrex_replay: === Profiling Results \(2 runs\) ===",
            *("INFO ethrex_replay: Preparation:", *STATS),
            *(r"INFO ethrex_replay: Execution \(add_block_pipeline\):", *STATS),
            "INFO ethrex_replay: Individual runs:",
            rf"INFO ethrex_replay::profiling:   # 1: prep= *{TIME} exec= *{TIME} total= *{TIME}",
            rf"INFO ethrex_replay::profiling:   # 2: prep= *{TIME} exec= *{TIME} total= *{TIME}",
            OPCODES,
            REPORT,
        ],
    )


def test_the_gate_reads_the_output_as_it_reads_that_of_ethrex_replay(
    tiny: Any, replay: Callable[..., Ran]
) -> None:
    read = output.parse(replay(tiny, "--repeat", "3", "--extra-work", "50").out)
    assert (len(read.repeats), read.profiled, read.statistics is not None) == (3, 3, True)
    assert read.report is not None
    assert (read.report.network, read.report.number, read.report.txs) == ("hoodi", NUMBER, 4)
    assert read.execution_error is None
    assert set(read.phases) == {"validate", "exec", "merkle", "store"}
    assert read.opcodes is not None
    assert read.opcodes > 0


def test_it_runs_as_a_module_in_colour_and_flushes_each_line(tmp_path: Path) -> None:
    (tmp_path / f"cache_hoodi_{NUMBER}.json").write_text(tiny_text())
    command = [sys.executable, "-m", "pytest_ethrex_perf.embedded", "block", str(NUMBER)]
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    arguments = ["--cached", "--network", "hoodi", "--cache-dir", ".", "--no-zkvm"]
    ran = subprocess.run(
        [*command, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith("\x1b[2m2")
    assert "\x1b[32m INFO\x1b[0m \x1b[2methrex_replay\x1b[0m\x1b[2m:\x1b[0m Getting block" in ran.stdout
    assert ran.stderr == ""
    assert output.parse(ran.stdout).report is not None


def test_the_bundled_block_replays(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--cached", "--network", BLOCK.network, "--cache-dir", str(bundled_dir()), "--no-zkvm"]
    assert program.main(["block", str(BLOCK.number), *arguments]) == 0
    assert output.parse(capsys.readouterr().out).execution_error is None


def test_a_wrong_state_root_is_found_after_all_else(tiny: Any, replay: Callable[..., Ran]) -> None:
    tiny["blocks"][0]["header"]["stateRoot"] = "0x" + "11" * 32
    ran = replay(tiny, "--repeat", "2")
    assert "[METRIC]" in ran.out
    assert_execution_error(
        ran, "Invalid Block: World State Root does not match the one in the header after executing"
    )
    assert "--- Run 2/2 ---" not in ran.out


def test_wrong_gas_is_named_with_both_values(tiny: Any, replay: Callable[..., Ran]) -> None:
    header = tiny["blocks"][0]["header"]
    used = int(header["gasUsed"], 16)
    header["gasUsed"] = hex(used + 1)
    ran = replay(tiny, "--repeat", "2")
    assert "[METRIC]" not in ran.out
    assert_execution_error(
        ran,
        f"Invalid Block: Gas used doesn't match value in header. Used: {used}, Expected: {used + 1}",
    )


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("transactionsRoot", "0x" + "11" * 32, "Transactions Root does not match"),
        ("receiptsRoot", "0x" + "11" * 32, "Receipts Root does not match"),
        ("withdrawalsRoot", "0x" + "11" * 32, "Withdrawals Root does not match"),
        ("requestsHash", "0x" + "11" * 32, "Requests hash does not match"),
        ("logsBloom", "0x" + "11" * 256, "Logs Bloom does not match"),
        ("blobGasUsed", "0x20000", "Blob gas used doesn't match"),
        ("parentBeaconBlockRoot", "0x" + "11" * 32, "World State Root does not match"),
        ("miner", "0x" + "11" * 20, ""),
        ("timestamp", "0x6fffffff", ""),
        ("baseFeePerGas", "0x1", "Invalid Header, validation failed pre-execution"),
        ("excessBlobGas", "0x20000", "Invalid Header, validation failed pre-execution"),
        ("gasLimit", "0x1000", "Invalid Header, validation failed pre-execution"),
        ("difficulty", "0x1", "Invalid Header, validation failed pre-execution"),
        ("nonce", "0x" + "00" * 7 + "01", "Invalid Header, validation failed pre-execution"),
        ("sha3Uncles", "0x" + "11" * 32, "Invalid Header, validation failed pre-execution"),
        ("extraData", "0x" + "11" * 33, "Invalid Header, validation failed pre-execution"),
        ("gasUsed", "0xffffffff", "Invalid Header, validation failed pre-execution"),
    ],
)
def test_every_header_field_is_checked(
    tiny: Any, replay: Callable[..., Ran], field: str, value: str, error: str
) -> None:
    tiny["blocks"][0]["header"][field] = value
    ran = replay(tiny)
    assert ran.code == 0
    assert "ERROR ethrex_replay: [hoodi] Block: " in ran.out
    assert f"Execution Error: Invalid Block: {error}" in ran.out or (not error and "Error: " in ran.out)


def digest(data: str) -> bytes:
    return keccak256(bytes.fromhex(data[2:]))


def parent_state_root(content: Any) -> bytes:
    header = rlp.decode(bytes.fromhex(content["witness"]["headers"][-1][2:]))
    assert isinstance(header[3], bytes)
    return header[3]


def test_a_removed_account_node_is_refused_in_preparation(tiny: Any, replay: Callable[..., Ran]) -> None:
    root = parent_state_root(tiny)
    state = tiny["witness"]["state"]
    state.remove(next(raw for raw in state if digest(raw) == root))
    ran = replay(tiny, "--repeat", "2")
    assert "Executing block" not in ran.out
    assert_execution_error(
        ran,
        f"Trie error: Inconsistent internal tree structure: Node with hash 0x{root.hex()} not found "
        "using path Nibbles { data: [] }",
    )


def test_no_node_of_the_witness_can_be_removed_unnoticed(tiny: Any, replay: Callable[..., Ran]) -> None:
    state = tiny["witness"]["state"]
    for index in range(len(state)):
        tiny["witness"]["state"] = state[:index] + state[index + 1 :]
        ran = replay(tiny)
        assert (
            f"Trie error: Inconsistent internal tree structure: Node with hash 0x{digest(state[index]).hex()}"
            in (ran.messages[-1])
        )


def test_no_code_of_the_witness_can_be_removed_unnoticed(tiny: Any, replay: Callable[..., Ran]) -> None:
    codes = tiny["witness"]["codes"]
    assert len(codes) == 4 + 3  # system contracts, workloads
    for index, code in enumerate(codes):
        tiny["witness"]["codes"] = codes[:index] + codes[index + 1 :]
        ran = replay(tiny)
        assert_execution_error(
            ran, f"EVM error: code with hash 0x{digest(code).hex()} not found in the witness"
        )


def test_without_its_parents_header_a_block_is_refused(tiny: Any, replay: Callable[..., Ran]) -> None:
    tiny["witness"]["headers"].pop()
    ran = replay(tiny)
    assert "Executing block" not in ran.out
    assert_execution_error(ran, f"Custom error: header for block {NUMBER - 1} not found")


def test_a_changed_parent_is_not_the_parent(tiny: Any, replay: Callable[..., Ran]) -> None:
    headers = tiny["witness"]["headers"]
    headers[-1] = headers[-1][:-2] + "01"
    assert_execution_error(replay(tiny), f"Custom error: header for block {NUMBER - 1} not found")


def test_bytes_that_are_no_node_are_refused(tiny: Any, replay: Callable[..., Ran]) -> None:
    tiny["witness"]["state"].append("0xc20101ff")
    ran = replay(tiny)
    assert "Execution Error: Trie error: RLP decode error: 0xc20101ff…" in ran.messages[-1]


@pytest.mark.parametrize("field", ["s", "nonce", "value", "maxFeePerGas"])
def test_a_transaction_that_was_tampered_with_is_refused(
    tiny: Any, replay: Callable[..., Ran], field: str
) -> None:
    tiny["blocks"][0]["body"]["transactions"][0][field] = "0x1"
    ran = replay(tiny)
    assert ran.code == 0
    assert "#Txs: 4, Execution Error: " in ran.messages[-1]


@pytest.mark.parametrize(
    ("network", "timestamp", "error"),
    [
        ("Hoodi", 1_742_999_831, "Custom error: the block is older than Prague on hoodi"),
        ("Kiln", 1_750_000_000, "Custom error: unknown network 'kiln'"),
    ],
)
def test_a_fork_or_network_that_is_not_known_is_refused(
    tiny: Any, replay: Callable[..., Ran], network: str, timestamp: int, error: str
) -> None:
    tiny["network"] = {"PublicNetwork": network}
    tiny["blocks"][0]["header"]["timestamp"] = hex(timestamp)
    ran = replay(tiny)
    assert ran.code == 0
    assert f"Execution Error: {error}" in ran.messages[-1]


def test_an_internal_failure_is_a_panic_of_the_execution_thread(
    tiny: Any, replay: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(pipeline, "execute", fail)
    ran = replay(tiny)
    assert_execution_error(ran, "execution thread panicked")
    assert "RuntimeError: a bug" in ran.err


def test_the_files_content_is_not_checked_against_its_name(tiny: Any, replay: Callable[..., Ran]) -> None:
    ran = replay(tiny, number=5)
    assert ran.code == 0
    assert ran.messages[0] == "INFO ethrex_replay: Getting block 5 data from cache"
    assert f"[hoodi] Block: {NUMBER}, " in ran.messages[-1]


def test_a_missing_cache_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["block", "999", "--cached", "--network", "hoodi", "--cache-dir", str(tmp_path), "--no-zkvm"]
    assert program.main(arguments) == 1
    _, error, _, location, _ = capsys.readouterr().out.splitlines()
    assert error.endswith(
        "Cache wasn't found for block 999: No such file or directory (os error 2) "
        f"({tmp_path}/cache_hoodi_999.json)"
    )
    assert location == "Location:"


def test_an_unknown_network_is_looked_up_as_ethrex_replay_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["block", "9", "--cached", "--network", "foo", "--cache-dir", str(tmp_path), "--no-zkvm"]
    assert program.main(arguments) == 1
    assert 'cache_"foo"_9.json)' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"blocks": [', "EOF while parsing a value at line 1 column 13"),
        ('{"blocks" 1}', "Expecting ':' delimiter at line 1 column 11"),
        ("[]", "invalid type: "),
        ("{}", "missing field `witness`"),
        ('{"witness": {"state": ["0xzz"], "keys": [], "codes": [], "headers": []}}', "non-hexadecimal"),
    ],
)
def test_a_corrupt_cache_file_is_reported_as_not_found(
    replay: Callable[..., Ran], text: str, reason: str
) -> None:
    ran = replay(text)
    assert ran.code == 1
    assert f"Cache wasn't found for block {NUMBER}: {reason}" in ran.messages[1]
    assert f"cache_hoodi_{NUMBER}.json)" in ran.messages[1]


def test_a_truncated_cache_file_is_reported_as_not_found(replay: Callable[..., Ran]) -> None:
    text = tiny_text()
    for length in range(1, len(text) - 2, len(text) // 9):
        ran = replay(text[:length])
        assert ran.code == 1
        assert f"Cache wasn't found for block {NUMBER}: " in ran.messages[1]


def test_a_header_field_of_a_later_fork_is_refused(tiny: Any, replay: Callable[..., Ran]) -> None:
    tiny["blocks"][0]["header"]["blockAccessListHash"] = "0x" + "11" * 32
    ran = replay(tiny)
    assert ran.code == 1
    assert "unknown header field `blockAccessListHash`" in ran.messages[1]


def test_a_file_without_a_block_panics(tiny: Any, replay: Callable[..., Ran]) -> None:
    tiny["blocks"] = []
    assert_panic(replay(tiny))


def test_no_repeats_panic(tiny: Any, replay: Callable[..., Ran]) -> None:
    assert_panic(replay(tiny, "--repeat", "0"))


def assert_panic(ran: Ran) -> None:
    assert ran.code == 101
    assert ran.messages == [GETTING]
    assert re.fullmatch(
        r"\nthread 'main' \(\d+\) panicked at \S+:\nindex out of bounds: the len is 0 but the index is 0\n",
        ran.err,
    )


GOOD = ["block", "1", "--cached", "--network", "hoodi", "--no-zkvm"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*GOOD, "--nonsense"], "unexpected argument '--nonsense' found"),
        ([*GOOD, "--repeat", "x"], "argument --repeat: invalid value 'x'"),
        ([*GOOD, "--repeat", "-1"], "argument --repeat: "),
        ([*GOOD, "--extra-work", "-1"], "argument --extra-work: "),
        ([*GOOD, "--extra-work", "nan"], "argument --extra-work: invalid value 'nan'"),
        (["block", "x", *GOOD[2:]], "argument BLOCK: invalid value 'x'"),
        (["block", "1", "--network", "hoodi", "--no-zkvm"], "the following arguments are required: --cached"),
        (["block", "1", "--cached", "--no-zkvm"], "the following arguments are required: --network"),
        (GOOD[:-1], "the following arguments are required: --no-zkvm"),
        ([], "the following arguments are required: COMMAND"),
        (["blocks"], "argument COMMAND: invalid choice: 'blocks'"),
    ],
)
def test_bad_arguments_exit_with_2_in_claps_shape(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as exit_:
        program.main(arguments)
    captured = capsys.readouterr()
    assert exit_.value.code == 2
    assert captured.out == ""
    assert captured.err.startswith(f"error: {message}")
    assert "\n\nUsage: " in captured.err
    assert captured.err.endswith("\n\nFor more information, try '--help'.\n")


def test_a_block_number_is_needed_in_cached_mode(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["block", *GOOD[2:]]) == 1
    assert "Block number must be specified" in capsys.readouterr().out


def test_without_the_specs_the_program_names_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    ran = run(tmp_path, "{}")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: the embedded program needs the Ethereum execution specs: pip install ")
