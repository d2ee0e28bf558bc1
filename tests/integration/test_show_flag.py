"""GET and HEAD /f/{token}: the handover summary."""

from adapters import links
from adapters.links import TicketLink
from builders import A_DAY, A_MINUTE, RAVI, URL, customer, sample
from world import World


def test_the_sample_event_shows_what_the_responsible_person_needs(world: World) -> None:
    world.press(world.asked("1"), answer="yes")
    world.wait(7 * A_DAY)
    world.press(world.asked("4711", promise="A call on Friday"), answer="no", words="Nobody called.")
    world.wait(A_MINUTE)
    flag = next(mail for mail in world.mail.to(RAVI) if "4711" in mail.subject)
    event = sample("show_flag")
    event["pathParameters"] = {"token": world.token(flag.link)}
    page = world.answered(world.invoke("show_flag", event))
    assert page.status == 200
    for fact in (
        "The customer says it is not solved",
        "Nobody called.",
        "A call on Friday",
        "ana@customer.example",
        "Kim Ren",
        "Customers could not sign in",
        "https://helpdesk.acme.example/t/4711",
        "confirmed as solved",
        "I will take care of it",
    ):
        assert fact in page.body, fact


def test_head_and_get_change_nothing(world: World) -> None:
    world.press(world.asked(requester=customer("bob@customer.example")), answer="no", words="No.")
    world.wait(A_MINUTE)
    (flag,) = world.mail.to(RAVI)
    before = world.scan()
    for method in ("GET", "HEAD") * 10:
        assert world.http(method, flag.link).status == 200
    assert world.scan() == before


def test_without_a_flag_there_is_nothing_to_show(world: World) -> None:
    world.asked()
    for ticket_id in ("4711", "9999"):
        link = links.flag_url(URL, TicketLink("acme", ticket_id, 1, "ravi"), world.now, world.now)
        assert world.open(link).status == 410
