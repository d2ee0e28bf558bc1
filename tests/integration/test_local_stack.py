"""The local stack has the settings it was asked for, and its commands reach it and nothing else."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

import background
import up
import with_stack
from blueprint import resources
from place import ROOT, Stack, aws_environment, client

TABLE = "local-table"
# The local AWS is meant to outlive whoever started it.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The local AWS, as `make up` starts it in a folder of its own, with our table in it."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        patch.setattr(background, "HOME", home)
        patch.setattr(up, "HOME", home)
        patch.setattr(up, "APPLIED", home / "applied.json")
        # Nobody waits for Lambdas, because there are none.
        patch.setattr(up, "FOLLOW_WITHIN", 0.0)
        where = up.start_aws()
        try:
            (table,) = resources("AWS::DynamoDB::Table").values()
            wanted = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
            made = {name: table[name] for name in wanted}
            client("dynamodb", where).create_table(TableName=TABLE, **made)
            yield where
        finally:
            background.stop("aws")


def test_a_wrong_settings_file_is_told_in_full(endpoint: str, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text((ROOT / "infra/local.yaml").read_text("utf-8") + "\nnonsense: 1\n", "utf-8")
    with pytest.raises(up.Failed, match="nonsense: is not a key"):
        up.apply(wrong, endpoint, TABLE, "http://127.0.0.1/api")
    assert up.stored_settings(endpoint, TABLE) is None


def test_settings_that_somebody_stored_meanwhile_are_replaced(endpoint: str) -> None:
    settings = ROOT / "infra/local.yaml"
    assert up.apply(settings, endpoint, TABLE, "http://127.0.0.1/api"), "a new stack"
    ours = up.stored_settings(endpoint, TABLE)
    assert ours and not up.apply(settings, endpoint, TABLE, "http://127.0.0.1/api"), "all in place"
    other = [sys.executable, "infra/apply_settings.py", "infra/settings.yaml", "--table", TABLE]
    subprocess.run(other, cwd=ROOT, env=aws_environment(endpoint), check=True, capture_output=True)
    assert up.stored_settings(endpoint, TABLE) != ours
    assert up.apply(settings, endpoint, TABLE, "http://127.0.0.1/api")
    assert up.stored_settings(endpoint, TABLE) == ours


def test_the_users_own_account_proxy_and_endpoints_stay_out(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = {
        "AWS_PROFILE": "work",
        "AWS_ENDPOINT_URL_CLOUDFORMATION": "http://127.0.0.1:1",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "PATH": os.environ["PATH"],
    }
    seen: list[dict[str, str]] = []

    class Stacks:
        def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - as boto3 has it
            seen.append(dict(os.environ))
            return {"Stacks": [{"Outputs": [{"OutputKey": "TableName", "OutputValue": TABLE}]}]}

    known = Stack(
        api="http://127.0.0.1/api",
        hooks={},
        aws_endpoint="http://127.0.0.1:4566",
        region="eu-west-1",
        table=TABLE,
        mails="",
        post_office="",
    )
    monkeypatch.setattr(os, "environ", mine)
    monkeypatch.setattr(with_stack, "read_stack", lambda: known)
    monkeypatch.setattr(boto3, "client", lambda name: Stacks())
    check = f"import os; assert os.environ['TABLE'] == {TABLE!r} and 'AWS_PROFILE' not in os.environ"
    assert with_stack.main(["local", "-c", check]) == 0
    (environment,) = seen
    assert environment.keys().isdisjoint({"AWS_PROFILE", "AWS_ENDPOINT_URL_CLOUDFORMATION"})
    assert environment["AWS_ENDPOINT_URL"] == known.aws_endpoint
    assert "127.0.0.1" in environment["NO_PROXY"]
