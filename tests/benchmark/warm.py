"""Warm invocations: CPU of each handler against a bare boto3 conditional put, with an endpoint that answers at once.

Each Lambda has a process of its own (they share nothing in reality either); in it the handler and the reference take
turns. ``python -m benchmark.warm <function> <blocks' size> <rounds> <port>`` is one such process.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmark.rounds import Case, Ratio, blocks, ratio

REFERENCE = "bare boto3 put"
WEBHOOK = "receive_ticket"
WEBHOOK_AT_MOST = 1.25
FUNCTIONS = (
    WEBHOOK,
    "react_to_change",
    "take_next_step",
    "send_message",
    "record_delivery",
    "show_survey",
    "record_answer",
    "read_reply",
)
TICKET = "TICKET#acme#4711"
JUST_SENT = "TICKET#acme#4712"


@dataclass(frozen=True)
class Warm:
    """One handler beside the reference."""

    function: str
    ours: Case
    reference: Case
    calls: dict[str, int]
    """AWS calls of one invocation."""

    @property
    def ratio(self) -> Ratio:
        """CPU of one invocation in bare puts."""
        return ratio(self.ours, self.reference)


def measure(size: int, rounds: int) -> dict[str, Warm]:
    """Measure all handlers of a follow-up's way."""
    with _stub() as port:
        return {function: _measured(function, size, rounds, port) for function in FUNCTIONS}


