"""Stacks and how often each was seen: folded text (Brendan Gregg's format), and a `Profile` that knows more.

A folded line is `frame;frame;…;leaf COUNT`, root first. Ours begin with the phase and the thread:
`[exec];ethrex-replay;main;…;leaf 12`; files of stackcollapse-perf.pl or inferno begin with the thread.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections import Counter
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.profile.names import CUT, UNKNOWN, shorten
from pytest_ethrex_perf.records import json_text, regular_file, units
from pytest_ethrex_perf.records.measurement import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path

SCHEMA = 1
Phase = Literal["cache-io", "prep", "exec", "cleanup"]
PHASES: tuple[Phase, ...] = get_args(Phase)
"""In the order in which a process goes through them; prep, exec and cleanup once a repeat."""
Frames: TypeAlias = tuple[str, ...]
Stacks: TypeAlias = Counter[Frames]
"""Samples by stack, root first."""
_ROOTS: dict[str, Phase] = {f"[{phase}]": phase for phase in PHASES}
_LINE = re.compile(r"(?P<frames>.*\S)\s+(?P<count>[0-9]{1,18})\s*")
_CUT = 4  # lines of another form for each folded stack, from which on it is another kind of file
_READ_LIMIT = 2**30  # bytes, uncompressed
_TELLABLE = 0.001  # a fraction that is not rounded to nothing
_GZIP = b"\x1f\x8b"


class Stack(Record, frozen=True, kw_only=True):
    """One stack of one thread in one phase."""

    phase: Phase
    thread: str
    frames: tuple[int, ...]
    """Indices of `Profile.names`, root first."""
    counts: tuple[tuple[int, int], ...]
    """(repeat, samples) where there are samples; repeats count from 1, 0 is before the first."""


class Profile(Record, frozen=True, kw_only=True):
    """The samples of one profiled invocation."""

    schema: int = SCHEMA
    program_sha256: str
    label: str
    """The program as the user wrote it."""
    block: str
    started: str
    """UTC, ISO 8601."""
    recorder: str
    """`perf 6.1, dwarf frames` or `samply`."""
    period_ns: float
    """CPU time that one sample stands for."""
    prep_ns: tuple[int, ...]
    exec_ns: tuple[int, ...]
    """Each repeat, by the program's own clock, profiler running."""
    names: tuple[str, ...]
    stacks: tuple[Stack, ...]
    notes: tuple[str, ...] = ()
    """What the reader should know: lost samples, a clock that was set meanwhile."""

    def folded(self, phases: Collection[Phase] = PHASES) -> Stacks:
        """Samples by stack, each with its phase and thread as root frames."""
        folded: Stacks = Counter()
        for stack in self.stacks:
            if stack.phase in phases:
                frames = (f"[{stack.phase}]", stack.thread, *(self.names[index] for index in stack.frames))
                folded[frames] += sum(samples for _, samples in stack.counts)
        return folded

    @property
    def samples(self) -> int:
        """All of them."""
        return sum(samples for stack in self.stacks for _, samples in stack.counts)


def total(profiles: Iterable[Profile], phases: Collection[Phase] = PHASES) -> Stacks:
    """The samples of several invocations together."""
    folded: Stacks = Counter()
    for profile in profiles:
        folded.update(profile.folded(phases))
    return folded


def phase_of(frames: Frames) -> Phase | None:
    """The phase that a stack's root names; None in files that were folded by others."""
    return _ROOTS.get(frames[0]) if frames else None


def thread_of(frames: Frames) -> str:
    """The thread that a stack names: its first frame, after the phase if it has one."""
    at = 1 if phase_of(frames) else 0
    return frames[at] if len(frames) > at else ""


def functions(frames: Frames) -> Frames:
    """The stack without phase and thread."""
    return frames[2 if phase_of(frames) else 1 :]


def by_phase(stacks: Stacks) -> dict[str, Stacks]:
    """The stacks of each phase without its frame, in a block's order; `""` has those of no phase."""
    phases: dict[str, Stacks] = {phase: Counter() for phase in (*PHASES, "")}
    for frames, count in stacks.items():
        phase = phase_of(frames)
        phases[phase or ""][frames[1:] if phase else frames] += count
    return {phase: taken for phase, taken in phases.items() if taken}


def cut_off(stacks: Mapping[Frames, float]) -> float:
    """The fraction of samples (or ms) whose stack does not reach back to its thread's start.

    Ours hang below `CUT`; of other tools' files those below `[unknown]` are known to.
    """
    total = sum(stacks.values())
    cut = sum(value for frames, value in stacks.items() if functions(frames)[:1] in {(CUT,), (UNKNOWN,)})
    return cut / total if total else 0.0


def cut_sentence(fraction: float, whose: str = "") -> str | None:
    """What to say of stacks that were cut off; None where hardly any was. `whose` is like `head's `."""
    if fraction < _TELLABLE:
        return None
    return f"{units.percent(fraction)} of {whose}stacks were cut off: their outermost callers are missing"


