"""The presets that ship, each on its samples and on what real systems do to them.

The samples are in the documented shape (tests/fixtures/payloads); docs/helpdesks/ says what each was checked against.
"""

import json
import re
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from domain.closure import Closure, Reopen
from helpdesks import mapping
from helpdesks.mapping import Ignored, Unusable
from helpdesks.preset import PRESETS, preset_of, shipped
from helpdesks.verify import SecretRule

PAYLOADS = Path(__file__).parents[1] / "fixtures" / "payloads"
DOCS = Path(__file__).parents[2] / "docs" / "helpdesks"
NOW = datetime(2026, 3, 2, 9, 20, tzinfo=UTC)
CLOSED = datetime(2026, 3, 2, 9, 15, 42, tzinfo=UTC)
OLDEST = timedelta(days=30)
MS_123 = timedelta(milliseconds=123)

Report = Closure | Reopen | Ignored
Body = dict[str, Any]


def file_of(preset: str, name: str) -> bytes:
    """One sample as it would arrive."""
    return (PAYLOADS / preset / name).read_bytes()


def sample(preset: str, name: str) -> Any:
    """The value of a JSON sample."""
    return json.loads(file_of(preset, name))


def rendered(preset: str, name: str, **values: Any) -> str:
    """A template as the helpdesk would fill it in; a placeholder that nobody gave a value is empty."""
    return filled_in(file_of(preset, name).decode(), **values)


def jira_rule(**values: Any) -> Body:
    """What a Jira rule sends that was made as docs/helpdesks/jira.md says."""
    page = (DOCS / "jira.md").read_text(encoding="utf-8")
    (template,) = re.findall(r"```text\n(.*?)```", page, re.S)
    return cast(Body, json.loads(filled_in(template, **values)))


def filled_in(text: str, **values: Any) -> str:
    """A text with its placeholders filled."""

    def value(found: re.Match[str]) -> str:
        given = values.get(re.sub(r"\W", "_", found[1]), "")
        return json.dumps(given)[1:-1] if "jsonEncode" in found[1] else str(given)

    return re.sub(r"\{\{([^}]*)\}\}", value, text)


def read_all(
    preset: str, body: object, headers: dict[str, str] | None = None, now: datetime = NOW, **more: Any
) -> list[Report]:
    """What each event of a request means; the reason of one that cannot be used raises."""
    raw = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    known = preset_of(preset, more.pop("fields", {}))
    return [
        mapping.read(known, headers or HEADERS.get(preset, {}), part, now, OLDEST, source="acme", **more)
        for part in mapping.split(known, raw)
    ]


def read(preset: str, body: object, headers: dict[str, str] | None = None, **more: Any) -> Report:
    """What a request with one event means."""
    (report,) = read_all(preset, body, headers, **more)
    return report


def closure(preset: str, body: object, headers: dict[str, str] | None = None, **more: Any) -> Closure:
    """A request with one event that is a closure."""
    report = read(preset, body, headers, **more)
    assert isinstance(report, Closure), report
    return report


def closed(ticket_id: str, closed_at: datetime = CLOSED, **more: Any) -> Closure:
    """What is expected of a sample."""
    return Closure(source="acme", ticket_id=ticket_id, closed_at=closed_at, **{"kind": "closed", **more})


def reopened(ticket_id: str, at: datetime) -> Reopen:
    """What is expected of a ticket that is open again."""
    return Reopen(source="acme", ticket_id=ticket_id, reopened_at=at)


HEADERS = {
    "helpscout": {"x-helpscout-event": "convo.status"},
    "freescout": {"x-freescout-event": "convo.status"},
}
ANA: Body = {"requester_email": "ana@example.com", "requester_name": "Ana Beispiel"}
KIM: Body = {"resolver_name": "Kim Ren", "resolver_email": "kim@acme.example"}
SUBJECT = "Cannot log in"

JIRA = sample("jira-service-management", "issue_updated_done-from-docs.json")
INTERCOM = sample("intercom", "conversation_admin_closed_v2-from-docs.json")
HUBSPOT = sample("hubspot", "ticket_propertyChange-from-docs.json")
HELPSCOUT = sample("helpscout", "convo_status_closed-from-docs.json")
ZAMMAD = sample("zammad", "ticket_closed-from-docs.json")
CHATWOOT = sample("chatwoot", "conversation_status_changed-from-source.json")
FRESHDESK = sample("freshdesk", "closed-from-docs.json")
FRONT = sample("front", "archive-from-docs.json")
GLPI = sample("glpi", "ticket_update-from-source.json")
KUSTOMER = sample("kustomer", "conversation_update-from-docs.json")
PLAIN = sample("plain", "thread_status_transitioned-from-docs.json")
FREESCOUT = sample("freescout", "convo_status-from-docs.json")
SERVICENOW = sample("servicenow", "incident_closed-from-docs.json")
SALESFORCE = sample("salesforce", "flow_http_callout_case_closed-from-docs.json")
OUTBOUND = file_of("salesforce", "outbound_message_case_closed-from-docs.xml").decode()
ZOHO = sample("zoho-desk", "ticket_update-from-docs.json")
CLOUDEVENT = sample("cloudevents", "ticket_closed_structured-from-spec.json")
STANDARD = sample("standard-webhooks", "ticket_closed-from-spec.json")
ZENDESK_EVENT = sample("zendesk", "event_ticket_status_changed-from-docs.json")
ZENDESK_TRIGGER = sample("zendesk", "trigger_closed_rendered-from-docs.json")
GORGIAS = json.loads(
    rendered(
        "gorgias",
        "http_integration_recommended_form-from-docs.json",
        ticket_id=4711,
        ticket_subject=SUBJECT,
        ticket_status="closed",
        ticket_closed_datetime="2026-03-02T09:15:42.000000",
        ticket_customer_email="ana@example.com",
        ticket_customer_name="Ana Beispiel",
        ticket_customer_language="de",
        ticket_customer_timezone="Europe/Berlin",
        ticket_assignee_user_email="kim@acme.example",
    )
)
JIRA_VALUES = {
    "issue_key": "SUP-231",
    "issue_summary_jsonEncode": SUBJECT,
    "issue_status_statusCategory_key": "done",
    "issue_resolutiondate": "2026-03-02T10:15:42.000+0100",
    "issue_reporter_emailAddress": "ana@example.com",
    "issue_reporter_displayName_jsonEncode": "Ana Beispiel",
    "issue_reporter_timeZone": "Europe/Berlin",
    "issue_assignee_displayName_jsonEncode": "Kim Ren",
    "issue_url": "https://acme.atlassian.net/browse/SUP-231",
}
JIRA_RULE = jira_rule(**JIRA_VALUES)
FRESHDESK_RULE = json.loads(
    rendered(
        "freshdesk",
        "closed_recommended_template-from-docs.txt",
        triggered_event="{status:{from:2,to:4}}",
        ticket_id="4711",
        ticket_status="Resolved",
        ticket_requester_email="ana@example.com",
    )
)
INTERCOM_TICKET: Body = {
    "type": "notification_event",
    "app_id": "abc123",
    "id": "notif_2",
    "topic": "ticket.resolved",
    "created_at": 1772442943,
    "data": {
        "item": {
            "type": "ticket",
            "id": "635",
            "ticket_id": "42",
            "ticket_attributes": {"_default_title_": SUBJECT, "Root cause": "Config error"},
            "ticket_state": {"category": "resolved", "internal_label": "Resolved"},
            "contacts": {"contacts": [{"id": "696346bbaebb5a479d3851a3"}]},
            "updated_at": 1772442942,
        }
    },
}

