"""A report that leaves out whom to ask: the helpdesk is asked, over a real socket, whatever it answers."""

import io
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

import set_secret
from adapters import helpdesk_api, secret_store, tickets
from adapters.aws import client
from builders import (
    A_DAY,
    A_MINUTE,
    AN_HOUR,
    CUSTOMER,
    MIA,
    START,
    closed,
    sample,
    settings,
    signed_by_zendesk,
    stamp,
)
from domain.closure import Closure
from domain.follow_up import FollowUp, Obstacle, State, Ticket, open_follow_up
from domain.settings import Api, Settings, Source
from helpdesk_stand_in import TOKEN, Case, Desk, Plan, standing_in
from world import World

KINDS = ("zendesk", "freshdesk", "jira", "intercom", "hubspot", "helpscout", "zammad", "chatwoot")
TICKET = "35436"


@pytest.fixture
def desk() -> Iterator[Desk]:
    """Zendesk, with one closed ticket."""
    with standing_in("zendesk") as made:
        made.add(Case(id=TICKET, closed_at=START))
        yield made


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits in a test as long as in life."""
    monkeypatch.setattr(helpdesk_api, "CONNECT_TIMEOUT", 0.2)
    monkeypatch.setattr(helpdesk_api, "READ_TIMEOUT", 0.3)
    helpdesk_api._pool.cache_clear()


@pytest.fixture(autouse=True)
def own_connections() -> Iterator[None]:
    """A connection to a helpdesk of another test is none to this one's."""
    helpdesk_api._pool.cache_clear()
    yield
    helpdesk_api._pool.cache_clear()


def connected(world: World, desk: Desk, **policy: Any) -> Settings:
    """The company with this helpdesk's API as well, and its token stored."""
    store({desk.kind: desk.secret})
    known = settings(**policy)
    api = Api(url=desk.url, secret=desk.kind, calls=desk.kind, values=desk.values)
    source = Source(preset="zendesk", secret="zendesk", api=api)
    company = replace(known, sources={**known.sources, desk.kind: source})
    world.apply(company)
    return company


def store(tokens: dict[str, str]) -> None:
    """What set_secret.py --api stores."""
    listed = {name: [token] for name, token in tokens.items()}
    client("secretsmanager").put_secret_value(SecretId="ApiSecrets", SecretString=json.dumps(listed))
    secret_store.forget()


def hinted(world: World, at: datetime = START, ticket: str = TICKET, status: str = "SOLVED") -> str:
    """Zendesk's event webhook, which holds ids only."""
    body = json.dumps(
        {
            "type": "zen:event-type:ticket.status_changed",
            "time": stamp(at),
            "event": {"current": status, "previous": "OPEN" if status == "SOLVED" else "SOLVED"},
            "detail": {"id": ticket, "subject": "Meter", "requester_id": "8447388090494", "group_id": "77"},
        }
    ).encode()
    answer = world.hook(body, signed_by_zendesk(body, world.now), "zendesk")
    return str(json.loads(answer.body)["status"])


def known(ticket: str = TICKET, source: str = "zendesk", number: int = 1) -> FollowUp:
    """The follow-up as it is stored."""
    found = tickets.load(source, ticket).follow_up(number)
    assert found
    return found


