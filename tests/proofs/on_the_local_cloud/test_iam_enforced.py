"""Every scene of `make demo` is played on a local cloud that enforces IAM: a function may do what the policies of its deployed role
allow, and nothing else, and each effect is read back. A function whose role is denied everything fails, so that it is seen that
something is enforced. The local cloud does not know the tags of instances and snapshots when it judges a policy, nor always which of them
a call is about: what the roles allow on what carries a tag, they are allowed on everything there. The table names these actions; the
proof of permissions judges them with the tags.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from local.cloud import running_cloud
from local.receiver import receiver
from local.scenes import SCENES, Scene
from local.seed import seed, set_stage
from local.stack import PARAMETERS, Stack, deploy
from local.stage import Stage
from rich.console import Console

from tests.proofs.conftest import Row


@pytest.fixture(scope="module")
def enforcing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The application, deployed on a local cloud that enforces IAM."""
    folder = tmp_path_factory.mktemp("enforcing")
    with receiver() as web, running_cloud(folder / "ministack.log", enforces_iam=True) as cloud:
        seed(cloud, web.url, PARAMETERS)
        yield set_stage(deploy(cloud), web, folder, Console(quiet=True))


@pytest.fixture(scope="module")
def without_tags(enforcing: Stage) -> list[str]:
    """The actions that the roles allow on what carries a tag, and which they are now allowed on everything."""
    iam, found = enforcing.client("iam"), set()
    for role in roles(enforcing.stack):
        if on_tagged := [said for said in allowed(iam, role) if "aws:ResourceTag/" in str(said.get("Condition"))]:
            loose = [
                {**said, "Resource": "*", "Condition": without_resource_tags(said["Condition"])} for said in on_tagged
            ]
            document = {"Version": "2012-10-17", "Statement": loose}
            iam.put_role_policy(RoleName=role, PolicyName="WithoutTags", PolicyDocument=json.dumps(document))
            found |= {action for said in on_tagged for action in words(said["Action"])}
    return sorted(found)


def roles(stack: Stack) -> list[str]:
    return [physical for name, physical in stack.resources.items() if name.endswith("FunctionRole")]


def allowed(iam: Any, role: str) -> Iterator[dict[str, Any]]:
    """The statements of all policies of a role but AWS's own, which name no tags."""
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        yield from iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]["Statement"]
    attached = [one["PolicyArn"] for one in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]]
    for policy in (one for one in attached if ":iam::aws:" not in one):
        version = iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=policy, VersionId=version)
        yield from found["PolicyVersion"]["Document"]["Statement"]


def without_resource_tags(condition: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    kept = {
        operator: {key: value for key, value in keys.items() if not key.startswith("aws:ResourceTag/")}
        for operator, keys in condition.items()
    }
    return {operator: keys for operator, keys in kept.items() if keys}


def words(said: str | list[str]) -> list[str]:
    return [said] if isinstance(said, str) else said


def test_a_function_whose_role_is_denied_everything_fails(enforcing: Stage) -> None:
    iam, resources = enforcing.client("iam"), enforcing.stack.resources
    denied = {"RoleName": resources["OrderingFunctionRole"], "PolicyName": "Nothing"}
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}
    iam.put_role_policy(**denied, PolicyDocument=json.dumps(document))
    try:
        answer = enforcing.client("lambda").invoke(
            FunctionName=resources["OrderingFunction"],
            Payload=json.dumps(enforcing.sample("ordering/basket-checked-out")),
        )
    finally:
        iam.delete_role_policy(**denied)

    assert "is not authorized to perform: dynamodb:PutItem" in json.load(answer["Payload"])["errorMessage"]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_scene_is_played_where_iam_is_enforced(
    scene: Scene, enforcing: Stage, without_tags: list[str], row: Row
) -> None:
    scene(enforcing)

    row("Scenes where IAM is enforced", scene=scene.__name__, outcome="every effect read back")


def test_what_the_local_cloud_cannot_judge_is_little(without_tags: list[str], row: Row) -> None:
    for action in without_tags:
        row("Allowed there without regard to tags", action=action)

    assert without_tags == [
        *("ec2:CreateTags", "ec2:DeleteTags", "ec2:StartInstances", "ec2:StopInstances"),
        *("rds:DeleteDBClusterSnapshot", "rds:DeleteDBSnapshot"),
    ]
