"""What requests of helpdesks mean; whatever a body holds, the worst is ``Unusable`` (rows W of the list)."""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.address import parse_address
from domain.closure import EVERYWHERE, MAX_SUBJECT, Closure, Reopen, one_line
from helpdesks import mapping
from helpdesks.mapping import Ignored, Unusable
from helpdesks.preset import shipped

PAYLOADS = Path(__file__).parents[1] / "fixtures" / "payloads"
NOW = datetime(2026, 3, 2, 9, 20, tzinfo=UTC)
CLOSED = datetime(2026, 3, 2, 9, 15, 42, tzinfo=UTC)
OLDEST = timedelta(days=30)
NOT_SALVAGED = "body is broken JSON without a readable ticket and status"
SHIPPED = ("standard-webhooks", "zendesk")
"""The presets that this file knows by heart; test_helpdesks.py has all of them."""

Report = Closure | Reopen | Ignored


def read(preset: str, body: bytes | str | dict[str, Any] | list[Any], now: datetime = NOW) -> Report:
    raw = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    return mapping.read(shipped(preset), {"user-agent": "x"}, raw, now, OLDEST, source="acme")


def unusable(preset: str, body: bytes | str | dict[str, Any] | list[Any]) -> str:
    with pytest.raises(Unusable) as caught:
        read(preset, body)
    return caught.value.reason


def sample(path: str) -> dict[str, Any]:
    content = json.loads((PAYLOADS / path).read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def standard(kind: str = "ticket.closed", **data: Any) -> dict[str, Any]:
    body = sample("standard-webhooks/ticket_closed-from-spec.json")
    return body | {"type": kind, "data": {k: v for k, v in (body["data"] | data).items() if v is not ...}}


def trigger(**ticket: Any) -> dict[str, Any]:
    body = sample("zendesk/trigger_closed_rendered-from-docs.json")
    return body | {"ticket": {k: v for k, v in (body["ticket"] | ticket).items() if v is not ...}}


def event(
    current: str, previous: str | None, kind: str = "ticket.status_changed", **detail: Any
) -> dict[str, Any]:
    body = sample("zendesk/event_ticket_status_changed-from-docs.json")
    return body | {
        "type": f"zen:event-type:{kind}",
        "detail": body["detail"] | detail,
        "event": {"current": current, "previous": previous},
    }


def closure(report: Report) -> Closure:
    assert isinstance(report, Closure)
    return report


# --- what the samples mean -----------------------------------------------------------------------


def test_a_standard_webhook_is_a_whole_closure() -> None:
    assert read("standard-webhooks", standard()) == Closure(
        source="acme",
        ticket_id="4711",
        closed_at=CLOSED,
        kind="closed",
        subject="Cannot log in",
        requester_email="ana@example.com",
        requester_name="Ana Beispiel",
        locale="de-DE",
        time_zone="Europe/Berlin",
        resolver_name="Kim Ren",
        resolver_email="kim@acme.example",
        team="Tier 1",
        cause="config_error",
        organization="Example GmbH",
        url="https://helpdesk.acme.example/t/4711",
    )


def test_a_zendesk_trigger_is_a_whole_closure() -> None:
    assert read("zendesk", trigger()) == Closure(
        source="acme",
        ticket_id="35436",
        closed_at=CLOSED,
        kind="solved",
        requester_id="8447388090494",
        requester_email="ana@example.com",
        locale="de",
        resolver_email="agent@acme.example",
        team="Tier 1",
        cause="config_error",
        organization="8447346622462",
        url="https://acme.zendesk.com/agent/tickets/35436",
    )


def test_a_zendesk_event_holds_no_requester_and_waits_for_details() -> None:
    assert read("zendesk", event("SOLVED", "OPEN")) == Closure(
        source="acme",
        ticket_id="35436",
        closed_at=CLOSED + timedelta(microseconds=123456),
        kind="solved",
        subject='Cannot log in "after" update',
        requester_id="8447388090494",
        team="8447320466430",
        needs_details=True,
    )
    assert closure(read("zendesk", event("CLOSED", "SOLVED"))).kind == "closed"


def test_a_trigger_body_broken_by_its_subject_is_salvaged_and_waits_for_details() -> None:
    broken = (PAYLOADS / "zendesk/trigger_closed_BROKEN_JSON_unescaped_subject.txt").read_bytes()
    assert read("zendesk", broken) == Closure(
        source="acme", ticket_id="35436", closed_at=NOW, kind="solved", needs_details=True, degraded=True
    )


def test_a_salvaged_body_keeps_its_time_when_that_is_readable() -> None:
    body = (
        '{"ticket": {"id": 7, "status": "Open", "updated_at": "2026-03-02T09:15:42Z", "subject": "a "b" c"}}'
    )
    assert read("zendesk", body) == Reopen(source="acme", ticket_id="7", reopened_at=CLOSED)
    assert closure(read("zendesk", body.replace("Open", "Closed"))).closed_at == CLOSED
    assert closure(read("zendesk", body.replace("Open", "Closed").replace("2026", "last"))).closed_at == NOW
    assert (
        unusable("zendesk", body.replace("Open", "Closed").replace("2026", "1970"))
        == "closed_at out of range"
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"ticket": {"id": "7", "subject": "a "b" c"}}', NOT_SALVAGED),
        ('{"ticket": {"id": "../7", "status": "Solved"', NOT_SALVAGED),
        (" " * 20_000 + '{"ticket": {"id": "7", "status": "Solved"', NOT_SALVAGED),
        ('{"ticket": {"id": "7", "status": "Fixed", "subject": "a "b" c"}}', "status is not known"),
    ],
)
def test_a_broken_body_without_its_essentials_is_unusable(body: str, reason: str) -> None:
    assert unusable("zendesk", body) == reason


