"""Sample events derived from the sample events of events/, each by changing one thing that AWS documents to differ.

What a derived event must match follows from what its origin matches (events/index.toml), from the registry of the
remediations and from AWS's documents; the patterns are not looked at.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from typing import Any

from botocore.session import get_session
from local import security
from local.cloud import ACCOUNT

from tests.samples import EVENTS
from tests.template.test_buses import OWN_ACCOUNT_ONLY, TWINS
from tests.template.test_rules import INDEX, hears

Event = dict[str, Any]
NONE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Sample:
    """Attributes:
    name: its file without the suffix; for a derived one, with what was changed.
    matches: the rules that it must match when it arrives by itself.
    near: the rule that its file comes near to and does not match, if that says so.
    about: the rules that its file matches or comes near to.
    derived: whether it is no file.
    """

    name: str
    event: Event
    matches: frozenset[str]
    near: str
    about: frozenset[str]
    derived: bool = False

    @property
    def forwarded(self) -> frozenset[str]:
        """The twins that it must match when it is forwarded to the application bus."""
        heard = {twin for rule in self.matches if (twin := f"Forwarded{rule}") in TWINS and hears(twin, self.event)}
        return frozenset(heard if self.event["account"] == ACCOUNT else heard - OWN_ACCOUNT_ONLY)

    @property
    def is_record(self) -> bool:
        """Whether it is a record of CloudTrail."""
        return "eventVersion" in self.event["detail"]

    @property
    def by_root(self) -> bool:
        return bool(self.event["detail"]["userIdentity"].get("type") == "Root")


@dataclass(frozen=True)
class Rules:
    """What the derivations must know of the deployed rules, without their patterns.

    Attributes:
        functions: where each rule sends events to, by logical id.
        roles: ARN of the role of each function.
        resources: physical id of each resource, by its logical id.
    """

    functions: dict[str, str]
    roles: dict[str, str]
    resources: dict[str, str]

    def of(self, function: str) -> set[str]:
        return {rule for rule, name in self.functions.items() if name == function}

    @property
    def remediation(self) -> set[str]:
        return self.of("SecurityRemediationFunction")

    @property
    def mailing(self) -> set[str]:
        return self.of("AlertsTopic")


def files() -> list[Sample]:
    """The sample events of events/ that are events."""
    return [
        Sample(
            path.removesuffix(".json"), event, frozenset(entry["matches"]), near, frozenset([*entry["matches"], near])
        )
        for path, entry in INDEX.items()
        if "detail-type" in (event := json.loads((EVENTS / path).read_text()))
        for near in [entry.get("near", "")]
    ]


Derived = Iterator[tuple[str, Event, Set[str]]]
"""What was changed, the event, and the rules that it must match."""
DERIVATIONS: list[Callable[[Sample, Rules], Derived]] = []


def derivation(function: Callable[[Sample, Rules], Derived]) -> Callable[[Sample, Rules], Derived]:
    DERIVATIONS.append(function)
    return function


def derived(one: Sample, rules: Rules) -> Iterator[Sample]:
    """The samples that are derived from this one."""
    for function in DERIVATIONS:
        for how, event, matches in function(one, rules):
            yield Sample(f"{one.name}, {how}", event, frozenset(matches), one.near, one.about, derived=True)


def with_detail(event: Event, **fields: Any) -> Event:
    return {**event, "detail": {**event["detail"], **fields}}


# ---------------------------------------------------------------- any event

ANY_TYPE = {"PartnerEvent", "WebhookReceived", "IngestApplicationEvent", "IngestObjectEvent"}
"""These take whatever their sources send."""


@derivation
def of_another_kind(one: Sample, rules: Rules) -> Derived:
    """Fields of a detail mean something only together with source and detail type."""
    # Only what begins with "aws." is refused to an application.
    yield "put by an application", {**one.event, "source": "awsome.application"}, NONE
    other = "AWS Service Event via CloudTrail" if one.is_record else f"Another {one.event['detail-type']}"
    yield "of another detail type", {**one.event, "detail-type": other}, one.matches & ANY_TYPE


@derivation
def of_another_account(one: Sample, rules: Rules) -> Derived:
    yield "of another account", {**one.event, "account": "444455556666"}, one.matches


@derivation
def replayed(one: Sample, rules: Rules) -> Derived:
    """Nothing remembers what a rule mailed by itself.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
    """
    yield "replayed", {**one.event, "replay-name": "after-the-outage"}, one.matches - rules.mailing


# ---------------------------------------------------------------- records of CloudTrail

ABOUT_ROOT = {"RootActivity", "RootSignInRule"}
ABOUT_SOMEBODY = ABOUT_ROOT | {one.name for one in security.rules_of_calls() if "userIdentity" in one.pattern}
"""Rules of calls that are about one kind of caller."""
GUARD = {"SecurityRemediationGuardRule"}
"""It hears every call that changes what it is about, whatever its name."""


@derivation
def failed(one: Sample, rules: Rules) -> Derived:
    if one.is_record:
        yield "refused by AWS", with_detail(one.event, errorCode="AccessDenied"), NONE
    else:  # where such a field may mean anything
        yield "with an errorCode of its own", with_detail(one.event, errorCode="17"), one.matches


@derivation
def of_another_call(one: Sample, rules: Rules) -> Derived:
    """AWS documents that a pattern for the calls of a service names its source and its event source.

    https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-cloudtrail.html
    """
    if one.is_record:
        yield (
            "of another event source",
            with_detail(one.event, eventSource="other.amazonaws.com"),
            one.matches & (ABOUT_ROOT | GUARD),
        )
        heard = one.matches & ({"RootActivity"} | GUARD)
        yield "of another call", with_detail(one.event, eventName="OtherCall"), heard


@derivation
def of_a_call_of_the_registry(one: Sample, rules: Rules) -> Derived:
    for rule in security.rules_of_calls():
        if rule.name in one.matches:
            for source, names in rule.events.items():
                for name in names:
                    event = with_detail(one.event, eventSource=source, eventName=name)
                    event["source"] = f"aws.{source.removesuffix('.amazonaws.com')}"
                    yield f"of {name}", event, {rule.name} | one.matches & GUARD


@derivation
def by_a_service(one: Sample, rules: Rules) -> Derived:
    """The service that made the call with the caller's credentials.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """
    if not one.is_record:
        return
    for service, deaf in {
        "cloudformation.amazonaws.com": rules.remediation | GUARD,
        "autoscaling.amazonaws.com": rules.remediation,
        "signin.amazonaws.com": NONE,
        "AWS Internal": NONE,
    }.items():
        yield f"invoked by {service}", by({"invokedBy": service}, one.event, keep=True), one.matches - deaf


