"""GET /g/{token}: the question whether it is gone."""

from builders import A_DAY, URL, sample
from integration.test_act_on_cause import fixed, question
from world import World


def test_the_sample_event_asks_with_the_answer_of_the_button_chosen(world: World) -> None:
    fixed(world)
    event = sample("show_fix")
    event["pathParameters"]["token"] = world.token(question(world, "c0@c.example"))
    event["queryStringParameters"] = {"a": "no"}
    page = world.answered(world.invoke("show_fix", event))
    assert page.status == 200
    assert 'value="no" required checked' in page.body
    assert "The link ended too early." in page.body
    assert "It holds for a day now." in page.body


def test_an_odd_answer_in_the_link_chooses_nothing(world: World) -> None:
    fixed(world)
    link = question(world, "c0@c.example")
    for query in ("", "?a=", "?a=maybe", "?a=<b>"):
        page = world.open(f"{link}{query}")
        assert page.status == 200
        assert "required checked" not in page.body


def test_a_bad_link_opens_nothing_and_one_purpose_is_not_another(world: World) -> None:
    fixed(world)
    link = question(world, "c0@c.example")
    assert world.open(f"{link[:-4]}aaaa").status == 404
    survey = world.survey_link("0")
    assert world.open(f"{URL}/g/{world.token(survey)}").status == 404
    world.now += 401 * A_DAY
    assert world.open(link).status == 404


def test_the_page_speaks_the_language_that_the_customer_chose(world: World) -> None:
    fixed(world)
    mail = next(m for m in world.mail.to("c0@c.example") if "/g/" in m.text)
    world.press(mail.preferences, surveys="all", language="ar")
    page = world.open(question(world, "c0@c.example"))
    assert 'dir="rtl"' in page.body
    assert "هل اختفت المشكلة لديكم؟" in page.body
