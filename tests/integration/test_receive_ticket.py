"""POST /hooks/{source}: rows W1 to W17 of the faults, as far as the Lambda's answer and the table are the point."""

import base64
import hmac
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from adapters import people, quarantine, secret_store, tickets
from adapters.aws import client
from builders import (
    A_DAY,
    A_MINUTE,
    A_SECOND,
    ACME_SECRET,
    AN_HOUR,
    CUSTOMER,
    MIA,
    OLD_ACME_SECRET,
    RAVI,
    START,
    closed,
    customer,
    reopened,
    sample,
    settings,
    signed,
    signed_by_zendesk,
    stamp,
)
from domain.follow_up import FollowUp, State
from world import Page, World, refusal

ZAMMAD_CLOSED = Path(__file__).resolve().parents[1] / "fixtures/payloads/zammad/ticket_closed-from-docs.json"
OTHER_SECRET = "whsec_" + base64.b64encode(b"a secret of somebody else, really").decode()


def follow_ups(ticket_id: str = "4711", source: str = "acme") -> tuple[FollowUp, ...]:
    """All follow-ups of a ticket, in the order of its closings."""
    return tickets.load(source, ticket_id).ticket.follow_ups


def only(ticket_id: str = "4711", source: str = "acme") -> FollowUp:
    """The one follow-up of a ticket."""
    (known,) = follow_ups(ticket_id, source)
    return known


def outcome(page: Page) -> str:
    """What became of a webhook that was taken in."""
    assert page.status == 202, page
    return str(json.loads(page.body)["status"])


def assert_unauthorized(world: World, page: Page, before: list[str]) -> None:
    """The constant answer, and nothing written."""
    assert (page.status, page.body) == (401, '{"error": "unauthorized"}')
    assert world.scan() == before


def test_the_sample_event_is_taken_in(world: World) -> None:
    event = sample("receive_ticket")
    event["headers"] |= signed(event["body"].encode(), world.now)
    assert outcome(world.answered(world.invoke("receive_ticket", event))) == "accepted"
    known = only()
    assert (known.state, known.cause, known.team) == (State.SCHEDULED, "portal-login", "web-portal")
    assert known.due_at == START + A_DAY
    assert known.closure.promise == "A new password by letter"
    assert (known.closure.solution, known.closure.promised_by) == ("Your account is open again", "Kim Ren")


def test_w1_a_wrong_signature_is_unauthorized_and_writes_nothing(world: World) -> None:
    before = world.scan()
    body, right = closed(), signed(closed(), world.now)
    signature = right["webhook-signature"]
    for headers in (
        {},
        right | {"webhook-signature": signature[:-5]},
        right | {"webhook-signature": "v1,"},
        signed(body, world.now, secret=OTHER_SECRET),
        right | {"webhook-id": "msg_2"},
    ):
        event_headers = {"content-type": "application/json", "webhook-signature": "", **headers}
        assert_unauthorized(world, world.hook(body, event_headers), before)
    same_meaning = json.dumps(json.loads(body), indent=1).encode()
    assert_unauthorized(world, world.hook(same_meaning, right), before)
    assert "sign in" not in world.log.getvalue()


def test_w2_a_malformed_signature_is_never_a_fault_of_ours(world: World) -> None:
    before = world.scan()
    malformed = [
        "",
        "v1",
        ",",
        "v1,a,b",
        "v1,%%%",
        "v1,ключ",
        "v1,x " * 5000,
        "v1,A= v1,B=",
        "v1,\ud800",
        " ",
    ]
    for signature in malformed:
        headers = signed(closed(), world.now) | {"webhook-signature": signature}
        assert_unauthorized(world, world.hook(closed(), headers), before)


def test_w3_a_malformed_timestamp_is_unauthorized(world: World) -> None:
    before = world.scan()
    for timestamp in ("nan", "inf", "1e999", "１７９６０２９２００", "1_7", "1796029200.0", "-1", " ", ""):
        right = signed(closed(), world.now, timestamp=timestamp if timestamp.isascii() else None)
        page = world.hook(closed(), right | {"webhook-timestamp": timestamp})
        assert_unauthorized(world, page, before)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_w4_a_captured_request_is_stale_five_minutes_later(world: World, seconds: int) -> None:
    before = world.scan()
    headers = signed(closed(), world.now + seconds * A_SECOND)
    assert_unauthorized(world, world.hook(closed(), headers), before)
    assert '"reason":"stale"' in world.log.getvalue()


