"""GET, HEAD and OPTIONS /hooks/{source}, and challenges that are posted: greeting proves and changes nothing."""

import hmac
import json
from dataclasses import replace

import pytest

from adapters.aws import client
from builders import ACME_SECRET, sample, settings
from domain.settings import Source
from world import World, refusal

GLPI_SECRET = "the secret that GLPI shows"


@pytest.fixture
def greeted(world: World) -> World:
    """A company whose helpdesks ask before they send."""
    known = settings()
    sources = {
        "events": Source(preset="cloudevents", secret="events"),
        "glpi": Source(preset="glpi", secret="glpi"),
        "zoho": Source(preset="zoho-desk", secret="zoho"),
        "front": Source(preset="front", secret="front"),
        "intercom": Source(preset="intercom", secret="intercom"),
    }
    world.apply(replace(known, sources={**known.sources, **sources}))
    kept = {"acme": [ACME_SECRET], "glpi": ["an older one, perhaps", GLPI_SECRET], "front": ["front's key"]}
    client("secretsmanager").put_secret_value(SecretId="HookSecrets", SecretString=json.dumps(kept))
    return world


def signed_by_glpi(text: str) -> str:
    """What GLPI's ``getSignature`` gives."""
    return hmac.digest(GLPI_SECRET.encode(), text.encode(), "sha256").hex()


def test_the_sample_event_gives_a_cloudevents_sender_consent(greeted: World) -> None:
    page = greeted.answered(greeted.invoke("show_hook", sample("show_hook")))
    assert (page.status, page.body) == (200, "")
    assert page.headers["webhook-allowed-origin"] == "events.acme.example"
    assert page.headers["webhook-allowed-rate"] == "*"
    assert page.headers["allow"] == "POST"


def test_consent_is_only_given_to_somebody_with_a_name(greeted: World) -> None:
    for origin in ("", "a b", "a\r\nset-cookie: x", "x" * 300, "<script>"):
        page = greeted.http("OPTIONS", "/hooks/events", headers={"webhook-request-origin": origin})
        assert page.status == 400
        assert "webhook-allowed-origin" not in page.headers


def test_glpi_gets_its_token_signed_once_more(greeted: World) -> None:
    token = signed_by_glpi("validate_cra_challenge")
    page = greeted.http("GET", f"/hooks/glpi?crc_token={token}")
    assert (page.status, page.body) == (200, signed_by_glpi(token))
    assert greeted.log.getvalue().count(token) == 0


def test_nobody_can_have_us_sign_for_them(greeted: World) -> None:
    """The key of the challenge is that of the webhooks: an answer to any other text would be a forger's signature."""
    body = '{"event": "update", "item": {"id": 81, "status": {"id": 6}}}1796029200'
    for token in (
        body,
        "",
        signed_by_glpi(body),
        signed_by_glpi("validate_cra_challenge")[:-1],
        "ü",
        "\ud800",
    ):
        page = greeted.http("GET", "/hooks/glpi?crc_token=" + token.encode("utf-8", "replace").hex())
        assert (page.status, page.body) == (401, "")
        event = sample("show_hook") | {"pathParameters": {"source": "glpi"}}
        event["requestContext"]["http"]["method"] = "GET"
        event["queryStringParameters"] = {"crc_token": token}
        answered = greeted.answered(greeted.invoke("show_hook", event))
        assert (answered.status, answered.body) == (401, "")


def test_zoho_finds_its_address_there(greeted: World) -> None:
    assert greeted.http("GET", "/hooks/zoho").status == 200
    assert greeted.http("HEAD", "/hooks/zoho").status == 200


@pytest.mark.parametrize(
    ("method", "source"),
    [
        ("GET", "acme"),
        ("HEAD", "glpi"),
        ("OPTIONS", "acme"),
        ("OPTIONS", "zoho"),
        ("GET", "events"),
        ("GET", "nobody"),
        ("GET", "front"),
    ],
)
def test_whoever_asks_what_the_helpdesk_never_asks_learns_nothing(
    greeted: World, method: str, source: str
) -> None:
    before = greeted.scan()
    page = greeted.http(method, f"/hooks/{source}", headers={"webhook-request-origin": "x.example"})
    assert (page.status, page.body, page.headers["allow"]) == (405, "", "POST")
    assert greeted.scan() == before


def test_intercom_finds_its_address_there(greeted: World) -> None:
    page = greeted.http("HEAD", "/hooks/intercom")
    assert (page.status, page.body) == (200, "")


def test_without_the_table_the_helpdesk_is_asked_to_come_again(greeted: World) -> None:
    greeted.fail("GetItem", refusal("InternalServerError", 500, "GetItem"))
    page = greeted.http("GET", "/hooks/zoho")
    assert (page.status, page.headers["retry-after"]) == (503, "5")


def test_fronts_challenge_is_given_back_and_is_no_event(greeted: World) -> None:
    before = greeted.scan()
    sync = b'{"type": "sync", "authorization": {"id": "cmp_abc"}}'
    page = greeted.hook(sync, {"x-front-challenge": "4fP9-challenge_x="}, "front")
    assert (page.status, page.body, page.headers["content-type"]) == (200, "4fP9-challenge_x=", "text/plain")
    for body, challenge in (
        (b'{"type": "archive"}', "4fP9"),
        (sync, "<script>"),
        (sync, "x" * 300),
        (sync + b" " * 1100, "4fP9"),
        (b"[", "4fP9"),
        (b"[]", "4fP9"),
        (sync, ""),
    ):
        assert greeted.hook(body, {"x-front-challenge": challenge}, "front").status == 401
    assert greeted.hook(sync, {"x-front-challenge": "4fP9", "webhook-signature": ""}, "acme").status == 401
    assert greeted.scan() == before
