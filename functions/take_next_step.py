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
    deeds,
    flags,
    outbox,
    owners,
    people,
    promises,
    queues,
    settings_store,
    table,
    tellings,
    thanks,
    tickets,
    write_backs,
)
from adapters.closed_days import closed_days
from adapters.telemetry import count, logger, metrics
from domain import (
    cause,
    commitment,
    consequences,
    digest,
    flag,
    hours,
    message,
    ownership,
    promise,
    recovery,
    telling,
    write_back,
)
from domain.errors import Changed
from domain.flag import Flag, Reason
from domain.follow_up import FETCH_AGAIN, PENDING, Become, Fetch, FollowUp, Send, State, Wait, next_step
from domain.message import Message
from domain.ownership import Deed, News, What
from domain.person import Person, wait
from domain.promise import End
from domain.settings import Settings
from domain.telling import Telling
from domain.thanks import SETTLING, Round, TeamRound, Thanks, looked_back_on, month_of, next_due
from domain.thanks import message as team_message
from domain.write_back import WriteBack

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
    elif kind == "PROMISE":
        _promise(pk, sk, now, settings)
    elif kind == "WRITE_BACK":
        _write_back(pk, sk, now, settings)
    elif kind == "STATE":
        _cause(pk.partition("#")[2], now, settings)
    elif kind == "TELLING":
        _telling(pk.partition("#")[2], int(sk.partition("#")[2]), now, settings)
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
    can_ask = settings.can_ask(follow_up.closure.source)
    together = follow_up.together if follow_up.state is State.SCHEDULED else ()
    joining = tickets.joining(follow_up, together, "survey", now, settings.policy)
    step = next_step(
        follow_up,
        records.ticket,
        person,
        now,
        settings.policy,
        closed,
        asked_with=[other.ref for other in joining],
        can_ask=can_ask,
    )
    if isinstance(step, Wait):
        if step.quiet and follow_up.ref not in person.waiting:
            # Noted before it waits: whoever asks this person next asks about this closure in the same mail.
            people.save(wait(person, follow_up.ref), follow_up.keep_until)
        _wait(pk, sk, follow_up, step.until, now)
    elif isinstance(step, Send):
        queues.queue_mail(pk, sk, step.round, now)
    elif isinstance(step, Fetch):
        # Out of sight first: however slow the helpdesk is, nothing is queued for it twice.
        tickets.save(replace(follow_up, due_at=now + FETCH_AGAIN))
        queues.queue_fetch(pk, sk, now)
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
    missing = [
        *consequences.missing(follow_up, known, records.messages, now, settings),
        *write_back.missing(follow_up, records.write_backs, now, settings),
    ]
    if missing and is_new:
        tickets.save(follow_up)
        follow_up = replace(follow_up, version=follow_up.version + 1)
    put_in_order(missing)
    tickets.save(replace(follow_up, due_at=None))
    logger.info("finished", state=follow_up.state, written=len(missing))
    count(f"FollowUp{follow_up.state.title().replace('_', '')}")


def put_in_order(missing: Iterable[Flag | Message | Thanks | WriteBack]) -> None:
    """Write what follows from a follow-up: the flag before the mail about it, which finds it when it is composed."""
    for record in missing:
        if isinstance(record, Thanks):
            thanks.add(record)
        elif isinstance(record, WriteBack):
            table.put(write_backs.row(record))
        else:
            table.put(row_of(record))


def tell_if_repeated(code: str, now: datetime, settings: Settings) -> None:
    """Tell the owner of a cause when it has just become repeated, and really so."""
    if not cause.has_owner(code, settings):
        return
    for _ in range(ATTEMPTS):
        state = causes.home(code, settings)
        if not cause.may_tell(state, now):
            return
        days, reached_floor = causes.look_back(state.code, now, settings.policy, state)
        why = cause.why_tell(state, days, now, settings.policy) if reached_floor else None
        if why is None:
            return
        counted = cause.count(causes.told_marks(state.code, why, now))
        told = cause.tell_owner(state, counted, why, now, settings)
        if told is None:
            return
        try:
            notices = message.with_chat(told[1], settings)
            table.put_all([causes.row(told[0]), *map(outbox.row, notices)])
        except Changed:
            continue
        logger.info("cause repeated", cause=state.code, tickets=counted.tickets, customers=counted.customers)
        count("CauseRepeated")
        return
    raise Changed("the cause is changing too fast")


def row_of(record: Flag | Message) -> table.Row:
    """The item of a flag or a message."""
    return flags.row(record) if isinstance(record, Flag) else outbox.row(record)


