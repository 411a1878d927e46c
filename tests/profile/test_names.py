from __future__ import annotations

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_ethrex_perf.profile.mangling import demangle
from pytest_ethrex_perf.profile.names import differ, of_module, shorten

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
# real symbols of one program in either mangling: thread locals, function pointers, tuples, trait objects,
# const generics, impls in other modules, closures in boxes
BOTH |= {
    "a::COUNT::{{constant}}::{{closure}}::__RUST_STD_INTERNAL_VAL": (
        "_RNvNCNKNvCs6xxl1lAjzDf_1a5COUNT0023___RUST_STD_INTERNAL_VAL",
        (
            "_ZN1a5COUNT29_$u7b$$u7b$constant$u7d$$u7d$28_$u7b$$u7b$closure$u7d$$u7d$23__RUST_STD_INTERNAL_VAL17h108"
            "00fcb97140c69E"
        ),
    ),
    "<fn(u32) -> u64 as a::Hash2>::hash2": (
        "_RNvXs2_Cs6xxl1lAjzDf_1aFmEyNtB5_5Hash25hash2",
        "_ZN60_$LT$fn$LP$u32$RP$$u20$.$GT$$u20$u64$u20$as$u20$a..Hash2$GT$5hash217h776efde5cae110d3E",
    ),
    "<(u8, alloc::string::String) as a::Hash2>::hash2": (
        "_RNvXs0_Cs6xxl1lAjzDf_1aThNtNtCslNYArtu3iFV_5alloc6string6StringENtB5_5Hash25hash2",
        "_ZN63_$LT$$LP$u8$C$alloc..string..String$RP$$u20$as$u20$a..Hash2$GT$5hash217h18808a1503cebec3E",
    ),
    "<dyn core::fmt::Display + core::marker::Send as a::Hash2>::hash2": (
        (
            "_RNvXs4_Cs6xxl1lAjzDf_1aDNtNtCsgEmfK2I1SDS_4core3fmt7DisplayNtNtBq_6marker4SendEL_"
            "NtB5_5Hash25hash2"
        ),
        (
            "_ZN78_$LT$dyn$u20$core..fmt..Display$u2b$core..marker..Send$u20$as$u20$a..Hash2$GT$5hash217h07eb216dde57"
            "ee1aE"
        ),
    ),
    "core::ptr::drop_in_place<(a::Key, alloc::vec::Vec)>": (
        (
            "_RINvNtCsgEmfK2I1SDS_4core3ptr13drop_in_placeTNtCs6xxl1lAjzDf_1a3KeyINtNtCslNYArtu3iFV_5alloc3vec3VechEE"
            "EBJ_.llvm.1137694096905239594"
        ),
        (
            "_ZN4core3ptr63drop_in_place$LT$$LP$a..Key$C$alloc..vec..Vec$LT$u8$GT$$RP$$GT$17h554f7332451208f2E.llvm."
            "5268237627935242861"
        ),
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
    "<alloc::vec::Vec as core::ops::drop::Drop>::drop": (
        # c++filt takes legacy names for C++'s
        "_$LT$alloc..vec..Vec$LT$T$C$A$GT$$u20$as$u20$core..ops..drop..Drop$GT$::drop::h0123456789abcdef",
        "<alloc::vec::Vec<T,A> as core::ops::drop::Drop>::drop",
        "<alloc[7]::vec::Vec<u8> as core[846817f741e54dfd]::ops::drop::Drop>::drop (.llvm.851702023781)",
        "<alloc::vec::Vec<u8> as core::ops::drop::Drop>::drop.llvm.123_[i]",
        "target/release/ethrex-replay`<alloc::vec::Vec<u8> as core::ops::drop::Drop>::drop",
    ),
    "vec::main": (
        "_RNvCs80nISGL7dYr_3vec4main_[k]",
        "_ZN3vec4main17h7d8da916c7628d93E_[i]",
        "ethrex-replay`_RNvCs80nISGL7dYr_3vec4main",
        "ethrex-replay`_ZN3vec4main17h7d8da916c7628d93E.llvm.5_[j]",
        "vec::main (.cold)",
    ),
    "[libc.so.6]": ("libc.so.6`0x7f12",),
    "my_operator::F::f": ("my_operator::F<T>::f", "<my_operator::F<u8>>::f"),
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
        # of rustc 1.95: pattern types, constants of trait objects, structures and texts as constants
        ("_RINvCsbsFkZsjFIc5_1w1fWmRm1_mffffffff_EB2_", "w::f::<u32 is 1..=4294967295>"),
        ("_RINvC1w1fWPuNE", "w::f::<*const () is !null>"),
        ("_RINvC1w1fWmORm1_m2_Rm4_m5_EE", "w::f::<u32 is 1..=2 | 4..=5>"),
        ("_RINvCs81re96vpUmQ_1d1gDNtB2_1Tp1NKj3_EL_EB2_", "d::g::<dyn d::T<N = 3>>"),
        ("_RINvCshhNdl82Kjmm_1g1fKVNtB2_1PS1xh3_1yTb1_c78_EEEB2_", "g::f::<g::P { x: 3, y: (true, 'x') }>"),
        ("_RINvCshhNdl82Kjmm_1g1gKVNtNtB2_1E1AUEB2_", "g::g::<g::E::A>"),
        ("_RINvCshhNdl82Kjmm_1g1gKVNtNtB2_1E1BTan2_EEB2_", "g::g::<g::E::B(-2)>"),
        ("_RINvCshhNdl82Kjmm_1g1hKRe68c3a9_EB2_", 'g::h::<&"hé">'),
        ("_RINvCshhNdl82Kjmm_1g1iKAh1_h2_EEB2_", "g::i::<[1, 2]>"),
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


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("_RNvCs80nISGL7dYr_3vec4main!", "_RNvCs1iopQbuBiw2_3vec4main!"),
        ("_ZN99foo17h0123456789abcdefE", "_ZN99foo17hfedcba9876543210E"),
    ],
)
def test_what_does_not_parse_is_at_least_the_same_in_every_build(one: str, other: str) -> None:
    assert shorten(one) == shorten(other)


LEGACY = ["main", "<&T as core::fmt::Debug>::fmt", "<alloc::vec::Vec as core::clone::Clone>::clone"]
V0 = [
    "main",
    "<&u8 as core::fmt::Debug>::fmt",
    "<a::main::{{closure}} as core::ops::function::FnOnce>::call_once",
]


def test_builds_of_different_mangling_are_noticed() -> None:
    assert differ(LEGACY, V0)
    assert differ(V0, LEGACY)
    # a standard library of the other mangling, or nothing that shows it
    for base, head in ((LEGACY, LEGACY), (V0, V0), (LEGACY, LEGACY + V0), (V0, ["main"]), ([], LEGACY)):
        assert not differ(base, head)


@given(
    st.sampled_from([symbol for symbols in (*BOTH.values(), *PRINTED.values()) for symbol in symbols]),
    st.sampled_from(
        ["", "_[k]", "_[i]", ".llvm.123456", " (.llvm.99)", ".cold", " [clone .part.0]", "_[j]_[i]"]
    ),
    st.sampled_from(["", "libfoo.so.1`", "/opt/ethrex-replay`"]),
)
def test_no_writer_changes_a_name(symbol: str, suffix: str, prefix: str) -> None:
    if "`" in symbol or "@@" in symbol:
        return
    assert shorten(prefix + symbol + suffix) == shorten(symbol)


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
