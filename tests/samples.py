"""One realistic context for each kind of mail and page, for the tests and for a look at what we send."""

from collections.abc import Callable
from datetime import UTC, date, datetime

from messages import compose, pages

COMPANY = "Nordlicht Networks"
CUSTOMER = "Anna Berg"
RESOLVER = "Marta Lindqvist"
TEAM = "Remote access"
TICKET = "48211"
SUBJECT = "VPN drops every hour since the update"
PROMISE = "A replacement router by Friday, and a call when it has arrived"
WORDS = "The router came on Thursday, but the connection still drops.\nNobody called me."
PRAISE = "Marta stayed on the phone until it really worked.\nThat was the first time somebody did."
SURVEY_LINK = "https://followup.example.com/s/eyJ0Ijo0ODIxMX0.aRk3Zw.6Zt0Qv1xJmC2kXW7dZ1h9mVb4nE"
FLAG_LINK = "https://followup.example.com/f/eyJmIjo0ODIxMX0.aRk3Zw.9dK2bS7wLrT5yUe0pQhX3cGzNvM"
CAUSES_LINK = "https://followup.example.com/c/eyJvIjoiam9uYXMifQ.aRk3Zw.h4T8sYqE1nB6mVx0uKzP2rJdLwC"


def survey() -> compose.Survey:
    """The first question."""
    return compose.Survey(
        company=COMPANY,
        customer_name=CUSTOMER,
        ticket_id=TICKET,
        subject=SUBJECT,
        closed_on=date(2026, 11, 19),
        resolver_name=RESOLVER,
        team_name=TEAM,
        promise=PROMISE,
        link=SURVEY_LINK,
        answer_by=date(2026, 12, 4),
    )


def survey_again() -> compose.Survey:
    """The question after the second closing, and little is known."""
    return compose.Survey(
        company=COMPANY,
        ticket_id=TICKET,
        closed_on=date(2026, 11, 30),
        link=SURVEY_LINK,
        answer_by=date(2026, 12, 14),
        again=True,
    )


def reminder() -> compose.Survey:
    """The only reminder."""
    return compose.Survey(
        company=COMPANY,
        customer_name=CUSTOMER,
        ticket_id=TICKET,
        subject=SUBJECT,
        closed_on=date(2026, 11, 19),
        resolver_name=RESOLVER,
        team_name=TEAM,
        link=SURVEY_LINK,
        answer_by=date(2026, 12, 4),
        reminder=True,
    )


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
        promise=PROMISE,
        words=WORDS,
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


def success_note() -> compose.SuccessNote:
    """Confirmed, without words of the customer."""
    return compose.SuccessNote(
        company=COMPANY,
        team_name=TEAM,
        ticket_id=TICKET,
        subject=SUBJECT,
        resolver_name=RESOLVER,
        confirmed_on=date(2026, 11, 23),
    )


