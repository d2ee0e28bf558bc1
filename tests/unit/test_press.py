"""Which presses look like a machine's, and that a person is never locked out."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from company import POLICY, after, asked, opened
from domain.errors import Refused
from domain.flag import Reason, reason_for
from domain.follow_up import AskedAgain, FollowUp, Press, State, Ticket, record_answer, to_state
from domain.press import KEPT_SUSPECTS, Decided, Overtaken, Page, Rule, decide, suspect, suspicions

A_DAY_LATER = after(days=2)
YES, NO = Press(solved=True), Press(solved=False)


def shown(seconds_ago: float, **changed: bool) -> Page:
    """The page, some seconds before the press."""
    return Page(shown_at=A_DAY_LATER - timedelta(seconds=seconds_ago), **changed)


def judged(
    page: Page | None,
    *,
    hidden_field: bool = False,
    now: datetime = A_DAY_LATER,
    follow_up: FollowUp | None = None,
) -> tuple[str, ...]:
    """By which rules a "yes" is suspected."""
    return suspicions(follow_up or asked(), True, page, hidden_field, now, POLICY)


def test_whoever_opens_the_page_reads_and_presses_is_a_person() -> None:
    assert judged(shown(2)) == ()
    assert judged(shown(60 * 60 * 24)) == ()


@pytest.mark.parametrize(
    ("page", "hidden_field", "rule"),
    [
        (None, False, Rule.NO_PAGE),
        (shown(1.9), False, Rule.AT_ONCE),
        (shown(30, hidden_link=True), False, Rule.HIDDEN_LINK),
        (shown(30), True, Rule.HIDDEN_FIELD),
        (shown(1.9, once_more=True), False, Rule.AT_ONCE),
    ],
)
def test_what_only_machines_do_is_suspected(page: Page | None, hidden_field: bool, rule: Rule) -> None:
    assert judged(page, hidden_field=hidden_field) == (rule,)


def test_a_press_within_a_minute_of_the_mail_is_asked_for_once_more_and_then_counts() -> None:
    follow_up = asked()
    assert follow_up.survey is not None
    assert follow_up.survey.sent_at is not None
    soon = follow_up.survey.sent_at + timedelta(seconds=59)
    page = Page(shown_at=soon - timedelta(seconds=20))
    assert judged(page, now=soon) == (Rule.JUST_SENT,)
    assert judged(replace(page, once_more=True), now=soon) == ()
    assert judged(page, now=soon + timedelta(seconds=1)) == ()


def test_the_opposite_of_what_was_pressed_a_moment_ago_is_suspected_counted_or_not() -> None:
    pressed = record_answer(asked(), Press(solved=False), A_DAY_LATER - timedelta(seconds=9), POLICY)
    assert judged(shown(5), follow_up=pressed) == (Rule.CONTRADICTS,)
    doubted = suspect(asked(), NO, ("at_once",), A_DAY_LATER - timedelta(seconds=9))
    assert judged(shown(5), follow_up=doubted) == (Rule.CONTRADICTS,)
    earlier = record_answer(asked(), Press(solved=False), A_DAY_LATER - timedelta(seconds=11), POLICY)
    assert judged(shown(5), follow_up=earlier) == ()


def test_words_for_the_answer_that_stands_are_no_new_press() -> None:
    answered = record_answer(asked(), Press(solved=True), A_DAY_LATER, POLICY)
    assert judged(None, hidden_field=True, follow_up=answered) == ()


@given(st.integers(0, 40))
def test_what_is_kept_of_a_machine_that_never_stops_is_limited_and_never_counts(times: int) -> None:
    follow_up = asked()
    for number in range(times):
        follow_up = suspect(follow_up, Press(solved=number % 2 == 0), ("no_page",), A_DAY_LATER)
    assert len(follow_up.suspects) == min(times, KEPT_SUSPECTS)
    assert (follow_up.state, follow_up.answers) == (asked().state, ())


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 600)), max_size=10))
def test_a_person_who_presses_once_more_after_a_while_is_heard(earlier: list[tuple[bool, int]]) -> None:
    """Whatever machines pressed before."""
    follow_up = asked()
    for solved, seconds in sorted(earlier, key=lambda press: press[1]):
        at = A_DAY_LATER + timedelta(seconds=seconds)
        follow_up = suspect(follow_up, Press(solved=solved), ("no_page",), at)
    now = A_DAY_LATER + timedelta(seconds=611)
    page = Page(shown_at=now - timedelta(seconds=3), once_more=True)
    assert suspicions(follow_up, True, page, False, now, POLICY) == ()


def test_the_same_no_to_the_question_that_was_asked_again_is_judged_anew() -> None:
    said_no = record_answer(asked(), Press(solved=False), A_DAY_LATER, POLICY)
    asked_at = A_DAY_LATER + timedelta(days=2)
    again = replace(said_no, asked_again=(AskedAgain(at=asked_at, by="ravi", done="Called."),))
    soon = asked_at + timedelta(seconds=30)
    page = Page(shown_at=soon - timedelta(seconds=5))
    assert suspicions(said_no, False, page, False, soon, POLICY) == ()
    assert suspicions(again, False, page, False, soon, POLICY) == (Rule.JUST_SENT,)
    later = asked_at + timedelta(minutes=2)
    assert suspicions(again, False, replace(page, shown_at=soon), False, later, POLICY) == ()


@pytest.mark.parametrize("solved", [True, False])
def test_a_suspect_press_about_the_question_that_was_asked_again_can_be_counted(solved: bool) -> None:
    said_no = record_answer(suspect(asked(), NO, ("at_once",), A_DAY_LATER), NO, A_DAY_LATER, POLICY)
    asked_at = A_DAY_LATER + timedelta(days=2)
    again = replace(said_no, asked_again=(AskedAgain(at=asked_at, by="ravi", done="Called."),))
    pressed = suspect(again, Press(solved=solved), ("just_sent",), asked_at + timedelta(seconds=30))
    assert pressed.undecided == pressed.suspects[1:], "what was pressed before is about the question before"
    counted = decided(pressed, 1, counts=True)
    assert counted.standing is not None
    assert counted.standing.solved is solved


# --- a person decides ------------------------------------------------------------------------------------------------


def decided(
    follow_up: FollowUp, place: int = 0, *, counts: bool, by: str = "jonas", ticket: Ticket | None = None
) -> FollowUp:
    """What somebody says of a press, nine days after the closing."""
    known = ticket or Ticket(follow_ups=(follow_up,))
    return decide(follow_up, known, place, counts=counts, by=by, now=after(days=9), policy=POLICY)


def doubted(said: Press = YES, at: datetime = A_DAY_LATER) -> FollowUp:
    """Silent, but for a press that looks like a machine's."""
    return to_state(suspect(asked(), said, ("at_once",), at), State.SILENT, after(days=8))


