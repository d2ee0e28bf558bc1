"""What people do about a cause after it was noticed: who may, what they promise, who gets it, what it is merged with.

Every deed is kept with who did it and when. A deed bears the id of the form that it came by, and is stored in one
transaction with what it changes: the same form a second time finds it done.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from domain import commitment
from domain.cause import CauseState, begin, due_of, manager_of, owner_of
from domain.errors import Refused
from domain.message import Kind, Message, owner_scope
from domain.settings import Policy, Settings

DEPTH = 20
"""More steps from manager to manager, or from cause to cause, are a circle."""


class What(StrEnum):
    """What was done."""

    ACKNOWLEDGED = "acknowledged"
    COMMITTED = "committed"
    DECLARED = "declared"
    WROTE = "wrote"
    """Something for customers, which nobody has confirmed yet."""
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    REASSIGNED = "reassigned"
    MERGED = "merged"
    TOOK_IN = "took_in"
    SEPARATED = "separated"
    MOVED = "moved"
    OVERDUE = "overdue"
    KEPT = "kept"
    BROKEN = "broken"
    HOLDS = "holds"
    OPENS_AGAIN = "opens_again"
    TOO_LITTLE = "too_little"


@dataclass(frozen=True, kw_only=True)
class Deed:
    """One thing that was done about a cause; ``by`` is the key of a contact, or empty for the clock."""

    cause: str
    form: str
    at: datetime
    what: What
    by: str = ""
    details: str | None = None
    """What makes it one of its kind: the date, the words, the other person or cause."""
    keep_until: datetime | None = None
    version: int = 0


class News(StrEnum):
    """Why one of our own people hears of a cause."""

    REASSIGNED = "reassigned"
    REMINDER = "reminder"
    """The day that the owner committed to is near."""
    OVERDUE = "overdue"
    DRAFT = "draft"
    """Something for customers waits to be confirmed."""
    PROMISE_NEAR = "promise_near"
    PROMISE_BROKEN = "promise_broken"
    HOLDS = "holds"
    OPENS_AGAIN = "opens_again"
    TOO_LITTLE = "too_little"
    SAID_EARLY = "said_early"
    """A customer still has it, and was the first to say so before the fix was judged."""
    SAID_LATE = "said_late"
    """A customer still has it, and said so after the fix was judged."""


def news(code: str, why: News, key: str, to: str, now: datetime, settings: Settings, **about: str) -> Message:
    """A mail to one of our own people about a cause; ``key`` is what happened once, so that it is told once."""
    return Message(
        scope=owner_scope(to),
        name=f"news#{code}#{why}#{key}",
        kind=Kind.CAUSE_NEWS,
        to=f"contact:{to}",
        created_at=now,
        due_at=now,
        about={"cause": code, "why": why.value, **about},
        keep_until=now + settings.policy.keep_for,
    )


def may_act(who: str, state: CauseState, settings: Settings) -> bool:
    """Whether this contact may do something about a cause: its owner may, and whoever is above the owner."""
    key: str | None = owner_of(state, settings)
    if who == manager_of(state, settings):
        return True
    for _ in range(DEPTH):
        if key is None or key == who:
            return key == who
        known = settings.contacts.get(key)
        key = known.manager if known else None
    return False


def next_step(
    state: CauseState, now: datetime, settings: Settings
) -> tuple[CauseState, Message | None, What | None]:
    """What the day that the owner committed to asks for: the owner's reminder, then the manager's notice, each once.

    Without a manager it is the owner who hears that the day is over.
    """
    day = state.committed_to
    if day is None or state.declared or state.merged_into or state.overdue_of == day:
        return replace(state, due_at=None), None, None
    owner = owner_of(state, settings)
    if now >= commitment.overdue_at(day, settings.policy):
        over = replace(state, overdue_of=day, due_at=None)
        to = manager_of(state, settings) or owner
        key, about = _change(state), {"day": day.isoformat(), "owner": owner}
        return over, news(state.code, News.OVERDUE, key, to, now, settings, **about), What.OVERDUE
    if state.reminded_of != day and now >= commitment.remind_at(day, settings.policy):
        near = replace(state, reminded_of=day, due_at=commitment.overdue_at(day, settings.policy))
        key, about = _change(state), {"day": day.isoformat()}
        return near, news(state.code, News.REMINDER, key, owner, now, settings, **about), None
    return replace(state, due_at=due_of(state, now, settings.policy)), None, None


def reassign(state: CauseState, to: str, now: datetime, settings: Settings) -> tuple[CauseState, Message]:
    """The cause in the hands of another contact, who is told; Refused for nobody we know and for who has it."""
    if to not in settings.contacts:
        raise Refused("nobody has this key")
    if to == owner_of(state, settings):
        raise Refused("they have it")
    # Whoever gets it has the whole time to acknowledge it; what their predecessor promised stands.
    unread = state.repeated_at is not None and state.acknowledged_at is None
    after = replace(state, owner=to, escalated_from=None if unread else state.escalated_from)
    if unread and not after.merged_into and not after.declared:
        after = replace(after, due_at=now + settings.policy.cause_acknowledge_within)
    owner = owner_of(state, settings)
    return after, news(state.code, News.REASSIGNED, _change(state), to, now, settings, owner=owner)


def _change(state: CauseState) -> str:
    """The change that is about to be stored: there is only one."""
    return f"{state.version + 1:06d}"


def merge(
    source: CauseState, target: CauseState, above: tuple[str, ...], settings: Settings
) -> tuple[CauseState, CauseState]:
    """Both states once ``source`` is part of ``target``; ``above`` are the causes that ``target`` is part of.

    Its tickets stay where they are; whoever reads ``target`` reads them too. Refused for a circle, for a cause that
    is part of another one, or that no settings know.
    """
    if source.merged_into:
        raise Refused("it is part of another cause")
    if source.code == target.code or source.code in above:
        raise Refused("a cause cannot be part of itself")
    if target.code not in settings.causes:
        raise Refused("no such cause")
    merged = replace(source, merged_into=target.code, due_at=None)
    return merged, replace(target, includes=tuple(sorted({*target.includes, source.code})))


def separate(
    source: CauseState, target: CauseState, now: datetime, policy: Policy
) -> tuple[CauseState, CauseState]:
    """Both states once ``source`` stands for itself again; Refused when it does."""
    if source.merged_into != target.code:
        raise Refused("it is not part of that cause")
    alone = replace(source, merged_into=None)
    # While it was a part nobody was asked to acknowledge it: whoever gets it back has the whole time.
    unread = alone.repeated_at is not None and alone.acknowledged_at is None and not alone.escalated_from
    due_at = (
        now + policy.cause_acknowledge_within if unread and not alone.declared else due_of(alone, now, policy)
    )
    alone = replace(alone, due_at=due_at)
    return alone, replace(target, includes=tuple(code for code in target.includes if code != source.code))


def open_again(state: CauseState, now: datetime, policy: Policy) -> CauseState:
    """The cause after its fix was found wanting: as if it had just been noticed, with a new time to acknowledge."""
    begun = begin(state, now, policy)
    return replace(begun, due_at=None) if state.merged_into else begun


def close(state: CauseState, now: datetime) -> CauseState:
    """The cause after its fix held: the next repetition is news at once, of tickets that the verdict did not know."""
    return replace(
        state,
        repeated_at=None,
        acknowledged_at=None,
        committed_to=None,
        note=None,
        fixed_at=now,
        due_at=None,
    )
