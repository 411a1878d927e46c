"""What runs behind `fake_replay`: imports next to nothing, since hundreds of gates wait for it."""

from __future__ import annotations

import itertools
import os
import random
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

BEHAVIOURS = (
    "normal",
    # that end before anything is replayed
    "nothing",
    "exit",  # with `returncode`, the error line on stdout
    "traceback",  # with `returncode`, on stderr
    "panic",  # exit code 101
    "no --repeat",  # clap's complaint of versions that do not have it
    "no custom",  # clap's complaint of versions whose `custom` has no --no-zkvm
    "reverted",  # a workload can't be made
    "no cache",
    # that end while it is replayed
    "killed",  # by SIGSEGV
    "hang",  # for good, deaf to SIGTERM, with a grandchild
    "execution error",  # exit code 0
    "half",  # in the middle of the stats block, exit code 0
    # that end with exit code 0 and a report
    "another block",
    "another network",
    "another workload",  # the line after the report is of another seed
    "no workload",  # there is no line after the report
    "other txs",  # that line counts other transactions than the report
    "too few",
    "too many",
    "out of order",
    "no time",
    "contradiction",  # statistics of half the times
    "killed late",  # after the report, by the signal `returncode`
    "single form",  # as if --repeat were not there
    "orphan",  # leaves a grandchild running
    "giant",  # 40 MiB before the rest
    "flood",  # prints without end
    "invalid utf-8",
    "fetch",  # writes `says` where the block's cache file belongs; with `returncode`, then fails
)
_STATISTICS = ("min:", "max:", "mean:", "median:", "stddev:", "p95:", "p99:")


def main(program: str, plan: dict[str, Any]) -> None:
    """Run one invocation of `program` by `plan`, with the arguments that this process was given."""
    arguments = sys.argv[1:]
    log = f"{program}.calls"
    number = 1 + (_lines(log) if os.path.exists(log) else 0)  # noqa: PTH110 - pathlib costs milliseconds
    with open(log, "a", encoding="utf-8") as calls:  # noqa: PTH123
        calls.write(f"{ {'argv': arguments, 'environ': dict(os.environ)}!r}\n")
    behaviour = plan.get("behaviour", "normal")
    if isinstance(behaviour, dict):
        behaviour = behaviour.get(str(number), "normal")
    if behaviour not in BEHAVIOURS:
        sys.exit(f"fake_replay: there is no behaviour {behaviour!r}")
    replay = Replay(program, plan, behaviour, arguments, number)
    replay.fail_early()
    replay.fail_as_custom()
    replay.run()


def _lines(path: str) -> int:
    with open(path, "rb") as file:  # noqa: PTH123
        return file.read().count(b"\n")


def rust_duration(ns: float) -> str:
    """Print a duration as Rust's `{:>8.2?}` does."""
    for unit, scale in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if ns >= scale:
            return f"{ns / scale:.2f}{unit}".rjust(8)
    return f"{ns:.2f}ns".rjust(8)


