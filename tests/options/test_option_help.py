"""`pytest --help`: every option with its default, and its ini form."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.config import readers
from pytest_ethrex_perf.config.options import OPTIONS
from pytest_ethrex_perf.config.settings import load
from pytest_ethrex_perf.judge import looks
from pytest_ethrex_perf.records.metric import METRICS
from tests.conftest import PATIENCE, PROFILE

if TYPE_CHECKING:
    from tests.conftest import Bench

DEFAULTS = {
    "--ethrex-network": "mainnet",
    "--ethrex-cache-dir": "replay_cache",
    "--ethrex-repeat": "11",
    "--ethrex-drop": "1",
    "--ethrex-metrics": "exec",
    "--ethrex-baselines": "baselines",
    "--ethrex-margin": "1%",
    "--ethrex-tolerance": "3%",
    "--ethrex-floor": "0.2",
    "--ethrex-alpha": "1%",
    "--ethrex-patience": "10m",
    "--ethrex-aa": "off",
    "--ethrex-on-inconclusive": "warn",
    "--ethrex-on-improvement": "pass",
    "--ethrex-on-same-program": "skip",
    "--ethrex-lock-timeout": "30m",
    "--ethrex-profile": "on-regression",
    "--ethrex-profile-frames": "dwarf",
    "--ethrex-profile-time": "5m",
    "--ethrex-log-dir": "ethrex-perf-logs",
    "--ethrex-rpc-url": "$ETHREX_RPC_URL",
    "--ethrex-json": "none",
}

GROUP = r"^ethrex: (.*):\n((?: .*\n)*)"


@pytest.fixture
def entries(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What --help says of each option of ours, on one line."""
    monkeypatch.setitem(OPTIONS, "profile", PROFILE)
    monkeypatch.setitem(OPTIONS, "patience", PATIENCE)
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:codspeed")  # without tests.instant_programs, which has none
    groups = re.findall(GROUP, bench.run("--help").stdout.str(), re.MULTILINE)
    found: dict[str, str] = {}
    for line in "".join(lines for _, lines in groups).splitlines():
        words = line.split()
        if line.startswith("  --ethrex-"):
            name = words[0].partition("=")[0]
            found[name] = ""
        if words:
            found[name] += " " + " ".join(words)
    return found


def test_every_option_is_there_with_a_default(entries: dict[str, str]) -> None:
    assert set(entries) == {option.flag_name for option in OPTIONS.values()}
    for entry in entries.values():
        assert "(default: " in entry


@pytest.mark.parametrize(("option", "default"), DEFAULTS.items())
def test_the_default_reads_as_one_would_type_it(entries: dict[str, str], option: str, default: str) -> None:
    assert f"(default: {default}" in entries[option]


def test_the_looks_are_the_ordinary_ones_unless_they_are_given(entries: dict[str, str]) -> None:
    ordinary = ",".join(map(str, looks.ORDINARY))
    assert f"(default: {ordinary}, and on while" in entries["--ethrex-looks"]
    assert load({}, cwd=Path(), root=Path(), ini={}, environ={}).looks is None


@pytest.mark.parametrize(("option", "default"), DEFAULTS.items())
def test_the_default_is_what_it_is_set_to(option: str, default: str) -> None:
    name = option.removeprefix("--ethrex-").replace("-", "_")
    nowhere = Path("nowhere")
    settings = load({}, cwd=nowhere, root=nowhere, ini={}, environ={})
    values = {**vars(settings.block(None)), **settings.limits(None, "exec")._asdict(), **vars(settings)}
    if default in {"none", "off", "$ETHREX_RPC_URL"}:
        assert not values.get(name)
    else:
        read = readers.of(name)(default)
        assert values[name] == (nowhere / read if OPTIONS[name].path else read)


def test_the_metrics_are_those_that_there_are(entries: dict[str, str]) -> None:
    for metric in METRICS:
        assert f" {metric}" in entries["--ethrex-metrics"]


def test_the_daily_dozen_comes_first_and_the_others_by_what_they_are_for(bench: Bench) -> None:
    groups = dict(re.findall(GROUP, bench.run("--help").stdout.str(), re.MULTILINE))
    assert list(groups) == [
        *("daily options", "what to run", "how to decide", "baselines", "counters", "explain"),
        *("reports", "machine"),
    ]
    daily = re.findall(r"^  --ethrex-(\S+?)(?:=|\s|$)", groups["daily options"], re.MULTILINE)
    assert daily == [
        *("block", "replay", "base", "cache-dir", "margin", "patience", "time-budget", "on-inconclusive"),
        *("update-baseline", "accept-baseline", "report", "json"),
    ]


def test_ini_forms_are_listed(bench: Bench) -> None:
    text = bench.run("--help").stdout.str()
    for option in OPTIONS.values():
        assert (f"  {option.ini_name} (string)" in text) == option.file