@pytest.mark.parametrize("seconds", [-300, 300])
def test_w4_exactly_five_minutes_are_accepted(world: World, seconds: int) -> None:
    assert outcome(world.hook(closed(), signed(closed(), world.now + seconds * A_SECOND))) == "accepted"


def test_w5_the_same_delivery_again_changes_nothing(world: World) -> None:
    headers = signed(closed(), world.now)
    assert outcome(world.hook(closed(), headers)) == "accepted"
    before = world.scan()
    world.now += 4 * A_MINUTE
    assert outcome(world.hook(closed(), headers)) == "duplicate"
    assert world.scan() == before


def test_w5_the_same_closure_again_changes_nothing(world: World) -> None:
    world.hook(closed())
    for later in (timedelta(), timedelta(hours=75), 29 * A_DAY):
        world.wait_until(START + later)
        before = world.scan()
        headers = signed(closed(), world.now, delivery=f"msg_{later.days}")
        assert outcome(world.hook(closed(), headers)) == "duplicate"
        assert world.scan() == before
    surveys = [mail for mail in world.mail.to(CUSTOMER) if mail.subject == "Is ticket 4711 really solved?"]
    assert len(surveys) == 1


def test_w6_the_same_closure_with_another_subject_keeps_the_first(world: World) -> None:
    world.hook(closed())
    assert outcome(world.hook(closed(subject="Something else"))) == "duplicate"
    assert only().closure.subject == "I cannot sign in to the portal"
    assert not only().conflict


def test_w6_the_same_closure_of_somebody_else_is_flagged_and_mailed_to_nobody_else(world: World) -> None:
    world.hook(closed())
    assert outcome(world.hook(closed(requester=customer("eve@customer.example")))) == "duplicate"
    assert only().closure.requester_email == CUSTOMER
    assert "closure_conflict" in world.log.getvalue()
    world.wait(2 * A_DAY)
    assert world.mail.to("eve@customer.example") == []
    assert len(world.mail.to(CUSTOMER)) == 1
    assert tickets.load("acme", "4711").flags[1].reason == "conflict"
    assert len(world.mail.to(RAVI)) == 1


