"""What one follow-up costs from the webhook to its outcome: calls that were really made, at published prices."""

from collections.abc import Callable
from dataclasses import dataclass, fields

from benchmark import prices
from benchmark.lives import LIVES, Life, live
from benchmark.prices import Batches, Bill

UNITS_AT_MOST = {True: 18, False: 12}
"""With a note to the team, and without."""
SHARE_AT_MOST = {"Step Functions": 0.05, "Durable functions": 0.20}
MIX = {
    "yes at once, with note": 0.12,
    "reminder, then yes, with note": 0.10,
    "yes by mail, with note": 0.0,
    "silence, flag settled": 0.40,
    "silence, asked again, silence": 0.20,
    "no, flag acknowledged and settled": 0.04,
    "no, recovered, with note": 0.04,
    "reopened after asking": 0.05,
    "reopened before asking": 0.05,
}
"""What a company's follow-ups are made of; other lives stand beside it. 30 % answer, 70 % are reminded: what surveys
of this kind see.
"""
A_MINUTE_AT_A_MILLION = 1_000_000 / 43_800


@dataclass(frozen=True)
class Cost:
    """All kinds of life, and the mix of them."""

    lives: list[Life]
    bills: dict[str, Bill]
    mixed: Bill
    others: dict[str, float]
    """Dollars for a million of the mix with another clock."""
    clock: float
    """What of ``mixed`` is for the clock: the index, and the queue of what is due."""

    def clock_ratio(self, other: str) -> float:
        """Our clock against another, without the product that is the same around both."""
        return self.clock / (self.others[other] - self.mixed.total + self.clock)


def measure(cpu_ms_per_call: float) -> Cost:
    """Run every kind of life once."""
    lives = [live(name) for name in LIVES]
    batches, platform = batches_at_a_million(lives), platform_lines()
    bills = {life.name: prices.bill(life, cpu_ms_per_call, platform, batches) for life in lives}

    def mixed(of: Callable[[Life], float]) -> float:
        return sum(MIX.get(life.name, 0) * of(life) for life in lives)

    whole = Bill(
        **{
            field.name: sum(MIX.get(name, 0) * getattr(known, field.name) for name, known in bills.items())
            for field in fields(Bill)
        }
    )
    names = prices.others(lives[0], bills[lives[0].name]).keys()
    others = {
        name: mixed(lambda life, name=name: prices.others(life, bills[life.name])[name])  # type: ignore[misc]
        for name in names
    }
    clock = whole.total - mixed(lambda life: prices.without_clock(life, bills[life.name]))
    return Cost(lives, bills, whole, others, clock)


def batches_at_a_million(lives: list[Life]) -> Batches:
    """How many messages come together at a million follow-ups a month, by each reader's batching window."""
    from blueprint import readers

    size = {}
    for queue, reader in readers().items():
        a_minute = A_MINUTE_AT_A_MILLION * sum(MIX.get(life.name, 0) * life.queued[queue] for life in lives)
        within = a_minute / 60 * reader.get("MaximumBatchingWindowInSeconds", 0)
        size[queue] = min(1 + within, reader["BatchSize"])
    return Batches(size)


def platform_lines() -> int:
    """Bytes that Lambda itself logs for each invocation (START, END, REPORT), unless the template turns them off."""
    from blueprint import template

    logging = template()["Globals"]["Function"].get("LoggingConfig", {})
    return 0 if logging.get("SystemLogLevel") == "WARN" else 310
