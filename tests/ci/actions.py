"""A runner of GitHub Actions, as far as our workflows need one: their `run:` steps, in order, for real.

Actions of others are stood in for: a checkout is the folder as it is, artifacts are folders. `gh` is that of
`FakeGitHub`; what `python3 -m venv` makes has this environment's commands, and a pip that installs nothing.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from tests.commands.fake_github import FakeGitHub

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
_PLACE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_TOKEN = re.compile(r"'(?:[^']|'')*'|&&|\|\||!=|==|!|[()]|\w[\w.-]*|\s+")
_STATUS = re.compile(r"\b(?:always|cancelled|failure|success)\(\)")
_SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
_WORDS = {"&&": " and ", "||": " or ", "!": " not ", "true": "True", "false": "False"}

# what `python3` is: `-m venv` in no time, and without a network
_PYTHON = f"""#!/bin/sh
if [ "$1 $2" != "-m venv" ]; then exec {sys.executable} "$@"; fi
for folder; do :; done
mkdir -p "$folder/bin"
printf '#!/bin/sh\\necho "$@" >> "$RUNNER_TEMP/installed"\\n' > "$folder/bin/python"
printf '#!/bin/sh\\nexec {sys.executable} -m pytest "$@"\\n' > "$folder/bin/pytest"
printf '#!/bin/sh\\nexec {sys.executable} -m tests.ci.ethrex_perf "$@"\\n' > "$folder/bin/ethrex-perf"
printf 'PATH="%s/bin:$PATH"\\n' "$(realpath "$folder")" > "$folder/bin/activate"
chmod +x "$folder"/bin/*
"""


def load(text: str) -> Any:
    """The content of a YAML file, version 1.2 (`on` is no truth value)."""
    return YAML(typ="safe", pure=True).load(text)


@dataclass
class Ran:
    """What became of a job."""

    outcomes: dict[str, str] = field(default_factory=dict)
    """`success`, `failure`, `skipped` of each step, by its name."""
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of each step that has an id."""
    log: str = ""

    @property
    def conclusion(self) -> str:
        return "failure" if "failure" in self.outcomes.values() else "success"


def write_python(folder: Path) -> None:
    """Write the `python3` that makes an environment of ours."""
    python = folder / "python3"
    python.write_text(_PYTHON)
    python.chmod(0o755)


class Runner:
    """A machine that runs jobs in one repository."""

    def __init__(self, path: Path, repository: Path) -> None:
        self.repository = repository
        self.artifacts = path / "artifacts"
        self.github = FakeGitHub(path)
        self.temporary = path / "temp"
        self.summary = path / "summary.md"
        self._path = path
        self._bin = path / "bin"
        for folder in (self.temporary, self.artifacts, path / "home", self._bin):
            folder.mkdir()
        self.github.gh(self._bin)
        write_python(self._bin)

    def run(self, steps: list[Any], contexts: Mapping[str, Any], event: object, **environ: str) -> Ran:
        """Run the steps of a job, with `contexts` for its expressions: `github`, `inputs`, `secrets`, …"""
        (self._path / "event.json").write_text(json.dumps(event))
        ran = Ran()
        added: list[str] = []
        for step in steps:
            name = str(step.get("name") or step.get("uses"))
            known = {
                "runner": {"temp": str(self.temporary)},
                "steps": {
                    key: {"outputs": value, "outcome": value["outcome"]} for key, value in ran.outputs.items()
                },
                **contexts,
            }
            outputs: dict[str, str] = {}
            if not _holds(str(step.get("if", "success()")), known, failed=ran.conclusion == "failure"):
                outcome = "skipped"
            elif "uses" in step:
                outcome = self._use(step, known)
            else:
                outcome, outputs = self._shell(step, known, environ, added, ran)
            if "id" in step:
                ran.outputs[step["id"]] = {**outputs, "outcome": outcome}
            ran.outcomes[name] = (
                "success" if step.get("continue-on-error") and outcome == "failure" else outcome
            )
        return ran

    def _use(self, step: Any, known: Mapping[str, Any]) -> str:
        action = step["uses"].partition("@")[0]
        given = {key: _filled(str(value), known) for key, value in step.get("with", {}).items()}
        if action == "actions/checkout":
            assert step["with"]["persist-credentials"] is False
            return "success"
        here = self.repository / given["path"]  # an absolute one stays
        stored = self.artifacts / given["name"]
        if action == "actions/upload-artifact":
            if not here.exists():
                return "failure" if given.get("if-no-files-found") == "error" else "success"
            shutil.copytree(here, stored, dirs_exist_ok=True)
            return "success"
        assert action == "actions/download-artifact"
        if not stored.exists():
            return "failure"
        shutil.copytree(stored, here, dirs_exist_ok=True)
        return "success"

    def _shell(
        self, step: Any, known: Mapping[str, Any], environ: Mapping[str, str], added: list[str], ran: Ran
    ) -> tuple[str, dict[str, str]]:
        assert "${{" not in step["run"], "text of others never becomes a script"
        files = {name: self._path / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_ENV")}
        for file in files.values():
            file.write_text("")
        given = {key: _filled(str(value), known) for key, value in step.get("env", {}).items()}
        finished = subprocess.run(
            [*_SHELL, "-c", step["run"]],
            cwd=self.repository,
            env={
                "PATH": os.pathsep.join([*reversed(added), str(self._bin), os.environ["PATH"]]),
                "HOME": str(self._path / "home"),
                "CI": "true",
                "GITHUB_ACTIONS": "true",
                "GITHUB_REPOSITORY": "o/r",
                "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_RUN_ID": "99",
                "GITHUB_EVENT_PATH": str(self._path / "event.json"),
                "GITHUB_STEP_SUMMARY": str(self.summary),
                "RUNNER_TEMP": str(self.temporary),
                "FAKE_GITHUB": str(self._path),
                **{name: str(file) for name, file in files.items()},
                **environ,
                **given,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        ran.log += finished.stdout
        added += files["GITHUB_PATH"].read_text().split()
        outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
        return ("success" if finished.returncode == 0 else "failure"), outputs


def _filled(text: str, known: Mapping[str, Any]) -> str:
    def value(match: re.Match[str]) -> str:
        found = evaluate(match[1], known, failed=False)
        return str(found).lower() if isinstance(found, bool) else str(found)

    return _PLACE.sub(value, text)


def _holds(condition: str, known: Mapping[str, Any], *, failed: bool) -> bool:
    """A step's `if`: without a word on the status it means success, too."""
    expression = condition.strip().removeprefix("${{").removesuffix("}}")
    if not _STATUS.search(expression):
        expression = f"success() && ({expression})"
    return bool(evaluate(expression, known, failed=failed))


def evaluate(expression: str, known: Mapping[str, Any], *, failed: bool) -> object:
    """An expression of GitHub's language, as far as ours go; a context that is not known is an error."""
    python = "".join(
        _WORDS.get(token) or (token if not token[0].isalpha() or token.endswith(")") else _reference(token))
        for token in _tokens(expression)
    )
    names = {
        "find": lambda path: _find(path, known),
        "failure": lambda: failed,
        "success": lambda: not failed,
        "cancelled": lambda: False,
        "always": lambda: True,
    }
    return eval(python.strip(), {"__builtins__": {}}, names)  # noqa: S307 - our own workflows


def _tokens(expression: str) -> list[str]:
    tokens = _TOKEN.findall(expression)
    assert "".join(tokens) == expression, expression
    return tokens


def _reference(token: str) -> str:
    return token if token in ("failure", "success", "cancelled", "always") else f"find({token!r})"


def _find(path: str, known: Mapping[str, Any]) -> object:
    value: Any = known
    names = path.split(".")
    for depth, name in enumerate(names):
        if (
            depth < 2 or name in value
        ):  # contexts and events are what they are; a step that set nothing is empty
            value = value[name]
        else:
            return ""
    return value
