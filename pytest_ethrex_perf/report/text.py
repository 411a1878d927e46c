"""How verdicts read, in every report alike."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.records.decision import Verdict
from pytest_ethrex_perf.records.metric import DEFAULT, named, unit
from pytest_ethrex_perf.records.result import FIRST_SESSION, SuiteResult
from pytest_ethrex_perf.report import verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_ethrex_perf.records.decision import Decision
    from pytest_ethrex_perf.records.measurement import Fact
    from pytest_ethrex_perf.records.result import BlockResult, MetricResult, Row, RunResult

SYMBOLS = {
    Verdict.REGRESSION: "❌",
    Verdict.IMPROVEMENT: "🚀",
    Verdict.UNCHANGED: "✅",
    Verdict.INCONCLUSIVE: "⚠️",
}
WAIVED = "🔕"
STANDING = {"failed": "❌", "undecided": "⚠️", "passed": "✅"}
_ORDER = ("regression", "error", "inconclusive", "waived", "improvement", "unchanged")
_COUNTABLE = ("regression", "improvement", "error")  # the others are adjectives


def standing(run: RunResult) -> str:
    """How the run as a whole stands: `failed`, `passed`, or `undecided` where it is neither for sure."""
    outcomes = {metric.outcome for block in run.blocks for metric in block.metrics}
    outcomes |= {suite.outcome for suite in run.suite}
    if "fail" in outcomes or any(block.error for block in run.blocks):
        return "failed"
    return "undecided" if "warn" in outcomes or not outcomes else "passed"


def spread(row: Row, side: str) -> str:
    """`59.75 ms ± 1.2 %`."""
    value, sd = (row.base, row.base_sd) if side == "base" else (row.head, row.head_sd)
    quantity = units.quantity(value, row.unit)
    return quantity if sd is None or value is None else f"{quantity} ± {units.deviation(sd)}"


def symbol(result: MetricResult | SuiteResult, *, word: bool = False) -> str:
    """The verdict as one character; with its `word`, `❌ regression`, where no other says it."""
    decided = result.decision.verdict
    character = WAIVED if result.outcome == "waived" else SYMBOLS[decided] if decided else "…"
    name = "below the floor" if verdict.is_below_floor(result) else kind(result)
    return f"{character} {name}" if word else character


def cell(result: MetricResult | SuiteResult, *, word: bool = False) -> str:
    """`+4.5 % ❌ [+3.6, +5.4] (margin 1 %)`: change, verdict, 95 % interval, margin."""
    if result.decision.estimate is None:
        return shortest_cell(result, word=word)
    return f"{short_cell(result, word=word)} (margin {units.limit(result.rules.margin)})"


def short_cell(result: MetricResult | SuiteResult, *, word: bool = False) -> str:
    """`+4.5 % ❌ [+3.6, +5.4]`: the same where room is short."""
    interval = verdict.interval(result.decision, result.rules)
    return f"{shortest_cell(result, word=word)} {interval}".rstrip()


def shortest_cell(result: MetricResult | SuiteResult, *, word: bool = False) -> str:
    """`+4.5 % ❌`: where there is hardly any."""
    return f"{verdict.change(result.decision, result.rules)} {symbol(result, word=word)}"


def headline(name: str, result: MetricResult | SuiteResult, replicates: str) -> str:
    """The verdict in one line: all that an annotation or a list of failures shows."""
    return f"{verdict.label(result)}: {name} {sentences(result, replicates)}"


def brief(result: MetricResult | SuiteResult) -> str:
    """The verdict where its sentences are to be read elsewhere: `regression: exec +4.7 % [+4.0, +5.3]`."""
    change, interval = verdict.change(result.decision, result.rules), ""
    if result.decision.estimate is not None:
        interval = verdict.interval(result.decision, result.rules)
    return f"{verdict.label(result)}: {result.metric} {change} {interval}".rstrip()


def sentences(result: MetricResult | SuiteResult, replicates: str) -> str:
    """The verdict in two sentences, and why the outcome is another than the verdict's."""
    how = "" if isinstance(result, SuiteResult) else counted(result)
    what = verdict.what(result) + (f" ({how})" if how else "")
    return ". ".join(filter(None, (what, verdict.how_sure(result, replicates)))) + reason(result)


def counted(result: MetricResult) -> str:
    """`a count, not time: instructions:u by perf (window, repeat)`; empty of what the program timed."""
    return f"{named(result.metric).counted_as}: {result.identity}" if result.identity else ""


def mean_name(suite: SuiteResult) -> str:
    """What the mean is called where a block's name would stand: `mean over 12 blocks`."""
    return f"mean over {len(suite.blocks)} blocks"


