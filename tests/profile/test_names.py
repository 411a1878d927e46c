from __future__ import annotations

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_ethrex_perf.profile.mangling import demangle
from pytest_ethrex_perf.profile.names import of_module, shorten

# real symbols of one program, built by rustc 1.95 with either mangling
BOTH = {
    "vec::W::show": (
        "_RNvMs_Cs80nISGL7dYr_3vecINtB4_1WyE4showB4_",
        "_ZN3vec10W$LT$T$GT$4show17h3acd2f0917ba9b7fE",
    ),
    "vec::main": ("_RNvCs80nISGL7dYr_3vec4main", "_ZN3vec4main17h7d8da916c7628d93E"),
    "core::ptr::drop_in_place<core::result::Result>": (
        (
            "_RINvNtCsgEmfK2I1SDS_4core3ptr13drop_in_placeINtNtB4_6result6ResultuINtNtCslNYArtu3iFV_5alloc5boxed"
            "3BoxDNtNtB4_3any3AnyNtNtB4_6marker4SendEL_EEECs80nISGL7dYr_3vec.llvm.1076467956202572593"
        ),
        (
            "_ZN4core3ptr130drop_in_place$LT$core..result..Result$LT$$LP$$RP$$C$alloc..boxed..Box$LT$dyn$u20$"
            "core..any..Any$u2b$core..marker..Send$GT$$GT$$GT$17hb07b650081884973E.llvm.2316653132924176284"
        ),
    ),
    "std::thread::lifecycle::JoinInner::join": (
        "_RNvMNtNtCsjrHSEGnQ3l9_3std6thread9lifecycleINtB2_9JoinInnerhE4joinCs80nISGL7dYr_3vec",
        "_ZN3std6thread9lifecycle18JoinInner$LT$T$GT$4join17h53b8846fb36a9cd0E",
    ),
}
# what perf, c++filt and samply print for functions of ethrex
PRINTED = {
    "ethrex_levm::vm::VM::op_sload": (
        "ethrex_levm::vm::VM::op_sload::h0123456789abcdef",
        "<ethrex_levm[5f1b2c3d4e5f6071]::vm::VM>::op_sload",
        "ethrex_levm::opcode_handlers::stack_memory_storage_flow::<impl ethrex_levm::vm::VM>::op_sload",
        "<ethrex_levm::vm::VM<'a>>::op_sload.llvm.1234",
    ),
    "<ethrex_levm::op::OpSLoadHandler as ethrex_levm::op::OpcodeHandler>::eval": (
        "<ethrex_levm::op::OpSLoadHandler as ethrex_levm::op::OpcodeHandler>::eval::hffffffffffffffff",
        "ethrex_levm::op::<impl ethrex_levm::op::OpcodeHandler for ethrex_levm::op::OpSLoadHandler>::eval",
    ),
    "alloc::collections::btree::map::BTreeMap::get": (
        "alloc::collections::btree::map::BTreeMap<K,V,A>::get",
        "<alloc::collections::btree::map::BTreeMap<alloc::vec::Vec<u8>, [u8; 32]>>::get::<[u8]>",
    ),
    "ethrex_trie::node::Node::hash::{{closure}}": (
        "ethrex_trie::node::Node::hash::{{closure}}",
        "<ethrex_trie::node::Node>::hash::{closure#0}",
        "<ethrex_trie::node::Node>::hash::{closure#12}",
    ),
    "<&T as core::fmt::Display>::fmt": ("<&T as core::fmt::Display>::fmt",),
    "core::ops::function::Fn::call": ("core::ops::function::Fn::call<fn(u8) -> alloc::vec::Vec<u8>,(u8,)>",),
    "__libc_start_main": ("__libc_start_main@@GLIBC_2.34",),
    "_int_free": ("_int_free", "_int_free.part.0", "_int_free.constprop.0.isra.0", "_int_free [clone .cold]"),
    "std::map::operator[]": ("std::map::operator[]",),
}


