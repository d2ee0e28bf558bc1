"""Erase what is kept about one customer, as they may ask for (GDPR, Article 17).

    python infra/erase.py ADDRESS [--yes]

First it lists what there is, then it asks. Erased are their closings with everything that was said, flagged, promised
and sent about them, their marks among causes and thanks, and webhooks of theirs in quarantine. What stays is a code
made of the address: it says that no survey goes there any more. The whole table is read until nothing is found.
TABLE says where (infra/with_stack.py sets it). Exit code 0: done, or there was nothing; 1: the message says what to do.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from sentences import fail, in_sentences, say

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functions"))

from domain.address import parse_address
from domain.flag import Flag
from domain.follow_up import FollowUp
from domain.message import ticket_scope
from domain.person import Person, Surveys, person_key

if TYPE_CHECKING:
    from adapters.table import Row

RAW = frozenset({"quarantine", "capture"})
"""Kinds of items that are a webhook as it came."""
PASSES = 5
RUNNING = 120.0
"""Seconds: the longest that a Lambda runs that writes beside a closing. What it had read it may write till then."""


@dataclass
class Found:
    """What one pass found: their closings, every item to erase, and what is somebody else's and names the address."""

    closings: list[FollowUp] = field(default_factory=list)
    rows: list["Row"] = field(default_factory=list)
    open_flags: set[tuple[str, int]] = field(default_factory=set)
    mentions: list["Row"] = field(default_factory=list)


@in_sentences
def main(arguments: list[str]) -> int:
    """Run the command; gives the exit code."""
    parser = argparse.ArgumentParser(description="Erase what is kept about one customer.")
    parser.add_argument("address", help="the customer's mail address")
    parser.add_argument("--yes", action="store_true", help="do not ask before anything is erased")
    given = parser.parse_args(arguments)
    address = parse_address(given.address)
    if address is None:
        return fail(f'"{given.address}" is no mail address.')
    found = look(address)
    if not found.rows and _is_forgotten(address):
        say(f"Nothing is kept about {address}.")
        return 0
    _list(address, found)
    if not given.yes and not sys.stdin.isatty():
        return fail("Nothing was erased: without a terminal, say YES=1 (--yes).")
    if not given.yes and not _agreed():
        say("Nothing was erased.")
        return 0
    erased = 0
    for _ in range(PASSES):
        forget(address)
        erased += sum(map(_delete, found.rows))
        say("Waiting two minutes for whatever is running now, and looking again.")
        time.sleep(RUNNING)
        found = look(address)
        if not found.rows and _is_forgotten(address):
            break
    else:
        return fail("Something new comes faster than it is erased. Run it again.")
    say(f"{_so_many(erased, 'item')} erased. No survey goes to this address any more.")
    for row in found.mentions:
        say(f"Somebody else's, and names the address: {row.pk} {row.sk}")
    say("Mails that were replied stay in their bucket for 30 days, backups of the table for 35.")
    return 0


def look(address: str) -> Found:
    """Read the whole table twice: which closings are theirs, and then everything that belongs to one of them."""
    from adapters import table, tickets

    key, found = person_key(address), Found()
    for row in _all([tickets.KIND]):
        follow_up = table.read_row(row, FollowUp)
        if person_key(follow_up.closure.requester_email or "") == key:
            found.closings.append(follow_up)
    refs = {known.ref for known in found.closings}
    marks = tuple(f"#{ref.source}#{ref.ticket_id}#{ref.number:04d}" for ref in refs)
    numbers = {(ticket_scope(ref.source, ref.ticket_id), ref.number) for ref in refs}
    for pk, rows in groupby(_all(), key=lambda row: str(row.pk)):
        if pk.startswith("TICKET#"):
            _look_at_ticket(pk, list(rows), address, numbers, found)
        elif pk != f"PERSON#{key}":
            for row in rows:
                sk, said = str(row.sk), _said(row)
                is_mark = sk.startswith(("MARK#", "THANKS#")) and sk.endswith(marks)
                if is_mark or key in f"{sk} {said}" or (row.kind in RAW and address.casefold() in said):
                    found.rows.append(row)
                elif address.casefold() in said:
                    found.mentions.append(row)
    # Their closings go last: whoever is interrupted finds the rest by them.
    found.rows.sort(key=lambda row: row.kind == tickets.KIND)
    return found