# --- every helpdesk --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_each_helpdesk_is_asked_for_everything_that_a_follow_up_needs(world: World, kind: str) -> None:
    with standing_in(kind) as desk:
        ticket = "SUP-7" if kind == "jira" else "4711"
        desk.add(Case(id=ticket, closed_at=START))
        company = connected(world, desk)
        hint = Closure(source=kind, ticket_id=ticket, closed_at=START, kind="solved", needs_details=True)
        tickets.save(open_follow_up(Ticket(), hint, world.now, company))
        world.settle()
        whole = known(ticket, kind)
        assert (whole.state, whole.inquiry) == (State.SCHEDULED, None)
        told = whole.closure
        assert (told.requester_email, told.requester_name) == (CUSTOMER, "Ana Beispiel")
        assert (told.subject, told.resolver_name) == ("I cannot sign in", "Kim Ren")
        assert (whole.team, whole.cause) == ("web-portal", "portal-login")
        assert (told.closed_at, told.kind, told.needs_details) == (START, "solved", False)
        if kind != "helpscout":  # it knows no languages
            assert told.locale is not None
            assert told.locale.lower().startswith("de")
        if kind not in {"intercom"}:
            assert told.url is not None
        assert TOKEN not in world.log.getvalue()
        assert CUSTOMER not in world.log.getvalue()
        world.wait(A_DAY + A_MINUTE)
        assert len(world.mail.to(CUSTOMER)) == 1
        assert known(ticket, kind).state is State.ASKED


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("trouble", [401, 404, (429, {"retry-after": "120"}), 500, "garbage", 302])
def test_no_helpdesk_has_a_trouble_that_loses_the_closure(world: World, kind: str, trouble: Plan) -> None:
    with standing_in(kind) as desk:
        ticket = "SUP-7" if kind == "jira" else "4711"
        desk.add(Case(id=ticket, closed_at=START))
        company = connected(world, desk)
        hint = Closure(source=kind, ticket_id=ticket, closed_at=START, kind="solved", needs_details=True)
        tickets.save(open_follow_up(Ticket(), hint, world.now, company))
        desk.plan = [trouble]
        world.settle()
        waiting = known(ticket, kind)
        assert waiting.state is State.WAITING
        assert waiting.inquiry
        world.wait(AN_HOUR)
        assert known(ticket, kind).state is State.SCHEDULED


def test_a_ticket_that_is_open_again_is_not_asked_about(world: World) -> None:
    for kind in KINDS:
        with standing_in(kind) as desk:
            ticket = "SUP-7" if kind == "jira" else "4711"
            desk.add(Case(id=ticket, closed_at=START, status="open"))
            company = connected(world, desk)
            hint = Closure(source=kind, ticket_id=ticket, closed_at=START, kind="solved", needs_details=True)
            tickets.save(open_follow_up(Ticket(), hint, world.now, company))
            world.wait(AN_HOUR)
            found = known(ticket, kind)
            assert (found.state, found.reason) == (State.REOPENED, "reopened"), kind
    world.wait(5 * A_DAY)
    assert world.mail.sent == []


def test_a_status_that_the_settings_call_closed_is_closed_when_it_is_asked_for_too(world: World) -> None:
    with standing_in("zendesk") as desk:
        desk.add(Case(id="4711", closed_at=START, status="open"))
        company = connected(world, desk)
        source = replace(company.sources["zendesk"], statuses={"open": "solved"})
        world.apply(replace(company, sources={**company.sources, "zendesk": source}))
        hint = Closure(source="zendesk", ticket_id="4711", closed_at=START, kind="solved", needs_details=True)
        tickets.save(open_follow_up(Ticket(), hint, world.now, company))
        world.wait(AN_HOUR)
        assert known("4711", "zendesk").state is State.SCHEDULED


# --- the life of a hint ----------------------------------------------------------------------------------------------


def test_the_sample_event_asks_for_a_hint_and_does_nothing_the_second_time(world: World, desk: Desk) -> None:
    connected(world, desk)
    world.invoke("fetch_details", sample("fetch_details"))
    assert desk.asked == []
    assert hinted(world) == "waiting"
    world.invoke("fetch_details", sample("fetch_details"))
    assert known().state is State.SCHEDULED
    asked = len(desk.asked)
    world.invoke("fetch_details", sample("fetch_details"))
    assert len(desk.asked) == asked


def test_a_hint_is_asked_for_at_once_and_its_customer_as_if_a_whole_report_had_come(
    world: World, desk: Desk
) -> None:
    connected(world, desk)
    assert hinted(world) == "waiting"
    world.settle()
    found = known()
    assert (found.state, found.team, found.cause) == (State.SCHEDULED, "web-portal", "portal-login")
    assert found.closure.time_zone == "Europe/Berlin"
    assert found.closure.url == f"{desk.url}/agent/tickets/{TICKET}"
    assert hinted(world) == "duplicate"
    world.wait(A_DAY + A_MINUTE)
    assert len(world.mail.to(CUSTOMER)) == 1