WHOLE: list[tuple[str, object, list[Report]]] = [
    (
        "freshdesk",
        FRESHDESK,
        [
            closed(
                "4711",
                NOW,
                requester_email="ana@example.com",
                **KIM,
                team="Tier 1",
                cause="Config error",
                organization="Example GmbH",
                url="https://acme.freshdesk.com/helpdesk/tickets/4711",
                degraded=True,
            )
        ],
    ),
    (
        "freshdesk",
        FRESHDESK_RULE,
        [closed("4711", NOW, kind="solved", requester_email="ana@example.com", degraded=True)],
    ),
    (
        "jira",
        JIRA,
        [
            closed(
                "SUP-231",
                subject=SUBJECT,
                requester_id="qm:cust-9",
                requester_name="Ana Beispiel",
                time_zone="Europe/Berlin",
                resolver_name="Kim Ren",
                url="https://acme.atlassian.net/servicedesk/customer/portal/1/SUP-231",
                needs_details=True,
            )
        ],
    ),
    (
        "jira",
        JIRA_RULE,
        [
            closed(
                "SUP-231",
                subject=SUBJECT,
                **ANA,
                time_zone="Europe/Berlin",
                resolver_name="Kim Ren",
                url="https://acme.atlassian.net/browse/SUP-231",
            )
        ],
    ),
    (
        "intercom",
        INTERCOM,
        [
            closed(
                "147",
                subject=SUBJECT,
                requester_id="696346bbaebb5a479d3851a3",
                **ANA,
                **KIM,
                team="9680998",
                cause="Config error",
                url="https://app.intercom.com/a/inbox/abc123/inbox/conversation/147",
            )
        ],
    ),
    (
        "intercom",
        INTERCOM_TICKET,
        [
            closed(
                "635",
                kind="solved",
                reference="42",
                subject=SUBJECT,
                requester_id="696346bbaebb5a479d3851a3",
                cause="Config error",
                needs_details=True,
            )
        ],
    ),
    (
        "hubspot",
        HUBSPOT,
        [
            closed(
                "1148364523",
                CLOSED + MS_123,
                url="https://app.hubspot.com/contacts/62515/record/0-5/1148364523",
                needs_details=True,
            ),
            Ignored("another kind of event"),
        ],
    ),
    (
        "helpscout",
        HELPSCOUT,
        [
            closed(
                "4711001",
                reference="4711",
                subject=SUBJECT,
                requester_id="12",
                **ANA,
                **KIM,
                cause="Config error",
                url="https://secure.helpscout.net/conversation/4711001/4711/",
            )
        ],
    ),
    (
        "zammad",
        ZAMMAD,
        [
            closed(
                "81",
                CLOSED + MS_123,
                reference="10081",
                subject=SUBJECT,
                requester_id="8",
                **ANA,
                **KIM,
                team="Service Desk",
                cause="Config error",
                organization="Example GmbH",
            )
        ],
    ),
    (
        "chatwoot",
        CHATWOOT,
        [
            closed(
                "42",
                CLOSED + MS_123,
                kind="solved",
                requester_id="12",
                **ANA,
                locale="de",
                resolver_name="Kim Ren",
                team="tier 1",
                cause="config_error",
            )
        ],
    ),
    (
        "front",
        FRONT,
        [
            closed(
                "cnv_55c8c149",
                CLOSED + MS_123,
                subject=SUBJECT,
                requester_email="ana@example.com",
                **KIM,
                cause="Config error",
                url="https://app.frontapp.com/open/cnv_55c8c149",
            )
        ],
    ),
    (
        "front",
        sample("front", "app_webhook_sync_validation-from-docs.json"),
        [Ignored("another kind of event")],
    ),
    (
        "glpi",
        GLPI,
        [
            closed(
                "81",
                subject=SUBJECT,
                requester_id="8",
                requester_name="Ana Beispiel",
                resolver_name="Kim Ren",
                team="Tier 1",
                cause="Login",
                organization="Root entity",
                needs_details=True,
            )
        ],
    ),
    (
        "kustomer",
        KUSTOMER,
        [
            closed(
                "65e2a1b2c3d4e5f600000001",
                subject=SUBJECT,
                requester_id="65e1a1b2c3d4e5f600000002",
                team="5d00a1b2c3d4e5f600000003",
                cause="config_error",
                needs_details=True,
            )
        ],
    ),
    (
        "plain",
        PLAIN,
        [
            closed(
                "th_01H8H46YPB2S4MAJM382FG9423",
                CLOSED + MS_123,
                subject=SUBJECT,
                requester_id="c_01H8H46YPB2S4MAJM382FG9424",
                **ANA,
                **KIM,
            )
        ],
    ),
    (
        "freescout",
        FREESCOUT,
        [
            closed(
                "42", reference="4711", subject=SUBJECT, requester_id="12", **ANA, **KIM, cause="Config error"
            )
        ],
    ),
    (
        "servicenow",
        SERVICENOW,
        [
            closed(
                "INC0010231",
                subject=SUBJECT,
                requester_id="62826bf03710200044e0bfc8bcbe5df1",
                **ANA,
                locale="de",
                time_zone="Europe/Berlin",
                **KIM,
                team="Tier 1",
                cause="Solved (Permanently)",
                organization="Example GmbH",
                url="https://acme.service-now.com/incident.do?sys_id=46d44a23a9fe19810012d100cca80666",
            )
        ],
    ),
    (
        "salesforce",
        SALESFORCE,
        [
            closed(
                "00004711",
                subject=SUBJECT,
                **ANA,
                resolver_name="Kim Ren",
                cause="Config error",
                organization="Example GmbH",
            )
        ],
    ),
    (
        "salesforce-outbound-message",
        OUTBOUND,
        [closed("00004711", subject=SUBJECT, requester_email="ana@example.com")],
    ),
    (
        "zoho-desk",
        ZOHO,
        [
            closed(
                "119514000017429001",
                reference="4711",
                subject=SUBJECT,
                requester_id="119514000000140001",
                requester_email="ana@example.com",
                locale="de",
                team="119514000000012001",
                cause="Config error",
                url="https://desk.zoho.eu/support/acme/ShowHomePage.do#Cases/dv/119514000017429001",
            )
        ],
    ),
    (
        "gorgias",
        GORGIAS,
        [
            closed(
                "4711",
                subject=SUBJECT,
                **ANA,
                locale="de",
                time_zone="Europe/Berlin",
                resolver_email="kim@acme.example",
            )
        ],
    ),
    ("cloudevents", CLOUDEVENT, [closed("4711", subject=SUBJECT)]),
]
"""Whole samples: what they mean, every field of it. (Zendesk and Standard Webhooks: test_mapping.py.)"""


