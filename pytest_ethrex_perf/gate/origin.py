"""Where the programs of a run come from, asked of git and of the CI once they have been measured."""

from __future__ import annotations

import contextlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pytest_ethrex_perf.baseline.revisions import MERGE_BASE, WORKTREE
from pytest_ethrex_perf.errors import EthrexPerfError
from pytest_ethrex_perf.host import ci, forge
from pytest_ethrex_perf.host.git import GitError, Repository
from pytest_ethrex_perf.records.origin import Origin, Source, is_commit
from pytest_ethrex_perf.replay.program_kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_ethrex_perf.config.settings import Settings
    from pytest_ethrex_perf.gate.programs import Programs
    from pytest_ethrex_perf.records.measurement import Program, Side

_OF_RUST = "Cargo.toml"


class Origins:
    """Finds out where programs come from, of each once.

    A build is named by what is known of it: the revision that it was built from, the checkout that it lies
    in, or the baseline that it was recorded with. Only head, and only where none of these tells a commit, is
    named by what the CI has checked out.
    """

    def __init__(self, settings: Settings, programs: Programs) -> None:
        self._settings = settings
        self._programs = programs
        self._builds: dict[str, Source] = {}
        self._sources: dict[str, Source | None] = {}
        self._apart: dict[tuple[str, str], tuple[int, int] | None] = {}
        self._repositories: dict[Path, Repository | None] = {}

    @cached_property
    def _here(self) -> ci.Here | None:
        return ci.read(self._settings.environ)

    def of(self, programs: Iterable[tuple[Program | None, Program | None]]) -> Origin:
        """The origin of `programs`, head and base of each block, of those before, and of this run."""
        builds = self._builds
        for head, base in programs:
            of_head = self._source(head, "head") if head else None
            of_base = self._source(base, "base") if base else None
            if base and of_base:
                ahead, behind = (self._between(of_base, of_head) if of_head else None) or (None, None)
                builds[base.sha256] = msgspec.structs.replace(of_base, ahead=ahead, behind=behind)
            if head and of_head:
                builds.setdefault(head.sha256, of_head)
        return Origin(builds=dict(builds), job=self._here.job if self._here else None)

    # --- one program ----------------------------------------------------------------------------------------

    def _source(self, program: Program, side: Side) -> Source | None:
        if program.sha256 not in self._sources:
            self._sources[program.sha256] = None
            with contextlib.suppress(EthrexPerfError):  # it is a name for people: no run fails for want of it
                self._sources[program.sha256] = self._asked(program, side)
        return self._sources[program.sha256]

    def _asked(self, program: Program, side: Side) -> Source | None:
        if KINDS[program.kind].shorthand:  # it comes with the package, and from no commit
            return None
        revision = self._programs.revision(side)
        if revision is not None:
            source, harness = revision.source, revision.harness
            described = self._described(source.repository, source.commit.id, side, dirty=source.dirty)
            name = f"{harness.repository.name} {harness}" if harness else ""
            return msgspec.structs.replace(described, harness=name)
        if program.commit is None:
            is_head = side == "head" and not (self._settings.aa and self._settings.base)
            own = self._checked_out() if is_head else None
            return msgspec.structs.replace(own, by_ci=True) if own else None
        if not is_commit(program.commit):  # a baseline may say anything
            return None
        beside = Path(program.command[0]).parent
        for repository in self._candidates(beside):
            if repository.has(program.commit):
                dirty = repository.has_changes and self._is_in_checkout(program)
                return self._described(repository, program.commit, side, dirty=dirty)
        return self._named_by_ci(Source(commit=program.commit), None)

    def _is_in_checkout(self, program: Program) -> bool:
        """Whether it still lies in the checkout that it was built in; what was archived or stored may not."""
        kind = KINDS[program.kind]
        with contextlib.suppress(EthrexPerfError):
            is_there = kind.commit(program.command) == program.commit
            return is_there and kind.identify(program.command, self._settings.cwd, "") == program.sha256
        return False

    def _checked_out(self) -> Source | None:
        """What the CI has checked out, where a program of no known commit was most probably built from that.

        It was not where another commit is checked out by now, or a repository without Rust in it.
        """
        if self._here is None or not self._here.names_checkout:
            return None
        repository = self._repository(self._settings.cwd)
        if repository is None:
            return self._here.job.commit
        commit = repository.commit("HEAD").id
        is_of_job = self._here.source(commit) is not None and (repository.top / _OF_RUST).exists()
        return self._described(repository, commit, "head", dirty=False) if is_of_job else None

    def _candidates(self, beside: Path) -> Iterator[Repository]:
        """The repositories that may have a program's commit: its own, and those of the run."""
        build = self._settings.build
        of_run = (build.repository if build else None, self._settings.cwd, *self._repositories)
        for directory in (beside, *of_run):
            repository = self._repository(directory) if directory else None
            if repository is not None:
                yield repository

    def _repository(self, directory: Path) -> Repository | None:
        if directory not in self._repositories:
            try:
                self._repositories[directory] = Repository(directory, self._settings.environ)
            except EthrexPerfError:
                self._repositories[directory] = None
        return self._repositories[directory]

    def _described(self, repository: Repository, commit: str, side: Side, *, dirty: bool) -> Source:
        about = repository.commit(commit)
        source = Source(
            commit=commit,
            subject=about.subject,
            branch=self._branch(repository, commit, side),
            time=about.committed,
            dirty=dirty,
            url=self._address(repository, commit),
        )
        return self._named_by_ci(source, repository)

    def _branch(self, repository: Repository, commit: str, side: Side) -> str:
        """The branch that the user named, or the one that is checked out, if it still is at `commit`."""
        name = self._programs.named(side) or "HEAD"
        with contextlib.suppress(GitError):
            if name == MERGE_BASE:
                return repository.default_branch()
            name = "HEAD" if name == WORKTREE else name
            return repository.branch(name) if repository.commit(name).id == commit else ""
        return ""

    @staticmethod
    def _address(repository: Repository, commit: str) -> str | None:
        """Where the commit is to be seen on the web, if it is."""
        commits = forge.commits(repository.url)
        return f"{commits}{commit}" if commits and repository.is_published(commit) else None

    def _named_by_ci(self, source: Source, repository: Repository | None) -> Source:
        """`source` with what the CI says of it, where it is the commit of the job."""
        own = self._here.source(source.commit) if self._here else None
        if own is None:
            return source
        subject = source.subject or own.subject
        if own.merged is not None:  # nobody knows a merge that the CI made
            merged = own.merged
            subject = repository.commit(merged).subject if repository and repository.has(merged) else ""
        return msgspec.structs.replace(
            source,
            subject=subject,
            branch=own.branch or source.branch,
            time=source.time or own.time,
            merged=own.merged,
            url=own.url or source.url,
        )

    # --- two programs ---------------------------------------------------------------------------------------

    def _between(self, base: Source, head: Source) -> tuple[int, int] | None:
        """How many commits only base has, and how many only head; None where no repository knows both."""
        key = base.commit, head.commit
        if key not in self._apart:
            self._apart[key] = self._counted(*key)
        apart = self._apart[key]
        if apart is None or head.merged is None:
            return apart
        return apart[0], max(0, apart[1] - 1)  # the CI's merge is nobody's commit

    def _counted(self, base: str, head: str) -> tuple[int, int] | None:
        revision = self._programs.revision("head")
        repositories = [revision.source.repository if revision else None, *self._repositories.values()]
        for repository in filter(None, repositories):
            with contextlib.suppress(EthrexPerfError):
                if repository.has(base) and repository.has(head):
                    apart = repository.apart(base, head)
                    return None if apart is None else (apart[1], apart[0])
        return None
