"""Every reader of files and of outside text, given damaged ones: an error of its own, or what it could read.

A reader is a row of `READERS`. What is damaged are files as they are really written, by bytes and (JSON) by
values of other types; of a format that has an end, no shorter file is accepted.
"""

from __future__ import annotations

import contextlib
import copy
import gzip
import itertools
import json
import random
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ethrex_perf.baseline import archive, merge, reference, store
from pytest_ethrex_perf.commands import doctor
from pytest_ethrex_perf.config import toml_file
from pytest_ethrex_perf.counters import callgrind, fate, perf_output
from pytest_ethrex_perf.embedded import bundled, cachefile
from pytest_ethrex_perf.embedded.errors import NoBlockError
from pytest_ethrex_perf.errors import EthrexPerfError
from pytest_ethrex_perf.host import lock, machine, noise, perf_tool
from pytest_ethrex_perf.profile import folding, samply, stacks, timeline
from pytest_ethrex_perf.profile.sampling import Limits
from pytest_ethrex_perf.pytest_run.xdist_results import Inbox
from pytest_ethrex_perf.records import results_file
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.replay import cache as caches
from pytest_ethrex_perf.replay import contents, executable, generation, output, phases
from pytest_ethrex_perf.report import junit_file
from tests import cache_file
from tests.host.trees import plant

if TYPE_CHECKING:
    from collections.abc import Callable

TESTS = Path(__file__).parent.parent
RECORDED = TESTS / "recorded" / "files"
BLOCK = BlockId("mainnet", 24443168)
TOKENS = (
    *(b"", b"\0", b"\xff", b"\x1f\x8b", b"\n", b"\r\n", b"9" * 5_000, b"-1", b"1e999", b"NaN", b"-0", b'"'),
    *(b"\\ud800", b"{", b"[" * 3_000, b"]", b"}", b",", b";", b":", b"<", b"&", b"'", b"%", b"\xef\xbb\xbf"),
    *("٣".encode(), "µ".encode(), b"\x1b[31m", b"inf", b"0x", b"null", b"true"),
)
VALUES: tuple[object, ...] = (
    *(None, True, 0, -1, 10**30, 1e308, 0.5, "", " ", "\ud800", "\0", "x" * 5_000, "..", "-1", "2026-02-30"),
    *([], [[]], {}, {"": None}, [None], [10**18], ["\udfff"], {"a": {"b": []}}, "9" * 400),
)


@dataclass(frozen=True)
class Reader:
    """`read` is given the path of a file; what it raises of `errors` is its own."""

    read: Callable[[Path], object]
    samples: Callable[[], list[bytes]]
    name: str = "file"
    """Of the file, where the reader wants one."""
    errors: tuple[type[Exception], ...] = (EthrexPerfError,)
    ends: bool = False
    """The format has an end: a file that was cut is refused."""
    examples: int = field(default=25)


def files(folder: Path, pattern: str = "*") -> Callable[[], list[bytes]]:
    @cache
    def samples() -> list[bytes]:
        return [path.read_bytes() for path in sorted(folder.glob(pattern)) if path.is_file()]

    return samples


def text(read: Callable[[str], object]) -> Callable[[Path], object]:
    """Reads what a program printed."""
    return lambda path: read(path.read_bytes().decode(errors="replace"))


# --- samples that no file of the tests holds ----------------------------------------------------------------


@cache
def cache_files() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        return [cache_file.write(Path(folder), BLOCK.number).read_bytes()]


@cache
def profiles() -> list[bytes]:
    profile = stacks.Profile(
        program_sha256="12" * 32,
        label="./ethrex-replay",
        block=str(BLOCK),
        started="2026-02-18T08:00:00+00:00",
        recorder="perf 6.1, dwarf frames",
        period_ns=1e6,
        prep_ns=(30_000_000, 30_000_000),
        exec_ns=(60_000_000, 60_000_000),
        names=("main", "leaf"),
        stacks=(stacks.Stack(phase="exec", thread="t", frames=(0, 1), counts=((1, 3), (2, 4))),),
    )
    content = msgspec.json.encode(profile)
    return [content, gzip.compress(content, mtime=0)]


def recordings() -> list[bytes]:
    from tests.profile.test_samply import SYMBOLS, layout

    both = [{"recording": layout(shared=shared), "symbols": SYMBOLS} for shared in (False, True)]
    return [json.dumps(each).encode() for each in both]


