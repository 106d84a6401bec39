"""The accounts of the organisation, noted every hour, so that each of them need not be listed as trusted."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from automations import aws
from security_remediation.baseline import known
from security_remediation.reading import unless_absent

KEY = "organization"
HOUR = 3600

_read: dict[int, frozenset[str]] = {}
"""What was read in this hour, by the hour."""


def snapshot() -> Mapping[str, Any]:
    """All accounts; none once the account has left its organisation.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html: only the management account and
    delegated administrators may ask.
    """
    pages = aws.organizations().get_paginator("list_accounts").paginate()
    found = unless_absent(
        lambda: [account["Id"] for page in pages for account in page["Accounts"]], "AWSOrganizationsNotInUseException"
    )
    return {KEY: {"accounts": sorted(found or [])}}


def accounts() -> frozenset[str]:
    """The accounts as they were noted last. None before the first run, so that none is trusted by mistake.

    They are read once an hour, as often as they are noted.
    """
    hour = int(time.time() // HOUR)
    if hour not in _read:
        noted = known(KEY)
        if not noted:
            return frozenset()
        _read.clear()
        _read[hour] = frozenset(noted.settings["accounts"])
    return _read[hour]
