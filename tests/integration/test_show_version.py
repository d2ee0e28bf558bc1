"""GET and HEAD /v/{token}: the team is asked how it sees a case."""

from adapters import links
from adapters.links import TicketLink
from builders import A_MINUTE, RAVI, TEAM, URL, sample
from world import World


def asked_team(world: World) -> str:
    """The team's link to its page, once Ravi has asked it about a customer's "no"."""
    link = world.asked()
    world.press(link, answer="no", words="Nobody called.")
    world.press(link, answer="no", wish="A call on Friday.")
    world.wait(A_MINUTE)
    flag = world.mail.to(RAVI)[0]
    world.press(flag.link, action="ask_team")
    world.settle()
    (mail,) = world.mail.to(TEAM)
    assert mail.subject == "How do you see it: ticket 4711"
    return mail.link


def test_the_sample_event_shows_the_customers_words_and_room_for_the_teams(world: World) -> None:
    link = asked_team(world)
    event = sample("show_version")
    event["pathParameters"] = {"token": world.token(link)}
    page = world.answered(world.invoke("show_version", event))
    assert page.status == 200
    for fact in ("How do you see it?", "Ravi Menon", "Nobody called.", "A call on Friday.", "Kim Ren"):
        assert fact in page.body, fact
    assert "ana@customer.example" not in page.body


def test_head_and_get_change_nothing(world: World) -> None:
    link = asked_team(world)
    before = world.scan()
    for method in ("GET", "HEAD") * 10:
        assert world.http(method, link).status == 200
    assert world.scan() == before


def test_a_link_for_one_page_opens_no_other(world: World) -> None:
    token = world.token(asked_team(world))
    assert [world.open(f"/{page}/{token}").status for page in "sfcu"] == [404] * 4
    assert world.open(f"/v/{world.token(world.mail.to(RAVI)[0].link)}").status == 404


def test_without_a_flag_there_is_nothing_to_show(world: World) -> None:
    world.asked()
    link = links.version_url(URL, TicketLink("acme", "4711", 1, "ravi"), world.now, world.now)
    assert world.open(link).status == 410