@pytest.mark.parametrize(("said", "state"), [(YES, State.CONFIRMED), (NO, State.DENIED)])
def test_what_a_person_counts_is_an_answer_of_when_it_was_pressed(said: Press, state: State) -> None:
    counted = decided(doubted(replace(said, kept=False)), counts=True)
    assert (counted.state, counted.outcome_at) == (state, after(days=9))
    answer, seen = counted.answer, counted.suspects[0]
    assert answer is not None
    assert (answer.solved, answer.at, answer.kept, answer.consent) == (said.solved, A_DAY_LATER, False, None)
    assert (seen.counted, seen.decided_by, seen.decided_at) == (True, "jonas", after(days=9))
    assert (seen.at, seen.rules) == (A_DAY_LATER, ("at_once",))
    assert counted.due_at is not None


def test_what_a_person_dismisses_stays_marked_and_changes_nothing_else() -> None:
    follow_up = doubted()
    dismissed = decided(follow_up, counts=False)
    assert dismissed.undecided == ()
    assert replace(dismissed, suspects=follow_up.suspects) == follow_up
    seen = dismissed.suspects[0]
    assert (seen.counted, seen.decided_by, seen.decided_at) == (False, "jonas", after(days=9))


@pytest.mark.parametrize("counts", [True, False])
def test_the_same_decision_again_changes_nothing(counts: bool) -> None:
    once = decided(doubted(), counts=counts)
    assert decided(once, counts=counts, by="selma") is once


