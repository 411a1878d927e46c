"""The table of kinds of programs: another kind is one more entry."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, cast, get_args

import pytest

from pytest_ethrex_perf import cli
from pytest_ethrex_perf.baseline import store
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.records.measurement import Kind
from pytest_ethrex_perf.replay import cache, command
from pytest_ethrex_perf.replay.program import resolve
from pytest_ethrex_perf.replay.program_kinds import KINDS, ProgramKind, kind_of

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = BlockId("mainnet", 1)
RETH = cast("Kind", "reth")  # what files may hold is widened with a new entry


@pytest.fixture
def reth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of another kind, which takes the block before its own arguments and cannot fetch."""
    program = tmp_path / "reth-replay"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    kind = ProgramKind(
        name=RETH,
        runs=lambda command: command[0].endswith("reth-replay"),
        identify=lambda command, _, __: hashlib.sha256(command[0].encode()).hexdigest(),
        shorthand=(str(program), "--quiet"),
        block_at=lambda _: 1,
        archived=lambda command: command,
        fetches=False,
        bundled_cache=None,
    )
    monkeypatch.setitem(KINDS, RETH, kind)
    return program


def test_the_kinds_are_those_that_files_may_hold() -> None:
    assert tuple(KINDS) == get_args(Kind)
    assert all(name == kind.name for name, kind in KINDS.items())


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("/bin/ethrex-replay", "ethrex"),
        ("/bin/nice -n 3 ethrex-replay", "ethrex"),
        ("/bin/python -m another.module", "ethrex"),
        ("/bin/python -m pytest_ethrex_perf.embedded", "embedded"),
        ("/bin/python -X utf8 -m pytest_ethrex_perf.embedded --extra-work 3", "embedded"),
        ("/bin/python pytest_ethrex_perf.embedded", "ethrex"),
    ],
)
def test_a_command_is_of_the_kind_that_recognises_it(words: str, name: str) -> None:
    assert kind_of(tuple(words.split())).name == name


def test_another_kind_is_one_more_entry(
    reth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = resolve("reth --threads 2", cwd=tmp_path, environ={})
    assert (program.kind, program.command) == ("reth", (str(reth), "--quiet", "--threads", "2"))
    assert program.sha256 == hashlib.sha256(str(reth).encode()).hexdigest()
    measured = command.measure(program, BLOCK, cache_dir=tmp_path, repeat=3)
    assert measured[:3] == [str(reth), "block", "1"]
    with pytest.raises(UsageError, match="the reth program can't fetch blocks"):
        cache.fetch(
            program,
            BLOCK,
            cache_dir=tmp_path,
            rpc_url="http://x",
            timeout=None,
            environ={},
            log_dir=tmp_path,
        )
    file = store.path(tmp_path, BLOCK, program.kind, "bench")
    file.parent.mkdir(parents=True)
    file.touch()
    assert store.files(tmp_path) == [file]
    assert cli.main(["baseline", "list", "--baselines", str(tmp_path), "--kind", "reth"]) == 1
    assert f"{file}: truncated" in capsys.readouterr().out
