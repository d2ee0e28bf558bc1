"""The settings file: what is read from it, and what is refused, with line, value and what is allowed."""

import dataclasses
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

import apply_settings
import set_secret
from apply_settings import differences
from domain.settings import (
    UNCLASSIFIED,
    Cause,
    Company,
    Contact,
    Hours,
    Policy,
    Schedule,
    Settings,
    Source,
    Team,
)
from helpdesks.preset import preset_of
from settings_file import LARGEST_FILE, check, presets
from settings_values import FORMS_BY_NAME, FORMS_BY_TYPE, shown

INFRA = Path(__file__).parent.parent.parent / "infra"
KNOWN_PRESETS = ["standard-webhooks", "zendesk"]
VALID = """\
company:
  name: Acme
  sender: followthrough@acme.example
contacts:
  mia: {name: Mia, email: mia@acme.example, manager: hanne}
  hanne: {name: Hanne, email: hanne@acme.example}
responsible: mia
teams:
  billing: {name: Billing, email: billing@acme.example, names: [Invoices]}
causes:
  late: {name: Too late, owner: mia, values: [cause_late]}
sources:
  zendesk: {preset: zendesk, secret: zendesk}
policy:
  reminder_after: 3d
"""


def problems_of(text: str) -> list[str]:
    """What the command would say about a file."""
    settings, problems = check(text.encode(), KNOWN_PRESETS)
    assert (settings is None) == bool(problems)
    return [str(problem) for problem in problems]


def changed(old: str, new: str) -> str:
    """The valid file with one change."""
    assert old in VALID
    return VALID.replace(old, new)


def test_an_owners_own_digest_and_chat_become_settings() -> None:
    text = changed("manager: hanne", 'digest: {weekday: thu, at: "16:30"}, chat: owners')
    found, problems = check(text.encode(), KNOWN_PRESETS)
    assert problems == []
    assert found is not None
    mia = found.contacts["mia"]
    assert (mia.digest, mia.chat) == (Schedule(weekday=3, at=time(16, 30)), "owners")
    assert "  ~ contacts.mia.digest.weekday: thu -> fri" in differences(
        found,
        replace(
            found,
            contacts={**found.contacts, "mia": replace(mia, digest=Schedule(weekday=4, at=time(16, 30)))},
        ),
    )


def test_a_source_may_mean_something_else_by_the_same_value() -> None:
    settings, _ = check(
        changed("secret: zendesk}", "secret: zendesk, causes: {' Other ': late}}").encode(), KNOWN_PRESETS
    )
    assert settings
    assert settings.sources["zendesk"].causes == {"Other": "late"}
    assert settings.cause_of("OTHER", "zendesk") == "late"
    assert settings.cause_of("OTHER", "elsewhere") == UNCLASSIFIED


def test_valid_file_becomes_settings() -> None:
    settings, problems = check(VALID.encode(), KNOWN_PRESETS)
    assert problems == []
    assert settings == Settings(
        company=Company(name="Acme", sender="followthrough@acme.example"),
        contacts={
            "mia": Contact(name="Mia", email="mia@acme.example", manager="hanne"),
            "hanne": Contact(name="Hanne", email="hanne@acme.example"),
        },
        responsible="mia",
        teams={"billing": Team(name="Billing", email="billing@acme.example", names=("Invoices",))},
        causes={"late": Cause(name="Too late", owner="mia", values=("cause_late",))},
        sources={"zendesk": Source(preset="zendesk", secret="zendesk")},
    )


@pytest.mark.parametrize("name", ["settings.yaml", "local.yaml"])
def test_shipped_files_are_valid(name: str) -> None:
    settings, problems = check((INFRA / name).read_bytes(), presets())
    assert problems == []
    assert settings is not None


