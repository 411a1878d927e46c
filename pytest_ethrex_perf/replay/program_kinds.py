"""Every kind of program that can be measured: another kind is another entry in `KINDS`.

A program is a command line that prints ethrex-replay's lines. What kinds differ in is how they are named,
recognised and identified, and what can be done with them: that is what a `ProgramKind` holds.
"""

from __future__ import annotations

import hashlib
import re
import sys
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records import regular_file, workload
from pytest_ethrex_perf.replay import executable

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ethrex_perf.records.measurement import Kind, Program

Command: TypeAlias = tuple[str, ...]
"""What is run, without prefix and without the arguments that name the block; its first word is a path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramKind:
    """What has to be known of a kind of program."""

    name: Kind
    """As baselines, results files and `--kind` call it."""
    runs: Callable[[Command], bool]
    """Whether a command runs a program of this kind."""
    identify: Callable[[Command, Path, str], str]
    """The sha256 of the program that a command runs in a directory. Raises `UsageError` for what cannot be
    read or run; its message begins with the third argument, the option that named the program."""
    commit: Callable[[Command], str | None] = lambda _: None
    """The git commit it was built from, None where that is not sure."""
    shorthand: Command = ()
    """What `name` stands for in `--ethrex-replay "NAME ARGUMENTS"`; empty where a path must be given."""
    block_at: Callable[[Command], int] = len
    """Index in a command at which the arguments that name the block stand."""
    uncovered: Callable[[Command], str | None] = lambda _: None
    """Why a command may run other code than its identity covers, as a clause that begins with a verb; None
    where it can't."""
    archived: Callable[[Command], Command | None] = lambda _: None
    """The words that the archive keeps of a command; None where it keeps a copy of the executable."""
    workloads: tuple[str, ...] = workload.NAMES
    """The custom workloads that it can make and replay."""
    fetches: bool = True
    """It can fetch a block into the cache over RPC."""
    stacks: str | None = None
    """What names profiles show, where that does not depend on the executable's symbols."""
    bundled_cache: Callable[[], Path] | None = None
    """Where the cache of its own block is (`--ethrex-cache-dir bundled`)."""


def files(command: Command, cwd: Path) -> tuple[Path, ...]:
    """Return the executable, the files in `cwd` that a command's words name, and what runs with those."""
    words = (cwd / word for word in command[1:])
    named = (Path(command[0]), *(word for word in words if regular_file.is_file(word)))
    return tuple(dict.fromkeys((*named, *chain.from_iterable(map(executable.companions, named)))))


# --- ethrex-replay, or whatever prints its lines -----------------------------------------------------------

_REFLOG_LINE = re.compile(
    r"[0-9a-f]{40,64} (?P<commit>[0-9a-f]{40,64}) .* (?P<moved>[0-9]+) [+-][0-9]{4}(\t.*)?"
)


def _identify_executable(command: Command, cwd: Path, option: str) -> str:
    """Return the identity of an executable (`executable.identity`); of several words that of all of them.

    Each word that names a file is replaced by the identity of that file; the words are joined by NUL.
    """
    if len(command) == 1:
        return executable.identity(Path(command[0]), option)
    parts = [
        executable.identity(cwd / word, option) if regular_file.is_file(cwd / word) else word
        for word in command
    ]
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()


def _uncovered(command: Command) -> str | None:
    """Return why a command may run other code than its identity covers.

    Beside a native executable of the user's, words that name no file and no program are its options.
    """
    path = Path(command[0])
    clause = executable.uncovered(path)
    if clause is None and len(command) > 1:
        named = any(executable.is_name(value) for word in command[1:] for value in word.split("="))
        if named or executable.is_launcher(path):
            return "is a command line, which may run other code"
    return clause


