"""Annotations at the end of a run in GitHub Actions, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench

TEST = """
import pytest

@pytest.mark.ethrex_block(24443168{more})
def test_block(ethrex_block):
    pass
"""


@pytest.fixture
def github(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step of GitHub Actions, whose checkout is the bench's directory."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(bench.path))


def commands(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if line.startswith("::")]


def declared(bench: Bench, head_ms: float, *arguments: str, more: str = "") -> pytest.RunResult:
    folder = bench.path / "perf"
    folder.mkdir()
    (folder / "test_perf.py").write_text(TEST.format(more=more))
    head, base = bench.program("head", exec_ms=head_ms), bench.program("base")
    return bench.run("perf", f"--ethrex-replay={head}", f"--ethrex-base={base}", *arguments)


@pytest.mark.usefixtures("github")
def test_a_regression_is_an_error_at_the_line_of_its_test(bench: Bench) -> None:
    result = declared(bench, 70)
    result.assert_outcomes(failed=1)
    (line,) = commands(result)
    assert line.startswith(
        "::error file=perf/test_perf.py,line=4,title=ethrex-perf%3A mainnet/24443168::regression: "
    )
    assert " %25 " in line


@pytest.mark.usefixtures("github")
def test_a_worker_of_xdist_says_where_its_tests_are(bench: Bench) -> None:
    result = declared(bench, 70, "-n1")
    result.assert_outcomes(failed=1)
    (line,) = commands(result)
    assert line.startswith("::error file=perf/test_perf.py,line=4,")


@pytest.mark.usefixtures("github")
def test_what_no_test_fails_for_is_no_error(bench: Bench) -> None:
    result = declared(bench, 70, more=", gate=False")
    result.assert_outcomes(passed=1)
    assert not any(line.startswith("::error") for line in commands(result))


@pytest.mark.usefixtures("github")
def test_a_block_of_an_option_has_no_file_and_an_error_is_one_line(bench: Bench) -> None:
    result = bench.compare(bench.program("head"), bench.program("base"), block="7")
    result.assert_outcomes(errors=1)
    (line,) = commands(result)
    assert line.startswith("::error title=ethrex-perf%3A mainnet/7::mainnet/7: no cache file ")


@pytest.mark.usefixtures("github")
def test_what_passes_is_not_annotated(bench: Bench) -> None:
    result = declared(bench, 60)
    result.assert_outcomes(passed=1)
    assert commands(result) == []


def test_elsewhere_there_are_none(bench: Bench) -> None:
    result = declared(bench, 70)
    result.assert_outcomes(failed=1)
    assert commands(result) == []
