"""`ethrex-perf compare`: two results files judged against each other by the gate's own rules."""

from __future__ import annotations

import math
import shlex
import shutil
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pytest_ethrex_perf.commands import limits
from pytest_ethrex_perf.errors import MeasurementError, UsageError
from pytest_ethrex_perf.records.metric import DEFAULT

if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pytest_ethrex_perf.judge.assess import Material
    from pytest_ethrex_perf.judge.family import Gatings
    from pytest_ethrex_perf.records.decision import Rules
    from pytest_ethrex_perf.records.measurement import Invocation, Program, Side
    from pytest_ethrex_perf.records.result import BlockResult, MetricResult, RunResult, SuiteResult

AnyResult = TypeVar("AnyResult", "MetricResult", "SuiteResult")
_SHORT = 12
_EXIT_REGRESSION = 1
_APART = "of another machine, or counted by another valgrind, and never compared"


class Source(NamedTuple):
    """One side of the comparison: a results file, and which side of it."""

    name: str
    """As the user wrote it."""
    run: RunResult
    side: Side


@dataclass(frozen=True)
class Measured:
    """One side of one block of a results file."""

    block: BlockResult
    side: Side

    @cached_property
    def invocations(self) -> tuple[Invocation, ...]:
        """What was measured, in the order it started; a stored baseline's sessions were not measured here."""
        if self.block.mode == "interleaved":
            taken = tuple(pair.base if self.side == "base" else pair.head for pair in self.block.pairs)
        else:
            taken = self.block.invocations if self.side == "head" else ()
        return tuple(sorted(taken, key=lambda invocation: invocation.started))

    def with_metric(self, metric: str) -> Sequence[Invocation]:
        """The invocations with a sample of `metric` (all if none has): events may be counted in turns."""
        from pytest_ethrex_perf.judge import samples

        return [taken for taken in self.invocations if samples.has(taken, metric)] or self.invocations

    @property
    def program(self) -> Program | None:
        """What was run."""
        side = self.block.base if self.side == "base" else self.block.head
        return side.program if side is not None else None


@dataclass(frozen=True)
class Matched:
    """One block that both sources have measured."""

    base: Measured
    head: Measured
    times: bool = True
    """Times, and perf's counts, are compared: both were measured on one machine."""
    counts: bool = True
    """What callgrind counted is compared: both by the same valgrind, C library, CPUs, …"""

    @property
    def block(self) -> str:
        """The block."""
        return self.head.block.block

    @cached_property
    def paired(self) -> bool:
        """Whether the sides took turns: by start, positions 2 i and 2 i + 1 are always one of each."""
        base, head = self.base.invocations, self.head.invocations
        order = sorted(
            [*((each.started, "base") for each in base), *((each.started, "head") for each in head)]
        )
        sides = [side for _, side in order]
        return len(base) == len(head) and all(
            first != second for first, second in zip(sides[::2], sides[1::2], strict=True)
        )

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics by which either file judged it, exec if none."""
        return tuple(filter(self.comparable, self._judged() or (DEFAULT,)))

    def comparable(self, metric: str) -> bool:
        """Whether `metric` of base says anything about that of head."""
        return self.counts if self.by_callgrind(metric) else self.times

    def rules(self, metric: str) -> Rules | None:
        """The rules by which head's file judged `metric`, or else base's."""
        return self._judged().get(metric)

    def _judged(self) -> dict[str, Rules]:
        return {**limits.judged(self.base.block), **limits.judged(self.head.block)}

    def by_callgrind(self, metric: str) -> bool:
        """Whether callgrind counted `metric`."""
        from pytest_ethrex_perf.judge import samples

        return samples.by_callgrind(self.head.invocations, metric)

    def material(self, metric: str) -> Material:
        """The raw data to judge `metric` by."""
        from pytest_ethrex_perf.judge.assess import Material

        return Material(
            block=self.block,
            drop=max(self.base.block.drop, self.head.block.drop),
            head=self.head.with_metric(metric),
            base=self.base.with_metric(metric),
            paired=self.paired,
        )


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `compare`; its parser sets `run`, which takes the Namespace and returns the exit code."""
    text = (
        "judge the results file B (head) against A (base), block by block, by the gate's rules: exit code 1 "
        "on a regression, 2 if they do not belong together"
    )
    parser = subparsers.add_parser("compare", help=text, description=text)
    form = "a results file of --ethrex-json; FILE:base is what it was compared with (default: FILE:head)"
    parser.add_argument("base", metavar="A.json", help=form)
    parser.add_argument("head", metavar="B.json", help=form)
    limits.add_options(parser)
    parser.set_defaults(run=_compare)


def _compare(args: argparse.Namespace) -> int:
    given = limits.given(args)
    base, head = source(args.base), source(args.head)
    matches = match(base, head)
    result = judge(head.run, matches, given)
    for line in _report(base, head, matches, result):
        sys.stdout.write(line + "\n")
    failed = any(metric.outcome == "fail" for block in result.blocks for metric in block.metrics)
    return _EXIT_REGRESSION if failed or any(suite.outcome == "fail" for suite in result.suite) else 0


