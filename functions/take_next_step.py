"""From the queue of due records: loads one record and takes the step that its state asks for."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from adapters import (
    causes,
    clock,
    flags,
    outbox,
    owners,
    people,
    queues,
    settings_store,
    table,
    thanks,
    tickets,
)
from adapters.closed_days import closed_days
from adapters.telemetry import count, logger, metrics
from domain import cause, consequences, digest, flag, hours, message
from domain.errors import Changed
from domain.flag import Flag
from domain.follow_up import PENDING, Become, FollowUp, Send, Wait, next_step
from domain.message import Message
from domain.person import Person, wait
from domain.settings import Settings
from domain.thanks import SETTLING, Round, Thanks, next_due
from domain.thanks import message as team_message

ATTEMPTS = 5

processor = BatchProcessor(event_type=EventType.SQS)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> Any:
    """Each record is the key of one item: ``{"pk": ..., "sk": ...}``; a key whose time has not come changes nothing."""
    return process_partial_response(
        event=event, record_handler=take_step, processor=processor, context=context
    )


def take_step(record: SQSRecord) -> None:
    """Take one record's next step; raises Changed when somebody else was faster, and the queue brings it again."""
    key = record.json_body
    pk, sk, now = key["pk"], key["sk"], clock.now()
    settings = settings_store.settings(now)
    kind = sk.partition("#")[0]
    if kind == "FOLLOW_UP":
        _follow_up(pk, sk, now, settings)
    elif kind == "FLAG":
        _flag(pk, sk, now, settings)
    elif kind == "MESSAGE":
        _message(pk, sk, now, settings)
    elif kind == "STATE":
        _cause(pk.partition("#")[2], now, settings)
    elif kind == "OWNER":
        _digest(pk.partition("#")[2], now, settings)
    elif kind == "TEAM":
        _team(pk.partition("#")[2], Round(sk.partition("#")[2]), now, settings)
    else:
        raise ValueError(f"nothing is ever due for {kind}")


def _follow_up(pk: str, sk: str, now: datetime, settings: Settings) -> None:
    records = tickets.load_scope(pk)
    follow_up = records.follow_up(int(sk.partition("#")[2]))
    if follow_up is None or follow_up.due_at is None:
        return
    address = follow_up.closure.requester_email
    person = people.load(address) if address else Person(key="")
    closed = closed_days(follow_up.closure, settings)
    step = next_step(follow_up, records.ticket, person, now, settings.policy, closed)
    if isinstance(step, Wait):
        if step.quiet and follow_up.ref not in person.waiting:
            # Noted before it waits: whoever asks this person next asks about this closure in the same mail.
            people.save(wait(person, follow_up.ref), follow_up.keep_until)
        _wait(pk, sk, follow_up, step.until, now)
    elif isinstance(step, Send):
        queues.queue_mail(pk, sk, step.round, now)
    elif isinstance(step, Become):
        if step.follow_up.reason == "frequency_cap":
            logger.warning("relay_suspected", ticket_id=follow_up.closure.ticket_id)
            count("RelaySuspected")
        _finish(step.follow_up, records, now, settings, is_new=True)
    else:
        _finish(follow_up, records, now, settings, is_new=False)


def _wait(pk: str, sk: str, follow_up: FollowUp, until: datetime, now: datetime) -> None:
    if until != follow_up.due_at:
        tickets.save(replace(follow_up, due_at=until))
    elif until - now < queues.HORIZON:
        # A queue delays by whole seconds and clocks differ a little: this key came too early.
        queues.queue_due([(pk, sk, until)], now)


def _finish(
    follow_up: FollowUp, records: tickets.Records, now: datetime, settings: Settings, *, is_new: bool
) -> None:
    """Write what is still missing, and only then let the follow-up go out of sight.

    One after the other instead of in a transaction, which doubles the price of each write: whoever is cut off in
    between leaves the follow-up due, and the next one finds the rest missing. A new outcome is stored before anything
    follows from it.
    """
    if follow_up.state in PENDING:
        tickets.save(follow_up)
        return
    mark = cause.mark_of(follow_up)
    if mark and not causes.has_mark(mark) and causes.add_mark(mark):
        tell_if_repeated(mark.cause, now, settings)
    known = records.flags.get(follow_up.number)
    missing = consequences.missing(follow_up, known, records.messages, now, settings)
    if missing and is_new:
        tickets.save(follow_up)
        follow_up = replace(follow_up, version=follow_up.version + 1)
    put_in_order(missing)
    tickets.save(replace(follow_up, due_at=None))
    logger.info("finished", state=follow_up.state, written=len(missing))
    count(f"FollowUp{follow_up.state.title().replace('_', '')}")


