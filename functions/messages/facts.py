"""What a mail or a page says, taken from the records: pure functions from records to the contexts of compose and pages.

Days are those of the reader: the customer's own zone in what the customer gets, the company's zone in everything else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, cast

from domain import hours, reply, thanks
from domain.closure import DAY_ENDS, Closure, Contributor
from domain.delivery import Delivery, Progress
from domain.flag import Deed, Flag, Reason, Result, What, team_to_ask
from domain.follow_up import FollowUp, State, Suspect, Ticket, answers_until
from domain.message import Message, customers_address
from domain.person import Person, Surveys
from domain.promise import Promise, deleted_before, kept_name, last_day
from domain.recovery import Recovered
from domain.settings import UNCLASSIFIED, Settings
from messages import compose, pages

EXAMPLES = 5
HISTORY = 5
SAID = 10
"""So many of the customer's own texts are shown, the newest first."""
NOTES = 20
"""Solutions in one mail of gathered notes, and on one page of thanks."""
PEOPLE = 20


def closed(follow_up: FollowUp, settings: Settings, place: int = 0) -> compose.Closed:
    """One closing as its customer knows it."""
    closure = follow_up.closure
    return compose.Closed(
        ticket_id=closure.called,
        closed_on=_customers_day(closure.closed_at, follow_up, settings),
        subject=closure.subject,
        resolver_name=closure.resolver_name,
        team_name=team_name(follow_up, settings),
        solution=closure.solution,
        promise=closure.promise,
        promised_by=closure.promised_by,
        promised_until=_promised_day(closure) or _promised_moment(follow_up, settings),
        promise_missed=closure.promise_missed,
        again=follow_up.number > 1,
        place=place,
        since=_since(follow_up, settings),
    )


def _since(follow_up: FollowUp, settings: Settings) -> compose.Since | None:
    if not follow_up.asked_again:
        return None
    again = follow_up.asked_again[-1]
    before = [answer for answer in follow_up.answers if answer.at <= again.at]
    said = before[-1] if before else None
    return compose.Since(
        name=contact_name(again.by, settings) or again.by,
        words=again.done,
        said_no_on=_customers_day(said.at, follow_up, settings) if said else None,
    )


def survey(
    asked: Mapping[int, FollowUp],
    link: str,
    settings: Settings,
    now: datetime,
    *,
    reminder: bool,
    may_reply: bool = False,
    language: str | None = None,
    preferences_link: str | None = None,
) -> compose.Survey:
    """The survey, or its reminder, about follow-ups that are about to be asked together, by their place.

    ``language`` is the one that the customer chose.
    """
    first = next(iter(asked.values()))
    until = (
        _answer_by(asked, settings) if first.survey and reminder else now + settings.policy.link_answers_for
    )
    return compose.Survey(
        company=settings.company.name,
        language=language or _language(first),
        closures=tuple(closed(follow_up, settings, place) for place, follow_up in asked.items()),
        link=link,
        answer_by=_customers_day(until, first, settings),
        customer_name=first.closure.requester_name,
        reminder=reminder,
        may_reply=may_reply,
        reply_is_only_read=any(follow_up.together for follow_up in asked.values()),
        preferences_link=preferences_link,
    )


@dataclass(frozen=True, kw_only=True)
class Own:
    """What every mail to one customer has: the language that they chose, and their own links."""

    language: str | None
    link: str
    preferences_link: str
    may_reply: bool


def progress(message: Message, follow_up: FollowUp, own: Own, settings: Settings) -> compose.Progress:
    """How it stands, in the words of the person who looks after it."""
    return compose.Progress(
        company=settings.company.name,
        language=own.language or _language(follow_up),
        closure=closed(follow_up, settings),
        words=message.about["words"],
        name=contact_name(message.about["by"], settings) or message.about["by"],
        link=own.link,
        customer_name=follow_up.closure.requester_name,
        said_no=follow_up.state is State.DENIED,
        preferences_link=own.preferences_link,
        may_reply=own.may_reply,
        reply_is_only_read=bool(follow_up.together),
    )