@pytest.mark.parametrize(
    ("preset", "body", "expected"), WHOLE, ids=[f"{n}-{c[0]}" for n, c in enumerate(WHOLE)]
)
def test_a_sample_means_what_is_documented(preset: str, body: object, expected: list[Report]) -> None:
    assert read_all(preset, body) == expected


def test_a_binary_cloudevent_is_known_by_its_headers() -> None:
    head, body = file_of("cloudevents", "ticket_closed_binary-from-spec.txt").decode().split("\n\n")
    headers = dict(line.split(": ") for line in head.splitlines())
    assert read("cloudevents", body, headers) == closed("4711", subject=SUBJECT)
    other = headers | {"ce-type": "com.acme.helpdesk.ticket.tagged"}
    assert isinstance(read("cloudevents", body, other), Ignored)


def test_every_sample_is_told_of_by_some_test() -> None:
    told = "".join(file.read_text("utf-8") for file in Path(__file__).parent.glob("test_*.py"))
    told += "".join(
        file.read_text("utf-8") for file in (Path(__file__).parents[1] / "integration").glob("test_*.py")
    )
    missing = [file.name for file in PAYLOADS.rglob("*") if file.is_file() and file.name not in told]
    assert missing == []


# --- reopened, merged, deleted, tests, chatter -----------------------------------------------------------


def with_(body: Any, path: str, value: Any) -> Any:
    """The body with another value at a path such as ``a.b.0``; ``...`` takes it away."""
    changed = deepcopy(body)
    *above, last = [int(name) if name.isdigit() else name for name in path.split(".")]
    inner = changed
    for name in above:
        inner = inner[name]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return changed


BACK = datetime(2026, 3, 2, 9, 18, tzinfo=UTC)
BACK_TEXT = "2026-03-02T09:18:00Z"
JIRA_BACK = with_(
    with_(
        with_(JIRA, "issue.fields.status.statusCategory.key", "indeterminate"),
        "issue.fields.resolutiondate",
        None,
    ),
    "issue.fields.statuscategorychangedate",
    "2026-03-02T10:18:00.000+0100",
)

