"""What mails and pages say about a cause once it was noticed, taken from the records: pure functions as in facts."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import get_args

from domain import commitment, fix, hours, telling
from domain.cause import CauseFigures, CauseState, owner_of
from domain.fix import Evidence, Result
from domain.follow_up import FollowUp
from domain.message import Message
from domain.ownership import Deed, What
from domain.settings import Settings
from domain.telling import Kind, Reached, Said, Stage, Telling
from messages import compose, digest_facts, facts, pages
from messages.text import ENGLISH

DEEDS: Mapping[What, str] = {
    What.ACKNOWLEDGED: "{by} acknowledged it",
    What.COMMITTED: "{by} committed to {what}",
    What.DECLARED: "{by} declared a fix",
    What.WROTE: "{by} wrote to customers",
    What.CONFIRMED: "{by} confirmed what customers are told: {what}",
    What.CANCELLED: "{by} cancelled what was not sent yet",
    What.REASSIGNED: "{by} handed it over to {what}",
    What.MERGED: "{by} made it part of “{what}”",
    What.TOOK_IN: "{by} made “{what}” part of it",
    What.SEPARATED: "{by} separated it from “{what}”",
    What.MOVED: "{by} moved ticket {what}",
    What.OVERDUE: "The day that was committed to passed without a fix",
    What.KEPT: "Customers heard from us by the day they had been told",
    What.BROKEN: "Customers did not hear from us by the day they had been told",
    What.HOLDS: "The fix was judged: it holds",
    What.OPENS_AGAIN: "The fix was judged: it was not enough, so the cause is open again",
    What.TOO_LITTLE: "The fix was judged: too little is known to say whether it worked",
}
OUTCOMES: Mapping[Result, str] = {
    Result.HOLDS: "It holds.",
    Result.OPENS_AGAIN: "It was not enough; the cause is open again.",
    Result.TOO_LITTLE: "Too little is known to say whether it worked.",
    Result.SUPERSEDED: "Another fix came before this one could be judged.",
}


JUDGED = frozenset({"holds", "opens_again", "too_little", "said_late"})
"""News with what a fix was judged by."""


def told(
    given: Telling,
    follow_up: FollowUp,
    settings: Settings,
    *,
    language: str | None,
    link: str | None = None,
    preferences_link: str | None = None,
    others: Iterable[FollowUp] = (),
) -> compose.Told:
    """What one customer is told; ``language`` is the one that they chose, ``others`` their tickets with that cause."""
    return compose.Told(
        company=settings.company.name,
        language=language or follow_up.closure.locale or "en",
        kind=given.kind.value,
        closure=facts.closed(follow_up, settings),
        words=given.words,
        wrong=given.wrong,
        day=given.day,
        others=tuple(facts.closed(other, settings) for other in others),
        link=link,
        customer_name=follow_up.closure.requester_name,
        preferences_link=preferences_link,
    )


def gone_page(
    given: Telling,
    follow_up: FollowUp,
    settings: Settings,
    *,
    said: Said | None,
    chosen: str | None,
    language: str | None,
    preferences_link: str | None,
    answered: bool = False,
    unanswered: bool = False,
) -> pages.GonePage:
    """The question whether it is gone, with what was said before; ``chosen`` (``yes``, ``no``) only pre-selects."""
    picked: dict[str | None, pages.Answer] = {answer: answer for answer in get_args(pages.Answer)}
    stored: pages.Answer | None = None if said is None else "yes" if said.gone else "no"
    return pages.GonePage(
        company=settings.company.name,
        language=language or follow_up.closure.locale or "en",
        closure=facts.closed(follow_up, settings),
        wrong=given.wrong or "",
        words=given.words,
        day=given.day,
        chosen=stored if answered else picked.get(chosen, stored),
        kept_words=said.words if said else None,
        answered=answered,
        unanswered=unanswered,
        customer_name=follow_up.closure.requester_name,
        preferences_link=preferences_link,
    )


def news(
    message: Message,
    state: CauseState,
    about: Telling | None,
    words: Iterable[str],
    link: str,
    settings: Settings,
) -> compose.CauseNews:
    """What became of a cause, as the message says; of a fix with what it was judged by."""
    told_of = message.about
    evidence = about.evidence if about and told_of["why"] in JUDGED else None
    counted = evidence or Evidence(before=0, since=0, gone=0, not_gone=0)
    return compose.CauseNews(
        company=settings.company.name,
        to_name=_name(message.to.partition(":")[2], settings),
        cause_name=facts.cause_name(state.code, settings),
        why=_why(told_of["why"]),
        link=link,
        owner_name=_name(told_of.get("owner") or owner_of(state, settings), settings),
        day=date.fromisoformat(told_of["day"]) if "day" in told_of else None,
        before=counted.before,
        since=counted.since,
        days=_days(counted) if evidence else None,
        chance=_chance(counted) if evidence else None,
        gone=counted.gone,
        not_gone=counted.not_gone,
        words=tuple(words),
    )


def _why(word: str) -> compose.NewsKind:
    known: dict[str, compose.NewsKind] = {kind: kind for kind in get_args(compose.NewsKind)}
    return known[word]


def _days(evidence: Evidence) -> str:
    return f"{evidence.days:g}"


def _chance(evidence: Evidence) -> str:
    """In how many of 100 cases; below one with as many digits as it takes to be no zero."""
    share = 100 * fix.chance_of_drop(evidence.before, evidence.since)
    return f"{share:.0f}" if share >= 1 else "fewer than 1"


def state_line(state: CauseState, now: datetime, settings: Settings) -> str | None:
    """What is being done about a cause, in a sentence for the page with several."""
    if state.merged_into:
        return f"It is part of “{facts.cause_name(state.merged_into, settings)}” and counted there."
    if state.declared:
        return "A fix was declared. Its page shows whom it reached and when it is judged."
    day = state.committed_to
    if day and now >= commitment.end_of(day, settings.policy):
        return "The day that was committed to is over."
    return None


def cause_page(
    state: CauseState,
    figures: CauseFigures,
    about: Iterable[FollowUp],
    settings: Settings,
    now: datetime,
    *,
    reader: str,
    may_act: bool,
    form: str,
    tellings: Iterable[pages.Telling],
    known: Iterable[Telling],
    into: Iterable[str],
    movable: Iterable[FollowUp],
    deeds: Iterable[Deed],
    older: str | None,
    error: str | None = None,
    kept: Mapping[str, str] | None = None,
) -> pages.CausePage:
    """One cause with everything that was and can be done; ``into`` are the causes that tickets may be moved to."""
    owner, repeated_at, policy = owner_of(state, settings), state.repeated_at, settings.policy
    given = list(known)
    draft = any(each.stage is Stage.DRAFT for each in given)
    scope = telling.known_scope(state)
    was_told = any(scope in {each.scope, each.source_scope} and each.confirmed_at for each in given)
    may_tell = repeated_at is not None and not state.declared and not draft
    return pages.CausePage(
        company=settings.company.name,
        reader_name=_name(reader, settings),
        owner_name=_name(owner, settings),
        may_act=may_act,
        form=form,
        code=state.code,
        name=facts.cause_name(state.code, settings),
        tickets=figures.tickets,
        customers=figures.customers,
        window_days=policy.repeated_within.days,
        repeated_since=facts.our_day(repeated_at, settings) if repeated_at else None,
        acknowledged_at=facts.our_time(state.acknowledged_at, settings),
        committed_to=state.committed_to,
        overdue=state.committed_to is not None
        and not state.declared
        and now >= commitment.end_of(state.committed_to, policy),
        note=state.note,
        merged_into=facts.cause_name(state.merged_into, settings) if state.merged_into else None,
        parts=tuple(_choice(code, settings) for code in state.includes),
        examples=digest_facts.examples(about),
        tellings=tuple(tellings),
        may_declare=not draft,
        may_tell=may_tell and not was_told,
        may_update=may_tell and was_told,
        today=commitment.our_day(now, policy),
        contacts=tuple(
            pages.Choice(value=key, name=contact.name)
            for key, contact in settings.contacts.items()
            if key != owner
        ),
        causes=tuple(_choice(code, settings) for code in into),
        movable=tuple(
            pages.Choice(
                value=f"{f.closure.source}|{f.closure.ticket_id}",
                name=f"{f.closure.called}{f', {f.closure.subject}' if f.closure.subject else ''}",
            )
            for f in movable
        ),
        deeds=tuple(_deed(deed, settings) for deed in deeds),
        older=older,
        error=error,
        typed=typed(kept) if kept else None,
    )


def typed(form: Mapping[str, str]) -> pages.TypedOfCause:
    """The fields of a form that could not be taken, as its page shows them again."""
    return pages.TypedOfCause(
        action=form.get("action", ""),
        cause=form.get("cause"),
        committed_to=form.get("committed_to"),
        note=form.get("note"),
        wrong=form.get("wrong"),
        words=form.get("words"),
        day=form.get("day"),
        to=form.get("to"),
        into=form.get("into"),
        tickets=tuple(value for name, value in form.items() if name.startswith("ticket-")),
    )


def telling_card(
    given: Telling,
    reached: Reached,
    settings: Settings,
    *,
    people: int,
    left_out: Iterable[tuple[str, int]],
    previews: Iterable[pages.Preview],
) -> pages.Telling:
    """One telling as its cause's page shows it; ``people`` and ``left_out`` of a draft are what it would reach now."""
    judged_at = telling.check_at(given, settings.policy)
    waits = given.kind is Kind.FIX and given.stage in {Stage.TELLING, Stage.TOLD}
    return pages.Telling(
        number=given.number,
        kind=given.kind.value,
        stage=given.stage.value,
        words=given.words,
        wrong=given.wrong,
        day=given.day,
        by_name=_name(given.by, settings) if given.by else None,
        confirmed_at=facts.our_time(given.confirmed_at, settings),
        people=people,
        told=reached.told,
        waiting=reached.waiting,
        unknown=reached.unknown,
        left_out=tuple(pages.Number(name=reason, people=count) for reason, count in left_out),
        gone=reached.gone,
        not_gone=reached.not_gone,
        spoken=tuple(pages.Spoken(gone=gone, words=words) for gone, words in reached.words[:SPOKEN]),
        verdict=_verdict(given),
        judged_on=facts.our_day(judged_at, settings) if waits else None,
        previews=tuple(previews),
    )


