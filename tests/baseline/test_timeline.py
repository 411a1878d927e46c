import msgspec
import pytest

from pytest_ethrex_perf.baseline.schema import Session
from pytest_ethrex_perf.baseline.timeline import Timeline
from pytest_ethrex_perf.records.history import BlockHistory
from pytest_ethrex_perf.records.measurement import Machine
from pytest_ethrex_perf.records.result import RunResult
from tests.baseline import builders, years
from tests.report import builders as reports

METRICS = ("exec", "prep", "instructions")
CALLGRIND = Machine(key="any-x86", keyed={}, recorded={})


def of(run: RunResult, *again: RunResult) -> dict[tuple[str, str], BlockHistory]:
    timeline = Timeline(METRICS)
    for each in (run, *again):
        timeline.add_results(each)
    return {(block.block, block.machine): block for block in timeline.blocks()}


def test_a_session_is_the_same_one_in_a_baseline_and_in_results() -> None:
    run = reports.run([reports.recording(24443168)])
    (result,) = run.blocks
    assert result.head is not None
    program = result.head.program
    assert program is not None
    started = min(invocation.started for invocation in result.invocations)
    session = Session.of(program, run.measured_on, result.invocations, started=started, note="recorded")
    tagged = msgspec.structs.replace(session, tags=("v1",))
    baseline = builders.make_baseline(
        builders.make_epoch([tagged]),
        kind=program.kind,
        network="mainnet",
        block=24443168,
        machine=run.machine,
        cache=msgspec.structs.replace(builders.CACHE, network="mainnet", number=24443168),
    )
    timeline = Timeline(METRICS)
    timeline.add_baseline(baseline, 1)
    timeline.add_results(run)
    (block,) = timeline.blocks()
    assert [(each.id, each.tags, each.note) for each in block.sessions] == [(session.id, ("v1",), "recorded")]
    assert block.gas == result.invocations[0].gas


def test_head_is_taken_with_what_was_waived_of_it() -> None:
    blocks = of(reports.several())
    waived = [block for block in blocks.values() if block.sessions[0].waived]
    assert [block.block for block in waived] == ["mainnet/24443171"]
    assert set(waived[0].sessions[0].waived) == {"exec"}
    assert "mainnet/24443171" in {name for name, _ in blocks}


def test_what_callgrind_counted_belongs_to_another_machine_than_times() -> None:
    counted = reports.interleaved(
        24443170, 0.0, metrics=("exec", "instructions"), counted=reports.by_callgrind
    )
    run = msgspec.structs.replace(reports.run([counted]), counted_on=CALLGRIND)
    blocks = of(run)
    assert set(blocks["mainnet/24443170", run.machine].sessions[0].levels) == {"exec", "prep"}
    (session,) = blocks["mainnet/24443170", "any-x86"].sessions
    assert set(session.levels) == {"instructions"}
    assert "callgrind" in (session.levels["instructions"].counted or "")


def test_what_was_not_measured_has_no_history() -> None:
    assert of(reports.run([reports.block("mainnet/1", error="no such file")])) == {}


def test_an_earlier_history_adds_what_the_raw_data_has_lost() -> None:
    past = years.year(nights=30, epochs=[(10, "agreed upon")])
    late = msgspec.structs.replace(past, sessions=past.sessions[20:], epochs=past.epochs[:1])
    timeline = Timeline(METRICS)
    timeline.add_history([late])
    timeline.add_history([past])
    (block,) = timeline.blocks()
    assert block.sessions == past.sessions
    assert block.epochs == past.epochs


def test_blocks_are_in_the_order_of_their_numbers_and_can_be_chosen() -> None:
    timeline = Timeline(METRICS)
    timeline.add_history([years.year(nights=1, block=f"mainnet/{number}") for number in (10, 9, 100)])
    assert [block.block for block in timeline.blocks()] == ["mainnet/9", "mainnet/10", "mainnet/100"]
    assert [block.block for block in timeline.blocks({"mainnet/10"})] == ["mainnet/10"]
    assert timeline.blocks(machine="other") == []


def test_the_mean_is_that_of_what_is_judged_and_has_an_error() -> None:
    timeline = Timeline(METRICS)
    timeline.add_baseline(builders.make_baseline(builders.make_epoch([builders.exact(1, 50, 51, 49)])), 1)
    (block,) = timeline.blocks()
    level = block.sessions[0].levels["exec"]
    assert level.mean == pytest.approx(50e6, rel=1e-3)
    assert level.error == pytest.approx(0.02 / 3**0.5, rel=0.02)
