"""How time is measured: CPU time of interleaved rounds, so that what else the machine does hits every case alike."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from time import process_time


@dataclass
class Case:
    """One case of a comparison: what each round measured, in milliseconds of CPU."""

    name: str
    rounds: list[float] = field(default_factory=list)
    peak_mb: float = 0.0

    @property
    def milliseconds(self) -> float:
        """The median."""
        return median(self.rounds)


@dataclass(frozen=True)
class Ratio:
    """A case against the reference: the median of the rounds' ratios, and the middle half of them."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} [{self.low:.2f}-{self.high:.2f}]"


def ratio(case: Case, reference: Case) -> Ratio:
    """How much of the reference a case takes, round by round."""
    each = [mine / its for mine, its in zip(case.rounds, reference.rounds, strict=True)]
    low, _, high = quantiles(each, n=4) if len(each) > 1 else (each[0],) * 3
    return Ratio(median(each), low, high)


@dataclass(frozen=True)
class Process:
    """A case of processes: a program for a fresh interpreter."""

    name: str
    program: str
    paths: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    python: str = sys.executable


def processes(cases: Sequence[Process], rounds: int) -> dict[str, Case]:
    """Run all programs in turn, ``rounds`` times: user and system time, less that of doing nothing."""
    empty = Process("", "pass", ())
    measured = {case.name: Case(case.name) for case in cases}
    for case in cases:
        _run(case)  # the first run of each only warms the files
    for _ in range(rounds):
        nothing, _ = _run(empty)
        for case in cases:
            spent, peak = _run(case)
            measured[case.name].rounds.append(max(spent - nothing, 0.01))
            measured[case.name].peak_mb = max(measured[case.name].peak_mb, peak)
    return measured


# The kernel's own figure for a child begins with its parent's memory; this one begins with the program.
_PEAK = (
    "import sys\n"
    "with open('/proc/self/status') as told:\n"
    "    sys.stderr.write('\\n' + told.read().partition('VmHWM:')[2].split()[0])\n"
)


def _run(case: Process) -> tuple[float, float]:
    """CPU milliseconds and peak megabytes of one run."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(case.paths),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        **LAMBDA,
        **case.environment,
    }
    # -S and -s: only the case's own paths, as in Lambda; nothing of the environment that runs the benchmark.
    started = subprocess.Popen(
        [case.python, "-S", "-s", "-c", f"{case.program}\n{_PEAK}"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert started.stderr
    said = started.stderr.read().decode()
    started.stderr.close()
    _, status, used = os.wait4(started.pid, 0)
    started.returncode = os.waitstatus_to_exitcode(status)
    if started.returncode:
        raise RuntimeError(f"{case.name or 'the empty program'} failed:\n{said}")
    return (used.ru_utime + used.ru_stime) * 1000, int(said.rpartition("\n")[2]) / 1024


def blocks(cases: Mapping[str, Callable[[], object]], size: int, rounds: int) -> dict[str, Case]:
    """Call each function ``size`` times in turn, ``rounds`` times over; CPU milliseconds of one call."""
    measured = {name: Case(name) for name in cases}
    for call in cases.values():
        call()
    for number in range(rounds):
        # Every other round backwards, so that no case always follows the same one.
        for name, call in list(cases.items())[:: 1 if number % 2 else -1]:
            begun = process_time()
            for _ in range(size):
                call()
            measured[name].rounds.append((process_time() - begun) * 1000 / size)
    return measured


LAMBDA = {
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "TABLE": "followthrough",
    "DUE_QUEUE": "https://sqs.eu-central-1.amazonaws.com/123456789012/due",
    "SEND_QUEUE": "https://sqs.eu-central-1.amazonaws.com/123456789012/send",
    "HOOK_SECRETS": "hooks",
    "LINK_KEYS": "links",
    "CONFIGURATION_SET": "followthrough",
    "POWERTOOLS_SERVICE_NAME": "followthrough",
    "POWERTOOLS_METRICS_NAMESPACE": "Followthrough",
    "LANG": "C.UTF-8",
}
"""What a Lambda of ours finds in its environment."""
