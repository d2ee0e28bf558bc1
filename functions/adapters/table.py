"""The one DynamoDB table: how a record becomes an item, and the conditional writes that every guarantee rests on.

Every item has a partition ``pk``, a sort key ``sk``, its ``kind``, a ``version`` and the record itself as JSON in
``body``, packed when it is long. A record that must not be lost from sight also has ``due_at``: the sparse index
``due`` holds exactly those.
The keys and access patterns of each entity are in its own module.
"""

import os
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, fields, is_dataclass, replace
from datetime import UTC, datetime
from functools import cache
from math import ceil
from typing import TYPE_CHECKING, Any, TypeVar
from zlib import crc32

import msgspec
from botocore.config import Config
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import PutError, PynamoDBException, TransactWriteError
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from domain.errors import Changed

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

NOT_AS_IT_WAS, IN_A_TRANSACTION = "ConditionalCheckFailedException", "TransactionConflictException"
"""Why DynamoDB refuses a write that somebody else was faster with."""
DUE_SHARDS = 4
"""The due index is spread over so many partitions; each takes a thousand changes a second."""

PACKED_FROM = 800
"""Bytes of JSON: with its keys and the rest, a longer record passes the kilobyte that one write unit pays for."""

Entity = TypeVar("Entity")


class DueIndex(GlobalSecondaryIndex["Row"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves it untyped
    """Everything that waits for its next step, by shard and instant; it holds keys only."""

    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due_shard = UnicodeAttribute(hash_key=True)
    due_at = NumberAttribute(range_key=True)


class Row(Model):
    """One item of the table."""

    class Meta:
        table_name = os.environ["TABLE"]
        connect_timeout_seconds = 2
        read_timeout_seconds = 4
        max_retry_attempts = 2

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute()
    version = NumberAttribute()
    body = UnicodeAttribute()
    due_shard = UnicodeAttribute(null=True)
    due_at = NumberAttribute(null=True)
    expires_at = NumberAttribute(null=True)
    due = DueIndex()


def make_row(
    pk: str,
    sk: str,
    kind: str,
    record: Any,
    *,
    due_at: datetime | None = None,
    keep_until: datetime | None = None,
) -> Row:
    """The item of a record, one version after the one it was loaded with; times become whole seconds, never earlier."""
    said = {name: value for name, value in _said(record).items() if name != "version"}
    row = Row(pk, sk, kind=kind, version=record.version + 1, body=pack(msgspec.json.encode(said)))
    if due_at is not None:
        row.due_shard = shard_of(pk)
        row.due_at = ceil(due_at.timestamp())
    if keep_until is not None:
        row.expires_at = int(keep_until.timestamp())
    return row


def read_row(row: Row, record: type[Entity]) -> Entity:
    """The record in an item, knowing its version. Fields that this code does not know are left out."""
    return decode(str(row.body), int(row.version), record)


def decode(body: str, version: int, record: type[Entity]) -> Entity:
    """A record from its JSON and version."""
    loaded = msgspec.json.decode(unpack(body), type=record)
    versioned: Entity = replace(loaded, version=version)  # type: ignore[type-var]
    return versioned


def pack(said: bytes) -> str:
    """JSON as it stands in an item: long ones compressed (zlib, RFC 1950, in base64), about half as long."""
    return (said if len(said) < PACKED_FROM else b64encode(zlib.compress(said))).decode()


def unpack(body: str) -> bytes:
    """The JSON again."""
    return body.encode() if body.startswith("{") else zlib.decompress(b64decode(body))


def shard_of(pk: str) -> str:
    """Which shard of the due index a partition's items are in."""
    return f"due#{crc32(pk.encode()) % DUE_SHARDS}"


def get(pk: str, sk: str, *, consistent: bool = True) -> Row | None:
    """One item, as it is now; half as dear and perhaps a moment old when that is enough (``consistent`` False)."""
    try:
        return Row.get(pk, sk, consistent_read=consistent)
    except Row.DoesNotExist:
        return None


def get_many(keys: list[tuple[str, str]]) -> Iterator[Row]:
    """Those of the items with these keys that exist, in any order (eventually consistent)."""
    return iter(Row.batch_get(list(dict.fromkeys(keys))))


def find(
    pk: str,
    *,
    since: str | None = None,
    until: str | None = None,
    newest_first: bool = False,
    page: int | None = None,
) -> Iterator[Row]:
    """The items of a partition in the order of their sort key, ``since`` and ``until`` included (consistent read).

    Whoever may stop early asks for a smaller ``page`` than DynamoDB's megabyte, which is paid for as a whole.
    """
    between = Row.sk.between(since, until) if since is not None and until is not None else None
    return iter(
        Row.query(pk, between, consistent_read=True, scan_index_forward=not newest_first, page_size=page)
    )


def read_all(kinds: Iterable[str], after: tuple[str, ...]) -> tuple[list[Row], tuple[str, ...]]:
    """The items of these kinds in the next megabyte of the whole table, and where to go on (eventually consistent).

    ``after`` is what the call before gave, empty at the beginning; empty again after the last one.
    """
    start = {"pk": {"S": after[0]}, "sk": {"S": after[1]}} if after else None
    filtered: Any = {"filter_condition": Row.kind.is_in(*kinds), "exclusive_start_key": start}
    page = Row._get_connection().scan(**filtered)
    last = page.get("LastEvaluatedKey")
    return [Row.from_raw_data(item) for item in page["Items"]], (
        last["pk"]["S"],
        last["sk"]["S"],
    ) if last else ()


def find_before(pk: str, prefix: str, before: str | None, most: int) -> list[Row]:
    """The last ``most`` items whose sort key begins with ``prefix``, or the last before one key; the last one first."""
    listed = Row.query(
        pk,
        Row.sk.between(prefix, before or f"{prefix}~"),
        consistent_read=True,
        scan_index_forward=False,
        limit=most + 1,
    )
    return [row for row in listed if row.sk != before][:most]


def put(row: Row) -> None:
    """Store one item if nobody changed it since it was loaded; raises Changed otherwise."""
    try:
        row.save(condition=_unchanged(row))
    except PutError as error:
        if code_of(error) in {NOT_AS_IT_WAS, IN_A_TRANSACTION}:
            raise Changed(str(row.kind)) from error
        raise


def put_all(rows: Iterable[Row]) -> None:
    """Store several items, all or none, each if nobody changed it since it was loaded; raises Changed otherwise."""
    listed = list(rows)
    if len(listed) == 1:
        return put(listed[0])
    try:
        with TransactWrite(connection=connection()) as transaction:
            for row in listed:
                transaction.save(row, condition=_unchanged(row))
    except TransactWriteError as error:
        reasons = {reason.code for reason in error.cancellation_reasons if reason}
        if reasons & {"ConditionalCheckFailed", "TransactionConflict"}:
            raise Changed("several") from error
        raise
    return None


def put_missing(row: Row) -> bool:
    """Store an item unless it is there already; tells whether it was missing."""
    try:
        row.save(condition=_unchanged(row))
    except PutError as error:
        if code_of(error) == NOT_AS_IT_WAS:
            return False
        raise
    return True


def find_due(
    shard: str, until: datetime, since: datetime | None = None
) -> Iterator[tuple[str, str, datetime]]:
    """Keys of what is due in a shard, the longest overdue first, with the instant."""
    last = int(until.timestamp())
    within = Row.due_at.between(int(since.timestamp()), last) if since else Row.due_at <= last
    for row in Row.due.query(shard, within):
        yield str(row.pk), str(row.sk), datetime.fromtimestamp(int(row.due_at or 0), UTC)


def shards() -> list[str]:
    """All shards of the due index."""
    return [f"due#{number}" for number in range(DUE_SHARDS)]


def now_text(instant: datetime) -> str:
    """An instant as it stands in sort keys: fixed width, in UTC, so that text order is time order."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def code_of(error: PynamoDBException) -> str | None:
    """What DynamoDB answered; None when it did not, where PynamoDB's own ``cause_response_code`` fails."""
    answer = getattr(error.cause, "response", None) or {}
    code: str | None = answer.get("Error", {}).get("Code")
    return code


def _unchanged(row: Row) -> Any:
    if row.version == 1:
        return Row.pk.does_not_exist()
    return Row.version == row.version - 1


def connection() -> Connection:
    """The one connection: a second one, or a session beside its own, would load botocore's descriptions once more."""
    return Row._get_connection().connection


# botocore describes machine and SDK in words that it puts together anew for each request: a tenth of a call's time.
connection().session.set_default_client_config(Config(user_agent="followthrough"))


def _said(value: Any) -> Any:
    """A record without what its class says anyway: most fields have their default most of the time, and every begun KB
    of an item is paid for at every write.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {
            name: _said(inner)
            for name, default in _defaults(type(value))
            if (inner := getattr(value, name)) != default
        }
    if isinstance(value, tuple):
        return [_said(inner) for inner in value]
    return value


@cache
def _defaults(record: "type[DataclassInstance]") -> list[tuple[str, Any]]:
    return [
        (field.name, field.default if field.default_factory is MISSING else field.default_factory())
        for field in fields(record)
    ]
