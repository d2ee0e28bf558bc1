"""A customer is erased in some sixty worlds of faults; and planted bugs that the judge must see."""

import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import cycle
from typing import Any

import pytest

import erase as command
from adapters import tickets
from simulation import erasure
from simulation.erasure import Result

WORLDS = int(os.environ.get("SIMULATED_ERASURES", "60"))


@cache
def results() -> list[Result]:
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        return list(pool.map(erasure.run, range(1, WORLDS + 1), chunksize=4))


def test_no_world_of_an_erasure_breaks_an_invariant() -> None:
    broken = [f"seed {result.seed}: {result.violation}" for result in results() if result.violation]
    assert not broken, "\n".join(broken)


def test_erasures_were_in_the_middle_of_something_and_interrupted_often_enough() -> None:
    reached = sum((result.reached for result in results()), Counter[str]())
    assert reached["closings"] >= WORLDS
    assert reached["run again"] >= WORLDS // 5


@pytest.mark.parametrize("seed", [67, 69, 92])
def test_what_once_broke_an_erasure_holds(seed: int) -> None:
    """Interrupted when the closings were gone, the command did not find what stood or came beside them."""
    assert erasure.run(seed).violation is None


def test_a_seed_gives_the_same_erasure() -> None:
    assert erasure.run(5).trace == erasure.run(5).trace


# --- planted bugs ----------------------------------------------------------------------------------------------------

Plant = Callable[[pytest.MonkeyPatch], None]


def looks_once(patch: pytest.MonkeyPatch) -> None:
    look, turns = command.look, cycle([True, False])
    patch.setattr(command, "look", lambda address: look(address) if next(turns) else command.Found())


def looks_at_closings_only(patch: pytest.MonkeyPatch) -> None:
    """What stands beside a closing that is gone is not found."""
    look = command._look_at_ticket

    def of_closings(pk: str, rows: list[Any], *more: Any) -> None:
        kept = {command._number(row) for row in rows if row.kind == tickets.KIND} | {None}
        look(pk, [row for row in rows if command._number(row) in kept], *more)

    patch.setattr(command, "_look_at_ticket", of_closings)


def erases_closings_first(patch: pytest.MonkeyPatch) -> None:
    looks_at_closings_only(patch)
    look = command.look

    def the_other_way_round(address: str) -> command.Found:
        found = look(address)
        found.rows.reverse()
        return found

    patch.setattr(command, "look", the_other_way_round)


@pytest.mark.parametrize(
    ("plant", "seeds"),
    [
        (looks_once, range(1, 9)),
        (looks_at_closings_only, range(92, 93)),
        (erases_closings_first, range(1, 9)),
    ],
    ids=["looks_once", "looks_at_closings_only", "erases_closings_first"],
)
def test_a_planted_bug_of_an_erasure_is_caught(
    plant: Plant, seeds: range, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    assert any(erasure.run(seed).violation for seed in seeds)
