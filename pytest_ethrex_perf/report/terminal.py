"""The terminal's tables: one per block in the style of poop, one over all as ethrex's engineers know it."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.report import text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pytest_ethrex_perf.results import BlockResult, MetricResult, RunResult

MOST_BLOCKS = 8  # blocks shown with a table of their own, unless -v
MOST_ROWS = 40  # rows of the table over all blocks, unless -v
_ORDER = ("regression", "error", "inconclusive", "improvement", "unchanged")


class Line(NamedTuple):
    """A line and how it is shown; colour never carries what the words do not."""

    text: str
    style: str = ""
    """`red`, `green`, `yellow`, `bold` or nothing."""


def summary(result: RunResult, *, verbosity: int = 0, shown: Collection[str] = ()) -> list[Line]:
    """Everything at the end of a run; `verbosity` as pytest's: -1 only the table, 1 every block.

    Blocks of `shown` were told about before, among the failures.
    """
    lines: list[Line] = []
    worst_first = sorted((b for b in result.blocks if b.rows and b.block not in shown), key=_badness)
    if verbosity >= 0:
        most = len(worst_first) if verbosity > 0 else MOST_BLOCKS
        for block in worst_first[:most]:
            lines += [*block_table(block), Line("")]
        if len(worst_first) > most:
            lines += [Line(f"({len(worst_first) - most} more blocks: -v shows each)"), Line("")]
    lines += overview(result, every=verbosity > 0)
    lines += [
        Line(text.headline(f"mean over {len(suite.blocks)} blocks", suite, "rounds"), _style(suite.outcome))
        for suite in result.suite
    ]
    return lines + [Line(warning, "yellow") for block in result.blocks for warning in _warnings(block)]


def block_table(block: BlockResult) -> list[Line]:
    """One block: what was measured on both sides, the verdicts, and what the reader should know."""
    lines = [Line(_title(block), "bold")]
    if block.error:
        lines.append(Line(f"  error: {block.error}", "red"))
    if block.skipped:
        lines.append(Line(f"  skipped: {block.skipped}", "yellow"))
    if block.recorded:
        lines.append(Line(f"  recorded: {block.recorded}", "green"))
    if block.rows:
        table = [("", "base", "head", "delta")]
        table += [
            (
                row.name,
                text.spread(row, "base"),
                text.spread(row, "head"),
                _delta(block, row.name, row.change),
            )
            for row in block.rows
        ]
        if block.base is None:
            table = [(name, head, "", "") for name, _, head, _ in table]
        lines += [Line("  " + line) for line in columns(table)]
    for metric in block.metrics:
        lines += _verdict(metric, _unit(block))
        if metric.context is not None and metric.context.estimate is not None:
            lines.append(
                Line(f"  (stored baseline, for information: {text.log_percent(metric.context.estimate)})")
            )
    lines += [Line(f"  note: {note}", "yellow") for note in block.notes]
    if any(metric.outcome == "fail" for metric in block.metrics):
        lines.append(Line(f"  again: {block.reproduce}"))
    return lines


def overview(result: RunResult, *, every: bool = False) -> list[Line]:
    """The table Block / Txs / Gas / Baseline / Head / Delta, worst first."""
    entries: list[tuple[tuple[str, ...], str]] = []
    for block in sorted(result.blocks, key=_badness):
        about = (block.block, str(block.txs or "–"), _gas(block.gas))
        if not block.metrics:
            state, style = _state(block)
            entries.append(((*about, "", "", state), style))
        for metric in block.metrics:
            name = "" if metric.metric == "exec" else f"{metric.metric} "
            entries.append(
                (
                    (
                        *about,
                        text.duration(metric.base_ns),
                        text.duration(metric.head_ns),
                        name + text.cell(metric),
                    ),
                    _style(metric.outcome),
                )
            )
    kept = entries if every else entries[:MOST_ROWS]
    table = columns(
        [("Block", "Txs", "Gas", "Baseline", "Head", "Delta"), *(row for row, _ in kept)], right={1, 2, 3, 4}
    )
    lines = [Line(table[0], "bold")] + [
        Line(line, style) for line, (_, style) in zip(table[1:], kept, strict=True)
    ]
    if len(kept) < len(entries):
        lines.append(Line(f"… and {len(entries) - len(kept)} more (-v shows all)"))
    return lines


def counts(result: RunResult) -> str:
    """`2 regressions, 1 error, 5 unchanged`: one line over everything."""
    found: dict[str, int] = {}
    for block in result.blocks:
        for name in [str(metric.decision.verdict) for metric in block.metrics] or [
            _state(block)[0].split(":")[0]
        ]:
            found[name] = found.get(name, 0) + 1
    ranked = sorted(found, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    return ", ".join(f"{found[name]} {name}{_plural(name, found[name])}" for name in ranked)


def _plural(name: str, count: int) -> str:
    return "s" if count > 1 and name in ("regression", "improvement", "error") else ""


def _verdict(result: MetricResult, unit: str) -> list[Line]:
    style = _style(result.outcome)
    evidence = ", ".join(text.evidence(result, unit))
    return [
        Line(
            f"  {text.label(result)}: {result.metric} {text.estimate(result.decision)}{text.reason(result)}",
            style,
        ),
        Line(f"    {evidence}, tolerance {text.limit(result.rules.tolerance)}"),
    ]


def columns(rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> list[str]:
    """Align `rows` in columns two spaces apart; those of `right` to the right."""
    aligned = set(right)
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            " " * (size - width(value)) + value if index in aligned else value + " " * (size - width(value))
            for index, (value, size) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def width(value: str) -> int:
    """Terminal cells that `value` takes: emoji and East Asian wide characters take two."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in value
    )


