from __future__ import annotations

import pytest

from pytest_ethrex_perf.host.proc import cpu_list


@pytest.mark.parametrize(
    ("text", "cpus"),
    [
        ("0-3,8", [0, 1, 2, 3, 8]),
        ("5\n", [5]),
        ("", []),
        ("none", []),
        ("0-x", []),
        ("0-1,2-3", [0, 1, 2, 3]),
    ],
)
def test_lists_of_cpus_are_read(text: str, cpus: list[int]) -> None:
    assert cpu_list(text) == cpus
