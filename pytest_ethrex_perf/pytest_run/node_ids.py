"""How pytest shows the ids of our nodes: `ethrex-block::mainnet/24443168::exec`, wherever it was started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

ROOT = "ethrex-block"
"""The first part of the ids of ours: it names no file."""


def show_whole(config: pytest.Config) -> None:
    """Have ids of ours shown as they are typed, below the rootdir as in it.

    pytest takes their first part for a file, and shows its way there from where it was started:
    `../ethrex-block`. It has no hook for that: two methods of this run's own objects are wrapped.
    """
    if config.invocation_params.dir == config.rootpath:
        return
    relative = config.cwd_relative_nodeid

    def shown(nodeid: Any) -> Any:
        return nodeid if _is_ours(nodeid) else relative(nodeid)

    vars(config)["cwd_relative_nodeid"] = shown
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if hasattr(reporter, "write_fspath_result"):
        vars(reporter)["write_fspath_result"] = _at_the_root(reporter, config)


def _at_the_root(reporter: Any, config: pytest.Config) -> Any:
    """The reporter's own way to begin a file's line, for ours as if pytest was started in the rootdir."""
    write = reporter.write_fspath_result

    def begin(nodeid: Any, *arguments: Any, **keywords: Any) -> None:
        before = reporter.startpath
        reporter.startpath = config.rootpath if _is_ours(nodeid) else before
        try:
            write(nodeid, *arguments, **keywords)
        finally:
            reporter.startpath = before

    return begin


def _is_ours(nodeid: object) -> bool:
    """Whether `nodeid`, text or in later versions of pytest an object, is of a node of ours."""
    return str(nodeid).partition("::")[0] == ROOT
