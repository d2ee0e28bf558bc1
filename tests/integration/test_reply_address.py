"""The signed addresses for replies: they fit, survive mail servers, and cannot be made up."""

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters import links, reply_address, secret_store
from adapters.aws import client
from adapters.links import BadLink, TicketLink
from builders import REPLY_DOMAIN
from domain.address import parse_address
from world import LINK_KEY, World

SOURCES = ("zendesk", "acme", "standard-webhooks")


def made(world: World, ticket_id: str = "4711", number: int = 1, source: str = "acme") -> str:
    """The address for a closure."""
    address = reply_address.write(TicketLink(source, ticket_id, number), REPLY_DOMAIN, world.now)
    assert address is not None
    return address


def read(world: World, address: str, sources: tuple[str, ...] = SOURCES) -> TicketLink:
    """The closure behind an address of a question."""
    link, asks = reply_address.read(address, REPLY_DOMAIN, sources, world.now)
    assert asks
    return link


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(min_size=1, max_size=24),
    st.integers(1, 9999),
    st.sampled_from(SOURCES),
    st.booleans(),
    st.booleans(),
)
def test_every_address_fits_and_leads_back_whatever_its_case(
    world: World, ticket_id: str, number: int, source: str, upper: bool, asks: bool
) -> None:
    link = TicketLink(source, ticket_id, number)
    address = reply_address.write(link, REPLY_DOMAIN, world.now, asks=asks)
    if address is None:
        assert len(ticket_id.encode()) > 20
        return
    assert len(address.partition("@")[0]) <= 64
    assert parse_address(address) == address
    written = address.upper() if upper else address
    assert reply_address.read(written, REPLY_DOMAIN, SOURCES, world.now) == (link, asks)


@pytest.mark.parametrize(
    ("ticket_id", "fits"),
    [
        ("48211", True),
        ("INC0010023", True),
        ("0b8f3e1c-52c1-4e0e-9a53-9a4d1f6b2c77", True),
        ("0B8F3E1C-52C1-4E0E-9A53-9A4D1F6B2C77", True),
        ("Fall 17/b", True),
        ("0b8f3e1c-52c1-4e0e-9a53-9a4d1f6b2c77-north", False),
    ],
)
def test_the_ids_of_known_helpdesks_fit(world: World, ticket_id: str, fits: bool) -> None:
    address = reply_address.write(TicketLink("standard-webhooks", ticket_id, 12), REPLY_DOMAIN, world.now)
    assert (address is not None) == fits


def test_e3_what_was_changed_is_no_address(world: World) -> None:
    address = made(world)
    local_part, _, domain = address.partition("@")
    for at, letter in enumerate(local_part):
        changed = local_part[:at] + ("b" if letter == "a" else "a") + local_part[at + 1 :]
        with pytest.raises(BadLink):
            read(world, f"{changed}@{domain}")
    for other in (
        f"{local_part}@elsewhere.example",
        f"{local_part}x@{domain}",
        local_part,
        "",
        "@",
        f"{address}\n@x",
    ):
        with pytest.raises(BadLink):
            read(world, other)


def test_e3_nobody_can_make_news_a_question(world: World) -> None:
    news = reply_address.write(TicketLink("acme", "4711", 1), REPLY_DOMAIN, world.now, asks=False)
    assert news and ".1n." in news
    for changed in (news.replace(".1n.", ".1."), made(world).replace(".1.", ".1n.")):
        with pytest.raises(BadLink):
            reply_address.read(changed, REPLY_DOMAIN, SOURCES, world.now)


def test_e3_the_source_is_signed_although_it_is_not_written(world: World) -> None:
    address = made(world, source="acme")
    assert "acme." not in address.partition("@")[0]
    with pytest.raises(BadLink):
        read(world, address, ("zendesk",))


def test_e3_a_link_of_another_purpose_is_no_address(world: World) -> None:
    token = world.token(links.survey_url("https://x", TicketLink("acme", "4711", 1), world.now, world.now))
    signature = re.sub(r"[^a-z2-7]", "a", token.lower())[-16:]
    with pytest.raises(BadLink):
        read(world, f"reply+l4711.1.{signature}@{REPLY_DOMAIN}")


def test_old_keys_verify_and_the_newest_signs(world: World) -> None:
    old = made(world)
    keys = {"current": "a newer key", "retired": [LINK_KEY]}
    client("secretsmanager").put_secret_value(SecretId="LinkKeys", SecretString=json.dumps(keys))
    secret_store.forget()
    assert read(world, old) == TicketLink("acme", "4711", 1)
    assert made(world) != old
