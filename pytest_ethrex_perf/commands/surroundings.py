"""What lies around where `ethrex-perf init` is called: a quick look at a few files, and no questions."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli

from pytest_ethrex_perf.commands.doctor import measure_spread
from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.host import perf_tool
from pytest_ethrex_perf.records import regular_file, units
from pytest_ethrex_perf.records.block import BlockId

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROGRAM = "ethrex-replay"
_ENGINE = "ethrex"
_DEEPEST = 3  # folders below the root in which block caches are looked for
_MOST_FOLDERS = 2000  # and how many of them: a checkout may be on a slow disk
_PASSED_OVER = ("target", "node_modules", "venv")
_CACHE = re.compile(r"cache_([a-z][a-z0-9_-]{0,63})_([0-9]{1,20})\.json")
_OF_ENGINE = re.compile(r"/ethrex(\.git)?/?$")
_FEW = 4  # blocks that are proposed: of different sizes, as ethrex's own engineers choose them
_GIT_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Caches:
    """A folder of block caches."""

    folder: Path
    blocks: tuple[BlockId, ...]
    """A few of them, from the smallest file to the largest."""
    count: int
    tracked: bool
    """In git: a fresh checkout has them."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What was seen."""

    root: Path
    top: Path | None
    """Of the git repository that `root` is in."""
    packages: Mapping[str, Path]
    """The crates of the Cargo workspace or package in `root`, by name; empty where there is none."""
    harness: Path | None
    """A checkout of ethrex-replay beside one of ethrex."""
    needed: frozenset[str]
    """The engine's crates that the harness depends on by itself; others come with them."""
    caches: Caches | None
    has_perf: bool
    has_pmu: bool
    has_callgrind: bool
    spread: float
    """Coefficient of variation of work that is always the same: now, and no fact of this machine."""

    @property
    def in_git(self) -> bool:
        """Whether there is a git repository, so that revisions can be built."""
        return self.top is not None

    @property
    def has_program(self) -> bool:
        """Whether ethrex-replay itself is built here."""
        return PROGRAM in self.packages

    @property
    def is_engine(self) -> bool:
        """Whether this is a checkout of ethrex, which ethrex-replay depends on."""
        return _ENGINE in self.packages and not self.has_program

    def sentences(self) -> Iterator[str]:
        """What was seen, in lines."""
        if self.has_program:
            yield f"a checkout of {PROGRAM}: its own revisions are built"
        elif self.is_engine:
            beside = f"beside it in {self.harness}" if self.harness else "which is not beside it"
            yield f"a checkout of ethrex: its revisions are built with {PROGRAM}, {beside}"
        elif self.packages:
            yield f"a Cargo workspace ({len(self.packages)} crates) that is neither ethrex nor {PROGRAM}"
        else:
            yield "no Cargo workspace"
        if not self.in_git:
            yield "no git repository: --ethrex-base=git:… needs one"
        if self.caches is None:
            yield "no block caches: fetch some with `ethrex-perf fetch`"
        else:
            where = "in git" if self.caches.tracked else "not in git"
            yield f"{self.caches.count} block caches in {self.caches.folder} ({where})"
        tools = {"perf": self.has_perf, "hardware counters": self.has_pmu, "valgrind": self.has_callgrind}
        yield ", ".join(f"{'' if there else 'no '}{name}" for name, there in tools.items())
        yield f"the same work varies by {units.percent(self.spread)} here now"


def look(root: Path, environ: Mapping[str, str]) -> Surroundings:
    """Look around in `root`; what can't be read is taken for not there."""
    packages = dict(_packages(root))
    harness = next((path for path in _harnesses(root) if PROGRAM in dict(_packages(path))), None)
    return Surroundings(
        root=root,
        top=Path(top) if (top := _git(root, environ, "rev-parse", "--show-toplevel")) else None,
        packages=packages,
        harness=None if harness is None else Path(os.path.relpath(harness, root)),
        needed=frozenset(_needed(harness) if harness else ()),
        caches=_caches(root, harness, environ),
        has_perf=_has_perf(environ),
        has_pmu=bool(perf_tool.pmus()),
        has_callgrind=shutil.which("valgrind", path=environ.get("PATH")) is not None,
        spread=measure_spread(),
    )


