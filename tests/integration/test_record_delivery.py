"""What SES reports: in any order, twice, late, about nothing. Rows M3 and M8 of the faults."""

import itertools
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters import people, tickets
from builders import (
    A_DAY,
    A_MINUTE,
    AN_HOUR,
    CUSTOMER,
    HANNE,
    RAVI,
    START,
    closed,
    customer,
    records,
    sample,
    ses_event,
    settings,
)
from domain.delivery import Delivery, Progress
from domain.follow_up import FollowUp, State
from world import World

ASK = START + A_DAY


def known(ticket_id: str = "4711") -> FollowUp:
    """The first follow-up of a ticket."""
    found = tickets.load("acme", ticket_id).follow_up(1)
    assert found is not None
    return found


def survey() -> Delivery:
    """The delivery of its survey."""
    found = known().survey
    assert found is not None
    return found


def sent_without_reports(world: World) -> None:
    """The survey is out, and SES has reported nothing yet."""
    world.hook(closed())
    world.mail.reports_get_lost = True
    world.wait_until(ASK)
    world.mail.reports_get_lost = False
    assert survey().progress == Progress.SENT


def test_the_sample_event_is_about_a_mail_that_is_kept(world: World) -> None:
    sent_without_reports(world)
    assert world.invoke("record_delivery", sample("record_delivery")) == {"batchItemFailures": []}
    assert survey().progress == Progress.DELIVERED
    assert survey().delivered_at is not None


@pytest.mark.parametrize("order", list(itertools.permutations(["Send", "Delivery", "Delivery", "Send"]))[::5])
def test_m3_in_every_order_and_number_the_reports_say_the_same(world: World, order: tuple[str, ...]) -> None:
    world.hook(closed())
    world.mail.plan, world.mail.reports_get_lost = ["timeout after it was accepted"], True
    world.wait_until(ASK)
    (mail,) = world.mail.sent
    assert survey().progress == Progress.CLAIMED
    for kind in order:
        world.mail.report(mail, kind, ASK + A_MINUTE)
    world.settle()
    assert (survey().progress, survey().delivered_at) == (Progress.DELIVERED, ASK + A_MINUTE)
    assert known().state == State.ASKED
    world.wait(AN_HOUR)
    assert world.mail.calls == 1


def test_m3_a_report_about_nothing_of_ours_changes_nothing(world: World) -> None:
    before = world.scan()
    reports = [
        ses_event("Bounce", {"message": tag, "claim": "x"}, CUSTOMER, "1", world.now)
        for tag in ("", "!", "bm90aGluZw", "VElDS0VUI2FjbWUjOXxGT0xMT1dfVVAjMDAwMXxzdXJ2ZXk")
    ]
    reports.append(ses_event("Bounce", {}, CUSTOMER, "1", world.now))
    reports.append({"eventType": "Open", "mail": {}})
    greeting = "Successfully validated SNS topic for Amazon SES event publishing."
    told = [*(json.dumps(report) for report in reports), greeting, "[]"]
    result = world.invoke("record_delivery", records("record_delivery", told))
    assert result == {"batchItemFailures": []}
    assert world.scan() == before


def test_m3_the_report_of_an_earlier_claim_is_suspected_to_be_a_duplicate(world: World) -> None:
    world.hook(closed())
    world.mail.plan, world.mail.reports_get_lost = ["timeout after it was accepted"], True
    world.wait_until(ASK + 29 * A_MINUTE)
    (first,) = world.mail.sent
    world.mail.reports_get_lost = False
    world.wait(5 * A_MINUTE)
    assert world.mail.calls == 2
    world.mail.report(first, "Send", world.now)
    world.settle()
    assert "duplicate_suspected" in world.log.getvalue()


