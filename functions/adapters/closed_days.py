"""Public holidays of the customer's country, from python-holidays; without them Christmas would be a day like others.

The country is that of the customer's time zone, else the region of their language, else the company's own. The library
is loaded when the first day is asked for, and never by the webhook.
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from domain.closure import Closure
from domain.hours import ClosedDays, no_day
from domain.settings import Settings

REGION = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z]{4})?[-_]([A-Za-z]{2})(?:[-_.@].*)?")
"""The region in a tag such as ``de-AT``, ``zh-Hans-CN`` or ``pt_BR.UTF-8`` (BCP 47, POSIX)."""
OF_SEVERAL_COUNTRIES = frozenset({"CET", "EET", "EST", "HST", "MET", "MST", "WET"})
"""Names that tzdata leads to one place each, CET to Brussels and EST to Panama, and that say nothing of a country."""


def closed_days(closure: Closure, settings: Settings) -> ClosedDays:
    """Which days are public holidays where the customer is; none when nobody knows where, or they do not count."""
    if settings.policy.hours.on_holidays:
        return no_day

    def is_holiday(day: date) -> bool:
        country = country_of(closure.time_zone, closure.locale) or settings.company.country
        return country is not None and day in _holidays(country)

    return is_holiday


def country_of(time_zone: str | None, locale: str | None) -> str | None:
    """Two letters of ISO 3166 for a customer with this zone and language; None when neither tells."""
    told = REGION.fullmatch(locale or "")
    return _countries().get(time_zone or "") or (told[1].upper() if told else None)


def known_countries() -> list[str]:
    """The countries whose public holidays are known."""
    from holidays.utils import list_supported_countries

    return sorted(list_supported_countries(include_aliases=False))


@cache
def _holidays(country: str) -> Mapping[date, Any] | frozenset[date]:
    """The holidays of a country; a year is worked out when one of its days is asked for."""
    from holidays.utils import country_holidays

    try:
        return country_holidays(country)
    except NotImplementedError:
        # A zone or a language can name a country whose holidays the library does not know: all its days are alike.
        return frozenset()


@cache
def _countries() -> dict[str, str]:
    """The country of each zone that lies in one, by all its names (``zone.tab`` and the links of ``tzdata.zi``)."""
    zones = files("tzdata") / "zoneinfo"
    found: dict[str, str] = {}
    for line in (zones / "zone.tab").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            found[zone] = country
    for line in (zones / "tzdata.zi").read_text("utf-8").splitlines():
        if line.startswith("L "):
            _, zone, name = line.split()
            if zone in found and name not in OF_SEVERAL_COUNTRIES:
                found.setdefault(name, found[zone])
    return found
