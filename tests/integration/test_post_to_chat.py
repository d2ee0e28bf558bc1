"""A digest or notice for a chat: claimed, posted once to a receiver on this machine, and never blindly again."""

import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

import samples
import set_chat
import trim_chat
from adapters import chat, outbox, secret_store
from adapters.aws import client
from builders import RAVI, closed, customer, sample, settings
from domain.message import Message
from integration.test_act_on_cause import fixed, question
from messages import compose
from messages.compose import Note
from world import World

A_WEEK, A_MINUTE, AN_HOUR = timedelta(days=7), timedelta(minutes=1), timedelta(hours=1)
TOKEN = "T0kenThatNobodyMaySee"
NOTE = Note(title="Hello", lines=("One", "Two"), link="https://f.example/c/a_b-c.d", label="Open")


@dataclass
class Receiver:
    """A chat: what it was sent, and what it answers to the next posts (200 after those); ``hang`` leaves one open."""

    address: str = ""
    posts: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    plan: list[int | str] = field(default_factory=list)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port of this machine."""
    receiver = Receiver()
    closing = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.paths.append(self.path)
            receiver.posts.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            answer = receiver.plan.pop(0) if receiver.plan else 200
            if answer == "hang":
                closing.wait(10)
                return
            if answer == "hang up":
                return
            self.send_response(int(answer))
            if answer == 302:
                self.send_header("location", f"http://127.0.0.1:{server.server_port}/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    receiver.address = f"json://127.0.0.1:{server.server_port}/{TOKEN}"
    try:
        yield receiver
    finally:
        closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module", autouse=True)
def fast() -> Iterator[None]:
    """apprise waits between posts so that chats do not refuse them; the receiver here takes them at once."""
    from apprise.plugins.custom_json import NotifyJSON

    usual = NotifyJSON.request_rate_per_sec
    NotifyJSON.request_rate_per_sec = 0
    yield
    NotifyJSON.request_rate_per_sec = usual


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A chat of this test's own."""
    with receiving() as made:
        yield made


@pytest.fixture
def channel(world: World, receiver: Receiver) -> Receiver:
    """The channel of Ravi, who owns causes."""
    store({"process-owners": receiver.address})
    known = settings()
    ravi = replace(known.contacts["ravi"], chat="process-owners")
    world.apply(replace(known, contacts={**known.contacts, "ravi": ravi}))
    return receiver


def store(addresses: dict[str, str]) -> None:
    """What set_chat.py stores."""
    client("secretsmanager").put_secret_value(SecretId="ChatAddresses", SecretString=json.dumps(addresses))
    secret_store.forget()


def trouble(world: World, **changed: Any) -> None:
    """Three tickets of one cause from two customers, so that it is repeated."""
    for number in range(3):
        world.hook(closed(str(number), requester=customer(f"c{number % 2}@c.example"), **changed))
    world.settle()


def posts_of(world: World) -> list[Message]:
    """Ravi's messages for the chat."""
    names = [sk for pk, sk in world.items if pk == "OWNER#ravi" and sk.startswith("MESSAGE#chat#")]
    found = [outbox.load("OWNER#ravi", name.removeprefix("MESSAGE#")) for name in sorted(names)]
    return [known for known in found if known]


def test_the_sample_event_posts_what_waits_and_nothing_when_it_is_gone(
    world: World, channel: Receiver
) -> None:
    assert world.invoke("post_to_chat", sample("post_to_chat")) == {"batchItemFailures": []}
    assert channel.posts == []
    trouble(world)
    world.wait(A_WEEK)
    assert [post["title"].partition(",")[0] for post in channel.posts] == [
        "A root cause keeps coming back",
        "Your root causes",
    ]
    assert set(channel.paths) == {f"/{TOKEN}"}
    world.invoke("post_to_chat", sample("post_to_chat"))
    assert len(channel.posts) == 2


def test_r1_a_notice_and_a_digest_are_posted_once_whatever_comes_twice(
    world: World, channel: Receiver
) -> None:
    trouble(world)
    world.wait(A_WEEK)
    posted = len(channel.posts)
    for change in list(world.past_changes):
        world.changes.append(change)
    for message in posts_of(world):
        key = json.dumps({"pk": message.scope, "sk": outbox.sort_key(message.name)})
        world.queue("ChatQueue", key)
        world.queue("DueQueue", key)
    world.settle()
    world.wait(AN_HOUR)
    assert len(channel.posts) == posted == 2


