"""Whether a press on the button was a person's.

Mail scanners open every link, run scripts and press buttons, seconds after a mail arrives. Opening changes nothing
anyway; what looks like a machine's press is kept with its reasons and not counted, and a page asks for one more press.
So a person who is wrongly suspected loses one press, and a machine that does not wait, or fills in what nobody sees,
counts for nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.follow_up import FollowUp, Suspect
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
    asked_again = page is not None and page.once_more
    found = {
        Rule.NO_PAGE: page is None,
        Rule.HIDDEN_LINK: page is not None and page.hidden_link,
        Rule.HIDDEN_FIELD: hidden_field,
        Rule.AT_ONCE: page is not None and now - page.shown_at < policy.press_after_page,
        Rule.JUST_SENT: sent_at is not None and not asked_again and now - sent_at < policy.press_after_mail,
        Rule.CONTRADICTS: _contradicts(follow_up, solved, now, policy.press_after_page * CONTRADICTION),
    }
    return tuple(str(rule) for rule, broken in found.items() if broken)


def _contradicts(follow_up: FollowUp, solved: bool, now: datetime, within: timedelta) -> bool:
    pressed = [(answer.at, answer.solved) for answer in follow_up.answers]
    pressed += [(suspect.at, suspect.solved) for suspect in follow_up.suspects]
    return any(other != solved and now - at < within for at, other in pressed)


def suspect(follow_up: FollowUp, solved: bool, rules: tuple[str, ...], now: datetime) -> FollowUp:
    """The follow-up with a press that is kept and does not count; unchanged when enough of them are kept."""
    if len(follow_up.suspects) >= KEPT_SUSPECTS:
        return follow_up
    return replace(follow_up, suspects=(*follow_up.suspects, Suspect(solved=solved, at=now, rules=rules)))
