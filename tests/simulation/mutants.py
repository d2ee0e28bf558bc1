"""Planted bugs: each a plausible mistake in our own code. A judge that misses one of them proves nothing.

Each is put onto the real modules while its worlds run. ``caught`` names the seed in which it is known to be caught, so
that the test is quick; when the simulation changes, the test looks further by itself.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from adapters import outbox, people, settings_store, table, tickets, web
from adapters.links import BadLink
from adapters.notices import REOPENED, NoPage
from domain import consequences, delivery, flag
from domain.delivery import Progress
from domain.flag import Reason
from domain.follow_up import PENDING, Press, Send, State, Ticket, record_answer
from domain.person import Person, Surveys
from domain.reply import Verdict
from domain.settings import Settings
from messages.compose import Mail


def module(name: str) -> Any:
    """A module whose imported names may be replaced, too."""
    return import_module(name)


react_to_change, receive_ticket = module("react_to_change"), module("receive_ticket")
answering, record_delivery = module("record_answer"), module("record_delivery")
reading, reply = module("read_reply"), module("domain.reply")
run_clock, send_message = module("run_clock"), module("send_message")
show_survey, take_next_step = module("show_survey"), module("take_next_step")
settling, message, recovery = module("settle_flag"), module("domain.message"), module("domain.recovery")
causes, clock, mailer = module("adapters.causes"), module("adapters.clock"), module("adapters.mailer")
cause, follow_up = module("domain.cause"), module("domain.follow_up")
chat, digest, message = module("adapters.chat"), module("domain.digest"), module("domain.message")

Put = Callable[[object, str, Any], None]


@dataclass(frozen=True)
class Mutant:
    """One planted bug."""

    name: str
    plant: Callable[[Put], None]
    caught: int

    @contextmanager
    def planted(self) -> Iterator[None]:
        """The code with the bug in it."""
        before: list[tuple[object, str, Any]] = []

        def put(where: object, name: str, value: Any) -> None:
            before.append((where, name, getattr(where, name)))
            setattr(where, name, value)

        try:
            self.plant(put)
            yield
        finally:
            for where, name, value in reversed(before):
                setattr(where, name, value)


MUTANTS: list[Mutant] = []


def mutant(caught: int) -> Callable[[Callable[[Put], None]], Callable[[Put], None]]:
    """Put a planted bug on the list, called what its function is called."""

    def listed(plant: Callable[[Put], None]) -> Callable[[Put], None]:
        MUTANTS.append(Mutant(plant.__name__, plant, caught))
        return plant

    return listed


def quietly(function: Callable[..., Any], instead: Any = None) -> Callable[..., Any]:
    """The function, which says that all is well when it is not."""

    def careless(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except Exception:
            return instead

    return careless


# --- intake ----------------------------------------------------------------------------------------------------------


@mutant(3)
def answers_202_before_the_write(put: Put) -> None:
    put(receive_ticket, "close", quietly(receive_ticket.close, "accepted"))


@mutant(16)
def forgets_a_reopening_that_fails(put: Put) -> None:
    put(receive_ticket, "_reopen", quietly(receive_ticket._reopen, "reopened"))


@mutant(1)
def knows_a_closure_by_its_delivery_only(put: Put) -> None:
    put(receive_ticket, "same_closure", lambda ticket, closure: None)


@mutant(1)
def opens_the_door_without_a_signature(put: Put) -> None:
    put(receive_ticket, "verify", lambda *_: "0")


@mutant(5)
def takes_old_signatures(put: Put) -> None:
    verify = receive_ticket.verify

    def timeless(rule: Any, *rest: Any) -> str:
        return str(verify(replace(rule, tolerance=timedelta(days=9)), *rest))

    put(receive_ticket, "verify", timeless)


@mutant(1)
def writes_without_a_condition(put: Put) -> None:
    put(table, "_unchanged", lambda row: None)


@mutant(1)
def overwrites_what_somebody_else_wrote(put: Put) -> None:
    unchanged = table._unchanged
    put(table, "_unchanged", lambda row: unchanged(row) if row.version == 1 else table.Row.pk.exists())


# --- steps -----------------------------------------------------------------------------------------------------------


@mutant(1)
def has_no_sweep(put: Put) -> None:
    put(run_clock, "handler", lambda event, context: None)


@mutant(1)
def lets_go_of_what_is_claimed(put: Put) -> None:
    claim = follow_up.claim
    put(follow_up, "claim", lambda *given: replace(claim(*given), due_at=None))


@mutant(11)
def splits_its_transactions(put: Put) -> None:
    def one_by_one(rows: Any) -> None:
        for row in rows:
            table.put(row)

    put(table, "put_all", one_by_one)


@mutant(2)
def counts_a_closure_again(put: Put) -> None:
    def add_mark(mark: Any) -> bool:
        key = f"MARK#{table.now_text(mark.opened_at)}#{clock.new_id()}"
        return table.put_missing(table.make_row(f"CAUSE#{mark.cause}", key, "mark", causes._Marked(mark)))

    put(causes, "add_mark", add_mark)


@mutant(1)
def marks_only_from_the_stream(put: Put) -> None:
    """And the stream's own failures are swallowed: nobody repairs what is lost there."""
    put(cause, "mark_of", lambda known: None)
    put(react_to_change, "react", quietly(react_to_change.react))


