"""POST /c/{token}/{cause}: the life of a cause after it was noticed, through the Lambdas."""

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from adapters import causes, deeds, links, outbox, owners, table, tellings, tickets
from adapters.links import CausesLink
from adapters.notices import ONCE_MORE
from builders import (
    A_DAY,
    A_MINUTE,
    A_SECOND,
    HANNE,
    MIA,
    RAVI,
    START,
    URL,
    closed,
    customer,
    records,
    reopened,
    sample,
    settings,
)
from domain.commitment import overdue_at
from domain.digest import Owner
from domain.fix import Evidence, Result
from domain.message import cancel
from domain.ownership import What
from domain.person import person_key
from domain.settings import Policy
from domain.telling import Kind, Stage, Telling
from world import Page, World

CODE = "portal-login"
DAY = "2026-11-30"
NOT_GONE = "A customer says that it is not gone"


def noticed(world: World, people: int = 3, first: int = 0) -> str:
    """So many customers with a ticket each; the link of the cause's page in the newest notice to its owner."""
    for number in range(first, first + people):
        world.hook(closed(str(number), world.now, requester=customer(f"c{number}@c.example")))
    world.settle()
    return cause_link(world, RAVI) if world.mail.to(RAVI) else ""


def cause_link(world: World, to: str) -> str:
    """The address of the cause's page in somebody's newest mail."""
    pattern = rf"{re.escape(URL)}/c/[A-Za-z0-9_.-]+/[a-z-]+"
    found = [link for mail in world.mail.to(to) for link in re.findall(pattern, mail.text)]
    assert found
    return str(found[-1])


def form_of(page: Page) -> str:
    """The id of the forms on a page."""
    found = re.search(r'name="form" value="([^"]+)"', page.body)
    assert found
    return found[1]


def declare(world: World, link: str) -> Page:
    """The owner declares a fix; gives the page with its preview."""
    return world.press(
        link, action="declare", wrong="The link ended too early.", words="It holds for a day now.", day=DAY
    )


def confirm(world: World, link: str, page: Page, **changed: str) -> Page:
    """The owner confirms what the page shows."""
    number = re.search(r'name="number" value="(\d+)"', page.body)
    people = re.search(r'name="people" value="(\d+)"', page.body)
    assert number
    assert people
    form = {"form": form_of(page), "action": "confirm", "number": number[1], "people": people[1]} | changed
    return world.press(link, **form)


def fixed(world: World, people: int = 3) -> str:
    """A noticed cause whose fix every customer was told of."""
    link = noticed(world, people)
    world.now += A_MINUTE
    assert confirm(world, link, declare(world, link)).status == 200
    world.wait(10 * A_MINUTE)
    return link


def fix_mails(world: World) -> list[str]:
    """Whom we told that the cause is removed."""
    return sorted(
        mail.to for mail in world.mail.sent if mail.subject == "We removed the cause of your problem"
    )


def question(world: World, address: str) -> str:
    """The address of the question in the mail about the fix."""
    mail = next(m for m in world.mail.to(address) if "/g/" in m.text)
    found = re.search(rf"{re.escape(URL)}/g/[A-Za-z0-9_.-]+", mail.text)
    assert found
    return found[0]


def what_was_done(code: str = CODE) -> list[What]:
    """The deeds of a cause, the oldest first."""
    return [deed.what for deed in reversed(deeds.newest(code)[0])]


# --- acknowledging, committing ----------------------------------------------------------------------------------------


def test_the_sample_event_declares_a_fix_that_nobody_is_told_of_yet(world: World) -> None:
    link = noticed(world)
    event = sample("act_on_cause")
    event["pathParameters"]["token"] = link.split("/")[-2]
    page = world.answered(world.invoke("act_on_cause", world.sealed(event, link)))
    assert page.status == 200
    assert "Send it to 3 people" in page.body
    assert "It is now valid for a day." in page.body
    world.wait(A_DAY)
    assert fix_mails(world) == []
    draft = tellings.load(CODE, 1)
    assert draft
    assert (draft.stage, draft.day) == (Stage.DRAFT, date(2026, 11, 30))


def test_a_commitment_is_reminded_of_and_its_end_goes_to_the_manager_once(world: World) -> None:
    link = noticed(world)
    world.press(link, action="acknowledge", committed_to="2026-12-10", note="A new mail server.")
    world.wait_until(datetime(2026, 12, 9, 6, 59, tzinfo=UTC))
    subjects = [mail.subject for mail in world.mail.to(RAVI)]
    assert "Tomorrow it was to be gone" not in subjects
    world.wait(A_MINUTE * 3)
    assert [m.subject for m in world.mail.to(RAVI)].count("Tomorrow it was to be gone") == 1
    world.wait(20 * A_DAY)
    (over,) = [mail for mail in world.mail.to(HANNE) if mail.subject == "It was to be gone by now"]
    assert "It was said that" in over.text
    assert what_was_done() == [What.COMMITTED, What.OVERDUE]
    assert "which is over" in world.open(link).body


@pytest.mark.parametrize(("zone", "time_of_day"), [("America/Los_Angeles", 1), ("Pacific/Auckland", 19)])
def test_a_date_is_one_of_the_company_s_own_days(world: World, zone: str, time_of_day: int) -> None:
    link = noticed(world)
    company = settings()
    world.apply(replace(company, policy=replace(company.policy, time_zone=zone)))
    world.wait_until(START.replace(hour=time_of_day) + 5 * A_DAY)
    today = world.now.astimezone(ZoneInfo(zone)).date()
    yesterday = today - A_DAY
    assert world.press(link, action="acknowledge", committed_to=yesterday.isoformat()).status == 400
    assert world.press(link, action="acknowledge", committed_to=today.isoformat()).status == 200


def test_a_new_date_is_reminded_of_anew(world: World) -> None:
    link = noticed(world)
    world.press(link, action="acknowledge", committed_to="2026-12-03")
    world.wait(3 * A_DAY)
    world.press(link, action="acknowledge", committed_to="2026-12-18")
    world.wait(30 * A_DAY)
    assert [m.subject for m in world.mail.to(RAVI)].count("Tomorrow it was to be gone") == 2
    assert [m.subject for m in world.mail.to(HANNE)].count("It was to be gone by now") == 1


