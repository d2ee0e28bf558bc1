"""A flag: an unconfirmed resolution on a person's worklist, until it is settled with what was done."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.closure import Ref, one_line
from domain.errors import Refused
from domain.follow_up import MERGED, MOST_AGAIN, FollowUp, State
from domain.message import Kind, Message, about_closure, ticket_scope
from domain.settings import Settings

ON_PURPOSE = frozenset({"opted_out", "frequency_cap", "own_address", MERGED})
"""Why somebody was not asked although they could have been: their wish, or our own rule. Nobody has to look."""
KEPT_DEEDS = 40


class Reason(StrEnum):
    """Why somebody has to look."""

    DENIED = "denied"
    SILENT = "silent"
    UNDELIVERABLE = "undeliverable"
    UNKNOWN = "unknown"
    NO_DETAILS = "no_details"
    UNWRITABLE = "unwritable"
    """Our mail could not be written: nobody was asked, and it is not the customer's doing."""
    CONFLICT = "conflict"
    REPLY = "reply"
    """The customer wrote something that only a person can make sense of."""
    UNVERIFIED_REPLY = "unverified_reply"
    """Somebody wrote who may not be the customer."""
    UNHAPPY = "unhappy"
    """The customer confirmed, in words that are not only praise."""
    STILL_DENIED = "still_denied"
    """The customer was asked again after it was settled, and says "no" again."""
    STILL_SILENT = "still_silent"
    """The customer was asked again after it was settled, and did not answer."""
    PROMISE_DUE = "promise_due"
    """Nothing is wrong yet: a promise to the customer has to be kept."""
    PROMISE_BROKEN = "promise_broken"


AFTER_WORK = frozenset({Reason.STILL_DENIED, Reason.STILL_SILENT, Reason.PROMISE_BROKEN})
"""Reasons that come after somebody had worked on it."""
ABOUT_ELSE = frozenset({Reason.CONFLICT, Reason.PROMISE_DUE, Reason.PROMISE_BROKEN})
"""Reasons that say nothing about whether it is solved."""
TO_READ = frozenset({Reason.REPLY, Reason.UNVERIFIED_REPLY})
"""Reasons that are words of which nobody knows what they say about it."""


class What(StrEnum):
    """What was done about a flag, or happened to it."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    ESCALATED = "escalated"
    CUSTOMER_WROTE = "customer_wrote"
    """While it was open, and whoever has it was told."""
    TEAM_ASKED = "team_asked"
    TEAM_WROTE = "team_wrote"
    UPDATED = "updated"
    """The customer was told how it stands."""
    PROMISED = "promised"
    PROMISE_KEPT = "promise_kept"
    PROMISE_WITHDRAWN = "promise_withdrawn"
    SETTLED = "settled"
    ASKED_AGAIN = "asked_again"


TOLD = frozenset({What.RAISED, What.ESCALATED, What.CUSTOMER_WROTE})
"""What whoever has the flag gets a mail about."""
WROTE = "wrote"
"""In ``Message.about``: the mail brings what the customer wrote about an open flag."""
WRITES_AGAIN = timedelta(days=1)
"""So long after a mail what the customer writes is news to whoever got it, whatever they did since."""


class Result(StrEnum):
    """How a flag was settled."""

    SOLVED = "solved"
    AGREED = "agreed"
    NOT_POSSIBLE = "not_possible"
    CONFIRMED = "confirmed"
    """By the customer, who answered "solved" after all."""


@dataclass(frozen=True, kw_only=True)
class Deed:
    """Who did what and when; ``by`` is a contact's key, ``team:<key>``, or None for whatever nobody did."""

    what: What
    at: datetime
    by: str | None = None
    words: str | None = None
    """At most a line: the whole text stands where it belongs."""


