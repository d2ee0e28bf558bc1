"""One world around a helpdesk's API: it hints, is asked, is told, echoes, lists what it closed; and everything fails.

Apart from the worlds of actors.py, whose seeds stay what they are. What must hold is computed from what the helpdesk
knows and what it was told, never from our tables:

    H1  what the helpdesk closed is known in the end, by its webhook or by asking, or was opened again
    H2  whoever is asked about a ticket is its customer, and nobody is asked before the helpdesk told who that is
    H3  no note is twice on a ticket; each "no" that still stands opens its ticket, once
    H4  our own echo opens no follow-up, and takes nothing from a flag
    H5  what could not be had or told is seen: flagged, or ended with a reason; nothing waits for ever
"""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from adapters import links, settings_store
from builders import START, URL, ZENDESK_SECRET, settings, signed_by_zendesk, stamp
from domain.press import Page
from domain.settings import Api, Hours, Settings, WriteBack
from helpdesk_stand_in import Asked, Case, Desk
from helpdesks.calls import Request
from place import record
from simulation.runner import CHAOS, heal
from simulation.sim_aws import DAY, HOUR, MINUTE, SECOND, Mail
from simulation.world import World, hands_of, instant, silence

BASE = "https://acme.zendesk.com"
FORM = {"content-type": "application/x-www-form-urlencoded"}
TOKEN_NAME = "zendesk"


class Violation(BaseException):
    """An invariant does not hold; its text begins with the name."""


@dataclass
class Ticket:
    """One ticket as the helpdesk has it: ``closings`` are the instants of those that were somebody's work."""

    case: Case
    closings: list[datetime] = field(default_factory=list)
    hinted: bool = False
    """A webhook told of the last closing."""
    said: list[tuple[int, bool]] = field(default_factory=list)
    """What its customer's presses came to, when they were confirmed to them."""


@dataclass
class Result:
    """What one world came to."""

    seed: int
    violation: str | None = None
    faults: list[str] = field(default_factory=list)
    reached: Counter[str] = field(default_factory=Counter)


