"""What is read where the encoding is not UTF-8: words and letters, and neither codes nor an error."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pytest_ethrex_perf
from pytest_ethrex_perf import cli
from pytest_ethrex_perf.report import legible

if TYPE_CHECKING:
    from tests.conftest import Bench

PACKAGE = Path(pytest_ethrex_perf.__file__).parent
QUICK = ("--ethrex-profile=off", "--ethrex-counters=off", "--ethrex-patience=0")
NOT_PRINTED = ("embedded/", "report/charts", "report/shapes", "report/site", "report/timeline_charts")


def written(text: str, encoding: str = "ascii") -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    legible.make(stream)
    stream.write(text)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


def test_verdicts_changes_and_units_are_read_in_ascii() -> None:
    said = "+4.5 % ❌ regression: 832.11 µs ± 1.2 % → 900 µs · ⚠️ inconclusive… ▁█"
    assert written(said) == "+4.5 % FAIL regression: 832.11 us +- 1.2 % -> 900 us | WARN inconclusive... 18"


def test_only_what_the_encoding_lacks_is_changed() -> None:
    assert written("2 µs ± 1 % → 3 µs", "latin-1") == "2 µs ± 1 % -> 3 µs"
    assert written("❌ → ±", "utf-8") == "❌ → ±"


def test_what_nobody_foresaw_is_a_code_and_no_error() -> None:
    assert written("Müller \u2603 \U0001f980") == r"M\xfcller \u2603 \U0001f980"


def test_every_character_that_the_package_prints_has_its_letters() -> None:
    printed = {
        character
        for file in PACKAGE.rglob("*.py")
        if not str(file.relative_to(PACKAGE)).startswith(NOT_PRINTED)
        for character in file.read_text(encoding="utf-8")
        if not character.isascii()
    }
    assert {character for character in printed if "\\" in written(character)} == set()


def test_a_red_run_is_read_in_ascii(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    bench.pytester.makepyfile(
        """
        import pytest

        @pytest.mark.ethrex_block(24443168)
        def test_it(ethrex_block):
            ethrex_block.gate()
        """
    )
    head, base = bench.program("head", exec_ms=90), bench.program("base")
    options = (f"--ethrex-replay={head}", f"--ethrex-base={base}", "--ethrex-repeat=3")
    result = bench.pytester.runpytest_subprocess(*options, "--ethrex-looks=6", *QUICK)
    text = result.stdout.str()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert text.isascii()
    assert "\\u" not in text
    assert "\\x" not in text
    result.stdout.fnmatch_lines(["*base +- sd*", "mainnet/24443168 * FAIL regression *"])


def test_a_command_is_read_in_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", stream)
    assert cli.main(["doctor", "--no-noise"]) in (0, 1)
    text = stream.buffer.getvalue().decode()
    assert "ok " in text or "WARN " in text
    assert "\\u" not in text
