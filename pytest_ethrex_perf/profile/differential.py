"""Which functions became slower: base against head in CPU ms per block, each with its error.

Per block, not scaled to equal totals as difffolded does: that would hide a slowdown of everything. Samples of
a function are counted in the exec phase of each repeat that the gate would keep.

Counting alone (Poisson) understates the error: a thread that is started anew in each repeat, as ethrex's are,
starts a new clock, so every repeat is sampled at the same moments of its work. Invocations are sampled at
different rates for that reason, and what they differ by enters the error twice: of each function, and pooled
over all of them as the factor by which counts vary more than Poisson's (quasi-Poisson). The largest of the
estimates, the spread between repeats among them, is taken; a difference below two of it is left out.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

import msgspec

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.judge.samples import of_repeats
from pytest_ethrex_perf.profile import names, stacks
from pytest_ethrex_perf.profile.analyses import NO_CALLER, ethrex_above
from pytest_ethrex_perf.records.profile import Explanation, FunctionChange

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from pytest_ethrex_perf.profile.stacks import Frames, Profile

Metric: TypeAlias = Literal["exec", "prep"]
"""A phase that is timed."""
_Key = TypeVar("_Key")
SDS = 2.0
"""Differences within this many standard errors are left out."""
_NS_PER_MS = 1e6


@dataclass(frozen=True, slots=True)
class _Kept:
    """The repeats of one invocation that count."""

    profile: Profile
    first: int
    """Number of the first repeat that is not dropped."""

    @property
    def repeats(self) -> int:
        return len(self.profile.exec_ns) - self.first + 1

    def ms(self, metric: Metric) -> float:
        """What the gate would take for a sample."""
        times = {"exec": self.profile.exec_ns, "prep": self.profile.prep_ns}[metric]
        return math.exp(of_repeats(times, self.first - 1)) / _NS_PER_MS


@dataclass(frozen=True, slots=True)
class _Mean:
    """CPU ms per block, and its variance as far as samples show it."""

    ms: float
    counting: float
    repeats: float
    invocations: float

    def variance(self, dispersion: float) -> float:
        """The most careful estimate; counts vary `dispersion` times as much as Poisson's."""
        return max(self.counting * dispersion, self.repeats, self.invocations)


class _Side:
    """Base or head: samples by (invocation, repeat) of whatever key they are grouped by."""

    def __init__(self, profiles: Sequence[Profile], drop: int, phase: Metric) -> None:
        self.kept = [_Kept(profile, min(drop, len(profile.exec_ns) - 1) + 1) for profile in profiles]
        self._phase: Metric = phase
        self.repeats = sum(kept.repeats for kept in self.kept)
        self.ms = statistics.fmean(kept.ms(phase) for kept in self.kept)

    def group(self, key: Callable[[str, Frames], str]) -> dict[str, Counter[tuple[int, int]]]:
        """Samples of each key by (invocation, repeat); `key` is given thread and frames."""
        return self.counted(lambda thread, frames: (key(thread, frames),))

    def counted(self, keys: Callable[[str, Frames], Iterable[_Key]]) -> dict[_Key, Counter[tuple[int, int]]]:
        """Samples of each key by (invocation, repeat); a stack counts for all of its `keys`."""
        counts: dict[_Key, Counter[tuple[int, int]]] = {}
        for number, kept in enumerate(self.kept):
            for stack in kept.profile.stacks:
                if stack.phase != self._phase:
                    continue
                frames = tuple(kept.profile.names[index] for index in stack.frames)
                for key in keys(stack.thread, frames):
                    cells = counts.setdefault(key, Counter())
                    for repeat, samples in stack.counts:
                        if repeat >= kept.first:
                            cells[number, repeat] += samples
        return counts

    def cut_off(self) -> float:
        """The fraction of CPU time whose stacks were cut off."""
        groups = self.group(lambda _thread, frames: frames[0])
        return stacks.cut_off({("", root): self.mean(cells).ms for root, cells in groups.items()})

    def mean(self, cells: Counter[tuple[int, int]]) -> _Mean:
        """Mean over all repeats with the estimates of its variance."""
        invocations = [
            [
                cells[number, repeat] * kept.profile.period_ns / _NS_PER_MS
                for repeat in range(kept.first, kept.first + kept.repeats)
            ]
            for number, kept in enumerate(self.kept)
        ]
        every = [value for values in invocations for value in values]
        period = statistics.fmean(kept.profile.period_ns for kept in self.kept) / _NS_PER_MS
        return _Mean(
            ms=statistics.fmean(every),
            # no sample at all says about as much as a single one
            counting=max(cells.total(), 1) * period**2 / self.repeats**2,
            repeats=_variance_of_mean(every),
            invocations=_variance_of_mean([statistics.fmean(values) for values in invocations]),
        )


def _variance_of_mean(values: Sequence[float]) -> float:
    return statistics.variance(values) / len(values) if len(values) > 1 else 0.0


