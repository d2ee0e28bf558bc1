"""Asks each helpdesk what it closed, and opens what no webhook told: nightly, and for a span that a person names."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from adapters import clock, helpdesk_api, reconciliations, settings_store, tickets
from adapters.helpdesk_api import NotAnswered
from adapters.telemetry import count, logger, metrics
from domain import reconciliation
from domain.closure import Closure
from domain.errors import Changed
from domain.follow_up import Obstacle, same_closure
from domain.reconciliation import Pass
from domain.settings import Api, Settings, Source
from helpdesks import calls
from receive_ticket import close

ENOUGH_TIME = 90_000
"""Milliseconds in which one page is certainly done; with less the next invocation goes on."""
SO_FAR = (
    "place",
    "in_list",
    "broken",
    "pages",
    "listed",
    "opened",
    "known",
    "too_old",
    "unusable",
    "not_ours",
)
"""What whoever only counts is told, and gives back to go on."""


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Goes on with what is to be asked, as far as time allows. Each of two at the same time opens nothing twice.

    ``{"backfill": {"source", "from", "to"}}`` walks through one span; with ``"estimate": true`` it only counts, and
    goes on from what it gave before as ``"so_far"``; with ``"seconds"`` for so long at most. Gives each pass as it
    stands by source.
    """
    now = clock.now()
    settings_store.forget()
    try:
        settings = settings_store.settings(now)
    except settings_store.NoSettings:
        if "backfill" in event:
            raise
        logger.info("nobody to ask before there are settings")
        return {}
    if wanted := event.get("backfill"):
        name = wanted["source"]
        if not _can_list(settings.sources.get(name)):
            return {"error": f"{name} has no API that lists what was closed"}
        return {name: _backfill(name, wanted, settings, now, context)}
    told = {}
    for name, source in settings.sources.items():
        if not _can_list(source):
            continue
        run = reconciliation.nightly(reconciliations.load(name), name, now, settings.policy)
        if run is not None:
            told[name] = _told(_walk(run, settings, context, ENOUGH_TIME))
    return told


def _can_list(source: Source | None) -> bool:
    if source is None or source.api is None:
        return False
    return calls.calls(source.calls).closed_since is not None


def _backfill(
    name: str, wanted: dict[str, Any], settings: Settings, now: datetime, context: Any
) -> dict[str, Any]:
    since, until = (datetime.fromisoformat(wanted[key]) for key in ("from", "to"))
    stops_at = clock.stops_at(context, ENOUGH_TIME, wanted.get("seconds"))
    if wanted.get("estimate"):
        run = reconciliation.backfill(None, name, since, until, now)
        return _told(
            _walk(_gone_on(run, wanted.get("so_far", {})), settings, context, stops_at, only_count=True)
        )
    run = reconciliation.backfill(reconciliations.load(name, (since, until)), name, since, until, now)
    if run.again_at and now < run.again_at:
        return _told(run)
    return _told(_walk(run, settings, context, stops_at))


def _gone_on(run: Pass, so_far: dict[str, Any]) -> Pass:
    """The pass as far as ``_told`` said before."""
    begins = so_far.get("begins")
    return replace(run, **so_far | {"begins": datetime.fromisoformat(begins) if begins else None})


def _told(run: Pass) -> dict[str, Any]:
    return {
        "finished": run.finished_at is not None,
        "again_at": run.again_at.isoformat() if run.again_at else None,
        "obstacle": run.obstacle,
        "so_far": {
            "begins": run.begins.isoformat() if run.begins else None,
            **{name: getattr(run, name) for name in SO_FAR},
        },
    }


def _walk(run: Pass, settings: Settings, context: Any, stops_at: int, *, only_count: bool = False) -> Pass:
    """The pass after as many pages as time allows."""
    source = settings.sources[run.source]
    while run.finished_at is None and context.get_remaining_time_in_millis() >= stops_at:
        now = clock.now()
        try:
            after = _page(run, source, settings, now, only_count=only_count)
        except NotAnswered as problem:
            after = reconciliation.not_answered(run, problem.obstacle, problem.after, now)
            logger.warning(
                "not reconciled yet", source=run.source, obstacle=problem.obstacle, reason=problem.reason
            )
            if problem.obstacle is not Obstacle.UNREACHABLE:
                count("HelpdeskRefused")
        if only_count:
            run = after
        else:
            try:
                run = reconciliations.save(after)
            except Changed:
                logger.info("somebody else reconciles", source=run.source)
                return run
        if run.again_at:
            return run
    if run.finished_at and not only_count:
        _report(run)
    return run


def _report(run: Pass) -> None:
    logger.info(
        "reconciled",
        source=run.source,
        found_by=run.found_by,
        listed=run.listed,
        opened=run.opened,
        known=run.known,
        too_old=run.too_old,
        unusable=run.unusable,
        not_ours=run.not_ours,
    )
    count("ClosuresMissed", run.opened)


def _page(run: Pass, source: Source, settings: Settings, now: datetime, *, only_count: bool) -> Pass:
    """The pass after one more page. Raises NotAnswered."""
    try:
        api, auth, listing = _described(source)
        hints, unusable, page = _hints(run, api, auth, listing, now)
    except (calls.BadCalls, calls.Unexpected) as wrong:
        raise NotAnswered(Obstacle.UNREADABLE, str(wrong), refused=True) from wrong
    opened = known = too_old = 0
    for hint in hints:
        if reconciliation.is_too_old(hint.closed_at, now, settings.policy):
            too_old += 1
        elif same_closure(tickets.load(hint.source, hint.ticket_id).ticket, hint):
            known += 1
        elif only_count or close(hint, now, settings) != "duplicate":
            opened += 1
        else:
            known += 1
    walked = replace(
        run,
        listed=run.listed + len(hints),
        opened=run.opened + opened,
        known=run.known + known,
        too_old=run.too_old + too_old,
        unusable=run.unusable + unusable,
        not_ours=run.not_ours + page.not_ours,
    )
    return reconciliation.after_page(
        walked, page.next, now, most_at_once=listing.most_pages, reached=page.reached
    )


def _hints(
    run: Pass, api: Api, auth: calls.Auth, listing: calls.Listing, now: datetime
) -> tuple[list[Closure], int, calls.Page]:
    """The closings on one page, how many entries could not be used, and the page."""
    account = helpdesk_api.account(api, auth, now)
    known = calls.known_of("", api.url, api.values)
    request = calls.page_request(listing, run.start, run.until, run.place, known)
    answer = helpdesk_api.send(request, account, now)
    page = calls.read_page(listing, answer, run.since, run.until, run.place, api.url, known, api.only)
    hints, unusable = [], page.unreadable
    for listed in page.tickets:
        try:
            hint = calls.hint_of(listing, listed, run.source)
        except ValueError:
            unusable += 1
            continue
        hints.append(replace(hint, found_by=run.found_by))
    return hints, unusable, page


def _described(source: Source) -> tuple[Api, calls.Auth, calls.Listing]:
    if source.api is None:
        raise calls.BadCalls("the source has no API")
    described = calls.calls(source.calls)
    if described.closed_since is None:
        raise calls.Unexpected("nothing says how to list what was closed")
    return source.api, described.auth, described.closed_since
