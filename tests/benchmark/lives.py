"""The kinds of life that follow-ups can have, run by the real handlers and counted call by call."""

import contextlib
import io
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from benchmark.capacity import Call, metered, size
from benchmark.world_of import fresh_world

if TYPE_CHECKING:
    from world import World

A_MONTH = timedelta(days=30)
TOGETHER = 4
NO_DIGEST = timedelta(weeks=500)
"""Digests cost by their own content and are measured in growth.py; here none falls due, and no team's round either."""


@dataclass(frozen=True)
class Life:
    """What one follow-up did."""

    name: str
    note: bool
    follow_ups: int
    """How many follow-ups it is the life of; everything below is counted for all of them."""
    calls: tuple[Call, ...]
    """Of our Lambdas, without what belongs to no follow-up (settings, secrets, the clock's reads)."""
    invocations: Counter[str]
    """Without the clock's, which ticks anyway."""
    queued: Counter[str]
    """Messages by queue."""
    requests: int
    """Of the HTTP API."""
    mails: int
    logged: int
    """Bytes that our Lambdas print."""
    stored: int
    """Bytes of its items at the end, with the 100 that DynamoDB adds to each."""

    @property
    def table_units(self) -> int:
        """Write units of the table."""
        return sum(call.table_units for call in self.calls)

    @property
    def index_units(self) -> int:
        """Write units of the index."""
        return sum(call.index_units for call in self.calls)

    @property
    def write_units(self) -> int:
        """All write units."""
        return self.table_units + self.index_units

    @property
    def refused_units(self) -> int:
        """Write units of writes that were refused."""
        return sum(call.table_units for call in self.calls if call.failed)

    @property
    def read_units(self) -> float:
        """Read units."""
        return sum(call.read_units for call in self.calls)

    @property
    def largest(self) -> int:
        """Bytes of the largest item that was written."""
        return max(call.largest for call in self.calls)


def yes_at_once(world: "World") -> None:
    """Asked after a day, "yes" an hour later; the team gets its note."""
    link = world.asked()
    world.wait(timedelta(hours=1))
    world.open(link)
    world.press(link, answer="yes")


def reminder_then_yes(world: "World") -> None:
    """Asked, reminded after three days, "yes"; the team gets its note."""
    link = world.asked()
    world.wait(timedelta(days=4))
    world.open(link)
    world.press(link, answer="yes")


def reply_by_mail(world: "World") -> None:
    """Asked after a day; an hour later the customer replies "yes" by mail; the team gets its note."""
    import builders
    from adapters import reply_address
    from adapters.links import TicketLink

    world.asked()
    world.wait(timedelta(hours=1))
    to = reply_address.write(TicketLink("acme", "4711", 1), builders.REPLY_DOMAIN, world.now)
    assert to is not None
    world.receive(
        builders.written("Yes, it is solved. Thank you!"), builders.received(to, "a-reply", world.now)
    )


def silence(world: "World") -> None:
    """Asked, reminded, never answered; the responsible person opens the flag's page: nothing to be done."""
    world.asked()
    world.wait(timedelta(days=7, hours=2))
    flag = _flag(world)
    world.open(flag)
    _settle(world, flag, "not_possible")


def silence_twice(world: "World") -> None:
    """The same, but settled as solved: the customer is asked again and silent still, and what came back is settled."""
    world.asked()
    world.wait(timedelta(days=7, hours=2))
    for _ in range(2):
        flag = _flag(world)
        world.open(flag)
        _settle(world, flag)
        world.wait(timedelta(days=7, hours=2))


def no_and_not_possible(world: "World") -> None:
    """Asked, "no" with words; the responsible person acknowledges the flag, and two hours later it is not possible."""
    _settle(world, _no_taken(world), "not_possible")


def no_and_recovered(world: "World") -> None:
    """The same with news for the customer in between; settled as solved, asked again, "yes"; then the team's note."""
    flag = _no_taken(world)
    world.press(flag, action="update", words="I look after it myself; you hear from me today.")
    world.wait(timedelta(hours=1))
    _settle(world, flag)
    world.wait(timedelta(hours=2))
    question = next(mail for mail in reversed(world.mail.sent) if "solved now?" in mail.subject)
    world.open(question.link)
    world.press(question.link, answer="yes")


