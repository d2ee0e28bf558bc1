"""GET /c/{token}/{cause}: one cause, with everything that was and can be done."""

from adapters import links
from builders import A_DAY, A_MINUTE, RAVI, URL, closed, customer, sample
from integration.test_act_on_cause import CODE, cause_link, declare, form_of, noticed
from world import World


def test_the_sample_event_shows_what_a_notice_was_about(world: World) -> None:
    link = noticed(world)
    world.now += A_MINUTE
    event = sample("show_cause")
    event["pathParameters"]["token"] = link.split("/")[-2]
    page = world.answered(world.invoke("show_cause", event))
    assert page.status == 200
    assert "3 tickets from 3 customers" in page.body
    assert "in the last 30 days" in page.body
    assert "Ticket 2" in page.body
    for action in ("acknowledge", "declare", "known", "reassign", "merge", "move"):
        assert f'name="action" value="{action}"' in page.body


def test_a_bad_link_and_an_unknown_cause_are_the_same_page(world: World) -> None:
    link = noticed(world)
    for address in (f"{URL}/c/nonsense/{CODE}", f"{link}x", link.replace(CODE, "..")):
        assert world.open(address).status == 404
    world.now += 401 * A_DAY
    assert world.open(link).status == 404


def test_the_mail_leads_to_the_page_and_the_page_of_several_does_too(world: World) -> None:
    link = noticed(world)
    assert world.open(link).status == 200
    overview = world.open(link.rpartition("/")[0])
    assert f'/{CODE}">Declare a fix' in overview.body
    assert cause_link(world, RAVI) == link


def test_a_preview_is_in_each_language_that_would_be_used(world: World) -> None:
    for number, locale in enumerate(("de-AT", "de", "ja")):
        requester = customer(f"l{number}@c.example", locale=locale)
        world.hook(closed(str(number), world.now, requester=requester))
    world.settle()
    page = declare(world, cause_link(world, RAVI))
    assert "Deutsch: 2 people" in page.body
    assert "日本語: 1 person" in page.body
    assert "Wir haben die Ursache Ihres Problems beseitigt" in page.body
    assert "問題の原因を取り除きました" in page.body
    assert page.body.count("The link ended too early.") >= 2


def test_many_deeds_stand_on_several_pages(world: World) -> None:
    link = noticed(world)
    for number in range(25):
        world.now += A_DAY / 24
        world.press(link, action="acknowledge", note=f"note {number:02d}.")
    page = world.open(link)
    assert page.body.count("Ravi Menon acknowledged it") == 20
    assert "note 24." in page.body
    assert "note 03." not in page.body
    older = world.open(f"{link}?before={_older(page.body)}")
    assert older.body.count("Ravi Menon acknowledged it") == 5
    assert "note 03." in older.body


def test_older_deeds_follow_also_after_many_moved_tickets(world: World) -> None:
    link = noticed(world, people=21)
    world.press(link, action="acknowledge", note="The first.")
    world.now += A_MINUTE
    page = world.open(link)
    tickets = {f"ticket-{number}": f"acme|{number}" for number in range(1, 21)}
    form = {"form": form_of(page), "into": "no-show"}
    assert world.press(link, action="move", **form, **tickets).status == 200
    older = world.open(f"{link}?before={_older(world.open(link).body)}")
    assert "The first." in older.body.partition('id="deeds"')[2]
    assert _older(older.body) == ""


def test_what_is_part_of_its_parts_is_not_offered(world: World) -> None:
    link = noticed(world)
    for part, into in (("no-show", "meter-late"), ("meter-late", CODE)):
        page = links.cause_url(URL, "hanne", part, world.now, world.now)
        assert world.press(page, action="merge", into=into).status == 200
    assert '<option value="no-show"' not in world.open(link).body


def test_a_draft_of_a_cause_that_was_merged_can_only_be_cancelled(world: World) -> None:
    link = noticed(world)
    declare(world, link)
    assert world.press(link, action="merge", into="meter-late").status == 200
    body = world.open(link).body
    assert 'name="action" value="confirm"' not in body
    assert 'name="action" value="cancel"' in body


def _older(body: str) -> str:
    return body.partition('href="?before=')[2].partition('"')[0]


def test_the_page_of_a_cause_that_nobody_has_touched(world: World) -> None:
    link = links.cause_url(URL, "ravi", "meter-late", world.now, world.now)
    page = world.open(link)
    assert page.status == 200
    assert "0 tickets from 0 customers" in page.body
    assert "Nothing yet." in page.body
