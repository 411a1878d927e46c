"""`ethrex-perf report`, `merge` and `junit`: every report from a file, and shards joined."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ethrex_perf.errors import EthrexPerfError, UsageError
from pytest_ethrex_perf.host import files
from pytest_ethrex_perf.report.forms import FORMS, HTML

if TYPE_CHECKING:
    import argparse

    from pytest_ethrex_perf.records.result import RunResult

_WRITTEN_BY = "written by --ethrex-json"


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the commands."""
    report = commands.add_parser("report", help="make any report from a results file")
    report.add_argument("results", metavar="RESULTS.json", type=Path, nargs="?", help=_WRITTEN_BY)
    for form in FORMS:
        if form.flag is not None:
            metavar = "FILE" if form.page is None else "DIR"
            report.add_argument(f"--{form.flag}", metavar=metavar, type=Path, help=form.help)
    report.add_argument("--step-summary", action="store_true", help="append to $GITHUB_STEP_SUMMARY")
    report.add_argument(
        "--step-outputs",
        action="store_true",
        help="append to $GITHUB_OUTPUT: `verdict`, in a word, and `slower`, the blocks that regressed",
    )
    report.add_argument("--schema", action="store_true", help="print the JSON Schema of results files")
    report.set_defaults(run=_report)

    merge = commands.add_parser("merge", help="join the results files of shards")
    merge.add_argument("results", metavar="RESULTS.json", type=Path, nargs="+", help="one file a shard")
    merge.add_argument("-o", "--output", metavar="FILE", type=Path, required=True)
    merge.set_defaults(run=_merge)

    junit = commands.add_parser("junit", help="join, annotate or sum up JUnit files").add_subparsers(
        metavar="VERB", required=True
    )
    joined = junit.add_parser("merge", help="join the JUnit files of shards")
    joined.add_argument("junit", metavar="JUNIT.xml", type=Path, nargs="+")
    joined.add_argument("-o", "--output", metavar="FILE", type=Path, required=True)
    joined.set_defaults(run=_junit_merge)
    annotate = junit.add_parser("annotate", help="add results as properties to their test cases")
    annotate.add_argument("junit", metavar="JUNIT.xml", type=Path)
    annotate.add_argument("results", metavar="RESULTS.json", type=Path, help=_WRITTEN_BY)
    annotate.add_argument("-o", "--output", metavar="FILE", type=Path, help="default: JUNIT.xml itself")
    annotate.set_defaults(run=_junit_annotate)
    summary = junit.add_parser("summary", help="print a table from a JUnit file alone")
    summary.add_argument("junit", metavar="JUNIT.xml", type=Path)
    summary.set_defaults(run=_junit_summary)


def _report(options: argparse.Namespace) -> int:
    from pytest_ethrex_perf.records import results_file
    from pytest_ethrex_perf.report import outputs, terminal, text

    if options.schema:
        sys.stdout.write(results_file.json_schema())
        return 0
    if options.results is None:
        raise UsageError("report: name a results file, as written by --ethrex-json")
    result = results_file.load(options.results)
    given = vars(options)
    wanted = {
        f"--{form.flag}": (form, path)
        for form in FORMS
        if form.flag and (path := given[form.flag.replace("-", "_")]) is not None
    }
    summary = outputs.step_summary() if options.step_summary else None
    if options.step_summary and summary is None:
        raise UsageError(f"--step-summary: ${outputs.STEP_SUMMARY} is not set: no step of GitHub Actions")
    if options.step_outputs:
        _step_outputs(result)
    if not wanted and summary is None and not options.step_outputs:
        lines = [text.counts(result.blocks), *(line.text for line in terminal.summary(result))]
        sys.stdout.write("\n".join(lines) + "\n")
        return 0
    written, unwritten = outputs.write(result, wanted, summary)
    for form, path in wanted.values():
        if form is HTML:
            written += _profiles(result, path)
    sys.stderr.write("".join(f"written: {file}\n" for file in written))
    if unwritten:
        raise EthrexPerfError("not written: " + "; ".join(unwritten))
    return 0


def _step_outputs(result: RunResult) -> None:
    from pytest_ethrex_perf.report import outputs

    file = outputs.step_outputs()
    if file is None:
        raise UsageError(f"--step-outputs: ${outputs.STEP_OUTPUTS} is not set: no step of GitHub Actions")
    try:
        outputs.append_step_outputs(file, result)
    except OSError as error:
        raise EthrexPerfError(f"{file} (${outputs.STEP_OUTPUTS}): not written: {error.strerror}") from None


def _profiles(result: RunResult, directory: Path) -> list[str]:
    """Write the stacks of profiled blocks beside the page, in the forms of other tools."""
    from pytest_ethrex_perf.profile import artifacts

    folders = []
    for block in result.blocks:
        if block.profile is not None:
            folder = directory / artifacts.folder_name(block.block)
            artifacts.write_kept(folder, block, block.profile, result.started)
            folders.append(f"{folder} (folded stacks in µs, speedscope, Firefox)")
    return folders


def _merge(options: argparse.Namespace) -> int:
    from pytest_ethrex_perf.gate import merge
    from pytest_ethrex_perf.records import results_file
    from pytest_ethrex_perf.report import text

    result = merge.merge({path: results_file.load(path) for path in dict.fromkeys(options.results)})
    _replace(options.output, results_file.dump(result))
    sys.stdout.write(f"{options.output}: {len(result.blocks)} blocks: {text.counts(result.blocks)}\n")
    return 0


def _junit_merge(options: argparse.Namespace) -> int:
    from pytest_ethrex_perf.report import junit

    content, notes = junit.merge(dict.fromkeys(options.junit))
    _replace(options.output, content)
    sys.stderr.write("".join(f"note: {note}\n" for note in notes))
    return 0


def _junit_annotate(options: argparse.Namespace) -> int:
    from pytest_ethrex_perf.records import results_file
    from pytest_ethrex_perf.report import junit

    content, found = junit.annotate(options.junit, results_file.load(options.results))
    output = options.output or options.junit
    _replace(output, content)
    sys.stdout.write(f"{output}: {found} test cases have results now\n")
    return 0


def _junit_summary(options: argparse.Namespace) -> int:
    from pytest_ethrex_perf.report import junit

    sys.stdout.write("\n".join(junit.summary(options.junit)) + "\n")
    return 0


def _replace(path: Path, content: str) -> None:
    """Write a file; raises `EthrexPerfError` that names it."""
    try:
        files.replace(path, content.encode())
    except OSError as error:
        raise EthrexPerfError(f"{path}: cannot be written: {error.strerror}") from None
