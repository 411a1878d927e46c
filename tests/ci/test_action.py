"""`action.yml`, step by step: ten lines of a workflow that build, gate and comment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_ethrex_perf.report.markdown import MARK
from tests.ci import actions
from tests.ci.actions import Ran, Runner
from tests.ci.scratch import Scratch
from tests.commands.fake_github import TOKEN

ACTION: Any = actions.load((actions.ROOT / "action.yml").read_text())


class Job:
    """A job of a pull request that uses the action."""

    def __init__(self, path: Path) -> None:
        self.scratch = Scratch(path)
        self.runner = Runner(path, self.scratch.path)

    def run(self, head: str | None = None, **inputs: str) -> Ran:
        event: dict[str, Any] = (
            {"pull_request": {"number": 12, "head": {"sha": head}}} if head else {"ref": "x"}
        )
        if head:
            self.runner.github.open(12, head)
        defaults = {name: given.get("default", "") for name, given in ACTION["inputs"].items()}
        github = {"event": event, "token": TOKEN, "action_path": str(actions.ROOT)}
        known = {"github": github, "inputs": {**defaults, "token": TOKEN, **inputs}}
        environ = {**self.scratch.environ, "GITHUB_BASE_REF": "main" if head else ""}
        return self.runner.run(ACTION["runs"]["steps"], known, event, **environ)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_a_slower_head_is_red_and_its_outputs_say_why(job: Job) -> None:
    ran = job.run(job.scratch.commit("slower", exec_ms=66), block="1")
    assert ran.conclusion == "failure"
    outputs = ran.outputs["gate"]
    assert (outputs["verdict"], outputs["slower"]) == ("regression", "mainnet/1")
    assert all(
        job.runner.temporary in Path(outputs[name]).parents for name in ("report", "markdown", "results")
    )
    assert all(Path(outputs[name]).exists() for name in ("report", "markdown", "results"))
    ((author, body),) = job.runner.github.comments(12)
    assert author == "github-actions"
    assert body.startswith(f"{MARK}\n### ❌ ethrex-perf: the block got slower: +")
    assert (job.runner.artifacts / "ethrex-perf/results.json").exists()
    assert (job.runner.temporary / "installed").read_text() == f"-m pip install --quiet {actions.ROOT}\n"


def test_every_input_reaches_the_run_as_it_is(job: Job) -> None:
    job.scratch.commit("the same in other words", exec_ms=60)
    (job.scratch.path / "other.toml").write_text((job.scratch.path / "ethrex-perf.toml").read_text())
    hostile = "$(touch pwned)`touch pwned`; touch pwned"
    ran = job.run(
        block="1", base="git:main", head="git:HEAD~1", config="other.toml", patience=hostile, comment="false"
    )
    assert not (job.scratch.path / "pwned").exists()
    assert (ran.conclusion, ran.outputs["gate"]["verdict"]) == ("failure", "error")
    assert "--ethrex-patience" in ran.log
    assert "comment" not in ran.log
    ran = job.run(block="1", base="git:HEAD~1", config="other.toml", patience="0", artifact="mine")
    assert ran.conclusion == "success", ran.log
    assert ran.outputs["gate"]["verdict"] == "unchanged"
    assert "no comment: no pull request" in ran.log  # it was a push
    assert (job.runner.artifacts / "mine/comment.md").exists()


def test_a_fork_whose_token_may_not_write_is_gated_all_the_same(job: Job) -> None:
    head = job.scratch.commit("the same in other words", exec_ms=60)
    job.runner.github.open(12, head)
    job.runner.github.refuse(*[(200, "FORBIDDEN: Resource not accessible by integration")] * 2)
    ran = job.run(head, block="1")
    assert ran.conclusion == "success", ran.log
    assert "ethrex-perf: no comment: o/r#12: no permission to comment" in ran.log
    assert job.runner.github.comments(12) == []