@dataclass(frozen=True, kw_only=True)
class Flag:
    """One per follow-up. ``holder`` is the contact who has it now; ``due_at`` is when it goes one person further."""

    source: str
    ticket_id: str
    number: int
    reason: Reason
    raised_at: datetime
    holder: str
    due_at: datetime | None = None
    rounds: int = 1
    """How often a person was told: raised again by a "no", escalated, the customer wrote."""
    escalated_from: str | None = None
    """Who had it last; whoever has it now when it came back to them."""
    had_by: tuple[str, ...] = ()
    """Who had it before since it was raised, in this order."""
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    """Key of the contact whose link was used; the same for ``settled_by``."""
    settled_at: datetime | None = None
    settled_by: str | None = None
    result: Result | None = None
    done: str | None = None
    """What was done, in the words of the person who settled it."""
    team_words: str | None = None
    """How the supplying team sees it, in its own words."""
    team_wrote_at: datetime | None = None
    deeds: tuple[Deed, ...] = ()
    keep_until: datetime | None = None
    version: int = 0

    @property
    def ref(self) -> Ref:
        """Which closure it is about."""
        return Ref(source=self.source, ticket_id=self.ticket_id, number=self.number)


def reason_for(follow_up: FollowUp) -> Reason | None:
    """Why this follow-up needs a person; None when it does not."""
    if follow_up.state is State.DENIED:
        return Reason.DENIED
    if follow_up.unread:
        return Reason.UNVERIFIED_REPLY if all(reply.doubt for reply in follow_up.unread) else Reason.REPLY
    if follow_up.state is State.SILENT:
        return Reason.SILENT
    if follow_up.state is State.NOT_ASKED and follow_up.reason not in ON_PURPOSE:
        if follow_up.reason in {"undelivered", "delivery_unknown"}:
            return Reason.UNKNOWN
        named = {"no_details": Reason.NO_DETAILS, "unwritable": Reason.UNWRITABLE}
        return named.get(follow_up.reason or "", Reason.UNDELIVERABLE)
    if follow_up.state is State.NOT_ASKED and follow_up.undecided:
        # The mail was out all the same: whoever pressed has it.
        return Reason.SILENT
    if follow_up.is_unhappy:
        return Reason.UNHAPPY
    return Reason.CONFLICT if follow_up.conflict else None


def flag_for(follow_up: FollowUp, known: Flag | None, now: datetime, settings: Settings) -> Flag | None:
    """The flag as it has to be for this follow-up; None when there is nothing to write.

    A new reason reopens a settled flag only when it is a "no" or something to read: a customer who writes is always
    heard again. A conflict or a promise was about something else, settled or not, so whatever comes after it is news;
    so is the silence after a settled reply. A customer who confirms after all takes the flag off the worklist, unless
    their words are not only praise: then it stays, for that. Who says "no" again after being asked as often as anybody
    is goes one person further at once. Whoever has it hears of what the customer writes meanwhile.
    """
    follow_up = _without_what_was_read(follow_up, known)
    changed = _changed(follow_up, known, now, settings)
    if known is None or (changed and changed.rounds > known.rounds):
        return changed
    return _with_news(follow_up, changed or known, now) or changed


def _changed(follow_up: FollowUp, known: Flag | None, now: datetime, settings: Settings) -> Flag | None:
    reason = reason_for(follow_up)
    if known is None:
        return _raised(follow_up, reason, now, settings) if reason else None
    if _wrote_again(follow_up, known):
        return _with_what_was_written(known, _raised(follow_up, reason or Reason.REPLY, now, settings))
    if reason is Reason.UNHAPPY:
        return _with_blame(follow_up, known, _raised(follow_up, reason, now, settings))
    if reason is None or _is_confirmed(follow_up):
        if (
            known.settled_at is None
            and follow_up.state is State.CONFIRMED
            and known.reason not in {Reason.CONFLICT, Reason.UNHAPPY}
            and (known.reason not in ABOUT_ELSE or _said_since(follow_up, known))
        ):
            settled = note(known, What.SETTLED, None, now)
            return replace(settled, settled_at=now, result=Result.CONFIRMED, due_at=None)
        return None
    is_news = _is_news(follow_up, known, reason)
    if reason is not Reason.DENIED and not is_news:
        return None
    told_before = (known.reason is Reason.DENIED or known.reason in AFTER_WORK) and not is_news
    if told_before and known.result is not Result.CONFIRMED and not _said_since(follow_up, known):
        return None
    if not follow_up.asked_again or reason is not Reason.DENIED:
        return raise_again(known, _raised(follow_up, reason, now, settings))
    again = raise_again(known, _raised(follow_up, Reason.STILL_DENIED, now, settings))
    return _to_manager(again, settings) if len(follow_up.asked_again) >= MOST_AGAIN else again


