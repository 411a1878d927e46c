from __future__ import annotations

from importlib import metadata

import pytest

import pytest_ethrex_perf
from pytest_ethrex_perf import cli, version


def test_the_version_is_the_installed_one() -> None:
    installed = metadata.version("pytest-ethrex-perf")
    assert pytest_ethrex_perf.__version__ == version.version() == installed


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"ethrex-perf {version.version()}\n"


def test_sources_that_were_never_installed_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version, "NAME", "pytest-ethrex-perf-never-installed")
    assert version.version.__wrapped__() == "unknown"
