"""`ethrex-perf baseline …`, verb by verb."""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from pytest_ethrex_perf.baseline import stacks as profiles
from pytest_ethrex_perf.baseline import store
from pytest_ethrex_perf.baseline.archive import Archive
from pytest_ethrex_perf.baseline.schema import BaselineError, json_schema
from pytest_ethrex_perf.commands import baseline
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.replay import cache
from pytest_ethrex_perf.replay.program import resolve
from tests import cache_file
from tests.baseline.builders import BLOCK, MACHINE, make_baseline, make_epoch, make_session
from tests.profile import samples
from tests.whole_programs import MARK, believe

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from pytest_ethrex_perf.records.measurement import Program

    Run: TypeAlias = Callable[..., tuple[int, str]]

replace = msgspec.structs.replace
SPEC = "hoodi:1265656"


@pytest.fixture(autouse=True)
def cwd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    believe(monkeypatch)
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a verb; returns its exit code and output."""

    def run(*words: object) -> tuple[int, str]:
        parser = argparse.ArgumentParser()
        baseline.add_commands(parser.add_subparsers())
        args = parser.parse_args(["baseline", *map(str, words)])
        return args.run(args), capsys.readouterr().out

    return run


@pytest.fixture
def file() -> Path:
    """A stored baseline of two epochs, sessions of day 0 to 3."""
    path = store.path(Path("baselines"), BLOCK, "ethrex", MACHINE.key)
    sessions = [make_session(day, 60 if day < 2 else 66, invocations=2) for day in range(4)]
    store.write(path, make_baseline(make_epoch(sessions[:2]), make_epoch(sessions[2:], "EIP-7702")))
    return path


def _laptop() -> Path:
    """A baseline of the same block on another machine."""
    laptop = replace(MACHINE, key="laptop")
    path = store.path(Path("baselines"), BLOCK, "ethrex", "laptop")
    store.write(path, make_baseline(make_epoch([make_session(0, machine=laptop)]), machine="laptop"))
    return path


def ids(path: Path) -> list[str]:
    return [session.id for session in store.load(path).sessions()]


@pytest.mark.usefixtures("file")
def test_list_has_a_line_for_each_baseline(run: Run) -> None:
    _laptop()
    rc, out = run("list")
    assert rc == 0
    header, first, second = out.splitlines()
    assert header.split() == ["block", "kind", "machine", "epochs", "sessions", "level", "latest"]
    assert first.split()[:5] == [str(BLOCK), "ethrex", MACHINE.key, "2", "4"]
    assert first.endswith("2026-02-21")
    assert second.split()[2] == "laptop"
    assert run("list", "--machine", "laptop")[1].count("\n") == 2


@pytest.mark.usefixtures("file")
def test_list_says_which_file_is_broken_and_goes_on(run: Run) -> None:
    _laptop().write_text("{")
    rc, out = run("list")
    assert rc == 1
    assert "ethrex-laptop.json: truncated" in out
    assert MACHINE.key in out


def test_show_prints_the_history_of_each_machine(run: Run, file: Path) -> None:
    _laptop()
    rc, out = run("show", SPEC)
    assert rc == 0
    assert all(id_ in out for id_ in ids(file))
    assert "machine laptop" in out
    assert "machine laptop" not in run("show", SPEC, "--machine", MACHINE.key)[1]
    assert " prep " in run("show", SPEC, "--metric", "prep")[1]


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize("words", [["show", "hoodi:7"], ["tag", "hoodi:7", "v1"], ["diff", "hoodi:7", SPEC]])
def test_a_block_without_a_baseline_is_an_error(run: Run, words: list[str]) -> None:
    with pytest.raises(UsageError, match="no baseline of hoodi/7 in baselines"):
        run(*words)


def test_no_baselines_at_all_is_an_error_that_names_the_directory(
    run: Run,
) -> None:
    with pytest.raises(UsageError, match="no baselines in elsewhere"):
        run("verify", "--baselines", "elsewhere")


@pytest.mark.usefixtures("file")
def test_a_bad_block_shows_the_form(run: Run) -> None:
    with pytest.raises(UsageError, match="the form is"):
        run("show", "hoodi:x")


def test_diff_takes_files_blocks_and_sessions(run: Run, file: Path) -> None:
    rc, out = run("diff", f"{SPEC}@{ids(file)[0]}", f"{file}@last")
    assert rc == 0
    assert f"A  {SPEC}@{ids(file)[0]}: 1 session(s), 2 invocations, 2026-02-18" in out
    assert f"B  {file}@{ids(file)[-1]}" in out
    assert "A  baselines" in run("diff", file, SPEC)[1]


def test_a_tag_is_put_on_a_session_and_taken_away(run: Run, file: Path) -> None:
    assert run("tag", SPEC, "v1")[0] == 0
    assert run("tag", SPEC, "before", "--session", ids(file)[0][:9])[0] == 0
    assert [session.tags for session in store.load(file).sessions()] == [("before",), (), (), ("v1",)]
    assert run("tag", SPEC, "v1", "--delete") == (0, f"{file}: took the tag away: v1\n")
    assert [session.tags for session in store.load(file).sessions()] == [("before",), (), (), ()]


def test_a_tag_stays_where_it_is(run: Run, file: Path) -> None:
    run("tag", SPEC, "v1", "--session", "first")
    before = file.read_text()
    with pytest.raises(UsageError, match=r"'v1' tags session .* already: take it away with --delete"):
        run("tag", SPEC, "v1")
    with pytest.raises(UsageError, match="no session is tagged 'v2'"):
        run("tag", SPEC, "v2", "--delete")
    assert file.read_text() == before


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize("name", ["first", "last", "", "a b", "-x", "ä", "a" * 41])
def test_a_bad_tag_is_refused(run: Run, name: str) -> None:
    with pytest.raises(UsageError, match="is not a tag"):
        run("tag", SPEC, "--", name)


def test_which_baseline_is_meant_must_be_said(run: Run, file: Path) -> None:
    laptop = _laptop()
    with pytest.raises(
        UsageError, match=f"several baselines .ethrex-{MACHINE.key}, ethrex-laptop.: say which"
    ):
        run("tag", SPEC, "v1")
    run("tag", SPEC, "v1", "--machine", "laptop")
    assert "v1" in laptop.read_text()
    assert "v1" not in file.read_text()


@pytest.mark.parametrize(
    ("what", "left"),
    [
        (["--keep-epochs", "1"], [2, 3]),
        (["--keep-epochs", "5"], [0, 1, 2, 3]),
        (["--session", "first"], [0, 1, 3]),
        (["--session", "last"], [0, 1, 2]),
        (["--all"], []),
    ],
)
def test_prune_is_a_dry_run_until_told_otherwise(
    run: Run, file: Path, what: list[str], left: list[int]
) -> None:
    before, all_ids = file.read_text(), ids(file)
    gone = [id_ for index, id_ in enumerate(all_ids) if index not in left]
    rc, out = run("prune", SPEC, *what)
    assert rc == 0
    assert [id_ for id_ in all_ids if f"would delete session {id_} " in out] == gone
    assert "this is a dry run" in out
    assert file.read_text() == before
    rc, out = run("prune", SPEC, *what, "--yes")
    assert rc == 0
    assert [id_ for id_ in all_ids if f"deleted session {id_} " in out] == gone
    assert (ids(file) if file.exists() else []) == [all_ids[index] for index in left]


def test_pruning_an_epochs_only_session_removes_the_epoch(run: Run, file: Path) -> None:
    for _ in range(2):
        run("prune", SPEC, "--session", "last", "--yes")
    assert [epoch.reason for epoch in store.load(file).epochs] == ["first recording"]
    for _ in range(2):
        run("prune", SPEC, "--session", "last", "--yes")
    assert not file.exists()


def test_prune_deletes_nothing_else(run: Run, file: Path) -> None:
    laptop = _laptop()
    before = laptop.read_text()
    run("prune", SPEC, "--all", "--yes", "--machine", MACHINE.key)
    assert not file.exists()
    assert laptop.read_text() == before


def test_prune_wants_to_know_what(run: Run, file: Path) -> None:
    with pytest.raises(SystemExit):
        run("prune", SPEC, "--yes")
    with pytest.raises(UsageError, match="keep at least 1"):
        run("prune", SPEC, "--keep-epochs", "0", "--yes")
    assert len(ids(file)) == 4


def test_merge_joins_two_files(run: Run) -> None:
    for name, days in (("a", (0, 1)), ("b", (0, 2))):
        store.write(Path(name), make_baseline(make_epoch([make_session(day, invocations=1) for day in days])))
    rc, out = run("merge", "a", "b", "-o", "a")
    assert (rc, out) == (0, "a: 3 sessions in 1 epoch(s)\n")
    assert len(ids(Path("a"))) == 3
    with pytest.raises(UsageError, match="say where the result goes"):
        run("merge", "a", "b")


def test_merge_says_which_sessions_it_no_longer_keeps(run: Run) -> None:
    sessions = [make_session(day, invocations=1) for day in range(22)]
    for name, days in (("a", slice(0, 20)), ("b", slice(20, 22))):
        epoch = make_epoch(sessions[:1] + sessions[days][-19:])
        store.write(Path(name), make_baseline(epoch))
    out = run("merge", "a", "b", "-o", "a")[1]
    assert f"a: no longer kept, 20 are: session {sessions[1].id} of 2026-02-19\n" in out
    assert len(ids(Path("a"))) == 21


def test_merge_resolves_a_file_in_conflict(run: Run, file: Path) -> None:
    ours, theirs = (
        store.dump(make_baseline(make_epoch([make_session(day, invocations=1) for day in days])))
        for days in ((0, 1), (0, 2))
    )
    file.write_text(f"<<<<<<< HEAD\n{ours}=======\n{theirs}>>>>>>> branch\n")
    assert run("merge", file)[0] == 0
    assert len(ids(file)) == 3


def test_a_conflict_that_cannot_be_merged_is_left_as_it_is(run: Run, file: Path) -> None:
    ours, theirs = (store.dump(make_baseline(make_epoch([make_session(day)]))) for day in (0, 1))
    conflict = f"<<<<<<< HEAD\n{ours}=======\n{theirs}>>>>>>> branch\n"
    file.write_text(conflict)
    with pytest.raises(BaselineError, match="--epochs join"):
        run("merge", file)
    assert file.read_text() == conflict
    assert run("merge", file, "--epochs", "join")[0] == 0
    with pytest.raises(UsageError, match="cannot be read"):
        run("merge", "nowhere.json")


@pytest.mark.usefixtures("file")
def test_verify_counts_the_sound_ones(run: Run) -> None:
    assert run("verify") == (0, "1 of 1 baselines are sound\n")
    _laptop().write_text(_laptop().read_text()[:-5])
    rc, out = run("verify")
    assert rc == 1
    assert "ethrex-laptop.json: truncated" in out
    assert out.endswith("1 of 2 baselines are sound\n")


def test_verify_finds_a_file_in_the_wrong_place(run: Run, file: Path) -> None:
    wrong = file.with_name("ethrex-elsewhere.json")
    file.rename(wrong)
    rc, out = run("verify")
    assert rc == 1
    assert f"{wrong}: is the baseline that belongs to {file}: move it there" in out


def test_schema_prints_the_schema(run: Run) -> None:
    rc, out = run("schema")
    assert (rc, out) == (0, json_schema())
    assert json.loads(out)["title"].endswith("schema 1")


def _tool(path: Path, says: str) -> Program:
    path.write_text(f"#!/bin/sh\n{MARK}\necho {says}\n")
    path.chmod(0o755)
    return resolve(str(path.absolute()), cwd=path.absolute().parent, environ={})


@pytest.fixture
def checked(tmp_path: Path) -> tuple[Path, Path, Program]:
    """A baseline whose cache file and program are there: its file, the program's copy, the program."""
    cache_file.write(tmp_path / "replay_cache", BLOCK.number, "Hoodi")
    identity = cache.identify(cache.path(tmp_path / "replay_cache", BLOCK), BLOCK)
    program = _tool(tmp_path / "replay", "v1")
    Archive(tmp_path / "archive", 2**20).store(program)
    path = store.path(Path("baselines"), BLOCK, "ethrex", MACHINE.key)
    store.write(path, make_baseline(make_epoch([make_session(0, program=program)]), cache=identity))
    return path, tmp_path / "archive" / program.sha256, program


