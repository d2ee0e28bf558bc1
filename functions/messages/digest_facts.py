"""What mails and pages say about an owner's causes and their figures: the notice, the digest and the page behind it.

Pure functions as in facts; the days of a digest are those of its owner's zone.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from math import ceil, floor

from domain import hours
from domain.cause import CauseFigures, CauseState, owner_of
from domain.digest import Change, Entry, Need
from domain.follow_up import FollowUp
from domain.message import Message
from domain.settings import Settings
from messages import compose, facts, pages

EXAMPLES = 5
FIXES = 2


def cause_mail(
    state: CauseState, message: Message, about: Iterable[FollowUp], link: str, settings: Settings
) -> compose.CauseRepeated:
    """The notice that a cause became repeated, or that its owner did not acknowledge it."""
    return compose.CauseRepeated(
        company=settings.company.name,
        to_name=facts.contact_name(message.to.partition(":")[2], settings) or message.to,
        cause_name=facts.cause_name(state.code, settings),
        tickets=state.tickets,
        customers=state.customers,
        window_days=state.within_days or settings.policy.repeated_within.days,
        usual=_usual(state.usual),
        link=link,
        examples=examples(about),
        escalated_from=facts.contact_name(state.escalated_from, settings),
    )


def digest(
    owner: str,
    since: datetime,
    until: datetime,
    as_of: datetime,
    entries: Sequence[Entry],
    link: str,
    settings: Settings,
) -> compose.Digest:
    """One owner's causes in one period, the most harmful first, as they were at the instant ``as_of``.

    Days are those of the owner's own zone.
    """
    zone = settings.policy_for(owner).time_zone
    first, last = hours.local(since, zone), hours.local(until, zone)
    harm = sum(e.harm for e in entries)
    # What is only gone stands under what got better.
    told = [e for e in entries if e.need or e.below or not e.figures.is_empty]
    rest = told[compose.MOST_LINES :]
    unit = _unit(until - since)
    return compose.Digest(
        company=settings.company.name,
        to_name=facts.contact_name(owner, settings) or owner,
        since=first.date(),
        # A period that ends in the night ends with the day before, for people.
        until=(last - timedelta(seconds=1)).date(),
        as_of=hours.local(as_of, zone),
        unit=unit,
        total=_total(entries),
        needs=tuple(_need(e, settings, zone) for e in _needing(entries)),
        better=tuple(
            compose.Better(
                name=facts.cause_name(e.code, settings),
                change=e.change.value,
                tickets=e.figures.tickets,
                tickets_before=e.figures.tickets_before,
            )
            for e in _better(entries)
        ),
        lines=tuple(
            _line(e, settings, unit, harm, sum(before.harm for before in told[: place + 1]))
            for place, e in enumerate(told[: compose.MOST_LINES])
        ),
        rest=_total(rest),
        rest_share=_percent(sum(e.harm for e in rest), harm),
        thanks=_thanks(entries, settings),
        link=link if entries else None,
    )


def _total(entries: Sequence[Entry]) -> compose.Total:
    figures = [e.figures for e in entries]
    return compose.Total(
        causes=len(entries),
        tickets=len({ticket for e in entries for ticket in e.tickets}),
        tickets_before=len({ticket for e in entries for ticket in e.tickets_before}),
        confirmed=sum(f.confirmed for f in figures),
        denied=sum(f.denied for f in figures),
        silent=sum(f.silent for f in figures),
        recovered=sum(len(e.recovered) for e in entries),
        unsolved=sum(e.unsolved for e in entries),
    )


def _needing(entries: Iterable[Entry]) -> list[Entry]:
    """What waits for the owner, the most pressing first; in the order of harm where it is alike."""
    order = list(Need)
    return sorted((e for e in entries if e.need), key=lambda e: order.index(e.need or Need.NO_DATE))


def _need(entry: Entry, settings: Settings, zone: str) -> compose.Waiting:
    state = entry.state
    repeated = state.repeated_at
    return compose.Waiting(
        name=facts.cause_name(entry.code, settings),
        need=(entry.need or Need.NO_DATE).value,
        since=state.committed_to
        if entry.need is Need.DATE_PASSED
        else hours.local(repeated, zone).date()
        if repeated
        else None,
        escalated=state.escalated_from is not None and not state.acknowledged_at,
    )


def _better(entries: Iterable[Entry]) -> list[Entry]:
    """What there is less of: first what is gone, then by how many tickets fewer."""
    fewer = [e for e in entries if e.change in {Change.GONE, Change.DOWN}]
    return sorted(
        fewer, key=lambda e: (e.change is not Change.GONE, e.figures.tickets - e.figures.tickets_before)
    )


def _thanks(entries: Iterable[Entry], settings: Settings) -> tuple[compose.Thanks, ...]:
    """Who helped most customers in the period, with words that one of them gave for quoting."""
    helped: dict[str, list[FollowUp]] = {}
    quotes: dict[str, FollowUp] = {}
    for e in entries:
        for f in e.helped:
            helped.setdefault(_helper(f, settings), []).append(f)
        for f in e.praise:
            quotes.setdefault(_helper(f, settings), f)
    most = sorted(
        (name for name in helped if name), key=lambda name: (name not in quotes, -len(helped[name]), name)
    )
    return tuple(
        compose.Thanks(
            name=name,
            solved=len({(f.closure.source, f.closure.ticket_id) for f in helped[name]}),
            quote=quotes[name].quote if name in quotes else None,
            customer_credit=facts.credited(quotes[name]) if name in quotes else None,
        )
        for name in most[: compose.MOST_THANKS]
    )


def _helper(follow_up: FollowUp, settings: Settings) -> str:
    name, team = follow_up.closure.resolver_name, facts.team_name(follow_up, settings)
    return f"{name} ({team})" if name and team else name or team or ""


def _percent(part: int, whole: int) -> int:
    return round(100 * part / whole) if whole else 0


def _unit(period: timedelta) -> str:
    """What people call a period; an hour more or less is the change of the clocks."""
    for name, length in (("week", timedelta(days=7)), ("day", timedelta(days=1))):
        if abs(period - length) <= timedelta(hours=1):
            return name
    return "period"


def cause_entry(
    figures: CauseFigures, state: CauseState, about: Iterable[FollowUp], settings: Settings
) -> pages.CauseState:
    """One cause on its owner's page."""
    repeated_at = state.repeated_at
    return pages.CauseState(
        code=state.code,
        name=facts.cause_name(state.code, settings),
        tickets=figures.tickets,
        customers=figures.customers,
        denied=figures.denied,
        silent=figures.silent,
        confirmed=figures.confirmed,
        repeated_since=facts.our_day(repeated_at, settings) if repeated_at else None,
        acknowledged_at=facts.our_time(state.acknowledged_at, settings),
        committed_to=state.committed_to,
        note=state.note,
        examples=examples(about),
    )


