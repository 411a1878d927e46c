"""Profiles kept beside a baseline: base's stacks, so that a stored baseline can explain a regression too.

`mainnet-24443168….json` has `mainnet-24443168….stacks.json.gz` beside it: one gzip'd `Profile` of the session
recorded last, at most `LIMIT` bytes. `ethrex-perf stacks FILE` reads it.
"""

from __future__ import annotations

import gzip
import math
from typing import TYPE_CHECKING

import msgspec

from pytest_ethrex_perf.errors import MeasurementError, UsageError
from pytest_ethrex_perf.host import files
from pytest_ethrex_perf.profile import stacks
from pytest_ethrex_perf.profile.names import CUT
from pytest_ethrex_perf.records.metric import EXEC

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from pytest_ethrex_perf.profile.stacks import Frames, Profile, Stack

SUFFIX = ".stacks.json.gz"
LIMIT = 256 * 1024
"""Bytes, compressed: it is committed with the baseline."""
SMALL = "[small stacks]"
"""Stands for the callers that did not fit."""


def path(baseline: Path) -> Path:
    """Return the file of stacks beside a baseline's."""
    return baseline.with_name(baseline.name.removesuffix(".json") + SUFFIX)


def save(baseline: Path, profile: Profile, *, limit: int = LIMIT) -> str:
    """Write the profile beside `baseline`, replacing an older one; return what was written, for people.

    Where it is larger than `limit` bytes, only exec is kept, and of its rarest stacks only the function that
    was executing: self times stay exact. Raises `MeasurementError` where it can't be written.
    """
    file = path(baseline)
    content, kept = _within(profile, limit)
    try:
        files.replace(file, content)
    except OSError as error:
        raise MeasurementError(f"{file}: can't be written: {error.strerror}") from None
    sentence = f"{math.ceil(len(content) / 1024)} KiB of stacks in {file.name}"
    if kept == profile:
        return sentence
    return f"{sentence} (of the rarest only the leaf, to stay below {limit / 1024:g} KiB)"


def load(baseline: Path, *, program_sha256: str | None = None) -> Profile | None:
    """Return the profile beside `baseline`; None without one, or where it is of another program.

    Raises `UsageError` for a file that is not one.
    """
    file = path(baseline)
    if not file.exists():
        return None
    profile = stacks.read_profile(file)
    return profile if program_sha256 in (None, profile.program_sha256) else None


def remove(baseline: Path) -> None:
    """Remove what is beside a baseline that is itself removed."""
    path(baseline).unlink(missing_ok=True)


def unused(baseline: Path, programs: Collection[str]) -> bool:
    """Return whether stacks lie beside `baseline` that are of none of its `programs` (their sha256)."""
    try:
        profile = load(baseline)
    except UsageError:
        return False  # `verify` says so; nobody knows whose they are
    return profile is not None and profile.program_sha256 not in programs


def carry(sources: Iterable[Path], target: Path, program_sha256: str) -> Path | None:
    """Put the stacks of `program_sha256` from beside one of `sources` beside `target`; return their source.

    None where they are there already, or nowhere. Raises `MeasurementError`
    where they can't be written.
    """
    for source in (target, *sources):
        try:
            if load(source, program_sha256=program_sha256) is None:
                continue
            if path(source) == path(target):
                return None
            files.replace(path(target), path(source).read_bytes())
        except UsageError:
            continue
        except OSError as error:
            raise MeasurementError(f"{path(target)}: can't be written: {error.strerror}") from None
        return path(source)
    return None


def remark(baseline: Path, newest_sha256: str) -> str | None:
    """Return what there is to say of the stacks beside `baseline`, None for nothing.

    Raises `UsageError` for a file that is not one.
    """
    try:
        profile = load(baseline)
    except UsageError as error:
        raise UsageError(f"{error}: delete it, the next recording writes another") from None
    if profile is None or profile.program_sha256 == newest_sha256:
        return None
    return (
        f"{path(baseline)}: these stacks are not of the newest session's program, and explain nothing: the "
        "next recording replaces them"
    )


def _within(profile: Profile, limit: int) -> tuple[bytes, Profile]:
    """Return the content, and the profile that is in it."""
    content = _packed(profile)
    if len(content) <= limit:
        return content, profile
    stacks_of_exec = [stack for stack in profile.stacks if stack.phase == EXEC]
    most = max((_samples(stack) for stack in stacks_of_exec), default=0)
    kept, least = _of(profile, stacks_of_exec), 1
    while len(content := _packed(kept)) > limit:
        if least > most:
            raise MeasurementError(
                f"{profile.block}: the profile has so many functions that its leaves alone do not fit into "
                f"{limit / 1024:g} KiB"
            )
        least *= 2
        kept = _of(profile, stacks_of_exec, least)
    return content, kept


def _packed(profile: Profile) -> bytes:
    # without a time in its header: the same profile is the same file
    return gzip.compress(msgspec.json.encode(profile), compresslevel=9, mtime=0)


def _of(profile: Profile, kept: Iterable[Stack], least: int = 0) -> Profile:
    """Return the profile with these stacks only; those seen fewer than `least` times lose their callers."""

    def frames(stack: Stack) -> Frames:
        names = tuple(profile.names[index] for index in stack.frames)
        if _samples(stack) >= least or len(names) == 1:
            return names
        return (CUT if names[0] == CUT else SMALL, names[-1])

    names, tables = stacks.gathered(
        (stack.phase, repeat, stack.thread, frames(stack))
        for stack in kept
        for repeat, samples in stack.counts
        for _ in range(samples)
    )
    return msgspec.structs.replace(profile, names=names, stacks=tables)


def _samples(stack: Stack) -> int:
    return sum(samples for _, samples in stack.counts)