def _with_news(follow_up: FollowUp, known: Flag, now: datetime) -> Flag | None:
    """An open flag whose customer said something that its holder has not heard; whose it is and until when stays.

    Told at once to whoever did something about it since the last mail, else a day after that at the earliest: so
    somebody who waits for an answer hears of it, and a machine that writes and writes sends one mail a day.
    """
    said = [follow_up.answer.at] if follow_up.answer else []
    said += [reply.at for reply in follow_up.unread]
    if known.settled_at or not said or (_is_confirmed(follow_up) and not follow_up.is_unhappy):
        return None
    told = _told_last(known)
    told_at = told.at if told else known.raised_at
    since = known.deeds[known.deeds.index(told) + 1 :] if told else known.deeds
    if not any(deed.by and deed.at < max(said) for deed in since) and max(said) < told_at + WRITES_AGAIN:
        return None
    return replace(note(known, What.CUSTOMER_WROTE, None, now), rounds=known.rounds + 1)


def _is_confirmed(follow_up: FollowUp) -> bool:
    return follow_up.state is State.CONFIRMED and not follow_up.unread


def _with_what_was_written(known: Flag, raised: Flag) -> Flag:
    """Whoever has an open flag after others had worked on it keeps it: what was written since is for them.

    From there it goes its whole way: who had the flag before has not heard of this.
    """
    again = raise_again(known, raised)
    if known.settled_at is None and known.reason in AFTER_WORK:
        return replace(again, holder=known.holder)
    return again


def _with_blame(follow_up: FollowUp, known: Flag, raised: Flag) -> Flag | None:
    """While a flag is open its holder sees the words; a settled one knew nothing of them."""
    if known.settled_at is None:
        return None if known.reason in ABOUT_ELSE | {raised.reason} else replace(known, reason=raised.reason)
    return raise_again(known, raised) if _said_since(follow_up, known) else None


def _without_what_was_read(follow_up: FollowUp, known: Flag | None) -> FollowUp:
    """The follow-up with the replies that nobody can have read yet: whoever settled the flag had read the others."""
    settled = [deed.at for deed in known.deeds if deed.what is What.SETTLED] if known else []
    if not settled:
        return follow_up
    return replace(follow_up, replies=tuple(reply for reply in follow_up.replies if reply.at > settled[-1]))


def _is_news(follow_up: FollowUp, known: Flag, reason: Reason) -> bool:
    """Whether a flag that was about something else hides that this was not confirmed."""
    if known.reason is Reason.CONFLICT:
        return reason is not Reason.CONFLICT
    since = follow_up.unconfirmed_at or follow_up.outcome_at
    if known.reason in TO_READ:
        settled = since is not None and known.settled_at is not None and since > known.settled_at
        return settled and reason is Reason.SILENT
    return known.reason in ABOUT_ELSE and since is not None and since > known.raised_at


def _said_since(follow_up: FollowUp, known: Flag) -> bool:
    """Whether the customer answered after the flag was settled, or after one about something else was raised."""
    answer = follow_up.answer
    open_since = known.raised_at if known.reason in ABOUT_ELSE | {Reason.STILL_SILENT} else None
    since = known.settled_at or open_since
    return answer is not None and since is not None and answer.at > since


