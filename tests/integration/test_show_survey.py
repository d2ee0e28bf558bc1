"""GET and HEAD /s/{token}: what scanners open, forgers try, and nobody changes. Rows P1, P4, P9, P10 of the faults."""

import base64
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from adapters import links, settings_store, tickets
from adapters.aws import client
from adapters.links import CausesLink, TicketLink
from builders import A_DAY, URL, closed, customer, reopened, sample, signed
from world import LINK_KEY, Page, World, refusal

PAGES = ("/s/", "/f/", "/c/", "/u/")


def assert_strict(page: Page) -> None:
    """Every page of every status says the same to browsers."""
    headers = page.headers
    nonce = re.search(r"style-src 'nonce-([^']+)'", headers["content-security-policy"])
    assert nonce
    assert headers["content-security-policy"].rstrip(";") == (
        f"default-src 'none'; style-src 'nonce-{nonce[1]}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    assert re.findall(r"<style[^>]*>", page.body) == [f'<style nonce="{nonce[1]}">']
    assert int(re.findall(r"max-age=(\d+)", headers["strict-transport-security"])[0]) >= 31_536_000
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "noindex" in headers["x-robots-tag"]
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "permissions-policy" in headers
    assert "set-cookie" not in headers
    assert "<script" not in page.body.lower()
    assert not re.findall(r"<(?:img|link|iframe|base)|<[^>'\"]* src=|url\(|@import", page.body)


def test_the_sample_event_shows_the_question_with_the_answer_of_the_button(world: World) -> None:
    event = sample("show_survey")
    event["pathParameters"] = {"token": world.token(world.asked())}
    page = world.answered(world.invoke("show_survey", event))
    assert page.status == 200
    assert re.findall(r'value="(\w+)" required checked', page.body) == ["yes"]


def test_p1_a_hundred_scanners_change_nothing(world: World) -> None:
    survey = world.asked()
    world.press(world.survey_link(), answer="no")
    for number in range(2):
        world.hook(closed(str(number), requester=customer(f"c{number}@c.example")))
    world.wait(A_DAY / 24)
    flag = next(mail.link for mail in world.mail.sent if "Not solved" in mail.subject)
    causes = next(mail.link for mail in world.mail.sent if "keeps coming back" in mail.subject)
    preferences = world.mail.sent[0].preferences
    before = world.scan()
    for number in range(100):
        method = "HEAD" if number % 2 else "GET"
        link = (survey, flag, causes, preferences)[number // 2 % 4]
        answer = "yes" if number % 4 else "no"
        assert world.http(method, f"{link}?a={answer}&surveys=none").status == 200
    world.settle()
    assert world.scan() == before


def test_p4_a_link_that_is_not_right_is_not_found_and_says_no_more(world: World) -> None:
    link = world.asked()
    token = world.token(link)
    of_a_flag = links.flag_url(URL, TicketLink("acme", "4711", 1, "ravi"), world.now, world.now)
    of_causes = links.causes_url(URL, CausesLink("ravi", ("portal-login",)), world.now, world.now)
    payload, _, signature = token.rpartition(".")
    broken = [
        "x", "...", "é", "a" * 5000, token[:-2], payload, f"{payload}.{signature[::-1]}", f"A{token}",
        f"{world.token(world.survey_link('9999'))[:-4]}AAAA", world.token(of_a_flag), world.token(of_causes),
    ]  # fmt: skip
    pages = [world.open(f"/s/{wrong}") for wrong in broken]
    world.now += 401 * A_DAY
    pages.append(world.open(link))
    nonces = [re.findall(r'nonce="(\w+)"', page.body)[0] for page in pages]
    assert {page.status for page in pages} == {404}
    assert len({page.body.replace(nonce, "") for page, nonce in zip(pages, nonces, strict=True)}) == 1


@pytest.mark.parametrize(
    ("at", "other"), [("/f/", "survey"), ("/c/", "survey"), ("/f/", "causes"), ("/c/", "flag")]
)
def test_p4_a_link_opens_only_the_page_it_is_for(world: World, at: str, other: str) -> None:
    ticket = TicketLink("acme", "4711", 1, "ravi")
    link = {
        "survey": links.survey_url(URL, ticket, world.now, world.now),
        "flag": links.flag_url(URL, ticket, world.now, world.now),
        "causes": links.causes_url(URL, CausesLink("ravi", ("portal-login",)), world.now, world.now),
    }[other]
    assert world.open(at + world.token(link)).status == 404
    assert world.press(at + world.token(link), action="acknowledge").status == 404


def test_p4_what_a_link_is_for_is_part_of_its_signature(world: World) -> None:
    link = world.asked()
    content: list[object] = ["acme", "4711", 1]
    for purpose, status in (("survey", 200), ("flag", 404), ("causes", 404)):
        token = links._sign(purpose, content, world.now, world.now)
        assert world.open(f"/s/{token}").status == status
    assert world.open(link).status == 200


def test_p4_a_retired_key_still_opens_and_a_forgotten_one_does_not(world: World) -> None:
    link = world.asked()
    rotate(world, '{"current": "the new key", "retired": ["%s"]}' % LINK_KEY)  # noqa: UP031 - the braces are JSON's
    assert world.open(link).status == 200
    rotate(world, '{"current": "the new key", "retired": []}')
    assert world.open(link).status == 404


def rotate(world: World, secret: str) -> None:
    """The keys that sign links change, and two minutes pass."""
    client("secretsmanager").put_secret_value(SecretId="LinkKeys", SecretString=secret)
    world.now += A_DAY / 720


def test_p7_a_reopened_ticket_says_so_and_one_that_is_gone_too(world: World) -> None:
    link = world.asked()
    assert world.open(world.survey_link("9999")).status == 410
    world.hook(reopened(at=world.now))
    shown = world.open(link)
    assert (shown.status, "Somebody is working on it" in shown.body) == (409, True)


def test_a_ticket_that_was_opened_and_closed_again_does_not_say_that_somebody_works_on_it(
    world: World,
) -> None:
    link = world.asked()
    world.hook(reopened(at=world.now))
    world.wait(A_DAY)
    world.hook(closed(at=world.now))
    for page in (world.open(link), world.press(link, answer="yes")):
        assert (page.status, "It was closed again since then" in page.body) == (409, True)
    world.wait(A_DAY)
    world.hook(reopened(at=world.now))
    assert "Somebody is working on it" in world.open(link).body


def test_p9_nothing_of_the_ticket_becomes_markup(world: World) -> None:
    evil = '"><script>alert(1)</script><img src=x onerror=alert(1)> {{7*7}}'
    who = customer("ana@customer.example") | {"name": evil}
    link = world.asked(subject=evil, requester=who, promise=evil, assignee={"name": evil})
    for page in (
        world.open(f"{link}?a=%22%3E%3Cscript%3E"),
        world.open("/s/%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E"),
        world.press(link, answer='"><script>'),
        world.press(link, answer="yes", words=evil),
        world.press(link, answer="no", words=evil),
    ):
        assert_strict(page)
        assert "<img" not in page.body
    world.wait(A_DAY / 24)
    flag = next(mail.link for mail in world.mail.sent if "Not solved" in mail.subject)
    shown = world.open(flag)
    assert_strict(shown)
    assert "&lt;script&gt;" in shown.body
    assert "{{7*7}}" in shown.body


def test_p10_every_page_of_every_status_has_strict_headers(world: World) -> None:
    link = world.asked()
    flag = links.flag_url(URL, TicketLink("acme", "4711", 1, "ravi"), world.now, world.now)
    causes = links.causes_url(URL, CausesLink("ravi", ("portal-login",)), world.now, world.now)
    preferences = world.mail.sent[0].preferences
    seen: set[int] = set()
    for url in (link, flag, causes, preferences, *(f"{path}nonsense" for path in PAGES)):
        for fault in (None, "GetItem", "Query", "GetSecretValue"):
            if fault:
                world.fail(fault, refusal("InternalServerError", 500, fault), times=99)
            for page in requests(world, url):
                assert_strict(page)
                seen.add(page.status)
            world.faults.clear()
    assert seen == {200, 400, 404, 410, 413, 415, 503}


def requests(world: World, url: str) -> Iterator[Page]:
    """What can be asked of a page, each time by a process that knows nothing yet."""
    settings_store.forget()
    yield world.open(url)
    settings_store.forget()
    yield world.press(url, answer="yes", action="acknowledge", cause="portal-login")
    settings_store.forget()
    yield world.press(url, words="x" * 70_000)
    yield world.http("POST", url, "{}", {"content-type": "application/json"})


def test_p11_a_link_names_nobody_and_whoever_previews_it_sees_nothing_of_the_ticket(world: World) -> None:
    said: dict[str, Any] = {
        "subject": "zqsubject",
        "promise": "zqpromise",
        "requester": {"name": "zqname", "email": "zqaddress@customer.example"},
        "assignee": {"name": "zqresolver", "email": "zqresolver@acme.example"},
    }
    world.press(world.asked(**said), answer="no", words="zqwords", wish="zqwish")
    for number in range(3):
        world.hook(closed(str(number), requester=customer(f"zqaddress{number}@c.example")))
    world.wait(A_DAY / 24)
    urls = {url for mail in world.mail.sent for url in re.findall(rf"{URL}/[sfcu]/[\w.?=-]+", mail.text)}
    assert {url.removeprefix(URL)[:3] for url in urls} == set(PAGES)
    for url in urls:
        content = urlsplit(url).path.split("/")[2].split(".")[0]
        plain = base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)).decode()
        assert "zq" not in url + plain
        assert "@" not in plain
        page = world.open(url)
        assert page.headers["referrer-policy"] == "no-referrer"
        assert "noindex" in page.headers["x-robots-tag"]
        (title,) = re.findall(r"<title>(.*?)</title>", page.body)
        described = re.findall(r"<meta[^>]*(?:property|description|og:|twitter:)[^>]*>", page.body)
        assert ("zq" in title, described) == (False, [])