def asked_again(follow_up: FollowUp, place: int, own: Own, settings: Settings) -> compose.Again:
    """The question whether it is solved now; ``place`` is the closing's number on the page."""
    return compose.Again(
        company=settings.company.name,
        language=own.language or _language(follow_up),
        closure=closed(follow_up, settings, place),
        link=own.link,
        answer_by=_customers_day(answers_until(follow_up, settings.policy), follow_up, settings),
        customer_name=follow_up.closure.requester_name,
        preferences_link=own.preferences_link,
        may_reply=own.may_reply,
        reply_is_only_read=bool(follow_up.together),
    )


def promise_kept(kept: Promise, follow_up: FollowUp, own: Own, settings: Settings) -> compose.PromiseKept:
    """What was promised is done, with the words of whoever did it."""
    by = kept.ended_by or kept.by
    return compose.PromiseKept(
        company=settings.company.name,
        language=own.language or _language(follow_up),
        closure=closed(follow_up, settings),
        promise_words=kept.words,
        promised_by=last_day(kept, follow_up.closure, settings),
        name=contact_name(by, settings) or by,
        words=kept.end_words,
        link=own.link,
        customer_name=follow_up.closure.requester_name,
        preferences_link=own.preferences_link,
        may_reply=own.may_reply,
        reply_is_only_read=bool(follow_up.together),
    )


def version_asked(message: Message, follow_up: FollowUp, link: str, settings: Settings) -> compose.Colleague:
    """To the team: how do you see it?"""
    return _colleague(message, follow_up, link, settings, "version_asked", message.about["by"])


def version_given(
    message: Message, follow_up: FollowUp, flag: Flag, link: str, settings: Settings
) -> compose.Colleague:
    """To whoever asked: the team has answered."""
    told = _colleague(message, follow_up, link, settings, "version_given")
    words = (flag.team_words,) if flag.team_words else ()
    return replace(told, name=team_name(follow_up, settings), words=words, wish=None)


def promise_due(
    message: Message, follow_up: FollowUp, due: Promise, link: str, settings: Settings
) -> compose.Colleague:
    """To whoever has to keep a promise."""
    told = _colleague(message, follow_up, link, settings, "promise_due")
    deleted_at = deleted_before(due)
    return replace(
        told,
        words=(due.words,),
        wish=None,
        until=last_day(due, follow_up.closure, settings),
        deleted_on=our_day(deleted_at, settings) if deleted_at else None,
    )


def _colleague(
    message: Message,
    follow_up: FollowUp,
    link: str,
    settings: Settings,
    topic: compose.Topic,
    by: str | None = None,
) -> compose.Colleague:
    group, _, key = message.to.partition(":")
    team = settings.teams.get(key) if group == "team" else None
    return compose.Colleague(
        company=settings.company.name,
        topic=topic,
        to_name=team.name if team else contact_name(key, settings) or key,
        ticket_id=follow_up.closure.called,
        link=link,
        name=contact_name(by, settings),
        subject=follow_up.closure.subject,
        customer_name=follow_up.closure.requester_name,
        words=_passed_on(follow_up),
        wish=follow_up.answer.wish if follow_up.answer else None,
    )


def version_page(
    flag: Flag,
    follow_up: FollowUp,
    asker: str,
    settings: Settings,
    *,
    form: str | None = None,
    error: str | None = None,
    saved: bool = False,
) -> pages.VersionPage:
    """Where the team says how it sees a customer's case; ``form`` stands in the form after an error."""
    closure = follow_up.closure
    return pages.VersionPage(
        company=settings.company.name,
        asker_name=contact_name(asker, settings) or asker,
        team_name=team_name(follow_up, settings) or "",
        ticket_id=closure.called,
        subject=closure.subject,
        closed_on=our_day(closure.closed_at, settings),
        resolver_name=closure.resolver_name or closure.resolver_email,
        words=_passed_on(follow_up),
        wish=follow_up.answer.wish if follow_up.answer else None,
        confirmed=follow_up.state is State.CONFIRMED,
        team_words=form if form is not None else flag.team_words,
        settled=flag.settled_at is not None,
        saved=saved,
        error=error,
    )


