"""The scenes of the demo: for each automation, real input, and the effect read back from the account.

A scene is a function of the stage. The end-to-end tests play the same scenes.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from uuid import uuid4

from PIL import Image
from standardwebhooks import Webhook

from local.cloud import ACCOUNT, REGION
from local.photo import photograph
from local.seed import SIGNING_SECRET
from local.stage import SceneFailed, Stage

Scene = Callable[[Stage], None]


def image_resize(stage: Stage) -> None:
    """A photo is uploaded; its derivatives appear, upright and without the place where it was taken."""
    s3, uploads, derivatives = (
        stage.client("s3"),
        stage.stack.outputs["UploadsBucket"],
        stage.stack.outputs["DerivativesBucket"],
    )
    function, key, photo = "ImageResizeFunction", "photos/한강 (dusk) a+b %20.JPG", photograph()
    stage.keep("pictures/source.jpg", photo)
    s3.put_object(Bucket=uploads, Key=key, Body=photo, ContentType="image/jpeg")
    stage.s3_event("ImageUploaded", key, "Object Created")

    def derivative(name: str) -> bytes | None:
        try:
            body: bytes = s3.get_object(Bucket=derivatives, Key=name)["Body"].read()
        except s3.exceptions.NoSuchKey:
            return None
        return body

    for size in (1600, 800, 200):
        for name in (f"{size}/{key}", f"{size}/{key}.webp"):
            content = stage.expect(f"s3://{derivatives}/{name}", lambda name=name: derivative(name), function)  # type: ignore[misc]
            picture = Image.open(io.BytesIO(content))
            if max(picture.size) != size or picture.getexif():
                raise SceneFailed(f"{name} is {picture.size} with EXIF {dict(picture.getexif())}.")
            kept = stage.keep(f"pictures/{size}.{(picture.format or '').lower()}", content)
            stage.say(
                "", f"{picture.format} {picture.width}x{picture.height}, {len(content):,} bytes, no EXIF: {kept.name}"
            )

    s3.delete_object(Bucket=uploads, Key=key)
    stage.s3_event("ImageDeleted", key, "Object Deleted")
    stage.expect(
        "the derivatives of the deleted picture are gone",
        lambda: not any(derivative(f"{size}/{key}{suffix}") for size in (1600, 800, 200) for suffix in ("", ".webp")),
        function,
    )


def image_that_is_none(stage: Stage) -> None:
    """Something else is uploaded as a picture: it is refused, and the event waits in the failed-events queue."""
    s3, uploads, function, key = (
        stage.client("s3"),
        stage.stack.outputs["UploadsBucket"],
        "ImageResizeFunction",
        "holiday.png",
    )
    s3.put_object(Bucket=uploads, Key=key, Body=b"%PDF-1.7 this is no picture")
    event = stage.s3_event("ImageUploaded", key, "Object Created", refuses=True)
    # MiniStack tries an event of a rule only once and uses no failure destination; a direct invocation does both.
    stage.stack.send(event)
    failed = stage.expect(
        "the event is in the failed-events queue",
        lambda: [item for item in stage.stack.failed_events() if item["requestPayload"]["id"] == event["id"]],
        function,
    )
    stage.say("reason", str(failed[0]["responsePayload"].get("errorMessage", "")))


def ec2_state_alerts(stage: Stage) -> None:
    """A machine stops: people are told why. It asked to be kept running, so it is started again."""
    ec2, function = stage.client("ec2"), "Ec2StateAlertsFunction"
    tags = [{"Key": "Name", "Value": "web-1"}, {"Key": "automations:auto-restart", "Value": "true"}]
    [machine] = ec2.run_instances(
        ImageId="ami-0123456789abcdef0",
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )["Instances"]
    instance = machine["InstanceId"]

    def state() -> str:
        [group] = ec2.describe_instances(InstanceIds=[instance])["Reservations"]
        return str(group["Instances"][0]["State"]["Name"])

    ec2.stop_instances(InstanceIds=[instance])
    stage.expect(f"{instance} is stopped", lambda: state() == "stopped", function)
    stage.send(stage.sample("ec2_state_alerts/stopped", instance_id=instance), expect="InstanceStateChanged")
    stage.alert(f"EC2 instance web-1 ({instance}) is stopped", function)
    stage.slack("/slack", f"EC2 instance web-1 ({instance}) is stopped", function)
    stage.expect(f"{instance} is running again", lambda: state() in {"pending", "running"}, function)
    stage.send(stage.sample("ec2_state_alerts/running", instance_id=instance), expect=None)


def codebuild_slack(stage: Stage) -> None:
    """A build fails: Slack says which phase and why. The same event again says nothing more."""
    function, project = "CodebuildSlackFunction", "web-site"
    build = f"arn:aws:codebuild:{REGION}:{ACCOUNT}:build/{project}:{uuid4()}"
    event = stage.sample("codebuild_slack/failed", project_name=project, build_id=build)
    stage.send(event, expect="BuildFinished")
    stage.slack("/slack", project, function)
    stage.send(event, expect="BuildFinished")
    stage.expect(
        "the second delivery of the event posted nothing",
        lambda: len([r for r in stage.receiver.to("/slack") if project in r.json()["text"]]) == 1,
        function,
    )


def bucket_made_public(stage: Stage) -> None:
    """Somebody gives a bucket to the world: only the public statement is taken out of its policy, and people are told."""
    s3, function = stage.client("s3"), "SecurityRemediationFunction"
    event = stage.sample("security_remediation/put-bucket-policy-public")
    bucket = event["detail"]["requestParameters"]["bucketName"]
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    own = {
        "Sid": "OwnAccount",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    policy = event["detail"]["requestParameters"]["bucketPolicy"]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy | {"Statement": [*policy["Statement"], own]}))
    stage.send(event, expect="BucketExposed")

    def statements() -> list[str]:
        return [s.get("Sid", "") for s in json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]]

    stage.expect(
        "the public statement is gone, the bucket's own one is kept", lambda: statements() == ["OwnAccount"], function
    )
    stage.alert(bucket, function)


def security_group_opened(stage: Stage) -> None:
    """Somebody opens SSH to the world: that permission is revoked, the others stay."""
    ec2, function = stage.client("ec2"), "SecurityRemediationFunction"
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="web", Description="Web servers", VpcId=vpc)["GroupId"]
    for port in (443, 22):
        world = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[world])
    event = stage.sample("security_remediation/authorize-ingress-open-flat")
    event["detail"]["requestParameters"]["groupId"] = group
    event["detail"]["responseElements"] = None
    stage.send(event, expect="IngressOpened")

    def open_ports() -> list[int]:
        [found] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
        return [p["FromPort"] for p in found["IpPermissions"] if p["IpRanges"]]

    stage.expect("SSH is closed, HTTPS is still open", lambda: open_ports() == [443], function)
    stage.alert(group, function)


def administrator_made(stage: Stage) -> None:
    """Somebody makes a user an administrator: the policy is detached, the user's own one stays."""
    iam, function = stage.client("iam"), "SecurityRemediationFunction"
    event = stage.sample("security_remediation/attach-user-policy-admin")
    user, policy = (event["detail"]["requestParameters"][name] for name in ("userName", "policyArn"))
    iam.create_user(UserName=user)
    for attached in (policy, "arn:aws:iam::aws:policy/ReadOnlyAccess"):
        iam.attach_user_policy(UserName=user, PolicyArn=attached)
    stage.send(event, expect="AdminGranted")

    def policies() -> list[str]:
        return [item["PolicyName"] for item in iam.list_attached_user_policies(UserName=user)["AttachedPolicies"]]

    stage.expect(f"{user} has ReadOnlyAccess only", lambda: policies() == ["ReadOnlyAccess"], function)
    stage.alert(user, function)


