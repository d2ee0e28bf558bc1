"""A reply by mail counts like a press, and only when it is the customer's and clear. Rows E1 to E11 of the faults."""

import itertools
import json
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from adapters import quarantine, reply_address, tickets
from adapters.links import TicketLink
from builders import (
    A_DAY,
    A_MINUTE,
    AN_HOUR,
    CUSTOMER,
    RAVI,
    REPLY_BUCKET,
    REPLY_DOMAIN,
    TEAM,
    closed,
    customer,
    received,
    records,
    reopened,
    sample,
    settings,
    written,
)
from domain.flag import Flag, Reason
from domain.follow_up import FollowUp, State
from messages import facts
from world import World, refusal

NUMBERS = itertools.count()


def known(ticket_id: str = "4711", number: int = 1) -> FollowUp:
    """A follow-up of a ticket."""
    found = tickets.load("acme", ticket_id).follow_up(number)
    assert found is not None
    return found


def flag(ticket_id: str = "4711", number: int = 1) -> Flag | None:
    """The flag of a follow-up."""
    return tickets.load("acme", ticket_id).flags.get(number)


def address(world: World, ticket_id: str = "4711", number: int = 1) -> str:
    """Where a reply about a closure goes."""
    made = reply_address.write(TicketLink("acme", ticket_id, number), REPLY_DOMAIN, world.now)
    assert made is not None
    return made


def reply(world: World, mail: bytes | str, *, mail_id: str = "", to: str = "", **told: Any) -> None:
    """The customer's mail comes in, and everything that follows from it happens."""
    content = written(mail) if isinstance(mail, str) else mail
    identifier = mail_id or f"mail-{next(NUMBERS)}"
    world.receive(content, received(to or address(world), identifier, world.now, **told))
    world.settle()


def taken_no(world: World) -> None:
    """The customer said "no", and the responsible person has acknowledged it."""
    world.press(world.asked(), answer="no")
    world.wait(AN_HOUR)
    world.press(world.mail.to(RAVI)[-1].link, action="acknowledge")
    world.wait(AN_HOUR)


def kept() -> list[str]:
    """Why something is in quarantine."""
    return [one.reason for one in quarantine.listed()]


def test_the_sample_event_is_a_yes(world: World) -> None:
    world.asked()
    event = sample("read_reply")
    told = json.loads(event["Records"][0]["body"])
    world.receive(written("Yes, thanks!"), told)
    world.queues["ReplyQueue"].clear()
    assert world.invoke("read_reply", event) == {"batchItemFailures": []}
    assert known().state == State.CONFIRMED


def test_the_survey_and_its_reminder_take_replies_and_no_other_mail_does(world: World) -> None:
    world.asked()
    world.wait(8 * A_DAY)
    survey, reminder = world.mail.to(CUSTOMER)
    assert survey.reply_to == reminder.reply_to == address(world)
    others = [mail for mail in world.mail.sent if mail.to != CUSTOMER]
    assert {mail.reply_to for mail in others} == {"support@acme.example"}


def test_without_a_reply_domain_or_with_a_long_id_replies_go_to_the_company(world: World) -> None:
    world.hook(closed("Case-2026-000000000000000000004711-North"))
    world.wait(A_DAY + A_MINUTE)
    (survey,) = world.mail.to(CUSTOMER)
    assert survey.reply_to == "support@acme.example"


def test_a_yes_is_an_answer_with_words_and_without_consent(world: World) -> None:
    world.asked()
    reply(world, "Yes, thanks! Kim was very kind.\n\n-- \nAna Beispiel\n")
    answer = known().answer
    assert answer is not None
    assert (answer.solved, answer.words, answer.consent) == (True, "Yes, thanks! Kim was very kind.", None)
    world.wait(AN_HOUR)
    (note,) = world.mail.to(TEAM)
    assert note.subject == "Confirmed as solved: ticket 4711"
    assert "very kind" not in note.text
    assert len(world.mail.to(CUSTOMER)) == 1


