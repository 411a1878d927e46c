"""What can be counted here is found out once, and told in one line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ethrex_perf.counters import callgrind, probe
from pytest_ethrex_perf.counters.choice import Chosen, choose
from pytest_ethrex_perf.counters.perf_stat import Perf
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.host.perf_tool import PerfTool, install_command
from pytest_ethrex_perf.replay.instrument import NOTHING
from tests.counters import fake_perf

if TYPE_CHECKING:
    from pathlib import Path

HARDWARE = {"instructions:u": 1000, "cycles:u": 500, "task-clock:u": 2}
DENIED = """\
Error:
Access to performance monitoring and observability operations is limited.
Consider adjusting /proc/sys/kernel/perf_event_paranoid setting to open
access …
"""
WRAPPER = """\
WARNING: perf not found for kernel 6.14.0-1018

  You may need to install the following packages for this specific kernel:
    linux-tools-6.14.0-1018-aws"""


class Host:
    """A machine whose perf, /proc and /sys are made up."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def perf(self, **plan: Any) -> Path:
        return fake_perf.write(self.path / "bin", **plan)

    def file(self, name: str, text: str) -> None:
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_text(text)

    @property
    def environ(self) -> dict[str, str]:
        return {"PATH": f"{self.path / 'bin'}:/nowhere"}

    def probe(self) -> probe.Probed:
        return probe.probe(
            {**self.environ, "PATH": f"{self.path / 'bin'}{os.pathsep}{os.defpath}"}, root=self.path
        )

    def choose(self, mode: Any, **given: Any) -> Chosen:
        environ = {"PATH": f"{self.path / 'bin'}{os.pathsep}{os.defpath}"}
        return choose(mode, environ, root=self.path, **given)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_a_machine_with_a_pmu_and_permission_counts_with_perf(host: Host) -> None:
    host.perf(per_repeat=HARDWARE)
    probed = host.probe()
    assert probed.state == "perf"
    assert probed.tool == PerfTool(str(host.path / "bin/perf"), "6.8.12")
    assert host.choose("auto").message == "perf 6.8 counts this CPU's events, method window"


def test_without_perf_it_says_how_to_get_it(host: Host) -> None:
    host.file("etc/os-release", "ID=debian\n")
    probed = probe.probe(host.environ, root=host.path)
    assert probed.state == "no perf"
    assert probed.message == "no perf: perf is not installed: sudo apt-get install linux-perf"
    chosen = choose("auto", host.environ, root=host.path)
    assert chosen.instrument is NOTHING
    assert chosen.message.endswith("CPU time, page faults, context switches and memory come from wait4")


def test_ubuntus_wrapper_without_its_tools_is_no_perf(host: Host) -> None:
    host.perf(version=WRAPPER)
    probed = host.probe()
    assert probed.state == "no perf"
    assert probed.message.endswith(
        "perf has no tools for this kernel: sudo apt-get install linux-tools-$(uname -r)"
    )


def test_a_perf_that_is_too_old_is_named_with_the_version_that_is_not(host: Host) -> None:
    host.perf(version="perf version 5.4.231", per_repeat=HARDWARE)
    probed = host.probe()
    told = "perf 5.4.231 is too old: counting only the repeats takes perf 5.10 or newer"
    assert probed == probe.Probed("too old", told)
    assert host.choose("auto").instrument is NOTHING
    for given in ({"mode": "perf"}, {"mode": "auto", "judged": ["task-clock"]}):
        with pytest.raises(UsageError, match=told):
            host.choose(**given)


@pytest.mark.parametrize(("version", "counts"), [("5.9.16", None), ("5.10.0", "5.10"), ("6.1.187", "6.1")])
def test_the_perf_that_counts_has_a_version(host: Host, version: str, counts: str | None) -> None:
    host.perf(version=f"perf version {version}")
    assert probe.version({"PATH": f"{host.path / 'bin'}{os.pathsep}{os.defpath}"}) == counts


def test_where_it_is_not_permitted_the_sysctl_is_named(host: Host) -> None:
    host.perf(returncode=255, says=DENIED)
    host.file("proc/sys/kernel/perf_event_paranoid", "4\n")
    assert host.probe() == probe.Probed(
        "not permitted",
        "not permitted: perf_event_paranoid = 4: allow it with `sudo sysctl -w kernel.perf_event_paranoid=2`",
    )


