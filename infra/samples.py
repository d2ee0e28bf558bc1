"""One realistic context for each kind of mail and page, for the tests and for a look at what we send."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from typing import Any, get_args
from zoneinfo import ZoneInfo

from messages import compose, pages

COMPANY = "Nordlicht Networks"
CUSTOMER = "Anna Berg"
RESOLVER = "Marta Lindqvist"
TEAM = "Remote access"
TICKET = "48211"
SUBJECT = "VPN drops every hour since the update"
PROMISE = "A replacement router by Friday, and a call when it has arrived"
SOLUTION = "New firmware on your router, and a longer time limit on our side"
WISH = "A connection that holds for a whole working day"
WORDS = "The router came on Thursday, but the connection still drops.\nNobody called me."
PRAISE = "Marta stayed on the phone until it really worked.\nThat was the first time somebody did."
UPDATE = (
    "I have looked at your line myself: the router restarts every hour.\nA new one leaves our store tomorrow."
)
DONE = "Your router is new, and the connection has held for two days now."
TEAM_WORDS = (
    "We changed the time limit and saw no more drops that evening.\nThe router itself we did not check."
)
VERSION_LINK = "https://followup.example.com/v/eyJmIjo0ODIxMX0.aRk3Zw.3kT9wPz1Yc8RmQe5uV0xB2nJfSo"
SURVEY_LINK = "https://followup.example.com/s/eyJ0Ijo0ODIxMX0.aRk3Zw.6Zt0Qv1xJmC2kXW7dZ1h9mVb4nE"
PREFERENCES_LINK = "https://followup.example.com/u/eyJwIjoiYW5uYSJ9.aRk3Zw.Kx8rW2nQ5tVb7YcD1mZ4sLf0hJg"
FLAG_LINK = "https://followup.example.com/f/eyJmIjo0ODIxMX0.aRk3Zw.9dK2bS7wLrT5yUe0pQhX3cGzNvM"
THANKS_LINK = "https://followup.example.com/t/eyJ0IjoicmVtb3RlIn0.aRk3Zw.p2WvN8rXc5LbQ0yTzJ7mKdHs4Ge"
CAUSES_LINK = "https://followup.example.com/c/eyJvIjoiam9uYXMifQ.aRk3Zw.h4T8sYqE1nB6mVx0uKzP2rJdLwC"


def _case() -> compose.Closed:
    return compose.Closed(
        ticket_id=TICKET,
        subject=SUBJECT,
        solution=SOLUTION,
        closed_on=date(2026, 11, 19),
        resolver_name=RESOLVER,
        team_name=TEAM,
        promise=PROMISE,
        promised_by=RESOLVER,
        promised_until=date(2026, 11, 20),
    )


def _other_case() -> compose.Closed:
    return compose.Closed(
        ticket_id="48305",
        subject="Invoice shows the old address",
        closed_on=date(2026, 11, 18),
        team_name="Billing",
        again=True,
    )


def survey() -> compose.Survey:
    """The first question."""
    return compose.Survey(
        company=COMPANY,
        customer_name=CUSTOMER,
        closures=(_case(),),
        link=SURVEY_LINK,
        answer_by=date(2026, 12, 4),
        preferences_link=PREFERENCES_LINK,
        may_reply=True,
    )


def survey_again() -> compose.Survey:
    """The question after the second closing; the promise was broken."""
    case = replace(_case(), closed_on=date(2026, 11, 30), solution=None, again=True, promise_missed=True)
    return replace(survey(), closures=(case,), answer_by=date(2026, 12, 14))


def survey_bare() -> compose.Survey:
    """Next to nothing is known."""
    case = compose.Closed(ticket_id=TICKET, closed_on=date(2026, 11, 30))
    return compose.Survey(company=COMPANY, closures=(case,), link=SURVEY_LINK, answer_by=date(2026, 12, 14))


def survey_several() -> compose.Survey:
    """Two closings in one mail."""
    return replace(survey(), closures=(_case(), _other_case()), reply_is_only_read=True)


def reminder() -> compose.Survey:
    """The only reminder."""
    return replace(survey(), reminder=True)


def reminder_bare() -> compose.Survey:
    """The only reminder, and little is known."""
    return replace(survey_bare(), reminder=True)


def reminder_several() -> compose.Survey:
    """The only reminder of two closings."""
    return replace(survey_several(), reminder=True)


def progress() -> compose.Progress:
    """How it stands after a "no"."""
    return compose.Progress(
        company=COMPANY,
        customer_name=CUSTOMER,
        closure=_case(),
        words=UPDATE,
        name="Jonas Weber",
        said_no=True,
        link=SURVEY_LINK,
        preferences_link=PREFERENCES_LINK,
        may_reply=True,
    )


def progress_bare() -> compose.Progress:
    """The same after silence, and little is known."""
    return compose.Progress(
        company=COMPANY,
        closure=survey_bare().closures[0],
        words=UPDATE,
        name="Jonas Weber",
        link=SURVEY_LINK,
    )


def asked_again() -> compose.Again:
    """The question after a "no", once somebody had worked on it."""
    since = compose.Since(name="Jonas Weber", words=DONE, said_no_on=date(2026, 11, 21))
    return compose.Again(
        company=COMPANY,
        customer_name=CUSTOMER,
        closure=replace(_case(), since=since),
        link=SURVEY_LINK,
        answer_by=date(2026, 12, 11),
        preferences_link=PREFERENCES_LINK,
        may_reply=True,
    )


def asked_again_silent() -> compose.Again:
    """The same after silence; the closing was asked about together with another one."""
    since = compose.Since(name="Jonas Weber", words=DONE)
    case = compose.Closed(ticket_id=TICKET, closed_on=date(2026, 11, 19), since=since, place=2)
    return compose.Again(company=COMPANY, closure=case, link=SURVEY_LINK, answer_by=date(2026, 12, 11))


def promise_kept() -> compose.PromiseKept:
    """A promise is kept, in the words of whoever kept it."""
    return compose.PromiseKept(
        company=COMPANY,
        customer_name=CUSTOMER,
        closure=_case(),
        promise_words=PROMISE,
        promised_by=date(2026, 11, 27),
        name="Jonas Weber",
        words="The router is with you since this morning, and I called you at ten.",
        link=SURVEY_LINK,
        preferences_link=PREFERENCES_LINK,
        may_reply=True,
    )


def promise_kept_bare() -> compose.PromiseKept:
    """A promise is kept, and nobody said more."""
    bare = replace(promise_kept(), customer_name=None, words=None, preferences_link=None, may_reply=False)
    return replace(bare, closure=survey_bare().closures[0])


def version_asked() -> compose.Colleague:
    """To the team, about a customer who is not content."""
    return compose.Colleague(
        company=COMPANY,
        topic="version_asked",
        to_name=TEAM,
        ticket_id=TICKET,
        link=VERSION_LINK,
        name="Jonas Weber",
        subject=SUBJECT,
        customer_name=CUSTOMER,
        words=(WORDS,),
        wish=WISH,
    )


def version_given() -> compose.Colleague:
    """The team's answer."""
    return replace(
        version_asked(),
        topic="version_given",
        to_name="Jonas Weber",
        link=FLAG_LINK,
        name=TEAM,
        words=(TEAM_WORDS,),
        wish=None,
    )


