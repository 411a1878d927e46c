"""The two figures of docs/decisions.md, as SVG that is the same for the same numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl

from benchmarks.noise import REPEATS
from benchmarks.rivals import RIVALS
from benchmarks.trials import EFFECTS, LIMITS, MARGIN, Interleaved

mpl.use("Agg")
mpl.rcParams |= {
    "svg.hashsalt": "ethrex-perf",  # ids that don't change from run to run
    "font.size": 9,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "white",
}
from matplotlib import pyplot as plt  # noqa: E402 - the backend is chosen first

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from benchmarks.claims import RivalCurves
    from benchmarks.evidence import Same

_OURS = {"color": "black", "label": "this gate", "zorder": 5}
_FLOOR = 2e-4  # where "none in all trials" is drawn


def false_alarms(evidence: Sequence[Interleaved], rivals: RivalCurves, path: Path) -> None:
    """Draw false regressions against repeats a side: rows for 0 % and +1 %, a column per scenario."""
    figure, rows = plt.subplots(
        2, len(evidence), figsize=(3.1 * len(evidence), 6.4), sharex=True, sharey=True
    )
    for row, effect in zip(rows, LIMITS, strict=True):
        for axes, one in zip(row, evidence, strict=True):
            for number, rival in enumerate(RIVALS):
                swept = sorted(n for name, n in rivals[one.scenario.name] if name == rival.name)
                rates = [rivals[one.scenario.name][rival.name, n][effect].slower.value for n in swept]
                axes.plot(
                    [n * REPEATS for n in swept],
                    [max(rate, _FLOOR) for rate in rates],
                    marker=".",
                    linewidth=1.2,
                    color=f"C{number}",
                    label=rival.name,
                )
            point = one.curve[effect]
            axes.plot([point.repeats], [max(point.slower.value, _FLOOR)], "*", markersize=13, **_OURS)
            axes.axhline(LIMITS[effect], color="black", linewidth=0.8, linestyle=":")
            axes.set_yscale("log")
            axes.set_ylim(_FLOOR * 0.7, 1.2)
            axes.set_yticks([_FLOOR, 1e-3, 1e-2, 1e-1, 1], ["none", "0.1 %", "1 %", "10 %", "100 %"])
        row[0].set_ylabel(f"false regressions\n{'nothing changed' if not effect else 'true change +1 %'}")
    for axes, one in zip(rows[0], evidence, strict=True):
        axes.set_title(one.scenario.name)
    for axes in rows[-1]:
        axes.set_xlabel("repeats a side")
    _save(figure, rows[0][0], path)


def power(evidence: Sequence[Interleaved], same: Mapping[str, Same], path: Path) -> None:
    """Draw the share of sessions that report a regression against the true change, a panel per scenario."""
    figure, panels = plt.subplots(1, len(evidence), figsize=(3.1 * len(evidence), 3.9), sharey=True)
    percent = [100 * effect for effect in EFFECTS]
    for axes, one in zip(panels, evidence, strict=True):
        axes.axvspan(0, 100 * MARGIN, color="tab:red", alpha=0.08, linewidth=0)
        for number, rival in enumerate(RIVALS):
            curve = same[one.scenario.name].curves[rival.name]
            rates = [100 * curve[effect].slower.value for effect in EFFECTS]
            axes.plot(percent, rates, linewidth=1.2, color=f"C{number}", label=rival.name)
        rates = [100 * one.curve[effect].slower.value for effect in EFFECTS]
        axes.plot(percent, rates, linewidth=2.6, marker="*", markersize=8, **_OURS)
        axes.set_title(one.scenario.name)
        axes.set_xlabel("true change of head, %")
    panels[0].set_ylabel("reported as slower, %")
    _save(figure, panels[0], path)


def _save(figure: Figure, labelled: Axes, path: Path) -> None:
    handles, labels = labelled.get_legend_handles_labels()
    figure.tight_layout(rect=(0, 0.6 / figure.get_figheight(), 1, 1))  # the legend takes 0.6 inches
    figure.legend(handles, labels, loc="lower center", ncol=5, frameon=False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
