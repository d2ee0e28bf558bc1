"""An operator erases a customer in the middle of everything: worlds of their own, like those of a helpdesk's API.

What must hold, whatever fails and whatever runs at that moment:

    E1  once the command says that it is done, nothing in the table names the customer but that they are not asked
    E2  no mail goes to them after that
    E3  nothing stands beside a closing that is gone, and nothing waits for ever
    E4  every other customer's closing comes to an end
"""

import json
import time
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime
from io import StringIO
from typing import Any

import greenlet as greenlets  # type: ignore[import-untyped]

import erase as command
from adapters import table
from builders import ACME_SECRET, START
from domain.person import person_key
from simulation.actors import Actors
from simulation.invariants import Violation
from simulation.runner import CHAOS, heal
from simulation.sim_aws import DAY, HOUR, MINUTE, SECOND, Change, Item
from simulation.world import Container, Crash, Invocation, World, hands_of, micros, silence

SIZE = 3
PENDING = {"waiting", "scheduled", "asked"}


@dataclass
class Result:
    """What one world came to."""

    seed: int
    violation: str | None = None
    trace: str = ""
    reached: Counter[str] = field(default_factory=Counter)


class Helpdesk(Actors):
    """It has erased the customer before we do, and tells nothing of them any more."""

    erased: str | None = None

    def learn(self, change: Change) -> None:
        """By which number our records call a closing."""
        pk, sk = change.key
        if change.new and sk.startswith("FOLLOW_UP#"):
            ticket, said = pk.rpartition("#")[2], _body(change.new)["closure"]["closed_at"]
            at = micros(datetime.fromisoformat(said))
            known = next(c for c in self.closings if c.ticket == ticket and at in (c.at, c.finalised))
            self.by_number[ticket, sk.rpartition("#")[2]] = known

    def _http(self, function: str, *given: Any) -> None:
        if function == "receive_ticket" and self.erased and self.erased in str(given):
            return
        super()._http(function, *given)


class Operator:
    """Erases one customer; whatever goes wrong, they run the command again."""

    def __init__(self, world: World, actors: Helpdesk, address: str) -> None:
        self.world, self.actors, self.address = world, actors, address
        self.done_at: int | None = None
        self.working = False
        self.closings = 0
        """How many closings of theirs there were when it began."""
        self.runs = 0
        self.changes = int(12 * world.unit("erased after"))
        """How many changes of their records it waits for: most Lambdas that know them run right after one."""
        world.at(7 * DAY, "erase", self._begin)

    def changed(self, change: Change) -> None:
        """Another change; the operator begins in the middle of what follows from it."""
        self.actors.learn(change)
        if change.new and self.names(change.new) and self.runs == 0:
            self.changes -= 1
            if self.changes == 0:
                wait = int(0.8 * SECOND * self.world.unit("erased then"))
                self.world.at(wait, "erase", self._begin)

    def _begin(self) -> None:
        if self.done_at or self.working:
            return
        self.working = True
        world, self.actors.erased = self.world, self.address
        self.runs += 1
        follow_ups = (item for item in world.table.scan() if item["kind"]["S"] == "follow_up")
        self.closings = max(self.closings, sum(map(self.names, follow_ups)))
        inv = Invocation(world, "erase", {}, world.now, world.now + DAY, Container(), self._ended)
        inv.greenlet = greenlets.greenlet(self._work, world._hub)
        world._resume(inv)

    def _work(self, inv: Invocation) -> None:
        code: int | None = None
        try:
            code = command.main([self.address, "--yes"])
        except Crash:
            self.world.note("the terminal was closed")
        self.world.current, self.world.finished = None, inv
        inv.done(code)

    def _ended(self, code: int | None) -> None:
        self.working = False
        if code == 0:
            self.done_at = self.world.now
            _check("E1", [*filter(self.names, self.world.table.scan())])
        else:
            self.world.at(10 * MINUTE, "erase", self._begin)

    def names(self, item: Item) -> bool:
        """Whether an item is theirs or names them."""
        key, pk = person_key(self.address), item["pk"]["S"]
        said = f"{pk} {item['sk']['S']} {table.unpack(item['body']['S']).decode()}"
        return pk != f"PERSON#{key}" and (self.address in said or key in said)


def run(seed: int, size: int = SIZE) -> Result:
    """One world from its first closing to the end of the healing."""
    silence()
    world = World(
        seed,
        START,
        CHAOS,
        secrets={
            "HookSecrets": {"acme": [ACME_SECRET]},
            "LinkKeys": {"current": "the key of links", "retired": []},
            "ChatAddresses": {"owners": "json://127.0.0.1/owners"},
        },
    )
    result = Result(seed)
    sleep = time.sleep
    with hands_of(world), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        actors = Helpdesk(world, size)
        people = sorted({closing.email for closing in actors.closings if closing.email})
        operator = Operator(world, actors, str(actors.pick("who is erased", *people)))
        world.changed = operator.changed
        time.sleep = lambda seconds: world.pause(int(float(seconds) * SECOND))
        try:
            world.run(lambda: world.now >= world.calm_from + HOUR)
            world.redrive()
            heal(world)
            _judge(world, actors, operator)
        except Violation as violation:
            result.violation = str(violation)
        finally:
            time.sleep = sleep
    result.trace = world.trace
    result.reached = world.reached + Counter({"closings": operator.closings, "run again": operator.runs > 1})
    return result


def _judge(world: World, actors: Helpdesk, operator: Operator) -> None:
    done_at = operator.done_at
    _check("the command ends", [] if done_at else [operator.address])
    mails = [mail for mail in world.ses.mails if mail.to == operator.address and mail.at > (done_at or 0)]
    _check("E2", [mail.subject for mail in mails])
    _check("E3", [key for key, (_, at) in world.table.due.items() if at < world.now - DAY])
    alone = [
        (pk, sk)
        for pk, partition in world.table.items.items()
        for sk in partition
        if pk.startswith("TICKET#")
        and (number := sk.split("#")[1]).isdecimal()
        and f"FOLLOW_UP#{number}" not in partition
    ]
    _check("E3", alone)
    for (ticket, number), closing in actors.by_number.items():
        if operator.address not in {closing.email, *closing.names}:
            item = world.table.item((f"TICKET#acme#{ticket}", f"FOLLOW_UP#{number}"))
            _check("E4", [] if item and _body(item)["state"] not in PENDING else [ticket])


def _body(item: Item) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(table.unpack(item["body"]["S"]))
    return said


def _check(invariant: str, broken: list[Any]) -> None:
    if broken:
        raise Violation(f"{invariant}: {broken[0]} and {len(broken) - 1} more")
