"""The mean over blocks: finds a slowdown that is too small to be proven for any one block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pytest_ethrex_perf.judge.assess import assess_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_ethrex_perf.gate.block import Block
    from pytest_ethrex_perf.gate.policy import Settle
    from pytest_ethrex_perf.records.decision import Rules
    from pytest_ethrex_perf.records.result import SuiteResult


class Mean:
    """The mean over `blocks`, judged for each metric of `rules` over every round that is whole."""

    def __init__(self, blocks: Sequence[Block], rules: Mapping[str, Rules]) -> None:
        self.blocks = tuple(blocks)
        self._rules = rules
        self._results: dict[str, SuiteResult] = {}

    @property
    def decided(self) -> bool:
        """Whether it needs nothing more; a block that failed leaves it without an answer."""
        return any(block.error for block in self.blocks) or all(map(self._is_decided, self._rules))

    def _is_decided(self, metric: str) -> bool:
        return metric in self._results and self._results[metric].decision.verdict is not None

    @property
    def in_ordinary_plan(self) -> bool:
        """Whether it needs another round of the ordinary plan."""
        ordinary = max((rules.looks[-1] for rules in self._rules.values()), default=0)
        return not self.decided and self._rounds < ordinary

    def turns_left(self) -> dict[Block, int]:
        """The turns of each block up to the end of the plan, as far as that is known."""
        planned = max((self._last_look(metric) for metric in self._rules), default=0)
        return {block: max(planned - block.samples_taken, 0) for block in self.blocks}

    def _last_look(self, metric: str) -> int:
        result = self._results.get(metric)
        return self._rules[metric].plan(None if result is None else result.decision)[-1]

    @property
    def _rounds(self) -> int:
        return min(block.samples_taken for block in self.blocks)

    def judge(self, *, final: bool = False) -> bool:
        """Judge what is not decided yet, and return whether that decides it.

        With `final` nothing more will be measured.
        """
        if self.decided:
            return False
        materials = [block.material for block in self.blocks]
        for metric, rules in self._rules.items():
            if not self._is_decided(metric):
                self._results[metric] = assess_mean(materials, metric, rules, final=final)
        return self.decided

    def results(self, settle: Settle) -> Iterator[SuiteResult]:
        """The result of each metric so far, as plain data; none where a block failed."""
        if any(block.error for block in self.blocks):
            return
        for result in self._results.values():
            consequence = settle(None, result.metric, result.decision)
            yield msgspec.structs.replace(
                result, outcome=consequence.outcome, outcome_reason=consequence.reason
            )
