"""AWS's part between the Lambdas, in one process and on a clock that the test moves.

The real handlers run as Lambda would call them, on moto's DynamoDB and Secrets Manager. This module hands on
what they leave behind: changes of the table as stream records, queued keys when their delay is over, ticks of the
clock, mails, and SES's reports. Which queue, batch, filter, route and right there is, it reads from template.yaml.
"""

import importlib
import io
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import SystemRandom
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from botocore import client as sdk
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from botocore.validate import ParamValidator
from moto import mock_aws

import apply_settings
from adapters import clock, helpdesk_api, links, mailer, secret_store, settings_store, telemetry
from adapters.aws import client
from adapters.queues import HORIZON
from blueprint import function_of, functions, readers, resources, routes, statements, stream_filters
from builders import (
    ACME_SECRET,
    OLD_ACME_SECRET,
    REPLY_BUCKET,
    START,
    URL,
    ZENDESK_SECRET,
    closed,
    records,
    sample,
    ses_event,
    settings,
    signed,
)
from domain.settings import Settings

TABLE = "followthrough-test"
BASE_CLIENT: Any = sdk.BaseClient
"""Every call of every AWS client goes through its ``_make_api_call``, PynamoDB's too."""
LINK_KEY = "the key that signs links in tests"
ACTIONS = {
    "SendMessageBatch": "sqs:SendMessage",
    "GetQueueAttributes": "sqs:GetQueueAttributes",
    "GetSecretValue": "secretsmanager:GetSecretValue",
    "SendEmail": "ses:SendEmail",
    "GetAccount": "ses:GetAccount",
    "GetObject": "s3:GetObject",
}


@dataclass
class LambdaContext:
    """What Lambda gives a handler beside the event."""

    function_name: str
    remaining: int = 20_000
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:test"
    aws_request_id: str = "52fdfc07-2182-454f-963f-5f0f9a621d72"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""
        return self.remaining


