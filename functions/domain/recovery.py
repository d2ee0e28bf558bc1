"""What is done for a customer who said "no", or nothing: first fix the person.

    settled ──asked again──► "yes": recovered
                 │            "no": flagged again, the second time one person further
                 └─ silence ──► back to the person, once

Whoever has the flag writes to the customer in words of their own. Each press is one mail, however often it comes.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from domain.delivery import FAILED
from domain.errors import Refused
from domain.flag import Flag, Reason, What, note, raise_for
from domain.follow_up import MOST_AGAIN, AskedAgain, FollowUp, State, Ticket
from domain.message import CUSTOMER, Kind, Message, about_closure, customers_address, ticket_scope
from domain.person import Person, Surveys
from domain.settings import Policy, Settings

MOST_UPDATES = 20
"""So many mails about one closure are enough; whoever has more to say should call."""
_FORM = re.compile(r"[0-9a-f]{32}")


def is_form(text: str) -> bool:
    """Whether this is an id that one of our pages gave to its form."""
    return _FORM.fullmatch(text) is not None


def progress(
    follow_up: FollowUp, by: str, words: str, form: str, known: Iterable[Message], now: datetime
) -> Message | None:
    """The mail that tells the customer how it stands; ``by`` is a contact's key, ``known`` the ticket's messages.

    ``form`` is the id of the form that was pressed: a form that comes again is the same mail, and gives None. Refused
    when too much was written already.
    """
    told = Message(
        scope=ticket_scope(follow_up.closure.source, follow_up.closure.ticket_id),
        name=f"{_progress_of(follow_up)}{form}",
        kind=Kind.PROGRESS,
        to=CUSTOMER,
        created_at=now,
        due_at=now,
        about=about_closure(follow_up.ref) | {"by": by, "words": words},
        keep_until=follow_up.keep_until,
    )
    before = updates(follow_up, known)
    if any(message.name == told.name for message in before):
        return None
    if len(before) >= MOST_UPDATES:
        raise Refused("enough was written")
    return told


def updates(follow_up: FollowUp, known: Iterable[Message]) -> tuple[Message, ...]:
    """What this follow-up's customer was told so far, the oldest first; ``known`` are the ticket's messages."""
    own = (message for message in known if message.name.startswith(_progress_of(follow_up)))
    return tuple(sorted(own, key=lambda message: (message.created_at, message.name)))


def is_over(follow_up: FollowUp, since: datetime) -> bool:
    """Whether the customer said "solved" after ``since``: what was written before has lost its meaning."""
    answer = follow_up.answer
    return follow_up.state is State.CONFIRMED and answer is not None and answer.said_at > since


# --- asked again -----------------------------------------------------------------------------------------------------


def may_ask_again(
    follow_up: FollowUp, ticket: Ticket, flag: Flag, person: Person, settings: Settings
) -> bool:
    """Whether the customer is asked once more when this flag is settled.

    Not who has not answered when asked again: silence goes back to the person once, and then it is over.
    """
    return (
        follow_up.state in {State.DENIED, State.SILENT}
        and flag.reason is not Reason.STILL_SILENT
        and len(follow_up.asked_again) < MOST_AGAIN
        and ticket.superseded(follow_up) is None
        and customers_address(follow_up.closure, settings) is not None
        and person.suppressed is None
        and person.surveys is Surveys.ALL
    )


def ask_again(
    follow_up: FollowUp, flag: Flag, by: str, done: str, due_at: datetime, now: datetime, policy: Policy
) -> tuple[FollowUp, Flag, Message]:
    """One more question to the customer, which goes out at ``due_at``; the flag watches over its end."""
    again = AskedAgain(at=now, by=by, done=done)
    asked = replace(follow_up, asked_again=(*follow_up.asked_again, again))
    closure = follow_up.closure
    question = Message(
        scope=ticket_scope(closure.source, closure.ticket_id),
        name=question_name(asked),
        kind=Kind.ASKED_AGAIN,
        to=CUSTOMER,
        created_at=now,
        due_at=due_at,
        about=about_closure(follow_up.ref) | {"round": str(len(asked.asked_again))},
        keep_until=follow_up.keep_until,
    )
    watched = replace(note(flag, What.ASKED_AGAIN, None, now), due_at=due_at + policy.silent_after)
    return asked, watched, question


def question_name(follow_up: FollowUp) -> str:
    """The name of the message that asked last."""
    return f"{follow_up.number:04d}#{Kind.ASKED_AGAIN}#{len(follow_up.asked_again)}"


def questions(follow_up: FollowUp, known: Mapping[str, Message]) -> tuple[Message, ...]:
    """The messages that asked this follow-up's customer again, the oldest first; ``known``: the ticket's, by name."""
    rounds = range(1, len(follow_up.asked_again) + 1)
    names = (f"{follow_up.number:04d}#{Kind.ASKED_AGAIN}#{round}" for round in rounds)
    return tuple(known[name] for name in names if name in known)


def still_asks(follow_up: FollowUp, ticket: Ticket, question: Message) -> bool:
    """Whether the question still has a meaning at the moment of sending."""
    return (
        follow_up.state in {State.DENIED, State.SILENT}
        and follow_up.standing is None
        and question.name == question_name(follow_up)
        and ticket.superseded(follow_up) is None
    )


def after_asking(
    flag: Flag,
    follow_up: FollowUp,
    ticket: Ticket,
    question: Message | None,
    now: datetime,
    settings: Settings,
) -> Flag:
    """A settled flag whose customer was asked again, once it is due: over, still waiting, or back to the person."""
    over = replace(flag, due_at=None)
    if question is None or not still_asks(follow_up, ticket, question):
        return over
    if question.cancelled == "opted_out":
        # Their wish, and nobody has to look.
        return over
    ends = _silent_at(question, settings.policy)
    if ends is not None and now < ends:
        return replace(flag, due_at=ends)
    return raise_for(follow_up, flag, Reason.STILL_SILENT, now, settings, flag.settled_by)


def _silent_at(question: Message, policy: Policy) -> datetime | None:
    """When the customer has had time enough to answer; None when the question never reached them."""
    held = question.delivery
    if question.cancelled or (held and held.progress in FAILED):
        return None
    start = (held.delivered_at or held.sent_at or held.claimed_at) if held else question.due_at
    return (start or question.created_at) + policy.silent_after


@dataclass(frozen=True)
class Recovered:
    """How many customers' closings came out as not solved or unanswered, and how many of them are solved by now."""

    flagged: int
    recovered: int


def count(follow_ups: Iterable[FollowUp]) -> Recovered:
    """The recovery of these follow-ups: of all that were not confirmed, those whose customer later said "solved"."""
    unconfirmed = [f for f in follow_ups if f.unconfirmed_at is not None]
    return Recovered(len(unconfirmed), sum(f.state is State.CONFIRMED for f in unconfirmed))


def _progress_of(follow_up: FollowUp) -> str:
    return f"{follow_up.number:04d}#{Kind.PROGRESS}#"
