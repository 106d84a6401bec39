"""What must exist in the account beside the stack: buckets, secrets, the partners' routes, queues to look at."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console

from local.cloud import REGION, Cloud
from local.receiver import Receiver
from local.stack import DERIVATIVES, INGESTED, UPLOADS, Stack
from local.stage import Stage

SIGNING_SECRET = "whsec_bG9jYWwgY2xvdWQgc2lnbmluZyBzZWNyZXQ="  # noqa: S105 # of the local cloud's own receiver
API_KEY = "local-cloud-api-key"
WEBHOOK_SECRETS = {
    "standard": SIGNING_SECRET,
    **{scheme: f"local-cloud-{scheme}-secret" for scheme in ("github", "stripe", "slack", "zendesk", "datadog")},
}
"""By scheme; each is received at the path of its name."""
PREFIX = "eventbridge-automations"


def seed(cloud: Cloud, receiver_url: str) -> None:
    """Create the buckets, and the secrets and routes that the functions read, which lead to the receiver."""
    s3 = cloud.client("s3")
    for missing in {UPLOADS, DERIVATIVES, INGESTED} - {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=missing, CreateBucketConfiguration={"LocationConstraint": REGION})
    for sender in (UPLOADS, INGESTED):
        s3.put_bucket_notification_configuration(
            Bucket=sender, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
    secrets, ssm = cloud.client("secretsmanager"), cloud.client("ssm")
    known = {secret["Name"] for secret in secrets.list_secrets()["SecretList"]}
    for name, text in {
        f"{PREFIX}/slack-webhook": f"{receiver_url}/slack",
        f"{PREFIX}/partner/support-slack": f"{receiver_url}/support",
        f"{PREFIX}/partner/crm-signing-secret": SIGNING_SECRET,
    }.items():
        if name in known:
            secrets.put_secret_value(SecretId=name, SecretString=text)
        else:
            secrets.create_secret(Name=name, SecretString=text)
    support = {"name": "support", "slack": f"secretsmanager:{PREFIX}/partner/support-slack"}
    crm = {
        "name": "crm",
        "webhook": f"{receiver_url}/crm",
        "secret": f"secretsmanager:{PREFIX}/partner/crm-signing-secret",
    }
    routes = [
        {"source": "aws.partner/zendesk.com/*", "destinations": [support, crm]},
        {"source": "aws.partner/datadog.com/*", "destinations": [support]},
        {"source": "aws.partner/auth0.com/*", "destinations": [support]},
        {"source": "webhook.*", "destinations": [support]},
    ]
    ssm.put_parameter(Name=f"/{PREFIX}/partner-routes", Value=json.dumps(routes), Type="String", Overwrite=True)
    ssm.put_parameter(Name=f"/{PREFIX}/security-exemptions", Value="[]", Type="String", Overwrite=True)
    seed_api_caller(cloud, receiver_url)
    seed_webhooks(cloud)


def seed_api_caller(cloud: Cloud, receiver_url: str) -> None:
    """Store the request that api_caller makes, to the receiver, and its key."""
    ssm = cloud.client("ssm")
    request = {
        "name": "deployments",
        "method": "POST",
        "url": receiver_url + "/deployments/pipelines/{{detail.pipeline}}/executions?region={{region}}",
        "body": {
            "execution": '{{detail."execution-id"}}',
            "state": "{{detail.state}}",
            "attempt": '{{detail."pipeline-execution-attempt"}}',
        },
        "auth": {"type": "api-key", "secret": f"ssm:/{PREFIX}/api/deployments-key"},
        "key": '{{detail."execution-id"}}/{{detail."pipeline-execution-attempt"}}/{{detail.state}}',
        "when": "detail.state != 'STARTED'",
    }
    ssm.put_parameter(Name=f"/{PREFIX}/api-request", Value=json.dumps(request), Type="String", Overwrite=True)
    ssm.put_parameter(Name=f"/{PREFIX}/api/deployments-key", Value=API_KEY, Type="SecureString", Overwrite=True)


def seed_webhooks(cloud: Cloud) -> None:
    """Store the secrets that sign webhooks, one for each scheme, and that they are received."""
    ssm = cloud.client("ssm")
    for scheme, text in WEBHOOK_SECRETS.items():
        ssm.put_parameter(Name=f"/{PREFIX}/webhook/{scheme}", Value=text, Type="SecureString", Overwrite=True)
    webhooks = [
        {"provider": scheme, "scheme": scheme, "secrets": [f"ssm:/{PREFIX}/webhook/{scheme}"]}
        for scheme in WEBHOOK_SECRETS
    ]
    ssm.put_parameter(Name=f"/{PREFIX}/webhooks", Value=json.dumps(webhooks), Type="String", Overwrite=True)


def set_stage(stack: Stack, receiver: Receiver, folder: Path, console: Console) -> Stage:
    """Add what is needed to look on: a queue behind the alerts topic, and one that gets every event of the bus."""
    cloud = stack.cloud
    sns, sqs, events = cloud.client("sns"), cloud.client("sqs"), cloud.client("events")
    queues = {}
    for name in ("look-alerts", "look-events"):
        queues[name] = sqs.create_queue(QueueName=name)["QueueUrl"]

    def arn(name: str) -> str:
        attributes = sqs.get_queue_attributes(QueueUrl=queues[name], AttributeNames=["QueueArn"])["Attributes"]
        return str(attributes["QueueArn"])

    sns.subscribe(TopicArn=stack.outputs["AlertsTopic"], Protocol="sqs", Endpoint=arn("look-alerts"))
    events.put_rule(Name="look-events", EventPattern=json.dumps({"source": ["aws.s3"]}))
    events.put_targets(Rule="look-events", Targets=[{"Id": "look", "Arn": arn("look-events")}])
    return Stage(stack, receiver, queues["look-alerts"], queues["look-events"], folder, console)
