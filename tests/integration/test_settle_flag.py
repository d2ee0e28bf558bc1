"""POST /f/{token}: acknowledged and settled by a person, once, with what was done."""

import pytest

from adapters import table, tickets
from builders import A_DAY, A_MINUTE, AN_HOUR, HANNE, RAVI, sample
from domain.flag import Flag, Result
from world import World


def flag() -> Flag:
    """The flag of the one ticket."""
    return tickets.load("acme", "4711").flags[1]


def raised(world: World) -> str:
    """The link to a flag that a customer raised by a "no"."""
    world.press(world.asked(), answer="no", words="Not at all.")
    world.wait(A_MINUTE)
    (mail,) = world.mail.to(RAVI)
    return mail.link


def test_the_sample_event_settles_a_flag_with_what_was_done(world: World) -> None:
    event = sample("settle_flag")
    event["pathParameters"] = {"token": world.token(raised(world))}
    page = world.answered(world.invoke("settle_flag", event))
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
