"""Whether baselines are sound, and whether what they name, caches and programs, is what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.baseline import reference, store
from pytest_ethrex_perf.baseline import stacks as profiles
from pytest_ethrex_perf.baseline.schema import BaselineError
from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.replay import cache

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_ethrex_perf.baseline.archive import Archive
    from pytest_ethrex_perf.baseline.schema import Baseline

_SHORT = 8


class Findings(NamedTuple):
    """What was found about one file."""

    wrong: list[str]
    """What must not be so, with the remedy."""
    remarks: list[str]
    """What is not there to be checked."""


def examine(file: Path, root: Path, *, cache_dir: Path | None, archive: Archive | None) -> Findings:
    """Examine the baseline `file` below `root`, and what it names in `cache_dir` and `archive` if given."""
    findings = Findings([], [])
    try:
        baseline = store.load(file)
    except BaselineError as error:
        findings.wrong.append(str(error))
        return findings
    home = store.path(root, baseline.block_id, baseline.kind, baseline.machine)
    if home != file:
        findings.wrong.append(f"{file}: is the baseline that belongs to {home}: move it there")
    wrong, remark = profiles.examine(file, baseline.epoch.sessions[-1].program.sha256)
    findings.wrong.extend([wrong] if wrong else [])
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
        found = cache.identify(path, baseline.block_id)
    except MeasurementError as error:
        findings.wrong.append(f"{file}: its cache file: {error}")
        return
    known = baseline.cache
    for name, recorded, now in (
        ("block hash", known.block_hash, found.block_hash),
        ("witness", known.witness_sha256, found.witness_sha256),
    ):
        if recorded != now:
            findings.wrong.append(
                f"{file}: its cache file has changed: {name} {recorded}, now {now}: restore {path}"
            )


def _examine_programs(file: Path, baseline: Baseline, archive: Archive, findings: Findings) -> None:
    programs = {session.program.sha256: session.started[:10] for session in baseline.sessions()}
    states = {sha256: archive.state(sha256) for sha256 in programs}
    for sha256, state in states.items():
        if state == "damaged":
            findings.wrong.append(
                f"{file}: its program {sha256[:_SHORT]} of {programs[sha256]} is damaged in the archive: "
                f"remove {archive.path(sha256)}"
            )
    missing = [sha256 for sha256, state in states.items() if state == "missing"]
    newest = baseline.epoch.sessions[-1].program.sha256
    if missing:
        told = "its newest program among them" if newest in missing else "its newest program is there"
        findings.remarks.append(
            f"{file}: {len(missing)} of {len(programs)} program(s) are not in the archive, {told}"
        )


def references(root: Path) -> Iterator[str]:
    """What is wrong with the references below `root`."""
    for file in reference.every(root):
        try:
            reference.load(file)
        except BaselineError as error:
            yield str(error)
