from __future__ import annotations

from pytest_ethrex_perf.profile.sampling import frequencies


def test_each_invocation_is_sampled_at_a_rate_of_its_own() -> None:
    rates = frequencies(8, 997)
    assert rates[0] == 997
    assert len(set(rates)) == 8
    assert all(0.85 * 997 <= rate <= 1.15 * 997 for rate in rates)
