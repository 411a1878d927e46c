"""Programs that a file of settings names are found beside it, whichever directory pytest runs in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import BLOCK
from tests.faults import fake_replay

if TYPE_CHECKING:
    from tests.conftest import Bench

FORMS = {
    "toml": "replay = {replay!r}\nbase = {base!r}\nprefix = {prefix!r}\n",
    "ini": "[pytest]\nethrex_replay = {replay}\nethrex_base = {base}\nethrex_prefix = {prefix}\n",
}
FILES = {"toml": "ethrex-perf.toml", "ini": "pytest.ini"}


@pytest.fixture
def beneath(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A bench whose pytest runs in a subdirectory that has programs of the same names, ten times slower."""
    (bench.path / "pytest.ini").write_text("[pytest]\n")
    for name in ("head", "base"):
        bench.program(name)
        fake_replay.write(bench.path / "sub/bin", name, {"exec_ms": 600, "prep_ms": 30})
    bench.cache(BLOCK, directory="sub/replay_cache")
    (bench.path / "wrap").write_text('#!/bin/sh\necho here >> "$(dirname "$0")/wrapped"\nexec "$@"\n')
    (bench.path / "wrap").chmod(0o755)
    monkeypatch.chdir(bench.path / "sub")
    return bench


@pytest.mark.parametrize("form", FORMS)
def test_the_programs_and_the_prefix_beside_the_file_are_run(beneath: Bench, form: str) -> None:
    settings = FORMS[form].format(replay="bin/head --verbose", base="bin/base", prefix="./wrap")
    (beneath.path / FILES[form]).write_text(settings)
    beneath.gate("--ethrex-counters=off", "--ethrex-cache-dir=replay_cache", "--ethrex-looks=6")
    assert beneath.calls("bin/head")
    assert beneath.calls("bin/base")
    assert (beneath.path / "wrapped").exists()
    assert not beneath.calls("sub/bin/head")
    assert not beneath.calls("sub/bin/base")


def test_a_path_on_the_command_line_starts_here(beneath: Bench) -> None:
    beneath.configure("replay = 'bin/head'\nbase = 'bin/base'\n")
    beneath.gate("--ethrex-replay=bin/head", "--ethrex-looks=6", "--ethrex-cache-dir=replay_cache")
    assert beneath.calls("sub/bin/head")
    assert not beneath.calls("bin/head")
    assert beneath.calls("bin/base")


def test_a_program_that_is_not_beside_the_file_is_missing(beneath: Bench) -> None:
    (beneath.path / "sub" / "bin" / "only-here").write_text("")
    beneath.configure("replay = 'bin/only-here'")
    result = beneath.gate("--ethrex-base=bin/base", "--ethrex-cache-dir=replay_cache")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --ethrex-replay: ../bin/only-here does not exist*"])
