"""The ways to GitHub that `tests/commands/test_comment.py` does not take."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.commands import github, web
from pytest_ethrex_perf.commands.pull_request import Target
from pytest_ethrex_perf.errors import EthrexPerfError

if TYPE_CHECKING:
    from pathlib import Path

TARGET = Target("o/r", 12)


def _gh(directory: Path, script: str) -> dict[str, str]:
    gh = directory / "gh"
    gh.write_text(f"#!{sys.executable} -IS\nimport sys\n{script}\n")
    gh.chmod(0o755)
    return {"PATH": str(directory), "GH_TOKEN": "ghs_s3cr3t"}


def test_an_enterprise_server_is_named_to_gh(tmp_path: Path) -> None:
    script = (
        "import json, os\n"
        "data = {'words': ' '.join(sys.argv[1:]), 'token': os.environ['GH_ENTERPRISE_TOKEN']}\n"
        "print(json.dumps({'data': data}))"
    )
    environ = _gh(tmp_path, script)
    environ["GITHUB_SERVER_URL"] = "https://git.example.org"
    answer = github.connect(environ)("query", {})
    assert answer == {"words": "api graphql --input - --hostname git.example.org", "token": "ghs_s3cr3t"}


def test_what_gh_says_is_shown_without_the_token(tmp_path: Path) -> None:
    environ = _gh(tmp_path, "sys.exit('error connecting with ghs_s3cr3t')")
    with pytest.raises(web.ApiError) as caught:
        github.connect(environ)("query", {})
    assert str(caught.value) == "error connecting with <redacted>"
    assert caught.value.is_passing


@pytest.mark.parametrize(
    "answer",
    ["no json", "[]", '{"data": null}', '{"data": {"repository": {}}}', '{"data": {"repository": null}}'],
)
def test_an_answer_of_another_form_is_an_error(tmp_path: Path, answer: str) -> None:
    environ = _gh(tmp_path, f"print('''{answer}''')")
    with pytest.raises(EthrexPerfError, match=r"o/r#12: (not posted: )?GitHub's answer"):
        github.PullRequest(TARGET, github.connect(environ)).post("x")
