"""Fetching a missing cache file, and what is left when that fails."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.errors import MeasurementError, UsageError
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.records.measurement import Program
from pytest_ethrex_perf.replay import cache
from pytest_ethrex_perf.replay.program import resolve
from tests.faults import fake_replay

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.records.measurement import CacheIdentity

BLOCK = BlockId("hoodi", 9000001)
URL = "https://rpc.example.org:8545/v2/0123456789abcdef"


def cache_file(number: int = BLOCK.number) -> str:
    header = {
        "parentHash": "0x" + "11" * 32,
        "sha3Uncles": "0x" + "22" * 32,
        "miner": "0x" + "33" * 20,
        "stateRoot": "0x" + "44" * 32,
        "transactionsRoot": "0x" + "55" * 32,
        "receiptsRoot": "0x" + "66" * 32,
        "logsBloom": "0x" + "00" * 256,
        "difficulty": "0x0",
        "number": hex(number),
        "gasLimit": "0x1c9c380",
        "gasUsed": "0x5208",
        "timestamp": "0x68d1422c",
        "extraData": "0x",
        "mixHash": "0x" + "77" * 32,
        "nonce": "0x0000000000000000",
    }
    block = {"header": header, "body": {"transactions": []}}
    witness: dict[str, list[str]] = {"state": [], "keys": [], "codes": [], "headers": []}
    return json.dumps({"blocks": [block], "witness": witness, "network": {"PublicNetwork": "Hoodi"}})


def fetch(tmp_path: Path, plan: dict[str, object], url: str = URL) -> CacheIdentity:
    program = fake_replay.write(tmp_path / "bin", plan=plan)
    return cache.fetch(
        resolve(str(program), cwd=tmp_path, environ=os.environ),
        BLOCK,
        cache_dir=tmp_path / "cache",
        rpc_url=url,
        timeout=None,
        environ=os.environ,
        log_dir=tmp_path / "logs",
    )


def test_a_fetched_file_is_identified(tmp_path: Path) -> None:
    got = fetch(tmp_path, {"behaviour": "fetch", "says": cache_file()})
    assert got.block_id == BLOCK
    (call,) = fake_replay.calls(tmp_path / "bin" / "ethrex-replay")
    assert call["argv"] == [
        *("block", "9000001", "--rpc-url", URL, "--network", "hoodi"),
        *("--cache-dir", str(tmp_path / "cache"), "--no-zkvm"),
    ]


def test_a_failed_fetch_says_so_without_the_url_and_leaves_no_half_file(tmp_path: Path) -> None:
    plan = {"behaviour": "fetch", "says": cache_file()[:100], "returncode": 1}
    with pytest.raises(MeasurementError) as caught:
        fetch(tmp_path, plan)
    log = tmp_path / "logs" / "hoodi-9000001-fetch.log"
    assert str(caught.value) == (
        "hoodi/9000001: fetching from https://rpc.example.org:8545: the program failed with exit code 1: "
        f"error sending request; the whole output is in {log}"
    )
    assert "0123456789abcdef" not in log.read_text()
    assert "--rpc-url https://rpc.example.org:8545" in log.read_text()
    assert list((tmp_path / "cache").iterdir()) == []


KEY = "k3y0123456789abcdef"
KEYED = {
    "user": f"https://{KEY}@rpc.example.org:8545/",
    "password": f"https://me:{KEY}@rpc.example.org:8545/",
    "path": f"https://rpc.example.org:8545/v2/{KEY}",
    "query": f"https://rpc.example.org:8545/?apikey={KEY}",
}
FAILURES: dict[str, dict[str, object]] = {
    "an exit code": {"behaviour": "fetch", "says": "{", "returncode": 1},
    "no file": {},
    "another block": {"behaviour": "fetch", "says": cache_file(9000002)},
    "no JSON, but the URL": {"behaviour": "fetch", "says": "could not reach URL"},
    "an error line that quotes it": {"behaviour": "exit", "says": "no answer from URL", "returncode": 1},
    "a traceback that quotes it": {"behaviour": "traceback", "says": "no answer from URL", "returncode": 1},
    "a panic": {"behaviour": "panic"},
}


@pytest.mark.parametrize("place", KEYED)
@pytest.mark.parametrize("failure", FAILURES)
def test_no_error_and_no_log_of_a_fetch_has_the_key(tmp_path: Path, place: str, failure: str) -> None:
    url = KEYED[place]
    said = str(FAILURES[failure].get("says", "")).replace("URL", url)
    with pytest.raises(MeasurementError) as caught:
        fetch(tmp_path, FAILURES[failure] | {"says": said}, url=url)
    written = [str(caught.value), *(log.read_text() for log in (tmp_path / "logs").glob("*.log"))]
    assert not [text for text in written if KEY in text]


def test_a_fetch_that_left_no_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match=r"and left no .*cache_hoodi_9000001\.json: does it keep"):
        fetch(tmp_path, {})


def test_a_fetch_that_left_another_block_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match=r"holds hoodi/9000002, not hoodi/9000001"):
        fetch(tmp_path, {"behaviour": "fetch", "says": cache_file(9000002)})
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_file_that_was_there_before_survives_a_failed_fetch(tmp_path: Path) -> None:
    file = cache.path(tmp_path / "cache", BLOCK)
    file.parent.mkdir()
    file.write_text("the user's own")
    with pytest.raises(MeasurementError):
        fetch(tmp_path, {"behaviour": "exit"})
    assert file.read_text() == "the user's own"


def test_what_is_no_url_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"not an http\(s\) URL") as caught:
        fetch(tmp_path, {}, url="rpc.example.org/0123456789abcdef")
    assert "0123456789abcdef" not in str(caught.value)
    assert fake_replay.calls(tmp_path / "bin" / "ethrex-replay") == []


def test_the_embedded_program_cannot_fetch(tmp_path: Path) -> None:
    program = Program(kind="embedded", command=("python", "-m", "x"), sha256="0" * 64, label="embedded")
    with pytest.raises(UsageError, match="the embedded program can't fetch blocks"):
        cache.fetch(
            program,
            BLOCK,
            cache_dir=tmp_path,
            rpc_url=URL,
            timeout=None,
            environ={},
            log_dir=tmp_path,
        )