def explain(
    base: Sequence[Profile],
    head: Sequence[Profile],
    *,
    drop: int = 1,
    measured_ms: tuple[float, float] | None = None,
    sds: float = SDS,
    phase: Metric = "exec",
) -> Explanation:
    """What changed from base to head, the largest change first.

    `measured_ms` is `phase` of base and head as the gate measured it; without it the profiled invocations'
    own is taken, which the profiler slowed down. Raises `UsageError` where the profiles are not of one block.
    """
    blocks = {profile.block for profile in (*base, *head)}
    if not base or not head or len(blocks) > 1:
        raise UsageError(
            f"profiles to compare must be of one block, not of {', '.join(sorted(blocks)) or 'none'}"
        )
    before, after = _Side(base, drop, phase), _Side(head, drop, phase)
    functions = _changes(before, after, lambda _thread, frames: frames[-1])
    shown = [change for change in functions if abs(change.change_ms) > sds * change.error_ms]
    total_ms = math.fsum(change.change_ms for change in functions)
    shown_ms = math.fsum(change.change_ms for change in shown)
    exec_ms = measured_ms or (before.ms, after.ms)
    whole = _changes(before, after, lambda _thread, _frames: "")
    return Explanation(
        metric=phase,
        functions=tuple(_with_caller(change, before, after) for change in shown),
        threads=tuple(_changes(before, after, lambda thread, _frames: thread)),
        left_out=len(functions) - len(shown),
        left_out_ms=total_ms - shown_ms,
        cpu_base_ms=math.fsum(change.base_ms for change in functions),
        cpu_head_ms=math.fsum(change.head_ms for change in functions),
        cpu_error_ms=whole[0].error_ms if whole else 0.0,
        exec_base_ms=exec_ms[0],
        exec_head_ms=exec_ms[1],
        exec_measured=measured_ms is not None,
        repeats=(before.repeats, after.repeats),
        notes=tuple(
            dict.fromkeys([*_cautions(before, after), *(n for p in (*base, *head) for n in p.notes)])
        ),
    )


def frame_errors(
    base: Sequence[Profile],
    head: Sequence[Profile],
    paths: Collection[Frames],
    *,
    drop: int = 1,
    phase: Metric = "exec",
) -> dict[Frames, float]:
    """The standard error of each frame's change, what it calls included, in CPU ms per block.

    A frame is known by the path to it, its thread first; () is the whole. Whoever calls a frame of `paths` is
    in them, too.
    """
    wanted = frozenset(paths)

    def prefixes(thread: str, frames: Frames) -> Iterator[Frames]:
        path = (thread, *frames)
        every = (path[:length] for length in range(len(path) + 1))
        return itertools.takewhile(lambda prefix: prefix in wanted, every)

    before, after = _Side(base, drop, phase), _Side(head, drop, phase)
    sides = [(side, side.counted(prefixes)) for side in (before, after)]
    nothing: Counter[tuple[int, int]] = Counter()
    means = {path: [side.mean(cells.get(path, nothing)) for side, cells in sides] for path in paths}
    levels: defaultdict[int, list[_Mean]] = defaultdict(list)
    for path, of_sides in means.items():
        levels[len(path)] += of_sides
    # frames of one depth share the samples among them, as functions do
    dispersions = {depth: _dispersion(of_depth) for depth, of_depth in levels.items()}
    return {
        path: math.sqrt(sum(mean.variance(dispersions[len(path)]) for mean in of_sides))
        for path, of_sides in means.items()
    }


def _cautions(before: _Side, after: _Side) -> Iterator[str]:
    for whose, side in (("base's ", before), ("head's ", after)):
        if sentence := stacks.cut_sentence(side.cut_off(), whose):
            yield sentence
    if min(len(before.kept), len(after.kept)) == 1:
        yield "one profiled invocation of a side: how much invocations differ is missing from the errors"
    old, new = ({kept.profile.recorder for kept in side.kept} for side in (before, after))
    if old != new:
        yield (
            f"base was profiled by {', '.join(sorted(old))}, head by {', '.join(sorted(new))}: they may cut "
            "stacks in other places"
        )
    if names.differ(
        *({name for kept in side.kept for name in kept.profile.names} for side in (before, after))
    ):
        yield (
            "base and head were built with different symbol mangling: generic impls and methods of "
            "traits have other names in each, and look as if they had come or gone"
        )


def _changes(before: _Side, after: _Side, key: Callable[[str, Frames], str]) -> list[FunctionChange]:
    base, head = before.group(key), after.group(key)
    nothing: Counter[tuple[int, int]] = Counter()
    means = {
        name: (before.mean(base.get(name, nothing)), after.mean(head.get(name, nothing)))
        for name in base.keys() | head.keys()
    }
    dispersion = _dispersion([mean for sides in means.values() for mean in sides])
    changes = [
        FunctionChange(
            name=name,
            base_ms=old.ms,
            head_ms=new.ms,
            change_ms=new.ms - old.ms,
            error_ms=math.sqrt(old.variance(dispersion) + new.variance(dispersion)),
        )
        for name, (old, new) in means.items()
    ]
    return sorted(changes, key=lambda change: (-abs(change.change_ms), change.name))


def _dispersion(means: Sequence[_Mean]) -> float:
    """How many times as much counts vary between invocations as Poisson's would, at least once."""
    counting = math.fsum(mean.counting for mean in means)
    return max(1.0, math.fsum(mean.invocations for mean in means) / counting) if counting else 1.0


def _with_caller(change: FunctionChange, before: _Side, after: _Side) -> FunctionChange:
    """The same with the nearest ethrex frame above it whose share of the change is the largest."""

    def caller(_thread: str, frames: Frames) -> str:
        return ethrex_above(frames, len(frames) - 1) if frames[-1] == change.name else ""

    sign = math.copysign(1, change.change_ms)
    shares = [share for share in _changes(before, after, caller) if share.name]
    most = max(shares, key=lambda share: sign * share.change_ms)
    return msgspec.structs.replace(change, caller=None if most.name == NO_CALLER else most.name)
