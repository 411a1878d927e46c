"""Who this machine is: what its baselines belong to, and what else is worth a warning.

Everything is read from /proc and /sys directly: libraries that describe a CPU take a second and guess. A fact
that the machine does not tell is left out, so that a fact learnt by a later version changes the key of those
machines only that have it.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.host import proc
from pytest_ethrex_perf.records.measurement import Machine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_ethrex_perf.records.measurement import Fact, Facts

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_NAME_LENGTH = 40  # of the CPU's name within a key
_HOST = "host"
_PERIOD_US = 100_000  # of a cgroup that sets none (kernel: Documentation/scheduler/sched-bwc.rst)

_GUESTS = re.compile(r"QEMU|KVM|VMware|VirtualBox|Xen|Parallels|Virtual Machine|Google Compute|vServer")
_X86_VENDORS = {"GenuineIntel": "intel", "AuthenticAMD": "amd", "HygonGenuine": "hygon"}
# MIDR_EL1, as in Linux' arch/arm64/include/asm/cputype.h
_ARM_VENDORS = {
    "0x41": "arm",
    "0x46": "fujitsu",
    "0x48": "hisilicon",
    "0x4e": "nvidia",
    "0x51": "qualcomm",
    "0x61": "apple",
    "0xc0": "ampere",
}
_ARM_PARTS = {
    "0xd03": "Cortex-A53",
    "0xd05": "Cortex-A55",
    "0xd08": "Cortex-A72",
    "0xd0b": "Cortex-A76",
    "0xd0c": "Neoverse-N1",
    "0xd40": "Neoverse-V1",
    "0xd49": "Neoverse-N2",
    "0xd4f": "Neoverse-V2",
}


def identify(
    *,
    root: Path = proc.ROOT,
    name: str | None = None,
    sysctl: Callable[[str], str | None] | None = None,
) -> Machine:
    """Say which machine this is, in a few milliseconds.

    `root` holds `proc` and `sys` (another directory in tests); where there is no `proc/cpuinfo`, `sysctl`
    is asked (macOS, BSD). `name` replaces the key. Raises `UsageError` for a name that cannot be part of a
    file's name. Load is not a fact about a machine: it is in the `Noise` of every invocation.
    """
    if (root / "proc/cpuinfo").exists():
        keyed, recorded = _linux_keyed(root), _linux_recorded(root)
    else:
        keyed, recorded = _other_facts(sysctl or proc.sysctl)
    if name is not None:
        return Machine(key=valid_name(name), named=True, keyed=keyed, recorded=recorded)
    return Machine(key=_key(keyed), keyed=keyed, recorded=recorded)


def valid_name(name: str) -> str:
    """The key that `--ethrex-machine NAME` stands for: lower case; raises `UsageError` for a bad name."""
    if not _NAME.fullmatch(name.lower()):
        raise UsageError(
            f"--ethrex-machine {name!r} is not a machine's name: it becomes part of a file's name, so use "
            "letters, digits, '.', '_' and '-' (64 at most, a letter or digit first)"
        )
    if name.lower().startswith("callgrind-"):
        raise UsageError(f"--ethrex-machine {name!r}: names that begin with callgrind- are taken, for counts")
    return name.lower()


def changes(old: Machine, new: Machine) -> list[str]:
    """The facts that differ on a machine of the same key, a clause each: `governor: performance → powersave`.

    Keyed facts can differ only where the key was given by name; the hosts of such a fleet may differ.
    """
    before, after = old.keyed | old.recorded, new.keyed | new.recorded
    ignored = {_HOST} if old.named and new.named else set()
    return [
        f"{fact}: {_text(before.get(fact))} → {_text(after.get(fact))}"
        for fact in sorted((before.keys() | after.keys()) - ignored)
        if before.get(fact) != after.get(fact)
    ]


def _text(fact: Fact | None) -> str:
    return "not told" if fact is None else str(fact)


def _key(keyed: Facts) -> str:
    """vendor-model-online CPUs-4 hex digits over every keyed fact."""
    vendor = str(keyed.get("vendor", ""))
    words = _slug(_short_name(str(keyed.get("name", "cpu"))))[:_NAME_LENGTH].strip("-")
    parts = [words] if not vendor or words.split("-")[0] == vendor else [vendor, words]
    digest = hashlib.sha256(json.dumps(keyed, sort_keys=True).encode()).hexdigest()[:4]
    return "-".join([*(part for part in parts if part), f"{keyed['cpus']}c", digest])


def _short_name(name: str) -> str:
    """`13th Gen Intel(R) Core(TM) i7-1360P CPU @ 2.20GHz` -> `Core i7-1360P`."""
    name = re.sub(r"\((?:R|TM|C)\)|@.*|\bw(?:ith|/) .*", " ", name, flags=re.IGNORECASE)
    noise = r"\b(?:\d+(?:st|nd|rd|th) Gen|Intel|AMD|CPU|Processor|\d+-Core)\b"
    return re.sub(noise, " ", name, flags=re.IGNORECASE)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _linux_keyed(root: Path) -> Facts:
    cpuinfo = _cpuinfo(root)
    cpus = len(proc.cpu_list(proc.read(root / proc.CPU / "online") or "")) or len(cpuinfo)
    smt = proc.read(root / proc.CPU / "smt/active")
    core_types = {
        kind: len(proc.cpu_list(text))
        for kind in ("cpu_core", "cpu_atom", "cpu_lowpower")
        if (text := proc.read(root / "sys/devices" / kind / "cpus"))
    }
    return _facts(
        **_cpu_model(cpuinfo),
        cpus=max(cpus, 1),
        smt=None if smt is None else smt == "1",
        core_types=" ".join(f"{kind}={count}" for kind, count in core_types.items()) or None,
        governor=",".join(proc.each(root / proc.CPU / "cpufreq", "policy*/scaling_governor")) or None,
        boost=_boost(root),
        virtual=_hypervisor(root, cpuinfo) is not None,
        affinity=len(proc.allowed_cpus(root)) or None,
        quota=_quota(root),
    )


def _linux_recorded(root: Path) -> Facts:
    cpuinfo = _cpuinfo(root)
    memory = re.search(r"^MemTotal:\s+([0-9]{1,20}) kB", proc.read(root / "proc/meminfo") or "", re.MULTILINE)
    pages = re.search(r"\[(\w+)\]", proc.read(root / "sys/kernel/mm/transparent_hugepage/enabled") or "")
    preferences = proc.each(root / proc.CPU / "cpufreq", "policy*/energy_performance_preference")
    return _facts(
        microcode=cpuinfo[0].get("microcode") if cpuinfo else None,
        kernel=proc.read(root / "proc/sys/kernel/osrelease"),
        memory_gib=round(int(memory[1]) / 2**20) if memory else None,
        hypervisor=_hypervisor(root, cpuinfo),
        huge_pages=pages[1] if pages else None,
        address_randomization=proc.read(root / "proc/sys/kernel/randomize_va_space"),
        energy_preference=",".join(preferences) or None,
        **{_HOST: _anonymous(proc.read(root / "proc/sys/kernel/hostname"))},
    )


def _cpuinfo(root: Path) -> list[dict[str, str]]:
    """One mapping for each CPU of /proc/cpuinfo."""
    blocks = re.split(r"\n\s*\n", (proc.read(root / "proc/cpuinfo") or "").strip())
    cpus = [
        {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in block.splitlines())}
        for block in blocks
    ]
    return [cpu for cpu in cpus if "processor" in cpu]


def _cpu_model(cpuinfo: list[dict[str, str]]) -> dict[str, Fact | None]:
    first = cpuinfo[0] if cpuinfo else {}
    if "CPU implementer" in first:
        parts = dict.fromkeys(cpu.get("CPU part", "") for cpu in cpuinfo)  # big.LITTLE has several
        return {
            "vendor": _ARM_VENDORS.get(first["CPU implementer"], first["CPU implementer"]),
            "family": first.get("CPU architecture"),
            "model": " ".join(parts),
            "stepping": f"r{_hexadecimal(first.get('CPU variant', '0'))}p{first.get('CPU revision', '0')}",
            "name": " ".join(_ARM_PARTS.get(part, f"part {part}") for part in parts),
        }
    vendor = first.get("vendor_id")
    return {
        "vendor": _X86_VENDORS.get(vendor, _slug(vendor)) if vendor else None,
        "family": first.get("cpu family"),
        "model": first.get("model"),
        "stepping": first.get("stepping"),
        "name": first.get("model name") or first.get("uarch") or platform.machine(),
    }


def _hexadecimal(text: str) -> str:
    """`0x3` as `3`, and what is no such number as it is."""
    return str(int(text, 16)) if re.fullmatch(r"(0x)?[0-9a-f]{1,4}", text) else text


def _boost(root: Path) -> bool | None:
    """Whether clocks may rise above nominal; Intel's driver says so the other way round."""
    if (no_turbo := proc.read(root / proc.CPU / "intel_pstate/no_turbo")) is not None:
        return no_turbo == "0"
    if (boost := proc.read(root / proc.CPU / "cpufreq/boost")) is not None:
        return boost == "1"
    policies = proc.each(root / proc.CPU / "cpufreq", "policy*/boost")
    return policies == ["1"] if policies else None


