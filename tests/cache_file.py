"""Cache files in ethrex-replay's format, as small as a gate needs: a header of that number, and a witness."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

GAS, TXS = 37_500_000, 442
"""What a block has unless a test says otherwise; the fake programs report the same."""
_ZERO = "0x" + 32 * "00"


def write(directory: Path, number: int, network: str = "Mainnet", **header: str) -> Path:
    """Write `cache_{network}_{number}.json`; `header` fields replace the usual ones."""
    fields = {
        "parentHash": _ZERO,
        "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
        "miner": "0x" + 20 * "00",
        "stateRoot": _ZERO,
        "transactionsRoot": _ZERO,
        "receiptsRoot": _ZERO,
        "logsBloom": "0x" + 256 * "00",
        "difficulty": "0x0",
        "number": hex(number),
        "gasLimit": "0x392a220",
        "gasUsed": hex(GAS),
        "timestamp": "0x68d1422c",
        "extraData": "0x",
        "mixHash": _ZERO,
        "nonce": "0x0000000000000000",
        "baseFeePerGas": "0x7",
        **header,
    }
    content = {
        "blocks": [
            {"header": fields, "body": {"transactions": ["0x"] * TXS, "uncles": [], "withdrawals": []}}
        ],
        "witness": {"state": ["0x80"], "keys": [], "codes": [], "headers": []},
        "network": {"PublicNetwork": network},
    }
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"cache_{network.lower()}_{number}.json"
    path.write_text(json.dumps(content))
    return path
