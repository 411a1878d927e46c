"""--ethrex-on-same-program: identical base and head are never quietly green."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_by_default_it_is_skipped_with_the_reason_in_plain_sight(bench: Bench) -> None:
    program = bench.program("head")
    result = bench.compare(program, program, "-q")
    result.assert_outcomes(skipped=1)
    told = (
        "mainnet/24443168: skipped: base and head are the same program (sha256 *): nothing to compare; "
        "--ethrex-aa measures it against itself"
    )
    result.stdout.fnmatch_lines([told])
    assert bench.calls(program) == []


def test_it_is_known_by_its_content_not_by_its_path(bench: Bench) -> None:
    program = bench.program("head")
    shutil.copy2(bench.path / program, bench.path / "bin" / "copy")
    bench.compare(program, "bin/copy").assert_outcomes(skipped=1)


def test_the_mean_over_blocks_is_skipped_as_well(bench: Bench) -> None:
    bench.cache(1, 2, 3, 4)
    program = bench.program("head")
    bench.compare(program, program, block="1..4").assert_outcomes(skipped=5)


def test_fail_is_an_error(bench: Bench) -> None:
    program = bench.program("head")
    result = bench.compare(program, program, "--ethrex-on-same-program=fail")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["base and head are the same program (sha256 *"])


def test_anything_else_is_wrong_usage(bench: Bench) -> None:
    told = bench.refuse("--ethrex-block=1", "--ethrex-on-same-program=pass")
    assert told == "--ethrex-on-same-program: 'pass' is not a value of it: choose from skip, fail"
