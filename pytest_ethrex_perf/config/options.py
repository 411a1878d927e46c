"""Every option, once: its name in each place, how it is read, its default.

Stdlib only: pytest imports this module in every run on the machine. What they are set to is in `settings`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_ethrex_perf.config.parsers import (
    choice,
    events,
    fraction,
    looks,
    metrics,
    milliseconds,
    probability,
    repeats,
    seconds,
    shard,
    significance,
    size,
    text,
    whole,
    words,
    words_or_none,
)
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records.metric import COUNTS, TIMES, limits

if TYPE_CHECKING:
    from collections.abc import Callable

CONFIG_NAME = "ethrex-perf.toml"
ALL_CONFIGURED = "all"  # `--ethrex-block all`: the blocks of ethrex-perf.toml
BUNDLED = "bundled"  # `--ethrex-cache-dir bundled`: the cache of the embedded program's own block
_LIMITS = limits("exec", callgrind=False)


@dataclass(frozen=True)
class Option:
    """One option: its name in each place, how it is read, and what it means."""

    name: str
    help: str
    default: Any = None
    parse: Callable[[object], Any] = text
    metavar: str | None = None
    shown_default: str | None = None
    """The default as a user would write it, where `str(default)` is not that."""
    flag: bool = False
    repeated: bool = False
    path: bool = False
    """A path: relative to where its source is (cwd for the command line, its own folder for a file)."""
    written: bool = False
    """What a run writes, from its result."""
    file: bool = True
    """May stand in ethrex-perf.toml and ini (what a run does once, such as recording, may not)."""
    per_block: bool = False
    """May differ from block to block: in the marker and in `[block."…"]`."""
    per_metric: bool = False
    """May differ from metric to metric: in `[metric.…]`."""

    @property
    def flag_name(self) -> str:
        """The command-line form."""
        return "--ethrex-" + self.name.replace("_", "-")

    @property
    def ini_name(self) -> str:
        """The ini form."""
        return "ethrex_" + self.name

    def read(self, value: object, where: str) -> Any:
        """Parse and check `value`; raises `UsageError` that names `where` and the form."""
        try:
            return self.parse(value)
        except (ValueError, TypeError) as error:
            raise UsageError(f"{where}: {value!r} is not a value of it: {error}") from None


OPTIONS: dict[str, Option] = {
    option.name: option
    for option in (
        Option(
            "block",
            "gate this block: N, NETWORK:N, a range A..B, a comma list, or `all` (listed in "
            "ethrex-perf.toml); may be repeated",
            metavar="SPEC",
            repeated=True,
            file=False,
        ),
        Option(
            "config", f"settings file (default: {CONFIG_NAME}, if there is one)", metavar="FILE", file=False
        ),
        Option(
            "replay",
            "program under test (head): a path, a command line, or `embedded` "
            "(default: $ETHREX_REPLAY, ethrex-replay on PATH, target/release/ethrex-replay)",
            metavar="PROGRAM",
            parse=words,
        ),
        Option(
            "base",
            "program to compare with, run interleaved with the head; same forms as --ethrex-replay "
            "(default: compare with the stored baseline)",
            metavar="PROGRAM",
            parse=words,
        ),
        Option("prefix", "put before the program, e.g. 'taskset -c 0-7'", "", words_or_none, "COMMAND"),
        Option("network", "network of block specs that name none", "mainnet", metavar="NAME", per_block=True),
        Option(
            "cache_dir",
            "where ethrex-replay's cache files are; `bundled` is the embedded program's own block",
            "replay_cache",
            metavar="DIR",
            path=True,
        ),
        Option(
            "rpc_url",
            "fetch a missing cache file from this RPC, unmeasured (default: $ETHREX_RPC_URL)",
            parse=str,  # empty is none: a CI's secret that this run may not see
            metavar="URL",
            file=False,
        ),
        Option(
            "repeat",
            "repeats per invocation; `auto`: the baseline's, or else what a short pilot finds best",
            11,
            repeats,
            "R|auto",
            per_block=True,
        ),
        Option(
            "drop",
            "repeats dropped at the start of each invocation, before the median",
            1,
            whole(1),
            "N",
            per_block=True,
        ),
        Option(
            "metrics",
            f"metrics to gate: {', '.join(TIMES)}, and of what --ethrex-counters counts {', '.join(COUNTS)}",
            ("exec",),
            metrics,
            "LIST",
            per_block=True,
            shown_default="exec",
        ),
        Option(
            "counters",
            "what counts instructions and the like: `perf` stat (`auto`: where it can), `callgrind` (slow, "
            "exact, and in processes that are never timed), or `off`",
            "auto",
            choice("auto", "perf", "callgrind", "off"),
            "auto|perf|callgrind|off",
        ),
        Option(
            "events",
            "further events to count with perf, as `perf list` has them, e.g. LLC-loads,dTLB-load-misses",
            (),
            events,
            "LIST",
            shown_default="none",
        ),
        Option(
            "timeout",
            "limit for one invocation, e.g. 90s (default: from the block's first invocation)",
            None,
            seconds,
            "TIME",
        ),
        Option("baselines", "where stored baselines are", "baselines", metavar="DIR", path=True),
        Option(
            "update_baseline",
            "record a session into the stored baseline instead of judging",
            default=False,
            parse=bool,
            flag=True,
            file=False,
        ),
        Option(
            "update_baseline_new_only",
            "record a session of the blocks that have no baseline yet, and leave the others alone",
            default=False,
            parse=bool,
            flag=True,
            file=False,
        ),
        Option(
            "accept_baseline",
            "record a session that contradicts its baseline as a new epoch, with this reason",
            metavar="REASON",
            file=False,
        ),
        Option(
            "invocations",
            "invocations of a session that is recorded, or compared with a stored baseline "
            "(default: 10 to record; to compare, from the baseline's noise)",
            None,
            whole(2),
            "K",
        ),
        Option(
            "archive",
            "where recorded programs are kept, so that a later run can compare with them interleaved "
            "(default: pytest-ethrex-perf/programs in your cache directory)",
            metavar="DIR",
            path=True,
        ),
        Option(
            "archive_size",
            "how much the archive may hold; the least recently used programs make room; 0 switches it off: "
            "stored baselines then decide alone",
            5 * 2**30,
            size,
            "SIZE",
            shown_default="5GiB",
        ),
        Option(
            "machine", "name of a fleet of equal machines, instead of this machine's own key", metavar="NAME"
        ),
        Option(
            "margin",
            "a slowdown smaller than this is never a regression",
            _LIMITS.margin,
            fraction,
            "FRACTION",
            per_block=True,
            per_metric=True,
            shown_default="1%; of what callgrind counts 0.3%",
        ),
        Option(
            "tolerance",
            "proven to be within this is unchanged",
            _LIMITS.tolerance,
            probability,
            "FRACTION",
            per_block=True,
            per_metric=True,
            shown_default="3%; of what callgrind counts 1%",
        ),
        Option(
            "floor",
            "absolute change of a time, in ms, below which it is no regression",
            _LIMITS.floor,
            milliseconds,
            "MS",
            per_block=True,
            per_metric=True,
            shown_default="0.2",
        ),
        Option(
            "alpha",
            "probability of a false regression, for the whole run",
            0.01,
            significance,
            "FRACTION",
            shown_default="1%",
        ),
        Option(
            "looks",
            "numbers of pairs at which the data is looked at",
            (6, 10, 16, 24),
            looks,
            "LIST",
            shown_default="6,10,16,24",
        ),
        Option(
            "time_budget",
            "stop measuring after this time and decide with what is known",
            None,
            seconds,
            "TIME",
        ),
        Option(
            "aa",
            "run base against itself, to check the gate and this machine",
            default=False,
            parse=bool,
            flag=True,
            file=False,
        ),
        Option(
            "on_inconclusive",
            "outcome of an inconclusive block",
            "warn",
            parse=choice("warn", "fail"),
            metavar="warn|fail",
        ),
        Option(
            "on_improvement",
            "outcome of an improvement",
            "pass",
            parse=choice("pass", "fail"),
            metavar="pass|fail",
        ),
        Option(
            "on_same_program",
            "outcome when base and head are the same program",
            "skip",
            parse=choice("skip", "fail"),
            metavar="skip|fail",
        ),
        Option(
            "profile",
            "once a block is decided as a failing regression (or `always`), profile base and head in extra "
            "invocations and say which functions became slower; a recorded session keeps head's stacks "
            "beside its baseline; takes nothing of --ethrex-time-budget",
            "on-regression",
            choice("off", "on-regression", "always"),
            "off|on-regression|always",
        ),
        Option(
            "profile_frames",
            "how perf walks stacks; fp needs a program with frame pointers, and is smaller and faster",
            "dwarf",
            choice("dwarf", "fp"),
            "dwarf|fp",
        ),
        Option(
            "profile_time",
            "how long the profile of one block may take: where its repeats are slow, fewer are profiled",
            300.0,
            seconds,
            "TIME",
            shown_default="5m",
        ),
        Option(
            "lock_timeout",
            "how long to wait for another run that measures on this machine",
            1800.0,
            seconds,
            "TIME",
            shown_default="30m",
        ),
        Option(
            "log_dir",
            "where the output of failed invocations is kept",
            "ethrex-perf-logs",
            metavar="DIR",
            path=True,
        ),
        Option(
            "shard",
            "gate only this part of the blocks, e.g. 2/5; `ethrex-perf merge` joins the results of all parts "
            "(--ethrex-json)",
            parse=shard,
            metavar="I/N",
            file=False,
        ),
        Option(
            "report",
            "write an HTML report, index.html, into this directory",
            metavar="DIR",
            path=True,
            written=True,
        ),
        *(
            Option(name, f"write {told} to this file", metavar="FILE", path=True, written=True, file=False)
            for name, told in {
                "json": "the whole result, raw data included,",
                "markdown": "a comment for a pull request (it is appended to $GITHUB_STEP_SUMMARY, too)",
                "csv": "a line for each block and metric",
                "samples_csv": "a line for each invocation",
                "benchmark_json": "the samples as a pytest-benchmark JSON file",
                "smaller_is_better": "customSmallerIsBetter JSON, for github-action-benchmark,",
                "bencher": "Bencher Metric Format",
            }.items()
        ),
    )
}
MARKER_OPTIONS = tuple(name for name, option in OPTIONS.items() if option.per_block)
WRITTEN = tuple(name for name, option in OPTIONS.items() if option.written)


def describe(option: Option) -> str:
    """Help text of `option`, with its default."""
    told = option.help
    if "(default: " not in told:
        default = "off" if option.flag else option.default or "none"
        told += f" (default: {option.shown_default or default})"
    return told.replace("%", "%%")
