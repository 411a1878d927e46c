"""The mean over blocks: finds a slowdown that is too small to be proven for any one block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pytest_ethrex_perf.judge.assess import assess_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_ethrex_perf.gate.block import Gate, Settle
    from pytest_ethrex_perf.records.decision import Rules
    from pytest_ethrex_perf.records.result import SuiteResult


class Suite:
    """The mean over `gates`, judged for each metric of `rules` over every round that is whole."""

    def __init__(self, gates: Sequence[Gate], rules: Mapping[str, Rules]) -> None:
        self.gates = tuple(gates)
        self._rules = rules
        self._results: dict[str, SuiteResult] = {}

    @property
    def decided(self) -> bool:
        """Whether it needs nothing more; a block that failed leaves it without an answer."""
        return any(gate.error for gate in self.gates) or all(map(self._is_decided, self._rules))

    def _is_decided(self, metric: str) -> bool:
        return metric in self._results and self._results[metric].decision.verdict is not None

    def judge(self, *, final: bool = False) -> None:
        """Judge what is not decided yet; with `final` nothing more will be measured."""
        if self.decided:
            return
        materials = [gate.material for gate in self.gates]
        for metric, rules in self._rules.items():
            if not self._is_decided(metric):
                self._results[metric] = assess_mean(materials, metric, rules, final=final)

    def results(self, settle: Settle) -> tuple[SuiteResult, ...]:
        """What is known of each metric, as plain data; nothing where a block failed."""
        if any(gate.error for gate in self.gates):
            return ()
        return tuple(_settled(result, settle) for result in self._results.values())


def _settled(result: SuiteResult, settle: Settle) -> SuiteResult:
    outcome, reason = settle(None, result.metric, result.decision)
    return msgspec.structs.replace(result, outcome=outcome, outcome_reason=reason)