def _no_taken(world: "World") -> str:
    """The page of a flag that a "no" raised and somebody acknowledged two hours ago."""
    link = world.asked()
    world.wait(timedelta(hours=1))
    world.open(link)
    world.press(link, answer="no", words="It still does not let me in.")
    world.wait(timedelta(minutes=10))
    flag = _flag(world)
    world.open(flag)
    world.press(flag, action="acknowledge")
    world.wait(timedelta(hours=2))
    return flag


def reopened(world: "World") -> None:
    """Asked, then the ticket is opened again: the question ends."""
    import builders

    world.asked()
    world.wait(timedelta(hours=1))
    world.hook(builders.reopened(at=world.now))


def reopened_early(world: "World") -> None:
    """Opened again before anybody was asked."""
    import builders

    world.hook(builders.closed(at=world.now))
    world.wait(timedelta(hours=1))
    world.hook(builders.reopened(at=world.now))


def everything_known(world: "World") -> None:
    """As the first, and the helpdesk says what was done, what was promised, by whom and until when."""
    link = world.asked(
        solution="We moved your account to the new sign-in and sent you a link for a new password.",
        promise="A call on Friday to see whether it still works on all of your devices",
        promised_by="Kim Ren",
        promised_until="2026-12-04",
        organization="Beispiel Holding GmbH",
    )
    world.wait(timedelta(hours=1))
    world.open(link)
    world.press(link, answer="yes", kept="yes")


def together(world: "World") -> None:
    """One alone, then three more within the quiet period that are asked about in one mail and answered at once."""
    import builders

    first = world.asked("0")
    world.open(first)
    world.press(first, answer="yes")
    for number in range(1, TOGETHER):
        world.hook(builders.closed(str(number), world.now))
    world.wait(timedelta(days=8))
    link = next(mail.link for mail in reversed(world.mail.sent) if "tickets of yours" in mail.subject)
    world.open(link)
    world.press(link, **{f"answer-{place}": "yes" for place in range(1, TOGETHER)})


def unsubscribed(world: "World") -> None:
    """Asked, stopped by one press in the mail program, never answered; the flag is settled the same day."""
    world.asked()
    world.wait(timedelta(hours=1))
    world.press(world.mail.sent[0].preferences, **{"List-Unsubscribe": "One-Click"})
    world.wait(timedelta(days=7, hours=2))
    _settle(world, _flag(world))


def preferences(world: "World") -> None:
    """Asked, another language chosen on the preferences page, then "yes"; the team gets its note."""
    link = world.asked()
    world.wait(timedelta(hours=1))
    page = world.mail.sent[0].preferences
    world.open(page)
    world.press(page, language="de", surveys="all")
    world.open(link)
    world.press(link, answer="yes")


def asked_and_told(world: "World") -> None:
    """The webhook is a hint: the helpdesk is asked for the rest, the customer says "yes", and the helpdesk is told."""
    import builders
    from adapters import tickets
    from adapters.aws import client
    from domain.closure import Closure
    from domain.follow_up import Ticket, open_follow_up
    from domain.settings import Api, WriteBack
    from helpdesk_stand_in import Case, standing_in

    with standing_in("zendesk") as desk:
        desk.add(Case(id="4711", closed_at=world.now))
        tokens = json.dumps({desk.kind: [desk.secret]})
        client("secretsmanager").put_secret_value(SecretId="ApiSecrets", SecretString=tokens)
        known = builders.settings(digest_every=NO_DIGEST)
        source = replace(
            known.sources["acme"],
            api=Api(url=desk.url, secret=desk.kind, calls=desk.kind, values=desk.values),
            write_back=WriteBack(mode="on"),
        )
        company = replace(known, sources={**known.sources, "acme": source})
        world.apply(company)
        _let_teams_wait(world)
        hint = Closure(
            source="acme", ticket_id="4711", closed_at=world.now, kind="solved", needs_details=True
        )
        world._running = "receive_ticket"
        tickets.save(open_follow_up(Ticket(), hint, world.now, company))
        world._running = None
        world.wait(timedelta(days=1, minutes=1))
        link = world.mail.sent[-1].link
        world.open(link)
        world.press(link, answer="yes")
        world.wait(A_MONTH)
        assert any("public" in str(asked.body) for asked in desk.written())


