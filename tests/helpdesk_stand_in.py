"""Stands in for the helpdesks' REST APIs: a real server on this machine that answers as their documentation says.

Each ``Desk`` is one vendor with a few tickets, ``plan`` says what happens to the next requests instead of an answer.
What was asked and written is kept, so that a test can see it. The shapes are documented ones, the values invented;
nothing here was seen on a live account.
"""

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "t0kenThatNobodyMaySee"


@dataclass
class Asked:
    """One request that came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass(kw_only=True)
class Case:
    """One ticket of a helpdesk."""

    id: str
    closed_at: datetime
    changed_at: datetime | None = None
    """When it was changed last, where that was after the closing."""
    email: str | None = "ana@customer.example"
    cause: str | None = "Password reset failed"
    status: str = "solved"
    """``solved``, ``closed`` or ``open``; each helpdesk says it in its own words."""
    gone: bool = False
    promised_until: str | None = None
    notes: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.status == "open"


Plan = int | str | tuple[int, dict[str, str]]


@dataclass
class Desk:
    """A helpdesk: its tickets, what it was asked, and what goes wrong next."""

    kind: str
    url: str = ""
    cases: dict[str, Case] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    plan: list[Plan] = field(default_factory=list)
    """A status, ``(status, headers)``, or one of ``hang``, ``hang up``, ``garbage``, ``half``, ``huge``, ``trickle``.

    ``fine`` answers. ``lost`` does what was asked and answers nothing.
    """
    page: int = 2
    """Tickets of one page of a list."""
    most_pages: int = 100
    """HubSpot and Freshdesk refuse every page of a list behind these."""
    closing: threading.Event = field(default_factory=threading.Event)

    def add(self, case: Case) -> Case:
        """One more ticket."""
        self.cases[case.id] = case
        return case

    def paths(self, method: str = "GET") -> list[str]:
        """What was asked, without the query."""
        return [asked.path for asked in self.asked if asked.method == method]

    def written(self) -> list[Asked]:
        """What was to change something."""
        return [
            asked
            for asked in self.asked
            if asked.method != "GET" and "search" not in asked.path and "oauth" not in asked.path
        ]

    @property
    def secret(self) -> str:
        """The token as it is stored."""
        names = {"zendesk": "agent@acme.example/token:", "jira": "agent@acme.example:", "helpscout": "app:"}
        return f"{TOKEN}:X" if self.kind == "freshdesk" else names.get(self.kind, "") + TOKEN

    @property
    def values(self) -> dict[str, str]:
        """What the settings have to say of it."""
        return {
            "zendesk": {"cause_field": "360001"},
            "freshdesk": {"cause_field": "cf_cause"},
            "jira": {"cause_field": "customfield_10040"},
            "intercom": {"cause_field": "Root cause", "admin_id": "814860", "tag_id": "17513"},
            "hubspot": {"cause_field": "root_cause", "portal_id": "8675309", "open_stage": "1"},
            "helpscout": {"cause_field": "Root cause"},
            "zammad": {"cause_field": "root_cause"},
            "chatwoot": {"cause_field": "root_cause", "account_id": "1"},
        }[self.kind]

    def admits(self, headers: dict[str, str]) -> bool:
        """Whether a request has the token where this helpdesk wants it."""
        given = headers.get("authorization", "")
        if self.kind in {"zendesk", "freshdesk", "jira"}:
            return given == "Basic " + base64.b64encode(self.secret.encode()).decode()
        if self.kind == "chatwoot":
            return headers.get("api_access_token") == TOKEN
        if self.kind == "zammad":
            return given == f"Token token={TOKEN}"
        if self.kind == "helpscout":
            return given == "Bearer granted"
        return given == f"Bearer {TOKEN}"

    def answer(self, asked: Asked) -> tuple[int, Any]:
        """Status and JSON; 404 for what the helpdesk does not know."""
        for pattern, method, do in ROUTES[self.kind]:
            found = re.fullmatch(pattern, asked.path)
            if found and method == asked.method:
                ids = found.groupdict()
                case = self.cases.get(ids.get("id", ""))
                if "id" in ids and (case is None or case.gone):
                    return 404, {"error": "RecordNotFound"}
                return do(self, asked, case) if case else do(self, asked, None)
        return 404, {"error": "no such address"}

    def listed(self) -> list[Case]:
        """All tickets that are closed, in the order of closing."""
        return sorted(
            (case for case in self.cases.values() if not case.is_open and not case.gone),
            key=lambda case: case.closed_at,
        )

    def slice(self, place: int) -> list[Case]:
        """The tickets of one page, counted from 0."""
        return self.listed()[place * self.page : (place + 1) * self.page]

    def has_more(self, place: int) -> bool:
        """Whether there is another page after that one."""
        return len(self.listed()) > (place + 1) * self.page


Answer = tuple[int, Any]
Do = Callable[[Desk, Asked, Any], Answer]
ROUTES: dict[str, list[tuple[str, str, Do]]] = {}


def route(kind: str, pattern: str, method: str = "GET") -> Callable[[Do], Do]:
    """Answers requests of one kind; ``(?P<id>…)`` is a ticket that has to exist."""

    def keep(do: Do) -> Do:
        ROUTES.setdefault(kind, []).append((pattern, method, do))
        return do

    return keep


def iso(at: datetime) -> str:
    """As most helpdesks write it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def cursor(place: int) -> str:
    """Where a page begins, as a helpdesk says it: nothing that anybody could count with."""
    return base64.urlsafe_b64encode(f"page {place}".encode()).decode()


