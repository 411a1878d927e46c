"""JUnit files as their producers write them: every case once, the worst outcome, times that are clear."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.report import junit, junit_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[[str], Path]

NESTED = """<testsuites tests="3" failures="1"><testsuite name="all" tests="3" failures="1">
<testsuite name="inner" tests="3" failures="1"><testsuite name="innermost" tests="2" failures="1">
<testcase classname="c" name="a" time="1"/><testcase classname="c" name="b" time="1"><failure/></testcase>
</testsuite><testcase classname="c" name="d" time="0.5"/></testsuite></testsuite></testsuites>"""

# after each producer's own source and samples
PYTEST = """<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest"
errors="2" failures="1" skipped="2" tests="5" time="0.036" timestamp="2026-01-10T10:00:00" hostname="h">
<testcase classname="test_x" name="test_skip_then_error" time="0.001"><skipped type="pytest.skip" message="s">
test_x.py:8: s</skipped><error message="failed on teardown">E</error></testcase>
<testcase classname="test_x" name="test_fail_then_error" time="0.001"><failure
message="f">F</failure></testcase>
<testcase classname="test_x" name="test_fail_then_error" time="0.001"><error message="failed on
teardown"/></testcase>
<testcase classname="test_x" name="test_xfail" time="0"><skipped type="pytest.xfail" message=""/></testcase>
<testcase classname="test_x" name="test_ok" time="0.001"/></testsuite></testsuites>"""
NEXTEST = """<?xml version="1.0" encoding="UTF-8"?><testsuites name="nextest-run" tests="3" failures="1"
errors="0"
uuid="45c50042" timestamp="2026-01-10T10:00:00.368-07:00" time="0.661"><testsuite name="ethrex-trie" tests="3"
disabled="0" errors="0" failures="1"><testcase name="node::tests::hash" classname="ethrex-trie"
timestamp="2026-01-10T10:00:00.382-07:00" time="0.016"/><testcase name="flaky" classname="ethrex-trie"
time="0.021">
<flakyFailure timestamp="2026-01-10T10:00:00.4-07:00" time="0.018" message="m" type="test
failure">x</flakyFailure>
</testcase><testcase name="fails" classname="ethrex-trie" time="0.1"><failure message="m" type="test
failure with exit
code 101">thread panicked</failure><rerunFailure time="0.1" type="test
failure">x</rerunFailure></testcase></testsuite>
</testsuites>"""
GOTESTSUM = """<?xml version="1.0" encoding="UTF-8"?><testsuites tests="3" failures="1" errors="0"
time="0.160000">
<testsuite tests="3" failures="1" time="0.160000" name="example.com/pkg" timestamp="2026-01-10T10:00:00Z">
<properties><property name="go.version" value="go1.22"/></properties><testcase classname="example.com/pkg"
name="TestOk" time="0.000000"/><testcase classname="example.com/pkg" name="TestSkip" time="0.000000">
<skipped message="=== RUN   TestSkip"/></testcase><testcase classname="example.com/pkg" name="TestFails"
time="0.160000"><failure message="Failed" type="">fail</failure></testcase></testsuite></testsuites>"""
SUREFIRE = """<?xml version="1.0" encoding="UTF-8"?><testsuite
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="surefire-test-report.xsd"
version="3.0" name="com.example.T" time="1,234.5" tests="3" errors="1" skipped="1" failures="0"><properties>
<property name="java.version" value="17"/></properties><testcase name="slow" classname="com.example.T"
time="1,234.5"/><testcase name="errs" classname="com.example.T" time="0.003"><error type="E"><![CDATA[E:
<x>]]>
</error><system-out>o</system-out></testcase><testcase name="skips" classname="com.example.T" time="0">
<skipped message="no"/></testcase></testsuite>"""
JEST = """<?xml version="1.0" encoding="UTF-8"?><testsuites name="jest tests" tests="3" failures="1"
errors="0"
time="1.5"><testsuite name="math" errors="0" failures="1" skipped="1" timestamp="2026-01-10T10:00:00"
time="0.5"
tests="3"><testcase classname="math adds" name="math adds" time="0.003"/><testcase classname="math fails"
name="math fails" time="0.002"><failure>Error: expected</failure></testcase><testcase classname="math later"
name="math later" time="0"><skipped/></testcase></testsuite></testsuites>"""
PRODUCERS = {
    "pytest": (PYTEST, "2 error, 1 passed, 1 skipped"),
    "cargo-nextest": (NEXTEST, "1 failed, 2 passed"),
    "gotestsum": (GOTESTSUM, "1 failed, 1 passed, 1 skipped"),
    "surefire": (SUREFIRE, "1 error, 1 passed, 1 skipped"),
    "jest-junit": (JEST, "1 failed, 1 passed, 1 skipped"),
    "nested suites": (NESTED, "1 failed, 2 passed"),
}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: str | bytes) -> Path:
        file = tmp_path / "junit.xml"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    return write


@pytest.mark.parametrize(("content", "totals"), PRODUCERS.values(), ids=list(PRODUCERS))
def test_each_producers_cases_count_once(write: Write, content: str, totals: str) -> None:
    lines = junit.summary(write(content))
    assert lines[-1] == totals
    assert not any(line.startswith("note: ") for line in lines)


@pytest.mark.parametrize(("content", "totals"), PRODUCERS.values(), ids=list(PRODUCERS))
def test_merged_totals_are_those_of_the_cases(write: Write, content: str, totals: str) -> None:
    merged, notes = junit.merge([write(content)])
    assert notes == []
    assert junit.summary(write(merged))[-1] == totals
    root = ET.fromstring(merged)
    said = dict(part.split()[::-1] for part in totals.split(", "))
    counts = [root.get("tests"), root.get("failures"), root.get("errors")]
    assert counts == [str(sum(map(int, said.values()))), said.get("failed", "0"), said.get("error", "0")]
    for suite in root:
        assert suite.get("skipped") == said.get("skipped", "0")


def test_times_of_nested_suites_are_summed_once(write: Write) -> None:
    root = ET.fromstring(junit.merge([write(NESTED)])[0])
    assert [element.get("time") for element in (root, *root.iter("testsuite"))] == [
        "2.5",
        "2.5",
        "2.5",
        "2.0",
    ]


@pytest.mark.parametrize(
    ("children", "outcome"),
    [
        ("<skipped/><error/>", "error"),
        ("<skipped/><failure/>", "failed"),
        ("<failure/><error/>", "error"),
        ("<system-out/><skipped/>", "skipped"),
        ("<system-out><failure/></system-out>", "passed"),
    ],
)
def test_the_worst_outcome_wins(write: Write, children: str, outcome: str) -> None:
    path = write(f'<testsuite><testcase classname="a" name="b">{children}</testcase></testsuite>')
    assert junit.summary(path)[-1] == f"1 {outcome}"


def test_outcomes_in_attributes_are_read(write: Write) -> None:
    path = write(
        '<testsuite name="GoogleTest"><testcase name="a" status="notrun" result="suppressed"/>'
        '<testcase name="b" status="run" result="completed"/><testcase name="c" status="fail"/></testsuite>'
    )
    assert junit.summary(path)[-1] == "1 failed, 1 passed, 1 skipped"


@pytest.mark.parametrize(
    ("attributes", "label"),
    [('name="t1"', "s::t1"), ('classname="" name="t1"', "s::t1"), ('classname="c"', "c"), ("", "s")],
)
def test_a_case_without_a_class_or_name_is_told_by_its_suite(
    write: Write, attributes: str, label: str
) -> None:
    lines = junit.summary(write(f'<testsuite name="s"><testcase {attributes}/></testsuite>'))
    assert lines[1].split() == [label, "passed"]


def test_cases_without_a_suite_count(write: Write) -> None:
    path = write('<testsuites><testcase name="a"/><testcase name="b"><error/></testcase></testsuites>')
    assert junit.summary(path)[-1] == "1 error, 1 passed"
    assert ET.fromstring(junit.merge([path])[0]).get("tests") == "2"


def test_a_namespace_is_no_other_format(write: Write) -> None:
    path = write('<testsuite xmlns="urn:junit"><testcase name="a"/></testsuite>')
    assert junit.summary(path)[-1] == "1 passed"


def test_a_total_that_is_not_that_of_the_cases_is_told(write: Write) -> None:
    path = write('<testsuite name="s" tests="5"><error/><testcase name="a"/></testsuite>')
    notes = [
        f"{path}: s has a <error> outside of its cases",
        f"{path}: s says tests='5' and has 1",
    ]
    assert junit.summary(path)[-3:-1] == [f"note: {note}" for note in notes]
    assert junit.merge([path])[1] == notes


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("0.69", 0.69), ("1", 1), (".5", 0.5), ("1e-3", 0.001), (" 2.50 ", 2.5)),
        *(("0:00:00.69", 0.69), ("1:02:03", 3723), ("00:00:01,5", 1.5)),
        *(("PT1S", 1), ("PT0.690S", 0.69), ("PT1H2M3.5S", 3723.5), ("P1DT1S", 86_401)),
        *(
            ("0,160", 0.16),
            ("12,5", 12.5),
            ("1,234.5", 1234.5),
            ("1.234,5", 1234.5),
            ("1,234,567", 1_234_567),
        ),
        *(("690ms", 0.69), ("1.5 s", 1.5)),
    ],
)
def test_a_clear_time_is_read(write: Write, text: str, seconds: float) -> None:
    assert junit_file.seconds(text) == pytest.approx(seconds)
    merged, _ = junit.merge([write(f'<testsuite><testcase name="a" time="{text}"/></testsuite>')])
    assert float(ET.fromstring(merged).get("time", "")) == pytest.approx(seconds, abs=0.0005)


@pytest.mark.parametrize(
    "text", ["abc", "1,234", "1:30", "nan", "inf", "-1", "1e999", "PT", "P", "0x10", "1.2.3", "٣", "9" * 5000]
)
def test_an_unclear_time_is_refused_by_name(write: Write, text: str) -> None:
    path = write(f'<testsuite><testcase classname="a" name="b" time="{text}"/></testsuite>')
    for read in (junit.summary, lambda path: junit.merge([path])):
        with pytest.raises(UsageError, match=r"junit\.xml: time='.*' of a::b is not clearly a number of sec"):
            read(path)


def test_the_encodings_that_python_knows_are_read(write: Write) -> None:
    for encoding in ("utf-16", "iso-8859-15", "shift_jis", "cp1252"):
        text = f'<?xml version="1.0" encoding="{encoding}"?><testsuite><testcase name="a"/></testsuite>'
        assert junit.summary(write(text.encode(encoding)))[-1] == "1 passed"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "content",
    [
        '<?xml version="1.0" encoding="klingon"?><testsuite/>',
        '<?xml version="1.0" encoding="rot13"?><testsuite/>',
        '<?xml version="1.0" encoding="hex"?><testsuite/>',
        "<testsuite>" * 5000 + "</testsuite>" * 5000,
        "<testsuites><testsuite><testcase><testcase/></testcase></testsuite></testsuites>",
        "<testsuite><x><testsuite><testcase/></testsuite></x></testsuites>",
        "<testng-results/>",
        PYTEST[:-40],
    ],
)
def test_what_can_not_be_read_is_named(write: Write, content: str) -> None:
    with pytest.raises(UsageError, match=r"junit\.xml: not a JUnit file: "):
        junit.summary(write(content))


@given(st.text(alphabet="0123456789.,:PTDHMSms e+-", max_size=20))
@example("")
def test_a_time_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert 0 <= junit_file.seconds(text) < float("inf")


_ELEMENTS = st.recursive(
    st.builds(
        '<testcase name="{}" time="{}">{}</testcase>'.format,
        st.sampled_from(["a", "b"]),
        st.sampled_from(["1", "0,5", "", "PT1S", "1,234"]),
        st.sampled_from(["", "<failure/>", "<error/>", "<skipped/>", "<skipped/><error/>"]),
    ),
    lambda inner: st.builds(
        '<testsuite name="s">{}</testsuite>'.format, st.lists(inner, max_size=3).map("".join)
    ),
    max_leaves=12,
)


@given(_ELEMENTS)
def test_merging_keeps_every_case_of_any_tree(tmp_path_factory: pytest.TempPathFactory, tree: str) -> None:
    path = tmp_path_factory.mktemp("junit") / "junit.xml"
    path.write_text(f"<testsuites>{tree}</testsuites>")
    try:
        file = junit_file.read(path)
    except UsageError:
        assert "1,234" in tree
        return
    outcomes = [(case.name, case.outcome) for case in file.cases]
    assert sum(len(case.elements) for case in file.cases) == tree.count("<testcase")
    path.write_text(junit.merge([path])[0])
    merged = junit_file.read(path)
    assert [(case.name, case.outcome) for case in merged.cases] == outcomes
    assert list(merged.notes()) == []
