"""POST /g/{token}: a customer says whether it is gone."""

import pytest

from adapters import outbox, tellings
from builders import A_MINUTE, A_SECOND, sample, settings
from domain.person import person_key
from domain.telling import Said
from integration.test_act_on_cause import CODE, fixed, question
from world import World

WHO = "c0@c.example"


def said(address: str = WHO) -> Said | None:
    """What somebody answered."""
    told = tellings.load(CODE, 1)
    assert told
    return tellings.load_said(told.scope, person_key(address))


def test_the_sample_event_records_the_answer_and_the_words(world: World) -> None:
    fixed(world)
    event = sample("answer_fix")
    link = question(world, WHO)
    event["pathParameters"]["token"] = world.token(link)
    page = world.answered(world.invoke("answer_fix", world.sealed(event, link)))
    assert page.status == 200
    assert "Thank you, your answer is recorded." in page.body
    known = said()
    assert known
    assert (known.gone, known.words, known.at) == (True, "It works at last.", world.now)


def test_the_last_answer_counts_and_the_same_again_changes_nothing(world: World) -> None:
    fixed(world)
    link = question(world, WHO)
    world.press(link, answer="yes", words="Fine.")
    before = world.scan()
    world.now += A_MINUTE
    world.press(link, answer="yes")
    assert world.scan() == before
    page = world.press(link, answer="no")
    assert "We look at it again." in page.body
    known = said()
    assert known
    assert (known.gone, known.words) == (False, None), "the words belonged to the other answer"


def test_each_customer_has_an_answer_of_their_own(world: World) -> None:
    fixed(world)
    world.press(question(world, WHO), answer="yes")
    world.press(question(world, "c1@c.example"), answer="no")
    told = tellings.load(CODE, 1)
    assert told
    reached = tellings.reached(told)
    assert (reached.told, reached.gone, reached.not_gone) == (3, 1, 1)


@pytest.mark.parametrize("form", [{}, {"answer": ""}, {"answer": "maybe"}, {"words": "only words"}])
def test_a_form_without_an_answer_comes_back(world: World, form: dict[str, str]) -> None:
    fixed(world)
    page = world.press(question(world, WHO), **form)
    assert page.status == 400
    assert "Please choose one of the two answers." in page.body
    assert said() is None


def test_a_machine_that_fills_in_every_field_says_nothing(world: World) -> None:
    fixed(world)
    page = world.press(question(world, WHO), answer="yes", website="https://example.com")
    assert page.status == 200
    assert "recorded" not in page.body.replace("Nothing is recorded", "")
    assert said() is None


def test_two_at_the_same_time_are_decided_one_after_the_other(world: World) -> None:
    fixed(world)
    link = question(world, WHO)
    world.press(link, answer="yes")
    world.fail("TransactWriteItems", times=1, after=True)
    assert world.press(link, answer="no").status in {200, 503}
    assert world.press(link, answer="no").status == 200
    known = said()
    assert known
    assert known.gone is False


@pytest.mark.parametrize(("answer", "operation"), [("yes", "PutItem"), ("no", "TransactWriteItems")])
def test_while_the_table_is_down_the_words_stay_in_the_form(
    world: World, answer: str, operation: str
) -> None:
    fixed(world)
    link = question(world, WHO)
    world.fail(operation)
    page = world.press(link, answer=answer, words="A long thought.")
    assert page.status == 503
    assert "A long thought." in page.body
    assert said() is None


# --- presses that look like a machine's ------------------------------------------------------------------------------


def scanned(world: World) -> str:
    """The question's link, a few seconds after its mail; the company takes care of machines."""
    fixed(world)
    world.apply(settings(press_after_page=2 * A_SECOND, press_after_mail=A_MINUTE))
    told = tellings.load(CODE, 1)
    assert told
    message = outbox.load(told.scope, person_key(WHO))
    assert message and message.delivery and message.delivery.sent_at
    world.now = message.delivery.sent_at + 3 * A_SECOND
    return question(world, WHO)


def test_a_scanner_that_opens_and_presses_everything_within_seconds_says_nothing(world: World) -> None:
    link = scanned(world)
    before = world.scan()
    for shown in (link, f"{link}?a=yes", f"{link}?a=no", f"{link}?a=website"):
        seal = world.seal(world.open(shown)) or ""
        for answer in ("yes", "no"):
            page = world.press(link, answer=answer, seal=seal)
            assert (page.status, "Please press once more." in page.body) == (200, True)
            assert (
                "Please press once more."
                in world.press(link, answer=answer, seal=world.seal(page) or "").body
            )
        world.now += A_SECOND
    assert "Please press once more." in world.press(link, answer="yes", seal="").body
    assert world.scan() == before


def test_a_person_who_is_suspected_presses_once_more_and_keeps_their_words(world: World) -> None:
    link = scanned(world)
    page = world.press(link, answer="no", words="It came back.")
    assert "Please press once more." in page.body
    assert "It came back." in page.body
    world.now += 3 * A_SECOND
    world.press(link, answer="no", words="It came back.", seal=world.seal(page) or "")
    known = said()
    assert known
    assert (known.gone, known.words) == (False, "It came back.")


def test_the_opposite_within_seconds_is_no_change_of_mind(world: World) -> None:
    link = scanned(world)
    world.now += A_MINUTE
    seal = world.seal(world.open(link)) or ""
    world.now += 3 * A_SECOND
    world.press(link, answer="yes", seal=seal)
    world.now += A_SECOND
    assert "Please press once more." in world.press(link, answer="no", seal=seal).body
    known = said()
    assert known
    assert known.gone


@pytest.mark.parametrize("trap", ["hidden link", "hidden field"])
def test_what_only_machines_touch_counts_for_nothing_at_any_time(world: World, trap: str) -> None:
    link = scanned(world)
    world.now += A_MINUTE
    seal = world.seal(world.open(f"{link}?a=website" if trap == "hidden link" else link)) or ""
    world.now += A_MINUTE
    form = {"website": "https://spam.example"} if trap == "hidden field" else {}
    assert "Please press once more." in world.press(link, answer="yes", seal=seal, **form).body
    assert said() is None
