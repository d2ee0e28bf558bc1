"""What the story sees and says: the stored state and the sent mails, and what a change of them means in plain words."""

import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from place import Stack, client, fetch, record
from progress import OFTEN, console

Item = dict[str, Any]

OUTCOMES = {
    "": ("green", "refused, nothing stored", ""),
    "waiting": ("yellow", "waiting for details", "Kept, and waiting for details: nobody is asked blindly."),
    "scheduled": ("", "to be asked", ""),
    "asked": ("cyan", "asked, no answer yet", ""),
    "confirmed": ("green", "solved", "Outcome: solved, because the customer says so."),
    "denied": ("red", "not solved", "Outcome: not solved. Now a person has to act."),
    "silent": ("yellow", "no answer", "Outcome: no answer. Silence never counts as solved."),
    "not_asked": ("yellow", "not asked", "Outcome: not asked. {reason}"),
    "reopened": ("cyan", "opened again", "The planned question is called off."),
}
"""For each state its colour, its words at the end, and what is said when it is reached."""

REASONS = {
    "bounced": "The mail came back.",
    "suppressed": "This address does not take our mail.",
    "no_address": "The helpdesk gave no address.",
    "no_details": "The helpdesk never told us whom to ask.",
    "unwritable": "Our mail could not be written.",
}
"""Why somebody was not asked."""

MAILS = {
    "survey": ("question", "We ask"),
    "reminder": ("reminder", "The only reminder"),
    "flag_raised": ("flag", "The person responsible is told"),
    "note": ("note", "The team is told"),
    "appreciation": ("thanks", "The team is told"),
    "promise_kept": ("promise kept", "The customer is told that the promise is kept"),
    "asked_again": ("asked again", "The customer is asked again"),
    "fix_told": ("fix", "A customer of the cause is told of the fix"),
    "cause_repeated": ("notice", "The owner of the cause is told at once"),
    "digest": ("digest", "The owner’s digest, with the customers’ words"),
}
"""For each kind of mail its name at the end, and what is said when it goes out."""

ORDER = ("REOPEN", "FOLLOW_UP", "FLAG", "PROMISE", "MESSAGE", "STATE", "MARK", "OWNER")
"""In which order changes are told that are seen at once; nothing is said of others."""


@dataclass(frozen=True)
class Reported:
    """A closure that a helpdesk has reported: its ticket's partition, and what its file says."""

    pk: str
    number: int
    who: str
    ticket: str
    said: str
    given: Item


