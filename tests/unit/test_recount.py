"""When causes are counted anew, and which mark a follow-up must have."""

from dataclasses import replace
from datetime import timedelta

from company import POLICY, SETTINGS, START, after, opened
from domain.cause import mark_of
from domain.recount import Run, is_missing, is_right, next_run, reread
from domain.settings import UNCLASSIFIED

APPLIED = after(days=-9)


def test_the_first_run_begins_and_an_unfinished_one_goes_on() -> None:
    first = next_run(None, APPLIED, START, None)
    assert first == Run(began_at=START)
    begun = replace(first, place=("a", "b"), version=3)
    assert next_run(begun, after(days=1), after(days=2), after(days=2)) == begun


def test_a_run_is_needed_once_a_day_or_when_somebody_wants_one() -> None:
    done = Run(began_at=START, finished_at=after(minutes=2), version=7)
    assert next_run(done, APPLIED, after(hours=23), None) is None
    assert next_run(done, APPLIED, after(days=1), None) == Run(began_at=after(days=1), version=7)
    assert next_run(done, APPLIED, after(minutes=5), after(minutes=4)) == Run(
        began_at=after(minutes=5), version=7
    )
    assert next_run(done, APPLIED, after(minutes=5), START) is None


def test_new_settings_are_followed_at_once_and_again_when_nobody_follows_the_old_ones() -> None:
    done = Run(began_at=START, finished_at=after(minutes=2))
    applied = after(minutes=10)
    at_once = next_run(done, applied, applied, None)
    assert at_once == Run(began_at=applied)
    done = replace(at_once, finished_at=after(minutes=11))
    assert next_run(done, applied, after(minutes=10.9), None) is None
    again = next_run(done, applied, after(minutes=20), None)
    assert again == Run(began_at=after(minutes=20))
    assert next_run(replace(again, finished_at=after(minutes=21)), applied, after(minutes=30), None) is None


def test_a_follow_up_gets_the_cause_that_its_value_means_now() -> None:
    known = opened(cause="Sudden noise")
    assert known.cause == UNCLASSIFIED
    assert reread(known, SETTINGS) is known
    mapped = {"firmware": replace(SETTINGS.causes["firmware"], values=("sudden  NOISE",))}
    after_mapping = reread(known, replace(SETTINGS, causes=mapped))
    assert after_mapping == replace(known, cause="firmware")
    assert reread(after_mapping, SETTINGS) == known
    hint = opened(needs_details=True, cause="Sudden noise")
    assert reread(hint, replace(SETTINGS, causes=mapped)) is hint


def test_a_mark_is_missing_only_between_the_first_hour_and_the_last_days() -> None:
    known = opened()
    assert not is_missing(known, after(minutes=59), POLICY)
    assert is_missing(known, after(hours=1), POLICY)
    assert is_missing(known, START + POLICY.keep_for - timedelta(days=4), POLICY)
    assert not is_missing(known, START + POLICY.keep_for - timedelta(days=2), POLICY)
    assert not is_missing(opened(needs_details=True), after(days=2), POLICY)


def test_a_mark_is_right_when_it_is_that_of_its_follow_up() -> None:
    known = opened()
    mark = mark_of(known)
    assert mark
    assert is_right(mark, known, START)
    assert not is_right(mark, replace(known, cause="licence"), START)
    assert not is_right(mark, None, START)
    assert mark.keep_until
    assert is_right(mark, None, mark.keep_until)