def test_r3_the_chat_says_what_the_mail_says(world: World, channel: Receiver) -> None:
    trouble(world)
    world.wait(A_WEEK)
    (mail,) = [mail for mail in world.mail.to(RAVI) if mail.subject.startswith("Your root causes")]
    sentence = next(line for line in mail.text.splitlines() if line.startswith("Your root causes led to"))
    said = channel.posts[-1]["message"]
    assert sentence in said
    assert said.splitlines()[-1].startswith("Open your root causes: https://")
    assert world.open(said.split()[-1]).status == 200


def test_m1_a_post_whose_reply_is_lost_is_shown_as_unknown_and_not_repeated(
    world: World, channel: Receiver
) -> None:
    channel.plan = ["hang up"]
    trouble(world)
    world.wait(timedelta(hours=3))
    assert len(channel.posts) == 1
    assert [message.delivery.progress for message in posts_of(world) if message.delivery] == ["unknown"]
    assert "nobody knows whether a message went out" in world.log.getvalue()


def test_whoever_dies_between_claim_and_post_leaves_it_unknown(
    world: World, channel: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise RuntimeError("the machine is gone")

    with monkeypatch.context() as broken:
        broken.setattr(chat, "post", die)
        trouble(world)
    assert [message.delivery.progress for message in posts_of(world) if message.delivery] == ["claimed"]
    world.failed.clear()
    world.wait(timedelta(hours=3))
    assert channel.posts == []
    assert [message.delivery.progress for message in posts_of(world) if message.delivery] == ["unknown"]


@pytest.mark.parametrize("status", [429, "refused"])
def test_a_chat_that_takes_nothing_now_is_asked_again(
    world: World, channel: Receiver, status: int | str
) -> None:
    if status == "refused":
        store({"process-owners": "json://127.0.0.1:1/"})
    else:
        channel.plan = [429, 429]
    trouble(world)
    world.wait(A_MINUTE)
    store({"process-owners": channel.address})
    world.wait(AN_HOUR)
    assert len(channel.posts) == (3 if status == 429 else 1)
    assert [message.delivery.progress for message in posts_of(world) if message.delivery] == ["sent"]


def test_a_chat_that_takes_nothing_for_a_day_gets_nothing(world: World, channel: Receiver) -> None:
    store({"process-owners": "json://127.0.0.1:1/"})
    trouble(world)
    world.wait(timedelta(hours=25))
    store({"process-owners": channel.address})
    world.wait(AN_HOUR)
    assert channel.posts == []
    assert [message.cancelled for message in posts_of(world)] == ["too_late"]


@pytest.mark.parametrize(
    ("answer", "progress"),
    [(404, "refused"), (403, "refused"), (302, "refused"), (500, "unknown"), (503, "unknown")],
)
def test_what_an_answer_means(world: World, channel: Receiver, answer: int, progress: str) -> None:
    channel.plan = [answer]
    trouble(world)
    world.wait(timedelta(hours=3))
    assert len(channel.posts) == 1
    assert [message.delivery.progress for message in posts_of(world) if message.delivery] == [progress]
    assert "/elsewhere" not in channel.paths


def test_a_chat_that_does_not_answer_is_left_after_seconds(receiver: Receiver) -> None:
    receiver.plan = ["hang"]
    begun = time.monotonic()
    with pytest.raises(chat.Unknown):
        chat.post(f"{receiver.address}?rto=0.3", NOTE)
    assert time.monotonic() - begun < 5


def test_without_an_address_nothing_is_posted_and_the_mail_goes_out(world: World, channel: Receiver) -> None:
    store({})
    trouble(world)
    assert [message.cancelled for message in posts_of(world)] == ["chat_unknown"]
    assert len(world.mail.to(RAVI)) == 1


def test_the_first_customer_who_still_has_it_is_heard_in_the_chat_as_well(
    world: World, channel: Receiver
) -> None:
    fixed(world)
    world.press(question(world, "c0@c.example"), answer="no", words="<!channel> It is back.")
    world.wait(A_MINUTE)
    (post,) = [post for post in channel.posts if post["title"].startswith("A customer says that")]
    assert "It is back." in post["message"]
    assert "<!channel>" not in post["message"]


def test_the_token_of_a_chat_is_in_no_record_and_no_log(world: World, channel: Receiver) -> None:
    channel.plan = [404, "hang up", 429]
    trouble(world)
    world.wait(A_WEEK)
    assert channel.posts
    assert TOKEN not in world.log.getvalue()
    assert not [item for item in world.scan() if TOKEN in item]


def test_r5_nothing_that_somebody_wrote_steers_a_chat(world: World, channel: Receiver) -> None:
    trouble(
        world, subject="<!channel> @here <@U123> [free](https://evil.example) *bold* `x` http://evil.example"
    )
    said = channel.posts[0]["title"] + channel.posts[0]["message"]
    ours = said.rpartition("Open and acknowledge: ")[0]
    assert "evil" in ours
    for steering in ("<", ">", "@", "[", "]", "*", "`", "_", "~", "|", "://", "evil.example"):
        assert steering not in ours


@pytest.mark.parametrize(
    "address",
    [
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/",
        "workflows://prod-1.logic.azure.com:443/643e69f83c8944/8K4i_xV",
        "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
        "mmosts://chat.example/3ccdd113474722377935511fc85d3dd4",
        "gchat://bWFpbiBhZG1pbg/dG9rZW4/a2V5a2V5",
    ],
)
def test_r5_each_chat_gets_one_harmless_message_with_a_link_that_works(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What apprise would send, caught just before it leaves."""
    import requests

    sent: list[str] = []

    def catch(self: object, request: requests.PreparedRequest, **_: object) -> requests.Response:
        sent.append(str(request.body if isinstance(request.body, str) else (request.body or b"").decode()))
        answer = requests.Response()
        answer.status_code = 200
        answer._content = b"ok"
        return answer

    monkeypatch.setattr(requests.Session, "send", catch)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    line = replace(
        samples.digest().lines[0], name="<!here> @channel *x* [a](//evil.example)", words=("<@U1>" * 50,)
    )
    long = replace(samples.digest(), lines=(line,) * 8, needs=samples.digest().needs * 50)
    chat.post(address, compose.digest_note(long))
    (body,) = sent
    said = json.dumps(json.loads(body), ensure_ascii=False)
    assert samples.CAUSES_LINK in said
    for steering in ("<!", "<@", "&lt;!", "@channel", "@here", "](//", "*x*", "evil.example"):
        assert steering not in said


def test_a_note_is_never_cut_within_a_line() -> None:
    note = compose.digest_note(replace(samples.digest(), needs=samples.digest().needs * 50))
    whole = chat._body(note, 35_000, marked=False).splitlines()
    short = chat._body(note, 1_000, marked=True)
    assert len(short) <= 1_000
    assert short.split("\n\n")[-1] == f"[{note.label}]({note.link})"
    assert set(short.split("\n\n")[:-1]) < set(whole)


# --- the command that stores an address ------------------------------------------------------------------------------


def test_every_kind_of_address_is_known_and_its_module_is_in_the_layer() -> None:
    from apprise.manager_plugins import NotificationManager

    known: Any = NotificationManager()  # type: ignore[no-untyped-call]
    modules = {known[kind].__module__.split(".")[2] for kind in chat.CHATS}
    assert modules == trim_chat.CHATS - {"base", "__init__"}


def test_an_address_is_stored_without_being_shown_and_forgotten_again(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def typed(address: str) -> int:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{address}\n"))
        return set_chat.main(["process-owners", "--secret-id", "ChatAddresses"])

    assert typed(f"json://127.0.0.1:1/{TOKEN}") == 0
    assert typed(f"json://127.0.0.1:1/{TOKEN}") == 0
    assert secret_store.chat_address("process-owners", world.now) == f"json://127.0.0.1:1/{TOKEN}"
    for wrong in (
        f"mailto://{TOKEN}@acme.example",
        f"syslog://{TOKEN}",
        f"https://hooks.example/{TOKEN}",
        TOKEN,
        f"slack://{TOKEN}",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general/#other",
    ):
        assert typed(wrong) == 1, wrong
    assert set_chat.main(["process-owners", "--secret-id", "ChatAddresses", "--remove"]) == 0
    secret_store.forget()
    assert secret_store.chat_address("process-owners", world.now) is None
    shown = capsys.readouterr()
    assert TOKEN not in shown.out + shown.err
    assert "Nothing to change." in shown.out
