"""What pytest's own options, its files and other plugins do to a gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import BLOCK

if TYPE_CHECKING:
    from tests.conftest import Bench

DECLARED = f"""
    import pytest

    @pytest.mark.ethrex_block({BLOCK})
    def test_block(ethrex_block):
        ethrex_block.gate()
"""
FORKED = """
    def pytest_addoption(parser):
        parser.addoption("--forked", action="store_true")
"""
NODES = """
    def pytest_collection_finish(session):
        for item in session.items:
            for node in item.listchain()[1:]:
                assert node.path != session.path, node
                assert node.path.is_relative_to(session.path), node
"""
RETRY = """
    import pytest

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(item, call):
        report = yield
        if report.when == "call":
            item._initrequest()
            print("renewed", item.nodeid)
        return report
"""


def sides(bench: Bench) -> tuple[str, str]:
    """Ten per cent of a regression."""
    head = bench.program("head", exec_ms=66)
    return f"--ethrex-replay={head}", f"--ethrex-base={bench.program('base')}"


def test_setup_plan_measures_nothing(bench: Bench) -> None:
    bench.pytester.makepyfile(DECLARED)
    bench.gate(*sides(bench), "--setup-plan", "--ethrex-counters=off", "test_setup_plan_measures_nothing.py")
    assert not bench.calls("bin/head")


def test_setup_only_says_that_nothing_is_judged(bench: Bench) -> None:
    result = bench.gate(*sides(bench), "--setup-only", "--ethrex-looks=6")
    result.stdout.fnmatch_lines(["--setup-only: nothing is judged*"] * 2)


def test_forked_is_refused_with_a_reason(bench: Bench) -> None:
    bench.pytester.makeconftest(FORKED)
    line = bench.refuse(f"--ethrex-block={BLOCK}", "--forked")
    assert line.startswith("--forked measures in processes whose results are lost")


def test_a_plugin_that_renews_requests_finds_nothing_to_renew(bench: Bench) -> None:
    bench.pytester.makeconftest(RETRY)
    result = bench.gate(*sides(bench), "-s")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*renewed ethrex-block::mainnet/{BLOCK}::exec"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")


def test_every_node_has_a_path_of_its_own_below_the_root(bench: Bench) -> None:
    bench.pytester.makeconftest(NODES)
    result = bench.gate(*sides(bench), "--collect-only", "-q", block=f"{BLOCK},7,8")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines([f"ethrex-block::mainnet/{BLOCK}::exec"])


def test_the_verbose_line_names_no_directory(bench: Bench) -> None:
    head = bench.program("head")
    result = bench.compare(head, bench.program("base"), "-v")
    result.stdout.fnmatch_lines([f"ethrex-block::mainnet/{BLOCK}::exec PASSED*"])


@pytest.mark.parametrize("value", ["1", "'1'"])
def test_a_number_in_pytest_toml_is_read(bench: Bench, value: str) -> None:
    (bench.path / "pytest.toml").write_text(f"[pytest]\nethrex_repeat = {value}\n")
    if int(pytest.__version__.partition(".")[0]) < 9:
        pytest.skip("pytest.toml came with pytest 9")
    assert "it must be at least 2" in bench.refuse(f"--ethrex-block={BLOCK}")
