"""How numbers are written, everywhere alike.

Fractions are plain (0.045 is +4.5 %), logs natural, times in ns unless a name says otherwise.
"""

from __future__ import annotations

import math

from pytest_ethrex_perf.records.metric import unit as metric_unit

NOTHING = "–"  # stands where there is no value
_COARSE = 0.01  # a margin that one decimal does justice to
_HUGE = 10.0  # from +1000 % on a factor reads better
_NOTHING = 5e-5  # what two decimals would round away as well
_TINY = 0.001  # spread, as of counts, that one decimal would round away
_LARGE = 100_000
_TIMES = (("s", 1e9), ("ms", 1e6), ("µs", 1e3))
_PREFIXES = (("G", 1e9), ("M", 1e6), ("k", 1e3))


def limit(fraction: float) -> str:
    """A fraction as somebody wrote it, e.g. a margin: `1 %`, `0.3 %`."""
    return f"{100 * fraction:g} %"


def percent(fraction: float, decimals: int = 1) -> str:
    """What was measured: `0.9 %`."""
    return f"{100 * fraction:.{decimals}f} %"


def change(fraction: float | None, decimals: int = 1) -> str:
    """A measured change: `+4.5 %`."""
    return NOTHING if fraction is None else f"{100 * fraction:+z.{decimals}f} %"


def log_percent(log: float, decimals: int = 1) -> str:
    """A change given as a log: `+4.5 %`."""
    return change(math.expm1(log), decimals)


def is_huge(log: float) -> bool:
    """Whether a change, a log, reads better as a factor."""
    return abs(log) > math.log1p(_HUGE)


def interval(ends: tuple[float, float], decimals: int = 1) -> str:
    """The ends of an interval of changes, logs: `[+3.6, +5.4]`, in percent; or in full where one is huge."""
    if any(map(is_huge, ends)):
        return f"[{', '.join(log_ratio(end, decimals) for end in ends)}]"
    return f"[{', '.join(log_percent(end, decimals).removesuffix(' %') for end in ends)}]"


def log_ratio(log: float, decimals: int = 1) -> str:
    """The same, and a factor where the change is huge: `x 24.1`."""
    if math.isinf(log):
        return "beyond measure"
    if is_huge(log):
        return f"x {math.exp(min(log, 700.0)):.3g}"
    return log_percent(log, decimals)


def deviation(fraction: float) -> str:
    """A relative standard deviation: `1.2 %`, `0.04 %`."""
    return percent(fraction, 2 if _NOTHING < fraction < _TINY else 1)


def decimals(margin: float) -> int:
    """Of the percentages that are compared with `margin`: as many as it needs."""
    return 1 if margin >= _COARSE else 2


def duration(ns: float, decimals: int | None = None) -> str:
    """`59.75 ms`: four significant digits, or `decimals`, in the unit that fits."""
    if decimals is not None:
        unit, size = next(((unit, size) for unit, size in _TIMES if ns >= size), ("ns", 1.0))
        return f"{ns / size:.{decimals}f} {unit}"
    return _four_digits(ns, _TIMES) or f"{ns:.0f} ns"


def clock(seconds: float) -> str:
    """`1 h 05 min`, `4 min 10 s`, `12 s`."""
    whole = max(0, round(seconds))
    if whole >= 3600:  # noqa: PLR2004 - seconds of an hour
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"  # noqa: PLR2004 - a minute


def phase(ms: float | None) -> str:
    """A phase of the program, or the CPU time of a function: `2.70 ms`."""
    return NOTHING if ms is None else f"{ms:.2f} ms"


def signed(ms: float) -> str:
    """A change in ms, without the unit: `+2.70`, `−0.31`, `0.00`."""
    number = f"{ms:+.2f}"
    return number.replace("-", "−") if float(number) else "0.00"


def count(number: float) -> str:
    """`8,880`, and from a hundred thousand on four significant digits: `688.3 M`."""
    if number < _LARGE:
        return f"{number:,.0f}"
    return _four_digits(number, _PREFIXES)


def gas(amount: int | None) -> str:
    """`37.5 M gas`."""
    return NOTHING if amount is None else f"{amount / 1e6:.1f} M gas" if amount else "0 gas"


def size(number: float) -> str:
    """Bytes: `112.4 MiB`."""
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:  # noqa: PLR2004 - the next unit
            return f"{number:.1f} {unit}" if unit != "B" else f"{number:.0f} B"
        number /= 1024
    return f"{number:.1f} GiB"


def quantity(value: float | None, unit: str, decimals: int | None = None) -> str:
    """A value in the unit of its row or metric: `59.75 ms`, `0.628 Ggas/s`; `%` holds a fraction.

    `decimals` are those of a time.
    """
    if value is None:
        return NOTHING
    if unit == "ns":
        return duration(value, decimals)
    if unit == "KiB":
        return f"{value / 1024:.1f} MiB"
    if unit == "%":
        return percent(value, 2)
    if unit == "ratio":
        return f"{value:.2f}"
    return f"{value:.3g} {unit}" if unit else count(value)


def level(value: float | None, metric: str) -> str:
    """A level of `metric`, times with two decimals, so that they line up: `59.75 ms`, `688.3 M`."""
    return quantity(value, metric_unit(metric), 2)


def _four_digits(value: float, units: tuple[tuple[str, float], ...]) -> str:
    """`value` in the largest of `units` that it reaches; empty where it reaches none."""
    for unit, size in units:
        scaled = float(f"{value / size:.4g}")  # rounded first: 999.96 µs is 1.000 ms
        if scaled >= 1:
            return f"{scaled:.{max(0, 3 - int(math.log10(scaled)))}f} {unit}"
    return ""