def _title(block: BlockResult) -> str:
    parts = [block.block]
    if block.gas is not None:
        parts.append(f"{block.txs} txs, {_gas(block.gas)}")
    taken = {
        "interleaved": f"{len(block.pairs)} pairs, interleaved",
        "stored": f"{len(block.invocations)} invocations against {len(block.baseline)} stored sessions",
        "record": f"{len(block.invocations)} invocations",
    }[block.mode]
    return " · ".join([*parts, taken + (", A/A" if block.aa else ""), f"repeat {block.repeat}"])


def _warnings(block: BlockResult) -> list[str]:
    """What a green run must not hide."""
    told = [] if block.skipped is None else [f"{block.block}: skipped: {block.skipped}"]
    return told + [
        f"{block.block} {metric.metric}: inconclusive: {metric.decision.reason}"
        for metric in block.metrics
        if metric.decision.verdict == "inconclusive"
    ]


def _gas(gas: int | None) -> str:
    return "–" if gas is None else f"{gas / 1e6:.1f} M gas" if gas else "0 gas"


def _unit(block: BlockResult) -> str:
    return "pairs" if block.mode == "interleaved" else "invocations"


def _delta(block: BlockResult, name: str, change: float | None) -> str:
    judged: dict[str, MetricResult] = {metric.metric: metric for metric in block.metrics}
    if name in judged:
        return text.cell(judged[name])
    return "" if change is None else text.change(change)


def _state(block: BlockResult) -> tuple[str, str]:
    for name, style in (("error", "red"), ("skipped", "yellow"), ("recorded", "green")):
        if getattr(block, name):
            return (name, style)
    return ("not measured", "yellow")


def _style(outcome: str) -> str:
    return {"fail": "red", "warn": "yellow", "waived": "yellow"}.get(outcome, "green")


def _badness(block: BlockResult) -> tuple[int, float]:
    """Failures first, then errors, then by how much slower."""
    estimates = [metric.decision.estimate or 0.0 for metric in block.metrics]
    if any(metric.outcome == "fail" for metric in block.metrics):
        rank = 0
    elif block.error:
        rank = 1
    else:
        rank = 2 if any(metric.outcome in ("warn", "waived") for metric in block.metrics) else 3
    return rank, -max(estimates, default=0.0)