@mutant(3)
def follows_up_from_the_stream_only(put: Put) -> None:
    put(react_to_change, "react", quietly(react_to_change.react))

    def finish(known: Any, *_: Any, **__: Any) -> None:
        mark = None if known.state in PENDING else cause.mark_of(known)
        if mark:
            causes.add_mark(mark)
        tickets.save(known if known.state in PENDING else replace(known, due_at=None))

    put(take_next_step, "_finish", finish)


@mutant(2)
def raises_no_flag_for_the_undeliverable(put: Put) -> None:
    reason_for = flag.reason_for

    def optimistic(known: Any) -> Any:
        reason = reason_for(known)
        return None if reason is Reason.UNDELIVERABLE else reason

    put(flag, "reason_for", optimistic)


@mutant(25)
def tells_nobody_of_a_flag(put: Put) -> None:
    missing = consequences.missing
    put(
        consequences,
        "missing",
        lambda *given: tuple(m for m in missing(*given) if getattr(m, "kind", "") != "flag_raised"),
    )


@mutant(1)
def calls_the_silent_satisfied(put: Put) -> None:
    """Silence is not success."""
    to_state = follow_up.to_state

    def kind_hearted(known: Any, state: State, *rest: Any) -> Any:
        return to_state(known, State.CONFIRMED if state is State.SILENT else state, *rest)

    put(follow_up, "to_state", kind_hearted)


@mutant(2)
def tells_an_owner_of_every_ticket(put: Put) -> None:
    put(cause, "is_repeated", lambda counted, policy: True)


@mutant(1)
def never_notices_what_repeats(put: Put) -> None:
    put(take_next_step, "tell_if_repeated", lambda *_: None)
    put(react_to_change, "tell_if_repeated", lambda *_: None)


@mutant(4)
def counts_a_moved_closure_for_both_causes(put: Put) -> None:
    put(causes, "take_back", lambda mark: False)


@mutant(27)
def moves_a_closure_and_forgets_its_mark(put: Put) -> None:
    put(causes, "put_mark", lambda mark: False)


# --- sending ---------------------------------------------------------------------------------------------------------


@mutant(3)
def sends_before_it_claims(put: Put) -> None:
    claim_round, save = send_message._claim_round, tickets.save

    def claim_later(*given: Any) -> Any:
        send_message.tickets.save = lambda known: None
        try:
            return claim_round(*given)
        finally:
            send_message.tickets.save = save

    def settle(asked: Any, round: Any, change: Any, now: Any, settings: Any) -> None:
        for known in tickets.load_refs(each.ref for each in asked):
            held = follow_up.get_delivery(known, round)
            sent = delivery.claim(held, "later", now, settings.policy.unknown_after)
            sent = replace(sent, progress=Progress.SENT, sent_at=now)
            save(follow_up.after_sending(known, round, sent, settings.policy))

    put(tickets, "save", save)
    put(send_message, "_claim_round", claim_later)
    put(send_message, "_settle_round", settle)


