"""Data that lie beside the repository where it is developed, and are not ours to keep in it.

What tests check on samples of their own they check on these, too, where they are; no test needs them.
"""

from __future__ import annotations

from pathlib import Path

SHARED = Path(__file__).parents[2] / "shared"


def files(name: str) -> list[Path]:
    """The file of this name, or nothing."""
    path = SHARED / name
    return [path] if path.exists() else []


REAL_BLOCK = files("data/cache_hoodi_1265656.json")
GUIDE = files("profiling-guide.md")