def counted(said: str | None) -> int:
    """The page of a cursor."""
    return int(base64.urlsafe_b64decode(said).decode().removeprefix("page ")) if said else 0


ID = r"(?P<id>[^/]+?)"


# --- Zendesk ---------------------------------------------------------------------------------------------------------


@route("zendesk", rf"/api/v2/tickets/{ID}\.json")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    return 200, {
        "ticket": {
            "id": int(case.id),
            "subject": "I cannot sign in",
            "status": case.status,
            "requester_id": 900,
            "assignee_id": 901,
            "group_id": 902,
            "organization_id": None,
            "tags": case.tags,
            "custom_fields": [
                {"id": 360001, "value": case.cause},
                {"id": 360009, "value": case.promised_until},
            ],
        }
    }


@route("zendesk", r"/api/v2/users/(?P<user>\d+)\.json")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    if asked.path.endswith("/901.json"):
        return 200, {"user": {"id": 901, "name": "Kim Ren", "email": "kim@acme.example", "locale": "en-US"}}
    email = next(iter(desk.cases.values())).email
    user = {"id": 900, "name": "Ana Beispiel", "email": email, "locale": "de"}
    return 200, {"user": {**user, "time_zone": "Berlin", "iana_time_zone": "Europe/Berlin"}}


@route("zendesk", r"/api/v2/groups/\d+\.json")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    return 200, {"group": {"id": 902, "name": "Web Portal"}}


@route("zendesk", r"/api/v2/incremental/tickets/cursor\.json")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    place = counted(asked.query.get("cursor"))
    listed = [
        {
            "id": int(known.id),
            "status": known.status,
            "updated_at": iso(known.closed_at),
            "metric_set": {"solved_at": iso(known.closed_at)},
        }
        for known in desk.slice(place)
    ]
    opened = [{"id": 1, "status": "open", "metric_set": {"solved_at": None}}]
    more = desk.has_more(place)
    after = (
        f"{desk.url}/api/v2/incremental/tickets/cursor.json?cursor={cursor(place + 1)}&include=metric_sets"
    )
    return 200, {"tickets": listed + opened, "after_url": after, "end_of_stream": not more}


@route("zendesk", rf"/api/v2/tickets/{ID}/comments\.json")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    return 200, {"comments": [{"id": n, "body": note} for n, note in enumerate(case.notes)]}


@route("zendesk", rf"/api/v2/tickets/{ID}\.json", "PUT")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    if case.status == "closed":
        return 422, {
            "error": "RecordInvalid",
            "details": {"status": [{"description": "closed prevents update"}]},
        }
    ticket = asked.body["ticket"]
    if "comment" in ticket:
        assert ticket["comment"]["public"] is False
        case.notes.append(ticket["comment"]["body"])
    case.tags += ticket.get("additional_tags", [])
    case.status = ticket.get("status", case.status)
    return 200, {"ticket": {"id": int(case.id)}}


