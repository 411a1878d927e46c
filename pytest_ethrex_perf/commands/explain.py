"""`ethrex-perf explain`: a results file's verdicts recomputed from its raw data, line by line."""

from __future__ import annotations

import math
import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_ethrex_perf.config.block_specs import parse_blocks
from pytest_ethrex_perf.errors import MeasurementError, UsageError
from pytest_ethrex_perf.judge import samples
from pytest_ethrex_perf.records.metric import METRICS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pytest_ethrex_perf.records.decision import Decision, Rules
    from pytest_ethrex_perf.records.measurement import Invocation
    from pytest_ethrex_perf.records.result import BlockResult, MetricResult, RunResult, SuiteResult

MEAN = "all"  # how the mean over blocks is named, as in `ethrex-block::all`
_SAME, _ROUNDING = 1e-9, 1e-12
_SIMULATED = 0.02  # the detectable effect rests on draws, which another numpy may draw otherwise
# what edited numbers can lead to
_UNUSABLE = (ValueError, TypeError, ArithmeticError, LookupError, MeasurementError)
_OUTCOMES = {
    "regression": {"fail", "waived"},
    "improvement": {"pass", "fail"},
    "unchanged": {"pass"},
    "inconclusive": {"warn", "fail"},
}


class Checked(NamedTuple):
    """One verdict recomputed: its name, the derivation, and what does not agree with the file."""

    name: str
    lines: list[str]
    problems: list[str]


class _Recomputed(NamedTuple):
    """What follows from the raw data, under the names that the file has for it."""

    lines: list[str]
    values: dict[str, object]


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `explain`; its parser sets `run`, which takes the Namespace and returns the exit code."""
    text = (
        "recompute the verdicts of a results file from its raw data, line by line: exit code 1 if the file "
        "says otherwise"
    )
    parser = subparsers.add_parser("explain", help=text, description=text)
    parser.add_argument("file", type=Path, metavar="RESULT.json", help="what --ethrex-json wrote")
    parser.add_argument(
        "--block",
        action="append",
        default=[],
        metavar="SPEC",
        help=f"only this block, as --ethrex-block; `{MEAN}` is the mean over blocks (default: everything)",
    )
    parser.add_argument("--metric", choices=METRICS, help="only this metric (default: every one)")
    parser.set_defaults(run=_explain)


def _explain(args: argparse.Namespace) -> int:
    from pytest_ethrex_perf.commands import derivation
    from pytest_ethrex_perf.records import results_file

    run = results_file.load(args.file)
    blocks, suites = _chosen(run, args)
    checked = [check for block in blocks for check in check_block(block, args.metric)]
    checked += [check_suite(run, suite) for suite in suites]
    for check in checked:
        _say("\n".join([*check.lines, ""]))
    wrong = [check for check in checked if check.problems]
    if not wrong:
        _say(f"Everything agrees with {args.file}.")
        return 0
    for check in wrong:
        _say("\n".join(derivation.wrapped(f"{check.name} does not agree: {', '.join(check.problems)}")))
    _say("The raw data or the decisions in this file were edited: trust none of it.")
    return 1


def _chosen(run: RunResult, args: argparse.Namespace) -> tuple[list[BlockResult], list[SuiteResult]]:
    """The blocks and means that the arguments name; raises `UsageError` that lists what there is."""
    specs = [spec for spec in args.block if spec != MEAN]
    wanted = {str(block) for block in parse_blocks(specs)}
    there = {block.block for block in run.blocks}
    if missing := sorted(wanted - there):
        raise UsageError(f"{args.file}: no block {', '.join(missing)}: there are {_listed(there)}")
    blocks = [block for block in run.blocks if not args.block or block.block in wanted]
    suites = list(run.suite) if not args.block or MEAN in args.block else []
    if MEAN in args.block and not suites:
        raise UsageError(f"{args.file}: no mean over blocks in it: there are {_listed(there)}")
    metrics = {one.metric for block in blocks for one in block.metrics} | {one.metric for one in suites}
    if not metrics:
        raise UsageError(
            f"{args.file}: nothing was judged: {'; '.join(map(_why_not, blocks)) or 'it is empty'}"
        )
    if args.metric is not None and args.metric not in metrics:
        raise UsageError(f"{args.file}: no verdict on {args.metric}: there are ones on {_listed(metrics)}")
    return blocks, [suite for suite in suites if args.metric in (None, suite.metric)]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _why_not(block: BlockResult) -> str:
    told = block.error or block.skipped or (f"recorded: {block.recorded}" if block.recorded else None)
    return f"{block.block}: {told or 'not measured'}"


def check_block(block: BlockResult, metric: str | None = None) -> Iterator[Checked]:
    """Recompute the verdicts of a block (on one `metric`, or every one), and compare its raw data's seal."""
    for result in block.metrics:
        if metric in (None, result.metric):
            yield _check_metric(block, result)
    yield _check_raw(block)


