"""How helpdesks are asked and told, from data: what a description may say, and that nothing it is given breaks out."""

import copy
import json
import tomllib
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.closure import Closure
from helpdesks import calls
from helpdesks.calls import BadCalls, Calls, Step, Unexpected

NAMES = sorted(file.stem for file in calls.APIS.glob("*.toml"))
SINCE, UNTIL = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
BASE = "https://acme.helpdesk.example"
HINT = Closure(
    source="own",
    ticket_id="7",
    closed_at=SINCE,
    kind="solved",
    subject="Meter",
    team="12",
    needs_details=True,
)
OWN: dict[str, Any] = {
    "auth": {"kind": "bearer"},
    "fetch": [{"name": "ticket", "path": "/tickets/{ticket_id}"}],
    "details": {"status": "ticket.state", "open": ["Open"], "requester_email": "ticket.mail"},
    "closed_since": {
        "path": "/tickets",
        "query": {"since": "{since}", "cursor": "{cursor}"},
        "items": "answer.found",
        "ticket_id": "item.id",
        "closed_at": "item.at",
        "next_kind": "cursor",
        "next": "answer.next",
    },
    "write_back": [
        {"name": "notes", "path": "/tickets/{ticket_id}/notes", "reads": True},
        {
            "name": "note",
            "method": "POST",
            "path": "/tickets/{ticket_id}/notes",
            "body": {"text": "{note}", "nested": [{"id": "{ticket_id}"}]},
            "seen": "notes",
            "seen_in": "notes[].text",
        },
    ],
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)


def own(**changed: Any) -> Calls:
    """A description of somebody's own helpdesk, some of its tables changed; None takes one away."""
    tables = {name: value for name, value in (copy.deepcopy(OWN) | changed).items() if value is not None}
    return calls.load("own", tables)


# --- descriptions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_each_description_can_be_loaded_and_says_everything(name: str) -> None:
    described = calls.calls(name)
    assert described.fetch
    assert described.details
    assert {"requester_email", "subject", "team", "cause"} <= set(described.details.fields)
    assert described.details.open
    assert described.closed_since
    names = [write.step.name for write in described.write_back]
    assert {"note", "reopen"} <= set(names)
    assert names.index("reopen") < names.index("note"), (
        "a note on an open ticket is no update of a solved one"
    )
    for write in described.write_back:
        assert write.reads == (write.step.method == "GET")
        assert write.reopens == (write.step.name in {"reopen", "follow_up", "issue", "transitions"})
        if write.reopens:
            assert write.outcomes == {"denied"}


def test_there_are_the_eight_that_are_written_back_to() -> None:
    assert NAMES == ["chatwoot", "freshdesk", "helpscout", "hubspot", "intercom", "jira", "zammad", "zendesk"]


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"auth": None}, "auth is missing"),
        ({"auth": {"kind": "digest"}}, "auth.kind is not one of"),
        ({"auth": {"kind": "bearer", "hedaers": {}}}, "auth.hedaers is not a known key"),
        ({"fetsch": []}, "fetsch is not a known key"),
        ({"fetch": None}, "details and fetch need each other"),
        ({"fetch": [{"name": "t", "path": "tickets"}]}, "path is not a path"),
        ({"fetch": [{"name": "t", "path": "//evil.example/x"}]}, "path is not a path"),
        ({"fetch": [{"name": "t", "path": "/a/../b"}]}, "path is not a path"),
        ({"fetch": [{"name": "t", "path": "/a?b=c"}]}, "path is not a path"),
        ({"fetch": [{"name": "T 1", "path": "/a"}]}, "name is not a name"),
        ({"fetch": [{"name": "t", "path": "/a", "method": "DELETE"}]}, "method is not one of"),
        ({"fetch": [{"name": "t", "path": "/a", "with": {"id": "a.["}}]}, "with.id is not a JMESPath"),
        ({"details": {"requester_email": "a.{field}"}}, "is not a JMESPath"),
        ({"details": {"requester_mail": "a"}}, "requester_mail is not a known key"),
        ({"write_back": [{"name": "n", "path": "/a", "seen": "nobody"}]}, "has no request 'nobody'"),
        ({"write_back": "no"}, "write_back is not a list of tables"),
    ],
)
def test_a_mistake_in_a_description_is_told_with_its_place(changed: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadCalls, match="own: ") as refused:
        own(**changed)
    assert complaint in str(refused.value)


