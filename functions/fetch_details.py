"""From the queue of hints: asks a helpdesk for what its report left out, and opens the follow-up wholly."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from adapters import clock, helpdesk_api, promises, settings_store, table, tickets
from adapters.helpdesk_api import NotAnswered
from adapters.telemetry import count, logger, metrics
from domain import promise
from domain.closure import Closure
from domain.follow_up import FollowUp, Obstacle, State, found_open, not_told, repeat, supersede
from domain.settings import Api, Settings, Source
from helpdesks import calls

processor = BatchProcessor(event_type=EventType.SQS)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> Any:
    """Each record points to one follow-up: ``{"pk": ..., "sk": ...}``."""
    return process_partial_response(event=event, record_handler=fetch, processor=processor, context=context)


def fetch(record: SQSRecord) -> None:
    """Complete one follow-up if it still waits; asking twice does no harm, and only one of the two is stored."""
    key = record.json_body
    now = clock.now()
    settings = settings_store.settings(now)
    records = tickets.load_scope(key["pk"])
    known = records.follow_up(int(key["sk"].partition("#")[2]))
    source = settings.sources.get(known.closure.source) if known else None
    if known is None or known.state is not State.WAITING or source is None or source.api is None:
        logger.info("nothing to fetch")
        return
    if supersede(known, records.ticket, now) is not known:
        # The next step says so, with everything that follows from it.
        tickets.save(replace(known, due_at=now))
        return
    try:
        closure = _ask(known.closure, source.api, source, now)
    except NotAnswered as problem:
        _put_off(known, problem, now, settings)
        return
    if closure is None:
        tickets.save(found_open(known, now))
        logger.info("the ticket is open")
        count("DetailsOpen")
        return
    _complete(known, closure, now, settings)


def _ask(hint: Closure, api: Api, source: Source, now: datetime) -> Closure | None:
    """The whole closure; None when the ticket is open. Raises NotAnswered."""
    try:
        described = calls.calls(source.calls)
        account = helpdesk_api.account(api, described.auth, now)
        before = calls.known_of(hint.ticket_id, api.url, api.values)
        known = helpdesk_api.ask(described.fetch, before, account, now)
        is_open = calls.is_open(described, known, source.statuses)
        return None if is_open else calls.complete(described, known, hint)
    except (calls.BadCalls, calls.Unexpected) as wrong:
        raise NotAnswered(Obstacle.UNREADABLE, str(wrong), refused=True) from wrong
    except ValueError:
        # Its text may hold what the helpdesk said.
        raise NotAnswered(Obstacle.UNREADABLE, "the answer makes no closure", refused=True) from None


def _complete(known: FollowUp, closure: Closure, now: datetime, settings: Settings) -> None:
    after = repeat(known, closure, now, settings)
    promised = promise.from_ticket(after, now, settings)
    table.put_all([tickets.row(after), *([promises.row(promised)] if promised else [])])
    logger.info("details fetched", source=closure.source)
    count("DetailsFetched")


def _put_off(known: FollowUp, problem: NotAnswered, now: datetime, settings: Settings) -> None:
    after = not_told(known, problem.obstacle, problem.after, now, settings.policy)
    tickets.save(after)
    logger.warning(
        "details not fetched",
        source=known.closure.source,
        obstacle=problem.obstacle,
        reason=problem.reason,
        given_up=after.state is not State.WAITING,
    )
    count("DetailsMissing")
    if problem.obstacle in {Obstacle.REFUSED, Obstacle.NO_TOKEN, Obstacle.UNREADABLE}:
        # Ours to mend, and until then nobody of this helpdesk is asked.
        count("HelpdeskRefused")
