"""`ethrex-perf bisect`: the commit that made a block slower, by git bisect over builds of revisions."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.config.options import OPTIONS, WRITTEN
from pytest_ethrex_perf.errors import EthrexPerfError, MeasurementError, UsageError
from pytest_ethrex_perf.records.metric import EXEC, INSTRUCTIONS, TIMES

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from pytest_ethrex_perf.baseline.builds import Builds
    from pytest_ethrex_perf.baseline.revisions import Revision
    from pytest_ethrex_perf.commands.bisect_text import Screen
    from pytest_ethrex_perf.config.settings import Settings
    from pytest_ethrex_perf.gate.bisect import Culprit, Search
    from pytest_ethrex_perf.gate.bisection import History
    from pytest_ethrex_perf.gate.search_file import Memory
    from pytest_ethrex_perf.records.block import BlockId

EXIT_NOT_SLOWER, EXIT_SEVERAL = 3, 4
_OF_PYTEST = (
    "config",
    "network",
    "cache_dir",
    "prefix",
    "repeat",
    "drop",
    "margin",
    "tolerance",
    "alpha",
    "counters",
    "patience",
    "timeout",
    "build_timeout",
    "lock_timeout",
    "profile",
    "profile_time",
    "log_dir",
)
_KEYED = ("cache_dir", "prefix", "repeat", "drop", "margin", "tolerance", "alpha", "counters", "build")
"""What of the settings makes it another search."""
_NOT_REPEATED = ("block", "replay", "base", "rpc_url", *WRITTEN)


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command; its parser sets `run`, which takes the Namespace and returns the exit code."""
    text = "find the commit that made a block slower: git bisect, with the gate as its judge"
    parser = subparsers.add_parser(
        "bisect",
        help=text,
        description=f"{text}. BAD is proven slower than GOOD first; then each step is built and measured "
        "against both until it is decided to which it is nearer. That any step goes to the wrong side has a "
        "probability of at most 5 %. The same command goes on after an interruption. Exit codes: 0 the "
        "commit was found, 1 it could not be done, 2 wrong usage, 3 BAD is not proven slower than GOOD, "
        "4 skipped commits are left and it may be any of them.",
    )
    parser.add_argument("good", metavar="GOOD", help="a revision that is fast; an ancestor of BAD")
    parser.add_argument("bad", metavar="BAD", help="a revision that is slow")
    parser.add_argument(
        "--block", "--ethrex-block", metavar="SPEC", required=True, help="as --ethrex-block of pytest: one"
    )
    parser.add_argument(
        "--metric",
        metavar="NAME",
        default=EXEC,
        help="what became slower: exec, or instructions (by callgrind where perf can't count them), or any "
        "other that --ethrex-metrics knows (default: %(default)s)",
    )
    parser.add_argument("--all", action="store_true", help="find every culprit, one after another")
    parser.add_argument(
        "--all-parents",
        action="store_true",
        help="search merged branches, too (default: the first parents, which are main's own commits)",
    )
    parser.add_argument(
        "--harness", metavar="REV", help="the revision of [build.harness] for every commit, as in git:REV"
    )
    parser.add_argument("--restart", action="store_true", help="forget what an earlier run has found out")
    shared = (option for name, option in OPTIONS.items() if name in _OF_PYTEST)
    for heading, options in itertools.groupby(shared, key=lambda option: option.group):
        group = parser.add_argument_group(heading)
        for option in options:
            flag = option.flag_name
            short = flag.replace("--ethrex-", "--")
            group.add_argument(short, flag, metavar=option.metavar, help=f"as {flag} of pytest")
    parser.set_defaults(run=_bisect)


class Question(NamedTuple):
    """What is searched for."""

    good: Revision
    bad: Revision
    block: BlockId
    metric: str
    first_parent: bool
    every: bool