AGAIN: list[tuple[str, object, Report]] = [
    ("freshdesk", with_(FRESHDESK, "freshdesk_webhook.ticket_status", "Open"), reopened("4711", NOW)),
    ("jira", JIRA_BACK, reopened("SUP-231", BACK)),
    (
        "jira",
        {**JIRA_RULE, "statusCategory": "new", "resolved": None, "updated": BACK_TEXT},
        reopened("SUP-231", BACK),
    ),
    (
        "jira",
        {"webhookEvent": "jira:issue_deleted", "timestamp": 1772443080000, "issue": {"key": "SUP-231"}},
        reopened("SUP-231", BACK),
    ),
    (
        "intercom",
        with_({**INTERCOM, "topic": "conversation.admin.opened"}, "data.item.updated_at", 1772443080),
        reopened("147", BACK),
    ),
    (
        "intercom",
        with_({**INTERCOM, "topic": "conversation.user.replied"}, "data.item.updated_at", 1772443080),
        reopened("147", BACK),
    ),
    (
        "intercom",
        with_(
            with_({**INTERCOM_TICKET, "topic": "ticket.state.updated"}, "data.item.updated_at", 1772443080),
            "data.item.ticket_state.category",
            "in_progress",
        ),
        reopened("635", BACK),
    ),
    (
        "hubspot",
        [{**HUBSPOT[0], "propertyValue": "1", "occurredAt": 1772443080000}],
        reopened("1148364523", BACK),
    ),
    (
        "hubspot",
        [
            {
                "eventId": 1,
                "subscriptionType": "ticket.deletion",
                "objectId": 1148364523,
                "occurredAt": 1772443080000,
            }
        ],
        reopened("1148364523", BACK),
    ),
    (
        "hubspot",
        [
            {
                "subscriptionType": "object.deletion",
                "objectTypeId": "0-5",
                "objectId": 1148364523,
                "occurredAt": 1772443080000,
            }
        ],
        reopened("1148364523", BACK),
    ),
    (
        "helpscout",
        {**HELPSCOUT, "status": "active", "closedAt": None, "userUpdatedAt": BACK_TEXT},
        reopened("4711001", BACK),
    ),
    ("helpscout", {**HELPSCOUT, "status": "spam", "userUpdatedAt": BACK_TEXT}, reopened("4711001", BACK)),
    (
        "zammad",
        with_(with_(ZAMMAD, "ticket.state", "open"), "ticket.updated_at", BACK_TEXT),
        reopened("81", BACK),
    ),
    (
        "chatwoot",
        with_(
            {**CHATWOOT, "status": "open", "updated_at": 1772443080.0},
            "changed_attributes.0.status",
            {"previous_value": "resolved", "current_value": "open"},
        ),
        reopened("42", BACK),
    ),
    ("front", {**FRONT, "type": "reopen", "emitted_at": 1772443080}, reopened("cnv_55c8c149", BACK)),
    ("front", {**FRONT, "type": "trash", "emitted_at": 1772443080}, reopened("cnv_55c8c149", BACK)),
    (
        "glpi",
        with_(with_(GLPI, "item.status", {"id": 2}), "item.date_mod", "2026-03-02 09:18:00"),
        reopened("81", BACK),
    ),
    (
        "glpi",
        with_({**GLPI, "event": "delete"}, "item.date_mod", "2026-03-02T10:18:00+01:00"),
        reopened("81", BACK),
    ),
    (
        "kustomer",
        with_(
            with_(
                with_(KUSTOMER, "data.attributes.status", "open"),
                "changes.attributes.status",
                {"before": "done", "after": "open"},
            ),
            "data.attributes.updatedAt",
            BACK_TEXT,
        ),
        reopened("65e2a1b2c3d4e5f600000001", BACK),
    ),
    (
        "plain",
        with_(
            with_(
                with_(PLAIN, "payload.thread.status", "TODO"),
                "payload.thread.statusChangedAt",
                {"iso8601": BACK_TEXT},
            ),
            "payload.previousThread.status",
            "DONE",
        ),
        reopened("th_01H8H46YPB2S4MAJM382FG9423", BACK),
    ),
    (
        "freescout",
        {**FREESCOUT, "status": "active", "updatedAt": "2026-03-02 09:18:00"},
        reopened("42", BACK),
    ),
    (
        "servicenow",
        {**SERVICENOW, "state": "2", "sys_updated_on": "2026-03-02 09:18:00"},
        reopened("INC0010231", BACK),
    ),
    (
        "salesforce",
        {**SALESFORCE, "isClosed": False, "lastModifiedDate": BACK_TEXT},
        reopened("00004711", BACK),
    ),
    ("salesforce-outbound-message", OUTBOUND.replace(">true<", ">false<"), reopened("00004711", NOW)),
    (
        "zoho-desk",
        [
            {
                **ZOHO[0],
                "payload": {
                    **ZOHO[0]["payload"],
                    "status": "Open",
                    "statusType": "Open",
                    "closedTime": None,
                    "modifiedTime": BACK_TEXT,
                },
                "prevState": {"status": "Closed"},
            }
        ],
        reopened("119514000017429001", BACK),
    ),
    (
        "zoho-desk",
        [{**ZOHO[0], "eventType": "Ticket_Delete"}],
        reopened("119514000017429001", CLOSED + MS_123),
    ),
    (
        "gorgias",
        {**GORGIAS, "status": "open", "updated_datetime": "2026-03-02T09:18:00"},
        reopened("4711", BACK),
    ),
    (
        "cloudevents",
        {**CLOUDEVENT, "type": "com.acme.helpdesk.ticket.reopened", "time": BACK_TEXT},
        reopened("4711", BACK),
    ),
    (
        "zendesk",
        {**ZENDESK_EVENT, "type": "zen:event-type:ticket.soft_deleted", "time": BACK_TEXT},
        reopened("35436", BACK),
    ),
]


@pytest.mark.parametrize(
    ("preset", "body", "expected"), AGAIN, ids=[f"{n}-{c[0]}" for n, c in enumerate(AGAIN)]
)
def test_what_is_opened_again_or_deleted_ends_the_question(
    preset: str, body: object, expected: Report
) -> None:
    assert read(preset, body) == expected


SOLVED_FIRST: list[tuple[str, object]] = [
    ("glpi", with_(with_(GLPI, "item.status.id", 5), "item.date_close", None)),
    ("servicenow", {**SERVICENOW, "state": "6", "resolved_at": "2026-03-02 09:10:00"}),
]


@pytest.mark.parametrize(("preset", "body"), SOLVED_FIRST)
def test_solved_before_closed_has_its_own_time(preset: str, body: object) -> None:
    told = closure(preset, body)
    assert (told.kind, told.closed_at) == ("solved", datetime(2026, 3, 2, 9, 10, tzinfo=UTC))


def test_front_tickets_are_solved_by_their_status_and_an_application_wraps_its_events() -> None:
    event = with_({**FRONT, "type": "ticket_status_update"}, "conversation.status_category", "resolved")
    assert closure("front", event).kind == "solved"
    assert read("front", with_(event, "conversation.status_category", "waiting")) == reopened(
        "cnv_55c8c149", CLOSED + MS_123
    )
    wrapped = {"type": "archive", "authorization": {"id": "cmp_abc"}, "payload": FRONT}
    assert read("front", wrapped) == read("front", FRONT)


def test_merged_tickets_are_told_apart() -> None:
    merged = with_(with_(ZAMMAD, "ticket.state", "merged"), "ticket.last_close_at", None)
    assert closure("zammad", merged).kind == "merged"


