"""What folded stacks say: each analysis is a function from stacks to samples by name.

Self time, callers and crates count exactly as the guide's perl lines do, on any folded file.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.profile.stacks import functions, phase_of, thread_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_ethrex_perf.profile.stacks import Frames, Stacks

OTHER = "<other>"
"""No ethrex crate on the stack."""
NO_CALLER = "<no ethrex caller>"
NO_PHASE = "<no phase>"
_ETHREX = re.compile("ethrex")
_CRATE = re.compile(r"(ethrex_\w+)::")

# glibc, jemalloc, mimalloc, and Rust's own shims in front of them
_FAMILIES = {
    "realloc": re.compile(
        r"_*(?:libc_|int_|rust_|rdl_|rg_|rjem_|je_|mi_|_rjem_|_rust_)*(?:realloc|reallocarray|rallocx)\b"
    ),
    "malloc": re.compile(
        r"_*(?:libc_|int_|rust_|rdl_|rg_|rjem_|je_|mi_|_rjem_|_rust_)*"
        r"(?:malloc|calloc|mallocx|alloc|alloc_zeroed|memalign|aligned_alloc|posix_memalign|malloc_aligned|zalloc)"
        r"(?:_consolidate|_default|_aligned)?\b|sysmalloc|malloc_consolidate"
    ),
    "free": re.compile(
        r"_*(?:libc_|int_|rust_|rdl_|rg_|rjem_|je_|mi_|_rjem_|_rust_)*"
        r"(?:free|cfree|dealloc|sdallocx|dallocx|free_merge_chunk|free_create_chunk|free_maybe_consolidate)\b"
    ),
}
_STRUCTURES = {
    "SliceOrd": re.compile(r"SliceOrd|slice::cmp::"),
    "BTreeMap": re.compile(r"BTreeMap|BTreeSet|btree::"),
    "HashMap": re.compile(r"HashMap|HashSet|hashbrown"),
}
# what a data structure is made of: it does not end the search for whose time it is
_INNER = re.compile(
    r"^(?:<?&?(?:mut )?)*(?:core|alloc|std)::|\bmem(?:cmp|cpy|move|set|chr)|_mem(?:cmp|cpy|move|set)_|\bbcmp"
)
_OPCODE = re.compile(
    r"\bop_(?P<function>[a-z0-9_]+)$"  # VM::op_sload, until 2026
    r"|\bOp(?P<handler>[A-Za-z0-9]+?)(?:Handler)? as [\w:]*OpcodeHandler>::eval"  # OpSLoadHandler
)


class Portion(NamedTuple):
    """The samples that fall on one name: a line of an analysis."""

    name: str
    samples: int
    share: float
    """Of all samples that the analysis was given, a fraction."""


def table(counts: Mapping[str, int], total: int, top: int | None = None) -> list[Portion]:
    """The rows of an analysis, the most samples first, of `total` samples."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Portion(name, samples, samples / total if total else 0.0) for name, samples in ordered[:top]]


def _by(stacks: Stacks, key: Callable[[Frames], str | None]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for frames, samples in stacks.items():
        if (name := key(frames)) is not None:
            counts[name] += samples
    return counts


def self_time(stacks: Stacks) -> Counter[str]:
    """Samples by the function that was executing: the leaf."""
    return _by(stacks, lambda frames: frames[-1])


def inclusive(stacks: Stacks) -> Counter[str]:
    """Samples by each function on the stack, once a stack however often it recurs."""
    counts: Counter[str] = Counter()
    for frames, samples in stacks.items():
        for name in set(functions(frames)):
            counts[name] += samples
    return counts


def callers(stacks: Stacks, matches: Callable[[str], object]) -> Counter[str]:
    """Samples of a function by the nearest ethrex frame above it.

    The function is the outermost frame that `matches` finds; stacks without one above it are `NO_CALLER`.
    """

    def caller(frames: Frames) -> str | None:
        at = next((index for index, frame in enumerate(frames) if matches(frame)), None)
        return None if at is None else ethrex_above(frames, at)

    return _by(stacks, caller)


def ethrex_above(frames: Frames, at: int) -> str:
    """The nearest ethrex frame above position `at`, or `NO_CALLER`."""
    return next((frame for frame in reversed(frames[:at]) if _ETHREX.search(frame)), NO_CALLER)


def crates(stacks: Stacks) -> Counter[str]:
    """Samples by the first `ethrex_*` crate from the root; `OTHER` where there is none."""

    def crate(frames: Frames) -> str:
        return next((match[1] for frame in frames if (match := _CRATE.search(frame))), OTHER)

    return _by(stacks, crate)


def phases(stacks: Stacks) -> Counter[str]:
    """Samples by phase; `NO_PHASE` in files that were folded by others."""
    return _by(stacks, lambda frames: phase_of(frames) or NO_PHASE)


def threads(stacks: Stacks) -> Counter[str]:
    """Samples by thread."""
    return _by(stacks, thread_of)


def allocations(stacks: Stacks) -> dict[str, Counter[str]]:
    """Allocation pressure: samples within malloc, free and realloc, each by its nearest ethrex caller.

    A sample belongs to the outermost allocator function of its stack, so realloc's inner malloc is realloc's.
    """
    pressure: dict[str, Counter[str]] = {family: Counter() for family in ("malloc", "free", "realloc")}
    for frames, samples in stacks.items():
        for at, frame in enumerate(frames):
            if family := allocator(frame):
                pressure[family][ethrex_above(frames, at)] += samples
                break
    return pressure


def allocator(frame: str) -> str | None:
    """`malloc`, `free` or `realloc` if that is the family of a function."""
    name = frame.rsplit("::", 1)[-1]
    if "::" in frame and not name.startswith("__r"):
        return None  # a Rust method that is called alloc is not the allocator
    return next((family for family, form in _FAMILIES.items() if form.fullmatch(name)), None)


def structures(stacks: Stacks) -> dict[str, Counter[str]]:
    """Data-structure overhead: samples in BTreeMap, SliceOrd (comparing keys) and HashMap, by ethrex caller.

    Counted is the structure's own work: from the leaf up, past the standard library's helpers, until somebody
    else's code is met. SliceOrd within a BTreeMap counts for both.
    """
    overhead: dict[str, Counter[str]] = {name: Counter() for name in _STRUCTURES}
    for frames, samples in stacks.items():
        top = len(frames)
        while top and _is_inner(frames[top - 1]):
            top -= 1
        for name, form in _STRUCTURES.items():
            if any(form.search(frame) for frame in frames[top:]):
                overhead[name][ethrex_above(frames, top)] += samples
    return overhead


def _is_inner(frame: str) -> bool:
    return (
        bool(_INNER.search(frame))
        or any(form.search(frame) for form in _STRUCTURES.values())
        or allocator(frame) is not None
    )


def opcodes(stacks: Stacks) -> Counter[str]:
    """LEVM's opcodes: samples by the innermost opcode handler on the stack, what it calls included.

    Handlers: `VM::op_sload` in ethrex until 2026, `<OpSLoadHandler as OpcodeHandler>::eval` since.
    """
    return _by(stacks, lambda frames: next(filter(None, map(opcode, reversed(frames))), None))


def opcode(frame: str) -> str | None:
    """`SLOAD` of the function that implements it."""
    if "levm" not in frame:
        return None
    match = _OPCODE.search(frame)
    return (match["function"] or match["handler"]).upper() if match else None