def test_whoever_replied_does_not_get_the_survey_again_of_which_nobody_else_told(world: World) -> None:
    world.hook(closed("4711"))
    world.mail.reports_get_lost = True
    world.mail.plan = ["timeout after it was accepted"]
    world.wait(A_DAY + A_MINUTE)
    assert known().state == State.SCHEDULED
    reply(world, "Thanks, but I have not looked yet.")
    assert known().state == State.ASKED
    world.wait(A_DAY)
    assert len(world.mail.to(CUSTOMER)) == 1


@pytest.mark.parametrize("words", ["Your technician was rude.", "It took far too long."])
def test_a_yes_with_blame_in_it_counts_and_a_person_reads_the_words(world: World, words: str) -> None:
    """As on the page, and whether or not the customer agreed to anything."""
    world.asked()
    reply(world, f"Yes, it is solved. {words}")
    assert known().state is State.CONFIRMED
    (raised,) = [mail for mail in world.mail.to(RAVI) if "something to hear" in mail.subject]
    assert words in raised.text


def test_blame_beside_a_yes_reaches_whoever_took_the_no(world: World) -> None:
    taken_no(world)
    reply(world, "Yes, it is solved. Your technician was rude.")
    assert known().state is State.CONFIRMED
    told = [mail for mail in world.mail.to(RAVI) if mail.subject == "The customer wrote: ticket 4711"][-1]
    assert "Your technician was rude." in told.text
    assert "the flag “Solved, and yet something to hear”" in told.text


def test_a_no_is_flagged_at_once_with_its_words(world: World) -> None:
    world.asked()
    reply(world, "No, still broken since Monday.\nThe light blinks red.")
    assert known().state == State.DENIED
    (raised,) = world.mail.to(RAVI)
    assert raised.subject == "Not solved: ticket 4711"
    assert "> The light blinks red." in raised.text


def test_the_last_answer_counts_whether_it_was_pressed_or_written(world: World) -> None:
    link = world.asked()
    world.press(link, answer="yes")
    world.now += A_MINUTE
    reply(world, "Sorry. It is not solved.")
    assert known().state == State.CONFIRMED, "an apology first is no clear first sentence"
    reply(world, "It is not solved.")
    assert known().state == State.DENIED
    world.now += A_MINUTE
    world.press(link, answer="yes")
    assert known().state == State.CONFIRMED


def test_whoever_replied_is_not_reminded(world: World) -> None:
    world.asked()
    reply(world, "Could you call me, please?")
    world.wait(8 * A_DAY)
    assert len(world.mail.to(CUSTOMER)) == 1
    assert known().state == State.SILENT
    assert sum("ticket 4711" in mail.subject for mail in world.mail.to(RAVI)) == 1


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({"Auto_Submitted": "auto-replied"}, "Yes, it is solved."),
        (
            {"Subject": "Automatische Antwort: Is ticket 4711 really solved?"},
            "Ja, ich bin wieder da am Montag.",
        ),
        ({"Precedence": "bulk"}, "Yes."),
        ({"List_Id": "<all.customer.example>"}, "Yes."),
        ({"X_Autoreply": "yes"}, "No."),
        ({"Return_Path": "<>"}, "Yes."),
        ({"From": "MAILER-DAEMON@customer.example"}, "No."),
    ],
)
def test_e1_automatic_mail_is_no_answer(world: World, headers: dict[str, str], text: str) -> None:
    world.asked()
    before = world.scan()
    reply(world, written(text, **headers))
    assert world.scan() == before
    assert kept() == []


@pytest.mark.parametrize(
    "body", ["Successfully validated SNS topic.", "[]", '{"notificationType": "Bounce"}']
)
def test_what_is_no_notification_of_a_mail_changes_nothing(world: World, body: str) -> None:
    before = world.scan()
    assert world.invoke("read_reply", records("read_reply", [body])) == {"batchItemFailures": []}
    assert world.scan() == before


def test_e1_a_report_is_no_answer(world: World) -> None:
    world.asked()
    before = world.scan()
    report = (
        f'From: {CUSTOMER}\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nYes, it is solved.\r\n'
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n--b--\r\n"
    )
    reply(world, report.encode())
    reply(world, "Yes", source="")
    assert world.scan() == before


