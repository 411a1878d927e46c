"""How profiles read in a terminal."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from pytest_ethrex_perf.profile import analyses, stacks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pytest_ethrex_perf.profile.analyses import Row
    from pytest_ethrex_perf.profile.doctor import Finding
    from pytest_ethrex_perf.profile.stacks import Profile
    from pytest_ethrex_perf.results import Explanation, FunctionChange

_MARKS = {"ok": "✅", "better": "⚠️", "missing": "❌"}
_NAME_WIDTH = 100


def aligned(rows: Iterable[Sequence[str]], *, right: int) -> list[str]:
    """Lines of a table whose first `right` columns are numbers."""
    rows = [list(row) for row in rows]
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(right)]
    return [
        "  ".join([*(row[column].rjust(widths[column]) for column in range(right)), *row[right:]]).rstrip()
        for row in rows
    ]


def analysis(title: str, rows: Sequence[Row], ms_per_sample: float | None = None) -> list[str]:
    """One analysis; with `ms_per_sample` each row also in CPU ms per block."""
    if not rows:
        return [title, "  none"]
    return [
        title,
        *(
            f"  {line}"
            for line in aligned(
                (
                    [
                        f"{row.samples:,}",
                        f"{100 * row.share:.1f} %",
                        *([f"{row.samples * ms_per_sample:.3f} ms"] if ms_per_sample is not None else []),
                        cut(row.name),
                    ]
                    for row in rows
                ),
                right=2 if ms_per_sample is None else 3,
            )
        ),
    ]


def profile(profiles: Sequence[Profile], top: int = 15) -> list[str]:
    """What `ethrex-perf profile` says of one program: phases, and of execution where the time goes."""
    every = stacks.total(profiles)
    repeats = sum(len(one.exec_ns) for one in profiles)
    first = profiles[0]
    lines = [
        f"{first.block}, {first.label}: {every.total():,} samples ({first.recorder}), {repeats} repeats",
        *analysis("by phase", analyses.table(analyses.phases(every), every.total())),
    ]
    executing = stacks.total(profiles, ["exec"])
    total = executing.total()
    ms = first.period_ns / 1e6 / repeats
    if total:
        for title, counts in (
            ("execution, self time, CPU ms per block", analyses.self_time(executing)),
            ("execution, by ethrex crate", analyses.crates(executing)),
            ("execution, by thread", analyses.threads(executing)),
            ("execution, LEVM opcodes, what they call included", analyses.opcodes(executing)),
        ):
            if set(counts) - {analyses.OTHER}:
                lines += ["", *analysis(title, analyses.table(counts, total, top), ms)]
        for title, counted in (
            ("execution, allocation pressure", analyses.allocations(executing)),
            ("execution, data-structure overhead", analyses.structures(executing)),
        ):
            sums = {name: sum(callers.values()) for name, callers in counted.items()}
            if any(sums.values()):
                lines += [
                    "",
                    *analysis(title, analyses.table({n: s for n, s in sums.items() if s}, total), ms),
                ]
    return [*lines, *(f"note: {note}" for note in dict.fromkeys(n for one in profiles for n in one.notes))]


def families(
    title: str,
    counted: Mapping[str, Mapping[str, int]],
    total: int,
    top: int,
    ms_per_sample: float | None = None,
) -> list[str]:
    """Families (malloc, BTreeMap, …), each with its callers below it."""
    sums = {family: sum(callers.values()) for family, callers in counted.items()}
    lines = analysis(title, analyses.table({name: n for name, n in sums.items() if n}, total), ms_per_sample)
    for family, callers in sorted(counted.items(), key=lambda item: -sums[item[0]]):
        if callers:
            rows = analyses.table(callers, total, top)
            lines += ["", *analysis(f"  {family}, by the ethrex function that calls it", rows, ms_per_sample)]
    return lines


def explanation(found: Explanation, top: int = 15) -> Iterator[str]:
    """The change of exec, function by function, and what that adds up to."""
    change_ms = found.exec_head_ms - found.exec_base_ms
    whose = "measured by the gate" if found.exec_measured else "of the profiled invocations, wall time"
    yield (
        f"exec {found.exec_base_ms:.2f} → {found.exec_head_ms:.2f} ms ({_signed(change_ms)} ms, {whose}); "
        f"{found.repeats[0]} and {found.repeats[1]} repeats profiled"
    )
    if found.functions:
        yield "CPU ms per block, self time, by what changed most:"
        heading = ("change", "±", "base", "head", "function")
        yield from _changes(found.functions[:top], heading, callers=True)
        if len(found.functions) > top:
            rest = sum(change.change_ms for change in found.functions[top:])
            yield f"  and {len(found.functions) - top} more, together {_signed(rest)} ms"
    else:
        yield "no function changed by more than two standard errors"
    cpu_ms = found.cpu_head_ms - found.cpu_base_ms
    told_ms = sum(change.change_ms for change in found.functions)
    yield (
        f"these add up to {_signed(told_ms)} ms; {found.left_out} others, each within two standard errors, "
        f"to {_signed(found.left_out_ms)} ms: CPU time on all threads {_signed(cpu_ms)} ± "
        f"{found.cpu_error_ms:.2f} ms"
    )
    yield (
        f"exec's own change differs from that by {_signed(found.unexplained_ms)} ms "
        "(the kernel, waiting, and what threads do beside each other)"
    )
    if len(found.threads) > 1:
        yield "by thread:"
        yield from _changes(found.threads, ("change", "±", "base", "head", "thread"), callers=False)
    for note in found.notes:
        yield f"note: {note}"


def _changes(changes: Sequence[FunctionChange], heading: Sequence[str], *, callers: bool) -> Iterator[str]:
    rows = [
        [
            _signed(change.change_ms),
            f"{change.error_ms:.2f}",
            f"{change.base_ms:.2f}",
            f"{change.head_ms:.2f}",
            cut(change.name)
            + (
                f"  ← {cut(change.caller)}"
                if callers and change.caller and change.caller != change.name
                else ""
            ),
        ]
        for change in changes
    ]
    for line in aligned([heading, *rows], right=4):
        yield f"  {line}"


def findings(found: Iterable[Finding]) -> Iterator[str]:
    """The doctor's findings, each with the command that helps below it."""
    for one in found:
        yield f"{_MARKS[one.state]} {one.name}: {one.told}"
        if one.fix is not None:
            yield f"      {one.fix}"


def cut(name: str) -> str:
    """A function's name that fits, its end kept; characters that steer a terminal are gone."""
    name = "".join(c for c in name if unicodedata.category(c)[0] != "C")
    return name if len(name) <= _NAME_WIDTH else f"…{name[-_NAME_WIDTH + 1 :]}"


def _signed(ms: float) -> str:
    text = f"{ms:+.2f}"
    return text.replace("-", "−") if float(text) else "0.00"
