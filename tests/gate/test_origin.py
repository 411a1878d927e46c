"""Names that people know: of builds by git, by the CI where git does not say, and never a wrong one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.records import results_file
from tests.faults import fake_replay
from tests.git_repositories import GitRepository

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Bench

PLAN = {"prep_ms": 30, "noise": 0.01, "gas": 37_500_000, "txs": 442}
REPOSITORY = "https://github.com/lambdaclass/ethrex"
SHORT = ("--ethrex-json=results.json", "--ethrex-markdown=r.md", "--ethrex-report=page")


class Checkouts:
    """A repository on a feature branch, its main branch in a worktree, and a build in each."""

    def __init__(self, folder: Path) -> None:
        self.head = GitRepository(folder / "head")
        self.head.git("remote", "add", "origin", "https://me:ghp_secret@github.com/lambdaclass/ethrex.git")
        (folder / "head" / ".gitignore").write_text("target\n")
        self.base_commit = self.head.commit("Store tries | <b>")
        self.head.git("update-ref", "refs/remotes/origin/main", "HEAD")
        self.head.git("worktree", "add", "--quiet", str(folder / "base"), "--detach")
        self.head.git("switch", "--quiet", "--create=faster")
        self.head.commit("Begin")
        self.head_commit = self.head.commit("Make tries faster")
        for name, ms in (("head", 60), ("base", 60)):
            target = folder / name / "target" / "release"
            fake_replay.write(target, "ethrex-replay", {**PLAN, "exec_ms": ms, "seed": ms + len(name)})

    PROGRAMS = ("head/target/release/ethrex-replay", "base/target/release/ethrex-replay")


@pytest.fixture
def checkouts(bench: Bench) -> Checkouts:
    return Checkouts(bench.path)


def _on_pull_request(bench: Bench, monkeypatch: pytest.MonkeyPatch, merge: str, pushed: str) -> None:
    about = {"number": 12, "title": "Faster *tries*", "head": {"sha": pushed}}
    (bench.path / "event.json").write_text(json.dumps({"pull_request": about}))
    for name, value in {
        "GITHUB_ACTIONS": "true",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "lambdaclass/ethrex",
        "GITHUB_RUN_ID": "42",
        "GITHUB_SHA": merge,
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(bench.path / "event.json"),
        "GITHUB_HEAD_REF": "faster",
        "GITHUB_BASE_REF": "main",
    }.items():
        monkeypatch.setenv(name, value)


def _page(bench: Bench) -> str:
    return (bench.path / "page" / "index.html").read_text(encoding="utf-8")


def test_builds_in_checkouts_go_by_commit_branch_and_subject(bench: Bench, checkouts: Checkouts) -> None:
    result = bench.compare(*checkouts.PROGRAMS, *SHORT)
    result.assert_outcomes(passed=1)
    head, base = checkouts.head_commit, checkouts.base_commit
    result.stdout.fnmatch_lines([f'*head faster {head[:8]} "Make tries faster" (binary *'])
    (block,) = bench.results().blocks
    assert block.base is not None
    assert block.base.program is not None
    source = bench.results().origin.builds[block.base.program.sha256]
    assert (source.ahead, source.behind, source.dirty) == (0, 2, False)
    assert source.url == f"{REPOSITORY}/commit/{base}"
    markdown = (bench.path / "r.md").read_text()
    # head was never pushed: a link would lead nowhere
    assert f'`faster` `{head[:8]}` "Make tries faster" (binary ' in markdown
    assert rf'[`{base[:8]}`]({source.url}) "Store tries \| \<b\>" (binary ' in markdown
    assert ", 2 commits behind head) on " in markdown
    assert f'<a href="{source.url}" rel="noreferrer"><code>{base[:8]}</code></a>' in _page(bench)
    assert "ghp_secret" not in markdown + _page(bench) + (bench.path / "results.json").read_text()


def test_an_address_that_holds_a_secret_is_left_out(
    bench: Bench, checkouts: Checkouts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETHREX_RPC_URL", "https://lambdaclass:key@rpc.example")
    bench.compare(*checkouts.PROGRAMS, *SHORT, "--ethrex-looks=6").assert_outcomes(passed=1)
    origin = bench.results().origin
    commits = {source.commit: source.url for source in origin.builds.values()}
    assert commits == {checkouts.head_commit: None, checkouts.base_commit: None}


def test_uncommitted_changes_are_said_and_a_label_comes_first(bench: Bench, checkouts: Checkouts) -> None:
    (checkouts.head.path / ".gitignore").write_text("target\n*.log\n")
    bench.compare(*checkouts.PROGRAMS, *SHORT, "--ethrex-head-label=mine").assert_outcomes(passed=1)
    markdown = (bench.path / "r.md").read_text()
    assert (
        f'`mine` `faster` `{checkouts.head_commit[:8]}` "Make tries faster" with uncommitted changes ('
        in markdown
    )


def test_of_a_ci_s_merge_the_commit_that_was_pushed_is_named(
    bench: Bench, checkouts: Checkouts, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed = checkouts.head_commit
    checkouts.head.git("switch", "--quiet", "--detach")
    merge = checkouts.head.commit("Merge b2b2 into a1a1")
    _on_pull_request(bench, monkeypatch, merge, pushed)
    bench.compare(*checkouts.PROGRAMS, *SHORT).assert_outcomes(passed=1)
    markdown = (bench.path / "r.md").read_text()
    link = f"[`{pushed[:8]}`]({REPOSITORY}/commit/{pushed})"
    assert f'`faster` {link} "Make tries faster" merged into main (binary ' in markdown
    assert ", 2 commits behind head) on " in markdown  # the merge is not counted
    run = f"{REPOSITORY}/actions/runs/42"
    places = f"into `main` · [run]({run}) · [artifacts]({run}#artifacts)"
    change = rf'[\#12]({REPOSITORY}/pull/12) "Faster \*tries\*"'
    assert f"{change} {places}" in markdown.replace("\N{ZERO WIDTH SPACE}", "")
    assert f'<a href="{run}#artifacts" rel="noreferrer">' in _page(bench)


def test_a_build_that_tells_no_commit_is_what_the_ci_checked_out(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    _on_pull_request(bench, monkeypatch, "a1" * 20, "b2" * 20)
    bench.compare(bench.program("head"), bench.program("base"), *SHORT).assert_outcomes(passed=1)
    markdown = (bench.path / "r.md").read_text()
    assert "merged into main as checked out by the CI (binary " in markdown
    assert "against `bin/base` (binary " in markdown  # what base is, no CI says
    bench.compare("bin/head", "bin/base", *SHORT, "--ethrex-aa", "--ethrex-looks=6")
    assert bench.results().origin.builds == {}  # base against itself


@pytest.mark.parametrize(
    ("file", "of_job", "named"),
    [("Cargo.toml", True, True), ("Cargo.toml", False, False), ("thresholds.toml", True, False)],
)
def test_a_build_is_not_named_by_a_checkout_that_it_cannot_come_from(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, file: str, *, of_job: bool, named: bool
) -> None:
    checkout = GitRepository(bench.path / "checkout")
    (checkout.path / file).touch()
    commit = checkout.commit("Checked out")
    _on_pull_request(bench, monkeypatch, "a1" * 20, commit if of_job else "b2" * 20)
    head, base = bench.path / bench.program("head"), bench.path / bench.program("base")
    monkeypatch.chdir(checkout.path)
    cache = f"--ethrex-cache-dir={bench.path / 'replay_cache'}"
    bench.compare(str(head), str(base), cache, "--ethrex-looks=6", *SHORT)
    sources = results_file.load(checkout.path / "results.json").origin.builds.values()
    assert [(source.commit, source.subject) for source in sources] == [(commit, "Checked out")] * named


def test_a_build_of_another_commit_keeps_its_own_name(
    bench: Bench, checkouts: Checkouts, monkeypatch: pytest.MonkeyPatch
) -> None:
    _on_pull_request(bench, monkeypatch, "a1" * 20, "b2" * 20)
    bench.compare(*checkouts.PROGRAMS, *SHORT).assert_outcomes(passed=1)
    origin = bench.results().origin
    assert {source.commit for source in origin.builds.values()} == {
        checkouts.head_commit,
        checkouts.base_commit,
    }
    assert "b2b2b2b2" not in (bench.path / "r.md").read_text()
    assert origin.job is not None
    assert origin.job.url == f"{REPOSITORY}/actions/runs/42"  # it is the run's address all the same


def test_workers_of_xdist_send_the_names_with_what_they_have_measured(
    bench: Bench, checkouts: Checkouts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # pytest-benchmark looks at it
    head, base = checkouts.PROGRAMS
    options = (f"--ethrex-replay={head}", f"--ethrex-base={base}", "--ethrex-json=results.json", "-n1")
    bench.pytester.runpytest_subprocess("--ethrex-block=24443168", *options)
    builds = bench.results().origin.builds.values()
    assert {source.commit for source in builds} == {checkouts.head_commit, checkouts.base_commit}


@pytest.mark.parametrize("archived", [True, False])
def test_a_baseline_goes_by_the_commit_that_it_was_recorded_of(
    bench: Bench, checkouts: Checkouts, *, archived: bool
) -> None:
    head, base = checkouts.PROGRAMS
    archive = "--ethrex-archive=head/target" if archived else "--ethrex-archive-size=0"
    bench.record(base, archive, "--ethrex-invocations=6").assert_outcomes(passed=1)
    (checkouts.head.path / ".gitignore").write_text("target\n*.log\n")  # is no change of what was recorded
    bench.gate(f"--ethrex-replay={head}", archive, "--ethrex-repeat=3", *SHORT)
    (block,) = bench.results().blocks
    assert block.mode == ("interleaved" if archived else "stored")
    markdown = (bench.path / "r.md").read_text()
    link = f"[`{checkouts.base_commit[:8]}`]({REPOSITORY}/commit/{checkouts.base_commit})"
    before = "" if archived else "stored baselines, the newest of "
    assert rf'against {before}{link} "Store tries \| \<b\>" (binary ' in markdown
    assert ", 2 commits behind head) on " in markdown
