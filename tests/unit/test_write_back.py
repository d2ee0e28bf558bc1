"""What a helpdesk is told: which outcomes, once each, and what happens when nobody knows whether it was."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from company import POLICY, SETTINGS, after, asked
from domain.delivery import Progress
from domain.errors import Refused
from domain.follow_up import FollowUp, Obstacle, Press, State, record_answer, to_state
from domain.settings import Api, Settings, WriteBack
from domain.write_back import (
    MOST,
    TOO_LATE,
    claim,
    end,
    give_up,
    is_lost,
    is_sendable,
    missing,
    needless,
    put_off,
    settle,
)
from domain.write_back import WriteBack as Told


def company(**write_back: Any) -> Settings:
    """The company with an API."""
    source = replace(
        SETTINGS.sources["desk"],
        api=Api(url="https://desk.example", secret="desk"),
        write_back=WriteBack(**({"mode": "on"} | write_back)),
    )
    return replace(SETTINGS, sources={"desk": source})


def denied(words: str | None = "No.") -> FollowUp:
    """A "no", two days after the closing."""
    return record_answer(asked(), Press(solved=False, words=words), after(days=2), POLICY)


def wanted(follow_up: FollowUp | None = None) -> Told:
    """What follows from it."""
    (one,) = missing(follow_up or denied(), {}, after(days=2), company())
    return one


NOW = after(days=2)


def test_an_outcome_is_told_once_and_a_later_one_again() -> None:
    first = wanted()
    assert (first.outcome, first.due_at) == (State.DENIED, NOW)
    assert missing(denied(), {first.name: first}, after(days=3), company()) == ()
    confirmed = record_answer(denied(), Press(solved=True), after(days=3), POLICY)
    (second,) = missing(confirmed, {first.name: first}, after(days=3), company())
    assert second.name != first.name
    assert second.mark != first.mark


def test_whoever_said_nothing_yet_has_time_for_words() -> None:
    silent_no = denied(words=None)
    (waits,) = missing(silent_no, {}, NOW, company())
    assert waits.due_at == NOW + POLICY.words_within
    (at_once,) = missing(denied(), {waits.name: waits}, after(days=2, minutes=1), company())
    assert at_once == replace(waits, due_at=after(days=2, minutes=1))


def test_words_beside_a_yes_wait_for_the_customers_consent() -> None:
    words = Press(solved=True, words="Thank you, Kim.")
    confirmed = record_answer(asked(), words, NOW, POLICY)
    (waits,) = missing(confirmed, {}, NOW, company())
    assert waits.due_at == NOW + POLICY.words_within
    agreed = record_answer(confirmed, replace(words, consent=True), after(days=2, minutes=1), POLICY)
    (at_once,) = missing(agreed, {waits.name: waits}, after(days=2, minutes=1), company())
    assert at_once.due_at == after(days=2, minutes=1)


@pytest.mark.parametrize("state", [state for state in State if state not in {State.CONFIRMED, State.DENIED}])
def test_only_outcomes_are_told(state: State) -> None:
    follow_up = replace(asked(), state=state, outcome_at=NOW)
    assert bool(missing(follow_up, {}, NOW, company())) == (state is State.SILENT)


def test_nothing_is_told_where_the_settings_say_so() -> None:
    assert missing(denied(), {}, NOW, SETTINGS) == ()
    assert missing(denied(), {}, NOW, company(mode="off")) == ()
    assert missing(denied(), {}, NOW, company(outcomes=("silent",))) == ()
    assert missing(denied(), {}, NOW, company(mode="dry_run")) != ()


def test_there_is_an_end_to_changing_ones_mind() -> None:
    told = {str(number): wanted() for number in range(MOST)}
    assert missing(denied(), told, NOW, company()) == ()
    other = {name: replace(one, number=2) for name, one in told.items()}
    assert missing(denied(), other, NOW, company()) != ()


def test_what_was_overtaken_switched_off_or_is_too_late_is_needless() -> None:
    one, source = wanted(), company().sources["desk"]
    assert needless(one, denied(), source, NOW) is None
    assert needless(one, None, source, NOW) == "overtaken"
    confirmed = record_answer(denied(), Press(solved=True), after(days=3), POLICY)
    assert needless(one, confirmed, source, NOW) == "overtaken"
    again = record_answer(confirmed, Press(solved=False), after(days=4), POLICY)
    assert needless(one, again, source, NOW) == "overtaken", "it is another outcome of the same name"
    assert needless(one, denied(), None, NOW) == "off"
    assert needless(one, denied(), company(mode="off").sources["desk"], NOW) == "off"
    assert needless(one, denied(), source, NOW + TOO_LATE + timedelta(seconds=1)) == "too_late"
    assert needless(replace(one, unsure=True), denied(), source, NOW + 2 * TOO_LATE) == "unknown"


def test_a_claim_is_repeated_once_and_then_a_person_looks() -> None:
    one = claim(wanted(), "a", reopens=True, now=NOW, policy=POLICY)
    assert (one.unsure, one.due_at) == (False, NOW + POLICY.unknown_after)
    assert not is_sendable(one, NOW, POLICY)
    with pytest.raises(Refused):
        claim(one, "b", reopens=True, now=NOW, policy=POLICY)
    later = NOW + POLICY.unknown_after
    assert is_sendable(one, later, POLICY)
    two = claim(one, "b", reopens=True, now=later, policy=POLICY)
    assert two.unsure
    assert not is_lost(two, later, POLICY)
    assert is_lost(two, later + POLICY.unknown_after, POLICY)
    assert not is_sendable(two, later + POLICY.unknown_after, POLICY)
    lost = give_up(two, after(days=3))
    assert lost.delivery
    assert (lost.delivery.progress, lost.ended, lost.due_at) == (Progress.UNKNOWN, "unknown", None)


def test_what_was_certainly_not_taken_leaves_no_trace_and_what_may_have_been_does() -> None:
    one = claim(wanted(), "a", reopens=True, now=NOW, policy=POLICY)
    assert one.trace, "while it is claimed it may be on its way"
    back = put_off(one, "a", Obstacle.UNREACHABLE, timedelta(minutes=9), NOW)
    assert (back.trace, back.due_at, back.tries) == (None, NOW + timedelta(minutes=9), 1)
    assert not claim(back, "b", reopens=True, now=after(days=3), policy=POLICY).unsure
    half = put_off(replace(one, done=("note",)), "a", Obstacle.REFUSED, timedelta(), NOW)
    assert half.trace
    unsure = claim(one, "b", reopens=True, now=after(days=3), policy=POLICY)
    kept = put_off(unsure, "b", Obstacle.REFUSED, timedelta(), after(days=3))
    assert kept.unsure, "that a note may be there is not forgotten by a refusal"
    assert kept.trace
    third = claim(kept, "c", reopens=True, now=after(days=4), policy=POLICY)
    assert third.unsure
    assert third.trace
    assert third.trace.until == after(days=4), "what is written now is heard of now"


def test_it_ends_as_told_or_refused() -> None:
    one = claim(wanted(), "a", reopens=False, now=NOW, policy=POLICY)
    told = settle(replace(one, done=("note",)), "a", NOW)
    assert (told.ended, told.due_at) == ("told", None)
    assert told.trace
    refused = settle(replace(one, refused=("note",)), "a", NOW)
    assert refused.delivery
    assert (refused.ended, refused.delivery.progress) == ("refused", Progress.REFUSED)
    with pytest.raises(Refused):
        settle(replace(one, done=("note",)), "another claim", NOW)


def test_a_rehearsal_leaves_no_trace() -> None:
    rehearsed = end(replace(wanted(), would=("PUT /x",)), "dry_run")
    assert (rehearsed.trace, rehearsed.due_at) == (None, None)
    assert not is_sendable(rehearsed, after(days=9), POLICY)


def test_silence_is_told_at_once() -> None:
    silent = to_state(asked(), State.SILENT, NOW)
    assert wanted(silent).due_at == NOW