def by(identity: Event, event: Event, keep: bool = False) -> Event:
    """The record with another caller, or with more about the same one."""
    old = event["detail"]["userIdentity"] if keep else {}
    return with_detail(event, userIdentity={**old, **identity})


USER = {
    "type": "IAMUser",
    "principalId": "AIDAQVNRI5BOAEXAMPLE",
    "arn": f"arn:aws:iam::{ACCOUNT}:user/alice",
    "accountId": ACCOUNT,
    "accessKeyId": "AKIAQVNRI5BOAEXAMPLE",
    "userName": "alice",
}
ROOT = {"type": "Root", "principalId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT}
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/non-api-aws-service-events.html
WITHOUT_TYPE = {"accountId": ACCOUNT, "invokedBy": "AWS Internal"}


def session(role: str, name: str) -> Event:
    """A session of the role with this ARN."""
    _, account, title = role.rsplit(":", 2)
    title = title.removeprefix("role/")
    return {
        "type": "AssumedRole",
        "principalId": f"AROAQVNRI5BOBEXAMPLE:{name}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{title}/{name}",
        "accountId": account,
        "accessKeyId": "ASIAQVNRI5BOBEXAMPLE",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROAQVNRI5BOBEXAMPLE",
                "arn": role,
                "accountId": account,
                "userName": title,
            },
            "attributes": {"creationDate": "2026-11-10T02:11:49Z", "mfaAuthenticated": "false"},
        },
    }


@derivation
def by_another_caller(one: Sample, rules: Rules) -> Derived:
    if not one.is_record or one.by_root:
        return
    anybody = one.matches - ABOUT_SOMEBODY
    yield "by a user", by(USER, one.event), anybody | one.matches & {"ConsoleSignInWithoutMfa"}
    yield "by a role", by(session(f"arn:aws:iam::{ACCOUNT}:role/Operators", "alice"), one.event), anybody
    yield (
        "by a role named like a machine",
        by(session(f"arn:aws:iam::{ACCOUNT}:role/i-operate", "alice"), one.event),
        anybody,
    )
    yield "by nobody in particular", by(WITHOUT_TYPE, one.event), anybody
    root = {"RootActivity"} | one.matches - rules.remediation
    if one.event["detail-type"] == "AWS Console Sign In via CloudTrail":
        root |= {"RootSignInRule"}
    yield "by root", by(ROOT, one.event), root


