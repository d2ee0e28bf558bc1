"""Cold start of each Lambda: CPU of imports and first clients in a fresh interpreter, against the naive package."""

from dataclasses import dataclass

from benchmark import layer
from benchmark.rounds import Case, Process, Ratio, processes, ratio
from blueprint import functions

REFERENCE = "naive package: HMAC, PynamoDB, Logger"
WEBHOOK = "receive_ticket"
WEBHOOK_AT_MOST = 0.80
REFUSED_AT_MOST = 0.20

FUNCTIONS = tuple(sorted(functions(), key=lambda name: (name != WEBHOOK, name)))
CLIENTS: dict[str, tuple[str, ...]] = {
    "run_clock": ("sqs",),
    "take_next_step": ("sqs",),
    "react_to_change": ("sqs",),
    "fetch_details": ("secretsmanager",),
    "write_back": ("secretsmanager",),
    "send_message": ("secretsmanager", "sesv2"),
    "read_reply": ("secretsmanager", "s3"),
    "record_delivery": (),
    "recount_causes": (),
    "replay_ticket": (),
}
"""The clients that a Lambda makes beside DynamoDB's before its first answer; the others need keys to read a link."""
_KEYS = ("secretsmanager",)

_TABLE = "from adapters import table\ntable.Row._get_connection().connection.client\n"
_CLIENT = "from adapters.aws import client\nclient({!r})\n"
_NAIVE = "import sys\nsys.path.insert(0, {!r})\nimport webhook\nwebhook.Closure._get_connection().connection.client\n"
_LIGHT = "import base64, hashlib, hmac, json\n"
_FETCHED = _LIGHT + "import http.client, ssl, datetime, os\nssl.create_default_context()\n"


@dataclass(frozen=True)
class Cold:
    """All cold starts of one run."""

    cases: dict[str, Case]
    rounds: int

    def ratio(self, name: str) -> Ratio:
        """A case against the naive package."""
        return ratio(self.cases[name], self.cases[REFERENCE])


def measure(rounds: int) -> Cold:
    """Measure every Lambda of the template."""
    naive, built, ours = str(layer.naive()), layer.built(), str(layer.functions())
    paths = (ours, str(built / "python"))
    environment = layer.environment(built)
    reference = str(layer.ROOT / "tests/benchmark/reference")
    cases = [Process(REFERENCE, _NAIVE.format(reference), (naive,))]
    for name in FUNCTIONS:
        more = (str(layer.chat() / "python"),) if "ChatLayer" in functions()[name].get("Layers", []) else ()
        services = CLIENTS.get(name, _KEYS)
        program = f"import {name}\n{_TABLE}" + "".join(_CLIENT.format(service) for service in services)
        cases.append(Process(name, program, (*paths, *more), environment))
    cases += [
        Process("imports only: receive_ticket", "import receive_ticket", paths, environment),
        Process("refused by hand, key at hand", _LIGHT, ()),
        Process("refused by hand, key fetched by the standard library", _FETCHED, ()),
        Process("Powertools' Logger alone", "import aws_lambda_powertools", paths, environment),
    ]
    return Cold(processes(cases, rounds), rounds)
