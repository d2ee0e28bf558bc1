"""POST /s/{token}: an answer is recorded once, kept as it was meant, and never half. Rows P5 to P8 of the faults."""

import re
from base64 import b64decode
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters import causes, links, tickets
from builders import (
    A_DAY,
    A_MINUTE,
    A_SECOND,
    AN_HOUR,
    CUSTOMER,
    RAVI,
    START,
    TEAM,
    closed,
    customer,
    reopened,
    sample,
    settings,
)
from domain import press
from domain.closure import Ref
from domain.follow_up import FollowUp, State
from world import World, refusal

WORDS = "Kim stayed on the phone\nuntil it worked."


def known(ticket_id: str = "4711", number: int = 1) -> FollowUp:
    """A follow-up of a ticket."""
    found = tickets.load("acme", ticket_id).follow_up(number)
    assert found is not None
    return found


def test_the_sample_event_is_a_no_with_words(world: World) -> None:
    event = sample("record_answer")
    link = world.asked()
    event["pathParameters"] = {"token": world.token(link)}
    form = b64decode(event["body"]).decode() if event["isBase64Encoded"] else event["body"]
    event |= {"body": f"{form}&seal={seal_of(world, link)}", "isBase64Encoded": False}
    page = world.answered(world.invoke("record_answer", event))
    assert page.status == 200
    assert "Thank you. It is not solved yet." in page.body
    assert "Ravi Menon has it on the list now" in page.body
    answer = known().answer
    assert answer is not None
    assert (answer.solved, answer.words) == (False, "The letter never came.\nI still cannot sign in.")


def test_nobody_is_named_who_may_not_have_it_any_more(world: World) -> None:
    link = world.asked()
    assert "Ravi Menon has it on the list now" in world.press(link, answer="no").body
    world.wait(2 * A_DAY)
    page = world.press(link, answer="no", words="Since Monday.").body
    assert "The person responsible has it on the list now" in page
    assert "Ravi Menon" not in page
    assert tickets.load("acme", "4711").flags[1].holder != "ravi"


def test_a_yes_with_words_and_consent_is_passed_on_as_an_appreciation(world: World) -> None:
    link = world.asked()
    page = world.press(link, answer="yes")
    assert "A word to the people of Web Portal" in page.body
    page = world.press(link, answer="yes", words=WORDS)
    assert all(f'<span dir="auto">{name}</span>' in page.body for name in ("Ana Beispiel", "Ana", "A. B."))
    page = world.press(link, answer="yes", words=WORDS, consent="yes", credit="full")
    assert "With your consent we pass on these words" in page.body
    world.wait(AN_HOUR)
    (note,) = world.mail.to(TEAM)
    assert note.subject == "A customer says thank you: ticket 4711"
    assert "> Kim stayed on the phone\n> until it worked." in note.text
    assert "> Ana Beispiel" in note.text


def test_words_without_consent_are_passed_on_to_nobody(world: World) -> None:
    world.press(world.asked(), answer="yes", words=WORDS)
    world.wait(8 * A_DAY)
    (note,) = world.mail.to(TEAM)
    assert note.subject == "Confirmed as solved: ticket 4711"
    assert all("stayed on the phone" not in mail.text + mail.html for mail in world.mail.sent)


def test_consent_is_for_exactly_the_words_that_were_shown(world: World) -> None:
    link = world.asked()
    world.press(link, answer="yes", words=WORDS, consent="yes")
    world.press(link, answer="yes", words="Only between us: it took far too long.")
    world.wait(AN_HOUR)
    assert all("far too long" not in mail.text for mail in world.mail.to(TEAM))
    assert len(world.mail.to(TEAM)) == 1


def test_consent_after_the_note_makes_one_appreciation_more(world: World) -> None:
    link = world.asked()
    world.press(link, answer="yes")
    world.wait(AN_HOUR)
    for _ in range(3):
        world.press(link, answer="yes", words=WORDS, consent="yes")
        world.wait(AN_HOUR)
    assert [mail.subject for mail in world.mail.to(TEAM)] == [
        "Confirmed as solved: ticket 4711",
        "A customer says thank you: ticket 4711",
    ]


