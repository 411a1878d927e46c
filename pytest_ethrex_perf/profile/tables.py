"""How profiles read in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ethrex_perf.profile import analyses, stacks
from pytest_ethrex_perf.profile.names import printable
from pytest_ethrex_perf.records import units

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pytest_ethrex_perf.profile.analyses import Portion
    from pytest_ethrex_perf.profile.stacks import Profile
    from pytest_ethrex_perf.records.profile import BlockProfile, Explanation, FunctionChange

_NAME_WIDTH = 100
_SHORTEST = 20  # of a name that was cut
_GAPS = 4  # characters between columns, or before and after the arrow to a caller
ROOM = 160
"""Characters of a line."""


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


def analysis(title: str, rows: Sequence[Portion], ms_per_sample: float | None = None) -> list[str]:
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
                        units.percent(row.share),
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
    repeats = sum(len(each.exec_ns) for each in profiles)
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
    notes = dict.fromkeys(note for each in profiles for note in each.notes)
    cut = stacks.cut_sentence(stacks.cut_off(every))
    return [*lines, *(f"note: {note}" for note in (*notes, *filter(None, [cut])))]


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


def explanation(
    explained: Explanation, top: int | None = 15, room: int = ROOM, *, threads: bool = True
) -> Iterator[str]:
    """The change of exec (or prep), function by function, and what that adds up to.

    `top` functions (None: all) in lines of `room` characters; sentences are longer.
    """
    measured, *sums = sentences(explained)
    yield measured
    shown = explained.functions[:top]
    if shown:
        yield "CPU ms per block, self time, by what changed most:"
        yield from _changes(shown, ("change", "±", "base", "head", "function"), room)
        if len(explained.functions) > len(shown):
            rest = sum(change.change_ms for change in explained.functions[len(shown) :])
            yield f"  and {len(explained.functions) - len(shown)} more, together {units.signed(rest)} ms"
    yield from sums
    if len(explained.threads) > 1 and threads:
        yield "by thread:"
        yield from _changes(explained.threads, ("change", "±", "base", "head", "thread"), room)
    for note in explained.notes:
        yield f"note: {note}"


def sentences(explained: Explanation) -> list[str]:
    """What is said of an explanation besides its tables: first what is explained, then the sums."""
    change_ms = explained.exec_head_ms - explained.exec_base_ms
    whose = "measured by the gate" if explained.exec_measured else "of the profiled invocations, wall time"
    cpu_ms = explained.cpu_head_ms - explained.cpu_base_ms
    shown_ms = sum(change.change_ms for change in explained.functions)
    measured = (
        f"{explained.metric} {explained.exec_base_ms:.2f} → {explained.exec_head_ms:.2f} ms "
        f"({units.signed(change_ms)} ms, {whose}); "
        f"{explained.repeats[0]} and {explained.repeats[1]} repeats profiled"
    )
    sums = (
        f"these add up to {units.signed(shown_ms)} ms; {explained.left_out} others, each within two standard "
        f"errors, to {units.signed(explained.left_out_ms)} ms: CPU time on all threads "
        f"{units.signed(cpu_ms)} ± {units.phase(explained.cpu_error_ms)}"
    )
    unexplained = (
        f"{explained.metric}'s own change differs from that by {units.signed(explained.unexplained_ms)} ms "
        "(the kernel, waiting, and what threads do beside each other)"
    )
    nothing = [] if explained.functions else ["no function changed by more than two standard errors"]
    return [measured, *nothing, sums, unexplained]


def hotspots(profile: BlockProfile, top: int | None = 15, room: int = ROOM) -> Iterator[str]:
    """Where head's time goes, for a block that has nothing to be compared with."""
    yield (
        f"head, {profile.phase}: CPU ms per block, self time ({profile.recorder}, "
        f"{profile.repeats[1]} repeats):"
    )
    shown = profile.hotspots[:top]
    numbers = aligned(([units.phase(spot.ms), units.percent(spot.share)] for spot in shown), right=2)
    for line, spot in zip(numbers, shown, strict=True):
        yield f"  {line}  {cut(spot.name, room - len(line) - _GAPS)}"


def cells(change: FunctionChange) -> list[str]:
    """Change, its error, base and head in ms, the name and, where it is another, its caller."""
    return [
        units.signed(change.change_ms),
        f"{change.error_ms:.2f}",
        f"{change.base_ms:.2f}",
        f"{change.head_ms:.2f}",
        change.name,
        "" if change.caller in (None, change.name) else change.caller or "",
    ]


def _changes(changes: Sequence[FunctionChange], heading: Sequence[str], room: int) -> Iterator[str]:
    rows = [cells(change) for change in changes]
    numbers = aligned([heading[:-1], *(row[:-2] for row in rows)], right=len(heading) - 1)
    left = room - len(numbers[0]) - _GAPS
    names = [heading[-1], *(_called(row[-2], row[-1], left) for row in rows)]
    for line, name in zip(numbers, names, strict=True):
        yield f"  {line}  {name}"


def _called(name: str, caller: str, room: int) -> str:
    """A function and, where there is one and room for it, its caller."""
    name = cut(name, room)
    left = room - len(name) - _GAPS
    return f"{name}  ← {cut(caller, left)}" if caller and left >= _SHORTEST else name


def cut(name: str, room: int = _NAME_WIDTH) -> str:
    """A function's name that fits, its end kept; characters that steer a terminal are gone."""
    name = printable(name)
    room = max(room, _SHORTEST)
    return name if len(name) <= room else f"…{name[-room + 1 :]}"
