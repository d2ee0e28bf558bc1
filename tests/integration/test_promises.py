"""What was promised to a customer: reminded before it falls due, told when it is kept, flagged when it is broken."""

import pytest

from adapters import tickets
from builders import A_DAY, A_MINUTE, AN_HOUR, CUSTOMER, HANNE, RAVI, START, closed, reopened, settings, stamp
from domain.flag import Reason, What
from domain.promise import FROM_TICKET, End, Promise
from integration.test_recovery import flag, known, questions, settle
from integration.test_settle_flag import raised
from world import World

AGREED = "A technician visits you and replaces the meter."
FRIDAY = "2026-12-04"


def promise() -> Promise:
    """The one promise about the one ticket."""
    (found,) = tickets.load("acme", "4711").promises
    return found


def agreed(world: World, until: str = FRIDAY) -> str:
    """The link to a flag with a promise until Friday; it is Tuesday."""
    link = raised(world)
    assert world.press(link, action="agree", words=AGREED, until=until).status == 200
    world.settle()
    return link


def test_it_is_kept_with_who_and_until_when_and_the_day_before_there_is_a_reminder(world: World) -> None:
    link = agreed(world)
    known_promise = promise()
    assert (known_promise.by, known_promise.words, known_promise.end) == ("ravi", AGREED, None)
    assert known_promise.until.isoformat() == "2026-12-04T23:00:00+00:00", "Friday is over in Berlin"
    assert "By Friday 4 December 2026, by Ravi Menon." in world.open(link).body
    settle(world, link, "A visit on Friday.", "agreed")
    before = len(world.mail.to(RAVI))
    world.wait_until(known_promise.until - A_DAY - A_MINUTE)
    assert len(world.mail.to(RAVI)) == before
    world.wait(3 * A_MINUTE)
    (reminder,) = world.mail.to(RAVI)[before:]
    assert reminder.subject == "A promise falls due: ticket 4711"
    assert "Promised by Friday 4 December 2026" in reminder.text
    assert f"> {AGREED}" in reminder.text
    assert "It is kept" in world.open(reminder.link).body


def test_kept_the_customer_is_told_and_a_day_later_asked_whether_it_is_solved_now(world: World) -> None:
    link = agreed(world)
    settle(world, link, "A visit on Friday.", "agreed")
    world.wait(A_DAY)
    world.press(link, action="keep", promise=promise().name, words="The new meter runs since nine.")
    world.settle()
    kept = promise()
    assert (kept.end, kept.ended_by, kept.due_at) == (End.KEPT, "ravi", None)
    mail = world.mail.to(CUSTOMER)[-1]
    assert mail.subject == "We kept our promise about ticket 4711"
    assert f"> {AGREED}" in mail.text
    assert "> The new meter runs since nine." in mail.text
    assert questions(world) == []
    world.wait(A_DAY + A_MINUTE)
    (again,) = questions(world)
    assert "> The new meter runs since nine." in again.text
    world.wait(AN_HOUR)
    world.press(again.link, answer="yes")
    world.wait(A_DAY)
    assert known().state == "confirmed"
    assert "Kept by Ravi Menon" in world.open(link).body


def test_a_mail_about_a_kept_promise_that_comes_back_is_shown_and_the_next_is_not_announced(
    world: World,
) -> None:
    link = agreed(world)
    world.press(link, action="agree", words="A call on Friday.", until=FRIDAY)
    first, second = sorted(one.name for one in tickets.load("acme", "4711").promises)
    assert "The customer is told in a short mail" in world.open(link).body
    world.mail.reports[CUSTOMER] = ("Send", "Bounce")
    world.press(link, action="keep", promise=first, words="The new meter runs.")
    world.wait(AN_HOUR)
    page = world.open(link).body
    assert "A mail to the customer says so. It could not be delivered." in page
    assert "The customer is told in a short mail" not in page
    assert "please tell them yourself" in page
    assert world.press(link, action="keep", promise=second, words="I called.").status == 200


