"""What the registry of security_remediation says of itself, as template.yaml and the documents hold it.

Each part stands between two comments; `python -m local security write` writes it anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from local import generated
from local.cloud import ROOT
from security_remediation.plan import EVERY_CALL, Allow, Kind, Remediation
from security_remediation.registry import REMEDIATIONS

LARGEST_POLICY = 5000
"""Characters of a managed policy, white space aside. IAM allows 6,144, and the pseudo parameters grow."""


def camel(name: str) -> str:
    """`bucket_policy` as CloudFormation's logical ids are written: `BucketPolicy`."""
    return "".join(part.capitalize() for part in name.split("_"))


def finds(remediation: Remediation) -> tuple[str, str]:
    """What it finds and what it does, from the first line of its docstring."""
    first = (remediation.__doc__ or "").strip().splitlines()[0].rstrip(".")
    found, _, does = first.partition(": ")
    return found, does


def enforceable() -> list[Remediation]:
    return [one for one in REMEDIATIONS if one.WRITES]


# ---------------------------------------------------------------- parameters and conditions


def groups() -> str:
    names = ", ".join(f"{camel(one.NAME)}Mode" for one in REMEDIATIONS)
    return f"- Label: {{default: 'security_remediation: the mode of each remediation'}}\n  Parameters: [{names}]\n"


def parameters() -> str:
    lines = []
    for one in REMEDIATIONS:
        modes = ["default", "off", "notify"] + (["enforce"] if one.WRITES else [])
        text = yaml.safe_dump(finds(one)[0], width=1000, default_flow_style=True).removesuffix("\n...\n").strip()
        lines += [
            f"{camel(one.NAME)}Mode:",
            f"  Description: {text}",
            "  Type: String",
            f"  AllowedValues: {_flow([_quoted(mode) for mode in modes])}",
            "  Default: default",
        ]
    return "\n".join(lines) + "\n"


def _quoted(word: str) -> str:
    return f"'{word}'" if word == "off" else word  # YAML takes it for false


def _flow(words: Iterable[str]) -> str:
    return f"[{', '.join(words)}]"


def conditions() -> str:
    lines = []
    for one in enforceable():
        own = f"!Equals [!Ref {camel(one.NAME)}Mode, enforce]"
        follows = f"!And [!Equals [!Ref {camel(one.NAME)}Mode, default], !Equals [!Ref SecurityMode, enforce]]"
        wanted = own if one.KIND == Kind.CONTAINMENT else f"!Or [{own}, {follows}]"
        lines.append(f"Enforce{camel(one.NAME)}: !And [!Condition SecurityRemediation, {wanted}]")
    for number, some in enumerate(_policies(), 1):
        any_of = _any_of([f"!Condition Enforce{camel(one.NAME)}" for one in some])
        lines.append(f"SecurityRemediationWrites{number}: {any_of}")
    return "\n".join(lines) + "\n"


def _any_of(parts: list[str]) -> str:
    """CloudFormation's `Or` takes two to ten."""
    while len(parts) > 1:
        tens = [parts[start : start + 10] for start in range(0, len(parts), 10)]
        parts = [f"!Or [{', '.join(some)}]" if len(some) > 1 else some[0] for some in tens]
    return parts[0]


# ---------------------------------------------------------------- the role


def reads() -> str:
    """One statement for each resource, with all that may be read of it."""
    by_resource: dict[tuple[Any, ...], set[str]] = {}
    for one in REMEDIATIONS:
        for allow in one.READS:
            key = (allow.resource, allow.why, json.dumps(allow.conditions))
            by_resource.setdefault(key, set()).update(allow.actions)
    lines = ["- Version: '2012-10-17'", "  Statement:"]
    for (resource, why, limits), actions in sorted(by_resource.items(), key=str):
        lines += _indented(_statement(Allow(tuple(sorted(actions)), resource, why, json.loads(limits))), 4)
    return "\n".join(lines) + "\n"


def _statement(allow: Allow) -> list[str]:
    lines = [f"# {allow.why}"] if allow.why else []
    lines += ["- Effect: Allow", f"  Action: {_flow(allow.actions)}"]
    resources = [allow.resource] if isinstance(allow.resource, str) else list(allow.resource)
    if len(resources) == 1:
        lines.append(f"  Resource: {_resource(resources[0])}")
    else:
        lines += ["  Resource:", *(f"    - {_resource(one)}" for one in resources)]
    if allow.conditions:
        lines.append(f"  Condition: {json.dumps(allow.conditions)}")
    return lines


