"""The analyses, and the profiling guide's own perl lines on the same files."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.profile import analyses, stacks

if TYPE_CHECKING:
    from pytest_ethrex_perf.profile.stacks import Stacks

RECORDED = Path(__file__).parent / "recordings" / "stackcollapse_py.folded"

MADE = Path(__file__).with_name("stackcollapse.folded")
STACKS, _ = stacks.read(MADE)
TOTAL = sum(STACKS.values())

# as they stand in the guide, but for the `| head`. The last two count 0 for every ethrex frame: in perl a
# match that succeeds inside sets $2 anew. So they are run with the count saved, too (`repaired`).
SELF = r"""perl -ne 'chomp; if (/^(.*)\s+(\d+)$/) {
  @frames = split(/;/, $1);
  $leaf = $frames[-1];
  $total{$leaf} += $2;
} END {
  for (sort { $total{$b} <=> $total{$a} } keys %total) {
    printf "%12d  %s\n", $total{$_}, $_;
  }
}' stacks.folded"""
CALLERS = r"""grep 'KeccakF1600' stacks.folded | perl -ne 'chomp; if (/^(.*)\s+(\d+)$/) {
  @f = split(/;/, $1);
  for my $i (0..$#f) {
    if ($f[$i] =~ /KeccakF1600/) {
      for my $j (reverse 0..$i-1) {
        if ($f[$j] =~ /ethrex/) { $total{$f[$j]} += $2; last; }
      }
      last;
    }
  }
} END {
  for (sort { $total{$b} <=> $total{$a} } keys %total) {
    printf "%12d  %s\n", $total{$_}, $_;
  }
}'"""
MODULES = r"""perl -ne 'chomp; if (/^(.*)\s+(\d+)$/) {
  @frames = split(/;/, $1);
  my $found = 0;
  for my $frame (@frames) {
    if ($frame =~ /(ethrex_\w+)::/) { $total{$1} += $2; $found = 1; last; }
  }
  $total{"<other>"} += $2 unless $found;
} END {
  my $grand = 0; $grand += $total{$_} for keys %total;
  for (sort { $total{$b} <=> $total{$a} } keys %total) {
    printf "%12d  %5.1f%%  %s\n", $total{$_}, 100*$total{$_}/$grand, $_;
  }
}' stacks.folded"""


