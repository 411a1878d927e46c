"""What the reports of a large run cost: `python benchmarks/reports.py [BLOCKS]`.

Every form of a run of 500 blocks, made from its results file as `ethrex-perf report` makes it, in a process
of its own: seconds, peak memory (all of the process) and size. Fails above 10 s or 300 MB in all.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FORMS = (
    "html",
    "markdown",
    "junit",
    "csv",
    "samples-csv",
    "benchmark-json",
    "smaller-is-better",
    "bencher",
    "openmetrics",
)
MOST_SECONDS, MOST_MB = 10.0, 300.0
ROOT = Path(__file__).parents[1]


def measure(results: Path, folder: Path, forms: tuple[str, ...]) -> tuple[float, float]:
    """Seconds and peak MB of one `ethrex-perf report` that makes `forms`."""
    wanted = [f"--{form}={folder / form}" for form in forms]
    script = (
        "import resource, sys; from pytest_ethrex_perf.cli import main; code = main(sys.argv[1:]); "
        "print('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss); sys.exit(code)"
    )
    started = time.perf_counter()
    command = [sys.executable, "-c", script, "report", str(results), *wanted]
    finished = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    seconds = time.perf_counter() - started
    peak = re.search(r"^peak (\d+)$", finished.stdout, re.MULTILINE)
    assert peak is not None
    return seconds, int(peak[1]) * (1 if sys.platform == "darwin" else 1024) / 1e6


def main(blocks: int) -> int:
    """Measure each form, then all of them at once; 1 if that is too much."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        results = folder / "results.json"
        # not here: on Linux a child starts with its parent's peak as its own
        build = (
            "from pathlib import Path; from pytest_ethrex_perf.records import results_file; "
            "from tests.report import builders; "
            f"Path({str(results)!r}).write_text(results_file.dump(builders.many({blocks})), encoding='utf-8')"
        )
        subprocess.run([sys.executable, "-c", build], check=True, cwd=ROOT)
        print(f"{blocks} blocks, results file {results.stat().st_size / 1e6:.1f} MB")
        seconds = peak = 0.0
        for forms in (*((form,) for form in FORMS), FORMS):
            seconds, peak = measure(results, folder, forms)
            files = [folder / form / "index.html" if form == "html" else folder / form for form in forms]
            size = sum(file.stat().st_size for file in files)
            label = forms[0] if len(forms) == 1 else "all of them"
            print(f"  {label:18} {seconds:6.2f} s  {peak:6.0f} MB  {size / 1e6:6.2f} MB written")
    return int(seconds > MOST_SECONDS or peak > MOST_MB)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 500))
