"""Custom workloads: blocks of one kind of transaction that a program makes itself, hermetic and without RPC.

Names, parameters and defaults: ethrex-replay's `custom block` (d5999b86, `src/cli.rs`, `src/workloads`).
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, fields
from typing import Any

NETWORK = "workload"
"""Stands where other blocks have their network: `workload/keccak,gas=30M,seed=0`."""
DEVNET = "localdevnet"
"""The network that programs replay workloads on, however they spell it."""
BLOCK_NUMBER = 1
"""A workload is one block, the first after the genesis."""
EVERY = "all"
"""`workload:all`: each workload that the program knows."""
TRANSFERS = ("eth-transfer", "erc20-transfer", "uniswap-v2-swap")
LOOPS = ("keccak", "mulmod", "ecrecover", "sstore-fresh", "sload-cold")
"""They burn `tx-gas` a transaction."""
NAMES = (*TRANSFERS, "contract-deploy", *LOOPS)
FORM = "workload:NAME[,KEY=VALUE…] like workload:keccak or workload:sstore-fresh,gas=30M,seed=1"
DEFAULT_GAS = 30_000_000
_MAX = 2**64 - 1  # the program reads them as u64
_NUMBER = re.compile(r"(?P<digits>[0-9](?:_?[0-9]){0,30})(?:\.(?P<decimals>[0-9]{1,6}))?(?P<suffix>[kKmM]?)")
_UNITS = {"": 1, "K": 1_000, "M": 1_000_000}
_OF = {"tx-gas": LOOPS, "code-size": ("contract-deploy",), "slots": ("sload-cold",)}
"""The workloads that a parameter says something of; the other parameters are of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One workload and its parameters; `str()` is the canonical form, `keccak,gas=30M,seed=0`.

    What is not its default is left out there, but for the size and the seed. Two workloads are the same block
    if and only if they are equal.
    """

    name: str
    txs: int | None = None
    """Number of transactions; None: as many as `gas` takes."""
    gas: int | None = None
    """Gas of the block, about; None: what `txs` transactions take."""
    seed: int = 0
    senders: int = 8
    tx_gas: int = 1_000_000
    """Gas of a transaction, of those that loop."""
    code_size: int = 1_024
    """Bytes of what contract-deploy deploys."""
    slots: int = 100_000
    """Of storage, that sload-cold may read."""

    def __str__(self) -> str:
        values = {field.name: getattr(self, field.name) for field in fields(self)[1:]}
        usual = {field.name: field.default for field in fields(self)[1:]}
        shown = [name for name, value in values.items() if value != usual[name] or name == "seed"]
        each = (
            f"{_key(name)}={values[name] if name == 'seed' else suffixed(values[name])}" for name in shown
        )
        return ",".join([self.name, *each])


def suffixed(value: int) -> str:
    """A number as it is written: 30M, 1500K, 1001."""
    suffix = next((suffix for suffix in ("M", "K") if value and value % _UNITS[suffix] == 0), "")
    return f"{value // _UNITS[suffix]}{suffix}"


def parse(text: str) -> Workload:
    """Read `keccak`, or `sstore-fresh,gas=30M,seed=1`. Raises ValueError, with what was meant or the form."""
    name, *parts = (part.strip() for part in text.split(","))
    if name not in NAMES:
        raise ValueError(f"there is no workload {name[:40]!r}{_meant(name, NAMES)}")
    values = _values(parts)
    for key in values:
        if name not in _OF.get(key, NAMES):
            raise ValueError(f"{key} says nothing of {name}: it is for {', '.join(_OF[key])}")
    return _made(name, values)


def parse_every(text: str, names: tuple[str, ...] = NAMES) -> list[Workload]:
    """Read `all`, or `all,gas=10M`, as the workloads `names`; each takes of the parameters what it has."""
    values = _values([part.strip() for part in text.split(",")[1:]])
    return [
        _made(name, {key: value for key, value in values.items() if name in _OF.get(key, NAMES)})
        for name in names
    ]


def _made(name: str, values: dict[str, int]) -> Workload:
    if "txs" in values and "gas" in values:
        raise ValueError("txs and gas are two ways to say how large the block is: keep one of them")
    sized: dict[str, Any] = {} if "txs" in values else {"gas": DEFAULT_GAS}
    sized |= {key.replace("-", "_"): value for key, value in values.items()}
    return Workload(name=name, **sized)


def _values(parts: list[str]) -> dict[str, int]:
    keys = [_key(field.name) for field in fields(Workload)[1:]]
    values: dict[str, int] = {}
    for part in parts:
        key, equals, value = (word.strip() for word in part.partition("="))
        if not equals:
            raise ValueError(f"{part[:40]!r} is no parameter; the form is {FORM}")
        if key not in keys:
            raise ValueError(f"there is no parameter {key[:40]!r}{_meant(key, keys)}")
        if key in values:
            raise ValueError(f"{key} is there twice")
        values[key] = _value(key, value)
    return values


def _value(key: str, text: str) -> int:
    match = _NUMBER.fullmatch(text)
    unit = _UNITS[match["suffix"].upper()] if match else 1
    decimals = (match["decimals"] or "") if match else ""
    if not match or unit % 10 ** len(decimals):
        raise ValueError(f"{key}={text[:40]}: write a whole number like 5, 500K or 30M")
    value: int = int(match["digits"]) * unit + int(decimals or 0) * unit // 10 ** len(decimals)
    least = 0 if key == "seed" else 1
    if not least <= value <= _MAX:
        raise ValueError(f"{key}={text[:40]}: it must be at least {least} and below 2^64")
    return value


def _key(field: str) -> str:
    return field.replace("_", "-")


def _meant(word: str, known: tuple[str, ...] | list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f": did you mean {close[0]!r}?" if close else f"; there are {', '.join(known)}"
