"""Causes counted anew: equal to brute force, whatever was lost, doubled, mapped later or cut off."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import react_to_change
import recount_causes
from adapters import causes, recounts, settings_store, table, tickets
from adapters.causes import Marked
from builders import A_DAY, A_MINUTE, AN_HOUR, RAVI, START, closed, customer, sample, settings
from domain import ownership
from domain.cause import Mark, count, daily, mark_of
from domain.follow_up import FollowUp
from domain.settings import UNCLASSIFIED, Settings
from world import World

LONG = 900_000
CODES = ("portal-login", "meter-late", "no-show", UNCLASSIFIED)


def recounted(world: World, **event: str) -> dict[str, Any]:
    """What one invocation says, with a Lambda's whole time."""
    told: dict[str, Any] = world.invoke("recount_causes", sample("recount_causes") | event, remaining=LONG)
    return told


def mapped(**values: tuple[str, ...]) -> Settings:
    """The company's settings with other values for some causes; ``_`` stands for "-"."""
    company = settings()
    known = dict(company.causes)
    for code, given in values.items():
        known[code.replace("_", "-")] = replace(known[code.replace("_", "-")], values=given)
    return replace(company, causes=known)


def stored(world: World) -> Iterator[FollowUp]:
    """All follow-ups, read the slow way."""
    for (_, sk), item in world.items.items():
        if sk.startswith("FOLLOW_UP#"):
            yield table.decode(item["body"]["S"], int(item["version"]["N"]), FollowUp)


def brute_force(world: World, company: Settings) -> dict[str, list[Mark]]:
    """The marks that there must be: from the follow-ups alone."""
    found: dict[str, list[Mark]] = {code: [] for code in CODES}
    for known in stored(world):
        wanted = company.cause_of(known.closure.cause, known.closure.source)
        if mark := mark_of(replace(known, cause=wanted)):
            found[wanted].append(mark)
    return {code: sorted(marks, key=repr) for code, marks in found.items()}


def live(world: World) -> dict[str, list[Mark]]:
    """The marks that are counted."""
    span = (START - 100 * A_DAY, world.now + A_DAY)
    return {code: sorted(causes.marks(code, *span), key=repr) for code in CODES}


def close(world: World, number: int, cause: str | None, who: str | None = None) -> None:
    """One closure with the cause that its helpdesk names."""
    person = customer(who or f"c{number}@c.example")
    world.hook(closed(str(number), world.now, requester=person, root_cause=cause))


def test_the_sample_event_counts_and_says_so(world: World) -> None:
    close(world, 1, "No show")
    world.settle()
    told = recounted(world)
    assert (told["finished"], told["follow_ups"], told["moved"], told["count_drift"]) == (True, 1, 0, 0)
    assert '"count_drift":0' in world.log.getvalue()
    before = world.scan()
    assert recounted(world) == told
    assert world.scan() == before, "nothing is written when nothing is needed"


def test_g3_marks_that_the_stream_lost_are_found_by_a_recount_and_reported(world: World) -> None:
    world.lose_changes = True
    for number in range(3):
        close(world, number, "Password reset failed")
    world.settle()
    assert live(world)["portal-login"] == []
    world.now += 2 * AN_HOUR
    told = recounted(world)
    assert told["count_drift"] == 3
    assert live(world) == brute_force(world, settings())
    assert '"count_drift":3' in world.log.getvalue()
    assert causes.load("portal-login").tickets == 3, "whom it concerns is told as well"
    world.now += A_DAY
    assert recounted(world)["count_drift"] == 0


