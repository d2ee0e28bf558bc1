"""POST /s/{token}: the customer pressed the button; records the answers and says what happens next."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast, get_args

from adapters import clock, links, notices, tickets, web
from adapters.telemetry import count, logger, metrics
from domain import press
from domain.errors import Changed, Refused
from domain.follow_up import MOST_TOGETHER, Credit, FollowUp, Press, record_answer
from domain.press import Page
from domain.settings import Settings
from messages import facts, pages
from messages.text import clean_words
from show_survey import choices, find, nothing_to_answer

ATTEMPTS = 5
FIELDS = ("answer", "words", "wish", "kept", "consent", "credit", "withdraw")
KEPT_FIELDS = (
    # Whoever tries again comes from the page that was shown, and is not taken for a machine.
    "seal",
    *(
        f"{name}{suffix}"
        for suffix in ("", *(f"-{n}" for n in range(1, MOST_TOGETHER + 1)))
        for name in FIELDS
    ),
)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> web.Response:
    """Form fields as in ``pages.SurveyPage`` and ``pages.AnsweredPage``. What could not be stored stays in the form."""
    return notices.posted(event, _answer, KEPT_FIELDS)


def _answer(token: str, form: notices.Posted, settings: Settings, nonce: str) -> web.Response:
    asked = find(token, settings)
    said = {place: read for place in asked if (read := _read(form, f"-{place}" if place else ""))}
    if not said and (alone := _read(form, "")):
        # Their page is that of a mail about one closing; sent again, it took others along.
        own = links.read_survey(token, form.arrived_at, settings.policy.keep_for)
        said = {place: alone for place, known in asked.items() if links.TicketLink(**vars(known.ref)) == own}
    if not said and any(form.get(name) in {"yes", "no"} for name in KEPT_FIELDS if name.startswith("answer")):
        raise nothing_to_answer(next(iter(asked.values())), settings)
    language, link = choices(asked, settings)
    if not said:
        now = clock.now()
        page = facts.survey_page(asked, None, settings, now, language=language, preferences_link=link)
        seal = links.seal(links.read_survey(token, now, settings.policy.keep_for), Page(shown_at=now), now)
        return web.page(400, pages.survey_page(replace(page, unanswered=True, seal=seal), nonce), nonce)
    if _is_suspect(token, asked, said, form, settings):
        return _once_more(token, asked, said, settings, nonce)
    recorded: dict[int, FollowUp] = {}
    for place, follow_up in asked.items():
        after = _record(token, place, follow_up, said[place], settings) if place in said else follow_up
        if after.answer:
            recorded[place] = after
    answered = facts.answered_page(recorded, settings, language=language, preferences_link=link)
    return web.page(200, pages.answered_page(answered, nonce), nonce)


def _is_suspect(
    token: str,
    asked: Mapping[int, FollowUp],
    said: Mapping[int, Press],
    form: notices.Posted,
    settings: Settings,
) -> bool:
    """Whether a press of this form looks like a machine's; that is kept, and nothing of the form counts."""
    now, policy = form.arrived_at, settings.policy
    link = links.read_survey(token, now, policy.keep_for)
    page = links.read_seal(form.get("seal", ""), link, now, policy.keep_for)
    hidden_field = bool(form.get(notices.HIDDEN_FIELD))
    found = {
        place: rules
        for place, pressed in said.items()
        if (rules := press.suspicions(asked[place], pressed.solved, page, hidden_field, now, policy))
    }
    for place, rules in found.items():
        after = press.suspect(asked[place], said[place], rules, now)
        if after is not asked[place]:
            try:
                tickets.save(after)
            except Changed:
                logger.info("a suspect press was not kept")
        logger.info("suspect press", rules=rules)
        count("PressSuspected")
    return bool(found)


def _once_more(
    token: str, asked: Mapping[int, FollowUp], said: Mapping[int, Press], settings: Settings, nonce: str
) -> web.Response:
    """The same form again, as it was filled in."""
    now = clock.now()
    link = links.read_survey(token, now, settings.policy.keep_for)
    language, preferences = choices(asked, settings)
    page = facts.survey_page(asked, None, settings, now, language=language, preferences_link=preferences)
    chosen = tuple(_chosen(case, said.get(case.place)) for case in page.asked)
    seal = links.seal(link, Page(shown_at=now, once_more=True), now)
    page = replace(page, asked=chosen, once_more=True, seal=seal)
    return web.page(200, pages.survey_page(page, nonce), nonce)


def _chosen(case: pages.Asked, pressed: Press | None) -> pages.Asked:
    if pressed is None:
        return case
    kept: pages.Answer | None = None if pressed.kept is None else "yes" if pressed.kept else "no"
    chosen: pages.Answer = "yes" if pressed.solved else "no"
    return replace(case, chosen=chosen, kept=kept, words=pressed.words, wish=pressed.wish)


def _read(form: Mapping[str, str], suffix: str) -> Press | None:
    """What the form says about one closing; None when it does not answer."""
    field = {name: form.get(f"{name}{suffix}", "") for name in FIELDS}
    if field["answer"] not in {"yes", "no"}:
        return None
    words = clean_words(field["words"]) or None
    return Press(
        solved=field["answer"] == "yes",
        words=words,
        critical=words is not None and field["answer"] == "yes" and _is_critical(words),
        wish=clean_words(field["wish"]) or None,
        kept={"yes": True, "no": False}.get(field["kept"]),
        consent=field["consent"] == "yes",
        credit=cast(Credit, field["credit"]) if field["credit"] in get_args(Credit) else None,
        withdraw=field["withdraw"] == "yes",
    )


def _is_critical(words: str) -> bool:
    # Here and not above: most presses bring no words, and twelve languages take a while to load.
    from replies.criticism import is_critical

    return is_critical(words)


def _record(token: str, place: int, found: FollowUp, said: Press, settings: Settings) -> FollowUp:
    """The last press counts; two at the same time are both kept, because each is decided on what is stored."""
    known = found
    for _ in range(ATTEMPTS):
        try:
            after = record_answer(known, said, clock.now(), settings.policy)
            if after is not known:
                tickets.save(after)
                logger.info("answered", state=after.state)
                count(f"Answered{after.state.title()}")
            return after
        except Refused as refused:
            raise nothing_to_answer(known, settings) from refused
        except Changed:
            asked = find(token, settings)
            if place not in asked:
                raise nothing_to_answer(known, settings) from None
            known = asked[place]
    raise Changed("the ticket is changing too fast")
