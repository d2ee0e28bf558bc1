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
from domain.message import Kind, Message, about_closure, ticket_scope
from domain.settings import Settings
from domain.thanks import SETTLING, Thanks, next_notes

GATHERED = "gathered"
"""In ``Message.about``: the instant at which a team's gathering takes this note up."""


def missing(
    follow_up: FollowUp, flag: Flag | None, messages: Mapping[str, Message], now: datetime, settings: Settings
) -> tuple[Flag | Message | Thanks, ...]:
    """What has to be written for this follow-up, in this order, given what exists; ``messages`` by name."""
    raised = flag_for(follow_up, flag, now, settings)
    current = raised or flag
    wanted: list[Flag | Message | Thanks] = [raised] if raised else []
    if current and current.settled_at is None:
        told = message_for(current, now, _words_until(follow_up, current, settings))
        known = messages.get(told.name)
        if known is None:
            wanted.append(told)
        elif known.delivery is None and known.due_at and _has_words(follow_up) and now < known.due_at:
            wanted.append(replace(known, due_at=now))
    for note in _notes(follow_up, messages, now, settings):
        known = messages.get(note.name)
        if known is None or _is_news(follow_up, known, now):
            # The mark first: whoever finds the note finds the mark.
            marked = known is not None and GATHERED not in note.about
            mark = None if marked else _mark(follow_up, note, _heard_at(follow_up, now, settings))
            wanted += [mark, note] if mark else [note]
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
    """The notes of a confirmed follow-up, one for each team that had a part in it."""
    if follow_up.state is not State.CONFIRMED:
        return []
    return [
        _note_for(team, follow_up, messages, now, settings) for team in (follow_up.team, *follow_up.teams)
    ]


def _note_for(
    team: str | None, follow_up: FollowUp, messages: Mapping[str, Message], now: datetime, settings: Settings
) -> Message:
    """A team's success note; when words may be quoted only after it had gone, the appreciation note."""
    note = _note(Kind.NOTE, team, follow_up, now, settings)
    known = messages.get(note.name)
    note = replace(note, version=known.version if known else 0)
    settled_at = _heard_at(follow_up, now, settings) + SETTLING
    known_team = settings.teams.get(team or "")
    gathered_at = next_notes(known_team, settled_at, settings.policy.time_zone) if known_team else None
    if gathered_at and (known is None or GATHERED in known.about):
        return _gathered(note, gathered_at)
    gone = known is not None and known.delivery is not None and known.delivery.progress is not Progress.READY
    if known and gone and follow_up.quote and known.about.get("quoted") != "yes":
        return _note(Kind.APPRECIATION, team, follow_up, now, settings)
    return note


def _gathered(note: Message, gathered_at: datetime) -> Message:
    """A note that is no mail of its own: it stands for the mark that the team's next gathering finds."""
    return replace(note, due_at=None, about={**note.about, GATHERED: gathered_at.isoformat()})


def _is_news(follow_up: FollowUp, known: Message, now: datetime) -> bool:
    """Whether the gathering that this note was in could not tell it: the customer confirmed, or agreed to be quoted,
    only after it. It is in the next one.
    """
    gathered_at = known.about.get(GATHERED)
    if gathered_at is None or follow_up.answer is None:
        return False
    agreed_at = (follow_up.answer.released_at or follow_up.answer.at) if follow_up.quote else None
    said_at = max(at for at in (follow_up.outcome_at, agreed_at) if at)
    return datetime.fromisoformat(gathered_at) <= min(now, said_at)


def _heard_at(follow_up: FollowUp, now: datetime, settings: Settings) -> datetime:
    """When the team may hear of it: the customer has had time for words."""
    return max(now, (follow_up.outcome_at or now) + settings.policy.note_after)


def _mark(follow_up: FollowUp, note: Message, at: datetime) -> Thanks | None:
    """The mark that a team's gathering and its month find; None for whoever is no team of the settings."""
    group, _, team = note.to.partition(":")
    if group != "team" or note.kind is Kind.APPRECIATION:
        return None
    closure = follow_up.closure
    return Thanks(
        team=team,
        source=closure.source,
        ticket_id=closure.ticket_id,
        number=follow_up.number,
        at=at,
        keep_until=follow_up.keep_until,
    )


def _note(kind: Kind, team: str | None, follow_up: FollowUp, now: datetime, settings: Settings) -> Message:
    closure = follow_up.closure
    # The resolver's team had no name in it before there were others.
    other = f"#{team}" if team != follow_up.team else ""
    return Message(
        scope=ticket_scope(closure.source, closure.ticket_id),
        name=f"{follow_up.number:04d}#{kind}{other}",
        kind=kind,
        to=f"team:{team}" if team else f"contact:{settings.responsible_for(None)}",
        created_at=now,
        due_at=_heard_at(follow_up, now, settings) if kind is Kind.NOTE else now,
        about=about_closure(follow_up.ref),
        keep_until=follow_up.keep_until,
    )