def test_w7_of_two_identical_deliveries_at_once_one_is_stored(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, raced = tickets.save, list[bool]()

    def save_after_the_other_one(follow_up: FollowUp) -> None:
        if not raced:
            raced.append(True)
            assert outcome(world.hook(closed())) == "accepted"
        save(follow_up)

    monkeypatch.setattr(tickets, "save", save_after_the_other_one)
    assert outcome(world.hook(closed())) == "duplicate"
    monkeypatch.undo()
    assert len([key for key in world.items if key[0] == "TICKET#acme#4711"]) == 1


def test_w8_a_reopening_before_the_ask_cancels_it(world: World) -> None:
    world.hook(closed())
    world.wait(AN_HOUR)
    assert outcome(world.hook(reopened(at=world.now))) == "reopened"
    assert outcome(world.hook(reopened(at=world.now))) == "duplicate"
    world.wait(20 * A_DAY)
    assert world.mail.to(CUSTOMER) == []
    assert (only().state, only().reason, only().due_at) == (State.REOPENED, "reopened", None)


def test_w8_a_second_closing_is_a_new_follow_up_and_supersedes_the_first(world: World) -> None:
    world.hook(closed())
    world.hook(reopened(at=START + AN_HOUR), signed(reopened(at=START + AN_HOUR), world.now))
    world.wait(2 * AN_HOUR)
    assert outcome(world.hook(closed(at=START + 2 * AN_HOUR))) == "accepted"
    world.wait(2 * A_DAY)
    first, second = follow_ups()
    assert (first.state, second.state, second.number) == (State.REOPENED, State.ASKED, 2)
    (survey,) = world.mail.to(CUSTOMER)
    assert survey.at == START + 2 * AN_HOUR + A_DAY


def test_w8_closed_again_without_a_reopening_supersedes_the_pending_ask(world: World) -> None:
    world.hook(closed())
    world.wait(2 * AN_HOUR)
    world.hook(closed(at=START + 2 * AN_HOUR))
    world.wait(3 * A_DAY)
    first, second = follow_ups()
    assert (first.state, first.reason, second.state) == (State.REOPENED, "closed_again", State.ASKED)
    assert len(world.mail.to(CUSTOMER)) == 1


def test_w8_an_older_event_that_comes_late_changes_nothing_newer(world: World) -> None:
    world.now = START + 5 * AN_HOUR
    world.hook(closed(at=START + 4 * AN_HOUR))
    world.hook(reopened(at=START + 2 * AN_HOUR))
    world.hook(closed(at=START))
    older, newer = follow_ups()
    assert (newer.state, newer.closure.closed_at) == (State.SCHEDULED, START + 4 * AN_HOUR)
    assert older.state == State.REOPENED
    world.wait(3 * A_DAY)
    assert len(world.mail.to(CUSTOMER)) == 1


def test_w8_a_reopening_that_comes_before_its_closure_still_stops_the_ask(world: World) -> None:
    world.now = START + 2 * AN_HOUR
    world.hook(reopened(at=START + AN_HOUR))
    world.hook(closed(at=START))
    world.wait(3 * A_DAY)
    assert world.mail.to(CUSTOMER) == []
    assert only().state == State.REOPENED


def test_w5_a_repeat_is_known_when_the_first_closing_of_its_ticket_is_no_longer_kept(world: World) -> None:
    """The first follow-up lives as long as the last one: its key is what a report without a past would take."""
    world.hook(closed())
    world.wait(300 * A_DAY)
    again = world.now
    world.hook(closed(at=again))
    world.hook(closed(at=again))
    assert [known.number for known in follow_ups()] == [1, 2]
    first, second = (world.items[("TICKET#acme#4711", f"FOLLOW_UP#000{number}")] for number in (1, 2))
    assert first["expires_at"] == second["expires_at"]


@pytest.mark.parametrize("operation", ["Query", "PutItem"])
def test_w9_while_the_table_is_down_the_sender_is_asked_to_try_again(world: World, operation: str) -> None:
    world.hook(closed())
    world.hook(reopened(at=START + AN_HOUR))
    world.now = START + 2 * AN_HOUR
    again = closed(at=START + 2 * AN_HOUR)
    world.fail(operation)
    page = world.hook(again)
    assert (page.status, page.headers["retry-after"]) == (503, "5")
    assert len(follow_ups()) == 1
    assert outcome(world.hook(again)) == "accepted"


def test_w10_a_reply_lost_after_the_commit_makes_no_second_follow_up(world: World) -> None:
    world.fail("PutItem", EndpointConnectionError(endpoint_url="https://dynamodb"), after=True)
    assert world.hook(closed()).status == 503
    assert outcome(world.hook(closed())) == "duplicate"
    world.wait(2 * A_DAY)
    assert len(world.mail.to(CUSTOMER)) == 1
    assert only().number == 1


def test_w11_old_and_new_secret_are_good_while_both_are_kept(world: World) -> None:
    assert outcome(world.hook(closed(), signed(closed(), world.now, secret=OLD_ACME_SECRET))) == "accepted"
    assert '"signed_with":"1"' in world.log.getvalue()
    kept = json.dumps({"acme": [OTHER_SECRET]})
    client("secretsmanager").put_secret_value(SecretId="HookSecrets", SecretString=kept)
    world.now += 2 * A_MINUTE
    before = world.scan()
    headers = signed(closed("4712"), world.now, secret=OLD_ACME_SECRET)
    assert_unauthorized(world, world.hook(closed("4712"), headers), before)
    assert (
        outcome(world.hook(closed("4712"), signed(closed("4712"), world.now, secret=OTHER_SECRET)))
        == "accepted"
    )


def test_w12_without_the_secrets_the_sender_is_asked_to_try_again(world: World) -> None:
    world.fail("GetSecretValue", refusal("InternalServiceError", 500, "GetSecretValue"))
    assert world.hook(closed()).status == 503
    assert outcome(world.hook(closed())) == "accepted"
    world.now += 14 * A_MINUTE
    world.fail("GetSecretValue", refusal("InternalServiceError", 500, "GetSecretValue"))
    assert outcome(world.hook(closed())) == "duplicate"
    secret_store.forget()
    assert outcome(world.hook(closed())) == "duplicate"


def test_w12_a_source_whose_secret_nobody_set_is_our_fault(world: World) -> None:
    client("secretsmanager").put_secret_value(SecretId="HookSecrets", SecretString="{}")
    assert world.hook(closed()).status == 503


def test_w13_the_source_in_the_path_decides_which_secret_counts(world: World) -> None:
    before = world.scan()
    assert_unauthorized(world, world.hook(closed(), signed(closed(), world.now), source="zendesk"), before)
    assert_unauthorized(world, world.hook(closed(), signed(closed(), world.now), source="nobody"), before)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe{",
        '{"type": "ticket.solved"}'.encode("utf-16"),
        b"\x1f\x8b\x08",
        b"a=b",
    ],
)
def test_w14_a_signed_body_that_is_unusable_is_kept_in_quarantine(world: World, body: bytes) -> None:
    encoded = base64.b64encode(body).decode()
    page = world.http("POST", "/hooks/acme", encoded, signed(body, world.now), encoded=True)
    assert outcome(page) == "quarantined"
    (kept,) = quarantine.listed()
    assert (kept.raw, kept.source) == (body, "acme")
    unsigned = world.http("POST", "/hooks/acme", encoded, {"webhook-signature": ""}, encoded=True)
    assert unsigned.status == 401
    assert len(list(quarantine.listed())) == 1


