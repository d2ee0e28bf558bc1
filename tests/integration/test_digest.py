"""Digests: each owner's at their own hour, once, with the same figures in mail, page and table (R1, R2, R3, R5)."""

import itertools
import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, time
from html import unescape

import pytest

from adapters import causes, digests, links, outbox, owners, tickets
from builders import (
    A_DAY,
    A_MINUTE,
    AN_HOUR,
    HANNE,
    MIA,
    RAVI,
    START,
    URL,
    closed,
    customer,
    reopened,
    settings,
)
from domain.cause import CauseState, Mark
from domain.message import Message
from domain.settings import Cause, Contact, Schedule, Settings
from world import Sent, World

CODE = "portal-login"
MONDAY = datetime(2026, 12, 7, 7, tzinfo=UTC)
"""The next digest's instant: 08:00 in Berlin."""


def chosen(schedule: Schedule | None, **policy: object) -> Settings:
    """Ravi chose when his digest comes."""
    usual = settings(**policy)
    ravi = replace(usual.contacts["ravi"], digest=schedule)
    return replace(usual, contacts={**usual.contacts, "ravi": ravi})


def digests_of(world: World, address: str = RAVI) -> list[Sent]:
    """The digests that somebody got."""
    return [mail for mail in world.mail.to(address) if mail.subject.startswith("Your root causes")]


def trouble(world: World) -> None:
    """A week with everything in it: solved, not solved, silent, two tickets of one customer."""
    said = {"1": "yes", "2": "no", "3": "no", "4": None, "5": "yes"}
    for ticket_id, answer in said.items():
        who = customer(f"c{int(ticket_id) % 4}@customer.example")
        world.hook(closed(ticket_id, requester=who))
        if answer:
            world.press(world.survey_link(ticket_id), answer=answer, words=f"Words of {ticket_id}.")


def test_a_ticket_that_was_closed_again_for_another_cause_is_no_longer_unsolved_here(world: World) -> None:
    for ticket_id in ("1", "2"):
        world.hook(closed(ticket_id))
        world.press(world.survey_link(ticket_id), answer="no")
    world.wait_until(MONDAY + A_DAY)
    world.hook(reopened("1", world.now))
    world.hook(reopened("2", world.now))
    world.hook(closed("2", world.now + A_MINUTE, root_cause="No show"))
    until = MONDAY + 7 * A_DAY
    (entry,) = digests.read("ravi", [CODE], MONDAY, until, until, settings())
    assert entry.unsolved == 1


def recounted(world: World, since: datetime, until: datetime) -> dict[str, int]:
    """Ravi's figures, counted from the items themselves by the slowest way there is."""
    found = dict.fromkeys(("tickets", "denied", "silent", "confirmed"), 0)
    listed, people = set(), set()
    for code in ("portal-login", "meter-late"):
        for mark in causes.marks(code, since - 60 * A_DAY, until):
            if since <= mark.opened_at < until:
                listed.add((mark.source, mark.ticket_id))
                people.add(mark.person)
            known = tickets.load(mark.source, mark.ticket_id).follow_up(mark.number)
            assert known
            if known.outcome_at and since <= known.outcome_at < until and known.state.value in found:
                found[known.state.value] += 1
    return found | {"tickets": len(listed), "customers": len(people)}


def test_an_owner_gets_the_digest_at_the_hour_they_chose_in_their_zone(world: World) -> None:
    world.apply(chosen(Schedule(weekday=3, at=time(16, 30), time_zone="America/New_York")))
    world.wait(14 * A_DAY)
    assert [mail.at for mail in digests_of(world)] == [
        datetime(2026, 12, 3, 21, 30, tzinfo=UTC),
        datetime(2026, 12, 10, 21, 30, tzinfo=UTC),
    ]
    assert [mail.at for mail in digests_of(world, MIA)] == [MONDAY, MONDAY + 7 * A_DAY]
    assert "Counted on Thursday 3 December 2026, 16:30 EST." in digests_of(world)[0].text


def test_the_hour_stays_when_the_clocks_change(world: World) -> None:
    world.now = datetime(2027, 3, 26, 12, tzinfo=UTC)
    owners.ensure(["ravi", "mia"], world.now + 7 * A_DAY)
    world.apply(chosen(Schedule(every=A_DAY, at=time(8), time_zone="Europe/Berlin")))
    owner = owners.load("ravi")
    assert owner
    assert owner.due_at == datetime(2027, 3, 27, 7, tzinfo=UTC)
    world.wait(2 * A_DAY)
    assert [mail.at.hour for mail in digests_of(world)] == [7, 6]


