"""First fix the person: settled, asked again, at most twice; silence goes back once; the recovered are counted."""

import re
from datetime import timedelta

import pytest

from adapters import causes, people, tickets
from builders import (
    A_DAY,
    A_MINUTE,
    AN_HOUR,
    CUSTOMER,
    HANNE,
    MIA,
    RAVI,
    START,
    TEAM,
    received,
    reopened,
    written,
)
from domain.flag import Flag, Reason, Result, What
from domain.follow_up import FollowUp, State
from domain.person import Surveys, prefer
from domain.recovery import Recovered
from integration.test_send_message import waiting_together
from integration.test_settle_flag import raised
from world import Sent, World

DONE = "I called and reset the password together with you."


def flag() -> Flag:
    """The flag of the one ticket."""
    return tickets.load("acme", "4711").flags[1]


def known() -> FollowUp:
    """Its follow-up."""
    found = tickets.load("acme", "4711").follow_up(1)
    assert found is not None
    return found


def questions(world: World) -> list[Sent]:
    """The mails that asked the customer again."""
    return [mail for mail in world.mail.to(CUSTOMER) if "solved now?" in mail.subject]


def settle(world: World, link: str, done: str = DONE, result: str = "solved") -> None:
    """The responsible person settles the flag."""
    assert world.press(link, action="settle", result=result, done=done).status == 200
    world.settle()


def test_settled_the_customer_is_asked_again_with_what_was_done(world: World) -> None:
    link = raised(world)
    settle(world, link)
    (mail,) = questions(world)
    assert mail.subject == "Is ticket 4711 solved now?"
    assert "On Tuesday, 1 December 2026 you told us that it was not solved." in mail.text
    assert f"> {DONE}" in mail.text
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    page = world.open(f"{mail.link}?a=yes").body
    assert "Is it solved now?" in page
    assert DONE in page
    assert " checked>" in page
    assert " checked>" not in world.open(mail.link).body, "the old answer is no answer to the new question"


def test_a_yes_recovers_the_customer_and_the_team_hears_of_it(world: World) -> None:
    link = raised(world)
    settle(world, link)
    (mail,) = questions(world)
    world.wait(AN_HOUR)
    world.press(mail.link, answer="yes", words="Thank you, Ravi.")
    world.wait(AN_HOUR)
    assert known().state is State.CONFIRMED
    (note,) = world.mail.to(TEAM)
    assert "4711" in note.subject
    assert causes.recovery("portal-login", START, world.now) == Recovered(1, 1)
    assert "the customer says it is solved now." in world.open(link).body
    assert "1 of them says by now that it is solved" in world.open(link).body
    world.wait(30 * A_DAY)
    assert flag().due_at is None
    assert len(questions(world)) == 1


def test_a_yes_by_mail_counts_too(world: World) -> None:
    settle(world, raised(world))
    (mail,) = questions(world)
    world.wait(AN_HOUR)
    told = received(mail.reply_to or "", "mail-1", world.now)
    world.receive(written("Yes, it is solved now."), told)
    world.settle()
    assert known().state is State.CONFIRMED


def test_the_question_names_the_last_day_that_its_page_names_however_long_it_waits(world: World) -> None:
    link = raised(world)
    world.wait_until(START + 4 * A_DAY + 12 * AN_HOUR)
    settle(world, link)
    world.wait(4 * A_DAY)
    (question,) = questions(world)
    assert question.at - (START + 4 * A_DAY + 12 * AN_HOUR) > A_DAY
    (day,) = re.findall(r"Please answer by ([^.]+)\.", question.text)
    assert f"Please answer by {day}." in world.open(question.link).body


def test_a_no_raises_it_again_and_a_second_one_goes_further(world: World) -> None:
    link = raised(world)
    settle(world, link)
    world.wait(AN_HOUR)
    world.press(questions(world)[0].link, answer="no")
    world.wait(A_MINUTE)
    assert (flag().reason, flag().holder, flag().rounds) == (Reason.STILL_DENIED, "ravi", 2)
    settle(world, world.mail.to(RAVI)[-1].link, done="A new account.")
    world.wait(AN_HOUR)
    assert len(questions(world)) == 2
    world.press(questions(world)[1].link, answer="no")
    world.wait(A_MINUTE)
    assert (flag().reason, flag().holder, flag().escalated_from) == (Reason.STILL_DENIED, "hanne", "ravi")
    handed_over = world.mail.to(HANNE)[-1]
    assert "it has been tried twice, so it comes to you" in handed_over.text
    settle(world, handed_over.link, done="I visited the customer.")
    world.wait(30 * A_DAY)
    assert len(questions(world)) == 2, "nobody is asked a third time"
    assert flag().settled_by == "hanne"
    assert [answer.solved for answer in known().answers] == [False, False, False]