VERIFY = ("verify", "--cache-dir", "replay_cache", "--archive", "archive")


@pytest.mark.usefixtures("checked")
def test_verify_checks_the_cache_and_the_programs_that_a_file_names(run: Run) -> None:
    assert run(*VERIFY) == (0, "1 of 1 baselines are sound\n")


def test_verify_only_remarks_on_what_is_missing(
    run: Run, checked: tuple[Path, Path, Program], tmp_path: Path
) -> None:
    file, copy, _ = checked
    copy.unlink()
    (tmp_path / "replay_cache" / f"cache_hoodi_{BLOCK.number}.json").unlink()
    rc, out = run(*VERIFY)
    assert rc == 0
    assert out.splitlines() == [
        f"note: {file}: its cache file is not there to be checked: replay_cache/cache_hoodi_1265656.json",
        f"note: {file}: 1 of 1 program(s) are not in the archive, its newest program among them",
        "1 of 1 baselines are sound",
    ]


def test_verify_fails_for_what_is_wrong_and_removes_nothing(
    run: Run, checked: tuple[Path, Path, Program], tmp_path: Path
) -> None:
    file, copy, _ = checked
    copy.chmod(0o755)
    copy.write_text("something else")
    cache_file.write(tmp_path / "replay_cache", BLOCK.number, "Hoodi", gasUsed="0x1")
    rc, out = run(*VERIFY)
    assert rc == 1
    assert f"{file}: its cache file has changed: block hash 0x" in out
    assert "of 2026-02-18 is damaged in the archive: remove archive/" in out
    assert out.endswith("0 of 1 baselines are sound\n")
    assert copy.exists()
    assert run("verify") == (0, "1 of 1 baselines are sound\n"), "as far as directories are given"


