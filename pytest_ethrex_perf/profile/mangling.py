"""Rust's symbol names, legacy and v0, back into paths; crate hashes are left out.

Formats: rustc book, "Symbol Mangling" (v0); rustc's `compiler/rustc_symbol_mangling/src/legacy.rs`. perf
reads both since 6.1, older ones leave v0 as it is; samply's files may hold either.
"""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LEGACY = re.compile(r"_?_?ZN(?P<parts>.*?17h[0-9a-f]{16})E(?:[.$].*)?")
_V0 = re.compile(r"(?:__R|_R|R)(?P<path>[A-Z][0-9A-Za-z_]*)(?:[.$].*)?")
_ESCAPE = re.compile(r"\$(?P<code>[A-Z]{1,2}|u[0-9a-f]{1,6})\$|\.\.")
_ESCAPES = re.compile(r"\$(?:LT|GT|RF|BP|LP|RP|u[0-9a-f]{2})\$")
_LEGACY_HASH = re.compile(r"17h[0-9a-f]{16}E")
_V0_CRATE = re.compile(r"Cs[0-9A-Za-z]{4,12}_(?=[0-9u])")
_ESCAPED = {"SP": "@", "BP": "*", "RF": "&", "LT": "<", "GT": ">", "LP": "(", "RP": ")", "C": ","}
_MAX_CODE_POINT = 0x10FFFF

_BASIC = {
    "a": "i8",
    "b": "bool",
    "c": "char",
    "d": "f64",
    "e": "str",
    "f": "f32",
    "h": "u8",
    "i": "isize",
    "j": "usize",
    "l": "i32",
    "m": "u32",
    "n": "i128",
    "o": "u128",
    "p": "_",
    "s": "i16",
    "t": "u16",
    "u": "()",
    "v": "...",
    "x": "i64",
    "y": "u64",
    "z": "!",
}
_POINTERS = {"R": "&", "Q": "&mut ", "P": "*const ", "O": "*mut "}
_BASE_62 = string.digits + string.ascii_lowercase + string.ascii_uppercase
_DEPTH = 200
_LENGTH = 20_000  # back references can make a short symbol explode


def demangle(symbol: str) -> str:
    """The path that a Rust symbol stands for; anything else, and what does not parse, comes back as it is."""
    if legacy := _LEGACY.fullmatch(symbol):
        return _legacy(legacy["parts"]) or symbol
    if v0 := _V0.fullmatch(symbol):
        try:
            return _V0Parser(v0["path"]).path(value=True) or symbol
        except (_MalformedError, IndexError, ValueError, RecursionError):
            return symbol
    return symbol


def _legacy(text: str) -> str | None:
    parts = []
    while text:
        digits = re.match(r"[0-9]{1,5}", text)
        if digits is None:
            return None
        start, end = digits.end(), digits.end() + int(digits[0])
        if end > len(text):
            return None
        parts.append(text[start:end])
        text = text[end:]
    return "::".join(map(_unescaped, parts[:-1]))


def unescaped(name: str) -> str:
    """A legacy path of which a demangler for C++ left the escapes: `_$LT$a..B$GT$::f` is `<a::B>::f`."""
    if not _ESCAPES.search(name):
        return name
    return "::".join(map(_unescaped, name.split("::")))


def without_hashes(symbol: str) -> str:
    """A symbol that does not parse without what changes in every build: crates' and functions' hashes."""
    if symbol.startswith(("_ZN", "__ZN")):
        return _LEGACY_HASH.sub("E", symbol)
    return _V0_CRATE.sub("C", symbol) if symbol.startswith(("_R", "__R")) else symbol


def _unescaped(part: str) -> str:
    path = _ESCAPE.sub(_character, part.removeprefix("_") if part[:2] == "_$" else part)
    return path.replace(" .> ", " -> ")  # rustc writes a minus as a dot


