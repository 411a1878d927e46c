"""The files that `ethrex-perf init` proposes: templates, filled in with what was seen."""

from __future__ import annotations

import json
import re
import string
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.config.options import CONFIG_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_ethrex_perf.commands.requirement import Requirement
    from pytest_ethrex_perf.commands.surroundings import Surroundings
    from pytest_ethrex_perf.records.block import BlockId

TEMPLATES = Path(__file__).with_name("templates")
IGNORED = Path(".gitignore")
GUIDE_BLOCK = "24443168"
"""The block of ethrex-replay's profiling guide: where no cache lies about, there is a reference for it."""
ON_MACHINE = "$HOME/ethrex-perf/replay_cache"
"""Where a runner keeps block caches that are not in git: a checkout is cleaned, a home is not."""
_GUIDE = """: that of the profiling guide, whose cache
# `ethrex-perf fetch` gets over RPC. Four blocks of different size are a good set. Blocks that ethrex-replay
# makes itself, of one kind of transaction, need no RPC: "workload:keccak", "workload:sstore-fresh"."""
_ENGINE_URL = "https://github.com/lambdaclass/ethrex"
_WORKFLOWS = Path(".github/workflows")
_DEFAULT_CACHE = "replay_cache"
_HARNESS = "../ethrex-replay"


class _Template(string.Template):
    """`@@name`: nothing that TOML, YAML, Python or a shell means anything by."""

    delimiter = "@@"


def files(seen: Surroundings, requirement: Requirement | None = None) -> Iterator[tuple[Path, str]]:
    """Return the path and the content of every file but `.gitignore`: see `ignored`.

    Workflows are among them where `requirement` says what they have pip install.
    """
    values = _values(seen)
    yield Path(CONFIG_NAME), _filled("ethrex-perf.toml", values)
    yield Path("tests/perf/test_blocks.py"), _filled("test_blocks.py.template", values)
    if requirement is not None:
        values["requirement"] = requirement.word()
        values["requirement_of_history"] = requirement.word("[history]")
        yield _WORKFLOWS / "ethrex-perf.yml", _filled("gate.yml", values)
        yield _WORKFLOWS / "ethrex-perf-comment.yml", _filled("comment.yml", values)
        yield _WORKFLOWS / "ethrex-perf-nightly.yml", _filled("nightly.yml", values)


def ignored(seen: Surroundings) -> list[str]:
    """The lines of `.gitignore`: what a run leaves and nobody commits."""
    return [line for line in _filled("gitignore", _values(seen)).splitlines() if line]


def _values(seen: Surroundings) -> dict[str, str]:
    caches = seen.caches
    tracked = caches is not None and caches.tracked
    blocks = [_spec(block) for block in caches.blocks] if caches else [GUIDE_BLOCK]
    elsewhere = "" if tracked else f' \\\n            --{{}}cache-dir="{ON_MACHINE}"'
    return {
        "blocks": ", ".join(blocks),
        "block": blocks[0],
        "blocks_why": (
            f": {len(blocks)} of the {caches.count} whose caches are here, of different size."
            if caches
            else _GUIDE
        ),
        "cache_dir": _quoted(caches.folder.as_posix() if caches else _DEFAULT_CACHE),
        "cache_why": "."
        if tracked or not caches
        else "; they are not in git, so a CI needs them on its machine.",
        "cache_line": "" if tracked else f"{_DEFAULT_CACHE}/",
        "cache_option": elsewhere.format("ethrex-"),
        "cache_option_bisect": elsewhere.format(""),
        "build": _build(seen),
        "counters": "" if seen.has_pmu else _filled("counters.toml", {}),
        "harness_step": _filled("harness-step.yml", {}) if seen.is_engine else "",
    }


def _build(seen: Surroundings) -> str:
    if seen.has_program:
        return _filled("build-program.toml", {})
    if not seen.is_engine:
        return _filled("build-unknown.toml", {})
    patches = (
        f"""patch."{_ENGINE_URL}".{name}.path="{{source}}/{path.as_posix()}\""""
        for name, path in sorted(seen.packages.items())
        if re.fullmatch(r"[\w-]+", name) and (not seen.needed or name in seen.needed)
    )
    lines = (f'  "--config", {_literal(patch)},' for patch in patches)
    harness = seen.harness.as_posix() if seen.harness else _HARNESS
    return _filled("build-harness.toml", {"patches": "\n".join(lines), "harness": _quoted(harness)})


def _spec(block: BlockId) -> str:
    """A block as TOML and Python write it."""
    return str(block.number) if block.network == "mainnet" else _quoted(f"{block.network}:{block.number}")


def _quoted(text: str) -> str:
    """A string of TOML, and of Python."""
    return json.dumps(text, ensure_ascii=False)


def _literal(text: str) -> str:
    """A string of TOML, with the quotes in it as they are where that can be."""
    return f"'{text}'" if "'" not in text and text.isprintable() else _quoted(text)


def _filled(name: str, values: dict[str, str]) -> str:
    """The template with every `@@name` filled in; raises KeyError for one that has no value."""
    return _Template((TEMPLATES / name).read_text(encoding="utf-8")).substitute(values)
