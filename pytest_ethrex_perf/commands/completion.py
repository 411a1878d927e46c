"""`ethrex-perf completion`: what a shell has to run to complete our command lines, and pytest's.

The shell asks the command itself (argcomplete, as pytest does): whatever version is installed answers.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Final

from pytest_ethrex_perf.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TEXT = "print what completes ethrex-perf and pytest, with its --ethrex-… options, in a shell"
_MORE = (
    'Put eval "$(ethrex-perf completion bash)" into ~/.bashrc, the same with zsh into ~/.zshrc, or '
    "`ethrex-perf completion fish | source` into fish's config.fish. Both commands have to be on PATH where "
    "you type them, as in an activated virtual environment."
)
_SHELLS: Final = ("bash", "zsh", "fish")
_COMPLETED: Final = ("ethrex-perf", "pytest")
_MISSING: Final = "completion needs argcomplete: pip install argcomplete"
_FILES: Final = ("FILE", "PATH", "PROGRAM", "COMMAND", "OUT", "OURS", "THEIRS", "A", "B")
"""Metavars of files, besides those with an ending such as `RESULTS.json`."""


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command; its parser sets `run`, which takes the Namespace and returns the exit code."""
    parser = subparsers.add_parser("completion", help=_TEXT, description=_TEXT, epilog=_MORE)
    parser.add_argument("shell", choices=_SHELLS, help="who is to complete")
    parser.set_defaults(run=_completion)


def _completion(options: argparse.Namespace) -> int:
    try:
        from argcomplete.shell_integration import shellcode
    except ImportError:
        raise UsageError(_MISSING) from None
    sys.stdout.write(shellcode(list(_COMPLETED), shell=options.shell))
    return 0


def answer(make_parser: Callable[[], argparse.ArgumentParser]) -> None:
    """Answer a shell that asks how a command line goes on, and end the process; else do nothing."""
    if "_ARGCOMPLETE" not in os.environ:
        return
    import argcomplete

    parser = make_parser()
    for action in _actions(parser):
        if action.choices is None:
            setattr(action, "completer", _completer(action))  # noqa: B010 - argcomplete's own attribute
    argcomplete.autocomplete(parser, always_complete_options=False)


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to ask for its commands
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for command in action.choices.values():
                yield from _actions(command)
        else:
            yield action


def _completer(action: argparse.Action) -> Callable[..., object]:
    """Complete directories, files, words of a choice (`auto|perf`), or nothing, as the metavar says."""
    from argcomplete import completers

    from pytest_ethrex_perf.replay.missing_cache import NETWORKS

    metavar = str(action.metavar)
    if metavar == "DIR":
        return completers.DirectoriesCompleter()
    if metavar in _FILES or "." in metavar:
        return completers.FilesCompleter()
    words = [word for word in metavar.split("|") if word.islower()]
    return lambda **_: NETWORKS if action.dest.endswith("network") else words
