"""A stand-in for ethrex-replay: prints its lines in no time, and goes wrong in every way that was ever seen.

Tests write one with `write(directory, plan={...})` and measure the path that comes back. Keys of the plan:

exec_ms, prep_ms    a number, or a list that the repeats walk through in a circle; nothing is executed
drift               factors on both times that the invocations walk through in a circle
noise, seed         relative sd of a random factor per invocation and of one per repeat; same seed, same noise
gas, txs, opcodes   what the program says of the block; without `opcodes` it has no such line
extra               the `extraData` of the blocks of workloads that it makes: programs that make other blocks
behaviour           one of `fake_program.BEHAVIOURS`: for every invocation, or {"3": …} for the third only
returncode          for the behaviours that exit with a code of the test's choice
says                a text for the behaviours that say something (an error line, a cache file's content)

`calls(program)` tells how it was called, `children(program)` which processes it left.
"""

from __future__ import annotations

import ast
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests import whole_programs

if TYPE_CHECKING:
    from collections.abc import Mapping


def write(directory: Path, name: str = "ethrex-replay", plan: Mapping[str, object] | None = None) -> Path:
    """Write an executable of that plan; another plan, name or directory makes it another program."""
    directory.mkdir(parents=True, exist_ok=True)
    program = directory / name
    # imported, not run as a script, so that it is compiled once; without site-packages a start takes 10 ms
    code = (
        f"import sys; sys.path.append({str(Path(__file__).parent)!r}); "
        f"import fake_program; fake_program.main({str(program.absolute())!r}, {dict(plan or {})!r})"
    )
    words = shlex.join([sys.executable, "-ISc", code])
    program.write_text(f'#!/bin/sh\n{whole_programs.MARK}\nexec {words} "$@"\n')
    program.chmod(0o755)
    return program


def calls(program: Path) -> list[dict[str, Any]]:
    """Return `argv` and `environ` of every invocation so far, in order."""
    log = program.with_name(f"{program.name}.calls")
    return [ast.literal_eval(line) for line in log.read_text().splitlines()] if log.exists() else []


def children(program: Path) -> list[int]:
    """Return the pids of the program itself and of the grandchild that `hang` or `orphan` started."""
    log = program.with_name(f"{program.name}.pids")
    return [int(pid) for pid in log.read_text().split()] if log.exists() else []
