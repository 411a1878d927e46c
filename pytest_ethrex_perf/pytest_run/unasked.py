"""A report, or a recording, that is asked for on the command line without any block: wrong usage.

The same in pytest's configuration (`addopts`) or in ethrex-perf.toml stands there for every run, also for
those without blocks, and is no error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from pytest_ethrex_perf.config.options import OPTIONS, WRITTEN
from pytest_ethrex_perf.pytest_run import hooks

if TYPE_CHECKING:
    from collections.abc import Sequence

_OF_BLOCKS: Final = (*WRITTEN, "update_baseline", "update_baseline_new_only", "accept_baseline")
_OURS: Final = frozenset(("ethrex_block", "ethrex_replay"))


def watch(config: pytest.Config) -> None:
    """Look at what is collected where an option that is about blocks is typed, and no block."""
    typed = {str(word).partition("=")[0] for word in config.invocation_params.args}
    flag = next((OPTIONS[name].flag_name for name in _OF_BLOCKS if OPTIONS[name].flag_name in typed), None)
    if flag is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Unasked(flag), "ethrex_perf_unasked")


class _Unasked:
    """Refuses a run without blocks: before its tests, or after them where only they can say that."""

    def __init__(self, flag: str) -> None:
        self._message = (
            f"{flag}: there is no block in this run: give --ethrex-block 24443168 (or all), "
            "or select tests that take `ethrex_block`"
        )
        self._none_was_seen = True
        self._refused = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: Sequence[pytest.Item]) -> None:
        """Refuse tests of which none takes a fixture of ours; one that has `request` may ask for it later."""
        fixtures = {name for item in items for name in getattr(item, "fixturenames", ())}
        if not fixtures & {*_OURS, "request"} and not session.testsfailed:
            raise pytest.UsageError(self._message)
        self._none_was_seen = not fixtures & _OURS

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Refuse a run that was green without any block; pytest-xdist's controller collects nothing."""
        asked = hooks.run_if_any(session.config) is not None
        self._refused = self._none_was_seen and not asked and session.exitstatus == pytest.ExitCode.OK
        if self._refused:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say so."""
        if self._refused:
            terminalreporter.write_line(f"ethrex-perf: {self._message}", red=True)