def _resource(arn: str) -> str:
    if arn == "*":
        return "'*'"
    return f"!Sub '{arn}'" if "${" in arn else arn


def _indented(lines: Iterable[str], by: int) -> list[str]:
    return [" " * by + line for line in lines]


def _policies() -> list[list[Remediation]]:
    """The remediations that write, in groups whose statements fit into one managed policy each."""
    found: list[list[Remediation]] = []
    room = 0
    for one in enforceable():
        size = sum(len("".join(" ".join(_statement(allow)).split())) for allow in one.WRITES)
        if size > room or not found:
            found.append([])
            room = LARGEST_POLICY
        found[-1].append(one)
        room -= size
    return found


def policy_references() -> str:
    return "".join(
        f"- !If [SecurityRemediationWrites{number}, !Ref SecurityRemediationWrites{number}Policy, !Ref AWS::NoValue]\n"
        for number in range(1, len(_policies()) + 1)
    )


def policies() -> str:
    lines = []
    for number, some in enumerate(_policies(), 1):
        lines += [
            f"SecurityRemediationWrites{number}Policy:",
            "  Type: AWS::IAM::ManagedPolicy",
            f"  Condition: SecurityRemediationWrites{number}",
            "  Properties:",
            "    PolicyDocument:",
            "      Version: '2012-10-17'",
            "      Statement:",
        ]
        for one in some:
            for allow in one.WRITES:
                lines += [
                    "        - Fn::If:",
                    f"            - Enforce{camel(one.NAME)}",
                    *_indented(_statement(allow), 12),
                    "            - !Ref AWS::NoValue",
                ]
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------- the rules


def modes() -> str:
    pairs = ", ".join(f'"{one.NAME}": "${{{camel(one.NAME)}Mode}}"' for one in REMEDIATIONS)
    return f"MODES: !Sub '{{{pairs}}}'\n"


def calls_by_source() -> dict[str, list[str]]:
    """The calls that come by the rule of their service; the remediations with a pattern of their own have their own rules."""
    found: dict[str, list[str]] = {}
    for one in REMEDIATIONS:
        if not pattern_of(one):
            for source, names in one.EVENTS.items():
                found.setdefault(source, []).extend(name for name in names if name not in found.get(source, []))
    return found


def pattern_of(remediation: Remediation) -> Mapping[str, Any]:
    return getattr(remediation, "PATTERN", {})


def calls_apart(remediation: Remediation) -> dict[str, tuple[str, ...]]:
    """The calls that come by the remediation's own rule: those that no rule of a service brings already."""
    brought = calls_by_source()
    left = {
        source: tuple(name for name in names if name not in brought.get(source, ()))
        for source, names in remediation.EVENTS.items()
    }
    return {source: names for source, names in left.items() if names}


NO_ERROR = "errorCode: [{exists: false}]"
# Records of the console may name its sign-in, or say AWS Internal, beside the person; every other name is a service that acts for
# the account.
NOT_A_SERVICE = "invokedBy: [{exists: false}, signin.amazonaws.com, AWS Internal]"
NOT_OUR_ROLE = "{anything-but: [!GetAtt SecurityRemediationFunctionRole.Arn]}"


