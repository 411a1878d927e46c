from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.profile.differential import explain, frame_errors
from tests.profile import samples as made

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ethrex_perf.profile.stacks import Frames, Phase, Profile
    from pytest_ethrex_perf.records.measurement import Side

REPEATS = 6
COUNTS = st.dictionaries(
    st.sampled_from([f"ethrex_a::f{i}" for i in range(6)]),
    st.lists(st.integers(0, 30), min_size=REPEATS, max_size=REPEATS),
    min_size=1,
)


def measured(counts: dict[str, Sequence[int]], exec_ms: float = 60) -> Profile:
    return made.profile(made.executing(counts), exec_ns=[round(exec_ms * made.MS)] * REPEATS)


def poisson(source: random.Random, mean: float) -> int:
    limit, product, count = math.exp(-mean), source.random(), 0
    while product > limit:
        product *= source.random()
        count += 1
    return count


def counted(source: random.Random, means: dict[str, float]) -> dict[str, Sequence[int]]:
    return {name: [poisson(source, mean) for _ in range(REPEATS)] for name, mean in means.items()}


def test_the_function_that_became_slower_comes_first_with_its_ms() -> None:
    base = measured({"keccak": [20] * 6, "ethrex_vm::sload": [30] * 6, "malloc": [5] * 6}, 55)
    head = measured({"keccak": [20] * 6, "ethrex_vm::sload": [39] * 6, "malloc": [5] * 6}, 64)
    found = explain([base], [head])
    (change,) = found.functions
    assert change.name == "ethrex_vm::sload"
    assert (change.base_ms, change.head_ms, change.change_ms) == (30, 39, 9)
    # five repeats of each side are counted: sqrt(150 + 195) samples of 1 ms over 5
    assert change.error_ms == pytest.approx(math.sqrt(150 + 195) / 5)
    assert change.caller == "ethrex_vm::run"
    assert (found.exec_base_ms, found.exec_head_ms, found.unexplained_ms) == pytest.approx((55, 64, 0))
    assert found.repeats == (5, 5)


def test_builds_of_different_mangling_are_said_to_be_so() -> None:
    legacy = measured({"<&T as core::fmt::Debug>::fmt": [9] * 6})
    v0 = measured({"<a::run::{{closure}} as core::ops::function::FnOnce>::call_once": [9] * 6})
    assert any("different symbol mangling" in note for note in explain([legacy], [v0]).notes)
    assert not any("different symbol mangling" in note for note in explain([legacy], [legacy]).notes)


def test_the_first_repeats_are_dropped_as_the_gate_drops_them() -> None:
    base, head = measured({"a": [9, 5, 5, 5, 5, 5]}), measured({"a": [99, 5, 5, 5, 5, 5]})
    assert explain([base], [head]).functions == ()
    assert explain([base], [head], drop=0).cpu_head_ms == pytest.approx((99 + 25) / 6)


def test_a_slowdown_of_everything_is_not_scaled_away() -> None:
    base = measured({f"f{i}": [40] * 6 for i in range(5)})
    head = measured({f"f{i}": [80] * 6 for i in range(5)})
    found = explain([base], [head])
    assert [change.change_ms for change in found.functions] == [40] * 5


def test_other_phases_do_not_count() -> None:
    loading: list[tuple[Phase, int, str, Frames]] = [("cache-io", 0, "main", ("main", "serde"))] * 500
    base = made.profile(made.executing({"a": [5] * 4}))
    head = made.profile([*made.executing({"a": [5] * 4}), *loading])
    assert explain([base], [head]).functions == ()


@given(COUNTS, COUNTS)
def test_the_parts_add_up_and_say_what_is_missing(
    base: dict[str, Sequence[int]], head: dict[str, Sequence[int]]
) -> None:
    found = explain([measured(base, 50)], [measured(head, 70)], measured_ms=(40, 44))
    told = sum(change.change_ms for change in found.functions)
    cpu = found.cpu_head_ms - found.cpu_base_ms
    assert told + found.left_out_ms == pytest.approx(cpu, abs=1e-9)
    assert cpu + found.unexplained_ms == pytest.approx(4)
    assert found.exec_measured
    assert sum(thread.change_ms for thread in found.threads) == pytest.approx(cpu, abs=1e-9)
    seen = {name for side in (base, head) for name, counts in side.items() if any(counts)}
    assert found.left_out + len(found.functions) == len(seen)


