import json
import re
from pathlib import Path
from typing import Any

import pytest

from automations.errors import SettingsError
from tests.unit.webhook_receiver.requests import SECRETS
from webhook_receiver.signatures import SCHEMES
from webhook_receiver.webhooks import read_webhooks

PARAMETER = "/eventbridge-automations/webhooks"
GITHUB: dict[str, Any] = {"provider": "github", "scheme": "github", "secrets": ["ssm:/a"]}
DOCS = Path(__file__).parents[3] / "docs" / "webhooks.md"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", "webhooks: Invalid JSON"),
        ("{}", "webhooks: Input should be a valid"),
        ([GITHUB, GITHUB], "webhooks: Value error, each provider has one entry; not so github"),
        ([GITHUB | {"provider": "GitHub"}], "webhooks.0.provider: String should match pattern"),
        ([GITHUB | {"provider": ""}], "webhooks.0.provider: String should match pattern"),
        ([GITHUB | {"provider": "a/b"}], "webhooks.0.provider: String should match pattern"),
        ([GITHUB | {"provider": "a\n"}], "webhooks.0.provider: String should match pattern"),
        ([GITHUB | {"scheme": "none"}], "webhooks.0.scheme: Input should be "),
        ([GITHUB | {"secrets": []}], "webhooks.0.secrets: "),
        ([GITHUB | {"secrets": ["ssm:/a", "ssm:/b", "ssm:/c"]}], "webhooks.0.secrets: "),
        ([GITHUB, GITHUB | {"secret": "x"}], "webhooks.1.secret: Extra inputs are not permitted"),
        ([GITHUB | {"secrets": [SECRETS["github"]]}], "webhooks.0.secrets.0: Value error, write secretsmanager:NAME"),
    ],
)
def test_bad_webhooks_are_named_by_their_index_and_field_and_no_value_is_shown(value, said):
    with pytest.raises(SettingsError, match=re.escape(f"Bad webhooks in the parameter {PARAMETER}. ")) as caught:
        read_webhooks(value if isinstance(value, str) else json.dumps(value), PARAMETER)

    assert said in str(caught.value)
    assert "marker" not in str(caught.value)


def test_a_webhook_is_found_by_its_path_alone():
    webhooks = read_webhooks(json.dumps([GITHUB, GITHUB | {"provider": "github-enterprise"}]), PARAMETER)

    found = webhooks.at("/github-enterprise")
    assert found
    assert found.provider == "github-enterprise"
    assert [webhooks.at(path) for path in ("/", "", "github", "/github-", "/github/")] == [None] * 5


def test_the_webhooks_in_the_documentation_are_valid_and_show_each_scheme():
    [example] = re.findall(r"```json\n(.*?)```", DOCS.read_text(), re.DOTALL)

    assert {webhook.scheme for webhook in read_webhooks(example, PARAMETER).root} == set(SCHEMES)
