"""What base, head and the run are called, and where they are to be seen: by names that people know."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_ethrex_perf.report import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_ethrex_perf.records.measurement import Program, Side
    from pytest_ethrex_perf.records.origin import Job, Source
    from pytest_ethrex_perf.records.result import RunResult, SideResult

_LONGEST = 120  # characters of a name from outside
_SUBJECT = 72


class Part(NamedTuple):
    """A piece of a name; each form marks it up as it can."""

    text: str
    url: str | None = None
    code: bool = False
    """It is typed as it stands: a path, a branch, a hash."""


def program(run: RunResult, side: Side, program: Program) -> list[Part]:
    """Return what the program of one side is called in the reports of `run`."""
    source = run.origin.builds.get(program.sha256)
    labelled = program.label in (run.settings.get("head_label"), run.settings.get("base_label"))
    apart = _apart(source) if source and side == "base" else ""
    return name(program, source, run.origin.job, labelled=labelled, apart=apart)


def stored(run: RunResult, sides: Iterable[SideResult]) -> list[Part]:
    """Return what the stored baselines among `sides` are called, by the program of the newest sessions."""
    newest = {side.recorded.sha256: side.recorded for side in sides if side.recorded and not side.program}
    if len(newest) != 1:
        return [Part("stored baselines")]
    return [Part("stored baselines, the newest of"), *program(run, "base", *newest.values())]


def name(
    program: Program, source: Source | None, job: Job | None, *, labelled: bool, apart: str = ""
) -> list[Part]:
    """Return what a program is called: `feature 1a2b3c4d "Subject" (binary 77a5a81c)`.

    It is called by its path where its commit is not known, and first of all by the label that it was given.
    """
    label = [Part(program.label, code=True)]
    if source is None:
        return [*label, Part(f"({program.build})")]
    build = ", ".join(filter(None, (program.binary, source.harness and f"with {source.harness}", apart)))
    return [*(label if labelled else []), *_source(source, job), Part(f"({build})")]


def _source(source: Source, job: Job | None) -> Iterator[Part]:
    if source.branch:
        yield Part(source.branch, code=True)
    yield Part(source.short, source.url, code=True)
    if source.subject:
        yield Part(f'"{escape.line(source.subject, _SUBJECT)}"')
    if source.merged:
        into = job.change.into if job and job.change else ""
        yield Part(f"merged into {into or 'its target'}")
    if source.dirty:
        yield Part("with uncommitted changes")
    if source.by_ci:
        yield Part("as checked out by the CI")


def _apart(source: Source) -> str:
    """How base lies to head: `12 commits behind head`; empty where that is not known."""
    ahead, behind = source.ahead, source.behind
    if ahead is None or behind is None:
        return ""
    if not ahead and not behind:
        return "head's own commit"
    if ahead and behind:
        return f"{_commits(behind)} behind head, and {ahead} that head has not"
    return f"{_commits(behind)} behind head" if behind else f"{_commits(ahead)} ahead of head"


def _commits(number: int) -> str:
    return f"{number} commit{'s' if number != 1 else ''}"


def job(run: RunResult) -> list[list[Part]]:
    """Return what the run was for and where it is to be seen: pull request, run, artifacts, as known."""
    job = run.origin.job
    if job is None:
        return []
    names = []
    if job.change is not None:
        change = job.change
        title = [Part(f'"{change.title}"')] if change.title else []
        into = [Part("into"), Part(change.into, code=True)] if change.into else []
        names.append([Part(change.name, change.url), *title, *into])
    if job.url:
        names.append([Part("run", job.url)])
    if job.artifacts:
        names.append([Part("artifacts", job.artifacts)])
    return names


def plain(parts: Iterable[Part]) -> str:
    """`parts` in words alone."""
    return " ".join(escape.line(part.text, _LONGEST) for part in parts)


def markdown(parts: Iterable[Part]) -> str:
    """`parts` as Markdown."""
    return " ".join(map(_markdown, parts))


def _markdown(part: Part) -> str:
    text = escape.code(part.text, _LONGEST) if part.code else escape.markdown(part.text, _LONGEST)
    # an address of `records.origin` holds nothing that could end it
    return f"[{text}]({part.url})" if part.url else text
