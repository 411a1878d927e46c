"""--ethrex-replay: which program is measured, and where it is looked for without the option."""

from __future__ import annotations

import fnmatch
import importlib.util
import os
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.embedded.bundled import BLOCK as BUNDLED_BLOCK
from tests.faults import fake_replay

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Bench

SHORT = ("--ethrex-update-baseline", "--ethrex-invocations=2", "--ethrex-repeat=3")


def write(directory: Path) -> Path:
    """A program by the name that is looked for."""
    return fake_replay.write(directory, "ethrex-replay", {"folder": directory.name})


@pytest.fixture
def places(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """One program in every place that is looked at."""
    found = {
        "option": write(bench.path / "given"),
        "environment": write(bench.path / "named"),
        "PATH": write(bench.path / "on-path"),
        "cargo": write(bench.path / "target" / "release"),
    }
    monkeypatch.setenv("ETHREX_REPLAY", "named/ethrex-replay")
    monkeypatch.setenv("PATH", f"{found['PATH'].parent}{os.pathsep}{os.environ['PATH']}")
    return found


def ran(places: dict[str, Path]) -> set[str]:
    return {name for name, program in places.items() if fake_replay.calls(program)}


def test_the_option_wins(bench: Bench, places: dict[str, Path]) -> None:
    bench.gate("--ethrex-replay=given/ethrex-replay", *SHORT).assert_outcomes(passed=1)
    assert ran(places) == {"option"}


def test_else_the_environment(bench: Bench, places: dict[str, Path]) -> None:
    bench.gate(*SHORT).assert_outcomes(passed=1)
    assert ran(places) == {"environment"}


def test_else_path(bench: Bench, places: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETHREX_REPLAY", "")
    bench.gate(*SHORT).assert_outcomes(passed=1)
    assert ran(places) == {"PATH"}


def test_else_what_cargo_built_below_the_directory(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    built = write(bench.path / "target" / "release")
    monkeypatch.setenv("PATH", "/nowhere")
    bench.gate(*SHORT).assert_outcomes(passed=1)
    assert len(fake_replay.calls(built)) == 2


def test_no_program_anywhere_is_an_error_that_says_where_was_looked(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    result = bench.gate(*SHORT)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    told = (
        "no program to measure: ethrex-replay is neither on PATH nor at target/release/ethrex-replay; "
        "give --ethrex-replay with its path, a command line, or `embedded` (or set ETHREX_REPLAY)"
    )
    result.stdout.fnmatch_lines([f"ethrex-perf *: head: {told}", "  machine *"])
    assert [line for line in result.errlines if line] == [f"ERROR: {told}"]


def test_the_environment_is_blamed_for_what_it_names(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETHREX_REPLAY", "bin/nowhere")
    bench.gate(*SHORT).stderr.fnmatch_lines(["ERROR: ETHREX_REPLAY: bin/nowhere does not exist*"])


def test_a_command_line_comes_whole_before_the_block(bench: Bench) -> None:
    program = bench.program("head")
    bench.record(f"{program} --turbo 'two words'").assert_outcomes(passed=1)
    assert bench.calls(program)[0]["argv"][:4] == ["--turbo", "two words", "block", "24443168"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("bin", "--ethrex-replay: * is a directory; give the executable in it"),
        (
            "nothing-of-that-name",
            "--ethrex-replay: nothing-of-that-name is neither on PATH nor a file here;*",
        ),
        ("bin/text", "--ethrex-replay: *bin/text is not executable (chmod +x[?])"),
    ],
)
def test_what_cannot_run_is_wrong_usage_that_says_why(bench: Bench, given: str, told: str) -> None:
    bench.pytester.mkdir("bin").joinpath("text").write_text("no program")
    assert fnmatch.fnmatch(bench.refuse("--ethrex-block=1..3", f"--ethrex-replay={given}", *SHORT), told)


def test_a_program_that_a_fixture_builds_may_be_missing_before(bench: Bench) -> None:
    bench.pytester.makepyfile(
        """
        import pathlib, pytest

        @pytest.fixture(scope="session", autouse=True)
        def build():
            pathlib.Path("bin/head").rename("bin/built")

        @pytest.mark.ethrex_block(24443168)
        def test_it(ethrex_block): pass
        """
    )
    bench.program("head")
    result = bench.run("--ethrex-replay=bin/built", "--ethrex-update-baseline", *SHORT)
    result.assert_outcomes(passed=1)


def test_the_header_names_it_with_its_sha256(bench: Bench) -> None:
    import hashlib

    program = bench.program("head")
    sha256 = hashlib.sha256((bench.path / program).read_bytes()).hexdigest()
    bench.record(program).stdout.fnmatch_lines(
        [f"ethrex-perf *: head bin/head (binary {sha256[:8]}) | machine * | record"]
    )


@pytest.mark.skipif(
    importlib.util.find_spec("ethereum") is None, reason="the [embedded] extra is not installed"
)
def test_embedded_is_the_program_that_ships_with_the_package(bench: Bench) -> None:
    result = bench.record("embedded", "--ethrex-cache-dir=bundled", block=str(BUNDLED_BLOCK))
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*head embedded (binary *", "*80 txs*", "*recorded: new baseline*"])
