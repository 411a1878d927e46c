"""Programs from revisions: `git:HEAD` is built as `[build]` says, or had from the archive.

`Builds.of(settings, archive)` makes them; `builds.revision("git:origin/main", "base")` asks git, and
`builds.build(revision, "base").program` builds.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import stat
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.baseline.archive import (
    MissingProgramError,
    NotArchivedError,
    default_directory,
)
from pytest_ethrex_perf.baseline.build_identity import Identity
from pytest_ethrex_perf.baseline.build_index import BuildIndex, BuildRecord
from pytest_ethrex_perf.baseline.build_slot import Bench, Slot
from pytest_ethrex_perf.baseline.revisions import Revisions
from pytest_ethrex_perf.config.build_table import EXAMPLE
from pytest_ethrex_perf.config.options import CONFIG_NAME
from pytest_ethrex_perf.errors import EthrexPerfError, MeasurementError, UsageError
from pytest_ethrex_perf.host import files, lock
from pytest_ethrex_perf.records import regular_file, units
from pytest_ethrex_perf.replay import executable
from pytest_ethrex_perf.replay import program as programs
from pytest_ethrex_perf.replay.redaction import Redactor, secrets_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

    from pytest_ethrex_perf.baseline.archive import Archive
    from pytest_ethrex_perf.baseline.revisions import Revision
    from pytest_ethrex_perf.config.build_table import BuildTable
    from pytest_ethrex_perf.config.settings import Settings
    from pytest_ethrex_perf.records.measurement import Program, Side

OPTION: Mapping[Side, str] = {"head": "--ethrex-replay", "base": "--ethrex-base"}
_KEPT_S = 7 * 86_400.0  # a program that no archive takes is of use to the run that has built it


@dataclass(frozen=True, slots=True)
class Build:
    """A revision and the program that it is."""

    revision: Revision
    program: Program
    seconds: float | None
    """How long it was built just now; None where it was had from the archive."""

    fleeting: str | None = None
    """Why the next build in its place takes the program away, as a clause; None of what was kept."""

    @property
    def from_archive(self) -> bool:
        """Whether nothing had to be built."""
        return self.seconds is None


class Builds:
    """The builds of one run: each revision is built once, and what cannot be built is not tried again.

    A build waits for whoever measures on this machine, and nobody measures while it goes on: the host's lock
    must not be held by this process. `run` is what the workers of one distributed run have in common.
    """

    def __init__(
        self,
        table: BuildTable | None,
        archive: Archive,
        bench: Bench,
        *,
        cwd: Path,
        prefix: str = "",
        run: str | None = None,
    ) -> None:
        self._table = table
        self._archive = archive
        self._bench = bench
        self._cwd = cwd
        self._prefix = prefix
        self._run = run
        self._index = BuildIndex(archive)
        self._done: dict[str, Build | EthrexPerfError] = {}
        directory = default_directory(bench.environ)
        self._root = None if directory is None else directory.parent / "builds"
        self._revisions: Revisions | None = None
        self._identity: Identity | None = None

    @classmethod
    def of(
        cls,
        settings: Settings,
        archive: Archive,
        *,
        say: Callable[[str], None] = lambda _: None,
        show: Callable[[str], None] = lambda _: None,
        run: str | None = None,
    ) -> Self:
        """The builds of a run with `settings`.

        `say` is told whom we wait for and what is built, `show` is given each line that a build prints.
        """
        bench = Bench(
            environ=settings.environ,
            timeout=settings.build_timeout,
            lock_timeout=settings.lock_timeout,
            log_dir=settings.log_dir,
            redact=Redactor([settings.rpc_url or "", *secrets_in(settings.environ)]),
            say=say,
            show=show,
        )
        return cls(settings.build, archive, bench, cwd=settings.cwd, prefix=settings.prefix, run=run)

    def revision(
        self, spec: str, side: Side, option: str | None = None, *, head: Revision | None = None
    ) -> Revision:
        """The revision that `spec` (`git:REV`, `git:REV,harness:REV`) names for `side`; nothing is built.

        `git:merge-base` is that of `head` and the default branch. Raises `UsageError` that names `option`.
        """
        option = option or OPTION[side]
        return self._resolver(f"{option} {spec}").resolve(spec, side, option, head=head)

    def apart(self, base: Revision, head: Revision) -> str:
        """How base and head lie to each other, in words: `3 commits after base`."""
        return self._resolver("").apart(base, head)

    def program(self, spec: str, side: Side) -> Program:
        """The program of `spec`; raises `UsageError`, and `MeasurementError` as `build` does."""
        return self.build(self.revision(spec, side), side).program

    def build(self, revision: Revision, side: Side) -> Build:
        """Build `revision` in the place of `side`, unless it is in the archive.

        Raises `BuildError` where it cannot be built, and another `MeasurementError` where nothing can be.
        """
        key = self._keys().key(revision)
        if key not in self._done:
            try:
                self._done[key] = self._found(key, revision) or self._built(key, revision, side)
            except EthrexPerfError as error:
                self._done[key] = error
            except BaseException:  # Ctrl-C: whoever asks for it at the end of the run must not build again
                self._done[key] = MeasurementError(f"{revision.label}: its build was interrupted")
                raise
        done = self._done[key]
        if isinstance(done, EthrexPerfError):
            raise done
        return Build(revision, self._named(done.program, revision), done.seconds, done.fleeting)

    # --- from the archive -----------------------------------------------------------------------------------

    def _found(self, key: str, revision: Revision) -> Build | None:
        record = None if revision.dirty else self._index.find(key)
        if record is None:
            return None
        try:
            command = self._archive.find(record.sha256, cwd=self._cwd, environ=self._bench.environ)
        except MissingProgramError:
            return None
        return Build(revision, self._resolved(Path(command[0])), None)

    def _keep(self, key: str, revision: Revision, artifact: Path, seconds: float) -> Program | None:
        """The program as it stays while the next revision is built: in the archive, or else beside it.

        None for what needs the files that lie around it.
        """
        program = self._resolved(artifact)
        if not revision.dirty and self._archive.is_on:
            with contextlib.suppress(NotArchivedError, MissingProgramError, OSError):
                self._archive.store(program)
                record = BuildRecord(
                    sha256=program.sha256,
                    commit=revision.source.commit.id,
                    harness=revision.harness.commit.id if revision.harness else None,
                    compiler=self._keys().compiler(revision),
                    seconds=seconds,
                    built=datetime.now(UTC).isoformat(timespec="seconds"),
                )
                self._index.note(key, record)
                command = self._archive.find(program.sha256, cwd=self._cwd, environ=self._bench.environ)
                return self._resolved(Path(command[0]))
        if executable.uncovered(artifact) or executable.libraries(artifact):
            return None
        return self._resolved(self._copied(artifact, program.sha256))

    def _copied(self, artifact: Path, sha256: str) -> Path:
        folder = self._builds() / "programs"
        path = folder / sha256
        try:
            if folder.is_dir():
                for old in folder.iterdir():
                    if old != path and time.time() - old.stat().st_mtime > _KEPT_S:
                        old.unlink(missing_ok=True)
            with regular_file.opened(artifact) as source, files.replacing(path) as target:
                with open(target, "wb", closefd=False) as copy:
                    shutil.copyfileobj(source, copy)
                os.fchmod(target, stat.S_IMODE(os.fstat(source.fileno()).st_mode) & 0o555 | 0o500)
        except OSError as error:
            raise MeasurementError(f"{path}: a built program cannot be kept: {error.strerror}") from None
        return path

    def _resolved(self, path: Path) -> Program:
        # a path may hold anything that a command line would be split at
        return programs.resolve(
            str(path) if regular_file.exists(path) else shlex.quote(str(path)),
            cwd=self._cwd,
            environ=self._bench.environ,
            prefix=self._prefix,
            option="[build]",
        )

    @staticmethod
    def _named(program: Program, revision: Revision) -> Program:
        import msgspec

        return msgspec.structs.replace(program, label=revision.label, commit=revision.commit)

    # --- building -------------------------------------------------------------------------------------------

    def _built(self, key: str, revision: Revision, side: Side) -> Build:
        slot = Slot(self._builds(), revision, side, self._given(), self._builds() / "snapshots")
        label = f"the build of {revision.spec} in {revision.source.repository.name}"
        waiting = lock.measuring(
            label, timeout=self._bench.lock_timeout, waiting=self._bench.say, run=self._run
        )
        with waiting, slot.held(self._bench):
            found = self._found(key, revision)  # whom we waited for may have built it
            if found is not None:
                return found
            self._bench.say(f"building {side}: {revision.label}")
            artifact, seconds = slot.build(revision, self._bench)
            self._bench.say(f"built {side} in {units.duration(seconds * 1e9)}")
            program = self._keep(key, revision, artifact, seconds)
        if program is not None:
            return Build(revision, program, seconds)
        why = executable.uncovered(artifact) or "loads libraries that lie beside it"
        return Build(revision, self._resolved(slot.at_home(artifact)), seconds, why)

    def _given(self, wanted: str = "") -> BuildTable:
        if self._table is None:
            raise UsageError(
                f"{wanted}: how to build a revision is not said: write a table {EXAMPLE} in {CONFIG_NAME}"
            )
        return self._table

    def _builds(self) -> Path:
        if self._root is None:
            raise UsageError("there is no home directory to build in: set XDG_CACHE_HOME")
        return self._root

    def _resolver(self, wanted: str) -> Revisions:
        if self._revisions is None:
            self._revisions = Revisions(
                self._given(wanted),
                cwd=self._cwd,
                environ=self._bench.environ,
                snapshots=self._builds() / "snapshots",
            )
        return self._revisions

    def _keys(self) -> Identity:
        if self._identity is None:
            self._identity = Identity(self._given(), self._bench.environ)
        return self._identity