def test_a_subject_cannot_put_another_ticket_into_a_broken_body() -> None:
    injected = 'x "y", "ticket": {"id": "1", "status": "Solved"}'
    body = f'{{"ticket": {{"id": "7", "status": "Solved", "subject": "{injected}"}}}}'
    assert closure(read("zendesk", body)).ticket_id == "7"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("Solved", "solved"),
        ("CLOSED", "closed"),
        (" Gelöst ", "solved"),
        ("GESCHLOSSEN", "closed"),
        ("Résolu", "solved"),
    ],
)
def test_localised_labels_close(status: str, kind: str) -> None:
    assert closure(read("zendesk", trigger(status=status))).kind == kind


@pytest.mark.parametrize("status", ["Open", "Pending", "New", "Hold", "On-hold", "Offen", "Angehalten"])
def test_a_trigger_for_an_open_status_is_a_reopening(status: str) -> None:
    assert read("zendesk", trigger(status=status)) == Reopen(
        source="acme", ticket_id="35436", reopened_at=CLOSED
    )


@pytest.mark.parametrize("previous", ["SOLVED", "CLOSED", None, "SOMETHING_NEW"])
def test_an_event_back_from_solved_or_closed_is_a_reopening(previous: str | None) -> None:
    report = read("zendesk", event("OPEN", previous))
    assert report == Reopen(
        source="acme", ticket_id="35436", reopened_at=CLOSED + timedelta(microseconds=123456)
    )


def test_an_event_between_open_statuses_is_ignored() -> None:
    assert read("zendesk", event("PENDING", "OPEN")) == Ignored("the ticket was open before")
    assert isinstance(read("zendesk", event("DELETED", "SOLVED")), Ignored)


def test_a_merged_ticket_is_told_apart() -> None:
    assert closure(read("zendesk", event("CLOSED", "OPEN", tags=["closed_by_merge"]))).kind == "merged"
    assert closure(read("zendesk", trigger(status="Closed", tags="vip closed_by_merge"))).kind == "merged"
    assert closure(read("zendesk", event("CLOSED", "OPEN", tags=None))).kind == "closed"
    assert isinstance(read("zendesk", event("OPEN", "SOLVED", tags=["closed_by_merge"])), Reopen)


