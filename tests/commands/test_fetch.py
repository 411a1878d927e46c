from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf import cli
from pytest_ethrex_perf.replay import failure
from tests import cache_file
from tests.faults import fake_replay

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://rpc.example.org:8545/v2/0123456789abcdef"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that fetches block 7 into the cache directory of the directory that it runs in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ETHREX_RPC_URL", raising=False)
    text = cache_file.write(tmp_path / "elsewhere", 7).read_text()
    return fake_replay.write(tmp_path / "bin", plan={"behaviour": "fetch", "says": text})


def test_a_missing_file_is_fetched_once(
    program: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["fetch", "7", "--replay", str(program), "--rpc-url", URL]) == 0
    first = capsys.readouterr().out
    assert first.startswith("mainnet/7: replay_cache/cache_mainnet_7.json (fetched, block hash 0x")
    monkeypatch.setenv("ETHREX_RPC_URL", URL)
    assert cli.main(["fetch", "mainnet:7", "--replay", str(program)]) == 0
    assert capsys.readouterr().out == first.replace("fetched", "was there")
    assert len(fake_replay.calls(program)) == 1


def test_without_an_rpc_it_says_where_to_name_one(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["fetch", "7", "--replay", str(program)]) == 2
    assert capsys.readouterr().err == (
        "ethrex-perf: no RPC to fetch from: give --rpc-url URL or set ETHREX_RPC_URL\n"
    )


def test_a_workload_is_made_once_and_needs_no_rpc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], locks: Path
) -> None:
    del locks
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ETHREX_RPC_URL", raising=False)
    monkeypatch.setattr(failure, "of_lifetime", lambda *_: None)
    program = fake_replay.write(tmp_path / "bin")
    assert cli.main(["fetch", "workload:keccak", "--replay", str(program)]) == 0
    first = capsys.readouterr().out
    assert first.startswith(
        "workload/keccak,gas=30M,seed=0: replay_cache/workload-keccak-gas30M-seed0/"
        "cache_custom_keccak_seed0_blocks1.json (made, block hash 0x"
    )
    assert cli.main(["fetch", "workload:keccak", "--replay", str(program)]) == 0
    assert capsys.readouterr().out == first.replace("made", "was there")
    assert len(fake_replay.calls(program)) == 1
