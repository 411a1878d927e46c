"""`ethrex-perf history`: what changed over months, and when; as text, JSON, a static site and a feed."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pytest_ethrex_perf.commands.baseline_files import BASELINES, BLOCK, say
from pytest_ethrex_perf.config.block_specs import parse_blocks
from pytest_ethrex_perf.errors import EthrexPerfError, UsageError
from pytest_ethrex_perf.records.metric import EXEC, INSTRUCTIONS, PREP

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from pytest_ethrex_perf.baseline.timeline import Timeline
    from pytest_ethrex_perf.baseline.versions import Versions
    from pytest_ethrex_perf.host.git import Repository
    from pytest_ethrex_perf.records.history import History

EXIT_SLOWER = 1
_UNREAD = "earlier versions of baselines are not read"
_METRICS = (EXEC, PREP, INSTRUCTIONS)


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    text = "find and date what changed over months, from stored sessions, results of CI and git"
    parser = subparsers.add_parser(
        "history",
        help=text,
        description=f"{text}. Nothing is measured. Change points are found by ruptures (pip install "
        "'pytest-ethrex-perf[history]') on the means of sessions: an unchanged block has a false one in at "
        "most one of a hundred years of nightly sessions. Exit codes: 0 done, 1 --check failed or it could "
        "not be done, 2 wrong usage.",
    )
    parser.add_argument(
        "files",
        metavar="FILE",
        type=Path,
        nargs="*",
        help="results that were accepted (--ethrex-json), or an earlier --json, for what baselines forget",
    )
    parser.add_argument(
        "--baselines",
        type=Path,
        default=BASELINES,
        metavar="DIR",
        help="where stored sessions are (default: %(default)s)",
    )
    parser.add_argument(
        "--no-versions",
        action="store_true",
        help="leave out what only earlier versions of the baselines in git have",
    )
    parser.add_argument("--block", metavar="SPEC", action="append", default=[], help=f"only {BLOCK}")
    parser.add_argument("--machine", metavar="NAME", help="only what was measured on this machine")
    parser.add_argument(
        "--metrics",
        metavar="NAMES",
        default=",".join(_METRICS),
        help="what is shown, and looked at by --check (default: %(default)s)",
    )
    parser.add_argument(
        "--repository",
        type=Path,
        metavar="DIR",
        help="of the measured program: its tags are releases, its commits have subjects (default: the one "
        "that the current directory is in, if it has the newest commit that was measured)",
    )
    parser.add_argument("--html", metavar="DIR", type=Path, help="write a static site: index.html and more")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write everything; it can be read again")
    parser.add_argument("--atom", metavar="FILE", type=Path, help="write a feed with an entry a change")
    parser.add_argument(
        "--url",
        metavar="URL",
        help="where the site will be, for the links of the feed (default: relative ones)",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="exit with 1 where the newest change of a metric is a slowdown that nobody accepted or waived",
    )
    parser.add_argument("--schema", action="store_true", help="print the JSON Schema of --json")
    parser.set_defaults(run=_history)


def _history(args: argparse.Namespace) -> int:
    from pytest_ethrex_perf.records import history as records
    from pytest_ethrex_perf.report import site, timeline_text

    if args.schema:
        say(records.json_schema_text(), end="")
        return 0
    metrics = _metrics(args.metrics)
    if args.url is not None and not re.match("https?://[^/@]+(/|$)", args.url):
        raise UsageError("--url: give the address of the site, https://HOST/PATH, without a password")
    history = _gathered(args, metrics)
    for path, content in _outputs(args, history, metrics):
        _write(path, content)
    written = [
        path for path in (args.json, args.html and args.html / site.INDEX, args.atom) if path is not None
    ]
    sys.stderr.write("".join(f"written: {path}\n" for path in written))
    for line in timeline_text.lines(history, metrics):
        say(line)
    if args.check and (slower := timeline_text.slowdowns(history)):
        say(f"{len(slower)} slowdown{'s' * (len(slower) > 1)} that nobody accepted or waived")
        return EXIT_SLOWER
    return 0


def _metrics(names: str) -> tuple[str, ...]:
    from pytest_ethrex_perf.records.metric import METRICS

    metrics = tuple(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    for name in metrics:
        if name not in METRICS:
            raise UsageError(f"--metrics: {name[:80]!r} is no metric: there are {', '.join(METRICS)}")
    if not metrics:
        raise UsageError("--metrics: name at least one metric, e.g. exec")
    return metrics


def _gathered(args: argparse.Namespace, metrics: Sequence[str]) -> History:
    from pytest_ethrex_perf.baseline.change_points import with_changes
    from pytest_ethrex_perf.baseline.timeline import Timeline
    from pytest_ethrex_perf.records.history import History
    from pytest_ethrex_perf.version import version

    timeline = Timeline(metrics)
    wanted = {str(block) for block in parse_blocks(args.block)}
    _add(timeline, args, wanted)
    blocks = timeline.blocks(wanted, args.machine)
    if not blocks:
        limits = " of these blocks or this machine" if args.block or args.machine else ""
        raise UsageError(
            f"no sessions{limits} in {args.baselines} or the files: record with --ethrex-update-baseline, or "
            "name results files of --ethrex-json"
        )
    history = History(version=version(), blocks=tuple(with_changes(block, metrics) for block in blocks))
    repository = _repository(args.repository, history)
    return history if repository is None else _with_commits(history, repository)


def _add(timeline: Timeline, args: argparse.Namespace, wanted: set[str]) -> None:
    from pytest_ethrex_perf.records import history, results_file

    for path in dict.fromkeys(args.files):
        if (earlier := history.load(path)) is not None:
            timeline.add_history(earlier.blocks)
        else:
            timeline.add_results(results_file.load(path))
    _add_baselines(timeline, args, wanted)


def _add_baselines(timeline: Timeline, args: argparse.Namespace, wanted: set[str]) -> None:
    """Add stored sessions, and those that only earlier versions of their files have; one file at a time."""
    from pytest_ethrex_perf.baseline import store
    from pytest_ethrex_perf.baseline.history import DROP
    from pytest_ethrex_perf.host.git import GitError

    files = store.files(args.baselines)
    with contextlib.ExitStack() as stack:
        versions = None if args.no_versions or not files else _versions(args.baselines)
        if versions is not None:
            stack.enter_context(versions)
        for file in files:
            baseline = store.load(file)
            if wanted and str(baseline.block_id) not in wanted:
                continue
            timeline.add_baseline(baseline, DROP)
            try:
                for version in versions.of(file, baseline) if versions else ():
                    timeline.add_version(version, DROP)
            except GitError as error:
                _note(f"{_UNREAD}: {error}")
                versions = None


def _versions(folder: Path) -> Versions | None:
    """Return the earlier versions of baselines where they are in git; say why, where they can't be read."""
    from pytest_ethrex_perf.baseline.versions import Versions
    from pytest_ethrex_perf.host.git import GitError, Repository

    here = folder.resolve()
    if not any((parent / ".git").exists() for parent in (here, *here.parents)):
        return None
    try:
        repository = Repository(folder, os.environ)
        versions = Versions(repository)
    except GitError as error:
        _note(f"{_UNREAD}: {error}")
        return None
    if repository.is_shallow:
        _note(f"{folder}: the repository is shallow: earlier sessions are missing: git fetch --unshallow")
    return versions


