"""A flag: an unconfirmed resolution on a person's worklist, until it is settled with what was done."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from domain.errors import Refused
from domain.follow_up import FollowUp, State
from domain.message import Kind, Message, ticket_scope
from domain.settings import Settings

ON_PURPOSE = frozenset({"opted_out", "frequency_cap", "own_address"})
"""Why somebody was not asked although they could have been: their wish, or our own rule. Nobody has to look."""


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


class Result(StrEnum):
    """How a flag was settled."""

    SOLVED = "solved"
    AGREED = "agreed"
    NOT_POSSIBLE = "not_possible"
    CONFIRMED = "confirmed"
    """By the customer, who answered "solved" after all."""


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
    """How often a person was told: raised again by a "no", escalated."""
    escalated_from: str | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    """Key of the contact whose link was used; the same for ``settled_by``."""
    settled_at: datetime | None = None
    settled_by: str | None = None
    result: Result | None = None
    done: str | None = None
    """What was done, in the words of the person who settled it."""
    keep_until: datetime | None = None
    version: int = 0


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
    heard again. Only a conflict was about something else, settled or not, so whatever comes after it is news. A
    customer who confirms after all takes the flag off the worklist.
    """
    reason = reason_for(follow_up)
    if known is None:
        return _raised(follow_up, reason, now, settings) if reason else None
    if _wrote_again(follow_up, known):
        raised = _raised(follow_up, reason or Reason.REPLY, now, settings)
        return replace(raised, rounds=known.rounds + 1, version=known.version)
    if reason is Reason.UNHAPPY:
        # While a flag is open its holder sees the words; a settled one knew nothing of them.
        if known.settled_at is None or not _said_again(follow_up, known):
            return None
        raised = _raised(follow_up, reason, now, settings)
        return replace(raised, rounds=known.rounds + 1, version=known.version)
    if reason is None or (follow_up.state is State.CONFIRMED and not follow_up.unread):
        if (
            known.settled_at is None
            and follow_up.state is State.CONFIRMED
            and known.reason not in {Reason.CONFLICT, Reason.UNHAPPY}
        ):
            return replace(known, settled_at=now, result=Result.CONFIRMED, due_at=None)
        return None
    was_conflict = known.reason is Reason.CONFLICT and reason is not Reason.CONFLICT
    if reason is not Reason.DENIED and not was_conflict:
        return None
    if (
        known.reason is Reason.DENIED
        and known.result is not Result.CONFIRMED
        and not _said_again(follow_up, known)
    ):
        return None
    raised = _raised(follow_up, reason, now, settings)
    return replace(raised, rounds=known.rounds + 1, version=known.version)


def _said_again(follow_up: FollowUp, known: Flag) -> bool:
    """Whether the customer said something once more after the flag had been settled."""
    answer = follow_up.answer
    return answer is not None and known.settled_at is not None and answer.at > known.settled_at


def _wrote_again(follow_up: FollowUp, known: Flag) -> bool:
    """Whether there is something to read that the flag was not raised for: told once while it is open."""
    if not follow_up.unread:
        return False
    if known.settled_at:
        return follow_up.unread[-1].at > known.settled_at
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
        keep_until=follow_up.keep_until,
    )


def message_for(flag: Flag, now: datetime, due_at: datetime | None = None) -> Message:
    """The mail that tells the flag's holder, at once unless ``due_at`` says when; one for each round of the flag."""
    return Message(
        scope=ticket_scope(flag.source, flag.ticket_id),
        name=f"{flag.number:04d}#flag#{flag.rounds:02d}",
        kind=Kind.FLAG_RAISED,
        to=f"contact:{flag.holder}",
        created_at=now,
        due_at=due_at or now,
        about={"source": flag.source, "ticket_id": flag.ticket_id, "number": str(flag.number)},
        keep_until=flag.keep_until,
    )


def acknowledge(flag: Flag, by: str, now: datetime, settings: Settings) -> Flag:
    """Somebody looks after it. Doing it twice changes nothing; Refused when it is settled."""
    if flag.settled_at:
        raise Refused("the flag is settled")
    if flag.acknowledged_at:
        return flag
    return replace(
        flag, acknowledged_at=now, acknowledged_by=by, due_at=now + settings.policy.flag_settle_within
    )


def settle(flag: Flag, by: str, result: Result, done: str, now: datetime) -> Flag:
    """It is settled with what was done. The same words again change nothing; Refused when settled differently."""
    if flag.settled_at:
        if (flag.result, flag.done) == (result, done):
            return flag
        raise Refused("the flag is settled")
    return replace(
        flag,
        acknowledged_at=flag.acknowledged_at or now,
        acknowledged_by=flag.acknowledged_by or by,
        settled_at=now,
        settled_by=by,
        result=result,
        done=done,
        due_at=None,
    )


def escalate(flag: Flag, now: datetime, settings: Settings) -> Flag:
    """A flag that nobody acknowledged or settled in time goes to the holder's manager; at the top it stays."""
    if flag.settled_at or flag.due_at is None or now < flag.due_at:
        raise Refused("not overdue")
    holder = settings.contacts.get(flag.holder)
    manager = holder.manager if holder else settings.responsible
    if manager is None or manager == flag.holder:
        return replace(flag, due_at=None)
    return replace(
        flag,
        holder=manager,
        escalated_from=flag.holder,
        acknowledged_at=None,
        acknowledged_by=None,
        rounds=flag.rounds + 1,
        due_at=now + settings.policy.flag_acknowledge_within,
    )
