"""Invoked by a person: what was kept in quarantine is taken in after a repair, once."""

import json
from dataclasses import replace

from adapters import quarantine, settings_store, tickets
from builders import A_DAY, CUSTOMER, START, closed, sample, signed_by_zendesk, stamp
from helpdesks.preset import shipped
from world import World

UNREADABLE = {
    "schema": "zendesk.trigger/1",
    "ticket": {"id": "7", "status": "Abgehakt", "updated_at": stamp(START), "requester_email": CUSTOMER},
}


def kept(world: World) -> str:
    """The identifier of a webhook with a status that the preset does not know."""
    body = json.dumps(UNREADABLE).encode()
    assert "quarantined" in world.hook(body, signed_by_zendesk(body, world.now), "zendesk").body
    (found,) = quarantine.listed()
    return found.id


def test_the_sample_event_names_something_unknown(world: World) -> None:
    assert world.invoke("replay_ticket", sample("replay_ticket")) == {"status": "unknown"}


def test_what_is_still_unusable_stays_where_it_is(world: World) -> None:
    identifier = kept(world)
    before = world.scan()
    world.now += A_DAY
    assert world.invoke("replay_ticket", {"id": identifier}) == {"status": "quarantined"}
    assert world.scan() == before


def test_after_a_repair_it_is_taken_in_once_as_received_then(world: World) -> None:
    identifier = kept(world)
    world.wait(2 * A_DAY)
    statuses = shipped("zendesk").shapes[0].meanings
    assert isinstance(statuses, dict)
    statuses["abgehakt"] = "solved"
    try:
        assert world.invoke("replay_ticket", {"id": identifier}) == {"status": "accepted"}
        assert world.invoke("replay_ticket", {"id": identifier}) == {"status": "duplicate"}
    finally:
        del statuses["abgehakt"]
    (known,) = tickets.load("zendesk", "7").ticket.follow_ups
    assert (known.opened_at, known.number) == (START, 1)
    found = quarantine.load(identifier)
    assert found is not None
    assert found.replayed in {"accepted", "duplicate"}
    world.wait(A_DAY / 24)
    assert len(world.mail.to(CUSTOMER)) == 1
    assert world.mail.to(CUSTOMER)[0].at == START + 2 * A_DAY


def test_settings_that_were_mended_just_now_count(world: World) -> None:
    identifier = kept(world)
    before = settings_store._current(world.now)
    source = replace(before.settings.sources["zendesk"], statuses={"Abgehakt": "solved"})
    sources = {**before.settings.sources, "zendesk": source}
    world.apply(replace(before.settings, sources=sources))
    settings_store._kept = world.now, before  # as a function that ran a moment ago
    assert world.invoke("replay_ticket", {"id": identifier}) == {"status": "accepted"}


def test_a_webhook_that_was_never_kept_cannot_be_replayed(world: World) -> None:
    world.hook(closed())
    before = world.scan()
    assert world.invoke("replay_ticket", {"id": "TICKET#acme#4711"}) == {"status": "unknown"}
    assert world.scan() == before