def survey_page(
    asked: Mapping[int, FollowUp],
    chosen: str | None,
    settings: Settings,
    now: datetime,
    *,
    language: str | None = None,
    preferences_link: str | None = None,
) -> pages.SurveyPage:
    """The question about follow-ups by their place; ``chosen`` (``yes``, ``2no``) only pre-selects."""
    first = next(iter(asked.values()))
    until = _answer_by(asked, settings)
    return pages.SurveyPage(
        company=settings.company.name,
        language=language or _language(first),
        preferences_link=preferences_link,
        asked=tuple(_asked(f, place, chosen, settings) for place, f in asked.items()),
        answer_by=_customers_day(until, first, settings),
        customer_name=first.closure.requester_name,
        asks_kept=True,
        late=now > until,
    )


def _asked(follow_up: FollowUp, place: int, chosen: str | None, settings: Settings) -> pages.Asked:
    case = closed(follow_up, settings, place)
    answer = follow_up.standing
    given = _yes_or_no(answer.solved if answer else None)
    picked: dict[str | None, pages.Answer] = {f"{place or ''}yes": "yes", f"{place or ''}no": "no"}
    return pages.Asked(
        **{**vars(case), "subject": short(case.subject)},
        chosen=picked.get(chosen, given),
        kept=_yes_or_no(answer.kept if answer else None),
    )


def answered_page(
    answered: Mapping[int, FollowUp],
    settings: Settings,
    *,
    language: str | None = None,
    preferences_link: str | None = None,
) -> pages.AnsweredPage:
    """What was recorded about follow-ups by their place, and what happens next and by when."""
    first = next(iter(answered.values()))
    return pages.AnsweredPage(
        company=settings.company.name,
        language=language or _language(first),
        preferences_link=preferences_link,
        recorded=tuple(recorded(follow_up, settings, place) for place, follow_up in answered.items()),
        customer_name=first.closure.requester_name,
        asks_wish=True,
        asks_credit=True,
        may_withdraw=True,
    )


def recorded(follow_up: FollowUp, settings: Settings, place: int = 0) -> pages.Recorded:
    """What was recorded about one closing."""
    answer = follow_up.answer
    if answer is None:
        raise ValueError("not answered")
    responsible = settings.contacts[settings.responsible_for(follow_up.team)]
    next_by = answer.at + settings.policy.flag_acknowledge_within
    unconfirmed_at = follow_up.unconfirmed_at or answer.at
    # Once the first of them had the time, somebody else may have it by now: then nobody is named.
    is_theirs = answer.at < unconfirmed_at + settings.policy.flag_acknowledge_within
    return pages.Recorded(
        ticket_id=follow_up.closure.called,
        place=place,
        subject=short(follow_up.closure.subject),
        answer="yes" if answer.solved else "no",
        kept=_yes_or_no(answer.kept),
        words=answer.words,
        wish=answer.wish,
        consented=answer.consent is not None,
        credited=credited(follow_up),
        withdrawn=answer.withdrawn,
        next_by=None if answer.solved else _customers_moment(next_by, follow_up, settings),
        responsible_name=responsible.name if is_theirs else None,
        team_name=team_name(follow_up, settings),
    )


def credited(follow_up: FollowUp) -> str | None:
    """The name under the customer's quote, as they chose it; None for nobody's."""
    answer, name = follow_up.answer, follow_up.closure.requester_name
    if answer is None or answer.consent is None:
        return None
    return dict(pages.credits(name)).get(answer.credit or "full")


def _answer_by(asked: Mapping[int, FollowUp], settings: Settings) -> datetime:
    return max(answers_until(follow_up, settings.policy) for follow_up in asked.values())


