"""From the queue of outcomes: tells a helpdesk by a private note and a tag, and opens the ticket after a "no".

Claimed first, each request made once and noted. One whose reply was lost is looked for before it is made again; where a
helpdesk lists nothing to look in, a person looks.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from adapters import clock, helpdesk_api, settings_store, tickets, write_backs
from adapters.helpdesk_api import Account, NotAnswered
from adapters.telemetry import count, logger, metrics
from domain import delivery
from domain import write_back as writing
from domain.follow_up import FollowUp, Obstacle
from domain.settings import Api, Settings, Source
from domain.write_back import WriteBack
from helpdesks import calls
from helpdesks.calls import Calls, Write
from messages import compose, facts

RETRIED = frozenset({Obstacle.UNREACHABLE, Obstacle.REFUSED, Obstacle.NO_TOKEN})
"""What may end by itself, or by a person's hand; whatever else a helpdesk refuses it will refuse again."""

processor = BatchProcessor(event_type=EventType.SQS)


@dataclass
class _Work:
    """One outcome being told; ``told`` is as it is stored."""

    told: WriteBack
    claim: str
    writes: list[Write]
    known: dict[str, Any]

    def keep(self, **changed: Any) -> None:
        """Store how far it is."""
        self.told = write_backs.save(replace(self.told, **changed))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> Any:
    """Each record points to one outcome: ``{"pk": ..., "sk": ...}``."""
    return process_partial_response(event=event, record_handler=tell, processor=processor, context=context)


def tell(record: SQSRecord) -> None:
    """Tell one outcome if it still holds; a key that comes again finds the claim, or that all is done."""
    key = record.json_body
    now = clock.now()
    settings = settings_store.settings(now)
    records = tickets.load_scope(key["pk"])
    wanted = records.write_backs.get(key["sk"].partition("#")[2])
    if (
        wanted is None
        or wanted.ended
        or not delivery.may_claim(wanted.delivery, now, settings.policy.unknown_after)
    ):
        logger.info("nothing to tell")
        return
    follow_up, source = records.follow_up(wanted.number), settings.sources.get(wanted.source)
    reason = writing.needless(wanted, follow_up, source, now)
    if reason or follow_up is None or source is None or source.api is None:
        write_backs.save(writing.end(wanted, reason or "off"))
        logger.info("not told", source=wanted.source, reason=reason)
        count("WriteBackEnded")
        return
    described = calls.calls(source.calls)
    writes = list(_wanted(described, wanted, source))
    known = _known(wanted, follow_up, source.api, settings, now)
    if source.write_back.mode == "dry_run":
        _rehearse(wanted, writes, known)
        return
    _begin(wanted, described, source.api, writes, known, settings, now)


def _wanted(described: Calls, wanted: WriteBack, source: Source) -> Iterator[Write]:
    for write in described.write_back:
        is_for_it = not write.outcomes or wanted.outcome.value in write.outcomes
        if is_for_it and (source.write_back.reopen or not write.reopens):
            yield write


