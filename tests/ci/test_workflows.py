"""The workflows of `ethrex-perf init --github`, step by step, with a slower head and without one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from pytest_ethrex_perf.baseline import store
from pytest_ethrex_perf.baseline.schema import Session
from pytest_ethrex_perf.commands import scaffold, surroundings
from pytest_ethrex_perf.commands.requirement import Requirement
from pytest_ethrex_perf.report.markdown import MARK
from tests.ci import actions
from tests.ci.actions import Ran, Runner
from tests.ci.scratch import Scratch
from tests.commands.fake_github import TOKEN

if TYPE_CHECKING:
    from pathlib import Path

RESULTS = "ethrex-perf-results"
NIGHTS = 24


class Site:
    """A repository with its workflows, on a platform with a runner."""

    def __init__(self, path: Path) -> None:
        self.scratch = Scratch(path)
        self.runner = Runner(path, self.scratch.path)
        seen = surroundings.look(
            self.scratch.path, self.scratch.environ | {"PATH": "/usr/local/bin:/usr/bin:/bin"}
        )
        assert seen.caches is not None
        assert seen.caches.tracked
        files = scaffold.files(seen, Requirement())
        self.workflows = {path.stem: actions.load(text) for path, text in files if path.suffix == ".yml"}

    def gate(self, head: str) -> Ran:
        """Run the workflow of pull requests."""
        event: dict[str, Any] = {"pull_request": {"number": 12, "head": {"sha": head}}}
        self.runner.github.open(12, head)
        steps = self.workflows["ethrex-perf"]["jobs"]["gate"]["steps"]
        environ = {**self.scratch.environ, "GITHUB_BASE_REF": "main"}
        return self.runner.run(steps, {"github": {"event": event}}, event, **environ)

    def comment(self, head: str, action: str, conclusion: str | None = None) -> Ran | None:
        """Run the workflow that comments, unless its job's condition is not met."""
        run = {
            "id": 99,
            "event": "pull_request",
            "head_sha": head,
            "head_branch": "faster",
            "conclusion": conclusion or "",
        }
        event = {"action": action, "workflow_run": run}
        github = {"event": event, "token": TOKEN}
        job = self.workflows["ethrex-perf-comment"]["jobs"]["comment"]
        if not actions.evaluate(job["if"], {"github": github}, failed=False):
            return None
        return self.runner.run(job["steps"], {"github": github}, event, **self.scratch.environ)

    def night(self) -> tuple[Ran, Ran | None]:
        """Run both jobs of the nightly workflow; None for one that is not run."""
        jobs = self.workflows["ethrex-perf-nightly"]["jobs"]
        known: dict[str, Any] = {"github": {"event": {}, "token": TOKEN}, "secrets": {"ETHREX_RPC_URL": ""}}
        measure = self.runner.run(jobs["measure"]["steps"], known, {}, **self.scratch.environ)
        known["needs"] = {"measure": {"outputs": {"recorded": measure.outputs["record"]["outcome"]}}}
        if not actions.evaluate(jobs["propose"]["if"][3:-2], known, failed=False):
            return measure, None
        self.scratch.git("stash", "--include-untracked", "--quiet")  # another machine, a fresh checkout
        return measure, self.runner.run(jobs["propose"]["steps"], known, {}, **self.scratch.environ)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_slower_head_is_red_and_commented_by_the_second_workflow(site: Site) -> None:
    head = site.scratch.commit("slower", exec_ms=66)
    gated = site.gate(head)
    assert gated.conclusion == "failure", gated.log
    assert gated.outcomes["Build merge base and head, and gate"] == "failure"
    kept = {str(file.relative_to(site.runner.artifacts)) for file in site.runner.artifacts.rglob("*.*")}
    assert {f"ethrex-perf/{name}" for name in ("results.json", "comment.md", "junit.xml")} <= kept
    assert "ethrex-perf/report/index.html" in kept
    assert (site.runner.artifacts / "ethrex-perf/pull-request").read_text() == "12\n"
    assert "❌ ethrex-perf: 2 of 2 blocks got slower: worst +" in site.runner.summary.read_text()
    assert site.runner.github.comments(12) == []  # it may not

    assert site.comment(head, "in_progress") is not None
    ((_, status),) = site.runner.github.comments(12)
    assert status.startswith(f"{MARK}\n### ⏳ ethrex-perf: building and gating\n")
    commented = site.comment(head, "completed", "failure")
    assert commented is not None
    assert commented.conclusion == "success", commented.log
    ((_, body),) = site.runner.github.comments(12)
    assert body.startswith(f"{MARK}\n### ❌ ethrex-perf: 2 of 2 blocks got slower: worst +")
    assert "https://github.com/o/r/actions/runs/99" in body
    assert site.runner.github.calls() == [["api", "graphql", "--input", "-"]] * 5


def test_a_head_that_is_no_slower_is_green(site: Site) -> None:
    gated = site.gate(site.scratch.commit("the same in other words", exec_ms=60))
    assert set(gated.outcomes.values()) == {"success"}, gated.log
    assert "✅ ethrex-perf: 2 unchanged" in site.runner.summary.read_text()


def test_what_can_not_be_built_is_red_and_said_in_the_comment(site: Site) -> None:
    (site.scratch.path / "program").unlink()
    site.scratch.git("rm", "--quiet", "--cached", "program")
    site.scratch.git("commit", "--quiet", "--message", "broken")
    head = site.scratch.git("rev-parse", "HEAD")
    assert site.gate(head).conclusion == "failure"
    site.comment(head, "completed", "failure")
    ((_, body),) = site.runner.github.comments(12)
    assert body.startswith(f"{MARK}\n### ❌ ethrex-perf: 2 of 2 blocks could not be measured")