@pytest.fixture(params=[MADE, RECORDED], ids=["made", "recorded"])
def folded(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file by the name that the guide gives it."""
    file = tmp_path / "stacks.folded"
    file.write_text(request.param.read_text())
    return file


def perl(script: str, file: Path) -> dict[str, int]:
    if shutil.which("perl") is None:
        pytest.skip("perl is not installed")
    printed = subprocess.run(
        ["sh", "-c", script], cwd=file.parent, check=True, capture_output=True, text=True
    ).stdout
    rows = (re.fullmatch(r" *(\d+)(?: +[\d.]+%)?  (.*)", row) for row in printed.splitlines())
    return {row[2]: int(row[1]) for row in rows if row}


def test_self_time_is_the_guides(folded: Path) -> None:
    told = perl(SELF, folded)
    assert told
    assert analyses.self_time(stacks.read(folded)[0]) == told


def repaired(script: str) -> str:
    return script.replace("{\n", "{ $count = $2;\n", 1).replace("+= $2", "+= $count")


def test_callers_are_the_guides(folded: Path) -> None:
    found = analyses.callers(stacks.read(folded)[0], stacks.pattern("KeccakF1600"))
    unknown = found.pop(analyses.NO_CALLER, 0)  # which the guide leaves out
    assert found == perl(repaired(CALLERS), folded)
    assert found.keys() == perl(CALLERS, folded).keys()
    every = sum(n for frames, n in stacks.read(folded)[0].items() if any("KeccakF1600" in f for f in frames))
    assert found.total() + unknown == every


def test_crates_are_the_guides(folded: Path) -> None:
    told = perl(repaired(MODULES), folded)
    assert told
    assert analyses.crates(stacks.read(folded)[0]) == told
    assert told.keys() == perl(MODULES, folded).keys()


def test_callers_are_found_whatever_the_case() -> None:
    assert analyses.callers(STACKS, stacks.pattern("keccak")) == analyses.callers(
        STACKS, stacks.pattern("Keccak")
    )


def test_a_made_file_has_callers() -> None:
    assert analyses.callers(STACKS, stacks.pattern("Keccak")) == {
        "ethrex_trie::Node::hash": 30,
        analyses.NO_CALLER: 3,
    }


def test_a_function_that_recurs_counts_once_in_inclusive_time() -> None:
    found = analyses.inclusive(Counter({("main", "a", "b", "a"): 3, ("main", "a"): 1}))
    assert found == {"a": 4, "b": 3}


def test_opcodes_go_by_the_innermost_handler_of_either_kind() -> None:
    assert analyses.opcodes(STACKS) == {"SLOAD": 75 + 20 + 9, "STATICCALL": 45, "PUSH0": 4}
    nested: Stacks = Counter({("t", "ethrex_levm::vm::VM::op_call", "ethrex_levm::vm::VM::op_mload"): 5})
    assert analyses.opcodes(nested) == {"MLOAD": 5}
    assert analyses.opcode("<revm::OpFooHandler as revm::OpcodeHandler>::eval") is None


def test_allocation_belongs_to_the_outermost_allocator_and_its_ethrex_caller() -> None:
    assert analyses.allocations(STACKS) == {
        "malloc": {"<ethrex_levm::op::OpSLoadHandler as ethrex_levm::op::OpcodeHandler>::eval": 9},
        "realloc": {"ethrex_trie::Node::hash": 12},
        "free": {"ethrex_blockchain::Blockchain::handle_merkleization": 7, analyses.NO_CALLER: 1},
    }


@pytest.mark.parametrize(
    ("frame", "family"),
    [
        ("malloc", "malloc"),
        ("__libc_malloc", "malloc"),
        ("_int_malloc", "malloc"),
        ("malloc_consolidate", "malloc"),
        ("calloc", "malloc"),
        ("posix_memalign", "malloc"),
        ("_rjem_malloc", "malloc"),
        ("_rjem_je_malloc_default", "malloc"),
        ("mi_malloc_aligned", "malloc"),
        ("__rust_alloc", "malloc"),
        ("__rdl_alloc_zeroed", "malloc"),
        ("__rustc::__rust_alloc", "malloc"),
        ("cfree", "free"),
        ("__libc_free", "free"),
        ("_int_free_merge_chunk", "free"),
        ("_rjem_sdallocx", "free"),
        ("__rust_dealloc", "free"),
        ("realloc", "realloc"),
        ("_int_realloc", "realloc"),
        ("_rjem_rallocx", "realloc"),
        ("__rust_realloc", "realloc"),
        ("freeze", None),
        ("malloc_stats_print", None),
        ("ethrex_levm::memory::Memory::alloc", None),
        ("<T as core::alloc::GlobalAlloc>::realloc", None),
    ],
)
def test_allocators_are_known_by_their_functions(frame: str, family: str | None) -> None:
    assert analyses.allocator(frame) == family


def test_data_structures_count_their_own_work_only() -> None:
    found = analyses.structures(STACKS)
    slot = "<ethrex_vm::db::Db as ethrex_levm::db::Database>::get_storage_slot"
    assert found["BTreeMap"] == {slot: 75, "ethrex_levm::vm::VM::op_sload": 20}
    assert found["SliceOrd"] == {slot: 75}
    assert not found["HashMap"]
    closure: Stacks = Counter(
        {("t", "ethrex_a::b", "alloc::collections::btree::map::Iter::fold", "ethrex_a::c"): 9}
    )
    assert not any(analyses.structures(closure).values())


def test_threads_and_phases_are_counted() -> None:
    assert analyses.threads(STACKS) == {"ethrex-replay": 193, "block_executor_": 52, "tokio-runtime": 3}
    assert analyses.phases(STACKS) == {analyses.NO_PHASE: TOTAL}
    cut: Stacks = Counter({("[exec]", "main", "a"): 2, ("[prep]", "main", "a"): 1})
    assert analyses.phases(cut) == {"exec": 2, "prep": 1}
    assert analyses.threads(cut) == {"main": 3}


def test_a_table_has_the_largest_first_and_shares_of_everything() -> None:
    rows = analyses.table({"a": 1, "b": 3, "c": 3}, 10, top=2)
    assert rows == [("b", 3, 0.3), ("c", 3, 0.3)]
