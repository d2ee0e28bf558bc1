"""Under load: closures posted to the locally deployed stack, and 20,000 follow-ups that are due in the same minute.

The first uses the unchanged stack on the local AWS (FOLLOWTHROUGH_HOME chooses its folder): what counts is that nothing
is lost and nothing happens twice; how fast it is says something about the emulator only. The second runs the real
handlers in this process on a table in memory and on a clock of its own.
"""

import json
import os
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import conftest  # noqa: F401 - the environment that handlers read on import
from benchmark.layer import ROOT

if TYPE_CHECKING:
    from desk import Desk

HOME = Path(os.environ.get("BENCHMARK_STACK", ROOT / ".local/benchmark-stack"))
PATIENCE = 600.0


@dataclass(frozen=True)
class Step:
    """Closures posted by so many clients at once."""

    clients: int
    posted: int
    accepted: int
    seconds: float
    median_ms: float
    slowest_ms: float
    drained: float
    """Seconds after the last post until every survey was out."""
    lost: int
    twice: int


@dataclass(frozen=True)
class Duplicates:
    """One closure, reported again and again at the same time."""

    posted: int
    answers: dict[str, int]
    items: int
    mails: int


@dataclass(frozen=True)
class SameMinute:
    """Follow-ups that were all due in one minute."""

    follow_ups: int
    rate: float
    """Mails a second that the account may send."""
    minutes: float
    fastest: float
    """The most mails in one second."""
    out_of_order: int
    """Mails that went out a minute or more after one that was due later."""
    twice: int
    unsent: int
    queued_most: int


# --- the deployed stack ----------------------------------------------------------------------------------------------


def measure_stack(steps: tuple[tuple[int, int], ...], duplicates: int) -> tuple[list[Step], Duplicates]:
    """Post at rising rates: ``steps`` are clients and closures; then one closure many times."""
    with _stack() as desk:
        return [_step(desk, clients, closures) for clients, closures in steps], _duplicates(desk, duplicates)