def _check_raw(block: BlockResult) -> Checked:
    lines = [] if block.metrics else [_why_not(block)]
    name = f"{block.block} raw data"
    if block.raw_sha256 is None:
        return Checked(name, [*lines, f"{name}: the file holds no sha256 to check it against"], [])
    if block.raw_sha256 == block.raw_digest():
        return Checked(name, [*lines, f"{name}: as it was measured (sha256 {block.raw_sha256[:12]})"], [])
    return Checked(name, [*lines, f"{name}: not what was measured, its sha256 differs"], ["its sha256"])


def _check_metric(block: BlockResult, result: MetricResult) -> Checked:
    name = f"{block.block} {result.metric}"
    title = f"{name}: {block.mode}, {block.repeat} repeats, the first {block.drop} dropped"
    recompute = _interleaved if block.mode == "interleaved" else _stored
    told = {
        **_flat(result.decision),
        "step": result.step,
        "counted": result.identity,
        "base": result.base,
        "head": result.head,
    }
    try:
        if block.mode == "record" or result.metric not in METRICS:
            raise ValueError(f"{result.metric} was not judged in this mode ({block.mode})")
        found = recompute(block, result)
    except _UNUSABLE as error:
        return _broken(name, title, error)
    problems = _problems(found.values, told, result)
    lines = [title, *found.lines, *_table(found.values, told)]
    if _context_differs(block, result):
        problems.append("the stored comparison for information")
        lines.append("  the stored comparison for information does not agree")
    return Checked(name, lines, problems)


def _interleaved(block: BlockResult, result: MetricResult) -> _Recomputed:
    from pytest_ethrex_perf.commands import derivation

    metric, used, rules = result.metric, result.decision.pairs, result.rules
    base, head, step = _pairs(block, metric, used)
    decision = _replayed(base, head, rules, result.decision, step)
    lines = [
        *derivation.rules_lines(rules, step),
        "",
        *derivation.pairs_table(block.pairs, metric, block.drop, used),
        *derivation.looks_lines(decision, base, head, rules, step=step),
    ]
    return _Recomputed(
        lines,
        {
            **_flat(decision),
            "step": step,
            "counted": samples.identity(_both(block), metric),
            "base": _level([base]),
            "head": _level([head]),
        },
    )


def _stored(block: BlockResult, result: MetricResult) -> _Recomputed:
    from pytest_ethrex_perf.commands import derivation
    from pytest_ethrex_perf.judge import stored

    metric, rules = result.metric, result.rules
    if not block.invocations or not block.baseline:
        raise ValueError("the file holds no invocations, or no sessions of the baseline")
    like = samples.identity(block.invocations, metric)
    sessions = samples.stored(block.baseline, metric, block.drop, like)
    new = samples.of(block.invocations, metric, block.drop)
    step = samples.step(block.invocations, metric)
    decision = stored.judge(sessions, new, rules, step=step)
    lines = [
        *derivation.rules_lines(rules, step),
        "",
        *derivation.sessions_table(block.baseline, metric, block.drop, like),
        "",
        *derivation.invocations_table(block.invocations, metric, block.drop),
        *derivation.stored_lines(decision, sessions, new, rules, step),
    ]
    return _Recomputed(
        lines,
        {
            **_flat(decision),
            "step": step,
            "counted": like,
            "base": _level(sessions),
            "head": _level([new]),
        },
    )


def check_suite(run: RunResult, suite: SuiteResult) -> Checked:
    """Recompute one mean over blocks from the pairs of its blocks."""
    name = f"mean over {len(suite.blocks)} blocks {suite.metric}"
    told = {**_flat(suite.decision), "step": suite.step}
    checked = []
    for pick in (-1, 0):  # a block can be there twice, if a test asked for it with options of its own
        try:
            found = _mean(run, suite, pick)
        except _UNUSABLE as error:
            return _broken(name, name, error)
        problems = _problems(found.values, told, suite)
        checked.append(Checked(name, [name, *found.lines, *_table(found.values, told)], problems))
        if not problems:
            return checked[-1]
    return checked[0]


def _mean(run: RunResult, suite: SuiteResult, pick: int) -> _Recomputed:
    from pytest_ethrex_perf.commands import derivation
    from pytest_ethrex_perf.judge import family

    sides: tuple[list[list[float]], list[list[float]]] = [], []
    step = 0.0
    for name in suite.blocks:
        there = [block for block in run.blocks if block.block == name and block.pairs]
        if not there:
            raise ValueError(f"the file holds no pairs of {name}")
        base, head, resolution = _pairs(there[pick], suite.metric, suite.decision.pairs)
        sides[0].append(base)
        sides[1].append(head)
        step = max(step, resolution)
    base, head = (mean.tolist() for mean in family.mean_over_blocks(*sides))
    decision = _replayed(base, head, suite.rules, suite.decision, step)
    lines = [
        *derivation.wrapped(f"blocks: {', '.join(suite.blocks)}"),
        *derivation.rules_lines(suite.rules, step),
        "",
        *derivation.rounds_table(base, head),
        *derivation.looks_lines(decision, base, head, suite.rules, step=step, counted="rounds"),
    ]
    return _Recomputed(lines, {**_flat(decision), "step": step})


