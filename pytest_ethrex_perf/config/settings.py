"""What the options are set to: one frozen `Settings` per pytest run, read once.

Precedence: marker > command line > `ethrex-perf.toml` > ini > default; in the file, what is set for a block
and a metric wins over the block's, the metric's and the file's general value.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from pytest_ethrex_perf.config import readers, toml_file
from pytest_ethrex_perf.config.block_specs import named, parse_blocks
from pytest_ethrex_perf.config.options import (
    ALL_CONFIGURED,
    BUNDLED,
    CONFIG_NAME,
    MARKER_OPTIONS,
    OPTIONS,
    WRITTEN,
)
from pytest_ethrex_perf.config.parsers import text
from pytest_ethrex_perf.config.sources import EVERYWHERE, Source, Sources, check_names
from pytest_ethrex_perf.config.typed import typed
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records import regular_file
from pytest_ethrex_perf.records.metric import DEFAULT, TIMES, Limits, has_floor
from pytest_ethrex_perf.records.metric import limits as usual_limits

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from pytest_ethrex_perf.config.build_table import BuildTable
    from pytest_ethrex_perf.config.parsers import Auto
    from pytest_ethrex_perf.config.sources import Given, Values, Waiver
    from pytest_ethrex_perf.config.toml_file import TomlFile
    from pytest_ethrex_perf.records.block import BlockId

_NO_MARKER: Mapping[str, object] = {}


@dataclass(frozen=True)
class BlockSettings:
    """How one block is measured, and which of its metrics are gated."""

    repeat: int | Auto
    drop: int
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class PerBlock:
    """What may differ from block to block, and of the limits from metric to metric."""

    repeat: Given[int | Auto]
    drop: Given[int]
    metrics: Given[tuple[str, ...]]
    margin: Given[float | None]
    tolerance: Given[float | None]
    floor: Given[float | None]

    def blocks(self) -> dict[BlockId | None, None]:
        """The blocks that limits are given for; None stands for every block."""
        given = (self.margin, self.tolerance)
        named = (block for option in given for table in option.tables for block, _ in table)
        return dict.fromkeys((None, *named))

    def beneath(self, block: BlockId) -> BlockSettings:
        """What holds for `block` where neither the command line nor a marker says anything."""
        return BlockSettings(
            self.repeat.beneath().at(block), self.drop.beneath().at(block), self.metrics.beneath().at(block)
        )


@dataclass(frozen=True)
class Settings:
    """All settings of one pytest run, read and checked."""

    cwd: Path
    environ: Mapping[str, str] = field(repr=False)
    typed: Mapping[str, object] = field(repr=False)
    """The options of the command line, as they were typed."""
    per_block: PerBlock = field(repr=False)
    waivers: tuple[Waiver, ...]
    build: BuildTable | None
    """How a revision is built: `[build]`."""
    written: Mapping[str, Path]
    """Where to write what a run writes, by option: `{"json": Path("results.json")}`."""

    blocks: tuple[BlockId, ...]
    """Those of --ethrex-block, in order, each once."""
    of_every: frozenset[BlockId]
    """The workloads among them that `workload:all` alone asks for: a program need not know each."""
    config: str | None
    network: str
    replay: str | None
    base: str | None
    build_timeout: float
    head_label: str | None
    base_label: str | None
    prefix: str
    cache_dir: Path | Literal["bundled"]
    rpc_url: str | None = field(repr=False)
    counters: readers.Counters
    events: tuple[str, ...]
    timeout: float | None
    """In s, as the other times here."""
    baselines: Path
    update_baseline: bool
    update_baseline_new_only: bool
    accept_baseline: str | None
    invocations: int | None
    archive: Path | None
    archive_size: int
    """In bytes."""
    machine: str | None
    alpha: float
    looks: tuple[int, ...] | None
    """None: the ordinary ones, which may go on."""
    patience: float
    time_budget: float | None
    aa: bool
    on_inconclusive: readers.WarnOrFail
    on_improvement: readers.PassOrFail
    on_same_program: readers.SkipOrFail
    profile: readers.Profile
    profile_frames: readers.Frames
    profile_time: float
    lock_timeout: float
    output_limit: int
    """In bytes."""
    log_dir: Path
    shard: str | None

    @property
    def recording(self) -> bool:
        """Whether sessions are recorded instead of judged."""
        return self.update_baseline or self.update_baseline_new_only or self.accept_baseline is not None

    def block(self, block: BlockId | None, marker: Mapping[str, object] = _NO_MARKER) -> BlockSettings:
        """How `block` is measured in a test with these `marker` keywords; None: what holds for every block.

        Raises `UsageError` for a bad value of the marker.
        """
        each = self.per_block
        return BlockSettings(
            each.repeat.at(block, marker=marker),
            each.drop.at(block, marker=marker),
            each.metrics.at(block, marker=marker),
        )

    def limits(self, block: BlockId | None, metric: str, marker: Mapping[str, object] = _NO_MARKER) -> Limits:
        """What `metric` of `block` is judged by; None: the mean over blocks.

        Raises `UsageError` for a bad value of the marker.
        """
        usual = usual_limits(metric, callgrind=self.counters == "callgrind")
        margin = self.per_block.margin.at(block, metric, marker)
        tolerance = self.per_block.tolerance.at(block, metric, marker)
        floor = self.per_block.floor.at(block, metric, marker) if has_floor(metric) else None
        return Limits(
            margin=usual.margin if margin is None else margin,
            tolerance=usual.tolerance if tolerance is None else tolerance,
            floor=usual.floor if floor is None else floor,
            drift=usual.drift,
        )

    def waiver(self, block: BlockId, metric: str) -> Waiver | None:
        """The waiver for this block and metric, expired or not."""
        return next((w for w in self.waivers if (w.block, w.metric) == (block, metric)), None)

    def arguments(self, block: BlockId, asked: BlockSettings, without: Collection[str]) -> list[str]:
        """The options that ask for `block` as `asked` once more: `["--ethrex-margin=2%", "--ethrex-aa"]`.

        They are those that were typed, but for the ones named in `without`.
        """
        beneath = self.per_block.beneath(block)
        words: dict[str, object] = {
            **self.typed,
            "repeat": None if asked.repeat == beneath.repeat else asked.repeat,
            "drop": None if asked.drop == beneath.drop else asked.drop,
            "metrics": None if asked.metrics == beneath.metrics else ",".join(asked.metrics),
        }
        return [
            option.flag_name if option.flag else f"{option.flag_name}={words[name]}"
            for name, option in OPTIONS.items()
            if name not in without and words.get(name) is not None
        ]

    def shown(self) -> dict[str, str]:
        """Every option but the blocks and the RPC's URL as it would be typed, where it is set to anything."""
        values = {**vars(self), **self.written, **vars(self.block(None)), **self._usual_limits()}
        return {
            name: typed(name, value)
            for name in OPTIONS
            if name not in ("block", "rpc_url") and (value := values.get(name)) not in (None, "", False)
        }

    def _usual_limits(self) -> dict[str, float]:
        """The limits where no block and no metric has others."""
        usual, each = usual_limits(DEFAULT, callgrind=False), self.per_block
        return {
            name: getattr(usual, name) if value is None else value
            for name, value in (
                ("margin", each.margin.at()),
                ("tolerance", each.tolerance.at()),
                ("floor", each.floor.at()),
            )
        }