def test_r1_a_changed_schedule_takes_effect_when_it_is_applied_and_tells_nothing_twice(world: World) -> None:
    trouble(world)
    world.wait_until(MONDAY + AN_HOUR)
    world.apply(chosen(Schedule(every=A_DAY, at=time(12))))
    world.hook(closed("6", world.now))
    world.wait(2 * A_DAY)
    told = [message for message in _messages(world) if message.name.startswith("digest")]
    periods = [(message.about["since"], message.about["until"]) for message in told]
    assert len(periods) == len(digests_of(world)) == 3
    assert all(before[1] == after[0] for before, after in itertools.pairwise(periods))
    assert sum(_figure(mail, r"led to (\d+) tickets?") for mail in digests_of(world)) == 6


def test_r1_one_digest_whatever_comes_twice_and_whoever_dies_between(world: World) -> None:
    trouble(world)
    world.wait_until(MONDAY - A_MINUTE)
    world.fail("TransactWriteItems", times=1, after=True)
    world.wait(AN_HOUR)
    world.failed.clear()
    for message in _messages(world):
        world.queue(
            "SendQueue",
            json.dumps({"pk": message.scope, "sk": outbox.sort_key(message.name), "part": "message"}),
        )
    world.queue("DueQueue", json.dumps({"pk": "OWNER#ravi", "sk": "OWNER"}))
    world.wait(AN_HOUR)
    assert len(digests_of(world)) == 1


def test_r1_a_cause_that_changes_hands_midway_is_told_to_whom_it_belongs_when_the_mail_is_made(
    world: World,
) -> None:
    trouble(world)
    world.wait_until(MONDAY - A_MINUTE)
    world.mail.plan = ["throttled"] * 2
    world.wait_until(MONDAY)
    usual = settings()
    world.apply(
        replace(usual, causes={code: replace(known, owner="mia") for code, known in usual.causes.items()})
    )
    world.wait(AN_HOUR)
    assert digests_of(world) == []
    assert {message.cancelled for message in _messages(world) if message.name.startswith("digest")} == {
        "nothing_to_say"
    }
    (mias,) = digests_of(world, MIA)
    assert "led to 5 tickets" in mias.text


def test_r2_a_week_without_anything_is_two_sentences_or_nothing(world: World) -> None:
    world.wait_until(MONDAY + AN_HOUR)
    (mail,) = digests_of(world)
    assert "There is nothing for you to do." in mail.text
    assert "/c/" not in mail.text
    world.apply(settings(digest_when_empty=False))
    world.wait(7 * A_DAY)
    assert len(digests_of(world)) == 1


def test_r2_an_owner_whose_mail_cannot_be_delivered_keeps_nobody_else_from_theirs(world: World) -> None:
    world.mail.reports[MIA] = ("Send", "Bounce")
    world.wait_until(MONDAY + 8 * A_DAY)
    assert (len(digests_of(world, MIA)), len(digests_of(world))) == (1, 2)
    assert digests_of(world, HANNE) == []


def test_r3_mail_page_and_table_have_the_same_figures_as_of_the_same_instant(world: World) -> None:
    trouble(world)
    world.hook(closed("7", root_cause="cause_meter_late", requester=customer("z@customer.example")))
    world.wait_until(MONDAY)
    (mail,) = digests_of(world)
    page = world.open(mail.link)
    wanted = recounted(world, MONDAY - 7 * A_DAY, MONDAY)
    assert (wanted["tickets"], wanted["denied"], wanted["confirmed"]) == (6, 2, 2)
    text = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page.body)))
    assert "as of Monday 7 December 2026, 08:00 CET" in text
    assert "Counted on Monday 7 December 2026, 08:00 CET." in mail.text
    lines = re.findall(r"(\d+) tickets? from (\d+) customers?", mail.text)
    shown = re.findall(
        r"(\d+) tickets? from (\d+) customers?: (\d+) not solved, (\d+) without an answer, (\d+) confirmed",
        text,
    )
    assert sorted(lines) == sorted((tickets, people) for tickets, people, *_ in shown)
    sums = [sum(int(line[n]) for line in shown) for n in range(5)]
    assert sums == [wanted[name] for name in ("tickets", "customers", "denied", "silent", "confirmed")]
    assert f"led to {wanted['tickets']} tickets" in mail.text
    said = f"{wanted['denied']} not solved, {wanted['silent']} without an answer, {wanted['confirmed']} confirmed"
    assert said in mail.text


def test_r5_markup_in_what_customers_wrote_is_shown_as_text(world: World) -> None:
    script = "<script>alert(1)</script> https://evil.example <img src=x onerror=alert(1)>"
    world.hook(closed("1", subject=script))
    world.press(world.survey_link("1"), answer="no", words=script)
    world.wait_until(MONDAY)
    (mail,) = digests_of(world)
    page = world.open(mail.link)
    for shown in (mail.html, page.body):
        assert "<script" not in shown
        assert "<img" not in shown
        assert "&lt;script&gt;" in shown
    assert "evil.example" not in mail.text