def source(spec: str) -> Source:
    """Read `FILE`, `FILE:base` or `FILE:head`; a file of just that name wins. Raises `UsageError`."""
    from pytest_ethrex_perf.records import results_file

    sides: tuple[Side, ...] = ("base", "head")
    for side in sides:
        path = spec.removesuffix(f":{side}")
        if path != spec and not Path(spec).exists():
            return Source(spec, results_file.load(Path(path)), side)
    return Source(spec, results_file.load(Path(spec)), "head")


# --- what belongs together ----------------------------------------------------------------------------------


def match(base: Source, head: Source) -> list[Matched]:
    """The blocks that both sources have measured; raises `UsageError` unless they may be compared."""
    times = base.run.machine == head.run.machine
    counted = [run.counted_on.key if run.counted_on else None for run in (base.run, head.run)]
    counts = counted[0] == counted[1] is not None
    if not times and not counts:
        raise UsageError(
            f"{base.name} was measured on {base.run.machine} and {head.name} on {head.run.machine}: "
            "other machines are never compared: measure both on one, or gate on instructions that callgrind "
            "counts"
        )
    ours, theirs = measured(base), measured(head)
    matches = [Matched(ours[block], theirs[block], times, counts) for block in ours if block in theirs]
    if not matches:
        raise UsageError(
            f"no block is in both: {base.name} has {_listed(ours)}, {head.name} has {_listed(theirs)}"
        )
    for matched in matches:
        reason = refusal(matched) or (None if matched.metrics else f"what was judged is {_APART}")
        if reason is not None:
            raise UsageError(f"{base.name} and {head.name} do not belong together: {matched.block}: {reason}")
    return matches


def measured(source: Source) -> dict[str, Measured]:
    """The blocks of a source that have invocations of its side; raises `UsageError` if none has."""
    sides: dict[str, Measured] = {}
    for block in source.run.blocks:
        side = Measured(block, source.side)
        if side.invocations:
            sides.setdefault(block.block, side)
    if not sides:
        states = [f"{b.block}: {b.error or b.skipped or b.mode}" for b in source.run.blocks]
        why = "; ".join(states) or "it has no blocks"
        raise UsageError(f"{source.name}: nothing was measured of its {source.side} side ({why})")
    return sides


def refusal(matched: Matched) -> str | None:
    """Why the two measurements of a block say nothing about each other; None where they do."""
    ours, theirs = matched.base.block, matched.head.block
    base, head = matched.base.program, matched.head.program
    if ours.cache is None or theirs.cache is None or base is None or head is None:
        return "the files do not say what was measured"
    for what, before, now in (
        ("kind of program", base.kind, head.kind),
        ("block hash", ours.cache.block_hash, theirs.cache.block_hash),
        ("witness (sha256)", ours.cache.witness_sha256[:_SHORT], theirs.cache.witness_sha256[:_SHORT]),
        ("number of repeats", ours.repeat, theirs.repeat),
        ("prefix (--ethrex-prefix)", shlex.join(base.prefix), shlex.join(head.prefix)),
    ):
        if before != now:
            return f"another {what}: {before or 'none'} and {now or 'none'}: measure both alike"
    if set(_identities(matched.base)) & set(_identities(matched.head)):
        return "both sides are the same invocations: nothing to compare (FILE:base is a file's other side)"
    return None


def _identities(side: Measured) -> list[tuple[object, ...]]:
    return [(taken.started, taken.wall_ns, taken.exec_ns) for taken in side.invocations]


def _listed(blocks: Collection[str]) -> str:
    return ", ".join(sorted(blocks))


# --- judging ------------------------------------------------------------------------------------------------


def judge(run: RunResult, matches: Sequence[Matched], given: Mapping[str, Any]) -> RunResult:
    """Judge every block and, from four blocks of pairs on, their mean; `run` is head's.

    `given` are the limits of the command line. Raises `UsageError` for limits that make no sense.
    """
    import msgspec

    from pytest_ethrex_perf.judge import family

    asked: tuple[str, ...] = given.get("metrics") or ()
    if not all(matched.comparable(metric) for matched in matches for metric in asked):
        raise UsageError(f"--metrics {','.join(asked)}: some are {_APART}")
    metrics = {matched.block: asked or matched.metrics for matched in matches}
    pairs = [matched for matched in matches if matched.paired]
    enough = len(pairs) >= family.MIN_BLOCKS_FOR_MEAN
    means = (
        [name for name in metrics[pairs[0].block] if all(name in metrics[matched.block] for matched in pairs)]
        if enough
        else []
    )
    number = sum(map(len, metrics.values()))
    gatings = family.gatings(number, len(means))
    blocks = tuple(
        msgspec.structs.replace(
            matched.head.block,
            mode="interleaved" if matched.paired else "stored",
            metrics=tuple(_judge_metric(matched, name, given, gatings) for name in metrics[matched.block]),
            rows=(),
            notes=(),
            error=None,
            skipped=None,
            recorded=None,
        )
        for matched in matches
    )
    before = {mean.metric: mean.rules for mean in run.suite}
    suite = tuple(_judge_mean(pairs, name, before.get(name), given, gatings) for name in means)
    return msgspec.structs.replace(run, gatings=number, blocks=blocks, suite=suite)


