"""What users have stored is read and printed as it was by the version that wrote it: see `printed`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ethrex_perf.baseline import store
from pytest_ethrex_perf.records import results_file
from tests.recorded import printed

if TYPE_CHECKING:
    from pathlib import Path

BASELINES = sorted(printed.FILES.rglob("baselines/**/*.json"))


def recorded(name: str) -> str:
    return (printed.PRINTED / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", printed.COMMANDS)
def test_a_command_prints_what_it_printed(name: str) -> None:
    text = printed.printed(printed.COMMANDS[name])
    assert text == recorded(name), "changed on purpose? make golden, then look at the difference"


def test_every_help_says_what_it_said() -> None:
    # by words: how argparse and pytest lay them out changes with their versions
    assert words(printed.all_helps()) == words(recorded("help")), "changed on purpose? make golden"


def words(helps: str) -> list[str]:
    """The words, with a value once where an option has two names, as argparse has it from Python 3.13 on."""
    return re.sub(r"(--?[\w-]+) (\S+),(?=\s+--?[\w-]+ \2)", r"\1,", helps).split()


def test_nothing_else_lies_there() -> None:
    assert {file.stem for file in printed.PRINTED.iterdir()} == {*printed.COMMANDS, "help"}


@pytest.mark.parametrize("file", BASELINES, ids=lambda file: file.stem)
def test_a_baseline_is_written_as_it_was_read(file: Path) -> None:
    assert store.dump(store.load(file)) == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", printed.RESULTS)
def test_all_of_a_results_file_is_read(name: str) -> None:
    file = printed.FILES / f"{name}.json"
    read = json.loads(results_file.dump(results_file.load(file)))
    assert_contains(read, json.loads(file.read_text(encoding="utf-8")), name)


def assert_contains(found: Any, known: Any, where: str) -> None:
    """Every value of `known` is in `found`, which may have more fields."""
    if isinstance(known, dict):
        for name, value in known.items():
            assert_contains(found[name], value, f"{where}.{name}")
    elif isinstance(known, list):
        assert len(found) == len(known), where
        for index, value in enumerate(known):
            assert_contains(found[index], value, f"{where}[{index}]")
    else:
        assert found == known, where


@pytest.mark.parametrize("name", printed.RESULTS)
def test_the_raw_data_are_still_sealed(name: str) -> None:
    for block in results_file.load(printed.FILES / f"{name}.json").blocks:
        assert block.raw_sha256 == block.raw_digest()
