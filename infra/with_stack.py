"""Run one of our commands against a deployed stack, whose outputs it gets as its environment.

    python infra/with_stack.py STACK infra/apply_settings.py my-settings.yaml

STACK is the name of a CloudFormation stack in the account and region of your AWS configuration, or ``local`` for the
stack that `make up` started. The command finds TABLE, HOOK_SECRETS, API_SECRETS, CHAT_ADDRESSES, PUBLIC_URL,
REPLAY_FUNCTION, RECOUNT_FUNCTION and RECONCILE_FUNCTION.
"""

import os
import subprocess
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from place import STACK, STACK_FILE, aws_environment, read_stack
from sentences import fail, in_sentences

NAMES = {
    "TABLE": "TableName",
    "HOOK_SECRETS": "HookSecretsArn",
    "API_SECRETS": "ApiSecretsArn",
    "CHAT_ADDRESSES": "ChatAddressesArn",
    "PUBLIC_URL": "ApiUrl",
    "REPLAY_FUNCTION": "ReplayTicketFunctionName",
    "RECOUNT_FUNCTION": "RecountCausesFunctionName",
    "RECONCILE_FUNCTION": "ReconcileTicketsFunctionName",
}


@in_sentences
def main(arguments: list[str]) -> int:
    """Run the command; gives its exit code."""
    if len(arguments) < 2:
        return fail(__doc__ or "")
    name, *command = arguments
    environment = dict(os.environ)
    local = read_stack() if name == "local" else None
    if name == "local":
        if local is None:
            return fail(f"No local stack is up ({STACK_FILE} is missing). Start it: make up")
        environment = aws_environment(local.aws_endpoint)
        # Not beside the user's own: their profile, proxy or endpoint of one service would go before ours.
        os.environ.clear()
        os.environ.update(environment)
        name = STACK
    try:
        stacks = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except (BotoCoreError, ClientError) as error:
        return fail(f"The stack {name} cannot be read: {error}")
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}
    environment |= {variable: outputs[key] for variable, key in NAMES.items() if key in outputs}
    if local:
        environment["PUBLIC_URL"] = local.api
    with subprocess.Popen([sys.executable, *command], env=environment) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # The command got it as well, and says itself what that means.
            return process.wait() or 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
