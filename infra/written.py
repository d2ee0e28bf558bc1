"""List what helpdesks were told, or would be told in a dry run: ticket, outcome, what became of it, and each request.

    python infra/written.py [--source KEY] [--open]     # --open: only what a person has to look at

What would be sent holds customers' words: it is shown here and logged nowhere. TABLE says where (infra/with_stack.py
sets it).
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from sentences import in_sentences

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functions"))

from domain.write_back import TO_LOOK_AT, WriteBack


@in_sentences
def main(arguments: list[str]) -> int:
    """Run the command; gives the exit code."""
    parser = argparse.ArgumentParser(description="List what helpdesks were told, or would be told.")
    parser.add_argument("--source", help="only of this source")
    parser.add_argument("--open", action="store_true", help="only what a person has to look at")
    given = parser.parse_args(arguments)
    found = [known for known in _all() if given.source in {None, known.source}]
    listed = [known for known in found if not given.open or known.ended in TO_LOOK_AT]
    for known in sorted(listed, key=lambda known: known.created_at):
        sys.stdout.write("\n".join(_lines(known)) + "\n")
    if not listed:
        sys.stdout.write("Nothing to look at.\n" if given.open else "No helpdesk was told anything yet.\n")
    return 0


def _all() -> Iterator[WriteBack]:
    from adapters import table, write_backs

    place: tuple[str, ...] = ()
    while True:
        rows, place = table.read_all([write_backs.KIND], place)
        yield from (table.read_row(row, WriteBack) for row in rows)
        if not place:
            return


def _lines(known: WriteBack) -> Iterator[str]:
    became = known.ended or (known.delivery.progress.value if known.delivery else "waiting")
    why = f" ({known.obstacle}, {known.tries} tries)" if known.obstacle and known.ended != "told" else ""
    yield f"{known.created_at:%Y-%m-%d %H:%M}  {known.source} {known.ticket_id}  {known.outcome}: {became}{why}"
    if known.done:
        yield f"    done: {', '.join(known.done)}"
    if known.refused:
        yield f"    refused: {', '.join(known.refused)}"
    if became == "unknown":
        yield f'    look for a note with "{known.mark}"'
    yield from (f"    would send: {request}" for request in known.would)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
