"""Block specs: what they mean, and that nothing else is taken for one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.config.block_specs import FORM, MAX_RANGE, named, parse_blocks
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records import workload
from pytest_ethrex_perf.records.block import BlockId

LARGEST = 2**64 - 1
networks = st.from_regex(r"[a-z][a-z0-9_-]{0,12}", fullmatch=True)
numbers = st.integers(0, LARGEST)
blocks = st.builds(BlockId, networks.filter(lambda name: name != workload.NETWORK), numbers, st.just(""))


def attempt(text: str) -> list[BlockId] | str:
    """The blocks of `text`, or the error."""
    try:
        return parse_blocks([text])
    except UsageError as error:
        return str(error)


@given(blocks)
def test_what_a_block_is_called_is_a_spec_of_it(block: BlockId) -> None:
    assert parse_blocks([str(block)]) == [block]
    assert parse_blocks([f"{block.network}:{block.number}"], "other") == [block]
    assert parse_blocks([block.number], block.network) == [block]


@given(st.lists(blocks, min_size=1, max_size=8))
def test_lists_and_repeated_options_are_the_same(listed: list[BlockId]) -> None:
    specs = [str(block) for block in listed]
    assert parse_blocks(specs) == parse_blocks([",".join(specs)]) == parse_blocks([" , ".join(specs)])
    assert parse_blocks(specs) == list(dict.fromkeys(listed))


def test_parameters_belong_to_the_workload_before_them() -> None:
    listed = parse_blocks(["workload:keccak,gas=1M, seed=2 ,7,workload:mulmod,hoodi:8"])
    assert [str(block) for block in listed] == [
        *("workload/keccak,gas=1M,seed=2", "mainnet/7", "workload/mulmod,gas=30M,seed=0", "hoodi/8"),
    ]
    assert parse_blocks([str(block) for block in listed]) == listed
    assert parse_blocks(["keccak,seed=1"], "workload") == parse_blocks(["workload:keccak,seed=1"])


def test_all_workloads_are_those_that_somebody_knows() -> None:
    assert len(parse_blocks(["workload:all,gas=1M"])) == len(workload.NAMES)
    assert parse_blocks(["workload:all"], workloads=lambda: ("keccak",)) == parse_blocks(["workload:keccak"])
    assert named(["workload:all,workload:keccak,5"]) == {*parse_blocks(["workload:keccak,5"])}


@given(networks, st.integers(0, LARGEST - 20), st.integers(0, 20))
def test_a_range_holds_both_of_its_ends(network: str, first: int, more: int) -> None:
    found = parse_blocks([f"{network}:{first}..{first + more}"])
    assert found == [BlockId(network, number) for number in range(first, first + more + 1)]


@given(st.text(max_size=20))
def test_any_text_is_blocks_or_a_usage_error_that_shows_it(text: str) -> None:
    found = attempt(text)
    if isinstance(found, str):
        assert repr(text) in found
        assert "\n" not in found
    else:
        assert found
        assert all(0 <= block.number <= LARGEST for block in found)
        assert parse_blocks(map(str, found)) == found


def test_names_of_networks_are_lower_case() -> None:
    assert parse_blocks(["Hoodi:5", "hoodi/5"]) == [BlockId("hoodi", 5)]


def test_underscores_may_group_digits() -> None:
    assert parse_blocks(["24_443_168"]) == [BlockId("mainnet", 24443168)]


@pytest.mark.parametrize("spec", ["_1", "1_", "1__0", "+1", "1.0", "0x10", "٣", "1 2", "a:b:1", "é:1"])
def test_what_only_looks_like_a_number_is_refused_with_the_form(spec: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"the form is {FORM}")):
        parse_blocks([spec])


def test_a_range_that_is_a_slip_of_the_keyboard_is_refused() -> None:
    assert len(parse_blocks([f"1..{MAX_RANGE}"])) == MAX_RANGE
    with pytest.raises(UsageError, match="a range of more than 10,000 blocks"):
        parse_blocks([f"1..{MAX_RANGE + 1}"])


def test_no_specs_are_no_blocks() -> None:
    assert parse_blocks([]) == []


@given(st.integers(22, 6000))
def test_a_number_of_thousands_of_digits_is_refused_in_a_short_line(digits: int) -> None:
    for spec in ("9" * digits, f"1..{'9' * digits}", f"hoodi:{'9' * digits}"):
        message = attempt(spec)
        assert isinstance(message, str)
        assert len(message) < 800
