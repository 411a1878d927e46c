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
        self._not_archived: dict[str, NotArchivedError | None] = {}

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
        try:
            self.keep(plan.head)
        except NotArchivedError as reason:
            sentences.append(f"its program is not kept in the archive: {reason}")
        return "; ".join(sentences)

    def keep(self, program: Program) -> None:
        """Put `program` into the archive, once in a run; raises `NotArchivedError`, every time."""
        if program.sha256 not in self._not_archived:
            self._not_archived[program.sha256] = self._why_not(program)
        reason = self._not_archived[program.sha256]
        if reason is not None:
            raise reason

    def _why_not(self, program: Program) -> NotArchivedError | None:
        """Try to keep it; None where it is kept."""
        archive, redact = self._equipment.archive, self._equipment.redact
        if archive.is_on and any(redact(word) != word for word in program.command):
            return NotArchivedError("its command line holds a secret")
        try:
            archive.store(program)
        except NotArchivedError as error:
            return error
        return None
