"""From two revisions to a verdict: `--ethrex-base=git:merge-base --ethrex-replay=git:HEAD`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.counters.conftest import SOURCE
from tests.faults import fake_replay
from tests.git_repositories import WHO, GitRepository, need

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Bench

TABLE = """[build]
repository = "engine"
command = "cp {source}/ethrex-replay {target}/ && echo copied"
artifact = "ethrex-replay"
"""


class Engine(GitRepository):
    """A repository of a program that takes a known time, so that its builds take none."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.base = self.change("The engine", 60)
        self.git("checkout", "--quiet", "-b", "work")

    def change(self, subject: str, exec_ms: float, **plan: object) -> str:
        """Commit a program that takes so long."""
        plan = {"prep_ms": 30, "noise": 0.01, "gas": 37_500_000, "txs": 442, "seed": len(subject), **plan}
        fake_replay.write(self.path, plan={"exec_ms": exec_ms, **plan})
        return self.commit(subject)


@pytest.fixture
def repository(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Engine:
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)
    bench.configure(TABLE)
    return Engine(bench.path / "engine")


def test_a_slower_head_is_a_regression_that_names_the_commits(bench: Bench, repository: Engine) -> None:
    head = repository.change("Make it slower | <b>", 70)
    result = bench.compare(
        "git:HEAD", "git:merge-base", "--ethrex-json=results.json", "--ethrex-markdown=m.md"
    )
    result.assert_outcomes(failed=1)
    base = f'base git:merge-base {repository.base[:7]} "The engine" 2026-01-02'
    result.stdout.fnmatch_lines(
        [
            f'ethrex-perf*: head git:HEAD {head[:7]} "Make it slower | <b>" 2026-01-02*',
            "ethrex-perf: building head: git:HEAD *",
            "ethrex-perf: building base: git:merge-base *",
            "*head is 1 commit after base*",
            f"*reproduce: pytest * --ethrex-replay=git:{head[:12]} --ethrex-base=git:{repository.base[:12]}*",
        ]
    )
    assert base in result.stdout.str()
    (block,) = bench.results().blocks
    assert block.head is not None
    assert block.head.program is not None
    assert block.head.program.commit == head
    assert block.head.label.startswith(f"git:HEAD {head[:7]} ")
    assert block.base is not None
    assert block.base.label.startswith(f"git:merge-base {repository.base[:7]} ")
    in_words = rf'`work` `{head[:8]}` "Make it slower \| \<b\>" (binary '
    assert in_words in (bench.path / "m.md").read_text()


def test_a_second_run_builds_nothing(bench: Bench, repository: Engine) -> None:
    repository.change("Change nothing of note", 60)
    for _ in range(2):
        result = bench.compare("git:HEAD", "git:merge-base")
        result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*building*")


def test_one_commit_on_both_sides_is_said_and_not_measured(bench: Bench, repository: Engine) -> None:
    result = bench.compare("git:HEAD", "git:main")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*base and head are the same program (sha256*"])
    assert f"both built from commit {repository.base[:7]}" in " ".join(result.stdout.str().split())
    result = bench.compare("git:HEAD", "git:main", "--ethrex-on-same-program=fail")
    result.assert_outcomes(errors=1)


def test_commits_that_build_the_same_program_are_named(bench: Bench, repository: Engine) -> None:
    head = repository.commit("Explain it", README_md="It is an engine.\n")
    result = bench.compare("git:HEAD", "git:main")
    result.assert_outcomes(skipped=1)
    told = f"built from commits {repository.base[:7]} and {head[:7]} alike"
    assert told in " ".join(result.stdout.str().split())


def test_a_build_that_fails_is_an_error_of_every_block(bench: Bench, repository: Engine) -> None:
    repository.git("rm", "--quiet", "ethrex-replay")
    repository.commit("Lose it")
    bench.cache(1)
    result = bench.compare("git:HEAD", "git:main", "--ethrex-json=results.json", block="1,24443168")
    result.assert_outcomes(errors=2)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ['git:HEAD * "Lose it" * cannot be built: its command ended with exit code 1; the whole *']
    )
    result.stdout.no_fnmatch_line("*building base*")
    assert all("cannot be built" in (block.error or "") for block in bench.results().blocks)
    assert not any(block.metrics for block in bench.results().blocks)