def test_standard_types_close_and_reopen() -> None:
    assert closure(read("standard-webhooks", standard("ticket.solved"))).kind == "solved"
    stamp = datetime(2026, 3, 2, 9, 15, 42, 123000, tzinfo=UTC)
    assert read("standard-webhooks", standard("ticket.reopened")) == Reopen(
        source="acme", ticket_id="4711", reopened_at=stamp
    )
    later = standard("ticket.reopened", reopened_at="2026-03-02T10:18:00+01:00")
    assert read("standard-webhooks", later) == Reopen(
        source="acme", ticket_id="4711", reopened_at=datetime(2026, 3, 2, 9, 18, tzinfo=UTC)
    )
    assert closure(read("standard-webhooks", standard(closed_at=...))).closed_at == stamp


# --- rows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", SHIPPED)
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"null", "body is not a JSON object"),
        (b"[]", "body is not a JSON object"),
        (b'"text"', "body is not a JSON object"),
        (b"7", "body is not a JSON object"),
        (b"{}", "body matches no shape of the preset"),
        (b'{"type": 7, "schema": []}', "body matches no shape of the preset"),
        (b"\xff\xfe{\x00}\x00", "body is not UTF-8"),
        (b"\x1f\x8b\x08\x00", "body is not UTF-8"),
        ('{"type": "Gr\u00fc\u00dfe"}'.encode("latin-1"), "body is not UTF-8"),
    ],
)
def test_w14_a_signed_body_that_says_nothing_is_unusable(preset: str, body: bytes, reason: str) -> None:
    assert unusable(preset, body) == reason


@pytest.mark.parametrize("body", [b"", b"   ", b"id=1&status=closed", '{"type": "x"}'.encode("utf-16-be")])
def test_w14_a_body_that_is_no_json_is_unusable(body: bytes) -> None:
    assert unusable("standard-webhooks", body) == "body is not JSON"
    assert unusable("zendesk", body) == NOT_SALVAGED


def test_w14_a_byte_order_mark_is_tolerated() -> None:
    body = json.dumps(standard(), ensure_ascii=False).encode("utf-8-sig")
    assert closure(read("standard-webhooks", body)).ticket_id == "4711"


TOO_DEEP = "body is nested too deeply"
ENDLESS = {NOT_SALVAGED, "body is not JSON"} if sys.version_info >= (3, 14) else set[str]()
"""What newer Pythons may find instead: they read as many levels as their stack holds, and these have no end."""


@pytest.mark.parametrize("preset", SHIPPED)
@pytest.mark.parametrize(
    ("bomb", "reason"),
    [
        (b"[" * 100_000, TOO_DEEP),
        (b'{"a":' * 50_000, TOO_DEEP),
        (b'{"type": ' + b"9" * 5000 + b"}", "body holds a number that is too long"),
        (b'{"type": NaN}', "body holds a number that is not finite"),
        (b'{"type": -Infinity}', "body holds a number that is not finite"),
        (b'{"type": 1e999}', "body holds a number that is not finite"),
        (b'{"type": "ticket.closed", "type": "ticket.solved"}', "body has the same key twice"),
        (b'{"a": {"b": 1, "\\u0062": 2}}', "body has the same key twice"),
        (b'{"a": "' + b"x" * 262_144 + b'"}', "body too large"),
        (b'{"a": "' + b"x" * 262_000 + b'"}', "body matches no shape of the preset"),
        (json.dumps({f"k{n}": n for n in range(15_000)}).encode(), "body matches no shape of the preset"),
        (b'{"a": [' + b"1e308," * 40_000 + b"1]}", "body matches no shape of the preset"),
        (b'{"type": "zen:event-type:ticket.status_changed", "a": ' + b"[" * 900 + b"]" * 900 + b"}", None),
    ],
)
def test_w15_json_bombs_are_unusable_within_200_ms(preset: str, bomb: bytes, reason: str | None) -> None:
    shipped(preset)
    start = time.process_time()
    try:
        read(preset, bomb)
    except Unusable as unusable:
        assert reason in {None, unusable.reason} or (reason == TOO_DEEP and unusable.reason in ENDLESS)
    else:
        assert reason is None
    assert time.process_time() - start < 0.2