def test_w14_the_signature_is_over_the_decoded_bytes(world: World) -> None:
    body = closed(subject="Zähler")
    page = world.http(
        "POST", "/hooks/acme", base64.b64encode(body).decode(), signed(body, world.now), encoded=True
    )
    assert outcome(page) == "accepted"
    assert outcome(world.hook(body)) == "duplicate"
    assert only().closure.subject == "Zähler"


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"type": "ticket.solved", "type": "ticket.closed"}',
        b'{"a": NaN}',
        b'{"type": "ticket.solved", "data": {"id": "' + b"9" * 200_000 + b'"}}',
        b'{"a": "' + b"x" * 262_130 + b'"}',
    ],
)
def test_w15_a_signed_json_bomb_is_kept_in_quarantine(world: World, body: bytes) -> None:
    assert outcome(world.hook(body)) == "quarantined"
    (kept,) = quarantine.listed()
    assert kept.raw == body


def test_w15_a_body_above_256_kilobytes_is_refused_before_it_is_read(world: World) -> None:
    before = world.scan()
    page = world.hook(b'{"a": "' + b"x" * 262_144 + b'"}')
    assert page.status == 413
    assert world.scan() == before


def test_w16_an_unknown_event_is_ignored(world: World) -> None:
    before = world.scan()
    assert outcome(world.hook(b'{"type": "ticket.tagged", "data": {}}')) == "ignored"
    assert world.scan() == before


def test_w16_without_a_usable_address_it_is_flagged_at_once(world: World) -> None:
    for ticket_id, address in zip("1234", [None, "", "ana", "a b@c.example"], strict=True):
        assert outcome(world.hook(closed(ticket_id, requester=customer(address)))) == "accepted"
        world.settle()
        assert (only(ticket_id).state, only(ticket_id).reason) == (State.NOT_ASKED, "no_address")
        assert tickets.load("acme", ticket_id).flags[1].reason == "undeliverable"
        assert f"Could not be delivered: ticket {ticket_id}" in [mail.subject for mail in world.mail.to(RAVI)]
    assert {mail.to for mail in world.mail.sent} == {RAVI}


def test_w16_what_nobody_classified_is_counted_as_unclassified(world: World) -> None:
    world.hook(closed(root_cause="Something new", group="Nobody's team", colour="blue"))
    known = only()
    assert (known.cause, known.team) == ("unclassified", None)
    world.press(world.survey_link(), answer="no", words="No.")
    world.wait(A_MINUTE)
    assert [mail.to for mail in world.mail.sent] == [MIA]


def test_w17_a_closing_outside_of_time_is_kept_in_quarantine_or_ignored_where_it_is_only_old(
    world: World,
) -> None:
    expected = {
        "1970-01-01T00:00:00Z": "quarantined",
        "2099-01-01T00:00:00Z": "quarantined",
        "2026-11-30T08:59:00": "quarantined",
        "2026-11-30T08:59:60Z": "quarantined",
        stamp(START - 30 * A_DAY - A_SECOND): "ignored",
        stamp(START - 30 * A_DAY): "accepted",
        stamp(START + AN_HOUR): "accepted",
        stamp(START + AN_HOUR + A_SECOND): "quarantined",
        "2026-11-30T09:59:00+01:00": "accepted",
    }
    for number, closed_at in enumerate(expected):
        assert outcome(world.hook(closed(str(number), closed_at=closed_at))) == expected[closed_at], closed_at


