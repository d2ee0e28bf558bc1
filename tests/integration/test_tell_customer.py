"""A person writes to a customer: one mail for one press, in the customer's language and hours, and only if they may."""

import re
from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest

from adapters import mailer, outbox, people, tickets
from builders import (
    A_DAY,
    A_MINUTE,
    AN_HOUR,
    CUSTOMER,
    RAVI,
    REPLY_DOMAIN,
    START,
    closed,
    customer,
    received,
    reopened,
    settings,
    written,
)
from domain.delivery import Feedback, Progress
from domain.hours import END_OF_DAY
from domain.message import Message
from domain.person import Person, Surveys, prefer, suppress
from domain.settings import Hours
from world import Sent, World

WORDS = "I looked at your account myself.\nYou can sign in again by tomorrow noon."
EVENING = timedelta(hours=9)
"""From ten in the morning, when the survey is answered, to an hour at which no customer gets mail."""


def denied(world: World, **changed: Any) -> str:
    """The link to the flag of a customer who said "no"."""
    world.press(world.asked(**changed), answer="no", words="Still locked out.")
    world.wait(A_MINUTE)
    return next(mail for mail in world.mail.to(RAVI) if "4711" in mail.subject).link


def news(world: World) -> list[Sent]:
    """What the customer got beside the survey."""
    return [mail for mail in world.mail.to(CUSTOMER) if "survey" not in _part(mail)]


def _part(mail: Sent) -> str:
    key = mailer.read_tag(mail.tags["message"])
    assert key is not None
    return key[2]


def message() -> Message:
    """The one message to the customer."""
    (found,) = [m for m in tickets.load("acme", "4711").messages.values() if m.to == "customer"]
    return found


def test_a_person_writes_and_the_customer_gets_exactly_these_words(world: World) -> None:
    link = denied(world)
    page = world.press(link, action="update", words=WORDS)
    assert page.status == 200
    world.settle()
    (mail,) = news(world)
    assert mail.subject == "News about ticket 4711"
    assert "You told us that it is not solved yet. Ravi Menon is looking after it and writes:" in mail.text
    assert "> I looked at your account myself.\n> You can sign in again by tomorrow noon." in mail.text
    assert mail.link == world.survey_link() or world.open(mail.link).status == 200
    assert "Is it really solved?" in world.open(mail.link).body
    shown = world.open(link).body
    assert "You can sign in again by tomorrow noon." in shown
    assert "It was delivered." in shown


def test_it_has_the_headers_of_a_survey_and_one_recipient(world: World) -> None:
    link = denied(world)
    world.press(link, action="update", words=WORDS)
    world.settle()
    (mail,), survey = news(world), world.mail.to(CUSTOMER)[0]
    assert mail.headers.keys() == survey.headers.keys()
    assert mail.headers["Auto-Submitted"] == "auto-generated"
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert world.open(mail.preferences).status == 200
    assert mail.reply_to != survey.reply_to, "a reply to news is no answer to the survey"
    assert (mail.reply_to or "").endswith(f"@{REPLY_DOMAIN}")


@pytest.mark.parametrize(
    "words", ["It works now, thank you very much.", "Yes, Thursday is fine, thanks!", "Ja, passt, danke!"]
)
def test_e7_what_the_customer_replies_reaches_the_person_and_closes_nothing(world: World, words: str) -> None:
    """“Does Thursday suit you?” is another question than whether it is solved."""
    link = denied(world)
    world.press(link, action="update", words=WORDS)
    world.settle()
    (mail,) = news(world)
    world.wait(AN_HOUR)
    text = written(words, In_Reply_To="<x@y>")
    world.receive(text, received(mail.reply_to or "", "mail-1", world.now))
    world.settle()
    assert words in world.open(link).body
    told = world.mail.to(RAVI)[-1]
    assert told.subject == "The customer wrote: ticket 4711"
    assert words in told.text
    assert words in world.open(told.link).body
    known = tickets.load("acme", "4711")
    assert known.flags[1].settled_at is None
    (follow_up,) = known.ticket.follow_ups
    assert [follow_up.state, follow_up.replies[-1].counted] == ["denied", False]


def test_r8_pressed_twice_is_one_mail_and_one_entry_that_says_who_and_when(world: World) -> None:
    link = denied(world)
    form = world.form_id(world.open(link)) or ""
    for _ in range(3):
        assert world.press(link, action="update", words=WORDS, form=form).status == 200
        world.settle()
        world.now += A_MINUTE
    assert len(news(world)) == 1
    assert len(re.findall("Ravi Menon, Tuesday 1 December 2026", world.open(link).body)) == 1
    assert message().about["by"] == "ravi"
    world.press(link, action="update", words=WORDS)
    world.settle()
    assert len(news(world)) == 2


