"""The life of a follow-up: told as examples, and then lived through in every order that chance finds."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from company import ALWAYS, CUSTOMER, POLICY, SETTINGS, START, after, asked, closure, opened, person, sent
from domain import delivery
from domain.closure import Closure
from domain.consequences import missing
from domain.delivery import MOST_ATTEMPTS, Feedback, Progress
from domain.errors import Refused
from domain.flag import Flag, Result, settle
from domain.follow_up import (
    ALLOWED,
    KEPT_ANSWERS,
    PENDING,
    Become,
    Finish,
    FollowUp,
    Press,
    Reply,
    Round,
    Send,
    State,
    Ticket,
    Wait,
    after_sending,
    answers_until,
    get_delivery,
    hear,
    keep_first,
    may_join,
    never_sent,
    next_step,
    open_follow_up,
    put_delivery,
    record_answer,
    repeat,
    same_closure,
    supersede,
    to_state,
)
from domain.message import Kind, Message, cancel
from domain.person import Asked, Person, reserve, suppress
from domain.settings import Colleague, Hours, Team

KIM = Colleague(name="Kim Ren", email="kim@x.example")
OTHER = "someone.else@example.com"


def step(
    follow_up: FollowUp, now: datetime, ticket: Ticket | None = None, who: Person | None = None
) -> object:
    """What is to be done next, for a ticket to which nothing else happened."""
    return next_step(follow_up, ticket or Ticket(follow_ups=(follow_up,)), who or person(), now, POLICY)


def answer(
    follow_up: FollowUp, now: datetime, *, solved: bool, words: str | None = None, consent: bool = False
) -> FollowUp:
    """The customer presses the button."""
    return record_answer(follow_up, Press(solved=solved, words=words, consent=consent), now, POLICY)


# --- opening ---------------------------------------------------------------------------------------------------------


def test_a_closure_is_asked_about_a_day_later() -> None:
    follow_up = opened()
    assert (follow_up.state, follow_up.number, follow_up.due_at) == (State.SCHEDULED, 1, after(days=1))
    assert (follow_up.cause, follow_up.team) == ("firmware", "remote")
    assert step(follow_up, after(hours=23)) == Wait(after(days=1))
    assert step(follow_up, after(days=1)) == Send("survey")


def test_the_first_ask_moves_into_the_customers_office_hours() -> None:
    company = replace(SETTINGS, policy=replace(POLICY, hours=Hours()))
    friday_evening = after(days=4, hours=10)
    follow_up = open_follow_up(
        Ticket(), closure(closed_at=friday_evening, time_zone="Europe/Berlin"), friday_evening, company
    )
    assert follow_up.due_at == after(days=6, hours=22)  # Monday 08:00 in Berlin


def test_without_an_address_nobody_is_asked_and_the_reason_is_kept() -> None:
    follow_up = opened(requester_email=None)
    assert follow_up.due_at == START
    step = next_step(follow_up, Ticket(follow_ups=(follow_up,)), person(), START, POLICY)
    assert isinstance(step, Become)
    assert (step.follow_up.state, step.follow_up.reason) == (State.NOT_ASKED, "no_address")


def test_a_hint_waits_for_its_details_and_then_lives_like_any_other() -> None:
    hint = opened(requester_email=None, cause=None, needs_details=True)
    assert (hint.state, hint.cause) == (State.WAITING, "unclassified")
    complete = repeat(hint, closure(closed_at=after(minutes=1)), after(minutes=2), SETTINGS)
    assert (complete.state, complete.cause, complete.number) == (State.SCHEDULED, "firmware", 1)
    assert (complete.closure.closed_at, complete.opened_at) == (START, START)


def test_a_hint_whose_details_never_come_goes_to_a_person() -> None:
    hint = opened(requester_email=None, needs_details=True)
    assert isinstance(step(hint, after(days=2)), Wait)
    given_up = step(hint, after(days=3))
    assert isinstance(given_up, Become)
    assert (given_up.follow_up.state, given_up.follow_up.reason) == (State.NOT_ASKED, "no_details")


def test_the_report_that_completed_a_hint_is_recognised_when_it_comes_again() -> None:
    """The hint said "solved", the details came with "closed" days later: still one closing of the ticket."""
    hint = opened(requester_email=None, needs_details=True)
    details = closure(kind="closed", closed_at=after(days=2))
    complete = repeat(hint, details, after(days=2), SETTINGS)
    assert same_closure(Ticket(follow_ups=(complete,)), details) is complete


def test_a_time_that_was_guessed_stays_a_guess_when_the_details_come() -> None:
    hint = opened(requester_email=None, needs_details=True, degraded=True)
    details = closure(closed_at=after(minutes=1))
    complete = repeat(hint, details, after(minutes=2), SETTINGS)
    assert same_closure(Ticket(follow_ups=(complete,)), details) is complete


def test_details_cannot_be_added_twice() -> None:
    follow_up = opened()
    assert repeat(follow_up, closure(), after(days=1), SETTINGS) is follow_up


def test_another_customer_for_the_same_closure_is_a_conflict_and_changes_nothing_else() -> None:
    follow_up = opened()
    conflict = repeat(follow_up, closure(requester_email=OTHER), after(hours=1), SETTINGS)
    assert conflict == replace(follow_up, conflict=True)
    assert repeat(conflict, closure(requester_email=OTHER), after(hours=2), SETTINGS) is conflict


def test_another_spelling_of_the_same_mailbox_is_no_conflict() -> None:
    follow_up = opened()
    assert repeat(follow_up, closure(requester_email="Anna.Berg@Example.com"), START, SETTINGS) is follow_up


def test_a_conflict_found_after_the_end_is_due_again() -> None:
    done = replace(asked(), state=State.CONFIRMED, due_at=None)
    assert repeat(done, closure(requester_email=OTHER), after(days=9), SETTINGS).due_at == after(days=9)


# --- asking ----------------------------------------------------------------------------------------------------------


def test_a_reopened_ticket_is_not_asked_about() -> None:
    follow_up = opened()
    done = step(follow_up, after(hours=2), Ticket(follow_ups=(follow_up,), reopens=(after(hours=1),)))
    assert isinstance(done, Become)
    assert (done.follow_up.state, done.follow_up.reason) == (State.REOPENED, "reopened")


def test_a_suppressed_address_is_not_asked() -> None:
    done = step(opened(), after(days=1), who=person(suppressed="complaint"))
    assert isinstance(done, Become)
    assert (done.follow_up.state, done.follow_up.reason) == (State.NOT_ASKED, "suppressed")


def test_somebody_asked_a_few_days_ago_is_asked_later() -> None:
    who = person(asked=(Asked(at=START, source="desk", ticket_id="7", number=1),))
    assert step(opened(), after(days=1), who=who) == Wait(after(days=7), quiet=True)
    assert step(opened(), after(days=7), who=who) == Send("survey")


def test_a_delivered_survey_is_repeated_once_and_then_silence_is_the_outcome() -> None:
    follow_up = asked()
    assert follow_up.state is State.ASKED
    assert step(follow_up, after(days=4)) == Wait(after(days=4, minutes=15))
    assert step(follow_up, after(days=4, minutes=15)) == Send("reminder")
    reminded = after_sending(follow_up, "reminder", sent(at=after(days=4, hours=1)), POLICY)
    assert step(reminded, after(days=5)) == Wait(after(days=8))
    silent = step(reminded, after(days=8))
    assert isinstance(silent, Become)
    assert silent.follow_up.state is State.SILENT
    assert step(silent.follow_up, after(days=8)) == Finish()


def test_somebody_who_complained_is_not_reminded() -> None:
    assert step(asked(), after(days=5), who=person(suppressed="complaint")) == Wait(after(days=8))


def test_a_survey_that_nobody_saw_arrive_ends_as_not_asked() -> None:
    out = after_sending(opened(), "survey", sent(at=after(days=1)), POLICY)
    lost = step(out, after(days=5))
    assert isinstance(lost, Become)
    assert (lost.follow_up.state, lost.follow_up.reason) == (State.NOT_ASKED, "undelivered")
    late = hear(lost.follow_up, "survey", Feedback.DELIVERY, after(days=6), after(days=6), POLICY)
    assert (late.state, late.reason) == (State.NOT_ASKED, "undelivered_then_delivered")


def test_a_call_without_reply_is_repeated_once_and_then_shown_to_a_person() -> None:
    first = delivery.claim(None, "one", after(days=1), POLICY.unknown_after)
    claimed = put_delivery(opened(), "survey", first)
    assert step(claimed, after(days=1, minutes=29)) == Wait(after(days=1, minutes=30))
    assert step(claimed, after(days=1, minutes=30)) == Send("survey")
    second = delivery.claim(first, "two", after(days=1, minutes=30), POLICY.unknown_after)
    given_up = step(put_delivery(claimed, "survey", second), after(days=1, hours=1))
    assert isinstance(given_up, Become)
    assert (given_up.follow_up.state, given_up.follow_up.reason) == (State.NOT_ASKED, "delivery_unknown")


def test_a_call_without_reply_is_not_repeated_while_somebody_was_just_asked_about_something_else() -> None:
    claim = delivery.claim(None, "one", after(days=1), POLICY.unknown_after)
    claimed = put_delivery(opened(), "survey", claim)
    who = person(asked=(Asked(at=after(days=1, minutes=10), source="desk", ticket_id="7", number=1),))
    assert step(claimed, after(days=1, minutes=30), who=who) == Wait(after(days=8, minutes=10), quiet=True)
    assert step(claimed, after(days=8, minutes=10), who=who) == Send("survey")


def test_a_reminder_that_may_have_gone_out_does_not_change_what_was_asked() -> None:
    claim = delivery.claim(None, "one", after(days=5), POLICY.unknown_after)
    claim = delivery.claim(claim, "two", after(days=5, hours=1), POLICY.unknown_after)
    given_up = step(put_delivery(asked(), "reminder", claim), after(days=5, hours=2))
    assert isinstance(given_up, Become)
    assert given_up.follow_up.state is State.ASKED
    assert step(given_up.follow_up, after(days=5, hours=2)) == Wait(after(days=8))


def test_nobody_is_reminded_together_of_what_they_have_written_about() -> None:
    first, second = asked(), replace(asked(), closure=closure(ticket_id="another"))
    ticket = Ticket(follow_ups=(second,))
    assert may_join(second, ticket, first, "reminder", after(days=5), POLICY)
    wrote = replace(second, replies=(Reply(mail="1", at=after(days=4), words="Thanks, but"),))
    assert not may_join(wrote, ticket, first, "reminder", after(days=5), POLICY)


def test_a_reminder_is_tried_once_more_as_if_for_the_first_time() -> None:
    claim = delivery.claim(None, "one", after(days=5), POLICY.unknown_after)
    claimed = put_delivery(asked(), "reminder", claim)
    again = after(days=5, minutes=30)
    assert step(claimed, again) == Send("reminder")
    wrote = replace(claimed, replies=(Reply(mail="1", at=after(days=5, minutes=10), words="Thanks, but"),))
    assert step(wrote, again) == Wait(after(days=8))
    nine_to_five = replace(POLICY, hours=Hours())
    at_night = next_step(
        claimed, Ticket(follow_ups=(claimed,)), person(), again.replace(hour=23), nine_to_five
    )
    assert isinstance(at_night, Wait)


@pytest.mark.parametrize(
    ("feedback", "reason"),
    [
        (Feedback.BOUNCE, "bounced"),
        (Feedback.COMPLAINT, "complained"),
        (Feedback.REJECT, "refused"),
    ],
)
def test_a_survey_that_failed_means_that_nobody_was_asked(feedback: Feedback, reason: str) -> None:
    out = after_sending(opened(), "survey", sent(at=after(days=1)), POLICY)
    failed = hear(out, "survey", feedback, after(days=1), after(days=1), POLICY)
    assert (failed.state, failed.reason) == (State.NOT_ASKED, reason)


def test_a_survey_that_the_provider_never_takes_ends_as_not_asked() -> None:
    claim = delivery.claim(None, "one", after(days=1), POLICY.unknown_after)
    refused = delivery.refuse(claim, "one", after(days=1))
    done = never_sent(put_delivery(opened(), "survey", claim), "survey", refused, after(days=1))
    assert (done.state, done.reason) == (State.NOT_ASKED, "refused")
    reminded = never_sent(asked(), "reminder", refused, after(days=5))
    assert reminded.state is State.ASKED


def test_a_report_about_a_mail_that_was_never_claimed_changes_nothing() -> None:
    follow_up = opened()
    assert hear(follow_up, "survey", Feedback.DELIVERY, START, START, POLICY) is follow_up


def test_the_provider_may_know_that_the_mail_is_out_before_we_do() -> None:
    claimed = put_delivery(
        opened(), "survey", delivery.claim(None, "one", after(days=1), POLICY.unknown_after)
    )
    heard = hear(claimed, "survey", Feedback.DELIVERY, after(days=1), after(days=1), POLICY)
    assert heard.state is State.ASKED
    settled = delivery.settle_sent(heard.survey or sent(), "one", "ses-1", after(days=1))
    assert after_sending(heard, "survey", settled, POLICY).due_at == heard.due_at


# --- answers ---------------------------------------------------------------------------------------------------------


def test_solved_is_confirmed_and_not_solved_is_denied() -> None:
    assert answer(asked(), after(days=2), solved=True).state is State.CONFIRMED
    assert answer(asked(), after(days=2), solved=False).state is State.DENIED


def test_the_customer_may_change_the_answer_and_both_are_kept() -> None:
    changed = answer(answer(asked(), after(days=2), solved=True), after(days=3), solved=False)
    assert changed.state is State.DENIED
    assert [said.solved for said in changed.answers] == [True, False]


def test_pressing_twice_is_answering_once() -> None:
    first = answer(asked(), after(days=2), solved=True, words="Thank you", consent=True)
    assert answer(first, after(days=3), solved=True) is first
    assert answer(first, after(days=3), solved=True, words="Thank you", consent=True) is first


def test_consent_is_to_the_exact_words_and_ends_with_them() -> None:
    agreed = answer(asked(), after(days=2), solved=True, words="Thank you", consent=True)
    assert agreed.answer is not None
    assert agreed.answer.consent == "Thank you"
    other_words = answer(agreed, after(days=3), solved=True, words="Thank you, Marta")
    assert other_words.answer is not None
    assert (other_words.answer.words, other_words.answer.consent) == ("Thank you, Marta", None)


def test_words_may_be_consented_to_later() -> None:
    spoken = answer(asked(), after(days=2), solved=True, words="Thank you")
    agreed = answer(spoken, after(days=3), solved=True, consent=True)
    assert agreed.answer is not None
    assert agreed.answer.consent == "Thank you"


def test_a_complaint_is_never_quoted() -> None:
    denied = answer(asked(), after(days=2), solved=False, words="Still broken", consent=True)
    assert denied.answer is not None
    assert (denied.answer.words, denied.answer.consent) == ("Still broken", None)


def test_a_late_no_is_late_and_counts() -> None:
    silent = to_state(asked(), State.SILENT, after(days=8))
    assert answers_until(silent, POLICY) == after(days=15)
    late = answer(silent, after(days=16), solved=False)
    assert late.state is State.DENIED
    assert late.answer is not None
    assert late.answer.late


def test_an_answer_after_everything_was_finished_is_due_at_once() -> None:
    """Nothing may depend on the stream alone: the sweep has to find a late "no" by itself."""
    finished = replace(to_state(asked(), State.SILENT, after(days=8)), due_at=None)
    assert answer(finished, after(days=9), solved=False).due_at == after(days=9)


def test_a_reopened_ticket_takes_no_answer() -> None:
    ended = supersede(asked(), Ticket(reopens=(after(days=2),)), after(days=2))
    with pytest.raises(Refused):
        answer(ended, after(days=3), solved=True)


# --- one whole life --------------------------------------------------------------------------------------------------

ROUNDS: tuple[Round, ...] = ("survey", "reminder")
rounds = st.sampled_from(ROUNDS)
words = st.sampled_from([None, "Thank you", "It still drops"])
spans = st.sampled_from(
    [timedelta(minutes=1), timedelta(minutes=31), timedelta(hours=5), timedelta(days=1), timedelta(days=4)]
)


class LifeOfAFollowUp(RuleBasedStateMachine):
    """Everything that can happen to one follow-up, in any order; each rule does what a Lambda does with the domain."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.ticket = Ticket()
        self.person = person()
        self.flag: Flag | None = None
        self.messages: dict[str, Message] = {}
        self.calls: list[tuple[Round, str]] = []
        self.claims = 0
        self.settled: set[Round] = set()
        self.note_calls = 0
        self.presses: list[bool] = []

    @property
    def it(self) -> FollowUp:
        """The follow-up whose life this is."""
        return self.ticket.follow_ups[0]

    def becomes(self, changed: FollowUp) -> None:
        """Store it; only the steps in ALLOWED are steps."""
        before = self.it
        assert changed.state is before.state or changed.state in ALLOWED[before.state]
        assert (changed.number, changed.opened_at) == (before.number, before.opened_at)
        self.ticket = replace(self.ticket, follow_ups=(changed, *self.ticket.follow_ups[1:]))

    def follow(self) -> None:
        """Write what follows, as the stream and the sweep do; the second time there is nothing left to write."""
        for record in missing(self.it, self.flag, self.messages, self.now, SETTINGS):
            if isinstance(record, Flag):
                self.flag = record
            elif isinstance(record, Message):
                self.messages[record.name] = record
        assert missing(self.it, self.flag, self.messages, self.now, SETTINGS) == ()
        if reason_must_be_seen(self.it):
            assert self.flag is not None
            settled_by_person = self.flag.settled_by and self.flag.settled_at
            assert self.flag.settled_at is None or settled_by_person
        notes = [message for message in self.messages.values() if message.kind is Kind.NOTE]
        assert len(notes) <= 1
        if self.it.state is State.CONFIRMED:
            assert len(notes) == 1
            # A cancelled note whose fate is unknown is not sent again when the words go out as an appreciation.
            thanked = any(message.kind is Kind.APPRECIATION for message in self.messages.values())
            assert thanked or notes[0].cancelled is None or not delivery.is_open(notes[0].delivery)

    @initialize(
        address=st.sampled_from([CUSTOMER, CUSTOMER, CUSTOMER, None]),
        hint=st.sampled_from([False, False, False, True]),
    )
    def the_ticket_is_closed(self, address: str | None, hint: bool) -> None:
        reported = closure(requester_email=None if hint else address, needs_details=hint)
        self.ticket = Ticket(follow_ups=(open_follow_up(self.ticket, reported, self.now, SETTINGS),))

    @rule(address=st.sampled_from([CUSTOMER, CUSTOMER, OTHER, None]), hint=st.booleans(), later=st.booleans())
    def the_closure_is_reported_again(self, address: str | None, hint: bool, later: bool) -> None:
        """By another hook, or because "solved" became "closed"."""
        again = closure(
            requester_email=None if hint else address,
            needs_details=hint,
            kind="closed" if later and not self.ticket.reopens else "solved",
            closed_at=max(self.now, after(minutes=1)) if later and not self.ticket.reopens else START,
        )
        known = same_closure(Ticket(follow_ups=(self.it,), reopens=self.ticket.reopens), again)
        assert known is self.it
        self.becomes(repeat(self.it, again, self.now, SETTINGS))

    @rule()
    def the_ticket_is_reopened(self) -> None:
        self.ticket = replace(self.ticket, reopens=(*self.ticket.reopens, self.now))

    @rule(told=st.booleans())
    def the_ticket_is_closed_again(self, told: bool) -> None:
        """Whoever takes the next step of its older follow-up sees it; ``told``: that is somebody at once."""
        again = closure(closed_at=self.now + timedelta(minutes=1))
        if same_closure(self.ticket, again) is None:
            newer = open_follow_up(self.ticket, again, self.now, SETTINGS)
            self.ticket = replace(self.ticket, follow_ups=(*self.ticket.follow_ups, newer))
            if told:
                self.becomes(supersede(self.it, self.ticket, self.now))

    @rule(span=spans)
    def time_passes(self, span: timedelta) -> None:
        self.now += span

    @rule()
    def the_clock_comes_when_something_is_due(self) -> None:
        due_at = self.it.due_at
        if due_at is not None:
            self.now = max(self.now, due_at)
            self.the_clock_looks_at_it()

    @rule()
    def the_clock_looks_at_it(self) -> None:
        if self.it.due_at is None:
            return
        step = next_step(self.it, self.ticket, self.person, self.now, POLICY)
        if isinstance(step, Wait):
            assert step.until > self.now
            self.becomes(replace(self.it, due_at=step.until))
        elif isinstance(step, Send):
            self._claim(step.round)
        elif isinstance(step, Become):
            assert step.follow_up != self.it
            self.becomes(step.follow_up)
        if self.it.state not in PENDING:
            self.follow()
            self.becomes(replace(self.it, due_at=None))

    def _claim(self, round: Round) -> None:
        assert round not in self.settled
        assert not self.person.suppressed
        assert self.it.state is (State.SCHEDULED if round == "survey" else State.ASKED)
        assert not self.it.answers
        self.claims += 1
        name = f"claim-{self.claims}"
        self.person = reserve(
            self.person, Asked(at=self.now, source="desk", ticket_id="48211", number=self.it.number)
        )
        held = delivery.claim(get_delivery(self.it, round), name, self.now, POLICY.unknown_after)
        self.becomes(put_delivery(self.it, round, held))
        self.calls.append((round, name))

    @precondition(lambda self: self.calls)
    @rule(which=st.integers(0, 9), reply=st.sampled_from(["sent", "sent", "not sent", "never", "lost"]))
    def the_provider_replies(self, which: int, reply: str) -> None:
        round, name = self.calls.pop(which % len(self.calls))
        held = get_delivery(self.it, round)
        assert held is not None
        try:
            if reply == "sent":
                settled = delivery.settle_sent(held, name, "ses-1", self.now)
                self.becomes(after_sending(self.it, round, settled, POLICY))
                self.settled.add(round)
            elif reply == "not sent":
                self.becomes(put_delivery(self.it, round, delivery.release(held, name)))
            elif reply == "never":
                refused = delivery.refuse(held, name, self.now)
                self.becomes(never_sent(self.it, round, refused, self.now))
                self.settled.add(round)
        except Refused:
            latest = get_delivery(self.it, round)
            assert latest is not None
            assert latest.claim != name or latest.progress is not Progress.CLAIMED

    @precondition(lambda self: self.it.survey)
    @rule(round=rounds, feedback=st.sampled_from(list(Feedback)))
    def the_provider_reports(self, round: Round, feedback: Feedback) -> None:
        if get_delivery(self.it, round) is None:
            return
        self.becomes(hear(self.it, round, feedback, self.now, self.now, POLICY))
        self.settled.add(round)

    @precondition(lambda self: self.it.survey)
    @rule(solved=st.booleans(), words=words, consent=st.booleans())
    def the_customer_answers(self, solved: bool, words: str | None, consent: bool) -> None:
        before = self.it
        try:
            said = answer(before, self.now, solved=solved, words=words, consent=consent)
        except Refused:
            assert before.state is State.REOPENED
            return
        self.becomes(said)
        if not self.presses or self.presses[-1] != solved:
            self.presses.append(solved)
        latest = said.answer
        assert latest is not None
        assert latest.solved is solved
        assert words is None or latest.words == words
        assert latest.consent is None or (solved and latest.consent == latest.words)
        assert not (solved and consent and latest.words) or latest.consent == latest.words
        again = answer(said, self.now, solved=solved, words=words, consent=consent)
        assert again is said

    @rule(feedback=st.sampled_from([Feedback.BOUNCE, Feedback.COMPLAINT]))
    def the_address_is_suppressed(self, feedback: Feedback) -> None:
        self.person = suppress(self.person, feedback, self.now)

    @rule()
    def the_stream_reacts(self) -> None:
        self.follow()

    @precondition(lambda self: self.flag is not None and self.flag.settled_at is None)
    @rule()
    def a_person_settles_the_flag(self) -> None:
        assert self.flag is not None
        self.follow()
        if self.flag.settled_at is None:
            self.now += timedelta(seconds=1)
            self.flag = settle(self.flag, "jonas", Result.SOLVED, "Called", self.now)
            self.now += timedelta(seconds=1)

    @rule(reply=st.sampled_from(["sent", "not sent", "lost"]), arrives=st.booleans())
    def the_note_is_sent(self, reply: str, arrives: bool) -> None:
        """Or cancelled, when its follow-up is not confirmed any more."""
        note = self.messages.get("0001#note")
        if (
            note is None
            or note.cancelled
            or not delivery.may_claim(note.delivery, self.now, POLICY.unknown_after)
        ):
            return
        if self.it.state is not State.CONFIRMED:
            self.messages[note.name] = cancel(note, "nothing_to_say")
            return
        self.claims += 1
        name = f"claim-{self.claims}"
        held = delivery.claim(note.delivery, name, self.now, POLICY.unknown_after)
        if reply == "sent":
            held = delivery.settle_sent(held, name, "ses-1", self.now)
        elif reply == "not sent":
            held = delivery.release(held, name)
        self.note_calls += reply != "not sent"
        if arrives and reply == "lost":
            held = delivery.hear(held, Feedback.DELIVERY, self.now)
        quoted = {"quoted": "yes"} if self.it.answer and self.it.answer.consent else {}
        self.messages[note.name] = replace(note, delivery=held, about={**note.about, **quoted})

    @invariant()
    def only_who_answered_is_confirmed_or_denied(self) -> None:
        if self.it.answer is None:
            assert self.it.state not in {State.CONFIRMED, State.DENIED}
        else:
            assert self.it.state is (State.CONFIRMED if self.it.answer.solved else State.DENIED)

    @invariant()
    def no_answer_is_lost(self) -> None:
        assert [said.solved for said in self.it.answers] == self.presses[-KEPT_ANSWERS:]

    @invariant()
    def no_mail_is_tried_more_than_twice(self) -> None:
        held = (self.it.survey, self.it.reminder)
        assert all(mail is None or mail.attempts <= MOST_ATTEMPTS for mail in held)
        assert self.note_calls <= MOST_ATTEMPTS

    @invariant()
    def nothing_is_forgotten(self) -> None:
        """What is not due any more has had its outcome, and everything that follows from it is there."""
        if self.it.due_at is None:
            assert self.it.state not in PENDING
            assert self.it.state is State.REOPENED or self.it.outcome_at is not None
            assert not [
                record
                for record in missing(self.it, self.flag, self.messages, self.now, SETTINGS)
                if isinstance(record, Flag)
                or (isinstance(record, Message) and record.name not in self.messages)
            ]

    @invariant()
    def why_it_was_not_asked_is_known(self) -> None:
        if self.it.state in {State.NOT_ASKED, State.REOPENED}:
            assert self.it.reason