@pytest.mark.parametrize("option", ["--ethrex-replay", "--ethrex-base"])
def test_a_revision_that_there_is_not_is_wrong_usage(bench: Bench, repository: Engine, option: str) -> None:
    told = bench.refuse("--ethrex-block=24443168", f"{option}=git:origin/mian")
    assert told == (
        f"{option} git:origin/mian: 'origin/mian' names no commit of {repository.path}: "
        "git fetch origin mian, or see git branch --all"
    )


@pytest.mark.usefixtures("repository")
def test_without_a_table_it_says_what_to_write(bench: Bench) -> None:
    bench.configure("")
    told = bench.refuse("--ethrex-block=24443168", "--ethrex-replay=git:HEAD")
    assert told.startswith(
        "--ethrex-replay git:HEAD: how to build a revision is not said: write a table [build] with command = "
    )


def test_a_recorded_session_names_the_commit(bench: Bench, repository: Engine) -> None:
    bench.record("git:main").assert_outcomes(passed=1)
    (file,) = bench.path.glob("baselines/**/*.json")
    program = bench.json(str(file.relative_to(bench.path)))["epochs"][0]["sessions"][0]["program"]
    assert program["commit"] == repository.base
    assert program["label"] == f'git:main {repository.base[:7]} "The engine" 2026-01-02'
    repository.change("Make it slower", 70)
    result = bench.gate("--ethrex-replay=git:HEAD", "--ethrex-repeat=3")
    result.assert_outcomes(failed=1)


@pytest.mark.usefixtures("repository")
def test_a_list_of_tests_builds_nothing(bench: Bench) -> None:
    bench.cache(1, 2, 3)
    blocks = "1,2,3,24443168"
    result = bench.run(f"--ethrex-block={blocks}", "--ethrex-replay=git:HEAD", "--collect-only")
    result.stdout.no_fnmatch_line("*building*")
    assert result.ret == pytest.ExitCode.OK


def test_the_revision_may_be_set_in_the_file(bench: Bench, repository: Engine) -> None:
    repository.change("Make it slower", 70)
    bench.configure(f'replay = "git:HEAD"\nbase = "git:main"\n{TABLE}')
    bench.gate().assert_outcomes(failed=1)


def test_only_the_controller_of_a_distributed_run_builds(bench: Bench, repository: Engine) -> None:
    pytest.importorskip("xdist")
    repository.change("Make it slower", 70)
    bench.cache(1)
    result = bench.pytester.runpytest_subprocess(
        "-n2",
        "--ethrex-profile=off",
        "--ethrex-counters=off",
        "--ethrex-block=1,24443168",
        "--ethrex-replay=git:WORKTREE",
        "--ethrex-base=git:main",
        "--ethrex-json=results.json",
    )
    result.assert_outcomes(failed=2)
    output = result.stdout.str() + result.stderr.str()
    assert output.count("building head") == 1
    assert output.count("building base") == 1
    assert all("head is 1 commit after base" in block.notes for block in bench.results().blocks)


def test_an_engine_and_a_harness_in_c_are_built_and_gated(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    need("cc")
    for name, value in WHO.items():
        monkeypatch.setenv(name, value)
    engine, harness = GitRepository(bench.path / "engine"), GitRepository(bench.path / "replay")
    harness.commit("The harness", program_c=SOURCE.read_text())
    engine.commit("The engine", engine_h="#define ENGINE_PERCENT 100\n")
    engine.commit("Make it slower", engine_h="#define ENGINE_PERCENT 200\n")
    bench.configure(
        """[build]
        repository = "engine"
        command = "cc -O1 -pthread -include {source}/engine.h -o {target}/ethrex-replay program.c"
        artifact = "ethrex-replay"
        [build.harness]
        repository = "replay"
        """
    )
    result = bench.compare("git:HEAD", "git:HEAD~1", "--ethrex-repeat=3")
    result.assert_outcomes(failed=1)
    assert '"The harness"' in result.stdout.str()
