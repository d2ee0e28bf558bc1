"""Start everything, send the closures of ``events/closures`` through the real webhooks, and tell what becomes of them.

    python infra/local/run.py

What is told is read from the table and the mails that were sent; what should happen and does not ends in exit code 1.
"""

import fcntl
import json
import re
import sys
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml
from botocore.exceptions import BotoCoreError, ClientError
from rich.text import Text

import up
from outside import Page, Unexpected, call, open_page, report, sign
from place import HOME, ROOT, Stack
from progress import console, step
from telling import OUTCOMES, Item, Reported, Teller, World, link, summary

SETTINGS = ROOT / "infra/local.yaml"
CLOSURES = ROOT / "events/closures"
CAUSE = "config_error"
"""The root cause that Ana's, Ben's and Chloe's tickets share."""
SLACK = 45.0
"""Seconds that a slow machine may add to every delay of the policy."""
ROOM = 27.0
"""Seconds from the closures to the customers' words, at most: a digest that comes earlier would lack them."""

FIX = {
    "wrong": "The update had set your meter type to a wrong value.",
    "words": "Every meter has its right value again, and the update leaves it alone.",
}
"""What the owner of the cause writes to its customers."""

PRESSES = {
    "yes": "opens the link, reads the question, and presses “Yes, it is solved”.",
    "no": "opens the link, reads the question, and presses “No, not yet”.",
    "words": "is asked for a few words, and writes: “{value}”",
    "consent": "agrees that the team may read exactly this.",
}


class Missing(Exception):  # noqa: N818 - read as a sentence
    """Something that should have happened did not."""


@dataclass(frozen=True)
class Wait:
    """Something that has to happen within some seconds; ``what`` is empty for a mere pause."""

    what: str
    until: Callable[[], Any]
    seconds: float
    since: float = field(default_factory=time.monotonic)

    @property
    def is_late(self) -> bool:
        """Whether it should have happened by now."""
        return time.monotonic() > self.since + self.seconds


def pause(seconds: float, what: str = "") -> Wait:
    """Let some seconds pass."""
    end = time.monotonic() + seconds
    return Wait(what, lambda: time.monotonic() >= end, seconds)


Scene = Generator[Wait, Any, Any]


