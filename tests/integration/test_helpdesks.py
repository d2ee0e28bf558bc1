"""POST /hooks/{source} for the helpdesks that ship: their senders, batches, answers, and what is tried again later."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from adapters import quarantine, tickets
from adapters.aws import client
from builders import URL, settings
from domain.follow_up import FollowUp, State
from domain.settings import Source
from helpdesks.preset import shipped
from senders import sent
from world import Page, World

PAYLOADS = Path(__file__).parents[1] / "fixtures" / "payloads"
SECRET = "a secret that both of us know, of some length"
WHSEC = "whsec_YSBzZWNyZXQgb2YgMjQgYnl0ZXMsIHNheQ=="
FORGED = "whsec_YSBmb3JnZXIncyBvd24gMjQgYnl0ZXMuLi4="
BODIES = {
    "chatwoot": "chatwoot/conversation_status_changed-from-source.json",
    "cloudevents": "cloudevents/ticket_closed_structured-from-spec.json",
    "freescout": "freescout/convo_status-from-docs.json",
    "freshdesk": "freshdesk/closed-from-docs.json",
    "front": "front/archive-from-docs.json",
    "glpi": "glpi/ticket_update-from-source.json",
    "helpscout": "helpscout/convo_status_closed-from-docs.json",
    "hubspot": "hubspot/ticket_propertyChange-from-docs.json",
    "intercom": "intercom/conversation_admin_closed_v2-from-docs.json",
    "jira": "jira-service-management/issue_updated_done-from-docs.json",
    "kustomer": "kustomer/conversation_update-from-docs.json",
    "plain": "plain/thread_status_transitioned-from-docs.json",
    "salesforce": "salesforce/flow_http_callout_case_closed-from-docs.json",
    "salesforce-outbound-message": "salesforce/outbound_message_case_closed-from-docs.xml",
    "servicenow": "servicenow/incident_closed-from-docs.json",
    "standard-webhooks": "standard-webhooks/ticket_closed-from-spec.json",
    "zammad": "zammad/ticket_closed-from-docs.json",
    "zendesk": "zendesk/trigger_closed_rendered-from-docs.json",
    "zoho-desk": "zoho-desk/ticket_update-from-docs.json",
}
EVENT_HEADERS = {
    "helpscout": {"x-helpscout-event": "convo.status"},
    "freescout": {"x-freescout-event": "convo.status"},
}
WAITING = {"glpi", "hubspot", "jira", "kustomer"}
"""What these send holds nobody's address."""


def ways() -> Iterator[tuple[str, str | None]]:
    """Every preset with a sample, by each way to verify it."""
    for preset in BODIES:
        yield preset, None
        yield from ((preset, name) for name in shipped(preset).alternatives)


@pytest.fixture
def many(world: World) -> World:
    """A company with all helpdesks; a source is called like its preset, ``--`` and the way to verify it."""
    world.now = datetime(2026, 3, 2, 9, 20, tzinfo=UTC)
    sources = {
        f"{preset}--{way}" if way else preset: Source(
            preset=preset, secret="std" if preset == "standard-webhooks" else "all", verify=way
        )
        for preset, way in ways()
    }
    known = settings()
    world.apply(replace(known, sources=sources))
    client("secretsmanager").put_secret_value(
        SecretId="HookSecrets", SecretString=json.dumps({"all": [SECRET], "std": WHSEC})
    )
    return world


def send(world: World, preset: str, body: bytes, way: str | None = None, **headers: str) -> Page:
    """The helpdesk sends a body in its own way."""
    source = f"{preset}--{way}" if way else preset
    secret = WHSEC if preset == "standard-webhooks" else SECRET
    request = sent(shipped(preset).rule(way), body, secret, world.now, f"{URL}/hooks/{source}")
    query = f"?{urlencode(request.target.query)}" if request.target.query else ""
    given = {**EVENT_HEADERS.get(preset, {}), **request.headers, **headers}
    return world.http("POST", f"/hooks/{source}{query}", request.body.decode(), given)


def sample(preset: str) -> bytes:
    """What a closure of this helpdesk looks like."""
    return (PAYLOADS / BODIES[preset]).read_bytes()


def outcome(page: Page) -> str:
    """What became of it, where the answer says so."""
    return str(json.loads(page.body)["status"])


