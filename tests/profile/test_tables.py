from __future__ import annotations

from pytest_ethrex_perf.profile import tables
from pytest_ethrex_perf.profile.differential import explain
from tests.profile import samples as made


def test_an_explanation_reads_from_the_largest_change_to_what_is_unexplained() -> None:
    base = [made.profile(made.executing({"a": [20] * 4, "b": [30] * 4, "c": [3] * 4})) for _ in range(2)]
    head = [made.profile(made.executing({"a": [29] * 4, "b": [10] * 4, "c": [3] * 4})) for _ in range(2)]
    assert list(tables.explanation(explain(base, head, measured_ms=(60, 49.5)))) == [
        "exec 60.00 → 49.50 ms (−10.50 ms, measured by the gate); 6 and 6 repeats profiled",
        "CPU ms per block, self time, by what changed most:",
        "  change     ±   base   head  function",
        "  −20.00  2.58  30.00  10.00  b  ← ethrex_vm::run",
        "   +9.00  2.86  20.00  29.00  a  ← ethrex_vm::run",
        (
            "these add up to −11.00 ms; 1 others, each within two standard errors, to 0.00 ms: "
            "CPU time on all threads −11.00 ± 3.98 ms"
        ),
        (
            "exec's own change differs from that by +0.50 ms "
            "(the kernel, waiting, and what threads do beside each other)"
        ),
    ]


def test_names_from_a_file_cannot_steer_the_terminal() -> None:
    assert tables.cut("evil\x1b[2Jname") == "evil[2Jname"
    assert len(tables.cut("x" * 500)) == 100