def _both(block: BlockResult) -> list[Invocation]:
    """The invocations of both sides."""
    return [one for pair in block.pairs for one in (pair.base, pair.head)]


def _pairs(block: BlockResult, metric: str, used: int) -> tuple[list[float], list[float], float]:
    """Samples of base and head and their resolution, of the pairs that a decision `used`."""
    if not 0 < used <= len(block.pairs):
        raise ValueError(
            f"it says that {used} pairs decided, and {len(block.pairs)} of {block.block} are there"
        )
    sides = [pair.base for pair in block.pairs[:used]], [pair.head for pair in block.pairs[:used]]
    base, head = (samples.of(side, metric, block.drop) for side in sides)
    return base, head, samples.step([*sides[0], *sides[1]], metric)


def _replayed(
    base: Sequence[float], head: Sequence[float], rules: Rules, told: Decision, step: float
) -> Decision:
    """Judge again, as the run did: whether it had run out of time shows in the looks that it took."""
    from pytest_ethrex_perf.judge import paired

    looks = tuple(look.pairs for look in told.looks)
    ended = told.verdict == "inconclusive" and told.pairs < rules.looks[-1]
    return paired.judge(base, head, rules, step=step, final=ended or looks != rules.looks[: len(looks)])


def _context_differs(block: BlockResult, result: MetricResult) -> bool:
    """Whether the stored comparison beside an interleaved verdict is another than the raw data give."""
    from pytest_ethrex_perf.judge import stored

    if result.context is None or block.mode != "interleaved":
        return result.context is not None
    metric = result.metric
    pairs = [pair for pair in block.pairs if samples.has(pair.head, metric)]
    heads = [pair.head for pair in pairs]
    try:
        step = samples.step([*(pair.base for pair in pairs), *heads], metric)
        sessions = samples.stored(block.baseline, metric, block.drop, samples.identity(heads, metric))
        new = samples.of(heads, metric, block.drop)
        found = stored.judge(sessions, new, result.rules, step=step)
    except _UNUSABLE:
        return True
    return bool(_differing(_flat(found), _flat(result.context)))


def _level(sessions: Sequence[Sequence[float]]) -> float:
    """Geometric mean over sessions of samples (logs)."""
    return math.exp(sum(sum(one) / len(one) for one in sessions) / len(sessions))


# --- what the file says, against what was recomputed --------------------------------------------------------


def _flat(decision: Decision) -> dict[str, object]:
    """The numbers of a decision by name; its reason is words about them."""
    values: dict[str, Any] = asdict(decision)
    del values["reason"]
    looks = values.pop("looks")
    for name in ("interval", "ci95"):
        low, high = values.pop(name) or (None, None)
        values |= {f"{name} low": low, f"{name} high": high}
    for number, look in enumerate(looks, 1):
        values |= {f"look {number} {name}": value for name, value in look.items()}
    return values


def _problems(
    found: Mapping[str, object], told: Mapping[str, object], result: MetricResult | SuiteResult
) -> list[str]:
    # of a look one number follows from the other; the table below shows them all
    names = (re.sub(r"^(look \d+) .*", r"\1", name) for name in _differing(found, told))
    problems = list(dict.fromkeys(names))
    verdict = result.decision.verdict
    if verdict is not None and result.outcome not in _OUTCOMES[verdict]:
        problems.append(f"outcome ({result.outcome} does not follow from {verdict})")
    return problems


def _differing(found: Mapping[str, object], told: Mapping[str, object]) -> list[str]:
    names = dict.fromkeys([*found, *told])
    return [name for name in names if not _same(name, found.get(name), told.get(name))]


def _same(name: str, found: object, told: object) -> bool:
    if not isinstance(found, float) or not isinstance(told, float):
        return _finite(found) == _finite(told)
    within = _SIMULATED if name == "detectable" else _SAME
    return math.isclose(found, told, rel_tol=within, abs_tol=_ROUNDING)


def _finite(value: object) -> object:
    """JSON has no infinity: it is written as null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _table(found: Mapping[str, object], told: Mapping[str, object]) -> list[str]:
    """Both side by side; of the looks only what differs, since they are written out above."""
    from pytest_ethrex_perf.report import terminal

    differing = set(_differing(found, told))
    rows: list[tuple[str, ...]] = [("", "recomputed", "in the file", "")]
    for name in dict.fromkeys([*found, *told]):
        values = found.get(name), told.get(name)
        if name in differing or not (name.startswith("look ") or values == (None, None)):
            rows.append((name, *map(_told, values), "does not agree" if name in differing else ""))
    return ["", *("  " + line for line in terminal.columns(rows, right={1, 2}))]


def _told(value: object) -> str:
    return "–" if value is None else f"{value:.10g}" if isinstance(value, float) else str(value)


def _broken(name: str, title: str, error: Exception) -> Checked:
    from pytest_ethrex_perf.commands import derivation

    return Checked(name, [title, *derivation.wrapped(f"cannot be recomputed: {error}", "  ")], [str(error)])


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
