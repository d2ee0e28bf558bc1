"""The model of AWS answers as the local AWS does: the same calls through the real adapters, the same results.

Where the local AWS (ministack) differs from AWS itself, the model follows AWS, and the difference stands in DEVIATIONS;
when it is gone the test says so.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from botocore.session import get_session

import erase
from adapters import aws, mailer, queues, received_mail, secret_store, table
from blueprint import resources
from domain.errors import Changed
from messages.compose import Mail
from simulation.sim_aws import SECOND, Bucket, Change, PostOffice, Queue, Table

START = datetime(2026, 11, 30, 9, tzinfo=UTC)
NAME = os.environ["TABLE"]
READY_WITHIN = 60.0

DEVIATIONS: dict[str, str] = {}
"""Scenario, and what ministack does otherwise than AWS."""


@dataclass
class Side:
    """One of the two that are compared."""

    name: str
    wait: Callable[[float], None]
    receive: Callable[[int], list[str]]
    changes: Callable[[], list[tuple[str, str, str]]]
    """Event name, sort key and old version of every stream record so far."""
    store: Callable[[str, bytes], object]
    """A mail comes into the bucket."""

    def raw(self, operation: str, **request: Any) -> str:
        """An answer of DynamoDB itself: OK or its error code."""
        try:
            table.connection()._make_api_call(operation, request)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "OK"


# --- scenarios -------------------------------------------------------------------------------------------------------


def row(sk: str, version: int = 1, pk: str = "CONFORMANCE", **more: Any) -> table.Row:
    made = table.Row(pk, sk, kind="test", version=version, body="{}")
    for name, value in more.items():
        setattr(made, name, value)
    return made


def happens(do: Callable[[], Any]) -> Any:
    try:
        return do()
    except Changed:
        return "Changed"


def versions(pk: str, **given: Any) -> list[tuple[str, int]]:
    return [(str(item.sk), int(item.version)) for item in table.find(pk, **given)]


def conditions(side: Side) -> Any:
    pk = "conditions"
    done = [
        happens(lambda: table.put(row("a", 1, pk))),
        happens(lambda: table.put(row("a", 1, pk))),
        happens(lambda: table.put(row("a", 2, pk))),
        happens(lambda: table.put(row("a", 2, pk))),
        happens(lambda: table.put(row("b", 2, pk))),
        table.put_missing(row("c", 1, pk)),
        table.put_missing(row("c", 1, pk)),
        table.get(pk, "nothing") is None,
    ]
    return done, versions(pk)


def all_or_none(side: Side) -> Any:
    pk = "all-or-none"
    table.put(row("a", 1, pk))
    done = [
        happens(lambda: table.put_all([row("b", 1, pk), row("a", 1, pk)])),
        happens(lambda: table.put_all([row("b", 1, pk), row("a", 2, pk)])),
        happens(lambda: table.put_all([row("b", 2, pk), row("c", 7, pk)])),
    ]
    return done, versions(pk)


def transaction_tokens(side: Side) -> Any:
    def put(sk: str, token: str) -> str:
        item = {
            "pk": {"S": "tokens"},
            "sk": {"S": sk},
            "kind": {"S": "t"},
            "version": {"N": "1"},
            "body": {"S": ""},
        }
        absent = {
            "ConditionExpression": "attribute_not_exists (#0)",
            "ExpressionAttributeNames": {"#0": "pk"},
        }
        entry = {"Put": {"TableName": NAME, "Item": item, **absent}}
        return side.raw("TransactWriteItems", TransactItems=[entry], ClientRequestToken=token)

    return [put("a", "one"), put("a", "one"), put("a", "two"), put("b", "one")]


def one_item_twice_in_a_transaction(side: Side) -> Any:
    item = {"pk": {"S": "twice"}, "sk": {"S": "a"}}
    entry = {"Put": {"TableName": NAME, "Item": item}}
    return side.raw("TransactWriteItems", TransactItems=[entry, entry])


def ranges(side: Side) -> Any:
    pk = "ranges"
    for sk in ("MARK#3", "MARK#1", "STATE", "MARK#2", "A"):
        table.put(row(sk, 1, pk))
    return (
        versions(pk),
        versions(pk, newest_first=True),
        versions(pk, since="MARK#1", until="MARK#2"),
        versions(pk, since="MARK#1", until="MARK#9", newest_first=True),
        versions("nothing there"),
    )


def erased(side: Side) -> Any:
    """As infra/erase.py does it."""
    for sk in "abc":
        table.put(row(sk, 1, "erased"))
    read = row("a", 1, "erased")
    table.put(row("a", 2, "erased"))
    before = side.changes()
    done = [erase._delete(each) for each in (read, row("b", 1, "erased"), row("b", 1, "erased"))]
    left = [str(item.sk) for item in erase._all() if item.pk == "erased"]
    return done, left, [str(item.sk) for item in erase._all(["else"])], side.changes()[len(before) :]


def long_partitions(side: Side) -> Any:
    for number in range(25):
        table.put(row(f"{number:04d}", 1, "long", body="x" * 60_000))
    return versions("long"), versions("long", newest_first=True)[:3]


def many(side: Side) -> Any:
    for number in range(130):
        table.put(row(f"{number:04d}", 1, "many"))
    keys = [("many", f"{number:04d}") for number in range(0, 140)]
    return sorted(str(item.sk) for item in table.get_many([*keys, keys[0]]))


def due(side: Side) -> Any:
    at = int(START.timestamp())
    for number, sk in enumerate("cab"):
        table.put(row(sk, 1, f"due-{number}", due_shard="due#0", due_at=at + number * 60))
    table.put(row("x", 1, "due-9"))
    table.put(row("c", 2, "due-0"))  # nothing is due there any more
    table.put(row("a", 2, "due-1", due_shard="due#0", due_at=at + 600))  # moved

    def found(until: int, since: int | None = None) -> list[tuple[str, str, int]]:
        begin = START + timedelta(seconds=since) if since is not None else None
        listed = table.find_due("due#0", START + timedelta(seconds=until), begin)
        return [(pk, sk, int(when.timestamp()) - at) for pk, sk, when in listed]

    return found(0), found(120), found(600), found(600, 121), list(table.find_due("due#1", START))


def stream(side: Side) -> Any:
    before = len(side.changes())
    table.put(row("a", 1, "stream"))
    table.put(row("a", 2, "stream", due_shard="due#3", due_at=5))
    table.put_all([row("a", 3, "stream"), row("b", 1, "stream")])
    same = {"pk": {"S": "stream"}, "sk": {"S": "c"}, "version": {"N": "1"}}
    for _ in range(2):
        side.raw("PutItem", TableName=NAME, Item=same)
    found = side.changes()[before:]
    return {sk: [change for change in found if change[1] == sk] for sk in "abc"}


def queue(side: Side) -> Any:
    queued = queues.queue_due([("a", "1", START), ("b", "2", START + timedelta(seconds=2))], START)
    waiting = queues.is_backlog()
    first = side.receive(10)
    hidden = side.receive(10)
    side.wait(2.2)
    late = sorted(side.receive(10))
    return queued, waiting, first, hidden, late, queues.is_backlog()


def dead_letters(side: Side) -> Any:
    queues.queue_mail("a", "1", "survey", START)
    seen = []
    for _ in range(4):
        seen.append(len(side.receive(-1)))
        side.wait(1.2)
    return seen


def secrets(side: Side) -> Any:
    secret_store.forget()
    return secret_store.hook_keys("acme", START), secret_store.link_keys(START)


def mail(side: Side) -> Any:
    sent = mailer.send(
        mail=Mail(subject="Is it solved?", text="Is it?", html="<p>Is it?</p>"),
        to="ana@customer.example",
        sender="followthrough@acme.example",
        reply_to=None,
        tags={"message": mailer.message_tag("a", "b", "survey"), "claim": "c"},
    )
    return bool(sent), mailer._account_rate(START) >= 1


def stored_mail(side: Side) -> Any:
    def head(key: str) -> Any:
        try:
            return received_mail.head("replies", key)
        except ClientError as error:
            return error.response["Error"]["Code"]

    side.store("short", b"Subject: Re\r\n\r\nYes.")
    side.store("long", b"x" * (received_mail.LONGEST_HEAD + 100))
    side.store("empty", b"")
    return head("short"), len(head("long")), head("nothing"), head("empty")


SCENARIOS = [
    conditions,
    all_or_none,
    transaction_tokens,
    one_item_twice_in_a_transaction,
    ranges,
    long_partitions,
    many,
    due,
    stream,
    queue,
    dead_letters,
    secrets,
    mail,
    stored_mail,
    erased,
]


# --- the two sides ---------------------------------------------------------------------------------------------------

SECRETS = {"HookSecrets": '{"acme": ["newest", "older"]}', "LinkKeys": '{"current": "k", "retired": []}'}


@contextmanager
def the_model(monkeypatch: pytest.MonkeyPatch) -> Iterator[Side]:
    now = [int(START.timestamp()) * SECOND]
    changes: list[Change] = []
    held = Table(lambda: now[0], changes.append)
    office, bucket = PostOffice(lambda: now[0]), Bucket()
    dead = Queue(lambda: now[0])
    due_queue = Queue(lambda: now[0], visibility=60 * SECOND, most_receives=8, dead=dead)
    send_queue = Queue(lambda: now[0], visibility=SECOND, most_receives=2, dead=dead)

    def call(self: BaseClient, operation: str, request: dict[str, Any]) -> Any:
        service = self.meta.service_model.service_name
        if service == "dynamodb":
            return held.call(operation, request)
        if service == "sqs":
            asked = send_queue if request["QueueUrl"] == os.environ["SEND_QUEUE"] else due_queue
            return asked.call(operation, request)
        if service == "sesv2":
            return office.call(operation, request)
        if service == "s3":
            return bucket.call(operation, request)
        return {"SecretString": SECRETS[request["SecretId"]]}

    def wait(seconds: float) -> None:
        now[0] += int(seconds * SECOND)

    def receive(most: int) -> list[str]:
        asked = due_queue if most > 0 else send_queue
        return [message.body for message in asked.receive(abs(most))]

    def told() -> list[tuple[str, str, str]]:
        return [
            (
                "REMOVE" if not change.new else "MODIFY" if change.old else "INSERT",
                change.key[1],
                change.old["version"]["N"] if change.old else "",
            )
            for change in changes
        ]

    with monkeypatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", call)
        mailer._rate.clear()
        yield Side("model", wait, receive, told, bucket.objects.__setitem__)


@pytest.fixture(scope="module")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A local AWS of its own, started here and ended by its process id."""
    home = tmp_path_factory.mktemp("aws")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "MINISTACK_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack.app"], env=environment, stdout=log, stderr=log, cwd=home
        )
    try:
        end = time.monotonic() + READY_WITHIN
        while not _answers(endpoint):
            assert process.poll() is None and time.monotonic() < end, (home / "log").read_text()[-2000:]
            time.sleep(0.1)
        yield endpoint
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


