"""Everybody outside: helpdesks, customers, scanners, our own people, an operator, a forger, and the mailboxes.

What they will do is drawn from the seed before anything runs; what they did, and what they were told, is kept here. The
expected result is computed from this record (invariants.py), never from our tables.
"""

import json
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zlib import crc32

import apply_settings
from adapters import links, mailer, owners, settings_store, tellings, thanks
from builders import (
    HANNE,
    MIA,
    RAVI,
    START,
    TEAM,
    URL,
    closed,
    customer,
    received,
    reopened,
    settings,
    signed,
    signed_by_zendesk,
    stamp,
    written,
)
from domain import hours
from domain.press import Page
from domain.settings import Hours, Schedule, Settings
from domain.telling import Stage
from simulation.sim_aws import DAY, HOUR, MINUTE, SECOND, Mail
from simulation.world import World, instant

STAFF = {MIA, RAVI, HANNE}
LINK = re.compile(rf"{re.escape(URL)}/([sfcv])/([A-Za-z0-9_.-]+)")
CAUSE = re.compile(rf"{re.escape(URL)}/c/([A-Za-z0-9_.-]+)/([a-z-]+)")
GONE = re.compile(rf"{re.escape(URL)}/g/([A-Za-z0-9_.-]+)")
STOP = re.compile(rf"{re.escape(URL)}/u/([A-Za-z0-9_.-]+)")
CAUSES = {
    "Password reset failed": "portal-login",
    "cause_meter_late": "meter-late",
    "No show": "no-show",
    "something else": "unclassified",
    None: "unclassified",
}
SCHEDULES = (
    Schedule(weekday=3, at=time(16, 30), time_zone="America/New_York"),
    Schedule(every=timedelta(days=1), at=time(7)),
    Schedule(every=timedelta(hours=12)),
    Schedule(weekday=0, at=time(2, 30), time_zone="Asia/Tokyo"),
)
"""When an owner may want the digest."""
PLACES = re.compile(r"\bticket (\d+)|\?a=(\d*)yes", re.I)
"""In a mail, English or German: which ticket it speaks of, and the place on the page that it links to."""
ONLY_READ = ("only the press on the page counts", "zählt aber nur der Druck auf den Knopf der Seite")
MAY_REPLY = ("simply reply to this mail", "einfach in eigenen Worten auf diese Mail antworten", *ONLY_READ)
"""What a survey says about replies to it, English or German: always one of these."""
AUTOMATIC: dict[str, dict[str, str]] = {
    "out of office": {"Auto_Submitted": "auto-replied", "Precedence": "bulk"},
    "out of office by subject": {"Subject": "Automatic reply: Is ticket 1 really solved?"},
    "ticket system": {"Auto_Submitted": "auto-generated", "X_Auto_Response_Suppress": "All"},
    "bounce": {"Return_Path": "<>", "From": "MAILER-DAEMON@people.example"},
    "loop": {"Auto_Submitted": "auto-replied"},
}
TO_A_PERSON = "to a person"
"""A kind of reply: to a mail that one of our people wrote, which asks something else."""
SENTENCES = {
    "yes": "Yes, it is solved. Thank you, Kim {}.",
    "no": "No, it is not solved. My number is {}.",
    "thanks": "Thank you!",
    "unclear": "Could you call me? My number is {}.",
    "sarcasm": "Solved, you say, but is it? My number is {}.",
    "forged": "Yes, it is solved. Thank you, Kim {}.",
    "somebody else": "No, it is not solved. My number is {}.",
    "chatter": "I will look into it and come back to you. My number is {}.",
    "late yes": "Yes, it is solved. Thank you, Kim {}.",
    "late no": "No, it is not solved. My number is {}.",
    TO_A_PERSON: "Yes, Thursday is fine. My number is {}.",
}
NIGHTS, BETWEEN_NIGHTS = 44, 6 * HOUR
"""How often the schedule of the recount comes, from the first day of the faults to the third after them."""
BACK_OFF = (5 * SECOND, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR)


@dataclass(eq=False)
class Closing:
    """One closing of a ticket, as its helpdesk knows it."""

    ticket: str
    at: int
    email: str | None
    cause: str | None
    team: str | None
    plan: str
    first_told: int | None = None
    """When the helpdesk first called us about it; ``acknowledged`` is when we first said 202."""
    acknowledged: int | None = None
    names: set[str] = field(default_factory=set)
    """Customers that later reports named instead; the first report to arrive counts."""
    finalised: int | None = None
    finalise_told: int | None = None
    presses: list["Press"] = field(default_factory=list)

    @property
    def instant(self) -> str:
        """``closed_at`` as our records have it."""
        return instant(self.at).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(eq=False)
class Reopening:
    """One reopening of a ticket."""

    ticket: str
    at: int
    first_told: int | None = None
    acknowledged: int | None = None


@dataclass(eq=False)
class Merging:
    """A ticket that another helpdesk made part of another one: it is closed, and nobody is asked about it."""

    ticket: str
    at: int
    body: bytes
    acknowledged: int | None = None


@dataclass(eq=False)
class Press:
    """One press of a customer's button: ``ended`` is when the Lambda stopped, ``status`` what the browser got."""

    solved: bool
    words: str | None
    consent: bool
    started: int
    ended: int | None = None
    status: int | None = None


@dataclass(eq=False)
class Deed:
    """What one of our people pressed on the page of a flag; ``id`` names the form or the promise."""

    action: str
    ticket: str
    number: str
    id: str
    started: int
    ended: int | None = None
    status: int | None = None


@dataclass(eq=False)
class Written:
    """A reply by mail, to a mail about ``asked``: ``handled`` is when a Lambda was first done with it."""

    id: str
    kind: str
    words: str
    asked: list[tuple[str, str]]
    started: int
    only_read: bool
    """The mail that is answered says that a reply is no answer."""
    handled: int | None = None
    press: Press | None = None
    """What a clear reply of the customer's own says."""

    @property
    def automatic(self) -> bool:
        """Whether no person wrote it."""
        return self.kind in AUTOMATIC


@dataclass(eq=False)
class Choice:
    """Somebody stops our surveys or asks for them again: ``started`` and ``ended`` as for a press."""

    stops: bool
    started: int
    ended: int | None = None
    status: int | None = None
    fixes: bool = False
    """Mails about fixes are still wanted."""


@dataclass(eq=False)
class CauseDeed:
    """What somebody did on the page of a cause: ``started`` and ``ended`` as for a press."""

    who: str
    code: str
    form: dict[str, str]
    started: int
    ended: int | None = None
    status: int | None = None


