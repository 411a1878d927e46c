"""Custom workloads: what people write, and the one form that names a block."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.records.block import of_workload
from pytest_ethrex_perf.records.workload import LOOPS, NAMES, Workload, parse, parse_every

values = st.one_of(st.integers(1, 2**64 - 1), st.integers(1, 10**6).map(lambda value: value * 1000))


@st.composite
def workloads(draw: st.DrawFn) -> Workload:
    name = draw(st.sampled_from(NAMES))
    fields: dict[str, Any] = {draw(st.sampled_from(["txs", "gas"])): draw(values)}
    fields["seed"] = draw(st.integers(0, 2**64 - 1))
    possible = {
        "senders": NAMES,
        "tx_gas": LOOPS,
        "code_size": ("contract-deploy",),
        "slots": ("sload-cold",),
    }
    for field, names in possible.items():
        if name in names and draw(st.booleans()):
            fields[field] = draw(values)
    return Workload(name=name, **fields)


@given(workloads())
def test_what_a_workload_is_called_is_the_workload(workload: Workload) -> None:
    assert parse(str(workload)) == workload
    assert re.fullmatch(r"[a-z0-9-]+(,[a-z-]+=[0-9]+[KM]?)+", str(workload))


@given(workloads(), workloads())
def test_other_parameters_are_another_block_in_another_folder(one: Workload, other: Workload) -> None:
    first, second = of_workload(one), of_workload(other)
    assert (first == second) is (first.name == second.name) is (str(first) == str(second)) is (one == other)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("keccak", "keccak,gas=30M,seed=0"),
        ("keccak,seed=0,gas=30000000", "keccak,gas=30M,seed=0"),
        ("keccak, gas = 1.5m", "keccak,gas=1500K,seed=0"),
        ("keccak,gas=30_000_000,senders=8,tx-gas=1M", "keccak,gas=30M,seed=0"),
        ("eth-transfer,txs=1K,seed=1000,senders=3", "eth-transfer,txs=1K,seed=1000,senders=3"),
        ("contract-deploy,code-size=2048", "contract-deploy,gas=30M,seed=0,code-size=2048"),
    ],
)
def test_ways_to_write_one_workload_have_one_canonical_form(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("kecak", "there is no workload 'kecak': did you mean 'keccak'?"),
        ("zzz", "there is no workload 'zzz'; there are eth-transfer, .*"),
        ("keccak,gass=3", "there is no parameter 'gass': did you mean 'gas'?"),
        ("keccak,slots=3", "slots says nothing of keccak: it is for sload-cold"),
        ("keccak,gas=3,txs=4", "txs and gas are two ways .*"),
        ("keccak,gas=3,gas=4", "gas is there twice"),
        ("keccak,gas=x", "gas=x: write a whole number like 5, 500K or 30M"),
        ("keccak,gas=1.5", "gas=1.5: write a whole number .*"),
        ("keccak,gas=0", "gas=0: it must be at least 1 .*"),
        ("keccak,seed=18446744073709551616", "seed=.*: it must be at least 0 and below 2\\^64"),
        ("keccak,foo", "'foo' is no parameter; the form is .*"),
    ],
)
def test_what_is_none_is_refused_with_what_was_meant(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}".replace("?", r"\?")):
        parse(text)


def test_all_takes_of_the_parameters_what_each_has() -> None:
    every = {each.name: each for each in parse_every("all,txs=5,slots=7")}
    assert tuple(every) == NAMES
    assert (every["sload-cold"].slots, every["keccak"].slots) == (7, 100_000)
    assert {each.txs for each in every.values()} == {5}