def test_a_machines_may_be_counted_after_all_and_what_was_counted_stays() -> None:
    counted = decided(decided(doubted(), counts=False), counts=True, by="selma")
    assert (counted.state, counted.suspects[0].decided_by) == (State.CONFIRMED, "selma")
    with pytest.raises(Decided):
        decided(counted, counts=False)


def test_a_press_does_not_override_what_the_customer_said_later() -> None:
    later = record_answer(doubted(), NO, after(days=3), POLICY)
    assert later.undecided == ()
    with pytest.raises(Overtaken):
        decided(later, counts=True)


def test_of_two_presses_the_later_one_may_still_be_counted_and_the_earlier_one_not() -> None:
    both = suspect(doubted(), NO, ("contradicts",), A_DAY_LATER + timedelta(seconds=5))
    first = decided(both, 0, counts=True)
    assert [seen.solved for seen in first.undecided] == [False]
    assert decided(first, 1, counts=True).state is State.DENIED
    with pytest.raises(Overtaken):
        decided(decided(both, 1, counts=True), 0, counts=True)
    same = suspect(doubted(), YES, ("at_once",), A_DAY_LATER + timedelta(seconds=5))
    assert decided(same, 0, counts=True).undecided == ()


def test_after_a_reopening_nothing_is_counted_but_a_machine_may_be_called_one() -> None:
    follow_up = doubted()
    reopened = Ticket(follow_ups=(follow_up,), reopens=(after(days=8),))
    with pytest.raises(Overtaken):
        decided(follow_up, counts=True, ticket=reopened)
    assert decided(follow_up, counts=False, ticket=reopened).undecided == ()
    gone = to_state(suspect(asked(), YES, ("at_once",), A_DAY_LATER), State.REOPENED, after(days=3))
    assert gone.undecided == ()
    with pytest.raises(Overtaken):
        decided(gone, counts=True)


def test_a_press_after_the_link_was_to_answer_counts_as_late() -> None:
    answer = decided(doubted(at=after(days=8)), counts=True).answer
    assert answer is not None
    assert not answer.late
    follow_up = doubted(at=after(days=20))
    counted = decide(
        follow_up,
        Ticket(follow_ups=(follow_up,)),
        0,
        counts=True,
        by="jonas",
        now=after(days=21),
        policy=POLICY,
    )
    assert counted.answer is not None
    assert counted.answer.late


@pytest.mark.parametrize("why", ["opted_out", "frequency_cap", "bounced", "undelivered", "refused"])
def test_whoever_pressed_and_was_not_heard_reaches_a_person_however_it_ended(why: str) -> None:
    """Even where a follow-up that ends like this needs nobody: the mail was out before it ended."""
    pressed = suspect(opened(), YES, ("at_once",), A_DAY_LATER)
    assert reason_for(to_state(pressed, State.NOT_ASKED, after(days=3), why)) is not None
    ended = to_state(opened(), State.NOT_ASKED, after(days=3), why)
    assert suspect(ended, YES, ("at_once",), A_DAY_LATER).due_at is not None
    assert reason_for(doubted()) is Reason.SILENT


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 600)), min_size=1, max_size=10),
    st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=12),
)
def test_whatever_is_decided_the_last_press_that_counts_is_the_answer(
    pressed: list[tuple[bool, int]], decisions: list[tuple[int, bool]]
) -> None:
    follow_up = doubted(Press(solved=pressed[0][0]))
    for solved, seconds in sorted(pressed[1:], key=lambda press: press[1]):
        at = A_DAY_LATER + timedelta(seconds=seconds)
        follow_up = suspect(follow_up, Press(solved=solved), ("at_once",), at)
    for place, counts in decisions:
        try:
            follow_up = decided(follow_up, place % len(follow_up.suspects), counts=counts)
        except Refused:
            continue
    counted = [seen for seen in follow_up.suspects if seen.counted]
    last = max(counted, key=lambda seen: seen.at) if counted else None
    assert (follow_up.answer and follow_up.answer.at) == (last and last.at)
    assert [answer.at for answer in follow_up.answers] == sorted(seen.at for seen in counted)
    expected = State.SILENT if last is None else State.CONFIRMED if last.solved else State.DENIED
    assert follow_up.state is expected
