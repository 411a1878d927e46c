"""Which program is measured: finding it, splitting its command line, giving it an identity."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records.measurement import Program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_ethrex_perf.records.measurement import Kind

NAME = "ethrex-replay"
BUILT = Path("target", "release", NAME)
"""Where cargo puts it, below the directory that pytest runs in."""
EMBEDDED = "embedded"
MODULE = "pytest_ethrex_perf.embedded"


def resolve(
    spec: str | None,
    *,
    cwd: Path,
    environ: Mapping[str, str],
    prefix: str = "",
    option: str = "--ethrex-replay",
) -> Program:
    """Find the program that `spec` names: a path, a command line, or `embedded [ARGUMENTS]`.

    Without `spec`: `ETHREX_REPLAY`, else `ethrex-replay` on PATH, else `target/release/ethrex-replay` below
    `cwd`, the directory that the program will run in. A bare name is looked for on PATH first, as shells do.
    `prefix` (`taskset -c 0-7`) is split, and its first word must be on PATH.

    The identity (`sha256`) is that of the executable's content where the command is one executable alone, so
    it equals `sha256sum`; of a longer command line it is the sha256 of its words joined by NUL, each word
    that names a file replaced by the sha256 of that file's content. The embedded program has its own.

    Raises `UsageError`, which names `option`, for what is missing, not executable, a directory or unreadable.
    """
    label, origin = _choose(spec, cwd, environ, option)
    words = _words(label, cwd, origin)
    first_words = _split(prefix, "--ethrex-prefix")
    if first_words and shutil.which(first_words[0], path=_path(environ)) is None:
        raise UsageError(f"--ethrex-prefix: {first_words[0]} was not found on PATH")
    kind, command, sha256, commit = _identify(words, cwd, environ, origin)
    return Program(
        kind=kind, command=command, sha256=sha256, label=label, prefix=tuple(first_words), commit=commit
    )


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
        f"a command line, or `{EMBEDDED}` (or set ETHREX_REPLAY)"
    )


def _words(spec: str, cwd: Path, origin: str) -> list[str]:
    # a path may hold spaces, a command line may hold slashes: what exists as a whole is a path
    if "/" in spec and _at(spec, cwd).exists():
        return [spec]
    words = _split(spec, origin)
    if not words:
        raise UsageError(f"{origin} is empty: give a path, a command line, or `{EMBEDDED}`")
    return words


def _split(text: str, origin: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{origin}: {text!r} is not a command line: {str(error).lower()}") from None


def _identify(
    words: Sequence[str], cwd: Path, environ: Mapping[str, str], origin: str
) -> tuple[Kind, tuple[str, ...], str, str | None]:
    """Return kind, command, sha256 and commit."""
    if words[0] == EMBEDDED:
        words = [sys.executable, "-m", MODULE, *words[1:]]
    executable = _executable(words[0], cwd, environ, origin)
    command = (str(executable), *words[1:])
    at = embedded_at(command)
    if at is not None:
        return "embedded", command, _embedded_identity(command, at, origin), None
    if len(command) == 1:
        return "ethrex", command, _digest(executable, origin), _commit(executable)
    parts = [_digest(cwd / word, origin) if (cwd / word).is_file() else word for word in command]
    return "ethrex", command, hashlib.sha256("\0".join(parts).encode()).hexdigest(), _commit(executable)


def embedded_at(command: Sequence[str]) -> int | None:
    """Index of the embedded program's module in `PYTHON … -m MODULE …`, None where that is not what runs."""
    for at in range(2, len(command)):
        if command[at] == MODULE and command[at - 1] == "-m":
            return at
    return None


def _embedded_identity(command: Sequence[str], at: int, origin: str) -> str:
    from pytest_ethrex_perf.embedded.identity import identity, require

    # the identity speaks of the Python and the packages of *this* process
    if not _is_this_python(Path(command[0])):
        raise UsageError(
            f"{origin}: {command[0]} is not the Python that runs pytest ({sys.executable}); "
            f"write `{EMBEDDED}` instead, or run pytest with that Python"
        )
    require()
    return identity((*command[1 : at - 1], *command[at + 1 :]))


def _is_this_python(python: Path) -> bool:
    # virtual environments link to one and the same interpreter, so the directory counts as well
    own = Path(sys.executable)
    return python == own or (python.parent == own.parent and python.resolve() == own.resolve())


def _executable(word: str, cwd: Path, environ: Mapping[str, str], origin: str) -> Path:
    if "/" not in word:
        found = shutil.which(word, path=_path(environ))
        if found:
            return cwd.absolute() / found
    path = _at(word, cwd)
    if path.is_dir():
        hint = path / BUILT if (path / BUILT).is_file() else "the executable in it"
        raise UsageError(f"{origin}: {path} is a directory; give {hint}")
    if not path.exists():
        where = "does not exist" if "/" in word else "is neither on PATH nor a file here"
        raise UsageError(f"{origin}: {word} {where}; give the path of an {NAME} build, or `{EMBEDDED}`")
    if not os.access(path, os.X_OK):
        raise UsageError(f"{origin}: {path} is not executable (chmod +x?)")
    return path


def _at(word: str, cwd: Path) -> Path:
    try:
        return cwd.absolute() / Path(word).expanduser()
    except RuntimeError:  # `~somebody` whom this machine doesn't know: then it is no home directory
        return cwd.absolute() / word


def _digest(path: Path, origin: str) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"{origin}: {path} can't be read: {error.strerror}") from None


def _path(environ: Mapping[str, str]) -> str:
    return environ.get("PATH", os.defpath)


_REFLOG_LINE = re.compile(
    r"[0-9a-f]{40,64} (?P<commit>[0-9a-f]{40,64}) .* (?P<moved>[0-9]+) [+-][0-9]{4}(\t.*)?"
)


def _commit(executable: Path) -> str | None:
    """Return the commit that a build inside a checkout was made from, None where that is not sure.

    Two small reads and no git: the executable must be younger than the last move of HEAD, or it may have
    been built from another commit. Uncommitted changes are not seen; the sha256 is the identity.
    """
    if executable.parent.parent.name != "target":
        return None
    reflog = executable.parent.parent.parent / ".git" / "logs" / "HEAD"
    try:
        last = _REFLOG_LINE.fullmatch(reflog.read_text(errors="replace").splitlines()[-1])
        built = executable.stat().st_mtime
    except (OSError, IndexError):
        return None
    return last["commit"] if last and built > int(last["moved"]) else None
