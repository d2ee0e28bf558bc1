"""From the queue of mails: claims one, sends it once, and notes what the provider said."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from adapters import (
    causes,
    clock,
    links,
    mailer,
    outbox,
    owner_news,
    people,
    reply_address,
    settings_store,
    table,
    tellings,
    thanks,
    tickets,
)
from adapters.closed_days import closed_days
from adapters.telemetry import count, logger, metrics
from domain import delivery, follow_up, message, recovery, telling
from domain.delivery import Delivery
from domain.errors import Changed, Refused, Unwritable
from domain.fix import Result
from domain.flag import WROTE
from domain.follow_up import FollowUp, Round, Send, State, next_step
from domain.message import Kind, Message
from domain.person import Asked, Person, reserve
from domain.settings import Settings
from domain.thanks import SETTLING, looked_back_on, month_of
from messages import cause_facts, compose, facts
from messages.compose import Mail

ATTEMPTS = 5
processor = BatchProcessor(event_type=EventType.SQS)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> Any:
    """Each record points to one mail: ``{"pk": ..., "sk": ..., "part": "survey" | "reminder" | "message"}``."""
    return process_partial_response(event=event, record_handler=send, processor=processor, context=context)


def send(record: SQSRecord) -> None:
    """Send one mail if its state still asks for it; a key that comes again finds the claim and does nothing."""
    key = record.json_body
    now = clock.now()
    settings = settings_store.settings(now)
    if key["part"] == "message":
        _send_message(key["pk"], key["sk"], now, settings)
    else:
        _send_round(key["pk"], key["sk"], "survey" if key["part"] == "survey" else "reminder", now, settings)


# --- surveys and reminders -------------------------------------------------------------------------------------------


def _send_round(pk: str, sk: str, round: Round, now: datetime, settings: Settings) -> None:
    claimed = _claim_round(pk, sk, round, now, settings)
    if claimed is None:
        logger.info("nothing to send", part=round)
        return
    asked, mail, address, claim_id = claimed

    def settle(change: Callable[[Delivery], Delivery]) -> None:
        _settle_round(asked, round, change, now, settings)

    reply_to = _reply_address(asked, now, settings)
    _deliver(mail, address, pk, sk, round, claim_id, settle, now, settings, reply_to)


def _claim_round(
    pk: str, sk: str, round: Round, now: datetime, settings: Settings
) -> tuple[list[FollowUp], Mail, str, str] | None:
    """The follow-ups that this mail asks about, the one with the key first; the mail, its address and its claim.

    Everything is decided again at the moment of sending; the mail is made first, so that no claim lacks one. Where it
    cannot be written the one with the key is asked about alone, and set aside when that cannot be written either.
    """
    claim_id, alone = clock.new_id(), False
    for _ in range(ATTEMPTS):
        ticket = tickets.load_scope(pk).ticket
        known = next((f for f in ticket.follow_ups if tickets.sort_key(f.number) == sk), None)
        address = known.closure.requester_email if known else None
        if known is None or address is None:
            return None
        held = follow_up.get_delivery(known, round)
        person = people.load(address)
        if held and held.claim == claim_id:
            # The claim was stored although its reply was lost and the write reported a conflict.
            group = [known, *tickets.load_refs(known.together)]
            asked = [f for f in group if _claim_of(f, round) == claim_id]
            return asked, _compose_round(group, asked, round, person, settings, now), address, claim_id
        first_time = round == "survey" and not known.together
        again_with = tickets.joining(known, known.together, round, now, settings.policy)
        closed = closed_days(known.closure, settings)
        asked_with = [other.ref for other in again_with]
        step = next_step(known, ticket, person, now, settings.policy, closed, asked_with=asked_with)
        if step != Send(round):
            return None
        waiting = person.waiting if first_time else ()
        joining = [] if alone else again_with or tickets.joining(known, waiting, round, now, settings.policy)
        asked = [follow_up.claim(f, round, claim_id, now, settings.policy) for f in (known, *joining)]
        if first_time and joining:
            asked = [replace(f, together=tuple(o.ref for o in asked if o is not f)) for f in asked]
        group = asked if first_time else [*asked, *_others(asked, tickets.load_refs(known.together))]
        try:
            mail = _compose_round(group, asked, round, person, settings, now)
        except Unwritable:
            if joining:
                alone = True
            elif _set_aside(asked[0], round, now):
                return None
            continue
        try:
            reserved = _reserved(person, asked, now, first_time and not alone)
            _store_claims(asked, person, reserved if round == "survey" else person)
        except Changed:
            continue
        return [replace(f, version=f.version + 1) for f in asked], mail, address, claim_id
    raise Changed("the ticket is changing too fast")


def _set_aside(claimed: FollowUp, round: Round, now: datetime) -> bool:
    """What cannot be written goes to a person at once; tells whether that was stored."""
    held = follow_up.get_delivery(claimed, round)
    if held is None:
        raise Refused("not claimed")
    refused = delivery.refuse(held, held.claim, now)
    logger.exception("the mail cannot be written", part=round)
    count("MailUnwritable")
    try:
        tickets.save(follow_up.never_sent(claimed, round, refused, now, "unwritable"))
    except Changed:
        return False
    return True


def _reserved(person: Person, asked: list[FollowUp], now: datetime, first_time: bool) -> Person:
    reserved = reserve(person, *(Asked(at=now, **vars(f.ref)) for f in asked))
    # Who waits still says so at its next step; what was reopened or answered meanwhile does not.
    return replace(reserved, waiting=()) if first_time and reserved.waiting else reserved


def _store_claims(asked: list[FollowUp], person: Person, reserved: Person) -> None:
    """The claims, and the customer's quiet period. One closure alone, which is the rule, needs no transaction: the
    quiet period is stored first, and without the claim it only delays others.
    """
    keep_until = asked[0].keep_until
    if len(asked) == 1:
        if reserved is not person:
            people.save(reserved, keep_until)
        tickets.save(asked[0])
        return
    quiet = [people.row(reserved, keep_until)] if reserved is not person else []
    table.put_all([*quiet, *(tickets.row(f) for f in asked)])


def _others(asked: list[FollowUp], group: list[FollowUp]) -> list[FollowUp]:
    refs = {f.ref for f in asked}
    return [f for f in group if f.ref not in refs]


def _claim_of(known: FollowUp, round: Round) -> str | None:
    held = follow_up.get_delivery(known, round)
    return held.claim if held else None


def _compose_round(
    group: list[FollowUp],
    asked: list[FollowUp],
    round: Round,
    person: Person,
    settings: Settings,
    now: datetime,
) -> Mail:
    """The mail about ``asked``, numbered as on the page, which shows all of the ``group``."""
    first = asked[0]
    closure = first.closure
    preferences = links.PreferencesLink(person.key, closure.locale or "")
    link = links.survey_url(
        links.base_of(settings),
        links.TicketLink(closure.source, closure.ticket_id, first.number),
        first.opened_at,
        now,
    )
    places = follow_up.places(group)
    chosen = {place: f for place, f in places.items() if any(f.ref == a.ref for a in asked)}
    may_reply = _reply_address(asked, now, settings) is not None
    preferences_link = links.preferences_url(links.base_of(settings), preferences, first.opened_at, now)
    return compose.written(
        lambda: compose.survey(
            facts.survey(
                chosen,
                link,
                settings,
                now,
                reminder=round == "reminder",
                may_reply=may_reply,
                language=person.language,
                preferences_link=preferences_link,
            )
        )
    )


def _reply_address(
    asked: list[FollowUp], now: datetime, settings: Settings, *, asks: bool = True
) -> str | None:
    """Where replies to a mail about these closures go: the first of them names the mail. None when the company takes
    no replies, or when all the tickets' ids are too long. ``asks``: the mail asks whether it is solved.
    """
    if settings.company.reply_domain is None:
        return None
    named = (links.TicketLink(f.ref.source, f.ref.ticket_id, f.ref.number) for f in asked)
    written = (reply_address.write(link, settings.company.reply_domain, now, asks=asks) for link in named)
    return next((address for address in written if address), None)


def _settle_round(
    claimed: list[FollowUp],
    round: Round,
    change: Callable[[Delivery], Delivery],
    now: datetime,
    settings: Settings,
) -> None:
    """All that one mail asks about at once: what has to be asked again must not come to the customer in two mails.

    ``claimed`` is what stands there unless a report was faster, so it is read again only then.
    """
    known = claimed
    for _ in range(ATTEMPTS):
        settled = [after for each in known if (after := _settled(each, round, change, now, settings))]
        try:
            if settled:
                table.put_all(tickets.row(after) for after in settled)
        except Changed:
            known = tickets.load_refs(each.ref for each in claimed)
            continue
        return
    raise Changed("the ticket is changing too fast")


def _settled(
    known: FollowUp,
    round: Round,
    change: Callable[[Delivery], Delivery],
    now: datetime,
    settings: Settings,
) -> FollowUp | None:
    """One follow-up after its mail's sending; None when it is settled already: by a report, or by our own write whose
    reply was lost.
    """
    held = follow_up.get_delivery(known, round)
    if held is None:
        return None
    try:
        changed = change(held)
    except Refused as refused:
        logger.info("settled already", part=round, reason=str(refused))
        return None
    if changed.progress is delivery.Progress.REFUSED:
        return follow_up.never_sent(known, round, changed, now)
    if changed.progress is delivery.Progress.READY:
        return replace(follow_up.put_delivery(known, round, changed), due_at=now + _back_off())
    return follow_up.after_sending(known, round, changed, settings.policy)


# --- everything else -------------------------------------------------------------------------------------------------


def _send_message(pk: str, sk: str, now: datetime, settings: Settings) -> None:
    waiting = outbox.load(pk, sk.partition("#")[2])
    if waiting is None or not message.is_sendable(waiting, now, settings.policy):
        logger.info("nothing to send", part="message")
        return
    found = _customer(waiting) if waiting.to == message.CUSTOMER else None
    customer = found[0] if found else None
    address = (
        message.customers_address(customer.closure, settings) if customer else settings.address_of(waiting.to)
    )
    person = people.load(address) if address else None
    reason = message.refusal(waiting, person) if person else "recipient_unknown"
    if found and customer and not reason:
        closed = closed_days(customer.closure, settings)
        earliest = message.earliest(waiting, customer.closure, now, settings.policy, closed)
        if earliest > now:
            outbox.save(replace(waiting, due_at=earliest))
            logger.info("waits for the customer's hours", kind=waiting.kind)
            return
        first = _goes_before(waiting)
        if first and telling.is_waiting(first):
            outbox.save(replace(waiting, due_at=now + telling.BEHIND))
            logger.info("waits for the mail before it", kind=waiting.kind)
            return
        reason = "nothing_to_say" if first and first.cancelled else None
    mail: _Composed | None = None
    try:
        if found and person and not reason:
            mail = _compose_for_customer(waiting, *found, person, now, settings)
        elif not reason:
            mail = _compose_message(waiting, now, settings)
    except Unwritable:
        logger.exception("the mail cannot be written", part="message", kind=waiting.kind)
        count("MailUnwritable")
        reason = "unwritable"
    if mail is None or address is None:
        cancelled = message.cancel(waiting, reason or "nothing_to_say")
        outbox.save(cancelled)
        logger.warning("message cancelled", kind=waiting.kind, reason=cancelled.cancelled)
        count("MessageCancelled")
        outbox.ring_if_missed(cancelled, waiting)
        return
    claim_id = clock.new_id()
    claimed = outbox.claim(_with_quote(waiting, mail), claim_id, now, settings)

    def settle(change: Callable[[Delivery], Delivery]) -> None:
        outbox.settle(claimed, change, _back_off)

    asks = waiting.kind is Kind.ASKED_AGAIN
    reply_to = _reply_address([customer], now, settings, asks=asks) if customer else None
    _deliver(mail.mail, address, pk, sk, "message", claim_id, settle, now, settings, reply_to)


class _Composed:
    """A mail, and whether it quotes the customer."""

    def __init__(self, mail: Mail, *, quoted: bool = False) -> None:
        self.mail = mail
        self.quoted = quoted


def _customer(waiting: Message) -> tuple[FollowUp, tickets.Records] | None:
    """The follow-up whose customer gets this message, with all of its ticket."""
    ref = message.closure_of(waiting)
    records = tickets.load(ref.source, ref.ticket_id)
    known = records.follow_up(ref.number)
    return (known, records) if known else None


def _goes_before(waiting: Message) -> Message | None:
    """Of news: the "we know" to the same person, on which they go on. Both may wait for the same morning."""
    if waiting.kind is not Kind.UPDATE_TOLD:
        return None
    told = tellings.load(waiting.about["cause"], int(waiting.about["telling"]))
    return outbox.load(told.source_scope, waiting.name) if told and told.source_scope else None


def _compose_for_customer(
    waiting: Message,
    known: FollowUp,
    records: tickets.Records,
    person: Person,
    now: datetime,
    settings: Settings,
) -> _Composed | None:
    """The mail to the customer of a follow-up as it is true now; None when there is nothing (left) to say."""
    own = _own(known, person, now, settings)
    if waiting.kind is Kind.PROGRESS:
        if recovery.is_over(known, waiting.created_at):
            return None
        return _Composed(
            compose.written(lambda: compose.progress(facts.progress(waiting, known, own, settings)))
        )
    if waiting.kind is Kind.ASKED_AGAIN:
        if not recovery.still_asks(known, records.ticket, waiting):
            return None
        group = follow_up.places([known, *tickets.load_refs(known.together)])
        place = next(place for place, one in group.items() if one.ref == known.ref)
        return _Composed(
            compose.written(lambda: compose.asked_again(facts.asked_again(known, place, own, settings)))
        )
    if waiting.kind is Kind.PROMISE_KEPT:
        name = waiting.about["promise"]
        kept = next(one for one in records.promises_of(known.number) if one.name == name)
        return _Composed(
            compose.written(lambda: compose.promise_kept(facts.promise_kept(kept, known, own, settings)))
        )
    return _told(waiting, known, person, now, settings)


def _told(
    waiting: Message, known: FollowUp, person: Person, now: datetime, settings: Settings
) -> _Composed | None:
    """What a customer is told of a cause; nothing when it is no longer true (``_is_outdated``)."""
    told = tellings.load(waiting.about["cause"], int(waiting.about["telling"]))
    if told is None or _is_outdated(told, waiting):
        return None
    own, base = _own(known, person, now, settings), links.base_of(settings)
    is_fix = told.kind is telling.Kind.FIX
    link = links.FixLink(told.cause, told.number, person.key)
    others = tellings.about_person(told, known, people.asked_before(person)) if is_fix else []
    context = cause_facts.told(
        told,
        known,
        settings,
        language=own.language,
        link=links.fix_url(base, link, waiting.created_at, now) if is_fix else None,
        preferences_link=own.preferences_link,
        others=others[:OTHERS],
    )
    return _Composed(compose.written(lambda: compose.told(context)))


def _is_outdated(told: telling.Telling, waiting: Message) -> bool:
    """A fix that was found wanting or that another one followed before they were told; "we are on it" once a fix was
    declared; and "it is not gone" once it was confirmed, or once they themselves say that it is.
    """
    if told.kind is telling.Kind.FIX:
        return told.result is Result.OPENS_AGAIN or telling.is_superseded(told, tellings.newest(told.cause))
    if causes.load(told.cause).declared or _is_told_of_a_fix_above(told):
        return True
    if told.kind is not telling.Kind.AGAIN:
        return any(
            other.kind is telling.Kind.FIX and other.stage is telling.Stage.DRAFT
            for other in tellings.newest(told.cause)
        )
    said = tellings.load_said(told.source_scope or "", waiting.name)
    return said is not None and said.gone


def _is_told_of_a_fix_above(told: telling.Telling) -> bool:
    """Whether the cause was merged meanwhile into one whose fix the same people were told of."""
    return any(
        fix.confirmed_at and told.confirmed_at and fix.confirmed_at >= told.confirmed_at
        for fix in tellings.fixes_above(told.cause)
        if fix.result is not Result.OPENS_AGAIN
    )


OTHERS = 5
"""So many other tickets of the same customer are named in the mail about a fix."""


def _own(known: FollowUp, person: Person, now: datetime, settings: Settings) -> facts.Own:
    """What every mail to this customer has: their language and their own links."""
    closure = known.closure
    ticket = links.TicketLink(closure.source, closure.ticket_id, known.number)
    preferences = links.PreferencesLink(person.key, closure.locale or "")
    return facts.Own(
        language=person.language,
        link=links.survey_url(links.base_of(settings), ticket, known.opened_at, now),
        preferences_link=links.preferences_url(links.base_of(settings), preferences, known.opened_at, now),
        may_reply=_reply_address([known], now, settings) is not None,
    )


def _with_quote(waiting: Message, composed: _Composed) -> Message:
    return replace(waiting, about={**waiting.about, "quoted": "yes"}) if composed.quoted else waiting


def _compose_message(waiting: Message, now: datetime, settings: Settings) -> _Composed | None:
    """The mail as it is true now; None when there is nothing (left) to say."""
    if waiting.kind is Kind.DIGEST:
        return _digest(waiting, now, settings)
    if waiting.kind is Kind.CAUSE_REPEATED:
        return _cause(waiting, now, settings)
    if waiting.kind is Kind.CAUSE_NEWS:
        return _news(waiting, now, settings)
    if waiting.kind in {Kind.GATHERED_NOTES, Kind.THANKS_MONTH}:
        return _thanks(waiting, now, settings)
    records = tickets.load_scope(waiting.scope)
    number = int(waiting.about["number"])
    known = records.follow_up(number)
    if known is None:
        return None
    if waiting.kind is Kind.FLAG_RAISED:
        raised = records.flags.get(number)
        if raised is None or raised.settled_at:
            return None
        before = facts.earlier(known, records.ticket, people.history(known.closure.requester_email))
        link = links.TicketLink(raised.source, raised.ticket_id, number, waiting.to.partition(":")[2])
        url = links.flag_url(links.base_of(settings), link, waiting.created_at, now)
        return _Composed(
            compose.written(
                lambda: compose.flag_raised(
                    facts.flag_mail(raised, known, before, url, settings, wrote=WROTE in waiting.about)
                )
            )
        )
    if waiting.kind in {Kind.VERSION_ASKED, Kind.VERSION_GIVEN, Kind.PROMISE_DUE}:
        return _to_colleague(waiting, known, records, now, settings)
    return _note(waiting, known, records, now, settings)


def _note(
    waiting: Message, known: FollowUp, records: tickets.Records, now: datetime, settings: Settings
) -> _Composed | None:
    """The success note; None when the customer no longer says so."""
    if known.state is not State.CONFIRMED or records.ticket.superseded(known):
        return None
    quoted = known.quote is not None
    if waiting.kind is Kind.APPRECIATION and not quoted:
        return None
    group, _, key = waiting.to.partition(":")
    team = key if group == "team" else None
    page = _thanks_url(team, waiting, now, settings) if team else None
    note = compose.written(
        lambda: compose.success_note(facts.note(known, settings, team=team, quoted=quoted, link=page))
    )
    return _Composed(note, quoted=quoted)


def _thanks_url(team: str, waiting: Message, now: datetime, settings: Settings) -> str:
    return links.thanks_url(links.base_of(settings), links.TeamLink(team), waiting.created_at, now)


def _thanks(waiting: Message, now: datetime, settings: Settings) -> _Composed | None:
    """A team's gathered notes, or its look back on a month: what customers still call solved."""
    team = waiting.to.partition(":")[2]
    since, until = (datetime.fromisoformat(waiting.about[name]) for name in ("since", "until"))
    url = _thanks_url(team, waiting, now, settings)
    if waiting.kind is Kind.THANKS_MONTH:
        month = looked_back_on(until, settings.policy.time_zone)
        solved = thanks.confirmed(team, *month_of(month, settings.policy.time_zone))
        if not solved:
            return None
        return _Composed(
            compose.written(
                lambda: compose.thanks_month(facts.thanks_month(team, month, solved, url, settings))
            )
        )
    solved = thanks.confirmed(team, since - SETTLING, until - SETTLING)
    if not solved:
        return None
    return _Composed(
        compose.written(
            lambda: compose.gathered_notes(facts.gathered_notes(team, since, until, solved, url, settings))
        )
    )


