"""The one clock: what is due is found again whatever was lost, and a backlog is not queued without end."""

import json

from builders import A_DAY, A_MINUTE, AN_HOUR, CUSTOMER, START, closed, sample
from world import World


def test_the_sample_event_queues_nothing_when_nothing_is_due(world: World) -> None:
    world.invoke("run_clock", sample("run_clock"))
    assert world.queues["DueQueue"] == []


def test_c1_after_six_hours_without_a_tick_everything_is_sent_late(world: World) -> None:
    world.hook(closed())
    world.settle()
    world.now = START + A_DAY + 6 * AN_HOUR
    world.tick()
    world.settle()
    (survey,) = world.mail.to(CUSTOMER)
    assert survey.at == START + A_DAY + 6 * AN_HOUR


def test_what_is_due_within_90_seconds_is_queued_to_the_second(world: World) -> None:
    world.hook(closed())
    world.settle()
    for early, delay in ((100, None), (90, 90), (1, 1), (0, 0)):
        world.queues["DueQueue"].clear()
        world.now = START + A_DAY - early * A_MINUTE / 60
        world.tick()
        delays = [(message.ready_at - world.now).total_seconds() for message in world.queues["DueQueue"]]
        assert delays == ([] if delay is None else [delay])


def test_a_backlog_is_not_queued_again_while_it_is_worked_off(world: World) -> None:
    for number in range(5):
        world.hook(closed(str(number)))
    world.settle()
    world.now = START + A_DAY + AN_HOUR
    for _ in range(3):
        world.tick()
        world.now += A_MINUTE
    keys = [json.loads(message.body)["pk"] for message in world.queues["DueQueue"]]
    assert sorted(keys) == [f"TICKET#acme#{number}" for number in range(5)]
    world.settle()
    assert world.queues["DueQueue"] == []


def test_mails_that_wait_for_the_providers_rate_are_not_queued_again_each_minute(world: World) -> None:
    world.hook(closed())
    world.settle()
    world.now = START + A_DAY + AN_HOUR
    for number in range(501):
        world.queue("SendQueue", json.dumps({"pk": f"TICKET#acme#x{number}", "sk": "FOLLOW_UP#0001"}))
    world.tick()
    assert world.queues["DueQueue"] == []
    world.queues["SendQueue"].pop()
    world.tick()
    assert len(world.queues["DueQueue"]) == 1


def test_a_tick_that_runs_out_of_time_stops_and_the_next_one_goes_on(world: World) -> None:
    world.hook(closed())
    world.settle()
    world.now = START + A_DAY
    world.invoke("run_clock", sample("run_clock"), remaining=9_000)
    assert world.queues["DueQueue"] == []
    assert "tick cut short" in world.log.getvalue()
    world.tick()
    assert len(world.queues["DueQueue"]) == 1
