"""POST /u/{token}: stopping works at once, however it comes, and only surveys stop. Row P15 of the faults."""

import pytest

from adapters import people, tickets
from builders import A_DAY, AN_HOUR, CUSTOMER, RAVI, TEAM, closed, customer, sample
from domain.follow_up import FollowUp, State
from domain.person import Surveys, person_key
from world import World, refusal

FORM = "application/x-www-form-urlencoded"
ONE_CLICK = "List-Unsubscribe=One-Click"
PARTS = (
    "--frontier\r\n"
    'Content-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
    "One-Click\r\n"
    "--frontier--\r\n"
)


def known(ticket_id: str = "4711") -> FollowUp:
    """The first follow-up of a ticket."""
    found = tickets.load("acme", ticket_id).follow_up(1)
    assert found is not None
    return found


def stop(world: World) -> None:
    """Somebody's mail program posts what the last mail says."""
    link = world.mail.to(CUSTOMER)[-1].preferences
    assert world.http("POST", link, ONE_CLICK, {"content-type": FORM}).status == 200


def expires(world: World) -> bool:
    """Whether the customer will be forgotten."""
    return "expires_at" in world.items[(f"PERSON#{person_key(CUSTOMER)}", "PERSON")]


def test_the_sample_event_is_one_click(world: World) -> None:
    world.asked()
    event = sample("record_preferences")
    event["pathParameters"] = {"token": world.token(world.mail.sent[0].preferences)}
    page = world.answered(world.invoke("record_preferences", event))
    assert page.status == 200
    assert "We will not ask you any more" in page.body
    assert "set-cookie" not in page.headers
    assert people.load(CUSTOMER).surveys is Surveys.NONE


@pytest.mark.parametrize(
    ("body", "content_type", "encoded"),
    [
        (ONE_CLICK, FORM, False),
        (ONE_CLICK, f"{FORM}; charset=UTF-8", False),
        (PARTS, "multipart/form-data; boundary=frontier", False),
        (PARTS, 'Multipart/Form-Data; boundary="frontier"', False),
        ("TGlzdC1VbnN1YnNjcmliZT1PbmUtQ2xpY2s=", FORM, True),
    ],
)
def test_p15_one_click_stops_at_once_and_repeating_it_changes_nothing(
    world: World, body: str, content_type: str, encoded: bool
) -> None:
    world.asked()
    link = world.mail.sent[0].preferences
    headers = {"content-type": content_type}
    assert world.http("POST", link, body, headers, encoded=encoded).status == 200
    assert people.load(CUSTOMER).surveys is Surveys.NONE
    before = world.scan()
    assert world.http("POST", link, body, headers, encoded=encoded).status == 200
    assert world.scan() == before
    assert not expires(world)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"List-Unsubscribe": "Two-Clicks"},
        {"List-Unsubscribe": "One-Click", "surveys": "all"},
        {"surveys": "none"},
        {"surveys": "some", "language": "de"},
        {"surveys": "none", "language": "tlh"},
        {"surveys": "none", "language": ""},
        {"answer": "yes"},
    ],
)
def test_p15_another_body_is_refused(world: World, form: dict[str, str]) -> None:
    world.asked()
    before = world.scan()
    assert world.press(world.mail.sent[0].preferences, **form).status == 400
    assert world.scan() == before


@pytest.mark.parametrize(
    "body",
    [
        "",
        "--frontier",
        "--frontier--",
        PARTS.replace("List-Unsubscribe", "surveys"),
        PARTS.replace('; name="List-Unsubscribe"', ""),
        PARTS.replace("One-Click", "\ud800"),
        '--frontier\r\nContent-Type: multipart/mixed; boundary="frontier"\r\n\r\n' * 150,
        "--frontier\r\n\r\n\r\n" * 900,
    ],
)
def test_p15_parts_that_say_something_else_are_refused(world: World, body: str) -> None:
    world.asked()
    before = world.scan()
    headers = {"content-type": "multipart/form-data; boundary=frontier"}
    assert world.http("POST", world.mail.sent[0].preferences, body, headers).status == 400
    assert world.scan() == before