def root_signs_in(stage: Stage) -> None:
    """Somebody uses the root user: people are told, nothing is touched."""
    stage.send(stage.sample("security_remediation/root-console-sign-in"), expect="RootActivity")
    stage.alert("root user signed in", "SecurityRemediationFunction")


def partner_relay(stage: Stage) -> None:
    """A ticket is opened at Zendesk, a monitor fires at Datadog, someone fails to sign in at Auth0: each is relayed."""
    function = "PartnerRelayFunction"
    for situation in ("zendesk-ticket-created", "datadog-monitor", "auth0-log"):
        event = stage.sample(f"partner_relay/{situation}")
        before = len(stage.receiver.to("/support"))
        stage.send(event, expect="PartnerEvent")
        posts = stage.expect(
            "Slack's support channel got a message",
            lambda before=before: stage.receiver.to("/support")[before:],  # type: ignore[misc]
            function,
        )
        stage.say("", posts[0].json()["text"])
        stage.keep(f"{function}-slack.json", json.dumps(posts[0].json(), indent=2, ensure_ascii=False).encode())
    [request] = stage.expect("the CRM's webhook got the ticket", lambda: stage.receiver.to("/crm"), function)
    Webhook(SIGNING_SECRET).verify(request.body, dict(request.headers))
    stage.expect("its Standard Webhooks signature is right", lambda: True, function)
    stage.keep(f"{function}-webhook.json", request.body)


SCENES: list[Scene] = [
    image_resize,
    image_that_is_none,
    ec2_state_alerts,
    codebuild_slack,
    bucket_made_public,
    security_group_opened,
    administrator_made,
    root_signs_in,
    partner_relay,
]