@mutant(4)
def lets_the_sdk_send_again(put: Put) -> None:
    client = mailer.client
    put(mailer, "client", lambda service, **given: client(service, **(given | {"attempts": 3})))


@mutant(5)
def takes_a_lost_reply_for_a_failure(put: Put) -> None:
    put(mailer, "Unknown", mailer.NotSent)


@mutant(1)
def sends_notes_without_a_claim(put: Put) -> None:
    save = outbox.save

    def unclaimed(message: Any) -> None:
        held = message.delivery
        if message.kind == "note" and held and held.progress is Progress.CLAIMED:
            return
        save(message)

    put(outbox, "save", unclaimed)


@mutant(5)
def repeats_an_unknown_mail_without_end(put: Put) -> None:
    put(delivery, "MOST_ATTEMPTS", 1000)


@mutant(13)
def repeats_an_unknown_mail_at_once(put: Put) -> None:
    put(delivery, "claim_ends", lambda held, unknown_after: held.claimed_at + timedelta(minutes=1))


@mutant(5)
def never_gives_an_unknown_mail_up(put: Put) -> None:
    put(module("domain.message"), "given_up", lambda *_: None)


@mutant(30)
def reminds_again_and_again(put: Put) -> None:
    put(delivery, "is_open", lambda held: True)


@mutant(6)
def never_checks_suppression(put: Put) -> None:
    load = people.load
    put(people, "load", lambda address: replace(load(address), suppressed=None))


@mutant(2)
def checks_suppression_too_early(put: Put) -> None:
    """When the closure comes, a day and more before the mail goes."""
    opened, load = receive_ticket.open_follow_up, people.load

    def open_follow_up(ticket: Any, closure: Any, now: Any, settings: Any) -> Any:
        made, address = opened(ticket, closure, now, settings), closure.requester_email
        if made.state is State.SCHEDULED and address and load(address).suppressed:
            made = follow_up.to_state(made, State.NOT_ASKED, now, "suppressed")
        return made

    put(receive_ticket, "open_follow_up", open_follow_up)
    put(people, "load", lambda address: replace(load(address), suppressed=None))


@mutant(2)
def never_suppresses(put: Put) -> None:
    put(record_delivery, "_suppress", lambda *_: None)


@mutant(1)
def ignores_reopenings(put: Put) -> None:
    put(Ticket, "superseded", lambda self, known: None)


@mutant(2)
def reserves_no_quiet_period(put: Put) -> None:
    put(send_message, "reserve", lambda person, *asks: person)


@mutant(2)
def sends_whatever_is_in_the_queue(put: Put) -> None:
    def always(known: Any, *_: Any, **__: Any) -> Any:
        return (
            Send("survey")
            if known.survey is None or known.survey.progress is Progress.READY
            else Send("reminder")
        )

    put(send_message, "next_step", always)


@mutant(1)
def sends_as_fast_as_it_can(put: Put) -> None:
    put(mailer, "keep_pace", lambda now: None)


@mutant(1)
def thanks_before_anybody_confirmed(put: Put) -> None:
    notes = consequences._notes
    put(
        consequences,
        "_notes",
        lambda known, *rest: notes(replace(known, state=State.CONFIRMED, outcome_at=known.opened_at), *rest),
    )
    compose = send_message._compose_message

    def composed(waiting: Any, *rest: Any) -> Any:
        return send_message._Composed(MAIL) if waiting.kind == "note" else compose(waiting, *rest)

    put(send_message, "_compose_message", composed)


MAIL = Mail(subject="Thank you", text="Thank you", html="Thank you")


# --- recovery --------------------------------------------------------------------------------------------------------