@pytest.mark.parametrize(("name", "symbols"), BOTH.items(), ids=list(BOTH))
def test_either_mangling_of_a_function_is_one_name(name: str, symbols: tuple[str, str]) -> None:
    assert [shorten(symbol) for symbol in symbols] == [name, name]


@pytest.mark.parametrize(("name", "printed"), PRINTED.items(), ids=list(PRINTED))
def test_what_tools_print_of_a_function_is_one_name(name: str, printed: tuple[str, ...]) -> None:
    assert {shorten(form) for form in printed} == {name}


@pytest.mark.parametrize(
    ("symbol", "path"),
    [
        # the first three are of rustc's own documentation and tests
        ("_RNvC6_123foo3bar", "123foo::bar"),
        (
            "_RNqCs4fqI2P2rA04_11utf8_identsu30____7hkackfecea1cbdathfdh9hlq6y",
            "utf8_idents::საჭმელად_გემრიელი_სადილი",
        ),
        (
            "_RINbNbCskIICzLVDPPb_5alloc5alloc8box_freeDINbNiB4_5boxed5FnBoxuEp6OutputuEL_ECs1iopQbuBiw2_3std",
            "alloc::alloc::box_free::<dyn alloc::boxed::FnBox<(), Output = ()>>",
        ),
        ("_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_", "cc::spawn::{closure#0}::{closure#0}"),
        ("_RNvXs_C4testNtB4_1SNtB4_1T1f", "<test::S as test::T>::f"),
        ("_RINvC4test1fKj1f_Kb1_Kln3_Kc78_E", "test::f::<31, true, -3, 'x'>"),
        (
            "_RINvC4test1fRhQePSlOAtpTuxETyEE",
            "test::f::<&u8, &mut str, *const [i32], *mut [u16; _], ((), i64), (u64,)>",
        ),
        ("_RINvC4test1fFUKChEyFEuE", 'test::f::<unsafe extern "C" fn(u8) -> u64, fn()>'),
    ],
)
def test_v0_symbols_read_as_rustc_documents_them(symbol: str, path: str) -> None:
    assert demangle(symbol) == path


@pytest.mark.parametrize(
    "symbol",
    [
        "main",
        "Rust",
        "R",
        "_R",
        "_RNv",
        "_RNvB_3foo",  # a reference to itself
        "_ZNSt6vectorIiSaIiEE9push_backERKi",  # C++
        "_ZN99foo17h0123456789abcdefE",  # longer than it is
        "_RINvC1a1b" + "R" * 300 + "hE",  # deeper than anybody nests
    ],
)
def test_what_is_no_rust_symbol_stays_as_it_is(symbol: str) -> None:
    assert demangle(symbol) == symbol


@example("C00")  # a crate without a name
@given(st.text(alphabet=string.ascii_letters + string.digits + "_.$", max_size=80))
def test_no_symbol_stops_the_demangler(text: str) -> None:
    for prefix in ("_R", "_ZN", "_RNv", "_RINvC1a1b"):
        assert demangle(prefix + text)


@given(st.text(alphabet="<>:abA &,()[];-=}{#0h", max_size=60))
def test_shortening_twice_changes_nothing(text: str) -> None:
    once = shorten(text)
    assert once
    assert shorten(once) == once


@given(st.recursive(st.just("a::B"), lambda inner: st.builds("c::D<{}>".format, inner), max_leaves=8))
def test_no_generic_argument_is_left(kind: str) -> None:
    assert shorten(f"{kind}::f") == f"{kind.partition('<')[0]}::f"
    assert shorten(f"<{kind}>::f::<{kind}>") == f"{kind.partition('<')[0]}::f"
    assert shorten(f"<{kind} as T<{kind}>>::f") == f"<{kind.partition('<')[0]} as T>::f"


def test_addresses_without_a_symbol_go_by_their_module() -> None:
    assert of_module("/usr/lib/libsecp256k1.so.1") == "[libsecp256k1.so.1]"
    assert of_module("/opt/replay (deleted)") == "[replay]"
    assert of_module("[vdso]") == "[vdso]"
    assert of_module("") == "[unknown]"
