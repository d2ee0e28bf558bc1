"""Cuts the layer down to what our Lambdas use of its packages: less to ship, less to read at a cold start.

    python trim.py <folder of the packages>

botocore describes some 400 services in JSON, and a client reads its service's whole description and a list of all
services' endpoints. Here only the operations below stay, with the shapes they need, uncompressed and without their
documentation. No code of botocore is changed; whoever calls another operation adds it here, and
tests/benchmark/test_build.py notices when somebody forgot.

Babel brings what the CLDR knows of a thousand locales, 32 MB: currencies, units, names of countries. Here every locale
stays, so that one more language needs nothing but its catalogue, but only with its dates and the name of its own
language: 1 MB.

holidays imports all its 250 countries as soon as one of them is used, because ``holidays.countries`` lists them for
type checkers; without that list it finds each by itself, in half the time. The names of its days, in all languages, are
5 of its 9 MB.
"""

import gzip
import json
import pickle
import shutil
import sys
from pathlib import Path
from typing import Any

OPERATIONS = {
    "dynamodb": {"BatchGetItem", "GetItem", "PutItem", "Query", "Scan", "TransactWriteItems"},
    "s3": {"GetObject"},
    "secretsmanager": {"GetSecretValue"},
    "sesv2": {"GetAccount", "SendEmail"},
    "sqs": {"GetQueueAttributes", "SendMessageBatch"},
}
ENDPOINTS = {"dynamodb", "email", "s3", "secretsmanager", "sqs"}
"""The same services as ``endpoints.json`` calls them."""
UNUSED = ("boto3", "s3transfer")
"""Installed with the pins, never imported by a Lambda: functions/adapters/aws.py uses botocore alone."""
_UTILITIES = (
    *("auth_alpha", "circuit_breaker", "data_masking", "feature_flags", "idempotency"),
    *("kafka", "metadata", "parameters", "parser", "streaming", "validation"),
)
UNUSED_PARTS = ("event_handler", *(f"utilities/{name}" for name in _UTILITIES))
"""Parts of Powertools that no Lambda imports, and no part that stays; a Lambda that needs one takes it out here."""
DEAD_WEIGHT = (
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.min.*",
    "dateutil/zoneinfo/*.tar.gz",
    "*.dist-info/RECORD",
)
"""A browser's scripts, a second copy of the time zones, and lists for pip."""
DATES = frozenset(
    {
        *("character_order", "languages", "locale_id", "plural_form"),
        *("date_formats", "datetime_formats", "time_formats", "day_period_rules", "day_periods"),
        *("days", "months", "eras", "number_symbols", "default_numbering_system"),
    }
)
"""What functions/messages/language.py asks of a locale."""
NEGOTIATION = frozenset(
    {"likely_subtags", "parent_exceptions"}
    | {f"{part}_aliases" for part in ("language", "script", "territory", "variant")}
)
"""What finding a locale needs of the knowledge that all share."""


def trim(packages: Path) -> None:
    """Cut down the packages in this folder."""
    for name in UNUSED:
        for folder in (packages / name, *packages.glob(f"{name}-*.dist-info")):
            shutil.rmtree(folder, ignore_errors=True)
    for part in UNUSED_PARTS:
        shutil.rmtree(packages / "aws_lambda_powertools" / part, ignore_errors=True)
    for pattern in DEAD_WEIGHT:
        for file in packages.glob(pattern):
            file.unlink()
    _trim_botocore(packages / "botocore/data")
    if (packages / "babel").exists():
        _trim_babel(packages)
    if (packages / "holidays").exists():
        _trim_holidays(packages / "holidays")


def _trim_botocore(data: Path) -> None:
    for folder in data.iterdir():
        if folder.is_dir():
            _trim_service(folder)
    everything = json.loads((data / "endpoints.json").read_text())
    for partition in everything["partitions"]:
        partition["services"] = {
            name: known for name, known in partition["services"].items() if name in ENDPOINTS
        }
    _write(data / "endpoints.json", everything)


def _trim_holidays(holidays: Path) -> None:
    for unused in ("locale", "financial"):
        shutil.rmtree(holidays / unused)
    (holidays / "countries/__init__.py").write_text("")


def _trim_babel(packages: Path) -> None:
    sys.path.insert(0, str(packages))  # its data are pickled with classes of its own
    babel = packages / "babel"
    shutil.rmtree(babel / "messages")  # for our tools, not for a Lambda
    for file in (babel / "locale-data").glob("*.dat"):
        locale = {key: known for key, known in _unpickled(file).items() if key in DATES}
        own = file.stem.partition("_")[0]
        names = locale.pop("languages", {})
        file.write_bytes(_pickled(locale | {"languages": {own: names[own]} if own in names else {}}))
    shared = babel / "global.dat"
    kept = {key: known for key, known in _unpickled(shared).items() if key in NEGOTIATION}
    shared.write_bytes(_pickled(kept))


def _unpickled(file: Path) -> dict[str, Any]:
    known: dict[str, Any] = pickle.loads(file.read_bytes())  # noqa: S301 - pip has checked the package's hash
    return known


def _pickled(known: dict[str, Any]) -> bytes:
    return pickle.dumps(known, protocol=4)


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