@pytest.mark.parametrize(("preset", "way"), list(ways()), ids=[f"{p}-{w}" for p, w in ways()])
def test_a_closure_is_stored_once_and_answered_as_its_helpdesk_wants(
    many: World, preset: str, way: str | None
) -> None:
    expected = {"zoho-desk": 200, "salesforce-outbound-message": 200}.get(preset, 202)
    page = send(many, preset, sample(preset), way)
    assert page.status == expected
    if preset != "salesforce-outbound-message":
        first = {"hubspot": "waiting, ignored"}.get(preset, "waiting" if preset in WAITING else "accepted")
        assert outcome(page) == first
    items = [key for key in many.items if key[0].startswith("TICKET#")]
    again = send(many, preset, sample(preset), way)
    assert again.status == expected
    assert [key for key in many.items if key[0].startswith("TICKET#")] == items
    assert len(items) == 1
    assert SECRET not in many.log.getvalue()
    assert "ana@example.com" not in many.log.getvalue()


@pytest.mark.parametrize(("preset", "way"), list(ways()), ids=[f"{p}-{w}" for p, w in ways()])
def test_a_forger_is_refused_by_every_helpdesks_hook(many: World, preset: str, way: str | None) -> None:
    before = many.scan()
    source = f"{preset}--{way}" if way else preset
    request = sent(shipped(preset).rule(way), sample(preset), FORGED, many.now)
    query = f"?{urlencode(request.target.query)}" if request.target.query else ""
    for address, headers in ((f"/hooks/{source}{query}", request.headers), (f"/hooks/{source}", {})):
        page = many.http("POST", address, request.body.decode(), {**EVENT_HEADERS.get(preset, {}), **headers})
        assert (page.status, page.body) == (401, '{"error": "unauthorized"}')
    for other in {None, *shipped(preset).alternatives} - {way}:
        # What another way of the same preset would accept, with the right secret.
        request = sent(shipped(preset).rule(other), sample(preset), SECRET, many.now)
        query = f"?{urlencode(request.target.query)}" if request.target.query else ""
        assert (
            many.http("POST", f"/hooks/{source}{query}", request.body.decode(), request.headers).status == 401
        )
    assert many.scan() == before


@pytest.mark.parametrize("preset", sorted(BODIES))
def test_a_fault_of_ours_is_answered_so_that_the_helpdesk_tries_again(many: World, preset: str) -> None:
    many.fail("PutItem")
    page = send(many, preset, sample(preset))
    assert page.status == 503
    if preset == "salesforce-outbound-message":
        assert "<Ack>false</Ack>" in page.body
        assert page.headers["content-type"].startswith("text/xml")
    else:
        assert page.headers["retry-after"] == "5"
    assert send(many, preset, sample(preset)).status in {200, 202}
    assert len([key for key in many.items if key[0].startswith("TICKET#")]) == 1


def test_salesforce_gets_its_acknowledgement(many: World) -> None:
    page = send(many, "salesforce-outbound-message", sample("salesforce-outbound-message"))
    expected = (PAYLOADS / "salesforce" / "outbound_message_ack-from-docs.xml").read_text("utf-8")
    assert page.body.split() == expected.split()
    assert page.headers["content-type"] == "text/xml; charset=utf-8"


def hubspot_event(**changed: Any) -> dict[str, Any]:
    """One change of a ticket's stage."""
    event: dict[str, Any] = json.loads(sample("hubspot"))[0] | changed
    return event


def test_one_bad_event_of_a_batch_is_kept_by_itself_and_the_others_count(many: World) -> None:
    events = [hubspot_event(objectId=number) for number in range(10)]
    events[4] = hubspot_event(objectId=4, propertyValue="1032")
    page = send(many, "hubspot", json.dumps(events).encode())
    assert outcome(page) == "waiting, quarantined"
    assert len([key for key in many.items if key[0].startswith("TICKET#hubspot#")]) == 9
    (kept,) = quarantine.listed()
    assert (json.loads(kept.raw), kept.part, kept.reason) == (events[4], True, "status is not known")
    # The company says what the stage means, and takes that one event in again.
    known = settings()
    many.now += timedelta(minutes=1)
    many.apply(
        replace(
            known, sources={"hubspot": Source(preset="hubspot", secret="all", statuses={"1032": "solved"})}
        )
    )
    assert many.invoke("replay_ticket", {"id": kept.id}) == {"status": "waiting"}
    (follow_up,) = tickets.load("hubspot", "4").ticket.follow_ups
    assert (follow_up.closure.kind, follow_up.state) == ("solved", State.WAITING)
    assert many.invoke("replay_ticket", {"id": kept.id}) == {"status": "duplicate"}


