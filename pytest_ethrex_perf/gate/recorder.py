"""Writing what was measured into its baselines, and keeping its program in the archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ethrex_perf.baseline import recording
from pytest_ethrex_perf.baseline.archive import NotArchivedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ethrex_perf.gate.equipment import Equipment
    from pytest_ethrex_perf.gate.plan import Plan
    from pytest_ethrex_perf.records.measurement import Invocation, Program


class Recorder:
    """Records the sessions of one run; each program is kept once."""

    def __init__(self, equipment: Equipment) -> None:
        self._equipment = equipment
        self._archived: dict[str, str | None] = {}

    def record(self, plan: Plan, invocations: Sequence[Invocation]) -> str:
        """Write a session of `invocations` into its baselines and say so; raises `MeasurementError`."""
        settings = self._equipment.settings
        sentences = recording.record(
            plan.head,
            plan.destinations,
            invocations,
            cache=plan.cache,
            rules={gating.metric: gating.rules() for gating in plan.request.gatings},
            drop=plan.request.drop,
            accept_reason=settings.accept_baseline,
            redact=self._equipment.redact,
        )
        if missing := self.keep(plan.head):
            sentences.append(f"its program is not kept in the archive: {missing}")
        return "; ".join(sentences)

    def keep(self, program: Program) -> str | None:
        """Put `program` into the archive, once in a run; None, or a clause that says why it is not there."""
        if program.sha256 not in self._archived:
            archive, redact = self._equipment.archive, self._equipment.redact
            self._archived[program.sha256] = None
            if archive.is_on and any(redact(word) != word for word in program.command):
                self._archived[program.sha256] = "its command line holds a secret"
            else:
                try:
                    archive.store(program)
                except NotArchivedError as error:
                    self._archived[program.sha256] = str(error)
        return self._archived[program.sha256]