@mutant(2)
def writes_to_customers_at_night(put: Put) -> None:
    put(message, "earliest", lambda told, closure, now, *rest: now)


@mutant(1)
def one_mail_for_each_press_of_the_same_form(put: Put) -> None:
    progress = recovery.progress

    def again(known: Any, by: str, words: str, form: str, *rest: Any) -> Any:
        return progress(known, by, words, clock.new_id(), *rest)

    put(recovery, "progress", again)


@mutant(1)
def asks_whoever_stopped_again(put: Put) -> None:
    may = recovery.may_ask_again

    def persistent(known: Any, ticket: Any, flagged: Any, person: Person, settings: Any) -> Any:
        return may(known, ticket, flagged, replace(person, surveys=Surveys.ALL), settings)

    put(recovery, "may_ask_again", persistent)
    put(message, "WANTED", dict.fromkeys(message.WANTED, frozenset(Surveys)))


@mutant(4)
def lets_silence_be_the_end_of_it(put: Put) -> None:
    put(recovery, "after_asking", lambda settled, *_: replace(settled, due_at=None))


@mutant(1)
def forgets_what_the_top_does_not_see(put: Put) -> None:
    put(flag, "_next_holder", lambda known, settings: settings.contacts[known.holder].manager)


@mutant(4)
def breaks_promises_without_a_word(put: Put) -> None:
    put_all = table.put_all

    def only_the_promise(rows: Any) -> None:
        listed = list(rows)
        kinds = {str(row.kind) for row in listed}
        put_all(
            [row for row in listed if row.kind == "promise"]
            if kinds == {"promise", "flag", "message"}
            else listed
        )

    plain = take_next_step._promise

    def quiet(*given: Any) -> None:
        table.put_all = only_the_promise
        try:
            plain(*given)
        finally:
            table.put_all = put_all

    put(take_next_step, "_promise", quiet)


@mutant(7)
def says_done_when_nothing_was_stored(put: Put) -> None:
    act = settling._act

    def pretending(token: str, form: Any, settings: Any, nonce: str) -> Any:
        answer = quietly(act)(token, form, settings, nonce)
        return answer or web.page(200, "Done", "n")

    put(settling, "_act", pretending)


# --- reports and answers ---------------------------------------------------------------------------------------------


@mutant(3)
def drops_reports_that_fail(put: Put) -> None:
    put(record_delivery, "settle", quietly(record_delivery.settle))


@mutant(9)
def a_late_report_turns_back_the_state(put: Put) -> None:
    hear = follow_up.hear

    def confused(known: Any, round: Any, feedback: Any, *rest: Any) -> Any:
        heard = hear(known, round, feedback, *rest)
        return replace(heard, state=State.ASKED) if feedback == "delivery" else heard

    put(follow_up, "hear", confused)


@mutant(1)
def a_get_records_the_answer(put: Put) -> None:
    shown = show_survey.handler

    def handler(event: Any, context: Any) -> Any:
        if event["queryStringParameters"].get("a") and event["requestContext"]["http"]["method"] == "GET":
            with suppress(BadLink, NoPage):
                found = show_survey.find(
                    event["pathParameters"]["token"], settings_store.settings(clock.now())
                )
                solved = event["queryStringParameters"]["a"] == "yes"
                policy = settings_store.settings(clock.now()).policy
                for known in found.values():
                    tickets.save(record_answer(known, Press(solved=solved), clock.now(), policy))
        return shown(event, context)

    put(show_survey, "handler", handler)


@mutant(1)
def confirms_a_stop_that_it_lost(put: Put) -> None:
    choosing = module("record_preferences")

    def forgetful(key: str, surveys: Surveys, *_: Any) -> Person:
        return Person(key=key, surveys=surveys)

    put(choosing, "_store", forgetful)


@mutant(1)
def reminds_whoever_stopped(put: Put) -> None:
    second = follow_up._second_round

    def persistent(known: Any, person: Person, *rest: Any) -> Any:
        return second(known, replace(person, surveys=Surveys.ALL), *rest)

    put(follow_up, "_second_round", persistent)


