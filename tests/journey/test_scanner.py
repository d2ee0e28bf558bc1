"""A hostile scanner against the deployed stack: ten thousand requests change nothing that anybody is told or counts.

It opens every link, follows what people never see, forges what a form needs and presses both answers at once; some of
it is a real browser with scripts. It does not wait like a person: nothing could tell such a machine from one.
"""

import http.client
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from desk import Desk, wait
from domain.person import person_key
from place import ROOT, client, record
from up import apply

REQUESTS = 10_000
CONNECTIONS = 8
BROWSER_VISITS = 60
SURVEYS = 12
CAUSE = "meter-reading-late"
RESPONSIBLE = "mia.okafor@acme.example"
TEAM = "tier1@acme.example"
TOO_FAST = 20
"""Seconds; ten times the usual, so that the scanner of a machine that stands still for a moment is too fast, too."""
RULES = {
    "press_after_page": f"{TOO_FAST}s",
    "press_after_mail": "60s",
    # Nothing else is to happen meanwhile.
    "reminder_after": "20m",
    "silent_after": "40m",
    "undelivered_after": "40m",
    "flag_acknowledge_within": "30m",
    "flag_settle_within": "1h",
    "cause_acknowledge_within": "1d",
    "digest_every": "1d",
}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def careful(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The stack with the rules of real life, which the other journeys' people are too quick for."""
    usual = ROOT / "infra/local.yaml"
    changed = yaml.safe_load(usual.read_text("utf-8"))
    changed["policy"] |= RULES
    file: Path = tmp_path_factory.mktemp("settings") / "careful.yaml"
    file.write_text(yaml.safe_dump(changed), "utf-8")

    def follow(settings: Path) -> None:
        apply(settings, desk.stack.aws_endpoint, desk.stack.table, desk.stack.api)
        time.sleep(31)  # so long functions follow the settings they have

    follow(file)
    yield desk
    follow(usual)


@dataclass
class Scanner:
    """One connection that never waits; ``statuses`` counts what it got."""

    links: list[str]
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    _open: http.client.HTTPConnection | None = None

    def ask(self, method: str, link: str, query: str = "", form: dict[str, str] | None = None) -> str:
        """One request; gives the page."""
        parts = urlsplit(link)
        if self._open is None:
            self._open = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        body = urlencode(form) if form else None
        self._open.request(method, f"{parts.path}{query}", body, FORM if form else {})
        answer = self._open.getresponse()
        self.statuses[method, answer.status] += 1
        return answer.read().decode()

    def seal(self, link: str, query: str = "") -> str:
        """What the page puts into its form."""
        return seal_in(self.ask("GET", link, query))

    def press(self, link: str, answer: str, seal: str = "", **more: str) -> str:
        """Send the form."""
        return self.ask("POST", link, form={"answer": answer, "seal": seal, **more})

    def run(self, requests: int) -> None:
        """Go on until so many requests were made, each kind of visit to each survey in turn; then hang up."""
        for number in cycle(range(len(VISITS) * len(self.links))):
            there, other = self.links[number % len(self.links)], self.links[number % len(self.links) - 1]
            VISITS[number // len(self.links)](self, there, other)
            if self.statuses.total() >= requests:
                break
        self.close()

    def close(self) -> None:
        """Hang up."""
        if self._open:
            self._open.close()


def seal_in(page: str) -> str:
    """The seal of a page's form."""
    found = re.search(r'name="seal" value="([^"]+)"', page)
    assert found, page
    return found[1]


def _both_at_once(scanner: Scanner, link: str, _: str) -> None:
    seal = scanner.seal(link)
    for answer in ("yes", "no"):
        page = scanner.press(link, answer, seal)
    if 'name="seal"' in page:
        scanner.press(link, "yes", seal_in(page))


VISITS: list[Callable[[Scanner, str, str], object]] = [
    lambda scanner, link, _: scanner.ask("GET", link),
    lambda scanner, link, _: scanner.ask("HEAD", link),
    lambda scanner, link, _: scanner.ask("GET", link, "?a=yes"),
    lambda scanner, link, _: scanner.ask("HEAD", link, "?a=yes"),
    lambda scanner, link, _: scanner.ask("GET", link, "?a=no"),
    lambda scanner, link, _: scanner.ask("HEAD", link, "?a=no"),
    lambda scanner, link, _: scanner.ask("GET", link, "?a=website"),
    lambda scanner, link, _: scanner.press(link, "yes"),
    lambda scanner, link, _: scanner.press(link, "no", "a.forged.seal"),
    lambda scanner, link, _: scanner.press(link, "yes", scanner.seal(link)),
    lambda scanner, link, _: scanner.press(link, "no", scanner.seal(link, "?a=no"), website="https://a.b"),
    lambda scanner, link, _: scanner.press(link, "yes", scanner.seal(link, "?a=website")),
    lambda scanner, link, other: scanner.press(link, "no", scanner.seal(other)),
    _both_at_once,
]
"""What a scanner does with a link; the last argument is somebody else's survey."""


def scanned_by_browser(browser: Browser, links: list[str]) -> Counter[str]:
    """A real browser with scripts, on every page all forms filled in and all buttons pressed; what pages came of it."""
    context = browser.new_context()
    page, headings = context.new_page(), Counter[str]()
    visits = [(link, query) for query in ("", "?a=yes", "?a=no", "?a=website", "?a=no") for link in links]
    for link, query in visits[:BROWSER_VISITS]:
        page.goto(f"{link}{query}")
        for answer in ("yes", "no"):
            with page.expect_navigation():
                page.evaluate(
                    """answer => {
                        document.querySelector(`[name=answer][value=${answer}]`).checked = true
                        document.querySelector('form button').click()
                    }""",
                    answer,
                )
            headings[page.title()] += 1
            if page.locator("[name=seal]").count() == 0:
                break
    context.close()
    return headings


def answered_by_person(page: Page, link: str, choice: str) -> None:
    """Somebody who presses too fast, reads why, and presses once more."""
    page.goto(f"{link}?a={choice}")
    page.get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("Please press once more")
    page.wait_for_timeout((TOO_FAST + 1) * 1000)
    page.get_by_role("button").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thank you")


def everything(desk: Desk, names: list[str]) -> dict[tuple[str, str], Any]:
    """All that is stored about these tickets, their customers and their cause, but for presses that do not count."""
    scopes = [f"TICKET#standard-webhooks#{desk.ticket(name)}" for name in names]
    scopes += [f"PERSON#{person_key(desk.address(name))}" for name in names]
    stored: dict[tuple[str, str], Any] = {}
    for scope in (*scopes, f"CAUSE#{CAUSE}"):
        found = client("dynamodb", desk.stack.aws_endpoint).query(
            TableName=desk.stack.table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": scope}},
            ConsistentRead=True,
        )
        for item in found["Items"]:
            said = record(item)
            said.pop("suspects", None)
            stored[scope, item["sk"]["S"]] = said
    return stored


def at_rest(desk: Desk, names: list[str]) -> dict[tuple[str, str], Any]:
    """Everything, once nothing of it has changed for a while."""
    seen = [everything(desk, names)]

    def unchanged() -> bool:
        time.sleep(6)
        seen.append(everything(desk, names))
        return seen[-1] == seen[-2]

    wait(unchanged, "everything to be done")
    return seen[-1]


def test_ten_thousand_requests_of_a_hostile_scanner_change_nothing_and_a_person_is_still_heard(
    careful: Desk, browser: Browser, phone: Page
) -> None:
    desk = careful
    names = [f"scanned{number}" for number in range(SURVEYS)]
    for name in names:
        assert desk.post(desk.close(name, root_cause=CAUSE)) == (202, "accepted")
    surveys = [desk.wait_for_mail(desk.address(name)) for name in names]
    links = [survey.link("s") for survey in surveys]
    answered_by_person(phone, links[0], "yes")
    answered_by_person(phone, links[1], "no")
    flag = desk.wait_for_mail(RESPONSIBLE, f"Not solved: ticket {desk.ticket(names[1])}")
    desk.wait_for_mail(TEAM, desk.ticket(names[0]))
    owner = desk.wait_for_mail(RESPONSIBLE, "The meter reading came too late")
    wait(
        lambda: all("delivered_at" in desk.items(n)["FOLLOW_UP#0001"]["survey"] for n in names), "deliveries"
    )
    stored = at_rest(desk, names)
    told = desk.mails(None, f"{desk.run}-scanned")
    assert {said["state"] for said in stored.values() if "state" in said} >= {"asked", "confirmed", "denied"}

    others = [flag.link("f"), owner.link("c"), surveys[2].link("u"), f"{surveys[2].link('u')}?surveys=none"]
    scanners = [
        Scanner(links[number % SURVEYS :] + links[: number % SURVEYS]) for number in range(CONNECTIONS)
    ]
    for method in ("GET", "HEAD") * 10:
        for link in others:
            scanners[0].ask(method, link.partition("?")[0], link[len(link.partition("?")[0]) :])
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        running = [pool.submit(each.run, REQUESTS // CONNECTIONS + 1) for each in scanners]
    for done in running:
        done.result()
    made = sum((each.statuses for each in scanners), Counter[tuple[str, int]]())
    assert made.total() >= REQUESTS
    assert {status for _, status in made} == {200}
    assert min(made[method, 200] for method in ("GET", "HEAD", "POST")) > REQUESTS / 10
    pages = scanned_by_browser(browser, links)
    assert pages["Is it really solved?"] > BROWSER_VISITS

    time.sleep(5)
    assert everything(desk, names) == stored
    assert desk.mails(None, f"{desk.run}-scanned") == told
    for name in names:
        suspects = desk.items(name)["FOLLOW_UP#0001"]["suspects"]
        assert 1 <= len(suspects) <= 10
    # Whoever contradicts a press of a moment ago is asked once more: the scanner has to be gone for that long.
    phone.wait_for_timeout(15_000)
    answered_by_person(phone, links[2], "no")
    desk.wait_for_state(names[2], "denied")
    desk.wait_for_mail(RESPONSIBLE, f"Not solved: ticket {desk.ticket(names[2])}")
