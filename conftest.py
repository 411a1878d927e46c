"""How a repository declares its own gate: an example, and what this one uses.

With `ethrex-perf.toml` beside it, such a file is all that the ethrex repository needs. The test below it is
declared where tests are (here `tests/example/test_declared_blocks.py`):

    @pytest.mark.ethrex_block(24443168, 24443170)
    def test_mainnet_blocks(ethrex_block):
        result = ethrex_block.gate()
        assert result.head.ggas_per_s > 0.5
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ethrex_perf import Invocation


@pytest.fixture
def bundled_replay(ethrex_replay: Callable[..., Invocation]) -> Callable[[], Invocation]:
    """Replay the block that ships with the package once: a measurement, no baseline, no verdict.

    Run it with `--ethrex-replay=embedded --ethrex-cache-dir=bundled`.
    """
    from pytest_ethrex_perf.embedded.bundled import BLOCK

    return lambda: ethrex_replay(str(BLOCK), repeat=2)