def test_w17_the_delay_counts_from_receipt(world: World) -> None:
    world.hook(closed(at=START - 20 * A_DAY))
    assert only().due_at == START + A_DAY


def test_w21_no_answer_tells_a_helpdesk_to_stop(world: World) -> None:
    statuses: set[int] = set()
    for body in (closed(), b"", b"x" * 300_000, reopened(), closed(requester=None)):
        for headers in (signed(body, world.now), {"webhook-signature": ""}):
            for fault in (None, "Query", "PutItem"):
                if fault:
                    world.fail(fault)
                statuses.add(world.hook(body, headers).status)
                world.faults.clear()
    assert statuses == {202, 401, 413, 503}


def test_a_zendesk_event_waits_for_its_details(world: World) -> None:
    body = json.dumps(
        {
            "type": "zen:event-type:ticket.status_changed",
            "time": stamp(START),
            "event": {"current": "SOLVED", "previous": "OPEN"},
            "detail": {"id": "35436", "subject": "Meter", "requester_id": "8447388090494"},
        }
    ).encode()
    assert outcome(world.hook(body, signed_by_zendesk(body, world.now), "zendesk")) == "waiting"
    trigger: dict[str, Any] = {"id": "35436", "status": "Solved", "updated_at": stamp(START + A_SECOND)}
    trigger |= {"requester_email": CUSTOMER, "root_cause": "cause_meter_late", "group": "Portal"}
    body = json.dumps({"schema": "zendesk.trigger/1", "ticket": trigger}).encode()
    assert outcome(world.hook(body, signed_by_zendesk(body, world.now), "zendesk")) == "accepted"
    known = only("35436", "zendesk")
    assert (known.state, known.cause, known.team, known.number) == (
        State.SCHEDULED,
        "meter-late",
        "web-portal",
        1,
    )
    world.wait(2 * A_DAY)
    assert len(world.mail.to(CUSTOMER)) == 1


def test_details_that_never_come_are_flagged(world: World) -> None:
    body = b'{"ticket": {"id": "7", "status": "Solved", "subject": "a "b" c"}}'
    assert outcome(world.hook(body, signed_by_zendesk(body, world.now), "zendesk")) == "waiting"
    world.wait(3 * A_DAY + A_MINUTE)
    assert (only("7", "zendesk").state, only("7", "zendesk").reason) == (State.NOT_ASKED, "no_details")
    assert [mail.to for mail in world.mail.sent] == [MIA]
    assert people.load(CUSTOMER).asked == ()


def test_a_ticket_that_went_into_another_one_is_not_asked_about_and_is_no_second_ticket(world: World) -> None:
    trigger: dict[str, Any] = {"id": "35436", "status": "Closed", "updated_at": stamp(START)}
    trigger |= {"requester_email": CUSTOMER, "root_cause": "cause_meter_late", "tags": "vip closed_by_merge"}
    body = json.dumps({"schema": "zendesk.trigger/1", "ticket": trigger}).encode()
    assert outcome(world.hook(body, signed_by_zendesk(body, world.now), "zendesk")) == "accepted"
    world.wait(10 * A_DAY)
    known = only("35436", "zendesk")
    assert (known.closure.kind, known.state, known.reason) == ("merged", State.NOT_ASKED, "merged")
    assert tickets.load("zendesk", "35436").flags == {}
    assert world.mail.to(CUSTOMER) == []
    assert [item for item in world.scan() if "MARK#" in item] == []


def test_the_customer_reads_the_number_that_they_know(world: World) -> None:
    data = json.loads(ZAMMAD_CLOSED.read_text("utf-8"))
    data["ticket"] |= {"number": "10081", "last_close_at": stamp(world.now), "close_at": stamp(world.now)}
    known = settings()
    preset = replace(known.sources["acme"], preset="zammad")
    world.apply(replace(known, sources={**known.sources, "acme": preset}))
    body = json.dumps(data).encode()
    signature = hmac.new(ACME_SECRET.encode(), body, "sha1").hexdigest()
    assert outcome(world.hook(body, {"x-hub-signature": f"sha1={signature}"})) == "accepted"
    world.wait(2 * A_DAY)
    asked = next(mail for mail in world.mail.sent if "really solved" in mail.subject)
    assert "10081" in asked.subject and "10081" in asked.text
    page = world.open(asked.link)
    assert "10081" in page.body
    assert only(str(data["ticket"]["id"])).closure.reference == "10081"
