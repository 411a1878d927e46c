"""`ethrex-perf config show`: what pytest would be set to, and where that comes from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf import cli
from pytest_ethrex_perf.config.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Bench

    Show = Callable[..., dict[str, tuple[str, str]]]


@pytest.fixture
def show(bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Show:
    """Run the command where the bench is; return value and origin of each setting."""
    monkeypatch.chdir(bench.path)
    for variable in ("ETHREX_REPLAY", "ETHREX_RPC_URL", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(variable, raising=False)

    def run(*words: str) -> dict[str, tuple[str, str]]:
        assert cli.main(["config", "show", *words]) == 0
        rows = (re.split(" {2,}", line) for line in capsys.readouterr().out.splitlines())
        return {name: (value, origin) for name, value, origin in rows}

    return run


def test_every_source_is_named(bench: Bench, show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.configure(
        """
        blocks = [1, "hoodi:2"]
        repeat = 5
        drop = 2
        allow = [{block = 1, metric = "exec", up_to = "5%", reason = "x", expires = 2026-12-31}]
        [metric.prep]
        margin = "2%"
        [block.1.metric.exec]
        floor = "0.5ms"
        [build]
        command = "cargo build"
        artifact = "target/release/ethrex-replay"
        """
    )
    bench.pytester.makeini("[pytest]\nethrex_alpha = 2%\nethrex_drop = 3\naddopts = --ethrex-patience=0")
    monkeypatch.setenv("ETHREX_REPLAY", "./mine")
    monkeypatch.setenv("ETHREX_RPC_URL", "http://user:s3cr3t@node:8545/s3cr3ts3cr3t?key=s3cr3t")
    rows = show("--ethrex-tolerance=5%", "--ethrex-aa", "--ethrex-block=all")
    assert set(OPTIONS) <= set(rows)
    assert {
        "block": ("all", "--ethrex-block"),
        "blocks": ("mainnet/1,hoodi/2", "ethrex-perf.toml: blocks"),
        "tolerance": ("5%", "--ethrex-tolerance"),
        "aa": ("on", "--ethrex-aa"),
        "patience": ("0", "addopts: --ethrex-patience"),
        "repeat": ("5", "ethrex-perf.toml: repeat"),
        "drop": ("2", "ethrex-perf.toml: drop"),
        "alpha": ("2%", "tox.ini: ethrex_alpha"),
        "replay": ("./mine", "$ETHREX_REPLAY"),
        "rpc_url": ("http://node:8545", "$ETHREX_RPC_URL"),
        "margin": ("1%", "default"),
        "margin [metric.prep]": ("2%", "ethrex-perf.toml: [metric.prep]"),
        'floor [block."mainnet/1".metric.exec]': (
            "0.5ms",
            'ethrex-perf.toml: [block."mainnet/1".metric.exec]',
        ),
        "build": ("cargo build", "ethrex-perf.toml: [build]"),
        "allow": ("exec of mainnet/1 by 5% until 2026-12-31", "ethrex-perf.toml: allow"),
        "timeout": ("(from the block's first invocation)", "default"),
    }.items() <= rows.items()


def test_what_a_stronger_source_hides_is_not_shown(bench: Bench, show: Show) -> None:
    bench.configure('[metric.prep]\nmargin = "2%"')
    rows = show("--ethrex-margin=0.5%")
    assert rows["margin"] == ("0.5%", "--ethrex-margin")
    assert "margin [metric.prep]" not in rows


def test_an_rpc_that_nobody_set_is_no_secret(show: Show) -> None:
    assert show()["rpc_url"] == ("($ETHREX_RPC_URL)", "default")


def test_another_file_is_named_as_it_was(bench: Bench, show: Show) -> None:
    (bench.path / "night.toml").write_text("repeat = 7")
    rows = show("--config=night.toml")
    assert rows["repeat"] == ("7", "night.toml: repeat")
    assert rows["config"] == ("night.toml", "--ethrex-config")


@pytest.mark.usefixtures("show")
def test_a_bad_value_is_the_usage_error_of_pytest(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.configure("repaet = 5")
    assert cli.main(["config", "show"]) == 2
    assert "unknown name 'repaet': did you mean 'repeat'?" in capsys.readouterr().err
