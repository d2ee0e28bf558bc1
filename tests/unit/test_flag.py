"""Flags: every unconfirmed end reaches a person, and stays with one until somebody says what was done."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from company import POLICY, SETTINGS, START, after, asked, opened
from domain.errors import Refused
from domain.flag import (
    Deed,
    Flag,
    Reason,
    Result,
    What,
    acknowledge,
    escalate,
    flag_for,
    message_for,
    reason_for,
    settle,
)
from domain.follow_up import FollowUp, Press, State, record_answer, to_state
from domain.settings import Contact, Settings


def denied() -> FollowUp:
    """The customer said no."""
    return answered(asked(), solved=False)


def answered(follow_up: FollowUp, *, solved: bool, days: float = 2, words: str | None = None) -> FollowUp:
    """The customer says whether it is solved."""
    return record_answer(follow_up, Press(solved=solved, words=words), after(days=days), POLICY)


def silent() -> FollowUp:
    """The customer said nothing."""
    return to_state(asked(), State.SILENT, after(days=8))


def flagged(follow_up: FollowUp, known: Flag | None = None, days: float = 2) -> Flag:
    """The flag of a follow-up that needs one now."""
    raised = flag_for(follow_up, known, after(days=days), SETTINGS)
    assert raised is not None
    return raised


def test_a_no_is_flagged_for_the_person_responsible_for_the_team() -> None:
    flag = flagged(denied())
    assert (flag.reason, flag.holder, flag.due_at) == (Reason.DENIED, "jonas", after(days=3))


def test_a_team_without_a_person_of_its_own_is_the_companys_matter() -> None:
    assert flagged(replace(denied(), team=None)).holder == "selma"


@pytest.mark.parametrize(
    ("why", "reason"),
    [
        ("no_address", Reason.UNDELIVERABLE),
        ("suppressed", Reason.UNDELIVERABLE),
        ("bounced", Reason.UNDELIVERABLE),
        ("undelivered", Reason.UNKNOWN),
        ("delivery_unknown", Reason.UNKNOWN),
        ("no_details", Reason.NO_DETAILS),
        ("unwritable", Reason.UNWRITABLE),
    ],
)
def test_whoever_could_not_be_asked_is_flagged_with_the_reason(why: str, reason: Reason) -> None:
    assert reason_for(to_state(opened(), State.NOT_ASKED, START, why)) is reason


def test_a_pending_or_confirmed_or_reopened_follow_up_needs_nobody() -> None:
    reopened = to_state(asked(), State.REOPENED, START, "reopened")
    for follow_up in (opened(), asked(), reopened, answered(asked(), solved=True)):
        assert flag_for(follow_up, None, START, SETTINGS) is None


def test_silence_is_flagged_and_a_later_yes_takes_it_off_the_worklist() -> None:
    flag = flagged(silent(), days=8)
    assert flag.reason is Reason.SILENT
    settled = flagged(answered(silent(), solved=True, days=9), flag, days=9)
    assert (settled.result, settled.settled_at, settled.due_at) == (Result.CONFIRMED, after(days=9), None)


def test_a_no_after_a_silence_is_told_anew() -> None:
    again = flagged(answered(silent(), solved=False, days=9), flagged(silent(), days=8), days=9)
    assert (again.reason, again.rounds, again.acknowledged_at) == (Reason.DENIED, 2, None)


def test_a_no_that_is_on_the_worklist_already_is_not_told_twice() -> None:
    assert flag_for(denied(), flagged(denied()), after(days=3), SETTINGS) is None


def test_a_settled_no_is_opened_again_only_when_the_customer_says_no_once_more() -> None:
    settled = settle(flagged(denied()), "jonas", Result.SOLVED, "Router replaced", after(days=3))
    assert flag_for(denied(), settled, after(days=4), SETTINGS) is None
    again = answered(denied(), solved=False, days=5, words="It still drops")
    assert flagged(again, settled, days=5).rounds == 2


def test_a_yes_with_blame_beside_it_leaves_the_flag_open_for_what_it_is_then_about() -> None:
    for before, days in ((denied(), 2.0), (silent(), 8.0)):
        open_flag = acknowledge(flagged(before, days=days), "jonas", after(days=days), SETTINGS)
        confirmed = answered(before, solved=True, days=9, words="Solved, and nobody called back.")
        assert confirmed.answer
        blamed = replace(confirmed, answers=(replace(confirmed.answer, critical=True),))
        still_open = flagged(blamed, open_flag, days=9)
        told = Deed(what=What.CUSTOMER_WROTE, at=after(days=9))
        deeds = (*open_flag.deeds, told)
        assert still_open == replace(open_flag, reason=Reason.UNHAPPY, rounds=2, deeds=deeds), (
            "a mail, and whose it is and until when stays"
        )
        assert flag_for(blamed, still_open, after(days=10), SETTINGS) is None
        again = flagged(answered(blamed, solved=False, days=11), still_open, days=11)
        assert (again.reason, again.rounds) == (Reason.DENIED, 3)


def test_a_conflict_is_flagged_and_no_answer_takes_it_away() -> None:
    conflict = replace(asked(), conflict=True)
    flag = flagged(conflict)
    assert flag.reason is Reason.CONFLICT
    confirmed = replace(answered(asked(), solved=True), conflict=True)
    assert flag_for(confirmed, flag, after(days=3), SETTINGS) is None


@pytest.mark.parametrize("follow_up", [silent(), to_state(asked(), State.NOT_ASKED, START, "bounced")])
def test_a_silence_after_a_settled_conflict_is_news(follow_up: FollowUp) -> None:
    """The conflict was about who the customer is; that nobody answered comes later and needs a person again."""
    conflict = flagged(replace(asked(), conflict=True))
    settled = settle(conflict, "jonas", Result.SOLVED, "Anna it is", after(days=3))
    assert flag_for(replace(asked(), conflict=True), settled, after(days=4), SETTINGS) is None
    ended = replace(follow_up, conflict=True)
    again = flagged(ended, settled, days=8)
    assert (again.reason, again.rounds, again.settled_at) == (reason_for(ended), 2, None)
    assert flag_for(ended, again, after(days=9), SETTINGS) is None


# --- working on it ---------------------------------------------------------------------------------------------------


def test_acknowledging_gives_time_to_settle_and_twice_changes_nothing() -> None:
    mine = acknowledge(flagged(denied()), "jonas", after(days=2, hours=1), SETTINGS)
    assert (mine.acknowledged_by, mine.due_at) == ("jonas", after(days=5, hours=1))
    assert acknowledge(mine, "selma", after(days=4), SETTINGS) is mine


def test_settling_twice_with_the_same_words_changes_nothing_and_with_others_is_refused() -> None:
    settled = settle(flagged(denied()), "jonas", Result.SOLVED, "Router replaced", after(days=3))
    assert (settled.settled_by, settled.acknowledged_by, settled.due_at) == ("jonas", "jonas", None)
    assert settle(settled, "selma", Result.SOLVED, "Router replaced", after(days=4)) is settled
    with pytest.raises(Refused):
        settle(settled, "jonas", Result.AGREED, "Router replaced", after(days=4))
    with pytest.raises(Refused):
        acknowledge(settled, "jonas", after(days=4), SETTINGS)


def test_who_acknowledged_first_is_kept_when_somebody_else_settles() -> None:
    mine = acknowledge(flagged(denied()), "jonas", after(days=2), SETTINGS)
    settled = settle(mine, "selma", Result.AGREED, "New date agreed", after(days=3))
    assert (settled.acknowledged_by, settled.settled_by) == ("jonas", "selma")


def test_nothing_escalates_before_its_time_or_after_it_was_settled() -> None:
    flag = flagged(denied())
    with pytest.raises(Refused):
        escalate(flag, after(days=2, hours=23), SETTINGS)
    with pytest.raises(Refused):
        escalate(settle(flag, "jonas", Result.SOLVED, "Done", after(days=2)), after(days=9), SETTINGS)


def way_of(flag: Flag, company: Settings = SETTINGS) -> list[str]:
    """Who is told of a flag that nobody ever acknowledges, a day after the other."""
    told, names = list[str](), set[str]()
    while flag.due_at is not None:
        told.append(flag.holder)
        names.add(message_for(flag, START).name)
        flag = escalate(flag, flag.due_at, company)
    assert flag.holder == told[-1]
    assert names == {f"0001#flag#{round:02d}" for round in range(1, len(told) + 1)}
    return told


def test_an_unacknowledged_flag_goes_up_one_person_at_a_time_and_then_to_who_is_responsible() -> None:
    assert way_of(flagged(denied())) == ["jonas", "selma", "ruth", "selma"]


def test_from_the_top_it_goes_to_the_responsible_contact_who_never_had_it_and_once_more_to_that_one() -> None:
    contacts = {**SETTINGS.contacts, "mia": Contact(name="Mia", email="mia@x.example", manager="ruth")}
    company = replace(SETTINGS, contacts=contacts, responsible="mia")
    assert way_of(flagged(denied()), company) == ["jonas", "selma", "ruth", "mia", "mia"]


def test_who_has_nobody_above_and_is_responsible_is_told_once_more() -> None:
    company = replace(SETTINGS, responsible="ruth")
    flag = replace(flagged(denied()), holder="ruth")
    assert way_of(flag, company) == ["ruth", "ruth"]


def test_an_acknowledged_flag_stays_at_the_top() -> None:
    top = acknowledge(replace(flagged(denied()), holder="ruth"), "ruth", after(days=2), SETTINGS)
    stays = escalate(top, after(days=5), SETTINGS)
    assert stays == replace(top, due_at=None)


def test_raised_again_it_goes_the_whole_way_again() -> None:
    flag = flagged(silent(), days=8)
    while flag.due_at is not None:
        flag = escalate(flag, flag.due_at, SETTINGS)
    again = flagged(answered(silent(), solved=False, days=20), flag, days=20)
    assert again.had_by == ()
    assert escalate(again, after(days=21), SETTINGS).holder == "selma"


def test_a_flag_whose_holder_left_goes_to_the_companys_responsible_person() -> None:
    orphan = replace(flagged(denied()), holder="gone")
    assert escalate(orphan, after(days=3), SETTINGS).holder == "selma"


names = st.sampled_from("abcdefg")


@given(st.dictionaries(names, st.one_of(st.none(), names), min_size=1), names, names)
def test_escalation_ends_with_somebody_whatever_the_company_looks_like(
    managers: dict[str, str | None], holder: str, responsible: str
) -> None:
    """Managers as the settings allow them: known, and nobody above themselves; only a flag's holder may have left."""
    above = {
        name: manager if manager in managers and manager > name else None
        for name, manager in managers.items()
    }
    company = replace(
        SETTINGS,
        contacts={
            name: Contact(name=name, email=f"{name}@x.example", manager=manager)
            for name, manager in above.items()
        },
        responsible=responsible if responsible in above else min(above),
    )
    flag = replace(flagged(denied()), holder=holder)
    told = [flag.holder]
    for _ in range(len(above) + 3):
        if flag.due_at is None:
            break
        before = flag
        flag = escalate(flag, flag.due_at, company)
        assert (flag.rounds > before.rounds) == (flag.due_at is not None)
        told += [flag.holder] if flag.due_at else []
    assert flag.due_at is None
    assert told[-1] == flag.holder == company.responsible
    assert len(set(told)) == len(told) - 1, "one of them twice, and that is the responsible contact"
    assert told.count(company.responsible) == 2
    assert any(above.get(name) is None for name in told)