QUIET: list[tuple[str, object, dict[str, str] | None]] = [
    (
        "freshdesk",
        {"freshdesk_webhook": {"ticket_id": "{{ticket.id}}", "ticket_status": "{{ticket.status}}"}},
        None,
    ),
    ("jira", {**JIRA, "webhookEvent": "jira:issue_created"}, None),
    ("jira", with_(JIRA, "changelog.items", [{"field": "priority"}]), None),
    ("jira", {**JIRA, "webhookEvent": "comment_created"}, None),
    (
        "intercom",
        {"type": "notification_event", "id": None, "topic": "ping", "data": {"item": {"type": "ping"}}},
        None,
    ),
    ("intercom", {**INTERCOM, "topic": "conversation.admin.assigned"}, None),
    ("intercom", {**INTERCOM_TICKET, "topic": "ticket.state.updated"}, None),
    ("hubspot", [HUBSPOT[1]], None),
    ("hubspot", [{**HUBSPOT[0], "subscriptionType": "ticket.merge"}], None),
    ("hubspot", [{**HUBSPOT[0], "subscriptionType": "object.propertyChange", "objectTypeId": "0-1"}], None),
    ("hubspot", [{**HUBSPOT[0], "subscriptionType": "object.deletion", "objectTypeId": "0-1"}], None),
    ("helpscout", {}, {"x-helpscout-event": "helpscout.test"}),
    ("helpscout", HELPSCOUT, {"x-helpscout-event": "convo.tags"}),
    ("chatwoot", {**CHATWOOT, "event": "conversation_updated"}, None),
    (
        "chatwoot",
        with_({**CHATWOOT, "status": "pending"}, "changed_attributes.0.status.previous_value", "open"),
        None,
    ),
    ("front", {**FRONT, "type": "comment"}, None),
    ("glpi", {**GLPI, "event": "new"}, None),
    ("kustomer", with_(KUSTOMER, "changes.attributes", {"tags": {}}), None),
    ("kustomer", {**KUSTOMER, "name": "kustomer.message.create"}, None),
    ("plain", {**PLAIN, "type": "thread.thread_created"}, None),
    ("freescout", FREESCOUT, {"x-freescout-event": "convo.assigned"}),
    ("zoho-desk", [{**ZOHO[0], "eventType": "Ticket_Add"}], None),
    (
        "zoho-desk",
        [{**ZOHO[0], "payload": {"id": "1", "status": "Open"}, "prevState": {"priority": "Low"}}],
        None,
    ),
    ("gorgias", {**GORGIAS, "status": "{{ticket.status}}"}, None),
    ("cloudevents", {**CLOUDEVENT, "type": "com.acme.helpdesk.ticket.tagged"}, None),
]


@pytest.mark.parametrize(
    ("preset", "body", "headers"), QUIET, ids=[f"{n}-{c[0]}" for n, c in enumerate(QUIET)]
)
def test_tests_and_chatter_are_ignored(preset: str, body: object, headers: dict[str, str] | None) -> None:
    assert isinstance(read(preset, body, headers), Ignored)


# --- what real systems do to a body -----------------------------------------------------------------------

JSON_BODIES = {preset: body for preset, body, _ in WHOLE if not isinstance(body, str)} | {
    "zendesk": ZENDESK_TRIGGER,
    "standard-webhooks": STANDARD,
    "front": FRONT,
    "hubspot": HUBSPOT[:1],
    "jira": JIRA,
    "intercom": INTERCOM,
    "freshdesk": FRESHDESK,
}


def everywhere(value: Any, change: Callable[[Any], Any]) -> Any:
    """The value with a change in each object and scalar of it."""
    if isinstance(value, dict):
        value = {key: everywhere(inner, change) for key, inner in value.items()}
    elif isinstance(value, list):
        value = [everywhere(inner, change) for inner in value]
    return change(value)


@pytest.mark.parametrize("preset", sorted(JSON_BODIES))
def test_fields_that_nobody_knows_change_nothing(preset: str) -> None:
    def grown(value: Any) -> Any:
        return {**value, "Ünknown": [{"x": None}], "zz": 1e3} if isinstance(value, dict) else value

    assert read(preset, everywhere(JSON_BODIES[preset], grown)) == read(preset, JSON_BODIES[preset])


@pytest.mark.parametrize("preset", sorted(JSON_BODIES))
def test_numbers_as_strings_mean_the_same(preset: str) -> None:
    def texts(value: Any) -> Any:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return (repr(value) if isinstance(value, float) else str(value)) if number else value

    assert read(preset, everywhere(JSON_BODIES[preset], texts)) == read(preset, JSON_BODIES[preset])


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path to each value within a body."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, below in inner for place in places(below, (*path, key)))]


