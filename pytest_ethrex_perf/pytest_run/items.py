"""The items behind --ethrex-block, and what one pytest run keeps of ours."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pytest_ethrex_perf import __version__
from pytest_ethrex_perf.config.block_specs import parse_blocks
from pytest_ethrex_perf.config.options import OPTIONS
from pytest_ethrex_perf.config.parsers import AUTO
from pytest_ethrex_perf.config.settings import load
from pytest_ethrex_perf.errors import EthrexPerfError, UsageError
from pytest_ethrex_perf.gate import shard
from pytest_ethrex_perf.gate.family import request_of
from pytest_ethrex_perf.gate.plan import NothingToDo
from pytest_ethrex_perf.gate.run import Run
from pytest_ethrex_perf.gate.run_result import Results
from pytest_ethrex_perf.gate.worker import OneByOne, Outbox
from pytest_ethrex_perf.judge.family import MIN_BLOCKS_FOR_MEAN
from pytest_ethrex_perf.pytest_run import live
from pytest_ethrex_perf.pytest_run.fixtures import GatedBlock
from pytest_ethrex_perf.pytest_run.xdist_results import Controller
from pytest_ethrex_perf.report import junit, outputs, terminal, text
from pytest_ethrex_perf.report.forms import FORMS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_ethrex_perf.gate.run import Status
    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.records.measurement import Invocation
    from pytest_ethrex_perf.records.request import Request
    from pytest_ethrex_perf.records.result import BlockResult, MetricResult, RunResult, SuiteResult

ROOT = "ethrex-block"
REPLAYED = 11  # repeats of what is judged by nobody, where --ethrex-repeat is auto
SUITE = "all"
MARK = "ethrex_block"
TOLD = "ethrex_perf"
"""Where a report carries what a worker tells the controller."""
_ERASE = "\x1b[K"


class Folder(pytest.Collector):
    """A node of the synthetic tree: its root, a block (`mainnet/24443168`), or the mean (`all`)."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.children: list[pytest.Item | pytest.Collector] = []

    def collect(self) -> Sequence[pytest.Item | pytest.Collector]:
        """What is in it."""
        return self.children


class MetricItem(pytest.Item):
    """One metric of one block. Measured in `setup` (trouble: ERROR), judged in `runtest` (FAILED)."""

    run: PytestRun
    request: Request

    def setup(self) -> None:
        """Advance the shared schedule until the block is decided."""
        with self.run.outcome_of_trouble():
            self.run.gate.measure(self.request)

    def runtest(self) -> None:
        """Fail on a regression."""
        self.run.judge_block(self, self.run.result(self.request), self.name)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """Say what it is; it is in no file."""
        return self.path, None, self.nodeid


class SuiteItem(MetricItem):
    """The mean over blocks of one metric."""

    def setup(self) -> None:
        """Advance the shared schedule until the mean is decided."""
        with self.run.outcome_of_trouble():
            self.run.gate.measure_mean()

    def runtest(self) -> None:
        """Fail on a regression of the mean."""
        results = [suite for suite in self.run.results.mean() if suite.metric == self.name]
        blocks = len(results[0].blocks) if results else 0
        self.run.judge(self, results, f"mean over {blocks} blocks", "rounds")