def test_e2_a_thousand_replies_of_a_machine_send_one_mail_to_our_people_and_none_to_it(world: World) -> None:
    world.asked()
    for _ in range(40):
        reply(world, "I will look into it and come back to you.")
        world.now += timedelta(seconds=1)
    assert len(world.mail.to(CUSTOMER)) == 1
    assert len(world.mail.to(RAVI)) == 1
    assert len(known().replies) == 3
    assert kept() == ["too_many_replies"] * 37
    world.now += AN_HOUR
    reply(world, "Yes, it is solved.")
    assert known().state == State.CONFIRMED


def test_e2_mail_of_our_own_is_no_customer(world: World) -> None:
    world.asked()
    before = world.scan()
    reply(world, written("Yes.", sender="Acme Energy <followthrough@acme.example>"))
    reply(world, written("Yes.", sender=f"x@{REPLY_DOMAIN}"))
    assert world.scan() == before


@pytest.mark.parametrize(
    "verdicts",
    [
        {"dmarcVerdict": "FAIL"},
        {"spfVerdict": "GRAY", "dkimVerdict": "FAIL", "dmarcVerdict": "GRAY"},
        {"spfVerdict": "PROCESSING_FAILED", "dkimVerdict": "PROCESSING_FAILED", "dmarcVerdict": "GRAY"},
    ],
)
def test_e3_a_reply_that_cannot_be_authenticated_is_not_counted_but_read(
    world: World, verdicts: dict[str, str]
) -> None:
    world.asked()
    told: dict[str, Any] = {name: {"status": status} for name, status in verdicts.items()}
    reply(world, "Yes, all solved.", **told)
    assert known().state == State.ASKED
    raised = flag()
    assert raised is not None
    assert raised.reason is Reason.UNVERIFIED_REPLY
    (mail,) = world.mail.to(RAVI)
    assert mail.subject == "A reply, perhaps not the customer’s: ticket 4711"
    assert "> Yes, all solved." in mail.text
    note = facts.helpdesk_note(known(), "mark", settings())
    assert note.words == (), "nobody else reads it as the customer's words"


@pytest.mark.parametrize(
    ("envelope", "dmarc", "counts"),
    [
        ("mallory@attacker.example", "GRAY", False),
        ("mallory@notcustomer.example", "GRAY", False),
        ("", "GRAY", False),
        ("ana@customer.example", "GRAY", True),
        ("bounces@mail.Customer.example", "GRAY", True),
        ("bounces@newsletter.example", "PASS", True),
    ],
)
def test_e3_without_a_policy_of_the_domain_the_envelope_has_to_be_of_it(
    world: World, envelope: str, dmarc: str, counts: bool
) -> None:
    """SPF passes for whatever domain the envelope names: that says nothing about From."""
    world.asked()
    told: dict[str, Any] = {"dmarcVerdict": {"status": dmarc}, "dkimVerdict": {"status": "GRAY"}}
    reply(world, "Yes, all solved.", source=envelope, **told)
    assert (known().state == State.CONFIRMED) is counts


def test_e3_headers_that_the_sender_forged_say_nothing(world: World) -> None:
    world.asked()
    forged = written("Yes.", Authentication_Results="amazonses.com; spf=pass; dkim=pass; dmarc=pass")
    reply(world, b"X-SES-Spam-Verdict: PASS\r\n" + forged, dmarcVerdict={"status": "FAIL"})
    assert known().state == State.ASKED


@pytest.mark.parametrize(
    "to",
    [
        f"4711@{REPLY_DOMAIN}",
        f"reply+4711@{REPLY_DOMAIN}",
        f"reply+l4711.1.aaaaaaaaaaaaaaaa@{REPLY_DOMAIN}",
        f"reply+l4711.1.@{REPLY_DOMAIN}",
        "reply+l4711.1.aaaaaaaaaaaaaaaa@elsewhere.example",
    ],
)
def test_e3_only_a_signed_address_leads_to_a_follow_up(world: World, to: str) -> None:
    world.asked()
    before = world.scan()
    reply(world, written("Yes.", Subject="Re: Is ticket 4711 really solved?"), to=to)
    assert world.scan() == before