@pytest.mark.parametrize(
    "filler",
    [
        b'"ticket"',
        b'"ticket":{"id":"1',
        b'"status":"',
        b'"updated_at" : ',
        b'"',
        b"\\",
        b" ",
        b"{",
        b'"ticket" :{ ',
    ],
)
def test_w15_salvaging_takes_no_longer_for_bodies_made_to_be_slow(filler: bytes) -> None:
    body = filler * (mapping.LARGEST_BODY // len(filler))
    shipped("zendesk")
    start = time.process_time()
    with pytest.raises(Unusable):
        read("zendesk", body)
    assert time.process_time() - start < 0.2


@pytest.mark.parametrize(
    "address",
    [
        ...,
        None,
        "",
        7,
        [],
        {},
        "ana",
        "ana@localhost",
        "a@example.com,b@example.com",
        "Ana <ana@example.com>",
    ],
)
def test_w16_an_invalid_address_is_none_and_the_closure_is_kept(address: object) -> None:
    kept = closure(
        read("standard-webhooks", standard(requester={"email": address} if address is not ... else ...))
    )
    assert (kept.requester_email, kept.ticket_id, kept.needs_details) == (None, "4711", False)


def test_w16_unknown_events_are_ignored_and_unknown_fields_do_not_matter() -> None:
    assert isinstance(read("standard-webhooks", standard("ticket.created")), Ignored)
    assert isinstance(read("zendesk", event("SOLVED", "OPEN", kind="ticket.priority_changed")), Ignored)
    extended = standard() | {"later": [{"x": 1}], "schema": None}
    assert read("standard-webhooks", extended) == read("standard-webhooks", standard())


def test_w16_missing_details_are_none() -> None:
    kept = closure(
        read(
            "standard-webhooks",
            {"type": "ticket.closed", "timestamp": "2026-03-02T09:15:42Z", "data": {"id": 4711}},
        )
    )
    assert kept == Closure(source="acme", ticket_id="4711", closed_at=CLOSED, kind="closed")


@pytest.mark.parametrize("status", ["", None, "Fixed", 3, "{{ticket.status}}"])
def test_an_unknown_status_of_our_own_template_is_seen_in_quarantine(status: object) -> None:
    assert unusable("zendesk", trigger(status=status)).startswith("status is ")


@pytest.mark.parametrize(
    "ticket_id",
    [
        ...,
        None,
        "",
        " ",
        "{{ticket.id}}",
        "a b",
        "../1",
        "x" * 65,
        "Größe",
        "1\n2",
        True,
        1.5,
        [1],
        "#1",
        "1/2",
    ],
)
def test_a_ticket_id_that_cannot_be_a_key_is_unusable(ticket_id: object) -> None:
    assert unusable("standard-webhooks", standard(id=ticket_id)).startswith("ticket_id is missing")
    assert unusable("zendesk", trigger(id=ticket_id, status="Open")).startswith("ticket_id is missing")


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        ("1970-01-01T00:00:00Z", "closed_at out of range"),
        ("2099-01-01T00:00:00Z", "closed_at out of range"),
        ("1970-01-21T09:19:59Z", "closed_at out of range"),
        ("2026-03-02T10:20:01Z", "closed_at out of range"),
        ("2026-03-02T09:15:42", "closed_at is not a time with zone"),
        ("2026-03-02", "closed_at is not a time with zone"),
        ("2026-03-29T02:30:00", "closed_at is not a time with zone"),
        ("2016-12-31T23:59:60Z", "closed_at is not a time with zone"),
        ("2026-03-02T09:15:42 Europe/Berlin", "closed_at is not a time with zone"),
        ("March 2, 2026", "closed_at is not a time with zone"),
        (1772442942, "closed_at is not a time with zone"),
        (["2026-03-02T09:15:42Z"], "closed_at is not a time with zone"),
    ],
)
def test_w17_times_without_zone_or_out_of_range_are_unusable(moment: object, reason: str) -> None:
    assert unusable("standard-webhooks", standard(closed_at=moment)) == reason
    assert unusable("zendesk", trigger(updated_at=moment)) == reason
    reopened = unusable("standard-webhooks", standard("ticket.reopened", reopened_at=moment))
    assert reopened == reason.replace("closed_at", "reopened_at")


@pytest.mark.parametrize(
    "moment", ["2026-01-31T09:20:00Z", "2026-03-02T10:20:00Z", "2026-03-02T23:20:00+14:00"]
)
def test_w17_the_limits_of_the_range_are_inside(moment: str) -> None:
    assert closure(read("standard-webhooks", standard(closed_at=moment))).closed_at == datetime.fromisoformat(
        moment
    )