def _flag(world: "World") -> str:
    return next(mail.link for mail in reversed(world.mail.sent) if "/f/" in mail.link)


def _settle(world: "World", flag: str, result: str = "solved") -> None:
    world.press(flag, action="settle", result=result, done="Sent a new password and called her.")


LIVES: dict[str, tuple[Callable[["World"], None], bool]] = {
    "yes at once, with note": (yes_at_once, True),
    "reminder, then yes, with note": (reminder_then_yes, True),
    "yes by mail, with note": (reply_by_mail, True),
    "silence, flag settled": (silence, False),
    "silence, asked again, silence": (silence_twice, False),
    "no, flag acknowledged and settled": (no_and_not_possible, False),
    "no, recovered, with note": (no_and_recovered, True),
    "reopened after asking": (reopened, False),
    "reopened before asking": (reopened_early, False),
    "yes at once, everything known": (everything_known, True),
    f"{TOGETHER} of one person, {TOGETHER - 1} of them in one mail": (together, True),
    "unsubscribed by one press": (unsubscribed, False),
    "preferences chosen, then yes": (preferences, True),
    "a hint: asked for, yes, told": (asked_and_told, True),
}


def live(name: str) -> Life:
    """Run one kind of life for itself, and a month longer, and count it."""
    import builders
    from blueprint import readers, routes

    run, note = LIVES[name]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), fresh_world() as world:
        world.apply(builders.settings(digest_every=NO_DIGEST))
        _let_teams_wait(world)
        before = set(world.items)
        queued: Counter[str] = Counter()
        bring = world.queue

        def queue(queue: str, body: str, delay: float = 0) -> None:
            queued[queue] += 1
            bring(queue, body, delay)

        world.queue = queue  # type: ignore[method-assign]  # counts what comes into each queue
        take = world.mail.take
        # SES's message ids have sixty characters; items are charged by the KB.
        world.mail.take = lambda request: {"MessageId": take(request)["MessageId"].rjust(60, "0")}  # type: ignore[method-assign]
        with metered(lambda: world._running or "") as meter:
            meter.items.update(world.items)
            run(world)
            world.wait(A_MONTH)
        lines = [*world.log.getvalue().splitlines(), *printed.getvalue().splitlines()]
        mine = [line for line in lines if '"tick"' not in line and "StepsQueued" not in line]
        invocations = Counter(world.invocations)
        del invocations["run_clock"]
        assert set(queued) <= set(readers()), "a queue that nobody reads"
        return Life(
            name=name,
            note=note,
            follow_ups=sum(sk.startswith("FOLLOW_UP#") for _, sk in set(world.items) - before),
            calls=tuple(call for call in meter.calls if _is_its_own(call)),
            invocations=invocations,
            queued=queued,
            requests=sum(invocations[function] for function in set(routes().values())),
            mails=len(world.mail.sent),
            logged=sum(len(line.encode()) + 1 for line in mine),
            stored=sum(size(item) + 100 for key, item in world.items.items() if key not in before),
        )


def _let_teams_wait(world: "World") -> None:
    """What a team gets by the week and the month is a cost of the team, however many follow-ups it has."""
    import builders
    from adapters import table, thanks
    from domain.thanks import Round

    for key in builders.settings().teams:
        for due in filter(None, (thanks.load(key, round) for round in Round)):
            table.put(thanks.row(replace(due, due_at=world.now + NO_DIGEST)))


def _is_its_own(call: Call) -> bool:
    if not call.function or call.operation in {"GetSecretValue", "GetAccount", "GetQueueAttributes"}:
        return False
    if "settings" in call.kinds:
        return False
    return call.function != "run_clock" or call.operation == "SendMessageBatch"