def test_a_key_that_comes_often_asks_once_and_nothing_is_queued_twice(world: World, desk: Desk) -> None:
    connected(world, desk)
    hinted(world)
    key = {"pk": f"TICKET#zendesk#{TICKET}", "sk": "FOLLOW_UP#0001"}
    for _ in range(3):
        world.queue("DueQueue", json.dumps(key))
    world.settle()
    assert desk.paths().count(f"/api/v2/tickets/{TICKET}.json") == 1


def test_the_fuller_report_that_comes_meanwhile_wins(world: World, desk: Desk) -> None:
    connected(world, desk)
    hinted(world)
    trigger: dict[str, Any] = {"id": TICKET, "status": "Solved", "updated_at": stamp(START)}
    trigger |= {"requester_email": "eva@customer.example", "group": "Portal"}
    body = json.dumps({"schema": "zendesk.trigger/1", "ticket": trigger}).encode()
    world.hook(body, signed_by_zendesk(body, world.now), "zendesk")
    world.settle()
    assert known().closure.requester_email == "eva@customer.example"
    assert desk.asked == []


def test_a_hint_whose_ticket_was_reported_open_is_not_even_asked_for(world: World, desk: Desk) -> None:
    connected(world, desk)
    hinted(world)
    hinted(world, START + A_MINUTE, status="OPEN")
    world.settle()
    assert known().state is State.REOPENED
    assert desk.asked == []


def test_what_the_helpdesk_knows_too_late_is_believed_later(world: World, desk: Desk) -> None:
    connected(world, desk)
    desk.cases[TICKET].status = "open"
    hinted(world)
    world.settle()
    assert known().state is State.WAITING
    desk.cases[TICKET].status = "solved"
    world.wait(10 * A_MINUTE + A_MINUTE)
    assert known().state is State.SCHEDULED


def test_a_ticket_without_an_address_goes_to_a_person_and_nothing_half_empty_is_sent(
    world: World, desk: Desk
) -> None:
    connected(world, desk)
    desk.cases[TICKET].email = None
    hinted(world)
    world.wait(A_MINUTE)
    assert (known().state, known().reason) == (State.NOT_ASKED, "no_address")
    assert {mail.to for mail in world.mail.sent} <= {MIA, "ravi.menon@acme.example"}
    assert len(world.mail.sent) == 1


def test_without_an_api_a_hint_waits_for_a_fuller_report_as_before(world: World) -> None:
    hinted(world)
    world.wait(A_DAY)
    assert (known().state, known().inquiry) == (State.WAITING, None)
    assert "fetch_details" not in world.invocations


def test_a_whole_report_of_a_source_with_an_api_asks_nothing(world: World, desk: Desk) -> None:
    connected(world, desk)
    world.hook(closed())
    world.settle()
    assert desk.asked == []


# --- trouble ---------------------------------------------------------------------------------------------------------


def test_a_limit_is_kept_and_nobody_else_tries_meanwhile(world: World, desk: Desk) -> None:
    connected(world, desk)
    desk.add(Case(id="2", closed_at=START))
    desk.plan = [(429, {"retry-after": "600"})]
    hinted(world)
    world.settle()
    hinted(world, ticket="2")
    world.settle()
    assert len(desk.asked) == 1, "the limit is the account's, not the ticket's"
    for ticket in (TICKET, "2"):
        inquiry = known(ticket).inquiry
        assert inquiry
        assert inquiry.obstacle is Obstacle.UNREACHABLE
    due = known().due_at
    assert due is not None
    assert due >= START + timedelta(seconds=600)
    world.wait(11 * A_MINUTE)
    assert (known().state, known("2").state) == (State.SCHEDULED, State.SCHEDULED)


