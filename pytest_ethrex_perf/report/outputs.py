"""What can be written of a run, by the name of its option: each form from the same `RunResult`."""

from __future__ import annotations

import os
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.config.options import OPTIONS
from pytest_ethrex_perf.errors import EthrexPerfError
from pytest_ethrex_perf.host import files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_ethrex_perf.records.result import RunResult

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
_DUMPS = {
    "report": "report.html:dump",
    "json": "records.results_file:dump",
    "markdown": "report.markdown:dump",
    "csv": "report.formats:metrics_csv",
    "samples_csv": "report.formats:samples_csv",
    "benchmark_json": "report.benchmark_json:dump",
    "smaller_is_better": "report.formats:smaller_is_better",
    "bencher": "report.formats:bencher",
    "junit": "report.junit:dump",
}


def text(name: str, result: RunResult) -> str:
    """`result` in the form `name`: the name of its option, or `junit` (which pytest writes itself).

    Each form's module is imported here: nobody pays for what is not asked for. Raises `EthrexPerfError` where
    what it needs is not installed.
    """
    module, _, function = _DUMPS[name].partition(":")
    dump: Callable[[RunResult], str] = getattr(import_module(f"pytest_ethrex_perf.{module}"), function)
    return dump(result)


def write(
    result: RunResult, wanted: Mapping[str, Path], summary: Path | None = None
) -> tuple[list[str], list[str]]:
    """Write each of `wanted`, forms by name with their paths, and append to the step `summary`.

    Returns what was written and what was not, with the reason: one that fails takes no other with it.
    """
    written: list[str] = []
    unwritten: list[str] = []
    jobs: list[tuple[str, Callable[[], None]]] = []
    for name, path in wanted.items():
        flag = OPTIONS[name].flag_name if name in OPTIONS else f"--{name}"
        jobs.append((f"{_file(name, path)} ({flag})", partial(_write, name, path, result)))
    if summary is not None:
        jobs.append((f"{summary} (${STEP_SUMMARY})", partial(append_summary, summary, result)))
    for told, job in jobs:
        try:
            job()
        except EthrexPerfError as error:
            unwritten.append(f"{told}: {error}")
        except OSError as error:
            unwritten.append(f"{told}: {error.strerror}")
        else:
            written.append(told)
    return written, unwritten


def _file(name: str, path: Path) -> Path:
    return path / "index.html" if name == "report" else path


def _write(name: str, path: Path, result: RunResult) -> None:
    content = text(name, result).encode("utf-8", "backslashreplace")
    file = _file(name, path)
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

    used = path.stat().st_size if path.exists() else 0
    content = "\n" + markdown.dump(result, markdown.SUMMARY_LIMIT - used - 1)
    with path.open("ab") as stream:
        stream.write(content.encode("utf-8", "backslashreplace"))


def step_summary(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The file of this step's summary, where this is a step of GitHub Actions."""
    return Path(environ[STEP_SUMMARY]) if environ.get(STEP_SUMMARY) else None
