"""What a pytest run says of ours before its tests and after them, and the files that it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ethrex_perf.config.options import OPTIONS
from pytest_ethrex_perf.errors import EthrexPerfError
from pytest_ethrex_perf.judge.family import MIN_BLOCKS_FOR_MEAN
from pytest_ethrex_perf.report import escape, origin, outputs, terminal, text
from pytest_ethrex_perf.report.forms import FORMS
from pytest_ethrex_perf.version import version

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import pytest

    from pytest_ethrex_perf.gate.run import Run
    from pytest_ethrex_perf.gate.run_result import Results
    from pytest_ethrex_perf.pytest_run.live import Screen
    from pytest_ethrex_perf.pytest_run.xdist_results import Inbox
    from pytest_ethrex_perf.records.measurement import Side
    from pytest_ethrex_perf.records.result import RunResult


NOT_JUDGED = "--setup-only: nothing is judged, whatever is measured: no test fails for a regression"


class Summary:
    """Everything that was measured, here or in the workers of pytest-xdist: shown, and written to files."""

    def __init__(self, gate: Run, results: Results, inbox: Inbox, screen: Screen, *, judged: bool) -> None:
        self._gate = gate
        self._judged = judged
        self._results = results
        self._inbox = inbox
        self._screen = screen
        self._written: list[str] = []
        self._unwritten: list[str] = []
        self._notes: list[str] = []

    def header(self, counts: Sequence[str]) -> list[str]:
        """Programs, machine and mode, in one line where there is room; what `counts` are counted with."""
        gate, equipment = self._gate, self._gate.equipment
        intent = gate.planner.intent + (", A/A" if gate.settings.aa else "")
        programs = [*self._program("head"), *self._program("base")]
        where = f"machine {equipment.machine.key} | {intent}"
        together = f"ethrex-perf {version()}: {' | '.join([*programs, where])}"
        apart = [f"ethrex-perf {version()}: {programs[0]}", *(f"  {part}" for part in (*programs[1:], where))]
        lines = [
            *([together] if len(together) <= self._screen.room else apart),
            f"counters: {equipment.counters(counts).message}",
            *([] if self._judged else [NOT_JUDGED]),
        ]
        return [escape.shown(equipment.redact(line)) for line in lines]

    def _program(self, side: Side) -> list[str]:
        """How a program is named, or why it can't be; nothing where there need not be one."""
        equipment = self._gate.equipment
        if (revision := equipment.programs.described(side)) is not None:
            return [f"{side} {revision}"]  # built later
        try:
            program = equipment.head if side == "head" else equipment.base
        except EthrexPerfError as error:
            return [f"{side}: {error}"]
        if program is None:
            return []
        settings = self._gate.settings
        known = self._results.origin([(program, None) if side == "head" else (None, program)])
        labelled = bool(settings.head_label if side == "head" else settings.base_label)
        parts = origin.name(program, known.builds.get(program.sha256), known.job, labelled=labelled)
        return [f"{side} {origin.plain(parts)}"]

    def result(self) -> RunResult | None:
        """Everything that was measured; None where nothing was asked for."""
        if self._inbox:
            return self._inbox.result()
        return self._results.run() if self._gate.started else None

    def write(self) -> bool:
        """Write the files that were asked for; whether all could be written."""
        result = self.result()
        if result is not None:
            settings = self._gate.settings
            wanted = {
                OPTIONS[form.option].flag_name: (form, path)
                for form in FORMS
                if form.option is not None and (path := settings.written.get(form.option)) is not None
            }
            self._written, self._unwritten = outputs.write(result, wanted)
            # nobody asked for it: the environment has it, perhaps that of another step or machine
            written, self._notes = outputs.write(result, {}, outputs.step_summary(settings.environ))
            self._written += written
            redact = self._gate.equipment.redact
            self._unwritten, self._notes = (
                [redact(line) for line in lines] for lines in (self._unwritten, self._notes)
            )
        return not self._unwritten

    def show(self, reporter: pytest.TerminalReporter, shown: Collection[str]) -> None:
        """Show what was measured, worst first, and what was written where; the blocks of `shown` were."""
        for trouble in self._inbox.troubles():
            _write(reporter, f"ethrex-perf: {trouble}", red=True)
        result = self.result()
        if result is None:
            return
        reporter.write_sep("=", f"ethrex-perf: {text.counts(result.blocks)}")
        lines = terminal.summary(
            result,
            verbosity=reporter.verbosity,
            shown={*shown, *self._inbox.shown},
            room=self._screen.room,
            words=not reporter.hasmarkup,
        )
        for line in lines:
            _write(reporter, line.text, **({line.style: True} if line.style else {}))
        if not self._judged:
            _write(reporter, NOT_JUDGED, yellow=True)
        if self._lacks_mean(result):
            _write(
                reporter, "no mean over blocks: it needs all of them in one schedule, without -n", yellow=True
            )
        self._show_files(result, reporter)
        _shorten(result, reporter)

    def _show_files(self, result: RunResult, reporter: pytest.TerminalReporter) -> None:
        for written in self._written:
            _write(reporter, f"written: {written}")
        for folder in dict.fromkeys(block.profile.files for block in result.blocks if block.profile):
            if folder is not None:
                _write(
                    reporter, f"written: {folder} (folded stacks, flamegraph, speedscope, Firefox Profiler)"
                )
        for unwritten in self._unwritten:
            _write(reporter, f"not written: {unwritten}", red=True)
        for note in self._notes:
            _write(reporter, f"note: not written: {note}", yellow=True)

    def _lacks_mean(self, result: RunResult) -> bool:
        """Whether the run would have had the mean over blocks, were it not distributed."""
        if not self._inbox or self._gate.settings.shard:
            return False
        interleaved = all(block.mode == "interleaved" for block in result.blocks)
        return interleaved and len(self._gate.settings.blocks) >= MIN_BLOCKS_FOR_MEAN


def _shorten(result: RunResult, reporter: pytest.TerminalReporter) -> None:
    """Have pytest's list of failures, which comes next, say in a few words what stands above in sentences."""
    headlines = {text.mean_headline(mean): text.brief(mean) for mean in result.suite}
    for block in result.blocks:
        for metric in block.metrics:
            headlines[text.headline(block.block, metric, text.replicates(block))] = text.brief(metric)
    words = {f"Failed: {escape.shown(headline)}": brief for headline, brief in headlines.items()}
    for report in reporter.stats.get("failed", []):
        crash = getattr(report.longrepr, "reprcrash", None)
        if crash is not None and (brief := words.get(crash.message.partition("\n")[0])):
            crash.message = escape.shown(brief)


def _write(reporter: pytest.TerminalReporter, line: str, **style: bool) -> None:
    """Write a line of ours, text from outside as text."""
    reporter.write_line(escape.shown(line), **style)
