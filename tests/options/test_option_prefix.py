"""--ethrex-prefix: what goes before the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Bench


def test_it_goes_before_both_programs(bench: Bench) -> None:
    head, base = bench.program("head"), bench.program("base")
    bench.compare(head, base, "--ethrex-prefix=env 'PINNED=two words'", "--ethrex-looks=6")
    for program in (head, base):
        assert {call["environ"].get("PINNED") for call in bench.calls(program)} == {"two words"}


def test_it_is_kept_with_the_program_but_is_no_part_of_its_identity(bench: Bench) -> None:
    program = bench.program("head")
    bench.record(program, "--ethrex-json=plain.json", "--ethrex-baselines=plain")
    bench.record(program, "--ethrex-json=pinned.json", "--ethrex-prefix=env A=1")
    plain, pinned = (bench.results(f"{name}.json").blocks[0].head for name in ("plain", "pinned"))
    assert plain is not None
    assert plain.program is not None
    assert pinned is not None
    assert pinned.program is not None
    assert (plain.program.prefix, pinned.program.prefix) == ((), ("env", "A=1"))
    assert plain.program.sha256 == pinned.program.sha256


def test_what_is_not_on_path_is_wrong_usage_that_names_the_option(bench: Bench) -> None:
    head = bench.program("head")
    message = bench.refuse("--ethrex-block=1", f"--ethrex-replay={head}", "--ethrex-prefix=no-such-tool -c 0")
    assert message == "--ethrex-prefix: no-such-tool was not found on PATH"


def test_unbalanced_quotes_are_wrong_usage(bench: Bench) -> None:
    told = bench.refuse("--ethrex-block=1", "--ethrex-prefix=env 'A")
    assert told == '--ethrex-prefix: "env \'A" is not a value of it: No closing quotation'


def test_an_empty_one_takes_away_what_the_file_says(bench: Bench) -> None:
    bench.configure("prefix = 'env PINNED=1'\n")
    program = bench.program("head")
    bench.record(program, "--ethrex-prefix=")
    bench.record(program, "--ethrex-baselines=other")
    assert [call["environ"].get("PINNED") for call in bench.calls(program)] == [None, None, "1", "1"]