def test_broken_it_is_flagged_and_goes_on_to_the_manager(world: World) -> None:
    link = agreed(world)
    settle(world, link, "A visit on Friday.", "agreed")
    world.wait_until(promise().until + A_MINUTE)
    assert (promise().end, promise().ended_by) == (End.BROKEN, None)
    assert (flag().reason, flag().settled_at, flag().holder) == (Reason.PROMISE_BROKEN, None, "ravi")
    assert world.mail.to(RAVI)[-1].subject == "A promise is broken: ticket 4711"
    assert world.mail.to(HANNE) == []
    world.wait(A_DAY)
    assert flag().holder == "hanne"
    settle(world, world.mail.to(HANNE)[-1].link, "The visit was today.")
    world.wait(20 * A_DAY)
    assert len(questions(world)) == 1
    assert sum(deed.what is What.RAISED for deed in flag().deeds) == 3


def test_withdrawn_with_the_reason_nobody_is_told_and_nothing_breaks(world: World) -> None:
    link = agreed(world)
    mails = len(world.mail.to(CUSTOMER))
    assert world.press(link, action="withdraw", promise=promise().name, words="").status == 400
    world.press(link, action="withdraw", promise=promise().name, words="The customer moved house.")
    settle(world, link, "Moved.", "not_possible")
    world.wait(10 * A_DAY)
    assert (promise().end, promise().end_words) == (End.WITHDRAWN, "The customer moved house.")
    assert len(world.mail.to(CUSTOMER)) == mails
    assert flag().settled_at


def test_one_kept_and_the_last_withdrawn_the_customer_is_asked_whether_it_is_solved_now(world: World) -> None:
    link = agreed(world)
    first = promise().name
    world.press(link, action="agree", words="A call on Friday.", until=FRIDAY)
    settle(world, link, "A visit and a call.", "agreed")
    world.wait(A_DAY)
    assert world.press(link, action="keep", promise=first, words="The new meter runs.").status == 200
    (open_one,) = [one for one in tickets.load("acme", "4711").promises if one.end is None]
    world.wait(A_DAY)
    assert questions(world) == [], "one is open still"
    assert world.press(link, action="withdraw", promise=open_one.name, words="Not needed.").status == 200
    world.wait(4 * A_DAY)
    (again,) = questions(world)
    assert "> The new meter runs." in again.text


def test_r8_pressed_twice_is_one_promise_and_one_mail(world: World) -> None:
    link = raised(world)
    form = world.form_id(world.open(link)) or ""
    for _ in range(3):
        assert world.press(link, action="agree", words=AGREED, until=FRIDAY, form=form).status == 200
    for _ in range(3):
        assert world.press(link, action="keep", promise=promise().name, words="Done.").status == 200
        world.now += A_MINUTE
        world.settle()
    assert sum("kept our promise" in mail.subject for mail in world.mail.to(CUSTOMER)) == 1
    assert [deed.what for deed in flag().deeds] == [What.RAISED, What.PROMISED, What.PROMISE_KEPT]
    before = world.scan()
    assert world.press(link, action="withdraw", promise=promise().name, words="No.").status == 409
    assert world.scan() == before


@pytest.mark.parametrize("until", ["", "soon", "2026-11-30", "2028-01-01", "0000-00-00", "9999-12-31"])
def test_a_promise_needs_a_day_on_which_it_can_be_kept(world: World, until: str) -> None:
    link = raised(world)
    before = world.scan()
    page = world.press(link, action="agree", words=AGREED, until=until)
    assert page.status == 400
    assert AGREED in page.body
    assert world.scan() == before


def test_a_promise_that_ends_after_its_case_is_deleted_is_refused_with_the_day(world: World) -> None:
    """It would be deleted before its day, and nobody would be reminded."""
    world.apply(settings(keep_for=100 * A_DAY))
    link = raised(world)
    before = world.scan()
    page = world.press(link, action="agree", words=AGREED, until="2027-02-24")
    assert page.status == 400
    assert "We delete this case on 10 March 2027" in page.body
    assert AGREED in page.body
    assert world.scan() == before
    assert world.press(link, action="agree", words=AGREED, until="2027-02-22").status == 200
    kept = known().keep_until
    assert kept is not None
    assert promise().until <= kept - 14 * A_DAY


