import numpy as np
import pytest

from benchmarks.noise import (
    COUNTED,
    MACHINES,
    Machine,
    Recorded,
    recordings,
    resample,
    simulate_pairs,
    simulate_sessions,
)
from benchmarks.samples import samples

STILL = Machine("still", process=0.0, repeat=0.0, session=0.0, drift=0.0)


def test_a_machine_without_noise_measures_the_block() -> None:
    sides = simulate_pairs(STILL, np.random.default_rng(1), trials=2, pairs=3)
    assert sides.base.shape == sides.head.shape == (2, 3, COUNTED)
    assert sides.base == pytest.approx(0.060)
    assert sides.slowed(0.03).head == pytest.approx(0.0618)


def test_pairs_cancel_what_a_session_drifts_by() -> None:
    drifting = Machine("drifting", process=0.0, repeat=0.0, session=0.0, drift=0.05)
    sides = simulate_pairs(drifting, np.random.default_rng(2), trials=500, pairs=24)
    assert samples(sides.base).std(axis=1).mean() > 0.015
    assert (samples(sides.head) - samples(sides.base)).std() == pytest.approx(0.05 / np.sqrt(48), rel=0.05)


def test_the_process_component_is_shared_by_the_repeats_of_an_invocation() -> None:
    machine = Machine("processes", process=0.01, repeat=0.0, session=0.0, drift=0.0, bad_invocations=0.0)
    base = np.log(simulate_pairs(machine, np.random.default_rng(3), trials=500, pairs=6).base)
    assert np.ptp(base, axis=2).max() < 1e-12
    assert base[:, :, 0].std() == pytest.approx(0.01, rel=0.05)


def test_repeats_are_skewed_to_the_right_and_correlated() -> None:
    machine = Machine("repeats", process=0.0, repeat=0.01, session=0.0, drift=0.0, bad_repeats=0.0)
    logs = np.log(simulate_pairs(machine, np.random.default_rng(4), trials=2000, pairs=6).base / 0.060)
    assert logs.std() == pytest.approx(0.01, rel=0.05)
    assert (logs**3).mean() / logs.std() ** 3 > 1
    assert np.corrcoef(logs[..., 1:].ravel(), logs[..., :-1].ravel())[0, 1] == pytest.approx(0.35, abs=0.05)


def test_sessions_differ_by_the_session_component() -> None:
    machine = Machine("sessions", process=0.0, repeat=0.0, session=0.02, drift=0.0)
    times = simulate_sessions(machine, np.random.default_rng(5), trials=1000, sessions=3, invocations=2)
    assert times.shape == (1000, 3, 2, COUNTED)
    assert np.log(times[:, :, 0, 0]).std() == pytest.approx(0.02, rel=0.05)


def test_noisier_machines_have_noisier_pairs() -> None:
    spreads = []
    for machine in MACHINES:
        sides = simulate_pairs(machine, np.random.default_rng(6), trials=200, pairs=24)
        spreads.append((samples(sides.head) - samples(sides.base)).std())
    assert spreads == sorted(spreads)


@pytest.fixture(params=recordings(), ids=lambda recorded: recorded.name)
def recorded(request: pytest.FixtureRequest) -> Recorded:
    found = request.param
    assert isinstance(found, Recorded)
    return found


def test_recorded_pairs_are_centred(recorded: Recorded) -> None:
    assert recorded.pairs == {"aa_1": 60, "null_85ef3d33": 40}[recorded.name]
    ratios = samples(recorded.sides.head) - samples(recorded.sides.base)
    assert ratios.shape == (1, recorded.pairs)
    assert ratios.mean() == pytest.approx(0, abs=1e-12)


def test_resampling_keeps_pairs_whole_and_swaps_their_sides(recorded: Recorded) -> None:
    sides = resample(recorded, np.random.default_rng(7), trials=50, pairs=8)
    known = np.stack([recorded.sides.base[0], recorded.sides.head[0]], axis=1)
    drawn = np.stack([sides.base, sides.head], axis=2).reshape(-1, 2, COUNTED)
    as_recorded = (drawn[:, None] == known).all(axis=(2, 3)).any(axis=1)
    swapped = (drawn[:, None] == known[:, ::-1]).all(axis=(2, 3)).any(axis=1)
    assert (as_recorded | swapped).all()
    assert 0.4 < swapped.mean() < 0.6
