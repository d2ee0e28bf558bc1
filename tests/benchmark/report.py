"""``docs/performance.md``: what was measured, beside what was wanted, for a person to read."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path

from benchmark import cold, cost, growth, peer, picture, size, warm
from benchmark.cold import Cold
from benchmark.cost import Cost
from benchmark.growth import Grown
from benchmark.layer import ROOT
from benchmark.lives import Life
from benchmark.load import Duplicates, SameMinute, Step
from benchmark.size import Size
from benchmark.warm import Warm

REPORT = ROOT / "docs/performance.md"
PICTURE = ROOT / "docs/performance.svg"
FOLLOW_UPS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)


@dataclass(frozen=True)
class Target:
    """One figure beside what was wanted."""

    what: str
    figure: float
    at_most: float

    @property
    def holds(self) -> bool:
        """Whether it is as good as was wanted."""
        return self.figure <= self.at_most

    def __str__(self) -> str:
        return f"{'pass' if self.holds else 'MISS'}  {self.figure:8.2f}  at most {self.at_most:<6.2f}  {self.what}"


@dataclass
class Results:
    """What a run has measured; a topic that was left out is None."""

    quick: bool
    cold: "Cold | None" = None
    warm: dict[str, Warm] | None = None
    cost: "Cost | None" = None
    growth: list[Grown] | None = None
    size: "Size | None" = None
    steps: list[Step] | None = None
    duplicates: Duplicates | None = None
    minute: SameMinute | None = None
    targets: list[Target] = field(default_factory=list)


def targets(results: Results) -> list[Target]:
    """Every target of what was measured."""
    found: list[Target] = []
    if results.cold:
        found += [
            Target(
                "cold start of the webhook, naive packages",
                results.cold.ratio(cold.WEBHOOK).median,
                cold.WEBHOOK_AT_MOST,
            ),
            Target(
                "cold start before a refused signature, naive packages",
                results.cold.ratio(cold.WEBHOOK).median,
                cold.REFUSED_AT_MOST,
            ),
        ]
    if results.warm:
        found.append(
            Target("warm webhook, bare puts", results.warm[warm.WEBHOOK].ratio.median, warm.WEBHOOK_AT_MOST)
        )
        found += [
            Target(f"{known.name}, of the peer", known.ratio, peer.AT_MOST[known.name])
            for known in peer.compare(results.warm)
        ]
    if results.cost:
        found += [
            Target(
                f"write units: {life.name}", life.write_units / life.follow_ups, cost.UNITS_AT_MOST[life.note]
            )
            for life in results.cost.lives
        ]
        for name, share in cost.SHARE_AT_MOST.items():
            found.append(
                Target(
                    f"whole bill, of the same product on {name}",
                    results.cost.mixed.total / results.cost.others[name],
                    share,
                )
            )
            found.append(Target(f"our clock alone, of {name} alone", results.cost.clock_ratio(name), share))
    if results.growth:
        for what in dict.fromkeys(known.what for known in results.growth):
            own = [known for known in results.growth if known.what == what]
            same = [known for known in own if known.own == own[0].own]
            found.append(
                Target(
                    f"{what}: reads with the most others, of those with the fewest",
                    same[-1].each / same[0].each,
                    growth.AT_MOST,
                )
            )
    if results.size:
        found.append(Target("zip without .pyc, naive packages", results.size.ratio, size.AT_MOST))
    if results.steps and results.duplicates:
        found.append(
            Target(
                "closures under load: not accepted, lost or asked twice",
                sum(s.posted - s.accepted + s.lost + s.twice for s in results.steps),
                0,
            )
        )
        found.append(
            Target(
                f"{results.duplicates.posted} reports of one closure: items and mails",
                results.duplicates.items + results.duplicates.mails,
                2,
            )
        )
    if results.minute:
        minute = results.minute
        found.append(
            Target(
                f"{minute.follow_ups} due in one minute: twice, unsent or out of order",
                minute.twice + minute.unsent + minute.out_of_order,
                0,
            )
        )
        found.append(Target("fastest sending, of SES's rate", minute.fastest / minute.rate, 1))
    return found


def write(results: Results) -> None:
    """Write the report and its picture."""
    PICTURE.parent.mkdir(exist_ok=True)
    sections = [_head(results), _targets(results)]
    if results.cold:
        sections.append(_cold(results.cold))
    if results.warm:
        sections += [_warm(results.warm), _peer(results.warm)]
    if results.cost:
        PICTURE.write_text(_picture(results.cost))
        sections.append(_cost(results.cost))
    if results.growth:
        sections.append(_growth(results.growth))
    if results.size:
        sections.append(_size(results.size))
    if results.steps or results.minute:
        sections.append(_load(results))
    notes = Path(__file__).with_name("notes.md").read_text().strip()
    REPORT.write_text("\n\n".join([*sections, notes]) + "\n")


def _head(results: Results) -> str:
    return f"""# Speed and cost