def reason_must_be_seen(follow_up: FollowUp) -> bool:
    """Whether its end was no confirmed one, said independently of the flags."""
    return follow_up.state in {State.DENIED, State.SILENT, State.NOT_ASKED}


LifeOfAFollowUp.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
test_the_life_of_a_follow_up = LifeOfAFollowUp.TestCase


@given(
    st.sampled_from(["delivered", "bounced", "nothing", "accepted"]),
    st.sampled_from([ALWAYS, Hours(), Hours(weekdays=(6,))]),
    st.booleans(),
    st.booleans(),
)
def test_left_alone_every_follow_up_comes_to_an_end(
    fate: str, open_hours: Hours, hint: bool, address: bool
) -> None:
    """Only the clock and the provider act; each step either ends it or is later than the one before."""
    policy = replace(POLICY, hours=open_hours)
    company = replace(SETTINGS, policy=policy)
    reported = closure(requester_email=CUSTOMER if address else None, needs_details=hint)
    follow_up, now = open_follow_up(Ticket(), reported, START, company), START
    for number in range(30):
        taken = next_step(follow_up, Ticket(follow_ups=(follow_up,)), person(), now, policy)
        if isinstance(taken, Wait):
            assert taken.until > now
            now = taken.until
            follow_up = replace(follow_up, due_at=now)
        elif isinstance(taken, Become):
            follow_up = taken.follow_up
        elif isinstance(taken, Send):
            held = delivery.claim(
                get_delivery(follow_up, taken.round), f"{number}", now, policy.unknown_after
            )
            follow_up = put_delivery(follow_up, taken.round, held)
            if fate != "nothing":
                settled = delivery.settle_sent(held, f"{number}", "ses-1", now)
                follow_up = after_sending(follow_up, taken.round, settled, policy)
            if fate in {"delivered", "bounced"}:
                report = Feedback.DELIVERY if fate == "delivered" else Feedback.BOUNCE
                follow_up = hear(follow_up, taken.round, report, now, now, policy)
        else:
            break
    assert isinstance(taken, Finish)
    asked_at_all = address and not hint
    expected = State.SILENT if asked_at_all and fate == "delivered" else State.NOT_ASKED
    assert follow_up.state is expected
    assert now <= START + timedelta(days=40)