@given(COUNTS, COUNTS)
def test_swapping_the_sides_swaps_the_signs(
    base: dict[str, Sequence[int]], head: dict[str, Sequence[int]]
) -> None:
    there = explain([measured(base)], [measured(head)], sds=0.0)
    back = explain([measured(head)], [measured(base)], sds=0.0)
    assert {c.name: c.change_ms for c in there.functions} == {
        c.name: pytest.approx(-c.change_ms) for c in back.functions
    }


def test_of_functions_that_did_not_change_hardly_one_is_told() -> None:
    source = random.Random(7)  # noqa: S311 - nothing secret
    means = {f"f{i}": 0.5 + i for i in range(20)}
    told = 0
    for _ in range(20):
        sides: dict[Side, list[Profile]] = {
            side: [measured(counted(source, means)) for _ in range(4)] for side in ("base", "head")
        }
        told += len(explain(sides["base"], sides["head"]).functions)
    assert told / (20 * len(means)) <= 0.05


def test_what_invocations_differ_by_is_in_the_error() -> None:
    # every repeat alike, as where each is sampled at the same moments of its work
    base = [measured({"a": [count] * 6, "b": [50] * 6}) for count in (10, 14, 8, 12)]
    head = [measured({"a": [count] * 6, "b": [50] * 6}) for count in (13, 17, 11, 15)]
    found = explain(base, head, sds=0.0)
    change = next(change for change in found.functions if change.name == "a")
    assert change.change_ms == 3
    assert change.error_ms == pytest.approx(math.sqrt(2 * 20 / 3 / 4))
    assert explain(base, head).functions == ()


def test_the_factor_by_which_counts_vary_is_pooled_over_functions() -> None:
    wild = {f"w{i}": [[10 + 9 * ((i + k) % 2)] * 6 for k in range(4)] for i in range(10)}
    base = [measured({**{n: v[k] for n, v in wild.items()}, "calm": [10] * 6}) for k in range(4)]
    head = [measured({**{n: v[k] for n, v in wild.items()}, "calm": [13] * 6}) for k in range(4)]
    calm = next(c for c in explain(base, head, sds=0.0).functions if c.name == "calm")
    assert calm.error_ms > 1.2 * math.sqrt((200 + 260) / 20**2)


def test_the_error_of_a_frame_is_of_all_that_it_calls() -> None:
    base = [measured({"a": [20] * 6, "b": [30] * 6})]
    head = [measured({"a": [21] * 6, "b": [39] * 6})]
    (stack, *_) = base[0].stacks
    path = (stack.thread, *(base[0].names[index] for index in stack.frames))
    paths = [path[:length] for length in range(len(path) + 1)]
    known = frame_errors(base, head, paths)
    functions = {change.name: change.error_ms for change in explain(base, head, sds=0.0).functions}
    assert known[path] == pytest.approx(functions[path[-1]])
    for above in paths[:-1]:
        assert known[above] == pytest.approx(math.sqrt(sum(error**2 for error in functions.values())))
    assert frame_errors(base, head, [()]) == {(): known[()]}


def test_the_error_of_a_thread_is_the_one_in_the_table(profiles: dict[Side, list[Profile]]) -> None:
    table = {change.name: change.error_ms for change in explain(profiles["base"], profiles["head"]).threads}
    known = frame_errors(profiles["base"], profiles["head"], [(), *((name,) for name in table)])
    assert {name: known[name,] for name in table} == pytest.approx(table)


def test_one_invocation_of_a_side_is_said_to_be_too_few() -> None:
    one, two = measured({"a": [5] * 6}), measured({"a": [5] * 6})
    assert any("one profiled invocation" in note for note in explain([one], [two]).notes)
    assert explain([one, one], [two, two]).notes == ()


def test_profiles_of_two_blocks_are_not_compared() -> None:
    other = made.profile(made.executing({"a": [5] * 4}), block="mainnet/1")
    with pytest.raises(UsageError, match="of one block, not of mainnet/1, mainnet/24443168"):
        explain([measured({"a": [5] * 6})], [other])
    with pytest.raises(UsageError, match="of one block"):
        explain([], [other])


def test_the_known_function_of_a_real_program_is_found_first(profiles: dict[Side, list[Profile]]) -> None:
    found = explain(profiles["base"], profiles["head"])
    first = found.functions[0]
    assert first.name == "ethrex_trie::Node::encode"
    assert first.caller == "ethrex_blockchain::Blockchain::handle_merkleization"
    # made 30 % slower; the machine's own speed is in it as well
    assert first.change_ms == pytest.approx(0.3 * first.base_ms, abs=4 * first.error_ms)
    assert first.change_ms > 2 * first.error_ms
    merkleizer = next(thread for thread in found.threads if "(handle_merkleization)" in thread.name)
    assert merkleizer.change_ms > 0
