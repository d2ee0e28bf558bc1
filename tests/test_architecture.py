"""The rules of the house, checked on the files themselves: names, layers, rights, queues, samples, documents."""

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from blueprint import ROOT, functions, readers, resources, routes, statements, template

FUNCTIONS = ROOT / "functions"
LAMBDAS = sorted(file.stem for file in FUNCTIONS.glob("*.py"))
PYTHON_FILES = sorted(FUNCTIONS.rglob("*.py"))
PAGES = [name for name in LAMBDAS if name.startswith("show_")]
QUEUES = sorted(set(readers()) - {"Table"})
PROVEN_ROWS = {
    *(f"w{number}" for number in (*range(1, 18), 21)),
    *("c1", "c2", "c7"),
    *("m1", "m2", "m3", "m4", "m5", "m7", "m8", "m9", "m10", "m12", "m13", "m14", "m15", "m16", "m18", "m19"),
    *(f"p{number}" for number in range(1, 18)),
    *(f"e{number}" for number in range(1, 12)),
    *(f"g{number}" for number in range(1, 10)),
    *("n1", "n2", "n3", "n5", "n6"),
    *("r1", "r2", "r3", "r5", "r8"),
}
"""Faults and attacks with a test that bears their name: webhooks, clock, mail, pages, replies, counts, operation,
digests (nothing is exported, so R4 has nothing to prove)."""


