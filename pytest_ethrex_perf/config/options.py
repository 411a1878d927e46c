"""Every option, once: its name in each place, its default, and what it means.

pytest imports this module in every run on the machine: it imports nothing of ours and computes nothing that
an unrelated run can do without. `readers` says how a value is read, `settings` what the options are set to.
"""

from __future__ import annotations

from typing import Final, NamedTuple

CONFIG_NAME = "ethrex-perf.toml"
ALL_CONFIGURED = "all"  # `--ethrex-block all`: the blocks of ethrex-perf.toml
BUNDLED: Final = "bundled"  # `--ethrex-cache-dir bundled`: the cache of the embedded program's own block


class Option(NamedTuple):
    """One option: its name in each place, its default, and what it means."""

    name: str
    help: str
    default: str | None = None
    """As a user would write it; it is read as what a user writes."""
    shown_default: str | None = None
    """Of an option whose default depends on the metric and on what counts it (`records.metric.limits`)."""
    metavar: str | None = None
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
    group: str = ""
    """Its heading in `--help` and in the documentation: where it stands in the table."""

    @property
    def flag_name(self) -> str:
        """The command-line form."""
        return "--ethrex-" + self.name.replace("_", "-")

    @property
    def ini_name(self) -> str:
        """The ini form."""
        return "ethrex_" + self.name

    @property
    def full_help(self) -> str:
        """Its help text, with its default."""
        if "(default: " in self.help:
            return self.help
        default = "off" if self.flag else self.shown_default or self.default or "none"
        return f"{self.help} (default: {default})"


def _form(name: str, content: str) -> Option:
    return Option(name, f"write {content} to this file", metavar="FILE", path=True, written=True, file=False)