def load(
    command_line: Values,
    *,
    cwd: Path,
    root: Path,
    ini: Values,
    environ: Mapping[str, str],
) -> Settings:
    """Settings of this run from the command line's values, `ethrex-perf.toml` and ini values.

    Raises `UsageError`.
    """
    settings = _read(*gather(command_line, cwd=cwd, root=root, ini=ini), environ)
    _check(settings)
    return settings


def gather(command_line: Values, *, cwd: Path, root: Path, ini: Values) -> tuple[Sources, TomlFile | None]:
    """Return where settings come from, and the file of settings if there is one.

    `root` is pytest's rootdir: the file is looked for in `cwd`, then there. Raises `UsageError`.
    """
    sources = Sources(
        Source("command line", cwd, {EVERYWHERE: command_line}),
        Source("file", cwd, {}),
        Source("ini", root, {EVERYWHERE: ini}),
    )
    named = command_line.get("config")
    candidates = [cwd / CONFIG_NAME, root / CONFIG_NAME] if named is None else [cwd / named]
    path = next((candidate for candidate in candidates if regular_file.is_file(candidate)), None)
    if path is None and named is not None:
        raise UsageError(f"--ethrex-config {named}: there is no such file")
    if path is None:
        return sources, None
    file = toml_file.load(path, sources.value("network", readers.network))
    return replace(sources, file=file.source), file


