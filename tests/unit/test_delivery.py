"""One mail: claimed, sent once, settled by whatever the provider reports and in whatever order."""

import socket
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from company import POLICY, START, after, asked, opened, sent
from domain import delivery, follow_up, message
from domain.delivery import (
    MOST_ATTEMPTS,
    Delivery,
    Feedback,
    Progress,
    claim,
    claim_ends,
    give_up,
    hear,
    is_open,
    may_claim,
    refuse,
    release,
    settle_sent,
)
from domain.errors import Refused
from domain.follow_up import Round, State
from domain.message import Kind, Message, owner_scope

UNKNOWN_AFTER = POLICY.unknown_after


def claimed(name: str = "one", at: datetime = START) -> Delivery:
    """A mail that somebody is about to send."""
    return claim(None, name, at, UNKNOWN_AFTER)


def note(held: Delivery | None = None) -> Message:
    """A mail to our own people that is due."""
    return Message(
        scope=owner_scope("jonas"),
        name="digest#1",
        kind=Kind.DIGEST,
        to="contact:jonas",
        created_at=START,
        due_at=START,
        about={},
        delivery=held,
    )


def test_these_tests_cannot_reach_a_mail_server() -> None:
    with pytest.raises(RuntimeError), socket.socket() as line:
        line.connect(("127.0.0.1", 25))
    with pytest.raises(RuntimeError):
        socket.create_connection(("localhost", 25))


def test_a_claimed_mail_cannot_be_claimed_by_somebody_else() -> None:
    with pytest.raises(Refused):
        claim(claimed(), "two", START, UNKNOWN_AFTER)


def test_a_mail_that_was_sent_is_never_claimed_again() -> None:
    with pytest.raises(Refused):
        claim(sent(), "two", after(days=30), UNKNOWN_AFTER)


def test_an_unanswered_claim_is_repeated_once() -> None:
    assert claim_ends(claimed(), UNKNOWN_AFTER) == after(minutes=30)
    assert not may_claim(claimed(), after(minutes=29), UNKNOWN_AFTER)
    second = claim(claimed(), "two", after(minutes=30), UNKNOWN_AFTER)
    assert second.attempts == 2
    assert not may_claim(second, after(days=30), UNKNOWN_AFTER)


def test_a_definite_not_sent_is_no_attempt() -> None:
    released = release(claimed(), "one")
    assert is_open(released)
    assert claim(released, "two", START, UNKNOWN_AFTER).attempts == 1


def test_only_the_holder_of_the_claim_settles_it() -> None:
    second = claim(claimed(), "two", after(minutes=30), UNKNOWN_AFTER)
    with pytest.raises(Refused):
        settle_sent(second, "one", "ses-1", after(minutes=31))
    with pytest.raises(Refused):
        release(second, "one")
    with pytest.raises(Refused):
        refuse(second, "one", after(minutes=31))
    assert settle_sent(second, "two", "ses-2", after(minutes=31)).progress is Progress.SENT


def test_a_mail_that_went_out_cannot_be_given_back() -> None:
    with pytest.raises(Refused):
        release(sent(), "claim")


def test_what_the_provider_reported_first_is_kept_when_our_own_call_returns() -> None:
    heard = hear(claimed(), Feedback.BOUNCE, after(minutes=1))
    settled = settle_sent(heard, "one", "ses-1", after(minutes=2))
    assert (settled.progress, settled.provider_id) == (Progress.BOUNCED, "ses-1")


def test_a_mail_that_nobody_knew_of_is_known_when_the_provider_tells() -> None:
    lost = give_up(claimed(), after(hours=1))
    assert not is_open(lost)
    assert hear(lost, Feedback.SEND, after(hours=2)).progress is Progress.SENT


def test_a_released_mail_whose_first_call_did_send_it_is_sent() -> None:
    """The first call's reply was lost, the second call was throttled; then the first one's Send is reported."""
    second = release(claim(claimed(), "two", after(minutes=30), UNKNOWN_AFTER), "two")
    heard = hear(second, Feedback.SEND, after(minutes=31))
    assert heard.progress is Progress.SENT
    assert not may_claim(heard, after(days=1), UNKNOWN_AFTER)


# --- any order, and twice --------------------------------------------------------------------------------------------

