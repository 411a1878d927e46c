"""A JUnit file of any tool: its suites as they stand, and its cases, each of them once.

There is no one format: suites nest (PHPUnit, some of Gradle's), pytest writes a case with `<skipped/>` and
`<error/>`, or twice (a failure, then an error in the teardown), and times are what the producer's language
prints. What is clear is read; what can be read in two ways is refused by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from xml.etree import ElementTree as ET

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records import regular_file
from pytest_ethrex_perf.report import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

Outcome = Literal["error", "failed", "skipped", "passed"]
_WORST_FIRST: tuple[Outcome, ...] = ("error", "failed", "skipped", "passed")
_CHILDREN: dict[str, Outcome] = {"error": "error", "failure": "failed", "skipped": "skipped"}
_STATUSES: dict[str, Outcome] = {
    # GoogleTest and CTest say it in an attribute
    **dict.fromkeys(("notrun", "disabled", "skipped", "suppressed", "ignored"), "skipped"),
    **dict.fromkeys(("fail", "failed", "failure"), "failed"),
    "error": "error",
}
_DEEPEST = 100
_READ_LIMIT = 2**28  # bytes
_DECLARED = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']")
_SCHEMA_NAMESPACE = "http://www.w3.org/2001/XMLSchema-instance"

_NUMBER = re.compile(r"\+?(?:[0-9]{1,15}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][-+]?[0-9]{1,2})?")
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:(?:,[0-9]{3}){2,4}|(?:,[0-9]{3}){1,4}\.[0-9]{1,30})")
_EUROPEAN = re.compile(r"(?:0|[1-9][0-9]{0,2})(?:\.[0-9]{3}){1,4},[0-9]{1,30}")
_DECIMAL_COMMA = re.compile(r"0,[0-9]{1,30}|[0-9]{1,15},(?:[0-9]{1,2}|[0-9]{4,30})")
_CLOCK = re.compile(
    r"(?P<hours>[0-9]{1,6}):(?P<minutes>[0-5]?[0-9]):(?P<seconds>[0-5]?[0-9](?:[.,][0-9]{1,30})?)"
)
_ISO_8601 = re.compile(
    r"P(?:(?P<days>[0-9]{1,6})D)?(?:T(?=[0-9])(?:(?P<hours>[0-9]{1,6})H)?(?:(?P<minutes>[0-9]{1,9})M)?"
    r"(?:(?P<seconds>[0-9]{1,15}(?:[.,][0-9]{1,30})?)S)?)?"
)
_UNIT = re.compile(r"(?P<number>[0-9.]{1,40})\s*(?P<unit>ms|s)")


def seconds(text: str) -> float:
    """Seconds that a `time` attribute means: `0.69`, `0:00:00.69`, `PT0.69S`, `0,69`, `1,234.5`, `690ms`.

    Raises `ValueError` for what is none, and for what means two things: `1,234` (a second, or an hour's
    third), `1:30` (minutes or hours).
    """
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return float(text)
    if _THOUSANDS.fullmatch(text):
        return float(text.replace(",", ""))
    if _EUROPEAN.fullmatch(text):
        return float(text.replace(".", "").replace(",", "."))
    if _DECIMAL_COMMA.fullmatch(text):
        return float(text.replace(",", "."))
    if (match := _CLOCK.fullmatch(text)) or (text[-1:] not in "PT" and (match := _ISO_8601.fullmatch(text))):
        parts = {unit: float((value or "0").replace(",", ".")) for unit, value in match.groupdict().items()}
        hours = parts.get("days", 0.0) * 24 + parts["hours"]
        return (hours * 60 + parts["minutes"]) * 60 + parts["seconds"]
    if (match := _UNIT.fullmatch(text)) and _NUMBER.fullmatch(match["number"]):
        return float(match["number"]) / (1000 if match["unit"] == "ms" else 1)
    raise ValueError(text)


@dataclass(frozen=True, slots=True)
class Case:
    """One test case."""

    elements: tuple[ET.Element, ...]
    """Its `<testcase>`; pytest writes two where a teardown errs after a failure."""
    suite: str
    """The name of the suite that it stands in."""

    @property
    def classname(self) -> str:
        """Its class, or what the producer writes for one; empty where there is none."""
        return self.elements[0].get("classname", "")

    @property
    def name(self) -> str:
        """Its name within the class."""
        return self.elements[0].get("name", "")

    @property
    def label(self) -> str:
        """`class::name`; the suite stands in for a class, nothing for a missing suite."""
        return "::".join(filter(None, (self.classname or self.suite, self.name))) or "(no name)"

    @property
    def outcome(self) -> Outcome:
        """The worst that is said of it."""
        outcomes = {_CHILDREN.get(child.tag) for element in self.elements for child in element}
        for element in self.elements:
            outcomes |= {_STATUSES.get(element.get(name, "").lower()) for name in ("status", "result")}
        return next((outcome for outcome in _WORST_FIRST if outcome in outcomes), "passed")

    @property
    def seconds(self) -> float:
        """What it took; 0 where nobody said."""
        return sum(float(element.get("time") or 0) for element in self.elements)

    def properties(self) -> Iterator[tuple[str, str]]:
        """Names and values of its properties, in their order."""
        for element in self.elements:
            for entry in element.iterfind("properties/property"):
                yield entry.get("name", ""), entry.get("value") or entry.text or ""


@dataclass(frozen=True, slots=True)
class JUnitFile:
    """What stands in a file."""

    path: Path
    suites: tuple[ET.Element, ...]

    @property
    def cases(self) -> list[Case]:
        """Every case once, in the file's order."""
        return [case for suite in self.suites for case in _cases_below(suite)]

    def notes(self) -> Iterator[str]:
        """Where a suite's own total is not that of its cases, or it errs outside of them: one line each."""
        for suite in (below for outer in self.suites for below in outer.iter("testsuite")):
            cases, own = list(_cases_below(suite)), list(_cases_of(suite))
            name = escape.line(suite.get("name", "")) or "a suite without a name"
            for tag in ("error", "failure"):
                if suite.find(tag) is not None:
                    yield f"{self.path}: {name} has a <{tag}> outside of its cases"
            declared = suite.get("tests", "").strip()
            # pytest counts an error in a teardown as one more test
            if declared and not any(
                declared == str(len(some) + extra)
                for some in (cases, own)
                for extra in range(sum(case.outcome == "error" for case in some) + 1)
            ):
                yield f"{self.path}: {name} says tests={escape.line(declared)!r} and has {len(cases)}"


