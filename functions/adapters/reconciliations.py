"""How far asking a helpdesk for its closings came: ``RECONCILE`` by source, and by span for what a person asked for."""

from dataclasses import replace
from datetime import datetime

from adapters import table
from domain.reconciliation import Pass

SCOPE = "RECONCILE"


def load(source: str, span: tuple[datetime, datetime] | None = None) -> Pass | None:
    """The nightly pass of a source, or the one of this span; None before the first."""
    item = table.get(SCOPE, _name(source, span))
    return table.read_row(item, Pass) if item else None


def save(run: Pass) -> Pass:
    """Store how far a pass came, and give it as stored; raises Changed when somebody else went on with it."""
    span = (run.since, run.until) if run.found_by == "backfill" else None
    table.put(table.make_row(SCOPE, _name(run.source, span), "reconciliation", run))
    return replace(run, version=run.version + 1)


def _name(source: str, span: tuple[datetime, datetime] | None) -> str:
    return "#".join([source, *(table.now_text(at) for at in span or ())])
