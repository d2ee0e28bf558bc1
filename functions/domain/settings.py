"""What a company decides about its follow-ups: sources, teams, people, causes and the policy.

The values arrive from one YAML file (``infra/settings.yaml`` documents every key) and are checked before they are
stored.
"""

import unicodedata
from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from typing import Any, Literal

Notes = Literal["at_once", "daily", "weekly"]
Mode = Literal["off", "dry_run", "on"]

LONGEST_VALUE = 100
"""Characters of what a helpdesk calls a root cause; more is text and no value."""
_LOOK_ALIKE = frozenset({"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "COPTIC", "CHEROKEE"})
"""Scripts with letters that cannot be told apart by looking; no language mixes them in one word."""


def value_key(value: str | None) -> str:
    """What is compared of a helpdesk's value: NFKC, case-folded, without invisible characters, blanks as one each.

    Letters of other scripts that only look alike stay different: ``is_mixed`` tells a person of them.
    """
    visible = "".join(
        char for char in unicodedata.normalize("NFKC", value or "") if unicodedata.category(char) != "Cf"
    )
    return " ".join(unicodedata.normalize("NFKC", visible.casefold()).split())[:LONGEST_VALUE].strip()


def is_mixed(value: str) -> bool:
    """Whether one word has letters of two scripts that look alike, such as a Cyrillic P in ``VPN``."""
    for word in unicodedata.normalize("NFKC", value).split():
        scripts = {unicodedata.name(char, "").partition(" ")[0] for char in word if char.isalpha()}
        if len(scripts & _LOOK_ALIKE) > 1:
            return True
    return False


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When a process owner gets the digest; what is left out is the policy's."""

    every: timedelta | None = None
    weekday: int | None = None
    at: time | None = None
    time_zone: str | None = None


@dataclass(frozen=True, kw_only=True)
class Contact:
    """One of our own people: a process owner, a manager or somebody responsible for flags."""

    name: str
    email: str
    manager: str | None = None
    """Key of the contact whom an unacknowledged matter goes to."""
    digest: Schedule | None = None
    chat: str | None = None
    """Which entry of the chat secrets says where digests and notices are posted as well."""


@dataclass(frozen=True, kw_only=True)
class Colleague:
    """Somebody in a team: helpdesks often tell only the address of who solved a ticket."""

    name: str
    email: str


@dataclass(frozen=True, kw_only=True)
class Team:
    """A supplying team: its notes go to ``email``; ``names`` are what the helpdesks call it."""

    name: str
    email: str
    names: tuple[str, ...] = ()
    people: dict[str, Colleague] = field(default_factory=dict)
    responsible: str | None = None
    """Key of the contact for this team's flags; without one, the company's default."""
    notes: Notes = "at_once"
    """When its notes come: each at once, or gathered into one mail a day or a week."""
    notes_weekday: int = 4
    notes_at: time = time(15)


@dataclass(frozen=True, kw_only=True)
class Cause:
    """A root cause; ``values`` are what the helpdesks send for it, compared by ``value_key``."""

    name: str
    owner: str
    values: tuple[str, ...] = ()
    manager: str | None = None
    """Key of the contact whom an unacknowledged notice goes to; without one, the owner's manager."""
    parent: str | None = None
    """Code of the cause that it is counted under as well."""


@dataclass(frozen=True, kw_only=True)
class Api:
    """How we ask a helpdesk ourselves: where it is, and which entry of the API secrets opens it."""

    url: str
    """Its base, such as ``https://acme.zendesk.com``: nothing is ever sent to another host."""
    secret: str
    calls: str | None = None
    """Name of a file in functions/helpdesks/apis; without one, the source's preset."""
    values: dict[str, str] = field(default_factory=dict)
    """What only this company knows: the field with the root cause, an account's or agent's id."""
    only: str | None = None
    """JMESPath over each listed ``item``: which of the closings that no webhook told are ours. None: all of them."""


@dataclass(frozen=True, kw_only=True)
class WriteBack:
    """Whether a helpdesk is told what came out; ``dry_run`` keeps what would be sent and sends nothing."""

    mode: Mode = "dry_run"
    outcomes: tuple[str, ...] = ("confirmed", "denied", "silent")
    reopen: bool = True
    """Whether "not solved" opens the ticket again."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """One connected helpdesk: which preset reads it and which entry of the hook secrets verifies it."""

    preset: str | dict[str, Any]
    """The name of a preset that ships, or a whole one of the company's own (``helpdesks/preset.py``)."""
    secret: str
    verify: str | None = None
    """Which alternative of the preset verifies it; None: its usual way. A request never chooses."""
    statuses: dict[str, str] = field(default_factory=dict)
    """What this helpdesk's own statuses mean, such as a stage's number; it wins over the preset."""
    fields: dict[str, str] = field(default_factory=dict)
    """Where this helpdesk keeps what the preset looks for elsewhere: JMESPath by the name of a closure's field."""
    time_zone: str | None = None
    causes: dict[str, str] = field(default_factory=dict)
    """What this helpdesk's own values mean: the code of a cause for each; it wins over the causes' ``values``."""
    api: Api | None = None
    """None: it is never asked anything, and never told."""
    write_back: WriteBack = field(default_factory=WriteBack)
    """Without an ``api`` there is none."""

    @property
    def calls(self) -> str:
        """Name of the description of its API: the one that the settings name, else that of its preset."""
        named = self.api.calls if self.api else None
        return named or (self.preset if isinstance(self.preset, str) else "")


@dataclass(frozen=True, kw_only=True)
class Company:
    """Who writes: ``sender`` is the address all mail comes from, a verified SES identity."""

    name: str
    sender: str
    reply_to: str | None = None
    reply_domain: str | None = None
    """Domain whose mail SES receives for us, so that customers can answer by replying; None: they cannot."""
    public_url: str | None = None
    """Base of every link; set by the apply command from the deployed stack when the file leaves it out."""
    country: str | None = None
    """Two letters of ISO 3166: whose public holidays count for customers whose own country is unknown."""


@dataclass(frozen=True, kw_only=True)
class Hours:
    """When customers may be written to, in their own time zone; ``weekdays`` count from Monday = 0."""

    opens: time = time(8)
    closes: time = time(18)
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    on_holidays: bool = False
    """Also on the public holidays of their country."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """All delays and thresholds. ``docs`` and defaults: ``infra/settings.yaml``."""

    first_ask_after: timedelta = timedelta(hours=24)
    reminder_after: timedelta = timedelta(days=3)
    silent_after: timedelta = timedelta(days=7)
    link_answers_for: timedelta = timedelta(days=14)
    quiet_period: timedelta = timedelta(days=7)
    surveys_per_month: int = 3
    """The most surveys that one person gets in 30 days; further closures are not asked about."""
    hours: Hours = field(default_factory=Hours)
    time_zone: str = "UTC"
    undelivered_after: timedelta = timedelta(days=3)
    """A mail whose delivery nobody confirmed for so long counts as not delivered."""
    details_within: timedelta = timedelta(days=3)
    """A closure whose helpdesk told nobody for so long whom to ask goes to a person."""
    unknown_after: timedelta = timedelta(minutes=30)
    """How long a call to the mail provider may stay unanswered before it is repeated once, then shown to a person."""
    note_after: timedelta = timedelta(minutes=30)
    """Time for the customer to add words to a "yes" before the team gets its note."""
    words_within: timedelta = timedelta(minutes=5)
    """Time for the customer to say what is missing before the mail about a "no" goes out; words send it at once."""
    press_after_page: timedelta = timedelta(seconds=2)
    """Whoever presses sooner after the page was shown looks like a machine and is asked once more."""
    press_after_mail: timedelta = timedelta(minutes=1)
    """The same for a press so soon after the mail went out."""
    flag_acknowledge_within: timedelta = timedelta(days=1)
    flag_settle_within: timedelta = timedelta(days=3)
    repeated_tickets: int = 3
    repeated_customers: int = 2
    repeated_within: timedelta = timedelta(days=30)
    rise_false_alarms_per_year: float = 0.2
    """How many notices of a rise one cause may cause by chance (domain/rise.py)."""
    rise_at_least: float = 1.2
    """How many times its own past a cause must be to be worth a notice."""
    rise_compared_with: timedelta = timedelta(days=84)
    """How far back its own past reaches: whole weeks."""
    digest_every: timedelta = timedelta(days=7)
    digest_weekday: int = 0
    digest_at: time = time(8)
    digest_when_empty: bool = True
    cause_acknowledge_within: timedelta = timedelta(days=7)
    fix_check_after: timedelta = timedelta(days=30)
    """How long after a fix it is judged whether it worked; with too little to judge by, as long again once more."""
    keep_for: timedelta = timedelta(days=400)
    oldest_closure: timedelta = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can change without a deployment. Keys of the maps are the identifiers used in records."""

    company: Company
    contacts: dict[str, Contact]
    teams: dict[str, Team]
    causes: dict[str, Cause]
    sources: dict[str, Source]
    responsible: str
    """Key of the contact who gets a flag when the team has nobody of its own."""
    policy: Policy = field(default_factory=Policy)

    def can_ask(self, source: str) -> bool:
        """Whether we can ask this helpdesk about its tickets ourselves."""
        known = self.sources.get(source)
        return known is not None and known.api is not None

    def cause_of(self, value: str | None, source: str) -> str:
        """Code of the cause that this source calls ``value``; ``unclassified`` when nobody mapped it."""
        wanted = value_key(value)
        if not wanted:
            return UNCLASSIFIED
        known = self.sources.get(source)
        for own, code in known.causes.items() if known else ():
            if wanted == value_key(own):
                return code if code in self.causes else UNCLASSIFIED
        for code, cause in self.causes.items():
            if wanted in {value_key(code), *(value_key(other) for other in cause.values)}:
                return code
        return UNCLASSIFIED

    def manager_of(self, code: str) -> str | None:
        """Key of the contact above a cause's owner: the cause's own, else the owner's manager; None at the top."""
        cause = self.causes.get(code)
        owner = self.contacts.get(cause.owner) if cause else None
        return (cause.manager if cause else None) or (owner.manager if owner else None)

    def under(self, code: str) -> set[str]:
        """A cause and all that are counted under it, directly or not."""
        found = {code}
        while more := {key for key, cause in self.causes.items() if cause.parent in found} - found:
            found |= more
        return found

    def team_of(self, value: str | None) -> str | None:
        """Key of the team that a helpdesk calls ``value``; None when no team has that name."""
        wanted = (value or "").strip().casefold()
        for key, team in self.teams.items():
            if wanted and wanted in {
                key.casefold(),
                team.name.casefold(),
                *(name.casefold() for name in team.names),
            }:
                return key
        return None

    def team_with(self, address: str | None) -> str | None:
        """Key of the team that a colleague with this address is in; None when no team has one."""
        wanted = (address or "").casefold()
        for key, team in self.teams.items():
            if wanted and any(person.email.casefold() == wanted for person in team.people.values()):
                return key
        return None

    def name_of(self, address: str | None) -> str | None:
        """Name of the colleague or contact with this address; None when nobody has it."""
        wanted = (address or "").casefold()
        people: list[Colleague | Contact] = [*self.contacts.values()]
        for team in self.teams.values():
            people.extend(team.people.values())
        return next((person.name for person in people if person.email.casefold() == wanted), None)

    def is_ours(self, address: str) -> bool:
        """Whether an address is one of our own: who writes, who receives, contacts, teams; never a customer's."""
        known = {self.company.sender, self.company.reply_to, *(c.email for c in self.contacts.values())}
        known |= {team.email for team in self.teams.values()}
        domain = address.rpartition("@")[2].casefold()
        return domain == (self.company.reply_domain or "").casefold() or address.casefold() in {
            (ours or "").casefold() for ours in known
        }

    def responsible_for(self, team: str | None) -> str:
        """Key of the contact who works on flags of ``team``."""
        known = self.teams.get(team or "")
        return known.responsible if known and known.responsible else self.responsible

    def policy_for(self, contact: str) -> Policy:
        """The policy with the digest times, and the time zone, that this contact chose."""
        known = self.contacts.get(contact)
        chosen = known.digest if known else None
        if chosen is None:
            return self.policy
        usual = self.policy
        return replace(
            usual,
            digest_every=chosen.every or usual.digest_every,
            digest_weekday=usual.digest_weekday if chosen.weekday is None else chosen.weekday,
            digest_at=usual.digest_at if chosen.at is None else chosen.at,
            time_zone=chosen.time_zone or usual.time_zone,
        )

    def address_of(self, recipient: str) -> str | None:
        """Address behind ``contact:<key>`` or ``team:<key>``; None when the settings do not know it any more."""
        group, _, key = recipient.partition(":")
        known = self.teams.get(key) if group == "team" else self.contacts.get(key)
        return known.email if known else None


UNCLASSIFIED = "unclassified"
