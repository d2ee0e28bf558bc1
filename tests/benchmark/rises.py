"""Two years of closures with planted rises, through the real domain: what is found, how late, what is cried falsely.

    make rises COMPANIES=4        # or: tests/benchmark/rises.py [--closures 100000] [--seed 1] [--companies 1]

Every closure opens a follow-up, leaves its mark and is checked as the Lambdas do; only the table is in memory. What was
planted is written down beforehand; what is expected of counts is counted again the slow way at the end.
"""

import argparse
import math
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from domain import rise, telling
from domain.cause import CauseState, Count, Mark, count, is_repeated, mark_of, tell_owner, why_tell
from domain.closure import Closure
from domain.follow_up import Ticket, open_follow_up
from domain.rise import Days
from domain.settings import Cause, Company, Contact, Policy, Settings, Source

BEGIN = date(2024, 1, 1)
"""A Monday."""
LENGTH = 730
SETTLED = 150
"""Days until every cause that is there from the beginning has its past; false alarms are counted from then on."""
BUSINESS = (1.5, 1.3, 1.2, 1.15, 1.05, 0.5, 0.3)
MONDAYS = (4.0, 1.0, 0.8, 0.6, 0.5, 0.05, 0.05)
FOUND_WITHIN = 60
"""Days after a planted rise in which a notice counts as about it."""


@dataclass
class Planted:
    """One cause: how often it comes, and what really happens to it."""

    code: str
    per_week: float
    factor: float = 1.0
    at: int | None = None
    lasts: int = LENGTH
    begins: int = 0
    season: float = 0.0
    scatter: float = 0.0
    """Shape of the week's gamma factor is its inverse; 0 is chance alone."""
    weekdays: tuple[float, ...] = BUSINESS
    notices: list[tuple[int, int, float | None]] = field(default_factory=list)
    """Day, tickets since the rise began, and what was usual; None: the floor."""

    def rate(self, day: int, weekly: float) -> float:
        """Tickets that are to be expected on a day."""
        grown = self.factor if self.at is not None and self.at <= day < self.at + self.lasts else 1.0
        season = 1 + self.season * math.sin(2 * math.pi * day / 365)
        return (
            self.per_week / 7 * self.weekdays[day % 7] * grown * season * weekly
            if day >= self.begins
            else 0.0
        )


def planted() -> list[Planted]:
    """The causes of a company: most of them go on as ever, and some do not."""
    return [
        Planted("busy-300", 300),
        Planted("busy-140", 140),
        Planted("weekly-20", 20),
        Planted("weekly-5", 5),
        Planted("monthly-3", 0.7),
        Planted("yearly-6", 0.115),
        Planted("mondays-60", 60, weekdays=MONDAYS),
        Planted("season-30", 30, season=0.3),
        Planted("season-70", 70, season=0.3),
        Planted("scatter-35", 35, scatter=0.1),
        Planted("step-1.5-of-140", 140, factor=1.5, at=450),
        Planted("step-2-of-35", 35, factor=2, at=430),
        Planted("step-2-of-7", 7, factor=2, at=430),
        Planted("step-3-of-14", 14, factor=3, at=470),
        Planted("step-3-of-3", 3, factor=3, at=470),
        Planted("step-5-of-3", 3, factor=5, at=410),
        Planted("step-1.5-of-20", 20, factor=1.5, at=450),
        Planted("burst-of-7", 7, factor=10, at=500, lasts=3),
        Planted("burst-on-mondays", 25, factor=6, at=520, lasts=3, weekdays=MONDAYS),
        Planted("new", 8, begins=300, at=300),
        Planted("rare-then-3", 0.04, factor=60, at=400, lasts=40),
    ]


@dataclass
class Stored:
    """What the table would hold of one cause."""

    state: CauseState
    marks: list[Mark] = field(default_factory=list)
    days: dict[date, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))