def test_a_date_that_passed_and_a_notice_that_nobody_acknowledged_wait_for_the_owner(world: World) -> None:
    trouble(world)
    world.settle()
    causes.save(CauseState(code="meter-late", acknowledged_at=START, committed_to=date(2026, 12, 4)))
    world.wait_until(MONDAY)
    (mail,) = digests_of(world)
    assert mail.subject.endswith(": 2 wait for you")
    waits = mail.text.partition("What waits for you")[2].partition("Open your root causes")[0]
    assert waits.index("The meter reading came too late") < waits.index("Customers could not sign in")
    assert "To be fixed by Friday 4 December 2026. That day has passed" in waits


def test_the_link_of_a_digest_opens_all_that_its_owner_has_now_and_lets_them_acknowledge(
    world: World,
) -> None:
    trouble(world)
    world.wait_until(MONDAY)
    (mail,) = digests_of(world)
    assert len(world.token(mail.link)) < links.LONGEST_TOKEN
    pressed = world.press(mail.link, action="acknowledge", cause=CODE, committed_to="2026-12-18")
    assert pressed.status == 200
    assert causes.load(CODE).committed_to == date(2026, 12, 18)
    assert world.press(mail.link, action="acknowledge", cause="no-show").status == 400


def test_a_cause_tells_what_those_under_it_came_to_whoever_owns_them(world: World) -> None:
    usual = settings()
    below = replace(usual.causes["no-show"], parent="meter-late")
    world.apply(replace(usual, causes={**usual.causes, "no-show": below}))
    for number, name in enumerate(("cause_meter_late", "No show", "No show")):
        who = customer(f"c{number // 2}@customer.example")
        world.hook(closed(str(number), root_cause=name, requester=who))
    world.wait_until(MONDAY)
    (mail,) = digests_of(world)
    assert "1 ticket from 1 customer." in mail.text
    assert "With the causes under it: 3 tickets from 2 customers." in mail.text
    (mias,) = digests_of(world, MIA)
    assert "under it" not in mias.text


def test_a_link_whose_period_was_changed_opens_nothing(world: World) -> None:
    link = links.causes_url(URL, links.CausesLink("ravi", period=(START, MONDAY)), world.now, world.now)
    forged = world.token(link)[:-2] + "xx"
    assert world.open(link).status == 200
    assert world.open(f"{URL}/c/{forged}").status == 404


@pytest.mark.parametrize("count", [1, 20, 500])
def test_r2_an_owner_of_hundreds_of_causes_gets_a_mail_that_can_be_read(world: World, count: int) -> None:
    codes = [f"cause-{number:03}" for number in range(count)]
    usual = settings()
    world.apply(
        replace(
            usual,
            contacts={**usual.contacts, "olga": Contact(name="Olga", email="olga@acme.example")},
            causes={
                **usual.causes,
                **{code: Cause(name=f"Cause {code}", owner="olga", values=()) for code in codes},
            },
        )
    )
    for number, code in enumerate(codes):
        _mark(code, f"t{number}", START + A_DAY)
    world.calls.clear()
    world.wait_until(MONDAY)
    (mail,) = digests_of(world, "olga@acme.example")
    assert f"led to {count} ticket" in mail.text
    assert len(mail.html.encode()) < 100_000
    if count > 8:
        assert f"{count - 8} more root causes: {count - 8} tickets" in mail.text
    page = world.open(mail.link)
    assert page.status == 200
    assert page.body.count("<form") == min(count, 10)
    assert len(re.findall(r'/c/[^"]+/cause-\d+"', page.body)) == count
    assert world.calls["send_message", "Query"] <= count + 20
    # Three owners get a digest, and each reads whose the causes are, a hundred states at a time.
    assert world.calls["send_message", "BatchGetItem"] <= count // 25 + 3 * (count // 100 + 1) + 5


def _mark(code: str, ticket_id: str, at: datetime) -> None:
    causes.add_mark(
        Mark(cause=code, source="acme", ticket_id=ticket_id, number=1, opened_at=at, person=ticket_id)
    )


def _messages(world: World) -> list[Message]:
    keys = sorted(key for key in world.items if key[0] == "OWNER#ravi" and key[1].startswith("MESSAGE#"))
    found = [outbox.load(pk, sk.removeprefix("MESSAGE#")) for pk, sk in keys]
    return [known for known in found if known]


def _figure(mail: Sent, pattern: str) -> int:
    found = re.search(pattern, mail.text)
    return int(found[1]) if found else 0