def _has_perf(environ: Mapping[str, str]) -> bool:
    try:
        perf_tool.find(environ)
    except MeasurementError:
        return False
    return True


def _harnesses(root: Path) -> Iterator[Path]:
    for folder in (root.parent, root):
        yield folder / PROGRAM


def _packages(root: Path) -> Iterator[tuple[str, Path]]:
    """The crates of the workspace in `root`, with their folders relative to it."""
    manifest = _manifest(root)
    workspace = manifest.get("workspace")
    members = workspace.get("members", []) if isinstance(workspace, dict) else []
    folders = [root]
    for member in members if isinstance(members, list) else []:
        if isinstance(member, str) and not Path(member).is_absolute() and ".." not in Path(member).parts:
            folders += sorted(root.glob(member)) if member else []
    for folder in folders:
        package = _manifest(folder).get("package")
        if isinstance(package, dict) and isinstance(package.get("name"), str):
            yield package["name"], folder.relative_to(root)


def _needed(harness: Path) -> Iterator[str]:
    """The crates that the program takes from the engine's repository."""
    manifest = _manifest(harness)
    for table in (manifest, manifest.get("workspace")):
        dependencies = table.get("dependencies") if isinstance(table, dict) else None
        for name, source in dependencies.items() if isinstance(dependencies, dict) else ():
            if isinstance(source, dict) and _OF_ENGINE.search(str(source.get("git"))):
                yield str(source.get("package", name))


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        return tomli.loads(regular_file.content(folder / "Cargo.toml").decode())
    except (OSError, ValueError, RecursionError):
        return {}


def _caches(root: Path, harness: Path | None, environ: Mapping[str, str]) -> Caches | None:
    """The folder with the most block caches, the nearest first."""
    best: tuple[Path, list[tuple[int, BlockId]]] | None = None
    for folder in _folders(root, harness):
        blocks = sorted(_blocks(folder))
        if blocks and (best is None or len(blocks) > len(best[1])):
            best = folder, blocks
    if best is None:
        return None
    folder, blocks = best
    spread = [blocks[round(at * (len(blocks) - 1) / (_FEW - 1))] for at in range(_FEW)]
    tracked = folder.is_relative_to(root) and bool(_git(root, environ, "ls-files", "--", str(folder)))
    return Caches(
        folder=Path(os.path.relpath(folder, root)),
        blocks=tuple(dict.fromkeys(block for _, block in spread)),
        count=len(blocks),
        tracked=tracked,
    )


def _folders(root: Path, harness: Path | None) -> Iterator[Path]:
    seen = 0
    for top in (root, *([harness / "replay_cache", harness] if harness else [])):
        for path, names, _ in os.walk(top):
            seen += 1
            if seen > _MOST_FOLDERS:
                return
            depth = len(Path(path).relative_to(top).parts)
            names[:] = [] if depth >= _DEEPEST else sorted(filter(_is_looked_into, names))
            yield Path(path)


def _is_looked_into(name: str) -> bool:
    return not name.startswith(".") and name not in _PASSED_OVER


def _blocks(folder: Path) -> Iterator[tuple[int, BlockId]]:
    """The blocks whose caches are in `folder`, with the size of the files."""
    try:
        for entry in os.scandir(folder):
            match = _CACHE.fullmatch(entry.name)
            if match is not None and entry.is_file() and int(match[2]) < 2**64:
                yield entry.stat().st_size, BlockId(match[1], int(match[2]))
    except OSError:
        return


def _git(root: Path, environ: Mapping[str, str], *words: str) -> str:
    """What git prints; empty where it fails, or is not there."""
    try:
        ran = subprocess.run(
            ["git", "-C", str(root), *words],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ran.stdout.strip() if ran.returncode == 0 else ""
