"""From the queue of chat posts: claims one, posts it once, and notes what became of it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from adapters import chat, clock, outbox, owner_news, secret_store, settings_store
from adapters.telemetry import count, logger, metrics
from domain import delivery, message
from domain.delivery import Delivery
from domain.errors import Unwritable
from domain.message import Kind, Message
from domain.settings import Settings
from messages import compose
from messages.compose import Note

TOO_LATE = timedelta(days=1)
"""A chat that took nothing for so long gets nothing: its mail has long been read."""

processor = BatchProcessor(event_type=EventType.SQS)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> Any:
    """Each record points to one message: ``{"pk": ..., "sk": ...}``."""
    return process_partial_response(event=event, record_handler=post, processor=processor, context=context)


def post(record: SQSRecord) -> None:
    """Post one message if its state still asks for it; a key that comes again finds the claim and does nothing."""
    key = record.json_body
    now = clock.now()
    settings = settings_store.settings(now)
    waiting = outbox.load(key["pk"], key["sk"].partition("#")[2])
    if waiting is None or not message.is_sendable(waiting, now, settings.policy):
        logger.info("nothing to post")
        return
    contact = settings.contacts.get(waiting.to.partition(":")[2])
    address = secret_store.chat_address(contact.chat, now) if contact and contact.chat else None
    late = now > waiting.created_at + TOO_LATE
    reason = "too_late" if late else "chat_unknown" if address is None else None
    note = None
    try:
        note = None if reason else _note(waiting, now, settings)
    except Unwritable:
        logger.exception("the post cannot be written", kind=waiting.kind)
        count("MailUnwritable")
        reason = "unwritable"
    if address is None or note is None:
        reason = reason or "nothing_to_say"
        outbox.save(message.cancel(waiting, reason))
        logger.warning("post cancelled", kind=waiting.kind, reason=reason)
        count("PostCancelled")
        return
    claim_id = clock.new_id()
    _post(outbox.claim(waiting, claim_id, now, settings), claim_id, address, note, now)


def _note(waiting: Message, now: datetime, settings: Settings) -> Note | None:
    """The note as it is true now; None when there is nothing (left) to say."""
    if waiting.kind is Kind.DIGEST:
        digest = owner_news.digest(waiting, now, settings)
        return compose.written(lambda: compose.digest_note(digest)) if digest else None
    if waiting.kind is Kind.CAUSE_NEWS:
        news = owner_news.news(waiting, now, settings)
        return compose.written(lambda: compose.cause_news_note(news))
    notice = owner_news.repeated(waiting, now, settings)
    return compose.written(lambda: compose.cause_repeated_note(notice)) if notice else None


def _post(claimed: Message, claim_id: str, address: str, note: Note, now: datetime) -> None:
    """One post for one claim. What nobody knows is told to a person at once: no chat will tell it later."""

    def settle(change: Callable[[Delivery], Delivery]) -> None:
        outbox.settle(claimed, change, _back_off)

    try:
        chat.post(address, note)
    except chat.NotPosted as not_posted:
        settle(lambda held: delivery.release(held, claim_id))
        logger.warning("not posted yet", kind=claimed.kind, reason=str(not_posted))
        count("PostPostponed")
        return
    except chat.NeverPosted as never:
        settle(lambda held: delivery.refuse(held, claim_id, now))
        logger.error("refused by the chat", kind=claimed.kind, reason=str(never))
        count("PostRefused")
        return
    except chat.Unknown as unknown:
        settle(lambda held: delivery.give_up(held, now))
        logger.error("nobody knows whether a message went out", kind=claimed.kind, reason=str(unknown))
        count("MessageUnknown")
        return
    settle(lambda held: delivery.settle_sent(held, claim_id, claim_id, clock.now()))
    logger.info("posted", kind=claimed.kind)
    count("Posted")


def _back_off() -> timedelta:
    """Between five minutes and a quarter of an hour: a chat that takes nothing does not do so a minute later."""
    return timedelta(seconds=SystemRandom().uniform(300, 900))