def _yes_or_no(said: bool | None) -> pages.Answer | None:
    return None if said is None else "yes" if said else "no"


def preferences_page(
    person: Person,
    language: str,
    settings: Settings,
    *,
    chosen: str | None = None,
    saved: bool = False,
    stopped: bool = False,
) -> pages.PreferencesPage:
    """What a customer chose, in their language or else in ``language``; ``chosen`` only pre-selects."""
    known = {known.value for known in Surveys}
    return pages.PreferencesPage(
        company=settings.company.name,
        language=person.language or language,
        surveys=Surveys(chosen if chosen in known else person.surveys).value,
        saved=saved,
        stopped=stopped,
        unreachable=person.suppressed is not None,
    )


def note(
    follow_up: FollowUp, settings: Settings, *, team: str | None, quoted: bool, link: str | None = None
) -> compose.SuccessNote:
    """The note to ``team``, a key; ``quoted`` adds the customer's words, exactly as they agreed to."""
    known = settings.teams.get(team or "")
    shown = vars(_thanked(follow_up, team, settings))
    return compose.SuccessNote(
        **(shown if quoted else {**shown, "quote": None, "customer_credit": None}),
        company=settings.company.name,
        team_name=known.name if known else follow_up.closure.team,
        to_name=None if known else contact_name(settings.responsible_for(None), settings),
        link=link,
    )


def _thanked(follow_up: FollowUp, team: str | None, settings: Settings) -> compose.Thanked:
    """One confirmed solution for the people of ``team``."""
    closure = follow_up.closure
    return compose.Thanked(
        ticket_id=closure.called,
        confirmed_on=our_day(follow_up.outcome_at or follow_up.opened_at, settings),
        subject=short(closure.subject),
        resolver_name=closure.resolver_name or closure.resolver_email,
        resolver_team_name=None if follow_up.team == team else team_name(follow_up, settings),
        helped=tuple(_helped(contributor, team, settings) for contributor in closure.contributors),
        quote=follow_up.quote,
        customer_credit=credited(follow_up) if follow_up.quote else None,
    )


def _helped(contributor: Contributor, team: str | None, settings: Settings) -> compose.Helped:
    theirs = settings.team_of(contributor.team) or settings.team_with(contributor.email)
    known = settings.teams.get(theirs or "")
    named = known.name if known else contributor.team
    return compose.Helped(
        name=contributor.name or (contributor.email if named is None else None),
        team_name=None if theirs and theirs == team and contributor.name else named,
        part=contributor.part,
    )


def gathered_notes(
    team: str, since: datetime, until: datetime, solved: list[FollowUp], link: str, settings: Settings
) -> compose.GatheredNotes:
    """A team's notes in one mail; those with words first."""
    listed = sorted(solved, key=lambda follow_up: follow_up.quote is None)
    return compose.GatheredNotes(
        company=settings.company.name,
        team_name=settings.teams[team].name,
        since=our_day(since, settings),
        until=our_day(until, settings),
        customers=thanks.customers(solved),
        solutions=tuple(_thanked(f, team, settings) for f in listed[:NOTES]),
        more=max(0, len(solved) - NOTES),
        link=link,
    )


def thanks_month(
    team: str, month: date, solved: list[FollowUp], link: str | None, settings: Settings
) -> compose.ThanksMonth:
    """A team's look back on the month that begins on ``month``."""
    return compose.ThanksMonth(
        company=settings.company.name,
        team_name=settings.teams[team].name,
        month=month,
        customers=thanks.customers(solved),
        solutions=len(solved),
        people=tuple(thanks.people(solved, team, settings)[:PEOPLE]),
        quotes=tuple(_thanked(f, team, settings) for f in solved if f.quote)[:EXAMPLES],
        link=link,
    )


