"""The plain data of judgement: the rules a block-metric is judged by and what was decided.

Effects, margins and standard deviations of *samples* are natural logarithms unless a name says otherwise
(`log1p(0.01)` is +1 %); `Rules` holds plain fractions, as the user writes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import chain


class Verdict(StrEnum):
    """What a measurement proved; what could not be measured is an error, never a verdict."""

    REGRESSION = "regression"
    IMPROVEMENT = "improvement"
    UNCHANGED = "unchanged"
    INCONCLUSIVE = "inconclusive"


MAX_SPEND = 2.0
"""No plan's looks overlap so much that they may spend so many alphas."""
MOST_PAIRS = 100_000
"""More are a slip of the keyboard: at a second each they take a day and more."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What one gating (a block and a metric) is judged by."""

    margin: float = 0.01
    """A slowdown smaller than this fraction is never a regression."""
    tolerance: float = 0.03
    """Proven to be within this fraction is `unchanged`."""
    alpha: float = 0.01
    """Probability of a false regression allowed to the whole family."""
    beta: float = 0.05
    """Probability of a false `unchanged`, per gating."""
    gatings: float = 1.0
    """m: alpha is divided by it (a float, since half of alpha may belong to the mean over blocks)."""
    looks: tuple[int, ...] = (6, 10, 16, 24)
    """Numbers of pairs at which the data is looked at."""
    most: int = 0
    """Pairs up to which the plan goes on after `looks`, as far as the noise at the first look asks for them;
    0: `looks` are the whole plan."""
    alpha_spend: tuple[float, float] = (1.0, 1.0)
    """What the looks may spend together, in alphas: those of the whole plan, and those of one cut short.

    More than 1 where looks overlap, so that a regression is found at several; less where the noise chose how
    many there are. 1 is the sum of what they may spend one by one."""
    beta_spend: tuple[float, float] = (1.0, 1.0)
    """The same of beta."""
    floor: float = 0.0
    """Absolute change, in the metric's unit (ns for times), below which nothing is a regression."""
    drift: float = 0.01
    """Prior standard deviation, a fraction, of what sessions of a stored baseline differ by by themselves."""
    within: float = 1.0
    """What the variance within such sessions is multiplied by, where it is the prior because it is larger.

    1 in files that are older than this factor."""

    def check(self) -> None:
        """Raise ValueError, naming the limit, for rules that make no sense."""
        half = 0.5  # from here on the two directions of a test would overlap
        for name, value in (("alpha", self.alpha), ("beta", self.beta)):
            if not 0 < value < half:
                raise ValueError(f"{name} is {value!r}: it must lie between 0 and 0.5")
        for name, value in (
            ("margin", self.margin),
            ("floor", self.floor),
            ("drift", self.drift),
            ("within", self.within),
        ):
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} is {value!r}: it must be 0 or a positive number")
        if not 0 < self.tolerance < float("inf"):
            raise ValueError(f"tolerance is {self.tolerance!r}: it must be a positive number")
        if not 1 <= self.gatings < float("inf"):
            raise ValueError(f"gatings is {self.gatings!r}: a family has at least one")
        self._check_plan()

    def _check_plan(self) -> None:
        if not self.looks or list(self.looks) != sorted(set(self.looks)) or not self.looks[0] > 0:
            raise ValueError(f"looks {self.looks} must be growing numbers of pairs")
        if self.looks[-1] > MOST_PAIRS:
            raise ValueError(f"a look at {self.looks[-1]} pairs: nobody measures more than {MOST_PAIRS}")
        if self.most and not self.looks[-1] <= self.most <= MOST_PAIRS:
            raise ValueError(
                f"most is {self.most!r}: a plan goes on after its looks {self.looks}, or never (0)"
            )
        for name, spend in (("alpha_spend", self.alpha_spend), ("beta_spend", self.beta_spend)):
            if not all(0 < share < MAX_SPEND for share in spend):
                raise ValueError(
                    f"{name} is {spend!r}: shares of what may be spent are positive, and below {MAX_SPEND:g}"
                )

    def plan(self, decision: Decision | None) -> tuple[int, ...]:
        """Numbers of pairs of all looks of the plan, as far as `decision` knows them."""
        return (decision.plan if decision is not None else ()) or self.looks

    def alone(self) -> Rules:
        """The same limits for one gating that shares alpha with no other, at the usual alpha and looks."""
        return Rules(
            margin=self.margin,
            tolerance=self.tolerance,
            floor=self.floor,
            drift=self.drift,
            within=self.within,
        )


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the pairs so far: everything needed to check it by hand."""

    pairs: int
    """How many pairs there were."""
    alpha: float
    """Share of alpha spent here on each side (regression, improvement)."""
    beta: float
    """Share of beta spent here on equivalence."""
    estimate: float
    """The change, as a log."""
    sd: float
    """Standard deviation of d after the floor for resolution."""
    low: float
    """Lower end of the one-sided interval at this look's alpha: above log1p(margin) proves a regression."""
    high: float
    """The upper end, at the same alpha: below -log1p(margin) proves an improvement."""
    p_slower: float
    """p-value of the test for a regression."""
    p_faster: float
    """p-value of the test for an improvement."""
    p_equivalent: float
    """p-value of the test for `unchanged`."""
    verdict: Verdict | None = None
    """What it proved; None: nothing yet."""


_LARGEST_LOG = 700.0  # e^709 is the largest number that a float holds


@dataclass(frozen=True, slots=True)
class Decision:
    """What is known of one gating. `verdict` None: not decided yet, go on measuring."""

    verdict: Verdict | None
    """What was proven; None: not decided yet."""
    reason: str
    """One clause for people: why this verdict, with its numbers."""
    pairs: int
    """Pairs (interleaved) or invocations of the new session (stored) that the decision used."""
    estimate: float | None = None
    """The change, as a log."""
    sd: float | None = None
    """sd of the pair ratio (interleaved), or of invocations (stored)."""
    se: float | None = None
    """Standard error of the estimate."""
    df: float | None = None
    """Degrees of freedom of that."""
    p: float | None = None
    """p-value of the test that decided, or of the regression test where none did."""
    interval: tuple[float, float] | None = None
    """The interval that decided, at the share of alpha (or beta) spent then."""
    ci95: tuple[float, float] | None = None
    """The nominal two-sided 95 % confidence interval."""
    detectable: float | None = None
    """Smallest true slowdown caught with 90 % power by the whole plan at the observed sd, as a log."""
    wilcoxon_p: float | None = None
    """Cross-check only: the smallest possible value is 2^-n."""
    looks: tuple[Look, ...] = ()
    """The looks that were taken."""
    plan: tuple[int, ...] = ()
    """Numbers of pairs of all looks there would have been, known from the first look on; none before it, and
    none in files that are older than plans that go on: `Rules.looks` were all."""

    def check(self) -> None:
        """Raise ValueError for changes that are none: e to the power of them is beyond any number."""
        looks = ((look.estimate, look.low, look.high) for look in self.looks)
        ends = (*(self.interval or ()), *(self.ci95 or ()))
        for value in (self.estimate, self.detectable, *ends, *chain.from_iterable(looks)):
            if value is not None and not abs(value) <= _LARGEST_LOG:
                raise ValueError(f"a decision holds {value!r}, which is the logarithm of no change")
