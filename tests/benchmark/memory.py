"""AWS as far as the volume tests need it, in a dictionary: fast enough for a hundred thousand follow-ups.

Only what our Lambdas ask for: conditional puts on "not there" and "this version", reads by key, partition and due
index in pages of one MB, queues, and a mail provider that accepts everything. What it must not be used for is proof
of guarantees: the simulation has the exact model.
"""

from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from benchmark.capacity import INDEX_KEYS, Item, size

PAGE = 1024 * 1024
Key = tuple[str, str]


@dataclass
class Memory:
    """One account."""

    secrets: dict[str, str]
    items: dict[Key, Item] = field(default_factory=dict)
    partitions: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    due: dict[str, list[tuple[int, str, str]]] = field(default_factory=lambda: defaultdict(list))
    queues: dict[str, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))
    mails: list[dict[str, Any]] = field(default_factory=list)
    changes: list[tuple[Item | None, Item]] = field(default_factory=list)
    rate: float = 14.0
    calls: Counter[str] = field(default_factory=Counter)
    read_units: float = 0.0

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one call."""
        self.calls[operation] += 1
        answer: dict[str, Any] = getattr(self, f"_{operation}")(request)
        return answer

    def put(self, item: Item) -> None:
        """Store an item without a condition."""
        key = (item["pk"]["S"], item["sk"]["S"])
        old = self.items.get(key)
        if old is None:
            insort(self.partitions[key[0]], key[1])
        elif "due_at" in old:
            self.due[old["due_shard"]["S"]].remove((int(old["due_at"]["N"]), *key))
        if "due_at" in item:
            insort(self.due[item["due_shard"]["S"]], (int(item["due_at"]["N"]), *key))
        self.items[key] = item
        self.changes.append((old, item))

    def _PutItem(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        self._check(request)
        self.put(request["Item"])
        return {}

    def _TransactWriteItems(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        puts = [entry["Put"] for entry in request["TransactItems"]]
        for put in puts:
            self._check(put)
        for put in puts:
            self.put(put["Item"])
        return {}

    def _check(self, put: dict[str, Any]) -> None:
        item = put["Item"]
        old = self.items.get((item["pk"]["S"], item["sk"]["S"]))
        expected = int(item["version"]["N"]) - 1
        if (int(old["version"]["N"]) if old else 0) != expected:
            raise ClientError({"Error": {"Code": "ConditionalCheckFailedException"}}, "PutItem")

    def _GetItem(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        item = self.items.get((request["Key"]["pk"]["S"], request["Key"]["sk"]["S"]))
        self._charge([item] if item else [], consistent=bool(request.get("ConsistentRead")))
        return {"Item": item} if item else {}

    def _BatchGetItem(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        ((table, wanted),) = request["RequestItems"].items()
        found = [self.items.get((key["pk"]["S"], key["sk"]["S"])) for key in wanted["Keys"]]
        kept = [item for item in found if item]
        for item in kept:
            self._charge([item], consistent=False)
        return {"Responses": {table: kept}, "UnprocessedKeys": {}}

    def _Query(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        values = [next(iter(value.values())) for value in request["ExpressionAttributeValues"].values()]
        found = self._due(request, values) if "IndexName" in request else self._partition(request, values)
        start = request.get("ExclusiveStartKey")
        if start:
            at = next(number for number, item in enumerate(found) if _same(item, start))
            found = found[at + 1 :]
        page: list[Item] = []
        total = 0
        for item in found:
            total += size(item)
            if page and total > PAGE:
                break
            page.append(item)
        self._charge(page, consistent=bool(request.get("ConsistentRead")))
        answer: dict[str, Any] = {"Items": page, "Count": len(page), "ScannedCount": len(page)}
        if len(page) < len(found):
            names = INDEX_KEYS if "IndexName" in request else ("pk", "sk")
            answer["LastEvaluatedKey"] = {name: page[-1][name] for name in names}
        return answer

    def _due(self, request: dict[str, Any], values: list[str]) -> list[Item]:
        (shard,) = (value for value in values if value.startswith("due#"))
        between = sorted(int(value) for value in values if not value.startswith("due#"))
        since, until = (between[0] if len(between) > 1 else 0), between[-1]
        found = []
        for at, pk, sk in self.due[shard]:
            if at > until:
                break
            if at >= since:
                item = self.items[(pk, sk)]
                found.append({name: item[name] for name in INDEX_KEYS})
        return found

    def _partition(self, request: dict[str, Any], values: list[str]) -> list[Item]:
        pks = [value for value in values if value in self.partitions]
        if not pks:
            return []
        between = sorted(value for value in values if value != pks[0])
        keys = [sk for sk in self.partitions[pks[0]] if not between or between[0] <= sk <= between[-1]]
        found = [self.items[(pks[0], sk)] for sk in keys]
        return found if request.get("ScanIndexForward", True) else found[::-1]

    def _charge(self, items: list[Item], *, consistent: bool) -> None:
        pages = max(1, -(-sum(size(item) for item in items) // 4096))
        self.read_units += pages * (1.0 if consistent else 0.5)

    def _SendMessageBatch(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        queue = self.queues[request["QueueUrl"].rpartition("/")[2]]
        queue += [(entry["MessageBody"], entry["DelaySeconds"]) for entry in request["Entries"]]
        return {}

    def _GetQueueAttributes(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        waiting = len(self.queues[request["QueueUrl"].rpartition("/")[2]])
        return {"Attributes": {"ApproximateNumberOfMessages": str(waiting)}}

    def _GetSecretValue(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"SecretString": self.secrets[request["SecretId"]]}

    def _GetAccount(self, _: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"SendQuota": {"MaxSendRate": self.rate}}

    def _SendEmail(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self.mails.append(request)
        return {"MessageId": f"{len(self.mails):060d}"}


@contextmanager
def in_memory(memory: Memory) -> Iterator[Memory]:
    """Every call of botocore in this process ends in ``memory``."""
    original = BaseClient._make_api_call  # type: ignore[attr-defined]  # botocore's one door, private by name

    def call(_: BaseClient, operation: str, request: dict[str, Any]) -> Any:
        return memory.call(operation, request)

    BaseClient._make_api_call = call  # type: ignore[attr-defined]
    try:
        yield memory
    finally:
        BaseClient._make_api_call = original  # type: ignore[attr-defined]


def _same(item: Item, start: Item) -> bool:
    return all(item[name] == start[name] for name in ("pk", "sk"))