def test_whoever_declares_a_fix_has_kept_the_date(world: World) -> None:
    link = noticed(world)
    world.press(link, action="acknowledge", committed_to="2026-12-03")
    page = declare(world, link)
    confirm(world, link, page)
    world.wait(20 * A_DAY)
    assert not any("to be gone" in mail.subject for mail in (*world.mail.to(RAVI), *world.mail.to(HANNE)))


def test_a_fix_that_nobody_confirms_does_not_keep_the_date(world: World) -> None:
    link = noticed(world)
    world.press(link, action="acknowledge", committed_to="2026-12-03")
    declare(world, link)
    assert "A fix was declared" not in world.open(link.rpartition("/")[0]).body
    world.wait(5 * A_DAY)
    assert any(mail.subject == "Tomorrow it was to be gone" for mail in world.mail.to(RAVI))
    assert any(mail.subject == "It was to be gone by now" for mail in world.mail.to(HANNE))


def test_a_verdict_counts_while_the_next_fix_is_only_a_draft(world: World) -> None:
    link = fixed(world, people=6)
    for number in range(3):
        world.press(question(world, f"c{number}@c.example"), answer="yes")
    page = declare(world, link)
    world.wait(31 * A_DAY)
    assert world.press(link, form=form_of(page), action="cancel", number="2").status == 200
    assert What.HOLDS in what_was_done()
    assert causes.load(CODE).repeated_at is None


def test_a_cancelled_fix_leaves_the_date_that_was_committed_to(world: World) -> None:
    link = noticed(world)
    world.press(link, action="acknowledge", committed_to="2026-12-03")
    page = declare(world, link)
    assert world.press(link, form=form_of(page), action="cancel", number="1").status == 200
    world.wait(5 * A_DAY)
    assert fix_mails(world) == []
    assert any(mail.subject == "It was to be gone by now" for mail in world.mail.to(HANNE))


# --- telling ----------------------------------------------------------------------------------------------------------


def test_everybody_who_had_it_is_told_once_however_many_tickets_and_however_often_it_is_confirmed(
    world: World,
) -> None:
    link = noticed(world)
    world.hook(closed("50", world.now, requester=customer("c1@c.example")))
    world.settle()
    page = declare(world, link)
    assert "Send it to 3 people" in page.body
    for _ in range(3):
        assert confirm(world, link, page).status == 200
    assert confirm(world, link, page, form="").status == 409
    world.wait(2 * A_DAY)
    assert fix_mails(world) == ["c0@c.example", "c1@c.example", "c2@c.example"]
    mail = next(m for m in world.mail.to("c1@c.example") if "/g/" in m.text)
    assert "> The link ended too early." in mail.text
    assert "> It holds for a day now." in mail.text
    assert "30 November 2026" in mail.text
    page = world.open(link)
    assert "3 people told, 0 waiting" in page.body
    assert what_was_done() == [What.DECLARED, What.CONFIRMED]


def test_also_those_whose_ticket_was_closed_long_ago(world: World) -> None:
    world.hook(closed("7", world.now, requester=customer("long.ago@c.example")))
    world.wait(60 * A_DAY)
    link = noticed(world, first=10)
    page = world.press(link, action="declare", wrong="A", words="B", day=world.now.date().isoformat())
    confirm(world, link, page)
    world.wait(A_DAY)
    assert "long.ago@c.example" in fix_mails(world)


def test_who_wants_no_mail_and_who_cannot_get_any_is_left_out_and_counted(world: World) -> None:
    world.mail.reports["c2@c.example"] = ("Send", "Bounce")
    link = noticed(world, people=5)
    world.hook(closed("90", world.now, requester=customer(None)))
    world.wait(A_DAY + A_MINUTE)
    for number, surveys in ((0, "none"), (1, "fixes")):
        preferences = world.mail.to(f"c{number}@c.example")[0].preferences
        assert world.press(preferences, surveys=surveys, language="en").status == 200
    page = declare(world, link)
    assert "Send it to 3 people" in page.body
    assert "1 does not want our mail" in page.body
    assert "1 cannot be reached" in page.body
    assert "1 has no address" in page.body
    confirm(world, link, page)
    world.wait(A_DAY)
    assert fix_mails(world) == ["c1@c.example", "c3@c.example", "c4@c.example"]
    assert "3 people told" in world.open(link).body


def test_when_more_people_would_get_it_they_are_shown_before_anything_goes_out(world: World) -> None:
    link = noticed(world)
    page = declare(world, link)
    noticed(world, people=1, first=20)
    again = confirm(world, link, page)
    assert again.status == 409
    assert "Send it to 4 people" in again.body
    world.wait(A_MINUTE)
    assert fix_mails(world) == []
    assert confirm(world, link, again).status == 200
    world.wait(10 * A_MINUTE)
    assert len(fix_mails(world)) == 4


def test_a_walk_in_many_pages_tells_everybody_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tellings, "PAGE", 2)
    fixed(world, people=7)
    assert fix_mails(world) == [f"c{number}@c.example" for number in range(7)]


def test_a_step_that_breaks_off_in_the_middle_is_taken_again_and_tells_nobody_twice(world: World) -> None:
    link = noticed(world)
    page = declare(world, link)
    world.fail("PutItem", times=2, after=True)
    confirm(world, link, page)
    world.wait(30 * A_MINUTE)
    world.failed.clear()
    assert fix_mails(world) == ["c0@c.example", "c1@c.example", "c2@c.example"]


def test_while_many_mails_wait_nobody_else_is_told(world: World) -> None:
    link = noticed(world)
    confirm(world, link, declare(world, link))
    for number in range(60):
        body = {"pk": "TICKET#acme#none", "sk": f"MESSAGE#{number}", "part": "message"}
        world.queue("SendQueue", json.dumps(body))
    step = records("take_next_step", [json.dumps({"pk": f"CAUSE#{CODE}", "sk": "TELLING#0001"})])
    assert world.invoke("take_next_step", step)["batchItemFailures"] == []
    told = tellings.load(CODE, 1)
    assert told
    assert (told.stage, told.due_at) == (Stage.TELLING, world.now + A_MINUTE)
    assert not [sk for _, sk in world.items if sk.startswith("MESSAGE#") and len(sk) == 40]
    world.wait(10 * A_MINUTE)
    assert len(fix_mails(world)) == 3


# --- answers, and what they decide ------------------------------------------------------------------------------------