@pytest.mark.parametrize("wait", ["Mon, 30 Nov 2026 09:20:00 GMT", "1200"])
def test_a_limit_may_be_a_date_or_seconds(world: World, desk: Desk, wait: str) -> None:
    connected(world, desk)
    desk.plan = [(503, {"retry-after": wait})]
    hinted(world)
    world.settle()
    assert known().due_at == START + timedelta(minutes=20)


@pytest.mark.parametrize(
    "wait", ["soon", "-5", "999999999999", "", "1e9", "Wed, 21 Oct 99999999999999999999 07:28:00 GMT"]
)
def test_a_limit_that_cannot_be_read_or_is_absurd_loses_nothing(world: World, desk: Desk, wait: str) -> None:
    connected(world, desk)
    desk.plan = [(429, {"retry-after": wait})]
    hinted(world)
    world.wait(timedelta(hours=6, minutes=30))
    assert known().state is State.SCHEDULED


@pytest.mark.parametrize(
    ("plan", "obstacle"),
    [
        (401, Obstacle.REFUSED),
        (403, Obstacle.REFUSED),
        (404, Obstacle.GONE),
        (500, Obstacle.UNREACHABLE),
        (502, Obstacle.UNREACHABLE),
        ((302, {"location": "https://evil.example/api/v2/tickets/1.json"}), Obstacle.UNREADABLE),
        ((307, {"location": "http://169.254.169.254/latest"}), Obstacle.UNREADABLE),
        (418, Obstacle.UNREADABLE),
        ("garbage", Obstacle.UNREADABLE),
        ("huge", Obstacle.UNREADABLE),
        ("half", Obstacle.UNREACHABLE),
        ("hang", Obstacle.UNREACHABLE),
        ("hang up", Obstacle.UNREACHABLE),
        ("trickle", Obstacle.UNREACHABLE),
    ],
)
def test_each_trouble_has_its_name_is_tried_again_and_ends_with_a_person(
    world: World, desk: Desk, quick: None, plan: Plan, obstacle: Obstacle
) -> None:
    connected(world, desk, details_within=AN_HOUR)
    desk.plan = [plan] * 99
    hinted(world)
    world.settle()
    inquiry = known().inquiry
    assert inquiry
    assert (known().state, inquiry.obstacle, inquiry.tries) == (State.WAITING, obstacle, 1)
    assert world.mail.sent == []
    world.wait(AN_HOUR + A_MINUTE)
    given_up = known()
    assert (given_up.state, given_up.reason) == (State.NOT_ASKED, "no_details")
    assert given_up.inquiry
    assert given_up.inquiry.obstacle is obstacle
    assert 2 <= given_up.inquiry.tries <= 8, "often enough, and not all the time"
    (mail,) = world.mail.sent
    assert mail.to == MIA
    assert "told us too little" in mail.text
    assert ("does not accept our token" in mail.text) == (obstacle is Obstacle.REFUSED)
    assert tickets.load("zendesk", TICKET).flags[1].reason == "no_details"
    asked = len(desk.asked)
    world.wait(5 * A_DAY)
    assert len(desk.asked) == asked
    assert TOKEN not in world.log.getvalue() + "".join(world.scan()) + mail.text


def test_without_a_token_nothing_is_asked_and_the_alarm_hears_of_it(world: World, desk: Desk) -> None:
    connected(world, desk)
    store({})
    hinted(world)
    world.settle()
    inquiry = known().inquiry
    assert inquiry
    assert inquiry.obstacle is Obstacle.NO_TOKEN
    assert desk.asked == []
    assert '"obstacle":"no_token"' in world.log.getvalue()
    store({"zendesk": desk.secret})
    world.wait(AN_HOUR)
    assert known().state is State.SCHEDULED


