"""What the gate costs: to pytest runs that have nothing to do with it, and between invocations.

Usage: python benchmarks/cost.py [--runs 20]

Both are shown as ratios and differences within one run: an unrelated pytest run with and without the plugin,
alternating; and the share of a gate's wall time in which no invocation runs, start-up and imports apart.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

IDLE_LIMIT_MS = 10.0
BETWEEN_LIMIT = 0.02


def main() -> int:
    """Measure and print both; 1 if a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="pytest runs a side (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        idle_ms, sd_ms, without_ms = unrelated_run(directory, options.runs)
        print(
            f"an unrelated pytest run: {without_ms:.0f} ms without the plugin, {idle_ms:+.1f} ms "
            f"(± {sd_ms:.1f} ms) with it; limit {IDLE_LIMIT_MS:g} ms"
        )
        share, invocations = between_invocations(directory)
        print(
            f"a gate of the bundled block: {100 * share:.2f} % of the time between the first start and the "
            f"last end lies between its {invocations} invocations; limit {100 * BETWEEN_LIMIT:g} %"
        )
    return int(idle_ms > IDLE_LIMIT_MS or share > BETWEEN_LIMIT)


def unrelated_run(directory: Path, runs: int) -> tuple[float, float, float]:
    """Median extra time in ms of a run with the plugin, its standard error, and the median without it.

    pytest-benchmark's own cost is set aside: it is switched off on both sides.
    """
    test = directory / "test_other.py"
    test.write_text("def test_it(): pass\n")
    without = ["-p", "no:benchmark", "-p", "no:ethrex_perf"]
    with_plugin = ["-p", "no:benchmark"]
    timed: dict[str, list[float]] = {"without": [], "with": []}
    for number in range(runs + 2):
        sides = [("without", without), ("with", with_plugin)]
        for side, options in sides if number % 2 else reversed(sides):
            seconds = _pytest(directory, *options)
            if number >= 2:  # the first ones compile
                timed[side].append(1000 * seconds)
    extra = [b - a for a, b in zip(timed["without"], timed["with"], strict=True)]
    error = statistics.stdev(extra) / len(extra) ** 0.5
    return statistics.median(extra), error, statistics.median(timed["without"])


def _pytest(directory: Path, *options: str) -> float:
    started = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "test_other.py"]
    subprocess.run(command, cwd=directory, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def between_invocations(directory: Path) -> tuple[float, int]:
    """Share of the measuring time that is not an invocation's, and the number of invocations."""
    results = directory / "results.json"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--ethrex-block=hoodi:9000001",
        "--ethrex-cache-dir=bundled",
    ]
    command += [
        "--ethrex-replay=embedded",
        "--ethrex-base=embedded",
        "--ethrex-aa",
        f"--ethrex-json={results}",
    ]
    subprocess.run(
        command, cwd=directory, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "CI": "1"}
    )
    pairs = json.loads(results.read_text())["blocks"][0]["pairs"]
    invocations = sorted(
        (pair[side] for pair in pairs for side in ("base", "head")), key=lambda i: i["started"]
    )
    first, last = (dt.datetime.fromisoformat(i["started"]) for i in (invocations[0], invocations[-1]))
    whole = (last - first).total_seconds() + invocations[-1]["wall_ns"] / 1e9
    return 1 - sum(i["wall_ns"] for i in invocations) / 1e9 / whole, len(invocations)


if __name__ == "__main__":
    sys.exit(main())
