"""template.yaml as the tests read it: the same words without CloudFormation's tags (``!GetAtt A.Arn`` is "A.Arn")."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent


class _Loader(yaml.SafeLoader):
    """Leaves out the tags."""


def _untagged(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("!", _untagged)


@cache
def template() -> dict[str, Any]:
    """The whole template."""
    loaded: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text("utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    return loaded


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """Properties by logical id of all resources of one type, such as ``AWS::SQS::Queue``."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template()["Resources"].items()
        if resource["Type"] == kind
    }


@cache
def functions() -> dict[str, dict[str, Any]]:
    """Properties of each Lambda by the name of its module, with what ``Globals`` adds and its logical id as ``Id``."""
    shared = template()["Globals"]["Function"]
    return {
        properties["Handler"].removesuffix(".handler"): {**shared, **properties, "Id": name}
        for name, properties in resources("AWS::Serverless::Function").items()
    }


def function_of(logical_id: str) -> str:
    """The name of the Lambda with this logical id."""
    return next(name for name, properties in functions().items() if properties["Id"] == logical_id)


def statements(function: str) -> list[tuple[list[str], list[str]]]:
    """What a Lambda may do: actions with the resources they are for."""
    found = []
    for policy in functions()[function].get("Policies", []):
        for statement in policy["Statement"]:
            assert statement["Effect"] == "Allow"
            found.append((_listed(statement["Action"]), _listed(statement["Resource"])))
    return found


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


@cache
def routes() -> dict[str, str]:
    """Which Lambda answers which route key, such as ``GET /s/{token}``."""
    integrations = resources("AWS::ApiGatewayV2::Integration")
    return {
        route["RouteKey"]: function_of(
            integrations[route["Target"].removeprefix("integrations/${").removesuffix("}")][
                "IntegrationUri"
            ].removesuffix(".Arn")
        )
        for route in resources("AWS::ApiGatewayV2::Route").values()
    }


@cache
def readers() -> dict[str, dict[str, Any]]:
    """Event source mappings by the logical id of what they read: a queue, or ``Table`` for its stream."""
    return {
        mapping["EventSourceArn"].partition(".")[0]: mapping
        for mapping in resources("AWS::Lambda::EventSourceMapping").values()
    }


@cache
def stream_filters() -> list[dict[str, Any]]:
    """The patterns of changes that reach react_to_change."""
    return [json.loads(known["Pattern"]) for known in readers()["Table"]["FilterCriteria"]["Filters"]]