def _bisect(args: argparse.Namespace) -> int:
    from pytest_ethrex_perf.commands.bisect_text import Screen, named, wrapped
    from pytest_ethrex_perf.gate.bisect import Search
    from pytest_ethrex_perf.gate.bisection import History
    from pytest_ethrex_perf.gate.commit_builds import CommitBuilds, spec_of
    from pytest_ethrex_perf.gate.search_file import Memory
    from pytest_ethrex_perf.gate.step import StepGauge

    screen = Screen(args.metric)
    settings, counting = _settings(args)
    (block,) = settings.blocks
    _check_cache(settings, block)
    builds = _builds(settings, screen)
    bad = builds.revision(spec_of(args.bad, args.harness), "head", "BAD")
    good = builds.revision(spec_of(args.good, args.harness), "base", "GOOD", head=bad)
    history = History(good.source.repository)
    question = Question(good, bad, block, args.metric, not args.all_parents, args.all)
    _check_ends(history, question)
    for what, revision in (("GOOD", good), ("BAD ", bad)):
        screen.say(named(what, history.commit(revision.source.commit.id)))
    for line in wrapped(f"{block} {args.metric}{counting}"):
        screen.say(line)
    folder = _folder(settings, question)
    with _held(folder, settings, screen):
        memory = Memory(folder, _words(question), restart=args.restart)
        if memory.resumed:
            since, known = memory.search.started, len(memory.search.answers)
            screen.sentence(
                f"going on with the search of {since}: steps that are known: {known} (--restart begins anew)"
            )
        gauge = StepGauge(
            settings,
            block,
            args.metric,
            say=screen.sentence,
            on_turn=screen.turn,
            on_round=screen.round,
        )
        search = Search(
            history,
            CommitBuilds(builds, good, bad),
            gauge,
            memory,
            first_parent=question.first_parent,
            every=question.every,
        )
        culprits = _found(search, question, screen, memory)
    if not culprits:
        screen.sentence("BAD is not proven slower than GOOD: there is nothing to search for")
        return EXIT_NOT_SLOWER
    _repeat(args, settings, question, culprits, memory, screen)
    return EXIT_SEVERAL if any(len(culprit.candidates) > 1 for culprit in culprits) else 0


@contextlib.contextmanager
def _held(folder: Path, settings: Settings, screen: Screen) -> Iterator[None]:
    """Hold the folder of a search: the same search twice at a time would do everything twice."""
    from pytest_ethrex_perf.host import lock

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MeasurementError(f"{folder}: cannot be made: {error.strerror}: set XDG_CACHE_HOME") from None
    with lock.holding(folder / "lock", timeout=settings.lock_timeout, waiting=screen.sentence):
        yield


def _found(search: Search, question: Question, screen: Screen, memory: Memory) -> list[Culprit]:
    """Let the search go on to its end, and show what happens; return what was found."""
    from pytest_ethrex_perf.commands import bisect_text
    from pytest_ethrex_perf.gate.bisect import Culprit, StepBegins

    culprits = []
    screen.begin("BAD against GOOD")
    try:
        for event in search.run(question.good.source.commit.id, question.bad.source.commit.id):
            for line in bisect_text.lines(event):
                screen.say(line)
            if isinstance(event, Culprit):
                culprits.append(event)
            elif isinstance(event, StepBegins) and not event.known:
                screen.begin(bisect_text.step(event))
                continue
            screen.begin("one commit against another")
    except KeyboardInterrupt:
        screen.sentence(f"stopped; the same command goes on from here ({memory.file})")
        raise
    except UsageError:
        raise
    except EthrexPerfError as error:
        raise MeasurementError(f"{error}; what was found out is kept: the same command goes on") from None
    finally:
        screen.end()
    return culprits


def _repeat(
    args: argparse.Namespace,
    settings: Settings,
    question: Question,
    culprits: list[Culprit],
    memory: Memory,
    screen: Screen,
) -> None:
    """Say where the log is, and which commands repeat this."""
    from pytest_ethrex_perf.commands import bisect_text

    ends = (question.good.source.commit.id, question.bad.source.commit.id)
    typed = [
        f"{OPTIONS[name].flag_name.replace('--ethrex-', '--')}={getattr(args, name)}"
        for name in _OF_PYTEST
        if getattr(args, name) is not None
    ]
    flags = [f"--{name.replace('_', '-')}" for name in ("all", "all_parents") if getattr(args, name)]
    harness = [f"--harness={args.harness}"] if args.harness else []
    command = ["ethrex-perf", "bisect", *ends, f"--block={question.block}", f"--metric={question.metric}"]
    screen.say("")
    screen.say(f"the steps: {memory.file}")
    for culprit in culprits:
        screen.say(f"    git bisect replay {shlex.quote(str(culprit.log))}")
    screen.say("the search once more:")
    screen.say(f"    {shlex.join([*command, *flags, *harness, *typed, '--restart'])}")
    screen.say("the change alone:")
    asked = settings.block(question.block)
    options = settings.arguments(question.block, asked, without=_NOT_REPEATED)
    for culprit in culprits:
        alone = bisect_text.again(culprit, [f"--ethrex-block={question.block}", *options])
        if alone is not None:
            screen.say(f"    {alone}")


# --- what is asked ------------------------------------------------------------------------------------------