def test_documented_file_explains_every_key_and_shows_the_defaults() -> None:
    text = (INFRA / "settings.yaml").read_text(encoding="utf-8")
    settings, _ = check(text.encode(), presets())
    assert settings is not None
    assert settings.policy == Policy(time_zone="Europe/Berlin")
    for kind in (Settings, Company, Contact, Team, Cause, Source, Policy, Hours):
        for field in dataclasses.fields(kind):
            assert re.search(rf"^ *(# )?{field.name}:", text, re.M), f"{field.name} is not in settings.yaml"
    for field in dataclasses.fields(Policy):
        if field.name not in {"hours", "time_zone"}:
            comment = re.search(rf"((?:^  # .*\n)+)  {field.name}: ", text, re.M)
            assert comment, f"{field.name} is not explained"
            told = re.search(r"default\s([\w:]+(?:\.\d+)?)", comment[1].replace("\n  #", ""))
            form = FORMS_BY_NAME.get(field.name) or FORMS_BY_TYPE[field.type]
            assert told, f"the default of {field.name} is not told"
            assert form.parse(told[1]) == field.default


def test_local_file_is_compressed() -> None:
    settings, _ = check((INFRA / "local.yaml").read_bytes(), presets())
    assert settings is not None
    policy = settings.policy
    assert policy.first_ask_after <= timedelta(seconds=10)
    assert policy.reminder_after <= timedelta(seconds=30)
    assert policy.first_ask_after + policy.silent_after <= timedelta(seconds=60)
    every_day = Hours(opens=time(), closes=time.max, weekdays=(0, 1, 2, 3, 4, 5, 6), on_holidays=True)
    assert policy.hours == every_day
    assert set(settings.sources) == {"zendesk", "standard-webhooks"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            changed("3d", "soon"),
            '15: policy.reminder_after: "soon" is not a duration; '
            "allowed: a number and s, m, h or d, like 90s or 3d, up to 3650d",
        ),
        (changed("3d", "3"), '15: policy.reminder_after: "3" is not a duration'),
        (changed("3d", "99999d"), '15: policy.reminder_after: "99999d" is not a duration'),
        (changed("3d", "-3d"), '15: policy.reminder_after: "-3d" is not a duration'),
        (changed("3d", "0s"), '15: policy.reminder_after: "0s" is not at least 1s; allowed: at least 1s'),
        (changed("3d", ""), "15: policy.reminder_after: is empty; allowed: a number"),
        (changed("3d", "[3d]"), "15: policy.reminder_after: a list is not a duration"),
        (changed("3d", "7d"), '"7d" is not less than silent_after (7d); allowed: less than 7d'),
        (
            changed("reminder_after: 3d", "silent_after: 15d"),
            '15: policy.silent_after: "15d" is not at most link_answers_for',
        ),
        (
            changed("reminder_after: 3d", "link_answers_for: 6d"),
            'silent_after: "7d" (the default) is not at most link_answers',
        ),
        (
            changed("reminder_after: 3d", "flag_settle_within: 1h"),
            "is not at least flag_acknowledge_within (1d)",
        ),
        (changed("reminder_after: 3d", "repeated_customers: 4"), "is not at most repeated_tickets (3)"),
        (
            changed("reminder_after: 3d", "repeated_tickets: 0"),
            '"0" is not a number; allowed: a whole number from 1 to 1000',
        ),
        (
            changed("reminder_after: 3d", "surveys_per_month: 21"),
            '"21" is not at most 20; allowed: at most 20',
        ),
        (
            changed("reminder_after: 3d", "hours: {on_holidays: sometimes}"),
            '"sometimes" is neither true nor false',
        ),
        (changed("name: Acme\n", "name: Acme\n  country: Atlantis\n"), '"Atlantis" is not a country'),
        (
            changed("name: Acme\n", "name: Acme\n  country: de\n"),
            "two capital letters of ISO 3166, such as DE",
        ),
        (
            changed("name: Acme\n", "name: Acme\n  reply_domain: a@b.example\n"),
            '"a@b.example" is not a domain',
        ),
        (changed("reminder_after: 3d", "keep_for: 30d"), '"30d" is not more than rise_compared_with (84d)'),
        (
            changed("reminder_after: 3d", "digest_every: 36h"),
            '"36h" is neither whole days nor less than a day',
        ),
        (
            changed("reminder_after: 3d", "digest_weekday: monday"),
            '"monday" is not a weekday; allowed: mon, tue',
        ),
        (
            changed("reminder_after: 3d", "digest_at: 24:00"),
            '"24:00" is not a time; allowed: HH:MM from 00:00 to 23:59',
        ),
        (
            changed("manager: hanne", "digest: {every: 36h}"),
            '5: contacts.mia.digest.every: "36h" is neither whole days nor less than a day; allowed: like 12h',
        ),
        (
            changed("manager: hanne", "digest: {every: 400d}"),
            '5: contacts.mia.digest.every: "400d" is not less than keep_for (400d); allowed: less than 400d',
        ),
        (changed("manager: hanne", "digest: {every: 0s}"), '"0s" is not at least 1s; allowed: at least 1s'),
        (
            changed("manager: hanne", "digest: {weekday: thursday}"),
            '5: contacts.mia.digest.weekday: "thursday" is not a weekday; allowed: mon, tue',
        ),
        (
            changed("manager: hanne", "digest: {time_zone: Berlin}"),
            '5: contacts.mia.digest.time_zone: "Berlin" is not a time zone',
        ),
        (
            changed("manager: hanne", 'digest: {at: "25:00"}'),
            '5: contacts.mia.digest.at: "25:00" is not a time',
        ),
        (
            changed("manager: hanne", "digest: {wekday: mon}"),
            "5: contacts.mia.digest.wekday: is not a key; did you mean weekday?",
        ),
        (changed("manager: hanne", "digest: mon"), '5: contacts.mia.digest: "mon" does not hold keys'),
        (
            changed("manager: hanne", "chat: slack//x"),
            '5: contacts.mia.chat: "slack//x" is not a key; allowed: a key of 1 to 40',
        ),
        (
            changed("reminder_after: 3d", "digest_when_empty: yes"),
            '"yes" is neither true nor false; allowed: true, false',
        ),
        (
            changed("reminder_after: 3d", "time_zone: Europe/berlin"),
            "did you mean Europe/Berlin? allowed: an IANA name",
        ),
        (
            changed("reminder_after: 3d", "hours: {opens: '18:00', closes: '08:00'}"),
            "is not later than hours.opens",
        ),
        (
            changed("reminder_after: 3d", "hours: {weekdays: []}"),
            "15: policy.hours.weekdays: is empty; allowed: at least one",
        ),
        (changed("reminder_after: 3d", "hours: 8-18"), '15: policy.hours: "8-18" does not hold keys'),
        (
            changed("reminder_after", "reminder_aftr"),
            "15: policy.reminder_aftr: is not a key; did you mean reminder_after?",
        ),
        (VALID + "  reminder_after: 4d\n", "16: policy.reminder_after: is given twice; first in line 15"),
        (
            changed("  sender: followthrough@acme.example\n", ""),
            "1: company.sender: is missing; allowed: one address",
        ),
        (changed("followthrough@acme.example", "Acme <a@b.example>"), "3: company.sender: "),
        (
            changed("  sender: f", "  reply_domain: a@reply.acme.example\n  sender: f"),
            'company.reply_domain: "a@reply.acme.example" is not a domain; allowed: one domain such as',
        ),
        (changed("followthrough@acme.example", "a..b@acme.example"), "is not an e-mail address"),
        (
            changed("followthrough@acme.example", '"a@acme.example\\nBcc: x@y.example"'),
            "is not an e-mail address",
        ),
        (changed("  name: Acme\n", '  name: "Acme\\r\\nBcc: x"\n'), "2: company.name: "),
        (
            changed("  name: Acme\n", "  name: Acme\n  public_url: http://acme.example\n"),
            "3: company.public_url: ",
        ),
        (
            changed("  name: Acme\n", "  name: Acme\n  public_url: https://a@acme.example\n"),
            "3: company.public_url: ",
        ),
        (
            changed("  name: Acme\n", "  name: Acme\n  public_url: https://acme.example/?a=b\n"),
            "3: company.public_url: ",
        ),
        (
            changed("manager: hanne", "manager: hana"),
            '"hana" is not a contact; did you mean hanne? allowed: mia, hanne',
        ),
        (changed("manager: hanne", "manager: mia"), "leads back: mia -> mia; allowed: a chain that ends"),
        (
            changed("hanne@acme.example}", "hanne@acme.example, manager: mia}"),
            "leads back: hanne -> mia -> hanne",
        ),
        (changed("responsible: mia", "responsible: nobody"), '7: responsible: "nobody" is not a contact'),
        (
            changed("billing@acme.example", "billing@acme.example, responsible: x"),
            "9: teams.billing.responsible: ",
        ),
        (
            changed("owner: mia", "owner: miaa"),
            '11: causes.late.owner: "miaa" is not a contact; did you mean mia?',
        ),
        (
            changed("  late:", "  Late:"),
            '11: causes: "Late" is not a key; allowed: a key of 1 to 40 characters',
        ),
        (changed("  late:", "  unclassified:"), "11: causes.unclassified: is taken"),
        (
            changed("sources:", "  early: {name: Early, owner: mia, values: [CAUSE_late]}\nsources:"),
            '12: causes.early.values: "CAUSE_late" already means causes.late; allowed: one meaning each',
        ),
        (
            changed("sources:", "  early: {name: Early, owner: mia, values: [LATE]}\nsources:"),
            '12: causes.early.values: "LATE" already means causes.late',
        ),
        (
            changed("sources:", "  early: {name: Early, owner: mia, values: [' ＣＡＵＳＥ_late']}\nsources:"),
            '12: causes.early.values: "ＣＡＵＳＥ_late" already means causes.late',
        ),
        (
            changed("[cause_late]", '["cause\\u200blate"]'),
            "is not a value; allowed: one line of 1 to 100 characters",
        ),
        (
            changed("[cause_late]", f"[{'x' * 101}]"),
            "is not a value; allowed: one line of 1 to 100 characters",
        ),
        (
            changed("owner: mia,", "owner: mia, manager: noor,"),
            '11: causes.late.manager: "noor" is not a contact',
        ),
        (
            changed("owner: mia,", "owner: mia, parent: lat,"),
            '11: causes.late.parent: "lat" is not a cause; did you mean late? allowed: late',
        ),
        (
            changed("owner: mia,", "owner: mia, parent: late,"),
            '11: causes.late.parent: "late" leads back: late -> late; allowed: a chain that ends',
        ),
        (
            changed(
                "  zendesk: {preset: zendesk, secret: zendesk}",
                "  zendesk:\n    preset: zendesk\n    secret: zendesk\n    causes:\n      Other v1.2: slow",
            ),
            '17: sources.zendesk.causes.Other v1.2: "slow" is not a cause; allowed: late',
        ),
        (
            changed("secret: zendesk}", "secret: zendesk, causes: {Other: late, ' oTHER': late}}"),
            '13: sources.zendesk.causes. oTHER: is the same as "Other"; allowed: one meaning each',
        ),
        (changed("secret: zendesk}", "secret: zendesk, causes: {Other: }}"), "causes.Other: is empty"),
        (
            changed("reminder_after: 3d", "rise_compared_with: 30d"),
            '15: policy.rise_compared_with: "30d" is not whole weeks; allowed: like 28d or 84d',
        ),
        (
            changed("reminder_after: 3d", "rise_at_least: 0.5"),
            '15: policy.rise_at_least: "0.5" is not at least 1; allowed: at least 1',
        ),
        (
            changed("reminder_after: 3d", "rise_false_alarms_per_year: never"),
            '15: policy.rise_false_alarms_per_year: "never" is not a number; allowed: a number above 0',
        ),
        (
            changed("causes:", "  sales: {name: invoices, email: sales@acme.example}\ncauses:"),
            '10: teams.sales.name: "invoices" already means teams.billing',
        ),
        (
            changed("preset: zendesk", "preset: zendsk"),
            '"zendsk" is not a preset; did you mean zendesk? allowed: standard',
        ),
        (
            changed("secret: zendesk", "secret: My Secret"),
            '13: sources.zendesk.secret: "My Secret" is not a key',
        ),
        (
            changed("  zendesk: {preset: zendesk, secret: zendesk}", "  {}"),
            "12: sources: is empty; allowed: at least one",
        ),
        (changed("sources:\n  zendesk: {preset: zendesk, secret: zendesk}\n", ""), "1: sources: is missing"),
        (changed("company:", "companie:"), "1: companie: is not a key; did you mean company?"),
        ("", "1: the file is empty"),
        ("- a\n", "1: a list does not hold keys"),
        ("a: [1\nb: 2\n", "2: not readable as YAML: "),
        ("a: 1\nb: \x07\n", "2: there is a character that YAML does not allow"),
        ("a: 1\n---\nb: 1\n", "not readable as YAML"),
        ("x: &a {<<: *a}\n", "1: x: is not a key"),
        (
            changed("  reminder_after: 3d", "  <<: 3d"),
            '15: policy: << brings in "3d"; allowed: keys with values',
        ),
        ("#" * 300_001, "1: the file has 300001 bytes; allowed: 300000"),
    ],
)
def test_problem_is_told_with_line_value_and_what_is_allowed(text: str, problem: str) -> None:
    assert any(problem in line for line in problems_of(text)), problems_of(text)