STARTS = {
    Progress.READY: release(claimed(), "one"),
    Progress.CLAIMED: claimed(),
    Progress.UNKNOWN: give_up(claimed(), START),
    Progress.SENT: sent(),
}
# What SES tells about one mail: it bounces or is delivered (a slow mailbox: both), and a person may complain.
TOLD = [
    {Feedback.SEND},
    {Feedback.SEND, Feedback.DELIVERY},
    {Feedback.SEND, Feedback.BOUNCE},
    {Feedback.SEND, Feedback.DELIVERY, Feedback.BOUNCE},
    {Feedback.SEND, Feedback.DELIVERY, Feedback.COMPLAINT},
    {Feedback.SEND, Feedback.BOUNCE, Feedback.COMPLAINT},
    {Feedback.SEND, Feedback.DELIVERY, Feedback.BOUNCE, Feedback.COMPLAINT},
    {Feedback.SEND, Feedback.REJECT},
    {Feedback.DELIVERY},
    {Feedback.BOUNCE},
    {Feedback.COMPLAINT},
    {Feedback.REJECT},
]
FINAL = [
    Feedback.COMPLAINT,
    Feedback.BOUNCE,
    Feedback.DELIVERY,
    Feedback.REJECT,
    Feedback.SEND,
]
PROGRESS = {
    Feedback.COMPLAINT: Progress.COMPLAINED,
    Feedback.BOUNCE: Progress.BOUNCED,
    Feedback.DELIVERY: Progress.DELIVERED,
    Feedback.REJECT: Progress.REFUSED,
    Feedback.SEND: Progress.SENT,
}


@st.composite
def reports(draw: st.DrawFn) -> list[Feedback]:
    """What is told about one mail, in any order, each at least once."""
    told = sorted(draw(st.sampled_from(TOLD)))
    again = draw(st.lists(st.sampled_from(told), max_size=5))
    return draw(st.permutations([*told, *again]))


def expected(told: list[Feedback]) -> Progress:
    """The worst that was told counts."""
    return PROGRESS[next(feedback for feedback in FINAL if feedback in told)]


@given(st.sampled_from(list(STARTS)), reports())
def test_reports_in_any_order_and_twice_end_in_the_same_progress(
    start: Progress, told: list[Feedback]
) -> None:
    held = STARTS[start]
    for number, feedback in enumerate(told):
        held = hear(held, feedback, after(minutes=number))
        assert hear(held, feedback, after(minutes=number)) == held
    assert held.progress is expected(told)
    assert (held.delivered_at is not None) == (Feedback.DELIVERY in told)


@given(st.sampled_from(list(STARTS)), reports(), st.integers(0, 9))
def test_our_own_call_may_return_between_any_two_reports(
    start: Progress, told: list[Feedback], position: int
) -> None:
    if start is Progress.READY:
        return  # nobody is calling
    held = STARTS[start]
    for number, feedback in enumerate([*told, None]):
        if number == min(position, len(told)):
            held = settle_sent(held, held.claim, "ses-1", after(minutes=number))
        if feedback:
            held = hear(held, feedback, after(minutes=number))
    assert held.progress is expected(told)


@given(reports())
def test_a_survey_ends_in_the_same_state_whatever_order_its_reports_come_in(told: list[Feedback]) -> None:
    follow = follow_up.put_delivery(opened(), "survey", claimed())
    for number, feedback in enumerate(told):
        at = after(minutes=number)
        follow = follow_up.hear(follow, "survey", feedback, at, at, POLICY)
    good = expected(told) in {Progress.SENT, Progress.DELIVERED}
    assert follow.state is (State.ASKED if good else State.NOT_ASKED)


@given(reports(), st.sampled_from(["survey", "reminder"]), st.booleans())
def test_no_report_takes_back_what_the_customer_said(
    told: list[Feedback], round: Round, solved: bool
) -> None:
    follow = follow_up.put_delivery(asked(), round, sent(at=after(days=1)))
    follow = follow_up.record_answer(follow, follow_up.Press(solved=solved), after(days=2), POLICY)
    for feedback in told:
        after_it = follow_up.hear(follow, round, feedback, after(days=3), after(days=3), POLICY)
        assert (after_it.state, after_it.answers) == (follow.state, follow.answers)
        follow = after_it


# --- a mail to our own people ----------------------------------------------------------------------------------------


def test_a_cancelled_mail_is_not_sent_and_why_is_kept() -> None:
    cancelled = message.cancel(note(), "nothing_to_say")
    assert (cancelled.cancelled, cancelled.due_at) == ("nothing_to_say", None)
    assert not message.is_sendable(cancelled, after(days=1), POLICY)


def test_a_mail_waits_for_its_time() -> None:
    assert not message.is_sendable(note(), START - timedelta(minutes=1), POLICY)
    assert message.is_sendable(note(), START, POLICY)


def test_a_sent_mail_is_not_due_any_more() -> None:
    done = message.after_sending(note(claimed()), sent())
    assert done.due_at is None
    assert message.given_up(done, after(days=1), POLICY) is None
    assert message.given_up(note(), after(days=1), POLICY) is None


def test_a_mail_nobody_knows_of_is_shown_to_a_person_after_two_tries() -> None:
    first = note(claimed())
    assert message.given_up(first, after(minutes=29), POLICY) is None
    assert message.given_up(first, after(minutes=30), POLICY) is None
    second = note(claim(first.delivery, "two", after(minutes=30), UNKNOWN_AFTER))
    lost = message.given_up(second, after(hours=1), POLICY)
    assert lost is not None
    assert lost.delivery is not None
    assert (lost.delivery.progress, lost.due_at) == (Progress.UNKNOWN, None)


