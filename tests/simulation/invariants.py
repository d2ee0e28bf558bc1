"""What must hold: safety at every event, the rest once the faults are over and everything had time to heal.

Named as in reference/reliability.md §3.2. What is expected is computed from what the actors did and were told, from
what SES took, and from when Lambdas started and ended; our own tables are only what is judged.
"""

import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from adapters import causes
from adapters.mailer import message_tag
from builders import HANNE
from domain.digest import look_back
from domain.person import person_key
from domain.recount import YOUNG
from domain.settings import Schedule
from messages.compose import Note
from place import record
from simulation.actors import (
    CAUSES,
    MACHINE,
    MAY_REPLY,
    ONLY_READ,
    STAFF,
    TO_A_PERSON,
    Actors,
    CauseDeed,
    Closing,
    Press,
    Reopening,
    Written,
    read_tag,
    zone_of,
)
from simulation.sim_aws import DAY, HOUR, MINUTE, SECOND, Change, Item, Mail, Queued
from simulation.world import Invocation, World, instant, micros

ENDED = {"confirmed", "denied", "silent", "not_asked", "reopened"}
ON_PURPOSE = {"opted_out", "frequency_cap"}
"""Not asked because somebody wished it, or asked too often: nobody has to look."""
HOLIDAYS = {
    "Europe/Berlin": {(12, 25), (12, 26), (1, 1)},
    "Europe/Vienna": {(12, 8), (12, 25), (12, 26), (1, 1), (1, 6)},
}
"""Those of the winter in which the worlds begin."""
EDGES = {
    "waiting": {"scheduled", "not_asked", "reopened"},
    "scheduled": {"asked", "confirmed", "denied", "not_asked", "reopened"},
    "asked": {"confirmed", "denied", "silent", "not_asked", "reopened"},
    "silent": {"confirmed", "denied"},
    "not_asked": {"confirmed", "denied"},
    "confirmed": {"denied"},
    "denied": {"confirmed"},
    "reopened": set[str](),
}
TOLD = {"progress", "promise_kept", "asked_again"}
TEAMS = {"portal.team@acme.example", "billing@acme.example"}
CLOCKS = 10 * MINUTE
"""How far two of our machines' clocks may be apart, and a little more."""
UNKNOWN_AFTER = 30 * MINUTE
MOST_REPLIES = 3
"""So many replies to one closing are taken within an hour."""


class Violation(BaseException):
    """An invariant does not hold; its text begins with the name. No ``except Exception`` of the product may eat it."""


@dataclass
class Taken:
    """A mail that SES took, and by whom it was handed over."""

    mail: Mail
    by: Invocation
    known: int | None = None
    """When our side could know for certain that it went out."""