@mutant(46)
def asks_as_often_as_it_likes(put: Put) -> None:
    put(follow_up, "asked_too_often", lambda *_: False)


@mutant(4)
def asks_on_holidays(put: Put) -> None:
    for where in (take_next_step, send_message):
        put(where, "closed_days", lambda *_: lambda day: False)


@mutant(5)
def thanks_for_an_answer_that_it_lost(put: Put) -> None:
    record, page = answering._record, answering._answer

    def losing(*given: Any) -> Any:
        try:
            return record(*given)
        except Exception as error:
            raise NoPage(REOPENED) from error

    def thankful(*given: Any) -> Any:
        try:
            return page(*given)
        except NoPage as none:
            if none.notice.status != REOPENED.status:
                raise
            return web.page(200, "Thank you", "n")

    put(answering, "_record", losing)
    put(answering, "_answer", thankful)


@mutant(1)
def takes_the_first_answer_as_the_last(put: Put) -> None:
    record = answering.record_answer
    put(
        answering,
        "record_answer",
        lambda known, *said: known if known.answers else record(known, *said),
    )


@mutant(59)
def gives_up_when_two_answers_meet(put: Put) -> None:
    save = tickets.save

    def lossy(known: Any) -> None:
        if known.state in {State.CONFIRMED, State.DENIED}:
            quietly(save)(known)
        else:
            save(known)

    put(tickets, "save", lossy)


# --- replies by mail -------------------------------------------------------------------------------------------------


@mutant(6)
def takes_thanks_for_a_yes(put: Put) -> None:
    verdict_of = reading.verdict.of

    def flattered(words: str) -> Verdict:
        found: Verdict = verdict_of(words)
        return Verdict.YES if found is Verdict.THANKS else found

    put(reading.verdict, "of", flattered)


@mutant(1)
def reads_what_machines_write(put: Put) -> None:
    put(reading.automatic, "rule", lambda *_, **__: None)


@mutant(1)
def believes_whoever_writes(put: Put) -> None:
    put(reading, "_doubt", lambda *_: None)


@mutant(7)
def loses_a_reply_that_cannot_be_fetched(put: Put) -> None:
    put(reading, "read", quietly(reading.read))


@mutant(14)
def guesses_which_of_several_is_meant(put: Put) -> None:
    answered = reply._answered

    def guess(known: Any, *rest: Any) -> Any:
        after = answered(replace(known, together=()), *rest)
        return after and replace(after, together=known.together)

    put(reply, "_answered", guess)


@mutant(1)
def counts_a_mail_each_time_it_comes(put: Put) -> None:
    put(reply, "is_known", lambda *_: False)


@mutant(23)
def has_no_flag_for_a_reply(put: Put) -> None:
    reason_for = flag.reason_for
    put(flag, "reason_for", lambda known: reason_for(replace(known, replies=())))


@mutant(1)
def reminds_whoever_wrote(put: Put) -> None:
    second = follow_up._second_round
    put(follow_up, "_second_round", lambda known, *rest: second(replace(known, replies=()), *rest))


@mutant(2)
def says_that_a_reply_to_several_answers(put: Put) -> None:
    facts = send_message.facts
    survey = facts.survey
    put(facts, "survey", lambda *given, **more: replace(survey(*given, **more), reply_is_only_read=False))


# --- teams -----------------------------------------------------------------------------------------------------------


@mutant(4)
def writes_no_mark_beside_a_gathered_note(put: Put) -> None:
    put(module("adapters.thanks"), "add", lambda _: True)


@mutant(707)
def thanks_nobody_for_a_yes_that_was_given_again(put: Put) -> None:
    put(consequences, "_is_news", lambda *_: False)


# --- causes and fixes ------------------------------------------------------------------------------------------------

telling, ownership, tellings = (
    module("domain.telling"),
    module("domain.ownership"),
    module("adapters.tellings"),
)
message = module("domain.message")


