"""What follows from a follow-up: exactly what is missing, and nothing the second time."""

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from company import POLICY, SETTINGS, START, after, asked, opened
from domain import delivery
from domain.consequences import missing
from domain.delivery import Feedback
from domain.errors import Refused
from domain.flag import Flag, Reason, Result, settle
from domain.follow_up import FollowUp, Press, State, record_answer, release_words, to_state
from domain.message import Kind, Message, cancel
from domain.settings import Settings
from domain.thanks import Thanks


class Records:
    """What is stored beside a follow-up."""

    def __init__(self) -> None:
        self.flag: Flag | None = None
        self.messages: dict[str, Message] = {}
        self.marks: list[Thanks] = []

    def write(self, follow_up: FollowUp, now: datetime, settings: Settings = SETTINGS) -> list[str]:
        """Write what is missing; tells the names, and finds nothing missing afterwards."""
        wanted = missing(follow_up, self.flag, self.messages, now, settings)
        for record in wanted:
            if isinstance(record, Flag):
                self.flag = replace(record, version=record.version + 1)
            elif isinstance(record, Thanks):
                self.marks.append(record)
            else:
                self.messages[record.name] = replace(record, version=record.version + 1)
        assert missing(follow_up, self.flag, self.messages, now, settings) == ()
        written = [record for record in wanted if not isinstance(record, Thanks)]
        return ["flag" if isinstance(record, Flag) else record.name for record in written]

    def send(self, name: str, follow_up: FollowUp) -> None:
        """The mail goes out, with the customer's words if they may be quoted by now."""
        message = self.messages[name]
        quoted = {"quoted": "yes"} if follow_up.answer and follow_up.answer.consent else {}
        claimed = delivery.claim(message.delivery, "one", START, POLICY.unknown_after)
        gone = delivery.settle_sent(claimed, "one", "ses-1", START)
        self.messages[name] = replace(message, delivery=gone, about={**message.about, **quoted})


def said(
    follow_up: FollowUp,
    *,
    solved: bool = True,
    words: str | None = None,
    consent: bool = False,
    days: float = 2,
) -> FollowUp:
    """The customer answers."""
    return record_answer(
        follow_up, Press(solved=solved, words=words, consent=consent), after(days=days), POLICY
    )


def test_nothing_follows_while_the_answer_is_open() -> None:
    for follow_up in (opened(), asked(), to_state(asked(), State.REOPENED, START, "reopened")):
        assert Records().write(follow_up, START) == []


def test_a_confirmation_is_followed_by_one_note_to_the_team_half_an_hour_later() -> None:
    records = Records()
    assert records.write(said(asked()), after(days=2)) == ["0001#note"]
    note = records.messages["0001#note"]
    assert (note.kind, note.to, note.due_at) == (Kind.NOTE, "team:remote", after(days=2, minutes=30))


def test_a_note_for_a_team_nobody_knows_goes_to_the_responsible_person() -> None:
    records = Records()
    records.write(replace(said(asked()), team=None), after(days=2))
    assert records.messages["0001#note"].to == "contact:selma"


def test_a_confirmation_that_is_found_late_is_noted_at_once() -> None:
    records = Records()
    records.write(said(asked()), after(days=5))
    assert records.messages["0001#note"].due_at == after(days=5)


def test_a_no_is_followed_by_a_flag_and_the_mail_about_it() -> None:
    records = Records()
    assert records.write(said(asked(), solved=False), after(days=2)) == ["flag", "0001#flag#01"]
    assert records.flag is not None
    assert records.flag.reason is Reason.DENIED


def test_a_flag_whose_mail_was_never_written_gets_it() -> None:
    records = Records()
    denied = said(asked(), solved=False)
    records.write(denied, after(days=2))
    records.messages.clear()
    assert records.write(denied, after(days=2)) == ["0001#flag#01"]


def test_a_settled_flag_needs_no_mail() -> None:
    records = Records()
    denied = said(asked(), solved=False)
    records.write(denied, after(days=2))
    assert records.flag is not None
    records.flag = settle(records.flag, "jonas", Result.SOLVED, "Called", after(days=3))
    records.messages.clear()
    assert records.write(denied, after(days=4)) == []


