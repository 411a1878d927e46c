"""perf as it is found on machines: missing, for another kernel, of any version; what it prints is played."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.host import perf_tool
from pytest_ethrex_perf.host.perf_tool import PerfTool
from tests.host.machines import Machine

if TYPE_CHECKING:
    from pathlib import Path

WRAPPER = """WARNING: perf not found for kernel 6.14.0-1018

You may need to install the following packages for this specific kernel:
  linux-tools-6.14.0-1018-aws
"""


def refusal(machine: Machine) -> str:
    with pytest.raises(MeasurementError) as error:
        perf_tool.find(machine.environ, root=machine.root)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("distribution", "command"),
    [
        ("ID=debian", "sudo apt-get install linux-perf"),
        ('ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"', "sudo zypper install perf"),
        ("ID=alpine", "sudo apk add perf"),
        ("ID=ubuntu\nID_LIKE=debian", "sudo apt-get install linux-tools-$(uname -r)"),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"', "sudo apt-get install linux-tools-$(uname -r)"),
        ("ID=fedora", "sudo dnf install perf"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"', "sudo dnf install perf"),
        ("ID=arch", "sudo pacman -S perf"),
        ("ID=nixos", "install the package that brings perf"),
    ],
)
def test_a_missing_perf_names_the_command_that_installs_it(
    machine: Machine, distribution: str, command: str
) -> None:
    machine.file("etc/os-release", f"{distribution}\n")
    machine.environ["PATH"] = str(machine.bin)
    assert refusal(machine) == f"perf is not installed: {command}"


def test_ubuntus_wrapper_without_its_tools_says_what_to_install(machine: Machine) -> None:
    machine.perf("exit 1", version=f"cat >&2 <<'E'\n{WRAPPER}\nE\nexit 2")
    assert refusal(machine).endswith("no tools for this kernel: sudo apt-get install linux-tools-$(uname -r)")


def test_a_perf_that_fails_for_another_reason_says_its_exit_code(machine: Machine) -> None:
    machine.perf("exit 1", version="exit 3")
    assert refusal(machine) == (
        f"{machine.bin}/perf does not work (exit code 3): sudo apt-get install linux-perf"
    )


@pytest.mark.parametrize(
    ("version", "release", "short"),
    [("6.1.187", (6, 1), "6.1"), ("7.0", (7, 0), "7.0"), ("5.4.g123", (5, 4), "5.4"), ("g12", (0, 0), "0.0")],
)
def test_a_version_is_its_major_and_minor(
    machine: Machine, version: str, release: tuple[int, int], short: str
) -> None:
    machine.perf("exit 0", version=f"echo perf version {version}")
    tool = perf_tool.find(machine.environ, root=machine.root)
    assert tool == PerfTool(f"{machine.bin}/perf", version)
    assert (tool.release, tool.short_version) == (release, short)


def test_the_cpus_own_pmus_are_named(machine: Machine) -> None:
    for name in ("cpu_core", "cpu_atom", "armv8_pmuv3_0", "uncore_imc", "software"):
        machine.file(f"sys/bus/event_source/devices/{name}/type", "4\n")
    assert perf_tool.pmus(machine.root) == ["cpu_core", "cpu_atom", "armv8_pmuv3_0"]


def test_the_paranoid_level_is_a_number_or_unknown(machine: Machine) -> None:
    assert perf_tool.paranoid(machine.root) == 2
    machine.file("proc/sys/kernel/perf_event_paranoid", "-1\n")
    assert perf_tool.paranoid(machine.root) == -1
    (machine.root / "proc/sys/kernel/perf_event_paranoid").unlink()
    assert perf_tool.paranoid(machine.root) is None