# --- one ticket ------------------------------------------------------------------------------------------------------

Event = Closure | datetime
"""A closing, or the instant of a reopening."""


def take_in(ticket: Ticket, event: Event, now: datetime) -> Ticket:
    """What the receiving Lambda does with one report, said with the domain's functions only."""
    follow_ups = {known.number: known for known in ticket.follow_ups}
    reopens = ticket.reopens
    if isinstance(event, datetime):
        reopens = tuple(dict.fromkeys((*reopens, event)))
    else:
        found = same_closure(ticket, event)
        changed = (
            repeat(found, event, now, SETTINGS) if found else open_follow_up(ticket, event, now, SETTINGS)
        )
        follow_ups[changed.number] = changed
    by_closing = tuple(sorted(follow_ups.values(), key=lambda known: known.closure.closed_at))
    return Ticket(follow_ups=by_closing, reopens=reopens)


def tell(events: list[Event]) -> Ticket:
    """The ticket after these reports came in this order, and after each one the next step of all its follow-ups."""
    ticket = Ticket()
    for number, event in enumerate(events):
        ticket = take_in(ticket, event, after(days=20, minutes=number))
        now = tuple(supersede(known, ticket, after(days=21)) for known in ticket.follow_ups)
        ticket = replace(ticket, follow_ups=now)
        pending = [known for known in ticket.follow_ups if known.state in PENDING]
        assert len(pending) <= 1
    return ticket