def _to_colleague(
    waiting: Message, known: FollowUp, records: tickets.Records, now: datetime, settings: Settings
) -> _Composed | None:
    """What colleagues who work on a customer's case tell each other, and what our clock reminds them of."""
    raised, recipient = records.flags.get(known.number), waiting.to.partition(":")[2]
    closure = known.closure
    if waiting.kind is Kind.VERSION_ASKED:
        if raised is None or raised.settled_at:
            return None
        asker = links.TicketLink(closure.source, closure.ticket_id, known.number, waiting.about["by"])
        url = links.version_url(links.base_of(settings), asker, waiting.created_at, now)
        return _Composed(
            compose.written(lambda: compose.colleague(facts.version_asked(waiting, known, url, settings)))
        )
    link = links.TicketLink(closure.source, closure.ticket_id, known.number, recipient)
    url = links.flag_url(links.base_of(settings), link, waiting.created_at, now)
    if waiting.kind is Kind.VERSION_GIVEN:
        if raised is None or raised.team_words is None:
            return None
        return _Composed(
            compose.written(
                lambda: compose.colleague(facts.version_given(waiting, known, raised, url, settings))
            )
        )
    due = next(one for one in records.promises_of(known.number) if one.name == waiting.about["promise"])
    if due.end:
        return None
    return _Composed(
        compose.written(lambda: compose.colleague(facts.promise_due(waiting, known, due, url, settings)))
    )


