"""A flag in whatever order people and its customer act: presses, mails, promises, questions, and nobody in time."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import settings as how
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from builders import A_DAY, A_MINUTE, AN_HOUR, START, settings
from domain import recovery
from domain.errors import Refused
from domain.flag import Flag, Reason, Result, What, acknowledge, escalate, flag_for, raise_for, settle
from domain.follow_up import Press, Reply, State, Ticket, record_answer, to_state
from domain.message import Message
from domain.person import Person
from domain.reply import Said, Verdict, take
from unit.test_recovery import asked

COMPANY = settings()
ANA = Person(key="ana")
AROUND = 2
"""How often each person is told at most since a flag was raised, beside what its customer wrote."""


@dataclass(frozen=True)
class Told:
    """One mail about the flag."""

    to: str
    round: int
    at: datetime


class Life(RuleBasedStateMachine):
    """What follows is written after every step, as the stream and the sweep do."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START + 2 * A_DAY
        self.follow_up = asked()
        self.flag: Flag | None = None
        self.question: Message | None = None
        self.told: list[Told] = []
        self.mails = 0

    def becomes(self, flag: Flag) -> None:
        if self.flag is None or flag.rounds > self.flag.rounds:
            self.told.append(Told(flag.holder, flag.rounds, self.now))
        self.flag = replace(flag, version=flag.version + 1)

    def follows(self) -> None:
        self.now += A_MINUTE
        if wanted := flag_for(self.follow_up, self.flag, self.now, COMPANY):
            self.becomes(wanted)
        assert flag_for(self.follow_up, self.flag, self.now, COMPANY) is None

    @rule(solved=st.booleans(), words=st.sampled_from([None, "One", "Two"]))
    def the_customer_presses(self, solved: bool, words: str | None) -> None:
        self.now += A_MINUTE
        self.follow_up = record_answer(
            self.follow_up, Press(solved=solved, words=words), self.now, COMPANY.policy
        )
        self.follows()

    @rule(
        verdict=st.sampled_from(list(Verdict)),
        doubt=st.sampled_from([None, "unauthenticated"]),
        to_question=st.booleans(),
        critical=st.booleans(),
        after=st.sampled_from([A_MINUTE, 6 * AN_HOUR, 2 * A_DAY]),
    )
    def the_customer_writes(
        self, verdict: Verdict, doubt: str | None, to_question: bool, critical: bool, after: timedelta
    ) -> None:
        self.now += after
        self.mails += 1
        said = Said(
            mail_id=str(self.mails),
            verdict=verdict,
            words="Words",
            doubt=doubt,
            to=self.follow_up.ref,
            to_question=to_question,
            critical=critical,
        )
        try:
            self.follow_up = take(self.follow_up, said, None, self.now, COMPANY.policy)
        except Refused:
            return
        self.follows()

    @precondition(lambda self: self.follow_up.state is State.ASKED)
    @rule(state=st.sampled_from([State.SILENT, State.NOT_ASKED]))
    def the_question_ends(self, state: State) -> None:
        self.now += A_DAY
        reason = "bounced" if state is State.NOT_ASKED else None
        self.follow_up = to_state(self.follow_up, state, self.now, reason)
        self.follows()

    @precondition(lambda self: self.flag and not self.flag.settled_at)
    @rule()
    def somebody_acknowledges(self) -> None:
        assert self.flag
        self.now += A_MINUTE
        self.becomes(acknowledge(self.flag, self.flag.holder, self.now, COMPANY))

    @precondition(lambda self: self.flag and not self.flag.settled_at)
    @rule(result=st.sampled_from([Result.SOLVED, Result.AGREED]))
    def somebody_settles(self, result: Result) -> None:
        assert self.flag
        self.now += A_MINUTE
        by, ticket = self.flag.holder, Ticket(follow_ups=(self.follow_up,))
        settled = settle(self.flag, by, result, "Called.", self.now)
        if result is Result.SOLVED and recovery.may_ask_again(
            self.follow_up, ticket, self.flag, ANA, COMPANY
        ):
            self.follow_up, settled, self.question = recovery.ask_again(
                self.follow_up, settled, by, "Called.", self.now, self.now, COMPANY.policy
            )
        self.becomes(settled)
        self.follows()

    @precondition(lambda self: self.flag and self.flag.due_at)
    @rule()
    def it_is_due(self) -> None:
        assert self.flag
        assert self.flag.due_at
        self.now = max(self.now, self.flag.due_at)
        if self.flag.settled_at:
            ticket = Ticket(follow_ups=(self.follow_up,))
            self.becomes(
                recovery.after_asking(self.flag, self.follow_up, ticket, self.question, self.now, COMPANY)
            )
        else:
            self.becomes(escalate(self.flag, self.now, COMPANY))
        self.follows()

    @precondition(lambda self: self.flag and not self.flag.settled_at)
    @rule()
    def nobody_takes_it_up(self) -> None:
        while self.flag and self.flag.due_at:
            self.now = max(self.now, self.flag.due_at)
            self.becomes(escalate(self.flag, self.now, COMPANY))
        self.follows()

    @rule()
    def a_promise_is_broken(self) -> None:
        self.now += A_DAY
        self.becomes(raise_for(self.follow_up, self.flag, Reason.PROMISE_BROKEN, self.now, COMPANY, "ravi"))
        self.follows()

    @invariant()
    def it_goes_its_whole_way_and_to_nobody_too_often(self) -> None:
        if self.flag is None or self.flag.settled_at:
            return
        deeds = self.flag.deeds
        raised_at = max(deed.at for deed in deeds if deed.what is What.RAISED)
        wrote = sum(deed.what is What.CUSTOMER_WROTE and deed.at >= raised_at for deed in deeds)
        told = Counter(mail.to for mail in self.told if mail.at >= raised_at)
        assert all(times <= AROUND + wrote for times in told.values())
        assert told[self.flag.holder], "whoever has it was told"
        if self.flag.due_at is None and self.flag.acknowledged_at is None:
            assert self.flag.holder == COMPANY.responsible
            assert len(told) > 1 or told[COMPANY.responsible] >= AROUND + wrote

    @invariant()
    def no_mail_has_the_name_of_another(self) -> None:
        assert len({mail.round for mail in self.told}) == len(self.told)

    @invariant()
    def what_was_not_confirmed_has_a_flag(self) -> None:
        if self.follow_up.state in {State.DENIED, State.SILENT, State.NOT_ASKED}:
            assert self.flag

    @invariant()
    def what_the_customer_wrote_last_is_heard(self) -> None:
        """Told, read by whoever settled it, or new to somebody who had a mail lately and has done nothing since."""
        for reply in self.follow_up.unread[-1:]:
            assert self.flag
            assert self.is_heard(reply, self.flag)

    def is_heard(self, reply: Reply, flag: Flag) -> bool:
        settled = [deed.at for deed in flag.deeds if deed.what is What.SETTLED]
        if any(at >= reply.at for at in (*(mail.at for mail in self.told), *settled)):
            return True
        before = max(mail.at for mail in self.told)
        done = [deed for deed in flag.deeds if deed.by and before < deed.at < reply.at]
        return not flag.settled_at and not done and reply.at < before + A_DAY


Life.TestCase.settings = how(max_examples=200, stateful_step_count=30, deadline=None)
test_the_life_of_a_flag_and_its_customer = Life.TestCase
