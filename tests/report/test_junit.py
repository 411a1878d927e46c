"""JUnit files, written and read by junitparser and by pytest itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from xml.etree import ElementTree as ET

import pytest
from junitparser import Error, Failure, Skipped, xunit2

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.report import junit
from tests.report import builders

if TYPE_CHECKING:
    from pathlib import Path


def cases(text: str) -> list[xunit2.TestCase]:
    report = xunit2.JUnitXml.fromstring(text.encode())
    return [case for suite in report for case in cast("list[xunit2.TestCase]", list(suite))]


def properties(case: xunit2.TestCase) -> dict[str, str]:
    return {str(one.name): str(one.value) for one in case.properties()}


def kinds(found: list[xunit2.TestCase]) -> list[str]:
    return [type(case.result[0]).__name__ if case.result else "passed" for case in found]


def written(path: Path, run: Any) -> Path:
    path.write_text(junit.dump(run))
    return path


def test_one_case_a_metric_with_its_numbers_as_properties() -> None:
    (case,) = cases(junit.dump(builders.one()))
    assert (case.classname, case.name) == ("ethrex-block.mainnet/24443168", "exec")
    (failure,) = case.result
    assert isinstance(failure, Failure)
    assert failure.message.startswith("regression: mainnet/24443168 exec is 4.")
    assert failure.text.splitlines()[0] == failure.message
    known = properties(case)
    assert known["ethrex_verdict"] == "regression"
    assert float(known["ethrex_base"]) == builders.one().blocks[0].metrics[0].base
    assert known["ethrex_delta"].endswith("(margin 1 %)")
    low, change, high = (float(known[f"ethrex_change{end}_percent"]) for end in ("_low", "", "_high"))
    assert low < change < high
    assert f"is {change:.1f} % slower ({low:.1f} % to {high:.1f} %)" in failure.message
    assert "regression: exec" not in failure.text, "it is said once, by the first line"


def test_every_outcome_is_junits_own() -> None:
    found = cases(junit.dump(builders.several()))
    assert kinds(found).count("Failure") == 2
    assert kinds(found).count("Error") == kinds(found).count("Skipped") == 1
    assert len(found) == 14
    root = ET.fromstring(junit.dump(builders.several()))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("14", "2", "1")


def test_a_block_of_which_nothing_is_known_is_an_error() -> None:
    (case,) = cases(junit.dump(builders.run([builders.block("mainnet/1")])))
    assert isinstance(case.result[0], Error)


def test_hostile_text_is_valid_xml() -> None:
    text = junit.dump(builders.hostile())
    assert "\x1b" not in text
    assert kinds(cases(text)) == ["Failure", "Failure", "passed", "Error", "Skipped", "Failure"]


def test_merge_joins_the_cases_of_all_shards(tmp_path: Path) -> None:
    first = written(tmp_path / "1.xml", builders.one())
    second = written(tmp_path / "2.xml", builders.run([builders.interleaved(1, 0.0)]))
    merged, _ = junit.merge([first, second])
    assert [case.classname for case in cases(merged)] == [
        "ethrex-block.mainnet/24443168",
        "ethrex-block.mainnet/1",
    ]
    assert ET.fromstring(merged).get("failures") == "1"


def test_merge_refuses_a_block_that_is_in_two_files(tmp_path: Path) -> None:
    paths = [written(tmp_path / name, builders.one()) for name in ("1.xml", "2.xml")]
    with pytest.raises(
        UsageError, match=r"^mainnet/24443168 exec is in .*1\.xml and in .*2\.xml: merge each"
    ):
        junit.merge(paths)


def test_merge_takes_files_of_other_tools(tmp_path: Path) -> None:
    other = tmp_path / "other.xml"
    other.write_text('<testsuite name="cargo"><testcase classname="a" name="b" time="1.5"/></testsuite>')
    merged, _ = junit.merge([other, written(tmp_path / "1.xml", builders.one())])
    assert [case.name for case in cases(merged)] == ["b", "exec"]


def test_annotate_finds_the_cases_of_a_block(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(
        '<testsuites><testsuite name="t">'
        '<testcase classname="tests.test_x" name="test_it[mainnet/24443168]"/>'
        '<testcase classname="tests.test_x" name="test_it[mainnet/244431689]"/>'
        '<testcase classname="ethrex-block.mainnet/24443168" name="prep"/></testsuite></testsuites>'
    )
    text, found = junit.annotate(path, builders.several())
    assert found == 2
    both, other, prep = cases(text)
    assert [p.value for p in both.properties() if p.name == "ethrex_metric"] == ["exec", "prep"]
    assert properties(other) == {}
    assert properties(prep)["ethrex_metric"] == "prep"


def test_annotate_twice_is_annotate_once(tmp_path: Path) -> None:
    path = written(tmp_path / "junit.xml", builders.one())
    first, _ = junit.annotate(path, builders.one())
    path.write_text(first)
    assert junit.annotate(path, builders.one())[0] == first
    assert [properties(c) for c in cases(first)] == [properties(c) for c in cases(junit.dump(builders.one()))]


def test_annotate_says_when_no_case_is_of_a_block(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text('<testsuite><testcase classname="a" name="b"/></testsuite>')
    with pytest.raises(UsageError, match="no test case is named after a block of the results"):
        junit.annotate(path, builders.one())


def test_summary_is_a_table_from_junit_alone(tmp_path: Path) -> None:
    lines = junit.summary(written(tmp_path / "junit.xml", builders.several()))
    assert lines[0].split() == ["Block", "Metric", "Baseline", "Head", "Delta"]
    assert lines[1].startswith("mainnet/24443168    exec          59.")
    assert any(line.startswith("mainnet/24443170    instructions  ") for line in lines)
    assert lines[-1] == "1 error, 2 failed, 10 passed, 1 skipped"


def test_summary_of_other_tools_cases_says_how_they_ended(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(
        '<testsuite><testcase classname="a" name="b"><failure message="x"/></testcase></testsuite>'
    )
    assert junit.summary(path) == ["Test  Result", "a::b  failed", "1 failed"]


@pytest.mark.parametrize("content", ["", "not xml", "<html></html>", "<testsuite>"])
def test_what_is_no_junit_file_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(content)
    with pytest.raises(UsageError, match=r"junit\.xml: not a JUnit file: "):
        junit.summary(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"junit\.xml: cannot be read: No such file"):
        junit.merge([tmp_path / "junit.xml"])


def test_types_survive_xdist() -> None:
    metric = builders.one().blocks[0].metrics[0]
    assert {type(value) for _, value in junit.properties("mainnet/1", metric)} == {str, float, int}


def test_skips_say_why() -> None:
    found = cases(junit.dump(builders.several()))
    (skip,) = [case.result[0] for case in found if case.result and isinstance(case.result[0], Skipped)]
    assert skip.message is not None
    assert "the same program" in skip.message
