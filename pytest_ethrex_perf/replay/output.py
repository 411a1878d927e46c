"""What the program printed: ethrex-replay's lines into plain data, never an exception.

Formats: ethrex-replay's `src/cli.rs`, `src/profiling.rs` and `src/report.rs`; for the `[METRIC]` lines see
`phases`. Only complete lines (ended by a newline) count, so that an output which was cut off anywhere is seen
to be cut off. Reading takes time in proportion to the output: of a line no more than `LINE_LIMIT` characters
are looked at, and patterns are matched from a line's start.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction

from pytest_ethrex_perf.replay.phases import median_phases

_UNITS = {"ns": 1, "µs": 1_000, "μs": 1_000, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
# digits are bounded: nothing that takes centuries is a duration, and int() refuses very long texts
_DURATION = r"[0-9]{1,19}(?:\.[0-9]{1,19})?(?:ns|µs|μs|us|ms|s)"
LINE_LIMIT = 4096
"""Characters of a line that are looked at; the longest line that says anything has some hundred."""
_DURATION_PARTS = re.compile(r"(?P<number>[0-9.]+)(?P<unit>\D+)")

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\))")
_TRACING = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:\.[0-9]+)?Z[ ]+(?P<level>TRACE|DEBUG|INFO|WARN|ERROR)[ ]+"
    r"(?:[a-z_][a-z0-9_]*(?:::[a-z0-9_]+)*:[ ])?(?P<message>.*)"
)
_REPEAT = re.compile(
    rf"#[ ]*(?P<index>[0-9]{{1,9}}): prep=[ ]*(?P<prep>{_DURATION}) exec=[ ]*(?P<exec>{_DURATION}) "
    rf"total=[ ]*{_DURATION}"
)
_SINGLE_PREP = re.compile(rf"Storage preparation finished in (?P<prep>{_DURATION})")
_SINGLE_EXEC = re.compile(rf"add_block_pipeline execution time: (?P<exec>{_DURATION})")
_HEADER = re.compile(r"=== Profiling Results \((?P<runs>[0-9]{1,9}) runs\) ===")
_SECTIONS = ("Preparation:", "Execution (add_block_pipeline):")
_STATISTICS = ("min", "max", "mean", "median", "stddev", "p95", "p99")
_STATISTIC = re.compile(rf"(?P<name>[a-z0-9]{{1,9}}):[ ]{{1,40}}(?P<value>{_DURATION})")
_REPORT = re.compile(
    r"\[(?P<network>[^\]]+)\] Block: (?P<number>[0-9]{1,20}), Gas: (?P<gas>[0-9]{1,20}), "
    r"#Txs: (?P<txs>[0-9]{1,20}), (?P<result>.+)"
)
_WORKLOAD = re.compile(
    r"Custom workload '(?P<name>[^']{1,64})' \(seed (?P<seed>[0-9]{1,20})\): "
    r"(?P<blocks>[0-9]{1,20}) block\(s\), (?P<txs>[0-9]{1,20}) transaction\(s\), "
    r"(?P<gas>[0-9]{1,20}) total gas"
)
_FAILED = re.compile(r"Execution Error: |Execution Result: \W{0,9}Failed with ")
_EXPLORER = re.compile(r" \| https?://")
_OPCODES = re.compile(r"Opcodes executed: (?P<opcodes>[0-9]{1,18}) per repeat(?: .*)?")


@dataclass(frozen=True, slots=True)
class Repeat:
    """One `#NN` line, or the two lines that stand for it with `--repeat 1`; times in ns."""

    index: int
    prep_ns: int
    exec_ns: int


@dataclass(frozen=True, slots=True)
class Report:
    """The line at the end: `[hoodi] Block: 1265656, Gas: 4402947, #Txs: 11, …`."""

    network: str
    number: int
    gas: int
    txs: int
    result: str
    """What follows: `Execution Time: 00s 089ms | URL` of a success."""

    @property
    def is_success(self) -> bool:
        """Whether it says how long execution took; failures have had several wordings."""
        return self.result.startswith("Execution Time: ")


@dataclass(frozen=True, slots=True)
class CustomReport:
    """What follows the report of a workload: `Custom workload 'keccak' (seed 0): 1 block(s), …`."""

    name: str
    seed: int
    blocks: int
    txs: int
    gas: int


@dataclass(frozen=True, slots=True)
class Output:
    """Everything that was read from one invocation's stdout."""

    repeats: tuple[Repeat, ...] = ()
    """The `#NN` lines in the order printed; the one repeat of the form without a stats block has index 1."""
    profiled: int | None = None
    """R of `=== Profiling Results (R runs) ===`; None in the form of `--repeat 1`."""
    statistics: tuple[dict[str, int], dict[str, int]] | None = None
    """Of prep and of exec in ns, by name (`min`, `max`, `mean`, …), as printed; None unless all statistics of
    both sections came, in order, and after them `Individual runs:`."""
    report: Report | None = None
    """The last report line, of a success or of a failure."""
    custom: CustomReport | None = None
    """What was said of a workload."""
    execution_error: str | None = None
    """Text after `Execution Error: `, without the explorer's URL: a failure, whatever the exit code."""
    is_logged: bool = False
    """Whether any line, complete or not, is one of ethrex-replay's log."""
    errors: tuple[str, ...] = ()
    """Messages logged at level ERROR (also one that was cut off)."""
    opcodes: int | None = None
    """Opcodes executed per repeat, where the program counts them."""
    phases: dict[str, float] = field(default_factory=dict)
    """Median over the repeats of each phase in ms, from the `[METRIC]` lines that parse."""


