"""The outbox: messages in the partition of what they are about, ``MESSAGE#<name>``."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from adapters import clock, table
from adapters.telemetry import count, logger
from domain import delivery, message
from domain.delivery import Delivery, Progress
from domain.errors import Changed
from domain.message import Message
from domain.settings import Settings

KIND = "message"
ATTEMPTS = 5


def row(known: Message) -> table.Row:
    """The item of a message."""
    return table.make_row(
        known.scope,
        sort_key(known.name),
        KIND,
        known,
        due_at=known.due_at,
        keep_until=known.keep_until,
    )


def sort_key(name: str) -> str:
    """The sort key of a message."""
    return f"MESSAGE#{name}"


def load(scope: str, name: str) -> Message | None:
    """One message, or None."""
    item = table.get(scope, sort_key(name))
    return table.read_row(item, Message) if item else None


def save(known: Message) -> None:
    """Store a message; raises Changed when it is not the version that was loaded."""
    table.put(row(known))


def claim(waiting: Message, claim_id: str, now: datetime, settings: Settings) -> Message:
    """Store that whoever has this id sends it now; gives the message as it stands then. Changed: another one may."""
    held = delivery.claim(waiting.delivery, claim_id, now, settings.policy.unknown_after)
    claimed = replace(waiting, delivery=held)
    save(claimed)
    return replace(claimed, version=claimed.version + 1)


def settle(
    claimed: Message, change: Callable[[Delivery], Delivery], again_after: Callable[[], timedelta]
) -> None:
    """Store what became of a claimed message; it is read again only when somebody was faster.

    What certainly did not go out is due again after ``again_after``.
    """
    known: Message | None = claimed
    for _ in range(ATTEMPTS):
        if known is None or known.delivery is None:
            return
        changed = change(known.delivery)
        after = (
            replace(known, delivery=changed, due_at=clock.now() + again_after())
            if changed.progress is Progress.READY
            else message.after_sending(known, changed)
        )
        try:
            save(after)
        except Changed:
            known = load(claimed.scope, claimed.name)
            continue
        ring_if_missed(after, known)
        return
    raise Changed("the message is changing too fast")


def ring_if_missed(after: Message, before: Message) -> None:
    """Let an alarm ring once it is stored that a mail to one of our own people has come to nothing.

    Whoever it was for hears of nothing any more, so nobody else would notice. The line names the key in the settings.
    """
    if message.misses_colleague(after) and not message.misses_colleague(before):
        logger.warning("one of our own people is not reached", kind=after.kind, recipient=after.to)
        count("ColleagueUnreachable")
