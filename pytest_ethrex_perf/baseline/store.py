"""Baseline files: where they are, how they are read, and how one changes without ever being half-written."""

from __future__ import annotations

import json
import math
import re
from itertools import chain
from statistics import median
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn

from pytest_ethrex_perf.baseline import compatibility
from pytest_ethrex_perf.baseline.schema import (
    FIRST_REASON,
    SCHEMA,
    Baseline,
    BaselineError,
    Epoch,
    Session,
    check,
    kept,
    moment,
)
from pytest_ethrex_perf.errors import MeasurementError, UsageError
from pytest_ethrex_perf.host.files import replace
from pytest_ethrex_perf.host.lock import writing
from pytest_ethrex_perf.host.machine import changes
from pytest_ethrex_perf.records import units
from pytest_ethrex_perf.records.block import BlockId
from pytest_ethrex_perf.replay.program_kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from pytest_ethrex_perf.records.decision import Decision, Rules
    from pytest_ethrex_perf.records.measurement import CacheIdentity, Kind

_SPREAD = ("epochs", "sessions", "invocations")  # lists that take a line for each item
_RESTORE = "restore it from version control (`git checkout -- FILE`), or delete it and record anew"
_CONFLICT_MARK = re.compile(r"^<{7} ", re.MULTILINE)


class MissingBaselineError(BaselineError):
    """There is no such file."""


class ContradictionError(BaselineError):
    """A session that its epoch does not predict: recorded only as a new epoch, with a reason."""


class Recorded(NamedTuple):
    """What `record` did."""

    path: Path
    baseline: Baseline
    """As it is stored now."""
    session: Session
    action: Literal["created", "appended", "began an epoch", "was there already"]
    forgotten: tuple[str, ...]
    """Ids of the sessions that the epoch no longer keeps."""
    warnings: tuple[str, ...]
    """What changed on the machine since the session before, and what was not counted like this before."""

    def __str__(self) -> str:
        epoch, number = self.baseline.epoch, len(self.baseline.epochs)
        what = {
            "created": "new baseline",
            "appended": f"session {len(epoch.sessions)} of epoch {number}",
            "began an epoch": f"epoch {number} begun ({epoch.reason})",
            "was there already": "already recorded",
        }[self.action]
        return f"{what}: session {self.session.id} in {self.path}"


def path(root: Path, block: BlockId, kind: Kind, machine_key: str) -> Path:
    """Where the baseline of (kind of program, block, machine) is stored below `root`."""
    return root / block.network / str(block.number) / f"{kind}-{machine_key}.json"


def files(root: Path) -> list[Path]:
    """Every baseline file below `root`, ordered by network, block number and name."""
    found = [
        file for kind in KINDS for file in root.glob(f"*/*/{kind}-*.json") if file.parent.name.isdecimal()
    ]
    return sorted(found, key=lambda file: (file.parts[-3], int(file.parts[-2]), file.name))


def load(file: Path) -> Baseline:
    """Read a baseline and check everything that must be true of it.

    Raises `MissingBaselineError` or `BaselineError`; nothing is changed or repaired.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise MissingBaselineError(
            f"{file}: there is no such baseline: record it with --ethrex-update-baseline"
        ) from None
    except UnicodeDecodeError:
        raise BaselineError(f"{file}: not text in UTF-8: {_RESTORE}") from None
    except OSError as error:
        raise BaselineError(f"{file}: cannot be read: {error.strerror}") from None
    return parse(text, str(file))


def parse(text: str, name: str) -> Baseline:
    """Read the text of a baseline file; `name` is what an error calls it. Raises `BaselineError`."""
    import msgspec

    if _CONFLICT_MARK.search(text):
        raise BaselineError(
            f"{name}: holds both sides of a merge conflict: `ethrex-perf baseline merge {name}` joins them"
        )
    try:
        content = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        is_cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
        state = "truncated" if is_cut else "not JSON"
        raise BaselineError(f"{name}: {state} ({error.msg}, {where}): {_RESTORE}") from None
    except (ValueError, RecursionError) as error:
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
    """Text of a baseline file: fields in the schema's order, one invocation a line, times in integer ns.

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
            items = ",\n".join(item + _text(one, item) for one in field)
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
    """Read, edit and write a baseline under its lock; None from `edit` deletes the file.

    Raises `BaselineError`; what `edit` raises leaves the file as it was.
    """
    with writing(file):
        edited = edit(load(file))
        if edited is None:
            file.unlink()
        else:
            write(file, edited)
    return edited


