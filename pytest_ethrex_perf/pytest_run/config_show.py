"""`ethrex-perf config show`: every setting, and where it comes from.

It stands with what knows pytest, and not with the other commands: only pytest can say what its configuration
and `addopts` set.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from pytest_ethrex_perf.config.options import OPTIONS
from pytest_ethrex_perf.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from pytest_ethrex_perf.config.origins import Setting

_TEXT = "print every setting that pytest would take here, as it would be typed, and where it comes from"
_MORE = (
    "Give it the options that pytest is given, e.g. --ethrex-margin=2%. In parentheses is what a run does "
    "where nothing is set. Of the RPC's URL only scheme and host are printed."
)


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command; its parser sets `run`, which takes the Namespace and returns the exit code."""
    config = subparsers.add_parser("config", help="show the settings")
    verbs = config.add_subparsers(title="verbs", required=True, metavar="VERB")
    parser = verbs.add_parser("show", help=_TEXT, description=_TEXT, epilog=_MORE)
    parser.add_argument("--config", dest="ethrex_config", metavar="FILE", help="as --ethrex-config of pytest")
    for name, option in OPTIONS.items():
        action = "store_true" if option.flag else "append" if option.repeated else "store"
        parser.add_argument(
            option.flag_name, dest=f"ethrex_{name}", action=action, default=None, help=argparse.SUPPRESS
        )
    parser.set_defaults(run=_show)


def _show(options: argparse.Namespace) -> int:
    from pytest_ethrex_perf.config.origins import DEFAULT

    settings = list(_settings(list(_words(options))))
    names = max(len(setting.name) for setting in settings)
    values = max((len(setting.value) for setting in settings if setting.origin != DEFAULT), default=0)
    for setting in settings:
        sys.stdout.write(f"{setting.name:{names}}  {setting.value:{values}}  {setting.origin}\n")
    return 0


def _words(options: argparse.Namespace) -> Iterator[str]:
    """The options of pytest that the command was given."""
    for name, option in OPTIONS.items():
        value = getattr(options, f"ethrex_{name}")
        if option.flag and value:
            yield option.flag_name
        elif value is not None:
            yield from (f"{option.flag_name}={each}" for each in (value if option.repeated else [value]))


class _Reader:
    """A plugin that takes pytest's configuration, and has nothing collected and nothing run."""

    config: pytest.Config | None = None

    def pytest_cmdline_main(self, config: pytest.Config) -> int:
        self.config = config
        return 0


def _settings(arguments: list[str]) -> Iterator[Setting]:
    """Yield what pytest would be set to with these arguments. Raises `UsageError`."""
    import pytest

    from pytest_ethrex_perf.config.origins import DEFAULT, Origins
    from pytest_ethrex_perf.config.settings import gather, load
    from pytest_ethrex_perf.pytest_run import given
    from pytest_ethrex_perf.records.environment import Environment
    from pytest_ethrex_perf.replay.redaction import redact_url

    reader = _Reader()
    code = pytest.main([*arguments, "--capture=no"], plugins=[reader])
    config = reader.config
    if code or config is None:
        raise UsageError("pytest does not start here: see above")
    written, ini = given.command_line(config), given.ini(config)
    cwd, root = config.invocation_params.dir, config.rootpath
    settings = load(written, cwd=cwd, root=root, ini=ini, environ=Environment(os.environ))
    sources, file = gather(written, cwd=cwd, root=root, ini=ini)
    typed = {word.partition("=")[0] for word in arguments}
    origins = Origins(sources, file, settings, config.inipath)
    for setting in origins.all():
        value, origin = setting.value, setting.origin
        if setting.name == "rpc_url" and origin != DEFAULT:
            value = redact_url(value)
        if origin.startswith("--") and origin not in typed:
            origin = f"addopts: {origin}"
        yield setting._replace(value=value, origin=origin)