@dataclass(frozen=True)
class RuleOfCalls:
    """A rule, and what else than its calls the events' `detail` must have.

    Attributes:
        read_only: for calls that only read, the condition on which it is enabled.
    """

    name: str
    events: Mapping[str, tuple[str, ...]]
    pattern: Mapping[str, Any] = field(default_factory=dict)
    read_only: str = ""

    @property
    def anchor(self) -> str:
        """Of its pattern's detail, which its twin shares."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", self.name).lower()

    @property
    def sources(self) -> list[str]:
        return [f"aws.{_service(source)}" for source in self.events]

    @property
    def detail_type(self) -> str:
        signs_in = list(self.events) == ["signin.amazonaws.com"]
        return "AWS Console Sign In via CloudTrail" if signs_in else "AWS API Call via CloudTrail"

    @property
    def state(self) -> list[str]:
        """EventBridge gives calls that only read to no other rules than those in this state."""
        state = f"State: !If [{self.read_only}, ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS, DISABLED]"
        return [state] if self.read_only else []


def rules_of_calls() -> list[RuleOfCalls]:
    """One for each service, and one for each remediation with a pattern of its own."""
    return [
        *(
            RuleOfCalls(f"{camel(_service(source))}Call", {source: tuple(names)})
            for source, names in calls_by_source().items()
        ),
        *(
            RuleOfCalls(camel(one.NAME), calls_apart(one), pattern_of(one), getattr(one, "READ_ONLY", ""))
            for one in REMEDIATIONS
            if pattern_of(one)
        ),
    ]


def rules() -> str:
    lines = [line for rule in rules_of_calls() for line in _rule(rule)]
    return "\n".join([*lines, *_root_rule()]) + "\n"


GLOBAL = {"iam.amazonaws.com", "organizations.amazonaws.com", "signin.amazonaws.com", "sts.amazonaws.com"}
"""Services whose calls CloudTrail records in us-east-1, those of sign-ins and STS as far as they use its global endpoint."""


def twins() -> str:
    """Rules on the application bus for this account's calls that a forwarder brings from us-east-1."""
    lines: list[str] = []
    for rule in rules_of_calls():
        if sources := [f"aws.{_service(source)}" for source in rule.events if source in GLOBAL]:
            lines += _twin(rule.name, rule.state, [f"source: {_flow(sources)}"], rule.detail_type, rule.anchor)
    kinds = "AWS API Call via CloudTrail, AWS Console Sign In via CloudTrail"
    return "\n".join([*lines, *_twin("RootActivity", [ROOT_STATE], [OF_AWS], kinds, "root-activity")]) + "\n"


def _twin(name: str, state: list[str], source: list[str], detail_type: str, anchor: str) -> list[str]:
    return [
        f"Forwarded{name}:",
        "  Type: AWS::Events::Rule",
        "  Condition: SecurityRemediationForwarded",
        "  Properties:",
        "    EventBusName: !Ref ApplicationBus",
        *_indented(state, 4),
        "    EventPattern:",
        "      account: [!Ref AWS::AccountId]",
        *_indented(source, 6),
        f"      detail-type: [{detail_type}]",
        f"      detail: *{anchor}",
        "    Targets:",
        "      - Id: SecurityRemediationFunction",
        "        Arn: !GetAtt SecurityRemediationFunction.Arn",
        "        RetryPolicy: *retry",
        "        DeadLetterConfig: {Arn: !GetAtt UndeliveredEventsQueue.Arn}",
    ]


def _service(source: str) -> str:
    return source.removesuffix(".amazonaws.com")


def _rule(rule: RuleOfCalls) -> list[str]:
    detail = dict(rule.pattern)
    identity = _identity(detail.pop("userIdentity", {}))
    return [
        f"{rule.name}:",
        "  Type: EventBridgeRule",
        "  Properties:",
        *_indented(rule.state, 4),
        "    Pattern:",
        f"      source: {_flow(rule.sources)}",
        f"      detail-type: [{rule.detail_type}]",
        f"      detail: &{rule.anchor}",
        f"        eventSource: {_flow(rule.events)}",
        "        eventName:",
        *(f"          - {one}" for names in rule.events.values() for one in names),
        f"        {NO_ERROR}",
        "        userIdentity:",
        *_indented(identity, 10),
        *_indented((f"{key}: {json.dumps(value)}" for key, value in detail.items()), 8),
        "    RetryPolicy: *retry",
        "    DeadLetterConfig: {Arn: !GetAtt UndeliveredEventsQueue.Arn}",
    ]


def _identity(wanted: Mapping[str, Any]) -> list[str]:
    """Whose calls are judged: those that the remediation's pattern wants, and never our own. Nothing is said twice."""
    lines = [f"{key}: {json.dumps(value)}" for key, value in wanted.items()]
    by_roles = ":assumed-role/" in json.dumps(wanted.get("arn", ""))
    if "type" not in wanted and not by_roles:
        # Root's calls come by root's rule, and one call must not be judged twice at once.
        lines.insert(0, 'type: [{"exists": false}, {"anything-but": ["Root"]}]')
    lines.append(NOT_A_SERVICE)
    if wanted.get("type") != ["IAMUser"]:
        # Users and root have no sessionIssuer.
        issuers = [NOT_OUR_ROLE] if by_roles else ["{exists: false}", NOT_OUR_ROLE]
        lines.append(f"sessionContext: {{sessionIssuer: {{arn: {_flow(issuers)}}}}}")
    return lines


OF_AWS = "source: [{prefix: aws.}]"
"""Nobody but AWS can put an event with such a source: without it, whoever may put events could make up a record."""
ROOT_STATE = "State: !If [TellRootReads, ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS, ENABLED]"


