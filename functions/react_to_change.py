"""The table's stream: what a stored change makes necessary at once. The sweep finds again whatever is lost here."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from adapters import causes, clock, outbox, queues, settings_store, table, tickets
from adapters.telemetry import count, logger, metrics
from domain import cause, consequences, write_back
from domain.errors import Changed
from domain.follow_up import PENDING, FollowUp, State
from domain.settings import Settings
from take_next_step import put_in_order, tell_if_repeated

ATTEMPTS = 5

processor = BatchProcessor(event_type=EventType.DynamoDBStreams)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> Any:
    """Records come at least once, in order for each item; template.yaml lets only kinds with consequences through."""
    return process_partial_response(event=event, record_handler=react, processor=processor, context=context)


def react(record: DynamoDBRecord) -> None:
    """Queue what is due soon, and write what follows from a follow-up's change."""
    change = record.dynamodb
    after = change.new_image if change else {}
    before = change.old_image if change else {}
    if not after:
        return
    now = clock.now()
    _queue_soon(before, after, now)
    if after["kind"] == tickets.KIND and _matters(before, after):
        settings = settings_store.settings(now)
        if _may_follow(after):
            _follow(after["pk"], int(after["sk"].partition("#")[2]), now, settings)
        if _has_new_cause(before):
            _count_cause(after, now, settings)


def _queue_soon(before: dict[str, Any], after: dict[str, Any], now: datetime) -> None:
    if "due_at" not in after or before.get("due_at") == after["due_at"]:
        return
    due_at = datetime.fromtimestamp(int(after["due_at"]), UTC)
    if due_at - now > queues.HORIZON:
        return
    if after["kind"] == outbox.KIND:
        queues.queue_message(after["pk"], after["sk"], now, due_at)
    else:
        queues.queue_due([(after["pk"], after["sk"], due_at)], now)


def _matters(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether anything can follow: it is new, its state changed, or the customer said something."""
    if not before:
        return True
    was = table.decode(before["body"], 0, FollowUp)
    now_is = table.decode(after["body"], 0, FollowUp)
    said_before = (was.state, was.answers, was.replies, was.conflict)
    return said_before != (now_is.state, now_is.answers, now_is.replies, now_is.conflict)


def _may_follow(after: dict[str, Any]) -> bool:
    """Whether anything follows from this state; while the outcome is open: a contradiction, something to read."""
    now_is = table.decode(after["body"], 0, FollowUp)
    return now_is.state not in PENDING or now_is.conflict or bool(now_is.unread)


def _follow(pk: str, number: int, now: datetime, settings: Settings) -> None:
    for _ in range(ATTEMPTS):
        records = tickets.load_scope(pk)
        follow_up = records.follow_up(number)
        if follow_up is None:
            return
        flag = records.flags.get(number)
        missing = [
            *consequences.missing(follow_up, flag, records.messages, now, settings),
            *write_back.missing(follow_up, records.write_backs, now, settings),
        ]
        try:
            put_in_order(missing)
        except Changed:
            continue
        if missing:
            logger.info("followed", state=follow_up.state, written=len(missing))
            count("ConsequencesWritten", len(missing))
        return
    raise Changed("the ticket is changing too fast")


def _has_new_cause(before: dict[str, Any]) -> bool:
    return not before or table.decode(before["body"], 0, FollowUp).state is State.WAITING


def _count_cause(after: dict[str, Any], now: datetime, settings: Settings) -> None:
    """Leave the closure's mark; then count, so that of two closures at the same time at least one sees both."""
    mark = cause.mark_of(table.decode(after["body"], 0, FollowUp))
    if mark is None:
        return
    causes.add_mark(mark)
    tell_if_repeated(mark.cause, now, settings)