def test_p5_only_the_link_says_which_closure_is_answered(world: World) -> None:
    mine, other = world.asked("1"), world.asked("2", requester=customer("bob@customer.example"))
    assert (
        world.press(
            f"{mine}?ticket_id=2&number=1", answer="no", ticket_id="2", token=world.token(other)
        ).status
        == 200
    )
    assert (known("1").state, known("2").state) == (State.DENIED, State.ASKED)


def test_p6_the_same_press_again_changes_nothing(world: World) -> None:
    link = world.asked()
    world.press(link, answer="no", words="It is broken.")
    world.settle()
    before, mails = world.scan(), len(world.mail.sent)
    for _ in range(3):
        world.now += A_SECOND
        assert world.press(link, answer="no", words="It is broken.").status == 200
        assert world.press(link, answer="no").status == 200
    world.settle()
    assert (world.scan(), len(world.mail.sent)) == (before, mails)


def test_p6_of_contrary_answers_the_last_counts_and_all_are_kept(world: World) -> None:
    link = world.asked()
    for answer in ("yes", "no", "yes", "no"):
        world.press(link, answer=answer)
        world.now += A_SECOND
    assert known().state == State.DENIED
    assert [answer.solved for answer in known().answers] == [True, False, True, False]
    found, _ = causes.figures("portal-login", START - A_DAY, world.now, 1)
    assert (found.tickets, found.confirmed, found.denied) in {(1, 0, 1), (0, 0, 0)}
    world.settle()
    found, _ = causes.figures("portal-login", START - A_DAY, world.now, 1)
    assert (found.tickets, found.confirmed, found.denied) == (1, 0, 1)


def test_p6_two_devices_at_once_are_both_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    link = world.asked()
    save, raced = tickets.save, list[bool]()

    def save_after_the_other_one(follow_up: FollowUp) -> None:
        if not raced:
            raced.append(True)
            assert world.press(link, answer="yes").status == 200
        save(follow_up)

    monkeypatch.setattr(tickets, "save", save_after_the_other_one)
    assert world.press(link, answer="no").status == 200
    assert [answer.solved for answer in known().answers] == [True, False]
    assert known().state == State.DENIED


def test_p7_a_late_no_still_reaches_the_worklist(world: World) -> None:
    link = world.asked()
    world.wait(30 * A_DAY)
    assert known().state == State.SILENT
    page = world.open(link)
    assert "Your answer still counts" in page.body
    assert world.press(link, answer="no", words="Sorry, I was away.").status == 200
    world.wait(A_MINUTE)
    answer = known().answer
    assert answer is not None
    assert (known().state, answer.late) == (State.DENIED, True)
    assert [mail.subject for mail in world.mail.to(RAVI) if "4711" in mail.subject][
        -1
    ] == "Not solved: ticket 4711"


def test_p7_a_late_yes_takes_the_flag_off_the_worklist(world: World) -> None:
    link = world.asked()
    world.wait(7 * A_DAY + A_MINUTE)
    world.press(link, answer="yes")
    world.wait(AN_HOUR)
    flag = tickets.load("acme", "4711").flags[1]
    assert (flag.reason, flag.result) == ("silent", "confirmed")
    assert len(world.mail.to(TEAM)) == 1


def test_p7_after_a_reopening_the_answer_is_refused_kindly(world: World) -> None:
    link = world.asked()
    world.hook(reopened(at=world.now))
    before = world.scan()
    assert world.press(link, answer="yes").status == 409
    assert world.scan() == before


def test_p7_an_answer_that_meets_a_reopening_was_given_before_it_and_thanks_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = world.asked()
    save, raced = tickets.save, list[bool]()

    def save_after_the_reopening(follow_up: FollowUp) -> None:
        if not raced:
            raced.append(True)
            world.hook(reopened(at=world.now))
        save(follow_up)

    monkeypatch.setattr(tickets, "save", save_after_the_reopening)
    assert world.press(link, answer="yes").status == 200
    assert world.press(link, answer="no").status == 200
    assert [answer.solved for answer in known().answers] == [True, False]
    assert world.press(link, answer="yes").status == 200
    world.wait(2 * A_DAY)
    assert [mail.subject for mail in world.mail.to(TEAM)] == []


