"""Blocks as a user writes them: `24443168`, `hoodi:1265656`, `24443160..24443168`, comma lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_ethrex_perf.config.parsers import shown, written
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records.block import BlockId

if TYPE_CHECKING:
    from collections.abc import Iterable

FORM = "N, NETWORK:N (or NETWORK/N), A..B, or a comma list of these"
MAX_RANGE = 10_000  # a longer range is a slip of the keyboard: it would take days
_NETWORK = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_NUMBER = re.compile(r"[0-9](?:_?[0-9])*")
_MAX_NUMBER = 2**64 - 1  # ethrex-replay reads the number as a u64
_MAX_LENGTH = 60  # of a number, underscores included: Python itself reads none of more than 4300 digits


def parse_blocks(specs: Iterable[str | int], network: str = "mainnet") -> list[BlockId]:
    """Read block specs into blocks, in the order given, each block once.

    `network` is the network of the specs that name none. Raises `UsageError`, which shows the form.
    """
    blocks: dict[BlockId, None] = {}
    for spec in specs:
        try:
            text = written(spec)
        except ValueError as error:
            raise UsageError(f"bad block spec: {error}; the form is {FORM}") from None
        for part in text.split(","):
            blocks.update(dict.fromkeys(_parse_part(part.strip(), text, network)))
    return list(blocks)


def _parse_part(part: str, spec: str, network: str) -> list[BlockId]:
    separator = next((mark for mark in ":/" if mark in part), None)
    name, numbers = part.split(separator, 1) if separator else (network, part)
    if not _NETWORK.fullmatch(name):
        raise _refusal(spec, f"{shown(name)} is not a network's name; the form is {FORM}")
    first, dots, last = numbers.partition("..")
    if dots:
        start, stop = _parse_number(first, spec), _parse_number(last, spec)
        if stop < start:
            raise _refusal(spec, f"the range ends before it starts; the form is {FORM}")
        if stop - start >= MAX_RANGE:
            raise _refusal(spec, f"a range of more than {MAX_RANGE:,} blocks")
        return [BlockId(name.lower(), number) for number in range(start, stop + 1)]
    return [BlockId(name.lower(), _parse_number(numbers, spec))]


def _refusal(spec: str, reason: str) -> UsageError:
    return UsageError(f"bad block spec {shown(spec)}: {reason}")


def _parse_number(text: str, spec: str) -> int:
    if len(text) > _MAX_LENGTH or not _NUMBER.fullmatch(text) or int(text) > _MAX_NUMBER:
        raise _refusal(spec, f"{shown(text)} is not a block number; the form is {FORM}")
    return int(text)
