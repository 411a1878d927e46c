"""`ethrex-perf doctor --ethrex-block`: what is seen of a block on this machine, and what to set."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ethrex_perf import cli
from pytest_ethrex_perf.commands import outlook
from pytest_ethrex_perf.config import settings as config
from pytest_ethrex_perf.counters import callgrind
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.gate import trial
from pytest_ethrex_perf.gate.trial import Outlook, Trial
from pytest_ethrex_perf.judge.prospect import Noise
from pytest_ethrex_perf.records.decision import Rules
from pytest_ethrex_perf.records.metric import limits
from pytest_ethrex_perf.replay import failure
from tests.counters.conftest import SOURCE, build

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.gate.trial import By
    from pytest_ethrex_perf.profile.perf import Perf
    from tests.conftest import Bench


def seen(metric: str, by: By, sd: float, *, pair_s: float = 2.0, counting_s: float = 0.0) -> Outlook:
    rules = Rules(**limits(metric, callgrind=by == "callgrind")._asdict())
    return Outlook(Noise(metric, rules, sd, 12, level=60e6), by, pair_s + counting_s, counting_s)


def read(lines: tuple[str, ...], folder: Path) -> Any:
    """Those lines as our own reader of ethrex-perf.toml has them."""
    (folder / "ethrex-perf.toml").write_text("\n".join(lines), encoding="utf-8")
    return config.load({}, cwd=folder, root=folder, ini={}, environ={})


QUIET, SHARED = seen("exec", "clock", 0.01), seen("exec", "clock", 0.15)
CPU_TIME = seen("task-clock", "perf", 0.03)
CALLGRIND = seen("instructions", "callgrind", 0.001, counting_s=40)


def test_the_clock_alone_where_it_sees_its_tolerance(tmp_path: Path) -> None:
    chosen = outlook.recommend([QUIET, CPU_TIME, CALLGRIND])
    settings = read(chosen.lines, tmp_path)
    assert settings.block(None).metrics == ("exec",)
    assert settings.on_inconclusive == "fail"
    assert settings.counters == "auto"
    assert settings.limits(None, "exec").tolerance == 0.03
    assert settings.patience == 600


@pytest.mark.parametrize(
    ("others", "metrics", "counters"),
    [
        ([], ("exec",), "auto"),
        ([CPU_TIME], ("exec", "task-clock"), "auto"),
        ([CPU_TIME, CALLGRIND], ("exec", "instructions"), "callgrind"),
        ([CPU_TIME, seen("instructions", "perf", 0.002)], ("exec", "instructions"), "auto"),
        ([seen("task-clock", "perf", 0.3)], ("exec",), "auto"),
        ([seen("instructions", "callgrind", 0.001, counting_s=400)], ("exec",), "auto"),
    ],
    ids=["nothing else", "CPU time", "callgrind", "PMU", "CPU time as noisy", "callgrind that takes an hour"],
)
def test_exec_gets_the_tolerance_that_it_supports_and_the_sharpest_other_is_gated_beside_it(
    tmp_path: Path, others: list[Outlook], metrics: tuple[str, ...], counters: str
) -> None:
    chosen = outlook.recommend([SHARED, *others])
    settings = read(chosen.lines, tmp_path)
    assert settings.block(None).metrics == metrics
    assert settings.counters == counters
    tolerance = settings.limits(None, "exec").tolerance
    assert tolerance > 0.03
    assert f"supports a tolerance of {100 * tolerance:g} %" in chosen.reason
    for other in metrics[1:]:
        usual = limits(other, callgrind=counters == "callgrind")
        assert settings.limits(None, other) == usual, "exec's tolerance alone is wider"


def test_the_tolerance_falls_with_the_noise_and_with_the_time_of_a_pair(tmp_path: Path) -> None:
    def tolerance(sd: float, pair_s: float) -> float:
        lines = outlook.recommend([seen("exec", "clock", sd, pair_s=pair_s)]).lines
        found: float = read(lines, tmp_path).limits(None, "exec").tolerance
        return found

    assert tolerance(0.1, 2) < tolerance(0.15, 2) < tolerance(0.15, 20)


def test_lines_fit_into_80_cells_and_say_what_each_metric_sees() -> None:
    lines = list(outlook.text(Trial((SHARED, CPU_TIME, CALLGRIND), 13, 13, None, 60.0)))
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert re.search(
        r"  exec by the clock\n    sd of a pair 16\.2 %, at most \d\d\.\d %, from 13 pairs\n", text
    )
    assert re.search(r"     24 pairs .* 48 s  \+\d.* %\n    120 pairs  .*4 min 00 s .*\n    270 pairs", text)
    assert "  task-clock by perf (CPU time of all threads, not latency)" in text
    assert "    counting takes 40 s a pair; 6 pairs, the first look, take 4 min 12 s" in text


def test_a_floor_that_hides_more_than_the_margin_is_named() -> None:
    short = replace(QUIET, noise=replace(QUIET.noise, level=2e6))
    lines = list(outlook.text(Trial((short,), 13, 0, None, 60.0)))
    assert "    the absolute floor, 200.0 µs, is +10.0 %: less is never a regression" in lines
    assert not any("floor" in line for line in outlook.text(Trial((QUIET,), 13, 0, None, 60.0)))


def test_what_could_not_be_counted_says_why() -> None:
    lines = list(outlook.text(Trial((SHARED,), 13, 0, "valgrind was not found", 60.0)))
    assert "  callgrind: not counted: valgrind was not found" in lines


@pytest.fixture
def without_valgrind(monkeypatch: pytest.MonkeyPatch) -> None:
    """No valgrind, and programs that take no time are believed."""
    monkeypatch.setattr(failure, "of_lifetime", lambda *_: None)

    def find(_: object) -> None:
        raise UsageError("--ethrex-counters callgrind: valgrind was not found on PATH: get it")

    monkeypatch.setattr(callgrind, "find", find)


@pytest.mark.usefixtures("without_valgrind")
def test_a_block_is_measured_and_what_is_printed_can_be_set(
    bench: Bench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bench.path)
    bench.perf(per_repeat={"task-clock:u": 90}, noise=0.02)
    program = bench.program("head", noise=0.4)
    words = ["doctor", "--no-noise", f"--ethrex-replay={program}", "--ethrex-block=24443168"]
    assert cli.main([*words, "--repeat=3", "--for=1s"]) in (0, 1), "this machine may lack something"
    out, err = capsys.readouterr()
    assert not err
    assert "\nmainnet/24443168: measuring a program against itself for about 1 s\n" in out
    assert "  exec by the clock\n" in out
    assert "  task-clock by perf (CPU time of all threads, not latency)\n" in out
    assert "  callgrind: not counted: valgrind was not found on PATH: get it\n" in out
    lines = out.partition("\nin ethrex-perf.toml:\n")[2].splitlines()
    settings = read(tuple(line.strip() for line in lines), bench.path)
    assert settings.block(None).metrics[0] == "exec"
    repeats = {call["argv"][call["argv"].index("--repeat") + 1] for call in bench.calls(program)}
    assert repeats == {"3"}
    assert len(bench.calls(program)) >= 12, "six pairs at least"


@pytest.mark.usefixtures("without_valgrind")
@pytest.mark.parametrize(("lasts", "lines"), [("0.001s", 1), ("1h", 0)])
def test_it_says_how_long_it_takes_where_six_pairs_take_longer(
    bench: Bench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, lasts: str, lines: int
) -> None:
    monkeypatch.chdir(bench.path)
    monkeypatch.setattr(trial, "MOST_PAIRS", 6)
    program = bench.program("head")
    words = ["doctor", "--no-noise", f"--replay={program}", "--block=24443168", "--repeat=3"]
    cli.main([*words, f"--for={lasts}"])
    assert capsys.readouterr().out.count("\n6 pairs, the fewest that say anything, take about ") == lines


@pytest.mark.usefixtures("without_valgrind")
def test_it_measures_as_the_settings_file_says(
    bench: Bench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bench.path)
    program = bench.program("head")
    bench.configure(f'replay = "{program}"\nrepeat = "auto"\n[metric.exec]\ntolerance = "20%"\n')
    cli.main(["doctor", "--no-noise", "--block=24443168", "--for=1s"])
    out = capsys.readouterr().out
    assert "mainnet/24443168: repeat " in out, "why so many"
    assert "recommended here: the clock sees " in out


@pytest.mark.usefixtures("without_valgrind")
def test_it_says_how_many_of_the_programs_own_stacks_are_cut_off(
    bench: Bench, perf: Perf, deep: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert perf
    monkeypatch.chdir(bench.path)
    monkeypatch.setattr(trial, "MOST_PAIRS", 6)
    bench.configure('profile = "on-regression"')
    words = ["doctor", "--no-noise", f"--replay={deep} 40", "--block=24443168", "--repeat=2", "--for=1s"]
    cli.main(words)
    out = capsys.readouterr().out
    line = next(line for line in out.splitlines() if line.startswith("stacks of its profiles: "))
    assert re.search(r" % of [0-9]+ were cut off, with 64 KiB of each$", line), line


def test_callgrind_counts_a_few_times_and_says_what_a_pair_costs(
    bench: Bench,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    if shutil.which("valgrind") is None:
        pytest.skip("valgrind is not installed")
    monkeypatch.chdir(bench.path)
    program = f"{build(SOURCE, tmp_path / 'known-work')} --instructions 400000 --pages 0"
    words = ["doctor", "--no-noise", f"--ethrex-replay={program}", "--ethrex-block=24443168"]
    cli.main([*words, "--repeat=3", "--for=20s"])
    out, err = capsys.readouterr()
    assert not err
    assert re.search(r"pairs and [2-6] counts by callgrind in ", out)
    assert "  instructions by callgrind (a count, not time)\n    sd of a pair " in out
    assert re.search(r"    counting takes .* a pair; 6 pairs, the first look, take ", out)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--block=1..3"], "--block 1..3: name one block"),
        (["--block=24443168", "--for=soon"], "--for: 'soon' is not a value of it"),
        (["--block=nonsense:x"], "nonsense:x"),
        (["--block=77"], "77"),
    ],
)
def test_bad_input_is_one_line(
    bench: Bench,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(bench.path)
    monkeypatch.setenv("ETHREX_REPLAY", os.fspath(bench.path / bench.program("head")))
    assert cli.main(["doctor", "--no-noise", *words]) in (1, 2)
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
