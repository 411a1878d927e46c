"""Where a decided block's time goes: base and head profiled in extra invocations, after everything is judged.

Nothing here changes a verdict or an outcome, or takes a result down: whatever goes wrong is a note.
"""

from __future__ import annotations

import contextlib
import math
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pytest_ethrex_perf.errors import EthrexPerfError, MeasurementError, NoAnswerError
from pytest_ethrex_perf.gate.findings import Findings
from pytest_ethrex_perf.records.decision import Verdict
from pytest_ethrex_perf.records.metric import EXEC, PREP

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_ethrex_perf.config.settings import Settings
    from pytest_ethrex_perf.gate.block import Block
    from pytest_ethrex_perf.gate.plan import Plan
    from pytest_ethrex_perf.gate.policy import Settle
    from pytest_ethrex_perf.profile.differential import Metric
    from pytest_ethrex_perf.profile.sampling import Profiler, Sampling
    from pytest_ethrex_perf.profile.stacks import Profile
    from pytest_ethrex_perf.records.measurement import Invocation, Program, Side
    from pytest_ethrex_perf.records.result import BlockResult

FOLDER = Path("ethrex-perf-profile")
"""Where the files of profiles go if no HTML report was asked for, as `ethrex-perf profile` has it."""
SAMPLED_S = 1.2
"""Execution that one invocation should hold, so that short blocks are repeated more often."""
LEAST_REPEATS, MOST_REPEATS = 5, 60  # unless the time is short
_LONG_S = 20.0  # from when on people hear what they wait for
SLOWDOWN = 3.0
"""How much longer an invocation is taken to last under a profiler, reading its samples included."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is profiled."""

    invocations: int
    """Of each side."""
    repeat: int
    lasts_s: float
    """All of it, if the profiler did not slow it down."""


def effort(
    taken: Sequence[Invocation], *, sides: int, drop: int, limit_s: float, invocations: int, trial: int = 0
) -> Effort | None:
    """What fits into `limit_s`, by what the invocations `taken` lasted; None where not even one does.

    `trial` repeats in an invocation of their own come first.
    """
    each = statistics.median((sum(i.prep_ns) + sum(i.exec_ns)) / len(i.exec_ns) / 1e9 for i in taken)
    loading = statistics.median((i.wall_ns - sum(i.prep_ns) - sum(i.exec_ns)) / 1e9 for i in taken)
    executing = statistics.median(sum(i.exec_ns) / len(i.exec_ns) / 1e9 for i in taken)
    wanted = min(max(LEAST_REPEATS, math.ceil(SAMPLED_S / executing)), MOST_REPEATS)
    loading = max(loading, 0.0)
    trial_s = loading + trial * each if trial else 0.0
    for count in range(invocations, 0, -1):
        room_s = (limit_s / SLOWDOWN - trial_s) / (sides * count) - loading
        repeat = min(wanted, math.floor(room_s / each)) if room_s > 0 else 0
        if repeat > drop:
            return Effort(count, repeat, trial_s + sides * count * (loading + repeat * each))
    return None


