from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ethrex_perf.profile import folding
from tests.profile import samples as made

RECORDINGS = Path(__file__).parent / "recordings"


def test_a_sample_has_its_time_thread_and_stack_from_the_root() -> None:
    first, second, third, fourth = folding.samples(made.PERF_SCRIPT.splitlines())
    assert first.frames == ("main", "ethrex_replay::main", "serde_json::de::from_reader")
    assert (first.comm, first.pid, first.tid) == ("ethrex-replay", 24601, 24601)
    assert first.time_ns == 1_700_668_988_000
    assert second.time_ns == 1_700_669_988_123
    assert (third.comm, third.tid) == ("a name 3", 24604)
    assert fourth.frames == ("[cut off]", "core::fmt::write")  # a sample without a chain, on one line


def test_names_are_shortened_and_addresses_go_by_their_module() -> None:
    _, second, third, _ = folding.samples(made.PERF_SCRIPT.splitlines())
    assert second.frames == (
        "[libsecp256k1.so.1]",
        "ethrex_blockchain::Blockchain::handle_merkleization",
        "ethrex_blockchain::Blockchain::handle_merkleization::{{closure}}",
        "ethrex_trie::node::Node::hash",
        "malloc",
        "_int_malloc",
    )
    assert third.frames == ("[cut off]", "[unknown]")


def test_threads_that_share_a_name_are_told_apart_by_what_they_do() -> None:
    script = """\
replay 7/7  1.000000: 
	1 ethrex_vm::run (/replay)

block_executor_ 7/8  1.000001: 
	1 ethrex_vm::run (/replay)
	2 ethrex_blockchain::execute::{closure#0} (/replay)

block_executor_ 7/9  1.000002: 
	1 malloc (/libc.so.6)
	2 ethrex_blockchain::merkleize (/replay)

replay 7/10  1.000003: 
	1 malloc (/libc.so.6)
"""  # noqa: W291 - perf writes it so
    assert folding.threads(list(folding.samples(script.splitlines()))) == {
        (7, 7): "replay",
        (7, 8): "block_executor_ (run)",
        (7, 9): "block_executor_ (merkleize)",
        (7, 10): "replay (thread)",
    }


EXECUTED = """\
perf-exec     0/0         0.000000000: PERF_RECORD_COMM: perf-exec:7/7
taskset  7/7   1.000000: PERF_RECORD_COMM exec: taskset:7/7
taskset  7/7   1.000001: 
	1 setlocale (/usr/lib/libc.so.6)

{comm}  7/7   1.000002: PERF_RECORD_COMM exec: {comm}:7/7
{comm}  7/8   1.000003: PERF_RECORD_FORK(7:8):(7:7)
{comm}  7/7   1.000004: 
	1 ethrex_vm::run (/replay)

{comm}  7/8   1.000005: 
	1 malloc (/libc.so.6)

{comm}  7/9   1.000006: 
	1 ethrex_trie::hash (/replay)

rayon-0  7/10   1.000007: PERF_RECORD_COMM: rayon-0:7/10
rayon-0  7/10   1.000008: 
	1 malloc (/libc.so.6)

"""  # noqa: W291 - perf writes it so


@pytest.mark.parametrize("comm", ["ethrex-replay-p", "0123456789abcde", "a name", "x:7/7"])
def test_threads_without_a_name_are_not_called_as_the_file_is(comm: str) -> None:
    taken = list(folding.samples(EXECUTED.format(comm=comm).splitlines()))
    assert len(taken) == 5
    assert folding.threads(taken) == {
        (7, 7): "main",
        (7, 8): "thread",
        (7, 9): "thread (hash)",
        (7, 10): "rayon-0 (thread)",
    }


def test_a_main_thread_that_the_program_named_keeps_its_name() -> None:
    script = EXECUTED.format(comm="ethrex-replay-p") + "importer 7/7 1.1: \n\t1 f (/replay)\n"
    assert folding.threads(folding.samples(script.splitlines()))[7, 7] == "importer"


@pytest.mark.parametrize(
    ("printed", "name"),
    [
        ("a::b+0x10 (/home/x (copy)/ethrex-replay)", "a::b"),
        ("a::b+0x10 (/home/x (1)/ethrex (2) (deleted))", "a::b"),
        ("bpf_prog_6deef7357e7b4530_sd+0x3 (bpf_prog_6deef7357e7b4530_sd)", "bpf_prog_6deef7357e7b4530_sd"),
        ("f+0x1 ()", "f"),
        ("f ([kernel.kallsyms]_text)", "f"),
        ("f(int, char const (&) [3])+0x1 (/lib/x.so)", "f(int, char const (&) [3])"),
        ("<fn() -> () as a::B>::f (.llvm.123) (/x)", "<fn() -> () as a::B>::f"),
        ("[unknown] (/opt (old)/c.so (deleted))", "[c.so]"),
        ("[unknown] ()", "[unknown]"),
    ],
)
def test_no_module_stays_in_a_name(printed: str, name: str) -> None:
    (sample,) = folding.samples(["replay 7/7  1.000000: ", f"\t    55d {printed}"])
    assert sample.frames[-1] == name