def _character(match: re.Match[str]) -> str:
    code = match["code"]
    if code is None:
        return "::"
    if code[0] == "u":
        point = int(code[1:], 16)
        return chr(point) if point <= _MAX_CODE_POINT else match[0]
    return _ESCAPED.get(code, match[0])


class _MalformedError(Exception):
    """Not a v0 symbol after all."""


class _V0Parser:
    """Recursive descent over the grammar of the rustc book; positions count from after `_R`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._printed = 0

    # --- the small things ---

    def _next(self) -> str:
        character = self._text[self._at]
        self._at += 1
        return character

    def _take(self, character: str) -> bool:
        if self._at < len(self._text) and self._text[self._at] == character:
            self._at += 1
            return True
        return False

    def _until_end(self) -> bool:
        return not self._take("E")

    def _base_62(self) -> int:
        value = 0
        if self._take("_"):
            return 0
        while (character := self._next()) != "_":
            value = value * 62 + _BASE_62.index(character)
        return value + 1

    def _disambiguator(self) -> int:
        return self._base_62() + 1 if self._take("s") else 0

    def _name(self) -> str:
        """Undisambiguated identifier."""
        punycode = self._take("u")
        digits = ""
        while self._text[self._at].isdigit() and digits != "0":
            digits += self._next()
        length = int(digits)
        self._take("_")
        name = self._text[self._at : self._at + length]
        if len(name) != length:
            raise _MalformedError
        self._at += length
        self._printed += length
        if self._printed > _LENGTH:
            raise _MalformedError
        if not punycode:
            return name
        plain, _, coded = name.rpartition("_")
        return f"{plain}-{coded}".encode().decode("punycode") if plain else coded.encode().decode("punycode")

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > _DEPTH:
            raise _MalformedError

    def _referred(self, start: int, *, kind: str, value: bool = False) -> str:
        """What an earlier position (a back reference, whose letter stands at `start`) printed."""
        target = self._base_62()
        if target >= start:
            raise _MalformedError
        here, self._at = self._at, target
        text = {"path": lambda: self.path(value=value), "type": self._type, "const": self._const}[kind]()
        self._at = here
        return text

    # --- paths ---

    def path(self, *, value: bool = False) -> str:
        """A path; generic arguments read `f::<T>` where it is a value, `F<T>` where it is a type."""
        self._enter()
        start = self._at
        tag = self._next()
        if tag == "C":
            self._disambiguator()
            text = self._name()
        elif tag == "N":
            text = self._nested(value=value)
        elif tag in "MX":
            self._disambiguator()
            self.path()  # where the impl is; the type says more
            text = self._qualified(of_trait=tag == "X")
        elif tag == "Y":
            text = self._qualified(of_trait=True)
        elif tag == "I":
            path = self.path(value=value)
            arguments = []
            while self._until_end():
                arguments.append(self._argument())
            shown = ", ".join(argument for argument in arguments if argument)
            text = f"{path}{'::' if value else ''}<{shown}>" if shown else path
        elif tag == "B":
            text = self._referred(start, kind="path", value=value)
        else:
            raise _MalformedError
        self._depth -= 1
        return text

    def _nested(self, *, value: bool) -> str:
        namespace = self._next()
        path = self.path(value=value)
        number = self._disambiguator()
        name = self._name()
        if namespace.isupper():
            kind = {"C": "closure", "S": "shim"}.get(namespace, namespace)
            return f"{path}::{{{kind}{f':{name}' if name else ''}#{number}}}"
        return f"{path}::{name}" if name else path

    def _qualified(self, *, of_trait: bool) -> str:
        kind = self._type()
        return f"<{kind} as {self.path()}>" if of_trait else f"<{kind}>"

    def _argument(self) -> str:
        if self._take("L"):
            self._base_62()
            return ""  # lifetimes say nothing about time
        return self._const() if self._take("K") else self._type()

    # --- types and constants ---

    def _type(self) -> str:
        self._enter()
        start = self._at
        tag = self._next()
        compound: dict[str, Callable[[], str]] = {
            "A": lambda: f"[{self._type()}; {self._const()}]",
            "S": lambda: f"[{self._type()}]",
            "T": self._tuple,
            "F": self._function,
            "D": self._dyn,
            "W": lambda: f"{self._type()} is {self._pattern()}",
            "B": lambda: self._referred(start, kind="type"),
        }
        if tag in _BASIC:
            text = _BASIC[tag]
        elif tag in _POINTERS:
            if tag in "RQ" and self._take("L"):
                self._base_62()
            text = _POINTERS[tag] + self._type()
        elif tag in compound:
            text = compound[tag]()
        else:
            self._at = start
            text = self.path()
        self._depth -= 1
        return text

    def _tuple(self) -> str:
        parts = self._types()
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"

    def _types(self) -> list[str]:
        parts = []
        while self._until_end():
            parts.append(self._type())
        return parts

    def _function(self) -> str:
        self._binder()
        unsafe = "unsafe " if self._take("U") else ""
        abi = ""
        if self._take("K"):
            abi = 'extern "C" ' if self._take("C") else f'extern "{self._name().replace("_", "-")}" '
        parts = self._types()
        result = self._type()
        return f"{unsafe}{abi}fn({', '.join(parts)}){'' if result == '()' else f' -> {result}'}"

    def _dyn(self) -> str:
        self._binder()
        traits = []
        while self._until_end():
            trait = self.path()
            bindings = []
            while self._take("p"):
                name = self._name()
                bound = self._const() if self._take("K") else self._type()
                bindings.append(f"{name} = {bound}")
            if bindings:
                head, comma = (trait[:-1], ", ") if trait.endswith(">") else (f"{trait}<", "")
                trait = f"{head}{comma}{', '.join(bindings)}>"
            traits.append(trait)
        if not self._take("L"):
            raise _MalformedError
        self._base_62()
        return f"dyn {' + '.join(traits)}"

    def _binder(self) -> None:
        if self._take("G"):
            self._base_62()

    def _pattern(self) -> str:
        self._enter()
        tag = self._next()
        if tag == "R":
            text = f"{self._const()}..={self._const()}"
        elif tag == "N":
            text = "!null"
        elif tag == "O":
            choices = []
            while self._until_end():
                choices.append(self._pattern())
            text = " | ".join(choices)
        else:
            raise _MalformedError
        self._depth -= 1
        return text

    def _const(self) -> str:
        self._enter()
        start = self._at
        tag = self._next()
        compound: dict[str, Callable[[], str]] = {
            "B": lambda: self._referred(start, kind="const"),
            "p": lambda: "_",
            "R": lambda: f"&{self._const()}",
            "Q": lambda: f"&mut {self._const()}",
            "A": lambda: f"[{', '.join(self._consts())}]",
            "T": lambda: f"({', '.join(self._consts())})",
            "V": self._structure,
        }
        text = compound[tag]() if tag in compound else self._number(tag)
        self._depth -= 1
        return text

    def _consts(self) -> list[str]:
        parts = []
        while self._until_end():
            parts.append(self._const())
        return parts

    def _structure(self) -> str:
        path = self.path(value=True)
        form = self._next()
        if form == "U":
            return path
        if form == "T":
            return f"{path}({', '.join(self._consts())})"
        if form != "S":
            raise _MalformedError
        fields = []
        while self._until_end():
            self._disambiguator()
            fields.append(f"{self._name()}: {self._const()}")
        return f"{path} {{ {', '.join(fields)} }}"

    def _number(self, kind: str) -> str:
        if kind not in _BASIC:
            raise _MalformedError
        sign = "-" if self._take("n") else ""
        digits = ""
        while (character := self._next()) != "_":
            digits += character
        if kind == "e":
            return f'"{bytes.fromhex(digits).decode()}"'
        number = int(digits or "0", 16)
        if kind == "b":
            return "true" if number else "false"
        return repr(chr(number)) if kind == "c" else f"{sign}{number}"