Written by `make bench` ({"quick" if results.quick else "full"}) on {datetime.now(UTC):%d %B %Y}, CPython
{platform.python_version()} on {platform.machine()}. Do not edit: the explanations are in `tests/benchmark/notes.md`.

**Local:** CPU times are medians of interleaved rounds on this machine, as ratios within one run; milliseconds are only
for orientation, and the brackets hold the middle half of the rounds. Calls, write and read units are counted from what
the real handlers did. **Computed:** units follow AWS's published rules from the items' sizes (an index entry inside a
transaction counts double: the dear reading), dollars follow published prices of us-east-1 without free tiers and
without SES (100 dollars for a million mails, the same everywhere). Lambda's own start, arm64 and AWS's latencies are
not measured."""


def _targets(results: Results) -> str:
    rows = [
        [known.what, f"{known.figure:.2f}", f"{known.at_most:g}", "pass" if known.holds else "**miss**"]
        for known in results.targets
    ]
    return "## Targets\n\n" + _table(["what", "measured", "at most", ""], rows)


def _cold(known: Cold) -> str:
    rows = [
        [name, str(known.ratio(name)), f"{case.milliseconds:.0f}", f"{case.peak_mb:.0f}"]
        for name, case in known.cases.items()
    ]
    return (
        "## Cold start (local)\n\nCPU of the imports and the first clients in a fresh interpreter, from the "
        f"built layer; {known.rounds} rounds.\n\n"
        + _table(["Lambda", "naive package = 1", "CPU ms", "peak MB"], rows)
    )


def _warm(known: dict[str, Warm]) -> str:
    rows = []
    for one in known.values():
        calls = sum(one.calls.values())
        said = ", ".join(f"{name} {count}" if count > 1 else name for name, count in one.calls.items())
        rows.append(
            [
                one.function,
                str(one.ratio),
                f"{one.ratio.median / calls:.2f}",
                f"{one.ours.milliseconds:.1f}",
                said,
            ]
        )
    return (
        "## Warm (local)\n\nCPU of one invocation with logging and metrics, against a bare boto3 conditional put; "
        "the endpoint answers at once. The SDK is the handler: what counts is how many calls there are.\n\n"
        + _table(["Lambda", "bare put = 1", "for each call", "CPU ms", "AWS calls"], rows)
    )


def _peer(known: dict[str, Warm]) -> str:
    rows = [
        [one.name, f"{one.ours:.1f}", f"{one.peer:.0f}", f"{one.ratio:.2f}", f"{peer.AT_MOST[one.name]:.2f}"]
        for one in peer.compare(known)
    ]
    return (
        "## Beside a measured peer (local)\n\nCPU seconds for 1,000, all Lambdas on the way; the peer is OTOBO 10.1 "
        "with its survey add-on, measured on the same class of machine. AWS's own work and the network's are not in "
        "ours, HTTP parsing and SMTP are in the peer's: an order of magnitude.\n\n"
        + _table(["operation", "ours", "peer", "ratio", "at most"], rows)
    )


def _cost(known: Cost) -> str:
    rows = [
        [
            life.name,
            f"{life.table_units} + {life.index_units} = **{life.write_units}**",
            f"{life.read_units:g}",
            f"{life.largest}",
            f"{sum(life.invocations.values())}",
            f"{life.mails}",
            f"{known.bills[life.name].total:.0f}",
        ]
        for life in known.lives
    ]
    parts = [
        [field.name.replace("_", " "), f"{getattr(known.mixed, field.name):.2f}"]
        for field in fields(known.mixed)
    ]
    beside = [
        [name, f"{dollars:.0f}", f"{known.mixed.total / dollars:.2f}", f"{known.clock_ratio(name):.3f}"]
        for name, dollars in known.others.items()
    ]
    steps = "\n\n".join(_steps(life) for life in known.lives)
    return f"""## Cost of one follow-up (counted, then computed)