def causes_of_digest(
    owner: str,
    since: datetime,
    until: datetime,
    as_of: datetime,
    entries: Sequence[Entry],
    link: Callable[[str], str | None],
    settings: Settings,
) -> pages.CausesPage:
    """The page behind a digest: its causes with its figures, the most harmful in full, the others in a list.

    ``link`` gives the address of a cause's own page.
    """
    zone = settings.policy_for(owner).time_zone
    told = sorted(entries, key=lambda e: e.need not in {Need.DATE_PASSED, Need.NOT_ACKNOWLEDGED})
    return pages.CausesPage(
        company=settings.company.name,
        owner_name=facts.contact_name(owner, settings) or owner,
        since=hours.local(since, zone).date(),
        until=(hours.local(until, zone) - timedelta(seconds=1)).date(),
        as_of=hours.local(as_of, zone),
        causes=tuple(
            cause_entry(e.figures, e.state, e.about, settings) for e in told[: pages.MOST_CAUSES_IN_FULL]
        ),
        others=tuple(
            pages.OtherCause(
                name=facts.cause_name(e.code, settings),
                link=link(e.code),
                tickets=e.figures.tickets,
                customers=e.figures.customers,
                denied=e.figures.denied,
                silent=e.figures.silent,
            )
            for e in told[pages.MOST_CAUSES_IN_FULL :]
        ),
    )


def _usual(tickets: float | None) -> str | None:
    """How many tickets would have been usual, in whole ones: "3 to 4"."""
    if tickets is None:
        return None
    low, high = floor(tickets + 0.05), ceil(tickets - 0.05)
    if high <= 1:
        return "at most one"
    return f"{low:,}" if low >= high else f"{low:,} to {high:,}"


def examples(follow_ups: Iterable[FollowUp]) -> tuple[compose.Example, ...]:
    """A few tickets that show what a cause does to customers; those with words of theirs first."""
    listed = sorted(follow_ups, key=lambda f: (_owner_may_read(f) is None, -f.opened_at.timestamp()))
    return tuple(
        compose.Example(
            ticket_id=f.closure.called,
            subject=facts.short(f.closure.subject),
            words=_owner_may_read(f),
            outcome=f.state.value,
        )
        for f in listed[:EXAMPLES]
    )


def _owner_may_read(follow_up: FollowUp) -> str | None:
    answer = follow_up.answer
    return answer.words if answer and not answer.solved else follow_up.quote


def _line(entry: Entry, settings: Settings, unit: str, harm: int, harm_so_far: int) -> compose.CauseLine:
    figures, state = entry.figures, entry.state
    return compose.CauseLine(
        name=facts.cause_name(figures.code, settings),
        tickets=figures.tickets,
        customers=figures.customers,
        denied=figures.denied,
        silent=figures.silent,
        not_asked=figures.not_asked,
        confirmed=figures.confirmed,
        recovered=len(entry.recovered),
        unsolved=entry.unsolved,
        tickets_before=figures.tickets_before,
        change=entry.change.value,
        quiet_before=entry.quiet_before,
        share=_percent(entry.harm, harm),
        share_so_far=_percent(harm_so_far, harm),
        trend=figures.trend,
        bucket_label=unit,
        words=tuple(f.answer.words for f in entry.complaints[:EXAMPLES] if f.answer and f.answer.words),
        repeated=state.repeated_at is not None,
        acknowledged_by=facts.contact_name(owner_of(state, settings), settings)
        if state.acknowledged_at
        else None,
        committed_to=state.committed_to,
        date_passed=entry.need is Need.DATE_PASSED,
        fixes=tuple(
            compose.Fixed(
                on=facts.our_day(f.fixed_at or f.made_at, settings), result=f.result and f.result.value
            )
            for f in entry.fixes[:FIXES]
        ),
        tickets_below=entry.below.tickets if entry.below else 0,
        customers_below=entry.below.customers if entry.below else 0,
    )