def pending_of(ticket: Ticket) -> list[datetime]:
    """The closing instants of what is still to be asked, or being asked."""
    return [known.closure.closed_at for known in ticket.follow_ups if known.state in PENDING]


@st.composite
def histories(draw: st.DrawFn, kinds: tuple[str, ...] = ("solved", "reopened")) -> list[Event]:
    """What happened to a ticket, in the order in which it happened, seldom less than seconds apart."""
    instant = START
    events: list[Event] = []
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=6)):
        instant += timedelta(seconds=draw(st.integers(3, 100_000)))
        events.append(instant if kind == "reopened" else closure(closed_at=instant, kind=kind))
    return events


@st.composite
def reports(draw: st.DrawFn) -> tuple[list[Event], list[Event]]:
    """A history, and its reports: any order, and any of them more than once."""
    history = draw(histories())
    repeats = draw(st.lists(st.sampled_from(history), max_size=6))
    return history, draw(st.permutations([*history, *repeats]))


@given(reports())
def test_whatever_order_reports_come_in_each_closing_has_one_follow_up_and_the_last_is_pending(
    told: tuple[list[Event], list[Event]],
) -> None:
    history, arrived = told
    closings = [event.closed_at for event in history if isinstance(event, Closure)]
    ticket = tell(arrived)
    assert [known.closure.closed_at for known in ticket.follow_ups] == closings
    last = history[-1]
    assert pending_of(ticket) == ([last.closed_at] if isinstance(last, Closure) else [])
    assert sorted(known.number for known in ticket.follow_ups) == list(range(1, len(closings) + 1))


