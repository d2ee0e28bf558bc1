"""From the queue of received mails: a customer's reply counts as an answer, or a person gets to read it.

What is verified comes first: the signed address that the mail was sent to, and what SES found about it. Only then is
the mail itself opened. Nothing here ever sends a mail to whoever wrote.
"""

from datetime import datetime
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from adapters import clock, quarantine, received_mail, reply_address, settings_store, tickets
from adapters.links import BadLink, TicketLink
from adapters.telemetry import count, logger, metrics
from domain.errors import Changed
from domain.person import person_key
from domain.reply import Said, TooMany, digest, keepers, take
from domain.settings import Settings
from messages.text import clean_words
from replies import automatic, own_words, verdict
from replies.criticism import is_critical
from replies.mail import Mail, Unreadable, open_mail

ATTEMPTS = 5

processor = BatchProcessor(event_type=EventType.SQS)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> Any:
    """Each record is SES's notification of one mail that it has stored.

    https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html
    """
    return process_partial_response(event=event, record_handler=read, processor=processor, context=context)


def read(record: SQSRecord) -> None:
    """Take one mail; the same mail again changes nothing, and one that cannot be used never comes back."""
    told = _told(record)
    if told is None:
        logger.info("no notification of a mail")
        return
    now = clock.now()
    settings = settings_store.settings(now)
    outcome = _read(told, now, settings)
    logger.info("reply", outcome=outcome, mail=digest(told["mail"]["messageId"]))
    count(f"Reply{outcome.title().replace('_', '')}")


def _told(record: SQSRecord) -> dict[str, Any] | None:
    """SES's notification; None for what is none, such as its greeting when the topic is connected."""
    try:
        told = record.json_body
    except ValueError:
        return None
    return told if isinstance(told, dict) and "receipt" in told else None


def _read(told: dict[str, Any], now: datetime, settings: Settings) -> str:
    addressed = _addressed(told["receipt"]["recipients"], now, settings)
    if addressed is None:
        return "not_addressed"
    link, to_question = addressed
    for scan in ("virusVerdict", "spamVerdict"):
        if _status(told, scan) == "FAIL":
            return _keep_away(told, scan.removesuffix("Verdict"), now)
    known = tickets.load(link.source, link.ticket_id).follow_up(link.number)
    if known is None:
        return "forgotten"
    mail_id = told["mail"]["messageId"]
    kept_by = keepers([known, *(tickets.load_refs(known.together) if to_question else ())], mail_id)
    if not kept_by:
        return "repeated"
    stored = told["receipt"]["action"]
    try:
        mail = open_mail(received_mail.head(stored["bucketName"], stored["objectKey"]))
        rule = automatic.rule(mail, envelope_sender=told["mail"].get("source", ""), own=_own(settings))
        if rule:
            logger.info("auto_reply", rule=rule)
            return "automatic"
        words = own_words.of(mail.text)
    except Unreadable as unreadable:
        return _keep_away(told, str(unreadable), now)
    said = Said(
        mail_id=mail_id,
        verdict=verdict.of(words),
        # Whatever is left of a mail without words of its own: a person may still see what was meant.
        words=clean_words(words) or clean_words(mail.text) or None,
        doubt=_doubt(told, mail, known.closure.requester_email),
        received_at=datetime.fromisoformat(told["mail"]["timestamp"]),
        critical=is_critical(words),
        to=known.ref,
        to_question=to_question,
    )
    outcome = "repeated"
    try:
        for one in kept_by:
            about = TicketLink(one.ref.source, one.ref.ticket_id, one.ref.number)
            outcome = _record(about, said, settings)
    except TooMany:
        return _keep_away(told, "too_many_replies", now)
    return outcome


def _record(link: TicketLink, said: Said, settings: Settings) -> str:
    for _ in range(ATTEMPTS):
        ticket = tickets.load(link.source, link.ticket_id).ticket
        known = next((one for one in ticket.follow_ups if one.number == link.number), None)
        if known is None:
            return "forgotten"
        after = take(known, said, ticket.superseded(known), clock.now(), settings.policy)
        if after is known:
            return "repeated"
        try:
            tickets.save(after)
        except Changed:
            continue
        if after.replies[-1].counted:
            count(f"Answered{after.state.title()}")
            return str(after.state)
        return said.doubt or "unread"
    raise Changed("the ticket is changing too fast")


def _addressed(recipients: list[str], now: datetime, settings: Settings) -> tuple[TicketLink, bool] | None:
    """The closure that the mail is about, and whether it replies to a question.

    By the envelope's recipients alone: headers are only what a sender claims.
    """
    if settings.company.reply_domain is None:
        return None
    for recipient in recipients:
        try:
            return reply_address.read(recipient, settings.company.reply_domain, settings.sources, now)
        except BadLink:
            continue
    return None


def _doubt(told: dict[str, Any], mail: Mail, requester: str | None) -> str | None:
    """Why the mail may not be the customer's. What is not a clear pass is none.

    DMARC has found that SPF or DKIM passed for the domain of From. Where that domain has no policy (GRAY), SES says of
    SPF and DKIM only that they passed for some domain: which one is known of SPF, that of the envelope.
    """
    by_spf = _status(told, "spfVerdict") == "PASS" and _is_aligned(
        told["mail"].get("source", ""), mail.senders
    )
    passed = _status(told, "dmarcVerdict") == "PASS" or (_status(told, "dmarcVerdict") != "FAIL" and by_spf)
    if not passed:
        return "unauthenticated"
    senders = {person_key(address) for address in mail.senders}
    return None if requester and senders == {person_key(requester)} else "unverified_sender"


def _is_aligned(envelope_sender: str, senders: list[str]) -> bool:
    """Whether the envelope's domain is that of each From, above or below it (RFC 7489 section 3.1, relaxed)."""
    domains = [address.rpartition("@")[2].lower() for address in (envelope_sender, *senders)]
    return all(
        f".{one}".endswith(f".{domains[0]}") or f".{domains[0]}".endswith(f".{one}") for one in domains
    )


def _status(told: dict[str, Any], verdict_name: str) -> str:
    return str(told["receipt"].get(verdict_name, {}).get("status", ""))


def _own(settings: Settings) -> set[str]:
    """Addresses and domains of ours: what comes from there is no customer."""
    company = settings.company
    return {known.lower() for known in (company.sender, company.reply_to, company.reply_domain) if known}


def _keep_away(told: dict[str, Any], reason: str, now: datetime) -> str:
    """Into quarantine, where the mail is told by its place in the store; a person can still look at it there."""
    stored = told["receipt"]["action"]
    place = f"s3://{stored['bucketName']}/{stored['objectKey']}"
    quarantine.keep(quarantine.BY_MAIL, reason, place.encode(), now)
    logger.warning("reply in quarantine", reason=reason)
    return "quarantined"