def read_samply(path: Path) -> object:
    try:
        both = json.loads(path.read_bytes())
        recording, symbols = both["recording"], both["symbols"]
    except (ValueError, LookupError, TypeError, RecursionError):
        path.with_suffix(".syms.json").write_text("{}")
    else:
        path.write_text(json.dumps(recording))
        path.with_suffix(".syms.json").write_text(json.dumps(symbols))
    return samply.Samply("samply", "--x").samples(path, utc_offset_ns=0, environ={}, limits=Limits())


def references() -> list[bytes]:
    fields = reference.Reference(
        schema=reference.SCHEMA,
        kind="reference",
        source="https://example.org",
        network=BLOCK.network,
        block=BLOCK.number,
        machine="office",
        about_machine="",
        measured="2025-02-12",
        txs=442,
        gas=37_500_000,
        runs=10,
        exec_ns=59_750_000,
        ggas_per_s=0.63,
    )
    return [msgspec.json.encode(fields)]


def dumps() -> list[bytes]:
    return [
        (
            b""  # one text
            b"# callgrind format\nversion: 1\ncreator: callgrind-3.19.0\npid: 7\ncmd: x\npart: 1\n\n"
            b"desc: Trigger: Program termination\n\n"
            b"events: Ir\nsummary: 4014000\n\nfn=(1) main\n1 4014000\n\n"
            b"totals: 4014000\n"
        )
    ]


def read_dumps(path: Path) -> object:
    return callgrind.by_function(callgrind.read_dumps(path.parent), 1)


def read_perf(printed: str) -> object:
    return perf_output.tallies(perf_output.read(printed), core_cpus="0-3", asked=("cycles:u", "instructions"))


def junit() -> list[bytes]:
    from tests.report.test_junit_file import PYTEST

    return [PYTEST.encode()]


def read_archive(path: Path) -> None:
    kept = archive.Archive(path.parent, 2**20)
    with contextlib.suppress(archive.MissingProgramError):
        kept.find("12" * 32, cwd=path.parent, environ={})  # it is another program in any case
    if kept.state("12" * 32) != "whole":
        raise archive.MissingProgramError("is damaged")


def configurations() -> list[bytes]:
    return [
        (
            b""  # one text
            b'network = "hoodi"\nblocks = [1265656, "mainnet/24443168"]\n'
            b'replay = "target/release/ethrex-replay"\n'
            b'margin = "1 %"\nlooks = "6,10,16"\ntimeout = "15m"\n'
            b'[metric.prep]\nfloor = "1ms"\n'
            b'[block."mainnet/24443168"]\nrepeat = 11\n'
            b'[block."mainnet/24443168".metric.exec]\nmargin = 0.02\n'
            b'[[allow]]\nblock = "mainnet/24443168"\nmetric = "exec"\nup_to = "5 %"\nexpires = 2026-03-01\n'
            b'reason = "known"\n'
        )
    ]


def generated() -> list[bytes]:
    record = generation.Generated(
        workload="keccak,gas=30M,seed=0",
        sha256=64 * "1",
        size=9,
        gas=30_000_000,
        txs=30,
        program_sha256=64 * "2",
        program_label="ethrex-replay",
    )
    return [msgspec.json.encode(record)]


def conflicts() -> list[bytes]:
    (content,) = files(RECORDED / "baselines" / "mainnet" / "24443168", "*.json")()
    return [b"<<<<<<< ours\n" + content + b"=======\n" + content + b">>>>>>> theirs\n"]


def read_conflict(path: Path) -> object:
    ours, theirs = merge.sides(path.read_bytes().decode(errors="replace"), "x")
    return merge.merge(store.parse(ours, "ours"), store.parse(theirs, "theirs"))


def executables() -> list[bytes]:
    return [Path("/bin/true").read_bytes()[:6000], b"\x7fELF\x02\x01" + bytes(34) + b"\x40" + bytes(1000)]


def read_program(path: Path) -> object:
    # not what the linker lists of it: that is a process
    executable.uncovered(path)
    return executable._interpreters(path), executable._linker(path)


def programs() -> list[bytes]:
    return [*executables(), b"#!/usr/bin/env -S python3 -u\npass\n", b"#! /bin/sh -e\n:\n"]


