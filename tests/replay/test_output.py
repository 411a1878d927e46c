"""Reading what the program printed: real transcripts, and what no program should print."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pytest_ethrex_perf.host.process import Finished
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.records.measurement import Usage
from pytest_ethrex_perf.replay import failure
from pytest_ethrex_perf.replay.output import Repeat, duration_ns, parse, strip_ansi

TRANSCRIPTS = Path(__file__).parent / "transcripts"
BLOCK = BlockId("hoodi", 1265656)
SUCCESSES = {
    "repeat1_ansi": 1,
    "repeat3_metric_2025_11": 3,
    "repeat3_multiline_metric": 3,
    "repeat5_ansi": 5,
    "repeat11": 11,
}


def transcript(name: str) -> str:
    path = TRANSCRIPTS / name
    return path.read_text() if path.exists() else ""


def finished(stdout: str = "", stderr: str = "", returncode: int = 0) -> Finished:
    usage = Usage(user_ns=0, system_ns=0, max_rss_kib=0, voluntary_switches=0, involuntary_switches=0)
    return Finished(
        returncode=returncode,
        timed_out=False,
        stdout=stdout,
        stderr=stderr,
        left_out=0,
        usage=usage,
        wall_ns=10**12,
        started="",
    )


def reason(
    stdout: str, stderr: str = "", returncode: int = 0, repeat: int = 2, block: BlockId = BLOCK
) -> str | None:
    return failure.of_measurement(
        finished(stdout, stderr, returncode), parse(stdout), block=block, repeat=repeat, timeout=None
    )


@pytest.mark.parametrize(("name", "repeat"), SUCCESSES.items())
def test_real_successes_are_successes(name: str, repeat: int) -> None:
    stdout = transcript(f"{name}.stdout")
    assert reason(stdout, repeat=repeat) is None
    got = parse(stdout)
    report = got.report
    assert report is not None
    assert (report.network, report.number) == (BLOCK.network, BLOCK.number)
    assert (report.gas, report.txs) == (4402947, 11)
    assert [one.index for one in got.repeats] == list(range(1, repeat + 1))
    assert got.errors == ()
    assert got.phases["exec"] > 0


def test_every_repeat_is_read_to_the_last_digit() -> None:
    got = parse(transcript("repeat11.stdout"))
    assert got.repeats[0] == Repeat(1, 41_460_000, 23_900_000)
    assert got.repeats[9] == Repeat(10, 34_010_000, 23_060_000)
    assert got.profiled == 11


def test_a_single_repeat_is_read_from_its_own_form_with_colours() -> None:
    got = parse(transcript("repeat1_ansi.stdout"))
    assert got.repeats == (Repeat(1, 42_380_000, 23_700_000),)
    assert got.profiled is None


@pytest.mark.parametrize(
    ("name", "returncode", "says"),
    [
        (
            "bad_cache_1",
            0,
            "Execution Error: Invalid Block: World State Root does not match the one in the header",
        ),
        ("bad_cache_2", 0, "Gas used doesn't match value in header. Used: 4402947, Expected: 4402948"),
        ("bad_cache_3", 0, "System contract: 0x0000…7002 has no code after deployment"),
        (
            "bad_cache_4",
            0,
            "Execution Error: Trie error: Inconsistent internal tree structure: Node with hash",
        ),
        ("bad_cache_5", 1, "exit code 1: Cache wasn't found for block 5: EOF while parsing a list at line 1"),
        (
            "bad_cache_6",
            101,
            "exit code 101: index out of bounds: the len is 0 but the index is 0 (panicked at",
        ),
        ("bad_cache_8", 0, "Execution Error: Custom error: header for block 1265655 not found"),
        ("missing_cache", 1, "No such file or directory (os error 2) (replay_cache/cache_hoodi_999.json)"),
        (
            "repeat0",
            101,
            "index out of bounds: the len is 0 but the index is 0 (panicked at src/main.rs:178:26)",
        ),
        ("bad_arg", 2, "exit code 2: error: unexpected argument '--nonsense' found"),
    ],
)
def test_real_failures_are_failures_with_the_programs_own_words(
    name: str, returncode: int, says: str
) -> None:
    why = reason(transcript(f"{name}.stdout"), transcript(f"{name}.stderr"), returncode)
    assert why is not None
    assert says in why
    assert "etherscan" not in why
    assert "\n" not in why


def test_the_other_wording_of_a_failed_execution_is_one_too() -> None:
    report = (
        "[hoodi] Block: 1265656, Gas: 1, #Txs: 1, Execution Result: ⚠️ Failed with no | luck | https://x.io/1"
    )
    assert parse(f"2026-02-18T02:42:01.8Z ERROR replay: {report}\n").execution_error == "no | luck"


@pytest.mark.parametrize("name", ["repeat1_ansi", "repeat3_multiline_metric"])
def test_an_output_cut_off_anywhere_near_its_end_is_never_a_success(name: str) -> None:
    content = (TRANSCRIPTS / f"{name}.stdout").read_bytes()
    for end in range(len(content) - 400, len(content)):
        cut_off = content[:end].decode(errors="replace")
        assert reason(cut_off, repeat=SUCCESSES[name]) is not None, cut_off[-50:]


@settings(deadline=None)
@given(name=st.sampled_from(sorted(SUCCESSES)), data=st.data())
def test_an_output_cut_off_anywhere_is_never_a_success(name: str, data: st.DataObject) -> None:
    content = (TRANSCRIPTS / f"{name}.stdout").read_bytes()
    end = data.draw(st.integers(0, len(content) - 1))
    assert reason(content[:end].decode(errors="replace"), repeat=SUCCESSES[name]) is not None


@settings(deadline=None)
@given(data=st.data())
def test_an_output_that_lost_any_line_of_its_results_is_never_a_success(data: st.DataObject) -> None:
    lines = transcript("repeat11.stdout").splitlines(keepends=True)
    first = next(i for i, line in enumerate(lines) if "Profiling Results" in line)
    lost = data.draw(st.integers(first, len(lines) - 1))
    assert reason("".join(lines[:lost] + lines[lost + 1 :]), repeat=11) is not None


def test_a_report_that_names_no_execution_time_is_a_failure() -> None:
    stdout = transcript("repeat11.stdout").replace(
        "Execution Time: 00s 029ms", "Execution Aborted: some new way"
    )
    assert "not executed correctly (exit code 0): Execution Aborted" in (reason(stdout, repeat=11) or "")


def test_an_execution_error_beside_complete_results_is_a_failure() -> None:
    stdout = transcript("repeat11.stdout")
    bad = transcript("bad_cache_1.stdout").splitlines(keepends=True)[-1]
    assert "not executed correctly" in (reason(bad + stdout, repeat=11) or "")


@settings(deadline=None)
@given(st.text() | st.binary().map(lambda content: content.decode(errors="replace")))
@example("[hoodi] Block: ٣, Gas: 1, #Txs: 1, Execution Time: 1\n")
@example(f"[hoodi] Block: 1, Gas: {'9' * 5000}, #Txs: 1, Execution Time: 1\n")
@example(
    "=== Profiling Results (2 runs) ===\n# 1: prep= 1.00ms exec= 99999999999999999999.00ms total= 1.00ms\n"
)
def test_arbitrary_text_never_raises_and_is_never_a_success(text: str) -> None:
    assert reason(text) is not None


LINES = [
    line
    for path in sorted(TRANSCRIPTS.glob("*.stdout"))
    for line in path.read_text().splitlines(keepends=True)
    if "hoodi" in line or "#" in line or "METRIC" in line or "|-" in line or "===" in line
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(LINES) | st.text(), max_size=30))
def test_real_lines_in_any_order_never_raise(lines: list[str]) -> None:
    parse("".join(lines))


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("832.00ns", 832),
        ("832.11µs", 832_110),
        ("832.11μs", 832_110),  # the other mu
        (" 59.23ms", 59_230_000),
        ("   1.20s", 1_200_000_000),
        ("  61.23s", 61_230_000_000),
        ("1000.00µs", 1_000_000),
        ("1000.00ms", 1_000_000_000),
        ("5ms", 5_000_000),
        ("0.00ns", 0),
    ],
)
def test_rust_durations_are_read_exactly(text: str, ns: int) -> None:
    assert duration_ns(text) == ns


@pytest.mark.parametrize("text", ["", "ms", "1.2", "1.2.3ms", "-1ms", "1e3ms", "1m", "1,5ms", "٣ms", "1 ms"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        duration_ns(text)


@settings(deadline=None)
@given(st.integers(0, 10**15), st.sampled_from([("ns", 1), ("µs", 10**3), ("ms", 10**6), ("s", 10**9)]))
def test_a_printed_duration_is_read_back_within_its_resolution(ns: int, unit: tuple[str, int]) -> None:
    name, scale = unit
    hundredths = round(ns * 100 / scale)
    text = f"{hundredths // 100}.{hundredths % 100:02}{name}".rjust(8)
    assert abs(duration_ns(text) * 100 - hundredths * scale) <= 50


def test_colours_go_and_text_stays() -> None:
    coloured = "\x1b[2m12:00\x1b[0m \x1b[32m INFO\x1b[0m \x1b]0;title\x07x\x1b[38;5;1m[1]"
    assert strip_ansi(coloured) == "12:00  INFO x[1]"


def test_the_opcode_count_of_the_embedded_program_is_read() -> None:
    line = "2026-02-18T02:42:01.8Z  INFO pytest_ethrex_perf::embedded: Opcodes executed: 123456 per repeat\n"
    assert parse(line).opcodes == 123456
    assert parse(line.replace("repeat", "repeat (123400 of the block, 56 extra)")).opcodes == 123456