@pytest.mark.parametrize("name", ["../presets/zendesk", "nobody", "", "Zendesk"])
def test_a_name_leads_nowhere_else(name: str) -> None:
    with pytest.raises(BadCalls):
        calls.calls(name)


@given(ANYTHING)
def test_whatever_is_called_a_description_is_one_or_is_refused(content: Any) -> None:
    if isinstance(content, dict):
        with pytest.raises(BadCalls):
            calls.load("own", content)


# --- requests --------------------------------------------------------------------------------------------------------


@given(st.text(min_size=1), st.text(min_size=1))
def test_no_value_breaks_out_of_its_place(ticket_id: str, note: str) -> None:
    try:
        ticket_id.encode()
        note.encode()
    except UnicodeEncodeError:
        return  # no closure has such a text
    described = own()
    known = calls.known_of(ticket_id, BASE, {}) | {"note": note, "since": note, "cursor": note}
    request = described.write_back[1].step.request(known)
    if ticket_id in {".", ".."}:
        assert request is None, "it would lead to another place"
        return
    assert request
    head, found, tail = request.path.removeprefix("/tickets/").rpartition("/notes")
    assert (found, tail, unquote(head)) == ("/notes", "", ticket_id)
    assert "/" not in head
    assert "?" not in head
    assert request.body
    assert json.loads(request.body) == {"text": note, "nested": [{"id": ticket_id}]}
    assert described.closed_since
    listing = described.closed_since.step.request(known)
    assert listing
    assert parse_qs(urlsplit(listing.path).query, keep_blank_values=True)["since"] == [note]


def test_a_place_that_is_all_there_is_keeps_what_it_holds() -> None:
    step = Step(
        name="tag",
        method="PUT",
        path="/t",
        body={"tags": "{tags}", "id": "{n}", "text": "n{n}"},
        uses={"n": "a.n"},
    )
    request = step.request({"tags": ["a", "b"], "a": {"n": 5}})
    assert request
    assert json.loads(request.body or b"") == {"tags": ["a", "b"], "id": 5, "text": "n5"}


@pytest.mark.parametrize("nothing", [None, "", False])
def test_a_request_with_a_place_that_nothing_fills_is_left_out(nothing: Any) -> None:
    step = Step(name="user", method="GET", path="/users/{id}", uses={"id": "ticket.requester"})
    assert step.request({"ticket": {"requester": nothing}}) is None
    assert step.request({}) is None
    assert step.request({"ticket": {"requester": 0}}) is not None


@given(st.text(max_size=40))
def test_no_value_of_the_settings_becomes_part_of_an_expression(value: str) -> None:
    answer = {"fields": [{"id": 1, "value": "secret"}, {"id": value, "value": "own"}], "other": "secret"}
    for expression in (
        "answer.fields[?to_string(id)=='{field}'].value | [0]",
        'answer."{field}"',
        "answer.fields[?id=='{field}'] | [0].value",
    ):
        found = calls.find(expression, {"answer": answer, "values": {"field": value}})
        allowed = {None, "own"} | ({"secret"} if value in {"1", "other"} else set())
        assert not isinstance(found, str) or found in allowed


# --- answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@given(answers=st.lists(ANYTHING, min_size=6, max_size=6))
def test_whatever_a_helpdesk_answers_gives_a_closure_or_an_error_of_ours(
    name: str, answers: list[Any]
) -> None:
    described = calls.calls(name)
    known = calls.known_of("7", BASE, {}) | {
        step.name: answer for step, answer in zip(described.fetch, answers, strict=False)
    }
    assert isinstance(calls.is_open(described, known, {}), bool)
    whole = calls.complete(described, known, HINT)
    assert (whole.ticket_id, whole.closed_at, whole.kind) == ("7", SINCE, "solved")
    assert whole.subject is not None
    listing = described.closed_since
    assert listing
    try:
        page = calls.read_page(listing, answers[0], SINCE, UNTIL, None, BASE, {})
    except Unexpected:
        return
    for listed in page.tickets:
        assert SINCE <= listed.closed_at <= UNTIL


