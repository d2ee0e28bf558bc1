"""Root causes: which closures had one, when it counts as repeated, and what its process owner does about it.

Nothing is counted up. A closure leaves one mark per cause under its own key, and every figure is counted from the
marks and follow-ups themselves, so nothing that happens twice can be counted twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from domain import commitment, rise
from domain.follow_up import MERGED, FollowUp, State
from domain.message import Kind, Message, owner_scope
from domain.person import person_key
from domain.rise import Days
from domain.settings import UNCLASSIFIED, Policy, Settings, is_mixed, value_key

TREND = 6
"""Periods that a digest looks back on and its picture shows."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One closure that had a cause."""

    cause: str
    source: str
    ticket_id: str
    number: int
    opened_at: datetime
    person: str | None = None
    value: str | None = None
    """What the helpdesk called the cause; kept while nobody has mapped it."""
    keep_until: datetime | None = None

    @property
    def ticket(self) -> tuple[str, str]:
        """Which ticket: its source and id."""
        return self.source, self.ticket_id

    @property
    def customer(self) -> str:
        """Which customer; a closure without an address is one unknown customer."""
        return self.person or f"{self.source}#{self.ticket_id}"


@dataclass(frozen=True, kw_only=True)
class CauseState:
    """What is known and done about one cause; ``due_at`` is when an unacknowledged notice goes to the manager, and
    then when the day that its owner committed to is near, and when it is over.
    """

    code: str
    repeated_at: datetime | None = None
    tickets: int = 0
    customers: int = 0
    within_days: int = 0
    """In how many days those were counted; 0 in records that are older than this field: the policy's window."""
    usual: float | None = None
    """How many tickets would have been usual in these days; None when the floor decided."""
    notices: int = 0
    acknowledged_at: datetime | None = None
    committed_to: date | None = None
    note: str | None = None
    escalated_from: str | None = None
    owner: str | None = None
    """Whom somebody gave it to; without one, the owner in the settings."""
    merged_into: str | None = None
    includes: tuple[str, ...] = ()
    """Causes that were merged into this one."""
    reminded_of: date | None = None
    """The day that the owner was reminded of; ``overdue_of``: whose end the manager was told of."""
    overdue_of: date | None = None
    tellings: int = 0
    """How often customers were to be told something of it (domain/telling.py); their numbers."""
    declared: int = 0
    """Number of the fix that stands: confirmed, and not found wanting."""
    fixed_at: datetime | None = None
    """Since when a fix is there, or was found to hold: older tickets do not count towards a repetition."""
    due_at: datetime | None = None
    version: int = 0


@dataclass(frozen=True)
class Count:
    """Distinct tickets and distinct customers."""

    tickets: int
    customers: int


def mark_of(follow_up: FollowUp) -> Mark | None:
    """The mark that this follow-up leaves; None while its details are missing, because then its cause is.

    A ticket that was merged into another one is not a second ticket, and leaves none.
    """
    if follow_up.state is State.WAITING or follow_up.reason == MERGED:
        return None
    closure = follow_up.closure
    return Mark(
        cause=follow_up.cause,
        source=closure.source,
        ticket_id=closure.ticket_id,
        number=follow_up.number,
        opened_at=follow_up.opened_at,
        person=person_key(closure.requester_email) if closure.requester_email else None,
        value=closure.cause if follow_up.cause == UNCLASSIFIED else None,
        keep_until=follow_up.keep_until,
    )


def count(marks: Iterable[Mark]) -> Count:
    """How many tickets and customers these marks are of; closures without an address are one unknown customer each."""
    listed = list(marks)
    return Count(len({mark.ticket for mark in listed}), len({mark.customer for mark in listed}))


def daily(marks: Iterable[Mark], first: date, last: date) -> tuple[int, ...]:
    """Distinct tickets of each UTC day from ``first`` to ``last``; what is dated later counts on the last."""
    tickets: dict[date, set[tuple[str, str]]] = {}
    for mark in marks:
        day = min(mark.opened_at.astimezone(UTC).date(), last)
        tickets.setdefault(day, set()).add(mark.ticket)
    length = (last - first).days + 1
    return tuple(len(tickets.get(first + timedelta(days=at), ())) for at in range(length))


def roll_up(marks: dict[str, list[Mark]], settings: Settings) -> dict[str, Count]:
    """Each cause counted together with those under it: a ticket that had two of them is one ticket."""
    return {
        code: count(mark for below in settings.under(code) for mark in marks.get(below, ()))
        for code in settings.causes
    }


