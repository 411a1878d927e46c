"""The contracts of self-made blocks: hand-assembled workloads, and the system contracts that blocks call."""

from __future__ import annotations

_OPCODES = {
    "STOP": 0x00,
    "ADD": 0x01,
    "SUB": 0x03,
    "GT": 0x11,
    "EQ": 0x14,
    "SHR": 0x1C,
    "KECCAK256": 0x20,
    "CALLER": 0x33,
    "CALLDATALOAD": 0x35,
    "POP": 0x50,
    "MLOAD": 0x51,
    "MSTORE": 0x52,
    "SLOAD": 0x54,
    "SSTORE": 0x55,
    "JUMPI": 0x57,
    "JUMPDEST": 0x5B,
    "RETURN": 0xF3,
    "REVERT": 0xFD,
    **{f"PUSH{size}": 0x5F + size for size in range(33)},
    **{f"DUP{depth}": 0x7F + depth for depth in range(1, 17)},
    **{f"SWAP{depth}": 0x8F + depth for depth in range(1, 17)},
    **{f"LOG{topics}": 0xA0 + topics for topics in range(5)},
}
_LABEL_SIZE = 3  # PUSH2 and two bytes


def assemble(source: str) -> bytes:
    """Assemble EVM code: mnemonics, `0x…` data after PUSHn, `name:` a jump destination, `@name` its address.

    `;` starts a comment. Raises `KeyError` for a mnemonic or a label that is not known.
    """
    tokens = [token for line in source.splitlines() for token in line.partition(";")[0].split()]
    labels: dict[str, int] = {}
    position = 0
    for token in tokens:
        if token.endswith(":"):
            labels[token[:-1]] = position
        position += _size(token)
    return b"".join(_assemble(token, labels) for token in tokens)


def _size(token: str) -> int:
    if token.startswith("@"):
        return _LABEL_SIZE
    return len(token) // 2 - 1 if token.startswith("0x") else 1


def _assemble(token: str, labels: dict[str, int]) -> bytes:
    if token.startswith("@"):
        return bytes((_OPCODES["PUSH2"],)) + labels[token[1:]].to_bytes(2, "big")
    if token.startswith("0x"):
        return bytes.fromhex(token[2:])
    return bytes((_OPCODES["JUMPDEST" if token.endswith(":") else token],))


ERC20 = assemble("""
    PUSH0 CALLDATALOAD PUSH1 0xe0 SHR
    PUSH4 0xa9059cbb EQ @transfer JUMPI     ; transfer(address to, uint256 amount)
fail:
    PUSH0 PUSH0 REVERT
transfer:
    CALLER PUSH0 MSTORE
    PUSH1 0x40 PUSH0 KECCAK256              ; balances is the mapping at slot 0: keccak(caller . 0)
    DUP1 SLOAD PUSH1 0x24 CALLDATALOAD      ; slot, balance, amount
    DUP2 DUP2 GT @fail JUMPI
    SWAP1 DUP2 SWAP1 SUB                    ; slot, amount, balance - amount
    DUP3 SSTORE SWAP1 POP                   ; amount
    PUSH1 0x04 CALLDATALOAD
    DUP1 PUSH0 MSTORE
    PUSH1 0x40 PUSH0 KECCAK256              ; amount, to, keccak(to . 0)
    DUP1 SLOAD DUP4 ADD SWAP1 SSTORE        ; amount, to
    DUP2 PUSH0 MSTORE
    CALLER                                  ; event Transfer(address indexed, address indexed, uint256)
    PUSH32 0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef
    PUSH1 0x20 PUSH0 LOG3
    PUSH1 0x01 PUSH0 MSTORE
    PUSH1 0x20 PUSH0 RETURN                 ; true
""")
"""`transfer` of an ERC-20 token: two balances in a mapping, a check, an event."""

STORAGE = assemble("""
    PUSH0 CALLDATALOAD PUSH1 0x20 CALLDATALOAD  ; n, slot
loop:
    DUP1 SLOAD
    DUP2 PUSH1 0x01 ADD SLOAD ADD
    PUSH1 0x01 ADD DUP2 SSTORE                  ; storage[slot] += storage[slot + 1] + 1
    PUSH1 0x01 ADD
    SWAP1 PUSH1 0x01 SWAP1 SUB SWAP1            ; n - 1, slot + 1
    DUP2 @loop JUMPI
    STOP
""")
"""(n, slot): n times two reads and one write of storage, at consecutive slots."""