@mutant(1)
def tells_a_person_once_for_each_ticket(put: Put) -> None:
    made = telling.message_for

    def for_each_ticket(told: Any, known: Any, *rest: Any) -> Any:
        written = made(told, known, *rest)
        return replace(written, name=f"{written.name}{known.closure.ticket_id}")

    put(telling, "message_for", for_each_ticket)


@mutant(7)
def takes_the_first_page_for_the_whole(put: Put) -> None:
    after = telling.after_page
    put(telling, "after_page", lambda told, cursor, *rest: after(told, None, *rest))


@mutant(1)
def tells_whoever_stopped(put: Put) -> None:
    refusal = message.refusal

    def pushy(written: Any, person: Person) -> Any:
        reason = refusal(written, person)
        return None if reason == "opted_out" else reason

    put(message, "refusal", pushy)


@mutant(1)
def never_judges_a_fix(put: Put) -> None:
    step = telling.due_step

    def patient(*given: Any) -> Any:
        asked = step(*given)
        return "wait" if asked == "judge" else asked

    put(telling, "due_step", patient)


@mutant(1)
def tells_the_manager_of_the_same_day_again(put: Put) -> None:
    step = ownership.next_step

    def nagging(state: Any, now: Any, settings: Any) -> Any:
        after, notice, what = step(state, now, settings)
        if what is None or state.version > 12:
            return after, notice, what
        return replace(after, overdue_of=None, due_at=now + timedelta(days=1)), notice, what

    put(ownership, "next_step", nagging)


@mutant(1)
def forgets_a_day_that_passed(put: Put) -> None:
    put(ownership, "next_step", lambda state, now, settings: (replace(state, due_at=None), None, None))


@mutant(1)
def thanks_for_an_answer_about_a_fix_that_it_lost(put: Put) -> None:
    put(module("answer_fix"), "table", SimpleNamespace(put_all=lambda rows: None))


@mutant(2)
def lets_whoever_gave_it_away_act(put: Put) -> None:
    put(ownership, "may_act", lambda *_: True)


@mutant(2)
def writes_to_customers_and_never_sends(put: Put) -> None:
    made = telling.message_for
    put(telling, "message_for", lambda *given: replace(made(*given), due_at=None))


# --- digests and chats -----------------------------------------------------------------------------------------------


@mutant(7)
def posts_again_what_nobody_knows(put: Put) -> None:
    put(chat, "Unknown", chat.NotPosted)


@mutant(1)
def repeats_a_post_whose_claim_ran_out(put: Put) -> None:
    put(message, "is_for_chat", lambda known: False)


@mutant(2)
def forgets_where_the_last_digest_ended(put: Put) -> None:
    put(digest, "period", lambda owner, usual: usual)


@mutant(1)
def reads_only_the_period_of_a_digest(put: Put) -> None:
    put(digest, "look_back", lambda since, until, policy: since)


@mutant(1)
def digests_by_everybodys_schedule(put: Put) -> None:
    put(Settings, "policy_for", lambda settings, contact: settings.policy)


# --- machines that press buttons -------------------------------------------------------------------------------------

acting, answering_fix, notices = module("act_on_cause"), module("answer_fix"), module("adapters.notices")
recording_version = module("record_version")
press = module("domain.press")


def instead(where: Any, **changed: Any) -> SimpleNamespace:
    """A module as one of its readers sees it, with something else in it."""
    return SimpleNamespace(**{**vars(where), **changed})


def believes_every_page(put: Put, page: Any) -> None:
    """It does not ask whether its form came from the page, or how fast."""

    def is_suspect(form: Any, *_: Any, contradicts: bool = False) -> bool:
        return bool(form.get(notices.HIDDEN_FIELD)) or contradicts

    put(page, "notices", instead(notices, is_suspect=is_suspect))


@mutant(1)
def checks_no_seal_of_a_flag(put: Put) -> None:
    believes_every_page(put, settling)


