"""Where the sides of a comparison are built: checkouts and a target directory each, kept from build to build.

Compilers write paths into what they make, and rustc orders code by them. So both sides are built at one path,
`work`, to which the folder of a side is moved for as long as its build takes: the same sources are the same
program on both sides, and what differs is not where they lay.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shlex
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ethrex_perf.baseline.build_identity import argv, build_environment
from pytest_ethrex_perf.config.build_table import fill
from pytest_ethrex_perf.errors import MeasurementError, UsageError
from pytest_ethrex_perf.host import process
from pytest_ethrex_perf.host.checkout import Checkout
from pytest_ethrex_perf.host.git import GitError
from pytest_ethrex_perf.host.lock import holding
from pytest_ethrex_perf.records import regular_file, units

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from pytest_ethrex_perf.baseline.revisions import Revision, Source
    from pytest_ethrex_perf.config.build_table import BuildTable
    from pytest_ethrex_perf.host.process import Finished
    from pytest_ethrex_perf.records.measurement import Side

_OWNER = "side"  # a file in the folder of a side that names it
LAST_LINES = 30
"""Of a failed build that its error shows."""
_LONGEST_LINE = 300
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


class BuildError(MeasurementError):
    """A revision that cannot be built; `log` is the file with all that the build has printed."""

    def __init__(self, message: str, log: Path | None = None) -> None:
        super().__init__(message)
        self.log = log


@dataclass(frozen=True)
class Bench:
    """What builds share: the user's environment, how long one may take, and who hears of it."""

    environ: Mapping[str, str]
    timeout: float
    """In s, of one build."""
    lock_timeout: float
    log_dir: Path
    """Where the log of a failed build is kept."""
    redact: Callable[[str], str]
    say: Callable[[str], None]
    """Is told whom we wait for."""
    show: Callable[[str], None]
    """Is given each line that a build prints, as soon as it does."""


