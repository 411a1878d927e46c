"""Values of options as a user would type them: what a report shows of the settings can be pasted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ethrex_perf.config import parsers, readers
from pytest_ethrex_perf.config.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

_SIZES = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))
_DURATIONS = (("h", 3600.0), ("m", 60.0))


def typed(name: str, value: object) -> str:
    """`value` of the option `name` as its reader takes it: `1%`, `5GiB`, `10m`, `exec,prep`."""
    option = OPTIONS[name]
    if option.flag:
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    if isinstance(value, int | float):
        return _FORMS.get(readers.of(name), _number)(value)
    return str(value)


def _number(value: float) -> str:
    return f"{value:.15g}"


def _percent(value: float) -> str:
    return f"{100 * value:.12g}%"


def _milliseconds(value: float) -> str:
    return f"{value / 1e6:.12g}ms"


def _duration(value: float) -> str:
    unit, size = next(((u, s) for u, s in _DURATIONS if value and not value % s), ("s", 1.0))
    return "0" if value == 0 else f"{value / size:.12g}{unit}"


def _size(value: float) -> str:
    unit, size = next(((u, s) for u, s in _SIZES if value and not value % s), ("B", 1))
    return "0" if value == 0 else f"{int(value) // size}{unit}"


_FORMS: dict[Callable[[object], object], Callable[[float], str]] = {
    parsers.fraction: _percent,
    parsers.probability: _percent,
    parsers.significance: _percent,
    parsers.milliseconds: _milliseconds,
    parsers.seconds: _duration,
    parsers.seconds_or_none: _duration,
    parsers.size: _size,
    parsers.some_size: _size,
}
