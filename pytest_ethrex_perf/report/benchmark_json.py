"""The samples as a pytest-benchmark JSON file: what `pytest-benchmark compare` and CI services read.

Format: the `--benchmark-json` of pytest-benchmark 5 (its `session.py` and `stats.py`); its own `Stats`
computes the statistics. A round is one invocation: its sample.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from pytest_ethrex_perf.judge import samples
from pytest_ethrex_perf.records.metric import TIMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ethrex_perf.records.measurement import Side
    from pytest_ethrex_perf.records.result import BlockResult, RunResult

_SIDES: tuple[Side, Side] = ("head", "base")


def dump(result: RunResult) -> str:
    """JSON text with one benchmark for each block, side and time metric that was measured; times in s."""
    benchmarks: list[dict[str, Any]] = []
    for block in result.blocks:
        for side in _SIDES:
            if block.taken(side):
                benchmarks += [
                    _benchmark(block, metric, side, seconds(block, side, metric)) for metric in TIMES
                ]
    facts = result.measured_on.keyed | result.measured_on.recorded
    content = {
        "machine_info": {"node": result.machine, **{name: str(fact) for name, fact in facts.items()}},
        "commit_info": _commit_info(result),
        "benchmarks": benchmarks,
        "datetime": result.started,
        "version": _version(),
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _commit_info(result: RunResult) -> dict[str, Any]:
    """Head's commit, or else what the CI checked out; without either as pytest-benchmark has it then."""
    head = next((block.head.program for block in result.blocks if block.head and block.head.program), None)
    job = result.origin.job
    source = result.origin.builds.get(head.sha256) if head else None
    if source is None and (head is None or head.commit is None) and job:
        source = job.commit
    commit = source.commit if source else head.commit if head else None
    return {
        "id": commit or "unversioned",
        "time": (source.time if source else None) or None,
        "author_time": None,
        "dirty": source.dirty if source else False,
        "branch": (source.branch if source else None) or "(unknown)",
    }


def seconds(block: BlockResult, side: Side, metric: str) -> list[float]:
    """The samples of one side's invocations in s, one each."""
    taken = samples.of(block.taken(side), metric, block.drop, block.sample)
    return [math.exp(logarithm) / 1e9 for logarithm in taken]


def _benchmark(block: BlockResult, metric: str, side: Side, seconds: Sequence[float]) -> dict[str, Any]:
    from pytest_benchmark.stats import Stats

    stats = Stats()
    for value in seconds:
        stats.update(value)
    name = f"{block.block}::{metric}" + ("" if side == "head" else f"[{side}]")
    return {
        "group": f"{block.block}::{metric}",
        "name": name,
        "fullname": f"ethrex-block::{name}",
        "params": None,
        "param": None,
        "extra_info": {
            "block": block.block,
            "metric": metric,
            "side": side,
            "gas": block.gas,
            "txs": block.txs,
        },
        "options": {"timer": "ethrex-replay", "warmup": block.drop, "disable_gc": False},
        "stats": {
            **{field: getattr(stats, field) for field in _FIELDS},
            "data": list(seconds),
            "iterations": 1,
        },
    }


_FIELDS = (
    "min", "max", "mean", "stddev", "rounds", "median", "iqr", "q1", "q3", "iqr_outliers", "stddev_outliers",
    "outliers", "ld15iqr", "hd15iqr", "ops", "total",
)  # fmt: skip


def _version() -> str:
    from importlib.metadata import version

    return version("pytest-benchmark")
