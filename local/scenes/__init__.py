"""The scenes of the demo: for each automation, real input, and the effect read back from the account.

A scene is a function of the stage; its docstring is what the demo says first. The end-to-end tests play the same scenes.
"""

from collections.abc import Callable, Mapping

from local.scenes.account_alerts import account_alerts
from local.scenes.api_caller import api_caller
from local.scenes.apigateway_logging import http_stage_created, rest_stage_created
from local.scenes.app_notifications import app_notifications
from local.scenes.basket import basket
from local.scenes.buses import forwarded_events
from local.scenes.codebuild_slack import codebuild_slack
from local.scenes.ec2_state_alerts import ec2_state_alerts
from local.scenes.event_pipeline import event_pipeline, messages_that_do_not_fit
from local.scenes.explain import explain_and_send
from local.scenes.failed import failed_and_tried_again
from local.scenes.image_resize import image_resize, image_that_is_none
from local.scenes.office_hours import office_hours
from local.scenes.order_events import order_events
from local.scenes.partner_relay import partner_relay
from local.scenes.rds_backup import rds_backup
from local.scenes.replay import replay
from local.scenes.report import monthly_report
from local.scenes.schemas import schemas
from local.scenes.security_remediation import (
    administrator_made,
    bucket_made_public,
    change_undone,
    root_signs_in,
    security_group_opened,
)
from local.scenes.webhook_receiver import webhook_receiver
from local.stage import Stage

Scene = Callable[[Stage], None]

SCENES: list[Scene] = [
    image_resize,
    image_that_is_none,
    ec2_state_alerts,
    office_hours,
    codebuild_slack,
    bucket_made_public,
    security_group_opened,
    administrator_made,
    change_undone,
    root_signs_in,
    account_alerts,
    replay,
    forwarded_events,  # after the replay: MiniStack archives a forwarded event of S3 in a form that breaks its next replay
    partner_relay,
    webhook_receiver,
    rds_backup,
    app_notifications,
    basket,
    schemas,
    event_pipeline,
    order_events,
    messages_that_do_not_fit,
    api_caller,
    rest_stage_created,
    http_stage_created,
    explain_and_send,
    failed_and_tried_again,
    monthly_report,  # of all that was played before it
]

WORDS: Mapping[str, str] = {
    "ec2": "Real machines run for some minutes; and while the demo runs, ec2_state_alerts starts every machine of the account again "
    "that stops and carries the tag automations:auto-restart=true.",
    "rds": "Real databases come and go, which takes the better part of an hour; while the demo runs at midnight, rds_backup takes "
    "snapshots of every database that carries the tag automations:backup=true.",
    "security": "While the demo runs, security_remediation enforces: it undoes what anybody in the account opens, where a trail tells of it. "
    "The scenes open a bucket, ports and a user's rights for some seconds.",
    "apigateway": "While the demo runs, apigateway_logging switches on the logs of every stage that anybody makes, where a trail tells of it; "
    "and the role with which API Gateway writes logs is a setting of the whole account.",
    "replay": "The default bus is archived while the demo runs, and an archive may take in an event ten minutes late, for which the scene waits.",
}
"""What is left out on AWS unless it is asked for by this word, and why."""

NEEDS: Mapping[Scene, tuple[str, ...]] = {
    ec2_state_alerts: ("ec2",),
    office_hours: ("ec2",),
    bucket_made_public: ("security",),
    security_group_opened: ("security",),
    administrator_made: ("security",),
    change_undone: ("security",),
    replay: ("replay",),
    rds_backup: ("rds",),
    rest_stage_created: ("apigateway",),
    http_stage_created: ("apigateway",),
    explain_and_send: ("ec2", "security"),
}
"""The words that a scene needs on AWS; one that is not here needs none."""
