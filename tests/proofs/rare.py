"""Situations that only the proof of permissions plays: all attacks of the unit tests, and what needs a permission that no other does.

They have the form of the situations; what is there afterwards, nobody looks at.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import boto3
from moto.rds.models import rds_backends

from automations import aws
from automations.notify import Message, Severity
from automations.notify.slack import put
from event_pipeline.plan import MAX_LINE
from partner_relay.routes import STACKS_OWN
from rds_backup.snapshot import TAG
from security_remediation import organization
from tests.proofs.situations import Arrange, Situation
from tests.proofs.situations import security_remediation as security
from tests.proofs.situations.office_hours import office_hours_evening
from tests.proofs.situations.rds_backup import old_cluster_snapshot
from tests.proofs.world import World
from tests.samples import sample
from tests.unit.api_caller.conftest import ENVIRONMENT as API_CALLER
from tests.unit.api_caller.conftest import create_api
from tests.unit.apigateway_logging.conftest import LOG_GROUPS, ROLE, answer_update_stage, create_stage, set_account_role
from tests.unit.bus import APPLICATION_BUS, create_bus
from tests.unit.conftest import ACCOUNT, REGION
from tests.unit.event_pipeline.conftest import BUCKET as PIPELINE_BUCKET
from tests.unit.event_pipeline.conftest import ENVIRONMENT as EVENT_PIPELINE
from tests.unit.event_pipeline.conftest import create_destinations
from tests.unit.event_pipeline.messages import application_event, batch
from tests.unit.partner_relay.destinations import KEY, crm, put_routes
from tests.unit.partner_relay.destinations import PARAMETER as ROUTES
from tests.unit.rds_backup.databases import ABROAD, MIDNIGHT, cluster
from tests.unit.security_remediation.answers import answer
from tests.unit.security_remediation.attacks import Attack, MakeAttack, baseline, config, ec2, every_attack, first, keys
from tests.unit.security_remediation.conftest import BUCKET, call
from tests.unit.shared.messages import EVENT
from tests.unit.webhook_receiver.configuration import PARAMETER, configure, webhook
from tests.unit.webhook_receiver.requests import SECRETS, signed


def _played(function: str, event: dict[str, Any]) -> Situation:
    return Situation(function, event, state=lambda: None)


def _secret_in_a_parameter(name: str, text: str) -> str:
    aws.ssm().put_parameter(Name=name, Value=text, Type="SecureString")
    return f"ssm:{name}"


def api_caller_key_in_a_parameter(world: World) -> Situation:
    """The API's key is in a parameter."""
    api = create_api(world.web)
    world.set(**API_CALLER)
    key = _secret_in_a_parameter("/eventbridge-automations/api/key", "t0ps3cret")
    api.configure(auth={"type": "api-key", "secret": key})
    return _played("api_caller", sample("api_caller/pipeline-failed"))


def webhook_receiver_secret_in_a_parameter(world: World) -> Situation:
    """The secret with which a provider signs is in a parameter."""
    create_bus({"prefix": "webhook."})
    configure(webhook("github", _secret_in_a_parameter("/eventbridge-automations/webhook/github", SECRETS["github"])))
    world.set(application_bus=APPLICATION_BUS, webhooks_parameter=PARAMETER)
    return _played("webhook_receiver", signed("github"))


def apigateway_logging_websocket(world: World) -> Situation:
    """A stage of a WebSocket API is created."""
    answer_update_stage()
    set_account_role(ROLE)
    world.set(log_groups_arn=LOG_GROUPS, retention_days="14")
    event = sample("apigateway_logging/create-stage-http") | {"account": ACCOUNT}
    event["detail"]["requestParameters"].update(apiId=create_stage("WEBSOCKET", "live"), stageName="live")
    return _played("apigateway_logging", event)


def apigateway_logging_without_role(world: World) -> Situation:
    """A stage is created where API Gateway has no role, and may be given none."""
    situation = apigateway_logging_websocket(world)
    set_account_role("")
    return situation


def event_pipeline_redshift(world: World) -> Situation:
    """Events go to Redshift, too, and one is too large for a record."""
    create_destinations()
    firehose: Any = aws.firehose()
    firehose.create_delivery_stream(
        DeliveryStreamName="to-redshift",
        ExtendedS3DestinationConfiguration={
            "RoleARN": f"arn:aws:iam::{ACCOUNT}:role/firehose",
            "BucketARN": f"arn:aws:s3:::{PIPELINE_BUCKET}",
        },
    )
    world.set(**EVENT_PIPELINE, redshift_delivery_stream="to-redshift")
    return _played("event_pipeline", batch(application_event(), application_event(note="x" * MAX_LINE)))