def _judge_metric(matched: Matched, metric: str, given: Mapping[str, Any], gatings: Gatings) -> MetricResult:
    from pytest_ethrex_perf.judge.assess import assess

    name = f"{matched.block} {metric}"
    callgrind = matched.by_callgrind(metric)
    rules = limits.rules(
        given, matched.rules(metric), gatings.block, metric=metric, name=name, callgrind=callgrind
    )
    try:
        return _judged(assess(matched.material(metric), metric, rules, final=True))
    except (ValueError, MeasurementError) as error:
        raise UsageError(f"{name} cannot be judged: {error}") from None


def _judge_mean(
    matches: Sequence[Matched], metric: str, before: Rules | None, given: Mapping[str, Any], gatings: Gatings
) -> SuiteResult:
    from pytest_ethrex_perf.judge.assess import assess_mean

    rules = limits.rules(
        {**given, "floor": 0.0},  # the blocks' levels differ, so there is none of the mean
        before or matches[0].rules(metric),
        gatings.suite or 1.0,
        metric=metric,
        name=f"the mean over blocks, {metric}",
        callgrind=matches[0].by_callgrind(metric),
    )
    return _judged(assess_mean([matched.material(metric) for matched in matches], metric, rules, final=True))


def _judged(result: AnyResult) -> AnyResult:
    """The same, warned of by no run: the command has no option that would fail on what is inconclusive."""
    import msgspec

    return msgspec.structs.replace(result, outcome="pass") if result.outcome == "warn" else result


# --- what people see ----------------------------------------------------------------------------------------


def _report(base: Source, head: Source, matches: Sequence[Matched], result: RunResult) -> Iterator[str]:
    from pytest_ethrex_perf.commands.derivation import wrapped
    from pytest_ethrex_perf.report import terminal, text

    room = shutil.get_terminal_size().columns
    yield _side_line("base", base, [matched.base for matched in matches])
    yield _side_line("head", head, [matched.head for matched in matches])
    yield ""
    yield from wrapped(text.counts(result.blocks), width=room)
    yield from (line.text for line in terminal.summary(result, verbosity=1, room=room))
    for block in result.blocks:
        failed = [metric for metric in block.metrics if metric.outcome == "fail"]
        for metric in failed:
            yield from wrapped(text.headline(block.block, metric, text.replicates(block)), width=room)
    for note in _notes(base, head, matches, result):
        yield from wrapped(note, width=room)


def _side_line(name: str, source: Source, sides: Sequence[Measured]) -> str:
    from pytest_ethrex_perf.report import origin

    programs = {side.program.sha256: side.program for side in sides if side.program is not None}
    names = (origin.plain(origin.program(source.run, "head", program)) for program in programs.values())
    return f"{name}: {source.name}, {', '.join(names)}"


def _notes(base: Source, head: Source, matches: Sequence[Matched], result: RunResult) -> Iterator[str]:
    """What the reader of the table must know."""
    compared = {matched.block for matched in matches}
    for source in (base, head):
        left = sorted({block.block for block in source.run.blocks} - compared)
        if left:
            yield f"note: not compared, since only {source.name} has measured it: {', '.join(left)}"
    same = [matched.block for matched in matches if _sha256(matched.base) == _sha256(matched.head)]
    if same:
        yield f"note: base and head are the same program, a change is the machine's: {', '.join(same)}"
    alone = [block for matched, block in zip(matches, result.blocks, strict=True) if not matched.paired]
    if alone:
        yield (
            f"note: not measured in turns: {', '.join(block.block for block in alone)}. Base is then one "
            "session of a stored baseline, and how much the machine drifts between sessions is not known: "
            f"{_seen(alone)}. Run both interleaved (--ethrex-base) to see less."
        )


def _sha256(side: Measured) -> str | None:
    return side.program.sha256 if side.program is not None else None


def _seen(blocks: Sequence[BlockResult]) -> str:
    from pytest_ethrex_perf.records import units

    effects = [metric.decision.detectable for block in blocks for metric in block.metrics]
    seen = [effect for effect in effects if effect is not None and math.isfinite(effect)]
    if not seen:
        return "no slowdown would have been caught"
    ends = dict.fromkeys(map(units.log_percent, (min(seen), max(seen))))
    return f"only a slowdown of {' to '.join(ends)} or more would have been caught (90 % power)"