def _flag(pk: str, sk: str, now: datetime, settings: Settings) -> None:
    records, number = tickets.load_scope(pk), int(sk.partition("#")[2])
    raised, follow_up = records.flags.get(number), records.follow_up(number)
    if raised is None or raised.due_at is None or now < raised.due_at:
        return
    if raised.settled_at:
        if follow_up:
            _asked_again(raised, follow_up, records, now, settings)
        return
    escalated = flag.escalate(raised, now, settings)
    told = [outbox.row(flag.message_for(escalated, now))] if escalated.rounds > raised.rounds else []
    table.put_all([flags.row(escalated), *told])
    if told:
        logger.info("flag escalated", rounds=escalated.rounds)
    else:
        logger.warning("nobody is left to escalate to", rounds=escalated.rounds)
    count("FlagEscalated" if told else "FlagNotEscalated")


def _asked_again(
    settled: Flag, follow_up: FollowUp, records: tickets.Records, now: datetime, settings: Settings
) -> None:
    """A settled flag whose customer was asked again is due: their silence goes back to the person, once."""
    question = records.messages.get(recovery.question_name(follow_up))
    after = recovery.after_asking(settled, follow_up, records.ticket, question, now, settings)
    told = [] if after.settled_at else [outbox.row(flag.message_for(after, now))]
    table.put_all([flags.row(after), *told])
    if told:
        logger.info("no answer when asked again")
        count("RecoverySilent")


def _promise(pk: str, sk: str, now: datetime, settings: Settings) -> None:
    known = promises.load(pk, sk)
    if known is None or known.due_at is None or now < known.due_at:
        return
    records = tickets.load_scope(pk)
    follow_up = records.follow_up(known.number)
    if follow_up is None:
        return
    if promise.customer_says_kept(known, follow_up):
        table.put(promises.row(promise.end(known, End.KEPT, "customer", None, now)))
        return
    if promise.came_again(known, records.promises):
        table.put(promises.row(promise.end(known, End.WITHDRAWN, None, None, now)))
        return
    if now < known.until:
        reminded, told = promise.remind(known, follow_up, now, settings)
        table.put_all([promises.row(reminded), outbox.row(told)])
        count("PromiseReminded")
        return
    broken = promise.end(known, End.BROKEN, None, None, now)
    before = records.flags.get(known.number)
    raised = flag.raise_for(follow_up, before, Reason.PROMISE_BROKEN, now, settings, known.by)
    table.put_all([promises.row(broken), flags.row(raised), outbox.row(flag.message_for(raised, now))])
    logger.info("promise broken")
    count("PromiseBroken")


def _message(pk: str, sk: str, now: datetime, settings: Settings) -> None:
    waiting = outbox.load(pk, sk.partition("#")[2])
    if waiting is None or waiting.due_at is None:
        return
    given_up = message.given_up(waiting, now, settings.policy)
    if given_up:
        outbox.save(given_up)
        logger.error("nobody knows whether a message went out", kind=waiting.kind)
        count("MessageUnknown")
        outbox.ring_if_missed(given_up, waiting)
    elif message.is_sendable(waiting, now, settings.policy):
        queues.queue_message(pk, sk, now)


def _write_back(pk: str, sk: str, now: datetime, settings: Settings) -> None:
    waiting = tickets.load_scope(pk).write_backs.get(sk.partition("#")[2])
    if waiting is None or waiting.due_at is None:
        return
    if write_back.is_lost(waiting, now, settings.policy):
        write_backs.save(write_back.give_up(waiting, now))
        logger.error("nobody knows whether the helpdesk was told", source=waiting.source)
        count("WriteBackUnknown")
    elif write_back.is_sendable(waiting, now, settings.policy):
        # Out of sight meanwhile: a helpdesk that answers slowly is not queued for again and again.
        write_backs.save(replace(waiting, due_at=now + FETCH_AGAIN))
        queues.queue_write_back(pk, sk, now)


def _cause(code: str, now: datetime, settings: Settings) -> None:
    state = causes.load(code)
    if state.due_at is None or now < state.due_at:
        return
    if state.repeated_at and state.acknowledged_at is None:
        after, notice = cause.escalate(state, now, settings)
        notices = message.with_chat(notice, settings) if notice else []
        table.put_all([causes.row(after), *map(outbox.row, notices)])
        count("CauseEscalated" if notice else "CauseNotEscalated")
        return
    after, notice, what = ownership.next_step(state, now, settings)
    table.put_all(
        [causes.row(after), *([outbox.row(notice)] if notice else []), *_deed(code, what, now, settings)]
    )
    if notice:
        logger.info("commitment", cause=code, why=notice.about["why"])
        count("CommitmentOverdue" if what else "CommitmentReminded")


def _deed(code: str, what: What | None, now: datetime, settings: Settings) -> list[table.Row]:
    """What the clock itself did about a cause stands in the same list as what people did."""
    if what is None:
        return []
    kept_until = now + settings.policy.keep_for
    return [deeds.row(Deed(cause=code, form=deeds.new_form(now), at=now, what=what, keep_until=kept_until))]


