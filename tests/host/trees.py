"""Trees of /proc and /sys, made for a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Tree = dict[str, str]


def plant(root: Path, tree: Mapping[str, str | None]) -> Path:
    """Make the files of `tree` below `root`, delete those that are None."""
    for name, content in tree.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            file.unlink()
        else:
            file.write_text(content)
    return root
