"""The queue of due records: each step is taken once, at its time, and only when the state still asks for it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adapters import causes, tickets
from builders import (
    A_DAY,
    A_MINUTE,
    AN_HOUR,
    CUSTOMER,
    HANNE,
    MIA,
    RAVI,
    START,
    TEAM,
    closed,
    customer,
    records,
    reopened,
    sample,
    settings,
)
from domain.follow_up import State
from domain.person import person_key
from world import World

KEY = json.dumps({"pk": "TICKET#acme#4711", "sk": "FOLLOW_UP#0001"})


def test_the_sample_event_queues_the_survey_that_is_due(world: World) -> None:
    world.hook(closed())
    world.settle()
    world.now = START + A_DAY
    assert world.invoke("take_next_step", sample("take_next_step")) == {"batchItemFailures": []}
    (queued,) = world.queues["SendQueue"]
    assert json.loads(queued.body) == {"pk": "TICKET#acme#4711", "sk": "FOLLOW_UP#0001", "part": "survey"}


def test_c2_a_key_that_comes_twice_is_taken_once(world: World) -> None:
    world.hook(closed())
    world.settle()
    world.now = START + A_DAY
    world.invoke("take_next_step", records("take_next_step", [KEY, KEY, KEY]))
    world.settle()
    world.invoke("take_next_step", records("take_next_step", [KEY]))
    world.settle()
    assert len(world.mail.to(CUSTOMER)) == 1


def test_c2_a_key_that_comes_early_changes_nothing(world: World) -> None:
    world.hook(closed())
    world.settle()
    before = world.scan()
    world.now = START + A_DAY - AN_HOUR
    world.invoke("take_next_step", records("take_next_step", [KEY]))
    world.settle()
    assert world.scan() == before
    assert world.mail.sent == []
    world.now = START + A_DAY - timedelta(milliseconds=10)
    world.invoke("take_next_step", records("take_next_step", [KEY]))
    (queued,) = world.queues["DueQueue"]
    assert queued.ready_at >= START + A_DAY


def test_c2_a_key_of_nothing_is_harmless_and_one_of_an_unknown_kind_is_not_lost(world: World) -> None:
    gone = [{"pk": "TICKET#acme#9", "sk": sk} for sk in ("FOLLOW_UP#0001", "FLAG#0001", "MESSAGE#0001#note")]
    gone += [{"pk": "CAUSE#nothing", "sk": "STATE"}, {"pk": "OWNER#nobody", "sk": "OWNER"}]
    bodies = [*(json.dumps(key) for key in gone), json.dumps({"pk": "PERSON#1", "sk": "PERSON"})]
    result = world.invoke("take_next_step", records("take_next_step", bodies))
    assert result == {"batchItemFailures": [{"itemIdentifier": "5"}]}


def test_c7_a_ticket_reopened_while_its_mail_is_queued_is_not_mailed(world: World) -> None:
    world.hook(closed())
    world.settle()
    world.now = START + A_DAY
    world.invoke("take_next_step", records("take_next_step", [KEY]))
    world.hook(reopened(at=world.now))
    world.settle()
    assert world.mail.sent == []


def test_silence_is_reminded_once_with_the_same_link_and_then_flagged(world: World) -> None:
    link = world.asked()
    world.wait(7 * A_DAY + A_MINUTE)
    survey, reminder = world.mail.to(CUSTOMER)
    assert reminder.subject == "Reminder: is ticket 4711 really solved?"
    assert reminder.link == link
    assert timedelta(days=3) <= reminder.at - survey.at <= timedelta(days=3, minutes=15)
    known = tickets.load("acme", "4711").follow_up(1)
    assert known is not None
    assert known.state == State.SILENT
    assert known.outcome_at == survey.at + 7 * A_DAY
    (flag,) = world.mail.to(RAVI)[-1:]
    assert flag.subject == "No answer: ticket 4711"
    assert world.mail.to("portal.team@acme.example") == []


def test_a_customer_who_answers_is_not_reminded(world: World) -> None:
    world.press(world.asked(), answer="yes")
    world.wait(12 * A_DAY)
    assert len(world.mail.to(CUSTOMER)) == 1


def test_an_unacknowledged_flag_goes_up_then_to_the_responsible_contact_and_once_more_to_them(
    world: World,
) -> None:
    world.press(world.asked(), answer="no", words="No.")
    world.wait(A_MINUTE)
    raised_at = world.now - A_MINUTE
    world.wait(20 * A_DAY)
    told = [mail for mail in world.mail.sent if mail.subject.endswith("ticket 4711") and mail.at >= raised_at]
    assert [(mail.to, mail.at - raised_at) for mail in told] == [
        (RAVI, 0 * A_DAY),
        (HANNE, A_DAY),
        (MIA, 2 * A_DAY),
        (MIA, 3 * A_DAY),
    ]
    assert told[0].link != told[1].link
    assert "Ravi Menon did not get to this in time" in told[1].text
    assert "Hanne Vogel did not get to this in time" in told[2].text
    assert told[3].subject == "Not solved, once more: ticket 4711"
    assert "You were told of this before, and it is still open." in told[3].text
    assert (flag := tickets.load("acme", "4711").flags[1]).holder == "mia"
    assert flag.due_at is None


def test_who_acknowledges_on_the_way_ends_it(world: World) -> None:
    world.press(world.asked(), answer="no", words="No.")
    world.wait(2 * A_DAY + AN_HOUR)
    (mail,) = [mail for mail in world.mail.to(MIA) if "ticket 4711" in mail.subject]
    world.press(mail.link, action="acknowledge")
    world.wait(20 * A_DAY)
    assert len([mail for mail in world.mail.to(MIA) if "ticket 4711" in mail.subject]) == 1


def test_one_person_is_asked_once_in_seven_days_and_nothing_is_dropped(world: World) -> None:
    world.hook(closed("0"))
    world.wait(AN_HOUR)
    for number in (1, 2):
        world.hook(closed(str(number), world.now, requester=customer("Ana@Customer.example")))
    world.hook(closed("9", requester=customer("bob@customer.example")))
    world.wait(15 * A_DAY)
    ana = [mail for mail in world.mail.sent if person_key(mail.to) == person_key(CUSTOMER)]
    asks = [mail for mail in ana if "Reminder" not in mail.subject]
    assert [mail.at - START for mail in asks] == [1 * A_DAY, 8 * A_DAY]
    both = tickets.load("acme", "1").follow_up(1), tickets.load("acme", "2").follow_up(1)
    assert all(known and known.survey and known.survey.claimed_at == START + 8 * A_DAY for known in both)


def test_nothing_is_lost_with_all_changes_of_the_table(world: World) -> None:
    world.lose_changes = True
    for number in range(3):
        world.hook(closed(str(number), requester=customer(f"c{number}@customer.example")))
    world.wait(A_DAY + A_MINUTE)
    world.press(world.survey_link("0"), answer="yes", words="Thank you, Kim.", consent="yes")
    world.press(world.survey_link("1"), answer="no")
    world.wait(8 * A_DAY)
    (thanks,) = world.mail.to("portal.team@acme.example")
    assert "Thank you, Kim." in thanks.text
    told = [mail.subject for mail in world.mail.to(RAVI)]
    assert told.count("Not solved: ticket 1") == told.count("No answer: ticket 2") == 1
    assert told.count("A root cause keeps coming back") == 1
    assert len(list(causes.marks("portal-login", START, world.now))) == 3
    assert [item["kind"]["S"] for item in world.items.values() if "due_at" in item].count("follow_up") == 0


def test_every_owner_gets_one_digest_a_week_with_the_true_figures(world: World) -> None:
    world.apply(settings(first_ask_after=timedelta(hours=1)))
    said = {"1": "yes", "2": "no", "3": "no", "4": None}
    for ticket_id, answer in said.items():
        cause = "cause_meter_late" if ticket_id == "3" else "Password reset failed"
        world.hook(closed(ticket_id, requester=customer(f"c{ticket_id}@customer.example"), root_cause=cause))
        if answer:
            world.press(world.survey_link(ticket_id), answer=answer)
    world.wait(6 * A_DAY + 23 * AN_HOUR)
    digests = [mail for mail in world.mail.sent if mail.subject.startswith("Your root causes")]
    assert sorted(mail.to for mail in digests) == sorted([MIA, RAVI])
    assert {mail.at.weekday() for mail in digests} == {0}
    (ravis,) = [mail for mail in digests if mail.to == RAVI]
    marked = [
        tickets.load(mark.source, mark.ticket_id).follow_up(mark.number)
        for mark in causes.marks("portal-login", START - 7 * A_DAY, world.now)
    ]
    by_force = {state: sum(known is not None and known.state is state for known in marked) for state in State}
    assert (len(marked), by_force[State.CONFIRMED], by_force[State.DENIED]) == (3, 1, 1)
    assert "3 tickets from 3 customers" in ravis.text
    assert "1 not solved, 1 confirmed as solved." in ravis.text
    assert "1 ticket from 1 customer" in ravis.text
    again = json.dumps({"pk": "OWNER#ravi", "sk": "OWNER"})
    world.invoke("take_next_step", records("take_next_step", [again]))
    world.settle()
    assert len([mail for mail in world.mail.sent if mail.subject.startswith("Your root causes")]) == 2


def test_m15_a_thousand_tickets_in_somebodys_name_are_three_surveys_a_month(world: World) -> None:
    """Here: forty; each of them says why it was asked or not, and nobody's list is filled with them."""
    for number in range(40):
        world.hook(closed(str(number), world.now))
    world.wait(45 * A_DAY)
    asked = [mail.at for mail in world.mail.to(CUSTOMER) if "Reminder" not in mail.subject]
    assert len(asked) == 3
    ended = [tickets.load("acme", str(number)) for number in range(40)]
    reasons = [found.ticket.follow_ups[0].reason for found in ended]
    # One, and twice ten together, were asked about.
    assert reasons.count("frequency_cap") == 19
    assert sum(bool(found.flags) for found in ended) == 21
    assert world.log.getvalue().count("relay_suspected") == 19
    assert CUSTOMER not in world.log.getvalue()


