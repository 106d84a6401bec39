"""When an API call opens the account, tell people and, in enforce mode, undo it and verify that.

Every hour, note the settings that the record of a deletion does not carry.

Never touches anything in notify mode, nor what a failed call, its own role's call or an exempted resource is about; never
changes more than the part that is open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.logging.correlation_paths import EVENT_BRIDGE
from aws_lambda_powertools.utilities.parser import event_parser
from pydantic import BeforeValidator, Field

from automations.errors import Refused, log_failure
from automations.events.cloudtrail import ApiCall
from automations.events.scheduler import ScheduledRun
from automations.notify import NotifySettings
from automations.settings import COMMA_SEPARATED
from security_remediation import organization
from security_remediation.baseline import Snapshot, take
from security_remediation.calls import judging
from security_remediation.ingress import PortRange, parse_ports
from security_remediation.modes import Mode, mode_of, parse_modes
from security_remediation.policies import Trust
from security_remediation.remediate import remediate

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(use_rfc3339=True)  # Lambda reads the level of a line only beside such a time
metrics = Metrics(namespace="EventBridgeAutomations")
tracer = Tracer(patch_modules=("botocore",))

SecurityEvent = Annotated[ApiCall | ScheduledRun, Field(discriminator="detail_type")]

# Records of the console may name its sign-in, or say AWS Internal, beside the person; every other name is a service that acts for
# the account.
PEOPLE = {None, "signin.amazonaws.com", "AWS Internal"}


class Settings(NotifySettings):
    mode: Mode = Mode.NOTIFY
    modes: Annotated[dict[str, str], BeforeValidator(parse_modes)] = Field(default_factory=dict)
    audit_bucket: str
    baseline_table: str
    exemptions_parameter: str = ""
    allowed_principals: Annotated[tuple[str, ...], COMMA_SEPARATED] = ()
    own_role_arn: str = Field(pattern=r"^arn:[a-z-]+:iam::[0-9]{12}:role/.+$")
    sensitive_ports: Annotated[tuple[PortRange, ...], BeforeValidator(parse_ports), COMMA_SEPARATED]
    trusted_accounts: Annotated[tuple[str, ...], COMMA_SEPARATED] = ()
    session_principals: Annotated[tuple[str, ...], COMMA_SEPARATED] = ()
    trusted_organizations: Annotated[tuple[str, ...], COMMA_SEPARATED] = ()
    secret_readers: Annotated[tuple[str, ...], COMMA_SEPARATED] = ()
    trust_organization: bool = False
    exemption_tag: str = "automations:security-exempt"

    @property
    def account(self) -> str:
        return self.own_role_arn.split(":")[4]

    @property
    def trust(self) -> Trust:
        own = organization.noted() if self.trust_organization else organization.Organization()
        listed = {self.account, *self.trusted_accounts, *self.trusted_organizations}
        return Trust(own.accounts.union(listed, [own.id] if own.id else ()), knows_organization=own.id is not None)

    @property
    def trusted(self) -> frozenset[str]:
        """Ids of accounts and organisations."""
        return self.trust.ids


@logger.inject_lambda_context(correlation_id_path=EVENT_BRIDGE)
@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@log_failure(logger)
@event_parser(model=SecurityEvent)
def lambda_handler(event: ApiCall | ScheduledRun, context: LambdaContext) -> dict[str, Any]:
    settings = Settings.from_env()
    if isinstance(event, ScheduledRun):
        return take_baseline(settings)
    outcomes: dict[str, str] = {}
    failures: list[Exception] = []
    why = ignored(event, settings)
    for remediation in () if why else judging(event.detail):
        try:
            outcomes[remediation.NAME] = remediate(remediation, event, settings, context)
        except Exception as error:  # one that fails does not stop the others
            logger.error(str(error), remediation=remediation.NAME)
            failures.append(error)
    if failures:
        raise failures[0]
    logger.info("Judged an API call", call=event.detail.event_name, ignored=why, outcomes=outcomes)
    return {"call": event.detail.event_id, "ignored": why, "outcomes": outcomes}


def take_baseline(settings: Settings) -> dict[str, Any]:
    """Note what the remediations that are not off would make again, and whom to trust."""
    from security_remediation.registry import REMEDIATIONS  # imports them all, which a call does not need

    snapshots: dict[str, Snapshot] = {}
    for one in REMEDIATIONS:
        snapshot = getattr(one, "snapshot", None)  # two may stand on the same one
        if snapshot and snapshot not in snapshots.values() and mode_of(one, settings.mode, settings.modes) != Mode.OFF:
            snapshots[one.NAME] = snapshot
    if settings.trust_organization:
        snapshots["organization"] = organization.snapshot
    noted = take(snapshots)
    logger.info("Took the baseline", noted=noted)
    return {"noted": noted}


def ignored(event: ApiCall, settings: Settings) -> str:
    """Why the call is left alone, or "".

    Raises:
        Refused: the call was made in another account, where this function can neither look nor act.
    """
    record = event.detail
    if event.account != settings.account:
        raise Refused(
            f"The call was made in account {event.account}; this function looks after {settings.account} only. "
            "Deploy the stack in that account as well."
        )
    if not event.source.startswith("aws."):  # which nobody but AWS can put on a bus
        raise Refused(f"The record came from {event.source}, not from an AWS service: somebody has made it up.")
    if record.failed:
        return "The call failed."
    if record.user_identity.invoked_by not in PEOPLE:
        return f"{record.user_identity.invoked_by} made the call on the account's behalf."
    if record.user_identity.issuer.arn == settings.own_role_arn:
        return "It is this function's own call."
    if record.user_identity.among(settings.allowed_principals):
        return "The principal is on the list of those who may."
    # CloudTrail shows a call on another account's bucket to the caller's account as well.
    owners = {one.account_id for one in record.resources or () if one.type == "AWS::S3::Bucket" and one.account_id}
    return f"The bucket belongs to account {', '.join(sorted(owners))}." if owners - {settings.account} else ""
