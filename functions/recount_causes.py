"""Counts causes anew from all follow-ups: nightly, after settings were applied, and when a person asks for it."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from adapters import causes, clock, recounts, settings_store, tickets
from adapters.telemetry import count, logger, metrics
from domain import recount
from domain.cause import Mark, mark_of
from domain.closure import Ref
from domain.errors import Changed
from domain.follow_up import FollowUp
from domain.recount import Run
from domain.settings import Settings
from take_next_step import tell_if_repeated

ATTEMPTS = 5
ENOUGH_TIME = 60_000
"""Milliseconds in which one part is certainly done; with less the next invocation goes on."""


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Goes on with the recount as far as time allows; ``{"since": ...}`` wants one that began then or later.

    ``"seconds"``: for how long at most, when somebody waits for it.

    Gives when it began, whether it is ``finished``, and what it counted. Two at the same time do no harm: each write is
    conditional on what was read, and whoever finds that the other one went on stops.
    """
    now = clock.now()
    settings_store.forget()
    stored = settings_store.read()
    if stored is None and "since" not in event:
        logger.info("nothing to count before there are settings")
        return {"finished": False}
    if stored is None:
        raise settings_store.NoSettings("no settings are stored yet: nothing to count")
    since = datetime.fromisoformat(event["since"]) if "since" in event else None
    last = recounts.load()
    run = recount.next_run(last, stored.applied_at, now, since)
    if run is not None:
        try:
            stops_at = clock.stops_at(context, ENOUGH_TIME, event.get("seconds"))
            last = _go_on(run, stored.settings, now, context, stops_at)
        except Changed:
            logger.info("recount is at work elsewhere")
            last = run
    return _told(last) if last else {"finished": False}


def _told(run: Run) -> dict[str, Any]:
    return {
        "began_at": run.began_at.isoformat(),
        "finished": run.finished_at is not None,
        "follow_ups": run.follow_ups,
        "moved": run.moved,
        "count_drift": run.drift,
        "mended": run.mended,
    }


def _go_on(run: Run, settings: Settings, now: datetime, context: Any, stops_at: int) -> Run:
    while not run.is_read:
        if context.get_remaining_time_in_millis() < stops_at:
            return run
        run = recounts.save(_read_on(run, settings, now))
    for code in sorted(code for code in settings.causes if code > run.counted):
        if context.get_remaining_time_in_millis() < stops_at:
            return run
        mended = causes.mend_past(code, settings.policy)
        tell_if_repeated(code, clock.now(), settings)
        run = recounts.save(replace(run, counted=code, mended=run.mended + mended))
    run = recounts.save(replace(run, finished_at=clock.now()))
    level = logger.warning if run.drift else logger.info
    level(
        "causes recounted",
        count_drift=run.drift,
        moved=run.moved,
        mended=run.mended,
        follow_ups=run.follow_ups,
    )
    count("CountDrift", run.drift)
    count("CauseMoved", run.moved)
    return run


def _read_on(run: Run, settings: Settings, now: datetime) -> Run:
    """The run after one more part of everything stored; a part that is read twice changes nothing the second time."""
    follow_ups, marks, place = recounts.read(run.place)
    moved = drift = 0
    left = [mark for known in follow_ups if (mark := mark_of(known))]
    there = recounts.counting(left)
    for known in follow_ups:
        mark = mark_of(known)
        found = there.get(causes.mark_key(mark)) if mark else None
        if recount.reread(known, settings) is not known:
            moved += _move(known.ref, settings)
        elif mark and _is_wanting(known, mark, found, now, settings) and _put_mark(known.ref):
            drift += 1
    owners = recounts.owners(marks)
    for mark in marks:
        if not recount.is_right(mark, owners.get(_ref(mark)), now):
            drift += _take_back(mark, now)
    return replace(
        run,
        place=place,
        is_read=not place,
        follow_ups=run.follow_ups + len(follow_ups),
        moved=run.moved + moved,
        drift=run.drift + drift,
    )


def _is_wanting(known: FollowUp, mark: Mark, found: Mark | None, now: datetime, settings: Settings) -> bool:
    if found is None:
        return recount.is_missing(known, now, settings.policy)
    return found.value != mark.value


def _move(ref: Ref, settings: Settings) -> bool:
    """Give a follow-up the cause that its value means now; tells whether it had another.

    Its old mark is taken back first, also one that is still on its way: whoever is cut off after any of the three
    writes leaves something that the next recount sees.
    """
    for _ in range(ATTEMPTS):
        known = tickets.load_one(ref)
        after = recount.reread(known, settings) if known else known
        old, new = (mark_of(known), mark_of(after)) if known and after else (None, None)
        if known is None or after is None or after is known or old is None or new is None:
            return False
        try:
            causes.take_back(old)
            tickets.save(after)
            causes.put_mark(new)
        except Changed:
            continue
        return True
    raise Changed("the follow-up is changing too fast")


def _put_mark(ref: Ref) -> bool:
    known = tickets.load_one(ref)
    mark = mark_of(known) if known else None
    return causes.put_mark(mark) if mark else False


def _take_back(mark: Mark, now: datetime) -> bool:
    known: FollowUp | None = tickets.load_one(_ref(mark))
    return not recount.is_right(mark, known, now) and causes.take_back(mark)


def _ref(mark: Mark) -> Ref:
    return Ref(source=mark.source, ticket_id=mark.ticket_id, number=mark.number)
