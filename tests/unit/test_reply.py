"""What a reply changes: an answer, or a person's worklist."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from company import POLICY, SETTINGS, after, asked, opened, person
from domain.delivery import Progress, claim
from domain.flag import Flag, Reason, Result, flag_for, settle
from domain.follow_up import (
    AskedAgain,
    FollowUp,
    Press,
    State,
    Ticket,
    Wait,
    next_step,
    put_delivery,
    record_answer,
    to_state,
)
from domain.reply import KEPT_REPLIES, MOST_REPLIES, WITHIN, Said, TooMany, Verdict, take

NOW = after(days=2)


def replied(
    follow_up: FollowUp,
    verdict: Verdict,
    at: datetime = NOW,
    mail_id: str = "1",
    doubt: str | None = None,
    superseded: str | None = None,
    received_at: datetime | None = None,
) -> FollowUp:
    """The follow-up after a reply."""
    said = Said(mail_id=mail_id, verdict=verdict, words="My words.", doubt=doubt, received_at=received_at)
    return take(follow_up, said, superseded, at, POLICY)


def flagged(follow_up: FollowUp, known: Flag | None = None, at: datetime = NOW) -> Flag | None:
    """What becomes of its flag."""
    return flag_for(follow_up, known, at, SETTINGS)


@pytest.mark.parametrize(("verdict", "state"), [(Verdict.YES, State.CONFIRMED), (Verdict.NO, State.DENIED)])
def test_a_clear_reply_is_what_a_press_would_have_been(verdict: Verdict, state: State) -> None:
    by_mail = replied(asked(), verdict)
    pressed = record_answer(asked(), Press(solved=verdict is Verdict.YES, words="My words."), NOW, POLICY)
    assert (by_mail.state, by_mail.answers) == (state, pressed.answers)
    assert by_mail.replies[-1].counted
    assert by_mail.unread == ()


@pytest.mark.parametrize("verdict", [Verdict.THANKS, Verdict.UNCLEAR])
def test_an_unclear_reply_is_kept_and_leaves_the_question_open(verdict: Verdict) -> None:
    kept = replied(asked(), verdict)
    assert (kept.state, kept.answers, kept.due_at) == (State.ASKED, (), asked().due_at)
    assert [reply.words for reply in kept.unread] == ["My words."]
    raised = flagged(kept)
    assert raised is not None
    assert raised.reason is Reason.REPLY


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("doubt", ["unauthenticated", "unverified_sender"])
def test_e4_a_doubtful_reply_never_counts(verdict: Verdict, doubt: str) -> None:
    kept = replied(asked(), verdict, doubt=doubt)
    assert (kept.state, kept.answers) == (State.ASKED, ())
    raised = flagged(kept)
    assert raised is not None
    assert raised.reason is Reason.UNVERIFIED_REPLY


def test_e8_the_same_mail_is_taken_once() -> None:
    once = replied(asked(), Verdict.NO)
    assert replied(once, Verdict.NO, at=after(days=3)) is once


def test_e2_more_than_a_person_writes_is_not_taken() -> None:
    follow_up = asked()
    for number in range(MOST_REPLIES):
        follow_up = replied(
            follow_up, Verdict.UNCLEAR, mail_id=str(number), at=NOW + timedelta(minutes=number)
        )
    with pytest.raises(TooMany):
        replied(follow_up, Verdict.YES, mail_id="x", at=NOW + timedelta(minutes=59))
    assert replied(follow_up, Verdict.YES, mail_id="x", at=NOW + WITHIN).state is State.CONFIRMED


def test_what_is_kept_of_replies_has_an_end() -> None:
    follow_up = asked()
    for day in range(KEPT_REPLIES + 5):
        follow_up = replied(follow_up, Verdict.UNCLEAR, mail_id=str(day), at=after(days=day + 2))
    assert len(follow_up.replies) == KEPT_REPLIES


def test_e9_a_reopened_ticket_is_answered_by_nobody_but_read() -> None:
    reopened = replace(asked(), state=State.REOPENED)
    kept = replied(reopened, Verdict.YES)
    assert (kept.state, kept.answers) == (State.REOPENED, ())
    assert kept.due_at == NOW or kept.due_at == asked().due_at
    raised = flagged(kept)
    assert raised is not None
    assert raised.reason is Reason.REPLY


def test_e9_a_later_closing_takes_the_question_away_unless_it_was_answered() -> None:
    assert replied(asked(), Verdict.NO, superseded="closed_again").answers == ()
    answered = replied(asked(), Verdict.YES)
    again = replied(answered, Verdict.NO, mail_id="2", at=after(days=3), superseded="closed_again")
    assert again.state is State.DENIED


def test_e9_a_reply_after_the_end_is_late() -> None:
    answer = replied(asked(), Verdict.NO, at=after(days=90)).answer
    assert answer is not None
    assert answer.late


@pytest.mark.parametrize("solved", [True, False])
def test_a_mail_that_comes_to_us_after_a_later_press_is_read_and_takes_nothing_back(solved: bool) -> None:
    pressed = record_answer(asked(), Press(solved=solved), NOW, POLICY)
    verdict = Verdict.NO if solved else Verdict.YES
    before, later = NOW - timedelta(minutes=10), NOW + timedelta(minutes=10)
    kept = replied(pressed, verdict, later, received_at=before)
    assert (kept.state, kept.answers) == (pressed.state, pressed.answers)
    assert [reply.words for reply in kept.unread] == ["My words."]
    heard = replied(pressed, verdict, later, received_at=NOW + timedelta(minutes=1))
    assert heard.state is not pressed.state


def test_whoever_replies_has_got_the_survey_and_does_not_get_it_again() -> None:
    unheard = put_delivery(opened(), "survey", claim(None, "one", after(days=1), POLICY.unknown_after))
    said = Said(mail_id="1", verdict=Verdict.UNCLEAR, words="Thanks, but", to=unheard.ref, received_at=NOW)
    kept = take(unheard, said, None, NOW, POLICY)
    assert kept.state is State.ASKED
    assert kept.survey is not None
    assert kept.survey.progress is Progress.DELIVERED
    assert len(kept.unread) == 1
    elsewhere = replace(said, to=replace(unheard.ref, ticket_id="another"))
    assert take(unheard, elsewhere, None, NOW, POLICY).state is State.SCHEDULED


def test_of_two_mails_the_later_one_counts_in_whatever_order_they_come() -> None:
    second = replied(asked(), Verdict.NO, NOW, "2", received_at=NOW - timedelta(minutes=5))
    first = replied(second, Verdict.YES, NOW, "1", received_at=NOW - timedelta(minutes=9))
    assert first.state is State.DENIED
    assert (
        replied(second, Verdict.YES, NOW, "1", received_at=NOW - timedelta(minutes=1)).state
        is State.CONFIRMED
    )


def test_a_mail_from_before_the_question_was_asked_again_does_not_answer_it() -> None:
    denied = record_answer(asked(), Press(solved=False), after(days=1, hours=1), POLICY)
    again = replace(denied, asked_again=(AskedAgain(at=NOW, by="ravi", done="Called."),))
    kept = replied(again, Verdict.NO, NOW + timedelta(minutes=5), received_at=NOW - timedelta(minutes=5))
    assert kept.standing is None
    assert len(kept.unread) == 1


def test_whoever_wrote_is_not_reminded() -> None:
    kept = replied(asked(), Verdict.UNCLEAR)
    step = next_step(kept, Ticket(follow_ups=(kept,)), person(), after(days=5), POLICY)
    assert step == Wait(after(days=1) + POLICY.silent_after)


# --- the flag --------------------------------------------------------------------------------------------------------


def test_a_clear_answer_settles_the_flag_about_an_unclear_one() -> None:
    kept = replied(asked(), Verdict.UNCLEAR)
    answered = replied(kept, Verdict.YES, mail_id="2", at=after(days=3))
    assert answered.unread == ()
    settled = flagged(answered, flagged(kept))
    assert settled is not None
    assert settled.result is Result.CONFIRMED


def test_a_no_after_an_unclear_reply_is_told_again() -> None:
    kept = replied(asked(), Verdict.UNCLEAR)
    raised = flagged(replied(kept, Verdict.NO, mail_id="2", at=after(days=3)), flagged(kept))
    assert raised is not None
    assert (raised.reason, raised.rounds) == (Reason.DENIED, 2)


def test_several_unclear_replies_are_told_once_a_day_while_nobody_does_anything() -> None:
    kept = replied(asked(), Verdict.UNCLEAR)
    raised = flagged(kept)
    again = replied(kept, Verdict.UNCLEAR, mail_id="2", at=after(days=2, hours=23))
    assert raised is not None
    assert flagged(again, raised) is None
    late = flagged(replied(kept, Verdict.UNCLEAR, mail_id="2", at=after(days=3)), raised, after(days=3))
    assert late is not None
    assert (late.rounds, late.raised_at, late.due_at) == (2, raised.raised_at, raised.due_at), "a day later"
    settled = settle(raised, "jonas", Result.SOLVED, "Called.", after(days=4))
    assert flagged(again, settled) is None
    third = replied(again, Verdict.UNCLEAR, mail_id="3", at=after(days=5))
    told = flagged(third, settled)
    assert told is not None
    assert (told.reason, told.rounds, told.settled_at) == (Reason.REPLY, 2, None)


def test_the_customer_after_somebody_else_is_news() -> None:
    doubtful = replied(asked(), Verdict.YES, doubt="unverified_sender")
    own = replied(doubtful, Verdict.UNCLEAR, mail_id="2", at=after(days=3))
    raised = flagged(own, flagged(doubtful))
    assert raised is not None
    assert (raised.reason, raised.rounds) == (Reason.REPLY, 2)


@pytest.mark.parametrize("state", [State.SILENT, State.NOT_ASKED])
def test_a_reply_after_the_end_of_waiting_is_news(state: State) -> None:
    ended = replace(asked(), state=state, reason="bounced" if state is State.NOT_ASKED else None)
    raised = flagged(replied(ended, Verdict.UNCLEAR), flagged(ended))
    assert raised is not None
    assert (raised.reason, raised.rounds) == (Reason.REPLY, 2)


@pytest.mark.parametrize("doubt", [None, "unverified_sender"])
def test_silence_is_news_once_the_reply_before_it_was_settled(doubt: str | None) -> None:
    kept = replied(asked(), Verdict.UNCLEAR, doubt=doubt)
    raised = flagged(kept)
    assert raised is not None
    silent = to_state(kept, State.SILENT, after(days=8))
    assert flagged(silent, raised, after(days=8)) is None, "whoever has it sees that nobody answered"
    settled = settle(raised, "jonas", Result.NOT_POSSIBLE, "It was somebody else.", after(days=4))
    again = flagged(silent, settled, after(days=8))
    assert again is not None
    assert (again.reason, again.rounds) == (Reason.SILENT, 2)
    assert flagged(silent, again, after(days=9)) is None
    late = settle(raised, "jonas", Result.SOLVED, "Called.", after(days=9))
    assert flagged(silent, late, after(days=10)) is None, "whoever settled it knew of the silence"


def test_an_unclear_reply_after_a_yes_is_read_and_right_after_a_no_waits_on_its_page() -> None:
    confirmed = replied(replied(asked(), Verdict.YES), Verdict.UNCLEAR, mail_id="2", at=after(days=3))
    raised = flagged(confirmed, at=after(days=3))
    assert raised is not None
    assert raised.reason is Reason.REPLY
    assert flagged(confirmed, raised) is None
    denied = replied(asked(), Verdict.NO)
    flag = flagged(denied)
    assert flagged(replied(denied, Verdict.UNCLEAR, mail_id="2", at=after(days=2, hours=1)), flag) is None


def test_nothing_is_unread_before_anybody_wrote() -> None:
    assert opened().unread == asked().unread == ()