Each kind of life is run by the real handlers. Write units are those of the table and of the index.

{_table(["life", "write units", "read units", "largest item", "invocations", "mails", "$ for a million"], rows)}

A million of the mix ({", ".join(f"{share:.0%} {name}" for name, share in cost.MIX.items())}) costs
**{known.mixed.total:.0f} dollars**, of which the clock is {known.clock:.1f}:

{_table(["part", "$"], parts)}

The same product with another clock in the place of ours. "Whole" is bill against bill, "clock" leaves out what is the
same around both.

{_table(["design", "$ for a million", "ours, whole", "ours, clock"], beside)}

![Dollars a month against follow-ups a month]({PICTURE.name})

### The writes of each life

{steps}"""


def _steps(life: Life) -> str:
    rows = [
        [
            call.function,
            ", ".join(call.kinds),
            f"{call.table_units}",
            f"{call.index_units}",
            "refused" if call.failed else "",
        ]
        for call in life.calls
        if call.table_units
    ]
    return f"{life.name}\n\n" + _table(["Lambda", "item", "table", "index", ""], rows)


def _picture(known: Cost) -> str:
    lines = {"ours": [count / 1e6 * known.mixed.total for count in FOLLOW_UPS]}
    for name, dollars in known.others.items():
        clock = dollars - known.mixed.total + known.clock
        rest = known.mixed.total - known.clock
        # A scan reads everything that is kept, as often: it grows with the square.
        grows = 2 if name.startswith("scan") else 1
        lines[name] = [count / 1e6 * rest + (count / 1e6) ** grows * clock for count in FOLLOW_UPS]
    return picture.draw("Dollars a month, without SES", FOLLOW_UPS, lines)


def _growth(known: list[Grown]) -> str:
    rows = [
        [one.what, f"{one.others:,}", f"{one.own}", f"{one.calls}", f"{one.read_units:g}", f"{one.each:.4f}"]
        for one in known
    ]
    return (
        "## Growth (counted)\n\nRead units of one operation, with more and more open follow-ups of others around.\n\n"
        + _table(["what", "others", "own", "calls", "read units", "for each"], rows)
    )


def _size(known: Size) -> str:
    rows = [
        ["naive package without .pyc", f"{known.naive:.1f}"],
        ["ours without .pyc", f"{known.ours:.1f}"],
        ["ours as shipped, with .pyc", f"{known.ours_compiled:.1f}"],
        ["ours unpacked", f"{known.unpacked:.1f}"],
    ]
    return (
        "## Size (local)\n\nLayer and code, zipped. Peak memory of each Lambda stands with the cold starts.\n\n"
        + _table(["what", "MB"], rows)
    )


def _load(results: Results) -> str:
    parts = [
        "## Load (local)\n\nOn the deployed stack and the local AWS; seconds say something about the emulator only."
    ]
    if results.steps and results.duplicates:
        rows = [
            [
                f"{s.clients}",
                f"{s.posted}",
                f"{s.accepted}",
                f"{s.posted / s.seconds:.0f}",
                f"{s.median_ms:.0f}",
                f"{s.slowest_ms:.0f}",
                f"{s.drained:.0f}",
                f"{s.lost}",
                f"{s.twice}",
            ]
            for s in results.steps
        ]
        parts.append(
            _table(
                [
                    "clients",
                    "posted",
                    "accepted",
                    "a second",
                    "median ms",
                    "slowest ms",
                    "drained after s",
                    "lost",
                    "twice",
                ],
                rows,
            )
        )
        same = results.duplicates
        said = ", ".join(f"{count} × {answer}" for answer, count in sorted(same.answers.items()))
        parts.append(
            f"{same.posted} reports of one closure at once: {said}; **{same.items} item, {same.mails} mail**."
        )
    if results.minute:
        one = results.minute
        parts.append(
            f"{one.follow_ups:,} due in the same minute, in one process with an account of {one.rate:g} mails a "
            f"second: worked off in {one.minutes:.0f} minutes, at most {one.fastest:.1f} a second, "
            f"{one.out_of_order} more than a minute out of order, {one.twice} twice, {one.unsent} unsent; the "
            f"queues held at most {one.queued_most:,} keys."
        )
    return "\n\n".join(parts)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