class PytestRun:
    """One pytest run's side of ours: settings, gate, and how their results become pytest's.

    Raises `UsageError` for settings that make no sense.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.settings = load(
            {name: config.getoption(f"ethrex_{name}") for name in OPTIONS},
            cwd=config.invocation_params.dir,
            root=config.rootpath,
            ini={name: config.getini(option.ini_name) for name, option in OPTIONS.items() if option.file},
            environ=dict(os.environ),
        )
        worker: dict[str, Any] | None = getattr(config, "workerinput", None)
        self.controller = Controller()
        if worker is None:
            self.gate = Run(self.settings, on_turn=self._show, say=self._say)
        else:
            self.gate = Run(self.settings, pace=OneByOne(), run_id=worker["testrunuid"], say=self._say)
        self.results = Results(self.gate)
        self.outbox = Outbox(self.gate, self.results) if worker else None
        self.requests = [request_of(self.settings, block) for block in self.settings.blocks]
        if self.requests:  # before an hour of measuring is lost
            self.gate.equipment.counters(self._counts())
        self._width_shown = 0
        self._written: list[str] = []
        self._unwritten: list[str] = []
        self._told: set[str] = set()
        self._elsewhere: list[pytest.Item] = []

    # --- collection -----------------------------------------------------------------------------------------

    def items(self, session: pytest.Session) -> list[pytest.Item]:
        """The items behind --ethrex-block."""
        root = Folder.from_parent(session, name=ROOT, nodeid=ROOT)
        for request in self.requests:
            self._add(root, str(request.block), MetricItem, request, [g.metric for g in request.gatings])
        if self.settings.shard or self.outbox:  # the mean needs every block in one schedule
            return list(session.genitems(root))
        modes = (self.gate.planner.mode(request) for request in self.requests)
        if len(self.requests) >= MIN_BLOCKS_FOR_MEAN and all(mode == "interleaved" for mode in modes):
            self.gate.fix(self.requests, self.requests)
            self._add(root, SUITE, SuiteItem, self.requests[0], self.gate.family.mean_metrics)
        return list(session.genitems(root))

    def _add(
        self, root: Folder, name: str, kind: type[MetricItem], request: Request, metrics: Sequence[str]
    ) -> None:
        folder = Folder.from_parent(root, name=name)
        root.children.append(folder)
        for metric in metrics:
            item = kind.from_parent(folder, name=metric)
            item.run, item.request = self, request
            item.add_marker(pytest.mark.ethrex_block(str(request.block)))
            folder.children.append(item)

    def parametrize(self, metafunc: pytest.Metafunc) -> None:
        """One test for each block of its markers, or else of --ethrex-block."""
        try:
            requests = self._marked(metafunc)
        except UsageError as error:
            raise pytest.Collector.CollectError(str(error)) from None
        if requests:
            ids = [str(request.block) for request in requests]
            metafunc.parametrize("ethrex_block", requests, indirect=True, ids=ids)
        else:
            metafunc.parametrize("ethrex_block", [None], indirect=True, ids=["no-block"])

    def _marked(self, metafunc: pytest.Metafunc) -> list[Request]:
        requests: dict[Request, None] = {}
        for marker in metafunc.definition.iter_markers(MARK):
            network = marker.kwargs.get("network") or self.settings.network
            if not marker.args:
                raise UsageError(
                    f"@pytest.mark.{MARK} of {metafunc.definition.nodeid}: name a block: {MARK}(24443168)"
                )
            for block in parse_blocks(marker.args, network):
                requests[request_of(self.settings, block, marker.kwargs)] = None
        return list(requests) or self.requests

    def keep_shard(self, items: list[pytest.Item]) -> None:
        """Deselect what other shards measure; it stays part of the family. Tests without a block are kept."""
        wanted = self.settings.shard
        if wanted is None:
            return
        found = {item: request for item in items if (request := _request(item)) is not None}
        blocks = dict.fromkeys(request.block for request in found.values())
        try:
            mine = shard.members(blocks, wanted, self.settings.baselines)
        except UsageError as error:
            if not self.outbox:
                raise
            items.clear()  # wrong usage that a worker finds would be xdist's internal error
            report = pytest.CollectReport(ROOT, "failed", str(error), [])
            self.config.hook.pytest_collectreport(report=report)
            return
        self._elsewhere = [item for item, request in found.items() if request.block not in mine]
        items[:] = [item for item in items if item not in set(self._elsewhere)]
        self.config.hook.pytest_deselected(items=self._elsewhere)

    def fix(self, items: Sequence[pytest.Item]) -> None:
        """Fix the family over what was selected, synthetic and declared alike."""
        selected: dict[BlockId, set[str]] = {}
        means: set[str] = set()
        for item in (*items, *self._elsewhere):
            if isinstance(item, SuiteItem):
                means.add(item.name)
            elif isinstance(item, MetricItem):
                selected.setdefault(item.request.block, set()).add(item.name)
        # a block and the mean that it is part of are measured once
        narrowed = {one.block: one.only(selected.get(one.block, set()) | means) for one in self.requests}
        requests: list[Request] = []
        for item in (*items, *self._elsewhere):
            if isinstance(item, MetricItem):
                item.request = narrowed[item.request.block]
        for item in items:
            if isinstance(item, SuiteItem):
                requests += narrowed.values()
            elif (request := _request(item)) is not None:
                requests.append(request)
        elsewhere = [request for item in self._elsewhere if (request := _request(item)) is not None]
        self.gate.fix(requests, narrowed.values() if means else (), elsewhere)

    # --- measuring and judging ------------------------------------------------------------------------------

    @contextmanager
    def outcome_of_trouble(self) -> Iterator[None]:
        """Trouble while measuring as pytest's outcome: an error, or a skip if there is nothing to compare."""
        try:
            yield
        except NothingToDo as reason:
            raise pytest.skip.Exception(str(reason)) from None
        except EthrexPerfError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        finally:
            self._clear()

    def gated_block(self, item: pytest.Item, request: Request | None) -> GatedBlock:
        """What the `ethrex_block` fixture gives a test: its block, measured."""
        with self.outcome_of_trouble():
            if request is None:
                raise UsageError(
                    f"no block to gate: mark the test with @pytest.mark.{MARK}(24443168), "
                    "or give --ethrex-block 24443168"
                )
            self.gate.measure(request)
        result = self.result(request)
        return GatedBlock(result, lambda: self.judge_block(item, result))

    def result(self, request: Request) -> BlockResult:
        """What was measured of a block so far."""
        return self.results.block(self.gate.block(request))

    def judge_block(self, item: pytest.Item, result: BlockResult, metric: str | None = None) -> BlockResult:
        """Fail the test where a metric of `result` fails (all, or the one named); return `result`."""
        metrics = [m for m in result.metrics if metric in (None, m.metric)]
        if result.mode != "record":
            self.judge(item, metrics, result.block, text.unit(result), result)
        return result

    def judge(
        self,
        item: pytest.Item,
        metrics: Sequence[MetricResult | SuiteResult],
        name: str,
        unit: str,
        result: BlockResult | None = None,
    ) -> None:
        """Note the verdicts on `item`; fail with the headlines, and the block's table, where one fails."""
        if not metrics:
            pytest.fail(f"{name}: nothing was judged", pytrace=False)
        told = [known for metric in metrics for known in junit.properties(name, metric)]
        # what repeats a test's function, as pytest-codspeed does, judges again and again
        item.user_properties[:] = [*(one for one in item.user_properties if one not in told), *told]
        failed = [text.headline(name, metric, unit) for metric in metrics if metric.outcome == "fail"]
        if failed:
            verbosity = self.config.get_verbosity()
            table = terminal.block_table(result, verbosity=verbosity, room=self._room()) if result else []
            self._told.add(name)
            pytest.fail("\n".join([*failed, *(line.text for line in table)]), pytrace=False)

    def replay(self, block: int | str, network: str | None = None, repeat: int | None = None) -> Invocation:
        """One invocation of the program under test; trouble fails the test."""
        with self.outcome_of_trouble():
            (identity,) = _one(parse_blocks([block], network or self.settings.network))
            known = repeat or self.settings.block(identity).repeat
            return self.gate.replay(identity, REPLAYED if known == AUTO else known)
        raise AssertionError  # the context manager has raised

    # --- pytest-xdist: what its workers measure meets in the controller -------------------------------------

    def tell(self, report: pytest.TestReport) -> None:
        """In a worker: send with `report` what was measured since the last one; plain text survives."""
        news = self.outbox.next_message() if self.outbox else None
        if news is not None:
            setattr(report, TOLD, msgspec.json.encode(news).decode())

    def hear(self, worker: str, report: pytest.TestReport) -> None:
        """In the controller: take what `worker` sent, or that it crashed."""
        if hasattr(report, TOLD):
            self.controller.hear(worker, getattr(report, TOLD))
        if report.failed:
            if report.when not in ("setup", "call", "teardown"):  # xdist's own, of a crash
                self.controller.lose(worker, report.nodeid, str(report.longrepr))
            self._told.update(str(value) for name, value in report.user_properties if name == "ethrex_block")

    def _result(self) -> RunResult | None:
        """Everything that was measured; None where nothing was asked for."""
        if self.controller:
            return self.controller.result()
        return self.results.run() if self.gate.started else None

    def _without_mean(self, result: RunResult) -> bool:
        """Whether a run that is not distributed would have had the mean over blocks."""
        interleaved = all(block.mode == "interleaved" for block in result.blocks)
        return interleaved and len(self.requests) >= MIN_BLOCKS_FOR_MEAN and not self.settings.shard

    # --- what people see ------------------------------------------------------------------------------------

    def _counts(self) -> list[str]:
        """What is judged of the blocks of --ethrex-block that the clock can't see."""
        return [metric for request in self.requests for metric in request.counts]

    def header(self) -> list[str]:
        """Programs, machine, mode in one line; in another what is counted with, or why nothing is."""
        equipment = self.gate.equipment
        parts = []
        for name in ("head", "base"):
            try:
                program = getattr(equipment, name)
            except UsageError as error:
                parts.append(f"{name}: {error}")
                continue
            if program is not None:
                parts.append(f"{name} {program.label} ({program.kind} {program.sha256[:12]})")
        mode = self.gate.planner.intent + (", A/A" if self.settings.aa else "")
        parts += [f"machine {equipment.machine.key}", mode]
        redact = equipment.redact
        return [
            redact(f"ethrex-perf {__version__}: " + " | ".join(parts)),
            redact(f"counters: {equipment.counters(self._counts()).told}"),
        ]

    @contextmanager
    def _terminal(self) -> Iterator[pytest.TerminalReporter | None]:
        manager = self.config.pluginmanager
        capture: Any = manager.getplugin("capturemanager")
        reporter: Any = manager.getplugin("terminalreporter")
        if capture is None:
            yield reporter
        else:
            with capture.global_and_fixture_disabled():
                yield reporter

    def _show(self, status: Status) -> None:
        """Live progress: written after what is on the line, and over itself; on a terminal only."""
        with self._terminal() as reporter:
            if reporter is None or not reporter.isatty or reporter.verbosity < 0 or "CI" in os.environ:
                return
            written = reporter._tw.width_of_current_line  # noqa: SLF001 - no public way to know the column
            told = live.line(status, max(0, reporter._tw.fullwidth - written - 2))  # noqa: SLF001
            back = terminal.width(told)
            sys.stdout.write(f"{_ERASE}{told}" + (f"\x1b[{back}D" if back else ""))
            sys.stdout.flush()
            self._width_shown = back

    def _room(self) -> int:
        """Cells of a line."""
        reporter: Any = self.config.pluginmanager.getplugin("terminalreporter")
        return reporter._tw.fullwidth if reporter is not None else terminal.ROOM  # noqa: SLF001

    def _clear(self) -> None:
        if self._width_shown:
            with self._terminal():
                sys.stdout.write(_ERASE)
                sys.stdout.flush()
            self._width_shown = 0

    def _say(self, sentence: str) -> None:
        with self._terminal() as reporter:
            if self.outbox:  # what its reporter writes is seen by nobody; its standard error is the user's
                sys.stderr.write(f"\nethrex-perf: {sentence}\n")
            elif reporter is not None:
                reporter.write_line(f"ethrex-perf: {sentence}", yellow=True)

    def finish(self) -> bool:
        """Let go of the machine, write the files that were asked for; whether everything went into them."""
        self.gate.close()
        result = self._result()
        if result is None or self.outbox:
            return not self.controller.troubles()
        wanted = {
            form: path
            for form in FORMS
            if form.option is not None and (path := self.settings.written.get(form.option)) is not None
        }
        summary = outputs.step_summary(self.settings.environ)
        self._written, self._unwritten = outputs.write(result, wanted, summary)
        return not self._unwritten and not self.controller.troubles()

    def summarize(self, reporter: pytest.TerminalReporter) -> None:
        """Show what was measured, worst first, and what was written where."""
        result = self._result()
        for trouble in self.controller.troubles():
            reporter.write_line(f"ethrex-perf: {trouble}", red=True)
        if result is None:
            return
        reporter.write_sep("=", f"ethrex-perf: {text.counts(result.blocks)}")
        for line in terminal.summary(
            result, verbosity=reporter.verbosity, shown=self._told, room=self._room()
        ):
            reporter.write_line(line.text, **({line.style: True} if line.style else {}))
        if self.controller and self._without_mean(result):
            told = "no mean over blocks: it needs all of them in one schedule, without -n"
            reporter.write_line(told, yellow=True)
        for written in self._written:
            reporter.write_line(f"written: {written}")
        for folder in dict.fromkeys(block.profile.files for block in result.blocks if block.profile):
            if folder is not None:
                reporter.write_line(f"written: {folder} (folded stacks, flamegraph, speedscope)")
        for unwritten in self._unwritten:
            reporter.write_line(f"not written: {unwritten}", red=True)


def _request(item: pytest.Item) -> Request | None:
    """What `item` asks for; None of a test that has no block."""
    if isinstance(item, MetricItem):
        return item.request
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("ethrex_block") if callspec is not None else None


def _one(blocks: list[BlockId]) -> list[BlockId]:
    if len(blocks) != 1:
        raise UsageError("ethrex_replay takes one block")
    return blocks