def imports(file: Path) -> set[str]:
    """The top-level packages that a module imports, also inside its functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            found.add((node.module or "").partition(".")[0])
    return found


def dead_letters_of(queue: str) -> str:
    """The queue that takes what another one could not get rid of."""
    target: str = resources("AWS::SQS::Queue")[queue]["RedrivePolicy"]["deadLetterTargetArn"]
    return target.removesuffix(".Arn")


# --- names and layers ------------------------------------------------------------------------------------------------


def test_one_file_one_function_one_sample_event_one_test() -> None:
    assert sorted(functions()) == LAMBDAS
    assert sorted(file.stem for file in (ROOT / "events").glob("*.json")) == LAMBDAS
    tests = {file.stem for file in (ROOT / "tests/integration").glob("test_*.py")}
    assert {f"test_{name}" for name in LAMBDAS} <= tests
    for name in LAMBDAS:
        text = (ROOT / f"tests/integration/test_{name}.py").read_text("utf-8")
        assert f'sample("{name}")' in text, f"{name}: its sample event is not used"


def test_the_name_of_a_function_is_its_name_everywhere() -> None:
    for name, properties in functions().items():
        assert properties["Id"] == "".join(word.title() for word in name.split("_")) + "Function"
        assert properties["CodeUri"] == "functions/"


def test_no_module_hides_one_of_the_standard_library() -> None:
    ours = {file.stem for file in FUNCTIONS.glob("*.py")} | {folder.name for folder in FUNCTIONS.iterdir()}
    assert ours & set(sys.stdlib_module_names) == set()


@pytest.mark.parametrize("file", sorted((FUNCTIONS / "domain").glob("*.py")), ids=lambda file: file.stem)
def test_the_domain_knows_nothing_but_itself(file: Path) -> None:
    assert imports(file) - set(sys.stdlib_module_names) <= {"domain"}
    assert not imports(file) & {"os", "socket", "urllib", "random", "time", "logging", "subprocess"}
    assert not re.search(r"\b(?:datetime\.now|utcnow|today)\(", file.read_text("utf-8"))


@pytest.mark.parametrize("folder", ["helpdesks", "messages", "replies"])
def test_helpdesks_and_messages_know_no_aws(folder: str) -> None:
    for file in (FUNCTIONS / folder).rglob("*.py"):
        assert not imports(file) & {"adapters", "boto3", "botocore", "pynamodb", "aws_lambda_powertools"}


def test_only_adapters_talk_to_aws() -> None:
    for file in PYTHON_FILES:
        if file.parent.name != "adapters":
            assert not imports(file) & {"boto3", "botocore", "pynamodb"}, file.name
        if file.parent.name in {"adapters", "domain", "helpdesks", "messages", "replies"}:
            assert not imports(file) & set(LAMBDAS), f"{file.name} imports a Lambda"


def test_only_the_clock_reads_the_clock() -> None:
    for file in PYTHON_FILES:
        if file != FUNCTIONS / "adapters/clock.py":
            assert not re.search(
                r"\b(?:now\(UTC\)|utcnow\(|uuid4\(|time\.time\()", file.read_text("utf-8")
            ), file.name


def test_a_stored_field_that_may_be_missing_has_a_default() -> None:
    """None and empty values are not stored, so a record without the default could not be read again."""
    for file in (*(FUNCTIONS / "domain").glob("*.py"), *(FUNCTIONS / "adapters").glob("*.py")):
        for made in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(made, ast.ClassDef) or not any(
                "dataclass" in ast.unparse(d) for d in made.decorator_list
            ):
                continue
            for field in made.body:
                if isinstance(field, ast.AnnAssign) and field.value is None:
                    kind = ast.unparse(field.annotation)
                    assert "None" not in kind, f"{made.name}.{ast.unparse(field.target)}"
                    if any(
                        isinstance(other, ast.AnnAssign) and "version" in ast.unparse(other.target)
                        for other in made.body
                    ):
                        assert not kind.startswith(("tuple", "dict", "list")), (
                            f"{made.name}.{ast.unparse(field.target)}"
                        )


def test_each_environment_variable_is_set_and_each_one_set_is_read() -> None:
    text = "".join(file.read_text("utf-8") for file in PYTHON_FILES)
    read = set(re.findall(r"""environ(?:\[|\.get\()["']([A-Z_]+)["']""", text))
    assert text.count("environ") == len(re.findall(r"""environ(?:\[|\.get\()["'][A-Z_]+["']""", text))
    for name, properties in functions().items():
        given = set(properties["Environment"]["Variables"])
        own = {known for known in given if not known.startswith(("POWERTOOLS_", "AWS_"))}
        assert own == read, name


def test_the_readme_lists_each_function() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [name for name in LAMBDAS if f"`{name}`" not in readme] == []


def test_every_row_has_a_test_with_its_name() -> None:
    text = "".join(file.read_text("utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"def test_([a-z]\d+)_", text))
    assert sorted(PROVEN_ROWS - named) == []


# --- rights ----------------------------------------------------------------------------------------------------------


def test_n1_a_wildcard_in_a_policy_has_its_reason_above_it() -> None:
    lines = (ROOT / "template.yaml").read_text("utf-8").splitlines()
    found = 0
    for number, line in enumerate(lines):
        if re.match(r"\s+(?:Action|Resource): .*\*", line):
            found += 1
            statement = next(above for above in range(number, 0, -1) if "- Effect: Allow" in lines[above])
            assert lines[statement - 1].strip().startswith("#"), f"template.yaml:{number + 1} needs a reason"
    listed = [
        (action, resource)
        for name in LAMBDAS
        for actions, granted in statements(name)
        for action in actions
        for resource in granted
        if "*" in action + resource
    ]
    listed += [
        ("s3:PutObject", statement["Resource"])
        for policy in resources("AWS::S3::BucketPolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    assert len(listed) == found, "a wildcard that this rule does not see"


@pytest.mark.parametrize("name", PAGES)
def test_n1_a_page_that_is_shown_cannot_write(name: str) -> None:
    actions = {action for listed, _ in statements(name) for action in listed}
    assert actions <= {
        "dynamodb:GetItem",
        "dynamodb:Query",
        "dynamodb:BatchGetItem",
        "secretsmanager:GetSecretValue",
    }


def test_n1_get_and_head_lead_to_pages_and_post_to_the_rest() -> None:
    for key, name in routes().items():
        assert (key.partition(" ")[0] in {"GET", "HEAD", "OPTIONS"}) == (name in PAGES), key
    assert {key.replace("GET", "HEAD") for key in routes() if key.startswith("GET")} <= set(routes())


def test_n1_only_one_function_may_send_mail() -> None:
    may = {name for name in LAMBDAS for actions, _ in statements(name) if "ses:SendEmail" in actions}
    assert may == {"send_message"}
    for name in LAMBDAS:
        for actions, granted in statements(name):
            if any(action.startswith("ses:Send") for action in actions):
                assert "*" not in granted
                assert any("identity/${SenderIdentity}" in resource for resource in granted)


def test_n1_nobody_may_delete_and_secrets_are_read_only() -> None:
    actions = {action for name in LAMBDAS for listed, _ in statements(name) for action in listed}
    assert not {
        action for action in actions if re.search(r"Delete(?!Message)|Update|Put(?!Item)|Create", action)
    }


def test_n1_links_and_hooks_have_keys_of_their_own() -> None:
    for name in LAMBDAS:
        secrets = {
            resource
            for actions, granted in statements(name)
            for resource in granted
            if "Secret" in str(actions)
        }
        own = {
            "receive_ticket": {"HookSecrets"},
            "show_hook": {"HookSecrets"},
            "post_to_chat": {"LinkKeys", "ChatAddresses"},
        }
        own |= {name: {"ApiSecrets"} for name in ("fetch_details", "reconcile_tickets", "write_back")}
        assert secrets <= own.get(name, {"LinkKeys"}), name


def test_n1_only_one_function_can_speak_to_chats() -> None:
    importing = {file.name for file in PYTHON_FILES if imports(file) & {"apprise", "requests"}}
    assert importing == {"chat.py"}
    using = {
        file.name
        for file in PYTHON_FILES
        if re.search(r"adapters import .*\bchat\b", file.read_text("utf-8"))
    }
    assert using == {"post_to_chat.py"}
    own = {name for name, known in resources("AWS::Serverless::Function").items() if "Layers" in known}
    assert own == {"PostToChatFunction"}


@pytest.mark.parametrize("queue", QUEUES)
def test_n1_a_reader_may_read_its_queue(queue: str) -> None:
    name = next(
        name for name, known in functions().items() if known["Id"] == readers()[queue]["FunctionName"]
    )
    wanted = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
    assert any(wanted <= set(actions) and f"{queue}.Arn" in granted for actions, granted in statements(name))


def test_m10_only_ses_of_this_account_and_configuration_may_report() -> None:
    policy = resources("AWS::SNS::TopicPolicy")["DeliveryTopicPolicy"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert policy["Topics"] == ["DeliveryTopic"]
    assert template()["Resources"]["Reports"]["DependsOn"] == "DeliveryTopicPolicy"
    assert (statement["Principal"], statement["Action"]) == ({"Service": "ses.amazonaws.com"}, "sns:Publish")
    condition = statement["Condition"]["StringEquals"]
    assert condition["aws:SourceAccount"] == "AWS::AccountId"
    assert condition["aws:SourceArn"].endswith("configuration-set/${ConfigurationSet}")
    (queue,) = [
        known for known in resources("AWS::SQS::QueuePolicy").values() if "DeliveryQueue" in known["Queues"]
    ]
    for statement in queue["PolicyDocument"]["Statement"]:
        assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
        assert statement["Condition"]["ArnEquals"] == {"aws:SourceArn": "DeliveryTopic"}


def test_e3_only_ses_by_the_rule_of_this_stack_may_store_and_report_a_mail() -> None:
    (bucket,) = resources("AWS::S3::BucketPolicy").values()
    topic = resources("AWS::SNS::TopicPolicy")["ReplyTopicPolicy"]
    rules = resources("AWS::SES::ReceiptRuleSet")["ReplyRules"]["RuleSetName"]
    rule = resources("AWS::SES::ReceiptRule")["TakeReplies"]["Rule"]
    for policy, action in ((bucket, "s3:PutObject"), (topic, "sns:Publish")):
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert (statement["Principal"], statement["Action"]) == ({"Service": "ses.amazonaws.com"}, action)
        condition = statement["Condition"]["StringEquals"]
        assert condition["aws:SourceAccount"] == "AWS::AccountId"
        assert condition["aws:SourceArn"].endswith(f"receipt-rule-set/{rules}:receipt-rule/{rule['Name']}")
    assert rule["ScanEnabled"] is True
    assert rule["Recipients"] == ["ReplyDomain"]
    (queue,) = [
        known for known in resources("AWS::SQS::QueuePolicy").values() if "ReplyQueue" in known["Queues"]
    ]
    for statement in queue["PolicyDocument"]["Statement"]:
        assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
        assert statement["Condition"]["ArnEquals"] == {"aws:SourceArn": "ReplyTopic"}


def test_mails_are_stored_encrypted_private_and_not_for_ever() -> None:
    (bucket,) = resources("AWS::S3::Bucket").values()
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 30)


def test_n1_every_route_has_exactly_the_permission_it_needs() -> None:
    permitted = sorted(known["FunctionName"] for known in resources("AWS::Lambda::Permission").values())
    assert permitted == sorted({functions()[name]["Id"] for name in routes().values()})


# --- queues, streams, alarms -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("queue", QUEUES)
def test_n3_a_queue_that_is_read_has_time_and_an_end(queue: str) -> None:
    properties, reader = resources("AWS::SQS::Queue")[queue], readers()[queue]
    timeout = next(
        known["Timeout"] for known in functions().values() if known["Id"] == reader["FunctionName"]
    )
    assert properties["VisibilityTimeout"] >= 6 * timeout
    assert properties["RedrivePolicy"]["maxReceiveCount"] >= 5
    assert reader["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert reader["ScalingConfig"]["MaximumConcurrency"] >= 2
    assert dead_letters_of(queue) in resources("AWS::SQS::Queue")


def test_n2_whatever_is_asynchronous_has_a_place_for_what_failed() -> None:
    queues = resources("AWS::SQS::Queue")
    stream = readers()["Table"]
    assert stream["DestinationConfig"]["OnFailure"]["Destination"].removesuffix(".Arn") in queues
    assert stream["BisectBatchOnFunctionError"] is True
    assert 1 <= stream["MaximumRetryAttempts"] <= 10
    assert 0 < stream["MaximumRecordAgeInSeconds"] < 86_400
    for name, properties in functions().items():
        for event in properties.get("Events", {}).values():
            config = properties["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]
            assert config["Destination"].removesuffix(".Arn") in queues, name
            assert event["Properties"]["DeadLetterConfig"]["Arn"].removesuffix(".Arn") in queues, name
    for subscription in resources("AWS::SNS::Subscription").values():
        assert subscription["RedrivePolicy"]["deadLetterTargetArn"].removesuffix(".Arn") in queues


def test_n2_every_queue_of_dead_letters_keeps_two_weeks_and_rings() -> None:
    dead = {name for name in resources("AWS::SQS::Queue") if name not in QUEUES}
    assert {dead_letters_of(queue) for queue in QUEUES} <= dead
    watched = set()
    for alarm in resources("AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmActions"] == ["AlarmTopic"]
        watched |= {known["Value"].removesuffix(".QueueName") for known in alarm["Dimensions"]}
    assert dead <= watched
    assert "ReactToChangeFunction" in watched
    for name, queue in resources("AWS::SQS::Queue").items():
        assert queue["MessageRetentionPeriod"] == 1_209_600, name
        assert queue["SqsManagedSseEnabled"] is True, name


def test_what_nobody_takes_from_a_queue_rings_once_and_not_for_two_weeks() -> None:
    """Whatever Lambda itself puts there stays: an alarm by what a queue holds would hide the next failure."""
    left = {dead_letters_of(queue) for queue in QUEUES}
    for name, alarm in resources("AWS::CloudWatch::Alarm").items():
        if alarm["Namespace"] == "AWS/SQS":
            (queue,) = (known["Value"].removesuffix(".QueueName") for known in alarm["Dimensions"])
            by = "ApproximateNumberOfMessagesVisible" if queue in left else "NumberOfMessagesSent"
            assert alarm["MetricName"] == by, name


def test_the_stream_lets_through_exactly_the_kinds_with_consequences() -> None:
    kinds: list[str] = []
    for file in (FUNCTIONS / "adapters").glob("*.py"):
        kinds += re.findall(r'^KIND = "(\w+)"', file.read_text("utf-8"), re.MULTILINE)
    (pattern,) = [known["Pattern"] for known in readers()["Table"]["FilterCriteria"]["Filters"]]
    passed = json.loads(pattern)["dynamodb"]["NewImage"]["kind"]["S"]
    assert sorted(passed) == sorted(set(kinds) - {"settings"})


def test_p11_logs_end_and_a_path_is_never_logged_nor_traced() -> None:
    usual = template()["Globals"]["Function"]
    assert usual["LoggingConfig"] == {"LogGroup": "Logs"}
    (logs,) = resources("AWS::Logs::LogGroup").values()
    assert logs["RetentionInDays"] == "LogRetentionDays"
    (stage,) = resources("AWS::ApiGatewayV2::Stage").values()
    assert "AccessLogSettings" not in stage
    assert not stage["DefaultRouteSettings"].get("DataTraceEnabled")
    for properties in (usual, *functions().values()):
        assert properties.get("Tracing", "Disabled") == "Disabled", "traces hold the whole path"


def test_p14_requests_are_throttled_and_many_refused_links_ring() -> None:
    (stage,) = resources("AWS::ApiGatewayV2::Stage").values()
    usual = stage["DefaultRouteSettings"]
    assert 0 < usual["ThrottlingRateLimit"] <= usual["ThrottlingBurstLimit"] <= 500
    assert "RouteSettings" not in stage, "no route is let off"
    (alarm,) = [
        known
        for known in resources("AWS::CloudWatch::Alarm").values()
        if known["MetricName"] == "LinkRefused"
    ]
    assert alarm["AlarmActions"] == ["AlarmTopic"]
    variables = usual_variables()
    assert alarm["Namespace"] == variables["POWERTOOLS_METRICS_NAMESPACE"]
    assert alarm["Dimensions"] == [{"Name": "service", "Value": variables["POWERTOOLS_SERVICE_NAME"]}]
    assert alarm["Threshold"] < usual["ThrottlingRateLimit"] * alarm["Period"], "the throttle hides it"


def test_a_press_has_the_processor_that_showing_its_page_has() -> None:
    """After it the same page is written, of as many closures."""
    for shows, acts in (("show_causes", "acknowledge_causes"), ("show_cause", "act_on_cause")):
        assert functions()[acts].get("MemorySize") == functions()[shows].get("MemorySize"), acts


def test_an_intake_that_turns_everything_away_rings() -> None:
    """The handlers answer 503 themselves, so Lambda's own errors would stay at nothing."""
    (alarm,) = [
        known
        for known in resources("AWS::CloudWatch::Alarm").values()
        if known["Namespace"] == "AWS/ApiGateway"
    ]
    assert (alarm["MetricName"], alarm["Statistic"], alarm["Threshold"]) == ("5xx", "Sum", 1)
    assert alarm["Dimensions"] == [{"Name": "ApiId", "Value": "Api"}]
    assert "| `RequestsFailAlarm` |" in (ROOT / "docs" / "operations.md").read_text("utf-8")


def test_every_alarm_on_a_metric_of_ours_finds_it_and_is_explained() -> None:
    explained = (ROOT / "docs" / "operations.md").read_text("utf-8")
    variables = usual_variables()
    ours = {
        name: known
        for name, known in resources("AWS::CloudWatch::Alarm").items()
        if not known["Namespace"].startswith("AWS/")
    }
    assert ours["ColleaguesUnreachableAlarm"]["MetricName"] == "ColleagueUnreachable"
    for name, alarm in ours.items():
        assert alarm["Namespace"] == variables["POWERTOOLS_METRICS_NAMESPACE"]
        assert alarm["Dimensions"] == [{"Name": "service", "Value": variables["POWERTOOLS_SERVICE_NAME"]}]
        assert f"| `{name}` |" in explained, name


def usual_variables() -> dict[str, Any]:
    """The environment of every function."""
    variables: dict[str, Any] = template()["Globals"]["Function"]["Environment"]["Variables"]
    return variables


def test_the_table_keeps_what_it_has() -> None:
    (table,) = resources("AWS::DynamoDB::Table").values()
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    (made,) = [known for known in template()["Resources"].values() if known["Type"] == "AWS::DynamoDB::Table"]
    assert (made["DeletionPolicy"], made["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


# --- samples ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LAMBDAS)
def test_a_sample_event_is_what_its_trigger_sends(name: str) -> None:
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text("utf-8"))
    keys = [key for key, function in routes().items() if function == name]
    sources = {
        queue: reader
        for queue, reader in readers().items()
        if reader["FunctionName"] == functions()[name]["Id"]
    }
    if keys:
        assert event["version"] == "2.0"
        assert event["routeKey"] in keys
        assert event["requestContext"]["http"]["method"] == event["routeKey"].partition(" ")[0]
    elif "Table" in sources:
        assert {record["eventSource"] for record in event["Records"]} == {"aws:dynamodb"}
    elif sources:
        (queue,) = sources
        assert {record["eventSourceARN"].rpartition(":")[2] for record in event["Records"]} == {queue}
        assert all(json.loads(record["body"]) for record in event["Records"])
    elif functions()[name].get("Events"):
        assert event["source"] == "aws.events"
    else:
        assert set(event) == {"id"}


def test_make_hands_a_file_with_blanks_on_as_one_and_its_python_to_nobody() -> None:
    """PYTHON says what .venv is made with; the layers are built by a make below this one, with .venv's own."""
    shown = made("--dry-run", "--assume-old", ".venv/installed", "settings", "FILE=my settings.yaml")
    assert "my settings.yaml" in shlex.split(shown)
    below = 'include Makefile\nbelow: ; @echo "$$MAKEFLAGS"\n'
    assert "python9" not in made("--file", "-", "below", "PYTHON=python9", typed=below)


def made(*arguments: str, typed: str = "") -> str:
    """What make prints."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    ended = subprocess.run(
        ["make", *arguments], cwd=ROOT, env=clean, input=typed, capture_output=True, text=True, check=True
    )
    return ended.stdout
