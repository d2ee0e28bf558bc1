"""Start the local AWS, deploy the unchanged template into it, and write ``.local/stack.json``.

    python infra/local/up.py [--settings infra/local.yaml]

Does only what is missing: a second call finds everything in place. FOLLOWTHROUGH_PORT chooses the port (without it
4566, or the next free one), FOLLOWTHROUGH_HOME the folder.
"""

import argparse
import base64
import fcntl
import hashlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import BotoCoreError, ClientError
from rich.text import Text

import background
from place import (
    HOME,
    REGION,
    ROOT,
    STACK,
    STACK_FILE,
    Hook,
    Stack,
    aws_environment,
    client,
    fetch,
    read,
    record,
    write,
    write_stack,
)
from progress import console, step

PORTS = range(4566, 4600)
DEPLOYED = HOME / "deployed.json"
APPLIED = HOME / "applied.json"
READY_WITHIN = 60.0
FOLLOW_WITHIN = 31.0
"""Seconds: how long running functions may use the settings they know (functions/adapters/settings_store.py)."""
MAIL_OUTPUTS = ("DeliveryTopicArn", "ReplyTopicArn", "ReplyBucketName")
"""Where the post office reports sent mails, and where it stores and reports those it receives."""
ON_THE_WAY = ("ReceiveTicket", "ReactToChange", "TakeNextStep", "SendMessage", "RecordDelivery", "ReadReply")


class Failed(Exception):  # noqa: N818 - read as a sentence
    """Something did not work; the text tells the user what, and where to look."""


def main(arguments: list[str]) -> int:
    """Run the command; gives the exit code."""
    parser = argparse.ArgumentParser(description="Start Followthrough on this machine.")
    parser.add_argument(
        "--settings", type=Path, default=ROOT / "infra/local.yaml", help="the settings to apply"
    )
    settings = parser.parse_args(arguments).settings
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            stack = up(settings)
        except (Failed, OSError, BotoCoreError, ClientError) as failure:
            console.print(Text.assemble(("✗ ", "red"), f"{failure} (look into {HOME}/*.log)"))
            return 1
        except KeyboardInterrupt:
            console.print("\nStopped. What is up stays up; go on: make up   Stop it: make down")
            return 130
    console.print(f"Followthrough is up: {stack.api}\nIts mails: {stack.post_office}   Stop it: make down")
    return 0


def up(settings: Path) -> Stack:
    """Bring everything up that is not; raises Failed."""
    endpoint = start_aws()
    outputs = deploy(endpoint)
    api = f"{endpoint}/_aws/execute-api/{outputs['ApiId']}"
    wanted = yaml.safe_load(settings.read_text())
    hooks = put_hook_secrets(endpoint, outputs["HookSecretsArn"], wanted["sources"])
    verify_sender(endpoint, wanted["company"]["sender"])
    if apply(settings, endpoint, outputs["TableName"], api):
        wake(endpoint)
    stack = Stack(
        api=api,
        hooks={source: Hook(url=f"{api}/hooks/{source}", secret=secret) for source, secret in hooks.items()},
        aws_endpoint=endpoint,
        region=REGION,
        table=outputs["TableName"],
        mails=f"{endpoint}/_ministack/ses/messages",
        post_office=start_post_office(endpoint, outputs),
    )
    write_stack(stack)
    return stack


