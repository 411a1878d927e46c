"""Who this machine is, and how noisy it was during one invocation.

Everything is read from /proc and /sys directly: libraries that describe a CPU take a second and guess. A fact
that the machine does not tell is left out, so that a fact learnt by a later version changes the key of those
machines only that have it.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records.measurement import Machine, Noise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_ethrex_perf.records.measurement import Fact, Facts

_ROOT = Path("/")
_CPU = "sys/devices/system/cpu"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_NAME_LENGTH = 40  # of the CPU's name within a key
_HOST = "host"

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
    root: Path = _ROOT,
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
        keyed, recorded = _other_facts(sysctl or _sysctl)
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
    """What is different on a machine that goes by the same key: one clause each, to warn with.

    Keyed facts can differ only where the key was given by name; the hosts of such a fleet may differ.
    """
    before, after = old.keyed | old.recorded, new.keyed | new.recorded
    ignored = {_HOST} if old.named and new.named else set()
    return [
        f"{fact}: {_told(before.get(fact))} → {_told(after.get(fact))}"
        for fact in sorted((before.keys() | after.keys()) - ignored)
        if before.get(fact) != after.get(fact)
    ]


def _told(fact: Fact | None) -> str:
    return "not told" if fact is None else str(fact)


class NoiseProbe:
    """What else the machine did between `start()` and `stop()`: two looks at counters that the kernel keeps.

    Nothing runs in between. Both looks together take about 0.1 ms.
    """

    def __init__(self, root: Path = _ROOT) -> None:
        self._root = root
        self._cgroup = next(
            (stat for group in _cgroups(root) if _throttled(stat := group / "cpu.stat") is not None), None
        )
        self._before = Noise()

    def start(self) -> None:
        """Look for the first time: right before the process starts."""
        self._before = self._look(load1=_load1(self._root))

    def stop(self) -> Noise:
        """Look again and return what happened since `start()`; None where the machine does not tell."""
        before, after = self._before, self._look()
        return Noise(
            psi_some_us=_delta(before.psi_some_us, after.psi_some_us),
            steal_ticks=_delta(before.steal_ticks, after.steal_ticks),
            throttled_us=_delta(before.throttled_us, after.throttled_us),
            load1=before.load1,
        )

    def _look(self, load1: float | None = None) -> Noise:
        return Noise(
            psi_some_us=_psi_some_us(self._root),
            steal_ticks=_steal_ticks(self._root),
            throttled_us=_throttled(self._cgroup) if self._cgroup else None,
            load1=load1,
        )


def _delta(before: int | None, after: int | None) -> int | None:
    # a counter that went back (a moved cgroup, a restored VM) tells nothing
    return after - before if before is not None and after is not None and after >= before else None


def _psi_some_us(root: Path) -> int | None:
    """`some … total=N` in µs (kernel: Documentation/accounting/psi.rst)."""
    found = re.search(r"^some .*total=(\d+)", _read(root / "proc/pressure/cpu") or "", re.MULTILINE)
    return int(found[1]) if found else None


def _steal_ticks(root: Path) -> int | None:
    """Column 8 of /proc/stat: `cpu user nice system idle iowait irq softirq steal` (proc(5))."""
    found = re.match(r"cpu +(?:\d+ +){7}(\d+)", _read(root / "proc/stat") or "")
    return int(found[1]) if found else None


def _load1(root: Path) -> float | None:
    words = (_read(root / "proc/loadavg") or "").split()
    try:
        load = float(words[0])
    except (IndexError, ValueError):
        return None
    return load if math.isfinite(load) else None


def _throttled(stat: Path) -> int | None:
    """`throttled_usec` of a cgroup v2 cpu.stat, absent where no cpu controller is on (cgroup-v2.rst)."""
    found = re.search(r"^throttled_usec (\d+)", _read(stat) or "", re.MULTILINE)
    return int(found[1]) if found else None


def _cgroups(root: Path) -> list[Path]:
    """Our cgroup v2 directory and its ancestors, the nearest first; empty where there is no cgroup v2."""
    found = re.search(r"^0::/(.*)$", _read(root / "proc/self/cgroup") or "", re.MULTILINE)
    mounts = (root / "sys/fs/cgroup", root / "sys/fs/cgroup/unified")
    mount = next((path for path in mounts if (path / "cgroup.procs").exists()), None)
    if found is None or mount is None:
        return []
    own = mount / found[1]
    if ".." in own.parts or not own.is_dir():
        return [mount]  # the path is of another namespace: what is mounted is then our own cgroup
    return (
        [own, *(parent for parent in own.parents if parent.is_relative_to(mount))] if own != mount else [own]
    )


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
    cpus = len(cpu_list(_read(root / _CPU / "online") or "")) or len(cpuinfo)
    smt = _read(root / _CPU / "smt/active")
    status = re.search(r"^Cpus_allowed_list:\s*(.*)$", _read(root / "proc/self/status") or "", re.MULTILINE)
    core_types = {
        kind: len(cpu_list(text))
        for kind in ("cpu_core", "cpu_atom", "cpu_lowpower")
        if (text := _read(root / "sys/devices" / kind / "cpus"))
    }
    return _told_only(
        **_cpu_model(cpuinfo),
        cpus=max(cpus, 1),
        smt=None if smt is None else smt == "1",
        core_types=" ".join(f"{kind}={count}" for kind, count in core_types.items()) or None,
        governor=",".join(_each(root / _CPU / "cpufreq", "policy*/scaling_governor")) or None,
        boost=_boost(root),
        virtual=_hypervisor(root, cpuinfo) is not None,
        affinity=len(cpu_list(status[1])) or None if status else None,
        quota=_quota(root),
    )


def _linux_recorded(root: Path) -> Facts:
    cpuinfo = _cpuinfo(root)
    memory = re.search(r"^MemTotal:\s+(\d+) kB", _read(root / "proc/meminfo") or "", re.MULTILINE)
    pages = re.search(r"\[(\w+)\]", _read(root / "sys/kernel/mm/transparent_hugepage/enabled") or "")
    preferences = _each(root / _CPU / "cpufreq", "policy*/energy_performance_preference")
    return _told_only(
        microcode=cpuinfo[0].get("microcode") if cpuinfo else None,
        kernel=_read(root / "proc/sys/kernel/osrelease"),
        memory_gib=round(int(memory[1]) / 2**20) if memory else None,
        hypervisor=_hypervisor(root, cpuinfo),
        huge_pages=pages[1] if pages else None,
        address_randomization=_read(root / "proc/sys/kernel/randomize_va_space"),
        energy_preference=",".join(preferences) or None,
        **{_HOST: _anonymous(_read(root / "proc/sys/kernel/hostname"))},
    )


def _cpuinfo(root: Path) -> list[dict[str, str]]:
    """One mapping for each CPU of /proc/cpuinfo."""
    blocks = re.split(r"\n\s*\n", (_read(root / "proc/cpuinfo") or "").strip())
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
            "stepping": f"r{int(first.get('CPU variant', '0'), 0)}p{first.get('CPU revision', '0')}",
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


def _boost(root: Path) -> bool | None:
    """Whether clocks may rise above nominal; Intel's driver says so the other way round."""
    if (no_turbo := _read(root / _CPU / "intel_pstate/no_turbo")) is not None:
        return no_turbo == "0"
    if (boost := _read(root / _CPU / "cpufreq/boost")) is not None:
        return boost == "1"
    policies = _each(root / _CPU / "cpufreq", "policy*/boost")
    return policies == ["1"] if policies else None


