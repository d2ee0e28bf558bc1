"""What came out is told to the helpdesk once, over a real socket, and never as if its echo were news."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import written
from adapters import helpdesk_api, tickets
from builders import (
    A_DAY,
    A_MINUTE,
    A_SECOND,
    AN_HOUR,
    CUSTOMER,
    RAVI,
    START,
    closed,
    reopened,
    sample,
    settings,
    signed,
)
from domain import recovery
from domain.delivery import Progress
from domain.follow_up import FollowUp, State
from domain.person import Person
from domain.settings import Api, Settings, WriteBack
from domain.write_back import WriteBack as Told
from helpdesk_stand_in import TOKEN, Case, Desk, Plan, standing_in
from helpdesks import calls
from integration.test_fetch_details import KINDS, store
from world import World

WORDS = "The portal still shows <b>last year's</b> meter."


@pytest.fixture(autouse=True)
def own_connections() -> Iterator[None]:
    """A connection to a helpdesk of another test is none to this one's."""
    helpdesk_api._pool.cache_clear()
    yield
    helpdesk_api._pool.cache_clear()


@pytest.fixture
def desk() -> Iterator[Desk]:
    """Zendesk, with one solved ticket."""
    with standing_in("zendesk") as made:
        made.add(Case(id="4711", closed_at=START))
        yield made


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits in a test as long as in life."""
    monkeypatch.setattr(helpdesk_api, "CONNECT_TIMEOUT", 0.2)
    monkeypatch.setattr(helpdesk_api, "READ_TIMEOUT", 0.3)
    helpdesk_api._pool.cache_clear()


def connected(world: World, desk: Desk, mode: Any = "on", **changed: Any) -> Settings:
    """The source ``acme`` has this helpdesk's API as well."""
    store({desk.kind: desk.secret})
    company = settings()
    api = Api(url=desk.url, secret=desk.kind, calls=desk.kind, values=desk.values)
    source = replace(company.sources["acme"], api=api, write_back=WriteBack(mode=mode, **changed))
    made = replace(company, sources={**company.sources, "acme": source})
    world.apply(made)
    return made


def known(ticket: str = "4711", number: int = 1) -> FollowUp:
    """The follow-up as it is stored."""
    found = tickets.load("acme", ticket).follow_up(number)
    assert found
    return found


def told(ticket: str = "4711") -> list[Told]:
    """What the helpdesk is told, the oldest first."""
    found = tickets.load("acme", ticket).write_backs.values()
    return sorted(found, key=lambda one: one.said_at)


# --- every helpdesk --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_no_becomes_a_note_with_the_words_a_tag_and_an_open_ticket(world: World, kind: str) -> None:
    with standing_in(kind) as desk:
        case = desk.add(Case(id="4711", closed_at=START, tags=["vip"]))
        connected(world, desk)
        world.press(world.asked(), answer="no", words=WORDS, wish="A new meter")
        world.settle()
        (note,) = case.notes
        (one,) = told()
        assert "not solved" in note
        assert one.mark in note
        assert "A new meter" in note
        if kind in {"freshdesk", "intercom", "hubspot", "helpscout", "zammad"}:
            assert "&lt;b&gt;" in note, "it is HTML there, and a customer writes text"
        assert case.status == "open"
        if kind not in {"hubspot", "intercom"}:  # the one has no tags, the other numbers them
            assert case.tags == ["vip", "followthrough_denied"]
        assert (one.ended, one.refused, one.obstacle) == ("told", (), None)
        assert one.delivery
        assert one.delivery.progress is Progress.SENT
        log = world.log.getvalue()
        assert TOKEN not in log
        assert "meter" not in log
        written_so_far = len(desk.written())
        for change in list(world.past_changes):
            world.changes.append(change)
        world.settle()
        world.wait(3 * A_DAY)
        assert len(desk.written()) == written_so_far, "once for one outcome"


