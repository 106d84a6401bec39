"""What must exist in the account beside the stack: buckets, secrets, the partners' routes, queues to look at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from local.cloud import ROOT, Aws, Cloud
from local.photo import photograph
from local.receiver import Receiver
from local.stack import NAME, UPLOADS, Stack
from local.stage import Stage, look_queue

SIGNING_SECRET = "whsec_bG9jYWwgY2xvdWQgc2lnbmluZyBzZWNyZXQ="  # noqa: S105 # of the local cloud's own receiver
API_KEY = "local-cloud-api-key"
WEBHOOK_SECRETS = {
    "standard": SIGNING_SECRET,
    **{scheme: f"local-cloud-{scheme}-secret" for scheme in ("github", "stripe", "slack", "zendesk", "datadog")},
}
"""By scheme; each is received at the path of its name."""


def seed(cloud: Cloud | Aws, receiver_url: str, parameters: Mapping[str, str], prefix: str = NAME) -> None:
    """Create the buckets, and the secrets and routes that the functions read, which lead to the receiver.

    Args:
        parameters: the template's, which name the buckets.
        prefix: what the names of secrets and parameters begin with.
    """
    s3 = cloud.client("s3")
    uploads, ingested = parameters["UploadsBucketName"], parameters["PipelineSourceBucketName"]
    known = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    for name in {uploads, parameters["DerivativesBucketName"], ingested} - known:
        create_bucket(cloud, name)
    for sender in (uploads, ingested):
        s3.put_bucket_notification_configuration(
            Bucket=sender, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
    secrets, ssm = cloud.client("secretsmanager"), cloud.client("ssm")
    pages = secrets.get_paginator("list_secrets").paginate()
    stored = {secret["Name"] for page in pages for secret in page["SecretList"]}
    for name, text in {
        f"{prefix}/slack-webhook": f"{receiver_url}/slack",
        f"{prefix}/partner/support-slack": f"{receiver_url}/support",
        f"{prefix}/partner/crm-signing-secret": SIGNING_SECRET,
    }.items():
        if name in stored:
            secrets.put_secret_value(SecretId=name, SecretString=text)
        else:
            secrets.create_secret(Name=name, SecretString=text)
    support = {"name": "support", "slack": f"secretsmanager:{prefix}/partner/support-slack"}
    crm = {
        "name": "crm",
        "webhook": f"{receiver_url}/crm",
        "secret": f"secretsmanager:{prefix}/partner/crm-signing-secret",
    }
    routes = [
        {"source": "aws.partner/zendesk.com/*", "destinations": [support, crm]},
        {"source": "aws.partner/datadog.com/*", "destinations": [support]},
        {"source": "aws.partner/auth0.com/*", "destinations": [support]},
        {"source": "webhook.*", "destinations": [support]},
    ]
    ssm.put_parameter(Name=f"/{prefix}/partner-routes", Value=json.dumps(routes), Type="String", Overwrite=True)
    ssm.put_parameter(Name=f"/{prefix}/security-exemptions", Value="[]", Type="String", Overwrite=True)
    seed_api_caller(cloud, receiver_url, prefix)
    seed_webhooks(cloud, prefix)


def seed_pictures(cloud: Cloud | Aws) -> None:
    """Put what the samples say was uploaded where `sam local invoke` finds it; before `seed`, so that no event comes of it."""
    create_bucket(cloud, UPLOADS)
    for sample in sorted((ROOT / "events" / "image_resize").glob("uploaded*.json")):
        key = json.loads(sample.read_text())["detail"]["object"]["key"]
        cloud.client("s3").put_object(Bucket=UPLOADS, Key=key, Body=photograph())


def create_bucket(cloud: Cloud | Aws, name: str) -> None:
    """Create the bucket in the cloud's region; us-east-1 is no location that one may name."""
    elsewhere = cloud.region != "us-east-1"
    place: Any = {"CreateBucketConfiguration": {"LocationConstraint": cloud.region}} if elsewhere else {}
    cloud.client("s3").create_bucket(Bucket=name, **place)


def seed_api_caller(cloud: Cloud | Aws, receiver_url: str, prefix: str) -> None:
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
        "auth": {"type": "api-key", "secret": f"ssm:/{prefix}/api/deployments-key"},
        "key": '{{detail."execution-id"}}/{{detail."pipeline-execution-attempt"}}/{{detail.state}}',
        "when": "detail.state != 'STARTED'",
    }
    ssm.put_parameter(Name=f"/{prefix}/api-request", Value=json.dumps(request), Type="String", Overwrite=True)
    ssm.put_parameter(Name=f"/{prefix}/api/deployments-key", Value=API_KEY, Type="SecureString", Overwrite=True)


def seed_webhooks(cloud: Cloud | Aws, prefix: str) -> None:
    """Store the secrets that sign webhooks, one for each scheme, and that they are received."""
    ssm = cloud.client("ssm")
    for scheme, text in WEBHOOK_SECRETS.items():
        ssm.put_parameter(Name=f"/{prefix}/webhook/{scheme}", Value=text, Type="SecureString", Overwrite=True)
    webhooks = [
        {"provider": scheme, "scheme": scheme, "secrets": [f"ssm:/{prefix}/webhook/{scheme}"]}
        for scheme in WEBHOOK_SECRETS
    ]
    ssm.put_parameter(Name=f"/{prefix}/webhooks", Value=json.dumps(webhooks), Type="String", Overwrite=True)


def set_stage(stack: Stack, receiver: Receiver, folder: Path, console: Console) -> Stage:
    """Add what is needed to look on: a queue behind the alerts topic, and one that gets what S3 sends about uploads."""
    cloud = stack.cloud
    sns, events = cloud.client("sns"), cloud.client("events")
    alerts, alerts_arn = look_queue(stack, "alerts")
    tap, tap_arn = look_queue(stack, "events")
    sns.subscribe(TopicArn=stack.outputs["AlertsTopic"], Protocol="sqs", Endpoint=alerts_arn)
    rule, uploads = f"{stack.name}-look-events", {"name": [stack.outputs["UploadsBucket"]]}
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": ["aws.s3"], "detail": {"bucket": uploads}}))
    events.put_targets(Rule=rule, Targets=[{"Id": "look", "Arn": tap_arn}])
    stage = Stage(stack, receiver, alerts, tap, folder, console)
    stage.settle()
    return stage
