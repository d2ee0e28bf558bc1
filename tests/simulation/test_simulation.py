"""The product in some hundred worlds; and the judge itself, which must replay, shrink, and reach every fault."""

import os
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from simulation import runner
from simulation.actors import SENTENCES
from simulation.mutants import MUTANTS
from simulation.runner import Result
from simulation.world import CALL_FAULTS

HERE = Path(__file__).parent
WORLDS = int(os.environ.get("SIMULATED_WORLDS", "240"))
SIZE = 10
PROCESSES = min(2, os.cpu_count() or 1)
CALLS = (
    "GetItem",
    "Query",
    "QueryIndex",
    "PutItem",
    "TransactWriteItems",
    "BatchGetItem",
    "SendMessageBatch",
    "GetQueueAttributes",
    "SendEmail",
    "GetAccount",
    "GetSecretValue",
    "ChatPost",
    "GetObject",
)
REACHED = {
    **{f"{call}/{fault}": 30 for call in CALLS for fault in CALL_FAULTS},
    **dict.fromkeys(("queue/lost", "queue/late", "queue/twice", "queue/reordered", "queue/not_deleted"), 30),
    **dict.fromkeys(
        ("stream/stalled", "stream/checkpoint_lost", "report/lost", "report/none", "report/late"), 30
    ),
    "report/twice": 30,
    **dict.fromkeys(("tick/lost", "tick/duplicate", "index/late", "web/reply_lost", "clock/step"), 30),
    **dict.fromkeys(("outage/dynamodb", "outage/sqs", "outage/sesv2", "outage/tick", "ses/quota"), 5),
    **dict.fromkeys(
        (
            "path/sent again after silence",
            "path/cause repeated",
            "path/heard Complaint",
            "path/asked together",
            "path/told progress",
            "path/told asked_again",
            "path/told promise_kept",
            "path/promise kept",
            "path/promise broken",
            "path/promise withdrawn",
            "path/recovered",
            "path/not recovered",
            "path/back after silence",
            "path/told fix",
            "path/told known",
            "path/told again",
            "path/commitment overdue",
            "path/fix holds",
            "path/fix opens_again",
            "path/fix too_little",
            "path/told update",
            "path/late word",
            "path/late word told",
            "path/early word",
            "path/early word told",
            "path/digest with tickets recounted",
            "path/post sent",
            "path/post unknown",
        ),
        5,
    ),
    **dict.fromkeys(
        (f"path/ended {end}" for end in ("confirmed", "denied", "silent", "reopened reopened")), 100
    ),
    **dict.fromkeys(
        (f"path/ended not_asked {why}" for why in ("bounced", "no_address", "undelivered", "suppressed")), 3
    ),
    "path/late words open again": 1,
    "path/merged": 30,
    **{
        f"machine/{page} {way}": 3
        for page in ("settle_flag", "act_on_cause", "acknowledge_causes", "answer_fix")
        for way in ("no page", "every field", "at once")
    },
    **{f"machine/{page} with the mail": 10 for page in ("settle_flag", "answer_fix")},
    "path/reply counts": 100,
    "path/reply flagged": 30,
    **dict.fromkeys((f"path/reply kept {kind}" for kind in SENTENCES), 10),
    **dict.fromkeys((f"path/ended not_asked {why}" for why in ("opted_out", "frequency_cap")), 3),
}


@cache
def results() -> list[Result]:
    return list(runner.many(range(1, WORLDS + 1), SIZE, PROCESSES))


def test_no_world_breaks_an_invariant() -> None:
    broken = [result for result in results() if result.violation]
    told = [f"seed {result.seed}: {result.violation}" for result in broken]
    if broken:
        told += ["the shortest list of faults of the first:", *runner.shortest(broken[0].seed, SIZE)]
        told.append(f"known from now on? Add '{broken[0].seed} {SIZE}' to {HERE.name}/regressions.txt")
    assert not broken, "\n".join(told)


def test_every_fault_was_reached_often_enough() -> None:
    reached = sum((result.reached for result in results()), Counter[str]())
    share = min(1.0, WORLDS / 240)
    rare = {name: reached[name] for name, least in REACHED.items() if reached[name] < least * share}
    assert not rare


@pytest.mark.parametrize("line", (HERE / "regressions.txt").read_text().splitlines())
def test_what_once_broke_holds(line: str) -> None:
    seed, size = line.split("#")[0].split()[:2]
    assert runner.run(int(seed), int(size)).violation is None


def test_a_seed_gives_the_same_run_again_whatever_the_process() -> None:
    """Two processes, with different hashes of texts, and this one."""
    command = [
        sys.executable,
        str(HERE / "runner.py"),
        "--traces",
        "--worlds",
        "20",
        "--size",
        "4",
        "--processes",
        "1",
    ]
    runs = [
        subprocess.Popen(
            command,
            env=os.environ | {"PYTHONHASHSEED": salt},
            stdout=subprocess.PIPE,
            text=True,
            cwd=HERE.parents[1],
        )
        for salt in ("1", "2")
    ]
    here = [f"{result.seed} {result.trace}" for result in runner.many(range(1, 21), 4, 1)]
    assert len(set(here)) == 20
    for run in runs:
        assert run.communicate()[0].splitlines() == here
        assert run.returncode == 0


def test_the_shortest_list_of_faults_is_short_and_still_breaks() -> None:
    """A planted bug that needs one fault is shown with one fault."""
    (bug,) = [mutant for mutant in MUTANTS if mutant.name == "answers_202_before_the_write"]
    with bug.planted():
        faults = runner.shortest(bug.caught, 12)
        assert 1 <= len(faults) <= 3
        assert runner.run(bug.caught, 12, frozenset(faults)).violation
    assert runner.run(bug.caught, 12, frozenset(faults)).violation is None