def thanks_page(
    team: str, month: date, solved: list[FollowUp], now: datetime, settings: Settings
) -> pages.ThanksPage:
    """The same month as a page, with every solution."""
    listed = sorted(solved, key=lambda follow_up: follow_up.quote is None)
    this_month = our_day(now, settings).replace(day=1)
    kept_since = our_day(now - settings.policy.keep_for, settings).replace(day=1)
    return pages.ThanksPage(
        **vars(thanks_month(team, month, solved, None, settings)),
        entries=tuple(_thanked(f, team, settings) for f in listed[: thanks.MOST_SHOWN]),
        more=max(0, len(solved) - thanks.MOST_SHOWN),
        earlier=thanks.month_before(month) if month > kept_since else None,
        later=thanks.month_after(month) if month < this_month else None,
    )


def earlier(follow_up: FollowUp, ticket: Ticket, asked_before: Iterable[FollowUp]) -> tuple[FollowUp, ...]:
    """What happened before: the ticket's other closings, and what else its customer was asked about."""
    found = {
        (known.closure.source, known.closure.ticket_id, known.number): known
        for known in (*asked_before, *ticket.follow_ups)
    }
    found.pop((follow_up.closure.source, follow_up.closure.ticket_id, follow_up.number), None)
    return tuple(found.values())


def flag_mail(
    flag: Flag,
    follow_up: FollowUp,
    before: Iterable[FollowUp],
    link: str,
    settings: Settings,
    *,
    wrote: bool = False,
) -> compose.FlagRaised:
    """The handover summary for the person who has the flag now, or what the customer ``wrote`` meanwhile."""
    in_doubt = bool(follow_up.unread and follow_up.unread[-1].doubt)
    return compose.FlagRaised(
        link=link,
        wrote=("somebody" if in_doubt else "customer") if wrote else None,
        taken=flag.acknowledged_at is not None or flag.due_at is None,
        **_flag_facts(flag, follow_up, before, settings),
    )


def flag_page(
    flag: Flag,
    follow_up: FollowUp,
    before: Iterable[FollowUp],
    settings: Settings,
    now: datetime,
    *,
    form: str,
    updates: Iterable[Message] = (),
    questions: Iterable[Message] = (),
    promises: Iterable[Promise] = (),
    messages: Mapping[str, Message] | None = None,
    person: Person | None = None,
    asks_again: bool = False,
    team_asked: bool = False,
    recovered: Recovered | None = None,
    not_told: str | None = None,
    kept: Mapping[str, str] | None = None,
    error: str | None = None,
) -> pages.FlagPage:
    """The same summary as a page, with what has been done about it.

    ``updates`` and ``questions`` went to the customer before, and are among the ticket's ``messages``; ``form`` is a
    new id for what is pressed next; ``person`` is the customer, with what they chose; ``asks_again``: settling it asks
    the customer again; ``kept`` are fields that stand in their forms again after an error.
    """
    return pages.FlagPage(
        **_flag_facts(flag, follow_up, before, settings),
        form=form,
        updates=tuple(update(told, settings) for told in updates),
        may_write=customers_address(follow_up.closure, settings) is not None
        and not (person and person.suppressed),
        customers_language=(person and person.language) or _language(follow_up),
        typed=_typed(kept) if kept else None,
        newest=reply.newest(follow_up),
        questions=tuple(question(asked, follow_up, settings) for asked in questions),
        promises=tuple(promise(known, follow_up, messages or {}, settings) for known in promises),
        asks_again=asks_again,
        may_ask_team=bool(flag.version) and team_to_ask(follow_up, settings) is not None and not team_asked,
        team_asked=team_asked,
        team_words=flag.team_words,
        team_wrote_at=our_time(flag.team_wrote_at, settings),
        deeds=tuple(deed(done, settings) for done in flag.deeds if flag.version),
        recovered=(recovered.recovered, recovered.flagged) if recovered else None,
        not_told=not_told,
        today=our_day(now, settings),
        state=_flag_state(flag),
        acknowledged_by_name=contact_name(flag.acknowledged_by, settings),
        acknowledged_at=our_time(flag.acknowledged_at, settings),
        settled_by_name=contact_name(flag.settled_by, settings),
        settled_at=our_time(flag.settled_at, settings),
        settlement=flag.done,
        result=_result(flag.result),
        agreed_words=follow_up.answer.consent if follow_up.answer and follow_up.is_unhappy else None,
        error=error,
    )