def test_p14_guesses_are_refused_before_anything_is_looked_up_and_are_counted(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    link = world.asked()
    before, token = world.scan(), world.token(link)
    world.open("/s/x")  # by now settings and keys are known
    capsys.readouterr()
    for operation in ("GetItem", "Query", "BatchGetItem"):
        world.fail(operation, times=9999)
    for number in range(250):
        guess = f"{token[: -(number % 40) - 2]}{number:x}"
        for path in PAGES:
            assert world.open(f"{path}{guess}").status == 404
    assert world.press(f"/s/{token[:-3]}", answer="yes").status == 404
    counted = re.findall(r'"LinkRefused":\[(\d+)', capsys.readouterr().out)
    assert sum(map(int, counted)) == 250 * len(PAGES) + 2, "the form was looked for as well"
    world.faults.clear()
    assert world.scan() == before


def test_p13_other_methods_have_no_route(world: World) -> None:
    link = world.asked()
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        assert world.http(method, link).status == 404
    assert tickets.load("acme", "4711").ticket.follow_ups[0].answers == ()


def test_p17_links_are_built_from_the_settings_only(world: World) -> None:
    body = closed()
    headers = {**signed(body, world.now), "host": "evil.example", "x-forwarded-host": "evil.example"}
    world.http("POST", "/hooks/acme", body.decode(), headers)
    world.wait(A_DAY + A_DAY / 1440)
    (mail,) = world.mail.sent
    assert mail.link.startswith(f"{URL}/s/")
    assert "evil.example" not in mail.text + mail.html
