"""`ethrex-perf history`, as it is called."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import msgspec
import pytest

from pytest_ethrex_perf.baseline import store
from pytest_ethrex_perf.cli import main
from pytest_ethrex_perf.records import history as records
from pytest_ethrex_perf.records import results_file
from tests.baseline import builders, years
from tests.git_repositories import GitRepository
from tests.report import builders as reports

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.records.history import BlockHistory

SLOWER = years.year((90, 8), noise=0.002)


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def saved(path: Path, *blocks: BlockHistory) -> str:
    path.write_bytes(records.dump(years.history(*blocks)))
    return str(path)


def test_changes_are_listed_with_their_bisection(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", saved(tmp_path / "h.json", SLOWER, years.year(block="hoodi/5"))]) == 0
    first, change, bisect, *rest = capsys.readouterr().out.splitlines()
    assert first == "2 histories of exec, prep, instructions, 730 sessions, 1 change"
    assert change.startswith("mainnet/24443168: exec +8.0 % [+7.9, +8.1] between 00590059 (2026-03-31) and ")
    assert change.endswith("005a005a (2026-04-01)")
    assert bisect.startswith("  ethrex-perf bisect 0059")
    assert rest == []


def test_ten_small_slowdowns_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    crept = years.year(*((30 * n, 0.8) for n in range(1, 11)), noise=0.006)
    assert main(["history", saved(tmp_path / "h.json", crept)]) == 0
    _, change, bisect = capsys.readouterr().out.splitlines()
    assert re.search(
        r"exec \+[78]\.\d % \[\+\d\.\d, \+\d\.\d\] in \d steps between [0-9a-f]{8} \(.*\) and [0-9a-f]{8} ",
        change,
    )
    assert bisect.endswith(" --all")


@pytest.mark.parametrize(
    ("block", "code"),
    [
        (SLOWER, 1),
        (years.year((90, 8), (200, -6)), 0),
        (years.year((90, 8), epochs=[(93, "agreed upon")]), 0),
        (years.year((90, 8), one_program=True), 0),
        (years.year(), 0),
    ],
    ids=["slower", "faster again", "accepted", "another machine", "unchanged"],
)
def test_check_fails_for_a_slowdown_that_nobody_accepted(
    block: BlockHistory, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = saved(tmp_path / "h.json", block)
    assert main(["history", "--check", file]) == code
    assert ("1 slowdown that nobody accepted or waived" in capsys.readouterr().out) is (code == 1)
    assert main(["history", file]) == 0


def test_json_is_read_again_and_grows_with_every_night(tmp_path: Path) -> None:
    file = tmp_path / "h.json"
    saved(file, msgspec.structs.replace(SLOWER, sessions=SLOWER.sessions[:100]))
    assert main(["history", str(file), "--json", str(file)]) == 0
    (earlier,) = json.loads(file.read_text())["blocks"]
    late = saved(tmp_path / "late.json", SLOWER)
    assert main(["history", str(file), late, "--json", str(file)]) == 0
    (grown,) = json.loads(file.read_text())["blocks"]
    assert (len(earlier["sessions"]), len(grown["sessions"])) == (100, 365)
    assert [change["id"] for change in grown["changes"]] == [change["id"] for change in earlier["changes"]]


def test_sessions_come_from_baselines_and_from_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    baseline = builders.two_epochs()
    store.write(builders.baseline_path(tmp_path / "baselines"), baseline)
    assert main(["history", "--json", "h.json"]) == 0
    (block,) = json.loads((tmp_path / "h.json").read_text())["blocks"]
    assert block["block"] == str(builders.BLOCK)
    assert [session["id"] for session in block["sessions"]] == [each.id for each in baseline.sessions()]
    assert block["sessions"][0]["levels"]["exec"]["mean"] == pytest.approx(50e6, rel=1e-3)
    assert block["sessions"][2]["tags"] == ["v1"]
    assert block["epochs"][0]["reason"] == "first recording"
    (tmp_path / "r.json").write_text(results_file.dump(reports.several()), encoding="utf-8")
    assert main(["history", "r.json", "--json", "h.json"]) == 0
    names = [block["block"] for block in json.loads((tmp_path / "h.json").read_text())["blocks"]]
    assert len(names) > 1
    assert str(builders.BLOCK) in names
    capsys.readouterr()
    assert main(["history", "r.json", "--block", "hoodi:1265656", "--machine", builders.MACHINE.key]) == 0
    assert capsys.readouterr().out.startswith("1 history of exec, prep, instructions, 6 sessions")


def test_sessions_that_a_baseline_lost_come_from_its_versions_in_git(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = GitRepository(tmp_path / "made")
    file = builders.baseline_path(repository.path / "baselines")
    for night in range(26):
        builders.add(repository.path / "baselines", builders.make_session(night, invocations=2))
        repository.git("add", "baselines")
        repository.git("commit", "--quiet", "--message", "Record a session")
    kept = [session.id for session in store.load(file).sessions()]
    assert len(kept) == 21
    file.unlink()  # recorded anew, and not committed yet
    builders.add(repository.path / "baselines", builders.make_session(26, invocations=2))

    def sessions(*words: str) -> list[str]:
        assert main(["history", "--baselines", "made/baselines", "--json", "h.json", *words]) == 0
        (block,) = json.loads((tmp_path / "h.json").read_text())["blocks"]
        return [session["id"] for session in block["sessions"]]

    every = sessions()
    assert len({*every}) == len(every) == 27
    assert {*kept} < {*every}
    assert sessions("h.json") == every
    assert sessions("--no-versions") == every[-1:]
    capsys.readouterr()
    (repository.path / ".git" / "shallow").write_text("")
    (repository.path / ".git" / "HEAD").write_text("nothing")
    assert sessions() == every[-1:]
    err = capsys.readouterr().err
    assert "note: earlier versions of baselines are not read: " in err
    assert err.count("\n") == 2


def test_tags_are_releases_and_commits_have_subjects_and_links(tmp_path: Path) -> None:
    repository = GitRepository(tmp_path / "ethrex")
    repository.git("commit", "--quiet", "--allow-empty", "-m", "Charge less for <b>SLOAD</b>")
    repository.git("tag", "v1.0.0")
    repository.git("remote", "add", "origin", "https://token:secret@github.com/somebody/ethrex.git")
    commit = repository.git("rev-parse", "HEAD").strip()
    sessions = tuple(msgspec.structs.replace(session, commit=commit) for session in SLOWER.sessions)
    file = saved(tmp_path / "h.json", msgspec.structs.replace(SLOWER, sessions=sessions))
    assert main(["history", file, "--json", "out.json", "--html", "site", "--repository", "ethrex"]) == 0
    history = json.loads((tmp_path / "out.json").read_text())
    assert [release["name"] for release in history["releases"]] == ["v1.0.0"]
    assert history["blocks"][0]["changes"][0]["after"]["subject"] == "Charge less for <b>SLOAD</b>"
    page = (tmp_path / "site/index.html").read_text()
    # both ends of the change, and the release
    assert page.count(f'<a href="https://github.com/somebody/ethrex/commit/{commit}" rel="noreferrer">') == 3
    assert "secret" not in page


@pytest.mark.parametrize(
    ("words", "feed", "href"),
    [
        (["--html", "site", "--atom", "site/changes.atom"], "changes.atom", "index.html"),
        (["--html", "site", "--atom", "feed/a.atom"], "../feed/a.atom", "../site/index.html"),
        (
            ["--html", "site", "--atom", "site/a.atom", "--url", "https://example.org/perf"],
            "a.atom",
            "https://example.org/perf/index.html",
        ),
    ],
)
def test_the_site_and_its_feed_link_to_each_other(
    words: list[str], feed: str, href: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["history", saved(tmp_path / "h.json", SLOWER), *words]) == 0
    assert f"written: {words[3]}" in capsys.readouterr().err
    assert f'href="{feed}"' in (tmp_path / "site/index.html").read_text()
    assert f'href="{href}"' in (tmp_path / words[3]).read_text()
    assert (tmp_path / "site/blocks/mainnet-24443168/bench-ethrex.html").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "no sessions in baselines or the files: record with --ethrex-update-baseline"),
        (["none.json"], "none.json: cannot be read"),
        (["text.json"], "text.json: neither results nor a history"),
        (["--metrics", "speed"], "--metrics: 'speed' is no metric: there are exec, prep"),
        (["--metrics", ","], "--metrics: name at least one metric"),
        (["h.json", "--machine", "other"], "no sessions of these blocks or this machine"),
        (["h.json", "--repository", "none"], "none: there is no such directory"),
        (["h.json", "--url", "https://me:secret@example.org"], "--url: give the address of the site"),
        (["h.json", "--html", "text.json"], "text.json"),
        (["new.json"], "a history of another version (schema 2, this one reads 1)"),
    ],
)
def test_what_goes_wrong_is_one_line(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved(tmp_path / "h.json", SLOWER)
    (tmp_path / "text.json").write_text("not JSON")
    (tmp_path / "new.json").write_text('{"schema": 2, "version": "9", "blocks": [], "more": 1}')
    assert main(["history", *words]) in {1, 2}
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
