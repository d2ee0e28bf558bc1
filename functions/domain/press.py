"""Whether a press on the button was a person's, and what a person decides who knows better.

Mail scanners open every link, run scripts and press buttons, seconds after a mail arrives, in the mailboxes of
customers and of our own people. Opening changes nothing anyway; what looks like a machine's press does not count, and
the page asks for one more. So a person who is wrongly suspected loses one press, and a machine that does not wait, or
fills in what nobody sees, counts for nothing. Suspect presses about a closure are kept with their reasons: whoever
never presses again still reaches a person, who counts one or says that it was a machine.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from domain.errors import Refused
from domain.follow_up import FollowUp, Press, Suspect, Ticket, record_answer
from domain.settings import Policy

KEPT_SUSPECTS = 10
CONTRADICTION = 5
"""So many times ``press_after_page``: nobody changes their mind in it; a scanner that presses everything does."""


class Rule(StrEnum):
    """Why a press looks like a machine's."""

    NO_PAGE = "no_page"
    """It came without the seal that our page puts into its form."""
    HIDDEN_LINK = "hidden_link"
    """It came from the page behind a link that people never see."""
    HIDDEN_FIELD = "hidden_field"
    """It filled in a field that people never see."""
    AT_ONCE = "at_once"
    """Nobody reads that fast."""
    JUST_SENT = "just_sent"
    """Within a minute of the mail, which is when scanners look at it."""
    CONTRADICTS = "contradicts"
    """The opposite was pressed a moment ago."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """The page that a press came from: when it was shown, whether behind the hidden link, whether to ask once more."""

    shown_at: datetime
    hidden_link: bool = False
    once_more: bool = False


def suspicions(
    follow_up: FollowUp, solved: bool, page: Page | None, hidden_field: bool, now: datetime, policy: Policy
) -> tuple[str, ...]:
    """The rules by which this press looks like a machine's; none when it counts.

    What only adds to the answer that stands (words, consent) is no new answer and not judged. A page that asks once
    more was opened by a press, so how long ago the mail went out no longer tells anything.
    """
    answer = follow_up.standing
    if answer and answer.solved == solved:
        return ()
    mail = follow_up.reminder or follow_up.survey
    sent_at = (mail.sent_at or mail.claimed_at) if mail else None
    if follow_up.asked_again:
        # Unless it waited for the customer's hours, the question went out when it was asked.
        sent_at = follow_up.asked_again[-1].at
    contradicts = _contradicts(follow_up, solved, now, policy)
    return broken_rules(page, hidden_field, sent_at, contradicts, now, policy)


def broken_rules(
    page: Page | None,
    hidden_field: bool,
    sent_at: datetime | None,
    contradicts: bool,
    now: datetime,
    policy: Policy,
) -> tuple[str, ...]:
    """The same for a press on any page; ``sent_at``: when the mail went out that leads to it."""
    asked_again = page is not None and page.once_more
    found = {
        Rule.NO_PAGE: page is None,
        Rule.HIDDEN_LINK: page is not None and page.hidden_link,
        Rule.HIDDEN_FIELD: hidden_field,
        Rule.AT_ONCE: page is not None and now - page.shown_at < policy.press_after_page,
        Rule.JUST_SENT: sent_at is not None and not asked_again and now - sent_at < policy.press_after_mail,
        Rule.CONTRADICTS: contradicts,
    }
    return tuple(str(rule) for rule, broken in found.items() if broken)


def is_moment(since: datetime, now: datetime, policy: Policy) -> bool:
    """Whether the opposite of what was pressed at ``since`` contradicts it, and is no change of mind."""
    return now - since < policy.press_after_page * CONTRADICTION


def _contradicts(follow_up: FollowUp, solved: bool, now: datetime, policy: Policy) -> bool:
    pressed = [(answer.at, answer.solved) for answer in follow_up.answers]
    pressed += [(suspect.at, suspect.solved) for suspect in follow_up.suspects]
    return any(other != solved and is_moment(at, now, policy) for at, other in pressed)


def suspect(follow_up: FollowUp, said: Press, rules: tuple[str, ...], now: datetime) -> FollowUp:
    """The follow-up with a press that is kept and does not count; unchanged when enough of them are kept."""
    if len(follow_up.suspects) >= KEPT_SUSPECTS:
        return follow_up
    seen = Suspect(solved=said.solved, at=now, rules=rules, kept=said.kept)
    return replace(follow_up, suspects=(*follow_up.suspects, seen), due_at=follow_up.due_at or now)


# --- a person decides ------------------------------------------------------------------------------------------------


class Decided(Refused):
    """It was counted, and an answer is not taken back."""


class Overtaken(Refused):
    """Nothing is left to decide: an answer stands that is later or the same, or the ticket was opened again."""


def decide(
    follow_up: FollowUp, ticket: Ticket, place: int, *, counts: bool, by: str, now: datetime, policy: Policy
) -> FollowUp:
    """The follow-up after the contact ``by`` said of the suspect press at ``place`` (from 0) whose it was.

    What counts becomes an answer of the instant at which it was pressed, so that it overrides nothing that the customer
    said later; the outcome is known from now on. The same decision again changes nothing. What was called a machine's
    may be counted after all, not the other way round. Raises Decided, Overtaken.
    """
    seen = follow_up.suspects[place]
    if seen.decided_at and seen.counted == counts:
        return follow_up
    if seen.counted:
        raise Decided("it was counted")
    reopened = counts and not follow_up.answers and ticket.superseded(follow_up)
    if seen not in follow_up.countable or reopened:
        raise Overtaken("nothing is left to decide")
    decided = replace(seen, counted=counts, decided_at=now, decided_by=by)
    suspects = (*follow_up.suspects[:place], decided, *follow_up.suspects[place + 1 :])
    after = replace(follow_up, suspects=suspects)
    if not counts:
        return after
    answered = record_answer(after, Press(solved=seen.solved, kept=seen.kept), seen.at, policy)
    return replace(answered, due_at=follow_up.due_at or now, outcome_at=now)
