"""`ethrex-perf comment`: the one comment of a pull request, posted or brought up to date."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pytest_ethrex_perf.commands import follow, github, gitlab, pull_request, web
from pytest_ethrex_perf.commands.arguments import whole
from pytest_ethrex_perf.errors import EthrexPerfError, UsageError
from pytest_ethrex_perf.records import regular_file
from pytest_ethrex_perf.report import comment

if TYPE_CHECKING:
    from collections.abc import Mapping

_PAUSES_S = (2.0, 8.0)  # between attempts, where a platform does not answer
_INTERVAL_S = 60.0  # between two statuses: what is measured meanwhile should have the machine to itself
_MOST = 256 * 2**20  # bytes of Markdown
_TOKENS = (*github.SECRETS, gitlab.TOKEN)


class Request(Protocol):
    """A pull request or a merge request."""

    def post(self, body: str) -> str:
        """Post `body` in the place of our own comment, if there is one; return where."""


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command; its parser sets `run`, which takes the Namespace and returns the exit code."""
    text = (
        "post a report as the one comment of a pull request (GitHub) or merge request (GitLab), or bring "
        "that comment up to date"
    )
    more = (
        "The comment is found by the mark in its first line; comments of others are never touched. GitHub is "
        "asked through gh where it is installed, else with $GITHUB_TOKEN; GitLab with $GITLAB_TOKEN. Exit "
        "code 1 if nothing could be posted; with --while that of COMMAND, whatever becomes of the comment."
    )
    parser = commands.add_parser("comment", help=text, description=f"{text}. {more}")
    parser.add_argument(
        "file",
        metavar="FILE",
        type=Path,
        nargs="?",
        help="results (.json), of which the report is made here, or Markdown",
    )
    parser.add_argument(
        "--status", metavar="TEXT", help="say how far it is instead: 'gating: 3 of 11 blocks'"
    )
    parser.add_argument(
        "--pull-request", metavar="N", type=whole, help="default: that of the event that started the workflow"
    )
    parser.add_argument(
        "--number-file",
        metavar="PATH",
        type=Path,
        help="in a workflow started by `workflow_run`: file of the artifact with the number; it counts only "
        "if that pull request is at the commit that was measured (default: the one at that commit)",
    )
    parser.add_argument("--repository", metavar="OWNER/NAME", help="default: $GITHUB_REPOSITORY")
    parser.add_argument(
        "--while",
        dest="command",
        metavar="COMMAND",
        nargs=argparse.REMAINDER,
        help="run this (pytest --ethrex-block=all …, which writes FILE), say meanwhile how far it is, then "
        "post FILE; COMMAND does not get the tokens; it stands last",
    )
    parser.set_defaults(run=_comment)


def _comment(options: argparse.Namespace) -> int:
    if (options.file is None) == (options.status is None):
        raise UsageError("comment: name the FILE to post, or give --status TEXT")
    if options.command is not None:
        if not options.command or options.file is None:
            raise UsageError("comment: --while needs a FILE and a COMMAND, which comes last")
        return _follow(options)
    if options.status is None:
        body = _of_report(options.file)
    else:
        body = comment.of_status(options.status, footer(os.environ))
    sys.stdout.write(f"posted: {post(request(options), body)}\n")
    return 0


def _follow(options: argparse.Namespace) -> int:
    """Run the command of --while, and return its exit code."""
    environ = {name: value for name, value in os.environ.items() if name not in _TOKENS}
    before = _modified(options.file)
    try:
        target = request(options)
    except EthrexPerfError as error:
        _warn(error)
        return follow.run(options.command, environ, lambda _: None)

    def say(status: str) -> bool:
        return _try(target, comment.of_status(status, footer(os.environ)))

    bulletin = follow.Bulletin(say, _INTERVAL_S)
    bulletin.say("started")
    bulletin.start()

    def hear(line: str) -> None:
        status = follow.status(line)
        if status is not None:
            bulletin.say(status)

    try:
        code = follow.run(options.command, environ, hear)
    finally:
        bulletin.stop()
    try:
        if _modified(options.file) == before:
            body = comment.of_status(f"no result: it ended with exit code {code}", footer(os.environ))
        else:
            body = _of_report(options.file)
    except EthrexPerfError as error:
        _warn(error)
    else:
        _try(target, body)
    return code


def _try(target: Request, body: str) -> bool:
    """Post `body`; say why where it can't be, and return whether more may be."""
    try:
        post(target, body)
    except EthrexPerfError as error:
        _warn(error)
        return isinstance(error, web.ApiError)  # it did not answer: the next time it may
    return True


def _warn(error: EthrexPerfError) -> None:
    sys.stderr.write(f"ethrex-perf: no comment: {error}\n")
    sys.stderr.flush()


def _modified(file: Path) -> int | None:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return None


def request(options: argparse.Namespace) -> Request:
    """Return the pull request or merge request that the arguments and the environment mean."""
    if gitlab.is_here(os.environ):
        if options.number_file is not None:
            raise UsageError("--number-file is for workflows of GitHub: give --pull-request N")
        return gitlab.MergeRequest(os.environ, project=options.repository, iid=options.pull_request)
    target = pull_request.of(
        os.environ,
        repository=options.repository,
        number=options.pull_request,
        number_file=options.number_file,
    )
    return github.PullRequest(target, github.connect(os.environ))


def post(target: Request, body: str) -> str:
    """Post `body`, again where the platform does not answer; return where it is.

    Each attempt begins with the search for our own comment, so that none is posted twice.
    """
    for pause in _PAUSES_S:
        with contextlib.suppress(web.ApiError):
            return target.post(body)
        time.sleep(pause)
    try:
        return target.post(body)
    except web.ApiError as error:
        raise web.ApiError(f"{target}: {error}: try again later", error.status) from None


def read(file: Path) -> str:
    """Return the Markdown of `file`, made here of a results file; raises `EthrexPerfError`."""
    if file.suffix == ".json":
        from pytest_ethrex_perf.records import results_file
        from pytest_ethrex_perf.report import markdown

        return markdown.dump(results_file.load(file))
    try:
        with regular_file.opened(file) as opened:
            content = opened.read(_MOST)
    except OSError as error:
        raise EthrexPerfError(f"{file}: can't be read: {error.strerror}") from None
    if not content.strip():
        raise EthrexPerfError(f"{file}: it is empty: nothing to post")
    return content.decode(errors="replace")


def _of_report(file: Path) -> str:
    report = read(file)
    return comment.of_report(report, footer(os.environ, report))


def footer(environ: Mapping[str, str], report: str = "") -> str:
    """Return the line below a comment, with the address of the run where `report` does not link to it.

    It is empty outside of a CI.
    """
    url = pull_request.run_url(environ)
    return f"[The run]({url}) has the log and the report." if url and f"]({url})" not in report else ""
