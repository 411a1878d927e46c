"""When the blocks of a run are planned and take turns, and for how long the machine is ours: strategies."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.gate.schedule import Patience, Schedule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from pytest_ethrex_perf.gate.block import Block
    from pytest_ethrex_perf.gate.schedule import Undecided


class Hold(Protocol):
    """A hold on the machine, such as `launch.MachineHold`."""

    def take(self) -> None:
        """Wait for the machine, unless it is ours already. Raises `MeasurementError`."""
        ...

    def release(self) -> None:
        """Let others measure."""
        ...


class Site(Protocol):
    """What a pace asks of the run whose pace it is."""

    @property
    def machine(self) -> Hold:
        """The machine that is measured on."""
        ...

    @property
    def blocks(self) -> Sequence[Block]:
        """Every block of the run."""
        ...

    @property
    def time_budget_s(self) -> float | None:
        """How long the run may measure; None: as long as it takes."""
        ...

    @property
    def patience_s(self) -> float:
        """How long the run may go on beyond its ordinary plan."""
        ...

    def undecided(self, blocks: Sequence[Block]) -> Sequence[Undecided]:
        """What the measuring of these may decide beyond the ordinary plan."""
        ...

    def plan(self, blocks: Iterable[Block]) -> None:
        """Plan these, or note in them why there is no plan."""
        ...

    def is_active(self, block: Block) -> bool:
        """Whether `block` still needs turns of the ordinary plan."""
        ...


class Pace(Protocol):
    """Decides which blocks share a schedule."""

    def schedule(self, site: Site, block: Block) -> AbstractContextManager[Schedule]:
        """The schedule that `block` is measured in; the machine is ours inside."""
        ...

    def machine(self, site: Site) -> AbstractContextManager[None]:
        """The machine is ours inside, for what belongs to no schedule. Raises `MeasurementError`."""
        ...


class Together:
    """All blocks in one schedule, planned before the first is measured: what is missing is found at once.

    The machine is ours from the first invocation to the end of the run.
    """

    def __init__(self) -> None:
        self._schedule: Schedule | None = None

    @contextmanager
    def schedule(self, site: Site, block: Block) -> Iterator[Schedule]:
        """The schedule of all blocks, whichever is asked for."""
        del block
        if self._schedule is None:
            site.plan(site.blocks)
            planned = [each for each in site.blocks if each.is_open]
            try:
                if planned:
                    site.machine.take()
            except MeasurementError as error:  # every block's error, not the first one's alone
                for each in planned:
                    each.fail(str(error))
            self._schedule = Schedule(
                planned,
                site.is_active,
                site.time_budget_s,
                Patience(site.patience_s),
                site.undecided(planned),
            )
        yield self._schedule

    @contextmanager
    def machine(self, site: Site) -> Iterator[None]:
        """Take the machine, and keep it."""
        site.machine.take()
        yield
