"""The programs of one run: paths that are there, and revisions that are built before the machine is taken."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from pytest_ethrex_perf.baseline.builds import OPTION, Builds
from pytest_ethrex_perf.baseline.revisions import HARNESS
from pytest_ethrex_perf.config.parsers import REVISION
from pytest_ethrex_perf.errors import EthrexPerfError, MeasurementError
from pytest_ethrex_perf.records.measurement import Program, Record, Side
from pytest_ethrex_perf.replay import program

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_ethrex_perf.baseline.revisions import Revision
    from pytest_ethrex_perf.config.settings import Settings


class Built(Record, frozen=True, kw_only=True):
    """What became of the revisions of a run, for the workers of pytest-xdist: they build nothing."""

    programs: dict[Side, Program]
    errors: dict[Side, str]
    """Why a side's cannot be built."""
    apart: str | None
    """How head's commit lies to base's."""
    pinned: dict[str, str]
    """As `Programs.pinned`."""


class Programs:
    """Head and base of one run. `built` is what the controller of pytest-xdist has built.

    `options` is how messages name them.

    Raises `UsageError` for a revision that does not exist, and for one without `[build]`.
    """

    def __init__(
        self,
        settings: Settings,
        builds: Builds,
        built: Built | None = None,
        options: Mapping[Side, str] = OPTION,
    ) -> None:
        self._settings = settings
        self._builds = builds
        self._built = built
        self._options = options
        self._revisions: dict[Side, Revision] = {}
        if built is None:
            self._resolve_revisions()

    def _resolve_revisions(self) -> None:
        """Ask git for head first: where the merge base is depends on it."""
        specs = {side: self._spec(side) for side in _SIDES}
        for side, spec in specs.items():
            if spec is not None and spec.startswith(REVISION):
                head = self._revisions.get("head")
                self._revisions[side] = self._builds.revision(spec, side, self._options[side], head=head)

    def _spec(self, side: Side) -> str | None:
        settings = self._settings
        if side == "base":
            return settings.base
        return settings.replay or settings.environ.get("ETHREX_REPLAY") or None

    @property
    def head(self) -> Program:
        """The program under test; raises `UsageError`, or `MeasurementError` if it cannot be built."""
        return self._of(self._measured("head"))

    @property
    def base(self) -> Program | None:
        """The program to compare with, None where only a baseline is stored; raises as `head` does."""
        if self._settings.base:
            return self._of("base")
        return self.head if self._settings.aa else None

    def _of(self, side: Side) -> Program:
        """The program of `side`, called as its label says where it has one."""
        import msgspec

        settings = self._settings
        label = settings.head_label if side == "head" else settings.base_label
        found = self._resolved(side)
        return found if label is None else msgspec.structs.replace(found, label=label)

    def _resolved(self, side: Side) -> Program:
        if self._built is not None and side in self._built.programs:
            return self._built.programs[side]
        if self._built is not None and side in self._built.errors:
            raise MeasurementError(self._built.errors[side])
        if side in self._revisions:
            return self._builds.build(self._revisions[side], side).program
        return program.resolve(
            self._settings.base if side == "base" else self._settings.replay,
            cwd=self._settings.cwd,
            environ=self._settings.environ,
            prefix=self._settings.prefix,
            option=self._options[side],
        )

    def build(self) -> None:
        """Build the revisions of this run: to be called before the machine is taken.

        What cannot be built is said by `head` and `base`; then nothing else is built.
        """
        with contextlib.suppress(EthrexPerfError):
            for side in self._wanted():
                self._of(side)

    def built(self) -> Built:
        """What became of the revisions; they are built now, unless they are."""
        programs: dict[Side, Program] = {}
        errors: dict[Side, str] = {}
        for side in self._wanted():
            try:
                programs[side] = self._of(side)
            except EthrexPerfError as error:
                errors = dict.fromkeys(_SIDES, str(error))
                break
        return Built(programs=programs, errors=errors, apart=self.apart, pinned=self.pinned)

    def _wanted(self) -> list[Side]:
        """The sides that are built; where base is run against itself, head is not."""
        aa_of_base = self._settings.aa and self._settings.base
        return [side for side in self._revisions if side == "base" or not aa_of_base]

    @property
    def to_be_built(self) -> bool:
        """Whether any of them is a revision."""
        return bool(self._revisions)

    def described(self, side: Side) -> str | None:
        """The name of a side that is a revision, whether it is built already or not; None of any other."""
        if side == "base" and not self._settings.base:
            return None
        side = self._measured(side)
        revision = self._revisions.get(side)
        if revision is None:
            return None
        label = self._settings.head_label if side == "head" else self._settings.base_label
        return label or revision.label

    def revision(self, side: Side) -> Revision | None:
        """What a side is built from; None of any other program, and of one that was built elsewhere."""
        return self._revisions.get(self._measured(side))

    def named(self, side: Side) -> str | None:
        """The `REV` of a side that is named `git:REV`."""
        spec = self._spec(self._measured(side)) or ""
        return spec.removeprefix(REVISION).partition(HARNESS)[0] if spec.startswith(REVISION) else None

    def _measured(self, side: Side) -> Side:
        """The side whose program is run as `side`."""
        return "base" if self._settings.aa and self._settings.base else side

    @property
    def pinned(self) -> dict[str, str]:
        """The options that name the same commits tomorrow: `{"replay": "git:1a2b3c4d5e6f"}`."""
        if self._built is not None:
            return self._built.pinned
        names: dict[Side, str] = {"head": "replay", "base": "base"}
        return {names[side]: revision.pinned for side, revision in self._revisions.items()}

    @property
    def apart(self) -> str | None:
        """How head's commit lies to base's, in words; None where not both are revisions."""
        if self._built is not None:
            return self._built.apart
        if self._settings.aa or len(self._revisions) < len(_SIDES):
            return None
        return self._builds.apart(self._revisions["base"], self._revisions["head"])


_SIDES: tuple[Side, ...] = ("head", "base")