def _look_at_ticket(
    pk: str, rows: list["Row"], address: str, numbers: set[tuple[str, int]], found: Found
) -> None:
    """What belongs to their closings of a ticket, and what is left beside one that is gone."""
    from adapters import table, tickets

    closings = {_number(row) for row in rows if row.kind == tickets.KIND}
    is_theirs_alone = bool(closings) and all((pk, number) in numbers for number in closings)
    for row in rows:
        number = _number(row)
        if (pk, number) in numbers or (number is None and is_theirs_alone):
            found.rows.append(row)
            if row.kind == "flag" and table.read_row(row, Flag).settled_at is None:
                found.open_flags.add((pk, number or 0))
        elif number is not None and number not in closings and not table.get(pk, tickets.sort_key(number)):
            found.rows.append(row)
        elif address.casefold() in _said(row):
            found.mentions.append(row)


def _number(row: "Row") -> int | None:
    """Which closing of its ticket an item is about; None for a reopening."""
    part = str(row.sk).split("#")[1]
    return int(part) if part.isdecimal() else None


def _said(row: "Row") -> str:
    """Everything that stands in an item, to be searched; of a webhook what the helpdesk sent."""
    from adapters import captures, quarantine, table

    kept = {"quarantine": quarantine.Kept, "capture": captures.Capture}.get(str(row.kind))
    said = table.read_row(row, kept).raw if kept else table.unpack(str(row.body))
    return said.decode("utf-8", "replace").casefold()


def forget(address: str) -> None:
    """Leave of a person only that no survey goes to them, and why no mail may, where that is so. Raises Changed."""
    from adapters import people

    known = people.load(address)
    left = _left_of(known)
    if left != known or not known.version:
        people.save(left, None)


def _left_of(known: Person) -> Person:
    return replace(known, asked=(), waiting=(), language=None, delays=(), surveys=Surveys.NONE)


def _is_forgotten(address: str) -> bool:
    """Whether nothing is left of a person but that; somebody who never was there has nothing to forget."""
    from adapters import people

    known = people.load(address)
    return not known.version or known == _left_of(known)


def _delete(row: "Row") -> bool:
    """Erase an item unless somebody changed it meanwhile: then the next pass finds it."""
    from pynamodb.exceptions import DeleteError

    from adapters import table

    try:
        row.delete(condition=table.Row.version == row.version)
    except DeleteError as error:
        if table.code_of(error) != table.NOT_AS_IT_WAS:
            raise
        return False
    return True


def _all(kinds: list[str] | None = None) -> "Iterator[Row]":
    from adapters import table

    only = table.Row.kind.is_in(*kinds) if kinds else None
    return iter(table.Row.scan(only, consistent_read=True))


def _list(address: str, found: Found) -> None:
    closings, items = _so_many(len(found.closings), "closing"), _so_many(len(found.rows), "item")
    say(f"Kept of {address}: {closings}, {items} of the table altogether.")
    for known in sorted(found.closings, key=lambda known: known.closure.closed_at):
        closure = known.closure
        scope = ticket_scope(closure.source, closure.ticket_id)
        is_open = ", and its flag is open" if (scope, known.number) in found.open_flags else ""
        say(
            f"  {closure.source} {closure.called}, closed on {closure.closed_at:%Y-%m-%d}: {known.state}{is_open}"
        )
    say("Erase them in the helpdesk first: a ticket that it closes again is kept again.")


def _so_many(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _agreed() -> bool:
    said = input("Erase all of it? It cannot be undone. [y/N] ")
    return said.strip().casefold() in {"y", "yes"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