LIBC = "/usr/lib/x86_64-linux-gnu/libc.so.6"


@pytest.mark.parametrize(
    ("outermost", "whole"),
    [
        (["main (/x)", f"__libc_start_call_main ({LIBC})", "_start (/x)"], True),
        ([f"start_thread ({LIBC})", f"clone3 ({LIBC})"], True),
        (["worker (/x)", f"start_thread ({LIBC})"], True),
        # no symbols of the C library, of the executable, of either
        (["std::sys::thread::unix::Thread::new::thread_start (/x)", f"[unknown] ({LIBC})"], True),
        (["std::sys::pal::unix::thread::Thread::new::thread_start (/x)"], True),
        (["worker (/x)", "[unknown] (/lib/ld-musl-x86_64.so.1)"], True),
        ([f"__libc_start_main@@GLIBC_2.34 ({LIBC})", "[unknown] (/x)"], True),
        (["[unknown] (/x)", "[unknown] (/x)"], True),
        (["_dl_start (/lib64/ld-linux-x86-64.so.2)", "_start (/lib64/ld-linux-x86-64.so.2)"], True),
        # libunwind marks where it can't go on, and does so at the start as well
        ([f"__libc_start_call_main ({LIBC})", "[unknown] ([unknown])"], True),
        (["ethrex_vm::run (/x)", "[unknown] ([unknown])"], False),
        (["[unknown] (/x)", "[unknown] ([unknown])"], False),
        (["[unknown] ([unknown])"], False),
        # libdw just stops
        (["ethrex_vm::run (/x)"], False),
        (["ethrex_vm::run (/x)", "ethrex_blockchain::main (/x)"], False),
        ([f"bsearch ({LIBC})", "ethrex_vm::run (/x)"], False),
    ],
)
def test_a_stack_that_does_not_reach_back_to_its_threads_start_is_cut_off(
    outermost: list[str],
    whole: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    script = ["replay 7/7  1.000000: ", *(f"\t    55d {frame}" for frame in ("[unknown] (/x)", *outermost))]
    (sample,) = folding.samples(script)
    assert (sample.frames[0] != "[cut off]") == whole
    assert sample.frames.count("[cut off]") == (0 if whole else 1)


@pytest.mark.parametrize(("file", "cut"), [("deep_8_kib.txt", 4), ("deep_32_kib.txt", 0)])
def test_what_perf_itself_cut_off_is_recognised(file: str, cut: int) -> None:
    taken = list(folding.samples((RECORDINGS / file).read_text().splitlines()))
    assert len(taken) == 4
    assert sum(sample.frames[0] == "[cut off]" for sample in taken) == cut
    assert {sample.frames[-1] for sample in taken} == {"leaf"}
    assert {sample.frames[0] for sample in taken} == ({"[cut off]"} if cut else {"main", "th"})


@given(st.text(alphabet="ab1/[]():.+x0 \t\n-", max_size=200))
def test_no_output_of_perf_stops_it(text: str) -> None:
    for sample in folding.samples(text.splitlines(keepends=True)):
        assert sample.frames
        assert all(sample.frames)


@pytest.mark.parametrize("file", sorted(path.name for path in RECORDINGS.glob("perf_script_*")))
def test_real_output_is_read_in_either_mangling(file: str) -> None:
    taken = list(folding.samples((RECORDINGS / file).read_text().splitlines()))
    assert len(taken) == 4
    assert {sample.comm for sample in taken} == {"toy"}
    names = {frame for sample in taken for frame in sample.frames}
    assert "toy::main" in names
    assert "_start" not in names
    assert not any("<_>" in name or "{closure#" in name or "+0x" in name for name in names)


def test_both_manglings_of_one_program_share_their_names() -> None:
    def names(mangling: str) -> set[str]:
        text = (RECORDINGS / f"perf_script_dwarf_no_inline_{mangling}_mangling.txt").read_text()
        found = {frame for sample in folding.samples(text.splitlines()) for frame in sample.frames}
        return {name for name in found if "toy::" in name or "std::rt" in name or "alloc::fmt" in name}

    assert names("legacy") == names("v0")
