"""Two branches' files of one baseline joined: every session of either is in the result."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from pytest_ethrex_perf.baseline import compatibility
from pytest_ethrex_perf.baseline.history import level, main_metric
from pytest_ethrex_perf.baseline.schema import (
    Baseline,
    BaselineError,
    Epoch,
    Session,
    check,
    kept,
    moment,
)
from pytest_ethrex_perf.records import units

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

Conflicts = Literal["refuse", "join", "order"]
"""What becomes of epochs that both branches began apart: refused, made one, or put one after the other."""


def merge(ours: Baseline, theirs: Baseline, conflicts: Conflicts = "refuse") -> Baseline:
    """Return two baselines as one: sessions joined by id, epochs by start and reason, in order of start.

    The sessions of an epoch stay in the order in which either side has them, those of both sides by their
    dates between.

    A session that one side appended to an epoch and the other accepted as a new one is in the new one. What
    one side pruned and the other still has comes back; of each epoch, what `schema.kept` says is kept.
    Both sides having begun epochs after the last one in common is a conflict: two accepted levels.

    Raises `BaselineError` for baselines of different things, for such a conflict unless `conflicts` says what
    to make of it, and for one tag on two sessions.
    """
    import msgspec

    try:
        compatibility.check_alike(ours, theirs)
    except compatibility.IncomparableError as error:
        raise BaselineError(f"these two are not baselines of the same thing: {error}") from None
    merged = msgspec.structs.replace(ours, epochs=_epochs(ours, theirs, conflicts))
    try:
        check(merged)
    except ValueError as error:
        raise BaselineError(f"cannot be merged: {error}: untag one with `baseline tag --delete`") from None
    return merged


def _epochs(our_baseline: Baseline, their_baseline: Baseline, conflicts: Conflicts) -> tuple[Epoch, ...]:
    ours, theirs = our_baseline.epochs, their_baseline.epochs
    common = {_name(epoch) for epoch in ours} & {_name(epoch) for epoch in theirs}
    tails = _tail(ours, common), _tail(theirs, common)
    if all(tails) and conflicts == "refuse":
        raise BaselineError(_conflict(our_baseline, *tails))
    joined: dict[object, Epoch] = {}
    for side, tail in ((ours, tails[0]), (theirs, tails[1])):
        for epoch in side:
            # epochs begun apart become one by their place after what is common
            apart = conflicts == "join" and all(tails) and epoch in tail
            name = tail.index(epoch) if apart else _name(epoch)
            joined[name] = _join(joined[name], epoch) if name in joined else epoch
    ordered = sorted(joined.values(), key=lambda epoch: moment(epoch.started))
    return _without_repetitions(ordered)


def _name(epoch: Epoch) -> tuple[str, str]:
    return epoch.started, epoch.reason


def _tail(epochs: Sequence[Epoch], common: set[tuple[str, str]]) -> list[Epoch]:
    """The epochs after the last that both sides have."""
    last = max((index for index, epoch in enumerate(epochs) if _name(epoch) in common), default=-1)
    return list(epochs[last + 1 :])


def _join(ours: Epoch, theirs: Epoch) -> Epoch:
    sessions = _by_id((*ours.sessions, *theirs.sessions))
    order = _interleaved(
        [session.id for session in ours.sessions],
        [session.id for session in theirs.sessions],
        key=lambda id_: (moment(sessions[id_].started), id_),
    )
    reasons = dict.fromkeys((ours.reason, theirs.reason))
    return Epoch(
        reason="; ".join(reasons),
        started=min(ours.started, theirs.started, key=moment),
        sessions=tuple(sessions[id_] for id_ in order),
    )


def _interleaved(ours: list[str], theirs: list[str], key: Callable[[str], tuple[datetime, str]]) -> list[str]:
    """Return both lists as one, each once, the least by `key` first of what neither list has later.

    Where the two lists contradict each other the key decides.
    """
    order = []
    while ours or theirs:
        heads = [side[0] for side in (ours, theirs) if side]
        free = [head for head in heads if head not in ours[1:] and head not in theirs[1:]]
        first = min(free or heads, key=key)
        order.append(first)
        ours, theirs = ([id_ for id_ in side if id_ != first] for side in (ours, theirs))
    return order


def _by_id(sessions: Iterable[Session]) -> dict[str, Session]:
    """Each session once, with the tags and notes of all of its copies."""
    import msgspec

    joined: dict[str, Session] = {}
    for session in sessions:
        copy = joined.get(session.id, session)
        notes = dict.fromkeys(note for note in (copy.note, session.note) if note)
        tags = tuple(sorted({*copy.tags, *session.tags}))
        joined[session.id] = msgspec.structs.replace(copy, tags=tags, note="; ".join(notes) or None)
    return joined


def _without_repetitions(epochs: Sequence[Epoch]) -> tuple[Epoch, ...]:
    """The epochs with each session in the newest of those that have it."""
    import msgspec

    left = _by_id(session for epoch in epochs for session in epoch.sessions)
    newest_first: list[Epoch] = []
    for epoch in reversed(epochs):
        sessions = tuple(left.pop(session.id) for session in epoch.sessions if session.id in left)
        if sessions:
            newest_first.append(msgspec.structs.replace(epoch, sessions=kept(sessions)))
    return tuple(reversed(newest_first))


def _conflict(baseline: Baseline, ours: list[Epoch], theirs: list[Epoch]) -> str:
    metric = main_metric(baseline)

    def summary(epochs: list[Epoch]) -> str:
        return ", then ".join(
            f"{epoch.reason!r} on {epoch.started[:10]} ({len(epoch.sessions)} session(s), "
            f"{metric} {units.level(level(baseline, epoch.recent, metric), metric)})"
            for epoch in epochs
        )

    return (
        f"both sides began an epoch of their own: ours {summary(ours)}; theirs {summary(theirs)}; "
        "say --epochs join if that is one and the same level, or --epochs order to put one after the other"
    )


_MARK = re.compile(r"(<{7}|\|{7}|={7}|>{7})(?: .*)?")
_FOLLOWING = {"": "<", "<": "|=", "|": "=", "=": ">", ">": "<"}


def sides(text: str, name: str) -> tuple[str, str]:
    """Return the two texts in a file that `git merge` left with conflict markers (diff3 style or not).

    `name` is what the file is called. Raises `BaselineError` for one without markers, or with stray ones.
    """
    ours: list[str] = []
    theirs: list[str] = []
    into = {"": (ours, theirs), "<": (ours,), "|": (), "=": (theirs,), ">": (ours, theirs)}
    mark = ""
    for line in text.split("\n"):
        match = _MARK.fullmatch(line.rstrip("\r"))
        if match is None:
            for side in into[mark]:
                side.append(line)
        elif match[1][0] in _FOLLOWING[mark]:
            mark = match[1][0]
        else:
            raise BaselineError(_disorder(name))
    if mark == "":
        raise BaselineError(f"{name}: holds no merge conflict: name the two files to merge")
    if mark != ">":
        raise BaselineError(_disorder(name))
    return "\n".join(ours), "\n".join(theirs)


def _disorder(name: str) -> str:
    return f"{name}: its conflict markers are not in order: restore it and merge again"