def mean_headline(suite: SuiteResult) -> str:
    """The headline of the mean over blocks."""
    return headline(mean_name(suite), suite, "rounds")


def kind(result: MetricResult | SuiteResult) -> str:
    """What became of it, by one name: the verdict, or `waived`."""
    return "waived" if result.outcome == "waived" else str(result.decision.verdict or verdict.NOT_DECIDED)


def rules(result: MetricResult | SuiteResult) -> str:
    """By what it was judged: `margin 1 %, tolerance 3 %, risk of a false alarm 1 %`."""
    limits = result.rules
    shared = f", shared by {limits.gatings:g} comparisons" if limits.gatings > 1 else ""
    return (
        f"margin {units.limit(limits.margin)}, tolerance {units.limit(limits.tolerance)}, "
        f"risk of a false alarm {units.limit(limits.alpha)}{shared}"
    )


def reason(result: MetricResult | SuiteResult) -> str:
    """Why the outcome is not what the verdict alone would give."""
    return f" – {result.outcome_reason}" if result.outcome_reason else ""


def replicates(block: BlockResult) -> str:
    """What the decision counts as one measurement: `pairs`, or `invocations` of head alone."""
    return "pairs" if block.mode == "interleaved" else "invocations"


def measurement(block: BlockResult) -> str:
    """How the block was measured: `7 pairs, interleaved`."""
    way = {
        "interleaved": f"{len(block.pairs)} pairs, interleaved",
        "stored": f"{len(block.invocations)} invocations against {len(block.baseline)} stored sessions",
        "record": f"{len(block.invocations)} invocations",
    }[block.mode]
    return way + (", A/A" if block.aa else "")


def state(block: BlockResult) -> str:
    """What became of a block of which nothing was judged: `error`, `skipped`, `recorded`, `not measured`."""
    return next((name for name in ("error", "skipped", "recorded") if getattr(block, name)), "not measured")


def why(block: BlockResult) -> str:
    """What there is to say about that state."""
    return block.error or block.skipped or block.recorded or ""


def worst_first(blocks: Iterable[BlockResult]) -> list[BlockResult]:
    """Failures, errors, warnings, then the rest; the slower ones first in each."""
    return sorted(blocks, key=_badness)


def _badness(block: BlockResult) -> tuple[int, float]:
    estimates = [metric.decision.estimate or 0.0 for metric in block.metrics]
    if any(metric.outcome == "fail" for metric in block.metrics):
        rank = 0
    elif block.error:
        rank = 1
    else:
        rank = 2 if any(metric.outcome in ("warn", "waived") for metric in block.metrics) else 3
    return rank, -max(estimates, default=0.0)


def times(blocks: Iterable[BlockResult]) -> str:
    """Return what a time in the tables is: `the mean (of logs) of the lowest 70 % of …`."""
    from pytest_ethrex_perf.judge.samples import WORDS

    kinds = dict.fromkeys(WORDS[block.sample] for block in blocks if block.pairs or block.invocations)
    if not kinds:
        return "none"
    return f"{' or '.join(kinds)} of a process's counted repeats, geometric mean over processes"


def counts(blocks: Iterable[BlockResult]) -> str:
    """`2 regressions, 1 error, 5 unchanged`: one line over everything.

    Of what is inconclusive it says what would have gone unseen: it passed, but it is not proven unchanged.
    """
    blocks = list(blocks)
    line = tally(
        name for block in blocks for name in [_counted(metric) for metric in block.metrics] or [state(block)]
    )
    open_ends = [metric for block in blocks for metric in block.metrics if _counted(metric) == "inconclusive"]
    if not open_ends:
        return line
    return f"{line}; {unproven(open_ends)}"


def _counted(result: MetricResult) -> str:
    """As what it is counted: what was proven, and is below the floor, is no open question."""
    return verdict.label(result) if verdict.is_below_floor(result) else kind(result)


def of_run(result: RunResult) -> str:
    """The whole run in a word: what became of its worst block or mean, `regression` before `error`."""
    names = {
        name
        for block in result.blocks
        for name in [kind(metric) for metric in block.metrics] or [state(block)]
    } | {kind(suite) for suite in result.suite}
    ranked = [name for name in _ORDER if name in names]
    unfinished = sorted(names & {verdict.NOT_DECIDED, "not measured"})
    proven = [name for name in ranked if name in ("regression", "error")]
    return next(iter([*proven, *unfinished, *ranked, *sorted(names)]), "not measured")


def fact(value: Fact) -> str:
    """Of a machine, as an engineer would write it: `yes`, `2`, `AMD EPYC`."""
    return str(value) if not isinstance(value, bool) else "yes" if value else "no"