@route("zendesk", r"/api/v2/tickets\.json", "POST")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    ticket = asked.body["ticket"]
    made = Case(id=str(9000 + len(desk.cases)), closed_at=datetime.now(UTC), status="open")
    made.notes.append(ticket["comment"]["body"])
    made.tags.append(f"follow-up of {ticket['via_followup_source_id']}")
    desk.add(made)
    return 201, {"ticket": {"id": int(made.id)}}


# --- Freshdesk -------------------------------------------------------------------------------------------------------


def _freshdesk_ticket(case: Case) -> dict[str, Any]:
    return {
        "id": int(case.id),
        "subject": "I cannot sign in",
        "status": {"open": 2, "solved": 4, "closed": 5}[case.status],
        "requester_id": 900,
        "responder_id": 901,
        "group_id": 902,
        "tags": case.tags,
        "custom_fields": {"cf_cause": case.cause},
        "stats": {"resolved_at": iso(case.closed_at), "closed_at": None},
        "updated_at": iso(case.changed_at or case.closed_at),
    }


@route("freshdesk", rf"/api/v2/tickets/{ID}")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    requester = {"id": 900, "name": "Ana Beispiel", "email": case.email, "mobile": None}
    return 200, _freshdesk_ticket(case) | {"requester": requester}


@route("freshdesk", r"/api/v2/contacts/\d+")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    return 200, {"id": 900, "language": "de", "time_zone": "Berlin"}


@route("freshdesk", r"/api/v2/agents/\d+")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    return 200, {"id": 901, "contact": {"name": "Kim Ren", "email": "kim@acme.example"}}


@route("freshdesk", r"/api/v2/groups/\d+")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    return 200, {"id": 902, "name": "Web Portal"}


@route("freshdesk", r"/api/v2/tickets")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    desk.page = 100
    place = int(asked.query["page"]) - 1
    if place >= desk.most_pages:
        return 400, {"errors": [{"field": "page", "code": "invalid_value"}]}
    since = asked.query["updated_since"]
    known = sorted((_freshdesk_ticket(case) for case in desk.cases.values()), key=lambda t: t["updated_at"])
    known = [ticket for ticket in known if ticket["updated_at"] >= since]
    return 200, known[place * desk.page : (place + 1) * desk.page]


@route("freshdesk", rf"/api/v2/tickets/{ID}/conversations")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    return 200, [
        {"body": note, "body_text": re.sub("<[^>]+>", " ", note), "private": True} for note in case.notes
    ]


@route("freshdesk", rf"/api/v2/tickets/{ID}/notes", "POST")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    assert asked.body["private"] is True
    case.notes.append(asked.body["body"])
    return 201, {"id": 5}


@route("freshdesk", rf"/api/v2/tickets/{ID}", "PUT")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    case.tags = asked.body.get("tags", case.tags)
    case.status = {2: "open"}.get(asked.body.get("status"), case.status)
    return 200, _freshdesk_ticket(case)


# --- Jira Service Management -----------------------------------------------------------------------------------------


@route("jira", rf"/rest/api/3/issue/{ID}")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    reporter = {"accountId": "5b10", "displayName": "Ana Beispiel", "timeZone": "Europe/Berlin"}
    category = {"key": "indeterminate" if case.is_open else "done"}
    return 200, {
        "id": "10042",
        "key": case.id,
        "fields": {
            "summary": "I cannot sign in",
            "status": {"name": "Erledigt", "statusCategory": category},
            "reporter": reporter,
            "assignee": {"displayName": "Kim Ren"},
            "components": [{"name": "Web Portal"}],
            "resolutiondate": case.closed_at.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
            "labels": case.tags,
            "duedate": None,
            "customfield_10040": {"value": case.cause, "id": "1"},
        },
    }


@route("jira", r"/rest/api/3/user")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    email = next(iter(desk.cases.values())).email
    return 200, {"accountId": asked.query["accountId"], "emailAddress": email, "locale": "de_DE"}