def test_e4_another_sender_is_heard_by_a_person_and_not_counted(world: World) -> None:
    world.asked()
    reply(world, written("Yes, it is solved.", sender="assistant@customer.example"))
    assert (known().state, known().replies[0].doubt) == (State.ASKED, "unverified_sender")
    (mail,) = world.mail.to(RAVI)
    assert "> Yes, it is solved." in mail.text
    reply(world, "Yes, it is solved.")
    assert known().state == State.CONFIRMED
    settled = flag()
    assert settled is not None
    assert settled.settled_at is not None


@pytest.mark.parametrize("scan", ["spamVerdict", "virusVerdict"])
def test_e5_spam_and_viruses_are_kept_away_unopened(world: World, scan: str) -> None:
    world.asked()
    before = known()
    told = received(address(world), "evil", world.now, **{scan: {"status": "FAIL"}})
    world.receive(b"", told, stored=False)
    world.settle()
    assert known() == before
    assert kept() == [scan.removesuffix("Verdict")]
    (one,) = quarantine.listed()
    assert one.raw == f"s3://{REPLY_BUCKET}/evil".encode()


def bombs() -> dict[str, bytes]:
    """Mails that keep a careless parser busy for minutes."""
    head = f"From: {CUSTOMER}\r\nSubject: Re\r\n".encode()
    many = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + b"--b\r\n\r\nx\r\n" * 100_000
    nested = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(2000)
    )
    return {
        "100,000 parts": head + many,
        "2,000 nested parts": head + nested,
        "1,000 nested mails": head + b"Content-Type: message/rfc822\r\n\r\n" * 1000,
        "a header of 300 KB": head + b"X: " + b"=?utf-8?q?=41?= " * 20_000 + b"\r\n\r\nYes.",
        "a header without an end": head + b"X-Long: " + b"a" * 200_000,
    }


@pytest.mark.parametrize("bomb", sorted(bombs()))
def test_e6_a_bomb_goes_into_quarantine_once(world: World, bomb: str) -> None:
    world.asked()
    before = known()
    reply(world, bombs()[bomb])
    assert known() == before
    assert kept() in (["mime_limit"], ["mime_error"])
    assert world.queues["ReplyQueue"] == []


@pytest.mark.parametrize("charset", ["unicode_escape", "idna", "x-unknown", "rot13", "undefined", "zlib"])
def test_e6_an_odd_charset_is_read_as_plain_text(world: World, charset: str) -> None:
    world.asked()
    head = f'From: {CUSTOMER}\r\nContent-Type: text/plain; charset="{charset}"\r\n\r\n'
    reply(world, f"{head}Yes, thanks!".encode())
    assert known().state == State.CONFIRMED


def test_e6_parentheses_without_end_in_a_header_are_no_loop(world: World) -> None:
    world.asked()
    head = b"From: " + b"(" * 2900 + CUSTOMER.encode() + b"\r\n\r\n"
    reply(world, head + b"Yes, thanks!")
    assert known().state == State.ASKED
    assert world.queues["ReplyQueue"] == []


def test_e6_a_large_attachment_is_not_opened_and_the_words_before_it_count(world: World) -> None:
    world.asked()
    mail = EmailMessage()
    mail["From"] = CUSTOMER
    mail.set_content("No, it is still not working. See the picture.")
    mail.add_attachment(b"\x00" * 3_000_000, maintype="image", subtype="png", filename="yes.png")
    mail.add_attachment(b"PK\x03\x04", maintype="application", subtype="zip", filename="yes.zip")
    reply(world, mail.as_bytes())
    assert known().state == State.DENIED


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "Thank you!",
        "No problem, thanks!",
        "Solved, but the invoice is still wrong.",
        "> Is it really solved?\n> Yes, it is solved: press here",
        "-- \nYes Solutions Ltd",
        "Yes, thanks.\nAber der Drucker geht noch nicht.",
        "Is it solved?",
    ],
)
def test_e7_what_is_not_clear_is_read_by_a_person(world: World, text: str) -> None:
    world.asked()
    reply(world, text)
    assert (known().state, known().answers) == (State.ASKED, ())
    raised = flag()
    assert raised is not None
    assert raised.reason is Reason.REPLY
    (mail,) = world.mail.to(RAVI)
    assert mail.subject == "A reply to read: ticket 4711"
    page = world.open(mail.link)
    assert "The customer replied; please read it" in page.body