def test_the_command_stores_the_token_that_is_used(
    world: World, desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    connected(world, desk)
    store({"zendesk": "agent@acme.example/token:the one before"})
    monkeypatch.setenv("HOOK_SECRETS", "HookSecrets")
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{desk.secret}\n"))
    assert set_secret.main(["zendesk", "--api"]) == 0
    said = capsys.readouterr().out
    assert "The API of zendesk is called with the newest within a minute." in said
    assert TOKEN not in said
    secret_store.forget()
    hinted(world)
    world.settle()
    assert known().state is State.SCHEDULED
    hooks = json.loads(client("secretsmanager").get_secret_value(SecretId="HookSecrets")["SecretString"])
    assert TOKEN not in json.dumps(hooks), "it verifies nothing"


def test_a_helpdesk_that_is_not_there_is_asked_again(world: World, desk: Desk) -> None:
    company = connected(world, desk)
    source = company.sources["zendesk"]
    assert source.api
    away = replace(source, api=replace(source.api, url="http://127.0.0.1:9"))
    world.apply(replace(company, sources={**company.sources, "zendesk": away}))
    hinted(world)
    world.settle()
    assert known().state is State.WAITING
    world.apply(company)
    world.wait(AN_HOUR)
    assert known().state is State.SCHEDULED


def test_what_can_be_done_without_is_done_without(world: World, desk: Desk) -> None:
    connected(world, desk)
    desk.plan = ["fine", "fine", 403, 404]
    hinted(world)
    world.settle()
    found = known()
    assert (found.state, found.closure.requester_email) == (State.SCHEDULED, CUSTOMER)
    assert (found.closure.resolver_name, found.closure.team) == (None, "77"), "the group is what the hint had"


def test_an_access_token_is_got_once_and_again_when_it_is_refused(world: World) -> None:
    with standing_in("helpscout") as desk:
        for number in ("1", "2"):
            desk.add(Case(id=number, closed_at=START))
        company = connected(world, desk)
        for number in ("1", "2"):
            hint = Closure(
                source="helpscout", ticket_id=number, closed_at=START, kind="closed", needs_details=True
            )
            tickets.save(open_follow_up(Ticket(), hint, world.now, company))
        world.settle()
        assert desk.paths("POST") == ["/v2/oauth2/token"]
        assert known("2", "helpscout").state is State.SCHEDULED


def test_whoever_is_cut_off_while_asking_leaves_it_to_be_asked_again(world: World, desk: Desk) -> None:
    connected(world, desk)
    hinted(world)
    world.fail("PutItem", times=3)
    world.settle()
    world.failed.clear()
    world.wait(AN_HOUR)
    assert known().state is State.SCHEDULED
    world.failed.clear()


@pytest.mark.parametrize("kind", ["hubspot", "helpscout"])
def test_fields_that_only_the_company_has_are_asked_for(world: World, kind: str) -> None:
    fields = {"hubspot": ("agreed", "repair"), "helpscout": ("Agreed", "Repair")}[kind]
    with standing_in(kind) as desk:
        desk.add(Case(id=TICKET, closed_at=START))
        company = connected(world, desk)
        source = company.sources[kind]
        assert source.api
        values = desk.values | dict(zip(("promise_field", "solution_field"), fields, strict=True))
        api = replace(source.api, values=values)
        company = replace(company, sources={**company.sources, kind: replace(source, api=api)})
        world.apply(company)
        hint = Closure(source=kind, ticket_id=TICKET, closed_at=START, kind="solved", needs_details=True)
        tickets.save(open_follow_up(Ticket(), hint, world.now, company))
        world.settle()
        told = known(TICKET, kind).closure
        assert (told.promise, told.solution) == ("A technician comes", "A new meter")


def test_a_promise_that_the_helpdesk_tells_when_asked_is_watched(world: World, desk: Desk) -> None:
    store({"zendesk": desk.secret})
    known_settings = settings()
    values = desk.values | {"promise_field": "360001", "promised_until_field": "360009"}
    api = Api(url=desk.url, secret="zendesk", values=values)
    source = replace(known_settings.sources["zendesk"], api=api)
    world.apply(replace(known_settings, sources={**known_settings.sources, "zendesk": source}))
    desk.cases[TICKET].cause, desk.cases[TICKET].promised_until = "We call you back", "2026-12-04"
    hinted(world)
    world.settle()
    found = known()
    assert found.closure.promise == "We call you back"
    (promised,) = tickets.load("zendesk", TICKET).promises
    assert promised.until == found.closure.promised_until