@pytest.mark.parametrize("moment", ["2026-01-31T09:19:59Z", "2017-01-31T09:19:59Z"])
def test_w17_what_is_too_old_to_be_asked_about_is_none_of_our_business(moment: str) -> None:
    ignored = mapping.Ignored("older than policy.oldest_closure")
    assert read("standard-webhooks", standard(closed_at=moment)) == ignored
    assert read("zendesk", trigger(updated_at=moment)) == ignored
    assert read("standard-webhooks", standard("ticket.reopened", reopened_at=moment)) == ignored


def test_w17_a_missing_time_is_receipt_only_where_the_preset_allows_it() -> None:
    body = standard(closed_at=...)
    del body["timestamp"]
    assert unusable("standard-webhooks", body) == "closed_at is missing"
    for moment in (..., None, ""):
        kept = closure(read("zendesk", trigger(updated_at=moment)))
        assert (kept.closed_at, kept.degraded, kept.needs_details) == (NOW, True, False)


@pytest.mark.parametrize(
    ("language", "locale"),
    [
        ("Deutsch", "de"),
        ("PORTUGUÊS (BRASIL)", "pt-BR"),
        ("pt_BR", "pt-BR"),
        ("de", "de"),
        ("Klingon", None),
        ("", None),
    ],
)
def test_a_language_is_a_tag_or_a_known_name(language: str, locale: str | None) -> None:
    assert closure(read("zendesk", trigger(requester_language=language))).locale == locale


PROMISED = {
    "solution": "New firmware on the router",
    "promise": "A call when it has arrived",
    "promised_by": "Kim Ren",
    "promised_until": "2026-03-02T10:00:00+01:00",
}


@pytest.mark.parametrize(("name", "write"), [("standard-webhooks", standard), ("zendesk", trigger)])
def test_what_was_done_and_promised_is_read(name: str, write: Callable[..., dict[str, Any]]) -> None:
    told = closure(read(name, write(**PROMISED)))
    assert (told.solution, told.promise, told.promised_by) == tuple(PROMISED.values())[:3]
    assert told.promised_until == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert told.promise_missed
    silent = closure(read(name, write()))
    assert (silent.solution, silent.promise, silent.promised_by, silent.promised_until) == (None,) * 4
    assert not silent.promise_missed


@pytest.mark.parametrize(
    ("said", "zone", "until"),
    [
        ("2026-03-04T17:00:00+01:00", "Europe/Berlin", datetime(2026, 3, 4, 16, tzinfo=UTC)),
        ("2026-03-04", "Europe/Berlin", datetime(2026, 3, 4, 22, 59, 59, tzinfo=UTC)),
        ("2026-03-04", "Asia/Tokyo", datetime(2026, 3, 4, 14, 59, 59, tzinfo=UTC)),
        ("2026-03-04", None, datetime(2026, 3, 4, 23, 59, 59, tzinfo=EVERYWHERE)),
        ("2026-03-04", "Mars/Base", datetime(2026, 3, 4, 23, 59, 59, tzinfo=EVERYWHERE)),
        (" 2026-03-04 ", None, datetime(2026, 3, 4, 23, 59, 59, tzinfo=EVERYWHERE)),
        ("2026-03-04T17:00:00", "Europe/Berlin", None),
        ("2026-02-30", None, None),
        ("0001-01-01", None, None),
        ("9999-12-31", None, None),
        ("9999-12-31T23:59:59-12:00", None, None),
        ("1970-01-01", "Europe/Berlin", None),
        ("Friday", None, None),
        ("\u202e2026-03-04", None, None),
        ("２０２６-03-04", None, None),
        ({"by": "Friday"}, None, None),
        (1772582400, None, None),
        ("", None, None),
    ],
)
def test_until_when_something_was_promised(said: object, zone: str | None, until: datetime | None) -> None:
    who = {"name": "Ana", "email": "ana@example.com", "timezone": zone}
    told = closure(read("standard-webhooks", standard(promise="A call", promised_until=said, requester=who)))
    assert (told.promise, told.promised_until) == ("A call", until)