def test_e7_a_clear_answer_after_an_unclear_one_settles_it(world: World) -> None:
    world.asked()
    reply(world, "Hm, let me look.")
    reply(world, "Yes, it works again.")
    assert known().state == State.CONFIRMED
    settled = flag()
    assert settled is not None
    assert settled.settled_at is not None


def test_whoever_took_a_flag_hears_of_what_is_written_next_and_keeps_it(world: World) -> None:
    world.asked()
    reply(world, "When do you come?")
    link = world.mail.to(RAVI)[-1].link
    reply(world, "I am at home until noon.")
    assert len(world.mail.to(RAVI)) == 1, "nobody has looked yet, and the page shows both"
    world.wait(A_MINUTE)
    world.press(link, action="acknowledge")
    taken = tickets.load("acme", "4711").flags[1]
    world.wait(2 * AN_HOUR)
    reply(world, "The house has a blue door.")
    told = world.mail.to(RAVI)[-1]
    assert told.subject == "The customer wrote: ticket 4711"
    assert told.text.index("blue door") < told.text.index("until noon") < told.text.index("do you come")
    assert "Acknowledge" not in told.text
    reply(world, "And ring twice.")
    assert len(world.mail.to(RAVI)) == 2, "one mail until something was done, or a day has passed"
    world.wait(A_DAY)
    reply(world, "Nobody came.")
    assert "Nobody came." in world.mail.to(RAVI)[-1].text
    kept = tickets.load("acme", "4711").flags[1]
    same = "raised_at", "holder", "due_at", "acknowledged_at", "acknowledged_by", "reason"
    assert [getattr(kept, name) for name in same] == [getattr(taken, name) for name in same]
    assert world.open(link).body.count("The customer wrote") == 2


def test_what_was_written_before_an_answer_stays_in_sight(world: World) -> None:
    link = world.asked()
    reply(world, "My number is 0170 555.")
    world.wait(AN_HOUR)
    world.press(link, answer="no")
    world.wait(AN_HOUR)
    told = world.mail.to(RAVI)[-1]
    assert told.subject == "Not solved: ticket 4711"
    assert "0170 555" in told.text
    world.press(told.link, action="settle", result="solved", done="Called.")
    world.wait(A_DAY)
    world.press(world.mail.to(CUSTOMER)[-1].link, answer="no", words="Dead again.")
    world.wait(AN_HOUR)
    told = world.mail.to(RAVI)[-1]
    assert told.text.index("Dead again.") < told.text.index("0170 555")
    assert "0170 555" in world.open(told.link).body


def test_words_beside_an_earlier_yes_reach_no_colleague_after_a_no(world: World) -> None:
    link = world.asked()
    world.press(link, answer="yes", words="Between us: Kim is great.")
    world.wait(AN_HOUR)
    world.press(link, answer="no", words="Dead again.")
    note = facts.helpdesk_note(known(), "mark", settings())
    assert note.outcome == "denied"
    assert note.words == ("Dead again.",)


def test_a_no_in_other_words_reaches_whoever_took_the_first_one(world: World) -> None:
    taken_no(world)
    reply(world, "No. I waited all day, and nobody came.")
    assert known().replies[-1].counted
    assert "I waited all day" in world.mail.to(RAVI)[-1].text


def test_what_somebody_else_writes_about_a_taken_flag_says_so(world: World) -> None:
    taken_no(world)
    reply(world, "Please call me instead.", dmarcVerdict={"status": "FAIL"})
    told = world.mail.to(RAVI)[-1]
    assert told.subject == "Somebody wrote, perhaps not the customer: ticket 4711"
    assert "In the customer" not in told.text


