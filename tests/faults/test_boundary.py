"""What nobody foresaw in a hook of ours: one line that asks for a report, no secret, and no file is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench

KEY = "0123456789abcdef"
SAYS = "unexpected ZeroDivisionError: over https://rpc.example.org"
BUG = "this is a bug of pytest-ethrex-perf, please report this line"
BREAK = """
    import importlib

    def fail(*_, **__):
        secret_local = "token-{key}"
        raise ZeroDivisionError("over https://rpc.example.org/v2/{key}")

    owner = importlib.import_module("pytest_ethrex_perf.{module}")
    *path, name = "{name}".split(".")
    for part in path:
        owner = getattr(owner, part)

    def pytest_configure():
        setattr(owner, name, fail)

    def pytest_unconfigure():
        setattr(owner, name, before)

    before = vars(owner)[name]
"""
DECLARED = """
    import pytest

    @pytest.mark.ethrex_block(24443168)
    def test_block(ethrex_block):
        pass
"""


def run(bench: Bench, place: str, *options: str) -> str:
    """Break the function at `place` (`MODULE:NAME`); return what a gate then shows, which is no success."""
    module, _, name = place.partition(":")
    bench.pytester.makeconftest(BREAK.format(module=module, name=name, key=KEY))
    head, base = bench.program("head"), bench.program("base")
    options = (
        f"--ethrex-rpc-url=https://rpc.example.org/v2/{KEY}",
        "-l",
        "--ethrex-json=results.json",
        *options,
    )
    programs = (f"--ethrex-replay={head}", f"--ethrex-base={base}")
    if "test_declared.py" in options:
        result = bench.run(*programs, *options)
    else:
        result = bench.gate(*programs, *options)
    assert result.ret not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    shown = result.stdout.str() + result.stderr.str()
    assert KEY not in shown
    assert "INTERNALERROR" not in shown
    assert "Traceback" not in shown
    return shown


@pytest.mark.parametrize(
    "place",
    [
        "pytest_run.session:_settings",
        "pytest_run.collection:Collection.items",
        "pytest_run.collection:Collection._folders",
        "pytest_run.collection:Collection.keep_shard",
        "pytest_run.collection:Collection.fix",
    ],
)
def test_before_anything_is_measured(bench: Bench, place: str) -> None:
    shown = run(bench, place)
    assert SAYS in shown
    assert BUG in shown


@pytest.mark.parametrize(
    "place",
    [
        "gate.block:Block.take_turn",
        "pytest_run.outcomes:Outcomes._note",
        "pytest_run.summary:Summary.header",
        "gate.run:Run.close",
        "report.terminal:summary",
        "report.text:counts",
    ],
)
def test_the_results_are_written_all_the_same(bench: Bench, place: str) -> None:
    shown = run(bench, place)
    assert SAYS in shown or "ZeroDivisionError: over https://rpc.example.org" in shown
    assert "this is a bug of pytest-ethrex-perf" in shown
    assert len(bench.results().blocks) == 1


def test_a_report_that_cannot_be_made_takes_no_other_with_it(bench: Bench) -> None:
    shown = run(bench, "report.markdown:dump", "--ethrex-markdown=out.md", "--ethrex-csv=out.csv")
    assert f"not written: {bench.path}/out.md (--ethrex-markdown): {SAYS}" in shown
    assert len(bench.results().blocks) == 1
    assert (bench.path / "out.csv").exists()


def test_a_block_whose_result_cannot_be_made_is_an_error(bench: Bench) -> None:
    shown = run(bench, "gate.run_result:block_result")
    assert "ZeroDivisionError" in shown
    (block,) = bench.results().blocks
    assert block.error is not None
    assert block.error.startswith(f"mainnet/24443168: {SAYS}")


@pytest.mark.parametrize(
    "place",
    [
        "pytest_run.session:_settings",
        "pytest_run.collection:Collection.parametrize",
        "pytest_run.benchmark_table:beside",
        "pytest_run.benchmark_table:prepare",
        "pytest_run.gated_block:GatedBlock.settle",
    ],
)
def test_declared_tests(bench: Bench, place: str) -> None:
    bench.pytester.makepyfile(test_declared=DECLARED)
    shown = run(bench, place, "test_declared.py")
    assert SAYS in shown
    assert BUG in shown


@pytest.mark.parametrize(
    "place",
    [
        "pytest_run.session:_settings",
        "pytest_run.collection:Collection.items",
        "pytest_run.collection:Collection.fix",
        "pytest_run.session:PytestRun.next_message",
        "pytest_run.xdist_results:Inbox.receive",
        "pytest_run.xdist_results:Inbox.result",
        "pytest_run.xdist_results:Inbox.troubles",
        "pytest_run.xdist_scheduling:BlockScheduling.__init__",
    ],
)
def test_distributed(bench: Bench, place: str) -> None:
    shown = run(bench, place, "-n1")
    assert "ZeroDivisionError" in shown
