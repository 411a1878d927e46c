"""GitHub's Markdown: a comment on a pull request, or a job's step summary; worst first, details folded."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.report import escape, origin, terminal, text, verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_ethrex_perf.records.measurement import Side
    from pytest_ethrex_perf.records.result import BlockResult, RunResult, SideResult

MARK = "<!-- ethrex-perf -->"
"""The first line: a bot finds its own earlier comment by it, to replace it."""
COMMENT_LIMIT = 65_536
"""GitHub counts characters; here it is bytes, never fewer."""
SUMMARY_LIMIT = 1024 * 1024
"""Bytes of one step's summary."""
MOST_ROWS = 25  # rows of the table that everybody sees; the rest is folded
MOST_DETAILS = 40  # blocks shown in full
_RESERVE = 400  # bytes kept for the sentences that count what was left out
_LONG, _SHORT = 300, 120  # characters of anything from outside
_ROOM = 100  # cells of a block's own table


def dump(result: RunResult, limit: int = COMMENT_LIMIT) -> str:
    """The comment as text, of at most `limit` bytes: verdict, table, then folded details."""
    page = _Page(limit - _RESERVE)
    page.add("\n".join([MARK, *_heading(result), ""]))
    ranked = text.worst_first(result.blocks)
    rows = [(block, row) for block in ranked for row in _rows(block)]
    first = (
        [(block, row) for block, row in rows if not _is_dull(block)][:MOST_ROWS] if len(rows) > 1 else rows
    )
    rest = [(block, row) for block, row in rows if (block, row) not in first]
    shown: list[tuple[BlockResult, str]] = []
    if first:
        page.add("\n".join(_HEADING))
        shown += first[: page.add_while(row for _, row in first)]
        page.add("")
    page.add_while(f"- {reason}" for reason in _reasons(ranked))
    page.add("")
    noteworthy = [b for b in ranked if b.rows and not _passed(b)] if len(ranked) > 1 else ranked
    page.add_while(_details(block) for block in noteworthy[:MOST_DETAILS])
    if (
        rest
        and len(shown) == len(first)
        and page.add("\n".join(["<details>", f"<summary>{_more(rest, first)}</summary>", "", *_HEADING]))
    ):
        shown += rest[: page.add_while(row for _, row in rest)]
        page.close("\n</details>\n")
    if len(shown) < len(rows):
        left = [row for row in rows if row not in shown]
        page.close(f"… and {_more(left, shown)}: too many to show here.\n")
    page.add(_environment(result))
    return page.text()


