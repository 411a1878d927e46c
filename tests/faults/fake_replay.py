"""A stand-in for ethrex-replay: prints its lines in no time, and goes wrong in every way that was ever seen.

Tests write one with `write(directory, plan={...})` and measure the path that comes back. Keys of the plan:

exec_ms, prep_ms    a number, or a list that the repeats walk through in a circle; nothing is executed
noise, seed         relative sd of a random factor per invocation and of one per repeat; same seed, same noise
gas, txs, opcodes   what the program says of the block; without `opcodes` it has no such line
behaviour           one of `BEHAVIOURS`: for every invocation, or {"3": …} for the third only
returncode          for the behaviours that exit with a code of the test's choice
says                a text for the behaviours that say something (an error line, a cache file's content)

`calls(program)` tells how it was called, `children(program)` which processes it left.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

BEHAVIOURS = (
    "normal",
    # that end before anything is replayed
    "nothing",
    "exit",  # with `returncode`, the error line on stdout
    "traceback",  # with `returncode`, on stderr
    "panic",  # exit code 101
    "no --repeat",  # clap's complaint of versions that do not have it
    "no cache",
    # that end while it is replayed
    "killed",  # by SIGSEGV
    "hang",  # for good, deaf to SIGTERM, with a grandchild
    "execution error",  # exit code 0
    "half",  # in the middle of the stats block, exit code 0
    # that end with exit code 0 and a report
    "another block",
    "another network",
    "too few",
    "too many",
    "out of order",
    "no time",
    "single form",  # as if --repeat were not there
    "orphan",  # leaves a grandchild running
    "giant",  # 40 MiB before the rest
    "invalid utf-8",
    "fetch",  # writes `says` where the block's cache file belongs; with `returncode`, then fails
)
_SHORT_PYTHON = "-IS"  # no site-packages: a start takes about 10 ms
_STATISTICS = ("min:", "max:", "mean:", "median:", "stddev:", "p95:", "p99:")


def write(directory: Path, name: str = "ethrex-replay", plan: Mapping[str, object] | None = None) -> Path:
    """Write an executable of that plan; another plan, name or directory makes it another program."""
    directory.mkdir(parents=True, exist_ok=True)
    program = directory / name
    _beside(program, "plan").write_text(json.dumps(plan or {}))
    words = [sys.executable, _SHORT_PYTHON, str(Path(__file__).resolve()), str(program)]
    program.write_text(f'#!/bin/sh\n# {json.dumps(plan)}\nexec {shlex.join(words)} "$@"\n')
    program.chmod(0o755)
    return program


def calls(program: Path) -> list[dict[str, object]]:
    """Return `argv` and `environ` of every invocation so far, in order."""
    log = _beside(program, "calls")
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def children(program: Path) -> list[int]:
    """Return the pids of the program itself and of the grandchild that `hang` or `orphan` started."""
    log = _beside(program, "pids")
    return [int(pid) for pid in log.read_text().split()] if log.exists() else []


def rust_duration(ns: float) -> str:
    """Print a duration as Rust's `{:>8.2?}` does."""
    for unit, scale in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if ns >= scale:
            return f"{ns / scale:.2f}{unit}".rjust(8)
    return f"{ns:.2f}ns".rjust(8)


def main() -> None:
    program, arguments = Path(sys.argv[1]), sys.argv[2:]
    plan = json.loads(_beside(program, "plan").read_text())
    number = len(calls(program)) + 1
    with _beside(program, "calls").open("a") as log:
        log.write(json.dumps({"argv": arguments, "environ": dict(os.environ)}) + "\n")
    behaviour = plan.get("behaviour", "normal")
    if isinstance(behaviour, dict):
        behaviour = behaviour.get(str(number), "normal")
    if behaviour not in BEHAVIOURS:
        sys.exit(f"fake_replay: there is no behaviour {behaviour!r}")
    replay = Replay(program, plan, behaviour, arguments, number)
    replay.fail_early()
    replay.run()


