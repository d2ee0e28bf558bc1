"""Who may do what about a cause, what was promised, and where it belongs."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from company import POLICY, SETTINGS, START, after
from domain import commitment, ownership
from domain.cause import CauseState, acknowledge, due_of, owner_of
from domain.errors import Refused
from domain.ownership import What
from domain.settings import Contact

DAY = date(2026, 12, 1)
STATE = CauseState(code="firmware", repeated_at=START, acknowledged_at=START, committed_to=DAY)


def test_the_owner_and_whoever_is_above_may_act_and_nobody_else() -> None:
    assert [who for who in SETTINGS.contacts if ownership.may_act(who, STATE, SETTINGS)] == [
        "jonas",
        "selma",
        "ruth",
    ]
    given_away = replace(STATE, owner="ruth")
    assert [who for who in SETTINGS.contacts if ownership.may_act(who, given_away, SETTINGS)] == ["ruth"]
    assert not ownership.may_act("nobody", STATE, SETTINGS)


def test_there_is_always_an_owner_whatever_became_of_the_settings() -> None:
    assert owner_of(STATE, SETTINGS) == "jonas"
    assert owner_of(replace(STATE, owner="left"), SETTINGS) == "jonas"
    assert owner_of(replace(STATE, code="gone"), SETTINGS) == SETTINGS.responsible
    assert owner_of(replace(STATE, code="gone", owner="ruth"), SETTINGS) == "ruth"


def test_managers_in_a_circle_end() -> None:
    circle = replace(
        SETTINGS,
        contacts={
            "jonas": Contact(name="J", email="j@n.example", manager="selma"),
            "selma": Contact(name="S", email="s@n.example", manager="jonas"),
        },
    )
    assert not ownership.may_act("ruth", STATE, circle)


def test_a_day_is_reminded_of_and_then_over_each_once() -> None:
    before, past = datetime(2026, 11, 30, 8, tzinfo=UTC), datetime(2026, 12, 2, 8, tzinfo=UTC)
    near, reminder, what = ownership.next_step(replace(STATE, due_at=before), before, SETTINGS)
    assert reminder
    assert (reminder.to, what, near.due_at) == ("contact:jonas", None, past)
    over, notice, what = ownership.next_step(near, past, SETTINGS)
    assert notice
    assert (notice.to, what, over.due_at, over.overdue_of) == ("contact:selma", What.OVERDUE, None, DAY)
    assert ownership.next_step(over, after(days=99), SETTINGS) == (over, None, None)


def test_without_a_manager_the_owner_hears_that_the_day_is_over() -> None:
    top = replace(STATE, owner="ruth")
    _, notice, _ = ownership.next_step(top, after(days=60), SETTINGS)
    assert notice
    assert notice.to == "contact:ruth"


def test_nobody_is_reminded_today_of_what_they_promise_for_tomorrow() -> None:
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    assert commitment.next_at(DAY, now, POLICY, reminded=False) == commitment.overdue_at(DAY, POLICY)


@given(days=st.integers(0, 60), later=st.integers(0, 90))
def test_a_commitment_is_escalated_once_and_never_before_its_day_is_over(days: int, later: int) -> None:
    day = START.date() + timedelta(days=days)
    state = acknowledge(CauseState(code="firmware", repeated_at=START), day, None, START, POLICY)
    told: list[datetime] = []
    while state.due_at and state.due_at <= after(days=later):
        now = state.due_at
        state, notice, what = ownership.next_step(state, now, SETTINGS)
        told += [now] if notice and what is What.OVERDUE else []
    assert len(told) == (commitment.overdue_at(day, POLICY) <= after(days=later))
    assert all(now.date() > day for now in told)


def test_a_standing_fix_and_another_cause_leave_nothing_to_wait_for() -> None:
    assert due_of(STATE, START, POLICY)
    assert due_of(replace(STATE, declared=1), START, POLICY) is None
    assert due_of(replace(STATE, merged_into="licence"), START, POLICY) is None


def test_the_new_owner_has_the_whole_time_to_acknowledge() -> None:
    unread = CauseState(code="firmware", repeated_at=START, due_at=after(days=7), escalated_from="jonas")
    given_to, mail = ownership.reassign(unread, "ruth", after(days=5), SETTINGS)
    assert (given_to.owner, given_to.due_at, given_to.escalated_from) == ("ruth", after(days=12), None)
    assert (mail.to, mail.about["owner"]) == ("contact:ruth", "jonas")
    for to in ("jonas", "nobody"):
        with pytest.raises(Refused):
            ownership.reassign(unread, to, START, SETTINGS)


def test_what_is_separated_unread_has_the_whole_time_to_be_acknowledged() -> None:
    unread = replace(STATE, repeated_at=START, acknowledged_at=None, escalated_from=None)
    part, including = ownership.merge(unread, CauseState(code="licence"), (), SETTINGS)
    now = START + 100 * POLICY.cause_acknowledge_within
    alone, _ = ownership.separate(part, including, now, POLICY)
    assert alone.due_at == now + POLICY.cause_acknowledge_within


def test_what_is_merged_can_be_separated_and_is_as_before() -> None:
    whole = CauseState(code="licence")
    part, including = ownership.merge(STATE, whole, (), SETTINGS)
    assert (part.merged_into, part.due_at, including.includes) == ("licence", None, ("firmware",))
    alone, without = ownership.separate(part, including, START, POLICY)
    assert without == whole
    assert replace(alone, due_at=None) == STATE
    assert alone.due_at == commitment.remind_at(DAY, POLICY)


def test_no_cause_becomes_part_of_itself_or_of_two() -> None:
    whole = CauseState(code="licence", merged_into="firmware")
    with pytest.raises(Refused):
        ownership.merge(STATE, STATE, (), SETTINGS)
    with pytest.raises(Refused):
        ownership.merge(STATE, whole, ("firmware",), SETTINGS)
    with pytest.raises(Refused):
        ownership.merge(replace(STATE, merged_into="x"), CauseState(code="licence"), (), SETTINGS)
    with pytest.raises(Refused):
        ownership.merge(STATE, CauseState(code="gone"), (), SETTINGS)
    with pytest.raises(Refused):
        ownership.separate(STATE, CauseState(code="licence"), START, POLICY)
