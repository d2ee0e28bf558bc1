"""First the person: who may be asked again, what silence means, what a second "no" does, and the figure."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from builders import A_DAY, A_MINUTE, AN_HOUR, HANNE, START, settings
from domain import consequences, flag, follow_up, message, recovery, reply
from domain.closure import Closure, Reopen
from domain.delivery import Delivery, Progress
from domain.errors import Refused
from domain.flag import Flag, Reason, Result, What
from domain.follow_up import MOST_AGAIN, FollowUp, Press, State, Ticket, open_follow_up, record_answer
from domain.message import Message
from domain.person import Person, Surveys
from domain.reply import Said, Verdict
from messages import compose, facts, pages

SETTINGS = settings()
POLICY = SETTINGS.policy
ANA = Person(key="ana")
CLOSURE = Closure(
    source="acme",
    ticket_id="4711",
    closed_at=START,
    kind="solved",
    requester_email="ana@customer.example",
    team="Web Portal",
    cause="Password reset failed",
)


def asked() -> FollowUp:
    """Asked a day after the closing, and the mail arrived."""
    opened = open_follow_up(Ticket(), CLOSURE, START, SETTINGS)
    sent = Delivery(
        progress=Progress.DELIVERED,
        claim="c",
        claimed_at=START + A_DAY,
        sent_at=START + A_DAY,
        delivered_at=START + A_DAY,
    )
    return follow_up.after_sending(opened, "survey", sent, POLICY)


def denied(at: datetime = START + 2 * A_DAY) -> FollowUp:
    """The customer said "no"."""
    return record_answer(asked(), Press(solved=False), at, POLICY)


def flagged(known: FollowUp, now: datetime) -> Flag:
    """Its flag."""
    raised = flag.flag_for(known, None, now, SETTINGS)
    assert raised is not None
    return raised


def settled_and_asked(now: datetime = START + 3 * A_DAY) -> tuple[FollowUp, Flag, Message]:
    """A "no", settled, and the customer is asked again."""
    known = denied()
    settled = flag.settle(flagged(known, now - A_DAY), "ravi", Result.SOLVED, "Called.", now)
    return recovery.ask_again(known, settled, "ravi", "Called.", now, now, POLICY)


def test_a_no_is_asked_about_again_once_it_is_settled() -> None:
    known, settled, question = settled_and_asked()
    assert recovery.still_asks(known, Ticket(follow_ups=(known,)), question)
    assert (question.name, question.to) == ("0001#asked_again#1", message.CUSTOMER)
    assert known.standing is None
    assert settled.due_at == START + 10 * A_DAY
    assert [deed.what for deed in settled.deeds] == [What.RAISED, What.SETTLED, What.ASKED_AGAIN]


@pytest.mark.parametrize(
    ("known", "person"),
    [
        (replace(denied(), state=State.CONFIRMED), ANA),
        (replace(denied(), state=State.NOT_ASKED), ANA),
        (replace(denied(), closure=replace(CLOSURE, requester_email=None)), ANA),
        (replace(denied(), closure=replace(CLOSURE, requester_email=HANNE)), ANA),
        (replace(denied(), closure=replace(CLOSURE, requester_email="noreply@shop.example")), ANA),
        (denied(), replace(ANA, suppressed="bounce")),
        (denied(), replace(ANA, surveys=Surveys.FIXES)),
        (denied(), replace(ANA, surveys=Surveys.NONE)),
    ],
)
def test_whoever_cannot_or_does_not_want_to_be_asked_is_not(known: FollowUp, person: Person) -> None:
    raised = flagged(denied(), START + 2 * A_DAY)
    assert recovery.may_ask_again(denied(), Ticket(follow_ups=(denied(),)), raised, ANA, SETTINGS)
    assert not recovery.may_ask_again(known, Ticket(follow_ups=(known,)), raised, person, SETTINGS)


def test_nobody_is_asked_about_a_ticket_that_was_opened_again() -> None:
    raised, known = flagged(denied(), START + 2 * A_DAY), denied()
    again = Reopen(source="acme", ticket_id="4711", reopened_at=START + 3 * A_DAY)
    assert not recovery.may_ask_again(
        known, Ticket(follow_ups=(known,), reopens=(again.reopened_at,)), raised, ANA, SETTINGS
    )


def test_the_answer_to_the_new_question_is_a_new_answer() -> None:
    known, settled, _ = settled_and_asked()
    later = START + 4 * A_DAY
    again = record_answer(known, Press(solved=False), later, POLICY)
    assert [answer.at for answer in again.answers] == [START + 2 * A_DAY, later]
    assert not again.answers[-1].late, "its time begins anew"
    raised = flag.flag_for(again, settled, later, SETTINGS)
    assert raised is not None
    assert (raised.reason, raised.holder, raised.rounds) == (Reason.STILL_DENIED, "ravi", 2)
    assert flag.flag_for(again, raised, later, SETTINGS) is None
    assert record_answer(again, Press(solved=False), later + A_MINUTE, POLICY) is again


@given(st.lists(st.sampled_from(["yes", "no", "silence"]), max_size=6))
@given_settings(max_examples=200, deadline=None)
def test_whatever_customers_say_they_are_asked_again_twice_at_most_and_somebody_has_it(
    said: list[str],
) -> None:
    """Each time the flag is settled; what the customer then says decides what follows."""
    now = START + 2 * A_DAY
    known = denied(now)
    raised = flagged(known, now)
    rounds = back = 0
    for answer in said:
        now += AN_HOUR
        settled = flag.settle(raised, "ravi", Result.SOLVED, "Called.", now)
        ticket = Ticket(follow_ups=(known,))
        if not recovery.may_ask_again(known, ticket, raised, ANA, SETTINGS):
            assert rounds == MOST_AGAIN or back
            return
        known, settled, question = recovery.ask_again(known, settled, "ravi", "Called.", now, now, POLICY)
        rounds += 1
        now += AN_HOUR
        if answer == "silence":
            early = recovery.after_asking(
                settled, known, Ticket(follow_ups=(known,)), question, now, SETTINGS
            )
            assert early.settled_at
            now += POLICY.silent_after + A_MINUTE
            raised = recovery.after_asking(
                settled, known, Ticket(follow_ups=(known,)), question, now, SETTINGS
            )
            assert (raised.reason, raised.settled_at, raised.holder) == (Reason.STILL_SILENT, None, "ravi")
            back += 1
            continue
        known = record_answer(known, Press(solved=answer == "yes"), now, POLICY)
        after = flag.flag_for(known, settled, now, SETTINGS)
        if answer == "yes":
            assert after is None
            assert recovery.count([known]) == recovery.Recovered(1, 1)
            over = recovery.after_asking(settled, known, Ticket(follow_ups=(known,)), question, now, SETTINGS)
            assert over.due_at is None
            return
        assert after is not None
        assert after.holder == ("hanne" if rounds == MOST_AGAIN else "ravi")
        raised = after
    assert rounds <= MOST_AGAIN
    assert recovery.count([known]) == recovery.Recovered(1, 0)


def test_the_silence_counts_from_when_the_question_arrived() -> None:
    known, settled, question = settled_and_asked()
    arrived = question.created_at + 5 * A_DAY
    held = Delivery(progress=Progress.DELIVERED, claim="c", claimed_at=arrived, delivered_at=arrived)
    late = replace(question, delivery=held, due_at=None)
    now = question.created_at + POLICY.silent_after + A_MINUTE
    waits = recovery.after_asking(settled, known, Ticket(follow_ups=(known,)), late, now, SETTINGS)
    assert (waits.due_at, waits.settled_at) == (arrived + POLICY.silent_after, settled.settled_at)
    once_more = recovery.after_asking(
        settled, known, Ticket(follow_ups=(known,)), late, arrived + POLICY.silent_after, SETTINGS
    )
    assert once_more.reason is Reason.STILL_SILENT


@pytest.mark.parametrize(
    ("cancelled", "comes_back"), [("opted_out", False), ("suppressed", True), ("recipient_unknown", True)]
)
def test_a_question_that_was_not_sent_comes_back_unless_the_customer_wished_it(
    cancelled: str, *, comes_back: bool
) -> None:
    known, settled, question = settled_and_asked()
    unsent = message.cancel(question, cancelled)
    after = recovery.after_asking(
        settled, known, Ticket(follow_ups=(known,)), unsent, START + 10 * A_DAY, SETTINGS
    )
    assert (after.settled_at is None) == comes_back
    assert (after.due_at is None) != comes_back


def test_a_form_is_one_mail_and_enough_is_enough() -> None:
    known = denied()
    first = recovery.progress(known, "ravi", "News", "a" * 32, (), START)
    assert first is not None
    assert recovery.progress(known, "ravi", "Other news", "a" * 32, (first,), START) is None
    many = [replace(first, name=f"0001#progress#{n:032x}") for n in range(recovery.MOST_UPDATES)]
    with pytest.raises(Refused):
        recovery.progress(known, "ravi", "News", "b" * 32, many, START)
    assert recovery.progress(replace(known, number=2), "ravi", "News", "a" * 32, many, START) is not None


@pytest.mark.parametrize(
    "text", ["", "a" * 31, "A" * 32, "a" * 32 + "#", "0001#note", "é" * 32, "a" * 31 + "\n"]
)
def test_only_our_own_forms_have_ids(text: str) -> None:
    assert not recovery.is_form(text)


@given(st.lists(st.sampled_from(["yes", "no", "never", "no yes", "yes no"]), max_size=8))
def test_the_figure_is_what_a_recount_gives(plans: list[str]) -> None:
    lives = []
    for plan in plans:
        known = asked()
        for hours, word in enumerate(plan.split()):
            if word == "never":
                known = follow_up.to_state(known, State.SILENT, START + 9 * A_DAY)
            else:
                at = START + 2 * A_DAY + timedelta(hours=hours)
                known = record_answer(known, Press(solved=word == "yes"), at, POLICY)
        lives.append(known)
    counted = recovery.count(lives)
    assert counted.flagged == sum(plan != "yes" for plan in plans)
    assert counted.recovered == plans.count("no yes")


def test_an_old_flag_keeps_what_was_done_when_it_is_raised_again() -> None:
    known, settled, _ = settled_and_asked()
    noted = replace(settled, team_words="We did our best.", team_wrote_at=START)
    again = record_answer(known, Press(solved=False), START + 4 * A_DAY, POLICY)
    (raised, *_) = consequences.missing(again, noted, {}, START + 4 * A_DAY, SETTINGS)
    assert isinstance(raised, Flag)
    assert raised.team_words == "We did our best."
    assert raised.deeds[: len(noted.deeds)] == noted.deeds
    many = raised
    for _ in range(100):
        many = flag.note(many, What.UPDATED, "ravi", START, "x" * 1000)
    assert len(many.deeds) == flag.KEPT_DEEDS
    assert all(len(deed.words or "") <= 200 for deed in many.deeds)


# --- what people read of it ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "fate"),
    [
        ("nothing_to_say", "not_sent"),
        ("unwritable", "impossible"),
        ("recipient_unknown", "impossible"),
        ("opted_out", "not_wanted"),
    ],
)
def test_a_mail_that_was_not_sent_says_why(reason: str, fate: str) -> None:
    told = recovery.progress(denied(), "ravi", "We look at it.", "0" * 32, (), START + 2 * A_DAY)
    assert told
    assert facts.update(message.cancel(told, reason), SETTINGS).fate == fate


def test_a_second_no_and_being_late_are_told_apart() -> None:
    known, settled, _ = settled_and_asked()
    now = START + 4 * A_DAY
    known = record_answer(known, Press(solved=False), now, POLICY)
    again = flag.flag_for(known, settled, now, SETTINGS)
    assert again and again.due_at
    late = flag.escalate(again, again.due_at, SETTINGS)
    settled = flag.settle(again, "ravi", Result.SOLVED, "Called.", now + AN_HOUR)
    known, settled, _ = recovery.ask_again(
        known, settled, "ravi", "Called.", now + AN_HOUR, now + AN_HOUR, POLICY
    )
    known = record_answer(known, Press(solved=False), now + A_DAY, POLICY)
    twice = flag.flag_for(known, settled, now + A_DAY, SETTINGS)
    assert twice and twice.due_at
    late_too = flag.escalate(twice, twice.due_at, SETTINGS)
    for raised, why in (
        (late, "Ravi Menon did not get to this in time, so it comes to you."),
        (twice, "Ravi Menon had this before; it has been tried twice, so it comes to you."),
        (late_too, "Hanne Vogel did not get to this in time, so it comes to you."),
    ):
        assert raised.reason is Reason.STILL_DENIED
        mail = compose.flag_raised(facts.flag_mail(raised, known, (), "https://x.example", SETTINGS))
        stored = replace(raised, version=1)
        page = pages.flag_page(facts.flag_page(stored, known, (), SETTINGS, now, form="0" * 32), "nonce")
        assert why in mail.text
        assert why in mail.html
        assert why in page


@pytest.mark.parametrize(
    ("progress", "asked"),
    [
        (Progress.READY, "Not asked"),
        (Progress.CLAIMED, "Perhaps on Tuesday 1 December 2026"),
        (Progress.UNKNOWN, "Perhaps on Tuesday 1 December 2026"),
        (Progress.REFUSED, "Not asked"),
        (Progress.BOUNCED, "Tuesday 1 December 2026"),
    ],
)
def test_a_question_that_perhaps_went_out_is_not_called_not_asked(progress: Progress, asked: str) -> None:
    opened = open_follow_up(Ticket(), CLOSURE, START, SETTINGS)
    lost = Delivery(progress=progress, claim="c", claimed_at=START + A_DAY)
    known = replace(
        follow_up.put_delivery(opened, "survey", lost), state=State.NOT_ASKED, reason="delivery_unknown"
    )
    raised = flagged(known, START + 2 * A_DAY)
    mail = compose.flag_raised(facts.flag_mail(raised, known, (), "https://x.example", SETTINGS))
    page = pages.flag_page(facts.flag_page(raised, known, (), SETTINGS, START, form="0" * 32), "nonce")
    assert f"\nAsked: {asked}\n" in mail.text
    assert f">{asked}</p>" in mail.html
    assert f'<dt>Asked</dt><dd dir="auto">{asked}</dd>' in page


def test_whoever_works_on_it_reads_every_text_of_the_customers_whole() -> None:
    first, second = (
        f"{start}: {'so it went ' * 180}{end}" for start, end in (("FIRST", "A-12"), ("SECOND", "B-34"))
    )
    said = Said(mail_id="1", verdict=Verdict.UNCLEAR, words=second, to=denied().ref)
    known = record_answer(asked(), Press(solved=False, words=first), START + 2 * A_DAY, POLICY)
    known = reply.take(known, said, None, START + 3 * A_DAY, POLICY)
    raised = flagged(known, START + 3 * A_DAY)
    mail = compose.flag_raised(facts.flag_mail(raised, known, (), "https://x.example", SETTINGS))
    mark, now = "[Followthrough 1]", START + 3 * A_DAY
    shown = (
        mail.text,
        mail.html,
        compose.helpdesk_note(facts.helpdesk_note(known, mark, SETTINGS)),
        pages.flag_page(facts.flag_page(raised, known, (), SETTINGS, now, form="0" * 32), "nonce"),
        pages.version_page(facts.version_page(raised, known, "ravi", SETTINGS), "nonce"),
    )
    for text in shown:
        assert text.index(second) < text.index(first)


def test_what_was_asked_about_together_has_the_number_that_people_know() -> None:
    other = replace(CLOSURE, ticket_id="a1b2c3", reference="INC-17")
    beside = open_follow_up(Ticket(), other, START, SETTINGS)
    forgotten = replace(beside.ref, ticket_id="long-gone")
    known = replace(denied(), together=(beside.ref, forgotten))
    mail = facts.flag_mail(flagged(known, START + 2 * A_DAY), known, iter([beside]), "https://x", SETTINGS)
    assert mail.asked_with == ("INC-17", "long-gone")
    assert [earlier.ticket_id for earlier in mail.history] == ["INC-17"]
