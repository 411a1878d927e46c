"""A profiler that takes no time, for the tests of the options that profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ethrex_perf.profile.names import CUT
from tests.profile import samples

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from pytest_ethrex_perf.profile.record import Recorder
    from pytest_ethrex_perf.profile.sampling import Sampling
    from pytest_ethrex_perf.profile.stacks import Profile
    from pytest_ethrex_perf.records.measurement import Program
    from tests.conftest import Bench

SHORT = ("--ethrex-repeat=3", "--ethrex-looks=6", "--ethrex-json=results.json")
SLOW, OTHER = "ethrex_trie::Node::encode", "ethrex_vm::op_sload"


class Profiler:
    """Instead of perf: programs whose label has `head` in it spend 9 ms more in one function.

    `trouble` maps labels of invocations to what is raised.
    """

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []
        self.samplings: list[Sampling] = []
        self.repeats: set[int] = set()
        self.trouble: dict[str, Exception] = {}
        self.executing = True
        self.cut = False
        """Stacks of `OTHER` are cut off."""

    def stack_sizes(self, _: Sampling) -> tuple[int, ...]:
        """It takes whole stacks."""
        return ()

    def recording(self) -> Callable[[Recorder, Program, str, Sampling], Profile]:
        """What `Recorder.record` is to be meanwhile."""

        def record(recorder: Recorder, program: Program, label: str, sampling: Sampling) -> Profile:
            return self.record(recorder, program, label, sampling)

        return record

    def record(self, recorder: Recorder, program: Program, label: str, sampling: Sampling) -> Profile:
        repeat = recorder.repeat
        self.taken.append((str(recorder.block), label))
        self.samplings.append(sampling)
        self.repeats.add(repeat)
        if label in self.trouble:
            raise self.trouble[label]
        counts = {SLOW: [29 if "head" in program.label else 20] * repeat, OTHER: [30] * repeat}
        executing = samples.executing(counts)
        if self.cut:
            executing = [
                (phase, number, thread, (CUT, *frames[1:]) if frames[-1] == OTHER else frames)
                for phase, number, thread, frames in executing
            ]
        return samples.profile(
            executing
            if self.executing
            else [("prep", number, "main", ("x",)) for number in range(1, repeat + 1)],
            exec_ns=(60 * samples.MS,) * repeat,
            block=str(recorder.block),
            sha=program.sha256,
        )


def compare(bench: Bench, *arguments: str, exec_ms: float = 69, **options: str) -> pytest.RunResult:
    head, base = bench.program("head", exec_ms=exec_ms), bench.program("base")
    return bench.compare(head, base, *SHORT, *arguments, **options)


def words(result: pytest.RunResult) -> str:
    """What a run printed, however it was wrapped."""
    return " ".join(result.stdout.str().split())
