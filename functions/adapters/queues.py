"""Amazon SQS: what is due soon, and what is to be sent. A message only points to a record; losing one loses nothing."""

import json
import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from math import ceil

from adapters.aws import client
from domain.message import CHAT

HORIZON = timedelta(seconds=90)
"""What falls due within it is queued with a delay, to the second; the rest waits for the clock (every 60 s)."""

BATCH = 10

MANY_MAILS = 500
"""More than this in the queue is a backlog: mails wait for SES's rate, and what waits is overdue all the time."""

FEW_MAILS = 50
"""More than this in the queue, and the next page of a mail to many waits: questions to others go out between them."""


def queue_due(keys: Iterable[tuple[str, str, datetime]], now: datetime) -> int:
    """Queue records for their next step, each not before it is due; gives how many."""
    bodies = ((json.dumps({"pk": pk, "sk": sk}), _delay(due_at, now)) for pk, sk, due_at in keys)
    return _send(os.environ["DUE_QUEUE"], bodies)


def queue_mail(pk: str, sk: str, part: str, now: datetime, due_at: datetime | None = None) -> None:
    """Queue one mail for sending; ``part`` is ``survey``, ``reminder`` or ``message``."""
    body = json.dumps({"pk": pk, "sk": sk, "part": part})
    _send(os.environ["SEND_QUEUE"], [(body, _delay(due_at or now, now))])


def queue_message(pk: str, sk: str, now: datetime, due_at: datetime | None = None) -> None:
    """Queue one message of the outbox for its sender: a mail, or a post to a chat."""
    if sk.startswith(f"MESSAGE#{CHAT}"):
        _send(os.environ["CHAT_QUEUE"], [(json.dumps({"pk": pk, "sk": sk}), _delay(due_at or now, now))])
    else:
        queue_mail(pk, sk, "message", now, due_at)


def queue_fetch(pk: str, sk: str, now: datetime) -> None:
    """Queue one follow-up whose helpdesk is to be asked for what it left out: apart, because some answer slowly."""
    _send(os.environ["FETCH_QUEUE"], [(json.dumps({"pk": pk, "sk": sk}), _delay(now, now))])


def queue_write_back(pk: str, sk: str, now: datetime, due_at: datetime | None = None) -> None:
    """Queue one outcome that a helpdesk is to be told."""
    _send(os.environ["WRITE_BACK_QUEUE"], [(json.dumps({"pk": pk, "sk": sk}), _delay(due_at or now, now))])


def is_backlog() -> bool:
    """Whether what was queued is still being worked off: any step that could be taken, or many mails."""
    return _waiting(os.environ["DUE_QUEUE"]) > 0 or _waiting(os.environ["SEND_QUEUE"]) > MANY_MAILS


def is_full() -> bool:
    """Whether so many mails wait to be sent that whoever writes to many people at once has to wait, too."""
    return _waiting(os.environ["SEND_QUEUE"]) > FEW_MAILS


def _waiting(url: str) -> int:
    """About how many messages could be received at once; delayed and running ones are not counted."""
    answer = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def _delay(due_at: datetime, now: datetime) -> int:
    return min(max(0, ceil((due_at - now).total_seconds())), 900)


def _send(url: str, bodies: Iterable[tuple[str, int]]) -> int:
    total = 0
    batch: list[tuple[str, int]] = []
    for body in bodies:
        batch.append(body)
        if len(batch) == BATCH:
            total += _send_batch(url, batch)
            batch = []
    return total + (_send_batch(url, batch) if batch else 0)


def _send_batch(url: str, batch: list[tuple[str, int]]) -> int:
    entries = [
        {"Id": str(number), "MessageBody": body, "DelaySeconds": delay}
        for number, (body, delay) in enumerate(batch)
    ]
    answer = client("sqs").send_message_batch(QueueUrl=url, Entries=entries)
    failed = answer.get("Failed", [])
    if failed:
        raise RuntimeError(f"{len(failed)} messages were not queued")
    return len(batch)