# --- any order -------------------------------------------------------------------------------------------------------


class LifeOfAFlag(RuleBasedStateMachine):
    """A customer who changes their mind and people who work on it, while what follows is written sooner or later."""

    def __init__(self) -> None:
        super().__init__()
        self.now = after(days=9)
        self.follow_up = silent()
        self.flag: Flag | None = None
        self.rounds_told: set[str] = set()

    @initialize(state=st.sampled_from([State.SILENT, State.ASKED, State.NOT_ASKED]), conflict=st.booleans())
    def it_starts(self, state: State, conflict: bool) -> None:
        starts = {State.SILENT: silent(), State.ASKED: asked()}
        bounced = to_state(asked(), State.NOT_ASKED, START, "bounced")
        self.follow_up = replace(starts.get(state, bounced), conflict=conflict)

    @rule(solved=st.booleans(), words=st.sampled_from([None, "One", "Two"]))
    def the_customer_answers(self, solved: bool, words: str | None) -> None:
        self.now += timedelta(minutes=1)
        self.follow_up = record_answer(self.follow_up, Press(solved=solved, words=words), self.now, POLICY)

    @rule()
    def what_follows_is_written(self) -> None:
        self.now += timedelta(minutes=1)
        raised = flag_for(self.follow_up, self.flag, self.now, SETTINGS)
        if raised:
            assert self.flag is None or raised.version == self.flag.version
            self.flag = replace(raised, version=raised.version + 1)
        assert flag_for(self.follow_up, self.flag, self.now, SETTINGS) is None
        self.on_the_worklist()

    def on_the_worklist(self) -> None:
        """Once it was written: a "no" is open, or a person settled it after it was said."""
        if self.follow_up.state is State.DENIED:
            assert self.flag is not None
            assert self.flag.reason is Reason.DENIED
            said = self.follow_up.answer
            assert said is not None
            if self.flag.settled_at:
                assert self.flag.result is not Result.CONFIRMED
                assert self.flag.settled_at > said.at
        elif self.follow_up.state is State.CONFIRMED and self.flag and not self.flag.settled_at:
            assert self.flag.reason is Reason.CONFLICT

    @precondition(lambda self: self.flag)
    @rule()
    def somebody_acknowledges(self) -> None:
        assert self.flag is not None
        if self.flag.settled_at is None:
            self.flag = acknowledge(self.flag, "jonas", self.now, SETTINGS)

    @precondition(lambda self: self.flag)
    @rule(result=st.sampled_from([Result.SOLVED, Result.AGREED]))
    def somebody_settles(self, result: Result) -> None:
        assert self.flag is not None
        self.now += timedelta(minutes=1)
        before = self.flag
        try:
            self.flag = settle(before, "jonas", result, "Called", self.now)
        except Refused:
            assert before.settled_at is not None
            assert before.result is not result
            return
        assert settle(self.flag, "selma", result, "Called", self.now) is self.flag

    @precondition(lambda self: self.flag and self.flag.due_at)
    @rule()
    def nobody_reacts_in_time(self) -> None:
        assert self.flag is not None
        assert self.flag.due_at is not None
        self.now = max(self.now, self.flag.due_at)
        self.flag = escalate(self.flag, self.now, SETTINGS)

    @invariant()
    def a_settled_flag_is_not_due_and_an_open_one_has_a_holder(self) -> None:
        if self.flag and self.flag.settled_at:
            assert (self.flag.due_at, self.flag.result is None) == (None, False)
        assert self.flag is None or self.flag.holder in SETTINGS.contacts


LifeOfAFlag.TestCase.settings = settings(max_examples=80, stateful_step_count=25, deadline=None)
test_the_life_of_a_flag = LifeOfAFlag.TestCase