def _root_rule() -> list[str]:
    return [
        "RootActivity:",
        "  Type: EventBridgeRule",
        "  Properties:",
        "    # EventBridge gives calls that only read to no other rules than those in this state.",
        f"    {ROOT_STATE}",
        "    Pattern:",
        f"      {OF_AWS}",
        "      detail-type: [AWS API Call via CloudTrail, AWS Console Sign In via CloudTrail]",
        "      detail: &root-activity",
        f"        {NO_ERROR}",
        "        userIdentity:",
        "          type: [Root]",
        f"          {NOT_A_SERVICE}",
        "        # A sign-in that failed is no activity; API calls have no such field.",
        "        responseElements:",
        "          ConsoleLogin: [{exists: false}, Success]",
        "    RetryPolicy: *retry",
        "    DeadLetterConfig: {Arn: !GetAtt UndeliveredEventsQueue.Arn}",
    ]


# ---------------------------------------------------------------- the documents


def calls(remediation: Remediation) -> str:
    names = [f"`{name}`" for names in remediation.EVENTS.values() for name in names]
    return ", ".join(names) if remediation.EVENTS != EVERY_CALL else "every call by root"


def readme_table() -> str:
    lines = ["| remediation | calls | finds | in enforce mode |", "| --- | --- | --- | --- |"]
    for one in REMEDIATIONS:
        found, does = finds(one)
        lines.append(f"| `{one.NAME}` | {calls(one)} | {found} | {does if one.WRITES else 'nothing; ' + does} |")
    return "\n".join(lines) + "\n"


def _within(sentence: str) -> str:
    """The sentence inside another one. `VPC` stays as it is."""
    return sentence if sentence[1:2].isupper() else sentence[0].lower() + sentence[1:]


def document_sections() -> str:
    parts = []
    for kind in Kind:
        some = [one for one in REMEDIATIONS if kind == one.KIND]
        if not some:
            continue
        parts.append(f"## {kind.capitalize()}\n")
        for one in some:
            found, does = finds(one)
            rest = " ".join((one.__doc__ or "").strip().split("\n", 1)[1:]).strip()
            reads, writes = (
                ", ".join(sorted({f"`{action}`" for allow in some for action in allow.actions})) or "nothing"
                for some in (one.READS, one.WRITES)
            )
            parts.append(
                f"### `{one.NAME}`\n\n"
                f"- **Detects** {_within(found)}, from {calls(one)}.\n"
                f"- **Does** {does}.\n"
                f"- **Needs** to read {reads}; to write {writes}.\n"
                f"- **Sure?** {one.SURE}\n" + (f"\n{rest}\n" if rest else "")
            )
    return "\n".join(parts)


# ---------------------------------------------------------------- the function


def judged_by() -> str:
    """By `eventSource` and the call's name: the remediations that judge it, in the registry's order."""
    found: dict[str, dict[str, list[str]]] = {}
    for one in REMEDIATIONS:
        for source, names in one.EVENTS.items():
            for name in names:
                found.setdefault(source, {}).setdefault(name, []).append(one.NAME)
    lines = []
    for source, judged in sorted(found.items()):
        lines.append(f'"{source}": {{')
        lines += [f'    "{name}": {_tuple(judges)},' for name, judges in sorted(judged.items())]
        lines.append("},")
    return "\n".join(lines)


def _tuple(names: Iterable[str]) -> str:
    words = [f'"{name}"' for name in names]
    return f"({', '.join(words)}{',' if len(words) == 1 else ''})"


def judge_every_call() -> str:
    return "\n".join(f'"{one.NAME}",' for one in REMEDIATIONS if one.EVENTS == EVERY_CALL)


# ---------------------------------------------------------------- writing

TEMPLATE = ROOT / "template.yaml"
PARTS: generated.Parts = {
    TEMPLATE: {
        "groups": groups,
        "parameters": parameters,
        "conditions": conditions,
        "modes": modes,
        "reads": reads,
        "policy references": policy_references,
        "rules": rules,
        "policies": policies,
        "twins": twins,
    },
    ROOT / "functions" / "security_remediation" / "calls.py": {"calls": judged_by, "every call": judge_every_call},
    ROOT / "functions" / "security_remediation" / "README.md": {"table": readme_table},
    ROOT / "docs" / "security.md": {"remediations": document_sections},
}


def written(path: Path) -> str:
    """The file with its generated parts as they should be."""
    return generated.written(path, "security", PARTS)


def write() -> list[Path]:
    """Write the generated parts; returns the files that changed."""
    return generated.write("security", PARTS)