def test_words_that_may_be_quoted_before_the_note_goes_out_are_in_the_note() -> None:
    records = Records()
    records.write(said(asked()), after(days=2))
    spoken = said(said(asked()), words="Thank you", consent=True)
    assert records.write(spoken, after(days=2)) == []
    records.send("0001#note", spoken)
    assert records.write(spoken, after(days=3)) == []


def test_words_that_may_be_quoted_after_the_note_has_gone_are_appreciated_once() -> None:
    records = Records()
    confirmed = said(asked())
    records.write(confirmed, after(days=2))
    records.send("0001#note", confirmed)
    spoken = said(confirmed, words="Thank you", consent=True, days=3)
    assert records.write(spoken, after(days=3)) == ["0001#appreciation"]
    records.send("0001#appreciation", spoken)
    other = said(spoken, words="Thank you, Marta", consent=True, days=4)
    assert records.write(other, after(days=4)) == []


def test_words_for_a_note_that_was_postponed_wait_for_the_note() -> None:
    """The provider was busy: the note has a history but has not gone, and will quote them itself."""
    records = Records()
    confirmed = said(asked())
    records.write(confirmed, after(days=2))
    note = records.messages["0001#note"]
    released = delivery.release(delivery.claim(None, "one", START, POLICY.unknown_after), "one")
    records.messages[note.name] = replace(note, delivery=released)
    assert records.write(said(confirmed, words="Thank you", consent=True), after(days=2)) == []


def test_a_note_that_was_cancelled_by_a_no_is_wanted_again_after_a_yes() -> None:
    records = Records()
    confirmed = said(asked())
    records.write(confirmed, after(days=2))
    records.messages["0001#note"] = cancel(records.messages["0001#note"], "nothing_to_say")
    denied = said(confirmed, solved=False, days=3)
    assert records.write(denied, after(days=3)) == ["flag", "0001#flag#01"]
    assert records.write(said(denied, days=4), after(days=4)) == ["flag", "0001#note"]
    note = records.messages["0001#note"]
    assert (note.cancelled, note.due_at, note.version) == (None, after(days=4, minutes=30), 2)


def test_a_cancelled_note_that_went_out_after_all_is_not_sent_again() -> None:
    """Its call's reply was lost, a "no" cancelled it, then its delivery was reported, then the customer said yes."""
    records = Records()
    confirmed = said(asked())
    records.write(confirmed, after(days=2))
    note = records.messages["0001#note"]
    claimed = delivery.claim(None, "one", after(days=2), POLICY.unknown_after)
    cancelled = cancel(replace(note, delivery=claimed), "nothing_to_say")
    again = said(said(confirmed, solved=False, days=3), days=4)

    records.messages[note.name] = cancelled
    records.write(again, after(days=4))
    assert records.messages[note.name].delivery == claimed

    gone = delivery.hear(claimed, Feedback.DELIVERY, after(days=3))
    records.messages[note.name] = replace(cancelled, delivery=gone)
    assert records.write(again, after(days=4)) == []


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([None, "A", "B"]), st.booleans(), st.booleans())))
def test_however_the_customer_answers_there_is_one_note_and_a_flag_for_each_no(
    presses: list[tuple[bool, str | None, bool, bool]],
) -> None:
    """And whatever was sent in between: what exists is never wanted a second time."""
    records, follow_up, names = Records(), asked(), []
    for number, (solved, words, consent, send) in enumerate(presses):
        day = 2 + number
        before = follow_up.state
        follow_up = said(follow_up, solved=solved, words=words, consent=consent, days=day)
        names += records.write(follow_up, after(days=day))
        if before is not follow_up.state and follow_up.state is State.DENIED:
            assert records.flag is not None
            assert records.flag.settled_at is None
            assert f"0001#flag#{records.flag.rounds:02d}" in records.messages
        note = records.messages.get("0001#note")
        if send and note and note.delivery is None and follow_up.state is State.CONFIRMED:
            records.send("0001#note", follow_up)
    written = [name for name in names if name != "flag"]
    assert len(written) == len(set(written))
    assert ("0001#note" in written) == any(solved for solved, *_ in presses)
    assert all(message.to for message in records.messages.values())


# --- teams that gather their notes, words that a person reads first ---

