"""The organisation and its accounts, noted every hour, so that each of them need not be listed as trusted."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automations import aws
from security_remediation.baseline import known
from security_remediation.reading import unless_absent

KEY = "organization"
HOUR = 3600


@dataclass(frozen=True)
class Organization:
    """As it was noted last.

    Attributes:
        accounts: ids of its accounts.
        id: its own, such as `o-a1b2c3d4e5`; "" when the account is in none; None when that is not known.
    """

    accounts: frozenset[str] = frozenset()
    id: str | None = None


_read: dict[int, Organization] = {}
"""What was read in this hour, by the hour."""


def snapshot() -> Mapping[str, Any]:
    """Its id and all accounts; none once the account has left its organisation.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html: only the management account and
    delegated administrators may ask. An account's ARN is `arn:aws:organizations::<management account>:account/o-.../<account>`.
    """
    pages = aws.organizations().get_paginator("list_accounts").paginate()
    found = unless_absent(
        lambda: [account for page in pages for account in page["Accounts"]], "AWSOrganizationsNotInUseException"
    )
    own = {account["Arn"].split("/")[1] for account in found or []}
    return {KEY: {"id": "".join(own), "accounts": sorted(account["Id"] for account in found or [])}}


def noted() -> Organization:
    """The organisation as it was noted last. Before the first run nothing is known, so that nobody is trusted by mistake.

    It is read once an hour, as often as it is noted.
    """
    hour = int(time.time() // HOUR)
    if hour not in _read:
        note = known(KEY)
        if not note:
            return Organization()
        _read.clear()
        _read[hour] = Organization(frozenset(note.settings["accounts"]), note.settings.get("id"))
    return _read[hour]
