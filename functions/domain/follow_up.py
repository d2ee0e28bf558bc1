"""The follow-up of one closure: its life from the webhook to its outcome.

    waiting ──details──► scheduled ──survey──► asked ──reminder──► asked ──deadline──► silent
                             │                   ├── solved     ──► confirmed ◄─┐
                             │                   ├── not solved ──► denied    ◄─┘ (the customer may change the answer)
                             │                   └── bounced    ──► not_asked
                             └── reopened ──► reopened        └── no address, suppressed, opted out ──► not_asked

Every function takes the follow-up as it is and gives the follow-up as it becomes; storing it is the caller's work.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from domain import delivery, hours
from domain.address import is_nobody
from domain.closure import Closure, Ref
from domain.delivery import Delivery, Feedback, Progress
from domain.errors import Refused
from domain.hours import ClosedDays
from domain.person import Person, Surveys, asked_too_often, person_key, quiet_until, rests_until
from domain.settings import Policy, Settings

KEPT_ANSWERS = 10
MOST_AGAIN = 2
"""So often a customer is asked once more whether it is solved now; who says "no" again is not worn out."""
MOST_TOGETHER = 10
"""So many closures are asked about in one mail; more would be a form that nobody fills in."""
SAME_CLOSURE_WITHIN = timedelta(seconds=2)
"""Two hooks of one helpdesk report the same closing up to this far apart (Zendesk: event time and updated_at)."""
SAME_WHEN_FOUND_WITHIN = timedelta(minutes=10)
"""The same for what we found by asking: a helpdesk's API knows a closing by another clock than its webhooks."""
BEFORE_BELIEVED = timedelta(minutes=10)
"""So soon after a closure its helpdesk's API may not know it yet: that it is open or gone is believed later."""
ECHO = timedelta(minutes=15)
"""So long after we wrote to a helpdesk, what its webhook says of the ticket is an echo of that."""
ECHO_OF_REOPENING = timedelta(seconds=30)
"""So long after we opened a ticket, nobody has closed it again: a closing is an echo of what we wrote before."""
CLOCKS_DIFFER = timedelta(minutes=5)
"""So far apart a helpdesk's clock and ours may be."""
FETCH_AGAIN = timedelta(minutes=15)
"""When details are asked for again if nobody says what became of asking."""

Round = Literal["survey", "reminder"]
Credit = Literal["full", "first", "initials", "anonymous"]


class State(StrEnum):
    """Where a follow-up stands."""

    WAITING = "waiting"
    SCHEDULED = "scheduled"
    ASKED = "asked"
    CONFIRMED = "confirmed"
    DENIED = "denied"
    SILENT = "silent"
    NOT_ASKED = "not_asked"
    REOPENED = "reopened"


MERGED = "merged"
"""Why a closing is not asked about that is no solution: the ticket became a part of another one."""


class Obstacle(StrEnum):
    """Why a helpdesk could not be asked about a ticket, or did not tell."""

    UNREACHABLE = "unreachable"
    """No answer, too many requests, or trouble of its own: it may answer later."""
    REFUSED = "refused"
    """It does not accept our token, or the token may not see the ticket."""
    NO_TOKEN = "no_token"  # noqa: S105 - no secret
    """Nobody stored one."""
    GONE = "gone"
    """It knows no such ticket."""
    UNREADABLE = "unreadable"
    """It answered something that our description of it does not expect."""


PENDING = frozenset({State.WAITING, State.SCHEDULED, State.ASKED})