def _hypervisor(root: Path, cpuinfo: list[dict[str, str]]) -> str | None:
    """What this is a guest of, None on bare metal. A container is no guest: it runs at its host's speed."""
    if kind := _read(root / "sys/hypervisor/type"):
        return kind
    vendor = _read(root / "sys/class/dmi/id/sys_vendor") or ""
    product = _read(root / "sys/class/dmi/id/product_name") or ""
    if cpuinfo and "flags" in cpuinfo[0]:  # x86 says it itself
        guest = "hypervisor" in cpuinfo[0]["flags"].split()
    elif vendor == "Amazon EC2":
        guest = "metal" not in product
    else:  # ARM has no such flag: the firmware's description is all there is
        guest = bool(_GUESTS.search(f"{vendor} {product}")) or (root / "proc/device-tree/hypervisor").exists()
    return (vendor or "unnamed") if guest else None


def _quota(root: Path) -> float | None:
    """CPUs that cgroup v2 lets us use: the tightest `cpu.max` (quota, period) up the tree."""
    quotas = []
    for group in _cgroups(root):
        words = (_read(group / "cpu.max") or "max").split()
        if words[0] != "max":
            quotas.append(int(words[0]) / int(words[1]))
    return round(min(quotas), 2) if quotas else None


def cpu_list(text: str) -> list[int]:
    """The CPUs of the kernel's list format, `0-3,8` (cpuset(7)), strides left out; empty if it is none."""
    cpus: list[int] = []
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        if not first.isdecimal() or (last and not last.isdecimal()):
            return []
        cpus.extend(range(int(first), int(last or first) + 1))
    return cpus


def _other_facts(sysctl: Callable[[str], str | None]) -> tuple[Facts, Facts]:
    """What macOS tells (sysctl(3)); on any other system what Python knows."""
    name = sysctl("machdep.cpu.brand_string") or platform.processor() or platform.machine()
    levels = [f"level{i}={count}" for i in (0, 1) if (count := sysctl(f"hw.perflevel{i}.logicalcpu"))]
    memory = sysctl("hw.memsize")
    keyed = _told_only(
        vendor=next((vendor for vendor in ("apple", "intel", "amd") if vendor in name.lower()), None),
        family=sysctl("machdep.cpu.family") or sysctl("hw.cpufamily"),
        model=sysctl("machdep.cpu.model"),
        stepping=sysctl("machdep.cpu.stepping"),
        name=name,
        cpus=int(sysctl("hw.ncpu") or os.cpu_count() or 1),
        core_types=" ".join(levels) or None,
        virtual=sysctl("kern.hv_vmm_present") == "1",
    )
    recorded = _told_only(
        kernel=sysctl("kern.osrelease") or platform.release(),
        memory_gib=round(int(memory) / 2**30) if memory else None,
        **{_HOST: _anonymous(platform.node())},
    )
    return keyed, recorded


def _sysctl(name: str) -> str | None:
    try:
        done = subprocess.run(
            ["sysctl", "-n", name],
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def _anonymous(hostname: str | None) -> str | None:
    """Enough to tell two hosts apart; a host's name itself never reaches a file."""
    return hashlib.sha256(f"pytest-ethrex-perf {hostname}".encode()).hexdigest()[:8] if hostname else None


def _told_only(**facts: Fact | None) -> Facts:
    return {name: fact for name, fact in facts.items() if fact is not None}


def _each(directory: Path, pattern: str) -> list[str]:
    """The different contents of the files that match, sorted."""
    texts: Iterable[str | None] = (_read(path) for path in directory.glob(pattern))
    return sorted({text for text in texts if text})


def _read(path: Path) -> str | None:
    """The file's text without surrounding space; None where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip(" \t\r\n\0")
    except OSError:
        return None
