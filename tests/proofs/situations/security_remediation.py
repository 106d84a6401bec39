"""Some attacks of the unit tests, in enforce mode: one that is undone, one from the baseline, one that is contained.

All remediations run in one frame; the unit tests let every attack be delivered twice, reverted and undone.
"""

import json
import re
from typing import Any

from moto.s3.responses import S3Response

from automations import aws
from security_remediation import remediate
from security_remediation.registry import REMEDIATIONS
from tests.proofs.situations import ANOTHER_ID, E_MAIL_TWICE, Arrange, Situation
from tests.proofs.world import World
from tests.template_file import create_table
from tests.unit.security_remediation.attacks import MakeAttack, every_attack
from tests.unit.security_remediation.conftest import AUDIT, environment, reading_object_acls


def deployed(world: World) -> None:
    aws.s3().create_bucket(Bucket=AUDIT, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    world.set(
        **environment(),
        baseline_table=create_table("BaselineTable"),
        mode="enforce",
        modes=json.dumps({one.NAME: "enforce" for one in REMEDIATIONS}),
    )
    world.environment.setattr(remediate, "READ_BACK_AFTER", (0.0, 0.0))
    world.environment.setattr(S3Response, "_acl_from_headers", reading_object_acls(S3Response._acl_from_headers))


def _without_ids(text: str) -> str:
    """moto makes up new ones in each world."""
    return re.sub(r"\b(vpc|fl|i)-[0-9a-f]{17}\b", r"\1-...", text)


def _subject(message: str) -> str | None:
    """What an interrupted attempt did is told in other words; a failed attempt is told besides."""
    subject = _without_ids(message.partition("\n")[0])
    return None if "could not be dealt with" in subject else subject


def by_attack(attack: MakeAttack) -> Arrange:
    """The attack, of which CloudTrail tells."""

    def arrange(world: World) -> Situation:
        deployed(world)
        attacked = attack()
        again: dict[str, Any] = attacked.event | ANOTHER_ID
        return Situation(
            "security_remediation",
            attacked.event,
            lambda: _without_ids(repr(attacked.state())),
            again=again,
            exceptions=E_MAIL_TWICE,
            compared=_subject,
        )

    arrange.__name__ = f"security_remediation_{attack.__name__}"
    arrange.__doc__ = f"Attack: {attack.__name__.replace('_', ' ')}"
    return arrange


CHOSEN = ("policy_for_everyone", "trail_stopped", "flow_log", "user_data")
SITUATIONS = tuple(by_attack(attack) for attack in every_attack() if attack.__name__ in CHOSEN)
