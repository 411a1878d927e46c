"""Every workflow, action and job that we write or document is valid, and a linter of security passes it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_ethrex_perf.commands import scaffold, surroundings
from pytest_ethrex_perf.commands.requirement import Requirement
from tests.ci import actions

BIN = Path(sys.executable).parent
PINNED = re.compile(r"uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
PAGE = (actions.ROOT / "docs/ci.md").read_text()
DOCUMENTED = "documented.yml"
SNIPPETS = [
    text.replace("OWNER/", "owner/").replace("@COMMIT", f"@{'c0ffee17' * 5}")
    for text in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
]


def workflows(*, engine: bool) -> dict[str, str]:
    """What `ethrex-perf init --github` writes, and what the page shows, by name."""
    seen = surroundings.Surroundings(
        root=actions.ROOT,
        top=actions.ROOT,
        packages={"ethrex": Path("cmd/ethrex")} if engine else {},
        harness=None,
        needed=frozenset(),
        caches=None,
        has_perf=False,
        has_pmu=False,
        has_callgrind=False,
        spread=0.0,
    )
    written = {path.name: text for path, text in scaffold.files(seen, Requirement()) if path.suffix == ".yml"}
    return written | {DOCUMENTED: next(text for text in SNIPPETS if "jobs:" in text)}


def check(schema: str, *files: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, files)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_everything_is_what_its_schema_says(tmp_path: Path) -> None:
    for name, text in workflows(engine=True).items():
        (tmp_path / name).write_text(text)
    check("vendor.github-workflows", *tmp_path.iterdir())
    check("vendor.github-actions", actions.ROOT / "action.yml")
    (tmp_path / "gitlab.yml").write_text(next(text for text in SNIPPETS if "jobs:" not in text))
    check("vendor.gitlab-ci", tmp_path / "gitlab.yml")


@pytest.mark.parametrize("engine", [False, True])
def test_the_linter_of_security_has_nothing_to_say(tmp_path: Path, engine: bool) -> None:  # noqa: FBT001 - a case
    folder = tmp_path / ".github/workflows"
    folder.mkdir(parents=True)
    for name, text in workflows(engine=engine).items():
        (folder / name).write_text(text)
    shutil.copy(actions.ROOT / "action.yml", tmp_path)
    shown = folder / DOCUMENTED  # ten lines have neither names nor comments
    for persona in ("regular", "pedantic"):
        command = [str(BIN / "zizmor"), "--offline", "--no-config", f"--persona={persona}", str(tmp_path)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        shown.unlink(missing_ok=True)


def test_actions_of_others_are_pinned_by_their_commit() -> None:
    texts = [*workflows(engine=True).values(), (actions.ROOT / "action.yml").read_text()]
    used = [
        line.strip().removeprefix("- ") for text in texts for line in text.splitlines() if "uses: " in line
    ]
    assert len(used) > 8
    assert [line for line in used if not PINNED.match(line) and "owner/" not in line] == []
    versions = {tuple(re.split("[@ ]", line)[1:]) for line in used if "owner/" not in line}
    assert len({name for name, *_ in versions}) == len(versions)  # of each one version


def test_nobodys_text_becomes_a_script() -> None:
    for text in [*workflows(engine=True).values(), (actions.ROOT / "action.yml").read_text()]:
        content = actions.load(text)
        jobs = [*content["jobs"].values()] if "jobs" in content else [content["runs"]]
        for step in (step for job in jobs for step in job["steps"] if "run" in step):
            assert "${{" not in step["run"]


def test_only_jobs_that_run_nothing_of_a_pull_request_may_write() -> None:
    written = {name: actions.load(text) for name, text in workflows(engine=True).items()}
    gate, comment = written["ethrex-perf.yml"], written["ethrex-perf-comment.yml"]
    assert gate["permissions"] == {"contents": "read"}
    assert all("permissions" not in job for job in gate["jobs"].values())
    assert "secrets." not in workflows(engine=True)["ethrex-perf.yml"]
    assert comment["permissions"] == {}
    assert not any("checkout" in str(step.get("uses")) for step in comment["jobs"]["comment"]["steps"])
    assert comment["on"]["workflow_run"]["workflows"] == [gate["name"]]
    measure, propose = written["ethrex-perf-nightly.yml"]["jobs"].values()
    assert "permissions" not in measure
    assert propose["permissions"] == {"contents": "write", "pull-requests": "write"}


def test_the_page_lists_the_inputs_and_outputs_of_the_action() -> None:
    action = actions.load((actions.ROOT / "action.yml").read_text())
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == list(action["inputs"])
    assert all(f"`{name}`" in PAGE for name in action["outputs"])
    snippet = next(text for text in SNIPPETS if "jobs:" in text)
    assert len(snippet.splitlines()) == 10
    assert all(line in (actions.ROOT / "README.md").read_text() for line in snippet.splitlines()[:-1])
