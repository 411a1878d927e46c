"""The limits that a command judges by: as pytest's options of that name, or else as the file was judged."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from pytest_ethrex_perf.config import readers
from pytest_ethrex_perf.config.options import OPTIONS
from pytest_ethrex_perf.config.parsers import read
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.judge import looks, stored
from pytest_ethrex_perf.records.decision import Rules
from pytest_ethrex_perf.records.metric import has_floor, limits

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping

    from pytest_ethrex_perf.records.result import BlockResult

_LIMITS = ("margin", "tolerance", "alpha", "looks", "floor")
_DEFAULT = looks.standard(
    Rules(alpha=readers.alpha(OPTIONS["alpha"].default), within=stored.WITHIN), looks.MOST
)


def add_options(parser: ArgumentParser) -> None:
    """Add `--metrics` and the limits; `given` reads them."""
    for name in ("metrics", *_LIMITS):
        option = OPTIONS[name]
        text = f"{option.help} (default: the file's, else {option.shown_default or option.default})"
        parser.add_argument(f"--{name}", metavar=option.metavar, help=text.replace("%", "%%"))


def given(args: Namespace) -> dict[str, Any]:
    """What the command line says, read and checked; raises `UsageError`."""
    values = {name: getattr(args, name) for name in ("metrics", *_LIMITS)}
    return {
        name: read(readers.of(name), value, f"--{name}")
        for name, value in values.items()
        if value is not None
    }


def judged(block: BlockResult) -> dict[str, Rules]:
    """The rules of each metric by which `block` was judged, or would have been had it not been recorded."""
    return {**block.rules, **{result.metric: result.rules for result in block.metrics}}


def rules(
    given: Mapping[str, Any],
    earlier: Rules | None,
    gatings: float,
    *,
    metric: str,
    name: str,
    callgrind: bool = False,
) -> Rules:
    """The rules of one gating: what is `given` wins over its `earlier` rules.

    Without earlier ones, the defaults of `metric`, `callgrind`'s if that counted it. `gatings` is its share
    of the family, `name` what an error calls it. Raises `UsageError` unless the margin lies below the
    tolerance.
    """
    chosen = {limit: value for limit, value in given.items() if limit in _LIMITS}
    if not has_floor(metric):
        chosen.pop("floor", None)
    usual = dataclasses.replace(_DEFAULT, **limits(metric, callgrind=callgrind)._asdict())
    by_hand = chosen.pop("looks", None)
    ruled = dataclasses.replace(earlier or usual, gatings=gatings, **chosen)
    if by_hand is not None:
        once = (1.0, 1.0)
        ruled = dataclasses.replace(ruled, looks=by_hand, most=0, alpha_spend=once, beta_spend=once)
    elif ruled.looks == looks.ORDINARY:  # what they may spend depends on alpha and the family
        ruled = looks.standard(ruled, ruled.most)
    if ruled.margin >= ruled.tolerance:
        raise UsageError(
            f"{name}: the margin ({ruled.margin:.3g}) must be below the tolerance ({ruled.tolerance:.3g}): "
            "set both, --margin and --tolerance"
        )
    return ruled