def _hypervisor(root: Path, cpuinfo: list[dict[str, str]]) -> str | None:
    """What this is a guest of, None on bare metal. A container is no guest: it runs at its host's speed."""
    if kind := proc.read(root / "sys/hypervisor/type"):
        return kind
    vendor = proc.read(root / "sys/class/dmi/id/sys_vendor") or ""
    product = proc.read(root / "sys/class/dmi/id/product_name") or ""
    if cpuinfo and "flags" in cpuinfo[0]:  # x86 says it itself
        guest = "hypervisor" in cpuinfo[0]["flags"].split()
    elif vendor == "Amazon EC2":
        guest = "metal" not in product
    else:  # ARM has no such flag: the firmware's description is all there is
        guest = bool(_GUESTS.search(f"{vendor} {product}")) or (root / "proc/device-tree/hypervisor").exists()
    return (vendor or "unnamed") if guest else None


def _quota(root: Path) -> float | None:
    """CPUs that our cgroups let us use: the tightest quota up the tree, a share of each period.

    cgroup v2 has both in `cpu.max`; v1 in two files, with a quota of -1 where there is none.
    """
    quotas = []
    for group in proc.cgroups(root):
        quota, period = (proc.read(group / "cpu.max") or "max").partition(" ")[::2]
        quotas.append(_share(quota, period))
    for group in proc.cpu_cgroups_v1(root):
        period = proc.read(group / "cpu.cfs_period_us") or str(_PERIOD_US)
        quotas.append(_share(proc.read(group / "cpu.cfs_quota_us"), period))
    return round(min(limits), 2) if (limits := [quota for quota in quotas if quota is not None]) else None