class Helpdesk:
    """Zendesk, its agents and customers, around one world."""

    def __init__(self, world: World, size: int) -> None:
        self.world = world
        self.desk = Desk("zendesk", url=BASE)
        self.desk.page = 3
        self.tickets: dict[str, Ticket] = {}
        self.reached: Counter[str] = Counter()
        self.settings = self._settings()
        settings_store.store(self.settings, START, settings_store.read())
        world.helpdesk = self.answer
        world.ses.accepted = self.accepted
        for number in range(size):
            self._plan(str(100 + number))
        for number in range(60):
            world.at(int((number + world.unit(f"night {number}")) * 5 * HOUR), "reconcile", self.reconcile)

    def _settings(self) -> Settings:
        known = settings(
            hours=Hours(
                opens=Hours().opens, closes=Hours().closes, weekdays=tuple(range(7)), on_holidays=True
            ),
            surveys_per_month=20,
            quiet_period=timedelta(),
        )
        api = Api(url=BASE, secret=TOKEN_NAME, values=self.desk.values)
        source = replace(known.sources["zendesk"], api=api, write_back=WriteBack(mode="on"))
        return replace(known, sources={"zendesk": source})

    def chance(self, label: str, share: float) -> bool:
        """Yes in so many of all cases."""
        return self.world.unit(label) < share

    # --- the helpdesk -----------------------------------------------------------------------------------------------

    def _plan(self, name: str) -> None:
        email = f"customer{name}@people.example"
        case = self.desk.add(Case(id=name, closed_at=START, email=email, status="open"))
        self.tickets[name] = Ticket(case)
        at = int(self.world.unit(f"close {name}") * 4 * DAY)
        self.world.at(at, "agent solves", self.solve, name)
        if self.chance(f"reopened {name}", 0.2):
            again = at + int(self.world.unit(f"reopen {name}") * 2 * DAY)
            self.world.at(again, "customer writes", self.reopen, name)

    def solve(self, name: str) -> None:
        """An agent solves a ticket."""
        ticket = self.tickets[name]
        if not ticket.case.is_open:
            return
        ticket.case.status = "solved"
        ticket.case.closed_at = instant(self.world.now // SECOND * SECOND)
        ticket.closings.append(ticket.case.closed_at)
        label = f"{name} {len(ticket.closings)}"
        ticket.hinted = not self.chance(f"no hook {label}", 0.25)
        if ticket.hinted:
            late = int(HOUR * self.world.unit(f"late {label}") ** 6)
            for copy in range(1 + self.chance(f"hook twice {label}", 0.2)):
                self._report(name, "SOLVED", "OPEN", ticket.case.closed_at, late + copy * MINUTE)

    def reopen(self, name: str) -> None:
        """Somebody writes to a solved ticket, and an agent solves it again."""
        ticket = self.tickets[name]
        if ticket.case.is_open:
            return
        ticket.case.status = "open"
        self.reached["reopened"] += 1
        self._report(name, "OPEN", "SOLVED", instant(self.world.now // SECOND * SECOND), 5 * SECOND)
        wait = HOUR + int(DAY * self.world.draw(f"again {name}"))
        self.world.at(wait, "agent solves", self.solve, name)

    def answer(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        """Its API, and what its triggers make of a change by us."""
        parts = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        body: Any = json.loads(request.body) if request.body else {}
        asked = Asked(request.method, parts.path, query, {}, body)
        name = parts.path.rpartition("/")[2].partition(".")[0]
        before = self.tickets[name].case.status if name in self.tickets else None
        status, content = self.desk.answer(asked)
        # In the stand-in every ticket is the same person's.
        if "/users/" in asked.path and name.startswith("50"):
            content["user"]["email"] = self.tickets[name.removeprefix("50")].case.email
        elif "ticket" in content:
            content["ticket"]["requester_id"] = int(f"50{name}")
        if request.method == "PUT" and status == 200:
            self._echo(name, before or "", body["ticket"])
        return status, {}, json.dumps(content).encode()

    def _echo(self, name: str, before: str, ticket: dict[str, Any]) -> None:
        """Zendesk reports our update, too; and a badly made trigger calls each update of a solved ticket a closing."""
        now = instant(self.world.now // SECOND * SECOND)
        if ticket.get("status") == "open" and before != "open":
            self.reached["opened by us"] += 1
            self._report(name, "OPEN", "SOLVED", now, 2 * SECOND)
            wait = 2 * HOUR + int(DAY * self.world.draw(f"worked on {name}"))
            self.world.at(wait, "agent solves", self.solve, name)
        elif "comment" in ticket and before != "open" and self.chance("bad trigger", 0.5):
            self.reached["bad trigger"] += 1
            self._report(name, "SOLVED", "PENDING", now + timedelta(seconds=1), 3 * SECOND)

    def _report(self, name: str, status: str, before: str, at: datetime, delay: int) -> None:
        body = json.dumps(
            {
                "type": "zen:event-type:ticket.status_changed",
                "time": stamp(at),
                "event": {"current": status, "previous": before},
                "detail": {"id": name, "subject": "Meter", "requester_id": "900"},
            }
        )
        self.world.at(delay, f"hook {name} {status}", self._hook, body, 0)

    def _hook(self, body: str, attempt: int) -> None:
        event = {
            "requestContext": {"http": {"method": "POST"}},
            "pathParameters": {"source": "zendesk"},
            "headers": signed_by_zendesk(body.encode(), instant(self.world.now)),
            "body": body,
        }

        def answered(result: Any) -> None:
            if (result is None or result["statusCode"] != 202) and attempt < 8:
                self.world.at(5 * MINUTE << min(attempt, 5), "hook again", self._hook, body, attempt + 1)

        self.world.invoke("receive_ticket", event, answered)

    def reconcile(self, done: Callable[[Any], None] = lambda _: None) -> None:
        """The schedule."""
        self.world.invoke("reconcile_tickets", {}, done)

    # --- customers --------------------------------------------------------------------------------------------------

    def accepted(self, mail: Mail) -> None:
        """SES took a mail; it arrives, and SES says so. Some customers answer."""
        world = self.world
        if not mail.to.endswith("@people.example"):
            return
        name = mail.to.removeprefix("customer").partition("@")[0]
        ticket = self.tickets[name]
        if not re.search(rf"\bticket {name}\b", mail.subject, re.I) or mail.to != ticket.case.email:
            raise Violation(f"H2: {mail.to} got a mail about another ticket")
        self.reached["asked"] += 1
        event = {
            "eventType": "Delivery",
            "mail": {
                "timestamp": instant(mail.at).isoformat(),
                "messageId": mail.id,
                "tags": {key: [value] for key, value in mail.tags.items()},
            },
            "delivery": {"timestamp": instant(world.now).isoformat(timespec="milliseconds")},
        }
        world.at(2 * SECOND, "delivered", self._deliver, json.dumps(event))
        fate = world.unit(f"answers {name} {len(ticket.closings)}")
        if fate < 0.75:
            token = mail.text.partition(f"{URL}/s/")[2].split()[0].partition("?")[0]
            wait = HOUR + int(20 * HOUR * world.draw(f"when {name}"))
            world.at(wait, "customer", self._press, name, token, fate < 0.35, 0)

    def _deliver(self, event: str) -> None:
        self.world.queues["DeliveryQueue"].send(event)

    def _press(self, name: str, token: str, solved: bool, attempt: int) -> None:
        now = instant(self.world.now)
        link = links.read_survey(token, now, self.settings.policy.keep_for)
        form = {
            "seal": links.seal(link, Page(shown_at=now - timedelta(minutes=2)), now),
            "answer": "yes" if solved else "no",
            "words": f"words about {name}",
        }
        event = {
            "requestContext": {"http": {"method": "POST"}},
            "pathParameters": {"token": token},
            "queryStringParameters": {},
            "headers": FORM,
            "body": urlencode(form),
        }

        def answered(result: Any) -> None:
            status = result["statusCode"] if result else None
            if status == 200:
                self.tickets[name].said.append((self.world.now, solved))
                self.reached["yes" if solved else "no"] += 1
            elif status in {503, None} and attempt < 5:
                self.world.at(MINUTE << attempt, "customer", self._press, name, token, solved, attempt + 1)

        self.world.invoke("record_answer", event, answered)


def judge(helpdesk: Helpdesk) -> None:
    """At the end, when everything had time to heal."""
    world = helpdesk.world
    for name, ticket in helpdesk.tickets.items():
        items = {
            sk: dict(record(item)) for sk, item in world.table.items.get(f"TICKET#zendesk#{name}", {}).items()
        }
        follow_ups = [body for sk, body in items.items() if sk.startswith("FOLLOW_UP#")]
        _known(helpdesk, name, ticket, follow_ups)
        _told(helpdesk, name, ticket, items)
        for body in follow_ups:
            if body["state"] in {"waiting", "scheduled"}:
                raise Violation(f"H5: {name} is {body['state']} for ever")
            if body.get("reason") == "no_details" and not any(sk.startswith("FLAG#") for sk in items):
                raise Violation(f"H5: nobody sees that {name} has no details")
            helpdesk.reached[f"ended {body['state']} {body.get('reason', '')}".strip()] += 1
            helpdesk.reached[f"found by {body['closure'].get('found_by', 'webhook')}"] += 1


def _known(helpdesk: Helpdesk, name: str, ticket: Ticket, follow_ups: list[dict[str, Any]]) -> None:
    if len(follow_ups) > len(ticket.closings):
        raise Violation(
            f"H4: {name} was closed {len(ticket.closings)} times and is followed {len(follow_ups)} times"
        )
    if ticket.case.is_open or not ticket.closings:
        return
    last = ticket.closings[-1]
    near = [
        abs(datetime.fromisoformat(body["closure"]["closed_at"]) - last) <= timedelta(minutes=10)
        for body in follow_ups
    ]
    if not any(near):
        raise Violation(f"H1: the last closing of {name} is unknown")


def _told(helpdesk: Helpdesk, name: str, ticket: Ticket, items: dict[str, dict[str, Any]]) -> None:
    marks = Counter(note.splitlines()[-1] for note in ticket.case.notes)
    if marks and max(marks.values()) > 1:
        raise Violation(f"H3: {name} has the same note twice")
    writes = [body for sk, body in items.items() if sk.startswith("WRITE_BACK#")]
    for body in writes:
        if "ended" not in body:
            raise Violation(f"H5: what {name} came to waits to be told for ever")
        helpdesk.reached[f"write-back {body['ended']}"] += 1
    outcomes = {body["state"] for sk, body in items.items() if sk.startswith("FOLLOW_UP#")}
    if "denied" in outcomes and not any(body["outcome"] == "denied" for body in writes):
        raise Violation(f"H5: nobody tells the helpdesk that {name} is not solved")
    for sk, flag in items.items():
        if sk.startswith("FLAG#") and flag.get("settled_at") and flag.get("result") != "confirmed":
            raise Violation(f"H4: somebody settled the flag of {name}, and nobody did")


def _nights(world: World, helpdesk: Helpdesk) -> None:
    """As many quiet nights as it takes until nothing new was closed: each "no" makes another closing."""
    for _ in range(40):
        before = sum(len(ticket.closings) for ticket in helpdesk.tickets.values())
        for _ in range(2):
            tomorrow = world.now + DAY + HOUR
            world.at(DAY + HOUR, "morning", lambda: None)
            world.run(lambda tomorrow=tomorrow: world.now >= tomorrow)  # type: ignore[misc]
            helpdesk.reconcile()
            heal(world)
        if before == sum(len(ticket.closings) for ticket in helpdesk.tickets.values()):
            return


def run(seed: int, size: int = 8, allowed: frozenset[str] | None = None) -> Result:
    """One world from its first closing to the end of the healing."""
    silence()
    secrets = {
        "HookSecrets": {"zendesk": [ZENDESK_SECRET]},
        "LinkKeys": {"current": "the key of links", "retired": []},
        "ApiSecrets": {"zendesk": ["agent@acme.example/token:secret"]},
    }
    world = World(seed, START, CHAOS, allowed, secrets)
    result = Result(seed)
    with hands_of(world):
        helpdesk = Helpdesk(world, size)
        try:
            world.run(lambda: world.now >= world.calm_from + HOUR)
            world.redrive()
            heal(world)
            _nights(world, helpdesk)
            judge(helpdesk)
        except Violation as violation:
            result.violation = str(violation)
        except Exception as error:
            result.violation = f"unjudged: {error!r}"
    result.faults = list(world.fired)
    result.reached = world.reached + helpdesk.reached
    return result