def changed_at(body: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """The body with another value at a path; ``...`` takes it away."""
    if not path:
        return value
    changed = deepcopy(body)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return changed


@pytest.mark.parametrize("preset", sorted(JSON_BODIES))
@pytest.mark.parametrize("value", [None, ...])
def test_without_any_one_value_it_is_the_same_ticket_or_in_quarantine(preset: str, value: Any) -> None:
    whole = closure(preset, JSON_BODIES[preset])
    kept = 0
    for path in places(JSON_BODIES[preset])[1:]:
        try:
            reports = read_all(preset, changed_at(JSON_BODIES[preset], path, value))
        except Unusable:
            continue
        for report in reports:
            if isinstance(report, Closure):
                assert report.ticket_id == whole.ticket_id
                assert report.requester_email in {None, whole.requester_email}
                kept += 1
    assert kept >= 3


@pytest.mark.parametrize("preset", sorted(JSON_BODIES))
@pytest.mark.parametrize(
    "value", [[], {}, "", 0, False, "Ærø 東京 \u202e", 1e300, [[{"id": 1}]], {"id": {"id": 1}}]
)
def test_with_any_one_odd_value_the_worst_is_quarantine(preset: str, value: Any) -> None:
    unusable = 0
    for path in places(JSON_BODIES[preset]):
        try:
            reports = read_all(preset, changed_at(JSON_BODIES[preset], path, value))
        except Unusable:
            unusable += 1
            continue
        assert all(isinstance(report, Closure | Reopen | Ignored) for report in reports)
    assert unusable >= 1


@pytest.mark.parametrize("preset", sorted(JSON_BODIES))
def test_text_in_any_script_and_escaped_or_not_is_the_same(preset: str) -> None:
    def foreign(value: Any) -> Any:
        return "Größe 東京 عربي 🙂" if value == SUBJECT else value

    body = everywhere(JSON_BODIES[preset], foreign)
    raw, escaped = json.dumps(body, ensure_ascii=False).encode(), json.dumps(body).encode()
    assert read_all(preset, raw) == read_all(preset, escaped)
    if SUBJECT in json.dumps(JSON_BODIES[preset]) and closure(preset, JSON_BODIES[preset]).subject:
        assert closure(preset, raw).subject == "Größe 東京 عربي 🙂"


def test_the_recommended_zendesk_template_is_understood_once_it_is_filled_in() -> None:
    filled = rendered(
        "zendesk",
        "trigger_closed_recommended_template-from-docs.txt",
        ticket_id="35436",
        ticket_status="Solved",
        ticket_updated_at_with_timestamp="2026-03-02T09:15:42Z",
        ticket_requester_email="ana@example.com",
    )
    told = closure("zendesk", filled)
    assert (told.ticket_id, told.closed_at, told.requester_email) == ("35436", CLOSED, "ana@example.com")


def test_a_jira_reporter_whose_address_is_visible_needs_no_details() -> None:
    told = closure("jira", with_(JIRA, "issue.fields.reporter.emailAddress", "ana@example.com"))
    assert (told.requester_email, told.needs_details) == ("ana@example.com", False)


def test_a_jira_transition_without_a_resolution_counts_from_its_category() -> None:
    body = with_(JIRA, "issue.fields.resolutiondate", None)
    assert closure("jira", with_(body, "issue.fields.updated", None)).closed_at == CLOSED


@pytest.mark.parametrize(
    ("body", "changed"),
    [(JIRA, "issue.fields.statuscategorychangedate"), (JIRA_RULE, "categoryChanged")],
    ids=["webhook", "rule"],
)
def test_a_jira_issue_that_kept_its_resolution_is_closed_a_second_time(body: Body, changed: str) -> None:
    """Its workflow does not clear the resolution on reopening: only the category tells the second closing."""
    assert closure("jira", with_(body, changed, "2026-03-02T10:18:00.000+0100")).closed_at == BACK
    assert closure("jira", with_(body, changed, None)).closed_at == CLOSED


@pytest.mark.parametrize("left_out", JIRA_VALUES)
def test_a_jira_rule_is_read_whatever_it_knows_nothing_of(left_out: str) -> None:
    """A smart value that is not there is nothing at all: with quotes of its own the body would be no JSON."""
    body = jira_rule(**{name: value for name, value in JIRA_VALUES.items() if name != left_out})
    if left_out in {"issue_key", "issue_status_statusCategory_key"}:
        with pytest.raises(Unusable):
            read("jira", body)
    else:
        assert closure("jira", body).needs_details is (left_out == "issue_reporter_emailAddress")


def test_a_jira_rule_may_hold_quotes_and_line_breaks() -> None:
    body = jira_rule(**JIRA_VALUES | {"issue_summary_jsonEncode": 'He said "no"\nand left \\o/'})
    assert body["summary"] == 'He said "no"\nand left \\o/'


@pytest.mark.parametrize("began", ["admin", "bot", None])
def test_an_intercom_conversation_that_no_customer_began_waits_for_its_contact(began: str | None) -> None:
    told = closure("intercom", with_(INTERCOM, "data.item.source.author.type", began))
    assert (told.requester_email, told.requester_name, told.needs_details) == (None, None, True)


@pytest.mark.parametrize("began", ["lead", "contact"])
def test_an_intercom_conversation_that_a_customer_of_any_kind_began_needs_no_details(began: str) -> None:
    told = closure("intercom", with_(INTERCOM, "data.item.source.author.type", began))
    assert (told.requester_email, told.needs_details) == (
        closure("intercom", INTERCOM).requester_email,
        False,
    )


def test_an_older_intercom_body_tells_the_user_itself() -> None:
    body = with_(INTERCOM, "data.item.user", {"email": "ana@old.example", "name": "Ana Alt", "id": "u1"})
    body = with_(with_(body, "data.item.statistics", ...), "data.item.contacts", ...)
    told = closure("intercom", body)
    assert (told.requester_email, told.requester_name, told.requester_id) == (
        "ana@old.example",
        "Ana Alt",
        "u1",
    )


def test_an_unassigned_zammad_ticket_has_no_resolver() -> None:
    body = with_(
        with_(ZAMMAD, "ticket.owner_id", 1), "ticket.owner", {"id": 1, "firstname": "-", "lastname": ""}
    )
    assert closure("zammad", body).resolver_name is None


def test_hubspots_expanded_objects_are_tickets_too() -> None:
    event = {**HUBSPOT[0], "subscriptionType": "object.propertyChange", "objectTypeId": "0-5"}
    assert read("hubspot", [event]) == read("hubspot", HUBSPOT[:1])


def test_a_broken_freshdesk_body_is_salvaged() -> None:
    body = (
        '{"freshdesk_webhook": {"ticket_id": "4711", "ticket_status": "Closed", "ticket_subject": "a "b" c"}}'
    )
    assert read("freshdesk", body) == closed("4711", NOW, needs_details=True, degraded=True)


def test_the_settings_say_what_a_status_means_and_where_a_field_is() -> None:
    stage = [{**HUBSPOT[0], "propertyValue": "1032"}]
    with pytest.raises(Unusable, match="status is not known"):
        read("hubspot", stage)
    assert closure("hubspot", stage, statuses={" 1032 ": "solved"}).kind == "solved"
    assert isinstance(read("hubspot", HUBSPOT[:1], statuses={"4": "ignored"}), Ignored)
    fields = {
        "cause": "body.issue.fields.customfield_10050.value",
        "organization": "body.issue.fields.customfield_10002[0].name",
    }
    told = closure("jira", JIRA, fields=fields)
    assert (told.cause, told.organization) == ("Config error", "Example GmbH")


# --- several events in one request -------------------------------------------------------------------------


def test_a_batch_gives_one_report_for_each_event_and_only_the_bad_one_is_unusable() -> None:
    events = [{**HUBSPOT[0], "objectId": number} for number in range(100)]
    assert [getattr(report, "ticket_id", None) for report in read_all("hubspot", events)] == [
        str(number) for number in range(100)
    ]
    known = shipped("hubspot")
    parts = mapping.split(
        known, json.dumps([HUBSPOT[0], {"subscriptionType": 7}, 7, None, HUBSPOT[0]]).encode()
    )
    usable = 0
    for part in parts:
        try:
            mapping.read(known, {}, part, NOW, OLDEST, source="acme")
            usable += 1
        except Unusable:
            continue
    assert (len(parts), usable) == (5, 3)


def test_a_part_is_no_larger_than_it_came() -> None:
    """Escapes would make it three times as long, and too large for a body."""
    event = {"subject": "Не работает. " * 6000}
    raw = json.dumps([event], ensure_ascii=False).encode()
    (part,) = mapping.split(shipped("zoho-desk"), raw)
    assert len(part) < len(raw)
    assert json.loads(part) == event


def test_half_of_a_character_is_kept_as_it_came() -> None:
    (part,) = mapping.split(shipped("zoho-desk"), rb'[{"subject": "\ud83d"}]')
    assert json.loads(part) == {"subject": "\ud83d"}


@pytest.mark.parametrize(
    ("preset", "body", "reason"),
    [
        ("hubspot", [], "no list of events"),
        ("hubspot", [None], "no list of events"),
        ("hubspot", HUBSPOT[0], "not a JSON list"),
        ("hubspot", [HUBSPOT[0]] * 101, "too many events"),
        ("hubspot", "[{", "no list of events"),
        ("zoho-desk", "", "no list of events"),
        ("cloudevents", "7", "not a JSON object or list"),
        ("salesforce-outbound-message", "<a/>", "no list of events"),
        ("salesforce-outbound-message", "{}", "not XML"),
        ("salesforce-outbound-message", OUTBOUND[:-20], "not XML"),
        ("salesforce-outbound-message", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "document type"),
        ("salesforce-outbound-message", '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "document type"),
        ("salesforce-outbound-message", "<a>" * 50 + "</a>" * 50, "nested too deeply"),
        ("salesforce-outbound-message", "<a>" + "<b/>" * 30_000 + "</a>", "too many elements"),
    ],
)
def test_a_request_without_events_is_unusable_as_a_whole(preset: str, body: object, reason: str) -> None:
    with pytest.raises(Unusable, match=reason):
        read_all(preset, body)


def test_salesforce_sends_many_notifications_in_one_message() -> None:
    start, end = OUTBOUND.index("<Notification>"), OUTBOUND.index("</notifications>")
    second = (
        OUTBOUND[start:end]
        .replace("00004711", "00004712")
        .replace("Cannot log in", "Grüße &amp; &lt;mehr&gt;")
    )
    first, other = read_all("salesforce-outbound-message", OUTBOUND[:end] + second + OUTBOUND[end:])
    assert isinstance(first, Closure)
    assert isinstance(other, Closure)
    assert (first.ticket_id, other.ticket_id, other.subject) == ("00004711", "00004712", "Grüße & <mehr>")


def test_cloudevents_come_in_batches_too() -> None:
    second = {**CLOUDEVENT, "id": "evt-2", "data": {"id": "4712"}}
    assert [getattr(report, "ticket_id", "") for report in read_all("cloudevents", [CLOUDEVENT, second])] == [
        "4711",
        "4712",
    ]


FORM: Body = {
    "verify": {"kind": "secret", "header": "x-secret"},
    "body": {"format": "form"},
    "shapes": [
        {
            "name": "form",
            "when": "body.ticket",
            "status": "body.state",
            "time": "body.closed",
            "time_format": "utc",
            "statuses": {"closed": ["closed"]},
            "fields": {"ticket_id": "body.ticket", "subject": "body.title"},
        }
    ],
}


def test_a_form_is_read_field_by_field() -> None:
    known = preset_of(FORM)

    def told(body: str) -> Report:
        return mapping.read(known, {}, body.encode(), NOW, OLDEST, source="acme")

    form = "ticket=7&state=closed&closed=2026-03-02+09%3A15%3A42&title=Gr%C3%BC%C3%9Fe"
    assert told(form) == closed("7", subject="Grüße")
    for broken in ("", "ticket", "ticket=7&ticket=8", "&".join(f"a{n}=1" for n in range(300)), "ticket=%FF"):
        with pytest.raises(Unusable):
            told(broken)


@pytest.mark.parametrize(
    ("moment", "at"),
    [
        ("2026-03-02 09:15:42", CLOSED),
        ("2026-03-02T09:15:42", CLOSED),
        ("2026-03-02 09:15", CLOSED.replace(second=0)),
        ("2026-03-02T09:15:42.123", CLOSED + MS_123),
        ("2026-03-02T10:15:42+0100", CLOSED),
        ("2026-03-02T09:15:42Z", CLOSED),
    ],
)
def test_times_without_a_zone_are_utc_where_the_preset_says_so(moment: str, at: datetime) -> None:
    assert closure("servicenow", {**SERVICENOW, "closed_at": moment}).closed_at == at


OWN_PYLON: Body = {
    "verify": {
        "kind": "signature",
        "header": "x-pylon-signature",
        "algorithm": "sha256",
        "encoding": "hex",
        "signed": "{body}",
    },
    "body": {},
    "shapes": [
        {
            "name": "trigger",
            "when": "body.schema == 'pylon.trigger/1' || body.schema == 'liveagent.rule/1'",
            "status": "body.data.state || body.status",
            "time": "body.closed_at",
            "time_required": False,
            "statuses": {"closed": ["closed", "resolved"]},
            "fields": {
                "ticket_id": "body.data.number || body.code",
                "subject": "body.data.title || body.subject",
                "requester_email": "body.data.requester.email || body.requester_email",
            },
        }
    ],
}


def test_helpdesks_whose_variables_nobody_knows_for_sure_are_read_by_an_own_preset() -> None:
    known = preset_of(OWN_PYLON)

    def told(body: bytes) -> Report:
        return mapping.read(known, {}, body, NOW, OLDEST, source="acme")

    expected = closed("4711", NOW, subject=SUBJECT, requester_email="ana@example.com", degraded=True)
    assert told(file_of("pylon", "trigger_webhook_template-from-docs.json")) == expected
    text = file_of("liveagent", "http_request_rule_body-from-docs.txt").decode().splitlines()[1]
    for variable, value in (
        ("{$conv_code}", "4711"),
        ("{$conv_subject}", SUBJECT),
        ("{$conv_status}", "Resolved"),
        ("{$conv_owneremail}", "ana@example.com"),
    ):
        text = text.replace(variable, value)
    assert told(text.encode()) == expected


def test_the_script_for_servicenow_sends_what_its_preset_reads() -> None:
    script = file_of("servicenow", "business_rule_script-from-docs.txt").decode()
    for name in SERVICENOW:
        assert f"{name}:" in script
    assert (
        file_of("salesforce", "outbound_message_ack-from-docs.xml").decode().split()
        == (shipped("salesforce-outbound-message").answers.success_body or "").split()
    )


def test_details_of_a_hubspot_ticket_are_not_part_of_its_webhook() -> None:
    """What the REST interface answers later (enrichment_ticket_get-from-docs.json) is no event."""
    with pytest.raises(Unusable):
        read_all("hubspot", file_of("hubspot", "enrichment_ticket_get-from-docs.json"))


# --- the pages -------------------------------------------------------------------------------------------------

SIGNATURES = {
    "published signing vector",
    "documented scheme",
    "read in the source",
    "shared secret",
    "unverified",
}
BODIES = {"documented shape", "read in the source", "unverified"}
NAMES = sorted(file.stem for file in PRESETS.glob("*.toml"))
VECTORS = json.loads((PAYLOADS / "signature_vectors.json").read_text("utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_each_preset_has_a_page_that_says_what_it_was_checked_against(name: str) -> None:
    page = (DOCS / f"{name}.md").read_text("utf-8")
    found = re.search(
        r"\*\*Checked against\.\*\* Signature: ([a-z ]+)\. Body: ([a-z ]+)\. No live tenant was tried\.", page
    )
    assert found
    assert found[1] in SIGNATURES
    assert found[2] in BODIES
    assert f"`{name}` | {found[1]} | {found[2]} |" in (DOCS / "README.md").read_text("utf-8")
    assert "## Unverified\n\n" in page
    published = {vector["provider"] for vector in VECTORS if vector["published"]}
    assert (found[1] == "published signing vector") == (name in published)
    is_secret = isinstance(shipped(name).verify, SecretRule)
    assert (found[1] == "shared secret") == is_secret
    assert f"hooks/{name}" in page


def test_no_page_is_about_a_preset_that_is_not_there() -> None:
    assert {file.stem for file in DOCS.glob("*.md")} == {*NAMES, "README", "your-own"}


def test_nothing_claims_more_than_was_done() -> None:
    for file in DOCS.glob("*.md"):
        text = file.read_text("utf-8").casefold()
        assert not re.search(
            r"tested (?:on|with|against) (?:a |an )?(?:live|real)|certified|officially", text
        ), file.name


@pytest.mark.parametrize(
    ("zone", "said", "closed_at"),
    [
        (None, "2026-03-02 09:15:42", CLOSED),
        ("Europe/Berlin", "2026-03-02 10:15:42", CLOSED),
        ("Europe/Berlin", "2026-03-02T10:15:42+01:00", CLOSED),
        ("Europe/Berlin", "2025-10-26 02:30:00", datetime(2025, 10, 26, 1, 30, tzinfo=UTC)),
        ("Europe/Berlin", "2025-07-02 11:15:42", datetime(2025, 7, 2, 9, 15, 42, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_zone_is_on_the_clocks_of_its_source(
    zone: str | None, said: str, closed_at: datetime
) -> None:
    body = with_(with_(GLPI, "item.date_solve", said), "item.date_close", said)
    now = closed_at + timedelta(minutes=5)
    assert closure("glpi", body, now=now, time_zone=zone).closed_at == closed_at


def test_a_time_at_the_edge_of_all_time_has_no_zone_to_be_read_in() -> None:
    body = with_(with_(GLPI, "item.date_solve", "0001-01-01 00:00:00"), "item.date_close", None)
    with pytest.raises(Unusable, match="closed_at is not a time with zone"):
        read("glpi", body, time_zone="Europe/Berlin")


def test_the_notes_of_an_incident_of_servicenow_are_not_read() -> None:
    told = closure("servicenow", {**SERVICENOW, "close_code": None, "close_notes": "Called Ana, +1 555 0100"})
    assert (told.cause, told.solution) == (None, None)
    assert "close_notes" not in (DOCS / "servicenow.md").read_text("utf-8")


@pytest.mark.parametrize("name", ["freshdesk", "jira", "salesforce", "gorgias", "servicenow"])
def test_the_body_that_a_page_shows_is_read_field_by_field(name: str) -> None:
    """Nothing is to be pasted that nobody reads, and a key that is misspelt would be found here."""
    page = (DOCS / f"{name}.md").read_text("utf-8")
    block = re.findall(r"```(?:json|text)\n(.*?)```", page, re.S)[0]
    preset = (PRESETS / f"{name}.toml").read_text("utf-8")
    keys = set(re.findall(r'"(\w+)":', block)) or set(re.findall(r"\b(\w+): ", block))
    assert len(keys) >= 10
    assert {key for key in keys if not re.search(rf"\b{key}\b", preset)} == set()
