"""`ethrex-perf blocks suggest`: what is shown of a directory of caches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tomli

from pytest_ethrex_perf import cli
from pytest_ethrex_perf.embedded import identity
from pytest_ethrex_perf.gate import shard
from pytest_ethrex_perf.replay import failure
from tests.faults import fake_replay
from tests.replay.test_contents import ACCOUNT, ECRECOVER, write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locks: Path) -> Path:
    """Three blocks, in the directory where they are looked for, and a file that is none."""
    del locks
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(identity, "available", lambda: False)
    directory = tmp_path / "replay_cache"
    write(directory, 1, [ACCOUNT])
    write(directory, 2, [ACCOUNT] * 40, state=["0x" + 3000 * "00"])
    write(directory, 3, [None, ECRECOVER, *[ACCOUNT] * 9], state=["0x" + 200 * "00"])
    (directory / "cache_mainnet_9.json").write_text("{")
    return directory


def suggest(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert cli.main(["blocks", "suggest", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def test_a_table_the_reasons_and_the_line_for_the_settings(
    caches: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del caches
    broken, *lines = suggest(capsys)
    assert broken.startswith("left out: mainnet/9: replay_cache/cache_mainnet_9.json is not a cache file: ")
    assert lines == [
        "3 of 3 blocks in replay_cache",
        "(14 of 14 bands, low, middle, high and most, of what is counted)",
        "",
        "block        gas  txs  creates  precomp.  witness",
        "mainnet/2  37.5M   40        0         0  2.9 KiB",
        "mainnet/3  37.5M   11        1         1    200 B",
        "mainnet/1  37.5M    1        0         0      1 B",
        "",
        "mainnet/2: most txs, low creations, low precompiles, most witness",
        "mainnet/3: middle txs, most creations, most precompiles, middle witness",
        "mainnet/1: low txs, low witness",
        "",
        "how long 24 pairs take is not known: there is no baseline in baselines; --replay",
        "    PROGRAM measures one invocation of each",
        "note: opcodes are not counted: pip install 'pytest-ethrex-perf[embedded]' counts",
        "    them",
        "",
        "in ethrex-perf.toml, and then pytest --ethrex-block=all:",
        'blocks = ["mainnet/2", "mainnet/3", "mainnet/1"]',
    ]
    assert all(len(line) <= 80 for line in lines)


def test_fewer_are_proposed_where_fewer_are_asked_for(
    caches: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = suggest(capsys, str(caches), "--count", "2")
    assert tomli.loads(lines[-1]) == {"blocks": ["mainnet/2", "mainnet/3"]}


def test_the_time_is_that_of_baselines_or_of_one_invocation_and_never_guessed(
    caches: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    del caches
    monkeypatch.setattr(failure, "of_lifetime", lambda *_: None)
    monkeypatch.setattr(shard, "cost", lambda _, block: 2.0 if block.number == 3 else None)
    text = "\n".join(suggest(capsys))
    assert "mainnet/3: 24 pairs take 1 min 36 s (by its baseline)" in text
    assert "how long 24 pairs of mainnet/2, mainnet/1 take is not known" in text
    program = fake_replay.write(tmp_path / "bin", plan={"behaviour": {"2": "panic"}})
    text = "\n".join(suggest(capsys, "--replay", str(program)))
    assert "mainnet/2: 24 pairs take " in text
    assert "(by one invocation)" in text
    assert "how long 24 pairs of mainnet/1 take is not known: the program" in text


def test_a_directory_without_blocks_is_an_error_that_says_what_to_do(
    caches: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = caches.parent / "other"
    for missing in ("there is no such directory", "no cache file of a block is in there"):
        assert cli.main(["blocks", "suggest", str(other)]) == 2
        assert capsys.readouterr().err == (
            f"ethrex-perf: {other}: {missing}: fetch some "
            "(`ethrex-perf fetch BLOCK`), or name another directory\n"
        )
        other.mkdir(exist_ok=True)