@derivation
def by_the_function_itself(one: Sample, rules: Rules) -> Derived:
    """Under the name of a session, which for a function is its own name: the name of the stack comes first in it."""
    if not one.is_record or one.by_root:
        return
    for function in {rules.functions[name] for name in one.matches} & set(rules.roles):
        role = rules.roles[function]
        event = by(session(role, "i-stack-Function"), one.event)
        yield f"by {function}", event, one.matches - rules.of(function)


# ---------------------------------------------------------------- single rules


@derivation
def of_a_call_that_changes_nothing_of_the_guarded(one: Sample, rules: Rules) -> Derived:
    """Reads and invocations; records of some services do not say whether a call reads.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
    """
    if not one.matches & GUARD:
        return
    yield "that only reads", with_detail(one.event, readOnly=True), one.matches - GUARD
    silent = with_detail(one.event)
    del silent["detail"]["readOnly"]
    yield "that does not say whether it reads", silent, one.matches
    for call, heard in {"Invoke": NONE, "InvokeWithResponseStream": NONE, "InvokNearly": GUARD}.items():
        yield f"of {call}", with_detail(one.event, eventName=call), heard


@derivation
def of_what_is_guarded(one: Sample, rules: Rules) -> Derived:
    """The function, its role and policies, and its rules under the names that CloudFormation gives."""
    if not one.matches & GUARD:
        return
    ids = rules.resources
    function, role = ids["SecurityRemediationFunction"], ids["SecurityRemediationFunctionRole"]
    policies = ids["DeliveryPolicy"], ids["AlertsPolicy"], ids["SecurityRemediationWrites1Policy"]
    names = "stack-SecurityRemediationFunctionIamCall-1ABC", "stack-ForwardedIamCall-1ABC"
    guarded = {
        "functionName": (function, f"111122223333:function:{function}:live"),
        "roleName": (role,),
        "policyArn": policies,
        "name": names,
        "rule": names,
    }
    for field, values in guarded.items():
        for value in values:
            yield f"of the {field} {value}", with_detail(one.event, requestParameters={field: value}), one.matches
        other = with_detail(one.event, requestParameters={field: "another"})
        yield f"of another {field}", other, one.matches - GUARD


@derivation
def of_parameters_that_are_not_decrypted(one: Sample, rules: Rules) -> Derived:
    if "DataRead" in one.matches and one.event["source"] == "aws.ssm":
        asked = one.event["detail"]["requestParameters"] | {"withDecryption": False}
        yield "not decrypted", with_detail(one.event, requestParameters=asked), NONE


@derivation
def of_root_in_a_service_of_one_region(one: Sample, rules: Rules) -> Derived:
    """Services whose events exist in us-east-1 alone, and that no file is about.

    https://repost.aws/knowledge-center/use-eventbridge-rule-across-regions
    """
    if one.is_record and one.by_root and one.event["source"] == "aws.iam":
        for service in ("account", "cloudfront", "route53"):
            event = with_detail(one.event, eventSource=f"{service}.amazonaws.com") | {"source": f"aws.{service}"}
            yield f"in {service}", event, {"RootActivity"}


@derivation
def of_a_service_named_like_partners(one: Sample, rules: Rules) -> Derived:
    """https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-partnercentral-selling.html"""
    if "PartnerEvent" in one.matches:
        yield "of AWS Partner Central", {**one.event, "source": "aws.partnercentral-selling"}, NONE


@derivation
def of_a_picture(one: Sample, rules: Rules) -> Derived:
    """Of each suffix that the function's README names."""
    if one.matches & {"ImageUploaded", "ImageDeleted"}:
        for suffix in ("jpg", "jpeg", "png", "gif", "webp", "avif", "tif", "tiff", "bmp"):
            for key, heard in {
                f"photo.{suffix}": True,
                f"photo.{suffix.upper()}": True,
                f"photo{suffix}": False,
            }.items():
                event = with_detail(one.event, object={**one.event["detail"]["object"], "key": key})
                yield f"of {key}", event, one.matches if heard else NONE


@derivation
def of_a_build(one: Sample, rules: Rules) -> Derived:
    """In each status of the API."""
    if "BuildFinished" in one.matches:
        statuses: Any = get_session().get_service_model("codebuild").shape_for("StatusType")
        for status in statuses.enum:
            event = with_detail(one.event, **{"build-status": status})
            yield f"in status {status}", event, one.matches if status != "IN_PROGRESS" else NONE