@given(st.data())
def test_solved_and_then_closed_is_one_closing_whatever_comes_first_and_how_often(
    data: st.DataObject,
) -> None:
    days = data.draw(st.floats(0.01, 28))
    both: list[Event] = [closure(), closure(kind="closed", closed_at=after(days=days))]
    repeats = data.draw(st.lists(st.sampled_from(both), max_size=6))
    ticket = tell(data.draw(st.permutations([*both, *repeats])))
    assert len(ticket.follow_ups) == len(pending_of(ticket)) == 1


@given(st.data())
def test_in_its_own_order_a_solved_closed_and_reopened_ticket_is_pending_when_it_ended_closed(
    data: st.DataObject,
) -> None:
    """Each "solved" may become "closed", and any earlier report may come again at any time."""
    instant, closings = START, []
    history: list[Event] = []
    for closed_too in data.draw(st.lists(st.booleans(), min_size=1, max_size=4)):
        history.append(closure(closed_at=instant))
        closings.append(instant)
        if closed_too:
            history.append(closure(closed_at=instant + timedelta(hours=1), kind="closed"))
        history.append(instant + timedelta(hours=2))
        instant += timedelta(hours=3)
    if data.draw(st.booleans()):
        history.pop()
    arrived: list[Event] = []
    for number, event in enumerate(history):
        arrived += [event, *data.draw(st.lists(st.sampled_from(history[: number + 1]), max_size=2))]
    ticket = tell(arrived)
    assert [known.closure.closed_at for known in ticket.follow_ups] == closings
    assert pending_of(ticket) == (closings[-1:] if isinstance(history[-1], Closure) else [])