def test_what_an_answer_leaves_out_stays_as_the_report_had_it() -> None:
    known = calls.known_of("7", BASE, {}) | {"ticket": {"state": "Solved", "mail": "ana@customer.example"}}
    whole = calls.complete(own(), known, HINT)
    assert (whole.subject, whole.team, whole.requester_email) == ("Meter", "12", "ana@customer.example")
    assert not whole.needs_details


@pytest.mark.parametrize(
    ("status", "open_"), [("open", True), (" OPEN ", True), ("closed", False), (None, False), (5, False)]
)
def test_only_a_status_that_is_known_to_be_open_is(status: Any, open_: bool) -> None:
    assert calls.is_open(own(), {"ticket": {"state": status}}, {}) is open_


@pytest.mark.parametrize(
    ("meaning", "status", "open_"),
    [
        ("reopened", "Waiting for parts", True),
        ("solved", "open", False),
        ("closed", "open", False),
        ("ignored", "open", True),
        ("ignored", "Waiting for parts", False),
    ],
)
def test_what_the_settings_say_about_a_status_wins(meaning: str, status: str, open_: bool) -> None:
    answered = {"ticket": {"state": f" {status.upper()} "}}
    assert calls.is_open(own(), answered, {status: meaning}) is open_


@pytest.mark.parametrize(
    ("state", "statuses", "open_"),
    [
        ("OPEN", {}, True),
        ("OPEN", {"1032": "solved"}, False),
        ("CLOSED", {"1032": "reopened"}, True),
        ("OPEN", {"1033": "solved"}, True),
        ("OPEN", {"1032": "ignored"}, True),
        ("OPEN", {"open": "closed"}, False),
    ],
)
def test_the_settings_name_a_stage_of_hubspot_as_its_webhook_does(
    state: str, statuses: dict[str, str], open_: bool
) -> None:
    ticket = {"properties": {"hs_pipeline_stage": "1032"}}
    known = {"ticket": ticket, "stage": {"metadata": {"ticketState": state}}}
    assert calls.is_open(calls.calls("hubspot"), known, statuses) is open_


@pytest.mark.parametrize(
    ("began", "address"),
    [("user", "ana@customer.example"), ("lead", "ana@customer.example"), ("admin", None), ("bot", None)],
)
def test_whoever_began_an_intercom_conversation_is_asked_only_as_a_customer(
    began: str, address: str | None
) -> None:
    author = {"type": began, "name": "Ana", "email": "ana@customer.example"}
    known = {"conversation": {"state": "closed", "source": {"author": author}}, "contact": {"id": "c1"}}
    told = calls.complete(calls.calls("intercom"), known, HINT)
    assert (told.requester_email, told.requester_name) == (address, address and "Ana")


@pytest.mark.parametrize(
    ("value", "locale"), [("de_DE", "de-DE"), ("pt-BR", "pt-BR"), ("Deutsch (Du)", None), ("../etc", None)]
)
def test_a_language_is_a_tag_or_nothing(value: str, locale: str | None) -> None:
    described = own(details={"requester_email": "ticket.mail", "locale": "ticket.locale"})
    assert calls.complete(described, {"ticket": {"locale": value}}, HINT).locale == locale


def test_contributors_are_people_with_a_part() -> None:
    described = own(details={"requester_email": "ticket.mail", "contributors": "ticket.helpers"})
    helpers = ["Kim Ren", {"name": "Noor", "part": "brought the meter"}, 7, None, {"team": "Billing"}]
    told = calls.complete(described, {"ticket": {"helpers": helpers}}, HINT).contributors
    assert [(one.name, one.team, one.part) for one in told] == [
        ("Kim Ren", None, None),
        ("Noor", None, "brought the meter"),
        (None, "Billing", None),
    ]


