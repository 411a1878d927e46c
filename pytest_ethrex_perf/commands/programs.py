"""The program that an argument of a command names: a path, a command line, or a revision that is built."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.config.parsers import REVISION

if TYPE_CHECKING:
    from pytest_ethrex_perf.baseline.builds import Builds
    from pytest_ethrex_perf.config.settings import Settings
    from pytest_ethrex_perf.records.measurement import Program, Side


def resolve(spec: str | None, option: str) -> Program:
    """Return the program that `spec` names; a revision is built as `[build]` in ethrex-perf.toml here says.

    The host's lock must not be held. Raises `UsageError` that names `option`, and `MeasurementError` for what
    cannot be built.
    """
    return sides(spec, None, option)["head"]


def sides(
    replay: str | None, base: str | None, option: str = "--replay", prefix: str = ""
) -> dict[Side, Program]:
    """Return head, and base where it is given; as `resolve` does."""
    from pytest_ethrex_perf.replay import program

    options: dict[Side, str] = {"head": option, "base": "--base"}
    head = replay or os.environ.get("ETHREX_REPLAY") or None
    specs: dict[Side, str | None] = {"head": head, **({"base": base} if base else {})}
    if any((spec or "").startswith(REVISION) for spec in specs.values()):
        from pytest_ethrex_perf.gate.programs import Programs

        given = settings(replay=head, base=base, prefix=prefix)
        built = Programs(given, builds(given), options=options)
        return {"head": built.head, **({"base": built.base} if base and built.base else {})}
    return {
        side: program.resolve(spec, cwd=Path.cwd(), environ=os.environ, prefix=prefix, option=options[side])
        for side, spec in specs.items()
    }


def settings(**options: object) -> Settings:
    """Return what ethrex-perf.toml here says, beneath the `options` of a command. Raises `UsageError`."""
    from pytest_ethrex_perf.config.settings import load
    from pytest_ethrex_perf.records.environment import Environment

    here = Path.cwd()
    return load(options, cwd=here, root=here, ini={}, environ=Environment(os.environ))


def builds(given: Settings) -> Builds:
    """Return what builds revisions; people read on stderr what it does."""
    from pytest_ethrex_perf.baseline.archive import Archive, default_directory
    from pytest_ethrex_perf.baseline.builds import Builds

    archive = Archive(given.archive or default_directory(given.environ), given.archive_size)
    return Builds.of(given, archive, say=_say, show=_say if _is_terminal() else lambda _: None)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _is_terminal() -> bool:
    """Whether somebody watches stderr, behind the door that makes text plain."""
    return bool(getattr(sys.stderr, "inner", sys.stderr).isatty())