def start_aws() -> str:
    """The address of the running local AWS; starts it when it is not running."""
    known = read(HOME / "port.json")
    if known and background.is_running("aws") and answers(known["endpoint"]):
        return str(known["endpoint"])
    background.stop("post_office")
    background.stop("aws")
    for stale in (DEPLOYED, APPLIED, STACK_FILE, HOME / "reported.txt", HOME / "secrets.json"):
        stale.unlink(missing_ok=True)
    port = choose_port()
    endpoint = f"http://127.0.0.1:{port}"
    (HOME / "tmp").mkdir(exist_ok=True)
    environment = {
        # The user's own environment stays out: Lambdas there inherit what their server was started with.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": str(HOME),
        "TMPDIR": str(HOME / "tmp"),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LAMBDA_WARM_TTL_SECONDS": "86400",
        "MINISTACK_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    with step("starting the local AWS"):
        process = background.start("aws", [sys.executable, "-m", "ministack.app"], environment)
        end = time.monotonic() + READY_WITHIN
        while not answers(endpoint):
            if process.poll() is not None or time.monotonic() > end:
                background.stop("aws")
                raise Failed(f"The local AWS did not start. Its last words:\n{background.last_words('aws')}")
            time.sleep(0.1)
    write(HOME / "port.json", {"endpoint": endpoint})
    return endpoint


def answers(endpoint: str) -> bool:
    """Whether the local AWS is ready."""
    try:
        fetch(f"{endpoint}/_ministack/ready")
    except OSError:
        return False
    return True


def choose_port() -> int:
    """The port that FOLLOWTHROUGH_PORT names, or the first free one; raises Failed when the named one is taken."""
    named = os.environ.get("FOLLOWTHROUGH_PORT")
    if named:
        if not named.isdecimal() or not is_free(int(named)):
            raise Failed(f"FOLLOWTHROUGH_PORT={named}: not a free port. Name another, or none.")
        return int(named)
    for port in PORTS:
        if is_free(port):
            return port
    raise Failed(
        f"All ports from {PORTS.start} to {PORTS.stop - 1} are taken; name one with FOLLOWTHROUGH_PORT."
    )


def is_free(port: int) -> bool:
    """Whether a server could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
    return True


def deploy(endpoint: str) -> dict[str, str]:
    """Build and deploy when the code is not what is deployed; gives the stack's outputs."""
    fingerprint = code_fingerprint()
    known = read(DEPLOYED)
    if known and known["fingerprint"] == fingerprint:
        outputs: dict[str, str] = known["outputs"]
        return outputs
    environment = aws_environment(endpoint) | {"LAYER_PLATFORM": "local"}
    build = HOME / "build"
    with step("building the functions and their packages"):
        folders = ["--build-dir", str(build), "--cache-dir", str(HOME / "build-cache")]
        sam(["build", "--template-file", str(ROOT / "template.yaml"), *folders], environment)
    with step("deploying to the local AWS"):
        remove_failed_stack(endpoint)
        sam(["deploy", "--template-file", str(build / "template.yaml")], environment)
    outputs = read_outputs(endpoint)
    missing = {"ApiId", "TableName", "HookSecretsArn", "LinkKeysArn", *MAIL_OUTPUTS} - outputs.keys()
    if missing:
        raise Failed(f"template.yaml has no output {', '.join(sorted(missing))}.")
    write(DEPLOYED, {"fingerprint": fingerprint, "outputs": outputs})
    return outputs


def code_fingerprint() -> str:
    """The same as long as nothing that is deployed has changed."""
    seen = hashlib.sha256(sys.version.encode())
    files = [ROOT / "template.yaml", ROOT / "samconfig.toml"]
    for folder in ("functions", "infra/dependencies"):
        files += sorted(file for file in (ROOT / folder).rglob("*") if file.is_file())
    for file in files:
        if "__pycache__" not in file.parts:
            seen.update(f"{file.relative_to(ROOT)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return seen.hexdigest()


def sam(arguments: list[str], environment: dict[str, str]) -> None:
    """Run the SAM CLI quietly; raises Failed with the end of what it said."""
    log = HOME / f"sam-{arguments[0]}.log"
    with log.open("wb") as output:
        configuration = ["--config-file", str(ROOT / "samconfig.toml"), "--config-env", "local"]
        command = [sys.executable, "-m", "samcli", *arguments, *configuration]
        ended = subprocess.run(command, env=environment, cwd=ROOT, stdout=output, stderr=output, check=False)
    if ended.returncode:
        said = [line for line in log.read_text(errors="replace").splitlines() if "Uploading to" not in line]
        raise Failed(f"sam {arguments[0]} failed ({log}):\n" + "\n".join(said[-25:]))


def remove_failed_stack(endpoint: str) -> None:
    """Delete a stack whose first deployment failed: it cannot be deployed to again."""
    stacks = client("cloudformation", endpoint)
    try:
        status = stacks.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
    except ClientError:
        return
    if status.startswith("ROLLBACK_") or status.endswith("_FAILED"):
        stacks.delete_stack(StackName=STACK)
        stacks.get_waiter("stack_delete_complete").wait(
            StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )


def read_outputs(endpoint: str) -> dict[str, str]:
    """The outputs of the deployed stack."""
    found = client("cloudformation", endpoint).describe_stacks(StackName=STACK)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}


def put_hook_secrets(endpoint: str, secret_id: str, sources: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Give every source a secret of its own, made once per stack; gives them by source."""
    kept = read(HOME / "secrets.json") or {}
    # Standard Webhooks wants this form, and for every other helpdesk it is as good as any.
    made = {
        source["secret"]: kept.get(source["secret"])
        or "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        for source in sources.values()
    }
    if made != kept:
        client("secretsmanager", endpoint).put_secret_value(SecretId=secret_id, SecretString=json.dumps(made))
        write(HOME / "secrets.json", made)
    return {name: made[source["secret"]] for name, source in sources.items()}


def verify_sender(endpoint: str, address: str) -> None:
    """Make the sender's address a verified identity, as its owner would do by the link that SES mails."""
    mail = client("sesv2", endpoint)
    try:
        mail.create_email_identity(EmailIdentity=address)
    except mail.exceptions.AlreadyExistsException:
        return


def apply(settings: Path, endpoint: str, table: str, api: str) -> bool:
    """Store the settings when the table has others, or the code is not what they were stored with.

    Somebody may have stored their own meanwhile (``make connect STACK=local``). Gives whether something is new, so that
    the functions have to be woken. Raises Failed with every problem of the file.
    """
    fingerprint = hashlib.sha256(
        settings.read_bytes() + f"{table} {api} {code_fingerprint()}".encode()
    ).hexdigest()
    before = stored_settings(endpoint, table)
    if before and read(APPLIED) == {"fingerprint": fingerprint, "stored": before}:
        return False
    command = [sys.executable, str(ROOT / "infra/apply_settings.py"), str(settings), "--table", table]
    environment = aws_environment(endpoint)
    with step(f"applying {settings.name}"):
        ended = subprocess.run(
            [*command, "--public-url", api], env=environment, capture_output=True, text=True, check=False
        )
        if ended.returncode:
            raise Failed(ended.stderr.strip() or ended.stdout.strip())
    after = stored_settings(endpoint, table)
    if before not in {None, after}:
        with step("waiting until running functions follow"):
            time.sleep(FOLLOW_WITHIN)
    write(APPLIED, {"fingerprint": fingerprint, "stored": after})
    return True


def stored_settings(endpoint: str, table: str) -> str | None:
    """What tells the stored settings from others; None when there are none."""
    key = {"pk": {"S": "SETTINGS"}, "sk": {"S": "CURRENT"}}
    found = client("dynamodb", endpoint).get_item(TableName=table, Key=key, ConsistentRead=True)
    return str(record(found["Item"])["digest"]) if "Item" in found else None


def wake(endpoint: str) -> None:
    """Call the functions between a closure and its survey once: when seconds stand for days, starting counts."""
    lambdas = client("lambda", endpoint)
    nowhere = json.dumps(
        {"pk": "nobody", "sk": "MESSAGE#none", "part": "message"}
        | {"mail": {"messageId": "none"}, "receipt": {"recipients": []}}
    )
    nothing = {
        "Records": [{"messageId": "none", "body": nowhere, "dynamodb": {"SequenceNumber": "0"}}],
        "pathParameters": {"source": "none"},
        "requestContext": {"http": {"method": "POST"}},
    }

    def call(name: str) -> None:
        lambdas.invoke(FunctionName=name, Payload=json.dumps(nothing).encode())

    with step("waking the functions"), ThreadPoolExecutor(4) as several:
        names = [function["FunctionName"] for function in lambdas.list_functions()["Functions"]]
        list(
            several.map(
                call, [name for name in names if name.removeprefix(f"{STACK}-").startswith(ON_THE_WAY)]
            )
        )


def start_post_office(endpoint: str, outputs: dict[str, str]) -> str:
    """The address of the mailbox in the browser; starts the post office when it is not running."""
    opened = HOME / "mailbox.json"
    arguments = [endpoint, outputs["TableName"], *(outputs[name] for name in MAIL_OUTPUTS)]
    wanted = dict(zip(("endpoint", "table", "topic", "reply_topic", "reply_bucket"), arguments, strict=True))
    known = read(opened)
    if known and known["for"] == wanted and background.is_running("post_office"):
        return str(known["url"])
    background.stop("post_office")
    opened.unlink(missing_ok=True)
    with step("opening the post office"):
        ours = {
            "PYTHONPATH": str(ROOT / "functions"),
            "TABLE": outputs["TableName"],
            "LINK_KEYS": outputs["LinkKeysArn"],
        }
        environment = aws_environment(endpoint) | ours
        command = [sys.executable, str(ROOT / "infra/local/post_office.py"), *arguments]
        process = background.start("post_office", command, environment)
        end = time.monotonic() + READY_WITHIN
        while (known := read(opened)) is None:
            if process.poll() is not None or time.monotonic() > end:
                background.stop("post_office")
                raise Failed(f"The post office did not open:\n{background.last_words('post_office')}")
            time.sleep(0.05)
    return str(known["url"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