ALLOWED: dict[State, frozenset[State]] = {
    State.WAITING: frozenset({State.SCHEDULED, State.NOT_ASKED, State.REOPENED}),
    State.SCHEDULED: frozenset({State.ASKED, State.CONFIRMED, State.DENIED, State.NOT_ASKED, State.REOPENED}),
    State.ASKED: frozenset({State.CONFIRMED, State.DENIED, State.SILENT, State.NOT_ASKED, State.REOPENED}),
    State.SILENT: frozenset({State.CONFIRMED, State.DENIED}),
    State.NOT_ASKED: frozenset({State.CONFIRMED, State.DENIED}),
    State.CONFIRMED: frozenset({State.DENIED}),
    State.DENIED: frozenset({State.CONFIRMED}),
    State.REOPENED: frozenset(),
}
"""The only changes of state there are. ``scheduled`` may be answered: the mail can be out before we know it is."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the customer said in one press: ``words`` of their own; ``consent`` is the exact text that may be quoted."""

    solved: bool
    at: datetime
    words: str | None = None
    consent: str | None = None
    credit: Credit | None = None
    """How they are named where the words are shown; with the consent only."""
    withdrawn: bool = False
    """There was a consent, and they took it back."""
    critical: bool = False
    """The words are more than praise: a person reads them before they are quoted."""
    released_by: str | None = None
    """Key of the contact who read critical words and passed them on."""
    released_at: datetime | None = None
    wish: str | None = None
    """After a "no": the outcome that they would accept."""
    kept: bool | None = None
    """Whether we kept what we had promised, where something had been."""
    late: bool = False
    first_at: datetime | None = None
    """When they said the same before, and only added something at ``at``: words, or a consent."""

    @property
    def said_at(self) -> datetime:
        """Since when it is what they say."""
        return self.first_at or self.at


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One mail of the customer's. What counted is an answer; what did not keeps its ``words`` for a person to read."""

    mail: str
    """A digest of the provider's id of the mail: the same mail again is recognised."""
    at: datetime
    received_at: datetime | None = None
    """When the provider got it: mails can reach us in another order."""
    counted: bool = False
    words: str | None = None
    doubt: str | None = None
    """Why it may not be the customer's: ``unauthenticated`` or ``unverified_sender``."""


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """A press that looked like a machine's, and by which rules (domain/press.py); a person may count it."""

    solved: bool
    at: datetime
    rules: tuple[str, ...] = ()
    kept: bool | None = None
    """As in ``Answer``."""
    counted: bool = False
    """A person knows that it was the customer's: there is an answer of the same instant."""
    decided_at: datetime | None = None
    """When a person said whose it was."""
    decided_by: str | None = None
    """Key of the contact whose link was used."""


@dataclass(frozen=True, kw_only=True)
class AskedAgain:
    """One more question, after somebody had worked on what was not solved: who, and what they say was ``done``."""

    at: datetime
    by: str
    """Key of a contact."""
    done: str


@dataclass(frozen=True, kw_only=True)
class Inquiry:
    """What came of asking the helpdesk for the details that its report left out."""

    tries: int
    at: datetime
    obstacle: Obstacle
    """Of the last try."""


