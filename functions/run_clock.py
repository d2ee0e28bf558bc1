"""Every minute: queues the keys of everything that is due, or will be before the next minute, for its next step."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from adapters import clock, queues, table
from adapters.telemetry import count, logger, metrics


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> None:
    """One tick. What is overdue is queued again only when the queues are worked off: no backlog feeds itself."""
    now = clock.now()
    working_off = queues.is_backlog()
    queued = queues.queue_due(
        _until_time_is_up(now, since=now if working_off else None, context=context), now
    )
    logger.info("tick", queued=queued, working_off=working_off)
    count("StepsQueued", queued)


def _until_time_is_up(
    now: datetime, since: datetime | None, context: Any
) -> Iterator[tuple[str, str, datetime]]:
    for shard in table.shards():
        for key in table.find_due(shard, now + queues.HORIZON, since):
            if context.get_remaining_time_in_millis() < 10_000:
                logger.warning("tick cut short")
                return
            yield key
