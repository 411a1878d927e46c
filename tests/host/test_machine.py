"""Machines are told apart by what changes performance, in trees of /proc and /sys made here."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.host.machine import changes, identify, valid_name
from tests.host.trees import Tree, plant


def _x86(count: int, vendor: str, family: int, model: int, name: str, flags: str = "fpu vme avx2") -> str:
    fields = {
        "vendor_id": vendor,
        "cpu family": family,
        "model": model,
        "model name": name,
        "stepping": 1,
        "microcode": "0xa101148",
        "cpu MHz": "2749.998",
        "bogomips": "5499.99",
        "flags": flags,
        "power management": "",
    }
    told = "\n".join(f"{key}\t: {value}" for key, value in fields.items())
    return "\n\n".join(f"processor\t: {cpu}\n{told}" for cpu in range(count)) + "\n\n"


def _arm(parts: list[str]) -> str:
    return "".join(
        f"processor\t: {cpu}\nBogoMIPS\t: 243.75\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\n"
        f"CPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: {part}\nCPU revision\t: 1\n\n"
        for cpu, part in enumerate(parts)
    )


def _common(cpus: int, hostname: str = "bench-7.example.org") -> Tree:
    return {
        "proc/meminfo": "MemTotal:       65763172 kB\nMemFree: 1 kB\n",
        "proc/sys/kernel/osrelease": "6.1.0-18-amd64\n",
        "proc/sys/kernel/hostname": f"{hostname}\n",
        "proc/sys/kernel/randomize_va_space": "2\n",
        "proc/self/status": f"Name:\tpython\nCpus_allowed_list:\t0-{cpus - 1}\n",
        "proc/self/cgroup": "0::/user.slice/bench.scope\n",
        "sys/devices/system/cpu/online": f"0-{cpus - 1}\n",
        "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
    }


def _cpufreq(cpus: int, governor: str) -> Tree:
    base = "sys/devices/system/cpu/cpufreq"
    return {f"{base}/policy{cpu}/scaling_governor": f"{governor}\n" for cpu in range(cpus)}


AMD_SERVER: Tree = {
    **_common(32),
    **_cpufreq(32, "performance"),
    "proc/cpuinfo": _x86(32, "AuthenticAMD", 25, 17, "AMD EPYC 9454P 48-Core Processor"),
    "sys/devices/system/cpu/smt/active": "0\n",
    "sys/devices/system/cpu/cpufreq/boost": "1\n",
    "sys/class/dmi/id/sys_vendor": "Supermicro\n",
    "sys/class/dmi/id/product_name": "KVM-ready AS-1015A-MT\n",
}
INTEL_LAPTOP: Tree = {
    **_common(16, "thinkpad"),
    **_cpufreq(16, "powersave"),
    "proc/cpuinfo": _x86(16, "GenuineIntel", 6, 186, "13th Gen Intel(R) Core(TM) i7-1360P"),
    "sys/devices/system/cpu/smt/active": "1\n",
    "sys/devices/system/cpu/intel_pstate/no_turbo": "0\n",
    "sys/devices/system/cpu/cpufreq/policy0/energy_performance_preference": "balance_power\n",
    "sys/devices/cpu_core/cpus": "0-7\n",
    "sys/devices/cpu_atom/cpus": "8-15\n",
}
GRAVITON: Tree = {
    **_common(8, "ip-10-0-0-1"),
    "proc/cpuinfo": _arm(["0xd40"] * 8),
    "sys/class/dmi/id/sys_vendor": "Amazon EC2\n",
    "sys/class/dmi/id/product_name": "c7g.2xlarge\n",
}
BIG_LITTLE: Tree = {**_common(4, "pi"), "proc/cpuinfo": _arm(["0xd05", "0xd05", "0xd0b", "0xd99"])}
CLOUD_VM: Tree = {
    **_common(4, "runner"),
    "proc/cpuinfo": _x86(
        4, "GenuineIntel", 6, 106, "Intel(R) Xeon(R) Platinum 8370C CPU @ 2.80GHz", "fpu hypervisor avx2"
    ),
    "sys/class/dmi/id/sys_vendor": "Microsoft Corporation\n",
}
CONTAINER: Tree = {
    **AMD_SERVER,
    "proc/self/status": "Cpus_allowed_list:\t0-3,8,10-11\n",
    "proc/self/cgroup": "0::/\n",
    "sys/fs/cgroup/cgroup.procs": "1\n",
    "sys/fs/cgroup/cpu.max": "250000 100000\n",
}


def keyed(root: Path, tree: Tree) -> dict[str, Any]:
    return dict(identify(root=plant(root, tree)).keyed)


@pytest.mark.parametrize(
    ("tree", "key"),
    [
        (AMD_SERVER, "amd-epyc-9454p-32c-"),
        (INTEL_LAPTOP, "intel-core-i7-1360p-16c-"),
        (GRAVITON, "arm-neoverse-v1-8c-"),
        (BIG_LITTLE, "arm-cortex-a55-cortex-a76-part-0xd99-4c-"),
        (CLOUD_VM, "intel-xeon-platinum-8370c-4c-"),
        (CONTAINER, "amd-epyc-9454p-32c-"),
    ],
)
def test_a_key_says_which_machine_it_is(tmp_path: Path, tree: Tree, key: str) -> None:
    found = identify(root=plant(tmp_path, tree)).key
    assert found.startswith(key)
    assert len(found) == len(key) + 4
    int(found[-4:], 16)
    assert valid_name(found) == found, "a key is a valid name, and part of a file's name"


def test_an_amd_server(tmp_path: Path) -> None:
    assert keyed(tmp_path, AMD_SERVER) == {
        "vendor": "amd",
        "family": "25",
        "model": "17",
        "stepping": "1",
        "name": "AMD EPYC 9454P 48-Core Processor",
        "cpus": 32,
        "smt": False,
        "governor": "performance",
        "boost": True,
        "virtual": False,
        "affinity": 32,
    }


def test_a_hybrid_laptop_tells_its_core_types_and_its_energy_preference(tmp_path: Path) -> None:
    machine = identify(root=plant(tmp_path, INTEL_LAPTOP))
    assert machine.keyed["core_types"] == "cpu_core=8 cpu_atom=8"
    assert (machine.keyed["smt"], machine.keyed["boost"]) == (True, True)
    assert machine.recorded["energy_preference"] == "balance_power"


def test_a_guest_is_told_from_bare_metal(tmp_path: Path) -> None:
    trees = {
        "amd": AMD_SERVER,  # whose product's name says KVM, but whose CPU says that it is no guest
        "laptop": INTEL_LAPTOP,
        "vm": CLOUD_VM,
        "graviton": GRAVITON,
        "graviton metal": {**GRAVITON, "sys/class/dmi/id/product_name": "c7g.metal\n"},
        "arm vm": {**BIG_LITTLE, "sys/class/dmi/id/sys_vendor": "QEMU\n"},
        "arm board": BIG_LITTLE,
        "xen": {**CLOUD_VM, "sys/hypervisor/type": "xen\n"},
    }
    machines = {name: identify(root=plant(tmp_path / name, tree)) for name, tree in trees.items()}
    assert {name for name, machine in machines.items() if machine.keyed["virtual"]} == {
        "vm",
        "graviton",
        "arm vm",
        "xen",
    }
    assert machines["vm"].recorded["hypervisor"] == "Microsoft Corporation"


def test_a_vm_without_cpufreq_leaves_out_what_it_cannot_tell(tmp_path: Path) -> None:
    facts = keyed(tmp_path, CLOUD_VM)
    assert facts.keys() == {"vendor", "family", "model", "stepping", "name", "cpus", "virtual", "affinity"}


def test_a_container_has_its_affinity_and_its_quota(tmp_path: Path) -> None:
    facts = keyed(tmp_path, CONTAINER)
    assert (facts["cpus"], facts["affinity"], facts["quota"]) == (32, 7, 2.5)


def test_the_tightest_quota_up_the_tree_counts(tmp_path: Path) -> None:
    group = "sys/fs/cgroup/user.slice"
    tree = {
        **CLOUD_VM,
        "sys/fs/cgroup/cgroup.procs": "",
        f"{group}/cpu.max": "150000 100000\n",
        f"{group}/bench.scope/cpu.max": "max 100000\n",
    }
    assert keyed(tmp_path, tree)["quota"] == 1.5


SERVER_CHANGES: dict[str, Tree] = {
    "another CPU": {"proc/cpuinfo": _x86(32, "AuthenticAMD", 25, 17, "AMD EPYC 9354P 32-Core Processor")},
    "another family": {"proc/cpuinfo": _x86(32, "AuthenticAMD", 26, 17, "AMD EPYC 9454P 48-Core Processor")},
    "a CPU offline": {"sys/devices/system/cpu/online": "0-30\n"},
    "SMT on": {"sys/devices/system/cpu/smt/active": "1\n"},
    "a governor": {"sys/devices/system/cpu/cpufreq/policy3/scaling_governor": "powersave\n"},
    "boost off": {"sys/devices/system/cpu/cpufreq/boost": "0\n"},
    "pinned": {"proc/self/status": "Cpus_allowed_list:\t0-7\n"},
    "a guest": {
        "proc/cpuinfo": _x86(32, "AuthenticAMD", 25, 17, "AMD EPYC 9454P 48-Core Processor", "fpu hypervisor")
    },
}


@pytest.mark.parametrize("change", SERVER_CHANGES)
def test_what_changes_performance_changes_the_key(tmp_path: Path, change: str) -> None:
    before = identify(root=plant(tmp_path, AMD_SERVER))
    after = identify(root=plant(tmp_path, SERVER_CHANGES[change]))
    assert after.key != before.key


def test_a_reboot_an_update_or_load_do_not_change_the_key_but_are_told(tmp_path: Path) -> None:
    before = identify(root=plant(tmp_path, AMD_SERVER))
    rebooted = AMD_SERVER["proc/cpuinfo"].replace("2749.998", "3799.1").replace("5499.99", "5500.01")
    tree: Tree = {
        "proc/cpuinfo": rebooted.replace("0xa101148", "0xa10114c"),
        "proc/sys/kernel/osrelease": "6.8.0\n",
        "proc/meminfo": "MemTotal:       131526344 kB\n",
        "proc/sys/kernel/hostname": "bench-8\n",
        "proc/loadavg": "31.00 1 1 1/1 1\n",
    }
    after = identify(root=plant(tmp_path, tree))
    assert after.key == before.key
    told = changes(before, after)
    assert [change.split(":")[0] for change in told] == ["host", "kernel", "memory_gib", "microcode"]
    assert told[1:] == [
        "kernel: 6.1.0-18-amd64 → 6.8.0",
        "memory_gib: 63 → 125",
        "microcode: 0xa101148 → 0xa10114c",
    ]
    assert changes(after, after) == []


def test_a_fact_that_is_no_longer_told_is_a_change(tmp_path: Path) -> None:
    before = identify(root=plant(tmp_path, AMD_SERVER))
    plant(tmp_path, {"proc/meminfo": None})
    assert changes(before, identify(root=tmp_path)) == ["memory_gib: 63 → not told"]


def test_the_name_of_the_host_is_not_in_the_identity(tmp_path: Path) -> None:
    machine = identify(root=plant(tmp_path, AMD_SERVER))
    assert b"bench-7" not in msgspec.json.encode(machine)
    assert socket.gethostname() not in json.dumps(identify().recorded)


def test_a_name_stands_for_a_fleet_of_equal_machines(tmp_path: Path) -> None:
    one = identify(root=plant(tmp_path / "1", AMD_SERVER), name="Office-Fleet")
    other = identify(
        root=plant(
            tmp_path / "2", AMD_SERVER | SERVER_CHANGES["boost off"] | {"proc/sys/kernel/hostname": "b\n"}
        ),
        name="office-fleet",
    )
    assert one.key == other.key == "office-fleet"
    assert one.named
    assert changes(one, other) == ["boost: True → False"], (
        "hosts of a fleet differ by nature, keyed facts should not"
    )


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "-x", "a b", "a\nb", "ä", "a" * 65])
def test_a_name_that_is_no_part_of_a_file_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"--ethrex-machine .* is not a machine's name"):
        identify(name=name)


def test_a_mac_is_asked_by_sysctl(tmp_path: Path) -> None:
    told = {
        "machdep.cpu.brand_string": "Apple M2 Pro",
        "hw.cpufamily": "-634136515",
        "hw.ncpu": "12",
        "hw.perflevel0.logicalcpu": "8",
        "hw.perflevel1.logicalcpu": "4",
        "hw.memsize": str(32 * 2**30),
        "kern.osrelease": "23.4.0",
        "kern.hv_vmm_present": "0",
    }
    machine = identify(root=tmp_path, sysctl=told.get)
    assert machine.key.startswith("apple-m2-pro-12c-")
    assert machine.keyed["core_types"] == "level0=8 level1=4"
    assert machine.keyed["virtual"] is False
    assert machine.recorded["memory_gib"] == 32
    assert machine.recorded["kernel"] == "23.4.0"


def test_a_system_that_tells_nothing_still_has_a_key(tmp_path: Path) -> None:
    machine = identify(root=tmp_path, sysctl=lambda _: None)
    assert valid_name(machine.key) == machine.key
    assert int(machine.keyed["cpus"]) >= 1
    plant(tmp_path, {"proc/cpuinfo": ""})
    assert "-1c-" in identify(root=tmp_path).key


def test_this_machine_is_the_same_twice() -> None:
    assert identify().key == identify().key


@given(st.text(st.characters(codec="utf-8"), max_size=80))
def test_any_cpu_name_makes_a_usable_key(name: str) -> None:
    key = identify(root=Path("no such directory"), sysctl={"machdep.cpu.brand_string": name}.get).key
    assert valid_name(key) == key
