"""`ethrex-perf blocks suggest`: which of many cached blocks to gate."""

from __future__ import annotations

import os
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.commands import programs, suggestion
from pytest_ethrex_perf.commands.arguments import whole
from pytest_ethrex_perf.errors import EthrexPerfError, MeasurementError, NoAnswerError, UsageError
from pytest_ethrex_perf.records import units

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_ethrex_perf.commands.suggestion import Choice, Counts
    from pytest_ethrex_perf.embedded.census import Census
    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.replay.contents import Contents

PAIRS = 24
"""The ordinary plan of a gate at its longest."""
_CELLS = 80
_COLUMNS = ("gas", "txs", "reads", "writes", "slots", "creations", "precompiles", "opcodes", "witness")
_SHORT = {"creations": "creates", "precompiles": "precomp."}
_NAME_CELLS = 18  # a longer name has a line of its own
_REPEAT = 11
_LOCK_TIMEOUT_S, _TIMEOUT_S = 1800.0, 900.0


class _Cost(NamedTuple):
    """What one invocation takes, and who says so; None and why not."""

    seconds: float | None
    origin: str


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `blocks`; its parser sets `run`, which takes the Namespace and returns the exit code."""
    blocks = subparsers.add_parser("blocks", help="choose the blocks to gate")
    verbs = blocks.add_subparsers(title="verbs", required=True, metavar="VERB")
    text = (
        "propose a small set of the blocks in a directory of cache files that covers what they hold: gas, "
        "transactions, storage reads and writes, precompiles, creations, size of the witness"
    )
    parser = verbs.add_parser("suggest", help=text, description=text)
    parser.add_argument(
        "directory",
        nargs="?",
        default="replay_cache",
        metavar="DIR",
        help="directory of cache files, or `bundled` (default: %(default)s)",
    )
    parser.add_argument("--count", type=whole, default=4, metavar="N", help="at most (default: %(default)s)")
    parser.add_argument(
        "--execute",
        type=whole,
        default=500,
        metavar="MGAS",
        help="execute the blocks once with the embedded program, if it is installed, and count opcodes, "
        "unless they have more gas than this together, in millions; else what the files say is counted "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--baselines", type=Path, default=Path("baselines"), metavar="DIR", help="default: %(default)s"
    )
    parser.add_argument(
        "--replay",
        metavar="PROGRAM",
        help="measure one invocation of each chosen block that has no baseline, as --ethrex-replay of pytest",
    )
    parser.add_argument("--log-dir", metavar="DIR", default="ethrex-perf-logs", help="default: %(default)s")
    parser.set_defaults(run=_suggest)


def _suggest(args: argparse.Namespace) -> int:
    from pytest_ethrex_perf.replay import cache

    directory = cache.directory(args.directory)
    held, broken = _read(directory)
    for line in broken:
        _say(f"left out: {line}")
    if not held:
        missing = (
            "no cache file of a block is in there" if directory.is_dir() else "there is no such directory"
        )
        raise UsageError(
            f"{directory}: {missing}: fetch some (`ethrex-perf fetch BLOCK`), or name another directory"
        )
    executed, why = _executed(held, args.execute * 10**6)
    counted = {each.block: suggestion.counts(each, executed.get(each.block)) for each in held}
    chosen = suggestion.choose(counted, args.count)
    costs = {choice.block: _cost(choice.block, args, directory) for choice in chosen}
    possible = frozenset().union(*suggestion.bands(counted).values())
    covered = sum(len(choice.covers) for choice in chosen)
    blocks = f"{len(held)} block{'' if len(held) == 1 else 's'}"
    _say(f"{len(chosen)} of {blocks} in {directory}")
    _say(f"({covered} of {len(possible)} bands, low, middle, high and most, of what is counted)")
    for line in (*_table(chosen, counted), *_reasons(chosen), *_notes(why, costs), *_setting(chosen)):
        _say(line)
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


# --- what there is ------------------------------------------------------------------------------------------


def _read(directory: Path) -> tuple[list[Contents], list[str]]:
    """What each cache file holds, and what is wrong with those that are none."""
    from pytest_ethrex_perf.replay import contents

    held, broken = [], []
    for block, path in contents.files(directory):
        try:
            held.append(contents.read(path, block))
        except MeasurementError as error:
            broken.append(str(error))
    return held, broken


def _executed(held: Sequence[Contents], most_gas: int) -> tuple[dict[BlockId, Census], list[str]]:
    """What the blocks execute, where that is known, and why it is not known of others."""
    from pytest_ethrex_perf.embedded.identity import available

    gas = sum(each.gas for each in held)
    if not available():
        return {}, ["opcodes are not counted: pip install 'pytest-ethrex-perf[embedded]' counts them"]
    if gas > most_gas:
        more = f"--execute {-(-gas // 10**6)} counts them"
        return {}, [f"opcodes are not counted: the blocks have {units.gas(gas)} together: {more}"]
    executed: dict[BlockId, Census] = {}
    unknown: list[str] = []
    for each in held:
        outcome = suggestion.execute(each)
        if isinstance(outcome, str):
            unknown.append(f"{each.block}: opcodes are not counted: {outcome}")
        else:
            executed[each.block] = outcome
    return executed, unknown


# --- what it takes ------------------------------------------------------------------------------------------


def _cost(block: BlockId, args: argparse.Namespace, directory: Path) -> _Cost:
    """What one invocation takes: by the block's baseline, or measured now; never guessed."""
    from pytest_ethrex_perf.gate import shard

    seconds = shard.cost(args.baselines, block)
    if seconds is not None:
        return _Cost(seconds, "by its baseline")
    if args.replay is None:
        measured = "--replay PROGRAM measures one invocation of each"
        return _Cost(None, f"there is no baseline in {args.baselines}; {measured}")
    try:
        return _Cost(_measured(block, args, directory), "by one invocation")
    except NoAnswerError:
        raise
    except EthrexPerfError as error:
        return _Cost(None, str(error).removeprefix(f"{block}: "))


