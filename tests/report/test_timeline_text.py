import pytest

from pytest_ethrex_perf.baseline.change_points import with_changes
from pytest_ethrex_perf.report import timeline_text
from tests.baseline import years


@pytest.mark.parametrize(
    ("metric", "percent", "word"),
    [
        ("exec", 8, "slower"),
        ("exec", -8, "faster"),
        ("instructions", 8, "more"),
        ("instructions", -8, "fewer"),
    ],
)
def test_a_change_is_told_in_the_words_of_its_metric(metric: str, percent: float, word: str) -> None:
    (change,) = with_changes(years.year((90, percent), metrics=(metric,)), [metric]).changes
    assert timeline_text.word(change) == word


def test_a_program_without_a_commit_is_named_by_its_hash() -> None:
    (change,) = with_changes(years.without_commits(years.year((90, 8), noise=0.002)), ["exec"]).changes
    assert timeline_text.point(change.after) == "binary 00000000 (2026-04-01)"


def test_blocks_of_several_machines_are_told_apart() -> None:
    other = with_changes(years.year((90, 8)), ["exec"])
    lines = list(timeline_text.lines(years.history(other, years.year(block="hoodi/5")), ["exec"]))
    assert lines[1].startswith("mainnet/24443168: exec")
