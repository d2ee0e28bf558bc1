"""Who reads a message: in which language, from which side, and how days and sentences look there."""

from datetime import date, datetime
from typing import Literal, Protocol

Direction = Literal["ltr", "rtl"]


class Reader(Protocol):
    """What the templates ask of a language."""

    @property
    def tag(self) -> str:
        """BCP 47, as in ``<html lang>``."""

    @property
    def direction(self) -> Direction:
        """The side on which lines begin, as in ``<html dir>``."""

    @property
    def gap(self) -> str:
        """What stands between two sentences."""

    def gettext(self, sentence: str) -> str:
        """``sentence`` of a template in this language, its placeholders untouched."""

    def ngettext(self, one: str, several: str, number: int) -> str:
        """The form of a sentence that ``number`` asks for in this language."""

    def day(self, value: date) -> str:
        """The whole date with its weekday."""

    def short_day(self, value: date) -> str:
        """The date alone."""

    def moment(self, value: datetime) -> str:
        """The day and the time on the clock of the value's own zone."""


class English:
    """Our own people: the English of the templates. Needs no Babel, so Lambdas for our own people never load it."""

    tag = "en"
    direction: Direction = "ltr"
    gap = " "

    def gettext(self, sentence: str) -> str:
        """The sentence as it stands in the template."""
        return sentence

    def ngettext(self, one: str, several: str, number: int) -> str:
        """English has two forms."""
        return one if number == 1 else several

    def day(self, value: date) -> str:
        """Thursday 26 November 2026; the weekday helps people, the whole date cannot be misread."""
        return f"{value:%A} {self.short_day(value)}"

    def short_day(self, value: date) -> str:
        """26 November 2026."""
        return f"{value.day} {value:%B %Y}"

    def moment(self, value: datetime) -> str:
        """Thursday 26 November 2026, 17:00 CET: colleagues can sit in other zones than the company."""
        return f"{self.day(value)}, {value:%H:%M %Z}".rstrip()
