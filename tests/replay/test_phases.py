"""Phases from every layout that `[METRIC]` lines have had."""

from __future__ import annotations

import pytest

from pytest_ethrex_perf.replay.phases import median_phases

START = "[METRIC] BLOCK EXECUTION THROUGHPUT"
ONE_LINE = f"{START} (1): 0.185 Ggas/s TIME SPENT: 200 ms. Gas Used: 0.004 (7%), #Txs: 11."
LAYOUT_3 = "block validation: 1% exec+merkle: 97% (exec: 90% merkle: 96% max_queue_length: 1) store: 2%"
LAYOUT_4 = "block validation: 1% | exec(w/merkle): 83% | merkle-only: 8% (max_queue_length: 1) | store: 8%"


@pytest.mark.parametrize(
    ("layout", "phases"),
    [
        ([f"{START}: 0.18512 Gigagas/s TIME SPENT: 200 msecs"], {}),
        ([ONE_LINE], {}),
        (
            [f"{ONE_LINE} exec: 80% merkle: 15% store: 5%"],
            {"exec": 160, "merkle": 30, "store": 10},
        ),
        (
            [f"{ONE_LINE} {LAYOUT_3}"],
            {"validate": 2, "exec": 180, "merkle": 14, "merkle (concurrent)": 192, "store": 4},
        ),
        (
            [f"{ONE_LINE} {LAYOUT_4}"],
            {"validate": 2, "exec": 166, "merkle": 16, "store": 16},
        ),
        (
            [
                "[METRIC] BLOCK 1265656 | 0.176 Ggas/s | 25 ms | 11 txs | 4 Mgas (7%)",
                "|- validate:    0 ms  ( 0%)",
                "|- exec:       19 ms  (76%) << BOTTLENECK",
                "|- merkle:      5 ms  (20%)  [concurrent: 18 ms, drain: 5 ms, overlap: 79%, queue: 0]",
                "|- store:       1 ms  ( 0%)",
                "`- warmer:     15 ms         [finished: 4 ms before exec]",
            ],
            {"validate": 0, "exec": 19, "merkle": 5, "merkle (concurrent)": 18, "store": 1, "warmer": 15},
        ),
        (
            [
                "[METRIC] BLOCK 1265656 0xac77c202 | 0.176 Ggas/s | 25.31 ms | 11 txs | 4 Mgas (7%)",
                "|- exec:    19.25 ms  (76%)",
                "|- merkle:   5.50 ms  (20%) << BOTTLENECK  [concurrent: 18.75 ms, drain: 5.50 ms, …]",
            ],
            {"exec": 19.25, "merkle": 5.5, "merkle (concurrent)": 18.75},
        ),
    ],
)
def test_every_layout_gives_its_phases_in_ms(layout: list[str], phases: dict[str, float]) -> None:
    assert median_phases(layout) == phases


def test_the_median_is_over_the_executions() -> None:
    lines = []
    for ms in (30, 10, 20):
        lines += ["[METRIC] BLOCK 1 | 0.1 Ggas/s | 25 ms | 11 txs | 4 Mgas (7%)", f"|- exec: {ms} ms  (76%)"]
    assert median_phases(lines) == {"exec": 20}


@pytest.mark.parametrize(
    "line",
    [
        "[METRIC] BLOCK BUILDING THROUGHPUT: 1.234 Gigagas/s TIME SPENT: 567 msecs exec: 50%",
        "[METRIC] something entirely new: exec 12 ms",
        "|- exec: 12 ms (without a block before it)",
        "",
    ],
)
def test_what_does_not_parse_is_left_out(line: str) -> None:
    assert median_phases([line]) == {}
