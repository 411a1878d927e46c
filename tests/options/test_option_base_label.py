"""--ethrex-base-label: what reports call base."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_it_stands_in_place_of_the_path(bench: Bench) -> None:
    result = bench.compare(
        bench.program("head"),
        bench.program("base"),
        "--ethrex-base-label=main",
        "--ethrex-markdown=r.md",
    )
    result.stdout.fnmatch_lines(["*base main (binary *"])
    assert "against `main` (binary " in (bench.path / "r.md").read_text(encoding="utf-8")
