"""Published prices in dollars (us-east-1, no free tiers; AWS's price pages, November 2026), and what follows."""

from collections import Counter
from dataclasses import dataclass, fields

from benchmark.lives import Life

MILLION = 1e6
WRITE_UNIT = 0.625 / MILLION
READ_UNIT = 0.125 / MILLION
STORED_GB_MONTH = 0.25 + 0.20
"""The table and its point-in-time recovery."""
HTTP_REQUEST = 1.00 / MILLION
SQS_REQUEST = 0.40 / MILLION
SNS_PUBLISH = 0.50 / MILLION
LAMBDA_REQUEST = 0.20 / MILLION
LAMBDA_GB_SECOND = 0.0000133334
LOGGED_GB = 0.50
SES_MAIL = 100 / MILLION
STATE_TRANSITION = 25 / MILLION
DURABLE_OPERATION = 8 / MILLION
SCHEDULE = 1.00 / MILLION
SCANS_A_MONTH = 8_766

MEMORY_GB = 0.25
SHARE_OF_CPU = 0.145
"""What 256 MB of memory get of one CPU; what is billed is the CPU time measured here, divided by it."""
KEPT_MONTHS = 400 / 30.4
EVENTS_OF_A_MAIL = 2


@dataclass(frozen=True)
class Bill:
    """Dollars for a million follow-ups; SES's own price (100 dollars for a million mails) is left out everywhere."""

    table_writes: float
    index_writes: float
    reads: float
    web: float
    functions: float
    queues: float
    reports: float
    logs: float
    storage: float

    @property
    def total(self) -> float:
        """All of it."""
        return sum(float(getattr(self, field.name)) for field in fields(self))


@dataclass(frozen=True)
class Batches:
    """How many messages come together, on average: what gathers in a reader's batching window."""

    size: dict[str, float]
    """By queue."""

    def requests(self, queued: Counter[str]) -> float:
        """Requests to SQS: each message is sent, and each batch received and deleted."""
        return sum(count * (1 + 2 / self.size.get(queue, 1)) for queue, count in queued.items())


ALONE = Batches({})


def bill(life: Life, cpu_ms_per_call: float, platform_lines: int, batches: Batches = ALONE) -> Bill:
    """What a million lives of this kind cost."""
    by_queue = {"DueQueue": "take_next_step", "SendQueue": "send_message", "DeliveryQueue": "record_delivery"}
    shared = {function: batches.size.get(queue, 1) for queue, function in by_queue.items()}
    # In the tests' world the two reports of one mail may share an invocation: here each message is one, then batched.
    invocations = {
        **life.invocations,
        **{function: life.queued[queue] for queue, function in by_queue.items()},
    }
    count = sum(number / shared.get(function, 1) for function, number in invocations.items())
    seconds = len(life.calls) * cpu_ms_per_call / SHARE_OF_CPU / 1000
    return Bill(
        table_writes=life.table_units * WRITE_UNIT * MILLION,
        index_writes=life.index_units * WRITE_UNIT * MILLION,
        reads=life.read_units * READ_UNIT * MILLION,
        web=life.requests * HTTP_REQUEST * MILLION,
        functions=(count * LAMBDA_REQUEST + seconds * MEMORY_GB * LAMBDA_GB_SECOND) * MILLION,
        queues=batches.requests(life.queued) * SQS_REQUEST * MILLION,
        reports=life.mails * EVENTS_OF_A_MAIL * SNS_PUBLISH * MILLION,
        logs=(life.logged + count * platform_lines) / 1e9 * LOGGED_GB * MILLION,
        storage=life.stored / 1e9 * KEPT_MONTHS * STORED_GB_MONTH * MILLION,
    )


def instants(life: Life) -> float:
    """How many times something was due later: each is one entry that came into the index and went out of it."""
    return life.index_units / 2


def without_clock(life: Life, ours: Bill) -> float:
    """The same product without its clock: no index, and no queue of what is due."""
    return ours.total - ours.index_writes - life.queued["DueQueue"] * 3 * SQS_REQUEST * MILLION


def others(life: Life, ours: Bill) -> dict[str, float]:
    """The same product with another clock in the place of ours, dollars for a million.

    Step Functions (standard): a wait and a task for each instant, a callback for each mail's report, start, choice of
    the outcome, end. Durable functions: one operation for each wait, each mail and start and outcome. Scheduler: one
    invocation for each instant. Scan: the whole table every five minutes, three months of it kept.
    """
    rest = without_clock(life, ours)
    pages = life.stored * 3 / 4096 * 0.5
    return {
        "Step Functions": rest + (2 * instants(life) + life.mails + 3) * STATE_TRANSITION * MILLION,
        "Durable functions": rest + (instants(life) + life.mails + 2) * DURABLE_OPERATION * MILLION,
        "one-time Scheduler": rest + instants(life) * (SCHEDULE + 3 * SQS_REQUEST) * MILLION,
        "scan every five minutes": rest + pages * SCANS_A_MONTH * READ_UNIT * MILLION,
    }