def duration_ns(text: str) -> int:
    """Read a Rust duration (`{:.2?}`: `832.00ns`, `832.11µs`, `59.23ms`, `1.20s`, `1000.00ms`) as integer ns.

    Half a nanosecond rounds to even. Raises `ValueError` for anything else.
    """
    text = text.strip()
    parts = _DURATION_PARTS.fullmatch(text) if re.fullmatch(_DURATION, text) else None
    if parts is None:
        raise ValueError(f"not a duration: {text[:40]!r}")
    return round(Fraction(parts["number"]) * _UNITS[parts["unit"]])


def strip_ansi(text: str) -> str:
    """Remove terminal colours: tracing prints them into pipes too, unless NO_COLOR is set."""
    return _ANSI.sub("", text)


def parse(stdout: str) -> Output:
    """Read an invocation's stdout; whether it was a success is for `invocation` to say."""
    *lines, cut_off = strip_ansi(stdout).split("\n")
    entries = [_entry(line) for line in lines]
    messages = [message for _, message in entries]
    logged = [entry for entry in (*entries, _entry(cut_off)) if entry[0] is not None]
    header = _last(_HEADER, messages)
    repeats = _profiled(messages) if header else _single(messages)
    report = _last(_REPORT, messages)
    custom = _last(_WORKLOAD, messages)
    opcodes = _last(_OPCODES, messages)
    return Output(
        repeats=tuple(repeats),
        profiled=int(header["runs"]) if header else None,
        statistics=_statistics(messages),
        report=_report(report) if report else None,
        custom=_custom(custom) if custom else None,
        execution_error=_execution_error(messages),
        is_logged=bool(logged),
        errors=tuple(message for level, message in logged if level == "ERROR" and message),
        opcodes=int(opcodes["opcodes"]) if opcodes else None,
        phases=median_phases(messages),
    )


def _entry(line: str) -> tuple[str | None, str]:
    """Return level and message; a line that tracing did not begin (a continuation) has no level."""
    line = line[:LINE_LIMIT]
    match = _TRACING.fullmatch(line.rstrip("\r"))
    return (match["level"], match["message"].strip()) if match else (None, line.strip())


def _last(pattern: re.Pattern[str], messages: list[str]) -> re.Match[str] | None:
    matches = (pattern.fullmatch(message) for message in reversed(messages))
    return next((match for match in matches if match), None)


def _profiled(messages: list[str]) -> list[Repeat]:
    return [
        Repeat(int(match["index"]), duration_ns(match["prep"]), duration_ns(match["exec"]))
        for match in map(_REPEAT.fullmatch, messages)
        if match
    ]


def _single(messages: list[str]) -> list[Repeat]:
    prep, execution = _last(_SINGLE_PREP, messages), _last(_SINGLE_EXEC, messages)
    if prep is None or execution is None:
        return []
    return [Repeat(1, duration_ns(prep["prep"]), duration_ns(execution["exec"]))]


def _report(match: re.Match[str]) -> Report:
    return Report(
        match["network"], int(match["number"]), int(match["gas"]), int(match["txs"]), match["result"]
    )


def _custom(match: re.Match[str]) -> CustomReport:
    name, *numbers = match.groups()
    return CustomReport(name, *map(int, numbers))


def _execution_error(messages: list[str]) -> str | None:
    for message in messages:
        if failed := _FAILED.search(message):
            error = message[failed.end() :]
            explorer = _EXPLORER.search(error)
            return (error[: explorer.start()] if explorer else error).strip()
    return None


def _statistics(messages: list[str]) -> tuple[dict[str, int], dict[str, int]] | None:
    """Both sections of statistics; other lines may come in between (a warning of another thread)."""
    remaining = iter(messages)
    sections: list[dict[str, int]] = []
    for title in _SECTIONS:
        if title not in remaining:
            return None
        section: dict[str, int] = {}
        for name in _STATISTICS:
            statistic = next(
                (m for m in map(_STATISTIC.fullmatch, remaining) if m and m["name"] == name), None
            )
            if statistic is None:
                return None
            section[name] = duration_ns(statistic["value"])
        sections.append(section)
    return (sections[0], sections[1]) if "Individual runs:" in remaining else None