OWN = """\
  desk:
    secret: desk
    preset:
      verify: {kind: secret, header: X-Secret}
      body: {}
      shapes:
        - name: ticket
          when: body.ticket
          status: body.ticket.status
          time: body.ticket.closed
          time_required: false
          statuses:
            closed: [done, "7"]
          fields:
            ticket_id: body.ticket.id
"""
OWN_FILE = VALID.replace("policy:", OWN + "policy:")


def test_a_source_may_hold_its_own_preset() -> None:
    settings, problems = check(OWN_FILE.encode(), KNOWN_PRESETS)
    assert problems == []
    assert settings
    preset = settings.sources["desk"].preset
    assert isinstance(preset, dict)
    assert preset_of(preset).shapes[0].meanings == {"done": "closed", "7": "closed"}
    assert preset["shapes"][0]["time_required"] is False
    other = replace(settings, sources={**settings.sources, "desk": Source(preset="zendesk", secret="desk")})
    told = "\n".join(differences(other, settings))
    assert "  + sources.desk.preset.verify.header: X-Secret" in told


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "kind: secret",
            "kind: magic",
            "17: sources.desk.preset.verify.kind: is not one of signature, secret;",
        ),
        ("header: X-Secret", "heder: X-Secret", "17: sources.desk.preset.verify.heder: is not a known key;"),
        ("header: X-Secret", "header: X, header: Y", "verify.header: is given twice"),
        (
            "          status: body.ticket.status\n",
            "",
            "20: sources.desk.preset.shapes[0].status: is missing; docs/helpdesks/your-own.md explains every key",
        ),
        (
            "when: body.ticket",
            "when: body..ticket",
            "21: sources.desk.preset.shapes[0].when: is not a JMESPath",
        ),
        ("when: body.ticket", f"when: {'a' * 2001}", "shapes[0].when: has 2001 characters; allowed: 2000"),
        (
            'closed: [done, "7"]',
            "closed: [done, 7]",
            "26: sources.desk.preset.shapes[0].statuses.closed: is not a list of texts",
        ),
        (
            "closed: [done",
            "shut: [done",
            "26: sources.desk.preset.shapes[0].statuses.shut: is not a known key",
        ),
        ("time_required: false", "time_required: no", "time_required: is not true or false"),
        ("      body: {}\n", f"      body: {{root: {'x' * 20_000}}}\n", "sources.desk.preset: has 20"),
        (
            "secret: desk",
            "secret: desk\n    verify: token",
            '16: sources.desk.verify: "token" is not an alternative',
        ),
        (
            "secret: desk",
            "secret: desk\n    statuses: {shut: gone}",
            '"gone" is not what a status can mean; allowed: s',
        ),
        (
            "secret: desk",
            'secret: desk\n    fields: {cause: "a b"}',
            "16: sources.desk.fields.cause: is not a JMESPath",
        ),
        (
            "secret: desk",
            "secret: desk\n    fields: {colour: a}",
            "16: sources.desk.fields.colour: is not a known key",
        ),
        ("secret: desk", "secret: desk\n    fields: {ticket_id: a}", "fields.ticket_id: is not a known key"),
    ],
)
def test_what_is_wrong_with_an_own_preset_is_told_with_its_line(old: str, new: str, problem: str) -> None:
    assert old in OWN_FILE
    told = problems_of(OWN_FILE.replace(old, new))
    assert len(told) == 1
    assert problem in told[0]