class Replay:
    """One invocation."""

    def __init__(
        self, program: str, plan: dict[str, Any], behaviour: str, arguments: list[str], number: int
    ) -> None:
        options = dict(itertools.pairwise(arguments))
        self.program, self.plan, self.behaviour = program, plan, behaviour
        self.workload = options.get("--tx")
        self.seed = options.get("--seed", "0")
        self.block = 1 if self.workload else int(arguments[arguments.index("block") + 1])
        self.network = "local-devnet" if self.workload else options.get("--network", "mainnet")
        self.makes = self.workload is not None and "--cached" not in arguments
        self.cache_dir = options.get("--cache-dir", "replay_cache")
        self.repeat = int(options.get("--repeat", "1"))
        self.random = random.Random(f"{plan.get('seed', 0)} {number}")  # noqa: S311 (nothing secret)
        drift = plan.get("drift", [1])
        self.factor = self.noise() * float(drift[(number - 1) % len(drift)])

    def fail_early(self) -> None:
        says = str(self.plan.get("says", "something went wrong"))
        file = f"{self.cache_dir}/cache_{self.network}_{self.block}.json"
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
                os.makedirs(self.cache_dir, exist_ok=True)  # noqa: PTH103
                with open(file, "w", encoding="utf-8") as cache:  # noqa: PTH123
                    cache.write(says)
                if "returncode" in self.plan:
                    self.log("error sending request", "ERROR")
                    self.exit()

    def fail_as_custom(self) -> None:
        if self.behaviour == "no custom":
            sys.stderr.write("error: unexpected argument '--no-zkvm' found\n\nUsage: …\n")
            sys.exit(2)
        if self.behaviour == "reverted" and self.makes:
            self.log("transaction 3 in produced block 1 reverted", "ERROR")
            sys.exit(1)

    def run(self) -> None:
        if self.behaviour == "giant":
            for _ in range(40):
                self.emit("." * (2**20 - 1))
        while self.behaviour == "flood":
            self.emit("." * (2**20 - 1))
        if self.behaviour == "invalid utf-8":
            sys.stdout.flush()
            sys.stdout.buffer.write(b"\xff\xfe caf\xe9 \x00\n")
        self.block += self.behaviour == "another block"
        self.network = "sepolia" if self.behaviour == "another network" else self.network
        if self.makes:
            self.make()
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
        if self.workload and self.behaviour != "no workload":
            self.summary()
        if self.behaviour == "killed late":
            sys.stdout.flush()
            os.kill(os.getpid(), int(self.plan["returncode"]))

    def make(self) -> None:
        """Write the cache file of a workload, of `gas` and `txs` by the plan."""
        import json

        zero = "0x" + 32 * "00"
        header = {
            **dict.fromkeys(("parentHash", "stateRoot", "transactionsRoot", "receiptsRoot", "mixHash"), zero),
            "sha3Uncles": zero,
            "miner": "0x" + 20 * "00",
            "logsBloom": "0x" + 256 * "00",
            "difficulty": "0x0",
            "number": "0x1",
            "gasLimit": "0x392a220",
            "timestamp": "0x68d1422c",
            "gasUsed": hex(self.plan.get("gas", 37_500_000)),
            "baseFeePerGas": "0x7",
            "extraData": self.plan.get("extra", "0x"),
            "nonce": "0x0000000000000000",
        }
        body = {"transactions": ["0x"] * self.plan.get("txs", 442), "uncles": [], "withdrawals": []}
        content = {
            "blocks": [{"header": header, "body": body}],
            "witness": {"state": ["0x80"], "codes": [], "headers": []},
            "network": "LocalDevnet",
        }
        os.makedirs(self.cache_dir, exist_ok=True)  # noqa: PTH103
        file = f"{self.cache_dir}/cache_custom_{self.workload}_seed{self.seed}_blocks1.json"
        with open(file, "w", encoding="utf-8") as cache:  # noqa: PTH123
            cache.write(json.dumps(content))

    def summary(self) -> None:
        """Print the line that follows the report of a workload."""
        gas, txs = self.plan.get("gas", 37_500_000), self.plan.get("txs", 442)
        seed = 99 if self.behaviour == "another workload" else self.seed
        txs += self.behaviour == "other txs"
        of = f"1 block(s), {txs} transaction(s), {gas} total gas"
        self.log(f"Custom workload '{self.workload}' (seed {seed}): {of}")

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
            os.kill(os.getpid(), 11)  # SIGSEGV
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
            ordered = sorted(pair[section.startswith("Execution")] for pair in times)
            if self.behaviour == "contradiction":
                ordered = [ns / 2 for ns in ordered]
            values = (ordered[0], ordered[-1], sum(ordered) / len(ordered), ordered[len(ordered) // 2])
            for name, ns in zip(_STATISTICS, (*values, 0, ordered[-1], ordered[-1]), strict=True):
                self.emit(f"  {name:<7} {rust_duration(ns)}")
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
        return float(ms) * 1e6 * self.factor * self.noise()

    def noise(self) -> float:
        sd = float(self.plan.get("noise", 0))
        return self.random.lognormvariate(0, sd) if sd else 1.0

    def start_grandchild(self) -> None:
        import signal
        import subprocess
        import time

        grandchild = subprocess.Popen([sys.executable, "-IS", "-c", "import time; time.sleep(600)"])
        if self.behaviour == "hang":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        partial = f"{self.program}.partial"
        with open(partial, "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(f"{os.getpid()} {grandchild.pid}\n")
        os.rename(partial, f"{self.program}.pids")  # noqa: PTH104
        if self.behaviour == "hang":
            time.sleep(600)

    def report(self, rest: str, level: str = "INFO") -> None:
        gas, txs = self.plan.get("gas", 37_500_000), self.plan.get("txs", 442)
        url = f"https://{self.network}.etherscan.io/block/{self.block}"
        link = "" if self.workload else f" | {url}"
        self.log(f"[{self.network}] Block: {self.block}, Gas: {gas}, #Txs: {txs}, {rest}{link}", level)

    def log(self, message: str, level: str = "INFO") -> None:
        self.emit(f"2026-02-18T02:42:01.805036Z {level:>5} ethrex_replay::cli: {message}")

    def emit(self, line: str) -> None:
        sys.stdout.write(f"{line}\n")

    def exit(self) -> NoReturn:
        sys.exit(int(self.plan.get("returncode", 1)))