def appreciation_note() -> compose.SuccessNote:
    """Confirmed, in the customer's own words, by consent."""
    return compose.SuccessNote(
        company=COMPANY,
        team_name=TEAM,
        ticket_id=TICKET,
        subject=SUBJECT,
        resolver_name=RESOLVER,
        confirmed_on=date(2026, 11, 23),
        quote=PRAISE,
        customer_credit=CUSTOMER,
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
        window_days=30,
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
    """One week of a process owner."""
    return compose.Digest(
        company=COMPANY,
        to_name="Jonas Weber",
        since=date(2026, 11, 16),
        until=date(2026, 11, 22),
        lines=(
            compose.CauseLine(
                name="Router firmware",
                tickets=7,
                customers=4,
                denied=3,
                silent=1,
                confirmed=2,
                tickets_before=4,
                trend=(0, 1, 2, 1, 0, 3, 4, 7),
                words=(WORDS,),
                repeated=True,
            ),
            compose.CauseLine(
                name="Licence not renewed",
                tickets=2,
                customers=2,
                denied=0,
                silent=1,
                confirmed=1,
                tickets_before=2,
                trend=(2, 3, 1, 2, 0, 1, 2, 2),
                acknowledged_by="Jonas Weber",
                committed_to=date(2026, 12, 11),
            ),
            compose.CauseLine(
                name="Unclear instructions",
                tickets=1,
                customers=1,
                denied=0,
                silent=0,
                confirmed=1,
                tickets_before=3,
                trend=(1, 0, 0, 2, 1, 1, 3, 1),
            ),
        ),
        link=CAUSES_LINK,
    )


def digest_empty() -> compose.Digest:
    """A week in which nothing happened."""
    return compose.Digest(
        company=COMPANY, to_name="Jonas Weber", since=date(2026, 11, 16), until=date(2026, 11, 22)
    )


def survey_page() -> pages.SurveyPage:
    """The question, opened from the "yes" button."""
    return pages.SurveyPage(
        company=COMPANY,
        customer_name=CUSTOMER,
        ticket_id=TICKET,
        subject=SUBJECT,
        closed_on=date(2026, 11, 19),
        team_name=TEAM,
        resolver_name=RESOLVER,
        promise=PROMISE,
        chosen="yes",
        answer_by=date(2026, 12, 4),
    )


def survey_page_late() -> pages.SurveyPage:
    """The question after the date, sent without an answer."""
    return pages.SurveyPage(
        company=COMPANY,
        ticket_id=TICKET,
        closed_on=date(2026, 11, 19),
        late=True,
        error="Please choose one of the two answers.",
        answer_by=date(2026, 12, 4),
    )


def answered_yes() -> pages.AnsweredPage:
    """Solved, nothing written yet."""
    return pages.AnsweredPage(company=COMPANY, ticket_id=TICKET, answer="yes", team_name=TEAM)


def answered_yes_with_words() -> pages.AnsweredPage:
    """Solved, words stored, consent asked."""
    return pages.AnsweredPage(
        company=COMPANY,
        ticket_id=TICKET,
        answer="yes",
        team_name=TEAM,
        words=PRAISE,
        customer_credit=CUSTOMER,
    )


def answered_yes_consented() -> pages.AnsweredPage:
    """Solved, words passed on."""
    return pages.AnsweredPage(
        company=COMPANY, ticket_id=TICKET, answer="yes", team_name=TEAM, words=PRAISE, consented=True
    )


def answered_no() -> pages.AnsweredPage:
    """Not solved, nothing written yet."""
    return pages.AnsweredPage(
        company=COMPANY,
        ticket_id=TICKET,
        answer="no",
        team_name=TEAM,
        responsible_name="Jonas Weber",
        next_by=date(2026, 11, 25),
    )


def answered_no_with_words() -> pages.AnsweredPage:
    """Not solved, words stored."""
    return pages.AnsweredPage(
        company=COMPANY,
        ticket_id=TICKET,
        answer="no",
        team_name=TEAM,
        responsible_name="Jonas Weber",
        next_by=date(2026, 11, 25),
        words=WORDS,
    )


def _flag_page(state: pages.FlagState) -> pages.FlagPage:
    facts = {name: value for name, value in vars(flag_denied()).items() if name != "link"}
    return pages.FlagPage(
        **facts,
        state=state,
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
                repeated_since=date(2026, 11, 17),
                examples=_examples(),
            ),
            pages.CauseState(
                code="licence",
                name="Licence not renewed",
                tickets=2,
                customers=2,
                acknowledged_at=datetime(2026, 11, 20, 8, 12, tzinfo=UTC),
                committed_to=date(2026, 12, 11),
                note="Renewal moves to the first of the month.",
            ),
        ),
    )


def notice_gone() -> pages.NoticePage:
    """A link that leads nowhere."""
    return pages.NoticePage(
        title="This page does not exist",
        lines=("The link may be incomplete. Please open it once more from the mail.",),
        company=COMPANY,
    )


def notice_try_again() -> pages.NoticePage:
    """An answer that could not be stored; nothing of it is lost."""
    return pages.NoticePage(
        title="That did not work",
        lines=("We could not save your answer just now. Your words are still here; please try again.",),
        company=COMPANY,
        kept=(("answer", "no"), ("words", WORDS)),
    )


MAILS: dict[str, Callable[[], compose.Mail]] = {
    "survey": lambda: compose.survey(survey()),
    "survey_again": lambda: compose.survey(survey_again()),
    "reminder": lambda: compose.survey(reminder()),
    "flag_denied": lambda: compose.flag_raised(flag_denied()),
    "flag_silent": lambda: compose.flag_raised(flag_silent()),
    "success_note": lambda: compose.success_note(success_note()),
    "appreciation_note": lambda: compose.success_note(appreciation_note()),
    "cause_repeated": lambda: compose.cause_repeated(cause_repeated()),
    "cause_escalated": lambda: compose.cause_repeated(cause_escalated()),
    "digest": lambda: compose.digest(digest()),
    "digest_empty": lambda: compose.digest(digest_empty()),
}
"""Name of the sample -> the finished mail."""

PAGES: dict[str, Callable[[str], str]] = {
    "survey_page": lambda nonce: pages.survey_page(survey_page(), nonce),
    "survey_page_late": lambda nonce: pages.survey_page(survey_page_late(), nonce),
    "answered_yes": lambda nonce: pages.answered_page(answered_yes(), nonce),
    "answered_yes_with_words": lambda nonce: pages.answered_page(answered_yes_with_words(), nonce),
    "answered_yes_consented": lambda nonce: pages.answered_page(answered_yes_consented(), nonce),
    "answered_no": lambda nonce: pages.answered_page(answered_no(), nonce),
    "answered_no_with_words": lambda nonce: pages.answered_page(answered_no_with_words(), nonce),
    "flag_page_raised": lambda nonce: pages.flag_page(flag_page_raised(), nonce),
    "flag_page_acknowledged": lambda nonce: pages.flag_page(flag_page_acknowledged(), nonce),
    "flag_page_settled": lambda nonce: pages.flag_page(flag_page_settled(), nonce),
    "causes_page": lambda nonce: pages.causes_page(causes_page(), nonce),
    "notice_gone": lambda nonce: pages.notice_page(notice_gone(), nonce),
    "notice_try_again": lambda nonce: pages.notice_page(notice_try_again(), nonce),
}
"""Name of the sample -> the page, given the nonce of its response."""