@given(st.permutations(["guess", "guess again", "exact", "exact"]), st.integers(-600, 600))
def test_a_closing_whose_time_was_guessed_is_the_same_as_the_one_with_its_time(
    order: list[str], seconds: int
) -> None:
    """Whichever is heard first, and whether the guess is before or after the truth."""
    said: dict[str, Event] = {
        "guess": closure(closed_at=START + timedelta(seconds=seconds), degraded=True),
        "guess again": closure(closed_at=START + timedelta(seconds=seconds + 60), degraded=True),
        "exact": closure(),
    }
    ticket = tell([said[name] for name in order])
    assert len(ticket.follow_ups) == len(pending_of(ticket)) == 1


def test_a_reopening_that_comes_before_its_closing_ends_it_all_the_same() -> None:
    ticket = tell([after(hours=1), closure()])
    assert [known.state for known in ticket.follow_ups] == [State.REOPENED]


def test_of_a_closing_and_a_reopening_at_the_same_instant_the_reopening_counts() -> None:
    both: list[Event] = [closure(), START]
    for events in (both, both[::-1]):
        assert [known.state for known in tell(events).follow_ups] == [State.REOPENED]


def test_a_ticket_solved_after_it_was_finally_closed_was_closed_a_second_time() -> None:
    ticket = tell([closure(kind="closed"), closure(closed_at=after(days=1))])
    assert [known.state for known in ticket.follow_ups] == [State.REOPENED, State.SCHEDULED]


