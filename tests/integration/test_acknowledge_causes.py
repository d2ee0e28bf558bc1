"""POST /c/{token}: the owner acknowledges a cause and may commit to a date."""

from datetime import UTC, date, datetime, timedelta

from adapters import causes, links
from adapters.links import CausesLink
from builders import A_DAY, A_MINUTE, HANNE, RAVI, URL, closed, customer, sample, settings
from world import World


def repeated(world: World, first: int = 0) -> str:
    """The link in the newest notice that a cause keeps coming back."""
    for number in range(first, first + 3):
        world.hook(closed(str(number), world.now, requester=customer(f"c{number}@c.example")))
    world.settle()
    return next(mail.link for mail in reversed(world.mail.to(RAVI)) if "keeps coming back" in mail.subject)


def test_the_sample_event_acknowledges_with_a_date(world: World) -> None:
    event = sample("acknowledge_causes")
    link = repeated(world)
    event["pathParameters"] = {"token": world.token(link)}
    page = world.answered(world.invoke("acknowledge_causes", world.sealed(event, link)))
    assert page.status == 200
    known = causes.load("portal-login")
    assert (known.acknowledged_at, known.committed_to) == (world.now, date(2026, 12, 18))
    assert known.due_at == datetime(2026, 12, 17, 7, tzinfo=UTC), "eight in Berlin, the day before"
    assert known.note == "The link in the reset mail is being replaced."
    assert "18 December 2026" in page.body


def test_what_is_acknowledged_is_not_escalated(world: World) -> None:
    world.press(repeated(world), action="acknowledge", cause="portal-login")
    world.wait(8 * A_DAY)
    assert [mail for mail in world.mail.to(HANNE) if "keeps coming back" in mail.subject] == []


def test_a_date_given_later_is_added_and_the_first_acknowledgement_stays(world: World) -> None:
    link = repeated(world)
    first_at = world.now
    world.press(link, action="acknowledge", cause="portal-login", note="I look at it.")
    world.now += A_DAY
    world.press(link, action="acknowledge", cause="portal-login", committed_to="2026-12-24")
    known = causes.load("portal-login")
    assert (known.acknowledged_at, known.note, known.committed_to) == (
        first_at,
        "I look at it.",
        date(2026, 12, 24),
    )


def test_a_form_that_makes_no_sense_changes_nothing(world: World) -> None:
    link = repeated(world)
    before = world.scan()
    senseless: list[dict[str, str]] = [
        {},
        {"action": "acknowledge"},
        {"action": "acknowledge", "cause": "no-show"},
        {"action": "acknowledge", "cause": "../x"},
        {"action": "acknowledge", "cause": "portal-login", "committed_to": "soon"},
        {"action": "acknowledge", "cause": "portal-login", "committed_to": "2026-11-29"},
    ]
    for form in senseless:
        assert world.press(link, **form).status == 400
        assert world.scan() == before


def test_a_cause_that_comes_back_after_its_window_is_told_anew(world: World) -> None:
    world.apply(settings(repeated_within=timedelta(days=2), rise_compared_with=timedelta(days=7)))
    world.press(repeated(world), action="acknowledge", cause="portal-login", committed_to="2026-12-24")
    world.wait(2 * A_DAY + A_MINUTE)
    world.hook(closed("7", world.now))
    world.settle()
    assert causes.load("portal-login").notices == 1, "what goes on as before is no news"
    world.wait(12 * A_DAY)
    repeated(world, first=10)
    known = causes.load("portal-login")
    assert (known.notices, known.acknowledged_at, known.committed_to) == (2, None, None)
    assert len([mail for mail in world.mail.to(RAVI) if "keeps coming back" in mail.subject]) == 2


def test_while_the_table_is_down_the_note_stays_in_the_form(world: World) -> None:
    link = repeated(world)
    world.fail("TransactWriteItems")
    page = world.press(link, action="acknowledge", cause="portal-login", note="A long thought.")
    assert page.status == 503
    assert "A long thought." in page.body
    assert causes.load("portal-login").acknowledged_at is None


def test_what_could_not_be_taken_stands_in_its_form_again(world: World) -> None:
    link = repeated(world)
    page = world.press(
        link, action="acknowledge", cause="portal-login", committed_to="2026-11-29", note="A long thought."
    )
    assert page.status == 400
    assert ' value="2026-11-29">' in page.body
    assert ">\nA long thought.</textarea>" in page.body
    assert 'name="note" rows="3" maxlength="500"' in page.body


def test_a_link_for_no_cause_shows_a_page_for_no_cause(world: World) -> None:
    link = links.causes_url(URL, CausesLink("ravi", ()), world.now, world.now)
    assert world.open(link).status == 200
    assert world.press(link, action="acknowledge", cause="portal-login").status == 400