def test_a_run_without_a_result_is_said_and_a_cancelled_one_is_not(site: Site) -> None:
    head = site.scratch.git("rev-parse", "HEAD")
    site.runner.github.open(12, head)
    assert site.comment(head, "completed", "cancelled") is None
    assert site.comment(head, "completed", "skipped") is None
    assert site.comment(head, "completed", "action_required") is None
    commented = site.comment(head, "completed", "failure")
    assert commented is not None
    assert commented.conclusion == "success", commented.log
    ((_, body),) = site.runner.github.comments(12)
    assert "⏳ ethrex-perf: no result: see the log of the run" in body


def test_the_artifact_of_a_hostile_pull_request_reaches_no_other(site: Site) -> None:
    head = site.scratch.git("rev-parse", "HEAD")
    for number, commit in ((12, head), (13, "b" * 40)):
        site.runner.github.open(number, commit)
    artifact = site.runner.artifacts / "ethrex-perf"
    artifact.mkdir()
    (artifact / "pull-request").write_text("13\n")
    commented = site.comment(head, "completed", "success")
    assert commented is not None
    assert commented.conclusion == "failure"
    assert "o/r#13 is at bbbbbbbbbbbb, not at" in commented.log
    assert site.runner.github.comments(12) == site.runner.github.comments(13) == []


def test_a_night_proposes_a_baseline_and_gates_against_the_last_tag(site: Site) -> None:
    site.scratch.git("tag", "v1")
    site.scratch.commit("the same in other words", exec_ms=60)
    measured, proposed = site.night()
    assert measured.conclusion == "success", measured.log
    assert measured.outputs["last"]["tag"] == "v1"
    assert measured.outputs["gate"]["verdict"] == "unchanged"
    assert measured.outcomes["Search for the commit"] == "skipped"
    assert proposed is not None
    assert proposed.conclusion == "success", proposed.log
    files = site.scratch.git("ls-tree", "-r", "--name-only", "origin/ethrex-perf/baseline", "baselines")
    assert {file.split("/")[2] for file in files.splitlines()} == {"1", "2"}
    assert [call[:2] for call in site.runner.github.calls()] == [
        ["auth", "setup-git"],
        ["pr", "list"],
        ["pr", "create"],
    ]


def crept(site: Site, slower: float) -> None:
    """Let 24 nights have been recorded, of which the last 12 were slower, and no session was refused."""
    site.night()
    site.scratch.git("switch", "--quiet", "main")
    site.scratch.git("merge", "--quiet", "--ff-only", "ethrex-perf/baseline")
    for file in store.files(site.scratch.path / "baselines"):
        baseline = store.load(file)
        (epoch,) = baseline.epochs
        first = epoch.sessions[0]
        sessions = []
        for night in range(NIGHTS):
            is_before = night < NIGHTS // 2
            factor = (1 + 0.001 * (night % 5)) / (slower if is_before else 1)
            taken = tuple(
                replace(each, exec_ns=tuple(int(ns * factor) for ns in each.exec_ns))
                for each in first.invocations
            )
            started = (datetime.now(UTC) - timedelta(days=NIGHTS + 1 - night)).isoformat()
            program = (
                replace(first.program, sha256="ab" * 32, commit="cd" * 20) if is_before else first.program
            )
            sessions.append(Session.of(program, first.machine, taken, started=started))
        epoch = replace(epoch, started=sessions[0].started, sessions=tuple(sessions))
        store.write(file, replace(baseline, epochs=(epoch,)))
    site.scratch.git("commit", "--quiet", "--all", "--message", "24 nights")
    site.scratch.git("push", "--quiet", "origin", "main")
    site.scratch.git("branch", "--quiet", "--delete", "ethrex-perf/baseline")  # as in another checkout


def test_what_crept_in_over_months_is_red_and_the_baseline_proposed_all_the_same(site: Site) -> None:
    crept(site, 1.03)
    measured, proposed = site.night()
    assert measured.outcomes["Look at all nights together"] == "failure", measured.log
    assert "::error title=Slower over months::2 slowdowns that nobody accepted or waived: see" in measured.log
    assert "mainnet/1: exec +3.0 % [" in site.runner.summary.read_text()
    kept = site.runner.artifacts / "ethrex-perf-nightly/history"
    assert (kept / "index.html").is_file()
    assert (kept / "changes.atom").is_file()
    assert proposed is not None
    assert proposed.conclusion == "success", proposed.log


def test_a_night_without_a_tag_records_only(site: Site) -> None:
    measured, _ = site.night()
    assert measured.conclusion == "success", measured.log
    assert measured.outcomes["Gate against it"] == "skipped"
    assert "::notice::There is no tag to gate against." in measured.log


def test_a_night_on_which_it_became_slower_searches_for_the_commit(site: Site) -> None:
    site.scratch.git("tag", "v1")
    site.scratch.commit("still the same", exec_ms=60)
    slow = site.scratch.commit("the culprit", exec_ms=72)
    site.scratch.commit("as slow as it was", exec_ms=72)
    measured, proposed = site.night()
    assert measured.conclusion == "failure"
    assert measured.outputs["gate"]["slower"].split()[0] in ("mainnet/1", "mainnet/2")
    assert measured.outcomes["Search for the commit"] == "success", measured.log
    assert slow[:12] in (site.scratch.path / RESULTS / "bisect.txt").read_text()
    assert "the culprit" in site.runner.summary.read_text()
    assert proposed is not None
