"""A mail of the customer's as an answer: what it changes, and when it changes nothing but a person's worklist."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from domain.closure import Ref
from domain.delivery import Feedback, Progress
from domain.errors import Refused
from domain.follow_up import FollowUp, Press, Reply, State, hear, record_answer
from domain.settings import Policy

KEPT_REPLIES = 20
WENT_OUT = frozenset({Progress.SENT, Progress.DELIVERED, Progress.BOUNCED, Progress.COMPLAINED})
MOST_REPLIES = 3
WITHIN = timedelta(hours=1)
"""So many replies are taken so fast: people write fewer, two machines that answer each other many more."""


class Verdict(StrEnum):
    """What a reply says to the question whether it is solved."""

    YES = "yes"
    NO = "no"
    THANKS = "thanks"
    """Polite, and no answer."""
    UNCLEAR = "unclear"


class TooMany(Refused):
    """More replies than a person would write."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """One mail as it was understood: its provider's id, the customer's own words in it, and why they may not be his."""

    mail_id: str
    verdict: Verdict
    words: str | None = None
    doubt: str | None = None
    received_at: datetime | None = None
    """When the provider got it."""
    to: Ref | None = None
    """The closure that its address names: whoever replies about it has got the mail about it."""
    to_question: bool = True
    """Whether the mail that it replies to asks whether it is solved: "yes" to an appointment says nothing of that."""
    critical: bool = False
    """Whether there is more in it than a yes, such as blame: a person reads that before anybody is praised."""


def is_known(follow_up: FollowUp, mail_id: str) -> bool:
    """Whether this mail was taken before."""
    return any(reply.mail == digest(mail_id) for reply in follow_up.replies)


def newest(follow_up: FollowUp) -> str:
    """What the customer wrote last, for a form to say what was read; not how much: only so many mails are kept."""
    mail = follow_up.replies[-1].mail if follow_up.replies else "none"
    return f"{mail} {follow_up.answer.at.isoformat() if follow_up.answer else 'none'}"


def digest(mail_id: str) -> str:
    """What is kept of a mail's id: enough to recognise it."""
    return sha256(mail_id.encode()).hexdigest()[:16]


def keepers(group: Sequence[FollowUp], mail_id: str) -> list[FollowUp]:
    """Which of the closures that one mail asked about have still to keep a reply to it; the address named the first.

    Each that waits for its answer does: its responsible person has to read it, and nobody is reminded meanwhile. If
    none waits, it is the one with the address.
    """
    new = [one for one in group if not is_known(one, mail_id)]
    waiting = [one for one in group if _waits(one)]
    return [one for one in new if one in waiting] if waiting or len(new) < len(group) else [group[0]]


def _waits(follow_up: FollowUp) -> bool:
    """Whether its question is out, or just going out, and nobody has answered; a claim that failed asked nobody.

    A complaint, or no news of its delivery, makes it "not asked"; who replies to the mail was asked all the same.
    """
    survey = follow_up.survey
    going_out = follow_up.state is State.SCHEDULED and survey is not None
    went_out = follow_up.state is State.NOT_ASKED and survey is not None and survey.progress in WENT_OUT
    return not follow_up.answers and (going_out or went_out or follow_up.state in {State.ASKED, State.SILENT})


def take(follow_up: FollowUp, said: Said, superseded: str | None, now: datetime, policy: Policy) -> FollowUp:
    """The follow-up after one reply; a mail that was taken before changes nothing. Raises TooMany.

    A clear yes or no from the customer counts like a press of the button, never with consent. Whatever else there is
    (unclear, in doubt, about a ticket that was opened again: ``superseded``, to a mail that asks nothing, or to one
    about several closures, where nobody can tell which of them it is about) is kept for the responsible person.
    """
    if is_known(follow_up, said.mail_id):
        return follow_up
    if sum(now - reply.at < WITHIN for reply in follow_up.replies) >= MOST_REPLIES:
        raise TooMany("too many replies")
    survey = follow_up.survey
    if said.to_question and said.to == follow_up.ref and survey and survey.progress is Progress.CLAIMED:
        follow_up = hear(follow_up, "survey", Feedback.DELIVERY, said.received_at or now, now, policy)
    answered = _answered(follow_up, said, superseded, now, policy)
    reply = Reply(
        mail=digest(said.mail_id),
        at=now,
        received_at=said.received_at,
        counted=answered is not None,
        words=None if answered else said.words,
        doubt=said.doubt,
    )
    after = answered or replace(follow_up, due_at=follow_up.due_at or now)
    return replace(after, replies=(*follow_up.replies, reply)[-KEPT_REPLIES:])


def _is_overtaken(follow_up: FollowUp, said: Said) -> bool:
    """Whether the customer answered, or was asked once more, after they wrote this: a person reads what came late.

    A mail that counted was said when the provider got it, a press when it was recorded.
    """
    if said.received_at is None:
        return False
    counted = {reply.at: reply.received_at for reply in follow_up.replies if reply.counted}
    later = [counted.get(answer.at) or answer.at for answer in follow_up.answers]
    later += [again.at for again in follow_up.asked_again]
    return any(at > said.received_at for at in later)


def _answered(
    follow_up: FollowUp, said: Said, superseded: str | None, now: datetime, policy: Policy
) -> FollowUp | None:
    if (
        said.doubt
        or not said.to_question
        or follow_up.together
        or said.verdict not in {Verdict.YES, Verdict.NO}
    ):
        return None
    if superseded and not follow_up.answers:
        return None
    if _is_overtaken(follow_up, said):
        return None
    solved = said.verdict is Verdict.YES
    try:
        return record_answer(
            follow_up, Press(solved=solved, words=said.words, critical=solved and said.critical), now, policy
        )
    except Refused:
        return None
