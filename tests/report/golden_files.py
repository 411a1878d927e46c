"""Every form of a report, from fixed runs: `make golden` (`python -m tests.report.golden_files`) writes them.

Look at what has changed before it is committed. What says nothing about the content is masked: the page's
style and scripts, versions, and digits that another version of scipy would change.
"""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.records import results_file
from pytest_ethrex_perf.report import benchmark_json, formats, html, junit, markdown, terminal, text
from tests.report import builders

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ethrex_perf.records.result import RunResult

GOLDEN = Path(__file__).parent / "golden"
SCHEMA = Path(__file__).parents[2] / "docs" / "results.schema.json"
_SEAL = re.compile(r'(?<=\n )"sha256": "[0-9a-f]{64}"')
_FLOAT = re.compile(r"\d+\.\d{7,}(e-?\d+)?")
_STYLE_OR_SCRIPT = re.compile(r"<(style|script)>.*?</\1>", re.DOTALL)
_DIGEST = re.compile(r"'sha256-[A-Za-z0-9+/]{43}='")


def shown(run: RunResult, room: int, verbosity: int = 0) -> str:
    """What the terminal shows, colours named at the end of the line."""
    lines = terminal.summary(run, verbosity=verbosity, room=room)
    marked = [f"{line.text}{f'  [{line.style}]' if line.style else ''}" for line in lines]
    return "\n".join([text.counts(run.blocks), *marked, ""])


def rounded(content: str) -> str:
    """`content` with six digits of each float: another version of scipy gives other last ones."""
    return _FLOAT.sub(lambda match: f"{float(match[0]):.6g}", _SEAL.sub('"sha256": "…"', content))


def masked(page: str) -> str:
    """An HTML page without its style and scripts, and without the digests that let the scripts run."""
    return _DIGEST.sub("'sha256-…'", _STYLE_OR_SCRIPT.sub(r"<\1>…</\1>", page))


def unversioned(content: str) -> str:
    """A pytest-benchmark file without the version of pytest-benchmark."""
    return content.replace(f'"version": "{version("pytest-benchmark")}"', '"version": "5"')


FILES: dict[str, Callable[[], str]] = {
    "terminal-80.txt": lambda: shown(builders.several(), 80),
    "terminal-160.txt": lambda: shown(builders.several(), 160),
    "terminal-quiet.txt": lambda: shown(builders.several(), 80, -1),
    "terminal-very-verbose.txt": lambda: shown(builders.one(), 160, 2),
    "terminal-500-blocks.txt": lambda: shown(builders.many(), 80),
    "terminal-profiled.txt": lambda: shown(builders.profiled(), 80),
    "terminal-profiled-verbose.txt": lambda: shown(builders.profiled(), 160, 1),
    "profiled.md": lambda: rounded(markdown.dump(builders.profiled())),
    "one.md": lambda: rounded(markdown.dump(builders.one())),
    "several.md": lambda: rounded(markdown.dump(builders.several())),
    "hostile.md": lambda: rounded(markdown.dump(builders.hostile())),
    "one.html": lambda: masked(html.dump(builders.one())),
    "one.json": lambda: rounded(results_file.dump(builders.one())),
    "one.benchmark.json": lambda: rounded(unversioned(benchmark_json.dump(builders.one()))),
    "several.smaller-is-better.json": lambda: rounded(formats.smaller_is_better(builders.several())),
    "several.bencher.json": lambda: rounded(formats.bencher(builders.several())),
    "several.csv": lambda: rounded(formats.metrics_csv(builders.several())),
    "one.samples.csv": lambda: rounded(formats.samples_csv(builders.one())),
    "several.junit.xml": lambda: rounded(junit.dump(builders.several())),
    "hostile.junit.xml": lambda: rounded(junit.dump(builders.hostile())),
}


def main() -> None:
    """Write all of them, and the schema of results files."""
    GOLDEN.mkdir(exist_ok=True)
    for old in GOLDEN.iterdir():
        if old.name not in FILES:
            old.unlink()
    for name, made in FILES.items():
        (GOLDEN / name).write_bytes(made().encode())
    SCHEMA.write_bytes(results_file.json_schema().encode())


if __name__ == "__main__":
    main()