def test_a_promise_for_today_is_reminded_of_before_it_is_over(world: World) -> None:
    agreed(world, until="2026-12-01")
    before = len(world.mail.to(RAVI))
    world.wait_until(promise().until - AN_HOUR)
    assert world.mail.to(RAVI)[before].subject == "A promise falls due: ticket 4711"


def test_kept_before_the_reminder_nobody_is_reminded(world: World) -> None:
    link = agreed(world)
    world.press(link, action="keep", promise=promise().name)
    before = len(world.mail.to(RAVI))
    world.wait(2 * A_DAY)
    assert not any("falls due" in mail.subject for mail in world.mail.to(RAVI)[before:])


def test_another_promise_still_open_nobody_is_asked_yet(world: World) -> None:
    link = agreed(world)
    world.press(link, action="agree", words="And a call.", until="2026-12-10")
    settle(world, link, "A visit and a call.", "agreed")
    first, second = tickets.load("acme", "4711").promises
    world.press(link, action="keep", promise=first.name)
    world.wait(3 * A_DAY)
    assert questions(world) == []
    world.press(link, action="keep", promise=second.name)
    world.wait(3 * A_DAY)
    assert len(questions(world)) == 1


def test_nobody_promises_without_end(world: World) -> None:
    link = raised(world)
    statuses = [
        world.press(link, action="agree", words=f"Promise {n}", until=FRIDAY).status for n in range(11)
    ]
    assert statuses == [200] * 10 + [409]


# --- a promise about a closing that nobody flagged --------------------------------------------------------------------


def without_a_flag(world: World) -> str:
    """The ticket was closed, and something is promised for four days later; gives the reminder's link."""
    until = stamp(world.now + 4 * A_DAY)
    world.asked(promise=AGREED, promised_by="Kim Ren", promised_until=until)
    assert (promise().by, stamp(promise().until)) == ("ravi", until)
    world.wait(2 * A_DAY + A_MINUTE)
    reminder = next(mail for mail in world.mail.to(RAVI) if "falls due" in mail.subject)
    return reminder.link


def test_what_the_ticket_promises_for_after_its_deletion_is_reminded_of_before_that(world: World) -> None:
    world.apply(settings(keep_for=100 * A_DAY))
    world.asked(promise=AGREED, promised_until=stamp(world.now + 200 * A_DAY))
    world.press(world.survey_link(), answer="no")
    world.wait_until(START + 86 * A_DAY - A_MINUTE)
    assert not [mail for mail in world.mail.to(RAVI) if "falls due" in mail.subject]
    world.wait(A_DAY)
    (reminder,) = [mail for mail in world.mail.to(RAVI) if "falls due" in mail.subject]
    assert "Promised by Friday 18 June 2027" in reminder.text
    assert "We delete this case on Wednesday 10 March 2027, before the promise ends" in reminder.text
    assert "counts as broken" not in reminder.text
    assert AGREED in world.open(reminder.link).body


def test_before_there_is_a_flag_its_page_shows_the_promise(world: World) -> None:
    link = without_a_flag(world)
    page = world.open(link)
    assert page.status == 200
    assert "A promise to the customer has to be kept" in page.body
    assert tickets.load("acme", "4711").flags == {}
    assert world.press(link, action="keep", promise=FROM_TICKET, words="It was yesterday.").status == 200
    world.settle()
    assert promise().end is End.KEPT
    assert tickets.load("acme", "4711").flags == {}, "nothing has to be done"
    assert "> It was yesterday." in world.mail.to(CUSTOMER)[-1].text


@pytest.mark.parametrize(
    "form",
    [
        {"action": "acknowledge"},
        {"action": "settle", "done": "Looked at it.", "result": "not_possible"},
        {"action": "ask_team"},
    ],
)
def test_the_page_of_a_promise_makes_no_flag(world: World, form: dict[str, str]) -> None:
    link = without_a_flag(world)
    page = world.open(link).body
    assert f'value="{form["action"]}"' not in page
    assert "Nothing is flagged: there is nothing to settle." in page
    assert "Flagged:" not in page
    before = world.scan()
    refused = world.press(link, **form)
    assert (refused.status, "Nothing is flagged about this" in refused.body) == (409, True)
    assert world.scan() == before
    world.press(link, action="keep", promise=FROM_TICKET, words="")
    assert "What was promised to the customer</h1>" in world.open(link).body