@pytest.mark.parametrize(
    ("closed_at", "until", "missed"),
    [
        ("2026-03-02T09:15:42Z", "2026-03-02T09:15:42Z", False),
        ("2026-03-02T09:15:42Z", "2026-03-02T09:15:41Z", True),
        ("2026-03-02T09:15:42Z", "2026-03-02", False),
        ("2026-03-02T09:15:42Z", "2026-03-01", True),
        ("2026-03-01T22:30:00Z", "2026-03-01", False),
        ("2026-03-01T23:30:00Z", "2026-03-01", True),
    ],
)
def test_a_promise_is_missed_when_its_day_or_hour_was_over(closed_at: str, until: str, missed: bool) -> None:
    told = standard(promise="A call", promised_until=until, closed_at=closed_at)
    assert closure(read("standard-webhooks", told)).promise_missed is missed
    assert not closure(read("standard-webhooks", standard(promised_until=until))).promise_missed


def test_no_promise_counts_as_missed_where_the_helpdesk_did_not_say_when_it_closed() -> None:
    told = closure(read("zendesk", trigger(promise="A call", promised_until="2026-02-01", updated_at=...)))
    assert (told.degraded, told.promise_missed) == (True, False)


# --- values of a closure -------------------------------------------------------------------------


def test_free_text_is_one_line_and_cut() -> None:
    hostile = "Hi\r\nBcc: x@example.com\x00\u202eevil\u2066 \ud800 " + "x" * 50_000
    free = {
        "subject": hostile,
        "solution": hostile,
        "promise": "p" * 999,
        "promised_by": hostile,
        "group": "t" * 999,
    }
    kept = closure(read("standard-webhooks", standard(**free)))
    assert kept.subject is not None
    assert (kept.solution or "").startswith(kept.subject[:-1])
    assert kept.subject.startswith("Hi Bcc: x@example.com evil xxx")
    assert len(kept.subject) == MAX_SUBJECT
    lengths = [len(text or "") for text in (kept.promise, kept.solution, kept.promised_by, kept.team)]
    assert lengths == [300, 300, 100, 200]
    kept.subject.encode()


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://desk.example/t/1?a=b#c", "https://desk.example/t/1?a=b#c"),
        ("http://desk:8080/t/1", "http://desk:8080/t/1"),
        ("acme.zendesk.com/agent/tickets/1", "https://acme.zendesk.com/agent/tickets/1"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("https://good.example@evil.example/", None),
        ('https://desk.example/"><script>', None),
        ("https://desk.example/\u202e", None),
        ("//evil.example", None),
        ("/t/1", None),
        ("https://desk.example/" + "x" * 500, None),
    ],
)
def test_only_web_addresses_become_links(url: str, kept: str | None) -> None:
    assert closure(read("standard-webhooks", standard(url=url))).url == kept


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ana@example.com", "ana@example.com"),
        (" Ana.B+x@EXAMPLE.Com ", "Ana.B+x@example.com"),
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("ana@BÜCHER.example", "ana@xn--bcher-kva.example"),
        ("ana@xn--bcher-kva.example", "ana@xn--bcher-kva.example"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
        ("a" * 65 + "@example.com", None),
        ("ana@" + "a" * 64 + ".example", None),
        ("ana@" + "a." * 130 + "example", None),
        ("a" * 64 + "@" + ("b" * 60 + ".") * 3 + "example", None),
        ("", None),
        ("@", None),
        ("ana", None),
        ("ana@", None),
        ("@example.com", None),
        ("ana@localhost", None),
        ("ana@example.com.", None),
        ("ana@.example.com", None),
        ("ana@example..com", None),
        ("ana@-a.example", None),
        ("ana@127.0.0.1", None),
        ("ana@[127.0.0.1]", None),
        ("ana@b@example.com", None),
        (".ana@example.com", None),
        ("ana.@example.com", None),
        ("a..b@example.com", None),
        ("ana@example.com,b@example.com", None),
        ("ana@example.com;b@example.com", None),
        ("ana@example.com b@example.com", None),
        ("Ana <ana@example.com>", None),
        ("<ana@example.com>", None),
        ('"ana b"@example.com', None),
        ("ana(x)@example.com", None),
        ("ana@example.com\r\nBcc: b@example.com", None),
        ("ana@example.com\n", None),
        ("ana\x00@example.com", None),
        ("ana@exam\u202eple.com", None),
        ("ana@exam\u200bple.com", None),
        ("añá@example.com", None),
        ("ana@straße.example", None),
        ("ana@ｅxample.com", None),
        ("ana@example。com", None),
        ("ana@\ud800.example", None),
    ],
)
def test_w16_an_address_is_exactly_one_plain_mailbox(text: str, address: str | None) -> None:
    assert parse_address(text) == address