def test_a_source_may_choose_an_alternative_and_say_what_its_words_mean() -> None:
    text = changed(
        "{preset: zendesk, secret: zendesk}",
        "{preset: chatwoot, secret: chat, verify: token, statuses: {Parked: reopened}, fields: {cause: body.x}}",
    )
    settings, problems = check(text.encode(), ["chatwoot"])
    assert problems == []
    assert settings
    source = settings.sources["zendesk"]
    assert (source.verify, source.statuses, source.fields) == (
        "token",
        {"Parked": "reopened"},
        {"cause": "body.x"},
    )
    assert (
        '13: sources.zendesk.verify: "tokn" is not an alternative of the preset; did you mean token?'
        in str(check(text.replace("verify: token", "verify: tokn").encode(), ["chatwoot"])[1][0])
    )


def test_a_preset_without_a_value_is_empty() -> None:
    assert "13: sources.zendesk.preset: is empty" in problems_of(changed("preset: zendesk", "preset: "))[0]


def test_text_that_is_not_utf_8_is_told_with_its_line() -> None:
    _, problems = check(b"company:\n  name: M\xfcller\n", KNOWN_PRESETS)
    assert [str(problem) for problem in problems] == ["2: this line is not UTF-8 text"]


def test_all_problems_are_told_at_once_in_the_order_of_the_lines() -> None:
    text = (
        VALID.replace("3d", "soon")
        .replace("owner: mia", "owner: nobody")
        .replace("preset: zendesk", "preset: x")
    )
    assert [problem.split(":")[0] for problem in problems_of(text)] == ["11", "13", "15"]