SPOKEN = 20
"""Words of so many customers stand on the page, those who still have it first."""


def _verdict(given: Telling) -> str | None:
    if given.kept is not None:
        return "The promise was kept." if given.kept else "The promise was broken."
    if given.result is None:
        return None
    outcome = OUTCOMES[given.result]
    if given.result is Result.TOO_LITTLE and given.stage is not Stage.DONE:
        outcome = "Too little is known yet to say whether it worked; it is judged once more."
    evidence = given.evidence
    if evidence is None or given.result is Result.SUPERSEDED:
        return outcome
    before, gone = _number(evidence.before, "ticket"), _number(evidence.gone, "customer")
    return (
        f"{outcome} {before} in the {_days(evidence)} days before it and {evidence.since} since;"
        f" {gone} said that it is gone, {evidence.not_gone} that they still have it."
    )


def _number(many: int, what: str) -> str:
    return f"{many} {what}" if many == 1 else f"{many} {what}s"


def _deed(deed: Deed, settings: Settings) -> pages.DeedLine:
    what, _, words = (deed.details or "").partition("\n")
    named: dict[What, str] = {
        What.COMMITTED: ENGLISH.short_day(date.fromisoformat(what)) if deed.what is What.COMMITTED else what,
        What.REASSIGNED: _name(what, settings),
        What.MERGED: facts.cause_name(what, settings),
        What.TOOK_IN: facts.cause_name(what, settings),
        What.SEPARATED: facts.cause_name(what, settings),
    }
    line = DEEDS[deed.what].format(by=_name(deed.by, settings), what=named.get(deed.what, what))
    return pages.DeedLine(at=hours.local(deed.at, settings.policy.time_zone), deed=line, words=words or None)


def _choice(code: str, settings: Settings) -> pages.Choice:
    return pages.Choice(value=code, name=facts.cause_name(code, settings))


def _name(key: str, settings: Settings) -> str:
    known = settings.contacts.get(key)
    return known.name if known else key
