"""What can go wrong, as the business says it.

FollowthroughError
├── Refused             the state does not allow this change
├── Changed             somebody else changed the record first: load it again and decide again
└── Unwritable          a mail cannot be written, and trying again would not help
"""


class FollowthroughError(Exception):
    """Something that Followthrough itself reports."""


class Refused(FollowthroughError):  # noqa: N818 - reads as a sentence: raise Refused("...")
    """The state of the record does not allow this change."""


class Changed(FollowthroughError):  # noqa: N818 - reads as a sentence
    """The stored record is newer than the one the decision was made on."""


class Unwritable(FollowthroughError):  # noqa: N818 - reads as a sentence
    """What is known cannot be put into a mail: a fault of ours, which only this mail must suffer from."""