def select(stacks: Stacks, *, phase: Phase | None = None, thread: str | None = None) -> Stacks:
    """Those of one phase, and of the threads whose name `thread` (a regular expression) finds.

    Raises `UsageError` where a phase is asked of stacks that have none, or nothing is left.
    """
    if phase is not None and not any(phase_of(frames) for frames in stacks):
        raise UsageError(
            "these stacks were not cut by phase: record them with `ethrex-perf profile BLOCK`, which knows "
            "the program's own times"
        )
    matches = pattern(thread) if thread is not None else None
    left = Counter(
        {
            frames: count
            for frames, count in stacks.items()
            if (phase is None or phase_of(frames) == phase)
            and (matches is None or matches(thread_of(frames)))
        }
    )
    if not left:
        asked = [f"phase {phase}"] if phase else []
        asked += [f"thread {thread}"] if thread else []
        raise UsageError(f"no samples of {' and '.join(asked)}" if asked else "no samples")
    return left


def pattern(text: str) -> Callable[[str], re.Match[str] | None]:
    """`search` of a regular expression, in any case, as on the page; raises `UsageError` for a bad one."""
    try:
        return re.compile(text, re.IGNORECASE).search
    except re.error as error:
        raise UsageError(f"{text!r} is not a regular expression: {error}") from None


def parse(text: str) -> tuple[Stacks, int]:
    """Read folded stacks; also return how many lines are none (a file that was cut has such lines).

    Comment lines (`#`) and empty ones are passed over without a word.
    """
    stacks: Stacks = Counter()
    other = 0
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if match := _LINE.fullmatch(line):
            stacks[tuple(match["frames"].split(";"))] += int(match["count"])
        else:
            other += 1
    return stacks, other


def render(stacks: Mapping[Frames, int]) -> str:
    """Folded text, sorted, that flamegraph.pl, inferno and speedscope read."""
    lines = (f"{';'.join(map(_folded_frame, frames))} {count}\n" for frames, count in stacks.items() if count)
    return "".join(sorted(lines))


def _folded_frame(frame: str) -> str:
    return re.sub(r"[;\r\n]+", ":", frame)


def shortened(stacks: Stacks) -> Stacks:
    """The same with every function's name as `names.shorten` has it; ours already are."""
    short: Stacks = Counter()
    for frames, count in stacks.items():
        roots = len(frames) - len(functions(frames))
        short[*frames[:roots], *map(shorten, frames[roots:])] += count
    return short


def read(path: Path) -> tuple[Stacks, int]:
    """Read a file of folded stacks, or a stored `Profile`; either may be compressed with gzip.

    Also returns how many of its lines are no folded stacks. Raises `UsageError`, which names the file, where
    hardly any is one.
    """
    content = _content(path)
    if content.lstrip()[:1] == b"{":
        return _profile(content, path).folded(), 0
    stacks, other = parse(content.decode(errors="replace"))
    if len(stacks) * _CUT <= other:
        raise UsageError(f"{path}: not a file of folded stacks (`frame;frame;leaf COUNT` on each line)")
    return stacks, other


def read_profile(path: Path) -> Profile:
    """Read a stored `Profile`. Raises `UsageError`, which names the file."""
    return _profile(_content(path), path)


def _content(path: Path) -> bytes:
    try:
        with regular_file.opened(path) as file:
            compressed = file.read(2) == _GZIP
            file.seek(0)
            if not compressed:
                content = file.read(_READ_LIMIT + 1)
            else:
                with gzip.open(file) as unpacked:
                    content = unpacked.read(_READ_LIMIT + 1)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{path}: can't be read: {reason}") from None
    if len(content) > _READ_LIMIT:
        raise UsageError(f"{path}: more than {_READ_LIMIT >> 20:,} MiB of stacks")
    return content


def _profile(content: bytes, path: Path) -> Profile:
    try:
        profile = json_text.decode(content, Profile)
    except ValueError as error:
        raise UsageError(f"{path}: not a profile of this version: {error}") from None
    if any(not 0 <= index < len(profile.names) for stack in profile.stacks for index in stack.frames):
        raise UsageError(f"{path}: not a profile: a stack names a function that is not in it")
    return profile


def gathered(
    samples: Iterable[tuple[Phase, int, str, Frames]],
) -> tuple[tuple[str, ...], tuple[Stack, ...]]:
    """`names` and `stacks` of a profile from (phase, repeat, thread, frames) of each sample.

    The same samples give the same stacks, whatever order they come in.
    """
    counted: dict[tuple[Phase, str, Frames], Counter[int]] = {}
    for phase, repeat, thread, frames in samples:
        counted.setdefault((phase, thread, frames), Counter())[repeat] += 1
    names = sorted({name for _, _, frames in counted for name in frames})
    index = {name: number for number, name in enumerate(names)}
    stacks = tuple(
        Stack(
            phase=phase,
            thread=thread,
            frames=tuple(index[name] for name in frames),
            counts=tuple(sorted(counts.items())),
        )
        for (phase, thread, frames), counts in sorted(counted.items(), key=lambda item: item[0])
    )
    return tuple(names), stacks
