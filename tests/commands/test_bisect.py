"""`ethrex-perf bisect` as a user types it, over repositories that the tests make."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf import cli
from pytest_ethrex_perf.commands import bisect
from pytest_ethrex_perf.gate import step
from pytest_ethrex_perf.replay import failure
from tests.commands.desk import Ran
from tests.conftest import BLOCK
from tests.counters.conftest import SOURCE
from tests.faults import fake_replay
from tests.gate.line import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.conftest import Bench

COPIED = """
[build]
repository = "repository"
command = "install -m 755 {source}/program {target}/ethrex-replay"
artifact = "ethrex-replay"
"""
COMPILED = """
[build]
repository = "repository"
command = "cc -O1 -pthread -w -o {target}/ethrex-replay {source}/main.c"
artifact = "ethrex-replay"
"""
MAIN = """#define main known
#include "program.c"
#undef main
#include "work.h"
const char note[] = NOTE;
int main(int argc, char **argv) {
    char *words[64] = {argv[0], "--instructions", "400000", "--pages", "0", "--work", WORK};
    for (int i = 1; i < argc && i < 57; i++)
        words[i + 6] = argv[i];
    return known(argc + 6, words) + !note[0];
}
"""


class Place:
    """A directory with a repository, the cache file of a block, and `[build]`."""

    def __init__(self, bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
        self.bench = bench
        self.path = bench.path
        self.line = Line(bench.path / "repository")
        self._capsys = capsys

    def programs(self, ms: Callable[[int], float], commits: int, **plan: object) -> list[str]:
        """Commit fake programs that take so long, each a program of its own; return the hashes."""
        self.bench.configure(COPIED)
        for number in range(commits):
            whole = {"exec_ms": ms(number), "prep_ms": 30, "noise": 0.002, "seed": number, **plan}
            file = fake_replay.write(self.path / "bin", f"p{number}", whole)
            self.line.commit(f"Change number {number}", {"program": file.read_text()})
        return self.line.ids

    def bisect(self, good: str, bad: str, *options: str) -> Ran:
        code = cli.main(["bisect", good, bad, f"--block={BLOCK}", "--patience=0", *options])
        return Ran(code, *self._capsys.readouterr())


@pytest.fixture
def place(bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Place:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(failure, "of_lifetime", lambda *_: None)  # the programs take no time
    return Place(bench, capsys)


def slower_from(*commits: int) -> Callable[[int], float]:
    return lambda number: 60 * 1.08 ** sum(number >= commit for commit in commits)


def test_the_commit_is_found_by_the_clock(place: Place) -> None:
    ids = place.programs(slower_from(3), 5)
    place.line.commit("Docs", {"README": "docs\n"})
    ran = place.bisect(f"git:{ids[0][:12]}", "HEAD", "--repeat=3")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert f"{ids[3]} made it slower" in lines
    assert "  Change number 3" in lines
    (change,) = (line for line in lines if line.startswith(f"  against its parent {ids[2][:10]}: +"))
    assert re.search(r": \+\d+\.\d % \[\+\d+\.\d, \+\d+\.\d\], \d+ pairs: slower", change)
    assert "slower, proven to be more than +1 %" in ran.told
    assert "functions: not profiled: --profile is off" in ran.told
    alone = f"pytest --ethrex-block=mainnet/{BLOCK} --ethrex-patience=0 --ethrex-repeat=3"
    assert f"    {alone} --ethrex-base=git:{ids[2]} --ethrex-replay=git:{ids[3]}" in lines
    copied = ("    ", "the steps:")
    assert all(len(line) <= 80 for line in lines if not line.startswith(copied))
    (log,) = (line.split()[-1] for line in lines if line.startswith("    git bisect replay"))
    place.line.git("bisect", "replay", log)
    assert place.line.git("rev-parse", "refs/bisect/bad").strip() == ids[3]


def test_bad_that_is_not_slower_has_an_exit_code_of_its_own(place: Place) -> None:
    ids = place.programs(lambda _: 60, 3)
    ran = place.bisect(ids[0], ids[2], "--repeat=3")
    assert ran.code == bisect.EXIT_NOT_SLOWER
    assert "unchanged, not proven slower than +1 %" in ran.told
    assert "there is nothing to search for" in ran.told


def test_a_search_that_was_stopped_goes_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = place.programs(slower_from(6), 8)
    with monkeypatch.context() as patch:
        patch.setattr(step.StepGauge, "place", interrupted)
        ran = place.bisect(ids[0], "HEAD", "--repeat=3")
    assert (ran.code, ran.err) == (130, "ethrex-perf: interrupted\n")
    assert "stopped; the same command goes on from here" in ran.told
    ran = place.bisect(ids[0], "HEAD", "--repeat=3")
    assert "going on with the search of 2" in ran.told
    assert f"{ids[6]} made it slower" in ran.out
    again = place.bisect(ids[0], "HEAD", "--repeat=3")
    assert again.out.count("(known)") == again.out.count("step ")
    ran = place.bisect(ids[0], "HEAD", "--repeat=4")  # measured otherwise, it is another search
    assert "going on" not in ran.out


def interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_an_undecided_step_is_skipped_and_the_candidates_are_named(place: Place) -> None:
    ids = place.programs(lambda number: (60, 60 * 1.008, 60 * 1.016)[number], 3, noise=0.002)
    ran = place.bisect(ids[0], "HEAD", "--repeat=3")
    assert ran.code == bisect.EXIT_SEVERAL, ran.out
    assert "skipped, undecided: " in ran.told
    assert f"  {ids[1]} Change number 1" in ran.out.splitlines()
    assert f"  {ids[2]} Change number 2" in ran.out.splitlines()


def test_all_culprits_are_found(place: Place) -> None:
    ids = place.programs(slower_from(2, 4), 6)
    ran = place.bisect(ids[0], "HEAD", "--repeat=3", "--all")
    assert ran.code == 0, ran.out
    culprits = {line.split()[0] for line in ran.out.splitlines() if line.endswith(" made it slower")}
    assert culprits == {ids[2], ids[4]}


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("v9", "HEAD", "GOOD git:v9: 'v9' names no commit of "),
        ("HEAD", "HEAD", "GOOD and BAD are the same commit"),
        ("HEAD", "HEAD~1", "is an ancestor of GOOD"),
        ("side", "HEAD", "is no ancestor of BAD"),
        ("git:WORKTREE", "HEAD", "GOOD"),
        ("git:--output=x", "HEAD", "names no commit of "),
    ],
)
def test_ends_between_which_nothing_can_be_searched_are_one_line(
    place: Place, good: str, bad: str, message: str
) -> None:
    place.programs(slower_from(1), 2)
    place.line.git("switch", "--quiet", "--create", "side", "HEAD~1")
    place.line.commit("On the side")
    place.line.git("switch", "--quiet", "-")
    ran = place.bisect(good, bad)
    assert ran.code == 2
    assert message in ran.err
    assert len(ran.err.splitlines()) == 1


def test_good_may_be_the_merge_base(place: Place) -> None:
    ids = place.programs(slower_from(1), 2)
    place.line.git("branch", "-M", "main")
    place.line.git("branch", "--force", "topic", "HEAD")
    place.line.git("reset", "--quiet", "--hard", "HEAD~1")
    ran = place.bisect("git:merge-base", "topic", "--repeat=3")
    assert ran.code == 0, ran
    assert f"{ids[1]} made it slower" in ran.out


def test_what_cannot_be_measured_is_said_before_anything_is_built(place: Place) -> None:
    ids = place.programs(slower_from(1), 2)
    (cache,) = (place.path / "replay_cache").iterdir()
    cache.unlink()
    ran = place.bisect(ids[0], "HEAD")
    assert ran.code == 1
    assert cache.name in ran.err


def test_without_build_it_says_how_to_write_it(place: Place) -> None:
    place.programs(slower_from(1), 2)
    place.bench.configure("")
    ran = place.bisect("HEAD~1", "HEAD")
    assert ran.code == 2
    assert "[build]" in ran.err


def work(percent: int, note: str) -> dict[str, str]:
    return {"work.h": f'#define WORK "{percent}"\n#define NOTE "{note}"\n'}


def compiled(place: Place, changes: Mapping[int, dict[str, str]]) -> list[str]:
    """Commit twelve versions of a program whose work is known; those of no change are docs."""
    place.bench.configure(COMPILED)
    first = {"main.c": MAIN, "program.c": SOURCE.read_text(), **work(100, "first")}
    for number in range(12):
        place.line.commit(
            f"Change {number}", changes.get(number, {"README": f"{number}\n"}) if number else first
        )
    return place.line.ids


def test_the_commit_is_found_by_instructions(place: Place) -> None:
    for tool in ("cc", "valgrind"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    broken, slow = {"work.h": "#error broken\n"}, work(108, "slow")
    ids = compiled(place, {5: broken, 6: work(100, "six"), 8: slow})
    ran = place.bisect(ids[0], "HEAD", "--metric=instructions")
    assert ran.code == 0, ran
    assert f"{ids[8]} made it slower" in ran.out
    assert "skipped: can't be built: its command ended with exit code 1" in ran.told
    assert f"  good: the same program as {ids[6][:10]}" in ran.out
    assert "slower, proven to be more than +0.3 %" in ran.told
    (file,) = (line.split()[-1] for line in ran.out.splitlines() if line.startswith("the steps:"))
    answers = json.loads(Path(file).read_text())["answers"]
    assert sum(answer["estimate"] is not None for answer in answers) == 1  # the others cost nothing
