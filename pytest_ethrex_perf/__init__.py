"""pytest-ethrex-perf: a pytest plugin that gates performance regressions of ethrex, block by block.

The names in `__all__` are the stable surface, everything else is private. They are imported when they are
first used: pytest loads the plugin in every run on the machine, wanted or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_ethrex_perf.pytest_run.gated_block import GatedBlock
    from pytest_ethrex_perf.records.measurement import Invocation
    from pytest_ethrex_perf.records.result import BlockResult

__all__ = ["BlockResult", "GatedBlock", "Invocation"]
__version__: str  # read when it is asked for

_MODULES = {
    "BlockResult": "pytest_ethrex_perf.records.result",
    "GatedBlock": "pytest_ethrex_perf.pytest_run.gated_block",
    "Invocation": "pytest_ethrex_perf.records.measurement",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from pytest_ethrex_perf.version import version

        return version()
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