@pytest.mark.usefixtures("file")
def test_verify_checks_references_too(run: Run) -> None:
    broken = Path("baselines") / "hoodi" / "1265656" / "reference-laptop.json"
    broken.write_text("{}")
    rc, out = run("verify")
    assert rc == 1
    assert f"{broken}: is not a reference" in out


def test_show_tells_the_reference_of_a_block_with_and_without_a_baseline(run: Run) -> None:
    rc, out = run("show", "24443168")
    assert rc == 0
    assert out.startswith("mainnet/24443168 · reference, never gated against · ethrex-office-4")
    with pytest.raises(UsageError, match="no baseline of mainnet/24443168 of ethrex"):
        run("show", "24443168", "--kind", "ethrex")


def test_prune_deletes_programs_that_nobody_used_for_long(
    run: Run, checked: tuple[Path, Path, Program]
) -> None:
    _, copy, _ = checked
    words = ("prune", "--unused-programs", "30", "--archive", "archive")
    assert run(*words) == (0, "nothing was deleted: this is a dry run, add --yes to delete\n")
    then = time.time() - 31 * 86_400
    os.utime(copy, (then, then))
    rc, out = run(*words)
    assert rc == 0
    assert out.startswith(f"would delete {copy.relative_to(Path.cwd())}, ")
    assert copy.exists()
    assert run(*words, "--yes")[1].startswith("deleted ")
    assert not copy.exists()
    with pytest.raises(UsageError, match="it takes no block"):
        run(*words, SPEC)
    with pytest.raises(UsageError, match="name what to prune"):
        run("prune", "--all")


