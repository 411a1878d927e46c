"""How well the gate decides, next to how other tools decide, on the same noise.

python benchmarks/decisions.py               prints it, writes docs/decisions.md and its figures; 20 minutes
python benchmarks/decisions.py --sessions N  N instead of 20,000 sessions: nothing is written without --out
python benchmarks/decisions.py --check       exit code 1 when a claim is not proven
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FULL = 20_000


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; the exit code is 1 with `--check` and an unproven claim."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--sessions", type=int, default=FULL, metavar="N", help=f"sessions of each kind (default: {FULL:,})"
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 when a claim is not proven")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where decisions.md goes (default: docs)")
    options = parser.parse_args(arguments)
    out: Path | None = options.out or (ROOT / "docs" if options.sessions >= FULL else None)

    from benchmarks import page
    from benchmarks.evidence import Effort, held_to, measure

    started = time.monotonic()
    effort = Effort.of(options.sessions)
    evidence = measure(effort, workers=os.cpu_count() or 1)
    verdicts = held_to(evidence)
    text = page.write(evidence, effort, verdicts)
    print(text)
    if out is not None:
        from benchmarks import plots

        out.mkdir(parents=True, exist_ok=True)
        (out / "decisions.md").write_text(text)
        plots.false_alarms(evidence.interleaved, evidence.rivals, out / "decisions-false-alarms.svg")
        plots.power(evidence.interleaved, evidence.same, out / "decisions-power.svg")
    unproven = [claim.text for found in verdicts.values() for claim in found if not claim.holds]
    for claim in unproven:
        print(f"not proven: {claim}", file=sys.stderr)
    print(f"{time.monotonic() - started:.0f} s, {len(unproven)} claims not proven", file=sys.stderr)
    return int(options.check and bool(unproven))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))  # its own modules, also where the package is not installed editable
    sys.exit(main())