class World:
    """What the stack knows and has sent, as far as the story is about it: as it was at the last look."""

    def __init__(self, stack: Stack, settings: Item) -> None:
        self.stack, self.settings, self.table = stack, settings, client("dynamodb", stack.aws_endpoint)
        self.began = datetime.now(UTC)
        self.whose: dict[str, str] = {}
        """Whose each partition is that the story is about."""
        self.items: dict[tuple[str, str], Item] = {}
        self.sent: dict[str, Item] = {}

    def look(self) -> list[tuple[str, str, Item, Item]]:
        """Read everything anew; gives what has changed: partition, sort key, before, after."""
        before, names = self.items, {":pk": {"S": ""}}
        self.items = {}
        for pk in self.whose:
            names[":pk"]["S"] = pk
            pages = self.table.get_paginator("query").paginate(
                TableName=self.stack.table,
                ConsistentRead=True,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues=names,
            )
            self.items |= {(pk, i["sk"]["S"]): record(i) for page in pages for i in page["Items"]}
        mailboxes = json.loads(fetch(self.stack.mails))["messages"].values()
        self.sent = {mail["MessageId"]: mail for mailbox in mailboxes for mail in mailbox}
        changed = [
            key
            for key, now in self.items.items()
            if now != before.get(key) and key[1].partition("#")[0] in ORDER
        ]
        changed.sort(key=lambda key: (ORDER.index(key[1].partition("#")[0]), key))
        return [(*key, before.get(key, {}), self.items[key]) for key in changed]

    def tickets(self) -> Iterator[str]:
        """The ids of all tickets that the table knows."""
        pages = self.table.get_paginator("scan").paginate(
            TableName=self.stack.table, ProjectionExpression="pk", ConsistentRead=True
        )
        keys = (item["pk"]["S"].split("#") for page in pages for item in page["Items"])
        return (key[2] for key in keys if key[0] == "TICKET")

    def follow_up(self, pk: str, number: int = 1) -> Item:
        """The follow-up of one closure; empty as long as there is none."""
        return self.items.get((pk, f"FOLLOW_UP#{number:04d}"), {})

    def flag(self, pk: str, number: int = 1) -> Item:
        """The flag of one closure; empty as long as there is none."""
        return self.items.get((pk, f"FLAG#{number:04d}"), {})

    def mail(self, delivery: Item | None) -> Item | None:
        """The mail that a delivery is about, once it was sent."""
        return self.sent.get((delivery or {}).get("provider_id", ""))

    def mails(self, pk: str, kinds: str, words: str = "") -> list[Item]:
        """Mails of these kinds with these words in them, sent since the story began; the oldest first."""
        found = [
            item for key, item in self.items.items() if key[0] == pk and item.get("kind") in kinds.split()
        ]
        new = (item for item in found if datetime.fromisoformat(item["created_at"]) > self.began)
        sent = (
            self.mail(item.get("delivery")) for item in sorted(new, key=lambda item: str(item["created_at"]))
        )
        return [
            mail for mail in sent if mail and words in " ".join(mail["BodyText"].replace(">", " ").split())
        ]

    def name(self, key: str) -> str:
        """Name of a team (``team:<key>``), or first name of a contact (``contact:<key>`` or only the key)."""
        if key == "customer":
            return "the customer"
        group = "teams" if key.startswith("team:") else "contacts"
        name = str(self.settings[group][key.rpartition(":")[2]]["name"])
        return name if group == "teams" else name.split()[0]

    def seconds(self, name: str) -> float:
        """A delay of the policy."""
        text = self.settings["policy"][name]
        return float(text[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[text[-1]]


class Teller:
    """Writes the story line by line, and gives a sign of life while there is nothing new."""

    def __init__(self, world: World) -> None:
        self.world, self.waiting = world, list[str]()
        self.began = self.last = time.monotonic()
        self.ended = threading.Event()
        self.status = console.status("") if console.is_terminal else None

    def __enter__(self) -> "Teller":
        threading.Thread(target=self._show_life, daemon=True).start()
        if self.status:
            self.status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        if self.status:
            self.status.stop()

    @property
    def seconds(self) -> float:
        """Since the story began."""
        return time.monotonic() - self.began

    def say(self, who: str, text: str, style: str = "", link: str = "") -> None:
        """One line of the story, with the address where it can be seen."""
        head = f"{self._clock}  {who:<9}"
        for line in Text(text, style=style).wrap(console, console.width - len(head)):
            console.print(
                Text.assemble((head[:6], "dim"), (head[6:], "bold"), str(line).rstrip()), style=style
            )
            head = " " * len(head)
        if link:
            console.print(Text(head + link, style="dim"))
        self.last = time.monotonic()

    def tell(self, pk: str, sk: str, was: Item, now: Item) -> None:
        """Say what a change in the table means."""
        who, kind = self.world.whose[pk], sk.partition("#")[0]
        if kind == "FOLLOW_UP":
            for part in ("survey", "reminder"):
                self._tell_mail(who, part, was.get(part) or {}, now.get(part) or {})
            style, _, text = OUTCOMES[now["state"]]
            if now["state"] != was.get("state") and text:
                self.say(
                    who, text.format(reason=REASONS.get(now.get("reason", ""), now.get("reason"))), style
                )
        elif kind == "FLAG":
            self._tell_flag(who, was, now)
        elif kind == "PROMISE" and now.get("end") != was.get("end"):
            self.say(who, f"The promise is {now['end']}.", "green")
        elif kind == "MESSAGE":
            self._tell_mail(who, now["kind"], was.get("delivery") or {}, now.get("delivery") or {})
        elif kind == "STATE" and now.get("repeated_at") != was.get("repeated_at"):
            cause = self.world.settings["causes"][now["code"]]["name"]
            counted = f"{now['tickets']} tickets of {now['customers']} customers"
            self.say(
                who, f"The same root cause again: {counted}. “{cause}” counts as repeated now.", "yellow"
            )

    def _tell_flag(self, who: str, was: Item, now: Item) -> None:
        new = now.keys() - was.keys()
        # A first round is not written down, being what a flag has anyway.
        if now.get("rounds", 1) != (was.get("rounds", 1) if was else 0):
            before, holder = now.get("escalated_from"), self.world.name(now["holder"])
            said = f"A flag is raised, so that nobody forgets it: {holder} has it."
            if before:
                said = f"{self.world.name(before)} has not reacted in time: the flag goes on to {holder}."
            if before == now["holder"]:
                said = f"{holder} has not reacted in time and hears of the flag once more."
            self.say(who, said, "yellow")
        if "acknowledged_at" in new:
            self.say(who, f"The flag is in the hands of {self.world.name(now['acknowledged_by'])}.")
        if "settled_at" in new:
            self.say(who, f"The flag is settled: “{now.get('done', now['result'])}”", "green")

    def _tell_mail(self, who: str, kind: str, was: Item, now: Item) -> None:
        mail = self.world.mail(now)
        if mail and "provider_id" not in was:
            link = f"{self.world.stack.post_office}mails/{mail['MessageId'].partition('@')[0]}"
            self.say(who, f"{MAILS[kind][1]}: mail to {mail['To'][0]}, “{mail['Subject']}”", link=link)
        if now.get("progress") != was.get("progress") and now.get("progress") in {"bounced", "complained"}:
            self.say(who, f"The mail {now['progress']}: nobody reads it at this address.")

    @property
    def _clock(self) -> str:
        return f"{int(self.seconds) // 60}:{int(self.seconds) % 60:02}"

    def _show_life(self) -> None:
        told = 2.0
        while not self.ended.wait(0.2):
            quiet = time.monotonic() - self.last
            waiting = f"waiting for {', '.join(self.waiting) or 'an answer'}"
            if self.status:
                self.status.update(
                    Text(f"{self._clock} {waiting}", style="dim", no_wrap=True, overflow="ellipsis")
                )
            elif quiet < told - OFTEN:
                told = 2.0
            elif quiet > told:
                told += OFTEN
                console.print(f"{self._clock}  …        {waiting}")


def summary(world: World, reported: list[Reported]) -> Table:
    """What happened to each closure, from what is stored now."""
    table = Table("Ticket", "Customer", "The helpdesk said", "Outcome", "Mails sent", show_edge=False)
    for sent in sorted(reported, key=lambda sent: (sent.ticket, sent.number)):
        follow_up, flag = world.follow_up(sent.pk, sent.number), world.flag(sent.pk, sent.number)
        mails = [MAILS[part][0] for part in ("survey", "reminder") if world.mail(follow_up.get(part))]
        for (pk, sk), item in world.items.items():
            if (pk, sk[:13]) == (sent.pk, f"MESSAGE#{sent.number:04d}#") and world.mail(item.get("delivery")):
                mails.append(f"{MAILS[item['kind']][0]} to {world.name(item['to'])}")
        style, outcome, _ = OUTCOMES[follow_up.get("state", "")]
        flagged = f", flag {'settled' if 'settled_at' in flag else 'open'}" if flag else ""
        table.add_row(
            sent.ticket, sent.who, sent.said, Text(outcome + flagged, style), ", ".join(mails) or "none"
        )
    return table


def link(mail: Item, page: str) -> str:
    """The address of a page that a mail leads to; empty without one.

    ``s`` survey, ``f`` flag, ``c`` causes, ``g`` fix, ``t`` thanks.
    """
    found = re.search(rf"http\S+/{page}/[\w.~-]+", mail["BodyText"])
    return found[0] if found else ""
