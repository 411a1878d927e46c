"""How the values of options are read: each takes what a person wrote, and raises ValueError with the form.

`read` makes that a usage error, which names the place as well.
"""

from __future__ import annotations

import math
import re
import shlex
from typing import TYPE_CHECKING, Literal, TypeVar

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records.metric import METRICS

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
Name = TypeVar("Name", bound=str)
Auto = Literal["auto"]
AUTO: Auto = "auto"
"""`--ethrex-repeat auto`"""
REVISION = "git:"
"""How a program begins that is built from a revision: `git:origin/main`"""
MIN_PAIRS = 6  # fewer pairs are never a verdict (judge)
MAX_PAIRS = 10_000  # a block of a second takes six hours
_BARE_FRACTION_LIMIT = 0.5  # a bare 1 or 5 was meant as a percentage: refused rather than guessed
_MAX_SECONDS = (
    366 * 86_400.0
)  # what waits takes no more than some centuries, and nobody means more than a year
_MAX_MS = 86_400_000.0  # a day
_MAX_WHOLE = 1_000_000
_MAX_SIZE = 2**60  # 1 EiB: more than a file system holds
_MAX_NAME = 100  # characters
_MAX_DIGITS = 30  # Python itself reads no whole number of more than 4300
_SHOWN = 240  # characters of a bad value


def read(parse: Callable[[object], T], value: object, where: str) -> T:
    """`value` as `parse` reads it; raises `UsageError` that says `where` and shows the form."""
    try:
        return parse(value)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{where}: {shown(value)} is not a value of it: {error}") from None


