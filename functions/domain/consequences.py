"""What follows from the state of a follow-up: its mark, its flag, its notes.

Called twice on purpose: at once when a change is seen, and again by the sweep before nothing is due any more. Both
times the answer is only what is still missing, so whichever comes second finds nothing to do.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from domain.delivery import Progress, is_open
from domain.flag import Flag, Reason, flag_for, message_for
from domain.follow_up import FollowUp, State
from domain.message import Kind, Message, ticket_scope
from domain.settings import Settings


def missing(
    follow_up: FollowUp, flag: Flag | None, messages: Mapping[str, Message], now: datetime, settings: Settings
) -> tuple[Flag | Message, ...]:
    """Flags and messages that have to be written for this follow-up, given those that exist; ``messages`` by name."""
    raised = flag_for(follow_up, flag, now, settings)
    current = raised or flag
    wanted: list[Flag | Message] = [raised] if raised else []
    if current and current.settled_at is None:
        told = message_for(current, now, _words_until(follow_up, current, settings))
        known = messages.get(told.name)
        if known is None:
            wanted.append(told)
        elif known.delivery is None and known.due_at and _has_words(follow_up) and now < known.due_at:
            wanted.append(replace(known, due_at=now))
    for note in _notes(follow_up, messages, now, settings):
        known = messages.get(note.name)
        if known is None:
            wanted.append(note)
        elif known.cancelled and is_open(known.delivery):
            # Its claims stay counted: the cancelled mail may have gone out, and is never sent a third time.
            wanted.append(replace(known, cancelled=None, to=note.to, due_at=note.due_at))
    return tuple(wanted)


def _words_until(follow_up: FollowUp, flag: Flag, settings: Settings) -> datetime | None:
    """Until when the handover waits for the customer to say what is missing."""
    if flag.reason is not Reason.DENIED or _has_words(follow_up) or flag.escalated_from:
        return None
    return flag.raised_at + settings.policy.words_within


def _has_words(follow_up: FollowUp) -> bool:
    return follow_up.answer is not None and follow_up.answer.words is not None


def _notes(
    follow_up: FollowUp, messages: Mapping[str, Message], now: datetime, settings: Settings
) -> list[Message]:
    """The success note of a confirmed follow-up and, when consent came after it had gone, the appreciation note."""
    if follow_up.state is not State.CONFIRMED:
        return []
    note = _note(follow_up, Kind.NOTE, now, settings)
    sent = messages.get(note.name)
    consented = follow_up.answer is not None and follow_up.answer.consent is not None
    gone = sent is not None and sent.delivery is not None and sent.delivery.progress is not Progress.READY
    if consented and sent and gone and sent.about.get("quoted") != "yes":
        return [_note(follow_up, Kind.APPRECIATION, now, settings)]
    return [note]


def _note(follow_up: FollowUp, kind: Kind, now: datetime, settings: Settings) -> Message:
    closure = follow_up.closure
    confirmed_at = follow_up.outcome_at or now
    return Message(
        scope=ticket_scope(closure.source, closure.ticket_id),
        name=f"{follow_up.number:04d}#{kind}",
        kind=kind,
        to=f"team:{follow_up.team}" if follow_up.team else f"contact:{settings.responsible_for(None)}",
        created_at=now,
        due_at=max(now, confirmed_at + settings.policy.note_after) if kind is Kind.NOTE else now,
        about={"source": closure.source, "ticket_id": closure.ticket_id, "number": str(follow_up.number)},
        keep_until=follow_up.keep_until,
    )