@dataclass(frozen=True)
class Unmapped:
    """A value that no cause has: as it came last, how often, from where; ``mixed``: it only looks like another."""

    value: str
    tickets: int
    customers: int
    sources: tuple[str, ...]
    mixed: bool


def unmapped(marks: Iterable[Mark]) -> list[Unmapped]:
    """What helpdesks sent and nobody mapped, the most frequent first; closures without any value are left out."""
    by_value: dict[str, list[Mark]] = {}
    for mark in sorted(marks, key=lambda mark: mark.opened_at):
        if mark.value and (key := value_key(mark.value)):
            by_value.setdefault(key, []).append(mark)
    found = []
    for listed in by_value.values():
        counted, said = count(listed), listed[-1].value or ""
        sources = tuple(sorted({mark.source for mark in listed}))
        found.append(Unmapped(said, counted.tickets, counted.customers, sources, is_mixed(said)))
    return sorted(found, key=lambda known: (-known.tickets, -known.customers, known.value))


def is_repeated(counted: Count, policy: Policy) -> bool:
    """Enough distinct tickets of enough distinct customers."""
    return counted.tickets >= policy.repeated_tickets and counted.customers >= policy.repeated_customers


def may_tell(state: CauseState, now: datetime) -> bool:
    """Whether anything could be news: for a week after a notice nothing is, because a whole week is compared."""
    return state.repeated_at is None or now >= state.repeated_at + timedelta(days=rise.WEEK)


@dataclass(frozen=True)
class Why:
    """Why an owner is told now: the tickets of so many days, where ``usual`` would have been so many."""

    days: int
    usual: float | None = None


def why_tell(state: CauseState, days: Days, now: datetime, policy: Policy) -> Why | None:
    """Why a cause that reached the floor is news: a real rise, or an unusual thing for it; None when it is not."""
    if not may_tell(state, now):
        return None
    told = state.repeated_at.astimezone(UTC).date() if state.repeated_at else None
    if found := rise.find(days, told, policy):
        return Why(found.days, found.usual)
    return Why(policy.repeated_within.days) if rise.is_unusual(days, told, policy) else None


def has_owner(code: str, settings: Settings) -> bool:
    """Whether anybody would be told: asked before anything is counted, because most closures may be unclassified."""
    return code != UNCLASSIFIED and code in settings.causes


def counts_since(state: CauseState, now: datetime, policy: Policy) -> datetime:
    """From when on tickets count towards a repetition: not those before a fix, or the verdict that it holds."""
    window = now - policy.repeated_within
    return max(window, state.fixed_at) if state.fixed_at else window


def owner_of(state: CauseState, settings: Settings) -> str:
    """Key of the contact who owns a cause now, whatever became of the settings: there is always one."""
    known = settings.causes.get(state.code)
    wanted = (state.owner, known.owner if known else None)
    return next((key for key in wanted if key in settings.contacts), None) or settings.responsible


def manager_of(state: CauseState, settings: Settings) -> str | None:
    """Key of the contact above the owner; None at the top."""
    known, key = settings.causes.get(state.code), owner_of(state, settings)
    owner = settings.contacts.get(key)
    above = (known.manager if known else None) or (owner.manager if owner else None)
    return above if above in settings.contacts and above != key else None


def begin(state: CauseState, now: datetime, policy: Policy) -> CauseState:
    """The cause as just noticed: nothing was done about it yet, and there is time to acknowledge it."""
    return replace(
        state,
        repeated_at=now,
        acknowledged_at=None,
        committed_to=None,
        note=None,
        escalated_from=None,
        reminded_of=None,
        overdue_of=None,
        declared=0,
        due_at=now + policy.cause_acknowledge_within,
    )


def tell_owner(
    state: CauseState, counted: Count, why: Why, now: datetime, settings: Settings
) -> tuple[CauseState, Message] | None:
    """The cause as repeated and the notice to its owner; None for a cause without one.

    Closures that nobody classified have no owner; they show up in the figures instead.
    """
    if not has_owner(state.code, settings):
        return None
    told = replace(
        begin(state, now, settings.policy),
        tickets=counted.tickets,
        customers=counted.customers,
        within_days=why.days,
        usual=why.usual,
        notices=state.notices + 1,
    )
    return told, _notice(told, owner_of(state, settings), now, settings)


