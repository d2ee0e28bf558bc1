"""The customers' languages: one gettext catalogue each, ``locales/<language>/LC_MESSAGES/messages.mo``.

A folder with a compiled catalogue is a language we speak; nothing else lists them. Dates come from CLDR by Babel, in
the customer's own variety (``de-AT`` reads the German catalogue, and "Jänner"). docs/wording.md says how to change a
sentence and how to add a language.
"""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from gettext import GNUTranslations
from pathlib import Path
from typing import Final

from babel.core import Locale, get_global, get_locale_identifier, negotiate_locale, parse_locale
from babel.dates import format_date, format_time, get_datetime_format
from babel.localedata import exists

from messages.reader import Direction

LOCALES: Final = Path(__file__).parent / "locales"
DOMAIN: Final = "messages"
ENGLISH: Final = "en"
WORLD_ENGLISH: Final = "en_001"
"""Dates for whoever only said "en": the day before the month, as nearly everywhere outside the United States."""


@dataclass(frozen=True)
class Language:
    """One language as a customer reads it: the sentences of its catalogue, the dates of their own variety."""

    name: str
    """The folder of the catalogue, such as ``pt_BR``."""
    locale: Locale
    """For dates: the catalogue's, or a variety of it."""
    catalogue: GNUTranslations

    @property
    def tag(self) -> str:
        """BCP 47, as in ``<html lang>``."""
        return self.name.replace("_", "-")

    @property
    def direction(self) -> Direction:
        """The side on which lines begin."""
        return "rtl" if self.locale.text_direction == "rtl" else "ltr"

    @property
    def own_name(self) -> str:
        """What its speakers call it."""
        name = Locale.parse(self.name).language_name or self.tag
        return name[0].upper() + name[1:]

    def gettext(self, sentence: str) -> str:
        """The sentence of the catalogue; English when it has none."""
        return self.catalogue.gettext(sentence)

    def ngettext(self, one: str, several: str, number: int) -> str:
        """The form of the catalogue for ``number``."""
        return self.catalogue.ngettext(one, several, number)

    def day(self, value: date) -> str:
        """The whole date with its weekday: a weekday helps people, and nobody has to count on."""
        return format_date(value, "full", self.locale)

    def short_day(self, value: date) -> str:
        """The date alone."""
        return format_date(value, "long", self.locale)

    def moment(self, value: datetime) -> str:
        """Day and time on the clock of the value's own zone, which is the reader's, and so needs no name."""
        clock = format_time(value, "short", locale=self.locale)
        return str(get_datetime_format("full", self.locale)).format(clock, self.day(value))


def languages() -> tuple[Language, ...]:
    """All languages we speak, ordered by tag."""
    return tuple(_load(name, name) for name in _names())


@lru_cache(maxsize=256)
def negotiate(asked: str, default: str) -> Language:
    """The language for a customer whose helpdesk calls theirs ``asked``.

    Args:
        asked: a BCP 47 tag, also with underscores; anything else counts as unknown.
        default: for whoever speaks none of ours; English if that is unknown too.

    ``pt-PT`` gets ``pt_BR`` because language and script are the same; ``zh-TW`` does not get ``zh_Hans``.
    """
    by_script = {_forms(name)[1]: name for name in _names()}
    for tag in (asked, default):
        forms = _forms(tag)
        found = negotiate_locale(forms, _names()) or next(
            (by_script[f] for f in forms if f in by_script), None
        )
        if found:
            return _load(found, WORLD_ENGLISH if forms[-2] == ENGLISH else forms[-2])
    return _load(ENGLISH, WORLD_ENGLISH)


def _names() -> tuple[str, ...]:
    return _names_in(LOCALES)


@lru_cache(maxsize=8)
def _names_in(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(file.parts[-3] for file in folder.glob(f"*/LC_MESSAGES/{DOMAIN}.mo")))


def _forms(tag: str) -> list[str]:
    """What ``tag`` can be called, the most exact first: zh_Hant_TW, zh_Hant, zh_TW, zh; empty when it is no tag."""
    try:
        language, territory, script, *_ = parse_locale(tag[:40].replace("-", "_"))
    except ValueError:
        return []
    likely: dict[str, str] = dict(get_global("likely_subtags"))
    spoken = likely.get(f"{language}_{territory}") or likely.get(language)
    script = script or (parse_locale(spoken)[2] if spoken else None)
    known = [(language, territory, script), (language, None, script), (language, territory), (language,)]
    return [get_locale_identifier(form) for form in known]


@lru_cache(maxsize=64)
def _load(name: str, variety: str) -> Language:
    with (LOCALES / name / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as file:
        catalogue = GNUTranslations(file)
    known = next(form for form in (variety, *_forms(variety), name) if exists(form))
    return Language(name=name, locale=Locale.parse(known), catalogue=catalogue)
