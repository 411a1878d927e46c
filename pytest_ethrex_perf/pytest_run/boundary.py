"""The boundary of our hooks: what nobody foresaw is one line of plain text there, without locals and secrets.

pytest would end with INTERNALERROR and a traceback, which shows with `-l` what our variables hold, and the
files of the run would be lost.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pytest_ethrex_perf.errors import EthrexPerfError, unexpected
from pytest_ethrex_perf.report import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REDACT: pytest.StashKey[Callable[[str], str]] = pytest.StashKey()
"""In the configuration: what takes this run's secrets out of a text, as soon as they are known."""
_OF_PYTEST = (pytest.Collector.CollectError, pytest.exit.Exception)


@contextmanager
def boundary(config: pytest.Config, outcome: Callable[[str], BaseException | None]) -> Iterator[None]:
    """Turn what is raised in this block into what `outcome` makes of one line: it is raised, if it is there.

    What pytest itself understands goes through.
    """
    try:
        yield
    except pytest.UsageError as error:
        raise pytest.UsageError(*map(escape.shown, map(str, error.args))) from None
    except _OF_PYTEST:
        raise
    except Exception as error:  # noqa: BLE001 - here it ends
        line = str(error) if isinstance(error, EthrexPerfError) else unexpected(error)
        raised = outcome(escape.shown(redacted(config, line)))
        if raised is not None:
            raise raised from None


def end(line: str) -> BaseException:
    """Return what ends the session, with the exit code of an internal error."""
    return pytest.exit.Exception(f"ethrex-perf: {line}", returncode=pytest.ExitCode.INTERNAL_ERROR)


def wrong_usage(line: str) -> BaseException:
    """Return what ends the session, with the exit code of wrong usage, once there are tests."""
    return pytest.exit.Exception(f"ethrex-perf: {line}", returncode=pytest.ExitCode.USAGE_ERROR)


def collecting_fails(
    config: pytest.Config, items: list[pytest.Item]
) -> Callable[[str], BaseException | None]:
    """Return what ends the session, or makes a worker of pytest-xdist collect an error and nothing else.

    xdist takes a worker that ends here for one without tests, or for an error of its own.
    """

    def fail(line: str) -> BaseException | None:
        if not hasattr(config, "workerinput"):
            return end(line)
        items.clear()
        config.hook.pytest_collectreport(report=pytest.CollectReport("ethrex-perf", "failed", line, []))
        return None

    return fail


def failure(line: str) -> BaseException:
    """Return what makes this an error, or a failure, of the test."""
    return pytest.fail.Exception(line, pytrace=False)


def redacted(config: pytest.Config, text: str) -> str:
    """Return `text` without the secrets of this run, however far it has come."""
    redact_ours = config.stash.get(REDACT, None)
    if redact_ours is not None:
        return redact_ours(text)
    from pytest_ethrex_perf.replay.redaction import redact, secrets_in

    return redact(text, [config.getoption("ethrex_rpc_url") or "", *secrets_in(os.environ)])
