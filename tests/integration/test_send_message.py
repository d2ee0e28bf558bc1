"""Sending: claimed, sent once, settled by SES's own reports. Rows M1 to M7 of the faults."""

import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from jinja2 import TemplateRuntimeError

from adapters import mailer, outbox, people, telemetry, tickets
from adapters.aws import client
from builders import (
    A_DAY,
    A_MINUTE,
    A_SECOND,
    AN_HOUR,
    CUSTOMER,
    HANNE,
    RAVI,
    START,
    TEAM,
    URL,
    closed,
    customer,
    records,
    reopened,
    sample,
    settings,
)
from domain.delivery import Delivery, Feedback, Progress
from domain.follow_up import MOST_TOGETHER, FollowUp, State
from domain.message import Kind
from domain.person import suppress
from messages import compose, text
from messages.compose import Mail
from world import BASE_CLIENT, World, refusal

ASK = START + A_DAY
MAIL = Mail(subject="Is ticket 4711 really solved?", text="Is it?", html="<p>Is it?</p>")
HALF_AN_HOUR = timedelta(minutes=30)


def known() -> FollowUp:
    """The follow-up of the one ticket."""
    found = tickets.load("acme", "4711").follow_up(1)
    assert found is not None
    return found


def survey() -> Delivery:
    """The delivery of its survey."""
    found = known().survey
    assert found is not None
    return found


def about_to_be_asked(world: World, *plan: str, reports_get_lost: bool = False) -> None:
    """The closure's survey is due in the next moment, and SES will behave as planned."""
    world.hook(closed())
    world.wait_until(ASK - A_MINUTE * 2)
    world.mail.plan = list(plan)
    world.mail.reports_get_lost = reports_get_lost


def test_the_sample_event_sends_the_survey(world: World) -> None:
    world.hook(closed())
    world.settle()
    world.now = ASK
    assert world.invoke("send_message", sample("send_message")) == {"batchItemFailures": []}
    (mail,) = world.mail.sent
    assert (mail.to, mail.subject) == (CUSTOMER, "Is ticket 4711 really solved?")
    assert f"{mail.link}?a=yes" in mail.text
    assert f"{mail.link}?a=no" in mail.html
    assert known().state == State.ASKED


def test_m1_a_lost_reply_never_sends_twice(world: World) -> None:
    about_to_be_asked(world, "timeout after it was accepted")
    world.wait_until(ASK)
    assert survey().progress in {Progress.SENT, Progress.DELIVERED}
    assert known().state == State.ASKED
    world.wait(2 * AN_HOUR)
    assert len(world.mail.to(CUSTOMER)) == world.mail.calls == 1
    assert "sent or not: unknown" in world.log.getvalue()
    assert world.failed == []


def test_m2_what_was_never_accepted_is_sent_once_after_half_an_hour(world: World) -> None:
    about_to_be_asked(world, "timeout before it was accepted")
    world.wait_until(ASK + 29 * A_MINUTE)
    assert (survey().progress, world.mail.calls) == (Progress.CLAIMED, 1)
    world.wait(3 * A_MINUTE)
    (mail,) = world.mail.to(CUSTOMER)
    assert mail.at >= ASK + HALF_AN_HOUR
    assert (survey().progress, survey().attempts) == (Progress.DELIVERED, 2)


def test_m3_lost_twice_it_is_shown_to_a_person_and_not_sent_a_third_time(world: World) -> None:
    about_to_be_asked(world, "timeout before it was accepted", "broken")
    world.wait_until(ASK + 3 * AN_HOUR)
    assert world.mail.calls - len(world.mail.to(RAVI)) == 2
    assert (known().state, known().reason, survey().progress) == (
        State.NOT_ASKED,
        "delivery_unknown",
        Progress.UNKNOWN,
    )
    assert [mail.subject for mail in world.mail.sent] == ["Delivery unknown: ticket 4711"]


def test_m3_a_mail_whose_reports_are_all_lost_is_resent_once_at_most(world: World) -> None:
    about_to_be_asked(world, *["timeout after it was accepted"] * 3, reports_get_lost=True)
    world.wait_until(ASK + AN_HOUR * 0.9)
    world.mail.reports_get_lost = False
    world.wait(3 * A_DAY)
    assert len(world.mail.to(CUSTOMER)) == 2
    assert [mail.subject for mail in world.mail.to(RAVI)][:1] == ["Delivery unknown: ticket 4711"]