def test_in_a_container_it_says_what_the_container_needs(host: Host) -> None:
    host.perf(returncode=255, says="Error:\nNo permission to enable instructions:u event.\n")
    host.file("proc/sys/kernel/perf_event_paranoid", "2\n")
    told = host.probe().message
    assert told.startswith(
        "not permitted (perf_event_paranoid = 2): No permission to enable instructions:u event;"
    )
    assert "--cap-add PERFMON" in told


def test_without_a_pmu_what_needs_none_is_counted(host: Host) -> None:
    host.perf(per_repeat={"task-clock:u": 2})
    probed = host.probe()
    assert probed.state == "no PMU"
    assert probed.tool is not None
    chosen = host.choose("auto")
    assert chosen.message == (
        "no PMU: this (virtual) machine shows none of its CPU's counters; task-clock is counted"
    )
    assert isinstance(chosen.instrument, Perf)
    assert chosen.instrument.counted(turn=0) == ("task-clock:u",)


def test_a_pmu_that_counts_nothing_is_none(host: Host) -> None:
    host.perf(per_repeat={"instructions:u": 0, "cycles:u": 0, "task-clock:u": 2})
    (host.path / "sys/bus/event_source/devices/cpu").mkdir(parents=True)
    assert host.probe().message == "no PMU that counts: this machine supports it but counts nothing: 0"


def test_hybrid_cores_are_known(host: Host) -> None:
    assert probe.core_cpus(host.path) is None
    host.file("sys/devices/cpu_core/cpus", "0-15\n")
    assert probe.core_cpus(host.path) == "0-15"


def test_off_counts_nothing_and_asks_nobody(host: Host) -> None:
    perf = host.perf(per_repeat=HARDWARE)
    assert host.choose("off").instrument is NOTHING
    assert fake_perf.asked(perf) == []


def test_an_event_that_perf_does_not_know_is_refused(host: Host) -> None:
    host.perf(per_repeat=HARDWARE, unknown="nosuch")
    with pytest.raises(UsageError, match=r"--ethrex-events: perf 6\.8 does not know nosuch: `perf list`"):
        host.choose("perf", named=["nosuch", "LLC-loads"])


def test_an_event_of_the_users_is_counted_in_its_turn(host: Host) -> None:
    host.perf(per_repeat=HARDWARE)
    instrument = host.choose("auto", named=["LLC-loads", "major-faults"]).instrument
    assert isinstance(instrument, Perf)
    assert ["LLC-loads:u" in instrument.counted(turn) for turn in range(4)] == [False, False, True, False]
    assert all("major-faults:u" in instrument.counted(turn) for turn in range(4))


@pytest.mark.parametrize("mode", ["auto", "perf"])
def test_judging_what_cannot_be_counted_is_refused(host: Host, mode: str) -> None:
    host.perf(per_repeat={"task-clock:u": 2})
    assert host.choose(mode, judged=["task-clock"]).instrument is not NOTHING
    with pytest.raises(UsageError, match="--ethrex-metrics instructions: this can't be counted here: no PMU"):
        host.choose(mode, judged=["instructions"])
    with pytest.raises(UsageError, match="--ethrex-counters is off"):
        host.choose("off", judged=["instructions"])


def test_callgrind_judges_instructions_only(valgrind: callgrind.Tool) -> None:
    chosen = choose("callgrind", os.environ, judged=["instructions"])
    assert isinstance(chosen.instrument, callgrind.Callgrind)
    assert chosen.message.startswith(f"callgrind {valgrind.version}: ")
    assert chosen.machine is not None
    with pytest.raises(UsageError, match="callgrind counts instructions only"):
        choose("callgrind", os.environ, judged=["cycles"])


def test_callgrind_without_valgrind_says_how_to_get_it() -> None:
    with pytest.raises(UsageError, match=f"valgrind was not found on PATH: {install_command('valgrind')}"):
        choose("callgrind", {"PATH": "/nowhere"})


def test_this_machine_says_which_state_holds(perf: PerfTool) -> None:
    probed = probe.probe(os.environ)
    assert probed.state in {"perf", "not permitted", "no PMU"}
    assert "\n" not in probed.message
    if probed.state == "perf":
        assert probed.tool == perf