@pytest.mark.parametrize(("kind", "reason"), [("Bounce", "bounced"), ("Complaint", "complained")])
def test_m8_a_failed_address_is_suppressed_and_later_closures_skip_it(
    world: World, kind: str, reason: str
) -> None:
    sent_without_reports(world)
    (mail,) = world.mail.sent
    for _ in range(3):
        world.mail.report(mail, kind, world.now)
    world.wait(A_MINUTE)
    assert (known().state, known().reason) == (State.NOT_ASKED, reason)
    assert people.load(CUSTOMER).suppressed == kind.lower()
    assert [told.subject for told in world.mail.to(RAVI)] == ["Could not be delivered: ticket 4711"]
    world.hook(closed("4712", at=world.now, requester=customer("ANA@Customer.example")))
    world.wait(2 * A_DAY)
    assert (known("4712").state, known("4712").reason) == (State.NOT_ASKED, "suppressed")
    assert len(world.mail.to(CUSTOMER)) == 1


def test_m8_whoever_takes_our_mail_out_of_their_spam_does_not_complain(world: World) -> None:
    world.hook(closed())
    world.wait(2 * A_DAY)
    (mail,) = world.mail.sent
    world.mail.report(mail, "NotSpamComplaint", world.now)
    world.settle()
    assert people.load(CUSTOMER).suppressed is None
    assert known().state is State.ASKED


def test_m8_a_bounce_that_comes_before_our_own_write_counts(world: World) -> None:
    world.hook(closed())
    world.mail.reports[CUSTOMER] = ("Bounce", "Send")
    world.mail.plan = ["timeout after it was accepted"]
    world.wait_until(ASK)
    assert (known().state, survey().progress) == (State.NOT_ASKED, Progress.BOUNCED)
    world.wait(AN_HOUR)
    assert len(world.mail.to(CUSTOMER)) == 1


def test_a_full_mailbox_suppresses_nobody(world: World) -> None:
    sent_without_reports(world)
    world.mail.report(world.mail.sent[0], "TransientBounce", world.now)
    world.settle()
    assert (known().state, people.load(CUSTOMER).suppressed) == (State.ASKED, None)
    world.wait(3 * A_DAY + AN_HOUR)
    assert (known().state, known().reason) == (State.NOT_ASKED, "undelivered")


def test_what_the_customer_has_said_outlives_a_late_bounce(world: World) -> None:
    world.press(world.asked(), answer="yes")
    world.mail.report(world.mail.sent[0], "Bounce", world.now)
    world.wait(AN_HOUR)
    assert known().state == State.CONFIRMED


def test_a_report_that_meets_a_change_is_applied_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent_without_reports(world)
    link = world.survey_link()
    save, raced = tickets.save, list[bool]()

    def save_after_the_answer(follow_up: FollowUp) -> None:
        if not raced:
            raced.append(True)
            assert world.press(link, answer="yes").status == 200
        save(follow_up)

    monkeypatch.setattr(tickets, "save", save_after_the_answer)
    world.invoke("record_delivery", sample("record_delivery"))
    assert (known().state, survey().progress) == (State.CONFIRMED, Progress.DELIVERED)


def test_the_reminder_counts_from_the_delivery(world: World) -> None:
    sent_without_reports(world)
    world.wait(A_DAY)
    world.mail.report(world.mail.sent[0], "Delivery", world.now)
    world.wait(5 * A_DAY)
    _, reminder = world.mail.to(CUSTOMER)
    # Three days after the delivery on Wednesday it is Saturday: it waits until Monday at eight o'clock in Berlin.
    assert reminder.at == START + timedelta(days=6, hours=22)


@pytest.mark.parametrize("kind", ["DeliveryDelay", "TransientBounce"])
def test_m9_after_three_delays_in_two_weeks_a_mailbox_rests_and_is_asked_later(
    world: World, kind: str
) -> None:
    world.mail.reports[CUSTOMER] = ("Send", kind, "Delivery")
    world.asked()
    world.wait(7 * A_DAY)
    assert len(world.mail.to(CUSTOMER)) == 2
    world.asked("1")
    last = world.now
    assert len(people.load(CUSTOMER).delays) == 3
    world.hook(closed("2", world.now))
    world.wait(13 * A_DAY)
    assert [mail.subject for mail in world.mail.to(CUSTOMER)][2:] == ["Is ticket 1 really solved?"]
    assert not known("2").reason
    world.wait(3 * A_DAY)
    (later,) = world.mail.to(CUSTOMER)[3:]
    assert later.subject == "Is ticket 2 really solved?"
    assert later.at - last >= 13.9 * A_DAY


