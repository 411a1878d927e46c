"""What a search measures: pairs of two programs as the gate does, and a step against both of its ends."""

from __future__ import annotations

import itertools
import shlex
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.gate.bisect import NotReplayedError
from pytest_ethrex_perf.gate.equipment import Equipment
from pytest_ethrex_perf.gate.family import request_of
from pytest_ethrex_perf.gate.launch import Launcher
from pytest_ethrex_perf.gate.plan import NothingToDo
from pytest_ethrex_perf.gate.result import block_result
from pytest_ethrex_perf.gate.run import Run
from pytest_ethrex_perf.gate.turns import in_order
from pytest_ethrex_perf.host import lock
from pytest_ethrex_perf.judge import nearer, samples
from pytest_ethrex_perf.judge.looks import ORDINARY
from pytest_ethrex_perf.records.search import Estimate
from pytest_ethrex_perf.replay.program import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_ethrex_perf.config.settings import Settings
    from pytest_ethrex_perf.gate.bisect import Ends
    from pytest_ethrex_perf.gate.findings import Findings
    from pytest_ethrex_perf.gate.run import Status
    from pytest_ethrex_perf.judge.nearer import Nearness, Place
    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.records.measurement import Invocation, Program
    from pytest_ethrex_perf.records.search import Change

_NAMES = ("good", "step", "bad")


@dataclass(frozen=True, slots=True)
class Round:
    """Where the measuring of a step stands."""

    nearness: Nearness
    rounds: int


