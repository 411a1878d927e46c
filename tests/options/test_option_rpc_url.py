"""--ethrex-rpc-url: a missing cache file is fetched, unmeasured, and the URL's secrets stay secret."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.config.options import WRITTEN
from tests import cache_file

if TYPE_CHECKING:
    from tests.conftest import Bench

SECRETS = ("s3cr3tpassword", "0123456789abcdef", "hiddenvalue")
URL = f"https://somebody:{SECRETS[0]}@rpc.example.org:8545/v2/{SECRETS[1]}?key={SECRETS[2]}"
EVERY_FILE = (
    "--junitxml=j.xml",
    *(f"--ethrex-{name.replace('_', '-')}={name}" for name in WRITTEN if name != "json"),
    "--ethrex-json=r.json",
)


@pytest.fixture
def fetching(bench: Bench) -> str:
    """A program whose first invocation fetches block 7."""
    file = cache_file.write(bench.path / "elsewhere", 7)
    program = bench.program("head", behaviour={"1": "fetch"}, says=file.read_text())
    file.unlink()
    return program


def leaks(bench: Bench, result: pytest.RunResult) -> list[str]:
    """Where a secret was found; what the fake program itself notes of its command line is not ours."""
    texts = {"stdout": result.stdout.str(), "stderr": result.stderr.str()}
    for path in bench.path.rglob("*"):
        if path.is_file() and path.parent.name != "bin":
            texts[str(path)] = path.read_text(errors="replace")
    assert len(texts) > 2
    return [f"{secret} in {name}" for name, text in texts.items() for secret in SECRETS if secret in text]


def test_a_missing_file_is_fetched_by_one_run_that_is_not_measured(bench: Bench, fetching: str) -> None:
    result = bench.record(fetching, f"--ethrex-rpc-url={URL}", "--ethrex-json=r.json", block="7")
    result.assert_outcomes(passed=1)
    fetch, *measured = (" ".join(call["argv"]) for call in bench.calls(fetching))
    assert f"block 7 --rpc-url {URL} --network mainnet" in fetch
    assert "--cached" not in fetch
    assert len(measured) == 2
    assert all("--cached" in line and "--rpc-url" not in line for line in measured)
    (block,) = bench.results("r.json").blocks
    assert len(block.invocations) == 2


def test_the_environment_may_name_it(bench: Bench, fetching: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETHREX_RPC_URL", URL)
    bench.record(fetching, block="7").assert_outcomes(passed=1)
    assert [call["environ"].get("ETHREX_RPC_URL") for call in bench.calls(fetching)] == [None] * 3


def test_an_empty_one_is_none(bench: Bench, fetching: str) -> None:
    result = bench.record(fetching, "--ethrex-rpc-url=", block="7")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["mainnet/7: no cache file *"])


def test_a_file_that_is_there_is_not_fetched(bench: Bench) -> None:
    program = bench.program("head")
    bench.record(program, f"--ethrex-rpc-url={URL}").assert_outcomes(passed=1)
    assert not any("--rpc-url" in call["argv"] for call in bench.calls(program))


def test_a_fetch_that_fails_is_an_error_of_that_block(bench: Bench) -> None:
    head, base = bench.program("head", behaviour={"1": "exit"}, says=f"no route to {URL}"), "bin/base"
    bench.program("base")
    result = bench.compare(
        head, base, f"--ethrex-rpc-url={URL}", *EVERY_FILE, "--ethrex-looks=6", block="7,24443168"
    )
    result.assert_outcomes(passed=1, errors=1)
    told = (
        "mainnet/7: fetching from https://rpc.example.org:8545: the program failed with exit code 1: "
        "no route to https://rpc.example.org:8545; the whole output is in *mainnet-7-fetch.log"
    )
    result.stdout.fnmatch_lines([told])
    assert (bench.path / "ethrex-perf-logs" / "mainnet-7-fetch.log").exists()
    assert leaks(bench, result) == []


def test_what_is_no_url_is_an_error_without_it(bench: Bench) -> None:
    program = bench.program("head")
    result = bench.record(program, f"--ethrex-rpc-url={SECRETS[1]}", block="7")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["the RPC URL is not an http(s) URL; its form is http://HOST:PORT/PATH"])
    assert bench.calls(program) == []
    assert leaks(bench, result) == []


def test_no_secret_of_it_is_shown_or_kept(bench: Bench, fetching: str) -> None:
    result = bench.record(fetching, f"--ethrex-rpc-url={URL}", *EVERY_FILE, "-vv", block="7")
    result.assert_outcomes(passed=1)
    assert leaks(bench, result) == []
    assert bench.results("r.json").settings["rpc_url"] == "https://rpc.example.org:8545"
    assert list((bench.path / "baselines").rglob("*.json"))


def test_a_program_that_prints_it_is_quoted_without_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETHREX_RPC_URL", URL)
    program = bench.program("head", behaviour={"2": "exit"}, says=f"cannot reach {URL}")
    result = bench.record(program, *EVERY_FILE)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*cannot reach https://rpc.example.org:8545;*"])
    assert (Path("ethrex-perf-logs") / "mainnet-24443168-head-002.log").exists()
    assert leaks(bench, result) == []


def test_the_command_that_repeats_it_leaves_it_out(bench: Bench) -> None:
    program = bench.program("head")
    result = bench.gate(f"--ethrex-replay={program}", f"--ethrex-rpc-url={URL}")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*--ethrex-update-baseline*"])
    assert leaks(bench, result) == []


def test_it_is_kept_out_of_what_a_command_line_brings(bench: Bench) -> None:
    head, base = bench.program("head", exec_ms=66), bench.program("base")
    prefix = f"--ethrex-prefix=env RPC={URL}"
    result = bench.compare(head, base, f"--ethrex-rpc-url={URL}", prefix, *EVERY_FILE, "--ethrex-looks=6")
    result.assert_outcomes(failed=1)
    assert leaks(bench, result) == []
