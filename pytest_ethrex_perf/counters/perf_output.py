"""What `perf stat` wrote, of perf 5.15 to 7: JSON (`-j`), CSV (`-x`) and what it prints for people.

Formats: tools/perf/util/stat-display.c of Linux, and what its versions have really printed: JSON has had
numbers, strings and "nan" as `metric-value` or none at all, a comma too many (6.13-rc) and, in a locale with
decimal commas, no JSON at all; CSV has `value;unit;event[;variance%];runtime;percent[;metric;unit]`, five
columns before 2019, and the time of the interval first where there were intervals.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.records import nesting

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

SCALED_FROM = 90.0
"""Percent of the time that an event must have been counted to be shown at all; judged it is only at 100."""
SOFTWARE = frozenset(
    (
        *("task-clock", "cpu-clock", "page-faults", "minor-faults", "major-faults", "context-switches"),
        *("cpu-migrations", "alignment-faults", "emulation-faults", "cgroup-switches", "bpf-output", "dummy"),
        *("user_time", "system_time", "duration_time"),
    )
)
"""Events that the kernel counts itself: they need no PMU, and 0 is a value like any other."""
IN_THE_KERNEL = frozenset(("context-switches", "cpu-migrations", "cgroup-switches", "system_time"))
"""These happen while the kernel runs: in user space alone they are always 0."""
_SYNONYMS = {
    "cpu-cycles": "cycles",
    "branch-instructions": "branches",
    "faults": "page-faults",
    "cs": "context-switches",
    "migrations": "cpu-migrations",
}
_ONE_INTEL_KIND = ({"cpu_core"}, {"cpu_atom"})
_FEWEST_COLUMNS = 5  # value, unit, event, runtime, percent
_NANOSECONDS = {"msec": 1e6, "ns": 1.0}

_OBJECT = re.compile(r"\{[^{}]*\}")
_EXTRA_COMMA = re.compile(r",\s*\}$")
_DECIMAL_COMMA = re.compile(r'(:\s*"?-?\d+),(\d+)(?=[",\s}])')
_STATE = re.compile(r"<(not \w+)>")
_VARIANCE = re.compile(r"[\d.]+%")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_INTERVAL = re.compile(r"[0-9]+\.[0-9]+")
_GROUPED = re.compile(r"[0-9]{1,3}(?:(?P<mark>[.,])[0-9]{3})(?:(?P=mark)[0-9]{3})*")
_DECIMALS = re.compile(r"(?P<whole>[0-9.,]*?)(?P<mark>[.,])(?P<decimals>[0-9]+)")
_TEXT_ROW = re.compile(
    r"\s*(?P<value><not \w+>|\d[\d,.]*)\s+(?:(?P<unit>msec|ns)\s+)?(?P<event>[a-zA-Z][\w./:=,-]*)\s*"
    r"(?:#.*?)?(?:\(\s*\+-.*?\))?\s*(?:\((?P<running>\d+\.\d+)%\))?\s*"
)
_PMU_EVENT = re.compile(r"(?P<pmu>[\w-]+)/(?P<event>[^/]*)/(?P<modifiers>\w*)")
_MODIFIED = re.compile(r"(?P<event>.*?):(?P<modifiers>[ukhIGHpPSDWeb]+)")
_CORE_PMU = re.compile(r"cpu|(?P<kind>cpu_(?:core|atom|lowpower)|armv\d+_\w+|apple_\w+_pmu)")


@dataclass(frozen=True, slots=True)
class PrintedEvent:
    """One event as perf printed it, once."""

    event: str
    """With PMU and modifiers."""
    value: float | None
    """None where there is none: `state` says why. Already scaled up where `running` is below 100."""
    unit: str
    """As printed: `msec`, `ns` or nothing."""
    running: float = 100.0
    """Percent of the time in which it was counted, truncated."""
    state: str = "counted"
    """`counted`, `not counted`, `not supported`, or why its value is unclear."""
    interval: float | None = None
    """Seconds at which its interval ended."""


class Event(NamedTuple):
    """Which event a printed name means."""

    name: str
    pmu: str | None
    """Which kind of core, where there may be several."""
    user_only: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """The count of one event in one process, or why there is none."""

    event: Event
    value: float | None
    """In `unit`; None where `missing` says why."""
    unit: str
    """`ns`, or nothing."""
    running: float
    missing: str | None = None


def read(text: str) -> list[PrintedEvent]:
    """Every row of what perf wrote, in any of its formats; lines that are none are passed over."""
    if _OBJECT.search(text):
        return list(_json_rows(text))
    rows = list(_csv_rows(text))
    return rows or list(_text_rows(text))


def _json_rows(text: str) -> Iterator[PrintedEvent]:
    for match in _OBJECT.finditer(text):
        repaired = _DECIMAL_COMMA.sub(r"\1.\2", _EXTRA_COMMA.sub("}", match[0]))
        try:
            nesting.check(repaired)
            fields = json.loads(repaired)
        except ValueError:
            continue
        if "counter-value" in fields and "event" in fields:
            row = _row(
                str(fields["counter-value"]),
                str(fields.get("unit", "")),
                str(fields["event"]),
                str(fields.get("pcnt-running", 100)),
                str(fields.get("interval", "")),
            )
            if row is not None:
                yield row


def _csv_rows(text: str) -> Iterator[PrintedEvent]:
    for line in text.splitlines():
        columns = line.split(";") if ";" in line else line.split(",")
        columns = [column.strip() for column in columns]
        interval = ""
        # always with a fraction: `1397,97,msec,…` is a decimal comma, and no row
        if len(columns) > 1 and _is_value(columns[1]) and _INTERVAL.fullmatch(columns[0]):
            interval, *columns = columns
        if len(columns) < _FEWEST_COLUMNS or not _is_value(columns[0]):
            continue
        value, unit, event, *rest = columns
        if _VARIANCE.fullmatch(rest[0]):  # with -r it comes here, whatever the manual says
            rest = rest[1:]
        # runtime and percentage, whole numbers and two decimals: else it is no row of ours; nor is it where a
        # number stands for the event, as in `1,000,000,000,000   cycles`, which is printed for people
        if event[:1].isalpha() and len(rest) > 1 and rest[0].isdecimal() and _NUMBER.fullmatch(rest[1]):
            row = _row(value, unit, event, rest[1], interval)
            if row is not None:
                yield row


def _text_rows(text: str) -> Iterator[PrintedEvent]:
    for line in text.splitlines():
        match = _TEXT_ROW.fullmatch(line)
        if match is not None:
            value, unit, event = _plain(match["value"], match["unit"]), match["unit"] or "", match["event"]
            if value is None:
                state = f"{match['value']} can be read in two ways: run perf with LC_ALL=C"
                yield PrintedEvent(event, None, unit, state=state)
            elif row := _row(value, unit, event, match["running"] or "100", ""):
                yield row


def _plain(text: str, unit: str | None) -> str | None:
    """A number of what people read, with `.` alone; None where `1.397` may be a thousand or a bit over one.

    perf prints counts and nanoseconds without decimals and milliseconds with two, grouped as the locale does.
    """
    if text.startswith("<") or text.isdecimal():
        return text
    grouped = _GROUPED.fullmatch(text)
    if grouped is not None and unit != "msec":
        marks = text.count(grouped["mark"])
        return text.replace(grouped["mark"], "") if grouped["mark"] == "," or marks > 1 else None
    match = _DECIMALS.fullmatch(text)
    if match is None or grouped is not None:
        return None
    whole = match["whole"]
    if not whole.isdecimal():
        groups = _GROUPED.fullmatch(whole)
        if groups is None or groups["mark"] == match["mark"]:
            return None
        whole = whole.replace(groups["mark"], "")
    return f"{whole}.{match['decimals']}"


def _is_value(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text) or _STATE.fullmatch(text))


def _row(value: str, unit: str, event: str, running: str, interval: str) -> PrintedEvent | None:
    state = _STATE.fullmatch(value)
    try:
        number = None if state else float(value)
        percent, end = float(running), float(interval) if interval else None
    except ValueError:
        return None
    if not event or not all(math.isfinite(x) for x in (number or 0.0, percent, end or 0.0)):
        return None
    return PrintedEvent(event, number, unit, percent, state[1] if state else "counted", end)


def event_of(printed: str) -> Event:
    """Which event a name means: `cpu_core/cpu-cycles/u`, `armv8_pmuv3_0/cycles:u/`, `cycles:u` are cycles.

    Events of other PMUs (`msr/tsc/`) keep their name.
    """
    name, pmu, modifiers = printed, None, ""
    if match := _PMU_EVENT.fullmatch(printed):
        name, modifiers = match["event"], match["modifiers"]
        core = _CORE_PMU.fullmatch(match["pmu"])
        pmu = core["kind"] if core else None
        if core is None:
            return Event(f"{match['pmu']}/{name}/", None, "u" in modifiers)
    if match := _MODIFIED.fullmatch(name):
        name, modifiers = match["event"], modifiers + match["modifiers"]
    user_only = "u" in modifiers and not set("kh") & set(modifiers)
    return Event(_SYNONYMS.get(name, name), pmu, user_only)


def tallies(
    rows: Iterable[PrintedEvent], *, core_cpus: str | None = None, asked: Collection[str] = ()
) -> dict[str, Tally]:
    """The count of each event, by name, all intervals together.

    Of several kinds of core (hybrid Intel, big.LITTLE), one must have counted all of it: counts that were
    scaled up for the time on another kind are never added. `core_cpus` (`0-15`) is what to pin to then. Where
    an event that was `asked` for has no row at all, the output was cut, and another kind's row may be, too.
    """
    by_name: dict[str, list[PrintedEvent]] = {}
    for row in rows:
        by_name.setdefault(event_of(row.event).name, []).append(row)
    cut = any(event_of(event).name not in by_name for event in asked)
    of_one_kind = {name for name, pmu, _ in map(event_of, asked) if pmu}
    return {
        name: _cut(of_it)
        if cut and name not in of_one_kind and _is_alone(of_it)
        else _tally(of_it, core_cpus)
        for name, of_it in by_name.items()
    }


def _is_alone(rows: Sequence[PrintedEvent]) -> bool:
    return {event_of(row.event).pmu for row in rows} in _ONE_INTEL_KIND


def _cut(rows: Sequence[PrintedEvent]) -> Tally:
    event = event_of(rows[0].event)
    return Tally(
        event, None, "", rows[0].running, f"perf's output was cut: it has a row of {event.pmu} alone"
    )


def _tally(rows: Sequence[PrintedEvent], core_cpus: str | None) -> Tally:
    counted = [row for row in rows if row.value is not None] or rows
    pmus = {event_of(row.event).pmu for row in counted}
    event = event_of(counted[0].event)
    running = min(row.running for row in counted)
    scale, unit = (1.0, "") if counted[0].unit not in _NANOSECONDS else (_NANOSECONDS[counted[0].unit], "ns")
    value = sum(row.value for row in counted if row.value is not None) * scale
    missing = _missing(event, counted, running, value)
    if len(pmus) > 1 and counted[0].value is not None:
        shares = ", ".join(f"{event_of(row.event).pmu} {row.running:g} %" for row in counted)
        pin = f", e.g. --ethrex-prefix 'taskset -c {core_cpus}'" if core_cpus else ""
        missing = f"it ran on several kinds of core ({shares}): pin it to one{pin}"
    return Tally(event, None if missing else value, unit, running, missing)


def _missing(event: Event, rows: Sequence[PrintedEvent], running: float, value: float) -> str | None:
    if rows[0].value is None:
        return {
            "not supported": "this machine does not support it",
            "not counted": "it was not counted: no counter was free for it, or the program never ran",
        }.get(rows[0].state, rows[0].state)
    if running < SCALED_FROM:
        return (
            f"it was counted {running:g} % of the time only: this CPU has too few counters, of which "
            "kernel.nmi_watchdog = 1 takes one"
        )
    if value == 0 and event.user_only and event.name in IN_THE_KERNEL:
        return "it happens in the kernel, and only user space may be counted here"
    if value == 0 and event.name not in SOFTWARE:
        return "this machine supports it but counts nothing: 0"
    return None
