"""Requests that nobody would send, through the real handler: none may fail on our side, no forgery may get in.

    make fuzz COUNT=100000 SEED=1

The edges are replaced in memory (settings, secrets, table), everything between them is what ships. Half of the
requests are genuine, with a body that was damaged before it was signed: they must be answered as taken in, whatever
they hold. The other half is forged or was damaged after it was signed: they must be refused, and nothing stored.
"""

import argparse
import base64
import inspect
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlencode

if __name__ == "__main__":
    os.environ.setdefault("TABLE", "fuzz")
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
    os.environ.setdefault("HOOK_SECRETS", "HookSecrets")

import receive_ticket
from adapters import clock, promises, quarantine, secret_store, settings_store, table, telemetry, tickets
from builders import URL, settings
from domain.errors import Changed
from domain.follow_up import Ticket
from domain.settings import Settings, Source
from helpdesks.preset import PRESETS, preset_of, shipped
from helpdesks.verify import SecretRule, SignatureRule
from senders import Sent, sent

PAYLOADS = Path(__file__).parent / "fixtures" / "payloads"
NOW = datetime(2026, 3, 2, 9, 20, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"a secret of 24 bytes, say").decode()
WRONG = "whsec_" + base64.b64encode(b"somebody else's own secret").decode()
FOLDERS = {"jira": "jira-service-management", "salesforce-outbound-message": "salesforce"}
EVENTS = {"helpscout": "x-helpscout-event", "freescout": "x-freescout-event"}
ODD: tuple[Any, ...] = (
    None,
    "",
    0,
    -1,
    10**30,
    1e308,
    True,
    [],
    {},
    [[]],
    {"id": {"id": []}},
    "\ud800",
    "\x00",
    "ﷺ" * 50,
    "9" * 400,
    "2026-03-02T09:15:42Z",
    "0001-01-01T00:00:00+14:00",
    "-".join(["9999"] * 3),
    "{{ticket.id}}",
    "<b>&amp;",
    "a" * 5000,
)
RAW = (
    b"",
    b"null",
    b"[" * 2000,
    b'{"a":' * 500,
    b"\xff\xfe",
    b"NaN",
    b'{"a":1,"a":2}',
    b"\x00" * 50,
    b"a=b&a=c",
    b"<a/>",
)


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What came of a run."""

    requests: int
    genuine: int
    forged: int
    statuses: dict[int, int]
    stored: int
    quarantined: int
    wrong: tuple[str, ...]
    """Each request that was answered as it must not be."""


class Store:
    """The table, as far as the handler uses it: what was written, and optimistic refusals."""

    def __init__(self) -> None:
        self.follow_ups: dict[tuple[str, str, int], Any] = {}
        self.writes = 0
        self.kept = 0

    def save(self, follow_up: Any) -> None:
        """Like ``tickets.save``."""
        closure = follow_up.closure
        key = (closure.source, closure.ticket_id, follow_up.number)
        known = self.follow_ups.get(key)
        if (known.version if known else 0) != follow_up.version:
            raise Changed("another version")
        self.follow_ups[key] = replace(follow_up, version=follow_up.version + 1)
        self.writes += 1

    def load(self, source: str, ticket_id: str) -> tickets.Records:
        """Like ``tickets.load``."""
        found = [known for key, known in self.follow_ups.items() if key[:2] == (source, ticket_id)]
        return tickets.Records(ticket=Ticket(follow_ups=tickets.by_closing(found)))

    def add_reopen(self, reopen: Any, keep_for: timedelta) -> bool:
        """Like ``tickets.add_reopen``; its row is made as the real one, so that what cannot be stored is found."""
        assert keep_for
        assert table.now_text(reopen.reopened_at)
        self.writes += 1
        return True

    def keep(self, source: str, reason: str, body: bytes, received_at: datetime, **more: Any) -> str:
        """Like ``quarantine.keep``."""
        made = quarantine.Kept(
            source=source,
            reason=reason,
            received_at=received_at,
            body=base64.b64encode(body).decode(),
            **more,
        )
        self.kept += 1
        return made.id

    def put_all(self, rows: Any) -> None:
        """Like ``table.put_all``."""
        self.writes += len(rows)


@contextmanager
def in_memory(known: Settings) -> Iterator[Store]:
    """The handler's edges, in this process."""
    store = Store()
    with (
        mock.patch.object(clock, "now", lambda: NOW),
        mock.patch.object(settings_store, "settings", lambda now: known),
        mock.patch.object(settings_store, "is_connecting", lambda source, now: False),
        mock.patch.object(secret_store, "hook_keys", lambda name, now: [SECRET]),
        mock.patch.object(tickets, "save", store.save),
        mock.patch.object(tickets, "load", store.load),
        mock.patch.object(tickets, "row", lambda follow_up: follow_up),
        mock.patch.object(promises, "row", lambda promised: promised),
        mock.patch.object(tickets, "add_reopen", store.add_reopen),
        mock.patch.object(quarantine, "keep", store.keep),
        mock.patch.object(table, "put_all", store.put_all),
        mock.patch.object(receive_ticket, "count", lambda name: None),
    ):
        level = telemetry.logger.log_level
        telemetry.logger.setLevel("CRITICAL")
        try:
            yield store
        finally:
            telemetry.logger.setLevel(level)


