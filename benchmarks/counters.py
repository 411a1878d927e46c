"""What counting costs: the program's own printed times with and without perf stat; and the gate on counts.

Usage: python benchmarks/counters.py [--pairs 100] [--gates 50]

The times are ratios within one run, alternating: the compiled program of known work (tests/counters) by
itself and under `perf stat` as `--ethrex-counters auto` runs it here. The gates are A/A: so many times 6
pairs of one program under callgrind, each process of which does up to 0.2 % more at random, and none of which
is in two gates; and as many with 1 % more work in head.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.counters import callgrind, choice
from pytest_ethrex_perf.judge import paired, samples
from pytest_ethrex_perf.records import metric
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.records.decision import Rules
from pytest_ethrex_perf.replay.instrument import NOTHING, Instrument
from pytest_ethrex_perf.replay.invocation import invoke
from pytest_ethrex_perf.replay.program import resolve

if TYPE_CHECKING:
    from pytest_ethrex_perf.records.measurement import Invocation

SOURCE = Path(__file__).parents[1] / "tests/counters/program.c"
REPEAT = 11
TIMED = {  # some 20 ms an execution
    "a program that computes": "--instructions 60000000 --pages 40",
    "a program that faults in a page every 5 µs": "--instructions 40000000 --pages 4000",
}
COUNTED = "--instructions 4000000 --pages 0 --jitter 2"
PAIRS = 6


class Bench:
    """The program, built once."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.program = directory / "known-work"
        subprocess.run(["cc", "-O1", "-pthread", "-o", self.program, SOURCE], check=True)

    def invoke(self, options: str, instrument: Instrument, repeat: int) -> Invocation:
        """One invocation of the program with these options of its own."""
        return invoke(
            resolve(f"{self.program} {options}", cwd=self.directory, environ=os.environ),
            BlockId("hoodi", 1),
            cache_dir=self.directory,
            repeat=repeat,
            timeout=None,
            environ=os.environ,
            log_dir=self.directory,
            label="bench",
            instrument=instrument,
        )


def main() -> None:
    """Measure and print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=100, help="of timed invocations (default: %(default)s)")
    parser.add_argument("--gates", type=int, default=50, help="of each kind (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        bench = Bench(Path(directory))
        chosen = choice.choose("auto", os.environ)
        print(chosen.message)
        for kind, words in TIMED.items():
            costs = cost_of_counting(bench, words, chosen.instrument, options.pairs)
            for name, (cost, low, high) in costs.items():
                change = f"{100 * cost:+.2f} % (95 %: {100 * low:+.2f} to {100 * high:+.2f} %)"
                print(f"{kind}: perf stat changes {name} by {change}, {options.pairs} pairs")
        for work, told in ((100, "nothing changed"), (101, "1 % more work")) if options.gates else ():
            verdicts = gates(bench, work, options.gates)
            print(f"callgrind, {told}: of {options.gates} gates of {PAIRS} pairs {dict(verdicts)}")


def cost_of_counting(
    bench: Bench, options: str, instrument: Instrument, pairs: int
) -> dict[str, tuple[float, float, float]]:
    """Median log ratio of the printed times, with to without, and its 95 % interval (of ranks), by metric."""
    ratios: dict[str, list[float]] = {"exec": [], "prep": []}
    for number in range(pairs):
        sides = [(0, NOTHING), (1, instrument)]
        taken = {
            side: bench.invoke(options, watched, REPEAT)
            for side, watched in (sides if number % 2 else reversed(sides))
        }
        for name, found in ratios.items():
            without, counted = (samples.sample(taken[side], name, 1) for side in (0, 1))
            found.append(counted - without)
    reach = round(0.98 * math.sqrt(pairs))  # half of 1.96 sd of a binomial of 1/2
    return {
        name: (statistics.median(found), sorted(found)[pairs // 2 - reach], sorted(found)[pairs // 2 + reach])
        for name, found in ratios.items()
    }


def gates(bench: Bench, work: int, number: int) -> Counter[str]:
    """Verdicts of so many gates, base at 100 % of the work and head at `work`."""
    instrument = callgrind.Callgrind(callgrind.find(os.environ), repeats=2)
    rules = Rules(**metric.limits("instructions", callgrind=True)._asdict())
    verdicts: Counter[str] = Counter()
    for _ in range(number):
        base: list[float] = []
        head: list[float] = []
        for _ in range(PAIRS):
            for side, percent in ((base, 100), (head, work)):
                taken = bench.invoke(f"{COUNTED} --work {percent}", instrument, 2)
                side.append(samples.sample(taken, "instructions", 1))
        verdicts[str(paired.judge(base, head, rules, step=1e-7).verdict)] += 1
    return verdicts


if __name__ == "__main__":
    main()
