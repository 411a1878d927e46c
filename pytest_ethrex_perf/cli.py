"""`ethrex-perf …`: what is done by hand, beside the gate."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING

from pytest_ethrex_perf.commands import (
    baseline,
    bisect,
    blocks,
    build,
    comment,
    compare,
    completion,
    devblock,
    doctor,
    explain,
    fetch,
    history,
    init,
    plan,
    profile,
    report,
    stacks,
)
from pytest_ethrex_perf.commands.arguments import Parser
from pytest_ethrex_perf.errors import EthrexPerfError, NoAnswerError, UsageError, unexpected
from pytest_ethrex_perf.pytest_run import config_show
from pytest_ethrex_perf.report import escape, legible
from pytest_ethrex_perf.version import version

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from typing import TextIO

    # argparse's own class for what `add_subparsers` returns is private
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130
COMMANDS: tuple[Callable[[Subparsers], None], ...] = (
    init.add_commands,
    fetch.add_commands,
    blocks.add_commands,
    baseline.add_commands,
    report.add_commands,
    comment.add_commands,
    devblock.add_commands,
    profile.add_commands,
    stacks.add_commands,
    doctor.add_commands,
    explain.add_commands,
    compare.add_commands,
    plan.add_commands,
    bisect.add_commands,
    history.add_commands,
    build.add_commands,
    config_show.add_commands,
    completion.add_commands,
)
"""What registers the commands, in the order of `--help`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 1 for what could not be done, 2 for wrong usage or a bug.

    Whatever goes wrong is one line on stderr, and never a traceback.
    """
    completion.answer(parser)
    for stream in (sys.stdout, sys.stderr):
        legible.make(stream)
    with contextlib.redirect_stdout(Plain(sys.stdout)), contextlib.redirect_stderr(Plain(sys.stderr)):
        return _run(arguments)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        options = parser().parse_args(arguments)
        code: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # `ethrex-perf … | head`
        _drop_output()
        return EXIT_FAILED
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the boundary of every command
        message, code = _failure(error)
    else:
        return code
    try:
        sys.stdout.flush()
    except OSError:
        _drop_output()
    with contextlib.suppress(OSError):  # nobody to tell
        print(f"ethrex-perf: {message}", file=sys.stderr)  # noqa: T201 - a command's own output
    return code


class Plain(io.TextIOBase):
    """The commands' door to the terminal: text from outside is shown as text, whoever writes it.

    It is no terminal itself, and has no descriptor: argparse (Python 3.14) would write colours to one.
    """

    def __init__(self, stream: TextIO) -> None:
        self.inner = stream

    def write(self, text: str, /) -> int:
        """Write `text` without what moves a cursor, turns writing round or is a command to a CI."""
        self.inner.write(escape.shown(text))
        return len(text)

    def flush(self) -> None:
        """Flush the stream itself."""
        self.inner.flush()

    def close(self) -> None:
        """Leave the stream open, and what it could not write its own: `close` of a file would lose that."""


def _failure(error: BaseException) -> tuple[str, int]:
    """Return what is said of an error that ends a command, and its exit code."""
    match error:
        case KeyboardInterrupt():
            return "interrupted", EXIT_INTERRUPTED
        case UsageError() | NoAnswerError():
            return str(error), EXIT_USAGE
        case EthrexPerfError():
            return str(error), EXIT_FAILED
        case OSError():
            return f"{error.filename or 'standard output'}: {error.strerror or error}", EXIT_USAGE
        case _:
            return unexpected(error), EXIT_USAGE


def _drop_output() -> None:
    """Have what could not be written to stdout go nowhere: Python would try it again at its end."""
    with contextlib.suppress(OSError):  # a stream without a descriptor has none that could break
        stream = sys.stdout.inner if isinstance(sys.stdout, Plain) else sys.stdout
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def parser() -> argparse.ArgumentParser:
    """Every command, with what its module registers."""
    parser: argparse.ArgumentParser = Parser(prog="ethrex-perf", description=__doc__, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"ethrex-perf {version()}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for add_commands in COMMANDS:
        add_commands(subparsers)
    return parser
