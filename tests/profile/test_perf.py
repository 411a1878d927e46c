"""perf as it is found on machines: not permitted, without compression; what it prints is played."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.profile import perf
from pytest_ethrex_perf.profile.sampling import Sampling
from tests.host.machines import Machine

if TYPE_CHECKING:
    from pathlib import Path

DENIED = """Error:
Access to performance monitoring and observability operations is limited.
perf_event_paranoid setting is 3:
"""


def refusal(machine: Machine) -> str:
    with pytest.raises(MeasurementError) as error:
        perf.find(machine.environ, root=machine.root)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_what_is_not_permitted_names_the_sysctl_that_permits_it(machine: Machine) -> None:
    machine.file("proc/sys/kernel/perf_event_paranoid", "3\n")
    machine.perf(f"cat >&2 <<'E'\n{DENIED}\nE\nexit 255")
    assert refusal(machine) == (
        "perf is not permitted (kernel.perf_event_paranoid = 3): sudo sysctl -w kernel.perf_event_paranoid=2"
    )


def test_a_container_that_forbids_perf_is_told_apart(machine: Machine) -> None:
    machine.perf(f"cat >&2 <<'E'\n{DENIED}\nE\nexit 255")
    assert "in a container, run it with --cap-add PERFMON" in refusal(machine)


def test_other_complaints_are_quoted(machine: Machine) -> None:
    machine.perf("echo 'failed to mmap with 12 (Cannot allocate memory)' >&2; exit 255")
    assert refusal(machine) == "perf can't record: failed to mmap with 12 (Cannot allocate memory)"
    (machine.root / "proc/sys/kernel/perf_event_paranoid").unlink()
    assert "this kernel has no perf events" in refusal(machine)


def test_a_perf_that_cannot_compress_records_without(machine: Machine, tmp_path: Path) -> None:
    machine.perf('case "$*" in *compression*) echo "no zstd" >&2; exit 129;; esac')
    found = perf.find(machine.environ, root=machine.root)
    assert not found.compresses
    assert "--compression-level=1" not in found.arguments(["true"], tmp_path / "x", Sampling())


def test_a_perf_that_may_not_lock_much_memory_records_with_small_buffers(
    machine: Machine, tmp_path: Path
) -> None:
    machine.perf('case "$*" in *mmap-pages*) echo "Permission error mapping pages." >&2; exit 255;; esac')
    found = perf.find(machine.environ, root=machine.root)
    assert found.compresses
    assert not any("mmap-pages" in word for word in found.arguments(["true"], tmp_path / "x", Sampling()))


def test_stacks_come_from_dwarf_or_from_frame_pointers(tmp_path: Path) -> None:
    tool = perf.Perf("perf", "6.1")
    dwarf = tool.arguments(["replay", "block"], tmp_path / "x", Sampling())
    assert dwarf[dwarf.index("--call-graph") + 1] == "dwarf,32768"
    assert tool.stack_sizes(Sampling()) == (32_768, 65_528)
    most = tool.arguments(["replay"], tmp_path / "x", Sampling(stack_bytes=65_528))
    assert most[most.index("--call-graph") + 1] == "dwarf,65528"
    assert dwarf[-3:] == ["--", "replay", "block"]
    pointers = tool.arguments(["replay"], tmp_path / "x", Sampling(frames="fp", frequency=499))
    assert tool.stack_sizes(Sampling(frames="fp")) == ()
    assert pointers[pointers.index("--call-graph") + 1] == "fp"
    assert pointers[pointers.index("--freq") + 1] == "499"
