"""What a company decides about its follow-ups: sources, teams, people, causes and the policy.

The values arrive from one YAML file (``infra/settings.yaml`` documents every key) and are checked before they are
stored.
"""

from dataclasses import dataclass, field, replace
from datetime import time, timedelta


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


@dataclass(frozen=True, kw_only=True)
class Cause:
    """A root cause; ``values`` are what the helpdesks send for it, compared without case."""

    name: str
    owner: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Source:
    """One connected helpdesk: which preset reads it and which entry of the hook secrets verifies it."""

    preset: str
    secret: str
    time_zone: str | None = None


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
    digest_every: timedelta = timedelta(days=7)
    digest_weekday: int = 0
    digest_at: time = time(8)
    digest_when_empty: bool = True
    cause_acknowledge_within: timedelta = timedelta(days=7)
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

    def cause_of(self, value: str | None) -> str:
        """Code of the cause that a helpdesk calls ``value``; ``unclassified`` when nobody mapped it."""
        wanted = (value or "").strip().casefold()
        for code, cause in self.causes.items():
            if wanted and wanted in {code.casefold(), *(known.strip().casefold() for known in cause.values)}:
                return code
        return UNCLASSIFIED

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

    def causes_of(self, owner: str) -> tuple[str, ...]:
        """Codes of the causes that this contact owns."""
        return tuple(code for code, known in self.causes.items() if known.owner == owner)

    def address_of(self, recipient: str) -> str | None:
        """Address behind ``contact:<key>`` or ``team:<key>``; None when the settings do not know it any more."""
        group, _, key = recipient.partition(":")
        known = self.teams.get(key) if group == "team" else self.contacts.get(key)
        return known.email if known else None


UNCLASSIFIED = "unclassified"
