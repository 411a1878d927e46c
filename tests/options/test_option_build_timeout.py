"""--ethrex-build-timeout: how long a build of `git:REV` may take, and what becomes of blocks without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.git_repositories import WHO, GitRepository

if TYPE_CHECKING:
    from tests.conftest import Bench

TABLE = """[build]
repository = "engine"
command = "{command}"
artifact = "ethrex-replay"
"""


@pytest.fixture
def bench(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A bench with a repository whose every revision takes a minute to build."""
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)
    GitRepository(bench.path / "engine").commit("The engine")
    bench.configure(TABLE.format(command="echo begun; sleep 60"))
    return bench


def test_a_build_that_takes_too_long_is_an_error_of_every_block(bench: Bench) -> None:
    bench.cache(1)
    result = bench.gate(
        "--ethrex-replay=git:HEAD",
        f"--ethrex-base={bench.program('base')}",
        "--ethrex-build-timeout=300ms",
        block="1,24443168",
    )
    result.assert_outcomes(errors=2)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            'git:HEAD * "The engine" * cannot be built: it took longer than *(--ethrex-build-timeout)*',
            "*begun",
        ]
    )


def test_what_is_no_duration_is_wrong_usage(bench: Bench) -> None:
    told = bench.refuse("--ethrex-block=1", "--ethrex-build-timeout=never")
    assert told.startswith("--ethrex-build-timeout: 'never' is not a value of it: write a duration above 0")
