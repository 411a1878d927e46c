"""What the controller of pytest-xdist has built for its workers, which build nothing themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from pytest_ethrex_perf.gate.programs import Built

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_ethrex_perf.gate.programs import Programs

_NAME = "ethrex_perf_built"


def send(node: Any, programs: Programs) -> None:
    """Put what was built into what `node` starts with."""
    node.workerinput[_NAME] = msgspec.json.encode(programs.built()).decode()


def received(worker: Mapping[str, Any] | None) -> Built | None:
    """Return what the controller has built; None in a run of its own, or where it did not know of blocks."""
    text = None if worker is None else worker.get(_NAME)
    return None if text is None else msgspec.json.decode(text, type=Built)
