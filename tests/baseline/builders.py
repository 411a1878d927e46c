"""Sessions and baselines of a made-up machine, as tests need them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import msgspec

from pytest_ethrex_perf.baseline import store
from pytest_ethrex_perf.baseline.recording import Addition
from pytest_ethrex_perf.baseline.schema import SCHEMA, Baseline, Epoch, Session
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.records.decision import Rules
from pytest_ethrex_perf.records.measurement import CacheIdentity, Invocation, Machine, Noise, Program, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pytest_ethrex_perf.baseline.recording import Recorded

BLOCK = BlockId("hoodi", 1265656)
CACHE = CacheIdentity(
    network=BLOCK.network, number=BLOCK.number, block_hash="0x" + "ab" * 32, witness_sha256="cd" * 32
)
MACHINE = Machine(
    key="amd-epyc-9454p-32c-4f1d",
    keyed={"name": "AMD EPYC 9454P", "cpus": 32, "smt": False},
    recorded={"kernel": "6.1.0", "host": "0badcafe"},
)
PROGRAM = Program(kind="ethrex", command=("./ethrex-replay",), sha256="12" * 32, label="./ethrex-replay")
RULES = {"exec": Rules(), "prep": Rules()}
USAGE = Usage(user_ns=1, system_ns=1, max_rss_kib=1, voluntary_switches=1, involuntary_switches=1)
START = datetime(2026, 2, 18, 8, tzinfo=UTC)
REPEAT = 4


def make_invocation(level_ms: float = 60.0, seed: int = 0, repeat: int = REPEAT, **fields: Any) -> Invocation:
    """An invocation whose repeats lie 1 % around `level_ms`, the first one slower, printed to 0.01 ms."""
    factors = NormalDist(1, 0.01).samples(repeat, seed=seed)
    times = [int(level_ms * 100 * factor) * 10_000 for factor in factors]
    times[0] += times[0] // 10
    defaults: dict[str, Any] = {
        "started": (START + timedelta(seconds=seed)).isoformat(),
        "wall_ns": 2_000_000_000,
        "prep_ns": tuple(time // 2 for time in times),
        "exec_ns": tuple(times),
        "gas": 4_402_947,
        "txs": 11,
        "phases": {"merkle": 1.25, "exec": 55.0},
        "usage": USAGE,
        "noise": Noise(psi_some_us=120, steal_ticks=0, load1=0.25),
    }
    return Invocation(**defaults | fields)


def make_session(
    day: float = 0,
    level_ms: float = 60.0,
    *,
    invocations: int = 8,
    repeat: int = REPEAT,
    program: Program = PROGRAM,
    machine: Machine = MACHINE,
    seed: int | None = None,
    note: str | None = None,
) -> Session:
    """A session `day` days after the first possible one."""
    seed = int(day * 1000) if seed is None else seed
    return Session.of(
        program,
        machine,
        tuple(make_invocation(level_ms, 100 * seed + i, repeat) for i in range(invocations)),
        started=(START + timedelta(days=day)).isoformat(),
        note=note,
    )


def make_epoch(sessions: Iterable[Session], reason: str = "first recording") -> Epoch:
    ordered = tuple(sorted(sessions, key=lambda session: session.started))
    return Epoch(reason=reason, started=ordered[0].started, sessions=ordered)


def make_baseline(*epochs: Epoch, **fields: Any) -> Baseline:
    defaults: dict[str, Any] = {
        "schema": SCHEMA,
        "kind": "ethrex",
        "network": BLOCK.network,
        "block": BLOCK.number,
        "machine": MACHINE.key,
        "cache": CACHE,
        "repeat": REPEAT,
        "epochs": epochs or (make_epoch([make_session(0), make_session(1)]),),
    }
    return Baseline(**defaults | fields)


def exact(day: int, *levels_ms: float, tags: tuple[str, ...] = ()) -> Session:
    """A session with one invocation for each level, its repeats all alike after a slow first one."""
    invocations = tuple(
        msgspec.structs.replace(
            make_invocation(seed=100 * day + i),
            exec_ns=(10**9, *(int(level * 1e6),) * 3),
            prep_ns=(10**9, *(int(level * 2e6),) * 3),
        )
        for i, level in enumerate(levels_ms)
    )
    session = Session.of(PROGRAM, MACHINE, invocations, started=f"2026-02-{day:02}T08:00:00+00:00")
    return msgspec.structs.replace(session, tags=tags)


def two_epochs() -> Baseline:
    """A baseline whose third session is tagged, and whose second epoch is slower."""
    return make_baseline(
        make_epoch([exact(1, 50, 51, 49), exact(2, 51, 51), exact(3, 55, tags=("v1",))]),
        make_epoch(
            [exact(4, 66), exact(5, 60.5)],
            "EIP-7702: one more lookup per call, agreed upon in the call of 3 March",
        ),
    )


def baseline_path(root: Path, machine: Machine = MACHINE) -> Path:
    """Where the baseline of the block is below `root`."""
    return store.path(root, BLOCK, PROGRAM.kind, machine.key)


def add(root: Path, session: Session, accept_reason: str | None = None, **fields: Any) -> Recorded:
    """Record `session` below `root`."""
    given: dict[str, Any] = {"cache": CACHE, "rules": RULES, **fields}
    return Addition(baseline_path(root, session.machine), session, **given).write(accept_reason)
