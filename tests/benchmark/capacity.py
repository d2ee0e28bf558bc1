"""What DynamoDB charges for a call: request units computed exactly from the items that are written and read.

AWS's published rules (read-write-operations and the on-demand price page of its documentation): a write costs one unit
per begun KB of the larger of the item before and after, a failed condition costs the same, a transaction doubles it. A
strongly consistent read costs one unit per begun 4 KB of everything read, an eventually consistent one half of that,
and at least that much when it finds nothing. An entry of the index costs a unit when it comes or goes and two when it
moves; inside a transaction we count it double as well, which is the dear reading of the documentation.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import ClientError

Item = dict[str, dict[str, str]]
INDEX_KEYS = ("pk", "sk", "due_shard", "due_at")
WRITES = {"PutItem", "TransactWriteItems"}
READS = {"GetItem", "Query", "BatchGetItem"}


@dataclass(frozen=True)
class Call:
    """One call of an AWS service."""

    function: str
    """The Lambda that made it; empty for everybody else."""
    operation: str
    kinds: tuple[str, ...] = ()
    """Which kinds of item it wrote or read, such as ``follow_up``."""
    table_units: int = 0
    index_units: int = 0
    read_units: float = 0
    failed: bool = False
    largest: int = 0
    """Bytes of the largest item."""


@dataclass
class Meter:
    """Counts every call between ``start`` and the end."""

    running: Callable[[], str]
    calls: list[Call] = field(default_factory=list)
    items: dict[tuple[str, str], Item] = field(default_factory=dict)

    def take(self, operation: str, request: dict[str, Any], send: Callable[[], Any]) -> Any:
        """Send one request and note what it cost."""
        try:
            answer = send()
        except ClientError:
            self.calls.append(self._call(operation, request, {}, failed=True))
            raise
        self.calls.append(self._call(operation, request, answer, failed=False))
        return answer

    def _call(self, operation: str, request: dict[str, Any], answer: dict[str, Any], failed: bool) -> Call:
        if operation in WRITES:
            return self._written(operation, request, failed)
        if operation in READS:
            return self._read(operation, request, answer)
        return Call(self.running(), operation, failed=failed)

    def _written(self, operation: str, request: dict[str, Any], failed: bool) -> Call:
        puts = [request] if "Item" in request else [entry["Put"] for entry in request["TransactItems"]]
        factor = 1 if operation == "PutItem" else 2
        table = index = largest = 0
        for put in puts:
            new: Item = put["Item"]
            key = (new["pk"]["S"], new["sk"]["S"])
            old = self.items.get(key)
            largest = max(largest, size(new), size(old or {}))
            table += factor * ceil(max(size(new), size(old or {})) / 1024)
            if not failed:
                index += factor * _index_units(old, new)
                self.items[key] = new
        kinds = tuple(put["Item"]["kind"]["S"] for put in puts)
        return Call(self.running(), operation, kinds, table, index, failed=failed, largest=largest)

    def _read(self, operation: str, request: dict[str, Any], answer: dict[str, Any]) -> Call:
        share = 1.0 if request.get("ConsistentRead") else 0.5
        if operation == "BatchGetItem":
            found = [item for items in answer.get("Responses", {}).values() for item in items]
            asked = sum(len(table["Keys"]) for table in request["RequestItems"].values())
            units = sum(0.5 * _four_kb(size(item)) for item in found) + 0.5 * (asked - len(found))
            return Call(self.running(), operation, _kinds(found), read_units=units)
        found = answer.get("Items") or ([answer["Item"]] if answer.get("Item") else [])
        units = share * _four_kb(sum(size(item) for item in found))
        kinds = ("index",) if request.get("IndexName") else _kinds(found)
        return Call(self.running(), operation, kinds or _wanted(request), read_units=units)


def size(item: Item) -> int:
    """Bytes of an item as DynamoDB counts them: names, texts in UTF-8, two digits of a number in one byte."""
    total = 0
    for name, typed in item.items():
        ((kind, value),) = typed.items()
        total += len(name.encode())
        total += ceil(len(value.lstrip("-")) / 2) + 1 if kind == "N" else len(value.encode())
    return total


def by_kind(calls: list[Call]) -> Counter[tuple[str, str, tuple[str, ...]]]:
    """How often each function did what."""
    return Counter((call.function, call.operation, call.kinds) for call in calls)


@contextmanager
def metered(running: Callable[[], str]) -> Iterator[Meter]:
    """Count every call that botocore makes in this process."""
    meter = Meter(running)
    original = BaseClient._make_api_call  # type: ignore[attr-defined]  # botocore's one door, private by name

    def call(self: BaseClient, operation: str, request: dict[str, Any]) -> Any:
        return meter.take(operation, request, lambda: original(self, operation, request))

    BaseClient._make_api_call = call  # type: ignore[attr-defined]
    try:
        yield meter
    finally:
        BaseClient._make_api_call = original  # type: ignore[attr-defined]


def _index_units(old: Item | None, new: Item) -> int:
    before, after = _entry(old or {}), _entry(new)
    if before == after:
        return 0
    return (before is not None) + (after is not None)


def _entry(item: Item) -> tuple[str, ...] | None:
    if "due_at" not in item:
        return None
    return tuple(str(next(iter(item[name].values()))) for name in INDEX_KEYS)


def _four_kb(total: int) -> int:
    return max(1, ceil(total / 4096))


def _kinds(items: list[Item]) -> tuple[str, ...]:
    return tuple(sorted({item["kind"]["S"] for item in items if "kind" in item}))


def _wanted(request: dict[str, Any]) -> tuple[str, ...]:
    pk = request.get("Key", {}).get("pk", {}).get("S", "")
    return (f"{pk.partition('#')[0].lower()} (none)",)