def office_hours_reported(world: World) -> Situation:
    """Instances are stopped, and people are told."""
    situation = office_hours_evening(world)
    world.set(report="all")
    return situation


def partner_relay_to_the_stacks_own_channel(world: World) -> Situation:
    """An event goes to the Slack channel that the stack has."""
    put_routes({"name": "own", "slack": STACKS_OWN})
    world.set(routes_parameter=ROUTES)
    world.slack()
    return _played("partner_relay", sample("partner_relay/webhook-github-issue"))


def partner_relay_signed_by_a_secret(world: World) -> Situation:
    """The secret with which a webhook is signed is in Secrets Manager."""
    name = "eventbridge-automations/partner/signing"
    aws.secretsmanager().create_secret(Name=name, SecretString=KEY)
    put_routes(crm(world.web.url) | {"secret": f"secretsmanager:{name}"})
    world.set(routes_parameter=ROUTES)
    return _played("partner_relay", sample("partner_relay/webhook-github-issue"))


def rds_backup_expired_abroad(world: World) -> Situation:
    """The copy of a cluster's snapshot is expired."""
    world.set(backup_copy_region=ABROAD, backup_minimum_copies="1")
    cluster("ledger")
    for name, days in {"automations-ledger-20261001-1500": 51, "automations-ledger-20261120-1500": 1}.items():
        arn = old_cluster_snapshot(name, days)
        copied: Any = {"SourceDBClusterSnapshotIdentifier": arn, "TargetDBClusterSnapshotIdentifier": name}
        aws.rds(ABROAD).copy_db_cluster_snapshot(**copied, Tags=[TAG], SourceRegion=REGION)
        copy = rds_backends[ACCOUNT][ABROAD].cluster_snapshots[name]
        copy.created = MIDNIGHT - timedelta(days=days)
    return _played("rds_backup", sample("rds_backup/nightly"))


def _slack_sender_of_a_partner(world: World, reference: str) -> Situation:
    put(Message(Severity.WARNING, "Ticket created", EVENT), reference, queue=world.slack_queue.queue, key="1")
    return _played("slack_sender", world.slack_queue.receive())


def slack_sender_of_a_partner(world: World) -> Situation:
    """A message is for the channel of a partner's route."""
    name = "eventbridge-automations/partner/support"
    aws.secretsmanager().create_secret(Name=name, SecretString=f"{world.web.url}/support")
    return _slack_sender_of_a_partner(world, f"secretsmanager:{name}")


def slack_sender_of_a_partner_by_parameter(world: World) -> Situation:
    """The address of the channel of a partner's route is in a parameter."""
    name = "/eventbridge-automations/partner/support"
    return _slack_sender_of_a_partner(world, _secret_in_a_parameter(name, f"{world.web.url}/support"))


# ---------------------------------------------------------------- security_remediation


def _bucket_policy_alone() -> Attack:
    """All of a bucket's policy lets strangers in."""
    attack = first.policy_for_everyone()
    policy = attack.event["detail"]["requestParameters"]["bucketPolicy"]
    del policy["Statement"][0]
    aws.s3().put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    return attack


def _function_policy_alone() -> Attack:
    """All of a function's policy lets strangers in."""
    attack = keys.function_policy_for_everyone()
    request = attack.event["detail"]["requestParameters"]
    policy = json.loads(request["policy"])
    request["policy"] = json.dumps(policy | {"Statement": policy["Statement"][1:]})
    client: Any = aws.lambda_()
    client.put_resource_policy(ResourceArn=request["resourceArn"], Policy=request["policy"])
    return attack


def _object_version_acl() -> Attack:
    """The ACL of a version of an object lets everybody in."""
    attack = first.object_acl()
    aws.s3().put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    key = attack.event["detail"]["requestParameters"]["key"]
    version = aws.s3().put_object(Bucket=BUCKET, Key=key, Body=b"x", ACL="public-read")["VersionId"]
    attack.event["detail"]["requestParameters"]["versionId"] = version
    return attack


