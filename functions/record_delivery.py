"""What SES reports about our mails (sent, delivered, bounced, complained): settles them and suppresses addresses."""

from datetime import datetime
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from adapters import clock, mailer, outbox, people, settings_store, tickets
from adapters.telemetry import count, logger, metrics
from domain import follow_up, message
from domain.delivery import Feedback
from domain.errors import Changed
from domain.follow_up import Round
from domain.person import delay, suppress
from domain.settings import Settings

ATTEMPTS = 5

processor = BatchProcessor(event_type=EventType.SQS)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> Any:
    """Each record is one SES event as SNS delivers it raw.

    https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
    """
    return process_partial_response(event=event, record_handler=settle, processor=processor, context=context)


def settle(record: SQSRecord) -> None:
    """Apply one report to the mail it is about; a report about no mail of ours changes nothing."""
    report = _report(record)
    feedback = _feedback(report)
    tags = report.get("mail", {}).get("tags", {})
    key = mailer.read_tag(next(iter(tags.get("message", [])), ""))
    if feedback is None or key is None:
        logger.info("report without consequence", report=str(report.get("eventType"))[:30])
        return
    pk, sk, part = key
    at, now = _instant(report), clock.now()
    settings = settings_store.settings(now)
    claim = next(iter(tags.get("claim", [])), None)
    for _ in range(ATTEMPTS):
        try:
            address = (
                _hear_message(pk, sk, feedback, at, report)
                if part == "message"
                else _hear_round(
                    pk, sk, "survey" if part == "survey" else "reminder", feedback, at, now, settings, claim
                )
            )
            if address and feedback in {Feedback.BOUNCE, Feedback.COMPLAINT}:
                _suppress(address, feedback, at, now, settings)
            elif address and feedback is Feedback.DELAY and part != "message":
                # By when the mail was sent: however often SES reports one that waits, it is one.
                _rest(address, datetime.fromisoformat(report["mail"]["timestamp"]), now, settings)
        except Changed:
            continue
        logger.info("reported", feedback=feedback, part=part)
        count(f"Mail{feedback.title()}")
        return
    raise Changed("the mail's record is changing too fast")


def _hear_round(
    pk: str,
    sk: str,
    round: Round,
    feedback: Feedback,
    at: datetime,
    now: datetime,
    settings: Settings,
    claim: str | None,
) -> str | None:
    records = tickets.load_scope(pk)
    known = records.follow_up(int(sk.partition("#")[2]))
    if known is None:
        logger.warning("report about an unknown mail")
        return None
    held = follow_up.get_delivery(known, round)
    if feedback in {Feedback.SEND, Feedback.DELAY} and held and claim and claim != held.claim:
        logger.warning("duplicate_suspected", round=round)
        count("DuplicateSuspected")
    asked = [(known, records.ticket)]
    for ref in known.together:
        others = tickets.load(ref.source, ref.ticket_id)
        other = others.follow_up(ref.number)
        theirs = follow_up.get_delivery(other, round) if other else None
        told_of = claim is None or (theirs is not None and claim in {theirs.claim, theirs.earlier})
        if other and held and theirs and theirs.claim == held.claim and told_of:
            asked.append((other, others.ticket))
    for each, ticket in asked:
        current = follow_up.supersede(each, ticket, now)
        heard = follow_up.hear(current, round, feedback, at, now, settings.policy)
        if heard is not current:
            tickets.save(heard)
    return known.closure.requester_email


def _hear_message(pk: str, sk: str, feedback: Feedback, at: datetime, report: dict[str, Any]) -> str | None:
    known = outbox.load(pk, sk.partition("#")[2])
    if known is None:
        logger.warning("report about an unknown mail")
        return None
    heard = message.hear(known, feedback, at)
    if heard != known:
        outbox.save(heard)
        outbox.ring_if_missed(heard, known)
    if known.to != message.CUSTOMER:
        # As it was written to: the settings may have another one by now, to which nothing happened.
        return next(iter(report["mail"].get("destination", [])), None)
    ref = message.closure_of(known)
    customer = tickets.load(ref.source, ref.ticket_id).follow_up(ref.number)
    return customer.closure.requester_email if customer else None


def _suppress(address: str, feedback: Feedback, at: datetime, now: datetime, settings: Settings) -> None:
    person = people.load(address)
    suppressed = suppress(person, feedback, at)
    if suppressed is not person:
        people.save(suppressed, now + settings.policy.keep_for)
        count("AddressSuppressed")


def _rest(address: str, at: datetime, now: datetime, settings: Settings) -> None:
    person = people.load(address)
    delayed = delay(person, at)
    if delayed is not person:
        people.save(delayed, now + settings.policy.keep_for)


def _report(record: SQSRecord) -> dict[str, Any]:
    """What SES says; nothing for what is no JSON, such as its greeting when the topic is connected."""
    try:
        found = record.json_body
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _feedback(report: dict[str, Any]) -> Feedback | None:
    kind = str(report.get("eventType", "")).lower()
    if report.get("complaint", {}).get("complaintFeedbackType") == "not-spam":
        # Somebody took our mail out of their spam (RFC 6430): that is no complaint.
        return None
    for_now = kind == "bounce" and report.get("bounce", {}).get("bounceType") != "Permanent"
    if for_now or kind == "deliverydelay":
        # A full mailbox or a slow server: whether it arrived in the end is told by a Delivery, or by its absence. That
        # it was sent is certain, and a claim still open must not send it again.
        return Feedback.DELAY
    return Feedback(kind) if kind in set(Feedback) else None


def _instant(report: dict[str, Any]) -> datetime:
    kind = str(report.get("eventType", ""))
    details = report.get(kind[:1].lower() + kind[1:]) or {}
    return datetime.fromisoformat(details.get("timestamp") or report["mail"]["timestamp"])
