"""Whether a program answers like ethrex-replay at all, or is another one, such as `/bin/ls`.

Nothing is run to find out: the first invocation says it. ethrex-replay logs whatever it does, failures as
well; only its command line's refusals and a panic at its start are without a line of its log.
"""

from __future__ import annotations

import re
import shlex
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import MeasurementError, NoAnswerError
from pytest_ethrex_perf.replay import failure
from pytest_ethrex_perf.replay.output import strip_ansi
from pytest_ethrex_perf.replay.program_kinds import KINDS, shorthands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_ethrex_perf.host.process import Finished
    from pytest_ethrex_perf.records.measurement import Program
    from pytest_ethrex_perf.replay.output import Output

_OF_THE_COMMAND_LINE = re.compile(
    r"^error: (?:.*'--[a-z]|unrecognized subcommand 'custom')|"
    r"^Usage: (?:\S*ethrex-replay|\S+ (?:block|custom))\b",
    re.MULTILINE,
)
"""clap's refusals of an older ethrex-replay, whatever its file is called: of an option, or of its value."""
_OF_THE_LOADER = re.compile(
    r"error while loading shared libraries: |: version `\S+' not found \(required by "
)
"""glibc's `ld.so`: the program was built on a newer system, or beside libraries that are not here."""


def error(
    message: str,
    program: Program,
    finished: Finished,
    read: Output,
    *,
    redact: Callable[[str], str],
    kept: str,
) -> MeasurementError:
    """Return the error of an invocation that does not count: that of `message`, or that of a stranger.

    `kept` says where the output is; `redact` takes secrets out of what the program printed.
    """
    sentence = stranger(program, finished, read)
    if sentence is None:
        return MeasurementError(message)
    return NoAnswerError(f"{redact(sentence)}; {kept}", message)


def stranger(program: Program, finished: Finished, read: Output) -> str | None:
    """Return, as a sentence, that nothing of what `program` printed is ethrex-replay's; None where it may be.

    What timed out or was killed by a signal may have had no time to say anything; our own programs are none.
    """
    if KINDS[program.kind].shorthand or finished.timed_out or finished.signal_name is not None:
        return None
    stderr = strip_ansi(finished.stderr)
    if read.is_logged or read.repeats or read.report or failure.panic(stderr):
        return None
    if _OF_THE_COMMAND_LINE.search(stderr):
        return None
    said = failure.first_line(stderr) or failure.first_line(strip_ansi(finished.stdout)) or "nothing"
    if _OF_THE_LOADER.search(stderr):
        return f"{_named(program)} is no ethrex-replay that runs here: {said}; {_REMEDY}"
    ending = f"(exit code {finished.returncode})"
    return f"{_named(program)} does not answer like ethrex-replay, but with {said} {ending}; {_REMEDY}"


def unstartable(program: Program, error: MeasurementError) -> str:
    """Return the sentence for a program that the system does not start: no executable, or of another CPU."""
    return f"{_named(program)} is no ethrex-replay that runs here: {error}; {_REMEDY}"


_REMEDY = f"give the path of an ethrex-replay build, or {' or '.join(f'`{name}`' for name in shorthands())}"


def _named(program: Program) -> str:
    return shlex.join((*program.prefix, *program.command))


class Answers:
    """Which programs of a run have answered like ethrex-replay: what they do later is a block's own error."""

    def __init__(self) -> None:
        self._answered: set[str] = set()

    @contextmanager
    def of(self, program: Program) -> Iterator[None]:
        """Have `NoAnswerError` leave this context only where it is the program's first answer."""
        try:
            yield
        except NoAnswerError as error:
            if program.sha256 in self._answered:
                raise MeasurementError(error.of_block) from None
            raise
        except MeasurementError:
            self._answered.add(program.sha256)
            raise
        self._answered.add(program.sha256)
