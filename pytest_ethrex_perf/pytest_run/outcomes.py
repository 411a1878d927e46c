"""How measuring and judging end a test: trouble is an error, a regression a failure, nothing to do a skip."""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.errors import EthrexPerfError, NoAnswerError
from pytest_ethrex_perf.gate.plan import NothingToDo
from pytest_ethrex_perf.report import escape, junit, terminal, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_ethrex_perf.gate.run import Run
    from pytest_ethrex_perf.gate.run_result import Results
    from pytest_ethrex_perf.pytest_run.live import Screen
    from pytest_ethrex_perf.pytest_run.termination import Termination
    from pytest_ethrex_perf.records.request import Request
    from pytest_ethrex_perf.records.result import BlockResult, MetricResult, SuiteResult


class Outcomes:
    """Measures and judges for tests. `shown` are the blocks whose table a failure has shown.

    `no_answer` makes of a program that is no ethrex-replay what is to be raised.
    """

    def __init__(
        self,
        gate: Run,
        results: Results,
        screen: Screen,
        termination: Termination,
        verbosity: int,
        no_answer: Callable[[str], BaseException],
    ) -> None:
        self.shown: set[str] = set()
        self._gate = gate
        self._results = results
        self._screen = screen
        self._termination = termination
        self._verbosity = verbosity
        self._no_answer = no_answer

    @contextmanager
    def trouble(self) -> Iterator[None]:
        """Trouble while measuring as pytest's outcome: an error, or a skip if there is nothing to compare."""
        try:
            with self._termination.held():
                yield
        except NothingToDo as reason:
            raise pytest.skip.Exception(escape.shown(str(reason))) from None
        except NoAnswerError as error:
            raise self._no_answer(escape.shown(str(error))) from None
        except EthrexPerfError as error:
            raise pytest.fail.Exception(escape.shown(str(error)), pytrace=False) from None
        except Exception as error:  # noqa: BLE001 - pytest would show the locals of it all, secrets included
            raise pytest.fail.Exception(self._unexpected(error), pytrace=False) from None
        finally:
            self._screen.clear()

    def _unexpected(self, error: Exception) -> str:
        """What was raised and where, by names of files and functions alone."""
        frames = traceback.extract_tb(error.__traceback__)
        places = [f"  {frame.filename}:{frame.lineno}, in {frame.name}" for frame in frames]
        kind = type(error).__name__
        lines = ["this is a bug of pytest-ethrex-perf: please report it", *places, f"{kind}: {error}"]
        return escape.shown(self._gate.equipment.redact("\n".join(lines)))

    def measure(self, request: Request) -> None:
        """Advance the shared schedule until the block of `request` is decided."""
        with self.trouble():
            self._gate.measure(request)

    def measure_mean(self) -> None:
        """Advance the shared schedule until the mean over blocks is decided."""
        with self.trouble():
            self._gate.measure_mean()

    def result(self, request: Request) -> BlockResult:
        """What was measured of the block of `request` so far."""
        with self.trouble():
            return self._results.block(self._gate.block(request))
        raise AssertionError  # the context manager has raised

    def judge(self, item: pytest.Item, result: BlockResult, metric: str | None = None) -> BlockResult:
        """Fail the test where a metric of `result` fails (all, or the one named); return `result`."""
        with self.trouble():
            metrics = [each for each in result.metrics if metric in (None, each.metric)]
            if result.mode != "record":
                failures = self._note(item, metrics, result.block, text.replicates(result))
                if failures:
                    self.shown.add(result.block)
                    table = terminal.block_table(
                        result,
                        verbosity=self._verbosity,
                        room=self._screen.room,
                        said=[each.metric for each in metrics if each.outcome == "fail"],
                    )
                    message = "\n".join([*failures, *(line.text for line in table)])
                    pytest.fail(escape.shown(message), pytrace=False)
        return result

    def judge_mean(self, item: pytest.Item, metric: str) -> None:
        """Fail the test where the mean over blocks of `metric` fails."""
        with self.trouble():
            means = [mean for mean in self._results.mean() if mean.metric == metric]
            blocks = len(means[0].blocks) if means else 0
            failures = self._note(item, means, f"mean over {blocks} blocks", "rounds")
            if failures:
                pytest.fail(escape.shown("\n".join(failures)), pytrace=False)

    @staticmethod
    def _note(
        item: pytest.Item, metrics: Sequence[MetricResult | SuiteResult], name: str, unit: str
    ) -> list[str]:
        """Note the verdicts on `item`; return the headlines of those that fail."""
        if not metrics:
            pytest.fail(f"{name}: nothing was judged", pytrace=False)
        properties = [entry for metric in metrics for entry in junit.properties(name, metric)]
        # what repeats a test's function, as pytest-codspeed does, judges again and again
        before = [entry for entry in item.user_properties if entry not in properties]
        item.user_properties[:] = [*before, *properties]
        return [text.headline(name, metric, unit) for metric in metrics if metric.outcome == "fail"]