class Explainer:
    """Explains the blocks of one run by profiles. `say` hears what people wait for."""

    def __init__(
        self,
        settings: Settings,
        *,
        cache_dir: Path,
        secrets: Sequence[str],
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._cache_dir = cache_dir
        self._secrets = tuple(secrets)
        self._say = say
        self._profiler: Profiler | None = None
        self._missing: str | None = None

    def wanted(self, block: Block, settle: Settle) -> bool:
        """Whether this block, decided or recorded, is profiled."""
        asked = self._settings.profile
        if asked == "off" or block.error is not None or not block.samples_taken:
            return False
        if block.plan.mode == "record":
            return block.recorded is not None
        # base against itself has no function that differs
        return asked == "always" or (not block.plan.aa and bool(block.failed_regressions(settle)))

    def findings(self, plan: Plan, result: BlockResult) -> Findings:
        """Profile the block of `plan`, whose result so far is `result`; never raises."""
        what = "no stacks are kept beside the baseline" if result.mode == "record" else "not profiled"
        try:
            return self._explain(plan, result)
        except EthrexPerfError as trouble:
            message = trouble.of_block if isinstance(trouble, NoAnswerError) else str(trouble)
            why = message.removeprefix(f"{result.block}: ").removeprefix("not profiled: ")
        except Exception as bug:  # noqa: BLE001 - what was measured must stand, whatever is wrong with us
            why = f"{type(bug).__name__}: {bug}: this is an error of pytest-ethrex-perf, please report it"
        return Findings(notes=(f"{what}: {why}",))

    def _explain(self, plan: Plan, result: BlockResult) -> Findings:
        if self._missing is not None:  # said once in a run
            return Findings()
        profiler = self._find()
        if result.mode == "record":
            return self._keep(plan, result, profiler)
        sides: dict[Side, Program] = {"head": plan.head}
        notes: list[str] = []
        base: list[Profile] = []
        if plan.base is not None:
            sides["base"] = plan.base
        else:
            base, notes = _kept(plan)
        taken, stopped = self._record(plan, result, sides, profiler)
        return self._explained(plan, result, taken["head"], taken.get("base", base), [*notes, *stopped])

    def _find(self) -> Profiler:
        """The profiler of this machine, looked for once."""
        from pytest_ethrex_perf.profile import record
        from pytest_ethrex_perf.replay import command

        if self._profiler is None:
            try:
                self._profiler = record.find(command.child_environment(self._settings.environ))
            except MeasurementError as missing:
                self._missing = str(missing)
                raise
        return self._profiler

    def _explained(
        self,
        plan: Plan,
        result: BlockResult,
        head: Sequence[Profile],
        base: Sequence[Profile],
        notes: Sequence[str],
    ) -> Findings:
        from pytest_ethrex_perf.profile import artifacts, differential, stacks

        metric = _failed(result) or EXEC
        drop = plan.request.drop
        profile = artifacts.summed_up(head, base, phase=metric, drop=drop)
        explanation = None
        if base:
            explanation = differential.explain(
                base, head, drop=drop, measured_ms=_measured_ms(result, metric), phase=metric
            )
        else:
            cut = stacks.cut_sentence(profile.cut_off[1], "head's ")
            notes = [
                *notes,
                *dict.fromkeys(note for taken in head for note in taken.notes),
                *filter(None, [cut]),
            ]
        folder = self._folder() / artifacts.folder_name(result.block)
        try:
            artifacts.write(folder, head, base)
        except MeasurementError as unwritable:
            notes = [*notes, f"the files of its profile are missing: {unwritable}"]
        else:
            here = self._settings.cwd
            files = folder.relative_to(here) if folder.is_relative_to(here) else folder
            profile = msgspec.structs.replace(profile, files=str(files))
        return Findings(explanation, profile, tuple(notes))

    def _folder(self) -> Path:
        report: Path | None = self._settings.written.get("report")
        return self._settings.cwd / FOLDER if report is None else report

    def _keep(self, plan: Plan, result: BlockResult, profiler: Profiler) -> Findings:
        """Profile head once, and keep its stacks beside the baseline that its session was recorded in."""
        from pytest_ethrex_perf.baseline import stacks
        from pytest_ethrex_perf.host import lock
        from pytest_ethrex_perf.profile.stacks import cut_off, cut_sentence

        if plan.baseline_path is None:  # of counts alone: their base can be of any machine
            return Findings()
        taken, _ = self._record(plan, result, {"head": plan.head}, profiler, invocations=1)
        (profile,) = taken["head"]
        with lock.writing(stacks.path(plan.baseline_path)):
            kept = stacks.save(plan.baseline_path, profile)
        cut = cut_sentence(cut_off(profile.folded()), "these ")
        return Findings(kept=kept, notes=(*profile.notes, *filter(None, [cut])))

    def _record(
        self,
        plan: Plan,
        result: BlockResult,
        sides: Mapping[Side, Program],
        profiler: Profiler,
        invocations: int | None = None,
    ) -> tuple[dict[Side, list[Profile]], list[str]]:
        """Profile each side in turns; trouble after the first of each ends it early, and is a note.

        Raises `MeasurementError` before that.
        """
        from pytest_ethrex_perf.profile import depth, record

        limit_s: float = self._settings.profile_time
        measured = [pair.head for pair in result.pairs] or list(result.invocations)
        measured += [pair.base for pair in result.pairs]
        planned = effort(
            measured,
            sides=len(sides),
            drop=plan.request.drop,
            limit_s=limit_s,
            invocations=invocations or record.INVOCATIONS,
            trial=depth.REPEAT if self._settings.profile_frames == "dwarf" else 0,
        )
        if planned is None:
            raise MeasurementError(
                f"its invocations take too long for --ethrex-profile-time ({limit_s:g} s): raise it"
            )
        if planned.lasts_s >= _LONG_S:
            names = " and ".join(sorted(sides))
            self._say(f"profiling {result.block}, {names}: this takes {planned.lasts_s:.0f} s or more")
        deadline = time.monotonic() + limit_s
        recorder = record.Recorder(
            profiler,
            plan.request.block,
            cache_dir=self._cache_dir,
            environ=self._settings.environ,
            log_dir=self._settings.log_dir,
            repeat=planned.repeat,
            secrets=self._secrets,
        )
        taken: dict[Side, list[Profile]] = {side: [] for side in sides}
        try:
            for side, profile in recorder.in_turns(
                sides, planned.invocations, lambda frequency: self._sampling(frequency, deadline, limit_s)
            ):
                taken[side].append(profile)
        except MeasurementError as trouble:
            if not all(taken.values()):
                raise
            counts = " and ".join(f"{len(profiles)} of {side}" for side, profiles in taken.items())
            why = str(trouble).removeprefix(f"{result.block}: not profiled: ")
            return taken, [f"profiled {counts} instead of {planned.invocations}: {why}"]
        return taken, []

    def _sampling(self, frequency: int, deadline: float, limit_s: float) -> Sampling:
        from pytest_ethrex_perf.profile.sampling import Limits, Sampling

        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise MeasurementError(f"its time (--ethrex-profile-time, {limit_s:g} s) was over")
        limits = Limits(
            timeout_s=left_s,
            more_time="raise --ethrex-profile-time",
            more_space="--ethrex-profile-frames=fp takes less, where the program has frame pointers",
        )
        frames = self._settings.profile_frames
        return Sampling(frames, frequency, limits)


def _failed(result: BlockResult) -> Metric | None:
    """What failed as a regression, to be explained: exec, or preparation where that alone failed."""
    failed = [
        metric.metric
        for metric in result.metrics
        if metric.outcome == "fail" and metric.decision.verdict is Verdict.REGRESSION
    ]
    return None if not failed else PREP if failed == [PREP] else EXEC


def _measured_ms(result: BlockResult, metric: Metric) -> tuple[float, float] | None:
    """`metric` of base and head as the gate measured it."""
    with contextlib.suppress(KeyError):
        judged = result.metric(metric)
        return judged.base / 1e6, judged.head / 1e6
    if result.base is None or result.head is None:
        return None
    base, head = result.base, result.head
    old, new = (base.exec_ns, head.exec_ns) if metric == EXEC else (base.prep_ns, head.prep_ns)
    return None if old is None or new is None else (old / 1e6, new / 1e6)


def _kept(plan: Plan) -> tuple[list[Profile], list[str]]:
    """Base's profile from beside the stored baseline, or none and why."""
    from pytest_ethrex_perf.baseline import stacks

    timed = [session.program_sha256 for session in plan.sessions if session.times]
    if plan.baseline_path is None or not timed:
        return [], ["head alone was profiled: a baseline of counts alone keeps no stacks"]
    file = stacks.path(plan.baseline_path)
    try:
        profile = stacks.load(plan.baseline_path, program_sha256=timed[-1])
    except EthrexPerfError as broken:
        why = str(broken)
    else:
        if profile is not None:
            cut = (
                "base's stacks were cut to fit beside the baseline: the callers of the rarest are missing on "
                "its side of the flamegraph; the functions' own times are whole"
            )
            return [profile], [cut] if stacks.SMALL in profile.names else []
        why = (
            f"{file} is of another program than the baseline's newest session"
            if file.exists()
            else f"the baseline has no stacks beside it ({file.name})"
        )
    note = (
        f"head alone was profiled, there is nothing to compare it with: {why}; a session that is recorded "
        "with --ethrex-update-baseline keeps them"
    )
    return [], [note]
