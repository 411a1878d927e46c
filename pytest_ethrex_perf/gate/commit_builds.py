"""The programs of a search's commits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ethrex_perf.baseline.build_slot import BuildError
from pytest_ethrex_perf.baseline.revisions import HARNESS
from pytest_ethrex_perf.config.parsers import REVISION
from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.gate.bisect import NotBuiltError

if TYPE_CHECKING:
    from pytest_ethrex_perf.baseline.builds import Builds
    from pytest_ethrex_perf.baseline.revisions import Revision
    from pytest_ethrex_perf.records.measurement import Program


class CommitBuilds:
    """Builds commits in one place, one after another: it is incremental, and paths are part of a binary.

    Where the two ends have harnesses of their own, `good` is built with its own first, every other commit
    with bad's; the other one is tried where that does not fit.
    """

    def __init__(self, builds: Builds, good: Revision, bad: Revision) -> None:
        self._builds = builds
        self._good = good.source.commit.id
        sources = (bad.harness, good.harness)
        self._harnesses = list(dict.fromkeys(source.commit.id if source else None for source in sources))

    def __call__(self, commit: str) -> Program:
        """Return the program of `commit`; raises `NotBuiltError`, and other errors where nothing can be."""
        harnesses = self._harnesses[::-1] if commit == self._good else self._harnesses
        reason = ""
        for harness in harnesses:
            revision = self._builds.revision(spec_of(commit, harness), "head", "bisect")
            try:
                build = self._builds.build(revision, "head")
            except BuildError as error:
                reason = reason or _clause(error)
                continue
            if build.fleeting is not None:
                raise MeasurementError(
                    f"{build.program.label}: what [build] makes {build.fleeting}, so it can't be kept while "
                    "the next commit is built: let `artifact` name one native executable"
                )
            return build.program
        raise NotBuiltError(reason)


def spec_of(revision: str, harness: str | None) -> str:
    """Return `git:REV[,harness:REV]`, whether `revision` begins with `git:` or not."""
    spec = revision if revision.startswith(REVISION) else f"{REVISION}{revision}"
    return f"{spec}{HARNESS}{harness}" if harness and HARNESS not in spec else spec


def _clause(error: BuildError) -> str:
    """Return why a revision cannot be built, without its name and without what the build has printed."""
    line = str(error).partition("\n")[0].removesuffix(", its last lines:")
    _, cannot, why = line.partition(" cannot be built: ")
    return f"can't be built: {why}" if cannot else line
