"""What pytest was given for our options, as written: on its command line, and in its configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tomli

from pytest_ethrex_perf.config.options import OPTIONS

if TYPE_CHECKING:
    from pytest_ethrex_perf.config.sources import Values


def command_line(config: pytest.Config) -> Values:
    """Return what the command line says, `addopts` and `PYTEST_ADDOPTS` included; None is not given."""
    return {name: config.getoption(f"ethrex_{name}") for name in OPTIONS}


def ini(config: pytest.Config) -> Values:
    """Return what the project's configuration says; None is not given."""
    return {name: _ini(config, option.ini_name) for name, option in OPTIONS.items() if option.file}


def _ini(config: pytest.Config, name: str) -> object:
    """What the project's configuration sets `name` to, if anything.

    In pytest.toml a value has a type, and pytest takes text alone for ours: `ethrex_repeat = 5` is as good.
    """
    try:
        return config.getini(name)
    except (TypeError, pytest.UsageError):  # the first up to pytest 9.1
        if config.inipath is None:
            raise
        tables = tomli.loads(config.inipath.read_text(encoding="utf-8"))
        table = tables.get("pytest") or tables.get("tool", {}).get("pytest", {})
        value: object = table[name]
        return value
