"""What no webhook told: found by asking, opened once, and counted; over real sockets, as each helpdesk lists it."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

import backfill
from adapters import helpdesk_api, reconciliations, settings_store, tickets
from builders import A_DAY, A_MINUTE, AN_HOUR, CUSTOMER, START, sample
from domain.closure import Closure
from domain.follow_up import State, Ticket, open_follow_up
from helpdesk_stand_in import ROUTES, TOKEN, Case, Desk, counted, standing_in
from helpdesks import calls
from integration.test_fetch_details import KINDS, connected, hinted, known, store
from world import World

LONG = 900_000


@pytest.fixture(autouse=True)
def own_connections() -> Iterator[None]:
    """A connection to a helpdesk of another test is none to this one's."""
    helpdesk_api._pool.cache_clear()
    yield
    helpdesk_api._pool.cache_clear()


@pytest.fixture
def desk() -> Iterator[Desk]:
    """Zendesk, with nothing closed yet."""
    with standing_in("zendesk") as made:
        yield made


def asked(world: World, remaining: int = LONG, **event: Any) -> dict[str, Any]:
    """One invocation, with a Lambda's whole time."""
    told: dict[str, Any] = world.invoke(
        "reconcile_tickets", sample("reconcile_tickets") | event, remaining=remaining
    )
    return told


def span(since: datetime, until: datetime, **more: Any) -> dict[str, Any]:
    """What the command asks for."""
    return {"backfill": {"source": "zendesk", "from": since.isoformat(), "to": until.isoformat(), **more}}


def opened(world: World) -> list[str]:
    """Every ticket with a follow-up."""
    return sorted(pk for pk, sk in world.items if sk.startswith("FOLLOW_UP#"))


# --- every helpdesk --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_each_helpdesk_is_asked_what_it_closed_page_by_page(world: World, kind: str) -> None:
    with standing_in(kind) as desk:
        first = START - AN_HOUR
        for number in range(5):
            name = f"SUP-{number}" if kind == "jira" else str(100 + number)
            desk.add(Case(id=name, closed_at=first - number * AN_HOUR))
        desk.add(Case(id="SUP-8" if kind == "jira" else "108", closed_at=first, status="open"))
        desk.add(Case(id="SUP-9" if kind == "jira" else "109", closed_at=START - 9 * A_DAY))
        connected(world, desk)
        told = asked(world)[kind]
        assert told["finished"]
        assert (told["so_far"]["listed"], told["so_far"]["opened"]) == (5, 5)
        world.settle()
        names = [f"TICKET#{kind}#SUP-{n}" if kind == "jira" else f"TICKET#{kind}#{100 + n}" for n in range(5)]
        assert opened(world) == names
        found = known("SUP-0" if kind == "jira" else "100", kind)
        assert (found.state, found.closure.requester_email) == (State.SCHEDULED, CUSTOMER)
        assert found.closure.found_by == "reconciliation"
        assert abs(found.closure.closed_at - first) < timedelta(seconds=1)
        before = world.scan()
        world.now += A_DAY
        assert asked(world)[kind]["so_far"]["opened"] == 0, "the overlap opens nothing twice"
        assert len(opened(world)) == len([line for line in before if "FOLLOW_UP#" in line])


@pytest.mark.parametrize("kind", KINDS)
def test_a_closing_that_the_webhook_told_is_not_opened_again(world: World, kind: str) -> None:
    """The webhook's instant and the API's differ by seconds, one says solved and the other closed."""
    with standing_in(kind) as desk:
        name = "SUP-1" if kind == "jira" else "101"
        closed_at = START - AN_HOUR
        desk.add(Case(id=name, closed_at=closed_at, status="closed"))
        connected(world, desk)
        for apart in (-40, 0, 40):
            told = closed_at + timedelta(seconds=apart)
            company = connected(world, desk)
            ticket = f"{name}{apart % 7}"
            desk.add(Case(id=ticket, closed_at=closed_at, status="closed"))
            closure = Closure(
                source=kind, ticket_id=ticket, closed_at=told, kind="solved", requester_email=CUSTOMER
            )
            tickets.save(open_follow_up(Ticket(), closure, told, company))
        del desk.cases[name]
        so_far = asked(world)[kind]["so_far"]
        assert (so_far["listed"], so_far["known"], so_far["opened"]) == (len(desk.cases), len(desk.cases), 0)