class _Page:
    """Text that grows as long as there is room, in bytes."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._parts: list[str] = []

    def add(self, part: str) -> bool:
        """Add a line or more if there is room; whether there was."""
        size = len(part.encode()) + 1
        if size > self._room:
            return False
        self.close(part)
        return True

    def add_while(self, parts: Iterable[str]) -> int:
        """Add `parts` up to the first that has no room; how many were added."""
        count = 0
        for part in parts:
            if not self.add(part):
                break
            count += 1
        return count

    def close(self, part: str) -> None:
        """Add what must be there: it comes out of the reserve."""
        self._room -= len(part.encode()) + 1
        self._parts.append(part)

    def text(self) -> str:
        return "\n".join(self._parts) + "\n"


_HEADING = (
    "| Block | Change | Base | Head | Metric | Ggas/s | Gas | Txs | Changed most |",
    "|---|---|--:|--:|---|--:|--:|--:|---|",
)


def _heading(result: RunResult) -> Iterator[str]:
    symbol = text.STANDING[text.standing(result)]
    yield f"### {symbol} ethrex-perf: {escape.markdown(text.news(result), _LONG)}"
    yield ""
    sides = " against ".join(filter(None, [_side("head", result), _side("base", result)]))
    yield f"{sides or 'Measured'} on {escape.code(result.machine, _SHORT)}, in {units.clock(result.wall_s)}."
    if places := origin.job(result):
        yield f"\n{' · '.join(map(origin.markdown, places))}"
    for suite in result.suite:
        yield f"\n{text.symbol(suite)} {escape.markdown(text.mean_headline(suite), _LONG)}"


def _side(name: Side, run: RunResult) -> str:
    """What was measured of one side, named once where it is the same in every block."""
    sides: list[SideResult] = [side for block in run.blocks if (side := getattr(block, name))]
    programs = {side.program.sha256: side.program for side in sides if side.program}
    names = [origin.markdown(origin.program(run, name, program)) for program in programs.values()]
    if any(side.program is None for side in sides):
        names.append(origin.markdown(origin.stored(run, sides)))
    return " and ".join(names[:3])


def _rows(block: BlockResult) -> Iterator[str]:
    """What is judged first: on a telephone the rest is off the screen."""
    name = escape.markdown(block.block, _SHORT)
    about = [_ggas_per_s(block), units.gas(block.gas), str(block.txs or "–")]
    for metric in block.metrics:
        where = _changed_most(block) if metric is block.metrics[0] else ""
        named = escape.markdown(metric.metric, _SHORT)
        yield _row([name, text.short_cell(metric), *verdict.sides(metric), named, *about, where])
    if not block.metrics:
        yield _row([name, text.state(block), "", "", "", *about, ""])


def _ggas_per_s(block: BlockResult) -> str:
    """Of head: gas by the time of exec."""
    speed = next((row.head for row in block.rows if row.unit == "Ggas/s"), None)
    return units.NOTHING if speed is None else f"{speed:.3g}"


def _changed_most(block: BlockResult) -> str:
    """The one function that changed most, by sampled stacks; empty where none was explained."""
    if block.explanation is None or not block.explanation.functions:
        return ""
    worst = block.explanation.functions[0]
    return f"{escape.markdown(worst.name, _SHORT)} {units.signed(worst.change_ms)} ms"


def _reasons(blocks: Iterable[BlockResult]) -> Iterator[str]:
    """Why blocks have no verdict, and why an outcome is not its verdict's."""
    for block in blocks:
        name = escape.markdown(block.block, _SHORT)
        if not block.metrics and (why := text.why(block)):
            yield f"{name}: {text.state(block)}: {escape.markdown(why, _LONG)}"
        for metric in block.metrics:
            if metric.outcome_reason:
                yield f"{name} {metric.metric}: {escape.markdown(metric.outcome_reason, _LONG)}"


def _is_dull(block: BlockResult) -> bool:
    """Whether all of it is unchanged: such rows are folded."""
    return bool(block.metrics) and all(
        metric.outcome == "pass" and metric.decision.verdict == "unchanged" for metric in block.metrics
    )


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _more(rows: Sequence[tuple[BlockResult, str]], before: Sequence[tuple[BlockResult, str]]) -> str:
    """`460 more blocks: 459 unchanged, 1 improvement`, as they stand in the table; `more` than `before`."""
    blocks = list({id(block): block for block, _ in rows}.values())
    more = " more" if before else ""
    return f"{len(blocks)}{more} block{'s' if len(blocks) > 1 else ''} ({text.counts(blocks)})"


def _passed(block: BlockResult) -> bool:
    return bool(block.metrics) and all(metric.outcome == "pass" for metric in block.metrics)


def _details(block: BlockResult) -> str:
    """One block in full, folded: what the terminal shows of it."""
    outcomes = [text.brief(metric) for metric in block.metrics] or [text.state(block)]
    summary = html.escape(escape.silent(escape.line(f"{block.block}: {'; '.join(outcomes)}", _LONG)))
    # plain text in <pre>: a fence of backticks could be closed by what is in it
    lines = [escape.plain(line.text) for line in terminal.block_table(block, room=_ROOM)]
    if block.reproduce and not any(line.startswith("  reproduce: ") for line in lines):
        lines.append(f"  reproduce: {escape.line(block.reproduce)}")
    return _folded(summary, lines)


def _folded(summary: str, lines: Iterable[str]) -> str:
    """Plain `lines` behind a `summary` that is HTML already."""
    content = html.escape("\n".join(line for line in lines if line.strip()))
    return f"<details>\n<summary>{summary}</summary>\n\n<pre>{content}</pre>\n\n</details>\n"


def _environment(result: RunResult) -> str:
    machine = result.measured_on
    facts = {
        "pytest-ethrex-perf": result.version,
        "started": result.started,
        "comparisons that share the risk": str(result.gatings),
        "a time is": text.times(result.blocks),
        **{name: text.fact(fact) for name, fact in (machine.keyed | machine.recorded).items()},
        **result.settings,
    }
    lines = (f"{escape.line(name, _SHORT)}: {escape.line(value, _LONG)}" for name, value in facts.items())
    return _folded("Machine and settings", lines)