def slower(result: RunResult) -> list[str]:
    """The blocks that fail as proven regressions, the worst first."""
    return [
        block.block
        for block in worst_first(result.blocks)
        if any(metric.outcome == "fail" and kind(metric) == "regression" for metric in block.metrics)
    ]


def news(run: RunResult) -> str:
    """The run in a sentence: `2 of 11 blocks got slower: worst +12.2 % (mainnet/24443173); …`."""
    blocks = run.blocks
    judged = [(block.block, metric) for block in blocks for metric in block.metrics]
    waived = [(name, metric) for name, metric in judged if metric.outcome == "waived"]
    held = [(name, metric) for name, metric in judged if metric.outcome != "waived"]
    open_ends = [metric for _, metric in judged if _counted(metric) == "inconclusive"]
    open_blocks = {name for name, metric in judged if metric in open_ends}
    small = {name for name, metric in judged if verdict.is_below_floor(metric)}
    parts = [
        *_changes(held, Verdict.REGRESSION),
        (sum(1 for block in blocks if block.error), "could not be measured"),
        (len(open_blocks), unproven(open_ends) if open_ends else ""),
        *_changes(held, Verdict.IMPROVEMENT),
        *_changes(waived, Verdict.REGRESSION, ", as allowed"),
        (len(small), "changed by less than the floor"),
    ]
    told = [f"{number} {what}" for number, what in parts if number]
    if told:
        number, _, what = told[0].partition(" ")
        who = "the block" if len(blocks) == 1 else f"{number} of {len(blocks)} blocks"
        verb = ("is " if number == "1" else "are ") if what.startswith("not ") else ""
        told[0] = f"{who} {verb}{what}"
    else:
        told = [counts(blocks) or "no blocks"]
    return "; ".join([*told, *(f"mean over blocks {kind(mean)}" for mean in run.suite)])


def _changes(
    judged: Iterable[tuple[str, MetricResult]], verdict: Verdict, clause: str = ""
) -> Iterator[tuple[int, str]]:
    """How many blocks changed like this, and `got slower: worst +12.2 % (mainnet/24443173)`.

    Where only counts changed, that is no time: `took more: +1.2 % (instructions of mainnet/24443173)`.
    """
    changes = [
        (metric.decision.estimate or 0.0, name, metric)
        for name, metric in judged
        if metric.decision.verdict is verdict
    ]
    if not changes:
        return
    slower = verdict is Verdict.REGRESSION
    times = [change for change in changes if unit(change[2].metric) == "ns"]
    log, name, metric = (max if slower else min)(times or changes, key=lambda change: change[0])
    of = "" if metric.metric == DEFAULT else f"{metric.metric} of "
    change = units.log_ratio(log, units.decimals(metric.rules.margin))
    words = ("got slower", "got faster") if times else ("took more", "took less")
    most = "" if len(times or changes) == 1 else "worst " if slower else "best "
    number = len({name for _, name, _ in times or changes})
    yield number, f"{words[not slower]}{clause}: {most}{change} ({of}{name})"


def unproven(results: Iterable[MetricResult]) -> str:
    """`not proven unchanged: a slowdown below +8.1 % would not have been seen`, of inconclusive results.

    It is the largest of what each could see with a probability of 90 %.
    """
    worst = max(results, key=lambda result: _detectable(result.decision))
    seen = _detectable(worst.decision)
    if math.isinf(seen):
        return "not proven unchanged: nothing would have been seen"
    places = units.decimals(worst.rules.margin)
    least = units.log_percent(seen, places)
    return f"not proven unchanged: a slowdown below {least} would not have been seen"


def _detectable(decision: Decision) -> float:
    return math.inf if decision.detectable is None else decision.detectable


def tally(names: Iterable[str]) -> str:
    """`2 regressions, 1 error`: how often each of `names` is there, the worst first."""
    numbers = Counter(names)
    ranked = sorted(numbers, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    return ", ".join(
        f"{numbers[name]} {name}{'s' if numbers[name] > 1 and name in _COUNTABLE else ''}" for name in ranked
    )


def beside(block: BlockResult) -> list[str]:
    """What is shown for information: earlier sessions, so that creep is seen, and others' numbers."""
    lines = []
    for reference in block.references:
        metric = "" if reference.metric == DEFAULT else f", {reference.metric}"
        change = units.change(reference.change)
        since = f"against {reference.name} {reference.date}"
        if reference.name == FIRST_SESSION:
            since = f"since the baseline was last reset ({reference.date})"
        lines.append(f"{since}{metric}: {change}")
    lines += [
        f"reference of {other.machine}, {other.date}: {units.duration(other.exec_ns)}, "
        f"{other.ggas_per_s:.2f} Ggas/s; never gated against"
        for other in block.published
    ]
    return lines
