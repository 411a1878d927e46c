"""The terminal's tables: one per block in the style of poop, one over all as ethrex's engineers know it."""

from __future__ import annotations

import textwrap
import unicodedata
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.profile import tables
from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.records.metric import DEFAULT
from pytest_ethrex_perf.report import escape, text, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from pytest_ethrex_perf.records.result import BlockResult, MetricResult, RunResult

ROOM = 160
MOST_BLOCKS = 8  # blocks shown with a table of their own, unless -v
MOST_ROWS = 40  # rows of the table over all blocks, unless -v
MOST_WARNINGS = 10
MOST_FUNCTIONS = 5  # functions of a profile, unless -v


class Line(NamedTuple):
    """A line and how it is shown; colour never carries what the words do not."""

    text: str
    style: str = ""
    """`red`, `green`, `yellow`, `bold` or nothing."""


def summary(
    result: RunResult,
    *,
    verbosity: int = 0,
    shown: Collection[str] = (),
    room: int = ROOM,
    words: bool = True,
) -> list[Line]:
    """Everything at the end of a run, in lines of `room` cells where words allow it.

    `verbosity` as pytest's: -2 only what a green run must not hide, -1 the table over all blocks, too, 0 the
    worst blocks, 1 every block, 2 how each was decided. Blocks of `shown` were shown before, among the
    failures. Without colours the table over all blocks needs its `words`.
    """
    lines: list[Line] = []
    measured = text.worst_first(b for b in result.blocks if b.rows and b.block not in shown)
    if verbosity >= 0:
        most = len(measured) if verbosity > 0 else MOST_BLOCKS
        for block in measured[:most]:
            lines += [*block_table(block, verbosity=verbosity, room=room), Line("")]
        if len(measured) > most:
            lines += [Line(f"(and {len(measured) - most} more: -v shows each)"), Line("")]
    if verbosity >= -1:
        lines += overview(result, every=verbosity > 0, room=room, words=words)
    for suite in result.suite:
        lines += _wrapped(text.mean_headline(suite), _style(suite.outcome), room)
    warnings = [warning for block in result.blocks for warning in _warnings(block)]
    kept = warnings if verbosity > 0 else warnings[:MOST_WARNINGS]
    for warning in kept:
        lines += _wrapped(warning, "yellow", room)
    if len(kept) < len(warnings):
        lines.append(Line(f"… and {len(warnings) - len(kept)} more such lines (-v shows all)", "yellow"))
    if verbosity < 0:  # no block has a table
        for block in result.blocks[:MOST_WARNINGS]:
            lines += _advice(block, room)
    return lines


def block_table(
    block: BlockResult, *, verbosity: int = 0, room: int = ROOM, said: Collection[str] = ()
) -> list[Line]:
    """One block: what was measured on both sides, the verdicts, and what the reader should know.

    The verdicts of the metrics of `said` stand above it already.
    """
    lines = _wrapped(_title(block), "bold", room)
    for name, style in _STATES.items():
        if getattr(block, name):
            lines += _wrapped(f"  {name}: {getattr(block, name)}", style, room)
    lines += [Line("  " + row) for row in _rows(block, room - 2, every=verbosity > 0)]
    if verbosity > 0:
        lines += [Line(f"  ({row.remark})") for row in block.rows if row.remark]
    for metric in block.metrics:
        lines += _verdict(metric, block, verbosity, room, said=metric.metric in said)
        if verbosity > 1:
            lines += _looks(metric)
    if verbosity > 1:
        lines += [Line("  " + row) for row in _phases(block)]
    beside = [f"({line})" for line in text.beside(block)]
    for line in (*_profiled(block, verbosity, room - 2), *beside):
        lines += _wrapped(f"  {line}", "", room)
    for note in block.notes:
        lines += _wrapped(f"  note: {note}", "yellow", room)
    lines += _advice(block, room)
    if any(metric.outcome == "fail" for metric in block.metrics):
        lines.append(Line(f"  reproduce: {_harmless(block.reproduce)}"))  # never wrapped: it is copied
    return lines


