"""How each option is read: under the option's name, the function that takes what a person wrote.

The type that it returns is the type of the attribute of `Settings`, and the type checker compares the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pytest_ethrex_perf.config import parsers
from pytest_ethrex_perf.config.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

Counters: TypeAlias = Literal["auto", "perf", "callgrind", "off"]
Profile: TypeAlias = Literal["off", "on-regression", "always"]
Frames: TypeAlias = Literal["dwarf", "fp"]
WarnOrFail: TypeAlias = Literal["warn", "fail"]
PassOrFail: TypeAlias = Literal["pass", "fail"]
SkipOrFail: TypeAlias = Literal["skip", "fail"]

config = parsers.text
replay = parsers.words
base = parsers.words
build_timeout = parsers.seconds
head_label = parsers.name
base_label = parsers.name
prefix = parsers.words_or_none
network = parsers.text
rpc_url = parsers.written  # empty is none: a CI's secret that this run may not see
repeat = parsers.repeats
drop = parsers.whole(1)
metrics = parsers.metrics
counters: Callable[[object], Counters] = parsers.choice("auto", "perf", "callgrind", "off")
events = parsers.events
timeout = parsers.seconds
accept_baseline = parsers.text
invocations = parsers.whole(2)
archive_size = parsers.size
machine = parsers.text
margin = parsers.fraction
tolerance = parsers.probability
floor = parsers.milliseconds
alpha = parsers.significance
looks = parsers.looks
patience = parsers.seconds_or_none
time_budget = parsers.seconds
on_inconclusive: Callable[[object], WarnOrFail] = parsers.choice("warn", "fail")
on_improvement: Callable[[object], PassOrFail] = parsers.choice("pass", "fail")
on_same_program: Callable[[object], SkipOrFail] = parsers.choice("skip", "fail")
profile: Callable[[object], Profile] = parsers.choice("off", "on-regression", "always")
profile_frames: Callable[[object], Frames] = parsers.choice("dwarf", "fp")
profile_time = parsers.seconds
lock_timeout = parsers.seconds
output_limit = parsers.some_size
shard = parsers.shard


def of(name: str) -> Callable[[object], Any]:
    """The reader of the option `name`, for whoever goes through all of them."""
    option = OPTIONS[name]
    if option.path or option.flag:
        return parsers.text if option.path else bool
    reader: Callable[[object], Any] = globals()[name]
    return reader
