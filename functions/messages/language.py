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
NO_GAP: Final = frozenset({"ja", "zh"})
"""Whose sentences follow each other without a blank."""


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
    def gap(self) -> str:
        """What stands between two sentences."""
        return "" if self.locale.language in NO_GAP else " "

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
        return str(get_datetime_format("medium", self.locale)).format(clock, self.day(value))


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
    same_script = {_spoken(name)[::2]: name for name in _names()}
    for tag in (asked, default):
        try:
            language, territory, script = _spoken(tag)
        except ValueError:
            continue
        variety = get_locale_identifier((language, territory))
        exact = negotiate_locale([variety, get_locale_identifier((language, None, script))], _names())
        found = exact or same_script.get((language, script))
        if found:
            return _load(found, WORLD_ENGLISH if variety == ENGLISH else variety)
    return _load(ENGLISH, WORLD_ENGLISH)


def _names() -> tuple[str, ...]:
    return _names_in(LOCALES)


@lru_cache(maxsize=8)
def _names_in(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(file.parts[-3] for file in folder.glob(f"*/LC_MESSAGES/{DOMAIN}.mo")))


def _spoken(tag: str) -> tuple[str, str | None, str | None]:
    """Language, territory and script; the script is the one that is usual there: zh-TW is ("zh", "TW", "Hant").

    Raises:
        ValueError: ``tag`` is no language tag.
    """
    language, territory, script, *_ = parse_locale(tag[:40].replace("-", "_"))
    likely = get_global("likely_subtags")
    usual = likely.get(f"{language}_{territory}") or likely.get(language)
    return language, territory, script or (parse_locale(usual)[2] if usual else None)


@lru_cache(maxsize=64)
def _load(name: str, variety: str) -> Language:
    with (LOCALES / name / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as file:
        catalogue = GNUTranslations(file)
    return Language(name=name, locale=Locale.parse(variety if exists(variety) else name), catalogue=catalogue)
