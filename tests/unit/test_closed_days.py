"""Which country's public holidays count for a customer."""

from dataclasses import replace
from datetime import date
from zoneinfo import available_timezones

import pytest

from adapters.closed_days import closed_days, country_of, known_countries
from company import SETTINGS, closure
from domain.hours import no_day
from domain.settings import Hours, Settings

CHRISTMAS, UNITY, WEDNESDAY = date(2026, 12, 25), date(2026, 10, 3), date(2026, 11, 18)


def office(country: str | None = None, *, on_holidays: bool = False) -> Settings:
    """A company with office hours."""
    policy = replace(SETTINGS.policy, hours=Hours(on_holidays=on_holidays))
    return replace(SETTINGS, company=replace(SETTINGS.company, country=country), policy=policy)


@pytest.mark.parametrize(
    ("zone", "locale", "country"),
    [
        ("Europe/Berlin", None, "DE"),
        ("Europe/Busingen", "fr-FR", "DE"),
        ("Europe/Oslo", None, "NO"),
        ("Asia/Calcutta", None, "IN"),
        ("US/Eastern", None, "US"),
        ("Europe/Kiev", "ru", "UA"),
        ("UTC", "de-AT", "AT"),
        ("Etc/GMT+3", "pt_BR", "BR"),
        ("CET", "de-DE", "DE"),
        ("EST", "en-US", "US"),
        ("EET", "fi", None),
        (None, "zh-Hans-CN", "CN"),
        (None, "en_GB.UTF-8", "GB"),
        (None, "sr-Latn", None),
        (None, "de", None),
        ("Mars/Base", "../x-DE", None),
        ("Eastern Time (US)", "", None),
        (None, None, None),
    ],
)
def test_the_country_is_that_of_the_zone_else_of_the_language(
    zone: str | None, locale: str | None, country: str | None
) -> None:
    assert country_of(zone, locale) == country


def test_nearly_every_zone_of_a_place_has_its_country() -> None:
    places = {"Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
    zones = [zone for zone in available_timezones() if zone.partition("/")[0] in places]
    unknown = [zone for zone in zones if country_of(zone, None) is None]
    assert len(zones) > 400
    assert len(unknown) < 5, unknown


def test_a_day_is_closed_where_the_customer_is() -> None:
    in_berlin = closed_days(closure(time_zone="Europe/Berlin"), office())
    assert [in_berlin(day) for day in (CHRISTMAS, UNITY, WEDNESDAY)] == [True, True, False]
    in_paris = closed_days(closure(time_zone="Europe/Paris"), office("DE"))
    assert [in_paris(day) for day in (CHRISTMAS, UNITY)] == [True, False]
    in_riyadh = closed_days(closure(time_zone="Asia/Riyadh"), office())
    assert not in_riyadh(CHRISTMAS)


def test_nobody_knows_where_they_are_then_the_companys_country_counts_else_none() -> None:
    assert closed_days(closure(), office("DE"))(UNITY)
    assert not closed_days(closure(), office())(CHRISTMAS)


def test_a_country_that_the_library_does_not_know_has_no_holidays() -> None:
    assert not closed_days(closure(locale="en-ZZ"), office("DE"))(CHRISTMAS)


def test_a_company_may_write_on_holidays() -> None:
    assert closed_days(closure(time_zone="Europe/Berlin"), office("DE", on_holidays=True)) is no_day


def test_known_countries_are_codes() -> None:
    assert {"DE", "US", "BR", "JP"} <= set(known_countries())
    assert all(len(code) == 2 and code.isupper() for code in known_countries())
