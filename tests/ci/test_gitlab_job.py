"""The job of GitLab's CI that `docs/ci.md` shows: its script, on a slower merge request."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

from pytest_ethrex_perf.report.markdown import MARK
from tests.ci import actions
from tests.ci.scratch import Scratch
from tests.ci.test_lint import SNIPPETS
from tests.commands.test_gitlab import Server, server

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["server"]  # a fixture

JOB: Any = actions.load(next(text for text in SNIPPETS if "jobs:" not in text))["ethrex-perf"]


def test_a_slower_merge_request_is_red_and_has_a_note(tmp_path: Path, server: Server) -> None:
    scratch = Scratch(tmp_path)
    scratch.commit("slower", exec_ms=66)
    (tmp_path / "bin").mkdir()
    actions.write_python(tmp_path / "bin")
    ran = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join([*JOB["before_script"], *JOB["script"]])],
        cwd=scratch.path,
        env={
            "PATH": os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]]),
            "HOME": str(tmp_path),
            "CI": "true",
            "CI_JOB_URL": "https://gitlab.com/group/ethrex/-/jobs/9",
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
            "RUNNER_TEMP": str(tmp_path),
            **server.environ,
            **scratch.environ,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 1, ran.stdout
    ((_, body),) = ((note["author"], note["body"]) for note in server.notes)
    assert body.startswith(f"{MARK}\n### ❌ ethrex-perf: 2 of 2 blocks got slower: ")
    assert "https://gitlab.com/group/ethrex/-/jobs/9" in body
    assert server.environ["GITLAB_TOKEN"] not in ran.stdout
    kept = scratch.path / JOB["artifacts"]["paths"][0]
    assert (kept / "report/index.html").exists()
    assert (scratch.path / JOB["artifacts"]["reports"]["junit"]).exists()
