"""Which events are counted when: sets that fit into a CPU's counters, taken in turn by the pairs of a run."""

from __future__ import annotations

from pytest_ethrex_perf.counters.perf_output import IN_THE_KERNEL, SOFTWARE, event_of

MOST_AT_ONCE = 5
"""Zen has 6 counters and the NMI watchdog may hold one; older Intel has 4, and 3 of fixed use besides."""
ALWAYS = ("instructions", "cycles")
TOGETHER = (("branches", "branch-misses"), ("cache-references", "cache-misses", "L1-dcache-load-misses"))
"""What the profiling guide looks at; a rate's two events are always counted at once."""
KERNELS_OWN = ("task-clock",)
"""These need no counter, so they are in every set. Not page faults: counting each as it happens makes a
program that has many some 5 % slower (benchmarks/counters.py), and `wait4` tells them for nothing."""


def event_sets(judged: tuple[str, ...] = (), named: tuple[str, ...] = ()) -> tuple[tuple[str, ...], ...]:
    """The sets of hardware events that the turns go through.

    `judged` events are in every set, so that every pair has them; `named` are the user's, recorded and shown
    like the rest, in sets of their own where they are not among them. Events that need no counter are left
    out. Raises ValueError where more is to be judged than can be counted at once.
    """
    always = tuple(dict.fromkeys((*ALWAYS, *_of_hardware(judged))))
    free = MOST_AT_ONCE - len(always)
    if free < 0:
        raise ValueError(
            f"{', '.join(always)}: no more than {MOST_AT_ONCE} events are counted at once: judge fewer"
        )
    grouped = {event_of(event).name for group in TOGETHER for event in group} | set(always)
    own = tuple(event for event in dict.fromkeys(_of_hardware(named)) if event_of(event).name not in grouped)
    if free == 0:
        return (always,)
    groups = [group for group in (*TOGETHER, own) if set(group) - set(always)]
    sets = []
    for group in groups:
        wanted = [event for event in group if event not in always]
        sets += [(*always, *wanted[at : at + free]) for at in range(0, len(wanted), free)]
    return tuple(sets) or (always,)


def without_counter(named: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The events that the kernel counts by itself: CPU time, and those of the user's that are like that."""
    return tuple(dict.fromkeys((*KERNELS_OWN, *(e for e in named if event_of(e).name in SOFTWARE))))


def _of_hardware(events: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(event for event in events if event_of(event).name not in SOFTWARE)


def user_only(event: str) -> str:
    """The event as perf is asked for it, without the kernel, so that root and others count the same."""
    if event.endswith("/") and "/" not in event_of(event).name:
        return f"{event}u"
    # modifiers of the user's own, a tracepoint, another PMU than the CPU's: left as they are
    return event if ":" in event or "/" in event or event in IN_THE_KERNEL else f"{event}:u"