def test_who_writes_after_the_second_no_writes_to_the_manager_who_has_it_by_then(world: World) -> None:
    settle(world, raised(world))
    world.wait(AN_HOUR)
    world.press(questions(world)[0].link, answer="no")
    world.wait(A_MINUTE)
    settle(world, world.mail.to(RAVI)[-1].link, done="A new account.")
    world.wait(AN_HOUR)
    asked_twice = questions(world)[1]
    world.press(asked_twice.link, answer="no")
    world.wait(A_MINUTE)
    mails = len(world.mail.to(RAVI))
    told = received(asked_twice.reply_to or "", "mail-1", world.now)
    world.receive(written("Could somebody call me on Thursday, please?"), told)
    world.wait(10 * A_MINUTE)
    assert (flag().holder, flag().settled_at) == ("hanne", None)
    assert len(world.mail.to(RAVI)) == mails
    mail = world.mail.to(HANNE)[-1]
    assert "call me on Thursday" in mail.text
    assert "comes to you" not in mail.text, "it had come before"
    rounds = flag().rounds
    world.wait(AN_HOUR)
    assert flag().rounds == rounds, "told once"


def test_who_writes_when_nobody_took_it_up_is_heard_the_whole_way_again(world: World) -> None:
    settle(world, raised(world))
    world.wait(AN_HOUR)
    question = questions(world)[0]
    world.press(question.link, answer="no")
    world.wait(10 * A_DAY)
    assert (flag().reason, flag().holder, flag().due_at) == (Reason.STILL_DENIED, "mia", None)
    before = len(world.mail.sent)
    world.receive(written("Is anybody there?"), received(question.reply_to or "", "mail-1", world.now))
    world.wait(10 * A_DAY)
    assert (flag().reason, flag().holder, flag().due_at) == (Reason.DENIED, "mia", None)
    told = [mail.to for mail in world.mail.sent[before:] if "4711" in mail.subject]
    assert told == [MIA, HANNE, MIA]


def test_the_same_no_pressed_twice_is_one_answer(world: World) -> None:
    settle(world, raised(world))
    world.wait(AN_HOUR)
    for _ in range(2):
        world.press(questions(world)[0].link, answer="no")
        world.wait(A_MINUTE)
    assert len(known().answers) == 2
    assert flag().rounds == 2


def test_silence_goes_back_to_the_person_once(world: World) -> None:
    link = raised(world)
    settle(world, link)
    world.wait(7 * A_DAY - AN_HOUR)
    assert flag().settled_at
    world.wait(2 * AN_HOUR)
    assert (flag().reason, flag().settled_at) == (Reason.STILL_SILENT, None)
    told = [mail.subject for mail in world.mail.to(RAVI) if "4711" in mail.subject]
    assert told == ["Not solved: ticket 4711", "No answer when asked again: ticket 4711"]
    settle(world, world.mail.to(RAVI)[-1].link, done="I called: it works.")
    world.wait(60 * A_DAY)
    assert len(questions(world)) == 1
    assert flag().settled_at
    assert known().state is State.DENIED, "nobody is called satisfied who never said so"


def test_an_answer_after_the_silence_still_counts(world: World) -> None:
    settle(world, raised(world))
    world.wait(8 * A_DAY)
    assert flag().reason is Reason.STILL_SILENT
    world.press(questions(world)[0].link, answer="yes")
    world.settle()
    assert (known().state, flag().result) == (State.CONFIRMED, Result.CONFIRMED)


def test_a_no_after_the_silence_raises_it_again(world: World) -> None:
    settle(world, raised(world))
    world.wait(7 * A_DAY + AN_HOUR)
    world.press(questions(world)[0].link, answer="no", words="Still not.")
    world.settle()
    assert (flag().reason, flag().rounds) == (Reason.STILL_DENIED, 3)


def test_who_never_answered_is_asked_again_in_other_words(world: World) -> None:
    world.asked()
    world.wait(8 * A_DAY)
    settle(world, world.mail.to(RAVI)[-1].link)
    (mail,) = questions(world)
    assert "We did not hear whether it is solved, so Ravi Menon looked after it and writes:" in mail.text


