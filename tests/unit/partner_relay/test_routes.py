import json
import re
from pathlib import Path
from typing import Any

import pytest

import partner_relay
from automations.errors import SettingsError
from automations.events.partner import PartnerEvent
from partner_relay.routes import Routes, plan, read_routes
from tests.samples import sample

PARAMETER = "/eventbridge-automations/partner-routes"
SUPPORT = {"name": "support", "slack": "secretsmanager:eventbridge-automations/partner/support-slack"}
CRM = {
    "name": "crm",
    "webhook": "https://crm.example.com/hooks/aws?token=t0ps3cret",
    "secret": "ssm:/eventbridge-automations/partner/crm-signing-secret",
}


def routes(*given: Any) -> Routes:
    return read_routes(json.dumps(given), PARAMETER)


def names(*given: Any, situation: str = "zendesk-ticket-created") -> list[str]:
    event = PartnerEvent.model_validate(sample(f"partner_relay/{situation}"))
    return [stop.destination.name for stop in plan(event, routes(*given))]


def test_a_source_is_matched_whole_or_by_what_comes_before_the_star():
    for source in (
        "aws.partner/*",
        "aws.partner/zendesk.com/*",
        "aws.partner/zendesk.com/9242270/default",
    ):
        assert names({"source": source, "destinations": [SUPPORT]}) == ["support"]
    for source in ("aws.partner/zendesk.com/9242270", "aws.partner/datadog.com/*"):
        assert names({"source": source, "destinations": [SUPPORT]}) == []


def test_webhooks_have_sources_of_their_own():
    for source in ("webhook.*", "webhook.github", "webhook.git*"):
        assert names({"source": source, "destinations": [SUPPORT]}, situation="webhook-github-issue") == ["support"]
    for source in ("aws.partner/*", "webhook.stripe"):
        assert names({"source": source, "destinations": [SUPPORT]}, situation="webhook-github-issue") == []


def test_a_detail_type_is_matched_in_the_same_way_and_without_one_all_are_taken():
    for detail_type in ("*", "Support Ticket: *", "Support Ticket: Ticket Created"):
        assert names({"source": "aws.partner/*", "detail_type": detail_type, "destinations": [SUPPORT]}) == ["support"]
    for detail_type in ("Support Ticket", "Support Ticket: Status Changed", "User: *"):
        assert names({"source": "aws.partner/*", "detail_type": detail_type, "destinations": [SUPPORT]}) == []


def test_every_route_that_matches_counts_and_a_destination_of_two_routes_gets_the_event_once():
    zendesk = {"source": "aws.partner/zendesk.com/*", "destinations": [SUPPORT]}
    everything = {"source": "aws.partner/*", "destinations": [SUPPORT, CRM]}

    assert names(zendesk, everything) == ["support", "crm"]
    assert names(zendesk, everything, situation="other-partner") == ["support", "crm"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "routes: Invalid JSON"),
        ("[{", "routes: Invalid JSON"),
        ('{"source": "aws.partner/*"}', "routes: Input should be a valid"),
    ],
)
def test_routes_that_are_no_json_list_are_refused(text, said):
    with pytest.raises(SettingsError, match=re.escape(f"Bad routes in the parameter {PARAMETER}. {said}")):
        read_routes(text, PARAMETER)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"source": None}, "routes.1.source: Input should be a valid string"),
        ({"source": "com.example.shop"}, "routes.1.source: String should match pattern"),
        ({"source": "aws.partner/*/default"}, "routes.1.source: String should match pattern"),
        ({"detail_type": ""}, "routes.1.detail_type: String should match pattern"),
        ({"detail-type": "Auth0 log"}, "routes.1.detail-type: Extra inputs are not permitted"),
        ({"site": "example.zendesk.com"}, "routes.1.site: Value error, write an address that begins with https://"),
        ({"destinations": []}, "routes.1.destinations: "),
        ({"destinations": [SUPPORT, "crm"]}, "routes.1.destinations.1: give a name with slack, or with webhook"),
        ({"destinations": [{"name": "x"}]}, "routes.1.destinations.0: give a name with slack, or with webhook"),
        ({"destinations": [CRM | {"name": "a b"}]}, "routes.1.destinations.0.webhook.name: String should match"),
        ({"destinations": [SUPPORT | CRM]}, "routes.1.destinations.0.slack.webhook: Extra inputs are not permitted"),
        (
            {"destinations": [CRM, SUPPORT | {"slack": "https://hooks.slack.com/services/t0ps3cret"}]},
            "routes.1.destinations.1.slack.slack: Value error, write secretsmanager:NAME or ssm:/NAME",
        ),
        (
            {"destinations": [{"name": "crm", "webhook": "https://crm.example.com/?token=t0ps3cret"}]},
            "routes.1.destinations.0.webhook.secret: Field required",
        ),
        (
            {"destinations": [CRM | {"webhook": "http://crm.example.com/?token=t0ps3cret"}]},
            "routes.1.destinations.0.webhook.webhook: Value error, write an address that begins with https://",
        ),
        (
            {"destinations": [CRM | {"webhook": "https://[?token=t0ps3cret"}]},
            "routes.1.destinations.0.webhook.webhook: Value error, write an address",
        ),
        (
            {"destinations": [CRM | {"secret": "whsec_t0ps3cret"}]},
            "routes.1.destinations.0.webhook.secret: Value error, write secretsmanager:NAME or ssm:/NAME",
        ),
        (
            {"destinations": [SUPPORT | {"slack": "ssm:/another"}]},
            "routes: Value error, different destinations need different names; not so support",
        ),
    ],
)
def test_a_bad_route_is_named_by_its_index_and_field_and_no_value_is_shown(change, said):
    good = {"source": "aws.partner/zendesk.com/*", "destinations": [SUPPORT]}

    with pytest.raises(SettingsError) as caught:
        routes(good, {"source": "aws.partner/*", "destinations": [CRM]} | change)

    assert said in str(caught.value)
    assert PARAMETER in str(caught.value)
    assert "t0ps3cret" not in str(caught.value)


def test_the_routes_in_the_readme_are_valid():
    readme = (Path(partner_relay.__file__).parent / "README.md").read_text()
    [example] = re.findall(r"```json\n(.*?)```", readme, re.DOTALL)

    assert len(read_routes(example, PARAMETER).root) == 2