def test_a_final_closing_is_that_of_the_last_solution_although_nobody_told_of_a_reopening() -> None:
    twice = tell([closure(), closure(closed_at=after(days=2))])
    final = closure(closed_at=after(days=3), kind="closed")
    assert [
        found.number for found in (same_closure(twice, closure()), same_closure(twice, final)) if found
    ] == [1, 2]


def test_reopening_that_is_heard_of_after_the_final_closing_does_not_lose_it() -> None:
    final = closure(closed_at=after(hours=20), kind="closed")
    closed = repeat(opened(), final, after(hours=20), SETTINGS)
    assert Ticket(follow_ups=(closed,), reopens=(after(hours=10),)).superseded(closed) is None
    assert same_closure(Ticket(follow_ups=(closed,), reopens=(after(hours=10),)), final) == closed
    assert Ticket(follow_ups=(closed,), reopens=(after(hours=30),)).superseded(closed) == "reopened"


def test_resolver_whose_address_is_known_gets_a_name() -> None:
    company = replace(SETTINGS, teams={"vpn": Team(name="VPN", email="vpn@x.example", people={"kim": KIM})})
    named = open_follow_up(Ticket(), closure(resolver_email="Kim@x.example"), START, company)
    assert named.closure.resolver_name == "Kim Ren"
    given = closure(resolver_email="kim@x.example", resolver_name="K. Ren")
    assert open_follow_up(Ticket(), given, START, company).closure.resolver_name == "K. Ren"


@given(st.lists(st.timedeltas(timedelta(), timedelta(days=900)), min_size=1, max_size=6))
def test_whatever_is_still_kept_of_a_ticket_its_first_follow_up_is(closings: list[timedelta]) -> None:
    """So a report that finds the key of number 1 free is the first one that is known."""
    kept: dict[int, FollowUp] = {}
    for at in sorted(closings):
        now = START + at
        kept = {n: known for n, known in kept.items() if known.keep_until and known.keep_until > now}
        ticket = Ticket(follow_ups=tuple(kept.values()))
        new = open_follow_up(ticket, closure(closed_at=now), now, SETTINGS)
        assert new.number not in kept
        first = keep_first(ticket, new)
        kept |= {1: first} if first else {}
        kept[new.number] = new
        assert kept[1].keep_until == max(known.keep_until or START for known in kept.values())