def test_a_batch_that_broke_off_in_the_middle_is_finished_by_its_repeat(
    many: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, saved = tickets.save, list[FollowUp]()

    def save_two(follow_up: FollowUp) -> None:
        if len(saved) == 2:
            raise RuntimeError("the process ended")
        save(follow_up)
        saved.append(follow_up)

    body = json.dumps([hubspot_event(objectId=number) for number in range(5)]).encode()
    monkeypatch.setattr(tickets, "save", save_two)
    assert send(many, "hubspot", body).status == 503
    assert len([key for key in many.items if key[0].startswith("TICKET#hubspot#")]) == 2
    monkeypatch.setattr(tickets, "save", save)
    assert outcome(send(many, "hubspot", body)) == "duplicate, waiting"
    assert len([key for key in many.items if key[0].startswith("TICKET#hubspot#")]) == 5


def test_a_whole_batch_that_cannot_be_read_is_kept_whole_and_read_once_it_can_be(many: World) -> None:
    assert outcome(send(many, "hubspot", b'[{"a": 1')) == "quarantined"
    (kept,) = quarantine.listed()
    assert (kept.raw, kept.part) == (b'[{"a": 1', False)
    assert many.invoke("replay_ticket", {"id": kept.id}) == {"status": "quarantined"}


def test_what_depends_on_a_header_can_be_tried_again(many: World) -> None:
    body = json.dumps(json.loads(sample("helpscout")) | {"status": "parked"}).encode()
    page = send(many, "helpscout", body, **{"x-other": "not kept"})
    assert outcome(page) == "quarantined"
    (kept,) = quarantine.listed()
    assert kept.headers == {"x-helpscout-event": "convo.status"}
    many.now += timedelta(minutes=1)
    source = Source(preset="helpscout", secret="all", statuses={"parked": "closed"})
    many.apply(replace(settings(), sources={"helpscout": source}))
    assert many.invoke("replay_ticket", {"id": kept.id}) == {"status": "accepted"}


def test_hubspot_must_have_sent_it_to_the_address_that_we_know(many: World) -> None:
    rule, body = shipped("hubspot").rule(None), sample("hubspot")
    elsewhere = sent(rule, body, SECRET, many.now, "https://evil.example/hooks/hubspot")
    assert many.http("POST", "/hooks/hubspot", body.decode(), elsewhere.headers).status == 401
    here = sent(rule, body, SECRET, many.now, f"{URL}/hooks/hubspot?x=1")
    assert many.http("POST", "/hooks/hubspot", body.decode(), here.headers).status == 401
    forwarded = {**elsewhere.headers, "host": "evil.example", "x-forwarded-host": "evil.example"}
    assert many.http("POST", "/hooks/hubspot", body.decode(), forwarded).status == 401
    assert many.http("POST", "/hooks/hubspot?x=1", body.decode(), here.headers).status == 202


def test_a_glpi_repeat_a_day_later_is_still_its_own_and_a_week_later_is_not(many: World) -> None:
    request = sent(shipped("glpi").rule(None), sample("glpi"), SECRET, many.now, f"{URL}/hooks/glpi")
    many.now += timedelta(hours=23)
    assert many.http("POST", "/hooks/glpi", request.body.decode(), request.headers).status == 202
    many.now += timedelta(days=6)
    assert many.http("POST", "/hooks/glpi", request.body.decode(), request.headers).status == 401


def test_a_reopening_between_ends_the_question_for_every_kind_of_helpdesk(many: World) -> None:
    """Closed and opened again within the delay: nobody is asked."""
    send(many, "zammad", sample("zammad"))
    body = json.loads(sample("zammad"))
    body["ticket"] |= {"state": "open", "updated_at": "2026-03-02T09:18:00Z"}
    assert outcome(send(many, "zammad", json.dumps(body).encode())) == "reopened"
    many.wait(timedelta(days=3))
    assert many.mail.to("ana@example.com") == []


def test_a_deleted_ticket_is_not_asked_about(many: World) -> None:
    send(many, "helpscout", sample("helpscout"))
    body = json.dumps({"id": 4711001}).encode()
    assert outcome(send(many, "helpscout", body, **{"x-helpscout-event": "convo.deleted"})) == "reopened"
    many.wait(timedelta(days=3))
    assert many.mail.to("ana@example.com") == []