def _step(desk: "Desk", clients: int, closures: int) -> Step:
    names = [f"c{clients}-{number}" for number in range(closures)]
    taken: list[float] = []

    def post(name: str) -> bool:
        begun = time.monotonic()
        status, _ = desk.post(desk.close(name))
        taken.append(time.monotonic() - begun)
        return status == 202

    begun = time.monotonic()
    with ThreadPoolExecutor(clients) as several:
        accepted = sum(several.map(post, names))
    posted = time.monotonic()
    wanted = {desk.address(name) for name in names}
    end = posted + PATIENCE
    while (surveys := _surveys(desk, wanted)).keys() != wanted and time.monotonic() < end:
        time.sleep(2)
    drained = time.monotonic() - posted
    time.sleep(5)  # for whatever would come a second time
    surveys = _surveys(desk, wanted)
    taken.sort()
    return Step(
        clients=clients,
        posted=closures,
        accepted=accepted,
        seconds=posted - begun,
        median_ms=taken[len(taken) // 2] * 1000,
        slowest_ms=taken[-1] * 1000,
        drained=drained,
        lost=len(wanted - surveys.keys()),
        twice=sum(count - 1 for count in surveys.values()),
    )


def _surveys(desk: "Desk", wanted: set[str]) -> Counter[str]:
    from place import fetch

    sent = json.loads(fetch(desk.stack.mails))["messages"]
    found = (mail for account in sent.values() for mail in account if mail["To"][0] in wanted)
    # A reminder follows within seconds there; it is the same question and no second survey.
    return Counter(mail["To"][0] for mail in found if not mail["Subject"].startswith("Reminder"))


def _duplicates(desk: "Desk", times: int) -> Duplicates:
    body = desk.close("duplicate")
    with ThreadPoolExecutor(16) as several:
        answers = Counter(
            f"{status} {said}" for status, said in several.map(lambda _: desk.post(body), range(times))
        )
    address = {desk.address("duplicate")}
    end = time.monotonic() + PATIENCE
    while not _surveys(desk, address) and time.monotonic() < end:
        time.sleep(1)
    time.sleep(5)
    items = [key for key in desk.items("duplicate") if key.startswith("FOLLOW_UP#")]
    return Duplicates(times, dict(answers), len(items), _surveys(desk, address).total())


@contextmanager
def _stack() -> "Iterator[Desk]":
    environment = {**os.environ, "FOLLOWTHROUGH_HOME": str(HOME)}
    environment.pop("AWS_ENDPOINT_URL", None)
    infra = ROOT / "infra/local"
    subprocess.run([sys.executable, str(infra / "up.py")], env=environment, check=True)
    try:
        os.environ["FOLLOWTHROUGH_HOME"] = str(HOME)
        from desk import Desk
        from place import read_stack

        stack = read_stack()
        assert stack, "the stack is up and has no stack.json"
        yield Desk(stack, run=secrets.token_hex(3))
    finally:
        subprocess.run([sys.executable, str(infra / "down.py")], env=environment, check=True)


# --- all in one minute -----------------------------------------------------------------------------------------------


def measure_minute(follow_ups: int, rate: float) -> SameMinute:
    """Everything is due at once: the clock queues it, two senders work it off at SES's rate, a tick every minute."""
    import builders
    from adapters import clock, mailer, secret_store, settings_store
    from benchmark.memory import Memory, in_memory

    memory = Memory({"LinkKeys": json.dumps({"current": "a key that signs", "retired": []})}, rate=rate)
    run = _Minute(memory, builders.START)
    with pytest.MonkeyPatch.context() as patch, in_memory(memory):
        patch.setattr(clock, "now", lambda: run.now)
        patch.setattr("adapters.mailer.time.monotonic", lambda: run.now.timestamp())
        patch.setattr("adapters.mailer.time.sleep", run.sleep)
        settings_store.forget()
        secret_store.forget()
        mailer._pace.clear()
        mailer._rate.clear()
        try:
            return run.work(follow_ups, rate)
        finally:
            settings_store.forget()
            secret_store.forget()
            mailer._pace.clear()
            mailer._rate.clear()


class _Minute:
    """Hands keys from queue to queue; the senders' own pauses move the clock."""

    def __init__(self, memory: "Memory", now: datetime) -> None:
        self.memory, self.now = memory, now
        self.sent: list[tuple[datetime, str]] = []

    def sleep(self, seconds: float) -> None:
        """Time passes while a sender keeps its pace; two of them share it, so half of it for each."""
        self.now += timedelta(seconds=seconds / 2)

    def work(self, follow_ups: int, rate: float) -> SameMinute:
        import apply_settings
        import builders
        import run_clock
        import send_message
        import take_next_step
        from benchmark.growth import _open
        from world import LambdaContext

        memory, begun = self.memory, self.now
        apply_settings.apply(
            builders.settings(digest_every=timedelta(weeks=500)), "followthrough-test", builders.URL, begun
        )
        due_at = {}
        for number in range(follow_ups):
            due = begun + timedelta(seconds=number * 59 // follow_ups)
            _open(memory, f"t-{number}", begun - timedelta(days=1), due)
            due_at[f"t-{number}@a.example"] = due
        self.now = begun + timedelta(minutes=1)
        next_tick, most = self.now, 0
        due_queue, send_queue = memory.queues["DueQueue"], memory.queues["SendQueue"]
        context = LambdaContext("run_clock", 60_000)
        while len(self.sent) < follow_ups and self.now < begun + timedelta(hours=12):
            if self.now >= next_tick:
                run_clock.handler({}, context)
                next_tick += timedelta(minutes=1)
            for queue, size, function in ((due_queue, 10, take_next_step), (send_queue, 5, send_message)):
                most = max(most, len(queue))
                batch = [queue.pop(0)[0] for _ in range(min(size, len(queue)))]
                if batch:
                    before = len(memory.mails)
                    event = builders.records(function.__name__, batch)
                    assert function.handler(event, LambdaContext(function.__name__)) == {
                        "batchItemFailures": []
                    }
                    self.sent += [
                        (self.now, mail["Destination"]["ToAddresses"][0]) for mail in memory.mails[before:]
                    ]
            if not due_queue and not send_queue:
                self.now = max(self.now, next_tick)
        return self._told(follow_ups, rate, begun, due_at, most)

    def _told(
        self, follow_ups: int, rate: float, begun: datetime, due_at: dict[str, datetime], most: int
    ) -> SameMinute:
        times = Counter(address for _, address in self.sent)
        seconds = Counter(int((at - begun).total_seconds()) for at, _ in self.sent)
        latest, late = begun, 0
        for _, address in self.sent:
            late += due_at[address] < latest - timedelta(minutes=1)
            latest = max(latest, due_at[address])
        # A batch's mails carry the instant of its end: the fastest second is smoothed over ten.
        windows = [sum(seconds[at + n] for n in range(10)) / 10 for at in seconds]
        return SameMinute(
            follow_ups=follow_ups,
            rate=rate,
            minutes=(self.now - begun).total_seconds() / 60,
            fastest=max(windows),
            out_of_order=late,
            twice=sum(count - 1 for count in times.values()),
            unsent=follow_ups - len(times),
            queued_most=most,
        )


if TYPE_CHECKING:
    from benchmark.memory import Memory