class Replay:
    """One invocation."""

    def __init__(
        self, program: Path, plan: dict[str, object], behaviour: str, arguments: list[str], number: int
    ) -> None:
        options = {word: value for word, value in itertools.pairwise(arguments) if word.startswith("--")}
        self.program, self.plan, self.behaviour = program, plan, behaviour
        self.block = int(arguments[arguments.index("block") + 1])
        self.network = options.get("--network", "mainnet")
        self.cache_dir = Path(options.get("--cache-dir", "replay_cache"))
        self.repeat = int(options.get("--repeat", "1"))
        self.random = random.Random(f"{plan.get('seed', 0)} {number}")  # noqa: S311 (nothing secret)
        self.factor = self.noise()

    def fail_early(self) -> None:
        says = str(self.plan.get("says", "something went wrong"))
        file = self.cache_dir / f"cache_{self.network}_{self.block}.json"
        match self.behaviour:
            case "nothing":
                sys.exit(0)
            case "exit":
                self.log(says, "ERROR")
                self.exit()
            case "traceback":
                sys.stderr.write(f"Traceback (most recent call last):\n  File …\n{says}\n")
                self.exit()
            case "panic":
                sys.stderr.write(
                    f"\nthread 'main' (4711) panicked at src/main.rs:178:26:\n{says}\nnote: run with …\n"
                )
                sys.exit(101)
            case "no --repeat":
                sys.stderr.write("error: unexpected argument '--repeat' found\n\nUsage: …\n")
                sys.exit(2)
            case "no cache":
                reason = f"No such file or directory (os error 2) ({file})"
                self.log(f"Cache wasn't found for block {self.block}: {reason}", "ERROR")
                sys.exit(1)
            case "fetch":
                self.cache_dir.mkdir(parents=True, exist_ok=True)
                file.write_text(says)
                if "returncode" in self.plan:
                    self.log("error sending request", "ERROR")
                    self.exit()

    def run(self) -> None:
        if self.behaviour == "giant":
            for _ in range(40):
                self.emit("." * (2**20 - 1))
        if self.behaviour == "invalid utf-8":
            sys.stdout.flush()
            sys.stdout.buffer.write(b"\xff\xfe caf\xe9 \x00\n")
        self.block += self.behaviour == "another block"
        self.network = "sepolia" if self.behaviour == "another network" else self.network
        self.log(f"Getting block {self.block} data from cache")
        repeats = self.repeat + {"too few": -1, "too many": 1}.get(self.behaviour, 0)
        times = [self.execute(i) for i in range(repeats)]
        if self.repeat == 1 or self.behaviour == "single form":
            self.log(f"add_block_pipeline execution time: {rust_duration(times[0][1]).strip()}")
        else:
            self.statistics(times)
        if "opcodes" in self.plan:
            self.log(f"Opcodes executed: {self.plan['opcodes']} per repeat")
        self.report("Execution Time: 00s 020ms")

    def execute(self, i: int) -> tuple[float, float]:
        """Return ns of preparation and execution of repeat `i`, from 0."""
        times = self.time("prep_ms", i, 5), self.time("exec_ms", i, 20)
        if self.repeat > 1:
            self.log(f"--- Run {i + 1}/{self.repeat} ---")
        self.log("Preparing Storage for execution without zkVM")
        self.log(f"Storage preparation finished in {rust_duration(times[0]).strip()}")
        self.log(f"Executing block {self.block} on {self.network}")
        sys.stdout.flush()
        if self.behaviour == "killed" and i == 1:
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.behaviour in {"hang", "orphan"} and i == 0:
            self.start_grandchild()
        if self.behaviour == "execution error":
            self.report(f"Execution Error: {self.plan['says']}", "ERROR")
            sys.exit(0)
        return times

    def statistics(self, times: list[tuple[float, float]]) -> None:
        self.log(f"=== Profiling Results ({len(times)} runs) ===")
        for section in ("Preparation:", "Execution (add_block_pipeline):"):
            self.log(section)
            for name in _STATISTICS:
                self.emit(f"  {name:<7} {rust_duration(times[0][1])}")
            if self.behaviour == "half":
                sys.exit(0)
        self.log("Individual runs:")
        lines = list(enumerate(times, 1))
        if self.behaviour == "out of order":
            lines.reverse()
        for i, (prep, execution) in lines:
            total = rust_duration(prep + execution)
            self.log(f"  #{i:>2}: prep={rust_duration(prep)} exec={rust_duration(execution)} total={total}")

    def time(self, name: str, i: int, default: float) -> float:
        if self.behaviour == "no time" and i == 1:
            return 0
        values = self.plan.get(name, default)
        ms = values[i % len(values)] if isinstance(values, list) else values
        assert isinstance(ms, int | float)
        return ms * 1e6 * self.factor * self.noise()

    def noise(self) -> float:
        sd = self.plan.get("noise", 0)
        assert isinstance(sd, int | float)
        return self.random.lognormvariate(0, sd) if sd else 1.0

    def start_grandchild(self) -> None:
        sleeper = [sys.executable, _SHORT_PYTHON, "-c", "import time; time.sleep(600)"]
        grandchild = subprocess.Popen(sleeper)
        if self.behaviour == "hang":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        partial = _beside(self.program, "partial")
        partial.write_text(f"{os.getpid()} {grandchild.pid}\n")
        partial.rename(_beside(self.program, "pids"))
        if self.behaviour == "hang":
            time.sleep(600)

    def report(self, rest: str, level: str = "INFO") -> None:
        gas, txs = self.plan.get("gas", 1_000_000), self.plan.get("txs", 10)
        url = f"https://{self.network}.etherscan.io/block/{self.block}"
        self.log(f"[{self.network}] Block: {self.block}, Gas: {gas}, #Txs: {txs}, {rest} | {url}", level)

    def log(self, message: str, level: str = "INFO") -> None:
        self.emit(f"2026-02-18T02:42:01.805036Z {level:>5} ethrex_replay::cli: {message}")

    def emit(self, line: str) -> None:
        sys.stdout.write(f"{line}\n")

    def exit(self) -> None:
        code = self.plan.get("returncode", 1)
        assert isinstance(code, int)
        sys.exit(code)


def _beside(program: Path, suffix: str) -> Path:
    return program.with_name(f"{program.name}.{suffix}")


if __name__ == "__main__":
    main()
