"""The front door: what pytest must know of us in every run, each a line or two.

pytest loads this in every run on the machine: stdlib and pytest only, no file is read and nothing is started
unless a block is asked for. Then `pytest_run.hooks` join in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_ethrex_perf.config.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ethrex_perf.pytest_run.gated_block import GatedBlock
    from pytest_ethrex_perf.records.measurement import Invocation

MARKER = (
    "ethrex_block(block, ..., network, repeat, drop, metrics, margin, tolerance, floor, gate): "
    "gate these blocks; the test's `ethrex_block` fixture is measured for each, and judged unless gate=False"
)
UNREAD = (
    "{}: @pytest.mark.ethrex_block measures nothing in a test without the fixture: add the argument "
    "`ethrex_block` and call `ethrex_block.gate()`, or take the marker away"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register every option of the table in its group of `--help`, and its ini form."""
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
        parser.getgroup(f"ethrex: {option.group}").addoption(option.flag_name, **keywords)
        if option.file:
            parser.addini(option.ini_name, f"same as {option.flag_name}", type="string", default=None)


def pytest_load_initial_conftests(parser: pytest.Parser, args: list[str]) -> None:
    """Have pytest's own error say what a mistyped option of ours was meant to be; without it, say nothing."""
    if any(word.startswith("--e") for word in args):
        from pytest_ethrex_perf.config.mistyped import meant

        hint = ", ".join(meant(args))
        if hint:
            parser.extra_info["did you mean"] = hint


def pytest_configure(config: pytest.Config) -> None:
    """Register our other hooks where blocks are asked for, or should be."""
    config.addinivalue_line("markers", MARKER)
    if config.getoption("ethrex_block"):
        from pytest_ethrex_perf.pytest_run import hooks

        hooks.begin(config)
    elif any(str(word).startswith("--ethrex-") for word in config.invocation_params.args):
        from pytest_ethrex_perf.pytest_run import unasked

        unasked.watch(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each block of its markers."""
    if "ethrex_block" in metafunc.fixturenames:
        from pytest_ethrex_perf.pytest_run import hooks

        hooks.parametrize(metafunc)
    elif metafunc.definition.get_closest_marker("ethrex_block"):
        raise pytest.Collector.CollectError(UNREAD.format(metafunc.definition.nodeid))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a marker that nobody reads where no test is generated: in a unittest.TestCase."""
    takes_it = not isinstance(item, pytest.Function) or "ethrex_block" in item.fixturenames
    if not takes_it and item.get_closest_marker("ethrex_block"):
        pytest.fail(UNREAD.format(item.nodeid), pytrace=False)


@pytest.hookimpl(optionalhook=True, trylast=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Keep the tests of one block on one worker, unless a --dist or another plugin has it otherwise."""
    if config.getoption("dist") != "load":
        return None
    from pytest_ethrex_perf.pytest_run.boundary import boundary, end
    from pytest_ethrex_perf.pytest_run.xdist_scheduling import BlockScheduling

    with boundary(config, end):
        return BlockScheduling(config, log)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """In the controller of pytest-xdist: what its workers have measured meets here."""
    if hasattr(report, "node"):
        from pytest_ethrex_perf.pytest_run import hooks

        hooks.receive(report)


@pytest.fixture
def ethrex_block(request: pytest.FixtureRequest) -> GatedBlock:
    """One block of `@pytest.mark.ethrex_block`, measured; trouble is an error of the test.

    `ethrex_block.gate()` judges and returns the `BlockResult`; `ethrex_block.result` only returns it. A test
    that doesn't call `gate` is judged when it has passed, unless its marker says `gate=False`. Where the test
    takes pytest-benchmark's `benchmark` as well, `gate` puts the samples into its table.
    """
    from pytest_ethrex_perf.pytest_run import fixtures

    return fixtures.gated_block(request)


@pytest.fixture
def ethrex_replay(request: pytest.FixtureRequest) -> Callable[..., Invocation]:
    """`ethrex_replay(24443168, network="mainnet", repeat=11)`: replay once, no baseline, no verdict.

    Returns the `Invocation`: `exec_ns`, `prep_ns`, `gas`, `txs`, … Trouble fails the test.
    """
    from pytest_ethrex_perf.pytest_run import fixtures

    return fixtures.replay(request)
