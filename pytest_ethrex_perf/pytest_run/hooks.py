"""The hooks of a pytest run in which blocks are measured: registered when the first is asked for."""

from __future__ import annotations

import sys
import unittest
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.pytest_run import node_ids
from pytest_ethrex_perf.pytest_run.boundary import (
    REDACT,
    boundary,
    collecting_fails,
    end,
    failure,
    wrong_usage,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from pytest_ethrex_perf.pytest_run.gated_block import GatedBlock
    from pytest_ethrex_perf.pytest_run.session import PytestRun

NAME = "ethrex_perf_run"
"""Of this module as a plugin of a run."""
MESSAGE = "ethrex_perf"
"""The attribute of a report that carries what a worker of pytest-xdist sends the controller."""
WRONG_PROGRAM = "ethrex_perf_wrong_program"
"""The attribute of a report by which a worker has the controller end the run, and what it says then."""
RUN: pytest.StashKey[PytestRun] = pytest.StashKey()
GATED: pytest.StashKey[GatedBlock] = pytest.StashKey()
"""In an item: the block that its `ethrex_block` fixture has given it."""


def register(config: pytest.Config) -> None:
    """Register the hooks of this module, once."""
    if not config.pluginmanager.has_plugin(NAME):
        config.pluginmanager.register(sys.modules[__name__], NAME)


def run_of(config: pytest.Config) -> PytestRun:
    """Everything of ours in this pytest run, made when first asked for. Raises `UsageError`."""
    if RUN not in config.stash:
        from pytest_ethrex_perf.pytest_run.session import PytestRun

        config.stash[RUN] = PytestRun(config)
        redact: Callable[[str], str] = config.stash[RUN].gate.equipment.redact
        config.stash[REDACT] = redact
        register(config)
    return config.stash[RUN]


def run_if_any(config: pytest.Config) -> PytestRun | None:
    """The same, where it was asked for before: a worker of pytest-xdist begins with its first test."""
    return config.stash.get(RUN, None)


# --- what `plugin` calls -----------------------------------------------------------------------------------


def begin(config: pytest.Config) -> None:
    """Read the settings at once where --ethrex-block is given: a bad one is a usage error."""
    register(config)
    if not hasattr(config, "workerinput"):
        with boundary(config, end), _usage():
            run_of(config)


def parametrize(metafunc: pytest.Metafunc) -> None:
    """One test for each block of its markers."""
    with boundary(metafunc.config, pytest.Collector.CollectError):
        run_of(metafunc.config).collection.parametrize(metafunc)


def receive(report: pytest.TestReport) -> None:
    """In the controller of pytest-xdist: take what its workers have measured."""
    node: Any = getattr(report, "node", None)
    message: str | None = getattr(report, MESSAGE, None)
    if hasattr(node, "gateway") and (message is not None or run_if_any(node.config)):
        with boundary(node.config, end):
            run = run_of(node.config)
        run.termination.hold()  # where no option has said before that there are blocks
        with boundary(node.config, run.note):
            run.inbox.receive(node.gateway.id, report, message)
            run.annotations.see(report)
        if wrong_program := getattr(report, WRONG_PROGRAM, None):
            raise wrong_usage(wrong_program)


@contextmanager
def _usage() -> Iterator[None]:
    """What is wrong with an option is pytest's own usage error."""
    try:
        yield
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None


# --- what pytest calls -------------------------------------------------------------------------------------


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With --ethrex-block and no path only the blocks run: other tests are not even imported."""
    del collection_path
    return True if _only_blocks(config) else None


def _only_blocks(config: pytest.Config) -> bool:
    given_path = config.args_source is pytest.Config.ArgsSource.ARGS
    return bool(config.getoption("ethrex_block")) and not given_path


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Show our ids whole. In the controller of pytest-xdist: build what is to be, before there are workers.

    What is given and is no program is wrong usage already here, where only blocks can be selected.
    """
    run = run_if_any(session.config)
    if run:
        node_ids.show_whole(session.config)
    if run and session.config.pluginmanager.has_plugin("dsession"):
        if _only_blocks(session.config):
            with boundary(session.config, end), _usage():
                run.collection.check_given_programs()
        with boundary(session.config, end), run.termination.held():
            run.gate.equipment.programs.build()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist what was built for it."""
    if run := run_if_any(node.config):
        from pytest_ethrex_perf.pytest_run import xdist_builds

        with boundary(node.config, end):
            xdist_builds.send(node, run.gate.equipment.programs)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> Iterator[None]:
    """Add the items behind --ethrex-block before anything is selected or reordered; then take our shard."""
    if session.config.getoption("ethrex_block"):
        with boundary(session.config, collecting_fails(session.config, items)):
            items.extend(run_of(session.config).collection.items(session))
    yield
    if run := run_if_any(session.config):
        with boundary(session.config, collecting_fails(session.config, items)), _usage():
            run.collection.keep_shard(items, session.config)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Fix the family: what is judged in this run is known now."""
    if run := run_if_any(session.config):
        with boundary(session.config, collecting_fails(session.config, session.items)):
            if not session.config.option.collectonly and not session.config.option.setupplan:
                with _usage():
                    run.collection.check_programs(session.items)
            run.collection.fix(session.items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Hold signals in the controller of pytest-xdist, which only waits; others do while they measure."""
    run = run_if_any(session.config)
    if run and session.config.pluginmanager.has_plugin("dsession"):
        run.termination.hold()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Lend pytest-benchmark a timer, where a test wants our samples in its table."""
    if "ethrex_block" in getattr(item, "fixturenames", ()):
        from pytest_ethrex_perf.pytest_run import benchmark_table

        with boundary(item.config, failure):
            benchmark_table.prepare(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Judge the block of a test that has not, passed or skipped itself: a regression is its failure."""
    try:
        result = yield
    except (pytest.skip.Exception, unittest.SkipTest):
        _settle(item)
        raise
    _settle(item)
    return result


def _settle(item: pytest.Item) -> None:
    if block := item.stash.get(GATED, None):
        with boundary(item.config, failure):
            block.settle()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In a worker of pytest-xdist: what was measured travels with the report."""
    report = yield
    run = run_if_any(item.config)
    message = None

    def fail(line: str) -> None:
        report.outcome, report.longrepr = "failed", line

    with boundary(item.config, fail):
        message = run.next_message() if run else None
        if run:
            run.take_note(item, report)
            if run.wrong_program is not None:
                setattr(report, WRONG_PROGRAM, run.wrong_program)
    if message is not None:
        setattr(report, MESSAGE, message)
    return report


def pytest_report_header(config: pytest.Config) -> list[str] | None:
    """Program, machine, mode; what is counted."""
    if run := run_if_any(config):
        with boundary(config, run.note):
            return run.summary.header(run.collection.counts)
    return None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Let go of the machine and write the files that were asked for, before another plugin can fail.

    What is shown comes after that: where it could not be shown, the run is no success, either.
    """
    run = run_if_any(session.config)
    if run is None:
        return (yield)
    if not run.finish() and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    if run.termination.exit_code is not None and not hasattr(session.config, "workerinput"):
        session.exitstatus = run.termination.exit_code
    yield
    if run.notes and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show what was measured."""
    if run := run_if_any(config):
        with boundary(config, run.note):
            run.summary.show(terminalreporter, run.outcomes.shown)
            run.annotations.show(run.summary.result(), terminalreporter)
        for note in run.notes:
            terminalreporter.write_line(f"ethrex-perf: {note}", red=True)
