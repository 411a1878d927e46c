"""Values of options that no machine can hold: numbers of 5,000 digits, deep lists, endless times."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.config import parsers, readers
from pytest_ethrex_perf.config.options import OPTIONS
from pytest_ethrex_perf.errors import UsageError

if TYPE_CHECKING:
    from tests.conftest import Bench


def nested(depth: int) -> object:
    """A list of a list of … of nothing."""
    value: object = []
    for _ in range(depth):
        value = [value]
    return value


NAMES = [name for name in OPTIONS if name != "block"]
digits = st.integers(1, 6000).map(lambda count: "9" * count)
leaves = st.text() | st.floats() | st.integers() | st.booleans() | st.none() | digits.map(str)
numbers = st.builds("{}{}".format, digits, st.sampled_from(["", "h", "ms", "GiB", "%", "/9", ",9"]))
huge = st.integers(0, 6000).map(lambda exponent: 10**exponent)
deep = st.integers(1, 3000).map(nested)
values = leaves | numbers | huge | deep | st.recursive(leaves, st.lists)


def refusal(name: str, value: object) -> str:
    """Why `value` is none of option `name`; empty where it is one."""
    try:
        parsers.read(readers.of(name), value, "here")
    except UsageError as error:
        return str(error)
    return ""


@given(values)
def test_a_parser_returns_or_raises_a_value_error(value: object) -> None:
    for name in NAMES:
        with contextlib.suppress(ValueError):
            readers.of(name)(value)


@given(values)
def test_what_is_refused_is_refused_in_one_short_line(value: object) -> None:
    for name in NAMES:
        message = refusal(name, value)
        assert "\n" not in message
        assert len(message) < 700


@given(numbers)
@pytest.mark.parametrize("parse", [parsers.seconds, parsers.milliseconds, parsers.size])
def test_a_quantity_that_is_read_is_finite(parse: object, text: str) -> None:
    assert callable(parse)
    with contextlib.suppress(ValueError):
        assert math.isfinite(parse(text))


@pytest.mark.parametrize(
    ("argument", "reason"),
    [
        ("--ethrex-timeout=99999999999999h", "it must be at most a year, 8784h"),
        (f"--ethrex-archive-size={'9' * 400}GiB", "it must be at most 1048576 TiB"),
        (f"--ethrex-repeat={'9' * 5000}", "it must be at most 1,000,000"),
        ("--ethrex-floor=1e305", "it must be at most a day, 86400000ms"),
        ("--ethrex-looks=6,100000000", "the last may be 10,000 at most"),
        (f"--ethrex-looks={'9' * 5000}", "the last may be 10,000 at most"),
    ],
)
def test_what_no_machine_can_hold_is_a_usage_error(bench: Bench, argument: str, reason: str) -> None:
    line = bench.refuse("--ethrex-block=1", argument)
    assert line.startswith(argument.partition("=")[0])
    assert line.endswith(reason)
    assert len(line) < 600


@pytest.mark.parametrize(
    "argument", ["--ethrex-replay=./{}", "--ethrex-replay=sh {}", "--ethrex-cache-dir={}", "--ethrex-json={}"]
)
def test_a_word_that_is_no_path_is_an_error_of_its_own(bench: Bench, argument: str) -> None:
    head, base = bench.program("head"), bench.program("base")
    result = bench.gate(f"--ethrex-replay={head}", f"--ethrex-base={base}", argument.format("x" * 5000))
    assert result.ret not in (pytest.ExitCode.OK, pytest.ExitCode.INTERNAL_ERROR)
    shown = result.stdout.str() + result.stderr.str()
    assert "this is a bug" not in shown


def test_a_block_number_of_thousands_of_digits_is_a_usage_error(bench: Bench) -> None:
    assert "is not a block number" in bench.refuse(f"--ethrex-block={'9' * 5000}")


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        (f"repeat = {'9' * 5000}", "cannot be read"),
        (f"looks = {'[' * 5000}{']' * 5000}", "nested too deeply"),
        (f"repeat = {'9' * 400}", "it must be at most 1,000,000"),
        (
            '[block."hoodi:1"]\nrepeat = 5\n[block."hoodi/1"]\nrepeat = 7',
            '[block."hoodi/1"] and [block."hoodi:1"] are the same block: keep one of them',
        ),
        ('[block.1]\nrepeat = 5\n[block."mainnet/1"]\nrepeat = 7', "are the same block"),
    ],
)
def test_such_a_file_is_a_usage_error(bench: Bench, toml: str, reason: str) -> None:
    bench.configure(toml)
    line = bench.refuse("--ethrex-block=1")
    assert reason in line
    assert "ethrex-perf.toml" in line


def test_a_byte_order_mark_is_read(bench: Bench) -> None:
    (bench.path / "ethrex-perf.toml").write_bytes(b"\xef\xbb\xbfrepeat = 1\n")
    assert "repeat: 1 is not a value of it: it must be at least 2" in bench.refuse("--ethrex-block=1")


# --- homes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["~nobody-of-that-name/kept", "~/kept"])
def test_a_home_that_is_not_there_is_a_usage_error_that_names_the_option(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("HOME", str(bench.path / "gone"))
    line = bench.refuse("--ethrex-block=1", f"--ethrex-baselines={path}")
    assert line.startswith(f"--ethrex-baselines: {path!r}: ")
    bench.configure(f"cache_dir = '{path}'")
    assert bench.refuse("--ethrex-block=1").startswith(f"ethrex-perf.toml: cache_dir: {path!r}: ")
    bench.configure("")
    bench.pytester.makeini(f"[pytest]\nethrex_archive = {path}\n")
    assert bench.refuse("--ethrex-block=1").startswith(f"ini ethrex_archive: {path!r}: ")


def test_a_home_that_is_there_is_meant_by_a_tilde(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(bench.path))
    bench.record(bench.program("steady"), "--ethrex-baselines=~/kept").assert_outcomes(passed=1)
    assert (bench.path / "kept").is_dir()
    assert not Path("~").exists()
