"""The forms of a report: one table of where each is asked for and what makes it.

A new form is one more entry here. Each module is imported where its form is made: nobody pays for the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_ethrex_perf.records.result import RunResult


@dataclass(frozen=True)
class Form:
    """One form of a report."""

    option: str | None
    """The option that names its file (`markdown`: --ethrex-markdown); None where pytest itself has one."""
    flag: str | None
    """That of `ethrex-perf report` (`html`: --html); None for the results file, which the command reads."""
    help: str
    """What `ethrex-perf report --help` says of it."""
    dump: Callable[[RunResult], str]
    """Its text."""
    page: str | None = None
    """The file's name, where a directory is asked for; None: a file is."""

    def file(self, path: Path) -> Path:
        """The file that is written where `path` is asked for."""
        return path if self.page is None else path / self.page


def _html(result: RunResult) -> str:
    from pytest_ethrex_perf.report import html

    return html.dump(result)


def _json(result: RunResult) -> str:
    from pytest_ethrex_perf.records import results_file

    return results_file.dump(result)


def _markdown(result: RunResult) -> str:
    from pytest_ethrex_perf.report import markdown

    return markdown.dump(result)


def _junit(result: RunResult) -> str:
    from pytest_ethrex_perf.report import junit

    return junit.dump(result)


def _csv(result: RunResult) -> str:
    from pytest_ethrex_perf.report import formats

    return formats.metrics_csv(result)


def _samples_csv(result: RunResult) -> str:
    from pytest_ethrex_perf.report import formats

    return formats.samples_csv(result)


def _benchmark_json(result: RunResult) -> str:
    from pytest_ethrex_perf.report import benchmark_json

    return benchmark_json.dump(result)


def _smaller_is_better(result: RunResult) -> str:
    from pytest_ethrex_perf.report import formats

    return formats.smaller_is_better(result)


def _bencher(result: RunResult) -> str:
    from pytest_ethrex_perf.report import formats

    return formats.bencher(result)


def _openmetrics(result: RunResult) -> str:
    from pytest_ethrex_perf.report import openmetrics

    return openmetrics.dump(result)


HTML = Form("report", "html", "an HTML report: index.html in this directory", _html, page="index.html")
FORMS = (
    HTML,
    Form("json", None, "the whole result, raw data included", _json),
    Form("markdown", "markdown", "a comment for a pull request", _markdown),
    Form(None, "junit", "JUnit XML", _junit),
    Form("csv", "csv", "CSV, a line for each block and metric", _csv),
    Form("samples_csv", "samples-csv", "CSV, a line for each invocation", _samples_csv),
    Form("benchmark_json", "benchmark-json", "pytest-benchmark JSON", _benchmark_json),
    Form(
        "smaller_is_better",
        "smaller-is-better",
        "customSmallerIsBetter JSON of github-action-benchmark",
        _smaller_is_better,
    ),
    Form("bencher", "bencher", "Bencher Metric Format", _bencher),
    Form("openmetrics", "openmetrics", "OpenMetrics text, for Prometheus", _openmetrics),
)
