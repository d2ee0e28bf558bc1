"""Whom a telling reaches, how it goes on, and what follows from its end."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from company import POLICY, SETTINGS, START, after, opened, person, sent
from domain import telling
from domain.cause import CauseState
from domain.errors import Refused
from domain.fix import Evidence, Result
from domain.follow_up import State, Ticket
from domain.message import CUSTOMER
from domain.ownership import What
from domain.person import Person, Surveys
from domain.telling import Kind, Said, Stage, Telling

REPEATED = CauseState(code="firmware", repeated_at=START)
GOOD = Evidence(before=9, since=0, gone=3, not_gone=0)
BAD = Evidence(before=9, since=8, gone=0, not_gone=2)
NONE = Evidence(before=1, since=0, gone=0, not_gone=0)


def declared() -> tuple[CauseState, Telling]:
    """A fix of this morning."""
    return telling.declare(
        REPEATED, "It was wrong.", "It is right.", START.date(), "jonas", after(hours=1), POLICY
    )


def told() -> tuple[CauseState, Telling]:
    """A fix that everybody was told of."""
    state, draft = declared()
    sending = telling.confirm(draft, "jonas", 3, after(hours=2))
    state = replace(state, declared=draft.number)
    return state, telling.after_page(sending, None, after(hours=3), POLICY)


def test_a_fix_needs_words_and_a_day_that_has_come() -> None:
    for wrong, words, day in (
        ("", "b", START.date()),
        ("a", "", START.date()),
        ("a", "b", date(2026, 11, 17)),
    ):
        with pytest.raises(Refused):
            telling.declare(REPEATED, wrong, words, day, "jonas", START, POLICY)
    merged = replace(REPEATED, merged_into="licence")
    with pytest.raises(Refused):
        telling.declare(merged, "a", "b", START.date(), "jonas", START, POLICY)


def test_tickets_of_the_day_itself_say_nothing_about_an_older_fix() -> None:
    _, draft = telling.declare(REPEATED, "a", "b", date(2026, 11, 10), "jonas", START, POLICY)
    assert draft.fixed_at
    assert draft.fixed_at.date() == date(2026, 11, 11)
    _, today = declared()
    assert today.fixed_at == after(hours=1)


def test_we_know_is_for_a_repeated_cause_and_a_day_to_come() -> None:
    tomorrow = date(2026, 11, 17)
    with pytest.raises(Refused):
        telling.write(CauseState(code="firmware"), Kind.KNOWN, "a", tomorrow, "jonas", START, POLICY)
    with pytest.raises(Refused):
        telling.write(REPEATED, Kind.KNOWN, "a", START.date(), "jonas", START, POLICY)
    with pytest.raises(Refused):
        telling.write(replace(REPEATED, declared=1), Kind.KNOWN, "a", tomorrow, "jonas", START, POLICY)
    state, first = telling.write(REPEATED, Kind.KNOWN, "a", tomorrow, "jonas", START, POLICY)
    _, second = telling.write(state, Kind.KNOWN, "b", tomorrow, "jonas", START, POLICY)
    assert first.scope == second.scope, "the same person is told once in an episode"
    later = replace(state, repeated_at=after(days=90))
    assert telling.known_scope(later) != first.scope


def test_a_draft_is_confirmed_or_cancelled_once() -> None:
    _, draft = declared()
    sending = telling.confirm(draft, "jonas", 3, after(hours=2))
    cancelled = telling.cancel(draft)
    for done in (sending, cancelled):
        with pytest.raises(Refused):
            telling.confirm(done, "jonas", 3, after(hours=2))
        with pytest.raises(Refused):
            telling.cancel(done)
    assert cancelled.due_at is None


@pytest.mark.parametrize(
    ("who", "kind", "reason"),
    [
        (person(), Kind.FIX, None),
        (person(surveys=Surveys.FIXES), Kind.FIX, None),
        (person(surveys=Surveys.FIXES), Kind.AGAIN, None),
        (person(surveys=Surveys.FIXES), Kind.KNOWN, "opted_out"),
        (person(surveys=Surveys.NONE), Kind.FIX, "opted_out"),
        (person(suppressed="bounce"), Kind.FIX, "suppressed"),
    ],
)
def test_who_may_get_it(who: Person, kind: Kind, reason: str | None) -> None:
    _, draft = declared()
    made = telling.message_for(replace(draft, kind=kind), opened(), who, START, SETTINGS)
    assert (made.cancelled, made.to, made.name) == (reason, CUSTOMER, who.key)
    assert (made.due_at is None) == (reason is not None)


def test_nobody_is_written_to_without_an_address_or_at_our_own() -> None:
    _, draft = declared()
    for address in (None, "jonas@nordlicht.example", "noreply@example.com"):
        follow_up = opened(requester_email=address)
        made = telling.message_for(draft, follow_up, person(), START, SETTINGS)
        assert made.cancelled == "no_address"


def test_whoever_would_ask_soon_is_told_and_whoever_is_content_is_not() -> None:
    _, known = telling.write(REPEATED, Kind.KNOWN, "a", date(2026, 12, 24), "jonas", after(days=30), POLICY)
    old, fresh = opened(), opened(after(days=28), closed_at=after(days=28))
    reopened = Ticket(reopens=(after(days=29),))
    assert not telling.is_meant(known, old, Ticket(), POLICY)
    assert telling.is_meant(known, old, reopened, POLICY)
    assert telling.is_meant(known, fresh, Ticket(), POLICY)
    assert not telling.is_meant(known, replace(fresh, state=State.CONFIRMED), Ticket(), POLICY)
    assert telling.is_meant(known, replace(fresh, state=State.DENIED), Ticket(), POLICY)
    content = replace(fresh, state=State.CONFIRMED)
    ended = Ticket(follow_ups=(fresh, content), reopens=(after(days=27),))
    assert not telling.is_meant(known, content, ended, POLICY), (
        "reopened before the closing that was confirmed"
    )
    again = opened(after(days=29), closed_at=after(days=29))
    later = Ticket(
        follow_ups=(fresh, replace(again, state=State.CONFIRMED)), reopens=(after(days=28, hours=1),)
    )
    assert not telling.is_meant(known, fresh, later, POLICY), "confirmed at its later closing"
    assert telling.is_meant(known, content, Ticket(reopens=(after(days=29),)), POLICY)
    _, fixed = declared()
    assert telling.is_meant(fixed, old, None, POLICY)


@given(pages=st.lists(st.booleans(), max_size=12), start=st.integers(0, 100))
def test_every_walk_comes_to_its_end_and_every_fix_is_judged(pages: list[bool], start: int) -> None:
    """However many pages there are, and with whatever evidence: in the end nothing is due."""
    _, draft = declared()
    now = after(hours=2 + start)
    known, steps, left = telling.confirm(draft, "jonas", 3, now), 0, list(pages)
    while known.due_at is not None:
        now, steps = max(now, known.due_at), steps + 1
        assert steps < 60
        step = telling.due_step(known, now, POLICY)
        if step == "page":
            known = telling.after_page(known, "more" if left and left.pop() else None, now, POLICY)
        elif step == "pass":
            known, left = telling.once_more(known, now), list(pages)
        elif step == "judge_late":
            known = telling.judge_late(known, NONE, [known], REPEATED, now, SETTINGS)[0]
        else:
            assert step == "judge"
            assert known.passed_at
            assert now - START >= POLICY.fix_check_after
            known = telling.judge(known, NONE, [known], POLICY, now)
    assert (known.stage, known.result, known.checks) == (Stage.DONE, Result.TOO_LITTLE, 2)


@pytest.mark.parametrize(
    ("stage", "changed"),
    [
        (Stage.TELLING, {}),
        (Stage.TOLD, {}),
        (Stage.DRAFT, {}),
        (Stage.CANCELLED, {}),
        (Stage.DONE, {}),
        (Stage.TOLD, {"said_early": True}),
        (Stage.TOLD, {"kind": Kind.KNOWN}),
    ],
)
def test_only_the_first_no_about_a_fix_that_is_told_and_not_judged_is_news(
    stage: Stage, changed: dict[str, Any]
) -> None:
    known = replace(told()[1], stage=stage, **changed)
    is_news = not changed and stage in {Stage.TELLING, Stage.TOLD}
    no = Said(scope=known.scope, person="p", gone=False, at=START, source="a", ticket_id="1", number=1)
    assert telling.is_first_no(known, no) is is_news
    assert not telling.is_first_no(known, replace(no, gone=True))


def test_the_first_no_is_told_the_owner_once_and_moves_nothing() -> None:
    state, known = told()
    heard, mail = telling.hear_early(known, [known], state, after(days=2), SETTINGS)
    assert heard == replace(known, said_early=True)
    assert mail
    assert (mail.to, mail.about["why"], mail.about["telling"]) == ("contact:jonas", "said_early", "1")
    newer = replace(known, number=2)
    assert telling.hear_early(known, [newer, known], state, after(days=2), SETTINGS) == (known, None)


def test_a_fix_that_holds_closes_its_cause() -> None:
    state, known = told()
    judged = telling.judge(known, GOOD, [known], POLICY, after(days=31))
    closed, mails, again, what = telling.conclude(judged, state, after(days=31), SETTINGS)
    assert (judged.stage, judged.result, what) == (Stage.DONE, Result.HOLDS, What.HOLDS)
    assert (closed.repeated_at, closed.due_at, again) == (None, None, None)
    assert [mail.to for mail in mails] == ["contact:jonas"]


def test_a_fix_that_fails_opens_its_cause_and_those_who_said_so_hear_of_it() -> None:
    state, known = told()
    judged = telling.judge(known, BAD, [known], POLICY, after(days=31))
    opened_again, mails, again, what = telling.conclude(judged, state, after(days=31), SETTINGS)
    assert (judged.result, what) == (Result.OPENS_AGAIN, What.OPENS_AGAIN)
    assert (opened_again.repeated_at, opened_again.acknowledged_at) == (after(days=31), None)
    assert (opened_again.declared, opened_again.due_at) == (0, after(days=38))
    assert again
    assert (again.kind, again.stage, again.source_scope, again.number) == (
        Kind.AGAIN,
        Stage.TELLING,
        known.scope,
        2,
    )
    assert len(mails) == 1


def test_what_was_noticed_anew_meanwhile_stays_in_the_hands_it_is_in() -> None:
    state, known = told()
    noticed = replace(
        state, declared=0, repeated_at=after(days=20), acknowledged_at=after(days=21), due_at=None
    )
    judged = telling.judge(known, BAD, [known], POLICY, after(days=31))
    same, _, again, _ = telling.conclude(judged, noticed, after(days=31), SETTINGS)
    assert replace(same, tellings=noticed.tellings) == noticed
    assert again


def test_a_newer_fix_leaves_nothing_to_say_about_the_older_one() -> None:
    state, known = told()
    _, newer = telling.declare(state, "a", "b", date(2026, 11, 20), "jonas", after(days=5), POLICY)
    judged = telling.judge(known, BAD, [known, newer], POLICY, after(days=31))
    assert judged.result is Result.OPENS_AGAIN, "nobody was told of the newer one"
    newer = telling.confirm(newer, "jonas", 1, after(days=6))
    judged = telling.judge(known, BAD, [known, newer], POLICY, after(days=31))
    assert (judged.result, judged.due_at) == (Result.SUPERSEDED, None)
    assert telling.conclude(judged, state, after(days=31), SETTINGS) == (state, [], None, None)


def test_a_promise_is_kept_by_whatever_came_in_time() -> None:
    state, known = telling.write(REPEATED, Kind.KNOWN, "a", date(2026, 11, 20), "jonas", START, POLICY)
    known = telling.confirm(known, "jonas", 2, START)
    _, fix = telling.declare(state, "a", "b", START.date(), "jonas", after(hours=1), POLICY)
    for confirmed_at, kept in ((after(days=3), True), (after(days=6), False)):
        later = telling.confirm(fix, "jonas", 2, confirmed_at)
        assert telling.settle_promise(known, [known, later], POLICY).kept is kept
    assert telling.settle_promise(known, [known, fix], POLICY).kept is False, "a draft tells nobody"


def test_the_last_answer_counts_and_words_belong_to_it() -> None:
    first = Said(
        scope="TOLD#a", person="p", gone=True, at=START, source="desk", ticket_id="1", number=1, words="Fine."
    )
    same = replace(first, words=None, at=after(days=1))
    assert telling.say(None, first) == first
    assert telling.say(first, same) is first
    other = telling.say(replace(first, version=3), replace(same, gone=False))
    assert (other.gone, other.words, other.version) == (False, None, 3)


def test_of_what_customers_wrote_the_newest_comes_first_and_trouble_before_thanks() -> None:
    first = Said(
        scope="TOLD#a", person="p", gone=False, at=START, source="a", ticket_id="1", number=1, words="one"
    )
    said = [
        replace(first, gone=True, words="thanks", at=after(days=9)),
        first,
        replace(first, words="two", at=after(days=2)),
    ]
    assert telling.reached([], said).words == ((False, "two"), (False, "one"), (True, "thanks"))


def test_whom_it_has_reached_is_counted_from_the_messages() -> None:
    _, draft = declared()

    one, two, three = (
        telling.message_for(draft, opened(), person(key=key), START, SETTINGS) for key in ("a", "b", "c")
    )
    messages = [one, replace(two, delivery=sent()), replace(three, cancelled="opted_out")]
    found = telling.reached(messages, [])
    assert (found.told, found.waiting, found.left_out) == (1, 1, (("opted_out", 1),))


def test_news_wait_for_those_who_are_still_being_told_what_they_are_news_of() -> None:
    _, fix = told()
    known = replace(fix, number=1, kind=Kind.KNOWN, stage=Stage.TELLING)
    update = replace(fix, number=2, kind=Kind.UPDATE, stage=Stage.TELLING, scope="TOLD#2")
    update = replace(update, source_scope=known.scope)
    assert telling.is_behind(update, [update, known])
    assert not telling.is_behind(update, [update, replace(known, stage=Stage.TOLD)])
    assert not telling.is_behind(update, [update, replace(known, scope="TOLD#another")])
    assert not telling.is_behind(known, [update, known])
