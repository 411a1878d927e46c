"""Outputs of several perf versions and machines: tests/counters/samples/README.md says whose."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ethrex_perf.counters.perf_output import Tally, read, tallies

SAMPLES = Path(__file__).parent / "samples"


def text(name: str) -> str:
    return (SAMPLES / name).read_text(encoding="utf-8")


def tally(name: str) -> dict[str, Tally]:
    return tallies(read(text(name)))


def values(name: str) -> dict[str, float | None]:
    return {event: one.value for event, one in tally(name).items()}


def test_perf_61_as_root_and_as_nobody() -> None:
    root, nobody = tally("recorded/j_root.jsonl"), tally("recorded/j_nobody_paranoid2.jsonl")
    assert root["task-clock"].value == pytest.approx(18_113_348)
    assert root["page-faults"].value == 5171
    assert root["context-switches"].value == 20
    assert {one.event.user_only for one in root.values()} == {False}
    assert {one.event.user_only for one in nobody.values()} == {True}
    assert nobody["page-faults"].value == 5169
    assert nobody["context-switches"].value is None
    assert nobody["system_time"].missing is not None
    assert nobody["user_time"].value == 15_409_000


@pytest.mark.parametrize("name", ["perf61_vm_nohw.json", "perf61_vm_nohw.csv", "perf61_vm_nohw.txt"])
def test_a_machine_without_a_pmu(name: str) -> None:
    found = tally(f"recorded/{name}")
    hardware = ("cycles", "instructions", "cache-misses", "cache-references", "branch-misses")
    for event in (*hardware, "L1-dcache-load-misses"):
        assert found[event].missing == "this machine does not support it"
    assert found["task-clock"].unit == "ns"
    assert found["cpu-migrations"].value == 0


def test_several_runs_at_once() -> None:
    assert values("recorded/r3.json") == {"task-clock": 387_096, "page-faults": 50}
    assert values("recorded/r3.csv") == {"task-clock": 550_000, "page-faults": 51}


def test_intervals() -> None:
    assert values("recorded/csv_interval.txt")["page-faults"] == 819 + 1024 + 806 + 986 + 768 + 768
    assert values("recorded/json_interval.jsonl")["page-faults"] == 818 + 1280 + 1024 + 809 + 983 + 256
    early = values("written/interval_number_metric.jsonl")
    assert early["task-clock"] == pytest.approx(345_678)


def test_hardware_counts_of_perf_613() -> None:
    found = tally("written/hardware_perf613.jsonl")
    assert found["instructions"].value == 1_234_567
    assert found["cycles"].value == 1_533_339
    assert found["branches"].value == 210_987
    assert found["cache-misses"].value == 1789
    assert found["system_time"].value is None


def test_amd_user_only_and_multiplexed() -> None:
    zen5 = tally("written/amd_user_only.csv")
    assert zen5["instructions"].value == 15_098_765_432
    assert zen5["instructions"].event.user_only
    many = tally("written/amd_multiplexed.csv")
    assert many["ex_ret_brn"].value == 3_012_345_678
    assert many["ls_l1_d_tlb_miss.all"].running == 50
    assert many["ls_l1_d_tlb_miss.all"].value is None
    pipeline = tally("written/metric_only_lines.jsonl")
    assert set(pipeline) == {"ls_not_halted_cyc", "ex_ret_ops"}
    assert pipeline["ex_ret_ops"].value is None, "counted 83 % of the time"
    container = tally("written/container.jsonl")
    assert container["cycles"].value is None
    assert container["msr/tsc/"].value == 3_141_592


def test_hybrid_intel() -> None:
    rows = read(text("written/hybrid_three_runs.csv"))
    runs = [tallies(rows[at : at + 2], core_cpus="0-15")["instructions"] for at in (0, 2, 4)]
    assert [run.value for run in runs] == [31_200_400_500, 30_100_200_300, None]
    assert "taskset -c 0-15" in str(runs[2].missing)
    rows = read(text("written/hybrid_before_and_after_perf613.jsonl"))
    both = [tallies(rows[at : at + 2])["branch-misses"] for at in (0, 2)]
    assert [(one.value, one.event.pmu) for one in both] == [(7411, "cpu_core"), (6922, "cpu_core")]


def test_json_that_is_none() -> None:
    assert values("written/decimal_commas.txt")["task-clock"] == pytest.approx(1_318_273)
    assert values("written/trailing_comma.txt") == {"branch-misses": 4223}
    seven = tally("written/metric_nan.jsonl")
    assert seven["cpu-clock"].value is None
    assert seven["duration_time"].value == 2_003_456_789


def test_five_columns() -> None:
    found = tally("written/five_columns.csv")
    assert found["page-faults"].value == 63
    assert found["cycles"].value is None


def test_supported_but_zero() -> None:
    found = tally("written/supported_but_zero.txt")
    assert found["instructions"].missing == "this machine supports it but counts nothing: 0"
    assert found["page-faults"].value == 112


def test_what_is_printed_for_people() -> None:
    found = tally("written/multiplexed_twenty_runs.txt")
    assert found["page-faults"].value == 71
    assert found["cycles"].running == 66.67
    assert found["instructions"].value is None, "counted half of the time"
    assert set(tally("written/watchdog_hint.txt")) == {
        "itlb_misses.walk_pending",
        "dtlb_load_misses.walk_pending",
        "cycles",
    }


@pytest.mark.parametrize(
    "name",
    [
        *("recorded/err_group_unsupported.txt", "recorded/err_paranoid_system_wide.txt"),
        *("recorded/err_unknown_event.txt", "recorded/err_workload_failed.txt"),
        *("written/wrapper_without_tools.txt", "written/reader_panicked.txt"),
        *("written/table_of_poop.txt", "written/table_of_callgrind.txt"),
    ],
)
def test_where_nothing_was_counted_nothing_is_read(name: str) -> None:
    assert read(text(name)) == []