KECCAK = assemble("""
    PUSH1 0x20 CALLDATALOAD PUSH0 MSTORE
    PUSH0 CALLDATALOAD                          ; n
loop:
    PUSH1 0x88 PUSH0 KECCAK256 PUSH0 MSTORE     ; 136 bytes: one block of Keccak-256
    PUSH1 0x01 SWAP1 SUB
    DUP1 @loop JUMPI
    PUSH0 MLOAD PUSH1 0x20 PUSH0 LOG1
    PUSH1 0x20 PUSH0 RETURN
""")
"""(n, seed): a chain of n hashes, whose end is logged."""

HASHES = assemble("""
    PUSH1 0x20 CALLDATALOAD PUSH0 MSTORE
    PUSH0 CALLDATALOAD                          ; n
loop:
    PUSH2 0x1000 PUSH0 KECCAK256 PUSH0 MSTORE   ; 4 KiB: what hashing takes, not what the loop takes
    PUSH1 0x01 SWAP1 SUB
    DUP1 @loop JUMPI
    STOP
""")
"""(n, seed): a chain of n hashes of 4 KiB each."""

FRESH = assemble("""
    PUSH0 CALLDATALOAD PUSH1 0x20 CALLDATALOAD  ; n, slot
loop:
    DUP1 DUP1 SSTORE                            ; storage[slot] = slot
    PUSH1 0x01 ADD
    SWAP1 PUSH1 0x01 SWAP1 SUB SWAP1            ; n - 1, slot + 1
    DUP2 @loop JUMPI
    STOP
""")
"""(n, slot): n writes to slots that were never set, one after the other; slot is not 0."""

SYSTEM_CONTRACTS = {
    # EIP-4788, beacon block roots
    "000f3df6d732807ef1319fb7b8bb8522d0beac02": (
        "3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f35801560495762001fff"
        "810690815414603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f359062001fff0155"
        "00"
    ),
    # EIP-2935, historical block hashes
    "0000f90827f1c53a10cb7a02335b175320002935": (
        "3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81"
        "430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500"
    ),
    # EIP-7002, withdrawal requests
    "00000961ef480eb55e80d19ad83579a64c007002": (
        "3373fffffffffffffffffffffffffffffffffffffffe1460cb5760115f54807fffffffffffffffffffffffffffffffff"
        "ffffffffffffffffffffffffffffffff146101f457600182026001905f5b5f8211156068578101908302848302900491"
        "6001019190604d565b909390049250505036603814608857366101f457346101f4575f5260205ff35b34106101f45760"
        "0154600101600155600354806003026004013381556001015f35815560010160203590553360601b5f5260385f601437"
        "604c5fa0600101600355005b6003546002548082038060101160df575060105b5f5b8181146101835782810160030260"
        "040181604c02815460601b8152601401816001015481526020019060020154807fffffffffffffffffffffffffffffff"
        "ff00000000000000000000000000000000168252906010019060401c908160381c81600701538160301c816006015381"
        "60281c81600501538160201c81600401538160181c81600301538160101c81600201538160081c816001015353600101"
        "60e1565b910180921461019557906002556101a0565b90505f6002555f6003555b5f54807fffffffffffffffffffffff"
        "ffffffffffffffffffffffffffffffffffffffffff14156101cd57505f5b6001546002828201116101e25750505f6101"
        "e8565b01600290035b5f555f600155604c025ff35b5f5ffd"
    ),
    # EIP-7251, consolidation requests
    "0000bbddc7ce488642fb579f8b00f3a590007251": (
        "3373fffffffffffffffffffffffffffffffffffffffe1460d35760115f54807fffffffffffffffffffffffffffffffff"
        "ffffffffffffffffffffffffffffffff1461019a57600182026001905f5b5f8211156068578101908302848302900491"
        "6001019190604d565b9093900492505050366060146088573661019a573461019a575f5260205ff35b341061019a5760"
        "0154600101600155600354806004026004013381556001015f358155600101602035815560010160403590553360601b"
        "5f5260605f60143760745fa0600101600355005b6003546002548082038060021160e7575060025b5f5b818114610129"
        "5782810160040260040181607402815460601b8152601401816001015481526020018160020154815260200190600301"
        "54905260010160e9565b910180921461013b5790600255610146565b90505f6002555f6003555b5f54807fffffffffff"
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffff141561017357505f5b600154600182820111610188"
        "5750505f61018e565b01600190035b5f555f6001556074025ff35b5f5ffd"
    ),
}
"""Address -> code, both as the EIPs deploy them on every network."""
