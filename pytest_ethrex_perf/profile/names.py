"""Names of functions that two builds share: demangled, without hashes, generic arguments and clones.

A function reads the same whichever mangling, compiler or version made its symbol, so that base and head can
be compared: `alloc::vec::Vec<T,A>::push::h0123456789abcdef` and `<alloc::vec::Vec<u8>>::push` are both
`alloc::vec::Vec::push`.
"""

from __future__ import annotations

import functools
import posixpath
import re
import unicodedata
from typing import TYPE_CHECKING

from pytest_ethrex_perf.profile.mangling import demangle, unescaped, without_hashes

if TYPE_CHECKING:
    from collections.abc import Iterable

UNKNOWN = "[unknown]"
CUT = "[cut off]"
"""Root of a stack that does not reach back to where its thread began."""
_HASH = re.compile(r"::h[0-9a-f]{16}\b")
_CRATE_HASH = re.compile(r"(?<=\w)(?:\[[0-9a-f]{5,16}\]|\[[0-9a-f]{1,16}\](?=::))")
# what LLVM and GCC append to the clones that they make of a function, rustc-demangle in brackets, and what
# inferno and stackcollapse-perf.pl annotate (kernel, jit, inlined, waker)
_SUFFIX = re.compile(
    r"(?:\.(?:llvm|cold|isra|constprop|part|lto_priv|warm|localalias|__uniq)(?:\.[0-9a-zA-Z]+)*"
    r"| \[clone [^\]]*\]| \(\.[\w.]+\)|_\[[a-z]\])+$"
)
_BINARY = re.compile(r"(?P<module>[\w./+@ -]+)`(?=\S)")
_ADDRESS = re.compile(r"0x[0-9a-f]+")
_VERSION = re.compile(r"@@?(?:[A-Z][A-Za-z]*_[0-9.A-Z_]+|Base)$")
_CLOSURE = re.compile(r"\{closure(?:_env)?#[0-9]+\}")
_CONSTANT = re.compile(r"\{K#[0-9]+\}")
_VTABLE_SHIM = re.compile(r"(?:::)?\{shim:vtable#[0-9]+\}")
_COMMA = re.compile(r",\s*(?=[^\s)>])")
_PLUS = re.compile(r"(?<=[\w>)])\s*\+\s*(?=[\w<(])")
# of C++: the brackets of operator< and operator-> close nothing
_OPERATOR = re.compile(r"(?<!\w)operator(?![\w:])")
_MOST_STEPS = 8
# only legacy names an impl by its parameters, `<&T as core::fmt::Debug>`; only v0 names a closure's trait
_PARAMETER = re.compile(r"<[^<>]*(?<![\w:'])[A-Z](?![\w:])[^<>]* as ")
_CLOSURES_TRAIT = re.compile(r"\{\{closure\}\} as ")
_PATH = re.compile(r"[\w:{}.#]+")
_KEEPS_ARGUMENT = ("drop_in_place", "drop_in_place::")  # what is dropped is all that it says


@functools.lru_cache(maxsize=65_536)
def shorten(symbol: str) -> str:
    """The name that a symbol goes by in every analysis; shortening it again changes nothing."""
    name = symbol
    for _ in range(_MOST_STEPS):
        shorter = _shortened(name)
        if shorter == name:
            break
        name = shorter
    return name or UNKNOWN


def _shortened(symbol: str) -> str:
    name = _SUFFIX.sub("", symbol)
    if binary := _BINARY.match(name):
        name = name[binary.end() :]
        if _ADDRESS.fullmatch(name):
            return of_module(binary["module"])
    name = without_hashes(unescaped(demangle(name)))
    name = _CRATE_HASH.sub("", _HASH.sub("", name))
    name = _VERSION.sub("", _SUFFIX.sub("", name))
    name = _CONSTANT.sub("{{constant}}", _CLOSURE.sub("{{closure}}", name))
    name = _VTABLE_SHIM.sub("{{vtable.shim}}", name)
    if "<" not in name or _OPERATOR.search(name):
        return name
    return _COMMA.sub(", ", _spaced(_without_generics(name)))


def _spaced(name: str) -> str:
    """v0 writes `dyn A + B`, legacy `dyn A+B`."""
    return _PLUS.sub(" + ", name) if "dyn " in name else name


def differ(base: Iterable[str], head: Iterable[str]) -> bool:
    """Whether base was built with another symbol mangling than head, as far as their names show it.

    An impl of a generic type and a trait's own method have different names then: legacy has
    `<&T as Debug>::fmt` and `Iterator::nth` where v0 has `<&u8 as Debug>::fmt` and `<IntoIter as …>::nth`.
    """
    sides = []
    for names in (base, head):
        text = "\n".join(names)
        sides.append((bool(_PARAMETER.search(text)), bool(_CLOSURES_TRAIT.search(text))))
    (base_legacy, base_v0), (head_legacy, head_v0) = sides
    return (base_legacy and head_v0 and not head_legacy) or (head_legacy and base_v0 and not base_legacy)


def of_module(path: str) -> str:
    """What an address goes by whose symbol is not known: `[libfoo.so.1]`, the module it lies in."""
    name = posixpath.basename(path.strip("[]").removesuffix(" (deleted)"))
    return f"[{name}]" if name else UNKNOWN


def _without_generics(text: str) -> str:
    """`a::B<C>::d::<E>` as `a::B::d`; `<a::B<C> as D<E>>::f` as `<a::B as D>::f`; an impl as its type."""
    out = ""
    at = 0
    while at < len(text):
        character = text[at]
        if character != "<":
            out += character
            at += 1
            continue
        end = _closing(text, at)
        if end is None:
            return text
        inner = text[at + 1 : end]
        at = end + 1
        if out.endswith(_KEEPS_ARGUMENT):
            out = f"{out.removesuffix('::')}<{_without_generics(inner)}>"
        elif inner.startswith("impl "):
            # legacy says where the impl is written, `a::b::<impl T for X>::f`; v0 does not
            out = re.sub(r"[\w:{}.#]*$", "", out) + _qualified(inner.removeprefix("impl "))
        elif out.endswith("::"):
            out = out.removesuffix("::")
        elif not re.search(r"[\w\])}>.]$", out):
            out += _qualified(inner)
    return out


def _qualified(inner: str) -> str:
    """`<T as Trait>` of what stands between its brackets; a plain type needs none."""
    short = _without_generics(inner)
    trait, is_impl, kind = short.partition(" for ")
    if is_impl and " as " not in short and not trait.startswith("dyn"):
        return f"<{kind} as {trait}>"
    return short if _PATH.fullmatch(short) else f"<{short}>"


def _closing(text: str, start: int) -> int | None:
    depth = 0
    for at in range(start, len(text)):
        if text[at] == "<":
            depth += 1
        elif text[at] == ">" and text[at - 1] not in "-=":
            depth -= 1
            if depth == 0:
                return at
    return None


def printable(name: str) -> str:
    """A name without the characters that steer a terminal, or turn text around."""
    return "".join(c for c in name if unicodedata.category(c)[0] != "C")