def promise_due() -> compose.Colleague:
    """A day is left."""
    return replace(
        version_given(), topic="promise_due", name=None, words=(PROMISE,), until=date(2026, 11, 27)
    )


def flag_still_denied() -> compose.FlagRaised:
    """Asked again twice, and still not solved."""
    return replace(
        flag_denied(),
        reason="still_denied",
        to_name="Selma Aydin",
        escalated_from="Jonas Weber",
        tried_twice=True,
    )


def flag_promise_broken() -> compose.FlagRaised:
    """Nobody said that the promise was kept."""
    return replace(flag_denied(), reason="promise_broken", words=())


def flag_customer_wrote() -> compose.FlagRaised:
    """An answer to what the responsible person had written."""
    words = ("Thursday is fine, but only after five.", WORDS)
    return replace(flag_denied(), wrote="customer", taken=True, words=words)


def flag_somebody_wrote() -> compose.FlagRaised:
    """From another address, about a flag that nobody has acknowledged yet."""
    return replace(flag_denied(), wrote="somebody", words=("Ms Berg is away. Please call me instead.",))


def flag_denied() -> compose.FlagRaised:
    """The customer said no, with words and a history."""
    return compose.FlagRaised(
        company=COMPANY,
        to_name="Jonas Weber",
        reason="denied",
        customer_name=CUSTOMER,
        customer_email="anna.berg@example.com",
        ticket_id=TICKET,
        ticket_url="https://nordlicht.example.net/agent/tickets/48211",
        subject=SUBJECT,
        closed_on=date(2026, 11, 19),
        resolver_name=RESOLVER,
        team_name=TEAM,
        cause_name="Router firmware",
        solution=SOLUTION,
        promise=PROMISE,
        promised_by=RESOLVER,
        promised_until=date(2026, 11, 20),
        words=(WORDS,),
        wish=WISH,
        asked_on=date(2026, 11, 20),
        history=(
            compose.Earlier(
                closed_on=date(2026, 10, 2), ticket_id="46093", subject="VPN drops", outcome="silent"
            ),
            compose.Earlier(
                closed_on=date(2026, 9, 14),
                ticket_id="45120",
                subject="Mail on the phone",
                outcome="confirmed",
            ),
        ),
        link=FLAG_LINK,
        acknowledge_by=datetime(2026, 11, 24, 9, 30, tzinfo=UTC),
    )


def flag_silent() -> compose.FlagRaised:
    """No answer, and the first person did not react either."""
    return compose.FlagRaised(
        company=COMPANY,
        to_name="Selma Aydin",
        reason="silent",
        escalated_from="Jonas Weber",
        customer_name=CUSTOMER,
        customer_email="anna.berg@example.com",
        ticket_id=TICKET,
        subject=SUBJECT,
        closed_on=date(2026, 11, 19),
        team_name=TEAM,
        asked_on=date(2026, 11, 20),
        reminded_on=date(2026, 11, 24),
        link=FLAG_LINK,
        acknowledge_by=datetime(2026, 11, 30, 9, 30, tzinfo=UTC),
    )


def flag_unknown() -> compose.FlagRaised:
    """The provider's answer was lost."""
    return replace(flag_denied(), reason="unknown", words=(), wish=None, asked_perhaps=True)


HELPED = (
    compose.Helped(name="Bo Jensen", part="brought the new router"),
    compose.Helped(name="Noor Haddad", team_name="Billing"),
)


def _pressed() -> tuple[compose.Uncounted, ...]:
    """A machine pressed both, and somebody who was perhaps the customer."""
    day = datetime(2026, 11, 20, 9, 31, tzinfo=UTC)
    machine = compose.Uncounted(
        solved=True,
        at=day,
        rules=("hidden_field", "at_once", "just_sent"),
        place=0,
        standing="machine",
        countable=True,
        decided_by="Jonas Weber",
        decided_at=datetime(2026, 11, 27, 15, 12, tzinfo=UTC),
    )
    person = compose.Uncounted(
        solved=False, at=day.replace(hour=14), rules=("at_once",), place=2, standing="open", countable=True
    )
    return (machine, replace(machine, solved=False, rules=("contradicts",), place=1), person)


def flag_pressed() -> compose.FlagRaised:
    """No answer, but presses that look like a machine's."""
    return replace(flag_silent(), uncounted=_pressed())


def success_note() -> compose.SuccessNote:
    """Confirmed, and nothing more."""
    return compose.SuccessNote(
        company=COMPANY,
        team_name=TEAM,
        ticket_id=TICKET,
        subject=SUBJECT,
        resolver_name=RESOLVER,
        confirmed_on=date(2026, 11, 21),
        link=THANKS_LINK,
    )


def appreciation_note() -> compose.SuccessNote:
    """With words that the customer wants the team to read, and with others who had a part in it."""
    return replace(success_note(), helped=HELPED, quote=PRAISE, customer_credit=CUSTOMER)


def note_to_another_team() -> compose.SuccessNote:
    """For a team that helped the resolver's."""
    return replace(
        success_note(), team_name="Billing", resolver_team_name=TEAM, helped=HELPED, link=THANKS_LINK
    )


def note_without_a_team() -> compose.SuccessNote:
    """The ticket names nobody, so it goes to whoever is responsible."""
    return replace(success_note(), team_name=None, to_name="Jonas Weber", resolver_name=None, link=None)


def _thanked(quoted: bool = False) -> tuple[compose.Thanked, ...]:
    first = compose.Thanked(
        ticket_id=TICKET,
        subject=SUBJECT,
        resolver_name=RESOLVER,
        helped=HELPED,
        confirmed_on=date(2026, 11, 21),
        quote=PRAISE,
        customer_credit=CUSTOMER,
    )
    second = compose.Thanked(
        ticket_id="48377",
        subject="Second telephone does not ring",
        resolver_name="Bo Jensen",
        confirmed_on=date(2026, 11, 20),
        quote="Solved within the hour. I did not expect that.",
    )
    third = compose.Thanked(ticket_id="48290", confirmed_on=date(2026, 11, 19), resolver_name=RESOLVER)
    return (first, second) if quoted else (first, second, third)