@pytest.mark.parametrize("kind", KINDS)
def test_a_yes_and_a_silence_are_told_without_opening_anything(world: World, kind: str) -> None:
    with standing_in(kind) as desk:
        yes, silent = (desk.add(Case(id=ticket, closed_at=START)) for ticket in ("1", "2"))
        connected(world, desk)
        world.hook(closed("2", world.now, requester={"name": "B", "email": "ben@customer.example"}))
        world.press(world.asked("1"), answer="yes")
        world.wait(9 * A_DAY)
        assert [len(case.notes) for case in (yes, silent)] == [1, 1]
        assert "The customer says: solved." in yes.notes[0]
        assert "No answer" in silent.notes[0]
        assert {yes.status, silent.status} == {"solved"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_note_whose_reply_was_lost_is_looked_for_and_not_made_twice(
    world: World, quick: None, kind: str
) -> None:
    with standing_in(kind) as desk:
        case = desk.add(Case(id="4711", closed_at=START))
        connected(world, desk, reopen=False)
        link = world.asked()
        reads = _before_the_note(kind)
        desk.plan = [*["fine"] * reads, "lost"]
        world.press(link, answer="no", words=WORDS)
        world.settle()
        assert len(case.notes) == 1
        assert told()[0].ended is None
        world.wait(2 * AN_HOUR)
        assert len(case.notes) == 1, "never twice"
        if kind == "hubspot":  # it lists no notes to look in: a person looks
            assert told()[0].ended == "unknown"
            assert '"nobody knows whether the helpdesk was told"' in world.log.getvalue()
        else:
            assert told()[0].ended == "told"


@pytest.mark.parametrize("kind", KINDS)
def test_a_note_that_was_certainly_lost_on_its_way_is_made_in_the_end(
    world: World, quick: None, kind: str
) -> None:
    with standing_in(kind) as desk:
        case = desk.add(Case(id="4711", closed_at=START))
        connected(world, desk, reopen=False)
        link = world.asked()
        reads = _before_the_note(kind)
        desk.plan = [*["fine"] * reads, "hang up"]
        world.press(link, answer="no", words=WORDS)
        world.wait(2 * AN_HOUR)
        assert len(case.notes) == (0 if kind == "hubspot" else 1)


def test_an_issue_of_jira_that_is_open_already_is_not_moved_on(world: World, quick: None) -> None:
    with standing_in("jira") as desk:
        case = desk.add(Case(id="4711", closed_at=START))
        connected(world, desk)
        link = world.asked()
        case.status = "open"
        world.press(link, answer="no", words=WORDS)
        world.settle()
        assert not [asked for asked in desk.written() if asked.path.endswith("/transitions")]
        assert (len(case.notes), told()[0].ended) == (1, "told")


def test_a_look_that_was_refused_shows_nothing(world: World, desk: Desk, quick: None) -> None:
    connected(world, desk, reopen=False)
    link = world.asked()
    desk.plan = ["lost", 401, 403, 404, 500]
    world.press(link, answer="no", words=WORDS)
    world.wait(6 * AN_HOUR)
    assert len(desk.cases["4711"].notes) == 1, "nobody may conclude that it is not there"
    assert desk.plan == []
    assert told()[0].ended in {"told", "unknown"}


@pytest.mark.parametrize("ended", ["unknown", "refused", "too_late", "told"])
def test_whoever_has_the_flag_sees_that_the_helpdesk_may_not_know(
    world: World, desk: Desk, quick: None, ended: str
) -> None:
    connected(world, desk, reopen=False)
    link = world.asked()
    plans: dict[str, list[Plan]] = {
        "unknown": ["lost", *[500] * 99],
        "refused": [422],
        "too_late": [401] * 99,
        "told": [],
    }
    desk.plan = plans[ended]
    world.press(link, answer="no", words=WORDS)
    world.wait(4 * A_DAY)
    assert told()[0].ended == ended
    shown = world.open(world.mail.to(RAVI)[0].link).body
    assert ("whether the helpdesk was told" in shown) == (ended == "unknown")
    assert ("did not take all" in shown) == (ended == "refused")
    assert ("could not be told" in shown) == (ended == "too_late")


def test_a_list_that_may_go_on_shows_only_what_is_in_it(world: World, quick: None) -> None:
    with standing_in("freshdesk") as desk:
        case = desk.add(Case(id="4711", closed_at=START, notes=["older"] * 100))
        connected(world, desk, reopen=False)
        link = world.asked()
        desk.plan = ["fine", "hang up"]
        world.press(link, answer="no", words=WORDS)
        world.wait(3 * AN_HOUR)
        assert len(case.notes) == 100
        assert told()[0].ended == "unknown", "a person looks"


def _before_the_note(kind: str) -> int:
    """How many requests come before it: what is looked up, and an access token."""
    writes = [write for write in calls.calls(kind).write_back if not write.reopens]
    seen = {write.seen for write in writes}
    return sum(write.reads and write.step.name not in seen for write in writes) + (kind == "helpscout")


def test_an_access_token_that_did_not_come_is_no_note_that_may_be_there(world: World, quick: None) -> None:
    with standing_in("helpscout") as desk:
        case = desk.add(Case(id="4711", closed_at=START))
        connected(world, desk, reopen=False)
        link = world.asked()
        desk.plan = ["lost"]
        world.press(link, answer="no", words=WORDS)
        world.settle()
        assert (told()[0].unsure, told()[0].tries, told()[0].began_at) == (False, 1, None)
        world.wait(10 * A_MINUTE)
        assert len(case.notes) == 1


# --- trouble ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "plan", [401, 403, 409, 423, 429, (429, {"retry-after": "900"}), (503, {"retry-after": "60"})]
)
def test_what_was_certainly_not_taken_is_told_later(world: World, desk: Desk, plan: Plan) -> None:
    connected(world, desk)
    link = world.asked()
    desk.plan = [plan] * 2
    world.press(link, answer="no", words=WORDS)
    world.settle()
    assert desk.cases["4711"].notes == []
    assert told()[0].obstacle is not None
    world.wait(2 * AN_HOUR)
    assert len(desk.cases["4711"].notes) == 1
    assert desk.cases["4711"].status == "open"
    assert told()[0].ended == "told"


