"""`[build]` in ethrex-perf.toml: what is read, and what is refused with the key and the form."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ethrex_perf.config.build_table import BuildTable, fill, read
from pytest_ethrex_perf.errors import UsageError

FILE = Path("here") / "ethrex-perf.toml"
LEAST: dict[str, Any] = {"command": "make", "artifact": "program"}
KEYS = ("repository", "command", "artifact", "environment", "compiler", "harness", "revision", "base", "head")
WORDS = ("{source}", "{sourc}", "~nobody/x", "make\0")

values = st.recursive(
    st.text() | st.integers() | st.booleans() | st.floats() | st.sampled_from(WORDS),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=6,
)


def test_paths_start_at_the_folder_of_the_file() -> None:
    table = read({**LEAST, "repository": "../ethrex", "harness": {"repository": "../replay"}}, FILE)
    assert table.repository == Path("here/../ethrex")
    assert table.harness is not None
    assert table.harness.repository == Path("here/../replay")
    assert read(LEAST, FILE).repository is None


def test_each_side_may_have_a_harness_of_its_own() -> None:
    harness = {"repository": "replay", "revision": "main", "head": "api"}
    table = read({**LEAST, "harness": harness}, FILE)
    assert table.harness is not None
    assert table.harness.revisions == {"base": "main", "head": "api"}


def test_only_places_are_filled_in() -> None:
    places = {"source": "/s", "target": "/t"}
    assert fill("{source}/a {target} ${source} {other} {a,b}", places) == "/s/a /t ${source} {other} {a,b}"


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ([], ": write a table"),
        ({"artifact": "a"}, ": command is missing: write a table [build] with command = "),
        ({"command": "make"}, ": artifact is missing: write a table [build] with command = "),
        ({**LEAST, "comand": "x"}, ": unknown name 'comand': did you mean 'command'?"),
        ({**LEAST, "command": []}, ": command: write a line for the shell in quotes, or a list of words"),
        (
            {**LEAST, "command": "cp {soruce}/a {target}"},
            ": {soruce} stands for nothing here; there are {source}, ",
        ),
        ({**LEAST, "command": "cd {harness}"}, ": {harness} stands for nothing here; there are {source}, "),
        ({**LEAST, "artifact": ""}, ": artifact: write it as text, in quotes, and not empty"),
        ({**LEAST, "environment": {"N": 1}}, ": environment: N: write its value as text, in quotes"),
        ({**LEAST, "repository": "~nobody-here/x"}, ": repository: '~nobody-here/x': there is no such home"),
    ],
)
def test_what_makes_no_sense_is_refused(table: object, told: str) -> None:
    with pytest.raises(UsageError) as raised:
        read(table, FILE)
    assert str(raised.value).startswith(f"{FILE}: [build]{told}")


def test_a_harness_without_a_repository_is_refused() -> None:
    with pytest.raises(UsageError, match=r"\[build.harness\]: repository is missing: write repository = "):
        read({**LEAST, "harness": {"revision": "main"}}, FILE)


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(KEYS), values))
def test_whatever_it_says_is_read_or_refused(table: dict[str, object]) -> None:
    for whole in (table, {**LEAST, **table}):
        with contextlib.suppress(UsageError):
            assert isinstance(read(whole, FILE), BuildTable)