def gathered_notes() -> compose.GatheredNotes:
    """A week in one mail."""
    return compose.GatheredNotes(
        company=COMPANY,
        team_name=TEAM,
        since=date(2026, 11, 13),
        until=date(2026, 11, 20),
        customers=7,
        solutions=_thanked(),
        more=5,
        link=THANKS_LINK,
    )


def thanks_month() -> compose.ThanksMonth:
    """A month that a team may be proud of."""
    return compose.ThanksMonth(
        company=COMPANY,
        team_name=TEAM,
        month=date(2026, 11, 1),
        customers=21,
        solutions=24,
        people=((RESOLVER, 14), ("Bo Jensen", 9), ("Ines Prado", 3)),
        quotes=_thanked(quoted=True),
        link=THANKS_LINK,
    )


def thanks_page() -> pages.ThanksPage:
    """The same month as a page."""
    return pages.ThanksPage(
        **vars(thanks_month()),
        entries=_thanked(),
        more=21,
        earlier=date(2026, 10, 1),
        later=date(2026, 12, 1),
    )


def thanks_page_empty() -> pages.ThanksPage:
    """A month that has only begun."""
    return pages.ThanksPage(
        company=COMPANY,
        team_name=TEAM,
        month=date(2026, 12, 1),
        customers=0,
        solutions=0,
        earlier=date(2026, 11, 1),
    )


def _examples() -> tuple[compose.Example, ...]:
    return (
        compose.Example(ticket_id=TICKET, subject=SUBJECT, words=WORDS, outcome="denied"),
        compose.Example(
            ticket_id="48177", subject="No connection after the weekend", words=None, outcome="silent"
        ),
        compose.Example(
            ticket_id="47950", subject="Router restarts at night", words=None, outcome="confirmed"
        ),
    )


def cause_repeated() -> compose.CauseRepeated:
    """A root cause came back."""
    return compose.CauseRepeated(
        company=COMPANY,
        to_name="Jonas Weber",
        cause_name="Router firmware",
        tickets=7,
        customers=4,
        window_days=7,
        usual="2 to 3",
        examples=_examples(),
        link=CAUSES_LINK,
    )


def cause_escalated() -> compose.CauseRepeated:
    """The owner did not acknowledge it, so it goes to the manager."""
    return compose.CauseRepeated(
        company=COMPANY,
        to_name="Selma Aydin",
        cause_name="Router firmware",
        tickets=7,
        customers=4,
        window_days=30,
        link=CAUSES_LINK,
        escalated_from="Jonas Weber",
    )


def digest() -> compose.Digest:
    """One week of a process owner: something to do, something that got better, somebody to thank."""
    return compose.Digest(
        company=COMPANY,
        to_name="Jonas Weber",
        since=date(2026, 11, 16),
        until=date(2026, 11, 22),
        as_of=datetime(2026, 11, 23, 8, 1, tzinfo=ZoneInfo("Europe/Berlin")),
        total=compose.Total(
            causes=4,
            tickets=10,
            tickets_before=12,
            confirmed=4,
            denied=3,
            silent=2,
            recovered=1,
            unsolved=4,
        ),
        needs=(
            compose.Waiting(name="Licence not renewed", need="date_passed", since=date(2026, 11, 20)),
            compose.Waiting(
                name="Router firmware", need="not_acknowledged", since=date(2026, 11, 12), escalated=True
            ),
        ),
        better=(
            compose.Better(name="Wrong cable in the box", change="gone", tickets=0, tickets_before=3),
            compose.Better(name="Unclear instructions", change="down", tickets=1, tickets_before=3),
        ),
        lines=(
            compose.CauseLine(
                name="Router firmware",
                tickets=7,
                customers=4,
                denied=3,
                silent=1,
                confirmed=2,
                unsolved=4,
                tickets_before=4,
                change="up",
                fixes=(compose.Fixed(on=date(2026, 10, 8), result="opens_again"),),
                share=76,
                share_so_far=76,
                trend=(2, 1, 0, 3, 4, 7),
                words=(WORDS, "It takes three calls every single time."),
                repeated=True,
            ),
            compose.CauseLine(
                name="Licence not renewed",
                tickets=2,
                customers=2,
                denied=0,
                silent=1,
                confirmed=1,
                recovered=1,
                tickets_before=2,
                change="same",
                share=20,
                share_so_far=96,
                trend=(1, 2, 0, 1, 2, 2),
                acknowledged_by="Jonas Weber",
                committed_to=date(2026, 11, 20),
                date_passed=True,
            ),
            compose.CauseLine(
                name="Unclear instructions",
                tickets=1,
                customers=1,
                denied=0,
                silent=0,
                confirmed=1,
                tickets_before=3,
                change="down",
                share=4,
                share_so_far=100,
                trend=(0, 2, 1, 1, 3, 1),
            ),
        ),
        thanks=(
            compose.Thanks(
                name=f"{RESOLVER} ({TEAM})", solved=3, quote=PRAISE, customer_credit="Anna B., customer"
            ),
            compose.Thanks(name="Field service", solved=1),
        ),
        link=CAUSES_LINK,
    )


def digest_one() -> compose.Digest:
    """The smallest that says anything: one cause, new."""
    line = compose.CauseLine(
        name="Router firmware",
        tickets=1,
        customers=1,
        denied=0,
        silent=0,
        confirmed=0,
        tickets_before=0,
        change="new",
        quiet_before=5,
        share=100,
        share_so_far=100,
        trend=(0, 0, 0, 0, 0, 1),
    )
    return replace(digest_empty(), lines=(line,), total=compose.Total(causes=1, tickets=1), link=CAUSES_LINK)


