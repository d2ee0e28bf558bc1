"""GET and HEAD /c/{token}: an owner's causes with figures that can be recounted."""

from adapters import causes
from builders import A_DAY, A_MINUTE, AN_HOUR, RAVI, START, closed, customer, sample
from world import World


def repeated(world: World, tickets: int = 4) -> str:
    """The link in the notice that a cause keeps coming back."""
    for number in range(tickets):
        world.hook(closed(str(number), requester=customer(f"c{number % 3}@c.example")))
    world.settle()
    (notice,) = [mail for mail in world.mail.to(RAVI) if "keeps coming back" in mail.subject]
    return notice.link


def test_the_sample_event_shows_the_cause_and_its_figures(world: World) -> None:
    event = sample("show_causes")
    event["pathParameters"] = {"token": world.token(repeated(world))}
    world.press(world.survey_link("1"), answer="no", words="Third time this month!")
    world.press(world.survey_link("2"), answer="yes", words="Not for the owner.")
    world.now += A_MINUTE
    page = world.answered(world.invoke("show_causes", event))
    assert page.status == 200
    marks = list(causes.marks("portal-login", START - A_DAY, world.now))
    assert (len({mark.ticket_id for mark in marks}), len({mark.person for mark in marks})) == (4, 3)
    assert "4 tickets from 3 customers" in page.body
    assert "Third time this month!" in page.body
    assert "Not for the owner." not in page.body


def test_head_and_get_change_nothing(world: World) -> None:
    link = repeated(world)
    before = world.scan()
    for method in ("GET", "HEAD") * 5:
        assert world.http(method, link).status == 200
    world.wait(AN_HOUR)
    assert world.scan() == before
