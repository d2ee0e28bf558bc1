"""The benchmark: ``make bench``, or ``make bench QUICK=1``; writes docs/performance.md.

python -m benchmark.run [--quick] [--only cold,warm,cost,growth,size,load] [--no-report] [--strict]
"""

import argparse
import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator

TOPICS = ("cold", "warm", "cost", "growth", "size", "load")
CPU_MS_PER_CALL = 2.0
"""When ``warm`` is left out: CPU of one bare put where the peer was measured."""


def main(arguments: list[str]) -> int:
    """Run the topics; 1 when ``--strict`` and a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller sizes, no deployed stack")
    parser.add_argument("--only", default=",".join(TOPICS), help="topics, separated by commas")
    parser.add_argument("--no-report", action="store_true", help="leave docs/performance.md as it is")
    parser.add_argument("--strict", action="store_true", help="fail when a target is missed")
    given = parser.parse_args(arguments)
    chosen = given.only.split(",")
    unknown = set(chosen) - set(TOPICS)
    if unknown:
        parser.error(f"no such topic: {', '.join(sorted(unknown))}")

    # Whoever ends the benchmark ends what it has started as well: the local stack stops on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    import moto  # noqa: F401  # has to be there before botocore's first session

    from benchmark import report

    results = report.Results(quick=given.quick)
    for topic in TOPICS:
        if topic in chosen:
            with _told(topic), _quiet():
                _measure(topic, results)
    results.targets = report.targets(results)
    for target in results.targets:
        _say(str(target))
    if not given.no_report:
        report.write(results)
        _say(f"Written: {report.REPORT}")
    return int(given.strict and not all(target.holds for target in results.targets))


def _measure(topic: str, results: "report.Results") -> None:
    from benchmark import cold, cost, growth, load, size, warm

    quick = results.quick
    if topic == "cold":
        results.cold = cold.measure(3 if quick else 9)
    elif topic == "warm":
        results.warm = warm.measure(*((20, 3) if quick else (100, 9)))
    elif topic == "cost":
        per_call = results.warm[warm.WEBHOOK].reference.milliseconds if results.warm else CPU_MS_PER_CALL
        results.cost = cost.measure(per_call)
    elif topic == "growth":
        results.growth = growth.measure((1_000, 10_000) if quick else (1_000, 10_000, 100_000))
    elif topic == "size":
        results.size = size.measure()
    else:
        if not quick:
            results.steps, results.duplicates = load.measure_stack(((1, 50), (4, 150), (16, 300)), 1_000)
        results.minute = load.measure_minute(500 if quick else 20_000, 14.0)


@contextlib.contextmanager
def _told(topic: str) -> Iterator[None]:
    begun = time.monotonic()
    _say(f"{topic} …")
    yield
    _say(f"{topic}: {time.monotonic() - begun:.0f} s")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Handlers print their log and metrics: not here."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123 - a device, not a file
        yield


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    from benchmark import report

    sys.exit(main(sys.argv[1:]))
