"""The digest of a process owner: what ranks a cause, what changed, what waits, and what a period is."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import samples
from company import POLICY, SETTINGS, START, after, opened
from domain.cause import TREND, CauseState, Mark, mark_of
from domain.digest import (
    HAD_A_TICKET,
    LONGEST,
    NO_ANSWER,
    NOT_SOLVED,
    Change,
    Entry,
    Need,
    Owner,
    digest_message,
    entry,
    look_back,
    need,
    period,
    rank,
)
from domain.follow_up import MOST_AGAIN, Answer, FollowUp, State
from domain.message import is_for_chat, with_chat
from domain.settings import Schedule
from messages import compose, digest_facts
from messages.text import for_chat

A_WEEK = timedelta(days=7)
UNTIL = after(days=7)
TODAY = date(2026, 11, 23)


def closing(
    ticket_id: str,
    state: State = State.ASKED,
    *,
    who: str | None = "anna@c.example",
    day: float = 1,
    number: int = 1,
    cause: str = "firmware",
    answers: tuple[Answer, ...] = (),
    **changed: object,
) -> FollowUp:
    """One closing of a ticket, with what became of it."""
    known = opened(after(days=day), ticket_id=ticket_id, requester_email=who, **changed)
    outcome_at = after(days=day + 1) if state not in {State.ASKED, State.SCHEDULED} else None
    return replace(known, number=number, state=state, cause=cause, answers=answers, outcome_at=outcome_at)


def told(*follow_ups: FollowUp, state: CauseState | None = None) -> Entry:
    """The first week's entry about these closings."""
    marks = [mark for f in follow_ups if (mark := mark_of(f))]
    return entry(state or CauseState(code="firmware"), marks, follow_ups, START, UNTIL, TODAY)


def no(words: str | None = None, day: float = 2) -> Answer:
    """The customer says it is not solved."""
    return Answer(solved=False, at=after(days=day), words=words)


def yes(words: str | None = None, consent: str | None = None, day: float = 2) -> Answer:
    """The customer says it is solved."""
    return Answer(solved=True, at=after(days=day), words=words, consent=consent)


def test_harm_counts_customers_and_not_their_tickets() -> None:
    of_one = told(*(closing(str(n)) for n in range(9)))
    of_three = told(*(closing(str(n), who=f"c{n}@c.example") for n in range(3)))
    assert (of_one.harm, of_three.harm) == (HAD_A_TICKET, 3 * HAD_A_TICKET)
    assert [e.harm for e in rank([of_one, of_three])] == [3, 1]


def test_whom_nobody_helped_and_who_says_nothing_weigh_more_and_each_customer_once() -> None:
    worst = told(closing("1", State.SILENT), closing("2", State.DENIED), closing("3", State.CONFIRMED))
    assert worst.harm == NOT_SOLVED
    two = told(closing("1", State.SILENT, who="a@c.example"), closing("2", State.DENIED, who="b@c.example"))
    assert two.harm == NO_ANSWER + NOT_SOLVED
    nobody = told(closing("1", State.SILENT, who=None), closing("2", State.SILENT, who=None))
    assert nobody.harm == 2 * NO_ANSWER


def test_an_outcome_long_after_the_closing_is_harm_of_its_week() -> None:
    late = told(closing("1", State.DENIED, day=-20))
    assert late.harm == 0
    assert told(replace(closing("1", State.DENIED, day=-20), outcome_at=after(days=3))).harm == NOT_SOLVED