class Story:
    """What helpdesks, customers and our own people do, all at the same time."""

    def __init__(self, world: World, teller: Teller) -> None:
        self.world, self.teller, self.say = world, teller, teller.say
        self.run = (
            max((int(ticket) for ticket in world.tickets() if ticket.isdecimal()), default=0) // 100 + 1
        )
        self.reported: list[Reported] = []
        self.links: dict[str, str] = {}
        """What the user may open at the end, and why."""
        self.missing: list[str] = []
        owner = world.settings["causes"][CAUSE]["owner"]
        self.owner, self.owner_name = f"OWNER#{owner}", world.name(owner)
        world.whose = {self.owner: self.owner_name, f"CAUSE#{CAUSE}": self.owner_name}
        world.look()
        # The closures of one cause come early in a digest's period, so that one digest tells all of it.
        due = datetime.fromisoformat(world.items[self.owner, "OWNER"]["due_at"]) - datetime.now(UTC)
        left = due.total_seconds() % world.seconds("digest_every")
        self.trio_at = 8 if left > 8 + ROOM else left + 1

    def play(self) -> None:
        """Let all scenes go on, each as soon as what it waits for is there, until the last one has ended."""
        scenes = [self.forged(), self.ids_only(), self.reopened(), self.undeliverable()]
        scenes += [self.confirmed(), self.denied(), self.silent(), self.owner_is_told()]
        playing = [(scene, next(scene)) for scene in scenes]
        while playing:
            for change in self.world.look():
                self.teller.tell(*change)
            going_on = []
            for scene, wait in playing:
                try:
                    found = wait.until()
                    self.expect(found or not wait.is_late, f"{wait.what}, within {wait.seconds:.0f} s")
                    going_on.append((scene, scene.send(found) if found else wait))
                except StopIteration:
                    continue
                except (Missing, Unexpected) as missing:
                    self.missing.append(str(missing))
                    self.say("Missing", str(missing), "bold red")
            playing = going_on
            self.teller.waiting = [wait.what for _, wait in playing if wait.what]
            time.sleep(0.25)

    def expect(self, true: object, what: str) -> None:
        """Go on only if this is so."""
        if not true:
            raise Missing(what)

    # --- what people do ----------------------------------------------------------------------------------------------

    def send(self, file: str, title: str = "", times: int = 1, secret: str = "") -> Reported:
        """Report what one of the files says, as its helpdesk would."""
        now = datetime.now(UTC)
        text = (CLOSURES / f"{file}.json").read_text()
        last_week = now.date() - timedelta(days=7)
        for name, said in {
            "{run}": str(self.run),
            "{now}": now.isoformat(),
            "{today}": now.date().isoformat(),
            "{last_week}": last_week.isoformat(),
            "{next_week}": (now.date() + timedelta(days=7)).isoformat(),
        }.items():
            text = text.replace(name, said)
        given = json.loads(text)
        sources = self.world.settings["sources"].items()
        source = next(name for name, known in sources if known["preset"] == given["preset"])
        hook, body = self.world.stack.hooks[source], json.dumps(given["body"], ensure_ascii=False).encode()
        pk, who = f"TICKET#{source}#{given['ticket']}", given["who"]
        number = 1 + sum(known.pk == pk for known in self.reported)
        sent = Reported(pk, number, who, given["ticket"], given["said"], given)
        self.say(who, title or given["story"], "bold")
        headers = sign(given["preset"], secret or hook.secret, body, now)
        answers = [report(hook, headers, body) for _ in range(times)]
        told = ", ".join(f"{status} {said}" for status, said in answers)
        parts = (part for name, part in given["body"].items() if name in {"data", "ticket", "detail"})
        subject = next(parts).get("subject")
        about = f", “{subject}”" if subject else ""
        self.say(who, f"The helpdesk reports ticket {sent.ticket}{about}: {sent.said}. We answer: {told}.")
        expected = {401 if secret else 202}
        self.expect({status for status, _ in answers} == expected, f"another answer than {told}")
        self.world.whose[pk] = who
        if file != "dev_reopened":
            self.reported.append(sent)
        return sent

    def answer(self, sent: Reported, state: str) -> Scene:
        """The customer opens the link of the mail and presses what the file says."""
        mail = yield self.until_asked(sent)
        presses: list[dict[str, str]] = sent.given["presses"]
        yield pause(2)
        page: Page = open_page(f"{link(mail, 's')}?a={presses[0]['answer']}")
        for press in presses:
            ((name, value),) = press.items()
            page = page.press(press)
            self.say(sent.who, PRESSES[value if name == "answer" else name].format(value=value))
            yield pause(1)
        yield self.until_state(sent, state)

    # --- what is waited for ------------------------------------------------------------------------------------------

    def until_asked(self, sent: Reported) -> Wait:
        """Until the question has gone out."""
        follow_up, seconds = self.world.follow_up, self.world.seconds("first_ask_after") + SLACK
        found = lambda: self.world.mail(follow_up(sent.pk, sent.number).get("survey"))  # noqa: E731
        return Wait(f"{sent.who}’s question", found, seconds)

    def until_state(self, sent: Reported, state: str, delay: str = "") -> Wait:
        """Until the follow-up is in a state."""
        seconds = SLACK + (self.world.seconds(delay) if delay else 0)
        what = f"{sent.who}’s outcome “{OUTCOMES[state][1]}”"
        return Wait(what, lambda: self.world.follow_up(sent.pk).get("state") == state, seconds)

    def until_mail(self, pk: str, kinds: str, what: str, words: str = "", delay: str = "") -> Wait:
        """Until one of our own people has a mail."""
        seconds = SLACK + (self.world.seconds(delay) if delay else 0)
        return Wait(what, lambda: next(iter(self.world.mails(pk, kinds, words)), None), seconds)

    # --- the scenes --------------------------------------------------------------------------------------------------

    def forged(self) -> Scene:
        """A webhook that the helpdesk did not sign."""
        yield pause(0)
        sent = self.send("mallory", secret="whsec_" + "A" * 43 + "=")
        yield pause(1)
        self.expect(not self.world.follow_up(sent.pk), "an empty table after the forged webhook")
        self.say(sent.who, "The signature is wrong: refused, and nothing of it is stored.", "green")

    def ids_only(self) -> Scene:
        """An event webhook, which does not say whom to ask."""
        yield pause(2)
        yield self.until_state(self.send("gina"), "waiting")

    def reopened(self) -> Scene:
        """A ticket that is opened again before the customer is asked, and closed for good later."""
        yield pause(4)
        sent = self.send("dev")
        self.send("dev_reopened")
        yield self.until_state(sent, "reopened")
        yield pause(self.world.seconds("first_ask_after") + 3)
        self.expect(
            "survey" not in self.world.follow_up(sent.pk),
            "no question about the ticket that was opened again",
        )
        self.say(sent.who, "The time to ask has passed, and he got no mail.", "green")
        yield pause(max(0, self.trio_at + 24 - self.teller.seconds))
        sent = self.send("dev", title="Now it is closed for good: a new closure, so a new follow-up.")
        mail = yield self.until_asked(sent)
        self.links["Be Dev, and answer the question"] = link(mail, "s")
        self.say(sent.who, "This question is for you: you find the link at the end.", "cyan")

    def undeliverable(self) -> Scene:
        """An address that bounces."""
        yield pause(6)
        sent = self.send("eva")
        yield self.until_state(sent, "not_asked")
        yield self.until_mail(sent.pk, "flag_raised", "the flag about Eva’s address")

    def confirmed(self) -> Scene:
        """A yes with words and consent; the webhook came three times."""
        yield pause(self.trio_at)
        sent = self.send("ana", times=3)
        yield from self.answer(sent, "confirmed")
        words = sent.given["presses"][1]["words"]
        yield self.until_mail(sent.pk, "note appreciation", "the note with Ana’s words", words, "note_after")
        stored = [sk for pk, sk in self.world.items if pk == sent.pk and sk.startswith("FOLLOW_UP#")]
        to_her = [
            mail for mail in self.world.sent.values() if f"ticket {sent.ticket} really" in mail["Subject"]
        ]
        self.expect(
            len(stored) == len(to_her) == 1, "one follow-up and one question for three equal webhooks"
        )
        self.say(sent.who, "The webhook came three times: one follow-up, one question, one note.", "green")
        note = yield self.until_mail(sent.pk, "note appreciation", "the team’s note")
        page = open_page(link(note, "t"))
        self.expect(words.partition(".")[0] in page.html, "Ana’s words on the team’s page of thanks")
        team = self.world.follow_up(sent.pk)["team"]
        self.say(self.world.name(f"team:{team}"), "opens its page of thanks, and reads what Ana wrote.")

    def denied(self) -> Scene:
        """A no; the responsible person takes it, agrees on something, does it, and the customer says yes in the end."""
        yield pause(self.trio_at + 1.5)
        sent = self.send("ben")
        yield from self.answer(sent, "denied")
        mail = yield self.until_mail(sent.pk, "flag_raised", "the flag about Ben’s answer")
        yield pause(2)
        page = open_page(link(mail, "f"))
        self.expect(sent.given["presses"][1]["words"] in page.html, "Ben’s words on the page of the flag")
        holder = self.world.name(self.world.flag(sent.pk)["holder"])
        self.say(holder, "opens the flag’s link, reads what Ben wrote, and presses “I will take care of it”.")
        page = page.press(sent.given["acknowledge"])
        yield Wait("the acknowledged flag", lambda: "acknowledged_at" in self.world.flag(sent.pk), SLACK)
        yield pause(4)
        self.say(holder, f"calls Ben, and they agree: “{sent.given['agree']['words']}”")
        page = page.press(sent.given["agree"]).press(sent.given["settle"])
        yield Wait("the settled flag", lambda: "settled_at" in self.world.flag(sent.pk), SLACK)
        # What Ben said first is in the owner's digest: after his "yes" it would not be.
        said = sent.given["presses"][1]["words"]
        yield self.until_mail(self.owner, "digest", "the digest with Ben’s words", said, "digest_every")
        self.say(holder, "has done what was agreed, and presses that the promise is kept.")
        promise = next(form.filled["promise"] for form in page.forms if "promise" in form.fields)
        page.press({"promise": promise, **sent.given["keep"]})
        yield self.until_mail(sent.pk, "promise_kept", "the mail to Ben about the promise")
        mail = yield self.until_mail(sent.pk, "asked_again", "the question to Ben whether it is solved now")
        yield pause(2)
        self.say(sent.who, PRESSES[sent.given["again"]["answer"]])
        open_page(link(mail, "s")).press(sent.given["again"])
        yield self.until_state(sent, "confirmed")
        self.say(sent.who, "He had said “no”, and is a customer who was helped after all.", "green")

    def silent(self) -> Scene:
        """No answer, one reminder, no answer: a flag, left open."""
        yield pause(self.trio_at + 3)
        sent = self.send("chloe")
        first = yield self.until_asked(sent)
        found = lambda: self.world.mail(self.world.follow_up(sent.pk).get("reminder"))  # noqa: E731
        again = yield Wait("Chloe’s reminder", found, self.world.seconds("reminder_after") + SLACK)
        self.expect(link(first, "s") == link(again, "s"), "the same link in Chloe’s reminder")
        self.say(sent.who, "Not a word from her so far; the reminder has the same link.")
        yield self.until_state(sent, "silent", "silent_after")
        mail = yield self.until_mail(sent.pk, "flag_raised", "the flag about Chloe’s silence")
        holder = self.world.name(self.world.flag(sent.pk)["holder"])
        self.links[f"Be {holder}, take Chloe’s flag, and settle it"] = link(mail, "f")
        self.say(sent.who, "This flag is for you: you find the link at the end.", "cyan")

    def owner_is_told(self) -> Scene:
        """Three tickets with one cause: its owner gets a notice at once, and their words in the next digest."""
        known = self.world.items.get((f"CAUSE#{CAUSE}", "STATE"), {}).get("repeated_at")
        if self.trio_at > 8:
            yield pause(8)
            yield pause(self.trio_at - 8, "the next digest (the one after it then tells all)")
        else:
            yield pause(self.trio_at)
        yield pause(4)
        if known:
            text = f"was told of this cause before, at {known[11:16]} UTC, and hears of a real rise only."
            self.say(self.owner_name, text)
        else:
            yield self.until_mail(self.owner, "cause_repeated", f"{self.owner_name}’s notice")
        for file in ("ben", "ana"):
            words = json.loads((CLOSURES / f"{file}.json").read_text())["presses"][1]["words"]
            mail = yield self.until_mail(
                self.owner, "digest", f"{self.owner_name}’s digest", words, "digest_every"
            )
        self.links[f"Be {self.owner_name}, and look after your root causes"] = link(mail, "c")
        if not known:
            yield from self.fixed(mail)

    def fixed(self, digest: Item) -> Scene:
        """The owner declares a fix: everybody who had the cause is told once, and asked whether it is gone."""
        causes = open_page(link(digest, "c"))
        found = re.search(rf'href="([^"]+/{CAUSE})"', causes.html)
        self.expect(found, "a link to the cause’s own page")
        page = open_page(found[1] if found else "")
        yield pause(1)
        self.say(
            self.owner_name, "has removed the cause, and declares the fix in words that customers may read."
        )
        today = datetime.now(UTC).date().isoformat()
        draft = page.press({"action": "declare", "day": today, **FIX})
        confirm = next(form.filled for form in draft.forms if "people" in form.fields)
        self.say(
            self.owner_name, f"sees the mail and the number of people, {confirm['people']}, and confirms."
        )
        yield pause(1)
        draft.press({name: confirm[name] for name in ("action", "number", "people")})
        scope = f"TOLD#{CAUSE}#fix#{int(confirm['number']):04d}"
        self.world.whose[scope] = "Everyone"
        people = int(confirm["people"])
        told = lambda: (  # noqa: E731
            len(mails := self.world.mails(scope, "fix_told")) == people and mails
        )
        mails = yield Wait("the mails about the fix", told, SLACK)
        yield pause(2)
        answered = open_page(link(mails[0], "g")).press({"answer": "yes", "words": ""})
        self.expect("your answer is recorded" in answered.html, "the answer about the fix")
        who = mails[0]["To"][0]
        self.say("Everyone", f"{who} presses “Yes, it is gone”. In a month this fix is judged.", "green")