# --- what is the same ------------------------------------------------------------------------------------------------


def test_the_sample_event_asks_once_a_day_and_costs_nothing_in_between(world: World, desk: Desk) -> None:
    connected(world, desk)
    assert asked(world)["zendesk"]["finished"]
    requests = len(desk.asked)
    before = world.scan()
    world.now += 23 * AN_HOUR
    assert asked(world) == {}
    assert (len(desk.asked), world.scan()) == (requests, before)
    world.now += AN_HOUR
    assert asked(world)["zendesk"]["finished"]
    assert len(desk.asked) == requests + 1


def test_a_source_without_an_api_is_not_asked(world: World) -> None:
    assert asked(world) == {}


def test_zendesk_solved_then_closed_is_one_closing_however_it_is_heard_of(world: World, desk: Desk) -> None:
    connected(world, desk)
    solved_at = START - 5 * AN_HOUR
    desk.add(Case(id="7", closed_at=solved_at, status="closed"))
    hinted(world, solved_at + timedelta(seconds=3), ticket="7")
    world.settle()
    asked(world)
    hinted(world, START - AN_HOUR, ticket="7", status="CLOSED")
    world.settle()
    assert len(opened(world)) == 1
    assert known("7").finalised_at == START - AN_HOUR
    world.now += A_DAY
    asked(world)
    assert len(opened(world)) == 1


def test_the_webhook_that_comes_after_the_night_is_a_repeat(world: World, desk: Desk) -> None:
    connected(world, desk)
    desk.add(Case(id="7", closed_at=START - AN_HOUR))
    asked(world)
    world.settle()
    assert hinted(world, START - AN_HOUR + timedelta(seconds=5), ticket="7") == "duplicate"
    world.settle()
    assert len(opened(world)) == 1
    world.wait(A_DAY + A_MINUTE)
    assert len(world.mail.to(CUSTOMER)) == 1


def test_a_second_closing_that_nobody_told_is_a_new_one(world: World, desk: Desk) -> None:
    connected(world, desk)
    first = START - 20 * AN_HOUR
    desk.add(Case(id="7", closed_at=first))
    hinted(world, first, ticket="7")
    hinted(world, first + AN_HOUR, ticket="7", status="OPEN")
    world.settle()
    desk.cases["7"].closed_at = START - AN_HOUR
    asked(world)
    world.settle()
    assert known("7", number=2).state is State.SCHEDULED
    assert known("7", number=2).closure.found_by == "reconciliation"


def test_a_young_closing_is_left_to_its_webhook(world: World, desk: Desk) -> None:
    connected(world, desk)
    desk.add(Case(id="7", closed_at=START - 20 * A_MINUTE))
    assert asked(world)["zendesk"]["so_far"]["listed"] == 0
    world.now += A_DAY
    assert asked(world)["zendesk"]["so_far"]["opened"] == 1


def test_after_days_without_an_answer_nothing_in_between_is_missed(world: World, desk: Desk) -> None:
    connected(world, desk)
    asked(world)
    desk.plan = [401] * 9
    for day in range(4):
        world.now += A_DAY
        desk.add(Case(id=str(day), closed_at=world.now - 2 * AN_HOUR))
        told = asked(world)["zendesk"]
        assert (told["finished"], told["obstacle"]) == (False, "refused")
    assert '"obstacle":"refused"' in world.log.getvalue()
    desk.plan = []
    world.now += 2 * AN_HOUR
    assert asked(world)["zendesk"]["finished"]
    world.now += A_DAY
    asked(world)
    assert len(opened(world)) == 4


# --- cut off ---------------------------------------------------------------------------------------------------------


def test_it_goes_on_where_time_ran_out(world: World, desk: Desk) -> None:
    connected(world, desk)
    for number in range(7):
        desk.add(Case(id=str(number), closed_at=START - AN_HOUR - number * A_MINUTE))
    assert not asked(world, remaining=1_000)["zendesk"]["finished"]
    desk.plan = ["fine", (429, {"retry-after": "90"})]
    told = asked(world)["zendesk"]
    assert (told["finished"], told["so_far"]["opened"]) == (False, 2)
    assert asked(world) == {}, "the helpdesk wants to be left alone"
    world.now += 2 * A_MINUTE
    told = asked(world)["zendesk"]
    assert (told["finished"], told["so_far"]["opened"]) == (True, 7)


