"""How often chance alone looks like a rise, and what is found of rises that last: many causes, daily counts alone.

    tests/benchmark/steady.py [--years 240] [--rises 200]

The rule of domain/rise.py on counts that are drawn day by day, without follow-ups and marks around it, so that it can
be tried over many more years than a company has. The bound of docs/causes.md is held against it.
"""

import argparse
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from benchmark.rises import BUSINESS, drawn, say
from domain import rise
from domain.rise import Days
from domain.settings import Policy

BEGIN = date(2024, 1, 1)
YEAR = 365
FOUND_WITHIN = 60


@dataclass(frozen=True)
class Cause:
    """Tickets a week; ``scatter`` is the variance of the week's own factor; from ``at`` on ``factor`` times as many."""

    per_week: float
    scatter: float = 0.0
    factor: float = 1.0
    at: int = 0
    is_new: bool = False
    """It has no past yet, and its first notice, which the floor gives, comes within its first weeks."""


def told_on(cause: Cause, length: int, chance: random.Random, policy: Policy) -> Iterator[int]:
    """The days on which an owner would be told of a rise."""
    back, told, weekly = rise.lookback(policy), None, 1.0
    counts: list[int] = []
    since = BEGIN if cause.is_new else None
    for day in range(0 if cause.is_new else -back, length):
        if day % 7 == 0 and cause.scatter:
            weekly = chance.gammavariate(1 / cause.scatter, cause.scatter)
        today = BEGIN + timedelta(days=day)
        grown = cause.factor if cause.at <= day else 1.0
        counts.append(drawn(chance, cause.per_week / 7 * BUSINESS[today.weekday()] * weekly * grown))
        quiet = sum(counts[-policy.repeated_within.days :]) < policy.repeated_tickets
        if day < 0 or quiet or (told and (today - told).days < rise.WEEK):
            continue
        if cause.is_new and told is None:
            told = today
            continue
        if rise.find(Days(today=today, counts=tuple(counts[-back:]), since=since), told, policy):
            told = today
            yield day


def main(arguments: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Try the rule of rises on many years of drawn counts.")
    parser.add_argument("--years", type=int, default=240, help="of each steady cause")
    parser.add_argument("--rises", type=int, default=200, help="of each kind")
    given = parser.parse_args(arguments)
    policy = Policy()
    say("| tickets a week | cause-years | false rises a year |")
    say("|---|---|---|")
    steady = [Cause(rate) for rate in (1, 5, 20, 100)] + [Cause(rate, is_new=True) for rate in (1, 5, 20)]
    for cause in [*steady, Cause(35, scatter=0.1), Cause(10, scatter=0.2)]:
        length, lives = (1, given.years) if cause.is_new else (4, given.years // 4)
        alarms = sum(
            1
            for seed in range(lives)
            for _ in told_on(cause, length * YEAR, random.Random(f"{cause} {seed}"), policy)
        )
        kind = ", new" if cause.is_new else f", weeks scatter by {cause.scatter:g}" if cause.scatter else ""
        say(f"| {cause.per_week:g}{kind} | {length * lives} | {alarms / (length * lives):.3f} |")
    say("| rise | found | days until: median, nine of ten |")
    say("|---|---|---|")
    for rate, factor in ((20, 1.5), (7, 2), (140, 1.5), (35, 2), (14, 3), (3, 3), (3, 5)):
        cause = Cause(rate, factor=factor, at=5)
        delays = []
        for seed in range(given.rises):
            days = told_on(cause, cause.at + FOUND_WITHIN, random.Random(f"{cause} {seed}"), policy)
            first = next((day for day in days if day >= cause.at), None)
            delays.append(YEAR if first is None else first - cause.at + 1)
        delays.sort()
        found, ninth = sum(delay < YEAR for delay in delays), delays[len(delays) * 9 // 10]
        late = str(ninth) if ninth < YEAR else "not found"
        say(f"| ×{factor:g} of {rate} | {found} of {len(delays)} | {delays[len(delays) // 2]}, {late} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