@route("jira", r"/rest/api/3/search/jql")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    assert "statusCategory = Done" in asked.query["jql"]
    assert "ORDER BY statusCategoryChangedDate" in asked.query["jql"]
    place = counted(asked.query.get("nextPageToken"))
    issues = [
        {
            "key": known.id,
            "fields": {
                "statuscategorychangedate": known.closed_at.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
                "project": {"key": known.id.partition("-")[0]},
            },
        }
        for known in desk.slice(place)
    ]
    more = desk.has_more(place)
    return 200, {"issues": issues, "isLast": not more} | (
        {"nextPageToken": cursor(place + 1)} if more else {}
    )


@route("jira", rf"/rest/servicedeskapi/request/{ID}/comment")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    return 200, {"values": [{"body": note, "public": False} for note in case.notes], "isLastPage": True}


@route("jira", rf"/rest/servicedeskapi/request/{ID}/comment", "POST")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    assert asked.body["public"] is False
    case.notes.append(asked.body["body"])
    return 201, {"id": "1"}


@route("jira", rf"/rest/api/3/issue/{ID}", "PUT")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    case.tags += [label["add"] for label in asked.body["update"]["labels"]]
    return 204, None


@route("jira", rf"/rest/api/3/issue/{ID}/transitions")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    return 200, {
        "transitions": [
            {"id": "31", "name": "Close", "to": {"statusCategory": {"key": "done"}}},
            {"id": "41", "name": "Back to work", "to": {"statusCategory": {"key": "indeterminate"}}},
        ]
    }


@route("jira", rf"/rest/api/3/issue/{ID}/transitions", "POST")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    if asked.body["transition"]["id"] != "41":
        return 400, {"errorMessages": ["no such transition"]}
    case.status = "open"
    return 204, None


# --- Intercom --------------------------------------------------------------------------------------------------------


@route("intercom", rf"/conversations/{ID}")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    return 200, {
        "type": "conversation",
        "id": case.id,
        "state": "open" if case.is_open else "closed",
        "title": "I cannot sign in",
        "contacts": {"contacts": [{"type": "contact", "id": "667d6"}]},
        "source": {"author": {"type": "user", "name": "Ana", "email": case.email}},
        "admin_assignee_id": 814860,
        "team_assignee_id": "5017691",
        "custom_attributes": {"Root cause": case.cause},
        "statistics": {"last_close_at": int(case.closed_at.timestamp())},
        "conversation_parts": {
            "conversation_parts": [{"part_type": "note", "body": note} for note in case.notes]
        },
    }


@route("intercom", r"/contacts/\w+")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    email = next(iter(desk.cases.values())).email
    return 200, {"id": "667d6", "email": email, "name": "Ana Beispiel", "browser_language": "de"}


@route("intercom", r"/admins/\d+")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    return 200, {"type": "admin", "id": "814860", "name": "Kim Ren", "email": "kim@acme.example"}


@route("intercom", r"/teams/\d+")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    return 200, {"type": "team", "id": "5017691", "name": "Web Portal"}


@route("intercom", r"/conversations/search", "POST")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    fields = {part["field"] for part in asked.body["query"]["value"]}
    assert fields == {"statistics.last_close_at"}
    place = counted(asked.body["pagination"].get("starting_after"))
    found = [
        {"id": known.id, "state": "closed", "statistics": {"last_close_at": int(known.closed_at.timestamp())}}
        for known in desk.slice(place)
    ]
    pages: dict[str, Any] = {"type": "pages"}
    if desk.has_more(place):
        pages["next"] = {"starting_after": cursor(place + 1)}
    return 200, {"type": "conversation.list", "conversations": found, "pages": pages}


@route("intercom", rf"/conversations/{ID}/reply", "POST")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    assert (asked.body["message_type"], asked.body["type"]) == ("note", "admin")
    case.notes.append(asked.body["body"])
    return 200, {"type": "conversation", "id": case.id}


@route("intercom", rf"/conversations/{ID}/tags", "POST")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    case.tags.append(asked.body["id"])
    return 200, {"type": "tag", "id": asked.body["id"]}