# --- lists -----------------------------------------------------------------------------------------------------------


def listed(**changed: Any) -> Any:
    """The list of a description, some of it changed."""
    listing = own(closed_since=OWN["closed_since"] | changed).closed_since
    assert listing
    return listing


def page(listing: Any, answer: Any, place: str | None = None) -> calls.Page:
    """One answer, read."""
    return calls.read_page(listing, answer, SINCE, UNTIL, place, BASE, {})


def test_the_first_page_has_no_cursor_and_the_next_has() -> None:
    listing = listed()
    assert "cursor" not in calls.page_request(listing, SINCE, UNTIL, None, {}).path
    assert "cursor=a%26b" in calls.page_request(listing, SINCE, UNTIL, "a&b", {}).path


def test_a_list_whose_settings_are_missing_says_so() -> None:
    listing = listed(path="/accounts/{account_id}/tickets")
    with pytest.raises(Unexpected):
        calls.page_request(listing, SINCE, UNTIL, None, calls.known_of("", BASE, {}))


@pytest.mark.parametrize(
    "after",
    [
        "https://evil.example/next",
        "http://acme.helpdesk.example/next",
        "https://acme.helpdesk.example.evil.example/next",
        "https://acme.helpdesk.example:8443/next",
        "https://acme.helpdesk.example:x/next",
        "https://acme.helpdesk.example@evil.example/next",
        "//evil.example/next",
        "next",
        "javascript:alert(1)",
    ],
)
def test_a_next_page_stays_on_the_configured_host(after: str) -> None:
    listing = listed(next_kind="url")
    with pytest.raises(Unexpected):
        page(listing, {"found": [], "next": after})


@pytest.mark.parametrize(
    "after",
    [
        f"{BASE}/next?a=b",
        "/next?a=b",
        "https://ACME.helpdesk.example/next?a=b",
        "https://acme.helpdesk.example:443/next?a=b",
    ],
)
def test_a_next_page_of_the_same_host_is_its_path(after: str) -> None:
    assert page(listed(next_kind="url"), {"found": [], "next": after}).next == "/next?a=b"


def test_a_next_page_below_the_path_of_the_base_is_not_below_it_twice() -> None:
    listing, base = listed(next_kind="url"), f"{BASE}/zammad"
    answer = {"found": [], "next": f"{base}/next?a=b"}
    assert calls.read_page(listing, answer, SINCE, UNTIL, None, base, {}).next == "/next?a=b"
    with pytest.raises(Unexpected):
        calls.read_page(listing, {"found": [], "next": f"{BASE}/other"}, SINCE, UNTIL, None, base, {})


@pytest.mark.parametrize("ticket_id", [".", ".."])
def test_an_id_that_would_lead_elsewhere_is_not_asked_for(ticket_id: str) -> None:
    assert own().fetch[0].request(calls.known_of(ticket_id, BASE, {})) is None


def test_a_cursor_that_does_not_move_is_the_end() -> None:
    assert page(listed(), {"found": [], "next": "same"}, "same").next is None
    assert page(listed(), {"found": [], "next": "other"}, "same").next == "other"


def test_what_lies_outside_the_span_is_not_listed_and_newest_first_ends_there() -> None:
    found = [
        {"id": 1, "at": (UNTIL + timedelta(hours=1)).isoformat()},
        {"id": 2, "at": UNTIL.isoformat()},
        {"id": 3, "at": SINCE.isoformat()},
        {"id": 4, "at": (SINCE - timedelta(hours=1)).isoformat()},
        {"id": 5, "at": "yesterday"},
        {"at": SINCE.isoformat()},
        "nonsense",
    ]
    told = page(listed(), {"found": found, "next": "more"})
    assert [one.ticket_id for one in told.tickets] == ["2", "3"]
    assert (told.unreadable, told.next) == (3, "more")
    assert page(listed(newest_first=True), {"found": found, "next": "more"}).next is None


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        (
            "zendesk",
            {
                "tickets": [
                    {"id": 1, "status": "closed", "tags": ["closed_by_merge"]},
                    {"id": 2, "status": "solved"},
                ]
            },
        ),
        ("zammad", [{"id": 1, "state": "merged"}, {"id": 2, "state": "closed"}]),
    ],
)
def test_merged_tickets_are_not_listed(name: str, answer: Any) -> None:
    listing = calls.calls(name).closed_since
    assert listing
    at = SINCE.isoformat()
    for item in answer["tickets"] if name == "zendesk" else answer:
        item |= {"metric_set": {"solved_at": at}, "last_close_at": at}
    assert [one.ticket_id for one in page(listing, answer).tickets] == ["2"]