def test_a_no_after_a_yes_always_flags(world: World) -> None:
    link = world.asked()
    world.press(link, answer="yes")
    world.wait(2 * A_DAY)
    world.hook(reopened(at=world.now))
    assert world.press(link, answer="no").status == 200
    world.wait(6 * A_MINUTE)
    assert known().state == State.DENIED
    assert "Not solved: ticket 4711" in [mail.subject for mail in world.mail.to(RAVI)]


def test_a_no_waits_five_minutes_for_its_words_and_goes_at_once_with_them(world: World) -> None:
    first, second = world.asked("1"), world.asked("2", requester=customer("bob@customer.example"))
    world.press(first, answer="no")
    world.press(second, answer="no")
    world.wait(2 * A_MINUTE)
    assert world.mail.to(RAVI) == []
    world.press(first, answer="no", words="The screen stays dark.")
    world.settle()
    (told,) = world.mail.to(RAVI)
    assert told.subject == "Not solved: ticket 1"
    assert "The screen stays dark." in told.text
    world.wait(4 * A_MINUTE)
    assert [mail.subject for mail in world.mail.to(RAVI)] == ["Not solved: ticket 1", "Not solved: ticket 2"]


@pytest.mark.parametrize("operation", ["GetItem", "Query", "PutItem"])
def test_p8_while_the_table_is_down_the_words_stay_in_the_form(world: World, operation: str) -> None:
    link = world.asked()
    seal = seal_of(world, link)
    before = world.scan()
    world.wait(A_MINUTE)
    world.fail(operation)
    page = world.press(link, answer="no", words="It took me <b>an hour</b> to write this.", seal=seal)
    assert (page.status, page.headers["retry-after"]) == (503, "5")
    assert "It took me &lt;b&gt;an hour&lt;/b&gt; to write this." in page.body
    assert 'name="answer" value="no"' in page.body
    assert world.scan() == before
    world.press(link, answer="no", words="It took me an hour to write this.")
    assert known().state == State.DENIED


def test_p8_a_reply_lost_after_the_commit_is_recorded_once(world: World) -> None:
    link = world.asked()
    world.fail("PutItem", after=True)
    assert world.press(link, answer="no").status == 503
    assert world.press(link, answer="no").status == 200
    world.wait(6 * A_MINUTE)
    assert len(known().answers) == 1
    assert len([mail for mail in world.mail.to(RAVI) if "4711" in mail.subject]) == 1


def test_without_one_of_the_two_answers_nothing_is_recorded(world: World) -> None:
    link = world.asked()
    before = world.scan()
    forms: list[dict[str, str]] = [
        {},
        {"answer": ""},
        {"answer": "maybe"},
        {"answer": "YES"},
        {"words": "only words"},
    ]
    for form in forms:
        page = world.press(link, **form)
        assert page.status == 400
        assert world.scan() == before
        assert world.seal(page), "whoever chooses on this page is no machine for it"


def test_p12_hostile_words_are_cleaned_and_cut(world: World) -> None:
    link = world.asked()
    world.press(link, answer="no", words="a\x00b\u202ec\u200bd\u2028e" + "e" * 3000)
    answer = known().answer
    assert answer is not None
    assert answer.words is not None
    assert len(answer.words) <= 2000
    assert not set(answer.words) & set("\x00\u202e\u200b\u2028")
    assert world.press(link, answer="no", words="x" * 65_600).status == 413


@pytest.mark.parametrize("letter", ["x", "Ж", "あ", "😀"])
def test_words_as_long_as_the_page_allows_fit_in_whatever_script(world: World, letter: str) -> None:
    link = world.asked()
    world.press(link, answer="no")
    page = world.press(link, answer="no", words=letter * 2000, wish=letter * 2000)
    assert page.status == 200
    answer = known().answer
    assert answer and answer.words == letter * 2000


def test_an_answer_that_meets_a_transaction_is_stored_all_the_same(world: World) -> None:
    link = world.asked()
    world.fail("PutItem", refusal("TransactionConflictException", 400, "PutItem"))
    assert world.press(link, answer="yes").status == 200
    assert known().state is State.CONFIRMED