def test_the_night_tells_the_owner_of_a_cause_that_everybody_counted_and_nobody_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each mark was left, and then its Lambda died until the stream gave the change up."""
    with monkeypatch.context() as dying:
        dying.setattr(react_to_change, "tell_if_repeated", lambda *_: None)
        for number in range(3):
            close(world, number, "Password reset failed")
        world.settle()
    assert len(live(world)["portal-login"]) == 3
    assert causes.load("portal-login").tickets == 0
    told = recounted(world)
    assert (told["finished"], told["count_drift"]) == (True, 0)
    world.settle()
    assert any("keeps coming back" in mail.subject for mail in world.mail.to(RAVI))


def test_a_mark_on_its_way_is_no_drift(world: World) -> None:
    close(world, 1, "No show")
    assert recounted(world)["count_drift"] == 0
    world.settle()
    assert live(world) == brute_force(world, settings())


def test_g9_counted_from_an_empty_stream_everything_is_the_same(world: World) -> None:
    """The function was gone for longer than the stream keeps changes: counts come from the follow-ups alone."""
    for number in range(6):
        close(world, number, ("No show", "Password reset failed", "odd")[number % 3])
    world.settle()
    wanted = live(world)
    for key in [key for key, item in world.items.items() if item["kind"]["S"] == "mark"]:
        table.Row(*key).delete()
    assert live(world)["no-show"] == []
    world.now += 25 * AN_HOUR
    assert recounted(world)["count_drift"] == 6
    assert live(world) == wanted


def test_g1_records_that_come_again_after_a_move_change_no_count(world: World) -> None:
    for number in range(4):
        close(world, number, "Login loop")
    world.settle()
    company = mapped(portal_login=("Login loop",))
    world.apply(company)
    assert recounted(world)["moved"] == 4
    wanted = live(world)
    assert len(wanted["portal-login"]) == 4
    assert wanted[UNCLASSIFIED] == []
    pattern = sample("react_to_change")["Records"][0]
    again = [
        {**pattern, **record, "dynamodb": {**record["dynamodb"], "SequenceNumber": str(number)}}
        for number, record in enumerate(world.past_changes)
    ]
    for records in (again, again[::-1], again[: len(again) // 2]):
        world.invoke("react_to_change", {"Records": records})
        world.settle()
    assert live(world) == wanted == brute_force(world, company)


def test_a_mark_that_comes_late_finds_that_its_closure_has_moved(world: World) -> None:
    """The record of the opening is still in the stream while the recount moves the follow-up."""
    close(world, 1, "Login loop")
    late, world.changes = world.changes, []
    company = mapped(portal_login=("Login loop",))
    world.apply(company)
    assert recounted(world)["moved"] == 1
    world.changes = late
    world.settle()
    assert live(world) == brute_force(world, company)
    assert live(world)[UNCLASSIFIED] == []


def test_values_mapped_later_and_back_again_count_from_the_beginning(world: World) -> None:
    for number in range(5):
        close(world, number, "Login loop" if number < 4 else "No show")
        world.now += A_DAY
    world.settle()
    assert causes.load("portal-login").repeated_at is None
    company = mapped(portal_login=("ＬＯＧＩＮ loop",))
    world.apply(company)
    told = recounted(world)
    assert (told["moved"], told["count_drift"]) == (4, 0)
    assert live(world) == brute_force(world, company)
    assert count(live(world)["portal-login"]).tickets == 4
    assert {known.cause for known in stored(world)} == {"portal-login", "no-show"}
    world.settle()
    assert any("keeps coming back" in mail.subject for mail in world.mail.to(RAVI))
    world.now += A_MINUTE
    world.apply(settings())
    assert recounted(world)["moved"] == 4
    assert live(world) == brute_force(world, settings())
    assert {mark.value for mark in live(world)[UNCLASSIFIED]} == {"Login loop"}


def test_a_mark_of_no_follow_up_or_of_another_cause_is_taken_back(world: World) -> None:
    close(world, 1, "No show")
    world.settle()
    (mark,) = live(world)["no-show"]
    causes.add_mark(replace(mark, cause="meter-late"))
    causes.add_mark(replace(mark, ticket_id="gone"))
    assert recounted(world)["count_drift"] == 2
    assert live(world) == brute_force(world, settings())
    causes.add_mark(replace(mark, ticket_id="gone"))
    assert live(world) == brute_force(world, settings()), "what was taken back does not come back"


def test_g4_what_time_has_deleted_is_not_drift(world: World) -> None:
    close(world, 1, "No show")
    world.settle()
    world.now = START + settings().policy.keep_for - A_DAY
    (mark,) = live(world)["no-show"]
    table.Row("TICKET#acme#1", "FOLLOW_UP#0001").delete()
    assert recounted(world)["count_drift"] == 0
    assert live(world)["no-show"] == [mark]


def test_g4_a_removed_item_has_no_reaction(world: World) -> None:
    close(world, 1, "No show")
    world.settle()
    record = json.loads(json.dumps(sample("react_to_change")["Records"][0]))
    record["eventName"] = "REMOVE"
    record["dynamodb"]["OldImage"] = record["dynamodb"].pop("NewImage")
    before = world.scan()
    assert world.invoke("react_to_change", {"Records": [record]}) == {"batchItemFailures": []}
    assert world.scan() == before


def test_g8_what_a_recount_writes_brings_no_reaction_but_one_that_does_nothing(world: World) -> None:
    for number in range(3):
        close(world, number, "Login loop", "same@c.example")
    world.settle()
    world.apply(mapped(portal_login=("Login loop",)))
    before = len(world.past_changes)
    assert recounted(world)["moved"] == 3
    kinds = {record["dynamodb"]["NewImage"]["kind"]["S"] for record in world.past_changes[before:]}
    assert kinds == {"follow_up"}, "marks, days and the run itself pass no filter"
    stored_now = world.scan()
    world.settle()
    assert world.scan() == stored_now


def test_without_time_it_goes_on_where_it_stopped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(9):
        close(world, number, ("No show", "Login loop", "odd")[number % 3])
    world.settle()
    company = mapped(portal_login=("Login loop",))
    world.apply(company)
    monkeypatch.setattr(table, "read_all", in_pages_of(table.read_all, 2))
    runs = 0
    told: dict[str, Any] = {"finished": False}
    while not told["finished"]:
        left = iter([LONG] * 3 + [1000] * 99)
        monkeypatch.setattr(
            "world.LambdaContext.get_remaining_time_in_millis", lambda _, left=left: next(left)
        )
        told, runs = world.invoke("recount_causes", sample("recount_causes")), runs + 1
        assert runs < 50
    assert runs > 3
    assert (told["follow_ups"], told["moved"], told["count_drift"]) == (9, 3, 0)
    assert live(world) == brute_force(world, company)


def test_before_there_are_settings_there_is_nothing_to_count(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The schedule ticks from the deployment on: no alarm rings before settings are stored, and a person hears why."""
    monkeypatch.setattr(settings_store, "read", lambda: None)
    assert world.invoke("recount_causes", {}) == {"finished": False}
    with pytest.raises(settings_store.NoSettings):
        world.invoke("recount_causes", {"since": START.isoformat()})


