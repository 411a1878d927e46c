"""`ethrex-perf …`: what is done by hand, beside the gate."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from pytest_ethrex_perf.commands import (
    baseline,
    compare,
    devblock,
    doctor,
    explain,
    fetch,
    plan,
    profile,
    report,
    stacks,
)
from pytest_ethrex_perf.errors import EthrexPerfError, UsageError
from pytest_ethrex_perf.version import version

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    # argparse's own class for what `add_subparsers` returns is private
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001

EXIT_FAILED, EXIT_USAGE = 1, 2
COMMANDS: tuple[Callable[[Subparsers], None], ...] = (
    fetch.add_commands,
    baseline.add_commands,
    report.add_commands,
    devblock.add_commands,
    profile.add_commands,
    stacks.add_commands,
    doctor.add_commands,
    explain.add_commands,
    compare.add_commands,
    plan.add_commands,
)
"""What registers the commands, in the order of `--help`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code, 2 for wrong usage, 1 for what could not be done."""
    options = parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except UsageError as error:
        print(f"ethrex-perf: {error}", file=sys.stderr)  # noqa: T201 - a command's own output
        return EXIT_USAGE
    except EthrexPerfError as error:
        print(f"ethrex-perf: {error}", file=sys.stderr)  # noqa: T201
        return EXIT_FAILED
    except BrokenPipeError:  # `ethrex-perf … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    return code


def parser() -> argparse.ArgumentParser:
    """Every command, with what its module registers."""
    parser = argparse.ArgumentParser(prog="ethrex-perf", description=__doc__, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"ethrex-perf {version()}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for add_commands in COMMANDS:
        add_commands(subparsers)
    return parser
