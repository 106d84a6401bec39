"""The scenes of the demo: for each automation, real input, and the effect read back from the account.

A scene is a function of the stage; its docstring is what the demo says first. The end-to-end tests play the same scenes.
"""

from collections.abc import Callable

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
]
