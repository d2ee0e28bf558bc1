"""Cuts the SDK in a built layer down to the calls that our Lambdas make: less to ship, less to read at a cold start.

    python trim.py <folder of the packages>

botocore describes some 400 services in JSON, and a client reads its service's whole description and a list of all
services' endpoints. Here only the operations below stay, with the shapes they need, uncompressed and without their
documentation. No code of botocore is changed; whoever calls another operation adds it here, and
tests/benchmark/test_build.py notices when somebody forgot.
"""

import gzip
import json
import shutil
import sys
from pathlib import Path
from typing import Any

OPERATIONS = {
    "dynamodb": {"BatchGetItem", "GetItem", "PutItem", "Query", "TransactWriteItems"},
    "s3": {"GetObject"},
    "secretsmanager": {"GetSecretValue"},
    "sesv2": {"GetAccount", "SendEmail"},
    "sqs": {"GetQueueAttributes", "SendMessageBatch"},
}
ENDPOINTS = {"dynamodb", "email", "s3", "secretsmanager", "sqs"}
"""The same services as ``endpoints.json`` calls them."""
UNUSED = ("boto3", "s3transfer")
"""Installed with the pins, never imported by a Lambda: functions/adapters/aws.py uses botocore alone."""
NEEDS_PYDANTIC = "aws_lambda_powertools/utilities/parser"
"""Cannot even be imported without pydantic, which is not in the layer."""
DEAD_WEIGHT = (
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.min.*",
    "dateutil/zoneinfo/*.tar.gz",
    "*.dist-info/RECORD",
)
"""A browser's scripts, a second copy of the time zones, and lists for pip."""


def trim(packages: Path) -> None:
    """Cut down the packages in this folder."""
    for name in UNUSED:
        for folder in (packages / name, *packages.glob(f"{name}-*.dist-info")):
            shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(packages / NEEDS_PYDANTIC, ignore_errors=True)
    for pattern in DEAD_WEIGHT:
        for file in packages.glob(pattern):
            file.unlink()
    data = packages / "botocore/data"
    for folder in data.iterdir():
        if folder.is_dir():
            _trim_service(folder)
    everything = json.loads((data / "endpoints.json").read_text())
    for partition in everything["partitions"]:
        partition["services"] = {
            name: known for name, known in partition["services"].items() if name in ENDPOINTS
        }
    _write(data / "endpoints.json", everything)


def _trim_service(folder: Path) -> None:
    wanted = OPERATIONS.get(folder.name)
    versions = sorted(version for version in folder.iterdir() if _described(version))
    for version in folder.iterdir():
        if not wanted or version != versions[-1]:
            shutil.rmtree(version)
    if not wanted:
        folder.rmdir()
        return
    for file in list(versions[-1].iterdir()):
        content = json.loads(gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_text())
        file.unlink()
        if file.name.startswith("service-2.json"):
            _write(versions[-1] / "service-2.json", _needed(content, wanted))
        elif file.name.startswith(("endpoint-rule-set-1", "service-2.sdk-extras")):
            _write(versions[-1] / file.name.removesuffix(".gz"), content)


def _described(version: Path) -> bool:
    return any(version.glob("service-2.json*"))


def _needed(service: dict[str, Any], wanted: set[str]) -> dict[str, Any]:
    operations = {name: service["operations"][name] for name in sorted(wanted)}
    shapes: dict[str, Any] = {}
    found = _shapes_in(operations)
    while found:
        name = found.pop()
        if name not in shapes:
            shapes[name] = service["shapes"][name]
            found |= _shapes_in(shapes[name])
    kept: dict[str, Any] = _undocumented(service | {"operations": operations, "shapes": shapes})
    if "clientContextParams" in service:
        # Of these alone botocore reads the documentation too (S3 has some).
        kept["clientContextParams"] = service["clientContextParams"]
    return kept


def _shapes_in(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(_shapes_in, value))
    if not isinstance(value, dict):
        return set()
    here = {value["shape"]} if isinstance(value.get("shape"), str) else set()
    return here.union(*map(_shapes_in, value.values()))


def _undocumented(value: Any) -> Any:
    """Without the texts called documentation; a member of that name would be a dictionary, and stays."""
    if isinstance(value, list):
        return [_undocumented(inner) for inner in value]
    if isinstance(value, dict):
        return {
            name: _undocumented(inner)
            for name, inner in value.items()
            if not (name == "documentation" and isinstance(inner, str))
        }
    return value


def _write(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, separators=(",", ":")))


if __name__ == "__main__":
    trim(Path(sys.argv[1]))
