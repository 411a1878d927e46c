"""The mean over blocks: finds a slowdown that is too small to be proven for any one block."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ethrex_perf.judge import family, paired
from pytest_ethrex_perf.records.result import SuiteResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_ethrex_perf.gate.block import Gate, Settle
    from pytest_ethrex_perf.records.decision import Decision, Rules


class Suite:
    """The mean over `gates`, judged for each metric of `rules` over every round that is whole."""

    def __init__(self, gates: Sequence[Gate], rules: Mapping[str, Rules]) -> None:
        self.gates = tuple(gates)
        self._rules = rules
        self._decisions: dict[str, Decision] = {}

    @property
    def decided(self) -> bool:
        """Whether it needs nothing more; a block that failed leaves it without an answer."""
        if any(gate.error for gate in self.gates):
            return True
        return all(
            name in self._decisions and self._decisions[name].verdict is not None for name in self._rules
        )

    def judge(self, *, final: bool = False) -> None:
        """Judge what is not decided yet; with `final` nothing more will be measured."""
        if self.decided:
            return
        for name, rules in self._rules.items():
            known = self._decisions.get(name)
            if known is None or known.verdict is None:
                base, head = self._means(name)
                step = self._step(name, len(base))
                self._decisions[name] = paired.judge(base, head, rules, step=step, final=final)

    def _means(self, metric: str) -> tuple[list[float], list[float]]:
        base, head = family.mean_over_blocks(
            [gate.samples("base", metric) for gate in self.gates],
            [gate.samples("head", metric) for gate in self.gates],
        )
        return base.tolist(), head.tolist()

    def _step(self, metric: str, rounds: int) -> float:
        return max(gate.step(metric, rounds) for gate in self.gates) if rounds else 0.0

    def results(self, settle: Settle) -> tuple[SuiteResult, ...]:
        """What is known of each metric, as plain data; nothing where a block failed."""
        if any(gate.error for gate in self.gates):
            return ()
        results = []
        for metric, decision in self._decisions.items():
            outcome, reason = settle(None, metric, decision)
            results.append(
                SuiteResult(
                    metric=metric,
                    blocks=tuple(str(gate.block) for gate in self.gates),
                    rules=self._rules[metric],
                    decision=decision,
                    step=self._step(metric, decision.pairs),
                    outcome=outcome,
                    outcome_reason=reason,
                )
            )
        return tuple(results)