def test_a_helpdesk_that_refuses_for_days_is_told_nothing_and_the_alarm_heard_of_it(
    world: World, desk: Desk
) -> None:
    connected(world, desk)
    link = world.asked()
    store({})
    world.press(link, answer="no", words=WORDS)
    world.wait(4 * A_DAY)
    assert (told()[0].ended, desk.written()) == ("too_late", [])
    assert '"obstacle":"no_token"' in world.log.getvalue()


def test_a_closed_ticket_of_zendesk_gets_a_follow_up_ticket(world: World, desk: Desk) -> None:
    connected(world, desk)
    desk.cases["4711"].status = "closed"
    world.press(world.asked(), answer="no", words=WORDS)
    world.settle()
    (new,) = [case for case in desk.cases.values() if case.id != "4711"]
    assert new.tags == ["follow-up of 4711"]
    assert "not solved" in new.notes[0]
    (one,) = told()
    assert (one.done, one.refused) == (("follow_up",), ("reopen",))
    assert len([asked for asked in desk.written() if asked.method == "POST"]) == 1


def test_a_yes_about_a_closed_ticket_of_zendesk_cannot_be_noted_and_that_is_all(
    world: World, desk: Desk
) -> None:
    connected(world, desk)
    desk.cases["4711"].status = "closed"
    world.press(world.asked(), answer="yes")
    world.wait(AN_HOUR)
    (one,) = told()
    assert (one.ended, one.refused, len(desk.written())) == ("refused", ("note",), 1)


def test_a_reply_that_cannot_be_read_was_taken_all_the_same(world: World, desk: Desk) -> None:
    connected(world, desk, reopen=False)
    link = world.asked()
    desk.plan = ["garbage"]
    world.press(link, answer="no", words=WORDS)
    world.wait(2 * AN_HOUR)
    assert len(desk.cases["4711"].notes) == 1
    assert told()[0].ended == "told"


def test_whoever_is_cut_off_between_two_requests_goes_on_with_the_second(world: World, quick: None) -> None:
    with standing_in("freshdesk") as desk:
        case = desk.add(Case(id="4711", closed_at=START))
        connected(world, desk)
        link = world.asked()
        desk.plan = ["fine", "fine", "fine", 429]
        world.press(link, answer="no", words=WORDS)
        world.wait(AN_HOUR)
        assert (len(case.notes), case.tags, case.status) == (1, ["followthrough_denied"], "open")
        assert len([asked for asked in desk.written() if asked.path.endswith("/notes")]) == 1


@pytest.mark.parametrize("failing", range(1, 6))
def test_a_crash_at_any_write_tells_it_once(world: World, desk: Desk, quick: None, failing: int) -> None:
    connected(world, desk)
    link = world.asked()
    world.press(link, answer="no", words=WORDS)
    count = {"seen": 0}
    real = world._check_rights

    def crash(operation: str, request: dict[str, Any]) -> None:
        real(operation, request)
        if operation == "PutItem" and world._running == "write_back":
            count["seen"] += 1
            if count["seen"] == failing:
                raise RuntimeError("the power is gone")

    world._check_rights = crash  # type: ignore[method-assign]
    world.settle()
    world.failed.clear()
    world.wait(3 * AN_HOUR)
    world.failed.clear()
    assert len(desk.cases["4711"].notes) == 1
    assert told()[0].ended == "told"