def overview(result: RunResult, *, every: bool = False, room: int = ROOM, words: bool = True) -> list[Line]:
    """The table Block / Txs / Gas / Baseline / Head / Delta, worst first.

    With `words` verdicts are not said by emoji alone, and where room is short before the interval.
    """
    entries: list[tuple[tuple[str, ...], MetricResult | None, str]] = []
    for block in text.worst_first(result.blocks):
        about = (block.block, str(block.txs or "–"), units.gas(block.gas))
        if not block.metrics:
            state = text.state(block)
            entries.append(((*about, "", "", state), None, _STATES.get(state, "yellow")))
        for metric in block.metrics:
            sides = verdict.sides(metric)
            name = "" if metric.metric == DEFAULT else f"{metric.metric} "
            entries.append(((*about, *sides, name), metric, _style(metric.outcome)))
    kept = entries if every else entries[:MOST_ROWS]
    heading = ("Block", "Txs", "Gas", "Baseline", "Head", "Delta")

    def table(cell: Callable[[MetricResult], str]) -> list[str]:
        rows = [(*row[:-1], row[-1] + (cell(metric) if metric else "")) for row, metric, _ in kept]
        return columns([heading, *rows], right={1, 2, 3, 4})

    def mixed() -> list[str]:
        shortest = partial(text.shortest_cell, word=words)
        rows = zip(table(short_cell), table(shortest), table(text.shortest_cell), strict=True)
        return [next((line for line in row if width(line) <= room), row[-1]) for row in rows]

    cell, short_cell = partial(text.cell, word=words), partial(text.short_cell, word=words)
    shown = _fitting(room, [partial(table, cell), partial(table, short_cell), mixed])
    lines = [Line(shown[0], "bold")]
    lines += [Line(line, style) for line, (*_, style) in zip(shown[1:], kept, strict=True)]
    if len(kept) < len(entries):
        rest = [text.kind(metric) if metric else row[-1] for row, metric, _ in entries[len(kept) :]]
        lines += _wrapped(f"… and {len(rest)} more: {text.tally(rest)} (-v shows all)", "", room)
    return lines


_STATES = {"error": "red", "skipped": "yellow", "recorded": "green"}


def _rows(block: BlockResult, room: int, *, every: bool) -> list[str]:
    """The block's own table; of what was counted the most telling, or `every` row."""
    judged = {metric.metric: metric for metric in block.metrics}
    shown = [row for row in block.rows if every or not row.detail or row.metric in judged]

    def table(cell: Callable[[MetricResult], str], *, spread: bool = True) -> list[str]:
        sd = " ± sd" if spread and any(row.base_sd or row.head_sd for row in shown) else ""
        cells = [("", f"base{sd}", f"head{sd}", "delta")]
        for row in shown:
            change = "" if row.change is None else units.change(row.change)
            delta = cell(judged[row.metric]) if row.metric in judged else change
            sides = (
                (text.spread(row, "base"), text.spread(row, "head"))
                if spread
                else (units.quantity(row.base, row.unit), units.quantity(row.head, row.unit))
            )
            cells.append((row.name, *sides, delta))
        return columns(cells if block.base else [(name, head, "", "") for name, _, head, _ in cells])

    if not shown:
        return []
    tables = [partial(table, text.cell), partial(table, text.short_cell)]
    bare = [partial(table, cell, spread=False) for cell in (text.short_cell, text.shortest_cell)]
    return _fitting(room, [*tables, *bare])


def _fitting(room: int, tables: Sequence[Callable[[], list[str]]]) -> list[str]:
    """The first of `tables` that fits, or else the last."""
    for table in tables[:-1]:
        lines = table()
        if max(map(width, lines)) <= room:
            return lines
    return tables[-1]()


def _verdict(
    result: MetricResult, block: BlockResult, verbosity: int, room: int, *, said: bool
) -> Iterator[Line]:
    if not said:
        sentences = text.sentences(result, text.replicates(block))
        yield from _wrapped(f"  {verdict.label(result)}: {sentences}", _style(result.outcome), room)
    if verbosity > 0:
        yield from _wrapped(f"    {text.rules(result)}", "", room)
    context = result.context
    if context is not None and context.estimate is not None:
        change = units.log_percent(context.estimate, units.decimals(result.rules.margin))
        yield Line(f"  (stored baseline, for information: {change})")