# --- stacks beside a baseline -------------------------------------------------------------------------------


def keep_stacks(file: Path, sha: str | None = None) -> Path:
    """Keep stacks beside `file`, of this program or its newest session's."""
    sha = sha or store.load(file).epoch.sessions[-1].program.sha256
    profiles.save(file, samples.profile(samples.executing({"a": [3] * 4}), sha=sha))
    return profiles.path(file)


def test_prune_takes_the_stacks_of_a_whole_baseline_with_it(run: Run, file: Path) -> None:
    stacks = keep_stacks(file)
    assert f"would delete {stacks}" in run("prune", SPEC, "--all")[1]
    assert stacks.exists()
    assert f"deleted {stacks}" in run("prune", SPEC, "--all", "--yes")[1]
    assert not stacks.exists()


def test_prune_keeps_stacks_as_long_as_a_session_is_of_their_program(run: Run, file: Path) -> None:
    stacks = keep_stacks(file)
    assert str(stacks) not in run("prune", SPEC, "--keep-epochs", "1", "--yes")[1]
    assert stacks.exists()
    keep_stacks(file, sha="f" * 64)
    assert f"deleted {stacks}" in run("prune", SPEC, "--session", "first", "--yes")[1]
    assert not stacks.exists()


def test_verify_reads_the_stacks(run: Run, file: Path) -> None:
    stacks = keep_stacks(file)
    assert run("verify") == (0, "1 of 1 baselines are sound\n")
    keep_stacks(file, sha="f" * 64)
    rc, out = run("verify")
    assert rc == 0
    assert f"note: {stacks}: these stacks are not of the newest session's program" in out
    stacks.write_bytes(b"\x1f\x8bcut")
    rc, out = run("verify")
    assert rc == 1
    assert f"{stacks}: can't be read" in out


def test_merge_carries_the_stacks_of_the_newest_session(run: Run, file: Path, tmp_path: Path) -> None:
    stacks = keep_stacks(file)
    theirs, out = tmp_path / "theirs.json", tmp_path / "out.json"
    theirs.write_bytes(file.read_bytes())
    keep_stacks(theirs, sha="f" * 64)
    told = run("merge", theirs, file, "-o", out)[1]
    assert f"{profiles.path(out)}: its newest session's stacks, from {stacks}" in told
    assert profiles.path(out).read_bytes() == stacks.read_bytes()
    assert "stacks" not in run("merge", file, theirs, "-o", file)[1]