class Invariants:
    """Watches one world."""

    def __init__(self, world: World, actors: Actors) -> None:
        self.world, self.actors = world, actors
        self.taken: dict[tuple[str, str, str], list[Taken]] = defaultdict(list)
        self.to: dict[str, list[Mail]] = defaultdict(list)
        self.suppressed: dict[str, int] = {}
        """Hash of an address, and when its suppression was stored, or its bounce or complaint was dealt with."""
        self.ended: dict[tuple[str, str], int] = {}
        """When a closing's outcome was first stored."""
        self.overdue: dict[tuple[str, str], set[str]] = defaultdict(set)
        """Notices that a committed day is over, by cause and day."""
        self.reached: Counter[str] = Counter()
        self.posts: dict[str, int] = {}
        """How often each message was posted to a chat; and which one an invocation claimed last."""
        self.claims: dict[Invocation, str] = {}
        self.judged: dict[tuple[str, str], int] = {}
        """When the judging of each fix was stored, by the keys of its telling."""
        self.noticed: dict[str, int] = {}
        """When a cause was last noticed, or found open again: what was declared before is no fix of it any more."""
        self.last_change = 0
        """When a mark or follow-up was last stored."""
        world.changed, world.handled, world.posted = self.changed, self.handled, self.posted
        actors.on_accepted, actors.told_webhook, world.ses.called = self.accepted, self.told, self.called

    def check(self, name: str, holds: bool, what: str = "") -> None:
        """Fail when it does not hold."""
        if not holds:
            raise Violation(f"{name}: {what} at {instant(self.world.now):%d %b %H:%M:%S}")

    # --- at every event ---------------------------------------------------------------------------------------------

    def told(self, event: Closing | Reopening) -> None:
        """I1: what was answered with 202 is stored."""
        partition = self.world.table.items.get(f"TICKET#acme#{event.ticket}", {})
        if isinstance(event, Closing):
            kept = {
                _body(item)["closure"]["closed_at"]
                for sk, item in partition.items()
                if sk.startswith("FOLLOW")
            }
            stored = event.instant in kept or (event.finalised and _text(event.finalised) in kept)
        else:
            stored = any(sk.startswith(f"REOPEN#{_text(event.at)[:-1]}") for sk in partition)
        self.check("I1", bool(stored), f"{event.ticket} acknowledged and not stored")

    def changed(self, change: Change) -> None:
        """I4 and I5: states change along allowed edges, and answers are what somebody pressed."""
        pk, sk = change.key
        self._may_change(pk, sk)
        if change.new is None:
            return
        if pk.startswith("TICKET#zendesk#"):
            self._merged_changed(sk, _body(change.new))
            return
        if pk.startswith("CAUSE#"):
            self._cause_changed(change, change.new)
        if sk.startswith(("FOLLOW_UP#", "MARK#")) or (pk.startswith("CAUSE#") and sk == "STATE"):
            self.last_change = change.at
        if sk.startswith("FOLLOW_UP#"):
            self._follow_up_changed(change, change.new)
        elif sk.startswith("MESSAGE#chat#") and self.world.current:
            if _body(change.new).get("delivery", {}).get("progress") == "claimed":
                self.claims[self.world.current] = sk
        elif sk == "PERSON" and "suppressed" in (body := _body(change.new)):
            self.check("I3", bool(body["suppressed"]))
            self.suppressed.setdefault(pk.partition("#")[2], change.at)
        if change.old:
            self.check(
                "I4",
                int(change.new["version"]["N"]) == int(change.old["version"]["N"]) + 1,
                f"{pk} {sk} was overwritten",
            )

    def _may_change(self, pk: str, sk: str) -> None:
        """S1: opening a page changes nothing, and no more does a machine that presses its buttons."""
        by = self.world.current
        http = by.event.get("requestContext") if by else None
        if by is None or http is None:
            return
        what = f"{by.function} changed {pk} {sk}"
        self.check("S1", http["http"]["method"] == "POST", f"{what} when somebody opened a page")
        self.check("S1", by.event["headers"] is not MACHINE, f"{what} when a machine pressed a button")

    def _merged_changed(self, sk: str, body: dict[str, Any]) -> None:
        """M1: all that is ever kept of a ticket that was merged is that nobody is asked about it."""
        self.check("M1", sk.startswith("FOLLOW_UP#"), f"a merged ticket has {sk}")
        known = (body["state"], body.get("reason"))
        self.check("M1", known == ("not_asked", "merged"), f"a merged ticket is {known}")

    def _cause_changed(self, change: Change, new: Item) -> None:
        (pk, sk), body = change.key, _body(new)
        self.check("M1", not (sk.startswith("MARK#") and "#zendesk#" in sk), f"a merged ticket counts: {sk}")
        if sk.startswith("TELLING#") and (body["kind"], body["stage"]) == ("fix", "done"):
            self.judged.setdefault(change.key, change.at)
        elif sk == "STATE":
            before = _body(change.old).get("repeated_at") if change.old else None
            if body.get("repeated_at") != before:
                self.noticed[pk.partition("#")[2]] = change.at

    def _follow_up_changed(self, change: Change, new: Item) -> None:
        pk, sk = change.key
        body, before = _body(new), _body(change.old) if change.old else None
        ticket, number = pk.rpartition("#")[2], sk.rpartition("#")[2]
        self._replies_changed(ticket, number, body, before)
        if before is None:
            closed_at = micros(datetime.fromisoformat(body["closure"]["closed_at"]))
            known = [
                c for c in self.actors.closings if c.ticket == ticket and closed_at in (c.at, c.finalised)
            ]
            self.check("I4", len(known) == 1, f"{ticket} has a follow-up of no closing")
            twin = any(c is known[0] and n[0] == ticket for n, c in self.actors.by_number.items())
            self.check("I4", not twin or known[0].finalised is not None, f"{ticket} has two follow-ups")
            self.actors.by_number[(ticket, number)] = known[0]
            allowed = {"scheduled", "waiting", "not_asked", "reopened"}
        else:
            allowed = EDGES[before["state"]] | {before["state"]}
        state = body["state"]
        self.check("I4", state in allowed, f"{ticket} {before and before['state']} -> {state}")
        if state in ENDED:
            self.ended.setdefault((ticket, number), change.at)
        closing = self.actors.by_number[(ticket, number)]
        said = {(press.solved, press.words) for press in closing.presses}
        for answer in body.get("answers", []):
            solved, words = answer["solved"], answer.get("words")
            fits = (solved, words) in said or (
                words and any(w == words for _, w in said) and (solved, None) in said
            )
            self.check("I5", bool(fits), f"{ticket}: nobody answered {solved}, {words}")

    def _replies_changed(
        self, ticket: str, number: str, body: dict[str, Any], before: dict[str, Any] | None
    ) -> None:
        """R1: what a reply changes is that it is kept, once, where its mail asked; automatic mail changes nothing."""
        kept = [reply["mail"] for reply in body.get("replies", [])]
        earlier = [reply["mail"] for reply in (before or {}).get("replies", [])]
        by = self.world.current
        self.check("R1", len(set(kept)) == len(kept), f"{ticket} kept one reply twice")
        new = [mail for mail in kept if mail not in earlier]
        reads = by is not None and by.function == "read_reply"
        self.check("R1", len(new) == reads, f"{ticket}: {len(new)} replies by {by.function if by else None}")
        for mail in new:
            (sent,) = (
                w for w in self.actors.written.values() if sha256(w.id.encode()).hexdigest()[:16] == mail
            )
            self.check("R1", not sent.automatic, f"{ticket} kept automatic mail")
            mentioned = {asked for other in self._with(sent) for asked in other}
            self.check("R1", (ticket, number) in mentioned, f"{ticket} kept a reply about something else")
            self.reached[f"reply kept {sent.kind}"] += 1

    def _with(self, sent: Written) -> list[list[tuple[str, str]]]:
        """What the mails asked about that asked about one of the closings of this reply, if it is one to a question."""
        if sent.kind == TO_A_PERSON:
            return [sent.asked]
        return [
            asked
            for mails in self.to.values()
            for mail in mails
            if read_tag(mail)[2] in {"survey", "reminder"}
            and {*(asked := [*self.actors.asked_in(mail).values()])} & {*sent.asked}
        ]

    def accepted(self, mail: Mail) -> None:
        """I2, I3, I6, I8, I9: who may get which mail, how often, how fast, and what its tags may tell."""
        by = self.world.current
        assert by
        key = read_tag(mail)
        scope, name, part = key
        self.check("M1", "#zendesk#" not in scope, f"{part} of {name} is about the merged ticket {scope}")
        is_survey = part in {"survey", "reminder"}
        asked = list(self.actors.asked_in(mail).values()) if is_survey else []
        self.reached["asked together"] += len(asked) > 1
        unsure = self.world.unsure[mail.tags["message"]]
        self.check("I2", unsure < 2, f"{part} of {scope} {name} was tried again after two lost replies")
        for ticket, number in asked:
            self._taken((f"TICKET#acme#{ticket}", f"FOLLOW_UP#{number}", part), Taken(mail, by))
        if is_survey:
            self.check("I10", not self._stopped(mail.to, by.started), f"{mail.to} had stopped our surveys")
        else:
            self._taken(key, Taken(mail, by))
        if scope.startswith("TOLD#"):
            self._customer_told(mail, by, scope)
        if "#overdue#" in name:
            self._manager_told(scope, name, by)
        if name.startswith("MESSAGE#digest#"):
            self._recount(mail, scope, name, by)
        self.to[mail.to].append(mail)
        since = self.suppressed.get(person_key(mail.to))
        self.check(
            "I3", since is None or since > by.started - SECOND, f"{part} of {scope} to a suppressed address"
        )
        self.check("I9", "@" not in "".join(key), "an address in a tag")
        to_customers = is_survey or scope.startswith("TOLD#")
        self.check(
            "R3",
            # What else a customer gets is because one of our people pressed something: F1.
            to_customers or mail.to not in self.actors.people or name.split("#")[2] in TOLD,
            f"{part} of {name} went to a customer",
        )
        if is_survey:
            self._asked(mail, by, asked, part)
        elif scope.startswith("TICKET#") and part == "message" and mail.to not in STAFF | TEAMS:
            self._told(mail, by, scope, name)
        elif scope.startswith("TICKET#") and ("note" in name or "appreciation" in name):
            closing = self._closing(scope, name)
            said = self.said(closing, by.started)
            self.check("I6", any(press.solved for press in said), f"a note about {closing.ticket} ({name})")
            self.check("I6", mail.to in TEAMS | STAFF)

    def _told(self, mail: Mail, by: Invocation, scope: str, name: str) -> None:
        """F1: what a customer gets beside surveys: somebody pressed something, it is their day, and twice at most."""
        ticket, (_, number, kind, id) = scope.rpartition("#")[2], name.split("#")
        closing = self.actors.by_number[(ticket, number)]
        what = f"{kind} of {ticket}"
        self.check("F1", mail.to in {closing.email, *closing.names}, f"{what} to somebody else")
        cause = {"progress": {"update"}, "promise_kept": {"keep"}, "asked_again": {"settle", "keep"}}[kind]
        pressed = [
            deed
            for deed in self.actors.deeds
            if (deed.ticket, deed.number) == (ticket, number) and deed.action in cause
        ]
        self.check(
            "F1", any(kind == "asked_again" or deed.id == id for deed in pressed), f"nobody caused {what}"
        )
        if kind == "asked_again":
            self.check("F1", id in {"1", "2"}, f"{what}: round {id}")
            self.check("I10", not self._stopped(mail.to, by.started), f"{mail.to} had stopped our surveys")
        zone = zone_of(mail.to)
        local = by.now().astimezone(ZoneInfo(zone))
        self.check("I11", (local.month, local.day) not in HOLIDAYS[zone], f"{what} on {local:%d %b}")
        self.check(
            "I11", 8 <= local.hour < 18 or (local.hour, local.minute) < (18, 5), f"{what} at {local:%H:%M}"
        )
        self.check("I11", local.weekday() in self.actors.settings.policy.hours.weekdays, f"{what}: a weekend")
        self.reached[f"told {kind}"] += 1

    def posted(self, note: Note) -> None:
        """I12: a chat gets each message once, claimed before, and no word in it steers a chat."""
        by = self.world.current
        assert by
        sk = self.claims.get(by)
        self.check("I12", sk is not None, "posted without a claim")
        self.posts[str(sk)] = self.posts.get(str(sk), 0) + 1
        self.check("I12", self.posts[str(sk)] == 1, f"{sk} was posted twice")
        self.check("I12", not set("".join(note.lines)) & set("<>@*[]"), f"{sk} can steer a chat")

    def _owner(self, code: str) -> str:
        """Who has a cause now, or the one that it was merged into: people give causes away and merge them."""
        item = self.world.table.item((f"CAUSE#{code}", "STATE"))
        state = _body(item) if item else {}
        if into := state.get("merged_into"):
            return self._owner(into)
        return str(state.get("owner") or self.actors.settings.causes[code].owner)

    def _recount(self, mail: Mail, scope: str, name: str, by: Invocation) -> None:
        """D2: the figures in a digest are those of a recount as of its instant.

        Where something was stored while it was made, or just before an eventually consistent read, nobody can say.
        """
        if self.last_change > by.started - 10 * SECOND:
            return
        item = self.world.table.item((scope, name))
        assert item
        about = _body(item)["about"]
        since, until = (datetime.fromisoformat(about[end]) for end in ("since", "until"))
        owner = scope.partition("#")[2]
        earliest = look_back(since, until, self.actors.settings.policy_for(owner))
        wanted, outcomes = set(), Counter[str]()
        for code in self.actors.settings.causes:
            for sk, mark in self.world.table.items.get(f"CAUSE#{code}", {}).items():
                if self._owner(code) != owner or not sk.startswith("MARK#") or _body(mark).get("taken_back"):
                    continue
                *_, ticket, number = sk.split("#")
                follow_up = _body(self.world.table.items[f"TICKET#acme#{ticket}"][f"FOLLOW_UP#{number}"])
                if since <= datetime.fromisoformat(_body(mark)["mark"]["opened_at"]) < until:
                    wanted.add(ticket)
                ended = follow_up.get("outcome_at")
                if datetime.fromisoformat(_body(mark)["mark"]["opened_at"]) < earliest:
                    continue
                if ended and since <= datetime.fromisoformat(ended) < until:
                    outcomes[follow_up["state"]] += 1
        found = re.search(r"led to (\d+) tickets?", mail.text)
        self.check(
            "D2", int(found[1] if found else 0) == len(wanted), f"{scope} {name}: not {len(wanted)} tickets"
        )
        said = re.search(r"(\d+) not solved, (\d+) without an answer, (\d+) confirmed as solved\.", mail.text)
        told = tuple(int(number) for number in said.groups()) if said else (0, 0, 0)
        right = tuple(outcomes[state] for state in ("denied", "silent", "confirmed"))
        self.check("D2", told == right, f"{scope} {name}: {told}, not {right}")
        self.reached["digest recounted"] += 1
        self.reached["digest with tickets recounted"] += bool(wanted)

    def _judge_digests(self) -> None:
        """D1: each owner's periods follow each other without gap or overlap, at the hour that was chosen."""
        given_away = any(deed.form.get("action") == "reassign" for deed in self.actors.cause_deeds)
        may_have_none = given_away or bool(self.actors.rearranged)
        for owner in ("mia", "ravi"):
            items = self.world.table.items.get(f"OWNER#{owner}", {})
            told = [
                _body(item)["about"] for sk, item in sorted(items.items()) if sk.startswith("MESSAGE#digest#")
            ]
            fine = bool(told) or self.world.now < self.world.chaos_until or may_have_none
            self.check("D1", fine, f"{owner} got no digest")
            for before, after in pairwise(told):
                self.check("D1", before["until"] == after["since"], f"{owner}: {before}, then {after}")
            usual = self.actors.settings.policy
            chosen = self.actors.schedule if owner == "ravi" and self.actors.schedule else Schedule()
            every = chosen.every or usual.digest_every
            if every < timedelta(days=1) or (owner == "ravi" and self.actors.rescheduled):
                continue
            zone = ZoneInfo(chosen.time_zone or usual.time_zone)
            weekday = usual.digest_weekday if chosen.weekday is None else chosen.weekday
            for about in told:
                at = datetime.fromisoformat(about["until"]).astimezone(zone)
                fits = at.time() == (chosen.at or usual.digest_at) and (
                    every.days == 1 or at.weekday() == weekday
                )
                self.check("D1", fits, f"{owner}'s digest is of {at}")
        for sk, item in self.world.table.items.get("OWNER#ravi", {}).items():
            if sk.startswith("MESSAGE#chat#"):
                progress = _body(item).get("delivery", {}).get("progress")
                self.reached[f"post {progress}"] += 1
                fits = (sk in self.posts) if progress == "sent" else progress != "refused"
                self.check("I12", fits, f"{sk} is {progress}, and was posted {self.posts.get(sk, 0)} times")
                lost = sk in self.posts and progress not in {"sent", "unknown"}
                self.check("I12", not lost, f"{sk} was posted and is {progress}")

    def _taken(self, key: tuple[str, str, str], taken: Taken) -> None:
        scope, name, part = key
        earlier = self.taken[key]
        for other in earlier:
            apart = taken.mail.at - other.mail.at
            self.check(
                "I2",
                (other.known is None or other.known > taken.by.started) and apart >= UNKNOWN_AFTER - CLOCKS,
                f"{part} of {scope} {name} went out twice, {apart // SECOND} s apart",
            )
            self.reached["sent again after silence"] += 1
        self.check("I2", len(earlier) < 2, f"{part} of {scope} {name} went out three times")
        earlier.append(taken)

    def called(self) -> None:
        """I8: all senders together keep to SES's rate, and each of the two to its share of it.

        Whoever takes the place of a sender that ended does not know when that sent last, and is one mail early.
        """
        now, ses, by = self.world.now, self.world.ses, self.world.current
        assert by
        lately = [at for at in ses.calls[-200:] if at > now - 3 * SECOND]
        ended = sum(at > now - 3 * SECOND for at in self.world.crashed["send_message"][-20:])
        self.check("I8", len(lately) <= 3 * ses.rate + 3 + ended, f"{len(lately)} mails in 3 s")
        apart = now - by.container.called_ses
        self.check("I8", apart >= SECOND * 1.6 / ses.rate, f"one sender's mails are {apart} µs apart")
        by.container.called_ses = now

    def _asked(self, mail: Mail, by: Invocation, asked: list[tuple[str, str]], part: str) -> None:
        closings = [self.actors.by_number[number] for number in asked]
        for (ticket, number), closing in zip(asked, closings, strict=True):
            key = (f"TICKET#acme#{ticket}", f"FOLLOW_UP#{number}")
            same = {t.mail.to for part in ("survey", "reminder") for t in self.taken[(*key, part)]}
            fits = same == {mail.to} and mail.to in {closing.email, *closing.names}
            self.check("I2", fits, f"{closing.ticket}: somebody else was asked")
            told = [
                r.at
                for r in self.actors.reopenings
                if r.ticket == closing.ticket and r.acknowledged and r.acknowledged < by.started
            ]
            closed_at = closing.finalised if closing.finalise_told else closing.at
            self.check(
                "I2",
                not any(at >= (closed_at or 0) for at in told),
                f"{closing.ticket} was reopened, and its customer was asked",
            )
        self._asked_for_replies(mail, by, asked, part)
        zone = zone_of(mail.to)
        today = by.now().astimezone(ZoneInfo(zone))
        self.check(
            "I11", (today.month, today.day) not in HOLIDAYS[zone], f"{mail.to} was asked on {today:%d %b}"
        )
        if part == "survey":
            times = len(self._asks(mail.to, mail.at - 30 * DAY + CLOCKS))
            self.check("I2", times <= 3, f"{mail.to} was asked {times} times in a month")
            quiet = self.actors.settings.policy.quiet_period // timedelta(microseconds=1)
            for other in self.to[mail.to]:
                if read_tag(other)[2] != "survey" or {*self.actors.asked_in(other).values()} & {*asked}:
                    continue
                apart = mail.at - other.at
                self.check(
                    "I2", apart >= quiet - 10 * HOUR, f"{mail.to} was asked twice in {apart // HOUR} h"
                )

    def _asks(self, address: str, since: int) -> list[set[tuple[str, str]]]:
        """The closings that this customer was asked about together since then; a mail sent again is the same ask."""
        asks: list[set[tuple[str, str]]] = []
        for mail in self.to[address]:
            if read_tag(mail)[2] == "survey" and mail.at > since:
                asked = {*self.actors.asked_in(mail).values()}
                same = [ask for ask in asks if ask & asked]
                asks = [ask for ask in asks if ask not in same] + [asked.union(*same)]
        return asks

    def _asked_for_replies(self, mail: Mail, by: Invocation, asked: list[tuple[str, str]], part: str) -> None:
        """R4: a survey says what a reply to it does, and whoever wrote is not told that they did not."""
        self.check("R4", mail.reply_to.startswith("reply+"), "a survey takes no replies")
        self.check(
            "R4", sum(said in mail.text for said in MAY_REPLY) == 1, "a survey does not say what a reply does"
        )
        if len(asked) > 1:
            only_read = any(said in mail.text for said in ONLY_READ)
            self.check("R4", only_read, "a mail about several closings says that a reply answers")
        if part == "reminder":
            for sent in self.actors.written.values():
                kept = sent.handled is not None and sent.handled < by.started and not sent.automatic
                heard = kept and {*sent.asked} & {*asked} and sent.kind != "chatter"
                self.check("R4", not heard, f"{mail.to} wrote ({sent.kind}) and was reminded")

    def _stopped(self, address: str, at: int) -> bool:
        """Whether this customer had been told by then that we stopped, and did not ask for us again since."""
        choices = self.actors.choices.get(address, [])
        back = max((choice.started for choice in choices if not choice.stops), default=0)
        return any(
            choice.stops and choice.status == 200 and back < choice.started and (choice.ended or at) < at
            for choice in choices
        )

    def _customer_told(self, mail: Mail, by: Invocation, scope: str) -> None:
        """F1 and F2: one mail for each person and telling, to nobody who did not want it or never had the cause."""
        _, code, kind, _ = scope.split("#")
        self.reached[f"told {kind}"] += 1
        name = read_tag(mail)[1]
        twins = [o for o in self.to[mail.to] if read_tag(o)[0] == scope and read_tag(o)[1] != name]
        self.check("F1", not twins, f"{mail.to} was told twice of {scope}")
        choices = self.actors.choices.get(mail.to, [])
        wanted = [c.started for c in choices if not c.stops or (c.fixes and kind in {"fix", "again"})]
        refused = [
            c
            for c in choices
            if c.stops
            and c.started not in wanted
            and c.status == 200
            and (c.ended or by.started) < by.started
        ]
        stopped = any(c.started > max(wanted, default=0) for c in refused)
        self.check("F2", not stopped, f"{mail.to} had stopped our mail and was told of {scope}")
        theirs = [c for c in self.actors.closings if mail.to in {c.email, *c.names}]
        had = {meant[c.cause] for c in theirs for meant in (CAUSES, self.actors.causes)}
        related = {code} | (self.actors.rearranged if code in self.actors.rearranged else set())
        self.check("F2", bool(had & related), f"{mail.to} never had {code}")
        if kind == "update":
            self._after_what_they_go_on(mail, code, scope, name)
        if kind in {"known", "update"}:
            declared = self._declared(code, by.started)
            self.check(
                "F8", not declared, f"{mail.to} read that we work on {code}, of which a fix was declared"
            )

    def _after_what_they_go_on(self, mail: Mail, code: str, scope: str, name: str) -> None:
        """F12: news go out after the "we know" to the same person; of one of them nobody may know whether it did."""
        told = self.world.table.item((f"CAUSE#{code}", f"TELLING#{scope.rpartition('#')[2]}"))
        assert told
        key = (_body(told)["source_scope"], name)
        item = self.world.table.item(key)
        unknown = item is not None and _body(item).get("delivery", {}).get("progress") == "unknown"
        self.check("F12", bool(self.taken.get((*key, "message"))) or unknown, f"{mail.to} read news first")

    def _declared(self, code: str, at: int) -> bool:
        """Whether its owner had been told by then that a fix was declared, which nobody cancelled or found wanting."""
        deeds = [deed for deed in self.actors.cause_deeds if deed.code == code]
        cancelled = (deed.started for deed in deeds if deed.form.get("action") == "cancel")
        lifted = max(self.noticed.get(code, 0), *cancelled, 0)
        sure = {
            deed.form["form"]
            for deed in deeds
            if deed.form.get("action") == "declare" and deed.status == 200 and (deed.ended or at) < at
        }
        first = (min(d.started for d in deeds if d.form["form"] == form) for form in sure)
        return any(started > lifted for started in first)

    def _manager_told(self, scope: str, name: str, by: Invocation) -> None:
        """F5: the end of a committed day is told once, and never before the day is over."""
        item = self.world.table.item((scope, name))
        assert item
        about = _body(item)["about"]
        day = (about["cause"], about["day"])
        self.overdue[day].add(name)
        self.reached["commitment overdue"] += 1
        self.check("F5", len(self.overdue[day]) == 1, f"{day} was told twice")
        self.check("F5", about["day"] < by.now().date().isoformat(), f"{day} is not over")

    def handled(self, queue: str, message: Queued) -> None:
        """A Lambda is done with a message: from then on it knows what that said."""
        if queue == "DeliveryQueue":
            report = json.loads(message.body)
            kind, mail_id = report["eventType"], report["mail"]["messageId"]
            for taken in (t for listed in self.taken.values() for t in listed if t.mail.id == mail_id):
                taken.known = min(taken.known or self.world.now, self.world.now)
                self.reached[f"heard {kind}"] += 1
                if kind == "Complaint" or report.get("bounce", {}).get("bounceType") == "Permanent":
                    self.suppressed.setdefault(person_key(taken.mail.to), self.world.now)
        elif queue == "ReplyQueue":
            self._handled_reply(self.actors.written[json.loads(message.body)["mail"]["messageId"]])
        elif queue == "SendQueue":
            key = json.loads(message.body)
            sent = (key["pk"], key["sk"], key["part"])
            for taken in (t for listed in self.taken.values() for t in listed):
                ours = taken.by is self.world.finished and read_tag(taken.mail) == sent
                if ours and taken.mail.id in taken.by.mails:
                    taken.known = min(taken.known or self.world.now, self.world.now)

    def _handled_reply(self, sent: Written) -> None:
        """R2: a clear reply that was taken is an answer as sure as a press that was confirmed, if nothing speaks
        against it: reopened, closed again, more replies than a person writes, a mail that asked about others as well.
        """
        now = self.world.now
        if sent.handled is not None:
            return
        sent.handled = now
        self.reached[f"reply handled {'of several' if sent.only_read else 'of one'}"] += 1
        if sent.press is None:
            return
        number = sent.asked[0]
        closing = self.actors.by_number[number]
        sent.press.ended = now
        about = [
            w for w in self.actors.written.values() if number in w.asked and not w.automatic and w is not sent
        ]
        often = sum(abs((w.handled or now) - now) < 2 * HOUR for w in about) >= MOST_REPLIES
        others = any(len(asked) > 1 for asked in self._with(sent))
        # Then either will do: it counts, or it is kept with its words for a person.
        either = self._may_have_been_several(closing) or self._may_be_overtaken(sent, closing, number)
        unsure = either and self._is_kept(sent, number)
        if not (self._superseded(closing) or often or others or unsure):
            sent.press.status = 200
            self.reached["reply counts"] += 1

    def _is_kept(self, sent: Written, number: tuple[str, str]) -> bool:
        stored = self.world.table.item((f"TICKET#acme#{number[0]}", f"FOLLOW_UP#{number[1]}"))
        mail = sha256(sent.id.encode()).hexdigest()[:16]
        replies = _body(stored).get("replies", []) if stored else []
        return any(reply["mail"] == mail and not reply.get("counted") for reply in replies)

    def _may_have_been_several(self, closing: Closing) -> bool:
        """Whether a mail to this customer was begun of which nobody heard: it may have asked about others as well."""
        of_theirs = (key for key, known in self.actors.by_number.items() if known.email == closing.email)
        return any(
            self.world.unsure[about]
            for ticket, number in of_theirs
            for scope, name in ((f"TICKET#acme#{ticket}", f"FOLLOW_UP#{number}"),)
            for about in (
                f"{scope} {name}",
                *(message_tag(scope, name, part) for part in ("survey", "reminder")),
            )
        )

    def _may_be_overtaken(self, sent: Written, closing: Closing, number: tuple[str, str]) -> bool:
        """Whether this customer pressed, or was asked once more, after they wrote."""
        since = sent.started - CLOCKS
        stored = self.world.table.item((f"TICKET#acme#{number[0]}", f"FOLLOW_UP#{number[1]}"))
        asked = (_body(stored) if stored else {}).get("asked_again", [])
        pressed = (p.ended or self.world.now for p in closing.presses if p is not sent.press)
        return any(at >= since for at in pressed) or any(
            micros(datetime.fromisoformat(again["at"])) >= since for again in asked
        )

    def _superseded(self, closing: Closing) -> bool:
        """Whether the ticket may have been reopened or closed again since."""
        again: list[Closing | Reopening] = [*self.actors.reopenings, *self.actors.closings]
        told = [e for e in again if e.ticket == closing.ticket and e is not closing and e.first_told]
        return bool(told or closing.names or closing.finalised)

    # --- what was really said ---------------------------------------------------------------------------------------

    def said(self, closing: Closing, at: int) -> list[Press]:
        """The presses that may be the last word at that time: no answered one began after them."""
        return self.last_words(closing.presses, at)

    @staticmethod
    def last_words(presses: list[Press], at: int) -> list[Press]:
        """Of all these presses."""
        pressed = [press for press in presses if press.started <= at]
        sure = [press for press in pressed if press.status == 200 and (press.ended or at + 1) <= at]
        return [
            press
            for press in pressed
            if press.status != 409
            and not any(other.started >= (press.ended or at + 1) for other in sure if other is not press)
        ]

    def _closing(self, scope: str, name: str) -> Closing:
        return self.actors.by_number[(scope.rpartition("#")[2], name.partition("#")[2][:4])]

    # --- at the end -------------------------------------------------------------------------------------------------

    def at_the_end(self) -> None:
        """Everything that must have happened by now."""
        world, actors = self.world, self.actors
        for queue, held in world.queues.items():
            self.check("L7", not held.messages, f"{len(held.messages)} messages are left in {queue}")
        self.check("L7", not any(shard.records for shard in world.shards), "changes are left")
        self.check("W1", not actors.answered, str(actors.answered[:3]))
        follow_ups = {}
        for item in world.table.scan():
            kind = item["kind"]["S"]
            due = item.get("due_at")
            overdue = due is not None and int(due["N"]) * SECOND < world.now - 10 * MINUTE
            self.check("L1", not overdue, f"{item['pk']['S']} {item['sk']['S']} is still due")
            if kind == "message" and (sent := _body(item).get("delivery")):
                over = sent["progress"] != "claimed" or "cancelled" in _body(item)
                self.check("L9", over, f"{item['pk']['S']} {item['sk']['S']} is claimed")
            if kind == "follow_up" and item["pk"]["S"].startswith("TICKET#acme#"):
                follow_ups[(item["pk"]["S"].rpartition("#")[2], item["sk"]["S"].rpartition("#")[2])] = item
        for merging in (known for known in actors.mergings if known.acknowledged):
            kept = world.table.item((f"TICKET#zendesk#{merging.ticket}", "FOLLOW_UP#0001"))
            self.check("L8", kept is not None, f"{merging.ticket} was acknowledged and is not known")
            self.reached["merged"] += 1
        for closing in actors.closings:
            mine = [number for number, known in actors.by_number.items() if known is closing]
            if closing.acknowledged:
                self.check("L8", bool(mine), f"{closing.ticket} was acknowledged and is not known")
            for number in mine:
                self._judge(closing, number, follow_ups[number])
        self._judge_figures(follow_ups)
        self._judge_nights()
        self._judge_work(follow_ups)
        self._judge_tellings(follow_ups)
        self._judge_deeds()
        self._judge_digests()

    def _judge_work(self, follow_ups: dict[tuple[str, str], Item]) -> None:
        """F2 to F4: what our people pressed was done; promises end, broken ones are flagged; silence comes back."""
        for deed in self.actors.deeds:
            if deed.status != 200 or deed.action not in {"update", "agree", "keep"}:
                continue
            partition = self.world.table.items[f"TICKET#acme#{deed.ticket}"]
            sk = {
                "update": f"MESSAGE#{deed.number}#progress#{deed.id}",
                "agree": f"PROMISE#{deed.number}#{deed.id}",
                "keep": f"MESSAGE#{deed.number}#promise_kept#{deed.id}",
            }[deed.action]
            if deed.action == "keep" and self.actors.by_number[(deed.ticket, deed.number)].email is None:
                continue  # there is nobody to tell
            self.check("F2", sk in partition, f"{deed.action} of {deed.ticket} was lost")
            if sk.startswith("MESSAGE") and not self.taken.get((f"TICKET#acme#{deed.ticket}", sk, "message")):
                body = _body(partition[sk])
                why = body.get("cancelled") or body.get("delivery", {}).get("progress")
                fine = {"suppressed", "nothing_to_say", "unknown"}
                self.check("F2", why in fine, f"{sk} of {deed.ticket} was never sent: {why}")
        for pk, partition in self.world.table.items.items():
            for sk, item in partition.items():
                if sk.startswith("PROMISE#"):
                    self._judge_promise(pk, sk, _body(item), partition)
        for (ticket, number), item in follow_ups.items():
            self._judge_again(f"TICKET#acme#{ticket}", number, _body(item))

    def _judge_promise(self, pk: str, sk: str, promise: dict[str, Any], partition: dict[str, Item]) -> None:
        _, number, id = sk.split("#")
        ticket, end = pk.rpartition("#")[2], promise.get("end")
        self.check("F3", end is not None, f"a promise of {ticket} has no end")
        pressed = [d for d in self.actors.deeds if d.ticket == ticket and d.id == id and d.status == 200]
        if end == "broken":
            over = micros(datetime.fromisoformat(promise["until"])) - CLOCKS
            kept = [d for d in pressed if d.action in {"keep", "withdraw"} and (d.ended or 0) < over]
            self.check("F3", not kept, f"a promise of {ticket} was kept and counts as broken")
            deeds = _body(partition[f"FLAG#{number}"]).get("deeds", [])
            flagged = any(deed.get("words") == "promise_broken" for deed in deeds)
            self.check("F3", flagged, f"a promise of {ticket} is broken, and nobody was told")
        else:
            wanted = {"kept": "keep", "withdrawn": "withdraw"}[str(end)]
            said = any(d.id == id and d.action == wanted for d in self.actors.deeds)
            self.check("F3", said, f"nobody said that the promise of {ticket} is {end}")
        self.reached[f"promise {end}"] += 1

    def _judge_again(self, pk: str, number: str, body: dict[str, Any]) -> None:
        again = body.get("asked_again", [])
        if not again:
            return
        self.check("F1", len(again) <= 2, f"{pk} was asked again {len(again)} times")
        self.reached["recovered" if body["state"] == "confirmed" else "not recovered"] += 1
        flag = _body(self.world.table.items[pk][f"FLAG#{number}"])
        question = self.world.table.items[pk].get(f"MESSAGE#{number}#asked_again#{len(again)}")
        self.check("F4", question is not None, f"{pk} {number} was to be asked again, and nothing asks")
        answers = body.get("answers", [])
        unanswered = not answers or answers[-1]["at"] <= again[-1]["at"]
        assert question
        sent = _body(question).get("delivery", {}).get("progress") in {"sent", "delivered"}
        ticket = pk.rpartition("#")[2]
        superseded = any(r.ticket == ticket for r in self.actors.reopenings) or any(
            c.ticket == ticket and c.at > self.actors.by_number[(ticket, number)].at
            for c in self.actors.closings
        )
        if unanswered and sent and not superseded:
            deeds = flag.get("deeds", [])
            back = [d for d in deeds if d.get("words") == "still_silent"]
            # Whoever wrote something to read instead has brought the flag back already.
            wrote = any(d["what"] == "raised" and d["at"] > again[-1]["at"] for d in deeds)
            self.check(
                "F4",
                # Once for each question; there is a second one after a silence only when a promise broke between.
                1 <= len(back) <= len(again) or (wrote and not back),
                f"{pk} {number} kept silent, and came back {len(back)} times",
            )
            self.reached["back after silence"] += 1

    def _judge_tellings(self, follow_ups: dict[tuple[str, str], Item]) -> None:
        """F3, F4 and F6: every fix ends judged, everybody who had its cause was told, and what they said is kept."""
        given = [_body(item) for item in self.world.table.scan() if item["kind"]["S"] == "telling"]
        for told in (known for known in given if known.get("confirmed_at")):
            what = f"{told['kind']} {told['number']} of {told['cause']}"
            self.check("F4", told["stage"] == "done", f"{what} is {told['stage']}")
            if told["kind"] == "update":
                self._judge_update(told)
            if told["kind"] != "fix":
                continue
            self.check("F4", bool(told.get("result")), f"{what} was never judged")
            self.reached[f"fix {told['result']}"] += 1
            self._judge_words(told, given)
            if told["cause"] not in self.actors.rearranged:
                self._judge_fix(told, given, follow_ups)
        for (scope, address), presses in self.actors.gone.items():
            sure = [press for press in presses if press.status == 200]
            may_be = {press.solved for press in self.last_words(presses, self.world.now)}
            item = self.world.table.item((scope, f"SAID#{person_key(address)}"))
            self.check("F6", item is not None or not sure, f"the answer of {address} is lost")
            if item and sure:
                self.check("F6", _body(item)["gone"] in may_be, f"{address} said {may_be}")

    def _judge_update(self, told: dict[str, Any]) -> None:
        """F12: whoever read "we know", or was still to read it when news were confirmed, gets the news, too."""
        confirmed = micros(datetime.fromisoformat(told["confirmed_at"])) - CLOCKS
        for sk, first in self.world.table.items.get(told["source_scope"], {}).items():
            body = _body(first)
            left_out = body.get("cancelled") or body.get("delivery", {}).get("progress") in {
                "bounced",
                "refused",
            }
            if left_out or micros(datetime.fromisoformat(body["created_at"])) > confirmed:
                continue
            taken = self.taken.get((told["source_scope"], sk, "message"))
            self.reached["news after what waited"] += bool(taken and taken[0].mail.at > confirmed + CLOCKS)
            item = self.world.table.item((told["scope"], sk))
            self.check("F12", item is not None, f"{sk} was never to hear news of {told['cause']}")
            assert item
            if self.taken.get((told["scope"], sk, "message")) or _body(item).get("cancelled"):
                continue
            self._judge_unsent(f"news of {told['cause']} for {sk}", item)

    def _judge_words(self, told: dict[str, Any], given: list[dict[str, Any]]) -> None:
        """F9 to F11: who says that it is not gone is heard whenever they say so, once; a fix fails once, if at all."""
        code, number = told["cause"], told["number"]
        fixes = [known for known in given if known["kind"] == "fix" and known["cause"] == code]
        others = [known for known in given if known["kind"] == "again" and known["cause"] == code]
        opened = [known for known in fixes if known.get("result") == "opens_again"]
        deeds = self.world.table.items[f"CAUSE#{code}"].items()
        again = [sk for sk, item in deeds if sk.startswith("DEED#") and _body(item)["what"] == "opens_again"]
        self.check("F10", len(again) == len(opened), f"{code} opened again {len(again)} times")
        failed = told["result"] == "opens_again"
        mails = self._news(code, number, "opens_again")
        self.check("F10", len(mails) == failed, f"fix {number} of {code}: opened again in {mails}")
        told_again = sum(known["about"] == number for known in others)
        self.check(
            "F10", told_again <= failed, f"fix {number} of {code}: customers were told {told_again} times"
        )
        late_mails = self._news(code, number, "said_late")
        self.check("F9", len(late_mails) <= 1, f"the owner of {code} heard of late words in {late_mails}")
        judged = self.judged[(f"CAUSE#{code}", f"TELLING#{number:04d}")]
        answers = {
            address: presses
            for (scope, address), presses in self.actors.gone.items()
            if scope == told["scope"]
        }
        newer = [k["confirmed_at"] for k in fixes if k["number"] > number and k.get("confirmed_at")]
        followed = min((micros(datetime.fromisoformat(at)) - CLOCKS for at in newer), default=judged)
        self._judge_early_words(told, [p for given in answers.values() for p in given], judged, followed)
        if newer:
            return
        late = [
            presses
            for presses in answers.values()
            if any(press.status == 200 and not press.solved for press in presses)
            and all(press.started > judged for press in presses if not press.solved)
        ]
        self.reached["late word"] += bool(late)
        heard = bool(late_mails) or failed
        self.check("F9", heard or not late, f"nobody heard of late words about fix {number} of {code}")
        for scope, name in late_mails:
            said = [p for presses in answers.values() for p in presses if not p.solved]
            since = any((press.ended or self.world.now) > judged for press in said)
            self.check("F9", since, f"the owner of {code} heard of late words that nobody said")
            self._judge_news("F9", scope, name)
            self.reached["late word told"] += 1
        no = [presses for presses in answers.values() if self._surely_not_gone(presses)]
        yes = [presses for presses in answers.values() if any(press.solved for press in presses)]
        counted = told["evidence"].get("not_gone", 0)
        self.check(
            "F9", failed or counted >= len(no), f"of {len(no)} who say no of {code} {counted} are counted"
        )
        if len(no) >= 2 and len(no) >= len(yes):
            self.check("F10", failed, f"{len(no)} customers still have {code}, and its fix {told['result']}")
            self.reached["late words open again"] += bool(late)

    def _judge_early_words(
        self, told: dict[str, Any], presses: list[Press], judged: int, followed: int
    ) -> None:
        """F11: the owner hears of the first "not gone" before the judging, once, unless another fix ``followed``."""
        code, number = told["cause"], told["number"]
        mails = self._news(code, number, "said_early")
        self.check("F11", len(mails) <= 1, f"the owner of {code} heard of first words in {mails}")
        no = [press for press in presses if not press.solved]
        early = [p for p in no if p.status == 200 and p.ended and p.ended < min(judged, followed)]
        self.reached["early word"] += bool(early)
        self.check(
            "F11", bool(mails) or not early, f"nobody heard of early words about fix {number} of {code}"
        )
        for scope, name in mails:
            said = any(press.started < judged for press in no)
            self.check("F11", said, f"the owner of {code} heard of early words that nobody said")
            self._judge_news("F11", scope, name)
            self.reached["early word told"] += 1

    def _judge_news(self, invariant: str, scope: str, name: str) -> None:
        """News for an owner went out, by mail and to the chat of whoever has one."""
        if not self.taken.get((scope, name, "message")):
            item = self.world.table.item((scope, name))
            assert item
            self._judge_unsent(f"the news {name}", item)
        chat = self.world.table.item((scope, name.replace("MESSAGE#", "MESSAGE#chat#")))
        self.check(invariant, (chat is not None) == (scope == "OWNER#ravi"), f"the chat of {scope}: {name}")
        cancelled = _body(chat).get("cancelled") if chat else None
        self.check(invariant, cancelled in {None, "too_late"}, f"the chat of {scope}: {name} is {cancelled}")

    def _surely_not_gone(self, presses: list[Press]) -> bool:
        last = self.last_words(presses, self.world.now)
        return any(press.status == 200 for press in presses) and all(not press.solved for press in last)

    def _news(self, code: str, number: int, why: str) -> list[tuple[str, str]]:
        """The mails to whoever owned a cause about one of its fixes."""
        return [
            (pk, sk)
            for pk, partition in self.world.table.items.items()
            if pk.startswith("OWNER#")
            for sk, item in partition.items()
            if sk.startswith(f"MESSAGE#news#{code}#{why}#")
            and _body(item)["about"].get("telling") == str(number)
        ]

    def _judge_fix(
        self, told: dict[str, Any], given: list[dict[str, Any]], follow_ups: dict[tuple[str, str], Item]
    ) -> None:
        """F3, of one fix; whoever waited for it when another one was confirmed is told of that one alone."""
        confirmed = micros(datetime.fromisoformat(told["confirmed_at"]))
        fixes = [k for k in given if k["kind"] == "fix" and k["cause"] == told["cause"]]
        outdated = told["result"] == "opens_again" or any(
            k["number"] > told["number"] and k.get("confirmed_at") for k in fixes
        )
        for number, closing in self.actors.by_number.items():
            body = _body(follow_ups[number])
            opened = micros(datetime.fromisoformat(body["opened_at"]))
            address = body["closure"].get("requester_email")
            meant = {CAUSES[closing.cause], self.actors.causes[closing.cause]}
            if meant != {told["cause"]} or opened > confirmed - CLOCKS or not address:
                continue
            if address in STAFF or body["state"] == "waiting":
                continue
            key = (told["scope"], f"MESSAGE#{person_key(address)}")
            item = self.world.table.item(key)
            self.check("F3", item is not None, f"{address} was never to be told of {told['scope']}")
            assert item
            if self.taken.get((*key, "message")):
                continue
            why = _body(item).get("cancelled")
            if why == "opted_out":
                self.check(
                    "F3", any(c.stops for c in self.actors.choices.get(address, [])), f"{address}: {why}"
                )
            elif why == "nothing_to_say":
                self.check("F3", outdated, f"{address}: {why}")
            else:
                self._judge_unsent(f"the fix for {address}", item)

    def _judge_deeds(self) -> None:
        """F5 and F7: a day that passed was told; whoever gave a cause away acts on it no more."""
        for item in self.world.table.scan():
            body = _body(item) if item["kind"]["S"] == "cause" else {}
            day = body.get("committed_to")
            over = day is not None and day < instant(self.world.now - 3 * DAY).date().isoformat()
            if (
                over
                and not body.get("declared")
                and not body.get("merged_into")
                and body.get("acknowledged_at")
            ):
                self.check(
                    "F5", body.get("overdue_of") == day, f"{body['code']}: nobody heard that {day} is over"
                )
                told = [
                    k
                    for k in self.world.table.items.get("OWNER#hanne", {})
                    if f"#{body['code']}#overdue#" in k
                ]
                self.check("F5", bool(told), f"{body['code']}: {day} is over, and the manager was not told")
        given = [d for d in self.actors.cause_deeds if d.form.get("action") == "reassign"]
        for deed in (d for d in given if d.status == 200 and d.who != HANNE):
            ids = {d.form["form"] for d in given if d.code == deed.code}
            others = [d for d in self.actors.cause_deeds if d.who == deed.who and d.code == deed.code]
            late = [
                d for d in others if d.started > (deed.ended or 0) and d.form.get("action") == "acknowledge"
            ]
            if len(ids) == 1 and not self._came_back(deed):
                self.check("F7", all(d.status != 200 for d in late), f"{deed.who} still acts on {deed.code}")

    def _came_back(self, deed: CauseDeed) -> bool:
        """Whether the cause was given to whoever has it, which changes nothing, or somebody above."""
        return deed.form["to"] == deed.who.partition(".")[0]

    def recounted(self, told: dict[str, Any] | None, *, again: bool) -> None:
        """L12: what was counted as it happened is what a recount finds, unless a value was mapped; then once."""
        self.check("L12", told is not None and told["finished"], f"the recount came to {told}")
        assert told
        self.reached["recount moved"] += told["moved"]
        if again or self.actors.causes is CAUSES:
            wrong = {name: told[name] for name in ("moved", "count_drift") if told[name]}
            self.check("L12", not wrong, f"a recount had to repair {wrong}")

    def _judge_nights(self) -> None:
        """L12: no night repairs a count unless a change came too late or never, or counts were on the move."""
        actors, world = self.actors, self.world
        drift = sum(told["count_drift"] for told in actors.nights if told and told["finished"])
        on_the_move = actors.causes is not CAUSES or bool(actors.rearranged)
        self.reached["a night repaired a count"] += bool(drift)
        if (
            not on_the_move
            and not world.given_up
            and world.slowest_change < YOUNG // timedelta(microseconds=1) - CLOCKS
        ):
            self.check("L12", not drift, f"the nightly recount had to repair {drift}")

    def _judge(self, closing: Closing, number: tuple[str, str], item: Item) -> None:
        """L1 to L4: the outcome is what the customer said, or what could be known; and somebody hears of it."""
        ticket, body = closing.ticket, _body(item)
        state, reason = body["state"], body.get("reason", "")
        self.check("L1", state in ENDED and "due_at" not in item, f"{ticket} is {state}")
        self.reached[f"ended {state} {reason}".strip()] += 1
        sure = [press for press in closing.presses if press.status == 200]
        may_be = {"confirmed" if press.solved else "denied" for press in self.said(closing, self.world.now)}
        pk, sk = f"TICKET#acme#{ticket}", f"FOLLOW_UP#{number[1]}"
        surveys = self.taken.get((pk, sk, "survey"), [])
        reopened = [r for r in self.actors.reopenings if r.ticket == ticket and r.first_told]
        again = [c for c in self.actors.closings if c.ticket == ticket and c.at > closing.at and c.first_told]
        if sure:
            self.check("L1", state in may_be, f"{ticket} is {state}, its customer said {may_be}")
        elif state in {"confirmed", "denied"}:
            self.check("L1", state in may_be, f"{ticket} is {state}, and nobody said so")
        elif state == "reopened":
            self.check("L1", bool(reopened or again), f"{ticket} is reopened, and nobody reopened it")
        else:
            self._judge_unanswered(closing, state, reason, surveys, bool(reopened or again), number)
        if state != "reopened" and not sure and any(r.acknowledged for r in reopened if r.at >= closing.at):
            first = min(r.acknowledged for r in reopened if r.acknowledged and r.at >= closing.at)
            late = closing.finalised is not None or self.ended[number] <= first + CLOCKS
            self.check("L1", late, f"{ticket} was reopened and is {state}")
        flags = [
            t
            for n in range(1, 30)
            for t in self.taken.get((pk, f"MESSAGE#{number[1]}#flag#{n:02d}", "message"), [])
        ]
        if state in {"denied", "silent", "not_asked"} and reason not in ON_PURPOSE:
            flag = self.world.table.item((pk, f"FLAG#{number[1]}"))
            self.check("L3", flag is not None, f"{ticket} is {state} without a flag")
            assert flag
            settled = "settled_at" in _body(flag)
            if not settled and _body(flag)["holder"] and not flags:
                told = self.world.table.items[pk].get(f"MESSAGE#{number[1]}#flag#01")
                self.check("L3", told is not None, f"nobody was told of {ticket}")
                assert told
                self._judge_unsent(f"the flag of {ticket}", told)
            self._judge_way(ticket, number[1], flag)
        self._judge_replies(closing, number, body, flags)
        if state == "confirmed" and not reopened and not again and self._gathers(closing):
            self._judge_gathered(closing)
        elif state == "confirmed" and not reopened and not again:
            notes = self.taken.get((pk, f"MESSAGE#{number[1]}#note", "message"), [])
            if not notes:
                told = self.world.table.items[pk].get(f"MESSAGE#{number[1]}#note")
                self.check("L4", told is not None, f"no note for {ticket}")
                assert told
                self._judge_unsent(f"the note of {ticket}", told)

    def _judge_way(self, ticket: str, number: str, flag: Item) -> None:
        """L3: a flag that nobody took up went its whole way, to the responsible contact last, and to nobody three times
        since it was raised, beside what its customer wrote meanwhile.
        """
        body = _body(flag)
        raised = [deed["at"] for deed in body["deeds"] if deed["what"] == "raised"]
        mails = [
            _body(item)
            for sk, item in self.world.table.items[f"TICKET#acme#{ticket}"].items()
            if sk.startswith(f"MESSAGE#{number}#flag#")
        ]
        told = Counter(mail["to"] for mail in mails if mail["created_at"] >= max(raised, default=""))
        wrote = [
            d for d in body["deeds"] if d["what"] == "customer_wrote" and d["at"] >= max(raised, default="")
        ]
        self.reached["told what was written"] += len(wrote)
        most = 2 + len(wrote)
        self.check("L3", all(n <= most for n in told.values()), f"the flag of {ticket} was told to {told}")
        if body.keys().isdisjoint({"settled_at", "acknowledged_at"}) and "due_at" not in flag:
            last = self.actors.settings.responsible
            self.check("L3", body["holder"] == last, f"the flag of {ticket} stays with {body['holder']}")
            all_told = told[f"contact:{last}"] >= most or len(told) > 1
            self.check("L3", all_told, f"{ticket} was told to {told}")
            self.reached["flag to the last"] += 1

    def _gathers(self, closing: Closing) -> bool:
        return closing.team == "Billing" and self.actors.settings.teams["billing"].notes != "at_once"

    def _judge_gathered(self, closing: Closing) -> None:
        """A team that gathers its notes reads of each confirmation once, and again when it was said again later."""
        billing = self.actors.settings.teams["billing"].email
        mails = [mail for mail in self.to[billing] if mail.subject.startswith("Confirmed by customers")]
        told = sum(re.search(rf"^- Ticket {closing.ticket}\b", mail.text, re.M) is not None for mail in mails)
        cut = any("your page of thanks.\n" in mail.text for mail in mails)
        self.reached["gathered"] += told
        agreed = sum(press.solved for press in closing.presses)
        closings = sum(other.ticket == closing.ticket for other in self.actors.closings)
        self.check("L4", told <= closings + agreed, f"{closing.ticket} was thanked for {told} times")
        unsent = person_key(billing) in self.suppressed or any(
            _body(item).get("delivery", {}).get("progress") == "unknown"
            for sk, item in self.world.table.items.get("TEAM#billing", {}).items()
            if sk.startswith("MESSAGE#notes")
        )
        self.check("L4", told > 0 or cut or unsent, f"no gathered note for {closing.ticket}")

    def _judge_replies(
        self, closing: Closing, number: tuple[str, str], body: dict[str, Any], flags: list[Taken]
    ) -> None:
        """R5: a reply that is no answer is kept with its words, and has a flag that was not settled before it came,
        unless an answer came after.
        """
        for sent in self.actors.written.values():
            if (
                number not in sent.asked
                or sent.automatic
                or sent.handled is None
                or self._superseded(closing)
            ):
                continue
            if sent.press and sent.press.status == 200:
                continue
            lately = [
                w
                for w in self.actors.written.values()
                if number in w.asked and not w.automatic and abs(w.started - sent.started) < 2 * HOUR
            ]
            pressed = [p for p in closing.presses if p is not sent.press]
            if len(lately) > MOST_REPLIES or any(
                (p.ended or self.world.now) >= sent.started for p in pressed
            ):
                continue
            if sent.only_read and pressed:
                continue  # only those of its closings that had no answer keep it
            ticket = f"{closing.ticket} ({sent.kind})"
            words = [kept.get("words") for kept in body.get("replies", [])]
            self.check("R5", sent.words in words, f"the reply about {ticket} is not kept")
            flag = self.world.table.item((f"TICKET#acme#{number[0]}", f"FLAG#{number[1]}"))
            self.check("R5", flag is not None, f"the reply about {ticket} has no flag")
            assert flag
            settled = _body(flag).get("settled_at")
            again = settled is None or micros(datetime.fromisoformat(settled)) > sent.started - CLOCKS
            self.check("R5", again, f"the flag of {ticket} was settled before the reply came")
            self.reached["reply flagged"] += 1
            self._judge_heard(ticket, number, sent.started, _body(flag))
            if not flags and settled is None:
                told = self.world.table.items[f"TICKET#acme#{number[0]}"].get(f"MESSAGE#{number[1]}#flag#01")
                self.check("R5", told is not None, f"nobody was told of the reply about {ticket}")
                assert told
                self._judge_unsent(f"the flag of the reply about {ticket}", told)

    def _judge_heard(self, ticket: str, number: tuple[str, str], wrote_at: int, flag: dict[str, Any]) -> None:
        """R6: whoever has an open flag heard of what was written, unless they had a mail within the day before and
        nobody had done anything since, or settled it soon.
        """
        soon = (wrote_at - CLOCKS, wrote_at + 2 * DAY)
        told = [
            micros(datetime.fromisoformat(_body(item)["created_at"]))
            for sk, item in self.world.table.items[f"TICKET#acme#{number[0]}"].items()
            if sk.startswith(f"MESSAGE#{number[1]}#flag#")
        ]
        deeds = [(micros(datetime.fromisoformat(deed["at"])), deed) for deed in flag["deeds"]]
        settled = [at for at, deed in deeds if deed["what"] == "settled"]
        before = max((at for at in told if at < soon[0]), default=None)
        if before is None or any(soon[0] <= at <= soon[1] for at in (*told, *settled)):
            return
        worked = any(before + CLOCKS < at < soon[0] for at, deed in deeds if deed.get("by"))
        long_ago = wrote_at > before + DAY + CLOCKS
        self.check("R6", not worked and not long_ago, f"nobody heard what was written about {ticket}")

    def _judge_unsent(self, what: str, item: Item) -> None:
        """A message that SES never took: its recipient is suppressed, or nobody could know, which is logged."""
        body = _body(item)
        delivery = body.get("delivery", {})
        suppressed = body.get("cancelled") == "suppressed" and any(
            person_key(address) in self.suppressed for address in self.actors.mailboxes
        )
        unknown = delivery.get("progress") == "unknown" and delivery.get("attempts") == 2
        self.reached["told nobody, known"] += 1
        self.check(
            "L4",
            suppressed or (unknown and bool(self.world.fired)),
            f"{what}: {body.get('cancelled')} {delivery}",
        )

    def _judge_unanswered(
        self,
        closing: Closing,
        state: str,
        reason: str,
        surveys: list[Taken],
        superseded: bool,
        number: tuple[str, str],
    ) -> None:
        # Of two customers that were named for one closing, the first to be told of was asked.
        ticket, asked = closing.ticket, surveys[0].mail.to if surveys else closing.email or ""
        fate = self.actors.mailboxes.get(asked, "")
        named = {closing.email or "", *closing.names}
        what = f"{ticket} is {state} ({reason}), {len(surveys)} surveys, mailbox {fate}"
        if closing.email is None:
            self.check("L2", (state, reason) == ("not_asked", "no_address"), what)
        elif state == "silent":
            self.check("L2", bool(surveys) and fate not in {"bounces", "silent"}, what)
            ask = surveys[0].mail.at
            week = self.actors.settings.policy.silent_after // timedelta(microseconds=1)
            self.check("L2", self.ended[number] >= ask + week - CLOCKS, f"{what}: too early")
        elif reason == "opted_out":
            stopped = any(c.stops for who in named for c in self.actors.choices.get(who, []))
            self.check("L2", stopped, what)
        elif reason == "frequency_cap":
            others = [c for c in self.actors.closings if named & {c.email, *c.names} and c is not closing]
            self.check("L2", len(others) >= 3, what)
        elif reason in {"bounced", "complained"}:
            self.check("L2", bool(surveys) and fate in {"bounces", "complains"}, what)
        elif reason == "suppressed":
            fates = {self.actors.mailboxes.get(who, "") for who in named}
            self.check("L2", bool(fates & {"bounces", "complains"}), what)
        elif reason.startswith("undelivered"):
            # Where an address was listed since an earlier complaint, SES tells of a bounce instead of a delivery.
            told = ("Bounce", "Delivery")
            lost = all(any((kind, taken.mail.id) in self.actors.lost for kind in told) for taken in surveys)
            recovered = reason == "undelivered_then_delivered"
            self.check("L2", bool(surveys) and (fate == "silent" or lost or recovered), what)
        elif reason.startswith("delivery_unknown"):
            self.check("L2", bool(self.world.fired), what)
        else:
            self.check("L2", False, what)

    def _judge_figures(self, follow_ups: dict[tuple[str, str], Item]) -> None:
        """L5 and L6: marks and figures are what a recount of the closings gives."""
        world, actors = self.world, self.actors
        until = instant(world.now + DAY)
        since = until - timedelta(days=399)
        for code in {*CAUSES.values()} - actors.rearranged:
            mine = [(n, c) for n, c in actors.by_number.items() if actors.causes[c.cause] == code]
            figures, _ = causes.figures(code, since, until, 1)
            marks = sorted(
                (mark.ticket_id, f"{mark.number:04d}") for mark in causes.marks(code, since, until)
            )
            self.check("L5", marks == sorted(n for n, _ in mine), f"{code}: marks and closings differ")
            customers = {c.email.casefold() if c.email else c.ticket for _, c in mine}
            found = (figures.tickets, figures.customers)
            wanted = (len({n[0] for n, _ in mine}), len(customers))
            # Who is the customer of a contradicted closing depends on which report came first.
            fits = found[0] == wanted[0] and abs(found[1] - wanted[1]) <= sum(bool(c.names) for _, c in mine)
            self.check("L5", fits, f"{code}: {found}, not {wanted}")
            sums = Counter(_body(follow_ups[n])["state"] for n, _ in mine)
            counted = (figures.confirmed, figures.denied, figures.silent, figures.not_asked)
            self.check(
                "L6",
                counted == (sums["confirmed"], sums["denied"], sums["silent"], sums["not_asked"]),
                f"{code}: {counted} of {sums}",
            )
            told = [key for key in self.taken if f"#cause#{code}#" in f"#{key[1]}#"]
            repeated = found[0] >= 3 and found[1] >= 2 and code in actors.settings.causes
            # What a value mapped later brought may have come when its window was over already.
            at_once = [(n[0], (c.email or c.ticket).casefold()) for n, c in mine if CAUSES[c.cause] == code]
            noticed = len({t for t, _ in at_once}) >= 3 and len({who for _, who in at_once}) >= 2
            if repeated and not told and self._left_to_the_night(code, mine):
                self.reached["repeated by a change that was given up"] += 1
            elif repeated and (told or noticed):
                self._judge_repeated(code, told)
            elif repeated:
                self.reached["repeated by a later mapping"] += 1
            else:
                self.check("L6", not told, f"{code} is not repeated, and its owner was told")

    def _left_to_the_night(self, code: str, mine: list[tuple[tuple[str, str], Closing]]) -> bool:
        """Whether nobody counted after a mark was left, where no nightly recount does."""
        if self.actors.has_nights:
            return False
        keys = {(f"TICKET#acme#{ticket}", f"FOLLOW_UP#{number}") for (ticket, number), _ in mine}
        state = self.world.table.item((f"CAUSE#{code}", "STATE"))
        return state is None and bool(keys & self.world.given_up)

    def _judge_repeated(self, code: str, told: list[tuple[str, str, str]]) -> None:
        state = self.world.table.item((f"CAUSE#{code}", "STATE"))
        self.check("L6", state is not None, f"{code} is repeated, and nobody noticed")
        self.reached["cause repeated"] += 1
        owner = self.actors.settings.causes[code].owner
        first = self.world.table.item((f"OWNER#{owner}", f"MESSAGE#cause#{code}#0001"))
        self.check("L6", first is not None, f"the owner of {code} was never to be told")
        if not told and first:
            body = _body(first)
            fine = body.get("cancelled") or body.get("delivery", {}).get("progress") == "unknown"
            self.check("L6", bool(fine), f"the owner of {code} was not told: {body}")


def _body(item: Item) -> dict[str, Any]:
    body: dict[str, Any] = record(item)
    return body


def _text(at: int) -> str:
    return instant(at).strftime("%Y-%m-%dT%H:%M:%SZ")
