"""JUnit XML: the verdicts as test cases, and files of CI shards joined, annotated and read again.

Properties stand on the test case (the xunit2 flavour, as pytest writes it), in groups that start with
`ethrex_block`. GitHub's JUnit actions and GitLab show none: the failure's first line has the numbers.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import SubElement

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.records.result import SuiteResult
from pytest_ethrex_perf.report import escape, junit_file, terminal, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from junitparser import xunit2

    from pytest_ethrex_perf.records.result import BlockResult, MetricResult, RunResult

SUITE = "ethrex-perf"
ROOT = "ethrex-block"
_PREFIX = "ethrex_"
_LONG = 10_000
Property = tuple[str, str | float | int]


def properties(name: str, result: MetricResult | SuiteResult) -> Iterator[Property]:
    """What a test case says of one judged metric of block `name`.

    Changes are in percent, with the ends of their 95 % interval; `ethrex_estimate`, `_sd` and `_detectable`
    are logs; base and head are in the unit beside them: `ns`, or nothing for counts.
    """
    decision = result.decision
    yield "ethrex_block", escape.line(name)
    yield "ethrex_metric", escape.line(result.metric)
    yield "ethrex_verdict", str(decision.verdict)
    yield "ethrex_outcome", str(result.outcome)
    yield "ethrex_delta", text.cell(result)
    if not isinstance(result, SuiteResult):
        yield "ethrex_base", float(result.base)
        yield "ethrex_head", float(result.head)
        yield "ethrex_unit", result.unit
        if result.identity:
            yield "ethrex_counted", escape.line(result.identity)
    for end, log in zip(("", "_low", "_high"), (decision.estimate, *(decision.ci95 or ())), strict=False):
        if log is not None:
            yield f"ethrex_change{end}_percent", round(100 * math.expm1(log), 3)
    for key in ("estimate", "sd", "p", "detectable"):
        value = getattr(decision, key)
        if value is not None:
            yield f"ethrex_{key}", float(value)
    yield "ethrex_pairs", int(decision.pairs)
    yield "ethrex_margin", float(result.rules.margin)
    yield "ethrex_tolerance", float(result.rules.tolerance)


def dump(result: RunResult) -> str:
    """JUnit XML with one test case for each metric of each block, named as pytest names ours."""
    from junitparser import xunit2

    suite = xunit2.TestSuite(SUITE)
    suite.timestamp = result.started
    suite.hostname = escape.line(result.machine)
    suite.add_testcases([case for block in result.blocks for case in _block_cases(block)])
    for mean in result.suite:
        case = _case("all", mean.metric, 0.0)
        _judged(case, text.mean_name(mean), mean, text.mean_headline(mean), "")
        suite.add_testcase(case)
    report = xunit2.JUnitXml()
    report.add_testsuite(suite)
    report.update_statistics()
    return bytes(report.tostring()).decode() + "\n"


def _block_cases(block: BlockResult) -> Iterator[xunit2.TestCase]:
    invocations = [*block.invocations, *(i for pair in block.pairs for i in (pair.base, pair.head))]
    seconds = sum(i.wall_ns for i in invocations) / 1e9
    for metric in block.metrics:
        case = _case(block.block, metric.metric, seconds)
        table = "\n".join(line.text for line in terminal.block_table(block, said={metric.metric}))
        _judged(case, block.block, metric, text.headline(block.block, metric, text.replicates(block)), table)
        seconds = 0.0  # both were measured in the same invocations
        yield case
    if not block.metrics:
        for name in block.rules or ("measured",):
            case = _case(block.block, name, seconds)
            _unjudged(case, block)
            yield case


def _case(block: str, name: str, seconds: float) -> xunit2.TestCase:
    from junitparser import xunit2

    return xunit2.TestCase(escape.line(name), f"{ROOT}.{escape.line(block)}", round(seconds, 3))


def _judged(
    case: xunit2.TestCase, name: str, metric: MetricResult | SuiteResult, headline: str, table: str
) -> None:
    from junitparser import Error, Failure

    for key, value in properties(name, metric):
        case.add_property(key, str(value))
    if metric.outcome == "fail":
        failure = Failure(escape.line(headline, _LONG))
        failure.text = escape.plain("\n".join(filter(None, [headline, table])))
        case.result = failure
    elif metric.decision.verdict is None:  # JUnit knows nothing between passed and failed
        case.result = Error(escape.line(f"not decided: {headline}", _LONG))


def _unjudged(case: xunit2.TestCase, block: BlockResult) -> None:
    from junitparser import Error, Skipped

    case.add_property("ethrex_block", escape.line(block.block))
    case.add_property("ethrex_outcome", text.state(block))
    if block.error or not (block.skipped or block.recorded):
        case.result = Error(escape.line(block.error or "it was not measured", _LONG))
    elif block.skipped:
        case.result = Skipped(escape.line(block.skipped, _LONG))


# --- files ----------------------------------------------------------------------------------------------


def merge(paths: Iterable[Path]) -> tuple[str, list[str]]:
    """The test suites of several files in one, and notes on totals that are not those of the cases.

    Raises `UsageError` for a block that two of them have.
    """
    suites: list[Element] = []
    notes: list[str] = []
    seen: dict[tuple[str, str], Path] = {}
    for path in paths:
        file = junit_file.read(path)
        for case in file.cases:
            for block, metric in {(g.get("block", ""), g.get("metric", "")) for g in _groups(case)}:
                first = seen.setdefault((block, metric), path)
                if first != path:
                    name = escape.line(f"{block} {metric}".rstrip())
                    raise UsageError(f"{name} is in {first} and in {path}: merge each shard once")
        suites += file.suites
        notes += file.notes()
    return junit_file.dump(suites), notes


def annotate(path: Path, result: RunResult) -> tuple[str, int]:
    """The file `path` with the results of `result` as properties, and how many test cases have some now.

    A test case is of the block that its name or class names (`…[mainnet/24443168]`), and of the one metric
    that it is called by, or else of all. What an earlier run of ours had put there is replaced. Raises
    `UsageError` where no test case is of any block.
    """
    file = junit_file.read(path)
    annotated = 0
    for case in file.cases:
        named = f"{case.classname}::{case.name}"
        groups = []
        for block in result.blocks:
            if re.search(rf"(?<![\w-]){re.escape(escape.line(block.block))}(?!\w)", named):
                metrics = [m for m in block.metrics if m.metric == case.name] or block.metrics
                groups += [list(properties(block.block, metric)) for metric in metrics]
        if groups:
            _replace(case, [entry for group in groups for entry in group])
            annotated += 1
    if not annotated:
        raise UsageError(
            f"{path}: no test case is named after a block of the results, as in [mainnet/24443168]"
        )
    return junit_file.dump(file.suites), annotated


def _replace(case: junit_file.Case, entries: Sequence[Property]) -> None:
    element = case.elements[0]
    table = element.find("properties")
    if table is None:
        table = SubElement(element, "properties")
    for old in [entry for entry in table if entry.get("name", "").startswith(_PREFIX)]:
        table.remove(old)
    for key, value in entries:
        SubElement(table, "property", name=key, value=str(value))


def summary(path: Path) -> list[str]:
    """A table of what a JUnit file alone says: its blocks, then how its test cases ended.

    Raises `UsageError` for a file that is none.
    """
    file = junit_file.read(path)
    cases = file.cases
    table = [("Block", "Metric", "Baseline", "Head", "Delta")]
    for case in cases:
        for group in _groups(case):
            delta = group.get("delta") or group.get("outcome", "")
            unit = group.get("unit")
            sides = (_quantity(group.get("base"), unit), _quantity(group.get("head"), unit))
            table.append((group.get("block", ""), group.get("metric", ""), *sides, delta))
    if len(table) == 1:
        table = [("Test", "Result", "", "", "")]
        table += [(case.label, case.outcome, "", "", "") for case in cases]
    ended = [case.outcome for case in cases]
    totals = ", ".join(f"{ended.count(name)} {name}" for name in sorted(set(ended)))
    cells = [[escape.line(cell) for cell in row] for row in table]
    return [
        *terminal.columns(cells, right={2, 3}),
        *(f"note: {note}" for note in file.notes()),
        totals or "no test cases",
    ]


def _quantity(value: str | None, unit: str | None) -> str:
    try:
        return units.quantity(float(value), unit or "") if value else ""
    except (ValueError, OverflowError):
        return value or ""


def _groups(case: junit_file.Case) -> list[dict[str, str]]:
    """Our properties of a test case, without their prefix, one group a metric."""
    groups: list[dict[str, str]] = []
    for name, value in case.properties():
        if name == "ethrex_block":
            groups.append({})
        if groups and name.startswith(_PREFIX):
            groups[-1][name.removeprefix(_PREFIX)] = value
    return groups