@pytest.mark.parametrize(
    ("changed", "closed_at"),
    [((SINCE + timedelta(hours=5)).isoformat(), SINCE + timedelta(hours=5)), (None, SINCE)],
)
def test_jira_lists_a_second_closing_of_an_issue_that_kept_its_resolution(
    changed: str | None, closed_at: datetime
) -> None:
    listing = calls.calls("jira").closed_since
    fields = {"resolutiondate": SINCE.isoformat(), "statuscategorychangedate": changed}
    assert listing
    (one,) = page(listing, {"issues": [{"key": "SUP-1", "fields": fields}]}).tickets
    assert one.closed_at == closed_at


@pytest.mark.parametrize(("category", "moves"), [("done", True), ("indeterminate", False), (None, False)])
def test_jira_moves_an_issue_back_only_from_done(category: str | None, moves: bool) -> None:
    (step,) = [w.step for w in calls.calls("jira").write_back if w.step.name == "reopen"]
    transitions = [
        {"id": str(n), "to": {"statusCategory": {"key": key}}} for n, key in enumerate(("done", "new"))
    ]
    issue = {"fields": {"status": {"statusCategory": {"key": category}}}}
    known = {"ticket_id": "SUP-1", "issue": issue, "transitions": {"transitions": transitions}}
    request = step.request(known)
    assert (request is not None) is moves
    if request:
        assert json.loads(request.body or b"") == {"transition": {"id": "1"}}


@pytest.mark.parametrize(
    ("name", "read"), [("chatwoot", "labels"), ("freshdesk", "ticket"), ("helpscout", "conversation")]
)
def test_tags_that_could_not_be_read_are_not_replaced(name: str, read: str) -> None:
    (step,) = [w.step for w in calls.calls(name).write_back if w.step.name == "tag"]
    there = {"tag": "ours", "ticket_id": "1", "account_id": "1"}
    assert step.request(there | {read: None}) is None
    assert step.request(there | {read: {"tags": []}}) is not None


def test_the_last_day_of_a_list_by_days_is_whole_wherever_its_clock_stands() -> None:
    listing = listed(query={"until": "{until_day}"})
    asked = parse_qs(urlsplit(calls.page_request(listing, SINCE, UNTIL, None, {}).path).query)["until"]
    assert asked == [(UNTIL + timedelta(days=2)).strftime("%Y-%m-%d")]


def test_a_list_that_is_none_or_absurdly_long_is_unexpected() -> None:
    absurd: list[Any] = [{}, {"found": "no"}, {"found": [{}] * 1001}, None, 5]
    for answer in absurd:
        with pytest.raises(Unexpected):
            page(listed(), answer)


def test_what_is_not_exact_is_degraded() -> None:
    listing = listed(exact=False)
    (one,) = page(listing, {"found": [{"id": 1, "at": SINCE.isoformat()}]}).tickets
    hint = calls.hint_of(listing, one, "own")
    assert (hint.degraded, hint.needs_details) == (True, True)
    assert not calls.hint_of(listed(), one, "own").degraded


def test_a_description_may_come_from_anywhere() -> None:
    """As a table of a settings file would be: the same content, whoever read it."""
    text = (calls.APIS / "zendesk.toml").read_text("utf-8")
    assert calls.load("zendesk", tomllib.loads(text)) == calls.calls("zendesk")
