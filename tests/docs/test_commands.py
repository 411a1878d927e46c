"""What the pages tell to type is what can be typed: commands are parsed, options are there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from pytest_ethrex_perf import cli
from pytest_ethrex_perf.config.options import MARKER_OPTIONS, OPTIONS
from tests.docs.console import commands

ROOT = Path(__file__).parents[2]
FILES = ("README.md", "CONTRIBUTING.md", *(str(page.relative_to(ROOT)) for page in ROOT.glob("docs/**/*.md")))
OF_OTHERS = {"--ethrex-my-option"}  # CONTRIBUTING's example of one that is added
OPTION = re.compile(r"--ethrex-[a-z-]*[a-z](?![a-z…-])")


@pytest.mark.parametrize("file", FILES)
def test_every_option_that_a_page_names_is_there(file: str) -> None:
    named = set(OPTION.findall((ROOT / file).read_text()))
    assert named - {option.flag_name for option in OPTIONS.values()} - OF_OTHERS == set()


@pytest.mark.parametrize("file", FILES)
def test_every_command_in_a_console_can_be_parsed(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in commands((ROOT / file).read_text()):
        words = [word for word in shlex.split(command.text.split("<<")[0], comments=True) if word != "…"]
        if words[:1] != ["ethrex-perf"]:
            continue
        try:
            cli.parser().parse_args(words[1:])
        except SystemExit:
            pytest.fail(f"{command.text}\n{capsys.readouterr().err}")


def test_the_page_of_markers_names_what_a_marker_takes() -> None:
    page = " ".join((ROOT / "docs/reference/markers.md").read_text().split())
    sentence = page.split("The marker takes ")[1].split(". ")[0]
    assert sorted(re.findall(r"`(\w+)`", sentence)) == sorted(MARKER_OPTIONS)