@mutant(1)
def checks_no_seal_of_a_cause(put: Put) -> None:
    believes_every_page(put, acting)


@mutant(1)
def checks_no_seal_of_a_fix(put: Put) -> None:
    believes_every_page(put, answering_fix)


@mutant(6)
def checks_no_seal_of_a_version(put: Put) -> None:
    believes_every_page(put, recording_version)


@mutant(1)
def reads_no_hidden_field(put: Put) -> None:
    put(notices, "HIDDEN_FIELD", "none")


@mutant(8)
def lets_machines_press_as_fast_as_they_like(put: Put) -> None:
    broken_rules = press.broken_rules
    timing = {press.Rule.AT_ONCE, press.Rule.JUST_SENT}
    put(press, "broken_rules", lambda *given: tuple(r for r in broken_rules(*given) if r not in timing))


# --- late words about a fix ------------------------------------------------------------------------------------------


@mutant(3)
def hears_no_late_word(put: Put) -> None:
    put(telling, "hear_late", lambda told, *_: told)


def tells_each_time(put: Put) -> None:
    """What happened once has another name each time."""
    news = telling.news
    put(
        telling,
        "news",
        lambda code, why, key, *rest, **about: news(code, why, clock.new_id(), *rest, **about),
    )


@mutant(7)
def tells_of_every_late_word(put: Put) -> None:
    tells_each_time(put)
    judge_late = telling.judge_late
    put(telling, "judge_late", lambda told, *rest: judge_late(replace(told, said_late=False), *rest))


@mutant(7)
def keeps_late_words_to_itself(put: Put) -> None:
    judge_late = telling.judge_late
    put(telling, "judge_late", lambda told, *rest: judge_late(replace(told, said_late=True), *rest))


@mutant(8)
def opens_a_cause_for_each_late_word(put: Put) -> None:
    tells_each_time(put)

    def hear_late(told: Any, said: Any, now: Any) -> Any:
        return told if said.gone or told.stage is not telling.Stage.DONE else replace(told, due_at=now)

    put(telling, "hear_late", hear_late)


@mutant(1)
def hears_no_word_before_the_judging(put: Put) -> None:
    put(telling, "is_first_no", lambda told, said: False)


@mutant(1)
def tells_of_every_early_word(put: Put) -> None:
    tells_each_time(put)
    is_first_no = telling.is_first_no
    put(telling, "is_first_no", lambda told, said: is_first_no(replace(told, said_early=False), said))


@mutant(1)
def takes_a_word_of_ours_for_a_customers(put: Put) -> None:
    put(module("messages.text"), "_OUR_CODES", frozenset())


@mutant(2)
def says_that_we_know_when_it_is_fixed(put: Put) -> None:
    load = causes.load
    put(send_message, "causes", instead(causes, load=lambda code: replace(load(code), declared=0)))


@mutant(66)
def has_no_news_for_whoever_still_waits(put: Put) -> None:
    put(telling, "hears_news", lambda known: bool(telling.reached([known], []).told))


@mutant(94)
def sends_news_before_what_they_go_on(put: Put) -> None:
    put(telling, "is_waiting", lambda known: False)


@mutant(15)
def tells_nobody_what_is_written_about_an_open_flag(put: Put) -> None:
    put(flag, "_with_news", lambda *_: None)


# --- merged tickets --------------------------------------------------------------------------------------------------


@mutant(1)
def asks_about_merged_tickets(put: Put) -> None:
    opened = receive_ticket.open_follow_up
    put(
        receive_ticket,
        "open_follow_up",
        lambda ticket, closure, *rest: opened(ticket, replace(closure, kind="closed"), *rest),
    )


@mutant(1)
def has_a_flag_for_a_merged_ticket(put: Put) -> None:
    put(flag, "ON_PURPOSE", flag.ON_PURPOSE - {follow_up.MERGED})


@mutant(1)
def counts_a_merged_ticket(put: Put) -> None:
    put(cause, "MERGED", "another reason")