class Slot:
    """The place of one side, for one repository: `source`, `harness`, `target` and the last build's log."""

    def __init__(
        self, root: Path, revision: Revision, side: Side, table: BuildTable, snapshots: Path
    ) -> None:
        common = revision.source.repository.common
        digest = hashlib.sha256(os.fsencode(common)).hexdigest()[:12]
        name = _UNFIT.sub("_", revision.source.repository.name)[:40]
        self._root = root / f"{name}-{digest}"
        self._home = self._root / side
        self.directory = self._root / "work"
        self.target = self.directory / "target"
        self._side = side
        self._table = table
        self._snapshots = snapshots

    @contextlib.contextmanager
    def held(self, bench: Bench) -> Iterator[None]:
        """Have the folder of this side where builds are made. Raises `MeasurementError`."""
        with self._usable():
            self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with holding(self._root / "lock", timeout=bench.lock_timeout, waiting=bench.say):
            with self._usable():
                self._bring_back()
                self._home.mkdir(exist_ok=True, mode=0o700)
                (self._home / _OWNER).write_text(self._side, encoding="utf-8")
                self._home.rename(self.directory)
                self.target.mkdir(exist_ok=True)
            try:
                yield
            finally:
                with self._usable():
                    self.directory.rename(self._home)

    def _bring_back(self) -> None:
        """Put the folder back that a killed run has left where builds are made."""
        if self.directory.exists():
            owner = self._root / (self.directory / _OWNER).read_text(encoding="utf-8")
            if owner.exists():  # empty: it was made a moment ago
                owner.rmdir()
            self.directory.rename(owner)

    @contextlib.contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise MeasurementError(
                f"{self._root}: nothing can be built here: {error.strerror}: remove it, or set XDG_CACHE_HOME"
            ) from None

    def at_home(self, artifact: Path) -> Path:
        """Where an executable of this side lies while nothing is built."""
        inside = artifact.is_relative_to(self.directory)
        return self._home / artifact.relative_to(self.directory) if inside else artifact

    def build(self, revision: Revision, bench: Bench) -> tuple[Path, float]:
        """Build `revision` here; return the executable and the seconds it took. Raises `BuildError`."""
        source, harness = self._move(revision, bench)
        places = {
            "source": str(source),
            "target": str(self.target),
            "revision": revision.source.commit.id,
        }
        if harness is not None and revision.harness is not None:
            places |= {"harness": str(harness), "harness_revision": revision.harness.commit.id}
        command = self._command(places)
        variables = build_environment(self._table, bench.environ)
        variables |= {name: fill(value, places) for name, value in self._table.environment.items()}
        began = time.monotonic()
        log = self.directory / "build.log"
        with _log(log, bench) as hear:
            finished = process.run(
                ["/bin/sh", "-c", 'exec "$@" 2>&1', "sh", *command],  # one log, in the order of printing
                environ={**variables, "CARGO_TARGET_DIR": str(self.target)},
                timeout=bench.timeout,
                cwd=harness or source,
                on_line=hear,
                is_measured=False,
            )
        seconds = time.monotonic() - began
        why = _failure(finished, bench.timeout)
        artifact = self.target / fill(self._table.artifact, places)
        why = why or self._lack(artifact)
        if why is not None:
            raise self._refusal(revision, why, finished, log, bench)
        return artifact, seconds

    def _lack(self, artifact: Path) -> str | None:
        """Why there is nothing to run although the command ended well, as a clause; None where there is."""
        if not regular_file.is_file(artifact):
            where = self._table.where
            return f"it ended well, but {self.at_home(artifact)} is not there: see artifact in {where}"
        if not os.access(artifact, os.X_OK):
            return f"it ended well, but {self.at_home(artifact)} is not executable"
        return None

    def _move(self, revision: Revision, bench: Bench) -> tuple[Path, Path | None]:
        try:
            source = self._checkout("source", revision.source, bench)
            return source, self._checkout("harness", revision.harness, bench) if revision.harness else None
        except GitError as error:
            raise BuildError(f"{revision.label} cannot be built: {bench.redact(str(error))}") from None
        except OSError as error:
            raise BuildError(
                f"{revision.label} cannot be built: {self.directory}: {error.strerror}"
            ) from None

    def _checkout(self, name: str, source: Source, bench: Bench) -> Path:
        checkout = Checkout(self.directory / name, source.repository, self._snapshots, bench.environ)
        checkout.move(source.commit.id, source.tree)
        return checkout.directory

    def _command(self, places: Mapping[str, str]) -> list[str]:
        command = self._table.command
        if not isinstance(command, str):
            return [fill(word, places) for word in command]
        for name, path in places.items():
            if f"{{{name}}}" in command and shlex.quote(path) != path:
                raise UsageError(
                    f"{self._table.where}: command: {path} ({{{name}}}) has characters that the shell reads "
                    'otherwise: write the command as a list, ["cargo", "build", …], or set XDG_CACHE_HOME'
                )
        return argv(fill(command, places))

    def _refusal(
        self, revision: Revision, why: str, finished: Finished, log: Path, bench: Bench
    ) -> BuildError:
        lines = [line for line in bench.redact(finished.stdout).splitlines() if line.strip()]
        shown = [f"  {line[:_LONGEST_LINE]}" for line in lines[-LAST_LINES:]]
        kept = bench.log_dir / f"build-{self._side}-{revision.source.commit.id[:12]}.log"
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(log, kept)
        except OSError:
            kept = self.at_home(log)
        message = f"{revision.label} cannot be built: {why}; the whole output is in {kept}"
        return BuildError("\n".join([f"{message}{', its last lines:' if shown else ''}", *shown]), kept)


def _failure(finished: Finished, timeout: float) -> str | None:
    """Why a build has failed, as a clause; None where it has not."""
    if finished.timed_out:
        return f"it took longer than {units.clock(timeout)} (--ethrex-build-timeout)"
    if finished.flooded is not None:
        return f"it printed more than {units.size(finished.flooded)}"
    if finished.signal_name is not None:
        return f"its command was killed by {finished.signal_name}"
    if finished.returncode:
        return f"its command ended with exit code {finished.returncode}"
    return None


@contextlib.contextmanager
def _log(path: Path, bench: Bench) -> Iterator[Callable[[str], None]]:
    """Yield what takes each line of a build: it is shown, and written to `path`."""
    path.unlink(missing_ok=True)
    with path.open("w", encoding="utf-8", errors="replace", buffering=1) as file:

        def hear(line: str) -> None:
            plain = bench.redact(line)
            file.write(f"{plain}\n")
            bench.show(plain)

        yield hear
