"""Runs worlds: one, many, the shortest list of faults that still breaks one. ``make simulate`` calls it.

python tests/simulation/runner.py [--worlds 10000] [--seed 1] [--size 40] [--processes 2]
"""

import argparse
import gc
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    HERE = Path(__file__).resolve().parent
    sys.path[0:1] = [str(HERE.parents[1] / name) for name in ("functions", "infra", "infra/local", "tests")]

import conftest  # noqa: F401 - sets what the adapters read on import
from builders import ACME_SECRET, START, ZENDESK_SECRET
from simulation.actors import Actors
from simulation.invariants import Invariants, Violation
from simulation.sim_aws import DAY, HOUR
from simulation.world import World, hands_of, instant, silence

CHAOS = 8 * DAY
LONGEST = 90 * DAY
WARMING = (1, 2)
"""Seeds of the worlds after which code and templates are loaded."""
SIZE = 40


@dataclass
class Result:
    """What one world came to."""

    seed: int
    trace: str = ""
    violation: str | None = None
    faults: list[str] = field(default_factory=list)
    reached: Counter[str] = field(default_factory=Counter)
    figures: Counter[str] = field(default_factory=Counter)


def run(seed: int, size: int = SIZE, allowed: frozenset[str] | None = None) -> Result:
    """One world from its first closing to the end of the healing."""
    silence()
    world = World(
        seed,
        START,
        CHAOS,
        allowed,
        {
            "HookSecrets": {"acme": [ACME_SECRET], "zendesk": ZENDESK_SECRET},
            "LinkKeys": {"current": "the key of links", "retired": []},
            "ChatAddresses": {"owners": "json://127.0.0.1/owners"},
        },
    )
    result = Result(seed)
    with hands_of(world):
        actors = Actors(world, size)
        invariants = Invariants(world, actors)
        try:
            # What was being worked on when the faults ended may still die; then the operator redrives, once.
            world.run(lambda: world.now >= world.calm_from + HOUR)
            world.redrive()
            heal(world)
            for again in (False, True):
                count_anew(world, actors, invariants, again=again)
                heal(world)
            invariants.at_the_end()
        except Violation as violation:
            result.violation = str(violation)
        except Exception as error:
            # What cannot even be judged is not fine.
            result.violation = f"unjudged: {error!r}"
    result.trace, result.faults = world.trace, list(world.fired)
    result.reached = world.reached + Counter({f"path/{k}": n for k, n in invariants.reached.items()})
    result.figures = Counter(
        {
            "worlds": 1,
            "follow-ups": len(actors.by_number),
            "calls": world.calls,
            "invocations": world.invocations,
            "faults": len(world.fired),
            "redriven": world.redriven,
            "mails": len(world.ses.mails),
            "presses": sum(len(closing.presses) for closing in actors.closings),
            "pages opened": actors.scans,
            "presses of machines": actors.machine_presses,
            "forged webhooks": actors.forged,
            "replies": len(actors.written),
        }
    )
    return result


def count_anew(world: World, actors: Actors, invariants: Invariants, *, again: bool) -> None:
    """A recount with all the time it needs: one that was cut off in the worst of it is finished first."""
    told: list[dict[str, Any] | None] = []
    begin = instant(world.now).isoformat()
    while not told or (told[-1] and (not told[-1]["finished"] or told[-1]["began_at"] < begin)):
        if len(told) == 9:
            break
        before = len(told)
        actors.recount(told.append)
        world.run(lambda before=before: len(told) > before)  # type: ignore[misc]
    invariants.recounted(told[-1], again=again)


def heal(world: World) -> None:
    """No faults any more: let everything that was begun come to its end; what comes regularly goes on for ever."""
    begin = world.now
    quiet_since: int | None = None

    def is_over() -> bool:
        nonlocal quiet_since
        if world.now >= begin + LONGEST:
            return True
        if world.now > begin + DAY and any(at < world.now - DAY for _, at in world.table.due.values()):
            return True  # what is still due after a day will be due for ever
        if world.pending or any(queue.messages for queue in world.queues.values()):
            return False
        if not all(kind in {"owner", "team"} for kind, _ in world.table.due.values()):
            return False
        # A team that gathers its notes hears of the last ones on the next day.
        quiet_since = quiet_since or world.now
        return world.now > quiet_since + DAY + HOUR

    world.run(is_over)


def shrink(seed: int, faults: list[str], fails: Callable[[frozenset[str]], bool]) -> list[str]:
    """The shortest list of faults found that still fails: delta debugging (Zeller's ddmin)."""
    parts = 2
    while len(faults) >= 2:
        size = max(1, len(faults) // parts)
        chunks = [faults[at : at + size] for at in range(0, len(faults), size)]
        for chunk in chunks:
            rest = [fault for fault in faults if fault not in chunk]
            if fails(frozenset(rest)):
                faults, parts = rest, max(parts - 1, 2)
                break
        else:
            if size == 1:
                break
            parts = min(len(faults), parts * 2)
    return faults


def shortest(seed: int, size: int) -> list[str]:
    """What is needed to break this seed."""
    faults = run(seed, size).faults
    if run(seed, size, frozenset()).violation:
        return []
    return shrink(seed, faults, lambda allowed: run(seed, size, allowed).violation is not None)


def many(seeds: range, size: int, processes: int) -> Iterator[Result]:
    """Many worlds, on several processors."""
    if processes == 1:
        yield from (run(seed, size) for seed in seeds)
        return
    # Every four worlds have a fresh copy of a process that has run some: one that has run many is a fifth slower.
    # What they leave behind goes with the copy, so nothing looks for it.
    for seed in WARMING:
        run(seed, size)
    gc.collect()
    gc.freeze()
    gc.disable()
    with get_context("fork").Pool(processes, maxtasksperchild=1) as pool:
        yield from pool.imap(partial(run, size=size), seeds, chunksize=4)


def main(arguments: list[str]) -> int:
    """The command; 0 when nothing was violated."""
    parser = argparse.ArgumentParser(description="Run the product in many worlds of faults.")
    parser.add_argument("--worlds", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--traces", action="store_true", help="print each world's hash and nothing else")
    given = parser.parse_args(arguments)
    if given.traces:
        for result in many(range(given.seed, given.seed + given.worlds), given.size, given.processes):
            say(f"{result.seed} {result.trace}")
        return 0
    total, reached, broken = Counter[str](), Counter[str](), list[Result]()
    begin = time.monotonic()
    for result in many(range(given.seed, given.seed + given.worlds), given.size, given.processes):
        total += result.figures
        reached += result.reached
        if result.violation:
            broken.append(result)
            say(f"seed {result.seed}: {result.violation} ({len(result.faults)} faults)")
        if total["worlds"] % 100 == 0:
            left, after = given.worlds - total["worlds"], result.seed + 1
            say(
                f"{total['worlds']} worlds, {total['faults']} faults, {len(broken)} violations, {speed(total, begin)};"
                f" to go on from here: WORLDS={left} SEED={after}"
            )
    say(", ".join(f"{number:,} {name}" for name, number in total.items()) + f"; {speed(total, begin)}")
    for name, number in sorted(reached.items()):
        say(f"  {number:>9,}  {name}")
    for result in broken[:3]:
        say(f"seed {result.seed}: {result.violation}; the shortest list of faults:")
        for fault in shortest(result.seed, given.size):
            say(f"    {fault}")
    return 1 if broken else 0


def speed(total: "Counter[str]", begin: float) -> str:
    """Worlds a second."""
    return f"{total['worlds'] / (time.monotonic() - begin):.1f} worlds/s"


def say(line: str) -> None:
    """To the person who started it."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