def shown(value: object) -> str:
    """`repr` of a value for a message, shortened: 5,000 digits or nested lists would have no end."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return f"what is given ({type(value).__name__})"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def written(value: object) -> str:
    """`value` as it would be written; raises ValueError for what is too long or too deep for one."""
    try:
        return str(value)
    except (ValueError, RecursionError):
        raise ValueError("it is too long") from None


def fraction(text: object) -> float:
    """`1%` or `0.01` as a fraction; raises ValueError for anything else, and for a bare number >= 0.5."""
    value = written(text).strip().replace("\u202f", "").replace(" ", "")
    number = _number(value.removesuffix("%"), "a percentage like 1% or a fraction like 0.01")
    if not math.isfinite(number) or number < 0:
        raise ValueError("it must be a finite number, not negative")
    if value.endswith("%"):
        number /= 100
    elif number >= _BARE_FRACTION_LIMIT:
        raise ValueError(f"write {number:g}% for a percentage, or a fraction below {_BARE_FRACTION_LIMIT}")
    if number >= 1:
        raise ValueError("it must be below 100%")
    return number


def _number(text: str, form: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"write {form}") from None


def probability(text: object) -> float:
    """A fraction above 0; raises ValueError."""
    value = fraction(text)
    if value == 0:
        raise ValueError("it must be above 0")
    return value


def significance(text: object) -> float:
    """A probability below one half, from where on the two directions of a test overlap; raises ValueError."""
    value = probability(text)
    if value >= _BARE_FRACTION_LIMIT:
        raise ValueError("it must be below 50%")
    return value


_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|min|h)?", re.ASCII)
_SECONDS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def seconds(text: object) -> float:
    """`90`, `90s`, `10m`, `1.5h` in seconds; raises ValueError for anything else and for 0."""
    match = _DURATION.fullmatch(written(text).strip())
    if not match or not float(match[1]):
        raise ValueError("write a duration above 0 like 90s, 10m or 1h")
    value = float(match[1]) * _SECONDS[match[2] or "s"]
    if value > _MAX_SECONDS:
        raise ValueError("it must be at most a year, 8784h")
    return value


def seconds_or_none(text: object) -> float:
    """`10m` as `seconds` reads it, or `0`: no time at all; raises ValueError for anything else."""
    return 0.0 if written(text).strip() in {"0", "0s", "0m", "0h"} else seconds(text)


def milliseconds(text: object) -> float:
    """`0.2ms`, `0.2 ms`, or `0` as nanoseconds; a bare number is in ms. Raises ValueError."""
    value = _number(written(text).strip().removesuffix("ms"), "a time in ms like 0.2ms")
    if not math.isfinite(value) or value < 0:
        raise ValueError("write a time in ms like 0.2ms, not negative")
    if value > _MAX_MS:
        raise ValueError(f"it must be at most a day, {_MAX_MS:.0f}ms")
    return value * 1e6


_EVENT = re.compile(
    r"\s*[A-Za-z][\w.:-]*(/[^/\s]*/\w*)?", re.ASCII
)  # commas may stand between a PMU's slashes
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]i?)?b", re.IGNORECASE)
_PREFIXES = "kmgt"


def size(text: object) -> int:
    """`5GiB`, `500 MB`, or 0, in bytes; raises ValueError for anything else: a bare number says no unit."""
    given = written(text).strip()
    match = _SIZE.fullmatch("0B" if given == "0" else given)
    if not match:
        raise ValueError("write a size like 5GiB or 500MB, or 0")
    prefix = (match[2] or "").lower()
    power = _PREFIXES.index(prefix[0]) + 1 if prefix else 0
    value = float(match[1]) * (1024 if prefix.endswith("i") else 1000) ** power
    if value > _MAX_SIZE:
        raise ValueError(f"it must be at most {_MAX_SIZE >> 40} TiB")
    return int(value)


def some_size(text: object) -> int:
    """`256MiB` in bytes; raises ValueError for anything else, 0 included."""
    try:
        value = size(text)
    except ValueError:
        value = 0
    if value == 0:
        raise ValueError("write a size like 256MiB or 1GB")
    return value


def whole(minimum: int) -> Callable[[object], int]:
    """Parser of whole numbers from `minimum` on."""

    def parse(text: object) -> int:
        value = integer(written(text))
        if value < minimum:
            raise ValueError(f"it must be at least {minimum}")
        if value > _MAX_WHOLE:
            raise ValueError(f"it must be at most {_MAX_WHOLE:,}")
        return value

    return parse


def integer(text: str) -> int:
    """A whole number of up to 30 characters; raises ValueError."""
    try:
        return int(text[: _MAX_DIGITS + 1])  # longer ones are cut, and are still too large
    except ValueError:
        raise ValueError("write a whole number") from None


def looks(text: object) -> tuple[int, ...]:
    """`6,10,16,24`: rising numbers of pairs, the first at least 6. Raises ValueError."""
    parts = text if isinstance(text, list | tuple) else written(text).split(",")
    values = tuple(integer(word) if (word := written(part).strip()).isdecimal() else 0 for part in parts)
    if not values or values[0] < MIN_PAIRS or list(values) != sorted(set(values)):
        raise ValueError(f"write rising numbers of pairs from {MIN_PAIRS} on, like 6,10,16,24")
    if values[-1] > MAX_PAIRS:
        raise ValueError(f"the last may be {MAX_PAIRS:,} at most")
    return values


def metrics(text: object) -> tuple[str, ...]:
    """`exec,prep`: names of metrics, each once. Raises ValueError that lists what there is."""
    parts = text if isinstance(text, list | tuple) else written(text).split(",")
    names = tuple(dict.fromkeys(written(part).strip() for part in parts))
    if not names or any(name not in METRICS for name in names):
        raise ValueError(f"choose from {', '.join(METRICS)}")
    return names


def events(text: object) -> tuple[str, ...]:
    """`LLC-loads,cpu/event=0x3c,umask=1/u`: events as `perf list` has them. Raises ValueError."""
    line = ",".join(map(written, text)) if isinstance(text, list | tuple) else written(text)
    names = [event[0].strip() for event in _EVENT.finditer(line)]
    if not names or ",".join(names) != re.sub(r"\s*,\s*", ",", line.strip()):
        raise ValueError("write events as `perf list` does, separated by commas, like LLC-loads,dTLB-loads")
    return tuple(dict.fromkeys(names))


def repeats(text: object) -> int | Auto:
    """`11`, or `auto`; raises ValueError below 2: the first repeat is dropped."""
    return AUTO if text == AUTO else whole(2)(text)


def choice(*names: Name) -> Callable[[object], Name]:
    """Parser that takes one of `names`."""

    def parse(text: object) -> Name:
        for name in names:
            if text == name:
                return name
        raise ValueError(f"choose from {', '.join(names)}")

    return parse


def shard(value: object) -> str:
    """`2/5`, the second of five; raises ValueError for anything else."""
    match = re.fullmatch(r"\s*(\d{1,4})\s*/\s*(\d{1,4})\s*", written(value))
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise ValueError("write it as I/N with I from 1 to N, like 2/5")
    return f"{int(match[1])}/{int(match[2])}"


def text(value: object) -> str:
    """Some text; raises ValueError for anything else, such as a list in a file, and for none."""
    if not isinstance(value, str):
        raise ValueError("write it as text, in quotes")  # noqa: TRY004 - one kind of error for bad values
    if not value.strip():
        raise ValueError("it is empty")
    if "\0" in value:
        raise ValueError("it holds a NUL character")
    return value


def name(value: object) -> str:
    """Some text in one line of at most 100 characters; raises ValueError for anything else."""
    line = text(value).strip()
    if len(line) > _MAX_NAME or not line.isprintable():
        raise ValueError(f"write one line of at most {_MAX_NAME} characters")
    return line


def words(value: object) -> str:
    """A path, or a command line that `shlex` can split; raises ValueError for unbalanced quotes.

    Whether something is a path is known where it is looked for: there a quote may be a part of its name.
    """
    line = text(value)
    if "/" not in line and not line.startswith(REVISION):
        shlex.split(line)
    return line


def words_or_none(value: object) -> str:
    """The same, or nothing: what one place puts before the program, another may take away."""
    return "" if value == "" else words(value)
