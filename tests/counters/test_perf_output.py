"""What perf wrote is read for what it says, in every version and on every machine."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_ethrex_perf.counters.perf_output import SOFTWARE, Event, PrintedEvent, event_of, read, tallies

HEAD = "# started on Mon Nov 23 02:56:13 2026\n\n"
JSON_61 = """\
{"counter-value" : "7.250000", "unit" : "msec", "event" : "task-clock:u", "event-runtime" : 7250000, \
"pcnt-running" : 100.00, "metric-value" : 0.057776, "metric-unit" : "CPUs utilized"}
{"counter-value" : "81.000000", "unit" : "", "event" : "page-faults:u", "event-runtime" : 7250000, \
"pcnt-running" : 100.00, "metric-value" : 11.172414, "metric-unit" : "K/sec"}
"""
JSON_68 = """\
{"counter-value" : "4000000.000000", "unit" : "", "event" : "instructions:u", "event-runtime" : 910000, \
"pcnt-running" : 100.00, "metric-value" : "2.000000", "metric-unit" : "insn per cycle"}
{"metric-value" : "25.000000", "metric-unit" : "%  frontend_bound"}
{"counter-value" : "2000000.000000", "unit" : "", "event" : "cpu-cycles:u", "variance" : 0.25, \
"event-runtime" : 910000, "pcnt-running" : 96.00, "metric-value" : "2.2", "metric-unit" : "GHz"}
"""
JSON_7 = """\
{"counter-value" : "<not counted>", "unit" : "", "event" : "branches:u", "event-runtime" : 0, \
"pcnt-running" : 0.00}
{"counter-value" : "52.000000", "unit" : "", "event" : "branch-misses:u", "event-runtime" : 910000, \
"pcnt-running" : 100.00, "metric-value" : "nan", "metric-threshold" : "bad"}
"""
CSV_515 = """\
3.50;msec;task-clock:u;3500000;100.00;0.350;CPUs utilized
4000000;;instructions:u;910000;100.00;2.00;insn per cycle
<not supported>;;cache-misses:u;0;100.00;;
2000000;;cycles:u;0.25%;910000;96.00;;
"""
TEXT = """\
 Performance counter stats for './program':

              0.50 msec task-clock                #    0.098 CPUs utilized
                 0      cpu_core/instructions/    #    0.000 /sec
     1,204,004,703      branches:u                #   1810.3 M/sec  branch_frequency  ( +-  0.00% )  (50.00%)
   <not counted>        itlb_misses.walk_pending       (0.00%)

       0.000824506 seconds time elapsed
       0.000906000 seconds user
