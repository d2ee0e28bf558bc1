"""What a team hears of confirmed solutions: when, and whom it may thank."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from company import SETTINGS, START, after, asked, closure, opened
from domain import thanks
from domain.closure import Contributor
from domain.follow_up import FollowUp, Press, State, Ticket, open_follow_up, record_answer
from domain.settings import Colleague, Team
from domain.thanks import Round, TeamRound

BERLIN = "Europe/Berlin"
DAILY = Team(name="Daily", email="d@nordlicht.example", notes="daily", notes_at=time(16, 30))
WEEKLY = replace(DAILY, notes="weekly", notes_weekday=4)
ISO = "%Y-%m-%d %H:%M"


def at(text: str) -> datetime:
    """An instant, written in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("team", "now", "due"),
    [
        (DAILY, "2026-11-16 09:00", "2026-11-16 15:30"),
        (DAILY, "2026-11-16 15:30", "2026-11-17 15:30"),
        (WEEKLY, "2026-11-16 09:00", "2026-11-20 15:30"),
        (WEEKLY, "2026-11-20 15:30", "2026-11-27 15:30"),
        # The clocks change on 25 October: the same hour for people is another one in UTC.
        (WEEKLY, "2026-10-23 14:30", "2026-10-30 15:30"),
    ],
)
def test_gathered_notes_are_due_at_the_hour_that_the_team_chose(team: Team, now: str, due: str) -> None:
    found = thanks.next_notes(team, at(now), BERLIN)
    assert found and found.strftime(ISO) == due


def test_a_team_that_wants_each_note_at_once_has_no_gathering() -> None:
    assert thanks.next_notes(replace(DAILY, notes="at_once"), START, BERLIN) is None


@given(st.integers(0, 6 * 365 * 24 * 60), st.sampled_from((DAILY, WEEKLY)))
def test_the_next_gathering_is_later_and_at_most_a_week_away(minutes: int, team: Team) -> None:
    moment = START + timedelta(minutes=minutes)
    found = thanks.next_notes(team, moment, BERLIN)
    assert found and moment < found
    assert (found - moment).total_seconds() <= 7 * 86_400 + 3600


def test_the_look_back_is_due_on_the_first_of_a_month() -> None:
    assert thanks.next_month(DAILY, at("2026-11-16 09:00"), BERLIN).strftime(ISO) == "2026-12-01 15:30"
    assert thanks.next_month(DAILY, at("2026-12-01 15:30"), BERLIN).strftime(ISO) == "2027-01-01 15:30"
    assert thanks.next_month(DAILY, at("2026-12-01 15:29"), BERLIN).strftime(ISO) == "2026-12-01 15:30"


def test_a_month_begins_and_ends_at_midnight_of_the_company() -> None:
    begin, end = thanks.month_of(date(2026, 10, 1), BERLIN)
    assert (begin.strftime(ISO), end.strftime(ISO)) == ("2026-09-30 22:00", "2026-10-31 23:00")
    assert thanks.month_before(date(2027, 1, 1)) == date(2026, 12, 1)


def test_the_mail_of_a_round_has_its_instant_as_business_key() -> None:
    due = TeamRound(team="remote", round=Round.NOTES, since=START, due_at=after(days=7))
    first = thanks.message(due, after(days=7), after(days=7), SETTINGS)
    again = thanks.message(due, after(days=7), after(days=7, minutes=3), SETTINGS)
    assert (first.scope, first.name) == (again.scope, again.name) == ("TEAM#remote", "notes#20261123T090000")


def yes(follow_up: FollowUp, **said: object) -> FollowUp:
    """The customer confirms."""
    return record_answer(follow_up, Press(solved=True, **said), after(days=2), SETTINGS.policy)  # type: ignore[arg-type]


def test_only_what_customers_still_call_solved_is_thanked_for_and_each_once() -> None:
    solved = yes(asked())
    denied = record_answer(solved, Press(solved=False), after(days=3), SETTINGS.policy)
    other = replace(solved, closure=closure(ticket_id="2"))
    assert thanks.confirmed([solved, solved, other]) == [solved, other]
    assert thanks.confirmed([denied, opened()]) == []
    assert thanks.customers([solved, other]) == 1


def test_people_are_counted_by_their_part_never_by_their_speed() -> None:
    settings = replace(
        SETTINGS,
        teams={
            **SETTINGS.teams,
            "field": Team(
                name="Field",
                email="field@nordlicht.example",
                people={"bo": Colleague(name="Bo Jensen", email="bo@nordlicht.example")},
            ),
        },
    )
    first = closure(resolver_name="Marta", contributors=(Contributor(email="bo@nordlicht.example"),))
    follow_up = replace(open_follow_up(Ticket(), first, START, settings), state=State.CONFIRMED)
    assert follow_up.teams == ("field",)
    assert follow_up.closure.contributors[0].name == "Bo Jensen"
    assert thanks.people([follow_up], "remote", settings) == [("Marta", 1)]
    assert thanks.people([follow_up, follow_up], "field", settings) == [("Bo Jensen", 2)]
