import numpy as np

from pytest_ethrex_perf.baseline.segments import propose


def test_a_clear_step_is_proposed() -> None:
    values = np.zeros(40)
    values[25:] = 8
    assert propose(values) == [25]
    assert propose(np.zeros(40)) == []