def _flag_state(flag: Flag) -> pages.FlagState:
    if not flag.version:
        return "promised"
    return "settled" if flag.settled_at else "acknowledged" if flag.acknowledged_at else "raised"


def _typed(form: Mapping[str, str]) -> pages.Typed:
    return pages.Typed(
        action=form.get("action", ""),
        promise=form.get("promise"),
        words=form.get("words"),
        until=form.get("until"),
        result=form.get("result"),
        done=form.get("done"),
    )


def update(message: Message, settings: Settings) -> pages.Update:
    """A mail that somebody wrote to a customer, and what became of it."""
    by = message.about["by"]
    return pages.Update(
        words=message.about["words"],
        by_name=contact_name(by, settings) or by,
        written_at=hours.local(message.created_at, settings.policy.time_zone),
        fate=_fate(message),
        due_at=our_time(message.due_at if message.delivery is None else None, settings),
    )


def question(message: Message, follow_up: FollowUp, settings: Settings) -> pages.Question:
    """One time that the customer was asked again."""
    again = follow_up.asked_again[int(message.about["round"]) - 1]
    later = [one.at for one in follow_up.asked_again if one.at > again.at]
    answers = [a for a in follow_up.answers if a.at > again.at and (not later or a.at <= later[0])]
    return pages.Question(
        asked_at=hours.local(again.at, settings.policy.time_zone),
        fate=_fate(message),
        due_at=our_time(message.due_at if message.delivery is None else None, settings),
        answer=_yes_or_no(answers[-1].solved if answers else None),
    )


def promise(
    known: Promise, follow_up: FollowUp, messages: Mapping[str, Message], settings: Settings
) -> pages.Promised:
    """One promise and its end; of the ticket's ``messages``, by name, the one that told the customer."""
    told = messages.get(kept_name(known))
    return pages.Promised(
        id=known.name,
        words=known.words,
        by_name=contact_name(known.by, settings) or known.by,
        until=last_day(known, follow_up.closure, settings),
        end=known.end.value if known.end else None,
        ended_at=our_time(known.ended_at, settings),
        ended_by_name="the customer"
        if known.ended_by == "customer"
        else contact_name(known.ended_by, settings),
        note=known.end_words,
        fate=_fate(told) if told else None,
        due_at=our_time(told.due_at if told and told.delivery is None else None, settings),
    )


def deed(done: Deed, settings: Settings) -> pages.Done:
    """Who did what and when."""
    who = settings.teams.get((done.by or "").removeprefix("team:"))
    name = who.name if who and (done.by or "").startswith("team:") else contact_name(done.by, settings)
    words = None if done.what is What.RAISED else done.words
    if done.what is What.ESCALATED:
        words = contact_name(done.words, settings)
    return pages.Done(
        what=done.what.value,
        at=hours.local(done.at, settings.policy.time_zone),
        by_name=name,
        reason=cast(compose.FlagReason, done.words) if done.what is What.RAISED else None,
        words=words,
    )


def _fate(message: Message) -> pages.Fate:
    if message.cancelled:
        overtaken: pages.Fate = "not_sent" if message.cancelled == "nothing_to_say" else "impossible"
        return "not_wanted" if message.cancelled in {"suppressed", "opted_out"} else overtaken
    progress = message.delivery.progress if message.delivery else Progress.READY
    fates: dict[Progress, pages.Fate] = {
        Progress.SENT: "sent",
        Progress.DELIVERED: "arrived",
        Progress.UNKNOWN: "unknown",
        Progress.BOUNCED: "came_back",
        Progress.REFUSED: "came_back",
        Progress.COMPLAINED: "not_wanted",
    }
    return fates.get(progress, "waits")