def _telling(code: str, number: int, now: datetime, settings: Settings) -> None:
    told = tellings.load(code, number)
    if told is None:
        return
    step = telling.due_step(told, now, settings.policy)
    if step == "page":
        _walk(told, now, settings)
    elif step == "pass":
        tellings.save(telling.once_more(told, now))
    elif step in {"judge", "judge_late"}:
        _judge(told, now, settings, is_late=step == "judge_late")
    elif step == "nudge":
        _tell_own(replace(told, due_at=None), News.DRAFT, None, now, settings)
    elif step in {"remind", "settle"}:
        _telling_promise(told, step, now, settings)


def _walk(told: Telling, now: datetime, settings: Settings) -> None:
    """One page of the customers; how many mails wait is asked first, so that nobody else's mail waits behind them."""
    # Only news have a source, and anything to wait for.
    is_behind = bool(told.source_scope) and telling.is_behind(told, tellings.newest(told.cause))
    if is_behind or queues.is_full():
        tellings.save(replace(told, due_at=now + telling.BUSY))
        return
    cursor, written = tellings.walk(told, now, settings)
    tellings.save(telling.after_page(told, cursor, now, settings.policy))
    logger.info("customers told", cause=told.cause, kind=told.kind, written=written, over=cursor is None)
    count("CustomersTold", written)


def _judge(told: Telling, now: datetime, settings: Settings, *, is_late: bool) -> None:
    others, state = tellings.newest(told.cause), causes.load(told.cause)
    evidence = tellings.evidence(told, now, settings.policy)
    if is_late:
        judged, after, mails, again, what = telling.judge_late(told, evidence, others, state, now, settings)
    else:
        judged = telling.judge(told, evidence, others, settings.policy, now)
        after, mails, again, what = telling.conclude(judged, state, now, settings)
    rows = [tellings.row(judged)]
    rows += [outbox.row(each) for mail in mails for each in message.with_chat(mail, settings)]
    rows += [causes.row(after)] if after != state else []
    rows += [tellings.row(again)] if again else []
    table.put_all([*rows, *_deed(told.cause, what, now, settings)])
    if is_late and not mails:
        return
    logger.info("fix judged", cause=told.cause, result=judged.result)
    count(f"Fix{(judged.result or '').title().replace('_', '')}")


def _telling_promise(told: Telling, step: str, now: datetime, settings: Settings) -> None:
    """The day by which customers were to hear from us is near, or over."""
    others = [*tellings.newest(told.cause), *tellings.fixes_above(told.cause)]
    settled = telling.settle_promise(told, others, settings.policy)
    if step == "settle" and settled.kept is False:
        _tell_own(settled, News.PROMISE_BROKEN, What.BROKEN, now, settings)
    elif step == "settle":
        table.put_all([tellings.row(settled), *_deed(told.cause, What.KEPT, now, settings)])
    elif told.day:
        reminded = replace(told, reminded=True, due_at=commitment.overdue_at(told.day, settings.policy))
        if settled.kept or told.reminded:
            tellings.save(reminded)
        else:
            _tell_own(reminded, News.PROMISE_NEAR, None, now, settings)


def _tell_own(after: Telling, why: News, what: What | None, now: datetime, settings: Settings) -> None:
    """A telling as it becomes, and the mail to its cause's owner; of a broken promise to the manager."""
    state = causes.load(after.cause)
    owner = cause.owner_of(state, settings)
    to = (cause.manager_of(state, settings) or owner) if why is News.PROMISE_BROKEN else owner
    about = {"telling": str(after.number), "owner": owner} | (
        {"day": after.day.isoformat()} if after.day else {}
    )
    mail = ownership.news(after.cause, why, f"{after.number:04d}", to, now, settings, **about)
    table.put_all([tellings.row(after), outbox.row(mail), *_deed(after.cause, what, now, settings)])
    count(f"Told{why.title().replace('_', '')}")


def _digest(key: str, now: datetime, settings: Settings) -> None:
    """Write the digest that is due, for mail and chat; the next one begins where it ends."""
    owner = owners.load(key)
    if owner is None or owner.due_at is None or now < owner.due_at:
        return
    times = settings.policy_for(key)
    if not causes.owned_by(key, settings):
        # Causes come back to people: whoever has none now is asked about it again, and misses no period.
        next_at = hours.next_digest(now, times) if key in settings.contacts else None
        table.put(owners.row(replace(owner, due_at=next_at)))
        return
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
    if next(thanks.marks(key, *_looked_at(due, due.due_at, settings.policy.time_zone)), None) is None:
        table.put(later)
        return
    table.put_all([later, outbox.row(team_message(due, due.due_at, now, settings))])
    count("TeamThanked")


def _looked_at(due: TeamRound, until: datetime, time_zone: str) -> tuple[datetime, datetime]:
    """What the mail of a round is about: a calendar month, or what settled since the last one."""
    if due.round is Round.MONTH:
        return month_of(looked_back_on(until, time_zone), time_zone)
    return due.since - SETTLING, until - SETTLING
