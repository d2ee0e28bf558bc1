"""XML bodies as the plain values that JMESPath reads; imported only for a preset whose body is XML.

An element without children is its text (empty text: null), any other a mapping from the local names of its children to
their values, and a name that is repeated holds a list. Prefixes and attributes are left out. A document type, and with
it every entity that somebody could define, is refused before anything is read of it.
"""

from typing import Any
from xml.parsers.expat import ExpatError, ParserCreate

DEEPEST = 32
MOST_ELEMENTS = 20_000


class BadXml(Exception):  # noqa: N818 - reads as a sentence
    """The document cannot be read; the message never holds any of it."""


def read(document: bytes) -> dict[str, Any]:
    """The root element under its name; BadXml for what is not well-formed, has a document type, or is too deep."""
    whole: dict[str, Any] = {}
    open_elements: list[tuple[dict[str, Any], list[str]]] = [(whole, [])]
    elements = 0

    def refuse(*_: object) -> None:
        raise BadXml("body has a document type")

    def start(_: str, __: object) -> None:
        nonlocal elements
        elements += 1
        if len(open_elements) > DEEPEST or elements > MOST_ELEMENTS:
            raise BadXml(
                "body is nested too deeply" if elements <= MOST_ELEMENTS else "body has too many elements"
            )
        open_elements.append(({}, []))

    def text(piece: str) -> None:
        open_elements[-1][1].append(piece)

    def end(name: str) -> None:
        children, pieces = open_elements.pop()
        parent, local = open_elements[-1][0], name.rpartition(":")[2]
        value = children or "".join(pieces).strip() or None
        if local not in parent:
            parent[local] = value
        elif isinstance(parent[local], list):
            parent[local].append(value)
        else:
            parent[local] = [parent[local], value]

    parser = ParserCreate("utf-8")
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    try:
        parser.Parse(document, True)
    except ExpatError:
        raise BadXml("body is not XML") from None
    return whole