def test_one_wrong_contact_does_not_make_its_references_wrong() -> None:
    assert len(problems_of(changed("mia@acme.example", "mia at acme"))) == 1


def test_anchors_and_merges_are_read() -> None:
    text = changed(
        "sources:",
        "  early: &c {name: Early, owner: mia}\n  odd: {<<: *c, name: Odd}\n  more: {<<: [*c], name: More}\nsources:",
    )
    settings, problems = check(text.encode(), KNOWN_PRESETS)
    assert problems == []
    assert settings is not None
    assert settings.causes["odd"] == Cause(name="Odd", owner="mia")
    assert settings.causes["more"] == Cause(name="More", owner="mia")


def test_words_that_yaml_reads_as_something_else_stay_words() -> None:
    settings, _ = check(changed("[Invoices]", "[no, 08:30, 360001, 1e3]").encode(), KNOWN_PRESETS)
    assert settings is not None
    assert settings.teams["billing"].names == ("no", "08:30", "360001", "1e3")


def test_closing_at_midnight_is_the_end_of_the_day() -> None:
    settings, _ = check(changed("reminder_after: 3d", "hours: {closes: 24:00}").encode(), KNOWN_PRESETS)
    assert settings is not None
    assert settings.policy.hours.closes == time.max


def test_pages_of_this_machine_may_do_without_https() -> None:
    for url in (
        "http://localhost:4566/",
        "http://abc.execute-api.localhost:4566",
        "https://acme.example/follow-up",
    ):
        settings, problems = check(
            changed("name: Acme\n", f"name: Acme\n  public_url: {url}\n").encode(), KNOWN_PRESETS
        )
        assert problems == []
        assert settings is not None
        assert settings.company.public_url == url.rstrip("/")