@pytest.mark.parametrize(
    ("tickets", "change", "quiet"),
    [
        ((0, 0, 0, 0, 0, 2), Change.NEW, 5),
        ((0, 3, 0, 0, 0, 2), Change.BACK, 3),
        ((0, 0, 0, 0, 1, 2), Change.UP, 0),
        ((0, 0, 0, 0, 2, 2), Change.SAME, 0),
        ((0, 0, 0, 0, 3, 2), Change.DOWN, 0),
        ((0, 0, 0, 0, 3, 0), Change.GONE, 0),
        ((4, 0, 0, 0, 0, 0), Change.QUIET, 4),
    ],
)
def test_what_changed_since_the_periods_before(tickets: tuple[int, ...], change: Change, quiet: int) -> None:
    marks = [
        Mark(
            cause="firmware",
            source="desk",
            ticket_id=f"{week}-{n}",
            number=1,
            opened_at=UNTIL - (6 - week) * A_WEEK,
        )
        for week, count in enumerate(tickets)
        for n in range(count)
    ]
    found = entry(CauseState(code="firmware"), marks, [], START, UNTIL, TODAY)
    assert (found.change, found.quiet_before, found.figures.trend) == (change, quiet, tickets)


def test_what_waits_for_the_owner() -> None:
    told_of = CauseState(code="firmware", repeated_at=START)
    known = replace(told_of, acknowledged_at=START)
    assert need(CauseState(code="firmware"), TODAY) is None
    assert need(told_of, TODAY) is Need.NOT_ACKNOWLEDGED
    assert need(known, TODAY) is Need.NO_DATE
    assert need(replace(known, committed_to=TODAY), TODAY) is None
    assert need(replace(known, committed_to=date(2026, 11, 22)), TODAY) is Need.DATE_PASSED


def test_a_date_that_passed_is_told_even_of_a_cause_without_tickets() -> None:
    late = told(state=CauseState(code="firmware", acknowledged_at=START, committed_to=date(2026, 11, 20)))
    quiet = told(state=CauseState(code="licence", acknowledged_at=START))
    assert rank([late, quiet]) == [late]


def test_who_was_not_helped_first_and_is_now_has_recovered() -> None:
    changed_mind = closing("1", State.CONFIRMED, answers=(no(day=1), yes()))
    second_closing = closing("2", State.CONFIRMED, number=2, answers=(yes(),), closed_at=after(days=1))
    first_closing = closing("2", State.DENIED, day=-3, answers=(no(day=-2),))
    at_once = closing("3", State.CONFIRMED, answers=(yes(),))
    found = told(changed_mind, first_closing, second_closing, at_once, closing("4", State.DENIED))
    assert [f.closure.ticket_id for f in found.recovered] == ["1", "2"]
    assert found.unsolved == 1


def test_words_of_a_no_have_no_name_and_a_name_stands_only_under_what_was_agreed_to() -> None:
    settings = replace(SETTINGS, causes={"firmware": SETTINGS.causes["firmware"]})
    given: dict[str, Any] = {"requester_name": "Anna Berg", "resolver_name": "Marta"}
    found = told(
        closing("1", State.DENIED, answers=(no("Still drops"),), **given),
        closing("2", State.CONFIRMED, who="b@c.example", answers=(yes("Thanks a lot", "Thanks"),), **given),
        closing("3", State.CONFIRMED, who="c@c.example", answers=(yes("Between us"),), **given),
    )
    context = digest_facts.digest("jonas", START, UNTIL, UNTIL, [found], samples.CAUSES_LINK, settings)
    assert context.lines[0].words == ("Still drops",)
    (thanks,) = context.thanks
    assert (thanks.name, thanks.solved, thanks.quote, thanks.customer_credit) == (
        "Marta (Remote access)",
        2,
        "Thanks",
        "Anna Berg",
    )
    mail = compose.digest(context)
    for part in (mail.text, mail.html):
        assert part.count("Anna Berg") == 1
        assert "Thanks a lot" not in part
        assert "Between us" not in part


