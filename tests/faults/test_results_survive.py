"""The files of a run are written whatever else goes wrong at its end, and whatever its texts hold."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Bench

BROKEN = """
    def pytest_sessionfinish():
        raise OSError("somebody else's trouble")
"""


def test_a_junit_file_that_pytest_cannot_write_costs_us_nothing(bench: Bench) -> None:
    head, base = bench.program("head"), bench.program("base")
    options = ("--ethrex-json=results.json", "--ethrex-markdown=ours.md")
    result = bench.compare(head, base, "--junitxml=/proc/x.xml", *options)
    assert result.ret != pytest.ExitCode.OK
    assert len(bench.results().blocks) == 1
    assert (bench.path / "ours.md").exists()


def test_another_plugin_that_fails_at_the_end_costs_us_nothing(bench: Bench) -> None:
    bench.pytester.makeconftest(BROKEN)
    bench.compare(bench.program("head"), bench.program("base"), "--ethrex-json=results.json")
    assert len(bench.results().blocks) == 1


@pytest.fixture
def unreadable_name(bench: Bench) -> str:
    """A program in a folder whose name is no UTF-8."""
    program = bench.path / bench.program("head")
    folder = os.fsencode(bench.path) + b"/\xff"
    try:
        os.mkdir(folder)  # noqa: PTH102 - the name is bytes
    except OSError:
        pytest.skip("file names are UTF-8 here")
    for file in list(program.parent.iterdir()):
        os.rename(file, folder + b"/" + os.fsencode(file.name))  # noqa: PTH104
    return os.fsdecode(b"\xff/head")


def test_a_name_that_is_no_utf_8_is_written_plain(bench: Bench, unreadable_name: str) -> None:
    base = bench.program("base")
    forms = ("json", "markdown", "csv", "benchmark-json")
    wanted = [f"--ethrex-{form}=out.{form}" for form in forms]
    result = bench.compare(unreadable_name, base, *wanted, "--junitxml=pytest.xml")
    result.assert_outcomes(passed=1)
    head = bench.results("out.json").blocks[0].head
    assert head is not None
    assert head.label == r"\udcff/head"
    assert [form for form in forms if not (bench.path / f"out.{form}").exists()] == []
    assert (bench.path / "pytest.xml").exists()


def test_a_failing_program_whose_name_is_no_utf_8_is_an_error(bench: Bench, unreadable_name: str) -> None:
    program = bench.path / unreadable_name
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    result = bench.compare(unreadable_name, bench.program("base"), "--ethrex-json=out.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "the whole output is in" in (bench.results("out.json").blocks[0].error or "")


def test_a_recorded_program_whose_name_is_no_utf_8_is_stored(bench: Bench, unreadable_name: str) -> None:
    bench.record(unreadable_name, "--ethrex-json=out.json").assert_outcomes(passed=1)
    gate = bench.gate(f"--ethrex-replay={unreadable_name}", "--ethrex-repeat=3")
    assert gate.ret == pytest.ExitCode.OK
