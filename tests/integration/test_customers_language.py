"""What a helpdesk says about a customer’s language and clock is what they read, from the mail to the last page."""

import re

import pytest

from builders import A_DAY, CUSTOMER, closed, customer, reopened
from world import World


@pytest.mark.parametrize(
    ("locale", "tag", "direction", "subject", "recorded"),
    [
        ("de-AT", "de", "ltr", "Ist Ticket 4711 wirklich gelöst?", "Danke. Es ist noch nicht gelöst."),
        (
            "pt-PT",
            "pt-BR",
            "ltr",
            "O chamado 4711 está mesmo resolvido?",
            "Agradecemos. Ainda não está resolvido.",
        ),
        ("ar-EG", "ar", "rtl", "هل حُلَّت التذكرة 4711 فعلًا؟", "شكرًا لكم. لم يُحَلّ الأمر بعد."),
        ("zh-CN", "zh-Hans", "ltr", "工单 4711 真的解决了吗？", "谢谢您。问题还没有解决。"),
        ("tlh", "en", "ltr", "Is ticket 4711 really solved?", "Thank you. It is not solved yet."),
        (None, "en", "ltr", "Is ticket 4711 really solved?", "Thank you. It is not solved yet."),
    ],
)
def test_mail_and_pages_are_in_the_customers_language(
    world: World, locale: str | None, tag: str, direction: str, subject: str, recorded: str
) -> None:
    world.hook(closed(requester=customer(CUSTOMER, locale=locale)))
    world.wait(A_DAY)
    (mail,) = world.mail.to(CUSTOMER)
    assert mail.subject == subject
    page = world.open(f"{mail.link}?a=no")
    answered = world.press(mail.link, answer="no")
    assert recorded in answered.body
    for html in (mail.html, page.body, answered.body):
        assert f'<html lang="{tag}" dir="{direction}">' in html


def test_a_reopened_ticket_and_a_form_without_an_answer_are_explained_in_it_too(world: World) -> None:
    world.hook(closed(requester=customer(CUSTOMER, locale="ja")))
    world.wait(A_DAY)
    (mail,) = world.mail.to(CUSTOMER)
    unanswered = world.press(mail.link)
    assert (unanswered.status, "どちらか一方をお選びください。" in unanswered.body) == (400, True)
    world.hook(reopened(at=world.now))
    shown, pressed = world.open(mail.link), world.press(mail.link, answer="yes")
    for page in (shown, pressed):
        assert (page.status, "お問い合わせは再び対応中です" in page.body) == (409, True)
    world.press(mail.preferences, surveys="all", language="de")
    chosen = world.open(mail.link)
    assert (chosen.status, '<html lang="de"' in chosen.body) == (409, True)


def test_the_hour_is_the_customers_and_is_left_out_when_nobody_knows_their_clock(world: World) -> None:
    world.hook(closed(requester=customer(CUSTOMER, locale="de", timezone="Asia/Tokyo")))
    world.hook(closed("4712", requester=customer("b@customer.example", locale="de", timezone=None)))
    world.wait(2 * A_DAY)
    links = {mail.to: mail.link for mail in world.mail.sent if "/s/" in mail.link}
    pressed = {to: world.press(link, answer="no").body for to, link in links.items()}
    by = r"kümmert sich bis \w+, \d+\. \w+ 2026(, \d\d:\d\d)? darum"
    known, unknown = (re.search(by, pressed[to]) for to in (CUSTOMER, "b@customer.example"))
    assert known
    assert known[1]
    assert unknown
    assert unknown[1] is None
