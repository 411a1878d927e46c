"""The cache file of a custom workload: made once by one program, and checked against what was asked for.

The program names the file by workload and seed alone and takes its content on trust. So each set of
parameters has a folder of its own, and beside the file a record of what made it: a file that is not the one
recorded is made anew. Both sides of a comparison replay the same file: a change of how blocks are made is no
change of how they are executed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from pytest_ethrex_perf.config.options import BUNDLED
from pytest_ethrex_perf.errors import MeasurementError, UsageError
from pytest_ethrex_perf.host import files, lock, process, scratch
from pytest_ethrex_perf.records import json_text, regular_file
from pytest_ethrex_perf.records import workload as workloads
from pytest_ethrex_perf.records.measurement import Record
from pytest_ethrex_perf.replay import answer, cache, command, failure, output, transcript
from pytest_ethrex_perf.replay.program_kinds import KINDS
from pytest_ethrex_perf.replay.redaction import Redactor, secrets_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.records.measurement import Program
    from pytest_ethrex_perf.replay.cache import CacheFile

RECORD = "generated.json"
"""The record's name, in the folder of the workload."""
_REACHED = 0.8  # of the gas asked for: programs say 95 %, in whole transactions and turns of a loop
_SHORT = 12  # hex digits of a sha256 that people read


class Generated(Record, frozen=True, kw_only=True):
    """What was made, from what and by which program: the content of the record."""

    workload: str
    """Name and parameters, in their canonical form."""
    sha256: str
    """Of the cache file."""
    size: int
    """Of the cache file, in bytes."""
    gas: int
    txs: int
    program_sha256: str
    program_label: str
    program_commit: str | None = None

    @property
    def program(self) -> str:
        """The program that made it, as people read it: `target/release/ethrex-replay (sha256 1a2b…)`."""
        return f"{self.program_label} (sha256 {self.program_sha256[:_SHORT]})"


@dataclass(frozen=True, slots=True)
class Generator:
    """Makes the cache files of workloads by one program, in at most `timeout` seconds each.

    Before it starts the program it calls `hold`, to have the machine to itself, and tells `say`.
    """

    program: Program
    cache_dir: Path
    environ: Mapping[str, str]
    log_dir: Path
    timeout: float | None
    hold: Callable[[], None] = lambda: None
    say: Callable[[str], None] = lambda _: None

    def provide(self, block: BlockId) -> CacheFile:
        """Return the block's cache file: what is there, if it is what its record says, or a new one.

        Raises `MeasurementError`, one line, where the program can't make it or made something else.
        """
        path = cache.path(self.cache_dir, block)
        wrong = _wrong(path, block)
        if wrong is not None:
            self._check_understood(block)
            label = self._redact(self.program.label)
            self.say(f"{block}: {wrong}{label} makes it, unmeasured, in {path.parent}")
            self.hold()
            with lock.writing(path.parent / RECORD):
                if _wrong(path, block) is not None:  # nobody else has made it while we waited
                    self._generate(path, block)
        return cache.read(path, block)

    def _check_understood(self, block: BlockId) -> None:
        understood = KINDS[self.program.kind].workloads
        name = workloads.parse(block.workload).name
        if name not in understood:
            raise MeasurementError(
                f"{block}: the {self.program.kind} program knows no {name}: it knows {', '.join(understood)}"
            )

    def _generate(self, path: Path, block: BlockId) -> None:
        with scratch.folder() as folder:
            self._run(folder, block)
            made = cache.read(folder / path.name, block)
            _check_size(made, block)
            content = regular_file.content(made.path)
            record = Generated(
                workload=block.workload,
                sha256=made.sha256,
                size=made.size,
                gas=made.work.gas,
                txs=made.work.txs,
                program_sha256=self.program.sha256,
                program_label=self._redact(self.program.label),
                program_commit=self.program.commit,
            )
        try:
            files.replace(path, content)
            files.replace(path.parent / RECORD, msgspec.json.format(msgspec.json.encode(record)) + b"\n")
        except OSError as error:
            raise MeasurementError(f"{block}: {path} can't be written: {error.strerror}") from None

    def _run(self, folder: Path, block: BlockId) -> None:
        argv = command.generate(self.program, block, folder=folder)
        environ = command.child_environment(self.environ)
        finished = process.run(argv, environ=environ, timeout=self.timeout)
        read = output.parse(finished.stdout)
        reason = failure.of_measurement(finished, read, block=block, repeat=1, timeout=self.timeout)
        if reason is not None:
            name = f"{block.file_name}-generate"
            kept = transcript.keep(argv, finished, log_dir=self.log_dir, name=name, redact=self._redact)
            message = f"{block}: it can't be made: {self._redact(reason)}; {kept}"
            raise answer.error(message, self.program, finished, read, redact=self._redact, kept=kept)

    def _redact(self, text: str) -> str:
        return Redactor(secrets_in(self.environ))(text)


def directory(name: str | Path, block: BlockId) -> Path:
    """Return the cache directory that `name` means; raises `UsageError` for `bundled`, which is ours."""
    if str(name) == BUNDLED:
        raise UsageError(
            f"{block}: the cache directory `{BUNDLED}` has a block of its own alone: name one in which "
            "workloads are made"
        )
    return cache.directory(name)


def record_of(path: Path) -> Generated | None:
    """Return the record beside the cache file `path`; None where there is none that can be read."""
    try:
        return json_text.decode(regular_file.content(path.parent / RECORD), Generated)
    except (OSError, ValueError):
        return None


def _wrong(path: Path, block: BlockId) -> str | None:
    """Return why the cache file has to be made, as the beginning of a sentence; None where it is right."""
    if not regular_file.exists(path):
        return ""
    record = record_of(path)
    if record is None:
        return f"{path} has no record of what made it ({RECORD}); "
    if record.workload != block.workload:
        return f"{path} was made for {record.workload}; "
    try:
        there = cache.read(path, block)
    except MeasurementError as error:
        return f"{str(error).removeprefix(f'{block}: ').partition(';')[0]}; "
    if (there.sha256, there.size, *there.work) != (record.sha256, record.size, record.gas, record.txs):
        return f"{path} is not what was made (its sha256 was {record.sha256[:_SHORT]}); "
    return None


def _check_size(made: CacheFile, block: BlockId) -> None:
    """Raise `MeasurementError` where the block is not as large as was asked for."""
    workload = workloads.parse(block.workload)
    if workload.txs is not None and made.work.txs != workload.txs:
        raise MeasurementError(
            f"{block}: the program made a block of {made.work.txs} transactions, "
            f"{workload.txs} were asked for: fewer may fit into one block"
        )
    if workload.gas is not None and made.work.gas < _REACHED * workload.gas:
        raise MeasurementError(
            f"{block}: the program made a block of {made.work.gas:,} gas, {workload.gas:,} were asked for"
        )