@given(st.sampled_from(list(STARTS)), reports())
def test_a_mail_that_was_heard_of_is_not_due_any_more(start: Progress, told: list[Feedback]) -> None:
    heard = note(STARTS[start])
    for feedback in told:
        heard = message.hear(heard, feedback, after(minutes=1))
    assert heard.due_at is None
    assert heard.delivery is not None
    said = {expected(told), Progress.SENT} if expected(told) is Progress.DELIVERED else {expected(told)}
    assert heard.delivery.progress in said


def test_that_a_message_known_to_be_sent_has_arrived_is_not_worth_a_write() -> None:
    sent = note(STARTS[Progress.SENT])
    sent = replace(sent, due_at=None)
    assert message.hear(sent, Feedback.DELIVERY, after(minutes=1)) is sent
    assert message.hear(sent, Feedback.BOUNCE, after(minutes=1)) != sent


def test_a_report_about_a_mail_that_was_never_claimed_changes_nothing() -> None:
    unsent = note()
    assert message.hear(unsent, Feedback.DELIVERY, START) is unsent


# --- many senders ----------------------------------------------------------------------------------------------------


class OneMailAndManySenders(RuleBasedStateMachine):
    """Senders that crash, are late or are throttled, a provider that may or may not have sent, and a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.held: Delivery | None = None
        self.out: list[str] = []
        """Claims whose call has not returned."""
        self.names = 0
        self.known_sent = False
        self.definitely_not = 0

    @rule(minutes=st.sampled_from([1, 31, 2000]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def a_sender_claims_it(self) -> None:
        self.names += 1
        name = f"claim-{self.names}"
        before = self.held
        try:
            self.held = claim(before, name, self.now, UNKNOWN_AFTER)
        except Refused:
            assert not may_claim(before, self.now, UNKNOWN_AFTER)
            return
        assert not self.known_sent
        if before and before.progress is Progress.CLAIMED:
            assert self.now >= before.claimed_at + UNKNOWN_AFTER
        self.out.append(name)

    @precondition(lambda self: self.out)
    @rule(which=st.integers(0, 9), reply=st.sampled_from(["sent", "throttled", "refused"]))
    def a_call_returns(self, which: int, reply: str) -> None:
        name = self.out.pop(which % len(self.out))
        assert self.held is not None
        before = self.held
        try:
            if reply == "sent":
                self.held = settle_sent(before, name, "ses-1", self.now)
                self.known_sent = True
            elif reply == "throttled":
                self.held = release(before, name)
                self.definitely_not += 1
            else:
                self.held = refuse(before, name, self.now)
                self.known_sent = True
        except Refused:
            assert before.claim != name or before.progress is not Progress.CLAIMED

    @precondition(lambda self: self.held)
    @rule(feedback=st.sampled_from(list(Feedback)))
    def the_provider_reports(self, feedback: Feedback) -> None:
        assert self.held is not None
        self.held = hear(self.held, feedback, self.now)
        self.known_sent = True

    @precondition(lambda self: self.held and self.held.progress is Progress.CLAIMED)
    @rule()
    def the_clock_gives_up(self) -> None:
        assert self.held is not None
        ended = self.now >= claim_ends(self.held, UNKNOWN_AFTER)
        if ended and not may_claim(self.held, self.now, UNKNOWN_AFTER):
            self.held = give_up(self.held, self.now)

    @invariant()
    def it_is_tried_at_most_twice(self) -> None:
        assert self.held is None or 1 <= self.held.attempts <= MOST_ATTEMPTS

    @invariant()
    def what_went_out_is_never_open_again(self) -> None:
        if self.known_sent:
            assert not delivery.is_open(self.held)
            assert not may_claim(self.held, self.now + timedelta(days=99), UNKNOWN_AFTER)


OneMailAndManySenders.TestCase.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
test_one_mail_and_many_senders = OneMailAndManySenders.TestCase


@pytest.mark.parametrize(
    ("to", "is_ours"),
    [("contact:ravi", True), ("team:remote", True), ("chat:ravi", False), (message.CUSTOMER, False)],
)
def test_only_a_mail_to_our_own_people_that_came_to_nothing_is_missed(to: str, is_ours: bool) -> None:
    told = Message(scope=owner_scope("ravi"), name="digest", kind=Kind.DIGEST, to=to, created_at=START)
    for reason in ("suppressed", "recipient_unknown"):
        assert message.misses_colleague(message.cancel(told, reason)) is is_ours
    for reason in ("nothing_to_say", "unwritable", "opted_out"):
        assert not message.misses_colleague(message.cancel(told, reason))
    for progress in Progress:
        held = replace(told, delivery=replace(claimed(), progress=progress))
        failed = progress in {"bounced", "complained", "refused", "unknown"}
        assert message.misses_colleague(held) is (failed and is_ours)