def put_in_order(missing: Iterable[Flag | Message | Thanks]) -> None:
    """Write what follows from a follow-up: the flag before the mail about it, which finds it when it is composed."""
    for record in missing:
        if isinstance(record, Thanks):
            thanks.add(record)
        else:
            table.put(row_of(record))


def tell_if_repeated(code: str, now: datetime, settings: Settings) -> None:
    """Tell the owner of a cause when it has just become repeated, and really so."""
    if not cause.has_owner(code, settings):
        return
    for _ in range(ATTEMPTS):
        state = causes.load(code)
        if not cause.may_tell(state, now):
            return
        days, reached_floor = causes.look_back(code, now, settings.policy)
        why = cause.why_tell(state, days, now, settings.policy) if reached_floor else None
        if why is None:
            return
        counted = cause.count(causes.told_marks(code, why, now))
        told = cause.tell_owner(state, counted, why, now, settings)
        if told is None:
            return
        try:
            notices = message.with_chat(told[1], settings)
            table.put_all([causes.row(told[0]), *map(outbox.row, notices)])
        except Changed:
            continue
        logger.info("cause repeated", cause=code, tickets=counted.tickets, customers=counted.customers)
        count("CauseRepeated")
        return
    raise Changed("the cause is changing too fast")


def row_of(record: Flag | Message) -> table.Row:
    """The item of a flag or a message."""
    return flags.row(record) if isinstance(record, Flag) else outbox.row(record)


def _flag(pk: str, sk: str, now: datetime, settings: Settings) -> None:
    raised = tickets.load_scope(pk).flags.get(int(sk.partition("#")[2]))
    if raised is None or raised.due_at is None or now < raised.due_at:
        return
    escalated = flag.escalate(raised, now, settings)
    told = [outbox.row(flag.message_for(escalated, now))] if escalated.rounds > raised.rounds else []
    table.put_all([flags.row(escalated), *told])
    logger.info("flag escalated", rounds=escalated.rounds)
    count("FlagEscalated")


def _message(pk: str, sk: str, now: datetime, settings: Settings) -> None:
    waiting = outbox.load(pk, sk.partition("#")[2])
    if waiting is None or waiting.due_at is None:
        return
    given_up = message.given_up(waiting, now, settings.policy)
    if given_up:
        outbox.save(given_up)
        logger.error("nobody knows whether a message went out", kind=waiting.kind)
        count("MessageUnknown")
    elif message.is_sendable(waiting, now, settings.policy):
        queues.queue_message(pk, sk, now)


def _cause(code: str, now: datetime, settings: Settings) -> None:
    state = causes.load(code)
    if state.due_at is None or now < state.due_at:
        return
    after, notice = cause.escalate(state, now, settings)
    notices = message.with_chat(notice, settings) if notice else []
    table.put_all([causes.row(after), *map(outbox.row, notices)])
    count("CauseEscalated" if notice else "CauseNotEscalated")


def _digest(key: str, now: datetime, settings: Settings) -> None:
    """Write the digest that is due, for mail and chat; the next one begins where it ends."""
    owner = owners.load(key)
    if owner is None or owner.due_at is None or now < owner.due_at:
        return
    if not settings.causes_of(key):
        table.put(owners.row(replace(owner, due_at=None, told_until=None)))
        return
    times = settings.policy_for(key)
    since, until = digest.period(owner, hours.digest_period(owner.due_at, times))
    later = replace(owner, due_at=hours.next_digest(now, times), told_until=until)
    due = digest.digest_message(owner, since, until, now, settings)
    table.put_all([owners.row(later), *map(outbox.row, message.with_chat(due, settings))])
    count("DigestDue")


def _team(key: str, round: Round, now: datetime, settings: Settings) -> None:
    """A team's gathered notes or look back on a month; no mail when there is nothing to thank for."""
    due = thanks.load(key, round)
    if due is None or due.due_at is None or now < due.due_at:
        return
    team = settings.teams.get(key)
    next_at = next_due(round, team, now, settings.policy.time_zone) if team else None
    later = thanks.row(replace(due, since=due.due_at, due_at=next_at))
    if next(thanks.marks(key, due.since - SETTLING, due.due_at - SETTLING), None) is None:
        table.put(later)
        return
    table.put_all([later, outbox.row(team_message(due, due.due_at, now, settings))])
    count("TeamThanked")
