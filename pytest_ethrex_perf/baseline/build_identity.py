"""What makes two builds the same: sources, command, environment and compiler, as one key."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.host import process
from pytest_ethrex_perf.records import regular_file
from pytest_ethrex_perf.replay.redaction import SECRET_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_ethrex_perf.baseline.revisions import Revision, Source
    from pytest_ethrex_perf.config.build_table import BuildTable, Command

_TOOLCHAIN_FILES = ("rust-toolchain.toml", "rust-toolchain")
_VERSIONS = (("rustc", "-vV"), ("cc", "--version"))
_TIMEOUT_S = 600.0  # rustup may fetch a toolchain first
_INHERITED = re.compile(
    r"RUST(C|FLAGS|DOCFLAGS|UP_TOOLCHAIN).*|CARGO_(ENCODED_RUSTFLAGS|INCREMENTAL|BUILD_.*|PROFILE_.*|TARGET_.+)|"
    r"(HOST_|TARGET_)?(CC|CXX|CPP|AR|LD|CFLAGS|CXXFLAGS|CPPFLAGS|LDFLAGS)(_.+)?"
)
"""Variables of the user's environment that change what compilers make."""
_REPLACED = ("CARGO_TARGET_DIR",)
_WITHHELD = (*SECRET_VARIABLES, "GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "PYTEST_CURRENT_TEST")


class Identity:
    """The keys of the builds of one `[build]`, in one environment."""

    def __init__(self, table: BuildTable, environ: Mapping[str, str]) -> None:
        self._table = table
        self._environ = environ
        self._compilers: dict[tuple[str, ...], str] = {}

    def key(self, revision: Revision) -> str:
        """The key of what is built from `revision`: 64 hex digits."""
        table = self._table
        words = ("line", table.command) if isinstance(table.command, str) else ("words", *table.command)
        parts = [
            *_sources(revision),
            *words,
            table.artifact,
            *self._variables(),
            self._cargo_config(),
            self.compiler(revision),
        ]
        return hashlib.sha256("\0\0".join(parts).encode(errors="surrogateescape")).hexdigest()

    def _variables(self) -> list[str]:
        """The variables that count: those of `[build]`, and the user's own that compilers read."""
        variables = build_environment(self._table, self._environ)
        return [
            f"{name}={value}"
            for name, value in sorted(variables.items())
            if name in self._table.environment or (_INHERITED.fullmatch(name) and name not in _REPLACED)
        ]

    def compiler(self, revision: Revision) -> str:
        """Which compilers build `revision`: what they say of themselves, or that they are missing.

        They are asked in a folder that holds nothing but its toolchain files, by which rustup chooses.
        """
        built_in = revision.harness or revision.source
        files = {name: _blob(built_in, name) for name in _TOOLCHAIN_FILES}
        chosen = tuple(f"{name}\0{content}" for name, content in files.items() if content is not None)
        if chosen not in self._compilers:
            with tempfile.TemporaryDirectory(prefix="ethrex-perf-compiler-") as folder:
                for name, content in files.items():
                    if content is not None:
                        (Path(folder) / name).write_text(content, encoding="utf-8")
                self._compilers[chosen] = "\n".join(self._versions(Path(folder)))
        return self._compilers[chosen]

    def _versions(self, folder: Path) -> list[str]:
        environ = build_environment(self._table, self._environ)
        own = self._table.compiler
        commands: tuple[Sequence[str], ...] = (*_VERSIONS, *([argv(own)] if own is not None else []))
        return [_version(command, folder, environ) for command in commands]

    def _cargo_config(self) -> str:
        """What the user's own cargo configuration holds: it counts in every build."""
        home = self._environ.get("CARGO_HOME") or str(Path(self._environ.get("HOME", "/")) / ".cargo")
        for name in ("config.toml", "config"):
            try:
                return hashlib.sha256(regular_file.content(Path(home) / name)).hexdigest()
            except OSError:
                continue
        return "no cargo configuration"


def build_environment(table: BuildTable, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment that builds run in: the user's without secrets and without git's, then `[build]`'s."""
    kept = {name: value for name, value in environ.items() if name not in _WITHHELD}
    return {**kept, **table.environment}


def argv(command: Command) -> list[str]:
    """The words that are run: a line goes to the shell."""
    return ["/bin/sh", "-c", command] if isinstance(command, str) else list(command)


def _sources(revision: Revision) -> list[str]:
    sources = [revision.source, *([revision.harness] if revision.harness else [])]
    return [
        part
        for source in sources
        for part in (str(source.repository.common), source.tree if source.dirty else source.commit.id)
    ]


def _blob(source: Source, name: str) -> str | None:
    if source.dirty:
        file = source.repository.worktree() / name
        return file.read_text(encoding="utf-8", errors="replace") if regular_file.is_file(file) else None
    finished = source.repository.run("cat-file", "blob", f"{source.tree}:{name}")
    return finished.stdout if finished.returncode == 0 else None


def _version(command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> str:
    name = " ".join(command)
    if shutil.which(command[0], path=environ.get("PATH")) is None:
        return f"{name}: missing"
    try:
        finished = process.run(command, environ=environ, timeout=_TIMEOUT_S, cwd=folder, is_measured=False)
    except MeasurementError:
        return f"{name}: missing"
    return f"{name}: {finished.returncode}\n{finished.stdout.strip()}"
