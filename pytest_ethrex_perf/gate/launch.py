"""Starting the invocations of one run, and holding the machine for them."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.gate import pilot
from pytest_ethrex_perf.gate.unchanged import Unchanged
from pytest_ethrex_perf.host import lock
from pytest_ethrex_perf.replay.instrument import NOTHING
from pytest_ethrex_perf.replay.invocation import invoke

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ethrex_perf.config.settings import Settings
    from pytest_ethrex_perf.counters.choice import Chosen
    from pytest_ethrex_perf.gate.equipment import Equipment
    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.records.measurement import Invocation, Program

FIRST_TIMEOUT_S = 900.0  # nothing is known of the block yet
TIMEOUT_FACTOR, TIMEOUT_BASE_S = 10.0, 60.0  # afterwards: ten times the slowest so far, and a minute


class Launch(Protocol):
    """Runs one invocation of `program` on `block`; raises `MeasurementError`."""

    def __call__(
        self, program: Program, block: BlockId, *, repeat: int, label: str, turn: int, count: bool = True
    ) -> Invocation:
        """`label` names the invocation in logs, e.g. `head-003`; `turn` says which events are counted now.

        Without `count`, nothing is counted for which the program would have to run once more.
        """
        ...


class Launcher:
    """Runs invocations with the run's counters, each for at most as long as its block may take."""

    def __init__(self, equipment: Equipment, counters: Chosen) -> None:
        self._equipment = equipment
        self._counters = counters
        self._slowest_s: dict[BlockId, float] = {}
        self._unchanged = Unchanged(equipment.settings.cwd)

    def __call__(
        self, program: Program, block: BlockId, *, repeat: int, label: str, turn: int, count: bool = True
    ) -> Invocation:
        """One invocation; see `Launch`."""
        equipment, instrument = self._equipment, self._counters.instrument
        self._check(program, block)
        with equipment.answers.of(program):
            invocation = invoke(
                program,
                block,
                cache_dir=equipment.cache_dir,
                repeat=repeat,
                timeout=equipment.settings.timeout or self._timeout_s(block),
                environ=equipment.settings.environ,
                log_dir=equipment.settings.log_dir,
                label=label,
                secrets=equipment.secrets,
                instrument=instrument if count or not instrument.apart else NOTHING,
                turn=turn,
                work=equipment.work(block),
                output_limit=equipment.settings.output_limit,
            )
        self._check(program, block)
        self._slowest_s[block] = max(self._slowest_s.get(block, 0.0), invocation.wall_ns / 1e9)
        return invocation

    def verify(self, program: Program, block: BlockId) -> None:
        """Raise `MeasurementError` if the program or the cache file has another content than at the start."""
        self._check(program, block, whole=True)

    def _check(self, program: Program, block: BlockId, *, whole: bool = False) -> None:
        try:
            self._unchanged.check(program, self._equipment.cache_file(block), whole=whole)
        except MeasurementError as error:
            raise MeasurementError(f"{block}: {error}") from None

    def _timeout_s(self, block: BlockId) -> float:
        slowest_s = self._slowest_s.get(block)
        return FIRST_TIMEOUT_S if slowest_s is None else slowest_s * TIMEOUT_FACTOR + TIMEOUT_BASE_S

    def pilot(self, block: BlockId, drop: int) -> pilot.Choice:
        """The repeats per invocation that a short pilot of head finds best, and why."""
        invocations = [
            self(
                self._equipment.head,
                block,
                repeat=pilot.REPEATS,
                label=f"pilot-{number:03}",
                turn=number,
                count=False,
            )
            for number in range(1, pilot.INVOCATIONS + 1)
        ]
        return pilot.choose(invocations, drop)


class MachineHold:
    """Our hold on the machine: two gates on one host would measure each other.

    `run` is what the workers of one distributed run have in common; `say` is told for whom we wait. `label`
    says who we are to those who wait for us.
    """

    def __init__(
        self,
        settings: Settings,
        say: Callable[[str], None],
        run: str | None = None,
        label: str | None = None,
    ) -> None:
        self._settings = settings
        self._label = label or f"pytest --ethrex-block … in {settings.cwd.name}"
        self._say = say
        self._run = run
        self._held = ExitStack()
        self._holds = False
        self._refused: str | None = None

    def take(self) -> None:
        """Wait for the machine, unless it is ours already.

        Raises `MeasurementError`; who waited in vain does not wait once more for every block.
        """
        if self._refused is not None:
            raise MeasurementError(self._refused)
        if self._holds:
            return
        try:
            self._held.enter_context(
                lock.measuring(
                    self._label,
                    timeout=self._settings.lock_timeout,
                    waiting=self._say,
                    run=self._run,
                )
            )
        except MeasurementError as error:
            self._refused = str(error)
            raise
        self._holds = True

    def release(self) -> None:
        """Let others measure."""
        self._held.close()
        self._holds = False
