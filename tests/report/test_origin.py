"""What base, head and the run are called in reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.records.origin import Change, Job, Origin, Source
from pytest_ethrex_perf.report import origin
from tests.report import builders

if TYPE_CHECKING:
    from pytest_ethrex_perf.records.measurement import Side

COMMIT = "a1" * 20
BINARY = "binary 5e43aceb"


def called(source: Source | None, *, side: Side = "head", job: Job | None = None, **settings: str) -> str:
    builds = {builders.HEAD.sha256: source} if source else {}
    run = builders.run([], origin=Origin(builds=builds, job=job), settings=settings)
    return origin.plain(origin.program(run, side, builders.HEAD))


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (None, "target/release/ethrex-replay (binary 5e43aceb, commit a9de3e8)"),
        (Source(commit=COMMIT), f"a1a1a1a1 ({BINARY})"),
        (
            Source(commit=COMMIT, branch="main", subject="Faster\x1b[31m tries"),
            f'main a1a1a1a1 "Faster#x1B[31m tries" ({BINARY})',
        ),
        (Source(commit=COMMIT, merged="b2" * 20), f"b2b2b2b2 merged into its target ({BINARY})"),
        (Source(commit=COMMIT, dirty=True), f"a1a1a1a1 with uncommitted changes ({BINARY})"),
        (Source(commit=COMMIT, by_ci=True), f"a1a1a1a1 as checked out by the CI ({BINARY})"),
        (
            Source(commit=COMMIT, harness="ethrex-replay 5a7bcf7"),
            f"a1a1a1a1 ({BINARY}, with ethrex-replay 5a7bcf7)",
        ),
    ],
)
def test_what_a_build_is_called(source: Source | None, name: str) -> None:
    assert called(source) == name


def test_a_label_comes_first() -> None:
    assert (
        called(Source(commit=COMMIT), head_label=builders.HEAD.label)
        == f"{builders.HEAD.label} a1a1a1a1 ({BINARY})"
    )


@pytest.mark.parametrize(
    ("ahead", "behind", "words"),
    [
        (0, 0, ", head's own commit"),
        (0, 1, ", 1 commit behind head"),
        (2, 0, ", 2 commits ahead of head"),
        (1, 12, ", 12 commits behind head, and 1 that head has not"),
        (None, None, ""),
    ],
)
def test_how_base_lies_to_head(ahead: int | None, behind: int | None, words: str) -> None:
    source = Source(commit=COMMIT, ahead=ahead, behind=behind)
    assert called(source, side="base") == f"a1a1a1a1 ({BINARY}{words})"
    assert called(source, side="head") == f"a1a1a1a1 ({BINARY})"


def test_a_pull_request_names_its_target() -> None:
    job = Job(change=Change(name="#12", into="release"))
    assert called(Source(commit=COMMIT, merged=COMMIT), job=job) == f"a1a1a1a1 merged into release ({BINARY})"


def test_names_from_outside_are_no_markup() -> None:
    change = Change(
        name="#12", title="[x](javascript:1) @you", into="`a`", url="https://github.com/o/r/pull/12"
    )
    (parts,) = origin.job(builders.run([], origin=Origin(job=Job(change=change))))
    silent = "\N{ZERO WIDTH SPACE}"
    assert origin.markdown(parts) == (
        rf'[\#{silent}12](https://github.com/o/r/pull/12) "\[x\](javascript:1) @{silent}you" into `` `a` ``'
    )