@trying(deadline=None)  # a busy machine is not a fault
@given(st.integers(1, 3650 * 86_400).map(lambda seconds: timedelta(seconds=seconds)))
def test_durations_are_shown_as_they_are_written(length: timedelta) -> None:
    assert FORMS_BY_TYPE[timedelta].parse(shown("first_ask_after", length)) == length


@trying(deadline=None)  # a busy machine is not a fault
@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_either_settings_or_problems(text: str) -> None:
    settings, problems = check(text.encode("utf-8", "surrogatepass"), KNOWN_PRESETS)
    assert (settings is None) == bool(problems)


@trying(deadline=None)  # a busy machine is not a fault
@given(
    st.sampled_from(sorted(set(re.findall(r"[\w.@-]+|[{}\[\]:,]", VALID)))),
    st.sampled_from(["", "x", "{}", "[]", "~", "'", "*a", "&a", "!!x", ":", "- ", "0s", "mia", "<<"]),
)
def test_any_word_can_be_wrong_without_harm(word: str, other: str) -> None:
    settings, problems = check(VALID.replace(word, other, 1).encode(), KNOWN_PRESETS)
    assert (settings is None) == bool(problems)


def test_differences_name_what_is_added_removed_and_changed() -> None:
    before, _ = check(VALID.encode(), KNOWN_PRESETS)
    after, _ = check(VALID.replace("3d", "15s").replace("late:", "slow:").encode(), KNOWN_PRESETS)
    assert after is not None
    assert differences(before, after) == [
        "  - causes.late.name: Too late",
        "  - causes.late.owner: mia",
        "  - causes.late.values: [cause_late]",
        "  + causes.slow.name: Too late",
        "  + causes.slow.owner: mia",
        "  + causes.slow.values: [cause_late]",
        "  ~ policy.reminder_after: 3d -> 15s",
    ]
    assert "  + policy.hours.weekdays: [mon, tue, wed, thu, fri]" in differences(None, after)
    assert differences(after, after) == []


