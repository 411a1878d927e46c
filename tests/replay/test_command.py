"""What is run, and in which environment."""

from __future__ import annotations

from pathlib import Path

from pytest_ethrex_perf.config.block_specs import parse_blocks
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.records.measurement import Kind, Program
from pytest_ethrex_perf.replay import command

BLOCK = BlockId("hoodi", 1265656)
FROM_CACHE = ["block", "1265656", "--cached", "--network", "hoodi", "--cache-dir", "replay_cache"]


def program(*words: str, prefix: tuple[str, ...] = (), kind: Kind = "ethrex") -> Program:
    return Program(kind=kind, command=words, sha256="0" * 64, label="x", prefix=prefix)


def measure(of: Program) -> list[str]:
    return command.measure(of, BLOCK, cache_dir=Path("replay_cache"), repeat=11)


def test_a_measurement_is_cached_and_names_network_and_repeat() -> None:
    assert measure(program("/bin/replay")) == ["/bin/replay", *FROM_CACHE, "--no-zkvm", "--repeat", "11"]


def test_the_prefix_comes_first_and_a_wrapper_keeps_its_words_together() -> None:
    got = measure(program("wrap", "-n", "3", "replay", prefix=("taskset", "-c", "0-7")))
    assert got[:8] == ["taskset", "-c", "0-7", "wrap", "-n", "3", "replay", "block"]


def test_arguments_of_the_embedded_program_come_after_the_blocks() -> None:
    words = ("python", "-X", "utf8", "-m", "pytest_ethrex_perf.embedded")
    got = measure(program(*words, "--extra-work", "15", kind="embedded"))
    assert got == [*words, *FROM_CACHE, "--no-zkvm", "--repeat", "11", "--extra-work", "15"]


def test_a_workload_is_replayed_from_the_folder_of_its_parameters() -> None:
    (block,) = parse_blocks(["workload:sload-cold,txs=5,slots=7"])
    got = command.measure(
        program("python", "-m", "pytest_ethrex_perf.embedded", "--extra-work", "15", kind="embedded"),
        block,
        cache_dir=Path("replay_cache"),
        repeat=11,
    )
    assert got == [
        *("python", "-m", "pytest_ethrex_perf.embedded", "custom", "block", "--tx", "sload-cold"),
        *("--n-txs", "5", "--seed", "0", "--n-senders", "8", "--tx-gas", "1000000"),
        *("--deploy-code-size", "1024", "--prestate-slots", "7", "--cached"),
        *("--cache-dir", "replay_cache/workload-sload-cold-txs5-seed0-slots7"),
        *("--no-zkvm", "--repeat", "11", "--extra-work", "15"),
    ]


def test_a_fetch_names_the_url_and_the_network_and_is_not_cached() -> None:
    got = command.fetch(program("replay"), BLOCK, cache_dir=Path("c"), rpc_url="http://localhost:8545")
    assert got == [
        *("replay", "block", "1265656", "--rpc-url", "http://localhost:8545"),
        *("--network", "hoodi", "--cache-dir", "c", "--no-zkvm"),
    ]


def test_the_child_gets_plain_output_and_no_secret_and_the_rest_of_our_environment() -> None:
    ours = {
        "PATH": "/bin",
        "LC_ALL": "de_DE.UTF-8",
        "RUST_LOG": "ethrex_replay=error",
        "RUST_BACKTRACE": "1",
        "SLACK_WEBHOOK_URL": "https://hooks.example.org/secret",
        "ETHREX_RPC_URL": "https://rpc.example.org/secret",
        "PYTEST_CURRENT_TEST": "a name of changing length",
    }
    assert command.child_environment(ours) == {"PATH": "/bin", "NO_COLOR": "1", "RUST_LOG": "", "LC_ALL": "C"}
    assert ours["LC_ALL"] == "de_DE.UTF-8"