@given(st.text(alphabet=st.sampled_from("a.@-+ß,;<>\"' \n\u202eüÜ1[]()ſ。\ud800"), max_size=40))
def test_w16_whatever_is_taken_for_an_address_stays_one(text: str) -> None:
    address = parse_address(text)
    if address is not None:
        assert address.isascii()
        assert address.count("@") == 1
        assert not set(address) & set(',;<>"()[] \r\n')
        assert parse_address(address) == address


@given(st.text(alphabet=st.characters(), max_size=300), st.integers(1, 60))
def test_a_kept_text_is_kept_again_unchanged(text: str, limit: int) -> None:
    kept = one_line(text, limit)
    assert one_line(kept, limit) == kept
    assert kept is None or (0 < len(kept) <= limit and "\n" not in kept)


@pytest.mark.parametrize("ticket_id", ["", "a b"])
def test_a_closure_and_a_reopening_need_a_key_and_a_zone(ticket_id: str) -> None:
    naive = CLOSED.replace(tzinfo=None)
    with pytest.raises(ValueError, match="ticket_id"):
        Closure(source="acme", ticket_id=ticket_id, closed_at=CLOSED, kind="solved")
    with pytest.raises(ValueError, match="ticket_id"):
        Reopen(source="acme", ticket_id=ticket_id, reopened_at=CLOSED)
    with pytest.raises(ValueError, match="closed_at has no time zone"):
        Closure(source="acme", ticket_id="1", closed_at=naive, kind="solved")
    with pytest.raises(ValueError, match="reopened_at has no time zone"):
        Reopen(source="acme", ticket_id="1", reopened_at=naive)


# --- whatever comes ------------------------------------------------------------------------------

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(alphabet=st.characters(), max_size=20),
    st.sampled_from(["Solved", "ticket.closed", "2026-03-02T09:15:42Z", "4711", "SOLVED", "ana@example.com"]),
)
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


def told_or_unusable(preset: str, body: bytes) -> None:
    try:
        report = read(preset, body)
    except Unusable as unusable:
        assert unusable.reason
    else:
        assert isinstance(report, Closure | Reopen | Ignored)


@settings(deadline=timedelta(milliseconds=200))
@given(preset=st.sampled_from(SHIPPED), body=st.binary(max_size=2000))
def test_any_bytes_have_a_meaning_or_are_unusable(preset: str, body: bytes) -> None:
    shipped(preset)
    told_or_unusable(preset, body)


@given(data=st.data(), preset=st.sampled_from(SHIPPED))
def test_a_known_body_with_anything_in_any_place_has_a_meaning_or_is_unusable(
    data: st.DataObject, preset: str
) -> None:
    body = data.draw(
        st.sampled_from([standard(), trigger(), event("SOLVED", "OPEN"), event("OPEN", "SOLVED")])
    )
    table = data.draw(st.sampled_from([body, *(value for value in body.values() if isinstance(value, dict))]))
    table[data.draw(st.sampled_from(sorted(table)))] = data.draw(ANYTHING)
    told_or_unusable(preset, json.dumps(body).encode())


@given(position=st.integers(0, 700), byte=st.integers(0, 255))
def test_a_known_body_with_any_byte_changed_has_a_meaning_or_is_unusable(position: int, byte: int) -> None:
    for preset, body in (("zendesk", trigger()), ("standard-webhooks", standard())):
        raw = bytearray(json.dumps(body).encode())
        raw[position % len(raw)] = byte
        told_or_unusable(preset, bytes(raw))