def test_whoever_is_cut_off_after_opening_opens_nothing_twice(
    world: World, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected(world, desk)
    for number in range(2):
        desk.add(Case(id=str(number), closed_at=START - AN_HOUR))

    def cut_off(_: Any) -> Any:
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(reconciliations, "save", cut_off)
        asked(world)
    assert len(opened(world)) == 2
    so_far = asked(world)["zendesk"]["so_far"]
    assert (so_far["known"], so_far["opened"]) == (2, 0)
    assert len(opened(world)) == 2


@pytest.mark.parametrize("trouble", ["garbage", "half", 500, 302, 404])
def test_a_list_that_cannot_be_read_is_asked_for_again(world: World, desk: Desk, trouble: Any) -> None:
    connected(world, desk)
    for number in range(5):
        desk.add(Case(id=str(number), closed_at=START - AN_HOUR - number * A_MINUTE))
    desk.plan = ["fine", trouble]
    assert not asked(world)["zendesk"]["finished"]
    world.now += AN_HOUR
    assert asked(world)["zendesk"]["finished"]
    assert len(opened(world)) == 5


def test_a_next_page_on_another_host_is_not_asked_for(world: World, desk: Desk) -> None:
    connected(world, desk)
    for number in range(5):
        desk.add(Case(id=str(number), closed_at=START - AN_HOUR))
    url = desk.url
    desk.url = "https://evil.example"
    told = asked(world)["zendesk"]
    assert (told["finished"], told["obstacle"]) == (False, "unreadable")
    desk.url = url
    world.now += AN_HOUR
    assert asked(world)["zendesk"]["finished"]
    assert TOKEN not in world.log.getvalue()


def ends_after(kind: str, pages: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """This helpdesk's list ends after so few pages; gives how many its description says."""
    described = calls.calls(kind)
    assert described.closed_since
    short = replace(described, closed_since=replace(described.closed_since, most_pages=pages))
    monkeypatch.setattr(calls, "calls", lambda _: short)
    return described.closed_since.most_pages


def walked(world: World, kind: str, *, only_count: bool) -> dict[str, Any]:
    """What a walk through two days gives, or what counting them gives."""
    wanted = span(START - 2 * A_DAY, START, source=kind, **({"estimate": True} if only_count else {}))
    told: dict[str, Any] = asked(world, **wanted)[kind]
    return told


@pytest.mark.parametrize("only_count", [False, True])
def test_a_list_that_ends_before_its_tickets_do_is_begun_anew(
    world: World, monkeypatch: pytest.MonkeyPatch, *, only_count: bool
) -> None:
    assert ends_after("hubspot", 2, monkeypatch) == Desk("hubspot").most_pages
    with standing_in("hubspot") as desk:
        desk.most_pages = 2
        connected(world, desk)
        for number in range(8):
            desk.add(Case(id=str(number), closed_at=START - number * AN_HOUR))
        told = walked(world, "hubspot", only_count=only_count)
        begun = [request for request in desk.asked if not request.body.get("after")]
    assert told["finished"]
    assert len(begun) == 3
    # Who only counts keeps nothing that tells the closing at a seam from another one.
    assert told["so_far"]["opened"] == (10 if only_count else 8)


@pytest.mark.parametrize("only_count", [False, True])
def test_a_list_in_the_order_of_changes_is_begun_anew_at_the_last_change(
    world: World, monkeypatch: pytest.MonkeyPatch, *, only_count: bool
) -> None:
    """Freshdesk's list ends at its 300th page, and whatever was changed counts, open tickets too."""
    assert ends_after("freshdesk", 1, monkeypatch) == 300
    with standing_in("freshdesk") as desk:
        desk.most_pages = 1
        connected(world, desk)
        for number in range(250):
            status = "solved" if number % 25 == 0 else "open"
            changed_at = START - timedelta(hours=20, minutes=-number)
            closed_at = START - A_DAY - number * A_MINUTE
            desk.add(Case(id=str(number), closed_at=closed_at, changed_at=changed_at, status=status))
        told = walked(world, "freshdesk", only_count=only_count)
        assert len({request.query["updated_since"] for request in desk.asked}) == 3
    assert told["finished"]
    assert told["so_far"]["opened"] == 10


def test_only_what_the_settings_call_ours_is_opened(world: World) -> None:
    with standing_in("jira") as desk:
        connected(world, desk)
        for name in ("SUP-1", "DEV-1", "SUP-2", "DEV-2", "DEV-3"):
            desk.add(Case(id=name, closed_at=START - AN_HOUR))
        company = settings_store.settings(world.now)
        source = company.sources["jira"]
        assert source.api
        only = replace(source.api, only="item.fields.project.key=='SUP'")
        sources = {**company.sources, "jira": replace(source, api=only)}
        world.apply(replace(company, sources=sources))
        so_far = asked(world)["jira"]["so_far"]
        assert (so_far["listed"], so_far["opened"], so_far["not_ours"]) == (2, 2, 3)
        assert opened(world) == ["TICKET#jira#SUP-1", "TICKET#jira#SUP-2"]


def test_before_there_are_settings_nobody_is_asked_and_no_alarm_rings(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_store, "read", lambda: None)
    assert asked(world) == {}
    with pytest.raises(settings_store.NoSettings, match="make settings"):
        asked(world, **span(START - A_DAY, START))


def test_whoever_waits_for_a_long_list_hears_within_a_minute_how_far_it_is(
    world: World, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected(world, desk)
    for number in range(8):
        desk.add(Case(id=str(number), closed_at=START - number * AN_HOUR))
    left = iter(range(LONG, 0, -25_000))
    monkeypatch.setattr("world.LambdaContext.get_remaining_time_in_millis", lambda _: next(left))
    told = asked(world, **span(START - 2 * A_DAY, START, seconds=60))["zendesk"]
    assert (told["finished"], told["so_far"]["pages"]) == (False, 2)
    told = asked(world, **span(START - 2 * A_DAY, START))["zendesk"]
    assert (told["finished"], told["so_far"]["pages"]) == (True, 4)


def test_a_next_page_without_an_address_is_no_answer(world: World, desk: Desk) -> None:
    connected(world, desk)
    for number in range(5):
        desk.add(Case(id=str(number), closed_at=START - AN_HOUR))
    url, desk.url = desk.url, "https://["
    told = asked(world)["zendesk"]
    assert (told["finished"], told["obstacle"]) == (False, "unreadable")
    desk.url = url


def test_entries_that_cannot_be_read_are_counted(world: World, desk: Desk) -> None:
    connected(world, desk)
    desk.add(Case(id="7", closed_at=START - AN_HOUR))
    export = next(n for n, known in enumerate(ROUTES["zendesk"]) if "incremental" in known[0])
    pattern, method, answer = ROUTES["zendesk"][export]

    def with_nonsense(desk: Desk, asked: Any, case: Any) -> Any:
        status, said = answer(desk, asked, case)
        said["tickets"] += [
            {"id": None, "status": "solved", "metric_set": {"solved_at": "2026-11-30T08:00:00Z"}},
            {"id": "a b", "status": "solved", "metric_set": {"solved_at": "2026-11-30T08:00:00Z"}},
            {"id": 9, "status": "closed", "metric_set": None},
            {"status": "closed"},
        ]
        return status, said

    ROUTES["zendesk"][export] = (pattern, method, with_nonsense)
    try:
        so_far = asked(world)["zendesk"]["so_far"]
    finally:
        ROUTES["zendesk"][export] = (pattern, method, answer)
    assert (so_far["opened"], so_far["unusable"]) == (1, 4)


# --- a span that a person names --------------------------------------------------------------------------------------


def test_a_backfill_counts_first_and_what_is_too_old_is_not_asked_about(world: World, desk: Desk) -> None:
    connected(world, desk)
    for number in range(6):
        desk.add(Case(id=str(number), closed_at=START - (5 + 10 * number) * A_DAY))
    wanted = span(START - 90 * A_DAY, START)
    told = asked(world, **span(START - 90 * A_DAY, START, estimate=True))["zendesk"]
    assert told["finished"]
    assert (told["so_far"]["listed"], told["so_far"]["opened"], told["so_far"]["too_old"]) == (6, 3, 3)
    assert opened(world) == []
    assert reconciliations.load("zendesk") is None
    told = asked(world, **wanted)["zendesk"]
    assert (told["so_far"]["opened"], told["so_far"]["too_old"]) == (3, 3)
    world.settle()
    assert {known(str(n)).closure.found_by for n in range(3)} == {"backfill"}
    assert len(opened(world)) == 3
    again = asked(world, **wanted)["zendesk"]
    assert (again["so_far"]["opened"], again["so_far"]["known"]) == (0, 3)


def test_a_backfill_that_was_interrupted_goes_on(world: World, desk: Desk) -> None:
    connected(world, desk)
    for number in range(6):
        desk.add(Case(id=str(number), closed_at=START - number * AN_HOUR))
    wanted = span(START - 2 * A_DAY, START)
    desk.plan = ["fine", "fine", (429, {"retry-after": "60"})]
    told = asked(world, **wanted)["zendesk"]
    assert (told["finished"], told["so_far"]["opened"]) == (False, 4)
    assert told["again_at"]
    world.now += 2 * A_MINUTE
    told = asked(world, **wanted)["zendesk"]
    assert (told["finished"], told["so_far"]["opened"]) == (True, 6)
    pages = [counted(request.query.get("cursor")) for request in desk.asked]
    assert pages == [0, 1, 2, 2]


def test_a_backfill_of_a_source_that_cannot_be_asked_says_so(world: World) -> None:
    told = asked(world, **span(START - A_DAY, START))
    assert told == {"error": "zendesk has no API that lists what was closed"}


class _Lambda:
    """The client of the command: invokes the real handler."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.calls = 0

    def invoke(self, **given: Any) -> dict[str, Any]:
        self.calls += 1
        told = self._world.invoke("reconcile_tickets", json.loads(given["Payload"]), remaining=LONG)

        class Body:
            @staticmethod
            def read() -> bytes:
                return json.dumps(told).encode()

        return {"Payload": Body}


def test_the_command_estimates_asks_reports_progress_and_opens(
    world: World, desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    connected(world, desk)
    for number in range(5):
        desk.add(Case(id=str(number), closed_at=START - (1 + number) * AN_HOUR))
    desk.add(Case(id="9", closed_at=START - 40 * A_DAY))
    made = _Lambda(world)
    monkeypatch.setenv("RECONCILE_FUNCTION", "reconcile")
    monkeypatch.setattr(boto3, "client", lambda *_, **__: made)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    days = ["zendesk", "2026-10-01", "2026-11-30"]
    assert backfill.main([*days, "--estimate"]) == 0
    assert (
        "6 closings: 5 are unknown and would be opened, 0 are known, 1 are too old" in capsys.readouterr().out
    )
    assert backfill.main(days) == 1
    assert "--yes" in capsys.readouterr().err
    assert opened(world) == []
    desk.plan = ["fine", "fine", "fine", "fine", (429, {"retry-after": "5"})]

    def sleep(seconds: float) -> None:
        world.now += timedelta(minutes=2)

    monkeypatch.setattr("backfill.time.sleep", sleep)
    assert backfill.main([*days, "--yes"]) == 0
    said = capsys.readouterr().out
    assert "looked at so far" in said
    assert "wants to be asked again" in said
    assert "5 opened, 0 were known, 1 were too old." in said
    assert len(opened(world)) == 5
    store({})
    assert backfill.main([*days, "--yes"]) == 1
    assert "make token" in capsys.readouterr().err


@pytest.mark.parametrize(
    "days", [("2026-11-02", "2026-11-01"), ("2026-11-2", "2026-11-03"), ("2026-11-02T10:00:00", "2026-11-03")]
)
def test_the_command_refuses_days_that_make_no_span(
    days: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        ended = backfill.main(["zendesk", *days])
    except SystemExit as refused:
        ended = int(str(refused.code))
    assert ended in {1, 2}
    assert capsys.readouterr().err


def test_days_are_taken_whole() -> None:
    assert backfill._instant("2026-11-01", last=False) == datetime(2026, 11, 1, tzinfo=UTC)
    assert backfill._instant("2026-11-01", last=True) == datetime(2026, 11, 1, 23, 59, 59, tzinfo=UTC)