def test_silence_after_a_settled_reply_comes_back_and_the_customer_is_asked_again(world: World) -> None:
    world.asked()
    reply(world, "I could sign in once, and since yesterday it hangs again sometimes.")
    done = {"action": "settle", "result": "solved", "done": "I reset it."}
    world.press(world.mail.to(RAVI)[-1].link, **done)
    world.wait(7 * A_DAY + AN_HOUR)
    raised = flag()
    assert raised is not None
    assert (raised.reason, raised.rounds, raised.settled_at) == (Reason.SILENT, 2, None)
    world.wait(10 * AN_HOUR)
    assert flag() == raised, "what was read and settled is not told again"
    (mail,) = [mail for mail in world.mail.to(RAVI) if mail.subject == "No answer: ticket 4711"]
    world.press(mail.link, **done)
    world.wait(A_DAY)
    assert [mail.subject for mail in world.mail.to(CUSTOMER)] == [
        "Is ticket 4711 really solved?",
        "Is ticket 4711 solved now?",
    ]
    reply(world, "Could you call me, please?")
    after = flag()
    assert after is not None
    assert (after.reason, after.rounds) == (Reason.REPLY, 3)


def test_e8_the_same_mail_twice_is_one_answer(world: World) -> None:
    world.asked()
    reply(world, "No, still broken.", mail_id="one")
    before, mails = world.scan(), len(world.mail.sent)
    for _ in range(3):
        world.now += A_MINUTE
        reply(world, "No, still broken.", mail_id="one")
    assert (world.scan(), len(world.mail.sent)) == (before, mails)


@pytest.mark.parametrize("late", ["Yes, thanks!", "No, still broken."])
def test_e8_of_two_mails_the_later_one_counts_in_whatever_order_they_reach_us(
    world: World, late: str
) -> None:
    """The earlier one is read by a person: nothing that somebody wrote is lost."""
    world.asked()
    first, second = (
        received(address(world), "first", world.now),
        received(address(world), "second", world.now + A_MINUTE),
    )
    early = "No, still broken." if late.startswith("Yes") else "Yes, thanks!"
    world.now += 5 * A_MINUTE
    world.receive(written(late), second)
    world.settle()
    counted = known()
    world.now += A_MINUTE
    world.receive(written(early), first)
    world.settle()
    assert known().state == counted.state == (State.CONFIRMED if late.startswith("Yes") else State.DENIED)
    assert known().answers == counted.answers
    assert [(reply.counted, reply.words) for reply in known().replies] == [(True, None), (False, early)]
    assert flag() is not None


def test_e8_a_mail_that_is_not_there_yet_is_tried_again(world: World) -> None:
    world.asked()
    told = received(address(world), "late", world.now)
    world.receive(b"", told, stored=False)
    world.settle()
    assert len(world.failed) == 1
    world.failed.clear()
    world.receive(written("Yes, thanks!"), told, queued=False)
    world.wait(10 * A_MINUTE)
    assert known().state == State.CONFIRMED


def test_e8_a_mail_that_never_comes_ends_with_the_dead_letters(world: World) -> None:
    world.asked()
    world.receive(b"", received(address(world), "lost", world.now), stored=False)
    world.wait(AN_HOUR)
    assert len(world.failed) == 8
    world.failed.clear()
    assert len(world.queues["ReplyDeadLetters"]) == 1
    world.queues["ReplyDeadLetters"].clear()


def test_e8_a_write_in_between_is_decided_again(world: World) -> None:
    world.asked()
    world.fail("PutItem", refusal("ConditionalCheckFailedException", 400, "PutItem"))
    reply(world, "Yes, thanks!")
    assert known().state == State.CONFIRMED


def test_e9_the_address_decides_which_case_is_answered(world: World) -> None:
    world.asked("1")
    world.asked("2", requester=customer("bob@customer.example"))
    mail = written("No, it is not solved.", Subject="Re: Is ticket 2 really solved?")
    reply(world, mail, to=address(world, "1"))
    assert (known("1").state, known("2").state) == (State.DENIED, State.ASKED)


def test_e9_an_answer_after_months_is_late_and_one_about_a_forgotten_case_is_nothing(world: World) -> None:
    world.asked()
    world.wait(60 * A_DAY)
    reply(world, "No, it is not solved.")
    answer = known().answer
    assert answer is not None
    assert answer.late
    before = world.scan()
    reply(world, "No.", to=address(world, "unknown"))
    assert world.scan() == before