def raise_again(known: Flag, raised: Flag) -> Flag:
    """The flag raised once more: what was done before stays with it."""
    return replace(
        raised,
        rounds=known.rounds + 1,
        version=known.version,
        team_words=known.team_words,
        team_wrote_at=known.team_wrote_at,
        deeds=(*known.deeds, *raised.deeds)[-KEPT_DEEDS:],
    )


def raise_for(
    follow_up: FollowUp,
    known: Flag | None,
    reason: Reason,
    now: datetime,
    settings: Settings,
    holder: str | None = None,
) -> Flag:
    """The flag for a reason that is not the follow-up's state; ``holder`` had it before, if that is still known."""
    raised = _raised(follow_up, reason, now, settings)
    if holder in settings.contacts:
        raised = replace(raised, holder=str(holder))
    return raise_again(known, raised) if known else raised


def note(flag: Flag, what: What, by: str | None, now: datetime, words: str | None = None) -> Flag:
    """The flag with one more deed in its history; the oldest are forgotten first."""
    deed = Deed(what=what, at=now, by=by, words=one_line(words, 200))
    return replace(flag, deeds=(*flag.deeds, deed)[-KEPT_DEEDS:])


def _to_manager(flag: Flag, settings: Settings) -> Flag:
    """Asked again as often as anybody is: somebody else looks at it."""
    manager = settings.contacts[flag.holder].manager if flag.holder in settings.contacts else None
    if manager is None:
        return flag
    return replace(flag, holder=manager, escalated_from=flag.holder, had_by=(*flag.had_by, flag.holder))


def _wrote_again(follow_up: FollowUp, known: Flag) -> bool:
    """Whether there is something to read that the flag was not raised for: told once while it is open."""
    if not follow_up.unread:
        return False
    if known.settled_at:
        return True
    if known.reason is Reason.UNVERIFIED_REPLY:
        return any(reply.doubt is None for reply in follow_up.unread)
    return known.reason not in {Reason.REPLY, Reason.DENIED}


def _raised(follow_up: FollowUp, reason: Reason, now: datetime, settings: Settings) -> Flag:
    return Flag(
        source=follow_up.closure.source,
        ticket_id=follow_up.closure.ticket_id,
        number=follow_up.number,
        reason=reason,
        raised_at=now,
        holder=settings.responsible_for(follow_up.team),
        due_at=now + settings.policy.flag_acknowledge_within,
        deeds=(Deed(what=What.RAISED, at=now, words=str(reason)),),
        keep_until=follow_up.keep_until,
    )


def message_for(flag: Flag, now: datetime, due_at: datetime | None = None) -> Message:
    """The mail that tells the flag's holder, at once unless ``due_at`` says when; one for each round of the flag."""
    told = _told_last(flag)
    wrote = {WROTE: "yes"} if told and told.what is What.CUSTOMER_WROTE else {}
    return Message(
        scope=ticket_scope(flag.source, flag.ticket_id),
        name=f"{flag.number:04d}#flag#{flag.rounds:02d}",
        kind=Kind.FLAG_RAISED,
        to=f"contact:{flag.holder}",
        created_at=now,
        due_at=due_at or now,
        about=about_closure(flag.ref) | wrote,
        keep_until=flag.keep_until,
    )


def _told_last(flag: Flag) -> Deed | None:
    return next((deed for deed in reversed(flag.deeds) if deed.what in TOLD), None)


def acknowledge(flag: Flag, by: str, now: datetime, settings: Settings) -> Flag:
    """Somebody looks after it. Doing it twice changes nothing; Refused when it is settled."""
    if flag.settled_at:
        raise Refused("the flag is settled")
    if flag.acknowledged_at:
        return flag
    done = note(flag, What.ACKNOWLEDGED, by, now)
    return replace(
        done, acknowledged_at=now, acknowledged_by=by, due_at=now + settings.policy.flag_settle_within
    )


