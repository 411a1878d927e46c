"""What `ethrex-perf history` takes for a year of many blocks: time and memory, of a process of its own.

`python -m benchmarks.months [--blocks 500] [--nights 365] [--baselines | --versions]`: an earlier history
file with all sessions, or with all but the last 20, which come from baselines (`--baselines`), or no such
file, but baselines that were committed every night (`--versions`). The site, JSON and feed are written. The
limits are 60 s and 500 MB.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from pytest_ethrex_perf.baseline import store
from pytest_ethrex_perf.baseline.schema import KEPT, SCHEMA, Baseline, Epoch, Session, kept
from pytest_ethrex_perf.records.history import History, dump
from pytest_ethrex_perf.records.measurement import (
    CacheIdentity,
    Invocation,
    Machine,
    Program,
    Usage,
)
from tests.baseline import years

if TYPE_CHECKING:
    from pytest_ethrex_perf.records.history import BlockHistory

_INVOCATIONS, _REPEATS = 10, 11
_USAGE = Usage(user_ns=1, system_ns=1, max_rss_kib=1, voluntary_switches=1, involuntary_switches=1)


def block(number: int, nights: int) -> BlockHistory:
    """Return a year of a block; every tenth has three changes."""
    steps = ((90, 5.0), (180, -4.0), (270, 8.0)) if number % 10 == 0 else ()
    metrics = ("exec", "prep", "instructions")
    name = f"mainnet/{24443168 + number}"
    return years.year(*steps, nights=nights, seed=number, block=name, metrics=metrics)


def baseline(past: BlockHistory, last: int = KEPT) -> Baseline:
    """Return the last sessions of `past` with raw repeats, as a baseline keeps them."""
    rng = np.random.default_rng(len(past.block))
    network, _, number = past.block.partition("/")
    machine = Machine(key=past.machine, keyed={}, recorded={})
    sessions = []
    for session in past.sessions[-last:]:
        sha = session.program * 5 + "0000"
        program = Program(kind="ethrex", command=("./ethrex-replay",), sha256=sha, label="x")
        level = session.levels["exec"].mean
        taken = tuple(
            Invocation(
                started=session.started,
                wall_ns=10**9,
                prep_ns=tuple(int(each) for each in level * rng.normal(1, 0.01, _REPEATS)),
                exec_ns=tuple(int(each) for each in level * rng.normal(1, 0.01, _REPEATS)),
                gas=past.gas,
                txs=100,
                usage=_USAGE,
            )
            for _ in range(_INVOCATIONS)
        )
        sessions.append(Session.of(program, machine, taken, started=session.started))
    return Baseline(
        schema=SCHEMA,
        kind="ethrex",
        network=network,
        block=int(number),
        machine=past.machine,
        cache=CacheIdentity(
            network=network, number=int(number), block_hash="0x" + "ab" * 32, witness_sha256="cd" * 32
        ),
        repeat=_REPEATS,
        epochs=(Epoch(reason="first recording", started=sessions[0].started, sessions=tuple(sessions)),),
    )


def commit_every_night(root: Path, blocks: list[BlockHistory], nights: int) -> None:
    """Make `root` a repository whose baselines got a session of each block with every commit."""
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", root], check=True)
    whole = [baseline(past, nights) for past in blocks]
    with subprocess.Popen(["git", "fast-import", "--quiet"], cwd=root, stdin=subprocess.PIPE) as importing:
        assert importing.stdin is not None
        for night in range(nights):
            importing.stdin.write(b"commit refs/heads/main\ncommitter x <x> %d +0000\ndata 0\n" % night)
            for each in whole:
                (epoch,) = each.epochs
                epoch = msgspec.structs.replace(epoch, sessions=kept(epoch.sessions[: night + 1]))
                text = store.dump(msgspec.structs.replace(each, epochs=(epoch,))).encode()
                path = store.path(Path("baselines"), each.block_id, each.kind, each.machine)
                importing.stdin.write(b"M 100644 inline %s\ndata %d\n" % (bytes(path), len(text)) + text)
    subprocess.run(["git", "checkout", "--quiet", "main"], cwd=root, check=True)


def main() -> None:
    """Print what one run takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=500)
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--baselines", action="store_true")
    parser.add_argument("--versions", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        blocks = [block(number, given.nights) for number in range(given.blocks)]
        if given.versions:
            commit_every_night(root, blocks, given.nights)
            blocks = []
        elif given.baselines:
            for past in blocks:
                content = baseline(past)
                path = store.path(root / "baselines", content.block_id, "ethrex", past.machine)
                path.parent.mkdir(parents=True)
                store.write(path, content)
            blocks = [msgspec.structs.replace(past, sessions=past.sessions[:-KEPT]) for past in blocks]
        (root / "h.json").write_bytes(dump(History(version="0", blocks=tuple(blocks))))
        size = (root / "h.json").stat().st_size
        outputs = ["--html", "site", "--json", "out.json", "--atom", "site/changes.atom"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.monotonic()
        code = "import sys; from pytest_ethrex_perf.cli import main; sys.exit(main())"
        command = [sys.executable, "-c", code, "history", "h.json", *outputs]
        subprocess.run(command, cwd=root, check=True, stdout=subprocess.DEVNULL)
        wall = timedelta(seconds=round(time.monotonic() - began))
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu_s = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
        pages = sum(path.stat().st_size for path in root.glob("site/**/*.html"))
        print(
            f"{given.blocks} blocks of {given.nights} nights, a file of {size / 1e6:.0f} MB: {wall} "
            f"({cpu_s:.0f} s of CPU), {used.ru_maxrss / 1024:.0f} MiB; first page "
            f"{(root / 'site/index.html').stat().st_size / 1e3:.0f} kB, all pages {pages / 1e6:.0f} MB"
        )


if __name__ == "__main__":
    main()
