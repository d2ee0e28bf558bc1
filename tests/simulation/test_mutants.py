"""The judge is judged: every planted bug is caught, within so many worlds, by an invariant with a name."""

import os
import re
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import pytest

from simulation import runner
from simulation.mutants import MUTANTS

SIZE = 12
WITHIN = 60


def hunt(name: str) -> str | None:
    """What catches a planted bug: first in the world where it was caught before, then in others."""
    (mutant,) = [known for known in MUTANTS if known.name == name]
    with mutant.planted():
        for seed in dict.fromkeys((mutant.caught, *range(1, WITHIN + 1))):
            if violation := runner.run(seed, SIZE).violation:
                return violation
    return None


@cache
def caught() -> dict[str, str | None]:
    names = [mutant.name for mutant in MUTANTS]
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        return dict(zip(names, pool.map(hunt, names), strict=True))


@pytest.mark.parametrize("name", [mutant.name for mutant in MUTANTS])
def test_a_planted_bug_is_caught(name: str) -> None:
    assert caught()[name], f"nothing noticed {name} in {WITHIN} worlds"


def test_the_documentation_says_how_many_there_are() -> None:
    told = (Path(__file__).parents[2] / "docs" / "simulation.md").read_text()
    assert re.findall(r"(\d+) planted bugs", told) == [str(len(MUTANTS))]
