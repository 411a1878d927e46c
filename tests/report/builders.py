"""Fixed results of made-up runs, decided by the real judge: what every report is shown with."""

from __future__ import annotations

import dataclasses
import math
import statistics
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from pytest_ethrex_perf.gate import table
from pytest_ethrex_perf.judge import paired, samples, stored
from pytest_ethrex_perf.profile import artifacts, differential
from pytest_ethrex_perf.records.decision import Rules, Verdict
from pytest_ethrex_perf.records.measurement import (
    CacheIdentity,
    Count,
    Invocation,
    Machine,
    Noise,
    Pair,
    Program,
    StoredSession,
    Usage,
)
from pytest_ethrex_perf.records.metric import TIMES, unit
from pytest_ethrex_perf.records.origin import Change, Job, Origin, Source
from pytest_ethrex_perf.records.result import (
    BlockResult,
    MetricResult,
    PastEpoch,
    PastSession,
    PublishedResult,
    ReferenceResult,
    Row,
    RunResult,
    SideResult,
    SuiteResult,
)
from tests.profile import samples as stacks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pytest_ethrex_perf.records.result import Outcome

START = datetime(2026, 2, 18, 8, tzinfo=UTC)
REPEAT = 11
MACHINE = Machine(
    key="amd-epyc-9454p-32c-4f1d",
    keyed={"name": "AMD EPYC 9454P 48-Core Processor", "cpus": 32, "smt": False, "governor": "performance"},
    recorded={"kernel": "6.1.0-38-amd64", "memory_gib": 62.7, "microcode": "0xa101148", "host": "0badcafe"},
)
HEAD = Program(
    kind="ethrex",
    command=("target/release/ethrex-replay",),
    sha256="5e43acebcd96" + "0" * 52,
    label="target/release/ethrex-replay",
    prefix=("taskset", "-c", "0-7"),
    commit="a9de3e8",
)
BASE = Program(
    kind="ethrex",
    command=("main/ethrex-replay",),
    sha256="546016627a1c" + "0" * 52,
    label="main/ethrex-replay",
    prefix=("taskset", "-c", "0-7"),
)
_REPOSITORY = "https://github.com/lambdaclass/ethrex"
_RUN = f"{_REPOSITORY}/actions/runs/19712345678"
_PUSHED, _MAIN = "b2c3d4e5" * 5, "05211bab" * 5
ORIGIN = Origin(
    builds={
        HEAD.sha256: Source(
            commit="a9de3e8f" * 5,
            merged=_PUSHED,
            branch="cache-node-hashes",
            subject="perf(l1): cache node hashes in the trie",
            url=f"{_REPOSITORY}/commit/{_PUSHED}",
        ),
        BASE.sha256: Source(
            commit=_MAIN,
            branch="main",
            subject="fix(l1): hash nodes only once",
            url=f"{_REPOSITORY}/commit/{_MAIN}",
            ahead=0,
            behind=3,
        ),
    },
    job=Job(
        url=_RUN,
        artifacts=f"{_RUN}#artifacts",
        change=Change(name="#6207", title="Cache node hashes", into="main", url=f"{_REPOSITORY}/pull/6207"),
    ),
)
"""Of a pull request on GitHub."""
_OUTCOMES: dict[Verdict, Outcome] = {Verdict.REGRESSION: "fail", Verdict.INCONCLUSIVE: "warn"}