def test_e9_a_reply_about_a_reopened_ticket_goes_to_a_person(world: World) -> None:
    world.asked()
    world.hook(reopened(at=world.now))
    reply(world, "Yes, it is solved.")
    (mail,) = world.mail.to(RAVI)
    assert mail.subject == "A reply to read: ticket 4711"
    world.wait(4 * A_DAY)
    assert (known().state, known().answers) == (State.REOPENED, ())


def test_e9_a_reply_about_an_earlier_closing_does_not_answer_it(world: World) -> None:
    world.asked()
    world.hook(closed(at=world.now), None)
    reply(world, "Yes, it is solved.")
    assert known().answers == ()
    assert known().unread


def asked_together(world: World) -> str:
    """One mail asks about the tickets 1 and 2; where replies to it go."""
    world.hook(closed("0"))
    world.wait(AN_HOUR)
    for ticket in ("1", "2"):
        world.hook(closed(ticket, world.now))
    world.wait(8 * A_DAY)
    (survey,) = world.mail.to(CUSTOMER)[2:]
    assert "only the press on the page counts as your answer" in survey.text
    assert survey.reply_to == address(world, "1")
    return survey.reply_to


@pytest.mark.parametrize(
    "text", ["Yes, it is solved.", "No, it is not solved.", "No, neither of them works."]
)
def test_e9_a_reply_to_a_mail_about_several_closings_answers_none_and_is_read_with_each(
    world: World, text: str
) -> None:
    to = asked_together(world)
    before = len(world.mail.to(RAVI))
    reply(world, text, to=to, mail_id="one")
    for ticket in ("1", "2"):
        assert (known(ticket).state, known(ticket).answers) == (State.ASKED, ())
        raised = flag(ticket)
        assert raised is not None
        assert raised.reason is Reason.REPLY
    told = world.mail.to(RAVI)[before:]
    assert sorted(mail.subject for mail in told) == ["A reply to read: ticket 1", "A reply to read: ticket 2"]
    assert all("in the same mail, so a reply does not count" in mail.text for mail in told)
    assert all(f"> {text}" in mail.text for mail in told)
    assert "in the same mail, so a reply does not count" in world.open(told[0].link).body
    stored = world.scan()
    reply(world, text, to=to, mail_id="one")
    assert world.scan() == stored
    world.wait(5 * A_DAY)
    assert len(world.mail.to(CUSTOMER)) == 3, "whoever wrote is not reminded, of none of them"


def test_e9_of_several_closings_only_those_without_an_answer_keep_a_reply(world: World) -> None:
    to = asked_together(world)
    link = world.mail.to(CUSTOMER)[2].link
    world.press(link, **{"answer-1": "yes", "answer-2": ""})
    reply(world, "And the other one?", to=to, mail_id="one")
    assert (known("1").state, len(known("1").replies), len(known("2").replies)) == (State.CONFIRMED, 0, 1)
    world.press(link, **{"answer-2": "no"})
    reply(world, "And the other one?", to=to, mail_id="one")
    assert (len(known("1").replies), len(known("2").replies)) == (0, 1)
    reply(world, "Thank you!", to=to, mail_id="two")
    assert (len(known("1").replies), len(known("2").replies)) == (1, 1)


def test_e9_who_complained_about_a_mail_and_replies_to_it_is_read_with_each_closing(world: World) -> None:
    to = asked_together(world)
    world.mail.report(world.mail.to(CUSTOMER)[2], "Complaint", world.now)
    world.wait(A_MINUTE)
    assert {known(ticket).reason for ticket in ("1", "2")} == {"complained"}
    reply(world, "No, neither of them.", to=to)
    assert [one.words for ticket in ("1", "2") for one in known(ticket).unread] == [
        "No, neither of them."
    ] * 2


