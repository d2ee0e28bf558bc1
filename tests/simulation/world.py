"""One world: the real Lambdas on the model of AWS, a clock that jumps, and faults that one seed decides.

Every invocation is a greenlet that gives way at each AWS call, so invocations interleave at every call as Lambdas do on
many machines, and yet one seed always gives the same run. Whether a fault strikes is a hash of the seed and of what it
would strike (``send_message SendEmail TICKET#acme#7 #2``), not of a running number: taking one fault away leaves the
others where they were, which is what makes shrinking work.
"""

import hashlib
import heapq
import importlib
import inspect
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zlib import crc32

from aws_lambda_powertools.utilities.batch import BatchProcessor
from botocore.client import BaseClient
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from adapters import chat, clock, helpdesk_api, mailer, secret_store, settings_store, table, telemetry
from blueprint import function_of, functions, readers, resources, stream_filters
from domain.follow_up import Obstacle
from helpdesks.calls import Request
from messages import compose, pages, text
from messages.compose import Note
from simulation.sim_aws import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    Bucket,
    Change,
    PostOffice,
    Queue,
    Queued,
    Table,
    refusal,
)

greenlets: Any = importlib.import_module("greenlet")  # it has no types
CALL_FAULTS = ("throttle", "lost_before", "lost_after", "crash_before", "crash_after")
ACTIVE = 0.25
_MASK = 2**64 - 1
RATES, MOST = (0.01, 0.03, 0.12), 0.15
RARE = {
    "SendEmail": 3,
    "GetAccount": 3,
    "TransactWriteItems": 12,
    "BatchGetItem": 4,
    "GetObject": 8,
    "ChatPost": 6,
    "HelpdeskCall": 6,
}
"""Calls that are rare: their faults are active in twice as many worlds, and strike so many times as often."""
OUTAGES = ("dynamodb", "sqs", "sesv2", "secretsmanager", "s3", "tick")
Done = Callable[[Any], None]


class Crash(BaseException):
    """Lambda ends the process here; a BaseException, so that no ``except Exception`` can swallow it."""


class Unmodelled(BaseException):
    """The code called something that the model of AWS does not know."""


@dataclass
class Container:
    """What one warm process of a Lambda remembers between invocations."""

    settings: Any = None
    secrets: dict[str, Any] = field(default_factory=dict)
    pace: dict[str, float] = field(default_factory=dict)
    rate: dict[str, Any] = field(default_factory=dict)
    resting: dict[str, Any] = field(default_factory=dict)
    called_ses: int = 0


@dataclass(eq=False)
class Invocation:
    """One Lambda at work; its attributes from ``function_name`` on are what Lambda gives a handler beside the event."""

    world: "World"
    function: str
    event: Any
    started: int
    deadline: int
    container: Container
    done: Done
    skew: int = 0
    greenlet: Any = None
    mails: list[str] = field(default_factory=list)
    """Ids of mails whose reply came back."""
    function_name: str = ""
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:simulated"
    aws_request_id: str = "52fdfc07-2182-454f-963f-5f0f9a621d72"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""
        return (self.deadline - self.world.now) // 1000

    def now(self) -> datetime:
        """This machine's clock."""
        return instant(self.world.now + self.skew)


@dataclass
class Shard:
    """A stream's shard: changes in order, and how far they were read."""

    records: list[dict[str, Any]] = field(default_factory=list)
    busy: bool = False
    tries: int = 0
    size: int = 0
    stalled_until: int = 0


def instant(at: int) -> datetime:
    """A moment of the simulation as Python knows it."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)


def micros(at: datetime) -> int:
    """The other way round."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def matches(pattern: Any, value: Any) -> bool:
    """Lambda's filter patterns, as far as the template uses them."""
    if isinstance(pattern, list):
        return value in pattern
    return isinstance(value, dict) and all(matches(inner, value.get(name)) for name, inner in pattern.items())