def test_whoever_waits_for_a_recount_hears_within_a_minute_how_far_it_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(9):
        close(world, number, "No show")
    world.settle()
    monkeypatch.setattr(table, "read_all", in_pages_of(table.read_all, 2))
    left = iter(range(LONG, 0, -10_000))
    monkeypatch.setattr("world.LambdaContext.get_remaining_time_in_millis", lambda _: next(left))
    told = world.invoke("recount_causes", {"since": world.now.isoformat(), "seconds": 60})
    assert not told["finished"]
    assert 0 < told["follow_ups"] < 9
    assert world.invoke("recount_causes", {"since": world.now.isoformat()})["finished"]


def in_pages_of(read_all: Any, size: int) -> Any:
    """The table's pages hold few items: DynamoDB's are a megabyte."""

    def few(kinds: Any, after: tuple[str, ...]) -> tuple[list[table.Row], tuple[str, ...]]:
        rows, _ = read_all(kinds, ())
        keys = sorted(((str(row.pk), str(row.sk)), at) for at, row in enumerate(rows))
        rest = [(key, rows[at]) for key, at in keys if not after or key > after]
        return [row for _, row in rest[:size]], rest[size - 1][0] if len(rest) > size else ()

    return few


@pytest.mark.parametrize("nth", range(1, 9))
def test_a_recount_cut_off_after_any_write_is_completed(
    world: World, nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        close(world, number, "Login loop")
    world.settle()
    company = mapped(portal_login=("Login loop",))
    world.apply(company)
    put, writes = table.put, iter(range(1, 10_000))

    def cut_off(row: table.Row) -> None:
        put(row)
        if next(writes) == nth:
            raise ConnectionError("cut off")

    monkeypatch.setattr(table, "put", cut_off)
    with pytest.raises(ConnectionError):
        recounted(world)
    monkeypatch.setattr(table, "put", put)
    world.now += 2 * AN_HOUR
    while not recounted(world, since=world.now.isoformat())["finished"]:
        pass
    assert live(world) == brute_force(world, company)
    world.settle()
    assert live(world) == brute_force(world, company)


def test_two_recounts_at_the_same_time_do_no_harm(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        close(world, number, "Login loop")
    world.settle()
    company = mapped(portal_login=("Login loop",))
    world.apply(company)
    read_on = recount_causes._read_on

    def meanwhile(run: Any, *rest: Any) -> Any:
        monkeypatch.setattr(recount_causes, "_read_on", read_on)
        assert recounted(world)["finished"] is True
        return read_on(run, *rest)

    monkeypatch.setattr(recount_causes, "_read_on", meanwhile)
    recounted(world)
    assert live(world) == brute_force(world, company)
    known = recounts.load()
    assert known
    assert (known.moved, known.finished_at is not None) == (4, True)


def test_g6_closings_at_the_same_time_leave_a_mark_each_and_a_conflict_is_no_error(world: World) -> None:
    """There is no counter that all would write: each mark has a key of its own, and only a notice can meet another."""
    for number in range(30):
        close(world, number, "Password reset failed")
    transaction = "TransactWriteItems"
    world.fail(transaction, conflict(), times=2)
    world.settle()
    assert count(live(world)["portal-login"]).tickets == 30
    assert causes.load("portal-login").notices == 1
    assert world.failed == []


def conflict() -> Exception:
    """What DynamoDB says when two transactions meet."""
    from botocore.exceptions import ClientError

    return ClientError(
        {
            "Error": {"Code": "TransactionCanceledException", "Message": "[TransactionConflict]"},
            "CancellationReasons": [{"Code": "TransactionConflict", "Message": "conflict"}],
        },
        "TransactWriteItems",
    )


def test_g5_an_answer_that_changes_moves_one_from_one_column_to_the_other(world: World) -> None:
    link = world.asked()
    seen = []
    for answer in ("yes", "no", "yes", "no"):
        world.press(link, answer=answer)
        world.settle()
        figures, _ = causes.figures("portal-login", START, world.now + A_DAY, buckets=1)
        seen.append((figures.confirmed, figures.denied, figures.tickets))
        world.now += A_MINUTE
    assert seen == [(1, 0, 1), (0, 1, 1)] * 2


def test_g2_a_poison_record_holds_up_nothing_else_and_ends_in_the_queue_of_the_dead(world: World) -> None:
    """The template's own limits (bisected, ten attempts, under a day) are test_n2_whatever_is_asynchronous_…"""
    for number in range(3):
        close(world, number, "No show")
    poisoned = [
        record for record in world.changes if record["dynamodb"]["NewImage"]["kind"]["S"] == "follow_up"
    ][1]
    poisoned["dynamodb"] = json.loads(json.dumps(poisoned["dynamodb"]))
    poisoned["dynamodb"]["NewImage"]["body"]["S"] = "{"
    world.settle()
    assert world.failed
    world.failed.clear()
    dead = world.queues["ChangeDeadLetters"].pop()
    assert world.queues["ChangeDeadLetters"] == []
    told = json.loads(dead.body)
    assert told["requestContext"] == {"condition": "RetryAttemptsExhausted", "approximateInvokeCount": 11}
    assert told["DDBStreamBatchInfo"]["batchSize"] == 1, "the others of its batch are not lost with it"
    assert live(world)["no-show"] != brute_force(world, settings())["no-show"]
    assert len(list(causes.marks("no-show", START, world.now + A_DAY))) == 2, "all but the poisoned one"
    world.now += 2 * AN_HOUR
    recounted(world)
    assert live(world) == brute_force(world, settings())


@pytest.mark.parametrize("seed", [0, 3])
def test_days_and_counts_equal_brute_force_in_a_random_life(world: World, seed: int) -> None:
    """Weeks of closings, some lost by the stream, some late, mapped otherwise now and then; then counted anew."""
    chance, number, company = random.Random(seed), 0, settings()
    others = [mapped(portal_login=("odd",)), mapped(no_show=("odd", "No show"), portal_login=()), settings()]
    for _ in range(6):
        for _ in range(chance.randint(1, 5)):
            world.now += timedelta(hours=chance.randint(1, 60))
            number += 1
            world.lose_changes = chance.random() < 0.2
            close(world, number, chance.choice(["Password reset failed", "No show", "odd", None]))
            if chance.random() < 0.7:
                world.settle()
                world.tick()
        if chance.random() < 0.5:
            company = chance.choice(others)
            world.apply(company)
            if chance.random() < 0.5:
                recounted(world)
    world.lose_changes = False
    world.settle()
    world.now += 2 * AN_HOUR
    world.apply(company)
    assert recounted(world, since=world.now.isoformat())["finished"]
    wanted = brute_force(world, company)
    assert live(world) == wanted
    for code in CODES[:-1]:
        days, _ = causes.look_back(code, world.now, company.policy)
        if wanted[code]:
            first = days.today - timedelta(days=len(days.counts) - 1)
            kept = [mark for mark in wanted[code] if mark.opened_at.date() >= first]
            assert days.counts == daily(kept, first, days.today)
    world.now += A_DAY
    told = recounted(world)
    assert (told["count_drift"], told["moved"], told["mended"]) == (0, 0, 0)


def test_the_kept_days_are_put_right(world: World) -> None:
    for number in range(5):
        close(world, number, "No show")
        world.now += 3 * A_DAY
        world.settle()
        causes.look_back("no-show", world.now, settings().policy)
    (mark, *_) = live(world)["no-show"]
    late = replace(mark, ticket_id="late", opened_at=START + A_DAY)
    assert causes.add_mark(late)
    before, _ = causes.look_back("no-show", world.now, settings().policy)
    assert sum(before.counts) == 5, "a mark that comes days late is in no kept day"
    assert causes.mend_past("no-show", settings().policy)
    after, _ = causes.look_back("no-show", world.now, settings().policy)
    assert sum(after.counts) == 6
    assert not causes.mend_past("no-show", settings().policy)


def test_a_check_of_a_busy_cause_reads_few_marks(world: World) -> None:
    """However much was before: the kept days, today's and yesterday's marks, and what the floor needs."""
    read: list[int] = []
    for day in range(60):
        at = START - timedelta(days=60 - day)
        for number in range(3):
            causes.add_mark(
                Mark(
                    cause="no-show",
                    source="acme",
                    ticket_id=f"{day}-{number}",
                    number=1,
                    opened_at=at,
                    person=f"p{number}",
                )
            )
    causes.look_back("no-show", START, settings().policy)
    find = table.find

    def counted(*given: Any, **named: Any) -> Iterator[table.Row]:
        for item in find(*given, **named):
            read.append(1)
            yield item

    table.find = counted
    try:
        days, reached = causes.look_back("no-show", START, settings().policy)
    finally:
        table.find = find
    assert reached
    assert sum(days.counts) == 3 * 60
    assert len(read) <= 10


def test_a_mark_reads_back_as_it_was_written(world: World) -> None:
    close(world, 1, "odd one")
    world.settle()
    (mark,) = live(world)[UNCLASSIFIED]
    item = table.get(*causes.mark_key(mark))
    assert item
    assert causes.read_mark(item) == Marked(mark, version=1)
    assert mark.value == "odd one"
    assert tickets.load_one(next(stored(world)).ref)


def test_the_kept_days_of_a_cause_are_counted_anew_when_another_one_is_merged_into_it(world: World) -> None:
    policy = settings().policy
    for number in range(6):
        close(world, number, "No show" if number % 2 else "cause_meter_late")
        world.now += 2 * A_DAY
        world.settle()
    alone, _ = causes.look_back("no-show", world.now, policy)
    assert sum(alone.counts) == 3
    source, target = ownership.merge(
        causes.load("meter-late"), causes.load("no-show"), causes.above("no-show"), settings()
    )
    table.put_all([causes.row(source), causes.row(target)])
    merged, _ = causes.look_back("no-show", world.now, policy)
    assert sum(merged.counts) == 6
