from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.baseline import store, versions
from pytest_ethrex_perf.baseline.schema import KEPT, Baseline, kept
from tests.baseline import builders

if TYPE_CHECKING:
    from collections.abc import Sequence

NIGHTS = 90
EVERY = [builders.make_session(night, invocations=2) for night in range(NIGHTS)]


def recorded(*epochs: Sequence[int]) -> Baseline:
    """A baseline after the sessions of these nights were recorded, without what is not kept."""
    reasons = ["first recording", *("agreed upon" for _ in epochs[1:])]
    return builders.make_baseline(
        *(
            builders.make_epoch(kept(tuple(EVERY[night] for night in nights)), reason)
            for nights, reason in zip(epochs, reasons, strict=True)
        )
    )


def every_night() -> list[Baseline]:
    return [recorded(range(night + 1)) for night in range(NIGHTS)]


class Git:
    """What `git cat-file` would answer, and how often it was asked."""

    def __init__(self, history: Sequence[Baseline | str]) -> None:
        self.blobs = [str(number) for number in range(len(history))]
        self._texts = [text if isinstance(text, str) else store.dump(text) for text in history]
        self.asked = 0

    def read(self, blob: str) -> bytes:
        self.asked += 1
        return self._texts[int(blob)].encode()

    def nights(self, current: Baseline) -> set[int]:
        """The nights whose sessions are found in all versions together."""
        night_of = {session.id: night for night, session in enumerate(EVERY)}
        taken = [current, *versions.earlier(current, self.blobs, self.read)]
        return {night_of[session.id] for baseline in taken for session in baseline.sessions()}


def test_every_session_that_was_pruned_is_found_and_few_versions_are_read() -> None:
    history = every_night()
    git = Git(history)
    assert git.nights(history[-1]) == set(range(NIGHTS))
    assert git.asked <= NIGHTS / (KEPT - 1) + 2


def test_an_epoch_that_was_reset_is_found() -> None:
    history = [recorded(range(night + 1)) for night in range(33)]
    history += [recorded(range(33, night + 1)) for night in range(33, 70)]
    assert Git(history).nights(history[-1]) == set(range(70))


def test_an_epoch_in_the_middle_of_which_sessions_were_pruned_is_found() -> None:
    history = [recorded(range(night + 1)) for night in range(10)]
    history += [recorded(range(10), range(10, night + 1)) for night in range(10, 60)]
    history += [recorded(range(10), range(10, 60), range(60, night + 1)) for night in range(60, NIGHTS)]
    assert Git(history).nights(history[-1]) == set(range(NIGHTS))


def test_what_was_recorded_and_taken_back_the_next_night_is_found() -> None:
    history = [recorded([*range(10), night]) for night in range(10, 60)]
    assert Git(history).nights(history[-1]) == set(range(60))


def test_many_sessions_in_one_version_are_no_reason_to_skip_some() -> None:
    history = [recorded(range(night + 1)) for night in range(6, NIGHTS, 7)]
    assert Git(history).nights(recorded(range(NIGHTS))) == set(range(NIGHTS))


@pytest.mark.parametrize("text", ["", "<<<<<<< ours\n", "[]", '{"schema": 99}'])
def test_a_version_that_is_none_is_passed_over(text: str) -> None:
    history: list[Baseline | str] = [*every_night()]
    for night in range(0, NIGHTS, 3):
        history[night] = text
    assert Git(history).nights(recorded(range(NIGHTS))) == set(range(NIGHTS))
    assert Git([text] * 30).nights(recorded([5])) == {5}


def test_a_version_whose_times_were_edited_is_passed_over() -> None:
    text = store.dump(recorded([0])).replace(EVERY[0].id, "0" * 12)
    assert Git([text]).nights(recorded([5])) == {5}