class World:
    """Events in the order of their time, AWS between the Lambdas, and faults."""

    def __init__(
        self,
        seed: int,
        start: datetime,
        chaos: int,
        allowed: frozenset[str] | None = None,
        secrets: dict[str, Any] | None = None,
    ) -> None:
        self.seed, self.allowed, self.secrets = seed, allowed, secrets or {}
        self._salt = int.from_bytes(hashlib.blake2b(str(seed).encode(), digest_size=8).digest())
        self.now = micros(start)
        self.chaos_until = self.now + chaos
        self.current: Invocation | None = None
        self.finished: Invocation | None = None
        self.fired: dict[str, None] = {}
        self.reached: Counter[str] = Counter()
        self.unsure: Counter[str] = Counter()
        """Of how many calls about the same thing nobody heard the outcome; for a mail that is its tag."""
        self.calls = self.invocations = self.pending = self.redriven = 0
        self._trace = hashlib.blake2b(digest_size=16)
        self._seen: Counter[str] = Counter()
        self._rates: dict[str, float] = {}
        self._heap: list[tuple[int, float, int, bool, str, Callable[..., None], tuple[Any, ...]]] = []
        self._order = self._ids = self._next_tick = 0
        self._hub = greenlets.getcurrent()
        self.given_up: set[tuple[str, str]] = set()
        """Items of which a change was never reacted to."""
        self.slowest_change = 0
        """How long a change waited at most until it was reacted to."""
        self.crashed: dict[str, list[int]] = defaultdict(list)
        """When processes ended, by Lambda: what they remembered is gone."""
        self._idle: dict[str, list[Container]] = defaultdict(list)
        self._running: Counter[str] = Counter()
        self._outages = [
            (service, self.now + int(self.unit(f"outage at {service}") * chaos), self._outage_length(service))
            for service in OUTAGES
            if self.unit(f"outage {service}") < 0.1
        ]
        self.calm_from = max([self.chaos_until, *(start + length for _, start, length in self._outages)])
        """When nothing fails any more: an outage that began before ``chaos_until`` may last longer."""
        self._skews = [
            (
                self.now + int(self.unit(f"skew at {n}") * chaos),
                int((self.unit(f"skew {n}") - 0.5) * 8 * MINUTE),
            )
            for n in range(3)
            if self.unit(f"skewed {n}") < ACTIVE
        ]
        self.table = Table(self.tell_now, self._changed, self._lag)
        if self.unit("small pages") < ACTIVE:
            self.table.page = 3
        self.ses = PostOffice(self.tell_now)
        self.bucket = Bucket()
        self.queues = {name: Queue(self.tell_now) for name in resources("AWS::SQS::Queue")}
        for name, properties in resources("AWS::SQS::Queue").items():
            if redrive := properties.get("RedrivePolicy"):
                queue = self.queues[name]
                queue.visibility = properties["VisibilityTimeout"] * SECOND
                queue.most_receives = redrive["maxReceiveCount"]
                queue.dead = self.queues[redrive["deadLetterTargetArn"].partition(".")[0]]
                queue.sent = lambda message, name=name: self._ready(name, message)  # type: ignore[misc]
        self.shards = [Shard(), Shard()]
        self.handled: Callable[[str, Queued], None] = lambda *_: None
        """Told of every queued message that a Lambda finished without complaint."""
        self.changed: Callable[[Change], None] = lambda _: None
        self.posted: Callable[[Note], None] = lambda _: None
        """Told of every note that a chat took."""
        self.helpdesk: Callable[[Request], tuple[int, dict[str, str], bytes]] = _nobody
        """Answers whatever a helpdesk's API is asked."""

    # --- time -------------------------------------------------------------------------------------------------------

    def tell_now(self) -> int:
        """The true time, which nobody in the system knows."""
        return self.now

    def at(self, delay: int, name: str, do: Callable[..., None], *arguments: Any, duty: bool = True) -> None:
        """Something happens later; at the same instant the seed decides the order. ``duty``: the end waits for it."""
        self._order += 1
        self.pending += duty
        tie = self.unit(f"tie {name} {self._order}")
        heapq.heappush(self._heap, (self.now + max(delay, 0), tie, self._order, duty, name, do, arguments))

    def run(self, until: Callable[[], bool]) -> None:
        """Let everything happen until nothing is left or ``until`` holds."""
        while self._heap and not until():
            self.now, _, _, duty, name, do, arguments = heapq.heappop(self._heap)
            self.pending -= duty
            self.note(name)
            do(*arguments)

    def pause(self, duration: int) -> None:
        """The running Lambda waits, and others go on; it is over when its time is."""
        inv = self.current
        assert inv
        self.at(duration, f"go on {inv.function}", self._resume, inv)
        inv.container.settings = settings_store._kept
        self._hub.switch()
        if self.now >= inv.deadline:
            self.note("time is up")
            raise Crash

    @property
    def clocks_agree(self) -> bool:
        """Whether no machine's clock is ever wrong in this world."""
        return not self._skews

    def note(self, what: str) -> None:
        """Into the hash that proves that a seed gives the same run."""
        self._trace.update(f"{self.now} {what}\n".encode())

    @property
    def trace(self) -> str:
        """The hash of everything that happened."""
        return self._trace.hexdigest()

    # --- chance -----------------------------------------------------------------------------------------------------

    def unit(self, label: str) -> float:
        """A number from 0 to 1 that depends on the seed and the label only.

        A checksum alone would not do: it is linear, so that two labels would go together in every world or in none.
        """
        mixed = crc32(label.encode()) * 0x9E3779B97F4A7C15 ^ self._salt
        mixed = ((mixed & _MASK) ^ (mixed & _MASK) >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _MASK
        return (mixed >> 11) / 2**53

    def draw(self, label: str) -> float:
        """Like ``unit``, another one each time."""
        self._seen[label] += 1
        return self.unit(f"{label} #{self._seen[label]}")

    def strikes(self, point: str, label: str, factor: float = 1.0) -> bool:
        """Whether a fault strikes here; a point is active in a quarter of the worlds, in each at its own rate."""
        if self.now >= self.chaos_until or not (rate := self._rate(point)):
            return False
        self._seen[f"{point} {label}"] += 1
        name = f"{point} {label} #{self._seen[f'{point} {label}']}"
        return self.unit(name) < rate * factor and self.strike(point, name)

    def strike(self, point: str, name: str) -> bool:
        """A fault, unless shrinking took it away."""
        if self.allowed is not None and name not in self.allowed:
            return False
        if name not in self.fired:
            self.fired[name] = None
            self.reached[point] += 1
        self.note(name)
        return True

    def _rate(self, point: str) -> float:
        if point not in self._rates:
            times = RARE.get(point.partition("/")[0], 0)
            active = self.unit(f"active {point}") < (2 * ACTIVE if times else ACTIVE)
            rate = RATES[int(self.unit(f"rate {point}") * len(RATES))] * (times or 1)
            self._rates[point] = min(rate, MOST) if active else 0.0
        return self._rates[point]

    def _outage_length(self, service: str) -> int:
        longest = 6 * HOUR if service == "tick" else 90 * MINUTE
        return int((0.1 + 0.9 * self.unit(f"outage length {service}")) * longest)

    def _is_out(self, service: str, what: str) -> bool:
        return any(
            service == out
            and start <= self.now < start + length
            and self.unit(f"out {what} {self.now}") < 0.9
            for out, start, length in self._outages
        ) and self.strike(f"outage/{service}", f"outage/{service} {instant(self.now):%d %H:%M}")

    # --- Lambda -----------------------------------------------------------------------------------------------------

    def invoke(self, function: str, event: Any, done: Done = lambda _: None) -> None:
        """Start one Lambda; ``done`` gets its result, or None when it failed or ended early."""
        idle = self._idle[function]
        properties = functions()[function]
        inv = Invocation(
            self,
            function,
            event,
            self.now,
            self.now + properties["Timeout"] * SECOND,
            idle.pop() if idle else Container(),
            done,
            function_name=function,
        )
        inv.skew = sum(skew for at, skew in self._skews if at <= self.now < min(at + DAY, self.chaos_until))
        if inv.skew and not self.strike("clock/step", f"clock/step {instant(self.now):%d %H}"):
            inv.skew = 0
        inv.greenlet = greenlets.greenlet(self._work, self._hub)
        self.invocations += 1
        self._resume(inv)

    def _resume(self, inv: Invocation) -> None:
        self.current = inv
        held = inv.container
        settings_store._kept = held.settings
        secret_store._cache, mailer._pace, mailer._rate = held.secrets, held.pace, held.rate
        helpdesk_api._resting = held.resting
        inv.greenlet.switch(inv)
        self.current = None

    def _work(self, inv: Invocation) -> None:
        module = importlib.import_module(inv.function)
        if known := getattr(module, "processor", None):
            module.processor = BatchProcessor(event_type=known.event_type)  # type: ignore[attr-defined]
        result = None
        try:
            result = inspect.unwrap(module.handler)(inv.event, inv)
            inv.container.settings = settings_store._kept
            self._idle[inv.function].append(inv.container)
        except Crash:
            self.note(f"{inv.function} crashed")
            self.crashed[inv.function].append(self.now)
        except Exception as error:
            self.note(f"{inv.function} failed: {type(error).__name__}")
            self._idle[inv.function].append(inv.container)
        self.current, self.finished = None, inv
        inv.done(result)

    # --- calls ------------------------------------------------------------------------------------------------------

    def call(self, client: Any, operation: str, request: dict[str, Any]) -> Any:
        """Every call of an AWS service by anybody ends here; the SDK's own retries are made here as its client says."""
        inv, service = self.current, client.meta.service_model.service_name
        if inv is None:
            return self._perform(service, operation, request, "")
        self.calls += 1
        self._ids += 1
        kind = "QueryIndex" if "IndexName" in request else operation
        what, token = f"{inv.function} {kind} {_about(operation, request)}", f"token-{self._ids}"
        fault, reach = self._call_fault(kind, what)
        error: Exception = AssertionError("a client makes at least one attempt")
        for attempt in range(client.meta.config.retries["total_max_attempts"]):
            self.pause(int(2000 + 20_000 * self.draw("latency")))
            now = "throttle" if self._is_out(service, what) else fault if attempt < reach else None
            if now in {None, "lost_after", "crash_after"}:
                try:
                    self.note(what)
                    answer = self._perform(service, operation, request, token)
                    if now is None:
                        inv.mails += [answer["MessageId"]] if operation == "SendEmail" else []
                        return answer
                except Exception as refused:
                    if now is None:
                        raise
                    self.note(f"a lost refusal: {type(refused).__name__}")
            if now in {"crash_before", "crash_after"}:
                self.unsure[_about(operation, request)] += 1
                raise Crash
            error = self._trouble(str(now), service, operation, int(client.meta.config.read_timeout * SECOND))
            if now != "throttle" and not isinstance(error, EndpointConnectionError):
                self.unsure[_about(operation, request)] += 1
            self.pause(int(self.draw("back-off") * 2**attempt * SECOND))
        raise error

    def post(self, address: str, note: Note) -> None:
        """A chat: no SDK tries again, and nothing tells later what became of a post."""
        inv = self.current
        assert inv
        assert address == self.secrets["ChatAddresses"]["owners"]
        self.calls += 1
        self.pause(int(2000 + 200_000 * self.draw("latency")))
        fault, _ = self._call_fault("ChatPost", f"{inv.function} ChatPost {note.title}")
        if fault == "throttle" or (fault == "lost_before" and self.draw("way chat") < 0.5):
            raise chat.NotPosted("too many posts")
        if fault in {None, "lost_after", "crash_after"}:
            self.note(f"posted {note.title}")
            self.posted(note)
        if fault in {"crash_before", "crash_after"}:
            raise Crash
        if fault:
            self.pause(4 * SECOND)
            raise chat.Unknown("no reply")

    def exchange(
        self, request: Request, base: str, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        """A helpdesk's API: one request, and nothing that tries again below the product's own code."""
        inv = self.current
        assert inv
        self.calls += 1
        self.pause(int(20_000 + 400_000 * self.draw("latency")))
        what = f"{inv.function} {request.method} {request.path.partition('?')[0]}"
        fault, _ = self._call_fault("HelpdeskCall", f"HelpdeskCall {what}")
        if fault == "throttle":
            wait = str(int(1800 * self.draw("retry after")))
            return (429, {"retry-after": wait}, b"") if self.draw("way 429") < 0.7 else (401, {}, b"")
        answer = None
        if fault in {None, "lost_after", "crash_after"}:
            self.note(what)
            answer = self.helpdesk(request)
            if fault is None:
                return answer
        if fault in {"crash_before", "crash_after"}:
            raise Crash
        self.pause(15 * SECOND)
        if fault == "lost_before" and self.draw("way helpdesk") < 0.4:
            raise helpdesk_api.NotAnswered(Obstacle.UNREACHABLE, "not connected", refused=True)
        if self.draw("way helpdesk") < 0.5:
            return 502, {}, b""
        raise helpdesk_api.NotAnswered(Obstacle.UNREACHABLE, "no reply", refused=False)

    def _trouble(self, fault: str, service: str, operation: str, timeout: int) -> Exception:
        """What the SDK reports of a call that was refused, or of which it knows nothing."""
        way = self.draw(f"way {fault}")
        if fault == "throttle":
            return self._throttled(service, operation)
        if fault == "lost_before" and service == "sesv2" and way < 0.3:
            return EndpointConnectionError(endpoint_url="https://email")
        if fault == "lost_after" and way < 0.3:
            return ConnectionClosedError(endpoint_url=service)
        if fault == "lost_after" and service == "sesv2" and way < 0.5:
            return refusal("InternalServiceErrorException", 500, operation)
        self.pause(timeout)
        return ReadTimeoutError(endpoint_url=service)

    def _call_fault(self, kind: str, what: str) -> tuple[str | None, int]:
        """Which fault strikes this call, and how many of the SDK's attempts it lasts."""
        if self.now >= self.chaos_until:
            return None, 0
        self._seen[what] += 1
        name = f"{what} #{self._seen[what]}"
        chance = self.unit(name)
        for fault in CALL_FAULTS:
            rate = self._rate(f"{kind}/{fault}")
            if chance < rate:
                reach = 1 + int(self.unit(f"reach {name}") * 4)
                return (fault, reach) if self.strike(f"{kind}/{fault}", f"{name} {fault}") else (None, 0)
            chance -= rate
        return None, 0

    def _throttled(self, service: str, operation: str) -> Exception:
        codes = {
            "dynamodb": (("ThrottlingException", 400), ("ProvisionedThroughputExceededException", 400)),
            "sqs": (("RequestThrottled", 403), ("ServiceUnavailable", 503)),
            "sesv2": (("TooManyRequestsException", 429), ("SendingPausedException", 400)),
            "secretsmanager": (("ThrottlingException", 400), ("InternalServiceError", 500)),
            "s3": (("SlowDown", 503), ("InternalError", 500)),
        }[service]
        if operation == "TransactWriteItems" and self.draw("conflict") < 0.5:
            reasons = [{"Code": "TransactionConflict"}]
            return refusal("TransactionCanceledException", 400, operation, CancellationReasons=reasons)
        if operation == "PutItem" and self.draw("conflict") < 0.25:
            return refusal("TransactionConflictException", 400, operation)
        code, status = codes[self.draw("code") < 0.5]
        return refusal(code, status, operation, "slow down")

    def _perform(self, service: str, operation: str, request: dict[str, Any], token: str) -> dict[str, Any]:
        try:
            return self._answer(service, operation, request, token)
        except AssertionError as gap:
            raise Unmodelled(f"{service} {operation}: {gap}") from gap

    def _answer(self, service: str, operation: str, request: dict[str, Any], token: str) -> dict[str, Any]:
        if service == "dynamodb":
            return self.table.call(operation, request, token)
        if service == "sqs":
            return self.queues[request["QueueUrl"].rpartition("/")[2]].call(operation, request)
        if service == "sesv2":
            return self.ses.call(operation, request)
        if service == "s3":
            return self.bucket.call(operation, request)
        assert (service, operation) == ("secretsmanager", "GetSecretValue"), f"{service} {operation}"
        return {"SecretString": json.dumps(self.secrets[request["SecretId"]])}

    # --- the clock --------------------------------------------------------------------------------------------------

    def _changed(self, change: Change) -> None:
        self.changed(change)
        if change.new and "due_at" in change.new:
            self._plan_tick(int(change.new["due_at"]["N"]) * SECOND)
        record = {
            "eventName": "REMOVE" if not change.new else "MODIFY" if change.old else "INSERT",
            "dynamodb": {
                "Keys": {"pk": {"S": change.key[0]}, "sk": {"S": change.key[1]}},
                **({"NewImage": change.new} if change.new else {}),
                **({"OldImage": change.old} if change.old else {}),
                "SequenceNumber": str(self._order + 10**9),
            },
            "at": change.at,
        }
        self._order += 1
        number = crc32(change.key[0].encode()) % len(self.shards)
        if any(matches(pattern, record) for pattern in stream_filters()):
            self.shards[number].records.append(record)
            self.at(int(SECOND * (0.1 + 0.4 * self.draw("poll"))), f"shard {number}", self._read, number)

    def _plan_tick(self, due: int) -> None:
        """EventBridge ticks every minute; a tick that would find nothing changes nothing and is left out."""
        first = max(self.now // MINUTE + 1, due // MINUTE - 1) * MINUTE
        if first < self._next_tick or self._next_tick <= self.now:
            self._next_tick = first
            self.at(first - self.now, "tick", self._tick, first, duty=False)

    def _tick(self, planned: int) -> None:
        if planned != self._next_tick:
            return
        self._next_tick = 0
        if (first := min((at for _, at in self.table.due.values()), default=None)) is None:
            return
        self._plan_tick(first)
        if first > self.now + 2 * MINUTE:
            return
        if self._is_out("tick", "tick") or self.strikes("tick/lost", "tick", 3):
            return
        for _ in range(1 + self.strikes("tick/duplicate", "tick")):
            self.invoke("run_clock", {})

    def _lag(self) -> int:
        return int(5 * SECOND * self.draw("lag")) if self.strikes("index/late", "write", 4) else 0

    # --- queues -----------------------------------------------------------------------------------------------------

    def _ready(self, name: str, message: Queued) -> None:
        label = f"{name} {message.body}"
        if name in {"DueQueue", "SendQueue", "ChatQueue", "FetchQueue", "WriteBackQueue"} and self.strikes(
            "queue/lost", label, 0.5
        ):
            self.queues[name].messages.remove(message)
            return
        if self.strikes("queue/late", label):
            message.ready_at += int(20 * MINUTE * self.draw("late"))
        if self.strikes("queue/twice", label):
            self.queues[name].send(message.body, int(10 * MINUTE * self.draw("twice")))
        self._poll_later(name, message.ready_at - self.now)

    def _poll_later(self, name: str, delay: int) -> None:
        jitter = int(SECOND * 0.2 * self.draw("jitter"))
        self.at(delay + jitter, f"poll {name}", self._poll, name)

    def _poll(self, name: str) -> None:
        reader = readers()[name]
        if self._running[name] >= reader["ScalingConfig"]["MaximumConcurrency"]:
            return
        queue = self.queues[name]
        if self.strikes("queue/reordered", name):
            queue.messages.sort(key=lambda message: self.unit(f"order {message.id}"))
        batch = queue.receive(1 + int(reader["BatchSize"] * self.draw("batch")))
        if not batch:
            return
        self._running[name] += 1
        records = [
            {"messageId": m.id, "body": m.body, "eventSource": "aws:sqs", "attributes": {}} for m in batch
        ]
        function = function_of(reader["FunctionName"])
        self.invoke(function, {"Records": records}, lambda result: self._worked_off(name, batch, result))

    def _worked_off(self, name: str, batch: list[Queued], result: Any) -> None:
        self._running[name] -= 1
        failed = {entry["itemIdentifier"] for entry in result["batchItemFailures"]} if result else None
        # Of two copies in one batch, one of which failed, nobody can say which one did the work.
        unfinished = {message.body for message in batch if failed is None or message.id in failed}
        for message in batch:
            if failed is None or message.id in failed:
                self._poll_later(name, message.ready_at - self.now)
            else:
                if message.body not in unfinished:
                    self.handled(name, message)
                if self.strikes("queue/not_deleted", f"{name} {message.body}"):
                    self._poll_later(name, message.ready_at - self.now)
                else:
                    self.queues[name].delete(message)
        if self.queues[name].waiting():
            self._poll_later(name, 0)

    # --- the stream -------------------------------------------------------------------------------------------------

    def _read(self, number: int) -> None:
        shard, mapping = self.shards[number], readers()["Table"]
        if shard.busy or not shard.records:
            return
        if self.now < shard.stalled_until:
            self.at(shard.stalled_until - self.now, f"shard {number}", self._read, number)
            return
        if self.strikes("stream/stalled", f"shard {number}", 0.2):
            shard.stalled_until = self.now + int(15 * MINUTE + 4 * HOUR * self.draw("stall"))
            self._read(number)
            return
        oldest = self.now - mapping["MaximumRecordAgeInSeconds"] * SECOND
        while shard.records and shard.records[0]["at"] < oldest:
            self._give_up(shard)
        size = shard.size or mapping["BatchSize"]
        batch = shard.records[: 1 + int(size * self.draw("batch"))]
        if not batch:
            return
        shard.busy = True
        self.invoke(
            "react_to_change", {"Records": batch}, lambda result: self._reacted(number, batch, result)
        )

    def _reacted(self, number: int, batch: list[dict[str, Any]], result: Any) -> None:
        shard = self.shards[number]
        shard.busy = False
        failed = {entry["itemIdentifier"] for entry in result["batchItemFailures"]} if result else None
        done = 0
        while failed is not None and done < len(batch):
            if batch[done]["dynamodb"]["SequenceNumber"] in failed:
                break
            done += 1
        wait = 0
        if done == len(batch):
            shard.tries = shard.size = 0
            if self.strikes("stream/checkpoint_lost", f"shard {number}", 3):
                done, wait = 0, int(20 * MINUTE * self.draw("again"))
        else:
            shard.tries = 0 if done else shard.tries + 1
            shard.size = max(1, (len(batch) - done) // 2)
            wait = min(SECOND << shard.tries, MINUTE)
            if shard.tries > readers()["Table"]["MaximumRetryAttempts"]:
                self._give_up(shard)
                shard.tries = 0
        self.slowest_change = max(
            self.slowest_change, *(self.now - record["at"] for record in batch[:done]), 0
        )
        del shard.records[:done]
        if shard.records:
            self.at(wait + SECOND // 10, f"shard {number}", self._read, number)

    def _give_up(self, shard: Shard) -> None:
        """What failed too often: the queue of the dead gets where it was, not the change itself."""
        keys = shard.records.pop(0)["dynamodb"]["Keys"]
        self.given_up.add((keys["pk"]["S"], keys["sk"]["S"]))
        self.queues["ChangeDeadLetters"].send(json.dumps({"DDBStreamBatchInfo": {}}))
        self.reached["stream/given_up"] += 1

    # --- the end ----------------------------------------------------------------------------------------------------

    def redrive(self) -> None:
        """An operator sends everything dead back to where it came from; changes and ticks need no redrive."""
        for queue in self.queues.values():
            dead = queue.dead.messages if queue.dead else []
            self.redriven += len(dead)
            for message in dead.copy():
                dead.remove(message)
                queue.send(message.body)
        for name in ("ChangeDeadLetters", "ClockDeadLetters"):
            self.queues[name].messages.clear()


def _about(operation: str, request: dict[str, Any]) -> str:
    if operation in {"GetItem", "PutItem"}:
        key = request.get("Key") or request["Item"]
        return f"{key['pk']['S']} {key['sk']['S']}"
    if operation == "Query":
        return str(request["ExpressionAttributeValues"][":0"]["S"])
    if operation == "Scan":
        return str(request.get("ExclusiveStartKey", {}).get("pk", {}).get("S", "all"))
    if operation == "TransactWriteItems":
        return " ".join(_about("PutItem", entry["Put"]) for entry in request["TransactItems"])
    if operation == "SendEmail":
        return str(request["EmailTags"][0]["Value"])
    if operation == "BatchGetItem":
        ((_, wanted),) = request["RequestItems"].items()
        return str(min(key["pk"]["S"] for key in wanted["Keys"]))
    named = (request.get(name) for name in ("QueueUrl", "SecretId", "Key"))
    return str(next(filter(None, named), "")).rpartition("/")[2]


def _nobody(request: Request) -> tuple[int, dict[str, str], bytes]:
    raise Unmodelled(f"no helpdesk has an API here: {request.method} {request.path}")


class _Random:
    """SystemRandom of send_message."""

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * _world().draw("uniform")


class _Time:
    """The ``time`` module of adapters.mailer."""

    @staticmethod
    def monotonic() -> float:
        return _world().now / SECOND

    @staticmethod
    def sleep(seconds: float) -> None:
        _world().pause(int(seconds * SECOND))


_worlds: list[World] = []


def _world() -> World:
    return _worlds[-1]


@contextmanager
def hands_of(world: World) -> Iterator[None]:
    """Everything that the code takes from outside comes from this world: AWS, time, identifiers, chance."""
    fill: Callable[..., str] = text.fill

    def now() -> datetime:
        return world.current.now() if world.current else instant(world.now)

    def new_id() -> str:
        world._ids += 1
        return hashlib.md5(f"{world.seed} {world._ids}".encode(), usedforsecurity=False).hexdigest()

    def call(self: BaseClient, operation: str, request: dict[str, Any]) -> Any:
        return world.call(self, operation, request)

    def text_only(template: str, *given: Any, **more: Any) -> str:
        return f"<p>{template}" if template.endswith(".html.jinja") else fill(template, *given, **more)

    replaced: list[tuple[Any, str, Any]] = [
        (BaseClient, "_make_api_call", call),
        (clock, "now", now),
        (clock, "new_id", new_id),
        *(
            (importlib.import_module(name), "SystemRandom", _Random)
            for name in ("send_message", "post_to_chat")
        ),
        (chat, "post", world.post),
        (helpdesk_api, "_exchange", world.exchange),
        (mailer, "time", _Time),
        # The same text is always the same record, and records never change: most items are read many times.
        (table, "decode", lru_cache(1024)(table.decode)),
        # Few closures on a page, so that walking through a cause's customers takes many steps.
        (importlib.import_module("adapters.tellings"), "PAGE", 2),
        # One world in ten renders its pages; they take a third of the time.
        *((module, "fill", text_only if world.seed % 10 else fill) for module in (compose, pages)),
        *(
            (module, name, {})
            for module, name in (
                (secret_store, "_cache"),
                (mailer, "_pace"),
                (mailer, "_rate"),
                (helpdesk_api, "_resting"),
            )
        ),
    ]
    before = [(where, name, getattr(where, name)) for where, name, _ in replaced]
    settings_store.forget()
    _worlds.append(world)
    for where, name, value in replaced:
        setattr(where, name, value)
    try:
        yield
    finally:
        _worlds.pop()
        for where, name, value in before:
            setattr(where, name, value)
        settings_store.forget()


def silence() -> None:
    """No log lines and no metrics, and settings read less often: most of the time would go there."""

    def nothing(*_: Any, **__: Any) -> None:
        """Instead of a metric."""

    telemetry.logger.setLevel("CRITICAL")
    provider: Any = telemetry.metrics.provider
    provider.add_metric = provider.flush_metrics = nothing
    settings_store.FRESH = timedelta(hours=6)
