"""What customers are told of a cause, and whom it reached.

CAUSE#<code>                        TELLING#<number>     what is told, and how far it has come
TOLD#<code>#<kind>#<episode>        MESSAGE#<person>     one for each person (adapters/outbox.py)
                                    SAID#<person>        what they answered
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from adapters import causes, outbox, people, table, tickets
from domain import cause, telling
from domain.cause import Mark
from domain.closure import Ref
from domain.fix import Evidence
from domain.follow_up import FollowUp, Ticket
from domain.message import Message, closure_of, ticket_scope
from domain.person import Person, person_key
from domain.settings import Policy, Settings
from domain.telling import Audience, Kind, Reached, Said, Telling

KIND = "telling"

NOBODY = Person(key="")
PAGE = 100
"""Closures that are looked at in one step: what one read in a batch takes."""


def row(told: Telling) -> table.Row:
    """The item of a telling."""
    return table.make_row(f"CAUSE#{told.cause}", sort_key(told.number), KIND, told, due_at=told.due_at)


def sort_key(number: int) -> str:
    """The sort key of a telling."""
    return f"TELLING#{number:04d}"


def save(told: Telling) -> None:
    """Store a telling; raises Changed when it is not the version that was loaded."""
    table.put(row(told))


def load(code: str, number: int) -> Telling | None:
    """One telling, or None."""
    item = table.get(f"CAUSE#{code}", sort_key(number))
    return table.read_row(item, Telling) if item else None


def newest(code: str, most: int = 10) -> list[Telling]:
    """The last tellings of a cause, the newest first."""
    return [
        table.read_row(item, Telling) for item in table.find_before(f"CAUSE#{code}", "TELLING#", None, most)
    ]


def fixes_above(code: str) -> list[Telling]:
    """The fixes of the causes that this one is part of, as far as its own customers were told of them."""
    found = [other for whole in causes.above(code) for other in newest(whole)]
    return [other for other in found if other.kind is Kind.FIX and code in other.family]


# --- answers ----------------------------------------------------------------------------------------------------------


def said_row(said: Said) -> table.Row:
    """The item of an answer."""
    return table.make_row(said.scope, f"SAID#{said.person}", "said", said, keep_until=said.keep_until)


def load_said(scope: str, person: str) -> Said | None:
    """What one customer answered, or None."""
    item = table.get(scope, f"SAID#{person}")
    return table.read_row(item, Said) if item else None


def answers(told: Telling) -> list[Said]:
    """What customers answered: read alone, because far more are told than answer."""
    return [table.read_row(item, Said) for item in table.find(told.scope, since="SAID#", until="SAID#~")]


def reached(told: Telling) -> Reached:
    """Whom a telling has reached, and what they answered, counted from its messages and answers themselves."""
    messages = [
        table.read_row(item, Message)
        for item in table.find(told.scope, since=outbox.sort_key(""), until=outbox.sort_key("~"))
    ]
    return telling.reached(messages, answers(told))


# --- the walk ---------------------------------------------------------------------------------------------------------


def walk(told: Telling, now: datetime, settings: Settings) -> tuple[str | None, int]:
    """Leave the messages for one page of closures: where to go on, None at the end, and how many messages are new.

    A message that is there already is left as it is, so that a page may be walked any number of times.
    """
    meant, cursor = _page(told, told.cursor, settings.policy)
    written = 0
    for message in _missing(told, meant, now, settings):
        written += table.put_missing(outbox.row(message))
    return cursor, written


def audience(told: Telling, now: datetime, settings: Settings) -> Audience:
    """Whom a draft would reach if it were confirmed now: the same walk, without leaving anything."""
    # Here and not above: the clock's steps walk without knowing any language, and Babel is a third of their start.
    from messages.language import negotiate

    cursor: str | None = None
    names: set[str] = set()
    languages: dict[str, int] = {}
    left_out: dict[str, int] = {}
    sample: FollowUp | None = None
    while True:
        meant, cursor = _page(told, cursor, settings.policy)
        persons = people.load_many(_keys(follow_up for follow_up, _ in meant))
        for message in _missing(told, meant, now, settings):
            if message.name in names:
                continue
            names.add(message.name)
            if message.cancelled:
                left_out[message.cancelled] = left_out.get(message.cancelled, 0) + 1
                continue
            follow_up = next(f for f, _ in meant if f.ref == closure_of(message))
            sample = sample or follow_up
            person = persons[person_key(follow_up.closure.requester_email or "")]
            tag = negotiate(person.language or follow_up.closure.locale or "en", "en").tag
            languages[tag] = languages.get(tag, 0) + 1
        if cursor is None:
            break
    ranked = sorted(languages.items(), key=lambda known: (-known[1], known[0]))
    return Audience(
        people=sum(languages.values()),
        sample=sample,
        languages=tuple(ranked),
        left_out=tuple(sorted(left_out.items())),
    )


def _missing(
    told: Telling, meant: list[tuple[FollowUp, Ticket | None]], now: datetime, settings: Settings
) -> Iterator[Message]:
    """The messages that this page needs and nobody has left yet, one for each person, of their newest closure."""
    persons = people.load_many(_keys(follow_up for follow_up, _ in meant))
    wanted: dict[str, Message] = {}
    for follow_up, _ in meant:
        address = follow_up.closure.requester_email
        person = persons[person_key(address)] if address else NOBODY
        message = telling.message_for(told, follow_up, person, now, settings)
        wanted.setdefault(message.name, message)
    keys = [(told.scope, outbox.sort_key(name)) for name in wanted]
    there = {str(item.sk) for item in table.get_many(keys)} if keys else set()
    return (message for name, message in wanted.items() if outbox.sort_key(name) not in there)


def _keys(follow_ups: Iterable[FollowUp]) -> list[str]:
    addresses = (follow_up.closure.requester_email for follow_up in follow_ups)
    return list(dict.fromkeys(person_key(address) for address in addresses if address))


def _page(
    told: Telling, cursor: str | None, policy: Policy
) -> tuple[list[tuple[FollowUp, Ticket | None]], str | None]:
    """A page of the closures whose customers it is for, as they are now, and where the next one begins."""
    if told.source_scope:
        return _page_of_people(told, cursor)
    since = told.made_at - policy.repeated_within if told.kind is Kind.KNOWN else None
    marked, following = _page_of_marks(told, cursor, since)
    if told.confirmed_at:
        # Whoever is walked for later came back after it: they are told when it is fixed for them, too.
        marked = [mark for mark in marked if mark.opened_at <= told.confirmed_at]
    if told.kind is not Kind.KNOWN:
        return [(follow_up, None) for follow_up in _follow_ups(marked)], following
    # Whoever is told because they would ask soon: whether a ticket was reopened stands beside it.
    records = [(tickets.load(mark.source, mark.ticket_id), mark.number) for mark in marked]
    found = [(known.follow_up(number), known.ticket) for known, number in records]
    return [(f, t) for f, t in found if f and telling.is_meant(told, f, t, policy)], following


def _page_of_marks(
    told: Telling, cursor: str | None, since: datetime | None
) -> tuple[list[Mark], str | None]:
    """A cursor is a cause and, behind a bar, the key of the mark before which to go on."""
    # What was merged with it after it was confirmed, nobody saw in its preview.
    family = sorted(told.family or causes.family(told.cause))
    code, _, before = (cursor or f"{family[0]}|").partition("|")
    marked, more = causes.marks_before(code, before or None, PAGE)
    is_over = since is not None and bool(marked) and marked[-1].opened_at < since
    if more and not is_over:
        return marked, f"{code}|{more}"
    later = [other for other in family if other > code]
    return [
        mark for mark in marked if since is None or mark.opened_at >= since
    ], f"{later[0]}|" if later else None


def _follow_ups(marked: list[Mark]) -> list[FollowUp]:
    keys = [(ticket_scope(mark.source, mark.ticket_id), tickets.sort_key(mark.number)) for mark in marked]
    return tickets.load_many(keys) if keys else []


def _page_of_people(
    told: Telling, cursor: str | None
) -> tuple[list[tuple[FollowUp, Ticket | None]], str | None]:
    """Those who got another telling or still will; of "not gone after all" those who said so."""
    said_no = told.kind is Kind.AGAIN
    prefix = "SAID#" if said_no else "MESSAGE#"
    rows = table.find_before(told.source_scope or "", prefix, cursor, PAGE)
    keys: list[tuple[str, str]] = []
    for item in rows:
        if said_no:
            said = table.read_row(item, Said)
            ref = None if said.gone else Ref(source=said.source, ticket_id=said.ticket_id, number=said.number)
        else:
            message = table.read_row(item, Message)
            ref = closure_of(message) if telling.hears_news(message) else None
        if ref:
            keys.append((ticket_scope(ref.source, ref.ticket_id), tickets.sort_key(ref.number)))
    found = tickets.load_many(keys) if keys else []
    return [(follow_up, None) for follow_up in found], str(rows[-1].sk) if len(rows) == PAGE else None


# --- judging ----------------------------------------------------------------------------------------------------------


def evidence(told: Telling, now: datetime, policy: Policy) -> Evidence:
    """What a fix is judged by: its cause's tickets since it, and in as much time before, and the answers.

    Days whose marks are not kept any more are compared with nothing: both times are as long as what is left.
    """
    fixed_at = told.fixed_at or told.made_at
    passed = now - fixed_at
    span = max(min(passed, policy.keep_for - passed), timedelta())
    until = fixed_at + span
    before = cause.count(
        mark for mark in causes.marks(told.cause, fixed_at - span, fixed_at) if mark.opened_at < fixed_at
    )
    since = cause.count(
        mark for mark in causes.marks(told.cause, fixed_at, until) if mark.opened_at >= fixed_at
    )
    answered = telling.reached((), answers(told))
    return Evidence(
        before=before.tickets,
        since=since.tickets,
        gone=answered.gone,
        not_gone=answered.not_gone,
        days=round(span.total_seconds() / 86_400, 1),
    )


def about_person(told: Telling, follow_up: FollowUp, known: list[FollowUp]) -> list[FollowUp]:
    """The person's other closures with the same cause, the newest first, one for each ticket."""
    family = set(told.family or causes.family(told.cause))
    mine = [f for f in known if f.cause in family and f.closure.ticket_id != follow_up.closure.ticket_id]
    newest_first = sorted(mine, key=lambda f: f.opened_at, reverse=True)
    return list({(f.closure.source, f.closure.ticket_id): f for f in reversed(newest_first)}.values())[::-1]
