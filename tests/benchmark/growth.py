"""Whether cost grows with what is there or with what is to be done: the clock, a digest, a customer's page.

The real handlers on a table in memory; what is counted are the calls and the read units that DynamoDB would charge.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

import conftest  # noqa: F401 - the environment that handlers read on import
from benchmark.memory import Memory, in_memory
from domain.follow_up import FollowUp

AT_MOST = 1.1
DUE = 400
"""Follow-ups that are due at the measured tick."""
LINK_KEY = json.dumps({"current": "a key that signs", "retired": []})


@dataclass(frozen=True)
class Grown:
    """One operation with so much else in the table."""

    what: str
    others: int
    own: int
    """How much there is to do, or to show."""
    calls: int
    read_units: float

    @property
    def each(self) -> float:
        """Read units per thing to do."""
        return self.read_units / self.own


def measure(sizes: tuple[int, ...]) -> list[Grown]:
    """The clock's tick, a digest, a customer's page and a new closure, with more and more open follow-ups of others."""
    return [
        *(_tick(size) for size in sizes),
        *(_digest(others, own) for others, own in [(size, 20) for size in sizes] + [(sizes[0], 80)]),
        *(_owners_digest(codes) for codes in (1, 20, 500)),
        *(_page(size) for size in sizes),
        *(_reaction(size) for size in sizes),
    ]


def _tick(others: int) -> Grown:
    import run_clock
    from world import LambdaContext

    with account() as (memory, now):
        for number in range(others):
            _open(memory, f"open-{number}", now, now + timedelta(days=1 + number % 7))
        for number in range(DUE):
            _open(memory, f"due-{number}", now, now)
        _reset(memory)
        run_clock.handler({}, LambdaContext("run_clock", 60_000))
        assert len(memory.queues["DueQueue"]) == DUE
        return Grown("tick of the clock", others, DUE, memory.calls["Query"], memory.read_units)


def _digest(others: int, own: int) -> Grown:
    from adapters import causes
    from domain.cause import mark_of

    with account() as (memory, now):
        for number in range(others + own):
            follow_up = _open(memory, f"t-{number}", now - timedelta(days=1), now + timedelta(days=3))
            mark = mark_of(replace(follow_up, cause="meter-late" if number < others else "portal-login"))
            assert mark
            causes.add_mark(mark)
        _reset(memory)
        figures, _ = causes.figures("portal-login", now - timedelta(days=7), now, buckets=6)
        assert figures.tickets == own
        return Grown("digest of one cause", others, own, sum(memory.calls.values()), memory.read_units)


def _owners_digest(codes: int) -> Grown:
    """The whole digest of an owner with so many causes, one ticket each: read, counted, written as a mail."""
    import builders
    from adapters import causes, digests
    from domain.cause import mark_of
    from domain.settings import Cause
    from messages import compose, digest_facts

    with account() as (memory, now):
        usual = builders.settings()
        named = {f"cause-{n:03}": Cause(name=f"Cause {n}", owner="ravi") for n in range(codes)}
        settings = replace(usual, causes=named)
        for number, code in enumerate(named):
            mark = mark_of(replace(_open(memory, f"t-{number}", now - timedelta(days=1), now), cause=code))
            assert mark
            causes.add_mark(mark)
        _reset(memory)
        since = now - timedelta(days=7)
        entries = digests.read("ravi", named, since, now, now, settings)
        link = f"{builders.URL}/c/token"
        mail = compose.digest(digest_facts.digest("ravi", since, now, now, entries, link, settings))
        assert f"led to {codes} ticket" in mail.text
        assert len(mail.html) < 100_000
        return Grown("digest of an owner", 0, codes, sum(memory.calls.values()), memory.read_units)


def _page(others: int) -> Grown:
    import builders
    import show_survey
    from adapters import links
    from world import LambdaContext

    with account() as (memory, now):
        for number in range(others):
            _open(memory, f"open-{number}", now, now + timedelta(days=1))
        _open(memory, "mine", now, now + timedelta(days=1))
        token = links.survey_url("", links.TicketLink("acme", "mine", 1), now, now).rpartition("/")[2]
        event = builders.sample("show_survey")
        event["pathParameters"] = {"token": token}
        _reset(memory)
        assert show_survey.handler(event, LambdaContext("show_survey"))["statusCode"] == 200
        # The settings are read once in half a minute, however many pages are shown.
        calls = memory.calls["Query"] + memory.calls["BatchGetItem"]
        return Grown("customer's page", others, 1, calls, memory.read_units - memory.calls["GetItem"])


def _reaction(others: int) -> Grown:
    """A new closure that nobody classified, like all the others of this month."""
    import builders
    import react_to_change
    from adapters import causes, tickets
    from domain.cause import mark_of
    from world import LambdaContext

    with account() as (memory, now):
        for number in range(others + 1):
            opened = now - timedelta(minutes=number % 40_000)
            follow_up = _open(memory, f"t-{number}", opened, now + timedelta(days=3), cause="unclassified")
            mark = mark_of(follow_up)
            assert mark
            if number < others:
                causes.add_mark(mark)
        event = builders.sample("react_to_change")
        record = event["Records"][0]
        record["eventName"] = "INSERT"
        record["dynamodb"].pop("OldImage", None)
        record["dynamodb"]["NewImage"] = tickets.row(replace(follow_up, version=0)).serialize()
        _reset(memory)
        assert react_to_change.handler({"Records": [record]}, LambdaContext("react_to_change"))
        calls = sum(memory.calls.values()) - memory.calls["GetItem"]
        return Grown("reaction to a new closure", others, 1, calls, memory.read_units)


def _open(
    memory: Memory, ticket_id: str, opened: datetime, due: datetime, cause: str = "portal-login"
) -> FollowUp:
    from adapters import tickets
    from domain.closure import Closure
    from domain.follow_up import State

    closure = Closure(
        source="acme",
        ticket_id=ticket_id,
        closed_at=opened,
        kind="solved",
        requester_email=f"{ticket_id}@a.example",
    )
    made = FollowUp(
        closure=closure, number=1, state=State.SCHEDULED, opened_at=opened, cause=cause, due_at=due
    )
    memory.put(tickets.row(made).serialize())
    return replace(made, version=1)


def _reset(memory: Memory) -> None:
    memory.calls.clear()
    memory.read_units = 0.0


@contextmanager
def account() -> Iterator[tuple[Memory, datetime]]:
    """A company's table in memory, with its settings, and the time there."""
    import apply_settings
    import builders
    from adapters import clock, secret_store, settings_store

    now = builders.START
    memory = Memory({"LinkKeys": LINK_KEY})
    with pytest.MonkeyPatch.context() as patch, in_memory(memory):
        patch.setattr(clock, "now", lambda: now)
        settings_store.forget()
        secret_store.forget()
        apply_settings.apply(builders.settings(), "followthrough-test", builders.URL, now)
        yield memory, now
    settings_store.forget()
    secret_store.forget()