"""


def test_json_of_every_age_is_read() -> None:
    assert read(HEAD + JSON_61) == [
        PrintedEvent("task-clock:u", 7.25, "msec"),
        PrintedEvent("page-faults:u", 81, ""),
    ]
    assert read(JSON_68) == [
        PrintedEvent("instructions:u", 4e6, ""),
        PrintedEvent("cpu-cycles:u", 2e6, "", running=96),
    ]
    assert read(JSON_7) == [
        PrintedEvent("branches:u", None, "", running=0, state="not counted"),
        PrintedEvent("branch-misses:u", 52, ""),
    ]


def test_json_with_a_comma_too_many_or_decimal_commas_is_read() -> None:
    extra = '{"counter-value" : "31.000000",\n "event" : "branches", "pcnt-running" : 100.00, }'
    french = (
        '{"counter-value" : "1,250000", "unit" : "msec", "event" :\n "task-clock", "pcnt-running" : 99,50}'
    )
    assert read(f"{extra}\n{french}") == [
        PrintedEvent("branches", 31, ""),
        PrintedEvent("task-clock", 1.25, "msec", running=99.5),
    ]


def test_csv_is_read_with_and_without_variance() -> None:
    assert read(HEAD + CSV_515) == [
        PrintedEvent("task-clock:u", 3.5, "msec"),
        PrintedEvent("instructions:u", 4e6, ""),
        PrintedEvent("cache-misses:u", None, "", state="not supported"),
        PrintedEvent("cycles:u", 2e6, "", running=96),
    ]


def test_csv_with_commas_and_of_five_columns_is_read() -> None:
    assert read("12,,branches:u,0.23%,1500,50.00,0.4,per_1k  x\n7,,cs,99,100.00\n") == [
        PrintedEvent("branches:u", 12, "", running=50),
        PrintedEvent("cs", 7, ""),
    ]


def test_intervals_are_read_and_added_up() -> None:
    json_ = '{"interval" : 0.01, "counter-value" : "5.0", "event" : "faults", "pcnt-running" : 100.0}\n'
    csv = "     0.01;5;;faults;22562;100.00;362.991;K/sec\n     0.02;6;;faults;22562;98.00;3.9;K/sec\n"
    assert read(json_)[0].interval == 0.01
    assert [(row.interval, row.value) for row in read(csv)] == [(0.01, 5), (0.02, 6)]
    tally = tallies(read(csv))["page-faults"]
    assert (tally.value, tally.running) == (11, 98)


def test_what_perf_prints_for_people_is_read() -> None:
    assert read(TEXT) == [
        PrintedEvent("task-clock", 0.5, "msec"),
        PrintedEvent("cpu_core/instructions/", 0, ""),
        PrintedEvent("branches:u", 1_204_004_703, "", running=50),
        PrintedEvent("itlb_misses.walk_pending", None, "", running=0, state="not counted"),
    ]


@pytest.mark.parametrize(
    ("printed", "event"),
    [
        ("cycles", Event("cycles", None, user_only=False)),
        ("cpu-cycles:u", Event("cycles", None, user_only=True)),
        ("cpu/cycles/u", Event("cycles", None, user_only=True)),
        ("cpu_core/cycles/u", Event("cycles", "cpu_core", user_only=True)),
        ("armv8_pmuv3_0/instructions:u/", Event("instructions", "armv8_pmuv3_0", user_only=True)),
        ("branch-instructions:uk", Event("branches", None, user_only=False)),
        ("L1-dcache-load-misses:u", Event("L1-dcache-load-misses", None, user_only=True)),
        ("instructions:uppp", Event("instructions", None, user_only=True)),
        ("msr/tsc/", Event("msr/tsc/", None, user_only=False)),
        ("sched:sched_switch", Event("sched:sched_switch", None, user_only=False)),
        ("ls_l1_d_tlb_miss.all:u", Event("ls_l1_d_tlb_miss.all", None, user_only=True)),
    ],
)
def test_pmu_and_modifiers_are_told_from_the_event(printed: str, event: Event) -> None:
    assert event_of(printed) == event


def test_times_are_nanoseconds() -> None:
    found = tallies(read("3.50;msec;task-clock:u;3500000;100.00;;\n90;ns;duration_time;1;100.00;;\n"))
    assert (found["task-clock"].value, found["task-clock"].unit) == (3_500_000, "ns")
    assert (found["duration_time"].value, found["duration_time"].unit) == (90, "ns")


@pytest.mark.parametrize(
    ("row", "missing"),
    [
        ("<not supported>;;cycles:u;0;100.00;;", "does not support it"),
        ("<not counted>;;cycles:u;0;0.00;;", "no counter was free"),
        ("5000;;cycles:u;100;89.00;;", "89 % of the time only"),
        ("0;;cycles:u;100;100.00;;", "counts nothing: 0"),
        ("0;;context-switches:u;100;100.00;;", "happens in the kernel"),
    ],
)
def test_what_was_not_counted_says_why(row: str, missing: str) -> None:
    (tally,) = tallies(read(row)).values()
    assert tally.value is None
    assert missing in str(tally.missing)


def test_a_count_that_was_scaled_a_little_is_kept_with_its_share() -> None:
    (tally,) = tallies(read("5000;;cycles:u;100;90.00;;")).values()
    assert (tally.value, tally.running, tally.missing) == (5000, 90, None)


def test_software_events_may_be_zero() -> None:
    assert tallies(read("0;;major-faults:u;100;100.00;;"))["major-faults"].value == 0


def test_on_a_hybrid_cpu_one_kind_of_core_counts_all_or_nothing_is_known() -> None:
    pinned = "<not counted>;;cpu_atom/cycles/u;0;0.00;;\n700;;cpu_core/cycles/u;100;100.00;;"
    tally = tallies(read(pinned))["cycles"]
    assert (tally.value, tally.event) == (700, Event("cycles", "cpu_core", user_only=True))
    moved = "30;;cpu_atom/cycles/u;16;2.00;;\n700;;cpu_core/cycles/u;100;97.00;;"
    tally = tallies(read(moved), core_cpus="0-15")["cycles"]
    assert tally.value is None
    assert tally.missing == (
        "it ran on several kinds of core (cpu_atom 2 %, cpu_core 97 %): pin it to one, "
        "e.g. --ethrex-prefix 'taskset -c 0-15'"
    )


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_nothing_that_perf_might_write_is_an_exception(text: str) -> None:
    tallies(read(text))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["cycles:u", "instructions:u", "faults", "cpu_core/branches/u", "x.y"]),
            st.floats(0, 1e15).map(lambda value: round(value, 2)),
            st.integers(0, 100),
        ),
        unique_by=lambda row: row[0],
    )
)
def test_json_and_csv_say_the_same(rows: list[tuple[str, float, int]]) -> None:
    csv = "".join(f"{value:.2f};;{event};10;{running}.00;;\n" for event, value, running in rows)
    json_ = "".join(
        f'{{"counter-value" : "{value:.6f}", "event" : "{event}", "pcnt-running" : {running}.00}}\n'
        for event, value, running in rows
    )
    printed = [PrintedEvent(event, value, "", running) for event, value, running in rows]
    assert read(csv) == read(json_) == printed


def test_events_of_the_kernels_own_are_known_by_their_one_name() -> None:
    assert {event_of(event).name for event in SOFTWARE} == SOFTWARE


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        *(("1.397,97 msec task-clock", 1397.97), ("1,397.97 msec task-clock", 1397.97)),
        *(("1.234.397,97 msec task-clock", 1_234_397.97), ("0,50 msec task-clock", 0.5)),
        *(
            ("1.204.004.703 branches", 1_204_004_703),
            ("1,397 cycles", 1397),
            ("1.234.567 ns duration_time", 1_234_567),
        ),
    ],
)
def test_numbers_for_people_are_read_in_either_locale(printed: str, value: float) -> None:
    (row,) = read(f"   {printed}   (100.00%)\n")
    assert row.value == value


@pytest.mark.parametrize(
    "printed",
    ["1.397 cycles", "1.397 msec task-clock", "1,397 msec task-clock", "1,2,3 cycles", "1.39,797.1 cycles"],
)
def test_a_number_that_can_be_read_in_two_ways_is_refused(printed: str) -> None:
    (tally,) = tallies(read(f"   {printed}\n")).values()
    assert tally.value is None
    assert tally.missing == f"{printed.partition(' ')[0]} can be read in two ways: run perf with LC_ALL=C"


def test_a_decimal_comma_between_commas_is_no_interval() -> None:
    assert read("1397,97,msec,task-clock,1397970,100,00,0,9,CPUs utilized\n") == []


CORE = "31200400500;;cpu_core/instructions:u/;812345678;100.00;;\n"


def test_the_first_row_of_a_hybrid_cpu_alone_is_refused() -> None:
    tally = tallies(read(CORE), asked=["instructions:u", "task-clock:u"])["instructions"]
    assert tally.missing == "perf's output was cut: it has a row of cpu_core alone"


def test_a_virtual_machine_with_one_kind_of_core_is_whole() -> None:
    rows = read(f"{CORE}3.50;msec;task-clock:u;3500000;100.00;;\n")
    assert tallies(rows, asked=["instructions:u", "task-clock:u"])["instructions"].value == 31_200_400_500


def test_a_kind_of_core_that_was_asked_for_by_name_is_whole() -> None:
    asked = tallies(read(CORE), asked=["cpu_core/instructions/u", "task-clock:u"])
    assert asked["instructions"].value == 31_200_400_500


@given(st.integers(0, 10**15), st.sampled_from([",", ".", ""]))
@example(10**15, ",")
def test_a_count_for_people_is_itself_or_refused(count: int, mark: str) -> None:
    (row,) = read(f" {f'{count:,}'.replace(',', mark)}   cycles\n")
    assert row.value in {float(count), None}
    assert (row.value is None) == (mark == "." and 1000 <= count < 10**6)