def test_the_second_closing_is_asked_anew_and_the_first_link_is_closed(world: World) -> None:
    first = world.asked()
    world.hook(reopened(at=world.now))
    world.wait(A_DAY)
    world.hook(closed(at=world.now))
    world.wait(9 * A_DAY)
    second = world.mail.to(CUSTOMER)[-1]
    assert second.at - START >= timedelta(days=8)
    assert second.link != first
    assert world.press(second.link, answer="yes").status == 200
    assert world.press(first, answer="no").status == 409
    assert (known(number=1).state, known(number=2).state) == (State.REOPENED, State.CONFIRMED)


def test_a_customer_chooses_how_to_be_named_and_may_take_the_words_back(world: World) -> None:
    link = world.asked()
    world.press(link, answer="yes", words=WORDS, consent="yes", credit="initials")
    world.hook(closed("4712", world.now, requester=customer("bob@customer.example")))
    world.wait(AN_HOUR)
    (note,) = world.mail.to(TEAM)
    assert "> A. B." in note.text
    assert "Beispiel" not in note.text
    world.wait(A_DAY)
    other = world.survey_link("4712")
    world.press(other, answer="yes", words="You were quick.", consent="yes", credit="anonymous")
    page = world.press(other, answer="yes", withdraw="yes")
    assert "You took your words back" in page.body
    world.wait(AN_HOUR)
    assert "You were quick." not in world.mail.to(TEAM)[-1].text
    withdrawn = tickets.load("acme", "4712").follow_up(1)
    assert withdrawn and withdrawn.answer
    assert (withdrawn.answer.consent, withdrawn.answer.withdrawn) == (None, True)


def test_what_would_be_accepted_and_whether_the_promise_was_kept_reach_the_responsible_person(
    world: World,
) -> None:
    link = world.asked(promise="A call on Friday")
    assert "Did we keep what we promised?" in world.open(link).body
    world.press(link, answer="no", kept="no")
    page = world.press(link, answer="no", words="Nobody called.", wish="A call on Monday.")
    assert "A call on Monday." in page.body
    world.wait(6 * A_MINUTE)
    (flag,) = world.mail.to(RAVI)
    assert "A call on Monday." in flag.text
    assert "Not kept, says the customer" in flag.text
    answer = known().answer
    assert answer is not None
    assert (answer.kept, answer.wish, answer.words) == (False, "A call on Monday.", "Nobody called.")


def test_p16_a_token_that_can_be_written_in_several_ways_is_one_link_and_stands_nowhere(world: World) -> None:
    """The last character of a signature has bits that mean nothing, so other texts verify as well."""
    link = world.asked()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    written = [f"{link[:-1]}{last}" for last in alphabet]
    same = [other for other in written if world.open(other).status == 200]
    assert link in same
    assert len(same) == 4
    seals = {seal_of(world, other) for other in same}
    world.press(same[0], answer="no", words="Nobody called.", seal=seals.pop())
    world.settle()
    stored = world.scan()
    for other in same:
        page = world.press(other, answer="no", words="Nobody called.", seal=seal_of(world, same[0]))
        assert page.status == 200
    world.settle()
    assert world.scan() == stored
    assert len(known().answers) == 1
    world.wait(AN_HOUR)
    assert len(world.mail.to(RAVI)) == 1
    for other in same:
        token = world.token(other)
        assert not any(part in text for text in (world.log.getvalue(), *stored) for part in token.split("."))


# --- machines that press ---------------------------------------------------------------------------------------------


def careful(world: World) -> None:
    """The rules of real life, which are off where a test's people press as fast as machines."""
    world.apply(settings(press_after_page=2 * A_SECOND, press_after_mail=A_MINUTE))


def seal_of(world: World, link: str) -> str:
    """What the page puts into its form now."""
    found = world.seal(world.open(link))
    assert found is not None
    return found


def test_p2_a_scanner_that_submits_every_form_at_once_changes_nothing_and_is_remembered(world: World) -> None:
    careful(world)
    link = world.asked()
    for answer in ("yes", "no") * 20:
        page = world.press(link, answer=answer)
        assert page.status == 200
        assert "press once more" in page.body
        assert world.seal(page) is not None
    assert (known().state, known().answers) == (State.ASKED, ())
    assert len(known().suspects) == 10
    assert world.mail.to(RAVI) == []
    world.now += A_MINUTE
    seal = seal_of(world, link)
    world.now += 3 * A_SECOND
    assert "Thank you. It is solved." in world.press(link, answer="yes", seal=seal).body
    assert known().state == State.CONFIRMED


