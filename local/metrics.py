"""What the functions count of their work: the metrics that each emits.

In CloudWatch they are in `NAMESPACE`, with the one dimension `service`, which is the function's folder. So two stacks in one
account and region count together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

NAMESPACE = "EventBridgeAutomations"


@dataclass(frozen=True)
class Metric:
    """Attributes:
    name: as the function emits it.
    label: for people; goes after a number.
    unit: of the number.
    stat: how CloudWatch makes one number of many.
    """

    name: str
    label: str
    unit: Literal["count", "hours", "milliseconds"] = "count"
    stat: Literal["Sum", "Average"] = "Sum"


METRICS: Mapping[str, tuple[Metric, ...]] = {
    "slack_sender": (
        Metric("SlackMessagesPosted", "messages posted"),
        Metric("SlackMessagesFolded", "counted in one like them"),
        Metric("SlackMessagesKnown", "posted before"),
        Metric("SlackMessagesReturned", "put back to wait"),
        Metric("SlackMessagesRefused", "refused by Slack"),
    ),
    "image_resize": (
        Metric("PicturesResized", "derivatives made"),
        Metric("DerivativesDeleted", "derivatives deleted"),
    ),
    "ec2_state_alerts": (
        Metric("InstanceAlerts", "alerts"),
        Metric("InstancesRestarted", "restarts"),
    ),
    "codebuild_slack": (Metric("BuildMessages", "builds reported"),),
    "security_remediation": (
        Metric("IncidentsTold", "incidents told"),
        Metric("ResourcesClosed", "remediations"),
    ),
    "partner_relay": (Metric("PartnerEventsRelayed", "events relayed"),),
    "rds_backup": (
        Metric("BackupsCreated", "snapshots made"),
        Metric("BackupsCopied", "snapshots copied"),
        Metric("BackupsDeleted", "old snapshots deleted"),
        Metric("BackupsSkipped", "put off"),
        Metric("BackupsBroken", "of no use"),
        Metric("BackupsFailed", "failed"),
    ),
    "office_hours": (
        Metric("InstancesStopped", "machines stopped"),
        Metric("InstancesStarted", "machines started"),
        Metric("InstancesNotSwitched", "machines that failed to"),
        Metric("HoursSaved", "machine hours saved", unit="hours"),
    ),
    "app_notifications": (Metric("ApplicationNotifications", "notifications"),),
    "event_pipeline": (
        Metric("EventsDelivered", "events delivered"),
        Metric("EventsQuarantined", "events in quarantine"),
        Metric("EventsReturned", "put back to wait"),
    ),
    "api_caller": (
        Metric("ApiCalls", "calls answered"),
        Metric("ApiRefusals", "calls refused"),
        Metric("ApiLatency", "ms on average", unit="milliseconds", stat="Average"),
    ),
    "apigateway_logging": (Metric("ApiStagesLogged", "stages that got logs"),),
    "basket": (Metric("BasketsCheckedOut", "checkouts"),),
    "ordering": (Metric("OrdersPlaced", "orders"),),
    "webhook_receiver": (
        Metric("WebhooksReceived", "webhooks received"),
        Metric("WebhooksRefused", "refused"),
        Metric("WebhooksFailed", "failed"),
    ),
}
"""By function; the first is what the function is there for."""
