"""The outbox: every mail and post but surveys and reminders, written before it is sent, kept with its whole history.

Surveys and reminders are not here: the follow-up itself is their outbox, which saves half of the writes.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from domain import delivery, hours
from domain.address import is_nobody
from domain.closure import Closure, Ref
from domain.delivery import Delivery, Feedback, Progress
from domain.hours import ClosedDays
from domain.person import Person, Surveys
from domain.settings import Policy, Settings

CUSTOMER = "customer"
"""As ``to`` of a message: the customer of the closure that ``about`` names by ``source``, ``ticket_id``, ``number``."""

UNREACHABLE = frozenset({"suppressed", "recipient_unknown"})
"""Why a message is cancelled whose recipient has no address that may be written to."""

CHAT = "chat#"
"""How the names of messages for chats begin."""


class Kind(StrEnum):
    """What a message is."""

    FLAG_RAISED = "flag_raised"
    NOTE = "note"
    APPRECIATION = "appreciation"
    CAUSE_REPEATED = "cause_repeated"
    DIGEST = "digest"
    CAUSE_NEWS = "cause_news"
    """To its owner, or the owner's manager: what became of a cause, or of a day that was promised for it."""
    FIX_TOLD = "fix_told"
    """To a customer: what was changed, and the question whether it is gone for them."""
    KNOWN_TOLD = "known_told"
    """To a customer who would ask soon: we know, and by when they hear from us."""
    UPDATE_TOLD = "update_told"
    AGAIN_TOLD = "again_told"
    """To a customer who said that it is not gone: it is not, and we are on it again."""
    GATHERED_NOTES = "gathered_notes"
    THANKS_MONTH = "thanks_month"
    PROGRESS = "progress"
    """What somebody who works on a customer's flag tells this customer, in words of their own."""
    ASKED_AGAIN = "asked_again"
    """The question to the customer whether it is solved now."""
    PROMISE_KEPT = "promise_kept"
    """To the customer."""
    PROMISE_DUE = "promise_due"
    """To the person who has to keep it."""
    VERSION_ASKED = "version_asked"
    """To the supplying team: how do you see it?"""
    VERSION_GIVEN = "version_given"
    """To the person who asked the team."""


WANTED: dict[Kind, frozenset[Surveys]] = {
    Kind.PROGRESS: frozenset(Surveys),
    Kind.PROMISE_KEPT: frozenset(Surveys),
    Kind.ASKED_AGAIN: frozenset({Surveys.ALL}),
    Kind.FIX_TOLD: frozenset({Surveys.ALL, Surveys.FIXES}),
    Kind.AGAIN_TOLD: frozenset({Surveys.ALL, Surveys.FIXES}),
    Kind.KNOWN_TOLD: frozenset({Surveys.ALL}),
    Kind.UPDATE_TOLD: frozenset({Surveys.ALL}),
}
"""What a customer may have chosen and still get a mail of this kind: what answers their own words always comes, and
whoever does not want to be asked is not asked again either."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """One mail to one recipient. ``scope`` and ``name`` are its business key: there is never a second one of them."""

    scope: str
    """Whose it is: ``ticket_scope(...)`` or ``owner_scope(...)``."""
    name: str
    """Unique within the scope, such as ``0001#note``."""
    kind: Kind
    to: str
    """``contact:<key>``, ``team:<key>``, ``chat:<contact>`` of the settings or ``CUSTOMER``; looked up on sending."""
    created_at: datetime
    due_at: datetime | None = None
    about: dict[str, str] = field(default_factory=dict)
    delivery: Delivery | None = None
    cancelled: str | None = None
    keep_until: datetime | None = None
    version: int = 0


def about_closure(ref: Ref) -> dict[str, str]:
    """How ``about`` names the closure that a message is about."""
    return {"source": ref.source, "ticket_id": ref.ticket_id, "number": str(ref.number)}


def closure_of(message: Message) -> Ref:
    """The closure that a message is about, of the kinds that are about one."""
    about = message.about
    return Ref(source=about["source"], ticket_id=about["ticket_id"], number=int(about["number"]))


