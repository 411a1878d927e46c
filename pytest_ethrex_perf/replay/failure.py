"""Why an invocation does not count: one clause for each way in which a replay goes wrong, remedy included.

The exit code alone says nothing: a state root that does not match is exit code 0. The clauses quote the
program, so they are to be redacted.
"""

from __future__ import annotations

import itertools
import re
import statistics
from typing import TYPE_CHECKING

from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.records import workload as workloads
from pytest_ethrex_perf.replay.output import LINE_LIMIT, strip_ansi

if TYPE_CHECKING:
    from pytest_ethrex_perf.host.process import Finished
    from pytest_ethrex_perf.records.block import BlockId, Work
    from pytest_ethrex_perf.replay.output import CustomReport, Output, Report

_LINE_LENGTH = 300
_CLAP_USAGE_ERROR = 2
_UNKNOWN_REPEAT = re.compile(r"(?:unexpected|found) argument '--repeat'", re.IGNORECASE)
_UNKNOWN_CUSTOM = re.compile(r"(?:unexpected|found) argument '--|invalid value .* for '--tx|unrecognized sub")
_OF_PERF = re.compile(r"Events (en|dis)abled$|\[ perf record: ")
_PANIC = re.compile(r"thread '.*' (?:\([0-9]+\) )?panicked at (?P<where>\S+):")


def of_measurement(
    finished: Finished,
    read: Output,
    *,
    block: BlockId,
    repeat: int,
    timeout: float | None,
    work: Work | None = None,
) -> str | None:
    """Say in one clause why a measured invocation does not count; None where it does.

    It counts if the exit code is 0, no `Execution Error` was printed, the stats block is complete and agrees
    with the repeats, these are exactly `repeat`, in order, all positive and together not longer than the
    process lived, and the report line is of `block` and its network and (where given) of this `work`.
    """
    if finished.timed_out:
        return f"{_timed_out(finished, timeout)}; --ethrex-timeout gives it longer"
    if finished.flooded is not None:
        return f"{_flooded(finished.flooded)}; --ethrex-output-limit lets it print more"
    return (
        _of_ending(finished, read, block)
        or _of_output(finished, read, block, repeat)
        or _of_work(read.report, work)
        or _of_statistics(read)
        or of_lifetime(read, finished.wall_ns)
    )


def of_fetch(finished: Finished, read: Output, *, block: BlockId, timeout: float | None) -> str | None:
    """Say in one clause why a fetch failed; None where the program says that it did not."""
    if finished.timed_out:
        return _timed_out(finished, timeout)
    if finished.flooded is not None:
        return _flooded(finished.flooded)
    failure = _of_ending(finished, read, block)
    if failure is None and read.report is None:
        return f"the program's output ends early (exit code 0): no report line{_own_line(finished, read)}"
    return failure


def _timed_out(finished: Finished, timeout: float | None) -> str:
    seconds = finished.wall_ns / 1e9 if timeout is None else timeout
    return f"the program timed out after {seconds:g} s and was killed"


def _flooded(limit: int) -> str:
    return f"the program printed more than {units.size(limit)} and was killed"


def _of_ending(finished: Finished, read: Output, block: BlockId) -> str | None:
    if finished.signal_name is not None:
        hint = " (by the kernel, if memory ran out)" if finished.signal_name == "SIGKILL" else ""
        return f"the program was killed by {finished.signal_name}{hint}{_own_line(finished, read)}"
    if finished.returncode == _CLAP_USAGE_ERROR and _UNKNOWN_REPEAT.search(strip_ansi(finished.stderr)):
        return "ethrex-replay older than 5a7bcf7 (2026-02-18) has no --repeat: build a newer one"
    if finished.returncode == _CLAP_USAGE_ERROR and block.workload:
        line = _own_line(finished, read)
        if _UNKNOWN_CUSTOM.search(line):
            return (
                "ethrex-replay older than d5999b86 (2026) has no workloads (`custom block --tx … --no-zkvm`)"
                f": build a newer one{line}"
            )
    if finished.returncode != 0:
        remedy = _cache_remedy(read, block)
        return f"the program failed with exit code {finished.returncode}{_own_line(finished, read)}{remedy}"
    if read.execution_error is not None:
        error = _shorten(read.execution_error) or "(no reason given)"
        return f"the block was not executed correctly (exit code 0): Execution Error: {error}"
    return None


