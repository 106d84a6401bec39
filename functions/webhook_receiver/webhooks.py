"""Which webhooks are received: the configuration, and the secrets that it names."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field, RootModel, model_validator

from automations.secrets import Reference, read_secret
from automations.settings import Configured, read_configuration

Scheme = Literal["standard", "github", "stripe", "slack", "zendesk", "datadog"]


class Webhook(Configured):
    """One webhook.

    Attributes:
        provider: the path of the URL, and the end of the event's source.
        scheme: how the provider signs.
        secrets: references; the second one is for the time of a rotation.
    """

    provider: str = Field(pattern=r"^[a-z0-9-]{1,64}$")
    scheme: Scheme
    secrets: tuple[Reference, ...] = Field(min_length=1, max_length=2)

    def read_secrets(self) -> list[str]:
        """The secrets' texts.

        Raises:
            SecretError: one of them is absent or empty. The other one is not used alone, or nobody would see it.
        """
        return [read_secret(reference) for reference in self.secrets]


class Webhooks(RootModel[tuple[Webhook, ...]]):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    @model_validator(mode="after")
    def _providers_differ(self) -> Webhooks:
        names = [webhook.provider for webhook in self.root]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"each provider has one entry; not so {', '.join(twice)}")
        return self

    def at(self, path: str) -> Webhook | None:
        """The webhook whose path this is, with its slash."""
        return next((webhook for webhook in self.root if path == f"/{webhook.provider}"), None)


def read_webhooks(text: str, parameter: str) -> Webhooks:
    """Read the webhooks from JSON.

    Raises:
        SettingsError: names the parameter, each bad entry by its index and field, and why; it shows no value.
    """
    return read_configuration(Webhooks, text, name="webhooks", parameter=parameter)