def read(path: Path) -> JUnitFile:
    """A JUnit file, its times in plain seconds. Raises `UsageError`, which names it and what is wrong."""
    root = _parse(path)
    for element, depth in _with_depth(root):
        if depth > _DEEPEST:
            raise UsageError(f"{path}: not a JUnit file: elements nest deeper than {_DEEPEST}")
        if isinstance(element.tag, str):
            element.tag = element.tag.rpartition("}")[2]
    if root.tag not in {"testsuite", "testsuites"}:
        raise UsageError(f"{path}: not a JUnit file: its root is <{escape.line(root.tag)}>")
    suites = (root,) if root.tag == "testsuite" else tuple(root.iterfind("testsuite"))
    if direct := root.findall("testcase") if root.tag == "testsuites" else []:
        # cases without a suite get one, for a reader who looks for cases in suites only
        suites = (*suites, _suite_of(direct))
    file = JUnitFile(path, suites)
    if sum(len(case.elements) for case in file.cases) != sum(1 for _ in root.iter("testcase")):
        raise UsageError(f"{path}: not a JUnit file: a <testcase> stands outside of a <testsuite>")
    for case in file.cases:
        for element in case.elements:
            _plain_time(element, case, path)
    return file


def _suite_of(cases: Sequence[ET.Element]) -> ET.Element:
    suite = ET.Element("testsuite")
    suite.extend(cases)
    return suite


def _plain_time(element: ET.Element, case: Case, path: Path) -> None:
    text = element.get("time")
    if text is None or not text.strip():
        element.attrib.pop("time", None)
        return
    try:
        plain = seconds(text)
    except ValueError:
        raise UsageError(
            f"{path}: time={escape.line(text, 60)!r} of {escape.line(case.label)} is not clearly a number of "
            "seconds"
        ) from None
    if not _NUMBER.fullmatch(text):
        element.set("time", f"{plain:.9f}".rstrip("0").rstrip("."))


def _parse(path: Path) -> ET.Element:
    try:
        with regular_file.opened(path) as file:
            content = file.read(_READ_LIMIT + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    if len(content) > _READ_LIMIT:
        raise UsageError(f"{path}: larger than {_READ_LIMIT >> 20} MiB")
    try:
        return ET.fromstring(_decoded(content))  # noqa: S314 - expat bounds what entities become since 2.4.1
    except (SyntaxError, ValueError, LookupError) as error:  # XML's errors are SyntaxError's
        raise UsageError(f"{path}: not a JUnit file: {escape.line(str(error))}") from None


def _decoded(content: bytes) -> bytes | str:
    """Text where Python has a codec that expat has not (`shift_jis`, `gbk`), bytes for expat to read."""
    declared = _DECLARED.match(content)
    if declared is None or declared[1].lower().startswith((b"utf", b"us-ascii", b"iso-8859-1")):
        return content
    return content.decode(declared[1].decode())


def _with_depth(root: ET.Element) -> Iterator[tuple[ET.Element, int]]:
    waiting = [(root, 1)]
    while waiting:
        element, depth = waiting.pop()
        yield element, depth
        waiting += ((child, depth + 1) for child in element)


def _cases_below(suite: ET.Element) -> Iterator[Case]:
    """In the order in which they stand, an inner suite's where that stands."""
    for some in suite.iter("testsuite"):
        yield from _cases_of(some)


def _cases_of(suite: ET.Element) -> Iterator[Case]:
    """Those that stand in `suite` itself."""
    name = suite.get("name", "")
    elements = suite.findall("testcase")
    at = 0
    while at < len(elements):
        pair = elements[at : at + 2]
        case = Case(tuple(pair if _is_one_case(pair) else pair[:1]), name)
        at += len(case.elements)
        yield case


def _is_one_case(pair: Sequence[ET.Element]) -> bool:
    """Whether a failure and the error of its teardown follow each other."""
    return len({(element.get("classname"), element.get("name")) for element in pair}) == 1 and [
        [child.tag for child in element if child.tag in _CHILDREN] for element in pair
    ] == [["failure"], ["error"]]


def dump(suites: Iterable[ET.Element]) -> str:
    """XML of `suites`, their totals made anew from their cases (times: the sum over cases)."""
    ET.register_namespace("xsi", _SCHEMA_NAMESPACE)
    root = ET.Element("testsuites")
    root.extend(suites)
    for suite in root.iter("testsuite"):
        cases = list(_cases_below(suite))
        _count(suite, cases)
        suite.set("skipped", str(sum(case.outcome == "skipped" for case in cases)))
    _count(root, [case for suite in root for case in _cases_below(suite)])
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content.decode() + "\n"


def _count(element: ET.Element, cases: Sequence[Case]) -> None:
    element.set("tests", str(len(cases)))
    element.set("failures", str(sum(case.outcome == "failed" for case in cases)))
    element.set("errors", str(sum(case.outcome == "error" for case in cases)))
    element.set("time", str(round(sum(case.seconds for case in cases), 3)))