def test_a_fix_holds_when_it_stays_away_and_customers_say_that_it_is_gone(world: World) -> None:
    fixed(world, people=6)
    for number in range(3):
        assert world.press(question(world, f"c{number}@c.example"), answer="yes").status == 200
    world.wait(31 * A_DAY)
    (mail,) = [mail for mail in world.mail.to(RAVI) if mail.subject == "Your fix holds"]
    assert "6 tickets in the 30 days before the fix, 0 in the 30 days since." in mail.text
    assert "3 of the customers who were asked say that it is gone, 0 still have it." in mail.text
    state = causes.load(CODE)
    assert (state.repeated_at, state.committed_to, state.due_at) == (None, None, None)
    assert what_was_done()[-1] is What.HOLDS


def test_a_fix_that_customers_contradict_opens_the_cause_again_and_they_hear_of_it(world: World) -> None:
    link = fixed(world, people=4)
    for number, answer in ((0, "no"), (1, "no"), (2, "yes")):
        world.press(question(world, f"c{number}@c.example"), answer=answer, words=f"words of {number}")
    assert "Still has it:" in world.open(link).body
    world.wait(31 * A_DAY)
    (mail,) = [m for m in world.mail.to(RAVI) if m.subject.startswith("It is not gone")]
    assert "> words of 0" in mail.text
    assert "words of 2" not in mail.text
    shown = world.open(link).body
    assert "1 customer said that it is gone, 2 that they still have it." in shown, "whole, and as one says it"
    told = sorted(
        m.to for m in world.mail.sent if m.subject == "Your problem is not gone yet, and we are on it again"
    )
    assert told == ["c0@c.example", "c1@c.example"]
    state = causes.load(CODE)
    assert state.repeated_at
    assert state.acknowledged_at is None
    world.wait(8 * A_DAY)
    assert any("keeps coming back" in mail.subject for mail in world.mail.to(HANNE)), "nobody acknowledged it"


def test_of_two_fixes_in_one_night_customers_read_the_newer_one_only(world: World) -> None:
    link = noticed(world)
    world.wait_until(world.now.replace(hour=22))
    for _ in range(2):
        assert confirm(world, link, declare(world, link)).status == 200
        world.wait(10 * A_MINUTE)
    world.wait(A_DAY)
    assert fix_mails(world) == ["c0@c.example", "c1@c.example", "c2@c.example"]


@pytest.mark.parametrize("is_fixed", [False, True])
def test_nobody_reads_that_it_is_not_gone_when_that_is_not_true_any_more(
    world: World, *, is_fixed: bool
) -> None:
    link = noticed(world)
    world.wait_until(world.now.replace(hour=22))
    assert confirm(world, link, declare(world, link)).status == 200
    world.wait(A_DAY)
    for number in range(2):
        world.press(question(world, f"c{number}@c.example"), answer="no")
    world.wait_until(world.now.replace(hour=23) + 29 * A_DAY)
    assert What.OPENS_AGAIN in what_was_done()
    world.press(question(world, "c0@c.example"), answer="yes")
    if is_fixed:
        assert confirm(world, link, declare(world, link)).status == 200
    world.wait(A_DAY)
    told = [m.to for m in world.mail.sent if m.subject.startswith("Your problem is not gone yet")]
    assert told == ([] if is_fixed else ["c1@c.example"])


def test_one_late_no_is_told_the_owner_once_and_the_verdict_stands(world: World) -> None:
    fixed(world, people=6)
    for number in range(3):
        world.press(question(world, f"c{number}@c.example"), answer="yes")
    world.wait(31 * A_DAY)
    for words in ("It is back.", "It is still there."):
        world.press(question(world, "c4@c.example"), answer="no", words=words)
        world.wait(A_DAY)
    late = [mail for mail in world.mail.to(RAVI) if mail.subject == "A customer still has it after your fix"]
    assert len(late) == 1
    assert "> It is back." in late[0].text
    assert "3 of the customers who were asked say that it is gone, 1 still has it." in late[0].text
    told = tellings.load(CODE, 1)
    assert told
    assert (told.result, told.stage, told.due_at) == (Result.HOLDS, Stage.DONE, None)
    assert causes.load(CODE).repeated_at is None


def pressed_while_it_is_judged(world: World, monkeypatch: pytest.MonkeyPatch, link: str) -> list[int]:
    """Somebody says "no" after the evidence was read and before the verdict is stored; gives the page's status."""
    read, pressed = tellings.evidence, list[int]()

    def read_too_early(told: Telling, now: datetime, policy: Policy) -> Evidence:
        found = read(told, now, policy)
        if not pressed:
            pressed.append(world.press(link, answer="no").status)
        return found

    monkeypatch.setattr(tellings, "evidence", read_too_early)
    return pressed


