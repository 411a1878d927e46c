"""How values are read: each parser and, through its reader, each option."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.config import parsers, readers
from pytest_ethrex_perf.config.options import OPTIONS
from pytest_ethrex_perf.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


@given(st.floats(0, 0.49))
def test_a_fraction_and_its_percentage_are_the_same(value: float) -> None:
    assert parsers.fraction(repr(value)) == value
    assert parsers.fraction(value) == value
    assert parsers.fraction(f"{100 * value!r}%") == pytest.approx(value)
    assert parsers.fraction(f" {100 * value!r} % ") == pytest.approx(value)


@given(st.floats(0.5, 1e6) | st.integers(1, 10**6))
def test_a_bare_number_that_must_be_a_percentage_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r"for a percentage, or a fraction below 0\.5"):
        parsers.fraction(value)


@given(st.text() | st.floats() | st.integers() | st.booleans() | st.none() | st.lists(st.integers()))
@pytest.mark.parametrize("name", [name for name in OPTIONS if name != "block"])
def test_any_value_is_read_or_refused_in_one_line(name: str, value: object) -> None:
    told = refusal(name, value)
    assert told is None or told.startswith("here: ")
    assert told is None or "\n" not in told


def refusal(name: str, value: object) -> str | None:
    """Why option `name` does not take `value`; None where it does."""
    try:
        parsers.read(readers.of(name), value, "here")
    except UsageError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    ("parse", "good"),
    [
        (
            parsers.fraction,
            {"1%": 0.01, "0.01": 0.01, 0.01: 0.01, "0": 0.0, "99.9%": 0.999, "1\u202f%": 0.01},
        ),
        (parsers.probability, {"1%": 0.01, "0.49": 0.49}),
        (parsers.significance, {"1%": 0.01, "49%": 0.49}),
        (parsers.seconds, {"90": 90, "90s": 90, "1.5h": 5400, "10m": 600, "10 min": 600, "5ms": 0.005, 7: 7}),
        (parsers.milliseconds, {"0.2": 2e5, "0.2ms": 2e5, "0.2 ms": 2e5, 0: 0, 1.5: 1.5e6}),
        (parsers.looks, {"6": (6,), "6, 10": (6, 10), (6, 7): (6, 7)}),
        (parsers.metrics, {"exec": ("exec",), "prep,exec,prep": ("prep", "exec")}),
        (parsers.repeats, {"2": 2, 11: 11, "auto": "auto"}),
        (parsers.whole(1), {"1": 1, 3: 3}),
        (parsers.choice("warn", "fail"), {"warn": "warn"}),
        (parsers.words, {"a 'b c'": "a 'b c'"}),
        (parsers.words_or_none, {"": "", "a b": "a b"}),
        (parsers.text, {"a": "a"}),
    ],
)
def test_values_that_are_read(parse: Callable[[object], object], good: dict[object, object]) -> None:
    for value, read in good.items():
        assert parse(value) == (pytest.approx(read) if isinstance(read, float) else read)


@pytest.mark.parametrize(
    ("parse", "bad"),
    [
        (parsers.fraction, ["", "%", "x", "-1%", "nan", "inf", "100%", "1e400", None, True]),
        (parsers.probability, ["0", "0%", "100%"]),
        (parsers.significance, ["0", "50%", "99%"]),
        (parsers.seconds, ["", "0", "0.0s", "-1", "1d", "1 s s", "s", "٣s", None]),
        (parsers.milliseconds, ["", "-0.1", "1s", "nan", "inf", "0.2 s"]),
        (parsers.looks, ["", "5", "6,6", "10,6", "6,,10", [6, 6.5], []]),
        (parsers.metrics, ["", ",", "wall", []]),
        (parsers.repeats, ["1", "0", "-1", "AUTO", "1.5", True]),
        (parsers.whole(1), ["0", "x", 1.5]),
        (parsers.choice("warn", "fail"), ["", "Warn", None, True]),
        (parsers.words, ["", "a 'b", ["a"], None]),
        (parsers.text, ["", " ", 5, None]),
    ],
)
def test_values_that_are_refused(parse: Callable[[object], object], bad: list[object]) -> None:
    for value in bad:
        with pytest.raises((ValueError, TypeError)):
            parse(value)


@given(st.floats(0.001, 8784))
def test_a_duration_is_the_same_in_every_unit(seconds: float) -> None:
    text = f"{seconds:.6f}"
    assert math.isclose(parsers.seconds(f"{text}s"), parsers.seconds(f"{text} m") / 60)
    assert math.isclose(parsers.seconds(f"{text}h"), parsers.seconds(text) * 3600)