def test_m9_a_mail_that_waits_for_hours_is_one_delay_and_our_own_people_never_rest(world: World) -> None:
    world.mail.reports[RAVI] = ("Send", "DeliveryDelay", "Delivery")
    link = world.asked()
    (mail,) = world.mail.sent
    for hours in range(3):
        world.mail.report(mail, "DeliveryDelay", ASK + hours * AN_HOUR)
    world.press(link, answer="no")
    world.wait(A_DAY)
    assert people.load(CUSTOMER).delays == (ASK,)
    assert people.load(RAVI).delays == ()


def test_m9_a_delay_says_that_the_mail_was_sent(world: World) -> None:
    """With the reply and the Send report lost, it alone keeps the survey from going out twice."""
    world.hook(closed())
    world.mail.plan = ["timeout after it was accepted"]
    world.mail.reports[CUSTOMER] = ("DeliveryDelay",)
    world.wait(2 * A_DAY)
    assert len(world.mail.to(CUSTOMER)) == 1
    assert known().state == State.ASKED


# --- our own people --------------------------------------------------------------------------------------------------

UNREACHABLE = '"ColleagueUnreachable":[1.0]'


@pytest.mark.parametrize("kind", ["Bounce", "Complaint", "Reject"])
def test_a_mail_to_one_of_our_own_that_does_not_arrive_rings_once(
    world: World, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world.press(world.asked(), answer="no", words="No.")
    world.settle()
    (flagged,) = world.mail.to(RAVI)
    assert "ColleagueUnreachable" not in capsys.readouterr().out
    for _ in range(3):
        world.mail.report(flagged, kind, world.now)
    world.settle()
    assert capsys.readouterr().out.count(UNREACHABLE) == 1
    assert '"recipient":"contact:ravi"' in world.log.getvalue()


def test_what_is_cancelled_because_ours_is_suppressed_rings_each_time(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the flags themselves go on to whoever can be reached."""
    world.mail.reports[RAVI] = ("Send", "Bounce")
    for number in range(2):
        world.press(
            world.asked(str(number), requester=customer(f"c{number}@c.example")), answer="no", words="No."
        )
        world.settle()
        assert capsys.readouterr().out.count(UNREACHABLE) == 1
    assert len([mail for mail in world.mail.to(RAVI) if "Not solved" in mail.subject]) == 1
    world.wait(2 * A_DAY)
    assert len([mail for mail in world.mail.to(HANNE) if "Not solved" in mail.subject]) == 2


def test_a_customers_address_that_fails_rings_nobody(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.press(world.asked(), answer="no", words="No.")
    world.settle()
    world.mail.reports[CUSTOMER] = ("Send", "Bounce")
    world.press(world.mail.to(RAVI)[0].link, action="update", words="We are on it.")
    world.wait(A_DAY)
    world.press(world.mail.to(RAVI)[0].link, action="update", words="Still on it.")
    world.wait(A_DAY)
    assert people.load(CUSTOMER).suppressed == "bounce"
    said = capsys.readouterr().out
    assert "MessageCancelled" in said
    assert "ColleagueUnreachable" not in said


def test_a_late_bounce_of_an_address_that_was_corrected_meanwhile_suppresses_the_old_one(
    world: World,
) -> None:
    world.press(world.asked(), answer="no", words="No.")
    world.settle()
    (flagged,) = world.mail.to(RAVI)
    world.mail.report(flagged, "DeliveryDelay", world.now)
    world.wait(A_DAY)
    known, new = settings(), "ravi.new@acme.example"
    ravi = replace(known.contacts["ravi"], email=new)
    world.apply(replace(known, contacts={**known.contacts, "ravi": ravi}))
    world.wait(A_DAY)
    world.mail.report(flagged, "Bounce", world.now)
    world.settle()
    assert people.load(RAVI).suppressed == "bounce"
    assert people.load(new).suppressed is None
