"""The parts of the documentation that have a source in the code: options, commands, metrics, forms, schemas.

A page names the part with a line `<!-- made: options -->`, which `docs_site` replaces.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pytest_ethrex_perf import cli
from pytest_ethrex_perf.config.options import OPTIONS, Option
from pytest_ethrex_perf.records.metric import METRICS, Limits
from pytest_ethrex_perf.report.forms import FORMS
from pytest_ethrex_perf.report.glossary import GLOSSARY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parents[1]
_WIDTH: Final = 80
"""Of a command's help, in columns: what a page shows without a scroll bar on a desk."""


def options() -> str:
    """Every option of pytest, a heading each, in the groups and the order of `--help`."""
    groups = itertools.groupby(OPTIONS.values(), key=lambda option: option.group)
    return "\n\n".join(
        "\n\n".join((f"## {group.capitalize()}", *map(_option, options))) for group, options in groups
    )


def _option(option: Option) -> str:
    value = "" if option.flag else f"={option.metavar or 'VALUE'}"
    places = [f"`{option.name}` in ethrex-perf.toml", f"`{option.ini_name}` in ini"] if option.file else []
    if option.per_metric:
        places.append('`[metric."…"]`')
    if option.per_block:
        places += ['`[block."…"]`', "marker"]
    where = f"Also: {', '.join(places)}." if places else "On the command line only."
    heading = f"### `{option.flag_name}` {{: #{option.name} }}"
    usage = f"`{option.flag_name}{value}`"
    return "\n\n".join((heading, usage, prose(_sentence(option.full_help)), where))


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def commands() -> str:
    """Every command with its help, as `ethrex-perf COMMAND --help` prints it."""
    return "\n\n".join(
        f"## `{parser.prog}`\n\n{_purpose(parser, purpose)}```text\n{_help(parser)}\n```"
        for parser, purpose in parsers()
    )


def _purpose(parser: argparse.ArgumentParser, purpose: str) -> str:
    """What the list of commands says, where the command's help does not."""
    return "" if parser.description else f"{prose(_sentence(purpose))}\n\n"


def parsers() -> Iterator[tuple[argparse.ArgumentParser, str]]:
    """Every command's parser, and what the list of commands says of it; groups of verbs are none."""
    yield from _parsers_of(cli.parser())


def _parsers_of(parser: argparse.ArgumentParser) -> Iterator[tuple[argparse.ArgumentParser, str]]:
    for group in parser._actions:  # noqa: SLF001 - argparse has no other way to ask for its commands
        if not isinstance(group, argparse._SubParsersAction):  # noqa: SLF001
            continue
        purposes = {action.dest: action.help for action in group._choices_actions}  # noqa: SLF001
        for name, command in group.choices.items():
            verbs = list(_parsers_of(command))
            yield from verbs or [(command, purposes[name] or command.description or name)]


def _help(parser: argparse.ArgumentParser) -> str:
    parser.formatter_class = functools.partial(argparse.HelpFormatter, width=_WIDTH)
    return parser.format_help().strip()


def metrics() -> str:
    """Every metric with the limits that it is judged by unless the user sets others."""
    rows = []
    for metric in METRICS.values():
        unit = "time" if metric.is_time else "CPU time" if metric.unit else "count"
        by = [name for name, counts in (("perf", metric.perf), ("callgrind", metric.callgrind)) if counts]
        rows.append(
            (
                f"`{metric.name}`",
                unit,
                "the program" if metric.is_time else ", ".join(by),
                _limits(metric.limits) if metric.is_time or metric.perf else "–",
                _limits(metric.callgrind) if metric.callgrind else "–",
            )
        )
    return table(("metric", "is a", "read from", "margin / tolerance", "of callgrind"), rows)


def _limits(limits: Limits) -> str:
    return f"{limits.margin * 100:g} % / {limits.tolerance * 100:g} %"


def forms() -> str:
    """Every form of a report, and where it is asked for."""
    rows = [
        (
            prose(form.help),
            f"`--ethrex-{form.option.replace('_', '-')}`" if form.option else "`--junitxml` (pytest's own)",
            f"`--{form.flag}`" if form.flag else "is what it reads",
        )
        for form in FORMS
    ]
    return table(("form", "of `pytest`", "of `ethrex-perf report`"), rows)


def glossary() -> str:
    """Every word of the glossary; links are those of its page."""
    rows = [(term.name, term.meaning + (f" ([more]({term.see}))" if term.see else "")) for term in GLOSSARY]
    return table(("word", "meaning"), rows)


def results() -> str:
    """The records of a results file."""
    return schema("results")


def baseline() -> str:
    """The records of a baseline's file."""
    return schema("baseline")


def schema(name: str) -> str:
    """Every record of `docs/NAME.schema.json`, a heading and a table each."""
    records: Mapping[str, Any] = json.loads((ROOT / f"docs/{name}.schema.json").read_text())["$defs"]
    return "\n\n".join(_record(record, content) for record, content in records.items())


def _record(name: str, content: Mapping[str, Any]) -> str:
    heading = f"## {name}\n\n{prose(content.get('description', ''))}\n\n"
    if "enum" in content:
        return heading + "One of " + ", ".join(f"`{value}`" for value in content["enum"]) + "."
    required = content.get("required", ())
    rows = [
        (
            f"`{field}`" + ("" if field in required else " (optional)"),
            _type(value),
            prose(value.get("description", "")),
        )
        for field, value in content.get("properties", {}).items()
    ]
    return heading + table(("field", "type", "meaning"), rows)


def _type(value: Mapping[str, Any]) -> str:
    """A field's type in words: `list of [Pair](#pair)`."""
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in value:
        return " or ".join(_type(choice) for choice in value["anyOf"])
    if "enum" in value:
        return " or ".join(f"`{choice}`" for choice in value["enum"])
    match value.get("type", "anything"):
        case "array":
            items = value.get("items") or {}
            return f"list of {_type(items)}" if items else "list"
        case "object" if isinstance(value.get("additionalProperties"), dict):
            return f"object of {_type(value['additionalProperties'])}"
        case kind:
            return str(kind)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def prose(text: str) -> str:
    """`text` so that Markdown shows it as it is; what stands in backticks is code already."""
    pieces = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(
        piece if piece[:1] == "`" else re.sub(r"([\\<*_\[\]])", r"\\\1", piece) for piece in pieces
    )


PARTS: Final[Mapping[str, Callable[[], str]]] = {
    part.__name__: part for part in (options, commands, metrics, forms, glossary, results, baseline)
}
