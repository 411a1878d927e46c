"""Whether baselines are sound, and whether what they name, caches and programs, is what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.baseline import reference, stacks, store
from pytest_ethrex_perf.baseline.schema import BaselineError
from pytest_ethrex_perf.errors import MeasurementError, UsageError
from pytest_ethrex_perf.replay import cache

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_ethrex_perf.baseline.archive import Archive
    from pytest_ethrex_perf.baseline.schema import Baseline

_SHORT = 8  # hex digits of a program's sha256 that people read


class Findings(NamedTuple):
    """What an examination of one file found."""

    wrong: list[str]
    """What must not be so, with the remedy."""
    remarks: list[str]
    """What could not be checked, and what is of no use."""


def examine(file: Path, root: Path, *, cache_dir: Path | None, archive: Archive | None) -> Findings:
    """Return what is to be said of the baseline `file` below `root`.

    What it names is looked for in `cache_dir` and `archive`, if given.
    """
    findings = Findings([], [])
    try:
        baseline = store.load(file)
    except BaselineError as error:
        findings.wrong.append(str(error))
        return findings
    right_place = store.path(root, baseline.block_id, baseline.kind, baseline.machine)
    if right_place != file:
        findings.wrong.append(f"{file}: is the baseline that belongs to {right_place}: move it there")
    try:
        remark = stacks.remark(file, baseline.epoch.sessions[-1].program.sha256)
    except UsageError as error:
        findings.wrong.append(str(error))
    else:
        findings.remarks.extend([remark] if remark else [])
    if cache_dir is not None:
        _examine_cache(file, baseline, cache_dir, findings)
    if archive is not None:
        _examine_programs(file, baseline, archive, findings)
    return findings


def _examine_cache(file: Path, baseline: Baseline, cache_dir: Path, findings: Findings) -> None:
    path = cache.path(cache_dir, baseline.block_id)
    if not path.exists():
        findings.remarks.append(f"{file}: its cache file is not there to be checked: {path}")
        return
    try:
        now = cache.identify(path, baseline.block_id)
    except MeasurementError as error:
        findings.wrong.append(f"{file}: its cache file: {error}")
        return
    recorded = baseline.cache
    for name, before, after in (
        ("block hash", recorded.block_hash, now.block_hash),
        ("witness", recorded.witness_sha256, now.witness_sha256),
    ):
        if before != after:
            findings.wrong.append(
                f"{file}: its cache file has changed: {name} {before}, now {after}: restore {path}"
            )


def _examine_programs(file: Path, baseline: Baseline, archive: Archive, findings: Findings) -> None:
    days = {session.program.sha256: session.started[:10] for session in baseline.sessions()}
    states = {sha256: archive.state(sha256) for sha256 in days}
    for sha256, state in states.items():
        if state == "damaged":
            findings.wrong.append(
                f"{file}: its program {sha256[:_SHORT]} of {days[sha256]} is damaged in the archive: "
                f"remove {archive.path(sha256)}"
            )
    missing = [sha256 for sha256, state in states.items() if state == "missing"]
    if missing:
        newest = baseline.epoch.sessions[-1].program.sha256
        where = "among them" if newest in missing else "is there"
        findings.remarks.append(
            f"{file}: {len(missing)} of {len(days)} program(s) are not in the archive, its newest program "
            f"{where}"
        )


def references(root: Path) -> Iterator[str]:
    """Yield what is wrong with the references below `root`."""
    for file in reference.every(root):
        try:
            reference.load(file)
        except BaselineError as error:
            yield str(error)
