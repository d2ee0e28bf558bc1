"""A helpdesk's API in some forty worlds of faults; and planted bugs that the judge must see."""

import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

import fetch_details
import write_back
from adapters import tickets
from domain import follow_up, reconciliation
from domain import write_back as writing
from simulation import helpdesk
from simulation.helpdesk import Result
from simulation.world import CALL_FAULTS

WORLDS = int(os.environ.get("SIMULATED_HELPDESKS", "40"))
REACHED = {
    **{f"HelpdeskCall/{fault}": 100 for fault in CALL_FAULTS},
    **dict.fromkeys(
        ("asked", "yes", "no", "opened by us", "found by reconciliation", "found by webhook"), 100
    ),
    **dict.fromkeys(("bad trigger", "reopened", "ended reopened reopened", "write-back unknown"), 30),
    **dict.fromkeys(("ended confirmed", "ended denied", "ended silent", "write-back told"), 100),
}


@cache
def results() -> list[Result]:
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        return list(pool.map(helpdesk.run, range(1, WORLDS + 1), chunksize=4))


def test_no_world_of_a_helpdesk_breaks_an_invariant() -> None:
    broken = [f"seed {result.seed}: {result.violation}" for result in results() if result.violation]
    assert not broken, "\n".join(broken)


def test_every_fault_of_a_helpdesk_was_reached_often_enough() -> None:
    reached = sum((result.reached for result in results()), Counter[str]())
    share = min(1.0, WORLDS / 60)
    assert {name: reached[name] for name, least in REACHED.items() if reached[name] < least * share} == {}


@pytest.mark.parametrize("seed", [207, 83, 12])
def test_what_once_broke_at_a_helpdesk_holds(seed: int) -> None:
    """207: a refused look was taken for "not there"; 83: a claim left no trace; 12: clocks minutes apart."""
    assert helpdesk.run(seed).violation is None


def test_a_seed_gives_the_same_run_of_a_helpdesk() -> None:
    first, second = helpdesk.run(5, 4), helpdesk.run(5, 4)
    assert (first.faults, first.reached) == (second.faults, second.reached)


# --- planted bugs ----------------------------------------------------------------------------------------------------

Plant = Callable[[pytest.MonkeyPatch], None]


def forgets_that_it_is_unsure(patch: pytest.MonkeyPatch) -> None:
    """Whoever was refused once more believes that nothing was ever sent."""
    claim = writing.claim

    def sure(*given: Any, **more: Any) -> Any:
        return replace(claim(*given, **more), unsure=False)

    patch.setattr(writing, "claim", sure)


def writes_without_a_claim(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(writing, "claim", lambda wanted, *_, **__: replace(wanted, began_at=None))
    patch.setattr(writing, "settle", lambda claimed, *_: replace(claimed, ended="told", due_at=None))
    patch.setattr(write_back, "_not_taken", lambda *_: None)


def hears_its_own_echo(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(follow_up, "_is_echo", lambda *_: False)


def asks_only_for_the_last_hour(patch: pytest.MonkeyPatch) -> None:
    nightly = reconciliation.nightly

    def hurried(last: Any, source: str, now: Any, policy: Any) -> Any:
        run = nightly(last, source, now, policy)
        return run and replace(run, since=run.until - reconciliation.WEBHOOKS_TAKE)

    patch.setattr(reconciliation, "nightly", hurried)


def gives_a_hint_up_without_a_word(patch: pytest.MonkeyPatch) -> None:
    """An answer that did not come moves nothing, and the hint goes out of sight."""
    patch.setattr(fetch_details, "_put_off", lambda known, *_: tickets.save(replace(known, due_at=None)))


@pytest.mark.parametrize(
    "plant",
    [
        forgets_that_it_is_unsure,
        writes_without_a_claim,
        hears_its_own_echo,
        asks_only_for_the_last_hour,
        gives_a_hint_up_without_a_word,
    ],
    ids=lambda plant: plant.__name__,
)
def test_a_planted_bug_is_caught(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    assert any(helpdesk.run(seed).violation for seed in range(1, 21))