def _cache_remedy(read: Output, block: BlockId) -> str:
    # the program says this of a file that is there but corrupt, too
    if not any("Cache wasn't found" in error for error in read.errors):
        return ""
    return f" (`ethrex-perf fetch {block}` fetches it; remove a corrupt file first)"


def _of_output(finished: Finished, read: Output, block: BlockId, repeat: int) -> str | None:
    if finished.left_out:
        return f"the program printed too much: {finished.left_out:,} bytes of it had to be left out"
    if not finished.stdout.strip():
        return (
            f"the program printed nothing (exit code 0){_own_line(finished, read)}; is it an ethrex-replay?"
        )
    report = read.report
    if report is not None and (reason := _of_report(report, read, block)):
        return reason
    if report is None or not read.repeats or (read.profiled is not None and read.statistics is None):
        missing = "report line" if report is None else "complete results"
        return f"the program's output ends early (exit code 0): no {missing}{_own_line(finished, read)}"
    return _of_repeats(read, repeat)


def _of_report(report: Report, read: Output, block: BlockId) -> str | None:
    if _replayed(report) != (_network(block), block.number):
        other = f"{report.network}/{report.number}"
        return f"the program replayed {other} instead: the cache file holds another block than its name says"
    if not report.is_success:
        return f"the block was not executed correctly (exit code 0): {_shorten(report.result)}"
    return _of_workload(read.custom, report, block) if block.workload else None


def _replayed(report: Report) -> tuple[str, int]:
    network = report.network.lower()
    plain = network.replace("-", "").replace("_", "")  # `local-devnet`, `LocalDevnet`
    return (workloads.DEVNET if workloads.DEVNET in plain else network), report.number


def _network(block: BlockId) -> str:
    return workloads.DEVNET if block.workload else block.network


def _of_workload(custom: CustomReport | None, report: Report, block: BlockId) -> str | None:
    """Say why what the program says of its workload is not what it was asked for."""
    workload = workloads.parse(block.workload)
    if custom is None:
        return "the program's output ends early (exit code 0): no line of its workload"
    said = (custom.name, custom.seed, custom.blocks, custom.txs, custom.gas)
    if said == (workload.name, workload.seed, 1, report.txs, report.gas):
        return None
    return (
        f"the program replayed {custom.blocks} block(s) of {custom.name} with seed {custom.seed}, "
        f"{custom.txs} transactions and {custom.gas} gas; its report says {report.txs} and {report.gas}, and "
        f"one block of {workload.name} with seed {workload.seed} was asked for: this was other work"
    )


def _of_repeats(read: Output, repeat: int) -> str | None:
    indices = [line.index for line in read.repeats]
    announced = 1 if read.profiled is None else read.profiled
    if not len(indices) == announced == repeat:
        counted = f"{len(indices)} repeat{'' if len(indices) == 1 else 's'}"
        of = "" if announced == len(indices) else f" of {announced} announced"
        return f"the program printed {counted}{of}, but {repeat} were asked for"
    if indices != list(range(1, repeat + 1)):
        return f"the program numbered its repeats {', '.join(map(str, indices[:20]))}"
    for line in read.repeats:
        if line.prep_ns <= 0 or line.exec_ns <= 0:
            return f"repeat {line.index} took no time at all, says the program: too short to be measured"
    return None