def test_words_that_are_not_only_praise_are_quoted_once_a_person_passed_them_on() -> None:
    held = replace(yes("It works, but Marta was rude", "It works, but Marta was rude"), critical=True)
    for answer, quote in ((held, None), (replace(held, released_by="jonas"), "It works, but Marta was rude")):
        found = told(closing("1", State.CONFIRMED, answers=(answer,), resolver_name="Marta"))
        context = digest_facts.digest("jonas", START, UNTIL, UNTIL, [found], samples.CAUSES_LINK, SETTINGS)
        assert [(thanks.solved, thanks.quote) for thanks in context.thanks] == [(1, quote)]
        assert [example.words for example in digest_facts.examples(found.about)] == [quote]


def test_who_acknowledged_is_whoever_has_the_cause_now() -> None:
    state = CauseState(code="firmware", owner="ruth", repeated_at=START, acknowledged_at=START)
    found = told(closing("1"), state=state)
    context = digest_facts.digest("ruth", START, UNTIL, UNTIL, [found], samples.CAUSES_LINK, SETTINGS)
    assert context.lines[0].acknowledged_by == SETTINGS.contacts["ruth"].name


def test_shares_of_harm_add_up_and_others_are_summed() -> None:
    entries = rank(
        replace(
            told(*(closing(f"{n}-{k}", who=f"c{k}@c.example") for k in range(n))),
            state=CauseState(code=f"cause-{n}"),
        )
        for n in range(1, 21)
    )
    context = digest_facts.digest("jonas", START, UNTIL, UNTIL, entries, samples.CAUSES_LINK, SETTINGS)
    assert [line.tickets for line in context.lines] == [20, 19, 18, 17, 16, 15, 14, 13]
    assert [line.share_so_far for line in context.lines] == sorted(
        line.share_so_far for line in context.lines
    )
    assert context.lines[0].share == round(100 * 20 / 210)
    assert (context.rest.causes, context.rest.tickets) == (12, sum(range(1, 13)))
    assert context.total.tickets == 210
    assert abs(context.lines[-1].share_so_far + context.rest_share - 100) <= 1


def test_a_ticket_with_two_causes_is_one_ticket_in_the_sum() -> None:
    first = told(closing("1"), closing("2"))
    second = replace(told(closing("1", number=2)), state=CauseState(code="licence"))
    context = digest_facts.digest(
        "jonas", START, UNTIL, UNTIL, [first, second], samples.CAUSES_LINK, SETTINGS
    )
    assert ([line.tickets for line in context.lines], context.total.tickets) == ([2, 1], 2)


# --- periods ---------------------------------------------------------------------------------------------------------


def test_one_digest_for_each_period() -> None:
    owner = Owner(key="jonas", due_at=START)
    first = digest_message(owner, START - A_WEEK, START, after(minutes=1), SETTINGS)
    late = digest_message(owner, START - A_WEEK, START, after(days=1), SETTINGS)
    next_week = digest_message(owner, START, UNTIL, UNTIL, SETTINGS)
    assert (first.scope, first.name) == (late.scope, late.name)
    assert first.name != next_week.name


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(1, 400)), min_size=2, max_size=20))
def test_periods_follow_each_other_whatever_the_schedule_becomes(changes: list[tuple[int, int]]) -> None:
    """Each step: so many hours later a digest is due, in a schedule whose periods have so many hours."""
    owner, until, told_of = Owner(key="jonas"), START, []
    for later, usual in changes:
        until += timedelta(hours=later)
        found = period(owner, (until - timedelta(hours=usual), until))
        told_of.append(found)
        owner = replace(owner, told_until=found[1])
    assert all(before[1] == since for before, (since, _) in pairwise(told_of))


def test_whoever_had_no_cause_for_months_hears_of_the_last_weeks_only() -> None:
    away = Owner(key="jonas", told_until=after(days=-200))
    assert period(away, (START, UNTIL)) == (UNTIL - LONGEST, UNTIL)
    slow = (UNTIL - 2 * LONGEST, UNTIL)
    assert period(away, slow) == slow