@pytest.mark.parametrize("operation", ["PutItem", "Query"])
def test_m4_a_crash_between_claim_and_settling_neither_loses_nor_doubles_it(
    world: World, operation: str
) -> None:
    about_to_be_asked(world)
    world.settle()
    world.now = ASK
    world.tick()
    take = world.mail.take

    def accept_and_crash(request: dict[str, Any]) -> dict[str, str]:
        world.fail(operation, refusal("InternalServerError", 500, operation), times=5)
        return take(request)

    world.mail.take = accept_and_crash  # type: ignore[method-assign]
    world.settle()
    world.faults.clear()
    world.mail.take = take  # type: ignore[method-assign]
    assert world.failed
    world.failed.clear()
    world.wait(2 * AN_HOUR)
    assert len(world.mail.to(CUSTOMER)) == 1
    assert (known().state, survey().progress) == (State.ASKED, Progress.DELIVERED)


def test_m4_a_crash_before_the_call_is_made_good_after_half_an_hour(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    about_to_be_asked(world)

    def crash(_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(mailer, "keep_pace", crash)
        world.wait_until(ASK)
    assert (world.mail.calls, survey().progress) == (0, Progress.CLAIMED)
    world.failed.clear()
    world.wait(AN_HOUR)
    assert len(world.mail.to(CUSTOMER)) == 1


def test_m4_a_late_writer_is_refused_by_its_claim(world: World) -> None:
    about_to_be_asked(world)
    world.settle()
    world.now = ASK
    take = world.mail.take

    def so_slow_that_the_claim_ends(request: dict[str, Any]) -> dict[str, str]:
        world.mail.take = take  # type: ignore[method-assign]
        world.now += 31 * A_MINUTE
        world.invoke("send_message", sample("send_message"))
        take(request)
        return {"MessageId": "of the late one"}

    world.mail.take = so_slow_that_the_claim_ends  # type: ignore[method-assign]
    try:
        world.invoke("send_message", sample("send_message"))
    except Exception as error:
        assert "a later claim holds this mail" in str(error)
    assert survey().provider_id != "of the late one"
    world.wait(A_MINUTE)
    assert "duplicate_suspected" in world.log.getvalue()


@pytest.mark.parametrize("trouble", ["throttled", "over quota", "no connection"])
def test_m5_a_definite_no_is_no_attempt_and_is_tried_again_later(world: World, trouble: str) -> None:
    about_to_be_asked(world, *[trouble] * 12)
    world.wait_until(ASK + AN_HOUR)
    (mail,) = world.mail.to(CUSTOMER)
    assert survey().attempts == 1
    assert mail.at > ASK + 4 * A_MINUTE
    assert world.queues["SendDeadLetters"] == []


def test_m5_what_waits_for_ses_does_not_multiply_in_the_queue(world: World) -> None:
    about_to_be_asked(world, *["over quota"] * 10_000)
    world.wait_until(ASK + AN_HOUR / 3)
    assert len(world.queues["SendQueue"]) <= 2
    assert world.mail.calls <= 40


def test_a_rejected_mail_is_never_tried_again_and_a_person_is_told(world: World) -> None:
    about_to_be_asked(world, "rejected")
    world.wait_until(ASK + 2 * AN_HOUR)
    assert (known().state, known().reason, survey().progress) == (
        State.NOT_ASKED,
        "refused",
        Progress.REFUSED,
    )
    assert [mail.to for mail in world.mail.sent] == [RAVI]


def test_m7_a_suppressed_address_is_not_called_and_counts_as_not_asked(world: World) -> None:
    people.save(suppress(people.load(CUSTOMER), Feedback.BOUNCE, world.now), None)
    world.hook(closed(requester=customer("ANA@customer.example")))
    world.wait(A_DAY + A_MINUTE)
    assert (known().state, known().reason) == (State.NOT_ASKED, "suppressed")
    assert [mail.to for mail in world.mail.sent] == [RAVI]


def test_m7_the_suppression_is_looked_up_when_it_is_sent(world: World) -> None:
    about_to_be_asked(world)
    world.settle()
    world.now = ASK
    world.tick()
    (queued,) = world.queues["DueQueue"]
    world.invoke("take_next_step", records("take_next_step", [queued.body]))
    people.save(suppress(people.load(CUSTOMER), Feedback.COMPLAINT, world.now), None)
    world.settle()
    world.wait(A_MINUTE * 2)
    assert world.mail.to(CUSTOMER) == []
    assert known().reason == "suppressed"


def test_m12_what_is_not_one_plain_address_is_not_mailed(world: World) -> None:
    hostile = [
        "ana@customer.example,eve@evil.example",
        "ana@customer.example;eve@evil.example",
        "Ana <ana@customer.example>",
        '"ana@customer.example>, <eve"@evil.example',
        "ana@customer.example@evil.example",
        "ana\u202e@customer.example",
        "ana@customer.example\r\nBcc: eve@evil.example",
        "a" * 65 + "@customer.example",
        "ana@[127.0.0.1]",
    ]
    for number, address in enumerate(hostile):
        world.hook(closed(str(number), requester=customer(address)))
    world.wait(A_DAY + AN_HOUR)
    assert {mail.to for mail in world.mail.sent} == {RAVI, HANNE}
    told = {mail.subject for mail in world.mail.to(RAVI)}
    assert {f"Could not be delivered: ticket {number}" for number in range(len(hostile))} <= told


def test_a_key_that_comes_twice_sends_once(world: World) -> None:
    about_to_be_asked(world)
    world.settle()
    world.now = ASK
    body = sample("send_message")["Records"][0]["body"]
    world.invoke("send_message", records("send_message", [body] * 5))
    world.invoke("send_message", sample("send_message"))
    assert world.mail.calls == 1


def test_two_senders_at_once_send_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    about_to_be_asked(world)
    world.settle()
    world.now = ASK
    save, raced = tickets.save, list[bool]()

    def save_after_the_other_one(follow_up: FollowUp) -> Any:
        if not raced:
            raced.append(True)
            world.invoke("send_message", sample("send_message"))
        return save(follow_up)

    monkeypatch.setattr(tickets, "save", save_after_the_other_one)
    world.invoke("send_message", sample("send_message"))
    assert world.mail.calls == 1


def test_a_note_whose_reply_was_lost_is_not_sent_again(world: World) -> None:
    world.press(world.asked(), answer="yes")
    world.mail.plan = ["timeout after it was accepted"]
    world.wait(3 * AN_HOUR)
    assert len(world.mail.to(TEAM)) == 1
    note = outbox.load("TICKET#acme#4711", "0001#note")
    assert note is not None
    assert (note.due_at, note.delivery and note.delivery.progress) == (None, Progress.SENT)


def test_a_note_that_nobody_knows_about_is_tried_twice_at_most(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.press(world.asked(), answer="yes")
    world.mail.plan = ["timeout before it was accepted"] * 5
    world.wait(6 * AN_HOUR)
    note = outbox.load("TICKET#acme#4711", "0001#note")
    assert note is not None
    assert (note.due_at, note.delivery and note.delivery.progress) == (None, Progress.UNKNOWN)
    assert len(world.mail.plan) == 3
    assert capsys.readouterr().out.count('"ColleagueUnreachable":[1.0]') == 1


def test_a_mail_to_our_own_people_that_the_provider_refuses_rings(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.press(world.asked(), answer="yes")
    world.mail.plan = ["rejected"]
    world.wait(6 * AN_HOUR)
    assert world.mail.to(TEAM) == []
    assert capsys.readouterr().out.count('"ColleagueUnreachable":[1.0]') == 1


def test_a_message_to_somebody_who_left_is_cancelled(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.press(world.asked(), answer="yes")
    world.settle()
    company = settings()
    del company.teams["web-portal"]
    world.apply(company)
    world.wait(AN_HOUR)
    note = outbox.load("TICKET#acme#4711", "0001#note")
    assert note is not None
    assert (note.cancelled, world.mail.to(TEAM)) == ("recipient_unknown", [])
    assert capsys.readouterr().out.count('"ColleagueUnreachable":[1.0]') == 1


def test_customers_are_written_to_in_the_open_hours_of_their_own_zone(world: World) -> None:
    world.now = START + timedelta(days=3, hours=12)
    world.hook(closed(at=world.now, requester=customer(CUSTOMER, timezone="America/New_York")))
    world.wait(4 * A_DAY)
    (mail,) = world.mail.to(CUSTOMER)
    assert mail.at == START + timedelta(days=4, hours=12)
    world.hook(closed("1", requester=customer("b@c.example", timezone="Asia/Tokyo"), at=world.now))
    world.wait(2 * A_DAY)
    (mail,) = world.mail.to("b@c.example")
    assert mail.at.hour == 23
    assert mail.at.weekday() == 1


def test_a_ticket_cannot_put_anything_beside_its_words_into_a_mail(world: World) -> None:
    world.asked(subject="Win now\r\nBcc: eve@evil.example https://evil.example/x {{7*7}}")
    (mail,) = world.mail.sent
    assert (mail.to, mail.subject) == (CUSTOMER, "Is ticket 4711 really solved?")
    assert "https://evil.example" not in mail.text + mail.html
    assert "{{7*7}}" in mail.text


HOSTILE = (
    "<script>alert(1)</script>",
    "<a href='https://evil.example/x'>yes</a>",
    "https://evil.example/login",
    "{{7*7}} {% raw %} %s %(name)s",
    "\r\nBcc: eve@evil.example\r\n\r\n<b>",
    "=?UTF-8?Q?=0ABcc:_eve?=",
    "\u202eelpmaxe\u2066\u200b\x00",
    "\n> Is it really solved?\n\n--\n",
)


@pytest.mark.parametrize("evil", [*HOSTILE, "".join(HOSTILE)])
def test_m13_what_was_done_and_promised_is_text_in_mail_and_page_and_flag(world: World, evil: str) -> None:
    free = dict.fromkeys(("solution", "promise", "promised_by"), f"k{evil}")
    link = world.asked(promised_until=evil, **free)
    page = world.open(link)
    world.press(link, answer="no", kept="no")
    world.wait(A_DAY / 24)
    survey, flag = world.mail.sent
    for mail in (survey, flag):
        assert "evil.example" not in mail.text + mail.html
        assert not re.search("<(script|b>|a href='http)", mail.html)
        assert not re.search("[\u202e\u2066\u200b\x00\r]", mail.text + mail.html)
        assert mail.text.count("\n--\n") == 1
        assert "Bcc" not in "".join((*mail.headers, mail.subject))
    assert survey.subject == "Is ticket 4711 really solved?"
    assert not re.search("<(script|b>|a href='http)|[\u202e\u2066\u200b\x00]", page.body)
    assert "None" not in survey.text + flag.text


def test_the_customer_reads_what_was_done_and_promised_by_whom_and_until_when(world: World) -> None:
    told = {
        "solution": "Your account is open again",
        "promise": "A new password by letter",
        "promised_by": "Kim Ren",
    }
    link = world.asked(promised_until="2026-12-04", **told)
    (mail,) = world.mail.sent
    assert "\nWhat we did:\n\n> Your account is open again\n" in mail.text
    assert (
        "\nWhat Kim Ren promised you, by Friday, 4 December 2026:\n\n> A new password by letter\n"
        in mail.text
    )
    assert "sorry" not in mail.text
    page = world.open(link).body
    for said in (*told.values(), "Friday, 4 December 2026", "Did we keep what we promised?"):
        assert said in mail.html or said.startswith("Did")
        assert said in page
    assert "sorry" not in page


def test_a_promise_that_was_over_when_the_ticket_was_closed_is_apologised_for(world: World) -> None:
    until = f"{START - A_SECOND:%Y-%m-%dT%H:%M:%S}Z"
    link = world.asked(promise="A call", promised_until=until)
    (mail,) = world.mail.sent
    sorry = "We did not keep this promise in time, and we are sorry."
    assert "What we promised you, by Monday, 30 November 2026, 9:59" in mail.text
    for said in (mail.text, mail.html, world.open(link).body):
        assert sorry in said
    world.press(link, answer="no")
    world.wait(AN_HOUR)
    (flag,) = world.mail.to(RAVI)
    assert (
        "Promised: A call\nWho and when: by Monday 30 November 2026, 09:59 CET; closed after that\n"
        in flag.text
    )


def test_a_second_closing_apologises_for_the_first(world: World) -> None:
    sorry = "It had been closed before. We are sorry that it took us more than one try."
    world.asked()
    assert sorry not in world.mail.sent[0].text
    world.hook(reopened(at=world.now))
    world.wait(8 * A_DAY)
    world.asked()
    again = world.mail.to(CUSTOMER)[-1]
    assert sorry in again.text
    for said in (again.html, world.open(again.link).body):
        assert sorry in said


@pytest.fixture
def unlucky(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No mail can be written about a ticket with this subject: it fails halfway."""
    original = text.fill

    def fill(template: str, context: Any, **more: Any) -> str:
        filled = original(template, context, **more)
        if "Friday the thirteenth" in filled and template.endswith("html.jinja"):
            raise TemplateRuntimeError("no idea how to write this")
        return filled

    monkeypatch.setattr("messages.compose.fill", fill)
    yield


UNLUCKY = "Friday the thirteenth"


def test_m17_what_cannot_be_written_is_set_aside_and_flagged_and_the_others_are_asked(
    world: World, unlucky: None, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(5):
        subject = UNLUCKY if number == 2 else "Another day"
        world.hook(closed(str(number), subject=subject, requester=customer(f"c{number}@c.example")))
    world.wait(A_DAY + AN_HOUR)
    asked = [mail.to for mail in world.mail.sent if mail.subject.startswith("Is ticket")]
    assert sorted(asked) == [f"c{number}@c.example" for number in (0, 1, 3, 4)]
    bad = asked_about(2)
    assert (bad.state, bad.reason, bad.due_at) == (State.NOT_ASKED, "unwritable", None)
    flag = tickets.load("acme", "2").flags[1]
    assert (flag.reason, flag.holder) == ("unwritable", "ravi")
    assert world.failed == []
    # The handover repeats the subject, so it cannot be written either; an alarm tells whoever looks after us.
    (told,) = (m for m in tickets.load("acme", "2").messages.values() if m.kind is Kind.FLAG_RAISED)
    assert told.cancelled == "unwritable"
    assert '"MailUnwritable":[1.0]' in capsys.readouterr().out
    assert "no idea how to write this" in world.log.getvalue()


def test_m17_in_a_mail_about_several_only_the_one_that_cannot_be_written_is_set_aside(
    world: World, unlucky: None
) -> None:
    world.asked()
    for number in range(3):
        world.hook(closed(str(number), world.now, subject=UNLUCKY if number == 1 else "Another day"))
    world.wait(20 * A_DAY)
    told = "".join(mail.text for mail in world.mail.to(CUSTOMER))
    assert "ticket 0" in told and "ticket 2" in told
    assert UNLUCKY not in told
    assert (asked_about(1).state, asked_about(1).reason) == (State.NOT_ASKED, "unwritable")


def test_m17_a_reminder_that_cannot_be_written_is_left_out_and_silence_is_flagged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.asked()

    def broken(context: object) -> Mail:
        raise OverflowError("date value out of range")

    monkeypatch.setattr(compose, "survey", broken)
    world.wait(8 * A_DAY)
    assert len(world.mail.to(CUSTOMER)) == 1
    assert known().state is State.SILENT
    assert "No answer: ticket 4711" in {mail.subject for mail in world.mail.to(RAVI)}


def test_m18_every_mail_is_marked_as_automatic_and_only_surveys_can_be_unsubscribed(world: World) -> None:
    link = world.asked()
    world.wait(4 * A_DAY)
    world.press(link, answer="no")
    world.wait(A_DAY)
    automatic = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
    asked = world.mail.to(CUSTOMER)
    assert [mail.subject.startswith("Reminder") for mail in asked] == [False, True]
    for mail in asked:
        assert mail.headers == automatic | {
            "List-Unsubscribe": f"<{mail.preferences}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
        assert re.fullmatch(rf"{URL}/u/[A-Za-z0-9_.-]+", mail.preferences)
        assert f"{mail.preferences}?surveys=none" in mail.text
        assert f'href="{mail.preferences}?surveys=none"' in mail.html
    others = [mail for mail in world.mail.sent if mail.to != CUSTOMER]
    assert others
    assert [mail.headers for mail in others] == [automatic] * len(others)


# --- the SDK ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [b"", b"HTTP/1.1 500 Sorry\r\ncontent-length: 2\r\n\r\n{}"])
def test_m1_the_sdk_makes_exactly_one_request(monkeypatch: pytest.MonkeyPatch, answers: bytes) -> None:
    """Against a real socket: one that closes without an answer, and one that answers with a fault."""
    requests: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    requests.append(connection.recv(65536))
                    connection.sendall(answers)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", f"http://127.0.0.1:{server.getsockname()[1]}")
        client.cache_clear()
        try:
            with pytest.raises(mailer.Unknown):
                mailer.send(mail=MAIL, to=CUSTOMER, sender="a@b.example", reply_to=None, tags={})
        finally:
            client.cache_clear()
            server.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=5)
    assert len(requests) == 1
    assert requests[0].startswith(b"POST /v2/email/outbound-emails")


def test_m1_a_port_that_nobody_listens_on_means_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", f"http://127.0.0.1:{port}")
    client.cache_clear()
    try:
        with pytest.raises(mailer.NotSent):
            mailer.send(mail=MAIL, to=CUSTOMER, sender="a@b.example", reply_to=None, tags={})
    finally:
        client.cache_clear()


def test_n5_every_client_says_its_timeouts_and_retries(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, tuple[Any, float, float]] = {}
    call = BASE_CLIENT._make_api_call

    def look(self: Any, operation: str, request: dict[str, Any]) -> Any:
        config = self.meta.config
        seen[self.meta.service_model.service_name] = (
            config.retries,
            config.connect_timeout,
            config.read_timeout,
        )
        return call(self, operation, request)

    monkeypatch.setattr(BASE_CLIENT, "_make_api_call", look)
    world.press(world.asked(), answer="no")
    world.wait(A_MINUTE)
    assert set(seen) >= {"dynamodb", "sqs", "secretsmanager", "sesv2"}
    for service, (retries, connect, read) in seen.items():
        assert connect <= 2 < read + 1 <= 11, service
        attempts = retries.get("total_max_attempts", 0)
        assert attempts == 1 if service == "sesv2" else 1 <= attempts <= 4, service


def test_a_rate_that_ses_does_not_tell_holds_nothing_up(world: World) -> None:
    world.fail("GetAccount", refusal("TooManyRequestsException", 429, "GetAccount"), times=5)
    about_to_be_asked(world)
    world.wait_until(ASK + 5 * A_SECOND)
    assert len(world.mail.to(CUSTOMER)) == 1


# --- several closures, one mail --------------------------------------------------------------------------------------


def waiting_together(world: World, number: int = 3) -> None:
    """One person was asked about their first closure; the others wait, and the quiet period is about to end."""
    world.hook(closed("0"))
    world.wait(AN_HOUR)
    for ticket in range(1, number):
        world.hook(closed(str(ticket), world.now))
    world.wait_until(ASK + 7 * A_DAY - A_MINUTE * 2)
    assert len(world.mail.to(CUSTOMER)) == 2  # the first survey and its reminder


def asked_about(ticket: int) -> FollowUp:
    """One of their follow-ups."""
    found = tickets.load("acme", str(ticket)).follow_up(1)
    assert found is not None
    return found


def test_closures_that_waited_are_asked_about_in_one_mail(world: World) -> None:
    waiting_together(world, 4)
    world.hook(reopened("3", world.now))
    world.wait(A_DAY)
    (survey,) = world.mail.to(CUSTOMER)[2:]
    assert all(f"ticket {ticket}" in survey.text for ticket in (1, 2))
    assert not re.search(r"ticket [03]\b", survey.text)
    page = world.open(survey.link).body
    assert 'name="answer-1"' in page and 'name="answer-2"' in page and 'name="answer-3"' not in page
    assert {asked_about(1).state, asked_about(2).state} == {State.ASKED}
    assert asked_about(3).state == State.REOPENED
    assert people.load(CUSTOMER).waiting == ()


def test_no_mail_asks_about_more_than_a_page_can_show(world: World) -> None:
    waiting_together(world, MOST_TOGETHER + 3)
    world.wait(A_DAY)
    (survey,) = world.mail.to(CUSTOMER)[2:]
    page = world.open(survey.link).body
    assert len(set(re.findall(r'name="(answer-\d+)"', page))) == MOST_TOGETHER


def test_each_of_them_has_an_answer_and_a_life_of_its_own(world: World) -> None:
    waiting_together(world)
    world.wait(A_DAY)
    link = world.mail.to(CUSTOMER)[2].link
    page = world.press(link, **{"answer-1": "yes", "answer-2": ""})
    assert page.status == 200
    assert (asked_about(1).state, asked_about(2).state) == (State.CONFIRMED, State.ASKED)
    world.press(link, **{"answer-2": "no", "words-2": "Still broken."})
    assert asked_about(2).state == State.DENIED
    assert [answer.words for answer in asked_about(2).answers] == ["Still broken."]
    world.wait(AN_HOUR)
    assert [mail.subject for mail in world.mail.to(TEAM)] == ["Confirmed as solved: ticket 1"]
    assert "Not solved: ticket 2" in [mail.subject for mail in world.mail.to(RAVI)]


def test_one_reminder_is_about_what_was_not_answered_and_numbered_as_on_the_page(world: World) -> None:
    waiting_together(world)
    world.wait(A_DAY)
    world.press(world.mail.to(CUSTOMER)[2].link, **{"answer-1": "yes"})
    world.wait(4 * A_DAY)
    (reminder,) = world.mail.to(CUSTOMER)[3:]
    assert "ticket 2" in reminder.text
    assert "?a=2no" in reminder.text
    assert "ticket 1" not in reminder.text
    page = world.open(f"{reminder.link}?a=2no").body
    assert re.findall(r'name="(answer-\d)" value="(\w+)"[^>]* checked', page) == [
        ("answer-1", "yes"),
        ("answer-2", "no"),
    ]


@pytest.mark.parametrize(
    ("reports", "state"), [(("Send", "Bounce"), State.NOT_ASKED), (("Send", "Delivery"), State.SILENT)]
)
def test_what_is_reported_about_the_mail_is_true_of_all_of_them(
    world: World, reports: tuple[str, ...], state: State
) -> None:
    waiting_together(world)
    world.mail.reports[CUSTOMER] = reports
    world.wait(9 * A_DAY)
    assert [asked_about(ticket).state for ticket in (1, 2)] == [state, state]


@pytest.mark.parametrize("plan", ["timeout before it was accepted", "throttled", "no connection"])
def test_a_mail_that_did_not_go_out_goes_out_once_for_all_of_them(world: World, plan: str) -> None:
    waiting_together(world)
    world.mail.plan = [plan]
    world.wait(A_DAY)
    (survey,) = world.mail.to(CUSTOMER)[2:]
    assert all(f"ticket {ticket}" in survey.text for ticket in (1, 2))
    assert {asked_about(1).state, asked_about(2).state} == {State.ASKED}


def test_who_was_taken_along_before_its_time_is_flagged_with_the_others_when_nobody_knows(
    world: World,
) -> None:
    waiting_together(world)
    tickets.save(replace(asked_about(2), due_at=world.now + 5 * A_DAY))
    world.mail.plan = ["timeout before it was accepted"] * 9
    world.wait(3 * AN_HOUR)
    assert [(asked_about(ticket).state, asked_about(ticket).reason) for ticket in (1, 2)] == [
        (State.NOT_ASKED, "delivery_unknown")
    ] * 2


def test_when_the_claim_of_all_fails_nothing_is_claimed_and_the_next_try_asks(world: World) -> None:
    waiting_together(world)
    world.fail("TransactWriteItems", times=3)
    world.wait(A_DAY)
    world.failed.clear()
    assert len(world.mail.to(CUSTOMER)[2:]) == 1
    assert asked_about(1).together == (asked_about(2).ref,)


def test_what_was_given_back_together_is_asked_about_together(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That it was not sent is stored, and the reply to that is lost: the SDK's own retry then finds a conflict."""
    waiting_together(world)
    send, count = mailer.send, telemetry.count

    def throttled(**_: Any) -> str:
        for operation, code in (
            ("PutItem", "ConditionalCheckFailedException"),
            ("TransactWriteItems", "TransactionCanceledException"),
        ):
            conflict = refusal(code, 400, operation)
            conflict.response.update({"CancellationReasons": [{"Code": "ConditionalCheckFailed"}]})
            world.fail(operation, conflict, after=True)
        monkeypatch.setattr(mailer, "send", send)
        raise mailer.NotSent("throttled")

    def counted(name: str, *rest: Any) -> None:
        """The first thing after the write: what follows meets no fault any more."""
        world.faults.clear()
        count(name, *rest)

    monkeypatch.setattr(mailer, "send", throttled)
    monkeypatch.setattr("send_message.count", counted)
    world.wait(A_DAY)
    (survey,) = world.mail.to(CUSTOMER)[2:]
    assert all(f"ticket {ticket}" in survey.text for ticket in (1, 2))
    assert {asked_about(1).state, asked_about(2).state} == {State.ASKED}


def test_who_may_have_been_asked_about_another_closure_is_not_asked_about_this_one_the_same_day(
    world: World,
) -> None:
    """The first mail about 0 arrived and nobody heard of it; the second, about 0 and 1, never left."""
    world.hook(closed("0"))
    world.wait(10 * A_MINUTE)
    world.hook(closed("1", world.now))
    world.mail.reports[CUSTOMER] = ()
    world.mail.plan = ["timeout after it was accepted", "timeout before it was accepted"]
    world.wait_until(ASK + 3 * AN_HOUR)
    assert asked_about(0).reason == "delivery_unknown"
    assert asked_about(1).together == (asked_about(0).ref,)
    assert asked_about(1).state == State.SCHEDULED
    (first,) = world.mail.to(CUSTOMER)
    assert "ticket 0" in first.text
    world.wait(7 * A_DAY)
    (_, second) = world.mail.to(CUSTOMER)
    assert "ticket 1" in second.text
    assert "ticket 0" not in second.text


def test_the_late_report_of_a_first_mail_says_nothing_of_what_only_the_second_took_along(
    world: World,
) -> None:
    """The first mail, about 0, arrived; when that is told, the second, about 0 and 1, is given back again and again."""
    world.hook(closed("0"))
    world.wait(10 * A_MINUTE)
    world.hook(closed("1", world.now))
    world.mail.reports_get_lost = True
    world.mail.plan = ["timeout after it was accepted", *["throttled"] * 200]
    world.wait_until(ASK + 40 * A_MINUTE)
    assert asked_about(1).together == (asked_about(0).ref,)
    (first,) = world.mail.to(CUSTOMER)
    world.mail.report(first, "Delivery", world.now)
    world.settle()
    assert asked_about(0).state == State.ASKED
    assert asked_about(1).state == State.SCHEDULED
    world.mail.plan, world.mail.reports_get_lost = [], False
    world.wait(8 * A_DAY)
    assert "ticket 1" in world.mail.to(CUSTOMER)[-1].text
    assert asked_about(1).state == State.ASKED


def test_the_late_report_of_a_mail_about_several_is_true_of_all_of_them_though_it_is_being_sent_again(
    world: World,
) -> None:
    waiting_together(world)
    world.mail.reports_get_lost = True
    world.mail.plan = ["timeout after it was accepted", *["throttled"] * 200]
    world.wait(50 * A_MINUTE)
    (survey,) = world.mail.to(CUSTOMER)[2:]
    world.mail.report(survey, "Delivery", world.now)
    world.settle()
    assert [asked_about(ticket).state for ticket in (1, 2)] == [State.ASKED, State.ASKED]
    world.mail.plan = []
    world.wait(A_DAY)
    assert len(world.mail.to(CUSTOMER)) == 3