GATHERING = replace(
    SETTINGS, teams={**SETTINGS.teams, "remote": replace(SETTINGS.teams["remote"], notes="daily")}
)


def test_a_team_that_gathers_gets_a_mark_and_no_mail_of_its_own() -> None:
    records = Records()
    assert records.write(said(asked()), after(days=2), GATHERING) == ["0001#note"]
    (mark,) = records.marks
    assert (mark.team, mark.at) == ("remote", after(days=2, minutes=30))
    note = records.messages["0001#note"]
    assert (note.due_at, note.about["gathered"]) == (None, after(days=2, hours=6).isoformat())


def test_words_that_may_be_quoted_only_after_the_gathering_come_in_the_next_one() -> None:
    records, confirmed = Records(), said(asked())
    records.write(confirmed, after(days=2), GATHERING)
    quoted = said(confirmed, words="Thank you", consent=True, days=4)
    assert records.write(quoted, after(days=4), GATHERING) == ["0001#note"]
    assert [mark.at for mark in records.marks] == [after(days=2, minutes=30), after(days=4)]
    early = Records()
    early.write(confirmed, after(days=2), GATHERING)
    assert early.write(said(confirmed, words="Thank you", consent=True), after(days=2), GATHERING) == []


def test_words_after_the_gathering_of_a_team_that_gathers_no_more_are_a_mail_and_no_second_mark() -> None:
    records, confirmed = Records(), said(asked())
    records.write(confirmed, after(days=2), GATHERING)
    quoted = said(confirmed, words="Thank you", consent=True, days=4)
    assert records.write(quoted, after(days=4)) == ["0001#note"]
    note = records.messages["0001#note"]
    assert (note.version, note.due_at) == (2, after(days=4)), (
        "it takes the place of the one that was gathered"
    )
    assert len(records.marks) == 1


def test_whoever_takes_a_yes_back_and_gives_it_again_after_the_gathering_is_thanked_for() -> None:
    records, confirmed = Records(), said(asked())
    records.write(confirmed, after(days=2), GATHERING)
    denied = said(confirmed, solved=False, days=2.1)
    records.write(denied, after(days=2.1), GATHERING)
    again = said(denied, days=4)
    assert records.write(again, after(days=4), GATHERING) == ["flag", "0001#note"]
    assert len(records.marks) == 2


def test_each_team_that_had_a_part_gets_a_note_of_its_own() -> None:
    records = Records()
    helped = replace(said(asked()), teams=("field",))
    assert records.write(helped, after(days=2)) == ["0001#note", "0001#note#field"]
    assert [mark.team for mark in records.marks] == ["remote", "field"]


def critical(consent: bool) -> FollowUp:
    """The customer confirms, in words that are not only praise."""
    pressed = Press(solved=True, words="Works, but Ben was rude", critical=True, consent=consent)
    return record_answer(asked(), pressed, after(days=2), POLICY)


def test_words_that_are_not_only_praise_go_to_a_person_and_not_into_the_note() -> None:
    records = Records()
    assert records.write(critical(consent=True), after(days=2)) == ["flag", "0001#flag#01", "0001#note"]
    assert records.flag and records.flag.reason is Reason.UNHAPPY
    assert critical(consent=True).quote is None


def test_a_person_may_pass_them_on_and_the_team_reads_them_then() -> None:
    records, confirmed = Records(), critical(consent=True)
    records.write(confirmed, after(days=2))
    records.messages["0001#note"] = gone(records.messages["0001#note"])
    released = release_words(confirmed, "jonas", after(days=3))
    assert release_words(released, "selma", after(days=3)) is released
    assert records.write(released, after(days=3)) == ["0001#appreciation"]
    assert released.quote == "Works, but Ben was rude"
    changed = record_answer(
        released, Press(solved=True, words="Ben is a liar", critical=True), after(days=4), POLICY
    )
    assert changed.quote is None


def test_nobody_can_pass_on_what_the_customer_did_not_agree_to() -> None:
    with pytest.raises(Refused):
        release_words(critical(consent=False), "jonas", after(days=3))


def gone(message: Message) -> Message:
    """The mail is out, without the customer's words."""
    claimed = delivery.claim(message.delivery, "one", START, POLICY.unknown_after)
    return replace(message, delivery=delivery.settle_sent(claimed, "one", "ses-1", START))
