"""What the words of reports mean: shown in HTML where they stand, and on a page of the documentation."""

from __future__ import annotations

from typing import NamedTuple


class Term(NamedTuple):
    """A word and its meaning, in plain text."""

    name: str
    meaning: str
    forms: tuple[str, ...] = ()
    """How else it is written; an HTML page explains a term in each of its forms."""
    see: str = ""
    """The page of the documentation that says more, below `docs/`."""
    explained: bool = True
    """On HTML pages, too: not what is clear there, or means other things as well."""


GLOSSARY = (
    Term(
        "alpha",
        "the risk of a false alarm in one whole run: 1 %. All its blocks, metrics and looks share it",
        ("risk of a false alarm",),
        see="decisions.md",
    ),
    Term(
        "archive",
        "where recorded programs are kept on a machine, to be run beside head later",
        explained=False,
    ),
    Term("base, head", "what is compared with, what is under test", explained=False),
    Term(
        "baseline",
        "the stored sessions of one kind of program, block and machine",
        ("baselines", "stored baseline"),
        see="how-to/baselines.md",
    ),
    Term("block", "one Ethereum block of one network, mainnet/24443168, or a workload", explained=False),
    Term("cache file", "the block with its witness, as ethrex-replay reads it"),
    Term(
        "comparison",
        "one metric of one block that is judged: the more there are in a run, the surer each must be",
        ("comparisons",),
    ),
    Term(
        "CPU time",
        "what all threads and the kernel spent for the program: on several cores more than the wall time",
    ),
    Term(
        "detectable",
        "the smallest true slowdown that the pairs planned would have caught with a probability of 90 %",
        ("would have been caught", "may go unseen", "go unseen here"),
    ),
    Term(
        "drop",
        "how many repeats at the start of each invocation don't count: caches are still cold",
        ("dropped",),
    ),
    Term(
        "epoch",
        "sessions of a baseline at one accepted level; accepting a change starts the next",
        ("epochs",),
        see="how-to/accept.md",
    ),
    Term(
        "exec",
        "the time of a block's execution, as the program prints it; what is judged unless you say otherwise",
    ),
    Term(
        "family",
        "all comparisons of a run: together they raise a false alarm in 1 % of the runs at the most",
        see="explanation/decides.md",
    ),
    Term("floor", "the absolute change below which nothing is a regression, 0.2 ms"),
    Term("Ggas/s", "billions of gas that are executed in a second: gas by the time of exec. More is better"),
    Term("harness", "the repository of ethrex-replay, where it is built with a revision of ethrex"),
    Term("improvement", "proven faster than the margin"),
    Term(
        "inconclusive",
        "neither proven slower, nor faster, nor unchanged",
        see="how-to/inconclusive.md",
    ),
    Term(
        "interval",
        "where the true change lies with a probability of 95 %: [+11.2, +21.8], in percent",
        ("95 % interval",),
    ),
    Term(
        "invocation",
        "one process of the program: some repeats of one block. The unit that is counted",
        ("invocations",),
    ),
    Term("IPC", "instructions per cycle: less with the same work means waiting, mostly for memory"),
    Term(
        "level", "the speed at which a baseline's sessions lie; a change is measured from it", explained=False
    ),
    Term("look", "a moment at which the pairs so far are judged: after 6, 8, 10, …", ("looks",)),
    Term("margin", "a slowdown smaller than this is never a regression: 1 % unless you say otherwise"),
    Term(
        "metric",
        "what is judged: exec, prep, instructions, …",
        see="reference/metrics.md",
        explained=False,
    ),
    Term("pair", "one invocation of base and one of head, next to each other", ("pairs",)),
    Term("patience", "how long undecided blocks may go on beyond 24 pairs"),
    Term(
        "phase",
        "a part of exec as the program reports it: validate, exec, merkle, store, …; some run side by side",
        ("phases",),
    ),
    Term("prep", "the time of preparing a block before its execution"),
    Term("program", "the executable that is measured, known by its sha256", ("binary",), explained=False),
    Term(
        "PSI",
        "pressure stall information of Linux: the share of the time in which something waited for a CPU",
    ),
    Term("regression", "proven slower than the margin"),
    Term("repeat", "one preparation and execution within an invocation", ("repeats",)),
    Term("round", "of a bisect: one invocation of good, of the step and of bad", explained=False),
    Term(
        "same program",
        "base and head have the same sha256: nothing to measure",
    ),
    Term("sample", "one invocation reduced to one number", ("samples",)),
    Term(
        "sd",
        "standard deviation: how much single runs or pairs scatter, not how sure a change is",
    ),
    Term("session", "one run's invocations of one block on one machine", ("sessions",)),
    Term("steal", "time that the hypervisor gave to other guests instead of this machine", ("steal ticks",)),
    Term("tolerance", "proven to be within this is unchanged: 3 % unless you say otherwise"),
    Term("unchanged", "proven to be within the tolerance"),
    Term("waived", "a regression that ethrex-perf.toml allows", see="how-to/accept.md"),
    Term("workload", "a block of one kind of transaction that the program makes itself", see="workloads.md"),
)


def explained() -> list[tuple[str, str, str]]:
    """Return what HTML pages explain: a term, its forms as JavaScript splits them, its meaning."""
    return [
        (term.name, "|".join((term.name, *term.forms)), term.meaning) for term in GLOSSARY if term.explained
    ]
