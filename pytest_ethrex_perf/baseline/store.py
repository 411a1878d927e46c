"""Baseline files: where they are, how they are read, and how one changes without ever being half-written."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_ethrex_perf.baseline.schema import SCHEMA, Baseline, BaselineError, check
from pytest_ethrex_perf.host.files import replace
from pytest_ethrex_perf.host.lock import writing
from pytest_ethrex_perf.records import nesting, regular_file, workload
from pytest_ethrex_perf.replay.program_kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_ethrex_perf.records.block import BlockId
    from pytest_ethrex_perf.records.measurement import Kind

_SPREAD = ("epochs", "sessions", "invocations")  # lists that take a line for each item
_RESTORE = "restore it from version control (`git checkout -- FILE`), or delete it and record anew"
_CONFLICT_MARK = re.compile(r"^<{7} ", re.MULTILINE)


class MissingBaselineError(BaselineError):
    """There is no such file."""


def path(root: Path, block: BlockId, kind: Kind, machine_key: str) -> Path:
    """Return where the baseline of (kind of program, block, machine) is stored below `root`."""
    return folder(root, block) / f"{kind}-{machine_key}.json"


def folder(root: Path, block: BlockId) -> Path:
    """Return where the baselines of `block` are below `root`."""
    return root / block.network / block.name


def files(root: Path) -> list[Path]:
    """Return every baseline file below `root`, ordered by network, block number and name."""
    paths = [file for kind in KINDS for file in root.glob(f"*/*/{kind}-*.json") if _is_of_block(file)]
    return sorted(paths, key=_order)


def _is_of_block(file: Path) -> bool:
    return file.parent.name.isdecimal() or file.parent.parent.name == workload.NETWORK


def _order(file: Path) -> tuple[str, int, str, str]:
    network, block = file.parts[-3:-1]
    return network, int(block) if block.isdecimal() else 0, block, file.name


def load(file: Path) -> Baseline:
    """Return the baseline in `file`, once everything is checked that must be true of it.

    Raises `MissingBaselineError` or `BaselineError`; nothing is changed or repaired.
    """
    try:
        text = regular_file.content(file).decode()
    except FileNotFoundError:
        raise MissingBaselineError(
            f"{file}: there is no such baseline: record it with --ethrex-update-baseline"
        ) from None
    except UnicodeDecodeError:
        raise BaselineError(f"{file}: not text in UTF-8: {_RESTORE}") from None
    except OSError as error:
        raise BaselineError(f"{file}: cannot be read: {error.strerror}") from None
    return parse(text, str(file))


def find(file: Path) -> Baseline | None:
    """Return the baseline in `file`, None where there is no such file; raises `BaselineError`."""
    try:
        return load(file)
    except MissingBaselineError:
        return None


def parse(text: str, name: str) -> Baseline:
    """Return the baseline that the text of a file holds; raises `BaselineError`, which calls it `name`."""
    import msgspec

    if _CONFLICT_MARK.search(text):
        raise BaselineError(
            f"{name}: holds both sides of a merge conflict: `ethrex-perf baseline merge {name}` joins them"
        )
    try:
        nesting.check(text)
        content = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        is_cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
        state = "truncated" if is_cut else "not JSON"
        raise BaselineError(f"{name}: {state} ({error.msg}, {where}): {_RESTORE}") from None
    except ValueError as error:
        raise BaselineError(f"{name}: {error}: {_RESTORE}") from None
    schema = content.get("schema") if isinstance(content, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise BaselineError(
            f"{name}: written by a newer pytest-ethrex-perf (schema {schema}, this one reads {SCHEMA}): "
            "upgrade pytest-ethrex-perf"
        )
    try:
        baseline = msgspec.convert(content, Baseline)
        check(baseline)
    except (ValueError, msgspec.ValidationError) as error:
        raise BaselineError(f"{name}: not as it was recorded: {error}: {_RESTORE}") from None
    return baseline


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):  # a conflict resolved by hand: one of the two would be lost
        names = [name for name, _ in pairs]
        raise ValueError(
            f"the field {next(name for name in names if names.count(name) > 1)!r} is there twice"
        )
    return fields


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")


def dump(baseline: Baseline) -> str:
    """Return the text of a baseline file: fields in the schema's order, an invocation a line, times in ns.

    `parse(dump(b)) == b`. Raises ValueError for a baseline that `load` would refuse.
    """
    import msgspec

    check(baseline)
    return _text(msgspec.to_builtins(baseline, order="deterministic"), "") + "\n"


def _text(value: Any, indent: str) -> str:
    if not isinstance(value, dict) or value.keys().isdisjoint(_SPREAD):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    inner, item = indent + "  ", indent + "    "
    fields = []
    for name, field in value.items():
        if name in _SPREAD:
            items = ",\n".join(item + _text(element, item) for element in field)
            fields.append(f'{inner}"{name}": [\n{items}\n{inner}]')
        else:
            fields.append(f'{inner}"{name}": {json.dumps(field, ensure_ascii=False, allow_nan=False)}')
    return "{\n" + ",\n".join(fields) + f"\n{indent}}}"


def write(file: Path, baseline: Baseline) -> None:
    """Replace `file` at once: whoever reads it, and whatever happens, finds the old or the new content.

    The caller holds the file's lock. Raises `BaselineError` where it cannot be written, and for a baseline
    that `load` would refuse.
    """
    try:
        replace(file, dump(baseline).encode())
    except ValueError as error:
        raise BaselineError(f"{file}: nothing was changed: {error}") from None
    except OSError as error:
        raise BaselineError(f"{file}: cannot be written: {error.strerror}: nothing was changed") from None


def change(file: Path, edit: Callable[[Baseline], Baseline | None]) -> Baseline | None:
    """Read, edit and write a baseline under its lock; return what is left: None from `edit` deletes the file.

    Raises `BaselineError`; what `edit` raises leaves the file as it was.
    """
    with writing(file):
        edited = edit(load(file))
        if edited is None:
            file.unlink()
        else:
            write(file, edited)
    return edited