def sources() -> dict[str, Source]:
    """Every preset that ships, by each way to verify it."""
    return {
        f"{file.stem}--{way}" if way else file.stem: Source(preset=file.stem, secret="x", verify=way)
        for file in sorted(PRESETS.glob("*.toml"))
        for way in (None, *shipped(file.stem).alternatives)
    }


def samples() -> dict[str, list[bytes]]:
    """The samples of each preset."""
    found = {}
    for name in {str(source.preset) for source in sources().values()}:
        folder = PAYLOADS / FOLDERS.get(name, name)
        found[name] = [file.read_bytes() for file in sorted(folder.iterdir())]
    return found


class Fuzzer:
    """One run; the same seed makes the same requests."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.sources = sources()
        self.samples = samples()

    def body(self, preset: str) -> bytes:
        """A sample as it is, damaged, or something else altogether."""
        raw = self.dice.choice(self.samples[preset])
        damage: tuple[Callable[[bytes], bytes], ...] = (
            bytes,
            self._other_values,
            self._other_values,
            self._other_values,
            self._other_bytes,
            lambda raw: raw[: self.dice.randrange(len(raw) + 1)],
            lambda raw: raw * self.dice.randrange(2, 4),
            lambda _: self.dice.choice(RAW),
            lambda _: self.dice.randbytes(self.dice.randrange(200)),
        )
        return self.dice.choice(damage)(raw)

    def _other_values(self, raw: bytes) -> bytes:
        """JSON with odd values in one to three places."""
        try:
            content = json.loads(raw)
        except ValueError:
            return self._other_bytes(raw)
        for _ in range(self.dice.randrange(1, 4)):
            inner = content
            while isinstance(inner, dict | list) and inner:
                key: Any = self.dice.choice(sorted(inner) if isinstance(inner, dict) else range(len(inner)))
                if not isinstance(inner[key], dict | list) or self.dice.random() < 0.2:
                    inner[key] = deepcopy(self.dice.choice(ODD))
                    break
                inner = inner[key]
        return json.dumps(content, ensure_ascii=self.dice.random() < 0.5).encode("utf-8", "surrogatepass")

    def _other_bytes(self, raw: bytes) -> bytes:
        changed = bytearray(raw)
        for _ in range(self.dice.randrange(1, 6)):
            if changed:
                changed[self.dice.randrange(len(changed))] = self.dice.randrange(256)
        return bytes(changed)

    def forged(self, source: Source, request: Sent, url: str) -> Sent:
        """The request as somebody without the secret could send it."""
        rule = preset_of(source.preset).rule(source.verify)
        kind = self.dice.randrange(6)
        if kind == 0:
            return sent(rule, request.body, WRONG, NOW, url)
        if kind == 1:
            return replace(request, headers={}, target=replace(request.target, query={}))
        if kind == 2 and isinstance(rule, SignatureRule):
            return replace(
                request, body=self._not(request.body, request.body + self.dice.choice((b" ", b"\n", b"0")))
            )
        if kind == 3 and isinstance(rule, SignatureRule) and rule.timestamp_header:
            late = NOW + self.dice.choice((-1, 1)) * (
                rule.tolerance + timedelta(seconds=self.dice.randrange(1, 10**6))
            )
            return sent(rule, request.body, SECRET, late, url)
        if kind == 4:
            junk = "".join(
                self.dice.choice("aZ9+/=,. \x00üv1sha256=") for _ in range(self.dice.randrange(80))
            )
            names = {str(rule.header).lower(): junk} if rule.header else {}
            return replace(
                request, headers={**request.headers, **names}, target=replace(request.target, query={})
            )
        return self._spoilt(rule, request)

    def _spoilt(self, rule: SignatureRule | SecretRule, request: Sent) -> Sent:
        """One character of what proves the sender is another one."""
        if isinstance(rule, SecretRule) and rule.query:
            value = request.target.query[rule.query]
            return replace(
                request, target=replace(request.target, query={rule.query: self._other_character(value)})
            )
        name = self.dice.choice(sorted(request.headers))
        return replace(
            request, headers={**request.headers, name: self._other_character(request.headers[name])}
        )

    def _other_character(self, text: str) -> str:
        place = self.dice.randrange(len(text))
        return text[:place] + ("1" if text[place] != "1" else "2") + text[place + 1 :]

    @staticmethod
    def _not(same: bytes, other: bytes) -> bytes:
        assert same != other
        return other

    def event(self, name: str, preset: str, request: Sent) -> dict[str, Any]:
        """What API Gateway would hand over."""
        encoded = self.dice.random() < 0.3 or not _is_text(request.body)
        body = base64.b64encode(request.body).decode() if encoded else request.body.decode()
        headers = dict(request.headers)
        if preset in EVENTS:
            headers[EVENTS[preset]] = self.dice.choice(
                ("convo.status", "convo.deleted", "helpscout.test", "x", "")
            )
        if preset == "cloudevents" and self.dice.random() < 0.3:
            headers |= {
                "ce-specversion": "1.0",
                "ce-type": "x.ticket.closed",
                "ce-time": "2026-03-02T09:15:42Z",
            }
        query = dict(request.target.query)
        return {
            "version": "2.0",
            "requestContext": {"http": {"method": "POST"}},
            "pathParameters": {"source": name},
            "rawQueryString": urlencode(query),
            "queryStringParameters": query or None,
            "headers": {
                key.title() if self.dice.random() < 0.1 else key: text for key, text in headers.items()
            },
            "isBase64Encoded": encoded,
            "body": body,
        }


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def run(count: int, seed: int) -> Tally:
    """So many requests."""
    fuzzer = Fuzzer(seed)
    handler = inspect.unwrap(receive_ticket.handler)
    known = replace(settings(), sources=fuzzer.sources)
    statuses: Counter[int] = Counter()
    wrong: list[str] = []
    names = sorted(fuzzer.sources)
    genuine = 0
    with in_memory(known) as store:
        for number in range(count):
            name = fuzzer.dice.choice(names)
            source = fuzzer.sources[name]
            preset = str(source.preset)
            rule = shipped(preset).rule(source.verify)
            url = f"{URL}/hooks/{name}"
            request = sent(rule, fuzzer.body(preset), SECRET, NOW, url)
            is_genuine = fuzzer.dice.random() < 0.5
            genuine += is_genuine
            if not is_genuine:
                request = fuzzer.forged(source, request, url)
            if fuzzer.dice.random() < 0.2:
                store.follow_ups.clear()  # a first closing is written in another way than a repeat is known
            before = (store.writes, store.kept)
            status = int(handler(fuzzer.event(name, preset, request), None)["statusCode"])
            statuses[status] += 1
            expected = {200, 202} if is_genuine else {401}
            if is_genuine and preset == "plain":
                expected |= {401}  # a body without its time cannot be told from an old one
            if status not in expected or (not is_genuine and (store.writes, store.kept) != before):
                wrong.append(
                    f"request {number} of seed {seed}: {name}, genuine: {is_genuine}, answered {status}"
                )
    return Tally(
        requests=count,
        genuine=genuine,
        forged=count - genuine,
        statuses=dict(sorted(statuses.items())),
        stored=store.writes,
        quarantined=store.kept,
        wrong=tuple(wrong),
    )


def main(arguments: list[str]) -> int:
    """Run the command; gives the exit code."""
    parser = argparse.ArgumentParser(description="Fuzz the hook.")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    started = time.process_time()
    tally = run(given.count, given.seed)
    sys.stdout.write(
        f"{tally.requests} requests, seed {given.seed}: {tally.genuine} genuine, {tally.forged} forged;"
        f" answers {tally.statuses}; {tally.stored} writes, {tally.quarantined} in quarantine;"
        f" {time.process_time() - started:.0f} s CPU\n"
    )
    for line in tally.wrong[:20]:
        sys.stdout.write(f"WRONG: {line}\n")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