def test_a_no_that_comes_in_the_moment_of_the_judging_is_heard_as_well(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixed(world, people=6)
    for number in range(3):
        world.press(question(world, f"c{number}@c.example"), answer="yes")
    world.press(question(world, "c5@c.example"), answer="no")
    world.wait(A_DAY)
    pressed = pressed_while_it_is_judged(world, monkeypatch, question(world, "c4@c.example"))
    world.wait(31 * A_DAY)
    assert pressed == [200]
    late = [mail for mail in world.mail.to(RAVI) if mail.subject == "A customer still has it after your fix"]
    assert len(late) == 1
    told = tellings.load(CODE, 1)
    assert told
    assert told.evidence
    assert (told.result, told.evidence.not_gone, told.due_at) == (Result.HOLDS, 2, None)
    assert len([deed for deed in what_was_done() if deed is What.HOLDS]) == 1


def test_the_first_no_in_the_moment_of_the_judging_is_judged_with_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixed(world, people=6)
    pressed = pressed_while_it_is_judged(world, monkeypatch, question(world, "c4@c.example"))
    world.wait(31 * A_DAY)
    world.failed.clear()
    assert pressed == [200]
    told = tellings.load(CODE, 1)
    assert told
    assert told.evidence
    assert (told.evidence.not_gone, told.said_early, told.said_late) == (1, True, False)
    assert len([mail for mail in world.mail.to(RAVI) if mail.subject == NOT_GONE]) == 1


def test_the_first_no_before_the_judging_reaches_the_owner_at_once_and_no_other_does(world: World) -> None:
    fixed(world)
    first = question(world, "c0@c.example")
    world.press(first, answer="no", words="It is <b>back</b>.")
    world.wait(A_MINUTE)
    (mail,) = [mail for mail in world.mail.to(RAVI) if mail.subject == NOT_GONE]
    assert "> It is <b>back</b>." in mail.text
    assert "It is &lt;b&gt;back&lt;/b&gt;." in mail.html
    assert "c0@c.example" not in mail.text
    assert "in the 30 days" not in mail.text, "nothing was counted yet"
    assert "It is &lt;b&gt;back&lt;/b&gt;." in world.open(cause_link(world, RAVI)).body
    for link, answer in (
        (first, "yes"),
        (first, "no"),
        (question(world, "c1@c.example"), "no"),
    ):
        assert world.press(link, answer=answer).status == 200
        world.wait(A_MINUTE)
    assert [mail.subject for mail in world.mail.to(RAVI)].count(NOT_GONE) == 1
    told = tellings.load(CODE, 1)
    assert told
    assert (told.stage, told.said_early) == (Stage.TOLD, True)
    world.wait(31 * A_DAY)
    assert what_was_done()[-1] is What.OPENS_AGAIN, "it is judged as always"
    assert [mail.subject for mail in world.mail.to(RAVI)].count(NOT_GONE) == 1


def test_a_no_goes_to_whoever_has_the_cause_now(world: World) -> None:
    link = fixed(world)
    assert world.press(link, action="reassign", to="mia").status == 200
    world.press(question(world, "c0@c.example"), answer="no")
    world.wait(A_MINUTE)
    assert NOT_GONE in [mail.subject for mail in world.mail.to(MIA)]
    assert NOT_GONE not in [mail.subject for mail in world.mail.to(RAVI)]


def test_a_no_about_a_fix_that_another_one_followed_tells_the_owner_nothing_new(world: World) -> None:
    link = fixed(world)
    old = question(world, "c0@c.example")
    assert confirm(world, link, declare(world, link)).status == 200
    assert world.press(old, answer="no").status == 200
    world.wait(A_MINUTE)
    assert NOT_GONE not in [mail.subject for mail in world.mail.to(RAVI)]


def test_an_answer_and_its_mail_are_stored_together_or_not_at_all(world: World) -> None:
    fixed(world)
    link = question(world, "c0@c.example")
    before = world.scan()
    world.fail("TransactWriteItems")
    assert world.press(link, answer="no").status == 503
    assert world.scan() == before
    world.fail("TransactWriteItems", after=True)
    assert world.press(link, answer="no").status in {200, 503}
    assert world.press(link, answer="no").status == 200
    world.wait(A_MINUTE)
    assert [mail.subject for mail in world.mail.to(RAVI)].count(NOT_GONE) == 1


def test_late_noes_that_change_the_verdict_open_the_cause_again(world: World) -> None:
    fixed(world, people=6)
    for number in range(2):
        world.press(question(world, f"c{number}@c.example"), answer="yes")
    world.wait(31 * A_DAY)
    assert what_was_done()[-1] is What.HOLDS
    for number in (2, 3):
        world.press(question(world, f"c{number}@c.example"), answer="no")
        world.wait(A_DAY)
    assert what_was_done()[-1] is What.OPENS_AGAIN
    state, told = causes.load(CODE), tellings.load(CODE, 1)
    assert told
    assert (told.result, told.due_at) == (Result.OPENS_AGAIN, None)
    assert state.repeated_at
    assert state.acknowledged_at is None
    world.wait(3 * A_DAY)  # no customer gets mail at the weekend
    again = [m.to for m in world.mail.sent if m.subject.startswith("Your problem is not gone yet")]
    assert sorted(again) == ["c2@c.example", "c3@c.example"]
    assert len([m for m in world.mail.to(RAVI) if m.subject.startswith("It is not gone")]) == 1


def test_a_cause_that_comes_back_as_often_opens_again_by_itself(world: World) -> None:
    fixed(world)
    world.wait(2 * A_DAY)
    noticed(world, first=30)
    world.wait(31 * A_DAY)
    assert any(mail.subject.startswith("It is not gone") for mail in world.mail.to(RAVI))
    assert what_was_done()[-1] is What.OPENS_AGAIN


def test_too_little_evidence_is_looked_at_once_more_and_said(world: World) -> None:
    link = fixed(world)
    world.wait(32 * A_DAY)
    told = tellings.load(CODE, 1)
    assert told
    assert (told.stage, told.checks) == (Stage.TOLD, 1)
    assert "it is judged once more" in world.open(link).body
    assert not any("Nobody can tell" in mail.subject for mail in world.mail.to(RAVI))
    world.wait(31 * A_DAY)
    told = tellings.load(CODE, 1)
    assert told
    assert (told.stage, told.checks, told.due_at) == (Stage.DONE, 2, None)
    assert len([m for m in world.mail.to(RAVI) if "Nobody can tell" in m.subject]) == 1


def test_tickets_from_before_the_fix_do_not_make_it_repeated_again(world: World) -> None:
    fixed(world)
    world.wait(31 * A_DAY)
    before = len([m for m in world.mail.to(RAVI) if "keeps coming back" in m.subject])
    noticed(world, people=2, first=40)
    assert len([m for m in world.mail.to(RAVI) if "keeps coming back" in m.subject]) == before


# --- before they ask --------------------------------------------------------------------------------------------------


def test_tickets_that_a_fix_held_in_spite_of_do_not_make_it_repeated_again(world: World) -> None:
    for number in range(12):
        world.hook(closed(f"b{number}", world.now, requester=customer(f"b{number}@c.example")))
        world.now += A_DAY
    world.settle()
    link = cause_link(world, RAVI)
    page = world.press(link, action="declare", wrong="A", words="B", day=world.now.date().isoformat())
    assert confirm(world, link, page).status == 200
    for number in range(3):
        world.now += 5 * A_DAY
        world.hook(closed(f"s{number}", world.now, requester=customer(f"s{number}@c.example")))
    world.wait(16 * A_DAY)
    notices = [mail for mail in world.mail.to(RAVI) if "keeps coming back" in mail.subject]
    assert What.HOLDS in what_was_done()
    world.invoke("recount_causes", {}, remaining=900_000)
    world.settle()
    assert [m for m in world.mail.to(RAVI) if "keeps coming back" in m.subject] == notices
    for number in range(3, 6):
        world.hook(closed(f"s{number}", world.now, requester=customer(f"s{number}@c.example")))
    world.settle()
    assert len([m for m in world.mail.to(RAVI) if "keeps coming back" in m.subject]) == len(notices) + 1


def test_a_fix_is_compared_only_with_days_whose_marks_are_kept(world: World) -> None:
    fixed(world)
    known = tellings.load(CODE, 1)
    assert known
    assert known.fixed_at
    policy = settings(keep_for=timedelta(days=100)).policy
    for days, left in ((30, 30.0), (70, 30.0), (120, 0.0)):
        assert tellings.evidence(known, known.fixed_at + days * A_DAY, policy).days == left


def known(world: World, link: str, day: date) -> Page:
    """The owner writes to those who would ask, and confirms."""
    page = world.press(link, action="known", words="We look at it.", day=day.isoformat())
    assert page.status == 200, page.body
    return confirm(world, link, page)


def known_mails(world: World) -> list[str]:
    """Whom we told that we know."""
    return sorted(m.to for m in world.mail.sent if m.subject.startswith("We know about your problem"))


def test_those_who_would_ask_are_told_once_and_a_broken_promise_goes_to_the_manager(world: World) -> None:
    world.hook(closed("70", world.now, requester=customer("old@c.example")))
    world.wait(20 * A_DAY)
    link = noticed(world, people=3)
    known(world, link, world.now.date() + 5 * A_DAY)
    world.wait(A_DAY)
    assert known_mails(world) == ["c0@c.example", "c1@c.example", "c2@c.example"]
    world.wait(9 * A_DAY)
    assert any(m.subject.startswith("Tomorrow your customers") for m in world.mail.to(RAVI))
    assert [m.subject for m in world.mail.to(HANNE)].count("Customers did not hear from us in time") == 1
    told = tellings.load(CODE, 1)
    assert told
    assert (told.kept, told.stage) == (False, Stage.DONE)
    assert "The promise was broken." in world.open(link).body


def test_we_are_on_it_is_not_said_any_more_once_a_fix_was_declared(world: World) -> None:
    """The mails wait for the customers' hours, and the fix is faster."""
    link = noticed(world)
    world.wait_until(world.now.replace(hour=22))
    known(world, link, world.now.date() + 5 * A_DAY)
    world.wait(10 * A_MINUTE)
    assert known_mails(world) == []
    confirm(
        world,
        link,
        world.press(link, action="declare", wrong="A", words="B", day=world.now.date().isoformat()),
    )
    world.wait(2 * A_DAY)
    assert known_mails(world) == []
    assert len(fix_mails(world)) == 3
    told = tellings.load(CODE, 1)
    assert told
    assert dict(tellings.reached(told).left_out) == {"nothing_to_say": 3}


def news_in_the_night(world: World) -> str:
    """ "We know" and news about it, both confirmed in one night; the link of the cause's page."""
    link = noticed(world)
    world.wait_until(world.now.replace(hour=22))
    known(world, link, world.now.date() + 5 * A_DAY)
    world.wait(10 * A_MINUTE)
    day = (world.now.date() + 9 * A_DAY).isoformat()
    page = world.press(link, action="update", words="Half of it works.", day=day)
    assert "Send it to 3 people" in page.body
    assert confirm(world, link, page).status == 200
    world.wait(10 * A_MINUTE)
    assert known_mails(world) == []
    return link


def read_by(world: World, address: str) -> list[str]:
    """What a customer read about the cause, in its order."""
    told = ("We know about your problem", "News about your problem")
    return [mail.subject for mail in world.mail.to(address) if mail.subject.startswith(told)]


def test_news_reach_those_whose_first_mail_still_waits_for_their_morning(world: World) -> None:
    news_in_the_night(world)
    world.wait(A_DAY)
    for number in range(3):
        assert read_by(world, f"c{number}@c.example") == [
            "We know about your problem and are working on it",
            "News about your problem",
        ]


def test_news_wait_until_everybody_was_told_what_they_are_news_of(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = noticed(world)
    monkeypatch.setattr(tellings, "PAGE", 1)
    known(world, link, world.now.date() + 5 * A_DAY)
    world.wait(timedelta(seconds=5))
    first = tellings.load(CODE, 1)
    assert first
    assert first.stage is Stage.TELLING
    tellings.save(replace(first, due_at=world.now + 10 * A_MINUTE))
    day = (world.now.date() + 9 * A_DAY).isoformat()
    page = world.press(link, action="update", words="Half of it works.", day=day)
    assert confirm(world, link, page).status == 200
    world.wait(A_DAY)
    for number in range(3):
        assert read_by(world, f"c{number}@c.example") == [
            "We know about your problem and are working on it",
            "News about your problem",
        ]


def test_no_news_go_out_before_the_mail_on_which_they_go_on(world: World) -> None:
    news_in_the_night(world)
    told = tellings.load(CODE, 1)
    assert told
    key = person_key("c0@c.example")
    first, later = outbox.load(told.scope, key), outbox.load(f"TOLD#{CODE}#update#0002", key)
    assert first and later and later.due_at
    outbox.save(replace(first, due_at=later.due_at + 5 * A_MINUTE))
    other = outbox.load(told.scope, person_key("c1@c.example"))
    assert other
    outbox.save(cancel(other, "unwritable"))
    world.wait(A_DAY)
    assert read_by(world, "c0@c.example") == [
        "We know about your problem and are working on it",
        "News about your problem",
    ]
    assert read_by(world, "c1@c.example") == [], "news of what they never heard of"
    unsent = outbox.load(f"TOLD#{CODE}#update#0002", person_key("c1@c.example"))
    assert unsent
    assert unsent.cancelled == "nothing_to_say"


def test_who_was_reminded_of_a_promise_is_not_reminded_again_when_our_mornings_begin_later(
    world: World,
) -> None:
    link = noticed(world)
    known(world, link, world.now.date() + 5 * A_DAY)
    world.wait(5 * A_DAY)

    def reminders() -> int:
        return sum(mail.subject.startswith("Tomorrow your customers") for mail in world.mail.to(RAVI))

    assert reminders() == 1
    before = tellings.load(CODE, 1)
    assert before
    assert before.due_at
    world.apply(settings(digest_at=time(22)))
    world.wait_until(before.due_at + A_MINUTE)
    after = tellings.load(CODE, 1)
    assert after
    assert after.day
    assert after.due_at == overdue_at(after.day, settings(digest_at=time(22)).policy) > before.due_at
    assert reminders() == 1


def test_after_many_news_the_page_still_knows_that_customers_know(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = news_in_the_night(world)
    newest = tellings.newest
    monkeypatch.setattr(tellings, "newest", lambda code: newest(code, 1))
    page = world.open(link).body
    assert 'name="action" value="update"' in page
    assert 'name="action" value="known"' not in page


def test_a_fix_or_news_keeps_the_promise(world: World) -> None:
    link = noticed(world)
    known(world, link, world.now.date() + 5 * A_DAY)
    world.wait(2 * A_DAY)
    page = world.press(
        link, action="update", words="Half of it works.", day=(world.now.date() + 9 * A_DAY).isoformat()
    )
    confirm(world, link, page)
    world.wait(A_DAY)
    assert len([m for m in world.mail.sent if m.subject == "News about your problem"]) == 3
    confirm(
        world,
        link,
        world.press(link, action="declare", wrong="A", words="B", day=world.now.date().isoformat()),
    )
    world.wait(20 * A_DAY)
    assert not any("in time" in mail.subject for mail in world.mail.to(HANNE))
    assert [(t.kind, t.kept) for t in reversed(tellings.newest(CODE))] == [
        (Kind.KNOWN, True),
        (Kind.UPDATE, True),
        (Kind.FIX, None),
    ]


@pytest.mark.parametrize("merged_first", [True, False])
def test_the_fix_of_what_it_was_merged_into_keeps_the_promise_of_those_who_are_told(
    world: World, merged_first: bool
) -> None:
    link = noticed(world)
    known(world, link, world.now.date() + 5 * A_DAY)
    world.wait(A_DAY)
    whole = _page_of(world, "meter-late")
    world.hook(closed("70", world.now, root_cause="cause_meter_late", requester=customer("late@c.example")))
    world.settle()
    if merged_first:
        assert world.press(link, action="merge", into="meter-late").status == 200
    world.now += A_MINUTE
    assert confirm(world, whole, declare(world, whole)).status == 200
    if not merged_first:
        assert world.press(link, action="merge", into="meter-late").status == 200
    world.wait(9 * A_DAY)
    broken = [m.subject for m in world.mail.to(HANNE)].count("Customers did not hear from us in time")
    assert broken == (0 if merged_first else 1)
    assert len(fix_mails(world)) == (4 if merged_first else 1)


def test_a_reopened_ticket_counts_as_fresh_and_a_solved_one_does_not(world: World) -> None:
    """Ticket 0 was reopened after 20 days, when its closing was no longer fresh; the happy customer's is solved."""
    noticed(world, people=1)
    world.wait(20 * A_DAY)
    solved = world.asked("60", requester=customer("happy@c.example"))
    world.press(solved, answer="yes")
    world.hook(reopened("0", world.now))
    for number in (1, 2):
        world.hook(closed(str(number), world.now, requester=customer(f"c{number}@c.example")))
    world.settle()
    link = cause_link(world, RAVI)
    page = world.press(link, action="known", words="We look at it.", day="2026-12-31")
    assert "Send it to 3 people" in page.body


# --- the right place --------------------------------------------------------------------------------------------------


def test_the_new_owner_is_told_and_the_old_link_shows_but_no_longer_acts(world: World) -> None:
    link = noticed(world)
    assert world.press(link, action="reassign", to="mia").status == 200
    world.wait(A_MINUTE)
    told = world.mail.to(MIA)[-1]
    assert told.subject == "A root cause is yours now"
    theirs = cause_link(world, MIA)
    old = world.open(link)
    assert old.status == 200
    assert "is with Mia Okafor now" in old.body
    assert 'name="action"' not in old.body
    assert world.press(link, action="acknowledge", note="mine").status == 409
    overview = link.rpartition("/")[0]
    assert world.press(overview, action="acknowledge", cause=CODE).status == 409
    assert causes.load(CODE).acknowledged_at is None
    assert world.press(theirs, action="acknowledge").status == 200
    assert causes.owned_by("mia", settings()) == ["portal-login", "no-show"]
    world.wait(8 * A_DAY)
    assert any("Customers could not sign in" in mail.text for mail in world.mail.to(MIA) if mail is not told)


def test_whoever_owned_nothing_gets_digests_from_then_on(world: World) -> None:
    assert owners.load("hanne") is None
    world.press(noticed(world), action="reassign", to="hanne")
    known = owners.load("hanne")
    assert known
    assert known.due_at


def test_whoever_owned_causes_before_goes_on_where_their_digests_ended(world: World) -> None:
    told_until = world.now - 9 * A_DAY
    table.put(owners.row(Owner(key="hanne", told_until=told_until)))
    world.press(noticed(world), action="reassign", to="hanne")
    known = owners.load("hanne")
    assert known
    assert (known.told_until, known.due_at is None) == (told_until, False)


def test_a_manager_may_act_for_the_owner(world: World) -> None:
    noticed(world)
    world.wait(8 * A_DAY)
    theirs = cause_link(world, HANNE)
    assert world.press(theirs, action="acknowledge").status == 200
    assert causes.load(CODE).acknowledged_at


def test_a_merged_cause_counts_in_the_other_one_until_it_is_taken_out_again(world: World) -> None:
    link = noticed(world)
    assert world.press(link, action="merge", into="meter-late").status == 200
    now = world.now + A_DAY
    assert causes.figures("meter-late", now - 30 * A_DAY, now, 1)[0].tickets == 3
    assert "It is part of “The meter reading came too late”" in world.open(link).body
    world.hook(closed("80", world.now, requester=customer("x@c.example")))
    world.settle()
    state = causes.load("meter-late")
    assert (state.tickets, state.includes) == (4, (CODE,))
    assert causes.owned_by("ravi", settings()) == ["meter-late"]
    assert world.press(link, action="merge", into="no-show").status == 400
    assert world.press(link, action="acknowledge").status == 409
    assert world.press(link, action="separate", part=CODE).status == 200
    assert causes.figures("meter-late", now - 30 * A_DAY, now, 1)[0].tickets == 0
    assert what_was_done() == [What.MERGED, What.SEPARATED]
    assert what_was_done("meter-late") == [What.TOOK_IN, What.SEPARATED]


def test_whoever_was_merged_in_after_the_confirmation_is_not_told_of_that_fix(world: World) -> None:
    world.hook(closed("70", world.now, root_cause="cause_meter_late", requester=customer("late@c.example")))
    world.settle()
    link = fixed(world)
    assert world.press(_page_of(world, "meter-late"), action="merge", into=CODE).status == 200
    world.wait(3 * A_DAY)
    assert fix_mails(world) == ["c0@c.example", "c1@c.example", "c2@c.example"]
    page = world.open(link)
    assert "3 people told" in page.body


def test_a_cause_comes_back_when_that_which_it_was_merged_into_leaves_the_settings(world: World) -> None:
    link = noticed(world, people=1)
    page = link or _page_of(world, CODE)
    assert world.press(page, action="merge", into="meter-late").status == 200
    company = settings()
    known = {code: cause for code, cause in company.causes.items() if code != "meter-late"}
    world.apply(replace(company, causes=known))
    assert noticed(world, people=3, first=10)
    assert any("keeps coming back" in mail.subject for mail in world.mail.to(RAVI))
    assert causes.owned_by("ravi", replace(company, causes=known)) == [CODE]


def test_a_ticket_that_was_moved_to_a_cause_that_left_the_settings_is_read_anew(world: World) -> None:
    link = noticed(world)
    form = {"action": "move", "ticket-1": "acme|1", "into": "no-show"}
    assert world.press(link, **form).status == 200
    company = settings()
    world.apply(
        replace(company, causes={code: cause for code, cause in company.causes.items() if code != "no-show"})
    )
    world.invoke("recount_causes", {}, remaining=900_000)
    moved = tickets.load("acme", "1").follow_up(1)
    assert moved
    assert moved.cause == CODE


def _page_of(world: World, code: str) -> str:
    """The address of a cause's page for the one who owns all of them."""
    return links.cause_url(URL, "ravi", code, world.now, world.now)


def test_no_cause_becomes_part_of_itself(world: World) -> None:
    link = noticed(world)
    other = links.cause_url(URL, "ravi", "meter-late", world.now, world.now)
    world.press(other, action="merge", into=CODE)
    for into in (CODE, "meter-late", "nothing", ""):
        assert world.press(link, action="merge", into=into).status == 400


def test_moved_tickets_count_elsewhere_and_say_who_moved_them(world: World) -> None:
    link = noticed(world, people=4)
    form = {
        "action": "move",
        "into": "no-show",
        "ticket-1": "acme|0",
        "ticket-3": "acme|2",
        "form": form_of(world.open(link)),
    }
    for _ in range(2):
        assert world.press(link, **form).status == 200
    now = world.now + A_DAY
    tickets_of = {
        code: causes.figures(code, now - 30 * A_DAY, now, 1)[0].tickets for code in (CODE, "no-show")
    }
    assert tickets_of == {CODE: 2, "no-show": 2}
    moved = tickets.load("acme", "2").follow_up(1)
    assert moved
    assert (moved.cause, moved.cause_set_by, moved.cause_set_at) == ("no-show", "ravi", world.now)
    assert what_was_done() == [What.MOVED, What.MOVED]
    # The helpdesk's report once more changes nothing, and neither does the stream's record of the opening.
    world.hook(closed("2", world.now, requester=customer("c2@c.example")))
    world.settle()
    assert {
        code: causes.figures(code, now - 30 * A_DAY, now, 1)[0].tickets for code in (CODE, "no-show")
    } == tickets_of


def test_moved_there_and_back_it_counts_where_it_was(world: World) -> None:
    link = noticed(world)
    world.press(link, action="move", into="no-show", **{"ticket-1": "acme|0"})
    back = links.cause_url(URL, "mia", "no-show", world.now, world.now)
    world.press(back, action="move", into=CODE, **{"ticket-1": "acme|0"})
    now = world.now + A_DAY
    assert causes.figures(CODE, now - 30 * A_DAY, now, 1)[0].tickets == 3
    assert causes.figures("no-show", now - 30 * A_DAY, now, 1)[0].tickets == 0


# --- whatever comes ---------------------------------------------------------------------------------------------------


def test_a_form_that_makes_no_sense_changes_nothing(world: World) -> None:
    link = noticed(world)
    before = world.scan()
    senseless: list[dict[str, str]] = [
        {},
        {"action": "delete"},
        {"action": "acknowledge", "committed_to": "soon"},
        {"action": "acknowledge", "committed_to": "2026-11-29"},
        {"action": "acknowledge", "committed_to": "9999-12-31"},
        {"action": "known", "words": "A", "day": "9999-12-31"},
        {"action": "declare", "wrong": "A", "words": "B", "day": "0026-11-28"},
        {"action": "declare", "wrong": "A", "words": "B"},
        {"action": "declare", "wrong": "A", "words": "B", "day": "2026-12-24"},
        {"action": "declare", "wrong": " ", "words": "B", "day": DAY},
        {"action": "known", "words": "A", "day": DAY},
        {"action": "known", "words": "", "day": "2026-12-24"},
        {"action": "reassign", "to": "nobody"},
        {"action": "reassign", "to": "ravi"},
        {"action": "merge", "into": CODE},
        {"action": "move", "into": "no-show"},
        {"action": "move", "into": "nothing", "ticket-1": "acme|0"},
    ]
    for form in senseless:
        assert world.press(link, **form).status == 400, form
    for form in (
        {"action": "confirm", "number": "9"},
        {"action": "cancel"},
        {"action": "separate", "part": CODE},
    ):
        assert world.press(link, **form).status == 409, form
    assert world.scan() == before


def test_settings_that_no_longer_know_owner_or_cause_break_no_page(world: World) -> None:
    link = fixed(world)
    world.press(link, action="reassign", to="mia")
    changed = settings()
    del changed.causes[CODE]
    del changed.contacts["ravi"]
    del changed.teams["web-portal"]
    changed.causes.clear()
    world.apply(changed)
    for address in (link, link.rpartition("/")[0]):
        assert world.open(address).status == 200
    assert world.press(question(world, "c0@c.example"), answer="no").status == 200
    world.wait(70 * A_DAY)
    told = tellings.load(CODE, 1)
    assert told
    assert told.stage is Stage.DONE


def test_the_same_form_twice_at_the_same_time_is_one_deed(world: World) -> None:
    link = noticed(world)
    form = {"form": form_of(world.open(link)), "action": "reassign", "to": "mia"}
    assert [world.press(link, **form).status, world.press(link, **form).status] == [200, 409]
    world.wait(A_MINUTE)
    assert len([m for m in world.mail.to(MIA) if m.subject == "A root cause is yours now"]) == 1
    assert what_was_done() == [What.REASSIGNED]


def test_a_draft_that_is_forgotten_is_mentioned_once(world: World) -> None:
    declare(world, noticed(world))
    world.wait(10 * A_DAY)
    assert len([m for m in world.mail.to(RAVI) if m.subject == "A mail to your customers waits for you"]) == 1


def test_while_the_table_is_down_the_words_stay_in_the_form(world: World) -> None:
    link = noticed(world)
    world.fail("TransactWriteItems")
    page = declare(world, link)
    assert page.status == 503
    assert "The link ended too early." in page.body
    assert tellings.newest(CODE) == []


def test_while_the_table_is_down_whom_it_was_to_be_given_to_stays_in_the_form(world: World) -> None:
    link = noticed(world)
    world.fail("TransactWriteItems")
    page = world.press(link, action="reassign", to="mia")
    assert page.status == 503
    assert '<input type="hidden" name="to" value="mia">' in page.body


@pytest.mark.parametrize(
    ("form", "stands"),
    [
        (
            {"action": "acknowledge", "committed_to": "2026-12-18", "note": "A new server."},
            ['aria-describedby="hint-date" value="2026-12-18"', ">\nA new server.</textarea>"],
        ),
        (
            {"action": "declare", "wrong": "Too short.", "words": "Longer.", "day": "2026-11-20"},
            [">\nToo short.</textarea>", ">\nLonger.</textarea>", 'required value="2026-11-20" max='],
        ),
        (
            {"action": "known", "words": "We look at it.", "day": "2026-12-05"},
            [">\nWe look at it.</textarea>", 'name="day" required value="2026-12-05">'],
        ),
        ({"action": "reassign", "to": "mia"}, ['<option value="mia" selected>']),
        ({"action": "merge", "into": "no-show"}, ['<option value="no-show" selected>']),
        (
            {"action": "move", "ticket-1": "acme|1", "into": "no-show"},
            ['value="acme|1" checked>', '<option value="no-show" selected>'],
        ),
    ],
)
def test_what_was_pressed_too_fast_stands_in_its_own_form_again(
    world: World, form: dict[str, str], stands: list[str]
) -> None:
    world.apply(settings(press_after_mail=A_MINUTE))
    link = noticed(world)
    world.now += 30 * A_SECOND
    page = world.press(link, **form)
    assert ONCE_MORE in page.body
    for field in stands:
        assert page.body.count(field) == 1, field
    assert (
        page.body.count(" selected>") == page.body.count("<details open>") == len({"to", "into"} & set(form))
    )


def test_a_note_can_be_added_when_the_day_is_over(world: World) -> None:
    link = noticed(world)
    world.press(link, action="acknowledge", committed_to="2026-12-03")
    world.wait(10 * A_DAY)
    again = {"action": "acknowledge", "committed_to": "2026-12-03", "note": "Its delivery is late."}
    assert world.press(link, **again).status == 200
    known = causes.load(CODE)
    assert (known.note, known.committed_to) == ("Its delivery is late.", date(2026, 12, 3))
    assert world.press(link, **(again | {"committed_to": "2026-12-04"})).status == 400


def test_a_link_for_one_cause_opens_no_other(world: World) -> None:
    link = noticed(world)
    other = links.causes_url(URL, CausesLink("ravi", ("no-show",)), world.now, world.now)
    assert world.open(f"{other}/{CODE}").status == 404
    assert world.press(f"{link.rpartition('/')[0]}/meter-late", action="acknowledge").status == 404


def test_nobody_s_words_become_markup(world: World) -> None:
    link = noticed(world)
    evil = "<script>alert(1)</script>"
    world.press(link, action="acknowledge", note=evil)
    page = world.press(link, action="declare", wrong=evil, words=evil, day=DAY)
    confirm(world, link, page)
    world.wait(10 * A_MINUTE)
    world.press(question(world, "c0@c.example"), answer="no", words=evil)
    shown = world.open(link).body + world.open(question(world, "c1@c.example")).body
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown


def test_opening_changes_nothing(world: World) -> None:
    link = fixed(world)
    world.wait(timedelta(hours=30))
    before = world.scan()
    for address in (link, f"{link}?before=1", question(world, "c0@c.example")):
        for method in ("GET", "HEAD"):
            assert world.http(method, address).status == 200
    assert world.scan() == before


def test_a_scanner_in_the_owners_mailbox_presses_and_changes_nothing(world: World) -> None:
    """On both pages of a cause, also on the button that would write to all of its customers."""
    link = noticed(world)
    draft = declare(world, link)
    number = re.search(r'name="number" value="(\d+)"', draft.body)
    assert number
    world.apply(settings(press_after_page=2 * A_SECOND, press_after_mail=A_MINUTE))
    begun = causes.load(CODE).repeated_at
    assert begun
    world.now = begun + 5 * A_SECOND
    before = world.scan()
    for page_link, extra in ((link, {}), (link.rpartition("/")[0], {"cause": CODE})):
        page = world.open(page_link)
        for action in ("acknowledge", "confirm", "reassign") if not extra else ("acknowledge",):
            form = {"action": action, "form": form_of(page), "number": number[1], "people": "3", "to": "mia"}
            answer = world.press(page_link, seal=world.seal(page) or "", **form, **extra)
            assert (answer.status, ONCE_MORE in answer.body) == (200, True)
            again = world.press(page_link, seal=world.seal(answer) or "", **form, **extra)
            assert ONCE_MORE in again.body
    assert world.scan() == before
    world.now += 3 * A_SECOND
    form = {"action": "acknowledge", "cause": CODE, "note": "It is mine.", "form": form_of(again)}
    world.press(page_link, seal=world.seal(again) or "", **form)
    assert causes.load(CODE).note == "It is mine.", "a person presses once more, and it counts"


def test_who_was_told_of_the_wholes_fix_does_not_hear_that_somebody_is_on_it(world: World) -> None:
    """Confirmed in the evening, merged, fixed as a whole: what waits for the morning is outdated by then."""
    link = noticed(world)
    world.wait_until(world.now.replace(hour=18, minute=30))
    confirm(world, link, world.press(link, action="known", words="We look into it.", day="2026-12-10"))
    world.wait(10 * A_MINUTE)
    whole = _page_of(world, "meter-late")
    world.press(link, action="merge", into="meter-late")
    world.wait(A_MINUTE)
    assert confirm(world, whole, declare(world, whole)).status == 200
    world.wait(A_DAY)
    told = [mail.subject for mail in world.mail.sent if mail.to == "c0@c.example"]
    assert "We removed the cause of your problem" in told
    assert not [subject for subject in told if "working on it" in subject]
