"""What one pytest run keeps of ours."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import msgspec

from pytest_ethrex_perf.config.block_specs import parse_blocks
from pytest_ethrex_perf.config.parsers import AUTO
from pytest_ethrex_perf.config.settings import load
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.gate.run import Run
from pytest_ethrex_perf.gate.run_result import Results
from pytest_ethrex_perf.gate.worker import OneByOne, Outbox
from pytest_ethrex_perf.pytest_run import given, xdist_builds
from pytest_ethrex_perf.pytest_run.annotations import Annotations
from pytest_ethrex_perf.pytest_run.boundary import boundary, failure, wrong_usage
from pytest_ethrex_perf.pytest_run.collection import MARK, Collection, block_of, is_gated
from pytest_ethrex_perf.pytest_run.gated_block import GatedBlock
from pytest_ethrex_perf.pytest_run.live import Screen
from pytest_ethrex_perf.pytest_run.outcomes import Outcomes
from pytest_ethrex_perf.pytest_run.summary import Summary
from pytest_ethrex_perf.pytest_run.termination import Termination
from pytest_ethrex_perf.pytest_run.xdist_results import Inbox
from pytest_ethrex_perf.records.environment import Environment

if TYPE_CHECKING:
    import pytest

    from pytest_ethrex_perf.config.settings import Settings
    from pytest_ethrex_perf.records.measurement import Invocation
    from pytest_ethrex_perf.records.request import Request


REPLAYED = 11  # repeats of what is judged by nobody, where --ethrex-repeat is auto


class PytestRun:
    """The settings of one pytest run, its gate, and who turns what they say into pytest's terms.

    `outbox` is there in a worker of pytest-xdist alone, and `inbox` is empty but in its controller. Raises
    `UsageError` for settings that make no sense.
    """

    def __init__(self, config: pytest.Config) -> None:
        if config.getoption("forked", default=False):
            raise UsageError(
                "--forked measures in processes whose results are lost when they end: leave it out for "
                "blocks (each invocation of the program is a process of its own anyway)"
            )
        worker: dict[str, Any] | None = getattr(config, "workerinput", None)
        screen = Screen(config)
        self.settings = _settings(config)
        self.gate = Run(
            self.settings,
            pace=None if worker is None else OneByOne(),
            run_id=None if worker is None else worker["testrunuid"],
            on_turn=screen.show,
            say=screen.say,
            show=screen.output,
            built=xdist_builds.received(worker),
        )
        results = Results(self.gate)
        self.notes: list[str] = []
        """What went wrong in our hooks, where no test can say it: the run is no success."""
        self.wrong_program: str | None = None
        """In a worker of pytest-xdist: why no block can be measured, for the controller to end the run."""
        self._config = config
        self.termination = Termination()
        self.outcomes = Outcomes(
            self.gate, results, screen, self.termination, config.get_verbosity(), self._no_answer
        )
        self.collection = Collection(
            self.gate, self.outcomes, distributed=worker is not None, listing=config.option.collectonly
        )
        if self.collection.requests:  # before an hour of measuring is lost
            self.gate.equipment.counters(self.collection.counts)
        self.outbox = Outbox(self.gate, results) if worker is not None else None
        self.inbox = Inbox()
        self.annotations = Annotations(self.settings.environ, config.rootpath)
        self.summary = Summary(self.gate, results, self.inbox, screen, judged=not config.option.setuponly)

    def _no_answer(self, line: str) -> BaseException:
        """Return what ends the run; a worker of pytest-xdist fails a test, and its controller ends."""
        if self.outbox is None:
            return wrong_usage(line)
        self.wrong_program = line
        return failure(line)

    def gated_block(self, item: pytest.Item, request: Request | None) -> GatedBlock:
        """What the `ethrex_block` fixture gives `item`: the block of `request`, measured."""
        with self.outcomes.trouble():
            if request is None:
                raise UsageError(
                    f"no block to gate: mark the test with @pytest.mark.{MARK}(24443168), "
                    "or give --ethrex-block 24443168"
                )
            self.gate.measure(request)
        result = self.outcomes.result(request)
        return GatedBlock(result, lambda: self.outcomes.judge(item, result), required=is_gated(item))

    def replay(self, block: int | str, network: str | None = None, repeat: int | None = None) -> Invocation:
        """One invocation of the program under test; trouble fails the test."""
        with self.outcomes.trouble():
            blocks = parse_blocks([block], network or self.settings.network)
            if len(blocks) != 1:
                raise UsageError("ethrex_replay takes one block")
            repeats = repeat or self.settings.block(blocks[0]).repeat
            return self.gate.replay(blocks[0], REPLAYED if repeats == AUTO else repeats)
        raise AssertionError  # the context manager has raised

    def next_message(self) -> str | None:
        """In a worker of pytest-xdist: what was measured since the last message, as JSON; else None."""
        message = self.outbox.next_message() if self.outbox is not None else None
        return None if message is None else msgspec.json.encode(message).decode()

    def take_note(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Note which block the test of `report` is of, for the annotations."""
        self.annotations.take_note(report, block_of(item))

    def finish(self) -> bool:
        """Let go of the machine, write the files that were asked for; whether everything went into them."""
        self.termination.release()  # a second signal ends us at once: no file is ever half-written
        written = False
        with boundary(self._config, self.note):
            self.gate.close()
        with boundary(self._config, self.note):
            written = self.outbox is not None or self.summary.write()  # only the controller writes
            written = written and not self.inbox.troubles()
        return written and not self.notes

    def note(self, line: str) -> None:
        """Remember what went wrong, to be said at the end."""
        self.notes.append(line)


def _settings(config: pytest.Config) -> Settings:
    return load(
        given.command_line(config),
        cwd=config.invocation_params.dir,
        root=config.rootpath,
        ini=given.ini(config),
        environ=Environment(os.environ),
    )