def test_p15_who_stopped_is_not_asked_any_more_and_everything_else_goes_on(world: World) -> None:
    link = world.asked()
    world.hook(closed("1", world.now))
    stop(world)
    world.hook(closed("2", world.now))
    assert world.press(link, answer="yes").status == 200
    world.wait(15 * A_DAY)
    assert len(world.mail.to(CUSTOMER)) == 1
    assert [mail.subject for mail in world.mail.to(TEAM)] == ["Confirmed as solved: ticket 4711"]
    for ticket_id in ("1", "2"):
        assert (known(ticket_id).state, known(ticket_id).reason) == (State.NOT_ASKED, "opted_out")
        assert tickets.load("acme", ticket_id).flags == {}
        assert known(ticket_id).due_at is None
    assert not [mail for mail in world.mail.to(RAVI) if "ticket" in mail.subject]


def test_p15_an_ask_that_is_out_is_not_repeated_and_its_silence_is_still_seen(world: World) -> None:
    world.asked()
    stop(world)
    world.wait(8 * A_DAY)
    assert len(world.mail.to(CUSTOMER)) == 1
    assert known().state == State.SILENT
    assert tickets.load("acme", "4711").flags[1].reason == "silent"


def test_p15_a_survey_that_waits_in_the_queue_is_not_sent_after_the_stop(world: World) -> None:
    world.asked()
    link = world.mail.sent[0].preferences
    world.wait(8 * A_DAY)
    world.hook(closed("1", world.now))
    world.wait(A_DAY - AN_HOUR / 60)
    world.press(link, surveys="none", language="en")
    world.queue("SendQueue", '{"pk": "TICKET#acme#1", "sk": "FOLLOW_UP#0001", "part": "survey"}')
    world.wait(A_DAY)
    assert not [mail for mail in world.mail.to(CUSTOMER) if "ticket 1 " in mail.subject]
    assert known("1").reason == "opted_out"


def test_ask_me_again_undoes_it(world: World) -> None:
    world.asked()
    stop(world)
    world.hook(closed("1", world.now))
    page = world.press(world.mail.sent[0].preferences, surveys="all", language="en")
    assert page.status == 200
    assert "Saved." in page.body
    world.wait(8 * A_DAY)
    assert [mail.subject for mail in world.mail.to(CUSTOMER)][-1] == "Is ticket 1 really solved?"


def test_only_fixes_means_that_nothing_is_asked_and_it_is_kept(world: World) -> None:
    world.asked()
    world.press(world.mail.sent[0].preferences, surveys="fixes", language="en")
    world.hook(closed("1", world.now))
    world.wait(9 * A_DAY)
    assert known("1").reason == "opted_out"
    assert people.load(CUSTOMER).surveys is Surveys.FIXES


def test_the_language_that_was_chosen_is_that_of_later_mails_and_pages(world: World) -> None:
    world.hook(closed(requester=customer(CUSTOMER, locale="fr")))
    world.wait(A_DAY)
    assert 'lang="fr"' in world.mail.sent[0].html
    page = world.press(world.mail.sent[0].preferences, surveys="all", language="de")
    assert '<html lang="de"' in page.body
    world.wait(8 * A_DAY)
    world.hook(closed("1", world.now, requester=customer(CUSTOMER, locale="fr")))
    world.wait(2 * A_DAY)
    mail = world.mail.to(CUSTOMER)[-1]
    assert 'lang="de"' in mail.html
    assert '<html lang="de"' in world.open(mail.link).body
    assert '<html lang="de"' in world.press(mail.link, answer="yes").body
    assert not expires(world)


def test_a_complaint_cannot_be_undone_here(world: World) -> None:
    world.asked()
    mail = world.mail.sent[0]
    world.mail.report(mail, "Complaint", world.now)
    world.settle()
    page = world.press(mail.preferences, surveys="all", language="en")
    assert "cannot be changed here" in page.body
    world.hook(closed("1", world.now))
    world.wait(9 * A_DAY)
    assert known("1").reason == "suppressed"


def test_p8_a_stop_that_could_not_be_stored_is_not_acknowledged(world: World) -> None:
    world.asked()
    link = world.mail.sent[0].preferences
    world.fail("PutItem", refusal("InternalServerError", 500, "PutItem"), times=9)
    page = world.press(link, surveys="none", language="de")
    assert page.status == 503
    assert 'name="surveys" value="none"' in page.body
    assert people.load(CUSTOMER).surveys is Surveys.ALL
    world.faults.clear()
    world.fail("PutItem", after=True)
    assert world.press(link, surveys="none", language="de").status == 503
    assert world.press(link, surveys="none", language="de").status == 200
    assert people.load(CUSTOMER).surveys is Surveys.NONE
