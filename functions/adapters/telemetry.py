"""Structured logs and metrics. A log line is a constant sentence with keys; never an
address, a name, a text or a token.
"""

import warnings

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger()
metrics = Metrics()

warnings.filterwarnings("ignore", message="No application metrics to publish")


def count(name: str, amount: int = 1) -> None:
    """Add to a metric of this invocation, such as ``SurveySent``; written out when the handler ends."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=amount)