_TABLE: dict[str, tuple[Option, ...]] = {
    "daily options": (
        Option(
            "block",
            "gate this block: N, NETWORK:N, a range A..B, a comma list, `all` (listed in ethrex-perf.toml), "
            "or workload:NAME[,KEY=VALUE,...], a block of one kind of transaction that the program makes "
            "itself, without RPC: eth-transfer, erc20-transfer, uniswap-v2-swap, contract-deploy, keccak, "
            "mulmod, ecrecover, sstore-fresh, sload-cold, or `all`; gas=30M (or txs=N), seed=0, senders=8, "
            "tx-gas=1M, code-size=1024, slots=100K; may be repeated",
            metavar="SPEC",
            repeated=True,
            file=False,
        ),
        Option(
            "replay",
            "program under test (head): a path, a command line, `embedded`, or git:REV, a revision that is "
            "built as [build] in ethrex-perf.toml says "
            "(default: $ETHREX_REPLAY, ethrex-replay on PATH, target/release/ethrex-replay)",
            metavar="PROGRAM",
        ),
        Option(
            "base",
            "program to compare with, run interleaved with the head; same forms as --ethrex-replay, and "
            "git:merge-base "
            "(default: compare with the stored baseline)",
            metavar="PROGRAM",
        ),
        Option(
            "cache_dir",
            "where ethrex-replay's cache files are; `bundled` is the embedded program's own block",
            "replay_cache",
            metavar="DIR",
            path=True,
        ),
        Option(
            "margin",
            "a slowdown smaller than this is never a regression",
            shown_default="1%; of task-clock 2%, of what callgrind counts 0.3%",
            metavar="FRACTION",
            per_block=True,
            per_metric=True,
        ),
        Option(
            "patience",
            "how long a run may go on beyond its ordinary plan of 24 pairs, for blocks that are undecided "
            "and whose noise says that more pairs will tell; 0: never",
            "10m",
            metavar="TIME",
        ),
        Option(
            "time_budget",
            "stop measuring after this time and decide with what is known",
            metavar="TIME",
        ),
        Option(
            "on_inconclusive",
            "outcome of an inconclusive block",
            "warn",
            metavar="warn|fail",
        ),
        Option(
            "update_baseline",
            "record a session into the stored baseline instead of judging",
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
            "report",
            "write an HTML report, index.html, into this directory",
            metavar="DIR",
            path=True,
            written=True,
        ),
        _form("json", "the whole result, raw data included,"),
    ),
    "what to run": (
        Option(
            "config", f"settings file (default: {CONFIG_NAME}, if there is one)", metavar="FILE", file=False
        ),
        Option("network", "network of block specs that name none", "mainnet", metavar="NAME", per_block=True),
        Option(
            "rpc_url",
            "fetch a missing cache file from this RPC, unmeasured (default: $ETHREX_RPC_URL)",
            metavar="URL",
            file=False,
        ),
        Option(
            "head_label",
            "what reports call head: a branch, a commit, a pull request (default: its branch and commit, "
            "where they are known)",
            metavar="NAME",
            file=False,
        ),
        Option(
            "base_label",
            "what they call base (default: its branch and commit, where they are known)",
            metavar="NAME",
            file=False,
        ),
        Option(
            "build_timeout",
            "how long it may take to build one git:REV",
            "1h",
            metavar="TIME",
        ),
        Option("prefix", "put before the program, e.g. 'taskset -c 0-7'", "", metavar="COMMAND"),
        Option(
            "repeat",
            "repeats per invocation; `auto`: the baseline's, or else what a short pilot finds best",
            "11",
            metavar="R|auto",
            per_block=True,
        ),
        Option(
            "drop",
            "repeats dropped at the start of each invocation, before the median",
            "1",
            metavar="N",
            per_block=True,
        ),
        Option(
            "shard",
            "gate only this part of the blocks, e.g. 2/5; `ethrex-perf merge` joins the results of all parts "
            "(--ethrex-json)",
            metavar="I/N",
            file=False,
        ),
    ),
    "how to decide": (
        Option(
            "metrics",
            "metrics to gate: exec, prep, and of what --ethrex-counters counts instructions, "
            "prep-instructions, cycles, branches, branch-misses, cache-references, cache-misses, "
            "L1-dcache-load-misses, page-faults, task-clock (CPU time of all threads, not latency: for "
            "machines that others use, wherever perf may count)",
            "exec",
            metavar="LIST",
            per_block=True,
        ),
        Option(
            "tolerance",
            "proven to be within this is unchanged",
            shown_default="3%; of task-clock 5%, of what callgrind counts 1%",
            metavar="FRACTION",
            per_block=True,
            per_metric=True,
        ),
        Option(
            "floor",
            "absolute change of a time, in ms, below which it is no regression",
            shown_default="0.2",
            metavar="MS",
            per_block=True,
            per_metric=True,
        ),
        Option(
            "alpha",
            "probability of a false regression, for the whole run",
            "1%",
            metavar="FRACTION",
        ),
        Option(
            "looks",
            "numbers of pairs at which the data is looked at, a plan by hand that never goes on",
            shown_default="6,8,10,13,16,20,24, and on while --ethrex-patience lasts",
            metavar="LIST",
        ),
        Option(
            "aa",
            "run base against itself, to check the gate and this machine",
            flag=True,
            file=False,
        ),
        Option(
            "on_improvement",
            "outcome of an improvement",
            "pass",
            metavar="pass|fail",
        ),
        Option(
            "on_same_program",
            "outcome when base and head are the same program",
            "skip",
            metavar="skip|fail",
        ),
    ),
    "baselines": (
        Option("baselines", "where stored baselines are", "baselines", metavar="DIR", path=True),
        Option(
            "update_baseline_new_only",
            "record a session of the blocks that have no baseline yet, and leave the others alone",
            flag=True,
            file=False,
        ),
        Option(
            "invocations",
            "invocations of a session that is recorded, or compared with a stored baseline "
            "(default: 10 to record; to compare, from the baseline's noise)",
            metavar="K",
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
            "5GiB",
            metavar="SIZE",
        ),
    ),
    "counters": (
        Option(
            "counters",
            "what counts instructions and the like: `perf` stat (`auto`: where it can), `callgrind` (slow, "
            "exact, and in processes that are never timed), or `off`",
            "auto",
            metavar="auto|perf|callgrind|off",
        ),
        Option(
            "events",
            "further events to count with perf, as `perf list` has them, e.g. LLC-loads,dTLB-load-misses",
            metavar="LIST",
        ),
    ),
    "explain": (
        Option(
            "profile",
            "once a block is decided as a failing regression (or `always`), profile base and head in extra "
            "invocations and say which functions became slower; a recorded session keeps head's stacks "
            "beside its baseline; takes nothing of --ethrex-time-budget",
            "on-regression",
            metavar="off|on-regression|always",
        ),
        Option(
            "profile_frames",
            "how perf walks stacks; fp needs a program with frame pointers, and is smaller and faster",
            "dwarf",
            metavar="dwarf|fp",
        ),
        Option(
            "profile_time",
            "how long the profile of one block may take: where its repeats are slow, fewer are profiled",
            "5m",
            metavar="TIME",
        ),
    ),
    "reports": (
        *(
            _form(name, content)
            for name, content in {
                "markdown": "a comment for a pull request (it is appended to $GITHUB_STEP_SUMMARY, too)",
                "csv": "a line for each block and metric",
                "samples_csv": "a line for each invocation",
                "benchmark_json": "the samples as a pytest-benchmark JSON file",
                "smaller_is_better": "customSmallerIsBetter JSON, for github-action-benchmark,",
                "bencher": "Bencher Metric Format",
                "openmetrics": "OpenMetrics text, for Prometheus,",
            }.items()
        ),
        Option(
            "log_dir",
            "where the output of failed invocations is kept",
            "ethrex-perf-logs",
            metavar="DIR",
            path=True,
        ),
    ),
    "machine": (
        Option(
            "machine", "name of a fleet of equal machines, instead of this machine's own key", metavar="NAME"
        ),
        Option(
            "lock_timeout",
            "how long to wait for another run that measures on this machine",
            "30m",
            metavar="TIME",
        ),
        Option(
            "timeout",
            "limit for one invocation, e.g. 90s (default: from the block's first invocation)",
            metavar="TIME",
        ),
        Option(
            "output_limit",
            "how much one invocation may print before it is killed",
            "256MiB",
            metavar="SIZE",
        ),
    ),
}
OPTIONS: dict[str, Option] = {
    option.name: option._replace(group=group) for group, options in _TABLE.items() for option in options
}
MARKER_OPTIONS = tuple(name for name, option in OPTIONS.items() if option.per_block)
WRITTEN = tuple(name for name, option in OPTIONS.items() if option.written)
