"""What was done about a cause, by whom and when: ``CAUSE#<code>`` / ``DEED#<id of the form>``; added, never changed.

The id of a form begins with the instant at which its page was shown, so that deeds stand in the order of time, and a
form that comes twice finds its deed.
"""

import re
from datetime import datetime

from adapters import clock, table
from domain.ownership import Deed

SHOWN = 20
"""Deeds on one page."""
_FORM = re.compile(r"\d{20}-[0-9a-f]{12}")
_DEED = re.compile(rf"{_FORM.pattern}(-\d\d)?")
"""Of tickets that were moved by one form, each deed has its place behind the form's id."""


def new_form(now: datetime) -> str:
    """An id for a form that is shown now."""
    return f"{now:%Y%m%d%H%M%S%f}-{clock.new_id()[-12:]}"


def read_form(text: str, now: datetime) -> str:
    """The id of a posted form; a new one when it brings none that could be ours."""
    return text if _FORM.fullmatch(text) and text < f"{now:%Y%m%d%H%M%S%f}~" else new_form(now)


def read_deed(text: str) -> str | None:
    """The id of a deed before which older ones are asked for; None for anything else."""
    return text if _DEED.fullmatch(text) else None


def is_done(code: str, form: str) -> bool:
    """Whether this form was carried out already."""
    return table.get(f"CAUSE#{code}", f"DEED#{form}") is not None


def row(deed: Deed) -> table.Row:
    """The item of a deed; stored once, because it must not be there yet."""
    return table.make_row(
        f"CAUSE#{deed.cause}", f"DEED#{deed.form}", "deed", deed, keep_until=deed.keep_until
    )


def newest(code: str, before: str | None = None) -> tuple[list[Deed], str | None]:
    """The newest deeds, or the newest before a form, and the form from which older ones go on."""
    found = table.find_before(f"CAUSE#{code}", "DEED#", f"DEED#{before}" if before else None, SHOWN + 1)
    deeds = [table.read_row(item, Deed) for item in found]
    return deeds[:SHOWN], deeds[SHOWN - 1].form if len(deeds) > SHOWN else None