@pytest.fixture
def clients(local_aws: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The adapters' clients, all made anew for that address."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_aws)
    _forget()
    service: Callable[[str], Any] = get_session().create_client
    prepare(service)
    monkeypatch.setenv("DUE_QUEUE", service("sqs").get_queue_url(QueueName="DueQueue")["QueueUrl"])
    monkeypatch.setenv("SEND_QUEUE", service("sqs").get_queue_url(QueueName="SendQueue")["QueueUrl"])
    yield
    monkeypatch.undo()
    _forget()


def prepare(service: Callable[[str], Any]) -> None:
    """The table of template.yaml, two queues with short times, secrets and a sender; once."""
    try:
        service("dynamodb").describe_table(TableName=NAME)
    except ClientError:
        (wanted,) = resources("AWS::DynamoDB::Table").values()
        names = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
        described = {name: wanted[name] for name in names}
        view = {"StreamEnabled": True, **wanted["StreamSpecification"]}
        service("dynamodb").create_table(TableName=NAME, StreamSpecification=view, **described)
        arn = "arn:aws:sqs:eu-central-1:000000000000:Dead"
        service("sqs").create_queue(QueueName="Dead")
        service("sqs").create_queue(QueueName="DueQueue", Attributes={"VisibilityTimeout": "60"})
        policy = f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": "2"}}'
        attributes = {"VisibilityTimeout": "1", "RedrivePolicy": policy}
        service("sqs").create_queue(QueueName="SendQueue", Attributes=attributes)
        for name, secret in SECRETS.items():
            service("secretsmanager").create_secret(Name=name, SecretString=secret)
        where = {"LocationConstraint": "eu-central-1"}
        service("s3").create_bucket(Bucket="replies", CreateBucketConfiguration=where)
        service("sesv2").create_email_identity(EmailIdentity="followthrough@acme.example")
        service("sesv2").create_configuration_set(ConfigurationSetName=os.environ["CONFIGURATION_SET"])


def the_local_aws() -> Side:
    create: Callable[[str], Any] = get_session().create_client
    sqs, streams = create("sqs"), create("dynamodbstreams")
    (known,) = streams.list_streams(TableName=NAME)["Streams"]
    arn = known["StreamArn"]

    def receive(most: int) -> list[str]:
        url = os.environ["DUE_QUEUE" if most > 0 else "SEND_QUEUE"]
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=abs(most), WaitTimeSeconds=0)
        return [message["Body"] for message in found.get("Messages", [])]

    def told() -> list[tuple[str, str, str]]:
        found: list[tuple[str, str, str]] = []
        for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
            begin = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
            at = streams.get_shard_iterator(**begin)["ShardIterator"]
            while at:
                page = streams.get_records(ShardIterator=at)
                if not page["Records"]:
                    break
                for record in page["Records"]:
                    change = record["dynamodb"]
                    old = change.get("OldImage", {}).get("version", {}).get("N", "")
                    found.append((record["eventName"], change["Keys"]["sk"]["S"], old))
                at = page.get("NextShardIterator")
        return found

    def store(key: str, content: bytes) -> None:
        create("s3").put_object(Bucket="replies", Key=key, Body=content)

    return Side("local AWS", time.sleep, receive, told, store)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_the_model_answers_as_the_local_aws(
    scenario: Callable[[Side], Any], clients: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with the_model(monkeypatch) as model:
        expected = scenario(model)
    secret_store.forget()
    mailer._rate.clear()
    found = scenario(the_local_aws())
    if scenario.__name__ in DEVIATIONS:
        assert found != expected, f"no longer otherwise: {DEVIATIONS[scenario.__name__]}"
    else:
        assert found == expected


def _answers(endpoint: str) -> bool:
    try:
        with urlopen(f"{endpoint}/_ministack/ready", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _forget() -> None:
    aws.client.cache_clear()
    table.Row._connection = None
    secret_store.forget()
    mailer._rate.clear()
