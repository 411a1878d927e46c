"""OpenMetrics text: what Prometheus and its like scrape, of the last run of a nightly job, say.

Format: the OpenMetrics specification 1.0, https://prometheus.io/docs/specs/om/open_metrics_spec/. Times are
in seconds, changes ratios (0.045 is +4.5 %), as the specification asks for base units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_ethrex_perf.records import moment
from pytest_ethrex_perf.report import escape, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pytest_ethrex_perf.records.measurement import Program
    from pytest_ethrex_perf.records.result import BlockResult, MetricResult, RunResult, SideResult

_LONG = 300  # characters of a label's value
_KINDS = ("regression", "improvement", "unchanged", "inconclusive", "waived", "not decided")
_STATES = ("error", "skipped", "recorded", "not measured")


@dataclass
class _Family:
    """One metric family: its name, what its samples are, and the samples."""

    name: str
    kind: str
    unit: str
    help: str
    samples: list[str] = field(default_factory=list)

    def add(self, labels: Mapping[str, str], value: float, suffix: str = "") -> None:
        shown = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
        self.samples.append(f"{self.name}{suffix}{{{shown}}} {value!r}")

    def lines(self) -> Iterator[str]:
        if self.samples:
            yield f"# TYPE {self.name} {self.kind}"
            if self.unit:
                yield f"# UNIT {self.name} {self.unit}"
            yield f"# HELP {self.name} {self.help}"
            yield from self.samples


def dump(result: RunResult) -> str:
    """The run as OpenMetrics text."""
    families = [*_families(result), _run(result)]
    return "\n".join([*(line for family in families for line in family.lines()), "# EOF", ""])


def _families(result: RunResult) -> Iterable[_Family]:
    level_s = _Family("ethrex_perf_time_seconds", "gauge", "seconds", "Time of a metric, base and head.")
    level = _Family("ethrex_perf_count", "gauge", "", "What was counted in a repeat, base and head.")
    change = _Family("ethrex_perf_change_ratio", "gauge", "ratio", "Change of head against base.")
    low = _Family("ethrex_perf_change_low_ratio", "gauge", "ratio", "Low end of its 95 % interval.")
    high = _Family("ethrex_perf_change_high_ratio", "gauge", "ratio", "High end of its 95 % interval.")
    seen = _Family("ethrex_perf_detectable_ratio", "gauge", "ratio", "Smallest slowdown caught.")
    verdict = _Family("ethrex_perf_verdict", "stateset", "", "What was decided.")
    state = _Family("ethrex_perf_block", "stateset", "", "What became of a block without a verdict.")
    speed = _Family("ethrex_perf_gas_per_second", "gauge", "", "Gas by the time of exec, base and head.")
    for block in result.blocks:
        _add_state(block, state)
        _add_speed(block, speed)
        for metric in block.metrics:
            labels = {"block": block.block, "metric": metric.metric}
            for side, value in (("base", metric.base), ("head", metric.head)):
                is_time = metric.unit == "ns"
                target = level_s if is_time else level
                target.add({**labels, "side": side}, value / 1e9 if is_time else value)
            _add_decision(metric, labels, (change, low, high, seen))
            for kind in _KINDS:
                verdict.add({**labels, verdict.name: kind}, int(text.kind(metric) == kind))
    return level_s, level, speed, change, low, high, seen, verdict, state


def _add_decision(metric: MetricResult, labels: Mapping[str, str], families: Iterable[_Family]) -> None:
    decision = metric.decision
    logs = (decision.estimate, *(decision.ci95 or (None, None)), decision.detectable)
    for family, log in zip(families, logs, strict=True):
        if log is not None and math.isfinite(log):
            family.add(labels, math.expm1(log))


def _add_state(block: BlockResult, family: _Family) -> None:
    if not block.metrics:
        for state in _STATES:
            family.add({"block": block.block, family.name: state}, int(text.state(block) == state))


def _add_speed(block: BlockResult, family: _Family) -> None:
    for row in block.rows:
        if row.unit == "Ggas/s":
            for side, value in (("base", row.base), ("head", row.head)):
                if value is not None:
                    family.add({"block": block.block, "side": side}, 1e9 * value)


def _run(result: RunResult) -> _Family:
    """When the run started, and labels for what it was."""
    started = _Family(
        "ethrex_perf_started_timestamp_seconds", "gauge", "seconds", "When the run started, Unix time."
    )
    labels = {"machine": result.machine, "version": result.version}
    for name in ("head", "base"):
        sides = (side for block in result.blocks if (side := getattr(block, name)))
        first: SideResult | None = next(sides, None)
        labels[name] = first.label if first else ""
        labels[f"{name}_commit"] = _commit(result, first.program if first else None)
    started.add(labels, moment.utc(result.started).timestamp())
    return started


def _commit(result: RunResult, program: Program | None) -> str:
    """The whole hash of the commit that `program` was built from, empty where that is not known."""
    if program is None:
        return ""
    source = result.origin.builds.get(program.sha256)
    return (source.commit if source else program.commit) or ""


def _escaped(value: str) -> str:
    """A label's value: backslash, quote and line feed escaped (section 5.2 of the specification)."""
    return escape.line(value, _LONG).replace("\\", "\\\\").replace('"', '\\"')
