from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.commands import devblock
from pytest_ethrex_perf.embedded import bundled
from pytest_ethrex_perf.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def namespace(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    devblock.add_commands(parser.add_subparsers())
    return parser.parse_args(["devblock", *arguments])


def run(*arguments: str) -> int:
    parsed = namespace(*arguments)
    code: int = parsed.run(parsed)
    return code


def test_the_bundled_block_is_what_the_documented_command_makes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*bundled.ARGUMENTS, "--out", str(tmp_path)) == 0
    name = f"cache_hoodi_{bundled.BLOCK.number}.json"
    made, shipped = (tmp_path / name).read_bytes(), (bundled.bundled_dir() / name).read_bytes()
    assert made == shipped
    assert len(shipped) < 300_000
    assert capsys.readouterr().out.startswith(f"{tmp_path}/{name}: 80 txs, ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--mix", "erc721"), "unknown mix 'erc721': choose from transfers, erc20, storage, keccak"),
        (("--mix", ""), "unknown mix '': choose from transfers"),
        (("--txs", "0"), "a block of 0 transactions: --txs must be at least 1"),
        (("--txs", "5000"), "transactions may use .* gas, a block holds 60000000: lower --txs"),
        (("--number", "3"), "--number must be at least 4"),
        (("--seed", "-1"), "--seed must not be negative"),
    ],
)
def test_a_block_that_cannot_be_made_is_a_usage_error(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        run(*arguments, "--out", str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_defaults_are_the_documented_ones() -> None:
    arguments = namespace()
    assert (arguments.txs, arguments.mix, arguments.seed) == (100, "transfers,erc20,storage,keccak", 1)
    assert arguments.number == bundled.BLOCK.number