def test_broken_before_there_is_a_flag_it_becomes_one_and_silence_is_still_news(world: World) -> None:
    link = without_a_flag(world)
    world.wait(A_DAY + A_MINUTE)
    assert (flag().reason, flag().rounds) == (Reason.PROMISE_BROKEN, 1)
    settle(world, link, "Told the customer sorry.", "not_possible")
    world.wait(5 * A_DAY)
    assert known().state == "silent"
    assert (flag().reason, flag().settled_at) == (Reason.SILENT, None)


def test_the_customer_who_says_that_it_was_kept_ends_it(world: World) -> None:
    without_a_flag(world)
    world.press(world.survey_link(), answer="yes", kept="yes")
    world.wait(A_DAY + A_MINUTE)
    assert (promise().end, promise().ended_by) == (End.KEPT, "customer")
    assert tickets.load("acme", "4711").flags == {}


@pytest.mark.parametrize(
    ("form", "stands"),
    [
        (
            {"action": "keep", "words": "The meter runs."},
            'aria-describedby="kept-hint-1">\nThe meter runs.</textarea>',
        ),
        (
            {"action": "withdraw", "words": "Moved away."},
            'aria-describedby="why-hint-1">\nMoved away.</textarea>',
        ),
        ({"action": "agree", "words": "A call.", "until": "2026-12-03"}, 'value="2026-12-03" required'),
        ({"action": "settle", "result": "agreed", "done": "A visit."}, '<option value="agreed" selected>'),
    ],
)
def test_what_has_to_be_pressed_once_more_stands_in_its_own_form(
    world: World, form: dict[str, str], stands: str
) -> None:
    link = agreed(world)
    page = world.press(link, **form, promise=promise().name, website="filled in by a machine")
    assert (page.status, stands in page.body) == (200, True)
    words = form.get("words") or form["done"]
    assert page.body.count(f"{words}</textarea>") == 1
    assert (" open>" in page.body) == (form["action"] == "withdraw")
    assert promise().end is None


def test_what_the_ticket_promises_once_more_when_it_is_closed_again_is_one_promise(world: World) -> None:
    """Its field is still filled when it was opened again and closed again: only the last closing's is watched."""
    promised = {"promise": AGREED, "promised_by": "Kim Ren", "promised_until": stamp(START + 5 * A_DAY)}
    world.hook(closed("4711", world.now, **promised))
    world.wait(AN_HOUR)
    world.hook(reopened("4711", world.now))
    world.wait(AN_HOUR)
    world.hook(closed("4711", world.now, **promised))
    world.wait(A_DAY + AN_HOUR)
    (mail,) = world.mail.to(CUSTOMER)
    world.press(mail.link, answer="yes", kept="yes")
    world.wait(10 * A_DAY)
    first, last = tickets.load("acme", "4711").promises
    assert (first.end, last.end, last.ended_by) == (End.WITHDRAWN, End.KEPT, "customer")
    assert not [mail.subject for mail in world.mail.to(RAVI) if "promise" in mail.subject]


def test_withdrawn_after_an_earlier_one_was_asked_about_nobody_is_asked_about_that_again(
    world: World,
) -> None:
    link = agreed(world)
    first = promise().name
    settle(world, link, "A visit.", "agreed")
    world.wait(A_DAY)
    world.press(link, action="keep", promise=first, words="The new meter runs.")
    world.wait(2 * A_DAY)
    (asked,) = questions(world)
    world.press(asked.link, answer="no", words="The new meter shows nothing at all.")
    world.wait(AN_HOUR)
    world.press(link, action="agree", words="Another meter.", until="2026-12-18")
    world.settle()
    (second,) = (one.name for one in tickets.load("acme", "4711").promises if one.end is None)
    settle(world, link, "Another meter.", "agreed")
    world.wait(A_DAY)
    assert world.press(link, action="withdraw", promise=second, words="There is none.").status == 200
    world.wait(4 * A_DAY)
    assert questions(world) == [asked]