def invocation(random: Random, exec_ms: float, *, noise: float = 0.01, index: int = 0) -> Invocation:
    """One of 11 repeats, 1 % apart, around a level that is off by `noise`; printed to 0.01 ms."""
    level = exec_ms * math.exp(noise * normal(random))
    times, preps = (
        [round(100 * typical * (1 + 0.01 * normal(random))) * 10_000 for _ in range(REPEAT)]
        for typical in (level, 31 + 0.2 * normal(random))
    )
    times[0] += times[0] // 8
    return Invocation(
        started=(START + timedelta(seconds=3 * index)).isoformat(),
        wall_ns=2_000_000_000 + index * 1_000_000,
        prep_ns=tuple(preps),
        exec_ns=tuple(times),
        gas=37_500_000,
        txs=442,
        phases={"validate": 1.1, "exec": 0.62 * level, "merkle": 0.3 * level, "store": 4.25},
        usage=Usage(
            user_ns=round(22e6 * level),
            system_ns=140_000_000,
            max_rss_kib=512_000 + round(900 * normal(random)),
            voluntary_switches=4_120,
            involuntary_switches=17,
            minor_faults=41_200 + index,
            major_faults=0,
        ),
        noise=Noise(psi_some_us=1_200 + 50 * index, steal_ticks=index % 5 // 4, throttled_us=0, load1=1.25),
    )


def by_perf(random: Random, instructions: float, turn: int) -> dict[str, Count]:
    """What perf counts of so many instructions: two sets in turn."""
    cycles = instructions / 2.54
    sets = (
        {"branches": 0.18 * instructions, "branch-misses": 0.0011 * instructions},
        {
            "cache-references": 0.014 * instructions,
            "cache-misses": 0.0018 * instructions,
            "L1-dcache-load-misses": 0.0061 * instructions,
        },
    )
    levels = {"instructions": instructions, "cycles": cycles, **sets[turn % 2]}
    return {
        name: Count(
            event=name,
            values=(float(round(value * math.exp(0.004 * normal(random)))),),
            instrument="perf",
            method="window",
            covers="repeat",
            user_only=True,
        )
        for name, value in levels.items()
    }


def by_callgrind(random: Random, instructions: float, _turn: int) -> dict[str, Count]:
    """What callgrind counts: two repeats, cut at the calls of the function."""
    values = tuple(float(round(instructions * math.exp(0.0004 * normal(random)))) for _ in range(2))
    whole = Count(
        event="instructions",
        values=values,
        instrument="callgrind",
        method="function",
        covers="exec",
        user_only=True,
    )
    half = msgspec.structs.replace(whole, values=tuple(value // 2 for value in values), covers="prep")
    return {"instructions": whole, "prep-instructions": half}


def normal(random: Random) -> float:
    """A standard normal number: the same in every version of Python."""
    return statistics.NormalDist().inv_cdf(random.random() or 0.5)


def interleaved(number: int, change: float, **settings: Any) -> BlockResult:
    """Block `number` whose head is slower by `change`; `noise`, `exec_ms`, `metrics`, `network`, fields."""
    noise, exec_ms = settings.pop("noise", 0.01), settings.pop("exec_ms", 59.75)
    metrics: tuple[str, ...] = settings.pop("metrics", ("exec",))
    rules = Rules(gatings=settings.pop("gatings", 8.0), floor=200_000.0)
    counted: Callable[..., dict[str, Count]] | None = settings.pop("counted", None)
    limits_of = {
        name: dataclasses.replace(rules, margin=0.003, tolerance=0.01, floor=0.0, drift=0.001)
        for name in metrics
        if name not in TIMES
    }
    network = settings.pop("network", "mainnet")
    random = Random(number)  # noqa: S311 - fixed data, no secret
    pairs: list[Pair] = []
    decisions: dict[str, Any] = {}
    for count in range(1, 25):
        taken = [
            invocation(random, exec_ms * factor, noise=noise, index=2 * count + side)
            for side, factor in enumerate((1, 1 + change))
        ]
        if counted is not None:
            work = 11.5e6 * exec_ms, 11.5e6 * exec_ms * (1 + change / 2)
            taken = [
                # drawn apart, so that times are what they are without
                msgspec.structs.replace(one, counts=counted(Random(2 * count + side), instructions, count))  # noqa: S311
                for side, (one, instructions) in enumerate(zip(taken, work, strict=True))
            ]
        pairs.append(Pair(first="base" if count % 2 else "head", base=taken[0], head=taken[1]))
        if count not in rules.looks:
            continue
        for metric in metrics:
            decisions[metric] = paired.judge(
                [logs(pair.base, metric) for pair in pairs],
                [logs(pair.head, metric) for pair in pairs],
                limits_of.get(metric, rules),
                final=count == rules.looks[-1],
            )
        if all(decision.verdict for decision in decisions.values()):
            break
    base, head = [p.base for p in pairs], [p.head for p in pairs]
    return block(
        f"{network}/{number}",
        mode="interleaved",
        pairs=tuple(pairs),
        base=side_result(base, BASE),
        head=side_result(head, HEAD),
        rules={name: limits_of.get(name, rules) for name in metrics},
        metrics=tuple(
            judged(name, limits_of.get(name, rules), decisions[name], base, head) for name in metrics
        ),
        rows=rows(base, head),
        **settings,
    )


def from_baseline(number: int, change: float, sessions: int = 6, **settings: Any) -> BlockResult:
    """Block `number` compared with `sessions` stored sessions on different days."""
    random = Random(number)  # noqa: S311
    rules = Rules(gatings=8.0, floor=200_000.0)
    recorded = tuple(
        StoredSession(
            id=f"2026-01-{day + 2:02}-{day:04x}",
            started=(START - timedelta(days=40 - 3 * day)).isoformat(),
            program_sha256=(BASE if day else HEAD).sha256,
            invocations=tuple(
                invocation(random, 59.75 * (1 + 0.008 * normal(random)), index=i) for i in range(10)
            ),
        )
        for day in range(sessions)
    )
    taken = tuple(invocation(random, 59.75 * (1 + change), index=i) for i in range(12))
    base = [i for session in recorded for i in session.invocations]
    decision = stored.judge(
        [[logs(i, "exec") for i in session.invocations] for session in recorded],
        [logs(i, "exec") for i in taken],
        rules,
    )
    return block(
        f"mainnet/{number}",
        mode="stored",
        invocations=taken,
        baseline=recorded,
        history=history(recorded),
        base=side_result(base, None),
        head=side_result(taken, HEAD),
        rules={"exec": rules},
        metrics=(judged("exec", rules, decision, base, taken),),
        references=(
            ReferenceResult(
                name="epoch's first session", date="2026-01-09", metric="exec", change=0.021, detectable=0.09
            ),
        ),
        published=(
            PublishedResult(
                machine="ethrex-office-4",
                date="2026-02-18",
                source="ethrex-replay's profiling guide",
                exec_ns=59_750_000.0,
                ggas_per_s=0.63,
            ),
        ),
        rows=rows(base, taken),
        **settings,
    )


def history(sessions: Sequence[StoredSession]) -> tuple[PastEpoch, ...]:
    """A baseline of three epochs, of which `sessions` are the current one."""
    moments = [(START - timedelta(days=day), day) for day in (160, 152, 143, 131, 99, 92, 80)]
    earlier = [
        PastSession(
            id=f"{day:012x}",
            started=started.isoformat(),
            tags=("v7.0.0",) if day == 143 else (),
            invocations=10,
            levels={"exec": 1e6 * (71 if day > 100 else 64) * (1 + 0.001 * (day % 7))},
        )
        for started, day in moments
    ]
    now = [
        PastSession(
            id=one.id,
            started=one.started,
            invocations=len(one.invocations),
            levels={"exec": level(one.invocations, "exec")},
        )
        for one in sessions
    ]
    reasons = ("first recording", "flat trie layer, #5120", "EIP-7702 checks, #6207")
    return tuple(
        PastEpoch(number=number, reason=reasons[number - 1], started=part[0].started, sessions=tuple(part))
        for number, part in enumerate((earlier[:4], earlier[4:], now), 1)
    )


def recording(number: int) -> BlockResult:
    """Block `number` recorded into its baseline."""
    random = Random(number)  # noqa: S311
    taken = tuple(invocation(random, 59.75, index=i) for i in range(10))
    return block(
        f"mainnet/{number}",
        mode="record",
        invocations=taken,
        head=side_result(taken, HEAD),
        rules={"exec": Rules()},
        rows=rows([], taken),
        recorded=f"session 2026-02-18-4f1d in baselines/mainnet/{number}/ethrex-{MACHINE.key}.json",
    )


def block(name: str, **fields: Any) -> BlockResult:
    """A block with what every block has."""
    measured = fields.get("pairs") or fields.get("invocations")
    defaults: dict[str, Any] = {
        "block": name,
        "mode": "interleaved",
        "repeat": REPEAT,
        "drop": 1,
        "sample": "lowest",
        "gas": 37_500_000 if measured else None,
        "txs": 442 if measured else None,
        "cache": CacheIdentity(
            network=name.partition("/")[0],
            number=1,
            block_hash="0x" + "c0ffee17" * 8,
            witness_sha256="cd" * 32,
        )
        if measured
        else None,
        "reproduce": f"pytest --ethrex-block={name} --ethrex-base=main/ethrex-replay",
    }
    return BlockResult(**defaults | fields).sealed()


def judged(
    name: str, rules: Rules, decision: Any, base: Sequence[Invocation], head: Sequence[Invocation]
) -> MetricResult:
    """What was decided of one metric, and what follows from it."""
    return MetricResult(
        metric=name,
        rules=rules,
        decision=decision,
        step=0.0002,
        unit=unit(name),
        identity=samples.identity([*base, *head], name),
        base=level(base, name),
        head=level(head, name),
        outcome=_OUTCOMES.get(decision.verdict, "pass"),
    )


def logs(one: Invocation, metric: str) -> float:
    """The sample of one invocation."""
    return samples.sample(one, metric, 1)


def level(invocations: Iterable[Invocation], metric: str) -> float:
    """Geometric mean of the samples."""
    return math.exp(statistics.fmean(logs(i, metric) for i in invocations))


def side_result(invocations: Sequence[Invocation], program: Program | None) -> SideResult:
    """One side summed up."""
    label = program.label if program else f"baselines/mainnet/ethrex-{MACHINE.key}.json"
    found = table.summed_up(invocations, label, program, 1)
    assert found is not None
    return found


def rows(base: Sequence[Invocation], head: Sequence[Invocation]) -> tuple[Row, ...]:
    """The block's own table."""
    before, after = (side_result(side, HEAD) if side else None for side in (base, head))
    return tuple(table.rows(table.Sides(base, head), before, after, 1, "amd"))


def run(blocks: Sequence[BlockResult], **fields: Any) -> RunResult:
    """A run of these blocks."""
    defaults: dict[str, Any] = {
        "version": "0.1.0",
        "started": START.isoformat(),
        "wall_s": 754.2,
        "machine": MACHINE.key,
        "measured_on": MACHINE,
        "counters": "perf 6.1 counts this CPU's events, method window",
        "gatings": sum(len(one.rules) for one in blocks),
        "settings": {"margin": "0.01", "tolerance": "0.03", "repeat": "11", "replay": HEAD.label},
        "blocks": tuple(blocks),
    }
    return RunResult(**defaults | fields)


@cache
def one() -> RunResult:
    """A run of one block that became slower."""
    return run([interleaved(24443168, 0.045, counted=by_perf)])


@cache
def several() -> RunResult:
    """A run with every outcome there is, and the mean over blocks."""
    waived = interleaved(24443171, 0.05)
    (metric,) = waived.metrics
    told = "allowed up to +6 % until 2026-12-31: EIP-7702 checks, #6207"
    waived = msgspec.structs.replace(
        waived, metrics=(msgspec.structs.replace(metric, outcome="waived", outcome_reason=told),)
    )
    caution = (
        "noisy machine: the pair ratio has a standard deviation of 4.9 %; stop what else runs, pin the "
        "program (--ethrex-prefix='taskset -c 0-7'), or plan for more pairs (--ethrex-looks)"
    )
    blocks = [
        interleaved(24443168, 0.045, metrics=("exec", "prep")),
        interleaved(24443169, -0.06),
        interleaved(24443170, 0.002, metrics=("exec", "instructions"), counted=by_callgrind),
        waived,
        interleaved(24443172, 0.02, noise=0.04, notes=(caution,)),
        interleaved(1265656, 0.0, network="hoodi", exec_ms=6.5),
        from_baseline(24443173, 0.12),
        from_baseline(24443174, 0.0, notes=("1 of 5 sessions: record on four more days",)),
        recording(24443175),
        block(
            "mainnet/24443176",
            rules={"exec": Rules()},
            error="mainnet/24443176: Execution Error: Invalid Block: World State Root does not match the one "
            "in the header after executing; the whole output is in "
            "ethrex-perf-logs/mainnet-24443176-head-001.log",
        ),
        block(
            "mainnet/24443177",
            skipped="base and head are the same program (sha256 5e43acebcd96): nothing to compare; "
            "--ethrex-aa measures it against itself",
        ),
    ]
    measured = [one for one in blocks if one.mode == "interleaved" and one.metrics]
    rules = Rules(gatings=2.0)
    rounds = range(min(len(one.pairs) for one in measured))
    decision = paired.judge(
        [statistics.fmean(logs(one.pairs[i].base, "exec") for one in measured) for i in rounds],
        [statistics.fmean(logs(one.pairs[i].head, "exec") for one in measured) for i in rounds],
        rules,
        final=True,
    )
    suite = SuiteResult(
        metric="exec",
        blocks=tuple(one.block for one in measured),
        rules=rules,
        decision=decision,
        step=0.0002,
        outcome=_OUTCOMES.get(decision.verdict or Verdict.UNCHANGED, "pass"),
    )
    return run(blocks, suite=(suite,))


@cache
def many(count: int = 500) -> RunResult:
    """A run of `count` blocks: some slower, some faster, a few that could not be measured."""
    changes = (0.0, 0.001, -0.002, 0.0, 0.015, 0.0, 0.002, -0.05, 0.0, 0.06)
    blocks = [
        block(
            f"mainnet/{24_000_000 + i}",
            error=f"no cache file replay_cache/cache_mainnet_{24_000_000 + i}.json",
        )
        if i % 50 == 49
        else interleaved(
            24_000_000 + i,
            changes[i % 10],
            noise=0.01 if i % 7 else 0.03,
            gatings=float(count),
            gas=8_000_000 + 77_777 * (i * i % 601),
        )
        for i in range(count)
    ]
    return run(blocks, gatings=count)


@cache
def profiled() -> RunResult:
    """A run of one block that became slower, and was profiled."""
    return run([with_profile(interleaved(24443168, 0.045))])


def with_profile(one: BlockResult, name: str = "ethrex_trie::node::Node::encode") -> BlockResult:
    """The block with an explanation: the function `name` takes 2.7 ms more, on its own thread."""
    sides = {
        side: [
            stacks.profile(
                [
                    *stacks.executing(dict.fromkeys(_FUNCTIONS, [9] * 11), "ethrex-replay"),
                    *stacks.executing({name: [milliseconds] * 11}, "block_executor_ (handle_merkleization)"),
                ],
                exec_ns=(60 * stacks.MS,) * 11,
                period_ns=0.3 * stacks.MS,
                block=one.block,
            )
            for _ in range(4)
        ]
        for side, milliseconds in (("base", 30), ("head", 39))
    }
    metric = one.metric("exec")
    return msgspec.structs.replace(
        one,
        explanation=differential.explain(
            sides["base"], sides["head"], measured_ms=(metric.base / 1e6, metric.head / 1e6)
        ),
        profile=artifacts.summed_up(sides["head"], sides["base"]),
    )


_FUNCTIONS = (
    "ethrex_levm::vm::VM::op_sload",
    "keccak::__KeccakF1600",
    "core::slice::cmp::SliceOrd::compare",
    "malloc",
)


HOSTILE = (
    "<script>alert(1)</script> </style> \" ' | `x` ``` \n# a heading\r\n@octocat #1 [a](javascript:alert(2)) "
    "![i](https://evil.invalid/x.png) ${{ secrets.X }} $x$ \x1b[31mred\x00\x08 =cmd|' /C calc'!A0 \u202e "
    "]]> &lt;"
)


@cache
def hostile() -> RunResult:
    """A run with hostile text wherever text comes from outside."""
    program = msgspec.structs.replace(
        HEAD, label=HOSTILE, command=(HOSTILE,), prefix=(HOSTILE,), commit=HOSTILE
    )

    def poisoned(one: BlockResult, **fields: Any) -> BlockResult:
        sides = {
            side: msgspec.structs.replace(
                getattr(one, side), label=HOSTILE, program=program, phases={HOSTILE: 1.0}
            )
            for side in ("base", "head")
            if getattr(one, side)
        }
        metrics = tuple(
            msgspec.structs.replace(
                metric,
                outcome_reason=HOSTILE,
                decision=dataclasses.replace(metric.decision, reason=HOSTILE),
            )
            for metric in one.metrics
        )
        return msgspec.structs.replace(
            one,
            block=f"{HOSTILE}/{one.block}",
            metrics=metrics,
            notes=(HOSTILE, HOSTILE),
            reproduce=HOSTILE,
            baseline=tuple(
                msgspec.structs.replace(session, id=HOSTILE, program_sha256=HOSTILE)
                for session in one.baseline
            ),
            history=tuple(
                msgspec.structs.replace(
                    epoch,
                    reason=HOSTILE,
                    started=HOSTILE,
                    sessions=tuple(
                        msgspec.structs.replace(past, id=HOSTILE, started=HOSTILE, tags=(HOSTILE,))
                        for past in epoch.sessions
                    ),
                )
                for epoch in one.history
            ),
            references=tuple(
                msgspec.structs.replace(reference, name=HOSTILE, date=HOSTILE) for reference in one.references
            ),
            published=tuple(
                msgspec.structs.replace(known, machine=HOSTILE, date=HOSTILE, source=HOSTILE)
                for known in one.published
            ),
            rows=tuple(msgspec.structs.replace(row, name=f"{HOSTILE}{row.name}") for row in one.rows),
            **sides,
            **fields,
        )

    blocks = [
        poisoned(with_profile(interleaved(1, 0.05), HOSTILE)),
        poisoned(from_baseline(2, 0.12)),
        poisoned(recording(3), recorded=HOSTILE),
        poisoned(block("mainnet/4"), error=HOSTILE),
        poisoned(block("mainnet/5"), skipped=HOSTILE),
    ]
    machine = msgspec.structs.replace(MACHINE, keyed={HOSTILE: HOSTILE}, recorded={HOSTILE: HOSTILE})
    suite = SuiteResult(
        metric="exec",
        blocks=(HOSTILE,),
        rules=Rules(),
        decision=blocks[0].metrics[0].decision,
        step=0.0,
        outcome="fail",
        outcome_reason=HOSTILE,
    )
    return run(
        blocks,
        machine=HOSTILE,
        measured_on=machine,
        settings={HOSTILE: HOSTILE},
        version=HOSTILE,
        suite=(suite,),
    )
