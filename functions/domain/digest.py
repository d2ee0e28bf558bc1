"""The digest of a process owner: which causes did harm in a period, what changed, and what waits for the owner.

Everything is counted from what is stored as of one instant; the mail, the chat and the page show the same figures.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from domain.cause import TREND, CauseFigures, CauseState, Count, Mark, figures, mark_of
from domain.follow_up import MOST_AGAIN, FollowUp, State
from domain.message import Kind, Message, owner_scope
from domain.settings import Policy, Settings
from domain.telling import Telling

NOT_SOLVED, NO_ANSWER, HAD_A_TICKET = 5, 3, 1
"""What each customer counts for in the harm of a cause, the worst that happened to them in the period."""
LONGEST = timedelta(days=35)
"""So much a digest covers at most, unless its schedule is slower."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """A process owner as far as the clock is concerned: when the next digest is due, and where the last one ended."""

    key: str
    due_at: datetime | None = None
    told_until: datetime | None = None
    version: int = 0


def digest_message(
    owner: Owner, since: datetime, until: datetime, now: datetime, settings: Settings
) -> Message:
    """The digest for the period that ended at ``until``; its business key is that instant."""
    return Message(
        scope=owner_scope(owner.key),
        name=f"digest#{until:%Y%m%dT%H%M%S}",
        kind=Kind.DIGEST,
        to=f"contact:{owner.key}",
        created_at=now,
        due_at=now,
        about={"since": since.isoformat(), "until": until.isoformat()},
        keep_until=now + settings.policy.keep_for,
    )


def period(owner: Owner, usual: tuple[datetime, datetime]) -> tuple[datetime, datetime]:
    """The period of a digest that is due: from where the last one ended, so that nothing is told twice or never.

    ``usual`` is the one of the owner's schedule; it holds for the first digest. Whoever had no cause for longer than
    ``LONGEST`` hears only of so much: others were told of what was before.
    """
    since, until = usual
    if owner.told_until and owner.told_until < until:
        since = max(owner.told_until, min(since, until - LONGEST))
    return since, until


class Change(StrEnum):
    """How a period compares with those before it, by its tickets."""

    NEW = "new"
    BACK = "back"
    UP = "up"
    SAME = "same"
    DOWN = "down"
    GONE = "gone"
    QUIET = "quiet"


class Need(StrEnum):
    """What waits for the owner, the most pressing first."""

    DATE_PASSED = "date_passed"
    NOT_ACKNOWLEDGED = "not_acknowledged"
    NO_DATE = "no_date"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One cause in one period."""

    figures: CauseFigures
    state: CauseState
    harm: int
    change: Change
    quiet_before: int
    """How many periods before this one had no ticket, counted back from it."""
    unsolved: int
    """Tickets whose customer said "not solved" last, whenever that was."""
    recovered: tuple[FollowUp, ...]
    """Confirmed in the period after the customer had said "not solved" before."""
    complaints: tuple[FollowUp, ...]
    """"Not solved", with words, in the period; the latest first."""
    praise: tuple[FollowUp, ...]
    """"Solved", with words that may be passed on as praise, in the period; the latest first."""
    helped: tuple[FollowUp, ...]
    """Confirmed in the period."""
    tickets: frozenset[tuple[str, str]]
    tickets_before: frozenset[tuple[str, str]]
    """By source and id, of the period and of the one before: a ticket can have one cause today and another tomorrow,
    and is one ticket in the sum."""
    about: tuple[FollowUp, ...]
    """All that were opened or came to their outcome in the period."""
    need: Need | None = None
    fixes: tuple[Telling, ...] = ()
    """What was declared as fixed so far, the newest first, with whether it held."""
    below: Count | None = None
    """Of a cause with causes under it: the tickets and customers of all together in the period."""

    @property
    def code(self) -> str:
        """The cause's."""
        return self.figures.code

    @property
    def is_shown(self) -> bool:
        """Whether there is anything to say about it."""
        waits = self.need in {Need.DATE_PASSED, Need.NOT_ACKNOWLEDGED}
        below = self.below is not None and self.below.tickets > 0
        return waits or below or self.figures.tickets_before > 0 or not self.figures.is_empty


def look_back(since: datetime, until: datetime, policy: Policy) -> datetime:
    """How far back a digest has to read: its trend, and closings whose outcome may fall into the period.

    An outcome comes with the first question, or with one of those after a flag that was settled in time. A flag may
    stay open for ever; no digest reads further back than this for what a customer says after it.
    """
    life = policy.first_ask_after + policy.quiet_period + policy.undelivered_after
    life += policy.silent_after + policy.link_answers_for
    again = policy.flag_acknowledge_within + policy.flag_settle_within
    again += policy.undelivered_after + policy.link_answers_for
    return min(until - TREND * (until - since), since - life - MOST_AGAIN * again)


