"""The files that are written of a run."""

from __future__ import annotations

import contextlib
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import EthrexPerfError, unexpected
from pytest_ethrex_perf.host import files
from pytest_ethrex_perf.records import regular_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_ethrex_perf.records.result import RunResult
    from pytest_ethrex_perf.report.forms import Form

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
STEP_OUTPUTS = "GITHUB_OUTPUT"


def write(
    result: RunResult, wanted: Mapping[str, tuple[Form, Path]], summary: Path | None = None
) -> tuple[list[str], list[str]]:
    """Write each form of `wanted` to its path, and append to the step `summary`, all of which were asked for.

    What is wanted is named by the option that asked for it, as it was typed. Returns what was written and
    what was not, with the reason: one that fails takes no other with it.
    """
    written: list[str] = []
    unwritten: list[str] = []
    jobs: list[tuple[str, Callable[[], None]]] = []
    for flag, (form, path) in wanted.items():
        jobs.append((f"{form.file(path)} ({flag})", partial(_write, form, path, result)))
    if summary is not None:
        jobs.append((f"{summary} (${STEP_SUMMARY})", partial(append_summary, summary, result)))
    for target, job in jobs:
        try:
            job()
        except EthrexPerfError as error:
            unwritten.append(f"{target}: {error}")
        except OSError as error:
            unwritten.append(f"{target}: {error.strerror}")
        except Exception as error:  # noqa: BLE001 - the other files are written all the same
            unwritten.append(f"{target}: {unexpected(error)}")
        else:
            written.append(target)
    return written, unwritten


def _write(form: Form, path: Path, result: RunResult) -> None:
    content = form.dump(result).encode("utf-8", "backslashreplace")
    file = form.file(path)
    if file.parent == Path("/dev"):  # /dev/stdout, whatever it is: nothing to replace
        with file.open("ab") as stream:
            stream.write(content)
    else:
        files.replace(file, content)


def append_summary(path: Path, result: RunResult) -> None:
    """Append the Markdown to a step's summary, as long as GitHub still takes it; raises OSError.

    Never replaced: the runner has it open, and other commands of the step may have written to it.
    """
    from pytest_ethrex_perf.report import markdown

    used = 0
    with contextlib.suppress(FileNotFoundError):
        regular_file.check(path)
        used = path.stat().st_size
    content = "\n" + markdown.dump(result, markdown.SUMMARY_LIMIT - used - 1)
    with path.open("ab") as stream:
        stream.write(content.encode("utf-8", "backslashreplace"))


def append_step_outputs(path: Path, result: RunResult) -> None:
    """Append `verdict` and `slower` (blocks, divided by spaces) to a step's outputs; raises OSError."""
    from pytest_ethrex_perf.report import text

    regular_file.check(path)
    with path.open("a", encoding="utf-8") as stream:
        stream.write(f"verdict={text.of_run(result)}\nslower={' '.join(text.slower(result))}\n")


def step_outputs(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The file of this step's outputs, where this is a step of GitHub Actions."""
    return Path(environ[STEP_OUTPUTS]) if environ.get(STEP_OUTPUTS) else None


def step_summary(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The file of this step's summary, where this is a step of GitHub Actions."""
    return Path(environ[STEP_SUMMARY]) if environ.get(STEP_SUMMARY) else None
