"""GET and HEAD /u/{token}: what a customer chose, shown to whoever opens it and changed by nobody."""

import re

from adapters import people, tickets
from builders import A_DAY, CUSTOMER, closed, customer, sample
from domain.delivery import Feedback
from domain.person import Surveys, person_key, prefer, suppress
from world import World


def chosen(body: str) -> tuple[list[str], list[str]]:
    """Which mails and which language are selected in the form."""
    mails = re.findall(r'name="surveys" value="(\w+)" required checked', body)
    return mails, re.findall(r'<option value="([\w-]+)" lang="[\w-]+" selected', body)


def test_the_sample_event_shows_what_the_link_in_the_mail_proposes(world: World) -> None:
    world.asked()
    event = sample("show_preferences")
    event["pathParameters"] = {"token": world.token(world.mail.sent[0].preferences)}
    page = world.answered(world.invoke("show_preferences", event))
    assert page.status == 200
    assert chosen(page.body) == (["none"], ["en"])
    assert people.load(CUSTOMER).surveys is Surveys.ALL


def test_the_page_shows_what_was_chosen_in_the_language_that_was_chosen(world: World) -> None:
    world.hook(closed(requester=customer(CUSTOMER, locale="pt-BR")))
    world.wait(A_DAY)
    link = world.mail.sent[0].preferences
    page = world.open(link)
    assert chosen(page.body) == (["all"], ["pt-BR"])
    assert '<html lang="pt-BR"' in page.body
    people.save(prefer(people.load(CUSTOMER), Surveys.FIXES, "ar"), None)
    page = world.open(f"{link}?surveys=everything")
    assert chosen(page.body) == (["fixes"], ["ar"])
    assert '<html lang="ar" dir="rtl"' in page.body


def test_p15_a_scanner_that_opens_stops_nothing(world: World) -> None:
    world.asked()
    link = world.mail.sent[0].preferences
    before = world.scan()
    for method in ("GET", "HEAD"):
        for query in ("", "?surveys=none", "?List-Unsubscribe=One-Click"):
            assert world.http(method, link + query).status == 200
    world.settle()
    assert world.scan() == before


def test_p4_a_link_names_nobody_opens_nothing_else_and_ends(world: World) -> None:
    survey = world.asked(requester=customer(CUSTOMER, locale="x" * 200))
    link = world.mail.sent[0].preferences
    token = world.token(link)
    for other in (f"/u/{world.token(survey)}", f"/s/{token}", f"/f/{token}", f"/u/{token[:-9]}"):
        assert world.open(other).status == 404
    assert world.open(link).status == 200
    world.now += 401 * A_DAY
    assert world.open(link).status == 404


def test_whose_address_is_suppressed_reads_that_no_choice_changes_it(world: World) -> None:
    world.asked()
    link = world.mail.sent[0].preferences
    assert "cannot be changed here" not in world.open(link).body
    people.save(suppress(people.load(CUSTOMER), Feedback.COMPLAINT, world.now), None)
    assert "cannot be changed here" in world.open(link).body


def test_the_page_works_for_somebody_of_whom_nothing_is_kept_any_more(world: World) -> None:
    world.hook(closed())
    world.wait(A_DAY)
    link = world.mail.to(CUSTOMER)[0].preferences
    del world.items[(f"PERSON#{person_key(CUSTOMER)}", "PERSON")]
    assert world.open(link).status == 200
    assert tickets.load("acme", "4711").follow_up(1) is not None
