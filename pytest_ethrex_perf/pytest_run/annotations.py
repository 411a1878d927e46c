"""Annotations in GitHub Actions: which test has measured which block, and what is written at the end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.report import escape, github
from pytest_ethrex_perf.report.github import DeclaredTest

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from pytest_ethrex_perf.records.result import RunResult

BLOCK = "ethrex_perf_block"
"""The attribute of a report that names the block of its test."""


class Annotations:
    """The tests of this run's blocks, and their annotations; none outside GitHub Actions.

    Of several tests of one block the first that failed is annotated, else the first.
    """

    def __init__(self, environ: Mapping[str, str], root: Path) -> None:
        self._wanted = environ.get("GITHUB_ACTIONS") == "true"
        self._root = root
        self._workspace = Path(environ.get("GITHUB_WORKSPACE") or root)
        self._tests: dict[str, DeclaredTest] = {}

    def take_note(self, report: pytest.TestReport, block: str | None) -> None:
        """Have `report` name the block of its test, also where it is sent to (pytest-xdist); and see it."""
        if self._wanted and block is not None:
            setattr(report, BLOCK, block)
            self.see(report)

    def see(self, report: pytest.TestReport) -> None:
        """Take note of the test of `report`, if it has a block."""
        block: str | None = getattr(report, BLOCK, None)
        if block is None or not self._wanted:
            return
        before = self._tests.get(block)
        if before is None or (report.failed and not before.failed):
            self._tests[block] = self._test(report)

    def _test(self, report: pytest.TestReport) -> DeclaredTest:
        file, line, _ = report.location
        if line is None:
            return DeclaredTest(report.failed)
        path = self._root / file
        within = path.is_relative_to(self._workspace)
        name = path.relative_to(self._workspace) if within else Path(file)
        return DeclaredTest(report.failed, escape.line(name.as_posix()), line + 1)

    def show(self, result: RunResult | None, reporter: pytest.TerminalReporter) -> None:
        """Write a line for each block that failed or is undecided: these are commands, and not text."""
        if self._wanted and result is not None:
            for line in github.lines(result, self._tests):
                reporter.write_line(line)