def digest_of(causes: int) -> compose.Digest:
    """A week of somebody who owns so many causes, each with tickets: fewer of each the further down."""
    tickets = [max(1, 60 // place) for place in range(1, causes + 1)]
    harm = [3 * count for count in tickets]
    lines = tuple(
        replace(
            digest().lines[place % 3],
            name=f"{digest().lines[place % 3].name}, model {place + 1}",
            tickets=count,
            customers=count,
            denied=count // 3,
            silent=count // 4,
            confirmed=count // 2,
            unsolved=count // 3,
            tickets_before=count + 1 - place % 3,
            change=("down", "same", "up")[place % 3],
            share=round(100 * harm[place] / sum(harm)),
            share_so_far=round(100 * sum(harm[: place + 1]) / sum(harm)),
            trend=(*(max(0, count + n % 3 - 1) for n in range(4)), count + 1 - place % 3, count),
        )
        for place, count in enumerate(tickets)
    )
    shown, others = lines[: compose.MOST_LINES], lines[compose.MOST_LINES :]
    return replace(
        digest(),
        lines=shown,
        total=_total(lines),
        rest=_total(others),
        rest_share=round(100 * sum(harm[compose.MOST_LINES :]) / sum(harm)),
        needs=digest().needs * max(1, causes // 10),
        better=tuple(
            compose.Better(
                name=line.name, change="down", tickets=line.tickets, tickets_before=line.tickets_before
            )
            for line in lines
            if line.change == "down"
        ),
    )


def _total(lines: tuple[compose.CauseLine, ...]) -> compose.Total:
    return compose.Total(
        causes=len(lines),
        tickets=sum(line.tickets for line in lines),
        tickets_before=sum(line.tickets_before for line in lines),
        confirmed=sum(line.confirmed for line in lines),
        denied=sum(line.denied for line in lines),
        silent=sum(line.silent for line in lines),
        unsolved=sum(line.unsolved for line in lines),
    )


def digest_empty() -> compose.Digest:
    """A week in which nothing happened."""
    return compose.Digest(
        company=COMPANY,
        to_name="Jonas Weber",
        since=date(2026, 11, 16),
        until=date(2026, 11, 22),
        as_of=datetime(2026, 11, 23, 8, 1, tzinfo=ZoneInfo("Europe/Berlin")),
    )


def _asked(case: compose.Closed, chosen: pages.Answer | None = None) -> pages.Asked:
    return pages.Asked(**vars(case), chosen=chosen)


def survey_page() -> pages.SurveyPage:
    """The question, opened from the "yes" button."""
    return pages.SurveyPage(
        company=COMPANY,
        customer_name=CUSTOMER,
        asked=(_asked(_case(), "yes"),),
        answer_by=date(2026, 12, 4),
        asks_kept=True,
        seal="c2VhbGVk",
        trap_link="?a=website",
        preferences_link=PREFERENCES_LINK,
    )


def survey_page_again() -> pages.SurveyPage:
    """The question after the second closing; the promise was broken."""
    again = survey_again()
    return replace(survey_page(), asked=(_asked(again.closures[0]),), answer_by=again.answer_by)


def survey_page_late() -> pages.SurveyPage:
    """The question after the date, sent without an answer; little is known."""
    bare = survey_bare().closures[0]
    return pages.SurveyPage(
        company=COMPANY, asked=(_asked(bare),), late=True, unanswered=True, answer_by=date(2026, 12, 4)
    )


def survey_page_once_more() -> pages.SurveyPage:
    """The press came as fast as a machine's, and with words."""
    page = survey_page()
    return replace(page, once_more=True, asked=(replace(page.asked[0], words=WORDS),))


def survey_page_asked_again() -> pages.SurveyPage:
    """The question once more, after somebody had worked on it."""
    return replace(survey_page(), asked=(_asked(asked_again().closure),))


def survey_page_several() -> pages.SurveyPage:
    """Two closings in one form."""
    return replace(survey_page(), asked=(_asked(_case(), "yes"), _asked(_other_case())))


def _answered(*recorded: pages.Recorded) -> pages.AnsweredPage:
    return pages.AnsweredPage(
        company=COMPANY,
        customer_name=CUSTOMER,
        recorded=recorded,
        asks_wish=True,
        asks_credit=True,
        may_withdraw=True,
        preferences_link=PREFERENCES_LINK,
    )


def _yes() -> pages.Recorded:
    return pages.Recorded(ticket_id=TICKET, subject=SUBJECT, answer="yes", kept="yes", team_name=TEAM)


def _no() -> pages.Recorded:
    return pages.Recorded(
        ticket_id=TICKET,
        subject=SUBJECT,
        answer="no",
        kept="no",
        team_name=TEAM,
        responsible_name="Jonas Weber",
        next_by=datetime(2026, 11, 25, 17, 30, tzinfo=UTC),
    )


def answered_yes() -> pages.AnsweredPage:
    """Solved, nothing written yet."""
    return _answered(_yes())


def answered_yes_with_words() -> pages.AnsweredPage:
    """Solved, words stored, consent asked."""
    return _answered(replace(_yes(), words=PRAISE))


def answered_yes_with_name() -> pages.AnsweredPage:
    """The same where the name is part of the consent, for whoever does not store another choice."""
    return replace(answered_yes_with_words(), asks_credit=False, asks_wish=False, may_withdraw=False)


def answered_yes_consented() -> pages.AnsweredPage:
    """Solved, words passed on."""
    return _answered(replace(_yes(), words=PRAISE, consented=True, credited="Anna"))


def answered_yes_withdrawn() -> pages.AnsweredPage:
    """Solved, words taken back."""
    return _answered(replace(_yes(), words=PRAISE, withdrawn=True))


def answered_no() -> pages.AnsweredPage:
    """Not solved, nothing written yet."""
    return _answered(_no())


def answered_no_with_words() -> pages.AnsweredPage:
    """Not solved, words stored."""
    return _answered(replace(_no(), words=WORDS, wish=WISH))


def answered_bare() -> pages.AnsweredPage:
    """Not solved, and little is known."""
    return pages.AnsweredPage(company=COMPANY, recorded=(pages.Recorded(ticket_id=TICKET, answer="no"),))


def answered_several() -> pages.AnsweredPage:
    """One solved, one not."""
    other = pages.Recorded(ticket_id="48305", subject="Invoice shows the old address", answer="yes")
    return _answered(replace(_no(), next_by=date(2026, 11, 25)), other)


def preferences() -> pages.PreferencesPage:
    """What a customer decides."""
    return pages.PreferencesPage(company=COMPANY, saved=True)


def preferences_stopped() -> pages.PreferencesPage:
    """After one press on the mail program's "unsubscribe"."""
    return pages.PreferencesPage(company=COMPANY, surveys="none", stopped=True)


def preferences_unreachable() -> pages.PreferencesPage:
    """Where no choice brings mail again."""
    return pages.PreferencesPage(company=COMPANY, unreachable=True)


def _promises(state: pages.FlagState) -> tuple[pages.Promised, ...]:
    if state == "raised":
        return ()
    to_keep = pages.Promised(
        id="9a1fad5bd9cb469fa16570867728950e", words=PROMISE, by_name="Jonas Weber", until=date(2026, 11, 27)
    )
    if state == "acknowledged":
        return (to_keep,)
    kept = replace(
        to_keep,
        end="kept",
        ended_at=datetime(2026, 11, 27, 10, 5, tzinfo=UTC),
        ended_by_name="Jonas Weber",
        note="The router is there, and I called.",
        fate="arrived",
    )
    withdrawn = replace(
        to_keep,
        words="A visit of our technician",
        end="withdrawn",
        ended_at=datetime(2026, 11, 25, 9, 0, tzinfo=UTC),
        ended_by_name="Jonas Weber",
        note="The customer preferred a new router.",
    )
    return (withdrawn, kept)


def _questions() -> tuple[pages.Question, ...]:
    return (
        pages.Question(asked_at=datetime(2026, 11, 24, 10, 40, tzinfo=UTC), fate="arrived", answer="no"),
        pages.Question(asked_at=datetime(2026, 11, 28, 9, 0, tzinfo=UTC), fate="arrived"),
    )


def _deeds() -> tuple[pages.Done, ...]:
    def at(hour: int) -> datetime:
        return datetime(2026, 11, 23, hour, 5, tzinfo=UTC)

    return (
        pages.Done(what="raised", at=at(9), reason="denied"),
        pages.Done(what="escalated", at=at(10), words="Jonas Weber"),
        pages.Done(what="acknowledged", at=at(11), by_name="Jonas Weber"),
        pages.Done(what="team_asked", at=at(12), by_name="Jonas Weber"),
        pages.Done(what="team_wrote", at=at(13), by_name=TEAM, words=TEAM_WORDS),
        pages.Done(what="updated", at=at(14), by_name="Jonas Weber", words=UPDATE),
        pages.Done(what="customer_wrote", at=at(14)),
        pages.Done(what="promised", at=at(15), by_name="Jonas Weber", words=PROMISE),
        pages.Done(what="promise_withdrawn", at=at(16), by_name="Jonas Weber", words="Not wanted."),
        pages.Done(what="promise_kept", at=at(17), by_name="Jonas Weber", words=PROMISE),
        pages.Done(what="settled", at=at(18), by_name="Jonas Weber", words=DONE),
        pages.Done(what="asked_again", at=at(19)),
        pages.Done(what="settled", at=at(20)),
    )


def _updates() -> tuple[pages.Update, ...]:
    return (
        pages.Update(
            words=UPDATE,
            by_name="Jonas Weber",
            written_at=datetime(2026, 11, 23, 15, 10, tzinfo=UTC),
            fate="arrived",
        ),
        pages.Update(
            words="The new router is on its way to you; it arrives tomorrow before noon.",
            by_name="Jonas Weber",
            written_at=datetime(2026, 11, 23, 18, 40, tzinfo=UTC),
            fate="waits",
            due_at=datetime(2026, 11, 24, 8, 0, tzinfo=UTC),
        ),
    )


def _facts(flag: compose.FlagFacts) -> dict[str, Any]:
    """What the mail and the page have in common."""
    return {field.name: getattr(flag, field.name) for field in fields(compose.FlagFacts)}


def _flag_page(state: pages.FlagState) -> pages.FlagPage:
    facts = _facts(flag_denied())
    return pages.FlagPage(
        **facts,
        state=state,
        form="0f8fad5bd9cb469fa16570867728950e",
        today=date(2026, 11, 24),
        updates=_updates() if state == "acknowledged" else (),
        customers_language="de-AT",
        may_ask_team=state == "raised",
        team_words=None if state == "raised" else TEAM_WORDS,
        team_wrote_at=None if state == "raised" else datetime(2026, 11, 23, 16, 0, tzinfo=UTC),
        asks_again=state != "settled",
        promises=_promises(state),
        questions=_questions() if state == "settled" else (),
        deeds=_deeds() if state != "raised" else _deeds()[:1],
        recovered=(7, 9) if state == "settled" else None,
        acknowledged_by_name=None if state == "raised" else "Jonas Weber",
        acknowledged_at=None if state == "raised" else datetime(2026, 11, 23, 14, 5, tzinfo=UTC),
        settled_by_name="Jonas Weber" if state == "settled" else None,
        settled_at=datetime(2026, 11, 24, 10, 40, tzinfo=UTC) if state == "settled" else None,
        settlement="Called Anna Berg; the new firmware is on the router since this morning."
        if state == "settled"
        else None,
        result="solved" if state == "settled" else None,
    )


def flag_page_raised() -> pages.FlagPage:
    """A new flag."""
    return _flag_page("raised")


def flag_page_acknowledged() -> pages.FlagPage:
    """A flag in somebody's hands."""
    return _flag_page("acknowledged")


def flag_page_settled() -> pages.FlagPage:
    """A flag that is done."""
    return _flag_page("settled")


def flag_page_unreachable() -> pages.FlagPage:
    """A flag in somebody's hands whose customer takes no mail of ours, with a promise that is kept and one to keep."""
    kept = replace(_promises("settled")[1], fate="came_back")
    page = flag_page_acknowledged()
    return replace(page, may_write=False, updates=(), promises=(kept, *page.promises))


def version_page() -> pages.VersionPage:
    """How does the team see it?"""
    return pages.VersionPage(
        company=COMPANY,
        asker_name="Jonas Weber",
        team_name=TEAM,
        ticket_id=TICKET,
        closed_on=date(2026, 11, 19),
        subject=SUBJECT,
        resolver_name=RESOLVER,
        words=("It drops again since this morning.", WORDS),
        wish=WISH,
    )


def version_page_saved() -> pages.VersionPage:
    """The team has said it."""
    return replace(version_page(), team_words=TEAM_WORDS, saved=True)


def version_page_settled() -> pages.VersionPage:
    """Too late to add anything."""
    return replace(version_page(), team_words=TEAM_WORDS, settled=True)


def flag_page_promised() -> pages.FlagPage:
    """A promise to keep, before anything was flagged."""
    to_keep = tuple(promised for promised in _promises("acknowledged") if promised.end is None)
    return replace(
        flag_page_raised(),
        state="promised",
        reason="promise_due",
        words=(),
        wish=None,
        may_ask_team=False,
        deeds=(),
        promises=to_keep,
    )


def flag_page_unhappy() -> pages.FlagPage:
    """Solved, and the words are not only praise."""
    words = "It works now, but the first technician was rude to my mother."
    return replace(_flag_page("raised"), reason="unhappy", words=(words,), wish=None, agreed_words=words)


def flag_page_pressed() -> pages.FlagPage:
    """A flag with presses that look like a machine's, one of them to be decided."""
    facts = _facts(flag_pressed())
    return replace(flag_page_raised(), **facts)


def flag_page_counted() -> pages.FlagPage:
    """The same flag after somebody counted it."""
    decided = replace(
        _pressed()[2],
        standing="counted",
        countable=False,
        decided_by="Selma Aydin",
        decided_at=datetime(2026, 11, 28, 8, 3, tzinfo=UTC),
    )
    overtaken = replace(decided, standing="overtaken", decided_by=None, decided_at=None, place=3)
    return replace(flag_page_pressed(), uncounted=(decided, overtaken))


def causes_page() -> pages.CausesPage:
    """Two causes, one acknowledged."""
    return pages.CausesPage(
        company=COMPANY,
        owner_name="Jonas Weber",
        window_days=30,
        causes=(
            pages.CauseState(
                code="router_firmware",
                name="Router firmware",
                tickets=7,
                customers=4,
                denied=3,
                silent=1,
                confirmed=2,
                repeated_since=date(2026, 11, 17),
                examples=_examples(),
                link=f"{CAUSES_LINK}/router_firmware",
            ),
            pages.CauseState(
                code="licence",
                name="Licence not renewed",
                tickets=2,
                customers=2,
                silent=1,
                confirmed=1,
                acknowledged_at=datetime(2026, 11, 20, 8, 12, tzinfo=UTC),
                committed_to=date(2026, 12, 11),
                note="Renewal moves to the first of the month.",
                link=f"{CAUSES_LINK}/licence",
            ),
            pages.CauseState(
                code="cables",
                name="Cables from the old supplier",
                tickets=1,
                customers=1,
                may_act=False,
                owner_name="Ruth Okafor",
                link=f"{CAUSES_LINK}/cables",
            ),
        ),
    )


def causes_page_empty() -> pages.CausesPage:
    """Nothing to show."""
    return replace(causes_page(), causes=())


def causes_page_of(causes: int) -> pages.CausesPage:
    """Behind a digest, of an owner with so many causes."""
    lines = [
        replace(
            causes_page().causes[place % 2], code=f"cause-{place}", name=f"Router firmware, model {place + 1}"
        )
        for place in range(causes)
    ]
    return replace(
        causes_page(),
        window_days=None,
        since=date(2026, 11, 16),
        until=date(2026, 11, 22),
        as_of=datetime(2026, 11, 23, 8, 1, tzinfo=ZoneInfo("Europe/Berlin")),
        causes=tuple(lines[: pages.MOST_CAUSES_IN_FULL]),
        others=tuple(
            pages.OtherCause(
                name=line.name,
                link=f"{CAUSES_LINK}/{line.code}",
                tickets=2,
                customers=1,
                denied=place % 2,
                silent=0,
            )
            for place, line in enumerate(lines[pages.MOST_CAUSES_IN_FULL :])
        ),
    )


WRONG = "The update of 12 November set the time limit of the connection to one hour."
CHANGED = "New firmware is on all routers. The connection has no time limit any more."
FIX_LINK = "https://followup.example.com/g/eyJnIjo0ODIxMX0.aRk3Zw.p4R7sYqE1nB6mVx0uKzP2rJdLwC"
CAUSE_LINK = f"{CAUSES_LINK}/router_firmware"


def told_fix() -> compose.Told:
    """What was changed, to a customer with two tickets."""
    return compose.Told(
        company=COMPANY,
        kind="fix",
        closure=replace(_case(), promise=None),
        others=(_other_case(),),
        wrong=WRONG,
        words=CHANGED,
        day=date(2026, 11, 25),
        link=FIX_LINK,
        customer_name=CUSTOMER,
        preferences_link=PREFERENCES_LINK,
    )


def told_known() -> compose.Told:
    """We know, and you hear from us by Friday."""
    words = "We test new firmware, and meanwhile our hotline can lift the limit for you."
    return replace(
        told_fix(), kind="known", others=(), wrong=None, words=words, day=date(2026, 12, 4), link=None
    )


def told_update() -> compose.Told:
    """How it stands."""
    words = "The new firmware works in our tests. It reaches your router in the coming week."
    return replace(told_known(), kind="update", words=words, day=date(2026, 12, 11))


def told_again() -> compose.Told:
    """It is not gone after all."""
    return replace(told_known(), kind="again", words="", day=None)


def told_bare() -> compose.Told:
    """Next to nothing is known of the customer."""
    case = compose.Closed(ticket_id=TICKET, closed_on=date(2026, 11, 19))
    return replace(told_fix(), closure=case, others=(), day=None, customer_name=None, preferences_link=None)


def gone_page() -> pages.GonePage:
    """The question whether it is gone."""
    return pages.GonePage(
        company=COMPANY,
        closure=replace(_case(), promise=None),
        wrong=WRONG,
        words=CHANGED,
        day=date(2026, 11, 25),
        chosen="yes",
        customer_name=CUSTOMER,
        preferences_link=PREFERENCES_LINK,
    )


def gone_page_answered() -> pages.GonePage:
    """After a "no" with words."""
    return replace(gone_page(), chosen="no", kept_words=WORDS, answered=True)


def gone_page_unanswered() -> pages.GonePage:
    """The form came back without an answer."""
    return replace(gone_page(), chosen=None, unanswered=True)


def cause_news(why: compose.NewsKind) -> compose.CauseNews:
    """What became of a cause."""
    judged = why in {"holds", "opens_again", "too_little", "said_late"}
    news = compose.CauseNews(
        company=COMPANY,
        to_name="Selma Aydin" if why in {"overdue", "promise_broken"} else "Jonas Weber",
        cause_name="Router firmware",
        why=why,
        link=CAUSE_LINK,
        owner_name="Ruth Okafor" if why == "reassigned" else "Jonas Weber",
        day=date(2026, 12, 11),
    )
    if not judged:
        return replace(news, words=(WORDS,) * (why == "said_early"))
    before, since = {"holds": (9, 1), "opens_again": (7, 6), "said_late": (9, 1)}.get(why, (2, 0))
    no = {"opens_again": 2, "said_late": 1}.get(why, 0)
    chance = {"holds": "1", "opens_again": "50", "said_late": "1"}.get(why, "25")
    return replace(
        news,
        before=before,
        since=since,
        days="30",
        chance=chance,
        gone=5 if why in {"holds", "said_late"} else 1,
        not_gone=no,
        words=(WORDS,) * bool(no),
    )


PREVIEW = """\
Hello Anna Berg,

You told us about “VPN drops every hour since the update” (ticket 48211). We closed it on Thursday, 19 November 2026.

We have now removed what caused it, so that it does not happen again.

What was wrong:

> The update of 12 November set the time limit of the connection to one hour.

What we changed on Wednesday, 25 November 2026:

> New firmware is on all routers. The connection has no time limit any more.

Thank you for telling us. It helped us to find the cause.

Is it gone for you?

Yes, it is gone
https://followup.example.com/g/eyJnIjo0ODIxMX0.aRk3Zw.p4R7sYqE1nB6mVx0uKzP2rJdLwC?a=yes

No, I still have it
https://followup.example.com/g/eyJnIjo0ODIxMX0.aRk3Zw.p4R7sYqE1nB6mVx0uKzP2rJdLwC?a=no

A page opens, and one press there sends your answer.

--
Nordlicht Networks
You get this mail because ticket 48211 was opened from your address and had this cause.

Stop asking me
https://followup.example.com/u/eyJwIjoiYW5uYSJ9.aRk3Zw.Kx8rW2nQ5tVb7YcD1mZ4sLf0hJg?surveys=none

Language and preferences
https://followup.example.com/u/eyJwIjoiYW5uYSJ9.aRk3Zw.Kx8rW2nQ5tVb7YcD1mZ4sLf0hJg"""
"""The mail of told_fix, as the preview shows it."""


def _previews() -> tuple[pages.Preview, ...]:
    return (
        pages.Preview(
            language="English", people=41, subject="We removed the cause of your problem", mail_text=PREVIEW
        ),
        pages.Preview(
            language="Deutsch",
            people=12,
            subject="Wir haben die Ursache Ihres Problems beseitigt",
            mail_text=PREVIEW,
        ),
    )


def _telling() -> pages.Telling:
    return pages.Telling(
        number=2,
        kind="fix",
        stage="told",
        wrong=WRONG,
        words=CHANGED,
        day=date(2026, 11, 25),
        by_name="Jonas Weber",
        confirmed_at=datetime(2026, 11, 26, 9, 30, tzinfo=UTC),
        people=53,
        told=48,
        waiting=2,
        left_out=(pages.Number(name="opted_out", people=3), pages.Number(name="no_address", people=1)),
        gone=17,
        not_gone=1,
        spoken=(
            pages.Spoken(gone=False, words=WORDS),
            pages.Spoken(gone=True, words="Since Monday all is well."),
        ),
        judged_on=date(2026, 12, 26),
    )


def _known_card() -> pages.Telling:
    return pages.Telling(
        number=1,
        kind="known",
        stage="done",
        words=told_known().words,
        day=date(2026, 11, 27),
        by_name="Jonas Weber",
        confirmed_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
        people=9,
        told=9,
        verdict="The promise was kept.",
    )


def cause_page() -> pages.CausePage:
    """A repeated cause that nobody has acknowledged."""
    return pages.CausePage(
        company=COMPANY,
        reader_name="Jonas Weber",
        owner_name="Jonas Weber",
        may_act=True,
        form="20261127101500000000-0123456789ab",
        code="router_firmware",
        name="Router firmware",
        tickets=7,
        customers=4,
        window_days=30,
        repeated_since=date(2026, 11, 17),
        examples=_examples(),
        may_declare=True,
        may_tell=True,
        today=date(2026, 11, 27),
        contacts=(
            pages.Choice(value="ruth", name="Ruth Okafor"),
            pages.Choice(value="selma", name="Selma Aydin"),
        ),
        causes=(pages.Choice(value="licence", name="Licence not renewed"),),
        movable=(pages.Choice(value="desk|48211", name=f"48211, {SUBJECT}"),),
    )


def cause_page_draft() -> pages.CausePage:
    """A fix that waits to be confirmed, with the mail as it would go out."""
    draft = replace(
        _telling(), stage="draft", told=0, waiting=0, gone=0, not_gone=0, spoken=(), judged_on=None
    )
    draft = replace(draft, previews=_previews(), left_out=(pages.Number(name="opted_out", people=3),))
    return replace(
        cause_page(),
        acknowledged_at=datetime(2026, 11, 20, 8, 12, tzinfo=UTC),
        committed_to=date(2026, 12, 11),
        note="New firmware is being tested.",
        tellings=(draft, _known_card()),
        may_declare=False,
        may_tell=False,
    )


def cause_page_told() -> pages.CausePage:
    """A fix that customers were told of, and everything that was done."""
    deeds = (
        pages.DeedLine(
            at=datetime(2026, 11, 26, 9, 30, tzinfo=UTC),
            deed="Jonas Weber confirmed what customers are told: fix, 53 people",
        ),
        pages.DeedLine(
            at=datetime(2026, 11, 26, 9, 12, tzinfo=UTC), deed="Jonas Weber declared a fix", words=CHANGED
        ),
        pages.DeedLine(
            at=datetime(2026, 11, 20, 8, 12, tzinfo=UTC), deed="Jonas Weber committed to 11 December 2026"
        ),
    )
    return replace(
        cause_page_draft(),
        tellings=(_telling(), _known_card()),
        may_declare=True,
        parts=(pages.Choice(value="router_power", name="Router power supply"),),
        deeds=deeds,
        older="?before=20261127101500000000-0123456789ab",
    )


def cause_page_handed_over() -> pages.CausePage:
    """The link of somebody who had it before."""
    return replace(cause_page_told(), owner_name="Ruth Okafor", may_act=False, reader_name="Jonas Weber")


def cause_page_merged() -> pages.CausePage:
    """Part of another cause, and a form that came back."""
    return replace(
        cause_page(),
        merged_into="Licence not renewed",
        error="It is part of another root cause.",
        tellings=(),
    )


def notice(kind: pages.NoticeKind) -> pages.NoticePage:
    """A page that only says something."""
    return pages.NoticePage(kind=kind, company=COMPANY)


def notice_try_again() -> pages.NoticePage:
    """An answer that could not be stored; nothing of it is lost."""
    return replace(notice("try_again"), kept=(("answer", "no"), ("words", WORDS)))


CUSTOMER_MAILS: dict[str, tuple[Callable[[Any], compose.Mail], Any]] = {
    "survey": (compose.survey, survey()),
    "survey_again": (compose.survey, survey_again()),
    "survey_bare": (compose.survey, survey_bare()),
    "survey_several": (compose.survey, survey_several()),
    "reminder": (compose.survey, reminder()),
    "reminder_bare": (compose.survey, reminder_bare()),
    "reminder_several": (compose.survey, reminder_several()),
    "progress": (compose.progress, progress()),
    "progress_bare": (compose.progress, progress_bare()),
    "asked_again": (compose.asked_again, asked_again()),
    "asked_again_silent": (compose.asked_again, asked_again_silent()),
    "promise_kept": (compose.promise_kept, promise_kept()),
    "promise_kept_bare": (compose.promise_kept, promise_kept_bare()),
    "told_fix": (compose.told, told_fix()),
    "told_known": (compose.told, told_known()),
    "told_update": (compose.told, told_update()),
    "told_again": (compose.told, told_again()),
    "told_bare": (compose.told, told_bare()),
}
"""Name of the sample -> the mail to a customer, and what it is told."""

CUSTOMER_PAGES: dict[str, tuple[Callable[[Any, str], str], Any]] = {
    "survey_page": (pages.survey_page, survey_page()),
    "survey_page_again": (pages.survey_page, survey_page_again()),
    "survey_page_late": (pages.survey_page, survey_page_late()),
    "survey_page_once_more": (pages.survey_page, survey_page_once_more()),
    "survey_page_asked_again": (pages.survey_page, survey_page_asked_again()),
    "survey_page_several": (pages.survey_page, survey_page_several()),
    "answered_yes": (pages.answered_page, answered_yes()),
    "answered_yes_with_words": (pages.answered_page, answered_yes_with_words()),
    "answered_yes_with_name": (pages.answered_page, answered_yes_with_name()),
    "answered_yes_consented": (pages.answered_page, answered_yes_consented()),
    "answered_yes_withdrawn": (pages.answered_page, answered_yes_withdrawn()),
    "answered_no": (pages.answered_page, answered_no()),
    "answered_no_with_words": (pages.answered_page, answered_no_with_words()),
    "answered_bare": (pages.answered_page, answered_bare()),
    "answered_several": (pages.answered_page, answered_several()),
    "preferences": (pages.preferences_page, preferences()),
    "preferences_stopped": (pages.preferences_page, preferences_stopped()),
    "preferences_unreachable": (pages.preferences_page, preferences_unreachable()),
    "gone_page": (pages.gone_page, gone_page()),
    "gone_page_answered": (pages.gone_page, gone_page_answered()),
    "gone_page_unanswered": (pages.gone_page, gone_page_unanswered()),
    **{f"notice_{kind}": (pages.notice_page, notice(kind)) for kind in get_args(pages.NoticeKind)},
    "notice_try_again": (pages.notice_page, notice_try_again()),
}
"""Name of the sample -> the page for a customer, and what it is told."""

STAFF_MAILS: dict[str, tuple[Callable[[Any], compose.Mail], Any]] = {
    "flag_denied": (compose.flag_raised, flag_denied()),
    "flag_silent": (compose.flag_raised, flag_silent()),
    "flag_unknown": (compose.flag_raised, flag_unknown()),
    "flag_still_denied": (compose.flag_raised, flag_still_denied()),
    "flag_promise_broken": (compose.flag_raised, flag_promise_broken()),
    "flag_customer_wrote": (compose.flag_raised, flag_customer_wrote()),
    "flag_somebody_wrote": (compose.flag_raised, flag_somebody_wrote()),
    "version_asked": (compose.colleague, version_asked()),
    "version_given": (compose.colleague, version_given()),
    "promise_due": (compose.colleague, promise_due()),
    "flag_pressed": (compose.flag_raised, flag_pressed()),
    "success_note": (compose.success_note, success_note()),
    "appreciation_note": (compose.success_note, appreciation_note()),
    "note_to_another_team": (compose.success_note, note_to_another_team()),
    "note_without_a_team": (compose.success_note, note_without_a_team()),
    "gathered_notes": (compose.gathered_notes, gathered_notes()),
    "thanks_month": (compose.thanks_month, thanks_month()),
    "cause_repeated": (compose.cause_repeated, cause_repeated()),
    "cause_escalated": (compose.cause_repeated, cause_escalated()),
    **{f"cause_{why}": (compose.cause_news, cause_news(why)) for why in get_args(compose.NewsKind)},
    "digest": (compose.digest, digest()),
    "digest_empty": (compose.digest, digest_empty()),
    "digest_one": (compose.digest, digest_one()),
    "digest_20": (compose.digest, digest_of(20)),
    "digest_500": (compose.digest, digest_of(500)),
}
"""Name of the sample -> the mail to our own people, and what it is told."""

STAFF_PAGES: dict[str, tuple[Callable[[Any, str], str], Any]] = {
    "flag_page_raised": (pages.flag_page, flag_page_raised()),
    "flag_page_acknowledged": (pages.flag_page, flag_page_acknowledged()),
    "flag_page_settled": (pages.flag_page, flag_page_settled()),
    "flag_page_unreachable": (pages.flag_page, flag_page_unreachable()),
    "version_page": (pages.version_page, version_page()),
    "version_page_saved": (pages.version_page, version_page_saved()),
    "version_page_settled": (pages.version_page, version_page_settled()),
    "flag_page_promised": (pages.flag_page, flag_page_promised()),
    "flag_page_unhappy": (pages.flag_page, flag_page_unhappy()),
    "flag_page_pressed": (pages.flag_page, flag_page_pressed()),
    "flag_page_counted": (pages.flag_page, flag_page_counted()),
    "causes_page": (pages.causes_page, causes_page()),
    "causes_page_empty": (pages.causes_page, causes_page_empty()),
    "causes_page_1": (pages.causes_page, causes_page_of(1)),
    "causes_page_20": (pages.causes_page, causes_page_of(20)),
    "causes_page_500": (pages.causes_page, causes_page_of(500)),
    "cause_page": (pages.cause_page, cause_page()),
    "cause_page_draft": (pages.cause_page, cause_page_draft()),
    "cause_page_told": (pages.cause_page, cause_page_told()),
    "cause_page_handed_over": (pages.cause_page, cause_page_handed_over()),
    "cause_page_merged": (pages.cause_page, cause_page_merged()),
    "thanks_page": (pages.thanks_page, thanks_page()),
    "thanks_page_empty": (pages.thanks_page, thanks_page_empty()),
}
"""Name of the sample -> the page for our own people, and what it is told."""

ALL_MAILS = {**CUSTOMER_MAILS, **STAFF_MAILS}
ALL_PAGES = {**CUSTOMER_PAGES, **STAFF_PAGES}