# --- switched ---------------------------------------------------------------------------------------------------------


def test_it_is_a_rehearsal_until_somebody_says_on(
    world: World, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    connected(world, desk, **({"mode": WriteBack().mode}))
    world.press(world.asked(), answer="no", words=WORDS)
    world.wait(A_DAY)
    assert desk.asked == []
    (one,) = told()
    assert one.ended == "dry_run"
    assert [line.partition(" ")[0] for line in one.would] == ["PUT", "PUT"]
    assert "last year" in one.would[1]
    assert "last year" not in world.log.getvalue()
    assert '"requests":["reopen","follow_up","note"]' in world.log.getvalue()
    assert written.main([]) == 0
    shown = capsys.readouterr().out
    assert "acme 4711  denied: dry_run" in shown
    assert "would send: PUT /api/v2/tickets/4711.json" in shown
    assert written.main(["--open"]) == 0
    assert capsys.readouterr().out == "Nothing to look at.\n"
    assert tickets.load("acme", "4711").ticket.written == ()


def test_off_tells_nothing_and_keeps_nothing(world: World, desk: Desk) -> None:
    connected(world, desk, mode="off")
    world.press(world.asked(), answer="no", words=WORDS)
    world.wait(A_DAY)
    assert (told(), desk.asked) == ([], [])


def test_only_the_outcomes_of_the_settings_are_told_and_nothing_is_opened_unless_they_say_so(
    world: World, desk: Desk
) -> None:
    connected(world, desk, outcomes=("denied",), reopen=False)
    link = world.asked()
    world.press(link, answer="yes")
    world.wait(AN_HOUR)
    assert desk.asked == []
    world.press(link, answer="no", words=WORDS)
    world.settle()
    assert (len(desk.cases["4711"].notes), desk.cases["4711"].status) == (1, "solved")


def test_switched_off_meanwhile_nothing_is_sent(world: World, desk: Desk) -> None:
    connected(world, desk)
    world.press(world.asked(), answer="no")
    world.settle()
    connected(world, desk, mode="off")
    world.wait(AN_HOUR)
    assert (told()[0].ended, desk.asked) == ("off", [])


def test_without_an_api_nothing_is_told(world: World) -> None:
    world.press(world.asked(), answer="no", words=WORDS)
    world.wait(A_DAY)
    assert told() == []
    assert "write_back" not in world.invocations


def test_the_sample_event_tells_an_outcome_once(world: World, desk: Desk) -> None:
    connected(world, desk)
    assert world.invoke("write_back", sample("write_back")) == {"batchItemFailures": []}
    world.press(world.asked(), answer="no", words=WORDS)
    world.settle()
    notes = list(desk.cases["4711"].notes)
    key = {"pk": "TICKET#acme#4711", "sk": f"WRITE_BACK#{told()[0].name}"}
    event = sample("write_back")
    event["Records"][0]["body"] = json.dumps(key)
    world.invoke("write_back", event)
    assert desk.cases["4711"].notes == notes


def test_whoever_adds_words_in_time_is_quoted_and_whoever_does_not_is_told_after_it(
    world: World, desk: Desk
) -> None:
    connected(world, desk)
    link = world.asked()
    world.press(link, answer="no")
    world.wait(A_MINUTE)
    assert desk.cases["4711"].notes == []
    world.press(link, answer="no", words=WORDS)
    world.settle()
    assert "last year" in desk.cases["4711"].notes[0]
    world.wait(AN_HOUR)
    assert len(desk.cases["4711"].notes) == 1


@pytest.mark.parametrize("consent", [None, "yes"])
def test_words_beside_a_yes_stand_in_the_note_only_if_the_customer_agreed(
    world: World, desk: Desk, consent: str | None
) -> None:
    connected(world, desk)
    link = world.asked()
    world.press(link, answer="yes", words="Kim was very patient.")
    world.settle()
    assert desk.cases["4711"].notes == [], "they are asked whether it may be passed on"
    if consent:
        world.press(link, answer="yes", words="Kim was very patient.", consent=consent)
    world.wait(AN_HOUR)
    (note,) = desk.cases["4711"].notes
    assert "says: solved" in note
    assert ("Kim was very patient." in note) is bool(consent)


def test_a_changed_mind_is_told_and_what_was_overtaken_is_not(world: World, desk: Desk) -> None:
    connected(world, desk)
    link = world.asked()
    world.press(link, answer="no")
    world.wait(A_MINUTE)
    world.press(link, answer="yes")
    world.wait(AN_HOUR)
    assert [one.ended for one in told()] == ["overtaken", "told"]
    (note,) = desk.cases["4711"].notes
    assert "says: solved" in note
    assert desk.cases["4711"].status == "solved"
    world.press(link, answer="no", words=WORDS)
    world.settle()
    assert len(desk.cases["4711"].notes) == 2


def test_who_changes_their_mind_all_day_does_not_fill_the_ticket(world: World, desk: Desk) -> None:
    connected(world, desk)
    link = world.asked()
    for turn in range(20):
        world.press(link, answer="yes" if turn % 2 else "no", words=f"{turn} times")
        world.wait(10 * A_MINUTE)
    assert len(desk.cases["4711"].notes) <= 6


# --- no loop ---------------------------------------------------------------------------------------------------------


def test_our_own_reopening_heard_again_takes_nothing_from_the_flag(world: World, desk: Desk) -> None:
    company = connected(world, desk)
    world.press(world.asked(), answer="no", words=WORDS)
    world.settle()
    assert desk.cases["4711"].status == "open"
    world.hook(reopened(at=world.now + 3 * A_SECOND))
    world.wait(A_MINUTE)
    records = tickets.load("acme", "4711")
    flag = records.flags[1]
    assert (known().state, flag.settled_at, flag.holder) == (State.DENIED, None, "ravi")
    assert records.ticket.superseded(known()) is None
    assert recovery.may_ask_again(known(), records.ticket, flag, Person(key=""), company)
    assert len(world.mail.to(RAVI)) == 1
    assert len(told()) == 1


def test_a_reopening_long_after_ours_is_somebody_elses(world: World, desk: Desk) -> None:
    connected(world, desk)
    world.press(world.asked(), answer="no", words=WORDS)
    world.settle()
    world.wait(2 * AN_HOUR)
    world.hook(reopened(at=world.now))
    records = tickets.load("acme", "4711")
    assert records.ticket.superseded(known()) == "reopened"


def test_a_ticket_that_is_solved_again_after_our_reopening_is_asked_about_again(
    world: World, desk: Desk
) -> None:
    connected(world, desk)
    world.press(world.asked(), answer="no", words=WORDS)
    world.settle()
    world.hook(reopened(at=world.now + A_SECOND))
    world.wait(2 * AN_HOUR)
    world.hook(closed(at=world.now), signed(closed(at=world.now), world.now, delivery="msg_2"))
    assert known(number=2).state is State.SCHEDULED
    world.wait(9 * A_DAY)
    assert [mail.subject for mail in world.mail.to(CUSTOMER)].count("Is ticket 4711 really solved?") == 2


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_trigger_that_fires_because_of_our_note_opens_nothing(
    world: World, desk: Desk, answer: str
) -> None:
    """A trigger without "changed to" reports every update of a solved ticket, our note too, as a closing just now."""
    connected(world, desk, reopen=False)
    link = world.asked()
    for turn in range(4):
        world.press(link, answer=answer, words=WORDS)
        world.wait(30 * A_MINUTE)
        noted = told()[0].ended_at
        assert noted
        body = closed(at=noted + (2 + turn) * A_SECOND)
        page = world.hook(body, signed(body, world.now, delivery=f"echo_{turn}"))
        assert json.loads(page.body)["status"] == "duplicate"
    assert len(tickets.load("acme", "4711").ticket.follow_ups) == 1
    assert len(desk.cases["4711"].notes) == 1
    world.wait(9 * A_DAY)
    assert len(tickets.load("acme", "4711").ticket.follow_ups) == 1


def test_a_closing_that_comes_long_after_our_note_is_news_as_ever(world: World, desk: Desk) -> None:
    connected(world, desk, reopen=False)
    world.press(world.asked(), answer="yes", words="Thanks")
    world.wait(AN_HOUR)
    body = closed(at=world.now)
    page = world.hook(body, signed(body, world.now, delivery="msg_2"))
    assert json.loads(page.body)["status"] == "accepted"
