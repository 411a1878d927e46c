"""A report that is asked for without a block is wrong usage, and no green run without a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench

OTHER = "def test_other(): pass"
OURS = "def test_ours(ethrex_replay): ethrex_replay(24443168, repeat=1)"
SAID = (
    "there is no block in this run: give --ethrex-block 24443168 (or all), "
    "or select tests that take `ethrex_block`"
)


@pytest.mark.parametrize(
    "option", ["--ethrex-report=page", "--ethrex-json=r.json", "--ethrex-update-baseline"]
)
@pytest.mark.parametrize("tests", ["", OTHER])
def test_on_the_command_line_it_is_an_error(bench: Bench, option: str, tests: str) -> None:
    bench.pytester.makepyfile(tests)
    assert bench.refuse(option) == f"{option.partition('=')[0]}: {SAID}"


def test_in_addopts_and_ini_it_is_there_for_every_run(bench: Bench) -> None:
    bench.pytester.makepyfile(OTHER)
    bench.pytester.makeini("[pytest]\naddopts = --ethrex-json=r.json\nethrex_report = page")
    result = bench.run()
    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line("*ethrex-block*")


def test_a_declared_test_is_a_block_also_where_it_is_deselected(bench: Bench) -> None:
    bench.pytester.makepyfile(f"{OURS}\n{OTHER}")
    program = f"--ethrex-replay={bench.program('head')}"
    assert bench.run("--ethrex-json=r.json", program).ret == pytest.ExitCode.OK
    assert bench.run("--ethrex-json=r.json", "-k", "other").ret == pytest.ExitCode.OK
    assert bench.run("--ethrex-json=r.json", "-k", "neither").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_fixture_may_be_asked_for_later(bench: Bench) -> None:
    bench.pytester.makepyfile(
        "def test_it(request): request.getfixturevalue('ethrex_replay')(24443168, repeat=1)"
    )
    program = f"--ethrex-replay={bench.program('head')}"
    assert bench.run("--ethrex-json=r.json", program).ret == pytest.ExitCode.OK


def test_where_only_the_end_can_say_it_it_is_said_then(bench: Bench) -> None:
    bench.pytester.makepyfile("def test_it(request): pass")
    result = bench.run("--ethrex-json=r.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines([f"ethrex-perf: --ethrex-json: {SAID.replace('[', '[[]')}"])


def test_under_xdist_too(bench: Bench) -> None:
    bench.pytester.makepyfile(OTHER)
    result = bench.run("-n1", "--ethrex-json=r.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines([f"ethrex-perf: --ethrex-json: {SAID}"])


def test_a_file_that_cannot_be_imported_is_said_first(bench: Bench) -> None:
    bench.pytester.makepyfile("import nonexistent_module")
    result = bench.run("--ethrex-json=r.json")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*No module named 'nonexistent_module'*"])