class Actors:
    """The people and machines around one world."""

    def __init__(self, world: World, size: int) -> None:
        self.world = world
        self.settings = self._settings()
        self.causes = CAUSES
        """What the helpdesks' values mean, as the company has it now."""
        self.has_nights = self.chance("nights", 0.5)
        """Whether the nightly recount's schedule works; where it does not, everything else must do without."""
        self.nights: list[dict[str, Any] | None] = []
        """What the nightly recounts said."""
        self.closings: list[Closing] = []
        self.reopenings: list[Reopening] = []
        self.mergings: list[Merging] = []
        self.mailboxes: dict[str, str] = {}
        self.by_number: dict[tuple[str, str], Closing] = {}
        """Which closing our records call by which number: the only thing the actors learn from them."""
        self._planned: set[Closing] = set()
        self._asked_in: dict[str, dict[int, tuple[str, str]]] = {}
        self.received: list[Mail] = []
        self.written: dict[str, Written] = {}
        """Replies by mail, by their id."""
        self.choices: dict[str, list[Choice]] = defaultdict(list)
        """What customers chose about our surveys, by address."""
        self.deeds: list[Deed] = []
        self.cause_deeds: list[CauseDeed] = []
        """What our own people did about flags."""
        self._lives: Counter[tuple[str, str]] = Counter()
        self.gone: dict[tuple[str, str], list[Press]] = defaultdict(list)
        """What customers said about a fix, by its scope and their address."""
        self.rearranged: set[str] = set()
        """Causes that somebody merged with others, or whose tickets were moved: nobody outside can count them."""
        self.answered: list[tuple[str, int]] = []
        """Answers that must never be given, with their status: a forged webhook accepted, a page that failed."""
        self.scans = self.forged = self.unusable = self.machine_presses = 0
        self.lost: set[tuple[str, str]] = set()
        """Reports that SES lost: kind and id of the mail."""
        self.unreported: set[str] = set()
        """Mails of which SES reports nothing at all."""
        self.told_webhook: Callable[[Closing | Reopening], None] = lambda _: None
        world.ses.accepted = self.accepted
        world.ses.rate = self.pick("rate", 14.0, 5.0, 1.0)
        paused = int(world.unit("quota at") * 5 * DAY) + world.now
        if world.unit("quota") < 0.1:
            world.ses.quota_used_up = lambda: (
                paused < world.now < paused + 8 * HOUR
                and world.strike("ses/quota", f"ses/quota {world.now // HOUR}")
            )
        self.on_accepted: Callable[[Mail], None] = lambda _: None
        self._set_up()
        self._plan(size)

    def pick(self, label: str, *choices: Any) -> Any:
        """One of them, as the seed says."""
        return choices[int(self.world.unit(label) * len(choices))]

    def chance(self, label: str, share: float) -> bool:
        """Yes in so many of all cases."""
        return self.world.unit(label) < share

    def _settings(self) -> Settings:
        policy: dict[str, Any] = {}
        if self.chance("always open", 0.5):
            policy["hours"] = Hours(opens=Hours().opens, closes=Hours().closes, weekdays=tuple(range(7)))
        if self.chance("short quiet period", 0.5):
            policy["quiet_period"] = timedelta(days=1)
        # Rules for presses as in real life, which tests elsewhere leave off.
        policy |= {"press_after_page": timedelta(seconds=2), "press_after_mail": timedelta(minutes=1)}
        # Where a fix is judged early, customers contradict the verdict while everything still fails.
        policy["fix_check_after"] = self.pick("fix check", timedelta(days=6), timedelta(days=2))
        if self.chance("no empty digests", 0.5):
            policy["digest_when_empty"] = False
        company = settings(**policy)
        if self.chance("gathered notes", 0.5):
            billing = replace(company.teams["billing"], notes="daily")
            company = replace(company, teams={**company.teams, "billing": billing})
        self.schedule = self.pick("schedule", None, *SCHEDULES)
        return _with_schedule(company, self.schedule)

    def _set_up(self) -> None:
        settings_store.store(self.settings, START, settings_store.read())
        for key in ("mia", "ravi"):
            owners.ensure([key], hours.next_digest(START, self.settings.policy_for(key)))
        thanks.ensure(self.settings, START)
        self.rescheduled = self.chance("rescheduled", 0.3)
        if self.rescheduled:
            self.world.at(int(8 * DAY * self.world.unit("reschedule at")), "reschedule", self._reschedule)

    def _reschedule(self) -> None:
        """Ravi wants the digest at another time, and the operator applies the settings."""
        new = _with_schedule(self.settings, self.pick("new schedule", *SCHEDULES))
        apply_settings.apply(new, os.environ["TABLE"], URL, instant(self.world.now))

    def _plan(self, size: int) -> None:
        world = self.world
        people = [f"customer{n}@people{n % 5}.example" for n in range(max(2, size))]
        self.people = {*people}
        for email in [*people, *sorted(STAFF), TEAM, "billing@acme.example"]:
            share = 1.0 if email in people else 0.25
            fate = world.unit(f"mailbox {email}") / share
            self.mailboxes[email] = (
                "bounces"
                if fate < 0.07
                else "complains"
                if fate < 0.11
                else "silent"
                if fate < 0.14
                else "slow"
                if fate < 0.2
                else "fine"
            )
        for number in range(size * 3 // 4):
            self._plan_ticket(str(1000 + number), people, size)
        while len(self.closings) < size:
            self._plan_ticket(str(5000 + len(self.closings)), people, size)
        for number in range(size // 8):
            world.at(int(world.unit(f"forged {number}") * 6 * DAY), "forger", self._forge, number)
            world.at(int(world.unit(f"unusable {number}") * 6 * DAY), "unusable", self._send_unusable, number)
            self._plan_merging(number, people)
        for number in range(self.pick("recounts", 0, 1, 3)):
            world.at(int(world.unit(f"recount {number}") * 8 * DAY), "recount", self.recount)
        for number in range(NIGHTS if self.has_nights else 0):
            world.at(number * BETWEEN_NIGHTS, "night", self._count_at_night, duty=False)
        if self.chance("maps a value later", 0.3):
            world.at(int(world.unit("maps it") * 7 * DAY), "maps a value", self._map_value)

    def _plan_ticket(self, ticket: str, people: list[str], size: int) -> None:
        world, at = self.world, self.world.now + int(self.world.unit(f"closing {ticket}") * 5 * DAY)
        closing = self._closing(ticket, 1, at, people)
        self._tell(closing, f"{ticket} 1")
        if self.chance(f"finalised {ticket}", 0.15):
            wait = int((0.5 + 2 * world.unit(f"finalise {ticket}")) * DAY)
            closing.finalised = closing.at + wait // SECOND * SECOND
            world.at(closing.finalised - world.now, "finalise", self._finalise, closing, 0)
        elif self.chance(f"reopened {ticket}", 0.3):
            again = Reopening(ticket, at + int(world.unit(f"reopen {ticket}") ** 2 * 5 * DAY) + 10 * SECOND)
            again.at = again.at // SECOND * SECOND
            self.reopenings.append(again)
            self._tell(again, f"{ticket} reopened")
            if self.chance(f"closed again {ticket}", 0.6) and len(self.closings) < size:
                later = again.at + int(world.unit(f"again {ticket}") * 2 * DAY) + 10 * SECOND
                self._tell(self._closing(ticket, 2, later, people, closing.email), f"{ticket} 2")
        if closing.email and self.chance(f"contradicted {ticket}", 0.05):
            other = f"other-{ticket}@people.example"
            self.mailboxes[other] = "fine"
            wait = closing.at - world.now + int(world.unit(f"contradiction {ticket}") * 3 * DAY)
            world.at(wait, "contradict", self._contradict, closing, other)

    def _closing(
        self, ticket: str, number: int, at: int, people: list[str], email: str | None = None
    ) -> Closing:
        label = f"{ticket} {number}"
        closing = Closing(
            ticket,
            at // SECOND * SECOND,
            email
            or (None if self.chance(f"nobody {label}", 0.05) else self.pick(f"person {label}", *people)),
            self.pick(f"cause {label}", *CAUSES),
            self.pick(f"team {label}", "Web Portal", "Billing", None),
            self.pick(
                f"plan {label}",
                *("never",) * 5,
                *("yes",) * 3,
                *("no",) * 2,
                "yes no",
                "no yes",
                "yes yes",
                "words later",
                "both at once",
                "late yes",
                "late no",
                "yes no yes",
            ),
        )
        self.closings.append(closing)
        return closing

    def _plan_merging(self, number: int, people: list[str]) -> None:
        """Told once or twice, by either kind of Zendesk's webhooks."""
        at = self.world.now + int(self.world.unit(f"merging {number}") * 5 * DAY)
        ticket, cause = str(8000 + number), self.pick(f"merged cause {number}", *CAUSES)
        body = _merged(ticket, at, self.pick(f"merged person {number}", *people, None), cause)
        if self.chance(f"merging is an event {number}", 0.4):
            body = _merged_event(ticket, at)
        merging = Merging(ticket, at, body)
        self.mergings.append(merging)
        for copy in range(1 + self.chance(f"merging again {number}", 0.4)):
            wait = at - self.world.now + copy * int(3 * DAY * self.world.unit(f"merging again at {number}"))
            self.world.at(wait, "merging", self._merge, merging, 0)

    # --- an operator ------------------------------------------------------------------------------------------------

    def recount(self, done: Callable[[dict[str, Any] | None], None] = lambda _: None) -> None:
        """Somebody has causes counted anew, at a bad time or a good one."""
        since = instant(self.world.now).isoformat()
        self.world.invoke("recount_causes", {"since": since}, done)

    def _count_at_night(self) -> None:
        """The schedule of the recount, which begins one once a day and goes on with one that was cut off."""
        self.world.invoke("recount_causes", {}, self.nights.append)

    def _map_value(self) -> None:
        """A value that nobody had mapped means a cause from now on, and from the beginning."""
        known = self.settings.causes
        meant = replace(known["no-show"], values=(*known["no-show"].values, "SOMETHING  else"))
        self.settings = replace(self.settings, causes=known | {"no-show": meant})
        self.causes = self.causes | {"something else": "no-show"}
        settings_store.store(self.settings, instant(self.world.now), settings_store.read())
        self.world.reached["operator/mapped a value"] += 1
        self.recount()

    # --- helpdesks --------------------------------------------------------------------------------------------------

    def _tell(self, event: Closing | Reopening, label: str) -> None:
        """At least once, soon or late, perhaps long afterwards again; in some worlds they give up early."""
        world = self.world
        tries = 2 if self.chance("they give up early", 0.2) else len(BACK_OFF)
        delay = event.at - world.now + int(30 * SECOND * world.unit(f"hook {label}"))
        if self.chance(f"late hook {label}", 0.08):
            delay += int(2 * DAY * world.unit(f"how late {label}"))
        world.at(delay, f"hook {label}", self._call, event, label, 0, tries)
        if self.chance(f"hook again {label}", 0.2):
            more = int(world.unit(f"when again {label}") ** 3 * 6 * DAY)
            world.at(delay + more, f"hook {label}", self._call, event, f"{label} again", 0, tries)

    def _call(self, event: Closing | Reopening, label: str, attempt: int, tries: int) -> None:
        if event.first_told is None:
            event.first_told = self.world.now
        body = self._body(event) if isinstance(event, Closing) else reopened(event.ticket, instant(event.at))

        def answered(status: int | None) -> None:
            if status == 202:
                event.acknowledged = event.acknowledged or self.world.now
                self.told_webhook(event)
            elif attempt + 1 < tries:
                wait = BACK_OFF[min(attempt, len(BACK_OFF) - 1)]
                self.world.at(wait, f"hook {label}", self._call, event, label, attempt + 1, tries)

        self._hook(body, f"msg_{label.replace(' ', '_')}", answered)

    def _body(self, closing: Closing, email: str | None = None) -> bytes:
        address = email or closing.email
        requester = customer(address, timezone=zone_of(address))
        return closed(
            closing.ticket,
            instant(closing.at),
            requester=requester,
            root_cause=closing.cause,
            group=closing.team,
        )

    def _finalise(self, closing: Closing, attempt: int) -> None:
        """The helpdesk makes "solved" into "closed" for good, days later: still the same closing."""
        assert closing.finalised
        told = json.loads(self._body(closing))
        told["type"] = "ticket.closed"
        told["data"]["closed_at"] = instant(closing.finalised).strftime("%Y-%m-%dT%H:%M:%SZ")

        def answered(status: int | None) -> None:
            if status != 202 and attempt < 3:
                self.world.at(BACK_OFF[attempt], "finalise", self._finalise, closing, attempt + 1)

        closing.finalise_told = self.world.now
        self._hook(json.dumps(told).encode(), f"msg_{closing.ticket}_final", answered)

    def _contradict(self, closing: Closing, other: str) -> None:
        closing.first_told = closing.first_told if closing.first_told is not None else self.world.now
        closing.names.add(other)
        self._hook(self._body(closing, other), f"msg_{closing.ticket}_other", lambda _: None)

    def _hook(self, body: bytes, delivery: str, answered: Callable[[int | None], None], **more: Any) -> None:
        sent = self.world.now + int((self.world.draw("their clock") - 0.5) * MINUTE)
        headers = signed(body, instant(sent), delivery=delivery, **more)
        self._http(
            "receive_ticket", "POST", {"source": "acme"}, headers, body.decode(), lambda s, _: answered(s)
        )

    def _merge(self, merging: Merging, attempt: int) -> None:
        headers = signed_by_zendesk(merging.body, instant(self.world.now))

        def answered(status: int | None, _: str) -> None:
            if status == 202:
                merging.acknowledged = merging.acknowledged or self.world.now
            elif attempt + 1 < len(BACK_OFF):
                self.world.at(BACK_OFF[attempt], "merging", self._merge, merging, attempt + 1)

        self._http("receive_ticket", "POST", {"source": "zendesk"}, headers, merging.body.decode(), answered)

    def _forge(self, number: int) -> None:
        """Without the secret, too late, or with another body: refused every time."""
        body = closed(f"9{number:03d}", instant(self.world.now))
        way = self.pick(f"forgery {number}", "secret", "stale", "body", "none")
        headers = signed(body, instant(self.world.now - (way == "stale") * HOUR))
        if way == "secret":
            headers = signed(body, instant(self.world.now), secret="whsec_" + "A" * 32)
        if way == "none":
            del headers["webhook-signature"]
        text = body.decode() + (way == "body") * " "
        self.forged += 1

        def answered(status: int | None, _: Any) -> None:
            if status not in {401, 503, None}:
                self.answered.append((f"forged webhook ({way})", status))

        self._http("receive_ticket", "POST", {"source": "acme"}, headers, text, answered)

    def _send_unusable(self, number: int) -> None:
        """Rightly signed and yet of no use: accepted, kept, and refused again when it is replayed."""
        self.unusable += 1
        body = closed("", instant(self.world.now))

        def answered(status: int | None) -> None:
            if status not in {202, 401, 503, None}:
                self.answered.append(("unusable webhook", status))

        self._hook(body, f"msg_unusable_{number}", answered)

    def _seal(self, function: str, token: str) -> str:
        """What the page puts into the form of a person who was asked to press once more, or would have been.

        It has been open for an hour, because some clocks are minutes wrong.
        """
        now = instant(self.world.now)
        try:
            link = SEALED[function](token, now, self.settings.policy.keep_for)
        except links.BadLink:
            return ""
        return links.seal(link, Page(shown_at=now - timedelta(hours=1), once_more=True), now)

    def _http(
        self,
        function: str,
        method: str,
        path: dict[str, str],
        headers: dict[str, str],
        body: str | None,
        done: Callable[[int | None, str], None],
        query: dict[str, str] | None = None,
    ) -> None:
        if method == "POST" and function in SEALED and headers is not MACHINE:
            body = f"{body}&seal={self._seal(function, path['token'])}"
        event = {
            "requestContext": {"http": {"method": method}},
            "pathParameters": path,
            "queryStringParameters": query or {},
            "headers": headers,
            "body": body,
        }
        lost = self.world.strikes("web/reply_lost", f"{function} {method}")

        def answered(result: Any) -> None:
            if result is not None and (
                result["statusCode"] in {410, 500} or 300 <= result["statusCode"] < 400
            ):
                self.answered.append((f"{method} {function}", result["statusCode"]))
            if result is None or lost:
                done(None, "")
            else:
                done(result["statusCode"], result["body"])

        self.world.invoke(function, event, answered)

    # --- mailboxes --------------------------------------------------------------------------------------------------

    def accepted(self, mail: Mail) -> None:
        """SES took a mail: it arrives or it does not, and SES reports in its own time, or loses the report."""
        self.on_accepted(mail)
        world, fate = self.world, self.mailboxes[mail.to]
        if world.strikes("report/none", _tagged(mail), 2):
            self.unreported.add(mail.id)
        listed = mail.to in world.ses.suppressed
        self._report(mail, "Send", SECOND // 2)
        if listed or fate == "bounces":
            world.ses.suppressed.add(mail.to)
            self._report(mail, "Bounce", 3 * SECOND)
            return
        delay = int(2 * HOUR * world.unit(f"slow {mail.id}")) if fate == "slow" else 2 * SECOND
        if fate == "slow":
            self._report(mail, "TransientBounce", SECOND)
        if fate != "silent":
            self._report(mail, "Delivery", delay)
        if fate == "complains":
            world.ses.suppressed.add(mail.to)
            self._report(mail, "Complaint", delay + HOUR)
        world.at(delay, "mail arrives", self._arrives, mail)

    def _report(self, mail: Mail, kind: str, delay: int) -> None:
        world = self.world
        label = f"{kind} {_tagged(mail)}"
        if mail.id in self.unreported or world.strikes("report/lost", label, 0.5):
            self.lost.add((kind, mail.id))
            return
        if world.strikes("report/late", label):
            delay += int(3 * HOUR * world.draw("late report"))
        for copy in range(1 + world.strikes("report/twice", label)):
            world.at(delay + copy * int(HOUR * world.draw("copy")), "report", self._publish, mail, kind)

    def _publish(self, mail: Mail, kind: str) -> None:
        at = instant(self.world.now).isoformat(timespec="milliseconds")
        name = kind.removeprefix("Transient")
        details: dict[str, Any] = {"timestamp": at}
        if name == "Bounce":
            details["bounceType"] = "Transient" if kind != name else "Permanent"
        tags = {name: [value] for name, value in mail.tags.items()}
        event = {
            "eventType": name,
            "mail": {
                "timestamp": instant(mail.at).isoformat(),
                "messageId": mail.id,
                "destination": [mail.to],
                "tags": tags,
            },
            name.lower(): details if name != "Send" else {},
        }
        self.world.queues["DeliveryQueue"].send(json.dumps(event))

    def _arrives(self, mail: Mail) -> None:
        self.received.append(mail)
        self._scanned(mail)
        if gone := GONE.search(mail.text):
            self._say_whether_gone(mail, gone[1])
        if cause := CAUSE.search(mail.text):
            self._own(mail, cause[1], cause[2])
        elif found := LINK.search(mail.text):
            self._reads(mail, *found.groups())

    def _reads(self, mail: Mail, kind: str, token: str) -> None:
        """Somebody reads a mail, and follows its first link to a page for somebody like them."""
        world = self.world
        if kind == "s" and read_tag(mail)[2] == "message":
            self._hears(mail, token)
        elif kind == "v":
            self._tells(mail, token)
        elif kind == "s":
            if self.chance(f"scanned {mail.to}", 0.4):
                for method, answer in (("GET", "yes"), ("GET", "no"), ("HEAD", "yes")):
                    wait = int(MINUTE * world.draw("scan"))
                    world.at(wait, "scanner", self._open, "show_survey", token, method, {"a": answer})
            self._customer(mail, token)
            self._replies(mail)
            self._stop(mail)
        elif kind == "f" and self.chance(f"reads {mail.id}", 0.7):
            wait = int(DAY * world.unit(f"when {mail.id}") ** 2)
            world.at(wait, "flag opened", self._open, "show_flag", token, "GET", {})
            form = {"action": "acknowledge"}
            world.at(wait + MINUTE, "flag acknowledged", self._form, "settle_flag", token, form, 0)
            if self.chance(f"settles {mail.id}", 0.7):
                self._works_on(mail, token, wait + 2 * MINUTE)
        elif kind == "c" and self.chance(f"acts {mail.id}", 0.5):
            cause = self.pick(f"which {mail.id}", "portal-login", "meter-late", "no-show")
            wait = int(3 * DAY * world.unit(f"when {mail.id}"))
            world.at(wait, "causes opened", self._open, "show_causes", token, "GET", {})
            form = {"action": "acknowledge", "cause": cause}
            world.at(wait + MINUTE, "cause acknowledged", self._form, "acknowledge_causes", token, form, 0)

    def _hears(self, mail: Mail, token: str) -> None:
        """A customer gets a mail that is no survey."""
        if "#asked_again#" in read_tag(mail)[1]:
            self._asked_again(mail, token)
        if "#progress#" in read_tag(mail)[1] and self.chance(f"answers {mail.id}", 0.7):
            wait = MINUTE + int(DAY * self.world.unit(f"when {mail.id}") ** 2)
            self.world.at(wait, "reply", self._write, mail, TO_A_PERSON, mail.id)
        self._stop(mail)

    def _tells(self, mail: Mail, token: str) -> None:
        """A team says how it sees a case, and somebody presses twice."""
        if not self.chance(f"tells {mail.id}", 0.6):
            return
        world, wait = self.world, int(DAY * self.world.unit(f"when {mail.id}"))
        world.at(wait, "team's page opened", self._open, "show_version", token, "GET", {})
        form = {"words": f"how the team sees it {mail.id}"}
        for copy in range(2):
            world.at(wait + copy * MINUTE, "team writes", self._form, "record_version", token, form, 0)

    def _works_on(self, mail: Mail, token: str, wait: int) -> None:
        """What one person does about one flag: writes to the customer, promises, asks the team; and settles it."""
        world, id = self.world, f"{crc32(mail.id.encode()):032x}"
        plan = self.pick(
            f"works {mail.id}", "settle", "settle", "settle", "update", "wait", "keep", "break", "withdraw"
        )
        settle = wait + int(2 * DAY * world.unit(f"settle {mail.id}"))
        if self.chance(f"asks the team {mail.id}", 0.2):
            world.at(wait, "team asked", self._does, mail, token, {"action": "ask_team"}, id)
        if plan in {"update", "wait"}:
            form = {"action": "update", "words": "I look after it.", "form": id}
            for copy in range(2):
                world.at(wait + copy * SECOND, "update", self._does, mail, token, form, id)
        result = "solved" if plan in {"settle", "update", "wait"} else "agreed"
        if result == "agreed":
            days = 1 + int(3 * world.unit(f"until {mail.id}"))
            until = (instant(world.now + settle) + timedelta(days=days)).date().isoformat()
            form = {"action": "agree", "words": "A visit.", "until": until, "form": id}
            world.at(wait, "promise", self._does, mail, token, form, id)
        if plan in {"keep", "withdraw"}:
            form = {"action": plan, "promise": id, "words": "Done as said."}
            world.at(settle + HOUR, plan, self._does, mail, token, form, id)
        if plan == "wait":
            return  # for an answer, and forgets it
        form = {"action": "settle", "done": "called the customer", "result": result}
        world.at(settle, "flag settled", self._does, mail, token, form, id)

    def _does(self, mail: Mail, token: str, form: dict[str, str], id: str, attempt: int = 0) -> None:
        scope, name, _ = read_tag(mail)
        ticket, number = scope.rpartition("#")[2], name.split("#")[1]
        deed = Deed(form["action"], ticket, number, id, self.world.now)
        self.deeds.append(deed)

        def answered(status: int | None, _: str) -> None:
            deed.ended, deed.status = self.world.now, status
            if status in {503, None} and attempt < 4:
                wait = MINUTE * (1 + attempt * 20)
                self.world.at(wait, form["action"], self._does, mail, token, form, id, attempt + 1)
            elif status not in {200, 400, 409, 503, None}:
                self.answered.append(("POST settle_flag", status))

        self._http("settle_flag", "POST", {"token": token}, FORM, urlencode(form), answered)

    def _open(
        self, function: str, token: str, method: str, query: dict[str, str], cause: str | None = None
    ) -> None:
        self.scans += 1

        def shown(status: int | None, _: str) -> None:
            if status not in {200, 404, 409, 503, None}:
                self.answered.append((f"{method} {function}", status))

        path = {"token": token, "cause": cause} if cause else {"token": token}
        self._http(function, method, path, {}, None, shown, query)

    def _form(self, function: str, token: str, form: dict[str, str], attempt: int) -> None:
        def answered(status: int | None, _: str) -> None:
            if status in {503, None} and attempt < 3:
                self.world.at(MINUTE << attempt, function, self._form, function, token, form, attempt + 1)
            elif status not in {200, 400, 409, 503, None}:
                self.answered.append((f"POST {function}", status))

        self._http(function, "POST", {"token": token}, FORM, urlencode(form), answered)

    # --- scanners ---------------------------------------------------------------------------------------------------

    def _scanned(self, mail: Mail) -> None:
        """Some mailboxes are looked after by a machine that opens what a mail links to and presses its buttons."""
        if not self.chance(f"scanned {mail.to}", 0.25) or (found := _buttons(mail)) is None:
            return
        world, (show, act, path, forms) = self.world, found
        wait = SECOND + int(10 * SECOND * world.draw("scan"))
        world.at(wait, "scanner", self._open, show, path["token"], "GET", {}, path.get("cause"))
        for number in range(2):
            form = forms[int(len(forms) * world.draw("button"))]
            again = int(10 * SECOND * world.draw("scan")) + number * SECOND
            world.at(wait + again, "a machine presses", self._machine, mail, act, path, form)

    def _machine(self, mail: Mail, act: str, path: dict[str, str], form: dict[str, str]) -> None:
        """Without a page, with a field that nobody sees, on a page that was shown this moment, or with the mail."""
        self.machine_presses += 1
        now = instant(self.world.now)
        link = SEALED[act](path["token"], now, self.settings.policy.keep_for)
        ways = ["no page", "every field"]
        if self.world.clocks_agree and self.mailboxes[mail.to] == "fine":
            ways.append("at once")
            # The link of a cause only tells when its mail was written, which may have been long before it went out.
            ways += ["with the mail"] * (act in {"settle_flag", "answer_fix"})
        way = ways[int(len(ways) * self.world.draw("way of a machine"))]
        self.world.reached[f"machine/{act} {way}"] += 1
        ago = {"every field": timedelta(hours=1), "at once": timedelta(), "with the mail": 5 * A_SECOND}
        if way != "no page":
            page = Page(shown_at=now - ago[way], once_more=way == "every field")
            form = form | {"seal": links.seal(link, page, now)}
        if way == "every field":
            form = form | {"website": "https://acme.example"}

        def answered(status: int | None, _: str) -> None:
            if status not in {200, 400, 404, 409, 503, None}:
                self.answered.append((f"POST {act} by a machine", status))

        self._http(act, "POST", path, MACHINE, urlencode(form), answered)

    # --- owners -----------------------------------------------------------------------------------------------------

    def _own(self, mail: Mail, token: str, code: str) -> None:
        """Whoever has a cause acknowledges it, commits to a day, and takes one of the ways there are with it."""
        world, label = self.world, f"{mail.to} {code} {mail.subject}"
        if not self.chance(f"acts {label}", 0.8) or self._lives[(mail.to, code)] == MOST_LIVES:
            return
        self._lives[(mail.to, code)] += 1
        wait = int(2 * DAY * world.unit(f"when {label}"))
        world.at(wait, "cause opened", self._open, "show_cause", token, "GET", {}, code)
        world.at(wait + MINUTE, "overview opened", self._open, "show_causes", token, "GET", {})
        form = {"action": "acknowledge", "note": "seen"}
        if self.chance(f"commits {label}", 0.5):
            until = world.now + wait + int((1 + 4 * world.unit(f"day {label}")) * DAY)
            form["committed_to"] = instant(until).date().isoformat()
        world.at(wait + MINUTE, "owner", self._do, mail.to, code, token, form, 0)
        wait += HOUR + int(2 * DAY * world.unit(f"then {label}"))
        others = [other for other in ("portal-login", "meter-late", "no-show") if other != code]
        other = self.pick(f"other {label}", *others)
        life = self.pick(f"life {label}", *LIVES)
        for step in life.split(", "):
            if step in {"fix", "known", "update", "cancel"}:
                world.at(wait, "owner writes", self._draft, mail.to, code, token, step, label)
            elif step == "reassign":
                to = self.pick(f"to {label}", "mia", "ravi")
                for again in range(2):
                    form = {"action": "reassign", "to": to, "form": self._form_id(f"{label} reassign")}
                    world.at(wait + again * SECOND, "owner", self._do, mail.to, code, token, form, 0)
                late = {"action": "acknowledge", "note": "not mine any more"}
                world.at(wait + DAY, "owner", self._do, mail.to, code, token, late, 9)
            elif step == "merge":
                self.rearranged |= {code, other}
                form = {"action": "merge", "into": other}
                world.at(wait, "owner", self._do, mail.to, code, token, form, 0)
                if self.chance(f"separates {label}", 0.5):
                    form = {"action": "separate", "part": code}
                    world.at(wait + DAY, "owner", self._do, mail.to, code, token, form, 0)
            elif step == "move":
                self.rearranged |= {code, other}
                tickets = [c.ticket for c in self.closings if CAUSES[c.cause] == code][:2]
                form = {"action": "move", "into": other}
                form |= {f"ticket-{n}": f"acme|{ticket}" for n, ticket in enumerate(tickets, 1)}
                world.at(wait, "owner", self._do, mail.to, code, token, form, 0)
            # A fix may come while the mails before it still wait for their customers' hours.
            soon = step in {"known", "update"} and self.chance(f"soon {label}", 0.5)
            wait += 2 * HOUR if soon else DAY

    def _draft(self, who: str, code: str, token: str, step: str, label: str) -> None:
        """A draft, and an hour later its confirmation, twice at once; or it is cancelled."""
        today = instant(self.world.now).date()
        form = {"action": "declare", "wrong": "w", "words": "c", "day": today.isoformat()}
        if step in {"known", "update"}:
            form = {"action": step, "words": "k", "day": (today + timedelta(days=2)).isoformat()}
        self._do(who, code, token, form, 0)
        for again in range(2):
            self.world.at(
                HOUR + again * SECOND,
                "owner confirms",
                self._confirm,
                who,
                code,
                token,
                step,
                f"{label} {again}",
                0,
            )

    def _confirm(self, who: str, code: str, token: str, step: str, label: str, attempt: int) -> None:
        """With the number that the page shows; when it has changed, once more."""
        draft = next((known for known in tellings.newest(code) if known.stage is Stage.DRAFT), None)
        if draft is None or attempt > 3:
            return
        people = tellings.audience(draft, instant(self.world.now), self.settings).people
        form = {"action": "confirm", "number": str(draft.number), "people": str(people)}
        if step == "cancel":
            form = {"action": "cancel", "number": str(draft.number)}
        self._do(who, code, token, form, 0)
        self.world.at(HOUR, "owner confirms", self._confirm, who, code, token, step, label, attempt + 1)

    def _form_id(self, label: str) -> str:
        number = int(self.world.unit(label) * 2**40)
        return f"{instant(self.world.now):%Y%m%d%H%M%S}000000-{number:012x}"

    def _do(self, who: str, code: str, token: str, form: dict[str, str], attempt: int) -> None:
        form = {"form": self._form_id(f"{who} {code} {form}"), **form}
        deed = CauseDeed(who, code, form, self.world.now)
        self.cause_deeds.append(deed)

        def answered(status: int | None, _: str) -> None:
            deed.ended, deed.status = self.world.now, status
            if status in {503, None} and attempt < 4:
                wait = MINUTE * (1 + attempt * 20)
                self.world.at(wait, "owner", self._do, who, code, token, form, attempt + 1)
            elif status not in {200, 400, 409, 503, None}:
                self.answered.append(("POST act_on_cause", status))

        path = {"token": token, "cause": code}
        self._http("act_on_cause", "POST", path, FORM, urlencode(form), answered)

    def _say_whether_gone(self, mail: Mail, token: str) -> None:
        """Scanners open everything; some customers answer, some twice or late, and some change their mind."""
        world, label = self.world, f"{mail.to} {token[:12]}"
        for method, answer in (("GET", "yes"), ("HEAD", "no")):
            wait = int(MINUTE * world.draw("scan"))
            world.at(wait, "scanner", self._open, "show_fix", token, method, {"a": answer})
        plan = self.pick(f"gone {label}", "", "", "yes", "yes yes", "no", "no", "yes no", "no yes")
        late = ""
        if self.chance("fixes do not work", 0.5):
            plan = "no"
        elif self.chance("late words", 0.6):
            plan = self.pick(f"gone {label}", "", "yes")
            late = self.pick(f"late {label}", "", "", "no", "no yes no", "yes no")
        for number, word in enumerate(plan.split()):
            wait = MINUTE + int(DAY * world.unit(f"says {label}")) + number * HOUR
            world.at(wait, "customer", self._answer_fix, mail, token, word == "yes", 0)
        check = self.settings.policy.fix_check_after // timedelta(microseconds=1)
        for number, word in enumerate(late.split()):
            # Around the first judging, around the second one, or when all is over.
            wait = int(check * (1 + 2 * world.unit(f"says late {label}"))) + number * HOUR
            world.at(wait, "customer", self._answer_fix, mail, token, word == "yes", 0)

    def _answer_fix(self, mail: Mail, token: str, gone: bool, attempt: int) -> None:
        press = Press(gone, None, False, self.world.now)
        self.gone[(read_tag(mail)[0], mail.to)].append(press)
        form = {"answer": "yes" if gone else "no"}

        def answered(status: int | None, _: str) -> None:
            press.ended, press.status = self.world.now, status
            if status in {503, None} and attempt < 4:
                wait = MINUTE * (1 + attempt * 20)
                self.world.at(wait, "customer", self._answer_fix, mail, token, gone, attempt + 1)
            elif status not in {200, 503, None}:
                self.answered.append(("POST answer_fix", status))

        self._http("answer_fix", "POST", {"token": token}, FORM, urlencode(form), answered)

    # --- customers --------------------------------------------------------------------------------------------------

    def asked_in(self, mail: Mail) -> dict[int, tuple[str, str]]:
        """The closings that a survey asks about, by their place on its page: ticket and number."""
        if mail.id in self._asked_in:
            return self._asked_in[mail.id]
        scope, name, _ = read_tag(mail)
        first = (scope.rpartition("#")[2], name.rpartition("#")[2])
        asked: dict[int, tuple[str, str]] = {}
        spoken_of = first[0]
        for ticket, place in PLACES.findall(mail.text):
            spoken_of = ticket or spoken_of
            if not ticket:
                asked[int(place or 0)] = first if spoken_of == first[0] else self._last_closing(spoken_of)
        self._asked_in[mail.id] = asked
        return asked

    def _last_closing(self, ticket: str) -> tuple[str, str]:
        """The one that was closed last, which need not be the one that was told last."""
        numbers = [known for known in self.by_number if known[0] == ticket]
        return max(numbers, key=lambda known: (self.by_number[known].at, known))

    def _customer(self, mail: Mail, token: str) -> None:
        if self.chance(f"presses {mail.to}", 0.2):
            for number in range(4):
                form = {"answer": "yes" if number % 2 else "no", "answer-1": "yes", "website": "x"}
                wait = SECOND + int(MINUTE * self.world.draw("machine"))
                self.world.at(wait, "a machine presses", self._form, "record_answer", token, form, 9)
        for place, asked in self.asked_in(mail).items():
            self._answers(self.by_number[asked], place, mail, token)

    def _answers(self, closing: Closing, place: int, mail: Mail, token: str) -> None:
        label, world = f"{closing.ticket} {closing.at}", self.world
        if self.chance(f"only the reminder {label}", 0.2) and not mail.subject.startswith("Reminder"):
            return
        if closing in self._planned:
            return
        self._planned.add(closing)
        wait = int(3 * DAY * world.unit(f"answers {label}") ** 3) + 20 * SECOND
        for step in self._presses(closing.plan):
            solved, extra, words, consent = step
            text = f"my own words {label} {extra}" if words else None
            world.at(wait + extra, "customer", self._press, closing, token, place, solved, text, consent, 0)

    def _asked_again(self, mail: Mail, token: str) -> None:
        """Some say "yes" to the question whether it is solved now, some "no" once more, and some nothing."""
        scope, name, _ = read_tag(mail)
        closing = self.by_number[(scope.rpartition("#")[2], name.split("#")[1])]
        said = self.pick(f"says {mail.id}", True, True, False, False, None)
        if said is None:
            return
        place = next(int(place or 0) for ticket, place in PLACES.findall(mail.text) if not ticket)
        wait = HOUR + int(2 * DAY * self.world.unit(f"answers {mail.id}"))
        self.world.at(wait, "customer", self._press, closing, token, place, said, None, False, 0)

    def _replies(self, mail: Mail) -> None:
        """Some answer by mail, whether they press as well or not, and machines answer at once, or each other."""
        if not mail.reply_to.startswith("reply+"):
            return
        label, world = _tagged(mail), self.world
        kind = self.pick(
            f"reply {label}",
            *(None,) * 18,
            *("yes",) * 3,
            *("no",) * 2,
            *("thanks", "unclear", "sarcasm", "forged", "somebody else", "chatter", "late yes", "late no"),
            *AUTOMATIC,
        )
        if kind is None:
            return
        wait = int(3 * DAY * world.unit(f"replies {label}") ** 2) + MINUTE
        if kind in AUTOMATIC:
            wait = 2 * SECOND
        elif kind.startswith("late"):
            wait += 9 * DAY
        for number in range({"loop": 5, "chatter": 5}.get(kind, 1)):
            world.at(wait + number * MINUTE, "reply", self._write, mail, kind, f"{label} {number}")

    def _write(self, mail: Mail, kind: str, label: str) -> None:
        world = self.world
        words = SENTENCES.get(kind, "Yes, it is solved. I am away until Monday.").format(len(self.written))
        only_read = any(said in mail.text for said in ONLY_READ)
        scope, name, _ = read_tag(mail)
        about = [(scope.rpartition("#")[2], name.split("#")[1])]
        asked = about if kind == TO_A_PERSON else [*self.asked_in(mail).values()]
        sent = Written(f"reply-{len(self.written)}", kind, words, asked, world.now, only_read)
        self.written[sent.id] = sent
        if kind in {"yes", "no", "late yes", "late no"} and not only_read:
            sent.press = Press(kind.endswith("yes"), words, False, world.now)
            self.by_number[sent.asked[0]].presses.append(sent.press)
        sender = "assistant@people.example" if kind == "somebody else" else mail.to
        headers = {"From": f"Kim <{sender}>", **AUTOMATIC.get(kind, {})}
        world.bucket.objects[sent.id] = written(words, **headers)
        failed = {"dmarcVerdict": {"status": "FAIL"}} if kind == "forged" else {}
        source = "" if kind == "bounce" else sender
        told = received(mail.reply_to, sent.id, instant(world.now), source=source, **failed)
        for copy in range(1 + self.chance(f"told twice {label}", 0.3)):
            wait = copy * int(DAY * world.unit(f"second time {label}") ** 2)
            world.at(wait, "mail comes in", self._comes_in, json.dumps(told))

    def _comes_in(self, told: str) -> None:
        self.world.queues["ReplyQueue"].send(told)

    def _stop(self, mail: Mail) -> None:
        """Some unsubscribe: their mail program posts it twice, or they choose it on the page; some want us back."""
        way = self.world.unit(f"stops {mail.to}")
        found = STOP.search(mail.text)
        if way > 0.25 or mail.to in self.choices or not found:
            return
        token, wait = found[1], int(2 * DAY * self.world.unit(f"when {mail.to} stops"))
        self.world.at(wait, "page opened", self._open, "show_preferences", token, "GET", {"surveys": "none"})
        self.choices[mail.to] = []
        wanted = "fixes" if way < 0.05 else "none"
        for again in range(2):
            form = {"List-Unsubscribe": "One-Click"} if way > 0.1 else {"surveys": wanted, "language": "de"}
            self.world.at(wait + again * MINUTE, "stop", self._choose, mail.to, token, form, 0)
        if self.chance(f"back {mail.to}", 0.4):
            form = {"surveys": "all", "language": "de"}
            self.world.at(wait + 2 * DAY, "ask me again", self._choose, mail.to, token, form, 0)

    def _choose(self, address: str, token: str, form: dict[str, str], attempt: int) -> None:
        choice = Choice(form.get("surveys") != "all", self.world.now, fixes=form.get("surveys") == "fixes")
        self.choices[address].append(choice)

        def answered(status: int | None, _: str) -> None:
            choice.ended, choice.status = self.world.now, status
            if status in {503, None} and attempt < 4:
                wait = MINUTE * (1 + attempt * 20)
                self.world.at(wait, "choose", self._choose, address, token, form, attempt + 1)
            elif status not in {200, 503, None}:
                self.answered.append(("POST record_preferences", status))

        self._http("record_preferences", "POST", {"token": token}, FORM, urlencode(form), answered)

    def _presses(self, plan: str) -> Iterator[tuple[bool, int, bool, bool]]:
        if plan == "never":
            return
        if plan == "both at once":
            yield True, 0, False, False
            yield False, 1000, False, False
        elif plan == "words later":
            yield True, 0, False, False
            yield True, 2 * MINUTE, True, True
            yield True, 3 * HOUR, True, True
        elif plan.startswith("late"):
            yield plan == "late yes", 9 * DAY, plan == "late no", False
        else:
            for number, word in enumerate(plan.split()):
                yield word == "yes", number * 7 * HOUR, number == 0, word == "yes" and number == 0

    def _press(
        self,
        closing: Closing,
        token: str,
        place: int,
        solved: bool,
        words: str | None,
        consent: bool,
        attempt: int,
    ) -> None:
        press = Press(solved, words, consent, self.world.now)
        closing.presses.append(press)
        suffix = f"-{place}" if place else ""
        now = instant(self.world.now)
        link = links.read_survey(token, now, self.settings.policy.keep_for)
        form = {
            "seal": links.seal(link, Page(shown_at=now - timedelta(minutes=2)), now),
            f"answer{suffix}": "yes" if solved else "no",
            f"words{suffix}": words or "",
            f"consent{suffix}": "yes" if consent else "",
        }

        def answered(status: int | None, body: str) -> None:
            if status == 200 and ("survey_page" in body or 'name="seal"' in body):
                # Asked to press once more: nothing was counted, and a person does so after a while.
                status, press.started = None, self.world.now
            press.ended, press.status = self.world.now, status
            if status in {503, None} and attempt < 4:
                wait = MINUTE * (1 + attempt * 20)
                again = (closing, token, place, solved, words, consent, attempt + 1)
                self.world.at(wait, "customer", self._press, *again)
            elif status not in {200, 409, 503, None}:
                self.answered.append(("POST record_answer", status))

        self._http("record_answer", "POST", {"token": token}, FORM, urlencode(form), answered)


# An owner's ways with a cause; most come to a fix.
MOST_LIVES = 2
"""So often somebody takes one of these ways with a cause: each fix that fails would begin another one, for ever."""
LIVES = (
    "fix",
    "fix",
    "fix",
    "known, fix",
    "known, fix",
    "known, update, fix",
    "reassign",
    "merge",
    "move",
    "cancel",
    "nothing",
)


def zone_of(address: str | None) -> str:
    """Where a customer lives: in two neighbouring countries with the same clocks and different holidays."""
    return (
        "Europe/Vienna"
        if address and address.endswith(("people0.example", "people1.example"))
        else "Europe/Berlin"
    )


FORM = {"content-type": "application/x-www-form-urlencoded"}
MACHINE = FORM | {"user-agent": "a scanner"}
"""Of a machine that presses a button of ours: by it the judge knows its presses, and nobody else does."""
A_SECOND = timedelta(seconds=1)
SEALED: Mapping[str, Callable[[str, datetime, timedelta], links.Pressed]] = {
    "answer_fix": links.read_fix,
    "record_version": links.read_version,
    "settle_flag": links.read_flag,
    "act_on_cause": links.read_causes,
    "acknowledge_causes": links.read_causes,
}
"""Pages beside the survey's whose forms say when they were shown, and how their links are read."""


def _with_schedule(known: Settings, schedule: Schedule | None) -> Settings:
    """Ravi has a chat, and chose when the digest comes."""
    ravi = replace(known.contacts["ravi"], digest=schedule, chat="owners")
    return replace(known, contacts={**known.contacts, "ravi": ravi})


def read_tag(mail: Mail) -> tuple[str, str, str]:
    """What a mail is about: our own key and part, from its tag."""
    found = mailer.read_tag(mail.tags["message"])
    assert found
    return found


def _tagged(mail: Mail) -> str:
    return "|".join(read_tag(mail))


def _merged(ticket: str, at: int, email: str | None, cause: str | None) -> bytes:
    """The trigger webhook of a ticket that was merged into another one, by Zendesk's preset."""
    told = {
        "id": ticket,
        "status": "Closed",
        "updated_at": stamp(instant(at)),
        "tags": "vip closed_by_merge",
        "group": "Web Portal",
        "requester_email": email,
        "root_cause": cause,
    }
    return json.dumps({"schema": "zendesk.trigger/1", "ticket": told}).encode()


def _merged_event(ticket: str, at: int) -> bytes:
    """The same as an event, which names no customer."""
    told = {
        "type": "zen:event-type:ticket.status_changed",
        "time": stamp(instant(at)),
        "detail": {"id": ticket, "tags": ["closed_by_merge"], "updated_at": stamp(instant(at))},
        "event": {"current": "CLOSED", "previous": "OPEN"},
    }
    return json.dumps(told).encode()


def _buttons(mail: Mail) -> tuple[str, str, dict[str, str], tuple[dict[str, str], ...]] | None:
    """The page behind a mail's first link: what shows it, what takes its form, its path, and its buttons."""
    if gone := GONE.search(mail.text):
        return "show_fix", "answer_fix", {"token": gone[1]}, ({"answer": "yes"}, {"answer": "no"})
    if cause := CAUSE.search(mail.text):
        return "show_cause", "act_on_cause", {"token": cause[1], "cause": cause[2]}, CAUSE_BUTTONS
    found = LINK.search(mail.text)
    if found and found[1] == "f":
        return "show_flag", "settle_flag", {"token": found[2]}, FLAG_BUTTONS
    if found and found[1] == "v":
        return "show_version", "record_version", {"token": found[2]}, ({"words": "filled in"},)
    if found and found[1] == "c":
        overview = tuple({"action": "acknowledge", "cause": code} for code in ("portal-login", "no-show"))
        return "show_causes", "acknowledge_causes", {"token": found[2]}, overview
    return None


FLAG_BUTTONS = (
    {"action": "acknowledge"},
    {"action": "ask_team"},
    {"action": "update", "words": "filled in", "form": "0" * 32},
    {"action": "settle", "done": "filled in", "result": "solved"},
    {"action": "settle", "done": "filled in", "result": "not_possible"},
)
CAUSE_BUTTONS = (
    {"action": "acknowledge", "note": "filled in"},
    {"action": "declare", "wrong": "filled in", "words": "filled in", "day": "2026-03-02"},
    {"action": "confirm", "number": "1", "people": "1"},
    {"action": "cancel", "number": "1"},
    {"action": "reassign", "to": "mia"},
    {"action": "merge", "into": "no-show"},
)
"""What a machine fills in where it presses the buttons of these pages."""
