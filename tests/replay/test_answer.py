"""What is an answer of an ethrex-replay, and what is none."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ethrex_perf.errors import MeasurementError, NoAnswerError
from pytest_ethrex_perf.host import process
from pytest_ethrex_perf.records.measurement import Program
from pytest_ethrex_perf.replay import answer, output

if TYPE_CHECKING:
    from pytest_ethrex_perf.host.process import Finished
    from pytest_ethrex_perf.records.measurement import Kind

TRANSCRIPTS = sorted((Path(__file__).parent / "transcripts").iterdir())
ENDED = process.run(["true"], environ={}, timeout=None)


def program(kind: Kind = "ethrex", prefix: tuple[str, ...] = ()) -> Program:
    return Program(kind=kind, command=("/bin/x y",), sha256="1" * 64, label="x", prefix=prefix, commit=None)


def ended(stdout: str = "", stderr: str = "", returncode: int = 1, **more: Any) -> Finished:
    return dataclasses.replace(ENDED, stdout=stdout, stderr=stderr, returncode=returncode, **more)


def stranger(finished: Finished, of: Program | None = None) -> str | None:
    return answer.stranger(of or program(), finished, output.parse(finished.stdout))


@pytest.mark.parametrize("file", TRANSCRIPTS, ids=lambda file: file.name)
def test_whatever_a_real_program_prints_is_an_answer(file: Path) -> None:
    text = file.read_text()
    finished = ended(stderr=text) if file.suffix == ".stderr" else ended(stdout=text)
    assert stranger(finished) is None


@pytest.mark.parametrize(
    ("finished", "said"),
    [
        (ended(returncode=0), "but with nothing (exit code 0)"),
        (ended(returncode=127), "but with nothing (exit code 127)"),
        (ended("a\nb\n", returncode=0), 'but with "a" (exit code 0)'),
        (ended("a\n", "\nls: no --cached\nTry --help\n", 2), 'but with "ls: no --cached" (exit code 2)'),
        (ended(stderr="Events disabled\nsh: not found\n"), 'but with "sh: not found" (exit code 1)'),
        (ended(stderr="Traceback (most …):\n  File x\nNo: module\n"), 'but with "No: module" (exit code 1)'),
        # ethrex itself is not ethrex-replay
        (
            ended(stderr="error: unrecognized subcommand 'block'\n\nUsage: ethrex [OPTIONS] [COMMAND]\n"),
            "but with \"error: unrecognized subcommand 'block'\" (exit code 1)",
        ),
    ],
)
def test_what_is_none_of_its_lines_is_no_answer(finished: Finished, said: str) -> None:
    sentence = stranger(finished)
    assert sentence is not None
    assert sentence.startswith(f"'/bin/x y' does not answer like ethrex-replay, {said}")
    assert sentence.endswith("; give the path of an ethrex-replay build, or `embedded`")


@pytest.mark.parametrize(
    "finished",
    [
        ended(returncode=-9, timed_out=True),
        ended("y\n", returncode=-9, flooded=10),
        ended(returncode=-4),  # SIGILL: built for another CPU of this kind
        ended(stderr="thread 'main' panicked at src/main.rs:1:2:\nno memory\n", returncode=101),
        ended(stderr="error: unexpected argument '--repeat' found\n\nUsage: …\n", returncode=2),
        ended(stderr="error: invalid value 'keccak' for '--tx <TX>'\n  [possible values: …]\n", returncode=2),
        ended(stderr="error: Found argument '--repeat' which wasn't expected\n", returncode=2),
        ended(stderr="error: unrecognized subcommand 'custom'\n\nUsage: head <COMMAND>\n", returncode=2),
    ],
)
def test_what_may_be_one_that_had_no_time_to_say_so_is_not_refused(finished: Finished) -> None:
    assert stranger(finished) is None


@pytest.mark.parametrize(
    "said",
    [
        "/x: error while loading shared libraries: libssl.so.3: cannot open shared object file",
        "/x: /lib/libc.so.6: version `GLIBC_2.39' not found (required by /x)",
    ],
)
def test_a_build_that_lacks_a_library_here_is_not_said_to_answer_wrong(said: str) -> None:
    sentence = stranger(ended(stderr=f"{said}\n", returncode=127))
    assert sentence is not None
    assert sentence.startswith(f"'/bin/x y' is no ethrex-replay that runs here: \"{said}\"; give ")


def test_our_own_program_is_none() -> None:
    assert stranger(ended(), program("embedded")) is None


def test_the_prefix_is_named_too() -> None:
    assert str(stranger(ended(), program(prefix=("taskset", "-c", "0")))).startswith(
        "taskset -c 0 '/bin/x y' does"
    )


def test_who_has_answered_once_is_no_stranger_later() -> None:
    answers = answer.Answers()
    nothing = NoAnswerError("wrong", "mainnet/1: nothing")
    with pytest.raises(NoAnswerError, match="wrong"), answers.of(program()):
        raise nothing
    with pytest.raises(MeasurementError, match="no gas"), answers.of(program()):
        raise MeasurementError("no gas")
    with pytest.raises(MeasurementError, match="mainnet/1: nothing") as later, answers.of(program()):
        raise nothing
    assert not isinstance(later.value, NoAnswerError)
