"""Tests as the ethrex repository would declare them, on the block that ships with the package.

pytest examples --ethrex-aa                  # the program against itself
pytest examples --ethrex-update-baseline     # record a baseline of it, then
pytest examples                              # compare with the baseline
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ethrex_perf import GatedBlock, Invocation


@pytest.mark.ethrex_block("hoodi:9000001", margin="2%", tolerance="5%")
def test_the_block_got_no_slower(ethrex_block: GatedBlock) -> None:
    """Measured in the fixture, judged here."""
    result = ethrex_block.gate()
    assert result.head is not None
    assert result.head.ggas_per_s is not None
    assert result.head.ggas_per_s > 0.001


def test_the_block_replays(bundled_replay: Callable[[], Invocation]) -> None:
    """Replayed once, by the fixture of conftest.py: no baseline, no verdict."""
    measured = bundled_replay()
    assert measured.gas == 3_087_520
    assert len(measured.exec_ns) == 2