class StepGauge:
    """Measures `metric` of `block` by the `settings`; see `bisect.Gauge`.

    The machine is ours while something is measured, and free in between: builds take long. `say` hears what
    people should know, `on_turn` and `on_round` where it stands.
    """

    def __init__(
        self,
        settings: Settings,
        block: BlockId,
        metric: str,
        *,
        say: Callable[[str], None] = lambda _: None,
        on_turn: Callable[[Status], None] = lambda _: None,
        on_round: Callable[[Round], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = replace(settings, written={}, waivers=(), time_budget=None, aa=False)
        self._block = block
        self._metric = metric
        self._label = f"ethrex-perf bisect in {settings.cwd.name}"
        self._say = say
        self._on_turn = on_turn
        self._on_round = on_round
        self._clock = clock
        self._equipment: Equipment | None = None

    def change(
        self, base: Program, head: Program, change: Change, *, alpha_share: float, explain: bool
    ) -> Change:
        """Return `change`, completed by what the gate's own pairs of both say; see `bisect.Gauge`."""
        settings = replace(
            self._between(base, head),
            alpha=self._settings.alpha * alpha_share,
            profile=self._settings.profile if explain else "off",
        )
        run = Run(settings, on_turn=self._on_turn, say=self._say, label=self._label)
        request = request_of(settings, self._block)
        run.fix([request])
        try:
            block = run.measure(request)
            result = block_result(block, run.policy)
        except NothingToDo as reason:
            raise MeasurementError(f"{self._block}: {reason}") from None
        finally:
            run.close()
        judged = result.metric(self._metric)
        decision = judged.decision
        return msgspec.structs.replace(
            change,
            verdict=decision.verdict,
            reason=decision.reason,
            estimate=decision.estimate,
            ci95=decision.ci95,
            detectable=decision.detectable,
            pairs=decision.pairs,
            margin=judged.rules.margin,
            base_level=judged.base,
            head_level=judged.head,
            repeat=block.plan.repeat,
            explanation=block.findings.explanation if block.findings else None,
            notes=tuple(_notes(block.findings)) if block.findings else (),
        )

    def place(
        self, ends: Ends, step: Program, error: float, *, margin: float, repeat: int | None
    ) -> tuple[Place | None, Estimate]:
        """Return where `step` lies and what that rests on; see `bisect.Gauge`.

        After the rounds of the ordinary plan, an undecided step goes on for as long as the patience lasts.
        """
        equipment = self._equipment_of(ends)
        settings = equipment.settings
        request = request_of(settings, self._block)
        launch = Launcher(equipment, equipment.counters(request.counts))
        programs = (self._resolved(ends.good), self._resolved(step), self._resolved(ends.bad))
        rounds = _Rounds(launch, self._block, programs)
        with lock.measuring(self._label, timeout=settings.lock_timeout, waiting=self._say):
            began = self._clock()
            repeats = repeat or request.repeat or launch.pilot(self._block, request.drop).repeats
            until = None
            while True:
                rounds.take(repeats)
                nearness = rounds.judge(self._metric, request.drop, error, margin)
                self._on_round(Round(nearness, rounds.number))
                if until is None and rounds.number >= ORDINARY[-1]:
                    until = self._clock() + settings.patience
                is_over = until is not None and self._clock() >= until
                if nearness.place is not None or is_over or rounds.number >= nearer.LOOKS[-1]:
                    break
            rounds.verify()
            seconds = self._clock() - began
        return nearness.place, Estimate(
            rounds=nearness.rounds,
            mean=nearness.mean,
            half_width=nearness.half_width,
            gap=nearness.gap,
            error=error,
            seconds=seconds,
        )

    def _equipment_of(self, ends: Ends) -> Equipment:
        """Return what all steps between the same ends work with: reading a cache file takes its time."""
        settings = self._between(ends.good, ends.bad)
        kept = self._equipment
        if kept is None or (kept.settings.base, kept.settings.replay) != (settings.base, settings.replay):
            self._equipment = kept = Equipment(settings)
        return kept

    def _between(self, base: Program, head: Program) -> Settings:
        """Return the settings of a gate of these two."""
        return replace(self._settings, base=_words(base), replay=_words(head))

    def _resolved(self, program: Program) -> Program:
        """Return the program as the gate would run it, with the prefix of the settings."""
        settings = self._settings
        return resolve(_words(program), cwd=settings.cwd, environ=settings.environ, prefix=settings.prefix)


class _Rounds:
    """The rounds of one step: good, the step and bad next to each other, in changing order."""

    def __init__(self, launch: Launcher, block: BlockId, programs: tuple[Program, Program, Program]) -> None:
        self._launch = launch
        self._block = block
        self._programs = dict(zip(_NAMES, programs, strict=True))
        self._taken: dict[str, list[Invocation]] = {name: [] for name in _NAMES}

    @property
    def number(self) -> int:
        """Rounds so far."""
        return len(self._taken[_NAMES[0]])

    def take(self, repeat: int) -> None:
        """Measure one round; raises `MeasurementError`, and `NotReplayedError` where the step alone fails."""
        for name in in_order(self.number, *_NAMES):
            try:
                invocation = self._run(name, repeat)
            except MeasurementError as error:
                if name != "step":
                    raise
                self._run("good", repeat)  # raises where it is not the step's fault
                raise NotReplayedError(f"its program failed: {error}") from None
            self._taken[name].append(invocation)

    def _run(self, name: str, repeat: int) -> Invocation:
        turn = len(self._taken[name])
        label = f"{name}-{turn + 1:03}"
        return self._launch(self._programs[name], self._block, repeat=repeat, label=label, turn=turn)

    def judge(self, metric: str, drop: int, error: float, margin: float) -> Nearness:
        """Return where the step lies; raises `MeasurementError` for what can't be judged."""
        every = list(itertools.chain.from_iterable(self._taken.values()))
        samples.identity(every, metric)
        good, step, bad = (samples.of(self._taken[name], metric, drop) for name in _NAMES)
        resolution = samples.step(every, metric)
        return nearer.nearer(good, step, bad, error, margin=margin, resolution=resolution)

    def verify(self) -> None:
        """Raise `MeasurementError` where a file is not what it was at the start."""
        for program in self._programs.values():
            self._launch.verify(program, self._block)


def _notes(findings: Findings) -> Iterator[str]:
    """Return what there is to say of a profile besides its functions."""
    yield from findings.notes
    if findings.profile is not None and findings.profile.files is not None:
        yield f"flamegraph and folded stacks are in {findings.profile.files}"


def _words(program: Program) -> str:
    """Return what names the program on a command line."""
    return program.command[0] if len(program.command) == 1 else shlex.join(program.command)