def _measured(function: str, size: int, rounds: int, port: int) -> Warm:
    command = [sys.executable, "-m", "benchmark.warm", function, str(size), str(rounds), str(port)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    told = json.loads(ended.stdout.splitlines()[-1])
    return Warm(function, Case(function, told["ours"]), Case(REFERENCE, told["reference"]), told["calls"])


# --- what is stored, and the events ----------------------------------------------------------------------------------


def _asked(now: datetime, ticket_id: str = "4711", *, delivered: bool = True) -> Any:
    from domain.closure import Closure
    from domain.delivery import Delivery, Progress
    from domain.follow_up import State, Ticket, open_follow_up

    settings = _settings()
    closed_at = now - timedelta(days=5)
    closure = Closure(
        source="acme",
        ticket_id=ticket_id,
        closed_at=closed_at,
        kind="solved",
        subject="I cannot sign in to the portal",
        requester_email="ana@customer.example",
        requester_name="Ana Beispiel",
        time_zone="Europe/Berlin",
        team="Web Portal",
        cause="Password reset failed",
    )
    opened = open_follow_up(Ticket(), closure, closed_at, settings)
    survey = Delivery(
        progress=Progress.DELIVERED if delivered else Progress.SENT,
        claim="0" * 32,
        claimed_at=now - timedelta(days=4),
        sent_at=now - timedelta(days=4),
        delivered_at=now - timedelta(days=4) if delivered else None,
        provider_id="0" * 60,
    )
    asked = replace(opened, state=State.ASKED, survey=survey, due_at=now - timedelta(hours=1))
    return replace(asked, version=4)


def _settings() -> Any:
    import builders
    from domain.settings import Hours

    always = Hours(weekdays=tuple(range(7)), opens=datetime.min.time(), closes=datetime.max.time())
    return builders.settings(hours=always, first_ask_after=timedelta(minutes=1))


def answers() -> dict[str, dict[str, Any]]:
    """What the endpoint says, for an instant that is now."""
    import msgspec

    import builders
    from adapters import settings_store, tickets

    now = datetime.now(UTC)
    asked = tickets.row(_asked(now)).serialize()
    sent = tickets.row(_asked(now, "4712", delivered=False)).serialize()
    stored = settings_store.Stored(settings=_settings(), applied_at=now, digest="x", version=1)
    item = {
        "pk": {"S": "SETTINGS"},
        "sk": {"S": "CURRENT"},
        "kind": {"S": "settings"},
        "version": {"N": "1"},
        "body": {"S": msgspec.json.encode(stored).decode()},
    }
    hooks = {"acme": [builders.ACME_SECRET]}
    return {
        "GetItem": {"SETTINGS": {"Item": item}},
        "Query": {
            TICKET: {"Items": [asked], "Count": 1, "ScannedCount": 1},
            JUST_SENT: {"Items": [sent], "Count": 1, "ScannedCount": 1},
            "": {"Items": [], "Count": 0, "ScannedCount": 0},
        },
        "GetSecretValue": {
            "HookSecrets": {"SecretString": json.dumps(hooks)},
            "": {"SecretString": json.dumps({"current": "a key that signs", "retired": []})},
        },
        "GetAccount": {"": {"SendQuota": {"MaxSendRate": 1e9}}},
        "SendEmail": {"": {"MessageId": "0" * 60}},
        "SendMessageBatch": {"": {"Successful": [], "Failed": []}},
        "GetObject": {"": builders.written("Yes, it is solved. Thank you!").decode()},
    }


def event_for(function: str) -> Callable[[], dict[str, Any]]:
    """Makes the event of one invocation; each closure is of another ticket."""
    import builders
    from adapters import links, mailer, reply_address, tickets
    from domain.follow_up import State

    now = datetime.now(UTC)
    numbers = iter(range(10**9))
    key = {"pk": TICKET, "sk": "FOLLOW_UP#0001"}
    if function == WEBHOOK:
        return lambda: _hook(next(numbers), now)
    if function == "take_next_step":
        return lambda: builders.records(function, [json.dumps(key)])
    if function == "send_message":
        return lambda: builders.records(function, [json.dumps({**key, "part": "reminder"})])
    if function == "record_delivery":
        tags = {"message": mailer.message_tag(JUST_SENT, key["sk"], "survey"), "claim": "0" * 32}
        report = builders.ses_event("Delivery", tags, "ana@customer.example", "1", now)
        return lambda: builders.records(function, [json.dumps(report)])
    if function == "read_reply":
        to = reply_address.write(links.TicketLink("acme", "4711", 1), builders.REPLY_DOMAIN, now)
        assert to is not None
        return lambda: builders.records(
            function, [json.dumps(builders.received(to, f"reply-{next(numbers)}", now))]
        )
    if function == "react_to_change":
        pattern = builders.sample(function)
        record = pattern["Records"][0]
        record["eventName"] = "INSERT"
        record["dynamodb"].pop("OldImage", None)
        new = replace(_asked(now), state=State.SCHEDULED, survey=None, due_at=now + timedelta(days=1))
        record["dynamodb"]["NewImage"] = tickets.row(new).serialize()
        return lambda: {"Records": [record]}
    token = links.survey_url("", links.TicketLink("acme", "4711", 1), now, now).rpartition("/")[2]
    page = builders.sample(function)
    page["pathParameters"] = {"token": token}
    page["body"], page["isBase64Encoded"] = "answer=yes", False
    page["headers"] = {"content-type": "application/x-www-form-urlencoded"}
    return lambda: page


def _hook(number: int, now: datetime) -> dict[str, Any]:
    import builders

    body = builders.closed(str(100_000 + number), now - timedelta(minutes=1))
    event = builders.sample(WEBHOOK)
    event["pathParameters"] = {"source": "acme"}
    event["body"], event["isBase64Encoded"] = body.decode(), False
    event["headers"] = builders.signed(body, now)
    return event


# --- one process -----------------------------------------------------------------------------------------------------


def main(function: str, size: int, rounds: int, port: int) -> None:
    """Measure one handler; prints the figures as the last line."""
    import conftest  # noqa: F401 - the environment that handlers read on import

    os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{port}"
    import importlib

    from benchmark.capacity import metered
    from world import LambdaContext

    handler = importlib.import_module(function).handler
    bare = importlib.import_module("benchmark.reference.put").handler
    event, context = event_for(function), LambdaContext(function)
    webhook = event_for(WEBHOOK)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        from adapters import telemetry

        for known in telemetry.logger.handlers:
            known.setStream(printed)  # type: ignore[attr-defined]  # Powertools' handlers are stream handlers
        handler(event(), context)
        with metered(lambda: function) as meter:
            handler(event(), context)
        calls: dict[str, int] = {}
        for call in meter.calls:
            calls[call.operation] = calls.get(call.operation, 0) + 1
        # Events are made outside of what is measured.
        ours, its = [event() for _ in range(size)], [webhook() for _ in range(size)]
        at = {"ours": 0, "its": 0}

        def mine() -> object:
            at["ours"] = (at["ours"] + 1) % size
            printed.truncate(0)
            return handler(ours[at["ours"]], context)

        def reference() -> object:
            at["its"] = (at["its"] + 1) % size
            return bare(its[at["its"]], context)

        measured = blocks({function: mine, REFERENCE: reference}, size, rounds)
    told = {"ours": measured[function].rounds, "reference": measured[REFERENCE].rounds, "calls": calls}
    sys.stdout.write(json.dumps(told) + "\n")


@contextmanager
def _stub() -> Iterator[int]:
    import conftest  # noqa: F401

    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(answers(), file)
        file.flush()
        command = [sys.executable, str(Path(__file__).with_name("stub.py")), file.name]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout
            try:
                yield int(server.stdout.readline())
            finally:
                server.terminate()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