def test_e9_a_reply_to_several_that_was_half_kept_is_kept_whole_when_it_comes_again(world: World) -> None:
    to = asked_together(world)
    world.fail("PutItem", refusal("InternalServerError", 500, "PutItem"), after=True)
    reply(world, "Neither of them.", to=to)
    world.failed.clear()
    world.wait(10 * A_MINUTE)
    assert (len(known("1").replies), len(known("2").replies)) == (1, 1)


def test_e1_automatic_mail_to_several_closings_is_no_reply(world: World) -> None:
    to = asked_together(world)
    before = world.scan()
    reply(world, written("Yes.", Auto_Submitted="auto-replied"), to=to)
    assert world.scan() == before


def test_e10_html_is_text_and_nothing_of_it_is_fetched_or_run(world: World) -> None:
    world.asked()
    mail = EmailMessage()
    mail["From"] = CUSTOMER
    mail.set_content(
        '<html><head><style>p{}</style></head><body><script>alert("yes")</script>'
        '<img src="https://evil.example/x.png"><p>No, it is <b>not</b> solved.</p>'
        "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p></body></html>" + "<!-- x -->" * 400_000,
        subtype="html",
    )
    reply(world, mail.as_bytes())
    answer = known().answer
    assert answer is not None
    assert not answer.solved
    assert answer.words is not None
    assert len(answer.words) <= 2000
    (raised,) = world.mail.to(RAVI)
    assert "evil.example" not in raised.html
    assert "<script>" not in raised.html
    assert "<script>" not in world.open(raised.link).body


def test_e11_other_headers_and_recipients_say_nothing(world: World) -> None:
    world.asked("1")
    world.asked("2", requester=customer("bob@customer.example"))
    other = address(world, "2")
    mail = written("Yes, thanks!", Reply_To=other, Cc=f"{other}, x@evil.example", To=other, Bcc=other)
    told = received(address(world, "1"), "many", world.now)
    told["receipt"]["recipients"] = [f"x{n}@{REPLY_DOMAIN}" for n in range(90)] + [address(world, "1")]
    world.receive(mail, told)
    world.settle()
    assert (known("1").state, known("2").state) == (State.CONFIRMED, State.ASKED)
    assert all(sent.to != "x@evil.example" for sent in world.mail.sent)


def test_no_word_and_no_address_of_a_reply_is_logged(world: World) -> None:
    world.asked()
    reply(world, "No, my zebra is still missing.")
    reply(world, written("Yes.", sender="somebody@else.example"))
    log = world.log.getvalue()
    assert "zebra" not in log
    assert CUSTOMER not in log
    assert "else.example" not in log
    assert address(world) not in log


def test_replies_are_off_without_a_domain(world: World) -> None:
    world.asked()
    to = address(world)
    plain = settings()
    world.apply(replace(plain, company=replace(plain.company, reply_domain=None)))
    world.now += A_MINUTE
    reply(world, "Yes.", to=to)
    assert known().state == State.ASKED


def test_who_agrees_to_be_quoted_has_not_read_their_own_mail_for_us(world: World) -> None:
    """Consent is added to what was said before; the mail in between still waits for a person."""
    survey = world.asked()
    world.press(survey, answer="yes", words="Kim was very patient.")
    world.wait(AN_HOUR)
    reply(world, "Since yesterday the invoice shows a wrong address. Can somebody call me?")
    world.wait(AN_HOUR)
    world.press(survey, answer="yes", consent="yes")
    world.wait(AN_HOUR)
    (flag,) = tickets.load("acme", "4711").flags.values()
    assert (flag.reason, flag.settled_at) == (Reason.REPLY, None)
    assert known().quote == "Kim was very patient."


def test_an_added_consent_does_not_withhold_what_a_person_wrote(world: World) -> None:
    survey = world.asked()
    world.press(survey, answer="yes", words="Solved, but the technician was rude and it took three weeks!")
    world.settle()
    link = world.mail.to(RAVI)[-1].link
    world.wait_until(world.now.replace(hour=19, minute=0))
    world.press(link, action="update", words="I am sorry; I will call you at nine.")
    world.wait(AN_HOUR)
    world.press(survey, answer="yes", consent="yes")
    world.wait(A_DAY)
    assert "I will call you at nine." in world.mail.to(CUSTOMER)[-1].text