def settle(flag: Flag, by: str, result: Result, done: str, now: datetime) -> Flag:
    """It is settled with what was done. The same words again change nothing; Refused when settled differently."""
    if flag.settled_at:
        if (flag.result, flag.done) == (result, done):
            return flag
        raise Refused("the flag is settled")
    return replace(
        note(flag, What.SETTLED, by, now, done),
        acknowledged_at=flag.acknowledged_at or now,
        acknowledged_by=flag.acknowledged_by or by,
        settled_at=now,
        settled_by=by,
        result=result,
        done=done,
        due_at=None,
    )


def escalate(flag: Flag, now: datetime, settings: Settings) -> Flag:
    """A flag that nobody acknowledged or settled in time goes one person further; at the end of the way it stays.

    The way: manager by manager to the top; from there, while nobody acknowledged it, to the company's responsible
    contact; and once more to that one when everybody had it, because a single mail can be lost or overlooked.
    """
    if flag.settled_at or flag.due_at is None or now < flag.due_at:
        raise Refused("not overdue")
    to = _next_holder(flag, settings)
    if to is None:
        return replace(flag, due_at=None)
    return replace(
        note(flag, What.ESCALATED, None, now, to),
        holder=to,
        escalated_from=flag.holder,
        had_by=(*flag.had_by, flag.holder),
        acknowledged_at=None,
        acknowledged_by=None,
        rounds=flag.rounds + 1,
        due_at=now + settings.policy.flag_acknowledge_within,
    )


def _next_holder(flag: Flag, settings: Settings) -> str | None:
    had = {*flag.had_by, flag.holder}
    holder = settings.contacts.get(flag.holder)
    manager = holder.manager if holder else None
    if manager and manager not in had:
        return manager
    if flag.acknowledged_at and holder:
        return None
    # Whoever has it a second time was the last one.
    return None if flag.holder in flag.had_by else settings.responsible


def team_to_ask(follow_up: FollowUp, settings: Settings) -> str | None:
    """The team that may be asked how it sees what is not confirmed; None where there is none.

    Beside a "yes" there is nothing to ask: the words there are passed on only as the customer agreed.
    """
    known = follow_up.team if follow_up.team in settings.teams else None
    return None if follow_up.state is State.CONFIRMED else known


def ask_team(flag: Flag, team: str, by: str, now: datetime) -> tuple[Flag, Message]:
    """The team is asked how it sees it, once in each round of the flag; the mail leads to a page of its own."""
    asked = Message(
        scope=ticket_scope(flag.source, flag.ticket_id),
        name=f"{flag.number:04d}#version_asked#{flag.rounds:02d}",
        kind=Kind.VERSION_ASKED,
        to=f"team:{team}",
        created_at=now,
        due_at=now,
        about=about_closure(flag.ref) | {"by": by},
        keep_until=flag.keep_until,
    )
    return note(flag, What.TEAM_ASKED, by, now), asked


def team_was_asked(flag: Flag) -> bool:
    """Whether the team was asked since the flag was raised last."""
    since = max((deed.at for deed in flag.deeds if deed.what is What.RAISED), default=flag.raised_at)
    return any(deed.what is What.TEAM_ASKED and deed.at >= since for deed in flag.deeds)


def team_writes(flag: Flag, team: str, asker: str, words: str, now: datetime) -> tuple[Flag, Message] | None:
    """The team's own words stand beside the customer's, and whoever asked is told; the same words again: None."""
    if flag.team_words == words:
        return None
    times = sum(deed.what is What.TEAM_WROTE for deed in flag.deeds)
    told = Message(
        scope=ticket_scope(flag.source, flag.ticket_id),
        name=f"{flag.number:04d}#version_given#{flag.rounds:02d}#{times:02d}",
        kind=Kind.VERSION_GIVEN,
        to=f"contact:{asker}",
        created_at=now,
        due_at=now,
        about=about_closure(flag.ref),
        keep_until=flag.keep_until,
    )
    wrote = note(flag, What.TEAM_WROTE, f"team:{team}", now, words)
    return replace(wrote, team_words=words, team_wrote_at=now), told