def test_check_needs_no_table_and_no_aws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TABLE", raising=False)
    file = tmp_path / "settings.yaml"
    file.write_text(VALID, encoding="utf-8")
    assert apply_settings.main([str(file), "--check"]) == 0
    assert capsys.readouterr().out == f"{file} is valid.\n"


def test_command_tells_file_and_line_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(VALID.replace("3d", "soon"), encoding="utf-8")
    assert apply_settings.main([str(file), "--table", "any"]) == 1
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith(f'{file}:15: policy.reminder_after: "soon" is not a duration; allowed: ')
    assert told[-1] == "1 to correct; nothing was changed."


def test_command_refuses_what_it_cannot_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TABLE", raising=False)
    file = tmp_path / "settings.yaml"
    assert apply_settings.main([str(file)]) == 1
    file.write_text(VALID, encoding="utf-8")
    assert apply_settings.main([str(file)]) == 1
    assert apply_settings.main([str(file), "--public-url", "ftp://x"]) == 1
    told = capsys.readouterr().err
    assert "No such file" in told
    assert "Give --table NAME" in told
    assert '--public-url: "ftp://x" is not an address of web pages' in told


def test_lambdas_read_settings_without_yaml_and_without_checks() -> None:
    functions = Path(__file__).parent.parent.parent / "functions"
    program = "import sys, adapters.settings_store, domain.hours; print(*sys.modules)"
    environment = os.environ | {"TABLE": "any"}
    loaded = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=functions,
        env=environment,
    ).stdout.split()
    assert "adapters.settings_store" in loaded
    assert not {"yaml", "ruamel", "apply_settings", "settings_file", "boto3"} & set(loaded)


def test_new_secret_goes_before_the_older_ones_and_four_are_kept() -> None:
    kept = {"acme": ["x"]}
    for secret in ("first", "second", "third", "fourth", "fifth"):
        kept = set_secret.with_new(kept, "zendesk", secret)
    assert kept == {"acme": ["x"], "zendesk": ["fifth", "fourth", "third", "second"]}
    assert set_secret.with_new(kept, "zendesk", "fifth") == kept
    assert set_secret.with_new(kept, "zendesk", "third")["zendesk"] == ["third", "fifth", "fourth", "second"]


def test_oldest_secret_is_retired_but_never_the_last() -> None:
    kept = {"acme": ["x"], "zendesk": ["second", "first"]}
    assert set_secret.without_old(kept, "zendesk") == {"acme": ["x"], "zendesk": ["second"]}
    assert set_secret.without_old(kept, "acme") == kept
    assert set_secret.without_old(kept, "nobody") == kept


def test_generated_secret_is_a_good_one_and_new_each_time() -> None:
    first, second = set_secret.generate(), set_secret.generate()
    assert first != second
    assert first.startswith("whsec_")
    assert set_secret.problem_of(first) is None


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "short",
        "x" * 513,
        "with a blank in it!",
        "tab\tinside-the-secret",
        "whsec_###########",
        "whsec_YWJjZGVmZ2hpamts",
    ],
)
def test_bad_secret_is_refused_without_repeating_it(secret: str) -> None:
    problem = set_secret.problem_of(secret)
    assert problem
    assert not secret or secret not in problem


# --- helpdesks' APIs -------------------------------------------------------------------------------------------------

API = """\
sources:
  desk:
    preset: zendesk
    secret: desk
    api:
      url: https://acme.zendesk.com
      secret: desk
      values: {cause_field: "360001"}
    write_back: {mode: on, outcomes: [denied], reopen: false}
"""


