"""When customers may be written to, and when digests are due (row C5)."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.hours import LONGEST_CLOSURE, digest_period, known_zone, local, next_digest, next_open
from domain.settings import Hours, Policy

OFFICE = Hours()
ALWAYS = Hours(opens=time(), closes=time.max, weekdays=tuple(range(7)))
BERLIN = "Europe/Berlin"
ZONES = [
    BERLIN,
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Asia/Beirut",
    "Antarctica/Troll",
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "UTC",
]

instants = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
zones = st.sampled_from(ZONES)
clock_times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
weekday_sets = st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days)))


@st.composite
def opening_hours(draw: st.DrawFn) -> Hours:
    """Any hours that a settings file may have."""
    opens, closes = sorted(draw(st.lists(clock_times, min_size=2, max_size=2, unique=True)))
    return Hours(opens=opens, closes=draw(st.sampled_from([closes, time.max])), weekdays=draw(weekday_sets))


def berlin(day: str, clock: str = "00:00", fold: int = 0) -> datetime:
    """An instant in UTC from what the clocks in Berlin show."""
    shown = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZoneInfo(BERLIN), fold=fold)
    return shown.astimezone(UTC)


def is_open(instant: datetime, hours: Hours, zone: str) -> bool:
    """What ``next_open`` promises, said independently of it."""
    shown = instant.astimezone(ZoneInfo(zone))
    return shown.weekday() in hours.weekdays and hours.opens <= shown.time() <= hours.closes


sets_of_days = st.frozensets(st.dates(date(2009, 12, 1), date(2036, 1, 1)), max_size=3)
"""Besides, a test closes days near the one it asks about."""


@given(
    st.datetimes(datetime(2010, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    opening_hours(),
    zones,
    st.frozensets(st.integers(0, 40)),
)
def test_c5_it_is_never_earlier_than_asked_never_closed_and_never_far_away(
    asked: datetime, hours: Hours, zone: str, closed: frozenset[int]
) -> None:
    """Whatever the clocks there did (São Paulo until 2019, Lord Howe by half an hour, Casablanca in every Ramadan)."""
    today = asked.astimezone(ZoneInfo(zone)).date()
    holidays = {today + timedelta(days=days) for days in closed}
    opening = next_open(asked, hours, zone, closed=holidays.__contains__)
    shown = opening.astimezone(ZoneInfo(zone))
    assert opening >= asked
    assert is_open(opening, hours, zone)
    assert shown.date() not in holidays or shown.date() - today > LONGEST_CLOSURE
    assert opening - asked <= LONGEST_CLOSURE + timedelta(days=15)


@given(instants, opening_hours(), zones)
def test_days_that_are_all_closed_keep_nobody_waiting_for_ever(
    asked: datetime, hours: Hours, zone: str
) -> None:
    opening = next_open(asked, hours, zone, closed=lambda day: True)
    assert LONGEST_CLOSURE <= opening - asked <= LONGEST_CLOSURE + timedelta(days=15)


@given(instants, opening_hours(), zones, sets_of_days)
def test_a_holiday_only_ever_moves_the_opening_back(
    asked: datetime, hours: Hours, zone: str, closed: frozenset[date]
) -> None:
    plain = next_open(asked, hours, zone)
    opening = next_open(asked, hours, zone, closed=closed.__contains__)
    assert opening >= plain
    if plain.astimezone(ZoneInfo(zone)).date() not in closed:
        assert opening == plain


def test_christmas_in_berlin_waits_for_the_monday_after_it() -> None:
    christmas = {date(2026, 12, 25), date(2026, 12, 26)}
    opening = next_open(berlin("2026-12-24", "18:30"), OFFICE, BERLIN, closed=christmas.__contains__)
    assert opening == berlin("2026-12-28", "08:00")


def test_a_holiday_is_that_of_the_customers_calendar() -> None:
    """The 25th begins in Auckland when it is still the 24th in UTC."""
    asked = datetime(2026, 12, 24, 20, tzinfo=UTC)
    opening = next_open(asked, OFFICE, "Pacific/Auckland", closed={date(2026, 12, 25)}.__contains__)
    assert opening == datetime(2026, 12, 27, 19, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "opening"),
    [
        (berlin("2026-11-18", "09:30"), berlin("2026-11-18", "09:30")),
        (berlin("2026-11-18", "08:00"), berlin("2026-11-18", "08:00")),
        (berlin("2026-11-18", "07:59"), berlin("2026-11-18", "08:00")),
        (berlin("2026-11-18", "18:00"), berlin("2026-11-19", "08:00")),
        (berlin("2026-11-18", "23:59"), berlin("2026-11-19", "08:00")),
        (berlin("2026-11-20", "18:01"), berlin("2026-11-23", "08:00")),
        (berlin("2026-11-21", "12:00"), berlin("2026-11-23", "08:00")),
        (berlin("2026-11-22", "12:00"), berlin("2026-11-23", "08:00")),
    ],
)
def test_c5_quiet_hours_and_weekends_wait_for_the_next_opening(asked: datetime, opening: datetime) -> None:
    assert next_open(asked, OFFICE, BERLIN) == opening


def test_c5_opening_follows_the_change_of_the_clocks() -> None:
    spring = next_open(berlin("2026-03-28", "12:00"), OFFICE, BERLIN)
    autumn = next_open(berlin("2026-10-24", "12:00"), OFFICE, BERLIN)
    assert (spring.hour, autumn.hour) == (6, 7)
    assert local(spring, BERLIN).hour == local(autumn, BERLIN).hour == 8


def test_c5_an_opening_that_the_clocks_jump_over_comes_after_the_jump() -> None:
    night = Hours(opens=time(2, 30), closes=time(6), weekdays=tuple(range(7)))
    opening = next_open(berlin("2026-03-29", "00:10"), night, BERLIN)
    assert local(opening, BERLIN).isoformat() == "2026-03-29T03:30:00+02:00"


def test_c5_hours_that_the_clocks_skip_altogether_wait_for_the_next_day() -> None:
    night = Hours(opens=time(2, 10), closes=time(2, 50), weekdays=(6, 0))
    opening = next_open(berlin("2026-03-29", "00:10"), night, BERLIN)
    assert local(opening, BERLIN).isoformat() == "2026-03-30T02:10:00+02:00"


def test_c5_an_hour_that_comes_twice_is_open_twice() -> None:
    night = Hours(opens=time(2, 10), closes=time(2, 50), weekdays=tuple(range(7)))
    first, second = berlin("2026-10-25", "02:10"), berlin("2026-10-25", "02:10", fold=1)
    assert second - first == timedelta(hours=1)
    assert next_open(berlin("2026-10-25", "01:00"), night, BERLIN) == first
    assert next_open(berlin("2026-10-25", "02:50"), night, BERLIN) == second


@pytest.mark.parametrize(
    "unknown",
    [
        None,
        "",
        "Mars/Base",
        "America",
        "../etc/passwd",
        "/etc/localtime",
        "a" * 5000,
        "a\0b",
        "\ud800",
        "Eastern Time (US)",
    ],
)
def test_c5_unknown_zone_takes_the_default(unknown: str | None) -> None:
    asked = berlin("2026-11-18", "07:30")
    assert not known_zone(unknown)
    assert next_open(asked, OFFICE, unknown, BERLIN) == berlin("2026-11-18", "08:00")
    assert next_open(asked, OFFICE, unknown, "nowhere") == datetime(2026, 11, 18, 8, tzinfo=UTC)


def test_known_zone_knows_the_names_that_helpdesks_send() -> None:
    assert all(known_zone(name) for name in ZONES)


def test_hours_of_a_customer_far_away_are_their_own() -> None:
    friday_evening_in_new_york = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    assert next_open(friday_evening_in_new_york, OFFICE, "America/New_York") == datetime(
        2026, 11, 23, 13, tzinfo=UTC
    )


def test_hours_that_never_open_are_refused() -> None:
    with pytest.raises(ValueError, match="never open"):
        next_open(berlin("2026-11-18"), Hours(weekdays=()), BERLIN)


@settings(deadline=None)  # a busy machine is not a fault
@given(instants, zones)
def test_hours_round_the_clock_never_wait(instant: datetime, zone: str) -> None:
    assert next_open(instant, ALWAYS, zone) == instant


@settings(deadline=None)  # a busy machine is not a fault
@given(instants, opening_hours(), zones)
def test_c5_result_is_open_not_earlier_in_utc_and_stays(instant: datetime, hours: Hours, zone: str) -> None:
    if hours.opens.hour < 4 and hours.closes.hour < 4:
        hours = replace(
            hours, closes=time(4)
        )  # hours that a change of the clocks can skip have their own test
    opening = next_open(instant, hours, zone)
    assert opening.tzinfo is UTC
    assert instant <= opening <= instant + timedelta(days=8)
    assert is_open(opening, hours, zone)
    assert next_open(opening, hours, zone) == opening


@settings(deadline=None)  # a busy machine is not a fault
@given(instants, opening_hours(), zones)
def test_c5_nothing_open_is_passed_over(instant: datetime, hours: Hours, zone: str) -> None:
    opening = next_open(instant, hours, zone)
    # On the days that change the clocks, up to two hours (Troll) may go by; otherwise not a minute.
    changes = instant.astimezone(ZoneInfo(zone)).utcoffset() != opening.astimezone(ZoneInfo(zone)).utcoffset()
    passed_over = instant
    while passed_over < opening - (timedelta(hours=3) if changes else timedelta()):
        assert (
            not is_open(passed_over, hours, zone)
            or passed_over.astimezone(ZoneInfo(zone)).time() == hours.closes
        )
        passed_over += timedelta(minutes=17)


WEEKLY = Policy(time_zone=BERLIN)


@pytest.mark.parametrize(
    ("after", "due"),
    [
        (berlin("2026-11-22", "12:00"), berlin("2026-11-23", "08:00")),
        (berlin("2026-11-23", "07:59"), berlin("2026-11-23", "08:00")),
        (berlin("2026-11-23", "08:00"), berlin("2026-11-30", "08:00")),
        (berlin("2026-03-28", "12:00"), berlin("2026-03-30", "08:00")),
    ],
)
def test_weekly_digest_is_due_on_its_weekday(after: datetime, due: datetime) -> None:
    assert next_digest(after, WEEKLY) == due


def test_digest_on_another_day_and_time() -> None:
    friday = replace(WEEKLY, digest_weekday=4, digest_at=time(16, 30))
    assert next_digest(berlin("2026-11-22"), friday) == berlin("2026-11-27", "16:30")


def test_daily_digest_keeps_its_hour_when_the_clocks_change() -> None:
    daily = replace(WEEKLY, digest_every=timedelta(days=1))
    due = [berlin("2026-10-23", "08:00")]
    for _ in range(4):
        due.append(next_digest(due[-1], daily))
    assert {local(instant, BERLIN).hour for instant in due} == {8}
    assert due[3] - due[2] == timedelta(days=1)
    assert due[2] - due[1] == timedelta(hours=25)


def test_short_periods_count_from_the_full_hour() -> None:
    local_policy = Policy(digest_every=timedelta(seconds=40))
    assert next_digest(datetime(2026, 11, 22, 12, 0, 1, tzinfo=UTC), local_policy) == datetime(
        2026, 11, 22, 12, 0, 40, tzinfo=UTC
    )


def test_period_of_a_weekly_digest_is_the_week_before() -> None:
    until = berlin("2026-03-30", "08:00")
    assert digest_period(until, WEEKLY) == (berlin("2026-03-23", "08:00"), until)
    assert digest_period(until, WEEKLY)[1] - digest_period(until, WEEKLY)[0] == timedelta(hours=167)


policies = st.builds(
    Policy,
    digest_every=st.one_of(
        st.integers(1, 86_399).map(lambda seconds: timedelta(seconds=seconds)),
        st.integers(1, 60).map(lambda days: timedelta(days=days)),
    ),
    digest_weekday=st.integers(0, 6),
    digest_at=clock_times,
    time_zone=st.sampled_from([*ZONES, "nowhere"]),
)


@settings(deadline=None)  # a busy machine is not a fault
@given(instants, policies)
def test_digests_follow_each_other_without_gap_or_overlap(after: datetime, policy: Policy) -> None:
    due = next_digest(after, policy)
    following = next_digest(due, policy)
    changed_clocks = timedelta(hours=2)
    assert after < due <= after + policy.digest_every + changed_clocks
    assert following > due
    assert digest_period(following, policy) == (due, following)
    assert next_digest(following - timedelta(microseconds=1), policy) == following