@dataclass(frozen=True)
class Page:
    """What API Gateway would give to the caller."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Sent:
    """A mail that SES accepted."""

    to: str
    subject: str
    text: str
    html: str
    tags: dict[str, str]
    id: str
    at: datetime
    headers: dict[str, str]
    reply_to: str | None = None

    @property
    def preferences(self) -> str:
        """Where "unsubscribe" leads."""
        return self.headers["List-Unsubscribe"].strip("<>")

    @property
    def link(self) -> str:
        """The first link to one of our pages, without ``?a=yes``."""
        found = re.search(rf"{re.escape(URL)}/[sfcvt]/[A-Za-z0-9_.-]+", self.text)
        assert found, "the mail has no link"
        return found[0]


@dataclass
class Queued:
    """A message in a queue."""

    body: str
    ready_at: datetime
    receives: int = 0


@dataclass
class PostOffice:
    """SES: ``plan`` says what happens to the next mails, ``reports`` what SES will report about mails to an address."""

    world: "World"
    plan: list[str] = field(default_factory=list)
    reports: dict[str, tuple[str, ...]] = field(default_factory=dict)
    reports_get_lost: bool = False
    calls: int = 0
    sent: list[Sent] = field(default_factory=list)

    def to(self, address: str) -> list[Sent]:
        """The mails that somebody got."""
        return [mail for mail in self.sent if mail.to == address]

    def take(self, request: dict[str, Any]) -> dict[str, str]:
        """One SendEmail."""
        self.calls += 1
        now = self.world.now
        plan = self.plan.pop(0) if self.plan else "accepted"
        if plan == "timeout before it was accepted":
            raise ReadTimeoutError(endpoint_url="https://email")
        if plan == "no connection":
            raise EndpointConnectionError(endpoint_url="https://email")
        if plan != "accepted" and plan != "timeout after it was accepted":
            code, status, message = {
                "throttled": ("TooManyRequestsException", 429, "Maximum sending rate exceeded."),
                "over quota": ("LimitExceededException", 400, "Daily message quota exceeded."),
                "rejected": ("MessageRejected", 400, "Address is invalid."),
                "broken": ("InternalServiceErrorException", 500, "Sorry."),
            }[plan]
            raise refusal(code, status, "SendEmail", message)
        (to,) = request["Destination"]["ToAddresses"]
        simple = request["Content"]["Simple"]
        mail = Sent(
            to=to,
            subject=simple["Subject"]["Data"],
            text=simple["Body"]["Text"]["Data"],
            html=simple["Body"]["Html"]["Data"],
            tags={tag["Name"]: tag["Value"] for tag in request["EmailTags"]},
            id=f"0107-{self.calls:06d}",
            at=now,
            reply_to=next(iter(request["ReplyToAddresses"]), None),
            headers={header["Name"]: header["Value"] for header in simple["Headers"]},
        )
        self.sent.append(mail)
        if not self.reports_get_lost:
            for kind in self.reports.get(to, ("Send", "Delivery")):
                self.report(mail, kind, now)
        if plan == "timeout after it was accepted":
            raise ReadTimeoutError(endpoint_url="https://email")
        return {"MessageId": mail.id}

    def report(self, mail: Sent, kind: str, at: datetime) -> None:
        """SES reports about a mail."""
        event = ses_event(kind, mail.tags, mail.to, mail.id, at, mail.at)
        self.world.queue("DeliveryQueue", json.dumps(event))


@dataclass
class Fault:
    """Something fails the next ``times`` times; with ``after`` it is done all the same, and only the reply is lost."""

    operation: str
    error: Exception
    times: int = 1
    after: bool = False


def refusal(code: str, status: int, operation: str, message: str = "") -> ClientError:
    """An error that an AWS service answers."""
    details: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(details, operation)


class World:
    """One company's AWS account."""

    def __init__(self) -> None:
        self.now = START
        self.mail = PostOffice(self)
        self.queues: dict[str, list[Queued]] = {name: [] for name in resources("AWS::SQS::Queue")}
        self.changes: list[dict[str, Any]] = []
        """What the stream still has to bring."""
        self.past_changes: list[dict[str, Any]] = []
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        """What is in the table, as DynamoDB writes it."""
        self.faults: list[Fault] = []
        self.failed: list[str] = []
        """Messages and records that a Lambda did not finish; a test that expects one clears it."""
        self.forbidden: list[str] = []
        """Calls for which the template gives the Lambda no right."""
        self.invocations: list[str] = []
        self.calls: Counter[tuple[str, str]] = Counter()
        """How often a Lambda called an operation of AWS."""
        self.log = io.StringIO()
        self.lose_changes = False
        self._running: str | None = None
        self._ids = 0
        self._reads: dict[str, Any] = {}

    # --- the test's hands ---------------------------------------------------------------------------------------------

    def apply(self, new: Settings) -> None:
        """The company stores its settings."""
        apply_settings.apply(new, TABLE, URL, self.now)

    def hook(self, body: bytes, headers: dict[str, str] | None = None, source: str = "acme") -> Page:
        """A helpdesk's webhook; signed for ``acme`` unless it brings headers of its own."""
        given = signed(body, self.now) if headers is None else headers
        return self.http(
            "POST", f"/hooks/{source}", body=body.decode("utf-8", "surrogateescape"), headers=given
        )

    def asked(self, ticket_id: str = "4711", **changed: Any) -> str:
        """A closure whose customer has got the survey a day later; gives the link in it."""
        before = len(self.mail.sent)
        assert self.hook(closed(ticket_id, self.now, **changed)).status == 202
        self.wait(timedelta(days=1, minutes=1))
        (survey,) = [
            mail
            for mail in self.mail.sent[before:]
            if mail.subject == f"Is ticket {ticket_id} really solved?"
        ]
        return survey.link

    def press(self, link: str, **form: str) -> Page:
        """Somebody presses the button of a page, with what the page put into its form."""
        is_sealed = re.search("/[sgfcv]/", link) is not None
        page = self.open(link) if is_sealed and "seal" not in form else None
        if page and "seal" not in form and (seal := self.seal(page)):
            form["seal"] = seal
        if page and "/f/" in link and "form" not in form and (id := self.form_id(page)):
            form["form"] = id
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return self.http("POST", link, body=urlencode(form), headers=headers)

    def sealed(self, event: dict[str, Any], link: str) -> dict[str, Any]:
        """A sample of a form, as it comes from the page behind a link."""
        event["body"] += f"&seal={self.seal(self.open(link))}"
        return event

    @staticmethod
    def form_id(page: Page) -> str | None:
        """The id of what is pressed next on a flag's page; None where there is no such form."""
        found = re.search(r'name="form" value="([0-9a-f]+)"', page.body)
        return found[1] if found else None

    @staticmethod
    def seal(page: Page) -> str | None:
        """The seal in a page's form; None where there is no form."""
        found = re.search(r'name="seal" value="([^"]+)"', page.body)
        return found[1] if found else None

    def open(self, link: str) -> Page:
        """Somebody, or something, opens a link."""
        return self.http("GET", link)

    def http(
        self,
        method: str,
        url: str,
        body: str | None = None,
        headers: dict[str, str] | None = None,
        *,
        encoded: bool = False,
    ) -> Page:
        """A request as API Gateway brings it to the Lambda of its route; 404 when there is none."""
        parts = urlsplit(url)
        matching = ((function, _parameters(key, method, parts.path)) for key, function in routes().items())
        function, parameters = next((known for known in matching if known[1] is not None), ("", None))
        if parameters is None:
            return Page(404, {}, "")
        event = sample(function)
        event |= {"rawPath": parts.path, "rawQueryString": parts.query, "pathParameters": parameters}
        event["requestContext"]["http"] |= {"method": method, "path": parts.path}
        event["queryStringParameters"] = dict(parse_qsl(parts.query))
        event["isBase64Encoded"] = encoded
        event["headers"] |= headers or {}
        event["body"] = body
        return self.answered(self.invoke(function, event))

    def answered(self, response: dict[str, Any]) -> Page:
        """A Lambda's response as API Gateway passes it on."""
        assert set(response) == {"statusCode", "headers", "body"}
        return Page(response["statusCode"], response["headers"], response["body"])

    def wait(self, duration: timedelta) -> None:
        """Let time pass: everything happens when it is due, and in order."""
        self.wait_until(self.now + duration)

    def wait_until(self, until: datetime) -> None:
        """Let time pass until an instant."""
        self.settle()
        while (at := self._next_instant()) <= until:
            self.now = at
            self.tick()
            self.settle()
        self.now = until
        if self._next_instant() - until <= HORIZON:
            self.tick()
            self.settle()

    def tick(self) -> None:
        """EventBridge's tick of every minute."""
        self.invoke("run_clock", sample("run_clock"))

    def settle(self) -> None:
        """Hand on changes and messages until nothing is left that could be taken now."""
        while self._react() or any([self._work_off(queue) for queue in readers() if queue != "Table"]):
            pass

    def invoke(self, function: str, event: Any, remaining: int = 20_000) -> Any:
        """Call one Lambda as AWS would: with JSON, and JSON comes back."""
        handler = importlib.import_module(function).handler
        self._running = function
        self.invocations.append(function)
        try:
            result = handler(json.loads(json.dumps(event)), LambdaContext(function, remaining))
        finally:
            self._running = None
        return json.loads(json.dumps(result))

    def fail(
        self, operation: str, error: Exception | None = None, times: int = 1, *, after: bool = False
    ) -> None:
        """The next calls of an operation fail, such as ``PutItem``."""
        throttled = refusal("ProvisionedThroughputExceededException", 400, operation, "slow down")
        self.faults.append(Fault(operation, error or throttled, times, after))

    def receive(self, mail: bytes, told: dict[str, Any], *, stored: bool = True, queued: bool = True) -> None:
        """SES receives a mail: stores it and notifies the queue; ``told`` is its notification (builders.received)."""
        if stored:
            action = told["receipt"]["action"]
            client("s3").put_object(Bucket=action["bucketName"], Key=action["objectKey"], Body=mail)
        if queued:
            self.queue("ReplyQueue", json.dumps(told))

    def queue(self, queue: str, body: str, delay: float = 0) -> None:
        """A message comes into a queue."""
        self.queues[queue].append(Queued(body, self.now + timedelta(seconds=delay)))

    def token(self, link: str) -> str:
        """The token in a link."""
        return link.rpartition("/")[2]

    def survey_link(self, ticket_id: str = "4711", number: int = 1, source: str = "acme") -> str:
        """A survey link as the mail for this closure has it."""
        return links.survey_url(URL, links.TicketLink(source, ticket_id, number), self.now, self.now)

    def scan(self) -> list[str]:
        """The whole table, comparable."""
        found = client("dynamodb").scan(TableName=TABLE)
        assert "LastEvaluatedKey" not in found
        return sorted(json.dumps(item, sort_keys=True) for item in found["Items"])

    # --- AWS's hands --------------------------------------------------------------------------------------------------

    def new_id(self) -> str:
        """Identifiers in order instead of at random."""
        self._ids += 1
        return f"{self._ids:032x}"

    def call(self, original: Callable[..., Any], self_: Any, operation: str, request: dict[str, Any]) -> Any:
        """Every call of an AWS service by anybody ends here."""
        service = self_.meta.service_model.service_name
        if self._running:
            self.calls[self._running, operation] += 1
            self._check_rights(operation, request)
        fault = next((f for f in self.faults if f.operation == operation and f.times > 0), None)
        if fault and self._running:
            fault.times -= 1
            if not fault.after:
                raise fault.error
        if service == "sesv2":
            answer = self._ses(self_, operation, request)
        elif service == "sqs":
            answer = self._sqs(self_, operation, request)
        elif operation in {"PutItem", "TransactWriteItems"}:
            answer = self._write(lambda: original(self_, operation, request), request)
        elif operation in {"GetItem", "Query", "BatchGetItem"}:
            answer = self._read(lambda: original(self_, operation, request), operation, request)
        elif operation == "DeleteItem" and not self._running:
            # A test takes something away as DynamoDB's expiry does, or an operator erases it; no Lambda may.
            answer = original(self_, operation, request)
            del self.items[request["Key"]["pk"]["S"], request["Key"]["sk"]["S"]]
            self._reads.clear()
        else:
            assert not operation.startswith(("Update", "Delete", "BatchWrite")), (
                "the world does not know this write"
            )
            answer = original(self_, operation, request)
        if fault and self._running and fault.after:
            raise fault.error
        return answer

    def _ses(self, self_: Any, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        assert self_.meta.config.retries["total_max_attempts"] == 1, (
            "the SDK would send a mail again by itself"
        )
        _check_request(self_, operation, request)
        if operation == "GetAccount":
            return {"SendQuota": {"MaxSendRate": 1000.0}}
        assert operation == "SendEmail"
        return dict(self.mail.take(request))

    def _sqs(self, self_: Any, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        _check_request(self_, operation, request)
        name = request["QueueUrl"].rpartition("/")[2]
        if operation == "GetQueueAttributes":
            waiting = sum(message.ready_at <= self.now for message in self.queues[name])
            return {"Attributes": {"ApproximateNumberOfMessages": str(waiting)}}
        assert operation == "SendMessageBatch"
        assert 1 <= len(request["Entries"]) <= 10
        assert len({entry["Id"] for entry in request["Entries"]}) == len(request["Entries"])
        for entry in request["Entries"]:
            assert 0 <= entry["DelaySeconds"] <= 900
            self.queue(name, entry["MessageBody"], entry["DelaySeconds"])
        return {"Successful": [{"Id": entry["Id"]} for entry in request["Entries"]]}

    def _read(self, read: Callable[[], Any], operation: str, request: dict[str, Any]) -> Any:
        """Moto's answer; what every answer would be alike is answered here, because moto takes its time.

        One item is the last one written, a shard without anything due is empty, and an answer stays the same until
        something in one of the partitions that the request names is written.
        """
        if operation == "GetItem":
            item = self.items.get((request["Key"]["pk"]["S"], request["Key"]["sk"]["S"]))
            return {"Item": deepcopy(item)} if item else {}
        if "IndexName" in request:
            shards = {item["due_shard"]["S"] for item in self.items.values() if "due_shard" in item}
            named = {value.get("S") for value in request["ExpressionAttributeValues"].values()}
            return read() if shards & named else {"Items": [], "Count": 0, "ScannedCount": 0}
        key = operation + json.dumps(request, sort_keys=True)
        if key not in self._reads:
            self._reads[key] = read()
        return deepcopy(self._reads[key])

    def _write(self, write: Callable[[], Any], request: dict[str, Any]) -> Any:
        puts = [request] if "Item" in request else [entry["Put"] for entry in request["TransactItems"]]
        answer = write()
        for put in puts:
            new = put["Item"]
            key = (new["pk"]["S"], new["sk"]["S"])
            old = self.items.get(key)
            self._reads = {
                text: known for text, known in self._reads.items() if json.dumps(key[0]) not in text
            }
            self.items[key] = new
            change = {"Keys": {name: new[name] for name in ("pk", "sk")}, "NewImage": new}
            record = {
                "eventName": "MODIFY" if old else "INSERT",
                "dynamodb": change | ({"OldImage": old} if old else {}),
            }
            if not self.lose_changes and any(_fits(pattern, record) for pattern in stream_filters()):
                self.changes.append(record)
                self.past_changes.append(record)
        return answer

    def _check_rights(self, operation: str, request: dict[str, Any]) -> None:
        function = self._running or ""
        for action, resource in _needed(operation, request):
            allowed = any(
                action in actions and (not resource or any(resource in known for known in granted))
                for actions, granted in statements(function)
            )
            if not allowed:
                self.forbidden.append(f"{function} must not {action} {resource}")

    def _react(self) -> bool:
        size = readers()["Table"]["BatchSize"]
        batch, self.changes = self.changes[:size], self.changes[size:]
        if not batch:
            return False
        pattern = sample("react_to_change")["Records"][0]
        listed = [
            {**pattern, **record, "dynamodb": {**record["dynamodb"], "SequenceNumber": str(number)}}
            for number, record in enumerate(batch)
        ]
        for record in self._tried(listed):
            # The batch is bisected, which finds the records that fail: the others go on.
            if self._tried([record]):
                self._bury(record)
        return True

    def _tried(self, listed: list[Any]) -> list[Any]:
        """A batch, as often as the template says: what is left."""
        for _ in range(readers()["Table"]["MaximumRetryAttempts"] + 1):
            done, listed = self._batch("react_to_change", {"Records": listed}, listed)
            if done:
                break
        return listed

    def _bury(self, record: dict[str, Any]) -> None:
        """The queue gets where the record stood in the stream, not the record itself."""
        stream = readers()["Table"]
        assert stream["BisectBatchOnFunctionError"]
        number = record["dynamodb"]["SequenceNumber"]
        told = {
            "requestContext": {
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": stream["MaximumRetryAttempts"] + 1,
            },
            "DDBStreamBatchInfo": {
                "startSequenceNumber": number,
                "endSequenceNumber": number,
                "batchSize": 1,
            },
        }
        self.queue(
            stream["DestinationConfig"]["OnFailure"]["Destination"].partition(".")[0], json.dumps(told)
        )

    def _batch(self, function: str, event: dict[str, Any], listed: list[Any]) -> tuple[bool, list[Any]]:
        """A stream's batch: whether all of it is done, and what is left: everything from the first failed record on."""
        try:
            failed = [entry["itemIdentifier"] for entry in self.invoke(function, event)["batchItemFailures"]]
        except Exception as error:
            self.failed.append(f"{function}: {error}")
            return False, listed
        if failed:
            self.failed.append(f"{function}: {failed}")
            return False, listed[min(int(number) for number in failed) - int(_number(listed[0])) :]
        return True, []

    def _work_off(self, queue: str) -> bool:
        reader = readers()[queue]
        ready = [message for message in self.queues[queue] if message.ready_at <= self.now][
            : reader["BatchSize"]
        ]
        if not ready:
            return False
        function = function_of(reader["FunctionName"])
        properties = resources("AWS::SQS::Queue")[queue]
        for message in ready:
            message.receives += 1
            message.ready_at = self.now + timedelta(seconds=properties["VisibilityTimeout"])
        try:
            result = self.invoke(function, records(function, [message.body for message in ready]))
            failed = {int(entry["itemIdentifier"]) for entry in result["batchItemFailures"]}
        except Exception as error:
            failed = set(range(len(ready)))
            self.failed.append(f"{function}: {error}")
        else:
            self.failed += [f"{function}: {ready[number].body}" for number in sorted(failed)]
        for number, message in enumerate(ready):
            dead = message.receives >= properties["RedrivePolicy"]["maxReceiveCount"]
            if number not in failed or dead:
                self.queues[queue].remove(message)
            if number in failed and dead:
                self.queues[properties["RedrivePolicy"]["deadLetterTargetArn"].partition(".")[0]].append(
                    message
                )
        return True

    def _next_instant(self) -> datetime:
        """When something can happen next; a tick comes every minute for what is overdue."""
        instants = [
            message.ready_at for name in readers() if name != "Table" for message in self.queues[name]
        ]
        due = [int(item["due_at"]["N"]) for item in self.items.values() if "due_at" in item]
        instants += [max(datetime.fromtimestamp(at, UTC), self.now + timedelta(minutes=1)) for at in due]
        return min(instants, default=datetime.max.replace(tzinfo=UTC))


def _parameters(route: str, method: str, path: str) -> dict[str, str] | None:
    """The parameters in a path, if the route key is that of the request."""
    wanted, _, pattern = route.partition(" ")
    found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern), path)
    return found.groupdict() if found and wanted == method else None