class Life:
    """The closures of one company, and who is told what."""

    def __init__(self, causes: list[Planted], closures: int, seed: int, policy: Policy) -> None:
        self.causes, self.chance, self.policy = causes, random.Random(seed), policy
        weeks = sum(p.rate(day, 1.0) for p in causes for day in range(LENGTH))
        self.others = max(0.0, (closures - weeks) / LENGTH)
        """Closures a day that nobody classified."""
        self.settings = Settings(
            company=Company(name="Acme", sender="a@acme.example"),
            contacts={"mia": Contact(name="Mia", email="mia@acme.example")},
            teams={},
            causes={p.code.replace(".", "-"): Cause(name=p.code, owner="mia") for p in causes},
            sources={"desk": Source(preset="standard-webhooks", secret="desk")},
            responsible="mia",
            policy=policy,
        )
        self.stored = {code: Stored(CauseState(code=code)) for code in self.settings.causes}
        self.all: list[Mark] = []
        self.checks = 0

    def live(self) -> None:
        """Two years, day by day, closure by closure."""
        number = 0
        again: dict[int, list[tuple[str, str]]] = defaultdict(list)
        weekly = {p.code: 1.0 for p in self.causes}
        for day in range(LENGTH):
            if day % 7 == 0:
                for p in self.causes:
                    shape = 1 / p.scatter if p.scatter else 0
                    weekly[p.code] = self.chance.gammavariate(shape, 1 / shape) if shape else 1.0
            today: list[tuple[str, str, int]] = []
            everything: list[Planted | None] = [*self.causes, None]
            for cause in everything:
                rate = cause.rate(day, weekly[cause.code]) if cause else self.others
                for _ in range(drawn(self.chance, rate)):
                    number += 1
                    value = cause.code.replace(".", "-") if cause else f"odd {number % 50}"
                    today.append((str(number), value, 1))
                    if self.chance.random() < 0.05:
                        again[day + self.chance.randint(1, 20)].append((str(number), value))
            today += [(ticket, value, 2) for ticket, value in again.pop(day, [])]
            self.chance.shuffle(today)
            for at, (ticket, value, closing) in enumerate(today):
                moment = datetime(BEGIN.year, 1, 1, tzinfo=UTC) + timedelta(
                    days=day, seconds=80_000 * at / len(today)
                )
                self.close(ticket, value, closing, moment, day)

    def close(self, ticket: str, value: str, closing: int, now: datetime, day: int) -> None:
        """One closure: its follow-up, its mark, and the check that follows."""
        said = (value.upper(), f" {value}", value)[int(ticket) % 3]
        closure = closed(ticket, now, said)
        opened = open_follow_up(Ticket(), closure, now, self.settings)
        mark = mark_of(replace(opened, number=closing))
        assert mark
        self.all.append(mark)
        known = self.stored.get(mark.cause)
        if known is None:
            return
        known.marks.append(mark)
        known.days[now.date()].add(mark.ticket)
        self.checks += 1
        days, reached = self.look_back(known, now)
        why = why_tell(known.state, days, now, self.policy) if reached else None
        if why is None:
            return
        since = now - timedelta(days=why.days)
        if why.usual is not None:
            since = datetime.combine(now.date() - timedelta(days=why.days - 1), datetime.min.time(), UTC)
        counted = count(mark for mark in known.marks if mark.opened_at >= since)
        told = tell_owner(known.state, counted, why, now, self.settings)
        assert told
        known.state = told[0]
        (p,) = [p for p in self.causes if p.code.replace(".", "-") == mark.cause]
        begun = datetime(BEGIN.year, 1, 1, tzinfo=UTC) + timedelta(days=p.at or 0)
        after = len({mark.ticket for mark in known.marks if mark.opened_at >= begun})
        p.notices.append((day, after, why.usual))

    def look_back(self, known: Stored, now: datetime) -> tuple[Days, bool]:
        """As adapters/causes.py does it, from memory."""
        today, floor = now.date(), now - self.policy.repeated_within
        tickets: set[tuple[str, str]] = set()
        customers: set[str] = set()
        reached = False
        for mark in reversed(known.marks):
            if mark.opened_at < floor or reached:
                break
            tickets.add(mark.ticket)
            customers.add(mark.customer)
            reached = is_repeated(Count(len(tickets), len(customers)), self.policy)
        since = known.marks[0].opened_at.date()
        first = max(since, today - timedelta(days=rise.lookback(self.policy) - 1))
        span = (today - first).days + 1
        counts = tuple(len(known.days.get(first + timedelta(days=n), ())) for n in range(span))
        return Days(today=today, counts=counts, since=since), reached

    def told(self) -> "Told":
        """A fix of every planted rise is confirmed, and the real walk tells its customers, each page of it twice."""
        from benchmark import growth  # isort: skip - sets what the adapters read on import

        from adapters import causes, tellings, tickets
        from adapters.outbox import KIND

        found = Told()
        for planted in (p for p in self.causes if p.at is not None):
            code = planted.code.replace(".", "-")
            marks = [mark for mark in self.all if mark.cause == code]
            with growth.account() as (memory, _):
                for mark in marks:
                    closure = closed(mark.ticket_id, mark.opened_at, code)
                    opened = open_follow_up(Ticket(), closure, mark.opened_at, self.settings)
                    memory.put(tickets.row(replace(opened, number=mark.number)).serialize())
                    causes.add_mark(mark)
                now = marks[-1].opened_at + timedelta(days=1)
                _, fix = telling.declare(
                    self.stored[code].state, "It leaked.", "It is tight.", now.date(), "o", now, self.policy
                )
                fix = telling.confirm(fix, "o", 0, now)
                tellings.save(fix)
                cursor: str | None = ""
                while cursor is not None:
                    fix = replace(fix, cursor=cursor or None)
                    tellings.walk(fix, now, self.settings)
                    cursor, _ = tellings.walk(fix, now, self.settings)
                kept = [item for (pk, _), item in memory.items.items() if pk == fix.scope]
                found.messages += sum(item["kind"]["S"] == KIND for item in kept)
            found.customers += len({mark.customer for mark in marks})
            found.closures += len(marks)
        return found

    def counts_wrong(self) -> int:
        """How many of many periods have other figures than a count of everything, one by one."""
        wrong, length = 0, timedelta(days=LENGTH)
        begin = datetime(BEGIN.year, 1, 1, tzinfo=UTC)
        by_code: dict[str, list[Mark]] = defaultdict(list)
        for mark in self.all:
            by_code[mark.cause].append(mark)
        for code, known in self.stored.items():
            for _ in range(20):
                since = begin + length * self.chance.random()
                until = since + timedelta(days=self.chance.randint(1, 60))
                slow = [m for m in by_code[code] if since <= m.opened_at < until]
                tickets, people = [], []
                for m in slow:
                    if m.ticket not in tickets:
                        tickets.append(m.ticket)
                    if m.customer not in people:
                        people.append(m.customer)
                fast = count(m for m in known.marks if since <= m.opened_at < until)
                wrong += fast != Count(len(tickets), len(people))
        return wrong