def _flag_facts(
    flag: Flag, follow_up: FollowUp, before: Iterable[FollowUp], settings: Settings
) -> dict[str, Any]:
    closure, before = follow_up.closure, tuple(before)
    survey, reminder = follow_up.survey, follow_up.reminder
    asked_at = _asked_at(survey)
    history = sorted(before, key=lambda f: f.closure.closed_at, reverse=True)[:HISTORY]
    due_at = flag.due_at or flag.raised_at + settings.policy.flag_acknowledge_within
    called = {known.ref: known.closure.called for known in before}
    return {
        "company": settings.company.name,
        "to_name": contact_name(flag.holder, settings) or flag.holder,
        "reason": flag.reason.value,
        "ticket_id": closure.called,
        "acknowledge_by": hours.local(due_at, settings.policy.time_zone),
        "escalated_from": contact_name(flag.escalated_from, settings),
        "tried_twice": _tried_twice(flag),
        "customer_name": closure.requester_name,
        "customer_email": closure.requester_email,
        "ticket_url": closure.url,
        "subject": closure.subject,
        "closed_on": our_day(closure.closed_at, settings),
        "resolver_name": closure.resolver_name or closure.resolver_email,
        "team_name": team_name(follow_up, settings),
        "cause_name": cause_name(follow_up.cause, settings),
        "solution": closure.solution,
        "promise": closure.promise,
        "promised_by": closure.promised_by,
        "promised_until": _promised_day(closure) or our_time(closure.promised_until, settings),
        "promise_missed": closure.promise_missed,
        "words": _said(follow_up),
        "wish": follow_up.answer.wish if follow_up.answer else None,
        "uncounted": tuple(
            _uncounted(place, seen, follow_up, settings) for place, seen in enumerate(follow_up.suspects)
        ),
        "promise_kept": follow_up.answer.kept if follow_up.answer else None,
        "obstacle": follow_up.inquiry.obstacle.value if follow_up.inquiry else None,
        "asked_with": tuple(called.get(ref, ref.ticket_id) for ref in follow_up.together),
        "asked_on": our_day(asked_at, settings) if asked_at else None,
        "asked_perhaps": survey is not None and survey.progress in {Progress.CLAIMED, Progress.UNKNOWN},
        "reminded_on": our_day(reminder.sent_at, settings) if reminder and reminder.sent_at else None,
        "history": tuple(
            compose.Earlier(
                closed_on=our_day(f.closure.closed_at, settings),
                ticket_id=f.closure.called,
                subject=short(f.closure.subject),
                outcome=f.state.value,
            )
            for f in history
        ),
    }


def _asked_at(survey: Delivery | None) -> datetime | None:
    """When the question went out, or may have gone out."""
    if survey is None or (survey.sent_at is None and survey.progress in {Progress.READY, Progress.REFUSED}):
        return None
    return survey.sent_at or survey.claimed_at


def _tried_twice(flag: Flag) -> bool:
    """Whether a second "no" brought the flag to whoever has it; not that somebody was late since."""
    moved = [deed.what for deed in flag.deeds if deed.what in {What.RAISED, What.ESCALATED}]
    return (
        flag.reason is Reason.STILL_DENIED and moved[-1:] == [What.RAISED] and flag.escalated_from is not None
    )


def _promised_day(closure: Closure) -> date | None:
    """The day that something was promised by; None where nothing was, or where an hour was."""
    until = closure.promised_until
    return until.date() if until and until.time() == DAY_ENDS else None


def _promised_moment(follow_up: FollowUp, settings: Settings) -> date | None:
    until = follow_up.closure.promised_until
    return _customers_moment(until, follow_up, settings) if until else None


