"""AWS in memory, as far as Followthrough uses it: these operations only, with the rules of DynamoDB, SQS, SES and S3.

Nothing here fails by chance and nothing waits: one call, one answer. What goes wrong is world.py's business. The
conformance suite runs the same calls against this model and against the local AWS.
"""

import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from botocore.exceptions import ClientError

Item = dict[str, dict[str, str]]
Key = tuple[str, str]

SECOND = 1_000_000
"""All instants here are whole microseconds since 1970."""
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
TOKEN_LIFE = 10 * MINUTE
ONE_PAGE = 1_000_000


def refusal(code: str, status: int, operation: str, message: str = "", **more: Any) -> ClientError:
    """An error that an AWS service answers."""
    answer: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
        **more,
    }
    return ClientError(answer, operation)


@dataclass(frozen=True)
class Change:
    """One stored change, as the stream and the invariants see it; ``new`` is None for a deletion by TTL."""

    key: Key
    old: Item | None
    new: Item | None
    at: int


@dataclass
class Table:
    """DynamoDB: one table with the sparse index ``due``. Late are only what AWS calls eventually consistent."""

    now: Callable[[], int]
    written: Callable[[Change], None] = lambda _: None
    lag: Callable[[], int] = lambda: 0
    """How long the index and eventually consistent reads stay behind a write."""
    page: int = ONE_PAGE
    """How many items one page of a query holds; DynamoDB's own limit is a megabyte."""
    items: dict[str, dict[str, Item]] = field(default_factory=dict)
    index: dict[str, dict[Key, int]] = field(default_factory=dict)
    due: dict[Key, tuple[str, int]] = field(default_factory=dict)
    """Kind and instant of everything that is due now or later: what the index will hold when it is up to date."""
    _late: deque[tuple[int, Key, Item | None, Item | None]] = field(default_factory=deque)
    _tokens: dict[str, tuple[int, str]] = field(default_factory=dict)

    def call(self, operation: str, request: dict[str, Any], token: str = "") -> dict[str, Any]:
        """One call; ``token`` is the ClientRequestToken that the SDK makes for a transaction."""
        if operation == "GetItem":
            key = _key(request["Key"])
            item = self.item(key) if request.get("ConsistentRead") else self._old_item(key)
            return {"Item": item} if item else {}
        if operation in {"PutItem", "DeleteItem"}:
            return self._write(operation, request)
        if operation == "TransactWriteItems":
            return self._transact(request, request.get("ClientRequestToken", token))
        if operation == "Query":
            return self._query(request)
        if operation == "Scan":
            return self._scan(request)
        if operation == "BatchGetItem":
            ((name, wanted),) = request["RequestItems"].items()
            keys = sorted(_key(key) for key in wanted["Keys"])
            if len(keys) > 100 or len(set(keys)) < len(keys):
                raise refusal("ValidationException", 400, operation)
            found = [item for key in keys if (item := self._old_item(key))]
            return {"Responses": {name: found}, "UnprocessedKeys": {}}
        raise AssertionError(f"the model does not know {operation}")

    def item(self, key: Key) -> Item | None:
        """One item as it is now."""
        return self.items.get(key[0], {}).get(key[1])

    def scan(self) -> Iterator[Item]:
        """All items."""
        return (item for partition in self.items.values() for item in partition.values())

    def expire(self, now: int) -> None:
        """TTL: what is past its time goes, and the stream tells."""
        for item in [i for i in self.scan() if int(i.get("expires_at", {}).get("N", now)) * SECOND < now]:
            self._remove(_key(item))

    def _remove(self, key: Key) -> None:
        old = self.items.get(key[0], {}).pop(key[1], None)
        if old is not None:
            self._changed(key, old, None)

    def _write(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if not self._holds({"Item": request.get("Key"), **request}):
            raise refusal("ConditionalCheckFailedException", 400, operation, "The conditional request failed")
        if operation == "PutItem":
            self._store(request["Item"])
        else:
            self._remove(_key(request["Key"]))
        return {}

    def _holds(self, put: dict[str, Any]) -> bool:
        condition = put.get("ConditionExpression")
        if condition is None:
            return True
        known = self.item(_key(put["Item"])) or {}
        names, values = put["ExpressionAttributeNames"], put.get("ExpressionAttributeValues", {})
        if absent := re.fullmatch(r"attribute_not_exists \((#\d)\)", condition):
            return names[absent[1]] not in known
        if present := re.fullmatch(r"attribute_exists \((#\d)\)", condition):
            return names[present[1]] in known
        equal = re.fullmatch(r"(#\d) = (:\d)", condition)
        assert equal, f"the model does not know the condition {condition}"
        return bool(known.get(names[equal[1]]) == values[equal[2]])

    def _transact(self, request: dict[str, Any], token: str) -> dict[str, Any]:
        puts = [entry["Put"] for entry in request["TransactItems"]]
        content = json.dumps(puts, sort_keys=True)
        known = self._tokens.get(token)
        if token and known and self.now() - known[0] < TOKEN_LIFE:
            if known[1] != content:
                raise refusal("IdempotentParameterMismatchException", 400, "TransactWriteItems")
            return {}
        if len(puts) > 100 or len({_key(put["Item"]) for put in puts}) < len(puts):
            raise refusal("ValidationException", 400, "TransactWriteItems")
        held = [self._holds(put) for put in puts]
        if not all(held):
            reasons = [{"Code": "None" if fine else "ConditionalCheckFailed"} for fine in held]
            message = f"Transaction cancelled, [{', '.join(r['Code'] for r in reasons)}]"
            raise refusal(
                "TransactionCanceledException",
                400,
                "TransactWriteItems",
                message,
                CancellationReasons=reasons,
            )
        for put in puts:
            self._store(put["Item"])
        if token:
            self._tokens[token] = (self.now(), content)
        return {}

    def _store(self, item: Item) -> None:
        key = _key(item)
        assert all(list(value) in (["S"], ["N"]) for value in item.values()), f"what is this: {item}"
        partition = self.items.setdefault(key[0], {})
        old = partition.get(key[1])
        partition[key[1]] = item
        self._changed(key, old, item)

    def _changed(self, key: Key, old: Item | None, new: Item | None) -> None:
        now, lag = self.now(), self.lag()
        if new and "due_at" in new:
            self.due[key] = (new["kind"]["S"], int(new["due_at"]["N"]) * SECOND)
        else:
            self.due.pop(key, None)
        # Changes reach the index in the order in which they were made.
        last = self._late[-1][0] if self._late else now
        self._late.append((max(now + lag, last), key, old, new))
        self._catch_up()
        if old != new:  # DynamoDB writes no record of a change that changed nothing
            self.written(Change(key, old, new, now))

    def _catch_up(self) -> None:
        while self._late and self._late[0][0] <= self.now():
            _, key, old, new = self._late.popleft()
            if old and "due_shard" in old:
                self.index[old["due_shard"]["S"]].pop(key, None)
            if new and "due_shard" in new and "due_at" in new:
                self.index.setdefault(new["due_shard"]["S"], {})[key] = int(new["due_at"]["N"])

    def _old_item(self, key: Key) -> Item | None:
        """An item as an eventually consistent read may still see it."""
        self._catch_up()
        return next((old for _, late, old, _ in self._late if late == key), self.item(key))

    def _scan(self, request: dict[str, Any]) -> dict[str, Any]:
        read, kinds = self.item if request.get("ConsistentRead") else self._old_item, None
        if said := request.get("FilterExpression"):
            names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
            parsed = re.fullmatch(r"(#\d) IN \(([:\d, ]+)\)", said.strip("()") + ")")
            assert parsed and names[parsed[1]] == "kind", f"the model does not know this scan: {request}"
            kinds = [values[name] for name in parsed[2].split(", ")]
        start = _key(request["ExclusiveStartKey"]) if "ExclusiveStartKey" in request else ("", "")
        keys = sorted(key for item in self.scan() if (key := _key(item)) > start)
        page = keys[: self.page]
        items = [item for key in page if (item := read(key)) and (kinds is None or item["kind"] in kinds)]
        answer: dict[str, Any] = {"Items": items, "Count": len(items), "ScannedCount": len(page)}
        if len(keys) > self.page:
            answer["LastEvaluatedKey"] = {"pk": {"S": page[-1][0]}, "sk": {"S": page[-1][1]}}
        return answer

    def _query(self, request: dict[str, Any]) -> dict[str, Any]:
        names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
        condition = request["KeyConditionExpression"].strip("()")
        parsed = re.fullmatch(
            r"(#0) = (:0)(?: AND (#1) (?:BETWEEN (:1) AND (:2)|(<=) (:1)))?", condition
        ) or re.fullmatch(r"(#0) = (:0)(?: AND (#1) (>=) (:1))?", condition)
        assert parsed, f"the model does not know the query {condition}"
        partition = values[":0"]["S"]
        low = values[":1"] if "BETWEEN" in condition or ">=" in condition else None
        high = values[":2"] if "BETWEEN" in condition else values[":1"] if "<=" in condition else None
        start = request.get("ExclusiveStartKey")
        forward = request.get("ScanIndexForward", True)
        rows: list[tuple[Any, Item]]
        begin: Any
        if request.get("IndexName") == "due":
            assert names["#0"] == "due_shard" and not request.get("ConsistentRead")
            self._catch_up()
            rows = [
                (
                    (at, *key),
                    {
                        "pk": {"S": key[0]},
                        "sk": {"S": key[1]},
                        "due_shard": values[":0"],
                        "due_at": {"N": str(at)},
                    },
                )
                for key, at in self.index.get(partition, {}).items()
                if (low is None or at >= int(low["N"])) and (high is None or at <= int(high["N"]))
            ]
            begin = (int(start["due_at"]["N"]), *_key(start)) if start else None
        else:
            assert names["#0"] == "pk"
            rows = [
                (sk, item)
                for sk, item in self.items.get(partition, {}).items()
                if (low is None or sk >= low["S"]) and (high is None or sk <= high["S"])
            ]
            begin = _key(start)[1] if start else None
        rows.sort(key=lambda row: row[0], reverse=not forward)
        if begin is not None:
            rows = [row for row in rows if (row[0] > begin if forward else row[0] < begin)]
        most = min(self.page, request.get("Limit", self.page))
        page = [item for _, item in rows[:most]]
        answer: dict[str, Any] = {"Items": page, "Count": len(page), "ScannedCount": len(page)}
        if len(rows) > most:
            kept = {"pk", "sk", "due_shard", "due_at"} if "IndexName" in request else {"pk", "sk"}
            answer["LastEvaluatedKey"] = {name: page[-1][name] for name in sorted(kept)}
        return answer


@dataclass
class Queued:
    """A message in a queue."""

    id: str
    body: str
    ready_at: int
    receives: int = 0


@dataclass
class Queue:
    """SQS: at least once, invisible while somebody works on it, to the dead letters after so many receipts."""

    now: Callable[[], int]
    visibility: int = 0
    most_receives: int = 0
    dead: "Queue | None" = None
    messages: list[Queued] = field(default_factory=list)
    sent: Callable[[Queued], None] = lambda _: None
    _count: int = 0

    def send(self, body: str, delay: int = 0) -> Queued:
        """A message comes in, visible after ``delay``."""
        self._count += 1
        message = Queued(f"{self._count}", body, self.now() + delay)
        self.messages.append(message)
        self.sent(message)
        return message

    def waiting(self) -> list[Queued]:
        """What could be received now."""
        return [message for message in self.messages if message.ready_at <= self.now()]

    def receive(self, most: int) -> list[Queued]:
        """Messages for one reader, invisible to others for a while; one received too often is dead."""
        taken: list[Queued] = []
        for message in self.waiting():
            if len(taken) == most:
                break
            if self.dead is not None and message.receives >= self.most_receives:
                self.messages.remove(message)
                self.dead.send(message.body)
                continue
            message.receives += 1
            message.ready_at = self.now() + self.visibility
            taken.append(message)
        return taken

    def delete(self, message: Queued) -> None:
        """The reader is done with it; doing it again changes nothing."""
        if message in self.messages:
            self.messages.remove(message)

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """One call by its clients."""
        if operation == "GetQueueAttributes":
            return {"Attributes": {"ApproximateNumberOfMessages": str(len(self.waiting()))}}
        assert operation == "SendMessageBatch", f"the model does not know {operation}"
        entries = request["Entries"]
        assert 1 <= len(entries) <= 10 and len({entry["Id"] for entry in entries}) == len(entries)
        for entry in entries:
            assert 0 <= entry["DelaySeconds"] <= 900
            self.send(entry["MessageBody"], entry["DelaySeconds"] * SECOND)
        return {"Successful": [{"Id": entry["Id"]} for entry in entries], "Failed": []}


@dataclass(frozen=True)
class Mail:
    """A mail that SES accepted."""

    id: str
    to: str
    subject: str
    text: str
    tags: dict[str, str]
    at: int
    reply_to: str


@dataclass
class PostOffice:
    """SES: refuses what comes too fast or over quota, and accepts everything else, for suppressed addresses too."""

    now: Callable[[], int]
    rate: float = 14.0
    quota_used_up: Callable[[], bool] = lambda: False
    accepted: Callable[[Mail], None] = lambda _: None
    called: Callable[[], None] = lambda: None
    mails: list[Mail] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    suppressed: set[str] = field(default_factory=set)

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """One call."""
        if operation == "GetAccount":
            return {"SendQuota": {"MaxSendRate": self.rate, "Max24HourSend": 50000.0, "SentLast24Hours": 0.0}}
        assert operation == "SendEmail", f"the model does not know {operation}"
        now = self.now()
        self.calls.append(now)
        self.called()
        if self.quota_used_up():
            raise refusal("LimitExceededException", 400, operation, "Daily message quota exceeded.")
        if sum(at > now - SECOND for at in self.calls[-60:]) > max(self.rate, 1):
            raise refusal("TooManyRequestsException", 429, operation, "Maximum sending rate exceeded.")
        (to,) = request["Destination"]["ToAddresses"]
        simple = request["Content"]["Simple"]
        tags = {tag["Name"]: tag["Value"] for tag in request["EmailTags"]}
        assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,256}", text) for tag in tags.items() for text in tag)
        mail = Mail(
            f"0107-{len(self.mails):06d}",
            to,
            simple["Subject"]["Data"],
            simple["Body"]["Text"]["Data"],
            tags,
            now,
            "".join(request.get("ReplyToAddresses", [])),
        )
        self.mails.append(mail)
        self.accepted(mail)
        return {"MessageId": mail.id}


@dataclass
class Bucket:
    """S3: what was stored, from its beginning; strongly consistent."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """One call."""
        assert operation == "GetObject", f"the model does not know {operation}"
        content = self.objects.get(request["Key"])
        if content is None:
            raise refusal("NoSuchKey", 404, operation, "The specified key does not exist.")
        wanted = re.fullmatch(r"bytes=0-([0-9]+)", request["Range"])
        assert wanted, f"the model does not know the range {request['Range']}"
        if not content:
            raise refusal("InvalidRange", 416, operation, "The requested range is not satisfiable")
        part = content[: int(wanted[1]) + 1]
        return {"Body": BytesIO(part), "ContentLength": len(part)}


def _key(item: Item) -> Key:
    return item["pk"]["S"], item["sk"]["S"]
