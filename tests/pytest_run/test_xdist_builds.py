"""What the controller of pytest-xdist has built, or could not, reaches its workers as it is."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ethrex_perf.config.settings import load
from pytest_ethrex_perf.errors import MeasurementError
from pytest_ethrex_perf.gate.equipment import Equipment
from pytest_ethrex_perf.pytest_run import xdist_builds
from tests.git_repositories import WHO, GitRepository

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.gate.programs import Programs


TABLE = """[build]
command = "echo tried >> {target}/tries; exit 1"
artifact = "program"
"""


def programs(folder: Path, worker: dict[str, Any] | None = None) -> Programs:
    """Those of a run that compares two revisions, in the controller or in a worker."""
    environ = {**os.environ, **WHO, "XDG_CACHE_HOME": str(folder / "cache")}
    typed = {"replay": "git:HEAD", "base": "git:HEAD~1"}
    settings = load(typed, cwd=folder, root=folder, ini={}, environ=environ)
    return Equipment(settings, built=xdist_builds.received(worker)).programs


@pytest.mark.usefixtures("locks")
def test_a_build_that_failed_is_not_tried_again_in_a_worker(tmp_path: Path) -> None:
    repository = GitRepository(tmp_path / "checkout")
    repository.commit("First")
    repository.write("ethrex-perf.toml", TABLE)
    repository.commit("Second")
    checkout = repository.path
    node = SimpleNamespace(workerinput={})
    xdist_builds.send(node, programs(checkout))
    for _ in range(2):
        worker = programs(checkout, node.workerinput)
        for side in ("head", "base"):
            with pytest.raises(
                MeasurementError, match=r'git:HEAD .* "Second" .* its command ended with exit code 1'
            ):
                getattr(worker, side)
        assert worker.apart == "1 commit after base"
    (tries,) = (checkout / "cache").glob("*/builds/*/head/target/tries")
    assert tries.read_text() == "tried\n"


def test_a_run_without_workers_is_told_nothing() -> None:
    assert xdist_builds.received(None) is None
    assert xdist_builds.received({"testrunuid": "1"}) is None