@route("intercom", rf"/conversations/{ID}/parts", "POST")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    assert asked.body["message_type"] == "open"
    case.status = "open"
    return 200, {"type": "conversation", "id": case.id}


# --- HubSpot ---------------------------------------------------------------------------------------------------------


@route("hubspot", r"/crm/v3/objects/tickets/search", "POST")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    (group,) = asked.body["filterGroups"]
    assert group["filters"][0]["operator"] == "BETWEEN"
    place = counted(asked.body.get("after"))
    if place >= desk.most_pages:
        return 400, {"status": "error", "category": "VALIDATION_ERROR"}
    since = int(group["filters"][0]["value"]) / 1000
    found = [known for known in desk.listed() if known.closed_at.timestamp() >= since]
    page = found[place * desk.page : (place + 1) * desk.page]
    results = [{"id": known.id, "properties": {"closed_date": iso(known.closed_at)}} for known in page]
    more = len(found) > (place + 1) * desk.page
    paging = {"paging": {"next": {"after": cursor(place + 1)}}} if more else {}
    return 200, {"total": len(found), "results": results} | paging


@route("hubspot", rf"/crm/v3/objects/tickets/{ID}")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    properties = {
        "subject": "I cannot sign in",
        "hs_pipeline": "0",
        "hs_pipeline_stage": "1" if case.is_open else "4",
        "closed_date": iso(case.closed_at),
        "hubspot_owner_id": "901",
        "root_cause": case.cause,
        "agreed": "A technician comes",
        "repair": "A new meter",
    }
    wanted = asked.query["properties"].split(",")
    known = {name: value for name, value in properties.items() if name in wanted}
    contacts = {"contacts": {"results": [{"id": "900", "type": "ticket_to_contact"}]}}
    return 200, {"id": case.id, "properties": known, "associations": contacts}


@route("hubspot", r"/crm/v3/pipelines/tickets/0/stages/\d")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    return 200, {"metadata": {"ticketState": "CLOSED" if asked.path.endswith("/4") else "OPEN"}}


@route("hubspot", r"/crm/v3/objects/contacts/\d+")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    email = next(iter(desk.cases.values())).email
    person = {"email": email, "firstname": "Ana", "lastname": "Beispiel", "hs_language": "de"}
    return 200, {"id": "900", "properties": person}


@route("hubspot", r"/crm/v3/owners/\d+")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    teams = [{"id": "1", "name": "Web Portal", "primary": True}]
    return 200, {"email": "kim@acme.example", "firstName": "Kim", "lastName": "Ren", "teams": teams}


@route("hubspot", r"/crm/v3/objects/notes", "POST")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    (association,) = asked.body["associations"]
    assert association["types"][0]["associationTypeId"] == 228
    desk.cases[association["to"]["id"]].notes.append(asked.body["properties"]["hs_note_body"])
    return 201, {"id": "77"}


@route("hubspot", rf"/crm/v3/objects/tickets/{ID}", "PATCH")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    if asked.body["properties"].get("hs_pipeline_stage") == "1":
        case.status = "open"
    return 200, {"id": case.id}


# --- Help Scout ------------------------------------------------------------------------------------------------------


@route("helpscout", r"/v2/oauth2/token", "POST")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    if asked.body != {"grant_type": "client_credentials", "client_id": "app", "client_secret": TOKEN}:
        return 400, {"error": "invalid_client"}
    return 200, {"token_type": "bearer", "access_token": "granted", "expires_in": 172800}


def _helpscout(case: Case) -> dict[str, Any]:
    return {
        "id": int(case.id),
        "number": 12,
        "status": "active" if case.is_open else "closed",
        "subject": "I cannot sign in",
        "mailboxId": 85,
        "primaryCustomer": {"id": 900, "first": "Ana", "last": "Beispiel", "email": case.email},
        "assignee": {"id": 901, "first": "Kim", "last": "Ren", "email": "kim@acme.example"},
        "tags": [{"id": 1, "tag": tag} for tag in case.tags],
        "customFields": [
            {"id": 8, "name": "Root cause", "value": "1", "text": case.cause},
            {"id": 9, "name": "Agreed", "value": "A technician comes", "text": ""},
            {"id": 10, "name": "Repair", "value": "A new meter"},
        ],
        "closedAt": iso(case.closed_at),
        "_links": {"web": {"href": f"https://secure.helpscout.net/conversation/{case.id}/12/"}},
    }


