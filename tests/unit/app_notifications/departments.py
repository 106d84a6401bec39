"""The departments' topics in moto, and what was published to them."""

import json
from dataclasses import dataclass
from typing import Any

from moto.sns.models import sns_backends

from automations import aws

SETTINGS = {"large_payment_threshold": "KRW:1000000, EUR:1000", "known_countries": "KR, JP"}


@dataclass
class Department:
    """A department's topic, and what was published to it."""

    topic: str

    def told(self) -> list[dict[str, Any]]:
        """The messages: `subject`, `texts` by protocol, and `attributes` by name."""
        account, region = self.topic.split(":")[4], self.topic.split(":")[3]
        return [
            {
                "subject": subject,
                "texts": json.loads(message),
                "attributes": {name: (item["Type"], item["Value"]) for name, item in (attributes or {}).items()},
            }
            for _, message, subject, attributes, _ in sns_backends[account][region]
            .topics[self.topic]
            .sent_notifications
        ]


def create_department(name: str) -> Department:
    return Department(aws.sns().create_topic(Name=name)["TopicArn"])
