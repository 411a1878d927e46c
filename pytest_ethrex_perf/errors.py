"""The errors that reach a user: one clear line each, saying what, where and what to do."""

from __future__ import annotations

import traceback
from pathlib import Path

_LONGEST = 300  # characters of somebody else's message


class EthrexPerfError(Exception):
    """Something that a user can act on; `str()` is the message, complete and without secrets."""


class UsageError(EthrexPerfError):
    """A wrong option, setting or block spec: found before anything is measured (pytest's exit code 4)."""


class MeasurementError(EthrexPerfError):
    """A block that could not be measured: an *error* of its test, never a verdict."""


class NoAnswerError(MeasurementError):
    """A program that prints nothing that ethrex-replay prints: with no block will it do better.

    The first answer of a program in a run ends the run as wrong usage does. `of_block` is the message of a
    block, where the program has answered before.
    """

    def __init__(self, message: str, of_block: str) -> None:
        super().__init__(message)
        self.of_block = of_block


def unexpected(error: BaseException) -> str:
    """Return one line of plain text for an error that nobody foresaw: what it is, and where it came from.

    A traceback would show what our variables hold, secrets included, and help nobody who can't mend it.
    """
    message = " ".join(str(error).split())
    text = "".join(letter if letter.isprintable() else "?" for letter in message)[:_LONGEST]
    steps = traceback.extract_tb(error.__traceback__)
    place = f" (at {Path(steps[-1].filename).name}:{steps[-1].lineno})" if steps else ""
    return (
        f"unexpected {type(error).__name__}: {text or 'no message'}{place}: this is a bug of "
        "pytest-ethrex-perf, please report this line"
    )
