"""--ethrex-config and ethrex-perf.toml: what wins over what, and what is refused.

Each single rule of precedence is in tests/config/test_settings.py; here is what a user sees of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_ethrex_perf.records.decision import Rules
    from tests.conftest import Bench


def limits(bench: Bench, *arguments: str, block: str = "24443168") -> dict[str, Rules]:
    """The rules that a run judged by, from the shortest run there is: one pair and no more time."""
    head, base = bench.program("head"), bench.program("base")
    options = ("--ethrex-time-budget=1ms", "--ethrex-json=results.json", "--ethrex-metrics=exec,prep")
    bench.compare(head, base, *options, *arguments, block=block)
    (result,) = bench.results().blocks
    return {metric.metric: metric.rules for metric in result.metrics}


def test_command_line_then_file_then_ini_then_default(bench: Bench) -> None:
    def margin(*arguments: str) -> float:
        return limits(bench, *arguments)["exec"].margin

    assert margin() == 0.01
    bench.pytester.makeini("[pytest]\nethrex_margin = 1.1%")
    assert margin() == pytest.approx(0.011)
    bench.configure('margin = "1.2%"')
    assert margin() == pytest.approx(0.012)
    assert margin("--ethrex-margin=1.3%") == pytest.approx(0.013)


def test_in_the_file_the_most_special_table_wins(bench: Bench) -> None:
    bench.configure(
        """
        margin = "1.1%"
        [metric.prep]
        margin = "1.2%"
        [block.24443168]
        margin = "1.3%"
        [block.24443168.metric.prep]
        margin = "1.4%"
        """
    )
    found = limits(bench)
    assert (found["exec"].margin, found["prep"].margin) == pytest.approx((0.013, 0.014))
    bench.cache(1)
    found = limits(bench, block="1")
    assert (found["exec"].margin, found["prep"].margin) == pytest.approx((0.011, 0.012))


def test_toml_1_1_is_read(bench: Bench) -> None:
    bench.configure(
        """
        allow = [
          {
            block = 24443168,
            metric = "exec",
            up_to = "5%",
            reason = "said over several lines, with a comma at the end",
            expires = 2126-12-31,
          },
        ]
        """
    )
    assert bench.run("--ethrex-block=1", "--co").ret == pytest.ExitCode.OK


def test_a_named_file_is_read_instead(bench: Bench) -> None:
    bench.configure("this is not TOML")
    bench.pytester.mkdir("ci").joinpath("nightly.toml").write_text('tolerance = "7%"')
    found = limits(bench, "--ethrex-config=ci/nightly.toml", "--ethrex-cache-dir=replay_cache")
    assert found["exec"].tolerance == pytest.approx(0.07)


@pytest.mark.parametrize("name", ["nightly.toml", ""])
def test_a_named_file_that_is_missing_is_wrong_usage(bench: Bench, name: str) -> None:
    told = bench.refuse("--ethrex-block=1", f"--ethrex-config={name}")
    assert told == f"--ethrex-config {name}: there is no such file"


def test_its_paths_are_relative_to_itself(bench: Bench) -> None:
    bench.cache(7, directory="ci/caches")
    bench.pytester.mkdir("bin")
    (bench.path / "ci" / "nightly.toml").write_text("cache_dir = 'caches'\nbaselines = 'kept'\n")
    program = bench.program("head")
    bench.record(program, "--ethrex-config=ci/nightly.toml", block="7").assert_outcomes(passed=1)
    assert list((bench.path / "ci" / "kept" / "mainnet" / "7").iterdir())


def test_default_paths_are_beside_it_and_those_of_the_command_line_where_pytest_was_started(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.configure("repeat = 3\n")
    program = bench.path / bench.program("head")
    monkeypatch.chdir(bench.pytester.mkdir("below"))
    result = bench.run(
        "--ethrex-block=24443168",
        f"--ethrex-replay={program}",
        "--ethrex-update-baseline",
        "--ethrex-invocations=2",
        "--ethrex-json=results.json",
        f"--rootdir={bench.path}",
    )
    result.assert_outcomes(passed=1)
    assert (bench.path / "baselines").is_dir()
    assert (bench.path / "below" / "results.json").exists()


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("margn = '2%'", "unknown name 'margn': did you mean 'margin'?"),
        ("[block.1]\nrepeats = 3", """[block."1"]: unknown name 'repeats': did you mean 'repeat'?"""),
        ("[metric.exce]\nmargin = '2%'", "[metric.exce]: unknown name 'exce': did you mean 'exec'?"),
        ("[metric.exec]\nrepeat = 3", "[metric.exec]: unknown name 'repeat'; known: floor, margin, toler"),
        (
            "[block.1.metric.exec]\nmargim = 1",
            """[block."1".metric.exec]: unknown name 'margim': did you mean 'margin'?""",
        ),
        ("[block.1]\nnetwork = 'hoodi'", "unknown name 'network'"),
        ("json = 'r.json'", "unknown name 'json'"),
        ("rpc_url = 'http://x'", "unknown name 'rpc_url'"),
        ("margin = 5", "ethrex-perf.toml: margin: 5 is not a value of it: write 5% for a percentage"),
        ("margin = true", "ethrex-perf.toml: margin: True is not a value of it: write a percentage like"),
        ("repeat = 1", "ethrex-perf.toml: repeat: 1 is not a value of it: it must be at least 2"),
        ("prefix = ['taskset']", "prefix: ['taskset'] is not a value of it: write it as text, in quotes"),
        ("network = 5\nblocks = [1]", "network: 5 is not a value of it: write it as text, in quotes"),
        ("looks = [1, 2]", "looks: [1, 2] is not a value of it: write rising numbers of pairs from 6"),
        ("[block.1]\nmargin = '4%'", "mainnet/1, exec: the margin (0.04) must be below the tolerance (0.03)"),
        ("[metric.prep]\nmargin = '4%'", "every block, prep: the margin (0.04) must be below"),
        ("blocks = 24443168", "blocks: write a list like [24443168]"),
        ("blocks = ['x']", "bad block spec 'x'"),
        ("block = 5", "block: write a table, e.g. [block.24443168]"),
        ("metric = 5", "metric: write a table, e.g. [metric.exec]"),
        ("[block.'1..3']\nrepeat = 3", """[block."1..3"]: name one block"""),
        ("repeat =", "cannot be read: Invalid value"),
    ],
)
def test_what_is_wrong_in_it_is_wrong_usage_in_one_line(bench: Bench, toml: str, told: str) -> None:
    bench.configure(toml)
    line = bench.refuse("--ethrex-block=1")
    assert told in line
    assert "ethrex-perf.toml" in line or "must be below" in line or "bad block spec" in line


ENTRY = {"block": "24443168", "metric": '"exec"', "up_to": '"15%"', "reason": '"Prague"'}


def allow(bench: Bench, **changed: str) -> None:
    entry = {**ENTRY, "expires": "2126-12-31", **changed}
    fields = ", ".join(f"{key} = {value}" for key, value in entry.items() if value)
    bench.configure(f"repeat = 3\nallow = [{{{fields}}}]\n")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"reason": ""}, "each entry needs block, expires, metric, reason, up_to"),
        ({"until": "1"}, "each entry needs block, expires, metric, reason, up_to"),
        ({"reason": '" "'}, "the reason is empty: say why the slowdown is intended"),
        ({"expires": '"2126-12-31"'}, "expires is a date without quotes"),
        ({"expires": "2126-12-31T00:00:00Z"}, "expires is a date without quotes"),
        ({"metric": '"exce"'}, "unknown name 'exce': did you mean 'exec'?"),
        ({"up_to": "15"}, "up_to = 15: write 15% for a percentage, or a fraction below 0.5"),
        ({"block": '"1..3"'}, "name one block"),
    ],
)
def test_a_waiver_that_is_not_whole_is_wrong_usage(bench: Bench, changed: dict[str, str], told: str) -> None:
    allow(bench, **changed)
    assert told in bench.refuse("--ethrex-block=1")


def test_allow_must_be_a_list(bench: Bench) -> None:
    bench.configure("[allow]\nblock = 1\n")
    assert "allow: write allow = [{block = 24443168" in bench.refuse("--ethrex-block=1")


def slower(bench: Bench) -> pytest.RunResult:
    """A gate of a program that takes about 10 % longer."""
    return bench.compare(bench.program("head", exec_ms=66), bench.program("base"))


def test_a_waived_regression_passes_and_is_shown_as_such(bench: Bench) -> None:
    allow(bench)
    result = slower(bench)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "*waived regression: exec is *",
            "*allowed up to +15 % until 2126-12-31: Prague*",
            "mainnet/24443168*🔕*",
        ]
    )


def test_an_expired_waiver_fails_and_says_so(bench: Bench) -> None:
    allow(bench, expires="2026-01-31")
    result = slower(bench)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["regression: * – its waiver has expired (allowed up to +15 % until 2026-01-31: Prague)"]
    )


def test_an_exceeded_waiver_fails_and_says_so(bench: Bench) -> None:
    allow(bench, up_to='"4%"')
    result = slower(bench)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["regression: * – more than its waiver allows (allowed up to +4 % until *"])


@pytest.mark.parametrize("other", [{"block": "7"}, {"block": '"hoodi:24443168"'}, {"metric": '"prep"'}])
def test_a_waiver_of_something_else_waives_nothing(bench: Bench, other: dict[str, str]) -> None:
    allow(bench, **other)
    slower(bench).assert_outcomes(failed=1)


def test_bad_settings_are_one_clear_line_for_declared_tests_as_well(bench: Bench) -> None:
    bench.configure("margn = 1")
    bench.pytester.makepyfile(
        test_gated="""
            import pytest

            @pytest.mark.ethrex_block(1)
            def test_block(ethrex_block): ...
        """
    )
    result = bench.run()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*ethrex-perf.toml: unknown name 'margn': did you mean 'margin'?"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_bad_settings_are_one_clear_line_for_tests_that_only_replay(bench: Bench) -> None:
    bench.configure("margn = 1")
    bench.pytester.makepyfile("def test_it(ethrex_replay): ...")
    result = bench.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ethrex-perf.toml: unknown name 'margn': did you mean 'margin'?"])
    result.stdout.no_fnmatch_line("*def _run*")
