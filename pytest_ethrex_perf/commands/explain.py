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
from pytest_ethrex_perf.records.metric import METRICS, TIMES

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pytest_ethrex_perf.judge.assess import Material
    from pytest_ethrex_perf.records.decision import Decision
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

    run = results_file.load(args.file, edited=True)
    blocks, means = _chosen(run, args)
    checks = [check for block in blocks for check in check_block(block, args.metric)]
    checks += [check_mean(run, mean) for mean in means]
    for check in checks:
        _say("\n".join([*check.lines, ""]))
    wrong = [check for check in checks if check.problems]
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
    means = list(run.suite) if not args.block or MEAN in args.block else []
    if MEAN in args.block and not means:
        raise UsageError(f"{args.file}: no mean over blocks in it: there are {_listed(there)}")
    metrics = {result.metric for block in blocks for result in block.metrics}
    metrics |= {mean.metric for mean in means}
    if not metrics:
        raise UsageError(
            f"{args.file}: nothing was judged: {'; '.join(map(_why_not, blocks)) or 'it is empty'}"
        )
    if args.metric is not None and args.metric not in metrics:
        raise UsageError(f"{args.file}: no verdict on {args.metric}: there are ones on {_listed(metrics)}")
    return blocks, [mean for mean in means if args.metric in (None, mean.metric)]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _why_not(block: BlockResult) -> str:
    reason = block.error or block.skipped or (f"recorded: {block.recorded}" if block.recorded else None)
    return f"{block.block}: {reason or 'not measured'}"


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
    from pytest_ethrex_perf.judge import samples
    from pytest_ethrex_perf.judge.assess import Material, assess, is_cut_short

    metric, written = result.metric, result.decision
    name = f"{block.block} {metric}"
    title = f"{name}: {block.mode}, {block.repeat} repeats, the first {block.drop} dropped"
    read = [f"sample: {samples.WORDS[block.sample]} of the rest"] if metric in TIMES else []
    material = Material.of(block)
    try:
        _check_there(block, result)
        used = written.pairs if material.paired else None
        final = is_cut_short(written, result.rules)
        again = assess(material, metric, result.rules, final=final, used=used)
        if material.paired:
            lines = _pairs_lines(block, material, again, written.pairs)
        else:
            lines = _stored_lines(block, material, again)
    except _UNUSABLE as error:
        return _broken(name, title, error)
    recomputed, in_file = _values(again), _values(result)
    problems = _problems(recomputed, in_file, result)
    lines = [title, *read, *lines, *_table(recomputed, in_file)]
    if result.context is not None and _context_differs(again, result.context):
        problems.append("the stored comparison for information")
        lines.append("  the stored comparison for information does not agree")
    return Checked(name, lines, problems)


def _check_there(block: BlockResult, result: MetricResult) -> None:
    """Raise ValueError unless the file holds the raw data of `result`."""
    if block.mode == "record" or result.metric not in METRICS:
        raise ValueError(f"{result.metric} was not judged in this mode ({block.mode})")
    if block.mode == "interleaved":
        _check_pairs(block, result.decision)
    elif not block.invocations or not block.baseline:
        raise ValueError("the file holds no invocations, or no sessions of the baseline")


def _check_pairs(block: BlockResult, decision: Decision) -> None:
    if not 0 < decision.pairs <= len(block.pairs):
        raise ValueError(
            f"it says that {decision.pairs} pairs decided, and {len(block.pairs)} of {block.block} are there"
        )


def _pairs_lines(block: BlockResult, material: Material, result: MetricResult, used: int) -> list[str]:
    """How an interleaved verdict follows from the first `used` pairs."""
    from pytest_ethrex_perf.commands import derivation

    metric, rules, step = result.metric, result.rules, result.step
    base, head = material.samples("base", metric)[:used], material.samples("head", metric)[:used]
    return [
        *derivation.rules_lines(rules, step, result.decision),
        "",
        *derivation.pairs_table(block.pairs, metric, _reader(block, metric), used),
        *derivation.looks_lines(result.decision, base, head, rules, step=step),
    ]


def _stored_lines(block: BlockResult, material: Material, result: MetricResult) -> list[str]:
    """How a verdict follows from the sessions of the stored baseline and the new one."""
    from pytest_ethrex_perf.commands import derivation

    metric, rules, step = result.metric, result.rules, result.step
    read = _reader(block, metric)
    sessions, new = material.stored(metric), material.samples("head", metric)
    return [
        *derivation.rules_lines(rules, step, result.decision),
        "",
        *derivation.sessions_table(block.baseline, metric, read, result.identity),
        "",
        *derivation.invocations_table(block.invocations, metric, read),
        *derivation.stored_lines(result.decision, sessions, new, rules, step),
    ]


def _reader(block: BlockResult, metric: str) -> Callable[[Invocation], float]:
    """What reads the samples (logs) as they were read when `block` was judged."""
    from pytest_ethrex_perf.judge import samples

    return lambda invocation: samples.sample(invocation, metric, block.drop, block.sample)


def _context_differs(again: MetricResult, context: Decision) -> bool:
    """Whether the stored comparison beside an interleaved verdict is another than the raw data give."""
    return again.context is None or bool(_differing(_flat(again.context), _flat(context)))


