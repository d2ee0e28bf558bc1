"""POST /f/{token}: acknowledged and settled by a person, once, with what was done."""

import re
from dataclasses import replace

import pytest

from adapters import table, tickets
from adapters.notices import ONCE_MORE
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
    closed,
    reopened,
    sample,
    settings,
)
from domain.flag import Flag, Reason, Result
from domain.follow_up import FollowUp, Reply, State
from domain.reply import KEPT_REPLIES
from world import World


def flag() -> Flag:
    """The flag of the one ticket."""
    return tickets.load("acme", "4711").flags[1]


def follow_up() -> FollowUp:
    """The follow-up of the one ticket."""
    found = tickets.load("acme", "4711").follow_up(1)
    assert found is not None
    return found


def raised(world: World) -> str:
    """The link to a flag that a customer raised by a "no"."""
    world.press(world.asked(), answer="no", words="Not at all.")
    world.wait(A_MINUTE)
    (mail,) = world.mail.to(RAVI)
    return mail.link


def test_the_sample_event_settles_a_flag_with_what_was_done(world: World) -> None:
    event = sample("settle_flag")
    link = raised(world)
    event["pathParameters"] = {"token": world.token(link)}
    page = world.answered(world.invoke("settle_flag", world.sealed(event, link)))
    assert page.status == 200
    assert "Settled by Ravi Menon" in page.body
    known = flag()
    assert (known.result, known.settled_by) == (Result.SOLVED, "ravi")
    assert known.due_at == world.now + 7 * A_DAY, "until then the customer may say whether it is solved now"
    assert known.done == "I called and reset the password together with the customer."


def test_acknowledged_and_settled_in_time_nobody_else_is_told(world: World) -> None:
    link = raised(world)
    assert "In the hands of Ravi Menon" in world.press(link, action="acknowledge").body
    world.wait(2 * A_DAY)
    assert world.press(link, action="settle", result="agreed", done="A visit on Friday.").status == 200
    world.wait(20 * A_DAY)
    assert [mail for mail in world.mail.to(HANNE) if "4711" in mail.subject] == []
    assert flag().acknowledged_by == "ravi"
    assert "A visit on Friday." in world.open(link).body


def test_acknowledged_but_not_settled_in_time_goes_to_the_manager(world: World) -> None:
    link = raised(world)
    world.press(link, action="acknowledge")
    world.wait(3 * A_DAY - AN_HOUR)
    assert world.mail.to(HANNE) == []
    world.wait(2 * AN_HOUR)
    assert len(world.mail.to(HANNE)) == 1


def test_pressed_twice_changes_nothing_the_second_time(world: World) -> None:
    link = raised(world)
    for form in ({"action": "acknowledge"}, {"action": "settle", "result": "solved", "done": "Called."}):
        world.press(link, **form)
        world.settle()
        before = world.scan()
        world.now += A_MINUTE
        assert world.press(link, **form).status == 200
        world.settle()
        assert world.scan() == before


@pytest.mark.parametrize(
    "form", [{"action": "settle", "result": "agreed", "done": "Other."}, {"action": "acknowledge"}]
)
def test_what_is_settled_stays_as_it_was_settled(world: World, form: dict[str, str]) -> None:
    link = raised(world)
    world.press(link, action="settle", result="solved", done="Called.")
    assert world.press(link, **form).status == 409
    assert (flag().result, flag().done) == (Result.SOLVED, "Called.")


def test_an_incomplete_form_is_said_and_keeps_the_words(world: World) -> None:
    link = raised(world)
    before = world.scan()
    incomplete: list[dict[str, str]] = [
        {},
        {"action": "delete"},
        {"action": "settle"},
        {"action": "settle", "result": "solved"},
        {"action": "settle", "result": "confirmed", "done": "x"},
        {"action": "settle", "done": "My words"},
    ]
    for form in incomplete:
        page = world.press(link, **form)
        assert page.status == 400
        assert form.get("done", "") in page.body
        assert world.scan() == before


def test_a_no_after_settling_raises_it_again(world: World) -> None:
    link = raised(world)
    world.press(link, action="settle", result="solved", done="Called.")
    world.wait(A_DAY)
    world.press(world.survey_link(), answer="no", words="It is broken again.")
    world.wait(A_MINUTE)
    assert (flag().settled_at, flag().rounds) == (None, 2)
    assert len([mail for mail in world.mail.to(RAVI) if "4711" in mail.subject]) == 2