@dataclass
class Told:
    """Whom fixes of all planted rises were told."""

    closures: int = 0
    customers: int = 0
    """Counted one by one."""
    messages: int = 0
    """As they were left by the walk."""


def closed(ticket: str, at: datetime, cause: str) -> Closure:
    """One closing; whose ticket it is follows from its number."""
    person = f"c{int(ticket) * 7919 % 4001}@customer.example"
    return Closure(
        source="desk", ticket_id=ticket, closed_at=at, kind="solved", requester_email=person, cause=cause
    )


def drawn(chance: random.Random, rate: float) -> int:
    """So many come by chance alone: exponential gaps between them, which is Poisson's distribution."""
    came, clock = 0, chance.expovariate(1.0)
    while clock < rate:
        came, clock = came + 1, clock + chance.expovariate(1.0)
    return came


@dataclass(frozen=True)
class Outcome:
    """What became of one planted cause: the first notice about it, by days and tickets, and the false ones."""

    code: str
    planted: bool
    delay: int | None
    tickets: int | None
    false_rises: int
    later: int
    """Notices after the first of a planted rise, within the same year."""
    years: float


def outcomes(causes: list[Planted]) -> list[Outcome]:
    """Judge the notices of each cause by what was planted."""
    found = []
    for p in causes:
        about = [n for n in p.notices if p.at is not None and p.at <= n[0] < p.at + FOUND_WITHIN]
        start = max(SETTLED, p.begins + SETTLED)
        end = p.at if p.at is not None and p.at > start else LENGTH
        false = [n for n in p.notices if start <= n[0] < end and n[2] is not None]
        later = [n for n in p.notices if about and n[0] > about[0][0]]
        first = about[0] if about else None
        found.append(
            Outcome(
                p.code,
                p.at is not None,
                first[0] - (p.at or 0) + 1 if first else None,
                first[1] if first else None,
                len(false),
                len(later),
                max(0, end - start) / 365,
            )
        )
    return found