def test_p8_whoever_tries_again_after_a_fault_of_ours_is_not_taken_for_a_machine(world: World) -> None:
    careful(world)
    link = world.asked()
    seal = seal_of(world, link)
    world.now += A_MINUTE
    world.fail("Query")
    failed = world.press(link, answer="no", seal=seal)
    assert failed.status == 503
    again = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', failed.body))
    assert again == {"answer": "no", "seal": seal}
    assert world.press(link, **again).status == 200
    assert known().state == State.DENIED


def test_p2_whoever_has_the_flag_sees_what_was_not_counted(world: World) -> None:
    careful(world)
    link = world.asked()
    world.press(link, answer="yes")
    world.wait(8 * A_DAY)
    assert known().state == State.SILENT
    flag = next(mail for mail in world.mail.to(RAVI) if mail.subject.startswith("No answer"))
    told = "Pressed, perhaps by a machine: “Solved” on Tuesday 1 December 2026, 10:01 CET"
    assert told in flag.text
    assert "“Solved” on Tuesday 1 December 2026, 10:01 CET" in world.open(flag.link).body


def test_p2_a_person_who_was_wrongly_suspected_loses_one_press(world: World) -> None:
    careful(world)
    world.hook(closed())
    world.wait_until(START + A_DAY)
    (survey,) = world.mail.to(CUSTOMER)
    seal = seal_of(world, survey.link)
    world.now += 20 * A_SECOND
    page = world.press(survey.link, answer="no", seal=seal)
    assert 'value="no" required checked' in page.body
    assert known().state == State.ASKED
    world.now += 3 * A_SECOND
    again = world.seal(page)
    assert again is not None
    world.press(survey.link, answer="no", seal=again)
    assert known().state == State.DENIED


@pytest.mark.parametrize(
    "trap", ["hidden link", "hidden field", "no seal", "another closure's seal", "stale seal"]
)
def test_p3_what_only_machines_touch_makes_a_press_suspect_and_blocks_nobody(world: World, trap: str) -> None:
    careful(world)
    link = world.asked()
    other = world.survey_link("4712")
    world.hook(closed("4712", world.now, requester=customer("bob@customer.example")))
    shown = {"hidden link": f"{link}?a=website", "another closure's seal": other}.get(trap, link)
    seal = "" if trap == "no seal" else seal_of(world, shown)
    if trap == "stale seal":
        long_ago = world.now - settings().policy.keep_for - A_DAY
        about = links.read_survey(world.token(link), world.now, settings().policy.keep_for)
        seal = links.seal(about, press.Page(shown_at=long_ago), world.now)
    person = seal_of(world, link)
    world.now += A_MINUTE
    form = {"website": "https://spam.example"} if trap == "hidden field" else {}
    assert "press once more" in world.press(link, answer="yes", seal=seal, **form).body
    assert known().answers == ()
    world.now += A_MINUTE
    world.press(link, answer="yes", seal=person)
    assert known().state == State.CONFIRMED


def test_words_that_came_with_a_suspect_press_stand_in_the_form_that_asks_once_more(world: World) -> None:
    careful(world)
    link = world.asked()
    world.now += A_MINUTE
    page = world.press(link, answer="no", words="Still broken.\nSince Monday.", wish="A new meter", seal="")
    assert "press once more" in page.body
    assert ">\nStill broken.\nSince Monday.</textarea>" in page.body
    assert 'name="wish" rows="3" maxlength="2000">\nA new meter</textarea>' in page.body
    assert known().answers == ()


def test_the_page_of_a_mail_about_one_closing_answers_it_after_that_mail_took_others_along(
    world: World,
) -> None:
    link = world.asked()
    world.hook(closed("4712", world.now))
    other = replace(known(), together=(Ref(source="acme", ticket_id="4712", number=1),))
    tickets.save(other)
    page = world.press(link, answer="yes")
    assert page.status == 200
    assert known().state == State.CONFIRMED
    assert known("4712").answers == ()
