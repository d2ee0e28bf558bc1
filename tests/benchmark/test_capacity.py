"""The rules that every figure of cost rests on, and that the benchmark can fail."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from benchmark.capacity import Item, Meter, size
from benchmark.load import Duplicates, Step
from benchmark.report import Results, targets


def item(body: int = 10, due_at: int | None = None) -> Item:
    """An item with so many bytes of body."""
    due: Item = {"due_shard": {"S": "due#1"}, "due_at": {"N": str(due_at)}} if due_at else {}
    return {"pk": {"S": "P"}, "sk": {"S": "S"}, "kind": {"S": "k"}, "body": {"S": "x" * body}, **due}


def meter(*before: Item) -> Meter:
    """A meter that knows these items."""
    return Meter(lambda: "f", items={(known["pk"]["S"], known["sk"]["S"]): known for known in before})


def put(known: Meter, new: Item, *, transaction: bool = False, refused: bool = False) -> tuple[int, int]:
    """What a write of this item costs, in the table and in the index."""

    def send() -> dict[str, Any]:
        if refused:
            raise ClientError({"Error": {"Code": "ConditionalCheckFailedException"}}, "PutItem")
        return {}

    if transaction:
        known.take("TransactWriteItems", {"TransactItems": [{"Put": {"Item": new}}]}, send)
    elif refused:
        with pytest.raises(ClientError):
            known.take("PutItem", {"Item": new}, send)
    else:
        known.take("PutItem", {"Item": new}, send)
    return known.calls[-1].table_units, known.calls[-1].index_units


def test_the_size_of_an_item_is_that_of_its_names_and_values() -> None:
    assert size({"pk": {"S": "ä"}, "n": {"N": "-1234"}}) == 2 + 2 + 1 + 3


@pytest.mark.parametrize(
    ("before", "after", "cost"),
    [
        (item(), item(), (1, 0)),
        (None, item(due_at=5), (1, 1)),
        (item(due_at=5), item(due_at=5), (1, 0)),
        (item(due_at=5), item(due_at=6), (1, 2)),
        (item(due_at=5), item(), (1, 1)),
        (item(2000), item(), (2, 0)),
        (item(), item(2000), (2, 0)),
    ],
)
def test_a_write_costs_by_the_larger_item_and_by_what_the_index_does(
    before: Item | None, after: Item, cost: tuple[int, int]
) -> None:
    known = [before] if before else []
    assert put(meter(*known), after) == cost
    assert put(meter(*known), after, transaction=True) == (2 * cost[0], 2 * cost[1])


def test_a_refused_write_costs_and_changes_nothing() -> None:
    known = meter(item(due_at=5))
    assert put(known, item(due_at=6), refused=True) == (1, 0)
    assert put(known, item(due_at=5)) == (1, 0)


@pytest.mark.parametrize(
    ("request_", "found", "units"),
    [
        ({"ConsistentRead": True}, 0, 1.0),
        ({"ConsistentRead": True}, 100, 1.0),
        ({"ConsistentRead": True}, 5000, 2.0),
        ({}, 5000, 1.0),
    ],
)
def test_a_read_costs_by_all_that_was_read(request_: dict[str, Any], found: int, units: float) -> None:
    known = meter()
    known.take("Query", request_, lambda: {"Items": [item(found)] if found else []})
    assert known.calls[-1].read_units == units


def test_the_benchmark_can_fail() -> None:
    step = Step(1, 10, 10, 1.0, 1.0, 1.0, 1.0, lost=0, twice=0)
    good = targets(Results(quick=True, steps=[step], duplicates=Duplicates(10, {}, 1, 1)))
    assert [known.holds for known in good] == [True, True]
    lost = Step(1, 10, 9, 1.0, 1.0, 1.0, 1.0, lost=0, twice=0)
    bad = targets(Results(quick=True, steps=[lost], duplicates=Duplicates(10, {}, 1, 2)))
    assert [known.holds for known in bad] == [False, False]