def messages() -> list[bytes]:
    from pytest_ethrex_perf.gate.worker import WorkerMessage

    run = results_file.load(RECORDED / "interleaved.json")
    whole = WorkerMessage(
        run=msgspec.structs.replace(run, blocks=()),
        measured=dict(enumerate(run.blocks)),
        unmeasured=run.blocks,
    )
    return [msgspec.json.encode(whole)]


def read_message(printed: str) -> object:
    inbox = Inbox()
    inbox.read("gw0", printed)
    inbox.troubles()
    return inbox.result() if inbox else None


def holders() -> list[bytes]:
    holder = lock.Holder(pid=1, label="pytest", started="2026-02-18T08:00:00+00:00")
    return [msgspec.json.encode(holder)]


def read_names(printed: str) -> object:
    return [folding._frame(line) for line in printed.splitlines()]


READERS = {
    "results": Reader(results_file.load, files(RECORDED, "*.json"), ends=True),
    "edited results": Reader(
        lambda path: results_file.load(path, edited=True), files(RECORDED, "*.json"), ends=True
    ),
    "baseline": Reader(store.load, files(RECORDED / "baselines", "*/*/*.json"), ends=True),
    "baselines in conflict": Reader(read_conflict, conflicts, examples=15),
    "reference": Reader(reference.load, references, "mainnet/24443168/reference-x.json", ends=True),
    "configuration": Reader(lambda path: toml_file.load(path, "mainnet"), configurations, "ethrex-perf.toml"),
    "cache": Reader(lambda path: caches.read(path, BLOCK), cache_files, ends=True),
    "cache, embedded": Reader(
        cachefile.read,
        files(caches.directory("bundled"), "cache_*.json"),
        errors=(ValueError, NoBlockError),
        ends=True,
    ),
    "contents of a cache": Reader(
        lambda path: contents.read(path, bundled.BLOCK),
        files(caches.directory("bundled"), "cache_*.json"),
        ends=True,
    ),
    "record of a workload": Reader(generation.record_of, generated, generation.RECORD),
    "output": Reader(text(output.parse), files(TESTS / "replay" / "transcripts")),
    "phases": Reader(
        text(lambda printed: phases.median_phases(printed.splitlines())),
        files(TESTS / "replay" / "transcripts"),
    ),
    "timeline": Reader(
        text(lambda printed: timeline.timeline(printed, [1_000_000] * 3)),
        files(TESTS / "replay" / "transcripts"),
    ),
    "perf stat": Reader(text(read_perf), files(TESTS / "counters" / "samples", "*/*"), examples=80),
    "callgrind": Reader(read_dumps, dumps, "out.7.1", ends=True),
    "exit code": Reader(fate.kept, lambda: [b"139\n", b"0\n"], examples=40),
    "perf script": Reader(
        text(lambda printed: [*folding.samples(printed.splitlines(keepends=True))]),
        files(TESTS / "profile", "**/perf_script*.txt"),
        examples=60,
    ),
    "names": Reader(text(read_names), files(TESTS / "profile", "**/perf_script*.txt")),
    "samply": Reader(read_samply, recordings, "recording.json", ends=True),
    "stacks": Reader(stacks.read, files(TESTS / "profile", "**/*.folded")),
    "profile": Reader(stacks.read_profile, profiles, ends=True),
    "JUnit": Reader(junit_file.read, junit, ends=True),
    "archive": Reader(
        read_archive, lambda: [b'{"command":["python3","-m","x"]}\n'], "12" * 32 + ".json", ends=True
    ),
    "lock": Reader(lambda path: lock._holder(path.read_bytes()), holders, errors=(ValueError,), ends=True),
    "executable": Reader(doctor.elf_sections, executables),
    "program": Reader(read_program, programs, examples=60),
    "message of a worker": Reader(text(read_message), messages, examples=15),
}


def damaged(sample: bytes, random_: random.Random) -> bytes:
    """The sample with some of its bytes, or of its values, replaced, doubled or taken away."""
    if random_.random() < 0.5 and sample.lstrip()[:1] in (b"{", b"["):
        try:
            return other_values(sample, random_)
        except ValueError:
            pass
    content = bytearray(sample)
    for _ in range(random_.randint(1, 3)):
        begin = random_.randint(0, len(content))
        end = min(len(content), begin + random_.choice((0, 0, 1, 4, 40, 400)))
        kept = bytes(content[begin:end]) if random_.random() < 0.2 else b""
        content[begin:end] = kept * 2 or random_.choice(TOKENS) or random_.randbytes(2)
    return bytes(content)


