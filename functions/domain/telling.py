"""Telling the customers of a cause: a fix, "we know", news, or "it is not gone after all".

    draft ──confirmed──► telling ──everybody has a message──► told ──fix judged, promise over──► done
      └──cancelled──► cancelled         ▲        once more, for whoever came late │
                                        └─────────────────────────────────────────┘

A person writes the words and sees whom they would reach and how; nothing goes out before they confirm. Then the clock
walks through the cause's closures page by page and leaves one message for each person: its business key is the telling
and the person, so whoever walks a page twice, or two at a time, tells nobody twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal

from domain import commitment, fix, message
from domain.cause import CauseState, due_of, owner_of
from domain.delivery import Progress
from domain.errors import Refused
from domain.fix import Evidence, Result
from domain.follow_up import FollowUp, State, Ticket
from domain.message import Message
from domain.ownership import News, What, close, news, open_again
from domain.person import Person
from domain.settings import Policy, Settings

PACE = timedelta(seconds=3)
"""Between two pages."""
BUSY = timedelta(seconds=60)
"""Until the queue of mails is looked at again, when it is full."""
LATE = timedelta(days=1)
"""Closures that were counted late are looked for once more after this time, and before the fix is judged."""
BEHIND = timedelta(minutes=10)
"""So much later news look again whether the "we know" before them has gone out."""
SETTLING = timedelta(minutes=15)
"""So long after a fix was judged its answers are read once more: one may have been on its way in that moment."""


class Kind(StrEnum):
    """What customers are told."""

    FIX = "fix"
    KNOWN = "known"
    """We know, and you hear from us by a certain day."""
    UPDATE = "update"
    """News, to those who were told that we know, or still will be: before that none go out."""
    AGAIN = "again"
    """It is not gone after all, to those who said so."""


class Stage(StrEnum):
    """How far it has come."""

    DRAFT = "draft"
    TELLING = "telling"
    TOLD = "told"
    DONE = "done"
    CANCELLED = "cancelled"


MAILS = {
    Kind.FIX: message.Kind.FIX_TOLD,
    Kind.KNOWN: message.Kind.KNOWN_TOLD,
    Kind.UPDATE: message.Kind.UPDATE_TOLD,
    Kind.AGAIN: message.Kind.AGAIN_TOLD,
}


@dataclass(frozen=True, kw_only=True)
class Telling:
    """One thing that the customers of a cause are told."""

    cause: str
    number: int
    kind: Kind
    stage: Stage
    made_at: datetime
    scope: str
    """Where its messages are: one for each person. All "we know" of one episode share theirs."""
    by: str = ""
    """Key of the contact who wrote it; empty for the clock."""
    words: str = ""
    """What was changed, or is being done, as customers may read it."""
    wrong: str | None = None
    """What was wrong, likewise."""
    day: date | None = None
    """Of a fix: since when it is there. Otherwise: by when customers hear from us again."""
    about: int = 0
    """Of "not gone after all": number of the fix."""
    source_scope: str | None = None
    """Whose people are told, where these are not all customers of the cause."""
    people: int = 0
    """How many were shown to the person who confirmed it."""
    confirmed_at: datetime | None = None
    confirmed_by: str | None = None
    family: tuple[str, ...] = ()
    """The causes whose customers were shown to that person: its own, and those that were part of it."""
    fixed_at: datetime | None = None
    """From this instant on a ticket of the cause speaks against the fix."""
    cursor: str | None = None
    told_at: datetime | None = None
    """When everybody had their message for the first time; ``passed_at``: the last time it was made sure."""
    passed_at: datetime | None = None
    reminded: bool = False
    checks: int = 0
    evidence: Evidence | None = None
    result: Result | None = None
    contradicted: bool = False
    """Somebody said after the judging that they still have it, and nobody has looked at that yet."""
    said_early: bool = False
    """The owner was told that somebody still has it and said so before the judging."""
    said_late: bool = False
    """The owner was told that somebody still has it and said so after the judging."""
    kept: bool | None = None
    """Whether customers heard from us by the day we had told them."""
    due_at: datetime | None = None
    version: int = 0


@dataclass(frozen=True, kw_only=True)
class Said:
    """What one customer answered to "is it gone for you?"; the last answer counts."""

    scope: str
    person: str
    gone: bool
    at: datetime
    source: str
    ticket_id: str
    number: int
    words: str | None = None
    keep_until: datetime | None = None
    version: int = 0


def told_scope(code: str, kind: Kind, episode: str) -> str:
    """The scope of the messages of one telling."""
    return f"TOLD#{code}#{kind}#{episode}"


def known_scope(state: CauseState) -> str:
    """The scope of "we know" in the present episode: the same person is told once, however often it is confirmed."""
    since = state.repeated_at
    return told_scope(state.code, Kind.KNOWN, f"{since:%Y%m%dT%H%M%S}" if since else "0")


def declare(
    state: CauseState, wrong: str, words: str, day: date, by: str, now: datetime, policy: Policy
) -> tuple[CauseState, Telling]:
    """A fix as its owner declares it, and the cause with it; it stands once it is confirmed, until then its day counts.

    Tickets of the day itself may be older than the change, so that they say nothing about it. Refused without words,
    for a day to come, and for a cause that is part of another.
    """
    if not wrong or not words:
        raise Refused("words are missing")
    if day > commitment.our_day(now, policy):
        raise Refused("the day is not over")
    after, made = _made(state, Kind.FIX, words, by, now, policy)
    fixed_at = min(now, commitment.end_of(day, policy))
    known = replace(after, acknowledged_at=state.acknowledged_at or now)
    return (
        replace(known, due_at=due_of(known, now, policy)),
        replace(made, wrong=wrong, day=day, fixed_at=fixed_at),
    )


def write(
    state: CauseState, kind: Kind, words: str, day: date, by: str, now: datetime, policy: Policy
) -> tuple[CauseState, Telling]:
    """ "We know", or news about it, with the day by which customers hear from us again.

    Refused without words, for a day that is not to come, and while the cause is not repeated or its fix stands.
    """
    if not words:
        raise Refused("words are missing")
    if day <= commitment.our_day(now, policy):
        raise Refused("the day must be one to come")
    if state.repeated_at is None or state.declared:
        raise Refused("the cause is not repeated now")
    after, made = _made(state, kind, words, by, now, policy)
    known = known_scope(state)
    if kind is Kind.KNOWN:
        return after, replace(made, day=day, scope=known)
    return after, replace(made, day=day, source_scope=known)


def _made(
    state: CauseState, kind: Kind, words: str, by: str, now: datetime, policy: Policy
) -> tuple[CauseState, Telling]:
    if state.merged_into:
        raise Refused("it is part of another cause")
    number = state.tellings + 1
    made = Telling(
        cause=state.code,
        number=number,
        kind=kind,
        stage=Stage.DRAFT,
        made_at=now,
        scope=told_scope(state.code, kind, f"{number:04d}"),
        by=by,
        words=words,
        due_at=now + min(LATE, policy.cause_acknowledge_within),
    )
    return replace(state, tellings=number), made


def not_gone(state: CauseState, fixed: Telling, now: datetime) -> tuple[CauseState, Telling]:
    """What those who said "not gone" are told once their cause is open again: by itself, nobody has to confirm it."""
    number = state.tellings + 1
    made = Telling(
        cause=state.code,
        number=number,
        kind=Kind.AGAIN,
        stage=Stage.TELLING,
        made_at=now,
        scope=told_scope(state.code, Kind.AGAIN, f"{number:04d}"),
        about=fixed.number,
        source_scope=fixed.scope,
        confirmed_at=now,
        due_at=now,
    )
    return replace(state, tellings=number), made


def confirm(telling: Telling, by: str, people: int, now: datetime, family: tuple[str, ...] = ()) -> Telling:
    """It goes out, to the customers of ``family``; Refused unless it is a draft."""
    if telling.stage is not Stage.DRAFT:
        raise Refused("it is no draft")
    return replace(
        telling,
        stage=Stage.TELLING,
        people=people,
        confirmed_at=now,
        confirmed_by=by,
        family=family,
        reminded=False,
        due_at=now,
    )


def cancel(telling: Telling) -> Telling:
    """It never goes out; Refused unless it is a draft."""
    if telling.stage is not Stage.DRAFT:
        raise Refused("it is no draft")
    return replace(telling, stage=Stage.CANCELLED, due_at=None)


# --- whom -------------------------------------------------------------------------------------------------------------


def is_meant(telling: Telling, follow_up: FollowUp, ticket: Ticket | None, policy: Policy) -> bool:
    """Whether this closure's customer is one of those it is for.

    A fix is for everybody who ever had the cause. "We know" is for those who would ask soon: whose ticket was closed
    or reopened so lately that its question is still open, and who did not say that it is solved, of this closing or a
    later one.
    """
    if telling.kind is not Kind.KNOWN:
        return True
    since, closed_at = telling.made_at - policy.link_answers_for, follow_up.closure.closed_at
    known = ticket or Ticket()
    if any(
        other.state is State.CONFIRMED and other.closure.closed_at > closed_at for other in known.follow_ups
    ):
        return False
    # A reopening that this closing ended says nothing about it.
    reopened = any(at >= max(since, closed_at) for at in known.reopened_by_others)
    if follow_up.state is State.CONFIRMED and not reopened:
        return False
    return follow_up.opened_at >= since or reopened


def message_for(
    telling: Telling, follow_up: FollowUp, person: Person, now: datetime, settings: Settings
) -> Message:
    """The one message of a person, about one of their closures; where none may go out, cancelled with the reason."""
    ref = follow_up.ref
    made = Message(
        scope=telling.scope,
        name=person.key or f"none#{ref.source}#{ref.ticket_id}",
        kind=MAILS[telling.kind],
        to=message.CUSTOMER,
        created_at=now,
        due_at=now,
        about=message.about_closure(ref) | {"cause": telling.cause, "telling": str(telling.number)},
        keep_until=now + settings.policy.keep_for,
    )
    address = message.customers_address(follow_up.closure, settings)
    reason = message.refusal(made, person) if address else "no_address"
    return message.cancel(made, reason) if reason else made


@dataclass(frozen=True, kw_only=True)
class Audience:
    """Whom a draft would reach now: distinct people, their languages, and why others get nothing."""

    people: int = 0
    sample: FollowUp | None = None
    """The closure of one of them."""
    languages: tuple[tuple[str, int], ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Reached:
    """Whom it has reached so far, and what they answered."""

    told: int = 0
    waiting: int = 0
    unknown: int = 0
    left_out: tuple[tuple[str, int], ...] = ()
    gone: int = 0
    not_gone: int = 0
    words: tuple[tuple[bool, str], ...] = ()


def reached(messages: Iterable[Message], answers: Iterable[Said]) -> Reached:
    """Counted from the messages and answers themselves."""
    told = waiting = unknown = 0
    left_out: dict[str, int] = {}
    for each in messages:
        progress = each.delivery.progress if each.delivery else Progress.READY
        if each.cancelled:
            left_out[each.cancelled] = left_out.get(each.cancelled, 0) + 1
        elif progress in {Progress.BOUNCED, Progress.REFUSED}:
            left_out[progress.value] = left_out.get(progress.value, 0) + 1
        elif progress is Progress.UNKNOWN:
            unknown += 1
        elif progress in {Progress.READY, Progress.CLAIMED}:
            waiting += 1
        else:
            told += 1
    said = list(answers)
    spoken = sorted((each for each in said if each.words), key=lambda each: (each.gone, -each.at.timestamp()))
    return Reached(
        told=told,
        waiting=waiting,
        unknown=unknown,
        left_out=tuple(sorted(left_out.items())),
        gone=sum(each.gone for each in said),
        not_gone=sum(not each.gone for each in said),
        words=tuple((each.gone, each.words) for each in spoken if each.words),
    )


def is_waiting(known: Message) -> bool:
    """Whether what somebody is to be told may still go out."""
    return reached([known], []).waiting > 0


def hears_news(known: Message) -> bool:
    """Whether the person of this "we know" gets news, too: they were told, may have been, or still will be."""
    return not reached([known], []).left_out


def say(known: Said | None, said: Said) -> Said:
    """The answer as it stands after a press; pressing the same again changes nothing, and words stay until new ones."""
    if known is None:
        return said
    words = said.words or (known.words if known.gone == said.gone else None)
    if (known.gone, known.words) == (said.gone, words):
        return known
    return replace(said, words=words, version=known.version)


def is_first_no(telling: Telling, said: Said) -> bool:
    """Whether this is the first "not gone" about a fix that was told and is not judged yet."""
    waits = telling.kind is Kind.FIX and telling.stage in {Stage.TELLING, Stage.TOLD}
    return waits and not said.gone and not telling.said_early


def hear_early(
    telling: Telling, others: Iterable[Telling], state: CauseState, now: datetime, settings: Settings
) -> tuple[Telling, Message | None]:
    """A fix after its first "not gone": the owner hears of it now and once, and not only when it is judged weeks later.

    Nothing follows once another fix was told: the owner knows that this one was not enough.
    """
    if is_superseded(telling, others):
        return telling, None
    key, owner = f"{telling.number:04d}", owner_of(state, settings)
    mail = news(state.code, News.SAID_EARLY, key, owner, now, settings, telling=str(telling.number))
    return replace(telling, said_early=True), mail


def hear_late(telling: Telling, said: Said, now: datetime) -> Telling:
    """A fix that a customer contradicts after it was judged is judged again at once; else the telling unchanged."""
    judged = telling.kind is Kind.FIX and telling.stage is Stage.DONE
    if said.gone or not judged or telling.result not in {Result.HOLDS, Result.TOO_LITTLE}:
        return telling
    return replace(telling, contradicted=True, due_at=now)


# --- what is due ------------------------------------------------------------------------------------------------------

Due = Literal["wait", "nudge", "page", "pass", "judge", "judge_late", "remind", "settle"]


def check_at(telling: Telling, policy: Policy) -> datetime:
    """When a fix is judged: after the time has passed since it was there, and since the customers were asked."""
    since = max(telling.fixed_at or telling.made_at, telling.confirmed_at or telling.made_at)
    return since + policy.fix_check_after * (telling.checks + 1)


def due_step(telling: Telling, now: datetime, policy: Policy) -> Due:
    """What its stage asks for at ``now``; ``pass`` is to walk once more, ``nudge`` to ask for the confirmation."""
    if telling.due_at is None or now < telling.due_at:
        return "wait"
    if telling.stage is Stage.DRAFT:
        return "nudge"
    if telling.stage is Stage.TELLING:
        return "page"
    if telling.stage is Stage.DONE and telling.kind is Kind.FIX:
        return "judge_late"
    if telling.stage is not Stage.TOLD:
        return "wait"
    if telling.kind is Kind.FIX:
        at = check_at(telling, policy)
        return "judge" if telling.passed_at and telling.passed_at >= at else "pass"
    if telling.day and now < commitment.overdue_at(telling.day, policy):
        return "remind"
    return "settle"


def after_page(telling: Telling, cursor: str | None, now: datetime, policy: Policy) -> Telling:
    """The telling after one page of closures; without a cursor that was the last one."""
    if cursor is not None:
        return replace(telling, cursor=cursor, due_at=now + PACE)
    over = replace(telling, stage=Stage.TOLD, cursor=None, told_at=telling.told_at or now, passed_at=now)
    if telling.kind is Kind.AGAIN:
        return replace(over, stage=Stage.DONE, due_at=None)
    if telling.kind is not Kind.FIX:
        day = telling.day or commitment.our_day(now, policy)
        return replace(over, due_at=commitment.next_at(day, now, policy, reminded=telling.reminded))
    at = check_at(over, policy)
    if now >= at:
        return replace(over, due_at=now + PACE)
    first = telling.told_at is None
    return replace(over, due_at=now + min(LATE, (at - now) / 2) if first else at)


def is_behind(telling: Telling, others: Iterable[Telling]) -> bool:
    """Whether news have to wait, because those whom they are for are still being told what they are news of."""
    return telling.kind is Kind.UPDATE and any(
        other.stage is Stage.TELLING and other.scope == telling.source_scope for other in others
    )


def once_more(telling: Telling, now: datetime) -> Telling:
    """To be walked again from the beginning, for whoever came late; those who were told have their message."""
    return replace(telling, stage=Stage.TELLING, cursor=None, due_at=now + PACE)


def settle_promise(telling: Telling, others: Iterable[Telling], policy: Policy) -> Telling:
    """The promise to be heard from by a day, once that is over: kept when customers were told something since.

    ``others`` are of its own cause, and fixes of what it was merged into that went to its customers too.
    """
    if telling.day is None:
        return replace(telling, stage=Stage.DONE, due_at=None)
    end = commitment.end_of(telling.day, policy)
    kept = any(
        other.kind in {Kind.FIX, Kind.UPDATE}
        and (other.cause != telling.cause or other.number > telling.number)
        and other.confirmed_at is not None
        and (telling.confirmed_at or telling.made_at) <= other.confirmed_at < end
        for other in others
    )
    return replace(telling, stage=Stage.DONE, kept=kept, due_at=None)


def judge(
    telling: Telling, evidence: Evidence, others: Iterable[Telling], policy: Policy, now: datetime
) -> Telling:
    """The fix once it was judged; what cannot be judged yet is looked at once more after the same time.

    Whoever answered in that moment found it unjudged and is not in the evidence: that is read again a little later.
    """
    result = Result.SUPERSEDED if is_superseded(telling, others) else fix.judge(evidence, policy)
    judged = replace(telling, evidence=evidence, result=result, checks=telling.checks + 1)
    if result is Result.TOO_LITTLE and telling.checks == 0:
        return replace(judged, due_at=max(check_at(judged, policy), now))
    stands = result in {Result.HOLDS, Result.TOO_LITTLE}
    return replace(judged, stage=Stage.DONE, due_at=now + SETTLING if stands else None)


def is_superseded(telling: Telling, others: Iterable[Telling]) -> bool:
    """Whether another fix was told since."""
    return any(
        other.kind is Kind.FIX and other.number > telling.number and other.confirmed_at for other in others
    )


def judge_late(
    told: Telling,
    evidence: Evidence,
    others: Iterable[Telling],
    state: CauseState,
    now: datetime,
    settings: Settings,
) -> tuple[Telling, CauseState, list[Message], Telling | None, What | None]:
    """A judged fix that somebody contradicted later: open again when that changes the verdict, as ``conclude`` says.

    Otherwise the verdict stands, and the owner hears of it once. Nothing follows when nobody contradicted.
    """
    if not told.contradicted and told.evidence and evidence.not_gone <= told.evidence.not_gone:
        return replace(told, due_at=None), state, [], None, None
    again = judge(told, evidence, others, settings.policy, now)
    if again.result is Result.OPENS_AGAIN:
        opened = replace(again, stage=Stage.DONE, contradicted=False, due_at=None)
        return opened, *conclude(opened, state, now, settings)
    heard = replace(told.evidence or evidence, gone=evidence.gone, not_gone=evidence.not_gone)
    kept = replace(told, evidence=heard, contradicted=False, due_at=None)
    if told.said_late or again.result is Result.SUPERSEDED:
        return kept, state, [], None, None
    key, owner = f"{told.number:04d}", owner_of(state, settings)
    mail = news(state.code, News.SAID_LATE, key, owner, now, settings, telling=str(told.number))
    return replace(kept, said_late=True), state, [mail], None, None


def conclude(
    judged: Telling, state: CauseState, now: datetime, settings: Settings
) -> tuple[CauseState, list[Message], Telling | None, What | None]:
    """What follows once a fix was judged for good: its cause, the mails to our own, and what customers are told of it.

    A cause whose fix fails is open again, with a new time to acknowledge; unless it was noticed anew already, or
    another fix is on its way, which nobody wants to lose. Whoever said that it is not gone hears that they were right.
    """
    if judged.stage is not Stage.DONE or judged.result is Result.SUPERSEDED:
        return state, [], None, None
    owner, about = owner_of(state, settings), {"telling": str(judged.number)}

    def to_owner(why: News) -> list[Message]:
        return [news(state.code, why, f"{judged.number:04d}", owner, now, settings, **about)]

    if judged.result is Result.OPENS_AGAIN:
        opened = open_again(state, now, settings.policy) if state.declared == judged.number else state
        said_no = judged.evidence is not None and judged.evidence.not_gone > 0
        after, again = not_gone(opened, judged, now) if said_no else (opened, None)
        return after, to_owner(News.OPENS_AGAIN), again, What.OPENS_AGAIN
    if judged.result is Result.HOLDS:
        closed = close(state, now) if state.declared == judged.number else state
        return closed, to_owner(News.HOLDS), None, What.HOLDS
    return state, to_owner(News.TOO_LITTLE), None, What.TOO_LITTLE
