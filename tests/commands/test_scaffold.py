"""The files of `ethrex-perf init`: they mean what they say, to our own readers of them."""

from __future__ import annotations

import ast
import json
import os
from typing import TYPE_CHECKING

import pytest
import tomli

from pytest_ethrex_perf.commands import scaffold, surroundings
from pytest_ethrex_perf.commands.requirement import Requirement
from pytest_ethrex_perf.config import settings
from pytest_ethrex_perf.records.block import BlockId
from tests.commands.test_surroundings import caches, crate, engine

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.config.settings import Settings

KINDS = ("empty", "caches", "program", "engine")


@pytest.fixture(params=KINDS)
def seen(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> surroundings.Surroundings:
    """Surroundings of every kind."""
    monkeypatch.setattr(surroundings, "measure_spread", lambda: 0.004)
    root = tmp_path / "ethrex"
    if request.param == "engine":
        engine(root)
    elif request.param == "program":
        crate(root, "ethrex-replay")
    if request.param == "caches":
        caches(root / 'a "quoted" folder', 1, 2)
        caches(root / 'a "quoted" folder', 3, network="hoodi")
    root.mkdir(exist_ok=True)
    return surroundings.look(root, os.environ)


def _read(seen: surroundings.Surroundings) -> Settings:
    """The settings as a run reads them."""
    for path, text in scaffold.files(seen):
        (seen.root / path).parent.mkdir(parents=True, exist_ok=True)
        (seen.root / path).write_text(text)
    return settings.load({"block": ["all"]}, cwd=seen.root, root=seen.root, ini={}, environ={})


def test_nothing_is_left_to_fill_in(seen: surroundings.Surroundings) -> None:
    for _, text in scaffold.files(seen, Requirement()):
        assert "@@" not in text
        assert not any(line != line.rstrip() for line in text.splitlines())
        assert "\n\n\n\n" not in text
        assert text.endswith("\n")


def test_caches_that_are_not_in_git_lie_in_the_home_of_a_runner(seen: surroundings.Surroundings) -> None:
    texts = {path.stem: text for path, text in scaffold.files(seen, Requirement())}
    assert ' --ethrex-cache-dir="$HOME/ethrex-perf/replay_cache" \\\n' in texts["ethrex-perf"]
    assert ' --cache-dir="$HOME/ethrex-perf/replay_cache" |\n' in texts["ethrex-perf-nightly"]
    assert max(len(line) for text in texts.values() for line in text.splitlines()) <= 120
    assert ("git clone" in texts["ethrex-perf"]) == seen.is_engine


def test_the_settings_are_read_and_list_the_blocks(seen: surroundings.Surroundings) -> None:
    read = _read(seen)
    if seen.caches is None:
        assert read.blocks == (BlockId("mainnet", 24443168),)
    else:
        assert set(read.blocks) == {BlockId("mainnet", 1), BlockId("mainnet", 2), BlockId("hoodi", 3)}
        assert read.cache_dir == seen.root / 'a "quoted" folder'


def test_every_setting_that_is_commented_out_could_stand_there(seen: surroundings.Surroundings) -> None:
    _read(seen)
    file = seen.root / "ethrex-perf.toml"
    text = file.read_text()
    told = [line.removeprefix("# ") for line in text.splitlines()]
    settings_only = [
        line for line in told if line and (line[0] in '["]' or " = " in line or line.startswith("  "))
    ]
    file.write_text("\n".join(settings_only))
    read = settings.load({"block": ["all"]}, cwd=seen.root, root=seen.root, ini={}, environ={})
    assert len(read.waivers) == 1


def test_the_example_is_a_test_that_takes_the_fixture(seen: surroundings.Surroundings) -> None:
    (example,) = (text for path, text in scaffold.files(seen) if path.name == "test_blocks.py")
    (function,) = (node for node in ast.parse(example).body if isinstance(node, ast.FunctionDef))
    assert [argument.arg for argument in function.args.args] == ["ethrex_block"]
    (marker,) = (ast.unparse(decorator) for decorator in function.decorator_list)
    assert marker.startswith("pytest.mark.ethrex_block(")


def test_the_program_is_built_with_every_crate_of_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surroundings, "measure_spread", lambda: 0.004)
    seen = surroundings.look(engine(tmp_path / "ethrex"), os.environ)
    (text,) = (text for path, text in scaffold.files(seen) if path.name == "ethrex-perf.toml")
    build = tomli.loads(text)["build"]
    patches = [word for word in build["command"] if word.startswith("patch.")]
    assert patches == [
        f'patch."https://github.com/lambdaclass/ethrex".{name}.path="{{source}}/{path}"'
        for name, path in {
            "ethrex": "cmd/ethrex",
            "ethrex-common": "crates/common",
            "ethrex-vm": "crates/vm",
        }.items()
    ]
    assert build["command"].count("--config") == len(patches)
    assert build["harness"] == {"repository": "../ethrex-replay", "revision": "origin/HEAD"}


def test_of_a_program_beside_it_only_the_crates_that_it_takes_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # one that a head adds would not be there in base
    monkeypatch.setattr(surroundings, "measure_spread", lambda: 0.004)
    root = engine(tmp_path / "ethrex")
    crate(tmp_path / "ethrex-replay", "ethrex-replay")
    with (tmp_path / "ethrex-replay/Cargo.toml").open("a") as manifest:
        manifest.write(
            '[dependencies]\nserde = "1"\nother = { git = "https://github.com/lambdaclass/lambdaworks" }\n'
            'common = { git = "https://github.com/lambdaclass/ethrex", package = "ethrex-common" }\n'
        )
    seen = surroundings.look(root, os.environ)
    (text,) = (text for path, text in scaffold.files(seen) if path.name == "ethrex-perf.toml")
    command = tomli.loads(text)["build"]["command"]
    assert [word.split('"')[2] for word in command if word.startswith("patch.")] == [".ethrex-common.path="]


def test_text_from_a_path_stays_text() -> None:
    hostile = 'x"]\n[allow]\n# \\'
    assert json.loads(scaffold._quoted(hostile)) == hostile
    assert tomli.loads(f"x = {scaffold._quoted(hostile)}") == {"x": hostile}