def other_values(sample: bytes, random_: random.Random) -> bytes:
    content: Any = json.loads(sample)
    for _ in range(random_.randint(1, 2)):
        places = list(_places(content))
        if not places:
            break
        holder, key = random_.choice(places)
        if random_.random() < 0.2 and isinstance(holder, dict):
            del holder[key]
        else:
            holder[key] = copy.deepcopy(random_.choice(VALUES))
    return json.dumps(content).encode()


def _places(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        items = holder.items() if isinstance(holder, dict) else enumerate(holder)
        for key, item in itertools.islice(items, 50):
            found.append((holder, key))
            if isinstance(item, dict | list):
                waiting.append(item)
    return found


def read(reader: Reader, content: bytes) -> bool:
    """Whether the reader takes a file of this content; what is no error of its own is raised."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / reader.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        try:
            reader.read(path)
        except reader.errors:
            return False
    return True


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_an_error_of_its_own(name: str) -> None:
    reader = READERS[name]
    samples = reader.samples()
    assert any(read(reader, sample) for sample in samples), "undamaged it is read"

    @settings(
        max_examples=reader.examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(number=st.integers(0, len(samples) - 1), seed=st.integers(0, 2**32), junk=st.binary(max_size=64))
    def check(number: int, seed: int, junk: bytes) -> None:
        random_ = random.Random(seed)  # noqa: S311 - no secret
        read(reader, junk)
        read(reader, damaged(samples[number], random_))

    check()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("perf stat", b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        ("perf stat", b'{"counter-value":' + b"9" * 5_000 + b',"event":"x"}'),
        ("callgrind", dumps()[0].replace(b"pid: 7", b"pid: " + b"9" * 5_000)),
        ("cache", cache_files()[0].replace(b'["0x80"]', b'["\\ud800"]')),
        ("archive", json.dumps({"command": ["/bin/sh", "x" * 5_000]}).encode()),
        ("archive", json.dumps({"command": ["/bin/sh", "\0"]}).encode()),
        ("program", b"#!/" + b"x" * 4_000 + b"\n"),
        ("program", b"\x7fELF\x02\x01" + b"\xff" * 200),
        ("exit code", b"9\n9\n"),
    ],
    ids=[
        "deep counts",
        "long count",
        "long pid",
        "half a letter",
        "long word",
        "NUL",
        "long interpreter",
        "far away",
        "two codes",
    ],
)
def test_what_was_found_once(name: str, content: bytes) -> None:
    read(READERS[name], content)


@pytest.mark.parametrize("name", [name for name, reader in READERS.items() if reader.ends])
def test_a_file_that_was_cut_is_refused(name: str) -> None:
    reader = READERS[name]
    for sample in reader.samples():
        if not read(reader, sample):  # an older or unmeasured one among the recorded
            continue
        whole = len(sample.rstrip())
        ends = {*range(1, whole, max(1, whole // 12)), whole - 1, whole - 2}
        assert [end for end in sorted(ends) if read(reader, sample[:end])] == []


def trees() -> list[dict[str, str]]:
    from tests.host import test_machine as machines
    from tests.host.test_noise import NOISE

    servers = (machines.AMD_SERVER, machines.INTEL_LAPTOP, machines.BIG_LITTLE, machines.CONTAINER)
    return [NOISE | {name: content for name, content in each.items() if content} for each in servers]


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(seed=st.integers(0, 2**32))
def test_what_the_system_says_is_read_or_passed_over(seed: int) -> None:
    random_ = random.Random(seed)  # noqa: S311 - no secret
    tree = random_.choice(trees())
    with tempfile.TemporaryDirectory() as folder:
        root = plant(Path(folder), tree)
        for name in random_.sample(sorted(tree), 3):
            (root / name).write_bytes(damaged(tree[name].encode(), random_))
        machine.identify(root=root)
        probe = noise.NoiseProbe(root)
        probe.start()
        probe.stop()
        perf_tool.paranoid(root)
        perf_tool.pmus(root)
        perf_tool.install_command("perf", root)