def _note(text: str) -> None:
    sys.stderr.write(f"note: {text}\n")


def _repository(directory: Path | None, history: History) -> Repository | None:
    """The repository that was named, or that of the current directory where it is the program's."""
    from pytest_ethrex_perf.host.git import GitError, Repository

    if directory is not None:
        return Repository(directory, os.environ)
    sessions = (session for block in history.blocks for session in block.sessions if session.commit)
    newest = max(sessions, key=lambda session: session.started, default=None)
    try:
        repository = Repository(Path(), os.environ)
        if newest is None or newest.commit is None:
            return None
        repository.commit(newest.commit)
    except GitError:
        return None
    return repository


def _with_commits(history: History, repository: Repository) -> History:
    import msgspec

    from pytest_ethrex_perf.baseline.releases import Commits, releases
    from pytest_ethrex_perf.baseline.schema import moment

    since = min(moment(block.sessions[0].started) for block in history.blocks)
    commits = Commits(repository)
    return msgspec.structs.replace(
        history,
        releases=releases(repository, since),
        blocks=tuple(
            msgspec.structs.replace(block, changes=tuple(map(commits.named, block.changes)))
            for block in history.blocks
        ),
    )


def _outputs(
    args: argparse.Namespace, history: History, metrics: Sequence[str]
) -> Iterator[tuple[Path, bytes | bytearray]]:
    """Yield each file that was asked for, with its content."""
    from pytest_ethrex_perf.records import history as records
    from pytest_ethrex_perf.report import feed, site

    if args.json is not None:
        yield args.json, records.dump(history)
    if args.html is not None:
        atom = None if args.atom is None else PurePosixPath(os.path.relpath(args.atom, args.html))
        for name, page in site.pages(history, metrics, atom):
            yield args.html / name, page.encode()
    if args.atom is not None:
        yield args.atom, feed.dump(history, _base(args))


def _base(args: argparse.Namespace) -> str:
    """Where the site is, from the feed."""
    if args.url is not None:
        return f"{args.url.rstrip('/')}/"
    if args.html is None:
        return ""
    folder = os.path.relpath(args.html, args.atom.parent)
    return "" if folder == "." else f"{folder}/"


def _write(path: Path, content: bytes | bytearray) -> None:
    from pytest_ethrex_perf.host import files

    try:
        files.replace(path, content)
    except OSError as error:
        raise EthrexPerfError(f"{path}: cannot be written: {error.strerror}") from None
