"""What process owners are told of their causes, by mail or in a chat, as it is true at the moment of sending."""

from datetime import datetime

from adapters import causes, digests, links, tellings
from domain import hours, telling
from domain.message import Message
from domain.settings import Settings
from messages import cause_facts, compose, digest_facts

EXAMPLES = 5
"""So many customers' words stand in the news of a fix that did not help."""


def repeated(waiting: Message, now: datetime, settings: Settings) -> compose.CauseRepeated | None:
    """What a notice tells; None when the cause is acknowledged or no longer one of ours."""
    code = waiting.about["cause"]
    state = causes.load(code)
    if code not in settings.causes or state.acknowledged_at:
        return None
    _, about = causes.figures(code, now - settings.policy.repeated_within, now, buckets=1)
    owner = waiting.to.partition(":")[2]
    url = links.cause_url(links.base_of(settings), owner, code, waiting.created_at, now)
    return compose.written(lambda: digest_facts.cause_mail(state, waiting, about, url, settings))


def news(waiting: Message, now: datetime, settings: Settings) -> compose.CauseNews:
    """What became of a cause; of a fix with what its customers wrote who still have it."""
    about, to = waiting.about, waiting.to.partition(":")[2]
    code = about["cause"]
    told = tellings.load(code, int(about["telling"])) if "telling" in about else None
    answered = telling.reached((), tellings.answers(told) if told else ())
    words = [said for gone, said in answered.words if not gone]
    url = links.cause_url(links.base_of(settings), to, code, waiting.created_at, now)
    return cause_facts.news(waiting, causes.load(code), told, words[:EXAMPLES], url, settings)


def digest(waiting: Message, now: datetime, settings: Settings) -> compose.Digest | None:
    """What a digest tells; None for an owner without causes, or without news who wants none."""
    owner = waiting.to.partition(":")[2]
    codes = causes.owned_by(owner, settings)
    until = datetime.fromisoformat(waiting.about["until"])
    usual, _ = hours.digest_period(until, settings.policy_for(owner))
    # Digests that an earlier version wrote say only when they end.
    since = datetime.fromisoformat(waiting.about.get("since", usual.isoformat()))
    entries = digests.read(owner, codes, since, until, now, settings)
    if not codes or not (entries or settings.policy.digest_when_empty):
        return None
    link = links.CausesLink(owner, period=(since, until))
    url = links.causes_url(links.base_of(settings), link, waiting.created_at, now)
    return compose.written(lambda: digest_facts.digest(owner, since, until, now, entries, url, settings))
