"""Options from every place, in their order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ethrex_perf.config import readers
from pytest_ethrex_perf.config.options import MARKER_OPTIONS, OPTIONS
from pytest_ethrex_perf.config.settings import check_marker, load
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.records.metric import limits

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ethrex_perf.config.settings import Settings

BLOCK, OTHER = BlockId("mainnet", 24443168), BlockId("mainnet", 7)
LEVELS = (
    "[block.24443168.metric.exec]",
    "[block.24443168]",
    "[metric.exec]",
    "",  # general
)


def loaded(
    folder: Path, toml: str | None = None, ini: dict[str, Any] | None = None, **command_line: Any
) -> Settings:
    """Settings of a run in `folder`."""
    if toml is not None:
        (folder / "ethrex-perf.toml").write_text(toml)
    return load(command_line, cwd=folder, root=folder, ini=ini or {}, environ={})


# --- precedence ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strongest", range(8))
def test_the_strongest_place_that_has_a_value_wins(tmp_path: Path, strongest: int) -> None:
    """Marker > command line > file (block and metric > block > metric > general) > ini > default."""
    places = ["marker", "command line", *LEVELS, "ini", "default"]
    values = {place: 0.001 * (1 + index) for index, place in enumerate(places)}
    values["default"] = 0.01
    present = places[strongest:]
    tables = [place for place in reversed(LEVELS) if place in present]  # TOML: the general values come first
    toml = "\n".join(f"{table}\nmargin = {values[table]}" for table in tables)
    settings = loaded(
        tmp_path,
        toml,
        {"margin": str(values["ini"])} if "ini" in present else {},
        margin=str(values["command line"]) if "command line" in present else None,
    )
    marker = {"margin": values["marker"]} if "marker" in present else {}
    assert settings.limits(BLOCK, "exec", marker).margin == pytest.approx(values[places[strongest]])


def test_a_table_holds_for_its_own_block_and_metric_only(tmp_path: Path) -> None:
    toml = "\n".join(f"{table}\nmargin = 0.00{index + 2}" for index, table in enumerate(LEVELS[:3]))
    settings = loaded(tmp_path, toml)
    found = {
        (block, metric): settings.limits(block, metric).margin
        for block in (BLOCK, OTHER, None)
        for metric in ("exec", "prep")
    }
    assert found == {
        (BLOCK, "exec"): 0.002,
        (BLOCK, "prep"): 0.003,
        (OTHER, "exec"): 0.004,
        (OTHER, "prep"): 0.01,
        (None, "exec"): 0.004,
        (None, "prep"): 0.01,
    }
    assert settings.shown()["margin"] == "1%"


def test_zero_is_a_value_and_wins(tmp_path: Path) -> None:
    assert loaded(tmp_path, "margin = 0").limits(None, "exec").margin == 0
    assert loaded(tmp_path, "margin = '2%'", margin="0").limits(None, "exec").margin == 0


def test_a_flag_that_is_not_given_is_off(tmp_path: Path) -> None:
    assert loaded(tmp_path, aa=False).aa is False
    assert loaded(tmp_path, aa=True).aa is True


@pytest.mark.parametrize("name", [name for name in OPTIONS if name != "block"])
def test_nothing_anywhere_is_the_default(tmp_path: Path, name: str) -> None:
    settings = loaded(tmp_path)
    option = OPTIONS[name]
    if option.written:
        assert name not in settings.written
        return
    values = {**vars(settings.block(None)), **settings.limits(None, "exec")._asdict(), **vars(settings)}
    if option.per_metric:
        assert option.shown_default is not None
        usual = readers.of(name)(option.shown_default.partition(";")[0])
        assert values[name] == usual == getattr(limits("exec", callgrind=False), name)
    elif option.default is None:
        assert not values[name]
    else:
        read = readers.of(name)(option.default)
        assert values[name] == (tmp_path / read if option.path else read)


def test_what_callgrind_counts_has_limits_of_its_own(tmp_path: Path) -> None:
    for counters, callgrind in (("callgrind", True), ("perf", False)):
        settings = loaded(tmp_path, counters=counters)
        assert settings.limits(BLOCK, "instructions") == limits("instructions", callgrind=callgrind)
        assert settings.limits(BLOCK, "exec") == limits("exec", callgrind=callgrind)


def test_a_floor_is_of_times_only(tmp_path: Path) -> None:
    settings = loaded(tmp_path, floor="5ms")
    assert settings.limits(BLOCK, "exec").floor == 5e6
    assert settings.limits(BLOCK, "instructions", {"floor": "7ms"}).floor == 0


def test_what_is_shown_is_what_is_set(tmp_path: Path) -> None:
    toml = "[block.1]\ndrop = 2"
    shown = loaded(tmp_path, toml, repeat="auto", aa=True, json="r.json", rpc_url="x").shown()
    assert list(shown) == [name for name in OPTIONS if name in shown]
    assert (shown["repeat"], shown["drop"], shown["aa"]) == ("auto", "1", "on")
    assert (shown["json"], shown["metrics"]) == (str(tmp_path / "r.json"), "exec")
    assert shown.keys().isdisjoint({"base", "prefix", "rpc_url", "report"})


def test_the_arguments_are_those_that_were_typed_and_what_is_asked(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "[block.24443168]\nrepeat = 5", aa=True, margin="2%", repeat="5", json="r")
    asked = replace(settings.block(BLOCK), metrics=("exec", "prep"))
    assert settings.arguments(BLOCK, asked, without=("json",)) == [
        "--ethrex-margin=2%",
        "--ethrex-metrics=exec,prep",
        "--ethrex-aa",
    ]
    assert settings.arguments(OTHER, settings.block(OTHER), without=("json", "aa", "margin")) == [
        "--ethrex-repeat=5"
    ]


def test_a_bad_value_names_the_place_that_it_stands_in(tmp_path: Path) -> None:
    for place, where in (
        ({"margin": "5"}, r"--ethrex-margin: '5'"),
        ({"toml": "margin = 5"}, "ethrex-perf.toml: margin: 5"),
        ({"ini": {"margin": "5"}}, "ini ethrex_margin: '5'"),
    ):
        arguments: dict[str, Any] = place
        with pytest.raises(UsageError, match=where):
            loaded(tmp_path, **arguments)
        (tmp_path / "ethrex-perf.toml").unlink(missing_ok=True)
    with pytest.raises(UsageError, match=r"@pytest.mark.ethrex_block\(…, margin=…\): 5 is not a value"):
        loaded(tmp_path).limits(BLOCK, "exec", {"margin": 5})


def test_a_bad_value_is_found_even_where_a_stronger_place_hides_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ethrex-perf\.toml: margin: 5"):
        loaded(tmp_path, "margin = 5", margin="2%")


def test_a_marker_takes_what_may_differ_from_block_to_block(tmp_path: Path) -> None:
    assert set(MARKER_OPTIONS) == {
        "network", "repeat", "drop", "metrics", "margin", "tolerance", "floor"
    }  # fmt: skip
    check_marker(dict.fromkeys(MARKER_OPTIONS))
    with pytest.raises(UsageError, match="unknown name 'alpha'; known: drop, floor"):
        check_marker({"alpha": 0.05})
    assert loaded(tmp_path).block(BLOCK, {"metrics": ["prep"]}).metrics == ("prep",)


# --- paths --------------------------------------------------------------------------------------------------


def test_each_place_has_its_own_folder(tmp_path: Path) -> None:
    started, root = tmp_path / "started", tmp_path / "root"
    started.mkdir()
    root.mkdir()
    (root / "ethrex-perf.toml").write_text("cache_dir = 'caches'\n")
    settings = load(
        {"json": "r.json"}, cwd=started, root=root, ini={"log_dir": "logs", "cache_dir": "no"}, environ={}
    )
    assert settings.written["json"] == started / "r.json"
    assert settings.cache_dir == root / "caches"
    assert settings.log_dir == root / "logs"
    assert settings.baselines == root / "baselines", "defaults are beside the file"


def test_without_a_file_defaults_are_where_pytest_was_started(tmp_path: Path) -> None:
    settings = load({}, cwd=tmp_path, root=tmp_path.parent, ini={}, environ={})
    assert settings.cache_dir == tmp_path / "replay_cache"


def test_the_nearer_file_is_read(tmp_path: Path) -> None:
    started = tmp_path / "started"
    started.mkdir()
    (tmp_path / "ethrex-perf.toml").write_text("repeat = 3\n")
    assert load({}, cwd=started, root=tmp_path, ini={}, environ={}).block(None).repeat == 3
    (started / "ethrex-perf.toml").write_text("repeat = 4\n")
    assert load({}, cwd=started, root=tmp_path, ini={}, environ={}).block(None).repeat == 4


def test_an_absolute_path_and_the_home_directory_stay_what_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert loaded(tmp_path, f"cache_dir = '{tmp_path}/x'").cache_dir == tmp_path / "x"
    (tmp_path / "home").mkdir()
    assert loaded(tmp_path, "cache_dir = '~/x'").cache_dir == tmp_path / "home" / "x"
    assert loaded(tmp_path, "cache_dir = 'bundled'").cache_dir == "bundled"


# --- blocks and waivers of the file -------------------------------------------------------------------------


def test_the_files_own_network_is_that_of_its_specs(tmp_path: Path) -> None:
    toml = """
        network = "hoodi"
        blocks = [5, "mainnet:6", "7..8"]
        allow = [{block = 5, metric = "prep", up_to = "2%", reason = " why ", expires = 2126-12-31}]
        [block.5]
        repeat = 3
    """
    settings = loaded(tmp_path, toml, block=["all", "9"], network=None)
    assert [str(block) for block in settings.blocks] == [
        "hoodi/5",
        "mainnet/6",
        "hoodi/7",
        "hoodi/8",
        "hoodi/9",
    ]
    assert settings.block(BlockId("hoodi", 5)).repeat == 3
    waiver = settings.waiver(BlockId("hoodi", 5), "prep")
    assert waiver is not None
    assert (waiver.up_to, waiver.reason) == (0.02, "why")
    assert settings.waiver(BlockId("hoodi", 5), "exec") is None


def test_a_network_of_the_command_line_changes_no_spec_of_the_file(tmp_path: Path) -> None:
    toml = 'network = "hoodi"\nblocks = [5]\n'
    settings = loaded(tmp_path, toml, block=["all", "9"], network="sepolia")
    assert [str(block) for block in settings.blocks] == ["hoodi/5", "sepolia/9"]


def test_the_environment_is_no_part_of_what_a_traceback_shows(tmp_path: Path) -> None:
    settings = load({}, cwd=tmp_path, root=tmp_path, ini={}, environ={"ETHREX_RPC_URL": "s3cr3t"})
    assert "s3cr3t" not in repr(settings)
