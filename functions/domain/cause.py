"""Root causes: which closures had one, when it counts as repeated, and what its process owner does about it.

Nothing is counted up. A closure leaves one mark per cause under its own key, and every figure is counted from the
marks and follow-ups themselves, so nothing that happens twice can be counted twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from domain.follow_up import FollowUp, State
from domain.message import Kind, Message, owner_scope
from domain.person import person_key
from domain.settings import UNCLASSIFIED, Policy, Settings

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
    keep_until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class CauseState:
    """What is known and done about one cause; ``due_at`` is when an unacknowledged notice goes to the manager."""

    code: str
    repeated_at: datetime | None = None
    tickets: int = 0
    customers: int = 0
    notices: int = 0
    acknowledged_at: datetime | None = None
    committed_to: date | None = None
    note: str | None = None
    escalated_from: str | None = None
    due_at: datetime | None = None
    version: int = 0


@dataclass(frozen=True)
class Count:
    """Distinct tickets and distinct customers."""

    tickets: int
    customers: int


def mark_of(follow_up: FollowUp) -> Mark | None:
    """The mark that this follow-up leaves; None while its details are missing, because then its cause is."""
    if follow_up.state is State.WAITING:
        return None
    closure = follow_up.closure
    return Mark(
        cause=follow_up.cause,
        source=closure.source,
        ticket_id=closure.ticket_id,
        number=follow_up.number,
        opened_at=follow_up.opened_at,
        person=person_key(closure.requester_email) if closure.requester_email else None,
        keep_until=follow_up.keep_until,
    )


def count(marks: Iterable[Mark]) -> Count:
    """How many tickets and customers these marks are of; closures without an address are one unknown customer each."""
    listed = list(marks)
    tickets = {(mark.source, mark.ticket_id) for mark in listed}
    customers = {mark.person or f"{mark.source}#{mark.ticket_id}" for mark in listed}
    return Count(len(tickets), len(customers))


def is_repeated(counted: Count, policy: Policy) -> bool:
    """Enough distinct tickets of enough distinct customers."""
    return counted.tickets >= policy.repeated_tickets and counted.customers >= policy.repeated_customers


def may_tell(state: CauseState, now: datetime, policy: Policy) -> bool:
    """Whether a repetition now would be news: the owner is told once per window."""
    return state.repeated_at is None or now >= state.repeated_at + policy.repeated_within


def has_owner(code: str, settings: Settings) -> bool:
    """Whether anybody would be told: asked before anything is counted, because most closures may be unclassified."""
    return code != UNCLASSIFIED and code in settings.causes


def tell_owner(
    state: CauseState, counted: Count, now: datetime, settings: Settings
) -> tuple[CauseState, Message] | None:
    """The cause as repeated and the notice to its owner; None when it is not repeated, or the owner knows already.

    Closures that nobody classified have no owner; they show up in the figures instead.
    """
    if not has_owner(state.code, settings) or not is_repeated(counted, settings.policy):
        return None
    if not may_tell(state, now, settings.policy):
        return None
    told = replace(
        state,
        repeated_at=now,
        tickets=counted.tickets,
        customers=counted.customers,
        notices=state.notices + 1,
        acknowledged_at=None,
        committed_to=None,
        note=None,
        escalated_from=None,
        due_at=now + settings.policy.cause_acknowledge_within,
    )
    return told, _notice(told, settings.causes[state.code].owner, now, settings)


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


def acknowledge(state: CauseState, committed_to: date | None, note: str | None, now: datetime) -> CauseState:
    """The owner knows, and may have given a date and a word. What was given before stays unless it is given anew."""
    return replace(
        state,
        acknowledged_at=state.acknowledged_at or now,
        committed_to=committed_to or state.committed_to,
        note=note or state.note,
        due_at=None,
    )


def escalate(state: CauseState, now: datetime, settings: Settings) -> tuple[CauseState, Message | None]:
    """A notice that nobody acknowledged in time goes to the owner's manager, once."""
    known = settings.causes.get(state.code)
    owner = settings.contacts.get(known.owner) if known else None
    if (
        known is None
        or owner is None
        or owner.manager is None
        or state.acknowledged_at
        or state.escalated_from
    ):
        return replace(state, due_at=None), None
    escalated = replace(state, escalated_from=known.owner, notices=state.notices + 1, due_at=None)
    return escalated, _notice(escalated, owner.manager, now, settings)


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