def _share(quota: str | None, period: str) -> float | None:
    """CPUs of a quota, None where there is no limit, or nothing that says one."""
    time, of = proc.whole(quota), proc.whole(period)
    return time / of if time is not None and of is not None and time > 0 and of > 0 else None


def _other_facts(sysctl: Callable[[str], str | None]) -> tuple[Facts, Facts]:
    """What macOS tells (sysctl(3)); on any other system what Python knows."""
    name = sysctl("machdep.cpu.brand_string") or platform.processor() or platform.machine()
    levels = [f"level{i}={count}" for i in (0, 1) if (count := sysctl(f"hw.perflevel{i}.logicalcpu"))]
    memory = proc.whole(sysctl("hw.memsize"))
    keyed = _facts(
        vendor=next((vendor for vendor in ("apple", "intel", "amd") if vendor in name.lower()), None),
        family=sysctl("machdep.cpu.family") or sysctl("hw.cpufamily"),
        model=sysctl("machdep.cpu.model"),
        stepping=sysctl("machdep.cpu.stepping"),
        name=name,
        cpus=proc.whole(sysctl("hw.ncpu")) or os.cpu_count() or 1,
        core_types=" ".join(levels) or None,
        virtual=sysctl("kern.hv_vmm_present") == "1",
    )
    recorded = _facts(
        kernel=sysctl("kern.osrelease") or platform.release(),
        memory_gib=round(memory / 2**30) if memory else None,
        **{_HOST: _anonymous(platform.node())},
    )
    return keyed, recorded


def _anonymous(hostname: str | None) -> str | None:
    """Enough to tell two hosts apart; a host's name itself never reaches a file."""
    return hashlib.sha256(f"pytest-ethrex-perf {hostname}".encode()).hexdigest()[:8] if hostname else None


def _facts(**facts: Fact | None) -> Facts:
    return {name: fact for name, fact in facts.items() if fact is not None}
