"""partner_relay, played."""

import json

from standardwebhooks import Webhook

from local.seed import SIGNING_SECRET
from local.stage import Stage


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
