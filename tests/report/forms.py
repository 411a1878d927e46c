"""Every form of a report, from fixed runs: `make golden` (`python -m tests.report.forms`) writes them anew.

Look at what has changed before it is committed.
"""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.records import results_file
from pytest_ethrex_perf.report import outputs, terminal, text
from tests.report import builders

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ethrex_perf.records.result import RunResult

GOLDEN = Path(__file__).parent / "golden"
SCHEMA = Path(__file__).parents[2] / "docs" / "results.schema.json"
_FLOAT = re.compile(r"\d+\.\d{7,}(e-?\d+)?")


def shown(run: RunResult, room: int, verbosity: int = 0) -> str:
    """What the terminal shows, colours named at the end of the line."""
    lines = terminal.summary(run, verbosity=verbosity, room=room)
    told = [f"{line.text}{f'  [{line.style}]' if line.style else ''}" for line in lines]
    return "\n".join([text.counts(run.blocks), *told, ""])


def written(form: str, run: RunResult) -> str:
    """A form as it is written, without what another version of scipy or pytest-benchmark would change."""
    content = outputs.text(form, run)
    if form == "benchmark_json":
        content = content.replace(f'"version": "{version("pytest-benchmark")}"', '"version": "5"')
    return content if form == "report" else _FLOAT.sub(lambda found: f"{float(found[0]):.6g}", content)


FORMS: dict[str, Callable[[], str]] = {
    "terminal-80.txt": lambda: shown(builders.several(), 80),
    "terminal-160.txt": lambda: shown(builders.several(), 160),
    "terminal-quiet.txt": lambda: shown(builders.several(), 80, -1),
    "terminal-very-verbose.txt": lambda: shown(builders.one(), 160, 2),
    "terminal-500-blocks.txt": lambda: shown(builders.many(), 80),
    "terminal-profiled.txt": lambda: shown(builders.profiled(), 80),
    "terminal-profiled-verbose.txt": lambda: shown(builders.profiled(), 160, 1),
    "profiled.md": lambda: written("markdown", builders.profiled()),
    "one.md": lambda: written("markdown", builders.one()),
    "several.md": lambda: written("markdown", builders.several()),
    "hostile.md": lambda: written("markdown", builders.hostile()),
    "one.html": lambda: written("report", builders.one()),
    "one.json": lambda: written("json", builders.one()),
    "one.benchmark.json": lambda: written("benchmark_json", builders.one()),
    "several.smaller-is-better.json": lambda: written("smaller_is_better", builders.several()),
    "several.bencher.json": lambda: written("bencher", builders.several()),
    "several.csv": lambda: written("csv", builders.several()),
    "one.samples.csv": lambda: written("samples_csv", builders.one()),
    "several.junit.xml": lambda: written("junit", builders.several()),
    "hostile.junit.xml": lambda: written("junit", builders.hostile()),
}


def main() -> None:
    """Write all of them, and the schema of results files."""
    GOLDEN.mkdir(exist_ok=True)
    for old in GOLDEN.iterdir():
        if old.name not in FORMS:
            old.unlink()
    for name, made in FORMS.items():
        (GOLDEN / name).write_bytes(made().encode())
    SCHEMA.write_bytes(results_file.json_schema().encode())


if __name__ == "__main__":
    main()