def _flow_logs_of_other_networks() -> Attack:
    """Flow logs of networks of each kind are deleted."""
    vpc = baseline.create_vpc()
    client: Any = aws.ec2()
    subnet = client.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    gateway = client.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    attached = client.create_transit_gateway_vpc_attachment(TransitGatewayId=gateway, VpcId=vpc, SubnetIds=[subnet])
    networks = {
        "NetworkInterface": client.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"],
        "TransitGateway": gateway,
        "TransitGatewayAttachment": attached["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"],
        "RegionalNatGateway": client.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")["NatGateway"][
            "NatGatewayId"
        ],
        "Subnet": subnet,
    }
    aws.s3().create_bucket(Bucket=baseline.LOGS, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    deleted = [
        baseline.create_flow_log(**baseline.to_bucket(network) | {"ResourceType": kind})
        for kind, network in networks.items()
    ]
    baseline.take_flow_logs()
    client.delete_flow_logs(FlowLogIds=deleted)
    event = call("delete-flow-logs-several")
    items = [{"tag": number, "content": one} for number, one in enumerate(deleted, 1)]
    event["detail"]["requestParameters"] = {"DeleteFlowLogsRequest": {"FlowLogId": items}}
    return Attack("flow_logs_deleted", event, baseline.flow_logs_state, None, None, revert=lambda: None)


def _recorder_with_tags_deleted() -> Attack:
    """A recorder of AWS Config that has tags is deleted; moto gives none an ARN."""
    arn = f"arn:aws:config:{REGION}:{ACCOUNT}:configuration-recorder/default/0a1b2c3d4e5f6a7b"
    recorder = {"arn": arn, "name": "default", "roleARN": f"arn:aws:iam::{ACCOUNT}:role/config"}
    there: list[Any] = [recorder]
    answer(aws.config(), "DescribeConfigurationRecorders", lambda _: {"ConfigurationRecorders": there})
    answer(aws.config(), "ListTagsForResource", lambda _: {"Tags": [{"Key": "team", "Value": "security"}]})
    attack = config.attacked("delete-configuration-recorder", config.delete_recorder, there.clear)
    recording = {"ConfigurationRecordersStatus": [{"name": "default", "recording": True}]}
    answer(aws.config(), "DescribeConfigurationRecorderStatus", lambda _: recording)
    answer(aws.config(), "PutConfigurationRecorder", lambda _: there.append(recorder))
    return attack


def _aws_policy() -> Attack:
    """One of AWS's own policies is attached, and must be read to know what it allows."""
    attack = first.administrator_user()
    attack.event["detail"]["requestParameters"]["policyArn"] = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    return attack


ALONE: tuple[MakeAttack, ...] = (
    _bucket_policy_alone,
    _function_policy_alone,
    _object_version_acl,
    _flow_logs_of_other_networks,
    _recorder_with_tags_deleted,
    _aws_policy,
)


def security_remediation_exempt(world: World) -> Situation:
    """Exemptions are configured."""
    situation = security.by_attack(first.ingress)(world)
    aws.ssm().put_parameter(Name="/exemptions", Value="[]", Type="String")
    world.set(exemptions_parameter="/exemptions")
    return situation


def security_remediation_noted(world: World) -> Situation:
    """The baseline is taken, the accounts of the organisation with it."""
    security.deployed(world)
    organization._read.clear()
    world.set(trust_organization="true")
    boto3.client("organizations").create_organization(FeatureSet="ALL")
    return _played("security_remediation", call("take-baseline"))


def security_remediation_image_deregistered(world: World) -> Situation:
    """An image is deregistered."""
    security.deployed(world)
    ec2.answer("ListImagesInRecycleBin", lambda _: {"Images": []})
    return _played("security_remediation", call("deregister-image"))


RARE: tuple[Arrange, ...] = (
    api_caller_key_in_a_parameter,
    webhook_receiver_secret_in_a_parameter,
    apigateway_logging_websocket,
    apigateway_logging_without_role,
    event_pipeline_redshift,
    office_hours_reported,
    partner_relay_to_the_stacks_own_channel,
    partner_relay_signed_by_a_secret,
    rds_backup_expired_abroad,
    slack_sender_of_a_partner,
    slack_sender_of_a_partner_by_parameter,
    security_remediation_exempt,
    security_remediation_noted,
    security_remediation_image_deregistered,
    *map(security.by_attack, ALONE),
    *(security.by_attack(attack) for attack in every_attack() if attack.__name__ not in security.CHOSEN),
)