def _known(
    wanted: WriteBack, follow_up: FollowUp, api: Api, settings: Settings, now: datetime
) -> dict[str, Any]:
    """What the requests can say."""
    note = compose.helpdesk_note(facts.helpdesk_note(follow_up, wanted.mark, settings))
    return {
        **calls.known_of(wanted.ticket_id, api.url, api.values),
        "note": note,
        "note_html": calls.as_html(note),
        "outcome": wanted.outcome.value,
        "tag": wanted.tag,
        "at": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _rehearse(wanted: WriteBack, writes: list[Write], known: dict[str, Any]) -> None:
    """Keep what would be sent, where only whoever may read the table sees it; the log has no words of anybody."""
    would = []
    for write in writes:
        if write.reads or write.instead_of:
            continue
        request = write.step.request(known)
        body = (request.body or b"").decode() if request else "(with what the helpdesk tells first)"
        would.append(f"{write.step.method} {request.path if request else write.step.path} {body}".strip())
    write_backs.save(writing.end(replace(wanted, would=tuple(would)), "dry_run"))
    names = [write.step.name for write in writes if not write.reads]
    logger.info("would tell", source=wanted.source, outcome=wanted.outcome, requests=names)
    count("WriteBackRehearsed")


def _begin(
    wanted: WriteBack,
    described: Calls,
    api: Api,
    writes: list[Write],
    known: dict[str, Any],
    settings: Settings,
    now: datetime,
) -> None:
    claim_id = clock.new_id()
    reopens = any(write.reopens and not write.reads for write in writes)
    claimed = write_backs.save(writing.claim(wanted, claim_id, reopens, now, settings.policy))
    work = _Work(claimed, claim_id, writes, known)
    try:
        account = helpdesk_api.account(api, described.auth, now)
        for write in writes:
            if write.reads:
                _look_up(work, write, account, now)
            elif _is_wanted(work, write):
                _make(work, write, account, now)
    except NotAnswered as problem:
        _not_taken(work, problem, now)
        return
    told = work.told
    write_backs.save(writing.settle(told, claim_id, clock.now()))
    level = logger.warning if told.refused else logger.info
    level("helpdesk told", source=told.source, outcome=told.outcome, done=told.done, refused=told.refused)
    count("WriteBackRefused" if told.refused else "WriteBackTold")


def _look_up(work: _Work, write: Write, account: Account, now: datetime) -> None:
    """Find out what a later request needs; what only shows what was done before is looked at when that is unsure."""
    shows = write.step.name in {other.seen for other in work.writes}
    if shows and not work.told.unsure:
        return
    try:
        # What shows what was done has to be seen: a refusal is no sign that nothing was.
        helpdesk_api.ask([replace(write.step, optional=not shows)], work.known, account, now)
    except NotAnswered as problem:
        # To look changes nothing, whatever became of it.
        raise NotAnswered(problem.obstacle, problem.reason, refused=True, after=problem.after) from problem


def _is_wanted(work: _Work, write: Write) -> bool:
    told = work.told
    if write.step.name in (*told.done, *told.refused) or write.not_after in told.done:
        return False
    return write.instead_of is None or write.instead_of in told.refused


def _make(work: _Work, write: Write, account: Account, now: datetime) -> None:
    """Make one request, unless it was made. Raises NotAnswered when it has to wait, or nobody knows."""
    told, name = work.told, write.step.name
    request = write.step.request(work.known)
    if request is None:
        logger.info("a request lacks what it needs", source=told.source, request=name)
        return
    if told.unsure and not write.repeatable and _is_there(write, work.known, told.mark):
        work.keep(done=(*told.done, name))
        return
    try:
        helpdesk_api.send(request, account, now)
    except NotAnswered as problem:
        taken = problem.status is not None and 200 <= problem.status < 300
        if not taken and (not problem.refused or problem.obstacle in RETRIED):
            raise
        if not taken:
            logger.warning("refused for good", source=told.source, request=name, status=problem.status)
            work.keep(refused=(*told.refused, name))
            return
    # Also when only what it answered cannot be read.
    work.keep(done=(*told.done, name))


def _is_there(write: Write, known: dict[str, Any], mark: str) -> bool:
    """Whether what was to be made is there. Raises NotAnswered where nothing tells that it is not."""
    texts = calls.find(write.seen_in, known) if write.seen_in else None
    if isinstance(texts, list) and any(mark in text for text in texts if isinstance(text, str)):
        return True
    if not isinstance(texts, list) or (write.seen_most and len(texts) >= write.seen_most):
        raise NotAnswered(Obstacle.UNREACHABLE, "it cannot be looked up", refused=False)
    return False


def _not_taken(work: _Work, problem: NotAnswered, now: datetime) -> None:
    """What the helpdesk certainly did not do is tried later; what it may have done stays claimed."""
    claimed = work.told
    logger.warning(
        "helpdesk not told yet", source=claimed.source, obstacle=problem.obstacle, reason=problem.reason
    )
    if problem.refused:
        write_backs.save(writing.put_off(claimed, work.claim, problem.obstacle, problem.after, now))
        count("WriteBackPostponed")
    else:
        count("WriteBackUnsure")
    if problem.obstacle in {Obstacle.REFUSED, Obstacle.NO_TOKEN}:
        count("HelpdeskRefused")