def entry(
    state: CauseState,
    marks: Iterable[Mark],
    follow_ups: Iterable[FollowUp],
    since: datetime,
    until: datetime,
    today: date,
    closed_again: Collection[tuple[str, str]] = (),
) -> Entry:
    """One cause for ``since`` <= instant < ``until``; ``today`` is the owner's day, by which dates have passed.

    ``closed_again``: tickets, by source and id, that were closed once more for another cause, which counts them now.
    """
    listed, known = list(marks), list(follow_ups)
    counted = figures(state.code, listed, known, since, until, TREND)
    ended = [f for f in known if _ended(f, since, until)]
    denied = {_ticket(f) for f in known if any(not answer.solved for answer in f.answers)}
    said = [f for f in known if f.answer and since <= f.answer.at < until]
    said.sort(key=_said_at, reverse=True)
    helped = tuple(f for f in ended if f.state is State.CONFIRMED)
    quiet = next((n for n, tickets in enumerate(reversed(counted.trend[:-1])) if tickets), TREND - 1)
    return Entry(
        figures=counted,
        state=state,
        harm=harm((mark for mark in listed if since <= mark.opened_at < until), ended),
        change=_change(counted.trend, quiet),
        quiet_before=quiet,
        need=need(state, today),
        unsolved=sum(_ticket(f) not in closed_again for f in unsolved(known)),
        recovered=tuple(f for f in helped if _ticket(f) in denied),
        complaints=tuple(f for f in said if f.answer and not f.answer.solved and f.answer.words),
        praise=tuple(f for f in said if f.quote),
        helped=helped,
        tickets=_tickets(listed, since, until),
        tickets_before=_tickets(listed, since - (until - since), since),
        about=tuple(f for f in known if _ended(f, since, until) or since <= f.opened_at < until),
    )


def harm(marks: Iterable[Mark], ended: Iterable[FollowUp]) -> int:
    """The harm of a cause: each customer once, by the worst that happened to them."""
    worst: dict[str, int] = {}
    for mark in marks:
        worst.setdefault(mark.customer, HAD_A_TICKET)
    for follow_up in ended:
        mark_left = mark_of(follow_up)
        weight = {State.DENIED: NOT_SOLVED, State.SILENT: NO_ANSWER}.get(follow_up.state, 0)
        if mark_left and weight:
            customer = mark_left.customer
            worst[customer] = max(worst.get(customer, 0), weight)
    return sum(worst.values())


def need(state: CauseState, today: date) -> Need | None:
    """What the owner has not done about a cause yet; nothing waits once a fix was declared."""
    if state.declared:
        return None
    if state.committed_to and state.committed_to < today:
        return Need.DATE_PASSED
    if state.repeated_at is None or state.committed_to:
        return None
    return Need.NO_DATE if state.acknowledged_at else Need.NOT_ACKNOWLEDGED


def rank(entries: Iterable[Entry]) -> list[Entry]:
    """Those with anything to say, the most harmful first."""
    return sorted(
        (e for e in entries if e.is_shown),
        key=lambda e: (-e.harm, -e.figures.tickets, -e.figures.tickets_before, e.code),
    )


def _change(trend: tuple[int, ...], quiet: int) -> Change:
    before, now = trend[-2], trend[-1]
    if not now:
        return Change.GONE if before else Change.QUIET
    if quiet == TREND - 1:
        return Change.NEW
    if not before:
        return Change.BACK
    return Change.UP if now > before else Change.DOWN if now < before else Change.SAME


def _tickets(marks: Iterable[Mark], since: datetime, until: datetime) -> frozenset[tuple[str, str]]:
    return frozenset(mark.ticket for mark in marks if since <= mark.opened_at < until)


def _said_at(follow_up: FollowUp) -> datetime:
    return follow_up.answer.at if follow_up.answer else follow_up.opened_at


def unsolved(follow_ups: Iterable[FollowUp]) -> list[FollowUp]:
    """The last closings, of those given, whose customer said "not solved" last."""
    return [f for f in _latest(follow_ups) if f.state is State.DENIED]


def _latest(follow_ups: Iterable[FollowUp]) -> Iterable[FollowUp]:
    """The last closing of each ticket."""
    last: dict[tuple[str, str], FollowUp] = {}
    for f in sorted(follow_ups, key=lambda f: (f.closure.closed_at, f.number)):
        last[f.closure.source, f.closure.ticket_id] = f
    return last.values()


def _ticket(follow_up: FollowUp) -> tuple[str, str]:
    return follow_up.closure.source, follow_up.closure.ticket_id


def _ended(follow_up: FollowUp, since: datetime, until: datetime) -> bool:
    return follow_up.outcome_at is not None and since <= follow_up.outcome_at < until