def test_m15_the_most_surveys_a_month_is_the_companys_decision(world: World) -> None:
    world.apply(settings(surveys_per_month=1, quiet_period=A_DAY))
    world.asked("1")
    world.hook(closed("2", world.now))
    world.wait(3 * A_DAY)
    assert tickets.load("acme", "2").ticket.follow_ups[0].reason == "frequency_cap"
    world.wait(31 * A_DAY)
    world.asked("3")


@pytest.mark.parametrize(
    "address",
    [
        "MAILER-DAEMON@customer.example",
        "no-reply@customer.example",
        "donotreply.billing@customer.example",
        "bounces-1234=x@customer.example",
        "postmaster@customer.example",
        "Followthrough@ACME.example",
        "reply+abc@replies.acme.example",
        RAVI,
        TEAM,
    ],
)
def test_m16_our_own_and_nobodys_addresses_are_never_asked_and_never_forgotten(
    world: World, address: str
) -> None:
    known = settings()
    world.apply(replace(known, company=replace(known.company, reply_domain="replies.acme.example")))
    world.hook(closed(requester=customer(address)))
    world.wait(10 * A_DAY)
    found = tickets.load("acme", "4711")
    (follow_up,) = found.ticket.follow_ups
    assert (follow_up.state, follow_up.reason, follow_up.due_at) == (State.NOT_ASKED, "own_address", None)
    assert found.flags == {}
    assert not [mail for mail in world.mail.sent if "4711" in mail.subject]


