from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pytest_ethrex_perf import cli
from pytest_ethrex_perf.commands import doctor
from pytest_ethrex_perf.profile import recursion
from pytest_ethrex_perf.replay import program
from tests.counters import fake_perf

CPUINFO = "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC\nflags\t: fpu\n"


class Machine:
    """A root directory, and nothing on PATH."""

    def __init__(self, path: Path) -> None:
        self.root = path
        self.file("proc/cpuinfo", CPUINFO)
        self.file("etc/os-release", "ID=debian\n")

    def file(self, name: str, content: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def perf(self) -> None:
        """A perf that may record, and records nothing."""
        self.file("perf", '#!/bin/sh\n[ "$1" = --version ] && echo "perf version 6.1.187"\nexit 0\n')
        (self.root / "perf").chmod(0o755)
        (self.root / "sh").symlink_to("/bin/sh")

    def findings(self) -> dict[str, doctor.Finding]:
        findings = doctor.examine({"PATH": str(self.root)}, root=self.root, noise=False)
        return {finding.name: finding for finding in findings}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_machine_where_everything_is_missing_is_told_each_command(machine: Machine) -> None:
    machine.file("proc/sys/kernel/kptr_restrict", "1\n")
    machine.file("sys/devices/system/cpu/cpufreq/policy0/scaling_governor", "powersave\n")
    machine.file("sys/devices/system/cpu/cpufreq/boost", "1\n")
    machine.file("proc/loadavg", "3.50 2 1 1/2 3\n")
    printed = [line for finding in machine.findings().values() for line in doctor.lines(finding)]
    for command in (
        "sudo apt-get install linux-perf",
        "sudo sysctl -w kernel.kptr_restrict=0",
        "sudo apt-get install valgrind",
        "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
        "echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost",
        "ps -eo pcpu,comm --sort=-pcpu | head",
    ):
        assert any(line.strip().endswith(command) for line in printed), command


def test_a_quiet_machine_has_nothing_to_fix(machine: Machine) -> None:
    machine.file("proc/sys/kernel/kptr_restrict", "0\n")
    machine.file("proc/sys/kernel/perf_event_paranoid", "-1\n")
    machine.file("sys/devices/system/cpu/cpufreq/policy0/scaling_governor", "performance\n")
    machine.file("sys/devices/system/cpu/intel_pstate/no_turbo", "1\n")
    machine.file("sys/bus/event_source/devices/cpu/type", "4\n")
    machine.file("proc/loadavg", "0.01 0 0 1/2 3\n")
    found = machine.findings()
    for name in (
        "kernel.perf_event_paranoid",
        "kernel.kptr_restrict",
        "CPU governor",
        "CPU boost",
        "load",
        "hardware counters (PMU)",
    ):
        assert found[name].state == "ok", found[name]
        assert found[name].fix is None


def test_intels_boost_has_its_own_switch(machine: Machine) -> None:
    machine.file("sys/devices/system/cpu/intel_pstate/no_turbo", "0\n")
    assert machine.findings()["CPU boost"].fix == (
        "echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo"
    )


def test_no_pmu_is_a_fact_and_not_a_failure(machine: Machine) -> None:
    assert machine.findings()["hardware counters (PMU)"].state == "better"


@pytest.mark.parametrize(
    ("cut", "state", "text"),
    [
        ([0.004], "ok", "0.4 % of stacks some 20 KiB deep were cut off, with 32 KiB of each"),
        ([0.5, 0.0], "ok", "0.0 % of stacks some 20 KiB deep were cut off, with 64 KiB of each"),
        ([1.0, 1.0], "better", "100.0 % of stacks some 20 KiB deep were cut off, even with 64 KiB of each"),
    ],
)
def test_whether_stacks_come_out_whole_is_measured(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, cut: list[float], state: str, text: str
) -> None:
    machine.perf()
    measured = iter(cut)
    monkeypatch.setattr(recursion, "cut_off", lambda *_: next(measured))
    finding = machine.findings()["whole stacks (perf)"]
    assert (finding.state, finding.text) == (state, text)
    assert (finding.fix is None) == (state == "ok")


def test_a_perf_that_records_nothing_is_told(machine: Machine) -> None:
    machine.perf()
    finding = machine.findings()["whole stacks (perf)"]
    assert (finding.state, finding.text) == ("missing", "a recursion in Python: nothing was recorded")


def test_a_perf_that_is_too_old_to_count_is_told(machine: Machine) -> None:
    fake_perf.write(machine.root, version="perf version 6.1.187")
    assert "counts (perf stat)" not in machine.findings()
    fake_perf.write(machine.root, version="perf version 5.4.231")
    finding = machine.findings()["counts (perf stat)"]
    assert finding.state == "better"
    assert finding.text == "perf 5.4.231 is too old: counting only the repeats takes perf 5.10 or newer"


def test_a_level_that_only_root_passes_names_the_sysctl(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.file("proc/sys/kernel/perf_event_paranoid", "4\n")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    finding = machine.findings()["kernel.perf_event_paranoid"]
    assert finding.state == "missing"
    assert finding.fix == "sudo sysctl -w kernel.perf_event_paranoid=2"


def symbols(executable: Path) -> doctor.Finding:
    return doctor.symbols(program.resolve(str(executable), cwd=Path.cwd(), environ=os.environ))


def test_symbols_of_a_program_are_debug_info_names_or_none(toy: Path, tmp_path: Path) -> None:
    if shutil.which("strip") is None:
        pytest.skip("strip is not installed")
    assert symbols(toy).state == "ok"
    named, bare = tmp_path / "named", tmp_path / "bare"
    subprocess.run(["strip", "--strip-debug", "-o", named, toy], check=True)
    subprocess.run(["strip", "-o", bare, toy], check=True)
    assert symbols(named).state == "better"
    assert symbols(bare).text == "stripped: stacks have addresses, no names"
    assert symbols(bare).fix == "cargo build --profile release-with-debug"


def test_a_script_around_the_program_is_seen(tmp_path: Path) -> None:
    script = tmp_path / "replay"
    script.write_text("#!/bin/sh\nexec ethrex-replay\n")
    script.chmod(0o755)
    assert "is it a script around the program?" in symbols(script).text


@pytest.mark.parametrize(
    "content",
    [b"", b"\x7fELF\x02\x01" + b"\xff" * 58, b"\x7fELF\x02\x01" + b"\0" * 58],
    ids=["empty", "ones", "zeros"],
)
def test_a_broken_executable_stops_nothing(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken"
    file.write_bytes(content)
    assert not doctor.elf_sections(file)


def test_noise_is_the_spread_of_the_same_work() -> None:
    spread = doctor.measure_spread()
    assert 0 <= spread < 10


def test_it_ends_with_one_where_something_is_missing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cli.main(["doctor", "--no-noise"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("❌ profiles (perf): perf is not installed") for line in lines)
