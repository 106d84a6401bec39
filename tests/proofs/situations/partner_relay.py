"""Events of partners that are relayed."""

from local.receiver import Answer

from tests.proofs.situations import ANOTHER_ID, E_MAIL_TWICE, Situation, sent_twice
from tests.proofs.world import World
from tests.samples import sample
from tests.unit.partner_relay.destinations import CRM_PATH, PARAMETER, SUPPORT, crm, put_routes, store_secrets

SENT_TWICE = sent_twice("http:POST", "its receiver knows it by its webhook-id")
REFUSED = {"http:POST, access denied": "people are told at once that the destination refuses"}


def _deployed(world: World) -> None:
    store_secrets(world.web.url)
    put_routes(SUPPORT, crm(world.web.url))
    world.set(routes_parameter=PARAMETER)


def _nothing() -> None:
    """All there is are messages."""


def partner_relay_webhook(world: World) -> Situation:
    """A webhook that came in goes to a Slack channel and to a webhook."""
    _deployed(world)
    event = sample("partner_relay/webhook-github-issue")
    return Situation("partner_relay", event, _nothing, again=event | ANOTHER_ID, exceptions=SENT_TWICE | REFUSED)


def partner_relay_refused(world: World) -> Situation:
    """One of two destinations refuses a partner's event, always."""
    _deployed(world)
    world.web.always(CRM_PATH, Answer(403, body=b""))
    event = sample("partner_relay/zendesk-ticket-created")
    return Situation(
        "partner_relay", event, _nothing, exceptions=SENT_TWICE | REFUSED | E_MAIL_TWICE, fails="Rejected: 1 of 2"
    )


SITUATIONS = (partner_relay_webhook, partner_relay_refused)
