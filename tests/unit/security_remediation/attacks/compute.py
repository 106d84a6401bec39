"""Attacks on what runs: a function's code and layers, an instance's user data."""

import io
import json
import zipfile
from typing import Any

from automations import aws
from tests.unit.conftest import ACCOUNT
from tests.unit.security_remediation.attacks import TAG, Attack, MakeAttack
from tests.unit.security_remediation.conftest import call

FUNCTION = "billing"
FUNCTION_ARN = f"arn:aws:lambda:ap-northeast-2:{ACCOUNT}:function:{FUNCTION}"
IMAGE = "ami-03cf127a"  # one that moto knows


def package(text: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("billing.py", text)
    return archive.getvalue()


def create_function() -> None:
    trust = {"Version": "2012-10-17", "Statement": []}
    role = aws.iam().create_role(RoleName="billing", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    aws.lambda_().create_function(
        FunctionName=FUNCTION,
        Runtime="python3.13",
        Role=role,
        Handler="billing.handler",
        Code={"ZipFile": package("good")},
    )


def reserved() -> int | None:
    return aws.lambda_().get_function_concurrency(FunctionName=FUNCTION).get("ReservedConcurrentExecutions")


def _function(event: dict[str, Any], revert: Any) -> Attack:
    dry = call("update-function-code")
    dry["detail"]["requestParameters"]["dryRun"] = True
    other = call("update-function-configuration-layers")
    del other["detail"]["requestParameters"]["layers"]
    none = call("update-function-configuration-layers")
    none["detail"]["requestParameters"]["layers"] = []
    return Attack(
        "function_code",
        event,
        state=reserved,
        opened=None,
        closed=0,
        revert=revert,
        exempt=lambda: aws.lambda_().tag_resource(Resource=FUNCTION_ARN, Tags={TAG["Key"]: TAG["Value"]}),
        harmless={"only tried": dry, "another setting": other, "layers taken away": none},
    )


def code() -> Attack:
    create_function()
    written = aws.lambda_().update_function_code(FunctionName=FUNCTION, ZipFile=package("evil"))
    event = call("update-function-code")
    event["detail"]["responseElements"]["codeSha256"] = written["CodeSha256"]
    return _function(
        event, lambda: aws.lambda_().update_function_code(FunctionName=FUNCTION, ZipFile=package("good again"))
    )


def code_of_a_function_that_had_concurrency() -> Attack:
    attack = code()
    aws.lambda_().put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=7)
    attack.opened = 7
    return attack


def layers() -> Attack:
    create_function()
    layer = aws.lambda_().publish_layer_version(LayerName="tools", Content={"ZipFile": package("evil")})
    aws.lambda_().update_function_configuration(FunctionName=FUNCTION, Layers=[layer["LayerVersionArn"]])
    return _function(
        call("update-function-configuration-layers"),
        lambda: aws.lambda_().update_function_configuration(FunctionName=FUNCTION, Layers=[]),
    )


def create_instance() -> str:
    """An instance that was stopped, given other user data, and started again."""
    [instance] = aws.ec2().run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, UserData="good")["Instances"]
    name = instance["InstanceId"]
    aws.ec2().stop_instances(InstanceIds=[name])
    aws.ec2().modify_instance_attribute(InstanceId=name, UserData={"Value": b"evil"})
    aws.ec2().start_instances(InstanceIds=[name])
    return name


def _instance(sample: str) -> Attack:
    name = create_instance()
    ids = {"i-0abc123def4567890": name}

    def state() -> str:
        [reservation] = aws.ec2().describe_instances(InstanceIds=[name])["Reservations"]
        return str(reservation["Instances"][0]["State"]["Name"])

    return Attack(
        "instance_user_data",
        call(sample, ids),
        state=state,
        opened="running",
        closed="stopped",
        revert=lambda: aws.ec2().stop_instances(InstanceIds=[name]),
        exempt=lambda: aws.ec2().create_tags(Resources=[name], Tags=[TAG]),  # type: ignore[list-item]
        harmless={"another attribute": call("modify-instance-attribute-type", ids)},
    )


def user_data() -> Attack:
    return _instance("modify-instance-attribute-user-data")


def user_data_by_the_name_of_the_attribute() -> Attack:
    return _instance("modify-instance-attribute-user-data-by-name")


ATTACKS: list[MakeAttack] = [
    code,
    code_of_a_function_that_had_concurrency,
    layers,
    user_data,
    user_data_by_the_name_of_the_attribute,
]