def _uncounted(place: int, seen: Suspect, follow_up: FollowUp, settings: Settings) -> compose.Uncounted:
    decided: compose.Standing = "counted" if seen.counted else "machine"
    undecided: compose.Standing = "open" if seen in follow_up.undecided else "overtaken"
    return compose.Uncounted(
        solved=seen.solved,
        at=hours.local(seen.at, settings.policy.time_zone),
        rules=seen.rules,
        place=place,
        standing=decided if seen.decided_at else undecided,
        countable=seen in follow_up.countable,
        decided_by=contact_name(seen.decided_by, settings),
        decided_at=our_time(seen.decided_at, settings),
    )


def helpdesk_note(follow_up: FollowUp, mark: str, settings: Settings) -> compose.HelpdeskNote:
    """The outcome for the helpdesk's own people; ``mark`` is by what the note is found again."""
    answer = follow_up.answer
    return compose.HelpdeskNote(
        company=settings.company.name,
        outcome=cast(Any, follow_up.state.value),
        mark=mark,
        words=_passed_on(follow_up),
        wish=answer.wish if answer else None,
        promise_kept=answer.kept if answer else None,
    )


def _passed_on(follow_up: FollowUp) -> tuple[str, ...]:
    """What colleagues beside the responsible person may read of it: beside a "yes" only what the customer agreed to.

    Also of a "yes" that is a "no" by now. And nothing of a mail that may be somebody else's: the responsible person is
    told that, and nobody else could tell.
    """
    if follow_up.state is State.CONFIRMED:
        return (follow_up.quote,) if follow_up.quote else ()
    said = [reply.words for reply in reversed(follow_up.unread) if reply.doubt is None]
    said.append(follow_up.answer.words if follow_up.answer else None)
    return tuple(words for words in said if words)[:SAID]


def _said(follow_up: FollowUp) -> tuple[str, ...]:
    """What the customer said so far, in answers and in replies that are none, the newest first."""
    said = [(answer.at, answer.words) for answer in follow_up.answers if answer.words]
    said += [(reply.at, reply.words) for reply in follow_up.replies if reply.words]
    newest_first = [words for _, words in sorted(reversed(said), key=lambda one: one[0], reverse=True)]
    return tuple(dict.fromkeys(newest_first))[:SAID]


def _result(result: Result | None) -> pages.FlagResult | None:
    if result is Result.AGREED:
        return "agreed"
    if result is Result.NOT_POSSIBLE:
        return "not_possible"
    return "solved" if result else None


def cause_name(code: str, settings: Settings) -> str:
    """What people call a cause."""
    if code == UNCLASSIFIED:
        return "Not classified"
    known = settings.causes.get(code)
    return known.name if known else code


def team_name(follow_up: FollowUp, settings: Settings) -> str | None:
    """What the team behind a follow-up is called: in the settings, else by the helpdesk."""
    known = settings.teams.get(follow_up.team or "")
    return known.name if known else follow_up.closure.team


def contact_name(key: str | None, settings: Settings) -> str | None:
    """What a contact is called; its key when the settings do not know it any more."""
    known = settings.contacts.get(key or "")
    return known.name if known else key


def short(text: str | None) -> str | None:
    """A subject, cut where it is too long for a line among others."""
    return text if text is None or len(text) <= 80 else f"{text[:79]}…"


def _customers_day(instant: datetime, follow_up: FollowUp, settings: Settings) -> date:
    return hours.local(instant, follow_up.closure.time_zone, settings.policy.time_zone).date()


def _customers_moment(instant: datetime, follow_up: FollowUp, settings: Settings) -> date:
    """The hour as well, but only on the customer's own clock: another one's would be misread."""
    if hours.known_zone(follow_up.closure.time_zone):
        return hours.local(instant, follow_up.closure.time_zone)
    return _customers_day(instant, follow_up, settings)


def _language(follow_up: FollowUp) -> str:
    return follow_up.closure.locale or "en"


def our_day(instant: datetime, settings: Settings) -> date:
    """The day on the company's own clock."""
    return hours.local(instant, settings.policy.time_zone).date()


def our_time(instant: datetime | None, settings: Settings) -> datetime | None:
    """The same instant on the company's own clock."""
    return hours.local(instant, settings.policy.time_zone) if instant else None
