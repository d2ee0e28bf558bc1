"""Three operations beside the measured peer: a helpdesk's own survey add-on, run end to end on such a machine.

Its figures are fixed (measured in November 2026: OTOBO 10.1 with "Survey", CPU seconds for 1,000, processes and
database); ours are the CPU of all our Lambdas on the operation's way, from ``warm``. AWS's own work is on neither side,
while the peer's HTTP parsing and SMTP hop are on its side: an order of magnitude, not a contest.
"""

from dataclasses import dataclass

from benchmark.warm import Warm

PEER = {"invitation created and sent": 52.0, "form page": 45.0, "answer recorded": 40.0}
AT_MOST = {"invitation created and sent": 0.20, "form page": 0.06, "answer recorded": 0.08}
WAYS = {
    "invitation created and sent": {
        "receive_ticket": 1,
        "react_to_change": 1,
        "take_next_step": 1,
        "send_message": 1,
        "record_delivery": 1,
    },
    "form page": {"show_survey": 1},
    "answer recorded": {"record_answer": 1},
}
"""Which Lambdas are called how often for one operation."""


@dataclass(frozen=True)
class Beside:
    """One operation."""

    name: str
    ours: float
    """CPU seconds for 1,000."""
    peer: float

    @property
    def ratio(self) -> float:
        """How much of the peer's CPU we take."""
        return self.ours / self.peer


def compare(warm: dict[str, Warm]) -> list[Beside]:
    """All three operations."""
    return [
        Beside(
            name, sum(warm[function].ours.milliseconds * times for function, times in way.items()), PEER[name]
        )
        for name, way in WAYS.items()
    ]
