"""What else the machine did during an invocation, in trees of /proc and /sys made here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.host.noise import NoiseProbe
from pytest_ethrex_perf.records.measurement import Noise
from tests.host.trees import Tree, plant

if TYPE_CHECKING:
    from pathlib import Path

NOISE: Tree = {
    "proc/pressure/cpu": "some avg10=1.31 avg60=0.82 avg300=0.33 total=1000\nfull avg10=0 total=77\n",
    "proc/stat": "cpu  4633 0 2222 119571 199 0 32 12 0 0\ncpu0 480 0 766 62062 10 0 9 3 0 0\nbtime 1\n",
    "proc/loadavg": "0.75 0.08 0.02 2/90 5219\n",
    "proc/self/cgroup": "0::/user.slice/bench.scope\n",
    "sys/fs/cgroup/cgroup.procs": "",
    "sys/fs/cgroup/user.slice/bench.scope/cpu.stat": "usage_usec 1\nnr_throttled 3\nthrottled_usec 500\n",
}


def test_noise_is_what_happened_between_start_and_stop(tmp_path: Path) -> None:
    probe = NoiseProbe(plant(tmp_path, NOISE))
    probe.start()
    plant(
        tmp_path,
        {
            "proc/pressure/cpu": NOISE["proc/pressure/cpu"].replace("total=1000", "total=3500"),
            "proc/stat": NOISE["proc/stat"].replace(" 12 0 0", " 15 0 0"),
            "proc/loadavg": "9.00 9 9 2/90 5219\n",
            "sys/fs/cgroup/user.slice/bench.scope/cpu.stat": "throttled_usec 900\n",
        },
    )
    assert probe.stop() == Noise(psi_some_us=2500, steal_ticks=3, throttled_us=400, load1=0.75)


def test_a_machine_that_does_not_tell_is_not_guessed(tmp_path: Path) -> None:
    probe = NoiseProbe(tmp_path)
    probe.start()
    assert probe.stop() == Noise()


def test_nonsense_is_not_a_number(tmp_path: Path) -> None:
    tree = {name: "nan nan\n" for name in NOISE if not name.startswith("sys")}
    probe = NoiseProbe(plant(tmp_path, tree))
    probe.start()
    assert probe.stop() == Noise()


def test_a_counter_that_went_back_tells_nothing(tmp_path: Path) -> None:
    probe = NoiseProbe(plant(tmp_path, NOISE))
    probe.start()
    plant(tmp_path, {"proc/pressure/cpu": "some avg10=0 total=5\n"})
    assert probe.stop() == Noise(psi_some_us=None, steal_ticks=0, throttled_us=0, load1=0.75)


@pytest.mark.parametrize(
    ("cgroup", "stat"),
    [
        ("0::/\n", "sys/fs/cgroup/cpu.stat"),  # a container with a cgroup namespace of its own
        ("0::/docker/abc\n", "sys/fs/cgroup/cpu.stat"),  # one without: the path is the host's
        ("0::/../../x\n", "sys/fs/cgroup/cpu.stat"),
        ("0::/a/b\n", "sys/fs/cgroup/a/cpu.stat"),  # the controller is on for the parent only
    ],
)
def test_throttling_is_that_of_the_nearest_cgroup_that_tells(tmp_path: Path, cgroup: str, stat: str) -> None:
    (tmp_path / "sys/fs/cgroup/a/b").mkdir(parents=True)
    probe = NoiseProbe(
        plant(
            tmp_path,
            {"proc/self/cgroup": cgroup, "sys/fs/cgroup/cgroup.procs": "", stat: "throttled_usec 1\n"},
        )
    )
    probe.start()
    plant(tmp_path, {stat: "throttled_usec 8\n"})
    assert probe.stop().throttled_us == 7


def test_the_second_hierarchy_of_an_old_host_is_found_too(tmp_path: Path) -> None:
    tree = {
        "proc/self/cgroup": "1:cpu:/\n0::/\n",
        "sys/fs/cgroup/unified/cgroup.procs": "",
        "sys/fs/cgroup/unified/cpu.stat": "throttled_usec 1\n",
    }
    probe = NoiseProbe(plant(tmp_path, tree))
    probe.start()
    assert probe.stop().throttled_us == 0


def test_throttling_of_cgroup_v1_is_read(tmp_path: Path) -> None:
    stat = "sys/fs/cgroup/cpu,cpuacct/a/cpu.stat"
    tree = {
        "proc/self/cgroup": "12:pids:/a\n4:cpu,cpuacct:/a\n1:name=systemd:/a\n",
        stat: "nr_periods 4\nnr_throttled 2\nthrottled_time 1000000\n",
    }
    probe = NoiseProbe(plant(tmp_path, tree))
    probe.start()
    plant(tmp_path, {stat: "nr_periods 9\nnr_throttled 3\nthrottled_time 8000000\n"})
    assert probe.stop().throttled_us == 7000
