"""Which program is measured: finding it and splitting its command line."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records import regular_file
from pytest_ethrex_perf.records.measurement import Program
from pytest_ethrex_perf.replay.program_kinds import kind_of, shorthands

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "ethrex-replay"
BUILT = Path("target", "release", NAME)
"""Where cargo puts it, below the directory that pytest runs in."""
_SHORTHANDS = " or ".join(f"`{name}`" for name in shorthands())


def resolve(
    spec: str | None,
    *,
    cwd: Path,
    environ: Mapping[str, str],
    prefix: str = "",
    option: str = "--ethrex-replay",
) -> Program:
    """Return the program that `spec` names: a path, a command line, or `embedded [ARGUMENTS]`.

    Without `spec`: `ETHREX_REPLAY`, else `ethrex-replay` on PATH, else `target/release/ethrex-replay` below
    `cwd`, the directory that the program will run in. A bare name is looked for on PATH first, as shells do.
    `prefix` (`taskset -c 0-7`) is split, and its first word must be on PATH.

    The identity (`sha256`) is that of the executable's content where the command is one executable alone, so
    it equals `sha256sum`; with libraries of its own, or an interpreter, theirs is part of it. Of a longer
    command line it is the sha256 of its words joined by NUL, each word that names a file replaced by the
    identity of that file. Other kinds of program have their own (`program_kinds`).

    Raises `UsageError`, which names `option`, for what is missing, not executable, a directory or unreadable.
    """
    label, origin = _choose(spec, cwd, environ, option)
    words = _words(label, cwd, origin)
    first_words = _split(prefix, "--ethrex-prefix")
    if first_words and shutil.which(first_words[0], path=_path(environ)) is None:
        raise UsageError(f"--ethrex-prefix: {first_words[0]} was not found on PATH")
    words = [*shorthands().get(words[0], words[:1]), *words[1:]]
    command = (str(_executable(words[0], cwd, environ, origin)), *words[1:])
    kind = kind_of(command)
    try:
        return Program(
            kind=kind.name,
            command=command,
            sha256=kind.identify(command, cwd, origin),
            label=label,
            prefix=tuple(first_words),
            commit=kind.commit(command),
        )
    except ValueError as error:  # what no file could hold of it
        raise UsageError(f"{origin}: {error}") from None


def _choose(spec: str | None, cwd: Path, environ: Mapping[str, str], option: str) -> tuple[str, str]:
    """Return what names the program, and where that came from, for messages."""
    if spec is not None:
        return spec, option
    if environ.get("ETHREX_REPLAY"):
        return environ["ETHREX_REPLAY"], "ETHREX_REPLAY"
    if shutil.which(NAME, path=_path(environ)):
        return NAME, option
    if (cwd / BUILT).exists():
        return str(BUILT), option
    raise UsageError(
        f"no program to measure: {NAME} is neither on PATH nor at {BUILT}; give {option} with its path, "
        f"a command line, or {_SHORTHANDS} (or set ETHREX_REPLAY)"
    )


def _words(spec: str, cwd: Path, origin: str) -> list[str]:
    # a path may hold spaces, a command line may hold slashes: what exists as a whole is a path
    if "/" in spec and regular_file.exists(_at(spec, cwd)):
        return [spec]
    words = _split(spec, origin)
    if not words:
        raise UsageError(f"{origin} is empty: give a path, a command line, or {_SHORTHANDS}")
    return words


def _split(text: str, origin: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{origin}: {text!r} is not a command line: {str(error).lower()}") from None


def _executable(word: str, cwd: Path, environ: Mapping[str, str], origin: str) -> Path:
    if "/" not in word:
        executable = shutil.which(word, path=_path(environ))
        if executable:
            return cwd.absolute() / executable
    path = _at(word, cwd)
    if not regular_file.exists(path):
        where = "does not exist" if "/" in word else "is neither on PATH nor a file here"
        raise UsageError(f"{origin}: {word} {where}; give the path of an {NAME} build, or {_SHORTHANDS}")
    if path.is_dir():
        hint = path / BUILT if (path / BUILT).is_file() else "the executable in it"
        raise UsageError(f"{origin}: {path} is a directory; give {hint}")
    if not os.access(path, os.X_OK):
        raise UsageError(f"{origin}: {path} is not executable (chmod +x?)")
    return path


def _at(word: str, cwd: Path) -> Path:
    try:
        return cwd.absolute() / Path(word).expanduser()
    except RuntimeError:  # `~somebody` whom this machine doesn't know: then it is no home directory
        return cwd.absolute() / word


def _path(environ: Mapping[str, str]) -> str:
    return environ.get("PATH", os.defpath)