def _commit(command: Command) -> str | None:
    """Return the commit that a build inside a checkout was made from.

    Small reads and no git: the executable must be younger than the last move of HEAD, or it may have
    been built from another commit. Uncommitted changes are not seen; the sha256 is the identity.
    """
    executable = Path(command[0])
    # cargo's target/release, or target/TRIPLE/release
    target = next((folder for folder in executable.parents[1:3] if folder.name == "target"), None)
    if target is None:
        return None
    try:
        reflog = _git_folder(target.parent) / "logs" / "HEAD"
        last = _REFLOG_LINE.fullmatch(reflog.read_text(errors="replace").splitlines()[-1])
        built = executable.stat().st_mtime
    except (OSError, IndexError):
        return None
    return last["commit"] if last and built > int(last["moved"]) else None


def _git_folder(checkout: Path) -> Path:
    """Where git keeps what belongs to a checkout; that of a worktree says it in a file. Raises OSError."""
    folder = checkout / ".git"
    if folder.is_file():
        return checkout / folder.read_text(errors="replace").partition("gitdir:")[2].strip()
    return folder


# --- the embedded program: Python over the Ethereum execution specs ----------------------------------------

_MODULE = "pytest_ethrex_perf.embedded"


def _module_at(command: Command) -> int | None:
    """Index of the module in `PYTHON … -m MODULE …`, None where another program runs."""
    for at in range(2, len(command)):
        if command[at] == _MODULE and command[at - 1] == "-m":
            return at
    return None


def _identify_embedded(command: Command, _: Path, option: str) -> str:
    from pytest_ethrex_perf.embedded.identity import identity, require

    # the identity speaks of the Python and the packages of *this* process
    if not _is_this_python(Path(command[0])):
        raise UsageError(
            f"{option}: {command[0]} is not the Python that runs pytest ({sys.executable}); "
            "write `embedded` instead, or run pytest with that Python"
        )
    require()
    at = _after_module(command) - 1
    return identity((*command[1 : at - 1], *command[at + 1 :]))


def _is_this_python(python: Path) -> bool:
    # virtual environments link to one and the same interpreter, so the directory counts as well
    own = Path(sys.executable)
    return python == own or (python.parent == own.parent and python.resolve() == own.resolve())


def _after_module(command: Command) -> int:
    """Its arguments (`--extra-work 15`) are options of its `block` command: they follow that."""
    at = _module_at(command)
    return len(command) if at is None else at + 1


def _embedded_words(command: Command) -> Command:
    """By its short name any venv of the same content finds it."""
    at = _module_at(command)
    return ("embedded", *command[3:]) if at == 2 else command  # noqa: PLR2004 - PYTHON -m MODULE


def _bundled_cache() -> Path:
    from pytest_ethrex_perf.embedded.bundled import bundled_dir

    return bundled_dir()


# --- the table ---------------------------------------------------------------------------------------------

KINDS: dict[Kind, ProgramKind] = {
    kind.name: kind
    for kind in (
        ProgramKind(
            name="ethrex",  # the first is what every command is that no other recognises
            runs=lambda _: True,
            identify=_identify_executable,
            commit=_commit,
            uncovered=_uncovered,
            archived=lambda command: None if len(command) == 1 else command,
        ),
        ProgramKind(
            name="embedded",
            runs=lambda command: _module_at(command) is not None,
            identify=_identify_embedded,
            shorthand=(sys.executable, "-m", _MODULE),
            block_at=_after_module,
            archived=_embedded_words,
            workloads=("eth-transfer", "erc20-transfer", "keccak", "sstore-fresh"),
            fetches=False,
            stacks="profiles show CPython's functions, not Python's",
            bundled_cache=_bundled_cache,
        ),
    )
}


def kind_of(command: Command) -> ProgramKind:
    """Return the kind of program that `command` runs."""
    return next(kind for kind in reversed(KINDS.values()) if kind.runs(command))


def uncovered(program: Program) -> str | None:
    """Return why `program` may run other code than its identity covers; None where it can't."""
    return KINDS[program.kind].uncovered(program.command)


def shorthands() -> dict[str, Command]:
    """Return the words that each short name stands for: of `embedded` those that run its module."""
    return {kind.name: kind.shorthand for kind in KINDS.values() if kind.shorthand}
