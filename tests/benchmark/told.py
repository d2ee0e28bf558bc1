"""What it costs to tell one customer of a fix: from the confirmation to the delivered mail, by the real handlers."""

import re
from dataclasses import dataclass
from datetime import timedelta

from benchmark.capacity import metered
from benchmark.prices import MILLION, READ_UNIT, WRITE_UNIT
from benchmark.world_of import fresh_world

CODE = "portal-login"


@dataclass(frozen=True)
class Told:
    """So many customers, each with one ticket, told in one go."""

    people: int
    write_units: int
    read_units: float
    calls: int
    mails: int

    @property
    def dollars_a_million(self) -> float:
        """Reads and writes of the table for a million customers told; SES's own price is left out, as everywhere."""
        return (self.write_units * WRITE_UNIT + self.read_units * READ_UNIT) * MILLION / self.people


def measure(people: int) -> Told:
    """Declare a fix that so many customers had waited for, confirm it, and count until everybody has their mail."""
    with fresh_world() as world:
        from adapters import links
        from builders import URL, closed, customer

        for n in range(people):
            world.hook(closed(str(n), world.now, requester=customer(f"c{n}@c.example")))
        world.settle()
        world.now += timedelta(minutes=1)
        link = links.cause_url(URL, "ravi", CODE, world.now, world.now)
        day = world.now.date().isoformat()
        page = world.press(link, action="declare", wrong="It leaked.", words="It is tight.", day=day)
        number = re.search(r'name="number" value="(\d+)"', page.body)
        assert number
        before = len(world.mail.sent)
        with metered(lambda: world._running or "") as meter:
            world.press(link, action="confirm", number=number[1], people=str(people))
            world.wait(timedelta(hours=1))
        calls = [call for call in meter.calls if call.function]
        return Told(
            people=people,
            write_units=sum(call.table_units + call.index_units for call in calls),
            read_units=sum(call.read_units for call in calls),
            calls=len(calls),
            mails=len(world.mail.sent) - before,
        )