def test_r8_pressed_twice_at_once_is_one_mail(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    link = denied(world)
    form = world.form_id(world.open(link)) or ""
    row, raced = outbox.row, list[bool]()

    def row_after_the_other_press(told: Message) -> object:
        if not raced:
            raced.append(True)
            assert world.press(link, action="update", words=WORDS, form=form).status == 200
        return row(told)

    monkeypatch.setattr(outbox, "row", row_after_the_other_press)
    assert world.press(link, action="update", words=WORDS, form=form).status == 200
    world.settle()
    assert len(news(world)) == 1


def test_in_the_evening_it_waits_for_the_morning_of_the_customers_zone(world: World) -> None:
    link = denied(world)
    world.wait_until(START + A_DAY + EVENING)
    page = world.press(link, action="update", words=WORDS)
    assert "It goes out on Wednesday 2 December 2026, 08:00" in page.body
    world.settle()
    assert news(world) == []
    world.wait_until(START + A_DAY + timedelta(hours=21, minutes=55))
    assert news(world) == []
    world.wait_until(START + A_DAY + timedelta(hours=22, minutes=5))
    assert len(news(world)) == 1


def test_a_public_holiday_of_the_customers_country_is_no_working_day(world: World) -> None:
    link = denied(world, requester=customer(CUSTOMER, timezone="Europe/Madrid"))
    world.wait_until(START + 7 * A_DAY + EVENING)
    world.press(link, action="update", words=WORDS)
    world.wait_until(START + 8 * A_DAY + timedelta(hours=8))
    assert news(world) == [], "the eighth of December is a holiday in Spain"
    world.wait(A_DAY)
    assert len(news(world)) == 1


@pytest.mark.parametrize("chosen", [Surveys.FIXES, Surveys.NONE])
def test_who_wants_no_surveys_still_hears_about_their_own_no(world: World, chosen: Surveys) -> None:
    link = denied(world)
    _change(lambda person: prefer(person, chosen, "de"))
    world.press(link, action="update", words=WORDS)
    world.settle()
    (mail,) = news(world)
    assert mail.subject == "Neues zu Ticket 4711"


@pytest.mark.parametrize("feedback", [Feedback.BOUNCE, Feedback.COMPLAINT])
def test_r8_a_press_cannot_go_round_suppression(world: World, feedback: Feedback) -> None:
    link = denied(world)
    world.wait_until(START + A_DAY + EVENING)
    world.press(link, action="update", words=WORDS)
    _change(lambda person: suppress(person, feedback, world.now))
    world.press(link, action="update", words="And again.")
    world.wait(2 * A_DAY)
    assert news(world) == []
    assert "does not want our mail" in world.open(link).body


def test_a_mail_that_comes_back_suppresses_the_address_and_the_page_says_so(world: World) -> None:
    link = denied(world)
    world.mail.reports[CUSTOMER] = ("Send", "Bounce")
    world.press(link, action="update", words=WORDS)
    world.settle()
    assert people.load(CUSTOMER).suppressed == "bounce"
    assert (held := message().delivery) and held.progress is Progress.BOUNCED
    assert "It could not be delivered." in world.open(link).body


def test_who_said_solved_in_the_meantime_gets_no_old_news(world: World) -> None:
    link = denied(world)
    world.wait_until(START + A_DAY + EVENING)
    world.press(link, action="update", words=WORDS)
    world.now += A_MINUTE
    world.press(world.survey_link(), answer="yes")
    world.wait(2 * A_DAY)
    assert news(world) == []
    assert message().cancelled == "nothing_to_say"


def test_without_an_address_nobody_can_be_written_to(world: World) -> None:
    world.hook(closed(requester=customer(None)))
    world.wait(A_DAY)
    (mail,) = world.mail.to(RAVI)
    assert "Send it to the customer" not in world.open(mail.link).body
    before = world.scan()
    page = world.press(mail.link, action="update", words=WORDS, form="0" * 32)
    assert page.status == 409
    assert world.scan() == before


@pytest.mark.parametrize(
    "form", [{"words": ""}, {"words": WORDS, "form": ""}, {"words": WORDS, "form": "1#x"}]
)
def test_an_incomplete_form_is_said_and_keeps_the_words(world: World, form: dict[str, str]) -> None:
    link = denied(world)
    before = world.scan()
    page = world.press(link, action="update", **form)
    assert page.status == 400
    assert form["words"].partition("\n")[0] in page.body
    assert world.scan() == before


def test_nobody_can_flood_a_customer(world: World) -> None:
    link = denied(world)
    statuses = [world.press(link, action="update", words=f"News {n}").status for n in range(21)]
    assert statuses == [200] * 20 + [409]


def test_a_lost_reply_of_the_provider_never_sends_it_twice(world: World) -> None:
    link = denied(world)
    world.mail.plan = ["timeout after it was accepted"]
    world.press(link, action="update", words=WORDS)
    world.wait(2 * AN_HOUR)
    assert len(news(world)) == 1


def test_a_reopened_ticket_does_not_silence_who_works_on_it(world: World) -> None:
    link = denied(world)
    world.hook(reopened(at=world.now))
    world.press(link, action="update", words=WORDS)
    world.settle()
    assert len(news(world)) == 1


def _change(change: Callable[[Person], Person]) -> None:
    people.save(change(people.load(CUSTOMER)), None)


def test_hours_can_be_all_day(world: World) -> None:
    link = denied(world)
    world.apply(settings(hours=Hours(opens=time(0), closes=END_OF_DAY, weekdays=tuple(range(7)))))
    world.wait_until(START + A_DAY + EVENING)
    world.press(link, action="update", words=WORDS)
    world.settle()
    assert len(news(world)) == 1
