"""Which instrument a run counts with: what was asked for, as far as this machine has it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from pytest_ethrex_perf.counters import callgrind, events, probe
from pytest_ethrex_perf.counters.perf_stat import Perf
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records.metric import METRICS
from pytest_ethrex_perf.replay.instrument import NOTHING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_ethrex_perf.records.measurement import Machine
    from pytest_ethrex_perf.replay.instrument import Instrument

Mode: TypeAlias = Literal["auto", "perf", "callgrind", "off"]
MODES: tuple[Mode, ...] = ("auto", "perf", "callgrind", "off")
_FROM_WAIT4 = "CPU time, page faults, context switches and memory come from wait4"


@dataclass(frozen=True)
class Chosen:
    """The instrument of a run."""

    instrument: Instrument
    message: str
    """One line: what is counted with, or why nothing is."""
    machine: Machine | None = None
    """To whom its counts belong, where that is not the machine whose times were taken (callgrind)."""


def choose(
    mode: Mode,
    environ: Mapping[str, str],
    *,
    judged: Sequence[str] = (),
    named: Sequence[str] = (),
    root: Path = Path("/"),
) -> Chosen:
    """The instrument that `mode` asks for; `auto` is perf where there is one.

    `judged` are the events that verdicts are wanted of, `named` the user's own events. What is absent is said
    in the message, and is no failure unless it is to be judged: then, and for an event that perf does not
    know, raises `UsageError`. `root` holds `proc` and `sys` (another directory in tests).
    """
    if named and mode in ("callgrind", "off"):
        raise UsageError(f"--ethrex-events {','.join(named)}: perf counts them, not --ethrex-counters {mode}")
    if mode == "callgrind":
        return _callgrind(environ, judged, root)
    if mode == "off":
        _refuse(judged, "--ethrex-counters is off")
        return Chosen(NOTHING, f"counters off; {_FROM_WAIT4}")
    return _perf(mode, environ, judged, named, root)


def _perf(
    mode: Mode, environ: Mapping[str, str], judged: Sequence[str], named: Sequence[str], root: Path
) -> Chosen:
    _refuse([event for event in judged if not METRICS[event].perf], "only callgrind tells them apart")
    probed = probe.probe(environ, root=root)
    if probed.tool is None:
        _refuse(judged, probed.message)
        if mode == "perf":
            raise UsageError(f"--ethrex-counters perf: {probed.message}")
        return Chosen(NOTHING, f"{probed.message}; {_FROM_WAIT4}")
    if unknown := probe.unknown(probed.tool, named, environ):
        raise UsageError(
            f"--ethrex-events: perf {probed.tool.short_version} does not know "
            f"{', '.join(unknown)}: `perf list` shows the events of this machine"
        )
    software = events.without_counter((*judged, *named))
    if probed.state != "perf":
        _refuse([event for event in judged if event not in software], probed.message)
        message = f"{probed.message}; {', '.join(software)} {'are' if len(software) > 1 else 'is'} counted"
        if lost := [event for event in named if event not in software]:
            message += f", {', '.join(lost)} can't be"
        return Chosen(Perf(probed.tool, (), software=software), message)
    try:
        sets = events.event_sets(tuple(judged), tuple(named))
    except ValueError as error:
        raise UsageError(f"--ethrex-metrics: {error}") from None
    perf = Perf(probed.tool, sets, software=software, core_cpus=probe.core_cpus(root))
    return Chosen(perf, f"{probed.message}, method window")


def _callgrind(environ: Mapping[str, str], judged: Sequence[str], root: Path) -> Chosen:
    others = [event for event in judged if METRICS[event].callgrind is None]
    _refuse(others, "callgrind counts instructions only")
    tool = callgrind.find(environ)
    instrument = callgrind.Callgrind(tool)
    message = (
        f"callgrind {tool.version}: instructions of {instrument.repeats} repeats, in processes never timed"
    )
    return Chosen(instrument, message, callgrind.machine(tool, root=root))


def _refuse(judged: Sequence[str], why: str) -> None:
    if judged:
        raise UsageError(
            f"--ethrex-metrics {','.join(judged)}: this can't be counted here: {why}; judge exec, or "
            "instructions with --ethrex-counters callgrind"
        )