def _settings(args: argparse.Namespace) -> tuple[Settings, str]:
    """Return the settings of every measurement, and by what is counted, as words after the metric."""
    from pytest_ethrex_perf.config import settings as config
    from pytest_ethrex_perf.counters import choice

    def load(**further: str) -> Settings:
        typed = {name: getattr(args, name) for name in _OF_PYTEST}
        return config.load(
            {**typed, "block": [args.block], "metrics": args.metric, **further},
            cwd=Path.cwd(),
            root=Path.cwd(),
            ini={},
            environ=os.environ,
        )

    settings = load()
    if len(settings.blocks) != 1:
        raise UsageError(f"--block {args.block}: name one block")
    metrics = settings.block(settings.blocks[0]).metrics
    if len(metrics) != 1:
        raise UsageError(f"--metric {args.metric}: name one metric")
    if metrics[0] in TIMES:
        return settings, ""
    try:
        chosen = choice.choose(settings.counters, settings.environ, judged=metrics)
    except UsageError:
        if metrics[0] != INSTRUCTIONS or settings.counters != "auto":
            raise
        chosen = choice.choose("callgrind", settings.environ, judged=metrics)
        settings = load(counters="callgrind")
    if chosen.instrument.apart and args.repeat is None:  # the process beside it is timed for nothing
        drop = settings.block(settings.blocks[0]).drop
        settings = load(counters="callgrind", repeat=str(drop + 1))
    return settings, f" ({chosen.message})"


def _check_cache(settings: Settings, block: BlockId) -> None:
    """Raise `MeasurementError` for a block that can't be replayed: hours of builds would be lost."""
    from pytest_ethrex_perf.records import regular_file
    from pytest_ethrex_perf.replay import cache

    if block.workload:  # its file is made by GOOD's program
        return
    path = cache.path(cache.directory(settings.cache_dir), block)
    if regular_file.exists(path) or not settings.environ.get("ETHREX_RPC_URL"):
        cache.read(path, block)


def _check_ends(history: History, question: Question) -> None:
    """Raise `UsageError` unless commits lie between good and bad, all of whose history is there."""
    good, bad = (history.commit(end.source.commit.id) for end in (question.good, question.bad))
    if question.good.dirty or question.bad.dirty:
        raise UsageError("what lies uncommitted in a worktree has no history: commit it first")
    if good.id == bad.id:
        raise UsageError(f"GOOD and BAD are the same commit, {good.short}: there is nothing between them")
    if history.is_ancestor(good.id, bad.id):
        return
    if history.is_ancestor(bad.id, good.id):
        raise UsageError(f"BAD {bad.short} is an ancestor of GOOD {good.short}: swap them")
    hint = "give their merge base as GOOD: git:merge-base, or git merge-base GOOD BAD"
    if history.repository.is_shallow:
        hint = "the repository is shallow: git fetch --unshallow"
    raise UsageError(f"GOOD {good.short} is no ancestor of BAD {bad.short}: {hint}")


def _words(question: Question) -> str:
    return (
        f"what made {question.block} slower by {question.metric}, from {question.good.source.commit.id} to "
        f"{question.bad.source.commit.id}"
    )


def _folder(settings: Settings, question: Question) -> Path:
    """Return where this search is kept: another question, or other settings, have another folder."""
    from pytest_ethrex_perf.baseline.archive import default_directory
    from pytest_ethrex_perf.gate.family import request_of
    from pytest_ethrex_perf.host import machine

    directory = default_directory(settings.environ)
    if directory is None:
        raise UsageError("there is no home directory to keep the search in: set XDG_CACHE_HOME")
    harnesses = [end.harness and end.harness.commit.id for end in (question.good, question.bad)]
    key = [
        str(question.good.source.repository.common),
        _words(question),
        question.first_parent,
        question.every,
        harnesses,
        repr(request_of(settings, question.block)),
        *(repr(getattr(settings, name, None)) for name in _KEYED),
        settings.build and sorted(settings.build.environment.items()),
        machine.identify(name=settings.machine).key,
    ]
    digest = hashlib.sha256(json.dumps(key).encode()).hexdigest()
    return directory.parent / "bisect" / digest[:16]


# --- builds -------------------------------------------------------------------------------------------------


def _builds(settings: Settings, screen: Screen) -> Builds:
    from pytest_ethrex_perf.baseline.archive import Archive, default_directory
    from pytest_ethrex_perf.baseline.builds import Builds

    def say(text: str) -> None:
        if text.startswith("building "):
            screen.progress("building")
        else:
            screen.sentence(text)

    def show(line: str) -> None:
        screen.progress(f"building: {line}")

    archive = Archive(settings.archive or default_directory(settings.environ), settings.archive_size)
    return Builds.of(settings, archive, say=say, show=show)