def record(
    root: Path,
    session: Session,
    *,
    cache: CacheIdentity,
    rules: Mapping[str, Rules],
    drop: int = 1,
    times: bool = True,
    accept_reason: str | None = None,
    dry: bool = False,
) -> Recorded:
    """Add `session` to the baseline that it belongs to, or make that baseline.

    `cache` says which block was measured, `rules` by what each gated metric is judged: by them, with the
    first `drop` repeats of an invocation left out, the session must not contradict its epoch. Without `times`
    it is a baseline of what callgrind counted. With
    `accept_reason` it begins a new epoch (once: further sessions with the same reason join that epoch unless
    they contradict it). The last `schema.KEPT` sessions of an epoch are kept, with its first and its tagged
    ones. A session that is there already changes nothing. A `dry` one writes nothing: it only raises.

    Raises `ContradictionError`, `BaselineError` (a file that is broken, or not comparable with the session),
    `UsageError` for an empty reason; then nothing was written.
    """
    import msgspec

    reason = accept_reason.strip() if accept_reason is not None else None
    if reason == "":
        raise UsageError("accepting a new level needs a reason: it is kept in the baseline's history")
    file = path(root, BlockId(cache.network, cache.number), session.program.kind, session.machine.key)
    first = _first(file, session, cache, reason, times=times)
    written = _forgotten if dry else write
    with writing(file):
        try:
            old = load(file)
        except MissingBaselineError:
            written(file, first)
            return Recorded(file, first, session, "created", (), ())
        if any(known.id == session.id for known in old.sessions()):
            return Recorded(file, old, session, "was there already", (), ())
        _refuse_incomparable(file, old, first)
        contradiction = _contradiction(old, session, rules, drop)
        if contradiction and reason is None:
            raise ContradictionError(_contradiction_told(file, old.epoch, contradiction))
        warnings = (
            *changes(old.epoch.sessions[-1].machine, session.machine),
            *_counted_anew(old, session, rules),
        )
        if reason is not None and (contradiction or reason != old.epoch.reason):
            started = max(session.started, old.epoch.started, key=moment)  # epochs stay in order
            epoch = Epoch(reason=reason, started=started, sessions=(session,))
            new = msgspec.structs.replace(old, epochs=(*old.epochs, epoch))
            written(file, new)
            return Recorded(file, new, session, "began an epoch", (), warnings)
        sessions = in_order((*old.epoch.sessions, session))
        new = _with_current(old, kept(sessions))
        written(file, new)
        forgotten = tuple(one.id for one in sessions if one not in new.epoch.sessions)
        return Recorded(file, new, session, "appended", forgotten, warnings)


def _forgotten(file: Path, baseline: Baseline) -> None:
    """Do not write it."""


def in_order(sessions: Iterable[Session]) -> tuple[Session, ...]:
    """Sessions in the order they started."""
    return tuple(sorted(sessions, key=lambda session: (moment(session.started), session.id)))


def _first(
    file: Path, session: Session, cache: CacheIdentity, reason: str | None, *, times: bool
) -> Baseline:
    """Return the baseline that `session` alone would make; raises `BaselineError` where it is not sound."""
    if not session.invocations:
        raise BaselineError(f"{file}: nothing was recorded: the session has no invocations")
    baseline = Baseline(
        schema=SCHEMA,
        kind=session.program.kind,
        network=cache.network,
        block=cache.number,
        machine=session.machine.key,
        times=times,
        cache=cache,
        repeat=len(session.invocations[0].exec_ns),
        prefix=session.program.prefix,
        epochs=(Epoch(reason=reason or FIRST_REASON, started=session.started, sessions=(session,)),),
    )
    try:
        check(baseline)
    except ValueError as error:
        raise BaselineError(f"{file}: nothing was recorded: the session is not sound: {error}") from None
    return baseline


def _refuse_incomparable(file: Path, old: Baseline, new: Baseline) -> None:
    reason = compatibility.difference(old, new)
    if reason is not None:
        raise BaselineError(f"{file}: nothing was recorded: {reason}")


class _Contradiction(NamedTuple):
    """A metric in which a session is not what its epoch predicts."""

    metric: str
    decision: Decision
    known: float
    """Level of the epoch's sessions."""
    new: float


def _contradiction(
    old: Baseline, session: Session, rules: Mapping[str, Rules], drop: int
) -> _Contradiction | None:
    """The first metric in which `session` contradicts the current epoch of `old`; raises `BaselineError`."""
    from pytest_ethrex_perf.judge.assess import Material, contradiction

    recent = old.raw(old.epoch.recent)
    material = Material(block=str(old.block_id), drop=drop, head=session.invocations, sessions=recent)
    for metric, limits in rules.items():
        try:
            decision = contradiction(material, metric, limits)
        except MeasurementError as error:
            raise BaselineError(f"nothing was recorded: {error}") from None
        if decision is not None:
            epoch, new = material.stored(metric), material.samples("head", metric)
            known, now = (median(values) for values in (chain(*epoch), new))
            return _Contradiction(metric, decision, math.exp(known), math.exp(now))
    return None


def _counted_anew(old: Baseline, session: Session, rules: Mapping[str, Rules]) -> Iterator[str]:
    """What no session of the epoch can be compared in, since it was counted otherwise there."""
    from pytest_ethrex_perf.judge import samples

    recent = old.raw(old.epoch.recent)
    for metric in rules:
        like = samples.identity(session.invocations, metric)
        if like is not None and not any(samples.comparable(one, metric, like) for one in recent):
            yield f"{metric} was not counted like this before ({like}): sessions before it say nothing of it"


def _contradiction_told(file: Path, epoch: Epoch, found: _Contradiction) -> str:
    known, new = (units.level(level, found.metric) for level in (found.known, found.new))
    return (
        f"{file}: nothing was recorded: {found.metric} took {new}, and {known} in {len(epoch.recent)} "
        f"session(s) since {epoch.reason!r}: {found.decision.reason}; if the change is meant, begin a new "
        'epoch with --ethrex-accept-baseline "reason", or from this run\'s results file with '
        '`ethrex-perf baseline accept RESULTS.json --reason "reason"`'
    )


def _with_current(baseline: Baseline, sessions: tuple[Session, ...]) -> Baseline:
    import msgspec

    epoch = msgspec.structs.replace(baseline.epoch, sessions=sessions)
    return msgspec.structs.replace(baseline, epochs=(*baseline.epochs[:-1], epoch))
