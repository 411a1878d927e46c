"""Annotations of GitHub Actions: commands in a step's log that mark the line of a test, one for each block.

The form is that of GitHub's documentation, "Workflow commands"; what a value must not hold is escaped as
@actions/core does it. GitHub shows ten errors and ten warnings of a step: the worst stand first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.report import escape, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_ethrex_perf.records.result import MetricResult, RunResult, SuiteResult

_DATA = (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"))
_PROPERTY = (*_DATA, (":", "%3A"), (",", "%2C"))
_NO_TEST: Mapping[str, DeclaredTest] = {}


class DeclaredTest(NamedTuple):
    """The test that has measured a block."""

    failed: bool
    file: str | None = None
    """Its path in the repository; None of a block of --ethrex-block, which is in no file."""
    line: int | None = None
    """The first line is 1."""


def lines(result: RunResult, tests: Mapping[str, DeclaredTest] = _NO_TEST) -> list[str]:
    """Return `::error …` for what failed and `::warning …` for what is undecided, worst first.

    `tests` are those of the blocks: what failed in none of them is a warning, as with `gate=False`.
    """
    return list(_lines(result, tests))


def _lines(result: RunResult, tests: Mapping[str, DeclaredTest]) -> Iterator[str]:
    for mean in result.suite:
        if mean.outcome in ("fail", "warn"):
            level = "error" if mean.outcome == "fail" else "warning"
            yield _line(level, text.mean_name(mean), text.mean_headline(mean), None)
    for block in text.worst_first(result.blocks):
        test = tests.get(block.block)
        failures, warnings = (_of(block.metrics, outcome) for outcome in ("fail", "warn"))
        shown = [text.headline(block.block, each, text.replicates(block)) for each in failures or warnings]
        message = block.error or "\n".join(shown)
        if message:
            is_error = bool(block.error or failures) and (test is None or test.failed)
            yield _line("error" if is_error else "warning", block.block, message, test)


def _of(metrics: Sequence[MetricResult], outcome: str) -> list[MetricResult | SuiteResult]:
    return [metric for metric in metrics if metric.outcome == outcome]


def _line(level: str, name: str, message: str, test: DeclaredTest | None) -> str:
    properties = {
        **({"file": test.file, "line": str(test.line)} if test and test.file and test.line else {}),
        "title": f"ethrex-perf: {name}",
    }
    written = ",".join(f"{key}={_escaped(value, _PROPERTY)}" for key, value in properties.items())
    content = "\n".join(escape.shown(escape.line(each)) for each in message.splitlines())
    return f"::{level} {written}::{_escaped(content, _DATA)}"


def _escaped(value: str, replacements: Sequence[tuple[str, str]]) -> str:
    """`value` with each of `replacements`, the percent sign first."""
    for character, code in replacements:
        value = value.replace(character, code)
    return value
