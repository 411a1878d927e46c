"""Published references: what others measured of a block, on a machine of theirs, and wrote down as a summary.

They are shown beside results of that block and never gated against: there are no raw repeats in them, and the
machine is another. `reference-NAME.json` lies beside the block's baselines, or comes with this package.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pytest_ethrex_perf.baseline.schema import BaselineError
from pytest_ethrex_perf.records import json_text, regular_file
from pytest_ethrex_perf.records.measurement import Record
from pytest_ethrex_perf.records.result import PublishedResult

if TYPE_CHECKING:
    from pytest_ethrex_perf.records.block import BlockId

SCHEMA = 1
SHIPPED = Path(__file__).parent / "references"
"""What comes with the package; in a checkout links to the files of `baselines/`."""


class Hotspot(Record, frozen=True, kw_only=True):
    """One row of a profile."""

    function: str
    samples: int
    """As published: perf's weights, not a number of stacks."""
    share: float | None = None
    """A fraction of the whole profile, or of what `what` says."""
    what: str | None = None


class Reference(Record, frozen=True, kw_only=True):
    """The content of one file; numbers are as published, rounded."""

    schema: int
    kind: Literal["reference"]
    source: str
    """Where it was published."""
    network: str
    block: int
    machine: str
    about_machine: str
    measured: str
    """The day."""
    txs: int
    gas: int
    gas_share: float | None = None
    """Of the block's gas limit, a fraction."""
    runs: int
    """Repeats of one process that `exec_ns` is the median of."""
    exec_ns: int
    ggas_per_s: float
    ipc: float | None = None
    """Instructions per cycle."""
    l1_miss_rate: float | None = None
    """L1-dcache-load-misses of the loads, a fraction."""
    hotspots: tuple[Hotspot, ...] = ()
    """Self time by leaf function, of the whole process."""
    pipeline: tuple[Hotspot, ...] = ()
    """Within add_block_pipeline, callees included."""
    opcodes: tuple[Hotspot, ...] = ()
    """By LEVM opcode."""

    def result(self) -> PublishedResult:
        """Return what is shown beside a block's result."""
        return PublishedResult(
            machine=self.machine,
            date=self.measured,
            source=self.source,
            exec_ns=self.exec_ns,
            ggas_per_s=self.ggas_per_s,
        )


def files(root: Path, block: BlockId) -> list[Path]:
    """Return the references of `block`: those below `root`, and those that come with the package, by name."""
    by_name: dict[str, Path] = {}
    for folder in (SHIPPED, root):  # the user's own file wins
        by_name |= {file.name: file for file in _in(folder / block.network / block.name)}
    return [by_name[name] for name in sorted(by_name)]


def every(root: Path) -> list[Path]:
    """Return the references of any block below `root`."""
    return sorted(file for folder in root.glob("*/*") if folder.name.isdecimal() for file in _in(folder))


def _in(folder: Path) -> list[Path]:
    return list(folder.glob("reference-*.json"))


def load(file: Path) -> Reference:
    """Return the reference in `file`; raises `BaselineError` that names it."""
    try:
        reference = json_text.decode(regular_file.content(file), Reference)
    except OSError as error:
        raise BaselineError(f"{file}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise BaselineError(f"{file}: is not a reference: {error}: restore it from version control") from None
    problems = {
        f"schema is {reference.schema}, this pytest-ethrex-perf reads {SCHEMA}": reference.schema != SCHEMA,
        f"it is of {reference.network}/{reference.block}: put it where it belongs": (
            (reference.network, str(reference.block)) != file.parts[-3:-1]
        ),
        "exec_ns and ggas_per_s must be above 0": min(reference.exec_ns, reference.ggas_per_s) <= 0,
    }
    for problem, exists in problems.items():
        if exists:
            raise BaselineError(f"{file}: is not a reference: {problem}")
    return reference


def published(root: Path, block: BlockId) -> tuple[list[PublishedResult], list[str]]:
    """Return what others published of `block`, and what is wrong with files that should say it."""
    results, broken = [], []
    for file in files(root, block):
        try:
            results.append(load(file).result())
        except BaselineError as error:
            broken.append(str(error))
    return results, broken