def _cause(waiting: Message, now: datetime, settings: Settings) -> _Composed | None:
    told = owner_news.repeated(waiting, now, settings)
    return _Composed(compose.written(lambda: compose.cause_repeated(told))) if told else None


def _digest(waiting: Message, now: datetime, settings: Settings) -> _Composed | None:
    told = owner_news.digest(waiting, now, settings)
    return _Composed(compose.written(lambda: compose.digest(told))) if told else None


def _news(waiting: Message, now: datetime, settings: Settings) -> _Composed:
    told = owner_news.news(waiting, now, settings)
    return _Composed(compose.written(lambda: compose.cause_news(told)))


# --- the provider ----------------------------------------------------------------------------------------------------


def _deliver(
    mail: Mail,
    address: str,
    pk: str,
    sk: str,
    part: str,
    claim_id: str,
    settle: Callable[[Callable[[Delivery], Delivery]], None],
    now: datetime,
    settings: Settings,
    reply_to: str | None = None,
) -> None:
    """One call to SES for one claim. What the call does not tell stays claimed until SES's events or the sweep tell."""
    tags = {"message": mailer.message_tag(pk, sk, part), "claim": claim_id}
    mailer.keep_pace(now)
    company = settings.company
    try:
        provider_id = mailer.send(
            mail=mail, to=address, sender=company.sender, reply_to=reply_to or company.reply_to, tags=tags
        )
    except mailer.NotSent as not_sent:
        # Only the record says when it is tried again: a key in the queue beside it would multiply with every tick.
        settle(lambda held: delivery.release(held, claim_id))
        logger.warning("not sent yet", part=part, reason=str(not_sent))
        count("MailPostponed")
        return
    except mailer.NeverSent as never:
        settle(lambda held: delivery.refuse(held, claim_id, now))
        logger.warning("refused by the provider", part=part, reason=str(never))
        count("MailRefused")
        return
    except mailer.Unknown as unknown:
        logger.warning("sent or not: unknown", part=part, reason=str(unknown))
        count("MailUnknown")
        return
    settle(lambda held: delivery.settle_sent(held, claim_id, provider_id, clock.now()))
    logger.info("sent", part=part)
    count("MailSent")


def _back_off() -> timedelta:
    """Between half a minute and two: spread, so that postponed mails do not come back all at once."""
    return timedelta(seconds=SystemRandom().uniform(30, 120))
