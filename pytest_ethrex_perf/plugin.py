"""The front door: pytest hooks only, each a line or two.

pytest loads this in every run on the machine: stdlib and pytest only, no file is read and nothing is started
unless a block is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_ethrex_perf.config.options import OPTIONS
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.pytest_run.access import run_if_any, run_of
from pytest_ethrex_perf.pytest_run.fixtures import ethrex_block, ethrex_replay

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

__all__ = ["ethrex_block", "ethrex_replay"]

MESSAGE = "ethrex_perf"
"""The attribute of a report that carries what a worker of pytest-xdist sends the controller."""
MARKER = (
    "ethrex_block(block, ..., network, repeat, drop, metrics, margin, tolerance, floor): "
    "gate these blocks; the test's `ethrex_block` fixture is measured for each"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register every option of the table, and its ini form."""
    group = parser.getgroup("ethrex-perf", "performance gate of ethrex blocks")
    for option in OPTIONS.values():
        keywords: dict[str, Any] = {
            "dest": f"ethrex_{option.name}",
            "help": option.full_help.replace("%", "%%"),
            "default": None,
        }
        if option.flag:
            keywords["action"] = "store_true"
        elif option.repeated:
            keywords |= {"action": "append", "metavar": option.metavar}
        else:
            keywords["metavar"] = option.metavar
        group.addoption(option.flag_name, **keywords)
        if option.file:
            parser.addini(option.ini_name, f"same as {option.flag_name}", type="string", default=None)


def pytest_configure(config: pytest.Config) -> None:
    """Read the settings at once where blocks are asked for: a bad one is a usage error."""
    config.addinivalue_line("markers", MARKER)
    if config.getoption("ethrex_block") and not hasattr(config, "workerinput"):
        try:
            run_of(config)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With --ethrex-block and no path only the blocks run: other tests are not even imported."""
    del collection_path
    if config.getoption("ethrex_block") and config.args_source is not pytest.Config.ArgsSource.ARGS:
        return True
    return None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each block of its markers."""
    if "ethrex_block" in metafunc.fixturenames:
        try:
            run_of(metafunc.config).collection.parametrize(metafunc)
        except UsageError as error:
            raise pytest.Collector.CollectError(str(error)) from None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> Iterator[None]:
    """Add the items behind --ethrex-block before anything is selected or reordered; then take our shard."""
    if session.config.getoption("ethrex_block"):
        items.extend(run_of(session.config).collection.items(session))
    yield
    if run := run_if_any(session.config):
        try:
            run.collection.keep_shard(items, session.config)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fix the family: what is judged in this run is known now."""
    if run := run_if_any(session.config):
        run.collection.fix(session.items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Lend pytest-benchmark a timer, where a test wants our samples in its table."""
    if "ethrex_block" in getattr(item, "fixturenames", ()):
        from pytest_ethrex_perf.pytest_run import benchmark_table

        benchmark_table.prepare(item)


@pytest.hookimpl(optionalhook=True, trylast=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Keep the tests of one block on one worker, unless a --dist or another plugin has it otherwise."""
    if config.getoption("dist") != "load":
        return None
    from pytest_ethrex_perf.pytest_run.xdist_scheduling import BlockScheduling

    return BlockScheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In a worker of pytest-xdist: what was measured travels with the report."""
    report = yield
    run = run_if_any(item.config)
    message = run.next_message() if run else None
    if message is not None:
        setattr(report, MESSAGE, message)
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """In the controller of pytest-xdist: what its workers have measured meets here."""
    node: Any = getattr(report, "node", None)
    message: str | None = getattr(report, MESSAGE, None)
    if hasattr(node, "gateway") and (message is not None or run_if_any(node.config)):
        run_of(node.config).inbox.receive(node.gateway.id, report, message)


def pytest_report_header(config: pytest.Config) -> list[str] | None:
    """Program, machine, mode; what is counted."""
    run = run_if_any(config)
    return run.summary.header(run.collection.counts) if run else None


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let go of the machine and write the files that were asked for."""
    run = run_if_any(session.config)
    if run and not run.finish() and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show what was measured."""
    if run := run_if_any(config):
        run.summary.show(terminalreporter, run.outcomes.shown)