def _of_work(report: Report | None, work: Work | None) -> str | None:
    """Another gas or number of transactions is other work, whose time says nothing of this block's."""
    if report is None or work is None or (report.gas, report.txs) == work:
        return None
    return (
        f"the program reports {report.gas} gas and {report.txs} transactions, and the cache file's block has "
        f"{work.gas} gas and {work.txs}: this was other work"
    )


def _of_statistics(read: Output) -> str | None:
    """What the statistics say must follow from the repeats, as far as the digits printed go."""
    if read.statistics is None:
        return None
    for name, printed, repeats in (
        ("prep", read.statistics[0], [repeat.prep_ns for repeat in read.repeats]),
        ("exec", read.statistics[1], [repeat.exec_ns for repeat in read.repeats]),
    ):
        ordered, middle = sorted(repeats), (len(repeats) - 1) // 2
        step_ns = 2 * max(map(_resolution_ns, (*ordered, *printed.values())))
        for statistic, low, high in (
            ("min", ordered[0], ordered[0]),
            ("median", ordered[middle], ordered[-1 - middle]),
            ("mean", statistics.fmean(ordered), statistics.fmean(ordered)),
            ("max", ordered[-1], ordered[-1]),
        ):
            if not low - step_ns <= printed[statistic] <= high + step_ns:
                return (
                    f"the program contradicts itself: its statistics say that the {statistic} of {name} is "
                    f"{units.duration(printed[statistic])}, its repeats say {units.duration(low)}"
                )
    return None


def _resolution_ns(ns: int) -> float:
    """One unit of the last digit printed: Rust's `{:.2?}` has two decimals of the unit that fits."""
    return 0.01 * next((size for size in (1e9, 1e6, 1e3) if ns >= size), 1.0)


def of_lifetime(read: Output, wall_ns: int) -> str | None:
    """Repeats together take no longer than the process that ran them."""
    spent_ns = sum(repeat.prep_ns + repeat.exec_ns for repeat in read.repeats)
    rounding_ns = sum(
        _resolution_ns(repeat.prep_ns) + _resolution_ns(repeat.exec_ns) for repeat in read.repeats
    )
    if spent_ns - rounding_ns <= wall_ns:
        return None
    return (
        f"the program says that its repeats took {units.duration(spent_ns)} together, and it ran for "
        f"{units.duration(wall_ns)} only: its times can't be true"
    )


def _own_line(finished: Finished, read: Output) -> str:
    """Return the program's own error line, a colon before it, or nothing."""
    stderr = strip_ansi(finished.stderr)
    panicked = panic(stderr)
    if read.execution_error:
        line = f"Execution Error: {read.execution_error}"
    elif read.errors:
        line = read.errors[-1]
    elif panicked:
        line = panicked
    else:
        line = _telling_line(stderr)
    line = _shorten(line)
    return f": {line}" if line else ""


def panic(stderr: str) -> str | None:
    """Return what the first panic said, and where; it stands on two lines. None where none was."""
    for line, following in itertools.pairwise([*stderr.splitlines(), ""]):
        if match := _PANIC.match(line[:LINE_LIMIT]):
            return f"{following} (panicked at {match['where']})"
    return None


def first_line(text: str) -> str:
    """Return the first line that says something, quoted and no longer than a line; empty where none does.

    Of a Python traceback that is the last one; what perf says of itself is left out.
    """
    lines = [line for line in map(str.strip, text.splitlines()) if line and not _OF_PERF.match(line)]
    if not lines:
        return ""
    return f'"{_shorten(lines[-1 if lines[0].startswith("Traceback (") else 0])}"'


def _telling_line(stderr: str) -> str:
    """Return the first line that calls itself an error (clap), else the last (a Python traceback)."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = (line for line in lines if re.match(r"error\b[^:]*:\s*\S", line[:LINE_LIMIT], re.IGNORECASE))
    return next(errors, lines[-1] if lines else "")


def _shorten(line: str) -> str:
    line = " ".join(line.split())
    return line if len(line) <= _LINE_LENGTH else f"{line[: _LINE_LENGTH - 1]}…"