def _profiled(block: BlockResult, verbosity: int, room: int) -> Iterable[str]:
    """Which functions changed, or where head's time goes."""
    top = None if verbosity > 0 else MOST_FUNCTIONS
    if block.explanation is not None:
        return tables.explanation(block.explanation, top, room, threads=verbosity > 0)
    if block.profile is not None:
        return tables.hotspots(block.profile, top, room)
    return ()


def _looks(result: MetricResult) -> list[Line]:
    """A table of the looks at the pairs: what each saw, and what it needed."""
    if not result.decision.looks:
        return []
    places = units.decimals(result.rules.margin)
    table = [("look", "estimate", "interval", "sd", "p slower", "p unchanged", "")]
    table += [
        (
            f"{look.pairs} pairs",
            units.log_percent(look.estimate, places),
            f"{units.log_percent(look.low, places)} … {units.log_percent(look.high, places)}",
            units.percent(look.sd, places),
            f"{look.p_slower:.2g} (needs {look.alpha:.2g})",
            f"{look.p_equivalent:.2g} (needs {look.beta:.2g})",
            verdict.of_look(look, result.decision),
        )
        for look in result.decision.looks
    ]
    return [Line("    " + line) for line in columns(table)]


def _phases(block: BlockResult) -> list[str]:
    base, head = (side.phases if side else {} for side in (block.base, block.head))
    names = list(dict.fromkeys([*base, *head]))
    if not names:
        return []
    table = [("phase", "base", "head")]
    table += [(name, units.phase(base.get(name)), units.phase(head.get(name))) for name in names]
    return columns(table, right={1, 2})


def columns(rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> list[str]:
    """Align `rows` in columns two spaces apart; those of `right` to the right."""
    aligned = set(right)
    rows = [[_harmless(value) for value in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            " " * (size - width(value)) + value if index in aligned else value + " " * (size - width(value))
            for index, (value, size) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def width(value: str) -> int:
    """Terminal cells that `value` takes: emoji and East Asian wide characters take two."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in value
    )


def _harmless(content: str) -> str:
    """`content` in one line, without what moves a terminal's cursor or changes its state."""
    return escape.shown(" ".join(escape.plain(content).splitlines())).expandtabs(1)


def _wrapped(sentence: str, style: str, room: int) -> list[Line]:
    """`sentence` in lines of `room` cells, the later ones indented; words and paths stay whole."""
    sentence = _harmless(sentence)
    indent = " " * (len(sentence) - len(sentence.lstrip()) + 4)
    lines = textwrap.wrap(
        sentence, room, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return [Line(line, style) for line in lines]


def _title(block: BlockResult) -> str:
    about = [] if block.gas is None else [f"{block.txs} txs, {units.gas(block.gas)}"]
    return " · ".join([block.block, *about, text.measurement(block), f"repeat {block.repeat}"])


def _warnings(block: BlockResult) -> list[str]:
    """What a green run must not hide."""
    skipped = [] if block.skipped is None else [f"{block.block}: skipped: {block.skipped}"]
    return skipped + [
        "; ".join(
            filter(
                None,
                (
                    f"{block.block}: {verdict.label(metric)}: {verdict.what(metric)}",
                    verdict.passed_by(metric),
                ),
            )
        )
        for metric in block.metrics
        if metric.decision.verdict == "inconclusive"
    ]


def _advice(block: BlockResult, room: int) -> list[Line]:
    """The command that would decide it, and why that one."""
    if block.advice is None:
        return []
    # never wrapped: it is copied
    return [
        *_wrapped(f"  to decide it here ({block.advice.reason}):", "", room),
        Line(f"    {_harmless(block.advice.command)}"),
    ]


def _style(outcome: str) -> str:
    return {"fail": "red", "warn": "yellow", "waived": "yellow"}.get(outcome, "green")
