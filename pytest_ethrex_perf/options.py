"""Every option, once: its name in each place, how it is read, its default.

Stdlib only: pytest imports this module in every run on the machine. What they are set to is in `settings`.
"""

from __future__ import annotations

import math
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.metrics import METRICS, limits

if TYPE_CHECKING:
    from collections.abc import Callable

CONFIG_NAME = "ethrex-perf.toml"
ALL_CONFIGURED = "all"  # `--ethrex-block all`: the blocks of ethrex-perf.toml
AUTO = "auto"  # `--ethrex-repeat auto`
BUNDLED = "bundled"  # `--ethrex-cache-dir bundled`: the cache of the embedded program's own block
MIN_PAIRS = 6  # fewer pairs are never a verdict (judge)
_LIMITS = limits("exec", callgrind=False)
_BARE_FRACTION_LIMIT = 0.5  # a bare 1 or 5 was meant as a percentage: refused rather than guessed


def fraction(text: object) -> float:
    """`1%` or `0.01` as a fraction; raises ValueError for anything else, and for a bare number >= 0.5."""
    value = str(text).strip().replace("\u202f", "").replace(" ", "")
    number = _number(value.removesuffix("%"), "a percentage like 1% or a fraction like 0.01")
    if not math.isfinite(number) or number < 0:
        raise ValueError("it must be a finite number, not negative")
    if value.endswith("%"):
        number /= 100
    elif number >= _BARE_FRACTION_LIMIT:
        raise ValueError(f"write {number:g}% for a percentage, or a fraction below {_BARE_FRACTION_LIMIT}")
    if number >= 1:
        raise ValueError("it must be below 100%")
    return number


def _number(text: str, form: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"write {form}") from None


def probability(text: object) -> float:
    """A fraction above 0; raises ValueError."""
    value = fraction(text)
    if value == 0:
        raise ValueError("it must be above 0")
    return value


def significance(text: object) -> float:
    """A probability below one half, from where on the two directions of a test overlap; raises ValueError."""
    value = probability(text)
    if value >= _BARE_FRACTION_LIMIT:
        raise ValueError("it must be below 50%")
    return value


_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|min|h)?", re.ASCII)
_SECONDS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def seconds(text: object) -> float:
    """`90`, `90s`, `10m`, `1.5h` in seconds; raises ValueError for anything else and for 0."""
    match = _DURATION.fullmatch(str(text).strip())
    if not match or not float(match[1]):
        raise ValueError("write a duration above 0 like 90s, 10m or 1h")
    return float(match[1]) * _SECONDS[match[2] or "s"]


def milliseconds(text: object) -> float:
    """`0.2ms`, `0.2 ms`, or `0` as nanoseconds; a bare number is in ms. Raises ValueError."""
    value = _number(str(text).strip().removesuffix("ms"), "a time in ms like 0.2ms")
    if not math.isfinite(value) or value < 0:
        raise ValueError("write a time in ms like 0.2ms, not negative")
    return value * 1e6


_EVENT = re.compile(
    r"\s*[A-Za-z][\w.:-]*(/[^/\s]*/\w*)?", re.ASCII
)  # commas may stand between a PMU's slashes
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]i?)?b", re.IGNORECASE)
_PREFIXES = "kmgt"


def size(text: object) -> int:
    """`5GiB`, `500 MB`, or 0, in bytes; raises ValueError for anything else: a bare number says no unit."""
    told = str(text).strip()
    match = _SIZE.fullmatch("0B" if told == "0" else told)
    if not match:
        raise ValueError("write a size like 5GiB or 500MB, or 0")
    prefix = (match[2] or "").lower()
    power = _PREFIXES.index(prefix[0]) + 1 if prefix else 0
    return int(float(match[1]) * (1024 if prefix.endswith("i") else 1000) ** power)


def whole(minimum: int) -> Callable[[object], int]:
    """Parser of whole numbers from `minimum` on."""

    def parse(text: object) -> int:
        try:
            value = int(str(text))
        except ValueError:
            raise ValueError("write a whole number") from None
        if value < minimum:
            raise ValueError(f"it must be at least {minimum}")
        return value

    return parse


def looks(text: object) -> tuple[int, ...]:
    """`6,10,16,24`: rising numbers of pairs, the first at least 6. Raises ValueError."""
    parts = text if isinstance(text, list | tuple) else str(text).split(",")
    values = tuple(int(str(part)) if str(part).strip().isdecimal() else 0 for part in parts)
    if not values or values[0] < MIN_PAIRS or list(values) != sorted(set(values)):
        raise ValueError(f"write rising numbers of pairs from {MIN_PAIRS} on, like 6,10,16,24")
    return values


def metrics(text: object) -> tuple[str, ...]:
    """`exec,prep`: names of metrics, each once. Raises ValueError that lists what there is."""
    parts = text if isinstance(text, list | tuple) else str(text).split(",")
    names = tuple(dict.fromkeys(str(part).strip() for part in parts))
    if not names or any(name not in METRICS for name in names):
        raise ValueError(f"choose from {', '.join(METRICS)}")
    return names


def events(text: object) -> tuple[str, ...]:
    """`LLC-loads,cpu/event=0x3c,umask=1/u`: events as `perf list` has them. Raises ValueError."""
    told = ",".join(map(str, text)) if isinstance(text, list | tuple) else str(text)
    names = [found[0].strip() for found in _EVENT.finditer(told)]
    if not names or ",".join(names) != re.sub(r"\s*,\s*", ",", told.strip()):
        raise ValueError("write events as `perf list` does, separated by commas, like LLC-loads,dTLB-loads")
    return tuple(dict.fromkeys(names))


def repeats(text: object) -> int | str:
    """`11`, or `auto`; raises ValueError below 2: the first repeat is dropped."""
    return AUTO if text == AUTO else whole(2)(text)


def choice(*names: str) -> Callable[[object], str]:
    """Parser that takes one of `names`."""

    def parse(text: object) -> str:
        if text not in names:
            raise ValueError(f"choose from {', '.join(names)}")
        return str(text)

    return parse


def shard(value: object) -> str:
    """`2/5`, the second of five; raises ValueError for anything else."""
    match = re.fullmatch(r"\s*(\d{1,4})\s*/\s*(\d{1,4})\s*", str(value))
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise ValueError("write it as I/N with I from 1 to N, like 2/5")
    return f"{int(match[1])}/{int(match[2])}"


def text(value: object) -> str:
    """Some text; raises ValueError for anything else, such as a list in a file, and for none."""
    if not isinstance(value, str):
        raise ValueError("write it as text, in quotes")  # noqa: TRY004 - one kind of error for bad values
    if not value.strip():
        raise ValueError("it is empty")
    return value


def words(value: object) -> str:
    """A command line that `shlex` can split; raises ValueError for unbalanced quotes."""
    shlex.split(text(value))
    return str(value)


def words_or_none(value: object) -> str:
    """The same, or nothing: what one place puts before the program, another may take away."""
    return "" if value == "" else words(value)


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
            f"metrics to gate: exec, prep, or what is counted (--ethrex-counters), from {', '.join(METRICS)}",
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
            shown_default="1%",
        ),
        Option(
            "tolerance",
            "proven to be within this is unchanged",
            _LIMITS.tolerance,
            probability,
            "FRACTION",
            per_block=True,
            per_metric=True,
            shown_default="3%",
        ),
        Option(
            "floor",
            "absolute change, in ms, below which nothing is a regression",
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