def _notice(state: CauseState, owner: str, now: datetime, settings: Settings) -> Message:
    return Message(
        scope=owner_scope(owner),
        name=f"cause#{state.code}#{state.notices:04d}",
        kind=Kind.CAUSE_REPEATED,
        to=f"contact:{owner}",
        created_at=now,
        due_at=now,
        about={"cause": state.code},
        keep_until=now + settings.policy.keep_for,
    )


def acknowledge(
    state: CauseState, committed_to: date | None, note: str | None, now: datetime, policy: Policy
) -> CauseState:
    """The owner knows, and may have given a date and a word. What was given before stays unless it is given anew."""
    known = replace(
        state,
        acknowledged_at=state.acknowledged_at or now,
        committed_to=committed_to or state.committed_to,
        note=note or state.note,
    )
    return replace(known, due_at=due_of(known, now, policy))


def due_of(state: CauseState, now: datetime, policy: Policy) -> datetime | None:
    """When something has to be looked at: while a fix stands, or another cause has it, nothing."""
    if state.declared or state.merged_into:
        return None
    if state.repeated_at and state.acknowledged_at is None:
        escalates = state.repeated_at + policy.cause_acknowledge_within
        return None if state.escalated_from else max(escalates, now)
    day = state.committed_to
    if day is None or state.overdue_of == day:
        return None
    return commitment.next_at(day, now, policy, reminded=state.reminded_of == day)


def escalate(state: CauseState, now: datetime, settings: Settings) -> tuple[CauseState, Message | None]:
    """A notice that nobody acknowledged in time goes to the owner's manager, once."""
    manager = manager_of(state, settings)
    if manager is None or state.acknowledged_at or state.escalated_from or state.code not in settings.causes:
        return replace(state, due_at=None), None
    owner = owner_of(state, settings)
    escalated = replace(state, escalated_from=owner, notices=state.notices + 1, due_at=None)
    return escalated, _notice(escalated, manager, now, settings)


@dataclass(frozen=True, kw_only=True)
class CauseFigures:
    """One cause in one period, counted from the marks and follow-ups themselves."""

    code: str
    tickets: int
    customers: int
    confirmed: int
    denied: int
    silent: int
    not_asked: int
    """Whom no survey reached, whatever the reason: also those who do not want to be asked."""
    tickets_before: int
    trend: tuple[int, ...]
    """Distinct tickets per bucket, oldest first; the last bucket ends with the period."""
    words: tuple[str, ...]
    """What customers said, the ones who were not helped first."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened in the period."""
        return not (self.tickets or self.confirmed or self.denied or self.silent or self.words)


def figures(
    code: str,
    marks: Iterable[Mark],
    follow_ups: Iterable[FollowUp],
    since: datetime,
    until: datetime,
    buckets: int,
) -> CauseFigures:
    """The figures of one cause for ``since`` <= instant < ``until``.

    Tickets count when they were opened, outcomes and words when they were given: what a customer says long after the
    closing is in the digest of that week. ``marks`` and ``follow_ups`` reach back ``buckets`` periods.
    """
    listed, known = list(marks), list(follow_ups)
    period = until - since
    now_marks = [mark for mark in listed if since <= mark.opened_at < until]
    ended = [f for f in known if f.outcome_at and since <= f.outcome_at < until]
    counted = count(now_marks)
    trend = tuple(
        _tickets_between(listed, until - period * (n + 1), until - period * n)
        for n in reversed(range(buckets))
    )
    answers = [f.answer for f in known if f.answer and since <= f.answer.at < until]
    spoken = sorted(
        (answer for answer in answers if answer.words and (not answer.solved or answer.consent)),
        key=lambda answer: (answer.solved, answer.at),
    )
    return CauseFigures(
        code=code,
        tickets=counted.tickets,
        customers=counted.customers,
        confirmed=sum(f.state is State.CONFIRMED for f in ended),
        denied=sum(f.state is State.DENIED for f in ended),
        silent=sum(f.state is State.SILENT for f in ended),
        not_asked=sum(f.state is State.NOT_ASKED for f in ended),
        tickets_before=trend[-2] if buckets > 1 else 0,
        trend=trend,
        words=tuple(answer.words for answer in spoken if answer.words),
    )


def _tickets_between(marks: list[Mark], since: datetime, until: datetime) -> int:
    return count(mark for mark in marks if since <= mark.opened_at < until).tickets
