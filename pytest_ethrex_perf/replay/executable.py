"""What is executed when a file is run, as far as that shows without running it.

A native executable is its own content and the libraries that the dynamic linker loads for it. A script runs
whatever it likes: its content and its interpreter say only what it is, not what it does.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import struct
import subprocess
from pathlib import Path

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records import regular_file

_ELF = b"\x7fELF"
_MACH_O = (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
_SCRIPT = b"#!"
_SYSTEM = tuple(
    Path(folder).resolve()
    for folder in (
        "/lib",
        "/lib32",
        "/lib64",
        "/usr/lib",
        "/usr/lib32",
        "/usr/lib64",
        "/nix/store",
        "/gnu/store",
    )
)
"""Libraries of the system, which a machine's updates change; what lies in a store is named by its content."""
_TOOLS = tuple(Path(folder).resolve() for folder in ("/bin", "/sbin", "/usr/bin", "/usr/sbin"))
_LAUNCHER = re.compile(
    r"(python|pypy|node|nodejs|deno|bun|ruby|perl|lua|luajit|php|java|julia|tclsh|wine|cargo|busybox|toybox|"
    r"qemu-.+|.*sh)[0-9.]*"
)
_LOADED = re.compile(r"\s*(?:\S+ => )?(?P<path>\S*/.*) \(0x[0-9a-f]+\)")
_LISTING_TIMEOUT_S = 20.0
_MOST_INTERPRETERS = 4  # of interpreters that are scripts themselves, as Linux has it
_LONGEST_LINE = 4096  # bytes of a first line, and of a loader's path
_PT_INTERP = 3  # elf(5)


def digest(path: Path, option: str) -> str:
    """Return the sha256 of a file, as `sha256sum` prints it; raises `UsageError` that names `option`."""
    try:
        with regular_file.opened(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"{option}: {path} can't be read: {error.strerror}") from None


def identity(path: Path, option: str) -> str:
    """Return the sha256 of a file's content; where others run with it, that of their sha256, joined by NUL.

    Raises `UsageError` as `digest` does.
    """
    content = digest(path, option)
    others = [digest(other, option) for other in companions(path)]
    return hashlib.sha256("\0".join([content, *others]).encode()).hexdigest() if others else content


def companions(path: Path) -> tuple[Path, ...]:
    """Return the files that run with one: a script's interpreters, an executable's own libraries.

    Libraries in the system's folders are not among them. Who starts a program finds its interpreter as
    `#!/usr/bin/env NAME` does, on this process's PATH.
    """
    files: list[Path] = []
    for _ in range(_MOST_INTERPRETERS):
        interpreters = _interpreters(path)
        files += interpreters
        if not interpreters:
            break
        path = interpreters[-1]
    return (*files, *libraries(path))


def libraries(path: Path) -> tuple[Path, ...]:
    """Return the libraries outside the system's folders that the dynamic linker loads for an executable.

    The linker is asked (`--list`); it runs nothing of the program.
    """
    linker = _linker(path)
    if linker is None or not _is_systems(linker):
        return ()
    try:
        listed = subprocess.run(
            [linker, "--list", path], capture_output=True, timeout=_LISTING_TIMEOUT_S, check=False
        ).stdout.decode(errors="surrogateescape")
    except (OSError, subprocess.TimeoutExpired):
        return ()
    matches = (_LOADED.fullmatch(line) for line in listed.splitlines())
    loaded = (Path(match["path"]).absolute() for match in matches if match)
    return tuple(library for library in loaded if regular_file.is_file(library) and not _is_systems(library))


def uncovered(path: Path) -> str | None:
    """Return what makes a file run other code than its identity covers, as a clause; None where nothing does.

    The clause begins with a verb: `is a script, which runs other code`.
    """
    start = _start(path)
    target = path.resolve()
    if start.startswith(_SCRIPT):
        return "is a script, which runs other code"
    if not start.startswith((_ELF, *_MACH_O)):
        return "is no native executable"
    if target.name != path.name:
        return f"is a link to {target.name}, which may do other work by another name"
    linker = _linker(path)
    if linker is not None and not _is_systems(linker):
        return "brings a dynamic linker of its own"
    return None


def is_launcher(path: Path) -> bool:
    """Whether what an executable does is said by its words: an interpreter, a shell, a tool of the system."""
    target = path.resolve()
    return bool(_LAUNCHER.fullmatch(target.name)) or any(target.is_relative_to(folder) for folder in _TOOLS)


def is_name(word: str) -> bool:
    """Whether a word may name a file, or a program on PATH."""
    try:
        return "/" in word or Path(word).is_file() or shutil.which(word) is not None
    except (OSError, ValueError):  # too long for a path, or with a NUL
        return False


def _start(path: Path) -> bytes:
    """Return the first line of a file, or as much of it as can be read."""
    try:
        with regular_file.opened(path) as file:
            return file.readline(_LONGEST_LINE)
    except OSError:
        return b""


def _interpreters(path: Path) -> list[Path]:
    """Return the programs that a script's first line names: of `#!/usr/bin/env python3` both."""
    start = _start(path)
    if not start.startswith(_SCRIPT):
        return []
    line = os.fsdecode(start.removeprefix(_SCRIPT))
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    if words and Path(words[0]).name == "env":
        names = (word for word in words[1:] if "=" not in word and not word.startswith("-"))
        words = [words[0], shutil.which(next(names, "")) or ""]
    else:
        words = words[:1]
    return [Path(word) for word in words if word and regular_file.is_file(Path(word))]


def _is_systems(path: Path) -> bool:
    return any(path.resolve().is_relative_to(folder) for folder in _SYSTEM)


def _linker(path: Path) -> Path | None:
    """Return the dynamic linker that an ELF file asks for (PT_INTERP), None of any other file."""
    try:
        with regular_file.opened(path) as file:
            header = file.read(64)
            if not header.startswith(_ELF):
                return None
            wide, order = header[4] == 2, "<" if header[5] == 1 else ">"  # noqa: PLR2004 - ELFCLASS64
            (offset,) = struct.unpack_from(f"{order}{'Q' if wide else 'I'}", header, 32 if wide else 28)
            size, number = struct.unpack_from(f"{order}HH", header, 54 if wide else 42)
            for index in range(number):
                file.seek(offset + index * size)
                segment = file.read(size)
                if struct.unpack_from(f"{order}I", segment) != (_PT_INTERP,):
                    continue
                (at,) = struct.unpack_from(f"{order}{'Q' if wide else 'I'}", segment, 8 if wide else 4)
                file.seek(at)
                name = file.read(_LONGEST_LINE).partition(b"\0")[0]
                return Path(os.fsdecode(name))
    except (OSError, OverflowError, struct.error, IndexError, ValueError):
        return None
    return None