@route("helpscout", rf"/v2/conversations/{ID}")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    return 200, _helpscout(case)


@route("helpscout", r"/v2/mailboxes/\d+")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    return 200, {"id": 85, "name": "Web Portal"}


@route("helpscout", r"/v2/conversations")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    assert asked.query["status"] == "closed"
    place = int(asked.query["page"]) - 1
    listed = [_helpscout(known) for known in desk.slice(place)]
    total = place + 1 + desk.has_more(place)
    page = {"size": desk.page, "totalPages": total, "number": place + 1}
    return 200, {"_embedded": {"conversations": listed}, "page": page}


@route("helpscout", rf"/v2/conversations/{ID}/threads")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    return 200, {"_embedded": {"threads": [{"type": "note", "body": note} for note in case.notes]}}


@route("helpscout", rf"/v2/conversations/{ID}/notes", "POST")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    case.notes.append(asked.body["text"])
    return 201, None


@route("helpscout", rf"/v2/conversations/{ID}/tags", "PUT")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    case.tags = asked.body["tags"]
    return 204, None


@route("helpscout", rf"/v2/conversations/{ID}", "PATCH")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    assert asked.body == {"op": "replace", "path": "/status", "value": "active"}
    case.status = "open"
    return 204, None


# --- Zammad ----------------------------------------------------------------------------------------------------------


def _zammad(case: Case) -> dict[str, Any]:
    return {
        "id": int(case.id),
        "number": "31081",
        "title": "I cannot sign in",
        "state": "open" if case.is_open else "closed",
        "customer_id": 900,
        "owner_id": 901,
        "group": "Web Portal",
        "organization": None,
        "root_cause": case.cause,
        "close_at": iso(case.closed_at),
        "last_close_at": iso(case.closed_at),
    }


@route("zammad", r"/api/v1/tickets/search")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    assert asked.query["query"].startswith("last_close_at:[")
    desk.page = 100
    return 200, [_zammad(known) for known in desk.slice(int(asked.query["page"]) - 1)]


@route("zammad", rf"/api/v1/tickets/{ID}")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    return 200, _zammad(case)


@route("zammad", r"/api/v1/users/\d+")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    if asked.path.endswith("901"):
        return 200, {"id": 901, "firstname": "Kim", "lastname": "Ren", "email": "kim@acme.example"}
    email = next(iter(desk.cases.values())).email
    known = {"id": 900, "firstname": "Ana", "lastname": "Beispiel", "email": email}
    return 200, known | {"preferences": {"locale": "de-de"}}


@route("zammad", r"/api/v1/ticket_articles/by_ticket/(?P<id>[^/]+)")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    return 200, [{"body": note, "internal": True} for note in case.notes]


@route("zammad", r"/api/v1/ticket_articles", "POST")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    assert asked.body["internal"] is True
    desk.cases[str(asked.body["ticket_id"])].notes.append(asked.body["body"])
    return 201, {"id": 3}


@route("zammad", r"/api/v1/tags/add", "POST")
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    assert asked.body["object"] == "Ticket"
    desk.cases[str(asked.body["o_id"])].tags.append(asked.body["item"])
    return 201, True


@route("zammad", rf"/api/v1/tickets/{ID}", "PUT")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    case.status = asked.body["state"]
    return 200, _zammad(case)


# --- Chatwoot --------------------------------------------------------------------------------------------------------

ACCOUNT = r"/api/v1/accounts/1/conversations"


def _chatwoot(case: Case) -> dict[str, Any]:
    return {
        "id": int(case.id),
        "status": "open" if case.is_open else "resolved",
        "meta": {
            "sender": {"id": 900, "name": "Ana Beispiel", "email": case.email},
            "assignee": {"id": 901, "name": "Kim Ren", "email": "kim@acme.example"},
            "team": {"id": 902, "name": "Web Portal"},
        },
        "custom_attributes": {"root_cause": case.cause},
        "additional_attributes": {"browser": {"browser_language": "de"}, "mail_subject": "I cannot sign in"},
        "updated_at": case.closed_at.timestamp() + 0.25,
        "last_activity_at": int(case.closed_at.timestamp()),
    }


