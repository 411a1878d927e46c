"""perf as it is found on machines: missing, for another kernel, not permitted; what it prints is played."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.profile import perf
from pytest_ethrex_perf.profile.sampling import Sampling

if TYPE_CHECKING:
    from pathlib import Path

DENIED = """Error:
Access to performance monitoring and observability operations is limited.
perf_event_paranoid setting is 3:
"""
WRAPPER = """WARNING: perf not found for kernel 6.14.0-1018

You may need to install the following packages for this specific kernel:
  linux-tools-6.14.0-1018-aws
"""


class Machine:
    """A root directory and a PATH of its own."""

    def __init__(self, path: Path) -> None:
        self.root = path / "root"
        self.bin = path / "bin"
        self.bin.mkdir()
        self.environ = {"PATH": f"{self.bin}:/usr/bin:/bin"}
        self.file("etc/os-release", "PRETTY_NAME=x\nID=debian\n")
        self.file("proc/sys/kernel/perf_event_paranoid", "2\n")

    def file(self, name: str, content: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def perf(self, record: str, version: str = "echo perf version 6.1.187") -> None:
        """Install a perf that runs these lines of sh."""
        program = self.bin / "perf"
        program.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then {version}; exit; fi\n{record}\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    def refusal(self) -> str:
        with pytest.raises(MeasurementError) as error:
            perf.find(self.environ, root=self.root)
        assert "\n" not in str(error.value)
        return str(error.value)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("distribution", "command"),
    [
        ("ID=debian", "sudo apt-get install linux-perf"),
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
    assert machine.refusal() == f"perf is not installed: {command}"


def test_ubuntus_wrapper_without_its_tools_says_what_to_install(machine: Machine) -> None:
    machine.perf("exit 1", version=f"cat >&2 <<'E'\n{WRAPPER}\nE\nexit 2")
    assert machine.refusal().endswith(
        "no tools for this kernel: sudo apt-get install linux-tools-$(uname -r)"
    )


def test_what_is_not_permitted_names_the_sysctl_that_permits_it(machine: Machine) -> None:
    machine.file("proc/sys/kernel/perf_event_paranoid", "3\n")
    machine.perf(f"cat >&2 <<'E'\n{DENIED}\nE\nexit 255")
    assert machine.refusal() == (
        "perf is not permitted (kernel.perf_event_paranoid = 3): sudo sysctl -w kernel.perf_event_paranoid=2"
    )


def test_a_container_that_forbids_perf_is_told_apart(machine: Machine) -> None:
    machine.perf(f"cat >&2 <<'E'\n{DENIED}\nE\nexit 255")
    assert "in a container, run it with --cap-add PERFMON" in machine.refusal()


def test_other_complaints_are_quoted(machine: Machine) -> None:
    machine.perf("echo 'failed to mmap with 12 (Cannot allocate memory)' >&2; exit 255")
    assert machine.refusal() == "perf can't record: failed to mmap with 12 (Cannot allocate memory)"
    (machine.root / "proc/sys/kernel/perf_event_paranoid").unlink()
    assert "this kernel has no perf events" in machine.refusal()


def test_a_perf_that_cannot_compress_records_without(machine: Machine, tmp_path: Path) -> None:
    machine.perf('case "$*" in *compression*) echo "no zstd" >&2; exit 129;; esac')
    found = perf.find(machine.environ, root=machine.root)
    assert not found.compresses
    assert "--compression-level=1" not in found.arguments(["true"], tmp_path / "x", Sampling())


def test_stacks_come_from_dwarf_or_from_frame_pointers(tmp_path: Path) -> None:
    tool = perf.Perf("perf", "6.1")
    dwarf = tool.arguments(["replay", "block"], tmp_path / "x", Sampling())
    assert dwarf[dwarf.index("--call-graph") + 1] == "dwarf,8192"
    assert dwarf[-3:] == ["--", "replay", "block"]
    pointers = tool.arguments(["replay"], tmp_path / "x", Sampling(frames="fp", frequency=499))
    assert pointers[pointers.index("--call-graph") + 1] == "fp"
    assert pointers[pointers.index("--freq") + 1] == "499"
