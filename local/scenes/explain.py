"""explain and send, played."""

import json
from typing import Any

from local.explain import explain, judge, reasons
from local.stage import SceneFailed, Stage


def explain_and_send(stage: Stage) -> None:
    """An event does nothing: the rule's pattern says which field stopped it. Mended, it is sent and has its effect."""
    iam = stage.client("iam")
    instance = stage.machine()
    stopped = stage.sample("ec2_state_alerts/stopped", instance_id=instance, state="running")
    stage.send(stopped, expect=None)
    ask_why(stage, stopped, "InstanceStateChanged", stopped_by=["detail.state"])
    stopped["detail"]["state"] = "stopped"
    ask_why(stage, stopped, "InstanceStateChanged", stopped_by=[])
    stage.send(stopped, expect="InstanceStateChanged")
    stage.alert(f"{instance}", "Ec2StateAlertsFunction")

    attached = stage.sample("security_remediation/attach-user-policy-failed")
    stage.send(attached, expect=None)
    ask_why(stage, attached, "IamCall", stopped_by=["detail.errorCode"])
    worked = stage.sample("security_remediation/attach-user-policy-admin")["detail"]
    del attached["detail"]["errorCode"]
    user, policy = f"{stage.stack.name}-carol", worked["requestParameters"]["policyArn"]
    attached["detail"]["requestParameters"] = {"userName": user, "policyArn": policy}
    iam.create_user(UserName=user)
    iam.attach_user_policy(UserName=user, PolicyArn=policy)
    ask_why(stage, attached, "IamCall", stopped_by=[])
    stage.send(attached, expect="IamCall")
    stage.expect(
        f"{user} is no administrator any more",
        lambda: not iam.list_attached_user_policies(UserName=user)["AttachedPolicies"],
        "SecurityRemediationFunction",
    )


def ask_why(stage: Stage, event: dict[str, Any], name: str, stopped_by: list[str]) -> None:
    """Show what stops the event at the rule; it must be these fields."""
    rule = next(found for found in stage.stack.rules if found.name == name)
    pattern = json.loads(rule.pattern)
    verdict = explain(pattern, judge(stage.client("events"), event))
    for line in reasons(verdict, pattern, event) or [f"{name} matches now"]:
        stage.say("why", line)
    if [stop.leaf.field for stop in verdict.stops] != stopped_by:
        raise SceneFailed(f"{name} should have been stopped by {stopped_by or 'nothing'}: {verdict}")
