"""docs/helpdesks/your-own.md, followed word by word: a helpdesk that nobody knew, by settings alone."""

import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

import apply_settings
import set_secret
import settings_file
from adapters import quarantine, tickets
from builders import URL
from domain.follow_up import State
from world import TABLE, World

PAGE = (Path(__file__).parents[2] / "docs" / "helpdesks" / "your-own.md").read_text("utf-8")
SAMPLE = Path(__file__).parents[1] / "fixtures" / "payloads" / "osticket" / "plugin_webhook-from-docs.json"
SETTINGS = """\
company: {name: Acme, sender: followthrough@acme.example}
contacts:
  mia: {name: Mia, email: mia@acme.example}
responsible: mia
teams: {}
causes: {}
"""


def blocks(language: str) -> list[str]:
    """What the page shows in one language, in order."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)


@pytest.fixture
def followed(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A company that did what steps two and three say."""
    world.now = datetime(2026, 3, 2, 9, 20, tzinfo=UTC)
    file = tmp_path / "my-settings.yaml"
    file.write_text(SETTINGS + blocks("yaml")[0])
    assert blocks("sh")[0].splitlines() == [
        "make settings FILE=my-settings.yaml",
        "make secret SOURCE=osticket",
    ]
    assert apply_settings.main([str(file), "--table", TABLE, "--public-url", URL]) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SECRET}\n"))
    assert set_secret.main(["osticket", "--secret-id", "HookSecrets"]) == 0
    return world


found = re.search(r"the word `([^`]+)` in the header `([^`]+)`", PAGE)
assert found
SECRET, HEADER = found[1], found[2].lower()


def test_the_body_on_the_page_is_the_sample() -> None:
    assert json.loads(blocks("json")[0]) == json.loads(SAMPLE.read_text("utf-8"))


def test_what_the_page_says_happens(followed: World) -> None:
    body = blocks("json")[0].encode()
    page = followed.hook(body, {HEADER: SECRET}, "osticket")
    assert (page.status, page.body) == (202, '{"status": "accepted"}')
    assert page.body in PAGE
    (known,) = tickets.load("osticket", "471101").ticket.follow_ups
    assert known.state is State.SCHEDULED
    assert known.closure.closed_at == datetime(2026, 3, 2, 9, 15, 42, tzinfo=UTC)
    assert (known.closure.requester_email, known.closure.subject) == ("ana@example.com", "Cannot log in")
    assert (known.closure.resolver_name, known.closure.team) == ("Kim Ren", "Tier 1")
    assert "duplicate" in followed.hook(body, {HEADER: SECRET}, "osticket").body


def test_whoever_does_not_know_the_secret_is_refused(followed: World) -> None:
    before = followed.scan()
    for headers in ({}, {HEADER: ""}, {HEADER: SECRET[:-1]}, {"authorization": SECRET}):
        assert followed.hook(blocks("json")[0].encode(), headers, "osticket").status == 401
    assert followed.scan() == before


def test_what_it_means_besides(followed: World) -> None:
    body = json.loads(blocks("json")[0])
    for change, outcome in (
        ({"event": "ticket.reopened", "status": "open", "reopened": "2026-03-02 09:18:00"}, "reopened"),
        ({"event": "ticket.assigned"}, "ignored"),
        ({"status": "waiting"}, "quarantined"),
        ({"event": None}, "quarantined"),
    ):
        answer = followed.hook(json.dumps(body | change).encode(), {HEADER: SECRET}, "osticket")
        assert (answer.status, json.loads(answer.body)["status"]) == (202, outcome)
    assert {kept.reason for kept in quarantine.listed()} == {
        "status is not known",
        "body matches no shape of the preset",
    }


def test_every_key_of_the_language_is_explained() -> None:
    for name in ("mapping", "verify"):
        text = (Path(__file__).parents[2] / "functions" / "helpdesks" / f"{name}.py").read_text("utf-8")
        for key in re.findall(r'table\.\w+\("(\w+)"', text) + re.findall(
            r'(?:body|whole)\.\w+\(\s*"(\w+)"', text
        ):
            assert key in PAGE, key


def test_the_other_settings_on_the_page_are_good_as_well() -> None:
    text = SETTINGS + "sources:\n" + blocks("yaml")[1]
    assert settings_file.check(text.encode(), settings_file.presets())[1] == []
