"""One self-contained page: everything about a run, to look at; nothing is loaded from anywhere.

The template escapes every value; a content security policy allows the page's own script alone.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import shlex
from typing import TYPE_CHECKING

from pytest_ethrex_perf.profile import flamegraph
from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.records.metric import DEFAULT
from pytest_ethrex_perf.report import charts, glossary, origin, overview_chart, packing, page_files, text
from pytest_ethrex_perf.report.block_view import KINDS, BlockView

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_ethrex_perf.records.measurement import Program
    from pytest_ethrex_perf.records.result import RunResult
    from pytest_ethrex_perf.report.origin import Part

_OPTIONAL = re.compile(r"</t[dh]>\s*(?=</?t[dhr]\b)|</tr>\s*(?=<tr\b|</t(?:head|body)>)|(?<=\n) +(?=<)")
"""End tags that HTML lets out, and indentation: a fifth of what the details of many blocks take."""
_PLAIN = 600_000
"""Characters of details that a page holds as they are; those of some 25 blocks."""


def dump(result: RunResult) -> str:
    """The page's HTML."""
    page_template, block_template = (
        page_files.template(name, gas=units.gas, percent=units.percent, phase=units.phase, fact=text.fact)
        for name in ("page.html.jinja", "block.html.jinja")
    )
    scripts = [page_files.content("page.js"), page_files.content("glossary.js")]
    style = page_files.content("page.css")
    if any(block.profile for block in result.blocks):  # the other pages stay small
        scripts.append(flamegraph.script())
        style += "\n" + flamegraph.style()
    decisions = [metric.decision for block in result.blocks for metric in block.metrics]
    reach = charts.reach(ends for decision in decisions for ends in (decision.ci95, decision.interval))
    views = [BlockView(index, block, reach) for index, block in enumerate(text.worst_first(result.blocks))]
    kinds = [row.kind for view in views for row in view.rows]
    details = [_OPTIONAL.sub("", block_template.render(view=view)).strip() for view in views]
    plain = _plain(details)
    packed = packing.pack(details[plain:])
    standing = text.standing(result)
    page = page_template.render(
        run=result,
        news=text.news(result),
        state=standing,
        symbol=text.STANDING[standing],
        blocks=[
            *((view, plain_text, None) for view, plain_text in zip(views, details[:plain], strict=False)),
            *((view, None, part) for view, part in zip(views[plain:], packed.parts, strict=True)),
        ],
        packed=packed,
        axis=charts.forest_axis(reach),
        by_gas=list(overview_chart.figures(views)),
        chips=[(kind, kinds.count(kind)) for kind in KINDS if kind in kinds],
        programs=list(_programs(result)),
        places=origin.job(result),
        command=lambda program: shlex.join([*program.prefix, *program.command]),
        suite=[(text.kind(mean), text.mean_headline(mean)) for mean in result.suite],
        glossary=glossary.explained(),
        default_metric=DEFAULT,
        times=text.times(result.blocks),
        wall=units.clock(result.wall_s),
        scripts=scripts,
        style=style,
        digests=" ".join(f"'sha256-{_digest(script)}'" for script in scripts),
    )
    return _OPTIONAL.sub("", page).rstrip() + "\n"


def _plain(details: Sequence[str]) -> int:
    """How many details are in the page as they are: the worst, for readers without JavaScript."""
    sizes = itertools.accumulate(map(len, details))
    return sum(size <= _PLAIN for size in sizes)


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _programs(result: RunResult) -> Iterator[tuple[str, Program | None, list[Part]]]:
    """(side, program or None for stored baselines, what it is called), each once."""
    stored = origin.stored(result, [block.base for block in result.blocks if block.base])
    seen = set()
    for side in ("head", "base"):
        for block in result.blocks:
            summary = block.base if side == "base" else block.head
            if summary is None:
                continue
            key = (side, summary.program.sha256 if summary.program else None)
            if key not in seen:
                seen.add(key)
                program = summary.program
                name = origin.program(result, side, program) if program else stored
                yield side, program, name