def check_mean(run: RunResult, mean: SuiteResult) -> Checked:
    """Recompute one mean over blocks from the pairs of its blocks."""
    name = f"mean over {len(mean.blocks)} blocks {mean.metric}"
    checks = []
    for pick in (-1, 0):  # a block can be there twice, if a test asked for it with options of its own
        try:
            checks.append(_check_rounds(name, mean, _materials(run, mean, pick)))
        except _UNUSABLE as error:
            return _broken(name, name, error)
        if not checks[-1].problems:
            return checks[-1]
    return checks[0]


def _materials(run: RunResult, mean: SuiteResult, pick: int) -> list[Material]:
    """The raw data of each block of a mean; raises ValueError where it is missing."""
    from pytest_ethrex_perf.judge.assess import Material

    materials = []
    for name in mean.blocks:
        blocks = [block for block in run.blocks if block.block == name and block.pairs]
        if not blocks:
            raise ValueError(f"the file holds no pairs of {name}")
        _check_pairs(blocks[pick], mean.decision)
        materials.append(Material.of(blocks[pick]))
    return materials


def _check_rounds(name: str, mean: SuiteResult, materials: Sequence[Material]) -> Checked:
    from pytest_ethrex_perf.commands import derivation
    from pytest_ethrex_perf.judge.assess import assess_mean, is_cut_short, mean_samples

    metric, rules, used = mean.metric, mean.rules, mean.decision.pairs
    again = assess_mean(materials, metric, rules, final=is_cut_short(mean.decision, rules), used=used)
    base, head = (samples[:used] for samples in mean_samples(materials, metric))
    recomputed, in_file = _values(again), _values(mean)
    lines = [
        name,
        *derivation.wrapped(f"blocks: {', '.join(mean.blocks)}"),
        *derivation.rules_lines(rules, again.step, again.decision),
        "",
        *derivation.rounds_table(base, head),
        *derivation.looks_lines(again.decision, base, head, rules, step=again.step, counted="rounds"),
        *_table(recomputed, in_file),
    ]
    return Checked(name, lines, _problems(recomputed, in_file, mean))


# --- what the file says, against what was recomputed --------------------------------------------------------


def _values(result: MetricResult | SuiteResult) -> dict[str, object]:
    """The numbers of a result by name."""
    from pytest_ethrex_perf.records.result import MetricResult

    values = {**_flat(result.decision), "step": result.step}
    if isinstance(result, MetricResult):
        values |= {"counted": result.identity, "base": result.base, "head": result.head}
    return values


def _flat(decision: Decision) -> dict[str, object]:
    """The numbers of a decision by name; its reason is words about them."""
    values: dict[str, Any] = asdict(decision)
    del values["reason"]
    looks = values.pop("looks")
    values["plan"] = values["plan"] or None
    for name in ("interval", "ci95"):
        low, high = values.pop(name) or (None, None)
        values |= {f"{name} low": low, f"{name} high": high}
    for number, look in enumerate(looks, 1):
        values |= {f"look {number} {name}": value for name, value in look.items()}
    return values


def _problems(
    recomputed: Mapping[str, object], in_file: Mapping[str, object], result: MetricResult | SuiteResult
) -> list[str]:
    # of a look one number follows from the other; the table below shows them all
    names = (re.sub(r"^(look \d+) .*", r"\1", name) for name in _differing(recomputed, in_file))
    problems = list(dict.fromkeys(names))
    verdict = result.decision.verdict
    if verdict is not None and result.outcome not in _OUTCOMES[verdict]:
        problems.append(f"outcome ({result.outcome} does not follow from {verdict})")
    return problems


def _differing(recomputed: Mapping[str, object], in_file: Mapping[str, object]) -> list[str]:
    names = dict.fromkeys([*recomputed, *in_file])
    return [name for name in names if not _same(name, recomputed.get(name), in_file.get(name))]


def _same(name: str, recomputed: object, in_file: object) -> bool:
    if name == "plan" and in_file is None:
        return True  # an older file: its looks were the rules'
    if not isinstance(recomputed, float) or not isinstance(in_file, float):
        return _finite(recomputed) == _finite(in_file)
    within = _SIMULATED if name == "detectable" else _SAME
    return math.isclose(recomputed, in_file, rel_tol=within, abs_tol=_ROUNDING)


def _finite(value: object) -> object:
    """JSON has no infinity: it is written as null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _table(recomputed: Mapping[str, object], in_file: Mapping[str, object]) -> list[str]:
    """Both side by side; of the looks only what differs, since they are written out above."""
    from pytest_ethrex_perf.report import terminal

    differing = set(_differing(recomputed, in_file))
    rows: list[tuple[str, ...]] = [("", "recomputed", "in the file", "")]
    for name in dict.fromkeys([*recomputed, *in_file]):
        values = recomputed.get(name), in_file.get(name)
        if name in differing or not (name.startswith("look ") or values == (None, None)):
            rows.append((name, *map(_cell, values), "does not agree" if name in differing else ""))
    return ["", *("  " + line for line in terminal.columns(rows, right={1, 2}))]


def _cell(value: object) -> str:
    if isinstance(value, tuple):
        return f"{len(value)} looks to {value[-1]}"
    return "–" if value is None else f"{value:.10g}" if isinstance(value, float) else str(value)


def _broken(name: str, title: str, error: Exception) -> Checked:
    from pytest_ethrex_perf.commands import derivation

    return Checked(name, [title, *derivation.wrapped(f"cannot be recomputed: {error}", "  ")], [str(error)])


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