@dataclass(frozen=True, kw_only=True)
class FollowUp:
    """Our record of one closure. Requester, resolver, team, cause and promise are frozen in it when it opens."""

    closure: Closure
    number: int
    state: State
    opened_at: datetime
    cause: str
    cause_set_by: str | None = None
    """Key of the contact who said what the cause is; ``cause_set_at`` when. Whoever counts anew keeps it."""
    cause_set_at: datetime | None = None
    team: str | None = None
    teams: tuple[str, ...] = ()
    """The other teams that had a part in it, by key."""
    due_at: datetime | None = None
    reason: str | None = None
    """Why it was not asked, or what superseded it."""
    survey: Delivery | None = None
    reminder: Delivery | None = None
    together: tuple[Ref, ...] = ()
    """The other closures of the same person that were asked about in the same mail."""
    answers: tuple[Answer, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    replies: tuple[Reply, ...] = ()
    asked_again: tuple[AskedAgain, ...] = ()
    outcome_at: datetime | None = None
    unconfirmed_at: datetime | None = None
    """When it first came out that it is not solved, or that nobody says so."""
    finalised_at: datetime | None = None
    """When a ticket that was "solved" became "closed" for good: a reopening before that is over."""
    conflict: bool = False
    """The same closure was reported again with another requester: a person has to look."""
    inquiry: Inquiry | None = None
    """While its details are missing, and for good when they never came."""
    keep_until: datetime | None = None
    version: int = 0

    @property
    def ref(self) -> Ref:
        """Which closure it is about."""
        return Ref(source=self.closure.source, ticket_id=self.closure.ticket_id, number=self.number)

    @property
    def answer(self) -> Answer | None:
        """The answer that counts: the last one."""
        return self.answers[-1] if self.answers else None

    @property
    def standing(self) -> Answer | None:
        """The answer to the question as it was asked last; None while the customer has not answered that."""
        answer = self.answer
        return None if answer and self.asked_again and answer.at <= self.asked_again[-1].at else answer

    @property
    def quote(self) -> str | None:
        """The words that may be passed on as praise: as the customer agreed, and none that a person reads first."""
        answer = self.answer
        if (
            answer is None
            or self.state is not State.CONFIRMED
            or (answer.critical and not answer.released_by)
        ):
            return None
        return answer.consent

    @property
    def is_unhappy(self) -> bool:
        """Whether the customer said "solved", and in words that somebody has to read."""
        answer = self.answer
        held_back = answer is not None and answer.critical and answer.released_by is None
        return self.state is State.CONFIRMED and held_back

    @property
    def unread(self) -> tuple[Reply, ...]:
        """Replies that only a person can make sense of, as long as no answer came after them; oldest first."""
        since = self.answer.said_at if self.answer else self.opened_at
        return tuple(reply for reply in self.replies if not reply.counted and reply.at > since)

    @property
    def countable(self) -> tuple[Suspect, ...]:
        """Suspect presses that a person can still count: of the question as it was asked last, where no answer to that
        says the same or is later.
        """
        if self.state is State.REOPENED:
            return ()
        said = self.standing
        asked_at = self.asked_again[-1].at if self.asked_again else self.opened_at
        return tuple(
            seen
            for seen in self.suspects
            if not seen.counted
            and seen.at >= asked_at
            and (said is None or (seen.solved != said.solved and seen.at > said.at))
        )

    @property
    def undecided(self) -> tuple[Suspect, ...]:
        """Those of them about which nobody has said anything."""
        return tuple(seen for seen in self.countable if seen.decided_at is None)


@dataclass(frozen=True, kw_only=True)
class Written:
    """What we wrote to the helpdesk about one closure, and in which span; ``reopens``: it opened the ticket again."""

    number: int
    since: datetime
    until: datetime
    reopens: bool

    def echoes(self, at: datetime, within: timedelta) -> bool:
        """Whether something that happened ``at`` is what we did."""
        return self.since - CLOCKS_DIFFER <= at <= self.until + within


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """What is known of one ticket: all its follow-ups, oldest first, when it was reopened, and what we wrote to it."""

    follow_ups: tuple[FollowUp, ...] = ()
    reopens: tuple[datetime, ...] = ()
    written: tuple[Written, ...] = ()

    @property
    def reopened_by_others(self) -> tuple[datetime, ...]:
        """When it was reopened, but for what was our own doing: that follows from an outcome and ends nothing."""
        ours = [known for known in self.written if known.reopens]
        return tuple(at for at in self.reopens if not any(known.echoes(at, ECHO) for known in ours))

    def superseded(self, follow_up: FollowUp) -> str | None:
        """Why this follow-up is no longer the ticket's present state: reopened or closed again later; None if it is."""
        closed_at = follow_up.finalised_at or follow_up.closure.closed_at
        if any(reopened_at >= closed_at for reopened_at in self.reopened_by_others):
            return "reopened"
        if any(
            other.closure.closed_at > closed_at and other.number != follow_up.number
            for other in self.follow_ups
        ):
            return "closed_again"
        return None

    def is_closed_after(self, follow_up: FollowUp) -> bool:
        """Whether a later closing than this one is the ticket's present state."""
        later = (other for other in self.follow_ups if other.closure.closed_at > follow_up.closure.closed_at)
        return any(self.superseded(other) is None for other in later)


def same_closure(ticket: Ticket, closure: Closure) -> FollowUp | None:
    """The follow-up that this closure has already, or None when it is a new closing of the ticket.

    The business key is the closing's own instant, so a repeat is recognised however late it comes and whatever its
    delivery id is. A ticket that goes from "solved" to "closed" without being reopened was closed once; so was one
    whose helpdesk did not say when (``degraded``): its repeats look like closings at other times. What we found by
    asking is looked for in a wider span, because it is about something that we probably know.
    """
    apart_by = {known.number: _apart(known, closure) for known in ticket.follow_ups}
    for known in ticket.follow_ups:
        if apart_by[known.number] <= SAME_CLOSURE_WITHIN:
            return known
    # The latest first: a ticket that was solved twice without our hearing of a reopening is closed for the second time.
    for known in reversed(ticket.follow_ups):
        first, second = sorted((known.closure.closed_at, closure.closed_at))
        reopened_between = any(first <= at <= second for at in ticket.reopens)
        if not reopened_between and _is_echo(ticket, known, closure):
            return known
        found = closure.found_by or known.closure.found_by
        if found and apart_by[known.number] <= SAME_WHEN_FOUND_WITHIN and not reopened_between:
            return known
        finalised = {known.closure.kind, closure.kind} == {"solved", "closed"}
        in_order = (known.closure.closed_at < closure.closed_at) == (known.closure.kind == "solved")
        degraded = closure.degraded or known.closure.degraded
        if ((finalised and in_order) or degraded) and not reopened_between:
            return known
    return None


def _apart(known: FollowUp, closure: Closure) -> timedelta:
    """How far a closing's instant is from those at which this one was closed."""
    instants = (known.closure.closed_at, known.finalised_at or known.closure.closed_at)
    return min(abs(instant - closure.closed_at) for instant in instants)


def _is_echo(ticket: Ticket, known: FollowUp, closure: Closure) -> bool:
    """Whether a closing is only how the helpdesk's webhook tells of our own note: its ticket was not opened since."""
    return any(
        written.number == known.number
        and written.echoes(closure.closed_at, ECHO_OF_REOPENING if written.reopens else ECHO)
        for written in ticket.written
    )


def open_follow_up(ticket: Ticket, closure: Closure, now: datetime, settings: Settings) -> FollowUp:
    """The follow-up of a closure that has none yet. The delay counts from when we heard of it, not from the claim."""
    policy = settings.policy
    resolver = closure.resolver_name or settings.name_of(closure.resolver_email)
    contributors = tuple(replace(c, name=c.name or settings.name_of(c.email)) for c in closure.contributors)
    closure = replace(closure, resolver_name=resolver, contributors=contributors)
    team = settings.team_of(closure.team)
    helped = (settings.team_of(c.team) or settings.team_with(c.email) for c in contributors)
    numbers = {known.number for known in ticket.follow_ups}
    number = max(numbers) + 1 if 1 in numbers else 1
    opened = FollowUp(
        closure=closure,
        number=number,
        state=State.SCHEDULED,
        opened_at=now,
        cause=settings.cause_of(closure.cause, closure.source),
        team=team,
        teams=tuple(dict.fromkeys(other for other in helped if other and other != team)),
        due_at=first_ask(closure, now, policy),
        keep_until=now + policy.keep_for,
    )
    superseded = ticket.superseded(opened)
    if superseded:
        return replace(opened, state=State.REOPENED, reason=superseded, outcome_at=now, due_at=now)
    if closure.kind == "merged":
        # The ticket that it went into is asked about when that is closed.
        return replace(opened, state=State.NOT_ASKED, reason=MERGED, outcome_at=now, due_at=now)
    if closure.needs_details:
        # Whoever can ask does so at once; else a fuller report may come.
        asks = settings.can_ask(closure.source)
        return replace(opened, state=State.WAITING, due_at=now if asks else now + policy.details_within)
    if closure.requester_email is None:
        # Its next step says so, at once: that knows the whole ticket, which may have been reopened already.
        return replace(opened, due_at=now)
    if is_nobody(closure.requester_email) or settings.is_ours(closure.requester_email):
        return replace(opened, state=State.NOT_ASKED, reason="own_address", outcome_at=now, due_at=now)
    return opened


def keep_first(ticket: Ticket, opened: FollowUp) -> FollowUp | None:
    """The ticket's first follow-up, to be kept as long as the one just opened; None when there is nothing to change.

    Whatever else is known of a ticket, its number 1 is there: a report that finds that key free is the first one.
    """
    first = next((known for known in ticket.follow_ups if known.number == 1), None)
    if (
        first is None
        or first.number == opened.number
        or first.keep_until is None
        or opened.keep_until is None
    ):
        return None
    if first.keep_until >= opened.keep_until:
        return None
    return replace(first, keep_until=opened.keep_until)


def first_ask(closure: Closure, now: datetime, policy: Policy) -> datetime:
    """When the customer is asked first: after the delay, within the allowed hours of their own zone."""
    return hours.next_open(now + policy.first_ask_after, policy.hours, closure.time_zone, policy.time_zone)


def add_details(follow_up: FollowUp, closure: Closure, now: datetime, settings: Settings) -> FollowUp:
    """A waiting follow-up once its closure is known in full; Refused when it does not wait."""
    if follow_up.state is not State.WAITING:
        raise Refused("the follow-up has its details")
    hint = follow_up.closure
    completed = replace(
        closure, closed_at=hint.closed_at, kind=hint.kind, degraded=hint.degraded, found_by=hint.found_by
    )
    opened = open_follow_up(Ticket(), completed, now, settings)
    return replace(
        opened,
        number=follow_up.number,
        opened_at=follow_up.opened_at,
        finalised_at=follow_up.finalised_at,
        version=follow_up.version,
    )


def not_told(
    follow_up: FollowUp, obstacle: Obstacle, wait: timedelta, now: datetime, policy: Policy
) -> FollowUp:
    """A waiting follow-up whose helpdesk could not be asked, or did not tell: it is asked again after ``wait``.

    Once ``details_within`` is over, or there certainly is no such ticket, a person has to look instead. Refused when it
    does not wait.
    """
    tries = follow_up.inquiry.tries + 1 if follow_up.inquiry else 1
    tried = replace(follow_up, inquiry=Inquiry(tries=tries, at=now, obstacle=obstacle))
    ends = follow_up.opened_at + policy.details_within
    believed = obstacle is Obstacle.GONE and now >= follow_up.opened_at + BEFORE_BELIEVED
    if believed or now >= ends or follow_up.state is not State.WAITING:
        return replace(to_state(tried, State.NOT_ASKED, now, "no_details"), due_at=now)
    return replace(tried, due_at=min(now + max(wait, _pause(tries)), max(ends, now + _pause(1))))


def found_open(follow_up: FollowUp, now: datetime) -> FollowUp:
    """A waiting follow-up whose helpdesk says that the ticket is open: reopened, unless that may be old knowledge."""
    if now < follow_up.opened_at + BEFORE_BELIEVED:
        return replace(follow_up, due_at=follow_up.opened_at + BEFORE_BELIEVED)
    return replace(to_state(follow_up, State.REOPENED, now, "reopened"), due_at=now)


def _pause(tries: int) -> timedelta:
    """Longer after each try: from a minute to an hour."""
    return min(timedelta(minutes=2 ** min(tries - 1, 6)), timedelta(hours=1))


def repeat(follow_up: FollowUp, closure: Closure, now: datetime, settings: Settings) -> FollowUp:
    """The follow-up after its closure was reported once more; almost always unchanged, because the first report counts.

    A report that brings the details it waited for completes it. One that names another customer is a contradiction
    which a person has to look at; nobody else is mailed because of it.
    """
    follow_up = _finalise(follow_up, closure)
    if follow_up.state is State.WAITING and not closure.needs_details:
        return add_details(follow_up, closure, now, settings)
    first, second = follow_up.closure.requester_email, closure.requester_email
    if closure.needs_details or second is None or follow_up.conflict:
        return follow_up
    if first is not None and person_key(first) == person_key(second):
        return follow_up
    return replace(follow_up, conflict=True, due_at=follow_up.due_at or now)


def _finalise(follow_up: FollowUp, closure: Closure) -> FollowUp:
    known = follow_up.closure
    later = closure.closed_at > (follow_up.finalised_at or known.closed_at) + SAME_CLOSURE_WITHIN
    if (known.kind, closure.kind) != ("solved", "closed") or not later or closure.degraded or known.degraded:
        return follow_up
    return replace(follow_up, finalised_at=closure.closed_at)


def to_state(follow_up: FollowUp, state: State, now: datetime, reason: str | None = None) -> FollowUp:
    """The follow-up in another state; Refused where the life of a follow-up has no such step."""
    if state not in ALLOWED[follow_up.state]:
        raise Refused(f"{follow_up.state} cannot become {state}")
    unconfirmed = state in {State.DENIED, State.SILENT} and follow_up.unconfirmed_at is None
    return replace(
        follow_up,
        state=state,
        reason=reason,
        outcome_at=now,
        unconfirmed_at=now if unconfirmed else follow_up.unconfirmed_at,
    )


def supersede(follow_up: FollowUp, ticket: Ticket, now: datetime) -> FollowUp:
    """The follow-up as its ticket's life leaves it: a reopening or a later closing ends a pending ask."""
    reason = ticket.superseded(follow_up) if follow_up.state in PENDING else None
    return to_state(follow_up, State.REOPENED, now, reason) if reason else follow_up


# --- what is due -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wait:
    """Nothing to do before ``until``; ``quiet``: because this person was asked about something else lately."""

    until: datetime
    quiet: bool = False


@dataclass(frozen=True)
class Send:
    """The mail of this round is to be claimed and sent now."""

    round: Round


@dataclass(frozen=True)
class Become:
    """The follow-up changes by itself."""

    follow_up: FollowUp


@dataclass(frozen=True)
class Fetch:
    """The helpdesk is to be asked for what its report left out."""


@dataclass(frozen=True)
class Finish:
    """The outcome is known: see that everything that follows from it exists, then nothing is due any more."""


Step = Wait | Send | Fetch | Become | Finish


def next_step(
    follow_up: FollowUp,
    ticket: Ticket,
    person: Person,
    now: datetime,
    policy: Policy,
    closed: ClosedDays = hours.no_day,
    *,
    asked_with: Collection[Ref] = (),
    can_ask: bool = False,
) -> Step:
    """What the follow-up's state asks for at ``now``; asked again at the moment of sending.

    ``closed`` tells the public holidays of the customer's country: nothing is sent on them. ``asked_with`` are the
    closures that a mail which may have gone already is about too and will be when it is sent again: that this person
    was asked about them is no reason to wait. ``can_ask``: its helpdesk can be asked for missing details, which is
    tried at least once.
    """
    if follow_up.state not in PENDING:
        return Finish()
    superseded = supersede(follow_up, ticket, now)
    if superseded is not follow_up:
        return Become(superseded)
    if follow_up.due_at and now < follow_up.due_at:
        return Wait(follow_up.due_at)
    if follow_up.state is State.WAITING:
        over = now >= follow_up.opened_at + policy.details_within
        if can_ask and not (over and follow_up.inquiry):
            return Fetch()
        return Become(to_state(follow_up, State.NOT_ASKED, now, "no_details"))
    if follow_up.closure.requester_email is None:
        return Become(to_state(follow_up, State.NOT_ASKED, now, "no_address"))
    if follow_up.state is State.SCHEDULED:
        return _first_round(follow_up, person, now, policy, closed, asked_with)
    return _second_round(follow_up, person, now, policy, closed)


def _first_round(
    follow_up: FollowUp,
    person: Person,
    now: datetime,
    policy: Policy,
    closed: ClosedDays,
    asked_with: Collection[Ref],
) -> Step:
    if person.surveys is not Surveys.ALL:
        return Become(to_state(follow_up, State.NOT_ASKED, now, "opted_out"))
    if person.suppressed:
        return Become(to_state(follow_up, State.NOT_ASKED, now, "suppressed"))
    survey = follow_up.survey
    closure = follow_up.closure
    ours = (follow_up.ref, *asked_with)
    if survey and survey.progress is Progress.CLAIMED:
        step = _open_claim(follow_up, "survey", survey, now, policy)
        if not isinstance(step, Send):
            return step
        # Tried once more as if for the first time: meanwhile they may have been asked about something else.
    elif asked_too_often(person, ours, now, policy.surveys_per_month):
        return Become(to_state(follow_up, State.NOT_ASKED, now, "frequency_cap"))
    quiet = quiet_until(person, ours, policy.quiet_period)
    earliest = max(now, quiet or now, rests_until(person) or now)
    earliest = hours.next_open(earliest, policy.hours, closure.time_zone, policy.time_zone, closed)
    if earliest > now:
        return Wait(earliest, quiet=quiet is not None and quiet > now)
    return Send("survey")


def _second_round(
    follow_up: FollowUp, person: Person, now: datetime, policy: Policy, closed: ClosedDays
) -> Step:
    survey, reminder = follow_up.survey, follow_up.reminder
    if survey is None:
        raise Refused("asked without a survey")
    if survey.delivered_at is None:
        gives_up = (survey.sent_at or survey.claimed_at) + policy.undelivered_after
        return (
            Wait(gives_up)
            if now < gives_up
            else Become(to_state(follow_up, State.NOT_ASKED, now, "undelivered"))
        )
    silent_at = survey.delivered_at + policy.silent_after
    if now >= silent_at:
        return Become(to_state(follow_up, State.SILENT, now))
    if person.suppressed or person.surveys is not Surveys.ALL or not delivery.is_open(reminder):
        return Wait(silent_at)
    if reminder and reminder.progress is Progress.CLAIMED:
        step = _open_claim(follow_up, "reminder", reminder, now, policy)
        if not isinstance(step, Send):
            return step
        # Tried once more as if for the first time: meanwhile they may have written, or gone to sleep.
    if follow_up.unread:
        # Whoever wrote to us is not told that they have not answered: a person has their words.
        return Wait(silent_at)
    closure = follow_up.closure
    remind_at = max(now, survey.delivered_at + policy.reminder_after, rests_until(person) or now)
    remind_at = hours.next_open(remind_at, policy.hours, closure.time_zone, policy.time_zone, closed)
    if remind_at >= silent_at:
        return Wait(silent_at)
    return Wait(remind_at) if remind_at > now else Send("reminder")


def _open_claim(follow_up: FollowUp, round: Round, claimed: Delivery, now: datetime, policy: Policy) -> Step:
    ends = delivery.claim_ends(claimed, policy.unknown_after)
    if now < ends:
        return Wait(ends)
    if delivery.may_claim(claimed, now, policy.unknown_after):
        return Send(round)
    given_up = put_delivery(follow_up, round, delivery.give_up(claimed, now))
    if round == "survey":
        given_up = to_state(given_up, State.NOT_ASKED, now, "delivery_unknown")
    return Become(given_up)


def places(group: Iterable[FollowUp]) -> dict[int, FollowUp]:
    """Follow-ups that are asked about together, by the number under which mail and page show them; 0 for one alone."""
    listed = sorted(group, key=lambda f: (f.closure.closed_at, f.ref.source, f.ref.ticket_id, f.number))
    return {0: listed[0]} if len(listed) == 1 else dict(enumerate(listed, 1))


def may_join(
    follow_up: FollowUp, ticket: Ticket, asked: FollowUp, round: Round, now: datetime, policy: Policy
) -> bool:
    """Whether this follow-up is asked about in the mail that goes out for ``asked``, another one of the same person."""
    first, second = follow_up.closure.requester_email, asked.closure.requester_email
    if first is None or second is None or person_key(first) != person_key(second):
        return False
    if follow_up.state is not (State.SCHEDULED if round == "survey" else State.ASKED):
        return False
    if ticket.superseded(follow_up) or follow_up.ref == asked.ref:
        return False
    if round == "reminder" and follow_up.unread:
        return False
    return delivery.may_claim(get_delivery(follow_up, round), now, policy.unknown_after)


# --- mail ------------------------------------------------------------------------------------------------------------


def get_delivery(follow_up: FollowUp, round: Round) -> Delivery | None:
    """The delivery of one round."""
    return follow_up.survey if round == "survey" else follow_up.reminder


def put_delivery(follow_up: FollowUp, round: Round, delivered: Delivery) -> FollowUp:
    """The follow-up with the delivery of one round changed."""
    return (
        replace(follow_up, survey=delivered) if round == "survey" else replace(follow_up, reminder=delivered)
    )


def claim(follow_up: FollowUp, round: Round, claim_id: str, now: datetime, policy: Policy) -> FollowUp:
    """The follow-up with one of its mails claimed by ``claim_id``, and due when that claim ends at the latest: whoever
    is taken along in another one's mail before its own time would lie until then if the sender died.

    Raises Refused when another claim holds the mail or it has gone already.
    """
    claimed = delivery.claim(get_delivery(follow_up, round), claim_id, now, policy.unknown_after)
    ends = delivery.claim_ends(claimed, policy.unknown_after)
    return replace(put_delivery(follow_up, round, claimed), due_at=min(follow_up.due_at or ends, ends))


def after_sending(follow_up: FollowUp, round: Round, settled: Delivery, policy: Policy) -> FollowUp:
    """The mail is out: the survey makes the follow-up ``asked``; what is due next follows from the round.

    The reminder's instant counts from delivery, which comes a little later than sending; asking for the next step a
    little later too saves moving it again when the delivery is reported.
    """
    done = put_delivery(follow_up, round, settled)
    sent_at = settled.sent_at or settled.claimed_at
    if round == "reminder":
        delivered_at = done.survey.delivered_at if done.survey else None
        due_at = (delivered_at or sent_at) + policy.silent_after
        return replace(done, due_at=due_at) if done.state is State.ASKED else done
    if done.state is not State.SCHEDULED:
        return done
    slack = min(timedelta(minutes=15), policy.reminder_after / 10)
    return replace(done, state=State.ASKED, due_at=sent_at + policy.reminder_after + slack)


def hear(
    follow_up: FollowUp, round: Round, feedback: Feedback, at: datetime, now: datetime, policy: Policy
) -> FollowUp:
    """The follow-up after one report about one of its mails; reports that change nothing give it back unchanged."""
    known = get_delivery(follow_up, round)
    if known is None:
        return follow_up
    heard = delivery.hear(known, feedback, at)
    # Everything counts from the survey's delivery; nobody waits for that of a reminder which is known to be sent.
    needless = round == "reminder" and feedback is Feedback.DELIVERY and known.progress is Progress.SENT
    if heard == known or needless:
        return follow_up
    after = put_delivery(follow_up, round, heard)
    if heard.progress in {Progress.SENT, Progress.DELIVERED} and follow_up.state is State.SCHEDULED:
        return after_sending(after, round, heard, policy)
    failed = {Progress.BOUNCED: "bounced", Progress.COMPLAINED: "complained", Progress.REFUSED: "refused"}
    reason = failed.get(heard.progress)
    if reason == "refused" and round == "reminder":
        # The survey is there; only its repetition was not taken.
        return after
    if reason and after.state in {State.SCHEDULED, State.ASKED}:
        return to_state(after, State.NOT_ASKED, now, reason)
    if reason and after.state is State.SILENT and round == "survey":
        return replace(after, reason=reason)
    recovered = heard.progress is Progress.DELIVERED and after.reason in {"undelivered", "delivery_unknown"}
    if recovered and after.state is State.NOT_ASKED:
        return replace(after, reason=f"{after.reason}_then_delivered")
    return after


def never_sent(
    follow_up: FollowUp, round: Round, refused: Delivery, now: datetime, reason: str = "refused"
) -> FollowUp:
    """This mail will never go out, and why: the customer could not be asked (or not reminded)."""
    after = put_delivery(follow_up, round, refused)
    if round == "survey" and after.state is State.SCHEDULED:
        return to_state(after, State.NOT_ASKED, now, reason)
    return after


# --- answers ---------------------------------------------------------------------------------------------------------


def answers_until(follow_up: FollowUp, policy: Policy) -> datetime:
    """Until when the link counts as in time; it starts with the delivery of the survey, or when it is asked again."""
    if follow_up.asked_again:
        return follow_up.asked_again[-1].at + policy.link_answers_for
    survey = follow_up.survey
    start = (survey.delivered_at or survey.sent_at or survey.claimed_at) if survey else follow_up.opened_at
    return start + policy.link_answers_for


@dataclass(frozen=True, kw_only=True)
class Press:
    """What one press of a button brought; what it does not mention is left as it was said before."""

    solved: bool
    words: str | None = None
    critical: bool = False
    """The words are more than praise."""
    wish: str | None = None
    kept: bool | None = None
    consent: bool = False
    credit: Credit | None = None
    withdraw: bool = False


def record_answer(follow_up: FollowUp, said: Press, now: datetime, policy: Policy) -> FollowUp:
    """The follow-up with what the customer pressed; the last answer counts and earlier ones are kept.

    Saying the same again without anything new changes nothing. Words and consent belong to the answer they came with:
    consent is kept as the exact text that was agreed to, and only for "solved". A "no" to the question that was asked
    again is a new answer, whatever was said before. Raises Refused for a ticket that was
    reopened meanwhile: there the question has lost its meaning.
    """
    if follow_up.state is State.REOPENED:
        raise Refused("the ticket was reopened")
    before = follow_up.standing
    same = before if before and before.solved == said.solved else None
    answer = _answer(same, said, now, late=now > answers_until(follow_up, policy))
    if same and replace(answer, at=same.at, late=same.late, first_at=same.first_at) == same:
        return follow_up
    earlier = follow_up.answers[:-1] if same else follow_up.answers
    answered = replace(follow_up, answers=(*earlier, answer)[-KEPT_ANSWERS:], due_at=follow_up.due_at or now)
    state = State.CONFIRMED if said.solved else State.DENIED
    return answered if answered.state is state else to_state(answered, state, now)


def release_words(follow_up: FollowUp, by: str, now: datetime) -> FollowUp:
    """A person has read critical words and passes them on; only where the customer agreed to it. Raises Refused."""
    answer = follow_up.answer
    if answer is None or answer.consent is None or follow_up.state is not State.CONFIRMED:
        raise Refused("there is nothing that may be passed on")
    if not answer.critical or answer.released_by:
        return follow_up
    released = replace(answer, released_by=by, released_at=now)
    return replace(follow_up, answers=(*follow_up.answers[:-1], released))


def _answer(same: Answer | None, said: Press, now: datetime, *, late: bool) -> Answer:
    words = said.words or (same.words if same else None)
    consent, credit = (same.consent, same.credit) if same else (None, None)
    if said.consent and said.solved:
        consent, credit = words, said.credit or credit
    withdrawn = (said.withdraw and consent is not None) or bool(same and same.withdrawn and not said.consent)
    if consent != words or withdrawn:
        # Other words than those that were agreed to, or no agreement any more.
        consent = credit = None
    critical, released_by, released_at = said.critical, None, None
    if same and same.words == words:
        critical = said.critical or same.critical
        released_by, released_at = same.released_by, same.released_at
    return Answer(
        solved=said.solved,
        at=now,
        words=words,
        critical=critical and said.solved,
        released_by=released_by,
        released_at=released_at,
        consent=consent,
        credit=credit if consent else None,
        withdrawn=withdrawn,
        wish=None if said.solved else said.wish or (same.wish if same else None),
        kept=said.kept if said.kept is not None else (same.kept if same else None),
        late=late,
        first_at=same.said_at if same else None,
    )
