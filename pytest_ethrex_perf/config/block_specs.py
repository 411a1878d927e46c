"""Blocks as a user writes them: `24443168`, `hoodi:1265656`, `24443160..24443168`, `workload:keccak`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_ethrex_perf.config.parsers import shown, written
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records import workload
from pytest_ethrex_perf.records.block import BlockId, of_workload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

FORM = "N, NETWORK:N (or NETWORK/N), A..B, workload:NAME, or a comma list of these"
MAX_RANGE = 10_000  # a longer range is a slip of the keyboard: it would take days
_NETWORK = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_NUMBER = re.compile(r"[0-9](?:_?[0-9])*")
_MAX_NUMBER = 2**64 - 1  # ethrex-replay reads the number as a u64
_MAX_LENGTH = 60  # of a number, underscores included: Python itself reads none of more than 4300 digits


def every_workload() -> tuple[str, ...]:
    """Return the workloads that `workload:all` stands for where no program is asked."""
    return workload.NAMES


def named(specs: Iterable[str | int], network: str = "mainnet") -> frozenset[BlockId]:
    """Return the blocks that `specs` name: without what `workload:all` alone stands for."""
    return frozenset(parse_blocks(specs, network, tuple))


def parse_blocks(
    specs: Iterable[str | int],
    network: str = "mainnet",
    workloads: Callable[[], tuple[str, ...]] = every_workload,
) -> list[BlockId]:
    """Read block specs into blocks, in the order given, each block once.

    `network` is the network of the specs that name none; `workloads` says, if asked, what `workload:all`
    stands for. Raises `UsageError`, which shows the form.
    """
    blocks: dict[BlockId, None] = {}
    for spec in specs:
        try:
            text = written(spec)
        except ValueError as error:
            raise UsageError(f"bad block spec: {error}; the form is {FORM}") from None
        for part in _parts(text, network):
            blocks.update(dict.fromkeys(_parse_part(part, text, network, workloads)))
    return list(blocks)


def _parts(text: str, network: str) -> list[str]:
    """Split at the commas, but for those within a workload: there a parameter has an equals sign."""
    parts: list[str] = []
    for word in map(str.strip, text.split(",")):
        if parts and "=" in word and _split(parts[-1], network)[0].lower() == workload.NETWORK:
            parts[-1] += f",{word}"
        else:
            parts.append(word)
    return parts


def _split(part: str, network: str) -> tuple[str, str]:
    """The network and the rest of `NETWORK:N`, `NETWORK/N` or `N`."""
    separator = next((mark for mark in ":/" if mark in part), None)
    if separator is None:
        return network, part
    name, _, rest = part.partition(separator)
    return name, rest


def _parse_part(
    part: str, spec: str, network: str, workloads: Callable[[], tuple[str, ...]]
) -> list[BlockId]:
    name, numbers = _split(part, network)
    if name.lower() == workload.NETWORK:
        return _parse_workload(numbers, spec, workloads)
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


def _parse_workload(text: str, spec: str, workloads: Callable[[], tuple[str, ...]]) -> list[BlockId]:
    try:
        if text.partition(",")[0].strip() == workload.EVERY:
            return [of_workload(each) for each in workload.parse_every(text, workloads())]
        return [of_workload(workload.parse(text))]
    except ValueError as error:
        raise _refusal(spec, str(error)) from None


def _refusal(spec: str, reason: str) -> UsageError:
    return UsageError(f"bad block spec {shown(spec)}: {reason}")


def _parse_number(text: str, spec: str) -> int:
    if text in workload.NAMES:
        raise _refusal(spec, f"{text!r} is a workload: write {workload.NETWORK}:{text}")
    if len(text) > _MAX_LENGTH or not _NUMBER.fullmatch(text) or int(text) > _MAX_NUMBER:
        raise _refusal(spec, f"{shown(text)} is not a block number; the form is {FORM}")
    return int(text)
