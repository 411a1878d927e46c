"""Real outputs of several perf versions and machines, read where they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ethrex_perf.counters.perf_output import Tally, read, tallies

SAMPLES = Path(__file__).parents[2].parent / "shared" / "perf-samples"
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="shared data is not here")


def text(name: str) -> str:
    return (SAMPLES / name).read_text(errors="replace")


def tally(name: str) -> dict[str, Tally]:
    return tallies(read(text(name)))


def values(name: str) -> dict[str, float | None]:
    return {event: one.value for event, one in tally(name).items()}


def test_perf_61_as_root_and_as_nobody() -> None:
    root, nobody = tally("local/j_root.jsonl"), tally("local/j_nobody_paranoid2.jsonl")
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
    found = tally(f"local/{name}")
    hardware = ("cycles", "instructions", "cache-misses", "cache-references", "branch-misses")
    for event in (*hardware, "L1-dcache-load-misses"):
        assert found[event].missing == "this machine does not support it"
    assert found["task-clock"].unit == "ns"
    assert found["cpu-migrations"].value == 0


def test_several_runs_at_once() -> None:
    assert values("local/r3.json") == {"task-clock": 387_096, "page-faults": 50}
    assert values("local/r3.csv") == {"task-clock": 550_000, "page-faults": 51}


def test_intervals() -> None:
    assert values("local/csv_interval.txt")["page-faults"] == 819 + 1024 + 806 + 986 + 768 + 768
    assert values("local/json_interval.jsonl")["page-faults"] == 818 + 1280 + 1024 + 809 + 983 + 256
    early = values("public/json_interval_number_metric_6.2dev.jsonl")
    assert early["task-clock"] == pytest.approx(212_360)


def test_hardware_counts_of_perf_613() -> None:
    found = tally("public/json_hw_with_threshold.jsonl")
    assert found["instructions"].value == 973_733
    assert found["cycles"].value == 1_256_220
    assert found["branches"].value == 173_880
    assert found["cache-misses"].value == 1312
    assert found["system_time"].value is None


def test_amd_user_only_and_multiplexed() -> None:
    zen5 = tally("public/csv_zen5_perf72_user_only.csv")
    assert zen5["instructions"].value == 22_287_659_913
    assert zen5["instructions"].event.user_only
    many = tally("public/csv_zen5_r5_variance_multiplexed.csv")
    assert many["ex_ret_brn"].value == 4_120_569_627
    assert many["ls_l1_d_tlb_miss.all"].running == 50
    assert many["ls_l1_d_tlb_miss.all"].value is None
    pipeline = tally("public/json_metric_only_lines_amd_pipeline.jsonl")
    assert set(pipeline) == {"ls_not_halted_cyc", "ex_ret_ops"}
    assert pipeline["ex_ret_ops"].value is None, "counted 83 % of the time"
    container = tally("public/json_perf68_container_amd.jsonl")
    assert container["cycles"].value is None
    assert container["msr/tsc/"].value == 1_810_008


def test_hybrid_intel() -> None:
    rows = read(text("public/csv_hybrid_unpinned_three_runs.csv"))
    runs = [tallies(rows[at : at + 2], core_cpus="0-15")["instructions"] for at in (0, 2, 4)]
    assert [run.value for run in runs] == [20_508_456_507, 21_988_562_811, None]
    assert "taskset -c 0-15" in str(runs[2].missing)
    rows = read(text("public/json_hybrid_before_after_2024-11_patch.jsonl"))
    both = [tallies(rows[at : at + 2])["branch-misses"] for at in (0, 2)]
    assert [(one.value, one.event.pmu) for one in both] == [(6326, "cpu_core"), (5778, "cpu_core")]


def test_json_that_is_none() -> None:
    assert values("public/json_broken_locale_fr.txt")["task-clock"] == pytest.approx(1_202_545)
    assert values("public/json_broken_trailing_comma_6.13rc.txt") == {"branch-misses": 3112}
    seven = tally("public/json_nan_metric_7x_paranoid2_system_wide.jsonl")
    assert seven["cpu-clock"].value is None
    assert seven["duration_time"].value == 1_006_642_462


def test_five_columns() -> None:
    found = tally("public/csv_virtualbox_2018_no_pmu_5cols.csv")
    assert found["page-faults"].value == 40
    assert found["cycles"].value is None


def test_supported_but_zero() -> None:
    found = tally("public/txt_vmware_hybrid_zero_counters.txt")
    assert found["instructions"].missing == "this machine supports it but counts nothing: 0"
    assert found["page-faults"].value == 97


def test_what_is_printed_for_people() -> None:
    found = tally("public/txt_default_stat_multiplexed_2026_r20.txt")
    assert found["page-faults"].value == 60
    assert found["cycles"].running == 66.67
    assert found["instructions"].value is None, "counted half of the time"
    assert set(tally("public/txt_nmi_watchdog_hint.txt")) == {
        "itlb_misses.walk_pending",
        "dtlb_load_misses.walk_pending",
        "cycles",
    }


@pytest.mark.parametrize(
    "name",
    [
        *("local/err_group_unsupported.txt", "local/err_paranoid_system_wide.txt"),
        *("local/err_unknown_event.txt", "local/err_workload_failed.txt"),
        *("public/txt_perf_wrapper_missing_tools_ubuntu.txt", "public/txt_rustc_perf_multiplex_panic.txt"),
        *("public/poop_multithreaded_noise.txt", "public/iai_gungraun_terminal.txt"),
    ],
)
def test_where_nothing_was_counted_nothing_is_read(name: str) -> None:
    assert read(text(name)) == []