def _read(sources: Sources, file: TomlFile | None, environ: Mapping[str, str]) -> Settings:
    """Read every option; `file` says what only a file can."""
    typed = sources.command_line.tables[EVERYWHERE]
    network = sources.value("network", readers.network)
    bundled = sources.value("cache_dir", text) == BUNDLED
    blocks, of_every = _blocks(typed.get("block") or (), network, file)
    return Settings(
        cwd=sources.command_line.folder,
        environ=environ,
        typed={name: value for name, value in typed.items() if value not in (None, False)},
        per_block=PerBlock(
            repeat=sources.given("repeat", readers.repeat),
            drop=sources.given("drop", readers.drop),
            metrics=sources.given("metrics", readers.metrics),
            margin=sources.perhaps("margin", readers.margin),
            tolerance=sources.perhaps("tolerance", readers.tolerance),
            floor=sources.perhaps("floor", readers.floor),
        ),
        waivers=file.waivers if file else (),
        build=file.build if file else None,
        written={name: path for name in WRITTEN if (path := sources.path_or_none(name)) is not None},
        blocks=blocks,
        of_every=of_every,
        config=sources.value_or_none("config", readers.config),
        network=network,
        replay=sources.command_or_none("replay", readers.replay),
        base=sources.command_or_none("base", readers.base),
        build_timeout=sources.value("build_timeout", readers.build_timeout),
        head_label=sources.value_or_none("head_label", readers.head_label),
        base_label=sources.value_or_none("base_label", readers.base_label),
        prefix=sources.command_or_none("prefix", readers.prefix) or "",
        cache_dir=BUNDLED if bundled else sources.path("cache_dir"),
        rpc_url=sources.value_or_none("rpc_url", readers.rpc_url),
        counters=sources.value("counters", readers.counters),
        events=sources.value_or_none("events", readers.events) or (),
        timeout=sources.value_or_none("timeout", readers.timeout),
        baselines=sources.path("baselines"),
        update_baseline=sources.flag("update_baseline"),
        update_baseline_new_only=sources.flag("update_baseline_new_only"),
        accept_baseline=sources.value_or_none("accept_baseline", readers.accept_baseline),
        invocations=sources.value_or_none("invocations", readers.invocations),
        archive=sources.path_or_none("archive"),
        archive_size=sources.value("archive_size", readers.archive_size),
        machine=sources.value_or_none("machine", readers.machine),
        alpha=sources.value("alpha", readers.alpha),
        looks=sources.value_or_none("looks", readers.looks),
        patience=sources.value("patience", readers.patience),
        time_budget=sources.value_or_none("time_budget", readers.time_budget),
        aa=sources.flag("aa"),
        on_inconclusive=sources.value("on_inconclusive", readers.on_inconclusive),
        on_improvement=sources.value("on_improvement", readers.on_improvement),
        on_same_program=sources.value("on_same_program", readers.on_same_program),
        profile=sources.value("profile", readers.profile),
        profile_frames=sources.value("profile_frames", readers.profile_frames),
        profile_time=sources.value("profile_time", readers.profile_time),
        lock_timeout=sources.value("lock_timeout", readers.lock_timeout),
        output_limit=sources.value("output_limit", readers.output_limit),
        log_dir=sources.path("log_dir"),
        shard=sources.value_or_none("shard", readers.shard),
    )


def _blocks(
    specs: Sequence[str], network: str, file: TomlFile | None
) -> tuple[tuple[BlockId, ...], frozenset[BlockId]]:
    """The blocks of --ethrex-block, each once, and those of them that `workload:all` alone asks for.

    Raises `UsageError` that shows the form.
    """
    blocks: dict[BlockId, None] = {}
    names: set[BlockId] = set()
    for spec in specs:
        if spec.strip() != ALL_CONFIGURED:
            blocks.update(dict.fromkeys(parse_blocks([spec], network)))
            names |= named([spec], network)
        elif file is not None and file.blocks:
            blocks.update(dict.fromkeys(file.blocks))
            names |= file.named
        else:
            raise UsageError(
                f"--ethrex-block {ALL_CONFIGURED}: no blocks are listed in {CONFIG_NAME}: "
                "add a line like blocks = [24443168]"
            )
    return tuple(blocks), frozenset(blocks) - names


def _check(settings: Settings) -> None:
    """Refuse contradictions before anything is measured."""
    _check_outputs(settings.written)
    if settings.recording and (settings.base or settings.aa):
        raise UsageError(
            "--ethrex-update-baseline records and compares nothing: drop --ethrex-base and --ethrex-aa"
        )
    if settings.update_baseline_new_only and settings.accept_baseline:
        raise UsageError(
            "--ethrex-accept-baseline changes a baseline, --ethrex-update-baseline-new-only leaves it alone: "
            "drop one of them"
        )
    for block in settings.per_block.blocks():
        for metric in TIMES:  # of the others those that are asked for, when they are
            check_limits(block, metric, settings.limits(block, metric))


def _check_outputs(written: Mapping[str, Path]) -> None:
    """Refuse files that could not be written, before an hour of measuring is lost."""
    flags: dict[Path, str] = {}
    for name, path in written.items():
        flag = OPTIONS[name].flag_name
        if OPTIONS[name].metavar == "DIR":
            if regular_file.exists(path) and not path.is_dir():
                raise UsageError(f"{flag}: {path} is a file: give a directory")
        elif regular_file.exists(path) and path.is_dir():
            raise UsageError(f"{flag}: {path} is a directory: give a file")
        if path in flags:
            raise UsageError(f"{flags[path]} and {flag} would write the same file, {path}")
        flags[path] = flag


def check_limits(block: BlockId | None, metric: str, limits: Limits) -> None:
    """Raise `UsageError` unless the margin lies below the tolerance."""
    if limits.margin >= limits.tolerance:
        raise UsageError(
            f"{block or 'every block'}, {metric}: the margin ({limits.margin:.3g}) must be below the "
            f"tolerance ({limits.tolerance:.3g}): a change between them would be both unchanged and "
            f"a regression: set both, for one metric in {CONFIG_NAME} under [metric.{metric}]"
        )


def check_marker(marker: Mapping[str, object]) -> None:
    """Raise `UsageError` for a keyword that `@pytest.mark.ethrex_block` does not take."""
    for key in marker:
        check_names([key], MARKER_OPTIONS, f"@pytest.mark.ethrex_block(…, {key}=…)")