def ticket_scope(source: str, ticket_id: str) -> str:
    """The scope of everything that belongs to one ticket."""
    return f"TICKET#{source}#{ticket_id}"


def owner_scope(contact: str) -> str:
    """The scope of everything that one process owner gets."""
    return f"OWNER#{contact}"


def with_chat(message: Message, settings: Settings) -> list[Message]:
    """The mail to a contact, and its twin for the contact's chat channel where they have one."""
    contact = message.to.partition(":")[2]
    known = settings.contacts.get(contact)
    if known is None or known.chat is None:
        return [message]
    return [message, replace(message, name=f"{CHAT}{message.name}", to=f"chat:{contact}")]


def is_for_chat(message: Message) -> bool:
    """Whether it is posted instead of mailed."""
    return message.name.startswith(CHAT)


def cancel(message: Message, reason: str) -> Message:
    """The message is not to be sent any more; why is kept."""
    return replace(message, cancelled=reason, due_at=None)


def misses_colleague(message: Message) -> bool:
    """Whether a mail to one of our own people did not reach them: only who keeps the settings can mend that."""
    held = message.delivery
    is_lost = message.cancelled in UNREACHABLE or (held is not None and held.progress in delivery.FAILED)
    return is_lost and message.to.startswith(("contact:", "team:"))


def is_sendable(message: Message, now: datetime, policy: Policy) -> bool:
    """Whether the message may be claimed now."""
    if message.cancelled or (message.due_at and now < message.due_at):
        return False
    return _may_claim(message, now, policy)


def customers_address(closure: Closure, settings: Settings) -> str | None:
    """Where this closure's customer gets mail; None where there is none: no address, a machine's, one of ours."""
    address = closure.requester_email
    return None if address is None or is_nobody(address) or settings.is_ours(address) else address


def refusal(message: Message, person: Person) -> str | None:
    """Why this message must not go to ``person``, asked at the moment of sending; None when it may."""
    if person.suppressed:
        return "suppressed"
    if message.to == CUSTOMER and person.surveys not in WANTED[message.kind]:
        return "opted_out"
    return None


def earliest(
    message: Message, closure: Closure, now: datetime, policy: Policy, closed: ClosedDays = hours.no_day
) -> datetime:
    """When the message may go out, ``now`` at the earliest: to a customer within the hours of their own zone."""
    if message.to != CUSTOMER:
        return now
    return hours.next_open(now, policy.hours, closure.time_zone, policy.time_zone, closed)


def after_sending(message: Message, settled: Delivery) -> Message:
    """Sent (or refused for good): nothing is due any more."""
    return replace(message, delivery=settled, due_at=None)


def hear(message: Message, feedback: Feedback, at: datetime) -> Message:
    """The message after one report of the mail provider.

    That a mail to one of our own arrived changes nothing that anybody waits for, so it is not written down; whoever
    wrote to a customer wants to know.
    """
    known = message.delivery
    if known is None:
        return message
    needless = feedback is Feedback.DELIVERY and known.progress is Progress.SENT and message.due_at is None
    if needless and message.to != CUSTOMER:
        return message
    heard = delivery.hear(known, feedback, at)
    open_still = heard.progress in {Progress.READY, Progress.CLAIMED}
    return replace(message, delivery=heard, due_at=message.due_at if open_still else None)


def given_up(message: Message, now: datetime, policy: Policy) -> Message | None:
    """The message marked as "nobody knows" when its claims ran out; None while there is still something to try."""
    held = message.delivery
    if (
        held is None
        or held.progress is not Progress.CLAIMED
        or now < delivery.claim_ends(held, policy.unknown_after)
    ):
        return None
    if _may_claim(message, now, policy):
        return None
    return replace(message, delivery=delivery.give_up(held, now), due_at=None)


def _may_claim(message: Message, now: datetime, policy: Policy) -> bool:
    """No chat tells later what became of a post whose reply was lost, so that one is never repeated."""
    held = message.delivery
    if is_for_chat(message) and held is not None and held.progress is Progress.CLAIMED:
        return False
    return delivery.may_claim(held, now, policy.unknown_after)