def test_the_quiet_period_and_the_cap_do_not_hold_it_up_but_hours_do(world: World) -> None:
    link = raised(world)
    world.wait_until(START + A_DAY + timedelta(hours=9))
    settle(world, link)
    assert questions(world) == [], "it is evening where the customer lives"
    assert "It goes out on Wednesday 2 December 2026, 08:00" in world.open(link).body
    world.wait_until(START + A_DAY + timedelta(hours=22, minutes=5))
    assert len(questions(world)) == 1, "within the quiet period of the survey"


@pytest.mark.parametrize("result", ["agreed", "not_possible"])
def test_what_was_only_agreed_or_is_not_possible_is_not_asked_about(world: World, result: str) -> None:
    settle(world, raised(world), result=result)
    world.wait(30 * A_DAY)
    assert questions(world) == []
    assert flag().settled_at


@pytest.mark.parametrize("chosen", [Surveys.FIXES, Surveys.NONE])
def test_who_wants_no_surveys_is_not_asked_again(world: World, chosen: Surveys) -> None:
    link = raised(world)
    people.save(prefer(people.load(CUSTOMER), chosen), None)
    settle(world, link)
    world.wait(30 * A_DAY)
    assert questions(world) == []
    assert flag().settled_at


def test_who_stops_before_it_goes_out_is_not_asked_and_nobody_has_to_look(world: World) -> None:
    link = raised(world)
    world.wait_until(START + A_DAY + timedelta(hours=9))
    settle(world, link)
    people.save(prefer(people.load(CUSTOMER), Surveys.NONE), None)
    world.wait(30 * A_DAY)
    assert questions(world) == []
    assert (flag().reason, flag().due_at) == (Reason.DENIED, None)


def test_a_question_that_comes_back_goes_back_to_the_person(world: World) -> None:
    link = raised(world)
    world.mail.reports[CUSTOMER] = ("Send", "Bounce")
    settle(world, link)
    world.wait(8 * A_DAY)
    assert flag().reason is Reason.STILL_SILENT
    assert "could not be delivered" in world.open(link).body


def test_a_ticket_that_is_opened_again_has_a_new_life(world: World) -> None:
    link = raised(world)
    world.wait_until(START + A_DAY + timedelta(hours=9))
    settle(world, link)
    world.hook(reopened(at=world.now))
    world.wait(30 * A_DAY)
    assert questions(world) == []
    assert flag().settled_at


def test_several_closings_are_asked_on_one_page_and_only_one_again(world: World) -> None:
    waiting_together(world, 3)
    world.wait(A_DAY)
    mail = world.mail.to(CUSTOMER)[-1]
    world.press(mail.link, **{"answer-1": "no", "words-1": "Not at all.", "answer-2": "yes"})
    world.wait(A_MINUTE)
    flagged = next(mail for mail in world.mail.to(RAVI) if "Not solved" in mail.subject)
    settle(world, flagged.link)
    (again,) = questions(world)
    page = world.open(f"{again.link}?a=1yes").body
    assert f"{again.link}?a=1no" in again.text
    assert (page.count("Is it solved now?"), page.count("Is it really solved?")) == (1, 1)
    assert page.count('name="answer-1" value="yes" checked>') == 1
    assert page.count('name="answer-2" value="yes" checked>') == 1, "what was answered stays as it was"
    world.wait(A_MINUTE)
    world.press(again.link, **{"answer-1": "yes", "answer-2": "yes"})
    world.settle()
    states = {f.closure.ticket_id: f.state for f in people.history(CUSTOMER)}
    assert (states["1"], states["2"]) == (State.CONFIRMED, State.CONFIRMED)


def test_r8_settled_twice_is_asked_once_and_the_history_says_who_and_when(world: World) -> None:
    link = raised(world)
    for _ in range(3):
        settle(world, link)
        world.now += A_MINUTE
    world.wait(AN_HOUR)
    assert len(questions(world)) == 1
    assert [(deed.what, deed.by) for deed in flag().deeds] == [
        (What.RAISED, None),
        (What.SETTLED, "ravi"),
        (What.ASKED_AGAIN, None),
    ]
    assert (
        "Ravi Menon settled it: I called and reset the password together with you." in world.open(link).body
    )


def test_cut_off_in_the_middle_nothing_is_half_done(world: World) -> None:
    link = raised(world)
    world.fail("TransactWriteItems", after=True)
    assert world.press(link, action="settle", result="solved", done=DONE).status == 503
    settle(world, link)
    world.wait(AN_HOUR)
    assert len(questions(world)) == 1
    assert len(known().asked_again) == 1