@route("chatwoot", ACCOUNT)
def _(desk: Desk, asked: Asked, case: Any) -> Answer:
    assert asked.query["status"] == "resolved"
    found = [_chatwoot(known) for known in reversed(desk.listed())]
    place = int(asked.query["page"]) - 1
    return 200, {"data": {"meta": {"all_count": len(found)}, "payload": found[place * 25 : (place + 1) * 25]}}


@route("chatwoot", rf"{ACCOUNT}/{ID}")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    return 200, _chatwoot(case)


@route("chatwoot", rf"{ACCOUNT}/{ID}/messages")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    return 200, {
        "payload": [{"id": n, "content": note, "private": True} for n, note in enumerate(case.notes)]
    }


@route("chatwoot", rf"{ACCOUNT}/{ID}/messages", "POST")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    assert asked.body["private"] is True
    case.notes.append(asked.body["content"])
    return 200, {"id": 3}


@route("chatwoot", rf"{ACCOUNT}/{ID}/labels")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    return 200, {"payload": case.tags}


@route("chatwoot", rf"{ACCOUNT}/{ID}/labels", "POST")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    case.tags = asked.body["labels"]
    return 200, {"payload": case.tags}


@route("chatwoot", rf"{ACCOUNT}/{ID}/toggle_status", "POST")
def _(desk: Desk, asked: Asked, case: Case) -> Answer:
    case.status = asked.body["status"]
    return 200, {"payload": {"success": True, "current_status": case.status}}


# --- the server ------------------------------------------------------------------------------------------------------


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    desk: Desk


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        """Whatever is asked, in whatever way."""
        parts = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        is_form = "form" in headers.get("content-type", "")
        body: Any = json.loads(raw) if raw and not is_form else None
        if is_form:
            body = {name: values[0] for name, values in parse_qs(raw.decode()).items()}
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        asked = Asked(self.command, parts.path, query, headers, body)
        desk = self.server.desk
        desk.asked.append(asked)
        plan = desk.plan.pop(0) if desk.plan else "fine"
        if plan == "hang":
            desk.closing.wait(30)
        if plan not in ("hang", "hang up"):
            self._answer(desk, asked, plan)

    def do_POST(self) -> None:
        """The same."""
        self.do_GET()

    def do_PUT(self) -> None:
        """The same."""
        self.do_GET()

    def do_PATCH(self) -> None:
        """The same."""
        self.do_GET()

    def _answer(self, desk: Desk, asked: Asked, plan: Plan) -> None:
        if isinstance(plan, tuple):
            self._say(plan[0], b'{"error": "sorry"}', plan[1])
            return
        if isinstance(plan, int):
            self._say(plan, b'{"error": "sorry"}', {})
            return
        is_grant = desk.kind == "helpscout" and "oauth" in asked.path
        if is_grant or desk.admits(asked.headers):
            status, content = desk.answer(asked)
        else:
            status, content = 401, {"error": "who are you"}
        said = b"" if content is None else json.dumps(content).encode()
        if plan == "garbage":
            said = b"<html>Down for maintenance</html>"
        elif plan == "huge":
            said = b'{"a": "' + b"a" * 5_000_000 + b'"}'
        if plan == "half":
            self._say(status, said[: len(said) // 2], {"content-length": str(len(said))})
        elif plan == "trickle":
            self._say(status, b"", {"content-length": "10000"})
            while not desk.closing.wait(0.1):
                self.wfile.write(b" ")
        elif plan != "lost":
            self._say(status, said, {})

    def _say(self, status: int, said: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"content-length": str(len(said))} | headers).items():
            self.send_header(name, value)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""

    def handle_one_request(self) -> None:
        """A caller that gave up is nothing to report."""
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True


@contextmanager
def standing_in(kind: str, port: int = 0) -> Iterator[Desk]:
    """A helpdesk on a free port of this machine."""
    server = _Server(("127.0.0.1", port), _Handler)
    server.desk = desk = Desk(kind, url=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield desk
    finally:
        desk.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
