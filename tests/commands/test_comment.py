"""`ethrex-perf comment`: one comment of our own, found again, whatever the way to the platform."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf import cli
from pytest_ethrex_perf.commands import comment
from pytest_ethrex_perf.report.markdown import MARK
from tests.commands.desk import Ran
from tests.commands.fake_github import SHA, TOKEN, FakeGitHub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RESULTS = Path(__file__).parents[1] / "recorded/files/interleaved.json"
_NAMES = re.compile(r"GITHUB_|GH_|GITLAB_|CI")


class Step:
    """A step of a workflow, in a folder of its own."""

    def __init__(self, path: Path, patch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.path = path
        self.github = FakeGitHub(path)
        self._patch = patch
        self._capfd = capfd
        (path / "gate.md").write_text(f"{MARK}\n### ✅ ethrex-perf: 1 unchanged\n")

    def event(self, **content: object) -> None:
        """Let the workflow be started by this."""
        (self.path / "event.json").write_text(json.dumps(content))
        self._patch.setenv("GITHUB_EVENT_PATH", str(self.path / "event.json"))

    def run(self, *words: str) -> Ran:
        code = cli.main(("comment", *words))
        ran = Ran(code, *self._capfd.readouterr())
        assert TOKEN not in ran.out + ran.err
        assert "Traceback" not in ran.err
        return ran


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Step:
    """A step without any way to GitHub."""
    import os

    for name in list(os.environ):
        if _NAMES.match(name):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("GITHUB_REPOSITORY", "o/r")
    monkeypatch.setattr(comment, "_PAUSES_S", (0.0, 0.0))
    step = Step(tmp_path, monkeypatch, capfd)
    step.event(pull_request={"number": 12})
    step.github.open(12)
    return step


@pytest.fixture(params=["gh", "token"])
def step(request: pytest.FixtureRequest, bare: Step, monkeypatch: pytest.MonkeyPatch) -> Iterator[Step]:
    """A step that may comment, by `gh` and by the token alone."""
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    if request.param == "gh":
        monkeypatch.setenv("FAKE_GITHUB", str(bare.path))
        bare.github.gh(bare.path / "bin")
        yield bare
    else:
        with bare.github.served() as url:
            monkeypatch.setenv("GITHUB_GRAPHQL_URL", url)
            yield bare


def test_the_comment_is_posted_once_and_then_brought_up_to_date(step: Step) -> None:
    step.github.say(12, "octocat", "nice")
    first = step.run("gate.md")
    assert (first.code, first.out) == (0, "posted: https://github.com/o/r/pull/12#issuecomment-1\n")
    step.github.say(12, "octocat", "even nicer")  # on the second page
    assert step.run("--status", "gating: 3 of 11 blocks").code == 0
    assert step.run(str(RESULTS)).code == 0
    (_, nice), (author, body), _ = step.github.comments(12)
    assert (nice, author) == ("nice", "github-actions")
    assert body.startswith(f"{MARK}\n### ❌ ethrex-perf: the block got slower: worst +")


def test_our_own_comment_is_found_on_a_later_page(step: Step) -> None:
    for word in ("one", "two", "three"):
        step.github.say(12, "octocat", word)
    step.run("gate.md")
    step.run("--status", "again")
    assert [author for author, _ in step.github.comments(12)] == [*["octocat"] * 3, "github-actions"]


def test_a_comment_of_somebody_else_with_our_mark_is_left_alone(step: Step) -> None:
    step.github.say(12, "mallory", f"{MARK}\nall is well")
    step.run("gate.md")
    assert [author for author, _ in step.github.comments(12)] == ["mallory", "github-actions"]
    assert step.github.comments(12)[0][1] == f"{MARK}\nall is well"


def test_our_own_words_without_the_mark_in_front_are_another_comment(step: Step) -> None:
    step.github.say(12, "github-actions", f"> {MARK}\nquoted")
    step.run("gate.md")
    assert len(step.github.comments(12)) == 2


def test_the_run_is_linked(step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    monkeypatch.setenv("GITHUB_RUN_ID", "99")
    step.run("gate.md")
    assert "(https://github.com/o/r/actions/runs/99)" in step.github.comments(12)[0][1]


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ((200, "FORBIDDEN: Resource not accessible by integration"), "pull-requests: write"),
        ((403, "Resource not accessible by integration"), "pull-requests: write"),
        ((401, "Bad credentials"), "no permission to comment (Bad credentials"),
        ((403, "You have exceeded a secondary rate limit"), "try again in an hour"),
        ((200, "RATE_LIMITED: API rate limit exceeded"), "try again in an hour"),
        ((302, "moved"), "not posted: moved"),
    ],
)
def test_a_refusal_is_one_line_that_says_what_to_do(step: Step, refusal: tuple[int, str], words: str) -> None:
    step.github.refuse(refusal)
    ran = step.run("gate.md")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("ethrex-perf: o/r#12: ")
    assert words in ran.err
    assert ran.err.count("\n") == 1
    assert step.github.comments(12) == []


def test_a_platform_that_stumbles_is_asked_again(step: Step) -> None:
    step.github.refuse((502, "Bad Gateway"), (503, "busy"))
    assert step.run("gate.md").code == 0
    assert len(step.github.comments(12)) == 1
    step.github.refuse(*[(502, "Bad Gateway")] * 3)
    ran = step.run("gate.md")
    assert ran.code == 1
    assert "Bad Gateway" in ran.err
    assert "try again later" in ran.err


def test_a_pull_request_that_is_not_there_is_said(step: Step) -> None:
    ran = step.run("gate.md", "--pull-request", "13", "--repository", "o/r")
    assert ran.code == 1
    assert ran.err.startswith("ethrex-perf: o/r#13: there is no such pull request, or the token can't see it")


# --- a workflow that is started by another's end -----------------------------------------------------------


def _after(step: Step, number: str, head: str = SHA) -> None:
    step.event(workflow_run={"id": 99, "head_sha": head, "head_branch": "faster"})
    (step.path / "number").write_text(number)


def test_the_number_of_an_artifact_counts_at_the_commit_that_was_measured(step: Step) -> None:
    _after(step, "12\n")
    assert step.run("gate.md", "--number-file", "number").code == 0
    assert len(step.github.comments(12)) == 1


def test_the_number_of_another_pull_request_is_refused(step: Step) -> None:
    step.github.open(13, head="b" * 40)
    _after(step, "13")
    ran = step.run("gate.md", "--number-file", "number")
    assert (ran.code, step.github.comments(13)) == (1, [])
    assert ran.err.startswith(
        "ethrex-perf: o/r#13 is at bbbbbbbbbbbb, not at aaaaaaaaaaaa, which was measured"
    )


@pytest.mark.parametrize("content", ["", "12; rm -rf /", "-1", "0", "1e3", "١٢", "1" * 5000, "12\n13"])
def test_a_file_that_holds_no_number_is_refused(bare: Step, content: str) -> None:
    _after(bare, content)
    ran = bare.run("gate.md", "--number-file", "number")
    assert (ran.code, ran.err) == (1, "ethrex-perf: number: it is not the number of a pull request\n")


def test_without_a_number_the_pull_request_at_that_commit_is_meant(step: Step) -> None:
    step.github.open(13, head="b" * 40)  # of the same branch's name, as forks have them
    _after(step, "")
    assert step.run("--status", "gating").code == 0
    assert (len(step.github.comments(12)), len(step.github.comments(13))) == (1, 0)
    _after(step, "", head="c" * 40)
    ran = step.run("--status", "gating")
    assert ran.code == 1
    assert "no open pull request is at cccccccccccc" in ran.err


# --- while something runs ----------------------------------------------------------------------------------

_RUN = """
import os, sys
print("ethrex-perf: mainnet/7 6/24 · +1.0 % · 3/11 blocks · at most 2 min left", flush=True)
assert not {"GITHUB_TOKEN", "GH_TOKEN"} & set(os.environ)
open("gate.md", "w").write("### done")
sys.exit(1)
"""


def test_while_a_command_runs_its_progress_is_said_and_then_its_report(
    step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    post = comment.post
    monkeypatch.setattr(comment, "_INTERVAL_S", 0.0)

    def listen(target: comment.Request, body: str) -> str:
        said.append(body.splitlines()[1])
        return post(target, body)

    monkeypatch.setattr(comment, "post", listen)
    ran = step.run("gate.md", "--while", sys.executable, "-c", _RUN)
    assert ran.code == 1  # the command's
    assert ran.out.startswith("ethrex-perf: mainnet/7 6/24")
    assert said[-1] == "### done"
    assert said[0] in ("### ⏳ ethrex-perf: started", "### ⏳ ethrex-perf: gating: 3 of 11 blocks")
    assert [body for _, body in step.github.comments(12)] == [f"{MARK}\n### done\n"]


def test_an_old_report_is_not_taken_for_that_of_a_command_that_wrote_none(step: Step) -> None:
    ran = step.run("gate.md", "--while", sys.executable, "-c", "raise SystemExit(4)")
    assert ran.code == 4
    assert "no result: it ended with exit code 4" in step.github.comments(12)[0][1]


def test_a_comment_that_can_not_be_posted_changes_no_exit_code(step: Step) -> None:
    step.github.refuse(*[(403, "Resource not accessible by integration")] * 2)
    ran = step.run("gate.md", "--while", sys.executable, "-c", "open('gate.md', 'w').write('x')")
    assert ran.code == 0
    assert set(ran.err.splitlines()) == {next(iter(ran.err.splitlines()))}
    assert ran.err.startswith("ethrex-perf: no comment: o/r#12: no permission to comment")


def test_without_a_pull_request_the_command_runs_all_the_same(step: Step) -> None:
    step.event(ref="refs/heads/main")
    ran = step.run("gate.md", "--while", sys.executable, "-c", "print('measured')")
    assert (ran.code, ran.out) == (0, "measured\n")
    assert ran.err.startswith("ethrex-perf: no comment: no pull request: ")


# --- what is wrong beforehand ------------------------------------------------------------------------------


def _not_there(step: Step) -> tuple[str, ...]:
    return (str(step.path / "none.md"),)


def _empty(step: Step) -> tuple[str, ...]:
    (step.path / "empty.md").write_text("\n")
    return ("empty.md",)


def _forged(step: Step) -> tuple[str, ...]:
    (step.path / "forged.json").write_text("{}")
    return ("forged.json",)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (_not_there, 1, "can't be read: No such file or directory"),
        (_empty, 1, "empty.md: it is empty: nothing to post"),
        (_forged, 2, "forged.json"),
        (lambda _: (), 2, "comment: name the FILE to post, or give --status TEXT"),
        (lambda _: ("gate.md", "--status", "x"), 2, "comment: name the FILE to post, or give --status TEXT"),
        (lambda _: ("--status", "x", "--while", "true"), 2, "--while needs a FILE and a COMMAND"),
        (lambda _: ("gate.md", "--while"), 2, "--while needs a FILE and a COMMAND"),
        (
            lambda _: ("gate.md",),
            2,
            "no way to GitHub: install gh (https://cli.github.com) and log in, or set",
        ),
        (
            lambda _: ("gate.md", "--repository", "o/r/../x"),
            2,
            "no repository: name it, --repository OWNER/NAME",
        ),
        (
            lambda _: ("gate.md", "--number-file", "n"),
            2,
            "--number-file is for workflows that are started by",
        ),
    ],
)
def test_wrong_usage_is_one_line(
    bare: Step, words: Callable[[Step], tuple[str, ...]], code: int, message: str
) -> None:
    ran = bare.run(*words(bare))
    assert message in ran.err
    assert (ran.code, ran.err.count("\n")) == (code, 1)


@pytest.mark.parametrize("token", [f"{TOKEN}\nX-Evil: 1", f"{TOKEN} {TOKEN}", f"{TOKEN}é"])
def test_a_token_that_is_none_is_not_shown(bare: Step, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", token)
    ran = bare.run("gate.md")
    assert (ran.code, ran.err) == (
        2,
        "ethrex-perf: $GITHUB_TOKEN is no token: it has spaces or characters that no token has\n",
    )


def test_a_gh_that_is_not_logged_in_is_said(bare: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_GITHUB", str(bare.path))
    bare.github.gh(bare.path / "bin")
    ran = bare.run("gate.md")
    assert ran.code == 2
    assert ran.err.startswith("ethrex-perf: gh is not logged in: run `gh auth login`, or set $GH_TOKEN")


def test_the_run_is_linked_to_once() -> None:
    run = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "o/r", "GITHUB_RUN_ID": "9"}
    url = "https://github.com/o/r/actions/runs/9"
    assert comment.footer(run) == f"[The run]({url}) has the log and the report."
    assert comment.footer(run, f"[run]({url}) · [artifacts]({url}#artifacts)") == ""
    assert comment.footer({}) == ""
