"""What is done for a customer who said "no", or nothing: first fix the person.

Whoever has the flag writes to the customer in words of their own. Each press is one mail, however often it comes.
"""

import re
from collections.abc import Iterable
from datetime import datetime

from domain.errors import Refused
from domain.follow_up import FollowUp, State
from domain.message import CUSTOMER, Kind, Message, ticket_scope

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
        about={
            "source": follow_up.closure.source,
            "ticket_id": follow_up.closure.ticket_id,
            "number": str(follow_up.number),
            "by": by,
            "words": words,
        },
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
    return follow_up.state is State.CONFIRMED and answer is not None and answer.at > since


def _progress_of(follow_up: FollowUp) -> str:
    return f"{follow_up.number:04d}#{Kind.PROGRESS}#"