def _check_request(made: Any, operation: str, request: dict[str, Any]) -> None:
    """What botocore would check before it sends a request that moto does not get."""
    report = ParamValidator().validate(
        request, made.meta.service_model.operation_model(operation).input_shape
    )
    assert not report.has_errors(), report.generate_report()


def _number(record: dict[str, Any]) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def _fits(pattern: Any, value: Any) -> bool:
    """Lambda's filter patterns, as far as the template uses them."""
    if isinstance(pattern, list):
        return value in pattern
    return isinstance(value, dict) and all(_fits(inner, value.get(name)) for name, inner in pattern.items())


def _needed(operation: str, request: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "TableName" in request or "TransactItems" in request or "RequestItems" in request:
        index = request.get("IndexName")
        resource = f"${{Table.Arn}}/index/{index}" if index else "Table.Arn"
        if operation == "TransactWriteItems":
            kinds = {kind for entry in request["TransactItems"] for kind in entry}
            yield from ((f"dynamodb:{kind}Item", resource) for kind in kinds)
        else:
            yield f"dynamodb:{operation}", resource
    elif "Bucket" in request:
        yield ACTIONS[operation], "ReplyBucket.Arn"
    elif "QueueUrl" in request:
        yield ACTIONS[operation], f"{request['QueueUrl'].rpartition('/')[2]}.Arn"
    else:
        yield ACTIONS[operation], request.get("SecretId", "")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An account with the table of template.yaml, secrets and settings, on a Monday morning."""
    made = World()
    original = BASE_CLIENT._make_api_call

    def call(self: Any, operation: str, request: dict[str, Any]) -> Any:
        return made.call(original, self, operation, request)

    monkeypatch.setattr(BASE_CLIENT, "_make_api_call", call)
    monkeypatch.setattr(clock, "now", lambda: made.now)
    monkeypatch.setattr(clock, "new_id", made.new_id)
    monkeypatch.setattr(SystemRandom, "uniform", lambda _, low, high: (low + high) / 2)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    for handler in telemetry.logger.handlers:
        monkeypatch.setattr(handler, "stream", made.log)
    with mock_aws():
        (table,) = resources("AWS::DynamoDB::Table").values()
        wanted = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
        client("dynamodb").create_table(TableName=TABLE, **{name: table[name] for name in wanted})
        client("s3").create_bucket(
            Bucket=REPLY_BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        hooks = {"acme": [ACME_SECRET, OLD_ACME_SECRET], "zendesk": ZENDESK_SECRET}
        keys = {"current": LINK_KEY, "retired": []}
        for name, secret in {
            "HookSecrets": hooks,
            "LinkKeys": keys,
            "ChatAddresses": {},
            "ApiSecrets": {},
        }.items():
            client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(secret))
        _forget()
        made.apply(settings())
        yield made
    _forget()
    assert made.forbidden == []
    assert made.failed == []
    assert [name for name in made.queues if name.endswith("DeadLetters") and made.queues[name]] == []
    assert set(made.invocations) <= set(functions())


def _forget() -> None:
    settings_store.forget()
    secret_store.forget()
    mailer._pace.clear()
    mailer._rate.clear()
    helpdesk_api.forget()