def test_m16_customers_with_similar_addresses_are_asked(world: World) -> None:
    for number, name in enumerate(("nora.reply", "bouncer", "postmaster.general", "kim")):
        world.asked(str(number), requester=customer(f"{name}@acme.example"))


def test_c5_nobody_is_asked_or_reminded_on_a_public_holiday_of_their_country(world: World) -> None:
    """In Berlin Christmas Day is a holiday, in New York Thanksgiving; the webhook that plans the ask knows neither."""
    world.now = datetime(2026, 12, 24, 11, tzinfo=UTC)
    world.hook(closed("1", world.now))
    world.hook(closed("2", world.now, requester=customer("bob@c.example", timezone="Asia/Riyadh")))
    world.wait(10 * A_DAY)
    asked = {mail.subject: mail.at.isoformat() for mail in world.mail.sent if "really" in mail.subject}
    assert asked["Is ticket 1 really solved?"] == "2026-12-28T07:00:00+00:00"
    assert asked["Is ticket 2 really solved?"] == "2026-12-25T11:00:00+00:00"
    assert asked["Reminder: is ticket 1 really solved?"].startswith("2026-12-31T07")


def test_c5_a_reminder_waits_for_the_day_after_the_holiday(world: World) -> None:
    world.now = datetime(2026, 12, 28, 11, tzinfo=UTC)
    world.asked("1")
    world.wait(8 * A_DAY)
    (reminder,) = [mail for mail in world.mail.sent if mail.subject.startswith("Reminder")]
    assert reminder.at.isoformat() == "2027-01-04T07:00:00+00:00"