def run(closures: int, seed: int, policy: Policy, causes: Callable[[], list[Planted]] = planted) -> "Life":
    """One company's two years."""
    company = Life(causes(), closures, seed, policy)
    company.live()
    return company


def main(arguments: list[str]) -> int:
    """The command; 0 when every count is right."""
    parser = argparse.ArgumentParser(
        description="Plant rises in two years of closures and see what is found."
    )
    parser.add_argument("--closures", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--companies", type=int, default=1, help="so many seeds, one after the other")
    given = parser.parse_args(arguments)
    wrong = 0
    together: dict[str, list[Outcome]] = defaultdict(list)
    for seed in range(given.seed, given.seed + given.companies):
        begin = time.monotonic()
        company = run(given.closures, seed, Policy())
        wrong += (bad := company.counts_wrong())
        say(
            f"seed {seed}: {len(company.all):,} closures, {company.checks:,} checks, {bad} counts wrong, "
            f"{time.monotonic() - begin:.0f} s"
        )
        told = company.told()
        wrong += told.messages != told.customers
        say(
            f"fixes of the planted rises: {told.closures:,} closures of {told.customers:,} customers, "
            f"{told.messages:,} messages"
        )
        for outcome in outcomes(company.causes):
            together[outcome.code].append(outcome)
    say("| cause | found | days until | tickets until | notices later | false rises a year |")
    say("|---|---|---|---|---|---|")
    for code, listed in together.items():
        hits = sorted((o.delay, o.tickets or 0) for o in listed if o.delay is not None)
        years = sum(o.years for o in listed)
        days = f"{hits[len(hits) // 2][0]} ({hits[0][0]} to {hits[-1][0]})" if hits else ""
        tickets = f"{sorted(t for _, t in hits)[len(hits) // 2]}" if hits else ""
        shown = f"{len(hits)} of {len(listed)}" if listed[0].planted else "nothing planted"
        later = f"{sum(o.later for o in listed) / len(listed):.1f}" if listed[0].planted else ""
        rate = f"{sum(o.false_rises for o in listed) / years:.2f}" if years else ""
        say(f"| {code} | {shown} | {days} | {tickets} | {later} | {rate} |")
    total = sum(o.years for listed in together.values() for o in listed)
    false_ones = sum(o.false_rises for listed in together.values() for o in listed)
    say(
        f"{false_ones} false rises in {total:.0f} cause-years: {false_ones / total:.3f} a year; {wrong} counts wrong"
    )
    return 1 if wrong else 0


def say(line: str) -> None:
    """To the person who started it."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
