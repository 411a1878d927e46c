"""What the gate costs: to pytest runs that have nothing to do with it, and between invocations.

Usage: python benchmarks/cost.py

Both are ratios within one run: the instructions of an unrelated pytest run with and without the plugin,
counted by callgrind, since a clock can't tell 0 from 35 ms on a machine with other work; and the share of a
gate's wall time in which no invocation runs, start-up and imports apart.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import entry_points
from pathlib import Path

IDLE_LIMIT = 0.03
BETWEEN_LIMIT = 0.02
OURS = "ethrex_perf"


def main() -> int:
    """Measure and print both; 1 if a limit is passed."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter).parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        idle = unrelated_run(directory)
        share, invocations = between_invocations(directory)
        print(
            f"a gate of the bundled block: {100 * share:.2f} % of the time between the first start and the "
            f"last end lies between its {invocations} invocations; limit {100 * BETWEEN_LIMIT:g} %"
        )
    return int(idle > IDLE_LIMIT or share > BETWEEN_LIMIT)


def unrelated_run(directory: Path) -> float:
    """Print and return which share of instructions the plugin adds to a run of one test; 0 without valgrind.

    Whatever other plugins are installed is switched off on both sides.
    """
    if shutil.which("valgrind") is None:
        print("an unrelated pytest run: not counted: valgrind is not installed")
        return 0.0
    (directory / "test_other.py").write_text("def test_it(): pass\n")
    others = sorted({plugin.name for plugin in entry_points(group="pytest11")} - {OURS})
    options = [word for name in others for word in ("-p", f"no:{name}")]
    without = instructions(directory, *options, "-p", f"no:{OURS}")
    with_plugin = instructions(directory, *options)
    added = with_plugin / without - 1
    print(
        f"an unrelated pytest run: {without / 1e6:.1f} M instructions without the plugin, "
        f"{with_plugin / 1e6:.1f} M with it: {100 * added:+.2f} %; limit {100 * IDLE_LIMIT:g} %"
    )
    return added


def instructions(directory: Path, *options: str) -> int:
    """Instructions of a pytest run in `directory`, with warm bytecode."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "test_other.py"]
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON"))
    }
    environ["PYTHONHASHSEED"] = "0"
    count = [
        "valgrind",
        "--tool=callgrind",
        "--callgrind-out-file=/dev/null",
        "--child-silent-after-fork=yes",
    ]
    subprocess.run(command, cwd=directory, env=environ, check=True, capture_output=True)
    counted = subprocess.run(
        [*count, *command], cwd=directory, env=environ, check=True, capture_output=True, text=True
    )
    found = re.search(r"refs:\s+([\d,]+)", counted.stderr)
    assert found, counted.stderr
    return int(found[1].replace(",", ""))


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
