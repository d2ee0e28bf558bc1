"""Structured logs and metrics. A log line is a constant sentence with keys; never an
address, a name, a text or a token.
"""

import json
import warnings
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

SAID_ELSEWHERE = {"function_arn", "function_memory_size"}
"""What the name of the function tells already; every line is paid for by its length."""


def _line(record: dict[str, Any]) -> str:
    kept = {name: value for name, value in record.items() if name not in SAID_ELSEWHERE}
    return json.dumps(kept, default=str, ensure_ascii=False, separators=(",", ":"))


logger = Logger(json_serializer=_line)
metrics = Metrics()

warnings.filterwarnings("ignore", message="No application metrics to publish")


def count(name: str, amount: int = 1) -> None:
    """Add to a metric of this invocation, such as ``SurveySent``; written out when the handler ends."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=amount)