def test_while_the_table_is_down_the_words_stay_in_the_form(world: World) -> None:
    link = raised(world)
    world.fail("TransactWriteItems")
    page = world.press(link, action="settle", result="solved", done="I called for an hour.")
    assert page.status == 503
    assert "I called for an hour." in page.body
    assert 'name="result" value="solved"' in page.body
    assert flag().settled_at is None


def test_settled_while_it_is_escalated_is_settled(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    link = raised(world)
    store, raced = table.put_all, list[bool]()

    def store_after_the_escalation(rows: list[table.Row]) -> None:
        if not raced:
            raced.append(True)
            world.wait(A_DAY)
        store(rows)

    monkeypatch.setattr(table, "put_all", store_after_the_escalation)
    assert world.press(link, action="settle", result="solved", done="Called.").status == 200
    assert (flag().result, flag().holder) == (Result.SOLVED, "hanne")


# --- presses that look like a machine's ------------------------------------------------------------------------------


def doubted(world: World, *answers: str) -> str:
    """The link to the flag of a silence in which somebody pressed too fast."""
    world.apply(settings(press_after_page=2 * A_SECOND, press_after_mail=A_MINUTE))
    link = world.asked()
    for answer in answers:
        world.now += A_MINUTE
        assert "press once more" in world.press(link, answer=answer).body
    world.wait(8 * A_DAY)
    (mail,) = [mail for mail in world.mail.to(RAVI) if mail.subject.startswith("No answer")]
    assert follow_up().state == State.SILENT
    world.apply(settings())
    return mail.link


def test_the_page_says_why_a_press_is_suspected_and_lets_a_person_decide(world: World) -> None:
    page = world.open(doubted(world, "yes"))
    assert "“Solved” on Tuesday 1 December 2026, 10:02 CET" in page.body
    assert "It looked like a machine’s: it came faster than anybody can read." in page.body
    assert ("Count this answer" in page.body, "It was a machine" in page.body) == (True, True)
    (mail,) = [mail for mail in world.mail.to(RAVI) if mail.subject.startswith("No answer")]
    assert "it came faster than anybody can read" in mail.text
    assert "you can count it on the flag’s page" in mail.text


def test_a_counted_yes_confirms_takes_the_flag_off_and_tells_the_team_once(world: World) -> None:
    link = doubted(world, "yes")
    page = world.press(link, action="count", press="0", sure="yes")
    assert page.status == 200
    assert "Counted as the customer’s answer, says Ravi Menon on Wednesday 9 December 2026" in page.body
    world.wait(AN_HOUR)
    assert follow_up().state == State.CONFIRMED
    assert (flag().result, flag().settled_by) == (Result.CONFIRMED, None)
    assert len(world.mail.to(TEAM)) == 1
    assert "Counted as the customer’s answer, says Ravi Menon" in world.open(link).body


def test_a_counted_no_is_told_anew_and_stays_with_a_person(world: World) -> None:
    world.press(doubted(world, "no"), action="count", press="0", sure="yes")
    world.wait(A_DAY / 2)
    assert follow_up().state == State.DENIED
    assert (flag().reason, flag().settled_at) == (Reason.DENIED, None)
    assert [mail.subject for mail in world.mail.to(RAVI)][-1].startswith("Not solved")


def test_what_was_a_machine_stays_marked_and_the_flag_stays(world: World) -> None:
    link = doubted(world, "yes", "no")
    before = flag()
    for place in ("0", "1"):
        page = world.press(link, action="machine", press=place)
        assert page.status == 200
    assert "It was a machine, says Ravi Menon on Wednesday 9 December 2026" in page.body
    world.settle()
    assert (follow_up().state, follow_up().answers, flag()) == (State.SILENT, (), before)
    assert [seen.decided_by for seen in follow_up().suspects] == ["ravi", "ravi"]


@pytest.mark.parametrize("action", ["count", "machine"])
def test_decided_twice_changes_nothing_the_second_time(world: World, action: str) -> None:
    link = doubted(world, "yes")
    world.press(link, action=action, press="0", sure="yes")
    world.settle()
    before = world.scan()
    world.now += A_MINUTE
    assert world.press(link, action=action, press="0", sure="yes").status == 200
    world.settle()
    assert world.scan() == before


@pytest.mark.parametrize(("second", "status"), [("count", 200), ("machine", 409)])
def test_of_two_people_at_once_the_first_decides(
    world: World, monkeypatch: pytest.MonkeyPatch, second: str, status: int
) -> None:
    link = doubted(world, "yes")
    store, raced = table.put_all, list[bool]()

    def store_after_the_other(rows: list[table.Row]) -> None:
        if not raced:
            raced.append(True)
            assert world.press(link, action="count", press="0", sure="yes").status == 200
        store(rows)

    monkeypatch.setattr(table, "put_all", store_after_the_other)
    page = world.press(link, action=second, press="0", sure="yes")
    assert page.status == status
    assert ("Somebody was faster and counted it" in page.body) == (status == 409)
    assert "Counted as the customer’s answer, says Ravi Menon" in page.body
    assert len(follow_up().answers) == 1


@pytest.mark.parametrize("overtaken_by", ["an answer", "a reopening"])
def test_what_was_overtaken_is_not_counted_and_says_so(world: World, overtaken_by: str) -> None:
    link = doubted(world, "yes")
    if overtaken_by == "an answer":
        world.press(world.survey_link(), answer="no")
    else:
        world.hook(reopened("4711", world.now))
    world.settle()
    state = follow_up().state
    page = world.press(link, action="count", press="0", sure="yes")
    assert page.status == 409
    assert "Nothing is left to decide" in page.body
    world.settle()
    assert follow_up().state == state != State.CONFIRMED


def test_a_press_that_is_not_there_is_not_decided(world: World) -> None:
    link = doubted(world, "yes")
    before = world.scan()
    forms: list[dict[str, str]] = [{}, {"press": "1"}, {"press": "-1"}, {"press": "x"}, {"press": "²"}]
    for form in forms:
        for action in ("count", "machine"):
            page = world.press(link, action=action, **form)
            assert (page.status, "Please use the buttons below." in page.body) == (400, True)
    assert world.scan() == before


def test_whoever_does_not_say_that_it_was_the_customer_counts_nothing(world: World) -> None:
    """So does a machine that presses the button for the person."""
    link = doubted(world, "yes")
    before = world.scan()
    page = world.press(link, action="count", press="0")
    assert (page.status, "Please tick that you know it was the customer." in page.body) == (400, True)
    assert world.scan() == before


def test_what_was_called_a_machines_is_counted_after_all(world: World) -> None:
    link = doubted(world, "no")
    assert "It was the customer after all" in world.press(link, action="machine", press="0").body
    world.press(link, action="count", press="0", sure="yes")
    assert follow_up().state == State.DENIED


def test_a_link_whose_time_is_over_decides_nothing(world: World) -> None:
    link = doubted(world, "yes")
    before = follow_up()
    world.now += settings().policy.keep_for
    page = world.press(link, action="count", press="0", sure="yes")
    assert (page.status, "This link does not work" in page.body) == (404, True)
    assert follow_up() == before


def test_while_the_table_is_down_the_decision_can_be_sent_again(world: World) -> None:
    link = doubted(world, "yes")
    world.fail("PutItem")
    failed = world.press(link, action="count", press="0", sure="yes")
    assert failed.status == 503
    assert 'name="action" value="count"' in failed.body
    assert 'name="press" value="0"' in failed.body
    assert follow_up().answers == ()


def test_somebody_who_stopped_and_pressed_too_fast_still_reaches_a_person(world: World) -> None:
    """The mail was out, nobody knew it, and then they wanted no more mail: that alone needs nobody."""
    world.apply(settings(press_after_page=2 * A_SECOND, press_after_mail=A_MINUTE))
    world.mail.plan = ["timeout after it was accepted"]
    world.mail.reports_get_lost = True
    world.hook(closed())
    world.wait_until(START + A_DAY)
    (survey,) = world.mail.sent
    assert world.press(survey.preferences, **{"List-Unsubscribe": "One-Click"}).status == 200
    world.wait(A_DAY)
    assert (follow_up().state, follow_up().reason) == (State.NOT_ASKED, "opted_out")
    assert world.mail.to(RAVI) == []
    world.press(survey.link, answer="no")
    world.wait(A_MINUTE)
    (told,) = world.mail.to(RAVI)
    world.apply(settings())
    world.press(told.link, action="count", press="0", sure="yes")
    world.wait(A_DAY)
    assert follow_up().state == State.DENIED


def test_a_scanner_in_a_colleagues_mailbox_presses_and_changes_nothing(world: World) -> None:
    """It opens the flag a few seconds after the mail and sends every form that it finds."""
    link = raised(world)
    world.apply(settings(press_after_page=2 * A_SECOND, press_after_mail=A_MINUTE))
    sent = [mail.at for mail in world.mail.to(RAVI)][-1]
    world.now = sent + 3 * A_SECOND
    before = world.scan()
    page = world.open(link)
    for action in ("acknowledge", "ask_team", "pass_on", "settle", "update"):
        form = {"words": "spam", "done": "spam", "result": "solved", "form": world.form_id(page) or ""}
        answer = world.press(link, action=action, seal=world.seal(page) or "", **form)
        assert (answer.status, ONCE_MORE in answer.body) == (200, True)
        again = world.press(link, action=action, seal=world.seal(answer) or "", **form)
        assert ONCE_MORE in again.body
        assert ONCE_MORE in world.press(link, action=action, seal="", **form).body
    assert world.scan() == before
    world.now += 3 * A_SECOND
    world.press(link, action="acknowledge", seal=world.seal(again) or "")
    assert flag().acknowledged_by == "ravi", "a person presses once more, and it counts"


@pytest.mark.parametrize("kept", [1, KEPT_REPLIES])
def test_whoever_settles_from_a_page_older_than_the_customers_mail_is_told_to_read_it_first(
    world: World, kept: int
) -> None:
    link = raised(world)
    replies = tuple(Reply(mail=str(n), at=world.now, words="And the other one too.") for n in range(kept + 1))
    tickets.save(replace(follow_up(), replies=replies[:-1]))
    form = {"action": "settle", "result": "agreed", "done": "A visit on Friday."}
    form["newest"] = read_last(world.open(link).body)
    tickets.save(replace(follow_up(), replies=replies[1:]))
    late = world.press(link, **form)
    assert (late.status, "The customer wrote meanwhile." in late.body) == (409, True)
    assert "And the other one too." in late.body
    assert ">\nA visit on Friday.</textarea>" in late.body
    assert world.press(link, **form | {"newest": read_last(late.body)}).status == 200
    assert flag().result is Result.AGREED


def test_words_that_were_added_on_the_page_are_read_before_a_flag_is_settled(world: World) -> None:
    survey = world.asked()
    world.press(survey, answer="no")
    world.wait(10 * A_MINUTE)
    link = world.mail.to(RAVI)[-1].link
    form = {"action": "settle", "result": "not_possible", "done": "Nothing can be done."}
    form["newest"] = read_last(world.open(link).body)
    world.press(survey, answer="no", words="The bill is wrong too.")
    late = world.press(link, **form)
    assert (late.status, "The bill is wrong too." in late.body) == (409, True)
    assert world.press(link, **form | {"newest": read_last(late.body)}).status == 200


def test_what_was_read_is_still_known_when_the_form_has_to_be_sent_once_more(world: World) -> None:
    link = raised(world)
    page = world.open(link)
    form = {"action": "settle", "result": "not_possible", "done": "Sorry.", "newest": read_last(page.body)}
    seal = world.seal(page) or ""
    world.fail("Query")
    failed = world.press(link, **form, seal=seal)
    world.faults.clear()
    tickets.save(
        replace(follow_up(), replies=(Reply(mail="1", at=world.now, words="And the other one too."),))
    )
    assert failed.status == 503
    assert world.press(link, **form | {"newest": read_last(failed.body)}).status == 409


def read_last(page: str) -> str:
    """What the form says was read."""
    (value,) = set(re.findall(r'name="newest" value="([^"]*)"', page))
    return str(value)


def test_whoever_left_reads_nothing_of_a_customer_and_writes_to_none(world: World) -> None:
    link = raised(world)
    known = settings()
    contacts = {key: contact for key, contact in known.contacts.items() if key != "ravi"}
    portal = replace(known.teams["web-portal"], responsible="mia")
    causes = {code: replace(cause, owner="mia") for code, cause in known.causes.items()}
    teams = {**known.teams, "web-portal": portal}
    world.apply(replace(known, contacts=contacts, teams=teams, causes=causes))
    world.wait(A_DAY)
    sent = len(world.mail.to(CUSTOMER))
    page = world.open(link)
    assert (page.status, CUSTOMER in page.body) == (410, False)
    assert world.press(link, action="update", words="It is over.").status == 410
    world.wait(A_DAY)
    assert len(world.mail.to(CUSTOMER)) == sent
