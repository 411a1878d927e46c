"""The embedded program under callgrind, end to end, for real."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ethrex_perf.embedded.devblock import make
from pytest_ethrex_perf.embedded.recipe import Recipe

if TYPE_CHECKING:
    from pytest_ethrex_perf.counters import callgrind
    from tests.conftest import Bench


def test_instructions_of_a_repeat_are_counted(bench: Bench, valgrind: callgrind.Tool) -> None:
    del valgrind
    recipe = Recipe(txs=1, mix=("transfers",), seed=7, number=9_000_100)
    (bench.path / "replay_cache" / f"cache_hoodi_{recipe.number}.json").write_text(make(recipe))
    bench.pytester.makepyfile(
        """
        def test_work(ethrex_replay):
            found = ethrex_replay("hoodi:9000100", repeat=2)
            count = found.counts["instructions"]
            assert count.identity == "instructions:u by callgrind (difference, repeat)"
            assert "counted together" in found.counts["prep-instructions"].missing
            # Python takes thousands of instructions for an opcode, and loading (4,400 million) is not in it
            assert 1_000 * found.opcodes < count.value < 1_000_000_000
            assert found.counting_ns > found.wall_ns, "in processes of its own"
        """
    )
    result = bench.run("--ethrex-replay=embedded", "--ethrex-counters=callgrind", "--ethrex-timeout=1h")
    result.assert_outcomes(passed=1)