def with_source(source: str) -> bytes:
    """The valid file with these sources."""
    start = VALID.index("sources:")
    others = re.split(r"\n(?=\S)", VALID[start:], maxsplit=1)
    return (VALID[:start] + source + (others[1] if len(others) > 1 else "")).encode()


def test_a_source_may_say_how_it_is_asked_and_told() -> None:
    settings, problems = check(with_source(API), KNOWN_PRESETS)
    assert problems == []
    assert settings
    source = settings.sources["desk"]
    assert source.api
    assert (source.api.url, source.api.values) == ("https://acme.zendesk.com", {"cause_field": "360001"})
    assert (source.write_back.mode, source.write_back.outcomes, source.write_back.reopen) == (
        "on",
        ("denied",),
        False,
    )


def test_settings_that_no_item_holds_are_refused_before_anybody_stores_them() -> None:
    causes = "".join(f"  c{number}: {{name: Too late, owner: mia}}\n" for number in range(6000))
    text = VALID.replace("causes:\n", f"causes:\n{causes}")
    assert len(text) < LARGEST_FILE
    (problem,) = problems_of(text)
    assert "bytes when stored; allowed: 380000" in problem


def test_a_blank_at_which_no_line_breaks_is_a_blank() -> None:
    settings, problems = check(VALID.replace("name: Acme", "name: Acme\u00a0Energy").encode(), KNOWN_PRESETS)
    assert problems == []
    assert settings
    assert settings.company.name == "Acme Energy"


def test_which_listed_closings_are_ours_is_a_jmespath() -> None:
    only = API.replace("      values", '      only: "item.brand_id==`360003`"\n      values')
    settings, problems = check(with_source(only), KNOWN_PRESETS)
    assert problems == []
    assert settings
    assert settings.sources["desk"].api
    assert settings.sources["desk"].api.only == "item.brand_id==`360003`"


def test_who_is_only_asked_needs_no_value_for_telling() -> None:
    asked = API.replace("mode: on", "mode: off").replace(
        "      values", "      calls: intercom\n      values"
    )
    assert check(with_source(asked), KNOWN_PRESETS)[1] == []


def test_without_a_word_a_source_is_only_rehearsed() -> None:
    settings, _ = check(with_source(API[: API.index("    write_back")]), KNOWN_PRESETS)
    assert settings
    assert settings.sources["desk"].write_back.mode == "dry_run"


@pytest.mark.parametrize(
    ("before", "now", "complaint"),
    [
        ("https://acme.zendesk.com", "http://acme.zendesk.com", "is not the address of an API"),
        ("https://acme.zendesk.com", "https://acme.zendesk.com?x=1", "is not the address of an API"),
        ("https://acme.zendesk.com", "https://me:secret@acme.zendesk.com", "is not the address of an API"),
        ("mode: on", "mode: maybe", "is not a way to write back; allowed: off, dry_run, on"),
        ("[denied]", "[denied, reopened]", "is not an outcome; allowed: confirmed, denied, silent"),
        ('"360001"', '"3`] | [0"', "is not a value; allowed: one line"),
        ("cause_field", "Cause-Field", "is not the name of a value"),
        ("preset: zendesk", "preset: standard-webhooks", "nothing describes the API of standard-webhooks"),
        (
            "      secret: desk\n      values",
            "      secret: desk\n      calls: zendsk\n      values",
            "did you mean zendesk?",
        ),
        ("      secret: desk\n      values", "      values", "api.secret: is missing"),
        ("      values", "      only: item.x ==\n      values", "is not a JMESPath over one listed"),
        (
            "      secret: desk\n      values",
            "      secret: desk\n      calls: chatwoot\n      values",
            'chatwoot cannot be asked without account_id; allowed: values: {account_id: "..."}',
        ),
        (
            "      secret: desk\n      values",
            "      secret: desk\n      calls: intercom\n      values",
            'intercom cannot be told without admin_id; allowed: values: {admin_id: "..."}',
        ),
    ],
)
def test_a_mistake_in_an_api_is_told_with_its_line(before: str, now: str, complaint: str) -> None:
    assert before in API
    _, problems = check(with_source(API.replace(before, now, 1)), KNOWN_PRESETS)
    assert any(complaint in str(problem) for problem in problems), [str(problem) for problem in problems]
    assert all(problem.line > 1 for problem in problems)
