"""What profiling a block has brought: its part of the block's result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from pytest_ethrex_perf.records.profile import BlockProfile, Explanation
    from pytest_ethrex_perf.records.result import BlockResult


@dataclass(frozen=True, slots=True)
class Findings:
    """Where the time of one block goes, as far as profiling it could say."""

    explanation: Explanation | None = None
    profile: BlockProfile | None = None
    notes: tuple[str, ...] = ()
    kept: str | None = None
    """What was kept beside the baseline."""

    def added_to(self, result: BlockResult) -> BlockResult:
        """The result of the block, completed by these findings."""
        recorded = result.recorded
        if recorded is not None and self.kept is not None:
            recorded = f"{recorded}; {self.kept}"
        return msgspec.structs.replace(
            result,
            explanation=self.explanation,
            profile=self.profile,
            recorded=recorded,
            notes=(*result.notes, *self.notes),
        )