def test_a_digest_looks_back_far_enough_for_silence_and_for_who_is_asked_again() -> None:
    asked = POLICY.first_ask_after + POLICY.quiet_period + POLICY.silent_after
    again = POLICY.flag_settle_within + POLICY.link_answers_for
    assert after(days=-1) - look_back(after(days=-1), START, POLICY) > asked + MOST_AGAIN * again
    assert look_back(after(days=-30), START, POLICY) == after(days=-TREND * 30)


def test_an_owner_may_choose_day_hour_and_zone() -> None:
    jonas = replace(SETTINGS.contacts["jonas"], digest=Schedule(weekday=3, time_zone="America/New_York"))
    settings = replace(SETTINGS, contacts={**SETTINGS.contacts, "jonas": jonas})
    chosen = settings.policy_for("jonas")
    assert (chosen.digest_weekday, chosen.time_zone, chosen.digest_every) == (3, "America/New_York", A_WEEK)
    assert settings.policy_for("ruth") == settings.policy


# --- chats -----------------------------------------------------------------------------------------------------------


def test_who_has_a_chat_gets_it_there_too() -> None:
    mail = digest_message(Owner(key="jonas"), START, UNTIL, UNTIL, SETTINGS)
    assert with_chat(mail, SETTINGS) == [mail]
    jonas = replace(SETTINGS.contacts["jonas"], chat="owners")
    first, second = with_chat(mail, replace(SETTINGS, contacts={"jonas": jonas}))
    assert (first, second.to, second.scope) == (mail, "chat:jonas", mail.scope)
    assert (is_for_chat(first), is_for_chat(second)) == (False, True)
    assert first.name != second.name


def test_r5_everything_that_goes_to_a_chat_can_be_written() -> None:
    """Of each sample: its whole sentence, without what could steer a chat, and with our link."""
    for write, samples_of in (
        (compose.digest_note, [c for f, c in samples.STAFF_MAILS.values() if f is compose.digest]),
        (
            compose.cause_repeated_note,
            [c for f, c in samples.STAFF_MAILS.values() if f is compose.cause_repeated],
        ),
        (compose.cause_news_note, [c for f, c in samples.STAFF_MAILS.values() if f is compose.cause_news]),
    ):
        assert samples_of
        for context in samples_of:
            note = write(context)
            assert note.title
            assert note.lines
            assert not set("".join(note.lines)) & set("<>&@*_~`[]|\\#")
            assert note.link == context.link


@pytest.mark.parametrize("need", Need)
def test_the_chat_says_of_what_waits_what_the_mail_says(need: Need) -> None:
    waiting = compose.Waiting(name="Router", need=need.value, since=date(2026, 11, 20))
    context = replace(samples.digest(), needs=(waiting,))
    (line,) = [line for line in compose.digest_note(context).lines if line.startswith("Waits for you")]
    assert line.removeprefix("Waits for you: Router. ") in " ".join(compose.digest(context).text.split())


def test_the_chat_says_in_words_what_became_of_a_ticket() -> None:
    context = samples.STAFF_MAILS["cause_repeated"][1]
    unasked = replace(context.examples[0], outcome="not_asked")
    lines = compose.cause_repeated_note(replace(context, examples=(unasked,))).lines
    assert not [line for line in lines if "not＿asked" in line]


@given(st.text(alphabet="<>&@!#*_~`[]()|\\/:. ahechnlrU1", max_size=60))
def test_r5_no_text_of_theirs_mentions_links_or_marks_up_in_a_chat(text: str) -> None:
    said = for_chat(text)
    assert not set(said) & set("<>&@*_~`[]|\\#")
    assert "://" not in said


def test_a_busy_cause_is_read_in_one_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole follow-ups compared with each other would be the square of them: thousands outlast their Lambda."""
    known = [closing(str(n), State.CONFIRMED, day=n % 7) for n in range(50)]

    def refuse(one: FollowUp, other: object) -> bool:
        raise AssertionError("compared")

    monkeypatch.setattr(FollowUp, "__eq__", refuse)
    assert len(told(*known).about) == 50