def _measured(block: BlockId, args: argparse.Namespace, directory: Path) -> float:
    from pytest_ethrex_perf.host import lock
    from pytest_ethrex_perf.replay.invocation import invoke

    head = programs.resolve(args.replay, "--replay")
    with lock.measuring("ethrex-perf blocks suggest", timeout=_LOCK_TIMEOUT_S, waiting=_say):
        invocation = invoke(
            head,
            block,
            cache_dir=directory,
            repeat=_REPEAT,
            timeout=_TIMEOUT_S,
            environ=os.environ,
            log_dir=Path(args.log_dir),
            label="replay-suggest",
        )
    return invocation.wall_ns / 1e9


# --- what is shown ------------------------------------------------------------------------------------------


def _table(chosen: Sequence[Choice], counted: Mapping[BlockId, Counts]) -> Iterator[str]:
    known = {name for choice in chosen for name, value in counted[choice.block].items() if value is not None}
    columns = [name for name in _COLUMNS if name in known]
    rows = [[_SHORT.get(name, name) for name in columns]]
    rows += [[_cell(name, counted[choice.block].get(name)) for name in columns] for choice in chosen]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    names = ["block", *(str(choice.block) for choice in chosen)]
    left = max(len(name) for name in names if len(name) <= _NAME_CELLS)
    yield ""
    for name, row in zip(names, rows, strict=True):
        cells = "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        if len(name) > left:
            yield name
            name = ""  # noqa: PLW2901 - it has had its line
        yield f"{name:<{left}}  {cells}"


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    if name == "witness":
        return units.size(value)
    return (
        f"{value / 1e6:.1f}M"
        if value >= 10**6
        else f"{value / 1e3:.0f}k"
        if value >= 10**5
        else f"{value:.0f}"
    )


def _reasons(chosen: Sequence[Choice]) -> Iterator[str]:
    """Why each was chosen: what it is the first to cover."""
    yield ""
    for choice in chosen:
        most = {band.counted for band in choice.covers if band.level == "most"}
        bands = [band for band in choice.covers if band.level != "high" or band.counted not in most]
        covers = ", ".join(map(str, bands)) or "there is nothing to tell it from the others"
        yield from _wrapped(f"{choice.block}: {covers}")


def _notes(why: Sequence[str], costs: Mapping[BlockId, _Cost]) -> Iterator[str]:
    """What gating takes, as far as it was measured, and what is not known."""
    yield ""
    known = {block: cost.seconds for block, cost in costs.items() if cost.seconds is not None}
    for block, seconds in known.items():
        takes = units.clock(2 * PAIRS * seconds)
        yield from _wrapped(f"{block}: {PAIRS} pairs take {takes} ({costs[block].origin})")
    if len(known) > 1:
        yield f"together {units.clock(2 * PAIRS * sum(known.values()))}; what decides early takes less"
    reasons: dict[str, list[str]] = {}
    for block, cost in costs.items():
        if cost.seconds is None:
            reasons.setdefault(cost.origin, []).append(str(block))
    for reason, blocks in reasons.items():
        names = f" of {', '.join(blocks)}" if known or len(reasons) > 1 else ""
        yield from _wrapped(f"how long {PAIRS} pairs{names} take is not known: {reason}")
    for line in why:
        yield from _wrapped(f"note: {line}")


def _setting(chosen: Sequence[Choice]) -> Iterator[str]:
    """The line for ethrex-perf.toml."""
    specs = [f'"{choice.block}"' for choice in chosen]
    yield ""
    yield "in ethrex-perf.toml, and then pytest --ethrex-block=all:"
    line = f"blocks = [{', '.join(specs)}]"
    if len(line) <= _CELLS:
        yield line
        return
    yield "blocks = ["
    yield from (f"    {spec}," for spec in specs)
    yield "]"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _CELLS, subsequent_indent="    ", break_on_hyphens=False)
