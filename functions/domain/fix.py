"""Did a fix work? Decided from how often its cause came back and from what the customers said, never from hope.

Recurrence is compared over two equal times: the tickets since the fix, and those in as many days before it. If nothing
had changed, each of these tickets would have fallen on either side like a coin, so the exact chance of so few since the
fix is a sum of binomial coefficients. No approximation, because the numbers are small.
"""

from dataclasses import dataclass
from enum import StrEnum

from domain.settings import Policy

CHANCE = 0.05
"""A drop that chance alone would bring more often than this is none."""
VOICES = 2
"""One customer may be mistaken; so many are heard, whatever the counts say."""


class Result(StrEnum):
    """What became of a fix."""

    HOLDS = "holds"
    OPENS_AGAIN = "opens_again"
    TOO_LITTLE = "too_little"
    """Too few tickets and answers to say either."""
    SUPERSEDED = "superseded"
    """Another fix was told before this one could be judged."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a fix is judged by: distinct tickets before and since, over equal times, and customers who answered."""

    before: int
    since: int
    gone: int
    not_gone: int
    days: float = 30.0
    """How long each of the two times is."""


def chance_of_drop(before: int, since: int) -> float:
    """The chance of at most ``since`` of all these tickets in the second half, had nothing changed; exact."""
    together = before + since
    few = ways = 1
    for number in range(since):
        ways = ways * (together - number) // (number + 1)
        few += ways
    return few / (1 << together)


def judge(evidence: Evidence, policy: Policy) -> Result:
    """Whether the fix holds, has to be opened again, or cannot be judged yet.

    What customers say weighs more than counts: two who still have the problem, and at least as many as those who do
    not, open it again. So does the cause when it is repeated once more without having become rarer, or when one
    customer says no and it came back. It holds when it became rarer for certain and no more customers contradict than
    agree, or when it never came back and two customers say that it is gone.
    """
    dropped = chance_of_drop(evidence.before, evidence.since) <= CHANCE
    heard_no = evidence.not_gone >= VOICES and evidence.not_gone >= evidence.gone
    came_back = evidence.since >= policy.repeated_tickets and not dropped
    both_hint = evidence.since > 0 and not dropped and evidence.not_gone > evidence.gone
    if heard_no or came_back or both_hint:
        return Result.OPENS_AGAIN
    if evidence.not_gone > evidence.gone:
        return Result.TOO_LITTLE
    if dropped or (evidence.since == 0 and evidence.gone >= VOICES and evidence.not_gone == 0):
        return Result.HOLDS
    return Result.TOO_LITTLE
