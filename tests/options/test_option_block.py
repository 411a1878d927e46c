"""--ethrex-block: what is collected, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench


def collected(bench: Bench, *arguments: str) -> list[str]:
    result = bench.run("--collect-only", "-q", *arguments)
    assert result.ret == pytest.ExitCode.OK, result.stdout.str()
    return [line for line in result.outlines if "::" in line]


def test_a_number_is_a_block_of_mainnet_with_one_item_a_metric(bench: Bench) -> None:
    assert collected(bench, "--ethrex-block", "24443168") == ["ethrex-block::mainnet/24443168::exec"]
    assert collected(bench, "--ethrex-block", "24443168", "--ethrex-metrics=exec,prep") == [
        "ethrex-block::mainnet/24443168::exec",
        "ethrex-block::mainnet/24443168::prep",
    ]


@pytest.mark.parametrize(
    ("specs", "blocks"),
    [
        (["hoodi:1265656"], ["hoodi/1265656"]),
        (["hoodi/1265656"], ["hoodi/1265656"]),
        (["1,2 , hoodi:3"], ["mainnet/1", "mainnet/2", "hoodi/3"]),
        (["24443160..24443162"], ["mainnet/24443160", "mainnet/24443161", "mainnet/24443162"]),
        (["hoodi:5..6"], ["hoodi/5", "hoodi/6"]),
        (["24_443_168"], ["mainnet/24443168"]),
        (["1", "2", "1"], ["mainnet/1", "mainnet/2"]),
    ],
)
def test_specs_name_blocks_in_order_each_once(bench: Bench, specs: list[str], blocks: list[str]) -> None:
    options = [f"--ethrex-block={spec}" for spec in specs]
    assert collected(bench, *options) == [f"ethrex-block::{block}::exec" for block in blocks]


@pytest.mark.parametrize(
    "spec", ["", "x", "12x", "-1", "5..4", "1..2..3", ":5", "main net:5", "1,,2", "99999999999999999999"]
)
def test_a_bad_spec_is_a_usage_error_that_shows_the_form(bench: Bench, spec: str) -> None:
    result = bench.run(f"--ethrex-block={spec}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: bad block spec *the form is N, NETWORK:N (or NETWORK/N), A..B, or a comma*"]
    )


def test_only_the_blocks_run_when_no_path_is_given(bench: Bench) -> None:
    bench.pytester.makepyfile(test_other="raise RuntimeError('imported')")
    assert collected(bench, "--ethrex-block=1") == ["ethrex-block::mainnet/1::exec"]


def test_blocks_and_tests_run_when_a_path_is_given(bench: Bench) -> None:
    path = bench.pytester.makepyfile(test_other="def test_it(): pass")
    assert collected(bench, "--ethrex-block=1", str(path)) == [
        "test_other.py::test_it",
        "ethrex-block::mainnet/1::exec",
    ]


def test_testpaths_are_left_out_as_well(bench: Bench) -> None:
    bench.pytester.makeini("[pytest]\ntestpaths = checks")
    bench.pytester.mkdir("checks").joinpath("test_other.py").write_text("raise RuntimeError('imported')")
    assert collected(bench, "--ethrex-block=1") == ["ethrex-block::mainnet/1::exec"]


def test_all_is_what_the_settings_file_lists(bench: Bench) -> None:
    (bench.path / "ethrex-perf.toml").write_text('blocks = [24443168, "hoodi:1265656"]\n')
    assert collected(bench, "--ethrex-block=all") == [
        "ethrex-block::mainnet/24443168::exec",
        "ethrex-block::hoodi/1265656::exec",
    ]


def test_all_without_a_list_says_how_to_write_one(bench: Bench) -> None:
    result = bench.run("--ethrex-block=all")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*no blocks are listed in ethrex-perf.toml: add a line like blocks = *24443168*"]
    )


def test_four_blocks_get_the_mean_over_them_as_an_item(bench: Bench) -> None:
    base = bench.program("base")
    assert collected(bench, "--ethrex-block=1..4", f"--ethrex-base={base}")[-1] == "ethrex-block::all::exec"
    assert len(collected(bench, "--ethrex-block=1..3", f"--ethrex-base={base}")) == 3