def wake_up(stack: Stack) -> None:
    """Start the Lambdas behind hooks and pages, by webhooks and links that open nothing."""
    calls: list[tuple[str, bytes | None]] = [(hook.url, b"{}") for hook in stack.hooks.values()]
    calls += [(f"{stack.api}/{page}/x", body) for page in "sf" for body in (None, b"")]
    with step("waking the pages"), ThreadPoolExecutor(len(calls)) as pool:
        list(pool.map(lambda called: call(*called), calls))


def tell(stack: Stack, settings: Item) -> int:
    """The story with its beginning and its end; gives the exit code."""
    policy = settings["policy"]
    console.print(
        f"\n[bold]Followthrough asks customers whether a closed ticket is really solved,\n"
        f"and sees to it that somebody acts on the answer, or on the silence.[/bold]\n\n"
        f"Now {settings['company']['name']}’s helpdesks close some tickets, side by side. Webhooks,\n"
        f"mails and pages are real; only the waiting is short, with seconds for days:\n"
        f"we ask after {policy['first_ask_after']}, remind after {policy['reminder_after']}, "
        f"and stop waiting after {policy['silent_after']}. It takes about two minutes.\n"
    )
    world = World(stack, settings)
    with Teller(world) as teller:
        story = Story(world, teller)
        story.play()
        world.look()
    console.print("\n[bold]What became of each closure[/bold]\n")
    console.print(summary(world, story.reported), soft_wrap=False)
    console.print("\n[bold]Go on in your browser[/bold]\n")
    for what, url in story.links.items():
        console.print(Text.assemble(f"{what}\n", (url, "cyan"), "\n"))
    console.print(
        Text.assemble("Read all the mails; none has left this machine\n", (stack.post_office, "cyan"), "\n")
    )
    for what in story.missing:
        console.print(Text.assemble(("✗ Missing: ", "bold red"), f"{what} (look into {HOME}/*.log)"))
    console.print("Everything stays up. Stop it: [bold]make down[/bold]   Watch again: [bold]make run[/bold]")
    return 1 if story.missing else 0


def main() -> int:
    """Run the command; gives the exit code."""
    HOME.mkdir(parents=True, exist_ok=True)
    try:
        with (HOME / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            stack = up.up(SETTINGS)
        wake_up(stack)
        return tell(stack, yaml.safe_load(SETTINGS.read_text()))
    except (up.Failed, Unexpected, OSError, BotoCoreError, ClientError) as failure:
        console.print(Text.assemble(("✗ ", "red"), f"{failure} (look into {HOME}/*.log)"))
        return 1
    except KeyboardInterrupt:
        console.print("\nStopped telling. What is up stays up; stop it: make down")
        return 130


if __name__ == "__main__":
    sys.exit(main())
